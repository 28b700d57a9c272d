//! Orders of somebody whose past is at hand: their records, and the events that tell of them.
//!
//! An event that tells of an order once more is told with what the records say already, where it
//! is the latest of the order; else all events of the order are told again, unless it leaves no
//! trace.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;
use regulars_core::{CustomerId, LineRecord, RecordKind, Timestamp};
use regulars_store::history::SymbolTable;

use crate::error::PipelineError;
use crate::live::orders::{self, OrderTold, Orders, Says};
use crate::live::told::Told;

/// Bytes of the properties of an event that tells of an order which are one more entry.
const BYTES_OF_ENTRY: usize = 128;

/// Records of orders, and the events that tell of orders.
#[derive(Debug, Clone, Default)]
pub(super) struct OrdersAtHand {
    /// Sorted as a fold takes them, but for those of `changed` orders. Of the versions that events
    /// told of an order that was told of again there is the newest: no other counts.
    records: Vec<LineRecord>,
    /// By key of the order; of each by time, then offset.
    told: HashMap<u64, Vec<ToldOfOrder>, FixedState>,
    /// Entries of `told`.
    told_entries: usize,
    /// Orders of which more was told than the records say.
    changed: BTreeMap<u64, Again>,
}

/// An event that tells of an order, and what it says.
#[derive(Debug, Clone)]
struct ToldOfOrder {
    told: Told,
    says: Says,
}

/// From where on what was told of an order is to be told again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    /// What is at this place by time, and whatever follows; the records say all before it.
    Place(usize),
    /// All of it, beside what files say.
    Beginning,
}

impl OrdersAtHand {
    /// Of every record, sorted.
    pub(super) fn new(records: Vec<LineRecord>) -> Self {
        Self {
            records,
            ..Self::default()
        }
    }

    /// How much that is.
    pub(super) fn entries(&self) -> usize {
        self.records.len() + self.told_entries
    }

    /// Keeps an event that tells of an order; gives its place among those of the order.
    pub(super) fn keep(&mut self, order: &OrderTold<'_>, told: &Told) -> usize {
        self.told_entries += 1 + told.event.properties.len() / BYTES_OF_ENTRY;
        let of_order = self.told.entry(order.key()).or_default();
        let place = of_order.partition_point(|known| known.told.said_at() < told.said_at());
        let told = ToldOfOrder {
            told: told.clone(),
            says: order.says(),
        };
        of_order.insert(place, told);
        place
    }

    /// Takes in an event that tells of an order.
    pub(super) fn tell(&mut self, order: &OrderTold<'_>, told: &Told) {
        let place = self.keep(order, told);
        let of_order = &self.told[&order.key()];
        let is_last = place + 1 == of_order.len();
        // A version that the next one replaces, of an order that was placed before it, leaves no
        // trace: whoever tells very many versions of an order has none of them told again.
        let next = of_order.get(place + 1).map(|next| next.says);
        let leaves_no_trace = order.says() != Says::GoesBack
            && next == Some(Says::Content)
            && self.is_placed_before(order.key(), told.event.occurred_at);
        let from = match self.changed.get(&order.key()) {
            Some(Again::Beginning) => Again::Beginning,
            Some(&Again::Place(from)) if place >= from => Again::Place(from),
            Some(&Again::Place(from)) if leaves_no_trace => Again::Place(from + 1),
            None if leaves_no_trace => return,
            None if is_last => Again::Place(place),
            Some(Again::Place(_)) | None => Again::Beginning,
        };
        self.changed.insert(order.key(), from);
    }

    fn is_placed_before(&self, order: u64, at: Timestamp) -> bool {
        let is_sold = |line: &&LineRecord| line.order.0 == order && line.kind == RecordKind::Sale;
        let mut sold = self.records.iter().filter(is_sold);
        sold.any(|line| line.occurred_at < at)
    }

    /// What is to be told of the orders that changed, by time within each.
    fn to_tell(&self) -> Vec<&Told> {
        let of_order = |(key, from): (&u64, &Again)| {
            let from = match from {
                Again::Place(place) => *place,
                Again::Beginning => 0,
            };
            let of_order = self.told.get(key).map_or(&[][..], Vec::as_slice);
            of_order.iter().skip(from).map(|of| &of.told)
        };
        self.changed.iter().flat_map(of_order).collect()
    }

    /// Every record that may count, sorted.
    ///
    /// # Errors
    /// When the first rate of a currency begins after the day of its order.
    pub(super) fn records(
        &mut self,
        customer: CustomerId,
        orders: &Orders,
        table: &SymbolTable,
    ) -> Result<&[LineRecord], PipelineError> {
        if self.changed.is_empty() {
            return Ok(&self.records);
        }
        let is_changed = |record: &LineRecord| self.changed.contains_key(&record.order.0);
        let known = self.records.iter().filter(|record| is_changed(record));
        let mut again: Vec<LineRecord> = known.copied().collect();
        // What files say of these orders stays.
        again.retain(|record| {
            self.changed.get(&record.order.0) != Some(&Again::Beginning) || !self.is_told(record)
        });
        orders.add_told(customer, &self.to_tell(), &mut again, table)?;
        self.keep_newest(&mut again);
        self.records.retain(|record| !is_changed(record));
        self.records.extend(again);
        self.changed.clear();
        orders::sort(&mut self.records);
        Ok(&self.records)
    }

