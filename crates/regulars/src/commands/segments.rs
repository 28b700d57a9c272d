//! `segments`: list, show, preview, members.

use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

use regulars_core::SegmentName;
use regulars_pipeline::{
    Base, Kpis, MAX_CHANNELS, MEMBER_TRAITS, Segment, SegmentEdit, SegmentKpis, by_external_id,
    columns_of, kpis, kpis_of, row, write_parquet,
};
use regulars_rules::Availability;
use serde_json::{Value, json};

use crate::cli::{Cli, LookArgs, SegmentsArgs, SegmentsCommand};
use crate::commands::recorded;
use crate::commands::report::segments_table;
use crate::failure::{Done, Usage};
use crate::output::{Output, Target};
use crate::session::{Look, Session};
use crate::text::{
    Align, Amounts, agreeing, count, counted, faint, heading, number, pairs, percent, plain, table,
    unknown, warning,
};

pub(crate) fn run(cli: &Cli, args: &SegmentsArgs) -> anyhow::Result<Done> {
    let session = Session::open(cli)?;
    match &args.command {
        None => list(cli, &session, &args.look),
        Some(SegmentsCommand::Show { name, look }) => show(cli, &session, name, look),
        Some(SegmentsCommand::Preview { rule, look }) => preview(cli, &session, rule, look),
        Some(SegmentsCommand::Members {
            name,
            look,
            limit,
            output,
        }) => members(cli, &session, name, look, *limit, output.as_deref()),
        Some(SegmentsCommand::History(args)) => recorded::history(cli, args),
        Some(SegmentsCommand::Set(args)) => {
            let name = segment_name(&args.name)?;
            SegmentEdit::define(&session.workspace, &name, args.draft())?.write()?;
            session.tell(&format!(
                "wrote segments/{name}.toml\nnext: regulars segments show {name}"
            ));
            Ok(Done::Whole)
        }
        Some(SegmentsCommand::Remove { name }) => {
            SegmentEdit::remove(&session.workspace, &segment_name(name)?)?.write()?;
            session.tell(&format!("removed `{name}`"));
            Ok(Done::Whole)
        }
    }
}

fn segment_name(name: &str) -> Result<SegmentName, Usage> {
    SegmentName::new(name).map_err(|error| Usage(error.to_string()))
}

/// `now` of the fit behind the scores; null without one.
fn fitted_as_of(base: &Base) -> Value {
    let fitted = base.fitted.as_ref();
    json!(fitted.map(|fitted| fitted.as_of.to_string()))
}

fn amounts(base: &Base) -> Amounts {
    Amounts(base.context.currency)
}

fn list(cli: &Cli, session: &Session, args: &LookArgs) -> anyhow::Result<Done> {
    let look = session.look(args)?;
    let all = kpis(&look.base, session.threads);
    let document = json!({
        "as_of": look.base.now.to_string(),
        "fitted_as_of": fitted_as_of(&look.base),
        "currency": look.base.context.currency,
        "everyone": all.everyone,
        "segments": all.segments,
        "channels_left_out": look.base.catalogue.channels_left_out(),
    });
    Output::of(&document, "/segments", || {
        let segments: Vec<&SegmentKpis> = all.segments.iter().collect();
        segments_table(&segments, amounts(&look.base))
    })
    .print(cli.format)?;
    let left_out = look.base.catalogue.channels_left_out();
    if left_out > 0 {
        session.tell(&faint(&format!(
            "{}: the {MAX_CHANNELS} with the most customers do",
            agreeing(
                left_out as u64,
                "more first channel{|s} {has|have} no segment"
            )
        )));
    }
    Ok(Done::Whole)
}

/// The look with the segment of that name, cells included.
fn look_at(session: &Session, name: &str, args: &LookArgs) -> anyhow::Result<(Look, usize)> {
    let catalogue = session.catalogue()?.with_cell(name)?;
    let look = session.look_with(args, &catalogue, |options| options)?;
    look.base.catalogue.get(name)?;
    let segments = look.base.catalogue.segments();
    let index = segments
        .iter()
        .position(|segment| segment.name.as_str() == name);
    Ok((look, index.expect("it was found by name")))
}

