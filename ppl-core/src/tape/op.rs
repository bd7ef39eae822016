//! What an operation is: a name and its kernels; the tape and the program know no operation by name.

use crate::kernels::real::Real;
use crate::tape::call::Call;
use crate::tape::prepared::Prepared;

/// What an operation is to the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A slot of the vector that a program is evaluated at, differentiated.
    Input,
    /// A slot of that vector that has no derivative: a discrete latent.
    DiscreteInput,
    /// A data slot: fixed in a program, or rebound between evaluations.
    Data,
    /// A value baked into the program.
    Constant,
    /// A stand-in for an observation that is not there.
    Missing,
    /// The same elements under another shape: shares value and adjoint with its operand.
    Alias,
    /// An ordinary operation.
    Compute,
    /// An operation that also draws random numbers from its key.
    Random,
    /// A term of the log density: read by nothing but the sum.
    Sink,
}

/// A kernel in both precisions.
#[derive(Clone, Copy)]
pub struct Kernel {
    /// The double-precision form.
    pub f64: fn(&mut Call<'_, f64>),
    /// The single-precision form.
    pub f32: fn(&mut Call<'_, f32>),
}

/// Computes the prepared form from the operands that are constant (`None` for those that vary), as f64.
pub type Prepare = fn(constants: &[Option<Vec<f64>>], shapes: &[Vec<usize>]) -> Option<Prepared>;

/// An operation: what the tape and the executor call.
pub struct OpDef {
    /// The name: part of the structure key, and what the profile shows.
    pub name: &'static str,
    /// What the operation is to the tape.
    pub role: Role,
    /// Bit k is set where operand k never receives a derivative.
    pub no_grad: u32,
    /// Bit k is set where the derivative by operand k is one, so that the adjoint of the output is the operand's if the
    /// two are of one length.
    pub passes_on: u32,
    /// Whether element i of the output and of each adjoint depends on element i of the operands alone, or on operands
    /// that are single numbers: then the kernels may be called on a part of the elements after the other.
    pub elementwise: bool,
    /// Computes the output, or the term of a sink.
    pub forward: Kernel,
    /// Adds to the adjoints of the operands; for a sink it computes the term as well, in one pass.
    pub backward: Kernel,
    /// Precomputes from constant operands.
    pub prepare: Option<Prepare>,
    /// The operand that numbers rows, if there is one.
    pub index: Option<usize>,
}

impl std::fmt::Debug for OpDef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The interface by which an operation is written: a type without values, whose `DEF` goes onto the tape.
pub trait Op: 'static {
    /// The name; operations of one name differ in their attributes or operands.
    const NAME: &'static str;
    /// What the operation is to the tape.
    const ROLE: Role = Role::Compute;
    /// Bit k is set where operand k never receives a derivative.
    const NO_GRAD: u32 = 0;
    /// Bit k is set where the [derivative by operand k is one](OpDef::passes_on); only a matter of speed.
    const PASSES_ON: u32 = 0;
    /// Whether the operation is [elementwise](OpDef::elementwise): its kernels look at no shape, and a random one draws
    /// from [`Call::first`] on.
    const ELEMENTWISE: bool = false;
    /// Precomputes from constant operands; only a matter of speed.
    const PREPARE: Option<Prepare> = None;
    /// The operand whose numbers, rounded, lie from zero to attribute 0; others are refused before they are recorded.
    const INDEX: Option<usize> = None;

    /// Computes the output from the operands; a sink sets its term.
    fn forward<F: Real>(call: &mut Call<'_, F>);

    /// Writes or adds to the adjoint of each operand that asks for one (`call.grad(k)`).
    ///
    /// A sink sets its term here as well, and finds the derivative of the log density by its term in `call.weight()`.
    fn backward<F: Real>(call: &mut Call<'_, F>);

    /// The definition that nodes point to.
    const DEF: &'static OpDef = &OpDef {
        name: Self::NAME,
        role: Self::ROLE,
        no_grad: Self::NO_GRAD,
        passes_on: Self::PASSES_ON,
        elementwise: Self::ELEMENTWISE,
        forward: Kernel {
            f64: Self::forward::<f64>,
            f32: Self::forward::<f32>,
        },
        backward: Kernel {
            f64: Self::backward::<f64>,
            f32: Self::backward::<f32>,
        },
        prepare: Self::PREPARE,
        index: Self::INDEX,
    };
}
