//! Smoothed weights, leave-one-out estimates and power scaling against ArviZ; `tools/reference/{psis,loo}.py` make the files.

use std::sync::LazyLock;

use ndarray::{Array3, ArrayD, ArrayView2, IxDyn, arr1};
use ppl_core::diagnostics::{
    ElpdError, ElpdWarning, Loo, PsenseWarning, ess_mean, loo, loo_compare, loo_pit, pareto_k, psense, psis,
    relative_efficiency, waic,
};
use ppl_core::draws::Draws;
use ppl_core::rng::Key;
use serde_json::Value;

const TOLERANCE: f64 = 1e-8;

static RECORD: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(include_str!("data/loo.json")).unwrap());

/// JSON has no infinities: they are texts.
fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

#[track_caller]
fn assert_close(got: f64, expected: f64, what: &str) {
    let error = (got - expected).abs() / expected.abs().max(1.0);
    assert!(
        got == expected || error <= TOLERANCE,
        "{what}: {got}, ArviZ has {expected}, relative error {error:e}"
    );
}

#[track_caller]
fn assert_all_close(got: &[f64], expected: &[f64], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert_close(*got, *expected, &format!("{what} at {i}"));
    }
}

/// A stored model with its arrays.
struct Case {
    name: String,
    r_eff: f64,
    draws: Draws,
    log_prior: ArrayD<f64>,
    log_likelihood: ArrayD<f64>,
    observed: ArrayD<f64>,
    predictions: ArrayD<f64>,
    results: &'static Value,
}

fn cases() -> Vec<Case> {
    let cases = RECORD["cases"].as_object().unwrap();
    assert_eq!(cases.len(), 5);
    let case = |(name, record): (&String, &'static Value)| {
        let shape: Vec<usize> = numbers(&record["shape"]).iter().map(|n| *n as usize).collect();
        let array = |key: &str, shape: &[usize]| ArrayD::from_shape_vec(IxDyn(shape), numbers(&record[key])).unwrap();
        let mut draws = Draws::new(shape[0], shape[1]);
        for (name, values) in record["draws"].as_object().unwrap() {
            draws.insert(name, &[], numbers(values)).unwrap();
        }
        Case {
            name: name.clone(),
            r_eff: number(&record["r_eff"]),
            draws,
            log_prior: array("log_prior", &shape[..2]),
            log_likelihood: array("log_likelihood", &shape),
            observed: array("observed", &shape[2..]),
            predictions: array("predictions", &shape),
            results: &record["results"],
        }
    };
    cases.iter().map(case).collect()
}

impl Case {
    fn loo(&self) -> Loo {
        loo(self.log_likelihood.view(), self.r_eff).unwrap()
    }
}

fn case(name: &str) -> Case {
    cases().into_iter().find(|case| case.name == name).unwrap()
}

#[test]
fn smoothed_weights_and_pareto_k_are_those_of_arviz() {
    let record: Value = serde_json::from_str(include_str!("data/psis.json")).unwrap();
    let cases = record["cases"].as_object().unwrap();
    assert_eq!(cases.len(), 13);
    for (name, case) in cases {
        let (log_ratios, r_eff) = (numbers(&case["log_ratios"]), number(&case["r_eff"]));
        let smoothed = psis(&log_ratios, r_eff);
        assert_close(smoothed.pareto_k, number(&case["k"]), name);
        assert_all_close(&smoothed.log_weights, &numbers(&case["log_weights"]), name);
        if r_eff == 1.0 {
            assert_eq!(pareto_k(&log_ratios), smoothed.pareto_k, "{name}");
        }
        let multiplied: Vec<f64> = log_ratios.iter().rev().map(|x| x + 8.0).collect();
        let again = psis(&multiplied, r_eff);
        assert!((again.pareto_k - smoothed.pareto_k).abs() <= 1e-6, "{name}, multiplied");
    }
}

#[test]
fn pareto_k_of_no_weights_or_undefined_ones_is_undefined() {
    for weights in [
        &[][..],
        &[f64::NAN, 1.0],
        &[f64::INFINITY, 1.0],
        &[f64::NEG_INFINITY; 30],
    ] {
        assert!(pareto_k(weights).is_nan(), "{weights:?}");
        assert!(psis(weights, 1.0).log_weights.iter().all(|w| w.is_nan()), "{weights:?}");
    }
    assert_eq!(pareto_k(&[1.0; 100]), f64::NEG_INFINITY);
    assert_eq!(pareto_k(&[1.0]), f64::INFINITY);
}

