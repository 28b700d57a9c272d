use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use regulars_core::{Partition, Timestamp};

use super::*;
use crate::disk::simulated::SimulatedDisk;
use crate::log::HistoryCompacted;
use crate::manifest::{Family, MovedChange, MovedFile, MovedKind, RunInfo};

fn open(disk: &SimulatedDisk) -> Result<Catalog, StoreError> {
    Catalog::open(
        Arc::new(disk.clone()),
        Path::new("data"),
        Access::Write,
        400,
    )
}

fn record(number: i64) -> LogRecord {
    LogRecord::HistoryCompacted(HistoryCompacted {
        recorded_at: Timestamp(number),
    })
}

fn run(file: &str) -> RunInfo {
    RunInfo {
        file: file.to_owned(),
        family: Family::Orders,
        partition: Partition(0),
        rows: 1,
        customers: 1,
        first_at: Timestamp(0),
        last_at: Timestamp(0),
        first_import: 0,
        last_import: 0,
        bytes: 1,
        crc32c: None,
    }
}

/// Writes a file, durably, with a content that its name tells.
fn write_file(disk: &SimulatedDisk, name: &str) -> Result<(), StoreError> {
    let path = Path::new("data/history").join(name);
    let io = |action| StoreError::io(action, &path);
    let mut file = disk.create(&path).map_err(io("create"))?;
    file.write(format!("rows of {name}").as_bytes())
        .map_err(io("write"))?;
    file.sync().map_err(io("sync"))
}

/// One commit as a transaction does it: two new runs, the oldest ones dropped.
fn commit_one(disk: &SimulatedDisk, catalog: &mut Catalog) -> Result<u64, StoreError> {
    let offset = catalog.log().next_offset();
    let mut change = Change::default();
    for part in 0..2 {
        let name = format!("orders-{offset:06}-{part}.parquet");
        write_file(disk, &name)?;
        change.add_runs.push(run(&name));
    }
    let old = catalog
        .manifest()
        .runs
        .iter()
        .rev()
        .skip(3)
        .map(|run| run.file.clone());
    change.drop_runs = old.collect();
    catalog.commit(record(offset as i64), Some(change), Replaced::Removed)
}

/// The state that `commits` commits give.
fn expected_runs(commits: u64) -> Vec<String> {
    let mut runs: Vec<String> = Vec::new();
    for offset in 0..commits {
        runs.drain(..runs.len().saturating_sub(3));
        runs.extend((0..2).map(|part| format!("orders-{offset:06}-{part}.parquet")));
    }
    runs
}

/// The store is as it was before the last try or as it is after it, with every file whole.
fn check(seed: u64, disk: &SimulatedDisk, catalog: &Catalog, acknowledged: u64) -> u64 {
    let applied = catalog.manifest().applied;
    assert!(
        applied == acknowledged || applied == acknowledged + 1,
        "seed {seed}: {applied} after {acknowledged} acknowledged commits"
    );
    let runs: Vec<_> = catalog
        .manifest()
        .runs
        .iter()
        .map(|run| run.file.clone())
        .collect();
    assert_eq!(runs, expected_runs(applied), "seed {seed}");
    for name in runs {
        let bytes = disk.read(&Path::new("data/history").join(&name));
        let bytes = bytes.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(bytes, format!("rows of {name}").as_bytes(), "seed {seed}");
    }
    applied
}

#[test]
fn a_crash_at_any_call_leaves_the_store_as_before_or_after() {
    for seed in 0..1500 {
        let disk = SimulatedDisk::new(seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xc0ffee);
        let mut acknowledged = 0;
        for _ in 0..4 {
            match rng.random_range(0..5) {
                0 => disk.fail_after(rng.random_range(0..80)),
                1 => {}
                _ => disk.stop_after(rng.random_range(0..80)),
            }
            if let Ok(mut catalog) = open(&disk) {
                // Whatever an earlier crash left undecided is decided by opening.
                let runs = catalog.manifest().applied;
                assert!(
                    runs == acknowledged || runs == acknowledged + 1,
                    "seed {seed}"
                );
                acknowledged = runs;
                let _ = catalog.remove_unlisted();
                for _ in 0..rng.random_range(1..5) {
                    match commit_one(&disk, &mut catalog) {
                        Ok(offset) => acknowledged = offset + 1,
                        Err(_) => break,
                    }
                }
            }
            disk.crash();
            let catalog = open(&disk).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            acknowledged = check(seed, &disk, &catalog, acknowledged);
            catalog.remove_unlisted().unwrap();
            check(seed, &disk, &catalog, acknowledged);
        }
    }
}

/// A record of the live path that tells its offset.
fn live_record(offset: u64) -> Vec<u8> {
    let mut bytes = vec![99];
    bytes.extend(offset.to_le_bytes());
    bytes.extend(vec![7; (offset % 50) as usize]);
    bytes
}

/// Moves records of the live path before `to`, as a move does it: a file, the record, the manifest.
fn move_to(disk: &SimulatedDisk, catalog: &mut Catalog, to: u64) -> Result<u64, StoreError> {
    let from = catalog.manifest().moved.to;
    let name = format!("records-{from:012}-{to:012}.records");
    let path = Path::new("data/tables").join(&name);
    let io = |action| StoreError::io(action, &path);
    let mut file = disk.create(&path).map_err(io("create"))?;
    file.write(format!("{from} to {to}").as_bytes())
        .map_err(io("write"))?;
    file.sync().map_err(io("sync"))?;
    let change = Change {
        moved: Some(MovedChange {
            to,
            add: vec![MovedFile {
                file: name,
                kind: MovedKind::Records,
                from,
                to,
                last_at: Timestamp(0),
                bytes: 1,
            }],
            ..MovedChange::default()
        }),
        ..Change::default()
    };
    let record = record(to as i64);
    catalog.commit(record, Some(change), Replaced::Removed)
}

