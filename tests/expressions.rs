//! Expressions in models: what stands beside a value, and what it gives against the same formula in plain Rust.

use ndarray::{Array1, Array2, array};
use posterior::core::inference::predictive::Prior;
use posterior::core::rng::Key;
use posterior::core::runtime::handlers::trace;
use posterior::core::runtime::recording::{Recorder, Recording};
use posterior::core::runtime::state::Held;
use posterior::prelude::*;

/// Runs a model at draws from its prior and returns what it tracked or drew under these names.
fn values<const N: usize>(model: &impl Model, names: [&str; N]) -> [Vec<f64>; N] {
    let recording = Recorder::prior(Precision::F64, Key::new(3))
        .record(model)
        .unwrap_or_else(|e| panic!("{e}"));
    names.map(|name| {
        let site = recording.sites.iter().find(|site| site.address == name);
        match site.unwrap_or_else(|| panic!("there is no site {name}")).stored {
            Held::Constant(value) => vec![value],
            Held::Node(node) => {
                let records = recording.tape.records();
                let node = &records.nodes[node as usize];
                records.store.to_vec(node.offset as usize, node.len as usize)
            }
        }
    })
}

/// Returns the error that a model ends with.
fn error(model: &impl Model) -> String {
    let recording = Recorder::prior(Precision::F64, Key::new(3)).record(model);
    recording.map_or_else(|e| e.to_string(), |_| "no error".to_string())
}

fn assert_close(got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len());
    for (g, w) in got.iter().zip(want) {
        assert!((g - w).abs() <= 1e-14 * w.abs().max(1.0), "{got:?} and {want:?}");
    }
}

#[model]
fn updates(x: &Array1<f64>, k: usize) {
    let b = sample(Normal(0, 1));
    let mut v = Var::from(1);
    for _ in 0..k {
        v += b * x;
        v -= 1;
        v *= 0.5f32;
        v /= b;
        v += array![1.0, 2.0];
        v += &array![3, 4];
    }
    track(v, v);
}

#[test]
fn assignments_with_an_operation_are_the_operation() {
    let x = array![0.25, -2.0];
    let [b, got] = values(&updates(&x, 2), ["b", "v"]);
    let step = |v: Array1<f64>| ((v + &x * b[0]) - 1.0) * 0.5 / b[0] + array![4.0, 6.0];
    assert_close(&got, step(step(array![1.0, 1.0])).as_slice().unwrap_or_default());
}

#[model]
fn sums(n: usize) {
    let x = sample(Normal(0, 1).expand([n]));
    let parts: Vec<Var> = (0..n).map(|i| x[i]).collect();
    track("sum", parts.iter().map(|part| part * 2 - 1).sum::<Var>());
    track("product", parts.iter().product::<Var>());
    track(
        "weighted",
        (0..n).map(|i| x[i] * i).sum::<Var>() + parts.iter().sum::<Var>(),
    );
    track(
        "none",
        parts.iter().take(0).product::<Var>() - Vec::<Var>::new().into_iter().sum::<Var>(),
    );
}

#[test]
fn iterators_over_values_have_sums_and_products() {
    let [x, sum, product, weighted, none] = values(&sums(4), ["x", "sum", "product", "weighted", "none"]);
    assert_close(&sum, &[x.iter().map(|x| 2.0 * x - 1.0).sum()]);
    assert_close(&product, &[x.iter().product()]);
    assert_close(
        &weighted,
        &[x.iter().enumerate().map(|(i, x)| x * (i + 1) as f64).sum()],
    );
    assert_eq!(none, [1.0]);
}