    /// True for a record that an event told.
    fn is_told(&self, record: &LineRecord) -> bool {
        let said_at = match record.kind {
            RecordKind::Sale => record.updated_at,
            RecordKind::Credit | RecordKind::Refund => Some(record.occurred_at),
        };
        let told = self.told.get(&record.order.0);
        said_at.zip(told).is_some_and(|(at, told)| {
            let key = (at, record.import);
            told.binary_search_by_key(&key, |of| of.told.said_at())
                .is_ok()
        })
    }

    /// Of the versions that events told of each order the newest stays.
    fn keep_newest(&self, records: &mut Vec<LineRecord>) {
        let version = |record: &LineRecord| {
            let is_version = record.kind == RecordKind::Sale && self.is_told(record);
            is_version.then_some((record.updated_at, record.import))
        };
        let mut newest: BTreeMap<_, _> = BTreeMap::new();
        for record in &*records {
            let known = newest.entry(record.order).or_default();
            *known = version(record).max(*known);
        }
        records.retain(|record| {
            let version = version(record);
            version.is_none() || newest.get(&record.order) == Some(&version)
        });
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use regulars_core::{Currency, EventKind, Symbols};
    use regulars_profile::Ledger;
    use regulars_store::log::StoredEvent;
    use regulars_store::vault::IdentityId;

    use super::*;
    use crate::config::Config;
    use crate::live::orders::Claims;

    const CUSTOMER: CustomerId = CustomerId(1);

    fn told(offset: u64, at: i64, name: &str, properties: &str) -> Told {
        let event = StoredEvent {
            kind: EventKind::Track,
            anonymous: false,
            identity: IdentityId(1),
            customer: CUSTOMER,
            occurred_at: Timestamp(at),
            received_at: Timestamp(at),
            message: u128::from(offset) + 1,
            name: name.into(),
            properties: properties.into(),
            context: "{}".into(),
            sealed: Box::default(),
        };
        Told::new(offset, event)
    }

    fn updated(offset: u64, at: i64) -> Told {
        let properties = format!(
            r#"{{"order_id":"o","products":[{{"product_id":"p","price":{},"quantity":2}}]}}"#,
            offset + 1
        );
        told(offset, at, "Order Updated", &properties)
    }

    fn orders() -> (Orders, SymbolTable) {
        let config = Config::new("shop", Currency::new("EUR").unwrap(), "UTC");
        let table = SymbolTable::default();
        let orders = Orders::new(&config, Claims::default(), &mut Symbols::default());
        (orders, table)
    }

    fn tell(at_hand: &mut OrdersAtHand, told: &Told, orders: &Orders) -> usize {
        let order = orders::of(told, orders.currency()).unwrap();
        at_hand.tell(&order, told);
        at_hand.to_tell().len()
    }

    #[test]
    fn of_many_versions_of_an_order_one_is_told_and_one_is_kept() {
        let (orders, table) = orders();
        let mut at_hand = OrdersAtHand::default();
        for n in 0..200 {
            let again = tell(&mut at_hand, &updated(n, 1_000 + n as i64), &orders);
            assert_eq!(again, 1, "in order");
            let records = at_hand.records(CUSTOMER, &orders, &table).unwrap();
            assert_eq!(records.len(), 1);
            assert_eq!(records[0].net_minor, 200 * (n as i64 + 1));
        }
        for n in 200..398 {
            let again = tell(&mut at_hand, &updated(n, 801 + n as i64), &orders);
            assert_eq!(again, 0, "late");
            assert_eq!(at_hand.records(CUSTOMER, &orders, &table).unwrap().len(), 1);
        }
    }

    /// One of several orders told of in one of all ways.
    fn any(rng: &mut ChaCha8Rng, offset: u64) -> Told {
        let products = format!(
            r#""products":[{{"product_id":"p","price":{},"quantity":2}}]"#,
            rng.random_range(1..9)
        );
        let content = [&products, r#""total":7"#, r#""note":1"#][rng.random_range(0..3)];
        let names = [
            "Order Completed",
            "Order Updated",
            "Order Updated",
            "Order Cancelled",
            "Order Refunded",
        ];
        let properties = format!(r#"{{"order_id":"{}",{content}}}"#, rng.random_range(0..3));
        let at = rng.random_range(0..200);
        told(offset, at, names[rng.random_range(0..5)], &properties)
    }

    #[test]
    fn orders_told_in_whatever_order_come_to_what_they_do_by_time() {
        let (orders, table) = orders();
        for seed in 0..40 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let (mut at_hand, mut all) = (OrdersAtHand::default(), Vec::new());
            for offset in 0..60 {
                let told = any(&mut rng, offset);
                tell(&mut at_hand, &told, &orders);
                all.push(told);
                if rng.random_bool(0.4) {
                    continue;
                }
                let mut expected = Vec::new();
                let by_time: Vec<&Told> = all.iter().collect();
                orders
                    .add_told(CUSTOMER, &by_time, &mut expected, &table)
                    .unwrap();
                orders::sort(&mut expected);
                let records = at_hand.records(CUSTOMER, &orders, &table).unwrap();
                assert_eq!(newest(records), newest(&expected), "seed {seed}, {offset}");
            }
        }
    }

    /// The records that count.
    fn newest(records: &[LineRecord]) -> Vec<LineRecord> {
        let newest = Ledger::newest_versions(records, Timestamp(1_000)).into_iter();
        newest.flat_map(|run| records[run].to_vec()).collect()
    }
}