#[test]
fn weights_that_vanish_beside_the_largest_are_left_out_of_the_fit() {
    // A quarter of the tail of twenty has no weight, where ArviZ divides by zero.
    let largest: Vec<f64> = (0..10).map(|i| (f64::from(i) * 0.618).fract()).collect();
    let k = |lowest: f64| pareto_k(&[&[lowest; 90][..], &largest].concat());
    assert!(k(-1e4).is_finite());
    assert_eq!(k(-1e4), k(-2e4));
    assert_eq!(k(-1e4), k(f64::NEG_INFINITY));
}

#[test]
fn leave_one_out_estimates_are_those_of_arviz() {
    for case in cases() {
        let (got, expected) = (case.loo(), case.results);
        for (what, got) in [("elpd", got.elpd), ("se", got.se), ("p", got.p)] {
            assert_close(got, number(&expected[what]), &format!("{what} of {}", case.name));
        }
        assert_eq!(got.elpd_i.shape(), case.observed.shape());
        assert_eq!(got.pareto_k.shape(), case.observed.shape());
        assert_all_close(
            got.elpd_i.as_slice().unwrap(),
            &numbers(&expected["elpd_i"]),
            &case.name,
        );
        assert_all_close(
            got.pareto_k.as_slice().unwrap(),
            &numbers(&expected["pareto_k"]),
            &case.name,
        );
        assert_close(got.p_i.sum(), got.p, "the sum of the parts");
        assert_eq!(got.n_draws, case.draws.n_chains() * case.draws.n_draws());
    }
}

#[test]
fn waic_is_that_of_its_formula() {
    for case in cases() {
        let (got, expected) = (waic(case.log_likelihood.view()).unwrap(), &case.results["waic"]);
        for (what, got) in [("elpd", got.elpd), ("se", got.se), ("p", got.p)] {
            assert_close(got, number(&expected[what]), &format!("{what} of {}", case.name));
        }
        assert_close(got.p_i.sum(), got.p, "the sum of the parts");
        assert_close(got.elpd_i.sum(), got.elpd, "the sum of the parts");
    }
}

#[test]
fn transforms_of_observations_are_those_of_arviz() {
    for case in cases() {
        let arrays = (
            case.observed.view(),
            case.predictions.view(),
            case.log_likelihood.view(),
        );
        let pit = loo_pit(arrays.0, arrays.1, arrays.2, case.r_eff).unwrap();
        let list = |array: &ArrayD<f64>| array.iter().copied().collect::<Vec<f64>>();
        assert_all_close(
            &list(&pit.middles()),
            &numbers(&case.results["pit_middles"]),
            &case.name,
        );
        assert_all_close(&list(&pit.below), &numbers(&case.results["pit_below"]), &case.name);
        assert_eq!(pit.below == pit.up_to, case.name != "counts");
        let (one, same, other) = (
            pit.randomised(Key::new(1)),
            pit.randomised(Key::new(1)),
            pit.randomised(Key::new(2)),
        );
        assert_eq!(one, same);
        assert_eq!(one == other, case.name != "counts");
        let all = pit.below.iter().zip(&one).zip(&pit.up_to);
        assert!(all.into_iter().all(|((low, x), high)| low <= x && x <= high));
    }
}

#[test]
fn sensitivities_to_powers_are_those_of_arviz() {
    let mut n = 0;
    for case in cases() {
        let sensitivity = psense(&case.draws, case.log_prior.view(), case.log_likelihood.view()).unwrap();
        for row in &sensitivity.rows {
            let expected = |component: &str| number(&case.results["psense"][component][&row.label]);
            let what = format!("{} of {}", row.label, case.name);
            assert_close(row.prior, expected("prior"), &what);
            assert_close(row.likelihood, expected("likelihood"), &what);
            n += 1;
        }
    }
    assert_eq!(n, 9);
    let few = &RECORD["few_draws"];
    let mut draws = Draws::new(2, 10);
    draws.insert("x", &[], numbers(&few["x"])).unwrap();
    let log_density = ArrayD::from_shape_vec(IxDyn(&[2, 10]), numbers(&few["log_density"])).unwrap();
    let row = &psense(&draws, log_density.view(), log_density.view()).unwrap().rows[0];
    assert_close(row.prior, number(&few["psense"]), "twenty draws");
    assert_eq!(row.prior, row.likelihood);
}

#[test]
fn relative_efficiency_is_the_mean_over_scalars() {
    for case in cases() {
        let sizes = case.results["ess_mean"].as_object().unwrap();
        let mean = sizes.values().map(number).sum::<f64>() / sizes.len() as f64;
        let n = (case.draws.n_chains() * case.draws.n_draws()) as f64;
        let expected = if case.draws.n_chains() == 1 { 1.0 } else { mean / n };
        assert_close(relative_efficiency(&case.draws), expected, &case.name);
    }
    let mut draws = Draws::new(2, 3);
    draws.insert("x", &[], vec![0.0; 6]).unwrap();
    assert!(ess_mean(draws.components("x").unwrap().next().unwrap().values).is_nan());
    assert_eq!(relative_efficiency(&draws), 1.0);
}

