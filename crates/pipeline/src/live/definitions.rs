//! Which version of its definition each segment has: the next one whenever the rule changes, or
//! what it depends on.

use std::collections::{BTreeMap, BTreeSet};

use regulars_core::{SegmentName, Settings, Timestamp, Trait};
use regulars_store::Store;
use regulars_store::log::{LogRecord, LogRecordKind, SegmentDefined, SegmentsDefined};
use serde_json::json;

use crate::catalogue::{Catalogue, Segment};
use crate::error::PipelineError;

/// The definitions in use, and how they differ from those of before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Definitions {
    /// Version by name.
    pub(super) versions: BTreeMap<SegmentName, u32>,
    /// New ones, and those whose rule is another than the one by which members are on disk.
    pub(super) changed: BTreeSet<SegmentName>,
    /// All that are no more, with the version that they had.
    pub(super) removed: BTreeMap<SegmentName, u32>,
}

/// Compares the segments of `catalogue` with those that the log knows, and records them when they
/// differ.
///
/// Members are on disk as records before `recorded_to` made them. Definitions may have been taken
/// into use since without anything of what they change being on disk, when a kill came between:
/// they are still a change.
///
/// # Errors
/// When the log cannot be read or written.
pub(super) fn take_into_use(
    store: &mut Store,
    catalogue: &Catalogue,
    settings: &Settings,
    recorded_to: u64,
    recorded_at: Timestamp,
) -> Result<Definitions, PipelineError> {
    let latest = match store.latest(LogRecordKind::SegmentsDefined)? {
        Some((at, LogRecord::SegmentsDefined(defined))) => Some((at, defined)),
        Some(_) | None => None,
    };
    let by_disk = match &latest {
        Some((at, defined)) if *at < recorded_to => versions(defined),
        Some(_) => versions_before(store, recorded_to)?,
        None => BTreeMap::new(),
    };
    let (known, mut removed) = latest.map_or_else(Default::default, |(_, defined)| {
        (defined.segments, defined.removed)
    });
    let mut definitions = Definitions::default();
    let mut segments: Vec<SegmentDefined> = Vec::with_capacity(catalogue.segments().len());
    for segment in catalogue.segments() {
        let (name, rule) = (segment.name.clone(), segment.rule_text());
        let depends_on = dependencies(segment, catalogue, settings);
        let before = known.iter().find(|defined| defined.name == name);
        let same = before.filter(|before| before.rule == rule && before.depends_on == depends_on);
        let version = match (same, before) {
            (Some(same), _) => same.version,
            (None, Some(before)) => before.version + 1,
            (None, None) => removed.get(&name).map_or(1, |last| last + 1),
        };
        if by_disk.get(&name) != Some(&version) {
            definitions.changed.insert(name.clone());
        }
        definitions.versions.insert(name.clone(), version);
        segments.push(SegmentDefined {
            name,
            version,
            rule,
            depends_on,
        });
    }
    let last = known
        .iter()
        .map(|known| (known.name.clone(), known.version));
    removed.extend(last);
    removed.retain(|name, _| !definitions.versions.contains_key(name));
    definitions.removed.clone_from(&removed);
    if segments != known {
        store.record(LogRecord::SegmentsDefined(SegmentsDefined {
            segments,
            removed,
            recorded_at,
        }))?;
    }
    Ok(definitions)
}

fn versions(defined: &SegmentsDefined) -> BTreeMap<SegmentName, u32> {
    let segments = defined.segments.iter();
    segments
        .map(|segment| (segment.name.clone(), segment.version))
        .collect()
}

/// The versions in use before an offset, which is not that of the latest definitions.
fn versions_before(
    store: &Store,
    offset: u64,
) -> Result<BTreeMap<SegmentName, u32>, PipelineError> {
    let records = store
        .records_of(LogRecordKind::SegmentsDefined)?
        .into_iter();
    let before = records.rev().find_map(|(at, record)| match record {
        LogRecord::SegmentsDefined(defined) if at < offset => Some(versions(&defined)),
        _ => None,
    });
    Ok(before.unwrap_or_default())
}

/// What decides who belongs to a segment besides its rule: the rules of segments that it refers
/// to, directly or not, and the settings that the traits and carts they all read depend on.
fn dependencies(
    segment: &Segment,
    catalogue: &Catalogue,
    settings: &Settings,
) -> BTreeMap<String, String> {
    let mut depends_on = BTreeMap::new();
    let mut to_read = vec![segment];
    while let Some(next) = to_read.pop() {
        let reads = next.rule.reads();
        let of_traits = reads.traits.iter().flat_map(|&read| sections(read));
        let of_carts = (!reads.carts.is_empty()).then_some(&CARTS);
        for section in of_traits.chain(of_carts) {
            depends_on.insert(format!("[{}]", section.name), (section.text)(settings));
        }
        for name in &reads.segments {
            let Some(inner) = catalogue.find(name.as_str()) else {
                continue;
            };
            let rule = inner.rule_text();
            if depends_on.insert(name.to_string(), rule).is_none() {
                to_read.push(inner);
            }
        }
    }
    depends_on
}

/// A section of the settings.
#[derive(Clone, Copy)]
struct Section {
    name: &'static str,
    /// Its values, as JSON.
    text: fn(&Settings) -> String,
}

const LIFECYCLE: Section = Section {
    name: "lifecycle",
    text: |settings| json!(settings.lifecycle).to_string(),
};
const CHURN: Section = Section {
    name: "churn",
    text: |settings| json!(settings.churn).to_string(),
};
const CLV: Section = Section {
    name: "clv",
    text: |settings| json!(settings.clv).to_string(),
};
const VALUE: Section = Section {
    name: "value",
    text: |settings| json!(settings.value).to_string(),
};
const SEASON: Section = Section {
    name: "season",
    text: |settings| json!(settings.season).to_string(),
};

const CARTS: Section = Section {
    name: "carts",
    // The other settings of carts stand in the rules.
    text: |settings| json!({ "open_days": settings.carts.open_days }).to_string(),
};

const SESSIONS: Section = Section {
    name: "sessions",
    text: |settings| json!(settings.sessions).to_string(),
};

/// The sections of the settings that decide what a trait is.
fn sections(of: Trait) -> &'static [Section] {
    match of {
        Trait::Lifecycle => &[LIFECYCLE, CHURN],
        Trait::UsualRange | Trait::BeyondUsualRange => &[LIFECYCLE],
        Trait::Seasonal | Trait::YearRound => &[SEASON],
        Trait::ValueTier => &[VALUE],
        Trait::ExpectedOrders | Trait::ChurnRisk | Trait::ChurnLevel => &[CHURN],
        Trait::Clv => &[CLV],
        _ if of.is_of_visits() => &[SESSIONS],
        _ => &[],
    }
}
