//! Regulars: ingest.
