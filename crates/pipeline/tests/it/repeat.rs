//! Importing again, in parts, in another order, newer over older, and after a failure.

use regulars_pipeline::{PipelineError, RejectPolicy, RepeatPolicy};
use regulars_store::history::Family;

use crate::scratch::{Scratch, shop_files, shop_workspace};

const HEADER: &str = "order_id,customer_id,date,status,product_id,quantity,unit_price,refunded\n";

fn orders(rows: &[&str]) -> String {
    format!("{HEADER}{}\n", rows.join("\n"))
}

const OLD: [&str; 5] = [
    "1,ann,2026-01-05,paid,p1,1,10.00,",
    "1,ann,2026-01-05,paid,p2,2,5.00,",
    "2,bob,2026-01-06,paid,p1,1,10.00,",
    "3,ann,2026-02-01,paid,p3,1,40.00,",
    "4,cyd,2026-02-03,pending,p1,3,10.00,",
];
const NEW: [&str; 4] = [
    "3,ann,2026-02-01,refunded,p3,1,40.00,40.00",
    "4,cyd,2026-02-03,paid,p1,3,10.00,",
    "5,bob,2026-03-01,paid,p2,1,5.00,",
    "2,bob,2026-01-06,cancelled,p1,1,10.00,",
];

#[test]
fn the_same_file_adds_nothing() {
    let scratch = Scratch::new();
    let file = scratch.file("orders.csv", &orders(&OLD));
    scratch.import(std::slice::from_ref(&file));
    let before = scratch.picture(None);
    let report = scratch.import(std::slice::from_ref(&file));
    assert!(report.files[0].skipped);
    assert_eq!(scratch.picture(None), before);
    let mut again = scratch.options();
    again.repeats = RepeatPolicy::ReadAgain;
    scratch.import_with(&[file], &again).unwrap();
    assert_eq!(scratch.picture(None), before);
}

#[test]
fn a_newer_overlapping_export_gives_the_newer_state() {
    let scratch = Scratch::new();
    let old = scratch.file("old.csv", &orders(&OLD));
    let new = scratch.file("new.csv", &orders(&NEW));
    scratch.import(&[old]);
    scratch.import(&[new]);
    let once = Scratch::new();
    let rows = [OLD[0], OLD[1], NEW[0], NEW[1], NEW[2], NEW[3]];
    once.import(&[once.file("all.csv", &orders(&rows))]);
    assert_eq!(scratch.picture(None), once.picture(None));
}

#[test]
fn splitting_an_import_changes_nothing() {
    let whole = Scratch::new();
    whole.import(&[whole.file("all.csv", &orders(&OLD))]);
    let parts = Scratch::new();
    let first = parts.file("first.csv", &orders(&OLD[..2]));
    let second = parts.file("second.csv", &orders(&OLD[2..]));
    parts.import(std::slice::from_ref(&second));
    parts.import(std::slice::from_ref(&first));
    assert_eq!(parts.picture(None), whole.picture(None));
    let together = Scratch::new();
    together.import(&[first, second]);
    assert_eq!(together.picture(None), whole.picture(None));
}

#[test]
fn products_and_customers_may_come_before_or_after() {
    let products = "product_id,product_name,category,brand,cost\np1,Pen,Office,Ink,4.00\np2,Pad,Office,Ink,1.50\np3,Lamp,Home,Lux,22.00\n";
    let customers = "customer_id,email,first_name,country,consent,created_at\nann,ann@example.com,Ann,DE,yes,2025-12-01\ndee,dee@example.org,Dee,FR,no,2026-01-10\n";
    let make = |order: [usize; 3]| {
        let scratch = Scratch::new();
        let files = [
            scratch.file("orders.csv", &orders(&OLD)),
            scratch.file("products.csv", products),
            scratch.file("customers.csv", customers),
        ];
        for index in order {
            scratch.import(std::slice::from_ref(&files[index]));
        }
        scratch.picture(None)
    };
    let first = make([0, 1, 2]);
    assert!(
        first.contains("Office") && first.contains("\"dee\""),
        "{first}"
    );
    assert_eq!(first, make([2, 1, 0]));
    assert_eq!(first, make([1, 2, 0]));
}

