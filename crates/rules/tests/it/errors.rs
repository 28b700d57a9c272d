//! Errors as people see them: the place, what was expected, a way out.

use std::fmt::Write as _;

use regulars_core::{Currency, SegmentName, Zone};
use regulars_rules::{MAX_TEXT_BYTES, Rule, Vocabulary, check, parse};

fn vocabulary() -> Vocabulary {
    let name = |name| SegmentName::new(name).unwrap();
    Vocabulary {
        currency: Currency::new("EUR").unwrap(),
        zone: Zone::named("Europe/Berlin").unwrap(),
        segments: vec![name("loyal"), name("dormant"), name("at_risk")],
        standard_event: |_| None,
        order_event: None,
    }
}

/// The rendered error of each rule, one below the other.
fn rendered(rules: &[&str]) -> String {
    rules.iter().fold(String::new(), |mut out, text| {
        let result = parse(text).and_then(|rule| check(&rule, &vocabulary()));
        let shown = match result {
            Ok(checked) => format!("no error: {}", checked.rule()),
            Err(error) => error.render(text),
        };
        let _ = writeln!(out, "{shown}\n");
        out
    })
}

/// A snapshot of the rendered errors. A macro, so that the snapshot is named after the test.
macro_rules! shown {
    ($rules:expr) => {
        insta::with_settings!({ omit_expression => true }, {
            insta::assert_snapshot!(rendered($rules));
        });
    };
}

#[test]
fn what_cannot_be_read() {
    shown!(&[
        "",
        "  -- nothing but a comment",
        "country = 'DE",
        "orders >= 1.2.3",
        "orders >= 99999999999999999999",
        "orders >= 3x",
        "revenue > 1,000",
        "revenue > €500",
        "country = ‘DE’",
        "orders >= 3 && consent",
        "last_order before 2026-02-30",
        "last_order before 2026-1-1",
        "days_since_last_order >= {lifecycle.dormant_days}",
    ]);
}

#[test]
fn what_is_not_expected() {
    shown!(&[
        "orders",
        "orders 3",
        "orders >=",
        "orders >= and consent",
        "orders >= 3 consent",
        "(orders >= 3",
        "orders >= 3)",
        "country = DE",
        "country in 'DE'",
        "country in ('DE' 'FR')",
        "country not contains 'D'",
        "country like 'D%'",
        "country is null",
        "orders betwen 1 and 3",
        "orders between 1 or 3",
        "in loyal",
        "in segment 3",
        "in segment Loyal",
        "not",
        "3 <= orders",
        "consent true",
        "orders >= 1\n  and country ==\n  or consent",
    ]);
}

#[test]
fn events_and_carts() {
    shown!(&[
        "events",
        "events 'Product Viewed'",
        "events Purchased >= 1",
        "events product_viewed >= 1",
        "events () >= 1",
        "events ('A' 'B') >= 1",
        "events ('A', 'B' >= 1",
        "evnets 'A' >= 1",
        "events '' >= 1",
        "events 'A' within 7 days",
        "events 'A' in last 3 months >= 1",
        "events 'A' in last 7 days where sku = 'x' >= 1",
        "events 'A' is set",
        "events 'A' >= 1.5",
        "events 'A' where sku >= 1",
        "events 'A' where sku = 'a' or sku = 'b' >= 1",
        "events 'A' where sku in ('a', 3) >= 1",
        "events 'A' where not gift >= 1",
        "events 'A' where sold > 2026-01-01 >= 1",
        "events 'A' where price between 5 and 1 >= 1",
        "events 'A' where and = 3 >= 1",
        "events 'A' where address. = 3 >= 1",
        "events 'A' then event 'B' within 1 hour",
        "sum value of events 'A' > 3",
        "sum of value > 3",
        "sum of value of event 'A' > 3",
        "sum of value of events 'A' > 0.1234567",
        "distinct sku of orders >= 2",
        "last event 'A' in last 7 days",
        "last events 'A' within 7 days",
        "last event 'A'",
        "event 'A'",
        "event 'A' >= 3",
        "event 'A' then 'B' within 1 hour",
        "event 'A' then no event 'B' within 1 hour",
        "event 'A' then event 'B'",
        "event 'A' then event 'B' in last 1 hour",
        "event 'A' then event 'B' within 0 hours",
        "event 'A' then event 'B' within 2 hours >= 1",
        "carts",
        "cart >= 1",
        "carts in last 7 days >= 1",
        "carts where idle 2 hours >= 1",
        "carts where idel for 2 hours >= 1",
        "carts where value >= 100 and idle for 2 hours",
        "carts where value >= 0.001 >= 1",
        "carts where changed >= 1",
    ]);
}

