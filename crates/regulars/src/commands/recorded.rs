//! `customers memberships` and `segments history`: what was recorded, from the server or the files.

use regulars_core::{CustomerId, SegmentName, Timestamp};
use regulars_pipeline::{Base, MembershipHistory, SegmentHistory, Span, SpanError, ids_of, view};
use regulars_store::moved::TransitionRow;
use regulars_store::{Store, StoreError, WantedTransitions};
use serde_json::{Value, json};

use crate::cli::{AsOfArgs, Cli, HistoryArgs, LookArgs, MembershipsArgs};
use crate::commands::transitions::{find, moment_or_ago, why};
use crate::failure::{Done, Usage};
use crate::output::Output;
use crate::remote::{Remote, encoded};
use crate::session::{Look, Session};
use crate::text::{Align, count, moment, table};

/// The most stays that the server gives at once.
const PAGE: usize = 1_000;

/// Without a server: from its files.
pub(crate) fn memberships(cli: &Cli, args: &MembershipsArgs) -> anyhow::Result<Done> {
    let session = Session::open(cli)?;
    let look = at_end_of_record(&session)?;
    let store = &look.store;
    let customer = find(store, &args.customer)?;
    let wanted = WantedTransitions {
        customers: Some(ids_of(store, customer)?),
        segment: args.segment.as_deref().map(segment_name).transpose()?,
        ..WantedTransitions::default()
    };
    let inside = inside(&look, customer)?;
    let read = |wanted: &WantedTransitions, most| store.transitions(wanted, most);
    let history = MembershipHistory::read(wanted, None, args.limit, &inside, read)?;
    let vault = store.vault()?;
    let customers = history.customers().into_iter();
    let names = customers.map(|id| vault.external_id(id).map(str::to_owned));
    let stays = json!(history.views(names.collect::<Vec<_>>()));
    print_memberships(cli, &session, &args.customer, &stays)
}

/// From the server.
pub(crate) fn ask_memberships(
    cli: &Cli,
    session: &Session,
    remote: &Remote,
    args: &MembershipsArgs,
) -> anyhow::Result<Done> {
    let segment = args.segment.as_ref();
    let segment = segment.map(|segment| format!("&segment={}", encoded(segment)));
    let path = format!("/api/v1/customers/{}/memberships", encoded(&args.customer));
    let (mut stays, mut before): (Vec<Value>, String) = (Vec::new(), String::new());
    while stays.len() < args.limit {
        let limit = (args.limit - stays.len()).min(PAGE);
        let segment = segment.as_deref().unwrap_or_default();
        let page = remote.get(&format!("{path}?limit={limit}{segment}{before}"))?;
        stays.extend(
            page["memberships"]
                .as_array()
                .into_iter()
                .flatten()
                .cloned(),
        );
        match page["next"].as_str() {
            Some(next) => before = format!("&before={}", encoded(next)),
            None => break,
        }
    }
    print_memberships(cli, session, &args.customer, &Value::from(stays))
}

fn print_memberships(
    cli: &Cli,
    session: &Session,
    customer: &str,
    stays: &Value,
) -> anyhow::Result<Done> {
    let zone = session.workspace.config().zone();
    let document = json!({ "customer_id": customer, "memberships": stays });
    Output::of(&document, "/memberships", || {
        let at = |of: &Value| of.as_str().map_or_else(String::new, |at| moment(at, &zone));
        let because = |of: &Value| match of {
            Value::Null => String::new(),
            of => why(&of["cause"]),
        };
        let row = |of: &Value| {
            vec![
                of["segment"].as_str().unwrap_or_default().to_owned(),
                at(&of["entered_at"]),
                because(&of["entered"]),
                at(&of["left_at"]),
                because(&of["left"]),
            ]
        };
        let columns = ["segment", "entered", "because", "left", "because"];
        let columns = columns.map(|name| (name, Align::Left));
        let stays = stays.as_array().into_iter().flatten();
        table(&columns, &stays.map(row).collect::<Vec<_>>())
    })
    .with_columns(["customer_id", "segment", "entered_at", "left_at"])
    .print(cli.format)?;
    Ok(Done::Whole)
}

