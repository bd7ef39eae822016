//! Loops over the log density of a univariate distribution: its sum with all derivatives in one pass, or element by element.

// Several arrays are walked by one index in these loops.
#![allow(clippy::needless_range_loop)]

use std::marker::PhantomData;
use std::mem::MaybeUninit;

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

/// Elements are worked on in blocks of this length, as plain loops over aligned buffers on the stack.
///
/// Nothing is copied into these buffers: what one width of register has stored and another loads waits for the cache.
const BLOCK: usize = 128;

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

/// The elements of a block, aligned so that no access straddles two cache lines; read only where written.
#[repr(align(64))]
struct Buffer<F>(MaybeUninit<[F; BLOCK]>);

impl<F: Real> Buffer<F> {
    const NEW: Self = Buffer(MaybeUninit::uninit());

    /// Writes element `l`.
    ///
    /// # Safety
    ///
    /// `l` is below [`BLOCK`].
    #[inline(always)]
    unsafe fn set(&mut self, l: usize, value: F) {
        // SAFETY: the caller promises it.
        unsafe { *self.0.as_mut_ptr().cast::<F>().add(l) = value };
    }

    /// Returns the first `m` elements.
    ///
    /// # Safety
    ///
    /// They have been written, and `m` is at most [`BLOCK`].
    #[inline(always)]
    unsafe fn first(&self, m: usize) -> &[F] {
        // SAFETY: the caller promises it.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), m) }
    }
}

/// Single numbers, repeated for a block.
struct Repeated<const P: usize, F> {
    x: Buffer<F>,
    params: [Buffer<F>; P],
}

/// Repeats a single number as often as a block of `n` elements needs it.
#[inline(always)]
fn repeat<F: Real>(values: &[F], n: usize, to: &mut Buffer<F>) {
    if values.len() == 1 {
        for l in 0..n.min(BLOCK) {
            // SAFETY: l is below BLOCK.
            unsafe { to.set(l, values[0]) };
        }
    }
}

impl<'a, const P: usize, F: Real> Operands<'a, P, F> {
    #[inline(always)]
    fn repeated(&self, n: usize) -> Repeated<P, F> {
        let mut repeated = Repeated {
            x: Buffer::NEW,
            params: [const { Buffer::NEW }; P],
        };
        repeat(self.x, n, &mut repeated.x);
        for k in 0..P {
            repeat(self.params[k], n, &mut repeated.params[k]);
        }
        repeated
    }

