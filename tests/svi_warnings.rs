//! What a fitted guide says of itself: nothing where it converged, and where not, what is wrong and the remedy.

use posterior::core::diagnostics::{GuideWarning, Warning};
use posterior::core::inference::svi::Approximation;
use posterior::prelude::*;

#[model]
fn mean_of(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 10));
    for i in plate(y) {
        observe(y[i], Normal(mu, 2));
    }
}

#[guide(mean_of)]
fn mean_guide(loc: f64, scale: f64) {
    let mu = sample(Normal(param(loc), param(scale, Positive)));
}

#[model]
fn heads(y: Obs<Array1<bool>>) {
    let p = sample(Beta(2, 2));
    for i in plate(y) {
        observe(y[i], Bernoulli::probs(p));
    }
}

#[model]
fn line(x: &Array1<f64>, y: Obs<Array1<f64>>) {
    let a = sample(Normal(0, 100));
    let b = sample(Normal(0, 10));
    for i in plate(x) {
        observe(y[i], Normal(a + b * x[i], 18));
    }
}

/// Returns numbers spread like draws of the standard normal distribution, without a trend.
fn spread(n: usize) -> Array1<f64> {
    // Sums of three multiples of irrational numbers, modulo one.
    let part = |i: usize, c: f64| (i as f64 * c).fract() - 0.5;
    Array1::from_iter((1..=n).map(|i| 2.0 * (part(i, 0.618034) + part(i, 0.414214) + part(i, 0.732051))))
}

/// IQ of mothers, and scores of their children.
fn scores() -> (Array1<f64>, Array1<f64>) {
    let noise = spread(430);
    let iq = Array1::from_iter(noise.iter().take(215).map(|z| 100.0 + 15.0 * z));
    let score = Array1::from_iter(
        iq.iter()
            .zip(noise.iter().skip(215))
            .map(|(x, z)| 26.0 + 0.6 * x + 18.0 * z),
    );
    (iq, score)
}

fn assert_warnings<A>(name: &str, fit: &Approximation<A>, wanted: &[&str]) {
    let texts: Vec<String> = fit.warnings().iter().map(Warning::to_string).collect();
    assert_eq!(texts.len(), wanted.len(), "{name}: {texts:?}");
    for (text, wanted) in texts.iter().zip(wanted) {
        assert!(text.contains(wanted), "{name}: {texts:?}");
        let line = format!("\nwarning: {text}");
        assert!(fit.to_string().contains(&line), "{name}: {fit}");
        let summary = fit.summary().to_string();
        assert!(summary.contains(&line), "{name}: {summary}");
    }
}

#[test]
fn converged_conjugate_fits_give_no_warning() {
    let y = 3.0 + 2.0 * spread(40);
    let tossed = Array1::from_iter((0..30).map(|i| i % 3 == 0));
    let (iq, score) = scores();
    let standardised = (iq - 100.0) / 15.0;
    for seed in 0..10 {
        let svi = Svi::new(AutoNormal::default(), Adam::new(0.01))
            .steps(2000)
            .particles(4);
        let svi = svi.seed(seed).progress(Progress::Hidden);
        assert_warnings(&format!("mean, {seed}"), &svi.run(&mean_of(&y)).unwrap(), &[]);
        assert_warnings(&format!("heads, {seed}"), &svi.run(&heads(&tossed)).unwrap(), &[]);
        let decay = Schedule::ExponentialDecay {
            initial: 0.5,
            rate: 0.1,
            every: 1000.0,
        };
        let svi = Svi::new(AutoNormal::default(), Adam::new(decay)).steps(3000).seed(seed);
        assert_warnings(
            &format!("line, {seed}"),
            &svi.run(&line(&standardised, &score)).unwrap(),
            &[],
        );
    }
}

#[test]
fn a_run_that_is_too_short_says_that_the_bound_rises() {
    let y = 300.0 + 2.0 * spread(40);
    let svi = Svi::new(AutoNormal::default(), Adam::new(0.01)).progress(Progress::Hidden);
    let short = svi.clone().steps(500).run(&mean_of(&y)).unwrap();
    let text = short.summary().to_string();
    assert!(text.contains("warning: the ELBO still rises, by "), "{text}");
    assert!(text.contains("make more steps"), "{text}");
    let few = svi.steps(10).run(&mean_of(&y)).unwrap();
    assert!(few.to_string().contains("steps of the run: 10, too few"), "{few}");
}

