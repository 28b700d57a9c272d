//! Regulars: pipeline.
