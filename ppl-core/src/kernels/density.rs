//! Loops over the log density of a univariate distribution: its sum with all derivatives in one pass, or element by element.

use std::marker::PhantomData;

use crate::kernels::dispatch::{Loop, dispatch};
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
    let Some(n) = common_length(x, &params) else { return 0.0 };
    dispatch(Sum::<D, P, F> {
        x,
        params,
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
    let n = common_length(x, &params).unwrap_or(0);
    let seed = Seed::Weight(weight);
    dispatch(WithAdjoint::<D, P, F> {
        x,
        params,
        n,
        seed,
        want_sum: true,
        d_x,
        d_params,
        density: PhantomData,
    })
}

/// Computes outᵢ = log p(xᵢ; paramsᵢ).
pub fn density_each<D: Density<P>, const P: usize, F: Real>(x: &[F], params: [&[F]; P], out: &mut [F]) {
    dispatch(Each::<D, P, F> {
        x,
        params,
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
    let n = d_out.len();
    let seed = Seed::Each(d_out);
    dispatch(WithAdjoint::<D, P, F> {
        x,
        params,
        n,
        seed,
        want_sum: false,
        d_x,
        d_params,
        density: PhantomData,
    });
}

/// Returns the length of the longest operand; an empty one makes it zero.
fn common_length<F, const P: usize>(x: &[F], params: &[&[F]; P]) -> Option<usize> {
    let lens = params.iter().map(|p| p.len()).chain([x.len()]);
    let n = lens.clone().max().unwrap_or(0);
    if lens.clone().any(|l| l == 0) {
        return None;
    }
    debug_assert!(lens.clone().all(|l| l == 1 || l == n));
    Some(n)
}

/// Elements are worked on in chunks of these lengths: long ones first, the rest one by one.
const WIDE: usize = 32;
const NARROW: usize = 8;

/// Reads `L` elements from `i` on; a single number is repeated.
#[inline(always)]
fn load<F: Real, const L: usize>(values: &[F], i: usize) -> [F; L] {
    if values.len() == 1 {
        [values[0]; L]
    } else {
        values[i..i + L].try_into().expect("the chunk lies within the slice")
    }
}

#[inline(always)]
fn is_shared<D: Density<P>, const P: usize, F>(params: &[&[F]; P]) -> bool {
    (0..P).all(|k| D::SHARED & (1 << k) == 0 || params[k].len() == 1)
}

#[inline(always)]
fn first<F: Real, const P: usize>(params: &[&[F]; P]) -> [F; P] {
    std::array::from_fn(|k| params[k].first().copied().unwrap_or(F::NAN))
}

#[inline(always)]
fn at<F: Real, const P: usize, const L: usize>(chunk: &[[F; L]; P], l: usize) -> [F; P] {
    std::array::from_fn(|k| chunk[k][l])
}

struct Sum<'a, D, const P: usize, F> {
    x: &'a [F],
    params: [&'a [F]; P],
    n: usize,
    density: PhantomData<D>,
}

impl<D: Density<P>, const P: usize, F: Real> Loop for Sum<'_, D, P, F> {
    type Out = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        if is_shared::<D, P, F>(&self.params) {
            let shared = D::shared(first(&self.params), false);
            self.total(|_| shared)
        } else {
            self.total(|params| D::shared(params, false))
        }
    }
}

impl<D: Density<P>, const P: usize, F: Real> Sum<'_, D, P, F> {
    #[inline(always)]
    fn total(&self, shared: impl Fn([F; P]) -> D::Shared<F>) -> f64 {
        let mut acc = [0.0; NARROW];
        let mut i = 0;
        while i + WIDE <= self.n {
            self.chunk::<WIDE>(i, &shared, &mut acc);
            i += WIDE;
        }
        while i + NARROW <= self.n {
            self.chunk::<NARROW>(i, &shared, &mut acc);
            i += NARROW;
        }
        while i < self.n {
            self.chunk::<1>(i, &shared, &mut acc);
            i += 1;
        }
        fold(&acc)
    }

    #[inline(always)]
    fn chunk<const L: usize>(&self, i: usize, shared: &impl Fn([F; P]) -> D::Shared<F>, acc: &mut [f64; NARROW]) {
        let x: [F; L] = load(self.x, i);
        let params: [[F; L]; P] = std::array::from_fn(|k| load(self.params[k], i));
        let mut out = [F::ZERO; L];
        for l in 0..L {
            let p = at(&params, l);
            out[l] = D::log_prob(x[l], p, &shared(p));
        }
        for l in 0..L {
            acc[l % NARROW] += out[l].to_f64();
        }
    }
}

#[inline(always)]
fn fold(acc: &[f64; NARROW]) -> f64 {
    ((acc[0] + acc[4]) + (acc[2] + acc[6])) + ((acc[1] + acc[5]) + (acc[3] + acc[7]))
}

struct Each<'a, D, const P: usize, F> {
    x: &'a [F],
    params: [&'a [F]; P],
    out: &'a mut [F],
    density: PhantomData<D>,
}

impl<D: Density<P>, const P: usize, F: Real> Loop for Each<'_, D, P, F> {
    type Out = ();

    #[inline(always)]
    fn run(mut self) {
        let n = self.out.len();
        let mut i = 0;
        while i + NARROW <= n {
            self.chunk::<NARROW>(i);
            i += NARROW;
        }
        while i < n {
            self.chunk::<1>(i);
            i += 1;
        }
    }
}