#[model]
fn own_arrays(n: usize, counts: Vec<u32>, on: Array1<bool>) {
    let sigma = sample(HalfNormal(1));
    let cov = sigma * Array2::eye(n) + 0.5 + array![[0.0, 1.0], [2.0, 3.0]];
    track("cov", cov);
    track(
        "left",
        Array2::eye(n) * sigma - array![1.0, 2.0].view() / sigma + &array![1, 2] * sigma + ones(n) / n * sigma,
    );
    track(
        "lists",
        sigma * [1, 2] + stack(counts_of(sigma, &counts)) * 0.5f32 * (1, 2.5) - &on,
    );
    track("masks", sigma.gt(&array![0, 100]) & &on | !sigma.le(Array1::zeros(n)));
    track("chosen", where_(&on, Array1::zeros(n), sigma.maximum([100, 0])));
    track(
        "inferred",
        (1 + sigma * sigma).exp() + (2.0 * sigma).ln() - (sigma - 1).sin() / (sigma / 3.0).abs(),
    );
}

fn counts_of<'t>(x: Var<'t>, counts: &[u32]) -> Vec<Var<'t>> {
    counts.iter().map(|n| x * 0.0 + n).collect()
}

#[test]
fn arrays_of_the_models_own_code_take_part() {
    let model = own_arrays(2, vec![3, 5], array![true, false]);
    let [s, cov, left, lists, masks, chosen, inferred] =
        values(&model, ["sigma", "cov", "left", "lists", "masks", "chosen", "inferred"]);
    let s = s[0];
    assert_close(&cov, &[s + 0.5, 1.5, 2.5, s + 3.5]);
    let left_row = |i: usize| -> f64 { -[1.0, 2.0][i] / s + [1.0, 2.0][i] * s + 0.5 * s };
    assert_close(&left, &[s + left_row(0), left_row(1), left_row(0), s + left_row(1)]);
    assert_close(&lists, &[s + 3.0 * 0.5 - 1.0, 2.0 * s + 5.0 * 0.5 * 2.5]);
    assert_eq!(masks, [1.0, 1.0]);
    assert_close(&chosen, &[0.0, s]);
    assert_close(
        &inferred,
        &[(1.0 + s * s).exp() + (2.0 * s).ln() - (s - 1.0).sin() / (s / 3.0).abs()],
    );
}

#[model]
fn mixed(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    let s = sample(Normal((0, mu), [1, 2]));
    track(
        "stacked",
        stack((1, mu, 0.5)) + stack([mu, 2.into(), 3.into()]) + concat((mu, [1.0, 2.0])),
    );
    let w = sample(Dirichlet([1, 1, 1]));
    let v = sample(MultivariateNormal::scale_tril(zeros(2), [[2, 0], [1, 1]]));
    let c = sample(MultivariateNormal::scale_tril((mu, 0), mu.exp() * Array2::eye(2)));
    observe(y, Normal((1.0, mu), 1));
}

#[test]
fn lists_and_tuples_are_vectors_of_numbers_and_values() {
    let [mu, stacked, s, w] = values(&mixed(&array![1.0, 2.0]), ["mu", "stacked", "s", "w"]);
    let mu = mu[0];
    assert_close(&stacked, &[1.0 + mu + mu, mu + 2.0 + 1.0, 0.5 + 3.0 + 2.0]);
    assert_eq!((s.len(), w.len()), (2, 3));

    // What a list holds stands in its order: the densities are those of elements one by one.
    let run = trace(&mixed(&array![1.0, 2.0]), 3).unwrap_or_else(|e| panic!("{e}"));
    let site = |name: &str| run.get(name).expect("a site of the model");
    let drawn = |name: &str| site(name).value.iter().copied().collect::<Vec<f64>>();
    let squares = |z: [f64; 2]| -0.5 * (z[0] * z[0] + z[1] * z[1]) - std::f64::consts::TAU.ln();
    let (mu, s, v, c) = (drawn("mu")[0], drawn("s"), drawn("v"), drawn("c"));
    let want = [
        ("s", squares([s[0], (s[1] - mu) / 2.0]) - 2.0_f64.ln()),
        ("w", 2.0_f64.ln()),
        ("v", squares([v[0] / 2.0, v[1] - v[0] / 2.0]) - 2.0_f64.ln()),
        ("c", squares([(c[0] - mu) / mu.exp(), c[1] / mu.exp()]) - 2.0 * mu),
        ("y", squares([0.0, 2.0 - mu])),
    ];
    for (name, want) in want {
        let got = site(name).log_prob;
        assert!(
            (got - want).abs() < 1e-12 * (1.0 + want.abs()),
            "{name}: {got} for {want}"
        );
    }
}

