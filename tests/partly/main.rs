//! Observations of which some elements are missing: scored where they are there, drawn or imputed where they are not.

mod reading;

use posterior::core::diagnostics::Warning;
use posterior::core::inference::predictive::Prior;
use posterior::core::inference::svi::Approximation;
use posterior::core::rng::Key;
use posterior::core::runtime::handlers::trace;
use posterior::core::runtime::recording::Recorder;
use posterior::core::tape::gradient::gradient;
use posterior::prelude::*;

const NAN: f64 = f64::NAN;

/// Returns the log density and its gradient at latents that depend on their names alone.
fn density<M: Model>(model: &M) -> Vec<f64> {
    let recording = Recorder::density(Precision::F64, Key::new(1)).record(model).unwrap();
    [&[recording.tape.log_density()], gradient(&recording.tape).as_slice()].concat()
}

fn assert_same(name: &str, got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len(), "{name}: {got:?} against {want:?}");
    for (got, want) in got.iter().zip(want) {
        assert!(
            (got - want).abs() < 1e-11 * (1.0 + want.abs()),
            "{name}: {got} against {want}"
        );
    }
}

#[model]
fn numbers(x: &Array1<f64>, y: Obs<Array1<f64>>, kind: usize) {
    let a = sample(Normal(0, 1));
    let s = sample(HalfNormal(1));
    for i in plate(x) {
        match kind {
            0 => observe("y", y[i], Normal(a * x[i], s)),
            1 => observe("y", y[i], Gamma(s, s * x[i])),
            2 => observe("y", y[i], Beta(s * x[i], 2)),
            3 => observe("y", y[i], Uniform(-x[i] - s, x[i] + s)),
            4 => observe("y", y[i], Normal(a, s).truncate(-x[i] - 3, f64::INFINITY)),
            _ => observe("y", y[i], LogNormal(a, x[i]).scale(0.5)),
        };
    }
}

#[test]
fn what_is_missing_leaves_the_density_and_gradient_of_what_is_there() {
    let (x, y) = (array![1.0, 0.5, 2.0, 1.5, 0.7], array![0.3, NAN, 0.6, NAN, 0.2]);
    let mask = array![true, false, true, false, true];
    let filled = y.mapv(|y| if y.is_nan() { 0.77 } else { y });
    let (x_there, y_there) = (array![1.0, 2.0, 0.7], array![0.3, 0.6, 0.2]);
    for kind in 0..6 {
        let want = density(&numbers(&x_there, &y_there, kind));
        let name = format!("kind {kind}");
        assert_same(&name, &density(&numbers(&x, Obs::partly(&y), kind)), &want);
        assert_same(&name, &density(&numbers(&x, Obs::masked(&filled, &mask), kind)), &want);
        let numbers_of_mask = mask.mapv(u8::from);
        assert_same(
            &name,
            &density(&numbers(&x, Obs::masked(&filled, &numbers_of_mask), kind)),
            &want,
        );
        // Nothing missing is an ordinary observation.
        assert_same(
            &name,
            &density(&numbers(&x, Obs::partly(&filled), kind)),
            &density(&numbers(&x, &filled, kind)),
        );
    }
}

#[model]
fn labels(w: &Array1<f64>, truth: Obs<Array1<bool>>, label: Obs<Array1<usize>>, count: Obs<Array1<u32>>) {
    let a = sample(Normal(0, 1));
    for i in plate(w) {
        observe(truth[i], Bernoulli::logits(a * w[i]));
        observe(label[i], Categorical::logits([0.0, 1.0, 2.0]));
        observe(count[i], Poisson((a * w[i]).exp()));
    }
}

