//! Times the fits and the scoring on simulated customers, or on those of a file:
//! `cargo run --release -p regulars-stats --example fit_speed -- 1000000 2` (customers, threads).
//!
//! Instead of a number, a CSV of `x,t_x,t,mean` (one customer each, with a header; `mean` of the
//! repeat purchases in major units). With a third argument the customers are written to it in
//! that form, so that others can fit the same.

#![allow(clippy::print_stdout, reason = "prints its timings")]

use std::fmt::Write as _;
use std::time::Instant;

use regulars_stats::purchase::{
    GroupedSummaries, PurchaseKind, PurchaseSummary, ScoreOptions, fit_purchase, score_orders,
};
use regulars_stats::spend::{GammaGamma, GroupedSpend, SpendSummary};
use regulars_stats::value::{Buyer, RevenueOptions, forecast_revenue};
use regulars_stats::{FitOptions, Parallelism};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next().unwrap_or_else(|| "1000000".to_owned());
    let threads = arguments.next().and_then(|a| a.parse().ok()).unwrap_or(2);
    let buyers = match wanted.parse::<usize>() {
        Ok(number) => {
            let mut random = Random(7);
            (0..number).map(|_| random.buyer()).collect()
        }
        Err(_) => read(&wanted),
    };
    if let Some(path) = arguments.next() {
        write(&path, &buyers);
    }
    time_all(&buyers, threads);
}

/// The customers of a file.
fn read(path: &str) -> Vec<Buyer> {
    let text = std::fs::read_to_string(path).expect("a readable file");
    let buyer = |line: &str| {
        let fields: Vec<f64> = line
            .split(',')
            .map(|field| field.trim().parse().expect("a number"))
            .collect();
        let [x, t_x, t, mean] = fields[..] else {
            panic!("not x,t_x,t,mean: {line}");
        };
        let x = x as u32;
        Buyer {
            history: PurchaseSummary { x, t_x, t },
            spend: SpendSummary { x, mean },
        }
    };
    text.lines().skip(1).map(buyer).collect()
}

fn write(path: &str, buyers: &[Buyer]) {
    let mut text = "x,t_x,t,mean\n".to_owned();
    for Buyer { history, spend } in buyers {
        let PurchaseSummary { x, t_x, t } = history;
        let _ = writeln!(text, "{x},{t_x},{t},{}", spend.mean);
    }
    std::fs::write(path, text).expect("a writable file");
}

fn time_all(buyers: &[Buyer], threads: usize) {
    let n = buyers.len();
    let parallelism = Parallelism::threads(threads);
    let options = FitOptions {
        parallelism,
        ..FitOptions::default()
    };
    let histories: Vec<PurchaseSummary> = buyers.iter().map(|b| b.history).collect();
    println!("{n} customers, {threads} threads");

    let start = Instant::now();
    let groups = GroupedSummaries::new(&histories).expect("simulated customers are sound");
    println!(
        "group              {:>8.1?} ({} distinct)",
        start.elapsed(),
        groups.groups().len()
    );
    let mut model = None;
    for kind in [
        PurchaseKind::ParetoNbd,
        PurchaseKind::Nbd,
        PurchaseKind::MbgNbd,
        PurchaseKind::BgNbd,
    ] {
        let start = Instant::now();
        let fitted = fit_purchase(kind, &groups, &options).expect("many customers come back");
        println!("fit {:<14} {:>8.1?}", kind.name(), start.elapsed());
        println!(
            "    {:?} in {} steps, {:?}",
            fitted.convergence,
            fitted.iterations,
            fitted.model.parameters()
        );
        let start = Instant::now();
        let scoring = ScoreOptions {
            orders_horizon: 365.0,
            churn_horizon: 90.0,
            share: 0.8,
            parallelism,
        };
        let scores = score_orders(&fitted.model, &histories, &scoring);
        let total: f64 = scores.iter().map(|s| s.expected_orders).sum();
        println!(
            "    score          {:>8.1?} (total {total:.1})",
            start.elapsed()
        );
        model = Some(fitted.model);
    }
    let spend: Vec<SpendSummary> = buyers.iter().map(|b| b.spend).collect();
    let start = Instant::now();
    let grouped = GroupedSpend::new(&spend).expect("many customers come back");
    let spend = GammaGamma::fit(&grouped, &options).expect("finite spend");
    println!(
        "fit Gamma-Gamma    {:>8.1?} {:?}",
        start.elapsed(),
        spend.model
    );
    let start = Instant::now();
    let revenue = RevenueOptions {
        horizon: 365.0,
        discount_rate: 0.0,
        margin: 1.0,
        share: 0.8,
        parallelism,
    };
    let model = model.expect("four models were fitted");
    let forecasts =
        forecast_revenue(&model, &spend.model, buyers, &revenue).expect("sound options");
    let total: f64 = forecasts.iter().filter_map(|f| f.expected).sum();
    println!(
        "forecast revenue   {:>8.1?} (total {total:.0})",
        start.elapsed()
    );
}

/// Splitmix64: customers of a BG/NBD with Gamma-Gamma spend, days as the unit of time.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 + 1e-17
    }

    fn exponential(&mut self) -> f64 {
        -libm::log(self.uniform())
    }

    fn normal(&mut self) -> f64 {
        let radius = (2.0 * self.exponential()).sqrt();
        radius * libm::cos(core::f64::consts::TAU * self.uniform())
    }

    /// Marsaglia and Tsang (2000).
    fn gamma(&mut self, shape: f64) -> f64 {
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

    fn buyer(&mut self) -> Buyer {
        let end = 30 + (self.uniform() * 700.0) as i64;
        let rate = self.gamma(0.6) / 45.0;
        let (left, stays) = (self.gamma(0.8), self.gamma(2.4));
        let dropout = left / (left + stays);
        let (mut time, mut last, mut x) = (0.0, 0, 0);
        loop {
            time += self.exponential() / rate;
            if time >= (end + 1) as f64 {
                break;
            }
            // Orders of one day are one.
            let day = time as i64;
            if day > last {
                last = day;
                x += 1;
            }
            if self.uniform() < dropout {
                break;
            }
        }
        let mean =
            self.gamma(6.25 * f64::from(x.max(1))) / f64::from(x.max(1)) * 15.44 / self.gamma(3.74);
        let history = PurchaseSummary {
            x,
            t_x: last as f64,
            t: end as f64,
        };
        Buyer {
            history,
            spend: SpendSummary {
                x,
                mean: (mean * 100.0).round() / 100.0,
            },
        }
    }
}
