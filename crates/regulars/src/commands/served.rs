//! What commands do while a server uses the workspace: ask it.

mod show;

use anyhow::anyhow;
use regulars_pipeline::Workspace;
use serde_json::{Value, json};

use crate::cli::{
    Cli, Command, CustomersCommand, KeysCommand, LookArgs, SegmentsCommand, TokensCommand,
};
use crate::commands::{keys, transitions};
use crate::failure::{Done, Usage};
use crate::remote::{Remote, RemoteError, encoded};
use crate::serving::Serving;
use crate::session::Session;

/// The most members that the server gives at once.
const PAGE: usize = 10_000;

/// Lets the server that uses the workspace do the command; `None` when there is no such server or
/// the command needs no workspace.
pub(crate) fn through_server(cli: &Cli) -> anyhow::Result<Option<Done>> {
    if !concerns(&cli.command) {
        return Ok(None);
    }
    let start = cli.workspace.clone().unwrap_or_else(|| ".".into());
    // Without a workspace the command itself says so.
    let Ok(workspace) = Workspace::find(&start) else {
        return Ok(None);
    };
    let Some(serving) = Serving::read(&workspace.data_dir()) else {
        return Ok(None);
    };
    let session = Session::of(cli, workspace);
    let remote = Remote { serving };
    match ask(cli, &session, &remote) {
        Ok(done) => Ok(Some(done)),
        Err(error) => match error.downcast_ref::<RemoteError>() {
            Some(RemoteError::Gone(address)) => {
                session.tell(&format!(
                    "data/serving.json is left over from a server at {address} that is no more: ignored"
                ));
                Ok(None)
            }
            Some(RemoteError::Refused { .. } | RemoteError::Broken { .. }) | None => Err(error),
        },
    }
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
            | Command::Explain(_)
            | Command::Transitions(_)
            | Command::Keys(_)
            | Command::Tokens(_)
            | Command::Models
            | Command::Export(_)
    )
}

fn ask(cli: &Cli, session: &Session, remote: &Remote) -> anyhow::Result<Done> {
    let get = |path: String| -> anyhow::Result<Value> { Ok(remote.get(&path)?) };
    match &cli.command {
        Command::Segments(args) => match &args.command {
            None => {
                now_only(remote, &args.look)?;
                let segments = get("/api/v1/segments".to_owned())?;
                show::segments(cli, &json!({ "segments": segments }))
            }
            Some(SegmentsCommand::Show { name, look }) => {
                now_only(remote, look)?;
                let segment = get(format!("/api/v1/segments/{}", encoded(name)))?;
                show::segment(cli, &segment)
            }
            Some(SegmentsCommand::Preview { rule, look }) => {
                now_only(remote, look)?;
                let body = json!({ "rule": rule });
                let preview = remote.ask("POST", "/api/v1/segments/preview", Some(&body))?;
                show::preview(cli, &preview)
            }
            Some(SegmentsCommand::Members {
                name,
                look,
                limit,
                output,
            }) => {
                now_only(remote, look)?;
                let members = members(remote, name, limit.unwrap_or(usize::MAX))?;
                show::members(cli, name, members, output.as_deref())
            }
        },
        Command::Customers(args) => match &args.command {
            CustomersCommand::Show { customer, look } => {
                now_only(remote, look)?;
                let found = get(format!("/api/v1/customers/{}", encoded(customer)))?;
                show::customer(cli, session, &found)
            }
        },
        Command::Explain(args) => {
            now_only(remote, &args.look)?;
            let (customer, segment) = (encoded(&args.customer), encoded(&args.segment));
            let path = format!("/api/v1/customers/{customer}/segments/{segment}");
            show::explanation(cli, session, &get(path)?)
        }
        Command::Transitions(args) => transitions::ask(cli, session, remote, args),
        Command::Keys(args) => match &args.command {
            KeysCommand::Create { write } => {
                let body = json!({ "label": write });
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
        _ => {
            // Is anybody there at all?
            remote.get("/health")?;
            Err(anyhow!(
                "{}; stop it, or copy the workspace and work on the copy",
                in_use(remote)
            ))
        }
    }
}

fn members(remote: &Remote, segment: &str, most: usize) -> anyhow::Result<Vec<Value>> {
    let mut members: Vec<Value> = Vec::new();
    let mut after = String::new();
    while members.len() < most {
        let limit = (most - members.len()).min(PAGE);
        let segment = encoded(segment);
        let path = format!("/api/v1/segments/{segment}/members?limit={limit}{after}");
        let page = remote.get(&path)?;
        let customers = page["customers"].as_array().into_iter().flatten();
        members.extend(customers.map(|id| json!({ "customer_id": id })));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={}", encoded(next)),
            None => break,
        }
    }
    Ok(members)
}

/// The server knows what is now.
fn now_only(remote: &Remote, look: &LookArgs) -> anyhow::Result<()> {
    if look.as_of.as_of.is_none() && !look.restated {
        return Ok(());
    }
    remote.get("/health")?;
    let option = if look.restated {
        "--restated"
    } else {
        "--as-of"
    };
    Err(Usage(format!(
        "{} and answers for now; stop it, or leave out {option}",
        in_use(remote)
    ))
    .into())
}

fn in_use(remote: &Remote) -> String {
    format!(
        "the server at http://{} (process {}) is using this workspace",
        remote.serving.address, remote.serving.pid
    )
}