impl<D: Density<P>, const P: usize, F: Real> Each<'_, D, P, F> {
    #[inline(always)]
    fn chunk<const L: usize>(&mut self, i: usize) {
        let x: [F; L] = load(self.x, i);
        let params: [[F; L]; P] = std::array::from_fn(|k| load(self.params[k], i));
        for l in 0..L {
            let p = at(&params, l);
            self.out[i + l] = D::log_prob(x[l], p, &D::shared(p, false));
        }
    }
}

/// By what the derivatives are multiplied.
#[derive(Clone, Copy)]
enum Seed<'a, F> {
    Weight(F),
    Each(&'a [F]),
}

struct WithAdjoint<'a, D, const P: usize, F> {
    x: &'a [F],
    params: [&'a [F]; P],
    n: usize,
    seed: Seed<'a, F>,
    want_sum: bool,
    d_x: Adjoint<'a, F>,
    d_params: [Adjoint<'a, F>; P],
    density: PhantomData<D>,
}

/// Running sums: of the log density, and of the derivatives by single numbers.
struct Sums<F, const P: usize> {
    total: [f64; NARROW],
    d_x: [F; NARROW],
    d_params: [[F; NARROW]; P],
}

impl<D: Density<P>, const P: usize, F: Real> Loop for WithAdjoint<'_, D, P, F> {
    type Out = f64;

    #[inline(always)]
    fn run(mut self) -> f64 {
        if is_shared::<D, P, F>(&self.params) {
            let shared = D::shared(first(&self.params), true);
            self.total(|_| shared)
        } else {
            self.total(|params| D::shared(params, true))
        }
    }
}

impl<D: Density<P>, const P: usize, F: Real> WithAdjoint<'_, D, P, F> {
    #[inline(always)]
    fn total(&mut self, shared: impl Fn([F; P]) -> D::Shared<F>) -> f64 {
        /// Sums of single precision are carried to double after so many elements.
        const BLOCK: usize = 1024;
        let mut d_x = 0.0;
        let mut d_params = [0.0; P];
        let mut total = 0.0;
        let mut i = 0;
        while i < self.n {
            let end = (i + BLOCK).min(self.n);
            let zero = [F::ZERO; NARROW];
            let mut sums = Sums {
                total: [0.0; NARROW],
                d_x: zero,
                d_params: [zero; P],
            };
            while i + WIDE <= end {
                self.chunk::<WIDE>(i, &shared, &mut sums);
                i += WIDE;
            }
            while i + NARROW <= end {
                self.chunk::<NARROW>(i, &shared, &mut sums);
                i += NARROW;
            }
            while i < end {
                self.chunk::<1>(i, &shared, &mut sums);
                i += 1;
            }
            total += fold(&sums.total);
            d_x += fold(&sums.d_x.map(F::to_f64));
            for k in 0..P {
                d_params[k] += fold(&sums.d_params[k].map(F::to_f64));
            }
        }
        put_sum(&mut self.d_x, d_x, self.n);
        for k in 0..P {
            put_sum(&mut self.d_params[k], d_params[k], self.n);
        }
        total
    }

    #[inline(always)]
    fn chunk<const L: usize>(&mut self, i: usize, shared: &impl Fn([F; P]) -> D::Shared<F>, sums: &mut Sums<F, P>) {
        let x: [F; L] = load(self.x, i);
        let params: [[F; L]; P] = std::array::from_fn(|k| load(self.params[k], i));
        let seed: [F; L] = match self.seed {
            Seed::Weight(w) => [w; L],
            Seed::Each(d_out) => load(d_out, i),
        };
        let mut log_prob = [F::ZERO; L];
        let mut d_x = [F::ZERO; L];
        let mut d_params = [[F::ZERO; L]; P];
        for l in 0..L {
            let p = at(&params, l);
            let s = shared(p);
            let (dx, dp) = D::partials(x[l], p, &s);
            if self.want_sum {
                log_prob[l] = D::log_prob(x[l], p, &s);
            }
            d_x[l] = seed[l] * dx;
            for k in 0..P {
                d_params[k][l] = seed[l] * dp[k];
            }
        }
        if self.want_sum {
            for l in 0..L {
                sums.total[l % NARROW] += log_prob[l].to_f64();
            }
        }
        put(&mut self.d_x, i, self.n, &d_x, &mut sums.d_x);
        for k in 0..P {
            put(&mut self.d_params[k], i, self.n, &d_params[k], &mut sums.d_params[k]);
        }
    }
}

/// Writes a chunk of derivatives, or adds it to the sum where the operand is a single number.
#[inline(always)]
fn put<F: Real, const L: usize>(to: &mut Adjoint<'_, F>, i: usize, n: usize, d: &[F; L], sum: &mut [F; NARROW]) {
    match to {
        None => {}
        Some((slice, _)) if slice.len() == 1 && n != 1 => {
            for l in 0..L {
                sum[l % NARROW] += d[l];
            }
        }
        Some((slice, true)) => slice[i..i + L].copy_from_slice(d),
        Some((slice, false)) => {
            for (a, &b) in slice[i..i + L].iter_mut().zip(d) {
                *a += b;
            }
        }
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
