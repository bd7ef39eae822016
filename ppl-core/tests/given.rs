//! Values given to sites from outside reach a site, or the run ends with an error that says which sites there are.

use ndarray::{Array1, Array2, array};
use ppl_core::distributions::{Bernoulli, Normal};
use ppl_core::inference::mh::Mh;
use ppl_core::inference::progress::Progress;
use ppl_core::runtime::handlers::{ModelExt, Trace, trace};
use ppl_core::runtime::model::Model;
use ppl_core::runtime::sites::SiteValues;
use ppl_core::runtime::state::SiteKind;
use ppl_core::tape::var::Var;
use ppl_macros::model;

#[model(crate = ppl_core)]
fn inner(n: usize) -> Var {
    let z = sample(Normal(0, 1));
    for k in markov(n) {
        let w = sample(Normal(z, 1));
    }
    z
}

#[model(crate = ppl_core)]
fn outer() {
    let mu = sample(Normal(0, 1));
    let a = sample(inner(2));
    for t in markov(2) {
        let s = sample(inner(3));
    }
    for t in markov(3) {
        let step = sample(Normal(mu, 1));
    }
}

#[model(crate = ppl_core)]
fn branching(y: Obs<f64>) {
    let mu = sample(Normal(0, 1));
    if sample("more", Bernoulli::probs(0.5)).is_true() {
        let extra = sample(Normal(mu, 1));
        for t in markov(2) {
            let step = sample(Normal(0, 1));
        }
    }
    observe(y, Normal(mu, 1));
}

fn error<M: Model>(model: &M) -> String {
    trace(model, 1).unwrap_err().to_string()
}

fn value(run: &Trace, site: &str) -> f64 {
    run.get(site).unwrap().value[[]]
}

#[test]
fn a_value_for_a_submodel_is_an_error_with_the_names_of_its_sites() {
    let text = error(&outer().condition(|s| s.a(4.0)));
    assert_eq!(
        text,
        "`a` is no site that takes a value, it has the sites a.z, a.w[0], a.w[1]: give each its value by its whole name, \
         as in `|s| SiteValues::from(s).with(\"a.z\", …).into()`"
    );
    assert_eq!(error(&outer().do_(|s| s.a(4.0))), text);
    let text = error(&outer().condition(|s| s.s(array![1.0, 2.0])));
    assert!(
        text.starts_with("`s` is no site that takes a value, it has the sites s[0].z, s[0].w[0]"),
        "{text}"
    );
}

#[test]
fn a_site_of_a_submodel_takes_the_value_of_its_whole_name() {
    let w: Array2<f64> = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    let model = outer().condition(|s| SiteValues::from(s.mu(0.5)).with("a.z", 4.0).with("s.w", &w).into());
    let run = trace(&model, 1).unwrap();
    assert_eq!((value(&run, "mu"), value(&run, "a.z")), (0.5, 4.0));
    assert_eq!(run.get("a.z").unwrap().kind, SiteKind::Observed);
    assert_eq!(run.get("a.w[0]").unwrap().kind, SiteKind::Latent);
    for (t, k) in [(0, 0), (0, 2), (1, 0), (1, 1)] {
        assert_eq!(value(&run, &format!("s[{t}].w[{k}]")), w[[t, k]]);
    }
    let run = trace(
        &outer().do_(|s| SiteValues::from(s).with("s[1].w", w.row(0).to_owned()).into()),
        1,
    )
    .unwrap();
    assert_eq!(value(&run, "s[1].w[2]"), 3.0);
    assert_eq!(run.get("s[1].w[2]").unwrap().kind, SiteKind::Intervened);
    assert_eq!(run.get("s[0].w[2]").unwrap().kind, SiteKind::Latent);
}

#[test]
fn a_value_for_no_site_is_an_error_with_the_sites_of_the_model() {
    let text = error(&inner(1).do_(|s| SiteValues::from(s).with("zeta", 1.0).into()));
    assert_eq!(
        text,
        "a value was given to `zeta`, and the model has no such site; it has z, w[0]"
    );
    let text = error(&inner(60).block(|_| "zeta"));
    assert!(
        text.starts_with("the model has no site `zeta`; it has z, w[0]") && text.ends_with("w[18] and 41 more"),
        "{text}"
    );
}

#[test]
fn a_family_takes_as_many_rows_as_it_has_sites() {
    let steps = |n: usize| outer().condition(move |s| s.step(Array1::<f64>::zeros(n)));
    assert_eq!(value(&trace(&steps(3), 1).unwrap(), "step[2]"), 0.0);
    let text = error(&steps(2));
    assert!(
        text.starts_with("site step[2] (") && text.ends_with("the value given to `step` has shape [2]: no row for it"),
        "{text}"
    );
    assert_eq!(
        error(&steps(4)),
        "the value given to `step` has shape [4], and the model has sites of this name for [3] rows"
    );
    let text = error(&outer().do_(|s| s.step(1.0)));
    assert!(
        text.contains("the value given to `step` has shape []: no row for it"),
        "{text}"
    );
}

#[test]
fn a_site_that_an_inner_handler_decides_is_no_missing_site() {
    let blocked = outer().block(|s| s.mu()).condition(|s| s.mu(4.0));
    assert_eq!(trace(&blocked, 1).unwrap().get("mu"), None);
    let masked = outer().block(|_| "mu").mask(|_| "mu", 0.0).scale(|_| "mu", 2.0);
    assert_eq!(trace(&masked, 1).unwrap().get("mu"), None);
    let decided = outer().do_(|s| s.mu(1.0)).condition(|s| s.mu(4.0));
    assert_eq!(value(&trace(&decided, 1).unwrap(), "mu"), 1.0);
}

#[test]
fn a_site_may_be_missing_where_the_run_depends_on_values() {
    let y = 0.3;
    let model = branching(&y)
        .condition(|s| s.extra(2.0).step(array![1.0, 2.0, 3.0]))
        .scale(|_| "extra", 0.5);
    let runs: Vec<Trace> = (0..20).map(|seed| trace(&model, seed).unwrap()).collect();
    let taken = runs.iter().filter_map(|r| r.get("extra"));
    assert!(
        taken
            .clone()
            .all(|s| s.value[[]] == 2.0 && s.kind == SiteKind::Observed)
    );
    assert!((1..20).contains(&taken.count()));
    // A value decides now, and the run depends on no latent.
    let text = error(&model.condition(|s| s.more(false)));
    assert!(
        text.starts_with("a value was given to `extra`, and the model has no such site; it has mu, more, y"),
        "{text}"
    );
}

#[test]
#[should_panic(expected = "`a` is no single site, it has the sites a.z, a.w[0], a.w[1]: read each by its whole name")]
fn draws_of_a_submodel_panic_with_the_names_of_its_sites() {
    let fit = Mh::default()
        .chains(1)
        .draws(2)
        .warmup(2)
        .progress(Progress::Hidden)
        .run(&outer())
        .unwrap();
    fit.a();
}
