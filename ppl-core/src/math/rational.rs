//! Rational functions of one variable, with divided differences that do not cancel.

/// A quotient of two polynomials of equal degree, coefficients from the constant term upwards.
pub(crate) struct Rational<const N: usize> {
    /// Coefficients of the numerator.
    pub num: [f64; N],
    /// Coefficients of the denominator.
    pub den: [f64; N],
}

impl<const N: usize> Rational<N> {
    /// Returns num(z) / den(z).
    #[inline]
    pub fn at(&self, z: f64) -> f64 {
        horner(&self.num, z) / horner(&self.den, z)
    }

    /// Returns (R(z₂) − R(z₁)) / (z₂ − z₁), also where z₁ and z₂ nearly or wholly agree.
    pub fn divided_difference(&self, z1: f64, z2: f64) -> f64 {
        let (n1, dn) = horner_difference(&self.num, z1, z2);
        let (d1, dd) = horner_difference(&self.den, z1, z2);
        (dn - n1 / d1 * dd) / horner(&self.den, z2)
    }
}

/// Returns Σ cᵢ zⁱ.
#[inline]
pub(crate) fn horner(coefficients: &[f64], z: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * z + c)
}

/// Returns p(z₁) and (p(z₂) − p(z₁)) / (z₂ − z₁).
fn horner_difference(coefficients: &[f64], z1: f64, z2: f64) -> (f64, f64) {
    coefficients
        .iter()
        .rev()
        .fold((0.0, 0.0), |(value, slope), c| (value * z1 + c, slope * z2 + value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divided_difference_equals_the_quotient() {
        let r = Rational {
            num: [1.0, 2.0, 3.0],
            den: [1.0, 0.5, 0.25],
        };
        let quotient = (r.at(1.5) - r.at(0.5)) / 1.0;
        assert!((r.divided_difference(0.5, 1.5) - quotient).abs() < 1e-15);
    }

    #[test]
    fn divided_difference_at_one_point_is_the_derivative() {
        let r = Rational {
            num: [0.0, 1.0],
            den: [1.0, 1.0],
        };
        assert!((r.divided_difference(2.0, 2.0) - 1.0 / 9.0).abs() < 1e-16);
    }
}