#[test]
fn windows_and_filters() {
    shown!(&[
        "orders in last 3 months >= 2",
        "orders in last 2 fortnights >= 2",
        "orders in last 0 days >= 2",
        "orders in last 1.5 days >= 2",
        "orders in last 99999 days >= 2",
        "orders in last 3 calendar fortnights >= 2",
        "orders in last 2000 calendar months >= 2",
        "orders this day >= 1",
        "orders this >= 1",
        "last order in this month",
        "country this month = 'DE'",
        "orders in last 90 days",
        "orders in last 90 days where category = 'Shoes' >= 1",
        "orders in 90 days >= 1",
        "clv in last 90 days > 5",
        "distinct colours >= 2",
        "orders where colour = 'red' >= 1",
        "orders where categroy = 'Shoes' >= 1",
        "orders where category = 'Shoes' or brand = 'X' >= 1",
        "orders where (category = 'Shoes') and brand = 'X' >= 1",
        "orders where not discounted >= 1",
        "orders where discounted",
        "orders where category > 'Shoes' >= 1",
        "orders where value > 'much' >= 1",
        "orders where last_order within 3 days >= 1",
        "orders where category = 'Shoes' is set",
        "last order in last 90 days",
        "last_order before 60",
        "last_order before 60 days",
        "last_order after 30 days",
        "last_order within",
        "last_order on '2026-01-01'",
        "last_order since 2026-01-01",
    ]);
}

#[test]
fn names_and_kinds() {
    shown!(&[
        "ordrs >= 3",
        "Last_Ordr within 3 days",
        "gender = 'f'",
        "in segment loyl",
        "not in segment vip",
        "revenue > 'abc'",
        "revenue > 99.999",
        "revenue > true",
        "orders >= 2.5",
        "orders >= '3'",
        "orders contains '3'",
        "orders = 60%",
        "discount_share >= 60",
        "discount_share >= 1.01",
        "country > 'DE'",
        "country = 5",
        "country between 'A' and 'B'",
        "lifecycle = 'dormnt'",
        "lifecycle in ('loyal', 'vip')",
        "last_order >= 2026-01-01",
        "last_order = 60",
        "last_order between 1 and 2",
        "last_order between 2026-03-31 and 2026-01-01",
        "orders between 5 and 3",
        "orders within 30 days",
        "consent > true",
        "consent = 'yes'",
        "traits.size between 1 and 'b'",
        "traits.joined >= 2026-01-01",
        "account.",
        "account.seats between 1 and 'b'",
        "account > 3",
        "revenue > 999999999999999999",
    ]);
}

#[test]
fn long_and_deep_texts_are_refused_without_harm() {
    let deep = "(".repeat(30_000) + "consent" + &")".repeat(30_000);
    let negated = "not ".repeat(16_000) + "consent";
    let filter = format!("orders where {}discounted", "(".repeat(50_000));
    for text in [&deep, &negated, &filter] {
        let error = parse(text).unwrap_err();
        assert!(error.to_string().contains("nested too deeply"), "{error}");
        assert!(error.render(text).len() < 500, "only the place is shown");
    }
    let parentheses = "(".repeat(100_000);
    assert!(
        parse(&parentheses)
            .unwrap_err()
            .to_string()
            .contains("bytes long")
    );
    let long = format!("country = '{}'", "x".repeat(MAX_TEXT_BYTES));
    assert!(
        parse(&long)
            .unwrap_err()
            .to_string()
            .contains("the most is 65536")
    );
    let wide = vec!["consent"; 5000].join(" or ");
    assert!(parse(&wide).is_ok());
}

#[test]
fn json_that_is_no_rule() {
    let deep = r#"{"not":"#.repeat(60) + r#""everyone""# + &"}".repeat(60);
    let very_deep = r#"{"not":"#.repeat(10_000);
    let plain = r#"{"condition":{"operand":{"aggregate":{"measure":"orders"}},
                    "test":{"compare":{"op":">=","value":{"number":3}}}}}"#;
    let with = |operand: &str, test: &str| {
        format!(r#"{{"condition":{{"operand":{operand},"test":{test}}}}}"#)
    };
    let cases = [
        "everyone".to_owned(),
        r#"{"and":[]}"#.to_owned(),
        r#"{"or":["everyone"]}"#.to_owned(),
        r#"{"in_segment":"Not A Name"}"#.to_owned(),
        with(r#"{"trait":"ordrs"}"#, r#""is_set""#),
        with(r#"{"trait":"orders"}"#, r#"{"in":[]}"#),
        with(r#"{"trait":"last_order"}"#, r#"{"on":"2026-02-30"}"#),
        with(
            r#"{"trait":"last_order"}"#,
            r#"{"before_ago":{"count":0,"unit":"days"}}"#,
        ),
        with(r#"{"declared":""}"#, r#""is_set""#),
        with(
            r#"{"trait":"orders"}"#,
            r#"{"compare":{"op":"=","value":{"number":"1e5"}}}"#,
        ),
        deep,
        very_deep,
    ];
    let errors: String = cases
        .iter()
        .map(|json| format!("{}\n", Rule::from_json(json).unwrap_err()))
        .collect();
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(errors) });
    assert_eq!(Rule::from_json(plain).unwrap().to_string(), "orders >= 3");
}
