//! `customers identity` and `customers unmerge`: the names of a customer, from the server or the files.

use regulars_pipeline::{
    UnmergedView, WantedRecords, customer_named, identity_records, identity_view, unmerge as part,
};
use regulars_store::vault::IdentityKind;
use serde_json::{Value, json};

use crate::cli::Cli;
use crate::failure::Done;
use crate::output::Output;
use crate::remote::{Remote, encoded};
use crate::session::{Session, wall_clock};
use crate::text::{Align, heading, moment, plain, table};

/// Entries asked for at a time.
const PAGE: usize = 1_000;

/// Without a server: from its files.
pub(super) fn show(cli: &Cli, customer: &str) -> anyhow::Result<Done> {
    let session = Session::open(cli)?;
    let store = session.workspace.open_read()?;
    let vault = store.vault()?;
    let customer = customer_named(vault, customer)?;
    let records = identity_records(&store, &vault.ids_of(customer), WantedRecords::ALL)?;
    let view = identity_view(vault, customer, &records);
    print_identity(cli, &session, json!(view))
}

/// From the server.
pub(super) fn ask(
    cli: &Cli,
    session: &Session,
    remote: &Remote,
    customer: &str,
) -> anyhow::Result<Done> {
    let path = format!(
        "/api/v1/customers/{}/identity?limit={PAGE}",
        encoded(customer)
    );
    let mut view = remote.get(&path)?;
    let mut next = view["next"].take();
    while let Some(after) = next.as_str() {
        let mut page = remote.get(&format!("{path}&after={}", encoded(after)))?;
        next = page["next"].take();
        if let (Some(all), Some(more)) = (
            view["history"].as_array_mut(),
            page["history"].as_array_mut(),
        ) {
            all.append(more);
        }
    }
    print_identity(cli, session, view)
}

fn print_identity(cli: &Cli, session: &Session, mut view: Value) -> anyhow::Result<Done> {
    // All of it is there.
    if let Some(fields) = view.as_object_mut() {
        fields.remove("next");
    }
    let view = &view;
    let zone = session.workspace.config().zone();
    let field = |of: &Value, name: &str| of[name].as_str().unwrap_or_default().to_owned();
    let rows = |list: &str| view[list].as_array().cloned().unwrap_or_default();
    Output::of(view, "/history", || {
        let names: Vec<Vec<String>> = rows("names")
            .iter()
            .map(|name| ["name", "kind"].map(|column| field(name, column)).to_vec())
            .collect();
        let history: Vec<Vec<String>> = rows("history")
            .iter()
            .map(|event| {
                let mut row = vec![moment(&field(event, "recorded_at"), &zone)];
                row.extend(
                    ["what", "name", "with", "from", "event", "key", "why"]
                        .map(|name| field(event, name)),
                );
                row
            })
            .collect();
        let left = |name| (name, Align::Left);
        let mut text = heading(&format!("Names of {}", field(view, "customer_id")));
        text.push_str(&table(&["name", "kind"].map(left), &names));
        text.push_str(&heading("How they came to be theirs"));
        if history.is_empty() {
            text.push_str("  by files alone, or since the first event of all\n");
        } else {
            let columns = [
                "recorded",
                "",
                "name",
                "with",
                "from",
                "event",
                "write key",
                "why",
            ];
            text.push_str(&table(&columns.map(left), &history));
        }
        text
    })
    .with_columns([
        "offset",
        "recorded_at",
        "what",
        "name",
        "with",
        "from",
        "rule",
        "event",
        "key",
        "count",
        "why",
    ])
    .print(cli.format)?;
    Ok(Done::Whole)
}

/// Without a server: in its files.
pub(super) fn unmerge(cli: &Cli, name: &str, kind: Option<&str>) -> anyhow::Result<Done> {
    let session = Session::open(cli)?;
    let mut store = session.workspace.open()?;
    // The command line takes no other names.
    let kind = kind.and_then(IdentityKind::named);
    let unmerged = part(&mut store, name, kind, wall_clock())?;
    let view = UnmergedView::of(store.vault()?, &unmerged);
    print_unmerged(cli, &json!(view))
}

/// By the server.
pub(super) fn ask_unmerge(
    cli: &Cli,
    remote: &Remote,
    name: &str,
    kind: Option<&str>,
) -> anyhow::Result<Done> {
    let kind = kind.map_or_else(String::new, |kind| format!("?kind={kind}"));
    let path = format!("/api/v1/customers/{}/unmerge{kind}", encoded(name));
    print_unmerged(cli, &remote.ask("POST", &path, None)?)
}

fn print_unmerged(cli: &Cli, view: &Value) -> anyhow::Result<Done> {
    Output::of(view, "", || {
        let text = |name: &str| view[name].as_str().unwrap_or_default();
        let along = view["along"].as_array().into_iter().flatten();
        let along: Vec<&str> = along.filter_map(Value::as_str).collect();
        let along = match along.as_slice() {
            [] => String::new(),
            names => format!(", with {}", names.join(", ")),
        };
        let (name, from) = (text("name"), text("from"));
        let said = format!("`{name}` is part of `{from}` no more{along}");
        format!("{}\n", plain(&said))
    })
    .print(cli.format)?;
    Ok(Done::Whole)
}
