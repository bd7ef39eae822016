//! The words of the modelling language, as functions that carry their documentation; the macros give them their meaning.

use crate::tape::var::{Ix, Var};

/// A bound that is never met: the words have a meaning inside a model only.
#[diagnostic::on_unimplemented(
    message = "`sample`, `observe`, `param`, `plate`, `markov`, `track` and `factor` have a meaning only inside a `#[model]` or `#[guide]`",
    label = "this is no part of a model",
    note = "move it into the body of a function marked `#[model]`, and out of macros whose arguments are no expressions"
)]
pub trait InsideModel {}

/// Draws a latent site, named after its binding: `let mu = sample(Normal(0, 5));`.
///
/// `sample("mu", Normal(0, 5))` names it explicitly; `sample("y", D, obs = y)` observes. A model or a random module in
/// place of the distribution is drawn with the site's name as a prefix.
pub fn sample<D: InsideModel>(_distribution: D) -> Var<'static> {
    outside("sample")
}

/// Observes data under a distribution: `observe(y[i], Normal(mu, 1))`; the name is that of the data.
///
/// `observe("y", x, D)` names the site explicitly. Where the data are missing it draws in their place.
pub fn observe<Y, D: InsideModel>(_data: Y, _distribution: D) -> Var<'static> {
    outside("observe")
}

/// Declares a learnable point value: `param(0.0)`, `param(1.0, Positive)`, `param("loc", 0.0, Real)`.
///
/// Inside a plate there is one for each element. Without a name it is called after its binding, or after the site in
/// whose distribution it stands: `mu.0`, `mu.1`.
pub fn param<T: InsideModel>(_init: T) -> Var<'static> {
    outside("param")
}

/// Runs a loop over independent rows: `for i in plate(x) { … }`, `plate("data", n)`, `plate(x, batch = 256)`.
///
/// The body is run once and stands for all rows; the loop's value is its last expression with the rows as first axis.
/// `batch` works on random subsets, `total` gives the number of rows that the data are a part of. `.each()` is an ordinary loop.
pub fn plate<T: InsideModel>(_rows: T) -> Rows {
    outside("plate")
}

/// Runs a loop whose steps depend on the step before: `for t in markov(y) { … }`; `t` is a `usize`.
pub fn markov<T: InsideModel>(_steps: T) -> Rows {
    outside("markov")
}

/// Keeps a deterministic value with the draws: `track(spread, theta.max() - theta.min())`.
pub fn track<N, T: InsideModel>(_name: N, _value: T) {
    outside("track")
}

/// Adds a term to the log density: `factor(-penalty)`.
pub fn factor<T: InsideModel>(_term: T) {
    outside("factor")
}

/// The range of a `plate` or `markov` loop.
#[derive(Debug)]
pub struct Rows(());

impl Rows {
    /// Runs the body for each row in turn, with a `usize` as index.
    pub fn each(self) -> std::ops::Range<usize> {
        0..0
    }
}

impl Iterator for Rows {
    type Item = Ix<'static>;

    fn next(&mut self) -> Option<Self::Item> {
        None
    }
}

fn outside(word: &str) -> ! {
    unreachable!("`{word}` stands outside of a model, where its bound lets nothing compile")
}
