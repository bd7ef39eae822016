//! The regularised incomplete gamma functions P and Q, the distribution functions of Gamma draws.
//!
//! Where the mean a is large and x near it: Temme's uniform expansion. Else below the mean the power series,
//! above it the continued fraction; both times a factor in saddle-point form, so that large a costs no digits.
//! Reference: Temme (1979), The asymptotic expansion of the incomplete gamma functions; DLMF 8.11 and 8.12.

use std::f64::consts::PI;

use super::erf::erfc;
use super::gamma::{bd0, ln_gamma_difference, stirlerr};
use super::rational::horner;

/// From this concentration on the uniform expansion is used.
const UNIFORM_FROM: f64 = 30.0;

/// The uniform expansion holds where η² is at most this; η²/2 = x/a − 1 − ln(x/a).
const UNIFORM_ETA_SQUARED: f64 = 0.49;

/// Below this argument the power series converges fast even where the mean is smaller still.
const SERIES_UP_TO: f64 = 1.1;

/// Returns P(a, x) = 1/Γ(a) ∫₀ˣ t^{a−1} e^{−t} dt for a > 0: the probability that a Gamma(a, 1) draw is at most x.
///
/// It is 0 for x ≤ 0 and NaN for negative a.
///
/// ```
/// # use ppl_core::math::incomplete_gamma::gamma_p;
/// assert!((gamma_p(1.0, 2.0) + (-2f64).exp_m1()).abs() < 1e-16);
/// ```
pub fn gamma_p(a: f64, x: f64) -> f64 {
    gamma_p_and_q(a, x).0
}

/// Returns Q(a, x) = 1 − P(a, x) without cancellation: the probability that a Gamma(a, 1) draw exceeds x.
///
/// ```
/// # use ppl_core::math::incomplete_gamma::gamma_q;
/// assert!((gamma_q(1.0, 50.0) / (-50f64).exp() - 1.0).abs() < 1e-14);
/// ```
pub fn gamma_q(a: f64, x: f64) -> f64 {
    gamma_p_and_q(a, x).1
}

/// Returns P and Q together.
fn gamma_p_and_q(a: f64, x: f64) -> (f64, f64) {
    if a.is_nan() || x.is_nan() || a < 0.0 {
        return (f64::NAN, f64::NAN);
    }
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if a == 0.0 || x == f64::INFINITY {
        return (1.0, 0.0);
    }
    let deviance = bd0(a, x);
    if a >= UNIFORM_FROM && deviance <= 0.5 * UNIFORM_ETA_SQUARED * a {
        return uniform(a, x, deviance);
    }
    if x > a.max(SERIES_UP_TO) {
        let q = a * leading_factor(a, x, deviance) * upper_fraction(a, x);
        return (1.0 - q, q);
    }
    let p = leading_factor(a, x, deviance) * lower_series(a, x);
    let q = if a < 1.0 && p > 0.5 {
        upper_for_small_concentration(a, x)
    } else {
        1.0 - p
    };
    (p, q)
}

/// Returns x^a e^{−x} / Γ(a + 1).
fn leading_factor(a: f64, x: f64, deviance: f64) -> f64 {
    if a < 1.0 {
        (a * x.ln() - x - ln_gamma_difference(1.0, a)).exp()
    } else {
        (-deviance - stirlerr(a)).exp() / (2.0 * PI * a).sqrt()
    }
}

/// Returns Σₙ xⁿ / ((a + 1) … (a + n)), which is P over the leading factor.
fn lower_series(a: f64, x: f64) -> f64 {
    let (mut sum, mut term, mut n) = (1.0, 1.0, a);
    while term > f64::EPSILON / 4.0 * sum {
        n += 1.0;
        term *= x / n;
        sum += term;
    }
    sum
}

