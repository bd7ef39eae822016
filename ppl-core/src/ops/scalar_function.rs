//! Functions of a few numbers with derivatives of their own, computed in f64 element by element.

use std::marker::PhantomData;

use crate::error::Place;
use crate::kernels::real::Real;
use crate::ops::align::{align, tape_of};
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;

/// A function of `N` numbers that is too long for a vector loop, or has to be computed in f64.
pub trait ScalarFunction<const N: usize>: 'static {
    /// The unique name.
    const NAME: &'static str;

    /// Returns f(x).
    fn value(x: [f64; N]) -> f64;

    /// Returns ∂f/∂xₖ for each k.
    fn partials(x: [f64; N]) -> [f64; N];
}

/// Records `S` on operands broadcast against each other, or computes it if all are constants.
#[track_caller]
pub fn scalar_function<'t, S: ScalarFunction<N>, const N: usize>(args: [Var<'t>; N]) -> Var<'t> {
    let Some(tape) = tape_of(&args) else {
        return Var::constant(S::value(args.map(|x| x.as_constant().unwrap_or(f64::NAN))));
    };
    match align(S::NAME, &args, Place::here()) {
        Some(a) => tape.record(OneByOne::<S, N>::DEF, &a.args, &[], &a.dims, &a.event, 0),
        None => Var::constant(f64::NAN),
    }
}

struct OneByOne<S, const N: usize>(PhantomData<S>);

fn at<F: Real>(x: &[F], i: usize) -> f64 {
    x[if x.len() == 1 { 0 } else { i }].to_f64()
}

impl<S: ScalarFunction<N>, const N: usize> Op for OneByOne<S, N> {
    const NAME: &'static str = S::NAME;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let x: [&[F]; N] = std::array::from_fn(|k| call.x(k));
        for (i, out) in call.out().iter_mut().enumerate() {
            *out = F::from_f64(S::value(x.map(|x| at(x, i))));
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let x: [&[F]; N] = std::array::from_fn(|k| call.x(k));
        let d_out = call.d_out();
        let mut grads: [_; N] = std::array::from_fn(|k| call.grad(k).map(|g| g.accumulator()));
        for (i, d) in d_out.iter().enumerate() {
            let partials = S::partials(x.map(|x| at(x, i)));
            for (grad, partial) in grads.iter_mut().zip(partials) {
                if let Some(grad) = grad {
                    let at = if grad.slice.len() == 1 { 0 } else { i };
                    grad.slice[at] += F::from_f64(d.to_f64() * partial);
                }
            }
        }
    }
}
