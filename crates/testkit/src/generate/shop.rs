//! Random small shops: a handful of customers over three years, valid settings, perhaps a fit.
//!
//! Times are made of few gaps, so that thresholds of 30, 60, 90, 365 and 730 days are met to the
//! millisecond, and lie on both sides of the changes of clocks in [`ZONE`](super::ZONE).

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use regulars_core::{
    CivilDate, DAY_MS, EventKind, Grain, HOUR_MS, Settings, TimeUnit, Timestamp, Zone,
};
use regulars_stats::purchase::{BgNbd, MbgNbd, ParetoNbd, PurchaseModel};
use regulars_stats::spend::GammaGamma;

use super::ZONE;
use super::customer::order;
use crate::history::{Customer, RawEvent, RawOrder, RawValue};
use crate::naive::{Models, Shop};

/// 2022-10-20, days before summer time ends.
const FIRST: CivilDate = CivilDate(19_285);

/// Settings that `regulars.toml` may have.
pub fn settings() -> impl Strategy<Value = Settings> {
    let lifecycle = (
        select(vec![30_u32, 60, 90]),
        select(vec![30_u32, 60]),
        1_u32..6,
        1_u32..4,
        select(vec![0.5, 0.9, 0.999]),
        2_u32..4,
        1_u32..4,
    );
    let tiers = select(vec![(0.2, 0.3), (0.7, 0.3), (0.1, 0.2), (0.5, 0.1)]);
    let season = (2_u32..5, select(vec![0.5, 0.7, 1.0]), 1_u32..5);
    let rest = (
        select(vec![[0.35, 0.6, 0.8, 0.95], [0.05, 0.2, 0.3, 0.5]]),
        select(vec![1.0, 0.4]),
        select(vec![90_u32, 365]),
        1_u32..4,
    );
    (lifecycle, tiers, season, rest).prop_map(|(lifecycle, tiers, season, rest)| {
        let mut settings = Settings::default();
        let of = &mut settings.lifecycle;
        of.dormant_days = lifecycle.0;
        of.reactivated_gap_days = lifecycle.1;
        of.at_risk_churn_level = lifecycle.2;
        of.at_risk_orders = lifecycle.3;
        of.usual_range_quantile = lifecycle.4;
        of.potential_loyalist_orders = lifecycle.5;
        of.loyal_orders = lifecycle.5 + lifecycle.6;
        (settings.value.high_share, settings.value.medium_share) = tiers;
        settings.season.min_orders = season.0;
        settings.season.seasonal_share = season.1;
        settings.season.year_round_quarters = season.2;
        settings.churn.levels = rest.0;
        settings.clv.margin = rest.1;
        settings.value.window_days = rest.2;
        settings.price.min_orders = rest.3;
        settings
    })
}

/// Parameters like those that are published for CDNOW.
fn models() -> impl Strategy<Value = Models> {
    let bg = BgNbd {
        r: 0.2426,
        alpha: 4.4136,
        a: 0.7929,
        b: 2.4259,
    };
    let mbg = MbgNbd {
        r: 0.5248,
        alpha: 6.183,
        a: 0.8914,
        b: 1.614,
    };
    let pareto = ParetoNbd {
        r: 0.5533,
        alpha: 10.578,
        s: 0.6062,
        beta: 11.67,
    };
    let spend = GammaGamma {
        p: 6.25,
        q: 3.744,
        gamma: 15.443,
    };
    (
        select(vec![
            PurchaseModel::BgNbd(bg),
            PurchaseModel::MbgNbd(mbg),
            PurchaseModel::ParetoNbd(pareto),
        ]),
        option::of(Just(spend)),
        select(vec![TimeUnit::Day, TimeUnit::Week]),
        select(vec![Grain::Day, Grain::Week]),
    )
        .prop_map(|(purchase, spend, unit, grain)| Models {
            purchase,
            spend,
            unit,
            grain,
        })
}

fn declared() -> impl Strategy<Value = BTreeMap<String, RawValue>> {
    let text = |text: &str| RawValue::Text(text.to_owned());
    let values = vec![
        ("channel", text("flyer")),
        ("channel", RawValue::Number(4.0)),
        ("country", text("AT")),
        ("consent", RawValue::Flag(true)),
        ("consent", text("yes")),
        ("size", RawValue::Number(38.5)),
    ];
    vec(select(values), 0..3).prop_map(|pairs| {
        let named = |(name, value): (&str, RawValue)| (name.to_owned(), value);
        pairs.into_iter().map(named).collect()
    })
}

