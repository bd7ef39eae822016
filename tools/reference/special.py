"""Writes reference values of the special functions in ppl-core/src/math to ppl-core/tests/data/special/NAME.tsv.

Run: python3 tools/reference/special.py [NAME ...]    (needs mpmath; without names, all tables)

A row holds the arguments, the exact value to 25 digits, and the scale |exact| + sum |argument * d exact / d argument|,
so that a reader can express an error in units of 2^-53 * scale. Points are fixed; working precision is 80 digits or more.
"""

import sys
from pathlib import Path

from mpmath import (
    digamma,
    diff,
    erf,
    erfc,
    erfinv,
    exp,
    expm1,
    fabs,
    inf,
    isfinite,
    log,
    log1p,
    loggamma,
    mp,
    mpf,
    pi,
    polygamma,
    sqrt,
)

OUT = Path(__file__).resolve().parents[2] / "ppl-core" / "tests" / "data" / "special"
HALF = mpf(1) / 2
LARGEST = mpf(sys.float_info.max)
SMALLEST = mpf("2.3e-308")


def steps(x, n=1, down=True):
    """The f64 neighbours of x, n a side, with a few wider ones."""
    eps = 2.0**-52
    around = [x * (1 + s * k * eps) for k in [1, 5, 2**20, 2**36, 2**45][: n + 3] for s in (-1, 1)]
    return [x] + around


def decades(lo, hi, every=1, mantissas=(1.0, 3.7)):
    return [float(f"{m}e{e}") for e in range(lo, hi + 1, every) for m in mantissas]


def pairs(a, b):
    return [(x, y) for x in a for y in b]


MIDDLE = [0.01 * 1.37**k for k in range(28)]
POSITIVE = (
    decades(-300, 300, 40)
    + decades(-12, 12)
    + MIDDLE
    + steps(1.0)
    + steps(2.0)
    + steps(1.4616321449683622)
    + [0.5, 10.0, 171.0]
)
NEGATIVE = [-0.5, -1.5, -2.5, -0.1, -1e-10, -2.457024738220800, -3.9999, -10.3, -55.77, -1e3 - 0.25]
REAL = sorted(
    {
        s * x
        for x in decades(-300, -20, 70) + decades(-12, 2) + MIDDLE + [5.0, 36.0, 37.5, 700.0, 745.0, 1e3, 1e8, 1e150]
        for s in (-1, 1)
    }
    | {0.0}
)


def stirlerr(x):
    return loggamma(x) - ((x - HALF) * log(x) - x + log(2 * pi) / 2)


def ndtr(x):
    return erfc(-x / sqrt(mpf(2))) / 2


def density(x):
    return exp(-x * x / 2) / sqrt(2 * pi)


def ndtri(p):
    if p > HALF:
        return -ndtri(1 - p)
    goal = log(p)
    x = sqrt(mpf(2)) * erfinv(2 * p - 1) if p > 0.02 else -sqrt(-2 * goal)
    for _ in range(100):
        cdf = ndtr(x)
        step = (log(cdf) - goal) * cdf / density(x)
        x -= step
        if fabs(step) < mpf(10) ** (10 - mp.dps) * max(fabs(x), mpf(10) ** -20):
            break
    return x


def logistic(x):
    return 1 / (1 + exp(-x))


def logistic_slope(x):
    e = exp(-fabs(x))
    return e / (1 + e) ** 2


def logistic_bend(x):
    return logistic_slope(x) * (logistic(-x) - logistic(x))


# Two logits, near and far from each other and from zero.
LOGITS = [
    (c, c + d)
    for c in (0.0, 1.5, -1e4, 1e4, 1e8, -1e15)
    for d in (0.0, 1e-8, -1e-3, 0.5, -3.0, 20.0, -37.0, 45.0, -300.0, 700.0)
] + [(1e308, 1e308), (-1e300, -1e300), (1e300, 1e300)]


def ln_beta(a, b):
    return loggamma(a) + loggamma(b) - loggamma(a + b)


def log_binomial(n, k):
    return loggamma(n + 1) - loggamma(k + 1) - loggamma(n - k + 1)


def bd0(x, np):
    return (x * log(x / np) if x else mpf(0)) + np - x


def lower_sum(a, x, weight):
    """sum t_n * weight(n) with t_n = x^n / ((a + 1) ... (a + n)); P(a, x) is x^a e^-x / Gamma(a + 1) times the sum of t_n."""
    total, term, n = weight(0), mpf(1), 0
    while n < x - a or term > mpf(10) ** -mp.dps * fabs(total):
        n += 1
        term *= x / (a + n)
        total += term * weight(n)
    return total


