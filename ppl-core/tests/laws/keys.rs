//! Handlers and the programs of streams: what a handler does is part of the program, whatever else is rebound.

use ndarray::{Array1, array};
use ppl_core::distributions::Normal;
use ppl_core::inference::progress::Progress;
use ppl_core::inference::svi::{AutoNormal, Svi};
use ppl_core::optim::Adam;
use ppl_core::runtime::handlers::{ModelExt, Trace, trace};
use ppl_macros::model;

const N_ROWS: usize = 20;

/// `tag` is not used: another value is another program of the same density.
#[model(crate = ppl_core)]
fn rows(tag: usize, y: Obs<Array1<f64>>) {
    let _ = tag;
    let mu = sample(Normal(0, 1));
    let a = sample(Normal(mu, 1));
    let b = sample(Normal(a, 1));
    let s = for t in markov(2) {
        let s = sample(Normal(b, 1));
        s
    };
    observe("seen", 1.5, Normal(mu, 1));
    observe("other", -2.5, Normal(mu, 1));
    for i in plate(y, total = N_ROWS) {
        observe(y[i], Normal(a + b * s[1], 1));
    }
}

fn batch(step: usize) -> Array1<f64> {
    Array1::from_iter((0..4).map(|i| ((4 * step + i) as f64 * 1.3).sin()))
}

fn run_of(seed: u64) -> Trace {
    trace(&rows(0, &batch(0)), seed).unwrap()
}

/// Writes the law for a handled model, whose handlers do one of two things, `k`: steps that take turns give the same bits
/// whether programs are kept or recorded anew, and not those of steps that keep to one.
macro_rules! laws {
    ($($name:ident: |$model:ident, $k:ident| $handled:expr;)*) => {$(
        #[test]
        fn $name() {
            let numbers = |is_kept: bool, turn: fn(usize) -> usize| {
                let svi = Svi::new(AutoNormal::default(), Adam::new(0.05)).seed(3).progress(Progress::Hidden);
                let y = batch(0);
                let first = {
                    let ($model, $k) = (rows(0, &y), 0usize);
                    $handled
                };
                let mut state = svi.start(&first).unwrap();
                for step in 0..12 {
                    let (y, tag) = (batch(step), if is_kept { 0 } else { step });
                    let ($model, $k) = (rows(tag, &y), turn(step));
                    state.step_on(&$handled).unwrap();
                    assert!(state.is_replayed());
                }
                let params = state.params();
                let params = params.iter().flat_map(|(_, x)| x.iter().map(|v| v.to_bits()));
                let losses = state.losses().iter().map(|x| x.to_bits());
                losses.chain(params).collect::<Vec<_>>()
            };
            let turns = |step: usize| step % 3 % 2;
            assert_eq!(numbers(true, turns), numbers(false, turns));
            assert_ne!(numbers(true, turns), numbers(true, |_| 0), "the two do the same");
        }
    )*};
}

laws! {
    values_of_a_condition: |model, k| model.condition(|s| s.a([0.5, -1.0][k]));
    values_of_a_condition_on_a_loop: |model, k| model.condition(|s| s.s(array![0.5, [2.0, -1.0][k]]));
    values_of_a_condition_on_an_observation: |model, k| {
        let value = [0.5, -1.0][k];
        model.condition(move |s| ppl_core::runtime::sites::SiteValues::from(s).with("seen", value).into())
    };
    values_of_an_intervention: |model, k| model.do_(|s| s.a([0.5, -1.0][k]));
    the_run_that_is_replayed: |model, k| model.replay(&run_of(k as u64));
    the_site_that_is_blocked: |model, k| model.block(|_| ["seen", "other"][k]);
    the_rows_of_a_mask: |model, k| model.mask(|_| "y", [array![1.0, 0.0, 1.0, 1.0], array![0.0, 1.0, 1.0, 0.0]][k].clone());
    the_site_of_a_mask: |model, k| model.mask(|_| ["seen", "other"][k], 0.0);
    the_factor_of_a_scale: |model, k| model.scale(|_| "y", [0.5, 2.0][k]);
    the_site_of_a_scale: |model, k| model.scale(|_| ["seen", "y"][k], 0.25);
    the_order_of_two_conditions: |model, k| model.condition(|s| s.a([1.0, 2.0][k])).condition(|s| s.a([2.0, 1.0][k]));
    the_order_of_mask_and_scale: |model, k| {
        let (inner, outer) = ([0.5, 3.0][k], [3.0, 0.5][k]);
        model.scale(|_| "seen", inner).mask(|_| ["seen", "other"][k], 0.0).scale(|_| "other", outer)
    };
    values_behind_another_handler: |model, k| model.condition(|s| s.a([0.5, -1.0][k])).scale(|_| "y", 0.5).block(|_| "seen");
}

/// The same data and values under another kind of handler.
#[test]
fn the_kind_of_a_handler_is_part_of_the_program() {
    let svi = Svi::new(AutoNormal::default(), Adam::new(0.0))
        .seed(3)
        .progress(Progress::Hidden);
    let y = batch(0);
    let conditioned = rows(0, &y).condition(|s| s.a(0.5));
    let set = rows(0, &y).do_(|s| s.a(0.5));
    let mut both = svi.start(&conditioned).unwrap();
    let mut alone = svi.start(&set).unwrap();
    both.step_on(&conditioned).unwrap();
    alone.step_on(&set).unwrap();
    let (own, want) = (both.step_on(&set).unwrap(), alone.step_on(&set).unwrap());
    assert_eq!(own, want);
    assert_ne!(both.step_on(&conditioned).unwrap(), alone.step_on(&set).unwrap());
}

#[model(crate = ppl_core)]
fn shifted(loc: ppl_core::tape::var::Var, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(loc, 1));
    for i in plate(y) {
        observe(y[i], Normal(mu, 1));
    }
}

#[test]
fn a_number_in_place_of_a_value_is_part_of_the_program() {
    let svi = Svi::new(AutoNormal::default(), Adam::new(0.0))
        .seed(3)
        .progress(Progress::Hidden);
    let y = batch(0);
    let first = shifted(0.0, &y);
    let mut state = svi.start(&first).unwrap();
    for loc in [0.0, 2.0, 0.0, 5.0] {
        let own = shifted(loc, &y);
        let mut alone = svi.start(&first).unwrap();
        // The same step of a run that has met no other number.
        for _ in 0..state.losses().len() {
            alone.step().unwrap();
        }
        assert_eq!(state.step_on(&own).unwrap(), alone.step_on(&own).unwrap(), "{loc}");
    }
}
