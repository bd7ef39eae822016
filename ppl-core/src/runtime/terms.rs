//! The one gate through which terms of the log density come onto the tape, and what a run collects of them.

use crate::distributions::Params;
use crate::distributions::erased::AnyDist;
use crate::distributions::noise::Drawn;
use crate::ops::sum::SumTerm;
use crate::ops::where_::where_;
use crate::runtime::context::{Ctx, hold};
use crate::runtime::state::SiteKind;
use crate::tape::op::Op;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::dims::{Dims, union};

/// A term of the log density, before anything is made of it.
pub struct Term<'a, 't> {
    /// The site that it belongs to.
    pub site: u32,
    /// What it is of that site.
    pub part: Part,
    /// What it is multiplied by, beside the scale of the site and the number of rows that each of its rows stands for.
    pub weight: f64,
    /// The scale of the site.
    pub scale: Var<'t>,
    /// Where it counts: numbers of its elements or rows, zero where it does not.
    pub masks: &'a [Var<'t>],
    /// Of a site of which a part is observed, and the rest drawn: where it is observed.
    pub observed: Option<Var<'t>>,
    /// How many rows each of its rows stands for, if not by the plates that it depends on.
    pub multiplicity: Option<f64>,
    /// Its elements.
    pub density: &'a dyn Elements<'t>,
}

/// What a term is of its site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The log density of the site's distribution at its value.
    Density,
    /// What belongs to the coordinates of a latent: a log-determinant, or the density of a standardised value.
    Coordinates,
    /// The log density of a guide, with a negative weight.
    Guide,
    /// Minus the divergence of a guide from the prior, in place of both densities.
    Divergence,
    /// A factor, which belongs to no random choice.
    Factor,
}

impl<'a, 't> Term<'a, 't> {
    /// Returns a term that is neither scaled nor masked.
    pub fn plain(site: u32, part: Part, density: &'a dyn Elements<'t>) -> Self {
        Term {
            site,
            part,
            weight: 1.0,
            scale: Var::constant(1.0),
            masks: &[],
            observed: None,
            multiplicity: None,
            density,
        }
    }
}

/// The elements of a term: of what is to be summed, and by which operation.
pub trait Elements<'t> {
    /// Returns the plates that they depend on.
    fn dims(&self, tape: &'t Tape) -> Dims;

    /// Returns them: one for each element, or for each row if draws are vectors.
    fn each(&self, tape: &'t Tape) -> Var<'t>;

    /// Adds their sum times `weight` to the density of the tape, by a fused operation if there is one.
    fn sum(&self, tape: &'t Tape, weight: f64, site: u32) {
        tape.term(SumTerm::DEF, &[self.each(tape)], &[], 0, weight, site);
    }
}

/// Elements that are on the tape already.
pub struct Computed<'t>(pub Var<'t>);

impl<'t> Elements<'t> for Computed<'t> {
    fn dims(&self, _: &'t Tape) -> Dims {
        self.0.dims()
    }

    fn each(&self, _: &'t Tape) -> Var<'t> {
        self.0
    }
}

