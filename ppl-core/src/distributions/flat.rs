//! The improper priors: a density of one on all numbers, or on those above zero.

use crate::constraints;
use crate::distributions::contract::{Dist, Params};
use crate::distributions::family::{Continuous, Family};
use crate::distributions::noise::Noise;
use crate::distributions::support::Support;
use crate::distributions::univariate::{self, zero_of};
use crate::error::Error;
use crate::kernels::density::Density;
use crate::kernels::real::Real;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;

/// The improper prior on all numbers; [`Flat()`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Flat<'t> {
    tape: std::marker::PhantomData<&'t Tape>,
}

/// The improper prior on the numbers above zero; [`HalfFlat()`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct HalfFlat<'t> {
    tape: std::marker::PhantomData<&'t Tape>,
}

/// Returns the improper prior on all numbers, under which a site has the density of its data alone.
///
/// log p(x) = 0
///
/// It integrates to no finite number, so that it cannot be drawn from: `Prior`, `trace` and all else that runs a model
/// forward is an error that names the site. `Mh` and `Svi` need no draw of it, nor do predictions from a fit. Whether the
/// posterior is proper is for the data to see to. Between bounds there is [`Uniform`](crate::distributions::Uniform()).
///
/// ```
/// # use ppl_core::{distributions::{Dist, Flat}, tape::var::Var};
/// assert_eq!(Flat().log_prob(Var::from(-7)).value(), 0.0);
/// ```
#[allow(non_snake_case)]
pub fn Flat<'t>() -> Flat<'t> {
    Flat {
        tape: Default::default(),
    }
}

/// Returns the improper prior on the numbers above zero; it cannot be drawn from, as [`Flat()`].
///
/// log p(x) = 0 for x ≥ 0
///
/// ```
/// # use ppl_core::{distributions::{Dist, HalfFlat}, tape::var::Var};
/// assert_eq!(HalfFlat().log_prob(Var::from(7)).value(), 0.0);
/// assert_eq!(HalfFlat().log_prob(Var::from(-7)).value(), f64::NEG_INFINITY);
/// ```
#[allow(non_snake_case)]
pub fn HalfFlat<'t>() -> HalfFlat<'t> {
    HalfFlat {
        tape: Default::default(),
    }
}

impl Family for Flat<'_> {
    type Support = constraints::Real;
    type Kind = Continuous;
}

impl Family for HalfFlat<'_> {
    type Support = constraints::Positive;
    type Kind = Continuous;
}

macro_rules! improper {
    ($name:ident, $density:ident, $support:ident) => {
        impl<'t> Dist<'t> for $name<'t> {
            const NAME: &'static str = stringify!($name);
            const REPARAMETERISED: bool = false;
            const IS_PROPER: bool = false;

            fn params(&self, _: &'t Tape) -> Params<'t> {
                Params::new()
            }

            fn support(&self, _: &'t Tape) -> Support<'t> {
                Support::$support
            }

            fn event_shape(&self) -> Shape {
                Shape::new()
            }

            #[track_caller]
            fn log_prob(&self, x: Var<'t>) -> Var<'t> {
                univariate::log_prob::<$density, 0>(x, [])
            }

            fn log_prob_term(&self, tape: &'t Tape, x: Var<'t>, weight: f64, site: u32) {
                univariate::log_prob_term::<$density, 0>(tape, x, [], weight, site);
            }

            fn draw(&self, at: &Noise<'t>) -> Var<'t> {
                at.tape.fail(Error::Invalid(format!(
                    "`{}` is improper and has no draws",
                    Self::NAME
                )))
            }

            fn mean(&self, _: &'t Tape) -> Var<'t> {
                Var::constant(f64::NAN)
            }

            fn variance(&self, _: &'t Tape) -> Var<'t> {
                Var::constant(f64::NAN)
            }
        }
    };
}

improper!(Flat, FlatDensity, Real);
improper!(HalfFlat, HalfFlatDensity, Positive);

/// The density on all numbers as a loop body.
pub(crate) struct FlatDensity;

impl Density<0> for FlatDensity {
    type Shared<F: Real> = ();

    const NAME: &'static str = "Flat";
    const SHARED: u32 = 0;
    const NO_GRAD: u32 = 0b1;

    #[inline(always)]
    fn shared<F: Real>(_: [F; 0], _gradient: bool) {}

    #[inline(always)]
    fn log_prob<F: Real>(x: F, _: [F; 0], _: &()) -> F {
        zero_of(x)
    }

    #[inline(always)]
    fn partials<F: Real>(_: F, _: [F; 0], _: &()) -> (F, [F; 0]) {
        (F::ZERO, [])
    }
}

/// The density on the numbers above zero as a loop body.
pub(crate) struct HalfFlatDensity;

impl Density<0> for HalfFlatDensity {
    type Shared<F: Real> = ();

    const NAME: &'static str = "HalfFlat";
    const SHARED: u32 = 0;
    const NO_GRAD: u32 = 0b1;

    #[inline(always)]
    fn shared<F: Real>(_: [F; 0], _gradient: bool) {}

    #[inline(always)]
    fn log_prob<F: Real>(x: F, _: [F; 0], _: &()) -> F {
        F::select(x < F::ZERO, -F::INFINITY, zero_of(x))
    }

    #[inline(always)]
    fn partials<F: Real>(_: F, _: [F; 0], _: &()) -> (F, [F; 0]) {
        (F::ZERO, [])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;
    use crate::tape::gradient::gradient;
    use crate::tape::store::Precision;

    /// Returns the density of elements, once as a fused term and once element by element, and the gradient of the term.
    fn both<'t>(tape: &'t Tape, x: &[f64], dist: &impl Dist<'t>) -> (f64, Vec<f64>, Vec<f64>) {
        let value = tape.input(0, &[], &[x.len()], x, false);
        dist.log_prob_term(tape, value, 1.5, 0);
        (tape.log_density(), dist.log_prob(value).elements(), gradient(tape))
    }

    #[test]
    fn the_density_is_one_on_the_support_and_has_no_slope() {
        let run = |x: &[f64], is_half: bool| {
            let tape = Tape::new(Precision::F64, Key::new(1));
            match is_half {
                true => both(&tape, x, &HalfFlat()),
                false => both(&tape, x, &Flat()),
            }
        };
        let (inside, zeros) = ([0.0, 1e300, 0.5], vec![0.0; 3]);
        assert_eq!(run(&inside, true), (0.0, zeros.clone(), zeros.clone()));
        assert_eq!(run(&[-1e300, 2.0, 0.0], false), (0.0, zeros.clone(), zeros.clone()));
        let (term, each, _) = run(&[1.0, -1e-300, 2.0], true);
        assert_eq!((term, each), (f64::NEG_INFINITY, vec![0.0, f64::NEG_INFINITY, 0.0]));
        for is_half in [true, false] {
            let (term, each, _) = run(&[1.0, f64::NAN], is_half);
            assert!(term.is_nan() && each[1].is_nan() && each[0] == 0.0);
        }
        // Enough elements for the loop over vectors.
        let many: Vec<f64> = (0..1000).map(f64::from).collect();
        assert_eq!(run(&many, true), (0.0, vec![0.0; 1000], vec![0.0; 1000]));
    }

    #[test]
    fn a_draw_is_refused() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let at = Noise {
            tape: &tape,
            stream: 1,
            dims: Default::default(),
            event: Shape::new(),
        };
        assert!(Flat().draw(&at).value().is_nan());
        let error = tape.take_error().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("`Flat` is improper and has no draws"));
    }
}
