//! A customer's state as text: one line for each fact, in a fixed order.

use std::fmt::Write as _;

use crate::history::{Course, Customer, RawValue};

/// The customer as text.
pub fn state_as_text(customer: &Customer) -> String {
    let mut out = String::new();
    for order in &customer.orders {
        let discount = order
            .discount_minor
            .map_or("?".to_owned(), |minor| minor.to_string());
        let _ = writeln!(
            out,
            "order {} at {} discount {discount} channel {:?} country {:?}",
            order.key, order.at, order.channel, order.country
        );
        for line in &order.lines {
            let _ = writeln!(
                out,
                "  {:?} {:?} {:?} × {} = {}",
                line.product, line.category, line.brand, line.quantity, line.net_minor
            );
        }
    }
    for event in &customer.events {
        let (kind, name, at, received_at) = (event.kind, &event.name, event.at, event.received_at);
        let _ = write!(out, "{kind:?} {name:?} at {at}, arrived {received_at}");
        for (path, value) in &event.properties {
            let _ = write!(out, ", {path} {}", value_as_text(value));
        }
        out.push('\n');
    }
    for cart in &customer.carts {
        let (changed, until, items) = (cart.changed_at, cart.open_until, cart.items);
        let value = cart.value_minor;
        let _ = writeln!(
            out,
            "cart of {items} for {value:?} changed {changed}, open until {until}"
        );
    }
    for (which, course) in &customer.traits {
        let _ = writeln!(out, "{} {}", which.def().name, course_as_text(course));
    }
    for (name, value) in &customer.declared {
        let _ = writeln!(out, "traits.{name} {}", value_as_text(value));
    }
    for (name, value) in &customer.account {
        let _ = writeln!(out, "account.{name} {}", value_as_text(value));
    }
    out
}

fn course_as_text(course: &Course) -> String {
    let staircase = |first: &RawValue, steps: &[(regulars_core::Timestamp, RawValue)]| {
        steps
            .iter()
            .fold(value_as_text(first), |text, (from, value)| {
                format!("{text}, from {from} {}", value_as_text(value))
            })
    };
    match course {
        Course::Still(value) => value_as_text(value),
        Course::DaysSince(since) => format!("days since {since}"),
        Course::Slope {
            start,
            at_start,
            per_day,
        } => {
            format!("{at_start} at {start}, {per_day:+} a day")
        }
        Course::Steps(first, steps) => format!("steps {}", staircase(first, steps)),
        Course::Rises(first, steps) => format!("rises {}", staircase(first, steps)),
        Course::Falls(first, steps) => format!("falls {}", staircase(first, steps)),
    }
}

fn value_as_text(value: &RawValue) -> String {
    match value {
        RawValue::Missing => "missing".to_owned(),
        RawValue::Integer(value) => value.to_string(),
        RawValue::Number(value) => value.to_string(),
        RawValue::Money(minor) => format!("{minor} minor"),
        RawValue::Text(text) => format!("{text:?}"),
        RawValue::Instant(at) => at.to_string(),
        RawValue::Flag(flag) => flag.to_string(),
        RawValue::List(joined) => format!("{:?}", joined.split('\u{1f}').collect::<Vec<_>>()),
    }
}
