//! Categories with weights: the density of one label a row, for [`Categorical`](super::Categorical) and
//! [`OneHotCategorical`](super::OneHotCategorical).

use std::marker::PhantomData;

use crate::distributions::chances::Chances;
use crate::distributions::divergence::log_deviance;
use crate::distributions::row_density::{self, RowDensity, RowsGrad, RowsOf, tape_for};
use crate::distributions::univariate::outside;
use crate::kernels::dispatch::{Loop, dispatch};
use crate::kernels::real::Real;
use crate::tape::call::Call;
use crate::tape::record::Tape;
use crate::tape::var::Var;
use crate::tensor::shape::size;

/// How a row of a value names its category.
pub(crate) trait Label: 'static {
    const LOG_PROB: &'static str;
    const LOG_PROB_LOGITS: &'static str;
    const DRAW: &'static str;
    const DRAW_LOGITS: &'static str;

    /// Returns the shape of the value of one row of `k` categories.
    fn row(k: &usize) -> &[usize];

    /// Returns the category that `value` names, or `None` if it names none.
    fn read<F: Real>(value: &[F], k: usize) -> Option<usize>;

    /// Writes a category; `None` is not a number.
    fn write<F: Real>(label: Option<usize>, value: &mut [F]);
}

/// The number of the category.
pub(crate) struct Index;

impl Label for Index {
    const LOG_PROB: &'static str = "Categorical";
    const LOG_PROB_LOGITS: &'static str = "Categorical_logits";
    const DRAW: &'static str = "categorical_draw";
    const DRAW_LOGITS: &'static str = "categorical_logits_draw";

    fn row(_: &usize) -> &[usize] {
        &[]
    }

    #[inline(always)]
    fn read<F: Real>(value: &[F], k: usize) -> Option<usize> {
        let x = value[0].to_f64();
        (x >= 0.0 && x < k as f64 && x.trunc() == x).then_some(x as usize)
    }

    #[inline(always)]
    fn write<F: Real>(label: Option<usize>, value: &mut [F]) {
        value[0] = label.map_or(F::NAN, |y| F::from_f64(y as f64));
    }
}

/// A vector of zeros with a one at the category.
pub(crate) struct OneHot;

impl Label for OneHot {
    const LOG_PROB: &'static str = "OneHotCategorical";
    const LOG_PROB_LOGITS: &'static str = "OneHotCategorical_logits";
    const DRAW: &'static str = "one_hot_draw";
    const DRAW_LOGITS: &'static str = "one_hot_logits_draw";

    fn row(k: &usize) -> &[usize] {
        std::slice::from_ref(k)
    }

    fn read<F: Real>(value: &[F], _: usize) -> Option<usize> {
        let label = value.iter().position(|&v| v == F::ONE)?;
        let is_zero = |(j, &v): (usize, &F)| j == label || v == F::ZERO;
        value.iter().enumerate().all(is_zero).then_some(label)
    }

    fn write<F: Real>(label: Option<usize>, value: &mut [F]) {
        value.fill(if label.is_some() { F::ZERO } else { F::NAN });
        if let Some(y) = label {
            value[y] = F::ONE;
        }
    }
}

/// Returns the number of categories.
pub(crate) fn n_categories(chances: &Chances<'_>) -> usize {
    chances.param().event_shape().last().copied().unwrap_or(1)
}

/// Returns the log density of each row.
#[track_caller]
pub(crate) fn log_prob<'t, L: Label>(x: Var<'t>, chances: &Chances<'t>) -> Var<'t> {
    let tape = tape_for(x, &[chances.param()]);
    let k = n_categories(chances);
    let operands = [(x, L::row(&k)), (chances.param().on(tape), &[k] as &[usize])];
    match chances {
        Chances::Probs(_) => row_density::each::<ByWeight<Plain, L>, 2>(tape, operands, k),
        Chances::Logits(_) => row_density::each::<ByWeight<Exponentials, L>, 2>(tape, operands, k),
    }
}

