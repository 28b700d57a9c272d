//! The pages of traits and segments say what the tables of the product say.

use std::collections::BTreeSet;

use regulars_core::{Currency, Trait, TraitKind};
use regulars_pipeline::{Catalogue, Config, MAX_CHANNELS, Origin};

const TRAITS: &str = include_str!("../../../../docs/traits.md");
const SEGMENTS: &str = include_str!("../../../../docs/segments.md");

/// Texts between pairs of backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn cells(row: &str) -> Vec<&str> {
    row.trim()
        .trim_matches('|')
        .split('|')
        .map(str::trim)
        .collect()
}

fn config() -> Config {
    Config::new("shop", Currency::new("EUR").unwrap(), "UTC")
}

fn unit(kind: TraitKind) -> &'static str {
    match kind {
        TraitKind::Count => "count",
        TraitKind::Number("days") => "days, with a fraction",
        TraitKind::Number(unit) => unit,
        TraitKind::Money => "money",
        TraitKind::Share => "share",
        TraitKind::Days => "days",
        TraitKind::Text | TraitKind::Choice(_) => "text",
        TraitKind::Instant => "instant",
        TraitKind::Flag => "flag",
    }
}

#[test]
fn every_trait_is_on_the_page_with_its_unit_and_needs() {
    let (_, tables) = TRAITS.split_once("## Standard traits").unwrap();
    let (tables, _) = tables.split_once("## Needs").unwrap();
    let mut found = BTreeSet::new();
    for row in tables.lines().filter(|line| line.starts_with("| `")) {
        let [names, of_unit, needs, meaning] = cells(row)[..] else {
            panic!("{row}");
        };
        for name in quoted(names) {
            let def = Trait::named(name)
                .unwrap_or_else(|| panic!("no trait `{name}`"))
                .def();
            assert_eq!(of_unit, unit(def.kind), "{name}");
            assert_eq!(needs.is_empty(), def.needs.is_empty(), "{name}");
            for need in def.needs {
                let need = serde_json::to_value(need).unwrap();
                let need = need.as_str().unwrap().replace('_', " ");
                assert!(needs.contains(&need), "{name} needs {need}");
            }
            if let TraitKind::Choice(choices) = def.kind {
                let told: BTreeSet<&str> = quoted(meaning).collect();
                let all = choices.iter().all(|choice| told.contains(choice));
                assert!(all, "{name}: {choices:?}");
            }
            assert!(found.insert(def.name), "{name} is told twice");
        }
    }
    for def in Trait::all() {
        assert!(found.contains(def.name), "{} is not on the page", def.name);
    }
}

#[test]
fn every_ready_made_segment_is_on_the_page_and_no_other() {
    let catalogue = Catalogue::load(&config(), None).unwrap();
    let mut found = BTreeSet::new();
    let mut is_of_segments = false;
    for line in SEGMENTS.lines() {
        if !line.starts_with('|') {
            is_of_segments = false;
        } else if cells(line).contains(&"segment") {
            is_of_segments = true;
        } else if is_of_segments && let Some(name) = quoted(line).next() {
            let segment = catalogue.find(name);
            assert!(segment.is_some(), "there is no segment `{name}`");
            found.insert(name);
        }
    }
    for segment in catalogue.segments() {
        assert_eq!(segment.origin, Origin::ReadyMade);
        let name = segment.name.as_str();
        assert!(found.contains(name), "{name} is not on the page");
    }
    let channels = format!("the {MAX_CHANNELS} channels with the most customers");
    assert!(SEGMENTS.contains(&channels), "{channels}");
}

#[test]
fn the_defaults_on_the_page_are_those_of_the_settings() {
    let config = config();
    let mut checked = 0;
    // `key` = value: the value follows the closing backtick.
    let parts: Vec<&str> = SEGMENTS.split('`').collect();
    for pair in parts.windows(2) {
        let [key, rest] = pair else { continue };
        let Some(value) = rest.strip_prefix(" = ").filter(|_| key.contains('.')) else {
            continue;
        };
        let value = match value.strip_prefix('"') {
            Some(text) => text.split('"').next().unwrap_or_default(),
            None => {
                let is_other = |c: char| !(c.is_ascii_digit() || c == '.');
                value.split(is_other).next().unwrap_or_default()
            }
        };
        if let Some(default) = config.threshold(key) {
            assert_eq!(value.trim_end_matches('.'), default, "{key}");
            checked += 1;
        } else {
            assert_eq!(*key, "churn.levels", "no such setting");
        }
    }
    assert!(checked >= 15, "{checked} defaults were found");
}
