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
fn eight_schools_runs() {
    let sigma = array![15., 10., 16., 11., 9., 11., 10., 18.];
    let y = array![28., 8., -3., 7., -1., 1., 18., 12.];
    let model = eight_schools(&sigma, &y);
    let vi = Svi::new(mean_field(&sigma), Adam::new(0.02))
        .steps(2000)
        .run(&model)
        .unwrap();
    println!("{}", vi.summary());
    let vi = Svi::new(AutoNormal::default(), Adam::new(0.02))
        .steps(2000)
        .run(&model)
        .unwrap();
    println!("{}", vi.summary());
}
