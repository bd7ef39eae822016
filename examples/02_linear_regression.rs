//! Linear regression with known noise by SVI and by Metropolis–Hastings, beside the exact posterior.

use posterior::prelude::*;

#[model]
fn line(x: &Array1<f64>, y: Obs<Array1<f64>>) {
    let slope = sample(Normal(0, 10));
    let intercept = sample(Normal(0, 10));
    for i in plate(x) {
        observe(y[i], Normal(intercept + slope * x[i], 0.5));
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x = Array1::linspace(-1.0, 3.0, 21);
    let wiggle = |i: usize| 0.5 * ((i * 37 % 21) as f64 / 10.0 - 1.0);
    let y: Array1<f64> = x.iter().enumerate().map(|(i, x)| 1.0 + 2.0 * x + wiggle(i)).collect();
    let model = line(&x, &y);
    let mh = Mh::default().chains(4).draws(5000).seed(1).run(&model)?;
    let svi = Svi::new(AutoNormal::default(), Adam::new(0.01))
        .steps(6000)
        .particles(4)
        .run(&model)?;
    println!("{}", compare(&[("mh", &mh), ("svi", &svi)]));

    let (mean, sd) = exact(&x, &y);
    println!(
        "exact: intercept {:.4} ± {:.4}, slope {:.4} ± {:.4}",
        mean[0], sd[0], mean[1], sd[1]
    );
    println!("the mean-field guide cannot hold the correlation of the two, so that its spreads are smaller");
    Ok(())
}

/// The normal posterior: precision A = XᵀX / 0.5² + I / 10², mean A⁻¹ Xᵀy / 0.5².
fn exact(x: &Array1<f64>, y: &Array1<f64>) -> ([f64; 2], [f64; 2]) {
    let (noise, prior) = (0.25, 0.01);
    let a = [
        x.len() as f64 / noise + prior,
        x.sum() / noise,
        x.dot(x) / noise + prior,
    ];
    let b = [y.sum() / noise, x.dot(y) / noise];
    let det = a[0] * a[2] - a[1] * a[1];
    let mean = [(a[2] * b[0] - a[1] * b[1]) / det, (a[0] * b[1] - a[1] * b[0]) / det];
    (mean, [(a[2] / det).sqrt(), (a[0] / det).sqrt()])
}
