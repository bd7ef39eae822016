//! Diagnostics against ArviZ on stored chains; `tools/reference/diagnostics.py` makes the files.

use std::fs;
use std::path::Path;

use ndarray::{Array2, ArrayView2};
use ppl_core::diagnostics::{
    Warning, compare, e_bfmi, ess_bulk, ess_local, ess_mean, ess_quantile, ess_sd, ess_tail, mcse_mean, mcse_quantile,
    mcse_sd, pareto_khat, rhat, rhat_nested, summary,
};
use ppl_core::draws::Draws;
use serde_json::Value;

/// A figure of one scalar's chains `[chain, draw]`.
type Figure = fn(ArrayView2<f64>) -> f64;

const TOLERANCE: f64 = 1e-9;

/// Returns the stored chains of this name `[chain, draw]`, and ArviZ's figures.
fn stored(name: &str) -> (Array2<f64>, Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/diagnostics")
        .join(format!("{name}.json"));
    let record: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let chains = record["chains"].as_array().unwrap();
    let values: Vec<f64> = chains
        .iter()
        .flat_map(|chain| chain.as_array().unwrap())
        .map(number)
        .collect();
    let shape = (chains.len(), values.len() / chains.len());
    (Array2::from_shape_vec(shape, values).unwrap(), record)
}

/// JSON has no infinities: they are texts.
fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

fn names() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/diagnostics");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = files
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_string())
        .collect();
    names.sort();
    names
}

fn as_draws(chains: ArrayView2<f64>) -> Draws {
    let mut draws = Draws::new(chains.nrows(), chains.ncols());
    draws.insert("x", &[], chains.iter().copied().collect()).unwrap();
    draws
}

#[track_caller]
fn assert_close(got: f64, expected: f64, what: &str) {
    let equal = got == expected || (got.is_nan() && expected.is_nan());
    let error = (got - expected).abs() / expected.abs().max(1.0);
    assert!(
        equal || error <= TOLERANCE,
        "{what}: {got}, ArviZ has {expected}, relative error {error:e}"
    );
}

#[test]
fn figures_match_arviz() {
    let figures: [(&str, Figure); 9] = [
        ("ess_bulk", ess_bulk),
        ("ess_tail", ess_tail),
        ("ess_mean", ess_mean),
        ("ess_sd", ess_sd),
        ("pareto_khat", pareto_khat),
        ("rhat", rhat),
        ("mcse_mean", mcse_mean),
        ("mcse_sd", mcse_sd),
        ("sd", |x| summary(&as_draws(x)).rows[0].sd),
    ];
    let mut n = 0;
    for name in names() {
        let (chains, record) = stored(&name);
        for (figure, ours) in figures {
            let what = format!("{figure} of {name}");
            assert_close(ours(chains.view()), number(&record["results"][figure]), &what);
            n += 1;
        }
    }
    assert_eq!(n, 9 * 19);
}

#[test]
fn quantile_figures_match_arviz() {
    let mut n = 0;
    for name in names() {
        let (chains, record) = stored(&name);
        for (i, q) in record["probabilities"]
            .as_array()
            .unwrap()
            .iter()
            .map(number)
            .enumerate()
        {
            let expected = |figure: &str| number(&record["results"][figure][i]);
            assert_close(
                ess_quantile(chains.view(), q),
                expected("ess_quantile"),
                &format!("ess of {name} at {q}"),
            );
            assert_close(
                mcse_quantile(chains.view(), q),
                expected("mcse_quantile"),
                &format!("mcse of {name} at {q}"),
            );
            n += 2;
        }
    }
    assert_eq!(n, 6 * 19);
}

