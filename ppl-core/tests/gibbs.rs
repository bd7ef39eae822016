//! Gibbs blocks: posteriors of continuous and discrete latents that are known exactly, and blocks that do not fit.

use ndarray::{Array1, array};
use ppl_core::diagnostics::{mcse_mean, mcse_sd};
use ppl_core::distributions::{Bernoulli, Categorical, Gamma, Normal, OneHotCategorical, Poisson};
use ppl_core::draws::Draws;
use ppl_core::inference::fit::Fit;
use ppl_core::inference::gibbs::Gibbs;
use ppl_core::inference::hamiltonian::warmup::{MetricKind, Warmup};
use ppl_core::inference::moves::Move;
use ppl_core::inference::nuts::{Hmc, Nuts};
use ppl_core::inference::progress::Progress;
use ppl_core::inference::transitions::normal::NormalFactor;
use ppl_core::inference::transitions::random_walk::RandomWalk;
use ppl_core::runtime::handlers::ModelExt;
use ppl_core::runtime::model::Model;
use ppl_macros::model;

/// A mean that three discrete latents, of each kind with finitely many values, shift.
#[model(crate = ppl_core)]
fn shifted(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 2));
    let z = sample(Categorical::probs(array![0.5, 0.3, 0.2]));
    let flag = sample(Bernoulli::probs(0.4));
    let row = sample(OneHotCategorical::probs(array![0.6, 0.4]));
    let loc = mu + z - 1.5 * flag + row[1] * 0.8;
    for i in plate(y) {
        observe(y[i], Normal(loc, 0.9));
    }
}

/// A count that is given by a noisy measurement.
#[model(crate = ppl_core)]
fn counted(y: Obs<f64>) {
    let rate = sample(Normal(1, 0.3));
    let n = sample(Poisson(3));
    observe(y, Normal(n * rate, 0.5));
}

#[model(crate = ppl_core)]
fn chain_of_three() {
    let a = sample(Normal(0, 1));
    let b = sample(Normal(a, 1));
    let c = sample(Normal(b, 1));
}

const Y: [f64; 3] = [1.1, 1.9, 1.4];

/// Posterior probability, and mean and variance of `mu`, for each combination of `z`, `flag` and `row`.
fn combinations() -> Vec<([usize; 3], f64, f64, f64)> {
    let (n, noise, prior) = (Y.len() as f64, 0.81_f64, 4.0_f64);
    let mean_y = Y.iter().sum::<f64>() / n;
    let mut all = Vec::new();
    for (z, pz) in [0.5, 0.3, 0.2].into_iter().enumerate() {
        for (flag, pf) in [0.6, 0.4].into_iter().enumerate() {
            for (row, pr) in [0.6, 0.4].into_iter().enumerate() {
                let shift = z as f64 - 1.5 * flag as f64 + 0.8 * row as f64;
                // The mean of the data is normal with this variance around the shift.
                let (gap, spread) = (mean_y - shift, prior + noise / n);
                let weight = pz * pf * pr * (-0.5 * gap * gap / spread).exp();
                let variance = 1.0 / (1.0 / prior + n / noise);
                all.push(([z, flag, row], weight, variance * n / noise * gap, variance));
            }
        }
    }
    let total: f64 = all.iter().map(|c| c.1).sum();
    all.iter_mut().for_each(|c| c.1 /= total);
    all
}

/// Checks the mean of a function of a scalar's draws within four Monte Carlo standard errors.
fn check_mean(draws: &Draws, label: &str, of: impl Fn(f64) -> f64, expected: f64) {
    let component = draws.all_components().find(|c| c.label == label).expect(label);
    let values = component.values.mapv(of);
    let got = values.mean().unwrap();
    let z = (got - expected) / mcse_mean(values.view());
    assert!(z.abs() < 4.0, "{label}: mean {got} for {expected}, {z} standard errors");
}

