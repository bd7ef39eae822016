//! What the network's answers are worth: forced predictions, refusals, a table, a picture and a file of figures.

use std::error::Error;
use std::path::Path;

use comfy_table::Table;
use ndarray::{Array1, Array2, Array3, ArrayD, Axis, Ix3};
use posterior::nn::calibration::{Calibration, ClassIntervals, Refusal, Verdicts};
use posterior::nn::data::DataSet;
use posterior::nn::plots::{Example, Panel, verdict_sheet};
use serde_json::json;

/// An error that any thread may meet.
pub type Failure = Box<dyn Error + Send + Sync>;

/// What the network is asked about.
pub struct Sets {
    /// Digits that it has not seen.
    pub test: DataSet,
    /// Letters.
    pub letters: DataSet,
    /// Uniform pixels.
    pub noise: Array2<f32>,
}

/// The answers to one set of images.
pub struct Answers {
    intervals: ClassIntervals,
    verdicts: Verdicts,
}

/// The networks of one regime, which differ by their seeds alone.
pub struct Regime {
    /// What the regime is called.
    pub name: &'static str,
    /// The seed of each network.
    pub seeds: Vec<u64>,
    /// The answers of each network.
    pub reports: Vec<Report>,
}

/// The answers of one network.
pub struct Report {
    calibration: Calibration,
    log_score: f64,
    test: Answers,
    letters: Answers,
    noise: Answers,
    accepted_accuracy: f64,
    losses: Vec<f64>,
}

/// Networks that vote on a forced prediction.
const N_FORCED: usize = 10;

impl Report {
    /// Asks for the logits of 100 sampled networks on each set: `[1, 100, n, 10]`.
    pub fn new(
        sets: &Sets,
        losses: Vec<f64>,
        ask: impl Fn(&Array2<f32>) -> posterior::core::error::Result<ArrayD<f64>>,
    ) -> Result<Self, Failure> {
        let logits = ask(&sets.test.images)?
            .index_axis_move(Axis(0), 0)
            .into_dimensionality::<Ix3>()?;
        let forced = logits
            .slice(ndarray::s![..N_FORCED, .., ..])
            .mean_axis(Axis(0))
            .ok_or("no draws")?;
        let log_score = mean_log_score(&forced, &sets.test.labels);
        let forced = softmax(forced.insert_axis(Axis(0))).index_axis_move(Axis(0), 0);
        let calibration = Calibration::of(forced.view(), sets.test.labels.view())?;
        let test = Answers::of(logits)?;
        let others = |images: &Array2<f32>| -> Result<Answers, Failure> {
            Answers::of(ask(images)?.index_axis_move(Axis(0), 0).into_dimensionality::<Ix3>()?)
        };
        Ok(Report {
            calibration,
            log_score,
            accepted_accuracy: test
                .verdicts
                .accepted_accuracy(sets.test.labels.view())?
                .unwrap_or(f64::NAN),
            test,
            letters: others(&sets.letters.images)?,
            noise: others(&sets.noise)?,
            losses,
        })
    }
}

impl Answers {
    fn of(logits: Array3<f64>) -> Result<Self, Failure> {
        let intervals = ClassIntervals::of(softmax(logits).view(), 0.9)?;
        Ok(Answers {
            verdicts: Refusal::default().judge(&intervals),
            intervals,
        })
    }
}

/// Returns the mean of ln p(label), in log space: no probability underflows.
fn mean_log_score(logits: &Array2<f64>, labels: &Array1<usize>) -> f64 {
    let scores = logits.rows().into_iter().zip(labels).map(|(row, &label)| {
        let top = row.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        row[label] - top - row.fold(0.0, |sum, z| sum + (z - top).exp()).ln()
    });
    scores.sum::<f64>() / labels.len() as f64
}

/// Turns logits into probabilities, in place.
fn softmax(mut logits: Array3<f64>) -> Array3<f64> {
    for mut row in logits.lanes_mut(Axis(2)) {
        let top = row.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        row.mapv_inplace(|z| (z - top).exp());
        let total = row.sum();
        row /= total;
    }
    logits
}

/// A figure of a network.
struct Figure {
    name: &'static str,
    of: fn(&Report) -> f64,
}

const FIGURES: [Figure; 7] = [
    Figure {
        name: "accuracy",
        of: |r| r.calibration.accuracy,
    },
    Figure {
        name: "log_score",
        of: |r| r.log_score,
    },
    Figure {
        name: "calibration_error",
        of: |r| r.calibration.expected_calibration_error,
    },
    Figure {
        name: "refused",
        of: |r| r.test.verdicts.refused_share(),
    },
    Figure {
        name: "accepted_accuracy",
        of: |r| r.accepted_accuracy,
    },
    Figure {
        name: "letters_refused",
        of: |r| r.letters.verdicts.refused_share(),
    },
    Figure {
        name: "noise_refused",
        of: |r| r.noise.verdicts.refused_share(),
    },
];

impl Regime {
    /// Returns a figure of each network.
    fn by_seed(&self, figure: &Figure) -> Vec<f64> {
        self.reports.iter().map(figure.of).collect()
    }