#[test]
fn local_nested_and_energy_figures_match_arviz() {
    let mut n = 0;
    for name in names() {
        let (chains, record) = stored(&name);
        let list = |key: &str| record[key].as_array().unwrap();
        let superchains: Vec<usize> = list("superchains").iter().map(|x| number(x) as usize).collect();
        let interval = [0, 1].map(|i| number(&list("interval")[i]));
        let results = &record["results"];
        let (local, nested) = (number(&results["ess_local"]), number(&results["rhat_nested"]));
        assert_close(
            ess_local(chains.view(), interval),
            local,
            &format!("local ess of {name}"),
        );
        assert_close(
            rhat_nested(chains.view(), &superchains),
            nested,
            &format!("nested r-hat of {name}"),
        );
        let fractions = e_bfmi(chains.view());
        assert_eq!(fractions.len(), chains.nrows());
        for (got, expected) in fractions.into_iter().zip(results["e_bfmi"].as_array().unwrap()) {
            assert_close(got, number(expected), &format!("e-bfmi of {name}"));
        }
        n += 1;
    }
    assert_eq!(n, 19);
}

#[test]
fn superchains_are_of_one_size() {
    let chains = stored("iid_normal").0;
    for (superchains, words) in [
        (&[0, 0, 1][..], "each of the 4 chains has a superchain, got 3 numbers"),
        (
            &[0, 0, 0, 1],
            "superchains are of one size, got the numbers [0, 0, 0, 1]",
        ),
    ] {
        let panic = std::panic::catch_unwind(|| rhat_nested(chains.view(), superchains)).unwrap_err();
        assert!(panic.downcast_ref::<String>().unwrap().contains(words), "{words}");
    }
}

#[test]
fn summary_rows_match_arviz() {
    for name in names() {
        let (chains, record) = stored(&name);
        let row = &summary(&as_draws(chains.view())).rows[0];
        let figures = [
            ("mean", row.mean),
            ("sd", row.sd),
            ("q5", row.q5),
            ("q95", row.q95),
            ("mcse_mean", row.mcse_mean),
            ("ess_bulk", row.ess_bulk),
            ("ess_tail", row.ess_tail),
            ("rhat", row.rhat),
        ];
        for (figure, got) in figures {
            assert_close(got, number(&record["results"][figure]), &format!("{figure} of {name}"));
        }
    }
}

#[test]
fn troubled_chains_are_named_in_words() {
    let rows: [(&str, &[&str]); 11] = [
        ("iid_normal", &[]),
        ("constant", &["`x` is 2.5 in every draw"]),
        (
            "stuck_chain",
            &[
                "`x` is 0.75 in every draw of chain 2",
                "r-hat of `x` is 1.086",
                "of `x` in bulk or tail is 36, below 400",
            ],
        ),
        (
            "infinite_draw",
            &["`x` is inf in chain 1 at draw 17 (infinite or NaN draws: 1)"],
        ),
        (
            "nan_draw",
            &["`x` is NaN in chain 0 at draw 3 (infinite or NaN draws: 1)"],
        ),
        ("three_draws", &["`x` has 3 draws a chain"]),
        (
            "autoregressive",
            &[
                "r-hat of `x` is 1.068",
                "of `x` in bulk or tail is 50, below 400, which is 100 a chain",
            ],
        ),
        (
            "far_from_zero",
            &[
                "r-hat of `x` is 1.011",
                "of `x` in bulk or tail is 193, below 200, which is 100 a chain",
            ],
        ),
        (
            "wider",
            &["r-hat of `x` is 1.317", "of `x` in bulk or tail is 37, below"],
        ),
        (
            "one_chain",
            &["of `x` in bulk or tail is 76, below 100, which is 100 a chain"],
        ),
        ("heavy_tails", &[]),
    ];
    for (name, expected) in rows {
        let summary = summary(&as_draws(stored(name).0.view()));
        let text: Vec<String> = summary.warnings.iter().map(Warning::to_string).collect();
        assert_eq!(text.len(), expected.len(), "{name}: {text:?}");
        for (text, expected) in text.iter().zip(expected) {
            assert!(text.contains(expected), "{name}: {text}");
        }
    }
}

