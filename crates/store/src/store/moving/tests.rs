use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use regulars_core::{
    Cause, CustomerId, Direction, EventKind, Partition, SegmentName, Transition, TransitionId,
};
use tempfile::TempDir;

use super::*;
use crate::catalog::Access;
use crate::history::Family;
use crate::inspect::inspect;
use crate::log::{Found, Logged, MergeAccepted, StoredEvent};
use crate::store::Frame;
use crate::vault::{IdentityId, IdentityKind};
use crate::{StoreOptions, WantedTransitions};

fn open(dir: &Path) -> Store {
    Store::open_as(dir, &StoreOptions::default(), Access::Write, 2_000).unwrap()
}

/// What was put into the log, to compare.
#[derive(Default)]
struct Told {
    events: BTreeMap<u64, StoredEvent>,
    /// What the log gives besides events, ticks and identities.
    others: Vec<(u64, Logged)>,
    names: Vec<String>,
}

fn transition(rng: &mut ChaCha8Rng, customer: CustomerId) -> Transition {
    Transition {
        id: TransitionId(rng.random()),
        customer,
        segment: SegmentName::new("loyal").unwrap(),
        version: 1,
        sequence: rng.random_range(1..9),
        direction: Direction::Entered,
        occurred_at: Timestamp(rng.random_range(0..1_000)),
        recorded_at: Timestamp(rng.random_range(0..1_000)),
        cause: Cause::Event {
            offset: rng.random_range(0..99),
            name: "Signed In".to_owned(),
        },
    }
}

fn event(rng: &mut ChaCha8Rng, identity: IdentityId, customer: CustomerId) -> StoredEvent {
    StoredEvent {
        kind: EventKind::Track,
        anonymous: rng.random(),
        identity,
        customer,
        occurred_at: Timestamp(rng.random_range(0..50)),
        received_at: Timestamp(rng.random_range(0..1_000)),
        message: rng.random(),
        name: format!("Event {}", rng.random_range(0..3)).into(),
        properties: "{\"price\":1}".into(),
        context: "{\"locale\":\"de\"}".into(),
        sealed: Box::from(rng.random::<[u8; 3]>()),
    }
}

impl Told {
    /// Appends a frame of random records, and what comes of them.
    fn append(&mut self, store: &mut Store, rng: &mut ChaCha8Rng) {
        let mut frame = Frame::default();
        let mut records = Vec::new();
        for _ in 0..rng.random_range(1..8) {
            let name = format!("c-{}", rng.random_range(0..40));
            let vault = store.live_vault().unwrap();
            let identity = vault
                .lookup_or_mint(IdentityKind::CustomerId, &name)
                .unwrap();
            self.names.push(name);
            let customer = vault.resolve(identity);
            match rng.random_range(0..9) {
                0 => {
                    let found = Found {
                        folded_to: 0,
                        now: Timestamp::MIN,
                        transitions: vec![transition(rng, customer), transition(rng, customer)],
                    };
                    frame.found(&found);
                    records.push(Some(Logged::Found(found)));
                }
                1 => {
                    frame.marks(b"[]");
                    records.push(Some(Logged::Marks(b"[]".to_vec())));
                }
                2 => {
                    frame.tick(Timestamp(5));
                    records.push(None);
                }
                3 => {
                    let merge = MergeAccepted {
                        from: CustomerId(rng.random()),
                        into: customer,
                        recorded_at: Timestamp(3),
                        reason: "test".to_owned(),
                        evidence: None,
                    };
                    let record = LogRecord::MergeAccepted(merge);
                    frame.record(&record);
                    records.push(Some(Logged::Workspace(Box::new(record))));
                }
                _ => {
                    let event = event(rng, identity, customer);
                    frame.event(&event);
                    records.push(Some(Logged::Event(event)));
                }
            }
        }
        let offsets = store.append(&frame).unwrap();
        for (offset, record) in offsets.zip(records) {
            match record {
                Some(Logged::Event(event)) => {
                    self.events.insert(offset, event);
                }
                Some(other) => self.others.push((offset, other)),
                None => {}
            }
        }
    }