/// Adds the log density of all rows to the density of the tape.
pub(crate) fn log_prob_term<'t, L: Label>(tape: &'t Tape, x: Var<'t>, chances: &Chances<'t>, weight: f64, site: u32) {
    let k = n_categories(chances);
    let operands = [(x, L::row(&k)), (chances.param().on(tape), &[k] as &[usize])];
    match chances {
        Chances::Probs(_) => row_density::term::<ByWeight<Plain, L>, 2>(tape, operands, k, weight, site),
        Chances::Logits(_) => row_density::term::<ByWeight<Exponentials, L>, 2>(tape, operands, k, weight, site),
    }
}

/// Returns the logarithms of the probabilities, from the name of the parameter and its value.
pub(crate) fn log_probs<'t>((name, param): (&str, Var<'t>)) -> Var<'t> {
    let logits = if name == "logits" { param } else { param.ln() };
    logits.log_softmax()
}

/// Returns the divergence of categories, row by row.
pub(crate) fn kl<'t>(p: (&str, Var<'t>), q: (&str, Var<'t>)) -> Var<'t> {
    let (ln_p, ln_q) = (log_probs(p), log_probs(q));
    let part = log_deviance(ln_p, ln_q);
    part.sum_axis(part.event_shape().len() - 1)
}

/// How parameters give the weights of categories.
pub(crate) trait Weight: 'static {
    /// Whether the parameters are logarithms.
    const IS_LOG: bool;

    /// Writes the weights of all rows of length `k`, scaled so that no sum overflows.
    fn weights<F: Real>(params: &[F], k: usize, weights: &mut [F]);

    /// Returns the logarithm of the weight of category `y` over that of category `top`.
    fn log_ratio<F: Real>(params: &[F], y: usize, top: usize) -> f64;

    /// Returns the derivative of the log weight by its parameter.
    fn slope<F: Real>(weight: F) -> F;

    /// Returns the derivative of the weight, as [`Weight::weights`] scales it, by its parameter.
    fn slope_of_weight<F: Real>(weight: F) -> F;
}

/// The parameters are the weights.
pub(crate) struct Plain;

impl Weight for Plain {
    const IS_LOG: bool = false;

    fn weights<F: Real>(params: &[F], _: usize, weights: &mut [F]) {
        for (w, &p) in weights.iter_mut().zip(params) {
            *w = F::select(p >= F::ZERO, p, F::NAN);
        }
    }

    fn log_ratio<F: Real>(params: &[F], y: usize, top: usize) -> f64 {
        let (p, q) = (params[y].to_f64(), params[top].to_f64());
        let ratio = p / q;
        if ratio >= f64::MIN_POSITIVE {
            ratio.ln()
        } else {
            p.ln() - q.ln()
        }
    }

    #[inline(always)]
    fn slope<F: Real>(weight: F) -> F {
        F::ONE / weight
    }

    #[inline(always)]
    fn slope_of_weight<F: Real>(_: F) -> F {
        F::ONE
    }
}

/// The parameters are logarithms of the weights.
pub(crate) struct Exponentials;

impl Weight for Exponentials {
    const IS_LOG: bool = true;

    fn weights<F: Real>(params: &[F], k: usize, weights: &mut [F]) {
        for (weights, logits) in weights.chunks_exact_mut(k).zip(params.chunks_exact(k)) {
            let top = logits.iter().fold(-F::INFINITY, |m, &l| m.max(l));
            for (w, &l) in weights.iter_mut().zip(logits) {
                *w = l - top;
            }
        }
        dispatch(ExpInPlace { values: weights });
    }

    fn log_ratio<F: Real>(params: &[F], y: usize, top: usize) -> f64 {
        params[y].to_f64() - params[top].to_f64()
    }

    #[inline(always)]
    fn slope<F: Real>(_: F) -> F {
        F::ONE
    }

    #[inline(always)]
    fn slope_of_weight<F: Real>(weight: F) -> F {
        weight
    }
}

struct ExpInPlace<'a, F> {
    values: &'a mut [F],
}

impl<F: Real> Loop for ExpInPlace<'_, F> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        for x in self.values {
            *x = x.exp();
        }
    }
}

/// A row of weights: the largest one, and the sum of the others, which keeps its digits where they are tiny.
#[derive(Clone, Copy)]
struct Summary {
    top: usize,
    largest: f64,
    rest: f64,
}

