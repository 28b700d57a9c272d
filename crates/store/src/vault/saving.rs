//! What of a vault is on disk: its files, and journals in the log of what came since.

use std::collections::HashMap;
use std::path::Path;

use super::arena::Arena;
use super::links::Seen;
use super::{IdentityId, MasterKey, NameCounts, NewLink, Trust, Vault, file};
use crate::StoreError;
use crate::disk::Disk;

impl Vault {
    /// Reads the files of a vault, in the order of the manifest.
    pub(crate) fn load(
        disk: &dyn Disk,
        dir: &Path,
        files: &[String],
        key: &MasterKey,
    ) -> Result<Self, StoreError> {
        let mut vault = Self::default();
        let mut loading = Loading::default();
        for name in files {
            let path = dir.join(name);
            let bytes = crate::store::read_listed(disk, &path)?;
            file::read(&path, &bytes, key, &mut vault.arena, |link| {
                loading.take(link);
            })?;
        }
        loading.end(&mut vault);
        vault.saved();
        Ok(vault)
    }

    /// From here on, additions are new.
    pub(crate) fn begin(&mut self) {
        self.begun_at = self.arena.end();
        self.forget_changes();
    }

    fn forget_changes(&mut self) {
        self.before.clear();
        self.parted.clear();
    }

    /// The files hold everything.
    pub(crate) fn saved(&mut self) {
        self.begin();
        self.saved_to = self.arena.end();
        self.new_links.clear();
        self.journaled = (self.saved_to, 0);
        self.journals.clear();
    }

    /// The files hold what records of the log before an offset hold.
    pub(crate) fn saved_before(&mut self, offset: u64) {
        while let Some((_, identities, links)) = self.journals.pop_front_if(|(at, ..)| *at < offset)
        {
            self.saved_to = identities;
            self.new_links.drain(..links);
            self.journaled.1 -= links;
            for (_, _, later) in &mut self.journals {
                *later -= links;
            }
        }
    }

    /// What was added since the last call, as a file of the vault for a record of the log; `None`
    /// without any. It still counts as changed: the next file of the vault holds it too.
    pub(crate) fn journal(&mut self, key: &MasterKey) -> Result<Option<Vec<u8>>, StoreError> {
        let (from, first_link) = self.journaled;
        if self.arena.end() == from && self.new_links.len() == first_link {
            return Ok(None);
        }
        let links = &self.new_links[first_link..];
        let bytes = file::encode(self.arena.records_from(from), links, key)?;
        self.journaled = (self.arena.end(), self.new_links.len());
        // Each frame decides for itself what moved.
        self.forget_changes();
        Ok(Some(bytes))
    }

    /// The last journal is in the log, as the record of that offset.
    pub(crate) fn is_journaled_at(&mut self, offset: u64) {
        let (identities, links) = self.journaled;
        self.journals.push_back((offset, identities, links));
    }

    /// A file of the vault that holds what several journals hold.
    pub(crate) fn file_of_journals(
        log: &Path,
        journals: &[Vec<u8>],
        key: &MasterKey,
    ) -> Result<Vec<u8>, StoreError> {
        let (mut arena, mut links) = (Arena::default(), Vec::new());
        for journal in journals {
            file::read(log, journal, key, &mut arena, |link| links.push(link))?;
        }
        file::encode(arena.records_from(0), &links, key)
    }

    /// Takes up what a record of the log brought.
    pub(crate) fn take_journal(
        &mut self,
        (log, offset): (&Path, u64),
        bytes: &[u8],
        key: &MasterKey,
    ) -> Result<(), StoreError> {
        let mut links = Vec::new();
        file::read(log, bytes, key, &mut self.arena, |link| links.push(link))?;
        for (identity, with, trust) in links {
            if identity == with {
                self.part(identity);
            } else {
                self.link(identity, with, trust);
            }
        }
        self.journaled = (self.arena.end(), self.new_links.len());
        self.is_journaled_at(offset);
        self.forget_changes();
        Ok(())
    }

    /// True when there is something that the files do not hold.
    pub(crate) fn has_changed(&self) -> bool {
        self.arena.end() > self.saved_to || !self.new_links.is_empty()
    }

    /// A file with what they do not hold.
    pub(crate) fn encode_additions(&self, key: &MasterKey) -> Result<Vec<u8>, StoreError> {
        file::encode(self.arena.records_from(self.saved_to), &self.new_links, key)
    }

    /// A file with everything.
    pub(crate) fn encode_all(&self, key: &MasterKey) -> Result<Vec<u8>, StoreError> {
        let mut links = Vec::with_capacity(self.links.len());
        for (identity, seen) in self.links.iter() {
            let (with, trust) = match seen {
                Seen::With(with, trust) => (with, trust),
                Seen::Apart => (identity, Trust::Server),
            };
            links.push((identity, with, trust));
        }
        links.sort_unstable_by_key(|&(identity, ..)| identity);
        file::encode(self.arena.records_from(0), &links, key)
    }
}

/// Links as files hold them, in the order in which they were made: a server's word counts instead of a
/// client's; two different ones of an identity, or one with itself, let it stand for itself.
#[derive(Debug, Default)]
pub(super) struct Loading(HashMap<IdentityId, Seen, foldhash::fast::FixedState>);

impl Loading {
    pub(super) fn take(&mut self, (identity, with, trust): NewLink) {
        let new = match self.0.get(&identity) {
            _ if identity == with => Seen::Apart,
            None | Some(Seen::With(_, Trust::Client)) => Seen::With(with, trust),
            Some(&Seen::With(before, _)) if before == with => return,
            Some(Seen::With(..) | Seen::Apart) => Seen::Apart,
        };
        self.0.insert(identity, new);
    }

    pub(super) fn end(self, vault: &mut Vault) {
        for (identity, seen) in self.0 {
            let own = NameCounts::one(vault.kind_of(identity));
            match seen {
                Seen::Apart => vault.links.part(identity, own),
                Seen::With(with, _) if vault.links.root(with) == identity => {}
                Seen::With(with, trust) => vault.links.join(identity, own, with, trust),
            }
        }
    }
}