    /// Returns the mean of a figure over the networks, below it the smallest and the largest.
    fn cell(&self, name: &str, text: fn(f64) -> String) -> String {
        let figure = FIGURES.iter().find(|f| f.name == name).expect("a figure of this name");
        let values = self.by_seed(figure);
        let own = text(mean(&values));
        if values.len() == 1 {
            return own;
        }
        // A figure of no image is NaN, and then so are the ends of the range.
        let end = |pick: fn(f64, f64) -> f64| {
            values
                .iter()
                .copied()
                .reduce(|a, b| if a.is_nan() { a } else { pick(a, b) })
        };
        let (low, high) = (end(f64::min).unwrap_or(f64::NAN), end(f64::max).unwrap_or(f64::NAN));
        format!("{own}\n{} to {}", text(low), text(high))
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn percent(x: f64) -> String {
    match x.is_nan() {
        true => "–".to_string(), // of no image
        false => format!("{:.1} %", 100.0 * x),
    }
}

/// Prints one line for each regime and set: the mean over its networks and, if there are several, the range.
pub fn print_table(regimes: &[Regime], sets: &Sets) {
    let mut table = Table::new();
    table.set_header([
        "network",
        "asked about",
        "accuracy",
        "log score",
        "calibration error",
        "refused",
        "accuracy on accepted",
    ]);
    let number = |x: f64| format!("{x:.3}");
    for regime in regimes {
        table.add_row([
            regime.name.to_string(),
            format!("{} digits", sets.test.len()),
            regime.cell("accuracy", percent),
            regime.cell("log_score", number),
            regime.cell("calibration_error", number),
            regime.cell("refused", percent),
            regime.cell("accepted_accuracy", percent),
        ]);
        for (set, n, figure) in [
            ("letters", sets.letters.len(), "letters_refused"),
            ("white noise", sets.noise.nrows(), "noise_refused"),
        ] {
            let refused = regime.cell(figure, percent);
            table.add_row([regime.name, &format!("{n} {set}"), "–", "–", "–", &refused, "–"]);
        }
    }
    println!("{table}");
    println!(
        "accuracy, log score and calibration error: forced, mean of the logits of {N_FORCED} sampled networks;\n\
         refused: no class has a median probability above 0.2 among 100 sampled networks"
    );
    match regimes[0].seeds.as_slice() {
        [seed] => {
            println!("one network of each kind, with seed {seed}: another seed gives other figures, see --networks")
        }
        seeds => println!(
            "mean over {} networks trained on the same images with the seeds {} to {}, the smallest and the largest below",
            seeds.len(),
            seeds[0],
            seeds[seeds.len() - 1]
        ),
    }
}

/// Draws examples with their posterior intervals and verdicts.
pub fn write_sheet(path: &Path, report: &Report, sets: &Sets) -> Result<(), Failure> {
    let digits = examples(&report.test, |row| Some(sets.test.labels[row]), 6);
    let letters = examples(&report.letters, |_| None, 3);
    let noise = examples(&report.noise, |_| None, 3);
    let panel = |title, images, answers: &'_ Answers, examples| (title, images, answers.intervals.clone(), examples);
    let panels = [
        panel("Digits", sets.test.images.view(), &report.test, digits),
        panel("Letters", sets.letters.images.view(), &report.letters, letters),
        panel("White noise", sets.noise.view(), &report.noise, noise),
    ];
    let panels: Vec<Panel<'_>> = panels
        .iter()
        .map(|(title, images, intervals, examples)| Panel {
            title,
            images: *images,
            image_shape: [28, 28],
            intervals,
            examples: examples.clone(),
        })
        .collect();
    Ok(verdict_sheet(path, &panels, Refusal::default())?)
}

/// Chooses the least certain images and the most certain ones, half of each.
fn examples(answers: &Answers, truth: impl Fn(usize) -> Option<usize>, n: usize) -> Vec<Example> {
    let rows = answers.intervals.rows_by_certainty();
    let (doubtful, certain) = (rows.iter().take(n / 2), rows.iter().rev().take(n - n / 2));
    let example = |&row: &usize| {
        let caption = truth(row).map_or_else(|| "none of the ten".to_string(), |class| format!("a {class}"));
        Example {
            row,
            caption,
            truth: truth(row),
        }
    };
    certain.chain(doubtful).map(example).collect()
}

/// Writes every figure: the mean over the networks of a regime, and that of each network.
pub fn write_json(path: &Path, regimes: &[Regime]) -> Result<(), Failure> {
    let figures = regimes.iter().map(|regime| {
        let mut own = serde_json::Map::new();
        for figure in &FIGURES {
            let values = regime.by_seed(figure);
            own.insert(figure.name.to_string(), json!(mean(&values)));
            own.insert(format!("{}_by_seed", figure.name), json!(values));
        }
        let losses: Vec<_> = regime.reports.iter().map(|r| &r.losses).collect();
        own.insert("losses_by_seed".to_string(), json!(losses));
        own.insert("seeds".to_string(), json!(regime.seeds));
        (regime.name.to_string(), serde_json::Value::from(own))
    });
    let figures: serde_json::Map<String, serde_json::Value> = figures.collect();
    Ok(std::fs::write(path, serde_json::to_string_pretty(&figures)?)?)
}
