//! The flows on real and made-up data, from files to figures.

mod cdnow;
mod dirty;
mod repeat;
mod scratch;
mod segments;
