//! Discrete latents: which kinds there are, and a symmetric move for each.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::distributions::support::Support;

/// The values of a discrete latent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discrete {
    /// Zero and one.
    Boolean,
    /// The categories 0, …, k − 1.
    Category(usize),
    /// Rows of k zeros with a single one.
    OneHot(usize),
    /// The numbers 0, 1, …
    Count,
}

impl Discrete {
    /// Returns the kind of a support, or `None` if it is continuous.
    pub fn of(support: &Support<'_>) -> Option<Self> {
        match support {
            Support::Boolean => Some(Discrete::Boolean),
            Support::Category(k) => Some(Discrete::Category(*k)),
            Support::OneHot(k) => Some(Discrete::OneHot(*k)),
            Support::Count(_) => Some(Discrete::Count),
            _ => None,
        }
    }

    /// Returns how many numbers one point takes.
    pub fn width(self) -> usize {
        match self {
            Discrete::OneHot(k) => k,
            _ => 1,
        }
    }

    /// Returns how many values a point can have, `None` if there is no bound.
    pub fn n_values(self) -> Option<usize> {
        match self {
            Discrete::Boolean => Some(2),
            Discrete::Category(k) | Discrete::OneHot(k) => Some(k),
            Discrete::Count => None,
        }
    }

    /// Returns the number of the value of a point, from zero.
    pub fn index(self, point: &[f64]) -> usize {
        match self {
            Discrete::OneHot(_) => point.iter().position(|&x| x == 1.0).unwrap_or(0),
            _ => point[0] as usize,
        }
    }

    /// Gives a point the value of this number.
    pub fn set(self, point: &mut [f64], index: usize) {
        match self {
            Discrete::OneHot(_) => {
                point.fill(0.0);
                point[index] = 1.0;
            }
            _ => point[0] = index as f64,
        }
    }

    /// Moves one point to another, as likely as the way back: a truth value flips, a category becomes any other, a count
    /// steps up or down by 1 + ⌊`scale` |ε|⌋ with standard normal ε. A count below zero has no density.
    pub fn propose(self, point: &mut [f64], scale: f64, rng: &mut impl Rng) {
        match self {
            Discrete::Boolean => point[0] = 1.0 - point[0],
            Discrete::Category(k) => point[0] = another(point[0] as usize, k, rng) as f64,
            Discrete::OneHot(k) => {
                let to = another(self.index(point), k, rng);
                self.set(point, to);
            }
            Discrete::Count => {
                let noise: f64 = StandardNormal.sample(rng);
                let step = 1.0 + (scale * noise.abs()).floor();
                point[0] += if noise < 0.0 { -step } else { step };
            }
        }
    }
}

/// Returns one of the other numbers below `k`, each as likely as any; `from` itself if there is no other.
fn another(from: usize, k: usize, rng: &mut impl Rng) -> usize {
    if k < 2 {
        return from;
    }
    let to = rng.random_range(0..k - 1);
    if to < from { to } else { to + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    #[test]
    fn every_other_category_is_equally_likely() {
        let mut rng = Key::new(3).generator();
        let mut counts = [0; 4];
        for _ in 0..30_000 {
            let mut point = [2.0];
            Discrete::Category(4).propose(&mut point, 1.0, &mut rng);
            counts[point[0] as usize] += 1;
        }
        assert_eq!(counts[2], 0);
        let chi2: f64 = [0, 1, 3].iter().map(|&i| (counts[i] as f64 - 1e4).powi(2) / 1e4).sum();
        assert!(
            chi2 < 18.4,
            "chi-square {chi2} on 2 degrees of freedom, counts {counts:?}"
        );
    }

    #[test]
    fn steps_of_a_count_are_symmetric_and_never_zero() {
        let mut rng = Key::new(4).generator();
        let mut net = 0.0;
        let mut spread = 0.0;
        for _ in 0..40_000 {
            let mut point = [10.0];
            Discrete::Count.propose(&mut point, 2.0, &mut rng);
            assert_ne!(point[0], 10.0);
            net += point[0] - 10.0;
            spread += (point[0] - 10.0).powi(2);
        }
        assert!(net.abs() / spread.sqrt() < 4.0, "net {net}, spread {spread}");
    }

    #[test]
    fn a_value_has_one_number() {
        for (kind, n) in [
            (Discrete::Boolean, 2),
            (Discrete::Category(5), 5),
            (Discrete::OneHot(4), 4),
        ] {
            assert_eq!(kind.n_values(), Some(n));
            let mut point = vec![0.0; kind.width()];
            for k in 0..n {
                kind.set(&mut point, k);
                assert_eq!(kind.index(&point), k);
            }
        }
        assert_eq!(Discrete::Count.n_values(), None);
    }

    #[test]
    fn a_row_keeps_a_single_one() {
        let mut rng = Key::new(5).generator();
        let mut row = [0.0, 1.0, 0.0];
        for _ in 0..20 {
            let before = row;
            Discrete::OneHot(3).propose(&mut row, 1.0, &mut rng);
            assert_ne!(row, before);
            assert_eq!(
                (row.iter().sum::<f64>(), row.iter().filter(|&&x| x == 1.0).count()),
                (1.0, 1)
            );
        }
    }
}
