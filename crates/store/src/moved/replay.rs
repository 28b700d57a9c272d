//! Gives back in order what was moved out of the log and was no event: a file of each kind in memory
//! at a time.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use regulars_core::Timestamp;

use super::records::{self, KeptRecord};
use super::transitions::TransitionRow;
use crate::StoreError;
use crate::catalog::{LOG, TABLES};
use crate::disk::RealDisk;
use crate::log::Found;
use crate::log::live::{self, Logged};
use crate::manifest::{Manifest, MovedKind};
use crate::store::read_listed;
use crate::tables;

/// What the log held from an offset on, as far as it was moved.
#[derive(Debug)]
pub(crate) struct Replay {
    log: PathBuf,
    from: u64,
    record_files: VecDeque<PathBuf>,
    records: VecDeque<KeptRecord>,
    transition_files: VecDeque<PathBuf>,
    transitions: VecDeque<TransitionRow>,
}

impl Replay {
    pub(crate) fn new(dir: &Path, manifest: &Arc<Manifest>, from: u64) -> Self {
        let files = |kind| {
            let files = manifest.moved.of(kind, from);
            files
                .map(|file| dir.join(TABLES).join(&file.file))
                .collect()
        };
        Self {
            log: dir.join(LOG),
            from,
            record_files: files(MovedKind::Records),
            records: VecDeque::new(),
            transition_files: files(MovedKind::Transitions),
            transitions: VecDeque::new(),
        }
    }

    /// The records alone, as they are kept.
    pub(crate) fn kept_records(mut self) -> Result<Vec<KeptRecord>, StoreError> {
        let mut all = Vec::new();
        while self.fill_records()? {
            all.extend(self.records.drain(..));
        }
        Ok(all)
    }

    /// Gives the records alone, as they are kept, to `each`.
    pub(crate) fn each_record(
        mut self,
        mut each: impl FnMut(u64, &[u8]),
    ) -> Result<(), StoreError> {
        while self.fill_records()? {
            for (offset, bytes) in self.records.drain(..) {
                each(offset, &bytes);
            }
        }
        Ok(())
    }

    /// True when there is a next record.
    fn fill_records(&mut self) -> Result<bool, StoreError> {
        while self.records.is_empty() {
            let Some(path) = self.record_files.pop_front() else {
                return Ok(false);
            };
            let records = records::decode(&path, &read_listed(&RealDisk, &path)?)?;
            let from = self.from;
            self.records = records.into_iter().filter(|(at, _)| *at >= from).collect();
        }
        Ok(true)
    }

    /// True when there is a next transition.
    fn fill_transitions(&mut self) -> Result<bool, StoreError> {
        while self.transitions.is_empty() {
            let Some(path) = self.transition_files.pop_front() else {
                return Ok(false);
            };
            let rows: Vec<TransitionRow> = tables::load(&path)?;
            let from = self.from;
            self.transitions = rows
                .into_iter()
                .filter(|row| row.place.offset >= from)
                .collect();
        }
        Ok(true)
    }

    fn advance(&mut self) -> Result<Option<(u64, Logged)>, StoreError> {
        self.fill_records()?;
        self.fill_transitions()?;
        let record_at = self.records.front().map(|(offset, _)| *offset);
        let found_at = self.transitions.front().map(|row| row.place.offset);
        match (record_at, found_at) {
            (None, None) => Ok(None),
            (Some(at), found) if found.is_none_or(|found| at < found) => {
                let (offset, bytes) = self.records.pop_front().expect("it was there just now");
                Ok(Some((offset, live::decode(&self.log, offset, &bytes)?)))
            }
            (_, Some(offset)) => {
                let mut transitions = Vec::new();
                while let Some(row) = self
                    .transitions
                    .pop_front_if(|row| row.place.offset == offset)
                {
                    transitions.push(row.transition);
                }
                let found = Found {
                    folded_to: 0,
                    now: Timestamp::MIN,
                    transitions,
                };
                Ok(Some((offset, Logged::Found(found))))
            }
            (Some(_), None) => unreachable!("the second arm takes it"),
        }
    }
}

impl Iterator for Replay {
    type Item = Result<(u64, Logged), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance();
        if next.is_err() {
            self.record_files.clear();
            self.records.clear();
            self.transition_files.clear();
            self.transitions.clear();
        }
        next.transpose()
    }
}
