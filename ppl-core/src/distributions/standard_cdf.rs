//! Distribution functions of standardised distributions: the mass between two points and the quantiles there.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2, PI};

use crate::math::erf::{erf, erfcx, ndtr, ndtri};
use crate::math::gamma::HALF_LN_2PI;
use crate::math::logspace::log1mexp;

/// A standardised distribution with density g and distribution function G in closed form.
pub trait StandardCdf: 'static {
    /// The name of the operation ln(G(b) − G(a)).
    const LOG_MASS: &'static str;
    /// The name of the operation that inverts G between two points.
    const QUANTILE: &'static str;

    /// Returns ln(G(b) − G(a)), NaN where a > b.
    fn log_mass(window: Window) -> f64;

    /// Returns g(a) / (G(b) − G(a)) and g(b) / (G(b) − G(a)): how fast the logarithm of the mass changes with its bounds.
    fn hazards(window: Window) -> [f64; 2];

    /// Returns (g(a) − g(b)) / (G(b) − G(a)), how fast the logarithm of the mass falls as the whole window moves; the
    /// difference of the two hazards would lose all digits in a narrow one.
    fn drift(window: Window) -> f64;

    /// Returns ln g(z) − ln g(w).
    fn log_density_ratio(z: f64, w: f64) -> f64;

    /// Returns the z with G(z) = (1 − u) G(a) + u G(b).
    fn quantile(u: f64, a: f64, b: f64) -> f64;
}

/// An interval from a to b, with its width where the caller knows it better than b − a does after rounding.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The lower end a.
    pub a: f64,
    /// The upper end b.
    pub b: f64,
    /// b − a.
    pub width: f64,
}

impl Window {
    /// Returns the interval between two points.
    pub fn of(a: f64, b: f64) -> Self {
        Window { a, b, width: b - a }
    }

    /// Returns the interval mirrored at zero.
    fn mirrored(self) -> Self {
        Window {
            a: -self.b,
            b: -self.a,
            ..self
        }
    }

    fn is_empty(self) -> bool {
        self.a > self.b || self.a.is_nan() || self.b.is_nan()
    }
}

/// Returns the point behind which a share u of the mass of e^(−rate s) on 0 < s < width lies: −ln(1 − u (1 − e^(−rate width))) / rate.
fn tilted(u: f64, rate: f64, width: f64) -> f64 {
    if (rate * width).abs() < 1e-12 {
        u * width
    } else {
        -(u * (-rate * width).exp_m1()).ln_1p() / rate
    }
}

/// The normal distribution.
pub struct NormalCdf;

/// Returns Q(z) / φ(z), the mass above z in units of the density there (Mills 1926).
fn mills(z: f64) -> f64 {
    /// √(π/2).
    const SQRT_HALF_PI: f64 = 1.253_314_137_315_500_3;
    SQRT_HALF_PI * erfcx(z * FRAC_1_SQRT_2)
}

/// Returns ln φ(z).
fn log_phi(z: f64) -> f64 {
    -0.5 * z * z - HALF_LN_2PI
}

/// The mass between two points a ≤ b with |a| ≤ b, as a product: in units of the density at `at`.
struct NormalMass {
    at: f64,
    mass: f64,
}

impl NormalMass {
    fn between(Window { a, b, width }: Window) -> Self {
        if width * b.max(1.0) < 0.02 {
            // The integral of the Taylor series about the middle c, with the Hermite polynomials of c.
            let c = 0.5 * (a + b);
            let (c2, w2) = (c * c, width * width);
            let mass = width * (1.0 + w2 * ((c2 - 1.0) / 24.0 + w2 * ((c2 - 6.0) * c2 + 3.0) / 1920.0));
            return NormalMass { at: c, mass };
        }
        if a > 1.0 {
            let decay = (-0.5 * width * (a + b)).exp();
            let beyond = if decay > 0.0 { mills(b) * decay } else { 0.0 };
            return NormalMass {
                at: a,
                mass: mills(a) - beyond,
            };
        }
        let mass = 0.5 * (erf(b * FRAC_1_SQRT_2) - erf(a * FRAC_1_SQRT_2));
        NormalMass {
            at: 0.0,
            mass: mass / log_phi(0.0).exp(),
        }
    }
}

impl StandardCdf for NormalCdf {
    const LOG_MASS: &'static str = "normal_log_mass";
    const QUANTILE: &'static str = "normal_quantile";

