//! What SVI climbs and what it keeps: the bound under totals and scales, and draws of the fitted guide.

use posterior::core::inference::svi::{Approximation, GuideFor, Initial};
use posterior::prelude::*;

#[model]
fn locals(total: usize, y: Obs<Array1<f64>>) {
    for i in plate(y, total = total) {
        let z = sample(Normal(0, 1));
        observe(y[i], Normal(z, 1));
    }
}

#[model]
fn locals_each(total: usize, y: Obs<Array1<f64>>) {
    for i in plate(y, total = total).each() {
        let z = sample(Normal(0, 1));
        observe(y[i], Normal(z, 1));
    }
}

fn svi<G>(guide: G, steps: usize) -> Svi<G, Adam> {
    Svi::new(guide, Adam::new(0.02)).steps(steps).particles(8)
}

/// Returns the variance that AutoNormal gives each element of `z`, from the parameters of its scales.
fn fitted_variances<A>(fit: &Approximation<A>) -> Vec<f64> {
    let of_scale = |(name, _): &&(String, ArrayD<f64>)| name.ends_with(".raw_scale");
    let raw = fit.params().iter().filter(of_scale);
    raw.flat_map(|(_, raw)| raw.iter().map(|r| (2.0 * r).exp()).collect::<Vec<_>>())
        .collect()
}

#[test]
fn local_posteriors_do_not_depend_on_the_total() {
    let y = Array1::from_iter((0..10).map(|i| 0.3 * i as f64 - 1.0));
    // The posterior of each row is N(y / 2, 1/2), however often the row counts.
    let check = |name: &str, variances: Vec<f64>| {
        assert_eq!(variances.len(), 10, "{name}");
        let mean = variances.iter().sum::<f64>() / 10.0;
        assert!((mean - 0.5).abs() < 0.04, "{name}: variance {mean}");
    };
    for total in [10, 100] {
        let fit = svi(AutoNormal::default(), 1000).run(&locals(total, &y)).unwrap();
        check(&format!("plate of {total}"), fitted_variances(&fit));
    }
    let fit = svi(AutoNormal::default(), 1000).run(&locals_each(100, &y)).unwrap();
    check("loop of 100", fitted_variances(&fit));
}

#[model]
fn pair() {
    let x = sample(Normal(0, 1));
    let s = if x.value() > 0.0 { 0.1 } else { 3.0 };
    let y = sample(Normal(0, s).noncentered());
    track(twice, 2.0 * y);
}

#[guide(pair)]
fn pair_guide() {
    let x = sample(Normal(param(0.0), 1));
    let s = if x.value() > 0.0 { 0.1 } else { 3.0 };
    let y = sample(Normal(param(0.0), s));
}

/// AutoNormal that starts at the standard normal distribution.
fn standard() -> AutoNormal {
    AutoNormal {
        loc: Initial::Value(0.0),
        raw_scale: Initial::Value(0.0),
        ..AutoNormal::default()
    }
}

