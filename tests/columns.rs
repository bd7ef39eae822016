//! Structs of columns: a model that takes several arrays in one argument is the model that takes them one by one.

use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::ArrayView1;
use posterior::core::runtime::data::DataVisitor;
use posterior::prelude::*;

#[derive(Clone, Data)]
struct Schools {
    sigma: Array1<f64>,
    effect: Obs<Array1<f64>>,
}

#[model]
fn by_struct(d: &Schools) {
    let mu = sample(Normal(0, 5));
    let tau = sample(HalfCauchy(5));
    let theta = for j in plate(d.sigma) {
        let theta = sample(Normal(mu, tau));
        observe(d.effect[j], Normal(theta, d.sigma[j]));
        theta
    };
    track(spread, theta.max() - theta.min());
}

#[model]
fn by_arrays(sigma: &Array1<f64>, effect: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 5));
    let tau = sample(HalfCauchy(5));
    let theta = for j in plate(sigma) {
        let theta = sample(Normal(mu, tau));
        observe(effect[j], Normal(theta, sigma[j]));
        theta
    };
    track(spread, theta.max() - theta.min());
}

fn sigma() -> Array1<f64> {
    array![15., 10., 16., 11., 9., 11., 10., 18.]
}

fn effect() -> Array1<f64> {
    array![28., 8., -3., 7., -1., 1., 18., 12.]
}

fn schools() -> Schools {
    Schools {
        sigma: sigma(),
        effect: effect().into(),
    }
}

/// Returns names, values and log densities of all sites.
fn sites(model: &impl Model) -> Vec<(String, ArrayD<f64>, f64)> {
    let run = trace(model, 7).unwrap();
    run.sites()
        .iter()
        .map(|s| (s.address.clone(), s.value.clone(), s.log_prob))
        .collect()
}

#[test]
fn a_struct_of_columns_is_its_arrays_one_by_one() {
    let found = sites(&by_struct(&schools()));
    assert_eq!(
        found.iter().map(|s| &*s.0).collect::<Vec<_>>(),
        ["mu", "tau", "theta", "effect", "spread"]
    );
    assert_eq!(found, sites(&by_arrays(&sigma(), &effect())));
}

#[test]
fn a_missing_column_is_drawn() {
    let missing = Schools {
        effect: Obs::missing(),
        ..schools()
    };
    assert_eq!(sites(&by_struct(&missing)), sites(&by_arrays(&sigma(), None)));
    let fit = Mh::default()
        .draws(20)
        .warmup(20)
        .chains(1)
        .seed(1)
        .run(&by_struct(&schools()))
        .unwrap();
    let drawn = fit.predict(&by_struct(&missing)).unwrap();
    assert_eq!(
        drawn.get("effect").map(|draws| draws.shape().to_vec()),
        Some(vec![1, 20, 8])
    );
}

