//! The hidden types do what is said of them: the property that defines each holds on its rows.

use std::collections::BTreeMap;

use regulars_core::{DAY_MS, OrderStatus};
use regulars_shop::{CustomerNumber, CustomerType, Shop};

use crate::naive::{self, Customer, share};
use crate::town;

fn by_type(shop: &Shop) -> BTreeMap<CustomerType, Vec<(CustomerNumber, Customer)>> {
    let mut types: BTreeMap<CustomerType, Vec<_>> = BTreeMap::new();
    for (number, customer) in naive::customers(shop) {
        types
            .entry(shop.truth(number))
            .or_default()
            .push((number, customer));
    }
    types
}

/// The customers of a type who have an order that counts.
fn buyers(customer_type: CustomerType) -> Vec<Customer> {
    let all = by_type(town()).remove(&customer_type).unwrap_or_default();
    all.into_iter()
        .map(|(_, customer)| customer)
        .filter(|c| !c.orders.is_empty())
        .collect()
}

fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.into_iter().collect();
    values.iter().sum::<f64>() / values.len() as f64
}

fn assert_between(value: f64, low: f64, high: f64, what: &str) {
    assert!(
        (low..=high).contains(&value),
        "{what}: {value}, expected {low} to {high}"
    );
}

/// Share of the pieces' lines that are in one of `categories`.
fn category_share(customers: &[Customer], categories: &[&str]) -> f64 {
    let lines = customers
        .iter()
        .flat_map(|c| &c.orders)
        .flat_map(|order| &order.lines);
    share(lines, |line| {
        categories.contains(&town().products()[line.product.0 as usize].category)
    })
}

/// Per cent of all customers, as `docs/made-up-shop.md` says.
const SHARES: [(CustomerType, f64); 13] = [
    (CustomerType::FashionRegular, 12.0),
    (CustomerType::GiftBuyer, 9.0),
    (CustomerType::BargainHunter, 11.0),
    (CustomerType::FullPriceEnthusiast, 7.0),
    (CustomerType::ElectronicsOneOff, 13.0),
    (CustomerType::Occasional, 11.0),
    (CustomerType::NewArrival, 7.0),
    (CustomerType::SlippingRegular, 4.0),
    (CustomerType::LapsedRegular, 7.0),
    (CustomerType::Reactivated, 5.0),
    (CustomerType::BasicsSubscriber, 6.0),
    (CustomerType::BulkBuyer, 2.0),
    (CustomerType::Prospect, 6.0),
];

#[test]
fn every_type_has_its_share_of_all_customers() {
    let all = (0..town().options().customers).map(CustomerNumber);
    let truths: Vec<CustomerType> = all.map(|number| town().truth(number)).collect();
    for (kind, percent) in SHARES {
        let found = 100.0 * share(&truths, |truth| **truth == kind);
        assert_between(found, percent - 1.5, percent + 1.5, kind.name());
    }
}

#[test]
fn fashion_regulars_buy_fashion_often_and_for_long() {
    let regulars = buyers(CustomerType::FashionRegular);
    assert!(share(&regulars, |c| c.orders.len() >= 3) > 0.75);
    let fashion = [
        "Dresses",
        "Tops",
        "Jeans",
        "Knitwear",
        "Outerwear",
        "Shoes",
        "Bags",
        "Basics",
    ];
    assert!(category_share(&regulars, &fashion) > 0.95);
    let gaps: Vec<f64> = regulars.iter().flat_map(Customer::gaps).collect();
    assert_between(mean(gaps), 30.0, 70.0, "days between orders");
}

#[test]
fn gift_buyers_buy_in_november_and_december_only() {
    let buyers = buyers(CustomerType::GiftBuyer);
    assert!(
        buyers
            .iter()
            .flat_map(|c| &c.orders)
            .all(|order| order.date.ymd().1 >= 11)
    );
    // Three orders in two years at least: seasonal by definition.
    let seasonal = |c: &&Customer| c.orders.len() >= 3 && c.quarters().len() >= 2;
    assert!(share(&buyers, seasonal) > 0.6);
}

#[test]
fn bargain_hunters_pay_little_and_mostly_less_than_asked() {
    let hunters = buyers(CustomerType::BargainHunter);
    let repeating: Vec<&Customer> = hunters.iter().filter(|c| c.orders.len() >= 2).collect();
    assert!(share(&repeating, |c| c.discount_share() >= 0.6) > 0.9);
    let everyone: Vec<Customer> = naive::customers(town())
        .into_values()
        .filter(|c| !c.orders.is_empty())
        .collect();
    let order_value = |c: &Customer| c.average_order();
    assert!(mean(hunters.iter().map(order_value)) * 2.0 < mean(everyone.iter().map(order_value)));
}

#[test]
fn full_price_enthusiasts_pay_what_is_asked_for_what_is_new() {
    let enthusiasts = buyers(CustomerType::FullPriceEnthusiast);
    let repeating: Vec<&Customer> = enthusiasts.iter().filter(|c| c.orders.len() >= 2).collect();
    assert!(share(&repeating, |c| c.discount_share() <= 0.1) > 0.9);
    let newness = |customers: &[Customer]| {
        let lines = customers.iter().flat_map(|c| &c.orders).flat_map(|order| {
            let date = order.date;
            order.lines.iter().map(move |line| (date, line.product))
        });
        share(lines, |(date, product)| {
            date.0 - town().products()[product.0 as usize].launched_on.0 < 180
        })
    };
    let regulars = newness(&buyers(CustomerType::FashionRegular));
    assert!(newness(&enthusiasts) > 1.5 * regulars);
}

