//! `keys` and `tokens`: who may send and who may ask.

use regulars_store::access::{Access, Grant, GrantKind, NewGrant, Role};
use serde_json::{Value, json};

use crate::cli::{Cli, KeysArgs, KeysCommand, TokensArgs, TokensCommand};
use crate::failure::Done;
use crate::output::Output;
use crate::session::{Session, wall_clock};
use crate::text::{Align, table};

pub(crate) fn keys(cli: &Cli, args: &KeysArgs) -> anyhow::Result<Done> {
    match &args.command {
        KeysCommand::Create { write, client } => {
            create(cli, GrantKind::Key, role_of_key(*client), write)
        }
        KeysCommand::List => list(cli, GrantKind::Key),
        KeysCommand::Revoke { id } => revoke(cli, GrantKind::Key, id),
    }
}

pub(crate) fn tokens(cli: &Cli, args: &TokensArgs) -> anyhow::Result<Done> {
    match &args.command {
        TokensCommand::Create { role, label } => {
            create(cli, GrantKind::Token, (*role).into(), label)
        }
        TokensCommand::List => list(cli, GrantKind::Token),
        TokensCommand::Revoke { id } => revoke(cli, GrantKind::Token, id),
    }
}

/// Of a write key for pages and apps, or for servers.
pub(super) fn role_of_key(is_client_side: bool) -> Role {
    if is_client_side {
        Role::WriteClient
    } else {
        Role::Write
    }
}

fn access(session: &Session) -> anyhow::Result<Access> {
    Ok(Access::load(&session.workspace.data_dir())?)
}

fn create(cli: &Cli, what: GrantKind, role: Role, label: &str) -> anyhow::Result<Done> {
    let session = Session::open(cli)?;
    let NewGrant { grant, secret } = access(&session)?.grant(role, label, wall_clock())?;
    let mut document = view(&grant);
    document["secret"] = secret.into();
    print_secret(cli, &session, what.noun(), &document)
}

/// Shows what was just made.
pub(super) fn print_secret(
    cli: &Cli,
    session: &Session,
    noun: &str,
    made: &Value,
) -> anyhow::Result<Done> {
    session.tell(&format!("The {noun} is shown this once:"));
    let secret = made["secret"].as_str().unwrap_or_default();
    Output::of(made, "", || format!("{secret}\n")).print(cli.format)?;
    Ok(Done::Whole)
}

fn list(cli: &Cli, what: GrantKind) -> anyhow::Result<Done> {
    let session = Session::open(cli)?;
    let access = access(&session)?;
    let grants: Vec<&Grant> = access.grants().iter().filter(|g| what.holds(g)).collect();
    let views: Vec<Value> = grants.iter().map(|grant| view(grant)).collect();
    print_list(cli, &json!({ "grants": views }))
}

/// Shows keys or tokens without their secrets.
pub(super) fn print_list(cli: &Cli, document: &Value) -> anyhow::Result<Done> {
    Output::of(document, "/grants", || {
        let names = ["id", "role", "created_at", "label"];
        let row = |grant: &Value| {
            let field = |name| grant[name].as_str().unwrap_or_default().to_owned();
            names.map(field).to_vec()
        };
        let grants = document["grants"].as_array().into_iter().flatten();
        let columns = ["id", "role", "created", "label"].map(|name| (name, Align::Left));
        table(&columns, &grants.map(row).collect::<Vec<_>>())
    })
    .with_columns(["id", "role", "label", "created_at"])
    .print(cli.format)?;
    Ok(Done::Whole)
}

fn revoke(cli: &Cli, what: GrantKind, id: &str) -> anyhow::Result<Done> {
    let session = Session::open(cli)?;
    let mut access = access(&session)?;
    let known = access.grants().iter().any(|g| g.id == id && what.holds(g));
    if !known || !access.revoke(id)? {
        let noun = what.noun();
        return Err(regulars_pipeline::PipelineError::NotFound {
            what: noun,
            name: id.to_owned(),
            hint: ": `list` shows them".to_owned(),
        }
        .into());
    }
    session.tell(&format!("revoked {} {id}", what.noun()));
    Ok(Done::Whole)
}

fn view(grant: &Grant) -> Value {
    json!({
        "id": grant.id,
        "role": grant.role.name(),
        "label": grant.label,
        "created_at": grant.created_at.to_string(),
    })
}