#[test]
fn columns_are_visited_by_the_names_of_their_fields() {
    struct Names(Vec<(&'static str, Option<usize>)>);
    impl DataVisitor for Names {
        fn visit(&mut self, column: &'static str, data: Option<&dyn posterior::core::runtime::data::Data>) {
            self.0.push((column, data.map(|data| data.shape().iter().product())));
        }
    }
    let mut names = Names(Vec::new());
    by_struct(&schools()).visit_data(&mut names);
    assert_eq!(names.0, [("sigma", Some(8)), ("effect", Some(8))]);
}

#[model]
fn effects(d: &Schools, tau: Var) -> Var {
    for j in plate(d.sigma) {
        let theta = sample(Normal(0, tau));
        observe(d.effect[j], Normal(theta, d.sigma[j]));
        theta
    }
}

#[model]
fn two_effects(d: &Schools) {
    let tau = sample(HalfNormal(1));
    let all = sample(effects(d, tau));
    let wider = SchoolsColumns {
        sigma: d.sigma * 2.0,
        effect: d.effect,
    };
    let again = sample(effects(wider, tau));
    factor(all.sum() * again.sum());
}

#[model]
fn effects_one_by_one(sigma: &Array1<f64>, effect: Obs<Array1<f64>>, tau: Var) -> Var {
    for j in plate(sigma) {
        let theta = sample(Normal(0, tau));
        observe(effect[j], Normal(theta, sigma[j]));
        theta
    }
}

#[model]
fn two_effects_one_by_one(sigma: &Array1<f64>, effect: Obs<Array1<f64>>) {
    let tau = sample(HalfNormal(1));
    let all = sample(effects_one_by_one(sigma, effect, tau));
    let again = sample(effects_one_by_one(sigma * 2.0, effect, tau));
    factor(all.sum() * again.sum());
}

#[test]
fn columns_are_handed_to_submodels() {
    let found = sites(&two_effects(&schools()));
    assert!(found.iter().any(|site| site.0 == "again.effect"));
    assert_eq!(found, sites(&two_effects_one_by_one(&sigma(), &effect())));
}

/// Columns of every kind: borrowed, generic, of scalars, and what is baked in.
#[derive(Data)]
struct Mixed<'a, T, L: std::hash::Hash> {
    /// A slice.
    x: &'a [T],
    view: ArrayView1<'a, f32>,
    y: Obs<&'a Array1<bool>>,
    shift: f64,
    n_groups: usize,
    is_centred: bool,
    #[data(structure)]
    link: L,
}

#[derive(Clone, Hash)]
enum Link {
    Logit,
    Scaled(u8),
}

fn linked<'t>(d: &MixedColumns<Var<'t>, Link>, eta: Var<'t>) -> Var<'t> {
    match d.link {
        Link::Logit => eta,
        Link::Scaled(k) => eta * f64::from(k),
    }
}

static RUNS: AtomicUsize = AtomicUsize::new(0);

#[model]
fn mixed(d: &Mixed<'_, i16, Link>) {
    RUNS.fetch_add(1, Ordering::Relaxed);
    let level = sample(Normal(d.shift, 1).expand([d.n_groups]));
    let mean = if d.is_centred { level.mean() } else { Var::from(0.0) };
    for i in plate(d.x, total = 40) {
        let eta = level[0] - mean + linked(&d, d.x[i] * d.view[i]);
        observe(d.y[i], Bernoulli::logits(eta));
    }
}

#[model]
fn mixed_one_by_one(x: &[i16], view: ArrayView1<f32>, y: Obs<Array1<bool>>, shift: &f64, k: usize, link: Link) {
    let level = sample(Normal(shift, 1).expand([k]));
    let mean = level.mean();
    for i in plate(x, total = 40) {
        let eta = x[i] * view[i];
        let eta = match link {
            Link::Logit => eta,
            Link::Scaled(k) => eta * k as f64,
        };
        observe(y[i], Bernoulli::logits(level[0] - mean + eta));
    }
}

/// Returns the k-th batch.
fn batch(k: usize) -> (Vec<i16>, Array1<f32>, Array1<bool>) {
    let x: Vec<i16> = (0..10).map(|i| ((i * 7 + k * 3) % 11) as i16 - 5).collect();
    let view = x.iter().map(|&x| f32::from(x) * 0.25 + 0.5).collect();
    let y = x.iter().map(|&x| x > 0).collect();
    (x, view, y)
}

#[test]
fn a_stream_of_structs_is_bound_again_without_recording_and_as_the_arrays_are() {
    let data = batch(0);
    fn columns<'a>(data: &'a (Vec<i16>, Array1<f32>, Array1<bool>), shift: f64, link: Link) -> Mixed<'a, i16, Link> {
        Mixed {
            x: &data.0,
            view: data.1.view(),
            y: Some(&data.2).into(),
            shift,
            n_groups: 3,
            is_centred: true,
            link,
        }
    }
    let svi = Svi::new(AutoNormal::default(), Adam::new(0.05));
    let first = columns(&data, 0.5, Link::Scaled(2));
    let model = mixed(&first);
    let mut by_struct = svi.start(&model).unwrap();
    let (x, view, y) = &data;
    let single = mixed_one_by_one(x, view, y, &0.5, 3, Link::Scaled(2));
    let mut one_by_one = svi.start(&single).unwrap();
    let first_batch = columns(&data, 0.0, Link::Scaled(2));
    let first_batch = mixed(&first_batch);
    let (mut on_one_batch, mut first_again) = (svi.start(&model).unwrap(), Vec::new());
    let (mut got, mut wanted) = (Vec::new(), Vec::new());
    let mut runs = 0;
    for k in 0..12 {
        let (x, view, y) = &batch(k);
        let shift = k as f64 * 0.1;
        let data = (x.clone(), view.clone(), y.clone());
        let loss = by_struct.step_on(&mixed(&columns(&data, shift, Link::Scaled(2))));
        got.push(loss.unwrap().to_bits());
        let loss = one_by_one.step_on(&mixed_one_by_one(x, view, y, &shift, 3, Link::Scaled(2)));
        wanted.push(loss.unwrap().to_bits());
        first_again.push(on_one_batch.step_on(&first_batch).unwrap().to_bits());
        match k {
            3 => runs = RUNS.load(Ordering::Relaxed),
            4.. => assert_eq!(RUNS.load(Ordering::Relaxed), runs, "step {k} recorded the model"),
            _ => {}
        }
    }
    assert_eq!(got, wanted);
    let is_own = |(k, (a, b)): (usize, (&u64, &u64))| (a == b) == (k == 0);
    assert!(
        got.iter().zip(&first_again).enumerate().all(is_own),
        "the first batch alone gives its loss"
    );
    // Another link is another program.
    let data = batch(3);
    let loss = by_struct.step_on(&mixed(&columns(&data, 0.5, Link::Logit))).unwrap();
    assert!(RUNS.load(Ordering::Relaxed) > runs);
    let (x, view, y) = &data;
    let same = one_by_one
        .step_on(&mixed_one_by_one(x, view, y, &0.5, 3, Link::Logit))
        .unwrap();
    assert_eq!(loss.to_bits(), same.to_bits());
}