/// Without a server: from its files.
pub(crate) fn history(cli: &Cli, args: &HistoryArgs) -> anyhow::Result<Done> {
    let session = Session::open(cli)?;
    let (since, until) = between(&session, args)?;
    session.catalogue()?.get(&args.name)?;
    let look = at_end_of_record(&session)?;
    // What happened at that moment belongs to it.
    let now = look.base.now.plus_ms(1);
    let until = until.unwrap_or(now).min(now);
    let since = since.unwrap_or(until.plus_ms(-SegmentHistory::DEFAULT_MS));
    let segment = segment_name(&args.name)?;
    let segments = look.base.catalogue.segments();
    let number = segments.iter().position(|known| known.name == segment);
    let members = number.map(|number| look.base.members(number, session.threads).len() as i64);
    let wanted = WantedTransitions {
        segment: Some(segment),
        ..WantedTransitions::default()
    };
    let zone = session.workspace.config().zone();
    let by = args.by.map_or(Span::Day, Span::from);
    let read = |wanted: &WantedTransitions, most| read(&look.store, wanted, most);
    let history = SegmentHistory::read(wanted, (since, until), (by, &zone), read);
    let history = history.map_err(|error| match error {
        ReadError::Span(error) => anyhow::Error::from(Usage(error.to_string())),
        ReadError::Store(error) => error.into(),
    })?;
    let document = json!({
        "segment": args.name,
        "by": by,
        "time_zone": zone.name(),
        "intervals": history.intervals(members),
    });
    print_history(cli, &session, &document)
}

/// From the server.
pub(crate) fn ask_history(
    cli: &Cli,
    session: &Session,
    remote: &Remote,
    args: &HistoryArgs,
) -> anyhow::Result<Done> {
    let (since, until) = between(session, args)?;
    let by = json!(args.by.map_or(Span::Day, Span::from));
    let by = by.as_str().unwrap_or_default();
    let mut path = format!("/api/v1/segments/{}/history?by={by}", encoded(&args.name));
    for (name, at) in [("since", since), ("until", until)] {
        if let Some(at) = at {
            path.push_str(&format!("&{name}={}", encoded(&at.to_string())));
        }
    }
    print_history(cli, session, &remote.get(&path)?)
}

fn print_history(cli: &Cli, session: &Session, document: &Value) -> anyhow::Result<Done> {
    let zone = session.workspace.config().zone();
    Output::of(document, "/intervals", || {
        let whole = |of: &Value| of.as_u64().map_or_else(String::new, count);
        let row = |of: &Value| {
            vec![
                moment(of["start"].as_str().unwrap_or_default(), &zone),
                whole(&of["entered"]),
                whole(&of["left"]),
                whole(&of["members"]),
            ]
        };
        let columns = [
            ("from", Align::Left),
            ("entered", Align::Right),
            ("left", Align::Right),
            ("members at its end", Align::Right),
        ];
        let intervals = document["intervals"].as_array().into_iter().flatten();
        table(&columns, &intervals.map(row).collect::<Vec<_>>())
    })
    .print(cli.format)?;
    Ok(Done::Whole)
}

/// The instants of `--since` and `--until`.
fn between(
    session: &Session,
    args: &HistoryArgs,
) -> anyhow::Result<(Option<Timestamp>, Option<Timestamp>)> {
    let since = moment_or_ago(session, "--since", args.since.as_deref())?;
    let until = moment_or_ago(session, "--until", args.until.as_deref())?;
    Ok((since, until))
}

/// Everyone as of the last moment of which transitions are recorded: at the end of the last server.
fn at_end_of_record(session: &Session) -> anyhow::Result<Look> {
    let saved = session.workspace.open_read()?.memberships()?;
    let as_of = saved.map(|saved| saved.now.to_string());
    session.look(&LookArgs {
        as_of: AsOfArgs { as_of },
        restated: false,
    })
}

/// The segments that a customer is in.
fn inside(look: &Look, customer: CustomerId) -> anyhow::Result<Vec<(CustomerId, SegmentName)>> {
    let base: &Base = &look.base;
    let Some(index) = base.position(customer) else {
        return Ok(Vec::new());
    };
    let segments = view(&look.store, base, index)?.segments.into_iter();
    let segments = segments.filter_map(|of| SegmentName::new(&of.segment).ok());
    Ok(segments.map(|segment| (customer, segment)).collect())
}

fn segment_name(name: &str) -> Result<SegmentName, Usage> {
    SegmentName::new(name).map_err(|error| Usage(error.to_string()))
}

/// Why a history cannot be read.
enum ReadError {
    Span(SpanError),
    Store(StoreError),
}

impl From<SpanError> for ReadError {
    fn from(error: SpanError) -> Self {
        Self::Span(error)
    }
}

fn read(
    store: &Store,
    wanted: &WantedTransitions,
    most: usize,
) -> Result<Vec<TransitionRow>, ReadError> {
    store.transitions(wanted, most).map_err(ReadError::Store)
}