#[test]
fn truth_values_labels_and_counts_are_missing_by_a_mask() {
    let w = array![0.5, -1.0, 2.0];
    let (truth, label, count) = (array![true, false, true], array![2, 0, 1], array![3, 0, 9]);
    let there = array![true, true, false];
    let got = density(&labels(
        &w,
        Obs::masked(&truth, &there),
        Obs::masked(&label, &there),
        Obs::masked(&count, &there),
    ));
    let short = array![0.5, -1.0];
    let (truth2, label2, count2) = (array![true, false], array![2, 0], array![3, 0]);
    assert_same("all", &got, &density(&labels(&short, &truth2, &label2, &count2)));
    let model = labels(
        &w,
        Obs::masked(&truth, &there),
        Obs::masked(&label, &there),
        Obs::masked(&count, &there),
    );
    let prior = Prior::default().draws(200).seed(3).run(&model).unwrap();
    let column = |site: &str, j: usize| prior.get(site).unwrap().index_axis(ndarray::Axis(2), j).to_owned();
    assert!(column("truth", 0).iter().all(|x| *x == 1.0) && column("count", 0).iter().all(|x| *x == 3.0));
    let drawn = column("truth", 2);
    assert!(drawn.iter().any(|x| *x == 1.0) && drawn.iter().any(|x| *x == 0.0));
    assert!(column("label", 2).iter().all(|x| [0.0, 1.0, 2.0].contains(x)));
}

#[model]
fn vectors(n: usize, y: Obs<Array2<f64>>, shares: Obs<Array2<f64>>) {
    let m = sample(Normal(0, 1).expand([2]));
    for i in plate(n) {
        observe(y[i], MultivariateNormal::scale_tril(m, array![[1.0, 0.0], [0.5, 2.0]]));
        observe(shares[i], Dirichlet([1.5, 2.0, 0.7]));
    }
}

#[test]
fn draws_of_several_numbers_are_there_or_missing_as_a_whole() {
    let y = array![[0.5, 1.0], [NAN, NAN], [2.0, -1.0]];
    let shares = array![[0.2, 0.3, 0.5], [0.1, 0.1, 0.8], [NAN, NAN, NAN]];
    let got = density(&vectors(3, Obs::partly(&y), Obs::partly(&shares)));
    let of_y = density(&vectors(
        2,
        &array![[0.5, 1.0], [2.0, -1.0]],
        &array![[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]],
    ));
    assert_same("rows", &got, &of_y);
    let part = array![[0.5, NAN], [1.0, 1.0], [2.0, -1.0]];
    let error = trace(&vectors(3, Obs::partly(&part), Obs::partly(&shares)), 1)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("site y (") && error.contains("draw 0 of MultivariateNormal is there in part"),
        "{error}"
    );
}

#[model]
fn level(n: usize, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 10));
    for i in plate(y, total = n) {
        observe(y[i], Normal(mu, 1));
    }
}

#[model]
fn level_in_batches(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 10));
    for i in plate(y, batch = 3) {
        observe(y[i], Normal(mu, 1));
    }
}

fn svi<M: Model + Sync>(model: &M, n_steps: usize) -> Approximation<M::Accessors> {
    let svi = Svi::new(AutoNormal::default(), Adam::new(0.05))
        .steps(n_steps)
        .particles(2);
    svi.seed(1).progress(Progress::Hidden).run(model).unwrap()
}

fn mh<M: Model + Sync>(model: &M) -> posterior::core::inference::fit::Fit<M::Accessors> {
    let mh = Mh::default().chains(2).draws(3000).warmup(1000).thin(2).seed(4);
    mh.progress(Progress::Hidden).run(model).unwrap()
}

#[test]
fn what_is_there_counts_as_much_as_the_rows_of_a_stream_or_batch_do() {
    let y = array![1.0, NAN, 3.0];
    let recording = |model: &_| Recorder::density(Precision::F64, Key::new(1)).record(model).unwrap();
    let run = recording(&level(12, Obs::partly(&y)));
    let mu = run.initial[0];
    let ln_normal = |x: f64, sd: f64| -0.5 * (x / sd).powi(2) - sd.ln() - 0.5 * std::f64::consts::TAU.ln();
    let want = ln_normal(mu, 10.0) + 4.0 * (ln_normal(1.0 - mu, 1.0) + ln_normal(3.0 - mu, 1.0));
    assert!((run.tape.log_density() - want).abs() < 1e-11);
    // Each batch of three rows has two or three of the four that are there: the estimate is right on average.
    let fit = svi(&level_in_batches(Obs::partly(&array![1.0, NAN, 3.0, 4.0, 0.0])), 1500);
    let mean = fit.mu().mean().unwrap();
    assert!((mean - 2.0).abs() < 0.35, "{mean}");
}

