//! What customers are called, sorted: for lists that come page by page.
//!
//! Names never change, so that they are taken from the vault once, some at a time, and then only
//! those that are new. Nothing is here before somebody asks for a list.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, PoisonError};

use regulars_core::CustomerId;
use regulars_store::StoreError;
use regulars_store::vault::{IdentityKind, Name};

use crate::answer::Problem;
use crate::state::Server;

/// Names that are taken from the vault while nothing else is stored.
const AT_ONCE: usize = 20_000;

/// The names of everyone.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    names: BTreeMap<Name, CustomerId>,
    /// Where the vault goes on.
    taken_to: usize,
    /// How often the data had been lent then: another process may have arranged the vault anew.
    loans: u64,
}

/// Takes up the names that are new.
///
/// # Errors
/// When the server is stopping, or the vault cannot be read.
pub(crate) fn catch_up(server: &Server) -> Result<(), Problem> {
    let mut known = server.names.known();
    loop {
        let loans = server.live.loans();
        let from = if known.loans == loans {
            known.taken_to
        } else {
            0
        };
        let taken = server.live.with_store(move |store| {
            let vault = store.vault()?;
            let (names, end) = vault.names_from(from, AT_ONCE);
            Ok((names, end, end == vault.names_end()))
        });
        let taken: Result<_, StoreError> = taken.ok_or_else(Problem::stopping)?;
        let (names, end, is_all) = taken.map_err(|error| Problem::failed(&error))?;
        if server.live.loans() != loans {
            continue;
        }
        known.names.extend(names);
        known.taken_to = end;
        known.loans = loans;
        if is_all {
            return Ok(());
        }
    }
}

impl Names {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// At most `most` names after one that begin with `prefix`, sorted. One that stands for somebody
    /// else, or for nobody, is among them.
    pub(crate) fn after(
        &self,
        after: Option<&Name>,
        prefix: &str,
        most: usize,
    ) -> Vec<(Name, CustomerId)> {
        let known = self.known();
        let first = (prefix.into(), IdentityKind::CustomerId);
        let from = match after {
            Some(after) if *after >= first => Bound::Excluded(after.clone()),
            Some(_) | None => Bound::Included(first),
        };
        let names = known.names.range((from, Bound::Unbounded));
        let names = names.take_while(|((text, _), _)| text.starts_with(prefix));
        let names = names.map(|(name, &customer)| (name.clone(), customer));
        names.take(most).collect()
    }
}