#[test]
fn guests_join_the_customer_whose_address_they_use() {
    let header = "order_id,customer_id,email,date,total\n";
    let guest = "1,,ann@example.com,2026-01-05,10.00\n";
    let known = "2,ann,ann@example.com,2026-01-09,20.00\n";
    let other = "3,anna,ann@example.com,2026-02-09,30.00\n";
    let make = |parts: &[String]| {
        let scratch = Scratch::new();
        for (index, part) in parts.iter().enumerate() {
            let file = scratch.file(&format!("{index}.csv"), part);
            scratch.import(&[file]);
        }
        scratch
    };
    let part = |rows: &[&str]| format!("{header}{}", rows.concat());
    let customers = |scratch: &Scratch| scratch.fold(Some("2026-06-30")).customers.len();
    let joined = make(&[part(&[guest, known])]);
    assert_eq!(customers(&joined), 1);
    for parts in [
        vec![part(&[guest]), part(&[known])],
        vec![part(&[known]), part(&[guest])],
    ] {
        assert_eq!(
            make(&parts).picture(Some("2026-06-30")),
            joined.picture(Some("2026-06-30")),
            "{parts:?}"
        );
    }
    // An address that two customers use is nobody's: the guest stands for themselves.
    let ambiguous = make(&[part(&[guest, known, other])]);
    assert_eq!(customers(&ambiguous), 3);
    let later = make(&[part(&[guest]), part(&[known]), part(&[other])]);
    assert_eq!(
        later.picture(Some("2026-06-30")),
        ambiguous.picture(Some("2026-06-30"))
    );
}

#[test]
fn credits_find_their_orders_whatever_comes_first() {
    let header =
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";
    let sales = "536365,85123A,HOLDER,6,12/1/2010 8:26,2.55,17850,United Kingdom\n536366,71053,LANTERN,4,12/13/2010 8:28,3.39,17850,United Kingdom\n";
    let credits = "C536379,85123A,HOLDER,-2,12/20/2010 9:41,2.55,17850,United Kingdom\nC536380,99999,NOTHING,-1,12/21/2010 9:41,1.00,17850,United Kingdom\n";
    let make = |first: &str, second: &str| {
        let scratch = Scratch::new();
        for (name, rows) in [("a.csv", first), ("b.csv", second)] {
            let file = scratch.file(name, &format!("{header}{rows}"));
            scratch.import(&[file]);
        }
        scratch
    };
    let one = make(sales, credits);
    let base = one.fold(None);
    assert_eq!(base.customers[0].profile.orders.len(), 2);
    assert_eq!(
        base.customers[0].profile.revenue_minor,
        6 * 255 + 4 * 339 - 2 * 255
    );
    assert_eq!(base.oddities.unmatched_credits, 1);
    assert_eq!(one.picture(None), make(credits, sales).picture(None));
}

#[test]
fn too_many_bad_rows_stop_an_import_and_leave_nothing() {
    let scratch = Scratch::new();
    let rows = [
        "1,ann,2026-01-05,paid,p1,1,10.00,",
        "2,bob,not-a-date,paid,p1,1,10.00,",
    ];
    let file = scratch.file("orders.csv", &orders(&rows));
    let error = scratch.try_import(std::slice::from_ref(&file)).unwrap_err();
    assert!(
        matches!(
            error,
            PipelineError::TooManyRejects {
                rejected: 1,
                rows: 2,
                ..
            }
        ),
        "{error}"
    );
    let mut allowed = scratch.options();
    allowed.rejects = RejectPolicy::Allow;
    let report = scratch.import_with(&[file], &allowed).unwrap();
    assert_eq!((report.rejected(), report.orders.orders), (1, 1));
    let rejects = std::fs::read_to_string(report.rejects.unwrap()).unwrap();
    let expected = "orders.csv,3,date,***,not a date";
    assert!(rejects.contains(expected), "{rejects}");
}

