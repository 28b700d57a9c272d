//! The same options give the same shop: on every platform, in any chunks, on any threads.

use regulars_shop::{CustomerNumber, Customers, OrderLines, Shop, ShopOptions, SpendGrain};

use crate::demo;

/// FNV-1a over a text.
fn checksum(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

fn orders_of(shop: &Shop, range: std::ops::Range<u32>) -> OrderLines {
    let mut rows = OrderLines::default();
    shop.fill_order_lines(range, &mut rows);
    rows
}

#[test]
fn rows_are_what_they_always_were() {
    let mut customers = Customers::default();
    demo().fill_customers(0..500, &mut customers);
    let orders = orders_of(demo(), 0..500);
    let first_orders: Vec<_> = orders.rows().take(3).collect();
    let first_customers: Vec<_> = customers.rows().take(2).collect();
    let spend = demo().ad_spend(SpendGrain::Week);
    insta::assert_debug_snapshot!(
        "first_rows",
        (
            first_customers,
            first_orders,
            &demo().products()[..2],
            &spend[..2],
        )
    );
    let sums = [
        ("customers", checksum(&format!("{customers:?}"))),
        ("order lines", checksum(&format!("{orders:?}"))),
        ("products", checksum(&format!("{:?}", demo().products()))),
        ("ad spend", checksum(&format!("{spend:?}"))),
    ];
    insta::assert_debug_snapshot!("checksums", (orders.len(), sums));
}

#[test]
fn chunks_and_threads_do_not_matter() {
    let whole = demo().order_lines();
    for size in [1, 77, 5_000] {
        let ranges: Vec<_> = demo().chunks(size).collect();
        // Every third chunk on each of three threads.
        let parts: Vec<Vec<OrderLines>> = std::thread::scope(|scope| {
            let start = |part: usize| {
                let mine: Vec<_> = ranges.iter().skip(part).step_by(3).cloned().collect();
                scope.spawn(move || mine.into_iter().map(|r| orders_of(demo(), r)).collect())
            };
            let threads: Vec<_> = (0..3).map(start).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        let chunks = (0..ranges.len()).map(|turn| &parts[turn % 3][turn / 3]);
        assert!(
            chunks.flat_map(OrderLines::rows).eq(whole.rows()),
            "chunks of {size}"
        );
    }
}

#[test]
fn a_customer_is_the_same_in_a_shop_of_any_size() {
    let small = Shop::new(ShopOptions {
        customers: 40,
        ..demo().options().clone()
    })
    .unwrap();
    assert_eq!(small.order_lines(), orders_of(demo(), 0..40));
    assert_eq!(small.products(), demo().products());
    for number in (0..40).map(CustomerNumber) {
        assert_eq!(small.truth(number), demo().truth(number));
        assert_eq!(small.email(number), demo().email(number));
    }
}

#[test]
fn another_seed_is_another_shop() {
    let other = Shop::new(ShopOptions {
        seed: 8,
        ..demo().options().clone()
    })
    .unwrap();
    assert_ne!(orders_of(&other, 0..20), orders_of(demo(), 0..20));
    assert_ne!(other.products(), demo().products());
}

#[test]
fn by_time_are_the_same_rows_oldest_first() {
    let by_time = demo().order_lines_by_time();
    assert!(by_time.ordered_at.is_sorted());
    let mut rows: Vec<_> = by_time.rows().collect();
    rows.sort_by_key(|row| (row.order, row.line));
    assert!(rows.into_iter().eq(demo().order_lines().rows()));
}