/// Checks the posterior of `shifted`.
fn check_shifted(draws: &Draws) {
    let all = combinations();
    let mean: f64 = all.iter().map(|c| c.1 * c.2).sum();
    let variance: f64 = all.iter().map(|c| c.1 * (c.3 + (c.2 - mean).powi(2))).sum();
    check_mean(draws, "mu", |x| x, mean);
    let mu = draws.all_components().find(|c| c.label == "mu").unwrap();
    let z = (mu.values.std(1.0) - variance.sqrt()) / mcse_sd(mu.values);
    assert!(z.abs() < 4.0, "the spread of mu lies {z} standard errors off");
    let probability =
        |is_so: &dyn Fn(&[usize; 3]) -> bool| -> f64 { all.iter().filter(|c| is_so(&c.0)).map(|c| c.1).sum() };
    for k in 0..3 {
        check_mean(draws, "z", |x| f64::from(x == k as f64), probability(&|c| c[0] == k));
    }
    check_mean(draws, "flag", |x| x, probability(&|c| c[1] == 1));
    check_mean(draws, "row[1]", |x| x, probability(&|c| c[2] == 1));
}

/// The prior of `mu`.
fn prior() -> NormalFactor {
    NormalFactor::new(vec![0.0], vec![2.0]).unwrap()
}

fn settings<N: From<ppl_core::runtime::sites::SiteNames>>(gibbs: Gibbs<N>) -> Gibbs<N> {
    gibbs.draws(1200).warmup(500).seed(42).progress(Progress::Hidden)
}

#[test]
fn continuous_and_discrete_latents_are_recovered_by_every_mixture_of_moves() {
    let y = Array1::from_vec(Y.to_vec());
    let model = shifted(&y);
    check_shifted(settings(Gibbs::auto(&model)).run(&model).unwrap().draws());
    let continuous = [
        Move::RandomWalk,
        Move::SingleSite,
        Move::hmc(3),
        Move::mala(),
        Move::Slice,
        Move::EllipticalSlice(prior()),
        Move::Independence(None),
        Move::Independence(Some(prior())),
        Move::own(|dim| RandomWalk::new((0..dim).collect())),
    ];
    for moves in continuous {
        for discrete in [Move::Exact, Move::SingleSite] {
            let gibbs = Gibbs::for_model(&model)
                .block(|s| s.mu(), moves.clone())
                .others(discrete);
            check_shifted(settings(gibbs).run(&model).unwrap().draws());
        }
    }
    let gibbs = Gibbs::for_model(&model)
        .block(|s| s.z().flag(), Move::Exact)
        .block(|s| s.mu().row(), Move::Auto)
        .again(|s| s.flag().z(), Move::SingleSite);
    check_shifted(settings(gibbs).run(&model).unwrap().draws());
}

#[test]
fn blocks_of_continuous_latents_that_depend_on_each_other_are_recovered() {
    let model = chain_of_three();
    let dense = Warmup {
        metric: MetricKind::Dense,
        ..Warmup::default()
    };
    let gibbs = Gibbs::for_model(&model)
        .block(|s| s.a().c(), Move::nuts())
        .block(|s| s.b(), Move::RandomWalk)
        .again(
            |s| s.c().b(),
            Move::Nuts {
                warmup: dense,
                max_depth: 5,
            },
        );
    let fit = settings(gibbs).run(&model).unwrap();
    for (site, variance) in [("a", 1.0), ("b", 2.0), ("c", 3.0)] {
        check_mean(fit.draws(), site, |x| x, 0.0);
        check_mean(fit.draws(), site, |x| x * x, variance);
    }
    let whole = Gibbs::for_model(&model).others(Move::mclmc(4));
    let mclmc = settings(whole).run(&model).unwrap();
    for (site, variance) in [("a", 1.0), ("b", 2.0), ("c", 3.0)] {
        check_mean(mclmc.draws(), site, |x| x, 0.0);
        check_mean(mclmc.draws(), site, |x| x * x, variance);
    }
    let names: Vec<&str> = fit.statistics().names().collect();
    assert!(
        names.contains(&"diverging[a, c]") && names.contains(&"acceptance_rate[b]"),
        "{names:?}"
    );
    assert!(names.contains(&"step_size[c, b]"), "{names:?}");
}

/// A mean and a spread, as most models have them.
#[model(crate = ppl_core)]
fn mean_and_spread(y: Obs<Array1<f64>>) {
    let tau = sample(Gamma(4, 3));
    let mu = sample(Normal(0, 5));
    for i in plate(y) {
        observe(y[i], Normal(mu, tau));
    }
}

