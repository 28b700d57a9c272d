//! The server's answers, for people and for scripts.

use std::fmt::Write as _;

use anyhow::Context;
use regulars_core::{Currency, Zone};
use regulars_pipeline::CustomerView;
use serde_json::{Value, json};

use crate::cli::Cli;
use crate::commands::customers::{clocks, event_name, joined, stated_text, trait_text, view_text};
use crate::commands::transitions::last_change_text;
use crate::failure::Done;
use crate::output::{Output, Target};
use crate::session::Session;
use crate::text::{
    Align, Amounts, count, faint, heading, moment, number, pairs, percent, plain, table, tick,
    warning,
};

pub(in crate::commands) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(in crate::commands) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The fields of an object.
pub(in crate::commands) fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

pub(in crate::commands) fn whole(value: &Value) -> String {
    count(value.as_u64().unwrap_or_default())
}

pub(super) fn segments(cli: &Cli, document: &Value) -> anyhow::Result<Done> {
    Output::of(document, "/segments", || {
        let rows: Vec<Vec<String>> = items(&document["segments"])
            .map(|segment| {
                vec![
                    text(&segment["segment"]).to_owned(),
                    whole(&segment["customers"]),
                    faint(text(&segment["in_words"])),
                ]
            })
            .collect();
        let columns = [
            ("segment", Align::Left),
            ("customers", Align::Right),
            ("who", Align::Left),
        ];
        table(&columns, &rows)
    })
    .print(cli.format)?;
    Ok(Done::Whole)
}

pub(super) fn segment(cli: &Cli, segment: &Value) -> anyhow::Result<Done> {
    Output::of(segment, "", || {
        let mut shown = heading(text(&segment["title"]));
        let _ = writeln!(shown, "  {}", plain(text(&segment["meaning"])));
        shown.push_str(&heading("Definition"));
        let size = format!(
            "{} of {}",
            whole(&segment["customers"]),
            whole(&segment["everyone"])
        );
        shown.push_str(&pairs(&[
            ("rule", text(&segment["rule"]).to_owned()),
            ("in words", text(&segment["in_words"]).to_owned()),
            ("customers", size),
        ]));
        if items(&segment["play"]).next().is_some() {
            shown.push_str(&heading("What to do"));
            for step in items(&segment["play"]) {
                let _ = writeln!(shown, "  • {}", plain(text(step)));
            }
        }
        shown
    })
    .print(cli.format)?;
    Ok(Done::Whole)
}

pub(super) fn preview(cli: &Cli, preview: &Value) -> anyhow::Result<Done> {
    Output::of(preview, "", || {
        let size = format!(
            "{} of {}",
            whole(&preview["customers"]),
            whole(&preview["everyone"])
        );
        let mut shown = pairs(&[
            ("rule", text(&preview["rule"]).to_owned()),
            ("in words", text(&preview["in_words"]).to_owned()),
            ("customers", size),
        ]);
        for hint in items(&preview["hints"]) {
            shown.push_str(&warning(text(hint)));
        }
        shown
    })
    .print(cli.format)?;
    Ok(Done::Whole)
}

pub(super) fn members(
    target: Target<'_>,
    segment: &str,
    members: Vec<Value>,
) -> anyhow::Result<Done> {
    let document = json!({ "segment": segment, "members": members });
    let output = Output::of(&document, "/members", || {
        let rows: Vec<Vec<String>> = items(&document["members"])
            .map(|member| vec![text(&member["customer_id"]).to_owned()])
            .collect();
        table(&[("customer_id", Align::Left)], &rows)
    })
    .with_columns(["customer_id"]);
    match target {
        Target::Stdout(format) => output.print(format)?,
        Target::Text(path, format) => output.print_to(path, format)?,
        Target::Parquet(_) => unreachable!("the data is lent for it"),
    }
    Ok(Done::Whole)
}

pub(super) fn customer(cli: &Cli, session: &Session, view: &Value) -> anyhow::Result<Done> {
    let (zone, amounts) = terms(session, view);
    Output::of(view, "", || customer_text(view, amounts, &zone)).print(cli.format)?;
    Ok(Done::Whole)
}

