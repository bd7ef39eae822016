"""Writes reference tables of the distributions to ppl-core/tests/data/distributions/NAME.json.

Run: python3 tools/reference/distributions.py [NAME ...]    (needs mpmath; without names, all tables)

A table holds sets of parameters, and under each set points. Keys of a point: "value", "log_prob", and, where the density is
positive and smooth, "d_value" (continuous families) and "d_params". Keys of a set besides: "mean" and "variance".
Answers are decimal strings of 25 digits, "inf", "-inf" or "nan", in lists for vectors and matrices.
"scale" repeats the keys and holds |exact| + sum |input * d exact / d input| over the value and all parameters, so that a
reader can express an error in units of 2^-53 * scale. Derivatives are central differences in 700 digits (300 for divergences,
whose psi is slow) with relative steps of 1e-50: exact to far more digits than are printed. Inputs are f64 values, taken exactly.
"""

import json
import sys
from functools import cache
from pathlib import Path

from mpmath import digamma, erfc, exp, fabs, inf, isfinite, isnan, log, log1p, loggamma, mp, mpf, nan, pi, sqrt

OUT = Path(__file__).resolve().parents[2] / "ppl-core" / "tests" / "data" / "distributions"
HALF = mpf(1) / 2
DIGITS = 700
DIGITS_OF_DIVERGENCES = 300


def xlogy(x, y):
    return x * log(y) if x else mpf(0)


def xlog1py(x, y):
    return x * log1p(y) if x else mpf(0)


def softplus(x):
    return x + log1p(exp(-x)) if x > 0 else log1p(exp(x))


def logsumexp(xs):
    top = max(xs)
    return top + log(sum(exp(x - top) for x in xs))


def normal(x, loc, scale):
    return -(((x - loc) / scale) ** 2) / 2 - log(scale) - log(2 * pi) / 2


def binomial_coefficient(n, k):
    return loggamma(n + 1) - loggamma(k + 1) - loggamma(n - k + 1)


def is_count(x):
    return x >= 0 and x == int(x)


def on_support(inside, density):
    """The log density with minus infinity outside the support."""
    return lambda x, *params: density(x, *params) if inside(x, *params) else -inf


def everywhere(*_):
    return True


def positive(x, *_):
    return x > 0


def not_negative(x, *_):
    return x >= 0


def gamma(x, a, b):
    if x == 0:
        return -inf if a > 1 else inf if a < 1 else log(b)
    return a * log(b) - loggamma(a) + (a - 1) * log(x) - b * x


def beta(x, a, b):
    if (x == 0 and a != 1) or (x == 1 and b != 1):
        return -inf if (x == 0 and a > 1) or (x == 1 and b > 1) else inf
    return xlogy(a - 1, x) + xlog1py(b - 1, -x) - (loggamma(a) + loggamma(b) - loggamma(a + b))


def dirichlet(x, a):
    if any(v == 0 and c != 1 for v, c in zip(x, a)):
        return -inf if any(v == 0 and c > 1 for v, c in zip(x, a)) else inf
    return sum(xlogy(c - 1, v) for c, v in zip(a, x)) - sum(loggamma(c) for c in a) + loggamma(sum(a))


def student_t(x, df, loc, scale):
    z = (x - loc) / scale
    return loggamma((df + 1) / 2) - loggamma(df / 2) - log(df * pi) / 2 - log(scale) - (df + 1) / 2 * log1p(z * z / df)


def multivariate_normal(x, loc, tril):
    z = []
    for i, row in enumerate(tril):
        z.append((x[i] - loc[i] - sum(row[j] * z[j] for j in range(i))) / row[i])
    return -sum(v * v for v in z) / 2 - sum(log(row[i]) for i, row in enumerate(tril)) - len(x) * log(2 * pi) / 2


def softmax(logits):
    total = logsumexp(logits)
    return [exp(t - total) for t in logits]


def sigmoid(t):
    return 1 / (1 + exp(-t))


def bernoulli(x, p):
    if (x == 1 and p == 0) or (x == 0 and p == 1):
        return -inf
    return log(p) if x == 1 else log1p(-p)


def binomial_probs(x, n, p):
    if (x > 0 and p == 0) or (x < n and p == 1):
        return -inf
    return binomial_coefficient(n, x) + xlogy(x, p) + xlog1py(n - x, -p)


def poisson(x, rate):
    if rate == 0:
        return -inf if x else mpf(0)
    return xlogy(x, rate) - rate - loggamma(x + 1)


def categorical_probs(x, probs):
    return -inf if probs[int(x)] == 0 else log(probs[int(x)]) - log(sum(probs))


def student_moments(df, loc, scale):
    variance = scale**2 * df / (df - 2) if df > 2 else inf if df > 1 else nan
    return (loc if df > 1 else nan), variance


