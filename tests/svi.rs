//! SVI reaches posteriors that its families hold.

use posterior::prelude::*;

#[model]
fn normal_mean(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 2));
    for i in plate(y) {
        observe(y[i], Normal(mu, 1));
    }
}

#[guide(normal_mean)]
fn normal_mean_guide() {
    let mu = sample(Normal(param(0.0), param(1.0, Positive)));
}

#[model]
fn eight_schools(sigma: &Array1<f64>, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 5));
    let tau = sample(HalfCauchy(5));
    let theta = for j in plate(sigma) {
        let theta = sample(Normal(mu, tau).noncentered());
        observe(y[j], Normal(theta, sigma[j]));
        theta
    };
    track(spread, theta.max() - theta.min());
}

#[guide(eight_schools)]
fn mean_field(sigma: &Array1<f64>) {
    let mu = sample(Normal(param(0.0), param(1.0, Positive)));
    let tau = sample(LogNormal(param(0.0), param(1.0, Positive)));
    for j in plate(sigma) {
        let theta = sample(Normal(param(0.0), param(1.0, Positive)));
    }
}

fn moments(draws: ndarray::ArrayViewD<'_, f64>) -> (f64, f64) {
    let n = draws.len() as f64;
    let mean = draws.sum() / n;
    (mean, (draws.mapv(|x| (x - mean).powi(2)).sum() / n).sqrt())
}

#[test]
fn a_guide_that_holds_the_posterior_reaches_it() {
    let y = array![1.2, 0.3, 2.2, 1.7];
    let precision = 1.0 / 4.0 + 4.0;
    let (mean, sd) = (y.sum() / precision, f64::sqrt(1.0 / precision));
    let model = normal_mean(&y);
    let guide = Svi::new(normal_mean_guide(), Adam::new(0.02))
        .steps(3000)
        .particles(8)
        .run(&model)
        .unwrap();
    let auto = Svi::new(AutoNormal::default(), Adam::new(0.02))
        .steps(3000)
        .particles(8)
        .run(&model)
        .unwrap();
    for (name, (m, s)) in [("guide", moments(guide.mu())), ("auto", moments(auto.mu()))] {
        println!("{name}: {m} ± {s}, exact {mean} ± {sd}");
        assert!(
            (m - mean).abs() < 0.06 && (s - sd).abs() < 0.05,
            "{name}: {m} ± {s}, exact {mean} ± {sd}"
        );
    }
}

#[test]
fn the_closed_divergence_leads_to_the_same_posterior() {
    let y = array![1.2, 0.3, 2.2, 1.7];
    let precision = 1.0 / 4.0 + 4.0;
    let (mean, sd) = (y.sum() / precision, f64::sqrt(1.0 / precision));
    let model = normal_mean(&y);
    let analytic = ElboEstimator::AnalyticKl;
    let by_hand = Svi::new(normal_mean_guide(), Adam::new(0.02))
        .estimator(analytic)
        .steps(3000)
        .particles(8);
    let auto = Svi::new(AutoNormal::default(), Adam::new(0.02))
        .estimator(analytic)
        .steps(3000)
        .particles(8);
    let fits = [by_hand.run(&model).unwrap(), auto.run(&model).unwrap()];
    for (m, s) in fits.iter().map(|fit| moments(fit.mu())) {
        assert!(
            (m - mean).abs() < 0.06 && (s - sd).abs() < 0.05,
            "{m} ± {s}, exact {mean} ± {sd}"
        );
    }
    // The divergence is exact, so that only the likelihood is sampled: another loss at the first step.
    let sampled = Svi::new(normal_mean_guide(), Adam::new(0.02))
        .steps(1)
        .run(&model)
        .unwrap();
    let closed = Svi::new(normal_mean_guide(), Adam::new(0.02))
        .estimator(analytic)
        .steps(1)
        .run(&model)
        .unwrap();
    assert_ne!(sampled.losses(), closed.losses());
}

#[test]
fn eight_schools_comes_near_its_reference_posterior() {
    let sigma = array![15., 10., 16., 11., 9., 11., 10., 18.];
    let y = array![28., 8., -3., 7., -1., 1., 18., 12.];
    let model = eight_schools(&sigma, &y);
    let by_hand = Svi::new(mean_field(&sigma), Adam::new(0.02))
        .steps(4000)
        .particles(4)
        .run(&model)
        .unwrap();
    let auto = Svi::new(AutoNormal::default(), Adam::new(0.02))
        .steps(4000)
        .particles(4)
        .run(&model)
        .unwrap();
    // Reference (long Metropolis–Hastings runs): mu 4.5 ± 3.3, theta[0] 6.3 ± 5.6, tau 3.6 ± 3.1.
    for (name, fit) in [("by hand", &by_hand), ("AutoNormal", &auto)] {
        let (mu, _) = moments(fit.mu());
        let (theta, _) = moments(fit.theta().slice_axis(ndarray::Axis(2), (0..1).into()));
        let (tau, _) = moments(fit.tau());
        assert!((mu - 4.5).abs() < 1.2, "{name}: mu {mu}");
        assert!((theta - 6.3).abs() < 2.2, "{name}: theta[0] {theta}");
        assert!(tau > 1.0 && tau < 8.0, "{name}: tau {tau}");
    }
}

#[model]
fn shared_name(y: Obs<Array1<f64>>, is_read: bool) {
    let s = param(1.0, Positive);
    let mu = sample(Normal(0, 2));
    if is_read && mu.value() > 1e9 {
        factor(-1.0);
    }
    for i in plate(y) {
        observe(y[i], Normal(mu, s));
    }
}

#[guide(shared_name)]
fn shared_name_guide() {
    let s = param(0.5, Positive);
    let mu = sample(Normal(param(0.0), s));
}

#[test]
fn params_of_one_name_in_guide_and_model_are_two() {
    let y = array![1.2, 0.3, 5.2, -4.7];
    let run = |is_read: bool| {
        let svi = Svi::new(shared_name_guide(), Adam::new(0.05)).steps(60).particles(2);
        svi.run(&shared_name(&y, is_read)).unwrap()
    };
    let (replayed, recorded) = (run(false), run(true));
    for (((name, a), (same, b)), expected) in
        replayed
            .params()
            .iter()
            .zip(recorded.params())
            .zip(["s", "mu.0", "s (model)"])
    {
        assert_eq!((name.as_str(), same.as_str()), (expected, expected));
        assert!((a[[]] - b[[]]).abs() < 1e-12, "{name}: {a} replayed, {b} recorded");
    }
    let [(_, guide), _, (_, model)] = replayed.params() else {
        unreachable!("there are three")
    };
    let names = ["s", "s (model)", "mu"].map(|name| replayed.param(name).map(|x| x[[]]));
    assert_eq!(names, [Some(guide[[]].exp()), Some(model[[]].exp()), None]);
    // The data are wider than the posterior of their mean.
    assert!(model[[]] - guide[[]] > 1.0, "{model} and {guide}");
    let (_, sd) = moments(recorded.mu());
    assert!((sd / guide[[]].exp() - 1.0).abs() < 0.1, "{sd} and {guide}");
}
