//! The No-U-Turn sampler on the workloads of its peers: effective draws per second and per gradient, and what a step costs
//! beside its gradient. `cargo bench --bench samplers -- DIR` takes the data of the peers from the CSV files in DIR.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use comfy_table::Table;
use posterior::core::diagnostics::ess_bulk;
use posterior::core::draws::Draws;
use posterior::core::error::Result;
use posterior::core::inference::hamiltonian::nuts::NutsTransition;
use posterior::core::inference::hamiltonian::warmup::Warmup;
use posterior::core::inference::transition::State;
use posterior::core::kernels::random::{fill_normal, fill_uniform};
use posterior::core::log_density::LogDensity;
use posterior::core::rng::Key;
use posterior::prelude::*;

#[model]
fn eight_schools(sigma: &Array1<f64>, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 5));
    let tau = sample(HalfCauchy(5));
    for j in plate(sigma) {
        let theta = sample(Normal(mu, tau).noncentered());
        observe(y[j], Normal(theta, sigma[j]));
    }
}

#[model]
fn logistic(x: &Array2<f64>, y: Obs<Array1<bool>>) {
    let beta = sample(Normal(0, 1).expand([x.ncols()]));
    for i in plate(x) {
        observe(y[i], Bernoulli::logits(x[i].dot(beta)));
    }
}

#[model]
fn radon(floor: &Array1<f64>, county: &Array1<usize>, n_counties: usize, y: Obs<Array1<f64>>) {
    let mu_a = sample(Normal(0, 5));
    let mu_b = sample(Normal(0, 5));
    let sigma_a = sample(HalfNormal(1));
    let sigma_b = sample(HalfNormal(1));
    let sigma_y = sample(HalfNormal(1));
    let a = for c in plate(n_counties) {
        sample(Normal(mu_a, sigma_a).noncentered())
    };
    let b = for d in plate(n_counties) {
        sample(Normal(mu_b, sigma_b).noncentered())
    };
    for i in plate(floor) {
        observe(y[i], Normal(a[county[i]] + b[county[i]] * floor[i], sigma_y));
    }
}

/// A normal distribution with this precision.
#[model]
fn gaussian(precision: &Array2<f64>) {
    let x = sample(Flat().expand([precision.nrows()]));
    factor(-0.5 * x.dot(precision.dot(x)));
}

/// The columns of a CSV file, or of standard normal numbers where there is no folder.
fn columns(dir: Option<&Path>, name: &str, n: usize, k: usize) -> Array2<f64> {
    let Some(dir) = dir else {
        let mut values = vec![0.0; n * k];
        fill_normal(Key::new(n as u64), &mut values);
        return Array2::from_shape_vec((n, k), values).expect("n × k numbers");
    };
    let path = dir.join(name).with_extension("csv");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let rows = text.lines().skip(1).flat_map(|line| line.split(','));
    let values = rows.map(|x| x.parse().expect("a number")).collect();
    Array2::from_shape_vec((n, k), values).expect("n rows of k columns")
}

/// A row of the table.
struct Row {
    seconds: f64,
    min_ess: f64,
    gradients: f64,
}

/// Two chains of 1000 + 1000 draws with default settings; the best of three runs, which differ by their seeds.
fn sampled<M: Model + Sync>(model: &M) -> Vec<Row> {
    let run = |seed| {
        let start = Instant::now();
        let nuts = Nuts::default().chains(2).seed(seed).progress(Progress::Hidden);
        let fit = nuts.run(model).expect("the model is sampled");
        let seconds = start.elapsed().as_secs_f64();
        let gradients = fit.statistics().get("n_steps").expect("a statistic").sum();
        Row {
            seconds,
            min_ess: min_ess(fit.draws()),
            gradients,
        }
    };
    (1..=3).map(run).collect()
}

