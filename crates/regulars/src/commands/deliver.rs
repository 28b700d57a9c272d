//! `destinations` and `deliveries`: where webhooks go, and what became of them. While a server
//! uses the workspace it is asked; else the files are.

use regulars_pipeline::deliver::{
    self, Deliveries, DeliveryView, DestinationView, NewDestination, Segments, Which,
};
use regulars_pipeline::{PipelineError, Workspace};
use regulars_store::{Frame, Store};
use serde_json::{Value, json};

use crate::cli::{
    Cli, DeliveriesArgs, DeliveriesCommand, DestinationsArgs, DestinationsCommand, FormArg,
};
use crate::failure::{Done, Usage};
use crate::output::Output;
use crate::remote::{Remote, RemoteError, encoded};
use crate::serving::Serving;
use crate::session::{Session, wall_clock};
use crate::text::{Align, moment, table};

const DESTINATIONS: &str = "/api/v1/destinations";
const DELIVERIES: &str = "/api/v1/deliveries";

pub(crate) fn destinations(cli: &Cli, args: &DestinationsArgs) -> anyhow::Result<Done> {
    let session = Session::open(cli)?;
    match &args.command {
        DestinationsCommand::Add {
            url,
            segments,
            form,
            causes,
            allow_http,
        } => {
            let wanted = wanted(url, (segments, causes), *form, *allow_http);
            add(cli, &session, &wanted)
        }
        DestinationsCommand::List => list(cli, &session),
        DestinationsCommand::Remove { id } => {
            let path = format!("{DESTINATIONS}/{}", encoded(id));
            let local = |workspace: &Workspace| {
                deliver::remove(&workspace.data_dir(), id)?;
                Ok(Value::Null)
            };
            served_or(&session, ("DELETE", &path, None), local)?;
            session.tell(&format!("removed destination {id}"));
            Ok(Done::Whole)
        }
        DestinationsCommand::Rotate { id } => rotate(cli, &session, id),
        DestinationsCommand::Enable { id } => {
            let path = format!("{DESTINATIONS}/{}/enable", encoded(id));
            let local = |workspace: &Workspace| {
                changed(workspace, |deliveries| {
                    deliveries.resume(id, wall_clock())?;
                    Ok(Value::Null)
                })
            };
            served_or(&session, ("POST", &path, None), local)?;
            session.tell(&format!("destination {id} sends again"));
            Ok(Done::Whole)
        }
    }
}

fn wanted(
    url: &str,
    (segments, causes): (&[String], &[String]),
    form: FormArg,
    allow_http: bool,
) -> Value {
    let segments: Value = if segments.is_empty() {
        "all".into()
    } else {
        segments.iter().map(|name| name.trim()).collect()
    };
    let mut wanted = json!({
        "url": url,
        "segments": segments,
        "form": deliver::Form::from(form),
        "allow_http": allow_http,
    });
    if !causes.is_empty() {
        wanted["causes"] = causes.iter().map(|cause| cause.trim()).collect();
    }
    wanted
}

fn add(cli: &Cli, session: &Session, wanted: &Value) -> anyhow::Result<Done> {
    let read: NewDestination = serde_json::from_value(wanted.clone())
        .map_err(|error| Usage(format!("`destinations add`: {error}")))?;
    if let Segments::Only(names) = &read.segments {
        let catalogue = session.catalogue()?;
        for name in names {
            catalogue.get(name.as_str())?;
        }
    }
    let local = |workspace: &Workspace| {
        let offset = workspace.open_read()?.next_offset();
        let guard = &workspace.config().delivery.guard;
        let (known, secret) = deliver::add(
            &workspace.data_dir(),
            guard,
            read.clone(),
            offset,
            wall_clock(),
        )?;
        with_secret(&DestinationView::of(&known, None), &secret.reveal())
    };
    let added = served_or(session, ("POST", DESTINATIONS, Some(wanted)), local)?;
    show_secret(cli, session, &added)
}

