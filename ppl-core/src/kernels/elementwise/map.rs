//! Elementwise loops over one or two operands and their adjoints, compiled once per op and instruction set.

use std::marker::PhantomData;

use crate::kernels::dispatch::{Loop, dispatch};
use crate::kernels::real::Real;
use crate::kernels::simd::lanes::sum3;

/// A function of one number, as a type without a value; both methods are `#[inline(always)]`.
pub trait Map1 {
    /// Returns f(x).
    fn value<F: Real>(x: F) -> F;
    /// Returns f′(x), where `out` is f(x).
    fn derivative<F: Real>(x: F, out: F) -> F;

    /// Whether there is a shortcut.
    const HAS_SHORTCUT: bool = false;
    /// Returns whether [`Map1::derivative`] is [`Map1::shortcut`] at this value, to the bit.
    fn allows_shortcut<F: Real>(_out: F) -> bool {
        false
    }
    /// Returns f′(x) from f(x) alone, which costs less and loses the digits of some values.
    fn shortcut<F: Real>(out: F) -> F {
        out
    }
}

/// A function of two numbers, as a type without a value; both methods are `#[inline(always)]`.
pub trait Map2 {
    /// Returns f(x, y).
    fn value<F: Real>(x: F, y: F) -> F;
    /// Returns (∂f/∂x, ∂f/∂y), where `out` is f(x, y).
    fn partials<F: Real>(x: F, y: F, out: F) -> (F, F);
}

/// Writes out = f(x), elementwise.
///
/// # Panics
/// If the slices differ in length.
#[inline]
pub fn map1<M: Map1, F: Real>(x: &[F], out: &mut [F]) {
    assert_eq!(x.len(), out.len(), "map1: operand and output differ in length");
    if let ([x], [out]) = (x, &mut *out) {
        *out = M::value(*x);
        return;
    }
    dispatch(Value1::<M, F> {
        x,
        out,
        map: PhantomData,
    })
}

/// Adds d_out · f′(x) to d_x, elementwise, or writes it there if `overwrite`.
///
/// # Panics
/// If the slices differ in length.
#[inline]
pub fn map1_adjoint<M: Map1, F: Real>(x: &[F], out: &[F], d_out: &[F], d_x: &mut [F], overwrite: bool) {
    let n = out.len();
    assert!(
        x.len() == n && d_out.len() == n && d_x.len() == n,
        "map1_adjoint: the slices differ in length"
    );
    if overwrite {
        dispatch(Adjoint1::<M, F, true> {
            x,
            out,
            d_out,
            d_x,
            map: PhantomData,
        })
    } else {
        dispatch(Adjoint1::<M, F, false> {
            x,
            out,
            d_out,
            d_x,
            map: PhantomData,
        })
    }
}

/// Writes out = f(x, y), elementwise; x or y may be one number for all of out.
///
/// # Panics
/// If neither operand has the output's length, or one has neither that nor length 1.
#[inline]
pub fn map2<M: Map2, F: Real>(x: &[F], y: &[F], out: &mut [F]) {
    if let ([x], [y], [out]) = (x, y, &mut *out) {
        *out = M::value(*x, *y);
        return;
    }
    match Operands::of(x.len(), y.len(), out.len()) {
        Operands::Both => dispatch(ValueVv::<M, F> {
            x,
            y,
            out,
            map: PhantomData,
        }),
        Operands::ScalarY => dispatch(ValueVs::<M, F> {
            x,
            y: y[0],
            out,
            map: PhantomData,
        }),
        Operands::ScalarX => dispatch(ValueVs::<Swapped<M>, F> {
            x: y,
            y: x[0],
            out,
            map: PhantomData,
        }),
    }
}

