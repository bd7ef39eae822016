//! The doubling tree of the No-U-Turn sampler: paths that grow until they turn back.
//!
//! The tree is that of Betancourt (2017), *A conceptual introduction to Hamiltonian Monte Carlo*, appendix A: a draw is
//! chosen from the points of the path by their weights e^(−H), uniformly within a sub-tree and with a bias to the new half
//! at the top; a path turns where the sum of its momenta points against that of one of its ends. The check is made for each
//! sub-tree, for the whole, and for each half together with the end of the other that is next to it, without which paths of
//! nearly half a period are missed (Stan 2.21).

use rand::Rng;

use crate::error::Result;
use crate::inference::hamiltonian::leapfrog::PhasePoint;
use crate::inference::hamiltonian::metric::Metric;
use crate::log_density::LogDensity;
use crate::rng::Generator;

/// What the path does with each of its points.
pub(super) struct Path<'a> {
    pub density: &'a mut dyn LogDensity,
    pub metric: &'a Metric,
    /// The length of a step, negative for the way back.
    pub step_size: f64,
    /// The energy at the start.
    pub energy: f64,
    pub max_energy_error: f64,
    /// The end of the path that grows.
    pub end: &'a mut PhasePoint,
    pub tally: &'a mut Tally,
    pub rng: &'a mut Generator,
}

/// What is counted along a path.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tally {
    pub n_steps: usize,
    /// The sum of min(1, e^(H₀ − H)).
    pub sum_acceptance: f64,
    /// The largest H − H₀.
    pub max_energy_error: f64,
    pub is_diverging: bool,
}

/// A part of a path: what the checks need of it, and a draw from its points.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    /// The momentum at the point that was reached first.
    pub first: Vec<f64>,
    /// The momentum at the point that was reached last.
    pub last: Vec<f64>,
    /// The sum of the momenta.
    pub sum: Vec<f64>,
    /// ln Σ e^(H₀ − H).
    pub ln_weight: f64,
    /// The point that was drawn.
    pub draw: Drawn,
}

/// A point that a chain may go to.
#[derive(Clone, Debug, Default)]
pub(super) struct Drawn {
    pub position: Vec<f64>,
    pub gradient: Vec<f64>,
    pub log_density: f64,
    pub energy: f64,
}

impl Tree {
    pub(super) fn new(dim: usize) -> Self {
        Tree {
            first: vec![0.0; dim],
            last: vec![0.0; dim],
            sum: vec![0.0; dim],
            ln_weight: f64::NEG_INFINITY,
            draw: Drawn {
                position: vec![0.0; dim],
                gradient: vec![0.0; dim],
                ..Drawn::default()
            },
        }
    }

    /// Becomes the tree of one point.
    pub(super) fn set(&mut self, point: &PhasePoint, energy: f64, ln_weight: f64) {
        self.first.copy_from_slice(&point.momentum);
        self.last.copy_from_slice(&point.momentum);
        self.sum.copy_from_slice(&point.momentum);
        self.ln_weight = ln_weight;
        self.draw.position.copy_from_slice(&point.position);
        self.draw.gradient.copy_from_slice(&point.gradient);
        self.draw.log_density = point.log_density;
        self.draw.energy = energy;
    }

    /// Becomes the tree of the next 2^`depth` points of the path; `spare` has a tree for each depth below.
    ///
    /// Returns whether the path may go on: it neither diverges nor turns within the tree.
    pub(super) fn grow(&mut self, path: &mut Path<'_>, depth: usize, spare: &mut [Tree]) -> Result<bool> {
        let Some((second, spare)) = spare[..depth].split_last_mut() else {
            return self.step(path);
        };
        if !(self.grow(path, depth - 1, spare)? && second.grow(path, depth - 1, spare)?) {
            return Ok(false);
        }
        let goes_on = !(if depth == 1 {
            pair_turns(self, second)
        } else {
            turns(self, second)
        });
        let is_chosen = path.rng.random::<f64>() < (second.ln_weight - ln_add(self.ln_weight, second.ln_weight)).exp();
        self.append(second, is_chosen);
        Ok(goes_on)
    }

