use std::path::Path;
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::disk::simulated::SimulatedDisk;

const DIR: &str = "log";

fn open(disk: &SimulatedDisk, segment_bytes: u64) -> Result<Log, StoreError> {
    Log::open(
        Arc::new(disk.clone()),
        Path::new(DIR),
        segment_bytes,
        (0, 0),
    )
}

fn content(log: &Log, from: u64) -> Vec<(u64, Vec<u8>)> {
    log.read_from(from).collect::<Result<_, _>>().unwrap()
}

/// A record that tells its offset, of a length that varies.
fn body(offset: u64) -> Vec<u8> {
    let mut bytes = offset.to_le_bytes().to_vec();
    bytes.extend((0..offset % 57).map(|i| (i * 31 + offset) as u8));
    bytes
}

#[test]
fn records_come_back_from_any_offset_and_over_segments() {
    let disk = SimulatedDisk::new(1);
    let mut log = open(&disk, 300).unwrap();
    let mut expected = Vec::new();
    for round in 0..40_u64 {
        let bodies: Vec<_> = (0..round % 4)
            .map(|i| body(expected.len() as u64 + i))
            .collect();
        let slices: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
        let range = log.append(&slices).unwrap();
        assert_eq!(range.start, expected.len() as u64);
        expected.extend(range.zip(bodies));
    }
    assert!(
        log.segments.len() > 3,
        "a small limit makes several segments"
    );
    drop(log);
    let log = open(&disk, 300).unwrap();
    assert_eq!(log.next_offset(), expected.len() as u64);
    assert_eq!(log.cut_bytes(), 0);
    for from in 0..=expected.len() {
        assert_eq!(content(&log, from as u64), expected[from..]);
        let copied = |offset, record: &[u8]| Ok((offset, record.to_vec()));
        for threads in [0, 1, 3] {
            let read = log.map_from(from as u64, threads, copied).unwrap();
            assert_eq!(read, expected[from..], "{threads} threads");
        }
    }
    let failed = log.map_from(0, 3, |offset, _| match offset {
        17 => Err(StoreError::Sealed("no more")),
        _ => Ok(()),
    });
    assert!(matches!(failed, Err(StoreError::Sealed("no more"))));
}

/// Appends until the machine stops; gives the number of acknowledged records and of tried ones.
fn append_until_stop(log: &mut Log, rng: &mut ChaCha8Rng, start: u64) -> (u64, u64) {
    let (mut acknowledged, mut tried) = (start, start);
    for _ in 0..30 {
        let bodies: Vec<_> = (0..rng.random_range(1..4))
            .map(|i| body(acknowledged + i))
            .collect();
        let slices: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
        tried = acknowledged + bodies.len() as u64;
        match log.append(&slices) {
            Ok(range) => acknowledged = range.end,
            Err(_) => {
                let again = log.append(&[b"more"]);
                assert!(matches!(again, Err(StoreError::Poisoned(_))), "{again:?}");
                break;
            }
        }
    }
    (acknowledged, tried)
}

#[test]
fn what_was_acknowledged_survives_any_crash() {
    for seed in 0..4000 {
        let disk = SimulatedDisk::new(seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut acknowledged, mut tried) = (0, 0);
        for _ in 0..5 {
            match rng.random_range(0..3) {
                0 => disk.stop_after(rng.random_range(0..60)),
                1 => disk.fail_after(rng.random_range(0..60)),
                _ => {}
            }
            if let Ok(mut log) = open(&disk, 200) {
                let read = content_up_to_failure(&log);
                check(seed, &read, acknowledged, tried);
                // Opening decides what an earlier crash left undecided.
                acknowledged = log.next_offset();
                (acknowledged, tried) = append_until_stop(&mut log, &mut rng, acknowledged);
            }
            disk.crash();
        }
        let log = open(&disk, 200).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        check(seed, &content_up_to_failure(&log), acknowledged, tried);
    }
}

fn content_up_to_failure(log: &Log) -> Option<Vec<(u64, Vec<u8>)>> {
    log.read_from(0).collect::<Result<_, _>>().ok()
}