/// Every move of two continuous latents together.
fn of_the_whole() -> Vec<Move> {
    let two = NormalFactor::new(vec![0.0, 0.5], vec![0.5, 0.0, 0.1, 0.8]).unwrap();
    vec![
        Move::nuts(),
        Move::Slice,
        Move::EllipticalSlice(two.clone()),
        Move::Independence(Some(two)),
        Move::Independence(None),
        Move::Ensemble(None),
        Move::Ensemble(Some(5)),
        Move::mclmc(4),
        Move::tempering(Move::nuts(), 3, 0.3),
        Move::tempering(Move::RandomWalk, 2, 0.5),
    ]
}

#[test]
fn a_spread_and_a_mean_are_recovered_by_every_move_of_the_whole() {
    let y = array![0.3, 0.9, 1.4, -0.2, 0.8, 1.9];
    let n = y.len() as f64;
    let (mean_y, squares) = (y.mean().unwrap(), y.var(0.0) * n);
    // Given tau, the mean of the data is normal around zero; the rest is a sum over a fine grid.
    let (mut total, mut of_tau, mut of_mu) = (0.0, 0.0, 0.0);
    for k in 1..40_000 {
        let tau = f64::from(k) * 2.5e-4;
        let (own, spread) = (tau * tau / n, 25.0 + tau * tau / n);
        let ln_prior = 3.0 * tau.ln() - 3.0 * tau;
        let ln_likelihood = -(n - 1.0) * tau.ln() - 0.5 * squares / (tau * tau);
        let p = (ln_prior + ln_likelihood - 0.5 * mean_y * mean_y / spread).exp() / spread.sqrt();
        (total, of_tau, of_mu) = (total + p, of_tau + p * tau, of_mu + p * mean_y * 25.0 / (25.0 + own));
    }
    let model = mean_and_spread(&y);
    for moves in of_the_whole() {
        let fit = settings(Gibbs::for_model(&model).others(moves)).run(&model).unwrap();
        check_mean(fit.draws(), "tau", |x| x, of_tau / total);
        check_mean(fit.draws(), "mu", |x| x, of_mu / total);
    }
}

/// A density with two modes far apart.
#[model(crate = ppl_core)]
fn two_modes() {
    let x = sample(Normal(0, 5));
    let gap = x * x - 36;
    observe("gap", 0.0, Normal(gap, 4));
}

#[test]
fn tempering_finds_both_modes_and_says_how_often_replicas_exchange() {
    let model = two_modes();
    let start = model.init(|s| s.x(6.0));
    let tempered = Gibbs::for_model(&start).others(Move::tempering(Move::nuts(), 6, 0.01));
    let fit = settings(tempered).run(&start).unwrap();
    check_mean(fit.draws(), "x", |x| f64::from(x > 0.0), 0.5);
    let swap_rate = fit.statistics().mean("swap_rate").unwrap()[[]];
    assert!((0.2..0.95).contains(&swap_rate), "{swap_rate}");
}

#[test]
fn counts_move_site_by_site_in_the_automatic_choice() {
    let model = counted(&4.0);
    let fit = settings(Gibbs::auto(&model)).run(&model).unwrap();
    // Given the count n, y is normal with mean n and variance 0.09 n² + 0.25.
    let (mut total, mut sum, mut weight) = (0.0, 0.0, 1.0);
    for n in 0..60 {
        let x = f64::from(n);
        let variance = 0.09 * x * x + 0.25;
        let p = weight * (-0.5 * (4.0 - x).powi(2) / variance).exp() / variance.sqrt();
        (total, sum, weight) = (total + p, sum + p * x, weight * 3.0 / (x + 1.0));
    }
    check_mean(fit.draws(), "n", |x| x, sum / total);
    let names: Vec<&str> = fit.statistics().names().collect();
    assert!(
        names.contains(&"step_size[n]") && names.contains(&"tree_depth[rate]"),
        "{names:?}"
    );
}

