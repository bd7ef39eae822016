//! Stacking: the mixture of models that predicts best, found by an interior-point Newton method.

/// The weight of the barrier at the end. The mean log score is below its maximum by at most this for each model.
const LAST_BARRIER: f64 = 1e-10;

/// By how much the weight of the barrier falls from one round to the next.
const FALL: f64 = 0.1;

/// A bound on Newton steps in a round, which take a few dozen at most.
const MAX_STEPS: usize = 200;

/// Returns the weights w ≥ 0, Σ w = 1, that maximise Σᵢ ln Σₖ wₖ e^(densities[k][i]), from log densities `[model, observation]`.
///
/// With pᵢₖ in units of the largest of observation i, minimises −1/n Σᵢ ln Σₖ wₖ pᵢₖ + Σₖ wₖ − μ Σₖ ln wₖ for μ → 0: at the
/// minimum over w ≥ 0 the weights add up to one by themselves. Observations that no model holds possible change nothing.
pub(super) fn stacking_weights(densities: &[Vec<f64>]) -> Vec<f64> {
    let n_models = densities.len();
    let observations = 0..densities[0].len();
    let rows: Vec<Vec<f64>> = observations
        .map(|i| densities.iter().map(|model| model[i]).collect::<Vec<f64>>())
        .filter_map(|row| {
            let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            largest
                .is_finite()
                .then(|| row.iter().map(|x| (x - largest).exp()).collect())
        })
        .collect();
    let mut weights = vec![1.0 / n_models as f64; n_models];
    let mut barrier = 1.0;
    while barrier > LAST_BARRIER {
        barrier = (barrier * FALL).max(LAST_BARRIER);
        centre(&rows, barrier, &mut weights);
    }
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / total).collect()
}

/// Moves the weights to the minimum for one weight of the barrier, by Newton steps in units of the weights.
fn centre(rows: &[Vec<f64>], barrier: f64, weights: &mut [f64]) {
    let n = rows.len() as f64;
    for _ in 0..MAX_STEPS {
        let k = weights.len();
        // With shares sᵢₖ = wₖ pᵢₖ / Σ: gradient w − mean s − μ, Hessian mean s sᵀ + μ.
        let mut gradient: Vec<f64> = weights.iter().map(|w| w - barrier).collect();
        let mut hessian = vec![0.0; k * k];
        (0..k).for_each(|a| hessian[a * k + a] = barrier);
        for row in rows {
            let total: f64 = row.iter().zip(&*weights).map(|(p, w)| p * w).sum();
            let shares: Vec<f64> = row.iter().zip(&*weights).map(|(p, w)| p * w / total).collect();
            for (a, share) in shares.iter().enumerate() {
                gradient[a] -= share / n;
                for (b, other) in shares[..=a].iter().enumerate() {
                    hessian[a * k + b] += share * other / n;
                }
            }
        }
        let step = solve(&mut hessian, k, &gradient);
        let decrement: f64 = step.iter().zip(&gradient).map(|(s, g)| s * g).sum();
        // Times the larger of n and 1/μ the objective is self-concordant: damped steps converge from anywhere and leave no
        // weight negative, whole ones are quadratic near the minimum.
        let size = (decrement.max(0.0) * n.max(1.0 / barrier)).sqrt();
        let length = if size > 0.25 { 1.0 / (1.0 + size) } else { 1.0 };
        for (w, s) in weights.iter_mut().zip(&step) {
            *w *= 1.0 - length * s;
        }
        if size.is_nan() || size <= 1e-6 {
            break;
        }
    }
}

/// Returns the solution of a symmetric positive definite system, whose lower half is overwritten by its Cholesky factor.
fn solve(matrix: &mut [f64], k: usize, right: &[f64]) -> Vec<f64> {
    for a in 0..k {
        for b in 0..=a {
            let inner: f64 = (0..b).map(|c| matrix[a * k + c] * matrix[b * k + c]).sum();
            let rest = matrix[a * k + b] - inner;
            matrix[a * k + b] = if a == b { rest.sqrt() } else { rest / matrix[b * k + b] };
        }
    }
    let mut x = right.to_vec();
    for a in 0..k {
        let inner: f64 = (0..a).map(|c| matrix[a * k + c] * x[c]).sum();
        x[a] = (x[a] - inner) / matrix[a * k + a];
    }
    for a in (0..k).rev() {
        let inner: f64 = (a + 1..k).map(|c| matrix[c * k + a] * x[c]).sum();
        x[a] = (x[a] - inner) / matrix[a * k + a];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Log densities of three models: the first two each predict half of the observations better, the third none.
    fn densities(n: usize) -> Vec<Vec<f64>> {
        let spread = |i: usize, k: f64| ((i as f64) * k).fract();
        let model = |f: &dyn Fn(usize) -> f64| (0..n).map(f).collect::<Vec<f64>>();
        vec![
            model(&|i| -900.0 - 3.0 * spread(i, 0.618) - (i % 2) as f64),
            model(&|i| -900.0 - 3.0 * spread(i, 0.755) - ((i + 1) % 2) as f64),
            model(&|i| -903.5 - spread(i, 0.57)),
        ]
    }

    #[test]
    fn no_mixture_of_models_predicts_better() {
        for n in [1, 7, 60, 500] {
            let densities = densities(n);
            let weights = stacking_weights(&densities);
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-14);
            // At the maximum the mean of pₖ / Σ w p is one for models with weight and at most one for all: the duality gap.
            let mean_ratio = |k: usize| {
                let ratio = |i: usize| {
                    let relative = densities.iter().map(|model| (model[i] - densities[k][i]).exp());
                    1.0 / relative.zip(&weights).map(|(p, w)| p * w).sum::<f64>()
                };
                (0..n).map(ratio).sum::<f64>() / n as f64
            };
            for (k, weight) in weights.iter().enumerate() {
                let excess = mean_ratio(k) - 1.0;
                assert!(excess < 1e-9, "model {k} of {n} observations: {excess:e}");
                assert!(
                    excess > -1e-9 || *weight < 1e-8,
                    "model {k}: {excess:e} at weight {weight}"
                );
            }
        }
    }

    #[test]
    fn equal_models_share_their_weight_and_impossible_observations_change_nothing() {
        let one = vec![-1.0, -2.0, -0.5, f64::NEG_INFINITY];
        let weights = stacking_weights(&[one.clone(), one]);
        assert!((weights[0] - 0.5).abs() < 1e-6, "{weights:?}");
    }
}
