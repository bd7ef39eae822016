//! The modelling language: what compiles, which sites it meets in which order, and what it returns.

use std::sync::Arc;

use ndarray::{ArrayViewD, arr0};
use posterior::core::error::Error;
use posterior::core::rng::Key;
use posterior::core::runtime::context::Ctx;
use posterior::core::runtime::data::{Data, DataVisitor};
use posterior::core::runtime::recording::Recorder;
use posterior::core::runtime::site::Site;
use posterior::core::runtime::sites::{DrawsBySite, SiteNames, SiteValues};
use posterior::core::runtime::stop::Res;
use posterior::core::tape::store::Precision;
use posterior::prelude::*;

mod submodels;

/// Runs a model on draws from its prior and returns the addresses of its sites in order.
fn sites(model: &impl Model) -> Vec<String> {
    let recording = Recorder::prior(Precision::F64, Key::new(3)).record(model);
    recording.map_or_else(
        |error| vec![error.to_string()],
        |r| r.sites.iter().map(|s| s.address.clone()).collect(),
    )
}

/// Runs a model whose first error is wanted.
fn error_of(model: &impl Model) -> Option<Error> {
    Recorder::prior(Precision::F64, Key::new(3)).record(model).err()
}

#[model]
fn schools(sigma: &Array1<f64>, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 5));
    let tau = sample(HalfCauchy(5));
    let theta = for j in plate(sigma) {
        let theta = sample(Normal(mu, tau));
        observe(y[j], Normal(theta, sigma[j]));
        theta
    };
    track(total, theta.sum());
}

#[guide(schools)]
fn mean_field(sigma: &Array1<f64>) {
    let mu = sample(Normal(param(0.0), param(1.0, Positive)));
    let tau = sample(LogNormal(param(0.0), param(1.0, Positive)));
    for j in plate(sigma) {
        let theta = sample(Normal(param(0.0), param(1.0, Positive)));
    }
}

#[test]
fn sites_are_named_after_bindings_and_data() {
    let sigma = array![1.0, 2.0];
    assert_eq!(sites(&schools(&sigma, &sigma)), ["mu", "tau", "theta", "y", "total"]);
    assert_eq!(sites(&schools(&sigma, None)), ["mu", "tau", "theta", "y", "total"]);
    assert_eq!(
        sites(&schools(sigma.view(), Obs::missing())),
        ["mu", "tau", "theta", "y", "total"]
    );
}

#[test]
fn params_are_named_after_the_site_in_whose_distribution_they_stand() {
    let recording = Recorder::density(Precision::F64, Key::new(3)).record(&mean_field(&array![1.0, 2.0]));
    let params: Vec<String> = recording
        .map(|r| {
            r.slots
                .iter()
                .filter(|s| s.is_param)
                .map(|s| s.name.to_string())
                .collect()
        })
        .unwrap_or_default();
    assert_eq!(params, ["mu.0", "mu.1", "tau.0", "tau.1", "theta.0", "theta.1"]);
}

#[test]
fn a_model_can_be_shared_between_threads() {
    fn shared<T: Model + Send + Sync>(model: T) -> &'static str {
        std::thread::scope(|scope| scope.spawn(|| model.name()).join().unwrap_or("panicked"))
    }
    let sigma = array![1.0];
    assert_eq!(shared(schools(&sigma, &sigma)), "schools");
    assert_eq!(shared(mean_field(&sigma)), "mean_field");
}

#[test]
fn a_guide_knows_its_model() {
    fn fits<M: Model, G: Guide<Target = M::Names>>(_: &M, guide: &G) -> &'static str {
        guide.name()
    }
    let sigma = array![1.0];
    assert_eq!(fits(&schools(&sigma, &sigma), &mean_field(&sigma)), "mean_field");
}

#[model]
fn walk(p: f64, y: Obs<f64>) {
    let mut x = Var::from(0.0);
    let mut steps = 0;
    while sample("go", Bernoulli::probs(p)).is_true() && steps < 2 {
        let step = sample(Normal(0, 1));
        x += step;
        steps += 1;
    }
    observe(y, Normal(x, 0.1));
}

