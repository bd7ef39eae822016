//! Settings of algorithms, optimisers and schedules, and questions to draws.

use posterior::core::draws::Draws;
use posterior::core::error::Error;
use posterior::core::optim::{Clip, Momentum, Optimizer};
use posterior::prelude::*;

use crate::table::{AnyModel, Table, mh, svi};

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
        x += step;
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

/// Runs SVI, by an optimiser.
fn by<O: Optimizer<f32> + Optimizer<f64>>(optimizer: O) -> Result<(), Error> {
    let y = array![0.5];
    let model = line(&y, &y);
    let svi = Svi::new(AutoNormal::default(), optimizer).steps(9);
    svi.progress(Progress::Hidden).run(&AnyModel(&model)).map(drop)
}

#[test]
fn learning_rates_name_optimiser_step_and_rate() {
    let mut t = Table::default();
    for (rate, text) in [
        (-1.0, "-1;"),
        (-5e-324, "-5e-324;"),
        (f64::NAN, "NaN;"),
        (f64::INFINITY, "+∞;"),
        (f64::NEG_INFINITY, "−∞;"),
    ] {
        let words = ["step 1 of Sgd: the learning rate is", text, "from zero on"];
        t.call("a rate of Sgd", &words, || by(Sgd::new(rate)));
        let words = ["step 1 of Adam: the learning rate is", text, "from zero on"];
        t.call("a rate of Adam", &words, || by(Adam::new(rate)));
        let words = ["step 1 of ClippedAdam: the learning rate is", text, "from zero on"];
        t.call("a rate of ClippedAdam", &words, || by(ClippedAdam::new(rate)));
    }
    let decay = |initial, rate, every| Schedule::ExponentialDecay { initial, rate, every };
    let words = ["SVI stopped after 2 steps: step 3 of Adam: the learning rate is +∞;"];
    t.call("a schedule that grows", &words, || {
        by(Adam::new(decay(1e-310, 1e308, 1.0)))
    });
    t.call(
        "a schedule of no start",
        &["step 1 of Sgd: the learning rate is NaN;"],
        || by(Sgd::new(decay(f64::NAN, 0.5, 10.0))),
    );
    let words = ["step 1 of Sgd: the factor `rate` of its schedule is -0.5;"];
    t.call("a schedule that swings", &words, || by(Sgd::new(decay(0.1, -0.5, 1.0))));
    for (every, text) in [(0.0, "is 0;"), (-3.0, "is -3;"), (f64::NAN, "is NaN;")] {
        let words = ["step 1 of Adam: the number of steps `every` of its schedule", text];
        t.call("a schedule of no length", &words, || {
            by(Adam::new(decay(0.1, 0.5, every)))
        });
    }
    let cosine = |last| Schedule::Cosine {
        initial: 0.1,
        last,
        n_steps: 4,
    };
    t.call(
        "a cosine to below zero",
        &["stopped after 3 steps", "step 4 of Sgd", "rate is -0.0707"],
        || by(Sgd::new(cosine(-0.1))),
    );
    t.call("a cosine to nowhere", &["step 1 of Sgd", "rate is NaN"], || {
        by(Sgd::new(cosine(f64::NAN)))
    });
    t.finish();
}

#[test]
fn memories_of_optimisers_name_the_setting_and_its_number() {
    let mut t = Table::default();
    for (x, text) in [(-0.1, "is -0.1;"), (1.0, "is 1;"), (f64::NAN, "is NaN;")] {
        for momentum in [Momentum::Classical(x), Momentum::Nesterov(x)] {
            let sgd = Sgd {
                momentum,
                ..Sgd::new(0.1)
            };
            t.call(
                "a momentum",
                &["step 1 of Sgd: the momentum", text, "below one"],
                || by(sgd),
            );
        }
        let (adam, clipped) = (Adam::new(0.1), ClippedAdam::new(0.1));
        t.call("a memory of gradients", &["Adam: the memory `beta1`", text], || {
            by(Adam { beta1: x, ..adam })
        });
        t.call("a memory of squares", &["Adam: the memory `beta2`", text], || {
            by(Adam { beta2: x, ..adam })
        });
        t.call(
            "a memory of clipped gradients",
            &["ClippedAdam: the memory `beta1`", text],
            || by(ClippedAdam { beta1: x, ..clipped }),
        );
        t.call(
            "a memory of clipped squares",
            &["ClippedAdam: the memory `beta2`", text],
            || by(ClippedAdam { beta2: x, ..clipped }),
        );
    }
    t.finish();
}

#[test]
fn limits_of_optimisers_name_the_setting_and_its_number() {
    let mut t = Table::default();
    for (eps, text) in [(-1e-8, "is -1e-8;"), (f64::INFINITY, "is +∞;"), (f64::NAN, "is NaN;")] {
        t.call("a divisor", &["Adam: the number `eps`", text], || {
            by(Adam { eps, ..Adam::new(0.1) })
        });
        t.call(
            "a divisor after clipping",
            &["ClippedAdam: the number `eps`", text],
            || {
                by(ClippedAdam {
                    eps,
                    ..ClippedAdam::new(0.1)
                })
            },
        );
    }
    for (limit, text) in [(0.0, "is 0;"), (-1.0, "is -1;"), (f64::NAN, "is NaN;")] {
        for (clip, part) in [(Clip::Value(limit), "elements"), (Clip::Norm(limit), "the norm")] {
            t.call("a limit", &["ClippedAdam: the limit `clip` on", part, text], || {
                by(ClippedAdam {
                    clip,
                    ..ClippedAdam::new(0.1)
                })
            });
        }
    }
    for (decay, text) in [
        (0.0, "is 0;"),
        (-0.9, "is -0.9;"),
        (1.1, "is 1.1;"),
        (f64::NAN, "is NaN;"),
    ] {
        t.call(
            "a decay",
            &["ClippedAdam: the factor `decay`", text, "at most one"],
            || {
                by(ClippedAdam {
                    decay,
                    ..ClippedAdam::new(0.1)
                })
            },
        );
    }
    t.finish();
}