#[test]
fn summary_prints_a_row_a_scalar_and_the_warnings() {
    let mut draws = Draws::new(2, 4);
    draws.insert("mu", &[2], [1.5, 10.0, 2.5, 20.0].repeat(4)).unwrap();
    draws.insert("tau", &[], vec![3.0; 8]).unwrap();
    let expected = "\
|       |  mean |     sd |    5% |   95% | mcse mean | ess bulk | ess tail | r-hat |
|-------|-------|--------|-------|-------|-----------|----------|----------|-------|
| mu[0] | 2.000 | 0.5345 | 1.500 | 2.500 |    0.1989 |        7 |        7 | 0.707 |
| mu[1] | 15.00 |  5.345 | 10.00 | 20.00 |     1.989 |        7 |        7 | 0.707 |
| tau   | 3.000 |      0 | 3.000 | 3.000 |         0 |        8 |        8 |   NaN |

warning: the effective sample size of `mu[0]` in bulk or tail is 7, below 200, which is 100 a chain: its figures are unreliable; run longer
warning: the effective sample size of `mu[1]` in bulk or tail is 7, below 200, which is 100 a chain: its figures are unreliable; run longer
warning: `tau` is 3 in every draw: r-hat is not defined, ess and mcse have no meaning";
    assert_eq!(summary(&draws).to_string(), expected);
}

#[test]
fn an_offset_changes_no_figure_of_mixing() {
    // Multiples of 2⁻²² are exact at 10⁹ too.
    let near = stored("iid_normal").0.mapv(|x| (x * 4_194_304.0).round() / 4_194_304.0);
    let far = near.mapv(|x| x + 1e9);
    for (name, figure) in [
        ("ess_mean", ess_mean as Figure),
        ("mcse_mean", mcse_mean),
        ("rhat", rhat),
    ] {
        let (near, far) = (figure(near.view()), figure(far.view()));
        assert!(
            (far / near - 1.0).abs() < 1e-12,
            "{name}: {far} at an offset, {near} without"
        );
    }
}

#[test]
fn printed_warnings_are_limited() {
    let mut draws = Draws::new(1, 4);
    draws.insert("x", &[27], vec![0.0; 108]).unwrap();
    let summary = summary(&draws);
    assert_eq!(summary.warnings.len(), 27);
    let text = summary.to_string();
    assert_eq!(text.matches("warning:").count(), 20);
    assert!(text.ends_with("and 7 more warnings"));
}

#[test]
fn compare_measures_differences_in_both_units() {
    let (first, _) = stored("iid_normal");
    let second = first.mapv(|x| 2.0 * x + 0.5);
    let mut other = as_draws(second.view());
    other.insert("extra", &[], vec![1.0; 1000]).unwrap();
    let comparison = compare(&[
        ("nuts", &as_draws(first.view())),
        ("svi", &other),
        ("empty", &Draws::new(1, 1)),
    ]);
    assert_eq!(comparison.rows.len(), 1);
    let row = &comparison.rows[0];
    let (nuts, svi) = (row.estimates[0].unwrap(), row.estimates[1].unwrap());
    assert_close(svi.sd, 2.0 * nuts.sd, "sd");
    let by = nuts.mean + 0.5;
    let difference = row.differences[0].unwrap();
    assert_close(difference.in_mcse, by / (5.0_f64.sqrt() * nuts.mcse_mean), "in mcse");
    assert_close(difference.in_sd, by / nuts.sd, "in sd");
    assert_eq!((row.estimates[2], row.differences[1]), (None, None));
    let expected = "\
|   | nuts mean | nuts sd | svi mean | svi sd | empty mean | empty sd | svi off by mcse | svi off by sd | empty off by mcse | empty off by sd |
|---|-----------|---------|----------|--------|------------|----------|-----------------|---------------|-------------------|-----------------|
| x |  0.002545 |  0.9852 |   0.5051 |  1.970 |          - |        - |           +7.73 |         +0.51 |                 - |               - |";
    assert_eq!(comparison.to_string(), expected);
}