#[model]
fn chain(n: usize) {
    let mut z = sample(Normal(0, 1));
    for _ in 0..n {
        z = sample(Normal(z, 1));
        'inner: loop {
            let w = sample(Normal(z, 1));
            if n > 0 {
                break 'inner;
            }
            factor(w);
        }
    }
    for v in [1.0, 2.0] {
        sample("last", Normal(v, 1));
    }
}

#[test]
fn sites_in_loops_are_numbered() {
    assert_eq!(
        sites(&walk(1.0, 2.0)),
        ["go[0]", "step[0]", "go[1]", "step[1]", "go[2]", "y"]
    );
    assert_eq!(sites(&walk(0.0, 2.0)), ["go[0]", "y"]);
    assert_eq!(
        sites(&chain(2)),
        ["z", "z[0]", "w[0][0]", "z[1]", "w[1][0]", "last[0]", "last[1]"]
    );
}

#[model]
fn drawn_ranges() {
    for k in 0..sample("n", Delta(2.0)).index() {
        let w = sample(Normal(k as f64, 1));
        for _ in 0..sample("m", Delta(1.0)).index() {}
    }
    for v in (0..2).map(|k| sample("lazy", Normal(k as f64, 1))) {
        sample("next", Normal(v, 1));
    }
    let mut left = Some(1);
    while let Some(k) = left.filter(|_| sample("on", Bernoulli::probs(1)).is_true()) {
        left = (k > 0).then(|| k - 1);
    }
    for t in plate(sample("rows", Delta(2.0)).index()).each() {
        sample("e", Normal(t as f64, 1));
    }
}

#[test]
fn what_a_range_draws_stands_before_its_loop() {
    let names = sites(&drawn_ranges());
    let counted = "n w[0] m[0] w[1] m[1] lazy[0] next[0] lazy[1] next[1] on[0] on[1] rows e[0] e[1]";
    assert_eq!(names.join(" "), counted);
}

#[model]
fn stepwise(y: Obs<Array1<f64>>, weights: Vec<f64>) {
    let phi = sample(Normal(0, 1));
    for t in plate(y).each() {
        if t > 0 {
            observe(y[t], Normal(phi * y[t - 1], weights[t]));
        }
    }
}

#[test]
fn each_binds_a_number_and_really_loops() {
    assert_eq!(
        sites(&stepwise(&array![1.0, 2.0, 3.0], vec![1.0; 3])),
        ["phi", "y[1]", "y[2]"]
    );
}

#[model]
fn lifetimes<'a, 'b>(x: &'a Array1<f64>, y: &'b Array1<f64>, k: usize)
where
    'a: 'b,
{
    if k > 0 {
        sample("a", Normal(0, 1))
    }
    for i in plate(x) {
        sample("b", Normal(x[i], 1))
    }
    for j in plate(y) {
        sample("c", Normal(y[j], 1))
    }
}

#[test]
fn the_value_of_a_word_at_the_end_of_a_block_without_value_is_dropped() {
    assert_eq!(sites(&lifetimes(&array![1.0], &array![1.0], 0)), ["b", "c"]);
    assert_eq!(sites(&lifetimes(&array![1.0], &array![1.0], 1)), ["a", "b", "c"]);
}

#[model]
fn with_attributes<'data, 'tape>(
    #[cfg(any())] x: &Array1<bool>,
    #[cfg(not(miri))] x: &'data Array1<f64>,
    #[cfg(any())] missing: NoSuchType,
    #[expect(unused_variables)] k: usize,
    #[cfg(not(miri))] y: Obs<Array1<f64>>,
) -> Var
where
    'data: 'tape,
{
    let mu = sample(Normal(0, 1));
    for i in plate(x) {
        observe(y[i], Normal(mu, x[i]));
    }
    mu
}

#[test]
fn arguments_keep_their_attributes_and_lifetimes_their_names() {
    let x = array![1.0];
    assert_eq!(sites(&with_attributes(&x, 3, &x)), ["mu", "y"]);
}

#[model]
fn branches(flag: bool, k: usize) {
    let w = if flag {
        sample(Normal(0, 1))
    } else {
        sample(Normal(5, 1))
    };
    let v = match k {
        0 => sample(HalfNormal(1)),
        1 => {
            let v = sample(HalfNormal(2));
            v * 2.0
        }
        _ => Var::from(1.0),
    };
    sample("y", Normal(w, v), obs = 0.5);
}