/// Every acknowledged record is in a file that is listed, or in the log.
fn check_moved(seed: u64, disk: &SimulatedDisk, catalog: &Catalog, acknowledged: u64) {
    let moved = &catalog.manifest().moved;
    let mut covered = 0;
    for file in &moved.files {
        assert_eq!(file.from, covered, "seed {seed}: a gap");
        covered = file.to;
        let bytes = disk.read(&Path::new("data/tables").join(&file.file));
        let bytes = bytes.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(bytes, format!("{} to {}", file.from, file.to).as_bytes());
    }
    assert_eq!(covered, moved.to, "seed {seed}");
    let log = catalog.log();
    assert!(log.next_offset() >= acknowledged, "seed {seed}");
    let mut next = moved.to;
    for entry in log.read_from(moved.to) {
        let (offset, bytes) = entry.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(offset, next, "seed {seed}");
        assert!(
            bytes == live_record(offset) || bytes[0] == b'{',
            "seed {seed}"
        );
        next += 1;
    }
    assert_eq!(next, log.next_offset(), "seed {seed}");
}

#[test]
fn a_crash_at_any_call_of_a_move_loses_no_record() {
    let mut moves = 0;
    for seed in 0..1500 {
        let disk = SimulatedDisk::new(seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xdecaf);
        let mut acknowledged = 0;
        for _ in 0..4 {
            match rng.random_range(0..5) {
                0 => disk.fail_after(rng.random_range(0..90)),
                1 => {}
                _ => disk.stop_after(rng.random_range(0..90)),
            }
            if let Ok(mut catalog) = open(&disk) {
                let _ = catalog.remove_unlisted();
                for _ in 0..rng.random_range(1..20) {
                    let next = catalog.log().next_offset();
                    let done = if rng.random_bool(0.7) {
                        let records = [next, next + 1].map(live_record);
                        let records = records.each_ref().map(Vec::as_slice);
                        catalog.append_live(&records).map(|range| range.end)
                    } else if catalog.manifest().moved.to < next {
                        let to = rng.random_range(catalog.manifest().moved.to + 1..=next);
                        moves += 1;
                        move_to(&disk, &mut catalog, to).map(|offset| offset + 1)
                    } else {
                        Ok(next)
                    };
                    match done {
                        Ok(end) => acknowledged = end,
                        Err(_) => break,
                    }
                }
            }
            disk.crash();
            let catalog = open(&disk).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            check_moved(seed, &disk, &catalog, acknowledged);
            acknowledged = catalog.log().next_offset();
            catalog.remove_unlisted().unwrap();
            check_moved(seed, &disk, &catalog, acknowledged);
        }
    }
    assert!(moves > 1_000, "{moves}");
}

#[test]
fn a_log_whose_beginning_is_gone_is_refused() {
    let disk = SimulatedDisk::new(14);
    let mut catalog = open(&disk).unwrap();
    while catalog.log().next_offset() < 60 {
        let next = catalog.log().next_offset();
        catalog.append_live(&[&live_record(next)]).unwrap();
    }
    drop(catalog);
    let first = Path::new("data/log/seg-00000000000000000000.log");
    disk.remove(first).unwrap();
    let message = open(&disk).unwrap_err().to_string();
    assert!(message.contains("records 0 to"), "{message}");
}

#[test]
fn files_that_nobody_lists_are_removed_on_open_only() {
    let disk = SimulatedDisk::new(11);
    let mut catalog = open(&disk).unwrap();
    commit_one(&disk, &mut catalog).unwrap();
    write_file(&disk, "orders-p03-000000000007-2.parquet").unwrap();
    write_file(&disk, "orders-of-mine.parquet").unwrap();
    write_file(&disk, "notes-000000000007-2.txt").unwrap();
    let removed = open(&disk).unwrap().remove_unlisted().unwrap();
    assert_eq!(removed, ["history/orders-p03-000000000007-2.parquet"]);
}

#[test]
fn the_manifest_can_be_made_again_from_the_log() {
    let disk = SimulatedDisk::new(12);
    let mut catalog = open(&disk).unwrap();
    for _ in 0..7 {
        commit_one(&disk, &mut catalog).unwrap();
    }
    disk.remove(Path::new("data/manifest.json")).unwrap();
    let again = open(&disk).unwrap();
    assert_eq!(again.replayed(), 7);
    assert_eq!(again.manifest(), catalog.manifest());
}

#[test]
fn a_damaged_manifest_is_named() {
    let disk = SimulatedDisk::new(13);
    let mut catalog = open(&disk).unwrap();
    commit_one(&disk, &mut catalog).unwrap();
    let path = Path::new("data/manifest.json");
    let text = String::from_utf8(disk.read(path).unwrap()).unwrap();
    let rewrite = |text: &str| disk.create(path).unwrap().write(text.as_bytes()).unwrap();
    rewrite(&text.replace("\"rows\": 1", "\"rows\": 2"));
    let message = open(&disk).unwrap_err().to_string();
    assert!(
        message.contains("manifest.json") && message.contains("checksum"),
        "{message}"
    );
    rewrite(&text.replace("\"version\": 2", "\"version\": 7"));
    let message = open(&disk).unwrap_err().to_string();
    assert!(message.contains("version 7"), "{message}");
}
