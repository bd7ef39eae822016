//! Draws of categories with weights, one label a row.

use std::marker::PhantomData;

use crate::distributions::chances::Chances;
use crate::distributions::noise::Noise;
use crate::distributions::row_density::{RowsOf, align_rows};
use crate::distributions::weights::{Exponentials, Label, Plain, Weight, n_categories};
use crate::error::Place;
use crate::kernels::random::fill_uniform;
use crate::kernels::real::Real;
use crate::tape::call::Call;
use crate::tape::op::{Op, OpDef, Role};
use crate::tape::var::Var;
use crate::tensor::shape::size;

/// Records a draw for each row.
pub(crate) fn draw<'t, L: Label>(at: &Noise<'t>, chances: &Chances<'t>) -> Var<'t> {
    let k = n_categories(chances);
    let def: &'static OpDef = match chances {
        Chances::Probs(_) => WeightDraw::<Plain, L>::DEF,
        Chances::Logits(_) => WeightDraw::<Exponentials, L>::DEF,
    };
    let batch = &at.event[..at.event.len() - L::row(&k).len()];
    let operands = [(chances.param().on(at.tape), &[k] as &[usize])];
    match align_rows(at.tape, def.name, operands, &at.dims, batch, Place::here()) {
        Some(a) => {
            let n = a.len(at.tape);
            let attrs = [at.stream, n as u64, k as u64];
            at.tape.record(def, &a.args, &attrs, &at.dims, &at.event, n + k)
        }
        None => Var::constant(f64::NAN),
    }
}

/// The first category at which the running sum of the weights exceeds a uniform part of their sum.
struct WeightDraw<W, L>(PhantomData<(W, L)>);

impl<W: Weight, L: Label> Op for WeightDraw<W, L> {
    const NAME: &'static str = if W::IS_LOG { L::DRAW_LOGITS } else { L::DRAW };
    const ROLE: Role = Role::Random;
    const NO_GRAD: u32 = 1;

    fn forward<F: Real>(call: &mut Call<'_, F>) {
        let (n, k) = (call.attr(1) as usize, call.attr(2) as usize);
        let (aux, out, params) = (call.aux(), call.out(), RowsOf::new(call, 0, k));
        let (uniforms, weights) = aux.split_at_mut(n);
        fill_uniform(call.key(), uniforms);
        let width = size(L::row(&k));
        for r in 0..n {
            if k == 0 {
                L::write(None, &mut out[r * width..][..width]);
                continue;
            }
            if r == 0 || call.x(0).len() > k {
                W::weights(params.row(r), k, weights);
            }
            let label = pick(weights, uniforms[r].to_f64());
            L::write(label, &mut out[r * width..][..width]);
        }
    }

    fn backward<F: Real>(_: &mut Call<'_, F>) {}
}

/// Returns the category in whose part of the sum of the weights the part `u` of it ends, or `None` if there is no such sum.
fn pick<F: Real>(weights: &[F], u: f64) -> Option<usize> {
    let largest = weights.iter().fold(0.0, |m: f64, w| m.max(w.to_f64()));
    // The sum of numbers near the largest one overflows.
    let unit = if largest > 1e200 { largest } else { 1.0 };
    let at = u * weights.iter().map(|w| w.to_f64() / unit).sum::<f64>();
    let mut sum = 0.0;
    let mut last = None;
    for (j, w) in weights.iter().enumerate() {
        sum += w.to_f64() / unit;
        if *w > F::ZERO {
            last = Some(j);
            if at < sum {
                break;
            }
        }
    }
    last.filter(|_| !at.is_nan())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::{Categorical, Dist, OneHotCategorical};
    use crate::rng::Key;
    use crate::tape::record::Tape;
    use crate::tape::store::Precision;
    use crate::tensor::shape::Shape;

    #[test]
    fn draws_have_the_frequencies_of_the_weights() {
        let tape = Tape::new(Precision::F64, Key::new(9));
        let n = 100_000;
        let at = |event: &[usize]| Noise {
            tape: &tape,
            stream: 4,
            dims: Default::default(),
            event: Shape::from_slice(event),
        };
        let weights = [1.0, 0.0, 3.0, 6.0];
        let labels = Categorical::probs(weights).draw(&at(&[n])).elements();
        let logits = OneHotCategorical::logits(weights.map(f64::ln))
            .draw(&at(&[n, 4]))
            .elements();
        for (j, w) in weights.iter().enumerate() {
            let p = w / 10.0;
            // Five standard errors: a right sampler fails once in two million.
            let bound = 5.0 * (p * (1.0 - p) / n as f64).sqrt();
            let by_label = labels.iter().filter(|&&y| y == j as f64).count() as f64 / n as f64;
            let by_vector = logits.iter().skip(j).step_by(4).sum::<f64>() / n as f64;
            assert!((by_label - p).abs() <= bound, "label {j}: {by_label} for {p}");
            assert!((by_vector - p).abs() <= bound, "vector {j}: {by_vector} for {p}");
        }
    }
}
