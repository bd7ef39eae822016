//! Checks the special functions against 25-digit tables made by `tools/reference/special.py`, in error units.
//!
//! An error unit is |got − exact| / (2⁻⁵³ (|exact| + Σ|inputᵢ ∂exact/∂inputᵢ|)); the bar is eight at every point.
//! `cargo test -p ppl-core --test special_functions -- --nocapture` prints the worst point of every function.

use ppl_core::math::{beta, erf, gamma, gamma_draw, incomplete_beta, incomplete_gamma, logspace};
use ppl_core::ops::sum::SumTerm;
use ppl_core::rng::Key;
use ppl_core::tape::gradient::gradient;
use ppl_core::tape::op::Op;
use ppl_core::tape::record::Tape;
use ppl_core::tape::store::Precision;
use ppl_core::tape::var::Var;

/// The largest error allowed, in error units.
const BAR: f64 = 8.0;

/// Compares a function with its table; prints the worst point, and fails with it where it is beyond the bar.
fn check(name: &str, table: &str, f: impl Fn(&[f64]) -> f64) {
    let (mut n_points, mut n_within_one) = (0, 0);
    let mut worst = (0.0, String::new());
    for line in table.lines() {
        let fields: Vec<f64> = line.split('\t').map(|field| field.parse().expect("a number")).collect();
        let (args, answer) = fields.split_at(fields.len() - 2);
        let (exact, scale) = (answer[0], answer[1]);
        let got = f(args);
        // A subnormal answer cannot be closer than its spacing. The table's value is itself rounded here, by half a unit.
        let unit = (f64::EPSILON / 2.0 * scale).max(f64::from_bits(1));
        let error = if got == exact { 0.0 } else { (got - exact).abs() / unit };
        let error = if error.is_nan() { f64::INFINITY } else { error };
        n_points += 1;
        n_within_one += usize::from(error <= 1.0);
        if error >= worst.0 {
            worst = (error, format!("at {args:?}: got {got:e}, exact {exact:e}"));
        }
    }
    println!(
        "{name}: {n_points} points, {n_within_one} within 1, worst {:.2} {}",
        worst.0, worst.1
    );
    assert!(n_points > 10, "{name}: the table is empty");
    assert!(
        worst.0 <= BAR,
        "{name}: {:.2} error units, allowed {BAR}, {}",
        worst.0,
        worst.1
    );
}

/// Returns the derivative of the first element of a function's value by the first of its arguments.
fn slope(x: &[f64], f: impl for<'t> Fn(Var<'t>) -> Var<'t>) -> f64 {
    let tape = Tape::new(Precision::F64, Key::new(1));
    let shape: &[usize] = if x.len() == 1 { &[] } else { &[x.len()] };
    let value = f(tape.input(0, &[], shape, x, false));
    tape.term(SumTerm::DEF, &[first_of(value)], &[], 0, 1.0, 0);
    gradient(&tape)[0]
}

/// Returns the first element of a function's value.
fn first(x: &[f64], f: impl for<'t> Fn(Var<'t>) -> Var<'t>) -> f64 {
    let tape = Tape::new(Precision::F64, Key::new(1));
    first_of(f(tape.input(0, &[], &[x.len()], x, false))).value()
}

fn first_of(x: Var<'_>) -> Var<'_> {
    if x.event_shape().is_empty() {
        x
    } else {
        x.slice(0..1).sum()
    }
}

/// One test a function: its table's name, which is the test's name, and how to call it.
macro_rules! tables {
    ($($name:ident => $f:expr;)*) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name), include_str!(concat!("data/special/", stringify!($name), ".tsv")), $f);
            }
        )*
    };
}

tables! {
    ln_gamma => |x| gamma::ln_gamma(x[0]);
    digamma => |x| gamma::digamma(x[0]);
    digamma_minus_ln => |x| gamma::digamma_minus_ln(x[0]);
    trigamma => |x| gamma::trigamma(x[0]);
    stirlerr => |x| gamma::stirlerr(x[0]);
    bd0 => |x| gamma::bd0(x[0], x[1]);
    ln_gamma_difference => |x| gamma::ln_gamma_difference(x[0], x[1]);
    digamma_difference => |x| gamma::digamma_difference(x[0], x[1]);
    ln_beta => |x| beta::ln_beta(x[0], x[1]);
    ln_beta_gradient => |x| beta::ln_beta_gradient(x[0], x[1]).0;
    log_binomial => |x| beta::log_binomial(x[0], x[1]);
    erf => |x| erf::erf(x[0]);
    erfc => |x| erf::erfc(x[0]);
    erfcx => |x| erf::erfcx(x[0]);
    ndtr => |x| erf::ndtr(x[0]);
    log_ndtr => |x| erf::log_ndtr(x[0]);
    log_ndtr_derivative => |x| erf::log_ndtr_derivative(x[0]);
    ndtri => |x| erf::ndtri(x[0]);
    gamma_p => |x| incomplete_gamma::gamma_p(x[0], x[1]);
    gamma_q => |x| incomplete_gamma::gamma_q(x[0], x[1]);
    gamma_draw_derivative => |x| gamma_draw::gamma_draw_derivative(x[0], x[1]);
    beta_p => |x| incomplete_beta::beta_p(x[0], x[1], x[2]);
    beta_q => |x| incomplete_beta::beta_q(x[0], x[1], x[2]);
    log1p_minus => |x| logspace::log1p_minus(x[0]);
    log1mexp => |x| logspace::log1mexp(x[0]);
    log_add_exp => |x| logspace::log_add_exp(x[0], x[1]);
    log_sub_exp => |x| logspace::log_sub_exp(x[0], x[1]);
    softplus => |x| logspace::softplus(x[0]);
    sigmoid => |x| logspace::sigmoid(x[0]);
    log_sigmoid => |x| logspace::log_sigmoid(x[0]);
    logit => |x| logspace::logit(x[0]);
    xlogy => |x| logspace::xlogy(x[0], x[1]);
    xlog1py => |x| logspace::xlog1py(x[0], x[1]);
    d_sigmoid => |x| slope(x, |x| x.sigmoid());
    d_tanh => |x| slope(x, |x| x.tanh());
    d_exp_m1 => |x| slope(x, |x| x.exp_m1());
    d_softplus => |x| slope(x, |x| x.softplus());
    d_silu => |x| slope(x, |x| x.silu());
    gelu => |x| Var::from(x[0]).gelu().value();
    d_gelu => |x| slope(x, |x| x.gelu());
    d_erf => |x| slope(x, |x| x.erf());
    log_softmax => |x| first(x, |x| x.log_softmax());
    d_log_softmax => |x| slope(x, |x| x.log_softmax());
    d_log_sum_exp => |x| slope(x, |x| x.log_sum_exp());
    d_softmax => |x| slope(x, |x| x.softmax());
}
