//! What a run leaves behind beside its draws: the warm-up, data, predictions, and what is said of the run.

use ndarray::{Array1, Array2, array};
use ppl_core::distributions::{Bernoulli, HalfNormal, Normal};
use ppl_core::draws::{Draws, Kind};
use ppl_core::inference::gibbs::Gibbs;
use ppl_core::inference::mh::{Mh, Proposal};
use ppl_core::inference::nuts::Nuts;
use ppl_core::inference::predictive::Prior;
use ppl_core::inference::progress::Progress;
use ppl_core::inference::results::{Group, Results};
use ppl_core::runtime::argument::Obs;
use ppl_core::runtime::handlers::ModelExt;
use ppl_macros::model;

fn nuts() -> Nuts {
    Nuts::default()
        .chains(2)
        .draws(20)
        .warmup(30)
        .progress(Progress::Hidden)
}

fn values(draws: &Draws, name: &str) -> Vec<f64> {
    draws.get(name).unwrap().iter().copied().collect()
}

fn group(results: &Results, group: Group) -> &Draws {
    results
        .group(group)
        .unwrap_or_else(|| panic!("no group {}", group.name()))
}

#[model(crate = ppl_core)]
fn standard() {
    let x = sample(Normal(0, 1));
}

/// Asserts that the log densities that were kept are those of the values beside them.
fn assert_lp(draws: &Draws, statistics: &Draws) {
    let (x, lp) = (values(draws, "x"), values(statistics, "lp"));
    assert_eq!(
        (x.len(), statistics.get("lp").unwrap().shape()),
        (lp.len(), &draws.get("x").unwrap().shape()[..2])
    );
    for (x, lp) in x.iter().zip(lp) {
        let expected = -0.5 * x * x - 0.5 * std::f64::consts::TAU.ln();
        assert!((lp - expected).abs() < 1e-12, "lp = {lp} at {x}, expected {expected}");
    }
}

#[test]
fn the_warm_up_is_kept_if_it_is_asked_for_and_changes_no_draw() {
    let plain = nuts().run(&standard()).unwrap();
    assert!(plain.results().group(Group::WarmupPosterior).is_none());
    let kept = nuts().keep_warmup(true).run(&standard()).unwrap();
    assert_eq!(plain.draws(), kept.draws());
    assert_eq!(plain.statistics(), kept.statistics());
    let warmup = group(kept.results(), Group::WarmupPosterior);
    assert_eq!((warmup.n_chains(), warmup.n_draws()), (2, 30));
    let statistics = group(kept.results(), Group::WarmupSampleStats);
    assert_lp(warmup, statistics);
    assert_lp(kept.draws(), kept.statistics());
    assert!(statistics.names().eq(kept.statistics().names()));
    // The steps of the warm-up do not depend on how many of them are kept.
    let thinned = nuts().keep_warmup(true).thin(4).run(&standard()).unwrap();
    let thinned = values(group(thinned.results(), Group::WarmupPosterior), "x");
    let every_fourth: Vec<f64> = values(warmup, "x")
        .chunks(30)
        .flat_map(|c| c[3..].iter().step_by(4))
        .copied()
        .collect();
    assert_eq!((thinned.len(), thinned), (14, every_fourth));
}

#[test]
fn chains_on_traces_and_of_blocks_keep_the_warm_up_too() {
    let mh = Mh::default()
        .chains(2)
        .draws(20)
        .warmup(30)
        .progress(Progress::Hidden)
        .keep_warmup(true);
    let fits = [
        mh.clone()
            .proposal(Proposal::SingleSite)
            .run(&reads())
            .unwrap()
            .results()
            .clone(),
        mh.run(&standard()).unwrap().results().clone(),
        Gibbs::auto(&standard())
            .chains(2)
            .draws(20)
            .warmup(30)
            .progress(Progress::Hidden)
            .keep_warmup(true)
            .run(&standard())
            .unwrap()
            .results()
            .clone(),
    ];
    for results in fits {
        assert_lp(
            group(&results, Group::WarmupPosterior),
            group(&results, Group::WarmupSampleStats),
        );
        assert_lp(results.posterior(), group(&results, Group::SampleStats));
    }
}

/// Its body reads a drawn value, so that it is recorded anew at each step.
#[model(crate = ppl_core)]
fn reads() {
    let x = sample(Normal(0, 1));
    if x.value() > 10.0 {
        factor(-1.0);
    }
}

