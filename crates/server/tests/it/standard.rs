//! What leaves is what the `standardwebhooks` package from `PyPI` takes, unmodified.
//!
//! `.ci/clients` installs it and prints where; `REGULARS_CLIENTS` names that directory. Without it
//! the test says in one line that it was skipped; with `REGULARS_REQUIRE_CLIENTS=1` it fails.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::receiver::Receiver;
use crate::shop::{MINUTE, Shop};

const PACKAGE: &str = "standardwebhooks 1.1.0";

const VERIFY: &str = "
import json, sys
from standardwebhooks import Webhook, WebhookVerificationError
told = json.load(sys.stdin)
webhook = Webhook(told['secret'])
assert webhook.verify(told['body'], told['headers'])['type'] == told['type']
try:
    webhook.verify(told['body'] + ' ', told['headers'])
except WebhookVerificationError:
    print('verified')
";

fn python() -> Command {
    let installed = std::env::var_os("REGULARS_CLIENTS").map(PathBuf::from);
    let program = installed.map(|directory| directory.join("python/bin/python"));
    Command::new(program.unwrap_or_else(|| "python3".into()))
}

/// The time by Python's clock, which the package asks; `None` without the package.
fn time_there() -> Option<i64> {
    let script = "import standardwebhooks, time; print(int(time.time() * 1000))";
    let output = python().args(["-c", script]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_package_of_standard_webhooks_verifies_what_arrives() {
    let Some(now) = time_there() else {
        let required = std::env::var_os("REGULARS_REQUIRE_CLIENTS").is_some();
        assert!(!required, "{PACKAGE} is not installed: run .ci/clients");
        // Past the capture of the test runner: a skip is seen.
        let line = format!("skipped: {PACKAGE} is not installed (.ci/clients)\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return;
    };
    let shop = Shop::at_time(now - 121 * MINUTE);
    let mut receiver = Receiver::start(&[200]).await;
    let (_, secret) = shop.add(&receiver.url);
    let served = shop.serve().await;
    served.send(shop.cart()).await;
    shop.at(121 * MINUTE);
    let received = receiver.next().await;
    served.stop().await;
    let told = json!({
        "secret": secret.reveal(),
        "headers": received.headers,
        "body": String::from_utf8(received.body.clone()).unwrap(),
        "type": "segment.entered",
    });
    let mut child = python()
        .args(["-c", VERIFY])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(told.to_string().as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "verified");
}
