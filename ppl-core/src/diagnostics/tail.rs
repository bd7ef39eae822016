//! The tail of weights or draws: how many of the largest it holds, which they are, and what is fitted to them.

use crate::diagnostics::pareto::Pareto;

/// The fewest numbers that a tail is fitted to.
pub(super) const MIN_TAIL: usize = 5;

/// Above this number of effective draws the tail grows with its square root; below, it is a fifth of all.
const MANY_DRAWS: f64 = 225.0;

/// Returns how many of the largest of `n` numbers are the tail; the efficiency may be any number.
pub(super) fn tail_length(n: usize, r_eff: f64) -> usize {
    let size = n as f64;
    let length = if size * r_eff > MANY_DRAWS {
        3.0 * (size / r_eff).sqrt()
    } else {
        size / 5.0
    };
    length as usize
}

/// Returns the largest number below the `n_tail` largest, and the positions of these in ascending order.
pub(super) fn upper(x: &[f64], n_tail: usize) -> Option<(f64, Vec<usize>)> {
    let below = x.len().checked_sub(n_tail + 1).filter(|_| n_tail >= MIN_TAIL)?;
    let mut order: Vec<usize> = (0..x.len()).collect();
    let ascending = |a: &usize, b: &usize| x[*a].total_cmp(&x[*b]).then(a.cmp(b));
    let (_, &mut border, largest) = order.select_nth_unstable_by(below, ascending);
    largest.sort_unstable_by(ascending);
    Some((x[border], largest.to_vec()))
}

/// Returns the distribution of sorted excesses, and how many of them at the border it leaves out; there is none if too few are
/// left or these are all equal.
///
/// The fit divides by the first quartile: where it is zero, all zeros are left out.
pub(super) fn fit(excesses: &[f64]) -> Option<(usize, Pareto)> {
    let n_equal = match Pareto::quartile(excesses) {
        0.0 => excesses.iter().take_while(|x| **x == 0.0).count(),
        _ => 0,
    };
    let rest = &excesses[n_equal..];
    let has_spread = rest.len() >= MIN_TAIL && rest[0] < rest[rest.len() - 1];
    has_spread.then(|| (n_equal, Pareto::fit(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_a_fifth_of_few_draws_and_grows_with_the_root_of_many() {
        let rows = [
            (100, 1.0, 20),
            (225, 1.0, 45),
            (226, 1.0, 45),
            (4000, 1.0, 189),
            (4000, 0.25, 379),
            (4000, 0.01, 800),
            (4000, f64::NAN, 800),
            (24, 1.0, 4),
            (0, 1.0, 0),
        ];
        for (n, r_eff, expected) in rows {
            assert_eq!(tail_length(n, r_eff), expected, "{n} draws of efficiency {r_eff}");
        }
    }
}
