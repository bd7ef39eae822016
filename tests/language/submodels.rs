//! Models within models, generic models, and what models return.

use posterior::prelude::*;

use super::sites;

#[model]
fn horseshoe(tau: Var, n: usize, x: &Array1<f64>) -> Var {
    if n == 0 {
        return Var::from(0.0);
    }
    let lambda = sample(HalfCauchy(1));
    let z = sample(Normal(0, tau * lambda));
    z * x.sum()
}

#[model]
fn outer(x: &Array1<f64>, y: Obs<f64>) {
    let tau = sample(HalfCauchy(1));
    let a = sample(horseshoe(tau, 1, x));
    let none = sample(horseshoe(2.0, 0, x));
    let b = sample("second", horseshoe(tau, 1, x * 2.0));
    observe(y, Normal(a + b + none, 1));
}

#[test]
fn a_submodel_is_drawn_with_the_binding_as_prefix() {
    let names = sites(&outer(&array![1.0, 2.0], 0.5));
    assert_eq!(names, ["tau", "a.lambda", "a.z", "second.lambda", "second.z", "y"]);
}

trait Link: Clone {
    fn inverse<'t>(&self, x: Var<'t>) -> Var<'t>;
}

#[derive(Clone)]
struct Identity;

impl Link for Identity {
    fn inverse<'t>(&self, x: Var<'t>) -> Var<'t> {
        x
    }
}

#[model]
fn glm<L: Link>(link: L, x: &[f64], noise: impl Into<f64> + Clone, y: Obs<[f64]>) -> (Var, Vec<Var>) {
    let b = sample(Normal(0, 1));
    let s: f64 = noise.into();
    for i in plate(x) {
        observe(y[i], Normal(link.inverse(b * x[i]), s));
    }
    (b, vec![b])
}

#[test]
fn models_can_be_generic() {
    let x = vec![1.0, 2.0, 3.0];
    assert_eq!(sites(&glm(Identity, &x, 1.5f32, &[0.0, 1.0, 2.0])), ["b", "y"]);
}

struct Coefficients<'t> {
    slope: Var<'t>,
    intercepts: Vec<Var<'t>>,
}

struct Moments(f64);

#[model]
fn coefficients(n: usize) -> Coefficients {
    let slope = sample(Normal(0, 1));
    let mut intercepts = Vec::new();
    for _ in 0..n {
        let intercept = sample(Normal(slope, 1));
        intercepts.push(intercept);
    }
    Coefficients { slope, intercepts }
}

#[model]
fn of_every_shape(n: usize) -> (Coefficients<'_>, Option<Var>, [Var; 2], Result<Moments, &str>) {
    let inner = sample(coefficients(n));
    let extra = if n > 1 {
        Some(sample("extra", Normal(0, 1)))
    } else {
        None
    };
    let pair = [inner.slope, sample("last", Normal(0, 1))];
    (inner, extra, pair, Ok(Moments(0.5)))
}

fn line<'t>(c: &Coefficients<'t>, x: Var<'t>) -> Var<'t> {
    c.intercepts.iter().fold(c.slope * x, |sum, &intercept| sum + intercept)
}

#[model]
fn uses_every_shape(x: &Array1<f64>, n: usize, y: Obs<Array1<f64>>) {
    let (first, extra, [slope, last], moments) = sample("all", of_every_shape(n));
    let second = sample(coefficients(1));
    let shift = extra.map_or(slope, |extra| extra + last) + moments.map_or(0.0, |m| m.0);
    for i in plate(x) {
        observe(y[i], Normal(line(&first, x[i]) + line(&second, x[i]) + shift, 1));
    }
    let effects = for i in plate(x) {
        let own = sample(coefficients(1));
        (own.slope, own.intercepts)
    };
    track(effects, effects.0.sum() + effects.1[0].sum());
}

#[test]
fn models_return_structs_tuples_options_and_arrays_of_values() {
    let x = array![1.0, 2.0];
    let names = |n| sites(&uses_every_shape(&x, n, &x)).join(" ");
    let common = "second.slope second.intercept[0] y own.slope own.intercept[0] effects";
    assert_eq!(names(0), format!("all.inner.slope all.last {common}"));
    assert_eq!(
        names(2),
        format!("all.inner.slope all.inner.intercept[0] all.inner.intercept[1] all.extra all.last {common}")
    );
}
