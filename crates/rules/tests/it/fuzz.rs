//! Texts that are nearly rules: they are understood, or refused with the place.

use regulars_rules::{check, parse};
use regulars_testkit::fuzz::Fuzz;

use crate::language::vocabulary;

const RULES: [&str; 8] = [
    "orders >= 3 and churn_level >= 4 or not (revenue > 100.50)",
    "orders where category = 'Shoes' and brand in ('a', 'b') in last 180 days >= 2",
    "first_order within 48 hours or last_order before 2026-01-31T12:00:00Z ago",
    "events 'Product Viewed' where price >= 10 in last 7 days >= 3",
    "did 'Product Added' then not 'Order Completed' within 2 hours",
    "carts where value >= 100 and idle for 2 hours >= 1",
    "not in segment loyal and first_channel is known",
    "sum(amount) of events 'Order Completed' this month > 1e3",
];

const WORDS: [&[u8]; 24] = [
    b"and",
    b"or",
    b"not",
    b"(",
    b")",
    b"'",
    b"\"",
    b">=",
    b"in last",
    b"days",
    b"where",
    b"orders",
    b"events",
    b"carts",
    b"segment",
    b"within",
    b"then",
    b"is unknown",
    b"sum(",
    b"99999999999999999999",
    b"-1",
    b"0.1e309",
    b"\\",
    "é\u{0}".as_bytes(),
];

#[test]
fn no_text_panics_and_what_is_understood_can_be_written_again() {
    let good: Vec<&[u8]> = RULES.iter().map(|rule| rule.as_bytes()).collect();
    let vocabulary = vocabulary(&["loyal"]);
    let mut understood = 0;
    let tried = Fuzz::of(&good).words(&WORDS).run(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        match parse(&text) {
            Ok(rule) => {
                understood += 1;
                let _ = check(&rule, &vocabulary);
                let written = rule.to_string();
                assert_eq!(parse(&written).as_ref(), Ok(&rule), "{written}");
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    });
    assert!(understood > 0, "none of {tried:?}");
}

/// As deep as a text can go.
#[test]
fn nesting_ends_in_an_error_and_not_in_the_stack() {
    for (open, close) in [("(", ")"), ("not ", ""), ("not (", ")")] {
        for depth in [100, 10_000, 200_000] {
            let rule = format!("{}orders > 1{}", open.repeat(depth), close.repeat(depth));
            if let Err(error) = parse(&rule) {
                assert!(!error.to_string().is_empty());
            }
        }
    }
}
