//! The JSON documents: their schema is a snapshot, their bytes never differ between two runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::Value;

use crate::shop::{FILES, Shop};

/// A document, with the command that gives it.
pub(crate) struct Sample {
    /// The command, as a title of `docs/json.md` has it.
    pub(crate) command: &'static str,
    pub(crate) document: Value,
}

/// Commands that look at a scored workspace, by the customer and the moment to ask for.
fn looks<'a>(customer: &'a str, at: &'a str) -> Vec<(&'static str, Vec<&'a str>)> {
    let preview = "orders >= 2 or first_order within 400 days";
    let looks: [(&'static str, Vec<&str>); 8] = [
        ("report", vec!["report"]),
        ("segments", vec!["segments"]),
        ("segments show", vec!["segments", "show", "at_risk"]),
        ("segments preview", vec!["segments", "preview", preview]),
        ("segments members", vec!["segments", "members", "dormant"]),
        ("customers show", vec!["customers", "show", customer]),
        ("explain", vec!["explain", customer, "high_value_loyalists"]),
        ("export customers", vec!["export", "customers"]),
    ];
    let dated = looks.into_iter().map(|(command, mut words)| {
        words.extend(["--as-of", at]);
        (command, words)
    });
    dated
        .chain([("models", vec!["models"]), ("traits", vec!["traits"])])
        .collect()
}

/// Documents of every command, of a shop with everything and of one with dates and amounts only,
/// before and after a fit.
#[expect(clippy::too_many_lines, reason = "a list: one entry for each command")]
pub(crate) fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut add = |command, document| samples.push(Sample { command, document });
    let shop = Shop::empty("EUR");
    for file in FILES {
        shop.copy(&format!("shop/{file}"));
    }
    let import = [&["import"], &FILES[..]].concat();
    add("try", shop.json(&["try", "orders.csv"]));
    add(
        "import --dry-run",
        shop.json(&[&import[..], &["--dry-run"]].concat()),
    );
    shop.file(
        "bad.csv",
        "customer_id,date,total\nA,never,1\nB,01/02/2026,2\n",
    );
    add(
        "import --dry-run",
        shop.json(&["import", "bad.csv", "--dry-run"]),
    );
    shop.file(
        "kunden.csv",
        "Debitor;Name;Seit\nK1;Anna Muster;31/01/2026\nK2;Ben Beispiel;05/02/2026\n",
    );
    let told = [
        "import",
        "kunden.csv",
        "--map",
        "customer_id=Debitor",
        "--entity",
        "customers",
    ];
    add(
        "import --dry-run",
        shop.json(&[&told[..], &["--dry-run"]].concat()),
    );
    shop.file(
        "bestellungen.csv",
        "Nr;Debitor;Datum;Status;Betrag\n1;K1;31/01/2026;raus;10,50\n2;K2;06/01/2026;raus;11,00\n",
    );
    let told = [
        "import",
        "bestellungen.csv",
        "--status",
        "raus=placed",
        "--dry-run",
    ];
    add("import --dry-run", shop.json(&told));
    add("import", shop.json(&import));
    add("import", shop.json(&import));
    shop.file("later.csv", "customer_id,date,total\nA,2999-01-01,1\n");
    add("import", shop.json(&["import", "later.csv"]));
    shop.file(
        "named.csv",
        "order_id,customer_id,date,total\nL1,A,2999-01-02,1\n",
    );
    let named = ["import", "named.csv", "--dry-run"];
    add("import --dry-run", shop.json(&named));
    add("import", shop.json(&named[..2]));
    shop.own_segment(
        "everything",
        "revenue > 100 and discount_share < 0.5 and first_order within 900 days \
         and orders where category = 'Shoes' in last 365 days >= 1",
    );
    let explain = ["explain", "K01", "everything", "--as-of", "2026-01-31"];
    add("explain", shop.json(&explain));
    for (command, words) in looks("K01", "2026-01-31") {
        if command != "models" {
            add(command, shop.json(&words));
        }
    }
    add("score", shop.json(&["score", "--as-of", "2026-01-31"]));
    for (command, words) in looks("K03", "2026-01-31") {
        add(command, shop.json(&words));
    }
    let unknown = ["segments", "members", "open_carts"];
    add("segments members", shop.json(&unknown));
    shop.file(
        "likes.csv",
        "customer_id,interests\nK01,\"[\"\"running\"\",\"\"cooking\"\"]\"\n",
    );
    shop.json(&["import", "likes.csv"]);
    shop.own_segment("runners", "traits.interests contains 'Running'");
    let explain = shop.json(&["explain", "K01", "runners"]);
    assert_eq!(explain["explanation"]["holds"], true, "{explain}");
    add("explain", explain);
    add("customers show", shop.json(&["customers", "show", "K01"]));
    for explained in crate::explained::samples() {
        add("explain", explained);
    }
    let generate = [
        "generate",
        "-o",
        "made",
        "--customers",
        "20",
        "--files",
        "csv",
    ];
    add("generate", shop.json(&generate));
    let grouped = Shop::empty("EUR");
    let call = r#"{"type":"group","userId":"K1","groupId":"acme","messageId":"m","timestamp":"2026-01-05T00:00:00Z","traits":{"plan":"pro","seats":3,"fee":1.5,"trial":true}}"#;
    grouped.file("calls.ndjson", &format!("{call}\n"));
    grouped.json(&["import", "calls.ndjson"]);
    add("customers show", grouped.json(&["customers", "show", "K1"]));
    for (command, document) in crate::accounts::samples() {
        add(command, document);
    }
    let cdnow = Shop::cdnow();
    add(
        "import --dry-run",
        cdnow.json(&["import", "cdnow_sample.txt", "--dry-run"]),
    );
    let unknown = [
        "segments",
        "show",
        "price_sensitive",
        "--as-of",
        "1997-09-30",
    ];
    add("segments show", cdnow.json(&unknown));
    for (command, words) in looks("0006", "1997-09-30") {
        add(command, cdnow.json(&words));
    }
    // At the end of the data, orders can be told well enough to be used.
    let end = ["score", "--as-of", "1998-06-30"];
    add("score", cdnow.json(&end));
    for (command, words) in looks("0006", "1998-06-30") {
        add(command, cdnow.json(&words));
    }
    for (command, document) in crate::doctor::samples() {
        add(command, document);
    }
    for (command, document) in crate::deliver::samples() {
        add(command, document);
    }
    samples
}

