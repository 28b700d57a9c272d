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
