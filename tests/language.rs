//! The modelling language: what compiles, which sites it meets, and what it returns.

use posterior::core::runtime::context::{Ctx, Recorder};
use posterior::core::runtime::site::Site;
use posterior::core::runtime::stop::Res;
use posterior::prelude::*;

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

#[derive(Clone)]
struct Mlp {
    width: usize,
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
        x = x + step;
    }
    observe(y, Normal(x, 0.1));
}

/// A module of the user's own crate: sampling it gives a module whose parameters are values.
struct RandomModule<D>(Mlp, D);

fn random_module<D>(net: Mlp, prior: D) -> RandomModule<D> {
    RandomModule(net, prior)
}

struct Network<'t>(Vec<Var<'t>>);

impl<'t> Network<'t> {
    fn forward(&self, x: Var<'t>) -> Var<'t> {
        self.0.iter().fold(x, |x, &w| x * w)
    }
}

impl<'t, D: Dist<'t> + Clone> Sample<'t> for RandomModule<D> {
    type Out = Network<'t>;

    fn draw(self, ctx: Ctx<'t>, site: Site) -> Res<Network<'t>> {
        let names = ["0.weight", "1.weight"];
        ctx.submodel(site, |ctx| {
            let site = |name| Site { name, ..site };
            let weights = names[..self.0.width]
                .iter()
                .map(|name| ctx.sample(site(name), self.1.clone()));
            Ok(Network(weights.collect::<Res<_>>()?))
        })
    }
}

#[guide(eight_schools)]
fn mean_field(sigma: &Array1<f64>) {
    let mu = sample(Normal(param(0.0), param(1.0, Positive)));
    let tau = sample(LogNormal(param(0.0), param(1.0, Positive)));
    for j in plate(sigma) {
        let theta = sample(Normal(param(0.0), param(1.0, Positive)));
    }
}

fn sites(model: impl Model) -> Vec<String> {
    let recorder = Recorder::new();
    model
        .run(recorder.ctx())
        .map(|_| recorder.names())
        .unwrap_or_else(|stop| vec![stop.into_error().to_string()])
}

#[test]
fn sites_are_named_after_bindings_and_data() {
    let sigma = array![1.0, 2.0];
    assert_eq!(
        sites(eight_schools(&sigma, &sigma)),
        ["mu", "tau", "j", "theta", "y", "spread"]
    );
    assert_eq!(
        sites(mean_field(&sigma)),
        [
            "mu.0", "mu.1", "mu", "tau.0", "tau.1", "tau", "j", "theta.0", "theta.1", "theta"
        ]
    );
}

#[test]
fn a_random_module_is_drawn_with_the_binding_as_prefix() {
    let x = Array2::<f32>::zeros((3, 1));
    let names = sites(bnn(&x, Obs::missing(), Mlp { width: 2 }));
    assert_eq!(names, ["net.0.weight", "net.1.weight", "i", "y"]);
}

#[test]
fn sites_in_loops_are_numbered() {
    let recorder = Recorder::new();
    recorder.truths.replace(vec![0.0, 0.0, 0.0, 0.5, 1.0, 0.5, 1.0, 0.0]);
    assert!(random_walk(0.5, Obs::missing()).run(recorder.ctx()).is_ok());
    assert_eq!(recorder.names(), ["go[0]", "step[0]", "go[1]", "step[1]", "go[2]", "y"]);
    assert_eq!(
        sites(hmm(&array![1.0, 2.0], 2)),
        ["trans", "emit", "z", "z[0]", "y[0]", "z[1]", "y[1]"]
    );
}
