//! Draws made one by one, each from a generator of its own, by algorithms that take a varying number of steps.

use std::marker::PhantomData;

use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::Distribution;

use crate::distributions::noise::Noise;
use crate::kernels::real::Real;
use crate::math::gamma::digamma;
use crate::math::gamma_draw::gamma_draw_derivative;
use crate::tape::call::Call;
use crate::tape::op::{Op, Role};
use crate::tape::var::Var;

/// A draw from `N` parameters, with its derivatives by them where it has any.
pub trait ScalarSampler<const N: usize>: 'static {
    /// The unique name of the operation.
    const NAME: &'static str;
    /// Whether the draw has derivatives.
    const HAS_DERIVATIVE: bool = false;

    /// Returns a draw.
    fn draw(rng: &mut SmallRng, params: [f64; N]) -> f64;

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

    /// Returns draws of the gamma distribution with this concentration and rate 1.
    pub fn gamma(&self, concentration: Var<'t>) -> Var<'t> {
        self.each::<GammaDraw, 1>([concentration])
    }

    /// Returns logarithms of draws of the gamma distribution, which do not underflow for small concentrations.
    pub fn log_gamma(&self, concentration: Var<'t>) -> Var<'t> {
        self.each::<LogGammaDraw, 1>([concentration])
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
            let mut rng = SmallRng::seed_from_u64(key.split(i as u64).bits());
            *out = F::from_f64(D::draw(&mut rng, Self::params(call, i)));
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

/// Returns the logarithm of a draw of Gamma(a, 1).
fn log_gamma(rng: &mut SmallRng, a: f64) -> f64 {
    if !(a > 0.0 && a < f64::INFINITY) {
        return f64::NAN;
    }
    // For small a: a draw of Gamma(a + 1) times U^(1/a), by its logarithm (Marsaglia and Tsang 2000).
    let (shape, boost) = if a < 1.0 {
        let u: f64 = rand_distr::Open01.sample(rng);
        (a + 1.0, u.ln() / a)
    } else {
        (a, 0.0)
    };
    let gamma = rand_distr::Gamma::new(shape, 1.0);
    gamma.map_or(f64::NAN, |g| g.sample(rng).ln() + boost)
}

/// A draw of Gamma(a, 1), never zero.
struct GammaDraw;

impl ScalarSampler<1> for GammaDraw {
    const NAME: &'static str = "gamma_draw";
    const HAS_DERIVATIVE: bool = true;

    fn draw(rng: &mut SmallRng, [a]: [f64; 1]) -> f64 {
        // The smallest normal number of single precision bounds what is drawn for concentrations below about 0.01.
        log_gamma(rng, a).exp().max(f32::MIN_POSITIVE as f64)
    }

    fn derivative(x: f64, [a]: [f64; 1]) -> [f64; 1] {
        [gamma_draw_derivative(a, x)]
    }
}

/// The logarithm of a draw of Gamma(a, 1).
struct LogGammaDraw;

impl ScalarSampler<1> for LogGammaDraw {
    const NAME: &'static str = "log_gamma_draw";
    const HAS_DERIVATIVE: bool = true;

    fn draw(rng: &mut SmallRng, [a]: [f64; 1]) -> f64 {
        log_gamma(rng, a)
    }

    fn derivative(y: f64, [a]: [f64; 1]) -> [f64; 1] {
        let x = y.exp();
        // Far below the mean ln x = (ln u + ln Γ(a + 1)) / a at the quantile u.
        let slope = if x < 1e-200 {
            (digamma(a + 1.0) - y) / a
        } else {
            gamma_draw_derivative(a, x) / x
        };
        [slope]
    }
}
