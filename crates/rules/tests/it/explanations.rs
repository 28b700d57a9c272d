//! Why a customer is in a segment, as data.

use regulars_core::Symbols;
use regulars_rules::{ExplainedValue, Keep, Part, Program};

use crate::language::{customer, day, named, vocabulary};

fn program(rules: &[(&str, &str)], keep: Keep) -> (Program, Symbols) {
    let mut symbols = Symbols::default();
    customer()
        .orders
        .iter()
        .for_each(|order| order.with_order(&mut symbols, |_| ()));
    let rules = named(rules).unwrap();
    (
        Program::compile(&rules, &vocabulary(&[]), &symbols, keep).unwrap(),
        symbols,
    )
}

#[test]
fn each_condition_shows_value_threshold_and_next_change() {
    let (program, mut symbols) = program(
        &[
            (
                "it",
                "orders in last 90 days >= 1 and (revenue > 99.90 or discount_share >= 40%) \
                 and not in segment gone and (in segment gone or clv is not set) \
                 and items where category = 'Hats' between 1 and 5",
            ),
            (
                "gone",
                "last_order before 60 days ago or lifecycle in ('dormant', 'at_risk')",
            ),
        ],
        Keep::Values,
    );
    let customer = customer();
    let mut states = program.new_states();
    for order in &customer.orders {
        order.with_order(&mut symbols, |order| program.fold(&mut states, order));
    }
    let explanation = program.explain(0, &states, &customer, day("2026-03-10"));
    assert!(explanation.holds);
    let json = serde_json::to_string_pretty(&explanation).unwrap();
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(json) });
}

#[test]
fn a_count_says_when_no_more_was_kept() {
    let value = |keep| {
        let (program, mut symbols) = program(&[("it", "orders in last 90 days >= 1")], keep);
        let customer = customer();
        let mut states = program.new_states();
        for order in &customer.orders {
            order.with_order(&mut symbols, |order| program.fold(&mut states, order));
        }
        match program
            .explain(0, &states, &customer, day("2026-03-10"))
            .because
        {
            Part::Condition { value, .. } => value,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(value(Keep::Needed), ExplainedValue::AtLeast(1));
    assert_eq!(value(Keep::Values), ExplainedValue::Integer(2));
}

#[test]
fn a_segment_named_often_is_explained_once() {
    let texts: Vec<(String, String)> = (0..40)
        .map(|n| {
            (
                format!("s{n}"),
                format!("in segment s{0} and in segment s{0}", n + 1),
            )
        })
        .chain([("s40".to_owned(), "consent".to_owned())])
        .collect();
    let rules: Vec<(&str, &str)> = texts
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let (program, _) = program(&rules, Keep::Values);
    let states = program.new_states();
    let explanation = program.explain(0, &states, &customer(), day("2026-03-10"));
    assert!(serde_json::to_string(&explanation).unwrap().len() < 20_000);
}
