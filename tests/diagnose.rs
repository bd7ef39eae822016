//! The example `diagnose`: its figures against ArviZ on stored chains, and what it says of files that hold no chains.

#[path = "../examples/diagnose/chains.rs"]
mod chains;
#[path = "../examples/diagnose/statistics.rs"]
mod statistics;

use std::fs;
use std::path::{Path, PathBuf};

use chains::read;
use posterior::core::rng::Key;
use serde_json::{Value, json};
use statistics::{Wanted, all};

const TOLERANCE: f64 = 1e-9;

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ppl-core/tests/data")
}

fn json_of(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn wanted() -> Wanted {
    Wanted {
        interval: vec![0.25, 0.6],
        ..Wanted::default()
    }
}

/// Returns the figures of a file, or the error.
fn diagnosed(text: &str, wanted: &Wanted) -> Result<Value, String> {
    all(&read(text)?, wanted).map_err(|e| e.to_string())
}

#[track_caller]
fn assert_close(got: &Value, expected: &Value, what: &str) {
    match (got.as_f64(), expected.as_f64()) {
        (Some(got), Some(expected)) => {
            let error = (got - expected).abs() / expected.abs().max(1.0);
            assert!(error <= TOLERANCE, "{what}: {got}, ArviZ has {expected}");
        }
        // The reference has texts for what is no number.
        (None, None) => {
            let text = match got {
                Value::Null => "nan".to_string(),
                infinite => infinite.as_str().unwrap().replace("Infinity", "inf"),
            };
            assert_eq!(Some(text.as_str()), expected.as_str(), "{what}");
        }
        _ => panic!("{what}: {got}, ArviZ has {expected}"),
    }
}

#[test]
fn figures_of_stored_chains_are_those_of_arviz() {
    let mut n = 0;
    for entry in fs::read_dir(data().join("diagnostics")).unwrap() {
        let path = entry.unwrap().path();
        let record = json_of(&path);
        // A NaN is refused.
        if path.ends_with("nan_draw.json") {
            continue;
        }
        let text = format!("{{\"x\": {}}}", record["chains"]).replace("\"inf\"", "Infinity");
        let numbers = |key: &str| {
            record[key]
                .as_array()
                .unwrap()
                .iter()
                .map(|x| x.as_u64().unwrap() as usize)
        };
        let wanted = Wanted {
            superchains: numbers("superchains").collect(),
            ..wanted()
        };
        let got = &diagnosed(&text, &wanted).unwrap()["x"];
        for (key, expected) in record["results"].as_object().unwrap() {
            let what = format!("{key} of {}", path.display());
            match key.as_str() {
                "ess_quantile" | "mcse_quantile" => {
                    let kind = key.trim_end_matches("quantile");
                    assert_close(&got[format!("{kind}q5")], &expected[0], &what);
                    assert_close(&got[format!("{kind}median")], &expected[1], &what);
                    assert_close(&got[format!("{kind}q50")], &expected[1], &what);
                }
                "e_bfmi" => {}
                _ => assert_close(&got[key], expected, &what),
            }
            n += 1;
        }
    }
    assert_eq!(n, 18 * 17);
}

#[test]
fn scalars_of_events_have_labels_and_warnings_in_words() {
    let text = r#"{"β": [[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]], "a \"b\"": [ [1.5,-2e0] , [Infinity, 4] ]}"#;
    let got = diagnosed(text, &wanted()).unwrap();
    let labels: Vec<&String> = got.as_object().unwrap().keys().collect();
    assert_eq!(labels, ["a \"b\"", "β[0, 0]", "β[0, 1]", "β[1, 0]", "β[1, 1]"]);
    assert_eq!(got["β[1, 0]"]["mean"], json!(5.0));
    assert_eq!(got["β[1, 0]"]["rhat"], Value::Null);
    assert!(
        got["β[1, 0]"]["warnings"][0]
            .as_str()
            .unwrap()
            .contains("has 2 draws a chain")
    );
    assert_eq!(got["a \"b\""]["mean"], json!("Infinity"));
    let warning = got["a \"b\""]["warnings"][0].as_str().unwrap();
    assert!(warning.contains("is inf in chain 1 at draw 0"), "{warning}");
}

#[test]
fn log_likelihoods_and_energies_have_figures_of_their_own() {
    let case = &json_of(&data().join("loo.json"))["cases"]["normal"];
    let shape: Vec<usize> = case["shape"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_u64().unwrap() as usize)
        .collect();
    let chains = |values: &Value, n: usize| -> Value {
        let values = values.as_array().unwrap();
        let draw = |i: usize| match n {
            1 => values[i].clone(),
            _ => json!(values[i * n..(i + 1) * n]),
        };
        (0..shape[0])
            .map(|c| (0..shape[1]).map(|d| draw(c * shape[1] + d)).collect::<Value>())
            .collect()
    };
    let file = json!({
        "mu": chains(&case["draws"]["mu"], 1),
        "sigma": chains(&case["draws"]["sigma"], 1),
        "lp": chains(&case["log_prior"], 1),
        "y": chains(&case["log_likelihood"], shape[2]),
        "e": [[1.0, 3.0, 1.0, 3.0], [0.0, 1.0, 2.0, 3.0]],
    });
    let named = |name: &str| Some(name.to_string());
    let wanted = Wanted {
        log_likelihood: named("y"),
        log_prior: named("lp"),
        energy: named("e"),
        ..wanted()
    };
    let got = diagnosed(&file.to_string(), &wanted).unwrap();
    assert_eq!(
        got.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["e", "mu", "sigma", "y"]
    );
    assert_close(&got["y"]["elpd_waic"], &case["results"]["waic"]["elpd"], "WAIC");
    assert_eq!(got["y"]["pareto_k"].as_array().unwrap().len(), shape[2]);
    // The stored estimates have the efficiency one.
    assert!(got["y"]["r_eff"].as_f64().unwrap() > 0.9);
    let elpd = [&got["y"]["elpd_loo"], &case["results"]["elpd"]].map(|x| x.as_f64().unwrap());
    assert!((elpd[0] - elpd[1]).abs() < 0.1, "{elpd:?}");
    for latent in ["mu", "sigma"] {
        for component in ["prior", "likelihood"] {
            let expected = &case["results"]["psense"][component][latent];
            assert_close(&got[latent][format!("psense_{component}")], expected, latent);
        }
    }
    assert_eq!(got["e"]["e_bfmi"][0], json!(3.0));
    assert_close(&got["e"]["e_bfmi"][1], &json!(0.6), "e-bfmi");
}

#[test]
fn texts_that_are_no_json_are_refused_with_the_line() {
    refused(&[
        ("", "the file ends where an object of variables"),
        ("[1, 2]", "line 1: an object of variables"),
        ("{}", "there are no variables"),
        (
            "{\"x\"",
            "the file ends where a colon after the name of a variable is needed",
        ),
        ("{\"x\": [[1, 2]]", "the file ends where a comma or `}` is needed"),
        (
            "{\"x\": [[1, 2]]} {",
            "line 1: the end of the file is needed, got \"{\"",
        ),
        ("{\n\"x\": [[1 2]]}", "line 2: a comma or `]` is needed, got \"2]]}\""),
        (
            "{x: [[1]]}",
            "the name of a variable in quotes is needed, got \"x: [[1]]}\"",
        ),
        ("{\"x: [[1]]}", "the name of a variable in quotes"),
        ("{\"x\": [[1]], \"x\": [[2]]}", "`x` is there twice"),
        (
            "{\"x\": [[1],]}",
            "`x`, chain 1: line 1: a list or a number is needed, got \"]}\"",
        ),
        (
            "{\"x\": [[1, ]]}",
            "`x`, chain 0 at draw 1: line 1: a list or a number is needed, got \"]]}\"",
        ),
    ]);
    let deep = format!("{{\"x\": {}", "[".repeat(100_000));
    assert!(read(&deep).unwrap_err().contains("ragged"));
}

#[track_caller]
fn refused(rows: &[(&str, &str)]) {
    for (text, words) in rows {
        let error = diagnosed(text, &wanted()).unwrap_err();
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn lists_that_are_no_chains_are_refused_with_the_place() {
    refused(&[
        ("{\"x\": []}", "`x` has no chains"),
        ("{\"x\": [[1], []]}", "`x` has no draws in chain 1"),
        ("{\"x\": [[[]]]}", "`x` has no elements in chain 0 at draw 0"),
        ("{\"x\": 3}", "`x`: the whole is 3, where a list of draws is needed"),
        ("{\"x\": [1, 2]}", "`x`: chain 0 is 1, where a list of draws is needed"),
        (
            "{\"x\": [[1, 2], [3]]}",
            "`x` is ragged: chain 1 has 1 draws, where the first has 2",
        ),
        (
            "{\"x\": [[[1, 2], [3, 4]], [[5, 6], [7]]]}",
            "`x` is ragged: chain 1 at draw 1 has 1 elements, where the first has 2",
        ),
        (
            "{\"x\": [[1, [2]]]}",
            "`x` is ragged: chain 0 at draw 1 is a list where others are numbers",
        ),
        (
            "{\"x\": [[[1], 2]]}",
            "`x` is ragged: chain 0 at draw 1 is a number where others are lists",
        ),
        ("{\"x\": [[1, 2], [3, NaN]]}", "`x` is NaN in chain 1 at draw 1"),
        ("{\"x\": [[1, null]]}", "`x` is null in chain 0 at draw 1"),
        (
            "{\"x\": [[[0, 1], [2, NaN]]]}",
            "`x` is NaN in chain 0 at draw 1, element [1]",
        ),
        (
            "{\"x\": [[1, \"two, or 3\"]]}",
            "`x` is \"two, or 3\" in chain 0 at draw 1, which is no number",
        ),
        (
            "{\"x\": [[true]]}",
            "`x` is true in chain 0 at draw 0, which is no number",
        ),
        (
            "{\"x\": [[inf]]}",
            "`x` is inf in chain 0 at draw 0, which is no number",
        ),
        ("{\"x\": [[-1e400]]}", "beyond the largest number of 64 bits"),
        (
            "{\"x\": {\"y\": 1}}",
            "`x`, the whole: line 1: a list or a number is needed, got \"{\\\"y\\\": 1}}\"",
        ),
    ]);
}

#[test]
fn no_text_ends_the_process() {
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        "\"",
        "x",
        "é",
        "\\",
        ",",
        ":",
        "1",
        "-",
        "NaN",
        " ",
        "\n",
        "\"x\": [[1, 2], [3, 4]]",
    ];
    let mut n_read = 0;
    for seed in 0..20_000 {
        let key = Key::new(seed);
        let n = key.bits() % 12;
        let piece = |i: u64| pieces[(key.split(i).bits() % pieces.len() as u64) as usize];
        let text: String = (0..n).map(piece).collect();
        n_read += usize::from(read(&text).is_ok()) + usize::from(read(&format!("{{{text}}}")).is_ok());
    }
    assert!(n_read > 0);
}

#[test]
fn options_that_do_not_fit_the_chains_are_refused() {
    let text = r#"{"x": [[1, 2, 3, 4], [5, 6, 7, 8]], "x[0]": [[1], [2]], "v": [[[1, 2]], [[3, 4]]]}"#;
    let named = |name: &str| Some(name.to_string());
    let rows = [
        (
            Wanted {
                superchains: vec![0],
                ..wanted()
            },
            "`x` has 2 chains, and --superchains 1 numbers",
        ),
        (
            Wanted {
                interval: vec![0.6, 0.2],
                ..wanted()
            },
            "two probabilities in ascending order",
        ),
        (
            Wanted {
                energy: named("y"),
                ..wanted()
            },
            "no variable named `y`; there are `x`, `x[0]`, `v`",
        ),
        (
            Wanted {
                energy: named("v"),
                ..wanted()
            },
            "`v` has more than one energy for a draw",
        ),
        (
            Wanted {
                log_likelihood: named("v"),
                ..wanted()
            },
            "`x` has chains × draws [2, 4], the log likelihood [2, 1]",
        ),
    ];
    for (wanted, words) in rows {
        let error = diagnosed(text, &wanted).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn superchains_and_labels_that_meet_are_refused() {
    let three = r#"{"x": [[1, 2], [3, 4], [5, 6]]}"#;
    let wanted = Wanted {
        superchains: vec![0, 0, 1],
        ..wanted()
    };
    assert!(
        diagnosed(three, &wanted)
            .unwrap_err()
            .contains("--superchains are of one size, got [0, 0, 1]")
    );
    let twice = r#"{"x": [[[1]]], "x[0]": [[1]]}"#;
    assert!(
        diagnosed(
            twice,
            &Wanted {
                superchains: vec![],
                ..wanted
            }
        )
        .unwrap_err()
        .contains("two variables have a scalar `x[0]`")
    );
}
