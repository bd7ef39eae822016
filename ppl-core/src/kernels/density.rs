//! Loops over the log density of a univariate distribution: its sum with all derivatives in one pass, or element by element.

use std::marker::PhantomData;

use crate::kernels::dispatch::{Loop, dispatch};
use crate::kernels::lanes::sum3;
use crate::kernels::real::Real;

/// The log density of a distribution with `P` parameters at a scalar, with its derivatives.
///
/// All functions are `#[inline(always)]` and free of branches where the mathematics allows, so that loops vectorise.
pub trait Density<const P: usize>: 'static {
    /// What depends on parameters alone, computed once where those that [`Density::SHARED`] names are single numbers.
    type Shared<F: Real>: Copy;

    /// The unique name: it names operations too.
    const NAME: &'static str;

    /// Bit k is set where [`Density::shared`] reads parameter k.
    const SHARED: u32;

    /// Bit 0 is set where the derivative by the value is zero everywhere, bit k + 1 where that by parameter k is.
    const NO_GRAD: u32 = 0;

    /// Computes what depends on parameters alone; what only [`Density::partials`] reads may be left out without `gradient`.
    fn shared<F: Real>(params: [F; P], gradient: bool) -> Self::Shared<F>;

    /// Returns the log density at `x`: −∞ outside of the support, NaN for parameters that are not allowed.
    fn log_prob<F: Real>(x: F, params: [F; P], shared: &Self::Shared<F>) -> F;

    /// Returns the derivatives of the log density by `x` and by each parameter.
    fn partials<F: Real>(x: F, params: [F; P], shared: &Self::Shared<F>) -> (F, [F; P]);
}

/// An adjoint to be written: nowhere, or into a slice as long as the operand.
pub type Adjoint<'a, F> = Option<(&'a mut [F], bool)>;

/// Returns Σᵢ log p(xᵢ; paramsᵢ); an operand of length one counts for every i.
pub fn density_sum<D: Density<P>, const P: usize, F: Real>(x: &[F], params: [&[F]; P]) -> f64 {
    let n = common_length(x, &params);
    if n < SMALL {
        let operands = Operands { x, params };
        let is_shared = operands.is_shared::<D>();
        let mut shared = D::shared(operands.first(), false);
        let each = |i| {
            let p = at_all(&params, i);
            if !is_shared {
                shared = D::shared(p, false);
            }
            D::log_prob(at(x, i), p, &shared).to_f64()
        };
        return (0..n).map(each).sum();
    }
    dispatch(Sum::<D, P, F> {
        operands: Operands { x, params },
        n,
        density: PhantomData,
    })
}

