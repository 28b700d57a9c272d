//! Which version of its definition each segment has: the next one whenever the rule changes.

use std::collections::{BTreeMap, BTreeSet};

use regulars_core::{SegmentName, Timestamp};
use regulars_store::Store;
use regulars_store::log::{LogRecord, LogRecordKind, SegmentDefined, SegmentsDefined};

use crate::catalogue::Catalogue;
use crate::error::PipelineError;

/// The definitions in use, and how they differ from those of before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Definitions {
    /// Version by name.
    pub(super) versions: BTreeMap<SegmentName, u32>,
    /// New ones, and those whose rule is another than before.
    pub(super) changed: BTreeSet<SegmentName>,
    /// Those that are no more, with the version that they had.
    pub(super) removed: BTreeMap<SegmentName, u32>,
}

/// Compares the segments of `catalogue` with those that the log knows, and records them when they
/// differ.
///
/// # Errors
/// When the log cannot be read or written.
pub(super) fn take_into_use(
    store: &mut Store,
    catalogue: &Catalogue,
    recorded_at: Timestamp,
) -> Result<Definitions, PipelineError> {
    let before = match store.latest(LogRecordKind::SegmentsDefined)? {
        Some((_, LogRecord::SegmentsDefined(defined))) => defined.segments,
        Some(_) | None => Vec::new(),
    };
    let known: BTreeMap<&SegmentName, &SegmentDefined> = before
        .iter()
        .map(|defined| (&defined.name, defined))
        .collect();
    let segments: Vec<SegmentDefined> = catalogue
        .segments()
        .iter()
        .map(|segment| {
            let rule = segment.rule_text();
            let version = match known.get(&segment.name) {
                None => 1,
                Some(before) if before.rule == rule => before.version,
                Some(before) => before.version + 1,
            };
            SegmentDefined {
                name: segment.name.clone(),
                version,
                rule,
            }
        })
        .collect();
    let mut definitions = Definitions::default();
    for defined in &segments {
        if known.get(&defined.name).map(|before| before.version) != Some(defined.version) {
            definitions.changed.insert(defined.name.clone());
        }
        definitions
            .versions
            .insert(defined.name.clone(), defined.version);
    }
    for defined in &before {
        if !definitions.versions.contains_key(&defined.name) {
            definitions
                .removed
                .insert(defined.name.clone(), defined.version);
        }
    }
    if segments != before {
        store.record(LogRecord::SegmentsDefined(SegmentsDefined {
            segments,
            recorded_at,
        }))?;
    }
    Ok(definitions)
}
