//! Gamma, beta and their logarithmic derivatives; sums of exponentials in logs.

/// ln Γ(x) for x > 0.
pub fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// ψ(x) = d ln Γ(x) / dx for x > 0: recurrence up to 10, then the asymptotic series
/// (Abramowitz & Stegun 6.3.18).
pub fn digamma(x: f64) -> f64 {
    let mut x = x;
    let mut shift = 0.0;
    while x < 10.0 {
        shift -= 1.0 / x;
        x += 1.0;
    }
    let inv = 1.0 / x;
    let inv2 = inv * inv;
    let series = inv2
        * (1.0 / 12.0
            - inv2
                * (1.0 / 120.0
                    - inv2
                        * (1.0 / 252.0
                            - inv2
                                * (1.0 / 240.0
                                    - inv2
                                        * (1.0 / 132.0
                                            - inv2 * (691.0 / 32_760.0 - inv2 * (1.0 / 12.0)))))));
    shift + libm::log(x) - 0.5 * inv - series
}

/// ψ′(x) for x > 0: recurrence up to 10, then the asymptotic series (Abramowitz & Stegun 6.4.12).
pub fn trigamma(x: f64) -> f64 {
    let mut x = x;
    let mut shift = 0.0;
    while x < 10.0 {
        shift += 1.0 / (x * x);
        x += 1.0;
    }
    let inv = 1.0 / x;
    let inv2 = inv * inv;
    let series = inv
        * inv2
        * (1.0 / 6.0
            - inv2
                * (1.0 / 30.0
                    - inv2
                        * (1.0 / 42.0
                            - inv2
                                * (1.0 / 30.0
                                    - inv2
                                        * (5.0 / 66.0
                                            - inv2 * (691.0 / 2_730.0 - inv2 * (7.0 / 6.0)))))));
    shift + inv + 0.5 * inv2 + series
}

/// ln B(a, b) for a, b > 0.
///
/// When one argument is large the difference of two large log-gammas is taken by Stirling's series,
/// so that no digits cancel.
pub fn ln_beta(a: f64, b: f64) -> f64 {
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    ln_gamma(small) - ln_gamma_ratio(large, small)
}

/// ln Γ(x + d) − ln Γ(x) for x > 0, d ≥ 0, without cancellation when x is large.
pub fn ln_gamma_ratio(x: f64, d: f64) -> f64 {
    if x < 20.0 {
        return ln_gamma(x + d) - ln_gamma(x);
    }
    // Stirling: ln Γ(x) = (x − ½) ln x − x + ½ ln 2π + correction(x).
    let y = x + d;
    (x - 0.5) * libm::log1p(d / x) + d * libm::log(y) - d + stirling_correction(y)
        - stirling_correction(x)
}

/// ln Γ(x) less its leading Stirling terms, x ≥ 20.
fn stirling_correction(x: f64) -> f64 {
    let inv = 1.0 / x;
    let inv2 = inv * inv;
    inv * (1.0 / 12.0
        - inv2 * (1.0 / 360.0 - inv2 * (1.0 / 1_260.0 - inv2 * (1.0 / 1_680.0 - inv2 / 1_188.0))))
}

/// ln(eᵃ + eᵇ).
pub fn log_sum_exp(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if high == f64::NEG_INFINITY {
        return high;
    }
    high + libm::log1p(libm::exp(low - high))
}

/// ln(eᵃ − eᵇ) for a ≥ b.
pub fn log_diff_exp(a: f64, b: f64) -> f64 {
    if b == f64::NEG_INFINITY {
        return a;
    }
    let gap = b - a;
    // Mächler (2012): the better of two forms by the size of the gap.
    if gap > -core::f64::consts::LN_2 {
        a + libm::log(-libm::expm1(gap))
    } else {
        a + libm::log1p(-libm::exp(gap))
    }
}
