//! Conditions on events and carts in words.

use super::filter::{PropertyWords, filter_words, property_words};
use super::{
    amount_words, any_of, listed, literal_words, test_words, times_words, value_words, within_words,
};
use crate::tree::{
    CartProperty, Carts, EventAggregate, EventCall, EventMeasure, EventTime, Events, LiteralValue,
    PropertyPath, Sequence, Test, Then, WhichOrder,
};

/// What happened: `“Product Viewed” or “Product Clicked” with category “Shoes”`.
fn events_words(events: &Events) -> String {
    let quoted = |name: &String| format!("“{name}”");
    let names = events.names.iter().map(quoted).collect::<Vec<_>>();
    let names = listed(&names, " or ");
    let what = match (events.call, events.names.is_empty()) {
        (EventCall::Event, true) => "anything".to_owned(),
        (EventCall::Event, false) => names,
        (EventCall::Page, true) => "any page".to_owned(),
        (EventCall::Page, false) => format!("page {names}"),
        (EventCall::Screen, true) => "any screen".to_owned(),
        (EventCall::Screen, false) => format!("screen {names}"),
    };
    match &events.filter {
        Some(filter) => format!("{what} with {}", filter_words(filter)),
        None => what,
    }
}

fn verb(events: &Events) -> &'static str {
    match events.call {
        EventCall::Event => "did",
        EventCall::Page | EventCall::Screen => "saw",
    }
}

pub(super) fn aggregate_words(aggregate: &EventAggregate, test: &Test) -> String {
    let (verb, of) = (verb(&aggregate.of), events_words(&aggregate.of));
    let period = within_words(aggregate.period);
    match (&aggregate.measure, test) {
        (EventMeasure::Count, Test::Compare { op, value }) => match times_words(*op, value) {
            Some(times) => format!("{verb} {of} {times}{period}"),
            None => format!("never {verb} {of}{period}"),
        },
        (EventMeasure::Count, Test::NotIn(values)) => {
            let values = any_of(values, &literal_words, " or ");
            format!("{verb} {of} not {values} times{period}")
        }
        (EventMeasure::Count, other) => {
            let times = test_words(other, &literal_words);
            let times = times.trim_start_matches("is ");
            format!("{verb} {of} {times} times{period}")
        }
        (EventMeasure::Sum(path), other) => {
            value_words(&format!("the sum of {} of {of}{period}", path.0), other)
        }
        (EventMeasure::Distinct(path), other) => value_words(
            &format!("the number of different {} of {of}{period}", path.0),
            other,
        ),
    }
}

pub(super) fn time_words(time: &EventTime, test: &Test) -> String {
    let which = match time.which {
        WhichOrder::First => "the first time of",
        WhichOrder::Last => "the last time of",
    };
    value_words(&format!("{which} {}", events_words(&time.of)), test)
}

pub(super) fn sequence_words(sequence: &Sequence) -> String {
    let then = match &sequence.then {
        Then::Event(events) => format!("then {}", events_words(events)),
        Then::NotEvent(events) => format!("then not {}", events_words(events)),
    };
    let within = match sequence.within {
        Some(length) => format!("within {length}"),
        None if sequence.period.is_some() => "since,".to_owned(),
        None => "since".to_owned(),
    };
    format!(
        "{} {}, {then} {within}{}",
        verb(&sequence.first),
        events_words(&sequence.first),
        within_words(sequence.period)
    )
}

pub(super) fn cart_words(carts: &Carts, test: &Test) -> String {
    let filter = match &carts.filter {
        Some(filter) => format!(" with {}", filter_words(filter)),
        None => String::new(),
    };
    match test {
        Test::Compare { op, value } => match times_words(*op, value) {
            None => format!("has no open cart{filter}"),
            Some(once) if once == "at least once" => format!("has an open cart{filter}"),
            Some(_) => format!(
                "has {} {} open {}{filter}",
                amount_words(*op),
                literal_words(value),
                if value.value == LiteralValue::Number(crate::tree::Decimal::whole(1)) {
                    "cart"
                } else {
                    "carts"
                }
            ),
        },
        other => value_words(&format!("the number of open carts{filter}"), other),
    }
}

impl PropertyWords for PropertyPath {
    fn words(&self, test: &Test) -> String {
        match test {
            Test::Holds => self.0.clone(),
            other => property_words(&self.0, other),
        }
    }
}

impl PropertyWords for CartProperty {
    fn words(&self, test: &Test) -> String {
        match (self, test) {
            (Self::Changed, Test::BeforeAgo(length)) => format!("no change for {length}"),
            (Self::Changed, other) => {
                format!("a last change that {}", test_words(other, &literal_words))
            }
            (Self::Value | Self::Items, other) => property_words(self.name(), other),
        }
    }
}
