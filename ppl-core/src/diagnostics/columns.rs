//! How results print beside tables: columns below each other, the first values or means.

use std::fmt;

use ndarray::ArrayViewD;

use crate::diagnostics::number::significant;
use crate::draws::Draws;

/// Of how many elements means or values are printed.
const MAX_ELEMENTS: usize = 4;

/// Returns how many draws there are.
pub(crate) fn counted(draws: &Draws) -> String {
    match draws.n_chains() {
        1 => format!("{} draws", draws.n_draws()),
        n => format!("{n} chains of {} draws", draws.n_draws()),
    }
}

/// Returns the means of the first elements of `[chain, draw, event…]`; draws that lack the site do not count.
pub(crate) fn means(values: ArrayViewD<'_, f64>) -> String {
    let n_elements: usize = values.shape()[2..].iter().product();
    let mean = |k: usize| {
        let own = values.iter().skip(k).step_by(n_elements).filter(|x| !x.is_nan());
        let (sum, n) = own.fold((0.0, 0usize), |(sum, n), x| (sum + x, n + 1));
        sum / n as f64
    };
    let word = if n_elements == 1 { "mean" } else { "means" };
    format!("{word} {}", listed((0..n_elements).map(mean), n_elements))
}

/// Returns the first of `n` numbers with four digits, and how many more there are.
pub(crate) fn listed(values: impl Iterator<Item = f64>, n: usize) -> String {
    let shown: Vec<String> = values.take(MAX_ELEMENTS).map(significant).collect();
    match n - shown.len() {
        0 => shown.join(", "),
        more => format!("{}, and {more} more", shown.join(", ")),
    }
}

/// Writes lines of three columns below each other, each as wide as it has to be.
pub(crate) fn columns(f: &mut fmt::Formatter<'_>, lines: &[[String; 3]]) -> fmt::Result {
    let width = |k: usize| lines.iter().map(|line| line[k].chars().count()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    for [a, b, c] in lines {
        writeln!(f, "{}", format!("  {a:first$}  {b:second$}  {c}").trim_end())?;
    }
    Ok(())
}