fn show(cli: &Cli, session: &Session, name: &str, args: &LookArgs) -> anyhow::Result<Done> {
    let (look, index) = look_at(session, name, args)?;
    let all = kpis(&look.base, session.threads);
    let segment = &look.base.catalogue.segments()[index];
    let figures = &all.segments[index];
    let document = document(&look.base, segment, figures, &all.everyone);
    Output::of(&document, "", || {
        let mut text = heading(&segment.title);
        let _ = writeln!(text, "  {}", plain(&segment.meaning));
        text.push_str(&definition(segment));
        text.push_str(&against_everyone(
            figures,
            &all.everyone,
            amounts(&look.base),
        ));
        if !segment.play.is_empty() {
            text.push_str(&heading("What to do"));
            for step in &segment.play {
                let _ = writeln!(text, "  • {}", plain(step));
            }
        }
        text
    })
    .print(cli.format)?;
    Ok(Done::Whole)
}

fn document(base: &Base, segment: &Segment, figures: &SegmentKpis, everyone: &Kpis) -> Value {
    json!({
        "as_of": base.now.to_string(),
        "fitted_as_of": fitted_as_of(base),
        "currency": base.context.currency,
        "segment": segment.name,
        "title": segment.title,
        "family": segment.family,
        "origin": segment.origin,
        "meaning": segment.meaning,
        "rule": segment.rule_text(),
        "rule_tree": segment.rule.rule(),
        "in_words": segment.in_words(),
        "play": segment.play,
        "availability": figures.availability,
        "hints": figures.hints,
        "kpis": figures.kpis,
        "everyone": everyone,
    })
}

fn definition(segment: &Segment) -> String {
    pairs(&[
        ("rule", segment.rule_text()),
        ("in words", segment.in_words()),
    ])
}

fn preview(cli: &Cli, session: &Session, rule: &str, args: &LookArgs) -> anyhow::Result<Done> {
    let catalogue = session.catalogue()?;
    let name = SegmentName::new("preview").expect("a fixed name");
    let catalogue = catalogue.clone().with_rule(&name, catalogue.rule(rule)?);
    let look = session.look_with(args, &catalogue, |options| options)?;
    let segments = look.base.catalogue.segments();
    let index = segments
        .iter()
        .position(|s| s.name == name)
        .expect("it was added");
    let began = Instant::now();
    let members = look.base.members(index, session.threads);
    let evaluated_ms = began.elapsed().as_secs_f64() * 1e3;
    let one = kpis_of(&look.base, index, &members, session.threads);
    let segment = &segments[index];
    // Of an unknown segment nobody is known to be in it.
    let shown = one.segment.kpis.as_ref().map_or(Vec::new(), |_| members);
    let named = by_external_id(&look.store, &look.base, shown)?;
    let sample: Vec<&str> = named.iter().take(10).map(|(id, _)| id.as_str()).collect();
    let mut document = document(&look.base, segment, &one.segment, &one.everyone);
    document["sample"] = json!(sample);
    Output::of(&document, "", || {
        let mut text = definition(segment);
        text.push_str(&against_everyone(
            &one.segment,
            &one.everyone,
            amounts(&look.base),
        ));
        if !sample.is_empty() {
            let _ = writeln!(text, "\n  such as {}", plain(&sample.join(", ")));
        }
        text
    })
    .print(cli.format)?;
    session.tell(&faint(&format!(
        "evaluated for {} in {evaluated_ms:.0} ms",
        counted(look.base.customers.len() as u64, "customer")
    )));
    Ok(Done::Whole)
}

type Ends = Option<(f64, f64)>;

/// One of the figures.
type Figure = fn(&Kpis) -> Option<f64>;

/// How a figure is written.
type Show<'s> = &'s dyn Fn(Option<f64>) -> String;

