//! What a handler may change about a random choice when it is recorded.

use ndarray::ArrayD;

/// A random choice on its way to being recorded.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// The unique name.
    pub address: &'a str,
    /// Whether the model observes it.
    pub is_observed: bool,
    /// What happens to it.
    pub fate: Fate,
    /// Masks of rows, each `[plates…]` or a single number: rows count where no mask is zero.
    pub masks: Vec<ArrayD<f64>>,
    /// A factor of its log density.
    pub scale: f64,
    /// What an algorithm starts from if the choice is a latent of it: `[plates…, event…]`.
    pub start: Option<ArrayD<f64>>,
}

/// What happens to a random choice.
#[derive(Clone, Debug, Default)]
pub enum Fate {
    /// What the model and the algorithm decide.
    #[default]
    Open,
    /// It has this value, `[plates…, event…]`, and counts as observed.
    Observed(ArrayD<f64>),
    /// It has this value and remains a latent of the density.
    Replayed(ArrayD<f64>),
    /// It has this value and no density.
    Set(ArrayD<f64>),
    /// It is drawn afresh and no part of the density.
    Hidden,
}

/// Changes random choices of a model that it is put around; inner handlers come first.
pub trait Handler {
    /// Looks at a choice and changes what should happen to it.
    fn handle(&self, message: &mut Message<'_>);
}
