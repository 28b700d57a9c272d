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

use std::collections::HashMap;
use std::ops::Range;

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
    /// Credits for which no earlier order of the same product has that much left.
    pub unmatched_credits: u64,
    /// What these credits amount to, in minor units.
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
        self.unmatched_credit_minor += other.unmatched_credit_minor;
        self.refunds_without_order += other.refunds_without_order;
        self.orders_not_counted += other.orders_not_counted;
    }
}

/// The orders of one customer that count at `now`, with buffers that are reused from customer
/// to customer.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
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
    lines: Range<usize>,
    counted: Range<usize>,
    net_minor: i64,
    refunded_minor: i64,
    discount_minor: Option<i64>,
    cost_minor: Option<i64>,
    quantity: f64,
}

/// A line while credits are matched to it.
#[derive(Debug, Clone, Copy)]
struct LineState {
    line: OrderLine,
    /// Pieces not yet returned.
    left: f64,
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

        let chosen = Self::newest_versions(records, now);
        for version in &chosen {
            if records[version.start].kind == RecordKind::Sale {
                self.open(&records[version.clone()], products, now);
            }
        }
        self.apply_refunds(records, &chosen);
        self.apply_credits(records, &chosen);
        self.close();
    }

    /// Positions in `records` of the newest version of each order, credit and refund that is known
    /// at `now`, by time.
    pub fn newest_versions(records: &[LineRecord], now: Timestamp) -> Vec<Range<usize>> {
        let seen = records.partition_point(|record| record.occurred_at <= now);
        newest(&records[..seen], versions(&records[..seen]))
    }

    /// The orders that count, by (`occurred_at`, key).
    pub fn orders(&self) -> impl Iterator<Item = Order<'_>> {
        self.entries.iter().map(|entry| Order {
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

    /// Adds an order with its lines; orders that never count only leave a trace in the counts.
    fn open(&mut self, records: &[LineRecord], products: &Products, now: Timestamp) {
        let head = records[0];
        let ended = head.ended_at.unwrap_or(head.occurred_at) <= now;
        let counts = match head.status {
            OrderStatus::Placed => true,
            OrderStatus::Unpaid => false,
            OrderStatus::Cancelled | OrderStatus::Refunded => !ended,
        };
        if !counts {
            self.oddities.orders_not_counted += 1;
            if head.status == OrderStatus::Refunded {
                self.refunded_elsewhere_minor += records
                    .iter()
                    .map(|record| record.net_minor.max(0))
                    .sum::<i64>();
            }
            return;
        }
        let first_line = self.lines.len();
        let mut entry = Entry {
            head,
            lines: first_line..first_line + records.len(),
            counted: 0..0,
            net_minor: 0,
            refunded_minor: 0,
            discount_minor: None,
            cost_minor: Some(0),
            quantity: 0.0,
        };
        for record in records {
            let product = products.get(record.product);
            // A partial refund without a time of its own is known with the version that tells it.
            let refunded = if ended { record.refunded_minor } else { 0 };
            let cost = record.cost_minor.or_else(|| {
                product
                    .unit_cost_minor
                    .map(|unit| scale_minor(unit, record.quantity))
            });
            entry.net_minor += record.net_minor - refunded;
            entry.refunded_minor += refunded;
            entry.quantity += record.quantity;
            entry.discount_minor = match (entry.discount_minor, record.discount_minor) {
                (Some(sum), Some(discount)) => Some(sum + discount),
                (known, None) | (None, known) => known,
            };
            entry.cost_minor = entry.cost_minor.zip(cost).map(|(sum, cost)| sum + cost);
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
                    net_minor: record.net_minor - refunded,
                },
                left: record.quantity,
            });
        }
        self.entries.push(entry);
    }

    /// Takes refunds that name their order off that order.
    fn apply_refunds(&mut self, records: &[LineRecord], chosen: &[Range<usize>]) {
        let refunds = || {
            chosen
                .iter()
                .filter(|v| records[v.start].kind == RecordKind::Refund)
        };
        if refunds().next().is_none() {
            return;
        }
        let by_key: HashMap<_, _> = self
            .entries
            .iter()
            .enumerate()
            .map(|(index, e)| (e.head.order, index))
            .collect();
        for refund in refunds().flat_map(|version| &records[version.clone()]) {
            match by_key.get(&refund.order) {
                Some(&index) => self.reduce_order(index, refund.net_minor),
                None => self.oddities.refunds_without_order += 1,
            }
        }
    }

    /// Takes money off an order's lines, from its first line on, never below zero.
    fn reduce_order(&mut self, index: usize, minor: i64) {
        let mut rest = minor;
        for line in self.entries[index].lines.clone() {
            let part = rest.clamp(0, self.lines[line].line.net_minor.max(0));
            self.lines[line].line.net_minor -= part;
            rest -= part;
        }
        let entry = &mut self.entries[index];
        entry.net_minor -= minor - rest;
        entry.refunded_minor += minor - rest;
    }

    /// Takes each credit off the latest earlier order of the same product that still has that
    /// many pieces; credits go by time.
    fn apply_credits(&mut self, records: &[LineRecord], chosen: &[Range<usize>]) {
        let is_credit = |v: &&Range<usize>| records[v.start].kind == RecordKind::Credit;
        let mut credits: Vec<&LineRecord> = chosen
            .iter()
            .filter(is_credit)
            .flat_map(|v| &records[v.clone()])
            .collect();
        if credits.is_empty() {
            return;
        }
        credits.sort_by_key(|credit| (credit.occurred_at, credit.order, credit.line));
        // Lines of each product in the order of time: entries are.
        let mut by_product: HashMap<Symbol, Vec<(usize, usize)>> = HashMap::new();
        self.entries
            .sort_by_key(|entry| (entry.head.occurred_at, entry.head.order));
        for (index, entry) in self.entries.iter().enumerate() {
            for line in entry.lines.clone() {
                by_product
                    .entry(self.lines[line].line.product)
                    .or_default()
                    .push((index, line));
            }
        }
        for credit in credits {
            let candidates = by_product
                .get(&credit.product)
                .map_or(&[][..], Vec::as_slice);
            let earlier = candidates.partition_point(|&(index, _)| {
                self.entries[index].head.occurred_at <= credit.occurred_at
            });
            let found = candidates[..earlier]
                .iter()
                .rev()
                .find(|&&(_, line)| self.lines[line].left >= credit.quantity);
            if let Some(&(index, line)) = found {
                let state = &mut self.lines[line];
                let part = credit.net_minor.clamp(0, state.line.net_minor.max(0));
                state.left -= credit.quantity;
                state.line.net_minor -= part;
                self.entries[index].net_minor -= part;
                self.entries[index].refunded_minor += part;
            } else {
                self.oddities.unmatched_credits += 1;
                self.oddities.unmatched_credit_minor += credit.net_minor;
            }
        }
    }

    /// Drops the orders that were refunded in full, and puts the others in their order.
    fn close(&mut self) {
        let (oddities, elsewhere) = (&mut self.oddities, &mut self.refunded_elsewhere_minor);
        let lines = &self.lines;
        self.entries.retain(|entry| {
            let nothing_left = entry.net_minor <= 0 && entry.refunded_minor > 0;
            let all_returned = !entry.lines.is_empty()
                && lines[entry.lines.clone()]
                    .iter()
                    .all(|l| l.left <= 0.0 && l.line.quantity > 0.0);
            if nothing_left || all_returned {
                oddities.orders_not_counted += 1;
                *elsewhere += entry.refunded_minor;
                return false;
            }
            true
        });
        self.entries
            .sort_by_key(|entry| (entry.head.occurred_at, entry.head.order));
        for entry in &mut self.entries {
            let start = self.counted.len();
            self.counted.extend(
                self.lines[entry.lines.clone()]
                    .iter()
                    .map(|state| state.line),
            );
            entry.counted = start..self.counted.len();
        }
    }
}

