//! `serve`: the tracking API, the REST API, everyone kept up to date.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use regulars_ingest::tracking::Limits;
use regulars_pipeline::deliver::Deliveries;
use regulars_pipeline::live::{Engine, Live, LiveOptions, StartOptions};
use regulars_server::{Delivery, Server, ServerOptions, TransitionLog, bind, serve};
use regulars_store::Store;
use regulars_store::access::{Access, Role};

use crate::cli::{Cli, ServeArgs};
use crate::clock::steady_clock;
use crate::failure::Done;
use crate::log::Log;
use crate::open_files;
use crate::serving::{Announced, Turn};
use crate::session::{Session, wall_clock};

/// Requests that may wait for the disk.
const QUEUE: usize = 4_096;
/// Records that may wait to be folded before no more are taken.
const BEHIND: usize = 500_000;
/// Records of the log that are moved to the history at a time: some hundred megabytes in memory
/// while that goes on.
const MOVE_AFTER: u64 = 250_000;
/// Records that may wait to be moved: some hundred bytes of memory each.
const UNMOVED: u64 = 1_000_000;
/// Transitions that are kept for whoever asks.
const TRANSITIONS: usize = 100_000;

pub(crate) fn run(cli: &Cli, args: &ServeArgs) -> anyhow::Result<Done> {
    let session = Session::open(cli)?;
    let log = Log::begin(&session, args.log_format, args.log_level);
    let listener = bind(args.listen)?;
    let begun = Instant::now();
    let mut store = session.workspace.open()?;
    let _turn = Turn::take(&session.workspace.data_dir())?;
    let took_ms = begun.elapsed().as_millis() as u64;
    tracing::debug!(step = "the data is opened", took_ms, "a step is done");
    let options = StartOptions {
        now: wall_clock(),
        threads: session.threads,
    };
    let mut engine = Engine::start(&session.workspace, &mut store, options, &*session.progress)?;
    log.say(&format!("{} customers", engine.customers()));
    let sizes = engine.recorded_sizes();
    let transitions = TransitionLog::new(TRANSITIONS, engine.take_recorded(), sizes);
    let transitions = Arc::new(transitions);
    let told = Arc::clone(&transitions);
    let delivery = Arc::new(delivery(&session, &store)?);
    let delivered = Arc::clone(&delivery);
    let live = Live::start(
        session.workspace.clone(),
        store,
        engine,
        LiveOptions {
            clock: steady_clock(),
            queue: QUEUE,
            behind: BEHIND,
            unmoved: UNMOVED,
            threads: session.threads,
            move_after: MOVE_AFTER,
            on_transitions: Box::new(move |transitions| {
                told.add(transitions);
                delivered.add(transitions);
            }),
        },
    )?;
    let mut access = first_grants(&session)?;
    let local = access.grant_in_passing(Role::Admin, "commands on this machine", wall_clock())?;
    let options = server_options(&session, log);
    let server = Server::new(live, access, transitions, options).with_delivery(delivery);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(session.threads.max(2))
        .enable_all()
        .build()
        .context("cannot start the server's threads")?;
    let server = runtime.block_on(async {
        let running = serve(server, listener)?;
        let stop = stop_signal().context("cannot wait for signals")?;
        let data = session.workspace.data_dir();
        let _announced = Announced::new(&data, running.address(), local.secret)?;
        log.say(&format!("listening on http://{}", running.address()));
        anyhow::Ok(running.until(stop).await)
    })?;
    log.say("stopping: what was taken is finished");
    server.stop()?;
    Ok(Done::Whole)
}

/// What the settings say, as far as the system allows it.
fn server_options(session: &Session, log: Log<'_>) -> ServerOptions {
    let settings = &session.workspace.config().serve;
    let wanted = settings.connections as usize;
    let connections = wanted.min(open_files::room_for_connections(wanted));
    if connections < wanted {
        log.say(&format!(
            "at most {connections} connections, not {wanted}: the system lets this process open no \
             more files (`ulimit -Hn` shows how many)"
        ));
    }
    ServerOptions {
        limits: Limits::default(),
        events_per_second: settings.events_per_second,
        waiting_bytes: (settings.waiting_megabytes as usize) << 20,
        connections,
        idle_patience: Duration::from_secs(settings.idle_seconds.into()),
        body_patience: Duration::from_secs(settings.body_seconds.into()),
    }
}

/// What is to be sent where, from the destinations and the log.
fn delivery(session: &Session, store: &Store) -> anyhow::Result<Delivery> {
    let config = session.workspace.config();
    let space = &config.workspace.name;
    let deliveries = Deliveries::start(store, space, &config.delivery, wall_clock())?;
    let client = config.delivery.client();
    Ok(Delivery::new(deliveries, store.dir(), &client)?)
}

/// The grants; on the first start a write key and a token are made and shown.
fn first_grants(session: &Session) -> anyhow::Result<Access> {
    let mut access = Access::load(&session.workspace.data_dir())?;
    if access.grants().is_empty() {
        let now = wall_clock();
        let key = access.grant(Role::Write, "first start", now)?;
        let token = access.grant(Role::Admin, "first start", now)?;
        // Also when nothing else is said: they are shown nowhere else.
        anstream::eprintln!(
            "These are shown this once:\n  write key  {}\n  API token  {}",
            key.secret,
            token.secret
        );
    }
    Ok(access)
}

/// Ready when somebody wants the server to end; from the moment on when this was called.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ready when somebody wants the server to end.
#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        // One that cannot be waited for never comes.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
