//! docs/webhooks.md says what is so.

use std::collections::BTreeSet;

use regulars_actions::payload::{Story, Who};
use regulars_actions::{CauseKind, ClientSettings, Destination, Form, OutboxSettings};
use regulars_core::{Cause, CustomerId, Direction, SegmentName, Timestamp, Transition};
use serde_json::Value;

const PAGE: &str = include_str!("../../../../docs/webhooks.md");

/// The code between the fence ```` ```{language} ```` after `heading` and the next fence.
fn block(heading: &str, language: &str) -> &'static str {
    let (_, after) = PAGE.split_once(&format!("\n{heading}\n")).unwrap();
    let (_, code) = after.split_once(&format!("```{language}\n")).unwrap();
    code.split_once("```").unwrap().0
}

fn body(form: Form) -> Value {
    let transition = Transition {
        id: "5f0c1e7ab8d94e3f8a6d2b4c9e01f7a3".parse().unwrap(),
        customer: CustomerId(7),
        segment: SegmentName::new("high_value_abandoned_carts").unwrap(),
        version: 1,
        sequence: 1,
        direction: Direction::Entered,
        occurred_at: Timestamp(1_795_622_580_000),
        recorded_at: Timestamp(1_795_622_580_412),
        cause: Cause::Time,
    };
    let story = Story {
        transition: &transition,
        who: Who {
            customer_id: Some("c-17"),
            anonymous_id: None,
        },
        why: "…",
        space: "my_shop",
    };
    serde_json::from_slice(&story.body(form).unwrap()).unwrap()
}

#[test]
fn the_definition_is_one_and_shows_the_defaults() {
    let shown: Destination = toml::from_str(block("## Destinations", "toml")).unwrap();
    assert_eq!(shown.causes, CauseKind::usual());
    assert_eq!(shown.form, Form::default());
    assert!(shown.enabled);
}

#[test]
fn the_bodies_are_those_that_arrive() {
    let (_, shown) = block("## What arrives", "").split_once("\n\n").unwrap();
    let shown: Value = serde_json::from_str(shown).unwrap();
    assert_eq!(shown, body(Form::Standard));
    let shown: Value = serde_json::from_str(block("### Segment's form", "json")).unwrap();
    assert_eq!(shown, body(Form::Segment));
}

fn leaves(prefix: &str, table: &toml::Table, found: &mut BTreeSet<(String, String)>) {
    for (key, value) in table {
        let path = format!("{prefix}{key}");
        match value {
            toml::Value::Table(inner) => leaves(&format!("{path}."), inner, found),
            other => {
                found.insert((path, other.to_string()));
            }
        }
    }
}

#[test]
fn the_settings_are_all_there_with_their_defaults() {
    let mut expected = BTreeSet::new();
    leaves(
        "",
        &toml::Table::try_from(OutboxSettings::default()).unwrap(),
        &mut expected,
    );
    leaves(
        "",
        &toml::Table::try_from(ClientSettings::default()).unwrap(),
        &mut expected,
    );
    let (_, section) = PAGE.split_once("\n## Settings\n").unwrap();
    let section = section.split_once("\n## ").unwrap().0;
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let mut shown = BTreeSet::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let names: Vec<&str> = cells[1]
            .split(", ")
            .map(|name| name.trim_matches('`'))
            .collect();
        let values: Vec<&str> = match names.len() {
            1 => vec![cells[2].trim_matches('`')],
            _ => cells[2].split(", ").collect(),
        };
        assert_eq!(names.len(), values.len(), "{row}");
        shown.extend(
            names
                .iter()
                .zip(values)
                .map(|(n, v)| ((*n).to_owned(), v.to_owned())),
        );
    }
    assert_eq!(shown, expected);
}