/// Adds d_out · ∂f/∂x to d_x, or writes it there if `overwrite`; for a scalar x, the sum over all elements.
///
/// # Panics
/// If the lengths do not fit as in [`map2`], or d_x has not the length of x.
#[inline]
pub fn map2_adjoint_x<M: Map2, F: Real>(x: &[F], y: &[F], out: &[F], d_out: &[F], d_x: &mut [F], overwrite: bool) {
    assert_eq!(
        d_out.len(),
        out.len(),
        "map2 adjoint: output and its adjoint differ in length"
    );
    assert_eq!(
        d_x.len(),
        x.len(),
        "map2 adjoint: operand and its adjoint differ in length"
    );
    match (Operands::of(x.len(), y.len(), out.len()), overwrite) {
        (Operands::Both, true) => dispatch(AdjointVv::<M, F, true> {
            x,
            y,
            out,
            d_out,
            d_x,
            map: PhantomData,
        }),
        (Operands::Both, false) => dispatch(AdjointVv::<M, F, false> {
            x,
            y,
            out,
            d_out,
            d_x,
            map: PhantomData,
        }),
        (Operands::ScalarY, true) => dispatch(AdjointVs::<M, F, true> {
            x,
            y: y[0],
            out,
            d_out,
            d_x,
            map: PhantomData,
        }),
        (Operands::ScalarY, false) => dispatch(AdjointVs::<M, F, false> {
            x,
            y: y[0],
            out,
            d_out,
            d_x,
            map: PhantomData,
        }),
        (Operands::ScalarX, _) => {
            let sum = dispatch(AdjointSv::<M, F> {
                x: x[0],
                y,
                out,
                d_out,
                map: PhantomData,
            });
            d_x[0] = if overwrite { sum } else { d_x[0] + sum };
        }
    }
}

/// Adds d_out · ∂f/∂y to d_y, or writes it there if `overwrite`; for a scalar y, the sum over all elements.
///
/// # Panics
/// If the lengths do not fit as in [`map2`], or d_y has not the length of y.
#[inline]
pub fn map2_adjoint_y<M: Map2, F: Real>(x: &[F], y: &[F], out: &[F], d_out: &[F], d_y: &mut [F], overwrite: bool) {
    map2_adjoint_x::<Swapped<M>, F>(y, x, out, d_out, d_y, overwrite)
}

/// f with its operands exchanged.
struct Swapped<M>(PhantomData<M>);

impl<M: Map2> Map2 for Swapped<M> {
    #[inline(always)]
    fn value<F: Real>(x: F, y: F) -> F {
        M::value(y, x)
    }
    #[inline(always)]
    fn partials<F: Real>(x: F, y: F, out: F) -> (F, F) {
        let (d_y, d_x) = M::partials(y, x, out);
        (d_x, d_y)
    }
}

/// Which of two operands is one number for all elements.
enum Operands {
    Both,
    ScalarX,
    ScalarY,
}

impl Operands {
    #[inline(always)]
    fn of(x: usize, y: usize, out: usize) -> Self {
        if x == out && y == out {
            Operands::Both
        } else if x == out && y == 1 {
            Operands::ScalarY
        } else if x == 1 && y == out {
            Operands::ScalarX
        } else {
            panic!("map2: operands of lengths {x} and {y} do not fit an output of length {out}; broadcast them first")
        }
    }
}

/// Writes the term or adds it.
#[inline(always)]
fn store<F: Real, const OVERWRITE: bool>(d_x: &mut F, term: F) {
    if OVERWRITE {
        *d_x = term;
    } else {
        *d_x += term;
    }
}

struct Value1<'a, M, F> {
    x: &'a [F],
    out: &'a mut [F],
    map: PhantomData<M>,
}

impl<M: Map1, F: Real> Loop for Value1<'_, M, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        for (out, &x) in self.out.iter_mut().zip(self.x) {
            *out = M::value(x);
        }
    }
}

struct Adjoint1<'a, M, F, const OVERWRITE: bool> {
    x: &'a [F],
    out: &'a [F],
    d_out: &'a [F],
    d_x: &'a mut [F],
    map: PhantomData<M>,
}

impl<M: Map1, F: Real, const OVERWRITE: bool> Loop for Adjoint1<'_, M, F, OVERWRITE> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        if !M::HAS_SHORTCUT {
            return adjoint1::<M, F, OVERWRITE>(self.x, self.out, self.d_out, self.d_x);
        }
        let (x, out) = (self.x.chunks(SHORT), self.out.chunks(SHORT));
        let rows = x.zip(out).zip(self.d_out.chunks(SHORT)).zip(self.d_x.chunks_mut(SHORT));
        for (((x, out), d_out), d_x) in rows {
            if out.iter().fold(true, |all, &out| all & M::allows_shortcut(out)) {
                for ((d_x, &out), &d_out) in d_x.iter_mut().zip(out).zip(d_out) {
                    store::<F, OVERWRITE>(d_x, d_out * M::shortcut(out));
                }
            } else {
                adjoint1::<M, F, OVERWRITE>(x, out, d_out, d_x);
            }
        }
    }
}