def locations():
    return [
        {"loc": loc, "scale": s}
        for loc, s in [
            (0.0, 1.0),
            (1.5, 0.3),
            (-1e8, 2.0),
            (1e-8, 1e-8),
            (3.0, 1e8),
            (1e3, 25.0),
            (-0.7, 7.0),
            (1e8, 1e-3),
        ]
    ]


Z = [-3e4, -37.5, -6.0, -1.7, -0.3, 1e-6, 0.0, 0.9, 2.5, 8.0, 150.0, 1e7]


def about(p, zs=Z):
    return [p["loc"] + z * p["scale"] for z in zs]


CONCENTRATIONS = [
    (1.0, 1.0),
    (2.5, 0.5),
    (0.3, 4.0),
    (1e-8, 1.0),
    (0.01, 1e-8),
    (1e8, 1e8),
    (1e5, 3.0),
    (40.0, 1e8),
    (7.0, 1e-3),
    (1234.5, 20.0),
]


def gamma_values(p):
    a, b = p["concentration"], p["rate"]
    spread = [a / b * r for r in (1e-30, 1e-6, 0.2, 0.9, 1.0, 1.0001, 1.6, 12.0)] + [
        a / b * (1 + z / a**0.5) for z in (-3.0, 5.0) if a > 30
    ]
    return spread + [0.0, -1.0]


def inverse_gamma_values(p):
    a, b = p["concentration"], p["rate"]
    mode = b / (a + 1)
    return [mode * r for r in (0.01, 0.3, 0.97, 1.0, 1.2, 7.0, 1e5, 1e12)] + [0.0, -2.5]


def beta_values(p):
    a, b = p["concentration1"], p["concentration0"]
    mean, spread = a / (a + b), (a * b / (a + b) ** 2 / (a + b + 1)) ** 0.5
    inside = [mean + z * spread for z in (-4.0, -1.0, 0.0, 0.5, 3.0)]
    return sorted({x for x in inside + [1e-300, 1e-12, 0.1, 0.5, 0.9, 1 - 1e-12] if 0 < x < 1}) + [0.0, 1.0, -0.1, 1.5]


def vector_sets(kind):
    logits = [
        [0.0, 0.0, 0.0],
        [1.0, -2.0, 0.5, 3.0],
        [1000.0, 999.0, -1000.0],
        [-1e8, 0.0, 1e8],
        [1e-8, -1e-8],
        [-745.0, 0.1],
        [0.3, 30.0, -30.0, 300.0, -300.0],
        [5.0],
        [12.5, 12.5, 12.5, 12.4999],
        [1e4, 1e4],
        [-36.0, 0.0, 2.0, -37.0],
        [0.7, -0.7, 1e-3],
    ]
    probs = [
        [0.2, 0.3, 0.5],
        [1.0, 2.0, 3.0, 4.0],
        [1e-8, 1.0],
        [1e-300, 1e-300],
        [0.0, 1.0, 3.0],
        [1e8, 1e-8, 5.0],
        [0.25, 0.25, 0.25, 0.25],
        [1.0],
        [0.1, 0.9],
        [1.0, 0.0],
        [1e-20, 1e-10, 1e-5, 1.0],
        [0.3333333333333333, 0.6666666666666666],
    ]
    return logits if kind == "logits" else probs


COUNT_PAIRS = [
    (1, 0.3),
    (10, 0.5),
    (10, 1e-8),
    (10, 1 - 1e-8),
    (100, 0.037),
    (10**6, 0.25),
    (10**8, 1e-7),
    (10**8, 0.5),
    (0, 0.4),
    (7, 0.0),
    (7, 1.0),
    (3, 0.9),
    (1000, 0.999),
]


def count_values(n, mean):
    spread = (mean * (1 - mean / n)) ** 0.5 if n else 0.0
    values = {0, 1, n, n - 1, n // 2} | {int(mean + z * spread) for z in (-9, -2, 0, 1, 6)}
    return [float(v) for v in sorted(values) if 0 <= v <= n] + [-1.0, n + 1.0, 0.5]


MVN = [
    ([0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]]),
    ([1.0, -2.0, 0.5], [[2.0, 0.0, 0.0], [0.6, 0.7, 0.0], [-1.1, 0.3, 1.3]]),
    ([0.0], [[1e-8]]),
    ([1e8, -1e8], [[1e-3, 0.0], [1e4, 1e8]]),
    ([0.1, 0.2], [[1.0, 0.0], [0.999999, 1e-6]]),
    ([3.0, 3.0, 3.0], [[1e-4, 0.0, 0.0], [0.5, 1e4, 0.0], [0.25, 0.125, 1.0]]),
    ([0.0, 0.0], [[1e8, 0.0], [-1e8, 1e-8]]),
    ([-0.5, 0.25, 2.0], [[0.9, 0.0, 0.0], [0.0, 1.7, 0.0], [0.0, 0.0, 0.02]]),
]


