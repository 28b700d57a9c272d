//! `destinations` and `deliveries`, while a server uses the workspace and while none does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::shop::Shop;

/// A server on a shop, with one destination where nobody listens, and one try for each delivery.
struct Serving {
    child: Child,
    address: String,
    write_key: String,
}

fn shop() -> Shop {
    let shop = Shop::empty("EUR");
    shop.own_segment("viewers", "events 'Product Viewed' in last 1 hours >= 1");
    let path = shop.root().join("regulars.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let delays = "delays_seconds = [0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]";
    assert!(text.contains(delays));
    let text = text.replace(delays, "delays_seconds = [0]");
    let none = "allow_private_targets = []";
    assert!(text.contains(none));
    let loopback = "allow_private_targets = [\"127.0.0.0/8\"]";
    std::fs::write(&path, text.replace(none, loopback)).unwrap();
    shop
}

/// An address where nobody listens.
fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/hook", listener.local_addr().unwrap())
}

impl Serving {
    fn start(shop: &Shop) -> Self {
        let mut command = shop.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (mut write_key, mut token) = (String::new(), String::new());
        let address = loop {
            let line = lines.next().expect("it says where it listens").unwrap();
            let last = line
                .split_whitespace()
                .last()
                .unwrap_or_default()
                .to_owned();
            if line.contains("write key  ") {
                write_key = last;
            } else if line.contains("API token  ") {
                token = last;
            } else if let Some(address) = last.strip_prefix("http://") {
                break address.to_owned();
            }
        };
        // What it goes on to say is not read, and must not stop it.
        std::thread::spawn(move || lines.for_each(drop));
        let serving = json!({
            "format": "regulars-serving", "version": 1,
            "address": address, "token": token, "pid": child.id(),
        });
        let file = shop.root().join("data/serving.json");
        std::fs::write(file, serving.to_string()).unwrap();
        Self {
            child,
            address,
            write_key,
        }
    }

    /// A customer looks at a product.
    fn view(&self) {
        let body = json!({"writeKey": self.write_key, "batch": [{
            "type": "track", "userId": "c-17", "event": "Product Viewed", "messageId": "m-1",
            "properties": {"product_id": "coat"},
        }]})
        .to_string();
        let length = body.len();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!("POST /v1/batch HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n");
        let request = format!("{head}connection: close\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn until_dead(shop: &Shop) -> Value {
    let begun = Instant::now();
    loop {
        let list = shop.json(&["deliveries"]);
        if list["deliveries"][0]["status"] == "dead" {
            return list;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{list}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// A document of each command.
pub(crate) fn samples() -> Vec<(&'static str, Value)> {
    let shop = shop();
    let url = closed();
    let add = [
        "destinations",
        "add",
        &url,
        "--segments",
        "viewers",
        "--allow-http",
    ];
    let added = shop.json(&add);
    let (secret, id) = (&added["secret"], added["id"].as_str().unwrap());
    assert!(secret.as_str().unwrap().starts_with("whsec_"), "{added}");

    let serving = Serving::start(&shop);
    serving.view();
    let served = until_dead(&shop);
    let delivery = served["deliveries"][0]["id"].as_str().unwrap();
    let listed = shop.json(&["destinations", "list"]);
    assert_eq!(listed["destinations"][0]["id"], id);
    let replayed = shop.json(&["deliveries", "replay", delivery]);
    assert_eq!(replayed["customer_id"], "c-17");
    until_dead(&shop);
    let other = shop.json(&["destinations", "add", "https://example.com/hook"]);
    shop.good(&["destinations", "remove", other["id"].as_str().unwrap()]);
    serving.stop();

    // The file is left over; nobody is there.
    let here = shop.json(&["deliveries", "--failed"]);
    assert_eq!(here["deliveries"][0]["id"], delivery);
    let here_replayed = shop.json(&["deliveries", "replay", delivery]);
    let waits = shop.json(&["deliveries"]);
    assert_eq!(waits["deliveries"][0]["status"], "pending");
    let rotated = shop.json(&["destinations", "rotate", id]);
    assert_ne!(&rotated["secret"], secret);
    let here_listed = shop.json(&["destinations", "list"]);
    assert!(!here_listed.to_string().contains("whsec_"), "{here_listed}");
    assert!(shop.good(&["destinations", "list"]).contains(id));
    shop.good(&["destinations", "enable", id]);
    shop.good(&["destinations", "remove", id]);
    assert_eq!(
        shop.json(&["destinations", "list"])["destinations"],
        json!([])
    );
    let gone = shop.run(&["destinations", "remove", id]);
    assert_eq!(gone.status.code(), Some(3), "{gone:?}");
    let private = shop.run(&["destinations", "add", "https://10.0.0.1/"]);
    assert_eq!(private.status.code(), Some(4), "{private:?}");
    let unknown = [
        "destinations",
        "add",
        "https://example.com/",
        "--segments",
        "viewrs",
    ];
    assert_eq!(shop.run(&unknown).status.code(), Some(3));
    vec![
        ("destinations add", added),
        ("destinations add", other),
        ("destinations add", rotated),
        ("destinations list", listed),
        ("destinations list", here_listed),
        ("deliveries", served),
        ("deliveries", waits),
        ("deliveries replay", replayed),
        ("deliveries replay", here_replayed),
    ]
}

#[test]
fn webhooks_are_looked_after_with_a_server_and_without() {
    samples();
}
