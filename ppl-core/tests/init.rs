//! Starting values: every algorithm begins where it is told to, and refuses what it cannot begin from.

use ndarray::{Array1, ArrayViewD, array};
use ppl_core::distributions::{Bernoulli, Dirichlet, DistExt, HalfNormal, Normal, Poisson, Uniform};
use ppl_core::error::{Error, Result};
use ppl_core::inference::mh::{Mh, Proposal};
use ppl_core::inference::svi::{Approximation, AutoDelta, AutoNormal, GuideFor, Initial, Svi};
use ppl_core::optim::Sgd;
use ppl_core::runtime::handlers::ModelExt;
use ppl_core::runtime::model::Model;
use ppl_macros::{guide, model};

#[model(crate = ppl_core)]
fn schools(sigma: &Array1<f64>, y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 5));
    let tau = sample(HalfNormal(5));
    for j in plate(sigma) {
        let theta = sample(Normal(mu, tau).noncentered());
        observe(y[j], Normal(theta, sigma[j]));
    }
}

#[model(crate = ppl_core)]
fn supports() {
    let p = sample(Dirichlet([1.0, 1.0, 1.0]));
    let low = sample(Normal(0, 1));
    let u = sample(Uniform(low, low + 2.0));
    let x = sample(Normal(0, 1).expand([3]).ordered());
    for k in markov(2) {
        let z = sample(Normal(0, 1));
    }
}

#[model(crate = ppl_core)]
fn discrete() {
    let b = sample(Bernoulli::probs(0.5));
    let n = sample(Poisson(3));
    if sample("more", Bernoulli::probs(0.5)).is_true() {
        let extra = sample(Normal(0, 1));
    }
}

#[guide(schools, crate = ppl_core)]
fn by_hand(sigma: &Array1<f64>) {
    let mu = sample(Normal(param(0.0), 1));
    let tau = sample(ppl_core::distributions::LogNormal(param(0.0), 1));
    for j in plate(sigma) {
        let theta = sample(Normal(param(0.0), 1));
    }
}

fn data() -> (Array1<f64>, Array1<f64>) {
    (array![15.0, 10.0, 16.0], array![28.0, 8.0, -3.0])
}

fn at_start<M: Model + Sync, G: GuideFor<M>>(model: &M, guide: G) -> Result<Approximation<M::Accessors>> {
    Svi::new(guide, Sgd::new(0.01)).draws(1).start(model)?.finish()
}

fn assert_close(got: ArrayViewD<'_, f64>, want: &[f64]) {
    assert_eq!(got.len(), want.len());
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() < 1e-12 * (1.0 + want.abs()), "{got} for {want}");
    }
}

#[test]
fn guides_start_at_the_given_values_in_every_support() {
    let (sigma, y) = data();
    let model = schools(&sigma, &y).init(|s| s.mu(3.0).tau(2.0).theta(array![4.0, 5.0, -1.0]));
    let exactly = AutoNormal {
        raw_scale: Initial::Value(-100.0),
        ..AutoNormal::default()
    };
    for fit in [
        at_start(&model, AutoDelta::default()).unwrap(),
        at_start(&model, exactly).unwrap(),
    ] {
        assert_close(fit.mu(), &[3.0]);
        assert_close(fit.tau(), &[2.0]);
        assert_close(fit.theta(), &[4.0, 5.0, -1.0]);
    }
    let model = supports().init(|s| {
        let s = s.p(array![0.2, 0.3, 0.5]).low(-1.0).u(0.5);
        s.x(array![-1.0, 0.0, 7.0]).z(array![8.0, 9.0])
    });
    let fit = at_start(&model, AutoDelta::default()).unwrap();
    assert_close(fit.p(), &[0.2, 0.3, 0.5]);
    assert_close(fit.u(), &[0.5]);
    assert_close(fit.x(), &[-1.0, 0.0, 7.0]);
    assert_close(fit.z(), &[8.0, 9.0]);
}