fn rotate(cli: &Cli, session: &Session, id: &str) -> anyhow::Result<Done> {
    let path = format!("{DESTINATIONS}/{}/rotate", encoded(id));
    let local = |workspace: &Workspace| {
        let secret = deliver::rotate(&workspace.data_dir(), id)?;
        let known = deliver::known(&workspace.data_dir())?;
        let known = known
            .iter()
            .find(|known| known.destination.id.as_str() == id);
        let view = known.map(|known| DestinationView::of(known, None));
        with_secret(&view, &secret.reveal())
    };
    let rotated = served_or(session, ("POST", &path, None), local)?;
    show_secret(cli, session, &rotated)
}

fn with_secret(view: &impl serde::Serialize, secret: &str) -> anyhow::Result<Value> {
    let mut view = serde_json::to_value(view)?;
    view["secret"] = secret.into();
    Ok(view)
}

fn show_secret(cli: &Cli, session: &Session, shown: &Value) -> anyhow::Result<Done> {
    let of = |key: &str| shown[key].as_str().unwrap_or_default().to_owned();
    session.tell(&format!(
        "Destination {}; its signing secret is shown this once:",
        of("id")
    ));
    Output::of(shown, "", || format!("{}\n", of("secret"))).print(cli.format)?;
    Ok(Done::Whole)
}

fn list(cli: &Cli, session: &Session) -> anyhow::Result<Done> {
    let local = |workspace: &Workspace| {
        let (_, deliveries) = read(workspace)?;
        Ok(json!({ "destinations": deliveries.destinations(wall_clock()) }))
    };
    let document = served_or(session, ("GET", DESTINATIONS, None), local)?;
    let columns = ["id", "address", "form", "segments", "sends", "waiting"];
    Output::of(&document, "/destinations", || {
        let row = |one: &Value| {
            let segments = match &one["segments"] {
                Value::Array(names) => {
                    let names = names.iter().filter_map(Value::as_str);
                    names.collect::<Vec<_>>().join(", ")
                }
                other => plain(other),
            };
            let sends = if one["enabled"] == true { "yes" } else { "no" };
            let rest = [segments, sends.to_owned(), plain(&one["pending"])];
            let first = ["id", "url", "form"].map(|key| plain(&one[key]));
            [first, rest].concat()
        };
        rows_text(&columns, &document["destinations"], row)
    })
    .with_columns([
        "id",
        "url",
        "form",
        "segments",
        "causes",
        "created_at",
        "enabled",
        "pending",
        "in_flight",
        "held_until",
    ])
    .print(cli.format)?;
    Ok(Done::Whole)
}

pub(crate) fn deliveries(cli: &Cli, args: &DeliveriesArgs) -> anyhow::Result<Done> {
    let session = Session::open(cli)?;
    match &args.command {
        Some(DeliveriesCommand::Replay { id }) => replay(cli, &session, id),
        Some(DeliveriesCommand::Attempts { id }) => attempts(cli, &session, id),
        None => list_deliveries(cli, &session, args),
    }
}

fn list_deliveries(cli: &Cli, session: &Session, args: &DeliveriesArgs) -> anyhow::Result<Done> {
    let failed = args.failed;
    let path = format!("{DELIVERIES}?failed={failed}&limit={}", args.limit);
    let local = |workspace: &Workspace| {
        let (store, deliveries) = read(workspace)?;
        let which = if failed { Which::Failed } else { Which::All };
        let latest = deliveries.latest(which, args.limit.clamp(1, 10_000));
        let views: Vec<DeliveryView> = latest.iter().map(|one| view(&store, one)).collect();
        Ok(json!({ "deliveries": views }))
    };
    let document = served_or(session, ("GET", &path, None), local)?;
    let columns = [
        "id",
        "customer",
        "segment",
        "moved",
        "status",
        "attempts",
        "what went wrong",
    ];
    Output::of(&document, "/deliveries", || {
        let keys = [
            "id",
            "customer_id",
            "segment",
            "direction",
            "status",
            "attempts",
            "last_error_text",
        ];
        let row = |one: &Value| keys.iter().map(|key| plain(&one[*key])).collect();
        rows_text(&columns, &document["deliveries"], row)
    })
    .with_columns([
        "id",
        "destination",
        "transition_id",
        "customer_id",
        "segment",
        "direction",
        "occurred_at",
        "status",
        "attempts",
        "due_at",
        "changed_at",
        "took_ms",
        "answered",
        "last_error",
        "last_error_text",
    ])
    .print(cli.format)?;
    Ok(Done::Whole)
}

