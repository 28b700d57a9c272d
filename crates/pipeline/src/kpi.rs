//! Figures of a segment, and of everyone.
//!
//! Sums are integers (minor units, billionths), so that neither the order of customers nor the
//! number of threads changes a digit.

use regulars_rules::{Availability, Memberships};
use serde::Serialize;

use crate::base::{Base, Folded};
use crate::catalogue::Origin;

mod interval;

use interval::{Slopes, Uncertainty};

/// Figures of a group of customers. Money is in minor units of the workspace's currency.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Kpis {
    /// Customers, prospects included.
    pub customers: u64,
    /// Share of all customers.
    pub customer_share: f64,
    /// Orders that count.
    pub orders: u64,
    /// Orders per customer.
    pub orders_per_customer: f64,
    /// Net revenue.
    pub revenue_minor: i64,
    /// Share of all net revenue; absent when there is none.
    pub revenue_share: Option<f64>,
    /// Net revenue less cost of goods; absent unless known for everyone with orders.
    pub margin_minor: Option<i64>,
    /// Refunded money.
    pub refunds_minor: i64,
    /// Net revenue per order; absent without orders.
    pub average_order_value_minor: Option<f64>,
    /// Share of customers with orders who ordered again; absent without such customers.
    pub repeat_rate: Option<f64>,
    /// Mean of the expected orders within the churn horizon, over customers with orders.
    pub expected_orders: Option<f64>,
    /// Lower end of its 90 % interval, for the uncertainty of the parameters; absent when the fit
    /// has no standard errors.
    pub expected_orders_low: Option<f64>,
    /// Upper end.
    pub expected_orders_high: Option<f64>,
    /// Mean churn risk over customers with orders.
    pub churn_risk: Option<f64>,
    /// Lower end of its 90 % interval.
    pub churn_risk_low: Option<f64>,
    /// Upper end.
    pub churn_risk_high: Option<f64>,
    /// Mean CLV over customers with one.
    pub clv_minor: Option<f64>,
    /// Lower end of its 90 % interval.
    pub clv_low_minor: Option<f64>,
    /// Upper end.
    pub clv_high_minor: Option<f64>,
    /// Sum of CLV.
    pub clv_total_minor: Option<i64>,
}

/// A segment with its figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SegmentKpis {
    /// Its name in rules and commands.
    pub segment: String,
    /// Its name for a person.
    pub title: String,
    /// Family: `lifecycle`, `value`, …
    pub family: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether its size can be known.
    pub availability: Availability,
    /// What its rule needs and the workspace does not have, in words.
    pub hints: Vec<String>,
    /// Its figures; absent when its size is unknown.
    pub kpis: Option<Kpis>,
}

/// Figures of everyone and of each segment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AllKpis {
    /// Of everyone.
    pub everyone: Kpis,
    /// Of each segment, in the order of the catalogue.
    pub segments: Vec<SegmentKpis>,
}

const BILLION: f64 = 1e9;

/// Exact sums over a group of customers.
#[derive(Debug, Clone, Default)]
struct Tally {
    customers: u64,
    buyers: u64,
    repeaters: u64,
    orders: u64,
    revenue_minor: i128,
    refunds_minor: i128,
    cost_minor: i128,
    without_cost: u64,
    expected: Mean,
    churn: Mean,
    clv_minor: i128,
    with_clv: u64,
    slopes: Slopes,
}

/// A mean of real numbers, summed in billionths.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    billionths: i128,
    count: u64,
}

impl Mean {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.billionths += (value * BILLION).round() as i128;
            self.count += 1;
        }
    }

    fn merge(&mut self, other: Self) {
        self.billionths += other.billionths;
        self.count += other.count;
    }

    fn get(self) -> Option<f64> {
        (self.count > 0).then(|| self.billionths as f64 / BILLION / self.count as f64)
    }
}

