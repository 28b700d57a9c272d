//! Text, tree and JSON are three forms of the same rule.

use proptest::prelude::*;
use regulars_core::SegmentName;
use regulars_rules::{Rule, parse};
use regulars_testkit::generate;

fn segments() -> Vec<SegmentName> {
    vec![
        SegmentName::new("loyal").unwrap(),
        SegmentName::new("at_risk").unwrap(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_to_tree_to_text_to_tree(rule in generate::rule(segments())) {
        let from_json = Rule::from_json(&rule.to_json()).unwrap();
        prop_assert_eq!(&from_json, &rule);
        let text = from_json.to_string();
        let from_text = parse(&text).map_err(|error| TestCaseError::fail(error.render(&text)))?;
        prop_assert_eq!(&from_text, &rule);
        prop_assert_eq!(from_text.to_string(), text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a-z0-9'\"(),.%<>=!{}# \n-]{0,60}") {
        match parse(&text) {
            Ok(rule) => prop_assert_eq!(parse(&rule.to_string()).unwrap(), rule),
            Err(error) => prop_assert!(!error.render(&text).is_empty()),
        }
    }

    #[test]
    fn rules_with_a_part_cut_out_are_read_or_refused(
        rule in generate::rule(segments()),
        cut: (prop::sample::Index, prop::sample::Index),
    ) {
        let chars: Vec<char> = rule.to_string().chars().collect();
        let (a, b) = (cut.0.index(chars.len() + 1), cut.1.index(chars.len() + 1));
        let kept = chars[..a.min(b)].iter().chain(&chars[a.max(b)..]);
        let text: String = kept.collect();
        match parse(&text) {
            Ok(rule) => prop_assert_eq!(parse(&rule.to_string()).unwrap(), rule),
            Err(error) => prop_assert!(!error.render(&text).is_empty()),
        }
    }
}