#[test]
fn a_rate_that_is_too_high_says_that_parameters_are_noisy() {
    let y = 3.0 + 2.0 * spread(40);
    for (is_own_loop, precision) in [(false, Precision::F64), (true, Precision::F64), (false, Precision::F32)] {
        let svi = Svi::new(AutoNormal::default(), Adam::new(1.0))
            .steps(2000)
            .precision(precision);
        let svi = svi.progress(Progress::Hidden);
        let model = mean_of(&y);
        let fit = if is_own_loop {
            let mut state = svi.start(&model).unwrap();
            (0..2000).for_each(|_| assert!(state.step().unwrap().is_finite()));
            state.finish().unwrap()
        } else {
            svi.run(&model).unwrap()
        };
        let is_noisy = |w: &Warning| matches!(w, Warning::Guide(GuideWarning::NoisyParameters { site, ratio, n_sites: 1 }) if site == "mu" && *ratio > 0.5);
        assert!(fit.warnings().iter().any(is_noisy), "{fit}");
    }
}

#[test]
fn a_guide_that_lacks_the_correlation_of_raw_columns_says_so() {
    let (iq, score) = scores();
    let decay = Schedule::ExponentialDecay {
        initial: 1.0,
        rate: 0.1,
        every: 1500.0,
    };
    for seed in 0..4 {
        let svi = Svi::new(AutoNormal::default(), Adam::new(decay)).steps(5000).seed(seed);
        let fit = svi.progress(Progress::Hidden).run(&line(&iq, &score)).unwrap();
        // The correlation is −0.99, and the deviation of the posterior about 8.
        let sd = fit.a().std(0.0);
        assert!(sd < 2.0, "{sd}");
        let text = fit.summary().to_string();
        assert!(
            text.contains("warning: the guide lacks parts of the posterior"),
            "{text}"
        );
        assert!(text.contains("standardise the columns of the data"), "{text}");
        assert!(fit.pareto_k().unwrap() > 0.4, "{fit}");
    }
}

/// Returns SVI whose guide stays as it is.
fn fixed(loc: f64, scale: f64) -> Svi<impl Guide<Target = mean_of::Names> + Sync, Adam> {
    let svi = Svi::new(mean_guide(loc, scale), Adam::new(0.0)).steps(50);
    svi.progress(Progress::Hidden)
}

#[test]
fn pareto_k_is_that_of_the_posterior_however_the_bound_was_estimated() {
    let y = 3.0 + 2.0 * spread(40);
    let k = |svi: Svi<_, Adam>| svi.run(&mean_of(&y)).unwrap().pareto_k().unwrap();
    let narrow = || fixed(2.9, 0.2);
    let sampled = k(narrow());
    // For normal distributions k is 1 − (0.2/0.316)² = 0.6.
    assert!(0.2 < sampled && sampled < 1.0, "{sampled}");
    let others = [
        narrow().estimator(ElboEstimator::AnalyticKl),
        narrow().particles(5),
        narrow().steps(70),
    ];
    for (case, other) in others.into_iter().enumerate() {
        let other = k(other);
        assert!((other - sampled).abs() < 1e-6, "case {case}: {other} against {sampled}");
    }
    let single = k(narrow().precision(Precision::F32));
    assert!(0.2 < single && single < 1.0, "{single}");
}

#[test]
fn points_have_no_pareto_k_and_exact_guides_no_tail() {
    let y = 3.0 + 2.0 * spread(40);
    let point = Svi::new(AutoDelta::default(), Adam::new(0.05)).steps(1000);
    let fit = point.progress(Progress::Hidden).run(&mean_of(&y)).unwrap();
    assert_eq!(fit.pareto_k(), None);
    assert!(fit.to_string().starts_with("a guide after 1000 steps, ELBO "), "{fit}");
    assert!(!fit.to_string().contains("Pareto"), "{fit}");
    // The posterior has the precision 1/10² + 40/2².
    let exact = fixed(y.sum() / 4.0 / 10.01, 10.01_f64.sqrt().recip());
    assert_eq!(exact.run(&mean_of(&y)).unwrap().pareto_k(), Some(f64::NEG_INFINITY));
}

