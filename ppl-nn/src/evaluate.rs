//! Networks outside of models: the outputs for given weights.

use ndarray::{ArrayD, ArrayViewD};
use ppl_core::error::{Error, Result};
use ppl_core::rng::Key;
use ppl_core::runtime::data::Data;
use ppl_core::runtime::recording::Recorder;
use ppl_core::runtime::site::Site;
use ppl_core::runtime::stop::Stop;
use ppl_core::tape::store::{Buffer, Precision};
use ppl_core::tape::var::Var;

use crate::module::{Forward, Module};
use crate::parameter::Parameter;
use crate::path::Path;

/// Returns the outputs of a network for the rows of `x`: [n, n_in] → [n, n_out].
///
/// `weights` gives the values of a parameter: for a draw of a posterior those of the site that ends with its name.
///
/// ```
/// use ndarray::{ArrayD, array};
/// use ppl_core::tape::store::Precision;
/// use ppl_nn::{Linear, evaluate};
///
/// let (weight, bias) = (array![[1.0], [-1.0]].into_dyn(), array![0.5].into_dyn());
/// let weights = |name: &str| Some(if name == "weight" { weight.view() } else { bias.view() });
/// let out = evaluate(&Linear::new(2, 1), weights, &array![[3.0, 1.0], [0.0, 2.0]], Precision::F32)?;
/// assert_eq!(out, array![[2.5], [-1.5]].into_dyn());
/// # Ok::<(), ppl_core::error::Error>(())
/// ```
///
/// # Errors
///
/// If a parameter has no weights, or weights of another shape, or if `x` does not fit the network.
pub fn evaluate<'w, M: Module>(
    module: &M,
    weights: impl Fn(&str) -> Option<ArrayViewD<'w, f64>>,
    x: &impl Data,
    precision: Precision,
) -> Result<ArrayD<f64>>
where
    for<'t> M::With<Var<'t>>: Forward<'t>,
{
    const OUTPUT: Site<'static> = Site {
        name: "output",
        file: file!(),
        line: line!(),
    };
    let checked = |parameter: &Parameter| -> Result<_, Stop> {
        let name = parameter.name();
        let fault = |text: String| Stop(Error::Invalid(format!("parameter {name}: {text}")));
        let values = weights(name).ok_or_else(|| fault("there are no weights".to_string()))?;
        if values.shape() != parameter.shape() {
            let (given, wanted) = (values.shape(), parameter.shape());
            return Err(fault(format!(
                "the weights have the shape {given:?}, expected {wanted:?}"
            )));
        }
        Ok(values)
    };
    let recording = Recorder::prior(precision, Key::new(0)).record_with(|ctx| {
        let tape = ctx.tape();
        let network = module.map_parameters(&Path::root(), &mut |parameter| {
            let values = checked(parameter)?;
            Ok::<_, Stop>(tape.constant_array(parameter.shape(), values.iter().copied()))
        })?;
        let x = tape.data(&x.shape(), |buffer| match buffer {
            Buffer::F64(out) => x.write_f64(out),
            Buffer::F32(out) => x.write_f32(out),
        });
        ctx.track(OUTPUT, network.forward(x))
    })?;
    let site = recording.site(OUTPUT.name).expect("the output is tracked");
    let (values, shape) = recording.values_of(site);
    Ok(ArrayD::from_shape_vec(shape, values).expect("as many values as the shape says"))
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;
    use crate::layers::{Activation, Mlp};

    #[test]
    fn outputs_equal_those_computed_by_hand() {
        let net = Mlp::new(&[2, 3, 1], Activation::Relu);
        let (w0, b0) = (array![[1.0, -2.0, 0.5], [0.25, 1.0, -1.0]], array![0.5, 0.0, -0.25]);
        let (w1, b1) = (array![[2.0], [-1.0], [4.0]], array![0.125]);
        let all = [
            w0.clone().into_dyn(),
            b0.clone().into_dyn(),
            w1.clone().into_dyn(),
            b1.clone().into_dyn(),
        ];
        let weights = |name: &str| {
            let names = ["0.weight", "0.bias", "1.weight", "1.bias"];
            names.iter().position(|n| *n == name).map(|i| all[i].view())
        };
        let x = array![[1.0, 2.0], [-3.0, 0.5], [0.0, 0.0]];
        let expected: Array2<f64> = (x.dot(&w0) + &b0).mapv(|h: f64| h.max(0.0)).dot(&w1) + &b1;
        assert_eq!(
            evaluate(&net, weights, &x, Precision::F64).unwrap(),
            expected.into_dyn()
        );
    }

    #[test]
    fn weights_that_are_missing_or_do_not_fit_are_errors() {
        let net = Mlp::new(&[2, 1], Activation::Relu);
        let weight = ArrayD::zeros(vec![1, 2]);
        let x = array![[1.0, 2.0]];
        let text = |outcome: Result<ArrayD<f64>>| outcome.unwrap_err().to_string();
        assert_eq!(
            text(evaluate(&net, |_| Some(weight.view()), &x, Precision::F64)),
            "parameter 0.weight: the weights have the shape [1, 2], expected [2, 1]"
        );
        assert_eq!(
            text(evaluate(&net, |_| None, &x, Precision::F64)),
            "parameter 0.weight: there are no weights"
        );
    }
}
