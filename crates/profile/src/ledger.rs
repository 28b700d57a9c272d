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
mod plain;
mod returns;
mod shelf;
mod versions;

use std::ops::Range;

use paid::Paid;
use regulars_core::{
    LineRecord, Order, OrderKey, OrderLine, OrderStatus, RecordKind, RefundKey, Symbol, Timestamp,
};

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
    /// Orders while they are resolved the long way.
    entries: Vec<Entry>,
    lines: Vec<LineState>,
    /// Orders that count, by time.
    orders: Vec<Counted>,
    /// Their lines.
    counted: Vec<OrderLine>,
    /// Money refunded on orders that no longer count.
    refunded_elsewhere_minor: i64,
    oddities: Oddities,
    /// Credits and refunds of which money was taken off no order.
    unapplied: Vec<Unapplied>,
}

/// Money of a credit's or refund's line that was taken off no order.
#[derive(Debug, Clone, Copy)]
struct Unapplied {
    kind: RecordKind,
    order: OrderKey,
    refund: RefundKey,
    minor: i64,
}

/// An order that counts, its lines as positions.
#[derive(Debug, Clone)]
struct Counted {
    key: OrderKey,
    occurred_at: Timestamp,
    channel: Symbol,
    country: Symbol,
    net_minor: i64,
    refunded_minor: i64,
    discount_minor: Option<i64>,
    cost_minor: Option<i64>,
    quantity: f64,
    lines: Range<usize>,
}

impl Counted {
    /// An order without lines, of which the head of its lines is known.
    fn new(head: &LineRecord) -> Self {
        Self {
            key: head.order,
            occurred_at: head.occurred_at,
            channel: head.channel,
            country: head.country,
            net_minor: 0,
            refunded_minor: 0,
            discount_minor: None,
            cost_minor: Some(0),
            quantity: 0.0,
            lines: 0..0,
        }
    }

    /// True when all its money went back.
    fn is_spent(&self) -> bool {
        self.net_minor <= 0 && self.refunded_minor > 0
    }

    /// What it was sold for.
    fn sold_minor(&self) -> i64 {
        self.net_minor.saturating_add(self.refunded_minor)
    }
}

/// An order while its refunds are gathered.
#[derive(Debug, Clone)]
struct Entry {
    order: Counted,
    standing: Standing,
    /// Position of its first line's record.
    first_record: usize,
    lines: Range<usize>,
    /// Its lines without those at the front that have no money left.
    unspent: Range<usize>,
    /// Of what the order itself tells as refunded, what no refund from a file of refunds has
    /// told again.
    told_minor: i64,
    paid: Paid,
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

impl Standing {
    /// As the head of an order tells it; and whether an end of the order has come by `now`.
    fn of(head: &LineRecord, now: Timestamp) -> (Self, bool) {
        let ended = head.ended_by() <= now;
        let standing = match head.status {
            OrderStatus::Unpaid => Self::Unpaid,
            OrderStatus::Cancelled if ended => Self::Cancelled,
            OrderStatus::Refunded if ended => Self::Refunded,
            OrderStatus::Placed | OrderStatus::Cancelled | OrderStatus::Refunded => Self::Counts,
        };
        (standing, ended)
    }
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
        let records = seen(records, now);
        self.clear();
        if plain::is_plain(records) {
            self.resolve_plain(records, products, now);
        } else {
            self.resolve_any(records, products, now);
        }
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.lines.clear();
        self.orders.clear();
        self.counted.clear();
        self.refunded_elsewhere_minor = 0;
        self.oddities = Oddities::default();
        self.unapplied.clear();
    }

    /// The long way, for any records.
    fn resolve_any(&mut self, records: &[LineRecord], products: &Products, now: Timestamp) {
        let mut chosen = std::mem::take(&mut self.chosen);
        versions::choose(records, &mut chosen);
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
        self.orders.iter().map(|order| Order {
            key: order.key,
            occurred_at: order.occurred_at,
            net_minor: order.net_minor,
            refunded_minor: order.refunded_minor,
            discount_minor: order.discount_minor,
            cost_minor: order.cost_minor,
            quantity: order.quantity,
            channel: order.channel,
            country: order.country,
            lines: &self.counted[order.lines.clone()],
        })
    }

    /// Refunds of orders that no longer count, in minor units.
    pub fn refunded_elsewhere_minor(&self) -> i64 {
        self.refunded_elsewhere_minor
    }

    /// Money of the credit or refund whose record this is that was taken off no order, in minor
    /// units, all its lines together.
    pub fn unapplied_minor(&self, record: &LineRecord) -> i64 {
        self.unapplied
            .iter()
            .filter(|it| {
                (it.kind, it.order, it.refund) == (record.kind, record.order, record.refund)
            })
            .fold(0, |sum, it| sum.saturating_add(it.minor))
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
        let head = &records[run.start];
        let (standing, ended) = Standing::of(head, now);
        let first_line = self.lines.len();
        let lines = first_line..first_line + run.len();
        let mut entry = Entry {
            order: Counted::new(head),
            standing,
            first_record: run.start,
            unspent: lines.clone(),
            lines,
            told_minor: 0,
            paid: Paid::default(),
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
            let order = &mut entry.order;
            order.net_minor = order.net_minor.saturating_add(net_minor);
            order.refunded_minor = order.refunded_minor.saturating_add(refunded);
            entry.told_minor = order.refunded_minor;
            entry.paid.add(record);
            order.quantity += record.quantity;
            order.discount_minor = add_known(order.discount_minor, record.discount_minor);
            order.cost_minor = order
                .cost_minor
                .zip(cost_of(record, product))
                .map(|(sum, cost)| sum.saturating_add(cost));
            self.lines.push(LineState {
                line: OrderLine {
                    net_minor,
                    ..line_of(record, product)
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
fn cost_of(record: &LineRecord, product: Product) -> Option<i64> {
    record.cost_minor.or_else(|| {
        let unit_minor = product.unit_cost_minor?;
        Some(scale_minor(unit_minor, record.quantity))
    })
}

/// A line as its record and the products tell it.
fn line_of(record: &LineRecord, product: Product) -> OrderLine {
    let either = |told: Symbol, known: Option<Symbol>| match told {
        Symbol::NONE => known.unwrap_or(Symbol::NONE),
        told => told,
    };
    OrderLine {
        product: record.product,
        category: either(record.category, product.category),
        brand: either(record.brand, product.brand),
        quantity: record.quantity,
        net_minor: record.net_minor,
    }
}

/// The sum of those that are known.
fn add_known(sum: Option<i64>, minor: Option<i64>) -> Option<i64> {
    match (sum, minor) {
        (Some(sum), Some(minor)) => Some(sum.saturating_add(minor)),
        (known, None) | (None, known) => known,
    }
}

/// `minor` times `factor`, rounded half to even.
fn scale_minor(minor: i64, factor: f64) -> i64 {
    (minor as f64 * factor).round_ties_even() as i64
}

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