#[test]
fn several_currencies_need_rates() {
    let scratch = Scratch::new();
    let text = "order_id,customer_id,date,currency,total\n1,ann,2026-01-05,USD,10.00\n2,ann,2026-01-06,GBP,10.00\n";
    let file = scratch.file("orders.csv", text);
    let error = scratch.try_import(std::slice::from_ref(&file)).unwrap_err();
    assert!(error.to_string().contains("GBP"), "{error}");
    let mut config = scratch.workspace.config().clone();
    let rate = regulars_pipeline::Rate {
        from: "2020-01-01".to_owned(),
        rate: "1.25".to_owned(),
    };
    config
        .rates
        .insert(regulars_core::Currency::new("GBP").unwrap(), vec![rate]);
    let with_rates = Scratch::with_config(config);
    with_rates.import(&[file]);
    assert_eq!(
        with_rates.fold(None).customers[0].profile.revenue_minor,
        1_000 + 1_250
    );
}

#[test]
fn what_is_stored_already_is_not_stored_again() {
    let scratch = Scratch::new();
    scratch.import(&[scratch.file("monday.csv", &orders(&OLD))]);
    let rows = |scratch: &Scratch| {
        let store = scratch.workspace.open_read().unwrap();
        store.history().summary(Family::Orders).rows
    };
    let before = rows(&scratch);
    let tuesday = [&OLD[..], &["6,bob,2026-03-01,paid,p2,1,5.00,"]].concat();
    let report = scratch.import(&[scratch.file("tuesday.csv", &orders(&tuesday))]);
    assert_eq!(
        (report.orders.orders, report.orders.unchanged_orders),
        (5, 4)
    );
    assert_eq!(rows(&scratch), before + 1);
    // A change and its way back are both stored.
    let cancelled = [NEW[3]];
    scratch.import(&[scratch.file("wednesday.csv", &orders(&cancelled))]);
    scratch.import(&[scratch.file("thursday.csv", &orders(&OLD[2..3]))]);
    assert_eq!(rows(&scratch), before + 3);
    let once = Scratch::new();
    once.import(&[once.file("all.csv", &orders(&tuesday))]);
    assert_eq!(scratch.picture(None), once.picture(None));
}

#[test]
fn many_imports_leave_few_files() {
    let scratch = Scratch::new();
    let whole: Vec<String> = (0..30)
        .map(|day| format!("{day},ann,2026-01-{:02},paid,p1,1,10.00,", 1 + day % 28))
        .collect();
    for (day, row) in whole.iter().enumerate() {
        scratch.import(&[scratch.file(&format!("{day}.csv"), &orders(&[row.as_str()]))]);
    }
    let store = scratch.workspace.open_read().unwrap();
    assert!(store.history().summary(Family::Orders).runs <= 9);
    let once = Scratch::new();
    let rows: Vec<&str> = whole.iter().map(String::as_str).collect();
    once.import(&[once.file("all.csv", &orders(&rows))]);
    assert_eq!(scratch.picture(None), once.picture(None));
}

const HISTORY: &str =
    "order_id,customer_id,ordered_at,updated_at,status,product_id,quantity,unit_price,refunded\n";
/// Orders that end some time after they were placed, as the version says that tells it.
const ENDING: [&str; 7] = [
    "1,ann,2026-05-20,2026-06-10,cancelled,p1,1,30.00,",
    "2,ann,2026-01-02,2026-01-02,paid,p1,1,7.00,",
    "3,bob,2026-05-21,2026-06-12,refunded,p1,2,20.00,40.00",
    "4,bob,2026-02-03,2026-02-03,paid,p2,1,9.00,",
    "5,cyd,2026-05-22,2026-06-14,paid,p2,1,50.00,15.00",
    "6,cyd,2026-03-04,2026-03-05,paid,p1,1,5.00,",
    "7,dee,2026-06-20,2026-06-20,paid,p1,1,8.00,",
];

