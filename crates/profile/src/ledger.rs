//! From what the history says to the orders that count, as known at `now`.
//!
//! ```text
//! LineRecords of one customer ─► newest version of each order ─► cancelled and refunded ones
//!      out ─► refunds and credits off the orders that they reduce ─► Orders, by time
//! ```
//!
//! All matching of versions, refunds and credits happens here and not in the import, so that
//! the order of files and of imports changes nothing.
//! A record with a time after `now` is not seen at all.
//! Sums of money stop at the ends of 64 bits instead of wrapping around.

mod close;
mod paid;
mod returns;
mod shelf;
mod versions;

use std::ops::Range;

use paid::Paid;
use regulars_core::{LineRecord, Order, OrderLine, OrderStatus, RecordKind, Symbol, Timestamp};

/// What the products table knows of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Product {
    /// Category, if known.
    pub category: Option<Symbol>,
    /// Brand, if known.
    pub brand: Option<Symbol>,
    /// Cost of one piece in minor units, if known.
    pub unit_cost_minor: Option<i64>,
}

/// The products table, indexed by the product's symbol.
#[derive(Debug, Clone, Default)]
pub struct Products(Vec<Product>);

impl Products {
    /// Sets what is known of `product`.
    pub fn insert(&mut self, product: Symbol, known: Product) {
        let index = product.0 as usize;
        if self.0.len() <= index {
            self.0.resize(index + 1, Product::default());
        }
        self.0[index] = known;
    }

    /// What is known of `product`.
    pub fn get(&self, product: Symbol) -> Product {
        self.0.get(product.0 as usize).copied().unwrap_or_default()
    }

    /// Every entry, in the order of symbols.
    pub fn iter(&self) -> impl Iterator<Item = &Product> {
        self.0.iter()
    }
}

/// Things in one customer's records that a data quality report names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Oddities {
    /// Credits and refunds that could not be taken off in full: no earlier order of the same
    /// product has that many pieces or that much money left, or the order has less than they say.
    pub unmatched_credits: u64,
    /// Money of credits and refunds that was taken off no order, in minor units; that of refunds
    /// without an order is in it.
    pub unmatched_credit_minor: i64,
    /// Refunds whose order is not in the history.
    pub refunds_without_order: u64,
    /// Orders that do not count because they are cancelled, unpaid or refunded in full.
    pub orders_not_counted: u64,
}

impl Oddities {
    /// Adds the counts of another customer or part.
    pub fn add(&mut self, other: Self) {
        self.unmatched_credits += other.unmatched_credits;
        self.add_unmatched_minor(other.unmatched_credit_minor);
        self.refunds_without_order += other.refunds_without_order;
        self.orders_not_counted += other.orders_not_counted;
    }

    fn add_unmatched(&mut self, minor: i64) {
        self.unmatched_credits += 1;
        self.add_unmatched_minor(minor);
    }

    fn add_unmatched_minor(&mut self, minor: i64) {
        self.unmatched_credit_minor = self.unmatched_credit_minor.saturating_add(minor);
    }
}

/// The orders of one customer that count at `now`, with buffers that are reused from customer
/// to customer.
#[derive(Debug, Default)]
pub struct Ledger {
    chosen: Vec<Range<usize>>,
    /// Orders; once closed, those that count come first.
    entries: Vec<Entry>,
    n_counting: usize,
    lines: Vec<LineState>,
    counted: Vec<OrderLine>,
    /// Money refunded on orders that no longer count.
    refunded_elsewhere_minor: i64,
    oddities: Oddities,
}

/// An order while its refunds are gathered.
#[derive(Debug, Clone)]
struct Entry {
    head: LineRecord,
    standing: Standing,
    /// Position of its first line's record.
    first_record: usize,
    lines: Range<usize>,
    /// Its lines without those at the front that have no money left.
    unspent: Range<usize>,
    counted: Range<usize>,
    net_minor: i64,
    refunded_minor: i64,
    /// Of what the order itself tells as refunded, what no refund from a file of refunds has
    /// told again.
    told_minor: i64,
    paid: Paid,
    discount_minor: Option<i64>,
    cost_minor: Option<i64>,
    quantity: f64,
    /// True when pieces came back.
    has_returns: bool,
}

impl Entry {
    fn counts(&self) -> bool {
        self.standing == Standing::Counts
    }
}

/// Whether an order counts at `now`, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Counts,
    Unpaid,
    Cancelled,
    /// Refunded in full, as its status says.
    Refunded,
    /// Everything went back, as credits and refunds say.
    Gone,
}

/// A line while credits are matched to it.
#[derive(Debug, Clone, Copy)]
struct LineState {
    line: OrderLine,
    /// Pieces not yet returned.
    left: f64,
}

impl LineState {
    /// Money that can still go back.
    fn minor_left(&self) -> i64 {
        self.line.net_minor.max(0)
    }

    fn is_used_up(&self) -> bool {
        self.left <= 0.0 && self.line.net_minor <= 0
    }
}

