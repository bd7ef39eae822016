//! Settings of algorithms, optimisers and schedules, and questions to draws.

use posterior::core::draws::Draws;
use posterior::prelude::*;

use crate::table::{Table, mh, svi};

#[model]
fn line(x: &Array1<f64>, y: Obs<Array1<f64>>) {
    let slope = sample(Normal(0, 1));
    for i in plate(x) {
        observe(y[i], Normal(slope * x[i], 1));
    }
}

#[model]
fn switch(y: Obs<f64>) {
    let k = sample(Categorical::probs([0.5, 0.5]));
    observe(y, Normal(k, 1));
}

#[model]
fn walk(y: Obs<f64>) {
    let mut x = Var::from(0.0);
    while sample("go", Bernoulli::probs(0.5)).is_true() {
        let step = sample(Normal(0, 1));
        x = x + step;
    }
    observe(y, Normal(x, 1));
}

#[model]
fn impossible(y: Obs<Array1<f64>>) {
    let low = sample(Uniform(5, 6));
    for i in plate(y) {
        observe(y[i], Uniform(low, 9));
    }
}

#[test]
fn settings_of_samplers_name_the_setting_and_its_number() {
    let mut t = Table::default();
    let x = array![1.0, 2.0];
    let model = line(&x, &x);
    t.call("no chains", &["chains = 0", "at least 1"], || {
        mh().chains(0).run(&model)
    });
    t.call("no draws", &["draws = 0", "at least 1"], || mh().draws(0).run(&model));
    t.call("no thinning", &["thin = 0", "at least 1"], || mh().thin(0).run(&model));
    t.call("no draws of a prior", &["draws = 0", "at least 1"], || {
        Prior::default().draws(0).run(&model)
    });
    t.call("no particles", &["particle"], || svi().particles(0).run(&model));
    t.call("no draws of an approximation", &["one draw"], || {
        svi().draws(0).run(&model)
    });
    t.call(
        "a discrete latent under SVI",
        &["site k (tests/bad_input/settings.rs:", "discrete"],
        || svi().run(&switch(&1.0)),
    );
    t.call(
        "latents that come and go under a random walk",
        &["tests/bad_input/settings.rs:", "SingleSite"],
        || mh().proposal(Proposal::RandomWalk).run(&walk(&1.0)),
    );
    let words = ["site y (tests/bad_input/settings.rs:", "value[1] = 0"];
    let y = array![7.0, 0.0, 8.0];
    t.call("no start with a density", &words, || mh().run(&impossible(&y)));
    t.call("no start with a density, site by site", &words, || {
        mh().proposal(Proposal::SingleSite).run(&impossible(&y))
    });
    t.call("no start with a density for SVI", &words, || svi().run(&impossible(&y)));
    t.finish();
}

#[test]
fn questions_to_draws_name_what_there_is() {
    let mut t = Table::default();
    let mut draws = Draws::new(2, 3);
    draws.insert("mu", &[], vec![0.0; 6]).unwrap();
    t.call(
        "an unknown variable",
        &["no variable named `nu`", "similar: `mu`"],
        || draws.mean("nu"),
    );
    t.call(
        "the quantile of an unknown variable",
        &["no variable named `m`"],
        || draws.quantile("m", 0.5),
    );
    t.call("a chain beyond", &["no chain 2", "there are 2"], || {
        draws.chain("mu", 2).map(|x| x.to_owned())
    });
    t.call(
        "the components of an unknown variable",
        &["no variable named `x`"],
        || draws.components("x").map(drop),
    );
    t.call(
        "values of another number",
        &["needs 18 values", "2 chains of 3 draws", "got 4"],
        || Draws::new(2, 3).insert("z", &[3], vec![0.0; 4]),
    );
    t.call(
        "values of an overflowing shape",
        &["needs 18446744073709551615 values", "got 1"],
        || Draws::new(2, 3).insert("z", &[usize::MAX, 2], vec![0.0]),
    );
    t.call("values of no number of draws", &["got 1"], || {
        Draws::new(usize::MAX, usize::MAX).insert("z", &[], vec![0.0])
    });
    for q in [-0.1, 1.1, f64::NAN] {
        t.misuse("a quantile", &["probability within [0, 1]"], || draws.quantile("mu", q));
    }
    t.finish();
}

#[test]
fn rates_and_limits_name_their_number() {
    let mut t = Table::default();
    for rate in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        t.misuse("a rate by itself", &["learning rate", "from zero on"], || {
            Schedule::from(rate)
        });
    }
    t.finish();
}
