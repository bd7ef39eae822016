//! What SVI climbs and what it keeps: the bound under totals and scales, and draws of the fitted guide.

use posterior::core::inference::svi::Approximation;
use posterior::prelude::*;

#[model]
fn locals(total: usize, y: Obs<Array1<f64>>) {
    for i in plate(y, total = total) {
        let z = sample(Normal(0, 1));
        observe(y[i], Normal(z, 1));
    }
}

#[model]
fn locals_each(total: usize, y: Obs<Array1<f64>>) {
    for i in plate(y, total = total).each() {
        let z = sample(Normal(0, 1));
        observe(y[i], Normal(z, 1));
    }
}

fn svi<G>(guide: G, steps: usize) -> Svi<G, Adam> {
    Svi::new(guide, Adam::new(0.02)).steps(steps).particles(8)
}

/// Returns the variance that AutoNormal gives each element of `z`, from the parameters of its scales.
fn fitted_variances<M: Model>(fit: &Approximation<M>) -> Vec<f64> {
    let of_scale = |(name, _): &&(String, ArrayD<f64>)| name.ends_with(".raw_scale");
    let raw = fit.params().iter().filter(of_scale);
    raw.flat_map(|(_, raw)| raw.iter().map(|r| (2.0 * r).exp()).collect::<Vec<_>>())
        .collect()
}

#[test]
fn local_posteriors_do_not_depend_on_the_total() {
    let y = Array1::from_iter((0..10).map(|i| 0.3 * i as f64 - 1.0));
    // The posterior of each row is N(y / 2, 1/2), however often the row counts.
    let check = |name: &str, variances: Vec<f64>| {
        assert_eq!(variances.len(), 10, "{name}");
        let mean = variances.iter().sum::<f64>() / 10.0;
        assert!((mean - 0.5).abs() < 0.04, "{name}: variance {mean}");
    };
    for total in [10, 100] {
        let fit = svi(AutoNormal::default(), 1000).run(&locals(total, &y)).unwrap();
        check(&format!("plate of {total}"), fitted_variances(&fit));
    }
    let fit = svi(AutoNormal::default(), 1000).run(&locals_each(100, &y)).unwrap();
    check("loop of 100", fitted_variances(&fit));
}
