//! Locks, versions, crashes and damage.

use std::fs;
use std::path::{Path, PathBuf};

use regulars_core::{Currency, Partition, Symbols};
use regulars_store::history::{Family, SymbolTable, VersionsFrom};
use regulars_store::log::LogRecordKind;
use regulars_store::vault::IdentityKind;
use regulars_store::{Store, StoreError, StoreOptions};

use crate::sample::{create, everything, expected, import, open, record, rows};

/// The directory as a machine that stops now would leave it (the lock ends with the process).
fn as_left_by_a_kill(dir: &Path, into: &Path) {
    fs::create_dir_all(into).unwrap();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let target = into.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            as_left_by_a_kill(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn open_error(dir: &Path) -> StoreError {
    Store::open(dir, &StoreOptions::default()).unwrap_err()
}

#[test]
fn one_writer_or_many_readers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let options = StoreOptions::default();
    let writer = create(&path);
    assert!(matches!(
        Store::create(&path, &options),
        Err(StoreError::AlreadyAStore(_))
    ));
    let message = open_error(&path).to_string();
    assert!(
        message.contains("another process is using") && message.contains("data"),
        "{message}"
    );
    assert!(matches!(
        Store::open_read(&path, &options),
        Err(StoreError::InUse(_))
    ));
    drop(writer);
    let mut reader = Store::open_read(&path, &options).unwrap();
    let _second = Store::open_read(&path, &options).unwrap();
    assert!(matches!(open_error(&path), StoreError::InUse(_)));
    assert!(matches!(reader.begin(), Err(StoreError::ReadOnly(_))));
    assert!(matches!(
        reader.record(record(0)),
        Err(StoreError::ReadOnly(_))
    ));
}

#[test]
fn an_unfinished_transaction_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let killed = dir.path().join("killed");
    let mut store = create(&path);
    let mut symbols = Symbols::default();
    let before = rows(1, 0, 500, &mut symbols);
    import(&mut store, &before, &symbols);
    let count = |dir: &Path| fs::read_dir(dir.join("history")).unwrap().count();
    let files = count(&path);
    let mut transaction = store.begin().unwrap();
    transaction
        .vault()
        .unwrap()
        .lookup_or_mint(IdentityKind::Email, "a@example.com")
        .unwrap();
    let mut run = transaction.order_run(Partition(0)).unwrap();
    let mut more = rows(2, 1, 500, &mut symbols);
    more.retain(|row| row.record.customer.partition() == Partition(0));
    crate::sample::sort(&mut more);
    run.write(&symbols, &more).unwrap();
    transaction.add_run(run.finish(&symbols).unwrap());
    let mut spill = transaction.spill(1 << 20).unwrap();
    spill.append(Partition(3), b"rows").unwrap();
    as_left_by_a_kill(&path, &killed);
    drop(transaction);
    assert_eq!(count(&path), files, "given up: its files are gone");
    assert!(
        store.vault().unwrap().is_empty(),
        "and what it minted is forgotten"
    );
    let reopened = open(&killed);
    assert_eq!(reopened.recovery().removed_files.len(), 1);
    assert_eq!(count(&killed), files);
    assert!(!killed.join("tmp").exists());
    assert_eq!(everything(&reopened), expected(before, &symbols));
}

#[test]
fn a_kill_between_log_and_manifest_is_completed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let mut store = create(&path);
    let mut symbols = Symbols::default();
    let mut all = rows(1, 0, 500, &mut symbols);
    import(&mut store, &all, &symbols);
    let manifest = fs::read(path.join("manifest.json")).unwrap();
    let more = rows(2, 1, 500, &mut symbols);
    import(&mut store, &more, &symbols);
    all.extend(more);
    let killed = dir.path().join("killed");
    as_left_by_a_kill(&path, &killed);
    fs::write(killed.join("manifest.json"), manifest).unwrap();
    let reader = Store::open_read(&killed, &StoreOptions::default()).unwrap();
    assert_eq!(
        everything(&reader),
        expected(all.clone(), &symbols),
        "a reader completes it too"
    );
    drop(reader);
    let store = open(&killed);
    assert_eq!(store.recovery().replayed_records, 1);
    assert_eq!(store.recovery().removed_files, Vec::<String>::new());
    assert_eq!(everything(&store), expected(all, &symbols));
    drop(store);
    assert_eq!(
        open(&killed).recovery(),
        &regulars_store::Recovery::default()
    );
}