def guarded(f):
    """Runs f(a, x) with digits to spare for the cancellation in the upper tail."""

    def g(a, x):
        spare = max(mpf(0), x - a - a * log(x / a)) / log(mpf(10))
        with mp.workdps(mp.dps + 10 + int(spare)):
            return f(a, x)

    return g


@guarded
def gamma_p(a, x):
    return exp(a * log(x) - x - loggamma(a + 1)) * lower_sum(a, x, lambda n: 1)


@guarded
def gamma_q(a, x):
    return 1 - gamma_p(a, x)


def gamma_density(a, x):
    return exp((a - 1) * log(x) - x - loggamma(a))


@guarded
def gamma_draw_derivative(a, x):
    start, harmonic = digamma(a + 1) - log(x), [mpf(0), 0]

    def weight(n):
        if n > harmonic[1]:
            harmonic[0] += 1 / (a + n)
            harmonic[1] = n
        return start + harmonic[0]

    return x / a * lower_sum(a, x, weight)


def draw_slope_by_a(a, x):
    step = a * mpf(10) ** -20
    return (gamma_draw_derivative(a + step, x) - gamma_draw_derivative(a, x)) / step


def draw_slope_by_x(a, x):
    """From the implicit equation of the derivative g(a, x): g_x + g ((a - 1)/x - 1) + ln x - digamma(a) = 0."""
    return digamma(a) - log(x) - gamma_draw_derivative(a, x) * ((a - 1) / x - 1)


def quantiles(shapes):
    """Points (a, x) about the bulk and in the tails of Gamma(a, 1)."""
    points = []
    for a in shapes:
        for z in (-30.0, -8.0, -4.0, -2.0, -0.6, 0.0, 0.1, 1.0, 3.0, 5.0, 7.5, 25.0):
            x = a + z * a**0.5 if a > 10 else a * 2.0 ** (0.7 * z)
            if x > 1e-300 and (a > 10 or z < 8):
                points.append((a, x))
    return points


GAMMA_POINTS = quantiles([1e-8, 1e-3, 0.1, 0.5, 0.99, 1.0, 2.0, 2.7, 10.0, 29.9, 30.0, 100.0, 1234.5, 1e5]) + [
    (1e-5, 0.1),
    (1e-5, 0.56),
    (1e-5, 1.4),
    (1e-5, 1.6),
    (0.3, 1.49),
    (0.3, 1.51),
    (1e-3, 1e-200),
    (5.0, 1e-30),
    (0.7, 30.0),
    (3.0, 600.0),
    (100.0, 1e-2),
    (1e4, 1e4 + 1e-6),
    (1e6, 1.003e6),
    (1e6, 1e6 - 3e2),
]


def incomplete_beta(a, b, x):
    """I_x(a, b) = x^a (1 - x)^b / (a B(a, b)) sum (a + b)_n / (a + 1)_n x^n, all terms positive."""
    total, term, n = mpf(1), mpf(1), 0
    while term > mpf(10) ** -mp.dps * total:
        term *= (a + b + n) / (a + 1 + n) * x
        n += 1
        total += term
    return exp(a * log(x) + b * log1p(-x) - ln_beta(a, b)) / a * total


def beta_p(a, b, x):
    with mp.workdps(300):
        return incomplete_beta(a, b, x) if x <= HALF else 1 - incomplete_beta(b, a, 1 - x)


def beta_slopes(probability):
    """The derivatives by a and b by differences in the working precision, and the density."""
    step = mpf(10) ** -25

    def by_a(a, b, x):
        return (probability(a * (1 + step), b, x) - probability(a, b, x)) / (a * step)

    def by_b(a, b, x):
        return (probability(a, b * (1 + step), x) - probability(a, b, x)) / (b * step)

    return [by_a, by_b, beta_density]


def beta_q(a, b, x):
    with mp.workdps(300):
        return 1 - incomplete_beta(a, b, x) if x <= HALF else incomplete_beta(b, a, 1 - x)


