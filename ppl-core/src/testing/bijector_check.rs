//! The checks behind `bijector_tests!`: round trips, and log-determinants against difference quotients.

use crate::bijectors::Bijector;
use crate::ops::sum::SumTerm;
use crate::rng::Key;
use crate::tape::gradient::gradient;
use crate::tape::op::Op;
use crate::tape::record::Tape;
use crate::tape::store::Precision;

/// Makes a bijector for values on a tape.
pub type Make = for<'t> fn(&'t Tape) -> Box<dyn Bijector<'t> + 't>;

/// Returns x and ln |det ∂x/∂z| with its gradient.
fn apply(bijector: Make, z: &[f64]) -> (Vec<f64>, f64, Vec<f64>) {
    let tape = Tape::new(Precision::F64, Key::new(1));
    let z = tape.input(0, &[], &[z.len()], z, false);
    let bijector = bijector(&tape);
    let x = bijector.constrain(z);
    if let Some(log_det) = bijector.log_det(z, x) {
        tape.term(SumTerm::DEF, &[log_det], &[], 0, 1.0, 0);
    }
    (x.elements(), tape.log_density(), gradient(&tape))
}

/// Returns a difference quotient of fourth order of `f` at zero.
fn difference(f: impl Fn(f64) -> f64) -> f64 {
    let h = 1e-3;
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

fn moved(z: &[f64], i: usize, by: f64) -> Vec<f64> {
    let mut z = z.to_vec();
    z[i] += by;
    z
}

/// Checks the log-determinant against the determinant of difference quotients of the elements `free` of x.
pub fn log_det_is_that_of_the_jacobian(bijector: Make, z: &[f64], free: &[usize]) {
    let n = z.len();
    assert_eq!(free.len(), n, "as many elements as there are coordinates");
    let mut jacobian: Vec<Vec<f64>> = free
        .iter()
        .map(|&at| {
            let slope = |i| difference(|h| apply(bijector, &moved(z, i, h)).0[at]);
            (0..n).map(slope).collect()
        })
        .collect();
    let want = ln_abs_det(&mut jacobian);
    let got = apply(bijector, z).1;
    assert!(
        (got - want).abs() < 1e-8 * (1.0 + want.abs()),
        "at {z:?}: {got} and {want}"
    );
}

/// Returns ln |det| by elimination with pivots.
fn ln_abs_det(a: &mut [Vec<f64>]) -> f64 {
    let n = a.len();
    let mut sum = 0.0;
    for k in 0..n {
        let largest = |&i: &usize, &j: &usize| a[i][k].abs().total_cmp(&a[j][k].abs());
        let pivot = (k..n).max_by(largest).expect("rows are left");
        a.swap(k, pivot);
        sum += a[k][k].abs().ln();
        for i in k + 1..n {
            let factor = a[i][k] / a[k][k];
            let (above, below) = a.split_at_mut(i);
            for (x, pivot) in below[0][k..].iter_mut().zip(&above[k][k..]) {
                *x -= factor * pivot;
            }
        }
    }
    sum
}

/// Checks the gradient of the log-determinant.
pub fn log_det_has_its_gradient(bijector: Make, z: &[f64]) {
    let got = apply(bijector, z).2;
    for (i, got) in got.iter().enumerate() {
        let want = difference(|h| apply(bijector, &moved(z, i, h)).1);
        assert!(
            (got - want).abs() < 1e-9 * (1.0 + want.abs()),
            "by {i} at {z:?}: {got} and {want}"
        );
    }
}

/// Checks the round trip z → x → z.
pub fn unconstrain_inverts_constrain(bijector: Make, z: &[f64], event: &[usize]) {
    let tape = Tape::new(Precision::F64, Key::new(1));
    assert_eq!(bijector(&tape).unconstrained_event(event).as_slice(), [z.len()]);
    let (x, _, _) = apply(bijector, z);
    let back = bijector(&tape).unconstrain(&x, event);
    for (i, (got, want)) in back.iter().zip(z).enumerate() {
        assert!(
            (got - want).abs() < 1e-12 * (1.0 + want.abs()),
            "element {i} of {z:?} came back as {got}"
        );
    }
    assert_eq!(back.len(), z.len());
}

/// Checks the log-determinant at a point.
pub fn log_det_at(bijector: Make, z: &[f64], want: f64) {
    let got = apply(bijector, z).1;
    assert!((got - want).abs() <= 1e-13 * want.abs(), "at {z:?}: {got} and {want}");
}
