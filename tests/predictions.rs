//! Predictions say which rows they mean: the same, others, or the same and more.

use ndarray::Axis;
use posterior::core::inference::fit::Fit;
use posterior::core::inference::predictive::{Predictive, Prior};
use posterior::core::inference::svi::{Approximation, GuideFor};
use posterior::prelude::*;

/// Schools with two latents in one plate, of which `theta` is met last; `reads` makes a recording of its own for each draw.
#[model]
fn schools(sigma: &Array1<f64>, y: Obs<Array1<f64>>, reads: bool) {
    let mu = sample(Normal(0, 5));
    let tau = sample(HalfNormal(1));
    if reads && mu.value() > 1e300 {
        factor(mu);
    }
    for j in plate(sigma) {
        let shift = sample(Normal(0, 0.1).expand([2]));
        let theta = sample(Normal(mu, tau).noncentered());
        observe(y[j], Normal(theta + shift.sum(), sigma[j]));
    }
}

/// Another model with some of the same sites, in a plate of another name.
#[model]
fn only_effects(n: usize) {
    let mu = sample(Normal(0, 5));
    let theta = for k in plate(n) {
        sample(Normal(mu, 0.001))
    };
    track(total, theta.sum());
}

#[guide(schools)]
fn by_hand(n: usize) {
    let mu = sample(Normal(param(0.0), param(1.0, Positive)));
    let tau = sample(LogNormal(param(0.0), param(0.1, Positive)));
    for i in plate(n) {
        let theta = sample(Normal(param(1.0), param(0.5, Positive)));
        let shift = sample(Normal(param(array![0.0, 0.0]), param(array![0.1, 0.1], Positive)));
    }
}

fn data() -> (Array1<f64>, Array1<f64>) {
    (array![1.5, 1.0, 1.6, 1.1], array![2.8, 0.8, -0.3, 0.7])
}

fn mh<M: Model + Sync>(model: &M) -> Fit<M::Accessors> {
    let mh = Mh::default().chains(2).draws(30).warmup(30).seed(1);
    mh.progress(Progress::Hidden).run(model).unwrap()
}

fn svi<M: Model + Sync, G: GuideFor<M>>(guide: G, model: &M, precision: Precision) -> Approximation<M::Accessors> {
    let svi = Svi::new(guide, Adam::new(0.02))
        .steps(20)
        .draws(30)
        .precision(precision);
    svi.seed(2).progress(Progress::Hidden).run(model).unwrap()
}

fn text<T>(result: Result<T, posterior::core::error::Error>) -> String {
    result.err().expect("an error").to_string()
}

