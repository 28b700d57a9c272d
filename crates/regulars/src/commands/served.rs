//! What commands do while a server uses the workspace: ask it.

pub(super) mod show;

use regulars_pipeline::Workspace;
use serde_json::{Value, json};

use crate::cli::{
    Cli, Command, CustomersCommand, Format, KeysCommand, LookArgs, SegmentsCommand, TokensCommand,
};
use crate::commands::{accounts, identity, keys, recorded, transitions};
use crate::failure::Done;
use crate::output::Target;
use crate::remote::{Loan, Remote, RemoteError, encoded};
use crate::serving::Serving;
use crate::session::Session;

/// The most members that the server gives at once.
pub(super) const PAGE: usize = 10_000;

/// What the server that uses the workspace did.
#[derive(Debug)]
pub(crate) enum Served {
    /// The command.
    Done(Done),
    /// It lends the data: the command is to be done here, as if there were no server.
    Lent(Loan),
    /// There is no such server, or the command needs no workspace.
    Nothing,
}

/// Lets the server that uses the workspace do the command, or lend the data for it.
pub(crate) fn through_server(cli: &Cli) -> anyhow::Result<Served> {
    if !concerns(&cli.command) {
        return Ok(Served::Nothing);
    }
    let start = cli.workspace.clone().unwrap_or_else(|| ".".into());
    // Without a workspace the command itself says so.
    let Ok(workspace) = Workspace::find(&start) else {
        return Ok(Served::Nothing);
    };
    let Some(serving) = Serving::read(&workspace.data_dir()) else {
        return Ok(Served::Nothing);
    };
    let session = Session::of(cli, workspace);
    let remote = Remote { serving };
    let served = if needs_data(&cli.command, cli.format) {
        borrow(&session, &remote)
    } else {
        ask(cli, &session, &remote).map(Served::Done)
    };
    match served {
        Ok(served) => Ok(served),
        Err(error) => match error.downcast_ref::<RemoteError>() {
            Some(RemoteError::Gone(address)) => {
                session.tell(&format!(
                    "data/serving.json is left over from a server at {address} that is no more: ignored"
                ));
                Ok(Served::Nothing)
            }
            Some(RemoteError::Refused { .. } | RemoteError::Broken { .. }) | None => Err(error),
        },
    }
}

fn borrow(session: &Session, remote: &Remote) -> anyhow::Result<Served> {
    let loan = remote.borrow()?;
    session.tell(&format!(
        "the server at http://{} lends the workspace: events wait until this is done",
        remote.serving.address
    ));
    Ok(Served::Lent(loan))
}

/// Commands that look at the data of a workspace or change it.
fn concerns(command: &Command) -> bool {
    matches!(
        command,
        Command::Import(_)
            | Command::Score(_)
            | Command::Report(_)
            | Command::Segments(_)
            | Command::Customers(_)
            | Command::Accounts(_)
            | Command::Explain(_)
            | Command::Transitions(_)
            | Command::Keys(_)
            | Command::Tokens(_)
            | Command::Models
            | Command::Export(_)
    )
}

/// True for a command that the server cannot do: it takes the data itself, or it is about another
/// moment than now.
fn needs_data(command: &Command, format: Format) -> bool {
    let is_past = |look: &LookArgs| look.as_of.as_of.is_some() || look.restated;
    match command {
        Command::Segments(args) => match &args.command {
            None => is_past(&args.look),
            Some(SegmentsCommand::Show { look, .. } | SegmentsCommand::Preview { look, .. }) => {
                is_past(look)
            }
            // Members in a Parquet file have their traits.
            Some(SegmentsCommand::Members { look, output, .. }) => {
                let target = Target::of(output.as_deref(), format);
                is_past(look) || matches!(target, Ok(Target::Parquet(_)))
            }
            Some(
                SegmentsCommand::History(_)
                | SegmentsCommand::Set(_)
                | SegmentsCommand::Remove { .. },
            ) => false,
        },
        Command::Customers(args) => match &args.command {
            CustomersCommand::Show { .. }
            | CustomersCommand::Memberships(_)
            | CustomersCommand::Identity { .. }
            | CustomersCommand::Unmerge { .. } => false,
        },
        Command::Accounts(args) => args.moment().as_of.is_some(),
        Command::Explain(_) | Command::Transitions(_) | Command::Keys(_) | Command::Tokens(_) => {
            false
        }
        _ => true,
    }
}

