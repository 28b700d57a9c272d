//! Seeded customers of each model.

use regulars_stats::purchase::{BgNbd, MbgNbd, ParetoNbd, PurchaseSummary};
use regulars_stats::spend::{GammaGamma, SpendSummary};
use regulars_stats::value::Buyer;

/// Splitmix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 + 1e-17
    }

    pub(crate) fn exponential(&mut self) -> f64 {
        -libm::log(self.uniform())
    }

    fn normal(&mut self) -> f64 {
        (2.0 * self.exponential()).sqrt() * libm::cos(core::f64::consts::TAU * self.uniform())
    }

    /// Marsaglia and Tsang (2000).
    pub(crate) fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let power = libm::pow(self.uniform(), 1.0 / shape);
            return self.gamma(shape + 1.0) * power;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let z = self.normal();
            let v = 1.0 + c * z;
            if v > 0.0 {
                let v = v * v * v;
                if libm::log(self.uniform()) < 0.5 * z * z + d - d * v + d * libm::log(v) {
                    return d * v;
                }
            }
        }
    }

    fn beta(&mut self, a: f64, b: f64) -> f64 {
        let (x, y) = (self.gamma(a), self.gamma(b));
        x / (x + y)
    }
}

/// When one customer would order and leave.
pub(crate) trait Life {
    /// Times of the repeat orders up to `end`.
    fn orders(&self, random: &mut Random, end: f64) -> Vec<f64>;
}

impl Life for BgNbd {
    fn orders(&self, random: &mut Random, end: f64) -> Vec<f64> {
        let rate = random.gamma(self.r) / self.alpha;
        let dropout = random.beta(self.a, self.b);
        geometric_orders(random, rate, dropout, end)
    }
}

impl Life for MbgNbd {
    fn orders(&self, random: &mut Random, end: f64) -> Vec<f64> {
        let rate = random.gamma(self.r) / self.alpha;
        let dropout = random.beta(self.a, self.b);
        if random.uniform() < dropout {
            return Vec::new();
        }
        geometric_orders(random, rate, dropout, end)
    }
}

fn geometric_orders(random: &mut Random, rate: f64, dropout: f64, end: f64) -> Vec<f64> {
    let (mut orders, mut time) = (Vec::new(), 0.0);
    loop {
        time += random.exponential() / rate;
        if time > end {
            return orders;
        }
        orders.push(time);
        if random.uniform() < dropout {
            return orders;
        }
    }
}

impl Life for ParetoNbd {
    fn orders(&self, random: &mut Random, end: f64) -> Vec<f64> {
        let rate = random.gamma(self.r) / self.alpha;
        let lifetime = random.exponential() * self.beta / random.gamma(self.s);
        let (mut orders, mut time) = (Vec::new(), 0.0);
        loop {
            time += random.exponential() / rate;
            if time > end.min(lifetime) {
                return orders;
            }
            orders.push(time);
        }
    }
}

/// A customer and what they did in the horizon after T.
pub(crate) struct Simulated {
    pub(crate) buyer: Buyer,
    pub(crate) future_orders: u32,
    pub(crate) future_revenue: f64,
}

/// `n` customers observed for T evenly between 20 and 60, then for `horizon`.
pub(crate) fn customers(
    model: &impl Life,
    spend: &GammaGamma,
    n: usize,
    horizon: f64,
    seed: u64,
) -> Vec<Simulated> {
    let random = &mut Random(seed);
    (0..n)
        .map(|_| {
            let t = 20.0 + 40.0 * random.uniform();
            let orders = model.orders(random, t + horizon);
            let seen: Vec<f64> = orders.iter().copied().filter(|&at| at <= t).collect();
            let x = seen.len() as u32;
            let value_rate = random.gamma(spend.q) / spend.gamma;
            let mut worth = |n: u32| match n {
                0 => 0.0,
                _ => random.gamma(spend.p * f64::from(n)) / value_rate,
            };
            let mean = worth(x) / f64::from(x.max(1));
            let future_orders = (orders.len() - seen.len()) as u32;
            Simulated {
                buyer: Buyer {
                    history: PurchaseSummary {
                        x,
                        t_x: seen.last().copied().unwrap_or(0.0),
                        t,
                    },
                    spend: SpendSummary { x, mean },
                },
                future_orders,
                future_revenue: worth(future_orders),
            }
        })
        .collect()
}
