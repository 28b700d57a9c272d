//! The records of the log that nothing was found of before a start: they are folded as if they came
//! now, while new ones are taken.

use std::collections::VecDeque;

use regulars_core::{Cause, SegmentName, Transition};
use regulars_store::log::Logged;

use crate::error::PipelineError;
use crate::live::engine::Engine;

/// What is still to be folded of what lay in the log at a start.
#[derive(Debug, Default)]
pub(in crate::live) struct Tail {
    /// In order.
    pub(super) records: VecDeque<(u64, Logged)>,
    /// Where the log ended.
    pub(super) to: u64,
    /// Transitions that the records cause and that were recorded before all of them were.
    pub(super) ahead: Vec<Transition>,
    /// Whether files were imported since anything was recorded.
    pub(super) imported: bool,
}

impl Engine {
    /// Records of the log that lay there at the start and are not folded yet.
    pub fn tail(&self) -> usize {
        self.tail.records.len()
    }

    /// True while what is found is not to be said: some of it is recorded already, and which is known
    /// when the tail is folded.
    pub(in crate::live) fn holds_back(&self) -> bool {
        !self.tail.ahead.is_empty()
    }

    /// Transitions that are recorded, and that records of the tail cause.
    pub(in crate::live) fn recorded_ahead(&self) -> &[Transition] {
        &self.tail.ahead
    }

    /// Folds `count` records of the tail, or what is left of it; gives how many it were. At the end of
    /// the tail it gives 0.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub(in crate::live) fn fold_some_of_tail(
        &mut self,
        count: usize,
    ) -> Result<usize, PipelineError> {
        let count = count.min(self.tail.records.len());
        for _ in 0..count {
            if let Some((offset, record)) = self.tail.records.pop_front() {
                self.fold(offset, record)?;
            }
        }
        if self.tail.records.is_empty() {
            self.end_tail();
        }
        Ok(count)
    }

    /// Folds the tail, and finds all that it causes.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn fold_tail(&mut self) -> Result<(), PipelineError> {
        self.fold_some_of_tail(usize::MAX)?;
        self.find_all();
        Ok(())
    }

    /// All of it is folded: what is recorded ahead of the rest is not said again.
    fn end_tail(&mut self) {
        let tail = std::mem::take(&mut self.tail);
        if self.find_again(&tail.ahead, tail.imported) {
            let cause = self.cause_of_start(tail.imported);
            self.look_at_everyone(self.threads, cause);
        }
        // What follows the last record that is folded says nothing of customers.
        self.folded_to = self.folded_to.max(tail.to);
        if self.is_settled() {
            self.settled_to = self.folded_to;
        }
    }

    /// Why what is recorded differs from what is known, by segment.
    pub(super) fn cause_of_start(
        &self,
        imported: bool,
    ) -> impl Fn(&SegmentName) -> Option<Cause> + Sync + use<> {
        let changed = self.definitions.changed.clone();
        move |segment| match () {
            () if changed.contains(segment) => Some(Cause::Definition),
            () if imported => Some(Cause::Import),
            // Besides new models, only limits of everyone make a difference at an instant that was
            // looked at before.
            () => Some(Cause::Models),
        }
    }
}
