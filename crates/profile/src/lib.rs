//! Regulars: profile.
