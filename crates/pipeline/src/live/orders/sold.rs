//! The newest version of each of some orders, while versions are added.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use regulars_core::{LineRecord, OrderKey, RecordKind, Timestamp};

/// Where the lines sold of some orders are among records, which only grow.
pub(super) struct Sold {
    newest: HashMap<OrderKey, Newest, FixedState>,
    looked_at: usize,
}

/// The lines of the newest version that was looked at.
#[derive(Default)]
struct Newest {
    version: (Option<Timestamp>, u64),
    lines: Vec<usize>,
}

impl Newest {
    fn look_at(&mut self, place: usize, line: &LineRecord) {
        let version = (line.updated_at, line.import);
        if self.lines.is_empty() || version > self.version {
            self.lines.clear();
            self.version = version;
        }
        if version == self.version {
            self.lines.push(place);
        }
    }
}

impl Sold {
    pub(super) fn new(orders: impl Iterator<Item = u64>, records: &[LineRecord]) -> Self {
        let mut sold = Self {
            newest: orders
                .map(|key| (OrderKey(key), Newest::default()))
                .collect(),
            looked_at: 0,
        };
        sold.look_at(records);
        sold
    }

    fn look_at(&mut self, records: &[LineRecord]) {
        if self.newest.is_empty() {
            return;
        }
        for (place, line) in records.iter().enumerate().skip(self.looked_at) {
            if line.kind == RecordKind::Sale
                && let Some(newest) = self.newest.get_mut(&line.order)
            {
                newest.look_at(place, line);
            }
        }
        self.looked_at = records.len();
    }

    /// The lines of the newest version of an order, as far as it is known.
    pub(super) fn newest(&mut self, key: OrderKey, records: &[LineRecord]) -> Vec<LineRecord> {
        self.look_at(records);
        let lines = self
            .newest
            .get(&key)
            .map_or(&[][..], |newest| &newest.lines);
        lines.iter().map(|&at| records[at]).collect()
    }
}

#[cfg(test)]
mod tests {
    use regulars_core::CustomerId;

    use super::*;

    fn line(updated_at: Option<i64>, import: u64, line: u32) -> LineRecord {
        LineRecord {
            updated_at: updated_at.map(Timestamp),
            line,
            ..LineRecord::new(CustomerId(1), OrderKey(7), import, Timestamp(1))
        }
    }

    #[test]
    fn no_version_but_the_newest_is_looked_at_again() {
        let key = OrderKey(7);
        let mut records = vec![line(None, 9, 0), line(Some(3), 1, 0), line(Some(3), 1, 1)];
        let mut sold = Sold::new([7].into_iter(), &records);
        assert_eq!(sold.newest(key, &records), records[1..]);
        for n in 4..100 {
            records.extend([
                line(Some(n), 2, 0),
                line(Some(2), 50, 0),
                line(Some(n), 2, 1),
            ]);
            let newest = sold.newest(key, &records);
            assert_eq!(newest, [line(Some(n), 2, 0), line(Some(n), 2, 1)]);
            assert_eq!(sold.newest[&key].lines.len(), 2);
        }
        assert_eq!(sold.newest(OrderKey(8), &records), []);
    }
}
