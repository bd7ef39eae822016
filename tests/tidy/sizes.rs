//! Sizes: how long files and functions may be.

use crate::all;

/// The most lines of a file.
const FILE: usize = 500;

/// The most lines of a function, its head and its last brace counted.
const FUNCTION: usize = 60;

/// Files and functions that may be longer, up to this many lines, with the reason. The table may only shrink: what comes
/// under the limit is taken out.
const LONGER: &[(&str, usize, &str)] = &[
    (
        "ppl-core/src/diagnostics/guide_warning.rs fmt",
        72,
        "one sentence for each warning",
    ),
    (
        "ppl-core/src/diagnostics/warning.rs fmt",
        70,
        "one sentence for each warning",
    ),
    (
        "ppl-core/src/kernels/linear/gemm_tiles.rs run",
        82,
        "five nested loops that share all of their blocks",
    ),
    (
        "ppl-core/src/runtime/plates.rs",
        560,
        "plates, loops and what their bodies return",
    ),
    (
        "ppl-macros/src/columns.rs implementation",
        75,
        "one quotation of what the macro writes",
    ),
    (
        "ppl-macros/src/expand.rs implementation",
        80,
        "one quotation of what the macro writes",
    ),
    ("tests/bad_input/sites.rs", 640, "a table of bad inputs"),
    ("tests/predictions.rs", 560, "one model for all words about rows"),
    ("tests/streams.rs", 580, "one harness for all laws of streams"),
];

/// Returns whether a file is a picture of what the macros write, not written by anyone.
fn is_generated(path: &str) -> bool {
    path.starts_with("tests/ui/") || path.contains("/snapshots/")
}

/// Returns name and length of the functions of a file that is formatted: the last brace stands below the head.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let head = line.trim_start();
        let indent = &line[..line.len() - head.len()];
        let Some((before, name)) = head.split_once("fn ") else {
            continue;
        };
        let is_head = before.split_whitespace().all(|word| {
            ["pub", "const", "unsafe", "extern", "async"]
                .iter()
                .any(|w| word.starts_with(w))
                || word.starts_with('"')
        });
        if head.ends_with('}') {
            continue;
        }
        let end = lines[at..].iter().position(|l| {
            l.strip_prefix(indent)
                .is_some_and(|l| l == "}" || l.ends_with(';') && !l.starts_with(' '))
        });
        let (true, Some(end)) = (is_head, end) else { continue };
        if lines[at + end].ends_with('}') {
            let name = name
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap_or_default();
            found.push((name.to_string(), end + 1));
        }
    }
    found
}

#[test]
fn files_and_functions_are_short() {
    let mut longer: Vec<(String, usize)> = Vec::new();
    for (path, text) in all(&["rs"]).iter().filter(|(path, _)| !is_generated(path)) {
        longer.extend(Some((path.clone(), text.lines().count())).filter(|(_, n)| *n > FILE));
        let functions = functions(text).into_iter().filter(|(_, n)| *n >= FUNCTION);
        longer.extend(functions.map(|(name, n)| (format!("{path} {name}"), n)));
    }
    let allowed = |place: &str| {
        LONGER
            .iter()
            .find(|(name, ..)| *name == place)
            .map_or(0, |(_, n, _)| *n)
    };
    let unknown: Vec<_> = longer.iter().filter(|(place, n)| *n > allowed(place)).collect();
    assert!(
        unknown.is_empty(),
        "more than {FILE} lines a file or {} a function: {unknown:#?}",
        FUNCTION - 1
    );
    let is_stale = |(name, ..): &&(&str, usize, &str)| longer.iter().all(|(place, _)| place != name);
    let stale: Vec<_> = LONGER.iter().filter(is_stale).collect();
    assert!(
        stale.is_empty(),
        "these are under the limit, take them out of the table: {stale:#?}"
    );
}

#[test]
fn the_lines_of_functions_are_counted_from_head_to_brace() {
    let text = "fn a();\n\nfn one() {}\npub(crate) unsafe fn b(\n    x: u8,\n) -> u8 {\n    x\n}\n\nimpl A {\n    fn c() {\n    }\n}\n";
    assert_eq!(functions(text), [("b".to_string(), 5), ("c".to_string(), 2)]);
}