/// A customer at a past moment: the document of a look without a server.
pub(super) fn customer_then(
    cli: &Cli,
    session: &Session,
    document: &Value,
) -> anyhow::Result<Done> {
    let (zone, amounts) = terms(session, document);
    let view: CustomerView = serde_json::from_value(document.clone())
        .context("the server's answer is not understood: is it of another version?")?;
    Output::of(document, "", || view_text(&view, amounts, &zone)).print(cli.format)?;
    Ok(Done::Whole)
}

/// In which zone and currency an answer is shown: amounts are in that of the server's data.
pub(in crate::commands) fn terms(session: &Session, answer: &Value) -> (Zone, Amounts) {
    let config = session.workspace.config();
    let told = answer["currency"].as_str();
    let currency = told.and_then(|code| Currency::new(code).ok());
    let amounts = Amounts(currency.unwrap_or(config.workspace.currency));
    (config.zone(), amounts)
}

fn customer_text(view: &Value, amounts: Amounts, zone: &Zone) -> String {
    let mut shown = heading(&format!(
        "{} · {} · now",
        text(&view["customer_id"]),
        text(&view["lifecycle"])
    ));
    shown.push_str(&clocks(zone));
    let at = |value: &Value| value.as_str().map_or(String::new(), |at| moment(at, zone));
    let left = |name| (name, Align::Left);
    shown.push_str(&heading("Segments"));
    let segments = items(&view["segments"]).map(|of| {
        let because = text(&of["because"]).to_owned();
        vec![
            text(&of["segment"]).to_owned(),
            at(&of["since"]),
            at(&of["leaves_at"]),
            because,
        ]
    });
    let columns = ["segment", "since", "leaves, if nothing happens", "because"].map(left);
    shown.push_str(&table(&columns, &segments.collect::<Vec<_>>()));
    shown.push_str(&heading("Traits"));
    let traits = items(&view["traits"]).filter(|of| !of["value"].is_null());
    let traits = traits.map(|of| {
        vec![
            text(&of["name"]).to_owned(),
            trait_text(&of["value"], text(&of["unit"]), amounts, zone),
            faint(text(&of["meaning"])),
        ]
    });
    let columns = [left("trait"), ("value", Align::Right), left("meaning")];
    shown.push_str(&table(&columns, &traits.collect::<Vec<_>>()));
    for (title, traits) in [
        ("Declared", &view["declared"]),
        ("Account", &view["account"]),
    ] {
        shown.push_str(&stated_text(title, fields(traits), zone));
    }
    shown.push_str(&heading("Orders"));
    let orders = items(&view["orders"]).map(|order| {
        let products = items(&order["lines"]).map(|line| text(&line["product_id"]));
        let products: Vec<&str> = products.filter(|id| !id.is_empty()).collect();
        vec![
            at(&order["occurred_at"]),
            text(&order["order_id"]).to_owned(),
            amounts.bare(order["net_minor"].as_f64()),
            text(&order["status"]).to_owned(),
            products.join(", "),
        ]
    });
    let net = format!("net {}", amounts.0.code());
    let columns = [
        left("placed"),
        left("order"),
        (net.as_str(), Align::Right),
        left("status"),
        left("products"),
    ];
    shown.push_str(&table(&columns, &orders.collect::<Vec<_>>()));
    shown
}

