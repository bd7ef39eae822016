//! Networks in models: the sites of a random module, its density, and a Bayesian network fitted to images.

use ndarray::{ArrayViewD, Axis, Ix1, Ix2};
use posterior::core::inference::svi::guides::{Initial, ScaleLink};
use posterior::core::rng::Key;
use posterior::core::runtime::recording::{Recorder, Recording};
use posterior::core::runtime::state::SiteKind;
use posterior::nn::data::{DataSet, Glyphs};
use posterior::prelude::*;

#[model]
fn bnn(x: &Array2<f32>, y: Obs<Array1<usize>>, net: Mlp) {
    let net = sample(random_module(net, Normal(0, 1)));
    for i in plate(x, batch = 128) {
        observe(y[i], Categorical::logits(net.forward(x[i])));
    }
}

#[guide(bnn)]
fn mean_field(net: Mlp) {
    sample("net", mean_field_module(net));
}

/// Two branches that are added, to be wired by hand.
#[derive(Clone, Debug, Module)]
struct TwoBranches<P = Parameter> {
    left: Linear<P>,
    right: Sequential<(Linear<P>, Activation, Linear<P>)>,
    gains: [P; 2],
    activation: Activation,
}

impl<'t> Forward<'t> for TwoBranches<Var<'t>> {
    fn forward(&self, x: Var<'t>) -> Var<'t> {
        let left = self.activation.forward(self.left.forward(x));
        left * self.gains[0] + self.right.forward(x) * self.gains[1]
    }
}

#[model]
fn branches(x: &Array2<f64>, y: Obs<Array1<f64>>, net: TwoBranches) {
    let by_name = Priors::new(Normal(0, 1)).with("gains", HalfNormal(1));
    let net = sample(random_module(net, by_name));
    for i in plate(x) {
        observe(y[i], Normal(net.forward(x[i])[0], 0.5));
    }
}

#[model]
fn least_squares(x: &Array2<f64>, y: Obs<Array1<f64>>, net: Linear) {
    let bias = sample(Normal(0, 1));
    let net = sample(param_module(net));
    for i in plate(x) {
        observe(y[i], Normal(net.forward(x[i])[0] + bias, 0.5));
    }
}

fn recorder() -> Recorder {
    Recorder::density(Precision::F64, Key::new(1))
}

fn record(model: &impl Model) -> Recording {
    recorder().record(model).expect("the model runs")
}

fn digits(n: usize, seed: u64) -> DataSet {
    Glyphs::digits().generate(n, seed)
}

fn values(recording: &Recording, site: &str) -> ArrayD<f64> {
    let (values, shape) = recording.values_of(recording.site(site).expect("the site is met"));
    ArrayD::from_shape_vec(shape, values).expect("as many values as the shape says")
}

