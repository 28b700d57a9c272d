//! SDKs as they are published, with nothing but host and key changed: they send the story of a
//! customer to the binary, and the API tells it back.
//!
//! `.ci/clients` installs them and prints where; `REGULARS_CLIENTS` names that directory. Without
//! it a test says in one line that it was skipped; with `REGULARS_REQUIRE_CLIENTS=1` it fails.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::server::Server;
use crate::shop::{Shop, repository};

/// A client: its package, the file of it that must be there, and what runs its script.
struct Client {
    package: &'static str,
    file: &'static str,
    script: &'static str,
}

impl Client {
    /// Where the packages are; `None`, having said so, when this one is not.
    fn installed(&self) -> Option<PathBuf> {
        let directory = std::env::var_os("REGULARS_CLIENTS").map(PathBuf::from);
        let found = directory.filter(|directory| directory.join(self.file).exists());
        if found.is_none() {
            let required = std::env::var_os("REGULARS_REQUIRE_CLIENTS").is_some();
            assert!(
                !required,
                "{} is not installed: run .ci/clients",
                self.package
            );
            // Past the capture of the test runner: a skip is seen.
            let package = self.package;
            let line = format!("skipped: {package} is not installed (.ci/clients)\n");
            std::io::stderr().write_all(line.as_bytes()).unwrap();
        }
        found
    }

    /// Runs its script to the end.
    fn run(&self, installed: &Path, server: &Server, customer: &str, more: &[(&str, &str)]) {
        let script = repository()
            .join("crates/regulars/tests/clients")
            .join(self.script);
        let is_python = self.script.ends_with(".py");
        let program = if is_python {
            installed.join("python/bin/python")
        } else {
            PathBuf::from("node")
        };
        let output = Command::new(program)
            .arg(script)
            .arg(customer)
            .env("NODE_PATH", installed.join("node_modules"))
            .env("REGULARS_HOST", format!("http://{}", server.address))
            .env("REGULARS_KEY", &server.key)
            .envs(more.iter().copied())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}: {output:?}", self.package);
    }
}

fn shop() -> Shop {
    let shop = Shop::empty("EUR");
    shop.own_segment("searchers", "events 'Products Searched' >= 2");
    shop.own_segment("gold_plan", "traits.plan = \"gold\"");
    shop
}

/// What every script sends, as the API tells it.
fn check(server: &Server, customer: &str) {
    let view = server.get(&format!("/api/v1/customers/{customer}"));
    assert_eq!(view["declared"]["plan"], "gold", "{view:#}");
    let orders = view["orders"].as_array().unwrap();
    assert_eq!(orders.len(), 1, "{orders:?}");
    assert_eq!(orders[0]["order_id"], format!("o-{customer}"));
    assert_eq!(orders[0]["net_minor"], 1999);
    let value = |name: &str| {
        let mut traits = view["traits"].as_array().unwrap().iter();
        traits.find(|of| of["name"] == name).unwrap()["value"].clone()
    };
    assert_eq!((value("orders"), value("revenue")), (json!(1), json!(1999)));
    // The search of the visitor counts: the identify call said who it was.
    let segments = view["segments"].as_array().unwrap();
    for name in ["searchers", "gold_plan", "new"] {
        let found = segments.iter().find(|of| of["segment"] == name);
        let found = found.unwrap_or_else(|| panic!("not in {name}: {segments:#?}"));
        assert!(found["since"].is_string(), "{found}");
    }
    let members = server.get("/api/v1/segments/searchers/members");
    let members = members["customers"].as_array().unwrap();
    assert!(members.contains(&json!(customer)), "{members:?}");
    let timeline = server.get(&format!("/api/v1/customers/{customer}/timeline"));
    let happenings = timeline["happenings"].as_array().unwrap();
    let of_kind = |kind: &str| happenings.iter().filter(|of| of["kind"] == kind).count();
    assert_eq!(
        (of_kind("track"), of_kind("identify")),
        (3, 1),
        "{timeline:#}"
    );
    assert_eq!((of_kind("page"), of_kind("group")), (1, 1), "{timeline:#}");
    assert!(
        !timeline.to_string().contains("@example.com"),
        "{timeline:#}"
    );
    assert!(!view.to_string().contains("@example.com"), "{view:#}");
    let moved = server.get(&format!(
        "/api/v1/transitions?segment=gold_plan&customer={customer}"
    ));
    let moved: &[Value] = moved["transitions"].as_array().unwrap();
    assert_eq!(moved.len(), 1, "{moved:?}");
    assert_eq!(moved[0]["cause"]["name"], "identify");
}

fn tell(client: &Client, more: &[(&str, &str)]) {
    let Some(installed) = client.installed() else {
        return;
    };
    let shop = shop();
    let server = Server::start(&shop);
    client.run(&installed, &server, "c-17", more);
    check(&server, "c-17");
    server.stop();
}

const SEGMENT_PYTHON: Client = Client {
    package: "segment-analytics-python 2.4.0",
    file: "requirements.txt",
    script: "segment_python.py",
};

#[test]
fn segment_analytics_python() {
    tell(&SEGMENT_PYTHON, &[]);
}

#[test]
fn segment_analytics_python_with_gzip() {
    tell(&SEGMENT_PYTHON, &[("REGULARS_GZIP", "1")]);
}

#[test]
fn rudder_sdk_python() {
    let client = Client {
        package: "rudder-sdk-python 2.1.9",
        file: "requirements.txt",
        script: "rudder_python.py",
    };
    tell(&client, &[]);
}

#[test]
fn segment_analytics_node() {
    let client = Client {
        package: "@segment/analytics-node 3.1.0",
        file: "node_modules/@segment/analytics-node/package.json",
        script: "segment_node.cjs",
    };
    tell(&client, &[]);
}

#[test]
fn rudder_sdk_node() {
    let client = Client {
        package: "@rudderstack/rudder-sdk-node 3.0.13",
        file: "node_modules/@rudderstack/rudder-sdk-node/package.json",
        script: "rudder_node.cjs",
    };
    tell(&client, &[]);
}

#[test]
fn segment_analytics_next_in_a_page() {
    let client = Client {
        package: "@segment/analytics-next 1.84.3",
        file: "node_modules/@segment/analytics-next/package.json",
        script: "browser.cjs",
    };
    tell(&client, &[]);
}
