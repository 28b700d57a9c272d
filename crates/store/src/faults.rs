//! What the live path keeps, on a disk that stops, fails and is full at random moments: what was
//! acknowledged is there once, nothing is half there, and a start afterwards works.
//!
//! One schedule is several lives of a process on one disk. In each it appends events with the
//! identities that they need, saves memberships and the vault, and replaces the files of grants
//! and destinations, as a server does; then the power goes off.

use std::path::Path;
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use regulars_core::{CustomerId, EventKind, Timestamp};

use crate::StoreError;
use crate::access::{Access, Role};
use crate::catalog::{self, Catalog, LOG, Replaced, TABLES, VAULT};
use crate::destinations::{self, StoredDestination};
use crate::disk::simulated::SimulatedDisk;
use crate::disk::{self, Disk};
use crate::log::StoredEvent;
use crate::log::live::{self, Logged};
use crate::log::{LogRecord, MembershipsNoted};
use crate::manifest::{Change, TableName};
use crate::tables::memberships::{self, MembershipsSaved};
use crate::vault::{IdentityId, IdentityKind, MasterKey, Vault};

/// More files of the vault than this are merged into one, as a transaction does.
const VAULT_FILES: usize = 3;
const SCHEDULES: u64 = 2_000;
const LIVES: usize = 4;

/// What must be there: what was acknowledged, and what was tried last.
#[derive(Debug, Default)]
struct Told {
    /// Customers by the number of their event.
    events: Vec<u32>,
    tried_events: Vec<u32>,
    folded_to: Option<u64>,
    tried_folded_to: Option<u64>,
    grants: usize,
    destinations: usize,
}

/// A process with its store open.
struct Process<'k> {
    disk: SimulatedDisk,
    catalog: Catalog,
    vault: Vault,
    access: Access,
    destinations: Vec<StoredDestination>,
    key: &'k MasterKey,
}

fn data() -> &'static Path {
    Path::new("data")
}

fn person(customer: u32) -> String {
    format!("c-{customer}")
}

impl<'k> Process<'k> {
    fn start(disk: &SimulatedDisk, key: &'k MasterKey) -> Result<Self, StoreError> {
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let write = catalog::Access::Write;
        let catalog = Catalog::open(Arc::clone(&shared), data(), write, 2_000)?;
        catalog.remove_unlisted()?;
        let files = &catalog.manifest().vault;
        let mut vault = Vault::load(shared.as_ref(), &data().join(VAULT), files, key)?;
        for entry in catalog.log().read_from(catalog.manifest().vault_from) {
            let (offset, record) = entry?;
            if let Some(file) = live::identities_in(&record) {
                vault.take_journal((&data().join(LOG), offset), file, key)?;
            }
        }
        Ok(Self {
            disk: disk.clone(),
            catalog,
            vault,
            access: Access::load_from(shared, data())?,
            destinations: destinations::load_from(disk, data())?,
            key,
        })
    }

    /// One thing that a server does.
    fn step(&mut self, rng: &mut ChaCha8Rng, told: &mut Told) -> Result<(), StoreError> {
        match rng.random_range(0..10) {
            0..6 => self.append(rng, told),
            6..8 => self.save(told),
            8 => {
                let role = Role::Write;
                self.access.grant(role, "", Timestamp(told.grants as i64))?;
                told.grants += 1;
                Ok(())
            }
            _ => {
                let mut more = self.destinations.clone();
                more.push(StoredDestination {
                    definition: more.len().into(),
                    created_at: Timestamp(0),
                    log_offset: 0,
                    secrets: Vec::new(),
                });
                destinations::save_to(&self.disk, data(), &more)?;
                told.destinations = more.len();
                self.destinations = more;
                Ok(())
            }
        }
    }

    /// Events of some customers, who may be new.
    fn append(&mut self, rng: &mut ChaCha8Rng, told: &mut Told) -> Result<(), StoreError> {
        let customers: Vec<u32> = (0..rng.random_range(1..5))
            .map(|_| rng.random_range(0..30))
            .collect();
        told.tried_events.clone_from(&customers);
        let mut events = Vec::new();
        for (message, &customer) in (told.events.len() as u128..).zip(&customers) {
            let vault = &mut self.vault;
            let identity = vault.lookup_or_mint(IdentityKind::CustomerId, &person(customer))?;
            let mut bytes = Vec::new();
            live::encode_event(&event(identity, message), &mut bytes);
            events.push(bytes);
        }
        let journal = self.vault.journal(self.key)?;
        let journal = journal.map(|file| live::encode_identities(&file));
        let mut records: Vec<&[u8]> = Vec::new();
        records.extend(journal.as_deref());
        records.extend(events.iter().map(Vec::as_slice));
        self.catalog.append_live(&records)?;
        told.events.append(&mut told.tried_events);
        Ok(())
    }

