//! Draws at extreme parameters against exact distribution functions, in both precisions.
//!
//! Each comparison of draws with a distribution fails for a right sampler with a probability of at most 10⁻⁶ (Kolmogorov's
//! limit of the distance); there are some 120, with fixed seeds.

use crate::distributions::noise::Noise;
use crate::distributions::standard_cdf::{CauchyCdf, ExponentialCdf, LaplaceCdf, NormalCdf, StandardCdf, Window};
use crate::distributions::{
    Beta, Binomial, Categorical, Cauchy, Dirichlet, Dist, DistExt, Exponential, Gamma, InverseGamma, Laplace,
    LogNormal, Normal, Poisson, StudentT, Uniform,
};
use crate::math::beta::ln_beta;
use crate::math::erf::ndtr;
use crate::math::gamma::{ln_gamma, trigamma};
use crate::math::incomplete_beta::beta_p;
use crate::math::incomplete_gamma::{gamma_p, gamma_q};
use crate::ops::sum::SumTerm;
use crate::rng::Key;
use crate::tape::gradient::gradient;
use crate::tape::op::Op;
use crate::tape::record::Tape;
use crate::tape::store::Precision;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;

const N: usize = 20_000;

/// √n D beyond which the probability 2 exp(−2 n D²) is below 10⁻⁶.
const LARGEST_DISTANCE: f64 = 2.7;

/// Returns draws as an array with this event shape.
fn draws(precision: Precision, event: &[usize], draw: impl for<'t> Fn(&Noise<'t>) -> Var<'t>) -> Vec<f64> {
    let tape = Tape::new(precision, Key::new(11));
    let at = Noise {
        tape: &tape,
        stream: 3,
        dims: Default::default(),
        event: Shape::from_slice(event),
    };
    draw(&at).elements()
}

/// Returns whether a number stands for all that is rounded to it: a whole number, or the one next to a bound.
fn is_rounded(x: f64, is_single: bool) -> bool {
    let (least, largest) = if is_single {
        (f64::from(f32::MIN_POSITIVE), f64::from(1.0_f32.next_down()))
    } else {
        (f64::MIN_POSITIVE, 1.0_f64.next_down())
    };
    x == least || x == largest || x.is_infinite() || x.fract() == 0.0
}

/// Returns the number before one that stands for all that is larger, which is infinity or the one below 1.
fn before_last(x: f64, is_single: bool) -> Option<f64> {
    let single = x as f32;
    match is_single {
        true if single == f32::INFINITY || single == 1.0_f32.next_down() => Some(single.next_down().into()),
        false if x == f64::INFINITY || x == 1.0_f64.next_down() => Some(x.next_down()),
        _ => None,
    }
}

/// Returns √n times the largest distance between the shares of draws up to a value and its probability. Where draws are
/// rounded to one number, only the last of them is compared, and where they are rounded to the last number, those before it.
fn distance(mut x: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    assert!(x.iter().all(|x| !x.is_nan()), "a draw is NaN");
    x.sort_unstable_by(f64::total_cmp);
    let n = x.len() as f64;
    let mut largest: f64 = 0.0;
    let mut below = 0;
    let is_single = x.iter().all(|&x| f64::from(x as f32) == x);
    for group in x.chunk_by(|a, b| a == b) {
        let p = cdf(group[0]);
        let up_to = below + group.len();
        largest = largest.max((p - up_to as f64 / n).abs());
        if group.len() == 1 || !is_rounded(group[0], is_single) {
            largest = largest.max((p - below as f64 / n).abs());
        }
        if let Some(before) = before_last(group[0], is_single) {
            largest = largest.max((cdf(before) - below as f64 / n).abs());
        }
        below = up_to;
    }
    largest * n.sqrt()
}

fn follows(what: &str, x: Vec<f64>, cdf: impl Fn(f64) -> f64) {
    let distance = distance(x, cdf);
    assert!(distance < LARGEST_DISTANCE, "{what}: √n D = {distance}");
}

