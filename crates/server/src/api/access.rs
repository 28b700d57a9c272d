//! Write keys and API tokens: who may send and who may ask.

use std::sync::{Arc, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use regulars_store::access::{Grant, GrantKind, Role};
use serde::{Deserialize, Serialize};

use super::asked::{Named, Told};
use super::{Admin, ask};
use crate::answer::Problem;
use crate::state::Server;

/// A key or token, without its secret.
#[derive(Debug, Serialize)]
pub(crate) struct GrantView {
    id: String,
    role: &'static str,
    label: String,
    created_at: String,
}

/// All keys or tokens.
#[derive(Debug, Serialize)]
pub(crate) struct Grants {
    grants: Vec<GrantView>,
}

/// A key or token that was just made: its secret is told this once.
#[derive(Debug, Serialize)]
pub(crate) struct NewGrantView {
    #[serde(flatten)]
    grant: GrantView,
    secret: String,
}

/// A write key to be made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    #[serde(default)]
    label: String,
    #[serde(default = "server_side")]
    role: Role,
}

fn server_side() -> Role {
    Role::Write
}

/// A token to be made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    role: Role,
    #[serde(default)]
    label: String,
}

/// `GET /api/v1/keys`.
pub(crate) async fn keys(_: Admin, State(server): State<Arc<Server>>) -> Json<Grants> {
    list(&server, GrantKind::Key)
}

/// `GET /api/v1/tokens`.
pub(crate) async fn tokens(_: Admin, State(server): State<Arc<Server>>) -> Json<Grants> {
    list(&server, GrantKind::Token)
}

/// `POST /api/v1/keys`.
pub(crate) async fn make_key(
    _: Admin,
    State(server): State<Arc<Server>>,
    Told(new): Told<NewKey>,
) -> Result<(StatusCode, Json<NewGrantView>), Problem> {
    if !new.role.is_write() {
        let role = new.role.name();
        let message = format!(
            "a write key cannot have the role `{role}`: give `write` for servers or \
             `write_client` for pages and apps; POST /api/v1/tokens makes tokens"
        );
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_role", message));
    }
    make(&server, new.role, new.label).await
}

/// `POST /api/v1/tokens`.
pub(crate) async fn make_token(
    _: Admin,
    State(server): State<Arc<Server>>,
    Told(new): Told<NewToken>,
) -> Result<(StatusCode, Json<NewGrantView>), Problem> {
    if new.role.is_write() {
        let role = new.role.name();
        let message =
            format!("a token cannot have the role `{role}`: POST /api/v1/keys makes write keys");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "bad_role", message));
    }
    make(&server, new.role, new.label).await
}

/// `DELETE /api/v1/keys/{id}`.
pub(crate) async fn revoke_key(
    _: Admin,
    State(server): State<Arc<Server>>,
    Named(id): Named<String>,
) -> Result<StatusCode, Problem> {
    revoke(&server, GrantKind::Key, id).await
}

/// `DELETE /api/v1/tokens/{id}`.
pub(crate) async fn revoke_token(
    _: Admin,
    State(server): State<Arc<Server>>,
    Named(id): Named<String>,
) -> Result<StatusCode, Problem> {
    revoke(&server, GrantKind::Token, id).await
}

fn list(server: &Server, what: GrantKind) -> Json<Grants> {
    let access = server.access.read().unwrap_or_else(PoisonError::into_inner);
    let grants = access.grants().iter().filter(|grant| what.holds(grant));
    Json(Grants {
        grants: grants.map(view).collect(),
    })
}

async fn make(
    server: &Arc<Server>,
    role: Role,
    label: String,
) -> Result<(StatusCode, Json<NewGrantView>), Problem> {
    let made = ask(server, move |server| {
        let now = server.live.now();
        let mut access = server
            .access
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        // Another process may have changed the file a moment ago.
        Some(
            access
                .reload()
                .and_then(|()| access.grant(role, &label, now)),
        )
    });
    let made = made.await?.map_err(|error| Problem::failed(&error))?;
    let view = NewGrantView {
        grant: view(&made.grant),
        secret: made.secret,
    };
    Ok((StatusCode::CREATED, Json(view)))
}

async fn revoke(server: &Arc<Server>, what: GrantKind, id: String) -> Result<StatusCode, Problem> {
    let asked = id.clone();
    let revoked = ask(server, move |server| {
        let mut access = server
            .access
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let revoked = access.reload().and_then(|()| {
            let mut grants = access.grants().iter();
            if grants.any(|grant| grant.id == asked && what.holds(grant)) {
                access.revoke(&asked)
            } else {
                Ok(false)
            }
        });
        Some(revoked)
    });
    if revoked.await?.map_err(|error| Problem::failed(&error))? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found(&format!("{} `{id}`", what.noun())))
    }
}

fn view(grant: &Grant) -> GrantView {
    GrantView {
        id: grant.id.clone(),
        role: grant.role.name(),
        label: grant.label.clone(),
        created_at: grant.created_at.to_string(),
    }
}
