//! The density of a few elements, one after the other.

use crate::kernels::density::passes::Seed;
use crate::kernels::density::{Adjoint, Density, Operands, times};
use crate::kernels::real::Real;

/// Returns Σᵢ log p(xᵢ; paramsᵢ).
pub fn sum<D: Density<P>, const P: usize, F: Real>(operands: &Operands<'_, P, F>, prepared: &[D::Shared<F>]) -> f64 {
    log_probs::<D, P, F>(operands, prepared).map(F::to_f64).sum()
}

/// Computes outᵢ = log p(xᵢ; paramsᵢ).
pub fn each<D: Density<P>, const P: usize, F: Real>(operands: &Operands<'_, P, F>, out: &mut [F]) {
    for (out, log_prob) in out.iter_mut().zip(log_probs::<D, P, F>(operands, &[])) {
        *out = log_prob;
    }
}

fn log_probs<D: Density<P>, const P: usize, F: Real>(
    operands: &Operands<'_, P, F>,
    prepared: &[D::Shared<F>],
) -> impl Iterator<Item = F> {
    let shared = EachShared::<D, P, F>::new(operands, prepared, false);
    (0..operands.n).map(move |i| {
        let (x, p) = element(operands, i);
        D::log_prob(x, p, &shared.at(i, p))
    })
}

/// What depends on parameters alone, for each element.
struct EachShared<'a, D: Density<P>, const P: usize, F: Real> {
    /// For each element, or empty.
    prepared: &'a [D::Shared<F>],
    /// For all elements.
    one: Option<D::Shared<F>>,
    gradient: bool,
}

impl<'a, D: Density<P>, const P: usize, F: Real> EachShared<'a, D, P, F> {
    #[inline(always)]
    fn new(operands: &Operands<'_, P, F>, prepared: &'a [D::Shared<F>], gradient: bool) -> Self {
        EachShared {
            prepared,
            one: operands.shared::<D>(prepared, gradient),
            gradient,
        }
    }

    /// Returns that of element `i`, which has these parameters.
    #[inline(always)]
    fn at(&self, i: usize, params: [F; P]) -> D::Shared<F> {
        match self.one {
            Some(one) => one,
            None if self.prepared.is_empty() => D::shared(params, self.gradient),
            None => self.prepared[i],
        }
    }
}

/// Returns the sum and writes the derivatives times the seed.
pub fn partials<D: Density<P>, const P: usize, F: Real>(
    operands: &Operands<'_, P, F>,
    prepared: &[D::Shared<F>],
    seed: Seed<'_, F>,
    mut d_x: Adjoint<'_, F>,
    mut d_params: [Adjoint<'_, F>; P],
) -> f64 {
    let n = operands.n;
    let mut total = 0.0;
    let (mut sum_x, mut sums) = (0.0, [0.0; P]);
    let each_shared = EachShared::<D, P, F>::new(operands, prepared, true);
    for i in 0..n {
        let (x, p) = element(operands, i);
        let shared = each_shared.at(i, p);
        let (by_x, by_params) = D::partials(x, p, &shared);
        total += D::log_prob(x, p, &shared).to_f64();
        let seed = match seed {
            Seed::Weight(weight) => weight,
            Seed::Each(d_out) => d_out[i],
        };
        put(&mut d_x, i, n, times(seed, by_x), &mut sum_x);
        for k in 0..P {
            put(&mut d_params[k], i, n, times(seed, by_params[k]), &mut sums[k]);
        }
    }
    put_sum(&mut d_x, sum_x, n);
    for k in 0..P {
        put_sum(&mut d_params[k], sums[k], n);
    }
    total
}

/// Returns element `i` of each operand; a single number counts for every i.
#[inline(always)]
fn element<const P: usize, F: Real>(operands: &Operands<'_, P, F>, i: usize) -> (F, [F; P]) {
    let at = |values: &[F]| if values.len() == 1 { values[0] } else { values[i] };
    (at(operands.x), std::array::from_fn(|k| at(operands.params[k])))
}

/// Writes the derivative by one element, or adds it to the sum where the operand is a single number.
#[inline(always)]
fn put<F: Real>(to: &mut Adjoint<'_, F>, i: usize, n: usize, d: F, sum: &mut f64) {
    match to {
        None => {}
        Some((slice, _)) if slice.len() == 1 && n != 1 => *sum += d.to_f64(),
        Some((slice, true)) => slice[i] = d,
        Some((slice, false)) => slice[i] += d,
    }
}

/// Writes the derivative by a single number.
#[inline(always)]
fn put_sum<F: Real>(to: &mut Adjoint<'_, F>, sum: f64, n: usize) {
    if let Some((slice, overwrite)) = to
        && slice.len() == 1
        && n != 1
    {
        let sum = F::from_f64(sum);
        slice[0] = if *overwrite { sum } else { slice[0] + sum };
    }
}