    fn log_mass(window: Window) -> f64 {
        if window.is_empty() {
            return f64::NAN;
        }
        if window.a + window.b < 0.0 {
            return Self::log_mass(window.mirrored());
        }
        let NormalMass { at, mass } = NormalMass::between(window);
        log_phi(at) + mass.ln()
    }

    fn hazards(window: Window) -> [f64; 2] {
        if window.a + window.b < 0.0 {
            let [high, low] = Self::hazards(window.mirrored());
            return [low, high];
        }
        let NormalMass { at, mass } = NormalMass::between(window);
        [window.a, window.b].map(|z| Self::log_density_ratio(z, at).exp() / mass)
    }

    fn drift(window: Window) -> f64 {
        if window.a + window.b < 0.0 {
            return -Self::drift(window.mirrored());
        }
        let NormalMass { at, mass } = NormalMass::between(window);
        let fall = -(-0.5 * window.width * (window.a + window.b)).exp_m1();
        Self::log_density_ratio(window.a, at).exp() * fall / mass
    }

    fn log_density_ratio(z: f64, w: f64) -> f64 {
        0.5 * (w - z) * (w + z)
    }

    fn quantile(u: f64, a: f64, b: f64) -> f64 {
        if a + b < 0.0 {
            return -Self::quantile(1.0 - u, -b, -a);
        }
        let width = b - a;
        let z = if width < 1e-5 {
            // The curvature of ln φ moves a quantile by less than the square of the width.
            a + tilted(u, a, width)
        } else if a > 1.0 {
            a + Self::distance_in_tail(u, a, b)
        } else {
            let mix = |low: f64, high: f64| (1.0 - u) * low + u * high;
            let (below, above) = (mix(ndtr(a), ndtr(b)), mix(ndtr(-a), ndtr(-b)));
            if below < above { ndtri(below) } else { -ndtri(above) }
        };
        z.max(a).min(b)
    }
}

impl NormalCdf {
    /// Returns the δ with ln Q(a) − ln Q(a + δ) = t for the t that belongs to the share u of the mass between a > 1 and b.
    ///
    /// The left side is convex in δ and at least a δ + δ² / 2, so that Newton's method falls from above.
    fn distance_in_tail(u: f64, a: f64, b: f64) -> f64 {
        let here = mills(a);
        let decay = (-0.5 * (b - a) * (a + b)).exp();
        let share_beyond = if decay > 0.0 { mills(b) / here * decay } else { 0.0 };
        let t = -(-u * (1.0 - share_beyond)).ln_1p();
        let mut delta = (2.0 * t / (a + (a * a + 2.0 * t).sqrt())).min(t * here);
        for _ in 0..50 {
            let there = mills(a + delta);
            let step = (delta * (a + 0.5 * delta) + (here / there).ln() - t) * there;
            delta -= step;
            if step.abs() <= f64::EPSILON * (delta + here) {
                break;
            }
        }
        delta
    }
}

/// The Cauchy distribution.
pub struct CauchyCdf;

/// Returns atan b − atan a for a ≤ b.
fn angle(Window { a, b, width }: Window) -> f64 {
    if a > b {
        f64::NAN
    } else if a == f64::NEG_INFINITY {
        f64::atan2(1.0, -b)
    } else if b == f64::INFINITY {
        f64::atan2(1.0, a)
    } else {
        let unit = a.abs().max(b.abs()).max(1.0);
        let width = if width.is_finite() {
            width / unit
        } else {
            b / unit - a / unit
        };
        f64::atan2(width, 1.0 / unit + a.min(b) * (a.max(b) / unit))
    }
}

impl StandardCdf for CauchyCdf {
    const LOG_MASS: &'static str = "cauchy_log_mass";
    const QUANTILE: &'static str = "cauchy_quantile";

    fn log_mass(window: Window) -> f64 {
        (angle(window) / PI).ln()
    }

    fn hazards(window: Window) -> [f64; 2] {
        let angle = angle(window);
        [window.a, window.b].map(|z| {
            let size = f64::hypot(1.0, z);
            if size == f64::INFINITY {
                0.0
            } else {
                1.0 / (size * angle) / size
            }
        })
    }

    fn drift(window: Window) -> f64 {
        let Window { a, b, width } = window;
        if width == f64::INFINITY {
            let [low, high] = Self::hazards(window);
            return low - high;
        }
        let sizes = f64::hypot(1.0, a) * f64::hypot(1.0, b);
        width / sizes / angle(window) * ((a + b) / sizes)
    }

    fn log_density_ratio(z: f64, w: f64) -> f64 {
        2.0 * (f64::hypot(1.0, w) / f64::hypot(1.0, z)).ln()
    }