impl Ledger {
    /// Takes the records of one customer, all versions, sorted by (`occurred_at`, `order`,
    /// `import`, `line`), and keeps the orders that count at `now`.
    pub fn resolve(&mut self, records: &[LineRecord], products: &Products, now: Timestamp) {
        self.entries.clear();
        self.lines.clear();
        self.counted.clear();
        self.refunded_elsewhere_minor = 0;
        self.oddities = Oddities::default();

        let mut chosen = std::mem::take(&mut self.chosen);
        versions::choose(seen(records, now), &mut chosen);
        for run in &chosen {
            if records[run.start].kind == RecordKind::Sale {
                self.open(records, run.clone(), products, now);
            }
        }
        self.take_back(records, &chosen);
        self.close(records, products);
        self.chosen = chosen;
    }

    /// Positions in `records` of what holds of each order, credit and refund at `now` (its newest
    /// version), by time; each range is of one kind.
    pub fn newest_versions(records: &[LineRecord], now: Timestamp) -> Vec<Range<usize>> {
        let mut chosen = Vec::new();
        versions::choose(seen(records, now), &mut chosen);
        chosen
    }

    /// The orders that count, by (`occurred_at`, key).
    pub fn orders(&self) -> impl Iterator<Item = Order<'_>> {
        self.entries[..self.n_counting].iter().map(|entry| Order {
            key: entry.head.order,
            occurred_at: entry.head.occurred_at,
            net_minor: entry.net_minor,
            refunded_minor: entry.refunded_minor,
            discount_minor: entry.discount_minor,
            cost_minor: entry.cost_minor,
            quantity: entry.quantity,
            channel: entry.head.channel,
            country: entry.head.country,
            lines: &self.counted[entry.counted.clone()],
        })
    }

    /// Refunds of orders that no longer count, in minor units.
    pub fn refunded_elsewhere_minor(&self) -> i64 {
        self.refunded_elsewhere_minor
    }

    /// What was odd in the records.
    pub fn oddities(&self) -> Oddities {
        self.oddities
    }

    /// Adds an order with its lines.
    fn open(
        &mut self,
        records: &[LineRecord],
        run: Range<usize>,
        products: &Products,
        now: Timestamp,
    ) {
        let head = records[run.start];
        let ended = head.ended_at.unwrap_or(head.occurred_at) <= now;
        let standing = match head.status {
            OrderStatus::Unpaid => Standing::Unpaid,
            OrderStatus::Cancelled if ended => Standing::Cancelled,
            OrderStatus::Refunded if ended => Standing::Refunded,
            OrderStatus::Placed | OrderStatus::Cancelled | OrderStatus::Refunded => {
                Standing::Counts
            }
        };
        let first_line = self.lines.len();
        let lines = first_line..first_line + run.len();
        let mut entry = Entry {
            head,
            standing,
            first_record: run.start,
            unspent: lines.clone(),
            lines,
            counted: 0..0,
            net_minor: 0,
            refunded_minor: 0,
            told_minor: 0,
            paid: Paid::default(),
            discount_minor: None,
            cost_minor: Some(0),
            quantity: 0.0,
            has_returns: false,
        };
        // A partial refund without a time of its own is known with the version that tells it.
        let tells_refunds = ended && standing == Standing::Counts;
        for record in &records[run] {
            let product = products.get(record.product);
            let refunded = if tells_refunds {
                record.refunded_minor
            } else {
                0
            };
            let net_minor = record.net_minor.saturating_sub(refunded);
            entry.net_minor = entry.net_minor.saturating_add(net_minor);
            entry.refunded_minor = entry.refunded_minor.saturating_add(refunded);
            entry.told_minor = entry.refunded_minor;
            entry.paid.add(record);
            entry.quantity += record.quantity;
            entry.discount_minor = match (entry.discount_minor, record.discount_minor) {
                (Some(sum), Some(discount)) => Some(sum.saturating_add(discount)),
                (known, None) | (None, known) => known,
            };
            entry.cost_minor = entry
                .cost_minor
                .zip(cost_of(record, products))
                .map(|(sum, cost)| sum.saturating_add(cost));
            self.lines.push(LineState {
                line: OrderLine {
                    product: record.product,
                    category: record
                        .category
                        .known()
                        .or(product.category)
                        .unwrap_or(Symbol::NONE),
                    brand: record
                        .brand
                        .known()
                        .or(product.brand)
                        .unwrap_or(Symbol::NONE),
                    quantity: record.quantity,
                    net_minor,
                },
                left: record.quantity,
            });
        }
        self.entries.push(entry);
    }
}

/// The records that are known at `now`.
fn seen(records: &[LineRecord], now: Timestamp) -> &[LineRecord] {
    &records[..records.partition_point(|record| record.occurred_at <= now)]
}

/// What the goods of a line cost, as the line or the products say.
fn cost_of(record: &LineRecord, products: &Products) -> Option<i64> {
    record.cost_minor.or_else(|| {
        let unit_minor = products.get(record.product).unit_cost_minor?;
        Some(scale_minor(unit_minor, record.quantity))
    })
}

/// `minor` times `factor`, rounded half to even.
fn scale_minor(minor: i64, factor: f64) -> i64 {
    (minor as f64 * factor).round_ties_even() as i64
}

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