def mvn_values(p):
    out = []
    for t in (0.0, 0.3, -1.2, 4.0, 40.0, -1e3, 1e6):
        z = [t * (1.0 - 0.7 * i) + 0.1 * i for i in range(len(p["loc"]))]
        out.append([p["loc"][i] + sum(c * v for c, v in zip(row, z)) for i, row in enumerate(p["scale_tril"])])
    return out + [[0.5 * i + 1.0 for i in range(len(p["loc"]))]]


SIMPLEX = [
    [0.2, 0.3, 0.5],
    [1e-300, 0.5, 0.5],
    [1e-8, 1e-3, 0.99899999],
    [0.98, 0.01, 0.01],
    [0.3333333333333333] * 3,
    [0.6, 0.4, 0.0],
    [0.999, 1e-3, 1e-40],
]


def simplexes(p):
    a = p["concentration"]
    total = sum(a)
    inside = [[c / total for c in a], [(1.0 + i) / (len(a) * (len(a) + 1) / 2) for i in range(len(a))]]
    return inside + (SIMPLEX if len(a) == 3 else []) + [[1.0 / len(a)] * len(a)]


@cache
def upper_tail(z):
    return erfc(z / sqrt(mpf(2))) / 2


def normal_mass(a, b):
    """The mass of the standard normal between two points, from the side where its tail is small."""
    low, high = (a, b) if a + b > 0 else (-b, -a)
    return upper_tail(low) - upper_tail(high)


def truncated(density, mass, standardised):
    """The density between the last two parameters, by the mass between their standardised values."""

    def f(x, *params):
        base, (low, high) = params[:-2], params[-2:]
        return density(x, *base) - log(mass(standardised(low, *base), standardised(high, *base)))

    return on_support(lambda x, *params: params[-2] <= x <= params[-1], f)


def location_scale(x, loc, scale):
    return (x - loc) / scale


def laplace_mass(a, b):
    def cdf(z):
        return exp(z) / 2 if z < 0 else 1 - exp(-z) / 2

    return cdf(b) - cdf(a) if a < 0 else (exp(-a) - exp(-b)) / 2


def windows(loc, scale, farthest=inf):
    """Intervals about the middle, narrow ones, and ones in the tails; standardised, and moved to loc and scale."""
    bounds = [
        (-1.0, 2.0),
        (0.25, 0.5),
        (-0.75, -0.5),
        (-40.0, 0.3),
        (0.5, 0.5 + 2.0**-20),
        (3.0, 3.0 + 2.0**-30),
        (-8.0, -8.0 + 2.0**-10),
        (0.9, 30.0),
        (1.5, 1.625),
        (5.0, 80.0),
        (40.0, 41.0),
        (-300.0, -290.0),
        (1e4, 1e4 + 1.0),
        (1e4, 1e4 + 2.0**-20),
        (100.0, 100.5),
    ]
    return [
        {"loc": loc, "scale": scale, "low": loc + scale * a, "high": loc + scale * b}
        for a, b in bounds
        if max(-a, b) <= farthest
    ]


def within(p):
    return [p["low"] + r * (p["high"] - p["low"]) for r in (0.125, 0.375, 0.5, 0.875)] + [p["low"] - 1.0, p["high"] + 1.0]


def kl_normal(_, m, s, mu, sigma):
    return log(sigma / s) + (s * s + (m - mu) ** 2) / (2 * sigma**2) - HALF


def kl_exponential(_, b, beta):
    return log(b / beta) + beta / b - 1


def kl_poisson(_, a, b):
    return xlogy(a, a / b) + b - a


@cache
def ln_gamma(x):
    return loggamma(x)


@cache
def psi(x):
    return digamma(x)


def kl_gamma(_, a, b, alpha, beta):
    return (a - alpha) * psi(a) - ln_gamma(a) + ln_gamma(alpha) + alpha * log(b / beta) + a * (beta / b - 1)


def kl_dirichlet(_, a, alpha):
    total = sum(a)
    each = sum(ln_gamma(y) - ln_gamma(x) + (x - y) * (psi(x) - psi(total)) for x, y in zip(a, alpha))
    return ln_gamma(total) - ln_gamma(sum(alpha)) + each


def kl_beta(_, a, b, alpha, beta):
    return kl_dirichlet(_, [a, b], [alpha, beta])


def kl_laplace(_, m, s, mu, sigma):
    shift = fabs(m - mu) / s
    return s / sigma * (shift + exp(-shift)) - 1 - log(s / sigma)


