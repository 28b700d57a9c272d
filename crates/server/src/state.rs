//! What all requests share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use axum::http::StatusCode;
use regulars_ingest::tracking::Limits;
use regulars_pipeline::live::Live;
use regulars_pipeline::{PipelineError, Times};
use regulars_store::access::{Access, Grant, Role};

use crate::answer::Problem;
use crate::body::Budget;
use crate::connections::Connections;
use crate::delivery::Delivery;
use crate::journal::Refusals;
use crate::names::Names;
use crate::past::Past;
use crate::rate::Rates;
use crate::recorded::TransitionLog;

/// How the server behaves.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// What bodies of the tracking API may hold.
    pub limits: Limits,
    /// Events that one write key may send in a second, on average over ten; 0 for any number.
    pub events_per_second: u32,
    /// Bytes of bodies that may be read and wait for the disk at the same time.
    pub waiting_bytes: usize,
    /// Connections at the same time.
    pub connections: usize,
    /// How long a connection may be without a whole head of a request.
    pub idle_patience: Duration,
    /// How long a body may take to arrive.
    pub body_patience: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            events_per_second: 200_000,
            waiting_bytes: 256 << 20,
            connections: 20_000,
            idle_patience: Duration::from_secs(75),
            body_patience: Duration::from_secs(30),
        }
    }
}

/// What all requests share.
#[derive(Debug)]
pub struct Server {
    pub(crate) live: Live,
    pub(crate) access: RwLock<Access>,
    pub(crate) options: ServerOptions,
    pub(crate) transitions: Arc<TransitionLog>,
    pub(crate) counts: Counts,
    pub(crate) budget: Budget,
    pub(crate) rates: Rates,
    pub(crate) connections: Arc<Connections>,
    pub(crate) delivery: Option<Arc<Delivery>>,
    /// Set when the disk refused: the live path is ending.
    pub(crate) failed: AtomicBool,
    /// Everyone at the past moment that was asked for last.
    pub(crate) past: Arc<Past>,
    /// What customers are called.
    pub(crate) names: Names,
    /// Held by whoever changes segments: each change is checked with those before.
    pub(crate) editing: Mutex<()>,
}

/// What happened since the start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) events: AtomicU64,
    pub(crate) repeated: AtomicU64,
    pub(crate) rejected: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) refused: AtomicU64,
    /// Events of requests that were refused because their key sends too many.
    pub(crate) limited: AtomicU64,
    pub(crate) refusals: Refusals,
    /// From the head of a request to its answer.
    pub(crate) tracking: Times,
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
            transitions,
            counts: Counts::default(),
            budget: Budget::new(options.waiting_bytes),
            rates: Rates::new(options.events_per_second, options.limits.batch_events),
            connections: Arc::default(),
            options,
            delivery: None,
            failed: AtomicBool::new(false),
            past: Arc::default(),
            names: Names::default(),
            editing: Mutex::new(()),
        }
    }

    /// Sends transitions to destinations, too.
    pub fn with_delivery(mut self, delivery: Arc<Delivery>) -> Self {
        self.delivery = Some(delivery);
        self
    }

    /// Takes no more events, finishes what was taken, and saves where everyone is.
    ///
    /// # Errors
    /// When a thread had to give up before.
    pub fn stop(&self) -> Result<(), PipelineError> {
        self.live.stop().map(drop)
    }

    /// True as long as events are taken.
    pub(crate) fn takes_events(&self) -> bool {
        !self.failed.load(Ordering::Relaxed) && self.live.is_running()
    }

    /// The grant of a secret.
    pub(crate) fn grant(&self, secret: &str) -> Option<Grant> {
        let access = self.access.read().unwrap_or_else(PoisonError::into_inner);
        access.find(secret).cloned()
    }

    /// Checks that the bearer of a token has one of `roles`.
    pub(crate) fn allow(&self, token: Option<&str>, roles: &[Role]) -> Result<Grant, Problem> {
        let grant = token.and_then(|token| self.grant(token));
        let grant = grant.filter(|grant| !grant.role.is_write());
        let grant = grant.ok_or_else(Problem::no_token)?;
        if roles.contains(&grant.role) {
            Ok(grant)
        } else {
            Err(Problem::not_allowed(grant.role.name()))
        }
    }

    /// Checks that a command on this machine asks, with the token that the data directory tells.
    pub(crate) fn allow_local(&self, token: Option<&str>) -> Result<(), Problem> {
        let grant = self.allow(token, &[Role::Admin])?;
        let access = self.access.read().unwrap_or_else(PoisonError::into_inner);
        if access.is_in_passing(&grant) {
            return Ok(());
        }
        let message = "only commands on the machine of the server may do this";
        Err(Problem::new(StatusCode::FORBIDDEN, "not_local", message))
    }
}