/// Events of up to a few sessions, in the order in which they arrive: not by time.
fn visits() -> impl Strategy<Value = Vec<RawEvent>> {
    let minute = HOUR_MS / 60;
    let gap = select(vec![
        0,
        1,
        10 * minute,
        30 * minute - 1,
        30 * minute,
        2 * HOUR_MS,
        9 * DAY_MS,
    ]);
    let kind = select(vec![
        EventKind::Track,
        EventKind::Page,
        EventKind::Screen,
        EventKind::Identify,
    ]);
    let said = |names: &'static [&'static str]| {
        let value = select(vec!["a", "b"]).prop_map(|text| RawValue::Text(text.to_owned()));
        let name = select(names).prop_map(|name| format!("context.{name}"));
        option::weighted(0.4, (name, value))
    };
    let properties = (
        said(&["device", "os", "browser", "app_version"]),
        said(&["locale", "country", "timezone"]),
        said(&["source", "medium", "campaign", "referrer"]),
        said(&["page"]),
    );
    let first = select(vec![0_i64, 40, 700]);
    (first, vec((gap, kind, properties), 0..9), any::<u64>()).prop_map(|(first, events, turn)| {
        let mut at = Timestamp((i64::from(FIRST.0) + first) * DAY_MS);
        let made = events.into_iter().map(|(gap, kind, said)| {
            at = at.plus_ms(gap);
            let (technology, place, arrival, page) = said;
            RawEvent {
                kind,
                name: String::new(),
                at,
                received_at: at,
                properties: [technology, place, arrival, page]
                    .into_iter()
                    .flatten()
                    .collect(),
            }
        });
        let mut made: Vec<RawEvent> = made.collect();
        if !made.is_empty() {
            let turn = turn as usize % made.len();
            made.rotate_left(turn);
        }
        made
    })
}

/// A customer whose orders are some days and hours apart.
fn customer() -> impl Strategy<Value = Customer> {
    let first = select(vec![0_i64, 0, 3, 9, 40, 300, 700, 730]);
    let gaps = vec![0_i64, 1, 7, 29, 30, 31, 59, 60, 61, 90, 120, 182, 365];
    let in_day = select(vec![0, 1, 12 * HOUR_MS, 45 * HOUR_MS / 2, DAY_MS - 1]);
    let money = (select(vec![0_i64, 0, 250]), any::<bool>());
    let later = (select(gaps), in_day, order(), money);
    let stated = (declared(), select(vec!["", "", "acme", "other"]));
    (first, vec(later, 0..9), any::<bool>(), stated, visits()).prop_map(
        |(first, later, knows_costs, (declared, belongs_to), events)| {
            let mut day = i64::from(FIRST.0) + first;
            let mut orders: Vec<RawOrder> = Vec::new();
            for (gap, in_day, order, (refunded_minor, has_cost)) in later {
                day += if orders.is_empty() { 0 } else { gap };
                orders.push(RawOrder {
                    at: Timestamp(day * DAY_MS + in_day),
                    refunded_minor,
                    cost_minor: (knows_costs || has_cost).then_some(300),
                    ..order
                });
            }
            orders.sort_by_key(|order| (order.at, order.key));
            Customer {
                orders,
                events,
                declared,
                belongs_to: belongs_to.to_owned(),
                ..Customer::default()
            }
        },
    )
}

/// A shop of one to six customers, compared with each other at or after the last order.
pub fn shop() -> impl Strategy<Value = Shop> {
    let silence = select(vec![0_i64, 1, 29, 30, 59, 60, 90, 200, 400]);
    let in_day = select(vec![0, 1, 12 * HOUR_MS]);
    (
        vec(customer(), 1..7),
        settings(),
        option::weighted(0.7, models()),
        select(vec!["UTC", ZONE]),
        silence,
        in_day,
    )
        .prop_map(|(everyone, settings, models, zone, silence, in_day)| {
            let times = everyone
                .iter()
                .flat_map(|of| &of.orders)
                .map(|order| order.at);
            let visited = everyone.iter().flat_map(|of| &of.events);
            let last = times
                .chain(visited.map(|event| event.at))
                .max()
                .unwrap_or(Timestamp(i64::from(FIRST.0) * DAY_MS));
            Shop {
                zone: Zone::named(zone).expect("a zone of the database"),
                minor_per_major: 100.0,
                settings,
                everyone,
                compared_at: last.plus_ms(silence * DAY_MS + in_day),
                models,
            }
        })
}
