//! The binary as a script sees it: output, messages, exit codes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod import;