fn attempts(cli: &Cli, session: &Session, id: &str) -> anyhow::Result<Done> {
    let path = format!("{DELIVERIES}/{}/attempts", encoded(id));
    let local = |workspace: &Workspace| {
        let (store, deliveries) = read(workspace)?;
        Ok(serde_json::to_value(deliveries.attempts(&store, id)?)?)
    };
    let document = served_or(session, ("GET", &path, None), local)?;
    let zone = session.workspace.config().zone();
    let columns = [
        "attempt",
        "ended",
        "took ms",
        "result",
        "answer",
        "what went wrong",
        "again",
    ];
    Output::of(&document, "/attempts", || {
        let at = |of: &Value| of.as_str().map_or_else(String::new, |at| moment(at, &zone));
        let row = |one: &Value| {
            vec![
                plain(&one["number"]),
                at(&one["ended_at"]),
                plain(&one["took_ms"]),
                plain(&one["result"]),
                plain(&one["answered"]),
                plain(&one["error_text"]),
                at(&one["next_at"]),
            ]
        };
        rows_text(&columns, &document["attempts"], row)
    })
    .with_columns([
        "result",
        "number",
        "started_at",
        "ended_at",
        "took_ms",
        "answered",
        "error",
        "error_text",
        "next_at",
    ])
    .print(cli.format)?;
    Ok(Done::Whole)
}

fn replay(cli: &Cli, session: &Session, id: &str) -> anyhow::Result<Done> {
    let path = format!("{DELIVERIES}/{}/replay", encoded(id));
    let local = |workspace: &Workspace| {
        changed(workspace, |deliveries| {
            let replayed = deliveries.replay(id, wall_clock())?;
            Ok(serde_json::to_value(DeliveryView::of(&replayed, None))?)
        })
    };
    let replayed = served_or(session, ("POST", &path, None), local)?;
    session.tell(&format!("{id} will be sent again"));
    Output::of(&replayed, "", String::new).print(cli.format)?;
    Ok(Done::Whole)
}

fn view(store: &Store, delivery: &deliver::Delivery) -> DeliveryView {
    let told = deliver::names(store, &[delivery.customer()]).pop();
    DeliveryView::of(delivery, told.and_then(|told| told.customer_id))
}

/// What the files say, while no server uses them.
fn read(workspace: &Workspace) -> anyhow::Result<(Store, Deliveries)> {
    let store = workspace.open_read()?;
    let deliveries = start(workspace, &store)?;
    Ok((store, deliveries))
}

fn start(workspace: &Workspace, store: &Store) -> Result<Deliveries, PipelineError> {
    let config = workspace.config();
    Deliveries::start(
        store,
        &config.workspace.name,
        &config.delivery,
        wall_clock(),
    )
}

/// Lets `change` work on the deliveries, and gives the log what comes of it.
fn changed(
    workspace: &Workspace,
    change: impl FnOnce(&Deliveries) -> anyhow::Result<Value>,
) -> anyhow::Result<Value> {
    let mut store = workspace.open()?;
    let deliveries = start(workspace, &store)?;
    let changed = change(&deliveries)?;
    if let Some(marks) = deliveries.take_marks() {
        let mut frame = Frame::default();
        frame.marks(&marks);
        store.append(&frame)?;
    }
    Ok(changed)
}

/// Asks the server that uses the workspace; does it here when there is none.
fn served_or(
    session: &Session,
    (method, path, body): (&str, &str, Option<&Value>),
    local: impl FnOnce(&Workspace) -> anyhow::Result<Value>,
) -> anyhow::Result<Value> {
    let workspace = &session.workspace;
    if let Some(serving) = Serving::read(&workspace.data_dir()) {
        let remote = Remote { serving };
        match remote.ask(method, path, body) {
            Err(RemoteError::Gone(_)) => {}
            answer => return Ok(answer?),
        }
    }
    local(workspace)
}

fn rows_text(columns: &[&str], rows: &Value, row: impl Fn(&Value) -> Vec<String>) -> String {
    let columns: Vec<_> = columns.iter().map(|name| (*name, Align::Left)).collect();
    let rows: Vec<_> = rows.as_array().into_iter().flatten().map(row).collect();
    table(&columns, &rows)
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
