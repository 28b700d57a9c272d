//! A file in memory, recognised and read to its end.

use bytes::Bytes;
use regulars_core::{Currency, Zone};
use regulars_ingest::{
    Batch, IngestError, Input, OrderBatch, ReadOptions, Recognition, Reject, open, recognise,
};

pub(crate) fn options() -> ReadOptions {
    ReadOptions::new(Currency::new("EUR").unwrap(), Zone::named("UTC").unwrap())
}

pub(crate) fn input(name: &str, bytes: impl Into<Vec<u8>>) -> Input {
    Input::Bytes {
        name: name.into(),
        bytes: Bytes::from(bytes.into()),
    }
}

/// A file that was read to its end.
pub(crate) struct Read {
    pub(crate) recognition: Recognition,
    pub(crate) batches: Vec<Batch>,
}

impl Read {
    pub(crate) fn rejected(&self) -> Vec<Reject> {
        let all = self.batches.iter().flat_map(Batch::rejected);
        all.cloned().collect()
    }

    pub(crate) fn rows(&self) -> usize {
        self.batches.iter().map(Batch::len).sum()
    }

    /// What `each` says of every row of an orders file.
    pub(crate) fn orders<T>(&self, each: impl Fn(&OrderBatch, usize) -> T) -> Vec<T> {
        let mut all = Vec::new();
        for batch in &self.batches {
            let Batch::Orders(batch) = batch else {
                panic!("not a file of orders");
            };
            all.extend((0..batch.line.len()).map(|row| each(batch, row)));
        }
        all
    }
}

pub(crate) fn read_with(input: &Input, options: &ReadOptions) -> Result<Read, IngestError> {
    let recognition = recognise(input, options)?;
    let mut reader = open(input, &recognition, options)?;
    let mut batches = Vec::new();
    while let Some(batch) = reader.next_batch()? {
        batches.push(batch);
    }
    Ok(Read {
        recognition,
        batches,
    })
}

pub(crate) fn read(name: &str, text: impl Into<Vec<u8>>) -> Result<Read, IngestError> {
    read_with(&input(name, text), &options())
}

/// The message of a file that cannot be read.
pub(crate) fn refused(name: &str, bytes: impl Into<Vec<u8>>) -> String {
    match read(name, bytes) {
        Ok(_) => "(it was read)".to_owned(),
        Err(error) => error.to_string(),
    }
}