/// Returns the standard deviation of `y` where `x` is positive, and where it is not.
fn sd_by_branch(x: &[f64], y: &[f64]) -> [f64; 2] {
    [true, false].map(|branch| {
        let of_branch = x.iter().zip(y).filter(|(x, _)| (**x > 0.0) == branch);
        let squares: Vec<f64> = of_branch.map(|(_, y)| y * y).collect();
        assert!(squares.len() > 300, "{} draws", squares.len());
        (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
    })
}

fn assert_branches<A>(name: &str, fit: &Approximation<A>) {
    let values = |site: &str, n: usize| fit.draws(n).get(site).unwrap().iter().copied().collect::<Vec<_>>();
    let (x, y) = (values("x", 1000), values("y", 1000));
    // Standard errors of the deviations: 4.5 % at 250 draws of a branch.
    let [narrow, wide] = sd_by_branch(&x, &y);
    assert!((narrow / 0.1 - 1.0).abs() < 0.2, "{name}: {narrow}");
    assert!((wide / 3.0 - 1.0).abs() < 0.2, "{name}: {wide}");
    assert_eq!(values("y", 10), y[..10], "{name}: draw i is the same");
    let predicted = fit.predict(&pair(), 10).unwrap();
    let twice: Vec<f64> = y[..10].iter().map(|y| 2.0 * y).collect();
    assert_eq!(
        predicted
            .draws()
            .get("twice")
            .unwrap()
            .iter()
            .copied()
            .collect::<Vec<_>>(),
        twice
    );
}

#[test]
fn each_draw_of_a_guide_that_branches_takes_its_own_branch() {
    let by_hand = svi(pair_guide(), 1).run(&pair()).unwrap();
    assert_branches("guide", &by_hand);
    let auto = svi(standard(), 1).run(&pair()).unwrap();
    assert_branches("AutoNormal", &auto);
}

#[model]
fn at_times() {
    let x = sample(Normal(0, 1));
    if x.value() > 0.0 {
        let w = sample(Normal(0, 1));
    }
}

#[test]
fn a_site_that_a_draw_lacks_is_missing_there() {
    // With this seed the first recording, which has to meet all sites, meets `w`.
    let fit = svi(standard(), 5).seed(1).run(&at_times()).unwrap();
    let (x, w) = (fit.x(), fit.w());
    assert_eq!(w.len(), 1000);
    assert!(x.iter().zip(w.iter()).all(|(x, w)| w.is_nan() == (*x <= 0.0)));
    assert!(w.iter().any(|w| w.is_nan()));
}

#[test]
fn a_guide_that_branches_has_as_many_draws_as_were_asked_for() {
    let fit = svi(pair_guide(), 1).draws(20).run(&pair()).unwrap();
    assert_eq!(fit.y().shape(), [1, 20]);
    let error = fit.predict(&pair(), 21).err().unwrap().to_string();
    assert!(
        error.starts_with("21 predictions by a guide that branches on values, of which 20 draws were made"),
        "{error}"
    );
}

#[test]
#[should_panic(expected = "21 draws of a guide that branches on values, of which 20 were made")]
fn more_draws_of_a_guide_that_branches_than_were_made_panic_with_the_remedy() {
    svi(pair_guide(), 1).draws(20).run(&pair()).unwrap().draws(21);
}

#[test]
fn a_guide_without_branches_has_any_number_of_draws() {
    let fit = svi(standard(), 1).draws(20).run(&scaled(1.0)).unwrap();
    assert_eq!(fit.z().shape(), [1, 20]);
    assert_eq!(fit.draws(50).get("z").unwrap().len(), 50);
}

#[model]
fn reading(y: Obs<Array1<f64>>) {
    let scale = if y[0].value() > 0.0 { 1.0 } else { 2.0 };
    let z = sample(Normal(0, scale));
    observe(y[0], Normal(z, 1));
}

#[test]
fn a_body_that_reads_data_alone_has_any_number_of_draws() {
    let y = array![1.0];
    let fit = svi(standard(), 2).draws(20).run(&reading(&y)).unwrap();
    assert_eq!(fit.draws(50).get("z").unwrap().len(), 50);
}

#[model]
fn families(n: usize) {
    let mut z = sample(Normal(0, 1));
    for t in markov(n) {
        z = sample(Normal(z, 1));
    }
}

#[test]
fn the_sites_of_a_loop_are_read_as_one_array() {
    let fit = svi(standard(), 1).draws(20).run(&families(3)).unwrap();
    assert_eq!(fit.z().shape(), [1, 20, 4]);
}

#[model]
fn levels(is_noncentered: bool, y: Obs<Array1<f64>>) {
    for j in plate(y, batch = 5) {
        let theta = if is_noncentered {
            sample(Normal(0, 4).noncentered())
        } else {
            sample(Normal(0, 4))
        };
        observe(y[j], Normal(theta, 1));
    }
}

fn assert_all_rows<M: Model + Sync>(name: &str, y: &Array1<f64>, again: &M, fit: &Approximation<M::Accessors>) {
    let theta = fit.draws(200);
    assert_eq!(theta.shape("theta").unwrap(), [20], "{name}");
    // The posterior of each row is N(16/17 y, 16/17), the prior's mean is zero; the optimiser leaves a noise of about 0.3.
    let mean = theta.mean("theta").unwrap();
    for (m, y) in mean.iter().zip(y) {
        assert!((m - y * 16.0 / 17.0).abs() < 1.0, "{name}: {m} of {y}");
    }
    // What was fitted is given to predictions, not drawn from the prior.
    let predicted = fit.predict(again, 3).unwrap();
    assert!(predicted.get("theta").is_none(), "{name}");
}

#[test]
fn latents_of_a_subsampled_plate_are_kept_for_all_rows() {
    let y = Array1::from_iter((0..20).map(|i| 0.5 * i as f64 - 5.0));
    for is_noncentered in [true, false] {
        let model = levels(is_noncentered, &y);
        let name = format!("noncentered: {is_noncentered}");
        let auto = svi(AutoNormal::default(), 1000).run(&model).unwrap();
        assert_all_rows(&format!("AutoNormal, {name}"), &y, &model, &auto);
        let point = Svi::new(AutoDelta::default(), Adam::new(0.05))
            .steps(600)
            .run(&model)
            .unwrap();
        assert_all_rows(&format!("AutoDelta, {name}"), &y, &model, &point);
    }
}

#[model]
fn spread(y: Obs<Array1<f64>>) {
    let tau = sample(HalfNormal(1));
    let theta = sample(Normal(0, tau).noncentered());
    for i in plate(y) {
        observe(y[i], Normal(theta, 1));
    }
}

#[test]
fn the_point_of_a_noncentered_site_is_the_mode_of_its_standardised_form() {
    let guide = AutoDelta {
        point: Initial::Value(0.5),
    };
    let y = array![2.0];
    let fit = Svi::new(guide, Adam::new(0.02)).steps(2000).run(&spread(&y)).unwrap();
    // −τ²/2 − z²/2 − (2 − τ z)²/2 is greatest at τ = z = 1.
    let z = &fit.params().iter().find(|(name, _)| name == "theta.point").unwrap().1;
    for (name, got) in [("z", z[[]]), ("tau", fit.tau()[[0, 0]]), ("theta", fit.theta()[[0, 0]])] {
        assert!((got - 1.0).abs() < 1e-3, "{name} = {got}");
    }
}

#[model]
fn scaled(weight: f64) {
    let z = sample(Normal(0, 1).scale(weight));
}

#[guide(scaled)]
fn scaled_guide(weight: f64) {
    let z = sample(Normal(param(0.0), param(1.0, Positive)).scale(weight));
}

/// Returns the losses by both estimators.
fn losses<M: Model + Sync>(guide: impl posterior::core::inference::svi::GuideFor<M>, model: &M) -> [Vec<f64>; 2] {
    let run = |svi: &Svi<_, Adam>| svi.run(model).unwrap().losses().to_vec();
    let sampled = svi(guide, 5);
    let first = run(&sampled);
    [first, run(&sampled.estimator(ElboEstimator::AnalyticKl))]
}

#[test]
fn both_estimators_are_of_one_bound_under_scales_and_masks() {
    let half = |model: f64, guide: f64| losses(scaled_guide(guide), &scaled(model));
    let [sampled, analytic] = half(1.0, 1.0);
    assert_ne!(
        sampled, analytic,
        "without scales the divergence is taken in closed form"
    );
    let cases = [
        ("model", half(0.5, 1.0)),
        ("guide", half(1.0, 0.5)),
        ("AutoNormal", losses(standard(), &scaled(0.5))),
        ("handler", losses(standard(), &scaled(1.0).scale(|s| s.z(), 0.5))),
        ("mask", losses(standard(), &scaled(1.0).mask(|s| s.z(), 0.0))),
    ];
    for (name, [sampled, analytic]) in cases {
        assert_eq!(sampled, analytic, "{name}");
    }
}

#[test]
fn the_closed_divergence_reaches_the_optimum_of_a_scaled_bound() {
    let variance = |model: f64, guide: f64| {
        let run = svi(scaled_guide(guide), 1000).estimator(ElboEstimator::AnalyticKl);
        let z = run.run(&scaled(model)).unwrap().draws(4000);
        z.get("z").unwrap().iter().map(|z| z * z).sum::<f64>() / 4000.0
    };
    // E[w log p − v log q] is greatest at variance v / w; the standard error of the draws is 2 %.
    for (model, guide) in [(0.5, 1.0), (1.0, 0.5)] {
        let (got, wanted) = (variance(model, guide), guide / model);
        assert!((got / wanted - 1.0).abs() < 0.15, "w = {model}, v = {guide}: {got}");
    }
}

#[model]
fn spread_by_param(y: Obs<Array1<f64>>, branches: bool) {
    let mu = sample(Normal(0, 1));
    let s = param(1.0, Positive);
    let shift = if branches && mu.value() > 100.0 { 1.0 } else { 0.0 };
    for i in plate(y) {
        observe(y[i], Normal(mu + shift, s));
    }
}

#[guide(spread_by_param)]
fn spread_by_param_guide() {
    let s = param(0.1, Positive);
    let mu = sample(Normal(param(0.0), s));
}

/// Returns the standard deviation of all predictions of `y`.
fn predicted_spread<G: GuideFor<M> + Sync, M: Model + Sync, N: Model + Sync>(guide: G, model: &M, new: &N) -> f64 {
    let fit = Svi::new(guide, Adam::new(0.05)).steps(800).run(model).unwrap();
    let answers = fit.predict(new, 100).unwrap();
    answers.get("y").unwrap().std(0.0)
}

#[test]
fn predictions_use_the_fitted_parameters_of_the_model() {
    let y = Array1::from_iter((0..40).map(|i| if i % 2 == 0 { 5.0 } else { -5.0 }));
    for branches in [false, true] {
        let model = spread_by_param(&y, branches);
        let new = spread_by_param(Obs::missing_like(&[40]), branches);
        // 4000 draws: the standard error is 0.06, and the mean has a spread of 0.6.
        let sd = predicted_spread(AutoNormal::default(), &model, &new);
        assert!((sd - 5.0).abs() < 0.5, "branches {branches}: {sd}");
        let sd = predicted_spread(spread_by_param_guide(), &model, &new);
        assert!((sd - 5.0).abs() < 0.5, "guide, branches {branches}: {sd}");
    }
}

#[model]
fn param_of_each_row(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    for i in plate(y) {
        let a = param(0.0);
        observe(y[i], Normal(mu + a, 1));
    }
}

#[test]
fn a_parameter_fitted_for_other_rows_is_an_error() {
    let y = array![1.0, 2.0, 3.0];
    let fit = svi(AutoNormal::default(), 5).run(&param_of_each_row(&y)).unwrap();
    let error = fit
        .predict(&param_of_each_row(Obs::missing_like(&[2])), 3)
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("site a") && error.contains("it was fitted with the shape [3], here it has [2]"),
        "{error}"
    );
}

