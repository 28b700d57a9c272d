//! Orders of somebody whose past is at hand: their records, and the events that tell of them.
//!
//! Of what was told of an order three things make a difference: what it was first, since that is
//! when it was placed; what it was last, since no other version counts; and what goes back, at the
//! prices of the content before it. An event that is told late has no more than that told again of
//! its order, whatever else was told of it ([`OfOrder::tell`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;
use regulars_core::{LineRecord, OrderKey, RecordKind, Timestamp};
use regulars_profile::{Member, SaidAt};
use regulars_store::history::SymbolTable;

use super::folded::{FoldedOrders, Resolving, names_products};
use crate::error::PipelineError;
use crate::live::orders::{self, OrderTold, Orders, Says};
use crate::live::told::Told;

/// Bytes of the properties of an event that tells of an order which are one more entry.
const BYTES_OF_ENTRY: usize = 128;

/// Records of orders, and the events that tell of orders.
#[derive(Debug, Clone, Default)]
pub(super) struct OrdersAtHand {
    of: HashMap<OrderKey, OfOrder, FixedState>,
    /// Records, and what was told.
    entries: usize,
    /// Orders of which more was told than the records say; of each what goes back, or goes back at
    /// another price.
    changed: BTreeMap<OrderKey, BTreeSet<SaidAt>>,
    /// Whether files have credits: what of them finds nothing in the order that they name comes off
    /// another.
    has_credits: bool,
    folded: FoldedOrders,
}

/// One order.
#[derive(Debug, Clone, Default)]
struct OfOrder {
    /// What files say.
    files: Vec<LineRecord>,
    /// What events told.
    told: BTreeMap<SaidAt, Told>,
    /// Of these, what told what was bought or what it cost.
    contents: BTreeSet<SaidAt>,
    /// Of these, what told that something goes back, with the records of that.
    refunds: BTreeMap<SaidAt, Vec<LineRecord>>,
    /// The latest of the others: the version that counts.
    last_version: Option<SaidAt>,
    /// The records of that.
    newest: Vec<LineRecord>,
}

impl OfOrder {
    /// Keeps an event.
    fn keep(&mut self, says: Says, told: &Told) {
        let at = told.said_at();
        self.told.insert(at, told.clone());
        match says {
            Says::GoesBack => {
                self.refunds.insert(at, Vec::new());
                return;
            }
            Says::Content => {
                self.contents.insert(at);
            }
            Says::Nothing => {}
        }
        self.last_version = self.last_version.max(Some(at));
    }

    /// Takes in an event; gives what goes back because of it, or goes back at another price; `None`
    /// when it leaves no trace.
    fn tell(&mut self, says: Says, told: &Told) -> Option<Vec<SaidAt>> {
        let at = told.said_at();
        let is_last = self.last_version < Some(at);
        // It says when the order was placed, at whose rates all amounts are.
        let is_sold = |line: &LineRecord| line.kind == RecordKind::Sale;
        let is_first = self.contents.first().is_none_or(|&first| at < first)
            && !self.files.iter().any(is_sold);
        self.keep(says, told);
        match says {
            Says::GoesBack => Some(vec![at]),
            // What is no content is what it was before, of which something became.
            Says::Nothing => is_last.then(Vec::new),
            Says::Content => {
                let later = |to: Option<SaidAt>| {
                    let later = self.refunds.range(at..).map(|(&at, _)| at);
                    later.take_while(move |&back| to.is_none_or(|to| back < to))
                };
                let next = self.contents.range(at..).nth(1).copied();
                let priced: Vec<SaidAt> = later(next.filter(|_| !is_first)).collect();
                (is_first || next.is_none() || !priced.is_empty()).then_some(priced)
            }
        }
    }

    /// The events that say what some of them give back and what the order is now, by time.
    fn to_tell(&self, back: &BTreeSet<SaidAt>) -> Vec<&Told> {
        let before = |at: &SaidAt| self.contents.range(..at).next_back().copied();
        let content = back.iter().filter_map(before);
        let ends = [
            self.contents.first().copied(),
            self.contents.last().copied(),
            self.last_version,
        ];
        let all = ends.into_iter().flatten().chain(content);
        let all: BTreeSet<SaidAt> = all.chain(back.iter().copied()).collect();
        all.iter().map(|at| &self.told[at]).collect()
    }

    /// Puts a record in its place that an event or a file told.
    fn put(&mut self, record: LineRecord) {
        let told_at = match record.kind {
            RecordKind::Sale => record.updated_at,
            RecordKind::Credit | RecordKind::Refund => Some(record.occurred_at),
        };
        let told_at = told_at.map(|at| (at, record.import));
        let told_at = told_at.filter(|at| self.told.contains_key(at));
        match told_at {
            None => self.files.push(record),
            // No other version counts.
            Some(_) if record.kind == RecordKind::Sale => {
                if told_at == self.last_version {
                    self.newest.push(record);
                }
            }
            Some(at) => self.refunds.entry(at).or_default().push(record),
        }
    }

