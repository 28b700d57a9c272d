//! Every ready-made segment that orders can carry has somebody in it, in believable numbers.

use std::collections::BTreeMap;

use regulars_core::{CivilDate, DAY_MS, Timestamp};
use regulars_shop::{Channel, Shop};

use crate::naive::{self, Customer};
use crate::{demo, town};

/// P(no order within 90 days) by MBG/NBD (Batislam, Denizel and Filiztekin 2007) with round
/// numbers near to what fits give: what a churn level needs, without fitting anything.
fn risk(customer: &Customer, now: Timestamp, dates: &dyn Fn(Timestamp) -> CivilDate) -> f64 {
    let (r, alpha, a, b) = (0.9, 60.0, 0.5, 3.0);
    let day = |at| f64::from(dates(at).0);
    let first = day(customer.orders[0].at);
    let x = customer.orders.len() as f64 - 1.0;
    let t_x = day(customer.orders[customer.orders.len() - 1].at) - first;
    let t = day(now) - first;
    let odds = a / (b + x) * libm::pow((alpha + t) / (alpha + t_x), r + x);
    let none_if_alive = libm::pow((alpha + t) / (alpha + t + 90.0), r + x);
    1.0 - (1.0 - none_if_alive) / (1.0 + odds)
}

fn level(risk: f64) -> usize {
    1 + [0.35, 0.6, 0.8, 0.95]
        .iter()
        .filter(|&&from| risk >= from)
        .count()
}

fn lifecycle(customer: &Customer, now: Timestamp, risk: f64) -> &'static str {
    if customer.orders.is_empty() {
        return "prospect";
    }
    let n_orders = customer.orders.len();
    let gaps = customer.gaps();
    // The own usual range as a rate of orders would have it: r, alpha as above.
    let (x, t_x) = ((n_orders - 1) as f64, gaps.iter().sum::<f64>());
    let range = (60.0 + t_x) * (libm::pow(0.1, -1.0 / (0.9 + x)) - 1.0);
    match customer.silent_days(now) {
        60.. => "dormant",
        silent if silent as f64 > range => "at_risk",
        _ if level(risk) >= 4 && n_orders >= 2 => "at_risk",
        _ if gaps.last().is_some_and(|&gap| gap >= 60.0) => "reactivated",
        _ if n_orders == 1 => "new",
        _ if n_orders == 2 => "potential_loyalist",
        _ => "loyal",
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// 1 + floor(5 · share strictly worse).
fn scores(values: &[f64]) -> Vec<usize> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let worse = |value: f64| sorted.partition_point(|&other| other < value);
    values
        .iter()
        .map(|&value| 1 + 5 * worse(value) / sorted.len())
        .collect()
}

/// Revenue from which on a customer is in the high tier, and in the medium one.
fn tiers(buyers: &[&Customer], now: Timestamp) -> (Vec<i64>, i64, i64) {
    let recent = |customer: &&Customer| {
        let recent = customer
            .orders
            .iter()
            .filter(|o| o.at > now.plus_ms(-365 * DAY_MS));
        recent.map(|order| order.net_minor).sum::<i64>()
    };
    let revenues: Vec<i64> = buyers.iter().map(recent).collect();
    let mut sorted: Vec<i64> = revenues
        .iter()
        .copied()
        .filter(|&revenue| revenue > 0)
        .collect();
    sorted.sort_unstable();
    let high = sorted[sorted.len() * 4 / 5];
    let medium = sorted[sorted.len() / 2];
    (revenues, high, medium)
}

