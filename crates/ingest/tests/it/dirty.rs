//! Files that are broken, of another kind, or larger than they look: each gives a clear message,
//! or its good rows.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use regulars_ingest::Input;

use crate::reading::{input, options, read, read_with, refused};

const ORDERS: &str =
    "order_id,customer_id,date,total\n1,ann,2026-01-05,10.50\n2,bob,2026-01-06,11.00\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn files_that_are_no_tables_say_what_they_are() {
    let random: Vec<u8> = (0..4_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let truncated = gzip(ORDERS.repeat(50).as_bytes());
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("empty.csv", Vec::new()),
        ("blank.csv", b"\n \n\n".to_vec()),
        ("header.csv", b"order_id,customer_id,date,total\n".to_vec()),
        (
            "header-no-newline.csv",
            b"order_id,customer_id,date,total".to_vec(),
        ),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec()),
        ("export.zip", b"PK\x03\x04\x14\0".to_vec()),
        ("export.xlsx", b"PK\x03\x04\x14\0\x06\0\x08\0".to_vec()),
        ("old.xls", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec()),
        ("report.pdf", b"%PDF-1.7\n".to_vec()),
        ("page.csv", b"<!DOCTYPE html><html></html>".to_vec()),
        (
            "orders.json",
            b"[{\"order_id\":1},\n{\"order_id\":2}]".to_vec(),
        ),
        ("pretty.json", b"{\n  \"order_id\": 1\n}\n".to_vec()),
        ("random.csv", random),
        ("zeros.csv", vec![0; 4_000]),
        ("twice.csv.gz", gzip(&gzip(ORDERS.as_bytes()))),
        ("inside.csv.gz", gzip(b"\x89PNG\r\n\x1a\n")),
        (
            "truncated.csv.gz",
            truncated[..truncated.len() - 20].to_vec(),
        ),
        ("torn.parquet", b"PAR1 and then nothing".to_vec()),
        ("prose.txt", b"it was, a dark\nand stormy, night\n".to_vec()),
    ];
    let messages: Vec<String> = files
        .into_iter()
        .map(|(name, bytes)| refused(name, bytes))
        .collect();
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn paths_that_are_no_files_say_so() {
    let directory = tempfile::tempdir().unwrap();
    let message = |path: &std::path::Path| {
        let error = read_with(&Input::from(path), &options())
            .map(|_| ())
            .unwrap_err();
        let here = directory.path().display().to_string();
        error.to_string().replace(&here, "HERE")
    };
    let messages = [
        message(directory.path()),
        message(&directory.path().join("none.csv")),
    ];
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn lines_without_end_are_refused() {
    let mut small = options();
    small.max_line_bytes = 3 << 20;
    let message = |bytes: Vec<u8>, name: &str| {
        let read = read_with(&input(name, bytes), &small);
        read.map(|_| ()).unwrap_err().to_string()
    };
    let long = [ORDERS.as_bytes(), &b"x".repeat(4 << 20)].concat();
    let json =
        b"{\"order_id\":1,\"customer_id\":2,\"date\":\"2026-01-05\",\"total\":1}\n".repeat(20_000);
    let long_json = [
        json,
        b"{\"note\":\"".to_vec(),
        b"x".repeat(4 << 20),
        b"\"}".to_vec(),
    ]
    .concat();
    let first_row = [
        ORDERS.lines().next().unwrap().as_bytes(),
        b"\n",
        &b"x".repeat(4 << 20),
    ];
    let messages = [
        message(first_row.concat(), "long-first-row.csv"),
        message(b"x".repeat(4 << 20), "one-line.csv"),
        message(long, "long.csv"),
        message(long_json, "long.ndjson"),
        // A few kilobytes that unpack to much more.
        message(gzip(&b"x".repeat(64 << 20)), "bomb.csv.gz"),
        message(gzip(&vec![0; 64 << 20]), "zeros.csv.gz"),
    ];
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn a_first_row_longer_than_the_sample_is_read() {
    let note = "x".repeat(2 << 20);
    let text = format!("order_id,customer_id,date,total,note\n1,ann,2026-01-05,10.00,{note}\n");
    assert_eq!(read("orders.csv", text.into_bytes()).unwrap().rows(), 1);
}

#[test]
fn a_packed_file_is_streamed_however_large_it_is() {
    let mut text = ORDERS.as_bytes().to_vec();
    text.extend(b"3,cyd,2026-01-07,12.00\n".repeat(100_000));
    let packed = gzip(&text);
    assert!(packed.len() * 100 < text.len());
    assert_eq!(read("orders.csv.gz", packed).unwrap().rows(), 100_002);
}

#[test]
fn rows_are_read_whatever_the_file_went_through() {
    let bom = [b"\xEF\xBB\xBF", ORDERS.as_bytes()].concat();
    let wide = [b"\xFF\xFE".to_vec(), utf16(ORDERS)].concat();
    let quoted = "order_id,customer_id,date,total,note\n1,ann,2026-01-05,10.50,\"two\nlines, \"\"quoted\"\"\"\n2,bob,2026-01-06,11.00,\n";
    let twice = format!("{ORDERS}{ORDERS}");
    let windows = ORDERS.replace('\n', "\r\n");
    let old_mac = ORDERS.replace('\n', "\r");
    for (name, bytes, rows) in [
        ("bom", bom, 2),
        ("utf16", wide, 2),
        ("utf16 without a mark", utf16(ORDERS), 2),
        ("quoted newlines", quoted.into(), 2),
        ("duplicated header", twice.into(), 4),
        ("crlf", windows.into(), 2),
        ("cr", old_mac.into(), 2),
        (
            "gzip of two members",
            [
                gzip(&ORDERS.as_bytes()[..40]),
                gzip(&ORDERS.as_bytes()[40..]),
            ]
            .concat(),
            2,
        ),
    ] {
        let read = read(name, bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((read.rows(), read.rejected()), (rows, vec![]), "{name}");
        let first = &read.orders(|batch, row| {
            (
                batch.customer_id.as_ref().unwrap().get(row).to_owned(),
                batch.order_total.as_ref().unwrap()[row],
            )
        })[0];
        assert_eq!(first, &("ann".to_owned(), Some(1_050)), "{name}");
    }
}

#[test]
fn broken_rows_are_rejected_one_by_one() {
    let accents = "9,rené,2026-01-05,1.00\n".repeat(60_000);
    let utf8 = format!("{ORDERS}{accents}");
    let stray = [utf8.as_bytes(), b"7,Jos\xE9,2026-01-05,1.00\n"].concat();
    let latin = [
        ORDERS.as_bytes(),
        &b"9,ren\xE9,2026-01-05,1.00\n".repeat(60_000),
    ]
    .concat();
    let undefined = [
        &latin[..],
        b"7,x\x81y,2026-01-05,1.00\n8,z,2026-01-05,1.00\n",
    ]
    .concat();
    let zero = [utf8.as_bytes(), b"7,x\0y,2026-01-05,1.00\n"].concat();
    let mixed = format!(
        "{ORDERS}3,cyd,2026-01-07\n4,\"dee\" x,2026-01-08,1.00\n5,\"eve,2026-01-09,1.00\n6,fay,2026-01-10,1.00\n"
    );
    let mut lines = Vec::new();
    for (name, bytes) in [
        ("stray.csv", stray),
        ("undefined.csv", undefined),
        ("zero.csv", zero),
        ("mixed.csv", mixed.into_bytes()),
    ] {
        let read = read(name, bytes).unwrap();
        for reject in read.rejected() {
            lines.push(format!("{name}:{}: {}", reject.line, reject.reason));
        }
        lines.push(format!("{name}: {} rows", read.rows()));
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn titles_above_the_header_are_left_out_and_said() {
    let titled = format!(
        "Orders export;;;\nGenerated 2026-02-01\n\n{}",
        ORDERS.replace(',', ";")
    );
    let read = read("orders.csv", titled).unwrap();
    assert_eq!(read.recognition.title_lines, 2);
    let lines = read.orders(|batch, row| batch.line[row]);
    assert_eq!(lines, [5, 6]);
    assert_eq!(
        read.orders(|batch, row| batch.order_total.as_ref().unwrap()[row]),
        [Some(1_050), Some(1_100)]
    );
    assert_eq!(
        crate::reading::read("orders.csv", ORDERS)
            .unwrap()
            .recognition
            .title_lines,
        0
    );
    let unknown = refused("orders.csv", "Orders export\nfoo;bar;baz\n1;ann;2\n");
    assert!(unknown.contains("delete them"), "{unknown}");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("orders.csv");
    let made = std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .unwrap();
    assert!(made.success());
    let error = read_with(&Input::from(pipe.as_path()), &options())
        .map(|_| ())
        .unwrap_err();
    assert!(
        error.to_string().contains("is a pipe or a device"),
        "{error}"
    );
}
