//! `import`, and what its dry run says before.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ORDERS: &str =
    "Nr;Debitor;Datum;Status;Betrag\n1;K1;05/01/2026;bezahlt;10,50\n2;K2;06/01/2026;raus;11,00\n";

struct Shop {
    directory: tempfile::TempDir,
}

impl Shop {
    fn new() -> Self {
        let shop = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        let root = shop.root();
        let made = shop.run(&["init", root.to_str().unwrap()]);
        assert!(made.status.success(), "{made:?}");
        shop
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("shop")
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_regulars"))
            .args(arguments)
            .env("REGULARS_WORKSPACE", self.root())
            .env("NO_COLOR", "1")
            .output()
            .unwrap()
    }

    fn import(&self, file: &Path, options: &[&str]) -> (i32, String) {
        let mut arguments = vec!["import", file.to_str().unwrap()];
        arguments.extend(options);
        let output = self.run(&arguments);
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        (output.status.code().unwrap(), text)
    }
}

#[test]
fn a_dry_run_ends_as_the_import_would() {
    let shop = Shop::new();
    let file = shop.file("orders.csv", ORDERS);
    let (code, text) = shop.import(&file, &["--dry-run"]);
    assert_eq!(code, 4, "{text}");
    assert!(text.contains("the import would stop"), "{text}");
    assert!(text.contains("--date-order dmy"), "{text}");
    let dates = ["--dry-run", "--date-order", "dmy"];
    let (code, text) = shop.import(&file, &dates);
    assert_eq!(code, 4, "{text}");
    assert!(text.contains("50.0 %; the limit is 10.0 %"), "{text}");
    let allowed = ["--dry-run", "--date-order", "dmy", "--allow-rejects"];
    let (code, text) = shop.import(&file, &allowed);
    assert_eq!(code, 5, "{text}");
    assert!(text.contains("`Status`: unknown status"), "{text}");
    let answered = ["--date-order", "dmy", "--status", "raus=placed"];
    let (code, text) = shop.import(&file, &[&["--dry-run"], &answered[..]].concat());
    assert_eq!(code, 0, "{text}");
    assert!(!shop.root().join("mappings.toml").exists());
    let (code, text) = shop.import(&file, &answered);
    assert_eq!(code, 0, "{text}");
    // What was said is known from now on, and shown.
    let next = shop.file("next.csv", &ORDERS.replace("\n1;", "\n3;"));
    let (code, text) = shop.import(&next, &["--dry-run"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("dmy (remembered)"), "{text}");
    let (code, text) = shop.import(&file, &["--dry-run"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("it would be skipped"), "{text}");
}

#[test]
fn a_dry_run_is_json_for_scripts() {
    let shop = Shop::new();
    let file = shop.file("orders.csv", ORDERS);
    let said = ["--dry-run", "--date-order", "dmy", "--format", "json"];
    let mut arguments = vec!["import", file.to_str().unwrap()];
    arguments.extend(said);
    let output = shop.run(&arguments);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let file = &document["files"][0];
    assert_eq!(file["entity"], "orders");
    assert_eq!((&file["rows"], &file["rejected"]), (&2.into(), &1.into()));
    assert_eq!(file["rejects"][0]["column"], "Status");
    assert_eq!(file["rejects"][0]["lines"][0], 3);
    assert!(file["stops"].as_str().unwrap().contains("orders.csv"));
}

#[test]
fn a_file_that_is_not_there_is_not_found() {
    let shop = Shop::new();
    for name in ["none.csv", "none-*.csv"] {
        let (code, text) = shop.import(&shop.directory.path().join(name), &[]);
        assert_eq!(code, 3, "{text}");
        assert!(text.contains(name), "{text}");
    }
}

const WITHOUT_IDS: &str =
    "customer_id,date,total\nann,2026-01-05,10.50\nbob,2026-01-06,11.00\ncyd,2026-01-07,9.00\n";

#[test]
fn orders_without_ids_are_said_to_be_so() {
    let shop = Shop::new();
    let file = shop.file("orders.csv", WITHOUT_IDS);
    let said = "`orders.csv`: no order id: each row is an order of its own";
    let path = file.to_str().unwrap();
    let of_path = said.replace("orders.csv", path);
    let (_, text) = shop.import(&file, &["--dry-run"]);
    assert!(text.contains(&of_path), "{text}");
    let (code, text) = shop.import(&file, &[]);
    assert!(code == 0 && text.contains(&of_path), "{text}");
    let tried = shop.run(&["try", path]);
    let text = String::from_utf8(tried.stderr).unwrap();
    assert!(text.contains(&of_path), "{text}");
    // With ids they would count twice.
    let with = format!(
        "nr,{}",
        WITHOUT_IDS.replace('\n', "\n7,").trim_end_matches("7,")
    );
    let with = shop.file("with.csv", &with);
    let mapped = ["--map", "order_id=nr"];
    for options in [&["--dry-run", "--map", "order_id=nr"][..], &mapped] {
        let (_, text) = shop.import(&with, options);
        let stored = "3 rows of orders are stored without order ids (from `orders.csv`)";
        assert!(text.contains(stored), "{text}");
        assert!(text.contains("make a new workspace"), "{text}");
        assert!(!text.contains("no order id"), "{text}");
        // One id for three customers.
        assert!(text.contains("1 order names another customer"), "{text}");
    }
    let tried = shop.run(&["try", with.to_str().unwrap(), "--map", "order_id=nr"]);
    let text = String::from_utf8([tried.stdout, tried.stderr].concat()).unwrap();
    assert!(text.contains("1 order names another customer"), "{text}");
    assert!(
        text.contains("given to different customers: one of them has each: 1"),
        "{text}"
    );
}

#[test]
fn ids_that_a_spreadsheet_rounded_stop_a_look_with_their_reason() {
    let shop = Shop::new();
    let row = |who: &str| format!("1.23457E+12,{who},2026-01-05,10.00\n");
    let rows = ["ann", "bob", "cyd"].map(row).concat();
    let file = shop.file(
        "orders.csv",
        &format!("order_id,customer_id,date,total\n{rows}"),
    );
    let tried = shop.run(&["try", file.to_str().unwrap()]);
    let text = String::from_utf8(tried.stderr).unwrap();
    assert_eq!(tried.status.code(), Some(4), "{text}");
    assert!(
        text.contains("`order_id`: an id that a spreadsheet such as Excel rounded"),
        "{text}"
    );
    let (code, text) = shop.import(&file, &["--dry-run"]);
    assert!(code == 4 && text.contains("such as Excel"), "{text}");
}

#[test]
fn pipes_are_refused_and_titles_are_said() {
    let shop = Shop::new();
    let (code, text) = shop.import(Path::new("-"), &[]);
    assert!(
        code == 4 && text.contains("save what comes out of it"),
        "{text}"
    );
    let titled = format!("Orders export\nGenerated today\n\n{WITHOUT_IDS}");
    let file = shop.file("titled.csv", &titled);
    for options in [&["--dry-run"][..], &[]] {
        let (code, text) = shop.import(&file, options);
        assert_eq!(code, 0, "{text}");
        assert!(text.contains("2 lines above the header of"), "{text}");
    }
}

#[test]
fn a_look_takes_the_retail_data_of_the_uci_as_pounds() {
    let shop = Shop::new();
    let text = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
        536365,85123A,LANTERN,6,12/13/2010 8:26,2.50,17850,France\n";
    let file = shop.file("retail.csv", text);
    let tried = shop.run(&["try", file.to_str().unwrap(), "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&tried.stdout).unwrap();
    assert_eq!(report["currency"], "GBP", "{tried:?}");
}
