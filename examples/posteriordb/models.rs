//! The models of the reference posteriors, with the names of their parameters.

use posterior::prelude::*;

#[model]
pub fn eight_schools_centered(sigma: &Array1<f64>, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 5));
    let tau = sample(HalfCauchy(5));
    for j in plate(sigma) {
        let theta = sample(Normal(mu, tau));
        observe(y[j], Normal(theta, sigma[j]));
    }
}

#[model]
pub fn eight_schools_noncentered(sigma: &Array1<f64>, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 5));
    let tau = sample(HalfCauchy(5));
    for j in plate(sigma) {
        let theta = sample(Normal(mu, tau).noncentered());
        observe(y[j], Normal(theta, sigma[j]));
    }
}

/// A linear regression with flat coefficients and a flat spread.
#[model]
pub fn flat_regression(x: &Array2<f64>, y: Obs<Array1<f64>>) {
    let beta = sample(Flat().expand([x.ncols()]));
    let sigma = sample(HalfFlat());
    for i in plate(x) {
        observe(y[i], Normal(x[i].dot(beta), sigma));
    }
}

/// The same with a half-Cauchy spread.
#[model]
pub fn cauchy_regression(x: &Array2<f64>, y: Obs<Array1<f64>>) {
    let beta = sample(Flat().expand([x.ncols()]));
    let sigma = sample(HalfCauchy(2.5));
    for i in plate(x) {
        observe(y[i], Normal(x[i].dot(beta), sigma));
    }
}

/// A straight line with normal priors for intercept and slope.
#[model]
pub fn kilpisjarvi(x: &Array1<f64>, y: Obs<Array1<f64>>, alpha_prior: (f64, f64), beta_prior: (f64, f64)) {
    let alpha = sample(Normal(alpha_prior.0, alpha_prior.1));
    let beta = sample(Normal(beta_prior.0, beta_prior.1));
    let sigma = sample(HalfFlat());
    for i in plate(x) {
        observe(y[i], Normal(alpha + beta * x[i], sigma));
    }
}

/// An autoregression: each row of `lags` holds the values before that of `y`, the last first.
#[model]
pub fn autoregression(lags: &Array2<f64>, y: Obs<Array1<f64>>) {
    let alpha = sample(Normal(0, 10));
    let beta = sample(Normal(0, 10).expand([lags.ncols()]));
    let sigma = sample(HalfCauchy(2.5));
    for t in plate(lags) {
        observe(y[t], Normal(alpha + lags[t].dot(beta), sigma));
    }
}

/// A spread that follows the last deviation and the last spread.
#[model]
pub fn garch(y: &Array1<f64>, sigma1: f64) {
    let mu = sample(Flat());
    let alpha0 = sample(HalfFlat());
    let alpha1 = sample(Uniform(0, 1));
    // Uniform up to a bound that varies, without the density 1 / (1 − alpha1) of that.
    let beta1 = sample(Uniform(0, 1 - alpha1));
    factor((1 - alpha1).ln());
    let mut variance = Var::from(sigma1 * sigma1);
    factor(Normal(mu, sigma1).log_prob(y[0]));
    for t in 1..y.len() {
        variance = alpha0 + alpha1 * (y[t - 1] - mu).square() + beta1 * variance;
        factor(Normal(mu, variance.sqrt()).log_prob(y[t]));
    }
}

/// A Gaussian process with a squared exponential kernel; `squares` holds (xᵢ − xⱼ)².
#[model]
pub fn gaussian_process(squares: &Array2<f64>, y: Obs<Array1<f64>>) {
    let rho = sample(Gamma(25, 4));
    let alpha = sample(HalfNormal(2));
    let sigma = sample(HalfNormal(1));
    let n = squares.nrows();
    let kernel = alpha.square() * (squares * (-0.5 / rho.square())).exp() + sigma * Array2::eye(n);
    observe(y, MultivariateNormal::scale_tril(zeros(n), kernel.cholesky()));
}

/// Two normal components in ascending order.
#[model]
pub fn gaussian_mixture(y: &Array1<f64>) {
    let mu = sample(Normal(0, 2).expand([2]).ordered());
    let sigma = sample(HalfNormal(2).expand([2]));
    let theta = sample(Beta(5, 5));
    for i in plate(y) {
        let first = theta.ln() + Normal(mu[0], sigma[0]).log_prob(y[i]);
        let second = (1 - theta).ln() + Normal(mu[1], sigma[1]).log_prob(y[i]);
        factor(stack([first, second]).log_sum_exp_axis(0));
    }
}