/// Everything acknowledged is there, nothing else than what was tried, and frames are whole.
fn check(seed: u64, read: &Option<Vec<(u64, Vec<u8>)>>, acknowledged: u64, tried: u64) {
    // Reading fails only when the simulated machine stopped while reading.
    let Some(read) = read else {
        return;
    };
    let end = read.len() as u64;
    assert!(
        end == acknowledged || end == tried,
        "seed {seed}: {end} of {acknowledged}..{tried}"
    );
    for (at, (offset, bytes)) in read.iter().enumerate() {
        assert_eq!(
            (*offset, bytes),
            (at as u64, &body(at as u64)),
            "seed {seed}"
        );
    }
}

#[test]
fn damage_before_good_frames_refuses_to_start_and_names_the_place() {
    let disk = SimulatedDisk::new(3);
    let mut log = open(&disk, 1 << 20).unwrap();
    for offset in 0..5 {
        log.append(&[&body(offset)]).unwrap();
    }
    let path = log.path(0);
    disk.damage(&path, frame::HEADER_BYTES + 30);
    let message = open(&disk, 1 << 20).unwrap_err().to_string();
    assert!(
        message.contains("seg-00000000000000000000.log"),
        "{message}"
    );
    assert!(message.contains("frame at byte 28 is bad"), "{message}");
}

#[test]
fn damage_in_an_earlier_segment_refuses_to_start() {
    let disk = SimulatedDisk::new(4);
    let mut log = open(&disk, 1).unwrap();
    for offset in 0..3 {
        log.append(&[&body(offset)]).unwrap();
    }
    let path = log.path(1);
    disk.damage(&path, frame::HEADER_BYTES + 30);
    let message = open(&disk, 1).unwrap_err().to_string();
    assert!(
        message.contains("seg-00000000000000000001.log"),
        "{message}"
    );
}

#[test]
fn a_bad_last_frame_is_cut_unless_it_was_acknowledged() {
    let disk = SimulatedDisk::new(5);
    let mut log = open(&disk, 1 << 20).unwrap();
    log.append(&[b"one"]).unwrap();
    log.append(&[b"two"]).unwrap();
    let path = log.path(0);
    let length = disk.read(&path).unwrap().len();
    disk.damage(&path, length - 1);
    let refused = Log::open(Arc::new(disk.clone()), Path::new(DIR), 1 << 20, (0, 2)).unwrap_err();
    assert!(
        refused.to_string().contains("2 had been reached"),
        "{refused}"
    );
    let mut log = open(&disk, 1 << 20).unwrap();
    assert!(log.cut_bytes() > 0);
    assert_eq!(log.append(&[b"three"]).unwrap(), 1..2);
    assert_eq!(
        content(&log, 0),
        [(0, b"one".to_vec()), (1, b"three".to_vec())]
    );
}

#[test]
fn a_later_version_is_refused_in_words() {
    let disk = SimulatedDisk::new(6);
    drop(open(&disk, 1 << 20).unwrap());
    let mut bytes = SegmentHeader {
        first_offset: 0,
        salt: 7,
    }
    .encode();
    bytes[8] = 9;
    let crc = crc32c::crc32c(&bytes[..24]).to_le_bytes();
    bytes[24..].copy_from_slice(&crc);
    let path = Path::new(DIR).join(frame::segment_name(0));
    disk.create(&path).unwrap().write(&bytes).unwrap();
    let message = open(&disk, 1 << 20).unwrap_err().to_string();
    assert!(
        message.contains("version 9") && message.contains("knows version 1"),
        "{message}"
    );
}

#[test]
fn unknown_records_are_refused_in_words() {
    let decode = |json: &str| record::Entry::decode(Path::new(DIR), 12, json.as_bytes());
    let message = decode(r#"{"v":1,"type":"moon_landed"}"#)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("record 12") && message.contains("moon_landed"),
        "{message}"
    );
    let message = decode(r#"{"v":2,"type":"import_added"}"#)
        .unwrap_err()
        .to_string();
    assert!(message.contains("version 2"), "{message}");
    let body = serde_json::json!({ "alpha": 0.1 + 0.2, "tiny": 5e-324, "big": 1.797e308 });
    let recorded_at = regulars_core::Timestamp(5);
    let fitted = ModelsFitted {
        as_of: recorded_at,
        recorded_at,
        body,
    };
    let entry = record::Entry::new(LogRecord::ModelsFitted(fitted), None);
    let bytes = entry.encode();
    assert_eq!(decode(std::str::from_utf8(&bytes).unwrap()).unwrap(), entry);
}
