//! The description of the API as OpenAPI 3.1, made of the [operations](super::operations).

use axum::Json;
use serde_json::{Map, Value, json};

use super::operations::{IN_PATHS, Needs, OPERATIONS, Operation, Parameter};

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
        Needs::Reader | Needs::Admin => json!([{"token": []}]),
    };
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "security": security,
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
        Needs::Admin => "Needs a token of role `admin`.",
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

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

/// What a status of a problem means.
fn meaning_of(status: u16) -> &'static str {
    match status {
        400 => "The request does not make sense; the message says where.",
        401 => "The token or write key is missing or unknown.",
        403 => "The token's role may not do this.",
        404 => "There is no such thing.",
        413 => "The body is too large.",
        415 => "The body is of a kind that is not understood.",
        _ => "The server is stopping, or more is waiting than it can keep up with: try again.",
    }
}

/// An object of which all these fields are there.
fn object(fields: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let fields = fields.iter().cloned();
    let fields: Map<String, Value> = fields.map(|(name, kind)| (name.to_owned(), kind)).collect();
    json!({"type": "object", "required": names, "properties": fields})
}

fn array(items: &Value) -> Value {
    json!({"type": "array", "items": items})
}

fn schemas() -> Value {
    let text = json!({"type": "string"});
    let texts = array(&text);
    let maybe = json!({"type": ["string", "null"]});
    let at = json!({"type": "string", "format": "date-time"});
    let maybe_at = json!({"type": ["string", "null"], "format": "date-time"});
    let count = json!({"type": "integer", "minimum": 0});
    let money = json!({"type": "integer"});
    let any = json!({});
    let map = json!({"type": "object"});
    let word = |words: &[&str]| json!({"type": "string", "enum": words});
    let grant = [
        ("id", text.clone()),
        (
            "role",
            word(&["write", "read_only", "analyst", "admin", "erase"]),
        ),
        ("label", text.clone()),
        ("created_at", at.clone()),
    ];
    let segment = [
        ("segment", text.clone()),
        ("title", text.clone()),
        ("rule", text.clone()),
        ("in_words", text.clone()),
        ("customers", count.clone()),
    ];
    let whole = [
        ("family", text.clone()),
        ("origin", word(&["ready_made", "derived", "workspace"])),
        ("meaning", text.clone()),
        ("play", texts.clone()),
        ("as_of", at.clone()),
        ("everyone", count.clone()),
    ];
    let mut secret = grant.to_vec();
    secret.push(("secret", text.clone()));
    let line = object(&[
        ("product_id", text.clone()),
        ("name", maybe.clone()),
        ("quantity", json!({"type": "number"})),
        ("net_minor", money.clone()),
    ]);
    let order = object(&[
        ("order_id", text.clone()),
        ("occurred_at", at.clone()),
        ("kind", word(&["sale", "credit", "refund"])),
        ("status", text.clone()),
        ("counts", json!({"type": "boolean"})),
        ("net_minor", money.clone()),
        ("refunded_minor", money),
        ("lines", array(&line)),
    ]);
    let customer = object(&[
        ("customer_id", text.clone()),
        ("as_of", at.clone()),
        ("currency", text.clone()),
        ("currency_exponent", count.clone()),
        ("lifecycle", text.clone()),
        (
            "traits",
            array(&object(&[
                ("name", text.clone()),
                ("value", any.clone()),
                ("unit", text.clone()),
                ("meaning", text.clone()),
            ])),
        ),
        ("declared", map.clone()),
        ("orders", array(&reference("Order"))),
        (
            "segments",
            array(&object(&[
                ("segment", text.clone()),
                ("title", text.clone()),
                ("because", text.clone()),
                ("leaves_at", maybe_at.clone()),
                ("since", maybe_at.clone()),
            ])),
        ),
    ]);
    let happening = json!({"oneOf": [
        object(&[
            ("type", json!({"const": "event"})),
            ("kind", word(&["identify", "track", "page", "screen", "group", "alias"])),
            ("name", text.clone()),
            ("occurred_at", at.clone()),
            ("received_at", at.clone()),
            ("properties", map.clone()),
        ]),
        {"allOf": [object(&[("type", json!({"const": "order"}))]), reference("Order")]},
    ]});
    let transition = object(&[
        ("id", text.clone()),
        ("customer_id", maybe.clone()),
        ("segment", text.clone()),
        ("version", count.clone()),
        ("sequence", count.clone()),
        ("direction", word(&["entered", "exited"])),
        ("occurred_at", at.clone()),
        ("recorded_at", at.clone()),
        ("cause", map.clone()),
    ]);
    let role = word(&["read_only", "analyst", "admin", "erase"]);
    let rejected = object(&[
        ("index", count.clone()),
        ("code", text.clone()),
        ("message", text.clone()),
    ]);
    json!({
        "Anything": map,
        "Problem": object(&[
            ("code", text.clone()),
            ("message", text.clone()),
            ("title", text.clone()),
            ("status", count.clone()),
        ]),
        "Customer": customer,
        "Order": order,
        "Timeline": object(&[("happenings", array(&happening)), ("next", maybe.clone())]),
        "Explained": object(&[
            ("customer_id", text.clone()),
            ("as_of", at),
            ("currency", text.clone()),
            ("since", maybe_at),
            ("explanation", map.clone()),
        ]),
        "Segments": array(&object(&segment)),
        "Segment": object(&[&segment[..], &whole[..]].concat()),
        "Members": object(&[("customers", texts), ("next", maybe.clone())]),
        "Rule": object(&[("rule", text.clone())]),
        "Previewed": object(&[
            ("rule", text.clone()),
            ("in_words", text.clone()),
            ("customers", count.clone()),
            ("everyone", count),
        ]),
        "Transitions": object(&[("transitions", array(&transition)), ("next", maybe)]),
        "Grants": object(&[("grants", array(&object(&grant)))]),
        "NewGrant": object(&secret),
        "NewKey": {"type": "object", "properties": {"label": text}},
        "NewToken": {"type": "object", "required": ["role"], "properties": {"role": role, "label": text}},
        "Taken": {
            "type": "object",
            "required": ["success"],
            "properties": {"success": {"type": "boolean"}, "rejected": array(&rejected)},
        },
    })
}

#[cfg(test)]
mod tests;
