//! Why a file cannot be read at all. Rows that cannot be read are [`crate::Reject`]s instead.

use std::io;
use std::path::PathBuf;

use crate::{Contradiction, Entity, Question};

/// Why a file cannot be read; each message names the file and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The file cannot be opened or read: check that it exists and may be read.
    #[error("cannot read `{file}`: {source}", file = .file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The path is a directory: name the files in it.
    #[error("`{file}` is a directory: name the files in it, such as `{file}/*.csv`", file = .file.display())]
    Directory {
        /// The path.
        file: PathBuf,
    },
    /// A pipe or a device, which can be read once only: save it as a file.
    #[error(
        "`{file}` is a pipe or a device, and a file is read several times: save what comes out of it \
         as a file and name that, such as `COMMAND > orders.csv`",
        file = .file.display()
    )]
    NoFile {
        /// The path.
        file: PathBuf,
    },
    /// Nothing in it: export it again.
    #[error("`{file}` is empty: export it again", file = .file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// A header and no row below it: nothing to import.
    #[error("`{file}` has a header and no rows: there is nothing to import", file = .file.display())]
    HeaderOnly {
        /// The file.
        file: PathBuf,
    },
    /// A file of another kind: convert it.
    #[error("`{file}` is {kind}: {advice}", file = .file.display())]
    WrongType {
        /// The file.
        file: PathBuf,
        /// What it is, with its article.
        kind: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// The compressed data, the Parquet file or the encoding is broken: make the file again.
    #[error("`{file}` is damaged ({detail}): make or download it again", file = .file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where and how.
        detail: String,
    },
    /// A line that is longer than any table has: look at that line.
    #[error(
        "line {line} of `{file}` is longer than {megabytes} MB: is it a table, and is every quote closed?",
        file = .file.display(),
        megabytes = .max_bytes.div_ceil(1 << 20)
    )]
    LineTooLong {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What a line may have at most.
        max_bytes: usize,
    },
    /// More columns than any table has: transpose it, or take ids out of the keys.
    #[error(
        "`{file}` has more than {most} columns (such as `{example}`): a column is a kind of value, \
         not an id or a day; write one row for each of them",
        file = .file.display()
    )]
    TooManyColumns {
        /// The file.
        file: PathBuf,
        /// What a file may have at most.
        most: usize,
        /// The last of them.
        example: String,
    },
    /// A row contradicts what was decided about its column, or needs what nothing decided: say
    /// which it is, or split the file.
    #[error("`{file}`: {contradiction}", file = .file.display())]
    Contradiction {
        /// The file.
        file: PathBuf,
        /// Which row, and what it contradicts.
        contradiction: Box<Contradiction>,
    },
    /// Bytes that neither UTF-8 nor Windows-1252 have: name the encoding or convert the file.
    #[error(
        "`{file}` is neither UTF-8 nor Windows-1252: save it as UTF-8, or name its encoding with `--encoding`",
        file = .file.display()
    )]
    UnknownEncoding {
        /// The file.
        file: PathBuf,
    },
    /// The columns are not those of any kind of file: map them.
    #[error(
        "`{file}` cannot be read as {as_what}: {missing}; its columns are {columns}; {example}",
        file = .file.display(),
        as_what = .entity.map_or("orders, customers, products, ad spend or events", Entity::plural),
    )]
    Unmapped {
        /// The file.
        file: PathBuf,
        /// What the rows were said to be, if anything.
        entity: Option<Entity>,
        /// What is missing, for a person.
        missing: String,
        /// The columns, each in backticks.
        columns: String,
        /// What could be said, with an example.
        example: String,
    },
    /// The columns are as well those of products, whose names are stored in clear, as those of
    /// customers, whose names are sealed: say which they are.
    #[error(
        "`{file}` may hold products or customers (its columns are {columns}): say \
         `--entity customers`, whose names and addresses are sealed, or `--entity products`, whose \
         names are not",
        file = .file.display()
    )]
    ProductsOrCustomers {
        /// The file.
        file: PathBuf,
        /// The columns, each in backticks.
        columns: String,
    },
    /// `--map` or `--columns` names something that is not there.
    #[error("{message}")]
    Mapping {
        /// What, and the nearest name.
        message: String,
    },
    /// Something that the file does not tell must be said.
    #[error("`{file}`: {question}", file = .file.display())]
    Question {
        /// The file.
        file: PathBuf,
        /// The first open question.
        question: Box<Question>,
    },
}