    /// Everything is there once, in the history or in the log.
    fn check(&self, store: &Store) {
        let history = store.history();
        let mut events = BTreeMap::new();
        for partition in Partition::all() {
            let files: Vec<_> = history.runs(Family::Events, partition).collect();
            assert!(files.len() <= MOST_FILES, "{}", files.len());
            let paths = history.files(Family::Events);
            let of = |path: &&std::path::PathBuf| {
                let name = path.file_name().unwrap().to_str().unwrap();
                files.iter().any(|run| run.file == name)
            };
            let paths = paths.iter().filter(of).map(std::path::PathBuf::as_path);
            let mut reader = crate::history::WholeEventReader::open(paths).unwrap();
            while let Some(rows) = reader.next_customer().unwrap() {
                let short = history.events_of(rows[0].event.customer).unwrap();
                assert_eq!(short.len(), rows.len());
                for (row, short) in rows.iter().zip(short) {
                    assert_eq!(
                        (row.offset, &row.event.name),
                        (short.offset, &short.event.name)
                    );
                    assert!(
                        events.insert(row.offset, row.event.clone()).is_none(),
                        "twice"
                    );
                }
            }
        }
        assert!(events.keys().all(|&offset| offset < store.moved_to()));
        let mut others = Vec::new();
        for entry in store.logged(0) {
            match entry.unwrap() {
                (offset, Logged::Event(event)) => {
                    assert!(events.insert(offset, event).is_none(), "twice");
                }
                (_, Logged::Tick(_) | Logged::Identities) => {}
                (_, Logged::Workspace(record))
                    if matches!(
                        *record,
                        LogRecord::RecordsMoved(_) | LogRecord::HistoryCompacted(_)
                    ) => {}
                other => others.push(other),
            }
        }
        assert_eq!(events, self.events);
        assert_eq!(others, self.others);
        self.check_transitions(store);
        let vault = store.vault().unwrap();
        for name in &self.names {
            assert!(
                vault.lookup(IdentityKind::CustomerId, name).is_some(),
                "{name}"
            );
        }
    }

    /// A reader beside tells the transitions that are wanted, a page at a time.
    fn check_transitions(&self, store: &Store) {
        let mut all: Vec<TransitionRow> = Vec::new();
        for (offset, record) in &self.others {
            if let Logged::Found(found) = record {
                all.extend(TransitionRow::of_record(*offset, found.transitions.clone()));
            }
        }
        all.reverse();
        let beside = store.beside();
        let some = all.iter().map(|row| row.transition.customer).step_by(3);
        let customers = BTreeSet::from_iter(some);
        let every = WantedTransitions::default;
        let of_segment = |segment| WantedTransitions {
            segment: Some(SegmentName::new(segment).unwrap()),
            ..every()
        };
        let wanted = [
            every(),
            of_segment("loyal"),
            of_segment("new"),
            WantedTransitions {
                customers: Some(customers.clone()),
                ..every()
            },
            WantedTransitions {
                customers: Some(customers),
                since: Timestamp(400),
                ..of_segment("loyal")
            },
            WantedTransitions {
                customers: Some(BTreeSet::new()),
                ..every()
            },
        ];
        for mut wanted in wanted {
            let expected = all.iter().filter(|row| wanted.takes(row));
            let expected: Vec<TransitionRow> = expected.cloned().collect();
            assert_eq!(beside.transitions(&wanted, usize::MAX).unwrap(), expected);
            let mut paged = Vec::new();
            loop {
                let page = beside.transitions(&wanted, 5).unwrap();
                assert!(page.len() <= 5);
                let Some(last) = page.last() else { break };
                wanted.before = Some(last.place);
                paged.extend(page);
            }
            assert_eq!(paged, expected);
        }
    }
}

fn move_to(store: &mut Store, to: u64) {
    if let Some(begun) = store.begin_move(to).unwrap() {
        finish(store, begun);
    }
}

fn finish(store: &mut Store, begun: LogMove) {
    let moving = begun.read().unwrap();
    let vault = store.vault().unwrap();
    let owners: Vec<CustomerId> = moving
        .identities()
        .into_iter()
        .map(|identity| vault.resolve(identity))
        .collect();
    let files = moving.write(&owners).unwrap();
    store
        .finish_move(files, Timestamp(500), Timestamp(9))
        .unwrap();
    let merged = store.run_merges().into_iter();
    let merged = merged.map(|merge| merge.write().unwrap()).collect();
    store.finish_merges(merged, Timestamp(9)).unwrap();
    store.remove_replaced();
}