#[model(crate = ppl_core)]
fn regression(x: &Array2<f64>, group: &Array1<usize>, y: Obs<Array1<f64>>, passed: Obs<Array1<bool>>) {
    let b = sample(Normal(array![0.0, 0.0], 1));
    let a = sample(Normal(array![0.0, 0.0, 0.0], 1));
    let s = sample(HalfNormal(1));
    for row in plate(y) {
        let mean = a[group[row]] + (x[row] * b).sum();
        observe(y[row], Normal(mean, s));
        observe(passed[row], Bernoulli::logits(mean));
    }
}

#[test]
fn results_keep_the_data_that_the_model_was_given() {
    let x = array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
    let (rows, passed) = (array![2_usize, 0, 1], array![true, false, true]);
    let y = array![0.5, f64::NAN, -0.5];
    let y = Obs::partly(&y);
    let fit = nuts().run(&regression(&x, &rows, y, &passed)).unwrap();
    let observed = group(fit.results(), Group::ObservedData);
    assert_eq!(observed.names().collect::<Vec<_>>(), ["y", "passed"]);
    let y = values(observed, "y");
    assert_eq!((y[0], y[1].is_nan(), y[2]), (0.5, true, -0.5));
    assert_eq!(values(observed, "passed"), [1.0, 0.0, 1.0]);
    assert_eq!(
        (observed.kind("y"), observed.kind("passed")),
        (Ok(Kind::Real), Ok(Kind::Boolean))
    );
    assert_eq!(
        (observed.dims("y").unwrap(), observed.dims("passed").unwrap()),
        (&["row".to_string()][..], &["row".to_string()][..])
    );
    let constant = group(fit.results(), Group::ConstantData);
    assert_eq!(constant.names().collect::<Vec<_>>(), ["x", "group"]);
    assert_eq!(values(constant, "x"), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(constant.shape("x").unwrap(), [3, 2]);
    assert_eq!(values(constant, "group"), [2.0, 0.0, 1.0]);
}

#[model(crate = ppl_core)]
fn walk(y: Obs<Array1<f64>>) {
    let mut before = sample("start", Normal(0, 1));
    for t in markov(y) {
        let z = sample(Normal(before, 1));
        observe(y[t], Normal(z, 1));
        before = z;
    }
}

#[test]
fn what_a_loop_or_a_handler_observes_is_data_too() {
    let y = array![0.5, 1.5];
    let fit = nuts().run(&walk(&y)).unwrap();
    let observed = group(fit.results(), Group::ObservedData);
    assert_eq!(
        (values(observed, "y[0]"), values(observed, "y[1]")),
        (vec![0.5], vec![1.5])
    );
    assert!(fit.results().group(Group::ConstantData).is_none());
    let conditioned = standard().condition(|s| s.x(2.5));
    let fit = Mh::default()
        .draws(5)
        .warmup(5)
        .progress(Progress::Hidden)
        .run(&conditioned)
        .unwrap();
    assert_eq!(values(group(fit.results(), Group::ObservedData), "x"), [2.5]);
}

#[model(crate = ppl_core)]
fn picks(chosen: &Array1<usize>, all: &Array1<f64>) {
    let mu = sample(Normal(0, 1));
    for i in plate(chosen) {
        observe("y", all[chosen[i]], Normal(mu, 1));
    }
}

#[test]
fn numbers_by_which_observations_are_picked_are_no_observations() {
    let (chosen, all) = (array![2_usize, 0], array![0.5, 1.5, 2.5]);
    let fit = nuts().run(&picks(&chosen, &all)).unwrap();
    assert_eq!(values(group(fit.results(), Group::ObservedData), "y"), [2.5, 0.5]);
    let constant = group(fit.results(), Group::ConstantData);
    assert_eq!(constant.names().collect::<Vec<_>>(), ["chosen"]);
}

#[model(crate = ppl_core)]
fn schools(sigma: &Array1<f64>, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 5));
    for school in plate(y) {
        let theta = sample(Normal(mu, 5));
        observe(y[school], Normal(theta, sigma[school]));
    }
}

