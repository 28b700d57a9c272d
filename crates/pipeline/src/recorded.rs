//! What was recorded of memberships: who moved when, who was where from when to when, how many came
//! and went.
//!
//! ```text
//! Store::transitions, a page at a time, the latest first ─► MembershipHistory (one customer)
//!                                                          ─► SegmentHistory (one segment, by day or hour)
//!                                                          ─► LastChange (one customer and segment)
//! ```
//!
//! Recorded is what the rules of that time said, as it was told to destinations. It differs from what
//! today's rules say of a past moment (`--as-of`) once a segment was edited, or events came late.

mod last_change;
mod of_customer;
mod of_segment;

use std::collections::BTreeSet;

use regulars_core::{Cause, CustomerId, Direction};
use regulars_store::log::LogRecord;
use regulars_store::moved::TransitionRow;
use regulars_store::vault::IdentityId;
use regulars_store::{Store, StoreError, WantedTransitions};
use serde::Serialize;

pub use last_change::LastChange;
pub use of_customer::{MembershipHistory, Move, Stay};
pub use of_segment::{Interval, SegmentHistory, Span, SpanError};

/// Transitions that are read at a time.
const PAGE: usize = 10_000;

/// A transition, for whoever asks.
#[derive(Debug, Clone, Serialize)]
pub struct TransitionView {
    /// Its id, which webhooks carry.
    pub id: String,
    /// Who moved, by the customer's id then.
    pub customer_id: Option<String>,
    /// Where.
    pub segment: String,
    /// Which definition of the segment, from 1.
    pub version: u32,
    /// Which transition of this customer and segment, from 1.
    pub sequence: u64,
    /// In or out.
    pub direction: Direction,
    /// The instant of the flip.
    pub occurred_at: String,
    /// The time of what found it.
    pub recorded_at: String,
    /// Why.
    pub cause: Cause,
}

impl TransitionView {
    /// Of a transition of the customer who is called `customer_id`.
    pub fn of(row: &TransitionRow, customer_id: Option<&str>) -> Self {
        let transition = &row.transition;
        Self {
            id: transition.id.to_string(),
            customer_id: customer_id.map(str::to_owned),
            segment: transition.segment.to_string(),
            version: transition.version,
            sequence: transition.sequence,
            direction: transition.direction,
            occurred_at: transition.occurred_at.to_string(),
            recorded_at: transition.recorded_at.to_string(),
            cause: transition.cause.clone(),
        }
    }
}

/// The ids under which anything may be recorded of a customer: their own and those of customers who
/// turned out to be them. A running server knows the same ([`Engine::ids_of`](crate::live::Engine::ids_of)).
///
/// # Errors
/// When the log cannot be read.
pub fn ids_of(store: &Store, customer: CustomerId) -> Result<BTreeSet<CustomerId>, StoreError> {
    let mut ids = BTreeSet::from([customer]);
    let vault = store.vault()?;
    store.each_record(|_, record| {
        if let LogRecord::MergeAccepted(merge) = record
            // They may have turned out to be yet another since, or have left again.
            && vault.resolve(IdentityId(merge.from.0)) == customer
        {
            ids.insert(merge.from);
        }
    })?;
    Ok(ids)
}

/// Gives all transitions that are wanted to `each`, the latest first, until it wants no more; reads
/// them a page at a time.
fn each_latest_first<E>(
    mut wanted: WantedTransitions,
    mut read: impl FnMut(&WantedTransitions, usize) -> Result<Vec<TransitionRow>, E>,
    mut each: impl FnMut(TransitionRow) -> Wanted,
) -> Result<(), E> {
    loop {
        let rows = read(&wanted, PAGE)?;
        wanted.before = rows.last().map(|row| row.place);
        let is_last = rows.len() < PAGE;
        for row in rows {
            if matches!(each(row), Wanted::Enough) {
                return Ok(());
            }
        }
        if is_last {
            return Ok(());
        }
    }
}

/// Whether more transitions are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    More,
    Enough,
}

#[cfg(test)]
mod tests {
    use regulars_core::Timestamp;
    use regulars_store::StoreOptions;
    use regulars_store::log::MergeAccepted;
    use regulars_store::vault::{IdentityKind, Trust};

    use super::*;

    #[test]
    fn whoever_turned_out_to_be_somebody_is_one_of_their_ids() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = Store::create(directory.path(), &StoreOptions::default()).unwrap();
        let vault = store.live_vault().unwrap();
        let mut mint = |text| {
            vault
                .lookup_or_mint(IdentityKind::CustomerId, text)
                .unwrap()
        };
        let [one, two, three, four, five] = ["c-1", "c-2", "c-3", "c-4", "c-5"].map(&mut mint);
        for (from, into) in [(one, two), (three, four), (two, three), (five, four)] {
            store.live_vault().unwrap().link(from, into, Trust::Server);
            let merge = MergeAccepted {
                from: CustomerId(from.0),
                into: CustomerId(into.0),
                recorded_at: Timestamp(0),
                reason: "test".to_owned(),
                evidence: None,
            };
            store.record(LogRecord::MergeAccepted(merge)).unwrap();
        }
        store.live_vault().unwrap().part(five);
        let set = |ids: &[IdentityId]| ids.iter().map(|id| CustomerId(id.0)).collect();
        let ids = |id: IdentityId| ids_of(&store, CustomerId(id.0)).unwrap();
        assert_eq!(ids(four), set(&[one, two, three, four]));
        assert_eq!(ids(five), set(&[five]), "they left again");
    }
}
