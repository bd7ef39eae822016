//! What must not compile: each mistake has one message, on the guilty token.
//!
//! Each file of `tests/ui` is given to the compiler with the library that cargo has built for the tests already, and what the
//! compiler says is compared with the file of the same name that ends in `.stderr`. With `UI=overwrite` in the environment
//! these files are written.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rayon::prelude::*;
use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Lines that are no part of a message: how many errors there were, and where more is written.
const NO_PART: [&str; 5] = [
    "error: aborting due to ",
    "For more information about ",
    "Some errors have detailed explanations: ",
    "= note: the full name for the type has been written to ",
    "= note: consider using `--verbose` to print the full type name",
];

/// Returns the library that this test is linked with. Cargo says where it is, and has nothing to build.
fn library() -> PathBuf {
    let own = env::current_exe().expect("a test has a path");
    let target = own.ancestors().nth(3).expect("tests are in target/PROFILE/deps");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["build", "--lib", "--offline", "--message-format=json"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let output = cargo
        .current_dir(ROOT)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .expect("cargo runs");
    let messages = String::from_utf8_lossy(&output.stdout);
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let is_ours = |message: &Value| {
        message["reason"] == "compiler-artifact" && message["target"]["name"] == env!("CARGO_PKG_NAME")
    };
    let files = messages
        .filter(is_ours)
        .flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default());
    let mut libraries = files.filter_map(|file| file.as_str().filter(|f| f.ends_with(".rlib")).map(PathBuf::from));
    libraries
        .next()
        .unwrap_or_else(|| panic!("no library: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Compiles one file and returns whether that worked, with what the compiler says.
fn compile(case: &str, library: &Path) -> (bool, String) {
    // Cargo puts the library beside its dependencies, or above them.
    let folder = library.parent().expect("a file is in a folder");
    let output = Command::new(env::var_os("RUSTC").unwrap_or("rustc".into()))
        .current_dir(ROOT)
        .args([
            "--edition=2024",
            "--emit=metadata",
            "--color=never",
            "--diagnostic-width=140",
        ])
        .args(["-A", "dead_code", "--out-dir", env!("CARGO_TARGET_TMPDIR")])
        .arg(format!("-Ldependency={}", folder.join("deps").display()))
        .arg(format!("-Ldependency={}", folder.display()))
        .arg(format!("--extern=posterior={}", library.display()))
        .arg(case)
        // By this it knows that it works for cargo.
        .env("CARGO_CRATE_NAME", "case")
        .output()
        .expect("the compiler runs");
    let said = String::from_utf8(output.stderr).expect("the compiler writes text");
    (output.status.success(), normalised(&said, case))
}

/// Returns messages without what changes with the library: numbers of its lines, and how many implementations there are.
fn normalised(said: &str, case: &str) -> String {
    let messages = said.split("\n\n").map(|message| normalised_message(message, case));
    let messages: Vec<String> = messages.filter(|message| !message.is_empty()).collect();
    messages.join("\n\n") + "\n"
}

fn normalised_message(message: &str, case: &str) -> String {
    let (mut lines, mut is_ours) = (Vec::new(), true);
    for line in message.trim_end().lines() {
        let text = line.trim_start();
        if NO_PART.iter().any(|part| text.starts_with(part)) {
            continue;
        }
        if text.starts_with("--> ") || text.starts_with("::: ") {
            is_ours = text[4..].starts_with(case);
            let place = line.replace(&format!("{ROOT}/"), "");
            let end = if is_ours {
                None
            } else {
                place.find(".rs:").map(|at| at + 3)
            };
            lines.push(place[..end.unwrap_or(place.len())].to_string());
            continue;
        }
        is_ours |= !text.starts_with(|c: char| c.is_ascii_digit() || c == '|' || c == '.');
        let n = n_digits(text);
        let counts_others = text.starts_with("and ") && text.ends_with(" others");
        lines.push(match () {
            () if counts_others => line
                .replace(|c: char| c.is_ascii_digit(), "")
                .replace("and  ", "and $N "),
            () if is_ours => line.to_string(),
            () => line.replacen(&text[..n], &" ".repeat(n), 1),
        });
    }
    // The margin is as wide as the longest number.
    let width =
        |lines: &mut dyn Iterator<Item = &str>| lines.map(|line| n_digits(line.trim_start())).max().unwrap_or(0);
    let old = width(&mut message.lines());
    let surplus = " ".repeat(old - width(&mut lines.iter().map(String::as_str)).max(1).min(old));
    let narrowed = |line: String| match line.strip_prefix("...") {
        Some(rest) => format!("...{}", rest.strip_prefix(&surplus).unwrap_or(rest)),
        None => line.strip_prefix(&surplus).unwrap_or(&line).to_string(),
    };
    let lines: Vec<String> = lines.into_iter().map(narrowed).collect();
    lines.join("\n")
}

/// Returns how many digits a text begins with.
fn n_digits(text: &str) -> usize {
    text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len()
}

#[test]
fn mistakes_are_reported_at_their_tokens() {
    let library = library();
    let folder = fs::read_dir(Path::new(ROOT).join("tests/ui")).expect("the folder is there");
    let names = folder.map(|entry| {
        entry
            .expect("a readable folder")
            .file_name()
            .into_string()
            .expect("a plain name")
    });
    let mut cases: Vec<String> = names
        .filter(|n| n.ends_with(".rs"))
        .map(|n| format!("tests/ui/{n}"))
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "there are no cases");
    let faults: Vec<String> = cases.par_iter().filter_map(|case| fault(case, &library)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Returns what is wrong with a case, if anything is.
fn fault(case: &str, library: &Path) -> Option<String> {
    let (compiles, said) = compile(case, library);
    if compiles {
        return Some(format!("{case} compiles"));
    }
    let file = Path::new(ROOT).join(case).with_extension("stderr");
    if env::var("UI").is_ok_and(|word| word == "overwrite") {
        fs::write(&file, &said).expect("the file can be written");
        return None;
    }
    let wanted = fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    let differs = || said.lines().zip(wanted.lines()).position(|(a, b)| a != b);
    (said != wanted).then(|| {
        let line = differs().unwrap_or_else(|| said.lines().count().min(wanted.lines().count())) + 1;
        format!("{case}, from line {line}: the compiler says\n{said}\nand should say\n{wanted}")
    })
}