#[test]
fn langevin_steps_recover_a_posterior() {
    let model = chain_of_three();
    let fit = Hmc::mala()
        .draws(4000)
        .seed(3)
        .progress(Progress::Hidden)
        .run(&model)
        .unwrap();
    check_mean(fit.draws(), "c", |x| x, 0.0);
    check_mean(fit.draws(), "c", |x| x * x, 3.0);
    assert_eq!(fit.statistics().mean("n_steps").unwrap()[[]], 1.0);
}

/// Returns the bits of all draws and statistics.
fn bits<A>(fit: &Fit<A>) -> Vec<u64> {
    let sets = [fit.draws(), fit.statistics()];
    let values = sets
        .into_iter()
        .flat_map(|d| d.all_components().flat_map(|c| c.values.to_owned()));
    values.map(f64::to_bits).collect()
}

#[test]
fn draws_are_the_same_for_any_number_of_threads() {
    let y = Array1::from_vec(Y.to_vec());
    let (mixed, whole) = (shifted(&y), mean_and_spread(&y));
    let runs = [1, 2, 8].map(|n_threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        pool.install(|| {
            let mut all = bits(&settings(Gibbs::auto(&mixed)).draws(50).warmup(80).run(&mixed).unwrap());
            for moves in of_the_whole() {
                let gibbs = settings(Gibbs::for_model(&whole).others(moves)).draws(20).warmup(80);
                all.extend(bits(&gibbs.run(&whole).unwrap()));
            }
            all
        })
    });
    assert!(runs[0].len() > 4 * 50 * 5 + 4 * 20 * 2 * of_the_whole().len());
    assert!(runs[1..].iter().all(|run| *run == runs[0]));
}

#[test]
fn step_sizes_stay_after_the_warm_up() {
    let y = array![0.3, 0.9, 1.4];
    let model = mean_and_spread(&y);
    let mut n_with_steps = 0;
    for moves in of_the_whole() {
        let name = format!("{moves:?}");
        let gibbs = settings(Gibbs::for_model(&model).others(moves)).warmup(100).draws(50);
        let fit = gibbs.run(&model).unwrap();
        if let Some(steps) = fit.statistics().get("step_size") {
            n_with_steps += 1;
            let stay = steps.outer_iter().all(|chain| chain.iter().all(|s| *s == chain[[0]]));
            assert!(stay && steps[[0, 0]] != steps[[1, 0]], "{name}: {steps}");
        }
    }
    assert_eq!(
        n_with_steps, 4,
        "NUTS, microcanonical paths, and what is tempered have a step size"
    );
}

#[test]
fn a_fit_of_moves_that_are_never_refused_prints_no_acceptance() {
    let model = chain_of_three();
    let gibbs = |moves| settings(Gibbs::for_model(&model).others(moves)).draws(100);
    let slices = gibbs(Move::Slice).run(&model).unwrap().to_string();
    assert!(
        slices.contains("100 draws") && !slices.contains("acceptance"),
        "{slices}"
    );
    let paths = gibbs(Move::nuts()).run(&model).unwrap().to_string();
    assert!(paths.contains("acceptance 0."), "{paths}");
}