#[test]
fn models_are_ordered_and_weighted_as_by_arviz() {
    let loos: Vec<Loo> = ["normal", "normal_too_narrow", "student"]
        .map(|name| case(name).loo())
        .into();
    let comparison = loo_compare(&[
        ("normal", &loos[0]),
        ("normal_too_narrow", &loos[1]),
        ("student", &loos[2]),
    ])
    .unwrap();
    let expected = RECORD["comparison"].as_array().unwrap();
    assert_eq!(comparison.rows.len(), expected.len());
    for (row, expected) in comparison.rows.iter().zip(expected) {
        assert_eq!(row.name, expected["name"].as_str().unwrap());
        assert_close(row.elpd_diff, number(&expected["elpd_diff"]), &row.name);
        assert_close(row.dse, number(&expected["dse"]), &row.name);
        // The optimiser of the reference stops some digits before the maximum.
        let weight = number(&expected["weight"]);
        assert!(
            (row.weight - weight).abs() < 1e-6,
            "{}: {} instead of {weight}",
            row.name,
            row.weight
        );
    }
    let rounded = loo_compare(&[("one", &loos[0]), ("same", &loos[0])]).unwrap();
    assert_eq!(rounded.rows[0].name, "one");
    assert_eq!((rounded.rows[1].elpd_diff, rounded.rows[1].dse), (0.0, 0.0));
}

#[test]
fn troubled_estimates_are_named_in_words() {
    let narrow = case("normal_too_narrow");
    let got = narrow.loo();
    let [good, bad, very_bad] = got.pareto_k_counts();
    let k = numbers(&narrow.results["pareto_k"]);
    let beyond = |bound: f64| k.iter().filter(|k| **k > bound).count();
    assert_eq!(
        [good, bad, very_bad],
        [
            12 - beyond(got.good_k()),
            beyond(got.good_k()) - beyond(1.0),
            beyond(1.0)
        ]
    );
    assert!(very_bad > 0);
    let [ElpdWarning::HighParetoK { n, worst, .. }] = &got.warnings()[..] else {
        panic!("{:?}", got.warnings());
    };
    assert_eq!((*n, &worst[..]), (bad + very_bad, &[7][..]));
    let text = got.to_string();
    assert!(text.contains("observations is above 0.60, the highest"), "{text}");
    assert!(
        text.contains("at [7]: the posterior without such an observation"),
        "{text}"
    );
    assert_eq!(case("student").loo().warnings(), []);

    let high = waic(narrow.log_likelihood.view()).unwrap().to_string();
    assert!(
        high.contains("has a posterior variance above 0.4, the highest"),
        "{high}"
    );

    let few = loo(Array3::zeros((1, 24, 2)).view().into_dyn(), 1.0).unwrap();
    assert_eq!(few.warnings(), [ElpdWarning::FewDraws { n: 24 }]);
    let irrelevant = loo(Array3::zeros((1, 25, 2)).view().into_dyn(), 1.0).unwrap();
    assert_eq!(irrelevant.warnings(), []);

    let comparison = loo_compare(&[("a", &got), ("b", &case("student").loo())]).unwrap();
    let text = comparison.to_string();
    assert!(text.contains("warning: model `a`: Pareto k of"), "{text}");
    assert!(
        text.contains("warning: there are 12 observations, fewer than 100"),
        "{text}"
    );
    let (a, b) = (case("student").loo(), case("student").loo());
    let text = loo_compare(&[("a", &a), ("b", &b)]).unwrap().to_string();
    assert!(
        text.contains("warning: the elpd of `b` is 0 below the best, less than 4"),
        "{text}"
    );
}

#[test]
fn conflicts_and_strong_priors_are_named_in_words() {
    let student = case("student");
    let sensitivity = psense(&student.draws, student.log_prior.view(), student.log_likelihood.view()).unwrap();
    let [mu, sigma] = &sensitivity.warnings[..] else {
        panic!("{sensitivity}");
    };
    assert!(matches!(mu, PsenseWarning::StrongPrior { label, .. } if label == "mu"));
    assert!(matches!(sigma, PsenseWarning::Conflict { label, .. } if label == "sigma"));
    let text = sensitivity.to_string();
    for words in [
        "warning: `mu` is sensitive to its prior (2.27) and hardly to the likelihood (0.02): the prior decides",
        "warning: `sigma` is sensitive to its prior (0.44) and to the likelihood (0.12), both above 0.05",
    ] {
        assert!(text.contains(words), "{text}");
    }
    let normal = case("table_of_observations");
    let steep = normal.log_prior.mapv(|x| 1000.0 * x);
    let uneven = psense(&normal.draws, steep.view(), normal.log_likelihood.view())
        .unwrap()
        .to_string();
    assert!(
        uneven.contains("warning: Pareto k of the weights that scale the prior is"),
        "{uneven}"
    );
}

