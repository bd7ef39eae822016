//! A coin's bias by Metropolis–Hastings and by SVI, beside the exact posterior.

use posterior::prelude::*;

#[model]
fn coin(flips: Obs<Array1<bool>>) {
    let p = sample(Beta(1, 1));
    for i in plate(flips) {
        observe(flips[i], Bernoulli::probs(p));
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flips: Array1<bool> = [1, 1, 0, 1, 1, 1, 0, 1, 0, 1].iter().map(|&x| x == 1).collect();
    let model = coin(&flips);
    let mh = Mh::default().chains(4).draws(4000).seed(1).run(&model)?;
    let svi = Svi::new(AutoNormal::default(), Adam::new(0.02))
        .steps(3000)
        .particles(4)
        .run(&model)?;
    println!("{}", mh.summary());
    println!("{}", compare(&[("mh", &mh), ("svi", &svi)]));

    // A uniform prior and 7 heads in 10 flips: the posterior is Beta(8, 4).
    let (a, b) = (8.0_f64, 4.0_f64);
    let (mean, sd) = (a / (a + b), (a * b / ((a + b).powi(2) * (a + b + 1.0))).sqrt());
    let estimate = mh.p().mean().expect("there are draws");
    println!("exact: mean {mean:.4}, sd {sd:.4}; Metropolis–Hastings: mean {estimate:.4}");
    Ok(())
}