def kl_categorical(_, t, u):
    p, q = softmax(t), softmax(u)
    return sum(x * (log(x) - log(y)) for x, y in zip(p, q))


# How far the second of two parameters is from the first, from hardly to by magnitudes.
RATIOS = [1 + 2.0**-40, 1 - 2.0**-26, 1 + 1e-5, 0.99, 1.3, 0.25, 40.0, 1e-4]


def apart(names, starts):
    """Pairs of distributions: each start against itself with one parameter, or all, moved by a ratio."""
    out = []
    for start in starts:
        for k, ratio in enumerate(RATIOS):
            for moved in ({k % len(names)}, set(range(len(names)))):
                other = [v * ratio if i in moved else v for i, v in enumerate(start)]
                both = zip(names + ["q_" + n for n in names], list(start) + other)
                out.append(dict(both))
    return out


def rows(name, values):
    return [{name: v} for v in values]


# name: kind, parameter names, log density (value, *params), moments (*params) or None, parameter sets, values of a set.
# Integer parameters are listed after a bar: they enter no derivative.
FAMILIES = {
    "Normal": ("continuous", "loc scale", normal, lambda m, s: (m, s * s), locations(), about),
    "LogNormal": (
        "continuous",
        "loc scale",
        on_support(positive, lambda x, m, s: normal(log(x), m, s) - log(x)),
        lambda m, s: (exp(m + s * s / 2), mp.expm1(s * s) * exp(2 * m + s * s)),
        [
            {"loc": m, "scale": s}
            for m, s in [
                (0.0, 1.0),
                (1.5, 0.3),
                (-20.0, 2.0),
                (1e-8, 1e-8),
                (3.0, 12.0),
                (300.0, 1e-3),
                (0.0, 1e-4),
                (-5.0, 5.0),
            ]
        ],
        lambda p: [float(mp.exp(p["loc"] + z * p["scale"])) for z in (-37.5, -6.0, -1.7, -0.3, 0.0, 0.9, 2.5, 8.0)]
        + [1.0, 0.0, -1.0],
    ),
    "HalfNormal": (
        "continuous",
        "scale",
        on_support(not_negative, lambda x, s: log(mpf(2)) + normal(x, 0, s)),
        lambda s: (s * mp.sqrt(2 / pi), s * s * (1 - 2 / pi)),
        rows("scale", [1.0, 1e-8, 1e8, 0.3, 25.0, 3.7e-3, 1e4]),
        lambda p: [p["scale"] * z for z in (0.0, 1e-20, 1e-6, 0.3, 1.0, 1.7, 6.0, 37.5, 3e4)] + [-1.0, -1e-300],
    ),
    "Cauchy": (
        "continuous",
        "loc scale",
        lambda x, m, s: -log(pi * s) - log1p(((x - m) / s) ** 2),
        lambda m, s: (nan, nan),
        locations(),
        lambda p: about(p) + [1e200, -1e155],
    ),
    "HalfCauchy": (
        "continuous",
        "scale",
        on_support(not_negative, lambda x, s: log(mpf(2)) - log(pi * s) - log1p((x / s) ** 2)),
        lambda s: (inf, inf),
        rows("scale", [1.0, 1e-8, 1e8, 0.3, 25.0, 3.7e-3, 1e4]),
        lambda p: [p["scale"] * z for z in (0.0, 1e-20, 1e-6, 0.3, 1.0, 1.7, 37.5, 3e4, 1e170)] + [-1.0],
    ),
    "StudentT": (
        "continuous",
        "df loc scale",
        student_t,
        student_moments,
        [
            {"df": v, "loc": m, "scale": s}
            for v, m, s in [
                (1.0, 0.0, 1.0),
                (0.01, 1.5, 0.3),
                (1e-8, 0.0, 1.0),
                (2.0, -3.0, 5.0),
                (4.5, 1e3, 25.0),
                (30.0, -0.7, 7.0),
                (1e4, 0.0, 1.0),
                (1e8, 1.0, 2.0),
                (1e15, 0.5, 1.0),
                (3.0, 1e-8, 1e-8),
                (1.7, 1e8, 1e8),
            ]
        ],
        lambda p: about(p, [-3e4, -6.0, -0.3, 1e-6, 0.0, 0.9, 2.5, 40.0, 1e170]),
    ),
    "Laplace": (
        "continuous",
        "loc scale",
        lambda x, m, s: -fabs(x - m) / s - log(2 * s),
        lambda m, s: (m, 2 * s * s),
        locations(),
        lambda p: [x for x in about(p) if x != p["loc"]],
    ),
    "Uniform": (
        "continuous",
        "low high",
        on_support(lambda x, lo, hi: lo <= x <= hi, lambda x, lo, hi: -log(hi - lo)),
        lambda lo, hi: ((lo + hi) / 2, (hi - lo) ** 2 / 12),
        [
            {"low": lo, "high": hi}
            for lo, hi in [
                (0.0, 1.0),
                (-1.0, 3.0),
                (1e-8, 2e-8),
                (-1e8, 1e8),
                (1.0, 1.0 + 2.0**-40),
                (1e8, 1e8 + 1.0),
                (-1e300, 1e300),
                (2e-301, 1e-300),
            ]
        ],
        lambda p: sorted(
            {
                p["low"] + r * (p["high"] - p["low"]) if 0 < r < 1 else (p["low"] if r == 0 else p["high"])
                for r in (0.0, 0.1, 0.5, 0.7, 1.0)
            }
        )
        + [p["low"] - abs(p["low"]) - 1.0, p["high"] + abs(p["high"]) + 1.0],
    ),
    "Exponential": (
        "continuous",
        "rate",
        on_support(not_negative, lambda x, r: log(r) - r * x),
        lambda r: (1 / r, 1 / r**2),
        rows("rate", [1.0, 1e-8, 1e8, 0.3, 25.0, 3.7e-3, 1e4]),
        lambda p: [z / p["rate"] for z in (0.0, 1e-20, 1e-6, 0.3, 1.0, 1.7, 6.0, 37.5, 800.0, 1e9)] + [-1.0],
    ),
    "Gamma": (
        "continuous",
        "concentration rate",
        on_support(not_negative, gamma),
        lambda a, b: (a / b, a / b**2),
        [{"concentration": a, "rate": b} for a, b in CONCENTRATIONS],
        gamma_values,
    ),
    "InverseGamma": (
        "continuous",
        "concentration rate",
        on_support(positive, lambda x, a, b: a * log(b) - loggamma(a) - (a + 1) * log(x) - b / x),
        lambda a, b: (b / (a - 1) if a > 1 else inf, b**2 / (a - 1) ** 2 / (a - 2) if a > 2 else inf),
        [{"concentration": a, "rate": b} for a, b in CONCENTRATIONS],
        inverse_gamma_values,
    ),
    "Beta": (
        "continuous",
        "concentration1 concentration0",
        on_support(lambda x, a, b: 0 <= x <= 1, beta),
        lambda a, b: (a / (a + b), a * b / (a + b) ** 2 / (a + b + 1)),
        [
            {"concentration1": a, "concentration0": b}
            for a, b in [
                (1.0, 1.0),
                (0.5, 0.5),
                (2.0, 3.0),
                (1e-8, 1.0),
                (1e-8, 1e-8),
                (1e8, 1e8),
                (1e8, 0.3),
                (2.5, 1e6),
                (40.0, 60.0),
                (1e4, 3e4),
            ]
        ],
        beta_values,
    ),
    "Dirichlet": (
        "continuous",
        "concentration",
        on_support(lambda x, a: all(v >= 0 for v in x), dirichlet),
        lambda a: ([c / sum(a) for c in a], [c * (sum(a) - c) / sum(a) ** 2 / (sum(a) + 1) for c in a]),
        rows(
            "concentration",
            [
                [1.0, 1.0, 1.0],
                [0.5, 0.5, 0.5],
                [2.0, 3.0, 4.0],
                [1e-8, 1.0, 2.0],
                [1e-4, 1e-4, 1e-4],
                [1e8, 2e8, 3e8],
                [1e6, 0.1, 30.0],
                [5.0, 7.0],
                [1.0, 2.0, 3.0, 4.0],
                [1e4, 2e4],
            ],
        ),
        simplexes,
    ),
    "MultivariateNormalTril": (
        "continuous",
        "loc scale_tril",
        multivariate_normal,
        lambda m, l: (m, [sum(c * c for c in row) for row in l]),
        [{"loc": m, "scale_tril": l} for m, l in MVN],
        mvn_values,
    ),
    "BernoulliProbs": (
        "discrete",
        "probs",
        on_support(lambda x, p: x in (0, 1), bernoulli),
        lambda p: (p, p * (1 - p)),
        rows(
            "probs",
            [
                0.5,
                0.3,
                1e-8,
                1 - 1e-8,
                0.0,
                1.0,
                1e-300,
                1 - 2.0**-53,
                0.9,
                0.999,
                1e-3,
                0.1,
                0.49999,
                0.7,
                1e-17,
                0.25,
            ],
        ),
        lambda p: [0.0, 1.0, 2.0, -1.0, 0.5],
    ),
    "BernoulliLogits": (
        "discrete",
        "logits",
        on_support(lambda x, t: x in (0, 1), lambda x, t: -softplus(-t) if x == 1 else -softplus(t)),
        lambda t: (sigmoid(t), sigmoid(t) * sigmoid(-t)),
        rows(
            "logits",
            [0.0, 0.5, -0.5, 1e-8, -1e-8, 3.0, -7.0, 36.0, -37.0, 100.0, -700.0, 700.0, -745.0, 1e8, -1e8, 16.6],
        ),
        lambda p: [0.0, 1.0, 2.0, -1.0, 0.5],
    ),
    "CategoricalProbs": (
        "discrete",
        "probs",
        on_support(lambda x, p: is_count(x) and x < len(p), categorical_probs),
        None,
        rows("probs", vector_sets("probs")),
        lambda p: [float(i) for i in range(-1, len(p["probs"]) + 1)] + [0.5],
    ),
    "CategoricalLogits": (
        "discrete",
        "logits",
        on_support(lambda x, t: is_count(x) and x < len(t), lambda x, t: t[int(x)] - logsumexp(t)),
        None,
        rows("logits", vector_sets("logits")),
        lambda p: [float(i) for i in range(-1, len(p["logits"]) + 1)] + [0.5],
    ),
    "OneHotCategoricalLogits": (
        "discrete",
        "logits",
        on_support(
            lambda x, t: sorted(x) == [0] * (len(x) - 1) + [1],
            lambda x, t: sum(t[i] for i in range(len(t)) if x[i]) - logsumexp(t),
        ),
        lambda t: (softmax(t), [p * (1 - p) for p in softmax(t)]),
        rows("logits", vector_sets("logits")),
        lambda p: [[float(i == j) for j in range(len(p["logits"]))] for i in range(len(p["logits"]))]
        + [[1.0] * len(p["logits"])] * (len(p["logits"]) > 1),
    ),
    "BinomialProbs": (
        "discrete",
        "probs | total_count",
        on_support(lambda x, p, n: is_count(x) and x <= n, lambda x, p, n: binomial_probs(x, n, p)),
        lambda p, n: (n * p, n * p * (1 - p)),
        [{"total_count": n, "probs": p} for n, p in COUNT_PAIRS],
        lambda p: count_values(p["total_count"], p["total_count"] * p["probs"]),
    ),
    "BinomialLogits": (
        "discrete",
        "logits | total_count",
        on_support(
            lambda x, t, n: is_count(x) and x <= n,
            lambda x, t, n: binomial_coefficient(n, x) - xlogy(x, mp.e) * softplus(-t) - (n - x) * softplus(t),
        ),
        lambda t, n: (n * sigmoid(t), n * sigmoid(t) * sigmoid(-t)),
        [
            {"total_count": n, "logits": t}
            for n, t in [
                (1, 0.3),
                (10, 0.0),
                (10, -18.0),
                (10, 18.0),
                (100, -3.0),
                (10**6, -1.1),
                (10**8, -16.0),
                (10**8, 1e-8),
                (0, 0.4),
                (7, -745.0),
                (7, 1e8),
                (3, 2.2),
                (1000, 7.0),
            ]
        ],
        lambda p: count_values(p["total_count"], p["total_count"] * float(sigmoid(mpf(p["logits"])))),
    ),
    "Poisson": (
        "discrete",
        "rate",
        on_support(lambda x, r: is_count(x), poisson),
        lambda r: (r, r),
        rows("rate", [1.0, 0.3, 4.5, 1e-8, 30.0, 1e3, 12345.6, 1e8, 0.0, 1e-300, 170.0]),
        lambda p: [
            float(v)
            for v in sorted(
                {0, 1, 2, 7, 100, 10**6} | {max(0, int(p["rate"] + z * p["rate"] ** 0.5)) for z in (-7, -1, 0, 2, 9)}
            )
        ]
        + [-1.0, 0.5],
    ),
}


