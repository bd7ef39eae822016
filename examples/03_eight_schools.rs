//! Eight schools: a hierarchical model with noncentered effects, and a prediction for a ninth school.

use posterior::prelude::*;

#[model]
fn eight_schools(sigma: &Array1<f64>, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 5));
    let tau = sample(HalfCauchy(5));
    let theta = for j in plate(sigma) {
        let theta = sample(Normal(mu, tau).noncentered());
        observe(y[j], Normal(theta, sigma[j]));
        theta
    };
    track(spread, theta.max() - theta.min());
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sigma = array![15., 10., 16., 11., 9., 11., 10., 18.];
    let y = array![28., 8., -3., 7., -1., 1., 18., 12.];
    let fit = Nuts::default().seed(42).run(&eight_schools(&sigma, &y))?;
    println!("{}", fit.summary());
    println!(
        "posterior mean of tau: {:.2}",
        fit.tau().mean().expect("there are draws")
    );

    // A school that was not in the data: its effect is drawn from the population.
    let error = array![12.0];
    let ninth = fit
        .new_rows(|s| s.theta())
        .predict(&eight_schools(&error, Obs::missing()))?;
    println!("{ninth}");
    let scores = ninth.get("y").expect("missing observations are drawn");
    println!(
        "a ninth school with standard error 12: {:.1} ± {:.1}",
        scores.mean().unwrap_or(f64::NAN),
        scores.std(0.0)
    );
    Ok(())
}