/// Returns the sum as [`density_sum`] does, and writes `weight` times its derivatives, overwriting where the flag says so.
pub fn density_sum_adjoint<D: Density<P>, const P: usize, F: Real>(
    x: &[F],
    params: [&[F]; P],
    weight: F,
    d_x: Adjoint<'_, F>,
    d_params: [Adjoint<'_, F>; P],
) -> f64 {
    let n = common_length(x, &params);
    let operands = Operands { x, params };
    let pass = WithAdjoint {
        operands,
        n,
        seed: Seed::Weight(weight),
        d_x,
        d_params,
        density: PhantomData::<D>,
    };
    if n < SMALL { pass.small() } else { dispatch(pass) }
}

/// Computes outᵢ = log p(xᵢ; paramsᵢ).
pub fn density_each<D: Density<P>, const P: usize, F: Real>(x: &[F], params: [&[F]; P], out: &mut [F]) {
    dispatch(Each::<D, P, F> {
        operands: Operands { x, params },
        out,
        density: PhantomData,
    });
}

/// Writes the derivatives of Σᵢ d_outᵢ log p(xᵢ; paramsᵢ).
pub fn density_each_adjoint<D: Density<P>, const P: usize, F: Real>(
    x: &[F],
    params: [&[F]; P],
    d_out: &[F],
    d_x: Adjoint<'_, F>,
    d_params: [Adjoint<'_, F>; P],
) {
    let (n, operands) = (d_out.len(), Operands { x, params });
    let pass = WithAdjoint {
        operands,
        n,
        seed: Seed::Each(d_out),
        d_x,
        d_params,
        density: PhantomData::<D>,
    };
    if n < SMALL {
        pass.small()
    } else {
        dispatch(pass)
    };
}

/// Fewer elements than this are worked on one by one.
const SMALL: usize = 32;

/// Elements are worked on in blocks of this length, as plain loops over buffers on the stack.
const BLOCK: usize = 64;

/// Returns the length of the longest operand; an empty one makes it zero.
fn common_length<F, const P: usize>(x: &[F], params: &[&[F]; P]) -> usize {
    let longest = params.iter().fold(x.len(), |n, p| n.max(p.len()));
    let is_empty = x.is_empty() || params.iter().any(|p| p.is_empty());
    if is_empty { 0 } else { longest }
}

/// Returns element `i`; a single number counts for every i.
#[inline(always)]
fn at<F: Real>(values: &[F], i: usize) -> F {
    if values.len() == 1 { values[0] } else { values[i] }
}

#[inline(always)]
fn at_all<F: Real, const P: usize>(params: &[&[F]; P], i: usize) -> [F; P] {
    std::array::from_fn(|k| at(params[k], i))
}

/// A value and parameters, each as long as the longest or a single number.
#[derive(Clone, Copy)]
struct Operands<'a, const P: usize, F> {
    x: &'a [F],
    params: [&'a [F]; P],
}

/// Single numbers, repeated for a block.
struct Repeated<const P: usize, F> {
    x: [F; BLOCK],
    params: [[F; BLOCK]; P],
}

impl<'a, const P: usize, F: Real> Operands<'a, P, F> {
    #[inline(always)]
    fn repeated(&self) -> Repeated<P, F> {
        let of = |values: &[F]| {
            if values.len() == 1 {
                [values[0]; BLOCK]
            } else {
                [F::ZERO; BLOCK]
            }
        };
        Repeated {
            x: of(self.x),
            params: std::array::from_fn(|k| of(self.params[k])),
        }
    }

    /// Returns elements `i` to `i + m`.
    #[inline(always)]
    fn block<'b>(&self, repeated: &'b Repeated<P, F>, i: usize, m: usize) -> (&'b [F], [&'b [F]; P])
    where
        'a: 'b,
    {
        let part = |values: &'a [F], one: &'b [F; BLOCK]| {
            if values.len() == 1 {
                &one[..m]
            } else {
                &values[i..i + m]
            }
        };
        (
            part(self.x, &repeated.x),
            std::array::from_fn(|k| part(self.params[k], &repeated.params[k])),
        )
    }

    /// Returns whether what depends on parameters alone is the same for all elements.
    #[inline(always)]
    fn is_shared<D: Density<P>>(&self) -> bool {
        (0..P).all(|k| D::SHARED & (1 << k) == 0 || self.params[k].len() == 1)
    }

    #[inline(always)]
    fn first(&self) -> [F; P] {
        std::array::from_fn(|k| self.params[k].first().copied().unwrap_or(F::NAN))
    }
}

struct Sum<'a, D, const P: usize, F> {
    operands: Operands<'a, P, F>,
    n: usize,
    density: PhantomData<D>,
}

