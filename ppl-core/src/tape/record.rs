//! Recording: a node is computed when it is put onto the tape.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use smallvec::SmallVec;

use crate::error::{Error, Place};
use crate::rng::Key;
use crate::tape::call::{Call, Instr, Loc, Mode, Operand, Pool, Region, Regions, Window};
use crate::tape::leaves;
use crate::tape::op::{Op, OpDef, Role};
use crate::tape::store::{Buffer, Precision, Scalar, Store};
use crate::tape::var::Var;
use crate::tensor::dims::{Dim, DimId, Dims};
use crate::tensor::shape::{Shape, size};

/// What a value depends on.
pub mod depends {
    /// It has a derivative by the inputs.
    pub const GRAD: u8 = 1;
    /// It changes with the inputs.
    pub const THETA: u8 = 2;
    /// It changes with the random key.
    pub const NOISE: u8 = 4;
    /// It changes with the data.
    pub const DATA: u8 = 8;
}

/// A recorded operation.
#[derive(Clone, Debug)]
pub struct Node {
    /// The operation.
    pub def: &'static OpDef,
    /// Its operands: start and number in `Records::args`.
    pub args: (u32, u32),
    /// Its attributes: start and number in `Records::attrs`.
    pub attrs: (u32, u32),
    /// Its shape, plates first: start in `Records::shapes` and length.
    pub shape: (u32, u8),
    /// The plates that it depends on: the first axes of its shape.
    pub dims: Dims,
    /// Where its value starts.
    pub offset: u32,
    /// The number of its elements.
    pub len: u32,
    /// Its own buffer: start and length.
    pub aux: (u32, u32),
    /// The node whose buffer an alias shares; otherwise the node itself.
    pub root: u32,
    /// What it depends on, of [`depends`].
    pub depends: u8,
}

/// A term of the log density.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    /// The sink.
    pub node: u32,
    /// Its factor in the sum.
    pub weight: f64,
    /// Its value at recording.
    pub value: f64,
    /// The site that it belongs to: an index that the runtime chose.
    pub site: u32,
}

/// What a tape holds.
#[derive(Debug)]
pub struct Records {
    /// The operations in order.
    pub nodes: Vec<Node>,
    /// Operands of all nodes.
    pub args: Vec<u32>,
    /// Attributes of all nodes.
    pub attrs: Vec<u64>,
    /// Shapes of all nodes.
    pub shapes: Vec<usize>,
    /// Values of all nodes.
    pub store: Store,
    /// The terms of the log density.
    pub terms: Vec<Term>,
    /// The plates, by number.
    pub dims: Vec<Dim>,
    /// The data slots: their nodes, by number.
    pub slots: Vec<u32>,
    /// The length of the vector of inputs.
    pub n_inputs: usize,
    error: Option<Error>,
    /// What the values that were read out depend on.
    tainted: u8,
    operands: Vec<Operand>,
    /// What was drawn for elements of missing observations: by observation and element.
    drawn: HashMap<(u64, u64), u32>,
    n_missing: u64,
}

/// The element number of a missing observation as a whole.
const WHOLE: u64 = u64::MAX;

/// The number of elements that a recording may hold: places are kept in 32 bits, and some are left for scalars.
const MAX_ELEMENTS: usize = u32::MAX as usize - (1 << 20);

/// A recording: operations with their values.
#[derive(Debug)]
pub struct Tape {
    records: RefCell<Records>,
    precision: Precision,
    key: Cell<Key>,
    /// Handles that were lent out by reference; only [`Tape::hold`] touches them.
    #[allow(
        clippy::vec_box,
        reason = "a reference to a handle stays valid when the vector grows"
    )]
    held: RefCell<Vec<Box<Var<'static>>>>,
}

impl Tape {
    /// Returns an empty tape; random operations draw from `key`.
    pub fn new(precision: Precision, key: Key) -> Self {
        let records = Records {
            nodes: Vec::new(),
            args: Vec::new(),
            attrs: Vec::new(),
            shapes: Vec::new(),
            store: Store::new(precision),
            terms: Vec::new(),
            dims: Vec::new(),
            slots: Vec::new(),
            n_inputs: 0,
            error: None,
            tainted: 0,
            operands: Vec::new(),
            drawn: HashMap::new(),
            n_missing: 0,
        };
        Tape {
            records: RefCell::new(records),
            precision,
            key: Cell::new(key),
            held: RefCell::new(Vec::new()),
        }
    }