#[test]
fn arrays_that_say_nothing_are_refused_with_the_place() {
    let mut bad = ones(&[2, 30, 3, 2]);
    bad[[1, 17, 2, 0]] = f64::NEG_INFINITY;
    let error = loo(bad.view(), 1.0).unwrap_err();
    let text = "the log likelihood at [2, 0] is -inf in chain 1 at draw 17; at a draw from the posterior it is finite: look at \
                the model there";
    assert_eq!(error.to_string(), text);
    assert_eq!(waic(bad.view()).unwrap_err(), error);
    let mut nan = ones(&[2, 30, 3, 2]);
    nan[[0, 2, 1, 1]] = f64::NAN;
    let refused = [
        (ones(&[2]), "at least one of each, got shape [2]"),
        (ones(&[2, 30, 0]), "got shape [2, 30, 0]"),
        (ones(&[0, 30, 1]), "the log likelihood needs an array"),
        (nan, "at [1, 1] is NaN in chain 0 at draw 2"),
    ];
    for (array, words) in refused {
        let error = loo(array.view(), 1.0).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

fn ones(shape: &[usize]) -> ArrayD<f64> {
    ArrayD::from_elem(IxDyn(shape), -1.0)
}

#[test]
fn arrays_that_do_not_belong_together_are_refused() {
    let pit = |observed: &ArrayD<f64>, predictions: &ArrayD<f64>, likelihood: &ArrayD<f64>| {
        let arrays = (observed.view(), predictions.view(), likelihood.view());
        loo_pit(arrays.0, arrays.1, arrays.2, 1.0).unwrap_err().to_string()
    };
    let good = ones(&[2, 30, 3, 2]);
    let mut nan = good.clone();
    nan[[0, 2, 1, 1]] = f64::NAN;
    let mut missing = ones(&[3, 2]);
    missing[[1, 0]] = f64::NAN;
    let rows = [
        (pit(&ones(&[3, 2]), &good, &nan), "the log likelihood at [1, 1] is NaN"),
        (
            pit(&ones(&[3, 2]), &nan, &good),
            "the prediction at [1, 1] is NaN in chain 0 at draw 2",
        ),
        (
            pit(&missing, &good, &good),
            "the observed value at [1, 0] is NaN; leave out",
        ),
        (
            pit(&ones(&[3]), &good, &good),
            "the observed value has shape [3], which does not fit the log likelihood of shape [3, 2]",
        ),
        (
            pit(&ones(&[3, 2]), &ones(&[2, 30, 6]), &good),
            "the prediction has shape [2, 30, 6]",
        ),
    ];
    for (error, words) in rows {
        assert!(error.contains(words), "{error}");
    }
    let draws = Draws::new(2, 31);
    let error = psense(&draws, ones(&[2, 31]).view(), ones(&[2, 30, 4]).view())
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "the log likelihood has shape [2, 30], which does not fit the draws of shape [2, 31]"
    );
}

#[test]
fn models_of_other_observations_are_not_compared() {
    let (a, b) = (case("normal").loo(), case("table_of_observations").loo());
    let error = loo_compare(&[("a", &a), ("b", &b)]).unwrap_err().to_string();
    assert!(
        error.contains("those of `b` have shape [2, 3], those of `a` have [12]"),
        "{error}"
    );
    assert_eq!(loo_compare(&[]).unwrap_err(), ElpdError::NoModels);
}

#[test]
fn the_power_of_a_constant_density_moves_nothing() {
    let x = arr1(&[3.0, 1.0, 2.0, 5.0, 4.0]);
    let mut draws = Draws::new(1, 5);
    draws.insert("x", &[], x.to_vec()).unwrap();
    draws.insert("constant", &[], vec![1.0; 5]).unwrap();
    let flat = ArrayView2::from_shape((1, 5), &[7.0; 5]).unwrap().to_owned().into_dyn();
    let sensitivity = psense(&draws, flat.view(), flat.view()).unwrap();
    assert_eq!((sensitivity.rows[0].prior, sensitivity.rows[0].likelihood), (0.0, 0.0));
    assert!(sensitivity.rows[1].prior.is_nan());
}
