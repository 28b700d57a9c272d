//! The files of an import: what names and patterns stand for, how each is read, and which were
//! imported before.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use regulars_core::Currency;
use regulars_ingest::{
    Batch, CurrencyReason, Entity, IngestError, ReadOptions, Recognition, Source, open, recognise,
};
use regulars_store::Store;
use regulars_store::log::{ImportedFile, LogRecord, LogRecordKind};
use xxhash_rust::xxh3::Xxh3;

use super::{FileReport, ImportOptions, ImportReport, RepeatPolicy};
use crate::error::PipelineError;
use crate::workspace::Workspace;

/// The files that patterns and names stand for, sorted and each once.
///
/// # Errors
/// When a name or pattern matches nothing.
pub fn expand(names: &[PathBuf]) -> Result<Vec<PathBuf>, PipelineError> {
    let mut files = Vec::new();
    for name in names {
        let text = name.to_string_lossy();
        if text == "-" {
            return Err(IngestError::NoFile { file: name.clone() }.into());
        }
        if name.exists() {
            files.push(name.clone());
            continue;
        }
        let pattern = text.contains(['*', '?', '[']);
        let not_found = || PipelineError::NotFound {
            what: "file",
            name: text.clone().into_owned(),
            hint: match pattern {
                true => ": no file matches the pattern".to_owned(),
                false => String::new(),
            },
        };
        if !pattern {
            return Err(not_found());
        }
        let mut matched: Vec<PathBuf> = glob::glob(&text)
            .map_err(|_| not_found())?
            .filter_map(Result::ok)
            .collect();
        if matched.is_empty() {
            return Err(not_found());
        }
        files.append(&mut matched);
    }
    files.sort();
    files.dedup();
    Ok(files)
}

/// Recognises each file; questions may be open.
///
/// # Errors
/// When one cannot be read, or a pair of `--map` names a column that none has.
pub(crate) fn recognise_all(
    files: &[PathBuf],
    read: &ReadOptions,
) -> Result<Vec<Recognition>, PipelineError> {
    let recognised = |file| Ok::<_, PipelineError>(recognise(file, read)?);
    let all: Vec<Recognition> = files.iter().map(recognised).collect::<Result<_, _>>()?;
    if let Some((first, others)) = all.split_first() {
        let nowhere = |pair: &&String| others.iter().all(|r| r.unused_map.contains(pair));
        if let Some(pair) = first.unused_map.iter().find(nowhere) {
            let columns = all
                .iter()
                .flat_map(|r| &r.columns)
                .map(|c| format!("`{}`", c.name));
            let columns: Vec<String> = columns.take(40).collect();
            let message = format!(
                "`--map {pair}`: no file has that column; there are {}",
                columns.join(", ")
            );
            return Err(IngestError::Mapping { message }.into());
        }
    }
    Ok(all)
}

/// Whatever must be said of any file is asked before the first is read.
pub(super) fn check_questions(recognitions: &[Recognition]) -> Result<(), PipelineError> {
    for recognition in recognitions {
        if let Some(question) = recognition.questions.first() {
            let question = Box::new(question.clone());
            let file = recognition.file.clone();
            return Err(IngestError::Question { file, question }.into());
        }
    }
    Ok(())
}

/// The currency that the first row of the first orders file names, if one does.
///
/// # Errors
/// When a file cannot be read.
pub fn currency_of(
    files: &[PathBuf],
    read: &ReadOptions,
) -> Result<Option<Currency>, PipelineError> {
    for file in files {
        let recognition = recognise(file, read)?;
        if recognition.entity != Entity::Orders || !recognition.questions.is_empty() {
            continue;
        }
        let read = ReadOptions {
            batch_rows: 64,
            ..read.clone()
        };
        if let Some(Batch::Orders(batch)) = open(file, &recognition, &read)?.next_batch()? {
            let is_read_off = recognition.currency_reason != CurrencyReason::Default;
            return Ok(match recognition.source {
                Source::Cdnow => Currency::new("USD").ok(),
                Source::UciOnlineRetail => Currency::new("GBP").ok(),
                _ if batch.names_currency() || is_read_off => Some(batch.currency_of(0)),
                _ => None,
            });
        }
    }
    Ok(None)
}

