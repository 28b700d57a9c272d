//! What amounts mean, from the file to what a customer is worth.

use std::path::PathBuf;

use regulars_core::{Currency, Timestamp};
use regulars_pipeline::{Config, Rate, RejectPolicy};
use serde_json::json;

use crate::equivalence::{START, append, start};
use crate::scratch::Scratch;

/// Orders and net revenue of the only customer of a file.
fn told(text: &str) -> (usize, i64) {
    let scratch = Scratch::new();
    let file = scratch.file("orders.csv", text);
    scratch.import(&[file]);
    only_customer(&scratch)
}

fn only_customer(scratch: &Scratch) -> (usize, i64) {
    let base = scratch.fold(Some("2026-12-31"));
    assert_eq!(base.customers.len(), 1);
    let profile = &base.customers[0].profile;
    (profile.orders.len(), profile.revenue_minor)
}

#[test]
fn amounts_that_differ_within_an_order_are_those_of_its_lines() {
    let amounts = "order_id,customer_id,date,product_id,quantity,amount\n\
        1,ann,2026-01-05,p1,1,10.00\n1,ann,2026-01-05,p2,1,20.00\n\
        2,ann,2026-01-06,p1,1,5.00\n2,ann,2026-01-06,p2,1,5.00\n";
    assert_eq!(told(amounts), (2, 4_000));
    let discounts = "order_id,customer_id,date,product_id,quantity,unit_price,discount\n\
        1,ann,2026-01-05,p1,1,10.00,2.00\n1,ann,2026-01-05,p2,1,20.00,3.00\n\
        2,ann,2026-01-06,p1,1,10.00,1.00\n2,ann,2026-01-06,p2,1,20.00,1.00\n";
    assert_eq!(told(discounts), (2, 2_500 + 2_800));
    let refunds = "order_id,customer_id,date,product_id,line_total,refunded\n\
        1,ann,2026-01-05,p1,100.00,10.00\n1,ann,2026-01-05,p2,50.00,5.00\n\
        2,ann,2026-01-06,p1,100.00,5.00\n2,ann,2026-01-06,p2,50.00,5.00\n";
    assert_eq!(told(refunds), (2, 13_500 + 14_000));
    let gross = "order_id,customer_id,date,product_id,total,tax\n\
        1,ann,2026-01-05,p1,119.00,19.00\n1,ann,2026-01-05,p2,238.00,38.00\n";
    assert_eq!(told(gross), (1, 30_000));
}

#[test]
fn amounts_that_all_lines_repeat_are_those_of_the_order() {
    let repeated = "order_id,customer_id,date,product_id,quantity,unit_price,total\n\
        1,ann,2026-01-05,p1,1,10.00,30.00\n1,ann,2026-01-05,p2,1,20.00,30.00\n";
    assert_eq!(told(repeated), (1, 3_000));
    let once = "order_id,customer_id,date,product_id,quantity,unit_price,discount\n\
        1,ann,2026-01-05,p1,1,10.00,5.00\n1,ann,2026-01-05,p2,1,20.00,\n";
    assert_eq!(told(once), (1, 2_500));
}

#[test]
fn a_net_amount_is_taken_where_tax_is_not_told() {
    let header = "order_id,customer_id,date,subtotal,total\n";
    assert_eq!(
        told(&format!("{header}1,ann,2026-01-05,100.00,124.00\n")),
        (1, 10_000)
    );
    let credit = "order_id,customer_id,date,total,tax\n\
        1,ann,2026-01-05,119.00,19.00\n2,ann,2026-01-09,-59.50,-9.50\n";
    assert_eq!(told(credit), (1, 5_000));
}

#[test]
fn reports_of_sales_come_to_their_net_sales() {
    let told = |columns: &str, rows: &[&str]| {
        let row = |(n, amounts): (usize, &&str)| format!("{n},ann,2026-01-0{},{amounts}\n", n + 1);
        let rows: String = rows.iter().enumerate().map(row).collect();
        told(&format!("order_id,customer_id,date,{columns}\n{rows}"))
    };
    let all = "Gross Sales,Discounts,Net Sales,Shipping,Taxes,Total Sales";
    assert_eq!(told(all, &["25,-5,20,5,1.60,26.60"]), (1, 2_000));
    assert_eq!(told("Net Sales,Shipping,Taxes", &["20,5,1.60"]), (1, 2_000));
    // An order that came back in full is none.
    let returns = "Gross Sales,Discounts,Returns";
    assert_eq!(told(returns, &["25,-5,0", "25,-5,-20"]), (1, 2_000));
    assert_eq!(told(returns, &["25,-5,0", "25,-5,-8"]), (2, 3_200));
    let all = "Gross Sales,Discounts,Returns,Net Sales,Shipping,Taxes,Total Sales";
    let rows = ["25,-5,0,20,5,1.60,26.60", "25,-5,-8,12,5,0.96,17.96"];
    assert_eq!(told(all, &rows), (2, 3_200));
}