pub(super) fn explanation(cli: &Cli, session: &Session, document: &Value) -> anyhow::Result<Done> {
    let (zone, amounts) = terms(session, document);
    Output::of(document, "/explanation", || {
        let explanation = &document["explanation"];
        let customer = text(&document["customer_id"]);
        let segment = text(&explanation["segment"]);
        // Of a past moment alone it may be unknown.
        let is_unknown = document["availability"]["status"] == "unknown";
        let mut shown = heading(&match (is_unknown, holds(explanation)) {
            (true, _) => format!("it is unknown whether {customer} is in {segment}"),
            (false, true) => format!("{customer} is in {segment}"),
            (false, false) => format!("{customer} is not in {segment}"),
        });
        for hint in items(&document["hints"]) {
            shown.push_str(&warning(text(hint)));
        }
        write_explanation(&mut shown, explanation, 1, amounts, &zone);
        if let Some(since) = document["since"].as_str() {
            let _ = writeln!(
                shown,
                "  {}",
                faint(&format!("since {}", moment(since, &zone)))
            );
        }
        if let Some(change) = last_change_text(&document["last_change"], &zone) {
            let _ = writeln!(shown, "  {}", faint(&change));
        }
        shown
    })
    .print(cli.format)?;
    Ok(Done::Whole)
}

fn holds(part: &Value) -> bool {
    part["holds"].as_bool().unwrap_or(true)
}

fn write_explanation(
    shown: &mut String,
    explanation: &Value,
    depth: usize,
    amounts: Amounts,
    zone: &Zone,
) {
    write_part(shown, &explanation["because"], depth, amounts, zone);
    let at = explanation["next_change_at"]
        .as_str()
        .map(|at| moment(at, zone));
    let change = match (at, holds(explanation)) {
        (Some(at), true) => format!("leaves on {at} if nothing happens"),
        (Some(at), false) => format!("enters on {at} if nothing happens"),
        (None, true) => "stays if nothing happens".to_owned(),
        (None, false) => "stays outside if nothing happens".to_owned(),
    };
    let _ = writeln!(shown, "{}{}", "  ".repeat(depth), faint(&change));
}

fn write_part(shown: &mut String, part: &Value, depth: usize, amounts: Amounts, zone: &Zone) {
    let indent = "  ".repeat(depth);
    let mark = tick(holds(part));
    let words = match text(&part["kind"]) {
        "everyone" => "everyone".to_owned(),
        "and" => "all of".to_owned(),
        "or" => "any of".to_owned(),
        "not" => "not".to_owned(),
        "segment" => format!("in segment {}", text(&part["segment"])),
        _ => {
            let at = part["next_change_at"].as_str();
            let change = at.map_or(String::new(), |at| {
                faint(&format!("  changes on {}", moment(at, zone)))
            });
            let event = &part["latest_event"];
            let latest = event["occurred_at"].as_str().map(|at| {
                let name = event_name(text(&event["name"]), text(&event["kind"]));
                faint(&format!(
                    "  last by {} on {}",
                    plain(name),
                    moment(at, zone)
                ))
            });
            let latest = latest.unwrap_or_default();
            let value = value_text(&part["value"], amounts, zone);
            let condition = plain(text(&part["text"]));
            format!("{condition}   it is {value}{latest}{change}")
        }
    };
    let _ = writeln!(shown, "{indent}{mark} {words}");
    for part in items(&part["parts"]).chain(part.get("part")) {
        write_part(shown, part, depth + 1, amounts, zone);
    }
    if part["explanation"].is_object() {
        write_explanation(shown, &part["explanation"], depth + 1, amounts, zone);
    }
}

/// A value with its type, such as `{"money_minor": 12050}` or `"missing"`.
fn value_text(value: &Value, amounts: Amounts, zone: &Zone) -> String {
    let Some((kind, value)) = value.as_object().and_then(|typed| typed.iter().next()) else {
        return "not known".to_owned();
    };
    match kind.as_str() {
        "at_least" => format!("at least {value}"),
        "number" => number(value.as_f64(), 2),
        "share" => percent(value.as_f64()),
        "money_minor" => amounts.full(value.as_i64().unwrap_or_default()),
        "days" if value == 1 => "1 day".to_owned(),
        "days" => format!("{value} days"),
        "text" => plain(text(value)).into_owned(),
        "instant" => moment(text(value), zone),
        "list" => value
            .as_array()
            .map_or_else(String::new, |texts| joined(texts)),
        "flag" => if value == true { "yes" } else { "no" }.to_owned(),
        _ => value.to_string(),
    }
}
