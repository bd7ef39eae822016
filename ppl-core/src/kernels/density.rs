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
    if let Some((x, params, shared)) = single::<D, P, F>(x, params, false) {
        return D::log_prob(x, params, &shared).to_f64();
    }
    let operands = Operands::<D, P, F>::new(x, params);
    let mut out = Buffer::new();
    let mut total = 0.0;
    operands.each_block(false, |elements| {
        let values = Values::<D, P, F> {
            elements,
            out: out.as_mut_ptr(),
        };
        values.run_on(elements.m);
        // SAFETY: the loop has written the first m elements.
        total += sum(unsafe { out.first(elements.m) });
    });
    total
}

/// Returns the sum as [`density_sum`] does, and writes `weight` times its derivatives, overwriting where the flag says so.
pub fn density_sum_adjoint<D: Density<P>, const P: usize, F: Real>(
    x: &[F],
    params: [&[F]; P],
    weight: F,
    d_x: Adjoint<'_, F>,
    d_params: [Adjoint<'_, F>; P],
) -> f64 {
    let operands = Operands::<D, P, F>::new(x, params);
    adjoint(operands, Seed::Weight(weight), d_x, d_params)
}

/// Computes outᵢ = log p(xᵢ; paramsᵢ).
pub fn density_each<D: Density<P>, const P: usize, F: Real>(x: &[F], params: [&[F]; P], out: &mut [F]) {
    let operands = Operands::<D, P, F>::new(x, params);
    operands.each_block(false, |elements| {
        let out = out[elements.i..elements.i + elements.m].as_mut_ptr();
        Values::<D, P, F> { elements, out }.run_on(elements.m);
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
    let operands = Operands::<D, P, F>::new(x, params);
    adjoint(operands, Seed::Each(d_out), d_x, d_params);
}

/// By what the derivatives are multiplied.
#[derive(Clone, Copy)]
enum Seed<'a, F> {
    Weight(F),
    Each(&'a [F]),
}

/// Returns `seed` · `d`, and zero for the seed zero, whatever `d` is: a masked element may be NaN.
#[inline(always)]
fn times<F: Real>(seed: F, d: F) -> F {
    F::select(seed == F::ZERO, F::ZERO, seed * d)
}

/// Writes the derivatives times the seed and returns the sum of the log density.
fn adjoint<D: Density<P>, const P: usize, F: Real>(
    operands: Operands<'_, D, P, F>,
    seed: Seed<'_, F>,
    mut d_x: Adjoint<'_, F>,
    mut d_params: [Adjoint<'_, F>; P],
) -> f64 {
    let n = operands.n;
    if let Some((x, params, shared)) = single::<D, P, F>(operands.x, operands.params, true) {
        let (by_x, by_params) = D::partials(x, params, &shared);
        let seed = match seed {
            Seed::Weight(weight) => weight,
            Seed::Each(d_out) => d_out[0],
        };
        put_one(&mut d_x, times(seed, by_x));
        for k in 0..P {
            put_one(&mut d_params[k], times(seed, by_params[k]));
        }
        return D::log_prob(x, params, &shared).to_f64();
    }
    let mut computed = MaybeUninit::<Computed<P, F>>::uninit();
    let (mut total, mut sum_x, mut sums) = (0.0, 0.0, [0.0; P]);
    operands.each_block(true, |elements| {
        let (i, m) = (elements.i, elements.m);
        let partials = Partials::<D, P, F> {
            elements,
            out: computed.as_mut_ptr(),
        };
        partials.run_on(m);
        // SAFETY: the loop has written the first m elements of each buffer, and only these are read.
        let c = unsafe { &*computed.as_ptr() };
        total += sum(unsafe { c.log_prob.first(m) });
        put(&mut d_x, i, n, &seed, unsafe { c.d_x.first(m) }, &mut sum_x);
        for k in 0..P {
            put(
                &mut d_params[k],
                i,
                n,
                &seed,
                unsafe { c.d_params[k].first(m) },
                &mut sums[k],
            );
        }
    });
    put_sum(&mut d_x, sum_x, n);
    for k in 0..P {
        put_sum(&mut d_params[k], sums[k], n);
    }
    total
}

/// Returns the numbers themselves where all operands are single ones: most terms of a model are.
#[inline(always)]
fn single<D: Density<P>, const P: usize, F: Real>(
    x: &[F],
    params: [&[F]; P],
    gradient: bool,
) -> Option<(F, [F; P], D::Shared<F>)> {
    if x.len() != 1 || params.iter().any(|p| p.len() != 1) {
        return None;
    }
    let params = params.map(|p| p[0]);
    Some((x[0], params, D::shared(params, gradient)))
}

/// Writes the derivative by an operand of one element, or adds it.
#[inline(always)]
fn put_one<F: Real>(to: &mut Adjoint<'_, F>, d: F) {
    if let Some((to, overwrite)) = to {
        to[0] = if *overwrite { d } else { to[0] + d };
    }
}

/// Elements are worked on in blocks of this length.
const BLOCK: usize = 128;

/// Blocks of fewer elements do without the wide registers, which cost a call.
const SMALL: usize = 16;

/// A loop over at most [`BLOCK`] elements.
trait BlockLoop: Loop + Sized {
    #[inline(always)]
    fn run_on(self, m: usize) -> Self::Out {
        if m < SMALL { self.run() } else { dispatch(self) }
    }
}

impl<L: Loop> BlockLoop for L {}

/// The elements of a block, written before they are read; aligned, so that no access straddles two cache lines.
#[repr(C, align(64))]
struct Buffer<F>(MaybeUninit<[F; BLOCK]>);

impl<F: Real> Buffer<F> {
    #[inline(always)]
    fn new() -> Self {
        Buffer(MaybeUninit::uninit())
    }

    #[inline(always)]
    fn as_mut_ptr(&mut self) -> *mut F {
        self.0.as_mut_ptr().cast()
    }

    /// Returns the first `m` elements.
    ///
    /// # Safety
    ///
    /// They have been written.
    #[inline(always)]
    unsafe fn first(&self, m: usize) -> &[F] {
        // SAFETY: the caller promises it; the buffer is longer.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), m.min(BLOCK)) }
    }
}

/// A value and parameters, each as long as the longest or a single number.
struct Operands<'a, D, const P: usize, F> {
    x: &'a [F],
    params: [&'a [F]; P],
    n: usize,
    density: PhantomData<D>,
}

/// A block of the operands: `m` elements of each, from number `i` on.
struct Elements<'a, D: Density<P>, const P: usize, F: Real> {
    x: *const F,
    params: [*const F; P],
    i: usize,
    m: usize,
    /// What depends on parameters alone, if it is the same for all elements.
    shared: &'a Option<D::Shared<F>>,
}

impl<D: Density<P>, const P: usize, F: Real> Clone for Elements<'_, D, P, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Density<P>, const P: usize, F: Real> Copy for Elements<'_, D, P, F> {}

impl<'a, D: Density<P>, const P: usize, F: Real> Operands<'a, D, P, F> {
    /// Puts operands together; an empty one makes all empty.
    fn new(x: &'a [F], params: [&'a [F]; P]) -> Self {
        let longest = params.iter().fold(x.len(), |n, p| n.max(p.len()));
        let is_empty = x.is_empty() || params.iter().any(|p| p.is_empty());
        let n = if is_empty { 0 } else { longest };
        for len in params.iter().map(|p| p.len()).chain([x.len()]) {
            assert!(
                len == 1 || len == n || n == 0,
                "density: operands of {len} and {n} elements; broadcast them first"
            );
        }
        Operands {
            x,
            params,
            n,
            density: PhantomData,
        }
    }

    /// Calls `f` with one block after the other; single numbers are repeated for it.
    #[inline(always)]
    fn each_block(&self, gradient: bool, mut f: impl FnMut(Elements<'_, D, P, F>)) {
        let n = self.n;
        if n == 0 {
            return;
        }
        let is_shared = (0..P).all(|k| D::SHARED & (1 << k) == 0 || self.params[k].len() == 1);
        let shared = is_shared.then(|| D::shared(self.params.map(|p| p[0]), gradient));
        let mut repeated_x = Buffer::new();
        let mut repeated = [const { Buffer(MaybeUninit::uninit()) }; P];
        repeat(self.x, n, &mut repeated_x);
        for k in 0..P {
            repeat(self.params[k], n, &mut repeated[k]);
        }
        for i in (0..n).step_by(BLOCK) {
            let part = |values: &[F], repeated: &Buffer<F>| {
                if values.len() == n {
                    values[i..].as_ptr()
                } else {
                    repeated.0.as_ptr().cast()
                }
            };
            f(Elements {
                x: part(self.x, &repeated_x),
                params: std::array::from_fn(|k| part(self.params[k], &repeated[k])),
                i,
                m: (n - i).min(BLOCK),
                shared: &shared,
            });
        }
    }
}

/// Writes a single number as often as a block of `n` elements needs it.
#[inline(always)]
fn repeat<F: Real>(values: &[F], n: usize, to: &mut Buffer<F>) {
    if values.len() != n {
        let to = to.as_mut_ptr();
        for l in 0..n.min(BLOCK) {
            // SAFETY: l is below BLOCK.
            unsafe { to.add(l).write(values[0]) };
        }
    }
}

impl<D: Density<P>, const P: usize, F: Real> Elements<'_, D, P, F> {
    /// Returns element `l` of each operand.
    ///
    /// # Safety
    ///
    /// `l` is below m.
    #[inline(always)]
    unsafe fn at(&self, l: usize) -> (F, [F; P]) {
        // SAFETY: the caller promises it; `each_block` gives pointers to m elements.
        unsafe { (*self.x.add(l), std::array::from_fn(|k| *self.params[k].add(l))) }
    }
}

/// The log density of each element.
struct Values<'a, D: Density<P>, const P: usize, F: Real> {
    elements: Elements<'a, D, P, F>,
    out: *mut F,
}

impl<D: Density<P>, const P: usize, F: Real> Loop for Values<'_, D, P, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let (e, out) = (self.elements, self.out);
        // SAFETY: l is below m in both loops, and `out` has room for m elements.
        unsafe {
            if let Some(shared) = *e.shared {
                for l in 0..e.m {
                    let (x, p) = e.at(l);
                    *out.add(l) = D::log_prob(x, p, &shared);
                }
            } else {
                for l in 0..e.m {
                    let (x, p) = e.at(l);
                    *out.add(l) = D::log_prob(x, p, &D::shared(p, false));
                }
            }
        }
    }
}

