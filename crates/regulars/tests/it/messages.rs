//! What commands say where a first-time user goes wrong, and what they write where data is hostile.

use std::process::Output;

use crate::server::Server;
use crate::shop::Shop;

const ORDERS: &str = "order_id,customer_id,date,total\n1,ann,2026-01-05,10.00\n";

fn said(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8(both).unwrap()
}

/// A shop with one order of Ann's.
fn small() -> Shop {
    let shop = Shop::empty("EUR");
    shop.file("orders.csv", ORDERS);
    shop.good(&["import", "orders.csv"]);
    shop
}

fn refused(shop: &Shop, code: i32, arguments: &[&str]) -> String {
    let output = shop.run(arguments);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}: {output:?}"
    );
    said(&output)
}

#[test]
fn another_currency_in_the_settings_relabels_nothing() {
    let shop = small();
    let file = shop.root().join("regulars.toml");
    let settings = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, settings.replace("\"EUR\"", "\"USD\"")).unwrap();
    for command in [
        &["report"][..],
        &["segments"],
        &["customers", "show", "ann"],
        &["explain", "ann", "new"],
        &["export", "customers", "--format", "csv"],
        &["score"],
        &["models"],
        &["import", "orders.csv"],
        &["import", "orders.csv", "--dry-run"],
        &["transitions"],
    ] {
        let message = refused(&shop, 4, command);
        assert!(
            message.contains("USD") && message.contains("EUR"),
            "{message}"
        );
        assert!(message.contains("regulars.toml"), "{message}");
    }
}

#[test]
fn a_file_is_written_in_the_form_of_its_extension() {
    let shop = small();
    let written = |name: &str| {
        shop.good(&["segments", "members", "everyone_new", "-o", name]);
        std::fs::read(shop.directory().join(name)).unwrap()
    };
    shop.own_segment("everyone_new", "orders >= 1");
    assert!(written("members.csv").starts_with(b"customer_id,lifecycle,"));
    assert!(written("members.json").starts_with(b"{\n"));
    assert!(written("members.jsonl").starts_with(b"{\"customer_id\":\"ann\""));
    assert!(written("members.parquet").starts_with(b"PAR1"));
    let unknown = ["segments", "members", "everyone_new", "-o", "members.xyz"];
    let message = refused(&shop, 2, &unknown);
    assert!(message.contains("`.xyz`"), "{message}");
    assert!(!shop.directory().join("members.xyz").exists());
    let both = ["export", "customers", "-o", "all.csv", "--format", "json"];
    assert!(refused(&shop, 2, &both).contains("all.csv"));
}

#[test]
fn a_csv_without_rows_has_the_header_of_one_with_rows() {
    let shop = small();
    let header = |arguments: &[&str]| {
        let text = shop.good(&[arguments, &["--format", "csv"]].concat());
        text.lines().next().unwrap().to_owned()
    };
    let members = |segment| header(&["segments", "members", segment]);
    assert_eq!(members("dormant"), members("prospect"));
    assert!(members("prospect").starts_with("customer_id,"));
    let empty = header(&["keys", "list"]);
    shop.good(&["keys", "create", "--write", "web"]);
    assert_eq!(header(&["keys", "list"]), empty);
    assert!(header(&["transitions"]).starts_with("id,customer_id,segment,"));
    assert!(header(&["deliveries"]).starts_with("id,destination,"));
    assert!(!header(&["segments"]).contains(",kpis,"));
}

#[test]
fn what_is_unknown_is_called_so() {
    let shop = small();
    for rule in [
        "consent",
        "traits.shoe_size is set",
        "not traits.shoe_size > 3",
        "items where product = 'x' >= 1",
    ] {
        let preview = shop.json(&["segments", "preview", rule]);
        assert_eq!(preview["availability"]["status"], "unknown", "{rule}");
        assert_eq!(preview["sample"], serde_json::json!([]), "{rule}");
        assert!(preview["hints"][0].is_string(), "{rule}");
    }
    let members = shop.json(&["segments", "members", "price_sensitive"]);
    assert_eq!(members["availability"]["status"], "unknown");
    assert_eq!(members["customers"], serde_json::Value::Null);
    let explained = shop.json(&["explain", "ann", "price_sensitive"]);
    assert_eq!(explained["availability"]["missing"][0], "discounts");
    let text = shop.good(&["explain", "ann", "price_sensitive"]);
    assert!(
        text.contains("it is unknown whether ann is in price_sensitive"),
        "{text}"
    );
    assert!(text.contains("no discounts in the data"), "{text}");
    shop.file("customers.csv", "customer_id,Shoe Size\nann,38\n");
    shop.good(&["import", "customers.csv"]);
    let preview = shop.json(&["segments", "preview", "traits.shoe_size between 38 and 40"]);
    assert_eq!(preview["kpis"]["customers"], 1);
    let preview = shop.json(&["segments", "preview", "traits.'shoe size' > 3"]);
    let hint = preview["hints"][0].as_str().unwrap();
    assert!(hint.contains("did you mean `traits.shoe_size`?"), "{hint}");
}

