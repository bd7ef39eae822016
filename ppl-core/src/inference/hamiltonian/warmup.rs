//! What a warm-up of Hamiltonian transitions learns: the step size, and the metric.

use crate::error::Result;
use crate::inference::adapt::dual_averaging::DualAveraging;
use crate::inference::adapt::welford::{Covariance, Variance};
use crate::inference::adapt::windows::Windows;
use crate::inference::hamiltonian::fisher::{Window, bounded};
use crate::inference::hamiltonian::leapfrog::PhasePoint;
use crate::inference::hamiltonian::metric::Metric;
use crate::inference::persist::Fields;
use crate::inference::transition::State;
use crate::inference::transitions::random_walk::cholesky;
use crate::log_density::LogDensity;
use crate::rng::Generator;

/// The acceptance of one step that a first guess of the step size is to cross.
const CROSSED_BY_FIRST_STEP: f64 = 0.8;

/// How often the first step size is doubled or halved at most.
const MAX_DOUBLINGS: usize = 60;

/// The most coordinates for which directions are learnt: each window of them keeps some hundred draws and gradients.
const MOST_WITH_DIRECTIONS: usize = 2000;

/// Which metric a warm-up learns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MetricKind {
    /// A scale for each coordinate, and the few directions that are still much longer or shorter, from draws and gradients.
    ///
    /// A normal target is known exactly after as many draws as it has coordinates (Seyboldt, Carlson and Carpenter 2025,
    /// *Preconditioning Hamiltonian Monte Carlo by minimizing Fisher divergence*). Directions need draws that are kept one by
    /// one: above 2000 coordinates only scales are learnt, as by [`MetricKind::FisherDiagonal`].
    #[default]
    Fisher,
    /// The scales of [`MetricKind::Fisher`] alone: standard deviations of draws over those of gradients, the root of it.
    FisherDiagonal,
    /// The variances of the draws, in the windows of Stan.
    Diagonal,
    /// The covariance of the draws, in the windows of Stan: for few coordinates that depend on each other.
    Dense,
}

/// The settings of a warm-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Warmup {
    /// The mean acceptance that the step size is to give.
    pub target_acceptance: f64,
    /// The metric to learn.
    pub metric: MetricKind,
    /// The step size, if it is not to be learnt.
    pub step_size: Option<f64>,
}

impl Default for Warmup {
    fn default() -> Self {
        Warmup {
            target_acceptance: 0.8,
            metric: MetricKind::default(),
            step_size: None,
        }
    }
}

/// Step size and metric with what they are learnt from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Adapted {
    warmup: Warmup,
    step_size: f64,
    metric: Metric,
    averaging: DualAveraging,
    seen: Seen,
}

/// The draws of a window.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Fisher(Box<Windowed>),
    Variance(Variance),
    Covariance(Covariance),
}

/// Draws and gradients of two windows.
#[derive(Clone, Debug, PartialEq)]
struct Windowed {
    present: Window,
    /// Those since half of the present window, which become the present ones at its end.
    next: Window,
    /// The step at which directions are learnt again.
    due: u64,
}

impl Adapted {
    pub(super) fn new(dim: usize, warmup: Warmup) -> Self {
        let step_size = warmup.step_size.unwrap_or(1.0);
        let (metric, seen) = match warmup.metric {
            MetricKind::Fisher => {
                let metric = Metric::LowRank {
                    scale: vec![1.0; dim],
                    directions: Vec::new(),
                    spreads: Vec::new(),
                };
                (metric, Seen::fisher(dim, dim <= MOST_WITH_DIRECTIONS))
            }
            MetricKind::FisherDiagonal => (Metric::identity(dim), Seen::fisher(dim, false)),
            MetricKind::Diagonal => (Metric::identity(dim), Seen::Variance(Variance::new(dim))),
            MetricKind::Dense => {
                let mut factor = vec![0.0; dim * dim];
                (0..dim).for_each(|i| factor[i * dim + i] = 1.0);
                (Metric::Dense { factor }, Seen::Covariance(Covariance::new(dim)))
            }
        };
        Adapted {
            averaging: DualAveraging::new(warmup.target_acceptance, step_size),
            warmup,
            step_size,
            metric,
            seen,
        }
    }

    /// Returns a step size and a metric that are known.
    #[cfg(test)]
    pub(super) fn fixed(step_size: f64, metric: Metric) -> Self {
        let warmup = Warmup {
            target_acceptance: 0.8,
            metric: MetricKind::Diagonal,
            step_size: Some(step_size),
        };
        Adapted {
            metric,
            ..Adapted::new(0, warmup)
        }
    }