#[test]
fn records_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let mut store = create(&path);
    assert_eq!(store.latest(LogRecordKind::HistoryCompacted).unwrap(), None);
    for number in 0..5 {
        assert_eq!(store.record(record(number)).unwrap(), number as u64);
    }
    drop(store);
    let store = open(&path);
    let all: Vec<_> = (2..5)
        .map(|number| (number as u64, record(number)))
        .collect();
    assert_eq!(store.records(2).unwrap(), all);
    let latest = store.latest(LogRecordKind::HistoryCompacted).unwrap();
    assert_eq!(latest, Some((4, record(4))));
    assert_eq!(store.latest(LogRecordKind::ModelsFitted).unwrap(), None);
}

#[test]
fn amounts_are_in_one_currency() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = create(&dir.path().join("data"));
    assert_eq!(store.currency(), None);
    let mut symbols = Symbols::default();
    let rows = rows(1, 0, 5, &mut symbols);
    import(&mut store, &rows, &symbols);
    assert_eq!(store.currency(), Currency::new("EUR").ok());
    let mut transaction = store.begin().unwrap();
    let message = transaction
        .set_currency(Currency::new("USD").unwrap())
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("EUR") && message.contains("USD"),
        "{message}"
    );
}

#[test]
fn versions_that_are_not_known_are_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    assert!(matches!(open_error(&path), StoreError::NotAStore(_)));
    let mut store = create(&path);
    let mut symbols = Symbols::default();
    let rows = rows(1, 0, 50, &mut symbols);
    import(&mut store, &rows, &symbols);
    let run = first_run(&store);
    drop(store);
    fs::write(path.join("FORMAT"), "regulars-data 2\n").unwrap();
    let message = open_error(&path).to_string();
    assert!(
        message.contains("version 2, this program knows version 1"),
        "{message}"
    );
    fs::write(path.join("FORMAT"), "regulars-data 1\n").unwrap();
    // In the footer, a text is preceded by its length: key, then value.
    let mut bytes = fs::read(&run).unwrap();
    let key = b"regulars.version\x18\x011";
    let at = bytes
        .windows(key.len())
        .position(|part| part == key)
        .unwrap();
    bytes[at + key.len() - 1] = b'9';
    fs::write(&run, bytes).unwrap();
    // A look at one customer does not read the whole file, nor check its checksum: a later program
    // would have written another.
    let store = open(&path);
    let look = |customer| store.history().timeline(customer, &SymbolTable::default());
    let refused = rows.iter().find_map(|row| look(row.record.customer).err());
    let message = refused.unwrap().to_string();
    assert!(
        message.contains(".parquet") && message.contains("version 9"),
        "{message}"
    );
}

#[test]
fn damaged_and_missing_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let mut store = create(&path);
    let mut symbols = Symbols::default();
    let rows = rows(1, 0, 5000, &mut symbols);
    import(&mut store, &rows, &symbols);
    let run = first_run(&store);
    let name = run.file_name().unwrap().to_str().unwrap().to_owned();
    drop(store);
    let good = fs::read(&run).unwrap();
    let mut footer = good.clone();
    let length = footer.len();
    footer[length - 60..length - 8].fill(0xff);
    fs::write(&run, footer).unwrap();
    let message = read_all(&open(&path)).unwrap_err().to_string();
    assert!(
        message.contains(&name) && message.contains("damaged"),
        "{message}"
    );
    let mut pages = good.clone();
    pages[4..length / 2].fill(0xff);
    fs::write(&run, pages).unwrap();
    let message = read_all(&open(&path)).unwrap_err().to_string();
    assert!(
        message.contains(&name) && message.contains("damaged"),
        "{message}"
    );
    // One digit that reads as another is noticed, too.
    for at in (4..length).step_by(97) {
        let mut flipped = good.clone();
        flipped[at] ^= 1;
        fs::write(&run, flipped).unwrap();
        let message = read_all(&open(&path)).unwrap_err().to_string();
        assert!(message.contains(&name), "byte {at}: {message}");
    }
    fs::write(&run, &good[..length - 1]).unwrap();
    let message = open_error(&path).to_string();
    assert!(
        message.contains(&name) && message.contains("bytes"),
        "{message}"
    );
    fs::remove_file(&run).unwrap();
    let message = open_error(&path).to_string();
    assert!(
        message.contains(&name) && message.contains("missing"),
        "{message}"
    );
}

fn first_run(store: &Store) -> PathBuf {
    store.history().files(Family::Orders).remove(0)
}

fn read_all(store: &Store) -> Result<(), StoreError> {
    let symbols = SymbolTable::default();
    for partition in Partition::all() {
        let mut reader = store
            .history()
            .partition(partition, &symbols, VersionsFrom::Files)?;
        while reader.next_customer()?.is_some() {}
    }
    Ok(())
}
