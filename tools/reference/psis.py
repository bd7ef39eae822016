"""Writes stored log ratios with ArviZ's smoothed weights and Pareto k of them, which ppl-core/tests/loo.rs reads.

    pip install arviz-stats==0.8.0 numpy scipy
    python tools/reference/psis.py ppl-core/tests/data/psis.json
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

# ArviZ leaves open which of equal weights gets which smoothed one: in order here.
np.argsort = functools.partial(np.argsort, kind="stable")


def series():
    rng = np.random.default_rng(20240607)
    z = rng.normal(size=1000)
    yield "guide_of_half_the_width", 1.0, -0.5 * (z / 2) ** 2 + 0.5 * z**2
    yield "guide_of_the_double_width", 1.0, -0.5 * (2 * z) ** 2 + 0.5 * z**2
    yield "shifted_guide", 1.0, 0.5 * rng.normal(size=1000)
    yield "hardly_different", 1.0, 1e-3 * rng.normal(size=500)
    yield "pareto_half", 1.0, 0.5 * rng.exponential(size=400)
    yield "pareto_two", 1.0, 2.0 * rng.exponential(size=400)
    yield "far_from_zero", 1.0, -1e5 + 3.0 * rng.normal(size=300)
    yield "a_few", 1.0, rng.normal(size=30)
    yield "ties", 1.0, np.round(4 * rng.normal(size=300)) / 4
    yield "dependent", 0.3, rng.normal(size=900)
    yield "hardly_any_effective", 0.05, rng.normal(size=900)
    yield "antithetic", 2.5, rng.normal(size=200)
    yield "impossible_draws", 1.0, np.where(rng.uniform(size=250) < 0.3, -math.inf, rng.normal(size=250))


def text_unless_finite(x):
    x = float(x)
    return x if math.isfinite(x) else str(x)


def main(path):
    warnings.simplefilter("ignore")
    cases = {}
    for name, r_eff, x in series():
        # Seven digits keep the file small; the results are those of the rounded numbers.
        x = np.array([float(f"{v:.9g}" if 1e4 < abs(v) < math.inf else f"{v:.7g}") for v in x])
        # The function takes log likelihoods, which are the negative log ratios of leave-one-out weights.
        log_weights, k = array_stats.psislw(-x, r_eff=r_eff)
        cases[name] = {
            "r_eff": r_eff,
            "k": float(k),
            "log_ratios": [text_unless_finite(v) for v in x],
            "log_weights": [text_unless_finite(v) for v in log_weights],
        }
    made_by = f"arviz-stats {arviz_stats.__version__}, numpy {np.__version__}, scipy {scipy.__version__}"
    path.write_text(json.dumps({"made_by": made_by, "cases": cases}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
