//! What a hostile or broken client sends, and a clock that jumps: each is answered, and nobody else
//! notices.

use std::io::Write as _;

use regulars_core::{Direction, Timestamp};
use regulars_store::log::Logged;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::shop::{MINUTE, START, Served, Shop};

const DAY: i64 = 24 * 60 * MINUTE;

/// Posts bytes as they are; gives status and body.
async fn post(served: &Served, lines: &str, body: &[u8]) -> (u16, Value) {
    let length = body.len();
    let head = format!(
        "POST /v1/batch HTTP/1.1\r\nhost: x\r\nx-write-key: {}\r\nconnection: close\r\n{lines}\
         content-length: {length}\r\n\r\n",
        served.write_key
    );
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

/// The status of a request without a body.
async fn head_alone(served: &Served, lines: &str) -> u16 {
    let head = format!("GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{lines}\r\n");
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    // It may be answered before it was read to its end.
    let _ = stream.write_all(head.as_bytes()).await;
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    let status = String::from_utf8_lossy(&status[9..]);
    status.parse().unwrap()
}

fn batch(events: &str) -> Vec<u8> {
    format!("{{\"batch\": [{events}]}}").into_bytes()
}

fn good(number: u32) -> String {
    format!(
        "{{\"type\": \"track\", \"event\": \"E\", \"userId\": \"c-1\", \"messageId\": \"g-{number}\"}}"
    )
}

/// The timeline of the customer that the good events are of.
async fn happenings(served: &Served) -> usize {
    let path = "/api/v1/customers/c-1/timeline?limit=1000";
    let (status, timeline) = served.ask("GET", path, None).await;
    assert_eq!(status, 200, "{timeline}");
    timeline["happenings"].as_array().unwrap().len()
}

fn bomb() -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let piece = vec![b' '; 1 << 20];
    for _ in 0..300 {
        packed.write_all(&piece).unwrap();
    }
    packed.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_bodies_and_heads_are_answered() {
    let shop = Shop::new();
    let served = shop.serve().await;
    let bomb = bomb();
    assert!(bomb.len() < 400_000, "{}", bomb.len());
    let deep = format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000));
    let bodies: [(&str, &str, &[u8], u16, &str); 7] = [
        (
            "a bomb",
            "content-encoding: gzip\r\n",
            &bomb,
            413,
            "batch_too_large",
        ),
        (
            "no gzip",
            "content-encoding: gzip\r\n",
            b"\x1f\x8bno",
            400,
            "damaged_body",
        ),
        (
            "brotli",
            "content-encoding: br\r\n",
            b"x",
            415,
            "unknown_encoding",
        ),
        ("deep", "", deep.as_bytes(), 400, "not_an_object"),
        ("NUL", "", &[0; 1_000], 400, "empty_body"),
        ("nothing", "", b"", 400, "empty_body"),
        ("half", "", b"{\"batch\": [{\"type\"", 400, "invalid_json"),
    ];
    for (what, lines, body, status, code) in bodies {
        let (found, answer) = post(&served, lines, body).await;
        assert_eq!(
            (found, &answer["code"]),
            (status, &json!(code)),
            "{what}: {answer}"
        );
    }
    let long = format!("x-long: {}\r\n", "x".repeat(1_000_000));
    assert_eq!(head_alone(&served, &long).await, 431);
    assert_eq!(head_alone(&served, "").await, 200);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_events_cost_no_good_ones() {
    let shop = Shop::new();
    let served = shop.serve().await;
    let event = |fields: &str| format!("{{\"type\": \"track\", \"event\": \"E\", {fields}}}");
    let long = "x".repeat(10_000);
    let deep = format!("{}1{}", "{\"a\":".repeat(3_000), "}".repeat(3_000));
    let bad = [
        (event(&format!("\"userId\": \"{long}\"")), "id_too_long"),
        (
            event(&format!("\"userId\": \"u\", \"properties\": {deep}")),
            "too_deep",
        ),
        (event("\"properties\": {}"), "no_id"),
        ("17".to_owned(), "not_an_object"),
        (
            event(&format!(
                "\"userId\": \"u\", \"properties\": {{\"a\": \"{}\"}}",
                "y".repeat(40_000)
            )),
            "event_too_large",
        ),
    ];
    for (number, (event, code)) in (0..).zip(bad) {
        let events = format!("{}, {event}, {}", good(2 * number), good(2 * number + 1));
        let (status, answer) = post(&served, "", &batch(&events)).await;
        assert_eq!(status, 200, "{code}: {answer}");
        let rejected = &answer["rejected"];
        assert_eq!(rejected.as_array().unwrap().len(), 1, "{answer}");
        assert_eq!(
            (&rejected[0]["index"], &rejected[0]["code"]),
            (&json!(1), &json!(code))
        );
    }
    assert_eq!(happenings(&served).await, 10);
    // Broken halves of characters, zeros and bytes that are no UTF-8 cost nothing.
    let mut events = batch(&event(
        "\"userId\": \"c-1\", \"properties\": {\"a\": \"\\ud800 \\u0000 \\udc00\", \"b\": \"?\"}",
    ));
    let at = events.iter().position(|byte| *byte == b'?').unwrap();
    events[at] = 0xff;
    let (status, answer) = post(&served, "", &events).await;
    assert_eq!((status, answer), (200, json!({"success": true})));
    assert_eq!(happenings(&served).await, 11);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_by_a_day_stores_every_event_and_moves_nobody_twice() {
    let shop = Shop::new();
    let served = shop.serve().await;
    served.send(shop.cart()).await;
    for (number, at) in [0, DAY, -DAY, 3 * DAY, 0, MINUTE].into_iter().enumerate() {
        shop.at(at);
        let number = u32::try_from(number).unwrap();
        let (status, answer) = post(&served, "", &batch(&good(number))).await;
        assert_eq!(status, 200, "{answer}");
    }
    served.stop().await;
    // The cart was left once, two hours after it was filled, whatever the clock said later.
    let store = shop.workspace.open_read().unwrap();
    let records = store.logged(0).map(|entry| entry.unwrap().1);
    let found = records.filter_map(|record| match record {
        Logged::Found(found) => Some(found.transitions),
        _ => None,
    });
    let left = found.flatten();
    let left: Vec<_> = left
        .filter(|of| of.segment.as_str() == "left_carts")
        .collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0].direction, Direction::Entered);
    assert_eq!(left[0].occurred_at, Timestamp(START + 120 * MINUTE));
    drop(store);
    // The clock is right again: a start finds the same.
    shop.at(3 * DAY + MINUTE);
    let served = shop.serve().await;
    let path = "/api/v1/customers/c-17/segments/left_carts";
    let (_, again) = served.ask("GET", path, None).await;
    assert_eq!(again["explanation"]["holds"], true, "{again}");
    assert_eq!(happenings(&served).await, 6);
    served.stop().await;
}