#[test]
fn one_offs_buy_electronics_once() {
    let one_offs = buyers(CustomerType::ElectronicsOneOff);
    assert!(share(&one_offs, |c| c.orders.len() == 1) > 0.85);
    assert!(category_share(&one_offs, &["Phones", "Audio", "Computers", "Wearables"]) > 0.99);
}

#[test]
fn new_arrivals_came_within_ninety_days() {
    let arrivals = buyers(CustomerType::NewArrival);
    let now = naive::now(town());
    assert!(
        arrivals
            .iter()
            .all(|c| c.orders[0].at > now.plus_ms(-90 * DAY_MS))
    );
    assert!(share(&arrivals, |c| c.orders.len() <= 2) > 0.7);
}

#[test]
fn slipping_regulars_were_frequent_and_are_silent_beyond_their_habit() {
    let slipping = buyers(CustomerType::SlippingRegular);
    let now = naive::now(town());
    assert!(share(&slipping, |c| (24..60).contains(&c.silent_days(now))) > 0.8);
    assert!(
        share(&slipping, |c| c.silent_days(now) as f64
            > 2.0 * mean(c.gaps()))
            > 0.8
    );
}

#[test]
fn lapsed_regulars_were_loyal_and_left_months_ago() {
    let lapsed = buyers(CustomerType::LapsedRegular);
    let now = naive::now(town());
    assert!(lapsed.iter().all(|c| c.silent_days(now) >= 119));
    assert!(share(&lapsed, |c| c.orders.len() >= 3) > 0.85);
}

#[test]
fn reactivated_customers_were_silent_for_sixty_days_and_came_back_lately() {
    let now = naive::now(town());
    let returned: Vec<Customer> = buyers(CustomerType::Reactivated);
    let back = |c: &&Customer| c.gaps().iter().any(|&gap| gap >= 60.0) && c.silent_days(now) < 60;
    // The few others cancelled or sent back the order with which they came back.
    assert!(share(&returned, back) > 0.85);
    let still = |c: &&Customer| c.gaps().last().is_some_and(|&gap| gap >= 60.0);
    assert!(share(&returned, still) > 0.5);
}

#[test]
fn subscribers_restock_basics_all_year() {
    let all = buyers(CustomerType::BasicsSubscriber);
    assert!(category_share(&all, &["Basics"]) > 0.7);
    let long: Vec<&Customer> = all
        .iter()
        .filter(|c| c.orders[0].date.ymd().0 == 2023 && c.silent_days(naive::now(town())) < 90)
        .collect();
    assert!(long.len() > 60);
    let year_round = |c: &&&Customer| c.quarters().values().filter(|q| q.len() >= 3).count() >= 2;
    assert!(share(&long, year_round) > 0.95);
    let evenness = |c: &Customer| {
        let gaps = c.gaps();
        let mean = mean(gaps.iter().copied());
        let squares = gaps
            .iter()
            .map(|gap| (gap - mean) * (gap - mean))
            .sum::<f64>();
        libm::sqrt(squares / gaps.len() as f64) / mean
    };
    assert!(
        mean(long.iter().map(|c| evenness(c))) < 0.5,
        "gaps are even"
    );
}

#[test]
fn bulk_buyers_order_many_pieces_in_office_hours() {
    let bulk = buyers(CustomerType::BulkBuyer);
    let lines: Vec<_> = bulk
        .iter()
        .flat_map(|c| &c.orders)
        .flat_map(|o| &o.lines)
        .collect();
    assert!(mean(lines.iter().map(|line| f64::from(line.quantity))) > 8.0);
    let zone = &town().options().zone;
    let in_office = share(bulk.iter().flat_map(|c| &c.orders), |order| {
        let hour = (order.at.0 - zone.start_of(order.date).0) / 3_600_000;
        (order.date.0 + 3).rem_euclid(7) < 5 && (7..19).contains(&hour)
    });
    assert!(in_office > 0.95, "{in_office}");
}

#[test]
fn prospects_have_an_account_and_no_order() {
    let prospects = by_type(town()).remove(&CustomerType::Prospect).unwrap();
    assert!(prospects.len() > 250);
    assert!(
        prospects
            .iter()
            .all(|(_, customer)| customer.orders.is_empty())
    );
    let rows = town().order_lines();
    assert!(
        rows.order
            .iter()
            .all(|order| town().truth(order.customer) != CustomerType::Prospect)
    );
}

#[test]
fn a_few_orders_are_cancelled_sent_back_or_not_yet_paid() {
    let rows = town().order_lines();
    let first_lines = || rows.rows().filter(|row| row.line == 1);
    let status = |status| share(first_lines(), |row| row.status == status);
    assert_between(status(OrderStatus::Cancelled), 0.01, 0.03, "cancelled");
    assert_between(
        status(OrderStatus::Refunded),
        0.01,
        0.06,
        "refunded in full",
    );
    assert!(first_lines().any(|row| row.status == OrderStatus::Unpaid));
    assert_between(
        share(rows.rows(), |row| row.refunded_minor > 0),
        0.05,
        0.2,
        "lines sent back",
    );
}

#[test]
fn repeat_gaps_are_mostly_shorter_than_the_dormancy_threshold() {
    let gaps: Vec<f64> = naive::customers(town())
        .values()
        .flat_map(Customer::gaps)
        .collect();
    assert_between(
        share(&gaps, |&&gap| gap > 60.0),
        0.05,
        0.25,
        "gaps of more than 60 days",
    );
}