impl Summary {
    /// No weights: their logarithms are NaN.
    const EMPTY: Self = Summary {
        top: 0,
        largest: 0.0,
        rest: 0.0,
    };

    #[inline(always)]
    fn of<F: Real>(weights: &[F]) -> Self {
        let mut top = 0;
        for (j, &w) in weights.iter().enumerate() {
            top = if w > weights[top] { j } else { top };
        }
        let rest = weights[..top].iter().chain(&weights[top + 1..]);
        Summary {
            top,
            largest: weights[top].to_f64(),
            rest: rest.map(|w| w.to_f64()).sum(),
        }
    }

    /// Returns the log probability of category `y`.
    fn log_prob<W: Weight, F: Real>(&self, params: &[F], y: usize) -> f64 {
        let top = -(self.rest / self.largest).ln_1p();
        if y == self.top {
            top
        } else {
            W::log_ratio(params, y, self.top) + top
        }
    }

    /// Returns the sum of all weights but that of category `y`.
    fn but<F: Real>(&self, weights: &[F], y: usize) -> f64 {
        if y == self.top {
            self.rest
        } else {
            self.rest - weights[y].to_f64() + self.largest
        }
    }
}

/// ln(w_y / Σ w) for category y of each row.
struct ByWeight<W, L>(PhantomData<(W, L)>);

impl<W: Weight, L: Label> ByWeight<W, L> {
    /// Calls `f` with the number, the category, the parameters and the weights of each row.
    #[inline(always)]
    fn each<F: Real>(call: &mut Call<'_, F>, mut f: impl FnMut(usize, Option<usize>, &[F], &[F], Summary)) {
        let (n, k) = (call.attr(0) as usize, call.attr(1) as usize);
        if n == 0 || k == 0 {
            return (0..n).for_each(|r| f(r, None, &[], &[], Summary::EMPTY));
        }
        let params = RowsOf::new(call, 1, k);
        let values = RowsOf::new(call, 0, size(L::row(&k)));
        let weights = &mut call.aux()[..call.x(1).len()];
        W::weights(call.x(1), k, weights);
        let mut summary = Summary::of(&weights[..k]);
        for r in 0..n {
            let weights = if weights.len() == k {
                &*weights
            } else {
                &weights[r * k..][..k]
            };
            if r > 0 && call.x(1).len() > k {
                summary = Summary::of(weights);
            }
            f(r, L::read(values.row(r), k), params.row(r), weights, summary);
        }
    }
}

/// Returns the log probability of a category; of none it is −∞, or NaN where the weights have no sum.
fn log_prob_of<W: Weight, F: Real>(label: Option<usize>, params: &[F], summary: Summary) -> f64 {
    match label {
        Some(y) => summary.log_prob::<W, F>(params, y),
        None => outside(-(summary.rest / summary.largest)),
    }
}

impl<W: Weight, L: Label> RowDensity for ByWeight<W, L> {
    const NAME: &'static str = if W::IS_LOG { L::LOG_PROB_LOGITS } else { L::LOG_PROB };
    const NO_GRAD: u32 = 1;

    fn aux(rows: usize, k: usize) -> usize {
        rows.max(1) * k
    }

    fn forward<F: Real>(call: &mut Call<'_, F>, mut put: impl FnMut(usize, f64)) {
        Self::each(call, |r, label, params, _, summary| {
            put(r, log_prob_of::<W, F>(label, params, summary))
        });
    }

