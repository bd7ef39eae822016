//! One call of a kernel: where its operands, its output and their adjoints lie.

use std::marker::PhantomData;

use crate::kernels::real::Real;
use crate::rng::Key;
use crate::tape::prepared::Prepared;

/// The buffers that a program works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Region {
    /// The vector that the program is evaluated at: the caller's.
    Theta,
    /// Its gradient: the caller's.
    Gradient,
    /// Constants and fixed data, shared by all workspaces.
    Constant,
    /// Data slots that are rebound.
    Data,
    /// Values of nodes.
    Work,
    /// Adjoints of nodes.
    Adjoint,
}

/// The number of regions.
pub const N_REGIONS: usize = 6;

/// A place in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loc {
    /// Which buffer.
    pub region: Region,
    /// The first element.
    pub offset: u32,
}

/// How an adjoint is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The operand receives no derivative.
    Skip,
    /// This is the first write: the buffer holds nothing yet.
    Overwrite,
    /// Adds to what is there.
    Add,
}

/// An operand or an output: value, adjoint, shape.
#[derive(Clone, Copy, Debug)]
pub struct Operand {
    /// Where the value lies.
    pub value: Loc,
    /// Where the adjoint lies.
    pub adjoint: Loc,
    /// How the adjoint is written by this call.
    pub mode: Mode,
    /// The length of its shape.
    pub rank: u8,
    /// The number of elements.
    pub len: u32,
    /// The start of its shape in the pool.
    pub shape_at: u32,
}

/// One instruction, in a form that both the recorder and a program use.
#[derive(Clone)]
pub struct Instr<F> {
    /// Computes the output.
    pub forward: fn(&mut Call<'_, F>),
    /// Computes adjoints.
    pub backward: fn(&mut Call<'_, F>),
    /// The output.
    pub out: Operand,
    /// The operands in the pool: start and number.
    pub operands: (u32, u32),
    /// The attributes in the pool: start and number.
    pub attrs: (u32, u32),
    /// A buffer of the operation's own in the workspace: start and length.
    pub aux: (u32, u32),
    /// The derivative of the log density by the term of a sink.
    pub weight: f64,
    /// What was prepared from constant operands.
    pub prepared: Option<Prepared>,
}

/// What instructions refer to.
#[derive(Clone, Copy)]
pub struct Pool<'a> {
    /// Operands of all instructions.
    pub operands: &'a [Operand],
    /// Shapes of all operands.
    pub shapes: &'a [usize],
    /// Attributes of all instructions.
    pub attrs: &'a [u64],
}

/// The base addresses of the regions during a run.
#[derive(Clone, Copy)]
pub struct Regions<F> {
    /// One address a region, in the order of [`Region`].
    pub base: [*mut F; N_REGIONS],
}

impl<F> Regions<F> {
    pub(crate) fn at(&self, loc: Loc) -> *mut F {
        // SAFETY: the layout that made `loc` gave its region at least `offset` elements.
        unsafe { self.base[loc.region as usize].add(loc.offset as usize) }
    }
}

/// The part of the elements that a call works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The length of the operands that are cut; shorter ones, single numbers, are seen by each part.
    pub n: u32,
    /// The first element.
    pub first: u32,
    /// The number of elements.
    pub len: u32,
}

impl Window {
    /// All elements of all operands.
    pub const WHOLE: Window = Window {
        n: u32::MAX,
        first: 0,
        len: u32::MAX,
    };
}

/// An adjoint that a kernel writes: `overwrite` says whether it holds nothing yet.
pub struct Grad<'a, F> {
    /// The buffer, as long as the operand.
    pub slice: &'a mut [F],
    /// Whether to set the elements in place of adding to them; then each one must be set.
    pub overwrite: bool,
}

impl<F: Real> Grad<'_, F> {
    /// Sets the buffer to zero if this is the first write, for kernels that can only add.
    pub fn accumulator(self) -> Self {
        if self.overwrite {
            self.slice.fill(F::ZERO);
        }
        Grad {
            slice: self.slice,
            overwrite: false,
        }
    }

    /// Adds `value` to element `i`, or sets it.
    #[inline(always)]
    pub fn put(&mut self, i: usize, value: F) {
        if self.overwrite {
            self.slice[i] = value;
        } else {
            self.slice[i] += value;
        }
    }
}

/// One call of a kernel: typed access to its operands.
///
/// The layout guarantees that the output, the own buffer and the adjoints that are written are disjoint from each other,
/// from the output's adjoint and from all operands; a kernel takes each of them at most once, which is why kernels are
/// written in this crate alone.
pub struct Call<'a, F> {
    regions: Regions<F>,
    instr: &'a Instr<F>,
    pool: Pool<'a>,
    key: Key,
    window: Window,
    term: f64,
    _buffers: PhantomData<&'a mut F>,
}

impl<'a, F: Real> Call<'a, F> {
    /// Makes a call.
    ///
    /// # Safety
    ///
    /// Every location of `instr` lies within its region, those that the kernel writes are disjoint from all others it
    /// uses, and nothing else touches the regions during `'a`. A window of a part lies within its `n`, and the operation
    /// is [elementwise](crate::tape::op::OpDef::elementwise).
    #[inline(always)]
    pub unsafe fn new(regions: Regions<F>, instr: &'a Instr<F>, pool: Pool<'a>, key: Key, window: Window) -> Self {
        Call {
            regions,
            instr,
            pool,
            key,
            window,
            term: 0.0,
            _buffers: PhantomData,
        }
    }

