//! Every diagnostic of stored chains, as JSON: `cargo run --release --example diagnose -- CHAINS.json`.
//!
//! CHAINS.json is `{"name": [[draws of chain 1], [draws of chain 2]], …}`. A draw is a number, or a nested list of numbers, each
//! of which is a scalar with the label `name[0]` or `name[0, 1]`. `NaN` is refused with its place; `Infinity` and `-Infinity`
//! are not, but the scalar has a warning. For each scalar the output has mean, standard deviation and quantiles, their Monte
//! Carlo errors `mcse_…` and effective sample sizes `ess_…`, `rhat`, and in words what may be wrong. Where nothing can be said,
//! a figure is `null`; infinite ones are texts. Options name variables that are no latents.

mod chains;
mod statistics;

use std::error::Error;
use std::io::{Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use statistics::Wanted;

/// Prints every diagnostic of stored chains as JSON.
#[derive(Parser)]
struct Options {
    /// The chains.
    chains: PathBuf,
    #[command(flatten)]
    wanted: Wanted,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(Options { chains, wanted }: &Options) -> Result<(), Box<dyn Error>> {
    let text = std::fs::read_to_string(chains).map_err(|e| format!("{}: {e}", chains.display()))?;
    let variables = chains::read(&text).map_err(|e| format!("{}: {e}", chains.display()))?;
    let figures = statistics::all(&variables, wanted)?;
    Ok(writeln!(stdout(), "{figures:#}")?)
}
