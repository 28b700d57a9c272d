//! Who moved into or out of which segment, in the order of the log.
//!
//! | column | type | meaning |
//! |---|---|---|
//! | `log_offset` | u64 | offset of the record that held it |
//! | `number` | u32 | its place in that record, from 0 |
//! | `id` | text | identity of the transition, 32 hexadecimal digits |
//! | `customer_id` | u64 | canonical id of the customer then |
//! | `segment` | text | name of the segment |
//! | `version` | u32 | which definition of the segment, from 1 |
//! | `sequence` | u64 | which transition of this customer and segment, from 1 |
//! | `direction` | text | `entered`, `exited` |
//! | `occurred_at`, `recorded_at` | timestamp (ms, UTC) | instant of the flip; time of what found it |
//! | `cause` | text | why, a JSON object |

use std::collections::VecDeque;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, RecordBatch, StringArray, TimestampMillisecondArray, UInt32Array,
    UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowPredicate, ArrowPredicateFn, RowFilter};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;
use parquet::schema::types::SchemaDescriptor;
use regulars_core::{CustomerId, Direction, SegmentName, Timestamp, Transition};

use crate::tables::{self, TableRow, column};
use crate::{StoreError, WantedTransitions};

/// A transition with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransitionRow {
    /// Where it was recorded.
    pub place: TransitionPlace,
    /// The transition.
    pub transition: Transition,
}

/// Where a transition was recorded: later ones have greater places. As text `OFFSET.NUMBER`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransitionPlace {
    /// Offset in the log of the record that held it.
    pub offset: u64,
    /// Its place in that record, from 0.
    pub number: u32,
}

impl fmt::Display for TransitionPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.offset, self.number)
    }
}

/// A text that is no place of a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a place of a transition is two numbers with a point between them")]
pub struct NotAPlace;

impl FromStr for TransitionPlace {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let (offset, number) = text.split_once('.').ok_or(NotAPlace)?;
        Ok(Self {
            offset: offset.parse().map_err(|_| NotAPlace)?,
            number: number.parse().map_err(|_| NotAPlace)?,
        })
    }
}

impl TransitionRow {
    /// The transitions of a record of the log, in order.
    pub fn of_record(offset: u64, transitions: Vec<Transition>) -> impl Iterator<Item = Self> {
        let numbered = (0..).zip(transitions);
        numbered.map(move |(number, transition)| Self {
            place: TransitionPlace { offset, number },
            transition,
        })
    }
}

fn direction_text(direction: Direction) -> &'static str {
    match direction {
        Direction::Entered => "entered",
        Direction::Exited => "exited",
    }
}

fn unreadable(error: impl std::fmt::Display) -> ArrowError {
    ArrowError::ParseError(error.to_string())
}

impl TableRow for TransitionRow {
    const FORMAT: &'static str = "transitions";

    fn schema() -> Schema {
        let instant = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
        Schema::new(vec![
            Field::new("log_offset", DataType::UInt64, false),
            Field::new("number", DataType::UInt32, false),
            Field::new("id", DataType::Utf8, false),
            Field::new("customer_id", DataType::UInt64, false),
            Field::new("segment", DataType::Utf8, false),
            Field::new("version", DataType::UInt32, false),
            Field::new("sequence", DataType::UInt64, false),
            Field::new("direction", DataType::Utf8, false),
            Field::new("occurred_at", instant.clone(), false),
            Field::new("recorded_at", instant, false),
            Field::new("cause", DataType::Utf8, false),
        ])
    }