impl<D: Density<P>, const P: usize, F: Real> Loop for Sum<'_, D, P, F> {
    type Out = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let repeated = self.operands.repeated();
        let is_shared = self.operands.is_shared::<D>();
        let shared = D::shared(self.operands.first(), false);
        let mut out = [F::ZERO; BLOCK];
        let mut total = 0.0;
        for i in (0..self.n).step_by(BLOCK) {
            let m = (self.n - i).min(BLOCK);
            let (x, params) = self.operands.block(&repeated, i, m);
            let x = &x[..m];
            let out = &mut out[..m];
            if is_shared {
                for l in 0..m {
                    // SAFETY: `block` returns slices of length m.
                    let p = std::array::from_fn(|k| unsafe { *params[k].get_unchecked(l) });
                    out[l] = D::log_prob(x[l], p, &shared);
                }
            } else {
                for l in 0..m {
                    // SAFETY: `block` returns slices of length m.
                    let p = std::array::from_fn(|k| unsafe { *params[k].get_unchecked(l) });
                    out[l] = D::log_prob(x[l], p, &D::shared(p, false));
                }
            }
            total += sum3(out, out, out, |a, _, _| a);
        }
        total
    }
}

struct Each<'a, D, const P: usize, F> {
    operands: Operands<'a, P, F>,
    out: &'a mut [F],
    density: PhantomData<D>,
}

impl<D: Density<P>, const P: usize, F: Real> Loop for Each<'_, D, P, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let n = self.out.len();
        let repeated = self.operands.repeated();
        for i in (0..n).step_by(BLOCK) {
            let m = (n - i).min(BLOCK);
            let (x, params) = self.operands.block(&repeated, i, m);
            let x = &x[..m];
            let out = &mut self.out[i..i + m];
            for l in 0..m {
                // SAFETY: `block` returns slices of length m.
                let p = std::array::from_fn(|k| unsafe { *params[k].get_unchecked(l) });
                out[l] = D::log_prob(x[l], p, &D::shared(p, false));
            }
        }
    }
}

/// By what the derivatives are multiplied.
#[derive(Clone, Copy)]
enum Seed<'a, F> {
    Weight(F),
    Each(&'a [F]),
}

impl<F: Real> Seed<'_, F> {
    #[inline(always)]
    fn at(&self, i: usize) -> F {
        match self {
            Seed::Weight(w) => *w,
            Seed::Each(d_out) => d_out[i],
        }
    }
}

/// The log density and all its derivatives in one pass.
struct WithAdjoint<'a, D, const P: usize, F> {
    operands: Operands<'a, P, F>,
    n: usize,
    seed: Seed<'a, F>,
    d_x: Adjoint<'a, F>,
    d_params: [Adjoint<'a, F>; P],
    density: PhantomData<D>,
}

/// What the pass computes of a block.
struct Computed<const P: usize, F> {
    log_prob: [F; BLOCK],
    d_x: [F; BLOCK],
    d_params: [[F; BLOCK]; P],
}

impl<D: Density<P>, const P: usize, F: Real> WithAdjoint<'_, D, P, F> {
    /// One element after the other.
    fn small(mut self) -> f64 {
        let mut total = 0.0;
        let (mut sum_x, mut sums) = (0.0, [0.0; P]);
        let is_shared = self.operands.is_shared::<D>();
        let mut shared = D::shared(self.operands.first(), true);
        for i in 0..self.n {
            let (x, p) = (at(self.operands.x, i), at_all(&self.operands.params, i));
            if !is_shared {
                shared = D::shared(p, true);
            }
            let (seed, (d_x, d_params)) = (self.seed.at(i), D::partials(x, p, &shared));
            total += D::log_prob(x, p, &shared).to_f64();
            put(&mut self.d_x, i, self.n, &[seed * d_x], &mut sum_x);
            for k in 0..P {
                put(&mut self.d_params[k], i, self.n, &[seed * d_params[k]], &mut sums[k]);
            }
        }
        self.put_sums(sum_x, sums);
        total
    }

    /// Writes the derivatives by single numbers.
    #[inline(always)]
    fn put_sums(&mut self, sum_x: f64, sums: [f64; P]) {
        put_sum(&mut self.d_x, sum_x, self.n);
        for k in 0..P {
            put_sum(&mut self.d_params[k], sums[k], self.n);
        }
    }
}

