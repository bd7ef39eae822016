//! The rules of the repository that a program can check: headers, floors, circles, sizes, laws, words that do not belong
//! here.

mod circles;
mod sizes;

use std::fs;
use std::path::Path;

/// Where our files are.
const FOLDERS: &str = "src ppl-core ppl-macros ppl-nn examples tests benches tools";

/// The modules of ppl-core from the ground up: what is shipped imports from its own module and from floors below.
const FLOORS: [&str; 9] = [
    "tensor rng math draws constraints",
    "error",
    "log_density kernels diagnostics",
    "tape optim",
    "program ops",
    "distributions",
    "bijectors",
    "runtime",
    "inference",
];

/// Modules outside of the floors: the roots of the crate, and the laws, which look at everything.
const OUTSIDE: [&str; 3] = ["lib", "private", "testing"];

/// What moves chains: it knows a log density, not what that is made of.
const SAMPLERS: [&str; 4] = ["transitions/", "hamiltonian/", "adapt/", "transition.rs"];

/// Folders whose files carry their law or tests.
const LAWS: [(&str, &str); 7] = [
    ("ppl-core/src/inference/adapt", "adapter_tests!"),
    ("ppl-core/src/inference/hamiltonian", "transition_tests!"),
    ("ppl-core/src/inference/transitions", "transition_tests!"),
    ("ppl-core/src/ops", "op_tests!"),
    ("ppl-core/src/distributions", "dist_tests!"),
    ("ppl-core/src/bijectors", "bijector_tests!"),
    ("ppl-nn/src/layers", "layer_tests!"),
];

/// Files in these folders without law or tests of their own, with the reason.
const WITHOUT_LAWS: &str = "
    interfaces and tables: distributions/contract distributions/erased distributions/family distributions/support bijectors/default
    tests themselves: ops/chains ops/shape_errors distributions/kl_laws distributions/sampler_laws
    run by the laws of what uses them: ops/align ops/concat ops/elementwise ops/outer ops/param ops/scalar_function ops/strided distributions/chances distributions/noise distributions/scalar_sampler \
        distributions/affine_rows distributions/gamma_sampler distributions/count_sampler distributions/divergence distributions/row_density distributions/saddle distributions/univariate bijectors/row_map
    tested with their loops in weights.rs: distributions/categorical distributions/one_hot_categorical
    one point, shown by its example: distributions/delta
    run by the invariance of every transition: transitions/proposal hamiltonian/hmc hamiltonian/learning
";