#[test]
fn steps_on_a_stream_replay_one_program_whatever_is_missing() {
    let batches = [
        array![1.0, NAN, 3.0, 2.0],
        array![NAN, NAN, 2.0, 1.5],
        array![2.5, 2.0, 1.0, 3.0],
    ];
    let first = level(12, Obs::partly(&batches[0]));
    let settings = Svi::new(AutoNormal::default(), Adam::new(0.05))
        .seed(7)
        .progress(Progress::Hidden);
    let mut replayed = settings.start(&first).unwrap();
    for batch in &batches {
        let elbo = replayed.step_on(&level(12, Obs::partly(batch))).unwrap();
        assert!(replayed.is_replayed());
        // Ordinary data of the same rows with a mask of the handler give the same bound.
        let mask = batch.mapv(|y| f64::from(!y.is_nan()));
        let filled = batch.mapv(|y| if y.is_nan() { 5.0 } else { y });
        let mut other = settings.start(&first).unwrap();
        for earlier in batches.iter().take_while(|b| !std::ptr::eq(*b, batch)) {
            other.step_on(&level(12, Obs::partly(earlier))).unwrap();
        }
        let masked = other.step_on(&level(12, &filled).mask(|s| s.y(), mask)).unwrap();
        assert!((elbo - masked).abs() < 1e-9 * elbo.abs(), "{elbo} against {masked}");
    }
}

#[test]
fn forward_runs_keep_what_is_there_and_draw_what_is_not() {
    let y = array![1.0, NAN, 3.0];
    let model = level(3, Obs::partly(&y));
    let prior = Prior::default().draws(500).seed(1).run(&model).unwrap();
    let columns: Vec<Vec<f64>> = (0..3)
        .map(|j| prior.y().index_axis(ndarray::Axis(2), j).iter().copied().collect())
        .collect();
    assert!(columns[0].iter().all(|y| *y == 1.0) && columns[2].iter().all(|y| *y == 3.0));
    let residual: Vec<f64> = columns[1].iter().zip(prior.mu()).map(|(y, mu)| y - mu).collect();
    let sd = (residual.iter().map(|r| r * r).sum::<f64>() / 500.0).sqrt();
    // The standard error of the deviation is 0.03.
    assert!((sd - 1.0).abs() < 0.13, "{sd}");

    let run = trace(&model, 5).unwrap();
    let (mu, drawn) = (run.get("mu").unwrap().value[[]], &run.get("y").unwrap().value);
    assert_eq!((drawn[[0]], drawn[[2]]), (1.0, 3.0));
    let squares: f64 = drawn.iter().map(|y| (y - mu).powi(2)).sum();
    let want = -0.5 * squares - 1.5 * std::f64::consts::TAU.ln();
    assert!((run.get("y").unwrap().log_prob - want).abs() < 1e-12);
    let again = trace(&level(3, Obs::partly(&y)).replay(&run), 6).unwrap();
    assert_eq!(
        (again.get("y").unwrap().value.clone(), again.log_joint()),
        (drawn.clone(), run.log_joint())
    );

    let fit = mh(&model);
    let ppc = fit.predict(&level(3, Obs::partly(&y))).unwrap();
    assert!(ppc.y().iter().skip(2).step_by(3).all(|y| *y == 3.0) && ppc.drawn_anew().count() == 0);
    assert!(
        ppc.to_string().contains("drawn in place of a missing observation"),
        "{ppc}"
    );
    let fit = svi(&model, 200);
    let ppc = fit.predict(&level(3, Obs::partly(&y)), 50).unwrap();
    assert!(ppc.y().iter().step_by(3).all(|y| *y == 1.0) && ppc.y()[[0, 1, 1]] != ppc.y()[[0, 2, 1]]);
}

#[model]
fn walk(y: Obs<Array1<f64>>) {
    observe("first", y[0], Normal(0, 1));
    for t in markov(y.nrows() - 1) {
        observe("next", y[t + 1], Normal(y[t], 1));
    }
}

#[model]
fn measured(y: Obs<Array1<f64>>, z: Obs<Array1<f64>>) {
    for i in plate(z) {
        observe(y[i], Normal(0, 1));
        observe(z[i], Normal(y[i], 1));
    }
}