fn min_ess(draws: &Draws) -> f64 {
    draws
        .all_components()
        .map(|c| ess_bulk(c.values))
        .fold(f64::INFINITY, f64::min)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Ten standard normal coordinates, whose gradient costs next to nothing.
struct Standard;

impl LogDensity for Standard {
    fn dim(&self) -> usize {
        10
    }

    fn value(&mut self, x: &[f64]) -> Result<f64> {
        Ok(-0.5 * x.iter().map(|x| x * x).sum::<f64>())
    }

    fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64> {
        gradient.iter_mut().zip(x).for_each(|(g, x)| *g = -x);
        self.value(x)
    }
}

/// Nanoseconds of a leapfrog step with all that the tree does, less those of its gradient.
fn overhead() -> f64 {
    let warmup = Warmup {
        target_acceptance: 0.8,
        metric: MetricKind::default(),
        step_size: Some(0.05),
    };
    let mut rng = Key::new(1).generator();
    let mut state = State::at(&mut Standard, vec![0.1; 10]).expect("a density");
    let mut nuts = NutsTransition::new(10, 10, warmup);
    let time = |f: &mut dyn FnMut() -> usize| {
        let start = Instant::now();
        let n = f();
        start.elapsed().as_nanos() as f64 / n as f64
    };
    let of_step = (0..9).map(|_| {
        time(&mut || {
            let step = |_| {
                nuts.transition(&mut Standard, &mut state, &mut rng)
                    .expect("a density")
                    .n_steps
            };
            (0..2000).map(step).sum()
        })
    });
    let of_step = median(of_step.collect());
    let (x, mut gradient) = ([0.3; 10], [0.0; 10]);
    let of_gradient = (0..9).map(|_| {
        time(&mut || {
            for _ in 0..200_000 {
                black_box(
                    Standard
                        .value_and_gradient(black_box(&x), &mut gradient)
                        .expect("a density"),
                );
            }
            200_000
        })
    });
    of_step - median(of_gradient.collect())
}

/// Samples all workloads.
fn rows(dir: Option<&Path>) -> [(&'static str, Vec<Row>); 4] {
    let schools = {
        let sigma = array![15., 10., 16., 11., 9., 11., 10., 18.];
        sampled(&eight_schools(&sigma, &array![28., 8., -3., 7., -1., 1., 18., 12.]))
    };
    let logistic = {
        let all = columns(dir, "logreg_1000x25", 1000, 26);
        let (x, y) = (
            all.slice(ndarray::s![.., ..25]).to_owned(),
            all.column(25).mapv(|y| y > 0.5),
        );
        sampled(&logistic(&x, &y))
    };
    let radon = {
        let mut all = columns(dir, "radon_like_919x85", 919, 3);
        if dir.is_none() {
            let mut county = vec![0.0; 919];
            fill_uniform(Key::new(6), &mut county);
            county
                .iter_mut()
                .enumerate()
                .for_each(|(i, u)| *u = if i < 85 { i as f64 } else { (*u * 85.0).floor() });
            all.column_mut(0).assign(&Array1::from(county));
        }
        let county = all.column(0).mapv(|c| c as usize);
        sampled(&radon(
            &all.column(1).to_owned(),
            &county,
            85,
            &all.column(2).to_owned(),
        ))
    };
    let gaussian = {
        let precision = match dir {
            Some(_) => columns(dir, "gauss100_precision", 100, 100),
            None => Array2::from_diag(&Array1::geomspace(1.0, 100.0, 100).expect("positive bounds")),
        };
        sampled(&gaussian(&precision))
    };
    [
        ("eight schools, noncentered", schools),
        ("logistic 1000 × 25", logistic),
        ("radon-like, 919 rows, 175 latents", radon),
        ("normal, 100 dimensions", gaussian),
    ]
}

fn main() {
    let dir = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let dir = dir.as_deref().map(Path::new);
    let mut table = Table::new();
    table.set_header([
        "two chains of 1000 + 1000",
        "seconds",
        "least bulk ESS",
        "ESS per second",
        "ESS per gradient",
    ]);
    for (name, rows) in rows(dir) {
        let of = |f: &dyn Fn(&Row) -> f64| median(rows.iter().map(f).collect());
        table.add_row([
            name.to_string(),
            format!("{:.3}", of(&|r| r.seconds)),
            format!("{:.0}", of(&|r| r.min_ess)),
            format!("{:.0}", of(&|r| r.min_ess / r.seconds)),
            format!("{:.4}", of(&|r| r.min_ess / r.gradients)),
        ]);
    }
    println!("medians of three seeds; recording, warm-up and summary of the draws included\n{table}");
    println!(
        "a leapfrog step in 10 dimensions, less its gradient: {:.0} ns",
        overhead()
    );
}