#[model]
fn empirical_bayes(y: Obs<Array1<f64>>) {
    let mu = param(0.0);
    let tau = param(1.0, Positive);
    for i in plate(y) {
        let t = sample(Normal(mu, tau));
        observe(y[i], Normal(t, 1));
    }
}

#[model]
fn without_params(y: Obs<Array1<f64>>) {
    for i in plate(y) {
        let t = sample(Normal(0, 1));
        observe(y[i], Normal(t, 1));
    }
}

#[test]
fn fitted_parameters_predict_other_rows_and_are_read_in_their_domain() {
    // The marginal distribution is N(mu, 1 + tau²).
    let y = Array1::from_iter((0..60).map(|i| 7.0 + 3.0 * (1.0 + 2.0 * (i % 3) as f64 - 3.0)));
    let (mean, variance) = (y.mean().unwrap(), y.var(0.0));
    let fit = Svi::new(AutoNormal::default(), Adam::new(0.05))
        .steps(1500)
        .particles(4);
    let fit = fit.run(&empirical_bayes(&y)).unwrap();
    let (mu, tau) = (fit.param("mu").unwrap()[[]], fit.param("tau").unwrap()[[]]);
    assert!((mu - mean).abs() < 0.3, "{mu} against {mean}");
    assert!(
        (tau * tau + 1.0 - variance).abs() < 0.1 * variance,
        "{tau} against {variance}"
    );
    assert!(fit.param("t").is_none());
    let four = empirical_bayes(Obs::missing_like(&[4]));
    let new = fit.new_rows(|s| s.t()).predict(&four, 1000).unwrap();
    let sd = new.get("y").unwrap().std(0.0);
    assert!((sd * sd - variance).abs() < 0.15 * variance, "{sd}");
    // The latents of other rows were drawn, and are among the predictions.
    assert_eq!(new.get("t").unwrap().shape(), [1, 1000, 4]);
}

