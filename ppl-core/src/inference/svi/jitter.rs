//! How far the draws of a guide still move with its parameters at the end of a run.

use ndarray::{ArrayViewD, Axis};

use crate::diagnostics::GuideWarning;
use crate::inference::site_rows::KeptSite;
use crate::inference::svi::guide_draws::{GuideDraws, Origin};
use crate::program::compile::Program;
use crate::tape::store::Scalar;

/// The number of draws that are followed along the parameters.
const FOLLOWED: u64 = 8;

/// The fewest draws that a standard deviation is computed from.
const MIN_DRAWS: usize = 200;

/// A draw that moves by this many standard deviations is too noisy.
const MAX_RATIO: f64 = 0.5;

/// Returns the warning of a guide whose draws move by a sizeable part of their standard deviation while the parameters run
/// through those of the last steps, `iterates`, the random numbers of a draw staying as they are.
///
/// Latents that the guide gives one value have no standard deviation to compare with. Nor is there an answer where each draw
/// of the guide was recorded by itself.
pub(super) fn warning(guide: &GuideDraws, iterates: &[&[f64]]) -> Option<GuideWarning> {
    if iterates.is_empty() {
        return None;
    }
    let moved = match &guide.origin {
        Origin::F64(program) => variances(guide, program, iterates),
        Origin::F32(program) => variances(guide, program, iterates),
        Origin::Recorded(_) => return None,
    };
    let more;
    let draws = match guide.sampler.n_draws {
        n if n >= MIN_DRAWS => &guide.all().draws,
        _ => {
            more = guide.draw(MIN_DRAWS);
            &more
        }
    };
    let ratio = |(site, moved): (&KeptSite, Vec<f64>)| {
        let own = variance_of_draws(draws.get(&site.address)?);
        let ratios = moved.iter().zip(own).filter(|(_, own)| *own > 0.0);
        let largest = ratios.map(|(moved, own)| (moved / own).sqrt()).fold(0.0, f64::max);
        (largest > MAX_RATIO).then(|| (site.address.clone(), largest))
    };
    let noisy: Vec<(String, f64)> = guide.sites.iter().zip(moved).filter_map(ratio).collect();
    let n_sites = noisy.len();
    let (site, ratio) = noisy.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(GuideWarning::NoisyParameters { site, ratio, n_sites })
}

/// Returns for each element of each site the variance of a draw along the iterates, as a mean over some draws.
fn variances<F: Scalar>(guide: &GuideDraws, program: &Program<F>, iterates: &[&[f64]]) -> Vec<Vec<f64>> {
    let mut workspace = program.workspace();
    let thetas: Vec<Vec<F>> = iterates
        .iter()
        .map(|v| v.iter().map(|&x| F::from_f64(x)).collect())
        .collect();
    let mut all: Vec<Vec<f64>> = vec![Vec::new(); guide.sites.len()];
    for draw in 0..FOLLOWED {
        workspace.key = guide.sampler.key.split(draw);
        let mut moments: Vec<Vec<Moments>> = vec![Vec::new(); guide.sites.len()];
        for theta in &thetas {
            program.value(&mut workspace, theta);
            for (k, moments) in moments.iter_mut().enumerate() {
                let (values, _) = program.output(&workspace, theta, k);
                moments.resize(values.len(), Moments::default());
                moments.iter_mut().zip(values).for_each(|(m, x)| m.add(x.to_f64()));
            }
        }
        for (sums, moments) in all.iter_mut().zip(&moments) {
            sums.resize(moments.len(), 0.0);
            let variances = moments.iter().map(Moments::variance);
            sums.iter_mut()
                .zip(variances)
                .for_each(|(sum, v)| *sum += v / FOLLOWED as f64);
        }
    }
    all
}

/// Returns the variance of each element of `[chain, draw, event…]`.
fn variance_of_draws(values: ArrayViewD<'_, f64>) -> Vec<f64> {
    let mut moments = vec![Moments::default(); values.shape()[2..].iter().product()];
    for draw in values.index_axis(Axis(0), 0).outer_iter() {
        moments.iter_mut().zip(draw).for_each(|(m, &x)| m.add(x));
    }
    moments.iter().map(Moments::variance).collect()
}

/// Count, mean and sum of squares about it, value by value (Welford 1962).
#[derive(Clone, Copy, Default)]
struct Moments {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, x: f64) {
        self.n += 1.0;
        let before = x - self.mean;
        self.mean += before / self.n;
        self.squares += before * (x - self.mean);
    }

    fn variance(&self) -> f64 {
        self.squares / (self.n - 1.0)
    }
}
