//! A guide written by hand, checked against its model when it is compiled.

use posterior::prelude::*;

#[model]
fn eight_schools(sigma: &Array1<f64>, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 5));
    let tau = sample(HalfCauchy(5));
    for j in plate(sigma) {
        let theta = sample(Normal(mu, tau));
        observe(y[j], Normal(theta, sigma[j]));
    }
}

/// A site that is missing, misspelt or on another support would not compile.
#[guide(eight_schools)]
fn mean_field(sigma: &Array1<f64>) {
    let mu = sample(Normal(param(0.0), param(1.0, Positive)));
    let tau = sample(LogNormal(param(0.0), param(1.0, Positive)));
    for j in plate(sigma) {
        let theta = sample(Normal(param(0.0), param(1.0, Positive)));
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sigma = array![15., 10., 16., 11., 9., 11., 10., 18.];
    let y = array![28., 8., -3., 7., -1., 1., 18., 12.];
    let model = eight_schools(&sigma, &y);
    let by_hand = Svi::new(mean_field(&sigma), Adam::new(0.01))
        .steps(10_000)
        .particles(4)
        .run(&model)?;
    let automatic = Svi::new(AutoNormal::default(), Adam::new(0.01))
        .steps(10_000)
        .particles(4)
        .run(&model)?;
    for (name, _) in by_hand.params() {
        let value = by_hand.param(name).expect("it is among the names");
        println!("{name:8} {value:.2}");
    }
    println!("{}", compare(&[("by hand", &by_hand), ("AutoNormal", &automatic)]));
    Ok(())
}