/// Members of every segment.
fn segments(shop: &Shop) -> BTreeMap<String, usize> {
    let now = naive::now(shop);
    let dates = |at| shop.options().zone.date_of(at);
    let all = naive::customers(shop);
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = |name: String| *sizes.entry(name).or_default() += 1;
    let buyers: Vec<&Customer> = all.values().filter(|c| !c.orders.is_empty()).collect();
    for _ in buyers.len()..all.len() {
        count("lifecycle prospect".to_owned());
    }
    let typical = median(buyers.iter().map(|c| c.average_order()).collect());
    let (recent, high, medium) = tiers(&buyers, now);
    let score = |value: &dyn Fn(&Customer) -> f64| {
        scores(&buyers.iter().map(|c| value(c)).collect::<Vec<f64>>())
    };
    let recency = score(&|c| c.orders[c.orders.len() - 1].at.0 as f64);
    let frequency = score(&|c| c.orders.len() as f64);
    let monetary = score(&|c| c.revenue() as f64);
    for (at, customer) in buyers.iter().enumerate() {
        let n_orders = customer.orders.len();
        let risk = risk(customer, now, &dates);
        let stage = lifecycle(customer, now, risk);
        let tier = match recent[at] {
            revenue if revenue >= high => "high",
            revenue if revenue >= medium => "medium",
            revenue if revenue > 0 => "low",
            _ => "none",
        };
        let (average, discounts) = (customer.average_order(), customer.discount_share());
        count(format!("lifecycle {stage}"));
        count(format!("churn level {}", level(risk)));
        count(format!("tier {tier}"));
        count(format!(
            "rfm cell {}{}{}",
            recency[at], frequency[at], monetary[at]
        ));
        count(format!("recency {}", recency[at]));
        count(format!("frequency {}", frequency[at]));
        count(format!("monetary {}", monetary[at]));
        count(format!("channel {}", customer.orders[0].channel));
        if n_orders == 1 {
            count("one-time".to_owned());
        }
        let loyal = stage == "loyal" || stage == "reactivated" && n_orders >= 3;
        if loyal && tier == "high" && average >= typical {
            count("high-value loyalists".to_owned());
        }
        if n_orders <= 2 && customer.orders[0].at > now.plus_ms(-90 * DAY_MS) {
            count("new and potential".to_owned());
        }
        if average < typical && discounts >= 0.5 {
            count("budget-conscious".to_owned());
        }
        if n_orders >= 2 && discounts >= 0.6 {
            count("price-sensitive".to_owned());
        }
        if n_orders >= 2 && discounts <= 0.1 {
            count("full-price".to_owned());
        }
        let quarters = customer.quarters();
        let years_full = quarters
            .values()
            .filter(|quarters| quarters.len() >= 3)
            .count();
        if n_orders >= 3 && quarters.len() >= 2 && customer.season_share() >= 0.7 {
            count("seasonal".to_owned());
        } else if years_full >= 2 {
            count("year-round".to_owned());
        }
    }
    sizes
}

/// Smallest believable share of all customers, in per mille.
const LEAST: &[(&str, usize)] = &[
    ("lifecycle prospect", 30),
    ("lifecycle new", 10),
    ("lifecycle potential_loyalist", 10),
    ("lifecycle loyal", 50),
    ("lifecycle at_risk", 10),
    ("lifecycle reactivated", 20),
    ("lifecycle dormant", 200),
    ("high-value loyalists", 20),
    ("new and potential", 30),
    ("budget-conscious", 50),
    ("price-sensitive", 50),
    ("full-price", 50),
    ("one-time", 100),
    ("seasonal", 40),
    ("year-round", 50),
    ("tier high", 50),
    ("tier medium", 50),
    ("tier low", 50),
    ("tier none", 50),
];

fn check(shop: &Shop) {
    let sizes = segments(shop);
    let everybody = shop.options().customers as usize;
    let size = |name: &str| sizes.get(name).copied().unwrap_or(0);
    for &(name, least) in LEAST {
        let size = size(name);
        assert!(
            size * 1000 >= everybody * least,
            "{name}: {size} of {everybody}"
        );
    }
    for level in 1..=5 {
        let size = size(&format!("churn level {level}"));
        assert!(size * 100 >= everybody * 3, "churn level {level}: {size}");
        for score in ["recency", "frequency", "monetary"] {
            let size = self::size(&sizes, &format!("{score} {level}"));
            assert!(size * 100 >= everybody * 5, "{score} {level}: {size}");
        }
    }
    for channel in Channel::ALL {
        let size = size(&format!("channel {channel}"));
        assert!(size * 100 >= everybody, "first channel {channel}: {size}");
    }
    let cells = sizes
        .keys()
        .filter(|name| name.starts_with("rfm cell"))
        .count();
    assert!(cells >= 60, "{cells} RFM cells");
    // What the named RFM groups are made of.
    for corner in [
        "555", "545", "155", "144", "511", "311", "111", "222", "333",
    ] {
        assert!(
            size(&format!("rfm cell {corner}")) > 0,
            "nobody in {corner}"
        );
    }
}

fn size(sizes: &BTreeMap<String, usize>, name: &str) -> usize {
    sizes.get(name).copied().unwrap_or(0)
}

#[test]
fn every_segment_has_members_in_the_shop_of_the_demo() {
    check(demo());
}

#[test]
fn every_segment_has_members_in_larger_shops_and_with_other_seeds() {
    check(town());
    for seed in [1, 2, 3] {
        let options = regulars_shop::ShopOptions {
            seed,
            ..demo().options().clone()
        };
        check(&Shop::new(options).unwrap());
    }
}