# Truncated distributions: the bounds are parameters.
FAMILIES |= {
    "TruncatedNormal": (
        "continuous",
        "loc scale low high",
        truncated(normal, normal_mass, location_scale),
        None,
        windows(0.0, 1.0) + windows(1.5, 0.5),
        within,
    ),
    "TruncatedCauchy": (
        "continuous",
        "loc scale low high",
        truncated(
            lambda x, m, s: -log(pi * s) - log1p(((x - m) / s) ** 2),
            lambda a, b: (mp.atan(b) - mp.atan(a)) / pi,
            location_scale,
        ),
        None,
        windows(0.0, 1.0, 2.0) + windows(1.5, 0.5, 2.0),
        within,
    ),
    "TruncatedLaplace": (
        "continuous",
        "loc scale low high",
        truncated(lambda x, m, s: -fabs(x - m) / s - log(2 * s), laplace_mass, location_scale),
        None,
        windows(0.0, 1.0) + windows(1.5, 0.5),
        lambda p: [x for x in within(p) if x != p["loc"]],
    ),
    "TruncatedExponential": (
        "continuous",
        "rate low high",
        truncated(lambda x, r: log(r) - r * x, lambda a, b: exp(-a) - exp(-b), lambda x, r: r * x),
        None,
        [
            {"rate": r, "low": a / r, "high": b / r}
            for r in (1.0, 0.25)
            for a, b in [(0.5, 2.0), (1.0, 1.0 + 2.0**-20), (30.0, 31.0), (1e6, 1e6 + 2.0), (0.125, 80.0)]
        ],
        within,
    ),
}