/// Returns the logits of a relu network [n, 10] for images, from its four parameters.
fn logits(images: &Array2<f64>, parameters: [ArrayViewD<'_, f64>; 4]) -> Array2<f64> {
    let [w0, b0, w1, b1] = parameters;
    let matrix = |w: ArrayViewD<'_, f64>| w.into_dimensionality::<Ix2>().expect("a matrix").to_owned();
    let vector = |b: ArrayViewD<'_, f64>| b.into_dimensionality::<Ix1>().expect("a vector").to_owned();
    let hidden = (images.dot(&matrix(w0)) + vector(b0)).mapv(|x| x.max(0.0));
    hidden.dot(&matrix(w1)) + vector(b1)
}

const PARAMETERS: [&str; 4] = ["net.0.weight", "net.0.bias", "net.1.weight", "net.1.bias"];

#[test]
fn a_random_module_has_a_site_for_each_parameter() {
    let data = digits(130, 1);
    let net = Mlp::new(&[784, 4, 10], Activation::Relu);
    let recording = record(&bnn(&data.images, &data.labels, net));
    let sites: Vec<_> = recording.sites.iter().map(|s| s.address.as_str()).collect();
    assert_eq!(sites[..4], PARAMETERS);
    assert_eq!(sites[4..], ["y"]);
    assert_eq!(recording.n_inputs(), 784 * 4 + 4 + 4 * 10 + 10);
}

#[test]
fn the_log_density_is_that_of_a_hand_written_network() {
    let data = digits(160, 2);
    let net = Mlp::new(&[784, 5, 10], Activation::Relu);
    let model = bnn(&data.images, &data.labels, net);
    let plate = record(&model).subsamples[0].address.clone();
    let rows: Vec<usize> = (0..128).map(|i| (7 * i + 3) % 160).collect();
    let recorder = recorder().with_rows([(plate, rows.clone())].into());
    let recording = recorder.record(&model).expect("the model runs");

    let parameters = PARAMETERS.map(|name| values(&recording, name));
    let log_normal = |x: &f64| -0.5 * x * x - 0.5 * (2.0 * std::f64::consts::PI).ln();
    let prior: f64 = parameters.iter().flat_map(|p| p.iter().map(log_normal)).sum();
    let (images, labels) = data.batch(&rows);
    let logits = logits(&images.mapv(f64::from), parameters.each_ref().map(|p| p.view()));
    let likelihood = logits.outer_iter().zip(&labels).map(|(row, &label)| {
        let largest = row.fold(f64::NEG_INFINITY, |m, &x| m.max(x));
        row[label] - largest - row.mapv(|x| (x - largest).exp()).sum().ln()
    });
    let expected = prior + 160.0 / 128.0 * likelihood.sum::<f64>();
    let found = recording.tape.log_density();
    assert!(
        (found - expected).abs() < 1e-12 * expected.abs(),
        "{found}, by hand {expected}"
    );
}

fn two_branches() -> TwoBranches {
    TwoBranches {
        left: Linear::new(3, 1),
        right: Sequential((Linear::new(3, 2), Activation::Tanh, Linear::new(2, 1))),
        gains: [(); 2].map(|()| Parameter::new([], Initialiser::Constant(1.0))),
        activation: Activation::Silu,
    }
}

const NORMAL_PARTS: [&str; 6] = [
    "left.weight",
    "left.bias",
    "right.0.weight",
    "right.0.bias",
    "right.2.weight",
    "right.2.bias",
];

#[test]
fn a_derived_module_names_its_parts_by_field_and_number() {
    let x = array![[0.5, -1.0, 2.0], [1.0, 0.25, -0.5]];
    let recording = record(&branches(&x, &array![0.5, 1.5], two_branches()));
    let sites: Vec<_> = recording
        .sites
        .iter()
        .map(|s| (s.address.as_str(), s.distribution))
        .collect();
    for (site, part) in sites.iter().zip(NORMAL_PARTS) {
        assert_eq!(*site, (format!("net.{part}").as_str(), "Normal"));
    }
    assert_eq!(
        sites[6..],
        [
            ("net.gains.0", "HalfNormal"),
            ("net.gains.1", "HalfNormal"),
            ("y", "Normal")
        ]
    );
}

#[test]
fn a_derived_module_has_the_density_of_its_parts() {
    let x = array![[0.5, -1.0, 2.0], [1.0, 0.25, -0.5]];
    let recording = record(&branches(&x, &array![0.5, 1.5], two_branches()));
    let [w, b, w0, b0, w2, b2] = NORMAL_PARTS.map(|part| values(&recording, &format!("net.{part}")));
    let gains = [0, 1].map(|i| values(&recording, &format!("net.gains.{i}")).sum());
    let dot = |row: ndarray::ArrayView1<'_, f64>, w: &ArrayD<f64>, j: usize| {
        row.iter().enumerate().map(|(i, x)| x * w[[i, j]]).sum::<f64>()
    };
    let forward = |row: ndarray::ArrayView1<'_, f64>| {
        let left = dot(row, &w, 0) + b[0];
        let hidden = (0..2).map(|j| (dot(row, &w0, j) + b0[j]).tanh() * w2[[j, 0]]);
        gains[0] * left / (1.0 + (-left).exp()) + gains[1] * (hidden.sum::<f64>() + b2[0])
    };
    let log_normal = |x: f64, loc: f64, scale: f64| {
        -0.5 * ((x - loc) / scale).powi(2) - (scale * (2.0 * std::f64::consts::PI).sqrt()).ln()
    };
    let likelihood = x
        .outer_iter()
        .zip([0.5, 1.5])
        .map(|(row, y)| log_normal(y, forward(row), 0.5));
    let normals = [&w, &b, &w0, &b0, &w2, &b2].into_iter().flatten();
    let prior = normals.map(|&x| log_normal(x, 0.0, 1.0)).sum::<f64>();
    // The gains are exponentials of the inputs, whose log-determinant is their logarithm.
    let half_normals = gains.map(|g| log_normal(g, 0.0, 1.0) + 2f64.ln() + g.ln());
    let expected = prior + half_normals.iter().sum::<f64>() + likelihood.sum::<f64>();
    let found = recording.tape.log_density();
    assert!(
        (found - expected).abs() < 1e-12 * expected.abs(),
        "{found}, by hand {expected}"
    );
}