    pub(super) fn step_size(&self) -> f64 {
        self.step_size
    }

    pub(super) fn metric(&self) -> &Metric {
        &self.metric
    }

    /// Finds a first metric and a first step size.
    pub(super) fn start(&mut self, density: &mut dyn LogDensity, state: &mut State, rng: &mut Generator) -> Result<()> {
        if let (Seen::Fisher(_), Metric::Diagonal { scale } | Metric::LowRank { scale, .. }) =
            (&self.seen, &mut self.metric)
        {
            // Of one draw, the gradient alone has a spread; that of the draws counts as one, as in nuts-rs.
            for (s, g) in scale.iter_mut().zip(state.gradient(density)?) {
                *s = bounded(g.abs().recip()).unwrap_or(1.0).sqrt();
            }
        }
        self.find_step_size(density, state, rng)
    }

    /// Learns from a step of the warm-up.
    pub(super) fn learn(
        &mut self,
        acceptance_rate: f64,
        step: usize,
        of: usize,
        density: &mut dyn LogDensity,
        state: &mut State,
        rng: &mut Generator,
    ) -> Result<()> {
        if self.warmup.step_size.is_none() {
            self.step_size = self.averaging.next(acceptance_rate);
        }
        let has_jumped = match &mut self.seen {
            Seen::Fisher(windows) => {
                let (position, gradient) = state.with_gradient(density)?;
                if (step as f64) < (1.0 - FINAL) * of as f64 {
                    windows.learn(position, gradient, &mut self.metric, step, of);
                }
                false
            }
            Seen::Variance(window) => learn_variance(window, &mut self.metric, step, of, state),
            Seen::Covariance(window) => learn_covariance(window, &mut self.metric, step, of, state),
        };
        if has_jumped {
            self.find_step_size(density, state, rng)?;
        }
        if step + 1 == of && self.warmup.step_size.is_none() {
            self.step_size = self.averaging.average();
        }
        Ok(())
    }

    /// Doubles or halves the step size until the acceptance of one step crosses 0.8, and averages from there.
    fn find_step_size(&mut self, density: &mut dyn LogDensity, state: &mut State, rng: &mut Generator) -> Result<()> {
        if self.warmup.step_size.is_some() {
            return Ok(());
        }
        let mut point = PhasePoint::new(state.position().len());
        let mut direction = None;
        for _ in 0..MAX_DOUBLINGS {
            point.begin(state, density, &self.metric, rng)?;
            let before = point.energy();
            point.leapfrog(density, &self.metric, self.step_size)?;
            let is_short = (before - point.energy()).exp() > CROSSED_BY_FIRST_STEP;
            if *direction.get_or_insert(is_short) != is_short {
                break;
            }
            self.step_size *= if is_short { 2.0 } else { 0.5 };
        }
        self.averaging.restart(self.step_size);
        Ok(())
    }

    pub(super) fn visit(&mut self, fields: &mut dyn Fields) {
        fields.number("step_size", &mut self.step_size);
        fields.part("metric", &mut |fields| self.metric.visit(fields));
        fields.part("averaging", &mut |fields| self.averaging.visit(fields));
        fields.part("seen", &mut |fields| match &mut self.seen {
            Seen::Fisher(windows) => {
                fields.part("present", &mut |fields| windows.present.visit(fields));
                fields.part("next", &mut |fields| windows.next.visit(fields));
                fields.count("due", &mut windows.due);
            }
            Seen::Variance(window) => window.visit(fields),
            Seen::Covariance(window) => window.visit(fields),
        });
    }
}

impl Seen {
    fn fisher(dim: usize, has_rows: bool) -> Self {
        let present = Window::new(dim, has_rows);
        let next = present.clone();
        Seen::Fisher(Box::new(Windowed { present, next, due: 0 }))
    }
}

/// The share of the warm-up in which windows are short, so that the way to the typical set is soon forgotten.
const EARLY: f64 = 0.3;
/// The length of a window then, and later.
const WINDOW: (usize, usize) = (10, 80);
/// The last share of the warm-up, in which the metric stays.
const FINAL: f64 = 0.15;
/// From this number of draws on they give a metric.
const MIN_DRAWS: usize = 10;

