//! Bodies and files that are nearly good: they are read, in part or not at all, and nothing else
//! happens.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use regulars_core::{EventKind, Timestamp};
use regulars_ingest::tracking::{Endpoint, Limits, TrackedEvent, inflate, read};
use regulars_testkit::fuzz::Fuzz;
use serde_json::value::RawValue;

use crate::reading;

const PYTHON: &[u8] = include_bytes!("../../testdata/tracking/segment-analytics-python-2.4.0.json");
const NESTED: &[u8] = br#"{"type":"track","event":"A","userId":"u","properties":{"a":[{"b":[1e308,-0,"\ud800\u0000","x@y.zz"]}],"email":"a@b.cd","products":[{"price":"19.99","quantity":2}]},"context":{"traits":{"email":"a@b.cd"},"page":{"url":"https://x/?email=a%40b.cd"}},"sentAt":"2026-11-25T06:53:00.249Z","timestamp":1795615380}"#;
const TOKENS: [&[u8]; 16] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b":",
    b",",
    b"null",
    b"\\ud800",
    b"\\u0000",
    b"\xff\xfe",
    b"1e999",
    b"\"batch\"",
    b"\"userId\"",
    b"\"properties\"",
    b"%u0040",
];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn no_body_panics() {
    let endpoints = [
        Endpoint::Batch,
        Endpoint::One(EventKind::Track),
        Endpoint::One(EventKind::Identify),
        Endpoint::One(EventKind::Alias),
    ];
    let limits = Limits::default();
    let mut taken = 0;
    let tried = Fuzz::of(&[PYTHON, NESTED]).words(&TOKENS).run(|body| {
        for endpoint in endpoints {
            let received = match read(endpoint, body, Timestamp(1_795_615_380_000), &limits) {
                Ok(received) => received,
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    continue;
                }
            };
            for event in received.events.into_iter().map(TrackedEvent::into_owned) {
                taken += 1;
                // Numbers may be larger than any program counts; the form is JSON all the same.
                for json in [&event.properties, &event.traits, &event.context] {
                    let object: Result<BTreeMap<String, &RawValue>, _> = serde_json::from_str(json);
                    assert!(object.is_ok(), "{json}");
                }
                let _ = event.scalars(&limits);
            }
        }
    });
    assert!(taken > 0, "none of {tried:?}");
}

#[test]
fn no_packed_body_panics_or_becomes_large() {
    let bomb = gzip(&vec![b' '; 40 << 20]);
    let (python, nested) = (gzip(PYTHON), gzip(NESTED));
    let most = Limits::default().batch_bytes;
    Fuzz::of(&[&python, &nested, &bomb]).run(|body| {
        for encoding in [Some("gzip"), Some("deflate"), None] {
            match inflate(body, encoding, most) {
                Ok(plain) => assert!(plain.len() <= most),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    });
}

/// Reads a file as far as it goes.
fn read_file(name: &str, bytes: &[u8]) -> usize {
    match reading::read(name, bytes) {
        Ok(read) => read.rows(),
        Err(error) => {
            assert!(error.to_string().contains(name), "{error}");
            0
        }
    }
}

const ORDERS: &str = "order_id,customer_id,date,total,currency\n1,ann,2026-01-05,10.50,EUR\n\
                      2,\"b,ob\",2026-01-06,\"1,100.00\",EUR\n3,é,05.02.2026,12,USD\n";

#[test]
fn no_table_of_text_panics() {
    let semicolons = ORDERS.replace(',', ";");
    let tabs = ORDERS.replace(',', "\t");
    let utf16: Vec<u8> = ORDERS.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16 = [&[0xff, 0xfe][..], &utf16].concat();
    let columns = b"00001 19970101  1   11.77\n00002 19970112  1   12.00\n".to_vec();
    let packed = gzip(ORDERS.as_bytes());
    let good: [&[u8]; 6] = [
        ORDERS.as_bytes(),
        semicolons.as_bytes(),
        tabs.as_bytes(),
        &utf16,
        &columns,
        &packed,
    ];
    let words: [&[u8]; 8] = [
        b"\"",
        b"\n",
        b"\r",
        b"\0",
        b",,,,",
        b"date",
        b"\xef\xbb\xbf",
        b"1e9",
    ];
    let mut rows = 0;
    let tried = Fuzz::of(&good)
        .words(&words)
        .run(|bytes| rows += read_file("orders.csv", bytes));
    assert!(rows > 0, "none of {tried:?}");
}

#[test]
fn no_lines_of_json_panic() {
    let lines = br#"{"order_id":1,"customer_id":"ann","date":"2026-01-05","total":10.5}
{"order_id":2,"customer_id":"bob","date":"2026-01-06","total":"11.00","lines":[{"sku":"a"}]}
"#;
    let mut rows = 0;
    let tried = Fuzz::of(&[lines]).words(&TOKENS).run(|bytes| {
        rows += read_file("orders.ndjson", bytes);
    });
    assert!(rows > 0, "none of {tried:?}");
}