/// Returns Γ(a, x) / (x^a e^{−x}) for x beyond a and beyond about one, by a continued fraction.
///
/// For a ≤ 1 it is 1/(x + (1−a)/(1 + 1/(x + (2−a)/(1 + 2/(x + …))))), where all parts are positive, from the back:
/// n pairs leave an error of about e^{−4√(n x)}. Else the contraction 1/(x+1−a − (1−a)/(x+3−a − …)) by Lentz's algorithm.
fn upper_fraction(a: f64, x: f64) -> f64 {
    if a <= 1.0 {
        let n_pairs = (110.0 / x).ceil() as u32 + 5;
        return 1.0
            / (1..=n_pairs)
                .rev()
                .map(f64::from)
                .fold(x, |f, k| x + (k - a) / (1.0 + k / f));
    }
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (f64::INFINITY, 1.0 / b);
    let mut value = d;
    for n in 1..10_000 {
        let n = f64::from(n);
        let numerator = n * (a - n);
        b += 2.0;
        d = 1.0 / (b + numerator * d);
        c = b + numerator / c;
        let factor = c * d;
        value *= factor;
        if (factor - 1.0).abs() <= f64::EPSILON / 2.0 {
            break;
        }
    }
    value
}

/// Returns Q for a < 1 and x ≤ 1.1, where P may be so near to one that Q is lost in the difference.
///
/// With L = ln(x^a / Γ(1 + a)): Q = −(e^L − 1) − a e^L Σ_{n≥1} (−x)ⁿ / (n! (a + n)).
fn upper_for_small_concentration(a: f64, x: f64) -> f64 {
    let log_power = a * x.ln() - ln_gamma_difference(1.0, a);
    let (mut sum, mut term, mut n) = (0.0f64, 1.0f64, 0.0);
    while term.abs() > f64::EPSILON / 16.0 * sum.abs() {
        n += 1.0;
        term *= -x / n;
        sum += term / (a + n);
    }
    -log_power.exp_m1() - a * log_power.exp() * sum
}

/// Returns P and Q by Temme's expansion: Q = ½ erfc(√D) + e^{−D} / √(2πa) Σ cₖ(η) a⁻ᵏ with the deviance D = a η² / 2.
fn uniform(a: f64, x: f64, deviance: f64) -> (f64, f64) {
    let root = deviance.sqrt().copysign(x - a);
    let eta = root * (2.0 / a).sqrt();
    let inverse = 1.0 / a;
    let series = TEMME
        .iter()
        .rev()
        .fold(0.0, |sum, row| sum * inverse + horner(row, eta));
    let correction = (-deviance).exp() / (2.0 * PI * a).sqrt() * series;
    (0.5 * erfc(-root) - correction, 0.5 * erfc(root) + correction)
}