    /// Forgets what was recorded and keeps the memory.
    pub fn clear(&mut self, key: Key) {
        let r = self.records.get_mut();
        r.nodes.clear();
        r.args.clear();
        r.attrs.clear();
        r.shapes.clear();
        r.store.clear();
        r.terms.clear();
        r.dims.clear();
        r.slots.clear();
        r.n_inputs = 0;
        r.error = None;
        r.tainted = 0;
        r.drawn.clear();
        r.n_missing = 0;
        self.held.get_mut().clear();
        self.key.set(key);
    }

    /// Returns the precision of all values.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Returns the random key of this recording.
    pub fn key(&self) -> Key {
        self.key.get()
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

    /// Marks the recording: a replay could take another path than this one did.
    pub fn taint(&self) {
        self.records.borrow_mut().tainted = u8::MAX;
    }

    /// Lends a handle by reference, as indexing must.
    pub fn hold<'t>(&'t self, x: Var<'t>) -> &'t Var<'t> {
        // SAFETY: the longer lifetime is never seen: the only reference to the box is the one returned below, at 't.
        let handle = Box::new(unsafe { std::mem::transmute::<Var<'t>, Var<'static>>(x) });
        let address: *const Var<'static> = &raw const *handle;
        self.held.borrow_mut().push(handle);
        // SAFETY: a box does not move when the vector grows, and none is dropped before `clear` or the end of the tape,
        // both of which need that no borrow of 't is left. `Var` is covariant, so the lifetime may shrink.
        unsafe { &*address.cast::<Var<'t>>() }
    }

    /// Keeps the first error and returns NaN.
    pub fn fail(&self, error: Error) -> Var<'_> {
        let slot = &mut self.records.borrow_mut().error;
        slot.get_or_insert(error);
        Var::constant(f64::NAN)
    }

    /// Takes the error that an operation left, if any.
    pub fn take_error(&self) -> Option<Error> {
        self.records.borrow_mut().error.take()
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
        r.n_inputs = r.n_inputs.max(offset + values.len());
        let node = r.leaf(def, &[offset as u64], dims, event, values.iter().copied(), depends);
        Var::on(self, node)
    }

