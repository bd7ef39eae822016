"""Writes stored chains with ArviZ's diagnostics of them, which ppl-core/tests/diagnostics.rs reads.

    pip install arviz-stats==0.8.0 numpy scipy
    python tools/reference/diagnostics.py ppl-core/tests/data/diagnostics
"""

import json
import math
import pathlib
import sys
import warnings

import arviz_stats
import numpy as np
import scipy
from arviz_stats.base import array_stats

PROBABILITIES = [0.05, 0.5, 0.9]

# The quantiles that bound the interval of the local effective sample size.
INTERVAL = (0.25, 0.6)

# The numbers of the superchains of one to four chains.
SUPERCHAINS = {1: [0], 2: [0, 1], 3: [0, 1, 2], 4: [0, 1, 0, 1]}


def autoregressive(rng, n_chains, n_draws, phi):
    x = np.empty((n_chains, n_draws))
    x[:, 0] = rng.normal(size=n_chains) / math.sqrt(1 - phi**2)
    for t in range(1, n_draws):
        x[:, t] = phi * x[:, t - 1] + rng.normal(size=n_chains)
    return x


def series():
    rng = np.random.default_rng(20240607)
    yield "iid_normal", rng.normal(size=(4, 250))
    yield "autoregressive", autoregressive(rng, 4, 300, 0.9)
    yield "sluggish", autoregressive(rng, 2, 600, 0.99)
    yield "antithetic", autoregressive(rng, 4, 200, -0.7)
    yield "ties", rng.poisson(2.0, size=(4, 150)).astype(float)
    yield "two_values", np.where(rng.uniform(size=(2, 100)) < 0.5, -1.0, 1.0)
    stuck = rng.normal(size=(4, 200))
    stuck[2] = 0.75
    yield "stuck_chain", stuck
    yield "heavy_tails", rng.standard_cauchy(size=(4, 250))
    yield "shifted", rng.normal(size=(4, 150)) + np.array([[0.0], [0.0], [0.0], [3.0]])
    yield "wider", rng.normal(size=(4, 150)) * np.array([[1.0], [1.0], [1.0], [6.0]])
    yield "drift", rng.normal(size=(2, 150)) + np.linspace(0, 4, 150)
    yield "one_chain", autoregressive(rng, 1, 251, 0.5)
    yield "far_from_zero", 1e6 + rng.normal(size=(2, 101))
    yield "constant", np.full((4, 50), 2.5)
    infinite = rng.normal(size=(2, 100))
    infinite[1, 17] = math.inf
    yield "infinite_draw", infinite
    not_a_number = rng.normal(size=(2, 50))
    not_a_number[0, 3] = math.nan
    yield "nan_draw", not_a_number
    yield "five_draws", rng.normal(size=(2, 5))
    yield "four_draws", rng.normal(size=(3, 4))
    yield "three_draws", rng.normal(size=(3, 3))


def rhat(chains):
    """ArviZ wants two chains; one is judged by the same formula on its halves."""
    if chains.shape[0] > 1 or chains.shape[1] < 4:
        return array_stats.rhat(chains, method="rank")
    halves = array_stats._split_chains(chains)
    folded = abs(halves - np.median(halves))
    return max(array_stats._rhat(array_stats._z_scale(x)) for x in (halves, folded))


def pareto_khat(chains):
    """ArviZ refuses tails without spread, and has no rule for infinite draws and for fewer than four."""
    if chains.shape[1] < 4 or np.any(np.isnan(chains)):
        return math.nan
    if np.any(np.isinf(chains)):
        return math.inf
    try:
        return array_stats.pareto_khat(chains)
    except ValueError:
        return math.nan


def results(chains):
    def mcse(**kwargs):
        return array_stats.mcse(chains, **kwargs)

    return {
        "mean": np.mean(chains),
        "sd": np.std(chains, ddof=1),
        "q5": np.quantile(chains, 0.05),
        "q95": np.quantile(chains, 0.95),
        "ess_bulk": array_stats.ess(chains, method="bulk"),
        "ess_tail": array_stats.ess(chains, method="tail", prob=(0.05, 0.95)),
        "ess_mean": array_stats.ess(chains, method="mean"),
        "ess_sd": array_stats.ess(chains, method="sd"),
        "ess_local": array_stats.ess(chains, method="local", prob=INTERVAL),
        "rhat": rhat(chains),
        "rhat_nested": array_stats.rhat_nested(chains, SUPERCHAINS[len(chains)]),
        "pareto_khat": pareto_khat(chains),
        "e_bfmi": array_stats.bfmi(chains),
        "mcse_mean": mcse(method="mean"),
        "mcse_sd": mcse(method="sd"),
        "ess_quantile": [array_stats.ess(chains, method="quantile", prob=p) for p in PROBABILITIES],
        "mcse_quantile": [mcse(method="quantile", prob=p) for p in PROBABILITIES],
    }


def text_unless_finite(x):
    if isinstance(x, (list, np.ndarray)) and np.ndim(x):
        return [text_unless_finite(y) for y in x]
    x = float(x)
    return x if math.isfinite(x) else str(x)


def main(folder):
    warnings.simplefilter("ignore")
    for name, chains in series():
        # Seven digits keep the files small; the results are those of the rounded chains.
        chains = np.vectorize(lambda x: float(f"{x:.10g}" if abs(x) > 1e5 else f"{x:.7g}"))(chains)
        record = {
            "made_by": f"arviz-stats {arviz_stats.__version__}, numpy {np.__version__}, scipy {scipy.__version__}",
            "probabilities": PROBABILITIES,
            "interval": INTERVAL,
            "superchains": SUPERCHAINS[len(chains)],
            "results": {key: text_unless_finite(value) for key, value in results(chains).items()},
            "chains": text_unless_finite(chains),
        }
        (folder / f"{name}.json").write_text(json.dumps(record, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
