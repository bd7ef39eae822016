//! Circles: files of a crate that import each other, directly or through others.

use std::collections::{BTreeMap, BTreeSet};

use crate::{files, shipped};

/// The circles that may stay, each with the reason. An entry is the files of one circle; when it is opened, the entry goes.
const ALLOWED: &[(&str, &[&str])] = &[
    (
        "a row is warned about as it is made",
        &["ppl-core/src/diagnostics/summary", "ppl-core/src/diagnostics/warning"],
    ),
    (
        "each is the other at one value of its parameters, and the divergence between them is one function",
        &[
            "ppl-core/src/distributions/exponential",
            "ppl-core/src/distributions/gamma",
        ],
    ),
    (
        "one state with its methods in several files: to be rebuilt with the objectives",
        &[
            "ppl-core/src/inference/svi/advance",
            "ppl-core/src/inference/svi/config",
            "ppl-core/src/inference/svi/state",
            "ppl-core/src/inference/svi/stream",
        ],
    ),
    (
        "the trait that a density is written with, and the loops over it that the trait's users call",
        &[
            "ppl-core/src/kernels/density",
            "ppl-core/src/kernels/density/chunk",
            "ppl-core/src/kernels/density/passes",
        ],
    ),
    (
        "a scalar has elementary functions, which are polynomials in vectors of that scalar",
        &[
            "ppl-core/src/kernels/poly/erf",
            "ppl-core/src/kernels/poly/exp",
            "ppl-core/src/kernels/poly/float",
            "ppl-core/src/kernels/poly/ln",
            "ppl-core/src/kernels/poly/logistic",
            "ppl-core/src/kernels/poly/trig",
            "ppl-core/src/kernels/random/words",
            "ppl-core/src/kernels/real",
            "ppl-core/src/kernels/simd/lanes",
            "ppl-core/src/kernels/simd/vector",
        ],
    ),
    (
        "a repetition refuses too many axes as all operations refuse shapes, which begin with a repetition",
        &["ppl-core/src/ops/align", "ppl-core/src/ops/broadcast"],
    ),
    (
        "a sum looks whether an operand is a product, and the sum with a product is made of both",
        &["ppl-core/src/ops/arithmetic", "ppl-core/src/ops/mul_add"],
    ),
    (
        "an elementwise operation repeats single numbers, and a repetition is elementwise",
        &["ppl-core/src/ops/elementwise", "ppl-core/src/ops/repeat"],
    ),
    (
        "a model runs in a context, whose state has the source of latents and the collector of terms, which see the context",
        &[
            "ppl-core/src/runtime/context",
            "ppl-core/src/runtime/model",
            "ppl-core/src/runtime/source",
            "ppl-core/src/runtime/state",
            "ppl-core/src/runtime/terms",
        ],
    ),
    (
        "a value knows its tape, which hands out values",
        &["ppl-core/src/tape/record", "ppl-core/src/tape/var"],
    ),
];

/// The files of a crate by module path, such as `ops::align`, with what each mod.rs hands on from the files beside it.
struct House {
    texts: BTreeMap<String, String>,
    handed_on: BTreeMap<String, String>,
}

impl House {
    fn of(source: &str) -> House {
        let mut texts = BTreeMap::new();
        for (path, text) in files(source, &["rs"]) {
            let module = path[source.len() + 1..]
                .trim_end_matches(".rs")
                .trim_end_matches("/mod");
            texts.insert(module.replace('/', "::"), text);
        }
        let mut house = House {
            texts,
            handed_on: BTreeMap::new(),
        };
        let modules: Vec<String> = house.texts.keys().cloned().collect();
        for module in modules {
            for path in paths(&house.texts[&module], "use ") {
                let target = format!("{module}::{}", path.trim_start_matches("self::"));
                if let Some(file) = house.file_of(&target).filter(|file| *file != module) {
                    let name = path.rsplit("::").next().unwrap_or_default();
                    house.handed_on.insert(format!("{module}::{name}"), file);
                }
            }
        }
        house
    }

    /// Returns the module of the file that a path leads to.
    fn file_of(&self, path: &str) -> Option<String> {
        let mut path = path;
        loop {
            if let Some(file) = self.handed_on.get(path) {
                return Some(file.clone());
            }
            if self.texts.contains_key(path) {
                return Some(path.to_string());
            }
            path = &path[..path.rfind("::")?];
        }
    }

