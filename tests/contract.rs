//! The models of the language's contract, as its document writes them: each compiles and meets its sites.

use posterior::core::rng::Key;
use posterior::core::runtime::recording::Recorder;
use posterior::core::tape::store::Precision;
use posterior::prelude::*;

/// Runs a model on draws from its prior and returns the addresses of its sites in order.
fn sites(model: &impl Model) -> Vec<String> {
    let recording = Recorder::prior(Precision::F64, Key::new(3)).record(model);
    recording.map_or_else(
        |error| vec![error.to_string()],
        |r| r.sites.iter().map(|s| s.address.clone()).collect(),
    )
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

#[model]
fn logistic(x: &Array2<f64>, y: Obs<Array1<bool>>) {
    let w = sample(Normal(0, 1).expand([x.ncols()]));
    let b = sample(Normal(0, 10));
    for i in plate(x, batch = 256) {
        observe(y[i], Bernoulli::logits(x[i].dot(w) + b));
    }
}

#[model]
fn radon(floor: &Array1<f64>, county: &Array1<usize>, n_counties: usize, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 10));
    let tau = sample(HalfNormal(1));
    let slope = sample(Normal(0, 10));
    let sigma = sample(HalfNormal(1));
    let alpha = for c in plate(n_counties) {
        sample(Normal(mu, tau).noncentered())
    };
    for i in plate(floor) {
        observe(y[i], Normal(alpha[county[i]] + slope * floor[i], sigma));
    }
}

#[model]
fn random_walk(p: f64, y: Obs<f64>) {
    let mut x = Var::from(0.0);
    while sample("go", Bernoulli::probs(p)).is_true() {
        let step = sample(Normal(0, 1));
        x = x + step;
    }
    observe(y, Normal(x, 0.1));
}

#[guide(eight_schools)]
fn mean_field(sigma: &Array1<f64>) {
    let mu = sample(Normal(param(0.0), param(1.0, Positive)));
    let tau = sample(LogNormal(param(0.0), param(1.0, Positive)));
    for j in plate(sigma) {
        let theta = sample(Normal(param(0.0), param(1.0, Positive)));
    }
}

#[test]
fn models_of_continuous_latents_meet_their_sites() {
    let sigma = array![15.0, 10.0, 16.0];
    assert_eq!(
        sites(&eight_schools(&sigma, &sigma)),
        ["mu", "tau", "theta", "y", "spread"]
    );
    assert_eq!(
        sites(&eight_schools(&sigma, Obs::missing())),
        ["mu", "tau", "theta", "y", "spread"]
    );
    let recording = Recorder::density(Precision::F64, Key::new(3)).record(&mean_field(&sigma));
    let slots: Vec<(String, usize)> = recording
        .map(|r| {
            r.slots
                .iter()
                .map(|s| (s.address.clone(), s.shape.iter().product()))
                .collect()
        })
        .unwrap();
    let expected = [
        ("mu.0", 1),
        ("mu.1", 1),
        ("mu", 1),
        ("tau.0", 1),
        ("tau.1", 1),
        ("tau", 1),
    ];
    assert_eq!(slots[..6], expected.map(|(name, n)| (name.to_string(), n)));
    assert_eq!(
        slots[6..],
        [("theta.0", 3), ("theta.1", 3), ("theta", 3)].map(|(name, n)| (name.to_string(), n))
    );
    let x = Array2::from_shape_fn((300, 2), |(i, j)| (i + j) as f64 / 300.0);
    let y = Array1::from_shape_fn(300, |i| i % 3 == 0);
    assert_eq!(sites(&logistic(&x, &y)), ["w", "b", "y"]);
    let county = array![0usize, 2, 1];
    assert_eq!(
        sites(&radon(&sigma, &county, 3, &sigma)),
        ["mu", "tau", "slope", "sigma", "alpha", "y"]
    );
}

#[test]
fn a_random_walk_numbers_its_steps() {
    let names = sites(&random_walk(0.0, 0.3));
    assert_eq!(names, ["go[0]", "y"]);
    let names = sites(&random_walk(0.7, 0.3));
    let n = names.iter().filter(|name| name.starts_with("step")).count();
    assert_eq!(names.len(), 2 * n + 2);
    assert!((0..n).all(|k| names[2 * k] == format!("go[{k}]") && names[2 * k + 1] == format!("step[{k}]")));
}
