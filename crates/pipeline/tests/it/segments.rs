//! The ready-made segments on the made-up shop.

use std::collections::BTreeSet;

use regulars_core::{Currency, DataNeed};
use regulars_pipeline::{Config, LIFECYCLE, SegmentKpis, kpis};
use regulars_rules::Availability;

use crate::scratch::{Scratch, shop_files, shop_workspace};

#[test]
fn every_ready_made_segment_is_populated_and_the_lifecycle_is_a_partition() {
    let scratch = shop_workspace();
    scratch.import(&shop_files(&scratch, 3_000));
    let base = scratch.score(None, None);
    let all = kpis(&base, 2);
    let of_history = |segment: &&SegmentKpis| match &segment.availability {
        Availability::Unknown { missing } => *missing != BTreeSet::from([DataNeed::Events]),
        _ => true,
    };
    for segment in all.segments.iter().filter(of_history) {
        let kpis = segment
            .kpis
            .as_ref()
            .unwrap_or_else(|| panic!("{segment:?}"));
        assert!(kpis.customers > 0, "{} is empty", segment.segment);
    }
    let stages: Vec<usize> = LIFECYCLE
        .iter()
        .map(|stage| {
            all.segments
                .iter()
                .position(|s| s.segment == *stage)
                .unwrap()
        })
        .collect();
    base.evaluate(
        2,
        || (),
        |(), _, folded, members| {
            let customer = base.customer(folded);
            let stage = customer.lifecycle(base.now);
            let within: Vec<&str> = stages
                .iter()
                .zip(LIFECYCLE)
                .filter(|(segment, _)| members.contains(**segment))
                .map(|(_, name)| name)
                .collect();
            assert_eq!(within, [stage]);
        },
    );
    let sizes: u64 = stages
        .iter()
        .map(|&stage| all.segments[stage].kpis.as_ref().unwrap().customers)
        .sum();
    assert_eq!(sizes, all.everyone.customers);
    let levels = scratch.report(&base).churn_levels.unwrap();
    assert!(levels.iter().all(|&customers| customers > 0), "{levels:?}");
}

#[test]
fn a_segment_whose_data_is_missing_is_unknown_and_not_empty() {
    let scratch = Scratch::new();
    let text = "order_id,customer_id,date,total\n1,ann,2026-01-05,10.00\n2,ann,2026-02-05,12.00\n";
    scratch.import(&[scratch.file("orders.csv", text)]);
    let base = scratch.fold(None);
    let all = kpis(&base, 1);
    let of = |name: &str| all.segments.iter().find(|s| s.segment == name).unwrap();
    for name in [
        "price_sensitive",
        "full_price_buyers",
        "seasonal_shoppers",
        "churn_high",
    ] {
        assert!(
            matches!(of(name).availability, Availability::Unknown { .. }),
            "{name}"
        );
        assert!(of(name).kpis.is_none(), "{name}");
    }
    assert!(matches!(
        of("at_risk").availability,
        Availability::Partial { .. }
    ));
    assert_eq!(of("potential_loyalist").kpis.as_ref().unwrap().customers, 1);
}

#[test]
fn windows_over_orders_and_lines_are_counted() {
    let scratch = Scratch::new();
    let text = "order_id,customer_id,date,product_id,category,quantity,unit_price\n\
        1,ann,2026-01-01,p1,Shoes,1,50.00\n2,ann,2026-03-01,p2,Hats,2,20.00\n\
        3,bob,2026-03-10,p1,Shoes,1,50.00\n";
    scratch.import(&[scratch.file("orders.csv", text)]);
    std::fs::write(
        scratch.workspace.segments_dir().join("own.toml"),
        "[[segment]]\nname = 'shoes'\nrule = \"orders where category = 'Shoes' in last 30 days >= 1\"\n\
         [[segment]]\nname = 'spent'\nrule = 'revenue in last 30 days >= 40'\n\
         [[segment]]\nname = 'like'\nrule = \"orders where category contains 'hoe' >= 1\"\n",
    )
    .unwrap();
    let base = scratch.fold(None);
    let all = kpis(&base, 2);
    let size = |name: &str| {
        let segment = all.segments.iter().find(|s| s.segment == name).unwrap();
        segment.kpis.as_ref().unwrap().customers
    };
    assert_eq!((size("shoes"), size("spent"), size("like")), (1, 2, 2));
}

