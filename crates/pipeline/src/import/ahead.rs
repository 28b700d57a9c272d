//! A file is parsed while what was parsed before is taken in.

use std::sync::mpsc::sync_channel;

use regulars_ingest::{Batch, Reader};

use crate::error::PipelineError;
use crate::progress::Progress;

/// Batches that may wait to be taken in.
const BATCHES_AHEAD: usize = 4;

/// Gives every batch of `reader` to `each`, while a thread of its own reads the next ones.
pub(super) fn ahead(
    mut reader: Reader,
    progress: &dyn Progress,
    each: &mut dyn FnMut(Batch) -> Result<(), PipelineError>,
) -> Result<(), PipelineError> {
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(BATCHES_AHEAD);
        let parsing = scope.spawn(move || -> Result<(), PipelineError> {
            while let Some(batch) = reader.next_batch()? {
                // The other side hangs up when it fails; its own error is the one that counts.
                if sender.send((batch, reader.progress().bytes_read)).is_err() {
                    break;
                }
            }
            Ok(())
        });
        for (batch, bytes_read) in receiver {
            each(batch)?;
            progress.advance(bytes_read);
        }
        parsing.join().expect("a reader does not panic")
    })
}
