//! The log density that samplers see has the gradient that it says: replayed, and recorded anew.

#[path = "models/compare.rs"]
mod compare;
mod models;

use compare::assert_same;
use models::{Check, every, labels, normals};
use posterior::core::error::Place;
use posterior::core::inference::potential::{Evaluator, Potential};
use posterior::core::log_density::LogDensity;
use posterior::core::rng::Key;
use posterior::core::runtime::arguments_key::ArgumentsKey;
use posterior::core::runtime::context::Ctx;
use posterior::core::runtime::data::DataVisitor;
use posterior::core::runtime::stop::Res;
use posterior::prelude::*;

/// A model that reads a value, so that no program is replayed.
struct Anew<'m, M>(&'m M);

impl<M: Model> Model for Anew<'_, M> {
    type Out<'t>
        = M::Out<'t>
    where
        Self: 't;
    type Values = M::Values;
    type Names = M::Names;
    type Accessors = M::Accessors;

    fn run<'t>(&'t self, ctx: Ctx<'t>) -> Res<M::Out<'t>> {
        ctx.tape().taint(Place::here());
        self.0.run(ctx)
    }

    fn visit_data(&self, visitor: &mut dyn DataVisitor) {
        self.0.visit_data(visitor);
    }

    fn hash_arguments(&self, key: &mut ArgumentsKey) {
        self.0.hash_arguments(key);
    }

    fn name(&self) -> &'static str {
        self.0.name()
    }
}

#[model]
fn coin(flips: Obs<Array1<bool>>) {
    let p = sample(Beta(1, 1));
    for i in plate(flips) {
        observe(flips[i], Bernoulli::probs(p));
    }
}

#[model]
fn line(x: &Array1<f64>, y: Obs<Array1<f64>>) {
    let intercept = sample(Normal(0, 10));
    let slope = sample(Normal(0, 10));
    let sigma = sample(HalfNormal(5));
    for i in plate(x) {
        observe(y[i], Normal(intercept + slope * x[i], sigma));
    }
}

#[model]
fn bayesian_mlp(images: &Array2<f64>, labels: Obs<Array1<usize>>, net: Mlp) {
    let net = sample(random_module(net, Normal(0, 1)));
    for i in plate(images) {
        observe(labels[i], Categorical::logits(net.forward(images[i])));
    }
}

#[model]
fn mixture(y: Obs<Array1<f64>>) {
    let w = sample(Dirichlet([1.0, 2.0]));
    let mu = sample(Normal(0, 3).expand([2]));
    for i in plate(y) {
        let z = sample(Categorical::probs(w));
        observe(y[i], Normal(mu[z], 1));
    }
}

/// A count that the mean depends on smoothly, which makes it no coordinate to differentiate by.
#[model]
fn times(y: Obs<Array1<f64>>) {
    let n = sample(Poisson(3));
    let mu = sample(Normal(0, 1));
    for i in plate(y) {
        observe(y[i], Normal(mu * (n + 1), 2));
    }
}

/// The density takes another form where the latent is positive.
#[model]
fn bent(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    let scale = sample(HalfNormal(1));
    let level = if mu > 0.0 { mu.square() } else { mu * 2 };
    for i in plate(y) {
        observe(y[i], Normal(level, scale));
    }
}

/// Two points of a potential: the start of a chain, and one elsewhere with the same discrete latents.
fn points(potential: &Potential) -> [Vec<f64>; 2] {
    let start = potential.start(Key::new(3)).expect("a start").position().to_vec();
    let mut elsewhere = start.clone();
    let shifts = normals(11, start.len());
    for (slot, _) in potential
        .slots()
        .iter()
        .zip(potential.discrete())
        .filter(|(_, kind)| kind.is_none())
    {
        let n: usize = slot.shape.iter().product();
        (slot.offset..slot.offset + n).for_each(|k| elsewhere[k] = 0.6 * elsewhere[k] + 0.3 * shifts[k]);
    }
    [start, elsewhere]
}

