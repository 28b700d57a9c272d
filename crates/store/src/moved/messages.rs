//! Which messages arrived when: what a repeat of the last days is told from a new event by.
//!
//! | column | type | meaning |
//! |---|---|---|
//! | `received_at` | timestamp (ms, UTC) | when the event arrived |
//! | `message` | 16 bytes | hash of what makes it the same event when it is sent again, big-endian |

use std::sync::Arc;

use arrow::array::{
    ArrayRef, FixedSizeBinaryArray, FixedSizeBinaryBuilder, RecordBatch, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use regulars_core::Timestamp;

use crate::tables::{TableRow, column};

/// A message that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MessageRow {
    pub(crate) received_at: Timestamp,
    pub(crate) message: u128,
}

impl TableRow for MessageRow {
    const FORMAT: &'static str = "messages";

    fn schema() -> Schema {
        let instant = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
        Schema::new(vec![
            Field::new("received_at", instant, false),
            Field::new("message", DataType::FixedSizeBinary(16), false),
        ])
    }

    fn to_batch(rows: &[Self], schema: SchemaRef) -> Result<RecordBatch, ArrowError> {
        let received_at = rows.iter().map(|row| row.received_at.0);
        let received_at = TimestampMillisecondArray::from_iter_values(received_at);
        let mut messages = FixedSizeBinaryBuilder::with_capacity(rows.len(), 16);
        for row in rows {
            messages.append_value(row.message.to_be_bytes())?;
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(received_at.with_timezone("UTC")),
            Arc::new(messages.finish()),
        ];
        RecordBatch::try_new(schema, columns)
    }

    fn from_batch(batch: &RecordBatch, into: &mut Vec<Self>) -> Result<(), ArrowError> {
        let received_at: &TimestampMillisecondArray = column(batch, "received_at")?;
        let messages: &FixedSizeBinaryArray = column(batch, "message")?;
        for row in 0..batch.num_rows() {
            let message = messages.value(row).try_into();
            let message = message.map_err(|_| {
                ArrowError::SchemaError("a message is not 16 bytes long".to_owned())
            })?;
            into.push(Self {
                received_at: Timestamp(received_at.value(row)),
                message: u128::from_be_bytes(message),
            });
        }
        Ok(())
    }
}