impl<D: Density<P>, const P: usize, F: Real> Loop for WithAdjoint<'_, D, P, F> {
    type Out = f64;

    #[inline(always)]
    fn run(mut self) -> f64 {
        let repeated = self.operands.repeated();
        let is_shared = self.operands.is_shared::<D>();
        let shared = D::shared(self.operands.first(), true);
        let zero = [F::ZERO; BLOCK];
        let mut c = Computed {
            log_prob: zero,
            d_x: zero,
            d_params: [zero; P],
        };
        let (mut total, mut sum_x, mut sums) = (0.0, 0.0, [0.0; P]);
        for i in (0..self.n).step_by(BLOCK) {
            let m = (self.n - i).min(BLOCK);
            let (x, params) = self.operands.block(&repeated, i, m);
            let x = &x[..m];
            let (log_prob, d_x) = (&mut c.log_prob[..m], &mut c.d_x[..m]);
            let mut d_params = c.d_params.each_mut().map(|d| &mut d[..m]);
            if is_shared {
                for l in 0..m {
                    // SAFETY: `block` returns slices of length m.
                    let p = std::array::from_fn(|k| unsafe { *params[k].get_unchecked(l) });
                    let (dx, dp) = D::partials(x[l], p, &shared);
                    log_prob[l] = D::log_prob(x[l], p, &shared);
                    d_x[l] = dx;
                    for k in 0..P {
                        // SAFETY: each slice has length m.
                        unsafe { *d_params[k].get_unchecked_mut(l) = dp[k] };
                    }
                }
            } else {
                for l in 0..m {
                    // SAFETY: `block` returns slices of length m.
                    let p = std::array::from_fn(|k| unsafe { *params[k].get_unchecked(l) });
                    let shared = D::shared(p, true);
                    let (dx, dp) = D::partials(x[l], p, &shared);
                    log_prob[l] = D::log_prob(x[l], p, &shared);
                    d_x[l] = dx;
                    for k in 0..P {
                        // SAFETY: each slice has length m.
                        unsafe { *d_params[k].get_unchecked_mut(l) = dp[k] };
                    }
                }
            }
            total += sum3(log_prob, log_prob, log_prob, |a, _, _| a);
            self.seed.multiply(i, d_x);
            put(&mut self.d_x, i, self.n, d_x, &mut sum_x);
            for k in 0..P {
                let d = &mut c.d_params[k][..m];
                if self.d_params[k].is_some() {
                    self.seed.multiply(i, d);
                    put(&mut self.d_params[k], i, self.n, d, &mut sums[k]);
                }
            }
        }
        self.put_sums(sum_x, sums);
        total
    }
}

impl<F: Real> Seed<'_, F> {
    /// Multiplies derivatives of the elements from `i` on.
    #[inline(always)]
    fn multiply(&self, i: usize, d: &mut [F]) {
        match self {
            Seed::Weight(w) => d.iter_mut().for_each(|d| *d *= *w),
            Seed::Each(d_out) => d.iter_mut().zip(&d_out[i..]).for_each(|(d, &s)| *d *= s),
        }
    }
}

/// Writes a block of derivatives, or adds it to the sum where the operand is a single number.
#[inline(always)]
fn put<F: Real>(to: &mut Adjoint<'_, F>, i: usize, n: usize, d: &[F], sum: &mut f64) {
    match to {
        None => {}
        Some((slice, _)) if slice.len() == 1 && n != 1 => *sum += sum3(d, d, d, |a, _, _| a),
        Some((slice, true)) => slice[i..i + d.len()].copy_from_slice(d),
        Some((slice, false)) => slice[i..i + d.len()].iter_mut().zip(d).for_each(|(a, &b)| *a += b),
    }
}

/// Writes the derivative by a single number.
#[inline(always)]
fn put_sum<F: Real>(to: &mut Adjoint<'_, F>, sum: f64, n: usize) {
    if let Some((slice, overwrite)) = to
        && slice.len() == 1
        && n != 1
    {
        let sum = F::from_f64(sum);
        slice[0] = if *overwrite { sum } else { slice[0] + sum };
    }
}
