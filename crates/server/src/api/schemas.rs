//! What bodies and answers look like, as JSON Schema.

use serde_json::{Map, Value, json};

use super::document::reference;

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

fn words(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}

fn text() -> Value {
    json!({"type": "string"})
}

fn text_or_null() -> Value {
    json!({"type": ["string", "null"]})
}

fn instant() -> Value {
    json!({"type": "string", "format": "date-time"})
}

fn instant_or_null() -> Value {
    json!({"type": ["string", "null"], "format": "date-time"})
}

fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn minor() -> Value {
    json!({"type": "integer", "description": "Minor units of the currency."})
}

fn any_object() -> Value {
    json!({"type": "object"})
}

/// All of them, by name.
pub(super) fn schemas() -> Value {
    let grant = grant();
    let secret = [&grant[..], &[("secret", text())]].concat();
    json!({
        "Anything": any_object(),
        "Problem": object(&[
            ("code", text()),
            ("message", text()),
            ("title", text()),
            ("status", count()),
        ]),
        "Customers": object(&[("customers", array(&listed())), ("next", text_or_null())]),
        "Customer": {"oneOf": [customer(), customer_then()]},
        "Order": order(),
        "Timeline": object(&[("happenings", array(&happening())), ("next", text_or_null())]),
        "Explained": {"oneOf": [explained(), explained_then()]},
        "Accounts": accounts(),
        "Account": account(),
        "Segments": array(&object(&segment())),
        "Segment": object(&[&segment()[..], &segment_details()[..]].concat()),
        "SegmentDraft": {
            "type": "object",
            "required": ["rule"],
            "properties": {
                "title": text_or_null(),
                "rule": text(),
                "meaning": text(),
                "play": array(&text()),
            },
        },
        "Members": object(&[("customers", array(&text())), ("next", text_or_null())]),
        "Rule": object(&[("rule", text())]),
        "Previewed": object(&[
            ("rule", text()),
            ("in_words", text()),
            ("customers", count()),
            ("everyone", count()),
            ("hints", array(&text())),
        ]),
        "Transitions": object(&[("transitions", array(&transition())), ("next", text_or_null())]),
        "Memberships": object(&[
            ("customer_id", text()),
            ("memberships", array(&stay())),
            ("next", text_or_null()),
        ]),
        "Identity": identity(),
        "Unmerged": unmerged(),
        "SegmentHistory": object(&[
            ("segment", text()),
            ("by", words(&["day", "hour"])),
            ("time_zone", text()),
            ("intervals", array(&interval())),
        ]),
        "Grants": object(&[("grants", array(&object(&grant)))]),
        "NewGrant": object(&secret),
        "NewKey": new_key(),
        "NewToken": new_token(),
        "Destinations": object(&[("destinations", array(&object(&destination())))]),
        "NewDestination": {
            "type": "object",
            "required": ["url"],
            "properties": {
                "url": text(),
                "segments": wanted_segments(),
                "form": forms(),
                "causes": array(&text()),
                "allow_http": {"type": "boolean"},
            },
        },
        "WithSecret": object(&[&destination()[..], &[("secret", text())]].concat()),
        "Deliveries": object(&[("deliveries", array(&reference("Delivery")))]),
        "Delivery": delivery(),
        "Attempts": object(&[("id", text()), ("attempts", array(&attempt()))]),
        "Taken": taken(),
    })
}

fn identity() -> Value {
    let name = object(&[
        ("name", text()),
        (
            "kind",
            words(&["customer_id", "email", "anonymous_id", "previous_id"]),
        ),
    ]);
    let rule = json!({"type": ["string", "null"], "enum": ["device", "email", "alias", null]});
    let event = object(&[
        ("offset", count()),
        ("recorded_at", instant()),
        (
            "what",
            words(&["merged", "refused", "unmerged", "taken_over"]),
        ),
        ("name", text_or_null()),
        ("with", text_or_null()),
        ("from", text_or_null()),
        ("rule", rule),
        ("event", text_or_null()),
        ("key", text_or_null()),
        ("count", json!({"type": ["integer", "null"]})),
        ("why", text()),
    ]);
    object(&[
        ("customer_id", text()),
        ("names", array(&name)),
        ("history", array(&event)),
        ("next", text_or_null()),
    ])
}

fn new_token() -> Value {
    let role = words(&["read_only", "analyst", "admin", "erase"]);
    json!({
        "type": "object",
        "required": ["role"],
        "properties": {"role": role, "label": text()},
    })
}