#[model]
fn branches(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    let scale = if mu > 0.0 { 1.0 } else { 2.0 }; // branches
    for i in plate(y) {
        observe(y[i], Normal(mu, scale));
    }
}

#[test]
fn a_model_that_is_recorded_anew_at_each_step_names_the_line() {
    let y = array![0.5, -0.3];
    let svi = Svi::new(AutoNormal::default(), Adam::new(0.01))
        .steps(50)
        .progress(Progress::Hidden);
    let fit = svi.run(&branches(&y)).unwrap();
    let lines = include_str!("svi_warnings.rs").lines();
    let line = 1 + lines.take_while(|line| !line.ends_with("// branches")).count();
    let text = fit.summary().to_string();
    assert!(
        text.contains(&format!("read at tests/svi_warnings.rs:{line}")),
        "{text}"
    );
    assert_eq!(fit.pareto_k(), None);
}

#[model]
fn mixed() {
    let a = sample(Normal(0, 1));
    let b = sample(HalfNormal(1));
    let c = sample(Normal(0, 1).scale(0.5));
}

#[test]
fn a_divergence_in_closed_form_names_the_sites_that_were_sampled() {
    let svi = Svi::new(AutoNormal::default(), Adam::new(0.01))
        .steps(50)
        .progress(Progress::Hidden);
    let text = |svi: Svi<_, _>| svi.run(&mixed()).unwrap().summary().to_string();
    let analytic = text(svi.clone().estimator(ElboEstimator::AnalyticKl));
    let wanted = "`AnalyticKl` has no closed form at `b` (Normal from HalfNormal), `c` (Normal from Normal), where";
    assert!(analytic.contains(wanted), "{analytic}");
    assert!(!text(svi).contains("AnalyticKl"));
}

#[model]
fn batches(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 10));
    for i in plate(y, total = 100) {
        observe(y[i], Normal(mu, 2));
    }
}

#[test]
fn refused_steps_of_an_own_loop_are_counted() {
    let (good, bad) = (array![1.0, 2.0], array![1.0, 1e300]);
    let svi = Svi::new(AutoNormal::default(), Adam::new(0.01));
    let first = batches(&good);
    let mut state = svi.start(&first).unwrap();
    for step in 0..60 {
        let is_bad = step % 20 == 19;
        let outcome = state.step_on(&batches(if is_bad { &bad } else { &good }));
        assert_eq!(outcome.is_err(), is_bad);
    }
    let fit = state.finish().unwrap();
    let text = fit.summary().to_string();
    assert!(text.contains("warning: steps that were refused: 3; "), "{text}");
    // The first batch alone is not what was fitted.
    assert_eq!(fit.pareto_k(), None);
}

#[model]
fn two(y: Obs<Array1<f64>>) {
    let w = sample(Normal(0, 2).expand([2]));
    for i in plate(y) {
        observe(y[i], Normal(w[0] + w[1], 1));
    }
}

#[guide(two)]
fn correlated() {
    let w = sample(MultivariateNormal::scale_tril(
        param([0.1, -0.2]),
        param(array![[1.0, 0.0], [-1.5, 0.8]], LowerCholesky),
    ));
}

#[test]
fn a_normal_vector_has_its_divergence_from_independent_elements_in_closed_form() {
    let y = array![1.0, 0.5];
    let svi = Svi::new(correlated(), Adam::new(0.0))
        .steps(2000)
        .progress(Progress::Hidden);
    let sampled = svi.run(&two(&y)).unwrap();
    let analytic = svi.estimator(ElboEstimator::AnalyticKl).run(&two(&y)).unwrap();
    assert!(!analytic.summary().to_string().contains("AnalyticKl"), "{analytic}");
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / 2000.0;
    let difference = mean(sampled.losses()) - mean(analytic.losses());
    let spread: f64 = sampled
        .losses()
        .iter()
        .zip(analytic.losses())
        .map(|(a, b)| (a - b - difference).powi(2))
        .sum();
    let error = spread.sqrt() / 2000.0;
    assert!(error < 0.1 && difference.abs() < 4.0 * error, "{difference} ± {error}");
}

