//! Random models under random handlers: the log joint density is the sum over the sites by hand.

use ndarray::{Array1, ArrayD, arr0, array};
use ppl_core::distributions::{Bernoulli, DistExt, Normal};
use ppl_core::rng::Key;
use ppl_core::runtime::handlers::{ModelExt, Trace, trace};
use ppl_core::runtime::model::Model;
use ppl_core::runtime::recording::Recorder;
use ppl_core::runtime::state::SiteKind;
use ppl_core::tape::store::Precision;
use ppl_core::tape::var::Var;
use ppl_macros::model;
use rand::Rng;

/// A step of a model.
#[derive(Clone, Copy, Debug, Hash, PartialEq)]
enum Step {
    Number,
    Rows,
    Walk,
    Coin,
    Submodel,
}

const STEPS: [Step; 5] = [Step::Number, Step::Rows, Step::Walk, Step::Coin, Step::Submodel];

#[model(crate = ppl_core)]
fn inner(loc: Var, y: &Array1<f64>) -> Var {
    let v = sample(Normal(loc, 2));
    for i in plate(y) {
        observe("part", y[i], Normal(v, 3));
    }
    for t in markov(2) {
        let step = sample(Normal(v, 1));
    }
    v
}

/// Each step has the value of the one before as its location.
#[model(crate = ppl_core)]
fn random(steps: Vec<Step>, y: &Array1<f64>) {
    let mut x = Var::from(0.5);
    for step in steps {
        x = match step {
            Step::Number => sample("z", Normal(x, 1.5)),
            Step::Rows => {
                let u = for i in plate(y, total = 9) {
                    let u = sample(Normal(x * y[i], 2));
                    observe("seen", y[i], Normal(u, 1).scale(0.5));
                    u
                };
                u.sum()
            }
            Step::Walk => {
                let w = for t in markov(2) {
                    let w = sample(Normal(x, 1));
                    w
                };
                w[1]
            }
            Step::Coin => sample("coin", Bernoulli::probs(0.3)) + x,
            Step::Submodel => sample("sub", inner(x, y)),
        };
        track("x", x);
    }
}

fn data() -> Array1<f64> {
    array![0.4, -1.1, 2.3]
}

/// A handler, with the site that it is about.
#[derive(Clone, Debug)]
enum Act {
    Condition(String, ArrayD<f64>),
    Do(String, ArrayD<f64>),
    Replay(Trace),
    Block(String),
    Mask(String, ArrayD<f64>),
    Scale(String, f64),
}

/// What happens to a model that has its handlers.
trait Then {
    fn then<M: Model>(&self, model: &M) -> Trace;
}

struct Record(u64);

impl Then for Record {
    fn then<M: Model>(&self, model: &M) -> Trace {
        trace(model, self.0).unwrap()
    }
}

struct Within<'a>(&'a Act, Record);

impl Then for Within<'_> {
    fn then<M: Model>(&self, model: &M) -> Trace {
        around(model, self.0, &self.1)
    }
}

/// Puts a handler around a model.
fn around<M: Model>(model: &M, act: &Act, next: &impl Then) -> Trace {
    let given = |site: &str, value: &ArrayD<f64>| {
        let (site, value) = (site.to_string(), value.clone());
        move |values: M::Values| values.into().with(&site, value).into()
    };
    match act {
        Act::Condition(site, value) => next.then(&model.condition(given(site, value))),
        Act::Do(site, value) => next.then(&model.do_(given(site, value))),
        Act::Replay(run) => next.then(&model.replay(run)),
        Act::Block(site) => next.then(&model.block(|_| site.as_str())),
        Act::Mask(site, mask) => next.then(&model.mask(|_| site.as_str(), mask)),
        Act::Scale(site, factor) => next.then(&model.scale(|_| site.as_str(), *factor)),
    }
}

/// A site by hand: its address, the log density of each row, the number of rows that each stands for and its own scale.
struct ByHand {
    address: String,
    log_prob: Vec<f64>,
    weight: f64,
    is_observed: bool,
}

