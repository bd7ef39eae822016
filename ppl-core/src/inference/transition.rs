//! One step of a Markov chain on vectors: its state, what it tells of itself, what it has learnt.

use rand::Rng;

use crate::draws::Kind;
use crate::error::Result;
use crate::inference::persist::Fields;
use crate::log_density::LogDensity;
use crate::rng::Generator;

/// A step that leaves the distribution of a [`LogDensity`] unchanged.
///
/// A chain calls [`start`](Transition::start) once and [`step`](Transition::step) again and again. During the warm-up a
/// transition may learn from its steps; afterwards it must not change, or the draws are not those of the distribution. What
/// it has learnt it shows to [`visit`](Transition::visit), so that a chain can be written to a file and go on later.
///
/// A transition of one's own, here independence Metropolis–Hastings with standard normal proposals:
///
/// ```
/// use ppl_core::error::Result;
/// use ppl_core::inference::persist::Fields;
/// use ppl_core::inference::transition::{Column, Phase, State, Transition};
/// use ppl_core::log_density::LogDensity;
/// use ppl_core::rng::Generator;
/// use rand_distr::{Distribution, StandardNormal};
///
/// struct Independence;
///
/// impl Transition for Independence {
///     fn columns(&self) -> Vec<Column> {
///         vec![Column::acceptance_rate()]
///     }
///
///     fn step(
///         &mut self,
///         density: &mut dyn LogDensity,
///         state: &mut State,
///         _: Phase,
///         rng: &mut Generator,
///         row: &mut [f64],
///     ) -> Result<()> {
///         let info = state.propose(density, rng, |old, new, rng| {
///             new.iter_mut().for_each(|x| *x = StandardNormal.sample(rng));
///             // ln q(old | new) − ln q(new | old), where q does not depend on where it starts.
///             let ln_q = |x: &[f64]| -0.5 * x.iter().map(|x| x * x).sum::<f64>();
///             ln_q(old) - ln_q(new)
///         })?;
///         row[0] = info.acceptance_rate;
///         Ok(())
///     }
///
///     fn visit(&mut self, _: &mut dyn Fields) {}
/// }
/// ```
pub trait Transition {
    /// Returns the statistics that each step writes; their names and number never change.
    fn columns(&self) -> Vec<Column>;

    /// Prepares for steps from `state`, which has a finite density.
    ///
    /// # Errors
    ///
    /// If the density cannot be evaluated.
    fn start(&mut self, density: &mut dyn LogDensity, state: &mut State, rng: &mut Generator) -> Result<()> {
        let _ = (density, state, rng);
        Ok(())
    }

    /// Makes one step, all of whose random numbers come from `rng`, and writes a number for each of
    /// [`columns`](Transition::columns) into `row`.
    ///
    /// # Errors
    ///
    /// If the density cannot be evaluated.
    fn step(
        &mut self,
        density: &mut dyn LogDensity,
        state: &mut State,
        phase: Phase,
        rng: &mut Generator,
        row: &mut [f64],
    ) -> Result<()>;

    /// Shows all that a later step depends on beside the state.
    fn visit(&mut self, fields: &mut dyn Fields);
}

/// Where a step stands in its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Step `step` of `of` steps in which the transition adapts.
    Warmup {
        /// The number of the step, from zero.
        step: usize,
        /// The number of steps.
        of: usize,
    },
    /// The transition is fixed.
    Sampling,
}

/// A statistic of a step; the names are those of ArviZ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, such as `acceptance_rate`.
    pub name: &'static str,
    /// The part of a composition, such as a site, that it speaks of.
    pub of: Option<String>,
    /// What its numbers are.
    pub kind: Kind,
    /// What thinning makes of the numbers of several steps.
    pub combine: Combine,
}

/// What becomes of a statistic over the steps between two draws that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    /// That of the last step.
    Last,
    /// The mean over the steps.
    Mean,
    /// The sum over the steps.
    Sum,
    /// The largest, for truth values: whether it holds at any step.
    Max,
}

impl Column {
    /// Returns a column of real numbers.
    pub const fn real(name: &'static str, combine: Combine) -> Self {
        Column::new(name, Kind::Real, combine)
    }

    /// Returns a column of whole numbers.
    pub const fn integer(name: &'static str, combine: Combine) -> Self {
        Column::new(name, Kind::Integer, combine)
    }

    /// Returns a column of truth values; a draw has it if any of its steps has.
    pub const fn boolean(name: &'static str) -> Self {
        Column::new(name, Kind::Boolean, Combine::Max)
    }