/// Returns path and text of the files below a folder with one of these extensions.
fn files(folder: &str, extensions: &[&str]) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut open, mut found) = (vec![root.join(folder)], Vec::new());
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display())) {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                open.push(path);
            } else if extensions.iter().any(|e| path.extension().is_some_and(|x| x == *e)) {
                let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                let below = path.strip_prefix(root).expect("it is below the root");
                found.push((below.to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no files");
    found
}

fn all(extensions: &[&str]) -> Vec<(String, String)> {
    FOLDERS
        .split(' ')
        .filter(|f| extensions.len() > 1 || *f != "tools")
        .flat_map(|f| files(f, extensions))
        .collect()
}

/// Returns the numbered lines of a file that are shipped: no comments, and no items that are for tests only.
fn shipped(text: &str) -> impl Iterator<Item = (usize, &str)> {
    // The indent of an item for tests, while it is not over, and whether its first line is still to come.
    let mut of_tests: Option<(usize, bool)> = None;
    let mut is_shipped = move |line: &str| {
        let indent = line.len() - line.trim_start().len();
        match of_tests {
            None if line.trim_start() == "#[cfg(test)]" => of_tests = Some((indent, true)),
            None => return true,
            Some((_, true)) if line.trim_start().starts_with("#[") => {}
            Some((own, is_first)) => {
                let is_open = is_first && (line.ends_with('{') || line.ends_with('('));
                let is_over = if is_first {
                    !is_open
                } else {
                    indent == own && line.trim_start().starts_with(['}', ')'])
                };
                of_tests = (!is_over).then_some((own, false));
            }
        }
        false
    };
    let lines = text.lines().enumerate().map(|(i, line)| (i + 1, line));
    let lines = lines.filter(move |(_, line)| is_shipped(line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn stem(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path).trim_end_matches(".rs")
}

fn is_library(path: &str) -> bool {
    path.ends_with(".rs") && (path.starts_with("src/") || path.contains("/src/"))
}

#[test]
fn every_file_begins_with_a_sentence() {
    for (path, text) in all(&["rs"]) {
        let is_exempt = path.starts_with("tests/ui/") || path.contains("/snapshots/");
        assert!(
            is_exempt || text.starts_with("//! "),
            "{path}: line 1 is no `//! ` sentence"
        );
    }
}

#[test]
fn terms_come_onto_the_tape_through_one_gate() {
    const GATE: &str = "ppl-core/src/runtime/terms.rs";
    const WAYS: [&str; 5] = [
        "SumTerm",
        "tape.term(",
        ".log_prob_term(",
        ".drawn_term(",
        ".standard_term(",
    ];
    let floors = ["ppl-core/src/runtime", "ppl-core/src/inference", "ppl-nn/src"];
    let all: Vec<(String, String)> = floors.iter().flat_map(|folder| files(folder, &["rs"])).collect();
    assert!(all.iter().any(|(path, _)| path == GATE));
    for (path, text) in all.iter().filter(|(path, _)| path != GATE) {
        for (number, line) in shipped(text) {
            let way = WAYS.iter().find(|way| line.contains(**way));
            assert!(
                way.is_none(),
                "{path}:{number}: {} belongs in {GATE}",
                way.unwrap_or(&"")
            );
        }
    }
}

#[test]
fn imports_point_down() {
    let floor = |module: &str| FLOORS.iter().position(|floor| floor.split(' ').any(|m| m == module));
    for (path, text) in files("ppl-core/src", &["rs"]) {
        let module = path["ppl-core/src/".len()..]
            .split(['/', '.'])
            .next()
            .unwrap_or_default();
        if OUTSIDE.contains(&module) {
            continue;
        }
        let own = floor(module).unwrap_or_else(|| panic!("{path}: `{module}` has no floor"));
        for (number, line) in shipped(&text) {
            for after in line.split("crate::").skip(1) {
                let target = after
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .next()
                    .unwrap_or_default();
                let is_below = floor(target).is_some_and(|below| below < own);
                let is_allowed = is_below || target == module;
                assert!(is_allowed, "{path}:{number}: `{module}` must not see `{target}`");
                let is_sampler = SAMPLERS
                    .iter()
                    .any(|s| path.starts_with(&format!("ppl-core/src/inference/{s}")));
                let is_inner = ["runtime", "bijectors", "distributions", "ops", "program", "tape"].contains(&target)
                    || after.starts_with("inference::potential");
                assert!(
                    !(is_sampler && is_inner),
                    "{path}:{number}: a sampler must not see `{target}`"
                );
            }
        }
    }
}

#[test]
fn laws_stand_in_the_files_that_they_are_about() {
    for (folder, law) in LAWS {
        for (path, text) in files(folder, &["rs"]).iter().filter(|(path, _)| stem(path) != "mod") {
            let is_tested = text.contains(&format!("\n{law} {{")) || text.contains("\n    #[test]\n");
            let mut exempt = WITHOUT_LAWS.split_whitespace().filter(|word| word.contains('/'));
            let is_exempt = exempt.any(|name| path.ends_with(&format!("/{name}.rs")));
            assert!(is_tested || is_exempt, "{path}: neither `{law}` nor tests");
        }
    }
}

#[test]
fn unsafe_code_lives_in_kernels_and_executor() {
    let allowed = ["kernels", "program", "tape"].map(|m| format!("ppl-core/src/{m}/"));
    for (path, text) in all(&["rs"]).iter().filter(|(path, _)| is_library(path)) {
        let is_allowed = allowed.iter().any(|folder| path.starts_with(folder));
        for (number, line) in shipped(text) {
            let is_unsafe = line.contains("unsafe {") || line.contains("unsafe fn") || line.contains("unsafe impl");
            assert!(
                is_allowed || !is_unsafe,
                "{path}:{number}: `unsafe` outside of kernels and executor"
            );
        }
    }
}

#[test]
fn nothing_is_unfinished_printed_or_bound_to_a_machine() {
    let anywhere = "todo!( unimplemented!( dbg!( #[ignore /home/ /root/ /Users/ /work/";
    for (path, text) in all(&["rs", "toml", "md", "py"])
        .iter()
        .filter(|(path, _)| path != "tests/tidy/main.rs")
    {
        let found = anywhere.split(' ').find(|word| text.contains(word));
        assert!(
            found.is_none(),
            "{path}: `{}` does not belong here",
            found.unwrap_or_default()
        );
        let prints = |line: &str| line.contains("println!(") || line.contains("print!(");
        let printed = shipped(text).find(|(_, line)| is_library(path) && prints(line));
        assert!(printed.is_none(), "{path}: library code prints: {printed:?}");
    }
}