/// Checks value against value, and gradient against central differences along each coordinate and some directions.
fn check_gradient(name: &str, potential: &Potential, density: &mut Evaluator, x: &[f64]) -> (f64, Vec<f64>) {
    let dim = density.dim();
    let mut gradient = vec![f64::NAN; dim];
    let value = density.value_and_gradient(x, &mut gradient).expect(name);
    let alone = density.value(x).expect(name);
    assert!(
        (value - alone).abs() <= 1e-12 * value.abs().max(1.0),
        "{name}: {value} and {alone}"
    );

    let mut is_discrete = vec![false; dim];
    for slot in potential.slots().iter().filter(|slot| slot.is_discrete) {
        let n: usize = slot.shape.iter().product();
        is_discrete[slot.offset..slot.offset + n].fill(true);
    }
    let coordinate = |k: usize| (0..dim).map(|i| f64::from(i == k)).collect::<Vec<_>>();
    let random = |seed: u64| normals(seed, dim);
    let directions = (0..dim.min(30)).map(coordinate).chain((20..24).map(random));
    for (number, mut direction) in directions.enumerate() {
        for k in (0..dim).filter(|&k| is_discrete[k]) {
            assert_eq!(
                gradient[k], 0.0,
                "{name}: the derivative by the discrete coordinate {k}"
            );
            direction[k] = 0.0;
        }
        let h = 1e-5;
        let mut at = |step: f64| {
            let moved: Vec<f64> = x.iter().zip(&direction).map(|(x, d)| x + step * d).collect();
            density.value(&moved).expect(name)
        };
        // Richardson's combination of two central differences: the error is of order h⁴.
        let [wide, narrow] = [2.0 * h, h].map(|h| (at(h) - at(-h)) / (2.0 * h));
        let expected = (4.0 * narrow - wide) / 3.0;
        let got: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
        let scale = 1.0 + value.abs() + expected.abs();
        assert!(
            (got - expected).abs() < 2e-8 * scale,
            "{name}, direction {number}: {got} for {expected}"
        );
    }
    assert!(
        gradient.iter().any(|d| d.abs() > 1e-3),
        "{name}: the gradient says nothing"
    );
    (value, gradient)
}

/// Checks the density of a model in both engines.
struct Gradients;

impl Check for Gradients {
    fn check<M: Model + Sync>(&mut self, name: &'static str, model: &M) {
        let anew = Anew(model);
        let replayed = Potential::new(model, Key::new(1)).expect(name);
        let recorded = Potential::new(&anew, Key::new(1)).expect(name);
        assert!(replayed.is_replayed() && !recorded.is_replayed(), "{name}");
        assert_eq!(replayed.dim(), recorded.dim(), "{name}");
        for x in points(&replayed) {
            let by_replay = check_gradient(name, &replayed, &mut replayed.evaluator(), &x);
            let by_record = check_gradient(name, &recorded, &mut recorded.evaluator(), &x);
            assert_same(name, (by_replay.0, &by_replay.1), (by_record.0, &by_record.1));
        }
    }
}

#[test]
fn every_density_has_the_gradient_of_central_differences_replayed_and_recorded_anew() {
    every(&mut Gradients);
}

#[test]
fn the_densities_of_the_examples_have_their_gradients() {
    let flips = array![true, true, false, true];
    Gradients.check("coin", &coin(&flips));
    let x = Array1::from(normals(1, 12));
    let y = Array1::from(normals(2, 12));
    Gradients.check("linear regression", &line(&x, &y));
    let images = Array2::from_shape_vec((6, 4), normals(3, 24)).expect("24 numbers");
    let net = Mlp::new(&[4, 3, 2], Activation::Tanh);
    Gradients.check("bayesian network", &bayesian_mlp(&images, &labels(4, 6, 2), net));
}

#[test]
fn derivatives_by_discrete_latents_are_zero_and_the_others_right() {
    let y = Array1::from(normals(5, 7));
    let model = mixture(&y);
    let potential = Potential::new(&model, Key::new(1)).expect("a mixture");
    assert_eq!(potential.discrete().iter().filter(|kind| kind.is_some()).count(), 1);
    Gradients.check("mixture", &model);
    let model = times(&y);
    let potential = Potential::new(&model, Key::new(1)).expect("a count");
    assert_eq!(potential.discrete().iter().filter(|kind| kind.is_some()).count(), 1);
    Gradients.check("times", &model);
}

#[test]
fn a_model_that_reads_a_latent_has_the_gradient_of_the_branch_that_it_takes() {
    let y = Array1::from(normals(6, 5));
    let model = bent(&y);
    let potential = Potential::new(&model, Key::new(1)).expect("a bent model");
    assert!(!potential.is_replayed());
    let mut slopes = Vec::new();
    for mu in [0.7, -0.7] {
        let (_, gradient) = check_gradient("bent", &potential, &mut potential.evaluator(), &[mu, 0.2]);
        slopes.push(gradient[0]);
    }
    assert!((slopes[0] + slopes[1]).abs() > 0.1, "the branches differ: {slopes:?}");
}
