//! Recording: a node is computed when it is put onto the tape.

use std::cell::RefCell;

use smallvec::SmallVec;

use crate::error::{Error, Place};
use crate::rng::Key;
use crate::tape::leaves;
use crate::tape::op::{Op, OpDef, Role};
use crate::tape::records::{Node, Records, SMALL, Term, depends};
use crate::tape::refusal;
use crate::tape::store::{Buffer, Precision};
use crate::tape::var::Var;
use crate::tensor::dims::{Dim, DimId, Dims};
use crate::tensor::room::room;
use crate::tensor::shape::{Shape, size};

/// A recording: operations with their values.
#[derive(Debug)]
pub struct Tape {
    pub(super) records: RefCell<Records>,
    precision: Precision,
    key: Key,
    /// Handles that were lent out by reference: made by [`Tape::hold`], freed with the tape, and read by nobody here.
    held: RefCell<Vec<*mut Var<'static>>>,
}

impl Tape {
    /// Returns an empty tape; random operations draw from `key`.
    pub fn new(precision: Precision, key: Key) -> Self {
        Tape {
            records: RefCell::new(Records::new(precision)),
            precision,
            key,
            held: RefCell::new(Vec::new()),
        }
    }

    /// Returns the precision of all values.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Returns the random key of this recording.
    pub fn key(&self) -> Key {
        self.key
    }

