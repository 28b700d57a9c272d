//! An import that is killed leaves the workspace as it was, and a later one ends as if nothing
//! had happened.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::shop::Shop;

/// At which shares of an import's time it is killed: in no particular order, late ones twice.
const KILLED_AT: [f64; 8] = [0.5, 0.05, 0.93, 0.3, 0.97, 0.75, 0.15, 0.85];

const MADE: [&str; 9] = [
    "generate",
    "-o",
    "made",
    "--customers",
    "4000",
    "--order-lines",
    "40000",
    "--files",
    "csv",
];
const IMPORT: [&str; 5] = [
    "import",
    "made/orders.csv",
    "made/customers.csv",
    "made/products.csv",
    "--quiet",
];
const REPORT: [&str; 4] = ["report", "--quiet", "--format", "json"];

/// Everything in `data/`, sorted: names of files without the number that tells which thread came
/// first.
fn files(root: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut left = vec![root.join("data")];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                let name = match name.rsplit_once('-') {
                    Some((name, _)) if name.contains("history") => name.to_owned(),
                    _ => name,
                };
                names.push(name);
            }
        }
    }
    names.sort();
    names
}

#[test]
fn a_killed_import_leaves_nothing_behind() {
    let undisturbed = Shop::empty("EUR");
    undisturbed.good(&MADE);
    let began = Instant::now();
    undisturbed.good(&IMPORT);
    let whole = began.elapsed();
    let report = undisturbed.good(&REPORT);
    let expected = files(&undisturbed.root());
    let mut shop = copy_of_files(&undisturbed);
    let mut unfinished = 0;
    for share in KILLED_AT {
        kill(&shop, whole.mul_f64(share));
        let looked = shop.run(&REPORT);
        if looked.status.success() {
            // It had come to its end: all of it is there.
            let looked = String::from_utf8(looked.stdout).unwrap();
            assert_eq!(looked, report, "killed at {share}");
            shop = copy_of_files(&undisturbed);
        } else {
            let message = String::from_utf8_lossy(&looked.stderr);
            assert!(message.contains("no orders"), "at {share}: {message}");
            unfinished += 1;
        }
    }
    assert!(unfinished >= 3, "only {unfinished} imports were caught");
    shop.good(&IMPORT);
    assert_eq!(shop.good(&REPORT), report);
    assert_eq!(files(&shop.root()), expected);
    let again = shop.json(&IMPORT);
    let skipped = again["files"].as_array().unwrap().iter();
    assert!(
        skipped.clone().all(|file| file["skipped"] == true),
        "{again}"
    );
}

/// The orders of a file of the made-up shop as a later export tells them: some were cancelled or
/// refunded since, and some are new.
fn newer(orders: &str) -> String {
    let (header, rows) = orders.split_once('\n').unwrap();
    let column = |name: &str| header.split(',').position(|of| of == name).unwrap();
    let (order, status, updated_at) = (column("order_id"), column("status"), column("updated_at"));
    let mut text = format!("{header}\n");
    for row in rows.lines() {
        let mut cells: Vec<&str> = row.split(',').collect();
        let number = cells[order].bytes().map(u32::from).sum::<u32>();
        if number % 5 < 2 {
            cells[status] = ["cancelled", "refunded"][number as usize % 5];
            cells[updated_at] = "2026-06-30T20:00:00Z";
        }
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

/// Everything of one directory in another.
fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn a_killed_second_import_leaves_the_first_as_it_was() {
    let first = Shop::empty("EUR");
    first.good(&MADE);
    first.good(&IMPORT);
    let before = first.good(&REPORT);
    let orders = first.directory().join("made/orders.csv");
    let text = std::fs::read_to_string(&orders).unwrap();
    std::fs::write(&orders, newer(&text)).unwrap();
    let copy = || {
        let shop = Shop::empty("EUR");
        copy_all(first.directory(), shop.directory());
        shop
    };
    let undisturbed = copy();
    let began = Instant::now();
    undisturbed.good(&IMPORT);
    let whole = began.elapsed();
    let after = undisturbed.good(&REPORT);
    assert_ne!(after, before);
    let mut shop = copy();
    let mut unfinished = 0;
    for share in KILLED_AT {
        kill(&shop, whole.mul_f64(share));
        let report = shop.good(&REPORT);
        if report == after {
            shop = copy();
        } else {
            assert_eq!(report, before, "killed at {share}");
            unfinished += 1;
        }
    }
    assert!(unfinished >= 3, "only {unfinished} imports were caught");
    shop.good(&IMPORT);
    assert_eq!(shop.good(&REPORT), after);
    assert_eq!(files(&shop.root()), files(&undisturbed.root()));
}

/// A new workspace with the same files beside it.
fn copy_of_files(of: &Shop) -> Shop {
    let shop = Shop::empty("EUR");
    let made = shop.directory().join("made");
    std::fs::create_dir(&made).unwrap();
    for entry in std::fs::read_dir(of.directory().join("made")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), made.join(entry.file_name())).unwrap();
    }
    shop
}

/// Begins an import and kills it after so long, or lets it be when it is done by then.
fn kill(shop: &Shop, after: Duration) {
    let mut command = shop.command(&IMPORT);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let mut child = command.spawn().unwrap();
    while began.elapsed() < after && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    let _ = child.kill();
    child.wait().unwrap();
}
