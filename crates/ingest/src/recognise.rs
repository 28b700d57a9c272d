//! Recognising a file: its form, whose export it is, what its rows are and which column is
//! which field.
//!
//! ```text
//! first bytes ─► form (compression, encoding, delimiter, header) ─► names of the columns
//!   sample of rows ─► survey (what the cells look like)
//!   names and survey ─► source, entity, column → field
//!   survey, of the whole column where a sample cannot tell ─► conventions, or a question
//! ```
//!
//! Everything is decided before the first row is delivered; what nothing tells is asked
//! ([`Question`](crate::Question)), never guessed row by row.

mod amounts;
mod conventions;
mod form;
mod header;
mod level;
mod mapping;
mod said;
mod samples;
mod source;
mod survey;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use regulars_core::Currency;

use said::Said;
use survey::Survey;

use crate::personal::looks_personal;
use crate::reader::{is_rounded_id, open_rows};
use crate::recognition::Form;
use crate::rows::{Limits, Projection, RowBatch, RowSource};
use crate::value::CurrencySign;
use crate::{
    ColumnInfo, CurrencyReason, DecidedBy, Entity, Field, IngestError, Input, ReadOptions,
    Recognition, Role, RowLevel, SerialDates,
};

/// Rows that a decision looks at before it asks for the whole file.
const SAMPLE_ROWS: usize = 5_000;

/// Recognises a file.
///
/// Reads a sample of it, and the whole of it where the sample cannot tell. Questions that are
/// open stand in the answer; [`crate::open`] refuses them.
///
/// # Errors
/// When the file cannot be read, is of another kind, or its columns are of no kind of rows.
pub fn recognise(
    input: impl Into<Input>,
    options: &ReadOptions,
) -> Result<Recognition, IngestError> {
    let input = input.into();
    let form = form::form(&input, options)?;
    let said = Said::of(&form, options);
    let mut rows = Looking::at(&input, &form, options)?;
    let Some(sample) = rows.next_sample()? else {
        let file = input.name().to_owned();
        return Err(if form.header.is_some() || form.names.is_empty() {
            IngestError::HeaderOnly { file }
        } else {
            IngestError::Empty { file }
        });
    };
    let mut survey = Survey::new(&form);
    survey.add(&sample.rows);
    let (mapped, unused_map) = mapping::map(&input, &form, &survey, &sample.rows, &said)?;
    let columns = mapping::column_infos(&form, &mapped, &survey, &said);
    let decide = |survey: &Survey, by| {
        conventions::decide(columns.clone(), &mapped, survey, &form, &said, by)
    };
    let mut decided = decide(&survey, DecidedBy::Sample);
    if !decided.open.is_empty() {
        // The sample cannot tell: the whole file may.
        let mut whole = survey.clone();
        whole.only(&decided.open);
        while let Some(batch) = rows.next()? {
            whole.add(&batch.rows);
        }
        let sample = std::mem::replace(&mut decided, decide(&whole, DecidedBy::WholeColumn));
        decided.credit(&sample);
    }
    let (mut columns, questions) = (decided.columns, decided.questions);
    let (currency, currency_reason) = currency(&columns, &survey, options.default_currency);
    let (level, level_reason) = level::level(&columns, &mapped, &sample.rows, &said);
    let of_lines = match mapped.entity {
        Entity::Orders => level == RowLevel::Line,
        Entity::Refunds => mapped.has(Field::RefundId) && mapped.has(Field::ProductId),
        Entity::AdSpend | Entity::Products | Entity::Customers | Entity::Events => false,
    };
    if of_lines {
        amounts::settle(&mut columns, &sample.rows);
    }
    let mut recognition = Recognition {
        file: input.name().to_owned(),
        compression: form.compression,
        format: form.format.clone(),
        title_lines: form.title_lines,
        source: mapped.source,
        signature: form.signature.clone(),
        entity: mapped.entity,
        level,
        level_reason,
        currency,
        currency_reason,
        notes: notes(mapped.entity, &columns, &sample, &said),
        statuses: said.now.statuses,
        serial_dates: said.now.serial_dates.unwrap_or(SerialDates::Refuse),
        unused_map,
        columns,
        samples: Vec::new(),
        questions,
        form,
    };
    recognition.samples = samples::samples(&input, &recognition, options)?;
    Ok(recognition)
}

/// The rows of a file while it is being recognised.
struct Looking {
    rows: RowSource,
}

