//! The catalogue of segments: the ready-made ones, those of the workspace's `segments/`, and one
//! for each channel and RFM cell.
//!
//! A file of segments is TOML: `[[segment]]` with `name`, `title`, `rule`, `meaning` and `play`.
//! `{…}` in a ready-made rule stands for a threshold of `regulars.toml`. A segment of the workspace
//! with the name of a ready-made one replaces it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regulars_core::{SegmentName, Symbols};
use regulars_rules::{
    CheckedRule, Keep, NamedRule, Program, Vocabulary, check, describe, expand_template, parse,
    parse_template,
};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::PipelineError;

const READY_MADE: [(&str, &str); 6] = [
    ("lifecycle", include_str!("../catalogue/lifecycle.toml")),
    ("value", include_str!("../catalogue/value.toml")),
    ("price", include_str!("../catalogue/price.toml")),
    ("rhythm", include_str!("../catalogue/rhythm.toml")),
    ("churn", include_str!("../catalogue/churn.toml")),
    ("rfm", include_str!("../catalogue/rfm.toml")),
];

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
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SegmentFile {
    #[serde(default)]
    segment: Vec<SegmentEntry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SegmentEntry {
    name: SegmentName,
    #[serde(default)]
    title: Option<String>,
    rule: String,
    #[serde(default)]
    meaning: String,
    #[serde(default)]
    play: Vec<String>,
}

impl Catalogue {
    /// The ready-made segments, and those of the files in `directory` if it exists.
    ///
    /// # Errors
    /// When a file cannot be read or a rule does not make sense; the message shows the place.
    pub fn load(config: &Config, directory: Option<&Path>) -> Result<Self, PipelineError> {
        let mut entries: Vec<(String, Origin, SegmentEntry)> = Vec::new();
        for (family, text) in READY_MADE {
            for entry in parse_file(family, text)? {
                entries.push((
                    family.to_owned(),
                    Origin::ReadyMade,
                    expanded(entry, config)?,
                ));
            }
        }
        for (file, text) in directory
            .map(segment_files)
            .transpose()?
            .unwrap_or_default()
        {
            for entry in parse_file(&file, &text)? {
                let entry = ("own".to_owned(), Origin::Workspace, entry);
                match entries
                    .iter()
                    .position(|(_, _, known)| known.name == entry.2.name)
                {
                    Some(index) if entries[index].1 == Origin::ReadyMade => entries[index] = entry,
                    Some(_) => {
                        return Err(PipelineError::Segment {
                            name: entry.2.name.to_string(),
                            message: "defined twice in the workspace's segments".to_owned(),
                        });
                    }
                    None => entries.push(entry),
                }
            }
        }
        let vocabulary = Vocabulary {
            currency: config.workspace.currency,
            zone: config.zone(),
            segments: entries
                .iter()
                .map(|(_, _, entry)| entry.name.clone())
                .collect(),
        };
        let mut catalogue = Self {
            segments: Vec::new(),
            vocabulary,
        };
        for (family, origin, entry) in entries {
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
            family: "own".to_owned(),
            origin: Origin::Workspace,
            meaning: String::new(),
            play: Vec::new(),
            rule,
        });
        self
    }

    /// Adds a segment for each first channel, unless there is one of that name.
    ///
    /// # Errors
    /// When such a rule does not make sense.
    pub fn with_channels(mut self, channels: &BTreeSet<String>) -> Result<Self, PipelineError> {
        for channel in channels {
            let name = format!("channel_{}", slug(channel));
            let Ok(name) = SegmentName::new(&name) else {
                continue;
            };
            if self.find(name.as_str()).is_some() {
                continue;
            }
            let rule = format!("first_channel = '{}'", channel.replace('\'', "''"));
            let rule = self.check(name.as_str(), &rule)?;
            self.segments.push(Segment {
                title: format!("First channel: {channel}"),
                name,
                family: "channel".to_owned(),
                origin: Origin::Derived,
                meaning: format!("First came by the channel \"{channel}\"."),
                play: vec![
                    "Compare their CLV with what the channel costs you for each new customer.".to_owned(),
                    "A channel with many one-time buyers promises something that the shop does not keep: look at its ads.".to_owned(),
                ],
                rule,
            });
        }
        Ok(self)
    }

    /// Adds the RFM cell of that name (`rfm_543`), if it is one.
    ///
    /// # Errors
    /// When the rule does not make sense.
    pub fn with_cell(mut self, name: &str) -> Result<Self, PipelineError> {
        let digits = name
            .strip_prefix("rfm_")
            .map(str::as_bytes)
            .unwrap_or_default();
        if digits.len() != 3 || !digits.iter().all(|d| (b'1'..=b'5').contains(d)) {
            return Ok(self);
        }
        let cell = &name[4..];
        let rule = self.check(name, &format!("rfm_cell = '{cell}'"))?;
        let [r, f, m] = [digits[0], digits[1], digits[2]].map(|digit| digit - b'0');
        self.segments.push(Segment {
            name: SegmentName::new(name).expect("letters, digits and an underscore"),
            title: format!("RFM cell {cell}"),
            family: "rfm_cell".to_owned(),
            origin: Origin::Derived,
            meaning: format!("RFM scores: recency {r}, frequency {f}, monetary {m} (5 is best)."),
            play: Vec::new(),
            rule,
        });
        Ok(self)
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

/// A text as part of a segment's name.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.ends_with('_') && !slug.is_empty() {
            slug.push('_');
        }
    }
    slug.trim_end_matches('_').to_owned()
}

/// Puts thresholds into the texts of a ready-made segment.
fn expanded(mut entry: SegmentEntry, config: &Config) -> Result<SegmentEntry, PipelineError> {
    let lookup = |key: &str| config.threshold(key);
    let failed = |message: String| PipelineError::Segment {
        name: entry.name.to_string(),
        message,
    };
    parse_template(&entry.rule, &lookup).map_err(|error| failed(error.render()))?;
    for text in [&mut entry.rule, &mut entry.meaning] {
        *text = expand_template(text, &lookup)
            .map_err(|error| PipelineError::Rule(error.render(text)))?;
    }
    Ok(entry)
}

fn parse_file(name: &str, text: &str) -> Result<Vec<SegmentEntry>, PipelineError> {
    let file: SegmentFile = toml::from_str(text).map_err(|error| PipelineError::Segment {
        name: name.to_owned(),
        message: error.to_string(),
    })?;
    Ok(file.segment)
}

/// Name and text of each file of segments, by name.
fn segment_files(directory: &Path) -> Result<Vec<(String, String)>, PipelineError> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Ok(Vec::new());
    };
    let mut files = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let text = fs::read_to_string(&path).map_err(|source| PipelineError::Read {
                path: path.clone(),
                source,
            })?;
            files.push((path.display().to_string(), text));
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests;