#[model]
fn rows(y: Obs<Array1<f64>>) {
    for i in plate(y) {
        let w = sample(Normal(0, 2));
        observe(y[i], Normal(w, 1));
    }
}

#[guide(rows)]
fn correlated_rows() {
    let w = sample(MultivariateNormal::scale_tril(
        param([0.1, -0.2]),
        param(array![[1.0, 0.0], [-0.5, 0.8]], LowerCholesky),
    ));
}

#[test]
fn a_normal_vector_over_the_rows_of_a_plate_is_sampled() {
    let y = array![1.0, 0.5];
    let svi = Svi::new(correlated_rows(), Adam::new(0.0))
        .steps(50)
        .progress(Progress::Hidden);
    let sampled = svi.run(&rows(&y)).unwrap();
    let analytic = svi.estimator(ElboEstimator::AnalyticKl).run(&rows(&y)).unwrap();
    assert_eq!(sampled.losses(), analytic.losses());
    let text = analytic.summary().to_string();
    assert!(
        text.contains("no closed form at `w` (MultivariateNormal from Normal), where"),
        "{text}"
    );
}

/// A type whose values cannot be compared.
#[derive(Clone)]
struct Weight(f64);

#[model]
fn of_batches(kind: usize, weight: Weight, y: Obs<Array1<f64>>) {
    let (mu, s) = match kind {
        2 if y.nrows() == 2 => {
            let s = sample("s", HalfNormal(1));
            (sample("mu", Normal(0, 1)), s)
        }
        _ => {
            let mu = sample("mu", Normal(0, 1));
            (mu, sample("s", HalfNormal(1)))
        }
    };
    let s = if kind == 1 && y[0] > 0.0 { s } else { s + 1 }; // of_batches, read
    for i in plate(y) {
        observe(y[i], Normal(mu, s * weight.0));
    }
}

#[model]
fn compared(kind: usize, y: Obs<Array1<f64>>) {
    let model = sample(of_batches(kind, Weight(1.0), y));
}

#[test]
fn steps_on_batches_that_are_recorded_say_why() {
    let (y, short) = (array![0.5, -1.0, 2.0], array![0.3, 1.0]);
    let svi = Svi::new(AutoNormal::default(), Adam::new(0.01)).progress(Progress::Hidden);
    let recorded = "recorded anew";
    let line = format!("{}:{}", file!(), line_of("// of_batches, read"));
    for (kind, owns, wanted) in [
        (0, false, None),
        (
            0,
            true,
            Some("derive `Hash` for it, or pass numbers and arrays of them"),
        ),
        (1, false, Some(line.as_str())),
        (
            2,
            false,
            Some("in another order than those of the model that the run began with"),
        ),
    ] {
        let first = of_batches(kind, Weight(1.0), &y);
        let texts: Vec<String> = if owns {
            let mut state = svi.start(&first).unwrap();
            for _ in 0..50 {
                state.step_on(&of_batches(kind, Weight(1.0), &short)).unwrap();
            }
            state
                .finish()
                .unwrap()
                .warnings()
                .iter()
                .map(Warning::to_string)
                .collect()
        } else {
            let first = compared(kind, &y);
            let mut state = svi.start(&first).unwrap();
            for _ in 0..50 {
                state.step_on(&compared(kind, &short)).unwrap();
            }
            state
                .finish()
                .unwrap()
                .warnings()
                .iter()
                .map(Warning::to_string)
                .collect()
        };
        let found: Vec<&String> = texts.iter().filter(|text| text.contains(recorded)).collect();
        match wanted {
            None => assert!(found.is_empty(), "kind {kind}: {texts:?}"),
            Some(words) => assert!(found.len() == 1 && found[0].contains(words), "kind {kind}: {texts:?}"),
        }
    }
}

/// Returns the number of the line of this file that ends with a mark.
fn line_of(mark: &str) -> usize {
    let is_marked = |(_, line): &(usize, &str)| line.ends_with(mark);
    1 + include_str!("svi_warnings.rs")
        .lines()
        .enumerate()
        .find(is_marked)
        .expect("a mark")
        .0
}
