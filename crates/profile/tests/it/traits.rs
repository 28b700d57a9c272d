//! Every trait is what its definition says, and moves as it says.

use proptest::prelude::*;
use regulars_core::{CivilDate, DAY_MS, Motion, Timestamp, Trait, TraitValue};
use regulars_profile::Customer;
use regulars_rules::Subject;
use regulars_testkit::generate;
use regulars_testkit::history::{self, RawValue};
use regulars_testkit::naive::{self, Shop};
use regulars_testkit::text::state_as_text;

use crate::world::World;

/// Instants at or after the shop's comparison at which something about the customer may change,
/// with their neighbours, and midnights.
pub(crate) fn instants(
    shop: &Shop,
    of: &history::Customer,
    more: Option<Timestamp>,
) -> Vec<Timestamp> {
    let from = shop.compared_at;
    let settings = &shop.settings;
    let lengths = [
        30,
        90,
        365,
        730,
        settings.lifecycle.dormant_days,
        settings.value.window_days,
    ];
    let edges = of.orders.iter().flat_map(|order| {
        lengths
            .iter()
            .map(|&days| order.at.plus_ms(i64::from(days) * DAY_MS))
    });
    let mut instants: Vec<Timestamp> = edges
        .chain(more)
        .flat_map(|edge| [edge.plus_ms(-1), edge, edge.plus_ms(1)])
        .collect();
    let today = shop.zone.date_of(from).0;
    let days = (0..20)
        .chain((20..300).step_by(13))
        .chain((300..1100).step_by(61));
    for day in days {
        let midnight = shop.zone.start_of(CivilDate(today + day));
        instants.extend([midnight.plus_ms(-1), midnight]);
    }
    instants.push(from);
    instants.retain(|&at| at >= from);
    instants.sort_unstable();
    instants.dedup();
    instants
}

fn raw(value: TraitValue<'_>) -> RawValue {
    match value {
        TraitValue::Missing => RawValue::Missing,
        TraitValue::Integer(number) => RawValue::Integer(number),
        TraitValue::Number(number) => RawValue::Number(number),
        TraitValue::Money(minor) => RawValue::Money(minor),
        TraitValue::Text(text) => RawValue::Text(text.to_owned()),
        TraitValue::Instant(at) => RawValue::Instant(at),
        TraitValue::Flag(flag) => RawValue::Flag(flag),
        TraitValue::List(list) => {
            RawValue::List(list.elements().collect::<Vec<_>>().join("\u{1f}"))
        }
    }
}

/// Real numbers are equal up to rounding: sums may be taken in another order.
fn is_same(a: &RawValue, b: &RawValue) -> bool {
    match (a, b) {
        (RawValue::Number(a), RawValue::Number(b)) => (a - b).abs() <= 1e-7 * a.abs().max(1.0),
        (a, b) => a == b,
    }
}

/// Picks a few of many, the first always among them.
fn some(instants: &[Timestamp], pick: usize) -> Vec<Timestamp> {
    let step = 1 + pick % 9;
    instants.iter().copied().step_by(step).take(12).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    #[test]
    fn every_trait_is_what_its_definition_says(shop in generate::shop(), pick in any::<usize>()) {
        let world = World::of(&shop);
        for (raw_customer, profile) in shop.everyone.iter().zip(&world.profiles) {
            let customer = Customer::new(profile, &world.context);
            let beyond = customer.beyond_usual_range_at(shop.compared_at);
            for now in some(&instants(&shop, raw_customer, beyond), pick) {
                let scores = customer.scores(now);
                let scored = Customer { scored: scores.as_ref().map(|scores| (now, scores)), ..customer };
                for def in Trait::all() {
                    let wanted = naive::value(def.id, raw_customer, &shop, now);
                    for got in [customer.value(def.id, now), scored.value(def.id, now)] {
                        prop_assert!(
                            is_same(&raw(got), &wanted),
                            "{} at {now}: {got:?} instead of {wanted:?}\n{}",
                            def.name,
                            state_as_text(raw_customer)
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn every_trait_moves_as_it_says(shop in generate::shop(), pick in any::<usize>()) {
        let world = World::of(&shop);
        for (raw_customer, profile) in shop.everyone.iter().zip(&world.profiles).take(2) {
            let customer = Customer::new(profile, &world.context);
            let beyond = customer.beyond_usual_range_at(shop.compared_at);
            let instants = instants(&shop, raw_customer, beyond);
            let now = instants[pick % instants.len()];
            for def in Trait::all() {
                let value = |at| customer.value(def.id, at);
                let first = value(now);
                let later = || instants.iter().copied().filter(|&at| at > now);
                let morning = |at| shop.zone.start_of(shop.zone.date_of(at)).max(now);
                let wrong = match customer.motion(def.id) {
                    Motion::Still => later().find(|&at| value(at) != first),
                    Motion::Steps => {
                        let step = customer.next_step_after(def.id, now);
                        prop_assert!(step.is_none_or(|step| step > now), "{}", def.name);
                        let until = step.unwrap_or(Timestamp::MAX);
                        later().take_while(|&at| at < until).find(|&at| value(at) != first)
                    }
                    Motion::DaysSince(since) => later().find(|&at| {
                        value(at) != TraitValue::Integer((at.0 - since.0) / DAY_MS)
                    }),
                    Motion::Rises => first_fall(later(), |at| number(value(at))),
                    Motion::Falls => first_fall(later(), |at| -number(value(at))),
                    Motion::RisesDaily => first_fall(later(), |at| number(value(at)))
                        .or_else(|| later().find(|&at| value(at) != value(morning(at)))),
                    Motion::FallsDaily => first_fall(later(), |at| -number(value(at)))
                        .or_else(|| later().find(|&at| value(at) != value(morning(at)))),
                };
                prop_assert_eq!(wrong, None, "{} from {}\n{}", def.name, now, state_as_text(raw_customer));
            }
        }
    }
}

fn number(value: TraitValue<'_>) -> f64 {
    match value {
        TraitValue::Integer(number) | TraitValue::Money(number) => number as f64,
        TraitValue::Number(number) => number,
        _ => 0.0,
    }
}

/// The first instant at which a value is less than before, rounding aside.
fn first_fall(
    instants: impl Iterator<Item = Timestamp>,
    value: impl Fn(Timestamp) -> f64,
) -> Option<Timestamp> {
    let mut most = f64::MIN;
    for at in instants {
        let this = value(at);
        if this < most - 1e-9 {
            return Some(at);
        }
        most = most.max(this);
    }
    None
}