    /// Puts what was told again in the place of what was told before.
    fn put_again(&mut self, back: &BTreeSet<SaidAt>, records: Vec<LineRecord>) {
        self.newest.clear();
        for at in back {
            self.refunds.entry(*at).or_default().clear();
        }
        records.into_iter().for_each(|record| self.put(record));
    }

    fn entries(&self) -> usize {
        let back: usize = self.refunds.values().map(Vec::len).sum();
        self.files.len() + self.newest.len() + back
    }

    /// Every record that may count, sorted, after those in `into`.
    fn records(&self, into: &mut Vec<LineRecord>) {
        let from = into.len();
        into.extend(&self.files);
        into.extend(&self.newest);
        into.extend(self.refunds.values().flatten());
        orders::sort(&mut into[from..]);
    }
}

impl OrdersAtHand {
    /// How much that is.
    pub(super) fn entries(&self) -> usize {
        self.of.len() + self.entries + self.folded.entries()
    }

    /// Keeps an event of which the records say everything.
    pub(super) fn keep(&mut self, order: &OrderTold<'_>, told: &Told) {
        self.count(told);
        let of_order = self.of.entry(OrderKey(order.key())).or_default();
        of_order.keep(order.says(), told);
    }

    fn count(&mut self, told: &Told) {
        self.entries += 1 + told.event.properties.len() / BYTES_OF_ENTRY;
    }

    /// Takes every record, once all events are kept.
    pub(super) fn put_all(&mut self, records: Vec<LineRecord>) {
        for record in records {
            self.has_credits |= record.kind == RecordKind::Credit;
            self.of.entry(record.order).or_default().put(record);
        }
        self.entries += self.of.values().map(OfOrder::entries).sum::<usize>();
    }

    /// Takes in an event that tells of an order; false when it leaves no trace.
    pub(super) fn tell(&mut self, order: &OrderTold<'_>, told: &Told) -> bool {
        self.count(told);
        let key = OrderKey(order.key());
        let back = self.of.entry(key).or_default().tell(order.says(), told);
        let leaves_a_trace = back.is_some();
        if let Some(back) = back {
            self.changed.entry(key).or_default().extend(back);
        }
        leaves_a_trace
    }

    /// Folds all orders, of which more may have been told since they were folded last, into a member,
    /// and gives how many were resolved for it. `latest` become the latest of those that count.
    ///
    /// # Errors
    /// When the first rate of a currency begins after the day of its order.
    pub(super) fn fold(
        &mut self,
        (member, latest): (&mut Member, &mut Vec<(Timestamp, OrderKey)>),
        (orders, table): (&Orders, &SymbolTable),
        resolving: &mut Resolving<'_>,
    ) -> Result<usize, PipelineError> {
        let changed = self.tell_again(orders, table, resolving)?;
        let of = &self.of;
        let records = |order: OrderKey, into: &mut Vec<LineRecord>| {
            if let Some(of_order) = of.get(&order) {
                of_order.records(into);
            }
        };
        if !self.has_credits {
            let all = || of.keys().copied();
            let folded = &mut self.folded;
            if let Some(n) = folded.fold((member, latest), (&changed, all), records, resolving) {
                return Ok(n);
            }
        }
        let mut all = Vec::new();
        of.values().for_each(|of_order| of_order.records(&mut all));
        orders::sort(&mut all);
        resolving.fold_all(member, latest, &all);
        Ok(of.len())
    }

    /// Tells again what is to be told again, of each order that changed; gives these.
    fn tell_again(
        &mut self,
        orders: &Orders,
        table: &SymbolTable,
        resolving: &mut Resolving<'_>,
    ) -> Result<Vec<OrderKey>, PipelineError> {
        let mut changed = Vec::with_capacity(self.changed.len());
        // One that cannot be told stays to be told.
        for (&key, back) in &self.changed {
            let of_order = self.of.entry(key).or_default();
            let mut records = of_order.files.clone();
            // What several customers tell of is settled elsewhere, and folded from the beginning.
            orders.add_all(&of_order.to_tell(back), &mut records, table)?;
            let told = records.split_off(of_order.files.len());
            *resolving.names_products |= names_products(&told, resolving.now);
            self.entries -= of_order.entries();
            of_order.put_again(back, told);
            self.entries += of_order.entries();
            changed.push(key);
        }
        self.changed.clear();
        Ok(changed)
    }
}

#[cfg(test)]
mod tests;