    fn quantile(u: f64, a: f64, b: f64) -> f64 {
        let whole = angle(Window::of(a, b));
        let t = (u * whole).tan();
        if whole < 1e-3 && a.abs() < 1e8 && (a * t).abs() < 0.5 {
            // tan(atan a + angle), which keeps the digits of a narrow interval.
            a + (1.0 + a * a) * t / (1.0 - a * t)
        } else if a + b > 0.0 {
            // The angle from the right end keeps the digits of the tail.
            1.0 / (angle(Window::of(b, f64::INFINITY)) + (1.0 - u) * whole).tan()
        } else {
            -1.0 / (angle(Window::of(f64::NEG_INFINITY, a)) + u * whole).tan()
        }
    }
}

/// The Laplace distribution.
pub struct LaplaceCdf;

impl StandardCdf for LaplaceCdf {
    const LOG_MASS: &'static str = "laplace_log_mass";
    const QUANTILE: &'static str = "laplace_quantile";

    fn log_mass(window: Window) -> f64 {
        let Window { a, b, width } = window;
        if window.is_empty() {
            f64::NAN
        } else if b <= 0.0 {
            b - LN_2 + log1mexp(width)
        } else if a >= 0.0 {
            Self::log_mass(window.mirrored())
        } else {
            (-0.5 * (a.exp_m1() + (-b).exp_m1())).ln()
        }
    }

    fn hazards(window: Window) -> [f64; 2] {
        let Window { a, b, width } = window;
        if b <= 0.0 {
            let [high, low] = Self::hazards(window.mirrored());
            [low, high]
        } else if a >= 0.0 {
            exponential_hazards(width)
        } else {
            let twice_mass = -(a.exp_m1() + (-b).exp_m1());
            [a.exp() / twice_mass, (-b).exp() / twice_mass]
        }
    }

    fn drift(window: Window) -> f64 {
        let Window { a, b, .. } = window;
        if b <= 0.0 {
            -1.0
        } else if a >= 0.0 {
            1.0
        } else {
            (a.exp_m1() - (-b).exp_m1()) / -(a.exp_m1() + (-b).exp_m1())
        }
    }

    fn log_density_ratio(z: f64, w: f64) -> f64 {
        w.abs() - z.abs()
    }

    fn quantile(u: f64, a: f64, b: f64) -> f64 {
        if a >= 0.0 {
            return a + tilted(u, 1.0, b - a);
        }
        if b <= 0.0 {
            return b - tilted(1.0 - u, 1.0, b - a);
        }
        // Twice the mass left of zero, and twice that right of it.
        let (left, right) = (-a.exp_m1(), -(-b).exp_m1());
        let twice_mass = left + right;
        let (from_left, from_right) = (u * twice_mass, (1.0 - u) * twice_mass);
        // ln(eᵃ + s) by eᵃ − 1 near zero, by eᵃ in the tail.
        let log = |end: f64, part: f64, s: f64| {
            if s > 0.5 * part {
                (s - part).ln_1p()
            } else {
                (end.exp() + s).ln()
            }
        };
        if from_left < left {
            log(a, left, from_left)
        } else {
            -log(-b, right, from_right)
        }
    }
}

/// The exponential distribution.
pub struct ExponentialCdf;

/// Returns 1 / (1 − e⁻ʷ) and e⁻ʷ / (1 − e⁻ʷ), the densities at the ends of an interval of width w by its mass.
fn exponential_hazards(width: f64) -> [f64; 2] {
    [-1.0 / (-width).exp_m1(), 1.0 / width.exp_m1()]
}

/// Returns the part of an interval above zero.
fn above_zero(window: Window) -> Window {
    if window.a >= 0.0 {
        window
    } else {
        Window::of(0.0, window.b.max(0.0))
    }
}

impl StandardCdf for ExponentialCdf {
    const LOG_MASS: &'static str = "exponential_log_mass";
    const QUANTILE: &'static str = "exponential_quantile";

    fn log_mass(window: Window) -> f64 {
        if window.is_empty() {
            return f64::NAN;
        }
        let Window { a, width, .. } = above_zero(window);
        -a + log1mexp(width)
    }

    fn hazards(window: Window) -> [f64; 2] {
        let [low, high] = exponential_hazards(above_zero(window).width);
        [
            if window.a < 0.0 { 0.0 } else { low },
            if window.b < 0.0 { 0.0 } else { high },
        ]
    }

    fn drift(window: Window) -> f64 {
        let [low, high] = Self::hazards(window);
        if window.a >= 0.0 { 1.0 } else { low - high }
    }