    #[inline(always)]
    fn operand(&self, k: usize) -> &'a Operand {
        &self.pool.operands[self.instr.operands.0 as usize..][..self.instr.operands.1 as usize][k]
    }

    /// Returns the address and the length of the part of a buffer of `len` elements that this call works on.
    #[inline(always)]
    fn part(&self, at: Loc, len: u32) -> (*mut F, usize) {
        let start = self.regions.at(at);
        if len == self.window.n {
            // SAFETY: the window lies within the `len` elements of the buffer.
            (
                unsafe { start.add(self.window.first as usize) },
                self.window.len as usize,
            )
        } else {
            (start, len as usize)
        }
    }

    /// Returns the number of operands.
    pub fn n_args(&self) -> usize {
        self.instr.operands.1 as usize
    }

    /// Returns the value of operand `k`.
    #[inline(always)]
    pub fn x(&self, k: usize) -> &'a [F] {
        let op = self.operand(k);
        let (start, len) = self.part(op.value, op.len);
        // SAFETY: see `new`; operands are only read.
        unsafe { std::slice::from_raw_parts(start, len) }
    }

    /// Returns the output to be written; in a backward kernel use [`Call::y`].
    #[inline(always)]
    pub(crate) fn out(&mut self) -> &'a mut [F] {
        let op = &self.instr.out;
        let (start, len) = self.part(op.value, op.len);
        // SAFETY: see `new`; the output is disjoint from what the kernel reads.
        unsafe { std::slice::from_raw_parts_mut(start, len) }
    }

    /// Returns the output that the forward kernel computed.
    #[inline(always)]
    pub fn y(&self) -> &'a [F] {
        let op = &self.instr.out;
        let (start, len) = self.part(op.value, op.len);
        // SAFETY: see `new`; backward kernels do not write the output.
        unsafe { std::slice::from_raw_parts(start, len) }
    }

    /// Returns the adjoint of the output.
    #[inline(always)]
    pub fn d_out(&self) -> &'a [F] {
        let op = &self.instr.out;
        let (start, len) = self.part(op.adjoint, op.len);
        // SAFETY: see `new`.
        unsafe { std::slice::from_raw_parts(start, len) }
    }

    /// Returns the adjoint of operand `k` to be written, or `None` if nobody needs it.
    #[inline(always)]
    pub(crate) fn grad(&mut self, k: usize) -> Option<Grad<'a, F>> {
        let op = self.operand(k);
        if op.mode == Mode::Skip {
            return None;
        }
        let (start, len) = self.part(op.adjoint, op.len);
        // SAFETY: see `new`; adjoints of distinct operands are disjoint, and a kernel takes each once.
        let slice = unsafe { std::slice::from_raw_parts_mut(start, len) };
        // A single number is overwritten by the first part, and the others add to it.
        let is_first = self.window.first == 0 || op.len == self.window.n;
        Some(Grad {
            slice,
            overwrite: op.mode == Mode::Overwrite && is_first,
        })
    }

    /// Returns the operation's own buffer, kept from the forward to the backward kernel.
    #[inline(always)]
    pub(crate) fn aux(&mut self) -> &'a mut [F] {
        let at = Loc {
            region: Region::Work,
            offset: self.instr.aux.0,
        };
        let (start, len) = self.part(at, self.instr.aux.1);
        // SAFETY: see `new`.
        unsafe { std::slice::from_raw_parts_mut(start, len) }
    }

    /// Returns the place of the first element of this call among all elements of the operation.
    #[inline(always)]
    pub fn first(&self) -> usize {
        self.window.first as usize
    }

    /// Returns the shape of operand `k`: the lengths of its plates, then its event shape.
    #[inline(always)]
    pub fn shape(&self, k: usize) -> &'a [usize] {
        let op = self.operand(k);
        &self.pool.shapes[op.shape_at as usize..][..op.rank as usize]
    }

    /// Returns attribute `i`: an integer that the recording baked in.
    #[inline(always)]
    pub fn attr(&self, i: usize) -> u64 {
        self.attrs()[i]
    }

    /// Returns all attributes.
    #[inline(always)]
    pub fn attrs(&self) -> &'a [u64] {
        &self.pool.attrs[self.instr.attrs.0 as usize..][..self.instr.attrs.1 as usize]
    }

    /// Returns what the operation prepared from its constant operands.
    #[inline(always)]
    pub fn prepared<T: 'static>(&self) -> Option<&'a T> {
        self.instr.prepared.as_ref()?.get()
    }

    /// Returns the derivative of the log density by the term of this sink.
    #[inline(always)]
    pub fn weight(&self) -> F {
        F::from_f64(self.instr.weight)
    }

    /// Returns the random key of this call: attribute 0 (the stream of the site) split off the key of the run.
    #[inline(always)]
    pub fn key(&self) -> Key {
        self.key.split(self.attr(0))
    }

    /// Sets the term of a sink.
    #[inline(always)]
    pub fn set_term(&mut self, term: f64) {
        self.term = term;
    }

    /// Returns the term that the kernel set.
    #[inline(always)]
    pub fn term(&self) -> f64 {
        self.term
    }
}
