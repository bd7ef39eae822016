//! Implicit reparameterisation: how a Gamma draw moves with its concentration when its quantile is held fixed.
//!
//! For x ~ Gamma(a, 1) the derivative at fixed u = P(a, x) is dx/da = −(∂P/∂a) / (∂P/∂x); a draw at another rate
//! divides by the rate. Other families follow from independent Gamma draws by the chain rule:
//!
//! - Beta(a, b): g₁ / (g₁ + g₂) with g₁ ~ Gamma(a, 1), g₂ ~ Gamma(b, 1); so ∂/∂a = (1 − x) g₁′ / (g₁ + g₂).
//! - Dirichlet: gᵢ / Σ g; so ∂xᵢ/∂aⱼ = (δᵢⱼ − xᵢ) gⱼ′ / Σ g.
//! - StudentT(ν): z √(ν / 2 / g) with z normal and g ~ Gamma(ν/2, 1); so ∂/∂ν = ½ x (1/ν − g′ / (2 g)).
//!
//! References: Figurnov, Mohamed, Mnih (2018), Implicit reparameterization gradients; Temme (1979).

use super::gamma::{digamma, digamma_minus_ln};
use super::rational::horner;

/// From this concentration on the uniform expansion is used.
const UNIFORM_FROM: f64 = 30.0;

/// The uniform expansion holds where |ln(x / a)| is at most this.
const UNIFORM_LOG_RATIO: f64 = 0.7;

/// Below this draw the power series converges fast even where the mean is smaller still.
const SERIES_UP_TO: f64 = 1.5;

/// Returns dx/da for a draw x of Gamma(a, 1): the change of the draw with its concentration at a fixed quantile.
///
/// It is positive for x > 0, and NaN for x < 0 or a ≤ 0.
///
/// ```
/// # use ppl_core::math::gamma_draw::gamma_draw_derivative;
/// // Far above its mean a draw grows like ln x − ψ(a), far below like (x / a) (ψ(a + 1) − ln x).
/// assert!((gamma_draw_derivative(2.0, 1e-9) / (0.5e-9 * (0.922_784_335_098_467_2 + 20.723_265_836_946_41)) - 1.0).abs() < 1e-8);
/// ```
pub fn gamma_draw_derivative(a: f64, x: f64) -> f64 {
    if !(a > 0.0 && x >= 0.0) {
        return f64::NAN;
    }
    if x == 0.0 {
        return 0.0;
    }
    if a >= UNIFORM_FROM {
        let t = (x / a).ln();
        if t.abs() <= UNIFORM_LOG_RATIO {
            return uniform(a, t);
        }
    }
    if x > SERIES_UP_TO.max(a + 0.5 * a.sqrt()) {
        from_upper_fraction(a, x)
    } else {
        from_lower_series(a, x)
    }
}

/// dx/da = x/a Σₙ tₙ (ψ(a + 1 + n) − ln x) with tₙ = xⁿ / ((a + 1) … (a + n)); every term is positive below the mean.
fn from_lower_series(a: f64, x: f64) -> f64 {
    let (mut sum, mut weighted) = (1.0, 0.0);
    let (mut term, mut harmonic, mut n) = (1.0, 0.0, a);
    while term > f64::EPSILON / 4.0 * sum {
        n += 1.0;
        term *= x / n;
        harmonic += 1.0 / n;
        sum += term;
        weighted += term * harmonic;
    }
    x / a * (sum * (digamma_minus_ln(a + 1.0) - (x / (a + 1.0)).ln()) + weighted)
}

/// dx/da = x (K (ln x − ψ(a)) + ∂K/∂a) with K = Γ(a, x) / (x^a e^{−x}); both terms are positive above the mean.
///
fn from_upper_fraction(a: f64, x: f64) -> f64 {
    let (value, log_slope) = if a <= 1.0 {
        positive_fraction(a, x)
    } else {
        lentz_fraction(a, x)
    };
    let excess = if a < 1.0 {
        x.ln() - digamma(a)
    } else {
        (x / a).ln() - digamma_minus_ln(a)
    };
    x * value * (excess + log_slope)
}

/// Returns K and ∂ ln K/∂a for a ≤ 1 from the fraction 1/(x + (1−a)/(1 + 1/(x + (2−a)/(1 + 2/(x + …))))), from the back.
///
/// All parts are positive; n pairs leave an error of about e^{−4√(n x)}.
fn positive_fraction(a: f64, x: f64) -> (f64, f64) {
    let n_pairs = (110.0 / x).ceil() as u32 + 5;
    let (mut f, mut f_slope) = (x, 0.0);
    for k in (1..=n_pairs).rev().map(f64::from) {
        let g = 1.0 + k / f;
        let g_slope = -k * f_slope / (f * f);
        f = x + (k - a) / g;
        f_slope = -(1.0 + (k - a) * g_slope / g) / g;
    }
    (1.0 / f, -f_slope / f)
}

/// Returns K and ∂ ln K/∂a from the fraction 1/(x+1−a − (1−a)/(x+3−a − …)), in one pass of Lentz's algorithm.
fn lentz_fraction(a: f64, x: f64) -> (f64, f64) {
    let mut b = x + 1.0 - a;
    let mut d = 1.0 / b;
    let mut d_slope = d * d;
    let (mut value, mut log_slope) = (d, d_slope / d);
    // C starts at infinity: its reciprocal is kept, with the reciprocal's derivative.
    let (mut e, mut e_slope) = (0.0, 0.0);
    for n in 1..10_000 {
        let n = f64::from(n);
        let numerator = n * (a - n);
        b += 2.0;
        // The derivative by a of the denominator is −1, of the numerator n.
        let (c, c_slope) = (b + numerator * e, n * e + numerator * e_slope - 1.0);
        (e, e_slope) = (1.0 / c, -c_slope / (c * c));
        let (f, f_slope) = (b + numerator * d, n * d + numerator * d_slope - 1.0);
        (d, d_slope) = (1.0 / f, -f_slope / (f * f));
        let (factor, slope) = (c * d, c_slope * e + d_slope * f);
        value *= factor;
        log_slope += slope;
        if (factor - 1.0).abs() <= f64::EPSILON && slope.abs() <= f64::EPSILON * log_slope.abs() {
            break;
        }
    }
    (value, log_slope)
}