#[model]
fn plain_numbers() {
    let parts = [1.0, 2.0].map(Var::from);
    let line = stack(parts) * 2 + 1;
    let mu = sample(Normal(line, 1));
}

#[model]
fn clash(n: usize) {
    let mu = sample(Normal(0, 1).expand([2]));
    let sum = Array1::zeros(n) + mu;
    let z = sample(Normal(sum, 1));
}

#[model]
fn ragged() {
    let mu = sample(Normal(0, 1).expand([2]));
    let z = sample(Normal((mu, 1), 1));
}

#[model]
fn ragged_sum() {
    let mu = sample(Normal(0, 1).expand([2]));
    factor([mu, mu * 2, stack((0, mu.sum(), 1))].iter().sum::<Var>().sum());
}

#[model]
fn ragged_beside() {
    let mu = sample(Normal(0, 1).expand([2]));
    factor((mu + (mu, 1)).sum());
}

#[test]
fn what_cannot_be_an_array_is_an_error_with_its_place() {
    let line = line!();
    let at = |back: u32| format!("tests/expressions.rs:{}", line - back);
    let text = error(&plain_numbers());
    let want = "of numbers alone no value of the model is made: write an array, `array![1.0, 2.0]`: [] and []";
    assert_eq!(text, format!("stack ({}): {want}", at(31)));
    let text = error(&clash(3));
    assert_eq!(
        text,
        format!("add ({}): the shapes do not broadcast: [3] and [2]", at(24))
    );
    let text = error(&ragged());
    assert!(
        text.contains("the elements of a list or tuple differ in shape: [2] and []"),
        "{text}"
    );
    let text = error(&ragged_sum());
    assert!(
        text.contains("the sum of an iterator over values: [2] and [3] do not broadcast"),
        "{text}"
    );
    let text = error(&ragged_beside());
    assert_eq!(
        text,
        format!(
            "list ({}): the elements of a list or tuple differ in shape: [2] and []",
            at(5)
        )
    );
}

#[model]
fn parts(x: &Array2<f64>, y: Obs<Array1<f64>>) {
    let s = sample(HalfNormal(1));
    let steps = y[1..].len();
    track("steps", steps);
    track("corner", x[[1, 0]] + x[(0, 1)]);
    track("columns", stack((x[(.., 1)], x[(.., ..1)].sum_axis(1), x.t()[1])));
    track("backwards", x[(.., 0)].rev() + x.rev_axis(1)[1..][0].rev()[0]);
    track("best", x.max_axis(0) - x.min_axis(0) + x.min_axis(1) + x.argmax_axis(0));
    track("place", y[..2].argmax().index());
    track("diagonal", (diag_matrix((s, 2)) + s * eye(2)).diag());
    for i in plate(x) {
        observe("z", x[(i, 0)] - x[[i]][1], Normal(0, s));
    }
    let now = y[1..];
    let before = y[..y.len() - 1];
    for t in plate(now) {
        observe(now[t], Normal(before[t], s));
    }
}

