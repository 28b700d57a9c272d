//! Regulars: testkit.