fn names_in(dir: &Path) -> Vec<String> {
    let files = std::fs::read_dir(dir).unwrap();
    files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn what_is_moved_at_any_offset_is_there_once() {
    for seed in 0..6 {
        let dir = TempDir::new().unwrap();
        let data = dir.path().join("data");
        let mut store = Store::create(&data, &StoreOptions::default()).unwrap();
        drop(store);
        store = open(&data);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut told = Told::default();
        for round in 0..60 {
            told.append(&mut store, &mut rng);
            if rng.random_bool(0.4) {
                let to = rng.random_range(store.moved_to()..=store.next_offset());
                move_to(&mut store, to);
            }
            if rng.random_bool(0.2) {
                drop(store);
                store = open(&data);
                assert_eq!(store.recovery().removed_files, Vec::<String>::new());
            }
            if round % 10 == 9 {
                told.check(&store);
            }
        }
        let to = store.next_offset();
        move_to(&mut store, to);
        told.check(&store);
        let segments = names_in(&data.join("log"));
        assert!(segments.len() <= 2, "{segments:?}");
        // Besides the tables of each kind there are few.
        assert!(names_in(&data.join("tables")).len() < 60);
        drop(store);
        told.check(&open(&data));
    }
}

#[test]
fn a_look_from_outside_knows_what_was_moved() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    drop(Store::create(&data, &StoreOptions::default()).unwrap());
    let mut store = open(&data);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut told = Told::default();
    for _ in 0..40 {
        told.append(&mut store, &mut rng);
    }
    let to = store.next_offset() - 3;
    move_to(&mut store, to);
    for _ in 0..40 {
        told.append(&mut store, &mut rng);
    }
    drop(store);
    let look = || inspect(&data, &StoreOptions::default()).unwrap();
    let found = look();
    assert_eq!(found.findings, []);
    assert!(found.first_offset > 0, "segments went");
    for what in ["transitions-", "messages-", "records-"] {
        let names = names_in(&data.join("tables")).into_iter();
        let name = names.filter(|name| name.starts_with(what)).min().unwrap();
        let path = data.join("tables").join(&name);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(look().is_damaged(), "{name} is cut short");
        std::fs::remove_file(&path).unwrap();
        let found = look();
        let missing = found.findings.iter().find(|found| found.code == "missing");
        let file = missing.and_then(|missing| missing.file.clone());
        assert_eq!(file, Some(format!("tables/{name}")));
        std::fs::write(&path, bytes).unwrap();
    }
    let segments = names_in(&data.join("log")).into_iter();
    std::fs::remove_file(data.join("log").join(segments.min().unwrap())).unwrap();
    let found = look();
    assert!(found.is_damaged() && found.findings[0].code == "log_begins_late");
}

#[test]
fn a_move_that_was_broken_off_is_made_again_over_what_it_left() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let mut store = Store::create(&data, &StoreOptions::default()).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut told = Told::default();
    for _ in 0..20 {
        told.append(&mut store, &mut rng);
    }
    let to = store.next_offset();
    let moving = store.begin_move(to).unwrap().unwrap().read().unwrap();
    let owners = vec![CustomerId(1); moving.identities().len()];
    drop(moving.write(&owners).unwrap());
    told.check(&store);
    let left = names_in(&data.join("history"));
    assert!(!left.is_empty());
    move_to(&mut store, to);
    told.check(&store);
    drop(store);
    let mut store = open(&data);
    told.check(&store);
    // What is listed nowhere is removed.
    let moving = store.begin_move(store.next_offset()).unwrap().unwrap();
    drop(moving.read().unwrap().write(&[]).unwrap());
    drop(store);
    store = open(&data);
    told.check(&store);
}

#[test]
fn a_move_takes_no_more_than_memory_should_hold() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let mut store = Store::create(&data, &StoreOptions::default()).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut told = Told::default();
    for _ in 0..20 {
        told.append(&mut store, &mut rng);
    }
    let to = store.next_offset();
    let mut moves = 0;
    while store.moved_to() < to {
        let mut begun = store.begin_move(to).unwrap().unwrap();
        begun.most_bytes = 2_000;
        finish(&mut store, begun);
        moves += 1;
    }
    assert!(moves > 3, "{moves}");
    told.check(&store);
}

#[test]
fn messages_are_remembered_as_long_as_they_are_asked_for() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let mut store = Store::create(&data, &StoreOptions::default()).unwrap();
    for round in 0..3 {
        let identity = store
            .live_vault()
            .unwrap()
            .lookup_or_mint(IdentityKind::CustomerId, "c-1")
            .unwrap();
        let mut frame = Frame::default();
        let mut told = event(
            &mut ChaCha8Rng::seed_from_u64(0),
            identity,
            CustomerId(identity.0),
        );
        told.message = round;
        told.received_at = Timestamp(round as i64 * 1_000);
        frame.event(&told);
        store.append(&frame).unwrap();
        let to = store.next_offset();
        let moving = store.begin_move(to).unwrap().unwrap().read().unwrap();
        let files = moving.write(&[CustomerId(identity.0)]).unwrap();
        let since = Timestamp(round as i64 * 1_000 - 1_500);
        store.finish_move(files, since, Timestamp(0)).unwrap();
    }
    let since = |since: i64| {
        let mut found = Vec::new();
        let each = |at, message| found.push((at, message));
        store.messages(Timestamp(since), each).unwrap();
        found
    };
    let all = since(i64::MIN);
    assert_eq!(all, [(Timestamp(1_000), 1), (Timestamp(2_000), 2)]);
    let late = since(1_500);
    assert_eq!(late, [(Timestamp(2_000), 2)]);
    assert_eq!(
        store.history().arrived(),
        Some((Timestamp(0), Timestamp(2_000)))
    );
}