/// The intervals of a figure, of a segment and of everyone.
fn interval_row(
    (own, everyone): (Ends, Ends),
    show: &dyn Fn(Option<f64>) -> String,
) -> Vec<String> {
    let ends = |of: Ends| {
        of.map_or_else(unknown, |(low, high)| {
            format!("{} to {}", show(Some(low)), show(Some(high)))
        })
    };
    vec![
        "  90 % interval".to_owned(),
        ends(own),
        ends(everyone),
        String::new(),
    ]
}

/// Sums of a segment beside everyone's, each with its share.
fn totals(kpis: &Kpis, everyone: &Kpis, amounts: Amounts) -> Vec<Vec<String>> {
    let code = amounts.0.code();
    let sum = |name: &str, of: fn(&Kpis) -> Option<i64>| {
        let (own, everyone) = (of(kpis), of(everyone));
        let share = own.zip(everyone).filter(|(_, everyone)| *everyone != 0);
        vec![
            name.to_owned(),
            own.map_or_else(unknown, |minor| amounts.whole(minor)),
            everyone.map_or_else(unknown, |minor| amounts.whole(minor)),
            percent(share.map(|(own, everyone)| own as f64 / everyone as f64)),
        ]
    };
    vec![
        vec![
            "customers".to_owned(),
            count(kpis.customers),
            count(everyone.customers),
            percent(Some(kpis.customer_share)),
        ],
        vec![
            format!("net revenue {code}"),
            amounts.whole(kpis.revenue_minor),
            amounts.whole(everyone.revenue_minor),
            percent(kpis.revenue_share),
        ],
        sum(&format!("margin {code}"), |k| k.margin_minor),
        sum(&format!("refunds {code}"), |k| Some(k.refunds_minor)),
    ]
}

/// A segment's figures beside everyone's.
fn against_everyone(figures: &SegmentKpis, everyone: &Kpis, amounts: Amounts) -> String {
    let mut text = String::new();
    let Some(kpis) = &figures.kpis else {
        text.push_str(&warning("its size is unknown"));
        for hint in &figures.hints {
            let _ = writeln!(text, "  {}", plain(hint));
        }
        return text;
    };
    let index = |own: Option<f64>, everyone: Option<f64>| match (own, everyone) {
        (Some(own), Some(everyone)) if everyone != 0.0 => format!("{:.0}", 100.0 * own / everyone),
        _ => unknown(),
    };
    let line = |name: &str, of: Figure, show: Show<'_>| {
        let (own, everyone) = (of(kpis), of(everyone));
        vec![
            name.to_owned(),
            show(own),
            show(everyone),
            index(own, everyone),
        ]
    };
    let between = |of: fn(&Kpis) -> Ends, show: Show<'_>| {
        let (own, everyone) = (of(kpis), of(everyone));
        let any = own.or(everyone);
        any.map(|_| interval_row((own, everyone), show))
    };
    let money = |minor: Option<f64>| amounts.bare(minor);
    let decimals = |value: Option<f64>| number(value, 2);
    let code = amounts.0.code();
    let mut rows = totals(kpis, everyone, amounts);
    rows.extend([
        line(
            "orders per customer",
            |k| Some(k.orders_per_customer),
            &decimals,
        ),
        line(
            &format!("average order value {code}"),
            |k| k.average_order_value_minor,
            &money,
        ),
        line("repeat rate", |k| k.repeat_rate, &percent),
    ]);
    let mut predicted = |name: &str, of: Figure, ends: fn(&Kpis) -> Ends, show: Show<'_>| {
        if of(everyone).is_some() {
            rows.push(line(name, of, show));
            rows.extend(between(ends, show));
        }
    };
    let ends = |k: &Kpis| k.expected_orders_low.zip(k.expected_orders_high);
    predicted("expected orders", |k| k.expected_orders, ends, &decimals);
    let ends = |k: &Kpis| k.churn_risk_low.zip(k.churn_risk_high);
    predicted("churn risk", |k| k.churn_risk, ends, &percent);
    let ends = |k: &Kpis| k.clv_low_minor.zip(k.clv_high_minor);
    predicted(&format!("CLV {code}"), |k| k.clv_minor, ends, &money);
    let header = [
        ("", Align::Left),
        ("segment", Align::Right),
        ("everyone", Align::Right),
        ("index or share", Align::Right),
    ];
    text.push('\n');
    text.push_str(&table(&header, &rows));
    text.push_str(&hints_of_known(figures));
    text
}

