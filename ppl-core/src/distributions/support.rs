//! The support of a distribution at run time, with its bounds.

use crate::tape::var::Var;

/// The set of the values of a distribution; bounds may depend on other sites.
pub type Support<'t> = Bounded<Var<'t>>;

/// A set of values with bounds of type `B`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bounded<B> {
    /// All real numbers.
    Real,
    /// The numbers above zero.
    Positive,
    /// The numbers between zero and one.
    UnitInterval,
    /// The numbers between two bounds.
    Interval(B, B),
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
    Count(Option<B>),
}

impl<B> Bounded<B> {
    /// Returns whether the values are isolated points, which have no gradient.
    pub fn is_discrete(&self) -> bool {
        matches!(
            self,
            Bounded::Boolean | Bounded::Category(_) | Bounded::OneHot(_) | Bounded::Count(_)
        )
    }

    /// Returns the same set with bounds of another type.
    pub fn map<C>(self, mut f: impl FnMut(B) -> C) -> Bounded<C> {
        match self {
            Bounded::Interval(low, high) => Bounded::Interval(f(low), f(high)),
            Bounded::Count(most) => Bounded::Count(most.map(f)),
            Bounded::Real => Bounded::Real,
            Bounded::Positive => Bounded::Positive,
            Bounded::UnitInterval => Bounded::UnitInterval,
            Bounded::Simplex => Bounded::Simplex,
            Bounded::Ordered => Bounded::Ordered,
            Bounded::LowerCholesky => Bounded::LowerCholesky,
            Bounded::Boolean => Bounded::Boolean,
            Bounded::Category(k) => Bounded::Category(k),
            Bounded::OneHot(k) => Bounded::OneHot(k),
        }
    }
}

impl Bounded<f64> {
    /// Returns whether a number can be an element of a value in the set; zero and the bounds count as inside.
    pub fn can_hold(&self, x: f64) -> bool {
        match *self {
            Bounded::Real | Bounded::Ordered | Bounded::LowerCholesky => !x.is_nan(),
            Bounded::Positive => x >= 0.0,
            Bounded::UnitInterval | Bounded::Simplex => (0.0..=1.0).contains(&x),
            Bounded::Interval(low, high) => (low..=high).contains(&x),
            Bounded::Boolean | Bounded::OneHot(_) => x == 0.0 || x == 1.0,
            Bounded::Category(k) => x >= 0.0 && x < k as f64 && x.fract() == 0.0,
            Bounded::Count(most) => x >= 0.0 && x <= most.unwrap_or(f64::INFINITY) && x.fract() == 0.0,
        }
    }

    /// Returns whether a number lies on the edge of a continuous set: [`Bounded::can_hold`] counts it as inside, but a
    /// density may be zero or infinite there.
    pub fn is_edge(&self, x: f64) -> bool {
        match *self {
            Bounded::Positive => x == 0.0,
            Bounded::UnitInterval | Bounded::Simplex => x == 0.0 || x == 1.0,
            Bounded::Interval(low, high) => x == low || x == high,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_its_elements_and_no_others() {
        type Set = Bounded<f64>;
        let cases: [(Set, &[f64], &[f64]); 7] = [
            (Bounded::Real, &[-3.5, 0.0], &[f64::NAN]),
            (Bounded::Positive, &[0.0, 7.0], &[-0.1, f64::NAN]),
            (Bounded::Simplex, &[0.0, 0.3, 1.0], &[-0.1, 1.1]),
            (Bounded::Interval(2.0, 3.0), &[2.0, 2.5, 3.0], &[1.9, 3.1]),
            (Bounded::Boolean, &[0.0, 1.0], &[0.5, 2.0, -1.0]),
            (Bounded::Category(3), &[0.0, 2.0], &[3.0, -1.0, 0.5]),
            (Bounded::Count(Some(4.0)), &[0.0, 4.0], &[5.0, -1.0, 0.5]),
        ];
        for (set, inside, outside) in cases {
            assert!(inside.iter().all(|&x| set.can_hold(x)), "{set:?} holds {inside:?}");
            assert!(
                !outside.iter().any(|&x| set.can_hold(x)),
                "{set:?} holds none of {outside:?}"
            );
        }
        assert!(Bounded::<f64>::Count(None).can_hold(1e9));
        assert!(matches!(
            Bounded::Count(Some(2.0)).map(|x| x as usize),
            Bounded::Count(Some(2))
        ));
    }
}