/// Every path of the document with the types seen there; what is in an array is `[]`.
fn schema(document: &Value, path: &str, types: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    let seen = match document {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(items) => {
            for item in items {
                schema(item, &format!("{path}[]"), types);
            }
            return;
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                // A rule's tree and the parts of an explanation nest as deep as the rule.
                if !["rule_tree", "because"].contains(&name.as_str()) {
                    schema(value, &format!("{path}{dot}{name}"), types);
                }
            }
            return;
        }
    };
    types.entry(path.to_owned()).or_default().insert(seen);
}

/// The schema of each command's documents, over all samples of it.
#[test]
fn the_schema_of_every_document() {
    let mut by_command: BTreeMap<&str, BTreeMap<String, BTreeSet<&str>>> = BTreeMap::new();
    for sample in samples() {
        let types = by_command.entry(sample.command).or_default();
        schema(&sample.document, "", types);
    }
    let mut text = String::new();
    for (command, types) in by_command {
        let _ = writeln!(text, "\n# {command}");
        for (path, types) in types {
            let types: Vec<&str> = types.into_iter().collect();
            let _ = writeln!(text, "{path}: {}", types.join(" or "));
        }
    }
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("json_schema", text);
    });
}

/// Documents that are small enough to be read whole.
#[test]
fn small_documents_in_full() {
    let shop = Shop::empty("EUR");
    for file in FILES {
        shop.copy(&format!("shop/{file}"));
    }
    let json = ["--format", "json"];
    let import = [&["import"], &FILES[..], &json].concat();
    let imported = String::from_utf8(shop.run(&import).stdout).unwrap();
    let root = shop.root().display().to_string();
    let explain = ["explain", "K01", "dormant", "--as-of", "2026-01-31"];
    let explained = shop.good(&[&explain[..], &json].concat());
    let text = format!("{}\n{explained}", imported.replace(&root, "[shop]"));
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("json_in_full", text);
    });
}

/// Two workspaces made alike, on any number of threads, answer alike to the byte.
#[test]
fn answers_never_differ() {
    let (one, other) = (Shop::tiny_scored(), Shop::tiny_scored());
    for (_, words) in looks("K01", "2026-01-31") {
        for format in ["json", "jsonl", "csv", "table"] {
            if words[0] == "export" && format == "table" {
                continue;
            }
            let of = |shop: &Shop, threads: &'static str| {
                shop.good(&[&words[..], &["--format", format, "--threads", threads]].concat())
            };
            let answer = of(&one, "1");
            assert!(!answer.is_empty(), "{words:?} as {format}");
            assert_eq!(answer, of(&one, "1"), "{words:?} as {format}: again");
            assert_eq!(answer, of(&other, "3"), "{words:?} as {format}: 3 threads");
        }
    }
    let look = ["try", "orders.csv", "--format", "json"];
    let answers = ["1", "3"].map(|threads| {
        let output = one.run(&[&look[..], &["--threads", threads]].concat());
        String::from_utf8(output.stdout).unwrap()
    });
    assert_eq!(answers[0], answers[1]);
}
