//! Rows hold together, nobody in them is real, and faults are where they were asked for.

use std::collections::{BTreeMap, BTreeSet};

use regulars_core::{Currency, DAY_MS, OrderStatus};
use regulars_shop::{
    Buyer, Channel, Country, Dirt, OrderLineRow, Product, Shop, ShopOptions, SpendGrain,
};

use crate::naive::{self, share};
use crate::{demo, town};

#[test]
fn orders_name_customers_and_products_that_there_are() {
    let accounts: BTreeSet<_> = demo().customers().customer.into_iter().collect();
    let zone = &demo().options().zone;
    let mut guests = 0;
    for row in demo().order_lines().rows() {
        match row.buyer {
            Buyer::Account(customer) => assert!(accounts.contains(&customer)),
            Buyer::Guest(customer) => {
                assert!(!accounts.contains(&customer));
                guests += 1;
            }
            Buyer::Unknown => panic!("a clean order without a buyer"),
        }
        let product = &demo().products()[row.product.0 as usize];
        assert_eq!(product.number, row.product);
        assert!(
            product.launched_on <= zone.date_of(row.ordered_at),
            "{row:?}"
        );
        assert_eq!(product.price_minor, row.unit_price_minor);
    }
    assert!(guests > 0);
    let people = accounts.len() as u32;
    assert!(
        (1_900..2_000).contains(&people),
        "{people} accounts, the others are guests"
    );
}

fn check_order(lines: &[OrderLineRow], shop: &Shop) {
    let now = naive::now(shop);
    let first = &lines[0];
    let mut back_in_full = true;
    for (position, row) in lines.iter().enumerate() {
        assert_eq!(row.line as usize, position + 1);
        assert_eq!(
            (
                row.ordered_at,
                row.buyer,
                row.status,
                row.channel,
                row.coupon
            ),
            (
                first.ordered_at,
                first.buyer,
                first.status,
                first.channel,
                first.coupon
            )
        );
        let full = row.unit_price_minor * i64::from(row.quantity);
        let net = full - row.discount_minor;
        assert!(row.quantity >= 1 && full > 0);
        assert!((0..full).contains(&row.discount_minor));
        assert!((0..=net).contains(&row.refunded_minor));
        assert!(row.tax_minor > 0 && row.tax_minor * 4 <= net);
        assert!(position == 0 || row.shipping_minor == 0);
        assert!(row.coupon.is_none() || row.discount_minor > 0);
        assert_eq!(row.refunded_at.is_some(), row.refunded_minor > 0);
        for at in [row.refunded_at, row.cancelled_at, Some(row.updated_at)]
            .into_iter()
            .flatten()
        {
            assert!(row.ordered_at <= at && at <= now && at.0 % 1000 == 0);
        }
        back_in_full &= row.refunded_minor == net;
    }
    assert_eq!(
        first.status == OrderStatus::Cancelled,
        first.cancelled_at.is_some()
    );
    assert_eq!(first.status == OrderStatus::Refunded, back_in_full);
}

#[test]
fn the_lines_of_an_order_agree() {
    let rows: Vec<OrderLineRow> = demo().order_lines().rows().collect();
    let mut seen = BTreeSet::new();
    for lines in rows.chunk_by(|one, other| one.order == other.order) {
        assert!(
            seen.insert(lines[0].order),
            "lines of an order are neighbours"
        );
        check_order(lines, demo());
    }
    for pair in rows
        .windows(2)
        .filter(|pair| pair[0].order.customer == pair[1].order.customer)
    {
        assert!(
            pair[0].ordered_at <= pair[1].ordered_at,
            "orders are numbered in order of time"
        );
    }
}

#[test]
fn accounts_are_made_before_the_first_order() {
    let customers = demo().customers();
    let created: BTreeMap<_, _> = customers
        .customer
        .iter()
        .zip(&customers.created_at)
        .collect();
    for row in demo().order_lines().rows() {
        assert!(
            created
                .get(&row.order.customer)
                .is_none_or(|&&at| at < row.ordered_at)
        );
    }
    let before = demo()
        .options()
        .zone
        .start_of(demo().options().start)
        .plus_ms(-50 * DAY_MS);
    assert!(
        customers
            .created_at
            .iter()
            .all(|&at| before < at && at <= naive::now(demo()))
    );
}

#[test]
fn nobody_is_real() {
    let customers = town().customers();
    let mut emails = BTreeSet::new();
    for row in customers.rows() {
        let (_, domain) = row.email.split_once('@').unwrap();
        assert!(["example.com", "example.org", "example.net"].contains(&domain));
        assert!(row.email.is_ascii() && row.email == row.email.to_lowercase());
        assert_eq!(row.email, town().email(row.customer));
        assert!(row.phone.is_none_or(|phone| phone.starts_with("+999 ")));
        let unassigned = match row.country {
            Country::De | Country::Fr | Country::Es => row.zip.starts_with("00"),
            Country::At | Country::Ch | Country::Be | Country::Nl => row.zip.starts_with('0'),
            Country::Gb => row.zip.starts_with("ZZ"),
        };
        assert!(unassigned, "{}", row.zip);
        assert!(emails.insert(row.email), "one address for each person");
    }
    assert!(share(&customers.phone, |phone| phone.is_some()) > 0.3);
    let ids: Vec<String> = customers
        .customer
        .iter()
        .take(2)
        .map(ToString::to_string)
        .collect();
    assert_eq!(ids, ["00001", "00002"]);
}

