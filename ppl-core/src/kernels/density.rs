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

/// Elements are worked on in chunks of this length; the last one is filled up with repetitions that do not count, so
/// that each loop is compiled once.
const WIDTH: usize = 16;

/// Reads `m` elements from `i` on, and repeats the last one up to the width; a single number is repeated.
#[inline(always)]
fn load<F: Real>(values: &[F], i: usize, m: usize) -> [F; WIDTH] {
    if values.len() == 1 {
        [values[0]; WIDTH]
    } else if m == WIDTH {
        values[i..i + WIDTH]
            .try_into()
            .expect("the chunk lies within the slice")
    } else {
        std::array::from_fn(|l| values[i + l.min(m - 1)])
    }
}

/// Sets the lanes that do not count to zero.
#[inline(always)]
fn clear_rest<F: Real>(values: &mut [F; WIDTH], m: usize) {
    for (l, value) in values.iter_mut().enumerate() {
        *value = F::select(l < m, *value, F::ZERO);
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
fn at<F: Real, const P: usize>(chunk: &[[F; WIDTH]; P], l: usize) -> [F; P] {
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
        let mut acc = [0.0; WIDTH];
        let mut i = 0;
        while i < self.n {
            let m = (self.n - i).min(WIDTH);
            let x = load(self.x, i, m);
            let params: [[F; WIDTH]; P] = std::array::from_fn(|k| load(self.params[k], i, m));
            let mut out = [F::ZERO; WIDTH];
            for l in 0..WIDTH {
                let p = at(&params, l);
                out[l] = D::log_prob(x[l], p, &shared(p));
            }
            clear_rest(&mut out, m);
            for l in 0..WIDTH {
                acc[l] += out[l].to_f64();
            }
            i += WIDTH;
        }
        fold(&acc)
    }
}

#[inline(always)]
fn fold(acc: &[f64; WIDTH]) -> f64 {
    let half: [f64; 8] = std::array::from_fn(|l| acc[l] + acc[l + 8]);
    ((half[0] + half[4]) + (half[2] + half[6])) + ((half[1] + half[5]) + (half[3] + half[7]))
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
    fn run(self) {
        let n = self.out.len();
        let mut i = 0;
        while i < n {
            let m = (n - i).min(WIDTH);
            let x = load(self.x, i, m);
            let params: [[F; WIDTH]; P] = std::array::from_fn(|k| load(self.params[k], i, m));
            let mut out = [F::ZERO; WIDTH];
            for l in 0..WIDTH {
                let p = at(&params, l);
                out[l] = D::log_prob(x[l], p, &D::shared(p, false));
            }
            self.out[i..i + m].copy_from_slice(&out[..m]);
            i += WIDTH;
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
    total: [f64; WIDTH],
    d_x: [F; WIDTH],
    d_params: [[F; WIDTH]; P],
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
            let zero = [F::ZERO; WIDTH];
            let mut sums = Sums {
                total: [0.0; WIDTH],
                d_x: zero,
                d_params: [zero; P],
            };
            while i < end {
                self.chunk(i, (end - i).min(WIDTH), &shared, &mut sums);
                i += WIDTH;
            }
            i = end;
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
    fn chunk(&mut self, i: usize, m: usize, shared: &impl Fn([F; P]) -> D::Shared<F>, sums: &mut Sums<F, P>) {
        let x = load(self.x, i, m);
        let params: [[F; WIDTH]; P] = std::array::from_fn(|k| load(self.params[k], i, m));
        let seed = match self.seed {
            Seed::Weight(w) => [w; WIDTH],
            Seed::Each(d_out) => load(d_out, i, m),
        };
        let mut log_prob = [F::ZERO; WIDTH];
        let mut d_x = [F::ZERO; WIDTH];
        let mut d_params = [[F::ZERO; WIDTH]; P];
        for l in 0..WIDTH {
            let p = at(&params, l);
            let s = shared(p);
            let (dx, dp) = D::partials(x[l], p, &s);
            log_prob[l] = D::log_prob(x[l], p, &s);
            d_x[l] = seed[l] * dx;
            for k in 0..P {
                d_params[k][l] = seed[l] * dp[k];
            }
        }
        if self.want_sum {
            clear_rest(&mut log_prob, m);
            for l in 0..WIDTH {
                sums.total[l] += log_prob[l].to_f64();
            }
        }
        put(&mut self.d_x, i, m, self.n, &mut d_x, &mut sums.d_x);
        for k in 0..P {
            put(
                &mut self.d_params[k],
                i,
                m,
                self.n,
                &mut d_params[k],
                &mut sums.d_params[k],
            );
        }
    }
}

/// Writes a chunk of derivatives, or adds it to the sum where the operand is a single number.
#[inline(always)]
fn put<F: Real>(to: &mut Adjoint<'_, F>, i: usize, m: usize, n: usize, d: &mut [F; WIDTH], sum: &mut [F; WIDTH]) {
    let Some((slice, overwrite)) = to else { return };
    if slice.len() == 1 && n != 1 {
        clear_rest(d, m);
        for l in 0..WIDTH {
            sum[l] += d[l];
        }
        return;
    }
    if let Ok(slice) = <&mut [F; WIDTH]>::try_from(&mut slice[i..i + m]) {
        if *overwrite {
            *slice = *d;
        } else {
            for l in 0..WIDTH {
                slice[l] += d[l];
            }
        }
    } else {
        for (a, &b) in slice[i..i + m].iter_mut().zip(&*d) {
            *a = if *overwrite { b } else { *a + b };
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
