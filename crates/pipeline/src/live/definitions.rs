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
    settings: &Settings,
    recorded_at: Timestamp,
) -> Result<Definitions, PipelineError> {
    let before = match store.latest(LogRecordKind::SegmentsDefined)? {
        Some((_, LogRecord::SegmentsDefined(defined))) => Some(defined),
        Some(_) | None => None,
    };
    let (known, gone) =
        before.map_or_else(Default::default, |before| (before.segments, before.removed));
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
            (None, None) => gone.get(&name).map_or(1, |last| last + 1),
        };
        if same.is_none() {
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
    for defined in &known {
        if !definitions.versions.contains_key(&defined.name) {
            let (name, version) = (defined.name.clone(), defined.version);
            definitions.removed.insert(name, version);
        }
    }
    if segments != known {
        let all = gone.into_iter().chain(definitions.removed.clone());
        let removed = all.filter(|(name, _)| !definitions.versions.contains_key(name));
        store.record(LogRecord::SegmentsDefined(SegmentsDefined {
            segments,
            removed: removed.collect(),
            recorded_at,
        }))?;
    }
    Ok(definitions)
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
