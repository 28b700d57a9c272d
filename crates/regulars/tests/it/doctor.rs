//! `doctor`: what it finds of a data directory, sound, damaged and in use.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::server::Server;
use crate::shop::Shop;

/// Documents of a sound workspace, of one in use, and of one that is damaged.
pub(crate) fn samples() -> Vec<(&'static str, Value)> {
    let shop = Shop::tiny();
    let sound = shop.json(&["doctor"]);
    let server = Server::start(&shop);
    let in_use = shop.json(&["doctor"]);
    server.stop();
    std::fs::remove_file(shop.root().join("data/vault/master.key")).unwrap();
    let damaged = shop.json(&["doctor"]);
    let documents = [sound, in_use, damaged].map(|mut document| {
        // How full the disk of this machine is belongs into no snapshot.
        let findings = document["findings"].as_array_mut().unwrap();
        findings.retain(|finding| finding["code"] != "disk_space");
        ("doctor", document)
    });
    documents.into()
}

fn searches(from: u32, to: u32) -> Value {
    let search = |number: u32| {
        json!({
            "type": "track",
            "userId": format!("c-{}", number % 7),
            "messageId": format!("m-{number}"),
            "event": "Products Searched",
            "properties": {"query": "coat"},
        })
    };
    (from..to).map(search).collect()
}

/// An imported shop that events were sent to afterwards, and that was stopped.
fn shop() -> Shop {
    let shop = Shop::tiny();
    shop.own_segment("searchers", "events 'Products Searched' >= 2");
    let server = Server::start(&shop);
    for batch in 0..5 {
        server.track(&searches(batch * 10, batch * 10 + 10));
    }
    server.stop();
    shop
}

/// Codes of what is found, with the files, the worst first.
fn found(document: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = document["findings"].as_array().unwrap().iter();
    let found = findings.map(|of| (text(&of["severity"]), text(&of["code"]), text(&of["file"])));
    // How full the disk of the machine is says nothing here.
    found.filter(|(_, code, _)| code != "disk_space").collect()
}

/// Runs it: the document and the exit code.
fn doctor(shop: &Shop) -> (Value, Option<i32>) {
    let output = shop.run(&["doctor", "--format", "json"]);
    let document = serde_json::from_slice(&output.stdout);
    let document = document.unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (document, output.status.code())
}

#[track_caller]
fn one_damage(shop: &Shop, code: &str, file: &str) -> Value {
    let (document, exit) = doctor(shop);
    let expected = ("damage".to_owned(), code.to_owned(), file.to_owned());
    assert_eq!(found(&document), [expected], "{document:#}");
    assert_eq!((exit, &document["damaged"]), (Some(4), &json!(true)));
    document
}

fn only_file(directory: PathBuf, extension: &str) -> PathBuf {
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|of| of == extension))
        .collect();
    files.sort();
    files.remove(0)
}

fn relative(shop: &Shop, path: &Path) -> String {
    let data = shop.root().join("data");
    path.strip_prefix(data).unwrap().display().to_string()
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 0x55;
    std::fs::write(path, bytes).unwrap();
}

/// Every file of the data directory with its content, but for the lock.
fn content(shop: &Shop) -> Vec<(PathBuf, Vec<u8>)> {
    let mut content = Vec::new();
    let mut left = vec![shop.root().join("data")];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                content.push((path.clone(), std::fs::read(path).unwrap()));
            }
        }
    }
    content.sort();
    content
}

#[test]
fn a_sound_workspace_is_fine_and_stays_as_it_is() {
    let shop = shop();
    let before = content(&shop);
    let (document, exit) = doctor(&shop);
    assert_eq!(found(&document), [], "{document:#}");
    assert_eq!(exit, Some(0));
    assert_eq!(
        (&document["in_use"], &document["server"]),
        (&json!(false), &Value::Null)
    );
    assert!(document["log"]["next_offset"].as_u64().unwrap() > 50);
    assert!(document["rows"].as_u64().unwrap() > 10);
    assert!(document["identities"].as_u64().unwrap() > 7);
    assert!(document["disk"]["free_bytes"].as_u64().unwrap() > 0);
    let text = shop.good(&["doctor"]);
    assert!(text.ends_with("Everything can be read.\n"), "{text}");
    assert!(content(&shop) == before, "it changed something");
}

#[test]
fn it_works_beside_a_server_that_writes() {
    let shop = Shop::tiny();
    let server = Server::start(&shop);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for batch in 0..60 {
                server.track(&searches(batch * 20, batch * 20 + 20));
            }
        });
        let mut looked = 0;
        while looked < 3 || !writing.is_finished() {
            let (document, exit) = doctor(&shop);
            assert_eq!(found(&document), [], "{document:#}");
            assert_eq!(exit, Some(0));
            assert_eq!(document["server"], server.address);
            assert_eq!(document["in_use"], true);
            looked += 1;
        }
    });
    server.kill();
    let (document, exit) = doctor(&shop);
    let left = (
        "note".to_owned(),
        "left_over".to_owned(),
        "serving.json".to_owned(),
    );
    assert_eq!(
        (found(&document), exit),
        (vec![left], Some(0)),
        "{document:#}"
    );
}

#[test]
fn what_a_killed_import_left_goes_with_the_next_one() {
    let shop = shop();
    let tmp = shop.root().join("data/tmp");
    std::fs::create_dir(&tmp).unwrap();
    std::fs::write(tmp.join("spill-0"), "rows").unwrap();
    assert_eq!(found(&doctor(&shop).0).len(), 1);
    shop.file("more.csv", "customer_id,date,total\nA,2026-01-05,1\n");
    shop.good(&["import", "more.csv"]);
    assert!(!tmp.exists());
    assert_eq!(found(&doctor(&shop).0), []);
}

