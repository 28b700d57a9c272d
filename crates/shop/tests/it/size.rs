//! A shop is as large as asked, or says why it cannot be.

use regulars_core::CivilDate;
use regulars_shop::{Shop, ShopError, ShopOptions};

fn options(customers: u32, order_lines: u64) -> ShopOptions {
    ShopOptions {
        customers,
        order_lines: Some(order_lines),
        ..ShopOptions::default()
    }
}

fn day(year: i32, month: u32, day: u32) -> CivilDate {
    CivilDate::new(year, month, day).expect("a day of the calendar")
}

#[test]
fn the_number_of_lines_is_met_within_three_per_cent() {
    for (customers, lines) in [
        (500, 5_000),
        (2_000, 10_000),
        (2_000, 40_000),
        (2_000, 200_000),
        (21_000, 300_000),
    ] {
        let shop = Shop::new(options(customers, lines)).unwrap();
        let made: u64 = shop
            .chunks(1_000)
            .map(|range| {
                let mut rows = regulars_shop::OrderLines::default();
                shop.fill_order_lines(range, &mut rows);
                rows.len() as u64
            })
            .sum();
        let miss = (made as f64 / lines as f64 - 1.0).abs();
        assert!(miss < 0.03, "{made} lines instead of {lines}");
    }
}

#[test]
fn orders_have_about_two_and_a_half_lines() {
    let rows = crate::demo().order_lines();
    let orders = rows.line.iter().filter(|&&line| line == 1).count();
    let mean = rows.len() as f64 / orders as f64;
    assert!((2.3..2.7).contains(&mean), "{mean}");
}

#[test]
fn what_cannot_be_made_is_named() {
    assert_eq!(
        Shop::new(options(0, 10)).unwrap_err(),
        ShopError::NoCustomers
    );
    let few = Shop::new(options(1_000, 500)).unwrap_err();
    assert!(matches!(
        few,
        ShopError::OrderLinesOutOfReach { asked: 500, .. }
    ));
    assert!(
        few.to_string()
            .contains("1000 customers cannot have 500 order lines"),
        "{few}"
    );
    let dates = ShopOptions {
        end: day(2023, 6, 30),
        ..ShopOptions::default()
    };
    let error = Shop::new(dates).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`end` (2023-06-30) lies before `start` (2023-07-01)"
    );
}

#[test]
fn one_customer_and_one_day_are_a_shop_too() {
    let one = ShopOptions {
        customers: 1,
        ..ShopOptions::default()
    };
    assert!(Shop::new(one).unwrap().customers().len() <= 1);
    for days in [0, 1, 6, 40, 200] {
        let start = day(2026, 2, 1);
        let end = CivilDate(start.0 + days);
        let shop = Shop::new(ShopOptions {
            start,
            end,
            ..ShopOptions::default()
        })
        .unwrap();
        let rows = shop.order_lines();
        assert!(rows.len() > 1_000, "{days} days");
        let zone = &shop.options().zone;
        assert!(
            rows.ordered_at
                .iter()
                .all(|&at| (start..=end).contains(&zone.date_of(at)))
        );
    }
}
