//! Each exit code, with its message on stderr and nothing on stdout.

use crate::shop::Shop;

/// Runs a command that fails: gives its message, once it left stdout alone.
fn failure(shop: &Shop, code: i32, arguments: &[&str]) -> String {
    let output = shop.run(arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, "", "{arguments:?}");
    message
}

fn check(shop: &Shop, code: i32, arguments: &[&str], says: &str) {
    let message = failure(shop, code, arguments);
    assert!(message.contains(says), "{arguments:?}: {message}");
}

#[test]
fn failure_is_1() {
    let shop = Shop::empty("EUR");
    check(&shop, 1, &["init", "shop"], "shop");
    let into = ["segments", "members", "loyal", "-o", "no/such/file.csv"];
    let scored = Shop::tiny_scored();
    check(&scored, 1, &into, "no/such/file.csv");
    std::fs::write(scored.root().join("data/manifest.json"), "{").unwrap();
    check(&scored, 1, &["report"], "manifest");
}

#[test]
fn wrong_usage_is_2() {
    let shop = Shop::tiny();
    check(&shop, 2, &["repotr"], "report");
    check(&shop, 2, &["report", "--format", "xml"], "jsonl");
    check(&shop, 2, &["import"], "FILES");
    let bad = ["report", "--as-of", "yesterday"];
    check(&shop, 2, &bad, "`yesterday` is not a moment");
    check(&shop, 2, &["export", "customers"], "customers.parquet");
    let bad = ["import", "orders.csv", "--map", "customer_id"];
    check(&shop, 2, &bad, "FIELD=COLUMN");
    check(&shop, 2, &["init", "x", "--currency", "EURO"], "EURO");
    check(&shop, 2, &["init", "x", "--time-zone", "Mars"], "Mars");
    let bad = ["score", "--holdout-from", "2030-01-01"];
    check(&shop, 2, &bad, "holdout");
}

#[test]
fn what_is_not_found_is_3() {
    let shop = Shop::tiny();
    check(&shop, 3, &["customers", "show", "K77"], "K77");
    check(&shop, 3, &["explain", "K77", "loyal"], "K77");
    check(&shop, 3, &["explain", "K01", "loyl"], "loyl");
    check(&shop, 3, &["segments", "show", "at_rsik"], "at_rsik");
    check(&shop, 3, &["segments", "members", "nobody"], "nobody");
    check(&shop, 3, &["import", "nothing.csv"], "nothing.csv");
    check(
        &shop,
        3,
        &["models"],
        "no models have been fitted yet: run `regulars score`",
    );
    check(&shop, 3, &["report", "-C", "nowhere"], "nowhere");
}

#[test]
fn invalid_input_is_4() {
    let shop = Shop::tiny();
    let rule = ["segments", "preview", "ordes >= 3"];
    let message = failure(&shop, 4, &rule);
    assert!(message.contains("orders"), "{message}");
    assert!(message.contains('^'), "{message}");
    shop.file("bad.csv", "customer_id,date,total\nA,never,1\nB,never,2\n");
    check(&shop, 4, &["import", "bad.csv"], "reject");
    shop.file("empty.csv", "");
    check(&shop, 4, &["import", "empty.csv"], "empty.csv");
    check(&Shop::empty("EUR"), 4, &["report"], "no orders");
    check(&Shop::empty("EUR"), 4, &["score"], "no orders");
    // Customers of whom no file says since when are known then; without any there is nothing to tell.
    let early = ["report", "--as-of", "2020-01-01"];
    let told = shop.run(&early);
    assert_eq!(told.status.code(), Some(0), "{told:?}");
    let message = String::from_utf8(told.stderr).unwrap();
    assert!(message.contains("the first is of 2024-01-05"), "{message}");
    let orders = Shop::empty("EUR");
    orders.file("one.csv", "customer_id,date,total\nA,2026-01-05,1\n");
    orders.good(&["import", "one.csv"]);
    check(&orders, 4, &early, "the first is of 2026-01-05");
    let rule = ["segments", "preview", "in segment channel_email"];
    check(&shop, 4, &rule, "`first_channel = 'email'`");
    shop.file(
        "refunded.csv",
        "order_id,customer_id,date,status,total\n1,A,2026-01-05,refunded,1\n2,B,2026-01-06,cancelled,2\n",
    );
    let look = ["try", "refunded.csv"];
    check(&shop, 4, &look, "none of the orders counts (2)");
    shop.file("people.csv", "customer_id,email\nA,a@example.com\n");
    check(&shop, 4, &["try", "people.csv"], "no orders in these files");
    std::fs::write(shop.root().join("segments/x.toml"), "nonsense = [").unwrap();
    check(&shop, 4, &["segments"], "x.toml");
    std::fs::write(shop.root().join("regulars.toml"), "[nonsense]\n").unwrap();
    check(&shop, 4, &["report"], "regulars.toml");
}

#[test]
fn every_exit_code_is_told() {
    let shop = Shop::empty("EUR");
    let help = shop.good(&["--help"]);
    let page = crate::shop::repository().join("docs/json.md");
    let page = std::fs::read_to_string(page).unwrap();
    for (code, meaning) in [
        (4, "invalid input"),
        (5, "done in part"),
        (130, "interrupted"),
    ] {
        assert!(help.contains(&format!("{code} {meaning}")), "{help}");
        assert!(page.contains(&format!("| {code} | {meaning} |")), "{code}");
    }
}

/// Done in part: the result is on stdout, what was left out on stderr or in the result.
#[test]
fn some_rows_rejected_is_5() {
    let shop = Shop::empty("EUR");
    for name in ["shop/orders.csv", "shop/products.csv"] {
        shop.copy(name);
    }
    let output = shop.run(&["import", "orders.csv", "--quiet"]);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("2 rows could not be read"), "{text}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let output = shop.run(&["try", "orders.csv"]);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("2 rows could not be read"), "{message}");
}