/// Returns the probability of whole numbers up to the one that the number `k` stands for, by a smooth distribution function:
/// beyond 2⁵³ (2²⁴ in single precision) not every whole number is one.
fn up_to(k: f64, precision: Precision, cdf: impl Fn(f64) -> f64) -> f64 {
    let spacing = match precision {
        Precision::F64 => k.next_up() - k,
        Precision::F32 => f64::from((k as f32).next_up() - k as f32),
    };
    cdf(k + 0.5 * spacing.max(1.0))
}

const BOTH: [Precision; 2] = [Precision::F64, Precision::F32];

#[test]
fn gamma_draws_of_any_concentration_follow_the_incomplete_gamma_function() {
    for (a, b) in [
        (1e-3, 1.0),
        (0.01, 1.0),
        (0.01, 1e-30),
        (0.3, 1e30),
        (0.9, 2.0),
        (1.0, 1.0),
        (1e5, 1.0),
        (1e12, 1e3),
    ] {
        for precision in BOTH {
            // Single precision rounds draws of large concentrations to few numbers.
            if precision == Precision::F64 || a < 1e4 {
                let x = draws(precision, &[N], |at| Gamma(a, b).draw(at));
                assert!(x.iter().all(|&x| x > 0.0), "Gamma({a}, {b}) draws zero");
                follows(&format!("Gamma({a}, {b})"), x, |x| gamma_p(a, x * b));
                let x = draws(precision, &[N], |at| InverseGamma(a, b).draw(at));
                follows(&format!("InverseGamma({a}, {b})"), x, |x| gamma_q(a, b / x));
            }
        }
    }
    // What is too small to be a number by itself is one once it is divided by the rate.
    let b: f64 = 1e-300;
    for a in [1e-3, 0.01] {
        let below = |ln_g: f64| match ln_g.exp() {
            g if g < 1e-200 => (a * ln_g - ln_gamma(a + 1.0)).exp(),
            g => gamma_p(a, g),
        };
        let x = draws(Precision::F64, &[N], |at| Gamma(a, b).draw(at));
        follows(&format!("Gamma({a}, {b:e})"), x, |x| below(x.ln() + b.ln()));
        let x = draws(Precision::F64, &[N], |at| InverseGamma(a, b).draw(at));
        follows(&format!("InverseGamma({a}, {b:e})"), x, |x| {
            if x == f64::INFINITY {
                1.0
            } else {
                1.0 - below(b.ln() - x.ln())
            }
        });
    }
}

#[test]
fn draws_beyond_the_digits_of_a_concentration_have_its_spread() {
    // At 10²⁰ the deviation of 10¹⁰ is 0.6 million spacings.
    let x = draws(Precision::F64, &[N], |at| Gamma(1e20, 1).draw(at));
    follows("Gamma(1e20, 1)", x, |x| ndtr((x - 1e20) / 1e10));
}

#[test]
fn student_draws_of_few_degrees_of_freedom_have_their_tails() {
    // P(X > x) for x > 0; what is not below the largest number is rounded to infinity.
    let above = |df: f64, x: f64| {
        let (a, x) = (0.5 * df, x.min(f64::MAX));
        0.5 * match df / (df + x * x) {
            w if w < 1e-200 => (a * (df.ln() - 2.0 * x.ln()) - a.ln() - ln_beta(a, 0.5)).exp(),
            w => beta_p(a, 0.5, w),
        }
    };
    let cdf = |df: f64, x: f64| match x {
        f64::INFINITY => 1.0,
        x if x < 0.0 => above(df, -x),
        x => 1.0 - above(df, x),
    };
    for df in [1e-3, 0.01, 0.5, 2.0, 1e6] {
        let x = draws(Precision::F64, &[N], |at| StudentT(df, 0, 1).draw(at));
        follows(&format!("StudentT({df})"), x, |x| cdf(df, x));
    }
}