BETA_POINTS = [
    (a, b, x)
    for a, b in [
        (0.5, 0.5),
        (1.0, 1.0),
        (2.0, 3.0),
        (0.01, 4.0),
        (1e-6, 0.3),
        (1e-6, 50.0),
        (30.0, 0.2),
        (15.0, 40.0),
        (0.5, 1e3),
        (500.0, 7.0),
        (300.0, 200.0),
        (1.5, 1e6),
    ]
    for x in sorted({0.5, a / (a + b), 0.1 * a / (a + b), 3.0 * a / (a + b), 1 - 0.2 * b / (a + b), 1e-5, 0.97} - {0.0})
    if 0 < x < 1 and not (x > 1e-4 and b > 1e5)
]


def beta_density(a, b, x):
    return exp((a - 1) * log(x) + (b - 1) * log1p(-x) - ln_beta(a, b))


SHAPES = [
    1e-300,
    1e-20,
    1e-8,
    1e-3,
    0.1,
    0.5,
    1.0,
    1.3,
    1.999,
    2.0,
    2.5,
    3.0,
    7.3,
    10.0,
    55.5,
    1e3,
    12345.678,
    1e8,
    1e15,
]
DELTAS = [-0.05, 1e-300, 1e-12, 1e-4, 0.3, 0.5, 1.0, 2.0, 10.0, 333.3, 1e6, 1e10]
COUNTS = [0.0, 1.0, 2.0, 3.0, 7.0, 10.0, 100.0, 1e4, 123456.0, 1e9]
PROBS = [
    1e-300,
    5e-324,
    1e-100,
    1e-20,
    1e-10,
    1e-5,
    1e-3,
    0.01,
    0.02425,
    0.05,
    0.075,
    0.0751,
    0.1,
    0.2,
    0.3,
    0.4,
    0.45,
    0.49,
    0.4999999,
    0.5,
    0.5000001,
    0.51,
    0.6,
    0.65,
    0.7,
    0.9,
    0.925,
    0.9251,
    0.99,
    0.999,
    0.999999,
    1 - 1e-10,
    1 - 2.0**-53,
    1 - 2.0**-40,
    1.4e-11,
    1.3e-11,
    1e-62,
    1e-63,
    2.7e-63,
]

