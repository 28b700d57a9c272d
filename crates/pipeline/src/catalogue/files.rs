//! Files of segments: the ready-made ones and those of the workspace.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use regulars_core::SegmentName;
use regulars_rules::{expand_template, parse_template};
use serde::{Deserialize, Serialize};

use super::Origin;
use crate::config::Config;
use crate::error::PipelineError;

const READY_MADE: [(&str, &str); 7] = [
    ("lifecycle", include_str!("../../catalogue/lifecycle.toml")),
    ("value", include_str!("../../catalogue/value.toml")),
    ("price", include_str!("../../catalogue/price.toml")),
    ("rhythm", include_str!("../../catalogue/rhythm.toml")),
    ("churn", include_str!("../../catalogue/churn.toml")),
    ("live", include_str!("../../catalogue/live.toml")),
    ("rfm", include_str!("../../catalogue/rfm.toml")),
];

/// A segment as a file tells it.
pub(super) struct Entry {
    pub(super) family: String,
    pub(super) origin: Origin,
    /// The file of a segment of the workspace.
    pub(super) file: Option<String>,
    pub(super) entry: SegmentEntry,
}

/// Family of the segments of a workspace.
pub(super) const OWN: &str = "own";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SegmentFile {
    #[serde(default)]
    pub(super) segment: Vec<SegmentEntry>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SegmentEntry {
    pub(super) name: SegmentName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
    pub(super) rule: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) meaning: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) play: Vec<String>,
}

/// The ready-made segments, and those of the files in `directory` if it exists: a name of both is the
/// workspace's.
pub(super) fn entries(
    config: &Config,
    directory: Option<&Path>,
) -> Result<Vec<Entry>, PipelineError> {
    let mut entries: Vec<Entry> = Vec::new();
    for (family, text) in READY_MADE {
        for entry in parse_file(family, text)? {
            entries.push(Entry {
                family: family.to_owned(),
                origin: Origin::ReadyMade,
                file: None,
                entry: expanded(entry, config)?,
            });
        }
    }
    let files = directory.map(segment_files).transpose()?;
    for (file, text) in files.unwrap_or_default() {
        for entry in parse_file(&file, &text)? {
            let known = entries
                .iter()
                .position(|known| known.entry.name == entry.name);
            let own = Entry {
                family: OWN.to_owned(),
                origin: Origin::Workspace,
                file: Some(file.clone()),
                entry,
            };
            match known {
                Some(index) if entries[index].origin == Origin::ReadyMade => entries[index] = own,
                Some(index) => {
                    let first = entries[index].file.as_deref().unwrap_or_default();
                    let message = if first == file {
                        format!("defined twice in `{file}`: keep one of them")
                    } else {
                        format!("defined in `{first}` and in `{file}`: keep one of them")
                    };
                    return Err(PipelineError::Segment {
                        name: own.entry.name.to_string(),
                        message,
                    });
                }
                None => entries.push(own),
            }
        }
    }
    Ok(entries)
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

pub(super) fn parse_file(name: &str, text: &str) -> Result<Vec<SegmentEntry>, PipelineError> {
    let file: SegmentFile = toml::from_str(text).map_err(|error| PipelineError::Config {
        path: name.into(),
        message: error.to_string(),
    })?;
    Ok(file.segment)
}

/// Name and text of each file of segments, by name; none when there is no such directory.
pub(super) fn segment_files(directory: &Path) -> Result<Vec<(String, String)>, PipelineError> {
    let unread = |path: &Path| {
        let path = path.to_owned();
        move |source| PipelineError::Read { path, source }
    };
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unread(directory)(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(unread(directory))?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let text = fs::read_to_string(&path).map_err(unread(&path))?;
            files.push((path.display().to_string(), text));
        }
    }
    files.sort();
    Ok(files)
}