/// The files, recognised, with what has been imported before left to be skipped.
pub(super) fn sources_of(
    workspace: &Workspace,
    store: &Store,
    files: &[PathBuf],
    options: &ImportOptions,
) -> Result<Vec<SourceFile>, PipelineError> {
    let recognitions = recognise_all(files, &options.read)?;
    check_questions(&recognitions)?;
    let known = known_fingerprints(store)?;
    let mut sources = Vec::new();
    for (path, recognition) in files.iter().zip(recognitions) {
        let fingerprint = fingerprint(workspace, path, options, &recognition)?;
        let repeated = known.contains_key(&fingerprint)
            || sources
                .iter()
                .any(|s: &SourceFile| s.fingerprint == fingerprint);
        let skip = repeated && options.repeats == RepeatPolicy::Skip;
        sources.push(SourceFile {
            path: path.clone(),
            recognition,
            fingerprint,
            skip,
        });
    }
    Ok(sources)
}

/// A file of the import.
pub(super) struct SourceFile {
    pub(super) path: PathBuf,
    pub(super) recognition: Recognition,
    pub(super) fingerprint: String,
    pub(super) skip: bool,
}

impl SourceFile {
    pub(super) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// Whether it holds orders that are to be read.
    pub(super) fn brings_orders(&self) -> bool {
        !self.skip && self.recognition.entity == Entity::Orders
    }

    pub(super) fn report(&self) -> FileReport {
        FileReport {
            file: self.path.clone(),
            entity: self.recognition.entity,
            rows: 0,
            rejected: 0,
            skipped: self.skip,
            future_rows: 0,
            first_future_line: None,
            title_lines: self.recognition.title_lines,
            rows_without_order_id: 0,
        }
    }
}

/// The files that were imported before, by fingerprint.
pub(super) fn known_fingerprints(store: &Store) -> Result<BTreeMap<String, String>, PipelineError> {
    let mut known = BTreeMap::new();
    for (_, record) in store.records_of(LogRecordKind::ImportAdded)? {
        if let LogRecord::ImportAdded(import) = record {
            known.extend(
                import
                    .files
                    .into_iter()
                    .map(|file| (file.fingerprint, file.name)),
            );
        }
    }
    Ok(known)
}

/// Content of a file and how it is read: what must be the same for a file to be a repetition.
pub(super) fn fingerprint(
    workspace: &Workspace,
    path: &Path,
    options: &ImportOptions,
    recognition: &Recognition,
) -> Result<String, PipelineError> {
    let failed = |source| PipelineError::Read {
        path: path.to_owned(),
        source,
    };
    let config = workspace.config();
    let currency = config.workspace.currency;
    let zone = options.read.zone.name();
    let reading = (
        (&options.source, &options.read.event),
        recognition.reading(),
        currency,
        zone,
        &config.rates,
    );
    let mut hasher = Xxh3::new();
    hasher.update(&serde_json::to_vec(&reading).expect("a reading is plain data"));
    // Other rows name nobody then.
    for value in &config.identity.blocked {
        hasher.update(value.as_bytes());
        hasher.update(&[0]);
    }
    let mut file = File::open(path).map_err(failed)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => return Ok(format!("{:032x}", hasher.digest128())),
            read => hasher.update(&buffer[..read]),
        }
    }
}

pub(super) fn imported_files(sources: &[SourceFile], report: &ImportReport) -> Vec<ImportedFile> {
    let taken = sources
        .iter()
        .zip(&report.files)
        .filter(|(source, _)| !source.skip);
    taken
        .map(|(source, report)| ImportedFile {
            name: source.name(),
            fingerprint: source.fingerprint.clone(),
            content: source.recognition.entity.name().to_owned(),
            bytes: std::fs::metadata(&source.path).map_or(0, |metadata| metadata.len()),
            rows: report.rows - report.rejected,
            rejected: report.rejected,
        })
        .collect()
}
