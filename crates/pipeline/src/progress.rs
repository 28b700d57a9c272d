//! How a long flow tells what it is doing.

/// Receives what a flow is doing; may be called from several threads.
pub trait Progress: Sync {
    /// A new phase begins; `total` is in `unit` (`bytes`, `customers`, …), 0 when unknown.
    fn begin(&self, phase: &str, total: u64, unit: Unit);

    /// So much of the phase is done.
    fn advance(&self, done: u64);
}

/// What a phase counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes of files.
    Bytes,
    /// Partitions of the history.
    Partitions,
    /// Steps of any kind.
    Steps,
    /// Rows.
    Rows,
    /// Customers.
    Customers,
}

/// Says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _phase: &str, _total: u64, _unit: Unit) {}

    fn advance(&self, _done: u64) {}
}
