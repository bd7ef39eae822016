//! The same seed gives the same bits for any number of threads.

mod models;

use models::{Check, eight_schools, every, labels, logistic_in_batches, normals};
use posterior::core::draws::Draws;
use posterior::prelude::*;

#[model]
fn wide_network(x: &Array2<f32>, y: Obs<Array1<usize>>) {
    let w1 = sample(Normal(0, 0.1).expand([320, 520]));
    let w2 = sample(Normal(0, 0.1).expand([520, 3]));
    for i in plate(x, batch = 64) {
        let hidden = x[i].dot(w1).relu();
        observe(y[i], Categorical::logits(hidden.dot(w2)));
    }
}

/// Runs the same thing in pools of 1, 2 and 8 threads and compares the bits of what it returns.
fn check(name: &str, run: impl Fn() -> Vec<f64> + Sync) {
    let bits = |n_threads: usize| -> Vec<u64> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        let values = pool.install(|| {
            assert_eq!(rayon::current_num_threads(), n_threads);
            run()
        });
        assert!(
            values.len() > 3 && values.iter().all(|x| x.is_finite()),
            "{name}: {values:?}"
        );
        values.into_iter().map(f64::to_bits).collect()
    };
    let alone = bits(1);
    for n_threads in [2, 8] {
        let several = bits(n_threads);
        let differ = alone.iter().zip(&several).position(|(a, b)| a != b);
        assert!(
            alone.len() == several.len() && differ.is_none(),
            "{name}: value {differ:?} differs with {n_threads} threads"
        );
    }
}

fn values(draws: &Draws) -> Vec<f64> {
    draws
        .names()
        .flat_map(|site| draws.get(site).unwrap().iter().copied().collect::<Vec<_>>())
        .collect()
}

fn schools_data() -> (Array1<f64>, Array1<f64>) {
    let sigma = array![15., 10., 16., 11., 9., 11., 10., 18.];
    (sigma, array![28., 8., -3., 7., -1., 1., 18., 12.])
}

#[test]
fn svi_with_several_particles_is_the_same_on_every_model() {
    struct Runs;
    impl Check for Runs {
        fn check<M: Model + Sync>(&mut self, name: &'static str, model: &M) {
            check(name, || {
                let svi = Svi::new(AutoNormal::default(), Adam::new(0.02)).steps(20).particles(5);
                let fit = svi.seed(3).progress(Progress::Hidden).run(model).unwrap();
                [fit.losses(), &values(&fit.draws(30))].concat()
            });
        }
    }
    every(&mut Runs);
}

#[test]
fn predictions_of_a_guide_are_the_same() {
    let x = Array2::from_shape_vec((50, 3), normals(1, 150)).unwrap();
    let y = labels(2, 50, 2).mapv(|label| label == 1);
    let model = logistic_in_batches(&x, &y);
    let svi = Svi::new(AutoNormal::default(), Adam::new(0.02))
        .steps(20)
        .progress(Progress::Hidden);
    let fit = svi.run(&model).unwrap();
    let missing = logistic_in_batches(&x, Obs::missing());
    check("predictions", || values(fit.predict(&missing, 40).unwrap().draws()));
}

/// The first product is of 2 · 64 · 320 · 520 = 21 MFLOP, so that it is cut into blocks.
#[test]
fn svi_of_a_network_with_blocked_products_is_the_same() {
    let pixels = normals(5, 128 * 320).into_iter().map(|x| x as f32).collect();
    let x = Array2::from_shape_vec((128, 320), pixels).unwrap();
    let y = labels(6, 128, 3);
    let model = wide_network(&x, &y);
    check("wide network", || {
        let svi = Svi::new(AutoNormal::default(), Adam::new(0.01)).steps(4).particles(2);
        let svi = svi.precision(Precision::F32).seed(5).progress(Progress::Hidden);
        let fit = svi.run(&model).unwrap();
        let params = fit
            .params()
            .iter()
            .flat_map(|(_, values)| values.iter().copied())
            .collect::<Vec<_>>();
        [fit.losses(), &params].concat()
    });
}

#[test]
fn chains_and_their_predictions_are_the_same() {
    let (sigma, y) = schools_data();
    let model = eight_schools(&sigma, &y);
    for proposal in [Proposal::RandomWalk, Proposal::SingleSite] {
        check("eight schools by Metropolis–Hastings", || {
            let mh = Mh::default()
                .chains(4)
                .draws(50)
                .warmup(100)
                .seed(6)
                .progress(Progress::Hidden);
            let fit = mh.proposal(proposal.clone()).run(&model).unwrap();
            let predicted = fit.predict(&eight_schools(&sigma, Obs::missing())).unwrap();
            [values(fit.draws()), values(predicted.draws())].concat()
        });
    }
}

#[test]
fn draws_from_the_prior_are_the_same() {
    let (sigma, _) = schools_data();
    check("prior of eight schools", || {
        let prior = Prior::default()
            .draws(40)
            .seed(7)
            .run(&eight_schools(&sigma, Obs::missing()))
            .unwrap();
        values(prior.draws())
    });
}
