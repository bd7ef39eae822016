//! The ranges that settings of optimisers have to lie in.

use crate::error::{Error, Result, number};

/// What a setting may be.
#[derive(Clone, Copy)]
pub(super) enum Range {
    /// A learning rate, a factor on it, or a number added to a divisor.
    FromZero,
    /// The part of a running average that is kept in each step.
    Memory,
    /// A factor by which something falls, or stays as it is.
    Decay,
    /// A limit or a length, which may be infinite.
    Positive,
}

impl Range {
    fn holds(self, x: f64) -> bool {
        match self {
            Range::FromZero => x >= 0.0 && x.is_finite(),
            Range::Memory => (0.0..1.0).contains(&x),
            Range::Decay => x > 0.0 && x <= 1.0,
            Range::Positive => x > 0.0,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Range::FromZero => "a finite number from zero on",
            Range::Memory => "from zero on and below one",
            Range::Decay => "above zero and at most one",
            Range::Positive => "above zero",
        }
    }
}

/// Refuses the first setting of an optimiser that is out of its range, in words that name optimiser, step and number.
pub(super) fn check<'a>(
    optimizer: &str,
    step: u64,
    settings: impl IntoIterator<Item = (&'a str, f64, Range)>,
) -> Result<()> {
    match settings.into_iter().find(|&(_, x, range)| !range.holds(x)) {
        None => Ok(()),
        Some((name, x, range)) => Err(Error::Invalid(format!(
            "step {step} of {optimizer}: the {name} is {}; it has to be {}",
            number(x),
            range.text()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_end_where_they_say() {
        let below = 1.0 - f64::EPSILON / 2.0;
        let rows: [(Range, &[f64], &[f64]); 4] = [
            (Range::FromZero, &[0.0, 1e308], &[-5e-324, f64::INFINITY]),
            (Range::Memory, &[0.0, below], &[-5e-324, 1.0]),
            (Range::Decay, &[5e-324, 1.0], &[0.0, 1.0 + f64::EPSILON]),
            (Range::Positive, &[5e-324, f64::INFINITY], &[0.0, -1.0]),
        ];
        for (range, inside, outside) in rows {
            let is_allowed = |x: f64| check("Sgd", 1, [("momentum", x, range)]).is_ok();
            assert!(inside.iter().all(|&x| is_allowed(x)), "{}", range.text());
            let mut refused = outside.iter().copied().chain([f64::NAN, f64::NEG_INFINITY]);
            assert!(refused.all(|x| !is_allowed(x)), "{}", range.text());
        }
    }

    #[test]
    fn the_first_setting_out_of_its_range_is_named() {
        let settings = [
            ("momentum", 0.9, Range::Memory),
            ("decay", 0.0, Range::Decay),
            ("limit", 0.0, Range::Positive),
        ];
        let error = check("Sgd", 7, settings).unwrap_err().to_string();
        assert_eq!(
            error,
            "step 7 of Sgd: the decay is 0; it has to be above zero and at most one"
        );
    }
}