/// What [`Partials`] writes: one piece of memory, so that LLVM has few overlaps to rule out before it vectorises.
#[repr(C)]
struct Computed<const P: usize, F> {
    log_prob: Buffer<F>,
    d_x: Buffer<F>,
    d_params: [Buffer<F>; P],
}

/// The log density of each element and all its derivatives.
struct Partials<'a, D: Density<P>, const P: usize, F: Real> {
    elements: Elements<'a, D, P, F>,
    out: *mut Computed<P, F>,
}

impl<D: Density<P>, const P: usize, F: Real> Loop for Partials<'_, D, P, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let (e, out) = (self.elements, self.out);
        // SAFETY: l is below m, which is at most BLOCK.
        unsafe {
            if let Some(shared) = *e.shared {
                for l in 0..e.m {
                    let (x, p) = e.at(l);
                    set(out, l, D::log_prob(x, p, &shared), D::partials(x, p, &shared));
                }
            } else {
                for l in 0..e.m {
                    let (x, p) = e.at(l);
                    let shared = D::shared(p, true);
                    set(out, l, D::log_prob(x, p, &shared), D::partials(x, p, &shared));
                }
            }
        }
    }
}

/// Keeps the results of element `l`.
///
/// # Safety
///
/// `l` is below [`BLOCK`], and nothing else reads or writes the buffers.
#[inline(always)]
unsafe fn set<const P: usize, F: Real>(to: *mut Computed<P, F>, l: usize, log_prob: F, (d_x, d_params): (F, [F; P])) {
    // SAFETY: the caller promises it; a buffer begins with its elements.
    unsafe {
        *(&raw mut (*to).log_prob).cast::<F>().add(l) = log_prob;
        *(&raw mut (*to).d_x).cast::<F>().add(l) = d_x;
        for k in 0..P {
            *(&raw mut (*to).d_params[k]).cast::<F>().add(l) = d_params[k];
        }
    }
}