/// Checks the laws of rows for one fit, by its predictions: of a model with plain rows, and with each of the two words.
macro_rules! check_rows {
    ($name:expr, $fit:expr, $old:expr, $reads:expr, ($($n:expr)?)) => {{
        let (name, fit, old): (_, _, ArrayD<f64>) = (&$name, &$fit, $old);
        let n_old = old.shape()[2];
        let model = |n: usize| schools_of(n);
        let (same, fewer, more) = (model(n_old), model(n_old - 1), model(n_old + 2));

        // The same rows: nothing is drawn but the observations.
        let ppc = fit.predict(&schools(&same, Obs::missing(), $reads) $(, $n)?).unwrap();
        assert_eq!(ppc.drawn_anew().count(), 0, "{name}");
        assert!(ppc.get("theta").is_none(), "{name}");

        // Another length is an error with the plate, both lengths and the remedies.
        let error = text(fit.predict(&schools(&more, Obs::missing(), $reads) $(, $n)?));
        let start = format!("site shift (tests/predictions.rs:{}): plate `j` has {} rows here and had {n_old} in the fit", line_of("let shift"), n_old + 2);
        assert!(error.starts_with(&start), "{name}: {error}");
        assert!(error.contains("`new_rows(|s| s.shift())` draws all of them anew"), "{name}: {error}");
        assert!(error.contains(&format!("`more_rows(|s| s.shift())` keeps the {n_old}")), "{name}: {error}");
        for words in [fit.new_rows(|_| "tau"), fit.more_rows(|_| "tau")] {
            let error = text(words.predict(&schools(&same, Obs::missing(), $reads) $(, $n)?));
            assert!(error.contains("(|s| s.tau())` names a site outside of plates and loops, which has no rows"), "{name}: {error}");
        }
        let error = text(fit.predict(&schools(&fewer, Obs::missing(), $reads) $(, $n)?));
        assert!(error.contains(&format!("pass the data of all {n_old}, in their order")), "{name}: {error}");
        let error = text(fit.more_rows(|s| s.theta()).predict(&schools(&fewer, Obs::missing(), $reads) $(, $n)?));
        assert!(error.contains("`more_rows` keeps all rows of the fit"), "{name}: {error}");

        // Other rows: what else lies in the plate is drawn anew too, be the number of rows the same or not.
        for sigma in [&same, &fewer, &more] {
            let ppc = fit.new_rows(|s| s.theta()).predict(&schools(sigma, Obs::missing(), $reads) $(, $n)?).unwrap();
            assert_eq!(ppc.drawn_anew().collect::<Vec<_>>(), ["shift", "theta"], "{name}");
            assert_eq!(ppc.theta().shape()[2..], [sigma.len()], "{name}");
            assert_eq!(ppc.shift().shape()[2..], [sigma.len(), 2], "{name}");
            if sigma.len() == n_old {
                assert!(ppc.theta().iter().zip(&old).all(|(new, old)| new != old), "{name}");
            }
        }

        // The same rows and more: those of the fit keep their draws bit for bit.
        let ppc = fit.more_rows(|s| s.theta()).predict(&schools(&more, Obs::missing(), $reads) $(, $n)?).unwrap();
        assert_eq!(ppc.drawn_anew().collect::<Vec<_>>(), ["shift", "theta"], "{name}");
        assert_eq!(ppc.theta().slice_axis(Axis(2), (..n_old).into()), old, "{name}");
        let later = ppc.theta().slice_axis(Axis(2), (n_old..).into()).to_owned();
        let mut different: Vec<u64> = later.iter().map(|x| x.to_bits()).collect();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), later.len(), "{name}: each row, draw and chain has noise of its own");
        let printed = ppc.to_string();
        assert!(printed.contains(&format!("[{}, 2]  {n_old} rows taken over from the fit, 2 drawn anew", n_old + 2)), "{name}: {printed}");
        // As many rows are no more rows, and no error.
        let ppc = fit.more_rows(|s| s.theta().shift()).predict(&schools(&same, Obs::missing(), $reads) $(, $n)?).unwrap();
        assert_eq!(ppc.drawn_anew().count(), 0, "{name}");
    }};
}

fn schools_of(n: usize) -> Array1<f64> {
    Array1::from_iter((0..n).map(|j| 1.0 + 0.1 * j as f64))
}

fn line_of(code: &str) -> usize {
    include_str!("predictions.rs")
        .lines()
        .position(|l| l.contains(code))
        .unwrap()
        + 1
}

#[test]
fn every_kind_of_fit_follows_the_words_about_rows() {
    let (sigma, y) = data();
    for reads in [false, true] {
        let model = schools(&sigma, &y, reads);
        let fit = mh(&model);
        check_rows!(format!("Mh, reads {reads}"), fit, fit.theta().to_owned(), reads, ());
        for precision in [Precision::F64, Precision::F32] {
            let fit = svi(AutoNormal::default(), &model, precision);
            check_rows!(
                format!("AutoNormal {precision:?}, reads {reads}"),
                fit,
                fit.draws(30).get("theta").unwrap().to_owned(),
                reads,
                (30)
            );
        }
        let fit = svi(by_hand(4), &model, Precision::F64);
        check_rows!(
            format!("guide, reads {reads}"),
            fit,
            fit.draws(30).get("theta").unwrap().to_owned(),
            reads,
            (30)
        );
        let fit = svi(AutoDelta::default(), &model, Precision::F64);
        check_rows!(
            format!("AutoDelta, reads {reads}"),
            fit,
            fit.draws(30).get("theta").unwrap().to_owned(),
            reads,
            (30)
        );
    }
}

