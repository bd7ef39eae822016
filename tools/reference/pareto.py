"""Writes stored log weights with ArviZ's Pareto k of them, which ppl-core/tests/diagnostics.rs reads.

    pip install arviz==0.23.4
    python tools/reference/pareto.py ppl-core/tests/data/pareto.json
"""

import json
import pathlib
import sys
import warnings

import numpy as np

warnings.simplefilter("ignore")

import arviz  # noqa: E402


def series():
    rng = np.random.default_rng(20240607)
    z = rng.normal(size=1000)
    yield "guide_of_half_the_width", -0.5 * (z / 2) ** 2 + 0.5 * z**2
    yield "guide_of_the_double_width", -0.5 * (2 * z) ** 2 + 0.5 * z**2
    yield "shifted_guide", 0.5 * rng.normal(size=1000)
    yield "hardly_different", 1e-3 * rng.normal(size=500)
    yield "pareto_half", 0.5 * rng.exponential(size=400)
    yield "pareto_two", 2.0 * rng.exponential(size=400)
    yield "far_from_zero", -1e5 + 3.0 * rng.normal(size=300)
    yield "a_few", rng.normal(size=30)
    ties = np.round(4 * rng.normal(size=300)) / 4
    yield "ties", ties
    yield "too_few", rng.normal(size=12)
    yield "below_the_smallest", np.concatenate([np.full(90, -1e4), rng.normal(size=10)])


def main(path):
    cases = {}
    for name, x in series():
        # Seven digits keep the file small; the results are those of the rounded numbers.
        x = np.array([float(f"{v:.9g}" if abs(v) > 1e4 else f"{v:.7g}") for v in x])
        k = float(arviz.psislw(x.copy(), reff=1.0)[1])
        cases[name] = {"k": k if np.isfinite(k) else str(k), "log_weights": list(x)}
    made_by = f"arviz {arviz.__version__}, numpy {np.__version__}"
    path.write_text(json.dumps({"made_by": made_by, "cases": cases}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
