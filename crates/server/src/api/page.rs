//! The description of the API as one page that needs nothing from anywhere else.

use std::fmt::Write as _;

use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::document::{details, openapi};
use super::operations::{Needs, OPERATIONS, Operation};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;\
padding:0 1rem;color:#1a1a1a;background:#fff}h2{margin:2.5rem 0 .25rem;font-size:1.1rem}\
code,pre{font:14px/1.45 ui-monospace,monospace}pre{background:#f4f4f2;padding:.75rem 1rem;\
overflow:auto;border-radius:4px}b.method{display:inline-block;min-width:4.2rem}table{border-collapse:\
collapse}td{padding:.15rem 1rem .15rem 0;vertical-align:top}nav a{display:block}summary{cursor:pointer}\
a{color:#1c4fa0}@media(prefers-color-scheme:dark){body{color:#e8e8e8;background:#161616}\
pre{background:#242424}a{color:#8ab4f8}}";

/// `GET /api/v1/docs`.
pub(crate) async fn show() -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'";
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (headers, page()).into_response()
}

fn page() -> String {
    let document = openapi();
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>Regulars API</title><style>{STYLE}</style>\
         <h1>Regulars API</h1><p>Send <code>Authorization: Bearer TOKEN</code>; <code>regulars \
         tokens create --role read-only</code> makes a token. Money is in minor units, instants \
         are RFC 3339 in UTC. An error is <code>application/problem+json</code> with \
         <code>code</code> and <code>message</code>. The same as \
         <a href=\"/api/v1/openapi.json\">OpenAPI 3.1</a>.</p><nav>"
    );
    for operation in &OPERATIONS {
        let _ = write!(
            page,
            "<a href=\"#{}\"><code><b class=\"method\">{}</b> {}</code></a>",
            operation.id,
            operation.method.to_uppercase(),
            operation.path
        );
    }
    page.push_str("</nav>");
    for operation in &OPERATIONS {
        write_operation(&mut page, operation, &document);
    }
    page.push_str("</html>\n");
    page
}

fn write_operation(page: &mut String, operation: &Operation, document: &serde_json::Value) {
    let method = operation.method.to_uppercase();
    let needs = match operation.needs {
        Needs::Nothing => "no token",
        Needs::WriteKey => "a write key",
        Needs::Reader => "a token of role read_only, analyst or admin",
        Needs::Analyst => "a token of role analyst or admin",
        Needs::Admin => "a token of role admin",
        Needs::Local => "the token of data/serving.json",
    };
    let _ = write!(
        page,
        "<section id=\"{}\"><h2>{}</h2><code><b>{method}</b> {}</code><p>{}</p><p>Needs {needs}.</p>",
        operation.id,
        escaped(operation.summary),
        operation.path,
        escaped(&details(operation)),
    );
    let described = &document["paths"][operation.path][operation.method];
    if let Some(parameters) = described["parameters"].as_array() {
        page.push_str("<table>");
        for parameter in parameters {
            let text = |name: &str| escaped(parameter[name].as_str().unwrap_or_default());
            let _ = write!(
                page,
                "<tr><td><code>{}</code><td>{}<td>{}",
                text("name"),
                text("in"),
                text("description")
            );
        }
        page.push_str("</table>");
    }
    let schemas = [("Body", operation.body), ("Answer", operation.answer.1)];
    for (what, schema) in schemas {
        let schema = schema.map(|name| &document["components"]["schemas"][name]);
        if let Some(schema) = schema.filter(|schema| schema.is_object()) {
            let text = escaped(&format!("{schema:#}"));
            let _ = write!(
                page,
                "<details><summary>{what}</summary><pre>{text}</pre></details>"
            );
        }
    }
    let statuses = described["responses"].as_object().into_iter().flatten();
    page.push_str("<table>");
    for (status, response) in statuses {
        let meaning = escaped(response["description"].as_str().unwrap_or_default());
        let _ = write!(page, "<tr><td>{status}<td>{meaning}");
    }
    page.push_str("</table></section>");
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_operation_and_asks_nobody_for_anything() {
        let page = page();
        for operation in &OPERATIONS {
            assert!(page.contains(&format!("<section id=\"{}\">", operation.id)));
        }
        for outside in ["http://", "https://", "<script", "src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
