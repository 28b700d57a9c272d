//! The description of the API in the form of `OpenAPI` 3.1, made of the [operations](super::operations).

use axum::Json;
use serde_json::{Map, Value, json};

use super::operations::{IN_PATHS, Needs, OPERATIONS, Operation, Parameter};
use super::schemas::schemas;

/// `GET /api/v1/openapi.json`.
pub(crate) async fn show() -> Json<Value> {
    Json(openapi())
}

/// The description of the API.
pub fn openapi() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in &OPERATIONS {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = described(operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Regulars",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Customers, segments and who moves between them. Money is in minor \
                units; instants are RFC 3339 in UTC; fields may be added at any time.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "write_key": {"type": "http", "scheme": "basic"},
            },
            "schemas": schemas(),
        },
    })
}

fn described(operation: &Operation) -> Value {
    let in_path = IN_PATHS.iter().filter(|part| {
        let braced = format!("{{{}}}", part.name);
        operation.path.contains(&braced)
    });
    let in_path = in_path.map(|part| parameter("path", part));
    let in_query = operation.query.iter().map(|part| parameter("query", part));
    let parameters: Vec<Value> = in_path.chain(in_query).collect();
    let (status, schema) = operation.answer;
    let mut responses = Map::new();
    let mut answer = json!({"description": "Done."});
    if let Some(schema) = schema {
        answer["content"] = content(schema);
    }
    responses.insert(status.to_string(), answer);
    for status in operation.problems {
        let problem = json!({
            "description": meaning_of(*status),
            "content": {"application/problem+json": {"schema": reference("Problem")}},
        });
        responses.insert(status.to_string(), problem);
    }
    let security = match operation.needs {
        Needs::Nothing => json!([]),
        Needs::WriteKey => json!([{"write_key": []}]),
        Needs::Reader | Needs::Analyst | Needs::Admin | Needs::Local => json!([{"token": []}]),
    };
    let roles = operation.needs.roles().iter().map(|role| role.name());
    let roles: Vec<&str> = roles.collect();
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "security": security,
        "x-roles": roles,
        "responses": responses,
    });
    let details = details(operation);
    if !details.is_empty() {
        described["description"] = details.into();
    }
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(schema) = operation.body {
        described["requestBody"] = json!({"required": true, "content": content(schema)});
    }
    described
}

/// What else there is to say, and which token it takes.
pub(super) fn details(operation: &Operation) -> String {
    let needs = match operation.needs {
        Needs::Analyst => "Needs a token of role `analyst` or `admin`.",
        Needs::Admin => "Needs a token of role `admin`.",
        Needs::Local => "Needs the token of `data/serving.json`.",
        Needs::Nothing | Needs::WriteKey | Needs::Reader => "",
    };
    let parts = [operation.details, needs].into_iter();
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

fn parameter(place: &str, part: &Parameter) -> Value {
    json!({
        "name": part.name,
        "in": place,
        "required": place == "path",
        "description": part.meaning,
        "schema": {"type": part.kind},
    })
}

fn content(schema: &str) -> Value {
    match schema {
        "Page" => json!({"text/html": {"schema": {"type": "string"}}}),
        "Text" => json!({"text/plain": {"schema": {"type": "string"}}}),
        schema => json!({"application/json": {"schema": reference(schema)}}),
    }
}

pub(super) fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

/// What a status of a problem means.
fn meaning_of(status: u16) -> &'static str {
    match status {
        400 => "The request does not make sense; the message says where.",
        401 => "The token or write key is missing or unknown.",
        403 => "The token's role may not do this.",
        404 => "There is no such thing.",
        408 => "The body took too long to arrive: send it again.",
        409 => "The workspace as it lies on disk makes no sense: nothing was done.",
        413 => "The body is too large.",
        415 => "The body is of a kind that is not understood.",
        429 => {
            "The write key sends more events than it may: try again after `Retry-After` seconds."
        }
        _ => "The server is stopping, or more is waiting than it can keep up with: try again.",
    }
}

#[cfg(test)]
mod tests;