/// The runs of equal (order, kind, import): each is one version of one order.
fn versions(records: &[LineRecord]) -> Vec<Range<usize>> {
    let mut versions = Vec::new();
    let mut start = 0;
    for end in 1..=records.len() {
        let same = |a: &LineRecord, b: &LineRecord| {
            (a.order, a.kind, a.import, a.occurred_at) == (b.order, b.kind, b.import, b.occurred_at)
        };
        if end == records.len() || !same(&records[start], &records[end]) {
            versions.push(start..end);
            start = end;
        }
    }
    versions
}

/// Of each order the newest version: among those that say when they were made the last made,
/// then whichever of it and the others was imported last.
fn newest(records: &[LineRecord], mut versions: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let Some(first) = records.first() else {
        return versions;
    };
    if records.iter().all(|record| record.import == first.import) {
        return versions;
    }
    let identity = |v: &Range<usize>| (records[v.start].order, records[v.start].kind);
    versions.sort_by_key(|v| (identity(v), records[v.start].import, v.start));
    let mut chosen = Vec::with_capacity(versions.len());
    for group in versions.chunk_by(|a, b| identity(a) == identity(b)) {
        let head = |v: &Range<usize>| &records[v.start];
        let last_made = group
            .iter()
            .map(head)
            .filter(|record| record.updated_at.is_some())
            .max_by_key(|record| (record.updated_at, record.import));
        let untold = group
            .iter()
            .map(head)
            .filter(|record| record.updated_at.is_none());
        let import = untold
            .chain(last_made)
            .map(|record| record.import)
            .max()
            .expect("a group of versions is not empty");
        chosen.extend(group.iter().filter(|v| head(v).import == import).cloned());
    }
    chosen.sort_by_key(|v| v.start);
    chosen
}

/// `unit` times `quantity`, rounded half to even.
fn scale_minor(unit_minor: i64, quantity: f64) -> i64 {
    (unit_minor as f64 * quantity).round_ties_even() as i64
}

#[cfg(test)]
mod tests;
