"""Writes ../data/special.csv: function, arguments, value, from mpmath at 60 digits.

    python3 crates/stats/tests/it/mpmath_table.py
"""

import pathlib

from mpmath import (beta, betainc, digamma, exp, gammainc, hyp2f1, inf, log, loggamma, mp, mpf,
                    ncdf, polygamma, quad, rf, factorial, linspace)

mp.dps = 60
rows = []


def row(name, value, *arguments):
    rows.append((name, *[repr(float(a)) for a in arguments], mp.nstr(value, 17)))


def m(*values):
    return [mpf(v) for v in values]


for x in (1e-6, 0.01, 0.243, 1.0, 1.4616321449683623, 2.0, 4.414, 9.99, 10.0, 132.55, 1e4, 1e8):
    row("ln_gamma", loggamma(mpf(x)), x)
    row("digamma", digamma(mpf(x)), x)
    row("trigamma", polygamma(1, mpf(x)), x)

for a in (0.002, 0.243, 0.8, 5.0, 30.0, 2000.5):
    for b in (0.06, 1.0, 2.426, 25.0, 1e4, 1e6):
        row("ln_beta", log(beta(*m(a, b))), a, b)
for x in (1e-3, 0.5, 19.9, 20.1, 1e3, 1e6):
    for d in (0.0, 1.0, 7.25, 2000.0):
        row("ln_gamma_ratio", loggamma(mpf(x) + mpf(d)) - loggamma(mpf(x)), x, d)

for a in (0.05, 0.5, 2.0, 30.0, 500.0):
    for share in (0.1, 0.7, 1.0, 1.3, 3.0):
        x = a * share
        row("gamma_p", gammainc(mpf(a), 0, mpf(x), regularized=True), a, x)
for a in (0.2, 1.0, 6.25, 60.0):
    for b in (0.5, 3.74, 40.0):
        for x in (1e-4, 0.1, 0.5, 0.9, 0.999):
            row("beta_i", betainc(mpf(a), mpf(b), 0, mpf(x), regularized=True), a, b, x)
for z in (-8.0, -1.2815515655446004, 0.0, 0.5, 3.0):
    row("normal_cdf", ncdf(mpf(z)), z)

for a, b in ((0.0, 0.0), (-800.0, -801.5), (3.0, -40.0), (700.0, 699.999999)):
    row("log_sum_exp", log(exp(mpf(a)) + exp(mpf(b))), a, b)
    if a > b:
        row("log_diff_exp", log(exp(mpf(a)) - exp(mpf(b))), a, b)


# Expected orders within h of a customer who is alive, p ~ Beta(a, b), K ~ NB(shape, rate): Fader,
# Hardie & Lee's hypergeometric form, at its poles (a = 1, a + b = 1) by moving off them by 1e-30; the
# integral of (1 - (1 + p h / rate)^-shape) / p where that can be taken.
def geometric(shape, rate, a, b, h):
    shape, rate, a, b, h = m(shape, rate, a, b, h)
    z = h / (rate + h)
    nudge = mpf(10) ** -30
    closed = (a + nudge + b + nudge - 1) / (a + nudge - 1)
    closed *= 1 - (rate / (rate + h)) ** shape * hyp2f1(shape, b + nudge, a + b + 2 * nudge - 1, z)
    if a > 0.5 and h < 100 and b < 100:
        def integrand(p):
            return p ** (a - 1) * (1 - p) ** (b - 1) * (1 - (1 + p * h / rate) ** -shape) / p

        knots = [0] + [mpf(10) ** -k for k in (12, 8, 6, 4, 3, 2, 1)] + [mpf(1) / 2, mpf(9) / 10, 1]
        value = quad(integrand, knots) / beta(a, b)
        assert abs(closed / value - 1) < mpf(10) ** -15, (shape, rate, a, b, h, closed, value)
    return closed


