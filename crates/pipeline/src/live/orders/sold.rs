//! The newest version of each of some orders, while versions are added.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use regulars_core::{LineRecord, OrderKey, RecordKind};

/// Where the lines sold of some orders are among records, which only grow.
pub(super) struct Sold {
    lines: HashMap<OrderKey, Vec<usize>, FixedState>,
    looked_at: usize,
}

impl Sold {
    pub(super) fn new(orders: impl Iterator<Item = u64>, records: &[LineRecord]) -> Self {
        let mut sold = Self {
            lines: orders.map(|key| (OrderKey(key), Vec::new())).collect(),
            looked_at: 0,
        };
        sold.look_at(records);
        sold
    }

    fn look_at(&mut self, records: &[LineRecord]) {
        if self.lines.is_empty() {
            return;
        }
        for (place, line) in records.iter().enumerate().skip(self.looked_at) {
            if line.kind == RecordKind::Sale
                && let Some(lines) = self.lines.get_mut(&line.order)
            {
                lines.push(place);
            }
        }
        self.looked_at = records.len();
    }

    /// The lines of the newest version of an order, as far as it is known.
    pub(super) fn newest(&mut self, key: OrderKey, records: &[LineRecord]) -> Vec<LineRecord> {
        self.look_at(records);
        let lines = || {
            self.lines
                .get(&key)
                .into_iter()
                .flatten()
                .map(|&at| &records[at])
        };
        let newest = lines().map(|line| (line.updated_at, line.import)).max();
        let is_newest = |line: &&LineRecord| Some((line.updated_at, line.import)) == newest;
        lines().filter(is_newest).copied().collect()
    }
}
