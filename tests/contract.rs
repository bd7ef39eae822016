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
fn bnn(x: &Array2<f32>, y: Obs<Array1<usize>>, net: Mlp) {
    let net = sample(random_module(net, Normal(0, 1)));
    for i in plate(x, batch = 128) {
        observe(y[i], Categorical::logits(net.forward(x[i])));
    }
}

#[model]
fn mixture(y: Obs<Array1<f64>>, k: usize) {
    let w = sample(Dirichlet(ones(k)));
    let mu = sample(Normal(0, 10).expand([k]).ordered());
    let s = sample(HalfNormal(1));
    for i in plate(y) {
        let z = sample(Categorical::probs(w).enumerate());
        observe(y[i], Normal(mu[z], s));
    }
}

#[model]
fn hmm(y: Obs<Array1<f64>>, k: usize) {
    let trans = sample(Dirichlet(ones(k)).expand([k]));
    let emit = sample(Normal(0, 5).expand([k]));
    let mut z = sample(Categorical::probs(ones(k) / k).enumerate());
    for t in markov(y) {
        z = sample(Categorical::probs(trans[z]).enumerate());
        observe(y[t], Normal(emit[z], 1));
    }
}

#[model]
fn random_walk(p: f64, y: Obs<f64>) {
    let mut x = Var::from(0.0);
    while sample("go", Bernoulli::probs(p)).is_true() {
        let step = sample(Normal(0, 1));
        x += step;
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
                .map(|s| (s.name.to_string(), s.shape.iter().product()))
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
fn a_random_network_has_a_site_for_each_parameter() {
    let x = Array2::from_elem((200, 3), 0.5f32);
    let y = Array1::from_shape_fn(200, |i| i % 4);
    let names = sites(&bnn(&x, &y, Mlp::new(&[3, 5, 4], Activation::Relu)));
    assert_eq!(names, ["net.0.weight", "net.0.bias", "net.1.weight", "net.1.bias", "y"]);
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

#[test]
fn enumeration_is_refused_with_its_remedy() {
    let y = array![0.0, 1.0];
    for names in [sites(&mixture(&y, 2)), sites(&hmm(&y, 2))] {
        assert!(names[0].starts_with("site z (tests/contract.rs:"), "{names:?}");
        assert!(names[0].contains("`.enumerate()` is not available yet"), "{names:?}");
    }
}

#[model]
fn ordered_means(k: usize) {
    let mu = sample(Normal(0, 10).expand([k]).ordered());
    observe("gaps", mu[1] - mu[0], HalfNormal(1));
}

#[test]
fn ordered_latents_ascend() {
    let recording = Recorder::prior(Precision::F64, Key::new(5))
        .record(&ordered_means(4))
        .unwrap();
    let (mu, shape) = recording.values_of(recording.site("mu").unwrap());
    assert_eq!(shape, [4]);
    assert!(mu.windows(2).all(|pair| pair[0] < pair[1]), "{mu:?}");
}