impl Windowed {
    /// Learns the metric from one more draw: scales from draw to draw, directions ever more rarely.
    fn learn(&mut self, position: &[f64], gradient: &[f64], metric: &mut Metric, step: usize, of: usize) {
        let Windowed { present, next, due } = self;
        present.add(position, gradient);
        next.add(position, gradient);
        let is_early = (step as f64) < EARLY * of as f64;
        if next.n() >= if is_early { WINDOW.0 } else { WINDOW.1 } {
            std::mem::swap(present, next);
            next.restart();
        }
        if present.n() < MIN_DRAWS {
            return;
        }
        match metric {
            Metric::LowRank { .. } if (step as u64) < *due => {}
            Metric::LowRank { .. } => {
                present.write_metric(metric);
                *due = step as u64 + (step as u64 / 8).max(MIN_DRAWS as u64);
            }
            _ => present.write_metric(metric),
        }
    }
}

/// Learns variances at the ends of windows, shrunk towards 1/1000 by the weight of five draws, as in Stan.
fn learn_variance(window: &mut Variance, metric: &mut Metric, step: usize, of: usize, state: &State) -> bool {
    let Metric::Diagonal { scale } = metric else {
        unreachable!("a diagonal metric is learnt");
    };
    let windows = Windows::of_stan(of);
    if windows.holds(step) {
        window.add(state.position());
    }
    if !windows.end_at(step) || window.n() < 2.0 {
        return false;
    }
    let n = window.n();
    for (i, s) in scale.iter_mut().enumerate() {
        *s = ((n * window.get(i) + 5e-3) / (n + 5.0)).sqrt();
    }
    window.restart();
    true
}

