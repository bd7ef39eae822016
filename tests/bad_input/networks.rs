//! Networks, priors by name, data sets, batches and probabilities.

use ndarray::{Array3, ArrayViewD, array as nd};
use posterior::core::rng::Key;
use posterior::nn::calibration::{Calibration, ClassIntervals};
use posterior::nn::data::{Batches, DataSet, Glyphs, LastBatch};
use posterior::prelude::*;

use crate::table::{ALL, Table};

const NAN: f32 = f32::NAN;

#[model]
fn classifier(x: &Array2<f64>, y: Obs<Array1<usize>>, net: Mlp) {
    let net = sample(random_module(net, Normal(0, 1)));
    for i in plate(x) {
        observe(y[i], Categorical::logits(net.forward(x[i])));
    }
}

#[model]
fn by_name(x: &Array2<f64>, net: Mlp, pattern: String) {
    let net = sample(random_module(
        net,
        Priors::new(Normal(0, 1)).with(&pattern, Normal(0, 2)),
    ));
    factor(net.forward(x[0]).sum());
}

#[model]
fn simplex_weights(net: Mlp) {
    let net = sample(random_module(net, Dirichlet([1.0, 1.0, 1.0])));
}

fn set(images: Array2<f32>, labels: Array1<usize>, n_classes: usize) -> Result<DataSet, posterior::nn::DataError> {
    DataSet::new(images, labels, n_classes, [1, 2])
}

#[rustfmt::skip]
#[test]
fn networks_name_the_layer_and_the_parameter() {
    let mut t = Table::default();
    let net = || Mlp::new(&[3, 2], Activation::Relu);
    let words = ["linear (", "layer `0`", "[2] and [3, 2]"];
    let x = Array2::zeros((4, 2));
    let y = nd![0, 1, 0, 1];
    t.model("inputs of another width", ALL, &words, &classifier(&x, &y, net()));
    let x = Array2::zeros((4, 3));
    let words = ["site y (tests/bad_input/networks.rs:", "Categorical value[2] = 2"];
    t.model("a class that the network has not", crate::table::SCORED, &words, &classifier(&x, &nd![0, 1, 2, 1], net()));
    let words = ["`y` has 3 rows", "plate `i` has 4"];
    t.model("fewer classes than inputs", ALL, &words, &classifier(&x, &nd![0, 1, 0], net()));
    let words = ["site net (tests/bad_input/networks.rs:", "no.such"];
    t.model("a prior of no parameter", ALL, &words, &by_name(&x, net(), "no.such".to_string()));
    let words = [
        "site net.0.weight (tests/bad_input/networks.rs:",
        "Dirichlet",
        "[3]",
        "[3, 2]",
    ];
    t.model("a prior over vectors", ALL, &words, &simplex_weights(net()));

    let empty = |_: &str| None::<ArrayViewD<f64>>;
    let words = ["parameter 0.weight", "there are no weights"];
    t.call("a network without weights", &words, || evaluate(&net(), empty, &x, Precision::F64));
    let wrong = nd![[1.0, 2.0]].into_dyn();
    let weights = |_: &str| Some(wrong.view());
    let words = ["parameter 0.weight", "[1, 2]", "[3, 2]"];
    t.call("weights of another shape", &words, || evaluate(&net(), weights, &x, Precision::F64));
    let (w, b) = (Array2::<f64>::ones((3, 2)).into_dyn(), nd![0.0, 0.0].into_dyn());
    let weights = |name: &str| Some(if name.ends_with("weight") { w.view() } else { b.view() });
    let narrow = Array2::<f64>::ones((4, 2));
    let words = ["linear (", "[3, 2]"];
    t.call("inputs of another width for given weights", &words, || evaluate(&net(), weights, &narrow, Precision::F32));
    for (name, widths) in [
        ("no width", &[][..]),
        ("one width", &[4]),
        ("a width of zero", &[4, 0, 2]),
    ] {
        let words = ["cannot have the widths", "inputs, hidden units and outputs"];
        t.misuse(name, &words, || Mlp::new(widths, Activation::Relu));
    }
    t.finish();
}