# name: (function, derivatives by each argument, points)
TABLES = {
    "ln_gamma": (
        lambda x: loggamma(fabs(x)) if x > 0 else log(fabs(pi / (mp.sin(pi * x) * x))) - loggamma(-x),
        [digamma],
        POSITIVE + NEGATIVE,
    ),
    "digamma": (digamma, [lambda x: polygamma(1, x)], POSITIVE + NEGATIVE),
    "digamma_minus_ln": (
        lambda x: digamma(x) - log(x),
        [lambda x: polygamma(1, x) - 1 / x],
        [x for x in POSITIVE if x > 1e-300],
    ),
    "trigamma": (lambda x: polygamma(1, x), [lambda x: polygamma(2, x)], POSITIVE + NEGATIVE),
    "stirlerr": (stirlerr, [lambda x: digamma(x) - log(x) + 1 / (2 * x)], [x for x in POSITIVE]),
    "bd0": (
        bd0,
        [lambda x, m: log(x / m) if x else mpf(0), lambda x, m: 1 - x / m],
        pairs([1e-300, 1e-5, 0.5, 1.0, 30.0, 1e5, 1e15, 1e300], [1e-280, 1e-3, 0.7, 1.0, 55.0, 1e7, 1e200])
        + [
            (x, x * r)
            for x in (1e-200, 0.3, 17.0, 1e9)
            for r in (1 + 2.0**-52, 1 + 1e-9, 1 - 1e-4, 0.99, 1.1, 0.8, 1.3, 0.7, 1.6, 1.7, 0.59, 0.61, 0.4, 2.5, 4.0)
        ]
        + [(0.0, 3.0)],
    ),
    "log1p_minus": (
        lambda t: log1p(t) - t,
        [lambda t: -t / (1 + t)],
        [x for x in REAL if x > -1] + [-0.41, -0.39, 0.59, 0.61, -0.99, -0.999999],
    ),
    "ln_gamma_difference": (
        lambda x, d: loggamma(x + d) - loggamma(x),
        [lambda x, d: digamma(x + d) - digamma(x), lambda x, d: digamma(x + d)],
        [(x, d) for x, d in pairs(SHAPES, DELTAS) if x + d > 0]
        + [(x, -0.5 * x) for x in SHAPES]
        + [(1.5, -0.4999), (3.0, -2.0), (1e5, -99999.5)],
    ),
    "digamma_difference": (
        lambda x, d: digamma(x + d) - digamma(x),
        [lambda x, d: polygamma(1, x + d) - polygamma(1, x), lambda x, d: polygamma(1, x + d)],
        [(x, d) for x, d in pairs(SHAPES, DELTAS) if x + d > 0]
        + [(x, -0.5 * x) for x in SHAPES if x > 1e-200]
        + [(1.5, -0.4999), (3.0, -2.0), (1e5, -99999.5)],
    ),
    "ln_beta": (
        ln_beta,
        [lambda a, b: digamma(a) - digamma(a + b), lambda a, b: digamma(b) - digamma(a + b)],
        pairs(SHAPES, SHAPES[1:]),
    ),
    "ln_beta_gradient": (
        lambda a, b: digamma(a) - digamma(a + b),
        [lambda a, b: polygamma(1, a) - polygamma(1, a + b), lambda a, b: -polygamma(1, a + b)],
        pairs([s for s in SHAPES if s > 1e-200], SHAPES[1:]),
    ),
    "log_binomial": (
        log_binomial,
        [lambda n, k: digamma(n + 1) - digamma(n - k + 1), lambda n, k: digamma(n - k + 1) - digamma(k + 1)],
        [(n, k) for n, k in pairs(COUNTS, COUNTS + [5e3, 61728.0, 5e8, 99.0, 9999.0]) if k <= n]
        + [(10.5, 2.25), (10.5, 0.3), (1e9, 999999999.0)],
    ),
    "log1mexp": (
        lambda x: log1p(-exp(-x)) if x > 1 else log(-expm1(-x)),
        [lambda x: 1 / expm1(x)],
        [x for x in REAL if x > 0],
    ),
    "log_add_exp": (
        lambda a, b: log(exp(a) + exp(b)),
        [lambda a, b: 1 / (1 + exp(b - a)), lambda a, b: 1 / (1 + exp(a - b))],
        pairs(
            [-1e4, -800.0, -30.0, -1.0, -0.6931471805599453, 0.0, 1e-5, 2.0, 700.0, 1e4],
            [-1e4, -800.5, -31.0, -0.9, 0.0, 3.0, 650.0],
        ),
    ),
    "log_sub_exp": (
        lambda a, b: a + log(-expm1(b - a)),
        [lambda a, b: 1 / (1 - exp(b - a)), lambda a, b: -1 / expm1(a - b)],
        [
            (b + d, b)
            for b in (-1e4, -700.0, -3.3, 0.0, 1e-5, 2.0, 710.0)
            for d in (1e-8, 1e-3, 0.5, 0.7, 3.0, 40.0, 800.0)
        ],
    ),
    "softplus": (lambda x: log1p(exp(x)), [lambda x: 1 / (1 + exp(-x))], REAL),
    "sigmoid": (lambda x: 1 / (1 + exp(-x)), [lambda x: exp(-x) / (1 + exp(-x)) ** 2], REAL),
    "log_sigmoid": (lambda x: -log1p(exp(-x)), [lambda x: 1 / (1 + exp(x))], REAL),
    "logit": (lambda p: log(p) - log1p(-p), [lambda p: 1 / (p * (1 - p))], PROBS + steps(0.5)),
    "xlogy": (
        lambda x, y: x * log(y) if x else mpf(0),
        [lambda x, y: log(y), lambda x, y: x / y],
        pairs([0.0, -2.0, 1e-8, 3.5], [1e-300, 0.3, 1.0, 1 + 2.0**-30, 1e9]),
    ),
    "xlog1py": (
        lambda x, y: x * log1p(y) if x else mpf(0),
        [lambda x, y: log1p(y), lambda x, y: x / (1 + y)],
        pairs([0.0, -2.0, 1e-8, 3.5], [1e-300, -0.3, 1e-9, 1.0, -0.99999, 1e9]),
    ),
    "erf": (erf, [lambda x: 2 / sqrt(pi) * exp(-x * x)], REAL),
    "erfc": (erfc, [lambda x: 2 / sqrt(pi) * exp(-x * x)], REAL + [10.0, 15.0, 20.0, 26.0]),
    "erfcx": (
        lambda x: (
            exp(x * x) * erfc(x) if x < 1e6 else (1 - 1 / (2 * x * x)) / (x * sqrt(pi)) + 3 / (4 * x**5 * sqrt(pi))
        ),
        [lambda x: 2 * x * exp(x * x) * erfc(x) - 2 / sqrt(pi) if x < 1e6 else -1 / (x * x * sqrt(pi))],
        [x for x in REAL if x > -20] + steps(2.0),
    ),
    "ndtr": (ndtr, [density], REAL + [-10.0, -20.0, -30.0, -37.0]),
    "log_ndtr": (
        lambda x: log(ndtr(x)) if x < 5 else log1p(-ndtr(-x)),
        [lambda x: density(x) / ndtr(x)],
        [x for x in REAL if x > -1e5] + [-10.0, -20.0, -30.0, -1e4, -1.0, 1.0],
    ),
    "log_ndtr_derivative": (
        lambda x: density(x) / ndtr(x),
        [lambda x: -density(x) / ndtr(x) * (x + density(x) / ndtr(x))],
        [x for x in REAL if x > -1e5] + [-10.0, -20.0, -30.0, -1e4, -1.0, 1.0],
    ),
    "gamma_p": (
        gamma_p,
        [lambda a, x: -gamma_draw_derivative(a, x) * gamma_density(a, x), gamma_density],
        GAMMA_POINTS,
    ),
    "gamma_q": (
        gamma_q,
        [lambda a, x: -gamma_draw_derivative(a, x) * gamma_density(a, x), gamma_density],
        GAMMA_POINTS,
    ),
    "gamma_draw_derivative": (gamma_draw_derivative, [draw_slope_by_a, draw_slope_by_x], GAMMA_POINTS),
    "beta_p": (beta_p, beta_slopes(beta_p), BETA_POINTS),
    "beta_q": (beta_q, beta_slopes(beta_q), BETA_POINTS),
    # Derivatives of operations, with their own.
    "d_sigmoid": (logistic_slope, [logistic_bend], REAL),
    "d_tanh": (lambda x: 4 * logistic_slope(2 * x), [lambda x: 8 * logistic_bend(2 * x)], REAL),
    "d_exp_m1": (exp, [exp], REAL),
    "d_softplus": (logistic, [logistic_slope], REAL),
    "d_silu": (
        lambda x: logistic(x) + x * logistic_slope(x),
        [lambda x: 2 * logistic_slope(x) + x * logistic_bend(x)],
        REAL,
    ),
    "gelu": (lambda x: x * ndtr(x), [lambda x: ndtr(x) + x * density(x)], REAL),
    "d_gelu": (lambda x: ndtr(x) + x * density(x), [lambda x: (2 - x * x) * density(x)], REAL),
    "d_erf": (
        lambda x: 2 / sqrt(pi) * exp(-x * x),
        [lambda x: -4 * x / sqrt(pi) * exp(-x * x)],
        REAL,
    ),
    "log_softmax": (
        lambda x, y: -log1p(exp(y - x)),
        [lambda x, y: logistic(y - x), lambda x, y: -logistic(y - x)],
        LOGITS,
    ),
    "d_log_softmax": (
        lambda x, y: logistic(y - x),
        [lambda x, y: -logistic_slope(x - y), lambda x, y: logistic_slope(x - y)],
        LOGITS,
    ),
    "d_log_sum_exp": (
        lambda x, y: logistic(x - y),
        [lambda x, y: logistic_slope(x - y), lambda x, y: -logistic_slope(x - y)],
        LOGITS,
    ),
    "d_softmax": (
        lambda x, y: logistic_slope(x - y),
        [lambda x, y: logistic_bend(x - y), lambda x, y: -logistic_bend(x - y)],
        LOGITS,
    ),
    "ndtri": (ndtri, [lambda p: 1 / density(ndtri(p))], [p for p in PROBS] + steps(0.5) + steps(0.075)),
}


def write(name):
    function, slopes, points = TABLES[name]
    rows = []
    for point in points:
        args = point if isinstance(point, tuple) else (point,)
        values = [mpf(a) for a in args]
        size = max([fabs(mp.log10(fabs(v))) if v else mpf(0) for v in values])
        with mp.workdps(int(80 + 2.2 * size)):
            exact = function(*values)
            scale = fabs(exact) + sum(fabs(v * s(*values)) if v else mpf(0) for v, s in zip(values, slopes))
        if not isfinite(exact) or fabs(exact) > LARGEST or (exact and fabs(exact) < SMALLEST) or scale > LARGEST:
            continue
        row = "\t".join([repr(float(a)) for a in args] + [mp.nstr(exact, 25), mp.nstr(scale, 8)])
        if row not in rows:
            rows.append(row)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.tsv").write_text("\n".join(rows) + "\n")
    print(f"{name}: {len(rows)} rows")


def main():
    mp.dps = 80
    for name in sys.argv[1:] or TABLES:
        write(name)


if __name__ == "__main__":
    main()
