//! What constructs mean, one by one: on a customer small enough to check by hand.

use regulars_core::{CivilDate, Currency, DAY_MS, DataNeed, SegmentName, Symbols, Timestamp, Zone};
use regulars_rules::{
    Availability, CompileError, Keep, NamedRule, Present, Program, RuleError, Vocabulary, check,
    describe, parse,
};
use regulars_testkit::history::{Course, Customer, RawLine, RawOrder, RawValue};

pub(crate) fn vocabulary(segments: &[&str]) -> Vocabulary {
    Vocabulary {
        currency: Currency::new("EUR").unwrap(),
        zone: Zone::named("Europe/Berlin").unwrap(),
        segments: segments
            .iter()
            .map(|name| SegmentName::new(name).unwrap())
            .collect(),
        standard_event: |name| (name == "to_cart").then_some("Product Added"),
        order_event: Some("Order Completed"),
    }
}

pub(crate) fn named(rules: &[(&str, &str)]) -> Result<Vec<NamedRule>, RuleError> {
    let names: Vec<&str> = rules.iter().map(|(name, _)| *name).collect();
    let vocabulary = vocabulary(&names);
    let rule = |&(name, text): &(&str, &str)| {
        let rule = check(&parse(text)?, &vocabulary)?;
        Ok(NamedRule {
            name: SegmentName::new(name).unwrap(),
            rule,
        })
    };
    rules.iter().map(rule).collect()
}

fn line(product: &str, category: &str, brand: &str, net_minor: i64) -> RawLine {
    let text = str::to_owned;
    let (product, category, brand) = (text(product), text(category), text(brand));
    RawLine {
        product,
        category,
        brand,
        quantity: 1.0,
        net_minor,
    }
}

pub(crate) fn day(text: &str) -> Timestamp {
    Timestamp(i64::from(CivilDate::parse(text).unwrap().0) * DAY_MS)
}

/// Two orders: shoes of X with a hat of Y for 60 in the web shop, and a hat without a brand for 20
/// with a discount in the store.
pub(crate) fn customer() -> Customer {
    let order = |key, at: &str, discount_minor, channel: &str, lines| RawOrder {
        key,
        at: day(at).plus_ms(12 * 3_600_000),
        discount_minor,
        cost_minor: None,
        refunded_minor: 0,
        channel: channel.to_owned(),
        country: "DE".to_owned(),
        lines,
    };
    let still = |value| Course::Still(value);
    let lines = vec![
        line("s1", "Shoes", "X", 4000),
        line("h1", "Hats", "Y", 2000),
    ];
    Customer {
        orders: vec![
            order(1, "2026-01-10", Some(0), "web", lines),
            order(
                2,
                "2026-03-01",
                Some(500),
                "store",
                vec![line("h1", "Hats", "", 2000)],
            ),
        ],
        traits: [
            (regulars_core::Trait::Orders, still(RawValue::Integer(2))),
            (regulars_core::Trait::Revenue, still(RawValue::Money(8000))),
            (
                regulars_core::Trait::DiscountShare,
                still(RawValue::Number(0.5)),
            ),
            (
                regulars_core::Trait::LastOrder,
                still(RawValue::Instant(day("2026-03-01").plus_ms(12 * 3_600_000))),
            ),
            (
                regulars_core::Trait::DaysSinceLastOrder,
                Course::DaysSince(day("2026-03-01").plus_ms(12 * 3_600_000)),
            ),
            (
                regulars_core::Trait::Lifecycle,
                still(RawValue::Text("potential_loyalist".into())),
            ),
            (regulars_core::Trait::Consent, still(RawValue::Flag(false))),
        ]
        .into(),
        declared: [
            ("gender".to_owned(), RawValue::Text("F".to_owned())),
            ("shoe size".to_owned(), RawValue::Number(38.5)),
        ]
        .into(),
        account: [
            ("plan".to_owned(), RawValue::Text("Pro".to_owned())),
            ("address.city".to_owned(), RawValue::Text("Ulm".to_owned())),
            ("seats".to_owned(), RawValue::Number(12.0)),
            ("audited".to_owned(), RawValue::Flag(true)),
            ("renews at".to_owned(), RawValue::Instant(day("2026-03-05"))),
        ]
        .into(),
        ..Customer::default()
    }
}

