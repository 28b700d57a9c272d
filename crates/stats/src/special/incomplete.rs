//! Incomplete gamma and beta integrals, the normal distribution, and their quantiles.

use super::gamma::{ln_beta, ln_gamma};

const TINY: f64 = 1e-300;

/// Regularised lower incomplete gamma P(a, x), a > 0, x ≥ 0 (series below a + 1, else continued
/// fraction; Abramowitz & Stegun 6.5.29, 6.5.31).
pub fn gamma_p(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = libm::exp(a * libm::log(x) - x - ln_gamma(a));
    if x < a + 1.0 {
        let (mut term, mut sum, mut k) = (1.0 / a, 1.0 / a, a);
        for _ in 0..100_000 {
            k += 1.0;
            term *= x / k;
            sum += term;
            if term < sum * 1e-17 {
                break;
            }
        }
        return (front * sum).min(1.0);
    }
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut h = d;
    for i in 1..100_000 {
        let n = f64::from(i);
        let an = -n * (n - a);
        b += 2.0;
        d = 1.0 / nonzero(an * d + b);
        c = nonzero(b + an / c);
        let delta = d * c;
        h *= delta;
        if (delta - 1.0).abs() < 1e-16 {
            break;
        }
    }
    1.0 - front * h
}

/// Regularised incomplete beta I(x; a, b), a, b > 0, 0 ≤ x ≤ 1.
pub fn beta_i(a: f64, b: f64, x: f64) -> f64 {
    beta_i_with(a, b, ln_beta(a, b), x, 1.0 - x)
}

/// I(x; a, b) with ln B(a, b) and 1 − x already known (Lentz's continued fraction, DLMF 8.17.22).
pub fn beta_i_with(a: f64, b: f64, ln_beta_ab: f64, x: f64, one_minus_x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if one_minus_x <= 0.0 {
        return 1.0;
    }
    let front = libm::exp(a * libm::log(x) + b * libm::log(one_minus_x) - ln_beta_ab);
    if x * (a + b + 2.0) < a + 1.0 {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, one_minus_x) / b
    }
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let mut c = 1.0;
    let mut d = 1.0 / nonzero(1.0 - (a + b) * x / (a + 1.0));
    let mut h = d;
    for i in 1..100_000 {
        let m = f64::from(i);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / nonzero(1.0 + even * d);
        c = nonzero(1.0 + even / c);
        h *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / nonzero(1.0 + odd * d);
        c = nonzero(1.0 + odd / c);
        let delta = d * c;
        h *= delta;
        if (delta - 1.0).abs() < 1e-15 {
            break;
        }
    }
    h
}

fn nonzero(value: f64) -> f64 {
    if value.abs() < TINY { TINY } else { value }
}

/// The y with P(a, y) = `probability`, 0 < probability < 1.
pub fn gamma_quantile(a: f64, probability: f64) -> f64 {
    let mut high = a.max(1.0);
    while gamma_p(a, high) < probability {
        high *= 2.0;
    }
    let mut low = high;
    while low > 1e-300 && gamma_p(a, low) > probability {
        low *= 0.5;
    }
    find_root(low, high, 1e-14, |y| gamma_p(a, y) - probability)
}

/// The x with I(x; a, b) = `probability`, 0 < probability < 1.
pub fn beta_quantile(a: f64, b: f64, probability: f64) -> f64 {
    let ln_b = ln_beta(a, b);
    // In the logit, so that quantiles near 0 and 1 keep their relative precision.
    let at = |w: f64| {
        let (x, y) = logistic(w);
        beta_i_with(a, b, ln_b, x, y) - probability
    };
    let (mut low, mut high) = (-2.0, 2.0);
    while low > -700.0 && at(low) > 0.0 {
        low *= 2.0;
    }
    while high < 700.0 && at(high) < 0.0 {
        high *= 2.0;
    }
    logistic(find_root(low, high, 1e-14, at)).0
}

/// (p, 1 − p) for the logit `w`.
pub fn logistic(w: f64) -> (f64, f64) {
    if w < 0.0 {
        let e = libm::exp(w);
        (e / (1.0 + e), 1.0 / (1.0 + e))
    } else {
        let e = libm::exp(-w);
        (1.0 / (1.0 + e), e / (1.0 + e))
    }
}

/// Distribution function of the standard normal.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * core::f64::consts::FRAC_1_SQRT_2)
}

/// Quantile of the standard normal, 0 < probability < 1.
pub fn normal_quantile(probability: f64) -> f64 {
    find_root(-40.0, 40.0, 1e-15, |z| normal_cdf(z) - probability)
}

/// The zero of an increasing `f` between `low` and `high` (Illinois variant of false position, with
/// bisection when it does not halve the bracket), to relative `tolerance` of the bracket.
pub fn find_root(low: f64, high: f64, tolerance: f64, f: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (low, high);
    let (mut f_low, mut f_high) = (f(low), f(high));
    if f_low >= 0.0 {
        return low;
    }
    if f_high <= 0.0 {
        return high;
    }
    let mut width = high - low;
    let mut last_side = 0;
    for step in 0..200 {
        let mut mid = (low * f_high - high * f_low) / (f_high - f_low);
        // Every third step checks that the bracket shrinks as fast as bisection would.
        if step % 3 == 2 {
            if high - low > 0.5 * width {
                mid = 0.5 * (low + high);
                last_side = 0;
            }
            width = high - low;
        }
        if !(mid > low && mid < high) {
            mid = 0.5 * (low + high);
        }
        let value = f(mid);
        if value == 0.0 {
            return mid;
        }
        if value < 0.0 {
            low = mid;
            f_low = value;
            if last_side == -1 {
                f_high *= 0.5;
            }
            last_side = -1;
        } else {
            high = mid;
            f_high = value;
            if last_side == 1 {
                f_low *= 0.5;
            }
            last_side = 1;
        }
        if high - low <= tolerance * (low.abs() + high.abs()) {
            break;
        }
    }
    0.5 * (low + high)
}