    fn backward<F: Real>(call: &mut Call<'_, F>, seed: impl Fn(usize) -> F, mut put: impl FnMut(usize, f64)) {
        let k = call.attr(1) as usize;
        let mut d_params = RowsGrad::new(call, 1, k);
        Self::each(call, |r, label, params, weights, summary| {
            put(r, log_prob_of::<W, F>(label, params, summary));
            if let (Some(y), Some(d_params)) = (label, &mut d_params) {
                let d = d_params.row(r);
                let scale = seed(r).to_f64() / (summary.largest + summary.rest);
                let (before, step) = (d[y], F::from_f64(scale));
                for (d, &w) in d.iter_mut().zip(weights) {
                    *d += -(step * W::slope_of_weight(w));
                }
                d[y] = before + F::from_f64(scale * summary.but(weights, y)) * W::slope(weights[y]);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::{Categorical, Dist, OneHotCategorical};
    use crate::ops::sum::SumTerm;
    use crate::rng::Key;
    use crate::tape::gradient::gradient;
    use crate::tape::op::Op;
    use crate::tape::store::Precision;
    use crate::testing::op_check::compare;

    const LOGITS: [f64; 6] = [0.5, -1.0, 2.0, 0.0, 3.0, 1.0];

    /// Records labels under one row of weights, or one for each.
    fn density(precision: Precision, labels: &[f64], rows: usize, fused: bool) -> (f64, Vec<f64>) {
        let tape = Tape::new(precision, Key::new(1));
        let shape: &[usize] = if rows == 1 { &[3] } else { &[2, 3] };
        let logits = tape.input(0, &[], shape, &LOGITS[..3 * rows], false);
        let x = tape.constant_array(&[labels.len()], labels.iter().copied());
        if fused {
            Categorical::logits(logits).log_prob_term(&tape, x, 1.0, 0);
        } else {
            let (log_probs, mut one_hot) = (logits.log_softmax(), vec![0.0; 3 * labels.len()]);
            labels
                .iter()
                .enumerate()
                .for_each(|(r, &y)| one_hot[3 * r + y as usize] = 1.0);
            let one_hot = tape.constant_array(&[labels.len(), 3], one_hot.into_iter());
            tape.term(SumTerm::DEF, &[log_probs * one_hot], &[], 0, 1.0, 0);
        }
        (tape.log_density(), gradient(&tape))
    }

    #[test]
    fn the_fused_term_is_the_gathered_log_softmax() {
        for (labels, rows) in [(&[2.0, 0.0, 0.0, 1.0] as &[f64], 1), (&[2.0, 1.0], 2)] {
            let (got, want) = (
                density(Precision::F64, labels, rows, true),
                density(Precision::F64, labels, rows, false),
            );
            compare("fused and composed", &[got.0], &[want.0], 1e-14, 1.0, &[]);
            compare("their gradients", &got.1, &want.1, 1e-14, 1.0, &[]);
            let single = density(Precision::F32, labels, rows, true);
            compare("single precision", &single.1, &want.1, 1e-6, 1.0, &[]);
        }
    }

    #[test]
    fn one_hot_vectors_and_labels_have_one_density() {
        let tape = Tape::new(Precision::F64, Key::new(1));
        let x = tape.constant_array(&[2, 3], [0.0, 0.0, 1.0, 1.0, 0.0, 0.0].into_iter());
        let label = tape.constant_array(&[2], [2.0, 0.0].into_iter());
        let logits = tape.constant_array(&[2, 3], LOGITS.into_iter());
        let one_hot = OneHotCategorical::logits(logits).log_prob(x).elements();
        assert_eq!(one_hot, Categorical::logits(logits).log_prob(label).elements());
        let not_one_hot = tape.constant_array(&[3], [1.0, 1.0, 0.0].into_iter());
        assert_eq!(
            OneHotCategorical::probs([1.0, 2.0, 3.0])
                .log_prob(not_one_hot)
                .elements(),
            [f64::NEG_INFINITY]
        );
    }

    #[test]
    fn minus_infinity_beyond_the_categories_and_nan_for_bad_weights() {
        let at = |x: f64, p: [f64; 2]| {
            let tape = Tape::new(Precision::F64, Key::new(1));
            Categorical::probs(p)
                .log_prob(tape.constant_array(&[], [x].into_iter()))
                .elements()[0]
        };
        for x in [-1.0, 2.0, 0.5] {
            assert_eq!(at(x, [0.5, 0.5]), f64::NEG_INFINITY);
        }
        assert_eq!(at(0.0, [0.0, 0.5]), f64::NEG_INFINITY);
        assert_eq!(at(1.0, [0.0, 0.5]), 0.0);
        assert!(at(0.0, [-0.5, 1.0]).is_nan() && at(0.0, [0.0, 0.0]).is_nan());
    }
}