#[test]
fn a_file_that_repeats_its_orders_loses_none() {
    let january = "1,ann,2026-01-05,10.00\n2,ann,2026-01-31,20.00\n";
    let february = "2,ann,2026-01-31,20.00\n3,ann,2026-02-05,30.00\n";
    let text = format!("order_id,customer_id,date,total\n{january}{february}");
    assert_eq!(told(&text), (3, 6_000));
}

#[test]
fn returned_goods_cost_nothing() {
    let scratch = Scratch::new();
    let text = "order_id,customer_id,date,product_id,quantity,unit_price,unit_cost\n\
        1,ann,2026-01-05,p1,2,10.00,6.00\nr1,ann,2026-01-09,p1,-1,10.00,6.00\n";
    let file = scratch.file("orders.csv", text);
    scratch.import(&[file]);
    let base = scratch.fold(None);
    let profile = &base.customers[0].profile;
    assert_eq!(
        (profile.revenue_minor, profile.cost_minor),
        (1_000, Some(600))
    );
}

#[test]
fn orders_and_their_refunds_may_come_together_or_apart() {
    let header = "order_id,customer_id,date,product_id,quantity,unit_price\n";
    let make = |imports: &[&[&str]]| {
        let scratch = Scratch::new();
        for (at, import) in imports.iter().enumerate() {
            let files: Vec<PathBuf> = import
                .iter()
                .enumerate()
                .map(|(i, rows)| scratch.file(&format!("{at}-{i}.csv"), &format!("{header}{rows}")))
                .collect();
            scratch.import(&files);
        }
        scratch.picture(Some("2026-12-31"))
    };
    let orders = "1,ann,2026-01-05,p1,2,10.00\n1,ann,2026-01-05,p2,1,5.00\n\
        2,ann,2026-02-05,p1,1,10.00\n";
    let refunds = "1,ann,2026-02-20,p1,-1,10.00\n2,ann,2026-02-21,p1,-1,10.00\n";
    // The newer export has other lines and says the refunds again nowhere.
    let newer = "1,ann,2026-01-05,p1,3,10.00\n";
    let together = make(&[&[orders, refunds]]);
    assert_eq!(make(&[&[orders], &[refunds]]), together);
    assert_eq!(make(&[&[refunds], &[orders]]), together);
    let again = make(&[&[orders, refunds], &[newer]]);
    assert_eq!(make(&[&[orders], &[refunds], &[newer]]), again);
    assert_ne!(again, together);
}

#[test]
fn an_order_without_an_id_is_the_same_when_money_goes_back() {
    let scratch = Scratch::new();
    for (name, refunded) in [("old.csv", ""), ("new.csv", "4.00")] {
        let text = format!("customer_id,date,total,refunded\nann,2026-01-05,10.00,{refunded}\n");
        let file = scratch.file(name, &text);
        scratch.import(&[file]);
    }
    assert_eq!(only_customer(&scratch), (1, 600));
}

#[test]
fn foreign_lines_are_formed_before_they_are_converted() {
    let mut config = Config::new("test", Currency::new("EUR").unwrap(), "UTC");
    let rate = Rate {
        from: "2020-01-01".to_owned(),
        rate: "0.9".to_owned(),
    };
    config
        .rates
        .insert(Currency::new("USD").unwrap(), vec![rate]);
    let scratch = Scratch::with_config(config);
    let text = "order_id,customer_id,date,product_id,quantity,unit_price,currency\n\
        1,ann,2026-01-05,p2,1,1.00,\n1,ann,2026-01-05,p1,1000,0.85,USD\n";
    let file = scratch.file("orders.csv", text);
    scratch.import(&[file]);
    assert_eq!(only_customer(&scratch), (1, 76_500 + 90));
}

