use std::path::Path;

use regulars_core::{Cause, Direction, Transition, TransitionId};
use tempfile::TempDir;

use super::*;
use crate::StoreOptions;
use crate::log::Found;
use crate::store::Frame;

fn open(dir: &Path) -> Store {
    // Small segments: a move empties some.
    Store::open_as(dir, &StoreOptions::default(), Access::Write, 500).unwrap()
}

fn transition(number: u64) -> Transition {
    Transition {
        id: TransitionId(u128::from(number)),
        customer: CustomerId(number % 3),
        segment: SegmentName::new("loyal").unwrap(),
        version: 1,
        sequence: number,
        direction: Direction::Entered,
        occurred_at: Timestamp(number as i64),
        recorded_at: Timestamp(number as i64),
        cause: Cause::Time,
    }
}

/// A store in whose log lie the transitions 0 to 19.
fn store(directory: &TempDir) -> Store {
    Store::create(directory.path(), &StoreOptions::default()).unwrap();
    let mut store = open(directory.path());
    for number in 0..20 {
        let mut frame = Frame::default();
        frame.found(&Found {
            folded_to: 0,
            now: Timestamp::MIN,
            transitions: vec![transition(number)],
        });
        store.append(&frame).unwrap();
    }
    store
}

fn move_all(store: &mut Store) {
    let begun = store.begin_move(u64::MAX).unwrap().unwrap();
    let files = begun.read().unwrap().write(&[]).unwrap();
    store
        .finish_move(files, Timestamp(0), Timestamp(9))
        .unwrap();
}

fn sequences(store: &Store) -> Result<Vec<u64>, StoreError> {
    let rows = store.transitions(&WantedTransitions::default(), usize::MAX)?;
    Ok(rows.iter().map(|row| row.transition.sequence).collect())
}

#[test]
fn what_was_moved_meanwhile_is_missing_and_a_new_reader_has_it() {
    let directory = TempDir::new().unwrap();
    let mut store = store(&directory);
    let all: Vec<u64> = (0..20).rev().collect();
    let before = store.beside();
    assert_eq!(sequences(&before).unwrap(), all);
    move_all(&mut store);
    assert!(matches!(sequences(&before), Err(StoreError::Missing(_))));
    assert_eq!(sequences(&store.beside()).unwrap(), all);
}

#[test]
fn a_reader_beside_ends_where_it_was_made_and_keeps_nobody_out() {
    let directory = TempDir::new().unwrap();
    let mut store = store(&directory);
    let before = store.beside();
    let mut frame = Frame::default();
    frame.found(&Found {
        folded_to: 0,
        now: Timestamp::MIN,
        transitions: vec![transition(20)],
    });
    store.append(&frame).unwrap();
    drop(store);
    let again = open(directory.path());
    assert_eq!(sequences(&before).unwrap().first(), Some(&19));
    assert_eq!(sequences(&again.beside()).unwrap().first(), Some(&20));
    let mut before = before;
    let refused = before.append(&Frame::default());
    assert!(matches!(refused, Err(StoreError::ReadOnly(_))));
}

#[test]
fn a_place_comes_back_from_its_text() {
    let place = TransitionPlace {
        offset: u64::MAX,
        number: 7,
    };
    assert_eq!(place.to_string().parse(), Ok(place));
    for other in ["", "1", "1.", ".1", "-1.0", "1.2.3", "1.99999999999"] {
        assert!(other.parse::<TransitionPlace>().is_err(), "{other}");
    }
}
