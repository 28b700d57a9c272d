//! A store to read beside the one that writes.
//!
//! ```text
//! Store::beside (on the thread that writes) ─► Store: the manifest and the end of the log ─► read on any thread
//! ```
//!
//! It holds no file open and no lock: it delays nobody, and a store that is closed meanwhile is
//! closed. Files that are replaced after it was made are [`StoreError::Missing`] to it; one that is
//! made then knows where their content went.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use regulars_core::{CustomerId, SegmentName, Timestamp};

use super::{Recovery, Store};
use crate::StoreError;
use crate::catalog::Access;
use crate::log::live::{self, Logged};
use crate::manifest::MovedKind;
use crate::moved::transitions;
use crate::moved::{TransitionPlace, TransitionRow};

/// Which transitions are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedTransitions {
    /// Of these customers only, by their ids when it was recorded.
    pub customers: Option<BTreeSet<CustomerId>>,
    /// Of this segment only.
    pub segment: Option<SegmentName>,
    /// Recorded at or after.
    pub since: Timestamp,
    /// Before this place only.
    pub before: Option<TransitionPlace>,
}

impl Default for WantedTransitions {
    /// All of them.
    fn default() -> Self {
        Self {
            customers: None,
            segment: None,
            since: Timestamp::MIN,
            before: None,
        }
    }
}

impl WantedTransitions {
    /// Whether a transition is one of them.
    pub fn takes(&self, row: &TransitionRow) -> bool {
        let TransitionRow { place, transition } = row;
        let customers = self.customers.as_ref();
        let segment = self.segment.as_ref();
        transition.recorded_at >= self.since
            && self.before.is_none_or(|before| *place < before)
            && segment.is_none_or(|segment| *segment == transition.segment)
            && customers.is_none_or(|customers| customers.contains(&transition.customer))
    }
}

impl Store {
    /// The same as it is now, for reading only and without a lock.
    pub fn beside(&self) -> Self {
        Self {
            dir: self.dir.clone(),
            access: Access::Read,
            catalog: self.catalog.beside(),
            key_path: self.key_path.clone(),
            key: self.key.clone(),
            vault: OnceLock::new(),
            blocked: Arc::clone(&self.blocked),
            recovery: Recovery::default(),
            spills: AtomicU64::new(0),
            _lock: None,
        }
    }

    /// The latest transitions that are wanted, the latest first, at most `most` of them. Files that
    /// hold none of them are not opened; of the others a group of rows is in memory at a time, and
    /// of that what is wanted.
    ///
    /// # Errors
    /// When a file is missing, damaged or of an unknown version.
    pub fn transitions(
        &self,
        wanted: &WantedTransitions,
        most: usize,
    ) -> Result<Vec<TransitionRow>, StoreError> {
        let mut found = self.logged_transitions(wanted, most)?;
        let ends_before = wanted.before.map_or(u64::MAX, |before| before.offset);
        let files = self.catalog.manifest().moved.of(MovedKind::Transitions, 0);
        let files: Vec<_> = files
            .filter(|file| file.last_at >= wanted.since && file.from <= ends_before)
            .collect();
        for file in files.into_iter().rev() {
            if found.len() >= most {
                break;
            }
            let path = self.table_path(&file.file);
            transitions::latest(&path, wanted, most, &mut found)?;
        }
        Ok(found)
    }

    /// Those that were not moved out of the log.
    fn logged_transitions(
        &self,
        wanted: &WantedTransitions,
        most: usize,
    ) -> Result<Vec<TransitionRow>, StoreError> {
        let ends_before = wanted.before.map_or(u64::MAX, |before| before.offset);
        let log = self.catalog.log();
        let end = log.next_offset().min(ends_before.saturating_add(1));
        let range = self.moved_to()..end;
        let mut found = VecDeque::new();
        if range.is_empty() {
            return Ok(Vec::new());
        }
        for entry in log.read(range) {
            let (offset, bytes) = entry?;
            if !live::is_found(&bytes) {
                continue;
            }
            if let Logged::Found(record) = live::decode(log.dir(), offset, &bytes)? {
                let rows = TransitionRow::of_record(offset, record.transitions);
                found.extend(rows.filter(|row| wanted.takes(row)));
                found.drain(..found.len().saturating_sub(most));
            }
        }
        Ok(found.into_iter().rev().collect())
    }
}
