//! Files that the disk damaged: whatever is in them, they are read or refused in words.

use std::path::Path;
use std::sync::Arc;

use regulars_core::{
    Cause, CustomerId, Direction, EventKind, SegmentName, Timestamp, Transition, TransitionId,
};
use regulars_testkit::fuzz::Fuzz;

use crate::disk::Disk;
use crate::disk::simulated::SimulatedDisk;
use crate::log::StoredEvent;
use crate::log::live::{self, Found};
use crate::log::record::Entry;
use crate::log::{HistoryCompacted, Log, LogRecord, inspect};
use crate::manifest::Manifest;
use crate::tables::memberships::{self, MembershipsSaved, SavedMember};
use crate::vault::IdentityId;

const SEGMENT: &str = "log/seg-00000000000000000000.log";
/// Bytes before the first frame.
const HEADER_BYTES: usize = 28;

fn event() -> Vec<u8> {
    let mut bytes = Vec::new();
    let event = StoredEvent {
        kind: EventKind::Track,
        anonymous: true,
        identity: IdentityId(7),
        customer: CustomerId(8),
        occurred_at: Timestamp(1),
        received_at: Timestamp(2),
        message: 3,
        name: "Product Viewed".into(),
        properties: "{\"product_id\":\"p\"}".into(),
        context: "{}".into(),
        sealed: [1, 2, 3].into(),
    };
    live::encode_event(&event, &mut bytes);
    bytes
}

fn found() -> Vec<u8> {
    live::encode_found(&Found {
        folded_to: 9,
        now: Timestamp(5),
        transitions: vec![Transition {
            id: TransitionId(11),
            customer: CustomerId(8),
            segment: SegmentName::new("loyal").unwrap(),
            version: 1,
            sequence: 2,
            direction: Direction::Entered,
            occurred_at: Timestamp(3),
            recorded_at: Timestamp(4),
            cause: Cause::Event {
                offset: 8,
                name: "Order Completed".to_owned(),
            },
        }],
    })
}

fn compacted() -> Vec<u8> {
    let record = LogRecord::HistoryCompacted(HistoryCompacted {
        recorded_at: Timestamp(5),
    });
    Entry::new(record, None).encode()
}

/// One record of each kind.
fn records() -> Vec<Vec<u8>> {
    vec![
        event(),
        found(),
        compacted(),
        live::encode_tick(Timestamp(6)),
        live::encode_marks(b"[]"),
        live::encode_identities(b"file"),
    ]
}

fn slices(records: &[Vec<u8>]) -> Vec<&[u8]> {
    records.iter().map(Vec::as_slice).collect()
}

/// A segment with a frame for each record, and one with all.
fn segment() -> Vec<u8> {
    let disk = SimulatedDisk::new(1);
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let mut log = Log::open(shared, Path::new("log"), 1 << 20, (0, 0)).unwrap();
    for record in records() {
        log.append(&[&record]).unwrap();
    }
    log.append(&slices(&records())).unwrap();
    disk.read(Path::new(SEGMENT)).unwrap()
}

/// Reads a log of one segment in every way that there is.
fn read_log(segment: &[u8]) {
    let disk = SimulatedDisk::new(2);
    let mut file = disk.create(Path::new(SEGMENT)).unwrap();
    file.write(segment).unwrap();
    let looked = inspect::inspect(&disk, Path::new("log"), |_, _| Ok(())).unwrap();
    let sound = looked.damage.is_empty();
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    match Log::open_read(shared, Path::new("log"), (0, 0)) {
        Ok(log) => {
            let read: Result<Vec<_>, _> = log.read_from(0).collect();
            let decoded = read.and_then(|records| {
                let decode = |(offset, bytes): (u64, Vec<u8>)| {
                    live::decode(Path::new("log"), offset, &bytes).map(drop)
                };
                records.into_iter().try_for_each(decode)
            });
            assert_eq!(
                decoded.is_ok(),
                sound,
                "{decoded:?} and {:?}",
                looked.damage
            );
        }
        Err(error) => {
            assert!(!sound, "{error}, and nothing is found");
            assert!(error.to_string().contains("log"), "{error}");
        }
    }
}

#[test]
fn no_damaged_segment_panics() {
    let segment = segment();
    Fuzz::of(&[&segment])
        .words(&[b"RFRM", b"RGLRSLOG"])
        .run(read_log);
}

/// Frames whose checksum is right, whatever is in them.
#[test]
fn no_frame_panics() {
    let segment = segment();
    let salt = &segment[20..24];
    let frame = &segment[HEADER_BYTES..];
    Fuzz::of(&[frame]).run(|frame| {
        let mut frame = frame.to_vec();
        if let Some(length) = frame.len().checked_sub(HEADER_BYTES) {
            frame[..4].copy_from_slice(b"RFRM");
            frame[4..8].copy_from_slice(&(length as u32).to_le_bytes());
            let crc = crc32c::crc32c_append(crc32c::crc32c(salt), &frame[12..]);
            frame[8..12].copy_from_slice(&crc.to_le_bytes());
        }
        read_log(&[&segment[..HEADER_BYTES], &frame].concat());
    });
}

#[test]
fn no_record_panics() {
    let records = records();
    let words: [&[u8]; 4] = [b"\"type\"", b"\"import_added\"", b"null", b"\x01\x01"];
    Fuzz::of(&slices(&records)).words(&words).run(|bytes| {
        if let Err(error) = live::decode(Path::new("log"), 7, bytes) {
            assert!(error.to_string().contains("record 7"), "{error}");
        }
    });
}

#[test]
fn no_saved_memberships_panic() {
    let member = |id| SavedMember {
        customer: CustomerId(id),
        last_flip_at: Timestamp(-5),
        entries: vec![(0, 2, false), (1, 1, true)],
    };
    let good = memberships::encode(&MembershipsSaved {
        folded_to: 17,
        now: Timestamp(99),
        segments: vec![SegmentName::new("new").unwrap()],
        customers: (0..50).map(member).collect(),
    });
    Fuzz::of(&[&good]).run(|bytes| {
        let path = Path::new("m");
        let _ = memberships::decode(path, bytes);
        // With a checksum that is right, too.
        let mut bytes = bytes.to_vec();
        if bytes.len() >= 16 {
            let crc = crc32c::crc32c(&bytes[16..]);
            bytes[12..16].copy_from_slice(&crc.to_le_bytes());
            let _ = memberships::decode(path, &bytes);
        }
    });
}

#[test]
fn no_manifest_panics() {
    let disk = SimulatedDisk::new(3);
    let path = Path::new("data/manifest.json");
    Manifest::default().save(&disk, path).unwrap();
    let good = disk.read(path).unwrap();
    let words: [&[u8]; 5] = [b"\"runs\"", b"[", b"{", b"\"file\"", b"1e999"];
    Fuzz::of(&[&good]).words(&words).run(|bytes| {
        let disk = SimulatedDisk::new(4);
        disk.create(path).unwrap().write(bytes).unwrap();
        if let Err(error) = Manifest::load(&disk, path) {
            assert!(error.to_string().contains("manifest.json"), "{error}");
        }
    });
}