#[test]
fn a_batch_with_columns_that_do_not_fit_is_an_error() {
    let model = schools();
    let model = by_struct(&model);
    let svi = Svi::new(AutoNormal::default(), Adam::new(0.05));
    let mut state = svi.start(&model).unwrap();
    (0..3).for_each(|_| assert!(state.step_on(&model).is_ok()));
    let short = Schools {
        effect: array![1.0, 2.0].into(),
        ..schools()
    };
    let error = state.step_on(&by_struct(&short)).unwrap_err().to_string();
    assert!(
        error.contains("tests/columns.rs:") && error.contains("`effect` has 2 rows, plate `j` has 8"),
        "{error}"
    );
}

#[model]
fn in_batches(d: &Schools) {
    let mu = sample(Normal(0, 5));
    for j in plate(d.sigma, batch = 3) {
        observe(d.effect[j], Normal(mu, d.sigma[j]));
    }
}

#[guide(by_struct)]
fn mean_field(d: &Schools) {
    let mu = sample(Normal(param(0.0), param(1.0, Positive)));
    let tau = sample(LogNormal(param(0.0), param(1.0, Positive)));
    for j in plate(d.sigma) {
        let theta = sample(Normal(param(0.0), d.sigma[j]));
    }
}

#[guide(by_arrays)]
fn mean_field_by_arrays(sigma: &Array1<f64>) {
    let mu = sample(Normal(param(0.0), param(1.0, Positive)));
    let tau = sample(LogNormal(param(0.0), param(1.0, Positive)));
    for j in plate(sigma) {
        let theta = sample(Normal(param(0.0), sigma[j]));
    }
}

#[test]
fn guides_and_subsampled_plates_take_structs() {
    let (d, sigma, effect) = (schools(), sigma(), effect());
    let got = Svi::new(mean_field(&d), Adam::new(0.05))
        .steps(30)
        .run(&by_struct(&d))
        .unwrap();
    let wanted = Svi::new(mean_field_by_arrays(&sigma), Adam::new(0.05));
    let wanted = wanted.steps(30).run(&by_arrays(&sigma, &effect)).unwrap();
    assert_eq!(got.params(), wanted.params());
    let fit = Svi::new(AutoNormal::default(), Adam::new(0.05))
        .steps(2000)
        .run(&in_batches(&d))
        .unwrap();
    let weights = sigma.mapv(|s: f64| s.powi(-2));
    let mean = (&weights * &effect).sum() / (weights.sum() + 0.04);
    let got = fit.params()[0].1.sum();
    assert!((got - mean).abs() < 1.0, "{got} for {mean}");
}

macro_rules! widths {
    ($($t:ident)*) => {
        /// A model whose data are of one type of number.
        mod widths { $(
            pub mod $t {
                use posterior::prelude::*;

                #[model]
                pub fn counts(x: &Array1<$t>, group: &[$t], y: Obs<[$t]>) {
                    let rate = sample(HalfNormal(1).expand([3]));
                    for i in plate(x) {
                        observe(y[i], Poisson(rate[group[i]] * (1.0 + x[i])));
                    }
                }
            }
        )* }

        #[test]
        fn integers_of_every_width_are_data() {
            $({
                let x = array![1 as $t, 2, 3];
                let (group, y) = (vec![0 as $t, 2, 1], [4 as $t, 0, 2]);
                let wanted = sites(&widths::u32::counts(&array![1, 2, 3], &[0, 2, 1], &[4, 0, 2]));
                assert_eq!(sites(&widths::$t::counts(&x, &group, &y)), wanted, stringify!($t));
                let (x, y) = (x.to_vec(), y.to_vec());
                assert_eq!(sites(&widths::$t::counts(&x, &group[..], &y)), wanted, stringify!($t));
                assert_eq!(sites(&widths::$t::counts(ArrayView1::from(&x), &group, Some(&y[..]))), wanted);
            })*
        }
    };
}

widths!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);
