//! Everyone at a past moment, folded beside the live path by whoever asks.
//!
//! One moment at a time is in memory, and for a minute after it was asked for last, so that many
//! questions about it are one fold. It is folded again once anything that it was made of has changed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use regulars_core::Timestamp;
use regulars_pipeline::{
    Base, CONFIG_FILE, Catalogue, Config, FoldOptions, PipelineError, Scoring, Silent, Workspace,
};
use regulars_rules::Keep;
use regulars_store::log::LogRecordKind;
use regulars_store::{Store, StoreError};
use tokio::sync::Mutex;

use crate::answer::Problem;
use crate::state::Server;

/// A moment stays in memory for so long after it was asked for last.
const KEPT: Duration = Duration::from_secs(60);
/// Somebody begins so often at most when files are replaced while they are read.
const TIMES: usize = 3;
/// Records that change what is known of a moment, whenever they come.
const KINDS: [LogRecordKind; 3] = [
    LogRecordKind::ImportAdded,
    LogRecordKind::ModelsFitted,
    LogRecordKind::CutpointsSet,
];

/// The moment that is in memory; who holds it, folds.
pub(crate) type Past = Mutex<Option<Held>>;

/// Which moment, and seen how.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moment {
    pub(crate) at: Timestamp,
    /// Scored with the latest fit instead of the one that was in use then.
    pub(crate) restated: bool,
    /// A segment that may be one of a cell of the RFM scores, which exist when they are asked for.
    pub(crate) segment: Option<String>,
}

/// Everyone at a moment.
#[derive(Debug)]
pub(crate) struct Held {
    made_of: MadeOf,
    store: Store,
    base: Base,
    used: Instant,
}

/// What decides how everyone is seen.
#[derive(Debug, PartialEq)]
struct MadeOf {
    moment: Moment,
    config: Config,
    /// Name and rule of every segment.
    segments: Vec<(String, String)>,
    /// Latest record of each of [`KINDS`].
    records: Vec<Option<u64>>,
    /// How many customers turned out to be another.
    merges: usize,
    /// End of the log, for a moment that is not past yet.
    end: Option<u64>,
}

/// Lets `look` look at everyone at a moment. One at a time; the others wait without a thread.
///
/// # Errors
/// When the server is stopping, settings or segments on disk make no sense, or `look` fails.
pub(crate) async fn at<T: Send + 'static>(
    server: &Arc<Server>,
    moment: Moment,
    look: impl Fn(&Store, &Base) -> Result<T, PipelineError> + Send + 'static,
) -> Result<T, Problem> {
    let mut held = Arc::clone(&server.past).lock_owned().await;
    let asked = Arc::clone(server);
    let looked = tokio::task::spawn_blocking(move || {
        let looked = look_at(&asked, &mut held, &moment, look);
        if let Some(held) = &mut *held {
            held.used = Instant::now();
        }
        looked
    });
    let looked = looked.await.map_err(|_| Problem::stopping())?;
    forget_later(Arc::clone(&server.past));
    looked
}

fn look_at<T>(
    server: &Server,
    held: &mut Option<Held>,
    moment: &Moment,
    look: impl Fn(&Store, &Base) -> Result<T, PipelineError>,
) -> Result<T, Problem> {
    for time in 1..=TIMES {
        let looked = looked(server, held, moment, &look)?;
        match looked {
            // Files that it reads were replaced: it is made anew, of those that came instead.
            Err(PipelineError::Store(StoreError::Missing(_))) if time < TIMES => *held = None,
            looked => return looked.map_err(|error| Problem::of(&error)),
        }
    }
    unreachable!("the last time returns")
}

fn looked<T>(
    server: &Server,
    held: &mut Option<Held>,
    moment: &Moment,
    look: impl Fn(&Store, &Base) -> Result<T, PipelineError>,
) -> Result<Result<T, PipelineError>, Problem> {
    let workspace = Workspace::find(server.live.workspace());
    let workspace = workspace.map_err(|error| Problem::of_workspace(&error))?;
    let config = workspace.config();
    let catalogue = Catalogue::load(config, Some(&workspace.segments_dir()));
    let mut catalogue = catalogue.map_err(|error| Problem::of_workspace(&error))?;
    if let Some(segment) = &moment.segment {
        let with_cell = catalogue.with_cell(segment);
        catalogue = with_cell.map_err(|error| Problem::of(&error))?;
        catalogue
            .get(segment)
            .map_err(|error| Problem::of(&error))?;
    }
    let known = server.live.ask_of(Vec::new(), |engine| {
        (engine.identity_changes(), engine.now())
    });
    let (merges, now) = known.ok_or_else(Problem::stopping)?;
    let store = server.live.with_store(|store| store.beside());
    let store = store.ok_or_else(Problem::stopping)?;
    let asked = config.workspace.currency;
    if let Some(stored) = store.currency().filter(|&stored| stored != asked) {
        let path = workspace.root().join(CONFIG_FILE);
        let other = PipelineError::OtherCurrency {
            path,
            stored,
            asked,
        };
        return Err(Problem::of_workspace(&other));
    }
    let segments = catalogue.segments().iter();
    let made_of = MadeOf {
        moment: moment.clone(),
        config: config.clone(),
        segments: segments
            .map(|segment| (segment.name.to_string(), segment.rule_text()))
            .collect(),
        records: KINDS.map(|kind| store.latest_offset(kind)).to_vec(),
        merges,
        end: (moment.at >= now).then(|| store.next_offset()),
    };
    if held.as_ref().is_none_or(|held| held.made_of != made_of) {
        // Before the next one: two at a time would be too many.
        *held = None;
        let base = match fold(&store, config, &catalogue, moment) {
            Ok(base) => base,
            Err(error) => return Ok(Err(error)),
        };
        *held = Some(Held {
            made_of,
            store,
            base,
            used: Instant::now(),
        });
    }
    let held = held.as_ref().expect("it was made the line before");
    Ok(look(&held.store, &held.base))
}

fn fold(
    store: &Store,
    config: &Config,
    catalogue: &Catalogue,
    moment: &Moment,
) -> Result<Base, PipelineError> {
    // Half of the machine goes on with events.
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() / 2);
    let mut options = FoldOptions::at(moment.at, threads.max(1));
    if moment.restated {
        options.scoring = Scoring::LatestFit;
    }
    options.keep = Keep::Values;
    Base::fold(store, config, catalogue, options, &Silent)
}

/// Gives the memory back when nobody asks any more.
fn forget_later(past: Arc<Past>) {
    tokio::spawn(async move {
        tokio::time::sleep(KEPT).await;
        let mut held = past.lock_owned().await;
        if held
            .as_ref()
            .is_some_and(|held| held.used.elapsed() >= KEPT)
        {
            let forgotten = held.take();
            // Millions of pieces of memory: not on a thread that answers.
            let _ = tokio::task::spawn_blocking(move || drop(forgotten)).await;
        }
    });
}