#[test]
fn a_shop_of_one_customer_and_a_shop_where_nobody_came_back_have_reports() {
    for text in [
        "order_id,customer_id,date,total\n1,ann,2026-01-05,10.00\n",
        "order_id,customer_id,date,total\n1,ann,2026-01-05,10.00\n2,bob,2026-01-07,0.00\n3,cyd,2026-05-07,5.00\n",
    ] {
        let scratch = Scratch::new();
        scratch.import(&[scratch.file("orders.csv", text)]);
        let base = scratch.fold(None);
        let report = scratch.report(&base);
        assert_eq!(report.buyers as usize, text.lines().count() - 1);
        assert!(report.models.is_none());
        let scored = scratch.score(None, None);
        let report = scratch.report(&scored);
        assert_eq!(report.buyers as usize, text.lines().count() - 1);
        let models = report
            .models
            .expect("they were fitted, as far as that is possible");
        assert!(!models.warnings.is_empty());
        assert_eq!(models.lost, []);
    }
}

#[test]
fn a_customer_with_100_000_orders_is_imported_scored_and_reported() {
    let scratch = Scratch::new();
    let start = scratch.now(Some("2016-01-01"));
    let mut text = "order_id,customer_id,date,total\n".to_owned();
    for number in 0..100_000_i64 {
        // An order every 50 minutes, for nine and a half years.
        let at = start.plus_ms(number * 50 * 60 * 1000);
        text.push_str(&format!("m{number},machine,{at},1.25\n"));
    }
    for number in 0..40_i64 {
        let at = start.plus_ms((number * 83 % 3_000) * 24 * 60 * 60 * 1000);
        text.push_str(&format!("p{number},person {},{at},20.00\n", number % 25));
    }
    scratch.import(&[scratch.file("orders.csv", &text)]);
    let base = scratch.score(None, None);
    let report = scratch.report(&base);
    let everyone = &report.kpis.everyone;
    assert_eq!((everyone.customers, everyone.orders), (26, 100_040));
    assert_eq!(everyone.revenue_minor, 12_500_000 + 80_000);
    let models = report.models.as_ref().unwrap();
    assert!(models.orders.is_some(), "{models:?}");
    let most = base
        .customers
        .iter()
        .map(|of| of.profile.orders.len())
        .max();
    assert_eq!(most, Some(100_000));
    let expected = everyone.expected_orders;
    assert!(expected.is_none_or(f64::is_finite), "{expected:?}");
}

/// A segment of the workspace for each (name, rule).
fn own(scratch: &Scratch, rules: &[(&str, &str)]) {
    let text: String = rules
        .iter()
        .map(|(name, rule)| format!("[[segment]]\nname = '{name}'\nrule = \"{rule}\"\n"))
        .collect();
    std::fs::write(scratch.workspace.segments_dir().join("own.toml"), text).unwrap();
}

#[test]
fn a_customers_file_knows_channels_and_countries_only_if_it_has_them() {
    let orders = "order_id,customer_id,date,total\n1,ann,2026-01-05,10.00\n";
    let size = |customers: &str| {
        let scratch = Scratch::new();
        own(
            &scratch,
            &[
                ("german", "country = 'DE'"),
                ("web", "first_channel = 'web'"),
            ],
        );
        scratch.import(&[
            scratch.file("orders.csv", orders),
            scratch.file("customers.csv", customers),
        ]);
        let base = scratch.fold(None);
        let all = kpis(&base, 1);
        ["german", "web"].map(|name| {
            let segment = all.segments.iter().find(|s| s.segment == name).unwrap();
            segment.kpis.as_ref().map(|kpis| kpis.customers)
        })
    };
    assert_eq!(size("customer_id,birthday\nann,1990-01-05\n"), [None, None]);
    assert_eq!(size("customer_id,country\nann,DE\n"), [Some(1), None]);
    assert_eq!(size("customer_id,channel\nann,web\n"), [None, Some(1)]);
}

