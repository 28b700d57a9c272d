use proptest::prelude::*;
use regulars_core::{OrderKey, OrderLine};

use super::*;

/// Time, channel, country, category and pieces of an order.
type Made = (i64, u32, u32, u32, u32);

fn with_order<T>(number: usize, made: Made, then: impl FnOnce(&Order<'_>) -> T) -> T {
    let (at, channel, country, category, pieces) = made;
    let line = OrderLine {
        product: Symbol(1),
        category: Symbol(category),
        brand: Symbol::NONE,
        quantity: f64::from(pieces),
        net_minor: 100 * i64::from(pieces),
    };
    then(&Order {
        key: OrderKey(number as u64),
        occurred_at: Timestamp(at),
        net_minor: line.net_minor,
        refunded_minor: 0,
        discount_minor: Some(i64::from(pieces % 2)),
        cost_minor: Some(7),
        quantity: line.quantity,
        channel: Symbol(channel),
        country: Symbol(country),
        lines: &[line],
    })
}

proptest! {
    #[test]
    fn orders_put_in_their_places_come_to_what_they_come_to_by_time(
        made in proptest::collection::vec((0_i64..9, 0_u32..3, 0_u32..3, 0_u32..3, 1_u32..4), 0..9),
    ) {
        let mut inserted = Profile::new(CustomerId(1));
        for (number, &(at, ..)) in made.iter().enumerate() {
            // Of those of the same time it is the last.
            let place = inserted.orders.partition_point(|order| order.occurred_at.0 <= at);
            let done = with_order(number, made[number], |order| inserted.insert(place, order));
            prop_assert!(done);
        }
        let mut by_time: Vec<usize> = (0..made.len()).collect();
        by_time.sort_by_key(|&number| made[number].0);
        let mut folded = Profile::new(CustomerId(1));
        for number in by_time {
            with_order(number, made[number], |order| folded.fold(order));
        }
        // The entries of shares are in no order that means anything.
        let shares = |profile: &mut Profile| {
            let mut all: Vec<_> = std::mem::take(&mut profile.categories).iter().collect();
            all.sort_unstable();
            all
        };
        prop_assert_eq!(shares(&mut inserted), shares(&mut folded));
        prop_assert_eq!(&inserted, &folded);
        folded.account = Symbol(7);
        folded.reset_orders();
        let nothing = Profile { account: Symbol(7), ..Profile::new(CustomerId(1)) };
        prop_assert_eq!(folded, nothing);
    }
}

#[test]
fn parts_of_pieces_are_added_by_time_only() {
    let mut profile = Profile::new(CustomerId(1));
    with_order(0, (5, 1, 1, 1, 1), |order| profile.fold(order));
    let before = profile.clone();
    with_order(1, (3, 1, 1, 1, 1), |order| {
        let half = Order {
            quantity: 0.5,
            ..*order
        };
        assert!(!profile.insert(0, &half));
    });
    assert_eq!(profile, before);
}
