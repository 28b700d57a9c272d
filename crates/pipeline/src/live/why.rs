//! Why a customer moved, in a few words: what set it off, and the conditions that decide.

use std::fmt::Write as _;

use regulars_core::{Cause, Currency, Direction, Transition, format_minor};
use regulars_rules::{ExplainedValue, Part};

use super::engine::Engine;

impl Engine {
    /// Why a transition happened: `time went by: carts where value >= 100 … (1)`. Conditions are
    /// left out where the customer has moved on since.
    pub fn why(&self, transition: &Transition) -> String {
        let mut text = match &transition.cause {
            Cause::Event { name, .. } => format!("after {name}"),
            Cause::Time => "time went by".to_owned(),
            Cause::CatchUp => "time went by while nothing was running".to_owned(),
            Cause::Import => "history was imported".to_owned(),
            Cause::Models => "scores are new".to_owned(),
            Cause::Definition => "the segment is new, was changed or removed".to_owned(),
            Cause::Merge => "two customers turned out to be one".to_owned(),
            Cause::Unmerge => "a customer turned out to be two".to_owned(),
        };
        let entered = transition.direction == Direction::Entered;
        let explained = self.explain(transition.customer, transition.segment.as_str(), self.now());
        let explained = explained.ok().flatten();
        if let Some(explained) = explained.filter(|explained| explained.holds == entered) {
            let mut conditions = Vec::new();
            decisive(
                &explained.because,
                entered,
                self.context.currency,
                &mut conditions,
            );
            if !conditions.is_empty() {
                let _ = write!(text, ": {}", conditions.join("; "));
            }
        }
        text
    }
}

/// The conditions that are as the whole is.
fn decisive(part: &Part, holds: bool, currency: Currency, into: &mut Vec<String>) {
    match part {
        Part::Everyone => {}
        Part::And { parts, .. } | Part::Or { parts, .. } => {
            for part in parts {
                decisive(part, holds, currency, into);
            }
        }
        Part::Not { holds: is, part } if *is == holds => decisive(part, !holds, currency, into),
        Part::Segment {
            segment, holds: is, ..
        } if *is == holds => into.push(if holds {
            format!("in segment {segment}")
        } else {
            format!("not in segment {segment}")
        }),
        Part::Condition {
            text,
            holds: is,
            value,
            ..
        } if *is == holds => {
            let verb = if holds { "" } else { "no longer " };
            into.push(format!(
                "{verb}{text} (it is {})",
                value_text(value, currency)
            ));
        }
        Part::Not { .. } | Part::Segment { .. } | Part::Condition { .. } => {}
    }
}

fn value_text(value: &ExplainedValue, currency: Currency) -> String {
    match value {
        ExplainedValue::Missing => "not known".to_owned(),
        ExplainedValue::Integer(number) => number.to_string(),
        ExplainedValue::AtLeast(number) => format!("at least {number}"),
        ExplainedValue::Number(number) => format!("{number:.2}"),
        ExplainedValue::Share(share) => format!("{:.1} %", share * 100.0),
        ExplainedValue::MoneyMinor(minor) => {
            let amount = format_minor(*minor, currency.exponent());
            format!("{amount} {}", currency.code())
        }
        ExplainedValue::Days(days) => format!("{days} days"),
        ExplainedValue::Text(text) => text.clone(),
        ExplainedValue::Instant(at) => at.to_string(),
        ExplainedValue::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        ExplainedValue::List(texts) => texts.join(", "),
    }
}
