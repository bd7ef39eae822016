//! A parameter of a module: a named array with the distribution of its starting values.

use ppl_core::rng::Key;

use crate::initialiser::Initialiser;

/// An array of a module: its shape and how it starts; it holds no values.
///
/// It has a name, such as `hidden.weight`, where a module is visited by [`Module::map_parameters`](crate::Module::map_parameters).
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Parameter {
    name: String,
    shape: Vec<usize>,
    fans: [usize; 2],
    initialiser: Initialiser,
}

impl Parameter {
    /// Returns a parameter of this shape; its last axis counts as outputs, the axes before it as inputs.
    pub fn new(shape: impl AsRef<[usize]>, initialiser: Initialiser) -> Self {
        let shape = shape.as_ref().to_vec();
        let (n_out, inputs) = shape.split_last().map_or((1, &[][..]), |(last, rest)| (*last, rest));
        let fans = [inputs.iter().product(), n_out];
        Parameter {
            name: String::new(),
            shape,
            fans,
            initialiser,
        }
    }

    /// Returns this parameter with fans that differ from those of its shape: a bias has those of the weight beside it.
    pub fn with_fans(self, fan_in: usize, fan_out: usize) -> Self {
        Parameter {
            fans: [fan_in, fan_out],
            ..self
        }
    }

    /// Returns this parameter with other starting values.
    pub fn with_initialiser(self, initialiser: Initialiser) -> Self {
        Parameter { initialiser, ..self }
    }

    pub(crate) fn named(&self, name: String) -> Self {
        Parameter { name, ..self.clone() }
    }

    /// Returns the name within the module: `hidden.weight`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Returns the number of values that one output of the layer is computed from.
    pub fn fan_in(&self) -> usize {
        self.fans[0]
    }

    /// Returns the number of outputs that one input of the layer contributes to.
    pub fn fan_out(&self) -> usize {
        self.fans[1]
    }

    /// Returns starting values, row-major; the same key gives the same values.
    pub fn initial_values(&self, key: Key) -> Vec<f64> {
        self.values_from(self.initialiser, key)
    }

    /// Returns values of this parameter's shape from another initialiser.
    pub(crate) fn values_from(&self, initialiser: Initialiser, key: Key) -> Vec<f64> {
        initialiser.values(self.shape.iter().product(), self.fans, key)
    }
}