/// Learns the covariance at the ends of windows, shrunk as variances are.
fn learn_covariance(window: &mut Covariance, metric: &mut Metric, step: usize, of: usize, state: &State) -> bool {
    let Metric::Dense { factor } = metric else {
        unreachable!("a dense metric is learnt");
    };
    let windows = Windows::of_stan(of);
    if windows.holds(step) {
        window.add(|i| state.position()[i]);
    }
    if !windows.end_at(step) || window.n() < 2.0 {
        return false;
    }
    let (d, n) = (window.dim(), window.n());
    let mut covariance = vec![0.0; d * d];
    for i in 0..d {
        for j in 0..=i {
            covariance[i * d + j] = (n * window.get(i, j) + if i == j { 5e-3 } else { 0.0 }) / (n + 5.0);
        }
    }
    window.restart();
    let Some(lower) = cholesky(covariance, d) else {
        return false;
    };
    *factor = lower;
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::persist::Record;
    use crate::rng::Key;
    use rand_distr::{Distribution, StandardNormal};

    /// Independent normal coordinates with standard deviations that lie far apart.
    struct Scales([f64; 3]);

    impl LogDensity for Scales {
        fn dim(&self) -> usize {
            3
        }

        fn value(&mut self, x: &[f64]) -> Result<f64> {
            Ok(-0.5 * x.iter().zip(self.0).map(|(x, s)| (x / s).powi(2)).sum::<f64>())
        }

        fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64> {
            for ((g, x), s) in gradient.iter_mut().zip(x).zip(self.0) {
                *g = -x / (s * s);
            }
            self.value(x)
        }
    }

    const SCALES: [f64; 3] = [1e-3, 1.0, 50.0];

    fn warmup(metric: MetricKind) -> Warmup {
        Warmup {
            target_acceptance: 0.8,
            metric,
            step_size: None,
        }
    }

    /// Makes the first `n` of 1000 steps of a warm-up, whose states are exact draws, all accepted as the target wants.
    fn learn(metric: MetricKind, n: usize) -> (Adapted, State, Generator) {
        let mut density = Scales(SCALES);
        let mut rng = Key::new(3).generator();
        let draw = |rng: &mut Generator| {
            SCALES
                .map(|s| s * Distribution::<f64>::sample(&StandardNormal, rng))
                .to_vec()
        };
        let mut state = State::at(&mut density, draw(&mut rng)).unwrap();
        let mut adapted = Adapted::new(3, warmup(metric));
        adapted.start(&mut density, &mut state, &mut rng).unwrap();
        for step in 0..n {
            state = State::at(&mut density, draw(&mut rng)).unwrap();
            adapted
                .learn(0.8, step, 1000, &mut density, &mut state, &mut rng)
                .unwrap();
        }
        (adapted, state, rng)
    }

    fn check_scales(metric: &Metric, tolerance: f64) {
        for (k, sd) in SCALES.into_iter().enumerate() {
            let (mut unit, mut out) = ([0.0; 3], [0.0; 3]);
            unit[k] = 1.0;
            metric.add_coloured(1.0, &unit, &mut out);
            assert!((out[k] / sd - 1.0).abs() < tolerance, "{out:?} for a spread of {sd}");
        }
    }

    #[test]
    fn the_fisher_metric_is_exact_after_few_draws_of_a_normal() {
        for kind in [MetricKind::Fisher, MetricKind::FisherDiagonal] {
            check_scales(learn(kind, 12).0.metric(), 1e-12);
        }
    }

    #[test]
    fn variances_are_those_of_the_last_window_shrunk() {
        // 500 draws in the last window: their standard deviation is off by 3 %, four times as much is too much. The least of
        // the variances, 1e-6, is shrunk towards 1e-3 by the weight of five in 505.
        for kind in [MetricKind::Diagonal, MetricKind::Dense] {
            let (adapted, ..) = learn(kind, 1000);
            let (mut unit, mut out) = ([1.0, 0.0, 0.0], [0.0; 3]);
            adapted.metric().add_coloured(1.0, &unit, &mut out);
            let want = (5e-3 / 505.0_f64).sqrt();
            assert!((out[0] / want - 1.0).abs() < 0.1, "{out:?} for {want}");
            for k in 1..3 {
                (unit, out) = ([0.0; 3], [0.0; 3]);
                unit[k] = 1.0;
                adapted.metric().add_coloured(1.0, &unit, &mut out);
                assert!((out[k] / SCALES[k] - 1.0).abs() < 0.13, "{out:?}");
            }
        }
    }

    #[test]
    fn the_first_step_size_is_where_one_step_stops_being_good() {
        // With the identity it is bound by the least spread.
        let (adapted, ..) = learn(MetricKind::Diagonal, 0);
        assert!((2.5e-4..4e-3).contains(&adapted.step_size()), "{}", adapted.step_size());
        // The gradient of one point tells half of the orders between the spreads.
        let (adapted, ..) = learn(MetricKind::FisherDiagonal, 0);
        assert!((4e-3..0.4).contains(&adapted.step_size()), "{}", adapted.step_size());
    }

    #[test]
    fn the_step_size_after_the_warm_up_is_the_average() {
        let (adapted, ..) = learn(MetricKind::FisherDiagonal, 1000);
        assert_eq!(adapted.step_size(), adapted.averaging.average());
    }

    #[test]
    fn many_coordinates_learn_scales_and_keep_no_draws() {
        let (d, position, gradient) = (MOST_WITH_DIRECTIONS + 1, 2.0, -0.5);
        let mut adapted = Adapted::new(d, warmup(MetricKind::Fisher));
        let Seen::Fisher(windows) = &mut adapted.seen else {
            unreachable!()
        };
        for step in 0..40 {
            let at = |x: f64| vec![x * f64::from(step % 5); d];
            windows.learn(&at(position), &at(gradient), &mut adapted.metric, step as usize, 1000);
        }
        let record = Record::of(|fields| adapted.visit(fields));
        assert!(record.numbers.iter().all(|(_, values)| values.len() <= d));
        let Metric::LowRank { scale, spreads, .. } = &adapted.metric else {
            unreachable!()
        };
        assert_eq!((scale.len(), spreads.len()), (d, 0));
        assert!(
            (scale[d - 1] - 2.0).abs() < 1e-12,
            "sd(x) / sd(∇) is four: {}",
            scale[d - 1]
        );
    }

    #[test]
    fn a_step_size_that_is_given_stays() {
        let mut density = Scales(SCALES);
        let mut rng = Key::new(4).generator();
        let mut state = State::at(&mut density, vec![0.0, 1.0, 2.0]).unwrap();
        let given = Warmup {
            step_size: Some(0.3),
            ..warmup(MetricKind::FisherDiagonal)
        };
        let mut adapted = Adapted::new(3, given);
        adapted.start(&mut density, &mut state, &mut rng).unwrap();
        for step in 0..100 {
            adapted
                .learn(0.1, step, 100, &mut density, &mut state, &mut rng)
                .unwrap();
        }
        assert_eq!(adapted.step_size(), 0.3);
    }

    #[test]
    fn what_was_learnt_is_written_and_read() {
        for kind in [
            MetricKind::Fisher,
            MetricKind::FisherDiagonal,
            MetricKind::Diagonal,
            MetricKind::Dense,
        ] {
            let (mut adapted, mut state, rng) = learn(kind, 333);
            let record = Record::of(|fields| adapted.visit(fields));
            let mut other = Adapted::new(3, warmup(kind));
            record.fill(|fields| other.visit(fields)).unwrap();
            assert_eq!(adapted, other, "{kind:?}");
            let mut next = |adapted: &mut Adapted| {
                let (mut density, mut rng) = (Scales(SCALES), rng.clone());
                adapted
                    .learn(0.6, 449, 1000, &mut density, &mut state, &mut rng)
                    .unwrap();
            };
            next(&mut adapted);
            next(&mut other);
            assert_eq!(adapted, other, "{kind:?}");
        }
    }
}
