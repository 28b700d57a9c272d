//! `mappings.toml`: what was said of files, kept for the next file with the same header.
//!
//! An entry is written after an import that was told something; it is read where nothing is said.
//! The file may be edited or deleted by hand. A version that this program does not know is
//! refused: to skip it would be to forget it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use regulars_core::OrderStatus;
use regulars_ingest::{
    ColumnInfo, DateOrder, DecimalMark, Entity, Field, ReadOptions, Recognition, Remembered,
    RowLevel, SerialDates,
};
use serde::{Deserialize, Serialize};

use crate::error::PipelineError;
use crate::workspace::Workspace;

/// Name of the file, beside `regulars.toml`.
const FILE: &str = "mappings.toml";
const VERSION: u32 = 1;
const HEAD: &str = "# What `regulars import` was told of files, by their header: it counts for the next file with\n# the same header. Edit or delete entries as you like; options of an import come first.\n";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    #[serde(default, rename = "file")]
    entries: Vec<Entry>,
}

/// What was said of one kind of file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// [`Recognition::signature`].
    signature: String,
    /// The last file of the kind, for the reader.
    last: String,
    entity: Option<Entity>,
    columns: Option<Vec<String>>,
    date_order: Option<DateOrder>,
    bare_numbers: Option<SerialDates>,
    decimal: Option<DecimalMark>,
    level: Option<RowLevel>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    map: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    traits: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    status: BTreeMap<String, OrderStatus>,
}

/// What was said before, by signature.
///
/// # Errors
/// When the file is there and cannot be read, or is of another version.
pub(crate) fn load(workspace: &Workspace) -> Result<BTreeMap<String, Remembered>, PipelineError> {
    let path = path(workspace);
    let wrong = |message: String| PipelineError::Config {
        path: path.clone(),
        message,
    };
    let mut remembered = BTreeMap::new();
    for entry in read(&path)? {
        let signature = entry.signature.clone();
        remembered.insert(signature, entry.into_remembered().map_err(wrong)?);
    }
    Ok(remembered)
}

/// Keeps what an import was told of its files; what it says replaces what was kept.
///
/// # Errors
/// When the file cannot be read or written; the import itself stands.
pub(crate) fn keep(
    workspace: &Workspace,
    recognitions: &[&Recognition],
    said: &ReadOptions,
) -> Result<(), PipelineError> {
    let path = path(workspace);
    let mut entries = read(&path)?;
    let mut changed = false;
    for recognition in recognitions {
        let Some(new) = Entry::of(recognition, said) else {
            continue;
        };
        changed = true;
        match entries
            .iter_mut()
            .find(|entry| entry.signature == new.signature)
        {
            Some(known) => known.update(new),
            None => entries.push(new),
        }
    }
    if !changed {
        return Ok(());
    }
    let document = Document {
        version: VERSION,
        entries,
    };
    let text = toml::to_string(&document).expect("mappings are plain data");
    let written = path.with_extension("toml.new");
    fs::write(&written, format!("{HEAD}{text}"))
        .and_then(|()| fs::rename(&written, &path))
        .map_err(|source| PipelineError::Write { path, source })
}

fn path(workspace: &Workspace) -> PathBuf {
    workspace.root().join(FILE)
}

fn read(path: &Path) -> Result<Vec<Entry>, PipelineError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            let path = path.to_owned();
            return Err(PipelineError::Read { path, source });
        }
    };
    let wrong = |message: String| PipelineError::Config {
        path: path.to_owned(),
        message,
    };
    // The version first: what another one looks like is not known here.
    let table: toml::Table = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    match table.get("version").and_then(toml::Value::as_integer) {
        Some(version) if version == i64::from(VERSION) => {}
        Some(version) => {
            return Err(wrong(format!(
                "version {version} is not known to this program (it writes {VERSION}): take a newer one, or move the file away"
            )));
        }
        None => return Err(wrong(format!("`version = {VERSION}` is missing"))),
    }
    let document: Document = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    Ok(document.entries)
}

impl Entry {
    /// What was said of a file; `None` when nothing was.
    fn of(recognition: &Recognition, said: &ReadOptions) -> Option<Self> {
        let unused = |pair: String| recognition.unused_map.contains(&pair);
        let map = said.map.iter().filter(|(f, c)| !unused(format!("{f}={c}")));
        let traits = said
            .traits
            .iter()
            .filter(|(t, c)| !unused(format!("trait:{t}={c}")));
        let columns = said.columns.as_ref().map(|columns| {
            let name = |column: &Option<String>| column.clone().unwrap_or_else(|| "-".to_owned());
            columns.iter().map(name).collect()
        });
        let last = recognition.file.file_name().unwrap_or_default();
        // What a file has no use for is not said of it.
        let any = |uses: fn(&ColumnInfo) -> bool| recognition.columns.iter().any(uses);
        let has_status = recognition.column_of(Field::Status).is_some();
        let statuses = said.statuses.iter().filter(|_| has_status);
        let orders = recognition.entity == Entity::Orders;
        let entry = Self {
            signature: recognition.signature.clone(),
            last: last.to_string_lossy().into_owned(),
            entity: said.entity,
            columns,
            date_order: said.date_order.filter(|_| any(|c| c.date_order.is_some())),
            bare_numbers: said.serial_dates,
            decimal: said.decimal.filter(|_| any(|c| c.decimal.is_some())),
            level: said.level.filter(|_| orders),
            map: map.map(|(f, c)| (f.name().to_owned(), c.clone())).collect(),
            traits: traits.cloned().collect(),
            status: statuses.cloned().collect(),
        };
        let options = entry.entity.is_some()
            || entry.columns.is_some()
            || entry.date_order.is_some()
            || entry.bare_numbers.is_some()
            || entry.decimal.is_some()
            || entry.level.is_some();
        let pairs = entry.map.len() + entry.traits.len() + entry.status.len();
        (options || pairs > 0).then_some(entry)
    }

    fn update(&mut self, new: Self) {
        self.last = new.last;
        self.entity = new.entity.or(self.entity);
        self.columns = new.columns.or(self.columns.take());
        self.date_order = new.date_order.or(self.date_order);
        self.bare_numbers = new.bare_numbers.or(self.bare_numbers);
        self.decimal = new.decimal.or(self.decimal);
        self.level = new.level.or(self.level);
        // A column that is mapped to another field now is not what it was.
        self.map
            .retain(|_, column| !new.map.values().any(|c| c == column));
        self.map.extend(new.map);
        self.traits.extend(new.traits);
        self.status.extend(new.status);
    }

    fn into_remembered(self) -> Result<Remembered, String> {
        let pair = |(field, column): (String, String)| {
            let field = Field::named(&field).map_err(|error| error.to_string())?;
            Ok::<_, String>((field, column))
        };
        let name = |column: String| (column != "-").then_some(column);
        Ok(Remembered {
            entity: self.entity,
            columns: self
                .columns
                .map(|columns| columns.into_iter().map(name).collect()),
            map: self.map.into_iter().map(pair).collect::<Result<_, _>>()?,
            traits: self.traits.into_iter().collect(),
            date_order: self.date_order,
            serial_dates: self.bare_numbers,
            decimal: self.decimal,
            level: self.level,
            statuses: self.status.into_iter().collect(),
        })
    }
}