    /// Returns the probability with which a step accepts, `acceptance_rate`.
    pub const fn acceptance_rate() -> Self {
        Column::real(ACCEPTANCE_RATE, Combine::Mean)
    }

    /// Returns the length of a step, `step_size`.
    pub const fn step_size() -> Self {
        Column::real(STEP_SIZE, Combine::Last)
    }

    const fn new(name: &'static str, kind: Kind, combine: Combine) -> Self {
        Column {
            name,
            of: None,
            kind,
            combine,
        }
    }

    /// Returns the name with the part: `acceptance_rate`, or `acceptance_rate[theta]`.
    pub fn label(&self) -> String {
        match &self.of {
            Some(part) => format!("{}[{part}]", self.name),
            None => self.name.to_string(),
        }
    }
}

pub(crate) const ACCEPTANCE_RATE: &str = "acceptance_rate";
pub(crate) const STEP_SIZE: &str = "step_size";

/// Where a chain stands: a point, its log density, and the gradient there once a transition has asked for it.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    position: Vec<f64>,
    log_density: f64,
    gradient: Vec<f64>,
    has_gradient: bool,
    /// The vector that a proposal writes before it is accepted; it equals `position` between steps.
    proposed: Vec<f64>,
}

/// What a Metropolis–Hastings step tells of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MhInfo {
    /// The probability with which the proposal was accepted.
    pub acceptance_rate: f64,
    /// Whether it was.
    pub is_accepted: bool,
}

impl State {
    /// Returns the state at a point whose log density is known.
    pub fn new(position: Vec<f64>, log_density: f64) -> Self {
        State {
            gradient: vec![0.0; position.len()],
            has_gradient: false,
            proposed: position.clone(),
            position,
            log_density,
        }
    }

    /// Returns the state at a point.
    ///
    /// # Errors
    ///
    /// If the density cannot be evaluated.
    pub fn at(density: &mut (impl LogDensity + ?Sized), position: Vec<f64>) -> Result<Self> {
        let log_density = density.value(&position)?;
        Ok(State::new(position, log_density))
    }

    /// Returns the point.
    pub fn position(&self) -> &[f64] {
        &self.position
    }

    /// Returns the log density at the point.
    pub fn log_density(&self) -> f64 {
        self.log_density
    }

    /// Returns the gradient of the log density at the point, which is evaluated if no step has left it here.
    ///
    /// # Errors
    ///
    /// If the density cannot be evaluated.
    pub fn gradient(&mut self, density: &mut (impl LogDensity + ?Sized)) -> Result<&[f64]> {
        if !self.has_gradient {
            self.log_density = density.value_and_gradient(&self.position, &mut self.gradient)?;
            self.has_gradient = true;
        }
        Ok(&self.gradient)
    }

    /// Returns the point with the gradient there, as [`State::gradient`] does.
    ///
    /// # Errors
    ///
    /// If the density cannot be evaluated.
    pub fn with_gradient(&mut self, density: &mut (impl LogDensity + ?Sized)) -> Result<(&[f64], &[f64])> {
        self.gradient(density)?;
        Ok((&self.position, &self.gradient))
    }

    /// Goes to a point whose gradient is not known.
    ///
    /// # Panics
    ///
    /// If the point has another number of coordinates.
    pub fn move_to(&mut self, position: &[f64], log_density: f64) {
        self.position.copy_from_slice(position);
        self.proposed.copy_from_slice(position);
        self.log_density = log_density;
        self.has_gradient = false;
    }

    /// Goes to a point whose gradient is known.
    ///
    /// # Panics
    ///
    /// If point or gradient have another number of coordinates.
    pub fn move_with_gradient(&mut self, position: &[f64], log_density: f64, gradient: &[f64]) {
        self.move_to(position, log_density);
        self.gradient.copy_from_slice(gradient);
        self.has_gradient = true;
    }

    /// Makes one Metropolis–Hastings step.
    ///
    /// `propose` is given the present vector and a copy of it to change, and returns ln q(old | new) − ln q(new | old).
    /// The proposal is accepted with probability min(1, p(new) q(old | new) / (p(old) q(new | old))); one whose density
    /// is NaN or zero never.
    ///
    /// # Errors
    ///
    /// If the density cannot be evaluated.
    pub fn propose<R: Rng>(
        &mut self,
        density: &mut (impl LogDensity + ?Sized),
        rng: &mut R,
        propose: impl FnOnce(&[f64], &mut [f64], &mut R) -> f64,
    ) -> Result<MhInfo> {
        let ln_backward_over_forward = propose(&self.position, &mut self.proposed, rng);
        let log_density = density.value(&self.proposed)?;
        let info = accept(log_density - self.log_density + ln_backward_over_forward, rng);
        if info.is_accepted {
            self.position.copy_from_slice(&self.proposed);
            self.log_density = log_density;
            self.has_gradient = false;
        } else {
            self.proposed.copy_from_slice(&self.position);
        }
        Ok(info)
    }