#[test]
fn beta_and_dirichlet_draws_of_small_concentrations_follow_the_incomplete_beta_function() {
    for (a, b) in [
        (1e-3, 1e-3),
        (0.01, 0.01),
        (0.01, 5.0),
        (3.0, 1e-3),
        (1e6, 1e6),
        (1e8, 0.5),
    ] {
        for precision in BOTH {
            if precision == Precision::F32 && a > 1e4 {
                continue;
            }
            let largest = match precision {
                Precision::F64 => 1.0_f64.next_down(),
                Precision::F32 => f64::from(1.0_f32.next_down()),
            };
            let cdf = |x: f64| if x >= largest { 1.0 } else { beta_p(a, b, x) };
            let x = draws(precision, &[N], |at| Beta(a, b).draw(at));
            assert!(x.iter().all(|&x| x > 0.0 && x < 1.0), "Beta({a}, {b}) draws a border");
            follows(&format!("Beta({a}, {b})"), x, cdf);
        }
    }
    for a in [[0.01, 0.02, 1.0], [1e-3, 1e-3, 1e-3]] {
        let x = draws(Precision::F64, &[N, 3], |at| Dirichlet(a).draw(at));
        let total: f64 = a.iter().sum();
        for (i, a_i) in a.iter().enumerate() {
            let element = x.iter().skip(i).step_by(3).copied().collect();
            let cdf = |x: f64| {
                if x >= 1.0_f64.next_down() {
                    1.0
                } else {
                    beta_p(*a_i, total - a_i, x)
                }
            };
            follows(&format!("element {i} of Dirichlet({a:?})"), element, cdf);
        }
    }
}

#[test]
fn poisson_draws_of_any_rate_follow_the_incomplete_gamma_function() {
    for rate in [1e-3, 0.7, 9.99, 10.0, 30.0, 1e4, 1e8, 1e15, 1e18, 1e25] {
        for precision in BOTH {
            if precision == Precision::F32 && rate > 1e8 {
                continue;
            }
            let x = draws(precision, &[N], |at| Poisson(rate).draw(at));
            let normal = |k: f64| ndtr((k - rate) / rate.sqrt());
            follows(&format!("Poisson({rate})"), x, |k| {
                if rate > 1e12 {
                    up_to(k, precision, normal)
                } else {
                    gamma_q(k + 1.0, rate)
                }
            });
        }
    }
    assert_eq!(draws(Precision::F64, &[3], |at| Poisson(1e300).draw(at)), [1e300; 3]);
    assert_eq!(draws(Precision::F64, &[3], |at| Poisson(0).draw(at)), [0.0; 3]);
}

#[test]
fn binomial_draws_of_any_count_follow_their_distribution() {
    for (n, p) in [
        (1.0, 0.3),
        (40.0, 0.2),
        (40.0, 0.9),
        (1e3, 0.5),
        (1e6, 3e-6),
        (1e8, 1e-3),
    ] {
        for precision in BOTH {
            let x = draws(precision, &[N], |at| Binomial::probs(n, p).draw(at));
            follows(&format!("Binomial({n}, {p})"), x, |k| {
                if k >= n { 1.0 } else { beta_p(n - k, k + 1.0, 1.0 - p) }
            });
        }
    }
    for (n, p) in [(5e16_f64, 1.6e-16), (1e300, 8e-300)] {
        let x = draws(Precision::F64, &[N], |at| Binomial::probs(n, p).draw(at));
        follows(&format!("Binomial({n}, {p})"), x, |k| gamma_q(k + 1.0, 8.0));
    }
    for (n, p) in [(1e15_f64, 0.3_f64), (1e18, 1e-9), (1e18, 0.7), (2e19, 0.5), (1e26, 0.5)] {
        let (mean, deviation) = (n * p, (n * p * (1.0 - p)).sqrt());
        let x = draws(Precision::F64, &[N], |at| Binomial::probs(n, p).draw(at));
        // The third moment of a deviation of 3 · 10⁴ moves a probability by less than 10⁻⁵.
        let cdf = |k: f64| ndtr((k - mean) / deviation);
        follows(&format!("Binomial({n}, {p})"), x, |k| up_to(k, Precision::F64, cdf));
    }
    // A probability so near one that only its log-odds tell it; all counts up to 2⁵³ are numbers.
    let logit = -(1e-15_f64).ln();
    let x = draws(Precision::F64, &[N], |at| Binomial::logits(8e15, logit).draw(at));
    let failures = x.iter().map(|x| 8e15 - x).collect();
    follows("failures", failures, |k| gamma_q(k + 1.0, 8.0));
    assert_eq!(
        draws(Precision::F64, &[2], |at| Binomial::probs(1e300, 0.5).draw(at)),
        [5e299; 2]
    );
}