fn holds_at(text: &str, now: Timestamp) -> bool {
    let rules = named(&[("it", text)]).unwrap_or_else(|error| panic!("{}", error.render(text)));
    let (customer, mut symbols) = (customer(), Symbols::default());
    let program =
        |symbols: &Symbols| Program::compile(&rules, &vocabulary(&[]), symbols, Keep::Needed);
    customer
        .orders
        .iter()
        .for_each(|order| order.with_order(&mut symbols, |_| ()));
    let program = program(&symbols).unwrap();
    let mut states = program.new_states();
    for order in customer.orders.iter().filter(|order| order.at <= now) {
        order.with_order(&mut symbols, |order| program.fold(&mut states, order));
    }
    let (mut scratch, mut members) = (program.new_scratch(), program.no_memberships());
    program.evaluate(&states, &customer, now, &mut scratch, &mut members);
    members.contains(0)
}

fn holds(text: &str) -> bool {
    holds_at(text, day("2026-03-10"))
}

#[test]
fn conditions_of_one_filter_are_met_by_one_line() {
    assert!(holds(
        "orders where category = 'Shoes' and brand = 'X' >= 1"
    ));
    assert!(!holds(
        "orders where category = 'Shoes' and brand = 'Y' >= 1"
    ));
    assert!(holds(
        "orders where category = 'Shoes' and channel = 'web' >= 1"
    ));
    assert!(!holds(
        "orders where category = 'Shoes' and channel = 'store' >= 1"
    ));
    assert!(
        holds("orders where (not category = 'Shoes') = 2"),
        "each has another line"
    );
    assert!(holds(
        "orders where category = 'Hats' = 2 and orders where category = 'Shoes' = 1"
    ));
}

#[test]
fn revenue_and_items_are_of_matching_lines_or_of_whole_orders() {
    assert!(holds("revenue where category = 'Hats' = 40"));
    assert!(holds("revenue where channel = 'web' = 60"));
    assert!(holds(
        "revenue where (category = 'Hats' and channel = 'web') = 20"
    ));
    assert!(holds(
        "items where discounted = 1 and items where (not discounted) = 2"
    ));
    assert!(holds("distinct products = 2 and distinct brands = 2"));
    assert!(holds(
        "revenue where value >= 60 = 60 and orders where discount > 4.99 = 1"
    ));
}

#[test]
fn a_chain_ends_where_the_aggregate_is_tested() {
    assert!(holds("orders where discounted >= 1 and consent = false"));
    assert!(holds(
        "orders where discounted = true >= 1 and orders where discounted = 1"
    ));
    assert!(holds(
        "orders where quantity between 1 and 2 and brand is set between 1 and 2"
    ));
    assert!(holds(
        "orders where brand in ('X', 'Z') in last 90 days in (1, 2)"
    ));
    assert!(holds("not orders where brand = 'Z' >= 1 or consent"));
}

#[test]
fn missing_fails_every_comparison() {
    for text in [
        "country = 'DE'",
        "country != 'DE'",
        "country not in ('DE')",
        "clv != 5",
        "traits.age != 5",
        "traits.gender != 5",
        "account.size != 5",
        "account.gender = 'F'",
        "traits.plan = 'Pro'",
        "account = 'acme'",
        "first_order before 1 day ago",
        "country is set",
    ] {
        assert!(!holds(text), "{text}");
        assert!(holds(&format!("not ({text})")), "not ({text})");
    }
    assert!(holds("country is not set and orders is set"));
    assert!(holds("orders where brand != 'X' >= 1"), "the hat of Y");
    assert!(holds("orders where brand is not set = 1"));
    assert!(
        holds("orders where (not brand = 'X') = 2"),
        "the hat without a brand too"
    );
}

#[test]
fn before_ago_is_the_complement_of_within_and_of_days_since() {
    let flip = day("2026-03-31").plus_ms(12 * 3_600_000);
    for (now, gone) in [
        (flip.plus_ms(-1), false),
        (flip, true),
        (flip.plus_ms(1), true),
    ] {
        assert_eq!(holds_at("last_order before 30 days ago", now), gone);
        assert_eq!(holds_at("days_since_last_order >= 30", now), gone);
        assert_eq!(holds_at("last_order within 30 days", now), !gone);
        assert_eq!(holds_at("orders in last 30 days >= 1", now), !gone);
        assert_eq!(holds_at("orders_last_30_days >= 1", now), !gone);
    }
}

