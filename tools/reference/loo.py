"""Writes models with ArviZ's leave-one-out estimates and sensitivities of them, which ppl-core/tests/loo.rs reads.

ArviZ has no WAIC any more: its numbers follow equation 13 of Vehtari, Gelman and Gabry (2017). Stacking weights are those of
scipy's SLSQP, as in ArviZ, run to its last digits.

    pip install arviz-stats==0.8.0 numpy scipy
    python tools/reference/loo.py ppl-core/tests/data/loo.json
"""

import functools
import json
import math
import pathlib
import sys
import warnings

import arviz_stats
import numpy as np
import scipy
from arviz_stats.base import array_stats
from scipy import stats
from scipy.optimize import minimize
from scipy.special import logsumexp

# ArviZ leaves open which of equal weights gets which smoothed one: in order here.
np.argsort = functools.partial(np.argsort, kind="stable")


def rounded(x):
    # Six digits keep the file small; the results are those of the rounded numbers.
    return np.vectorize(lambda v: float(f"{v:.6g}"))(x)


def models():
    """Yields name, r_eff, draws [chain, draw] by name, log prior, log likelihood, observations and predictions."""
    rng = np.random.default_rng(20240607)

    def normal(y, loc, scale, shape, width):
        mu = loc + width * rng.normal(size=shape)
        sigma = scale * np.exp(width * rng.normal(size=shape))
        at = tuple(slice(None) for _ in shape) + (None,) * y.ndim
        log_likelihood = stats.norm.logpdf(y, mu[at], sigma[at])
        predictions = mu[at] + sigma[at] * rng.normal(size=shape + y.shape)
        log_prior = stats.norm.logpdf(mu, 0, 1) + stats.halfnorm.logpdf(sigma)
        return {"mu": mu, "sigma": sigma}, log_prior, log_likelihood, y, predictions

    y = rng.normal(size=12)
    y[7] = 5.5
    yield "normal", 1.0, *normal(y, y.mean(), y.std(), (4, 75), 0.15)
    yield "normal_too_narrow", 0.6, *normal(y, y.mean(), 0.5 * y.std(), (4, 75), 0.1)
    nu, shape = 3.0, (4, 75)
    mu, sigma = np.median(y) + 0.15 * rng.normal(size=shape), 0.8 * np.exp(0.15 * rng.normal(size=shape))
    at = (..., None)
    log_likelihood = stats.t.logpdf(y, nu, mu[at], sigma[at])
    predictions = mu[at] + sigma[at] * rng.standard_t(nu, size=shape + y.shape)
    log_prior = stats.norm.logpdf(mu, 4, 0.2) + stats.halfnorm.logpdf(sigma)
    yield "student", 0.9, {"mu": mu, "sigma": sigma}, log_prior, log_likelihood, y, predictions
    yield "table_of_observations", 1.0, *normal(rng.normal(size=(2, 3)), 0.0, 1.0, (1, 250), 0.3)
    counts = rng.poisson(2.0, size=15)
    rate = np.exp(np.log(2.0) + 0.2 * rng.normal(size=(2, 120)))
    # Draws that a random walk repeats.
    rate[:, 1::2] = rate[:, ::2]
    log_likelihood = stats.poisson.logpmf(counts, rate[at])
    predictions = rng.poisson(rate[at], size=rate.shape + counts.shape)
    yield "counts", 0.5, {"rate": rate}, stats.gamma.logpdf(rate, 2), log_likelihood, counts, predictions


def sensitivity(x, log_density):
    scaled = [np.exp(array_stats._power_scale_lw(log_density, alpha)) for alpha in (0.99, 1.01)]
    return float(array_stats._power_scale_sense(x, *(w / w.sum() for w in scaled), 0.99, 1.01))


def few_draws():
    """Twenty draws, of which a fifth would be too few for a tail."""
    rng = np.random.default_rng(20240608)
    x = rounded(rng.normal(size=(2, 10)))
    log_density = rounded(-2 * x**2 + rng.normal(size=(2, 10)))
    return {"x": list(x.ravel()), "log_density": list(log_density.ravel()), "psense": sensitivity(x, log_density)}