#[test]
fn a_param_module_is_learnt_with_the_posterior_of_the_rest() {
    let x = array![[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [-1.0, 2.0]];
    let y = x.dot(&array![2.0, -1.0]);
    let model = least_squares(&x, &y, Linear::new(2, 1));
    let kinds: Vec<_> = record(&model)
        .sites
        .iter()
        .map(|s| (s.address.clone(), s.kind))
        .collect();
    assert_eq!(kinds[1], ("net.weight".to_string(), SiteKind::Param));
    assert_eq!(kinds[2], ("net.bias".to_string(), SiteKind::Param));
    let fit = Svi::new(AutoDelta::default(), Adam::new(0.05))
        .steps(1500)
        .run(&model)
        .expect("the fit runs");
    let weight = &fit
        .params()
        .iter()
        .find(|(name, _)| name == "net.weight")
        .expect("it is learnt")
        .1;
    assert!(
        (weight[[0, 0]] - 2.0).abs() < 1e-3 && (weight[[1, 0]] + 1.0).abs() < 1e-3,
        "{weight}"
    );
}

#[test]
fn a_mean_field_guide_covers_the_random_module() {
    let data = digits(128, 3);
    let net = Mlp::new(&[784, 2, 10], Activation::Tanh);
    let model = bnn(&data.images, &data.labels, net.clone());
    let svi = Svi::new(mean_field(net), Adam::new(0.05)).steps(100);
    let fit = svi.run(&model).expect("the fit runs");
    let names: Vec<_> = fit.params().iter().map(|(name, _)| name.as_str()).collect();
    let expected = PARAMETERS.map(|name| [format!("{name}.loc"), format!("{name}.raw_scale")]);
    assert_eq!(names, expected.concat());
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let (first, last) = (mean(&fit.losses()[..10]), mean(&fit.losses()[90..]));
    assert!(last < 0.8 * first, "the loss goes from {first} to {last}");
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without optimisation")]
fn a_bayesian_network_learns_the_digits() {
    let (train, test) = (digits(3000, 1), digits(500, 2));
    let net = Mlp::new(&[784, 32, 10], Activation::Relu);
    let model = bnn(&train.images, &train.labels, net.clone());
    let automatic = AutoNormal {
        loc: Initial::Normal(0.1),
        raw_scale: Initial::Value(-3.0),
        link: ScaleLink::Softplus,
    };
    let svi = Svi::new(automatic, Adam::new(0.01))
        .precision(Precision::F32)
        .steps(1500);
    let fit = svi.run(&model).expect("the fit runs");
    let draws = fit.draws(10);
    let mut mean = ArrayD::<f64>::zeros(vec![500, 10]);
    for k in 0..10 {
        let weights = |name: &str| {
            let site = draws.get(&format!("net.{name}"))?;
            Some(site.index_axis_move(Axis(0), 0).index_axis_move(Axis(0), k))
        };
        mean += &evaluate(&net, weights, &test.images, Precision::F32).expect("the weights fit");
    }
    let mean = mean.into_dimensionality::<Ix2>().expect("images by classes");
    let largest =
        |row: ndarray::ArrayView1<'_, f64>| (0..10).max_by(|&a, &b| row[a].total_cmp(&row[b])).expect("ten classes");
    let hits = mean
        .outer_iter()
        .zip(&test.labels)
        .filter(|(row, label)| largest(row.view()) == **label);
    let accuracy = hits.count() as f64 / 500.0;
    assert!(accuracy > 0.9, "the accuracy is {accuracy}");
}
