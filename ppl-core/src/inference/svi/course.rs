//! What the losses of a run say about its end: whether the bound still moves, swings or has been lost.

use crate::diagnostics::GuideWarning;

/// The end of a run of fewer steps is not judged.
const MIN_STEPS: usize = 40;

/// The number of stretches that the last tenth of the steps is cut into, whose means differ by the noise alone if the bound
/// stands still.
const STRETCHES: usize = 10;

/// Means that differ by this many Monte Carlo errors differ.
const MAX_ERRORS: f64 = 4.0;

/// A bound that moves by less than this, in nats, has converged.
const SMALL: f64 = 0.1;

/// How many times as far as the noise explains means of stretches may spread.
const MAX_SPREAD: f64 = 4.0;

/// How many distances of the quartiles a step may lie above the median loss, and how many nats.
const SPIKE: (f64, f64) = (100.0, 10.0);

/// Returns what is wrong with the end of a run, given −ELBO of its steps.
///
/// The last tenth of the steps is compared with the tenth before, and with the best tenth; in short runs the parts are of
/// twenty steps. One reason suffices: a bound that moves is not said to swing.
pub(super) fn warnings(losses: &[f64]) -> Vec<GuideWarning> {
    let n = losses.len();
    if n < MIN_STEPS {
        return vec![GuideWarning::TooFewSteps { n }];
    }
    let len = (n / 10).max(MIN_STEPS / 2);
    let (before, last) = (&losses[n - 2 * len..n - len], &losses[n - len..]);
    let mut found: Vec<GuideWarning> = spikes(last).into_iter().collect();
    let moves = fell(losses, last).or_else(|| moves(before, last));
    found.extend(moves.or_else(|| swings(last)));
    found
}

/// A mean with its Monte Carlo error, by the means of stretches.
struct Mean {
    mean: f64,
    error: f64,
}

impl Mean {
    fn of(losses: &[f64]) -> Self {
        let means = stretches(losses);
        let (mean, sd) = mean_and_sd(&means);
        Mean {
            mean,
            error: sd / (means.len() as f64).sqrt(),
        }
    }

    /// Returns by how much this mean is above another, and the error of that, if it is by more than noise and not small.
    fn above(&self, other: &Mean) -> Option<(f64, f64)> {
        let (difference, error) = (self.mean - other.mean, self.error.hypot(other.error));
        (difference > SMALL && difference > MAX_ERRORS * error).then_some((difference, error))
    }
}

fn moves(before: &[f64], last: &[f64]) -> Option<GuideWarning> {
    let (before, last) = (Mean::of(before), Mean::of(last));
    let rise = before.above(&last);
    let fall = || last.above(&before).map(|(fall, error)| (-fall, error));
    rise.or_else(fall)
        .map(|(rise, error)| GuideWarning::BoundMoves { rise, error })
}

fn fell(losses: &[f64], last: &[f64]) -> Option<GuideWarning> {
    let parts = losses[..losses.len() - last.len()]
        .rchunks_exact(last.len())
        .map(Mean::of);
    let best = parts.min_by(|a, b| a.mean.total_cmp(&b.mean))?;
    let last = Mean::of(last);
    // The best of ten means is below their common expectation by two errors.
    let limit = 2.0 * MAX_ERRORS * best.error.hypot(last.error);
    let (difference, _) = last.above(&best)?;
    (difference > limit.max(1.0)).then_some(GuideWarning::BoundFell {
        best: -best.mean,
        last: -last.mean,
    })
}

fn swings(last: &[f64]) -> Option<GuideWarning> {
    let (_, spread) = mean_and_sd(&stretches(last));
    let noise = noise(last) / (last.len() as f64 / STRETCHES as f64).sqrt();
    (spread > 1.0 && spread > MAX_SPREAD * noise).then_some(GuideWarning::BoundSwings { spread, noise })
}

/// Returns the standard deviation of the noise from step to step, which slow changes are no part of: that of the differences
/// of neighbours, over √2.
fn noise(losses: &[f64]) -> f64 {
    let differences = losses.windows(2).map(|pair| (pair[1] - pair[0]).powi(2));
    (differences.sum::<f64>() / (2.0 * (losses.len() - 1) as f64)).sqrt()
}

