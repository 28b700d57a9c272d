//! The commands of the made-up shop.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where the workspace is made.
    #[arg(long, default_value = "regulars-demo")]
    pub(crate) dir: PathBuf,

    /// Number of customers.
    #[arg(long, default_value_t = 5_000)]
    pub(crate) customers: u32,

    /// The shop follows from it.
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,

    /// End when the shop is there, for scripts.
    #[arg(long)]
    pub(crate) exit: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// Directory for the files.
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: PathBuf,

    /// Number of customers.
    #[arg(long, default_value_t = 5_000)]
    pub(crate) customers: u32,

    /// Number of order lines to aim at; by default about twenty for each customer.
    #[arg(long, value_name = "N")]
    pub(crate) order_lines: Option<u64>,

    /// The shop follows from it.
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,

    /// Form of the files.
    #[arg(long, value_enum, default_value_t = FilesAs::Parquet)]
    pub(crate) files: FilesAs,

    /// Put in the faults that real exports have.
    #[arg(long)]
    pub(crate) dirty: bool,

    /// Replace files of the same names.
    #[arg(long)]
    pub(crate) overwrite: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FilesAs {
    /// Apache Parquet.
    Parquet,
    /// CSV.
    Csv,
}
