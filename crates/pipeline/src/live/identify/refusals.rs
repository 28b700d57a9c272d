//! What was refused to names, so that the log says it, and does not say it for ever.
//!
//! The same refusal is recorded once. Of one name so many different ones are recorded; of more the log
//! says how many there are each time that they have doubled. So a name has few records, however often
//! somebody asks for it, and whoever reads them knows about how often that was.

use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;
use regulars_core::CustomerId;
use regulars_store::log::{LogRecord, MergeRefused};
use regulars_store::{Store, StoreError};
use xxhash_rust::xxh3::xxh3_64;

/// So many different refusals of one name are recorded.
const OF_ONE_NAME: u32 = 20;
/// So many names and refusals are remembered; then all are forgotten.
const KEPT: usize = 1_000_000;

/// What was refused so far.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    recorded: HashSet<u64, FixedState>,
    of: HashMap<CustomerId, Counted, FixedState>,
}

/// What was refused of one name.
#[derive(Debug, Default)]
struct Counted {
    /// Different ones that are recorded, up to [`OF_ONE_NAME`].
    recorded: u32,
    /// All, the same ones too.
    all: u64,
}

impl Refusals {
    /// Those that a store holds.
    ///
    /// # Errors
    /// As [`Store::each_record`].
    pub(crate) fn of_store(store: &Store) -> Result<Self, StoreError> {
        let mut refusals = Self::default();
        store.each_record(|_, record| refusals.note(&record))?;
        Ok(refusals)
    }

    /// Takes a record of the log.
    pub(crate) fn note(&mut self, record: &LogRecord) {
        let LogRecord::MergeRefused(refused) = record else {
            return;
        };
        self.make_room();
        let is_new = self.recorded.insert(hash(refused));
        let of = self.of.entry(refused.from).or_default();
        of.all = of.all.max(refused.count);
        of.recorded += u32::from(is_new && of.recorded < OF_ONE_NAME);
    }

    /// One more, of which `refused.count` is not known yet; says it if this one is to be recorded.
    pub(crate) fn count(&mut self, refused: &MergeRefused) -> Option<u64> {
        self.make_room();
        let of = self.of.entry(refused.from).or_default();
        of.all += 1;
        if of.recorded < OF_ONE_NAME && self.recorded.insert(hash(refused)) {
            of.recorded += 1;
            return Some(of.all);
        }
        let has_doubled = of.all > u64::from(OF_ONE_NAME) && of.all.is_power_of_two();
        has_doubled.then_some(of.all)
    }

    fn make_room(&mut self) {
        if self.recorded.len() >= KEPT || self.of.len() >= KEPT {
            *self = Self::default();
        }
    }
}

/// Which refusal it is.
fn hash(refused: &MergeRefused) -> u64 {
    let mut bytes = [0; 18];
    bytes[..8].copy_from_slice(&refused.from.0.to_le_bytes());
    bytes[8..16].copy_from_slice(&refused.into.0.to_le_bytes());
    bytes[16] = refused.refusal as u8;
    bytes[17] = refused.evidence.rule as u8;
    xxh3_64(&bytes)
}

#[cfg(test)]
mod tests {
    use regulars_core::{EventKind, Timestamp};
    use regulars_store::log::{Evidence, MergeRule, Refusal};

    use super::*;

    fn refused(from: u64, into: u64) -> MergeRefused {
        MergeRefused {
            from: CustomerId(from),
            into: CustomerId(into),
            recorded_at: Timestamp(0),
            evidence: Evidence {
                rule: MergeRule::Email,
                call: EventKind::Identify,
                event: String::new(),
                key: None,
            },
            refusal: Refusal::ClientSideKey,
            count: 0,
        }
    }

    /// Asks for it; gives the record of it, if there is one.
    fn ask(refusals: &mut Refusals, from: u64, into: u64) -> Option<LogRecord> {
        let refused = refused(from, into);
        let count = refusals.count(&refused)?;
        Some(LogRecord::MergeRefused(MergeRefused { count, ..refused }))
    }

    #[test]
    fn the_same_is_recorded_once_and_of_a_name_so_many_and_their_number() {
        let mut refusals = Refusals::default();
        let asked: Vec<_> = (0..5).map(|_| ask(&mut refusals, 1, 2)).collect();
        assert!(asked[0].is_some() && asked[1..].iter().all(Option::is_none));
        let mut records: Vec<LogRecord> = asked.into_iter().flatten().collect();
        for into in 3..10_000 {
            records.extend(ask(&mut refusals, 1, into));
        }
        // 20 different ones; then at 32, 64, …, 8192.
        assert_eq!(records.len(), 20 + 9);
        let counts = |record: &LogRecord| match record {
            LogRecord::MergeRefused(refused) => refused.count,
            _ => 0,
        };
        assert_eq!(records.last().map(counts), Some(8192));
        assert!(ask(&mut refusals, 2, 1).is_some(), "another name");
        // Read again they are known, and about how many there were.
        let mut again = Refusals::default();
        records.iter().for_each(|record| again.note(record));
        assert!((2..10_000).all(|into| ask(&mut again, 1, into).is_none() || into > 8_000));
        assert_eq!(again.of[&CustomerId(1)].all, 8192 + 9_998);
    }
}