/// Returns all values of predictions, site by site.
fn bits<A>(predicted: &Predictive<A>) -> Vec<(String, Vec<u64>)> {
    let draws = predicted.draws();
    let of = |site: &str| draws.get(site).unwrap().iter().map(|x| x.to_bits()).collect();
    draws.names().map(|site| (site.to_string(), of(site))).collect()
}

#[test]
fn predictions_by_a_program_and_by_recordings_agree_bit_for_bit() {
    let (sigma, y) = data();
    let more = schools_of(7);
    for precision in [Precision::F64, Precision::F32] {
        let fit = svi(AutoNormal::default(), &schools(&sigma, &y, false), precision);
        let both = [false, true].map(|reads| {
            let same = fit.predict(&schools(&sigma, Obs::missing(), reads), 20).unwrap();
            let more_model = schools(&more, Obs::missing(), reads);
            let longer = fit.more_rows(|s| s.theta()).predict(&more_model, 20).unwrap();
            let other = fit.new_rows(|s| s.theta()).predict(&more_model, 20).unwrap();
            [bits(&same), bits(&longer), bits(&other)]
        });
        assert_eq!(both[0], both[1], "{precision:?}");
        assert!(both[0][1].len() == 3 && both[0][1] != both[0][2]);
    }
}

#[test]
fn later_rows_have_the_distribution_that_the_draw_gives_them() {
    let (sigma, y) = data();
    let fit = mh(&schools(&sigma, &y, false));
    let ppc = fit.more_rows(|s| s.theta()).predict(&only_effects(6)).unwrap();
    // The new model's effects have the standard deviation 0.001 about mu; those of the fit stay as they are.
    for (row, mu) in ppc.theta().rows().into_iter().zip(fit.mu().iter()) {
        assert!((row[4] - mu).abs() < 0.006 && (row[5] - mu).abs() < 0.006 && row[4] != row[5]);
    }
    assert_eq!(ppc.theta().slice_axis(Axis(2), (..4).into()), fit.theta());
    // What the model tracks sees old and later rows alike.
    let sums = ppc.theta().sum_axis(Axis(2));
    assert!(ppc.total().iter().zip(&sums).all(|(a, b)| (a - b).abs() < 1e-12));
}

#[test]
fn predictions_have_noise_of_their_own_in_each_chain() {
    let (sigma, y) = data();
    let fit = mh(&schools(&sigma, &y, false));
    let ppc = fit.predict(&schools(&sigma, Obs::missing(), false)).unwrap();
    let noise = |chain: usize, draw: usize, j: usize| {
        let shift = fit.shift();
        let mean = fit.theta()[[chain, draw, j]] + shift[[chain, draw, j, 0]] + shift[[chain, draw, j, 1]];
        (ppc.y()[[chain, draw, j]] - mean) / sigma[j]
    };
    for (draw, j) in (0..30).flat_map(|draw| (0..4).map(move |j| (draw, j))) {
        let (a, b) = (noise(0, draw, j), noise(1, draw, j));
        assert!(
            (a - b).abs() > 1e-9,
            "draw {draw} of school {j} has the noise {a} in both chains"
        );
    }
}

#[model]
fn classes(n_schools: usize, n_pupils: usize) {
    let mu = sample(Normal(0, 1));
    for i in plate(n_schools) {
        let a = sample(Normal(mu, 1));
        for j in plate(n_pupils) {
            let b = sample(Normal(a, 1));
        }
    }
}