    /// Returns elements `i` to `i + m`.
    #[inline(always)]
    fn block<'b>(&self, repeated: &'b Repeated<P, F>, i: usize, m: usize) -> (&'b [F], [&'b [F]; P])
    where
        'a: 'b,
    {
        let part = |values: &'a [F], one: &'b Buffer<F>| {
            if values.len() == 1 {
                // SAFETY: `repeated` has written as many as a block has.
                unsafe { one.first(m) }
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

/// Returns element `l` of each slice.
///
/// # Safety
///
/// Each slice is longer than `l`.
#[inline(always)]
unsafe fn pick<F: Real, const P: usize>(x: &[F], params: &[&[F]; P], l: usize) -> (F, [F; P]) {
    // SAFETY: the caller promises it.
    unsafe {
        (
            *x.get_unchecked(l),
            std::array::from_fn(|k| *params[k].get_unchecked(l)),
        )
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
        let repeated = self.operands.repeated(self.n);
        let is_shared = self.operands.is_shared::<D>();
        let shared = D::shared(self.operands.first(), false);
        let mut out = Buffer::NEW;
        let mut total = 0.0;
        for i in (0..self.n).step_by(BLOCK) {
            let m = (self.n - i).min(BLOCK);
            let (x, params) = self.operands.block(&repeated, i, m);
            // SAFETY: `block` returns slices of length m, which is at most BLOCK.
            let out = unsafe {
                if is_shared {
                    for l in 0..m {
                        let (x, p) = pick(x, &params, l);
                        out.set(l, D::log_prob(x, p, &shared));
                    }
                } else {
                    for l in 0..m {
                        let (x, p) = pick(x, &params, l);
                        out.set(l, D::log_prob(x, p, &D::shared(p, false)));
                    }
                }
                out.first(m)
            };
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
        let repeated = self.operands.repeated(n);
        for i in (0..n).step_by(BLOCK) {
            let m = (n - i).min(BLOCK);
            let (x, params) = self.operands.block(&repeated, i, m);
            let out = &mut self.out[i..i + m];
            for l in 0..m {
                // SAFETY: `block` returns slices of length m.
                let (x, p) = unsafe { pick(x, &params, l) };
                out[l] = D::log_prob(x, p, &D::shared(p, false));
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
    log_prob: Buffer<F>,
    d_x: Buffer<F>,
    d_params: [Buffer<F>; P],
}

impl<D: Density<P>, const P: usize, F: Real> WithAdjoint<'_, D, P, F> {
    /// One element after the other.
    fn small(mut self) -> f64 {
        let mut total = 0.0;
        let (mut sum_x, mut sums) = (0.0, [0.0; P]);
        let is_shared = self.operands.is_shared::<D>();
        let mut shared = D::shared(self.operands.first(), true);
        let seed = self.seed;
        for i in 0..self.n {
            let (x, p) = (at(self.operands.x, i), at_all(&self.operands.params, i));
            if !is_shared {
                shared = D::shared(p, true);
            }
            let (d_x, d_params) = D::partials(x, p, &shared);
            total += D::log_prob(x, p, &shared).to_f64();
            let seed = match seed {
                Seed::Weight(weight) => weight,
                Seed::Each(d_out) => d_out[i],
            };
            put_one(&mut self.d_x, i, self.n, times(seed, d_x), &mut sum_x);
            for k in 0..P {
                put_one(&mut self.d_params[k], i, self.n, times(seed, d_params[k]), &mut sums[k]);
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
        let repeated = self.operands.repeated(self.n);
        let is_shared = self.operands.is_shared::<D>();
        let shared = D::shared(self.operands.first(), true);
        let mut c = Computed {
            log_prob: Buffer::NEW,
            d_x: Buffer::NEW,
            d_params: [const { Buffer::NEW }; P],
        };
        let (mut total, mut sum_x, mut sums) = (0.0, 0.0, [0.0; P]);
        for i in (0..self.n).step_by(BLOCK) {
            let m = (self.n - i).min(BLOCK);
            let (x, params) = self.operands.block(&repeated, i, m);
            if is_shared {
                for l in 0..m {
                    // SAFETY: `block` returns slices of length m, which is at most BLOCK.
                    unsafe {
                        let (x, p) = pick(x, &params, l);
                        c.set(l, D::log_prob(x, p, &shared), D::partials(x, p, &shared));
                    }
                }
            } else {
                for l in 0..m {
                    // SAFETY: as above.
                    unsafe {
                        let (x, p) = pick(x, &params, l);
                        let shared = D::shared(p, true);
                        c.set(l, D::log_prob(x, p, &shared), D::partials(x, p, &shared));
                    }
                }
            }
            // SAFETY: the first m elements have just been written.
            unsafe {
                let log_prob = c.log_prob.first(m);
                total += sum3(log_prob, log_prob, log_prob, |a, _, _| a);
                put(&mut self.d_x, i, self.n, &self.seed, c.d_x.first(m), &mut sum_x);
                for k in 0..P {
                    put(
                        &mut self.d_params[k],
                        i,
                        self.n,
                        &self.seed,
                        c.d_params[k].first(m),
                        &mut sums[k],
                    );
                }
            }
        }
        self.put_sums(sum_x, sums);
        total
    }
}

impl<const P: usize, F: Real> Computed<P, F> {
    /// Keeps the results of element `l`.
    ///
    /// # Safety
    ///
    /// `l` is below [`BLOCK`].
    #[inline(always)]
    unsafe fn set(&mut self, l: usize, log_prob: F, (d_x, d_params): (F, [F; P])) {
        // SAFETY: the caller promises it.
        unsafe {
            self.log_prob.set(l, log_prob);
            self.d_x.set(l, d_x);
            for k in 0..P {
                self.d_params[k].set(l, d_params[k]);
            }
        }
    }
}

/// Returns `seed` · `d`, and zero for the seed zero, whatever `d` is: a masked element may be NaN.
#[inline(always)]
fn times<F: Real>(seed: F, d: F) -> F {
    F::select(seed == F::ZERO, F::ZERO, seed * d)
}

/// Writes a block of derivatives times the seed, or adds it to the sum where the operand is a single number.
#[inline(always)]
fn put<F: Real>(to: &mut Adjoint<'_, F>, i: usize, n: usize, seed: &Seed<'_, F>, d: &[F], sum: &mut f64) {
    let Some((slice, overwrite)) = to else { return };
    if slice.len() == 1 && n != 1 {
        *sum += match seed {
            Seed::Weight(w) => sum3(d, d, d, |d, _, _| times(*w, d)),
            Seed::Each(s) => sum3(d, &s[i..i + d.len()], d, |d, s, _| times(s, d)),
        };
        return;
    }
    let to = slice[i..i + d.len()].iter_mut().zip(d);
    match (seed, *overwrite) {
        (Seed::Weight(w), true) => to.for_each(|(to, &d)| *to = times(*w, d)),
        (Seed::Weight(w), false) => to.for_each(|(to, &d)| *to += times(*w, d)),
        (Seed::Each(s), true) => to.zip(&s[i..]).for_each(|((to, &d), &s)| *to = times(s, d)),
        (Seed::Each(s), false) => to.zip(&s[i..]).for_each(|((to, &d), &s)| *to += times(s, d)),
    }
}

/// Writes the derivative by one element, or adds it to the sum where the operand is a single number.
#[inline(always)]
fn put_one<F: Real>(to: &mut Adjoint<'_, F>, i: usize, n: usize, d: F, sum: &mut f64) {
    match to {
        None => {}
        Some((slice, _)) if slice.len() == 1 && n != 1 => *sum += d.to_f64(),
        Some((slice, true)) => slice[i] = d,
        Some((slice, false)) => slice[i] += d,
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