#[test]
fn ranges_and_several_indices_pick_as_on_arrays() {
    let (x, y) = (array![[1.0, 2.0], [5.0, 3.0]], array![0.5, 4.0, 2.0]);
    let model = parts(&x, &y);
    let names = [
        "s",
        "steps",
        "corner",
        "columns",
        "backwards",
        "best",
        "place",
        "diagonal",
    ];
    let [s, steps, corner, columns, backwards, best, place, diagonal] = values(&model, names);
    assert_eq!((steps, corner), (vec![2.0], vec![7.0]));
    assert_eq!(columns, [2.0, 3.0, 1.0, 5.0, 2.0, 3.0]);
    assert_eq!((backwards, best, place), (vec![10.0, 6.0], vec![6.0, 5.0], vec![1.0]));
    assert_eq!(diagonal, [2.0 * s[0], 2.0 + s[0]]);
    let recording = Recorder::density(Precision::F64, Key::new(3))
        .record(&model)
        .expect("a recording");
    let density =
        |x: f64, mean: f64, s: f64| -0.5 * ((x - mean) / s).powi(2) - s.ln() - 0.5 * std::f64::consts::TAU.ln();
    let s = recording.initial[0].exp();
    let data = [(-1.0, 0.0), (2.0, 0.0), (4.0, 0.5), (2.0, 4.0)];
    let likelihood: f64 = data.iter().map(|&(x, mean)| density(x, mean, s)).sum();
    let prior = 2_f64.ln() + density(s, 0.0, 1.0) + s.ln();
    assert!((recording.tape.log_density() - likelihood - prior).abs() < 1e-12);
}

#[model]
fn tail(n: usize, y: Obs<Array1<f64>>) {
    let s = sample(HalfNormal(1));
    let head = observe(y[0], Normal(0, s));
    let rest = y[1..];
    for i in plate("rows", n) {
        observe(rest[i], Normal(head, s));
    }
}

#[model]
fn steps(n: usize, y: Obs<Array1<f64>>) {
    let s = sample(HalfNormal(1));
    observe("y0", y[0], Normal(0, s));
    let rest = y[1..];
    for i in markov(n) {
        observe("y", rest[i], Normal(y[i], s));
    }
    track("seen", stack((y[0], y[n], rest[n - 1], y[1..n][1..][n - 3])));
}

#[test]
fn parts_of_missing_observations_are_drawn_and_read() {
    let [rows, zero] = [tail(3, Obs::missing()), tail(3, Obs::missing_like(&[4]))].map(|m| sites(&m).len());
    assert_eq!((rows, zero), (3, 3));
    for y in [Obs::missing(), Obs::missing_like(&[4])] {
        let [first, second, third, seen] = values(&steps(3, y), ["y0", "y[1]", "y[2]", "seen"]);
        assert_eq!(seen, [first[0], third[0], third[0], second[0]]);
    }
}

#[model]
fn before_and_after(y: Obs<Array1<f64>>) {
    let before = y[..y.len() - 1];
    observe(y[0], Normal(before[0], 1));
}

#[test]
fn a_missing_observation_has_no_length() {
    let text = error(&before_and_after(Obs::missing()));
    assert!(text.starts_with("a missing observation has no length"), "{text}");
}

fn sites(model: &impl Model) -> Vec<String> {
    let recording = Recorder::prior(Precision::F64, Key::new(3)).record(model);
    let recording = recording.unwrap_or_else(|e| panic!("{e}"));
    recording.sites.iter().map(|s| s.address.clone()).collect()
}

#[model]
fn forward(n: usize) {
    let start = sample(Dirichlet([1, 1]));
    let go = sample(Dirichlet([[1, 1], [1, 1]]));
    let mut alpha = start.ln();
    for _ in 0..n {
        alpha = (go.ln() + alpha).log_sum_exp();
    }
    factor(alpha.log_sum_exp());
}

#[test]
fn a_sum_of_exponentials_asks_over_which_axis() {
    let text = error(&forward(2));
    assert!(text.starts_with("log_sum_exp (tests/expressions.rs:"), "{text}");
    assert!(text.contains("Write `log_sum_exp_axis(1)` for the last one"), "{text}");
}