    /// Returns for each file the files that it imports from.
    fn arrows(&self) -> BTreeMap<String, BTreeSet<String>> {
        let arrows = self.texts.iter().map(|(module, text)| {
            let lines: Vec<&str> = shipped(text).map(|(_, line)| line).collect();
            let text = lines.join("\n");
            let parent = module.rfind("::").map_or("", |at| &module[..at]);
            let mut absolute = paths(&text, "crate::");
            // What is taken from a module that was imported as a whole.
            for whole in absolute
                .clone()
                .into_iter()
                .filter(|path| self.texts.contains_key(path))
            {
                let name = whole.rsplit("::").next().unwrap_or_default();
                let inner = paths(&text, &format!("{name}::"));
                absolute.extend(inner.into_iter().map(|path| format!("{whole}::{path}")));
            }
            let relative = paths(&text, "super::")
                .into_iter()
                .map(|path| format!("{parent}::{path}"));
            // What a mod.rs takes from the files beside it for itself, not to hand it on.
            let inner = paths(&text, "\nuse ")
                .into_iter()
                .map(|path| format!("{module}::{path}"));
            let targets = absolute.into_iter().chain(relative).chain(inner);
            let targets = targets.filter_map(|path| self.file_of(path.trim_start_matches("::")));
            (module.clone(), targets.filter(|target| target != module).collect())
        });
        arrows.collect()
    }
}

/// Returns the paths that follow each occurrence of `prefix`, with groups in braces written out.
fn paths(text: &str, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(prefix) {
        let is_inner = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '$');
        if !is_inner || text[..at].ends_with("$") {
            write_out("", &text[at + prefix.len()..], &mut found);
        }
    }
    found
}

/// Writes out one path, which may end with a group, and returns how long it is.
fn write_out(before: &str, text: &str, found: &mut Vec<String>) -> usize {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let end = text.find(|c| !is_path(c)).unwrap_or(text.len());
    let path = format!("{before}{}", &text[..end]);
    if !text[end..].starts_with('{') {
        found.push(path.trim_end_matches(':').to_string());
        return end;
    }
    let mut at = end + 1;
    while at < text.len() && !text[at..].starts_with('}') {
        let rest = &text[at..];
        let step = rest.chars().next().map_or(1, char::len_utf8);
        at += if rest.starts_with(is_path) {
            write_out(&path, rest, found)
        } else {
            step
        };
    }
    at + 1
}

/// Returns the files that each file reaches.
fn reached(arrows: &BTreeMap<String, BTreeSet<String>>) -> BTreeMap<&str, BTreeSet<&str>> {
    let reach = |from: &'_ str| {
        let (mut open, mut seen) = (vec![from.to_string()], BTreeSet::new());
        while let Some(file) = open.pop() {
            for (target, _) in arrows[&file].iter().filter_map(|t| arrows.get_key_value(t)) {
                if seen.insert(target.as_str()) {
                    open.push(target.clone());
                }
            }
        }
        seen
    };
    arrows.keys().map(|file| (file.as_str(), reach(file))).collect()
}

/// Returns the circles: sets of files of which each reaches each.
fn circles(source: &str) -> BTreeSet<Vec<String>> {
    let arrows = House::of(source).arrows();
    let reached = reached(&arrows);
    let is_circle = |file: &&&str| reached[**file].contains(**file);
    let members = |file: &str| {
        let both = reached[file].iter().filter(|other| reached[**other].contains(file));
        both.map(|other| format!("{source}/{}", other.replace("::", "/")))
            .collect()
    };
    reached.keys().filter(is_circle).map(|file| members(file)).collect()
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut allowed: BTreeMap<Vec<String>, bool> = BTreeMap::new();
    for (_, files) in ALLOWED {
        allowed.insert(files.iter().map(ToString::to_string).collect(), false);
    }
    let mut unknown = Vec::new();
    for source in ["ppl-core/src", "ppl-nn/src", "ppl-macros/src"] {
        for circle in circles(source) {
            match allowed.get_mut(&circle) {
                Some(is_met) => *is_met = true,
                None => unknown.push(circle),
            }
        }
    }
    assert!(
        unknown.is_empty(),
        "files that import each other in a circle: {unknown:#?}"
    );
    let gone: Vec<_> = allowed
        .iter()
        .filter(|(_, is_met)| !**is_met)
        .map(|(files, _)| files)
        .collect();
    assert!(
        gone.is_empty(),
        "these circles are gone or smaller, take them out of the table: {gone:#?}"
    );
}

#[test]
fn groups_of_imports_are_written_out() {
    let text = "use crate::{a::B, c::{D, e::F}};\nfn f() -> crate::g::H<$crate::i::J> {}";
    assert_eq!(paths(text, "crate::"), ["a::B", "c::D", "c::e::F", "g::H", "i::J"]);
}
