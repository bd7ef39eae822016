//! Partly missing observations that the model reads: element by element, as ranges, before and after they are observed.

use super::*;

#[model]
fn grid(y: Obs<Array2<f64>>) {
    for i in plate(2).each() {
        for j in plate(3).each() {
            observe(y[i][j], Normal(0, 1));
        }
    }
    track(corner, y[1][2] - y[1][1]);
}

#[test]
fn elements_of_elements_are_told_apart() {
    let prior = Prior::default()
        .draws(50)
        .run(&grid(Obs::missing_like(&[2, 3])))
        .unwrap();
    let y = |i: usize, j: usize| prior.draws().get(&format!("y[{i}][{j}]")).unwrap().to_owned();
    assert_eq!(&y(1, 2) - &y(1, 1), prior.corner());
    assert!(y(1, 2) != y(1, 1) && y(0, 2) != y(1, 2));
    let data = array![[1.0, NAN, 2.0], [NAN, 3.0, NAN]];
    let prior = Prior::default().draws(5).run(&grid(Obs::partly(&data))).unwrap();
    assert_eq!(&prior.draws().get("y[1][2]").unwrap().to_owned() - 3.0, prior.corner());
}

/// A covariate with gaps, which the model explains and reads.
#[model]
fn covariate(x: Obs<Array1<f64>>, y: &Array1<f64>, kind: usize) {
    match kind {
        0 => {
            for i in plate(y) {
                let x = observe(x[i], Normal(0, 1));
                observe(y[i], Normal(x, 1));
            }
        }
        1 => {
            for i in plate(y, batch = 2) {
                let x = observe(x[i], Normal(0, 1));
                observe(y[i], Normal(x, 1));
            }
        }
        2 => {
            for i in plate(y, total = 40) {
                let x = observe(x[i], Normal(0, 1));
                observe(y[i], Normal(x, 1));
            }
        }
        _ => {
            for i in plate(y) {
                let x = observe(x[i], Normal(0, 1).truncate(-y[i] - 9, 9));
                observe(y[i], Normal(x, 1));
            }
        }
    }
}

#[test]
fn elements_that_cannot_be_imputed_are_refused_with_the_reason_and_the_remedy() {
    let (x, y) = (array![0.5, NAN, 2.0], array![1.0, 0.5, 1.5]);
    for (kind, words) in [
        (
            1,
            [
                "in a batch of rows",
                "fit all rows at once, without `batch` and `total`",
            ],
        ),
        (
            2,
            [
                "in a batch of rows",
                "fit all rows at once, without `batch` and `total`",
            ],
        ),
        (
            3,
            [
                "between bounds that vary",
                "write the missing ones as a site of their own",
            ],
        ),
    ] {
        let svi = Svi::new(AutoNormal::default(), Adam::new(0.1))
            .steps(5)
            .progress(Progress::Hidden);
        let error = svi
            .run(&covariate(Obs::partly(&x), &y, kind))
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.starts_with("site x (tests/partly/reading.rs:") && words.iter().all(|word| error.contains(word)),
            "{error}"
        );
    }
}

#[test]
fn elements_that_data_give_are_no_reason_for_a_warning() {
    let (x, y) = (array![0.5, NAN, 2.0], array![1.0, 0.5, 1.5]);
    let model = covariate(Obs::partly(&x), &y, 0);
    let is_constant = |w: &Warning| matches!(w, Warning::Constant { .. });
    let fit = mh(&model);
    assert_eq!(fit.x()[[0, 7, 0]], 0.5);
    let warnings = fit.summary().warnings;
    assert!(!warnings.iter().any(is_constant), "{warnings:?}");
    let fit = svi(&model, 50);
    assert_eq!(fit.x()[[0, 7, 2]], 2.0);
    let warnings = fit.summary().warnings;
    assert!(!warnings.iter().any(is_constant), "{warnings:?}");
    let stuck = Mh::default().draws(20).warmup(0).chains(1).progress(Progress::Hidden);
    let fit = stuck.run(&never_moves()).unwrap();
    assert!(fit.summary().warnings.iter().any(is_constant), "{fit}");
}

#[model]
fn never_moves() {
    let k = sample(Binomial::probs(0, 0.5));
    factor(0.0 * k);
}
