//! Regulars: stats.