#[test]
fn what_is_damaged_is_named_with_what_to_do() {
    let shop = shop();
    let log = only_file(shop.root().join("data/log"), "log");
    let run = only_file(shop.root().join("data/history"), "parquet");
    let vault = only_file(shop.root().join("data/vault"), "vault");
    let members = only_file(shop.root().join("data/tables"), "members");
    let products = only_file(shop.root().join("data/tables"), "parquet");
    let key = shop.root().join("data/vault/master.key");
    for path in [&log, &run, &vault, &members, &products, &key] {
        let good = std::fs::read(path).unwrap();
        let name = relative(&shop, path);
        match path.extension().unwrap().to_str().unwrap() {
            "key" => {}
            // The middle, with good records behind it.
            "log" => {
                flip(path, good.len() / 3);
                let document = one_damage(&shop, "damaged", &name);
                let detail = document["findings"][0]["detail"].as_str().unwrap();
                assert!(detail.contains("good records follow"), "{detail}");
            }
            // The end of a Parquet file is its directory.
            "parquet" => {
                flip(path, good.len() - 6);
                one_damage(&shop, "damaged", &name);
            }
            _ => {
                flip(path, good.len() / 2);
                one_damage(&shop, "damaged", &name);
            }
        }
        if path != &log {
            std::fs::remove_file(path).unwrap();
            let code = if path == &key {
                "master_key"
            } else {
                "missing"
            };
            one_damage(&shop, code, &name);
            let text = shop.run(&["doctor"]);
            assert_eq!(text.status.code(), Some(4));
            let text = String::from_utf8(text.stdout).unwrap();
            assert!(text.contains(&format!("damaged: {name}: ")), "{text}");
        }
        std::fs::write(path, good).unwrap();
        set_mode(&key, 0o600);
        assert_eq!(found(&doctor(&shop).0), [], "{name} is as it was");
    }
    let good = std::fs::read(&log).unwrap();
    std::fs::remove_file(&log).unwrap();
    let document = doctor(&shop).0;
    assert_eq!(
        document["findings"][0]["code"], "log_too_short",
        "{document:#}"
    );
    std::fs::write(&log, good).unwrap();
    for file in ["manifest.json", "access.json"] {
        let path = shop.root().join("data").join(file);
        let good = std::fs::read(&path).unwrap();
        std::fs::write(&path, &good[..good.len() / 2]).unwrap();
        one_damage(&shop, "damaged", file);
        std::fs::write(&path, good).unwrap();
    }
    std::fs::write(shop.root().join("data/FORMAT"), "regulars-data 2\n").unwrap();
    let output = shop.run(&["doctor"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("version 2"), "{said}");
}

/// Some damage to the pages of a file is not seen, since they carry no checksums; none ends it.
#[test]
fn no_damage_to_tables_ends_it() {
    let shop = shop();
    let products = only_file(shop.root().join("data/tables"), "parquet");
    let run = only_file(shop.root().join("data/history"), "parquet");
    let mut seen = 0;
    for path in [&products, &run] {
        let good = std::fs::read(path).unwrap();
        for part in 1..12 {
            let mut bytes = good.clone();
            let at = good.len() * part / 12;
            for byte in bytes.iter_mut().skip(at).take(5) {
                *byte ^= 0x5a;
            }
            std::fs::write(path, bytes).unwrap();
            let (document, exit) = doctor(&shop);
            assert_eq!(exit, Some(if document["damaged"] == true { 4 } else { 0 }));
            seen += usize::from(document["damaged"] == true);
        }
        std::fs::write(path, good).unwrap();
    }
    assert!(seen >= 11, "{seen} of 22");
}

#[test]
fn what_a_crash_leaves_is_no_damage() {
    use std::io::Write as _;

    let shop = shop();
    let data = shop.root().join("data");
    let log = only_file(data.join("log"), "log");
    let mut file = std::fs::OpenOptions::new().append(true).open(&log).unwrap();
    file.write_all(b"RFRM half of a frame").unwrap();
    std::fs::write(
        data.join("history/orders-p03-000000000099-2.parquet"),
        "rows",
    )
    .unwrap();
    std::fs::write(data.join("history/notes.txt"), "mine").unwrap();
    std::fs::create_dir(data.join("tmp")).unwrap();
    set_mode(&data.join("vault/master.key"), 0o644);
    let (document, exit) = doctor(&shop);
    assert_eq!(exit, Some(0), "{document:#}");
    let log = relative(&shop, &log);
    let mut expected = vec![
        ("warning", "torn_tail", log.as_str()),
        (
            "note",
            "left_over",
            "history/orders-p03-000000000099-2.parquet",
        ),
        ("note", "not_ours", "history/notes.txt"),
        ("note", "left_over", "tmp"),
    ];
    if cfg!(unix) {
        expected.push(("warning", "permissions", "vault/master.key"));
    }
    expected.sort_unstable();
    let mut found = found(&document);
    found.sort_unstable();
    let found: Vec<_> = found.iter().map(|(a, b, c)| (&**a, &**b, &**c)).collect();
    assert_eq!(found, expected);
    // The next start removes what it may.
    Server::start(&shop).stop();
    let (document, _) = doctor(&shop);
    assert_eq!(
        document["findings"].as_array().unwrap().len(),
        expected.len() - 3
    );
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) {}