# Divergences: the parameters of the first distribution, then those of the second; the value says nothing.
FAMILIES |= {
    f"Kl{name}": ("discrete", parameters, kl, None, sets, lambda p: [0.0])
    for name, parameters, kl, sets in [
        (
            "Normal",
            "loc scale q_loc q_scale",
            kl_normal,
            apart(["loc", "scale"], [(1.5, 0.3), (-2.0, 1e4), (1e3, 1e-3)]),
        ),
        ("Exponential", "rate q_rate", kl_exponential, apart(["rate"], [(1.5,), (1e-8,), (1e8,)])),
        ("Poisson", "rate q_rate", kl_poisson, apart(["rate"], [(1.5,), (1e-8,), (1e8,)])),
        (
            "Gamma",
            "concentration rate q_concentration q_rate",
            kl_gamma,
            apart(["concentration", "rate"], [(1.5, 0.3), (0.01, 2.0), (3.0, 1e4), (1e4, 7.0), (1e8, 1e8)]),
        ),
        (
            "Beta",
            "concentration1 concentration0 q_concentration1 q_concentration0",
            kl_beta,
            apart(["concentration1", "concentration0"], [(1.5, 0.3), (0.01, 0.02), (0.1, 2.0), (30.0, 40.0), (400.0, 30.0), (1e8, 3e8)]),
        ),
        (
            "Dirichlet",
            "concentration q_concentration",
            kl_dirichlet,
            [
                {"concentration": a, "q_concentration": [v * r if i != 1 else v for i, v in enumerate(a)]}
                for a in ([0.5, 1.0, 2.0], [10.0, 20.0, 30.0], [1e-2, 3.0, 0.2], [1e6, 2e6, 3e5])
                for r in RATIOS
            ],
        ),
        (
            "Laplace",
            "loc scale q_loc q_scale",
            kl_laplace,
            apart(["loc", "scale"], [(1.5, 0.3), (-2.0, 1e4), (1e3, 1e-3)])[1:],
        ),
        (
            "CategoricalLogits",
            "logits q_logits",
            kl_categorical,
            [
                {"logits": t, "q_logits": [v + (r - 1) * (i + 1) for i, v in enumerate(t)]}
                for t in ([0.5, -1.0, 2.0], [10.0, -10.0, 0.0], [1e4, 1e4 + 1.0])
                for r in RATIOS
            ],
        ),
    ]
}


