//! Missing observations: values that stand for what `observe` will draw.

use smallvec::SmallVec;

use crate::tape::leaves;
use crate::tape::op::{Op, Role};
use crate::tape::record::Tape;
use crate::tape::records::Way;
use crate::tape::var::Var;
use crate::tensor::dims::DimId;
use crate::tensor::shape::size;

/// One index of a missing observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// An element along the first axis.
    Element(usize),
    /// The element of each row of a plate.
    Rows(DimId),
    /// The elements from one on, to another where that is known.
    Range(usize, Option<usize>),
}

const ROWS: u64 = 1 << 62;
const RANGE: u64 = 1 << 63;
const OPEN: u64 = (1 << 31) - 1;

impl Step {
    fn code(self) -> u64 {
        match self {
            Step::Element(i) => i as u64,
            Step::Rows(dim) => ROWS | dim as u64,
            Step::Range(start, end) => RANGE | (start as u64) << 31 | end.map_or(OPEN, |end| (end as u64).min(OPEN)),
        }
    }

    /// Returns where a range starts.
    fn start(code: u64) -> Option<usize> {
        (code & RANGE != 0).then_some(((code & !RANGE) >> 31) as usize)
    }
}

impl Tape {
    /// Returns a value that stands for a missing observation, of a known shape or of none.
    pub fn missing(&self, shape: Option<&[usize]>) -> Var<'_> {
        let number = self.records().n_missing;
        self.records.borrow_mut().n_missing += 1;
        self.missing_part(number, &[], shape.unwrap_or(&[]), shape.is_some())
    }

    fn missing_part(&self, number: u64, way: &[u64], event: &[usize], has_shape: bool) -> Var<'_> {
        let mut r = self.records.borrow_mut();
        if let Some(error) = r.make_room(leaves::Missing::DEF, &[], event, 0) {
            r.error.get_or_insert(error);
            return Var::constant(f64::NAN);
        }
        let mut attrs: SmallVec<[u64; 4]> = SmallVec::from_slice(&[number, has_shape as u64]);
        attrs.extend_from_slice(way);
        let n = size(event);
        let node = r.leaf(
            leaves::Missing::DEF,
            &attrs,
            &[],
            event,
            std::iter::repeat_n(f64::NAN, n),
            0,
        );
        Var::on(self, node)
    }

    /// Returns whether `x` stands for a missing observation, or a part of one, that nothing was drawn for.
    pub fn is_missing(&self, x: Var<'_>) -> bool {
        x.tape().is_some() && self.records().nodes[x.node() as usize].def.role == Role::Missing
    }

    /// Returns whether `x` is missing and has no shape either.
    pub fn is_shapeless(&self, x: Var<'_>) -> bool {
        self.is_missing(x) && self.records().attrs(x.node())[1] == 0
    }

    /// Returns a part of a missing observation: what was drawn for it, or another missing value.
    pub fn index_missing<'t>(&'t self, x: Var<'t>, step: Step) -> Var<'t> {
        let (number, way) = self.way_to(x, step);
        if let Some(&node) = self.records().drawn.get(&(number, way.clone())) {
            return Var::on(self, node);
        }
        let mut event = x.event_shape();
        let has_shape = match (step, event.first_mut()) {
            (Step::Range(start, end), Some(n)) => {
                *n = end.unwrap_or(*n).saturating_sub(start);
                true
            }
            (_, Some(_)) => {
                event.remove(0);
                true
            }
            (_, None) => false,
        };
        self.missing_part(number, &way, &event, has_shape)
    }

    /// Returns the observation that `x` is a part of and the way to a part of `x`; an index behind a range counts from its
    /// start.
    fn way_to(&self, x: Var<'_>, step: Step) -> (u64, Way) {
        let r = self.records();
        let attrs = r.attrs(x.node());
        let mut way = Way::from_slice(&attrs[2..]);
        let start = way.last().and_then(|&code| Step::start(code));
        let step = match (start, step) {
            (Some(start), Step::Element(i)) => {
                way.pop();
                Step::Element(start + i)
            }
            (Some(start), Step::Range(from, to)) => {
                way.pop();
                Step::Range(start + from, to.map(|to| start + to))
            }
            (_, step) => step,
        };
        way.push(step.code());
        (attrs[0], way)
    }

    /// Keeps what was drawn for a missing observation, so that reading the part finds it.
    pub fn fill_missing<'t>(&'t self, missing: Var<'t>, drawn: Var<'t>) {
        let drawn = self.lift(drawn);
        let mut r = self.records.borrow_mut();
        let attrs = r.attrs(missing.node());
        let key = (attrs[0], Way::from_slice(&attrs[2..]));
        r.drawn.insert(key, drawn.node());
    }
}
