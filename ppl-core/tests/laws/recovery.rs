//! Optimisers and recovery: what comes back when a step cannot be made is what there was, to the last bit.

use ndarray::ArrayD;
use ppl_core::distributions::Normal;
use ppl_core::error::{Error, NamedArrays};
use ppl_core::inference::progress::Progress;
use ppl_core::inference::svi::{AutoNormal, Svi, SviState};
use ppl_core::optim::{Adam, ClippedAdam, Momentum, Optimizer, Schedule, Sgd};
use ppl_core::runtime::model::Model;
use ppl_macros::model;

type Params = Vec<(String, ArrayD<f64>)>;

/// The bound rises as `s` falls, and is NaN below zero.
#[model(crate = ppl_core)]
fn cliff(start: f64) {
    let s = param(start);
    let z = sample(Normal(0, 1));
    factor(-s.sqrt());
}

fn svi<O>(optimizer: O) -> Svi<AutoNormal, O> {
    Svi::new(AutoNormal::default(), optimizer).progress(Progress::Hidden)
}

/// Makes steps until one is refused; returns the parameters before each step, and the error.
fn until_refused<M, O>(state: &mut SviState<'_, M, AutoNormal, O>) -> (Vec<Params>, Error)
where
    M: Model + Sync,
    O: Optimizer<f32> + Optimizer<f64>,
{
    let mut before = vec![state.params()];
    loop {
        match state.step() {
            Ok(_) => before.push(state.params()),
            Err(error) => return (before, error),
        }
        assert!(before.len() < 1000, "no step is refused");
    }
}

fn check_last_good<O: Optimizer<f32> + Optimizer<f64>>(optimizer: O) {
    let svi = svi(optimizer);
    // Parameters are kept every 64 steps: the first run fails before they are kept a second time, the other after it.
    for (start, is_late) in [(0.5, false), (1.6, true)] {
        let model = cliff(start);
        let (before, error) = until_refused(&mut svi.start(&model).unwrap());
        let Error::NotFinite { step, params, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(step > 64, is_late, "step {step}");
        assert_eq!(params, NamedArrays(before[step - 1].clone()), "step {step}");
    }
}

#[test]
fn the_last_good_parameters_come_back_with_the_moments_of_their_optimiser() {
    check_last_good(Adam::new(1.0 / 64.0));
    check_last_good(ClippedAdam::new(1.0 / 64.0));
    check_last_good(Sgd {
        momentum: Momentum::Nesterov(0.5),
        ..Sgd::new(1.0 / 256.0)
    });
}

/// Its rate is negative first at step `n` + 2.
fn falling(n: u64) -> Schedule {
    Schedule::Cosine {
        initial: 1e-3,
        last: -1e-3,
        n_steps: 2 * n + 1,
    }
}

#[test]
fn a_learning_rate_that_is_refused_leaves_the_parameters_as_they_were() {
    for n in [0, 1, 62, 63, 64, 130] {
        let svi = svi(Adam::new(falling(n)));
        let model = cliff(4.0);
        let mut state = svi.start(&model).unwrap();
        let (before, error) = until_refused(&mut state);
        let made = n as usize + 1;
        assert_eq!(before.len(), made + 1);
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("step {} of Adam: the learning rate is -", n + 2)),
            "{text}"
        );
        assert_eq!(state.params(), before[made]);
        // A second attempt is refused alike, and a run has the parameters in its error.
        assert_eq!(state.step().unwrap_err(), error);
        let wrapped = Error::Stopped {
            steps: made,
            cause: Box::new(error),
            params: NamedArrays(before[made].clone()),
        };
        assert_eq!(svi.clone().steps(1000).run(&model).err(), Some(wrapped));
    }
}

#[test]
fn a_learning_rate_that_is_refused_after_a_step_too_far_brings_back_the_parameters_before_that() {
    let growing = Schedule::ExponentialDecay {
        initial: 0.01,
        rate: 1e155,
        every: 1.0,
    };
    let svi = svi(Sgd::new(growing));
    let model = cliff(4.0);
    let mut state = svi.start(&model).unwrap();
    // The second step is 10¹⁵³ long, the third would be infinite.
    let (before, error) = until_refused(&mut state);
    assert_eq!(before.len(), 3);
    assert_eq!(
        error.to_string(),
        "step 3 of Sgd: the learning rate is +∞; it has to be a finite number from zero on"
    );
    assert_eq!(state.params(), before[1]);
}

#[test]
fn a_first_learning_rate_that_is_refused_ends_the_run_before_it_begins() {
    let model = cliff(4.0);
    for (rate, text) in [
        (-1.0, "-1"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "+∞"),
        (-f64::INFINITY, "−∞"),
    ] {
        let svi = svi(ClippedAdam::new(rate));
        let want =
            format!("step 1 of ClippedAdam: the learning rate is {text}; it has to be a finite number from zero on");
        assert_eq!(svi.start(&model).err().unwrap().to_string(), want);
        assert_eq!(svi.run(&model).err().unwrap().to_string(), want);
    }
}

#[test]
fn steps_after_a_recovery_are_recovered_from_as_the_first_were() {
    // Each step leads beyond the cliff and is taken back with its rate; the third rate would be negative.
    let swinging = Schedule::Cosine {
        initial: 1.0,
        last: -1.0,
        n_steps: 3,
    };
    let svi = svi(Sgd::new(swinging));
    let model = cliff(0.25);
    let mut state = svi.start(&model).unwrap();
    for made in 1..5 {
        let before = state.params();
        state.step().unwrap();
        let Err(Error::NotFinite { step, params, .. }) = state.step() else {
            panic!("step {made} led beyond the cliff")
        };
        assert_eq!((step, params), (made, NamedArrays(before)));
    }
}