def flatten(x):
    return [v for item in x for v in flatten(item)] if isinstance(x, list) else [x]


def rebuild(shape, numbers):
    """Puts the numbers of an iterator into the nesting of shape."""
    return [rebuild(item, numbers) for item in shape] if isinstance(shape, list) else next(numbers)


def decimal(x, digits=25):
    if isinstance(x, list):
        return [decimal(v, digits) for v in x]
    if isnan(x):
        return "nan"
    if not isfinite(x):
        return "inf" if x > 0 else "-inf"
    return mp.nstr(mpf(x), digits)


class Derivatives:
    """Central differences of f, a function of a list of numbers, at one point."""

    def __init__(self, f, at, free):
        self.f, self.at, self.free, self.known = f, at, free, {}
        self.step = [fabs(v) * mpf(10) ** -50 if v else mpf(10) ** -60 for v in at]

    def value(self, *moves):
        moves = tuple(sorted(moves))
        if moves not in self.known:
            point = list(self.at)
            for i, sign in moves:
                point[i] += sign * self.step[i]
            self.known[moves] = self.f(point)
        return self.known[moves]

    def first(self, i):
        up, down = self.value((i, 1)), self.value((i, -1))
        noise = (fabs(up) + fabs(down)) * mpf(10) ** (20 - mp.dps)
        return (up - down) / (2 * self.step[i]) if fabs(up - down) > noise else mpf(0)

    def second(self, i, j):
        if i == j:
            return (self.value((i, 1)) - 2 * self.value() + self.value((i, -1))) / self.step[i] ** 2
        total = sum(s * t * self.value((i, s), (j, t)) for s in (1, -1) for t in (1, -1))
        return total / (4 * self.step[i] * self.step[j])

    def scale(self, exact, slopes):
        return fabs(exact) + sum(fabs(v * slopes(i)) for i, v in enumerate(self.at) if i in self.free and v)