    fn to_batch(rows: &[Self], schema: SchemaRef) -> Result<RecordBatch, ArrowError> {
        let u64s = |get: fn(&Self) -> u64| -> ArrayRef {
            Arc::new(UInt64Array::from_iter_values(rows.iter().map(get)))
        };
        let u32s = |get: fn(&Self) -> u32| -> ArrayRef {
            Arc::new(UInt32Array::from_iter_values(rows.iter().map(get)))
        };
        let instants = |get: fn(&Self) -> Timestamp| -> ArrayRef {
            let values = rows.iter().map(|row| get(row).0);
            let values = TimestampMillisecondArray::from_iter_values(values);
            Arc::new(values.with_timezone("UTC"))
        };
        let texts = |get: fn(&Transition) -> String| -> ArrayRef {
            let texts = rows.iter().map(|row| get(&row.transition));
            Arc::new(StringArray::from_iter_values(texts))
        };
        let columns = vec![
            u64s(|row| row.place.offset),
            u32s(|row| row.place.number),
            texts(|transition| transition.id.to_string()),
            u64s(|row| row.transition.customer.0),
            texts(|transition| transition.segment.to_string()),
            u32s(|row| row.transition.version),
            u64s(|row| row.transition.sequence),
            texts(|transition| direction_text(transition.direction).to_owned()),
            instants(|row| row.transition.occurred_at),
            instants(|row| row.transition.recorded_at),
            texts(|transition| {
                serde_json::to_string(&transition.cause).expect("a cause has text keys only")
            }),
        ];
        RecordBatch::try_new(schema, columns)
    }

    fn from_batch(batch: &RecordBatch, into: &mut Vec<Self>) -> Result<(), ArrowError> {
        let offsets: &UInt64Array = column(batch, "log_offset")?;
        let numbers: &UInt32Array = column(batch, "number")?;
        let ids: &StringArray = column(batch, "id")?;
        let customers: &UInt64Array = column(batch, "customer_id")?;
        let segments: &StringArray = column(batch, "segment")?;
        let versions: &UInt32Array = column(batch, "version")?;
        let sequences: &UInt64Array = column(batch, "sequence")?;
        let directions: &StringArray = column(batch, "direction")?;
        let occurred_at: &TimestampMillisecondArray = column(batch, "occurred_at")?;
        let recorded_at: &TimestampMillisecondArray = column(batch, "recorded_at")?;
        let causes: &StringArray = column(batch, "cause")?;
        for row in 0..batch.num_rows() {
            let direction = match directions.value(row) {
                "entered" => Direction::Entered,
                "exited" => Direction::Exited,
                other => return Err(unreadable(format!("`{other}` is no direction"))),
            };
            into.push(Self {
                place: TransitionPlace {
                    offset: offsets.value(row),
                    number: numbers.value(row),
                },
                transition: Transition {
                    id: ids.value(row).parse().map_err(unreadable)?,
                    customer: CustomerId(customers.value(row)),
                    segment: SegmentName::new(segments.value(row)).map_err(unreadable)?,
                    version: versions.value(row),
                    sequence: sequences.value(row),
                    direction,
                    occurred_at: Timestamp(occurred_at.value(row)),
                    recorded_at: Timestamp(recorded_at.value(row)),
                    cause: serde_json::from_str(causes.value(row)).map_err(unreadable)?,
                },
            });
        }
        Ok(())
    }
}

/// Adds the latest transitions of a file that are wanted, the latest first, until there are `most`.
///
/// # Errors
/// When the file is missing, damaged or of an unknown version.
pub(crate) fn latest(
    path: &Path,
    wanted: &WantedTransitions,
    most: usize,
    found: &mut Vec<TransitionRow>,
) -> Result<(), StoreError> {
    let groups = tables::open::<TransitionRow>(path)?
        .metadata()
        .num_row_groups();
    for group in (0..groups).rev() {
        if found.len() >= most {
            break;
        }
        // A reader goes through its groups forwards, so that each has one of its own.
        let builder = tables::open::<TransitionRow>(path)?;
        if !may_hold(builder.metadata().row_group(group), wanted) {
            continue;
        }
        let filter = filter(builder.parquet_schema(), wanted);
        let reader = builder.with_row_groups(vec![group]).with_row_filter(filter);
        let reader = reader.build().map_err(StoreError::parquet(path))?;
        let room = most - found.len();
        let mut rows = VecDeque::new();
        for batch in reader {
            let batch = batch.map_err(StoreError::parquet(path))?;
            let mut read = Vec::new();
            TransitionRow::from_batch(&batch, &mut read).map_err(StoreError::parquet(path))?;
            rows.extend(read);
            rows.drain(..rows.len().saturating_sub(room));
        }
        found.extend(rows.into_iter().rev());
    }
    Ok(())
}