fn unmerged() -> Value {
    object(&[
        ("name", text()),
        ("from", text()),
        ("along", array(&text())),
    ])
}

fn new_key() -> Value {
    json!({
        "type": "object",
        "properties": {"label": text(), "role": words(&["write", "write_client"])},
    })
}

/// A customer of a list.
fn listed() -> Value {
    object(&[
        ("customer_id", text()),
        ("lifecycle", text()),
        ("segments", array(&text())),
    ])
}

/// A customer now.
fn customer() -> Value {
    let since = ("since", instant_or_null());
    let of_segment = object(&[&of_segment()[..], &[since]].concat());
    object(&[&of_customer()[..], &[("segments", array(&of_segment))]].concat())
}

/// A customer at a past moment.
fn customer_then() -> Value {
    let more = [
        ("scores", json!({"type": ["object", "null"]})),
        ("unmatched_credit_minor", minor()),
        ("segments", array(&object(&of_segment()))),
    ];
    object(&[&of_customer()[..], &more].concat())
}

fn explained() -> Value {
    object(&[
        ("customer_id", text()),
        ("as_of", instant()),
        ("currency", text()),
        ("since", instant_or_null()),
        ("last_change", last_change()),
        ("explanation", any_object()),
    ])
}

/// What last made a customer enter or leave a segment.
fn last_change() -> Value {
    let event = object(&[
        ("kind", text()),
        ("name", text()),
        ("occurred_at", instant()),
        ("received_at", instant()),
    ]);
    let change = object(&[
        ("direction", text()),
        ("occurred_at", instant()),
        ("recorded_at", instant()),
        ("cause", any_object()),
        ("event", json!({"oneOf": [event, {"type": "null"}]})),
    ]);
    json!({"oneOf": [change, {"type": "null"}]})
}

fn explained_then() -> Value {
    object(&[
        ("customer_id", text()),
        ("as_of", instant()),
        ("fitted_as_of", instant_or_null()),
        ("currency", text()),
        ("availability", any_object()),
        ("hints", array(&text())),
        ("last_change", last_change()),
        ("explanation", any_object()),
    ])
}

