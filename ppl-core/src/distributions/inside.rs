//! Whether a value lies inside of a set, off its edges, and in words where and why not.

use crate::distributions::support::Bounded;
use crate::tape::store::Precision;
use crate::tensor::shape::size;

/// How many elements of a vector are printed.
const MOST: usize = 8;

/// Returns the first reason why `values`, row after row of shape `event`, do not all lie inside of a set, or `None` if they
/// do; `set` gives it for an element.
///
/// The edges of a continuous set count as outside: no unconstrained value leads there. The sum of a simplex may be off by
/// rounding in `precision`.
pub fn fault(
    set: impl Fn(usize) -> Bounded<f64>,
    values: &[f64],
    event: &[usize],
    precision: Precision,
) -> Option<String> {
    let each = |i: usize| {
        let (set, x) = (set(i), values[i]);
        let is_inside = x.is_finite() && set.can_hold(x) && !set.is_edge(x);
        let element = if values.len() == 1 {
            String::new()
        } else {
            format!(" at element {i}")
        };
        (!is_inside).then(|| format!("{x}{element} does not lie inside of {}", name(&set)))
    };
    if let Some(message) = (0..values.len()).find_map(each) {
        return Some(message);
    }
    let len = match values.first().map(|_| set(0))? {
        Bounded::LowerCholesky => size(&event[event.len().saturating_sub(2)..]),
        _ => event.last().copied().unwrap_or(1),
    };
    let rows = values.chunks(len.max(1)).enumerate();
    rows.into_iter()
        .find_map(|(k, row)| fault_of_row(&set(k * len), row, event, precision))
}

/// Returns the reason why a vector or matrix, whose elements are allowed, does not lie in a set.
fn fault_of_row(set: &Bounded<f64>, row: &[f64], event: &[usize], precision: Precision) -> Option<String> {
    let why = match set {
        Bounded::Simplex => {
            let sum: f64 = row.iter().sum();
            let tolerance = match precision {
                Precision::F64 => 1e-6,
                Precision::F32 => 1e-3,
            };
            ((sum - 1.0).abs() > tolerance).then(|| format!("its sum is {sum}"))
        }
        Bounded::Ordered => {
            let at = row.windows(2).position(|pair| pair[0] >= pair[1])?;
            Some(format!("element {} is not above the one before it", at + 1))
        }
        Bounded::LowerCholesky => {
            let n = event.last().copied().unwrap_or(1);
            let cell = |at: usize| (at / n, at % n, row[at]);
            let mut cells = (0..row.len()).map(cell);
            let (i, j, x) = cells.find(|&(i, j, x)| (i == j && x <= 0.0) || (j > i && x != 0.0))?;
            let wanted = if i == j {
                "not above zero"
            } else {
                "above the diagonal, where zeros stand"
            };
            Some(format!("element [{i}, {j}] is {x}, {wanted}"))
        }
        Bounded::OneHot(_) => {
            let n_ones = row.iter().filter(|&&x| x == 1.0).count();
            (n_ones != 1).then(|| format!("it has {n_ones} ones"))
        }
        _ => None,
    };
    why.map(|why| format!("{} is not {}: {why}", shown(row), name(set)))
}

/// Returns the set in words.
fn name(set: &Bounded<f64>) -> String {
    match set {
        Bounded::Real => "the real numbers".to_string(),
        Bounded::Positive => "the positive numbers".to_string(),
        Bounded::UnitInterval => "the interval from 0 to 1".to_string(),
        Bounded::Interval(low, high) => format!("the interval from {low} to {high}"),
        Bounded::Simplex => "a simplex".to_string(),
        Bounded::Ordered => "an ascending vector".to_string(),
        Bounded::LowerCholesky => "a lower triangle with a positive diagonal".to_string(),
        Bounded::Boolean => "the set of 0 and 1".to_string(),
        Bounded::Category(k) => format!("the categories 0 to {}", k.saturating_sub(1)),
        Bounded::OneHot(k) => format!("a row of {k} zeros with a single one"),
        Bounded::Count(None) => "the counts 0, 1, …".to_string(),
        Bounded::Count(Some(most)) => format!("the counts 0 to {most}"),
    }
}

fn shown(row: &[f64]) -> String {
    let rest = if row.len() > MOST { ", …" } else { "" };
    let first: Vec<String> = row.iter().take(MOST).map(f64::to_string).collect();
    format!("[{}{rest}]", first.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(set: Bounded<f64>, values: &[f64], event: &[usize]) -> String {
        fault(|_| set, values, event, Precision::F64).unwrap_or_default()
    }

    #[test]
    fn values_inside_have_no_fault() {
        let cases: [(Bounded<f64>, &[f64], &[usize]); 8] = [
            (Bounded::Real, &[-3.0], &[]),
            (Bounded::Positive, &[1e-300, 2.0], &[2]),
            (Bounded::Interval(1.0, 2.0), &[1.5], &[]),
            (Bounded::Simplex, &[0.5, 0.5, 0.2, 0.8 + 1e-9], &[2, 2]),
            (Bounded::Ordered, &[1.0, 2.0, 0.0, 3.0], &[2]),
            (Bounded::LowerCholesky, &[1.0, 0.0, -2.0, 3.0], &[2, 2]),
            (Bounded::OneHot(2), &[0.0, 1.0], &[2]),
            (Bounded::Simplex, &[], &[0]),
        ];
        for (set, values, event) in cases {
            assert_eq!(text(set, values, event), "", "{set:?}");
        }
    }

    #[test]
    fn the_fault_tells_the_values_and_the_place() {
        assert_eq!(
            text(Bounded::Positive, &[1.0, 0.0], &[2]),
            "0 at element 1 does not lie inside of the positive numbers"
        );
        assert_eq!(
            text(Bounded::Real, &[f64::NAN], &[]),
            "NaN does not lie inside of the real numbers"
        );
        assert_eq!(
            text(Bounded::Interval(1.0, 2.0), &[2.0], &[]),
            "2 does not lie inside of the interval from 1 to 2"
        );
        assert_eq!(
            text(Bounded::Simplex, &[0.5, 0.75], &[2]),
            "[0.5, 0.75] is not a simplex: its sum is 1.25"
        );
        assert_eq!(
            text(Bounded::Ordered, &[0.0, 1.0, 2.0, 2.0], &[2]),
            "[2, 2] is not an ascending vector: element 1 is not above the one before it"
        );
        assert_eq!(
            text(Bounded::LowerCholesky, &[1.0, 0.5, 0.0, 1.0], &[2, 2]),
            "[1, 0.5, 0, 1] is not a lower triangle with a positive diagonal: element [0, 1] is 0.5, above the diagonal, \
             where zeros stand"
        );
        assert_eq!(
            text(Bounded::LowerCholesky, &[1.0, 0.0, 0.5, -1.0], &[2, 2]),
            "[1, 0, 0.5, -1] is not a lower triangle with a positive diagonal: element [1, 1] is -1, not above zero"
        );
        assert_eq!(
            text(Bounded::OneHot(2), &[1.0, 1.0], &[2]),
            "[1, 1] is not a row of 2 zeros with a single one: it has 2 ones"
        );
    }
}