#[test]
fn exclusive_arms_share_a_name() {
    assert_eq!(sites(&branches(true, 0)), ["w", "v", "y"]);
    assert_eq!(sites(&branches(false, 1)), ["w", "v", "y"]);
    assert_eq!(sites(&branches(false, 2)), ["w", "y"]);
}

/// Ways that end take their sites along: each path meets `w` once.
#[model]
fn early_ends(k: Option<usize>, n: usize) -> Var {
    let Some(k) = k else {
        let w = sample(Normal(0, 1));
        return w;
    };
    if k == 0 {
        let w = sample(Normal(0, 2));
        return w;
    } else if k == 1 {
        let w = sample(Normal(0, 3));
        return w * 2.0;
    }
    let shift = match k {
        2 => {
            let w = sample(Normal(0, 4));
            return w;
        }
        3 => return sample("w", Normal(0, 5)),
        4 => 'shift: {
            if n == 0 {
                break 'shift sample("v", Normal(0, 1));
            }
            let v = sample(Normal(0, 2));
            v
        }
        5 => panic!("no {}", sample("w", Normal(0, 1)).value()),
        _ => Var::from(1.0),
    };
    for i in 0..n {
        if i == 1 {
            let u = sample(Normal(shift, 1));
            continue;
        }
        let u = sample(Normal(shift, 2));
    }
    let w = sample(Normal(shift, 6));
    w
}

#[test]
fn what_ends_early_is_on_no_path_with_what_follows() {
    let names = |k, n| sites(&early_ends(k, n)).join(" ");
    for k in [None, Some(0), Some(1), Some(2), Some(3)] {
        assert_eq!(names(k, 2), "w", "{k:?}");
    }
    assert_eq!(names(Some(4), 0), "v w");
    assert_eq!(names(Some(4), 2), "v u[0] u[1] w");
    assert_eq!(names(Some(6), 1), "u[0] w");
}

#[test]
fn a_model_can_stand_in_a_function() {
    struct Config(f64);

    impl Clone for Config {
        fn clone(&self) -> Self {
            Config(self.0)
        }
    }

    #[model]
    fn local(config: Config) {
        let a = sample(Normal(config.0, 1));
    }

    #[guide(local)]
    fn family() {
        let a = sample(Normal(0, 1));
    }

    assert_eq!(sites(&local(Config(1.0))), ["a"]);
    assert_eq!(sites(&family()), ["a"]);
}

#[model]
fn in_macros(n: usize) {
    let mut pair = vec![sample("a", Normal(0, 1)), sample("b", Normal(0, 1))];
    pair.push(pair[0]);
    assert!(pair.len() == n + 1, "{}", sample("c", Normal(0, 1)).value());
    let text = format!("{value}", value = sample("d", Normal(0, 1)).value());
    assert!(text.parse::<f64>().is_ok());
}

#[test]
fn words_work_in_macros_of_expressions() {
    assert_eq!(sites(&in_macros(2)), ["a", "b", "d"]);
}

#[model]
fn in_closures(scale: f64, twice: bool) {
    let draw = |x: Var| sample("inner", Normal(x, scale));
    let z = draw(Var::from(1.0));
    let again = if twice { draw(z) } else { z };
    let after = sample(Normal(again, 1));
}

#[test]
fn an_error_in_a_closure_surfaces_at_the_next_word() {
    assert_eq!(sites(&in_closures(1.0, false)), ["inner", "after"]);
    let error = error_of(&in_closures(1.0, true)).map(|error| error.to_string());
    assert!(
        error
            .as_ref()
            .is_some_and(|text| text.starts_with("site inner (tests/language/main.rs:")),
        "{error:?}"
    );
}

#[model]
fn parses(text: String) -> f64 {
    let number: f64 = text.parse()?;
    let a = sample(Normal(number, 1));
    number
}

#[test]
fn errors_of_user_code_end_the_model() {
    assert_eq!(sites(&parses("2.5".to_string())), ["a"]);
    assert_eq!(
        error_of(&parses("x".to_string())),
        Some(Error::User("invalid float literal".to_string()))
    );
}