/// What to know of a segment whose size is known, or may change once there is more data.
fn hints_of_known(figures: &SegmentKpis) -> String {
    let is_known = matches!(figures.availability, Availability::Known);
    let shown = figures.hints.iter().map(|hint| match is_known {
        true => warning(hint),
        false => warning(&format!("this may change once there is more data: {hint}")),
    });
    shown.collect()
}

fn members(
    cli: &Cli,
    session: &Session,
    name: &str,
    args: &LookArgs,
    limit: Option<usize>,
    output: Option<&Path>,
) -> anyhow::Result<Done> {
    let target = Target::of(output, cli.format)?;
    let (look, index) = look_at(session, name, args)?;
    let availability = look.base.availability().swap_remove(index);
    let hints = look.base.hints(index, &availability);
    let is_unknown = matches!(availability, Availability::Unknown { .. });
    let mut named = Vec::new();
    if !is_unknown {
        let members = look.base.members(index, session.threads);
        named = by_external_id(&look.store, &look.base, members)?;
    }
    let all = named.len();
    named.truncate(limit.unwrap_or(usize::MAX));
    let output = || {
        let rows: Vec<Value> = named
            .iter()
            .map(|(id, index)| Value::Object(row(&look.base, id, *index, &MEMBER_TRAITS)))
            .collect();
        let document = json!({
            "as_of": look.base.now.to_string(),
            "fitted_as_of": fitted_as_of(&look.base),
            "currency": look.base.context.currency,
            "segment": name,
            "availability": availability,
            "hints": hints,
            "customers": (!is_unknown).then_some(all),
            "members": rows,
        });
        let amounts = amounts(&look.base);
        Output::of(&document, "/members", move || members_text(&rows, amounts))
            .with_columns(columns_of(&MEMBER_TRAITS))
    };
    match target {
        Target::Stdout(format) => output().print(format)?,
        Target::Text(path, format) => output().print_to(path, format)?,
        Target::Parquet(path) => {
            write_parquet(&look.base, &named, &MEMBER_TRAITS, path)?;
        }
    }
    if is_unknown {
        session.tell(&warning(&format!(
            "it is unknown who is in `{name}`: {}",
            hints.join("; ")
        )));
        return Ok(Done::Whole);
    }
    let shown = if named.len() < all {
        format!("{} of ", count(named.len() as u64))
    } else {
        String::new()
    };
    session.tell(&format!(
        "{shown}{} in `{name}`",
        counted(all as u64, "customer")
    ));
    Ok(Done::Whole)
}

fn members_text(rows: &[Value], amounts: Amounts) -> String {
    let names = columns_of(&MEMBER_TRAITS);
    let header: Vec<(&str, Align)> = names
        .iter()
        .map(|name| match name.as_str() {
            "customer_id" | "lifecycle" | "first_order" | "last_order" => {
                (name.as_str(), Align::Left)
            }
            name => (name.trim_end_matches("_minor"), Align::Right),
        })
        .collect();
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            names
                .iter()
                .map(|name| member_cell(name, &row[name], amounts))
                .collect()
        })
        .collect();
    table(&header, &cells)
}

fn member_cell(name: &str, value: &Value, amounts: Amounts) -> String {
    match value {
        Value::Null => unknown(),
        Value::Number(n) if name.ends_with("_minor") => amounts.bare(n.as_f64()),
        Value::Number(n) if n.is_f64() => number(n.as_f64(), 3),
        Value::String(text) if name.ends_with("_order") => text.chars().take(10).collect(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
