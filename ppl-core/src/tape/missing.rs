//! Missing observations: values that stand for what `observe` will draw, as a whole or for some of their elements.

use std::collections::BTreeSet;

use smallvec::SmallVec;

use crate::error::Error;
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
        let (number, mut way) = self.records().way_of(x.node());
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
        (number, way)
    }

    /// Keeps what was drawn for a missing observation, or in place of what is missing of one, so that reading it finds it.
    pub fn fill_missing<'t>(&'t self, missing: Var<'t>, drawn: Var<'t>) {
        let drawn = self.lift(drawn);
        let mut r = self.records.borrow_mut();
        let key = r.way_of(missing.node());
        r.drawn.insert(key, drawn.node());
    }

    /// Returns what was drawn for a missing observation, or the value itself.
    pub(crate) fn filled<'t>(&'t self, x: Var<'t>) -> Var<'t> {
        let r = self.records();
        if r.drawn.is_empty() || x.tape().is_none() {
            return x;
        }
        let is_part = r.partly.contains_key(&x.node()) || r.nodes[x.node() as usize].def.role == Role::Missing;
        if !is_part {
            return x;
        }
        let key = r.way_of(x.node());
        r.drawn.get(&key).map_or(x, |&node| Var::on(self, node))
    }

    /// Notes that NaN in this value stands for what is missing.
    pub fn mark_partly(&self, x: Var<'_>) {
        let mut r = self.records.borrow_mut();
        let number = r.n_missing;
        r.n_missing += 1;
        r.partly.insert(x.node(), (number, Way::new()));
    }

    /// Returns the number of the partly missing observation that a value is an element of, if it is one.
    pub fn partly(&self, x: Var<'_>) -> Option<u64> {
        let r = self.records();
        let has_any = !r.partly.is_empty() && x.tape().is_some();
        has_any
            .then(|| r.partly.get(&x.node()).map(|(number, _)| *number))
            .flatten()
    }

    /// Returns a partly missing value as the plain numbers that it is: NaN where one is missing.
    pub fn unmarked<'t>(&'t self, x: Var<'t>) -> Var<'t> {
        self.alias_unread(x, &x.dims(), &x.event_shape())
    }

    /// Returns the element of a partly missing observation: what was drawn for it, or what `pick` picks.
    #[track_caller]
    pub(crate) fn index_partly<'t>(&'t self, x: Var<'t>, step: Step, pick: impl FnOnce(Var<'t>) -> Var<'t>) -> Var<'t> {
        let key = self.way_to(x, step);
        if let Some(&node) = self.records().drawn.get(&key) {
            return Var::on(self, node);
        }
        let picked = pick(self.unmarked(x));
        if picked.tape().is_some() {
            self.records.borrow_mut().partly.insert(picked.node(), key);
        }
        picked
    }

    /// Returns what is read of `x`: what was drawn where something was missing.
    ///
    /// Reading what is missing is an error on the tape.
    pub(crate) fn read<'t>(&'t self, x: Var<'t>) -> Var<'t> {
        if self.records().n_missing == 0 {
            return x;
        }
        let x = self.filled(x);
        if self.is_missing(x) {
            let whole = self.records().way_of(x.node()).0;
            let message = format!(
                "{} is missing, and it is read before `observe` has drawn it",
                self.observation(whole)
            );
            self.records.borrow_mut().is_unread = true;
            return self.fail(Error::Invalid(message));
        }
        if let Some(number) = self.partly(x)
            && self.elements_of(x.node()).iter().any(|x| x.is_nan())
        {
            self.records.borrow_mut().read_missing.insert(number);
            let message = format!(
                "an element of {} is missing, and it is read before `observe` has drawn it",
                self.observation(number)
            );
            self.records.borrow_mut().is_unread = true;
            return self.fail(Error::Invalid(message));
        }
        x
    }

    /// Returns how a missing or partly missing observation is called in messages: by its argument, if that has a name.
    fn observation(&self, number: u64) -> String {
        let r = self.records();
        let is_missing = |node: u32| r.partly.contains_key(&node) || r.nodes[node as usize].def.role == Role::Missing;
        let is_whole = |&&(node, _): &&(u32, &str)| is_missing(node) && r.way_of(node).0 == number;
        let name = r.names.iter().find(is_whole);
        name.map_or_else(|| "an observation".to_string(), |(_, name)| format!("`{name}`"))
    }

    /// Returns the partly missing observations of which something was read that is missing.
    pub(crate) fn read_missing(&self) -> BTreeSet<u64> {
        self.records().read_missing.clone()
    }
}