/// Checks the mean and the standard deviation of draws `[chain, draw]`, with bounds that fit a few thousand draws.
fn assert_moments(name: &str, draws: ndarray::ArrayViewD<f64>, mean: f64, sd: f64) {
    let (m, s) = (draws.mean().unwrap(), draws.std(0.0));
    assert!(
        (m - mean).abs() < 0.15 && (s - sd).abs() < 0.12,
        "{name}: {m} ± {s}, not {mean} ± {sd}"
    );
}

#[test]
fn what_the_model_reads_is_imputed() {
    // y₁ between 1 and 3: N(2, 1/2); y₃ after 3: N(3, 1).
    let y = array![1.0, NAN, 3.0, NAN];
    let fit = mh(&walk(Obs::partly(&y)));
    assert_moments("Mh", fit.draws().get("next[0]").unwrap(), 2.0, 0.5_f64.sqrt());
    let approximation = svi(&walk(Obs::partly(&y)), 1500);
    let draws = approximation.draws(2000);
    assert_moments("Svi", draws.get("next[0]").unwrap(), 2.0, 0.5_f64.sqrt());
    assert_moments("Svi", draws.get("next[2]").unwrap(), 3.0, 1.0);

    // In a plate, where y ~ N(z/2, 1/2), and what is there stays what it is.
    let (y, z) = (array![NAN, 0.7, NAN], array![2.0, 0.0, -1.0]);
    let fit = mh(&measured(Obs::partly(&y), &z));
    let column = |j: usize| fit.y().index_axis_move(ndarray::Axis(2), j).to_owned();
    assert_moments("plate", column(0).view(), 1.0, 0.5_f64.sqrt());
    assert_moments("plate", column(2).view(), -0.5, 0.5_f64.sqrt());
    assert!(column(1).iter().all(|y| *y == 0.7));
    let ppc = fit
        .predict(&measured(Obs::partly(&y), Obs::missing_like(&[3])))
        .unwrap();
    assert_eq!(ppc.y(), fit.y());
}

#[model]
fn chain_of_labels(y: Obs<Array1<bool>>) {
    observe("first", y[0], Bernoulli::probs(0.5));
    observe("second", y[1], Bernoulli::probs(0.2 + 0.6 * y[0]));
}

#[test]
fn missing_truth_values_that_are_read_are_discrete_latents() {
    let (y, there) = (array![false, true], array![false, true]);
    let fit = mh(&chain_of_labels(Obs::masked(&y, &there)));
    // P(y₀ | y₁) = 0.8 / (0.8 + 0.2)
    let mean = fit.first().mean().unwrap();
    assert!((mean - 0.8).abs() < 0.05, "{mean}");
    let error = Svi::new(AutoNormal::default(), Adam::new(0.1)).run(&chain_of_labels(Obs::masked(&y, &there)));
    let error = error.err().unwrap().to_string();
    assert!(
        error.starts_with("site first (") && error.contains("Bernoulli is discrete"),
        "{error}"
    );
}

#[test]
fn nan_in_ordinary_data_and_masks_that_do_not_fit_are_errors_with_the_remedy() {
    let y = array![1.0, NAN, 3.0];
    let remedy =
        "if NaN means missing, pass the data as `Obs::partly(&y)`, or beside a mask as `Obs::masked(&y, &is_there)`";
    let quiet = Mh::default().progress(Progress::Hidden);
    let errors = [
        quiet.run(&level(3, &y)).err().unwrap().to_string(),
        Svi::new(AutoNormal::default(), Adam::new(0.1))
            .run(&level(3, &y))
            .err()
            .unwrap()
            .to_string(),
        trace(&level(3, &y), 1).unwrap_err().to_string(),
    ];
    for error in errors {
        assert!(
            error.starts_with("site y (tests/partly/main.rs:") && error.contains(remedy),
            "{error}"
        );
    }
    let there = array![true, false];
    for error in [
        quiet.run(&level(3, Obs::masked(&y, &there))).err().unwrap().to_string(),
        Prior::default()
            .run(&level(3, Obs::masked(&y, &there)))
            .err()
            .unwrap()
            .to_string(),
    ] {
        assert_eq!(
            error,
            "the mask of a partly missing observation has the shape [2], its data [3]"
        );
    }
    let unclear = array![1.0, NAN, 0.0];
    let error = trace(&level(3, Obs::masked(&y, &unclear)), 1).unwrap_err().to_string();
    assert!(
        error.starts_with("the mask of a partly missing observation holds NaN"),
        "{error}"
    );
}
