//! Bad input gives an error that names what is at fault: no panic, no abort, no hang, no silence.
//!
//! The tables hold one bad input a line: what is given, and words that the error must contain. [`danger`] holds those that
//! could end or stop the process, and runs each in a process of its own.

mod danger;
mod files;
mod handlers;
mod networks;
mod plates;
mod settings;
mod shapes;
mod sites;
mod table;
mod values;

/// The number of bad inputs that the tables hold at least.
const AT_LEAST: usize = 200;

#[test]
fn the_tables_hold_many_bad_inputs_and_each_name_once() {
    let sources = [
        include_str!("danger.rs"),
        include_str!("files.rs"),
        include_str!("handlers.rs"),
        include_str!("networks.rs"),
        include_str!("plates.rs"),
        include_str!("settings.rs"),
        include_str!("shapes.rs"),
        include_str!("values.rs"),
    ];
    let names = sources.iter().flat_map(|source| table::names(source));
    let mut names: Vec<&str> = names.collect();
    let n = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), n, "a name stands twice");
    assert!(n >= AT_LEAST, "{n} bad inputs");
}
