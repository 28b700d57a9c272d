//! Regulars: store.