    fn log_density_ratio(z: f64, w: f64) -> f64 {
        if z < 0.0 { f64::NEG_INFINITY } else { w - z }
    }

    fn quantile(u: f64, a: f64, b: f64) -> f64 {
        let (a, b) = (a.max(0.0), b.max(0.0));
        a + tilted(u, 1.0, b - a)
    }
}

/// The uniform distribution between zero and one.
pub struct UniformCdf;

/// Returns the part of an interval between zero and one.
fn within_unit(window: Window) -> Window {
    if window.a >= 0.0 && window.b <= 1.0 {
        window
    } else {
        Window::of(window.a.clamp(0.0, 1.0), window.b.clamp(0.0, 1.0))
    }
}

impl StandardCdf for UniformCdf {
    const LOG_MASS: &'static str = "uniform_log_mass";
    const QUANTILE: &'static str = "uniform_quantile";

    fn log_mass(window: Window) -> f64 {
        if window.is_empty() {
            f64::NAN
        } else {
            within_unit(window).width.ln()
        }
    }

    fn hazards(window: Window) -> [f64; 2] {
        let width = within_unit(window).width;
        [window.a, window.b].map(|z| if (0.0..=1.0).contains(&z) { 1.0 / width } else { 0.0 })
    }

    fn drift(window: Window) -> f64 {
        let [low, high] = Self::hazards(window);
        low - high
    }

    fn log_density_ratio(z: f64, _: f64) -> f64 {
        if (0.0..=1.0).contains(&z) {
            0.0
        } else {
            f64::NEG_INFINITY
        }
    }

    fn quantile(u: f64, a: f64, b: f64) -> f64 {
        (1.0 - u) * a.clamp(0.0, 1.0) + u * b.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks that quantiles invert masses, in the middle and in both tails.
    fn quantiles_invert_masses<C: StandardCdf>(intervals: &[(f64, f64)]) {
        for &(a, b) in intervals {
            for u in [1e-9, 0.25, 0.5, 0.999] {
                let z = C::quantile(u, a, b);
                let share = (C::log_mass(Window::of(a, z)) - C::log_mass(Window::of(a, b))).exp();
                assert!(
                    (share - u).abs() < 1e-9,
                    "between {a} and {b} at {u}: z = {z}, share {share}"
                );
            }
        }
        assert!(C::log_mass(Window::of(0.75, 0.25)).is_nan());
    }

    #[test]
    fn quantiles_are_inverse() {
        let inf = f64::INFINITY;
        let lines = [
            (-1.0, 2.0),
            (-inf, inf),
            (3.0, inf),
            (-inf, -2.5),
            (0.25, 0.5),
            (-0.5, -0.25),
            (6.0, 7.0),
        ];
        quantiles_invert_masses::<NormalCdf>(&lines);
        quantiles_invert_masses::<NormalCdf>(&[(40.0, inf), (40.0, 41.0), (-60.0, -50.0)]);
        quantiles_invert_masses::<CauchyCdf>(&lines);
        quantiles_invert_masses::<LaplaceCdf>(&lines);
        quantiles_invert_masses::<ExponentialCdf>(&[(0.5, 2.0), (-1.0, inf), (30.0, inf)]);
        quantiles_invert_masses::<UniformCdf>(&[(0.25, 0.5), (-1.0, 2.0)]);
    }

    #[test]
    fn masses_agree_with_closed_forms() {
        // Φ(1) − Φ(−1) and 1 − Φ(40) by mpmath: erf(1/sqrt(2)), log(erfc(40/sqrt(2))/2).
        assert!((NormalCdf::log_mass(Window::of(-1.0, 1.0)).exp() - 0.682_689_492_137_085_9).abs() < 1e-15);
        assert!((NormalCdf::log_mass(Window::of(40.0, f64::INFINITY)) + 804.608_442_013_754).abs() < 1e-11);
        assert!((CauchyCdf::log_mass(Window::of(-1.0, 1.0)) + LN_2).abs() < 1e-15);
        assert!((CauchyCdf::log_mass(Window::of(1e9, f64::INFINITY)) + (1e9 * PI).ln()).abs() < 1e-14);
        assert!((LaplaceCdf::log_mass(Window::of(0.0, f64::INFINITY)) + LN_2).abs() < 1e-15);
        assert_eq!(ExponentialCdf::log_mass(Window::of(3.0, f64::INFINITY)), -3.0);
        assert_eq!(UniformCdf::log_mass(Window::of(0.25, 9.0)), 0.75f64.ln());
    }
}