/// False when the statistics of a group of rows say that none of them is wanted.
fn may_hold(group: &RowGroupMetaData, wanted: &WantedTransitions) -> bool {
    let column = |name: &str| {
        let columns = group.columns().iter();
        let mut named = columns.filter(|column| column.column_descr().name() == name);
        match named.next()?.statistics()? {
            Statistics::Int64(values) => Some((*values.min_opt()?, *values.max_opt()?)),
            _ => None,
        }
    };
    let is_before = |before: TransitionPlace| {
        let first = column("log_offset").and_then(|(first, _)| u64::try_from(first).ok());
        first.is_none_or(|first| first <= before.offset)
    };
    let is_within = |(first, last): (i64, i64)| {
        Timestamp(first) <= wanted.until && Timestamp(last) >= wanted.since
    };
    wanted.before.is_none_or(is_before) && column("recorded_at").is_none_or(is_within)
}

/// Reads the other columns of rows only that are wanted.
fn filter(schema: &SchemaDescriptor, wanted: &WantedTransitions) -> RowFilter {
    let mask = |names: &[&str]| ProjectionMask::columns(schema, names.iter().copied());
    let mut filters: Vec<Box<dyn ArrowPredicate>> = Vec::new();
    if let Some(customers) = wanted.customers.clone() {
        let takes = move |batch: RecordBatch| {
            let ids: &UInt64Array = column(&batch, "customer_id")?;
            let takes = |&id: &u64| Some(customers.contains(&CustomerId(id)));
            Ok(ids.values().iter().map(takes).collect::<BooleanArray>())
        };
        filters.push(Box::new(ArrowPredicateFn::new(
            mask(&["customer_id"]),
            takes,
        )));
    }
    if let Some(segment) = wanted.segment.clone() {
        let takes = move |batch: RecordBatch| {
            let names: &StringArray = column(&batch, "segment")?;
            let takes = |name: Option<&str>| Some(name == Some(segment.as_str()));
            Ok(names.iter().map(takes).collect::<BooleanArray>())
        };
        filters.push(Box::new(ArrowPredicateFn::new(mask(&["segment"]), takes)));
    }
    if let Some(before) = wanted.before {
        let takes = move |batch: RecordBatch| {
            let offsets: &UInt64Array = column(&batch, "log_offset")?;
            let numbers: &UInt32Array = column(&batch, "number")?;
            let places = offsets.values().iter().zip(numbers.values());
            let takes = |(&offset, &number)| Some(TransitionPlace { offset, number } < before);
            Ok(places.map(takes).collect::<BooleanArray>())
        };
        let columns = mask(&["log_offset", "number"]);
        filters.push(Box::new(ArrowPredicateFn::new(columns, takes)));
    }
    let wanted_at = wanted.since..=wanted.until;
    if wanted_at != (Timestamp::MIN..=Timestamp::MAX) {
        let takes = move |batch: RecordBatch| {
            let times: &TimestampMillisecondArray = column(&batch, "recorded_at")?;
            let takes = |&at: &i64| Some(wanted_at.contains(&Timestamp(at)));
            Ok(times.values().iter().map(takes).collect::<BooleanArray>())
        };
        filters.push(Box::new(ArrowPredicateFn::new(
            mask(&["recorded_at"]),
            takes,
        )));
    }
    RowFilter::new(filters)
}
