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

/// The rest of a series, whole or row by row, given the first.
#[model]
fn first_and_rest(y: Obs<Array1<f64>>, is_whole: bool) {
    let mu = sample(Normal(0, 1));
    observe("first", y[0], Normal(mu, 1));
    let later = y.slice(1..);
    if is_whole {
        observe("rest", later, Normal(mu, 2).expand([3]));
    } else {
        for i in plate(later) {
            observe("rest", later[i], Normal(mu, 2));
        }
    }
}

#[test]
fn a_range_of_a_partly_missing_observation_is_partly_missing() {
    let (y, short) = (array![0.5, NAN, 2.0, -1.0], array![0.5, 2.0, -1.0]);
    let want = density(&two_scales(&short));
    for is_whole in [true, false] {
        let model = first_and_rest(Obs::partly(&y), is_whole);
        assert_same("range", &density(&model), &want);
        let prior = Prior::default().draws(20).seed(2).run(&model).unwrap();
        let rest = prior.get("rest").unwrap();
        let column = |j: usize| rest.index_axis(ndarray::Axis(2), j);
        assert!(column(1).iter().all(|x| *x == 2.0) && column(2).iter().all(|x| *x == -1.0));
        assert!(column(0).iter().all(|x| x.is_finite()) && column(0)[[0, 0]] != column(0)[[0, 1]]);
    }
}

#[model]
fn two_scales(y: &Array1<f64>) {
    let mu = sample(Normal(0, 1));
    observe("first", y[0], Normal(mu, 1));
    for i in plate(2) {
        observe("rest", y.slice(1..)[i], Normal(mu, 2));
    }
}

#[model]
fn whole_and_part(y: Obs<Array1<f64>>) {
    let mu = sample(Normal(0, 1));
    observe(y, Normal(mu, 2).expand([4]));
    track("part", y[1..].sum());
}

#[test]
fn a_range_of_what_was_drawn_is_read_from_the_draw() {
    let y = array![0.5, NAN, 2.0, -1.0];
    for data in [Obs::partly(&y), Obs::missing_like(&[4])] {
        let prior = Prior::default().draws(20).seed(2).run(&whole_and_part(data)).unwrap();
        let (all, part) = (prior.get("y").unwrap(), prior.get("part").unwrap());
        let sums = all
            .slice_axis(ndarray::Axis(2), (1..4).into())
            .sum_axis(ndarray::Axis(2));
        assert!((&sums - &part).iter().all(|d| d.abs() < 1e-14), "{sums} and {part}");
    }
}

/// Reads its data in another form before they are observed.
#[model]
fn read_early(data: Obs<Array1<f64>>, kind: usize) {
    let form = match kind {
        0 => data.reshape(&[2, 2]),
        1 => data.reshape(&[2, 2]).t(),
        2 => data.t(),
        3 => data.rev(),
        4 => data.slice(1..) * 2,
        5 => data.cumsum(),
        6 => data.softmax(),
        7 => data.dot(data),
        8 => data.max(),
        9 => stack([data, data]),
        10 => data.broadcast(&[3, 4]),
        _ => data.log_sum_exp(),
    };
    let z = sample(Normal(form.sum(), 1));
}

#[test]
fn what_is_missing_is_named_where_it_is_read_in_any_form() {
    let y = array![0.5, NAN, 2.0, -1.0];
    let quiet = Mh::default().progress(Progress::Hidden);
    for kind in 0..12 {
        for (data, text) in [
            (Obs::partly(&y), "an element of `data` is missing, and it is read"),
            (Obs::missing_like(&[4]), "`data` is missing, and it is read"),
        ] {
            let model = read_early(data, kind);
            for error in [
                trace(&model, 1).unwrap_err().to_string(),
                quiet.run(&model).err().unwrap().to_string(),
            ] {
                assert_eq!(error, format!("{text} before `observe` has drawn it"), "kind {kind}");
            }
        }
    }
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
