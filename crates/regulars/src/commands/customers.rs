//! `customers show` and `explain`.

use std::collections::BTreeMap;
use std::fmt::Write;

use regulars_core::{OrderStatus, RecordKind, Trait, Zone};
use regulars_pipeline::{
    CustomerView, OrderView, ScoresView, explain as explain_customer, find, unit_name, view,
};
use regulars_rules::{Availability, ExplainedValue, Explanation, Keep, Part};
use serde_json::Value;

use crate::cli::{Cli, CustomersArgs, CustomersCommand, ExplainArgs, LookArgs};
use crate::commands::transitions::last_change_text;
use crate::commands::{identity, recorded};
use crate::failure::Done;
use crate::output::Output;
use crate::session::Session;
use crate::text::{
    Align, Amounts, days, faint, heading, instant, moment, number, pairs, percent, plain, table,
    tick, unknown, warning,
};

pub(crate) fn run(cli: &Cli, args: &CustomersArgs) -> anyhow::Result<Done> {
    match &args.command {
        CustomersCommand::Show { customer, look } => show(cli, customer, look),
        CustomersCommand::Memberships(args) => recorded::memberships(cli, args),
        CustomersCommand::Identity { customer } => identity::show(cli, customer),
        CustomersCommand::Unmerge { name, kind } => identity::unmerge(cli, name, kind.as_deref()),
    }
}

fn show(cli: &Cli, customer: &str, args: &LookArgs) -> anyhow::Result<Done> {
    let session = Session::open(cli)?;
    let look = session.look(args)?;
    let index = find(&look.store, &look.base, customer)?;
    let view = view(&look.store, &look.base, index)?;
    let zone = session.workspace.config().zone();
    let amounts = Amounts(look.base.context.currency);
    Output::of(&view, "", || view_text(&view, amounts, &zone)).print(cli.format)?;
    Ok(Done::Whole)
}

pub(super) fn view_text(view: &CustomerView, amounts: Amounts, zone: &Zone) -> String {
    let mut text = heading(&format!(
        "{} · {} · as of {}",
        view.customer_id,
        view.lifecycle,
        moment(&view.as_of, zone)
    ));
    if let Some(scores) = &view.scores {
        text.push_str(&scores_text(scores, amounts, zone));
    }
    text.push_str(&heading("Segments"));
    let rows: Vec<Vec<String>> = view
        .segments
        .iter()
        .map(|segment| {
            let leaves = segment
                .leaves_at
                .as_ref()
                .map_or(String::new(), |at| moment(at, zone));
            vec![segment.segment.clone(), leaves, segment.because.clone()]
        })
        .collect();
    text.push_str(&table_or_none(
        &[
            ("segment", Align::Left),
            ("leaves, if nothing happens", Align::Left),
            ("because", Align::Left),
        ],
        &rows,
    ));
    if rows.iter().any(|row| !row[1].is_empty()) {
        let note = "limits that follow everyone (value tiers, RFM, medians) are taken to stay";
        let _ = writeln!(text, "{}", faint(note));
    }
    text.push_str(&traits_text(view, amounts, zone));
    text.push_str(&stated_text("From the customers file", &view.declared));
    text.push_str(&stated_text("Account", &view.account));
    text.push_str(&orders_text(view, amounts, zone));
    text
}

fn table_or_none(header: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        "  none\n".to_owned()
    } else {
        table(header, rows)
    }
}

