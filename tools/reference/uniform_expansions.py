"""Prints the coefficients of the uniform expansions in ppl-core/src/math/incomplete_gamma.rs and gamma_draw.rs.

Run: python3 uniform_expansions.py    (needs mpmath)

Power series are lists of coefficients, constant term first.
"""

from mpmath import bernoulli, factorial, mp, mpf

mp.dps = 60
LENGTH = 60


def multiply(p, q):
    return [sum(p[i] * q[k - i] for i in range(k + 1)) for k in range(min(len(p), len(q)))]


def divide(p, q):
    out = []
    for k in range(min(len(p), len(q))):
        out.append((p[k] - sum(out[i] * q[k - i] for i in range(k))) / q[0])
    return out


def derivative(p):
    return [k * p[k] for k in range(1, len(p))]


def shift_down(p):
    """p / variable, for a p without constant term."""
    assert abs(p[0]) < mpf(10) ** -40, p[0]
    return p[1:]


def compose(p, q):
    """p(q) for a q without constant term, by Horner's rule."""
    out = [mpf(0)] * len(q)
    for c in reversed(p):
        out = multiply(out, q)
        out[0] += c
    return out


def draw_derivative(orders):
    """D_k(t) with t = ln(x / a), where dx/da = sum D_k(t) a^-k at a fixed P(a, x).

    The implicit equation g_x + g ((a - 1)/x - 1) + ln x - digamma(a) = 0 gives
    D_0 = t e^t / (e^t - 1) and D_k = (D_{k-1}' - D_{k-1} + e^t p_k) / (e^t - 1), where ln a - digamma(a) = sum p_k a^-k.
    """
    e = [1 / factorial(k) for k in range(LENGTH)]
    growth = shift_down([mpf(0)] + e[1:])  # (e^t - 1) / t
    rows = [divide(e, growth)]
    for k in range(1, orders):
        p = mpf(1) / 2 if k == 1 else (bernoulli(k) / k if k % 2 == 0 else mpf(0))
        previous = rows[-1]
        d = derivative(previous)
        numerator = [d[i] - previous[i] + p * e[i] for i in range(len(d))]
        rows.append(divide(shift_down(numerator), growth))
    return rows


def temme(orders):
    """c_k(eta) of Temme's expansion, Q = erfc(eta sqrt(a/2))/2 + exp(-a eta^2/2)/sqrt(2 pi a) sum c_k(eta) a^-k.

    c_0 = 1/mu - 1/eta, c_k = c_{k-1}'/eta + g_k/mu, where mu = x/a - 1, eta^2/2 = mu - ln(1 + mu), and
    exp(-stirlerr(a)) = sum g_k a^-k.
    """
    # eta^2 / mu^2 = 2 (mu - ln(1 + mu)) / mu^2; its square root by Newton on series, then reversion by iteration.
    ratio = [2 * mpf(-1) ** k / (k + 2) for k in range(LENGTH)]
    root = [mpf(1)] + [mpf(0)] * (LENGTH - 1)
    for _ in range(8):
        root = [(r + q) / 2 for r, q in zip(root, divide(ratio, root))]
    mu = [mpf(0), mpf(1)] + [mpf(0)] * (LENGTH - 2)
    for _ in range(LENGTH):
        # mu = eta / root(mu)
        mu = [mpf(0)] + divide([mpf(1)] + [mpf(0)] * (LENGTH - 1), compose(root, mu))[: LENGTH - 1]
    over_mu = divide([mpf(1)] + [mpf(0)] * (LENGTH - 2), shift_down(mu))  # eta / mu
    # exp(-stirlerr(a)) as a series in 1/a.
    log_series = [mpf(0)] * (orders + 2)
    for j in range(1, orders):
        if 2 * j - 1 < len(log_series):
            log_series[2 * j - 1] = -bernoulli(2 * j) / (2 * j * (2 * j - 1))
    g = compose([1 / factorial(k) for k in range(orders + 2)], log_series)
    rows = [shift_down([over_mu[0] - 1] + over_mu[1:])]
    for k in range(1, orders):
        d = derivative(rows[-1])
        numerator = [d[i] + g[k] * over_mu[i] for i in range(min(len(d), len(over_mu)))]
        rows.append(shift_down(numerator))
    return rows


def show(name, rows, radius, smallest_a, tolerance):
    """Prints the terms that exceed the tolerance somewhere in |variable| <= radius, a >= smallest_a."""
    print(name)
    for k, row in enumerate(rows):
        kept = [c for i, c in enumerate(row) if abs(c) * mpf(radius) ** i * mpf(smallest_a) ** -k > tolerance]
        last = max(
            [i for i, c in enumerate(row) if abs(c) * mpf(radius) ** i * mpf(smallest_a) ** -k > tolerance], default=-1
        )
        if last >= 0:
            print(f"  &[{', '.join(repr(float(c)) for c in row[: last + 1])}],")


if __name__ == "__main__":
    show("draw derivative, |ln(x/a)| <= 0.7, a >= 30", draw_derivative(12), 0.7, 30, mpf("1e-15"))
    show("temme, |eta| <= 0.7, a >= 30", temme(14), 0.7, 30, mpf("3e-17"))
