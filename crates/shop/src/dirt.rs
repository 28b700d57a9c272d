//! Faults that real exports have, for [`Dirt::Some`](crate::Dirt::Some): in the rows of a few
//! customers in a hundred. They are drawn from streams of their own, so that all other rows stay
//! as they are.

use regulars_core::{CivilDate, DAY_MS};

use crate::order::Buyer;
use crate::random::{Dice, Stream};
use crate::{CustomerNumber, CustomerRow, Customers, OrderLines, ProductNumber};

/// Share of customers with a fault in their order lines, and in their row.
const FAULTY_ORDERS: f64 = 0.03;
const FAULTY_CUSTOMERS: f64 = 0.05;

/// Spoils one order of the customer whose rows begin at `first`, or none.
pub(crate) fn spoil_orders(
    seed: u64,
    customer: CustomerNumber,
    first: usize,
    n_products: usize,
    rows: &mut OrderLines,
) {
    let mut dice = Dice::new(seed, Stream::OrderFaults, u64::from(customer.0));
    if rows.len() == first || !dice.chance(FAULTY_ORDERS) {
        return;
    }
    let chosen = rows.order[first + dice.below((rows.len() - first) as u32) as usize];
    let lines: Vec<usize> = (first..rows.len())
        .filter(|&at| rows.order[at] == chosen)
        .collect();
    match dice.below(5) {
        0 => {
            // The whole order a second time.
            for &at in &lines {
                let repeated = rows.row(at);
                rows.push(repeated);
            }
        }
        1 => rows.quantity[lines[0]] = 0,
        2 => {
            // A clock that was ten years fast.
            for &at in &lines {
                let late = rows.ordered_at[at].plus_ms(3_652 * DAY_MS);
                rows.ordered_at[at] = late;
                rows.updated_at[at] = late;
            }
        }
        3 => {
            for &at in &lines {
                rows.buyer[at] = Buyer::Unknown;
            }
        }
        _ => rows.product[lines[0]] = ProductNumber((n_products as u32) + dice.below(10)),
    }
}

/// Adds a customer's row, spoilt or not.
pub(crate) fn push_customer(seed: u64, mut row: CustomerRow, rows: &mut Customers) {
    let mut dice = Dice::new(seed, Stream::CustomerFaults, u64::from(row.customer.0));
    if !dice.chance(FAULTY_CUSTOMERS) {
        rows.push(row);
        return;
    }
    match dice.below(6) {
        0 => rows.push(row.clone()),
        1 => row.email = row.email.to_uppercase(),
        2 => row.email = format!("  {} ", row.email),
        3 => {
            row.first_name = String::new();
            row.last_name = String::new();
        }
        4 => row.birthday = Some(CivilDate(row.birthday.map_or(0, |day| day.0) + 80 * 365)),
        _ => row.city = "",
    }
    rows.push(row);
}
