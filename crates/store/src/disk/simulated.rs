//! A disk in memory that crashes, tears writes and fails, for tests.
//!
//! It is as unkind as POSIX allows: after a crash, a file that was not synced keeps any prefix of
//! what was written since (and garbage may stand where the rest of the last write was), and a
//! directory that was not synced has any prefix of its changes of names.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Disk, DiskFile};

#[derive(Debug, Clone, Default)]
struct Node {
    durable: Vec<u8>,
    current: Vec<u8>,
}

#[derive(Debug, Clone)]
enum NameChange {
    Set(PathBuf, usize),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf, usize),
}

impl NameChange {
    fn dir(&self) -> &Path {
        let (Self::Set(path, _) | Self::Remove(path) | Self::Rename(path, _, _)) = self;
        path.parent()
            .expect("every simulated file is in a directory")
    }
}

#[derive(Debug)]
struct State {
    nodes: Vec<Node>,
    durable_names: BTreeMap<PathBuf, usize>,
    names: BTreeMap<PathBuf, usize>,
    pending: Vec<NameChange>,
    /// Calls until the machine stops; every later call fails.
    calls_left: Option<u32>,
    /// Calls until one call fails and the machine goes on.
    error_in: Option<u32>,
    /// Bytes that can still be written; every later write fails.
    space_left: Option<usize>,
    rng: ChaCha8Rng,
}

/// A handle to the simulated machine's disk; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

impl SimulatedDisk {
    pub(crate) fn new(seed: u64) -> Self {
        let state = State {
            nodes: Vec::new(),
            durable_names: BTreeMap::new(),
            names: BTreeMap::new(),
            pending: Vec::new(),
            calls_left: None,
            error_in: None,
            space_left: None,
            rng: ChaCha8Rng::seed_from_u64(seed),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// The machine stops after so many more calls.
    pub(crate) fn stop_after(&self, calls: u32) {
        self.lock().calls_left = Some(calls);
    }

    /// One call fails after so many more.
    pub(crate) fn fail_after(&self, calls: u32) {
        self.lock().error_in = Some(calls);
    }

    /// The disk is full after so many more bytes; a crash changes nothing about that.
    pub(crate) fn full_after(&self, bytes: usize) {
        self.lock().space_left = Some(bytes);
    }

    /// There is space again.
    pub(crate) fn make_space(&self) {
        self.lock().space_left = None;
    }

    /// Power goes off and comes back.
    pub(crate) fn crash(&self) {
        let mut guard = self.lock();
        let state = &mut *guard;
        state.calls_left = None;
        state.error_in = None;
        // Each directory keeps a prefix of its changes of names, independently of the others.
        let mut cut_off: Vec<PathBuf> = Vec::new();
        for change in std::mem::take(&mut state.pending) {
            let dir = change.dir().to_owned();
            if cut_off.contains(&dir) || state.rng.random_bool(0.4) {
                cut_off.push(dir);
            } else {
                apply(&mut state.durable_names, &change);
            }
        }
        state.names = state.durable_names.clone();
        for node in &mut state.nodes {
            // Written since the last sync: a prefix survives, then perhaps garbage.
            let known = node.durable.len().min(node.current.len());
            let unsynced = node.current.len() - known;
            if unsynced > 0 && node.current[..known] == node.durable[..known] {
                let keep = state.rng.random_range(0..=unsynced);
                let mut survived = node.current[..known + keep].to_vec();
                if keep < unsynced && state.rng.random_bool(0.5) {
                    let garbage = state.rng.random_range(1..=unsynced - keep);
                    let zeros = state.rng.random_bool(0.5);
                    for _ in 0..garbage {
                        survived.push(if zeros { 0 } else { state.rng.random() });
                    }
                }
                node.durable = survived;
            }
            node.current = node.durable.clone();
        }
    }

    /// Flips a byte of a file, as a bad disk does.
    pub(crate) fn damage(&self, path: &Path, position: usize) {
        let mut state = self.lock();
        let node = state.names[path];
        state.nodes[node].current[position] ^= 0x55;
        state.nodes[node].durable = state.nodes[node].current.clone();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn call(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.lock();
        if let Some(left) = &mut state.calls_left {
            *left = left
                .checked_sub(1)
                .ok_or_else(|| io::Error::other("the machine is off"))?;
        }
        match state.error_in {
            Some(0) => {
                state.error_in = None;
                return Err(io::Error::other("injected"));
            }
            Some(left) => state.error_in = Some(left - 1),
            None => {}
        }
        Ok(state)
    }
}

fn apply(names: &mut BTreeMap<PathBuf, usize>, change: &NameChange) {
    match change {
        NameChange::Set(path, node) => {
            names.insert(path.clone(), *node);
        }
        NameChange::Remove(path) => {
            names.remove(path);
        }
        NameChange::Rename(from, to, node) => {
            names.remove(from);
            names.insert(to.clone(), *node);
        }
    }
}

fn absent(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("no `{}`", path.display()))
}

impl State {
    fn change(&mut self, change: NameChange) {
        apply(&mut self.names, &change);
        self.pending.push(change);
    }

    fn node(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| absent(path))
    }
}

impl Disk for SimulatedDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.call()?;
        let node = state.nodes.len();
        state.nodes.push(Node::default());
        state.change(NameChange::Set(path.to_owned(), node));
        Ok(Box::new(SimulatedFile {
            disk: self.clone(),
            node,
        }))
    }

    fn create_for_owner(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.create(path)
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let node = self.call()?.node(path)?;
        Ok(Box::new(SimulatedFile {
            disk: self.clone(),
            node,
        }))
    }

    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        let mut state = self.call()?;
        let node = state.node(path)?;
        let node = &mut state.nodes[node];
        node.current.truncate(length as usize);
        node.durable = node.current.clone();
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.call()?;
        let node = state.node(from)?;
        state.change(NameChange::Rename(from.to_owned(), to.to_owned(), node));
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut guard = self.call()?;
        let state = &mut *guard;
        let (here, elsewhere) = std::mem::take(&mut state.pending)
            .into_iter()
            .partition(|change| change.dir() == dir);
        state.pending = elsewhere;
        let here: Vec<NameChange> = here;
        for change in &here {
            apply(&mut state.durable_names, change);
        }
        Ok(())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let state = self.call()?;
        Ok(state.nodes[state.node(path)?].current.clone())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.call()?;
        state.node(path)?;
        state.change(NameChange::Remove(path.to_owned()));
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = self.call()?;
        let inside = state.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect())
    }
}

#[derive(Debug)]
struct SimulatedFile {
    disk: SimulatedDisk,
    node: usize,
}

impl DiskFile for SimulatedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.disk.call() {
            Ok(mut state) => {
                let room = state.space_left.unwrap_or(usize::MAX).min(bytes.len());
                state.nodes[self.node]
                    .current
                    .extend_from_slice(&bytes[..room]);
                if let Some(left) = &mut state.space_left {
                    *left -= room;
                }
                if room < bytes.len() {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                Ok(())
            }
            Err(error) => {
                // A failed write may have written a part.
                let mut state = self.disk.lock();
                if state.calls_left != Some(0) {
                    let part = state.rng.random_range(0..=bytes.len());
                    state.nodes[self.node]
                        .current
                        .extend_from_slice(&bytes[..part]);
                }
                Err(error)
            }
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.call()?;
        let node = &mut state.nodes[self.node];
        node.durable = node.current.clone();
        Ok(())
    }
}
