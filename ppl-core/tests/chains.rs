//! Chains that cannot go on: the error says where, and holds what was drawn.

use ndarray::ArrayViewD;
use ppl_core::distributions::Normal;
use ppl_core::draws::Draws;
use ppl_core::error::{ChainDraws, ChainPlace, Error};
use ppl_core::inference::mh::{Mh, Proposal};
use ppl_core::inference::progress::Progress;
use ppl_macros::model;

fn mh() -> Mh {
    Mh::default().chains(3).draws(100).progress(Progress::Hidden)
}

#[model(crate = ppl_core)]
fn limited(limit: f64) {
    let x = sample(Normal(0, 1));
    check_limit(x.value(), limit)?;
}

fn check_limit(x: f64, limit: f64) -> Result<(), std::io::Error> {
    match x.abs() < limit {
        true => Ok(()),
        false => Err(std::io::Error::other(format!("{x:.3} is beyond {limit}"))),
    }
}

/// Returns the error of a run that comes beyond the limit, and the draws of the same run without a limit.
fn stopped(proposal: Proposal, warmup: usize, limit: f64, seed: u64) -> (usize, ChainPlace, Error, Vec<Draws>, Draws) {
    let mh = Mh {
        warmup,
        thin: 2,
        ..mh().seed(seed).proposal(proposal)
    };
    let Err(Error::Chain {
        chain,
        at,
        cause,
        draws: ChainDraws(draws),
    }) = mh.run(&limited(limit))
    else {
        panic!("no chain was stopped");
    };
    let all = mh.run(&limited(f64::INFINITY)).unwrap().draws().clone();
    (chain, at, *cause, draws, all)
}

#[test]
fn an_error_in_a_chain_names_the_draw_and_holds_those_before_it() {
    for (proposal, seed) in [(Proposal::RandomWalk, 7), (Proposal::SingleSite, 5)] {
        let (chain, at, cause, draws, all) = stopped(proposal, 5, 5.0, seed);
        assert!(matches!(cause, Error::User(_)), "{cause}");
        let counts: Vec<usize> = draws.iter().map(Draws::n_draws).collect();
        assert_eq!(at, ChainPlace::Draw(counts[chain]), "{counts:?}");
        assert!(counts[chain] > 0 && counts[chain] < 100, "{counts:?}");
        assert!(counts[..chain].iter().all(|&n| n == 100), "{counts:?}");
        for (c, own) in draws.iter().enumerate() {
            let all = all.chain("x", c).unwrap();
            let is_same = |own: ArrayViewD<'_, f64>| own.iter().zip(all).all(|(a, b)| a == b);
            assert!(own.n_draws() == 0 || is_same(own.chain("x", 0).unwrap()), "chain {c}");
        }
    }
}

#[test]
fn an_error_before_the_draws_names_the_chain_and_the_step() {
    let (chain, at, cause, draws, _) = stopped(Proposal::RandomWalk, 5, 5.0, 5);
    let ChainPlace::Warmup(step) = at else { panic!("{at}") };
    assert_eq!((chain, draws[0].n_draws(), draws[2].n_draws()), (2, 100, 0));
    let message = format!("chain 2, warm-up step {step}: {cause}; the draws made so far are kept");
    let error = Error::Chain {
        chain,
        at,
        cause: Box::new(cause),
        draws: ChainDraws(draws),
    };
    assert_eq!(error.to_string(), message);
    let (chain, at, _, draws, _) = stopped(Proposal::RandomWalk, 0, 1.5, 27);
    assert_eq!((chain, at), (0, ChainPlace::Start));
    assert_eq!(draws[0].n_draws(), 0);
}

#[model(crate = ppl_core)]
fn changing_shape(limit: f64) {
    let x = sample(Normal(0, 1));
    let n = 1 + (x.value() > limit) as usize;
    let all = for k in plate(n) {
        x
    };
    track(spread, all);
}

#[test]
fn a_site_of_two_shapes_leaves_the_draws_before_it() {
    let error = mh()
        .proposal(Proposal::RandomWalk)
        .run(&changing_shape(2.0))
        .err()
        .unwrap();
    let Error::Chain {
        chain,
        at,
        cause,
        draws,
    } = error
    else {
        panic!("{error}")
    };
    let message = "site spread has the shape [1] in one draw and [2] in another";
    assert_eq!(cause.to_string(), message);
    let draws = &draws.0[chain];
    assert_eq!(at, ChainPlace::Draw(draws.n_draws()));
    assert!(draws.n_draws() > 0 && draws.chain("x", 0).unwrap().iter().all(|&x| x <= 2.0));
}

#[test]
fn chains_that_do_not_go_together_keep_their_draws() {
    let mh = mh().draws(1).warmup(0).seed(2).proposal(Proposal::SingleSite);
    let error = mh.run(&changing_shape(0.0)).err().unwrap();
    let text = error.to_string();
    let Error::Chain { chain, at, draws, .. } = error else {
        panic!("{text}")
    };
    let is_beyond: Vec<bool> = draws.0.iter().map(|d| d.get("x").unwrap()[[0, 0]] > 0.0).collect();
    assert_eq!(at, ChainPlace::End);
    assert!(is_beyond[..chain].iter().all(|&b| b == is_beyond[0]) && is_beyond[chain] != is_beyond[0]);
    assert!(
        text.starts_with(&format!("chain {chain}, at its end: site spread has the shape [")),
        "{text}"
    );
}

#[test]
fn more_steps_than_can_be_counted_are_refused() {
    let error = mh()
        .thin(usize::MAX)
        .run(&changing_shape(2.0))
        .err()
        .unwrap()
        .to_string();
    let steps = "warmup + draws · thin = 1000 + 100 · 18446744073709551615 steps";
    assert!(error.starts_with(steps), "{error}");
}