#[test]
fn days_are_those_of_the_zone() {
    // The last order is at noon UTC of 2026-03-01; the day in Berlin ends at 23:00 UTC.
    let end = day("2026-03-01").plus_ms(23 * 3_600_000);
    assert!(holds_at(
        "orders today = 1 and last_order today",
        end.plus_ms(-1)
    ));
    assert!(!holds_at("orders today = 1 or last_order today", end));
    assert!(holds_at("orders in last 2 calendar days = 1", end));
    assert!(holds(
        "last_order on 2026-03-01 and last_order between 2026-02-01 and 2026-03-01"
    ));
    assert!(holds(
        "last_order after 2026-02-28 and last_order before 2026-03-02"
    ));
    assert!(!holds(
        "last_order after 2026-03-01 or last_order before 2026-03-01"
    ));
}

#[test]
fn weeks_months_quarters_and_years_are_those_of_the_calendar() {
    // The last order is at noon UTC of Sunday 2026-03-01; Berlin is at +01:00 until 2026-03-29.
    let at = |text: &str| Zone::utc().parse_instant(text).unwrap();
    for (period, within, left_at) in [
        ("this week", "this week", "2026-03-01T23:00:00Z"),
        ("this month", "this month", "2026-03-31T22:00:00Z"),
        (
            "in this quarter",
            "within this quarter",
            "2026-03-31T22:00:00Z",
        ),
        ("THIS YEAR", "this year", "2026-12-31T23:00:00Z"),
        (
            "in last 2 calendar weeks",
            "within last 2 calendar weeks",
            "2026-03-08T23:00:00Z",
        ),
        (
            "in the last 2 calendar months",
            "within the last 2 calendar months",
            "2026-04-30T22:00:00Z",
        ),
        (
            "in last 1 calendar quarter",
            "within last 1 calendar quarter",
            "2026-03-31T22:00:00Z",
        ),
        (
            "in last 2 calendar years",
            "within last 2 calendar years",
            "2027-12-31T23:00:00Z",
        ),
    ] {
        let rule = format!("orders {period} >= 1 and last_order {within}");
        assert!(holds_at(&rule, at(left_at).plus_ms(-1)), "{rule}");
        let rule = format!("orders {period} >= 1 or last_order {within}");
        assert!(!holds_at(&rule, at(left_at)), "{rule}");
    }
}

#[test]
fn values_are_compared_in_their_units() {
    assert!(holds(
        "revenue = 80 and revenue > 79.99 and revenue <= 80.00"
    ));
    assert!(holds(
        "discount_share = 50% and discount_share = 0.5 and discount_share < 50.1%"
    ));
    assert!(holds("traits.gender contains 'f' and traits.gender != 'f'"));
    assert!(holds(
        "traits.'shoe size' between 38 and 39 and traits.\"shoe size\" > 38"
    ));
    assert!(holds(
        "account.plan = 'Pro' and ACCOUNT.seats between 10 and 12 and account.audited"
    ));
    assert!(holds(
        "account.'address.city' starts with 'ul' and account.\"renews at\" within 7 days"
    ));
    assert!(holds(
        "LIFECYCLE IN ('loyal', 'potential_loyalist') AND NOT Consent"
    ));
}

#[test]
fn equal_conditions_are_one_leaf() {
    let rules = named(&[
        ("a", "orders in last 90 days >= 2 and revenue >= 50"),
        ("b", "orders_last_90_days >= 2 or discount_share > 0.6"),
        (
            "c",
            "not (orders in last 90 days >= 2) and discount_share > 60%",
        ),
        ("d", "orders in last 90 days >= 5 and revenue >= 50.00"),
    ])
    .unwrap();
    let symbols = Symbols::default();
    let program = Program::compile(&rules, &vocabulary(&[]), &symbols, Keep::Needed).unwrap();
    assert_eq!(program.leaf_count(), 4);
    assert_eq!(
        program.measure_count(),
        1,
        "both counts share their timestamps"
    );
}