struct Total<'a, F>(&'a [F]);

impl<F: Real> Loop for Total<'_, F> {
    type Out = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        sum3(self.0, self.0, self.0, |a, _, _| a)
    }
}

fn sum<F: Real>(x: &[F]) -> f64 {
    Total(x).run_on(x.len())
}

/// Writes a block of derivatives times the seed, or adds it to the sum where the operand is a single number.
#[inline(always)]
fn put<F: Real>(to: &mut Adjoint<'_, F>, i: usize, n: usize, seed: &Seed<'_, F>, d: &[F], total: &mut f64) {
    let Some((to, overwrite)) = to else { return };
    if to.len() == n {
        let (to, overwrite) = (&mut to[i..i + d.len()], *overwrite);
        let put = Put {
            to,
            overwrite,
            i,
            seed,
            d,
        };
        put.run_on(d.len());
    } else {
        *total += match seed {
            Seed::Weight(w) => w.to_f64() * sum(d),
            Seed::Each(s) => SumOfProducts(d, &s[i..i + d.len()]).run_on(d.len()),
        };
    }
}

struct SumOfProducts<'a, F>(&'a [F], &'a [F]);

impl<F: Real> Loop for SumOfProducts<'_, F> {
    type Out = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        sum3(self.0, self.1, self.0, |d, seed, _| times(seed, d))
    }
}

/// to = seed · d, or adds it.
struct Put<'a, F> {
    to: &'a mut [F],
    overwrite: bool,
    i: usize,
    seed: &'a Seed<'a, F>,
    d: &'a [F],
}

impl<F: Real> Loop for Put<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let i = self.i;
        let pairs = self.to.iter_mut().zip(self.d);
        match (*self.seed, self.overwrite) {
            (Seed::Weight(w), true) => pairs.for_each(|(to, &d)| *to = w * d),
            (Seed::Weight(w), false) => pairs.for_each(|(to, &d)| *to += w * d),
            (Seed::Each(s), true) => pairs.zip(&s[i..]).for_each(|((to, &d), &s)| *to = times(s, d)),
            (Seed::Each(s), false) => pairs.zip(&s[i..]).for_each(|((to, &d), &s)| *to += times(s, d)),
        }
    }
}

/// Writes the derivative by a single number.
#[inline(always)]
fn put_sum<F: Real>(to: &mut Adjoint<'_, F>, sum: f64, n: usize) {
    if let Some((to, overwrite)) = to
        && to.len() != n
    {
        let sum = F::from_f64(sum);
        to[0] = if *overwrite { sum } else { to[0] + sum };
    }
}