/// A module of the user's own crate: sampling it gives a module whose parameters are values.
#[derive(Clone)]
struct Layers(usize);

struct RandomLayers(Layers, f64);

fn random_layers(net: Layers, scale: f64) -> RandomLayers {
    RandomLayers(net, scale)
}

struct Network<'t>(Vec<Var<'t>>);

impl<'t> Network<'t> {
    fn forward(&self, x: Var<'t>) -> Var<'t> {
        self.0.iter().fold(x, |x, &w| x * w)
    }
}

impl<'t> Sample<'t> for RandomLayers {
    type Out = Network<'t>;

    fn draw(self, ctx: Ctx<'t>, site: Site) -> Res<Network<'t>> {
        let names = ["0.weight", "1.weight"];
        ctx.submodel(site, |ctx| {
            let draw = |name| ctx.sample(Site { name, ..site }, Normal(0, self.1));
            let weights = names[..self.0.0].iter().map(|name| draw(name));
            Ok(Network(weights.collect::<Res<_>>()?))
        })
    }
}

#[model]
fn network(x: &Array1<f32>, y: Obs<Array1<f64>>, net: Layers) {
    let net = sample(random_layers(net, 1.0));
    for i in plate(x, batch = 2) {
        observe(y[i], Normal(net.forward(x[i]), 1));
    }
}

#[test]
fn a_module_of_another_crate_can_be_sampled() {
    let (x, y) = (array![1.0f32, 2.0, 3.0], array![1.0, 2.0, 3.0]);
    assert_eq!(
        sites(&network(&x, &y, Layers(2))),
        ["net.0.weight", "net.1.weight", "y"]
    );
}

#[test]
fn values_and_names_are_typed_by_the_sites_of_the_model() {
    let values: SiteValues = schools::Values::default().mu(4.0).theta(array![1.0, 2.0]).into();
    let names: SiteNames = schools::Names::default().tau().y().into();
    assert_eq!(values.get("mu").map(|v| v.0.clone()), Some(arr0(4.0).into_dyn()));
    assert_eq!(values.get("theta").map(|v| v.0.shape().to_vec()), Some(vec![2]));
    assert!(names.contains("tau") && names.contains("y") && !names.contains("mu"));
}

#[test]
fn accessors_read_draws_by_name() {
    struct Draws(ArrayD<f64>);
    impl DrawsBySite for Draws {
        fn draws_of(&self, site: &str) -> ArrayViewD<'_, f64> {
            assert_eq!(site, "tau");
            self.0.view()
        }
    }
    let draws: Arc<dyn DrawsBySite> = Arc::new(Draws(array![[1.0, 2.0]].into_dyn()));
    assert_eq!(schools::Accessors::from(draws).tau(), array![[1.0, 2.0]].into_dyn());
}

#[model]
fn dotted() {
    sample("net.0.weight", Normal(0, 1));
    sample("type", Normal(0, 1));
}

#[guide(dotted)]
fn dotted_family() {
    sample("net.0.weight", Normal(0, 1));
    sample("type", Normal(0, 1));
}

#[test]
fn names_that_are_no_identifiers_are_mangled_for_methods() {
    let values: SiteValues = dotted::Values::default().net_0_weight(1.0).r#type(2.0).into();
    assert!(values.get("net.0.weight").is_some() && values.get("type").is_some());
    assert_eq!(sites(&dotted()), ["net.0.weight", "type"]);
    assert_eq!(sites(&dotted_family()), ["net.0.weight", "type"]);
}

#[test]
fn borrowed_arguments_are_visited_in_order() {
    struct Names(Vec<(&'static str, Option<usize>)>);
    impl DataVisitor for Names {
        fn visit(&mut self, argument: &'static str, data: Option<&dyn Data>) {
            self.0.push((argument, data.map(|data| data.shape().iter().product())));
        }
    }
    let mut names = Names(Vec::new());
    schools(&array![1.0, 2.0], None).visit_data(&mut names);
    assert_eq!(names.0, [("sigma", Some(2)), ("y", None)]);
}