#[test]
fn references_are_followed_in_any_order_and_circles_are_refused() {
    let compile = |rules: &[(&str, &str)]| {
        let symbols = Symbols::default();
        Program::compile(
            &named(rules).unwrap(),
            &vocabulary(&[]),
            &symbols,
            Keep::Needed,
        )
    };
    assert!(
        compile(&[
            ("a", "in segment b"),
            ("b", "not in segment c"),
            ("c", "consent")
        ])
        .is_ok()
    );
    let circle = compile(&[
        ("a", "in segment b"),
        ("b", "consent or in segment c"),
        ("c", "in segment b"),
    ]);
    assert_eq!(
        circle.unwrap_err().to_string(),
        "segments refer to each other in a circle: `b` → `c` → `b`"
    );
    let itself = compile(&[("a", "consent and not in segment a")]).unwrap_err();
    assert!(matches!(itself, CompileError::Cycle { path } if path.len() == 1));
    assert!(matches!(
        compile(&[("a", "consent"), ("a", "orders = 1")]).unwrap_err(),
        CompileError::Duplicate(_)
    ));
    let some =
        &named(&[("loyal", "orders >= 3"), ("others", "not in segment loyal")]).unwrap()[1..];
    let unknown = Program::compile(some, &vocabulary(&[]), &Symbols::default(), Keep::Needed);
    assert_eq!(
        unknown.unwrap_err().to_string(),
        "segment `others` refers to the unknown segment `loyal`"
    );
}

#[test]
fn chains_of_references_have_a_limit() {
    let chain = |length: usize| {
        let names: Vec<String> = (0..length).map(|n| format!("s{n}")).collect();
        let texts: Vec<String> = (1..length).map(|n| format!("in segment s{n}")).collect();
        let mut rules: Vec<(&str, &str)> = names
            .iter()
            .map(String::as_str)
            .zip(texts.iter().map(String::as_str))
            .collect();
        rules.push((&names[length - 1], "consent"));
        let rules = named(&rules).unwrap();
        Program::compile(&rules, &vocabulary(&[]), &Symbols::default(), Keep::Needed)
    };
    assert!(chain(50).is_ok());
    assert!(matches!(chain(51).unwrap_err(), CompileError::TooDeep(name) if name.as_str() == "s0"));
    assert!(matches!(chain(3000).unwrap_err(), CompileError::TooDeep(_)));
}

#[test]
fn availability_follows_the_tree() {
    let rules = named(&[
        ("discounts", "discount_share >= 50%"),
        ("both", "orders >= 2 and in segment discounts"),
        ("either", "orders >= 2 or in segment discounts"),
        ("neither", "not in segment discounts or clv > 5"),
        (
            "shoes",
            "orders where category = 'Shoes' and brand = 'X' >= 1",
        ),
        ("plain", "orders in last 90 days >= 2 or everyone"),
        ("women", "traits.gender = 'f'"),
        ("tall", "not traits.height is set"),
        ("hats", "items where product = 'hat' >= 1"),
        ("pro", "account.plan = 'pro'"),
        ("large", "account.seats > 5"),
        ("grouped", "account is set"),
    ])
    .unwrap();
    let symbols = Symbols::default();
    let program = Program::compile(&rules, &vocabulary(&[]), &symbols, Keep::Needed).unwrap();
    let missing = |needs: &[DataNeed]| needs.iter().copied().collect();
    let present = |has| Present {
        has,
        declares: &|name| name == "gender",
        of_accounts: &|name| name == "plan",
    };
    let discounts = missing(&[DataNeed::Discounts]);
    assert_eq!(
        program.availability(present(&|need| need == DataNeed::Categories)),
        [
            Availability::Unknown {
                missing: missing(&[DataNeed::Discounts])
            },
            Availability::Unknown {
                missing: missing(&[DataNeed::Discounts])
            },
            Availability::Partial { missing: discounts },
            Availability::Unknown {
                missing: missing(&[DataNeed::Discounts, DataNeed::ValueFit])
            },
            Availability::Unknown {
                missing: missing(&[DataNeed::Brands])
            },
            Availability::Known,
            Availability::Known,
            Availability::Unknown {
                missing: missing(&[DataNeed::DeclaredTraits])
            },
            Availability::Unknown {
                missing: missing(&[DataNeed::Products])
            },
            Availability::Known,
            Availability::Unknown {
                missing: missing(&[DataNeed::AccountTraits])
            },
            Availability::Unknown {
                missing: missing(&[DataNeed::Accounts])
            },
        ]
    );
    let everything = Present {
        has: &|_| true,
        declares: &|_| true,
        of_accounts: &|_| true,
    };
    assert!(
        program
            .availability(everything)
            .iter()
            .all(|known| *known == Availability::Known)
    );
}

