//! What a tape holds: nodes with their values, terms and plates.

use std::collections::{BTreeSet, HashMap};

use smallvec::SmallVec;

use crate::error::{Error, Place};
use crate::rng::Key;
use crate::tape::call::{Call, Instr, Loc, Mode, Operand, Pool, Region, Regions, Window};
use crate::tape::op::{OpDef, Role};
use crate::tape::store::{Precision, Scalar, Store};
use crate::tensor::dims::{Dim, DimId, Dims};
use crate::tensor::room::room;
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
    /// The names of arguments, by the nodes of their values.
    pub(super) names: Vec<(u32, &'static str)>,
    /// The length of the vector of inputs.
    pub n_inputs: usize,
    pub(super) error: Option<Error>,
    /// Whether something was read that is missing: until the error is taken nothing is computed.
    pub(super) is_unread: bool,
    /// What the values that were read out depend on.
    pub(super) tainted: u8,
    /// Where the first of them was read.
    pub(super) tainted_at: Option<Place>,
    operands: Vec<Operand>,
    /// What was drawn for parts of missing observations: by observation and the way to the part.
    pub(super) drawn: HashMap<(u64, Way), u32>,
    pub(super) n_missing: u64,
    /// The nodes that hold elements of partly missing observations, NaN where one is missing: observation and element.
    pub(super) partly: HashMap<u32, (u64, Way)>,
    /// The partly missing observations of which something was read that is not there.
    pub(super) read_missing: BTreeSet<u64>,
}

/// The way from a missing observation to a part of it: one number for each index.
pub(super) type Way = SmallVec<[u64; 2]>;

/// The number of elements that a recording may hold: places are kept in 32 bits, and some are left for scalars.
const MAX_ELEMENTS: usize = u32::MAX as usize - (1 << 20);

/// The number of elements below which nobody asks whether there is room.
pub(super) const SMALL: usize = 1 << 20;

/// What helps where there is no room.
const REMEDY: &str = "take fewer rows at a time";

impl Records {
    /// Returns empty records.
    pub(super) fn new(precision: Precision) -> Self {
        Records {
            nodes: Vec::new(),
            args: Vec::new(),
            attrs: Vec::new(),
            shapes: Vec::new(),
            store: Store::new(precision),
            terms: Vec::new(),
            dims: Vec::new(),
            slots: Vec::new(),
            names: Vec::new(),
            n_inputs: 0,
            error: None,
            is_unread: false,
            tainted: 0,
            tainted_at: None,
            operands: Vec::new(),
            drawn: HashMap::new(),
            n_missing: 0,
            partly: HashMap::new(),
            read_missing: BTreeSet::new(),
        }
    }

    /// Notes that a value which depends on `depends` was read out at `place`.
    pub(super) fn taint(&mut self, depends: u8, place: Place) {
        if depends != 0 {
            self.tainted |= depends;
            self.tainted_at.get_or_insert(place);
        }
    }

    /// Returns the number of the missing or partly missing observation that a node is a part of, and the way to the part.
    pub(super) fn way_of(&self, node: u32) -> (u64, Way) {
        self.partly.get(&node).cloned().unwrap_or_else(|| {
            let attrs = self.attrs(node);
            (attrs[0], Way::from_slice(&attrs[2..]))
        })
    }

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

    pub(super) fn shape_len(&self, shape: (u32, u8)) -> usize {
        size(&self.shapes[shape.0 as usize..][..shape.1 as usize])
    }

    pub(super) fn put_shape(&mut self, dims: &[DimId], event: &[usize]) -> (u32, u8) {
        let at = self.shapes.len() as u32;
        let rank = u8::try_from(dims.len() + event.len()).expect("a value has at most 255 axes, plates among them");
        for &d in dims {
            self.shapes.push(self.dims[d as usize].len);
        }
        self.shapes.extend_from_slice(event);
        (at, rank)
    }

    pub(super) fn put_args(&mut self, args: &[u32]) -> (u32, u32) {
        let at = self.args.len() as u32;
        self.args.extend_from_slice(args);
        (at, args.len() as u32)
    }

    pub(super) fn leaf(
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

    pub(super) fn push(
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

    /// Makes room for the values of an operation, or returns the error that there is none.
    pub(super) fn make_room(
        &mut self,
        def: &'static OpDef,
        dims: &[DimId],
        event: &[usize],
        aux: usize,
    ) -> Option<Error> {
        let plates = dims.iter().map(|&d| self.dims[d as usize].len);
        let lengths = plates.chain(event.iter().copied());
        let n = lengths.clone().fold(1, usize::saturating_mul);
        if n.saturating_add(aux) <= SMALL && self.store.len() < MAX_ELEMENTS - SMALL {
            return None;
        }
        let shape: Shape = lengths.collect();
        let fault = |why: String| Some(Error::Invalid(format!("`{}` needs {why}", def.name)));
        if let Some(why) = self.lack(&shape, aux) {
            return fault(why);
        }
        let n = size(&shape) + aux;
        match self.store.reserve(n) {
            true => None,
            false => fault(format!("room for {n} more numbers, and the memory is taken: {REMEDY}")),
        }
    }

    /// Says why there is no room for a value of this shape and `more` numbers.
    pub(super) fn lack(&self, shape: &[usize], more: usize) -> Option<String> {
        let (n, held) = (size(shape), self.store.len());
        let all = n.saturating_add(more).saturating_add(held);
        if all > MAX_ELEMENTS {
            return Some(format!(
                "room for {n} numbers where the recording has {held} of {MAX_ELEMENTS} that it can hold: {REMEDY}"
            ));
        }
        if n <= SMALL {
            return None;
        }
        let no_room = room(shape, self.store.bytes_each()).err()?;
        Some(format!("memory that is not there: {no_room}; {REMEDY}"))
    }

    pub(super) fn closed_plate(&self, args: &[u32], op: &str) -> Option<Error> {
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
    pub(super) fn execute(&mut self, node: u32, key: Key) -> f64 {
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
