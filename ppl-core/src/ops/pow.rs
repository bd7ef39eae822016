//! Powers: of two values, with a real and with an integer exponent.

use crate::kernels::real::Real;
use crate::ops::elementwise::binary_op;
use crate::ops::param::Operand;
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;
#[cfg(test)]
use crate::testing::ops::op_tests;

// Where a factor is zero the derivative is zero, though the other may be infinite: x⁰ and 0ʸ are constant there.
binary_op! { Pow, "pow", |x, y, out| x.powf(y), (
    F::select(y == F::ZERO, F::ZERO, y * x.powf(y - F::ONE)),
    F::select((out == F::ZERO) & (x == F::ZERO), F::ZERO, out * x.ln()),
) }

/// xⁿ; attribute 0 is the integer n.
struct PowI;

impl Op for PowI {
    const NAME: &'static str = "powi";
    const ELEMENTWISE: bool = true;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let n = call.attr(0) as i64;
        for (out, &x) in call.out().iter_mut().zip(call.x(0)) {
            *out = power(x, n);
        }
    }

    fn backward<F: Real>(call: &mut Call<'_, F>) {
        let n = call.attr(0) as i64;
        let (x, d_out) = (call.x(0), call.d_out());
        if let Some(mut d_x) = call.grad(0) {
            for (i, (&x, &d_out)) in x.iter().zip(d_out).enumerate() {
                // x⁰ is constant, at zero too, where 1 / x is infinite.
                let d = if n == 0 {
                    F::ZERO
                } else {
                    F::from_f64(n as f64) * power(x, n - 1)
                };
                d_x.put(i, d_out * d);
            }
        }
    }
}

/// Returns xⁿ by repeated squaring.
#[inline(always)]
fn power<F: Real>(x: F, n: i64) -> F {
    let mut base = if n < 0 { F::ONE / x } else { x };
    let mut left = n.unsigned_abs();
    let mut out = F::ONE;
    while left > 0 {
        if left & 1 == 1 {
            out *= base;
        }
        base *= base;
        left >>= 1;
    }
    out
}

impl<'t> Var<'t> {
    /// Returns xʸ, elementwise; NaN for negative x unless y is an integer.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(2.0).pow(Var::from(3.0)).value(), 8.0);
    /// assert_eq!(Var::from(-2.0).pow(2).value(), 4.0);
    /// ```
    #[track_caller]
    pub fn pow(self, y: impl Operand<'t>) -> Var<'t> {
        let y = y.into_param().beside(self);
        match y.as_constant() {
            Some(1.0) => self,
            Some(2.0) => self.square(),
            _ => Pow::of(self, y),
        }
    }

    /// Returns xᵖ for a number p, elementwise.
    #[track_caller]
    pub fn powf(self, p: f64) -> Var<'t> {
        self.pow(p)
    }

    /// Returns xⁿ for an integer n, elementwise, by repeated squaring.
    ///
    /// ```
    /// # use ppl_core::tape::var::Var;
    /// assert_eq!(Var::from(-2.0).powi(3).value(), -8.0);
    /// ```
    pub fn powi(self, n: i32) -> Var<'t> {
        match (n, self.tape()) {
            (1, _) => self,
            (2, _) => self.square(),
            (_, None) => self.as_constant().map_or(self, |x| Var::from(power(x, n as i64))),
            (_, Some(tape)) => tape.record(
                PowI::DEF,
                &[self],
                &[n as i64 as u64],
                &self.dims(),
                &self.event_shape(),
                0,
            ),
        }
    }
}

#[cfg(test)]
op_tests! { laws |x| x[0].pow(x[1]); [1.5, -2.0], [0.25, 3.0], [4.0, 0.5] }
#[cfg(test)]
op_tests! { numbers |x| x[0].pow(2) + x[0].pow(1) * x[0].pow(3) + x[0].pow([0.5, -1.5]).sum(); [1.5], [0.25] }
#[cfg(test)]
op_tests! { real_exponent |x| x[0].powf(2.5); [1.5], [0.25], [4.0] }
#[cfg(test)]
op_tests! { integer_exponent |x| x[0].powi(5) + x[0].powi(-3) + x[0].powi(2) + x[0].powi(1) * x[0].powi(0);
[-1.5], [0.25], [2.0] }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::sum::SumTerm;
    use crate::rng::Key;
    use crate::tape::gradient::gradient;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;

    #[test]
    fn powers_of_zero_have_the_derivatives_of_polynomials() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.input(0, &[], &[], &[0.0], false);
        let n = tape.input(1, &[], &[], &[2.0], false);
        let zero = tape.input(2, &[], &[], &[0.0], false);
        let sum = x.powi(0) + 3 * x.powi(1) + x.powi(3) + x.pow(n) + x.pow(zero).detach() + (x + 1).pow(zero);
        tape.term(SumTerm::DEF, &[sum + x.powf(0.0)], &[], 0, 1.0, 0);
        assert_eq!(gradient(&tape), [3.0, 0.0, 0.0]);
    }
}
