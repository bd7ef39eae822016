//! Shapes that do not go together: of parameters, of data, of values from outside.

use posterior::prelude::*;

use crate::table::{ALL, DRAWN, SCORED, Table};

#[model]
fn two_params(loc: &Array1<f64>, scale: &Array1<f64>) {
    let x = sample(Normal(loc, scale)); // two params
}

#[model]
fn observed_params(loc: &Array1<f64>, scale: &Array1<f64>, y: &Array1<f64>) {
    let mu = sample(Normal(0, 1));
    observe("y", y, Normal(loc + mu, scale));
}

#[model]
fn in_a_plate(x: &Array1<f64>, y: &Array1<f64>) {
    let mu = sample(Normal(0, 1));
    for i in plate(x) {
        observe("y", y[i], Normal(mu * x[i], 1));
    }
}

#[model]
fn matrix_in_a_plate(x: &Array2<f64>, y: &Array1<f64>) {
    let w = sample(Normal(0, 1).expand([3]));
    for i in plate(y) {
        observe("y", y[i], Normal(x[i].dot(w), 1));
    }
}

#[model]
fn multivariate(loc: &Array1<f64>, tril: &Array2<f64>) {
    let x = sample(MultivariateNormal::scale_tril(loc, tril));
}

#[model]
fn multivariate_observed(loc: &Array1<f64>, tril: &Array2<f64>, y: &Array2<f64>) {
    let mu = sample(Normal(0, 1));
    for i in plate(y) {
        observe("y", y[i], MultivariateNormal::scale_tril(loc + mu, tril));
    }
}

#[model]
fn sums(a: &Array2<f64>, b: &Array2<f64>) {
    let mu = sample(Normal(0, 1));
    let c = a + b;
    factor(c.sum() * mu);
}

#[model]
fn products(a: &Array2<f64>, b: &Array2<f64>) {
    let mu = sample(Normal(0, 1));
    factor(a.dot(b).sum() * mu);
}

#[model]
fn solves(a: &Array2<f64>, b: &Array1<f64>) {
    let mu = sample(Normal(0, 1));
    factor(a.solve_lower(b).sum() * mu);
}

#[model]
fn factorises(a: &Array2<f64>) {
    let mu = sample(Normal(0, 1));
    factor(a.cholesky().sum() * mu);
}

#[model]
fn picks(a: &Array1<f64>, k: &Array1<usize>) {
    let mu = sample(Normal(0, 1));
    for i in plate(k) {
        let level = a[k[i]];
        observe("y", level, Normal(mu, 1));
    }
}

#[model]
fn element(a: &Array1<f64>, k: usize) {
    let mu = sample(Normal(a[k], 1));
}

#[model]
fn slices(a: &Array1<f64>, from: usize, to: usize) {
    let mu = sample(Normal(0, 1));
    factor(a.slice(from..to).sum() * mu);
}

#[model]
fn reshapes(a: &Array1<f64>, rows: usize) {
    let mu = sample(Normal(0, 1));
    factor(a.reshape(&[rows, 2]).sum() * mu);
}

#[model]
fn sums_along(a: &Array2<f64>, axis: usize) {
    let mu = sample(Normal(0, 1));
    factor(a.sum_axis(axis).sum() * mu);
}

#[model]
fn permutes(a: &Array2<f64>, axes: Vec<usize>) {
    let mu = sample(Normal(0, 1));
    factor(a.permute(&axes).sum() * mu);
}

#[model]
fn stacks(a: &Array1<f64>, b: &Array1<f64>) {
    let mu = sample(Normal(0, 1));
    factor(stack([a, b]).sum() * mu);
}

#[model]
fn stacks_numbers(a: f64) {
    let line = stack([a, 2.0].map(Var::from));
    let mu = sample(Normal(line, 1));
}

#[model]
fn reads_a_column(y: &Array1<f64>) {
    let mu = sample(Normal(0, 1));
    for i in plate(y) {
        let scale = if y[i] > 0.0 { 1.0 } else { 2.0 };
        observe("y", y[i], Normal(mu, scale));
    }
}

#[model]
fn reads_an_array(y: &Array1<f64>) {
    let mu = sample(Normal(y.value(), 1));
}

#[model]
fn indexed_twice(y: &Array1<f64>) {
    let mu = sample(Normal(0, 1));
    for i in plate(y) {
        let once = y[i];
        observe("y", once[i], Normal(mu, 1));
    }
}

#[model]
fn no_array(y: f64) {
    let x = sample(Normal(0, 1));
    let mu = sample(Normal(x[0], y));
}