/// dx/da = Σₖ Dₖ(t) a⁻ᵏ with t = ln(x / a), from the implicit equation of dx/da in powers of 1/a.
fn uniform(a: f64, t: f64) -> f64 {
    let inverse = 1.0 / a;
    DRAW_DERIVATIVE
        .iter()
        .rev()
        .fold(0.0, |sum, row| sum * inverse + horner(row, t))
}

/// The coefficients of Dₖ(t), one row for each k (`tools/reference/uniform_expansions.py`, for a ≥ 30 and |t| ≤ 0.7).
const DRAW_DERIVATIVE: [&[f64]; 9] = [
    &[
        1.0,
        0.5,
        0.08333333333333333,
        0.0,
        -0.001388888888888889,
        0.0,
        3.306878306878307e-05,
        0.0,
        -8.267195767195768e-07,
        0.0,
        2.08767569878681e-08,
        0.0,
        -5.284190138687493e-10,
        0.0,
        1.3382536530684679e-11,
        0.0,
        -3.3896802963225827e-13,
    ],
    &[
        0.16666666666666666,
        0.08333333333333333,
        0.008333333333333333,
        -0.002777777777777778,
        -0.000496031746031746,
        9.92063492063492e-05,
        2.3148148148148147e-05,
        -3.306878306878307e-06,
        -9.394540644540645e-07,
        1.043837849393405e-07,
        3.4875654915337455e-08,
        -3.1705140832124957e-09,
        -1.2178108242923058e-09,
        9.367775571479276e-11,
        4.0676163555871e-11,
    ],
    &[
        0.016666666666666666,
        0.016666666666666666,
        0.0035714285714285713,
        -0.0007936507936507937,
        -0.00029761904761904765,
        3.968253968253968e-05,
        1.893939393939394e-05,
        -1.8037518037518038e-06,
        -1.0195657517086088e-06,
        7.55233890154525e-08,
        4.890667093048045e-08,
        -2.9640406624533607e-09,
        -2.1552181478652066e-09,
        1.1052400758283111e-10,
    ],
    &[
        -0.009523809523809525,
        -0.0011904761904761906,
        0.0017857142857142857,
        0.0001984126984126984,
        -0.00019390331890331892,
        -1.893939393939394e-05,
        1.5829078329078328e-05,
        1.359421002278145e-06,
        -1.0734553145267432e-06,
        -8.151111821746742e-08,
        6.371702289652803e-08,
        4.310436295730413e-09,
        -3.417741796444886e-09,
    ],
    &[
        -0.0035714285714285713,
        -0.0035714285714285713,
        1.8037518037518038e-05,
        0.000487012987012987,
        -2.3471898471898473e-05,
        -5.334942834942835e-05,
        4.212608379275046e-06,
        4.610138538709967e-06,
        -4.745285513842937e-07,
        -3.342885652059322e-07,
        4.1204904555581086e-08,
    ],
    &[
        0.0036075036075036075,
        -0.00036075036075036075,
        -0.0010017760017760019,
        0.00016742516742516742,
        0.00014684389684389685,
        -3.353128353128353e-05,
        -1.4957355643630154e-05,
        4.392912306077572e-06,
        1.1814477321074696e-06,
    ],
    &[
        0.0023254523254523257,
        0.0023254523254523257,
        -0.000468975468975469,
        -0.00039913789913789916,
        0.00013831484419719715,
        4.551684698743522e-05,
        -2.311719545981672e-05,
    ],
    &[
        -0.0032634032634032634,
        0.0009032634032634033,
        0.00104466611819553,
        -0.00044763243292655057,
        -0.00014495577092326319,
    ],
    &[-0.00298059783353901, -0.00298059783353901],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_draws_at_a_fixed_quantile_move_as_quadrature_says() {
        // mpmath at 30 digits: −(∂P/∂a) / pdf at a = 1.
        for (x, exact) in [
            (0.001, 0.007334456244883786),
            (1.0, 1.1735630272247268),
            (2.0, 1.6316914623497007),
            (10.0, 2.9713640918353668),
        ] {
            let got = gamma_draw_derivative(1.0, x);
            assert!(
                (got / exact - 1.0f64).abs() < 1e-14,
                "x = {x}: got {got:e}, exact {exact:e}"
            );
        }
    }

    #[test]
    fn borders_are_exact() {
        assert_eq!(gamma_draw_derivative(2.0, 0.0), 0.0);
        // For a tiny concentration the draw's derivative is e^x E₁(x) x / a = (1 − 1/x + …) / a, also where x / a overflows.
        assert!((gamma_draw_derivative(1e-300, 1e9) / 0.999_999_999e300 - 1.0).abs() < 1e-14);
        assert!(gamma_draw_derivative(0.0, 1.0).is_nan() && gamma_draw_derivative(2.0, -1.0).is_nan());
        assert!(gamma_draw_derivative(f64::NAN, 1.0).is_nan() && gamma_draw_derivative(1.0, f64::NAN).is_nan());
    }
}
