//! When traits that move in steps move next, if nothing happens.

use regulars_core::{DAY_MS, Timestamp, Trait, Window};

use crate::customer::Customer;
use crate::{lifecycle, rhythm};

/// The next instant after `now` at which the value of `which` may be another.
pub(crate) fn next_after(
    customer: &Customer<'_>,
    which: Trait,
    now: Timestamp,
) -> Option<Timestamp> {
    let next = match which {
        Trait::ValueTier => {
            let days = customer.context.settings.value.window_days;
            next_to_leave(customer, Window::rolling_days(days), now)
        }
        Trait::BeyondUsualRange => customer.beyond_usual_range_at(now),
        Trait::SeasonShare | Trait::Seasonal | Trait::YearRound => {
            let first = customer.profile.first_order_at()?;
            Some(first.plus_ms(rhythm::KNOWN_AFTER_DAYS * DAY_MS))
        }
        Trait::AccountActiveCustomers => customer.account_figures()?.inactive_at(now),
        Trait::Lifecycle => lifecycle::next_after(customer, now),
        _ => next_to_leave(customer, which.window()?, now),
    };
    next.filter(|&at| at > now)
}

/// When the earliest order inside the window leaves it.
fn next_to_leave(customer: &Customer<'_>, window: Window, now: Timestamp) -> Option<Timestamp> {
    let zone = &customer.context.zone;
    let inside = customer.profile.orders_within(window.start(now, zone), now);
    window.leaves_at(inside.first()?.occurred_at, zone)
}