    /// Returns what was recorded.
    pub fn records(&self) -> std::cell::Ref<'_, Records> {
        self.records.borrow()
    }

    /// Returns the sum of the terms, each times its weight: the log density at recording.
    pub fn log_density(&self) -> f64 {
        self.records().terms.iter().map(|t| t.weight * t.value).sum()
    }

    /// Multiplies the weights of all terms, as for the loss −ELBO.
    pub fn scale_terms(&self, factor: f64) {
        self.records
            .borrow_mut()
            .terms
            .iter_mut()
            .for_each(|t| t.weight *= factor);
    }

    /// Returns whether a value was read out of the tape, so that a replay could take another path.
    pub fn is_tainted(&self) -> bool {
        self.records().tainted != 0
    }

    /// Returns whether a value that changes with the random key was read, so that another draw could take another path.
    pub fn is_tainted_by_noise(&self) -> bool {
        self.records().tainted & depends::NOISE != 0
    }

    /// Returns where the first value was read out of the tape.
    pub fn tainted_at(&self) -> Option<Place> {
        self.records().tainted_at
    }

    /// Marks the recording: a replay could take another path at `place` than this one did.
    pub fn taint(&self, place: Place) {
        self.records.borrow_mut().taint(u8::MAX, place);
    }

    /// Lends a handle by reference, as indexing must.
    pub fn hold<'t>(&'t self, x: Var<'t>) -> &'t Var<'t> {
        let handle: *mut Var<'t> = Box::into_raw(Box::new(x));
        self.held.borrow_mut().push(handle.cast());
        // SAFETY: the pointer comes from a box, is never written through, and is freed only when the tape is dropped, which
        // needs that no borrow of 't is left. The list keeps the pointer, not a box, so that no move of an owner ends the
        // right to read through it.
        unsafe { &*handle }
    }

    /// Keeps the first error and returns NaN.
    pub fn fail(&self, error: Error) -> Var<'_> {
        let slot = &mut self.records.borrow_mut().error;
        slot.get_or_insert(error);
        Var::constant(f64::NAN)
    }

    /// Takes the error that an operation left, if any.
    pub fn take_error(&self) -> Option<Error> {
        let mut r = self.records.borrow_mut();
        r.is_unread = false;
        r.error.take()
    }

    /// Records a slot of the vector of inputs at `offset`, with its present values.
    pub fn input(&self, offset: usize, dims: &[DimId], event: &[usize], values: &[f64], discrete: bool) -> Var<'_> {
        let def = if discrete {
            leaves::DiscreteInput::DEF
        } else {
            leaves::Input::DEF
        };
        let depends = if discrete {
            depends::THETA
        } else {
            depends::THETA | depends::GRAD
        };
        let mut r = self.records.borrow_mut();
        if let Some(error) = r.make_room(def, dims, event, 0) {
            r.error.get_or_insert(error);
            return Var::constant(f64::NAN);
        }
        r.n_inputs = r.n_inputs.max(offset + values.len());
        let node = r.leaf(def, &[offset as u64], dims, event, values.iter().copied(), depends);
        Var::on(self, node)
    }

    /// Records a data slot with its present values, which `write` puts into the buffer.
    pub fn data(&self, event: &[usize], write: impl FnOnce(Buffer<'_>)) -> Var<'_> {
        let mut r = self.records.borrow_mut();
        let slot = r.slots.len();
        if let Some(error) = r.make_room(leaves::Data::DEF, &[], event, 0) {
            r.error.get_or_insert(error);
            let node = r.leaf(leaves::Constant::DEF, &[], &[], &[], std::iter::once(f64::NAN), 0);
            r.slots.push(node);
            return Var::constant(f64::NAN);
        }
        let node = r.push(leaves::Data::DEF, &[], &[slot as u64], &[], event, 0);
        let n = &mut r.nodes[node as usize];
        n.depends = depends::DATA;
        let range = n.offset as usize..(n.offset + n.len) as usize;
        write(r.store.range_mut(range));
        r.slots.push(node);
        Var::on(self, node)
    }

    /// Gives the value of an argument its name, for messages.
    pub(crate) fn name_argument(&self, x: Var<'_>, name: &'static str) {
        if x.tape().is_some() {
            self.records.borrow_mut().names.push((x.node(), name));
        }
    }

    /// Returns the name of the argument that a node is the value of.
    pub(crate) fn argument_name(&self, node: u32) -> Option<&'static str> {
        let r = self.records();
        let own = r.names.iter().find(|named| named.0 == node);
        own.map(|&(_, name)| name)
    }

    /// Returns how a value is called in messages: by the argument that it is, or by `other`.
    pub(crate) fn called(&self, x: Var<'_>, other: &str) -> String {
        let r = self.records();
        let root = x.tape().map(|_| r.nodes[x.node() as usize].root);
        let name = r.names.iter().find(|&&(node, _)| Some(node) == root);
        name.map_or_else(|| other.to_string(), |(_, name)| format!("`{name}`"))
    }

    /// Records baked values.
    pub fn constant_array(&self, event: &[usize], values: impl Iterator<Item = f64>) -> Var<'_> {
        let mut r = self.records.borrow_mut();
        if !event.is_empty()
            && let Some(error) = r.make_room(leaves::Constant::DEF, &[], event, 0)
        {
            r.error.get_or_insert(error);
            return Var::constant(f64::NAN);
        }
        let node = r.leaf(leaves::Constant::DEF, &[], &[], event, values, 0);
        Var::on(self, node)
    }

    /// Says why there is no room on the tape for a value of this shape, if there is none.
    pub(crate) fn lack(&self, shape: &[usize]) -> Option<String> {
        let r = self.records();
        if size(shape) > SMALL
            && let Err(no_room) = room(shape, r.store.bytes_each())
        {
            return Some(format!("memory that is not there: {no_room}"));
        }
        r.lack(shape, 0)
    }

    /// Puts a constant scalar onto this tape, with the error that it may stand for; other values stay as they are.
    ///
    /// # Panics
    ///
    /// If the value is on another tape.
    pub fn lift<'t>(&'t self, x: Var<'t>) -> Var<'t> {
        if let Some(tape) = x.tape() {
            let is_own = std::ptr::eq(tape, self);
            assert!(
                is_own,
                "a value of one recording is used in another: hand it over as an argument of the model"
            );
            return x;
        }
        let value = x.as_constant().unwrap_or(f64::NAN);
        if let Some(error) = refusal::recall(value) {
            self.fail(error);
        }
        self.constant_array(&[], std::iter::once(value))
    }

    /// Records the elements of `x` under another shape of as many elements; of the NaN that an error left behind it stays
    /// NaN.
    pub(crate) fn alias<'t>(&'t self, x: Var<'t>, dims: &[DimId], event: &[usize]) -> Var<'t> {
        self.alias_unread(self.read(x), dims, event)
    }

    /// As [`Tape::alias`], of a value of which elements may be missing.
    pub(super) fn alias_unread<'t>(&'t self, x: Var<'t>, dims: &[DimId], event: &[usize]) -> Var<'t> {
        if x.as_constant().is_some_and(f64::is_nan) {
            return x;
        }
        let x = self.lift(x);
        let mut r = self.records.borrow_mut();
        let parent = r.nodes[x.node() as usize].clone();
        let shape = r.put_shape(dims, event);
        assert_eq!(
            r.shape_len(shape),
            parent.len as usize,
            "an alias has as many elements as what it names"
        );
        let args = r.put_args(&[x.node()]);
        let attrs = (r.attrs.len() as u32, 0);
        r.nodes.push(Node {
            def: leaves::Alias::DEF,
            args,
            attrs,
            shape,
            dims: Dims::from_slice(dims),
            ..parent
        });
        Var::on(self, r.nodes.len() as u32 - 1)
    }

    /// Records an operation and computes it.
    ///
    /// The shape of the output is the lengths of `dims`, then `event`; `aux` is the length of the operation's own buffer.
    /// After a missing observation was read nothing is computed: what stands in for it has another shape.
    ///
    /// # Panics
    ///
    /// If the operation is a term, or a slot of inputs or data.
    pub fn record<'t>(
        &'t self,
        def: &'static OpDef,
        args: &[Var<'t>],
        attrs: &[u64],
        dims: &[DimId],
        event: &[usize],
        aux: usize,
    ) -> Var<'t> {
        assert!(
            matches!(def.role, Role::Compute | Role::Random),
            "`{}` is no operation that has a value",
            def.name
        );
        if self.is_unread() {
            return Var::constant(f64::NAN);
        }
        let args = self.operands(args, def.no_grad);
        if self.is_unread() {
            return Var::constant(f64::NAN);
        }
        let mut r = self.records.borrow_mut();
        let fault = r.closed_plate(&args, def.name);
        if let Some(error) = fault.or_else(|| r.make_room(def, dims, event, aux)) {
            r.error.get_or_insert(error);
            return Var::constant(f64::NAN);
        }
        let node = r.push(def, &args, attrs, dims, event, aux);
        r.execute(node, self.key);
        Var::on(self, node)
    }

    /// Records a term of the log density with its weight; `site` tells whose it is.
    ///
    /// # Panics
    ///
    /// If the operation is no [sink](Role::Sink).
    pub fn term<'t>(
        &'t self,
        def: &'static OpDef,
        args: &[Var<'t>],
        attrs: &[u64],
        aux: usize,
        weight: f64,
        site: u32,
    ) {
        assert_eq!(
            def.role,
            Role::Sink,
            "`{}` is no term: record it, and add its sum",
            def.name
        );
        let args = self.operands(args, def.no_grad);
        if self.is_unread() {
            return;
        }
        let mut r = self.records.borrow_mut();
        let fault = r.closed_plate(&args, def.name);
        if let Some(error) = fault.or_else(|| r.make_room(def, &[], &[0], aux)) {
            r.error.get_or_insert(error);
            return;
        }
        let node = r.push(def, &args, attrs, &[], &[0], aux);
        let value = r.execute(node, self.key);
        r.terms.push(Term {
            node,
            weight,
            value,
            site,
        });
    }

    /// Returns whether the error on the tape is that something was read which is missing.
    fn is_unread(&self) -> bool {
        self.records().is_unread
    }

    /// Lifts operands, and copies those that share an adjoint with an earlier one; after a missing one was read the list has no meaning.
    fn operands<'t>(&'t self, args: &[Var<'t>], no_grad: u32) -> SmallVec<[u32; 6]> {
        let mut out: SmallVec<[u32; 6]> = SmallVec::new();
        for (k, &arg) in args.iter().enumerate() {
            let mut node = self.lift(self.read(arg)).node();
            if self.is_unread() {
                break;
            }
            let (root, varies) = {
                let r = self.records();
                let n = &r.nodes[node as usize];
                (n.root, n.depends & depends::GRAD != 0 && no_grad & (1 << k) == 0)
            };
            if varies
                && out
                    .iter()
                    .any(|&other| self.records().nodes[other as usize].root == root)
            {
                let r = self.records();
                let (dims, event) = (r.nodes[node as usize].dims.clone(), r.event(node));
                drop(r);
                let copy = self.record(leaves::Copy::DEF, &[Var::on(self, node)], &[], &dims, &event, 0);
                if self.is_unread() {
                    break;
                }
                node = copy.node();
            }
            out.push(node);
        }
        out
    }

    /// Opens a plate and returns its number.
    pub fn open_dim(&self, dim: Dim) -> DimId {
        let mut r = self.records.borrow_mut();
        r.dims.push(dim);
        r.dims.len() as DimId - 1
    }

    /// Closes a plate: values that carry it can no longer be used.
    pub fn close_dim(&self, dim: DimId) {
        self.records.borrow_mut().dims[dim as usize].open = false;
    }

    /// Returns a plate.
    pub fn dim(&self, dim: DimId) -> Dim {
        self.records().dims[dim as usize].clone()
    }

    pub(crate) fn dims_of(&self, node: u32) -> Dims {
        self.records().nodes[node as usize].dims.clone()
    }

    pub(crate) fn event_of(&self, node: u32) -> Shape {
        self.records().event(node)
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        for handle in self.held.get_mut().drain(..) {
            // SAFETY: `hold` made the pointer by `Box::into_raw`, it stands in the list once, and no reference is left.
            drop(unsafe { Box::from_raw(handle) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_refused_before_it_is_allocated() {
        let tape = Tape::new(Precision::F32, Key::new(1));
        let x = tape.data(&[2], |buffer| match buffer {
            Buffer::F32(out) => out.fill(1.0),
            Buffer::F64(out) => out.fill(1.0),
        });
        let text = |name: &str, n: u64| {
            format!(
                "`{name}` needs room for {n} numbers where the recording has 2 of 4293918719 that it can hold: take fewer \
                 rows at a time"
            )
        };
        let copy = tape.record(leaves::Copy::DEF, &[x], &[], &[], &[1 << 17, 1 << 16], 0);
        assert!(copy.value().is_nan());
        assert_eq!(tape.take_error().unwrap().to_string(), text("copy", 1 << 33));
        let data = tape.data(&[1 << 32, 3], |_| unreachable!("there is no room"));
        assert!(data.value().is_nan());
        assert_eq!(tape.take_error().unwrap().to_string(), text("data", 3 << 32));
        assert_eq!(x.elements(), [1.0, 1.0]);
    }
    #[test]
    fn handles_that_were_lent_stay_what_they_are_while_others_are_lent() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let number = |i: usize| tape.constant_array(&[], std::iter::once(i as f64));
        let lent: Vec<&Var<'_>> = (0..1000).map(|i| tape.hold(number(i))).collect();
        assert!(lent.iter().enumerate().all(|(i, x)| x.value() == i as f64));
    }

    #[test]
    #[should_panic(expected = "an alias has as many elements as what it names")]
    fn an_alias_of_another_length_is_refused() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        tape.alias(tape.constant_array(&[2], [1.0, 2.0].into_iter()), &[], &[3]);
    }

    #[test]
    #[should_panic(expected = "`copy` is no term")]
    fn only_a_sink_is_a_term() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        tape.term(leaves::Copy::DEF, &[Var::constant(1.0)], &[], 0, 1.0, 0);
    }

    #[test]
    #[should_panic(expected = "`constant` is no operation that has a value")]
    fn a_leaf_is_not_recorded_as_an_operation() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        tape.record(leaves::Constant::DEF, &[], &[], &[], &[2], 0);
    }

    #[test]
    #[should_panic(expected = "a value of one recording is used in another")]
    fn a_value_of_another_tape_is_refused() {
        let [one, other] = [1, 2].map(|seed| Tape::new(Precision::F64, Key::new(seed)));
        one.lift(other.constant_array(&[], std::iter::once(1.0)));
    }
}