impl Tally {
    fn add(&mut self, folded: &Folded, slopes: Option<&Slopes>) {
        let profile = &folded.profile;
        self.customers += 1;
        self.refunds_minor += i128::from(profile.refunds_minor);
        if profile.orders.is_empty() {
            return;
        }
        self.buyers += 1;
        self.repeaters += u64::from(profile.orders.len() > 1);
        self.orders += profile.orders.len() as u64;
        self.revenue_minor += i128::from(profile.revenue_minor);
        match profile.cost_minor {
            Some(cost) => self.cost_minor += i128::from(cost),
            None => self.without_cost += 1,
        }
        if let Some(scores) = folded.scores() {
            self.expected.add(scores.expected_orders);
            self.churn.add(scores.churn_risk);
            if let Some(clv) = scores.clv_minor.filter(|clv| clv.is_finite()) {
                self.clv_minor += clv.round_ties_even() as i128;
                self.with_clv += 1;
            }
        }
        if let Some(slopes) = slopes {
            self.slopes.add(slopes);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.customers += other.customers;
        self.buyers += other.buyers;
        self.repeaters += other.repeaters;
        self.orders += other.orders;
        self.revenue_minor += other.revenue_minor;
        self.refunds_minor += other.refunds_minor;
        self.cost_minor += other.cost_minor;
        self.without_cost += other.without_cost;
        self.expected.merge(other.expected);
        self.churn.merge(other.churn);
        self.clv_minor += other.clv_minor;
        self.with_clv += other.with_clv;
        self.slopes.add(&other.slopes);
    }

    fn kpis(&self, everyone: &Self, uncertainty: Option<&Uncertainty<'_>>) -> Kpis {
        let ratio = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let of_orders = self.orders > 0;
        let (expected, churn) = (self.expected.get(), self.churn.get());
        let clv = (self.with_clv > 0).then(|| self.clv_minor as f64 / self.with_clv as f64);
        let slopes = &self.slopes;
        let with = |mean: Option<f64>| uncertainty.zip(mean);
        let expected_range =
            with(expected).and_then(|(u, mean)| u.orders(slopes, mean, self.expected.count));
        let churn_range = with(churn).and_then(|(u, mean)| u.churn(slopes, mean, self.churn.count));
        let clv_range = with(clv).and_then(|(u, mean)| u.value(slopes, mean, self.with_clv));
        Kpis {
            customers: self.customers,
            customer_share: ratio(self.customers as f64, everyone.customers as f64),
            orders: self.orders,
            orders_per_customer: ratio(self.orders as f64, self.customers as f64),
            revenue_minor: self.revenue_minor as i64,
            revenue_share: (everyone.revenue_minor > 0)
                .then(|| self.revenue_minor as f64 / everyone.revenue_minor as f64),
            margin_minor: (of_orders && self.without_cost == 0)
                .then(|| (self.revenue_minor - self.cost_minor) as i64),
            refunds_minor: self.refunds_minor as i64,
            average_order_value_minor: of_orders
                .then(|| self.revenue_minor as f64 / self.orders as f64),
            repeat_rate: (self.buyers > 0).then(|| self.repeaters as f64 / self.buyers as f64),
            expected_orders: expected,
            expected_orders_low: expected_range.map(|range| range.low),
            expected_orders_high: expected_range.map(|range| range.high),
            churn_risk: churn,
            churn_risk_low: churn_range.map(|range| range.low),
            churn_risk_high: churn_range.map(|range| range.high),
            clv_minor: clv,
            clv_low_minor: clv_range.map(|range| range.low),
            clv_high_minor: clv_range.map(|range| range.high),
            clv_total_minor: (self.with_clv > 0).then_some(self.clv_minor as i64),
        }
    }
}

/// Everyone and each segment, computed on `threads` threads.
pub fn kpis(base: &Base, threads: usize) -> AllKpis {
    let segments = base.program.segment_count();
    let uncertainty = Uncertainty::of(base, threads);
    let uncertainty = uncertainty.as_ref();
    let tallies = base.evaluate(
        threads,
        || vec![Tally::default(); segments + 1],
        |tallies, _, folded, memberships: &Memberships| {
            let slopes = slopes_of(folded, uncertainty);
            tallies[segments].add(folded, slopes.as_ref());
            for segment in memberships.iter() {
                tallies[segment].add(folded, slopes.as_ref());
            }
        },
    );
    let mut sums = vec![Tally::default(); segments + 1];
    for tally in &tallies {
        for (sum, part) in sums.iter_mut().zip(tally) {
            sum.merge(part);
        }
    }
    let everyone = &sums[segments];
    let availability = base.availability();
    let of_segment = |index: usize| {
        let kpis = sums[index].kpis(everyone, uncertainty);
        of_segment(base, index, &availability[index], kpis)
    };
    AllKpis {
        everyone: everyone.kpis(everyone, uncertainty),
        segments: (0..segments).map(of_segment).collect(),
    }
}

/// One segment beside everyone.
#[derive(Debug, Clone, PartialEq)]
pub struct OneSegment {
    /// Figures of everyone.
    pub everyone: Kpis,
    /// The segment with its figures.
    pub segment: SegmentKpis,
}

/// Everyone and one segment, whose members are at the given positions, computed on `threads`
/// threads.
pub fn kpis_of(base: &Base, segment: usize, members: &[usize], threads: usize) -> OneSegment {
    let uncertainty = Uncertainty::of(base, threads);
    let uncertainty = uncertainty.as_ref();
    let add = |tally: &mut Tally, folded: &Folded| {
        tally.add(folded, slopes_of(folded, uncertainty).as_ref());
    };
    let mut everyone = Tally::default();
    let parts = base.customers.in_runs(threads, |_, customers| {
        let mut part = Tally::default();
        customers.iter().for_each(|folded| add(&mut part, folded));
        part
    });
    parts.iter().for_each(|part| everyone.merge(part));
    let mut inside = Tally::default();
    for &index in members {
        add(&mut inside, &base.customers[index]);
    }
    let kpis = inside.kpis(&everyone, uncertainty);
    OneSegment {
        segment: of_segment(base, segment, &base.availability()[segment], kpis),
        everyone: everyone.kpis(&everyone, uncertainty),
    }
}

fn slopes_of(folded: &Folded, uncertainty: Option<&Uncertainty<'_>>) -> Option<Slopes> {
    let (uncertainty, scores) = uncertainty.zip(folded.scores())?;
    Some(uncertainty.slopes(scores))
}

fn of_segment(base: &Base, index: usize, availability: &Availability, kpis: Kpis) -> SegmentKpis {
    let segment = &base.catalogue.segments()[index];
    SegmentKpis {
        segment: segment.name.to_string(),
        title: segment.title.clone(),
        family: segment.family.clone(),
        origin: segment.origin,
        kpis: match availability {
            Availability::Unknown { .. } => None,
            Availability::Known | Availability::Partial { .. } => Some(kpis),
        },
        hints: [base.of_another_kind(index), base.hints(index, availability)].concat(),
        availability: availability.clone(),
    }
}