#[test]
fn nested_plates_grow_along_the_axes_that_are_spoken_of() {
    let fit = mh(&classes(3, 2));
    let old = fit.b().to_owned();
    let block = |values: ndarray::ArrayViewD<f64>| {
        let part = values.slice_axis_move(Axis(2), (..3).into());
        part.slice_axis_move(Axis(3), (..2).into()).to_owned()
    };
    let ppc = fit.more_rows(|s| s.b()).predict(&classes(3, 4)).unwrap();
    assert_eq!(
        (ppc.b().shape()[2..].to_vec(), block(ppc.b())),
        (vec![3, 4], old.clone())
    );
    assert_eq!(ppc.drawn_anew().collect::<Vec<_>>(), ["b"]);
    let ppc = fit.more_rows(|s| s.a()).predict(&classes(4, 2)).unwrap();
    assert_eq!(
        (ppc.b().shape()[2..].to_vec(), block(ppc.b())),
        (vec![4, 2], old.clone())
    );
    assert_eq!(ppc.drawn_anew().collect::<Vec<_>>(), ["a", "b"]);
    let ppc = fit.more_rows(|s| s.a().b()).predict(&classes(5, 3)).unwrap();
    assert_eq!(
        (ppc.b().shape()[2..].to_vec(), block(ppc.b())),
        (vec![5, 3], old.clone())
    );
    assert!(
        ppc.to_string()
            .contains("[3, 2] rows taken over from the fit, the others drawn anew"),
        "{ppc}"
    );

    // More schools are not more pupils, and other pupils are not other schools.
    let error = text(fit.more_rows(|s| s.b()).predict(&classes(4, 4)));
    assert!(
        error.contains("site a") && error.contains("plate `i` has 4 rows here and had 3 in the fit"),
        "{error}"
    );
    let error = text(fit.more_rows(|s| s.a()).predict(&classes(4, 4)));
    assert!(
        error.contains("site b") && error.contains("plate `j` has 4 rows here and had 2 in the fit"),
        "{error}"
    );
    let ppc = fit.new_rows(|s| s.b()).predict(&classes(3, 7)).unwrap();
    assert_eq!(ppc.drawn_anew().collect::<Vec<_>>(), ["b"]);
    let ppc = fit.new_rows(|s| s.a()).predict(&classes(1, 9)).unwrap();
    assert_eq!(ppc.drawn_anew().collect::<Vec<_>>(), ["a", "b"]);
    // Other pupils of the same schools and of more: each word for its plate.
    let ppc = fit
        .more_rows(|s| s.a())
        .new_rows(|s| s.b())
        .predict(&classes(4, 3))
        .unwrap();
    assert_eq!(ppc.a().slice_axis(Axis(2), (..3).into()), fit.a());
    assert_eq!(ppc.b().shape()[2..], [4, 3]);
}

#[model]
fn walk(n: usize) {
    let mut z = sample(Normal(0, 1));
    for t in markov(n) {
        z = sample(Normal(z, 1));
    }
    let last = z;
    track(end, last);
}

#[test]
fn loops_keep_their_old_steps_and_draw_later_ones() {
    let fit = mh(&walk(3));
    let ppc = fit.predict(&walk(5)).unwrap();
    assert_eq!(ppc.drawn_anew().collect::<Vec<_>>(), ["z[3]", "z[4]"]);
    let step = |k: usize| ppc.draws().get(&format!("z[{k}]")).unwrap().to_owned();
    assert_eq!(step(4), ppc.end());
    let steps = (&step(3) - &fit.draws().get("z[2]").unwrap()).mapv(|d| d * d);
    // 60 squares of standard normal steps: the mean is within 0.6 of 1 but for one seed in a thousand.
    assert!((steps.mean().unwrap() - 1.0).abs() < 0.6, "{steps}");
    assert!(
        ppc.to_string().contains("4 taken over from the fit, 2 drawn anew"),
        "{ppc}"
    );
    // Fewer steps are the first ones, unless more were spoken of.
    assert_eq!(fit.predict(&walk(2)).unwrap().end(), fit.draws().get("z[1]").unwrap());
    let error = text(fit.more_rows(|s| s.z()).predict(&walk(2)));
    assert!(
        error.contains("keeps all steps of the fit, and the model has no site z[2]"),
        "{error}"
    );
    let anew = fit.new_rows(|s| s.z()).predict(&walk(2)).unwrap_err_text();
    assert!(anew.contains("predictions would not depend on the fit"), "{anew}");
}