#[test]
fn data_sets_name_row_and_value() {
    let mut t = Table::default();
    let images = nd![[0.1, 0.2], [0.3, 0.4]];
    let labels = nd![0, 1];
    t.call("no images", &["images", "empty", "[0, 2]"], || {
        set(Array2::zeros((0, 2)), nd![], 2)
    });
    t.call("images of no pixels", &["empty", "[2, 0]"], || {
        set(Array2::zeros((2, 0)), labels.clone(), 2)
    });
    t.call("more images than labels", &["2 images", "1 labels"], || {
        set(images.clone(), nd![0], 2)
    });
    t.call("a label that is no class", &["row 1", "is 2", "below 2"], || {
        set(images.clone(), nd![0, 2], 2)
    });
    t.call("labels of no classes", &["row 0", "below 0"], || {
        set(images.clone(), labels.clone(), 0)
    });
    t.call("a pixel of NaN", &["image 1", "NaN", "pixel 0"], || {
        set(nd![[0.1, 0.2], [NAN, 0.4]], labels.clone(), 2)
    });
    t.call("a pixel of infinity", &["image 0", "inf", "pixel 1"], || {
        set(nd![[0.1, f32::INFINITY], [0.0, 0.4]], labels.clone(), 2)
    });
    t.call("images of another size", &["3 x 3", "2 values"], || {
        DataSet::new(images.clone(), labels.clone(), 2, [3, 3])
    });
    t.call("images of an overflowing size", &["does not fill a row of 2"], || {
        DataSet::new(images.clone(), labels.clone(), 2, [usize::MAX, 2])
    });
    let words = ["cannot be taken from 5 rows", "0 rows"];
    t.call("batches of none", &words, || {
        Batches::new(5, 0, LastBatch::Drop, Key::new(1))
    });
    t.call("batches of more than all", &["a batch of 6 rows", "5 rows"], || {
        Batches::new(5, 6, LastBatch::Drop, Key::new(1))
    });
    t.call("batches of nothing", &["cannot be taken from 0 rows"], || {
        Batches::new(0, 1, LastBatch::Keep, Key::new(1))
    });
    t.misuse("a data set of no images", &["0 images", "one at least"], || {
        Glyphs::digits().generate(0, 1)
    });
    t.finish();
}

#[test]
fn probabilities_name_index_and_value() {
    let mut t = Table::default();
    let score = |probs: Array2<f64>, labels: Array1<usize>| Calibration::of(probs.view(), labels.view());
    t.call("no probabilities", &["empty"], || score(Array2::zeros((0, 2)), nd![]));
    t.call("a probability above one", &["[0, 1]", "1.5", "between 0 and 1"], || {
        score(nd![[0.0, 1.5]], nd![0])
    });
    t.call("a negative probability", &["[0, 0]", "-0.5"], || {
        score(nd![[-0.5, 1.5]], nd![0])
    });
    t.call("a probability of NaN", &["[0, 0]", "NaN"], || {
        score(nd![[f64::NAN, 1.0]], nd![0])
    });
    t.call("probabilities off by their sum", &["[0]", "sum to 0.9"], || {
        score(nd![[0.5, 0.4]], nd![0])
    });
    t.call("a label of no probability", &["row 0", "is 2", "below 2"], || {
        score(nd![[0.5, 0.5]], nd![2])
    });
    t.call("more probabilities than labels", &["2 images", "1 labels"], || {
        score(nd![[0.5, 0.5], [0.5, 0.5]], nd![0])
    });
    let none = Array3::<f64>::zeros((0, 1, 2));
    t.call("intervals of no samples", &["empty", "[0, 1, 2]"], || {
        ClassIntervals::of(none.view(), 0.9)
    });
    let bad = Array3::<f64>::from_elem((1, 1, 2), 0.7);
    t.call(
        "intervals of samples off by their sum",
        &["[0, 0]", "sum to 1.4"],
        || ClassIntervals::of(bad.view(), 0.9),
    );
    let good = Array3::<f64>::from_elem((1, 1, 2), 0.5);
    for mass in [-0.1, 1.1, f64::NAN] {
        t.misuse(
            "the mass of an interval",
            &["cannot hold the mass", "between 0 and 1"],
            || ClassIntervals::of(good.view(), mass),
        );
    }
    t.finish();
}