    /// Takes a second part that follows this one, and its draw if that was chosen.
    pub(super) fn append(&mut self, second: &mut Tree, is_chosen: bool) {
        std::mem::swap(&mut self.last, &mut second.last);
        self.sum.iter_mut().zip(&second.sum).for_each(|(a, b)| *a += b);
        self.ln_weight = ln_add(self.ln_weight, second.ln_weight);
        if is_chosen {
            std::mem::swap(&mut self.draw, &mut second.draw);
        }
    }

    /// Becomes the same path the other way round.
    pub(super) fn reverse(&mut self) {
        std::mem::swap(&mut self.first, &mut self.last);
    }

    /// Becomes the tree of the next point.
    fn step(&mut self, path: &mut Path<'_>) -> Result<bool> {
        path.end.leapfrog(path.density, path.metric, path.step_size)?;
        let energy = path.end.energy();
        let error = energy - path.energy;
        let tally = &mut *path.tally;
        tally.n_steps += 1;
        tally.sum_acceptance += (-error).exp().min(1.0);
        if error.abs() > tally.max_energy_error.abs() {
            tally.max_energy_error = error;
        }
        tally.is_diverging |= error > path.max_energy_error;
        self.set(path.end, energy, -error);
        Ok(!path.tally.is_diverging)
    }
}

/// Returns whether a path of two parts turns back: as a whole, or one part with the end of the other next to it.
pub(super) fn turns(a: &Tree, b: &Tree) -> bool {
    let n = a.sum.len();
    let (a_first, a_last, a_sum) = (&a.first[..n], &a.last[..n], &a.sum[..n]);
    let (b_first, b_last, b_sum) = (&b.first[..n], &b.last[..n], &b.sum[..n]);
    // One pass over all six, each sum against both its ends.
    let mut along = [0.0; 6];
    for i in 0..n {
        let whole = a_sum[i] + b_sum[i];
        let with_first = a_sum[i] + b_first[i];
        let with_last = a_last[i] + b_sum[i];
        along[0] += whole * a_first[i];
        along[1] += whole * b_last[i];
        along[2] += with_first * a_first[i];
        along[3] += with_first * b_first[i];
        along[4] += with_last * a_last[i];
        along[5] += with_last * b_last[i];
    }
    !along.iter().all(|&x| x > 0.0)
}

/// Returns whether a path of two points turns back; the checks across its halves are that of the whole.
fn pair_turns(a: &Tree, b: &Tree) -> bool {
    let n = a.sum.len();
    let (a, b) = (&a.sum[..n], &b.sum[..n]);
    let mut along = [0.0; 2];
    for i in 0..n {
        let whole = a[i] + b[i];
        along[0] += whole * a[i];
        along[1] += whole * b[i];
    }
    !along.iter().all(|&x| x > 0.0)
}