for arguments in (
    (0.243, 4.414, 0.793, 2.426, 39.0),
    (2.243, 43.274, 0.793, 4.426, 39.0),
    (0.243, 4.414, 1.0, 2.426, 39.0),
    (0.243, 4.414, 1.0 + 1e-9, 2.426, 39.0),
    (0.243, 4.414, 0.3, 0.7, 39.0),
    (0.243, 4.414, 0.793, 2.426, 4000.0),
    (0.243, 4.414, 0.793, 2.426, 4e5),
    (0.243, 4.414, 0.793, 2.426, 4e7),
    (2000.25, 1004.0, 0.793, 2002.4, 39.0),
    (2000.25, 1004.0, 0.793, 2002.4, 1000.0),
    (500.5, 90.0, 3.0, 502.0, 365.0),
    (0.5, 57.0, 0.002, 0.06, 52.0),
    (12.5, 30.0, 8.0, 60.0, 52.0),
):
    row("geometric_expected", geometric(*arguments), *arguments)


# The integral of (alpha+u)^-k (beta+u)^-l over [from, to], over its integrand at `from`.
def kernel(k, alpha, l, beta_, start, end):
    k, alpha, l, beta_, start, end = m(k, alpha, l, beta_, start, end)

    def integrand(u):
        return exp(-k * log((alpha + u) / (alpha + start)) - l * log((beta_ + u) / (beta_ + start)))

    width = end - start
    knots = [start + width * mpf(2) ** -j for j in range(30, -1, -1)]
    return quad(integrand, [start] + knots)


for k in (0.05, 0.553, 1.0, 3.553, 26.553, 200.0, 2000.5):
    for alpha, l, beta_ in ((10.578, 1.606, 11.67), (0.05, 1.2, 40.0), (30.0, 2.5, 0.02),
                            (0.27, 1.606, 0.3), (5.0, 300.0, 900.0), (1e3, 1.01, 1e4)):
        for start, end in ((0.0, 38.86), (30.43, 38.86), (1.0, 1.0001), (2.0, 1000.0)):
            arguments = (k, alpha, l, beta_, start, end)
            row("kernel", kernel(*arguments), *arguments)


def lomax_none(shape, rate, s, beta_, h):
    shape, rate, s, beta_, h = m(shape, rate, s, beta_, h)
    stays = (rate / (rate + h)) ** shape * (beta_ / (beta_ + h)) ** s

    def integrand(u):
        return (rate / (rate + u)) ** shape * s * beta_ ** s * (beta_ + u) ** (-s - 1)

    return stays + quad(integrand, [0] + [h * mpf(2) ** -j for j in range(40, -1, -1)])


def lomax_exactly(shape, rate, s, beta_, h, n):
    shape, rate, s, beta_, h, n = m(shape, rate, s, beta_, h, n)

    def count(u):
        return rf(shape, n) / factorial(n) * (rate / (rate + u)) ** shape * (u / (rate + u)) ** n

    def integrand(u):
        return count(u) * s * beta_ ** s * (beta_ + u) ** (-s - 1)

    left = quad(integrand, linspace(0, h, 30))
    return count(h) * (beta_ / (beta_ + h)) ** s + left


def lomax_expected(shape, rate, s, beta_, h):
    shape, rate, s, beta_, h = m(shape, rate, s, beta_, h)
    if s == 1:
        return shape * beta_ / rate * log((beta_ + h) / beta_)
    return shape * beta_ / (rate * (s - 1)) * (1 - (beta_ / (beta_ + h)) ** (s - 1))


for shape, rate, s, beta_, h in (
    (0.553, 10.578, 0.606, 11.67, 39.0),
    (2.553, 49.4, 0.606, 50.5, 12.857),
    (26.553, 41.6, 0.606, 42.7, 52.0),
    (0.553, 10.578, 1.0, 11.67, 39.0),
    (0.553, 10.578, 1.0 + 1e-10, 11.67, 39.0),
    (200.5, 60.0, 1.7, 300.0, 30.0),
):
    row("lomax_none", lomax_none(shape, rate, s, beta_, h), shape, rate, s, beta_, h)
    row("lomax_expected", lomax_expected(shape, rate, s, beta_, h), shape, rate, s, beta_, h)
    for n in (1, 5, 60):
        row("lomax_exactly", lomax_exactly(shape, rate, s, beta_, h, n), shape, rate, s, beta_, h, n)

target = pathlib.Path(__file__).parent.parent / "data" / "special.csv"
target.write_text("\n".join(",".join(r) for r in rows) + "\n")
print(len(rows), "rows")
