//! Models of every kind that programs serve, with their data: the promises about programs are checked on all of them.

mod data;

pub use data::{labels, normals};
use posterior::prelude::*;

/// Something that is checked on each model.
pub trait Check {
    /// Checks one model.
    fn check<M: Model + Sync>(&mut self, name: &'static str, model: &M);
}

#[model]
pub fn eight_schools(sigma: &Array1<f64>, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 5));
    let tau = sample(HalfCauchy(5));
    let theta = for j in plate(sigma) {
        let theta = sample(Normal(mu, tau).noncentered());
        observe(y[j], Normal(theta, sigma[j]));
        theta
    };
    track(spread, theta.max() - theta.min());
}

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
pub fn logistic(x: &Array2<f64>, y: Obs<Array1<bool>>) {
    let w = sample(Normal(0, 1).expand([x.ncols()]));
    let b = sample(Normal(0, 10));
    for i in plate(x) {
        observe(y[i], Bernoulli::logits(x[i].dot(w) + b));
    }
}

#[model]
pub fn logistic_in_batches(x: &Array2<f64>, y: Obs<Array1<bool>>) {
    let w = sample(Normal(0, 1).expand([x.ncols()]));
    let b = sample(Normal(0, 10));
    for i in plate(x, batch = 16) {
        observe(y[i], Bernoulli::logits(x[i].dot(w) + b));
    }
}

#[model]
pub fn radon(floor: &Array1<f64>, county: &Array1<usize>, n_counties: usize, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 10));
    let tau = sample(HalfNormal(1));
    let slope = sample(Normal(0, 10));
    let sigma = sample(HalfNormal(1));
    let alpha = for c in plate(n_counties) {
        sample(Normal(mu, tau).noncentered())
    };
    for i in plate(floor) {
        observe(y[i], Normal(alpha[county[i]] + slope * floor[i], sigma));
    }
}

#[model]
pub fn network(x: &Array2<f64>, y: Obs<Array2<f64>>) {
    let w1 = sample(Normal(0, 1).expand([2, 7]));
    let b1 = sample(Normal(0, 1).expand([7]));
    let w2 = sample(Normal(0, 1).expand([7, 3]));
    for i in plate(x) {
        let hidden = (x[i].dot(w1) + b1).tanh();
        observe(y[i], Normal(hidden.dot(w2).softplus(), 0.3));
    }
}

#[model]
pub fn masked_and_scaled(y: Obs<Array1<f64>>, is_counted: &Array1<bool>) {
    let mu = sample(Normal(0, 2).scale(0.7));
    let s = sample(HalfNormal(1));
    for i in plate(y) {
        let shift = sample(Normal(0, 1).mask(is_counted[i]));
        observe(y[i], Normal(mu + shift, s).mask(is_counted[i]).scale(0.3));
    }
}

#[model]
pub fn supports(y: Obs<Array1<f64>>) {
    let weights = sample(Dirichlet(ones(4)));
    let rate = sample(Gamma(2, 3));
    let share = sample(Beta(2, 5));
    let angle = sample(Uniform(-2, 3));
    let means = sample(Normal(0, 3).expand([4]).ordered());
    let heavy = sample(StudentT(4, 0, 1));
    for i in plate(y) {
        let parts = weights.ln() - (y[i] - means).square() * rate - heavy.square() * share;
        factor(parts.log_sum_exp() + angle.cos());
    }
}

#[model]
pub fn potential(x: &Array1<f64>) {
    let a = sample(Normal(0, 1));
    let b = sample(LogNormal(0, 1));
    let bend = (x * a + b).tanh();
    factor(-bend.square().sum());
    let steps = bend.cumsum();
    factor(steps.mean() * a.sigmoid());
    track(last, steps.max());
}

#[model]
pub fn expressions(y: Obs<Array1<f64>>) {
    let a = sample(Normal(0, 1).expand([4]));
    let s = sample(HalfNormal(1));
    let mut mean = (a.rev() + (1, s, 0.5, 2)).pad(0, 1, 0, s);
    let m = concat_axis((stack((a[..2], a[2..])), diag_matrix(a[1..3]), 0.5 * eye(2)), 1);
    mean += m.max_axis(1).sum() * [0.1, 0.2, 0.3, 0.4, 0.5];
    mean -= m[(.., 1)].pow(2).sum() + m[[0, 3]] * 0.5f32 * m.rev_axis(1).min_axis(0)[1];
    mean *= [1.0, 0.5].map(|c| c * s).iter().sum::<Var>() / &array![1, 2, 3, 4, 5];
    let low = mean[mean.argmin()] - mean[mean.argmax()];
    let rest = y[1..];
    for i in plate(rest) {
        observe(rest[i], Normal(low + mean.slice(1..).log_sum_exp(), s));
    }
}

/// Checks all of the models.
pub fn every(check: &mut impl Check) {
    let sigma = array![15., 10., 16., 11., 9., 11., 10., 18.];
    let effects = array![28., 8., -3., 7., -1., 1., 18., 12.];
    check.check("eight schools", &eight_schools(&sigma, &effects));
    check.check("eight schools, centered", &eight_schools_centered(&sigma, &effects));

    let x = Array2::from_shape_vec((50, 3), normals(1, 150)).expect("150 numbers");
    let y = labels(2, 50, 2).mapv(|label| label == 1);
    check.check("logistic", &logistic(&x, &y));
    check.check("logistic in batches", &logistic_in_batches(&x, &y));

    let (floor, county) = (labels(3, 60, 2).mapv(|f| f as f64), labels(4, 60, 7));
    let levels = Array1::from(normals(5, 60));
    check.check("radon", &radon(&floor, &county, 7, &levels));

    let x = Array2::from_shape_vec((20, 2), normals(6, 40)).expect("40 numbers");
    let y = Array2::from_shape_vec((20, 3), normals(7, 60)).expect("60 numbers");
    check.check("network", &network(&x, &y));

    let is_counted = labels(8, 60, 3).mapv(|k| k > 0);
    check.check("masked and scaled", &masked_and_scaled(&levels, &is_counted));
    check.check("supports", &supports(&levels));
    check.check("potential", &potential(&levels));
    check.check("expressions", &expressions(&levels));
}
