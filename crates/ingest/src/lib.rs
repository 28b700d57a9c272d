//! Readers and recognisers of user files: a path in, typed columns out. Bodies of the tracking
//! API are read by [`tracking`].
//!
//! ```text
//! Input ─► recognise ─► Recognition (form, source, entity, column → field, questions)
//!   └────► open(Recognition) ─► Reader ─► Batch, Batch, … (typed columns and rejected rows)
//!
//! inside: bytes ─input─► text ─rows─► cells ─value─► typed columns ─reader─► batch
//! ```
//!
//! Nothing here knows the store. What always holds: a file is streamed, never held whole; a row
//! that cannot be read is rejected with its line and reason and the reading goes on; conventions
//! (day and month, decimal separator) are decided for a whole column, never for a row; personal
//! values are in no error, no reject and no `Debug` output.

mod batch;
mod error;
mod field;
mod input;
mod options;
mod personal;
mod reader;
mod recognise;
mod recognition;
mod rows;
pub mod tracking;
mod value;

pub use batch::{
    AdSpendBatch, Amounts, Batch, CustomerBatch, DeclaredColumn, DeclaredValues, DictColumn,
    EventBatch, Instants, OrderBatch, ProductBatch, RefundBatch, Reject, RejectReason, TextColumn,
};
pub use error::IngestError;
pub use field::{Entity, Field, FieldError, FieldNames, field_table};
pub use input::Input;
pub use options::{
    DateOrder, DecimalMark, Encoding, ReadOptions, Remembered, RowLevel, SerialDates,
};
pub use reader::{Contradiction, Progress, Reader, Tally, open};
pub use recognise::recognise;
pub use recognition::{
    AmountUnit, ColumnInfo, Compression, CurrencyReason, Decided, DecidedBy, DeclaredKind, Example,
    Format, Header, LevelReason, MapReason, Question, Recognition, Role, SampleRow, Source,
};
