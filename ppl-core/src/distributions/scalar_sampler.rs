//! Draws made one by one, each from a generator of its own, by algorithms that take a varying number of steps.

use std::marker::PhantomData;

use crate::distributions::noise::Noise;
use crate::kernels::real::Real;
use crate::rng::Generator;
use crate::tape::call::Call;
use crate::tape::op::{Op, Role};
use crate::tape::var::Var;

/// A draw from `N` parameters, with its derivatives by them where it has any.
pub trait ScalarSampler<const N: usize>: 'static {
    /// The unique name of the operation.
    const NAME: &'static str;
    /// Whether the draw has derivatives.
    const HAS_DERIVATIVE: bool = false;
    /// Whether draws are positive: those below the smallest normal number of the tape's precision become that number.
    const IS_POSITIVE: bool = false;

    /// Returns a draw, NaN for parameters that are not allowed.
    fn draw(rng: &mut Generator, params: [f64; N]) -> f64;

    /// Returns the derivatives of the draw `x` by the parameters at a fixed quantile.
    fn derivative(_x: f64, _params: [f64; N]) -> [f64; N] {
        [0.0; N]
    }
}

impl<'t> Noise<'t> {
    /// Records a draw for each element.
    pub fn each<D: ScalarSampler<N>, const N: usize>(&self, params: [Var<'t>; N]) -> Var<'t> {
        let args = params.map(|p| self.fit(p));
        let def = SampleOneByOne::<D, N>::DEF;
        self.tape.record(def, &args, &[self.stream], &self.dims, &self.event, 0)
    }
}

/// One draw for each element.
struct SampleOneByOne<D, const N: usize>(PhantomData<D>);

impl<D: ScalarSampler<N>, const N: usize> SampleOneByOne<D, N> {
    fn params<F: Real>(call: &Call<'_, F>, i: usize) -> [f64; N] {
        std::array::from_fn(|k| {
            let p = call.x(k);
            p[if p.len() == 1 { 0 } else { i }].to_f64()
        })
    }
}

impl<D: ScalarSampler<N>, const N: usize> Op for SampleOneByOne<D, N> {
    const NAME: &'static str = D::NAME;
    const ROLE: Role = Role::Random;
    const NO_GRAD: u32 = if D::HAS_DERIVATIVE { 0 } else { u32::MAX };

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let key = call.key();
        for (i, out) in call.out().iter_mut().enumerate() {
            let mut rng = key.split(i as u64).generator();
            let x = F::from_f64(D::draw(&mut rng, Self::params(call, i)));
            *out = if D::IS_POSITIVE { x.max(F::LEAST_POSITIVE) } else { x };
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let (y, d_out) = (call.y(), call.d_out());
        let mut grads: [_; N] = std::array::from_fn(|k| call.grad(k).map(|g| g.accumulator()));
        for i in 0..y.len() {
            let slopes = D::derivative(y[i].to_f64(), Self::params(call, i));
            for (grad, slope) in grads.iter_mut().zip(slopes) {
                if let Some(grad) = grad {
                    let at = if grad.slice.len() == 1 { 0 } else { i };
                    grad.slice[at] += d_out[i] * F::from_f64(slope);
                }
            }
        }
    }
}