/// Returns ln(eᵃ + eᵇ).
pub(super) fn ln_add(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY {
        high
    } else {
        high + (low - high).exp().ln_1p()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::hamiltonian::metric::dot;
    use crate::inference::hamiltonian::metric::tests::Banana;
    use crate::rng::Key;
    use rand_distr::{Distribution, StandardNormal};

    const STEP: f64 = 0.35;

    /// Returns a point of the banana with a random momentum.
    fn begin(rng: &mut Generator, metric: &Metric) -> PhasePoint {
        let mut point = PhasePoint::new(2);
        let mut normal = || -> f64 { StandardNormal.sample(rng) };
        point.momentum = vec![normal(), normal()];
        let x = normal();
        point.position = vec![x, 0.5 * normal() - x * x];
        point.log_density = Banana.value_and_gradient(&point.position, &mut point.gradient).unwrap();
        metric.whiten(&point.gradient, &mut point.force);
        point
    }

    /// Returns the momenta of the start and the `n` points behind it, backwards if the step is negative.
    fn momenta(start: &PhasePoint, metric: &Metric, step: f64, n: usize) -> Vec<Vec<f64>> {
        let mut point = start.clone();
        let mut all = vec![point.momentum.clone()];
        for _ in 0..n {
            point.leapfrog(&mut Banana, metric, step).unwrap();
            all.push(point.momentum.clone());
        }
        all
    }

    /// Whether a stretch of a path turns, checked from its definition: the sum over the stretch against its ends.
    fn stretch_turns(stretch: &[Vec<f64>]) -> bool {
        let sum: Vec<f64> = (0..2).map(|k| stretch.iter().map(|r| r[k]).sum()).collect();
        let ends = [&stretch[0], &stretch[stretch.len() - 1]];
        ends.iter().any(|end| dot(&sum, end) <= 0.0)
    }

    /// Whether two neighbouring parts turn together.
    fn parts_turn(path: &[Vec<f64>], middle: usize) -> bool {
        stretch_turns(path) || stretch_turns(&path[..=middle]) || stretch_turns(&path[middle - 1..])
    }

    /// Whether a path of 2ᵏ points turns somewhere in its halves, quarters, …
    fn tree_turns(path: &[Vec<f64>]) -> bool {
        let middle = path.len() / 2;
        middle > 0 && (tree_turns(&path[..middle]) || tree_turns(&path[middle..]) || parts_turn(path, middle))
    }

    #[test]
    fn a_tree_stops_where_its_path_turns_by_definition() {
        let metric = Metric::identity(2);
        let (mut n_turned, mut n_only_across) = (0, 0);
        for seed in 0..2000 {
            let mut rng = Key::new(seed).generator();
            let depth = rng.random_range(0..6);
            let step_size = if rng.random() { STEP } else { -STEP };
            let start = begin(&mut rng, &metric);
            let path = momenta(&start, &metric, step_size, 1 << depth).split_off(1);
            let turns_by_definition = tree_turns(&path);
            let middle = path.len() / 2;
            let halves_go_on = middle > 0 && !tree_turns(&path[..middle]) && !tree_turns(&path[middle..]);
            n_only_across += usize::from(halves_go_on && !stretch_turns(&path) && parts_turn(&path, middle));
            let (mut end, mut tally, mut tree) = (start.clone(), Tally::default(), Tree::new(2));
            let mut spare: Vec<Tree> = (0..depth).map(|_| Tree::new(2)).collect();
            let mut walk = Path {
                density: &mut Banana,
                metric: &metric,
                step_size,
                energy: start.energy(),
                max_energy_error: f64::INFINITY,
                end: &mut end,
                tally: &mut tally,
                rng: &mut rng,
            };
            let goes_on = tree.grow(&mut walk, depth, &mut spare).unwrap();
            assert_eq!(goes_on, !turns_by_definition, "seed {seed}, depth {depth}");
            n_turned += usize::from(turns_by_definition);
            if goes_on {
                assert_eq!(tally.n_steps, 1 << depth);
                assert_eq!((&tree.first, &tree.last), (&path[0], &path[path.len() - 1]));
            }
        }
        assert!(n_turned > 200, "only {n_turned} paths turned");
        assert!(
            n_only_across > 10,
            "only {n_only_across} paths turned across their halves alone"
        );
    }

    #[test]
    fn points_of_a_tree_are_drawn_by_their_weights() {
        // A coarse step, so that the energies of the four points differ.
        let metric = Metric::identity(2);
        let mut rng = Key::new(11).generator();
        let mut start = begin(&mut rng, &metric);
        start.momentum = vec![3.0, 0.4];
        let energies: Vec<f64> = {
            let mut point = start.clone();
            let mut next = || {
                point.leapfrog(&mut Banana, &metric, 0.2).unwrap();
                point.energy()
            };
            (0..4).map(|_| next()).collect()
        };
        let weight = |e: &f64| (start.energy() - e).exp();
        let total: f64 = energies.iter().map(weight).sum();
        let n = 40_000;
        let mut counts = [0.0; 4];
        for _ in 0..n {
            let (mut end, mut tally, mut tree) = (start.clone(), Tally::default(), Tree::new(2));
            let mut spare = [Tree::new(2), Tree::new(2)];
            let mut walk = Path {
                density: &mut Banana,
                metric: &metric,
                step_size: 0.2,
                energy: start.energy(),
                max_energy_error: f64::INFINITY,
                end: &mut end,
                tally: &mut tally,
                rng: &mut rng,
            };
            tree.grow(&mut walk, 2, &mut spare).unwrap();
            let drawn = energies.iter().position(|&e| e == tree.draw.energy).unwrap();
            counts[drawn] += 1.0;
            assert!((tree.ln_weight - total.ln()).abs() < 1e-12);
        }
        for (count, energy) in counts.iter().zip(&energies) {
            let p = weight(energy) / total;
            let z = (count / n as f64 - p) / (p * (1.0 - p) / n as f64).sqrt();
            assert!(z.abs() < 4.0, "{count} of {n} draws of a point with probability {p}");
        }
    }
}