/// Checks that a run is refused with words that hold all parts.
fn check_refused<M: Model + Sync>(model: &M, gibbs: Gibbs<M::Names>, parts: &[&str]) {
    let message = gibbs.run(model).map(drop).unwrap_err().to_string();
    for part in parts {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn latents_without_a_block_or_with_two_are_refused_with_the_remedy() {
    let y = Array1::from_vec(Y.to_vec());
    let model = shifted(&y);
    let gibbs = || settings(Gibbs::for_model(&model));
    let refused = |gibbs, parts: &[&str]| check_refused(&model, gibbs, parts);
    let all_but_one = gibbs().block(|s| s.mu().z().row(), Move::Auto);
    let remedies = [".block(|s| s.flag(), Move::Auto)", ".others(Move::Auto)"];
    refused(all_but_one, &["flag", "no block moves it", remedies[0], remedies[1]]);
    refused(gibbs(), &["mu", "no block moves it"]);
    let twice = gibbs()
        .block(|s| s.mu(), Move::nuts())
        .block(|s| s.z().mu(), Move::SingleSite)
        .others(Move::Auto);
    refused(twice, &["mu", "2 blocks move it", "write `again` in place of `block`"]);
    let unknown = gibbs().block(|_| "nu", Move::nuts()).others(Move::Auto);
    refused(unknown, &["`nu`, which is no latent of the model", "mu, z, flag, row"]);
    refused(
        gibbs().block(|s| s, Move::Auto),
        &["a block chooses no sites", "|s| s.mu()"],
    );
    refused(gibbs().others(Move::Auto).thin(0), &["thin = 0"]);
}

#[test]
fn moves_that_cannot_move_a_latent_are_refused_with_the_remedy() {
    let y = Array1::from_vec(Y.to_vec());
    let (model, pair) = (shifted(&y), counted(&4.0));
    let gibbs = || settings(Gibbs::for_model(&model)).others(Move::Auto);
    let refused = |gibbs, parts: &[&str]| check_refused(&model, gibbs, parts);
    let remedy = "a block of its own with `Move::Exact` or `Move::SingleSite`";
    for moves in [Move::nuts(), Move::hmc(2), Move::RandomWalk, Move::Slice] {
        let mixed = gibbs().block(|s| s.mu().flag(), moves);
        refused(mixed, &["flag", "it is discrete", remedy]);
    }
    let exact = gibbs().block(|s| s.mu(), Move::Exact);
    refused(exact, &["mu", "it is continuous", "Move::nuts()"]);
    for moves in [Move::Ensemble(None), Move::tempering(Move::nuts(), 3, 0.1)] {
        refused(gibbs().block(|s| s.mu(), moves), &["z", "it leaves this one out"]);
    }
    let counts = settings(Gibbs::for_model(&pair)).block(|s| s.n(), Move::Exact);
    check_refused(
        &pair,
        counts.others(Move::Auto),
        &["n", "it is a count", "Move::SingleSite"],
    );
}

#[test]
fn a_gradient_sampler_refuses_discrete_latents_and_names_this_one() {
    let y = Array1::from_vec(Y.to_vec());
    let model = shifted(&y);
    let message = Nuts::default().run(&model).map(drop).unwrap_err().to_string();
    assert!(
        message.contains("z") && message.contains("use `Gibbs::auto(&model)`"),
        "{message}"
    );
}

#[test]
fn moves_with_settings_out_of_range_are_refused() {
    let y = Array1::from_vec(Y.to_vec());
    let (model, three) = (shifted(&y), chain_of_three());
    let refused = |moves, parts: &[&str]| {
        let gibbs = settings(Gibbs::for_model(&model)).block(|s| s.mu(), moves);
        check_refused(&model, gibbs.others(Move::Auto), parts);
    };
    let nuts = |warmup, max_depth| Move::Nuts { warmup, max_depth };
    refused(nuts(Warmup::default(), 0), &["max_depth = 0"]);
    let warmup = Warmup {
        step_size: Some(-0.1),
        ..Warmup::default()
    };
    refused(nuts(warmup, 5), &["step_size = -0.1"]);
    refused(Move::hmc(0), &["steps = 0"]);
    refused(Move::mclmc(0), &["steps = 0"]);
    refused(Move::mclmc(3), &["Move::Mclmc", "two dimensions at least"]);
    let two = NormalFactor::standard(2);
    for moves in [Move::EllipticalSlice(two.clone()), Move::Independence(Some(two))] {
        refused(moves, &["normal distribution of 2 numbers for a block of 1"]);
    }
    let tempering = |moves, betas| Move::Tempering {
        moves: Box::new(moves),
        betas,
    };
    let falls = "fall between one and zero";
    refused(tempering(Move::nuts(), vec![0.5, 0.6]), &["[0.5, 0.6]", falls]);
    refused(Move::tempering(Move::nuts(), 3, f64::NAN), &["NaN", falls]);
    refused(Move::tempering(Move::nuts(), 1, 0.5), &["nothing to exchange"]);
    refused(tempering(Move::Auto, vec![0.5]), &["Move::Auto", "use `Move::nuts()`"]);
    let walkers = settings(Gibbs::for_model(&three)).others(Move::Ensemble(Some(5)));
    check_refused(&three, walkers, &["an ensemble of 5 walkers for 3 coordinates: 6"]);
}