/// Two hidden states that emit normal numbers; the first state has weight one, whichever it is.
#[model]
pub fn hidden_markov(y: &Array1<f64>) {
    let theta1 = sample(Dirichlet([1, 1]));
    let theta2 = sample(Dirichlet([1, 1]));
    let low = sample(HalfFlat());
    let gap = sample(HalfFlat());
    let mu = stack([low, low + gap]);
    track("mu", mu);
    factor(Normal(3, 1).log_prob(mu[0]) + Normal(10, 1).log_prob(mu[1]));
    let ln_transition = stack([theta1, theta2]).ln();
    let mut ln_weight = Normal(mu, 1).log_prob(y[0]);
    for t in 1..y.len() {
        ln_weight = (ln_weight.reshape(&[2, 1]) + ln_transition).log_sum_exp_axis(0) + Normal(mu, 1).log_prob(y[t]);
    }
    factor(ln_weight.log_sum_exp());
}

/// Two hidden states that emit pairs of exponential numbers.
#[model]
pub fn hidden_markov_of_drives(u: &Array1<f64>, v: &Array1<f64>, alpha1: [f64; 2], alpha2: [f64; 2]) {
    let theta1 = sample(Dirichlet(alpha1));
    let theta2 = sample(Dirichlet(alpha2));
    let phi_low = sample(HalfFlat());
    let phi_gap = sample(HalfFlat());
    let lambda_low = sample(HalfFlat());
    let lambda_gap = sample(HalfFlat());
    let phi = stack([phi_low, phi_low + phi_gap]);
    let lambda = stack([lambda_low, lambda_low + lambda_gap]);
    track("phi", phi);
    track("lambda", lambda);
    for rate in [phi, lambda] {
        factor(Normal(0, 1).log_prob(rate[0]) + Normal(3, 1).log_prob(rate[1]));
    }
    let ln_transition = stack([theta1, theta2]).ln();
    let mut ln_weight = Exponential(phi).log_prob(u[0]) + Exponential(lambda).log_prob(v[0]);
    for t in 1..u.len() {
        let emission = Exponential(phi).log_prob(u[t]) + Exponential(lambda).log_prob(v[t]);
        ln_weight = (ln_weight.reshape(&[2, 1]) + ln_transition).log_sum_exp_axis(0) + emission;
    }
    factor(ln_weight.log_sum_exp());
}

/// Lynxes and hares: two populations by the equations of Lotka and Volterra, one year after the other.
#[model]
pub fn lotka_volterra(y_init: &Array1<f64>, y: &Array2<f64>, steps: usize) {
    let theta = sample(Normal([1.0, 0.05, 1.0, 0.05], [0.5, 0.05, 0.5, 0.05]).truncate(0, f64::INFINITY));
    let sigma = sample(LogNormal(-1, 1).expand([2]));
    let z_init = sample(LogNormal(10_f64.ln(), 1).expand([2]));
    factor(LogNormal(z_init.ln(), sigma).log_prob(y_init).sum());
    let [birth, eaten, death, fed] = [0, 1, 2, 3].map(|k| theta[k]);
    let slope = |[u, v]: [_; 2]| (u * (birth - eaten * v), v * (fed * u - death));
    let h = 1.0 / steps as f64;
    let (mut u, mut v) = (z_init[0], z_init[1]);
    for year in 0..y.nrows() {
        // The classical method of Runge and Kutta.
        for _ in 0..steps {
            let (a, b) = slope([u, v]);
            let (c, d) = slope([u + 0.5 * h * a, v + 0.5 * h * b]);
            let (e, f) = slope([u + 0.5 * h * c, v + 0.5 * h * d]);
            let (g, k) = slope([u + h * e, v + h * f]);
            u += (h / 6.0) * (a + 2 * c + 2 * e + g);
            v += (h / 6.0) * (b + 2 * d + 2 * f + k);
        }
        factor(LogNormal(stack([u, v]).ln(), sigma).log_prob(y[year]).sum());
    }
}