    /// Shows point, log density and gradient, which are written and read together.
    pub fn visit(&mut self, fields: &mut dyn Fields) {
        fields.numbers("position", &mut self.position);
        fields.number("log_density", &mut self.log_density);
        fields.numbers("gradient", &mut self.gradient);
        fields.truth("has_gradient", &mut self.has_gradient);
        self.proposed.copy_from_slice(&self.position);
    }
}

/// Accepts with probability min(1, exp(`ln_ratio`)), and never where the ratio is NaN.
pub(crate) fn accept(ln_ratio: f64, rng: &mut impl Rng) -> MhInfo {
    let acceptance_rate = if ln_ratio.is_nan() {
        0.0
    } else {
        ln_ratio.exp().min(1.0)
    };
    MhInfo {
        acceptance_rate,
        is_accepted: rng.random::<f64>() < acceptance_rate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;
    use crate::testing::invariance::check_continuous;
    use rand_distr::{Distribution, Exp1, StandardNormal};

    /// The exponential distribution.
    struct Exponential;

    impl LogDensity for Exponential {
        fn dim(&self) -> usize {
            1
        }

        fn value(&mut self, x: &[f64]) -> Result<f64> {
            Ok(if x[0] < 0.0 { f64::NEG_INFINITY } else { -x[0] })
        }

        fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64> {
            gradient[0] = -1.0;
            self.value(x)
        }
    }

    #[test]
    fn an_asymmetric_proposal_with_its_ratio_leaves_the_target_invariant() {
        // new = old · eᶻ has ln q(old | new) − ln q(new | old) = z.
        let step = |rng: &mut Generator| {
            let mut state = State::at(&mut Exponential, vec![Exp1.sample(rng)]).unwrap();
            let propose = |_: &[f64], new: &mut [f64], rng: &mut Generator| {
                let z: f64 = StandardNormal.sample(rng);
                new[0] *= z.exp();
                z
            };
            state.propose(&mut Exponential, rng, propose).unwrap();
            state.position[0]
        };
        check_continuous(6, step, |x| -(-x).exp_m1());
    }

    #[test]
    fn a_point_without_density_is_never_accepted() {
        let mut rng = Key::new(1).generator();
        let mut state = State::at(&mut Exponential, vec![1.0]).unwrap();
        for bad in [-1.0, f64::NAN] {
            let propose = |_: &[f64], new: &mut [f64], _: &mut Generator| {
                new[0] = bad;
                0.0
            };
            let info = state.propose(&mut Exponential, &mut rng, propose).unwrap();
            assert_eq!((info.acceptance_rate, info.is_accepted), (0.0, false));
            assert_eq!((state.position[0], state.proposed[0]), (1.0, 1.0));
        }
    }

    #[test]
    fn a_gradient_is_that_of_the_present_point() {
        /// The standard normal distribution, which counts its gradients.
        struct Normal(usize);

        impl LogDensity for Normal {
            fn dim(&self) -> usize {
                1
            }

            fn value(&mut self, x: &[f64]) -> Result<f64> {
                Ok(-0.5 * x[0] * x[0])
            }

            fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<f64> {
                self.0 += 1;
                gradient[0] = -x[0];
                self.value(x)
            }
        }

        let mut normal = Normal(0);
        let mut state = State::at(&mut normal, vec![2.0]).unwrap();
        assert_eq!(state.gradient(&mut normal).unwrap(), [-2.0]);
        assert_eq!((state.gradient(&mut normal).unwrap()[0], normal.0), (-2.0, 1));
        let mut rng = Key::new(1).generator();
        let towards_zero = |_: &[f64], new: &mut [f64], _: &mut Generator| {
            new[0] = 1.0;
            0.0
        };
        state.propose(&mut normal, &mut rng, towards_zero).unwrap();
        assert_eq!((state.gradient(&mut normal).unwrap()[0], normal.0), (-1.0, 2));
        state.move_with_gradient(&[3.0], -4.5, &[-3.0]);
        assert_eq!((state.gradient(&mut normal).unwrap()[0], normal.0), (-3.0, 2));
        state.move_to(&[4.0], -8.0);
        assert_eq!((state.gradient(&mut normal).unwrap()[0], normal.0), (-4.0, 3));
    }
}