/// ln of the normal density.
fn ln_normal(x: f64, loc: f64, scale: f64) -> f64 {
    -0.5 * ((x - loc) / scale).powi(2) - scale.ln() - 0.5 * std::f64::consts::TAU.ln()
}

/// Returns the sites of a run of `random` by hand; the values are those of the run.
fn by_hand(steps: &[Step], y: &Array1<f64>, run: &Trace) -> Vec<ByHand> {
    let mut sites = Vec::new();
    let mut add = |address: String, log_prob: Vec<f64>, weight: f64, is_observed: bool| {
        sites.push(ByHand {
            address,
            log_prob,
            weight,
            is_observed,
        });
    };
    // The value of a blocked site is not asked for: its row of the sum is left out.
    let values = |address: &str| {
        run.get(address)
            .map_or(vec![0.0; 3], |s| s.value.iter().copied().collect())
    };
    let mut loc = 0.5;
    for (k, step) in steps.iter().enumerate() {
        let x = run.get(&format!("x[{k}]")).unwrap().value[[]];
        match step {
            Step::Number => add(format!("z[{k}]"), vec![ln_normal(x, loc, 1.5)], 1.0, false),
            Step::Rows => {
                let (u, seen) = (values(&format!("u[{k}]")), values(&format!("seen[{k}]")));
                let prior = (0..3).map(|i| ln_normal(u[i], loc * y[i], 2.0)).collect();
                add(format!("u[{k}]"), prior, 9.0 / 3.0, false);
                let likelihood = (0..3).map(|i| ln_normal(seen[i], u[i], 1.0)).collect();
                add(format!("seen[{k}]"), likelihood, 0.5 * 9.0 / 3.0, true);
            }
            Step::Walk => (0..2).for_each(|t| {
                let w = format!("w[{k}][{t}]");
                add(w.clone(), vec![ln_normal(values(&w)[0], loc, 1.0)], 1.0, false);
            }),
            Step::Coin => {
                let p = if x == loc { 0.7_f64 } else { 0.3 };
                add(format!("coin[{k}]"), vec![p.ln()], 1.0, false);
            }
            Step::Submodel => {
                add(format!("sub[{k}].v"), vec![ln_normal(x, loc, 2.0)], 1.0, false);
                let part = values(&format!("sub[{k}].part"));
                let likelihood = part.iter().map(|&y| ln_normal(y, x, 3.0)).collect();
                add(format!("sub[{k}].part"), likelihood, 1.0, true);
                (0..2).for_each(|t| {
                    let step = format!("sub[{k}].step[{t}]");
                    add(step.clone(), vec![ln_normal(values(&step)[0], x, 1.0)], 1.0, false);
                });
            }
        }
        loc = x;
    }
    sites
}

/// What handlers decide about a site, by their documentation: those nearest to the model come first.
fn decided(site: &ByHand, acts: &[Act]) -> (f64, Option<ArrayD<f64>>, Option<SiteKind>) {
    let (mut value, mut factor, mut mask) = (None, site.weight, vec![1.0; site.log_prob.len()]);
    let own = if site.is_observed {
        SiteKind::Observed
    } else {
        SiteKind::Latent
    };
    let mut kind = Some(own);
    let mut is_open = true;
    for act in acts {
        match act {
            Act::Condition(name, given) if is_open && *name == site.address => {
                (value, kind, is_open) = (Some(given.clone()), Some(SiteKind::Observed), false);
            }
            Act::Do(name, given) if is_open && *name == site.address => {
                (value, kind, is_open) = (Some(given.clone()), Some(SiteKind::Intervened), false);
            }
            Act::Replay(run) if is_open && !site.is_observed => {
                (value, is_open) = (Some(run.get(&site.address).unwrap().value.clone()), false);
            }
            Act::Block(name) if *name == site.address => {
                kind = value.is_some().then_some(SiteKind::Intervened);
                is_open = false;
            }
            Act::Mask(name, rows) if *name == site.address => {
                mask.iter_mut().zip(rows).for_each(|(m, row)| *m *= row);
            }
            Act::Scale(name, by) if *name == site.address => factor *= by,
            _ => {}
        }
    }
    let counts = matches!(kind, Some(SiteKind::Latent | SiteKind::Observed));
    let rows = mask.iter().zip(&site.log_prob).filter(|(m, _)| **m != 0.0);
    let sum = rows.map(|(_, log_prob)| factor * log_prob).sum();
    (if counts { sum } else { 0.0 }, value, kind)
}

