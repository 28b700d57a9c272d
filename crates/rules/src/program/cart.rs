//! How many open carts a filter lets through, and when that next changes.

use regulars_core::{Cart, Timestamp, TraitValue, Zone};

use super::{Faults, mutated};
use crate::check::{FilterNode, ValueTest};
use crate::tree::CartProperty;

type CartFilter = FilterNode<CartProperty>;

/// The number of carts that are open at `now` and pass.
pub(super) fn value(
    filter: Option<&CartFilter>,
    carts: &[Cart],
    now: Timestamp,
    zone: &Zone,
    faults: Faults,
) -> TraitValue<'static> {
    let is_open = |cart: &&Cart| now < cart.open_until || mutated!(faults, CartsNeverExpire);
    if mutated!(faults, FilterAcrossCarts)
        && let Some(FilterNode::And(nodes)) = filter
    {
        let any = |node: &CartFilter| {
            let mut open = carts.iter().filter(is_open);
            open.any(|cart| passes(Some(node), cart, now, zone))
        };
        return TraitValue::Integer(i64::from(nodes.iter().all(any)));
    }
    let open = carts.iter().filter(is_open);
    let passing = open.filter(|cart| passes(filter, cart, now, zone));
    TraitValue::Integer(passing.count() as i64)
}

fn passes(filter: Option<&CartFilter>, cart: &Cart, now: Timestamp, zone: &Zone) -> bool {
    let holds = |property: &CartProperty, test: &ValueTest| {
        let value = match property {
            CartProperty::Value => match cart.value_minor {
                Some(minor) => TraitValue::Money(minor),
                None => TraitValue::Missing,
            },
            CartProperty::Items => TraitValue::Number(cart.items),
            CartProperty::Changed => TraitValue::Instant(cart.changed_at),
        };
        test.holds(value, now, zone)
    };
    filter.is_none_or(|filter| filter.holds(&holds))
}

/// The first instant after `now` at which the truth of `test` changes if nothing happens: goes from
/// one end of a cart or turn of a condition to the next.
pub(super) fn next_flip(
    filter: Option<&CartFilter>,
    carts: &[Cart],
    test: &ValueTest,
    now: Timestamp,
    zone: &Zone,
    faults: Faults,
) -> Option<Timestamp> {
    let holds_at = |at| test.holds(value(filter, carts, at, zone, faults), at, zone);
    let truth = holds_at(now);
    let mut from = now;
    loop {
        from = next_turn(filter, carts, from, zone)?;
        if holds_at(from) != truth {
            return Some(from);
        }
    }
}

/// The first instant after `from` at which a cart ends or what is asked of it turns.
fn next_turn(
    filter: Option<&CartFilter>,
    carts: &[Cart],
    from: Timestamp,
    zone: &Zone,
) -> Option<Timestamp> {
    let open = carts.iter().filter(|cart| from < cart.open_until);
    let turn_of = |cart: &Cart| {
        let mut next = cart.open_until;
        if let Some(filter) = filter {
            filter.for_each_test(&mut |_, test| {
                if let ValueTest::Instant(test) = test
                    && let Some(turn) = test.next_flip(cart.changed_at, from, zone)
                {
                    next = next.min(turn);
                }
            });
        }
        next
    };
    open.map(turn_of).filter(|&at| at < Timestamp::MAX).min()
}