#[test]
fn reads_name_what_a_rule_depends_on() {
    let rules = named(&[
        ("loyal", "orders >= 3"),
        (
            "it",
            "in segment loyal and (traits.gender = 'f' or revenue_last_90_days > 5) \
             and orders where channel = 'web' today >= 1 and account.plan = 'pro'",
        ),
    ])
    .unwrap();
    let reads = rules[1].rule.reads();
    assert!(reads.traits.is_empty());
    assert_eq!(reads.declared.iter().collect::<Vec<_>>(), ["gender"]);
    assert_eq!(reads.account.iter().collect::<Vec<_>>(), ["plan"]);
    assert_eq!(
        reads.aggregates.iter().collect::<Vec<_>>(),
        ["orders where channel = 'web' today", "revenue_last_90_days"]
    );
    assert_eq!(reads.segments.len(), 1);
    assert_eq!(
        reads.needs.iter().collect::<Vec<_>>(),
        [&DataNeed::Channels]
    );
}

#[test]
fn rules_in_words() {
    let texts = [
        "orders >= 3 and not in segment dormant",
        "orders >= 3 and lifecycle != 'dormant'",
        "orders = 0",
        "everyone",
        "lifecycle in ('at_risk', 'dormant') or last_order before 60 days ago",
        "revenue in last 365 days > 500 and (consent or country in ('DE', 'AT', 'CH'))",
        "orders where category = 'Shoes' and brand != 'X' in last 180 days >= 1",
        "items where (category = 'Shoes' or discounted) today between 2 and 5",
        "distinct categories in last 1 week >= 2",
        "last order where category = 'Shoes' before 30 days ago",
        "first_order within last 3 calendar days or first_order on 2026-01-01",
        "revenue this month > 100 and last_order this week and first_order within last 2 calendar years",
        "orders in last 1 calendar quarter >= 2 or orders in last 3 calendar months = 0",
        "not (orders >= 3 and consent) and traits.gender = 'f'",
        "discount_share >= 60% and average_order_value < 40 and above_median_order_value = false",
        "(orders = 1 and consent) or (orders = 2 and not consent)",
        "orders not in (1, 2) and country is not set and traits.name starts with 'A'",
        "account.plan = 'pro' and account.'renews at' within 30 days and account is not set",
        "seasonal or year_round or beyond_usual_range",
        "not seasonal and not year_round and not beyond_usual_range and not above_median_order_value",
        "days_since_last_order >= 60 and days_since_first_order between 1 and 90",
        "days_since_last_order in (1, 2) and days_since_last_order is set",
        "churn_level = 1 or churn_level >= 4 or churn_level in (2, 3)",
        "value_tier = 'high' and value_tier != 'low' and rfm_group = 'cannot_lose_them'",
        "rfm_cell = '543' and recency_score >= 4 and clv > 100",
        "discount_share <= 0.1 and discount_share >= 0.6 and season_share >= 0.725 and discount_depth < 1",
        "gap_before_last_order >= 60 and purchase_interval < 30.5 and usual_range between 1 and 9",
        "orders between 1 and 2 and revenue between 10 and 20 and items in (1, 2)",
        "orders != 3 and revenue != 5 and items not in (1, 2) and orders <= 1",
        "orders_last_90_days >= 2 and revenue_last_365_days > 500 and refunds > 10",
        "not (orders >= 3 or in segment loyal) and not orders >= 1 and not country = 'DE'",
        "not in segment loyal and not everyone and not (not consent)",
        "categories >= 2 and brands >= 2 and probability_alive < 0.5 and expected_orders > 1",
        "orders where brand != 'X' and quantity >= 2 >= 1 and orders where channel in ('web', 'store') = 0",
        "orders where (not category = 'Shoes') >= 1 and orders where (not discounted) >= 1",
        "orders where discounted = false >= 1 and orders where value between 10 and 20 >= 1",
        "orders where country is set and channel is not set and category contains 'sho' >= 1",
        "orders where brand not in ('X', 'Y') and discount > 5 in last 30 days >= 2",
        "orders is set and lifecycle is set and consent is set and traits.vip and top_category is set",
        "first order where channel = 'store' is set and last_order after 2026-01-01 and last_order today",
        "last_order between 2026-01-01 and 2026-03-31 and last_order before 1 day ago",
        "sessions >= 3 and days_since_last_session >= 14 and last_session within 30 days",
        "bounce_share > 50% and average_session_minutes < 2.5 and last_session_events = 1",
        "device in ('mobile', 'tablet') and operating_system = 'iOS' and first_source is not set",
    ];
    let words: String = texts
        .iter()
        .map(|text| format!("{text}\n  {}\n", describe(&parse(text).unwrap())))
        .collect();
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(words) });
}