#[test]
fn a_line_without_a_currency_does_not_depend_on_the_one_above() {
    let rate = |rate: &str| {
        vec![Rate {
            from: "2020-01-01".to_owned(),
            rate: rate.to_owned(),
        }]
    };
    let header = "order_id,customer_id,date,product_id,quantity,unit_price,currency\n";
    let rows = [
        "1,ann,2026-01-05,p1,1,100,JPY\n",
        "1,ann,2026-01-05,p2,1,200,\n",
        "1,ann,2026-01-05,p3,1,300,USD\n",
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let mut config = Config::new("test", Currency::new("EUR").unwrap(), "UTC");
        for (code, of_one) in [("USD", "0.9"), ("JPY", "0.01")] {
            config
                .rates
                .insert(Currency::new(code).unwrap(), rate(of_one));
        }
        let scratch = Scratch::with_config(config);
        let text = format!("{header}{}", order.map(|row| rows[row]).concat());
        let file = scratch.file("orders.csv", &text);
        scratch.import(&[file]);
        assert_eq!(
            only_customer(&scratch),
            (1, 100 + 200 + 27_000),
            "{order:?}"
        );
    }
}

#[test]
fn amounts_beyond_any_shop_are_rejected() {
    let scratch = Scratch::new();
    let text = "order_id,customer_id,date,product_id,quantity,unit_price\n\
        1,ann,2026-01-05,p1,1,10.00\n\
        2,ann,2026-01-05,p1,1,99999999999999.00\n\
        3,ann,2026-01-05,p1,9999999999,1.00\n\
        4,ann,2026-01-05,p1,900000000,900000000.00\n";
    let file = scratch.file("orders.csv", text);
    let mut options = scratch.options();
    options.rejects = RejectPolicy::Allow;
    let report = scratch.import_with(&[file], &options).unwrap();
    assert_eq!((report.rejected(), report.orders.orders), (3, 1));
    let rejects = std::fs::read_to_string(report.rejects.unwrap()).unwrap();
    assert!(
        rejects.contains("beyond 1,000,000,000,000,000 minor units"),
        "{rejects}"
    );
    assert!(
        rejects.contains("a quantity beyond 1,000,000,000"),
        "{rejects}"
    );
    assert_eq!(only_customer(&scratch), (1, 1_000));
}

/// UCI Online Retail writes postage, fees and corrections as lines of invoices.
#[test]
fn postage_and_fees_are_neither_products_nor_net_revenue() {
    let scratch = Scratch::new();
    let header =
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";
    let text = format!(
        "{header}536365,85123A,LANTERN,6,12/1/2010 8:26,2.50,17850,France\n\
         536365,POST,POSTAGE,2,12/1/2010 8:26,18.00,17850,France\n\
         536365,BANK CHARGES,Bank Charges,1,12/1/2010 8:26,15.00,17850,France\n\
         536366,M,Manual,1,12/13/2010 8:26,4.00,17850,France\n\
         C536367,POST,POSTAGE,-1,12/14/2010 8:26,18.00,17850,France\n"
    );
    scratch.import(&[scratch.file("retail.csv", &text)]);
    let base = scratch.fold(None);
    let profile = &base.customers[0].profile;
    assert_eq!(profile.revenue_minor, 1_500 + 400);
    assert_eq!(profile.orders.len(), 2);
    assert_eq!(scratch.report(&base).quality.unmatched_credits, 0);
    let store = scratch.workspace.open_read().unwrap();
    let view = regulars_pipeline::view(&store, &base, 0).unwrap();
    let lines = view.orders.iter().flat_map(|order| &order.lines);
    let products: Vec<&str> = lines.map(|line| line.product_id.as_str()).collect();
    assert_eq!(products.iter().filter(|id| !id.is_empty()).count(), 1);
    assert!(products.contains(&"85123A"), "{products:?}");
}

#[test]
fn orders_of_events_in_a_currency_without_a_rate_are_counted() {
    let scratch = Scratch::new();
    let live = start(&scratch, START, 1_000);
    let order = |id: &str, currency: &str| {
        json!({
            "type": "track", "userId": "c-1", "messageId": format!("{id} {currency}"),
            "event": "Order Completed",
            "properties": {"order_id": id, "total": 5, "currency": currency},
        })
    };
    let events = [
        order("o-1", "GBP"),
        order("o-1", "gbp"),
        order("o-2", "dollars"),
        order("o-3", "USD"),
    ];
    append(&live, &events, START);
    live.stop().unwrap();
    let base = scratch.fold_at(Timestamp(START));
    assert_eq!(scratch.report(&base).quality.orders_without_rate, 2);
}