#[test]
fn chains_of_either_kind_start_at_the_given_values() {
    // One step from far away, so small that it stays there.
    let (sigma, y) = data();
    let model = schools(&sigma, &y).init(|s| s.mu(3.0).tau(2.0).theta(array![4.0, 5.0, -1.0]));
    let fit = Mh::default().chains(2).warmup(0).draws(1).run(&model).unwrap();
    assert!(fit.mu().iter().all(|mu| (mu - 3.0).abs() < 2.5), "{}", fit.mu());
    let far = schools(&sigma, &y).init(|s| s.mu(300.0).tau(200.0));
    let fit = Mh::default().chains(2).warmup(0).draws(1).run(&far).unwrap();
    assert!(fit.mu().iter().all(|mu| (mu - 300.0).abs() < 20.0), "{}", fit.mu());
    // A walk on traces moves one of the sites in a step.
    let model = discrete().init(|s| s.b(true).n(40).more(false));
    let fit = Mh::default()
        .proposal(Proposal::SingleSite)
        .warmup(0)
        .draws(1)
        .run(&model)
        .unwrap();
    assert!(fit.n().iter().all(|&n| n > 30.0), "{}", fit.n());
}

#[test]
fn a_start_changes_where_chains_begin_and_not_what_they_are_about() {
    let (sigma, y) = data();
    let settings = Mh::default().seed(3).draws(4000).warmup(2000);
    let plain = settings.run(&schools(&sigma, &y)).unwrap();
    let far = settings
        .run(&schools(&sigma, &y).init(|s| s.mu(30.0).tau(0.1)))
        .unwrap();
    let mean = |draws: ArrayViewD<'_, f64>| draws.mean().unwrap();
    assert_ne!(plain.mu()[[0, 0]], far.mu()[[0, 0]]);
    assert!((mean(plain.mu()) - mean(far.mu())).abs() < 0.5);
    assert!((mean(plain.tau()) - mean(far.tau())).abs() < 0.5);
}

#[test]
fn a_start_from_a_fit_is_its_last_draw() {
    let (sigma, y) = data();
    let fit = Mh::default().chains(2).draws(50).run(&schools(&sigma, &y)).unwrap();
    let again = schools(&sigma, &y).init_from(fit.draws());
    let start = at_start(&again, AutoDelta::default()).unwrap();
    assert_close(start.mu(), &[fit.mu()[[1, 49]]]);
    assert_close(start.tau(), &[fit.tau()[[1, 49]]]);
    let last: Vec<f64> = (0..3).map(|j| fit.theta()[[1, 49, j]]).collect();
    assert_close(start.theta(), &last);
    let twice = at_start(&schools(&sigma, &y).init_from(&start.draws(1)), AutoDelta::default()).unwrap();
    assert_close(twice.theta(), &last);
    let text = error(&supports().init_from(fit.draws()));
    assert_eq!(
        text,
        "the model has none of the sites of the draws that it is to start from, mu, tau, theta: its latents are p, low, u, x, \
         z[0], z[1]"
    );
}

fn error<M: Model + Sync>(model: &M) -> String {
    let svi = at_start(model, AutoDelta::default())
        .err()
        .expect("the start is refused");
    let mh = Mh::default().draws(1).run(model).err().expect("the start is refused");
    assert_eq!(svi, mh);
    match svi {
        Error::Site { site, message, .. } => format!("{site}: {message}"),
        other => other.to_string(),
    }
}

#[test]
fn starts_outside_of_the_support_or_of_another_shape_are_errors_with_the_values() {
    let (sigma, y) = data();
    let schools = || schools(&sigma, &y);
    let cases = [
        (
            error(&schools().init(|s| s.tau(-1.0))),
            "tau: the starting value -1 does not lie inside of the positive numbers",
        ),
        (
            error(&schools().init(|s| s.mu(f64::NAN))),
            "mu: the starting value NaN does not lie inside of the real numbers",
        ),
        (
            error(&schools().init(|s| s.theta(array![1.0, 2.0]))),
            "theta: the starting value has shape [2], the site has shape [3]",
        ),
        (
            error(&supports().init(|s| s.p(array![0.5, 0.3, 0.3]))),
            "p: the starting value [0.5, 0.3, 0.3] is not a simplex: its sum is 1.1",
        ),
        (
            error(&supports().init(|s| s.low(0.0).u(3.0))),
            "u: the starting value 3 does not lie inside of the interval from 0 to 2",
        ),
        (
            error(&supports().init(|s| s.z(array![1.0, 2.0, 3.0]))),
            "the value given to `z` has shape [3], and the model has sites of this name for [2] rows",
        ),
        (
            error(&schools().init(|s| s.mu(1.0)).condition(|s| s.mu(2.0))),
            "a value was given to `mu`, and the model has no such latent; it has tau, theta",
        ),
    ];
    for (got, want) in cases {
        assert_eq!(got, want);
    }
}