def lower_triangle(name, shape):
    """Whether each number of a parameter is free: the upper triangle of scale_tril is not."""
    if name != "scale_tril":
        return [True for _ in flatten(shape)]
    return [j <= i for i, row in enumerate(shape) for j in range(len(row))]


def inputs(kind, names, fixed, value, params):
    """The flat list of inputs, the function that nests it again, and the indices derivatives are taken by."""
    shapes = [value] + [params[n] for n in names + fixed]
    numbers = [mpf(v) for v in flatten(shapes)]
    free, at = [], 0
    for name, shape in zip([None] + names + fixed, shapes):
        allowed = lower_triangle(name, shape)
        keep = name in names or (name is None and kind == "continuous")
        free += [at + i for i, a in enumerate(allowed) if a and keep]
        at += len(allowed)
    return shapes, numbers, free


def smooth_directions(f, numbers, free, n_value):
    """The directions whose both neighbours have a finite density; without the value where it lies on the border."""

    def smooth(i):
        step = fabs(numbers[i]) * mpf(10) ** -50 or mpf(10) ** -60
        return all(isfinite(f(numbers[:i] + [numbers[i] + d * step] + numbers[i + 1 :])) for d in (1, -1))

    by_value, by_params = [i for i in free if i < n_value], [i for i in free if i >= n_value]
    if not all(smooth(i) for i in by_params):
        return None
    return free if all(smooth(i) for i in by_value) else by_params


def point_of(kind, names, fixed, density, value, params):
    shapes, numbers, free = inputs(kind, names, fixed, value, params)

    def f(flat):
        return density(*rebuild(shapes, iter(flat)))

    exact = f(numbers)
    point = {"value": value, "log_prob": decimal(exact)}
    free = smooth_directions(f, numbers, free, len(flatten(value)))
    if not isfinite(exact) or free is None:
        return point
    diff = Derivatives(f, numbers, free)
    first = {i: diff.first(i) for i in free}
    scales = {i: diff.scale(first[i], lambda j, i=i: diff.second(i, j)) for i in free}
    slots = [first.get(i, mpf(0)) for i in range(len(numbers))]
    widths = [scales.get(i, mpf(0)) for i in range(len(numbers))]
    slopes, widths = rebuild(shapes, iter(slots)), rebuild(shapes, iter(widths))
    point["scale"] = {"log_prob": decimal(diff.scale(exact, diff.first), 6)}
    if 0 in free:
        point["d_value"], point["scale"]["d_value"] = decimal(slopes[0]), decimal(widths[0], 6)
    point["d_params"] = {n: decimal(slopes[1 + k]) for k, n in enumerate(names)}
    point["scale"]["d_params"] = {n: decimal(widths[1 + k], 6) for k, n in enumerate(names)}
    return point


def moments_of(names, fixed, moments, params):
    shapes, numbers, free = inputs("discrete", names, fixed, 0.0, params)
    answer, scale = {}, {}
    for k, key in enumerate(("mean", "variance")):
        exact = moments(*rebuild(shapes, iter(numbers))[1:])[k]
        widths = []
        for which, number in enumerate(flatten(exact)):
            if isfinite(number) and not isnan(number):
                diff = Derivatives(
                    lambda flat, w=which, k=k: flatten(moments(*rebuild(shapes, iter(flat))[1:])[k])[w], numbers, free
                )
                widths.append(diff.scale(number, diff.first))
            else:
                widths.append(number)
        answer[key], scale[key] = decimal(exact), decimal(rebuild(exact, iter(widths)), 6)
    return {**answer, "scale": scale}


def table(name):
    kind, parameters, density, moments, sets, values = FAMILIES[name]
    names, _, fixed = parameters.partition(" | ")
    names, fixed = names.split(), fixed.split()
    out = []
    for params in sets:
        entry = {"params": params}
        if moments:
            entry.update(moments_of(names, fixed, moments, params))
        seen = []
        for value in values(params):
            if value not in seen:
                seen.append(value)
        entry["points"] = [point_of(kind, names, fixed, density, value, params) for value in seen]
        out.append(entry)
    return {"schema": 1, "distribution": name, "kind": kind, "sets": out}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or FAMILIES:
        mp.dps = DIGITS_OF_DIVERGENCES if name.startswith("Kl") else DIGITS
        content = table(name)
        (OUT / f"{name}.json").write_text(
            json.dumps(content, separators=(",", ":")).replace('{"value"', '\n{"value"') + "\n"
        )
        print(f"{name}: {sum(len(s['points']) for s in content['sets'])} points")


if __name__ == "__main__":
    main()