/// The text of an error, of results whose values have no `Debug`.
trait ErrText {
    fn unwrap_err_text(self) -> String;
}

impl<T> ErrText for Result<T, posterior::core::error::Error> {
    fn unwrap_err_text(self) -> String {
        text(self)
    }
}

#[model]
fn level(mu: Var) {
    let base = sample(Normal(0, 1));
    sample("own", Normal(mu + base, 1))
}

#[model]
fn with_parts(n: usize, n_loop: usize) {
    let mu = sample(Normal(0, 1));
    for i in plate(n) {
        let part = sample(level(mu));
    }
    for t in plate(n_loop).each() {
        let turn = sample(level(mu));
    }
}

#[test]
fn submodels_are_named_as_a_whole_or_by_their_sites() {
    let fit = mh(&with_parts(3, 2));
    let error = text(fit.predict(&with_parts(4, 2)));
    assert!(error.contains("`new_rows(|_| \"part.base\")`"), "{error}");
    for ppc in [
        fit.more_rows(|s| s.part()).predict(&with_parts(4, 3)).unwrap(),
        fit.more_rows(|_| "part.own").predict(&with_parts(4, 3)).unwrap(),
    ] {
        let anew: Vec<_> = ppc.drawn_anew().collect();
        assert_eq!(anew, ["part.base", "part.own", "turn[2].base", "turn[2].own"]);
        let old = fit.draws().get("part.own").unwrap();
        assert_eq!(
            ppc.draws().get("part.own").unwrap().slice_axis(Axis(2), (..3).into()),
            old
        );
    }
    let ppc = fit.new_rows(|_| "turn.own").predict(&with_parts(3, 2)).unwrap();
    assert_eq!(ppc.drawn_anew().collect::<Vec<_>>(), ["turn[0].own", "turn[1].own"]);
}

#[model]
fn levels(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    for i in plate(y, batch = 2) {
        let level = sample(Normal(mu, 1));
        observe(y[i], Normal(level, 1));
    }
}

#[test]
fn latents_of_a_subsampled_plate_are_those_of_all_rows() {
    let y = array![0.5, 1.5, -0.5, 0.1, 0.2];
    let fit = svi(AutoNormal::default(), &levels(&y), Precision::F64);
    let old = fit.draws(9).get("level").unwrap().to_owned();
    let same = fit.predict(&levels(Obs::missing_like(&[5])), 9).unwrap();
    assert_eq!(
        (same.drawn_anew().count(), same.y().shape().to_vec()),
        (0, vec![1, 9, 5])
    );
    let error = text(fit.predict(&levels(Obs::missing_like(&[2])), 9));
    assert!(
        error.contains("plate `i` has 2 rows here and had 5 in the fit"),
        "{error}"
    );
    let more = fit
        .more_rows(|s| s.level())
        .predict(&levels(Obs::missing_like(&[8])), 9)
        .unwrap();
    assert_eq!(more.level().slice_axis(Axis(2), (..5).into()), old);
    assert_eq!(more.y().shape(), [1, 9, 8]);
}

#[test]
fn words_that_do_not_find_what_they_name_are_errors() {
    let (sigma, y) = data();
    let fit = mh(&schools(&sigma, &y, false));
    let new = schools(&sigma, Obs::missing(), false);
    let error = text(fit.new_rows(|_| "thta").predict(&new));
    let want = "`new_rows(|s| s.thta())` names a site that the model does not draw; it draws mu, tau, shift, theta, y";
    assert_eq!(error, want);
    let error = text(fit.more_rows(|s| s.shift()).predict(&only_effects(4)));
    assert_eq!(
        error,
        "`more_rows(|s| s.shift())` names a site that the model does not draw; it draws mu, theta"
    );
    let error = text(
        fit.new_rows(|s| s.theta())
            .predict(&new.condition(|s| s.theta(array![1., 2., 3., 4.]))),
    );
    assert!(
        error.starts_with("`new_rows(|s| s.theta())` names a site that the model does not draw"),
        "{error}"
    );
    let new = schools(&sigma, Obs::missing(), false);
    let error = text(fit.new_rows(|s| s.theta()).more_rows(|s| s.theta()).predict(&new));
    assert!(
        error.contains("`new_rows` and `more_rows` both name site theta"),
        "{error}"
    );
    let error = text(fit.new_rows(|s| s.theta()).more_rows(|s| s.shift()).predict(&new));
    assert!(error.contains("whose rows can be but one of the two"), "{error}");
    // A missing observation stands for its plate as well as a latent does.
    let ppc = fit.new_rows(|s| s.y()).predict(&new).unwrap();
    assert_eq!(ppc.drawn_anew().collect::<Vec<_>>(), ["shift", "theta"]);
}

