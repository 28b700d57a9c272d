//! Which records of an order hold: first step of the ledger.
//!
//! An order has a *document* in each import that brought lines sold of it; credits and refunds
//! of that document belong to it, so a newer document replaces all of an older one.
//! Credits and refunds from files that hold no lines of their order (files of refunds, credit
//! notes) stand apart: they stay in force beside any document, and a newer one of the same kind
//! replaces an older one.
//! A row from a file of refunds has a key of its own: each refund of an order stands by itself,
//! and only a newer version of that refund replaces it.

use std::ops::Range;

use regulars_core::{LineRecord, RecordKind, RefundKey, Timestamp};

/// Fills `chosen` with the positions of the records that hold, in runs of one kind, by position.
///
/// Allocates nothing for customers with records of one import: an import holds one document of
/// each order.
pub(super) fn choose(records: &[LineRecord], chosen: &mut Vec<Range<usize>>) {
    runs(records, chosen);
    let Some(first) = records.first() else {
        return;
    };
    if records.iter().any(|record| record.import != first.import) {
        choose_among_imports(records, chosen);
    }
}

/// The runs of records that one document has of one kind.
fn runs(records: &[LineRecord], runs: &mut Vec<Range<usize>>) {
    runs.clear();
    let identity = |r: &LineRecord| {
        let version = (r.order, r.kind, r.import, r.refund);
        (version, r.occurred_at, r.is_apart())
    };
    let mut start = 0;
    for end in 1..=records.len() {
        if end == records.len() || identity(&records[start]) != identity(&records[end]) {
            runs.push(start..end);
            start = end;
        }
    }
}

fn choose_among_imports(records: &[LineRecord], runs: &mut Vec<Range<usize>>) {
    let head = |run: &Range<usize>| &records[run.start];
    runs.sort_by_key(|run| (head(run).order, head(run).import, run.start));
    let mut chosen = Vec::with_capacity(runs.len());
    let refunds = runs.extract_if(.., |run| head(run).refund != RefundKey::NONE);
    choose_refunds(records, refunds.collect(), &mut chosen);
    for order in runs.chunk_by(|a, b| head(a).order == head(b).order) {
        let mut document = Newest::default();
        let mut apart = [Newest::default(); 2];
        let mut stands_apart = Vec::with_capacity(order.len());
        for import in order.chunk_by(|a, b| head(a).import == head(b).import) {
            let sold = import.iter().any(|run| head(run).kind == RecordKind::Sale);
            for run in import {
                let record = head(run);
                let is_apart = record.is_apart() || !sold;
                match record.kind {
                    RecordKind::Sale => document.see(record),
                    RecordKind::Credit if is_apart => apart[0].see(record),
                    RecordKind::Refund if is_apart => apart[1].see(record),
                    RecordKind::Credit | RecordKind::Refund => {}
                }
                stands_apart.push(is_apart);
            }
        }
        for (run, is_apart) in order.iter().zip(stands_apart) {
            let newest = match (is_apart, head(run).kind) {
                (true, RecordKind::Credit) => &apart[0],
                (true, RecordKind::Refund) => &apart[1],
                (true, RecordKind::Sale) | (false, _) => &document,
            };
            if newest.import() == Some(head(run).import) {
                chosen.push(run.clone());
            }
        }
    }
    chosen.sort_by_key(|run| run.start);
    *runs = chosen;
}

/// The newest version of each refund from files of refunds.
fn choose_refunds(
    records: &[LineRecord],
    mut refunds: Vec<Range<usize>>,
    chosen: &mut Vec<Range<usize>>,
) {
    let key = |run: &Range<usize>| (records[run.start].order, records[run.start].refund);
    refunds.sort_by_key(|run| (key(run), run.start));
    for refund in refunds.chunk_by(|a, b| key(a) == key(b)) {
        let mut newest = Newest::default();
        refund
            .iter()
            .for_each(|run| newest.see(&records[run.start]));
        let holds = |run: &&Range<usize>| Some(records[run.start].import) == newest.import();
        chosen.extend(refund.iter().filter(holds).cloned());
    }
}

/// The newest version: among those that say when they were made the last made, then whichever
/// of it and the others was imported last.
#[derive(Debug, Clone, Copy, Default)]
struct Newest {
    last_made: Option<(Timestamp, u64)>,
    untold: Option<u64>,
}

impl Newest {
    fn see(&mut self, head: &LineRecord) {
        match head.updated_at {
            Some(at) => self.last_made = self.last_made.max(Some((at, head.import))),
            None => self.untold = self.untold.max(Some(head.import)),
        }
    }

    fn import(&self) -> Option<u64> {
        self.untold.max(self.last_made.map(|(_, import)| import))
    }
}
