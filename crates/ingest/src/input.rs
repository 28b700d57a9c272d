//! Where the bytes of a file come from: a path or memory, unpacked and turned into UTF-8.
//!
//! A file is opened several times: to look at its beginning, to look at whole columns where the
//! beginning cannot tell, and to read it. Each time it is streamed.

mod decode;
mod sniff;

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;

pub(crate) use decode::{Unreadable, decide_encoding};
pub(crate) use sniff::{Kind, sniff};

use crate::{Compression, Encoding, IngestError};

/// A file to read: it is opened as often as recognition and reading need.
#[derive(Debug, Clone)]
pub enum Input {
    /// A file of the file system.
    Path(PathBuf),
    /// Bytes in memory, under a name for messages.
    Bytes {
        /// What messages call it.
        name: PathBuf,
        /// Its content.
        bytes: Bytes,
    },
}

impl Input {
    /// What messages call it.
    pub fn name(&self) -> &Path {
        match self {
            Self::Path(path) => path,
            Self::Bytes { name, .. } => name,
        }
    }

    /// Bytes as it is stored.
    pub(crate) fn size(&self) -> Result<u64, IngestError> {
        match self {
            Self::Path(path) => match std::fs::metadata(path) {
                Ok(metadata) if metadata.is_dir() => {
                    Err(IngestError::Directory { file: path.clone() })
                }
                Ok(metadata) if !metadata.is_file() => {
                    Err(IngestError::NoFile { file: path.clone() })
                }
                Ok(metadata) => Ok(metadata.len()),
                Err(source) => Err(IngestError::Io {
                    file: path.clone(),
                    source,
                }),
            },
            Self::Bytes { bytes, .. } => Ok(bytes.len() as u64),
        }
    }

    /// The bytes as they are stored, counted in `read` as they go by.
    pub(crate) fn raw(&self, read: &Arc<AtomicU64>) -> Result<Box<dyn Read + Send>, IngestError> {
        let read = Arc::clone(read);
        Ok(match self {
            Self::Path(path) => {
                let file = File::open(path).map_err(|source| IngestError::Io {
                    file: path.clone(),
                    source,
                })?;
                Box::new(Counted { inner: file, read })
            }
            Self::Bytes { bytes, .. } => Box::new(Counted {
                inner: Cursor::new(bytes.clone()),
                read,
            }),
        })
    }

    /// The bytes without their compression.
    pub(crate) fn unpacked(
        &self,
        compression: Compression,
        read: &Arc<AtomicU64>,
    ) -> Result<Box<dyn Read + Send>, IngestError> {
        let raw = self.raw(read)?;
        Ok(match compression {
            Compression::None => raw,
            Compression::Gzip => Box::new(MultiGzDecoder::new(io::BufReader::new(raw))),
            Compression::Zstd => {
                let decoder = zstd::Decoder::new(raw).map_err(|error| self.failed(error))?;
                Box::new(decoder)
            }
        })
    }

    /// The text, as UTF-8 without a byte order mark. Bytes of a UTF-8 file are passed on as
    /// they are: who takes them checks them row by row.
    pub(crate) fn text(
        &self,
        compression: Compression,
        encoding: Encoding,
        read: &Arc<AtomicU64>,
    ) -> Result<Box<dyn Read + Send>, IngestError> {
        let unpacked = self.unpacked(compression, read)?;
        decode::text(unpacked, encoding).map_err(|error| self.failed(error))
    }

    /// What a failed read of this file means.
    pub(crate) fn failed(&self, error: io::Error) -> IngestError {
        let file = self.name().to_owned();
        match error.kind() {
            // What the decompressors and decoders report of content that they cannot read.
            io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::Other => IngestError::Damaged {
                file,
                detail: error.to_string(),
            },
            _ => IngestError::Io {
                file,
                source: error,
            },
        }
    }
}

impl From<&Path> for Input {
    fn from(path: &Path) -> Self {
        Self::Path(path.to_owned())
    }
}

impl From<PathBuf> for Input {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}

impl From<&PathBuf> for Input {
    fn from(path: &PathBuf) -> Self {
        Self::Path(path.clone())
    }
}

impl From<&Input> for Input {
    fn from(input: &Input) -> Self {
        input.clone()
    }
}

/// Counts the bytes that are read.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Reads until `buffer` holds `limit` bytes or the stream ends.
pub(crate) fn read_up_to(
    stream: &mut dyn Read,
    limit: usize,
    buffer: &mut Vec<u8>,
) -> io::Result<()> {
    let missing = limit.saturating_sub(buffer.len());
    stream.take(missing as u64).read_to_end(buffer).map(|_| ())
}