#[model]
fn offsets(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    for i in plate(y) {
        let a = param(0.0);
        let b = sample(Normal(mu, 1));
        observe(y[i], Normal(a + b, 1));
    }
}

#[test]
fn a_parameter_of_rows_that_are_drawn_anew_is_an_error() {
    let fit = svi(AutoNormal::default(), &offsets(&array![1.0, 2.0]), Precision::F64);
    fit.predict(&offsets(Obs::missing_like(&[2])), 3).unwrap();
    let error = text(fit.new_rows(|s| s.b()).predict(&offsets(Obs::missing_like(&[2])), 3));
    let want = "`new_rows` was said of its plate `i`, and a `param` has no distribution to draw other rows from";
    assert!(error.starts_with("site a (") && error.contains(want), "{error}");
}

#[test]
fn handlers_of_the_new_model_decide_before_the_fit_does() {
    let (sigma, y) = data();
    let fit = mh(&schools(&sigma, &y, false));
    let new = || schools(&sigma, Obs::missing(), false);
    let far = fit
        .predict(&new().do_(|s| s.theta(array![90., 80., 70., 60.])))
        .unwrap();
    assert!(far.y().iter().all(|y| *y > 50.0));
    let known = fit.predict(&new().condition(|s| s.theta(array![90., 80., 70., 60.])));
    assert!(known.unwrap().y().iter().all(|y| *y > 50.0));
    // What is blocked is drawn by the model, here about a mean that a handler sets.
    let ppc = fit.predict(&new().do_(|s| s.mu(1000.0)).block(|s| s.theta())).unwrap();
    assert!(ppc.drawn_anew().count() == 0 && ppc.y().iter().all(|y| *y > 900.0));
    let run = posterior::core::runtime::handlers::trace(&new(), 5).unwrap();
    let ppc = fit.predict(&new().replay(&run)).unwrap_err_text();
    assert!(ppc.contains("model schools has none of the latents"), "{ppc}");
    let ppc = fit.predict(&new().condition(|s| s.mu(77.0))).unwrap();
    assert_eq!((ppc.drawn_anew().count(), ppc.y().shape()), (0, &[2, 30, 4][..]));
    let other = fit.new_rows(|s| s.theta());
    let ppc = other.predict(&new().condition(|s| s.mu(1000.0))).unwrap();
    assert!(ppc.theta().iter().all(|theta| *theta > 900.0));
}

#[test]
fn predictions_print_where_each_site_comes_from() {
    let (sigma, y) = data();
    let fit = mh(&schools(&sigma, &y, false));
    let printed = fit
        .predict(&schools(&sigma, Obs::missing(), false))
        .unwrap()
        .to_string();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "2 chains of 30 draws",
            "  mu     []      taken over from the fit",
            "  tau    []      taken over from the fit"
        ]
    );
    assert!(
        lines[5].starts_with("  y      [4]     drawn in place of a missing observation; means "),
        "{printed}"
    );
    let prior = Prior::default()
        .draws(20)
        .run(&schools(&sigma, Obs::missing(), false))
        .unwrap()
        .to_string();
    assert!(
        prior.starts_with("20 draws\n  mu     []      drawn from the prior; mean "),
        "{prior}"
    );
}
