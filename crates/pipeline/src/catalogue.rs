//! The catalogue of segments: the ready-made ones, those of the workspace's `segments/`, and one
//! for each channel and RFM cell.
//!
//! A file of segments is TOML: `[[segment]]` with `name`, `title`, `rule`, `meaning` and `play`.
//! `{…}` in a ready-made rule stands for a threshold of `regulars.toml`. A segment of the workspace
//! with the name of a ready-made one replaces it.

mod derived;
mod edit;
mod files;

use std::path::Path;

use regulars_core::{SegmentName, Symbols};
use regulars_ingest::tracking::vocabulary::StandardEvent;
use regulars_rules::{CheckedRule, Keep, NamedRule, Program, Vocabulary, check, describe, parse};
use serde::Serialize;

use crate::config::Config;
use crate::error::PipelineError;

pub use derived::MAX_CHANNELS;
pub use edit::{SegmentDraft, SegmentEdit};
use files::Entry;

/// Segments of the lifecycle, a partition of all customers, in the order of precedence.
pub const LIFECYCLE: [&str; 7] = [
    "prospect",
    "dormant",
    "at_risk",
    "reactivated",
    "new",
    "potential_loyalist",
    "loyal",
];

/// Where a segment comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Ready-made.
    ReadyMade,
    /// Made for a channel or an RFM cell in the data.
    Derived,
    /// A file of the workspace.
    Workspace,
}

/// A segment with what it means.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Its name in rules and commands.
    pub name: SegmentName,
    /// Its name for a person.
    pub title: String,
    /// Family of a ready-made one: `lifecycle`, `value`, …; else `own`.
    pub family: String,
    /// Where it comes from.
    pub origin: Origin,
    /// What it means.
    pub meaning: String,
    /// What to do, one thing each.
    pub play: Vec<String>,
    /// Who belongs to it.
    pub rule: CheckedRule,
}

impl Segment {
    /// The rule as canonical text.
    pub fn rule_text(&self) -> String {
        self.rule.rule().to_string()
    }

    /// The rule as a sentence.
    pub fn in_words(&self) -> String {
        describe(self.rule.rule())
    }
}

/// All segments of a workspace.
#[derive(Debug, Clone)]
pub struct Catalogue {
    segments: Vec<Segment>,
    vocabulary: Vocabulary,
    channels_left_out: usize,
}

impl Catalogue {
    /// The ready-made segments, and those of the files in `directory` if it exists.
    ///
    /// # Errors
    /// When a file cannot be read or a rule does not make sense; the message shows the place.
    pub fn load(config: &Config, directory: Option<&Path>) -> Result<Self, PipelineError> {
        Self::of(config, files::entries(config, directory)?)
    }

    /// The segments of `entries`.
    fn of(config: &Config, entries: Vec<Entry>) -> Result<Self, PipelineError> {
        let vocabulary = Vocabulary {
            currency: config.workspace.currency,
            zone: config.zone(),
            segments: entries
                .iter()
                .map(|known| known.entry.name.clone())
                .collect(),
            order_event: Some(StandardEvent::OrderCompleted.name()),
            standard_event: |name| StandardEvent::named(name).map(StandardEvent::name),
        };
        let mut catalogue = Self {
            segments: Vec::new(),
            vocabulary,
            channels_left_out: 0,
        };
        for Entry {
            family,
            origin,
            file: _,
            entry,
        } in entries
        {
            let rule = catalogue.check(entry.name.as_str(), &entry.rule)?;
            catalogue.segments.push(Segment {
                title: entry.title.unwrap_or_else(|| entry.name.to_string()),
                name: entry.name,
                family,
                origin,
                meaning: entry.meaning,
                play: entry.play,
                rule,
            });
        }
        Ok(catalogue)
    }

    /// Parses and checks a rule; the error shows the rule with the place.
    fn check(&self, name: &str, rule: &str) -> Result<CheckedRule, PipelineError> {
        self.rule(rule).map_err(|error| PipelineError::Segment {
            name: name.to_owned(),
            message: error.to_string(),
        })
    }

    /// Parses and checks the text of a rule in this workspace.
    ///
    /// # Errors
    /// The rule with a caret under the place, what was expected and the nearest name.
    pub fn rule(&self, text: &str) -> Result<CheckedRule, PipelineError> {
        parse(text)
            .and_then(|rule| check(&rule, &self.vocabulary))
            .map_err(|error| PipelineError::Rule(error.render(text)))
    }

    /// Adds a segment by its rule, under a name that is free or replaced.
    #[must_use]
    pub fn with_rule(mut self, name: &SegmentName, rule: CheckedRule) -> Self {
        self.segments.retain(|segment| segment.name != *name);
        self.segments.push(Segment {
            name: name.clone(),
            title: name.to_string(),
            family: files::OWN.to_owned(),
            origin: Origin::Workspace,
            meaning: String::new(),
            play: Vec::new(),
            rule,
        });
        self
    }

    /// All segments, in the order in which they are shown.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The segment of that name.
    pub fn find(&self, name: &str) -> Option<&Segment> {
        self.segments
            .iter()
            .find(|segment| segment.name.as_str() == name)
    }

    /// The segment of that name.
    ///
    /// # Errors
    /// When there is none; names the nearest.
    pub fn get(&self, name: &str) -> Result<&Segment, PipelineError> {
        self.find(name).ok_or_else(|| {
            let names = self.segments.iter().map(|segment| segment.name.as_str());
            PipelineError::NotFound {
                what: "segment",
                name: name.to_owned(),
                hint: match regulars_rules::nearest(name, names) {
                    Some(near) => format!(": did you mean `{near}`?"),
                    None => ": `regulars segments` lists them".to_owned(),
                },
            }
        })
    }

    /// Compiles all segments; `symbols` must know every text of the history.
    ///
    /// # Errors
    /// When segments refer to each other in a circle.
    pub fn compile(&self, symbols: &Symbols, keep: Keep) -> Result<Program, PipelineError> {
        let rules: Vec<NamedRule> = self
            .segments
            .iter()
            .map(|segment| NamedRule {
                name: segment.name.clone(),
                rule: segment.rule.clone(),
            })
            .collect();
        Program::compile(&rules, &self.vocabulary, symbols, keep)
            .map_err(|error| PipelineError::Rule(error.to_string()))
    }
}

#[cfg(test)]
mod tests;