/// How many neighbours take the shortcut, or none of them.
const SHORT: usize = 32;

#[inline(always)]
fn adjoint1<M: Map1, F: Real, const OVERWRITE: bool>(x: &[F], out: &[F], d_out: &[F], d_x: &mut [F]) {
    for (((d_x, &x), &out), &d_out) in d_x.iter_mut().zip(x).zip(out).zip(d_out) {
        store::<F, OVERWRITE>(d_x, d_out * M::derivative(x, out));
    }
}

struct ValueVv<'a, M, F> {
    x: &'a [F],
    y: &'a [F],
    out: &'a mut [F],
    map: PhantomData<M>,
}

impl<M: Map2, F: Real> Loop for ValueVv<'_, M, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        for ((out, &x), &y) in self.out.iter_mut().zip(self.x).zip(self.y) {
            *out = M::value(x, y);
        }
    }
}

struct ValueVs<'a, M, F> {
    x: &'a [F],
    y: F,
    out: &'a mut [F],
    map: PhantomData<M>,
}

impl<M: Map2, F: Real> Loop for ValueVs<'_, M, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        for (out, &x) in self.out.iter_mut().zip(self.x) {
            *out = M::value(x, self.y);
        }
    }
}

struct AdjointVv<'a, M, F, const OVERWRITE: bool> {
    x: &'a [F],
    y: &'a [F],
    out: &'a [F],
    d_out: &'a [F],
    d_x: &'a mut [F],
    map: PhantomData<M>,
}

impl<M: Map2, F: Real, const OVERWRITE: bool> Loop for AdjointVv<'_, M, F, OVERWRITE> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let operands = self.x.iter().zip(self.y).zip(self.out).zip(self.d_out);
        for (d_x, (((&x, &y), &out), &d_out)) in self.d_x.iter_mut().zip(operands) {
            store::<F, OVERWRITE>(d_x, d_out * M::partials(x, y, out).0);
        }
    }
}

struct AdjointVs<'a, M, F, const OVERWRITE: bool> {
    x: &'a [F],
    y: F,
    out: &'a [F],
    d_out: &'a [F],
    d_x: &'a mut [F],
    map: PhantomData<M>,
}

impl<M: Map2, F: Real, const OVERWRITE: bool> Loop for AdjointVs<'_, M, F, OVERWRITE> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        for (((d_x, &x), &out), &d_out) in self.d_x.iter_mut().zip(self.x).zip(self.out).zip(self.d_out) {
            store::<F, OVERWRITE>(d_x, d_out * M::partials(x, self.y, out).0);
        }
    }
}

struct AdjointSv<'a, M, F> {
    x: F,
    y: &'a [F],
    out: &'a [F],
    d_out: &'a [F],
    map: PhantomData<M>,
}

