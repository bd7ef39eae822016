//! What the runtime asks of a distribution.

use smallvec::SmallVec;

use crate::distributions::family::Family;
use crate::distributions::noise::{Drawn, Noise};
use crate::distributions::support::Support;
use crate::ops::sum::SumTerm;
use crate::tape::op::Op;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;

/// The parameters of a distribution with their names, in the order of its constructor.
pub type Params<'t> = SmallVec<[(&'static str, Var<'t>); 4]>;

/// Returns KL(p ‖ q) of p, given by its parameters, to q, given by its name and parameters, for each element or row, or
/// `None` where no closed form is known.
pub type Kl = for<'t> fn(tape: &'t Tape, p: &Params<'t>, q_name: &str, q: &Params<'t>) -> Option<Var<'t>>;

/// What methods such as `.mask(m)` and `.noncentered()` changed about a site.
#[derive(Clone, Copy, Debug, Default)]
pub struct Modifiers<'t> {
    /// Rows whose density counts: zero or one for each.
    pub mask: Option<Var<'t>>,
    /// A factor of the log density.
    pub scale: Option<Var<'t>>,
    /// Whether the site is to be summed out.
    pub enumerate: bool,
    /// Whether the latent is the standardised value.
    pub noncentered: bool,
}

/// A distribution over values on a tape.
///
/// A site's event may have more axes than one draw of the distribution: then its elements (or its rows, for a distribution
/// over vectors) are independent, and parameters broadcast against them.
pub trait Dist<'t>: Family + Sized {
    /// The name, as its constructor is called.
    const NAME: &'static str;

    /// Whether draws have derivatives by the parameters.
    const REPARAMETERISED: bool;

    /// Whether the density integrates to one; otherwise there are no draws, and [`Dist::draw`] leaves an error on the tape.
    const IS_PROPER: bool = true;

    /// The number of axes of one draw: 0 for numbers, 1 for vectors, 2 for matrices.
    const EVENT_RANK: usize = 0;

    /// The Kullback–Leibler divergence from this distribution to others, where closed forms are known.
    const KL: Option<Kl> = None;

    /// Puts parameters that are arrays onto `tape`, which the runtime asks for before all else: what a distribution does not
    /// put there once is recorded anew by each method that reads it.
    fn put_on(&mut self, _tape: &'t Tape) {}

    /// Returns the parameters on `tape`.
    fn params(&self, tape: &'t Tape) -> Params<'t>;

    /// Returns the set of the values.
    fn support(&self, tape: &'t Tape) -> Support<'t>;

    /// Returns the shape of one draw, all parameters broadcast.
    fn event_shape(&self) -> Shape;

    /// Returns the log density at `x`: for each element, or for each row if draws are vectors.
    ///
    /// It is −∞ outside of the support and NaN for parameters that are not allowed.
    fn log_prob(&self, x: Var<'t>) -> Var<'t>;

    /// Adds the sum of the log density over all elements of `x`, times `weight`, to the density of the tape.
    fn log_prob_term(&self, tape: &'t Tape, x: Var<'t>, weight: f64, site: u32) {
        tape.term(SumTerm::DEF, &[self.log_prob(x)], &[], 0, weight, site);
    }

    /// Records a fresh draw, with derivatives by the parameters where [`Dist::REPARAMETERISED`] says so.
    fn draw(&self, at: &Noise<'t>) -> Var<'t>;

    /// Records a fresh draw with the noise that it is a function of, given the parameters.
    ///
    /// A distribution whose draws have no derivatives is its own noise.
    fn drawn(&self, at: &Noise<'t>) -> Drawn<'t> {
        let value = self.draw(at);
        Drawn { value, noise: value }
    }

    /// Returns the log density at a draw of this distribution, for each element or row, as a function of its noise and the
    /// parameters.
    ///
    /// For a draw x = g(ε, θ) it is log p(ε) − ln |∂g/∂ε|: the same number as [`Dist::log_prob`] at x, with the same total
    /// derivative by the parameters, that through x included. But here what the way through x and the direct one have in
    /// common has cancelled before it is computed. At x itself it cancels in rounding errors, which, where a scale gets
    /// small, are larger than the derivative.
    fn drawn_log_prob(&self, drawn: Drawn<'t>) -> Var<'t> {
        self.log_prob(drawn.value)
    }

    /// Adds the sum of [`Dist::drawn_log_prob`] over all elements, times `weight`, to the density of the tape.
    fn drawn_term(&self, tape: &'t Tape, drawn: Drawn<'t>, weight: f64, site: u32) {
        tape.term(SumTerm::DEF, &[self.drawn_log_prob(drawn)], &[], 0, weight, site);
    }

    /// Returns the mean; NaN where there is none.
    fn mean(&self, tape: &'t Tape) -> Var<'t>;

    /// Returns the variance, elementwise; NaN where there is none, +∞ where it is infinite.
    fn variance(&self, tape: &'t Tape) -> Var<'t>;

    /// Returns what methods changed about the site.
    fn modifiers(&self) -> Modifiers<'t> {
        Modifiers::default()
    }

    /// Returns the value that the standardised value `z` stands for, and the standard distribution's name, or `None` if the
    /// distribution is no location-scale family. Used where [`Modifiers::noncentered`] is set.
    #[allow(clippy::wrong_self_convention)]
    fn from_standard(&self, _tape: &'t Tape, _z: Var<'t>) -> Option<Var<'t>> {
        None
    }

    /// Adds the log density of the standardised value, as [`Dist::log_prob_term`] does.
    ///
    /// # Panics
    ///
    /// If the distribution has no standardised form.
    fn standard_term(&self, _tape: &'t Tape, _z: Var<'t>, _weight: f64, _site: u32) {
        panic!("`{}` has no standardised form", Self::NAME)
    }
}
