//! When a rule about a real customer next changes, against a search through many instants.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::subsequence;
use regulars_core::{Currency, DAY_MS, SegmentName, Timestamp, Trait};
use regulars_profile::Customer;
use regulars_rules::{Keep, NamedRule, Program, Rule, Vocabulary, check, parse};
use regulars_testkit::generate;
use regulars_testkit::history::{self, Course};
use regulars_testkit::naive::{self, Shop};
use regulars_testkit::reference;
use regulars_testkit::text::state_as_text;

use crate::traits::instants;
use crate::world::World;

pub(crate) const RULES: [&str; 22] = [
    "lifecycle = 'dormant'",
    "lifecycle = 'at_risk'",
    "lifecycle in ('new', 'loyal', 'reactivated')",
    "beyond_usual_range",
    "value_tier = 'high'",
    "value_tier is set and value_tier != 'low'",
    "seasonal",
    "not year_round",
    "season_share >= 60%",
    "churn_level >= 3",
    "churn_level between 2 and 3 or lifecycle = 'dormant'",
    "churn_risk >= 0.5",
    "probability_alive < 0.9",
    "expected_orders < 0.8",
    "clv < 20",
    "days_since_last_order >= 60",
    "days_since_first_order between 90 and 365",
    "orders_last_30_days >= 1 or revenue_last_90_days > 5",
    "orders this month >= 1 and last_order this week",
    "revenue in last 2 calendar quarters > 5 or orders this year = 0",
    "last_order before 60 days ago and first_order within last 800 days",
    "average_order_value >= 5 and orders in last 365 days = 2",
];

/// Rules by their texts, checked for a shop; each names a segment `s0`, `s1`, ….
pub(crate) fn checked(texts: &[&str], shop: &Shop) -> (Vocabulary, Vec<NamedRule>) {
    let vocabulary = Vocabulary {
        currency: Currency::new("EUR").unwrap(),
        zone: shop.zone.clone(),
        segments: Vec::new(),
        standard_event: |_| None,
        order_event: None,
    };
    let rules = texts.iter().zip(0..).map(|(text, n)| NamedRule {
        name: SegmentName::new(&format!("s{n}")).unwrap(),
        rule: check(&parse(text).unwrap(), &vocabulary).unwrap(),
    });
    let rules = rules.collect();
    (vocabulary, rules)
}

/// The truth of a rule by definition: every trait is recomputed for this very instant.
pub(crate) fn truth(
    rule: &Rule,
    traits: &[Trait],
    of: &history::Customer,
    shop: &Shop,
    now: Timestamp,
) -> bool {
    let value = |which: Trait| (which, Course::Still(naive::value(which, of, shop, now)));
    let traits: BTreeMap<Trait, Course> = traits.iter().map(|&which| value(which)).collect();
    let world = reference::World {
        zone: shop.zone.clone(),
        minor_per_major: 100,
        segments: BTreeMap::new(),
    };
    let customer = history::Customer {
        traits,
        ..of.clone()
    };
    reference::holds(rule, &customer, &world, now)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn the_next_flip_is_the_first_change(
        shop in generate::shop(),
        texts in subsequence(RULES.to_vec(), 6),
        pick in any::<usize>(),
    ) {
        let world = World::of(&shop);
        let (vocabulary, rules) = checked(&texts, &shop);
        let mut symbols = world.context.symbols.clone();
        let program = Program::compile(&rules, &vocabulary, &symbols, Keep::Needed).unwrap();
        let index = pick % shop.everyone.len();
        let (of, profile) = (&shop.everyone[index], &world.profiles[index]);
        let customer = Customer::new(profile, &world.context);
        let mut states = program.new_states();
        for order in &of.orders {
            order.with_order(&mut symbols, |order| program.fold(&mut states, order));
        }
        let beyond = customer.beyond_usual_range_at(shop.compared_at);
        let instants = instants(&shop, of, beyond);
        let now = instants[pick % 50 % instants.len()];
        let (mut scratch, mut members) = (program.new_scratch(), program.no_memberships());
        program.evaluate(&states, &customer, now, &mut scratch, &mut members);
        for (segment, text) in texts.iter().enumerate() {
            let rule = rules[segment].rule.rule();
            let traits: Vec<Trait> = rules[segment].rule.reads().traits.into_iter().collect();
            let truth = |at| truth(rule, &traits, of, &shop, at);
            let report = |what: &str| format!("{text} at {now}: {what}\n{}", state_as_text(of));
            prop_assert_eq!(members.contains(segment), truth(now), "{}", report("truth"));
            let flip = program.next_flip(segment, &states, &customer, now, &mut scratch);
            // Flips that must be searched for are looked for within ten years.
            let until = flip.unwrap_or(now.plus_ms(3_650 * DAY_MS));
            let changed = instants
                .iter()
                .copied()
                .filter(|&at| at > now && at < until)
                .find(|&at| truth(at) != truth(now));
            prop_assert_eq!(changed, None, "{}", report(&format!("flip said to be at {flip:?}")));
            if let Some(flip) = flip {
                prop_assert!(flip > now, "{}", report("a flip in the past"));
                prop_assert_eq!(truth(flip.plus_ms(-1)), truth(now), "{}", report("before the flip"));
                prop_assert_ne!(truth(flip), truth(now), "{}", report("at the flip"));
            }
        }
    }
}