/// The coefficients of cₖ(η), one row for each k (`tools/reference/uniform_expansions.py`, for a ≥ 30 and |η| ≤ 0.7).
const TEMME: [&[f64]; 10] = [
    &[
        -0.3333333333333333,
        0.08333333333333333,
        -0.014814814814814815,
        0.0011574074074074073,
        0.0003527336860670194,
        -0.0001787551440329218,
        3.919263178522438e-05,
        -2.185448510679992e-06,
        -1.85406221071516e-06,
        8.296711340953087e-07,
        -1.7665952736826078e-07,
        6.707853543401498e-09,
        1.0261809784240309e-08,
        -4.382036018453353e-09,
        9.14769958223679e-10,
        -2.5514193994946248e-11,
        -5.830772132550426e-11,
        2.4361948020667415e-11,
        -5.0276692801141755e-12,
        1.1004392031956135e-13,
        3.371763262400985e-13,
        -1.392388722418162e-13,
    ],
    &[
        -0.001851851851851852,
        -0.003472222222222222,
        0.0026455026455026454,
        -0.0009902263374485596,
        0.00020576131687242798,
        -4.018775720164609e-07,
        -1.8098550334489977e-05,
        7.64916091608111e-06,
        -1.6120900894563446e-06,
        4.647127802807434e-09,
        1.378633446915721e-07,
        -5.752545603517705e-08,
        1.1951628599778148e-08,
        -1.7543241719747647e-11,
        -1.0091543710600413e-09,
        4.162792991842583e-10,
        -8.56390702649298e-11,
        6.067215101604758e-14,
        7.1624989648114856e-12,
        -2.933186643771437e-12,
    ],
    &[
        0.004133597883597883,
        -0.0026813271604938273,
        0.0007716049382716049,
        2.0093878600823047e-06,
        -0.0001073665322636516,
        5.2923448829120125e-05,
        -1.2760635188618728e-05,
        3.423578734096138e-08,
        1.3721957309062934e-06,
        -6.298992138380055e-07,
        1.4280614206064242e-07,
        -2.0477098421990866e-10,
        -1.409252991086752e-08,
        6.228974084922022e-09,
        -1.3670488396617114e-09,
        9.428356159014678e-13,
        1.2872252400089318e-10,
        -5.5645956134363323e-11,
    ],
    &[
        0.0006494341563786008,
        0.00022947209362139917,
        -0.0004691894943952557,
        0.00026772063206283885,
        -7.561801671883977e-05,
        -2.396505113867297e-07,
        1.1082654115347302e-05,
        -5.6749528269915965e-06,
        1.4230900732435883e-06,
        -2.7861080291528143e-11,
        -1.6958404091930278e-07,
        8.099464905388083e-08,
        -1.9111168485973655e-08,
        2.3928620439808118e-12,
        2.0620131815488797e-09,
        -9.460496661855133e-10,
    ],
    &[
        -0.0008618882909167117,
        0.0007840392217200666,
        -0.0002990724803031902,
        -1.4638452578843418e-06,
        6.641498215465122e-05,
        -3.968365047179435e-05,
        1.1375726970678419e-05,
        2.507497226237533e-10,
        -1.6954149536558305e-06,
        8.907507532205309e-07,
        -2.292934834000805e-07,
        2.956794137544049e-11,
        2.8865829742708783e-08,
        -1.4189739437803219e-08,
    ],
    &[
        -0.00033679855336635813,
        -6.972813758365857e-05,
        0.0002772753244959392,
        -0.00019932570516188847,
        6.797780477937208e-05,
        1.419062920643967e-07,
        -1.3594048189768693e-05,
        8.018470256334202e-06,
        -2.291481176508095e-06,
        -3.252473551298454e-10,
        3.4652846491085265e-07,
        -1.8447187191171344e-07,
    ],
    &[
        0.0005313079364639922,
        -0.0005921664373536939,
        0.0002708782096718045,
        7.902353232660328e-07,
        -8.153969367561969e-05,
        5.61168275310625e-05,
        -1.8329116582843375e-05,
        -3.0796134506033047e-09,
        3.465155368803609e-06,
        -2.0291327396058603e-06,
    ],
    &[
        0.00034436760689237765,
        5.171790908260592e-05,
        -0.00033493161081142234,
        0.0002812695154763237,
        -0.00010976582244684731,
        -1.2741009095484485e-07,
        2.7744451511563645e-05,
        -1.8263488805711332e-05,
    ],
    &[
        -0.0006526239185953094,
        0.0008394987206720873,
        -0.000438297098541721,
        -6.969091458420552e-07,
        0.00016644846642067547,
        -0.00012783517679769218,
    ],
    &[-0.0005967612901927463],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_are_exact() {
        assert_eq!((gamma_p(2.0, 0.0), gamma_q(2.0, 0.0)), (0.0, 1.0));
        assert_eq!((gamma_p(2.0, -1.0), gamma_q(2.0, -1.0)), (0.0, 1.0));
        assert_eq!((gamma_p(2.0, f64::INFINITY), gamma_q(2.0, f64::INFINITY)), (1.0, 0.0));
        assert_eq!((gamma_p(0.0, 1.0), gamma_q(1e6, 1e300)), (1.0, 0.0));
        assert!(gamma_p(-1.0, 1.0).is_nan() && gamma_p(1.0, f64::NAN).is_nan() && gamma_p(f64::NAN, 1.0).is_nan());
    }

    #[test]
    fn branches_meet_at_their_borders() {
        for a in [29.999_999_999, 30.0] {
            for ratio in [0.5, 0.8, 1.0, 1.3, 1.9] {
                let (below, above) = (gamma_p(a, a * ratio), gamma_p(30.0, 30.0 * ratio));
                assert!(
                    (below - above).abs() < 1e-9,
                    "P({a}, {}): {below} and {above}",
                    a * ratio
                );
            }
        }
    }
}
