//! `accounts`: list, show, customers; the documents are the same with a server and without.

use regulars_pipeline::{account, accounts, customers_of_account};
use serde_json::{Value, json};

use crate::cli::{AccountsArgs, AccountsCommand, AsOfArgs, Cli, LookArgs};
use crate::commands::customers::stated_text;
use crate::commands::served::show::{fields, items, terms, text, whole};
use crate::commands::served::{PAGE, members};
use crate::failure::Done;
use crate::output::Output;
use crate::remote::{Remote, encoded};
use crate::session::{Look, Session};
use crate::text::{Align, counted, heading, moment, pairs, table};

/// Columns of a list, whatever accounts there are.
const COLUMNS: [&str; 7] = [
    "account",
    "customers",
    "active_customers",
    "orders",
    "revenue_minor",
    "last_order_at",
    "last_activity_at",
];

pub(crate) fn run(cli: &Cli, args: &AccountsArgs) -> anyhow::Result<Done> {
    let session = Session::open(cli)?;
    let look = look(&session, args.moment())?;
    let base = &look.base;
    match &args.command {
        None => {
            let document = json!({
                "as_of": base.now.to_string(),
                "currency": base.context.currency.code(),
                "currency_exponent": base.context.currency.exponent(),
                "accounts": accounts(base),
            });
            list(cli, &session, &document)
        }
        Some(AccountsCommand::Show { account: name, .. }) => {
            show(cli, &session, &json!(account(base, name)?))
        }
        Some(AccountsCommand::Customers {
            account: name,
            limit,
            ..
        }) => {
            let customers = customers_of_account(&look.store, base, name)?.into_iter();
            let customers = customers.take(limit.unwrap_or(usize::MAX));
            let customers = customers.map(|id| json!({ "customer_id": id })).collect();
            print_customers(cli, &session, name, customers)
        }
    }
}

/// The same from the server that uses the workspace.
pub(super) fn ask(
    cli: &Cli,
    session: &Session,
    remote: &Remote,
    args: &AccountsArgs,
) -> anyhow::Result<Done> {
    match &args.command {
        None => list(cli, session, &all(remote)?),
        Some(AccountsCommand::Show { account, .. }) => {
            let path = format!("/api/v1/accounts/{}", encoded(account));
            show(cli, session, &remote.get(&path)?)
        }
        Some(AccountsCommand::Customers { account, limit, .. }) => {
            let path = format!("/api/v1/accounts/{}/customers", encoded(account));
            let customers = members(remote, &path, limit.unwrap_or(usize::MAX))?;
            print_customers(cli, session, account, customers)
        }
    }
}

/// Everyone at a moment; scores are those of the fit that was in use then.
fn look(session: &Session, as_of: &AsOfArgs) -> anyhow::Result<Look> {
    let as_of = AsOfArgs {
        as_of: as_of.as_of.clone(),
    };
    session.look(&LookArgs {
        as_of,
        restated: false,
    })
}

/// All pages of the list of accounts as one.
fn all(remote: &Remote) -> anyhow::Result<Value> {
    let mut after = String::new();
    let mut accounts: Vec<Value> = Vec::new();
    loop {
        let mut page = remote.get(&format!("/api/v1/accounts?limit={PAGE}{after}"))?;
        accounts.extend(items(&page["accounts"]).cloned());
        let next = page["next"].take();
        match next.as_str() {
            Some(next) => after = format!("&after={}", encoded(next)),
            None => {
                return Ok(json!({
                    "as_of": page["as_of"],
                    "currency": page["currency"],
                    "currency_exponent": page["currency_exponent"],
                    "accounts": accounts,
                }));
            }
        }
    }
}

fn list(cli: &Cli, session: &Session, document: &Value) -> anyhow::Result<Done> {
    let (zone, amounts) = terms(session, document);
    let output = Output::of(document, "/accounts", || {
        let at = |at: &Value| at.as_str().map_or(String::new(), |at| moment(at, &zone));
        let rows = items(&document["accounts"]).map(|of| {
            vec![
                text(&of["account"]).to_owned(),
                whole(&of["customers"]),
                whole(&of["active_customers"]),
                whole(&of["orders"]),
                amounts.bare(of["revenue_minor"].as_f64()),
                at(&of["last_order_at"]),
                at(&of["last_activity_at"]),
            ]
        });
        let revenue = format!("net {}", amounts.0.code());
        let columns = [
            ("account", Align::Left),
            ("customers", Align::Right),
            ("active", Align::Right),
            ("orders", Align::Right),
            (revenue.as_str(), Align::Right),
            ("last order", Align::Left),
            ("last activity", Align::Left),
        ];
        table(&columns, &rows.collect::<Vec<_>>())
    });
    output.with_columns(COLUMNS).print(cli.format)?;
    if items(&document["accounts"]).next().is_none() {
        session.tell("no account: send `group` calls to the tracking API, or import them");
    }
    Ok(Done::Whole)
}

fn show(cli: &Cli, session: &Session, document: &Value) -> anyhow::Result<Done> {
    let (zone, amounts) = terms(session, document);
    Output::of(document, "", || {
        let at = |name: &str| {
            let at = document[name].as_str();
            at.map_or_else(|| "never".to_owned(), |at| moment(at, &zone))
        };
        let as_of = moment(text(&document["as_of"]), &zone);
        let mut shown = heading(&format!("{} · as of {as_of}", text(&document["account"])));
        let customers = format!(
            "{}, {} of them active in the last 30 days",
            whole(&document["customers"]),
            whole(&document["active_customers"])
        );
        let revenue = document["revenue_minor"].as_i64().unwrap_or_default();
        shown.push_str(&pairs(&[
            ("customers", customers),
            ("orders", whole(&document["orders"])),
            ("net revenue", amounts.full(revenue)),
            ("last order", at("last_order_at")),
            ("last activity", at("last_activity_at")),
        ]));
        shown.push_str(&stated_text("Traits", fields(&document["traits"]), &zone));
        shown
    })
    .print(cli.format)?;
    Ok(Done::Whole)
}

fn print_customers(
    cli: &Cli,
    session: &Session,
    account: &str,
    customers: Vec<Value>,
) -> anyhow::Result<Done> {
    let count = customers.len() as u64;
    let document = json!({ "account": account, "customers": customers });
    let output = Output::of(&document, "/customers", || {
        let rows = items(&document["customers"]);
        let rows = rows.map(|customer| vec![text(&customer["customer_id"]).to_owned()]);
        table(&[("customer_id", Align::Left)], &rows.collect::<Vec<_>>())
    });
    output.with_columns(["customer_id"]).print(cli.format)?;
    session.tell(&format!("{} of `{account}`", counted(count, "customer")));
    Ok(Done::Whole)
}