#[model]
fn weights() {
    for i in plate(2) {
        let w = param(array![0.2, 0.3, 0.5], Simplex);
    }
    let z = sample(Normal(0, 1));
}

#[test]
fn parameters_of_rows_are_read_row_by_row() {
    let fit = svi(AutoNormal::default(), 1).run(&weights()).unwrap();
    let w = fit.param("w").unwrap();
    assert_eq!(w.shape(), [2, 3]);
    for row in w.rows() {
        assert!((row.sum() - 1.0).abs() < 1e-12 && (row[2] - 0.5).abs() < 1e-9, "{row}");
    }
}

#[test]
fn predictions_that_would_not_depend_on_the_fit_are_an_error() {
    let y = array![1.0, 2.0, 3.0];
    let fit = svi(AutoNormal::default(), 5).run(&without_params(&y)).unwrap();
    let new = without_params(Obs::missing_like(&[2]));
    let error = fit.new_rows(|s| s.t()).predict(&new, 3).err().unwrap().to_string();
    let want = "all latents of model without_params that were drawn are drawn anew: t; predictions would not depend on the fit";
    assert!(error.contains(want), "{error}");
    let mh = Mh::default().warmup(50).draws(20).run(&without_params(&y)).unwrap();
    let error = mh.new_rows(|s| s.t()).predict(&new).err().unwrap().to_string();
    assert!(error.contains(want), "{error}");
}

#[model]
fn in_batches(x: &Array1<f64>, y: Obs<Array1<f64>>) {
    let w = sample(Normal(0, 1));
    for i in plate(x, batch = 3) {
        observe(y[i], Normal(w * x[i], 1));
    }
}

#[test]
fn predictions_of_fewer_rows_than_a_batch_are_made() {
    let (x, y) = (array![1.0, 2.0, 3.0, 4.0], array![1.0, 2.0, 3.0, 4.0]);
    let fit = svi(AutoNormal::default(), 5).run(&in_batches(&x, &y)).unwrap();
    let new = array![1.0, 2.0];
    let got = fit.predict(&in_batches(&new, Obs::missing()), 7).unwrap();
    assert_eq!(got.get("y").unwrap().shape(), [1, 7, 2]);
    assert!(svi(AutoNormal::default(), 5).run(&in_batches(&new, &new)).is_err());
    let mh = Mh::default().warmup(50).draws(7).run(&in_batches(&x, &y)).unwrap();
    let got = mh.predict(&in_batches(&new, Obs::missing())).unwrap();
    assert_eq!(got.get("y").unwrap().shape(), [4, 7, 2]);
}