impl<M: Map2, F: Real> Loop for AdjointSv<'_, M, F> {
    type Out = F;

    #[inline(always)]
    fn run(self) -> F {
        F::from_f64(sum3(self.y, self.out, self.d_out, |y, out, d_out| {
            d_out * M::partials(self.x, y, out).0
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Square;
    impl Map1 for Square {
        #[inline(always)]
        fn value<F: Real>(x: F) -> F {
            x * x
        }
        #[inline(always)]
        fn derivative<F: Real>(x: F, _out: F) -> F {
            x + x
        }
    }

    /// An asymmetric function whose partials use all their arguments: x / y.
    struct Quotient;
    impl Map2 for Quotient {
        #[inline(always)]
        fn value<F: Real>(x: F, y: F) -> F {
            x / y
        }
        #[inline(always)]
        fn partials<F: Real>(_x: F, y: F, out: F) -> (F, F) {
            (F::ONE / y, -out / y)
        }
    }

    const LENGTHS: [usize; 9] = [0, 1, 2, 7, 8, 25, 33, 64, 1030];

    fn ramp<F: Real>(n: usize, start: f64, step: f64) -> Vec<F> {
        (0..n).map(|i| F::from_f64(start + step * i as f64)).collect()
    }

    fn one_operand_agrees_with_naive<F: Real>() {
        for n in LENGTHS {
            let x = ramp::<F>(n, -3.0, 0.7);
            let d_out = ramp::<F>(n, 1.0, -0.3);
            let mut out = ramp::<F>(n, 9.0, 0.0);
            map1::<Square, F>(&x, &mut out);
            let mut written = ramp::<F>(n, 5.0, 0.5);
            let mut added = written.clone();
            map1_adjoint::<Square, F>(&x, &out, &d_out, &mut written, true);
            map1_adjoint::<Square, F>(&x, &out, &d_out, &mut added, false);
            let before = ramp::<F>(n, 5.0, 0.5);
            for i in 0..n {
                assert_eq!(out[i], x[i] * x[i]);
                assert_eq!(written[i], d_out[i] * (x[i] + x[i]));
                assert_eq!(added[i], before[i] + d_out[i] * (x[i] + x[i]));
            }
        }
    }

    /// Checks value and both adjoints for operands of `n_x` and `n_y` elements, each `n` or 1.
    fn two_operands_agree_with_naive<F: Real>(n: usize, n_x: usize, n_y: usize, tolerance: f64) {
        let x = ramp::<F>(n_x, -3.0, 0.7);
        let y = ramp::<F>(n_y, 2.0, 0.1);
        let d_out = ramp::<F>(n, 1.0, -0.3);
        let mut out = ramp::<F>(n, 9.0, 0.0);
        map2::<Quotient, F>(&x, &y, &mut out);
        let (mut naive_x, mut naive_y) = (vec![0.0; n_x], vec![0.0; n_y]);
        for i in 0..n {
            let (i_x, i_y) = (i % n_x, i % n_y);
            assert_eq!(out[i], x[i_x] / y[i_y]);
            naive_x[i_x] += (d_out[i] / y[i_y]).to_f64();
            naive_y[i_y] += (-d_out[i] * out[i] / y[i_y]).to_f64();
        }
        let close = |got: F, want: f64| {
            let error = (got.to_f64() - want).abs() / (1.0 + want.abs());
            assert!(error <= tolerance, "{got} against {want} for lengths {n_x}, {n_y}, {n}");
        };
        for overwrite in [true, false] {
            let mut d_x = ramp::<F>(n_x, 5.0, 0.5);
            let mut d_y = ramp::<F>(n_y, 5.0, 0.5);
            let before = |i: usize| if overwrite { 0.0 } else { 5.0 + 0.5 * i as f64 };
            map2_adjoint_x::<Quotient, F>(&x, &y, &out, &d_out, &mut d_x, overwrite);
            map2_adjoint_y::<Quotient, F>(&x, &y, &out, &d_out, &mut d_y, overwrite);
            (0..n_x).for_each(|i| close(d_x[i], before(i) + naive_x[i]));
            (0..n_y).for_each(|i| close(d_y[i], before(i) + naive_y[i]));
        }
    }

    #[test]
    fn maps_of_one_operand_agree_with_naive_loops() {
        one_operand_agrees_with_naive::<f64>();
        one_operand_agrees_with_naive::<f32>();
    }

    #[test]
    fn maps_of_two_operands_agree_with_naive_loops() {
        for n in &LENGTHS[1..] {
            for (n_x, n_y) in [(*n, *n), (*n, 1), (1, *n)] {
                two_operands_agree_with_naive::<f64>(*n, n_x, n_y, 1e-13);
                two_operands_agree_with_naive::<f32>(*n, n_x, n_y, 3e-5);
            }
        }
    }

    #[test]
    fn a_scalar_operand_of_an_empty_output_has_no_adjoint() {
        let mut d_x = [3.0];
        map2_adjoint_x::<Quotient, f64>(&[1.0], &[], &[], &[], &mut d_x, true);
        assert_eq!(d_x, [0.0]);
    }

    #[test]
    #[should_panic(expected = "operands of lengths 2 and 3 do not fit an output of length 3")]
    fn lengths_that_do_not_fit_are_refused() {
        map2::<Quotient, f64>(&[1.0, 2.0], &[1.0; 3], &mut [0.0; 3]);
    }
}