    /// Memberships and the vault, as one transaction.
    fn save(&mut self, told: &mut Told) -> Result<(), StoreError> {
        let offset = self.catalog.log().next_offset();
        told.tried_folded_to = Some(offset);
        let mut change = Change::default();
        let name = format!("memberships-{offset:012}-0.members");
        let saved = memberships::encode(&saved(offset));
        disk::write_new(&self.disk, &data().join(TABLES).join(&name), &saved)?;
        change.tables.insert(TableName::Memberships, name);
        if self.vault.has_changed() {
            let before = &self.catalog.manifest().vault;
            let bytes = if before.len() >= VAULT_FILES {
                change.drop_vault.extend(before.iter().cloned());
                self.vault.encode_all(self.key)?
            } else {
                self.vault.encode_additions(self.key)?
            };
            let name = format!("identities-{offset:012}-1.vault");
            disk::write_new(&self.disk, &data().join(VAULT).join(&name), &bytes)?;
            change.add_vault.push(name);
        }
        let record = LogRecord::MembershipsSaved(MembershipsNoted {
            recorded_at: Timestamp(0),
        });
        self.catalog
            .commit(record, Some(change), Replaced::Removed)?;
        self.vault.saved();
        told.folded_to = told.tried_folded_to.take();
        Ok(())
    }

    /// Checks what is there against what was told, and takes note of what became of the last try.
    fn check(&self, seed: u64, told: &mut Told) -> Result<(), StoreError> {
        let mut read = Vec::new();
        for entry in self.catalog.log().read_from(0) {
            let (offset, bytes) = entry?;
            if let Logged::Event(event) = live::decode(data(), offset, &bytes)? {
                assert_eq!(
                    event.message,
                    read.len() as u128,
                    "seed {seed}: in order, once"
                );
                read.push(event.identity);
            }
        }
        let tried = std::mem::take(&mut told.tried_events);
        if read.len() != told.events.len() {
            told.events.extend(tried);
        }
        let expected = &told.events;
        assert_eq!(
            read.len(),
            expected.len(),
            "seed {seed}: all of a frame or nothing"
        );
        for (identity, &customer) in read.iter().zip(expected) {
            let known = self
                .vault
                .lookup(IdentityKind::CustomerId, &person(customer));
            assert_eq!(known, Some(*identity), "seed {seed}: who it was");
        }
        self.check_files(seed, told)
    }

    fn check_files(&self, seed: u64, told: &mut Told) -> Result<(), StoreError> {
        let file = self.catalog.manifest().tables.get(&TableName::Memberships);
        let folded_to = file
            .map(|file| {
                let path = data().join(TABLES).join(file);
                let bytes = crate::store::read_listed(&self.disk, &path)?;
                Ok(memberships::decode(&path, &bytes)?.folded_to)
            })
            .transpose()?;
        assert!(
            folded_to == told.folded_to || folded_to == told.tried_folded_to,
            "seed {seed}: {folded_to:?} of {told:?}"
        );
        told.folded_to = folded_to;
        let grants = self.access.grants().len();
        assert!(
            grants == told.grants || grants == told.grants + 1,
            "seed {seed}: {grants} of {told:?}"
        );
        told.grants = grants;
        let destinations = self.destinations.len();
        assert!(
            destinations == told.destinations || destinations == told.destinations + 1,
            "seed {seed}: {destinations} of {told:?}"
        );
        told.destinations = destinations;
        Ok(())
    }
}

fn event(identity: IdentityId, message: u128) -> StoredEvent {
    StoredEvent {
        kind: EventKind::Track,
        anonymous: false,
        identity,
        customer: CustomerId(identity.0),
        occurred_at: Timestamp(1),
        received_at: Timestamp(2),
        message,
        name: "Product Viewed".into(),
        properties: "{}".into(),
        context: "{}".into(),
        sealed: Box::default(),
    }
}

fn saved(folded_to: u64) -> MembershipsSaved {
    MembershipsSaved {
        folded_to,
        now: Timestamp(0),
        segments: Vec::new(),
        customers: Vec::new(),
    }
}

/// A message that names a file or says that nothing is taken any more.
fn is_clear(error: &StoreError) -> bool {
    let text = error.to_string();
    text.contains("`data") && (text.starts_with("cannot ") || text.contains("an earlier write"))
}

#[test]
fn what_was_acknowledged_is_there_once_whatever_the_disk_does() {
    let dir = tempfile::tempdir().unwrap();
    let key = MasterKey::create(&dir.path().join("master.key")).unwrap();
    let (mut steps, mut failures, mut full) = (0, 0, 0);
    for seed in 0..SCHEDULES {
        let disk = SimulatedDisk::new(seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xd15c);
        let mut told = Told::default();
        for _ in 0..LIVES {
            match rng.random_range(0..5) {
                0 => disk.fail_after(rng.random_range(0..120)),
                1 => disk.full_after(rng.random_range(0..9_000)),
                2 => {}
                _ => disk.stop_after(rng.random_range(0..120)),
            }
            // The machine may stop while it starts or reads.
            let started = Process::start(&disk, &key)
                .and_then(|process| process.check(seed, &mut told).map(|()| process));
            if let Ok(mut process) = started {
                for _ in 0..rng.random_range(1..12) {
                    steps += 1;
                    if let Err(error) = process.step(&mut rng, &mut told) {
                        assert!(is_clear(&error), "seed {seed}: {error}");
                        failures += 1;
                        full += usize::from(error.to_string().contains("no storage space"));
                        break;
                    }
                }
            }
            disk.crash();
            disk.make_space();
            let process = Process::start(&disk, &key);
            let process = process.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            let checked = process.check(seed, &mut told);
            checked.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        }
    }
    // The schedules are such that all of it happens.
    assert!(steps > 20_000, "{steps} steps");
    assert!(failures > 1_000, "{failures} failures");
    assert!(full > 100, "{full} times full");
}