/// The rest of a series, whole or row by row, given the first.
#[model]
fn first_and_rest(y: Obs<Array1<f64>>, is_whole: bool) {
    let mu = sample(Normal(0, 1));
    observe("first", y[0], Normal(mu, 1));
    let later = y.slice(1..);
    if is_whole {
        observe("rest", later, Normal(mu, 2).expand([3]));
    } else {
        for i in plate(later) {
            observe("rest", later[i], Normal(mu, 2));
        }
    }
}

#[test]
fn a_range_of_a_partly_missing_observation_is_partly_missing() {
    let (y, short) = (array![0.5, f64::NAN, 2.0, -1.0], array![0.5, 2.0, -1.0]);
    let log_density = |recorded: posterior::core::error::Result<Recording>| recorded.unwrap().tape.log_density();
    let recorder = Recorder::density(Precision::F64, Key::new(1));
    let want = log_density(recorder.record(&two_scales(&short)));
    for is_whole in [true, false] {
        let model = first_and_rest(Obs::partly(&y), is_whole);
        let got = log_density(recorder.record(&model));
        assert!((got - want).abs() < 1e-12, "{got} and {want}");
        let prior = Prior::default().draws(20).seed(2).run(&model).unwrap();
        let rest = prior.get("rest").unwrap();
        let column = |j: usize| rest.index_axis(ndarray::Axis(2), j);
        assert!(column(1).iter().all(|x| *x == 2.0) && column(2).iter().all(|x| *x == -1.0));
        assert!(column(0).iter().all(|x| x.is_finite()) && column(0)[[0, 0]] != column(0)[[0, 1]]);
    }
}

#[model]
fn two_scales(y: &Array1<f64>) {
    let mu = sample(Normal(0, 1));
    observe("first", y[0], Normal(mu, 1));
    for i in plate(2) {
        observe("rest", y.slice(1..)[i], Normal(mu, 2));
    }
}

#[model]
fn whole_and_part(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    observe(y, Normal(mu, 2).expand([4]));
    track("part", y[1..].sum());
}

#[test]
fn a_range_of_what_was_drawn_is_read_from_the_draw() {
    let y = array![0.5, f64::NAN, 2.0, -1.0];
    for data in [Obs::partly(&y), Obs::missing_like(&[4])] {
        let prior = Prior::default().draws(20).seed(2).run(&whole_and_part(data)).unwrap();
        let (all, part) = (prior.get("y").unwrap(), prior.get("part").unwrap());
        let sums = all
            .slice_axis(ndarray::Axis(2), (1..4).into())
            .sum_axis(ndarray::Axis(2));
        assert!((&sums - &part).iter().all(|d| d.abs() < 1e-14), "{sums} and {part}");
    }
}

/// Reads its data in another form before they are observed.
#[model]
fn read_early(data: Obs<Array1<f64>>, kind: usize) {
    let form = match kind {
        0 => data.reshape(&[2, 2]),
        1 => data.reshape(&[2, 2]).t(),
        2 => data.t(),
        3 => data.rev(),
        4 => data.slice(1..) * 2,
        5 => data.cumsum(),
        6 => data.softmax(),
        7 => data.dot(data),
        8 => data.max(),
        9 => stack([data, data]),
        10 => data.broadcast(&[3, 4]),
        _ => data.log_sum_exp(),
    };
    let z = sample(Normal(form.sum(), 1));
}

#[test]
fn what_is_missing_is_named_where_it_is_read_in_any_form() {
    let y = array![0.5, f64::NAN, 2.0, -1.0];
    let quiet = Mh::default().progress(Progress::Hidden);
    for kind in 0..12 {
        for (data, text) in [
            (Obs::partly(&y), "an element of `data` is missing, and it is read"),
            (Obs::missing_like(&[4]), "`data` is missing, and it is read"),
        ] {
            let model = read_early(data, kind);
            for error in [
                trace(&model, 1).unwrap_err().to_string(),
                quiet.run(&model).err().unwrap().to_string(),
            ] {
                assert_eq!(error, format!("{text} before `observe` has drawn it"), "kind {kind}");
            }
        }
    }
}