#[test]
fn codes_in_data_do_not_reach_the_terminal() {
    let shop = Shop::empty("EUR");
    let hostile = "a\u{1b}[2Jb\u{7}";
    let text = format!(
        "order_id,customer_id,date,total,product\n1,{hostile},2026-01-05,10.00,\"x\ny\u{1b}]0;t\u{7}\"\n"
    );
    shop.file("orders.csv", &text);
    let show = ["customers", "show", hostile];
    let explain = ["explain", hostile, "new"];
    let preview = ["segments", "preview", "orders >= 1"];
    let members = ["segments", "members", "one_time_buyers"];
    for command in [
        &["import", "orders.csv", "--dry-run"][..],
        &["import", "orders.csv"],
        &show,
        &explain,
        &preview,
        &members,
        &["customers", "show", "\u{1b}[2J"],
    ] {
        let output = shop.command(command).env("NO_COLOR", "1").output().unwrap();
        let text = said(&output);
        let control = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(control, None, "{command:?}: {text:?}");
        assert!(!text.contains("\ny"), "{command:?}: {text:?}");
    }
    let members = shop.json(&members);
    assert_eq!(members["members"][0]["customer_id"], hostile);
    let csv = shop.good(&["segments", "members", "one_time_buyers", "--format", "csv"]);
    assert!(csv.contains(&format!("\n{hostile},")), "{csv:?}");
}

#[test]
fn a_look_points_at_nothing_that_is_gone() {
    let shop = Shop::empty("EUR");
    shop.file(
        "bad.csv",
        "order_id,customer_id,date,total\n1,a,2026-01-05,1\n2,b,never,2\n",
    );
    let message = refused(&shop, 4, &["try", "bad.csv"]);
    assert!(message.contains("`date`: not a date (line 3)"), "{message}");
    assert!(!message.contains("import-"), "{message}");
    let allowed = refused(&shop, 5, &["try", "bad.csv", "--allow-rejects"]);
    assert!(!allowed.contains("rejects/"), "{allowed}");
    shop.file(
        "two.csv",
        "order_id,customer_id,date,total,currency\n1,a,2026-01-05,1,EUR\n2,b,2026-01-05,1,USD\n",
    );
    let message = refused(&shop, 4, &["try", "two.csv"]);
    assert!(
        message.contains("USD") && message.contains("regulars init"),
        "{message}"
    );
    shop.file("we\"ird {name}.csv", ORDERS);
    shop.good(&["try", "we\"ird {name}.csv"]);
}

#[test]
fn files_are_replaced_only_when_asked() {
    let shop = Shop::empty("EUR");
    shop.file("customers.csv", "mine");
    let small = ["generate", "--customers", "50", "--files", "csv", "-o", "."];
    let message = refused(&shop, 2, &small);
    assert!(message.contains("customers.csv"), "{message}");
    let kept = std::fs::read_to_string(shop.directory().join("customers.csv")).unwrap();
    assert_eq!(kept, "mine");
    shop.good(&[&small[..], &["--overwrite"]].concat());
    let replaced = std::fs::read_to_string(shop.directory().join("customers.csv")).unwrap();
    assert_ne!(replaced, "mine");
}

#[test]
fn customers_without_orders_are_looked_at() {
    let shop = Shop::empty("EUR");
    shop.file("customers.csv", "customer_id,country\nann,DE\nbob,FR\n");
    shop.good(&["import", "customers.csv"]);
    let members = shop.json(&["segments", "members", "prospect"]);
    assert_eq!(members["customers"], 2);
    assert!(
        shop.good(&["customers", "show", "ann"])
            .contains("ann · prospect")
    );
    assert!(
        shop.good(&["export", "customers", "--format", "csv"])
            .contains("\nbob,")
    );
    assert_eq!(shop.json(&["report"])["as_of_reason"], "last_import");
}

#[test]
fn messages_say_what_is_the_case() {
    let shop = small();
    let message = refused(&shop, 4, &["score", "--as-of", "2020-01-01"]);
    assert!(message.contains("the first is of 2026-01-05"), "{message}");
    shop.file("moved.csv", &ORDERS.replace("ann", "bob"));
    shop.good(&["import", "moved.csv"]);
    let message = refused(&shop, 3, &["customers", "show", "ann"]);
    assert!(
        message.contains("belongs to another customer now"),
        "{message}"
    );
    let message = refused(&shop, 4, &["segments", "preview", "ordes >= 1"]);
    assert!(!message.contains("error: error:"), "{message}");
    let message = refused(&shop, 4, &["segments", "preview", "in segment rfm_543"]);
    assert!(message.contains("`rfm_cell = '543'`"), "{message}");
    let message = refused(&shop, 2, &["init", "x", "--currency", "XYZ"]);
    assert!(message.contains("`XYZ` is not a currency"), "{message}");
    let message = refused(&shop, 2, &["demo", "--dir", "shop"]);
    assert!(message.contains("--dir"), "{message}");
    shop.own_segment("mine", "orders >= 1");
    let again = shop.root().join("segments/again.toml");
    std::fs::write(
        &again,
        "[[segment]]\nname = \"mine\"\nrule = \"everyone\"\n",
    )
    .unwrap();
    let message = refused(&shop, 4, &["segments"]);
    assert!(
        message.contains("again.toml") && message.contains("mine.toml"),
        "{message}"
    );
    std::fs::write(&again, "[[segment]]\nname = 7\n").unwrap();
    let message = refused(&shop, 4, &["segments"]);
    assert!(
        !message.contains("segment `") && message.contains("again.toml"),
        "{message}"
    );
}

#[test]
fn a_trait_of_another_kind_is_said_with_a_server_and_without() {
    let shop = Shop::empty("EUR");
    shop.file(
        "customers.csv",
        "customer_id,email,points\n1,a@x.de,50\n2,b@x.de,many\n",
    );
    shop.file(
        "orders.csv",
        "order_id,customer_id,date,total\n1,1,2026-01-05,10.00\n",
    );
    shop.good(&["import", "customers.csv", "orders.csv"]);
    let preview = ["segments", "preview", "traits.points > 40"];
    let here = shop.good(&preview);
    let server = Server::start(&shop);
    let served = shop.good(&preview);
    server.stop();
    for text in [here, served] {
        let said = "`traits.points` is a text for 2 of 2 customers who have it";
        assert!(text.contains(said), "{text}");
    }
}