fn scores_text(scores: &ScoresView, amounts: Amounts, zone: &Zone) -> String {
    let interval = scores
        .expected_orders_interval
        .map_or(String::new(), |interval| {
            format!(
                "  (with a chance of {:.0} % from {} to {})",
                interval.probability * 100.0,
                interval.low,
                interval.high
            )
        });
    let level = scores
        .churn_level
        .map_or_else(unknown, |level| level.to_string());
    let next = scores.next_level_at.as_ref().map_or(String::new(), |at| {
        format!(", next level on {}", moment(at, zone))
    });
    let clv_interval = scores
        .clv_interval_minor
        .map_or(String::new(), |(low, high)| match high {
            0 => format!(
                "  (with a chance of {:.0} % or more nothing)",
                scores.interval_share * 100.0
            ),
            _ => format!(
                "  (with a chance of {:.0} % from {} to {})",
                scores.interval_share * 100.0,
                amounts.bare(Some(low as f64)),
                amounts.bare(Some(high as f64))
            ),
        });
    let used = |model, known| if known { model } else { "none" };
    pairs(&[
        (
            "churn risk",
            format!(
                "{} of no order within {}, level {level} of 5{next}",
                percent(scores.churn_risk),
                days(scores.churn_horizon_days)
            ),
        ),
        (
            "expected orders",
            format!(
                "{} within {}{interval}",
                number(scores.expected_orders, 2),
                days(scores.churn_horizon_days)
            ),
        ),
        (
            "CLV",
            format!(
                "{} within {}{clv_interval}",
                scores
                    .clv_minor
                    .map_or_else(unknown, |minor| amounts.full(minor)),
                days(scores.clv_horizon_days)
            ),
        ),
        (
            "models",
            format!(
                "orders by {}, churn by {}, CLV by {}{}",
                used(&scores.model, scores.expected_orders.is_some()),
                used(&scores.churn_model, scores.churn_risk.is_some()),
                used(&scores.clv_model, scores.clv_minor.is_some()),
                scores
                    .fitted_as_of
                    .as_ref()
                    .map_or(String::new(), |at| format!(
                        "; fitted as of {}",
                        moment(at, zone)
                    ))
            ),
        ),
    ])
}

fn traits_text(view: &CustomerView, amounts: Amounts, zone: &Zone) -> String {
    let mut text = String::new();
    text.push_str(&heading("Traits"));
    let rows: Vec<Vec<String>> = view
        .traits
        .iter()
        .filter(|of| !of.value.is_null())
        .map(|of| {
            vec![
                of.name.to_string(),
                trait_text(&of.value, &of.unit, amounts, zone),
                faint(&of.meaning),
            ]
        })
        .collect();
    text.push_str(&table(
        &[
            ("trait", Align::Left),
            ("value", Align::Right),
            ("meaning", Align::Left),
        ],
        &rows,
    ));
    text
}

/// What was declared of a customer or said of an account; nothing without any.
fn stated_text(title: &str, traits: &BTreeMap<String, Value>) -> String {
    if traits.is_empty() {
        return String::new();
    }
    let value = |value: &Value| match value {
        Value::String(text) => text.trim_end_matches("T00:00:00Z").to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => whole_or_not(number),
        Value::Array(texts) => joined(texts),
        other => other.to_string(),
    };
    let lines: Vec<(&str, String)> = traits
        .iter()
        .map(|(name, v)| (name.as_str(), value(v)))
        .collect();
    heading(title) + &pairs(&lines)
}

/// A list of texts: `running, cooking`.
pub(super) fn joined(texts: &[Value]) -> String {
    let texts: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
    texts.join(", ")
}