#[test]
fn there_are_six_hundred_products_and_a_few_are_bought_most() {
    let products = town().products();
    let distinct =
        |of: fn(&Product) -> String| products.iter().map(of).collect::<BTreeSet<String>>().len();
    assert_eq!(products.len(), 600);
    assert_eq!(distinct(|product| product.category.to_owned()), 12);
    assert_eq!(distinct(|product| product.brand.to_owned()), 24);
    assert_eq!(
        distinct(|product| format!("{} {}", product.category, product.name)),
        600
    );
    assert!(
        products
            .iter()
            .all(|p| 0 < p.cost_minor && p.cost_minor < p.price_minor)
    );
    let start = town().options().start;
    let launched = share(products, |product| product.launched_on >= start);
    assert!((0.35..0.55).contains(&launched), "{launched}");
    let mut sold = vec![0_u32; products.len()];
    for product in town().order_lines().product {
        sold[product.0 as usize] += 1;
    }
    sold.sort_unstable();
    let top: u32 = sold[540..].iter().sum();
    let all: u32 = sold.iter().sum();
    assert!(
        top * 10 > all * 3,
        "a tenth of the products has three tenths of the lines"
    );
    assert!(
        share(&sold, |lines| **lines > 0) > 0.98,
        "only the last launched may wait"
    );
}

#[test]
fn customers_cost_more_in_some_channels_than_in_others() {
    let mut arrivals: BTreeMap<Channel, f64> = BTreeMap::new();
    for customer in naive::customers(town())
        .values()
        .filter(|c| !c.orders.is_empty())
    {
        *arrivals.entry(customer.orders[0].channel).or_default() += 1.0;
    }
    let days = town().ad_spend(SpendGrain::Day);
    let weeks = town().ad_spend(SpendGrain::Week);
    let total = |rows: &[regulars_shop::AdSpend]| rows.iter().map(|r| r.cost_minor).sum::<i64>();
    assert_eq!(total(&days), total(&weeks));
    assert!(days.is_sorted_by_key(|row| (row.date, row.channel, row.campaign)));
    assert!(weeks.is_sorted_by_key(|row| (row.date, row.channel, row.campaign)));
    assert_eq!(days.len(), 8 * 1_096);
    let cost = |channel| {
        let rows = days.iter().filter(|row| row.channel == channel);
        rows.map(|row| row.cost_minor).sum::<i64>() as f64 / 100.0 / arrivals[&channel]
    };
    assert!(
        (10.0..20.0).contains(&cost(Channel::Affiliate)),
        "{}",
        cost(Channel::Affiliate)
    );
    assert!(
        (18.0..30.0).contains(&cost(Channel::PaidSearch)),
        "{}",
        cost(Channel::PaidSearch)
    );
    assert!(
        (28.0..42.0).contains(&cost(Channel::PaidSocial)),
        "{}",
        cost(Channel::PaidSocial)
    );
    assert!(
        (45.0..70.0).contains(&cost(Channel::Display)),
        "{}",
        cost(Channel::Display)
    );
}

#[test]
fn amounts_look_usual_in_every_currency() {
    for (code, factor) in [("EUR", 1), ("JPY", 1), ("KWD", 10)] {
        let currency = Currency::new(code).unwrap();
        let options = ShopOptions {
            customers: 10,
            currency,
            ..ShopOptions::default()
        };
        let shop = Shop::new(options).unwrap();
        assert_eq!(
            shop.products()[0].price_minor,
            demo().products()[0].price_minor * factor
        );
    }
}

#[test]
fn faults_are_where_they_were_asked_for_and_nowhere_else() {
    let dirty = Shop::new(ShopOptions {
        dirt: Dirt::Some,
        ..town().options().clone()
    })
    .unwrap();
    let (clean_rows, rows) = (town().order_lines(), dirty.order_lines());
    let clean: BTreeMap<_, _> = clean_rows
        .rows()
        .map(|row| ((row.order, row.line), row))
        .collect();
    let same = share(rows.rows(), |row| clean[&(row.order, row.line)] == *row);
    assert!((0.97..0.9999).contains(&same), "{same}");
    assert!(rows.len() > clean_rows.len(), "some are repeated");
    assert!(rows.quantity.contains(&0));
    assert!(rows.buyer.contains(&Buyer::Unknown));
    assert!(rows.ordered_at.iter().any(|&at| at > naive::now(town())));
    assert!(rows.product.iter().any(|product| product.0 >= 600));
    let customers = dirty.customers();
    assert!(customers.len() > town().customers().len());
    assert!(customers.email.iter().any(|email| email.starts_with(' ')));
    assert!(
        customers
            .email
            .iter()
            .any(|email| email.contains("EXAMPLE"))
    );
    assert!(customers.last_name.iter().any(String::is_empty));
}
