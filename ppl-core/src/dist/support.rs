//! The support of a distribution at run time, with its bounds.

use crate::tape::var::Var;

/// The set of the values of a distribution; bounds may depend on other sites.
#[derive(Clone, Copy, Debug)]
pub enum Support<'t> {
    /// All real numbers.
    Real,
    /// The numbers above zero.
    Positive,
    /// The numbers between zero and one.
    UnitInterval,
    /// The numbers between two bounds.
    Interval(Var<'t>, Var<'t>),
    /// Vectors of numbers above zero that sum to one.
    Simplex,
    /// Vectors whose elements ascend.
    Ordered,
    /// Lower triangular matrices with a positive diagonal.
    LowerCholesky,
    /// False and true, as zero and one.
    Boolean,
    /// The categories 0, …, k − 1.
    Category(usize),
    /// Vectors of zeros with a single one.
    OneHot(usize),
    /// The numbers 0, 1, …, up to a bound if there is one.
    Count(Option<Var<'t>>),
}

impl Support<'_> {
    /// Returns whether the values are isolated points, which have no gradient.
    pub fn is_discrete(&self) -> bool {
        matches!(
            self,
            Support::Boolean | Support::Category(_) | Support::OneHot(_) | Support::Count(_)
        )
    }
}
