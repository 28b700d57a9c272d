//! Whom the rows of a file name for its orders, when nothing is stored: an order that several
//! customers claim is one order, and all but one of them lose it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use foldhash::fast::FixedState;
use regulars_ingest::OrderBatch;
use xxhash_rust::xxh3::xxh3_64;

/// Orders that are compared: 16 bytes each.
const MOST_ORDERS: usize = 4_000_000;

/// The customer that a row names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who<'b> {
    /// By id.
    Customer(&'b str),
    /// By e-mail alone.
    Email(&'b str),
}

/// Marks a hash as that of an e-mail.
const EMAIL: u64 = 1;
/// Stands for a customer where an order was counted.
const COUNTED: u64 = u64::MAX;

impl Who<'_> {
    fn hash(self) -> u64 {
        match self {
            Self::Customer(id) => xxh3_64(id.as_bytes()) & !EMAIL,
            Self::Email(email) => xxh3_64(email.as_bytes()) | EMAIL,
        }
    }
}

/// Whom orders were given to so far.
#[derive(Debug, Default)]
pub(super) struct Named {
    by_order: HashMap<u64, u64, FixedState>,
    /// Orders that were given to different customers.
    pub(super) reassigned: u64,
}

impl Named {
    /// Notes whom a row names for its order.
    ///
    /// An e-mail and a customer id may be of one customer, so that only two of a kind differ.
    pub(super) fn note(&mut self, order: &str, who: Option<Who<'_>>) {
        let Some(who) = who.map(Who::hash) else {
            return;
        };
        let is_full = self.by_order.len() >= MOST_ORDERS;
        match self.by_order.entry(xxh3_64(order.as_bytes())) {
            Entry::Vacant(free) if !is_full => {
                free.insert(who);
            }
            Entry::Vacant(_) => {}
            Entry::Occupied(mut known) => match *known.get() {
                COUNTED => {}
                before if before == who => {}
                before if before & EMAIL == who & EMAIL => {
                    known.insert(COUNTED);
                    self.reassigned += 1;
                }
                // The id says more than the address.
                _ if who & EMAIL == 0 => {
                    known.insert(who);
                }
                _ => {}
            },
        }
    }

    /// Whether a row had an order id.
    pub(super) fn has_order_ids(&self) -> bool {
        !self.by_order.is_empty()
    }
}

/// Whether a row says what came back, which decides nothing of whose its order is.
pub(super) fn is_return(batch: &OrderBatch, row: usize) -> bool {
    let negative = |column: &Option<Vec<Option<i64>>>| {
        let minor = column.as_ref().and_then(|column| column[row]);
        minor.is_some_and(|minor| minor < 0)
    };
    let pieces = batch.quantity.as_ref().and_then(|column| column[row]);
    let amounts = [
        &batch.order_total,
        &batch.order_subtotal,
        &batch.line_total,
        &batch.line_gross,
        &batch.unit_price,
    ];
    batch.credit[row]
        || pieces.is_some_and(|pieces| pieces < 0.0)
        || amounts.into_iter().any(negative)
}