fn ask(cli: &Cli, session: &Session, remote: &Remote) -> anyhow::Result<Done> {
    let get = |path: String| -> anyhow::Result<Value> { Ok(remote.get(&path)?) };
    match &cli.command {
        Command::Segments(args) => segments(cli, session, remote, args.command.as_ref()),
        Command::Customers(args) => match &args.command {
            CustomersCommand::Show { customer, look } => {
                let moment = moment(session, look)?;
                let found = get(format!("/api/v1/customers/{}{moment}", encoded(customer)))?;
                if moment.is_empty() {
                    return show::customer(cli, session, &found);
                }
                show::customer_then(cli, session, &found)
            }
            CustomersCommand::Memberships(args) => {
                recorded::ask_memberships(cli, session, remote, args)
            }
            CustomersCommand::Identity { customer } => {
                identity::ask(cli, session, remote, customer)
            }
            CustomersCommand::Unmerge { name, kind } => {
                identity::ask_unmerge(cli, remote, name, kind.as_deref())
            }
        },
        Command::Accounts(args) => accounts::ask(cli, session, remote, args),
        Command::Explain(args) => {
            let (customer, segment) = (encoded(&args.customer), encoded(&args.segment));
            let moment = moment(session, &args.look)?;
            let path = format!("/api/v1/customers/{customer}/segments/{segment}{moment}");
            show::explanation(cli, session, &get(path)?)
        }
        Command::Transitions(args) => transitions::ask(cli, session, remote, args),
        Command::Keys(args) => match &args.command {
            KeysCommand::Create { write, client } => {
                let role = keys::role_of_key(*client).name();
                let body = json!({ "label": write, "role": role });
                let made = remote.ask("POST", "/api/v1/keys", Some(&body))?;
                keys::print_secret(cli, session, "write key", &made)
            }
            KeysCommand::List => keys::print_list(cli, &get("/api/v1/keys".to_owned())?),
            KeysCommand::Revoke { id } => {
                remote.ask("DELETE", &format!("/api/v1/keys/{}", encoded(id)), None)?;
                session.tell(&format!("revoked write key {id}"));
                Ok(Done::Whole)
            }
        },
        Command::Tokens(args) => match &args.command {
            TokensCommand::Create { role, label } => {
                let role = regulars_store::access::Role::from(*role).name();
                let body = json!({ "role": role, "label": label });
                let made = remote.ask("POST", "/api/v1/tokens", Some(&body))?;
                keys::print_secret(cli, session, "API token", &made)
            }
            TokensCommand::List => keys::print_list(cli, &get("/api/v1/tokens".to_owned())?),
            TokensCommand::Revoke { id } => {
                remote.ask("DELETE", &format!("/api/v1/tokens/{}", encoded(id)), None)?;
                session.tell(&format!("revoked API token {id}"));
                Ok(Done::Whole)
            }
        },
        _ => unreachable!("`needs_data` says so of every other command"),
    }
}

/// What asks for a past moment, if it is about one.
fn moment(session: &Session, look: &LookArgs) -> anyhow::Result<String> {
    let Some(text) = &look.as_of.as_of else {
        return Ok(String::new());
    };
    let at = session.instant("--as-of", text)?;
    let restated = if look.restated { "&restated=true" } else { "" };
    Ok(format!("?as_of={}{restated}", encoded(&at.to_string())))
}

fn segments(
    cli: &Cli,
    session: &Session,
    remote: &Remote,
    command: Option<&SegmentsCommand>,
) -> anyhow::Result<Done> {
    match command {
        None => {
            let segments = remote.get("/api/v1/segments")?;
            show::segments(cli, &json!({ "segments": segments }))
        }
        Some(SegmentsCommand::Show { name, .. }) => {
            let segment = remote.get(&format!("/api/v1/segments/{}", encoded(name)))?;
            show::segment(cli, &segment)
        }
        Some(SegmentsCommand::Preview { rule, .. }) => {
            let body = json!({ "rule": rule });
            let preview = remote.ask("POST", "/api/v1/segments/preview", Some(&body))?;
            show::preview(cli, &preview)
        }
        Some(SegmentsCommand::Members {
            name,
            limit,
            output,
            ..
        }) => {
            let target = Target::of(output.as_deref(), cli.format)?;
            let path = format!("/api/v1/segments/{}/members", encoded(name));
            let members = members(remote, &path, limit.unwrap_or(usize::MAX))?;
            show::members(target, name, members)
        }
        Some(SegmentsCommand::History(args)) => recorded::ask_history(cli, session, remote, args),
        Some(SegmentsCommand::Set(args)) => {
            let path = format!("/api/v1/segments/{}", encoded(&args.name));
            remote.ask("PUT", &path, Some(&json!(args.draft())))?;
            session.tell(&format!("`{}` is in use", args.name));
            Ok(Done::Whole)
        }
        Some(SegmentsCommand::Remove { name }) => {
            remote.ask(
                "DELETE",
                &format!("/api/v1/segments/{}", encoded(name)),
                None,
            )?;
            session.tell(&format!("removed `{name}`"));
            Ok(Done::Whole)
        }
    }
}

/// Customers of a list of the server, at most so many, each as an object.
pub(super) fn members(remote: &Remote, list: &str, most: usize) -> anyhow::Result<Vec<Value>> {
    let mut members: Vec<Value> = Vec::new();
    let mut after = String::new();
    while members.len() < most {
        let limit = (most - members.len()).min(PAGE);
        let page = remote.get(&format!("{list}?limit={limit}{after}"))?;
        let customers = page["customers"].as_array().into_iter().flatten();
        members.extend(customers.map(|id| json!({ "customer_id": id })));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={}", encoded(next)),
            None => break,
        }
    }
    Ok(members)
}
