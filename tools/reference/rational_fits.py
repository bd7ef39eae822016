"""Prints the rational approximations of ppl-core/src/math, found by interpolation at Chebyshev nodes in 60 digits.

Run: python3 rational_fits.py    (needs mpmath)
Each row names a function, its interval, the degrees, the largest relative error on a fine grid, and the coefficients,
constant term first; the denominator's constant is one.
"""

from mpmath import (
    atanh,
    cos,
    digamma,
    erfc,
    erfinv,
    exp,
    findroot,
    log,
    loggamma,
    lu_solve,
    matrix,
    mp,
    mpf,
    pi,
    polygamma,
    sqrt,
)

mp.dps = 60


def fit(name, f, lo, hi, m, n):
    """Interpolates f by a rational of degrees m / n on [lo, hi] and prints it."""
    lo, hi = mpf(lo), mpf(hi)
    k = m + n + 1
    xs = [(lo + hi) / 2 + (hi - lo) / 2 * cos(pi * (2 * i + 1) / (2 * k)) for i in range(k)]
    a, b = matrix(k, k), matrix(k, 1)
    for i, x in enumerate(xs):
        y = f(x)
        for j in range(m + 1):
            a[i, j] = x**j
        for j in range(1, n + 1):
            a[i, m + j] = -y * x**j
        b[i] = y
    c = lu_solve(a, b)
    num = [mpf(float(c[j])) for j in range(m + 1)]
    den = [mpf(1)] + [mpf(float(c[m + j])) for j in range(1, n + 1)]

    def value(x, p, q):
        return sum(v * x**j for j, v in enumerate(p)) / sum(v * x**j for j, v in enumerate(q))

    fine = [c[j] for j in range(m + 1)], [mpf(1)] + [c[m + j] for j in range(1, n + 1)]
    grid = [(lo + hi) / 2 + (hi - lo) / 2 * cos(pi * i / 301) for i in range(302)]
    worst = max(abs(value(x, *fine) / f(x) - 1) for x in grid)
    rounded = max(abs(value(x, num, den) / f(x) - 1) for x in grid)
    print(f"{name} on [{float(lo):g}, {float(hi):g}], {m}/{n}: {float(worst):.1e}, after rounding {float(rounded):.1e}")
    print("  num", ", ".join(repr(float(v)) for v in num))
    print("  den", ", ".join(repr(float(v)) for v in den))


def limit(f, at_zero):
    return lambda z: at_zero if z < mpf(10) ** -30 else f(z)


def stirling(z):
    """x (ln Gamma(x) - Stirling) at x = z^(-1/2)."""
    with mp.workdps(100):
        x = 1 / sqrt(z)
        return x * (loggamma(x) - ((x - mpf(1) / 2) * log(x) - x + log(2 * pi) / 2))


def digamma_tail(z):
    """x^2 (ln x - 1/(2x) - digamma(x)) at x = z^(-1/2)."""
    with mp.workdps(100):
        x = 1 / sqrt(z)
        return x * x * (log(x) - 1 / (2 * x) - digamma(x))


def trigamma_tail(z):
    """x^3 (trigamma(x) - 1/x - 1/(2x^2)) at x = z^(-1/2)."""
    with mp.workdps(100):
        x = 1 / sqrt(z)
        return x**3 * (polygamma(1, x) - 1 / x - 1 / (2 * x * x))


def erfcx(x):
    with mp.workdps(100):
        return exp(x * x) * erfc(x)


def ndtri(p):
    """Lower normal quantile for p < 1/2 by Newton on log p."""
    with mp.workdps(80):
        lp = log(p)
        x = -sqrt(-2 * lp) if p < 0.02 else sqrt(mpf(2)) * erfinv(2 * p - 1)
        for _ in range(60):
            cdf = erfc(-x / sqrt(mpf(2))) / 2
            step = (log(cdf) - lp) * cdf / (exp(-x * x / 2) / sqrt(2 * pi))
            x -= step
            if abs(step) < mpf(10) ** -70:
                break
        return x


def main():
    root = findroot(digamma, 1.4616321449683623)
    print("digamma root", repr(float(root)), "+", repr(float(root - mpf(float(root)))))
    fit("digamma(1+y) / (1+y-root)", lambda y: digamma(y + 1) / (y + 1 - root), 0, 1, 6, 6)
    fit("digamma tail", limit(digamma_tail, mpf(1) / 12), 0, 0.25, 6, 6)
    fit("trigamma tail", limit(trigamma_tail, mpf(1) / 6), 0, 0.25, 7, 7)
    fit("stirling tail", limit(stirling, mpf(1) / 12), 0, 0.25, 6, 6)
    fit("stirling near", lambda x: stirling(1 / (x * x)) / x, 0.5, 2, 9, 9)
    fit(
        "(atanh(v)/v - 1) / v^2, of v^2",
        limit(lambda u: (atanh(sqrt(u)) / sqrt(u) - 1) / u, mpf(1) / 3),
        0,
        0.0625,
        4,
        4,
    )
    fit("erfcx near", erfcx, 0, 2, 8, 8)
    fit("x erfcx tail", limit(lambda z: erfcx(1 / sqrt(z)) / sqrt(z), 1 / sqrt(pi)), 0, 0.25, 8, 8)
    slope, edge = sqrt(2 * pi), mpf("0.180625")
    ratio = limit(lambda s: -ndtri(mpf(1) / 2 - sqrt(s)) / sqrt(s), slope)
    fit("quantile centre / q, of 0.180625 - q^2", lambda t: ratio(edge - t), 0, edge, 8, 8)
    fit("quantile tail, of sqrt(-ln p) - 1.6", lambda r: -ndtri(exp(-((r + mpf("1.6")) ** 2))), 0, 3.4, 8, 8)
    fit("quantile far tail, of sqrt(-ln p) - 5", lambda r: -ndtri(exp(-((r + 5) ** 2))), 0, 7, 8, 8)
    fit("quantile extreme tail, of sqrt(-ln p) - 12", lambda r: -ndtri(exp(-((r + 12) ** 2))), 0, 16, 7, 7)


if __name__ == "__main__":
    main()
