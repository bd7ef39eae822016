//! Missing observations: what is drawn in their place is what a model that has them observes.

use ndarray::{Array1, Array2, arr0, array};
use ppl_core::distributions::{Categorical, DistExt, HalfNormal, Normal};
use ppl_core::runtime::argument::Obs;
use ppl_core::runtime::handlers::{ModelExt, trace};
use ppl_core::runtime::state::SiteKind;
use ppl_macros::model;

#[model(crate = ppl_core)]
fn group(loc: ppl_core::tape::var::Var, x: &Array1<f64>, y: Obs<Array1<f64>>) {
    let shift = sample(Normal(loc, 1));
    for i in plate(x, total = 12) {
        observe(y[i], Normal(shift * x[i], 2).scale(0.5));
    }
}

/// Rows of one plate, of two, of a loop, of a submodel; vectors; labels that pick.
#[model(crate = ppl_core)]
fn everything(
    x: &Array1<f64>,
    numbers: Obs<Array1<f64>>,
    table: Obs<Array2<f64>>,
    vectors: Obs<Array2<f64>>,
    labels: Obs<Array1<usize>>,
    steps: Obs<Array1<f64>>,
    rest: Obs<Array1<f64>>,
) {
    let mu = sample(Normal(0, 2));
    let s = sample(HalfNormal(1));
    let levels = sample(Normal(0, 3).expand([3]));
    for i in plate(x) {
        let z = sample(Normal(mu, s));
        observe(numbers[i], Normal(z * x[i], s).mask(x[i].gt(0)));
        observe(vectors[i], Normal(z, 1).expand([2]));
        observe(labels[i], Categorical::logits(levels));
        for j in plate(2) {
            observe(table[i][j], Normal(z + levels[labels[i]], 1));
        }
    }
    for t in markov(3) {
        observe(steps[t], Normal(levels[t], 1));
    }
    let part = sample(group(mu, x, rest));
}

#[test]
fn a_run_without_observations_is_the_run_of_the_model_that_has_them() {
    let x = array![0.5, -1.0, 2.0, 0.25];
    for seed in 0..20 {
        let missing = everything(
            &x,
            Obs::missing(),
            Obs::missing(),
            Obs::missing(),
            Obs::missing(),
            Obs::missing(),
            Obs::missing(),
        );
        let run = trace(&missing, seed).unwrap();
        let value = |site: &str| run.get(site).unwrap().value.clone();
        let numbers = |site: &str| value(site).into_dimensionality::<ndarray::Ix1>().unwrap();
        let rows = |site: &str| value(site).into_dimensionality::<ndarray::Ix2>().unwrap();
        let labels = numbers("labels").mapv(|k| k as usize);
        let steps = Array1::from_iter((0..3).map(|t| value(&format!("steps[{t}]"))[[]]));
        let rest = run.sites().iter().find(|s| s.address.starts_with("part.y")).unwrap();
        let rest = rest.value.clone().into_dimensionality::<ndarray::Ix1>().unwrap();
        let (all, table, vectors) = (numbers("numbers"), rows("table"), rows("vectors"));
        let model = everything(&x, &all, &table, &vectors, &labels, &steps, &rest);
        let again = trace(&model.replay(&run), seed + 100).unwrap();
        assert_eq!(again.sites().len(), run.sites().len());
        for (own, want) in again.sites().iter().zip(run.sites()) {
            assert_eq!((&own.address, &own.value), (&want.address, &want.value));
            let off = (own.log_prob - want.log_prob).abs();
            assert!(off <= 1e-12 * (1.0 + want.log_prob.abs()), "{own:?} for {want:?}");
        }
        let n_observed = again.sites().iter().filter(|s| s.kind == SiteKind::Observed).count();
        assert_eq!(n_observed, 8);
    }
}

#[test]
fn a_run_without_observations_leaves_those_of_a_model_alone() {
    let x = array![0.5, -1.0, 2.0, 0.25];
    let (numbers, rest) = (array![7.0, 7.5, 8.0, 8.5], array![-7.0, -7.5, -8.0, -8.5]);
    let (table, vectors) = (
        Array2::from_elem((4, 2), 9.0),
        Array2::from_shape_fn((4, 2), |(i, k)| 20.0 + 2.0 * i as f64 + k as f64),
    );
    let (labels, steps) = (array![2_usize, 0, 1, 2], array![30.0, 31.0, 32.0]);
    let missing = everything(
        &x,
        Obs::missing(),
        Obs::missing(),
        Obs::missing(),
        Obs::missing(),
        Obs::missing(),
        Obs::missing(),
    );
    let own = [
        ("numbers", numbers.clone().into_dyn()),
        ("table", table.clone().into_dyn()),
        ("vectors", vectors.clone().into_dyn()),
        ("labels", labels.mapv(|k| k as f64).into_dyn()),
        ("steps[0]", arr0(steps[0]).into_dyn()),
        ("steps[1]", arr0(steps[1]).into_dyn()),
        ("steps[2]", arr0(steps[2]).into_dyn()),
        ("part.y", rest.clone().into_dyn()),
    ];
    for seed in 0..20 {
        let run = trace(&missing, seed).unwrap();
        let model = everything(&x, &numbers, &table, &vectors, &labels, &steps, &rest);
        let again = trace(&model.replay(&run), seed + 100).unwrap();
        let site = |name: &str| again.sites().iter().find(|s| s.address.starts_with(name)).unwrap();
        for (name, value) in &own {
            assert_eq!(
                (&site(name).value, site(name).kind),
                (value, SiteKind::Observed),
                "{name}"
            );
        }
        let latents = again.sites().iter().filter(|s| s.kind == SiteKind::Latent);
        let of_run = |address: &str| &run.get(address).unwrap().value;
        let n_replayed = latents.map(|s| assert_eq!(&s.value, of_run(&s.address))).count();
        assert_eq!(n_replayed, 5);
        // The density is that of the model's own value at the latents of the run.
        let levels = of_run("levels").iter().zip(&steps);
        let log_prob: f64 = levels.map(|(loc, y)| -0.5 * (y - loc).powi(2)).sum();
        let got: f64 = (0..3).map(|t| site(&format!("steps[{t}]")).log_prob).sum();
        let want = log_prob - 1.5 * std::f64::consts::TAU.ln();
        assert!((got - want).abs() < 1e-12 * want.abs(), "{got} for {want}");
    }
}