#[test]
fn a_start_for_a_hand_written_guide_is_an_error() {
    let (sigma, y) = data();
    let model = schools(&sigma, &y).init(|s| s.mu(1.0));
    let text = at_start(&model, by_hand(&sigma)).err().unwrap().to_string();
    assert!(text.contains("give these to `param`"), "{text}");
}

#[model(crate = ppl_core)]
fn simplex_parameter(start: Vec<f64>) {
    let p = param("s", start, ppl_core::constraints::Simplex);
    let y = sample(Normal(p.sum(), 1));
}

#[model(crate = ppl_core)]
fn other_parameters(which: usize) {
    let positive = param(
        [1.0, if which == 0 { -2.0 } else { 2.0 }],
        ppl_core::constraints::Positive,
    );
    let unit = param(if which == 1 { 1.0 } else { 0.5 }, ppl_core::constraints::UnitInterval);
    let between = param(
        if which == 2 { 9.0 } else { 2.5 },
        ppl_core::constraints::Interval(2.0, 3.0),
    );
    let ordered = param(
        [0.0, if which == 3 { 0.0 } else { 1.0 }],
        ppl_core::constraints::Ordered,
    );
    let above = if which == 4 { 0.5 } else { 0.0 };
    let factor = param(array![[1.0, above], [0.5, 1.0]], ppl_core::constraints::LowerCholesky);
    let real = param(
        if which == 5 { f64::INFINITY } else { 0.0 },
        ppl_core::constraints::Real,
    );
    let y = sample(Normal(
        positive.sum() + unit + between + ordered.sum() + factor.sum() + real,
        1,
    ));
}

#[test]
fn a_parameter_that_starts_outside_of_its_domain_is_an_error_with_values_and_reason() {
    let message = |error: Option<Error>| match error {
        Some(Error::Site { site, place, message }) => {
            assert!(place.file.ends_with("init.rs"), "{place}");
            format!("{site}: {message}")
        }
        other => panic!("{other:?}"),
    };
    let of_simplex = |start: &[f64]| at_start(&simplex_parameter(start.to_vec()), AutoDelta::default()).err();
    assert!(of_simplex(&[0.5, 0.5]).is_none());
    assert!(of_simplex(&[1.0 / 3.0; 3]).is_none());
    assert_eq!(
        message(of_simplex(&[0.5, 0.6])),
        "s: the starting value [0.5, 0.6] is not a simplex: its sum is 1.1"
    );
    assert!(at_start(&other_parameters(9), AutoDelta::default()).is_ok());
    let wanted = [
        "positive: the starting value -2 at element 1 does not lie inside of the positive numbers",
        "unit: the starting value 1 does not lie inside of the interval from 0 to 1",
        "between: the starting value 9 does not lie inside of the interval from 2 to 3",
        "ordered: the starting value [0, 0] is not an ascending vector: element 1 is not above the one before it",
        "factor: the starting value [1, 0.5, 0.5, 1] is not a lower triangle with a positive diagonal: element [0, 1] is 0.5, \
         above the diagonal, where zeros stand",
        "real: the starting value inf does not lie inside of the real numbers",
    ];
    for (which, want) in wanted.iter().enumerate() {
        assert_eq!(
            message(at_start(&other_parameters(which), AutoDelta::default()).err()),
            *want
        );
    }
}