/// A number without decimals that say nothing: `120`, `38.5`.
pub(super) fn whole_or_not(number: &serde_json::Number) -> String {
    let text = number.to_string();
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

pub(super) fn trait_text(value: &Value, unit: &str, amounts: Amounts, zone: &Zone) -> String {
    match (value, unit) {
        (Value::Number(n), "minor units") => amounts.full(n.as_i64().unwrap_or(0)),
        (Value::Number(n), "share") => percent(n.as_f64()),
        (Value::Number(n), "count") => n.to_string(),
        (Value::Number(n), unit) if n.is_f64() => format!("{} {unit}", number(n.as_f64(), 1)),
        (Value::Number(n), "days") if n.as_i64() == Some(1) => "1 day".to_owned(),
        (Value::Number(n), unit) => format!("{n} {unit}"),
        (Value::String(text), "instant") => moment(text, zone),
        (Value::String(text), _) => text.clone(),
        (Value::Bool(true), _) => "yes".to_owned(),
        (Value::Bool(false), _) => "no".to_owned(),
        (other, _) => other.to_string(),
    }
}

/// What a row of orders is, when it is no order that counts.
fn standing(order: &OrderView, amounts: Amounts) -> String {
    let what = match (order.kind, order.status, order.counts) {
        (RecordKind::Credit, ..) => "credit",
        (RecordKind::Refund, ..) => "refund",
        (RecordKind::Sale, OrderStatus::Cancelled, false) => "cancelled",
        (RecordKind::Sale, OrderStatus::Unpaid, _) => "unpaid",
        (RecordKind::Sale, _, false) => "refunded in full",
        (RecordKind::Sale, _, true) => "",
    };
    match order.unapplied_minor {
        0 => what.to_owned(),
        minor if minor >= order.net_minor => format!("{what}, taken off no order"),
        minor => {
            let minor = amounts.bare(Some(minor as f64));
            format!("{what}, {minor} of it taken off no order")
        }
    }
}

fn orders_text(view: &CustomerView, amounts: Amounts, zone: &Zone) -> String {
    const SHOWN: usize = 20;
    let mut text = heading("Orders");
    let code = amounts.0.code();
    let rows: Vec<Vec<String>> = view
        .orders
        .iter()
        .take(SHOWN)
        .map(|order| {
            let net_minor = match order.kind {
                RecordKind::Sale => order.net_minor,
                RecordKind::Credit | RecordKind::Refund => -order.net_minor,
            };
            let products: Vec<String> = order
                .lines
                .iter()
                .filter(|line| !line.product_id.is_empty())
                .map(|line| {
                    let name = line.name.as_deref().unwrap_or(&line.product_id);
                    if line.quantity == 1.0 {
                        name.to_owned()
                    } else {
                        format!("{} × {name}", line.quantity)
                    }
                })
                .collect();
            let refunded = if order.refunded_minor == 0 {
                String::new()
            } else {
                amounts.bare(Some(order.refunded_minor as f64))
            };
            vec![
                moment(&order.occurred_at, zone),
                order.order_id.clone(),
                amounts.bare(Some(net_minor as f64)),
                refunded,
                standing(order, amounts),
                products.join(", "),
            ]
        })
        .collect();
    text.push_str(&table_or_none(
        &[
            ("placed", Align::Left),
            ("order", Align::Left),
            (&format!("net {code}"), Align::Right),
            (&format!("refunded {code}"), Align::Right),
            ("", Align::Left),
            ("products", Align::Left),
        ],
        &rows,
    ));
    if view.unmatched_credit_minor > 0 {
        let minor = amounts.full(view.unmatched_credit_minor);
        text.push_str(&warning(&format!(
            "{minor} of credits and refunds find no order with that much left to give back"
        )));
    }
    if view.orders.len() > SHOWN {
        let _ = writeln!(
            text,
            "{}",
            faint(&format!(
                "and {} earlier ones (--format json has all)",
                view.orders.len() - SHOWN
            ))
        );
    }
    text
}

pub(crate) fn explain(cli: &Cli, args: &ExplainArgs) -> anyhow::Result<Done> {
    let session = Session::open(cli)?;
    let catalogue = session.catalogue()?.with_cell(&args.segment)?;
    let look = session.look_with(&args.look, &catalogue, |mut options| {
        options.keep = Keep::Values;
        options
    })?;
    let index = find(&look.store, &look.base, &args.customer)?;
    let explained = explain_customer(&look.store, &look.base, index, &args.segment)?;
    let zone = session.workspace.config().zone();
    let amounts = Amounts(look.base.context.currency);
    Output::of(&explained, "/explanation", || {
        let mut text = String::new();
        let explanation = &explained.explanation;
        let (customer, segment) = (&args.customer, &explanation.segment);
        let is_unknown = matches!(explained.availability, Availability::Unknown { .. });
        text.push_str(&heading(&match (is_unknown, explanation.holds) {
            (true, _) => format!("it is unknown whether {customer} is in {segment}"),
            (false, true) => format!("{customer} is in {segment}"),
            (false, false) => format!("{customer} is not in {segment}"),
        }));
        for hint in &explained.hints {
            text.push_str(&warning(hint));
        }
        explanation_text(&mut text, explanation, 1, amounts, &zone);
        let change = serde_json::to_value(&explained.last_change).unwrap_or_default();
        if let Some(change) = last_change_text(&change, &zone) {
            let _ = writeln!(text, "  {}", faint(&change));
        }
        text
    })
    .print(cli.format)?;
    Ok(Done::Whole)
}

fn explanation_text(
    text: &mut String,
    explanation: &Explanation,
    depth: usize,
    amounts: Amounts,
    zone: &Zone,
) {
    part_text(text, &explanation.because, depth, amounts, zone);
    let change = match (explanation.next_change_at, explanation.holds) {
        (Some(at), true) => format!("leaves on {} if nothing happens", instant(at, zone)),
        (Some(at), false) => format!("enters on {} if nothing happens", instant(at, zone)),
        (None, true) => "stays if nothing happens".to_owned(),
        (None, false) => "stays outside if nothing happens".to_owned(),
    };
    let _ = writeln!(text, "{}{}", "  ".repeat(depth), faint(&change));
}

fn part_text(text: &mut String, part: &Part, depth: usize, amounts: Amounts, zone: &Zone) {
    let indent = "  ".repeat(depth);
    match part {
        Part::Everyone => {
            let _ = writeln!(text, "{indent}{} everyone", tick(true));
        }
        Part::And { holds, parts } | Part::Or { holds, parts } => {
            let word = if matches!(part, Part::And { .. }) {
                "all of"
            } else {
                "any of"
            };
            let _ = writeln!(text, "{indent}{} {word}", tick(*holds));
            for part in parts {
                part_text(text, part, depth + 1, amounts, zone);
            }
        }
        Part::Not { holds, part } => {
            let _ = writeln!(text, "{indent}{} not", tick(*holds));
            part_text(text, part, depth + 1, amounts, zone);
        }
        Part::Segment {
            holds,
            segment,
            explanation,
        } => {
            let _ = writeln!(text, "{indent}{} in segment {segment}", tick(*holds));
            // A segment that is referred to twice is explained at its first place.
            if let Some(explanation) = explanation {
                explanation_text(text, explanation, depth + 1, amounts, zone);
            }
        }
        Part::Condition {
            text: rule,
            holds,
            value,
            next_change_at,
            latest_event,
            ..
        } => {
            let latest = latest_event.as_ref().map_or(String::new(), |event| {
                let at = instant(event.occurred_at, zone);
                faint(&format!(
                    "  last by {} on {at}",
                    plain(event_name(&event.name, event.kind))
                ))
            });
            let change = next_change_at.map_or(String::new(), |at| {
                faint(&format!("  changes on {}", instant(at, zone)))
            });
            let mut value = value_text(value, amounts, zone);
            if measured_in_days(rule) && value.parse::<f64>().is_ok() {
                value.push_str(if value == "1" { " day" } else { " days" });
            }
            let _ = writeln!(
                text,
                "{indent}{} {}   it is {}{latest}{change}",
                tick(*holds),
                plain(rule),
                plain(&value)
            );
        }
    }
}

/// What an event is called: one without a name by its tracking call.
pub(crate) fn event_name<'t>(name: &'t str, kind: &'t str) -> &'t str {
    if name.is_empty() { kind } else { name }
}

/// Whether a condition is on a trait that is a number of days.
fn measured_in_days(rule: &str) -> bool {
    let name = rule.split_whitespace().next().unwrap_or_default();
    let traits = Trait::all().iter();
    let mut named = traits.filter(|def| def.name == name);
    named.any(|def| unit_name(def.kind) == "days")
}

fn value_text(value: &ExplainedValue, amounts: Amounts, zone: &Zone) -> String {
    match value {
        ExplainedValue::Missing => "not known".to_owned(),
        ExplainedValue::Integer(n) => n.to_string(),
        ExplainedValue::AtLeast(n) => format!("at least {n}"),
        ExplainedValue::Number(n) => number(Some(*n), 2),
        ExplainedValue::Share(share) => percent(Some(*share)),
        ExplainedValue::MoneyMinor(minor) => amounts.full(*minor),
        ExplainedValue::Days(1) => "1 day".to_owned(),
        ExplainedValue::Days(days) => format!("{days} days"),
        ExplainedValue::Text(text) => text.clone(),
        ExplainedValue::Instant(at) => instant(*at, zone),
        ExplainedValue::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        ExplainedValue::List(texts) => texts.join(", "),
    }
}
