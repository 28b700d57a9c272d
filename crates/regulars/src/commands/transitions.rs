//! `transitions`: who moved where, when exactly and why; from the server, or from the log.

use regulars_core::{CustomerId, SegmentName, Timestamp, Zone};
use regulars_pipeline::{PipelineError, TransitionView, ids_of};
use regulars_store::moved::TransitionRow;
use regulars_store::{Store, WantedTransitions};
use serde_json::{Value, json};

use crate::cli::{Cli, TransitionsArgs};
use crate::failure::{Done, Usage};
use crate::output::Output;
use crate::remote::{Remote, encoded};
use crate::session::{Session, wall_clock};
use crate::text::{Align, moment, plain, table};

/// The most that the server gives at once.
const PAGE: usize = 10_000;

/// Without a server: from the log.
pub(crate) fn run(cli: &Cli, args: &TransitionsArgs) -> anyhow::Result<Done> {
    let session = Session::open(cli)?;
    let since = moment_or_ago(&session, "--since", args.since.as_deref())?;
    let since = since.unwrap_or(Timestamp::MIN);
    let store = session.workspace.open_read()?;
    if let Some(segment) = &args.segment {
        session.catalogue()?.get(segment)?;
    }
    let customers = match &args.customer {
        None => None,
        Some(name) => Some(ids_of(&store, find(&store, name)?)?),
    };
    let segment = args.segment.as_deref().map(SegmentName::new).transpose();
    let wanted = WantedTransitions {
        customers,
        segment: segment.map_err(|error| Usage(error.to_string()))?,
        since,
        before: None,
    };
    let found = store.transitions(&wanted, args.limit)?;
    let vault = store.vault()?;
    let view = |row: &TransitionRow| {
        let customer_id = vault.external_id(row.transition.customer);
        json!(TransitionView::of(row, customer_id))
    };
    print(cli, &session, found.iter().map(view).collect())
}

/// From the server.
pub(crate) fn ask(
    cli: &Cli,
    session: &Session,
    remote: &Remote,
    args: &TransitionsArgs,
) -> anyhow::Result<Done> {
    let mut query = String::new();
    let since = moment_or_ago(session, "--since", args.since.as_deref())?;
    let since = since.map(|at| at.to_string());
    let filters = [
        ("since", since.as_ref()),
        ("segment", args.segment.as_ref()),
        ("customer", args.customer.as_ref()),
    ];
    for (name, value) in filters {
        if let Some(value) = value {
            query.push_str(&format!("&{name}={}", encoded(value)));
        }
    }
    let mut found: Vec<Value> = Vec::new();
    let mut before = String::new();
    while found.len() < args.limit {
        let limit = (args.limit - found.len()).min(PAGE);
        let page = remote.get(&format!("/api/v1/transitions?limit={limit}{query}{before}"))?;
        let transitions = page["transitions"].as_array();
        found.extend(transitions.into_iter().flatten().cloned());
        match page["next"].as_str() {
            Some(next) => before = format!("&before={}", encoded(next)),
            None => break,
        }
    }
    print(cli, session, found)
}

fn print(cli: &Cli, session: &Session, transitions: Vec<Value>) -> anyhow::Result<Done> {
    let zone = session.workspace.config().zone();
    let document = json!({ "transitions": transitions });
    Output::of(&document, "/transitions", || {
        let text = |of: &Value| of.as_str().unwrap_or_default().to_owned();
        let row = |of: &Value| {
            vec![
                moment(&text(&of["occurred_at"]), &zone),
                text(&of["customer_id"]),
                text(&of["direction"]),
                text(&of["segment"]),
                why(&of["cause"]),
            ]
        };
        let columns = ["when", "customer", "", "segment", "because"];
        let columns = columns.map(|name| (name, Align::Left));
        table(&columns, &transitions.iter().map(row).collect::<Vec<_>>())
    })
    .with_columns([
        "id",
        "customer_id",
        "segment",
        "version",
        "sequence",
        "direction",
        "occurred_at",
        "recorded_at",
        "cause_type",
    ])
    .print(cli.format)?;
    Ok(Done::Whole)
}

/// A cause in words.
pub(crate) fn why(cause: &Value) -> String {
    let words = match cause["type"].as_str().unwrap_or_default() {
        "event" => return format!("of `{}`", cause["name"].as_str().unwrap_or_default()),
        "time" => "time went by",
        "catch_up" => "time went by while nothing ran",
        "import" => "files were imported",
        "models" => "scores were computed anew",
        "definition" => "the segment changed",
        "merge" => "two customers are one",
        "unmerge" => "a customer is two",
        other => other,
    };
    words.to_owned()
}

/// What last made a customer enter or leave a segment, in words; `None` when nothing was recorded.
pub(crate) fn last_change_text(change: &Value, zone: &Zone) -> Option<String> {
    let (at, event) = (change["occurred_at"].as_str()?, &change["event"]);
    let what = match change["direction"].as_str() {
        Some("entered") => "entered",
        _ => "left",
    };
    let at = moment(at, zone);
    let mut text = format!("{what} on {at}, because {}", plain(&why(&change["cause"])));
    let (happened, arrived) = (&event["occurred_at"], &event["received_at"]);
    if let (Some(happened), Some(arrived)) = (happened.as_str(), arrived.as_str())
        && happened != arrived
    {
        let (happened, arrived) = (moment(happened, zone), moment(arrived, zone));
        text.push_str(&format!(" of {happened}, which came on {arrived}"));
    }
    Some(text)
}

/// The instant of an option that takes a moment, or how long ago.
pub(crate) fn moment_or_ago(
    session: &Session,
    option: &str,
    text: Option<&str>,
) -> anyhow::Result<Option<Timestamp>> {
    let Some(text) = text else {
        return Ok(None);
    };
    if let Some(ms) = ago_ms(text) {
        return Ok(Some(wall_clock().plus_ms(-ms)));
    }
    session.instant(option, text).map(Some)
}

/// Milliseconds of `90s`, `15m`, `1h`, `7d`.
fn ago_ms(text: &str) -> Option<i64> {
    let unit = text.chars().next_back()?;
    let unit_ms = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        _ => return None,
    };
    let number: i64 = text[..text.len() - 1].parse().ok()?;
    number.checked_mul(unit_ms).filter(|ms| *ms >= 0)
}

/// The customer of that external id.
pub(crate) fn find(store: &Store, name: &str) -> anyhow::Result<CustomerId> {
    let found = store.vault()?.find(name);
    Ok(found.ok_or_else(|| PipelineError::NotFound {
        what: "customer",
        name: name.to_owned(),
        hint: ": use the customer id of your files or events".to_owned(),
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_long_ago_is_read_and_everything_else_is_a_moment() {
        assert_eq!(ago_ms("90s"), Some(90_000));
        assert_eq!(ago_ms("7d"), Some(604_800_000));
        for other in [
            "",
            "h",
            "-1h",
            "1w",
            "2026-01-31",
            "99999999999999999d",
            "1ä",
        ] {
            assert_eq!(ago_ms(other), None, "{other}");
        }
    }
}