def estimates(r_eff, draws, log_prior, log_likelihood, y, predictions):
    n = y.size
    flat = log_likelihood.reshape(*log_likelihood.shape[:2], n)
    one = [array_stats.loo(flat[..., i], chain_axis=0, draw_axis=1, r_eff=r_eff) for i in range(n)]
    elpd_i, k, p_i = (np.array([float(x[j]) for x in one]) for j in range(3))
    elpd, se, p, _ = array_stats.loo_summary(elpd_i, p_i)
    weights = [array_stats.psislw(flat[..., i].ravel(), r_eff=r_eff)[0] for i in range(n)]
    flat_y, flat_predictions = y.reshape(n), predictions.reshape(-1, n)
    middles = [array_stats._loo_pit(flat_predictions[:, i], flat_y[i], weights[i]) for i in range(n)]
    below = [np.sum(np.exp(weights[i])[flat_predictions[:, i] < flat_y[i]]) for i in range(n)]
    penalties = np.var(flat, axis=(0, 1), ddof=1)
    waic_i = logsumexp(flat, axis=(0, 1)) - math.log(flat.shape[0] * flat.shape[1]) - penalties
    components = {"prior": log_prior, "likelihood": flat.sum(axis=-1)}
    sensitivities = {
        component: {name: sensitivity(x, log_density) for name, x in draws.items()}
        for component, log_density in components.items()
    }
    return {
        "elpd": float(elpd),
        "se": float(se),
        "p": float(p),
        "elpd_i": list(elpd_i),
        "pareto_k": list(k),
        "pit_middles": [float(x) for x in middles],
        "pit_below": [float(x) for x in below],
        "waic": {"elpd": float(waic_i.sum()), "se": float(np.sqrt(n * np.var(waic_i))), "p": float(penalties.sum())},
        "psense": sensitivities,
        "ess_mean": {name: float(array_stats.ess(x, method="mean")) for name, x in draws.items()},
    }


def comparison(results):
    names = sorted(results, key=lambda name: -results[name]["elpd"])
    elpd_i = np.array([results[name]["elpd_i"] for name in names]).T
    densities = np.exp(elpd_i - elpd_i.max(axis=1, keepdims=True))
    k = len(names)

    def score(weights):
        return -np.log(densities @ weights).mean()

    def gradient(weights):
        return -(densities / (densities @ weights)[:, None]).mean(axis=0)

    weights = minimize(
        score,
        np.full(k, 1 / k),
        jac=gradient,
        method="SLSQP",
        bounds=[(0, 1)] * k,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones(k)},
        options={"ftol": 1e-16, "maxiter": 1000},
    ).x
    return [
        {
            "name": name,
            "elpd_diff": float((elpd_i[:, 0] - elpd_i[:, j]).sum()),
            "dse": float(np.sqrt(len(elpd_i) * np.var(elpd_i[:, 0] - elpd_i[:, j]))),
            "weight": float(weights[j]),
        }
        for j, name in enumerate(names)
    ]


def main(path):
    warnings.simplefilter("ignore")
    cases, results = {}, {}
    for name, r_eff, draws, *arrays in models():
        draws = {key: rounded(value) for key, value in draws.items()}
        log_prior, log_likelihood, y, predictions = map(rounded, arrays)
        results[name] = estimates(r_eff, draws, log_prior, log_likelihood, y, predictions)
        cases[name] = {
            "r_eff": r_eff,
            "shape": list(log_likelihood.shape),
            "draws": {key: list(value.ravel()) for key, value in draws.items()},
            "log_prior": list(log_prior.ravel()),
            "log_likelihood": list(log_likelihood.ravel()),
            "observed": list(y.ravel()),
            "predictions": list(predictions.ravel()),
            "results": results[name],
        }
    compared = comparison({name: results[name] for name in ("normal", "normal_too_narrow", "student")})
    made_by = f"arviz-stats {arviz_stats.__version__}, numpy {np.__version__}, scipy {scipy.__version__}"
    record = {"made_by": made_by, "cases": cases, "comparison": compared, "few_draws": few_draws()}
    path.write_text(json.dumps(record, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
