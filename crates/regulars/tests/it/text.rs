//! What people read, and rows for other programs: snapshots.

use crate::shop::Shop;

/// A snapshot of what commands write to stdout, each under its command line.
fn written(shop: &Shop, commands: &[&[&str]]) -> String {
    let mut text = String::new();
    for arguments in commands {
        let output = shop.run(arguments);
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(!stdout.is_empty(), "{arguments:?}");
        let line = arguments.join(" ");
        text.push_str(&format!("$ regulars {line}\n{stdout}\n"));
    }
    text
}

macro_rules! snapshot {
    ($name:literal, $text:expr) => {
        insta::with_settings!(
            { omit_expression => true, prepend_module_to_snapshot => false },
            { insta::assert_snapshot!($name, $text); }
        );
    };
}

const AT: [&str; 2] = ["--as-of", "2026-01-31"];

#[test]
fn the_tables_of_a_small_shop() {
    let shop = Shop::tiny_scored();
    let report = [&["report"], &AT[..]].concat();
    snapshot!("report_table", written(&shop, &[&report]));
    let segments = written(
        &shop,
        &[
            &[&["segments"], &AT[..]].concat(),
            &[&["segments", "show", "dormant"], &AT[..]].concat(),
            &[
                &["segments", "preview", "revenue > 100 and churn_level >= 2"],
                &AT[..],
            ]
            .concat(),
            &[&["segments", "members", "dormant", "--limit", "3"], &AT[..]].concat(),
        ],
    );
    snapshot!("segments_table", segments);
    let customers = written(
        &shop,
        &[
            &[&["customers", "show", "K01"], &AT[..]].concat(),
            &[&["explain", "K01", "high_value_loyalists"], &AT[..]].concat(),
        ],
    );
    snapshot!("customers_table", customers);
}

#[test]
fn the_tables_of_an_import() {
    let shop = Shop::empty("EUR");
    for file in crate::shop::FILES {
        shop.copy(&format!("shop/{file}"));
    }
    let import = [&["import"], &crate::shop::FILES[..]].concat();
    let dry = [&import[..], &["--dry-run"]].concat();
    let text = written(&shop, &[&dry, &import]);
    let root = shop.root().display().to_string();
    snapshot!("import_table", text.replace(&root, "[shop]"));
}

/// The lines of a text that are about these segments.
fn of_segments<'t>(text: &'t str, names: &[&str]) -> Vec<&'t str> {
    let is_of = |line: &&str| names.contains(&line.split_whitespace().next().unwrap_or_default());
    text.lines().filter(is_of).collect()
}

#[test]
fn figures_that_may_change_are_marked() {
    let shop = Shop::tiny();
    let names = ["at_risk", "loyal", "high_value_loyalists"];
    for command in ["segments", "report"] {
        let before = shop.good(&[&[command], &AT[..]].concat());
        let lines = of_segments(&before, &names);
        assert_eq!(lines.len(), 3, "{before}");
        assert!(lines.iter().all(|line| line.contains(" * ")), "{lines:?}");
        let dormant = of_segments(&before, &["dormant"]);
        assert!(!dormant[0].contains('*'), "{dormant:?}");
        assert!(
            before.contains("* may change once there is more data: "),
            "{before}"
        );
    }
    shop.good(&[&["score"], &AT[..]].concat());
    for command in ["segments", "report"] {
        let after = shop.good(&[&[command], &AT[..]].concat());
        assert_eq!(of_segments(&after, &names).len(), 3, "{after}");
        assert!(!after.contains('*'), "{after}");
    }
}

#[test]
fn a_report_says_which_segments_of_events_it_leaves_out() {
    let report = Shop::tiny().good(&[&["report"], &AT[..]].concat());
    assert_eq!(
        of_segments(&report, &["lapsing", "first_purchase_48h"]).len(),
        2
    );
    assert!(report.contains("9 more segments are unknown: "), "{report}");
}

