//! Regulars: rules.
