//! The varying-intercept regression of the radon data by hand.

use super::{HALF_LN_TWO_PI, standard_normal};

/// The data.
pub struct Radon {
    /// Zero or one.
    pub floor: Vec<f64>,
    /// The group of each row.
    pub county: Vec<usize>,
    /// The response.
    pub y: Vec<f64>,
    /// The number of groups.
    pub n_counties: usize,
    /// Scratch: intercepts and their derivatives.
    pub alpha: Vec<f64>,
}

impl Radon {
    /// Returns the log density at `theta` = (mu, ln tau, slope, ln sigma, z…) and writes its gradient.
    #[inline(never)]
    pub fn value_and_gradient(&mut self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let k = self.n_counties;
        let (mu, tau, slope, sigma) = (theta[0], theta[1].exp(), theta[2], theta[3].exp());
        let z = &theta[4..4 + k];
        let (alpha, d_alpha) = self.alpha.split_at_mut(k);
        for (a, z) in alpha.iter_mut().zip(z) {
            *a = mu + tau * z;
        }
        d_alpha.fill(0.0);
        let inverse = 1.0 / sigma;
        let (mut squares, mut d_slope) = (0.0, 0.0);
        for ((&floor, &county), &y) in self.floor.iter().zip(&self.county).zip(&self.y) {
            let e = (y - alpha[county] - slope * floor) * inverse;
            squares += e * e;
            d_alpha[county] += e;
            d_slope += e * floor;
        }
        let n = self.y.len() as f64;
        let mut value = -0.5 * squares - n * (sigma.ln() + HALF_LN_TWO_PI);
        let half_normal = |x: f64| 2.0_f64.ln() + standard_normal(x);
        value += standard_normal(mu / 10.0) - 10.0_f64.ln() + standard_normal(slope / 10.0) - 10.0_f64.ln();
        value += half_normal(tau) + theta[1] + half_normal(sigma) + theta[3];
        let (mut d_mu, mut d_tau) = (0.0, 0.0);
        for c in 0..k {
            let d = d_alpha[c] * inverse;
            d_mu += d;
            d_tau += d * z[c];
            gradient[4 + c] = d * tau - z[c];
            value += standard_normal(z[c]);
        }
        gradient[0] = d_mu - mu / 100.0;
        gradient[1] = (d_tau - tau) * tau + 1.0;
        gradient[2] = d_slope * inverse - slope / 100.0;
        gradient[3] = squares - n - sigma * sigma + 1.0;
        value
    }
}
