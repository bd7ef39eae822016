//! The entropy of a guide is that of its noise: guides whose scales get small or badly conditioned stay where they are.

use ndarray::{Array1, Array2, array};
use ppl_core::constraints::LowerCholesky;
use ppl_core::distributions::{Cauchy, DistExt, Laplace, MultivariateNormal, Normal, StudentT};
use ppl_core::inference::svi::Svi;
use ppl_core::optim::{Adam, Schedule, Sgd};
use ppl_core::tape::store::Precision;
use ppl_macros::{guide, model};

/// A network of one input, ten hidden units and one output, its 31 weights in one vector.
#[model(crate = ppl_core)]
fn network(x: &Array1<f64>, y: Obs<Array1<f64>>) {
    let w = sample(Normal(0, 1).expand([31]));
    for i in plate(x) {
        let hidden = (w.slice(0..10) * x[i] + w.slice(10..20)).tanh();
        let mean = (hidden * w.slice(20..30)).sum() + w[30];
        observe(y[i], Normal(mean, 0.1));
    }
}

#[guide(network, crate = ppl_core)]
fn full_covariance() {
    let loc = param(Array1::from_iter((0..31).map(|k| (k as f64).sin())));
    let scale = param(Array2::<f64>::eye(31) * 0.1, LowerCholesky);
    let w = sample(MultivariateNormal::scale_tril(loc, scale));
}

fn data() -> (Array1<f64>, Array1<f64>) {
    let x = Array1::linspace(-1.0, 1.0, 20);
    let y = x.mapv(|x: f64| (3.0 * x).sin() + 0.1 * (17.0 * x).cos());
    (x, y)
}

fn assert_stable(precision: Precision) {
    let (x, y) = data();
    let model = network(&x, &y);
    let rate = Schedule::Cosine {
        initial: 0.02,
        last: 1e-5,
        n_steps: 600,
    };
    for seed in 0..12 {
        let svi = Svi::new(full_covariance(), Adam::new(rate))
            .steps(600)
            .draws(1)
            .precision(precision);
        let fit = svi.seed(seed).run(&model).unwrap();
        let last = fit.losses()[500..].iter().sum::<f64>() / 100.0;
        println!("seed {seed}: {last}");
        // Each of the 20 densities is at most 1 / (0.1 √(2π)), so that no loss is below −27.7 on average.
        assert!((-27.7..1000.0).contains(&last), "seed {seed}: loss {last}");
    }
}

#[test]
fn a_full_covariance_guide_of_a_network_is_stable_for_every_seed() {
    assert_stable(Precision::F64);
}

#[test]
fn a_full_covariance_guide_is_stable_in_single_precision() {
    assert_stable(Precision::F32);
}

/// Two numbers of which the prior says next to nothing, so that the bound is the entropy of the guide.
#[model(crate = ppl_core)]
fn anywhere() {
    let x = sample(Normal(0, 1e15).expand([2]));
}

macro_rules! guides {
    ($($name:ident: |$loc:ident, $scale:ident| $dist:expr;)*) => {$(
        mod $name {
            use super::*;

            #[guide(anywhere, crate = ppl_core)]
            fn narrow(width: f64, eye: &Array2<f64>) {
                let $loc = param(array![1.0, -2.0]);
                let $scale = param("raw", array![width.ln(), width.ln()]).exp() * eye;
                let x = sample($dist);
            }

            /// One step of length 0.1 has to move the logarithms of the scales by 0.1, and nothing else.
            #[test]
            fn the_entropy_of_a_narrow_guide_has_its_exact_derivative() {
                for (precision, width, tolerance) in [(Precision::F64, 1e-13, 1e-12), (Precision::F32, 1e-5, 2e-6)] {
                    let (model, eye) = (anywhere(), Array2::eye(2));
                    let svi = Svi::new(narrow(width, &eye), Sgd::new(0.1)).precision(precision);
                    let mut state = svi.start(&model).unwrap();
                    let before = state.params();
                    state.step().unwrap();
                    for ((name, after), (_, before)) in state.params().iter().zip(&before) {
                        let moved = if name == "raw" { 0.1 } else { 0.0 };
                        for (after, before) in after.iter().zip(before) {
                            let off = after - before - moved;
                            assert!(off.abs() < tolerance, "{name}: {off:e} off in {precision:?}");
                        }
                    }
                }
            }
        }
    )*};
}

guides! {
    normal: |loc, scale| Normal(loc, scale.diag());
    cauchy: |loc, scale| Cauchy(loc, scale.diag());
    laplace: |loc, scale| Laplace(loc, scale.diag());
    student_t: |loc, scale| StudentT(5, loc, scale.diag());
    multivariate: |loc, scale| MultivariateNormal::scale_tril(loc, scale);
}
