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

use std::sync::Arc;

use arrow::array::{
    ArrayRef, RecordBatch, StringArray, TimestampMillisecondArray, UInt32Array, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use regulars_core::{CustomerId, Direction, SegmentName, Timestamp, Transition};

use crate::tables::{TableRow, column};

/// A transition with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TransitionRow {
    pub(crate) offset: u64,
    pub(crate) number: u32,
    pub(crate) transition: Transition,
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
            u64s(|row| row.offset),
            u32s(|row| row.number),
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
                offset: offsets.value(row),
                number: numbers.value(row),
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