#[test]
fn an_interval_may_be_wider_than_the_largest_number() {
    for (precision, bound) in [(Precision::F64, 1e308), (Precision::F32, 3e38)] {
        let x = draws(precision, &[N], |at| Uniform(-bound, bound).draw(at));
        assert!(x.iter().all(|x| x.abs() <= bound));
        follows("Uniform", x, |x| 0.5 * (x / bound + 1.0));
    }
    let x = draws(Precision::F64, &[N], |at| Uniform(-1e16, 1.0).draw(at));
    assert!(x.iter().all(|x| (-1e16..=1.0).contains(x)));
}

/// Checks draws of a truncated distribution, standardised, against shares of the mass.
fn truncated<C: StandardCdf>(what: &str, (a, b): (f64, f64), draw: impl for<'t> Fn(&Noise<'t>) -> Var<'t>) {
    let x = draws(Precision::F64, &[N], draw);
    assert!(x.iter().all(|x| (a..=b).contains(x)), "{what} on ({a}, {b})");
    follows(&format!("{what} on ({a}, {b})"), x, |x| {
        (C::log_mass(Window::of(a, x)) - C::log_mass(Window::of(a, b))).exp()
    });
}

#[test]
fn truncated_draws_follow_in_narrow_windows_and_far_tails() {
    let inf = f64::INFINITY;
    let windows = [
        (-1.0, 2.0),
        (-40.0, 0.3),
        (1e-300, 3e-300),
        (-1e-12, 2e-12),
        (0.25, 0.25 + 1e-9),
        (8.0, 8.0 + 1e-7),
        (-7.0 - 1e-3, -7.0),
        (5.0, inf),
        (-inf, -40.0),
        (1e5, inf),
        (1000.0, 1000.001),
        (-1e4, -1e4 + 1e-5),
    ];
    for (a, b) in windows {
        truncated::<NormalCdf>("Normal", (a, b), |at| Normal(0, 1).truncate(a, b).draw(at));
        truncated::<CauchyCdf>("Cauchy", (a, b), |at| Cauchy(0, 1).truncate(a, b).draw(at));
        truncated::<LaplaceCdf>("Laplace", (a, b), |at| Laplace(0, 1).truncate(a, b).draw(at));
        if a > 0.0 {
            truncated::<ExponentialCdf>("Exponential", (a, b), |at| Exponential(1).truncate(a, b).draw(at));
        }
    }
    let x = draws(Precision::F64, &[N], |at| LogNormal(0, 1).truncate(1e10, 2e10).draw(at));
    let (a, b) = (1e10_f64.ln(), 2e10_f64.ln());
    follows("LogNormal", x, |x| {
        (NormalCdf::log_mass(Window::of(a, x.ln())) - NormalCdf::log_mass(Window::of(a, b))).exp()
    });
}

#[test]
fn extreme_weights_are_drawn_by_their_shares() {
    let label = |share: f64| move |k: f64| if k < 1.0 { share } else { 1.0 };
    for logits in [[1e300, 1e300], [-1e300, -1e300], [-745.0, -745.0]] {
        let x = draws(Precision::F64, &[N], |at| Categorical::logits(logits).draw(at));
        follows(&format!("logits {logits:?}"), x, label(0.5));
    }
    for (probs, share) in [([1.5e308, 1.5e308], 0.5), ([1e-320, 3e-320], 0.25), ([1e308, 0.0], 1.0)] {
        let x = draws(Precision::F64, &[N], |at| Categorical::probs(probs).draw(at));
        follows(&format!("probs {probs:?}"), x, label(share));
    }
    let x = draws(Precision::F64, &[N], |at| {
        Categorical::logits([f64::NEG_INFINITY, 0.0]).draw(at)
    });
    assert!(x.iter().all(|&x| x == 1.0));
}

