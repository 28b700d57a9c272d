use std::fs;
use std::sync::Arc;

use regulars_core::{
    Cause, CustomerId, Direction, EventKind, SegmentName, Timestamp, Transition, TransitionId,
};

use super::*;
use crate::catalog::TABLES;
use crate::log::{Found, Log, StoredEvent};
use crate::vault::IdentityKind;
use crate::{Frame, Store};

fn codes(dir: &Path) -> Vec<(Severity, &'static str, String)> {
    let found = inspect(dir, &StoreOptions::default()).unwrap();
    let findings = found.findings.into_iter();
    findings
        .map(|of| (of.severity, of.code, of.file.unwrap_or_default()))
        .collect()
}

/// Events of some customers, and a transition of each.
fn append(store: &mut Store, from: u64, to: u64) {
    let mut frame = Frame::default();
    let mut transitions = Vec::new();
    for number in from..to {
        let text = format!("c-{}", number % 5);
        let vault = store.live_vault().unwrap();
        let identity = vault.lookup_or_mint(IdentityKind::CustomerId, &text);
        let identity = identity.unwrap();
        frame.event(&StoredEvent {
            kind: EventKind::Track,
            anonymous: false,
            identity,
            customer: CustomerId(identity.0),
            occurred_at: Timestamp(1),
            received_at: Timestamp(2),
            message: number.into(),
            name: "Product Viewed".into(),
            properties: "{}".into(),
            context: "{}".into(),
            sealed: Box::default(),
        });
        transitions.push(Transition {
            id: TransitionId(number.into()),
            customer: CustomerId(identity.0),
            segment: SegmentName::new("viewers").unwrap(),
            version: 1,
            sequence: number,
            direction: Direction::Entered,
            occurred_at: Timestamp(3),
            recorded_at: Timestamp(4),
            cause: Cause::Time,
        });
    }
    frame.found(&Found {
        folded_to: to,
        now: Timestamp(4),
        transitions,
    });
    frame.marks(b"[]");
    store.append(&frame).unwrap();
}

fn move_all(store: &mut Store) {
    let begun = store.begin_move(store.next_offset()).unwrap().unwrap();
    let moving = begun.read().unwrap();
    let vault = store.vault().unwrap();
    let owners = moving.identities().into_iter();
    let owners: Vec<CustomerId> = owners.map(|identity| vault.resolve(identity)).collect();
    let files = moving.write(&owners).unwrap();
    store
        .finish_move(files, Timestamp(0), Timestamp(9))
        .unwrap();
}

#[test]
fn what_was_moved_out_of_the_log_is_read_too() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut store = Store::create(&data, &StoreOptions::default()).unwrap();
    append(&mut store, 0, 20);
    move_all(&mut store);
    append(&mut store, 20, 30);
    assert_eq!(codes(&data), [], "beside the process that writes");
    drop(store);
    assert_eq!(codes(&data), []);
    let found = inspect(&data, &StoreOptions::default()).unwrap();
    assert_eq!(found.identities, Some(5));
    assert!(found.rows >= 20, "{found:?}");
    let mut kinds = 0;
    for entry in fs::read_dir(data.join(TABLES)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let file = format!("{TABLES}/{name}");
        let good = fs::read(&path).unwrap();
        fs::write(&path, &good[..good.len() - 3]).unwrap();
        assert_eq!(codes(&data), [(Severity::Damage, "damaged", file.clone())]);
        fs::remove_file(&path).unwrap();
        assert_eq!(codes(&data), [(Severity::Damage, "missing", file)]);
        fs::write(&path, good).unwrap();
        kinds += 1;
    }
    assert_eq!(kinds, 3, "records, transitions, messages");
}

#[test]
fn segments_that_are_gone_are_missed() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    drop(Store::create(&data, &StoreOptions::default()).unwrap());
    let log_dir = data.join(LOG);
    fs::remove_dir_all(&log_dir).unwrap();
    fs::create_dir(&log_dir).unwrap();
    let mut log = Log::open(Arc::new(RealDisk), &log_dir, 1, (0, 0)).unwrap();
    for now in 0..4 {
        log.append(&[&live::encode_tick(Timestamp(now))]).unwrap();
    }
    drop(log);
    assert_eq!(codes(&data), []);
    let segment = |first: u64| log_dir.join(format!("seg-{first:020}.log"));
    let second = fs::read(segment(1)).unwrap();
    fs::remove_file(segment(1)).unwrap();
    let after = format!("{LOG}/seg-{:020}.log", 2);
    assert_eq!(codes(&data), [(Severity::Damage, "damaged", after)]);
    fs::write(segment(1), second).unwrap();
    fs::remove_file(segment(0)).unwrap();
    assert_eq!(
        codes(&data),
        [(Severity::Damage, "log_begins_late", LOG.to_owned())]
    );
}