#[test]
fn channels_of_the_customers_file_have_segments() {
    let scratch = Scratch::new();
    scratch.import(&[
        scratch.file(
            "orders.csv",
            "order_id,customer_id,date,total,channel\n1,ann,2026-01-05,10.00,Messe Köln\n",
        ),
        scratch.file(
            "customers.csv",
            "customer_id,channel\nann,web\nbob,Плакат\ncyd,messe koeln\n",
        ),
    ]);
    let base = scratch.fold(None);
    let all = kpis(&base, 1);
    let channels: Vec<(&str, u64)> = all
        .segments
        .iter()
        .filter(|s| s.family == "channel")
        .map(|s| (s.segment.as_str(), s.kpis.as_ref().unwrap().customers))
        .collect();
    assert_eq!(
        channels,
        [
            ("channel_messe_koeln", 1),
            ("channel_messe_koeln_2", 1),
            ("channel_u43f_u43b_u430_u43a_u430_u442", 1),
        ]
    );
}

#[test]
fn orders_whose_discount_is_unknown_make_nobody_price_sensitive() {
    let scratch = Scratch::new();
    let mut text = "order_id,customer_id,date,total,discount\n".to_owned();
    // Of ann one order in ten tells its discount, of bob two, of cyd the only one.
    for order in 0..10 {
        let discount = |known: bool| if known { "5.00" } else { "" };
        text += &format!(
            "a{order},ann,2026-01-{:02},10.00,{}\n",
            order + 1,
            discount(order == 0)
        );
        text += &format!(
            "b{order},bob,2026-01-{:02},10.00,{}\n",
            order + 1,
            discount(order < 2)
        );
    }
    text += "c,cyd,2026-01-01,5.00,5.00\n";
    own(&scratch, &[("known", "discount_share is set")]);
    scratch.import(&[scratch.file("orders.csv", &text)]);
    let base = scratch.fold(None);
    let all = kpis(&base, 1);
    let size = |name: &str| {
        let segment = all.segments.iter().find(|s| s.segment == name).unwrap();
        segment.kpis.as_ref().unwrap().customers
    };
    assert_eq!((size("price_sensitive"), size("known")), (1, 2));
    assert_eq!(size("budget_conscious"), 1, "one order is all that cyd has");
}

#[test]
fn tiers_count_shares_exactly() {
    // In floating point 0.2 + 0.1 is a little more than 0.3, and 0.3 of ten customers four.
    let mut config = Config::new("test", Currency::new("USD").unwrap(), "UTC");
    let mut settings = config.settings();
    settings.value.high_share = 0.2;
    settings.value.medium_share = 0.1;
    config = config.with_settings(settings);
    let scratch = Scratch::with_config(config);
    let mut text = "order_id,customer_id,date,total\n".to_owned();
    for customer in 0..10 {
        text += &format!("{customer},c{customer},2026-01-05,{}.00\n", 10 + customer);
    }
    scratch.import(&[scratch.file("orders.csv", &text)]);
    let all = kpis(&scratch.fold(None), 1);
    let size = |name: &str| {
        let segment = all.segments.iter().find(|s| s.segment == name).unwrap();
        segment.kpis.as_ref().unwrap().customers
    };
    assert_eq!(
        (size("value_high"), size("value_medium"), size("value_low")),
        (2, 1, 7)
    );
}

#[test]
fn a_trait_of_another_kind_than_the_rule_compares_it_with_is_said() {
    let scratch = Scratch::new();
    let text =
        "customer_id,email,points,tier\n1,a@x.de,50,gold\n2,b@x.de,many,basic\n3,c@x.de,,gold\n";
    scratch.import(&[scratch.file("customers.csv", text)]);
    for (name, rule) in [
        ("rich", "traits.points > 50"),
        ("gold", "traits.tier = 'gold' and traits.points is set"),
        ("rich_gold", "in segment gold and in segment rich"),
    ] {
        let text =
            format!("[[segment]]\nname = \"{name}\"\ntitle = \"{name}\"\nrule = \"{rule}\"\n");
        let path = scratch
            .workspace
            .segments_dir()
            .join(format!("{name}.toml"));
        std::fs::write(path, text).unwrap();
    }
    let all = kpis(&scratch.fold(Some("2026-01-31")), 2);
    let hints = |name: &str| {
        let mut segments = all.segments.iter();
        &segments
            .find(|segment| segment.segment == name)
            .unwrap()
            .hints
    };
    // One text makes all of the column texts.
    let said = "`traits.points` is a text for 2 of 2 customers who have it, and the rule compares it with a number";
    assert!(hints("rich")[0].starts_with(said), "{:?}", hints("rich"));
    assert_eq!(hints("rich_gold"), hints("rich"));
    assert_eq!(hints("gold").len(), 0);
}