#[test]
fn days_are_days_and_times_are_on_one_clock() {
    let shop = Shop::empty("EUR");
    let config = shop.root().join("regulars.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text.replace("time_zone = \"UTC\"", "time_zone = \"Europe/Berlin\"");
    assert!(text.contains("Europe/Berlin"), "{text}");
    std::fs::write(&config, text).unwrap();
    shop.file(
        "customers.csv",
        "customer_id,birthday,created_at\nA,1972-01-24,2026-01-04T09:30:00Z\n",
    );
    shop.file(
        "orders.csv",
        "customer_id,date,total\nA,2026-01-05T08:15:00Z,1\n",
    );
    shop.good(&["import", "customers.csv", "orders.csv"]);
    let shown = shop.good(&["customers", "show", "A"]);
    for expected in [
        "times are those of Europe/Berlin",
        "birthday    1972-01-24\n",
        "created_at  2026-01-04 10:30\n",
        "2026-01-05 09:15",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    let json = shop.json(&["customers", "show", "A"]);
    assert_eq!(json["declared"]["birthday"], "1972-01-24");
    let created_at = json["declared"]["created_at"].as_str().unwrap();
    assert!(
        created_at.starts_with("2026-01-04T09:30:00"),
        "{created_at}"
    );
}

#[test]
fn a_csv_of_models_begins_with_their_names() {
    let models = Shop::cdnow().good(&["models", "--format", "csv"]);
    let header = models.lines().next().unwrap();
    assert!(
        header.starts_with("model,name,in_use_for,customers,log_likelihood,aic,"),
        "{header}"
    );
}

#[test]
fn the_models_of_cdnow_and_a_look_at_it() {
    let shop = Shop::cdnow();
    snapshot!("models_table", written(&shop, &[&["models"]]));
    let look = ["try", "cdnow_sample.txt"];
    snapshot!("try_table", written(&shop, &[&look]));
}

#[test]
fn rows_as_csv_and_jsonl() {
    let shop = Shop::tiny_scored();
    let as_rows = |words: &[&'static str], format| [words, &AT[..], &["--format", format]].concat();
    let rows = written(
        &shop,
        &[
            &as_rows(&["segments", "members", "dormant"], "csv"),
            &as_rows(&["segments", "members", "dormant", "--limit", "2"], "jsonl"),
            &as_rows(&["explain", "K01", "dormant"], "jsonl"),
            &["traits", "--format", "csv"],
        ],
    );
    snapshot!("rows", rows);
    let segments = written(&shop, &[&as_rows(&["segments"], "csv")]);
    let head: Vec<&str> = segments.lines().take(4).collect();
    snapshot!("segments_csv_head", head.join("\n"));
}

/// What a trait means names the horizon of the workspace, not the default one.
#[test]
fn meanings_of_traits_have_the_settings_of_the_workspace() {
    let shop = Shop::empty("EUR");
    let outside = std::process::Command::new(env!("CARGO_BIN_EXE_regulars"))
        .arg("traits")
        .current_dir(shop.directory())
        .env_remove("REGULARS_WORKSPACE")
        .output()
        .unwrap();
    let outside = String::from_utf8(outside.stdout).unwrap();
    assert!(
        outside.contains("no order at all within 90 days"),
        "{outside}"
    );
    let path = shop.root().join("regulars.toml");
    let settings = std::fs::read_to_string(&path).unwrap();
    assert_eq!(settings.matches("horizon_days = 90").count(), 1);
    let settings = settings.replace("horizon_days = 90", "horizon_days = 1");
    std::fs::write(
        &path,
        settings.replace("horizon_days = 365", "horizon_days = 730"),
    )
    .unwrap();
    let text = shop.good(&["traits"]);
    for meaning in [
        "Probability of no order at all within 1 day.",
        "Expected orders within 1 day.",
        "Expected net revenue of the next 730 days.",
    ] {
        assert!(text.contains(meaning), "{meaning}: {text}");
    }
}