#[test]
fn parameters_that_clash_name_the_site_and_both_shapes() {
    let mut t = Table::default();
    let (two, three) = (array![1.0, 2.0], array![1.0, 2.0, 3.0]);
    let site = [
        "site x (tests/bad_input/shapes.rs:9)",
        "Normal",
        "loc: [3]",
        "scale: [2]",
    ];
    t.model("loc and scale of a latent", ALL, &site, &two_params(&three, &two));
    let site = ["site y (tests/bad_input/shapes.rs:", "loc: [3]", "scale: [2]"];
    t.model(
        "loc and scale of an observation",
        ALL,
        &site,
        &observed_params(&three, &two, &three),
    );
    let site = ["site y (tests/bad_input/shapes.rs:", "event shape [2]", "[3]"];
    t.model(
        "an observation shorter than its parameters",
        ALL,
        &site,
        &observed_params(&three, &three, &two),
    );
    let tall = Array2::zeros((3, 2));
    let eye = array![[1.0, 0.0], [0.0, 1.0]];
    let site = ["site x (tests/bad_input/shapes.rs:", "scale_tril: [3, 2]"];
    t.model("a triangle that is not square", ALL, &site, &multivariate(&two, &tall));
    let site = ["site x (tests/bad_input/shapes.rs:", "loc: [3]", "scale_tril: [2, 2]"];
    t.model(
        "a mean longer than its triangle",
        ALL,
        &site,
        &multivariate(&three, &eye),
    );
    let y = Array2::zeros((4, 3));
    let site = ["site y (tests/bad_input/shapes.rs:", "[3]", "[2]"];
    t.model(
        "vectors longer than their distribution",
        ALL,
        &site,
        &multivariate_observed(&two, &eye, &y),
    );
    t.finish();
}

#[test]
fn data_of_other_lengths_name_the_array_and_the_plate() {
    let mut t = Table::default();
    let (two, three) = (array![1.0, 2.0], array![1.0, 2.0, 3.0]);
    let words = ["tests/bad_input/shapes.rs:", "`y` has 2 rows", "plate `i` has 3"];
    t.model("a short column", ALL, &words, &in_a_plate(&three, &two));
    let words = ["tests/bad_input/shapes.rs:", "`y` has 3 rows", "plate `i` has 2"];
    t.model("a long column", ALL, &words, &in_a_plate(&two, &three));
    let words = ["dot (tests/bad_input/shapes.rs:", "[2] and [3]"];
    t.model(
        "rows of another width",
        ALL,
        &words,
        &matrix_in_a_plate(&Array2::zeros((3, 2)), &three),
    );
    let words = ["`x` has 5 rows", "plate `i` has 3"];
    t.model(
        "a matrix of other rows",
        ALL,
        &words,
        &matrix_in_a_plate(&Array2::zeros((5, 3)), &three),
    );
    let words = ["plate i (tests/bad_input/shapes.rs:", "there are no rows"];
    t.model("an empty column", ALL, &words, &in_a_plate(&array![], &array![]));
    let words = ["plate i (tests/bad_input/shapes.rs:", "there are no rows"];
    t.model(
        "an empty matrix",
        ALL,
        &words,
        &matrix_in_a_plate(&Array2::zeros((0, 3)), &array![]),
    );
    let words = ["tests/bad_input/shapes.rs:", "plate `i`", "do not index it again"];
    t.model("a column indexed twice", ALL, &words, &indexed_twice(&three));
    let words = ["tests/bad_input/shapes.rs:", "plate `i`", "whole column", "where_"];
    t.model("a column compared in Rust", ALL, &words, &reads_a_column(&three));
    let words = ["value (tests/bad_input/shapes.rs:", "only a scalar can be read", "[3]"];
    t.model("an array read as a number", ALL, &words, &reads_an_array(&three));
    let words = ["index (tests/bad_input/shapes.rs:", "a scalar has no elements"];
    t.model("an element of a number", ALL, &words, &no_array(1.0));
    t.finish();
}