impl Looking {
    fn at(input: &Input, form: &Form, options: &ReadOptions) -> Result<Self, IngestError> {
        let positions = (0..form.names.len()).collect();
        let projection = Projection {
            positions,
            repeating: Vec::new(),
        };
        let read = Arc::new(AtomicU64::new(0));
        let limits = Limits {
            batch_rows: SAMPLE_ROWS,
            max_line_bytes: options.max_line_bytes,
        };
        let rows = open_rows(input, form, &projection, limits, &read)?;
        Ok(Self { rows })
    }

    /// The first batch with rows; `None` when there is none.
    fn next_sample(&mut self) -> Result<Option<RowBatch>, IngestError> {
        let mut first_rejected = None;
        while let Some(batch) = self.next()? {
            if batch.rows.len() > 0 {
                return Ok(Some(batch));
            }
            first_rejected.get_or_insert(batch);
        }
        // Every row is broken: recognition goes on with none, and reading will say why.
        Ok(first_rejected)
    }

    fn next(&mut self) -> Result<Option<RowBatch>, IngestError> {
        self.rows.next_batch()
    }
}

/// The currency of rows that name none: what stands beside the amounts, else the workspace's.
fn currency(
    columns: &[ColumnInfo],
    survey: &Survey,
    default: Currency,
) -> (Currency, CurrencyReason) {
    let mut meant = columns
        .iter()
        .filter(|column| column.field().is_some_and(is_amount))
        .flat_map(|column| survey.signs(column.position))
        .map(|sign: CurrencySign| sign.meant(default));
    let named = columns
        .iter()
        .any(|column| column.field() == Some(Field::Currency));
    match meant.next() {
        Some(first) if !named && meant.all(|other| other == first) => {
            (first, CurrencyReason::Amounts)
        }
        Some(_) | None => (default, CurrencyReason::Default),
    }
}

fn is_amount(field: Field) -> bool {
    field.kind() == crate::field::FieldKind::Amount
}

/// Whether an id is two to four words of letters: `J. DOE`.
fn looks_like_name(id: &str) -> bool {
    let words = id.split_whitespace().count();
    let in_names = |c: char| c.is_alphabetic() || c.is_whitespace() || ".-'’".contains(c);
    (2..=4).contains(&words) && id.chars().all(in_names)
}

/// Things worth knowing that stop nothing.
fn notes(entity: Entity, columns: &[ColumnInfo], sample: &RowBatch, said: &Said) -> Vec<String> {
    let mut notes = Vec::new();
    for column in columns {
        if let Role::Personal(name) = &column.role
            && !looks_personal(&column.name)
        {
            notes.push(format!(
                "`{0}` looks personal and will be sealed; `--map 'trait:{name}={0}'` makes it a trait in clear",
                column.name
            ));
        }
    }
    let column_of = |field| columns.iter().find(|column| column.field() == Some(field));
    if let Some(column) = column_of(Field::CustomerId) {
        let ids = survey::distinct(&sample.rows, column.position, SAMPLE_ROWS);
        if ids.iter().filter(|id| looks_like_name(id)).count() * 2 > ids.len() {
            notes.push(format!(
                "`{}` is taken for the customer's id and looks like names of persons, which an id is not sealed as, and two persons may share: if another column holds the id, say `--map customer_id=COLUMN`",
                column.name
            ));
        }
    }
    if matches!(entity, Entity::Orders | Entity::Refunds)
        && let Some(column) = column_of(Field::ProductId)
    {
        let ids = survey::distinct(&sample.rows, column.position, SAMPLE_ROWS);
        if let Some(rounded) = ids.iter().find(|id| is_rounded_id(id)) {
            notes.push(format!(
                "`{}` holds ids such as `{rounded}`, which a spreadsheet such as Excel rounded: different products may be taken for one; export the file again and import it as it comes",
                column.name
            ));
        }
    }
    if let Some(column) = column_of(Field::Status) {
        let words = survey::distinct(&sample.rows, column.position, 20);
        let meaning = match entity {
            Entity::Refunds => crate::value::refund_status,
            _ => crate::value::status,
        };
        let unknown = words.iter().filter(|word| {
            !crate::value::is_missing(word) && meaning(word, &said.now.statuses).is_none()
        });
        let unknown: Vec<String> = unknown.map(|word| format!("`{word}`")).collect();
        if !unknown.is_empty() {
            notes.push(format!(
                "unknown statuses in `{}`, whose rows will be rejected: {}; say what they mean with `--status 'word=placed'`",
                column.name,
                unknown.join(", ")
            ));
        }
    }
    notes
}