#[test]
fn draws_of_parameters_that_are_not_allowed_are_not_numbers() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let is_nan = |what: &str, draw: &dyn for<'t> Fn(&Noise<'t>) -> Var<'t>| {
        let x = draws(Precision::F64, &[2], draw);
        assert!(x.iter().all(|x| x.is_nan()), "{what} draws {x:?}");
    };
    for bad in [-1.0, 0.0, inf, -inf, nan] {
        is_nan(&format!("Gamma({bad}, 1)"), &|at| Gamma(bad, 1).draw(at));
        is_nan(&format!("Gamma(1, {bad})"), &|at| Gamma(1, bad).draw(at));
        is_nan(&format!("InverseGamma({bad}, 1)"), &|at| InverseGamma(bad, 1).draw(at));
        is_nan(&format!("InverseGamma(1, {bad})"), &|at| InverseGamma(1, bad).draw(at));
        is_nan(&format!("StudentT({bad})"), &|at| StudentT(bad, 0, 1).draw(at));
        is_nan(&format!("Beta({bad}, 1)"), &|at| Beta(bad, 1).draw(at));
        is_nan(&format!("Uniform(0, {bad})"), &|at| {
            Uniform(if bad == inf { bad } else { 0.0 }, bad).draw(at)
        });
        if bad != 0.0 {
            is_nan(&format!("Poisson({bad})"), &|at| Poisson(bad).draw(at));
            is_nan(&format!("Binomial({bad}, 0.5)"), &|at| {
                Binomial::probs(bad, 0.5).draw(at)
            });
            is_nan(&format!("Binomial(5, {bad})"), &|at| Binomial::probs(5, bad).draw(at));
        }
    }
    is_nan("Binomial(2.5, 0.5)", &|at| Binomial::probs(2.5, 0.5).draw(at));
}

/// Returns the mean of d ln x / dθ over draws, and its standard error.
fn mean_log_slope(theta: f64, draw: impl for<'t> Fn(&Noise<'t>, Var<'t>) -> Var<'t>) -> (f64, f64) {
    let tape = Tape::new(Precision::F64, Key::new(12));
    let at = Noise {
        tape: &tape,
        stream: 3,
        dims: Default::default(),
        event: Shape::from_slice(&[N]),
    };
    let x = draw(&at, tape.input(0, &[], &[N], &vec![theta; N], false));
    tape.term(SumTerm::DEF, &[x.ln()], &[], 0, 1.0, 0);
    let slopes = gradient(&tape);
    let mean = slopes.iter().sum::<f64>() / N as f64;
    let variance = slopes.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / N as f64;
    (mean, (variance / N as f64).sqrt())
}

#[test]
fn derivatives_of_extreme_draws_move_the_expected_logarithm() {
    // E ln x = ψ(a) − ln b. Five standard errors: a right derivative fails once in two million.
    for a in [0.1, 0.3, 1.0, 50.0, 1e6] {
        let (mean, error) = mean_log_slope(a, |at, a| Gamma(a, 3).draw(at));
        let want = trigamma(a);
        assert!(
            (mean - want).abs() < 5.0 * error,
            "Gamma: {mean} ± {error}, exact {want}"
        );
        let (mean, error) = mean_log_slope(a, |at, a| InverseGamma(a, 3).draw(at));
        assert!(
            (mean + want).abs() < 5.0 * error,
            "InverseGamma: {mean} ± {error}, exact {}",
            -want
        );
    }
    for a in [1e-3, 0.01] {
        let tape = Tape::new(Precision::F64, Key::new(13));
        let at = Noise {
            tape: &tape,
            stream: 3,
            dims: Default::default(),
            event: Shape::from_slice(&[N]),
        };
        let concentrations = tape.input(0, &[], &[N], &vec![a; N], false);
        tape.term(SumTerm::DEF, &[at.log_gamma(concentrations)], &[], 0, 1.0, 0);
        let slopes = gradient(&tape);
        let mean = slopes.iter().sum::<f64>() / N as f64;
        // The logarithm is nearly exponential with rate a, and so is its derivative times a.
        let (want, error) = (trigamma(a), 1.0 / (a * a) / (N as f64).sqrt());
        assert!((mean - want).abs() < 5.0 * error, "{mean} ± {error}, exact {want}");
    }
    let (mean, error) = mean_log_slope(3.0, |at, b| Gamma(0.01, b).draw(at));
    assert!((mean + 1.0 / 3.0).abs() < 5.0 * error + 1e-12, "by the rate: {mean}");
}