fn spikes(last: &[f64]) -> Option<GuideWarning> {
    let mut sorted = last.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |quarter: usize| sorted[quarter * (sorted.len() - 1) / 4];
    let border = at(2) + (SPIKE.0 * (at(3) - at(1))).max(SPIKE.1);
    let n = sorted.iter().filter(|&&x| x > border).count();
    (n > 0).then(|| GuideWarning::BoundSpikes {
        n,
        lowest: -at(4),
        median: -at(2),
    })
}

/// Returns the means of stretches of equal length; steps that are left over at the start do not count.
fn stretches(losses: &[f64]) -> Vec<f64> {
    let stretch = losses.rchunks_exact(losses.len() / STRETCHES);
    stretch.map(|s| s.iter().sum::<f64>() / s.len() as f64).collect()
}

/// Returns the mean and the standard deviation, computed about the first value, as losses may be large and near each other.
fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let (n, first) = (values.len() as f64, values[0]);
    let shift = values.iter().map(|x| x - first).sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - first - shift).powi(2)).sum();
    (first + shift, (squares / (n - 1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::rng::Key;

    /// Returns losses about `level` of the step, with a noise of one.
    fn losses(n: usize, seed: u64, level: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut rng = Key::new(seed).generator();
        let mut noisy = |i: usize| {
            let noise: f64 = StandardNormal.sample(&mut rng);
            level(i as f64 / n as f64) + noise
        };
        (0..n).map(&mut noisy).collect()
    }

    #[test]
    fn a_bound_that_stands_still_at_the_end_gives_no_warning() {
        for seed in 0..50 {
            for n in [40, 333, 5000] {
                let still = losses(n, seed, |_| 1e6);
                assert_eq!(warnings(&still), [], "{n} steps, seed {seed}");
                let descended = losses(n, seed, |t| 1e4 * (-40.0 * t).exp());
                assert!(n < 333 || warnings(&descended).is_empty(), "{n} steps, seed {seed}");
            }
        }
    }

    #[test]
    fn a_run_too_short_to_judge_says_so() {
        assert_eq!(warnings(&losses(39, 1, |_| 0.0)), [GuideWarning::TooFewSteps { n: 39 }]);
        assert_eq!(warnings(&[]), [GuideWarning::TooFewSteps { n: 0 }]);
    }

    #[test]
    fn a_bound_that_moves_at_the_end_is_told_with_its_rise() {
        for (slope, name) in [(-50.0, "rises"), (50.0, "falls")] {
            let found = warnings(&losses(2000, 1, |t| 100.0 + slope * t * t));
            let [warning] = found.as_slice() else {
                panic!("{name}: {found:?}")
            };
            match warning {
                // From 0.85² to 0.95².
                GuideWarning::BoundMoves { rise, error } => {
                    assert!((rise - 9.0).abs() < 0.5 && *error < 2.0, "{name}: {warning}");
                    assert!(slope < 0.0);
                }
                GuideWarning::BoundFell { best, last } => assert!(slope > 0.0 && best > last, "{name}: {warning}"),
                _ => panic!("{name}: {warning}"),
            }
        }
    }

    #[test]
    fn a_bound_that_was_lost_swings_or_spikes_is_told() {
        let lost = warnings(&losses(2000, 1, |t| if t < 0.5 { 10.0 } else { 4e11 }));
        assert!(matches!(lost[..], [GuideWarning::BoundFell { .. }]), "{lost:?}");
        let swings = warnings(&losses(2000, 1, |t| 10.0 * (400.0 * t).sin()));
        assert!(matches!(swings[..], [GuideWarning::BoundSwings { .. }]), "{swings:?}");
        let mut spiky = losses(2000, 1, |_| 0.0);
        spiky[1950] = 1e9;
        let found = warnings(&spiky);
        assert!(
            matches!(found[..], [GuideWarning::BoundSpikes { n: 1, .. }]),
            "{found:?}"
        );
        assert!(
            found[0].to_string().contains("at -1.000e9 where the median is"),
            "{}",
            found[0]
        );
    }
}
