//! The logistic function and the logarithms built on it.

use super::exp::{ExpTable, exp};
use super::ln::{LnTable, ln_1p_unit};
use crate::kernels::real::Real;

/// Returns 1 / (1 + e⁻ˣ), which for x < 0 is e / (1 + e) with e = eˣ: the lower tail is that of the exponential.
#[inline(always)]
pub fn sigmoid<F: ExpTable>(x: F) -> F {
    let e = exp(-x.abs());
    F::select(x < F::ZERO, e, F::ONE) / (F::ONE + e)
}

/// Returns ln(1 + eˣ) = max(x, 0) + ln(1 + e^(−|x|)).
#[inline(always)]
pub fn softplus<F: ExpTable + LnTable>(x: F) -> F {
    Real::max(x, F::ZERO) + ln_1p_unit(exp(-x.abs()))
}

/// Returns ln(1 / (1 + e⁻ˣ)) = min(x, 0) − ln(1 + e^(−|x|)).
#[inline(always)]
pub fn log_sigmoid<F: ExpTable + LnTable>(x: F) -> F {
    Real::min(x, F::ZERO) - ln_1p_unit(exp(-x.abs()))
}

#[cfg(test)]
mod tests {
    use crate::kernels::poly::check::{edges, law};

    law!(
        sigmoid,
        |x| if x < 0.0 {
            x.exp() / (1.0 + x.exp())
        } else {
            1.0 / (1.0 + (-x).exp())
        },
        [(-745.0, 50.0), (-3.0, 3.0)],
        4.0,
        2.5
    );
    law!(
        softplus,
        |x| x.max(0.0) + (-x.abs()).exp().ln_1p(),
        [(-745.0, 50.0), (-3.0, 3.0)],
        3.0,
        2.0
    );
    law!(
        log_sigmoid,
        |x| x.min(0.0) - (-x.abs()).exp().ln_1p(),
        [(-50.0, 745.0), (-3.0, 3.0)],
        3.0,
        2.0
    );

    const INF: f64 = f64::INFINITY;

    edges! { sigmoid_at_its_edges, sigmoid, f64: [(INF, 1.0), (-INF, 0.0), (f64::NAN, f64::NAN), (-0.0, 0.5),
    (-745.0, 5e-324), (-800.0, 0.0), (-709.9, 4.947061357598873e-309), (800.0, 1.0)] }
    edges! { sigmoid_at_its_edges_in_f32, sigmoid, f32: [(f32::INFINITY, 1.0), (-f32::INFINITY, 0.0),
    (f32::NAN, f32::NAN), (-0.0, 0.5), (-103.0, 1e-45), (-88.0, 6.0546e-39), (-200.0, 0.0)] }
    edges! { softplus_at_its_edges, softplus, f64: [(INF, INF), (-INF, 0.0), (f64::NAN, f64::NAN),
    (0.0, std::f64::consts::LN_2), (-745.0, 5e-324), (1e300, 1e300), (-40.0, 4.248354255291589e-18)] }
    edges! { softplus_at_its_edges_in_f32, softplus, f32: [(f32::INFINITY, f32::INFINITY), (-f32::INFINITY, 0.0),
    (f32::NAN, f32::NAN), (-20.0, 2.0611537e-9), (-103.0, 1e-45), (1e30, 1e30)] }
    edges! { log_sigmoid_at_its_edges, log_sigmoid, f64: [(INF, 0.0), (-INF, -INF), (f64::NAN, f64::NAN),
    (0.0, -std::f64::consts::LN_2), (745.0, -5e-324), (-800.0, -800.0), (40.0, -4.248354255291589e-18)] }
}