/// Chooses a handler for a site of a run; half of the second handlers are about the site of the first.
fn act(run: &Trace, steps: &[Step], y: &Array1<f64>, before: &mut Option<String>, rng: &mut impl Rng) -> Act {
    let sites: Vec<_> = run.sites().iter().filter(|s| s.kind != SiteKind::Tracked).collect();
    let site = sites[rng.random_range(0..sites.len())];
    let again = before.take_if(|_| rng.random());
    let site = again.and_then(|address| run.get(&address)).unwrap_or(site);
    let address = site.address.clone();
    *before = Some(address.clone());
    let value = site.value.mapv(|x| {
        let is_coin = site.distribution == "Bernoulli";
        if is_coin {
            1.0 - x
        } else {
            x + rng.random_range(-1.0..1.0)
        }
    });
    let mask = if value.ndim() == 0 {
        arr0(rng.random_range(0..2) as f64).into_dyn()
    } else {
        array![1.0, 0.0, 1.0].into_dyn()
    };
    // Values that only the trace tells are not blocked.
    let is_told = !["u[", "w[", "step["].iter().any(|name| address.contains(name));
    match rng.random_range(0..6) {
        0 => Act::Condition(address, value),
        1 => Act::Do(address, value),
        2 => Act::Replay(trace(&random(steps.to_vec(), y), rng.random()).unwrap()),
        3 if is_told => Act::Block(address),
        4 => Act::Mask(address, mask),
        _ => Act::Scale(address, rng.random_range(0.1..3.0)),
    }
}

fn steps(rng: &mut impl Rng) -> Vec<Step> {
    (0..4).map(|_| STEPS[rng.random_range(0..STEPS.len())]).collect()
}

fn assert_close(got: f64, expected: f64, tolerance: f64, what: impl std::fmt::Debug) {
    let off = (got - expected).abs() / (1.0 + expected.abs());
    assert!(off <= tolerance, "{got} for {expected}: {what:?}");
}

#[test]
fn the_log_joint_of_random_models_under_random_handlers_is_the_sum_by_hand() {
    let y = data();
    for seed in 0..600 {
        let rng = &mut Key::new(seed).generator();
        let steps = steps(rng);
        let model = random(steps.clone(), &y);
        let open = trace(&model, seed).unwrap();
        let mut before = None;
        let acts: Vec<Act> = (0..seed % 3)
            .map(|_| act(&open, &steps, &y, &mut before, rng))
            .collect();
        let run = match acts.as_slice() {
            [] => open,
            [one] => around(&model, one, &Record(seed)),
            [inner, outer, ..] => around(&model, inner, &Within(outer, Record(seed))),
        };
        let mut sum = 0.0;
        for site in by_hand(&steps, &y, &run) {
            let what = (&steps, &acts, &site.address);
            let (log_prob, value, kind) = decided(&site, &acts);
            let found = run.get(&site.address);
            assert_eq!(found.map(|s| s.kind), kind, "{what:?}");
            assert_close(found.map_or(0.0, |s| s.log_prob), log_prob, 1e-12, what);
            if let (Some(value), Some(found)) = (value, found) {
                assert_eq!(found.value, value, "{what:?}");
            }
            sum += log_prob;
        }
        assert_close(run.log_joint(), sum, 1e-12, (&steps, &acts));
    }
}

#[test]
fn single_precision_has_the_density_of_double_precision() {
    let y = data();
    for seed in 0..40 {
        let steps = steps(&mut Key::new(seed).generator());
        let model = random(steps.clone(), &y);
        let double = Recorder::density(Precision::F64, Key::new(seed))
            .record(&model)
            .unwrap();
        let single = Recorder::density(Precision::F32, Key::new(seed))
            .with_recording(&double)
            .record(&model)
            .unwrap();
        assert_close(single.tape.log_density(), double.tape.log_density(), 1e-5, steps);
    }
}
