//! The laws of a layer: `layer_tests!` writes them for a layer and the shapes of its input and output.

#[cfg(test)]
pub use check::*;

/// Writes the tests of a layer: `layer_tests! { Linear::new(3, 2); [3] => [2] }`.
///
/// A name in front (`layer_tests! { tanh: Activation::Tanh; [3] => [3] }`) names the module of the tests, for files with
/// several.
macro_rules! layer_tests {
    ($layer:expr; $input:expr => $output:expr) => {
        $crate::testing::layer_tests! { laws: $layer; $input => $output }
    };
    ($name:ident: $layer:expr; $input:expr => $output:expr) => {
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            #[test]
            fn the_output_has_its_shape_and_rows_are_mapped_one_by_one() {
                $crate::testing::rows_are_mapped_one_by_one(&$layer, &$input, &$output);
            }

            #[test]
            fn gradients_match_central_differences() {
                $crate::testing::gradients_match_central_differences(&$layer, &$input);
            }
        }
    };
}

pub(crate) use layer_tests;

#[cfg(test)]
mod check {
    use ppl_core::distributions::{DistExt, Normal};
    use ppl_core::error::Result;
    use ppl_core::rng::Key;
    use ppl_core::runtime::context::Ctx;
    use ppl_core::runtime::recording::{Recorder, Recording};
    use ppl_core::runtime::site::Site;
    use ppl_core::runtime::stop::Res;
    use ppl_core::tape::gradient::gradient;
    use ppl_core::tape::store::Precision;
    use ppl_core::tape::var::Var;

    use crate::module::{Forward, Module};
    use crate::random::random_module;

    /// Returns a site of a test.
    pub fn site(name: &str) -> Site<'_> {
        Site {
            name,
            file: file!(),
            line: line!(),
        }
    }

    /// Records a body in double precision, its latents as inputs.
    pub fn record(body: impl for<'t> FnOnce(Ctx<'t>) -> Res<()>) -> Result<Recording> {
        Recorder::density(Precision::F64, Key::new(3)).record_with(body)
    }

    /// Checks the shape of the output, and that a matrix is mapped row by row.
    pub fn rows_are_mapped_one_by_one<M: Module + Clone>(layer: &M, input: &[usize], output: &[usize])
    where
        for<'t> M::With<Var<'t>>: Forward<'t>,
    {
        let recording = record(|ctx| {
            let layer = ctx.sample(site("layer"), random_module(layer.clone(), Normal(0, 1)))?;
            let rows = [&[3], input].concat();
            let x = ctx.sample(site("x"), Normal(0, 1).expand(rows))?;
            ctx.track(site("together"), layer.forward(x))?;
            for (i, name) in ["0", "1", "2"].into_iter().enumerate() {
                ctx.track(site(name), layer.forward(x.slice(i..i + 1).reshape(input)))?;
            }
            Ok(())
        })
        .unwrap();
        let values = |name: &str| recording.values_of(recording.site(name).unwrap());
        let (together, shape) = values("together");
        assert_eq!(shape, [&[3], output].concat());
        let one_by_one: Vec<f64> = ["0", "1", "2"].iter().flat_map(|name| values(name).0).collect();
        assert_eq!(values("1").1, output);
        for (a, b) in together.iter().zip(&one_by_one) {
            assert!(
                (a - b).abs() <= 1e-14 * (1.0 + a.abs()),
                "{together:?} and {one_by_one:?}"
            );
        }
    }

    /// Checks the derivatives of a weighted sum of the outputs by the input and all parameters.
    pub fn gradients_match_central_differences<M: Module + Clone>(layer: &M, input: &[usize])
    where
        for<'t> M::With<Var<'t>>: Forward<'t>,
    {
        const STEP: f64 = 1e-5;
        let body = |ctx: Ctx<'_>| weighted_sum(ctx, layer, input);
        let recorder = Recorder::density(Precision::F64, Key::new(3));
        let recording = recorder.record_with(body).unwrap();
        let found = gradient(&recording.tape);
        let density_at = |values: Vec<f64>| {
            let moved = recorder
                .with_values(&recording.slots, values)
                .record_with(body)
                .unwrap();
            moved.tape.log_density()
        };
        for (i, found) in found.iter().enumerate() {
            let [above, below] = [STEP, -STEP].map(|step| {
                let mut values = recording.initial.clone();
                values[i] += step;
                density_at(values)
            });
            let expected = (above - below) / (2.0 * STEP);
            let tolerance = 1e-8 * (1.0 + expected.abs());
            assert!(
                (found - expected).abs() < tolerance,
                "input {i}: {found}, by differences {expected}"
            );
        }
    }

    fn weighted_sum<'t, M: Module + Clone>(ctx: Ctx<'t>, layer: &M, input: &[usize]) -> Res<()>
    where
        M::With<Var<'t>>: Forward<'t>,
    {
        let layer = ctx.sample(site("layer"), random_module(layer.clone(), Normal(0, 1)))?;
        let x = ctx.sample(site("x"), Normal(0, 1).expand(input))?;
        let out = layer.forward(x);
        let weights = (0..out.len()).map(|i| 1.0 + 0.7 * i as f64);
        let weights = ctx.tape().constant_array(&out.event_shape(), weights);
        ctx.factor(site("outputs"), (out * weights).sum())
    }
}