    /// Records a data slot with its present values, which `write` puts into the buffer.
    pub fn data(&self, event: &[usize], write: impl FnOnce(Buffer<'_>)) -> Var<'_> {
        let mut r = self.records.borrow_mut();
        let slot = r.slots.len();
        if let Some(error) = r.overflow(leaves::Data::DEF, &[], event, 0) {
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

    /// Returns a value that stands for a missing observation, of a known shape or of none.
    pub fn missing(&self, shape: Option<&[usize]>) -> Var<'_> {
        let number = self.records().n_missing;
        self.records.borrow_mut().n_missing += 1;
        self.missing_element(number, WHOLE, shape.unwrap_or(&[]), shape.is_some())
    }

    fn missing_element(&self, number: u64, element: u64, event: &[usize], has_shape: bool) -> Var<'_> {
        let mut r = self.records.borrow_mut();
        let attrs = [number, element, has_shape as u64];
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

    /// Returns whether `x` stands for a missing observation, or an element of one, that nothing was drawn for.
    pub fn is_missing(&self, x: Var<'_>) -> bool {
        x.tape().is_some() && self.records().nodes[x.node() as usize].def.role == Role::Missing
    }

    /// Returns whether `x` is missing and has no shape either.
    pub fn is_shapeless(&self, x: Var<'_>) -> bool {
        self.is_missing(x) && self.records().attrs(x.node())[2] == 0
    }

    /// Returns the element of a missing observation: what was drawn for it, or another missing value.
    ///
    /// `element` is `None` for the element of each row of a plate.
    pub fn index_missing<'t>(&'t self, x: Var<'t>, element: Option<usize>) -> Var<'t> {
        let (number, own) = {
            let r = self.records();
            let attrs = r.attrs(x.node());
            (attrs[0], attrs[1])
        };
        let element = element.map_or(own, |e| if own == WHOLE { e as u64 } else { own });
        if let Some(&node) = self.records().drawn.get(&(number, element)) {
            return Var::on(self, node);
        }
        let event = x.event_shape();
        self.missing_element(number, element, event.get(1..).unwrap_or(&[]), false)
    }

    /// Keeps what was drawn for a missing observation, so that reading the element finds it.
    pub fn fill_missing<'t>(&'t self, missing: Var<'t>, drawn: Var<'t>) {
        let drawn = self.lift(drawn);
        let mut r = self.records.borrow_mut();
        let attrs = r.attrs(missing.node());
        let key = (attrs[0], attrs[1]);
        r.drawn.insert(key, drawn.node());
    }

    /// Records baked values.
    pub fn constant_array(&self, event: &[usize], values: impl Iterator<Item = f64>) -> Var<'_> {
        let mut r = self.records.borrow_mut();
        let node = r.leaf(leaves::Constant::DEF, &[], &[], event, values, 0);
        Var::on(self, node)
    }

    /// Puts a constant scalar onto this tape; other values stay as they are.
    pub fn lift<'t>(&'t self, x: Var<'t>) -> Var<'t> {
        match x.as_constant() {
            Some(value) => self.constant_array(&[], std::iter::once(value)),
            None => x,
        }
    }

    /// Records the elements of `x` under another shape.
    pub fn alias<'t>(&'t self, x: Var<'t>, dims: &[DimId], event: &[usize]) -> Var<'t> {
        let x = self.lift(x);
        let mut r = self.records.borrow_mut();
        let parent = r.nodes[x.node() as usize].clone();
        let shape = r.put_shape(dims, event);
        debug_assert_eq!(r.shape_len(shape), parent.len as usize);
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
    pub fn record<'t>(
        &'t self,
        def: &'static OpDef,
        args: &[Var<'t>],
        attrs: &[u64],
        dims: &[DimId],
        event: &[usize],
        aux: usize,
    ) -> Var<'t> {
        let args = self.operands(args, def.no_grad);
        let mut r = self.records.borrow_mut();
        let fault = r.closed_plate(&args, def.name);
        if let Some(error) = fault.or_else(|| r.overflow(def, dims, event, aux)) {
            r.error.get_or_insert(error);
            return Var::constant(f64::NAN);
        }
        let node = r.push(def, &args, attrs, dims, event, aux);
        r.execute(node, self.key.get());
        Var::on(self, node)
    }

    /// Records a term of the log density with its weight; `site` tells whose it is.
    pub fn term<'t>(
        &'t self,
        def: &'static OpDef,
        args: &[Var<'t>],
        attrs: &[u64],
        aux: usize,
        weight: f64,
        site: u32,
    ) {
        debug_assert_eq!(def.role, Role::Sink);
        let args = self.operands(args, def.no_grad);
        let mut r = self.records.borrow_mut();
        let fault = r.closed_plate(&args, def.name);
        if let Some(error) = fault.or_else(|| r.overflow(def, &[], &[], aux)) {
            r.error.get_or_insert(error);
            return;
        }
        let node = r.push(def, &args, attrs, &[], &[0], aux);
        let value = r.execute(node, self.key.get());
        r.terms.push(Term {
            node,
            weight,
            value,
            site,
        });
    }

    /// Lifts operands, and copies those that share an adjoint with an earlier one.
    fn operands<'t>(&'t self, args: &[Var<'t>], no_grad: u32) -> SmallVec<[u32; 6]> {
        let mut out: SmallVec<[u32; 6]> = SmallVec::new();
        for (k, &arg) in args.iter().enumerate() {
            let mut node = self.lift(arg).node();
            if self.is_missing(arg) {
                let message = "a missing observation is read before `observe` has drawn it".to_string();
                self.fail(Error::Invalid(message));
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
                node = self
                    .record(leaves::Copy::DEF, &[Var::on(self, node)], &[], &dims, &event, 0)
                    .node();
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

    pub(crate) fn elements_of(&self, node: u32) -> Vec<f64> {
        let r = self.records();
        let n = &r.nodes[node as usize];
        r.store.to_vec(n.offset as usize, n.len as usize)
    }

    pub(crate) fn depends_of(&self, node: u32) -> u8 {
        self.records().nodes[node as usize].depends
    }

    pub(crate) fn read_scalar(&self, node: u32, place: Place) -> f64 {
        let mut r = self.records.borrow_mut();
        let n = r.nodes[node as usize].clone();
        if let Some(&dim) = n.dims.first() {
            let name = r.dims[dim as usize].name.clone();
            let message = format!(
                "inside plate `{name}` a value stands for a whole column and cannot be read or compared in Rust; \
                 use `where_(mask, a, b)` with a mask such as `x.gt(0)`, or loop with `plate(…).each()`"
            );
            r.error.get_or_insert(Error::Plate { place, message });
            return f64::NAN;
        }
        if n.len != 1 {
            let message = "only a scalar can be read; index the array or reduce it".to_string();
            let shapes = vec![r.event(node)];
            r.error.get_or_insert(Error::Shape {
                op: "value",
                place,
                message,
                shapes,
            });
            return f64::NAN;
        }
        r.tainted |= n.depends;
        r.store.get(n.offset as usize)
    }
}

impl Records {
    /// Returns the shape of a node, plates first.
    pub fn shape(&self, node: u32) -> &[usize] {
        let (at, rank) = self.nodes[node as usize].shape;
        &self.shapes[at as usize..][..rank as usize]
    }

    /// Returns the event shape of a node.
    pub fn event(&self, node: u32) -> Shape {
        Shape::from_slice(&self.shape(node)[self.nodes[node as usize].dims.len()..])
    }

    /// Returns the operands of a node.
    pub fn args(&self, node: u32) -> &[u32] {
        let (at, n) = self.nodes[node as usize].args;
        &self.args[at as usize..][..n as usize]
    }

    /// Returns the attributes of a node.
    pub fn attrs(&self, node: u32) -> &[u64] {
        let (at, n) = self.nodes[node as usize].attrs;
        &self.attrs[at as usize..][..n as usize]
    }

    fn shape_len(&self, shape: (u32, u8)) -> usize {
        size(&self.shapes[shape.0 as usize..][..shape.1 as usize])
    }

    fn put_shape(&mut self, dims: &[DimId], event: &[usize]) -> (u32, u8) {
        let at = self.shapes.len() as u32;
        for &d in dims {
            self.shapes.push(self.dims[d as usize].len);
        }
        self.shapes.extend_from_slice(event);
        (at, (dims.len() + event.len()) as u8)
    }

    fn put_args(&mut self, args: &[u32]) -> (u32, u32) {
        let at = self.args.len() as u32;
        self.args.extend_from_slice(args);
        (at, args.len() as u32)
    }

    fn leaf(
        &mut self,
        def: &'static OpDef,
        attrs: &[u64],
        dims: &[DimId],
        event: &[usize],
        values: impl Iterator<Item = f64>,
        depends: u8,
    ) -> u32 {
        let node = self.push(def, &[], attrs, dims, event, 0);
        let (offset, len) = (
            self.nodes[node as usize].offset as usize,
            self.nodes[node as usize].len as usize,
        );
        let mut count = 0;
        for (i, value) in values.enumerate() {
            assert!(i < len, "more values than the shape {event:?} holds");
            self.store.set(offset + i, value);
            count += 1;
        }
        assert_eq!(count, len, "the shape {event:?} holds another number of values");
        self.nodes[node as usize].depends = depends;
        node
    }

    fn push(
        &mut self,
        def: &'static OpDef,
        args: &[u32],
        attrs: &[u64],
        dims: &[DimId],
        event: &[usize],
        aux: usize,
    ) -> u32 {
        let shape = self.put_shape(dims, event);
        let len = self.shape_len(shape);
        let mut depends = if def.role == Role::Random { depends::NOISE } else { 0 };
        for (k, &a) in args.iter().enumerate() {
            let d = self.nodes[a as usize].depends;
            depends |= if def.no_grad & (1 << k) != 0 {
                d & !depends::GRAD
            } else {
                d
            };
        }
        let args = self.put_args(args);
        let attrs_at = self.attrs.len() as u32;
        self.attrs.extend_from_slice(attrs);
        let node = self.nodes.len() as u32;
        assert!(
            self.store.len() + len + aux <= u32::MAX as usize,
            "a recording holds at most 2^32 elements: take fewer rows at a time, `plate(…, batch = …)`"
        );
        let offset = self.store.grow(len) as u32;
        let aux = (self.store.grow(aux) as u32, aux as u32);
        self.nodes.push(Node {
            def,
            args,
            attrs: (attrs_at, attrs.len() as u32),
            shape,
            dims: Dims::from_slice(dims),
            offset,
            len: len as u32,
            aux,
            root: node,
            depends,
        });
        node
    }

    /// Returns the error of an operation whose values find no room.
    fn overflow(&self, def: &'static OpDef, dims: &[DimId], event: &[usize], aux: usize) -> Option<Error> {
        let plates = dims.iter().map(|&d| self.dims[d as usize].len);
        let n = plates.chain(event.iter().copied()).fold(1_usize, usize::saturating_mul);
        let all = n.saturating_add(aux).saturating_add(self.store.len());
        (all > MAX_ELEMENTS).then(|| {
            Error::Invalid(format!(
                "`{}` needs room for {n} numbers where the recording has {} of {MAX_ELEMENTS} that it can hold: take fewer \
                 rows at a time",
                def.name,
                self.store.len()
            ))
        })
    }

    fn closed_plate(&self, args: &[u32], op: &str) -> Option<Error> {
        for &a in args {
            for &d in &self.nodes[a as usize].dims {
                let dim = &self.dims[d as usize];
                if !dim.open {
                    let inside = match self.dims.iter().rev().find(|d| d.open) {
                        Some(plate) => format!("inside plate `{}`", plate.name),
                        None => "outside of any plate".to_string(),
                    };
                    let message = format!(
                        "`{op}` is given a value that belongs to plate `{}`, which has ended; it is used {inside}. \
                         Return it as the loop's value to get an array",
                        dim.name
                    );
                    return Some(Error::Plate {
                        place: Place {
                            file: dim.place.0,
                            line: dim.place.1,
                        },
                        message,
                    });
                }
            }
        }
        None
    }

    /// Makes the instruction of a node, with its operands appended to `operands`.
    ///
    /// Values lie in `Region::Work` and adjoints at the same offsets in `Region::Adjoint`; adjoints are added to.
    pub fn instr<F: Scalar>(&self, node: u32, weight: f64, operands: &mut Vec<Operand>) -> Instr<F> {
        let n = &self.nodes[node as usize];
        let at = operands.len() as u32;
        for (k, &a) in self.args(node).iter().enumerate() {
            let skip = n.def.no_grad & (1 << k) != 0 || self.nodes[a as usize].depends & depends::GRAD == 0;
            operands.push(self.operand(a, if skip { Mode::Skip } else { Mode::Add }));
        }
        Instr {
            forward: F::kernel(&n.def.forward),
            backward: F::kernel(&n.def.backward),
            out: self.operand(node, Mode::Add),
            operands: (at, n.args.1),
            attrs: n.attrs,
            aux: n.aux,
            weight,
            prepared: None,
        }
    }

    fn operand(&self, node: u32, mode: Mode) -> Operand {
        let n = &self.nodes[node as usize];
        Operand {
            value: Loc {
                region: Region::Work,
                offset: n.offset,
            },
            adjoint: Loc {
                region: Region::Adjoint,
                offset: n.offset,
            },
            mode,
            rank: n.shape.1,
            len: n.len,
            shape_at: n.shape.0,
        }
    }

    /// Computes a node and returns its term, zero for all but sinks.
    fn execute(&mut self, node: u32, key: Key) -> f64 {
        match self.store {
            Store::F64(_) => self.execute_as::<f64>(node, key),
            Store::F32(_) => self.execute_as::<f32>(node, key),
        }
    }

    fn execute_as<F: Scalar>(&mut self, node: u32, key: Key) -> f64 {
        let mut operands = std::mem::take(&mut self.operands);
        operands.clear();
        let instr = self.instr::<F>(node, 0.0, &mut operands);
        let work = F::buffer_mut(&mut self.store).as_mut_ptr();
        let pool = Pool {
            operands: &operands,
            shapes: &self.shapes,
            attrs: &self.attrs,
        };
        let regions = Regions {
            base: [work; crate::tape::call::N_REGIONS],
        };
        // SAFETY: `push` gave each node and its own buffer a range of the store of their own; a forward kernel writes
        // only these two, and adjoints are not touched.
        let mut call = unsafe { Call::new(regions, &instr, pool, key, Window::WHOLE) };
        (instr.forward)(&mut call);
        let term = call.term();
        self.operands = operands;
        term
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
}
