//! What all requests share.

use std::collections::VecDeque;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use regulars_core::{Timestamp, Transition};
use regulars_ingest::tracking::Limits;
use regulars_pipeline::live::Live;
use regulars_store::access::{Access, Grant, Role};

use crate::answer::Problem;
use crate::delivery::Delivery;

/// How the server behaves.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// What bodies of the tracking API may hold.
    pub limits: Limits,
}

/// What all requests share.
#[derive(Debug)]
pub struct Server {
    pub(crate) live: Live,
    pub(crate) access: RwLock<Access>,
    pub(crate) options: ServerOptions,
    pub(crate) transitions: Arc<TransitionLog>,
    pub(crate) counts: Counts,
    pub(crate) delivery: Option<Arc<Delivery>>,
}

/// What happened since the start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) events: AtomicU64,
    pub(crate) repeated: AtomicU64,
    pub(crate) rejected: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) refused: AtomicU64,
}

impl Server {
    /// Of a live path that runs.
    pub fn new(
        live: Live,
        access: Access,
        transitions: Arc<TransitionLog>,
        options: ServerOptions,
    ) -> Self {
        Self {
            live,
            access: RwLock::new(access),
            options,
            transitions,
            counts: Counts::default(),
            delivery: None,
        }
    }

    /// Sends transitions to destinations, too.
    pub fn with_delivery(mut self, delivery: Arc<Delivery>) -> Self {
        self.delivery = Some(delivery);
        self
    }

    /// The live path, when nobody asks any more.
    pub fn into_live(self) -> Live {
        self.live
    }

    /// The grant of a secret.
    pub(crate) fn grant(&self, secret: &str) -> Option<Grant> {
        let access = self.access.read().unwrap_or_else(PoisonError::into_inner);
        access.find(secret).cloned()
    }

    /// Checks that the bearer of a token has one of `roles`.
    pub(crate) fn allow(&self, token: Option<&str>, roles: &[Role]) -> Result<Grant, Problem> {
        let grant = token.and_then(|token| self.grant(token));
        let grant = grant.filter(|grant| grant.role != Role::Write);
        let grant = grant.ok_or_else(Problem::no_token)?;
        if roles.contains(&grant.role) || grant.role == Role::Admin {
            Ok(grant)
        } else {
            Err(Problem::not_allowed(grant.role.name()))
        }
    }
}

/// The latest transitions, for whoever asks.
#[derive(Debug)]
pub struct TransitionLog {
    kept: usize,
    latest: Mutex<VecDeque<Transition>>,
}

impl TransitionLog {
    /// Keeps so many of the latest.
    pub fn new(kept: usize) -> Self {
        Self {
            kept,
            latest: Mutex::new(VecDeque::new()),
        }
    }

    /// Adds transitions in order.
    pub fn add(&self, transitions: &[Transition]) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.extend(transitions.iter().cloned());
        let over = latest.len().saturating_sub(self.kept);
        latest.drain(..over);
    }

    /// Those recorded at or after an instant, the latest last, at most `most` of them.
    pub(crate) fn since(&self, at: Timestamp, most: usize) -> Vec<Transition> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = latest.iter().filter(|known| known.recorded_at >= at);
        let mut found: Vec<Transition> = wanted.rev().take(most).cloned().collect();
        found.reverse();
        found
    }
}