#[test]
fn splitting_an_import_changes_nothing_of_the_past() {
    let file = |scratch: &Scratch, name: &str, rows: &[&str]| {
        scratch.file(name, &format!("{HISTORY}{}\n", rows.join("\n")))
    };
    let whole = Scratch::new();
    whole.import(&[file(&whole, "all.csv", &ENDING)]);
    let parts = Scratch::new();
    for (number, rows) in ENDING.chunks(2).enumerate() {
        parts.import(&[file(&parts, &format!("{number}.csv"), rows)]);
    }
    for as_of in ["2026-05-31", "2026-06-10", "2026-06-13", "2026-06-30"] {
        assert_eq!(whole.picture(Some(as_of)), parts.picture(Some(as_of)));
    }
    let revenue = |as_of: &str| -> i64 {
        let base = whole.fold(Some(as_of));
        let customers = base.customers.iter();
        customers.map(|of| of.profile.revenue_minor).sum()
    };
    assert_eq!(revenue("2026-05-31"), 14_100);
    assert_eq!(revenue("2026-06-10"), 11_100);
    assert_eq!(revenue("2026-06-13"), 7_100);
    assert_eq!(revenue("2026-06-30"), 6_400);
}

#[test]
fn an_import_that_says_again_when_orders_ended_adds_nothing() {
    let scratch = Scratch::new();
    let text = format!("{HISTORY}{}\n", ENDING.join("\n"));
    scratch.import(&[scratch.file("a.csv", &text)]);
    let report = scratch.import(&[scratch.file("b.csv", &format!("{text}\n"))]);
    assert!(!report.files[0].skipped);
    assert_eq!(report.orders.unchanged_orders, 7);
}

/// The files of the made-up shop, that of the orders in two halves of whole orders.
fn halves(scratch: &Scratch, files: &[std::path::PathBuf]) -> [Vec<std::path::PathBuf>; 2] {
    let is_of_orders = |path: &&std::path::PathBuf| path.ends_with("orders.csv");
    let orders = files.iter().find(is_of_orders).expect("it has orders");
    let text = std::fs::read_to_string(orders).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    let order = |row: &str| row.split(',').next().map(str::to_owned);
    let mut half = rows.len() / 2;
    while order(rows[half]) == order(rows[half - 1]) {
        half += 1;
    }
    let part =
        |name: &str, rows: &[&str]| scratch.file(name, &format!("{header}\n{}\n", rows.join("\n")));
    let second = vec![part("second.csv", &rows[half..])];
    let mut first: Vec<_> = files.to_vec();
    first.retain(|path| path != orders);
    first.push(part("first.csv", &rows[..half]));
    [first, second]
}

#[test]
fn scores_and_the_report_do_not_depend_on_how_files_were_split_into_imports() {
    let whole = shop_workspace();
    let files = shop_files(&whole, 400);
    whole.import(&files);
    let parts = shop_workspace();
    for part in halves(&parts, &files) {
        parts.import(&part);
    }
    for scratch in [&whole, &parts] {
        scratch.score(None, None);
    }
    assert_eq!(whole.picture(None), parts.picture(None));
    assert_eq!(
        whole.picture(Some("2025-06-30")),
        parts.picture(Some("2025-06-30"))
    );
}

#[test]
fn an_event_that_happened_before_the_version_of_a_file_was_made_is_the_older_one() {
    let scratch = Scratch::new();
    let orders = format!("{HISTORY}1,ann,2026-05-20,2026-06-10,paid,p1,1,30.00,\n");
    scratch.import(&[scratch.file("orders.csv", &orders)]);
    let call = |day: &str, revenue: &str| {
        format!(
            r#"{{"type":"track","event":"Order Updated","userId":"ann","messageId":"{day}","timestamp":"2026-06-{day}T00:00:00Z","properties":{{"order_id":"1","revenue":{revenue},"currency":"USD"}}}}"#
        )
    };
    let revenue = || -> i64 {
        let base = scratch.fold(Some("2026-06-30"));
        let customers = base.customers.iter();
        customers.map(|of| of.profile.revenue_minor).sum()
    };
    scratch.import(&[scratch.file("older.ndjson", &call("05", "99.00"))]);
    assert_eq!(revenue(), 3_000);
    scratch.import(&[scratch.file("newer.ndjson", &call("15", "45.00"))]);
    assert_eq!(revenue(), 4_500);
}
