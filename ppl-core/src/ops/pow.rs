//! Powers: of two values, with a real and with an integer exponent.

use crate::kernels::real::Real;
use crate::ops::elementwise::{binary, binary_op};
use crate::tape::call::Call;
use crate::tape::op::Op;
use crate::tape::var::Var;
use crate::testing::ops::op_tests;

binary_op! { Pow, "pow", |x, y, out| x.powf(y), (y * x.powf(y - F::ONE), out * x.ln()) }

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
                d_x.put(i, d_out * F::from_f64(n as f64) * power(x, n - 1));
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
    /// ```
    #[track_caller]
    pub fn pow(self, y: Var<'t>) -> Var<'t> {
        binary::<Pow>(self, y)
    }

    /// Returns xᵖ for a number p, elementwise.
    #[track_caller]
    pub fn powf(self, p: f64) -> Var<'t> {
        self.pow(Var::from(p))
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
            (_, None) => Var::from(power(self.value(), n as i64)),
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

op_tests! { laws |x| x[0].pow(x[1]); [1.5, -2.0], [0.25, 3.0], [4.0, 0.5] }
op_tests! { real_exponent |x| x[0].powf(2.5); [1.5], [0.25], [4.0] }
op_tests! { integer_exponent |x| x[0].powi(5) + x[0].powi(-3) + x[0].powi(2) + x[0].powi(1) * x[0].powi(0);
[-1.5], [0.25], [2.0] }