/// The log density of a distribution at a value.
pub(crate) struct AtValue<'a, 't>(pub &'a dyn AnyDist<'t>, pub Var<'t>);

impl<'t> Elements<'t> for AtValue<'_, 't> {
    fn dims(&self, tape: &'t Tape) -> Dims {
        dims_of(&self.0.params(tape), self.1)
    }

    fn each(&self, _: &'t Tape) -> Var<'t> {
        self.0.log_prob(self.1)
    }

    fn sum(&self, tape: &'t Tape, weight: f64, site: u32) {
        self.0.log_prob_term(tape, self.1, weight, site);
    }
}

/// The log density of a distribution at a draw of its own.
pub(crate) struct AtOwnDraw<'a, 't>(pub &'a dyn AnyDist<'t>, pub Drawn<'t>);

impl<'t> Elements<'t> for AtOwnDraw<'_, 't> {
    fn dims(&self, tape: &'t Tape) -> Dims {
        dims_of(&self.0.params(tape), self.1.value)
    }

    fn each(&self, _: &'t Tape) -> Var<'t> {
        self.0.drawn_log_prob(self.1)
    }

    fn sum(&self, tape: &'t Tape, weight: f64, site: u32) {
        self.0.drawn_term(tape, self.1, weight, site);
    }
}

/// The log density of the standardised value of a noncentered site.
pub(crate) struct AtStandard<'a, 't>(pub &'a dyn AnyDist<'t>, pub Var<'t>);

impl<'t> Elements<'t> for AtStandard<'_, 't> {
    fn dims(&self, _: &'t Tape) -> Dims {
        self.1.dims()
    }

    fn each(&self, _: &'t Tape) -> Var<'t> {
        unreachable!("a noncentered site is neither masked nor are its standardised rows collected")
    }

    fn sum(&self, tape: &'t Tape, weight: f64, site: u32) {
        self.0.standard_term(tape, self.1, weight, site);
    }
}

fn dims_of<'t>(params: &Params<'t>, value: Var<'t>) -> Dims {
    params.iter().fold(value.dims(), |dims, p| union(&dims, &p.1.dims()))
}

/// What a run makes of the terms of the log density.
pub trait Collector {
    /// Takes a term in.
    fn take<'t>(&self, ctx: Ctx<'t>, term: &Term<'_, 't>);
}

/// The log density: all terms, each with its weight.
pub struct Density;

impl Collector for Density {
    fn take<'t>(&self, ctx: Ctx<'t>, term: &Term<'_, 't>) {
        let tape = ctx.tape();
        let constant = term.scale.as_constant();
        let weight = term.weight * constant.unwrap_or(1.0);
        let multiplicity = |dims: &Dims| term.multiplicity.unwrap_or_else(|| ctx.multiplicity(dims));
        if term.masks.is_empty() && constant.is_some() {
            let weight = weight * multiplicity(&term.density.dims(tape));
            return term.density.sum(tape, weight, term.site);
        }
        let mut each = masked(term.density.each(tape), term.masks);
        if constant.is_none() {
            each *= term.scale;
        }
        let weight = weight * multiplicity(&each.dims());
        tape.term(SumTerm::DEF, &[each], &[], 0, weight, term.site);
    }
}

/// The log densities of sites, row by row, neither scaled nor weighted: a number for each row of the plates, summed over the
/// events, NaN where nothing of it counts. They are kept with the sites; the tape gets no terms.
pub struct Rows {
    /// Whether those of observed sites are wanted, in place of those of latents.
    pub of_observed: bool,
}

impl Collector for Rows {
    fn take<'t>(&self, ctx: Ctx<'t>, term: &Term<'_, 't>) {
        let kind = ctx.state().sites[term.site as usize].kind;
        let is_observed = kind == SiteKind::Observed || term.observed.is_some();
        if term.part != Part::Density || is_observed != self.of_observed {
            return;
        }
        let tape = ctx.tape();
        let each = tape.lift(term.density.each(tape));
        let masks: Vec<Var<'t>> = term.masks.iter().copied().chain(term.observed).collect();
        let mut rows = summed(masked(each, &masks));
        if !masks.is_empty() {
            let event = each.event_shape();
            let ones = tape.constant_array(&event, std::iter::repeat_n(1.0, event.iter().product()));
            rows = where_(summed(masked(ones, &masks)).gt(0.0), rows, f64::NAN);
        }
        let rows = hold(ctx.stored(rows));
        ctx.state().sites[term.site as usize].log_prob = Some(rows);
    }
}

/// Returns elements, zero where a mask is.
pub(crate) fn masked<'t>(each: Var<'t>, masks: &[Var<'t>]) -> Var<'t> {
    let masked = |each, &mask: &Var<'t>| where_(mask, each, Var::constant(0.0));
    masks.iter().fold(each, masked)
}

/// Returns the sum over all axes of events.
fn summed(each: Var<'_>) -> Var<'_> {
    let n_axes = each.event_shape().len();
    (0..n_axes).rev().fold(each, |x, axis| x.sum_axis(axis))
}

impl<'t> Ctx<'t> {
    /// Hands a term to what the run collects.
    pub(crate) fn term(self, term: &Term<'_, 't>) {
        let collector = std::rc::Rc::clone(&self.state().collector);
        collector.take(self, term);
    }
}
