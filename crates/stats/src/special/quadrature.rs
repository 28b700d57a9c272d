//! Gauss–Legendre rules on [0, 1].

use std::sync::OnceLock;

/// One rule: `nodes[i]` in (0, 1) with `weights[i]`; the weights sum to 1.
#[derive(Debug)]
pub struct Rule {
    /// Abscissae, increasing.
    pub nodes: Vec<f64>,
    /// Weights.
    pub weights: Vec<f64>,
}

const SIZES: [usize; 7] = [8, 12, 16, 24, 32, 48, 64];

/// The smallest tabulated rule with at least `n` nodes (64 when `n` is larger).
pub fn gauss_legendre(n: usize) -> &'static Rule {
    static RULES: OnceLock<Vec<Rule>> = OnceLock::new();
    let rules = RULES.get_or_init(|| SIZES.iter().map(|&size| legendre(size)).collect());
    let index = SIZES
        .iter()
        .position(|&size| size >= n)
        .unwrap_or(SIZES.len() - 1);
    &rules[index]
}

/// Newton's iteration on the Legendre polynomial from the usual cosine guesses.
fn legendre(n: usize) -> Rule {
    let order = n as f64;
    let mut nodes = vec![0.0; n];
    let mut weights = vec![0.0; n];
    for i in 0..n.div_ceil(2) {
        let mut z = libm::cos(core::f64::consts::PI * (i as f64 + 0.75) / (order + 0.5));
        let mut slope = 0.0;
        for _ in 0..20 {
            let (mut p, mut before) = (1.0, 0.0);
            for k in 0..n {
                let k = k as f64;
                (p, before) = (((2.0 * k + 1.0) * z * p - k * before) / (k + 1.0), p);
            }
            slope = order * (z * p - before) / (z * z - 1.0);
            let step = p / slope;
            z -= step;
            if step.abs() < 1e-16 {
                break;
            }
        }
        let weight = 1.0 / ((1.0 - z * z) * slope * slope);
        nodes[i] = 0.5 * (1.0 - z);
        nodes[n - 1 - i] = 0.5 * (1.0 + z);
        weights[i] = weight;
        weights[n - 1 - i] = weight;
    }
    Rule { nodes, weights }
}
