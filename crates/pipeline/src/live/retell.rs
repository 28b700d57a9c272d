//! What events come to, from the first one on: the same for a customer who is folded anew on the
//! live path and for everyone who is folded from the history and the log.

use std::collections::HashSet;

use regulars_core::{Event, LineRecord, RecordKind, Timestamp, Zone};
use regulars_ingest::tracking::{Limits, flatten_at};
use regulars_profile::{Accounts, Carts, Profile};
use regulars_rules::{Change, LatestEvents, LeafStates, Program, WindowStarts};
use regulars_store::history::SymbolTable;

use super::carts;
use super::orders::Orders;
use super::told::Told;
use super::traits;

/// Declares what `identify` said, by time; gives the time of the last.
pub(crate) fn declare(
    profile: &mut Profile,
    by_time: &[&Told],
    table: &SymbolTable,
    zone: &Zone,
) -> Option<Timestamp> {
    let mut last = None;
    for told in by_time.iter().filter(|told| told.is_identify()) {
        traits::declare(profile, &told.event.properties, table, zone);
        last = Some(told.event.occurred_at);
    }
    last
}

/// Puts the customer into the account of the latest `group` call; gives the time of that.
pub(crate) fn join(
    profile: &mut Profile,
    by_time: &[&Told],
    table: &SymbolTable,
) -> Option<Timestamp> {
    let mut calls = by_time.iter().rev();
    let (event, account) = calls.find_map(|told| Some((&told.event, told.account()?)))?;
    profile.account = table.intern(account);
    Some(event.occurred_at)
}

/// Takes what the `group` calls among some events say of accounts.
pub(crate) fn say(accounts: &mut Accounts, told: &[&Told], table: &SymbolTable, zone: &Zone) {
    for told in told {
        let Some(account) = told.account() else {
            continue;
        };
        let (id, said_at) = (table.intern(account), told.said_at());
        accounts.name(id);
        traits::each(&told.event.properties, table, zone, |name, value| {
            accounts.say(id, table.intern(name), value, said_at);
        });
    }
}

/// Folds what conditions on events remember.
pub(crate) fn fold_events(states: &mut LeafStates, by_time: &[&Told], program: &Program) {
    for told in by_time {
        fold_event(states, told, program, |_| ());
    }
}

/// As [`fold_events`], for states that are evaluated at the `now` of `starts` and later only.
pub(crate) fn fold_events_since(
    states: &mut LeafStates,
    by_time: &[&Told],
    program: &Program,
    starts: &WindowStarts,
) {
    for told in by_time {
        with_event(told, program, |event| {
            program.fold_event_since(states, event, starts);
        });
    }
}

/// Of each value of events the latest event that it took in.
pub(crate) fn latest_events(by_time: &[&Told], program: &Program) -> LatestEvents {
    let mut latest = LatestEvents::default();
    for told in by_time {
        with_event(told, program, |event| {
            program.note_event(&mut latest, event);
        });
    }
    latest
}

/// Folds an event into what conditions on events remember; gives what it changed to `each`.
pub(super) fn fold_event(
    states: &mut LeafStates,
    told: &Told,
    program: &Program,
    each: impl FnMut(Change),
) {
    with_event(told, program, |event| {
        program.fold_event_with(states, event, each);
    });
}

/// Hands an event that conditions look at to `fold`, with the properties that they ask for.
fn with_event(told: &Told, program: &Program, fold: impl FnOnce(&Event<'_>)) {
    let event = &told.event;
    let Some(paths) = program.reads(event.kind, &event.name) else {
        return;
    };
    fold(&Event {
        kind: event.kind,
        name: &event.name,
        occurred_at: event.occurred_at,
        received_at: event.received_at,
        properties: &flatten_at(&event.properties, &Limits::default(), paths),
    });
}

/// The carts that events leave; orders of the history among `records` end those before them.
pub(crate) fn carts_of(
    by_time: &[&Told],
    records: &[LineRecord],
    orders: &Orders,
    table: &SymbolTable,
) -> Carts {
    let mut carts = Carts::default();
    changes_of(by_time, records, orders, table, |change| {
        change.apply(&mut carts, orders.cart_open_ms());
    });
    carts
}

/// Gives every change of carts to `each`, by time.
pub(super) fn changes_of(
    by_time: &[&Told],
    records: &[LineRecord],
    orders: &Orders,
    table: &SymbolTable,
    mut each: impl FnMut(carts::Change),
) {
    let offsets: HashSet<u64> = by_time.iter().map(|told| told.offset).collect();
    let imported =
        |line: &&LineRecord| line.kind == RecordKind::Sale && !offsets.contains(&line.import);
    let of_history = records.iter().filter(imported);
    let mut ordered_at: Vec<Timestamp> = of_history.map(|line| line.occurred_at).collect();
    ordered_at.dedup();
    let mut ordered = ordered_at.into_iter().peekable();
    for told in by_time {
        while let Some(at) = ordered.next_if(|&at| at <= told.event.occurred_at) {
            each(carts::Change::ordered(at));
        }
        if let Some(change) = carts::of(told, orders, table) {
            each(change);
        }
    }
    ordered.map(carts::Change::ordered).for_each(each);
}
