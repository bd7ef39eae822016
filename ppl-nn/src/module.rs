//! What a network is: a structure that holds parameters, and the same structure holding their values.

use std::convert::Infallible;

use ppl_core::tape::var::Var;

use crate::parameter::Parameter;
use crate::path::Path;

/// A description of a network: a structure of layers down to [`Parameter`]s, without values.
///
/// Networks are generic over what stands in place of a parameter: `Mlp`, short for `Mlp<Parameter>`, is a description,
/// `Mlp<Var>` is the network in a model, which has a [`forward`](Forward::forward) pass. `#[derive(Module)]` implements
/// the trait for structs of the form `struct Net<P = Parameter> { hidden: Linear<P>, out: Linear<P> }`. A part is named
/// by its field, parts of vectors, arrays and tuples by their number: `hidden.weight`, `0.weight`.
///
/// ```
/// use ppl_nn::{Activation, Mlp, Module};
///
/// let net = Mlp::new(&[784, 1024, 10], Activation::Relu);
/// let names: Vec<_> = net.parameters().iter().map(|p| p.name().to_string()).collect();
/// assert_eq!(names, ["0.weight", "0.bias", "1.weight", "1.bias"]);
/// ```
///
/// A custom network, wired in its forward pass; `crate` is for users of this crate without the facade:
///
/// ```
/// use ppl_core::tape::var::Var;
/// use ppl_macros::Module;
/// use ppl_nn::{Forward, Linear, Module, Parameter};
///
/// #[derive(Clone, Module)]
/// #[module(crate = ppl_nn)]
/// struct Residual<P = Parameter> {
///     inner: Linear<P>,
///     outer: Linear<P>,
/// }
///
/// impl<'t> Forward<'t> for Residual<Var<'t>> {
///     fn forward(&self, x: Var<'t>) -> Var<'t> {
///         x + self.outer.forward(self.inner.forward(x).relu())
///     }
/// }
///
/// let net = Residual { inner: Linear::new(4, 8), outer: Linear::new(8, 4) };
/// assert_eq!(net.parameters()[2].name(), "outer.weight");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no network",
    label = "holds no parameters",
    note = "write `#[derive(Clone, Module)] struct Net<P = Parameter> {{ hidden: Linear<P>, … }}`"
)]
pub trait Module {
    /// The same structure with values of type `Q` in place of the parameters.
    type With<Q>;

    /// Puts a value in place of each parameter, in the order of the fields; `each` sees the parameter with its name.
    ///
    /// # Errors
    ///
    /// The first error of `each`.
    fn map_parameters<Q, E>(
        &self,
        path: &Path<'_>,
        each: &mut dyn FnMut(&Parameter) -> Result<Q, E>,
    ) -> Result<Self::With<Q>, E>;

    /// Returns all parameters with their names.
    fn parameters(&self) -> Vec<Parameter> {
        let mut all = Vec::new();
        let mapped = self.map_parameters(&Path::root(), &mut |parameter| {
            all.push(parameter.clone());
            Ok::<_, Infallible>(())
        });
        mapped.map(|_| all).unwrap_or_else(|never| match never {})
    }
}

/// A layer or network that maps values: what a module in a model can do.
pub trait Forward<'t> {
    /// Returns the output for the input `x`, one row or a matrix of rows: `[n_in]` → `[n_out]`, `[n, n_in]` → `[n, n_out]`.
    ///
    /// Inputs of another width are an error that names the layer; the next word of the model returns it.
    #[track_caller]
    fn forward(&self, x: Var<'t>) -> Var<'t>;
}

impl Module for Parameter {
    type With<Q> = Q;

    fn map_parameters<Q, E>(&self, path: &Path<'_>, each: &mut dyn FnMut(&Parameter) -> Result<Q, E>) -> Result<Q, E> {
        each(&self.named(path.to_string()))
    }
}

impl<M: Module> Module for Vec<M> {
    type With<Q> = Vec<M::With<Q>>;

    fn map_parameters<Q, E>(
        &self,
        path: &Path<'_>,
        each: &mut dyn FnMut(&Parameter) -> Result<Q, E>,
    ) -> Result<Self::With<Q>, E> {
        let parts = self.iter().enumerate();
        parts
            .map(|(i, part)| part.map_parameters(&path.number(i), each))
            .collect()
    }
}

impl<M: Module, const N: usize> Module for [M; N] {
    type With<Q> = [M::With<Q>; N];

    fn map_parameters<Q, E>(
        &self,
        path: &Path<'_>,
        each: &mut dyn FnMut(&Parameter) -> Result<Q, E>,
    ) -> Result<Self::With<Q>, E> {
        let parts = self.iter().enumerate();
        let mapped: Vec<_> = parts
            .map(|(i, part)| part.map_parameters(&path.number(i), each))
            .collect::<Result<_, E>>()?;
        let Ok(mapped) = mapped.try_into() else {
            unreachable!("as many values as parts")
        };
        Ok(mapped)
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),+);)*) => {$(
        impl<$($name: Module),+> Module for ($($name,)+) {
            type With<Q> = ($($name::With<Q>,)+);

            fn map_parameters<Q, E>(
                &self,
                path: &Path<'_>,
                each: &mut dyn FnMut(&Parameter) -> Result<Q, E>,
            ) -> Result<Self::With<Q>, E> {
                Ok(($(self.$index.map_parameters(&path.number($index), each)?,)+))
            }
        }

        /// One after the other.
        impl<'t, $($name: Forward<'t>),+> Forward<'t> for ($($name,)+) {
            #[track_caller]
            fn forward(&self, x: Var<'t>) -> Var<'t> {
                $(let x = self.$index.forward(x);)+
                x
            }
        }
    )*};
}

tuples! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, F 4);
    (A 0, B 1, C 2, D 3, F 4, G 5);
    (A 0, B 1, C 2, D 3, F 4, G 5, H 6);
    (A 0, B 1, C 2, D 3, F 4, G 5, H 6, I 7);
}

/// One after the other.
impl<'t, F: Forward<'t>> Forward<'t> for Vec<F> {
    #[track_caller]
    fn forward(&self, mut x: Var<'t>) -> Var<'t> {
        for layer in self {
            x = layer.forward(x);
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::initialiser::Initialiser;
    use crate::layers::Linear;

    #[test]
    fn parts_of_vectors_arrays_and_tuples_are_numbered() {
        let scale = Parameter::new([3], Initialiser::Constant(1.0));
        let net = (vec![Linear::new(2, 3)], [scale.clone(), scale]);
        let names: Vec<_> = net.parameters().into_iter().map(|p| p.name().to_string()).collect();
        assert_eq!(names, ["0.0.weight", "0.0.bias", "1.0", "1.1"]);
        let shapes: Vec<_> = net.parameters().into_iter().map(|p| p.shape().to_vec()).collect();
        assert_eq!(shapes, [vec![2, 3], vec![3], vec![3], vec![3]]);
    }

    #[test]
    fn the_first_error_ends_the_visit() {
        let net = [Linear::new(2, 3), Linear::new(3, 1)];
        let mut seen = Vec::new();
        let outcome = net.map_parameters(&Path::root(), &mut |p| {
            seen.push(p.name().to_string());
            if p.name() == "0.bias" {
                Err(p.fan_in())
            } else {
                Ok(p.fan_out())
            }
        });
        assert_eq!(outcome.err(), Some(2));
        assert_eq!(seen, ["0.weight", "0.bias"]);
    }
}
