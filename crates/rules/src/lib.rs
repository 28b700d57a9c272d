//! The segment language: who belongs to a segment, said once, meant once.
//!
//! ```text
//! text ──parse──► Rule ◄──JSON──        one tree, three forms
//!                  │ check (kinds, names, choices, zone, currency)
//!                  ▼
//!              CheckedRule ── reads, availability
//!                  │ Program::compile (leaves shared, references resolved)
//!                  ▼
//!               Program ── fold(order), fold_event(event) ── evaluate(now) ── next_flip ── explain
//! ```
//!
//! Nothing here does I/O, knows a clock or iterates in hash order. A customer enters through the
//! [`Subject`] trait, orders through [`regulars_core::Order`], events through
//! [`regulars_core::Event`]; `now` is always an argument.
//!
//! What always holds: a comparison with a missing value is false, also `!=`; `not (…)` is
//! two-valued; windows are `(now − W, now]`; sums and distinct counts are exact integers; events
//! may be folded in any order.

mod tree;

mod error;
mod parse;
mod print;
mod template;

mod check;
mod describe;

mod explain;
mod program;
mod subject;

#[cfg(feature = "mutations")]
mod mutation;

pub use check::{Availability, CheckedRule, ComparedWith, Present, Reads, Vocabulary, check};
pub use describe::describe;
pub use error::{RuleError, RuleProblem, nearest};
pub use explain::{ExplainedValue, Explanation, Part};
#[cfg(feature = "mutations")]
pub use mutation::Mutation;
pub use parse::{MAX_DEPTH, MAX_TEXT_BYTES, parse};
pub use program::{
    AccountTruths, Change, CompileError, ExplainedEvent, Keep, LatestEvents, LeafStates,
    Memberships, NamedRule, Program, Scratch, Truths, WindowStarts,
};
pub use subject::Subject;
pub use template::{TemplateError, expand_template, parse_template};
pub use tree::{
    Aggregate, CalendarLength, CartProperty, Carts, CompareOp, Condition, Day, Decimal,
    DecimalError, EventAggregate, EventCall, EventMeasure, EventTime, Events, Filter,
    FilterCondition, Length, LengthError, Literal, LiteralValue, Measure, Operand, OrderTime,
    Period, Property, PropertyPath, Rule, SegmentRef, Sequence, Span, Test, Then, Unit, WhichOrder,
};