#[rustfmt::skip]
#[test]
fn operations_name_themselves_their_line_and_the_shapes() {
    let mut t = Table::default();
    let m = |rows, columns| Array2::<f64>::ones((rows, columns));
    let three = array![1.0, 2.0, 3.0];
    let at = |op: &'static str| format!("{op} (tests/bad_input/shapes.rs:");
    t.model("a sum of matrices", ALL, &[&at("add"), "[2, 3] and [3, 2]"], &sums(&m(2, 3), &m(3, 2)));
    t.model("a product of matrices", ALL, &[&at("dot"), "[2, 3] and [2, 3]"], &products(&m(2, 3), &m(2, 3)));
    t.model("a system that is not square", ALL, &[&at("solve_lower"), "[2, 3]"], &solves(&m(2, 3), &three));
    t.model("a system of another size", ALL, &[&at("solve_lower"), "[2, 2] and [3]"], &solves(&m(2, 2), &three));
    t.model("a factor of a matrix that is not square", ALL, &[&at("cholesky"), "[3, 2]"], &factorises(&m(3, 2)));
    let words = ["index (", "element 3 of `a`", "element 1 of `k`", "has 3"];
    t.model("an index one beyond", ALL, &words, &picks(&three, &array![0, 3, 1]));
    let words = ["index (", "element 1.8446744073709552e19 of `a`", "element 0 of `k`"];
    t.model("the largest index", ALL, &words, &picks(&three, &array![usize::MAX, 0]));
    let words = ["index (tests/bad_input/shapes.rs:", "element 3 of `a`", "has 3"];
    t.model("a number one beyond", ALL, &words, &element(&three, 3));
    t.model("the largest number", ALL, &["index (", "of `a`"], &element(&three, usize::MAX));
    t.model("an element of nothing", ALL, &["index (", "element 0 of `a`", "has 0"], &element(&array![], 0));
    t.model("a range beyond", ALL, &[&at("slice"), "1..7", "[3]"], &slices(&three, 1, 7));
    #[allow(clippy::reversed_empty_ranges)]
    t.model("a range from behind", ALL, &[&at("slice"), "2..1"], &slices(&three, 2, 1));
    t.model("another number of elements", ALL, &[&at("reshape"), "[3] and [2, 2]"], &reshapes(&three, 2));
    t.model("a shape that overflows", ALL, &[&at("reshape"), "[3] and ["], &reshapes(&three, usize::MAX));
    t.model("no such axis", ALL, &[&at("sum_axis"), "axis 2", "[2, 3]"], &sums_along(&m(2, 3), 2));
    t.model("the largest axis", ALL, &[&at("sum_axis"), "[2, 3]"], &sums_along(&m(2, 3), usize::MAX));
    t.model("an axis twice", ALL, &[&at("permute"), "[0, 0]"], &permutes(&m(2, 3), vec![0, 0]));
    t.model("too few axes", ALL, &[&at("permute"), "[1]"], &permutes(&m(2, 3), vec![1]));
    t.model("a stack of other lengths", ALL, &[&at("stack"), "[3] and [2]"], &stacks(&three, &array![1.0, 2.0]));
    let words = ["stack (tests/bad_input/shapes.rs:", "of numbers alone no value", "`array![1.0, 2.0]`"];
    t.model("a stack of numbers alone", ALL, &words, &stacks_numbers(1.0));
    t.finish();
}

#[model]
fn expands(sizes: Vec<usize>, y: &Array1<f64>) {
    let mu = sample(Normal(0, 1).expand(&sizes));
    observe("y", y, Normal(mu, 1));
}

#[model]
fn simplex(a: &Array1<f64>, y: &Array1<f64>) {
    let p = sample(Dirichlet(a));
    observe("y", y, Dirichlet(p * 3 + 1));
}

#[model]
fn masked(m: &Array1<f64>, y: &Array1<f64>) {
    let mu = sample(Normal(0, 1));
    observe("y", y, Normal(mu, 1).mask(m));
}

#[model]
fn scaled(s: &Array1<f64>, y: &Array1<f64>) {
    let mu = sample(Normal(0, 1));
    observe("y", y, Normal(mu, 1).scale(s));
}

#[test]
fn modifiers_of_other_shapes_name_the_site() {
    let mut t = Table::default();
    let (two, three) = (array![1.0, 2.0], array![1.0, 2.0, 3.0]);
    let words = ["site y (tests/bad_input/shapes.rs:", "[3]"];
    t.model(
        "an expansion longer than the data",
        ALL,
        &words,
        &expands(vec![4], &three),
    );
    t.model(
        "an expansion of more axes",
        SCORED,
        &words,
        &expands(vec![3, 2], &three),
    );
    t.model(
        "a mask of another length",
        ALL,
        &["site y (tests/bad_input/shapes.rs:", "[2]"],
        &masked(&two, &three),
    );
    t.model(
        "a scale of another length",
        ALL,
        &["site y (tests/bad_input/shapes.rs:", "[2]"],
        &scaled(&two, &three),
    );
    t.model(
        "a simplex of another length",
        DRAWN,
        &["site y (tests/bad_input/shapes.rs:", "[2]"],
        &simplex(&three, &two),
    );
    t.finish();
}
