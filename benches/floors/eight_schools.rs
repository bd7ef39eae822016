//! Eight schools, noncentered, by hand.

use super::{HALF_LN_TWO_PI, standard_normal};

/// Returns the log density at `theta` = (mu, ln tau, z₁ … z₈) and writes its gradient.
#[inline(never)]
pub fn value_and_gradient(theta: &[f64; 10], y: &[f64; 8], sigma: &[f64; 8], gradient: &mut [f64; 10]) -> f64 {
    let (mu, tau) = (theta[0], theta[1].exp());
    let r = tau / 5.0;
    let mut value = standard_normal(mu / 5.0) - 5.0_f64.ln();
    value += (2.0 / (5.0 * std::f64::consts::PI)).ln() - (r * r).ln_1p() + theta[1];
    let (mut d_mu, mut d_tau) = (-mu / 25.0, -2.0 * r / 5.0 / (1.0 + r * r));
    for j in 0..8 {
        let z = theta[2 + j];
        let inverse = 1.0 / sigma[j];
        let e = (y[j] - mu - tau * z) * inverse;
        value += standard_normal(z) - 0.5 * e * e - HALF_LN_TWO_PI + inverse.ln();
        let d = e * inverse;
        d_mu += d;
        d_tau += d * z;
        gradient[2 + j] = d * tau - z;
    }
    gradient[0] = d_mu;
    gradient[1] = d_tau * tau + 1.0;
    value
}
