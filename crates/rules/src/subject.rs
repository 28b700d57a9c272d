//! A customer as a program sees it: values of traits at any instant, and how they move.
//!
//! The `profile` crate implements it; orders come in through [`Program::fold`], events through
//! [`Program::fold_event`] instead.
//!
//! [`Program::fold`]: crate::Program::fold
//! [`Program::fold_event`]: crate::Program::fold_event

use regulars_core::{Cart, Motion, Timestamp, Trait, TraitValue};

/// What is known of one customer besides the folded orders and events.
pub trait Subject {
    /// Value of a standard trait at `now`, for any `now` at or after the last thing known of the
    /// customer, when nothing happens until then.
    fn value(&self, which: Trait, now: Timestamp) -> TraitValue<'_>;

    /// Value of a declared trait: a column of the customers file. It does not move.
    fn declared(&self, name: &str) -> TraitValue<'_>;

    /// Value of a trait of the account that the customer belongs to. It does not move.
    fn account(&self, name: &str) -> TraitValue<'_>;

    /// How the value moves while nothing happens.
    fn motion(&self, which: Trait) -> Motion;

    /// The first instant after `now` at which the value may jump; asked for [`Motion::Steps`]
    /// only. `None` when it stays as it is.
    fn next_step_after(&self, which: Trait, now: Timestamp) -> Option<Timestamp>;

    /// The customer's carts, none changed later than the last thing known of the customer. Those
    /// that are no longer open at `now` are passed over. None unless said otherwise.
    fn carts(&self) -> &[Cart] {
        &[]
    }
}
