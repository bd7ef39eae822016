//! Logistic regression by hand, on columns.

use posterior::__private::kernels::{Loop, dispatch, sum3};
use posterior::core::kernels::real::Real;

use super::HALF_LN_TWO_PI;

/// The data, column by column, with room for the linear predictor.
pub struct Logistic {
    /// `columns[j * n + i]` is feature j of row i.
    pub columns: Vec<f64>,
    /// Zero or one.
    pub y: Vec<f64>,
    /// Scratch.
    pub eta: Vec<f64>,
    /// Scratch.
    pub terms: Vec<f64>,
}

impl Logistic {
    /// Returns the log density at `theta` = (w, b) and writes its gradient.
    pub fn value_and_gradient(&mut self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        dispatch(Run {
            data: self,
            theta,
            gradient,
        })
    }
}

struct Run<'a> {
    data: &'a mut Logistic,
    theta: &'a [f64],
    gradient: &'a mut [f64],
}

impl Loop for Run<'_> {
    type Out = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let n = self.data.y.len();
        let (w, b) = self.theta.split_at(self.theta.len() - 1);
        let (eta, y) = (&mut self.data.eta[..n], &self.data.y[..n]);
        eta.fill(b[0]);
        for (j, w) in w.iter().enumerate() {
            let column = &self.data.columns[j * n..][..n];
            for i in 0..n {
                eta[i] += w * column[i];
            }
        }
        let terms = &mut self.data.terms[..n];
        for i in 0..n {
            // ln p = y η − ln(1 + e^η), with one exponential for value and derivative.
            let e = Real::exp(-Real::abs(eta[i]));
            let softplus = Real::max(eta[i], 0.0) + Real::ln_1p(e);
            let p = <f64 as Real>::select(eta[i] >= 0.0, 1.0, e) / (1.0 + e);
            terms[i] = y[i] * eta[i] - softplus;
            eta[i] = y[i] - p;
        }
        let mut value = sum3(terms, terms, terms, |a, _, _| a);
        for (j, w) in w.iter().enumerate() {
            let column = &self.data.columns[j * n..][..n];
            self.gradient[j] = sum3(column, eta, eta, |c, r, _| c * r) - w;
            value += -0.5 * w * w - HALF_LN_TWO_PI;
        }
        self.gradient[w.len()] = eta.iter().sum::<f64>() - b[0] / 100.0;
        value - 0.005 * b[0] * b[0] - HALF_LN_TWO_PI - 10.0_f64.ln()
    }
}
