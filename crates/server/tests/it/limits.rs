//! Clients that send too much, too slowly, or nothing at all, and what the others notice of them.

use std::time::Duration;

use regulars_server::ServerOptions;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::shop::{Served, Shop};

/// Longer than anything here may take.
const LONG: Duration = Duration::from_secs(20);

/// An answer: status, head and body.
struct Answer {
    status: u16,
    head: String,
    body: Value,
}

impl Answer {
    fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

fn event(number: usize) -> Value {
    json!({"type": "track", "userId": "c-1", "event": "E", "messageId": format!("m-{number}")})
}

/// A request with a batch, with `more` lines in its head.
fn batch(served: &Served, events: impl Iterator<Item = usize>, more: &str) -> Vec<u8> {
    let events: Vec<Value> = events.map(event).collect();
    let body = json!({"writeKey": served.write_key, "batch": events}).to_string();
    let length = body.len();
    format!("POST /v1/batch HTTP/1.1\r\nhost: x\r\n{more}content-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

async fn connect(served: &Served) -> TcpStream {
    TcpStream::connect(served.address).await.unwrap()
}

/// Reads one answer with a length; `None` when the connection ends before it.
async fn answer(stream: &mut TcpStream) -> Option<Answer> {
    let mut bytes = Vec::new();
    let read = async {
        loop {
            if let Some(answer) = whole(&bytes) {
                return Some(answer);
            }
            match stream.read_buf(&mut bytes).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    };
    timeout(LONG, read).await.expect("an answer, or an end")
}

fn whole(bytes: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.split_once("content-length: ")?.1;
    let length: usize = length.split("\r\n").next()?.parse().ok()?;
    (body.len() >= length).then(|| Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_owned(),
        body: serde_json::from_str(body).unwrap_or(Value::Null),
    })
}

/// A request whose body is being read, and what of it is still to be sent.
async fn begun(served: &Served) -> (TcpStream, Vec<u8>) {
    let request = batch(served, 0..3, "expect: 100-continue\r\n");
    let head = request.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = request.split_at(head.unwrap() + 4);
    let mut stream = connect(served).await;
    stream.write_all(head).await.unwrap();
    let mut told = [0; 25];
    let read = timeout(LONG, stream.read_exact(&mut told)).await;
    read.unwrap().unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    let (sent, rest) = body.split_at(body.len() - 5);
    stream.write_all(sent).await.unwrap();
    (stream, rest.to_vec())
}

async fn ask(served: &Served, request: &[u8]) -> Answer {
    let mut stream = connect(served).await;
    stream.write_all(request).await.unwrap();
    answer(&mut stream).await.unwrap()
}

/// A value of `/metrics`, once there is a connection to ask for it.
async fn metric(served: &Served, name: &str) -> u64 {
    let request = b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let asked = async {
        loop {
            let mut stream = connect(served).await;
            let mut text = String::new();
            let asked = stream.write_all(request).await.is_ok();
            if asked && stream.read_to_string(&mut text).await.is_ok() {
                let mut lines = text.lines();
                let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
                if let Some(value) = found {
                    return value.parse().unwrap();
                }
            }
        }
    };
    timeout(LONG, asked).await.expect("metrics")
}

async fn stored(served: &Served) -> u64 {
    metric(served, "regulars_events_stored_total").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_sends_too_many_events_is_told_how_long_to_wait() {
    let shop = Shop::new();
    let options = ServerOptions {
        events_per_second: 100,
        ..ServerOptions::default()
    };
    let served = shop.serve_with(options).await;
    // What is in hand: a whole batch.
    let first = ask(&served, &batch(&served, 0..2_400, "")).await;
    assert_eq!(first.status, 200, "{}", first.body);
    let refused = ask(&served, &batch(&served, 2_400..2_700, "")).await;
    assert_eq!((refused.status, refused.code()), (429, "too_fast"));
    assert!(
        refused.head.contains("\r\nretry-after: 2"),
        "{}",
        refused.head
    );
    assert!(refused.head.contains("\r\naccess-control-allow-origin: *"));
    let message = refused.body["message"].as_str().unwrap();
    assert!(message.contains("100 events a second"), "{message}");
    // A smaller one goes, and what was refused goes when it is time.
    let smaller = ask(&served, &batch(&served, 2_400..2_500, "")).await;
    assert_eq!(smaller.status, 200);
    shop.at(3_000);
    let later = ask(&served, &batch(&served, 2_500..2_800, "")).await;
    assert_eq!(later.status, 200, "{}", later.body);
    assert_eq!(stored(&served).await, 2_800);
    // Of another key nothing was taken.
    let body = json!({"label": "another"});
    let (status, made) = served.ask("POST", "/api/v1/keys", Some(&body)).await;
    assert_eq!(status, 201, "{made}");
    let key = made["secret"].as_str().unwrap();
    let body = json!({"writeKey": key, "batch": [event(3_000)]});
    let (status, _) = served.ask("POST", "/v1/batch", Some(&body)).await;
    assert_eq!(status, 200);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_take_more_memory_than_there_is_are_refused_until_others_end() {
    let shop = Shop::new();
    let options = ServerOptions {
        waiting_bytes: 6_000,
        ..ServerOptions::default()
    };
    let served = shop.serve_with(options).await;
    let large = batch(&served, 0..60, "");
    assert!((3_100..6_000).contains(&large.len()), "{}", large.len());
    let mut slow = connect(&served).await;
    let (most, rest) = large.split_at(large.len() - 10);
    slow.write_all(most).await.unwrap();
    let other = batch(&served, 60..120, "");
    let head = large.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    let held = (most.len() - head) as u64;
    let read = async {
        // Until the slow one has been read as far as it goes.
        while metric(&served, "regulars_body_bytes").await < held {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LONG, read).await.unwrap();
    let refused = ask(&served, &other).await;
    assert_eq!((refused.status, refused.code()), (503, "busy"));
    assert!(
        refused.head.contains("\r\nretry-after: 1"),
        "{}",
        refused.head
    );
    slow.write_all(rest).await.unwrap();
    assert_eq!(answer(&mut slow).await.unwrap().status, 200);
    assert_eq!(ask(&served, &other).await.status, 200);
    assert_eq!(stored(&served).await, 120);
    assert_eq!(metric(&served, "regulars_body_bytes").await, 0);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_are_given_up_and_half_a_request_stores_nothing() {
    let shop = Shop::new();
    let options = ServerOptions {
        idle_patience: Duration::from_millis(400),
        body_patience: Duration::from_millis(400),
        ..ServerOptions::default()
    };
    let served = shop.serve_with(options).await;
    let request = batch(&served, 0..3, "");
    // A head that does not end, and a connection that says nothing.
    for part in [&request[..20], b""] {
        let mut stream = connect(&served).await;
        stream.write_all(part).await.unwrap();
        assert!(answer(&mut stream).await.is_none());
    }
    // A body that does not end.
    let mut stream = connect(&served).await;
    stream
        .write_all(&request[..request.len() - 5])
        .await
        .unwrap();
    let slow = answer(&mut stream).await.unwrap();
    assert_eq!((slow.status, slow.code()), (408, "too_slow"));
    assert!(
        answer(&mut stream).await.is_none(),
        "and the connection ends"
    );
    // A client that goes away in the middle.
    let mut stream = connect(&served).await;
    stream
        .write_all(&request[..request.len() - 5])
        .await
        .unwrap();
    drop(stream);
    // One that ends its half of the connection too early.
    let mut stream = connect(&served).await;
    stream
        .write_all(&request[..request.len() - 5])
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    if let Some(cut) = answer(&mut stream).await {
        assert_eq!((cut.status, cut.code()), (400, "body_cut_short"));
    }
    assert_eq!(stored(&served).await, 0);
    assert_eq!(ask(&served, &request).await.status, 200);
    assert_eq!(stored(&served).await, 3);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_much_too_large_is_answered_all_the_same() {
    let shop = Shop::new();
    let served = shop.serve().await;
    let body = "x".repeat(2 << 20);
    let length = body.len();
    let request = format!("POST /v1/batch HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
    let mut stream = connect(&served).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let refused = answer(&mut stream).await.unwrap();
    assert_eq!((refused.status, refused.code()), (413, "too_large"));
    // The connection can be used again.
    stream.write_all(&batch(&served, 0..1, "")).await.unwrap();
    assert_eq!(answer(&mut stream).await.unwrap().status, 200);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_give_way_and_busy_ones_do_not() {
    let shop = Shop::new();
    let options = ServerOptions {
        connections: 16,
        ..ServerOptions::default()
    };
    let served = shop.serve_with(options).await;
    let (mut busy, rest) = begun(&served).await;
    let mut idle = Vec::new();
    for _ in 0..100 {
        idle.push(connect(&served).await);
    }
    let other = batch(&served, 3..4, "connection: close\r\n");
    let taken = async {
        loop {
            let mut stream = connect(&served).await;
            // It may be one of too many, for a moment.
            let _ = stream.write_all(&other).await;
            match answer(&mut stream).await {
                Some(answer) if answer.status == 200 => return,
                Some(answer) => assert_eq!(answer.code(), "too_many_connections"),
                None => {}
            }
        }
    };
    timeout(LONG, taken).await.unwrap();
    assert!(metric(&served, "regulars_connections").await <= 16);
    busy.write_all(&rest).await.unwrap();
    assert_eq!(answer(&mut busy).await.unwrap().status, 200);
    drop(idle);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_full_of_busy_connections_says_so() {
    let shop = Shop::new();
    let options = ServerOptions {
        connections: 4,
        ..ServerOptions::default()
    };
    let served = shop.serve_with(options).await;
    let mut busy = Vec::new();
    for _ in 0..4 {
        busy.push(begun(&served).await);
    }
    let mut one_more = connect(&served).await;
    let refused = answer(&mut one_more).await.unwrap();
    assert_eq!(
        (refused.status, refused.code()),
        (503, "too_many_connections")
    );
    assert!(refused.head.contains("\r\nretry-after: 1"));
    for (stream, rest) in &mut busy {
        stream.write_all(rest).await.unwrap();
        assert_eq!(answer(stream).await.unwrap().status, 200);
    }
    drop(busy);
    assert_eq!(stored(&served).await, 3);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_stops_at_once_whatever_is_idle() {
    let shop = Shop::new();
    let served = shop.serve().await;
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(connect(&served).await);
    }
    assert_eq!(ask(&served, &batch(&served, 0..1, "")).await.status, 200);
    let stopped = timeout(Duration::from_secs(5), served.stop()).await;
    stopped.expect("idle connections hold nobody up");
}