#[test]
fn predictions_and_the_prior_are_groups_with_the_coordinates_of_the_fit() {
    let (sigma, y) = (array![15.0, 10.0], array![28.0, 8.0]);
    let mut fit = nuts().run(&schools(&sigma, &y)).unwrap();
    fit.set_coords("school", ["A", "B"]).unwrap();
    let missing = schools(&sigma, Obs::missing_like(&[2]));
    let predicted = fit.predict(&missing).unwrap();
    let prior = Prior::default().draws(70).run(&missing).unwrap();
    fit.add(&prior).unwrap();
    fit.add(&predicted).unwrap();
    let results = fit.results();
    let names = |of: Group| group(results, of).names().collect::<Vec<_>>();
    assert_eq!(
        (names(Group::Prior), names(Group::PriorPredictive)),
        (vec!["mu", "theta"], vec!["y"])
    );
    assert_eq!(names(Group::PosteriorPredictive), ["y"]);
    assert_eq!(
        values(group(results, Group::PosteriorPredictive), "y"),
        values(predicted.draws(), "y")
    );
    assert_eq!(values(group(results, Group::Prior), "mu"), values(prior.draws(), "mu"));
    for of in [
        Group::Prior,
        Group::PriorPredictive,
        Group::PosteriorPredictive,
        Group::ObservedData,
        Group::Posterior,
    ] {
        let draws = group(results, of);
        assert_eq!(draws.coords("school").unwrap().unwrap(), ["A", "B"], "{}", of.name());
    }
    // The other arguments have dimensions of their own.
    assert_eq!(
        group(results, Group::ConstantData).dims("sigma").unwrap(),
        ["sigma_dim_0"]
    );
    let shorter = nuts()
        .draws(10)
        .run(&schools(&sigma, &y))
        .unwrap()
        .predict(&missing)
        .unwrap();
    let error = fit.add(&shorter).unwrap_err().to_string();
    assert_eq!(
        error,
        "posterior_predictive of 2 chains of 10 draws do not go with a posterior of 2 chains of 20 draws: make them from this fit"
    );
    let error = fit.set_coords("shool", ["A", "B"]).unwrap_err().to_string();
    assert_eq!(error, "no dimension named `shool`; similar: `school`, `sigma_dim_0`");
}

#[test]
fn a_fingerprint_tells_models_apart_and_is_the_same_in_each_run() {
    let (sigma, y) = (array![15.0, 10.0], array![28.0, 8.0]);
    let of = |seed: u64, y: &Array1<f64>| {
        let fit = nuts()
            .seed(seed)
            .run(&schools(&Array1::from_elem(y.len(), 1.0), y))
            .unwrap();
        fit.results().attributes().fingerprint.clone()
    };
    let own = nuts()
        .run(&schools(&sigma, &y))
        .unwrap()
        .results()
        .attributes()
        .fingerprint
        .clone();
    assert_eq!(
        own.text,
        "model schools\ndata sigma [2]\ndata y [2]\nLatent mu Normal [] Real\nLatent theta Normal [2] Real\nObserved y \
         Normal [2] Real"
    );
    // FNV-1a of the text above, computed apart from the library.
    assert_eq!(own.to_string(), "b3dac64f8c1ae295");
    // Neither seeds nor the values of data are part of it, shapes are.
    assert_eq!(of(7, &array![1.0, 2.0]), own);
    assert_ne!(of(7, &array![1.0, 2.0, 3.0]), own);
    let anew = |seed: u64| {
        let mh = Mh::default().draws(5).warmup(5).seed(seed).progress(Progress::Hidden);
        mh.run(&reads()).unwrap().results().attributes().fingerprint.clone()
    };
    assert_eq!((anew(1).text.as_str(), anew(1)), ("model reads", anew(2)));
}

#[test]
fn attributes_say_how_the_results_came_about() {
    let fit = nuts().seed(5).target_acceptance(0.9).run(&standard()).unwrap();
    let attributes = fit.results().attributes();
    assert_eq!(
        (attributes.sampler.as_str(), attributes.model.as_str(), attributes.seed),
        ("Nuts", "standard", 5)
    );
    let setting = |name: &str| attributes.settings.iter().find(|s| s.0 == name).map(|s| s.1.as_str());
    assert_eq!(
        (setting("target_acceptance"), setting("chains"), setting("step_size")),
        (Some("0.9"), Some("2"), Some("None"))
    );
    assert_eq!(attributes.version, env!("CARGO_PKG_VERSION"));
    assert!(
        attributes.seconds > 0.0 && attributes.seconds < 600.0,
        "{}",
        attributes.seconds
    );
    let blocks = Gibbs::auto(&standard())
        .draws(5)
        .warmup(5)
        .progress(Progress::Hidden)
        .run(&standard())
        .unwrap();
    let attributes = blocks.results().attributes();
    assert!(
        attributes
            .settings
            .iter()
            .any(|s| s.0 == "blocks" && s.1.contains("Auto")),
        "{attributes:?}"
    );
}