fn of_segment() -> [(&'static str, Value); 4] {
    [
        ("segment", text()),
        ("title", text()),
        ("because", text()),
        ("leaves_at", instant_or_null()),
    ]
}

fn of_customer() -> [(&'static str, Value); 9] {
    let of_trait = object(&[
        ("name", text()),
        ("value", json!({})),
        ("unit", text()),
        ("meaning", text()),
    ]);
    [
        ("customer_id", text()),
        ("as_of", instant()),
        ("currency", text()),
        ("currency_exponent", count()),
        ("lifecycle", text()),
        ("traits", array(&of_trait)),
        ("declared", any_object()),
        ("account", any_object()),
        ("orders", array(&reference("Order"))),
    ]
}

fn accounts() -> Value {
    object(&[
        ("as_of", instant()),
        ("currency", text()),
        ("currency_exponent", count()),
        ("accounts", array(&object(&account_figures()))),
        ("next", text_or_null()),
    ])
}

fn account() -> Value {
    let more = [
        ("as_of", instant()),
        ("currency", text()),
        ("currency_exponent", count()),
        ("traits", any_object()),
    ];
    object(&[&account_figures()[..], &more].concat())
}

fn account_figures() -> [(&'static str, Value); 7] {
    [
        ("account", text()),
        ("customers", count()),
        ("active_customers", count()),
        ("orders", count()),
        ("revenue_minor", minor()),
        ("last_order_at", instant_or_null()),
        ("last_activity_at", instant_or_null()),
    ]
}

fn order() -> Value {
    let line = object(&[
        ("product_id", text()),
        ("name", text_or_null()),
        ("quantity", json!({"type": "number"})),
        ("net_minor", minor()),
    ]);
    object(&[
        ("order_id", text()),
        ("occurred_at", instant()),
        ("kind", words(&["sale", "credit", "refund"])),
        ("status", text()),
        ("counts", json!({"type": "boolean"})),
        ("net_minor", minor()),
        ("refunded_minor", minor()),
        ("unapplied_minor", minor()),
        ("lines", array(&line)),
    ])
}

fn happening() -> Value {
    let calls = ["identify", "track", "page", "screen", "group", "alias"];
    let event = object(&[
        ("type", json!({"const": "event"})),
        ("kind", words(&calls)),
        ("name", text()),
        ("occurred_at", instant()),
        ("received_at", instant()),
        ("properties", any_object()),
    ]);
    let of_order = object(&[("type", json!({"const": "order"}))]);
    json!({"oneOf": [event, {"allOf": [of_order, reference("Order")]}]})
}

fn segment() -> [(&'static str, Value); 5] {
    [
        ("segment", text()),
        ("title", text()),
        ("rule", text()),
        ("in_words", text()),
        ("customers", count()),
    ]
}

fn segment_details() -> [(&'static str, Value); 6] {
    [
        ("family", text()),
        ("origin", words(&["ready_made", "derived", "workspace"])),
        ("meaning", text()),
        ("play", array(&text())),
        ("as_of", instant()),
        ("everyone", count()),
    ]
}

fn transition() -> Value {
    object(&[
        ("id", text()),
        ("customer_id", text_or_null()),
        ("segment", text()),
        ("version", count()),
        ("sequence", count()),
        ("direction", words(&["entered", "exited"])),
        ("occurred_at", instant()),
        ("recorded_at", instant()),
        ("cause", any_object()),
    ])
}

fn stay() -> Value {
    let moved = json!({
        "type": ["object", "null"],
        "required": ["id", "version", "sequence", "recorded_at", "cause"],
        "properties": {
            "id": text(),
            "version": count(),
            "sequence": count(),
            "recorded_at": instant(),
            "cause": any_object(),
        },
    });
    object(&[
        ("customer_id", text_or_null()),
        ("segment", text()),
        ("entered_at", instant_or_null()),
        ("left_at", instant_or_null()),
        ("entered", moved.clone()),
        ("left", moved),
    ])
}

fn interval() -> Value {
    object(&[
        ("start", instant()),
        ("end", instant()),
        ("entered", count()),
        ("left", count()),
        ("members", json!({"type": ["integer", "null"]})),
    ])
}

fn grant() -> [(&'static str, Value); 4] {
    let roles = [
        "write",
        "write_client",
        "read_only",
        "analyst",
        "admin",
        "erase",
    ];
    [
        ("id", text()),
        ("role", words(&roles)),
        ("label", text()),
        ("created_at", instant()),
    ]
}

fn wanted_segments() -> Value {
    json!({"oneOf": [{"const": "all"}, array(&text())]})
}

fn forms() -> Value {
    words(&["standard", "segment", "segment_identify"])
}

fn destination() -> [(&'static str, Value); 10] {
    [
        ("id", text()),
        ("url", text()),
        ("form", forms()),
        ("segments", wanted_segments()),
        ("causes", array(&text())),
        ("created_at", instant()),
        ("enabled", json!({"type": "boolean"})),
        ("pending", count()),
        ("in_flight", count()),
        ("held_until", instant_or_null()),
    ]
}

fn delivery() -> Value {
    let count_or_null = json!({"type": ["integer", "null"]});
    let statuses = ["pending", "in_flight", "delivered", "dead", "expired"];
    object(&[
        ("id", text()),
        ("destination", text()),
        ("transition_id", text()),
        ("customer_id", text_or_null()),
        ("segment", text()),
        ("direction", words(&["entered", "exited"])),
        ("occurred_at", instant()),
        ("status", words(&statuses)),
        ("attempts", count()),
        ("due_at", instant_or_null()),
        ("changed_at", instant_or_null()),
        ("took_ms", count_or_null.clone()),
        ("answered", count_or_null),
        ("last_error", json!({"type": ["object", "null"]})),
        ("last_error_text", text_or_null()),
    ])
}

fn attempt() -> Value {
    let count_or_null = json!({"type": ["integer", "null"]});
    let results = ["delivered", "failed", "dead", "expired", "replayed"];
    object(&[
        ("result", words(&results)),
        ("number", count_or_null.clone()),
        ("started_at", instant_or_null()),
        ("ended_at", instant()),
        ("took_ms", count_or_null.clone()),
        ("answered", count_or_null),
        ("error", json!({"type": ["object", "null"]})),
        ("error_text", text_or_null()),
        ("next_at", instant_or_null()),
    ])
}

fn taken() -> Value {
    let rejected = object(&[("index", count()), ("code", text()), ("message", text())]);
    json!({
        "type": "object",
        "required": ["success"],
        "properties": {"success": {"type": "boolean"}, "rejected": array(&rejected)},
    })
}
