//! What most commands begin with: the workspace, its store, `now`, everyone folded.

use std::mem::ManuallyDrop;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::Context;
use regulars_core::Timestamp;
use regulars_pipeline::{
    AsOfReason, Base, Catalogue, FittedModels, FoldOptions, Progress, Scoring, Workspace, as_of,
};
use regulars_store::Store;

use crate::cli::{AsOfArgs, Cli, LookArgs};
use crate::failure::Usage;
use crate::progress::progress;
use crate::text::harmless;

/// A command at work.
pub(crate) struct Session {
    pub(crate) workspace: Workspace,
    pub(crate) threads: usize,
    pub(crate) progress: Box<dyn Progress>,
    quiet: bool,
}

/// A store opened for reading, with everyone folded at one moment.
pub(crate) struct Look {
    pub(crate) store: Store,
    /// Lives as long as the process, whose end gives back millions of pieces of memory at once.
    pub(crate) base: ManuallyDrop<Base>,
    pub(crate) reason: AsOfReason,
}

/// Threads to use when nothing is said.
pub(crate) fn threads(cli: &Cli) -> usize {
    cli.threads
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZeroUsize::get))
        .max(1)
}

/// The wall clock: only for when something was done, never for what it gives.
#[allow(
    clippy::disallowed_methods,
    reason = "the one place that asks for the time: it is recorded in the log and decides nothing"
)]
pub(crate) fn wall_clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp(since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }))
}

impl Session {
    /// In the workspace of `--workspace`, or around the current directory.
    pub(crate) fn open(cli: &Cli) -> anyhow::Result<Self> {
        let start = cli.workspace.clone().unwrap_or_else(|| PathBuf::from("."));
        Ok(Self::of(cli, Workspace::find(&start)?))
    }

    /// In a given workspace.
    pub(crate) fn of(cli: &Cli, workspace: Workspace) -> Self {
        Self {
            workspace,
            threads: threads(cli),
            progress: progress(cli.quiet),
            quiet: cli.quiet,
        }
    }

    /// Whether only what goes wrong is said.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Tells something on stderr.
    pub(crate) fn tell(&self, text: &str) {
        if !self.quiet {
            self.warn(text);
        }
    }

    /// Tells on stderr why a command does not end well, also when it is to be quiet.
    pub(crate) fn warn(&self, text: &str) {
        anstream::eprintln!("{}", harmless(text));
    }

    /// The segments of the workspace.
    pub(crate) fn catalogue(&self) -> anyhow::Result<Catalogue> {
        let directory = self.workspace.segments_dir();
        Ok(Catalogue::load(self.workspace.config(), Some(&directory))?)
    }

    /// The moment of `--as-of`, or by default.
    pub(crate) fn now(
        &self,
        store: &Store,
        args: &AsOfArgs,
    ) -> anyhow::Result<(Timestamp, AsOfReason)> {
        let config = self.workspace.config();
        let given = args
            .as_of
            .as_deref()
            .map(|text| self.instant("--as-of", text))
            .transpose()?;
        let (now, reason) = as_of(store, config, given)?;
        if reason == AsOfReason::LatestEvent {
            self.tell(&format!(
                "as of {now}, the latest event (--as-of changes it)"
            ));
        }
        if let Some(what) = last_day(reason) {
            let day = config.zone().date_of(now);
            self.tell(&format!(
                "as of the end of {day}, {what} (--as-of changes it)"
            ));
        }
        Ok((now, reason))
    }

    /// Reads a moment.
    pub(crate) fn instant(&self, option: &str, text: &str) -> anyhow::Result<Timestamp> {
        let read = self.workspace.config().zone().parse_instant(text);
        read.ok_or_else(|| {
            let expected = "a day such as 2026-01-31 or an instant such as 2026-01-31T12:00:00Z";
            Usage(format!(
                "`{option}`: `{text}` is not a moment: use {expected}"
            ))
            .into()
        })
    }

    /// Folds everyone with the given segments.
    pub(crate) fn look_with(
        &self,
        args: &LookArgs,
        catalogue: &Catalogue,
        change: impl FnOnce(FoldOptions) -> FoldOptions,
    ) -> anyhow::Result<Look> {
        let store = self.workspace.open_read()?;
        let (now, reason) = self.now(&store, &args.as_of)?;
        let mut options = FoldOptions::at(now, self.threads);
        if args.restated {
            options.scoring = Scoring::LatestFit;
        }
        let options = change(options);
        let config = self.workspace.config();
        let base = Base::fold(&store, config, catalogue, options, &*self.progress)?;
        self.tell_fit(&store, &base)?;
        Ok(Look {
            store,
            base: ManuallyDrop::new(base),
            reason,
        })
    }

    /// Says which fit the scores are of, when it is not one of the moment itself.
    fn tell_fit(&self, store: &Store, base: &Base) -> anyhow::Result<()> {
        let zone = self.workspace.config().zone();
        let text = match &base.fitted {
            Some(fitted) if fitted.as_of == base.now => return Ok(()),
            Some(fitted) => format!("scores by the fit as of {}", zone.date_of(fitted.as_of)),
            None => match FittedModels::latest(store)? {
                None => return Ok(()),
                Some(latest) => format!(
                    "no scores: no fit was in use then; --restated uses the one as of {}",
                    zone.date_of(latest.as_of)
                ),
            },
        };
        self.tell(&text);
        Ok(())
    }

    /// Folds everyone with the segments of the workspace.
    pub(crate) fn look(&self, args: &LookArgs) -> anyhow::Result<Look> {
        self.look_with(args, &self.catalogue()?, |options| options)
    }
}

/// What the day of the default `now` is, in words.
pub(crate) fn last_day(reason: AsOfReason) -> Option<&'static str> {
    match reason {
        AsOfReason::Given | AsOfReason::LatestEvent => None,
        AsOfReason::LastDay => Some("the last day in the data"),
        AsOfReason::LastPastDay => {
            Some("the last day in the data up to its import: some records are from the future")
        }
        AsOfReason::LastImport => Some("the day of the import: nothing in the data tells a day"),
    }
}

/// The part of a path that names a workspace.
pub(crate) fn name_of(directory: &Path) -> anyhow::Result<String> {
    let absolute = std::path::absolute(directory)
        .with_context(|| format!("cannot use `{}`", directory.display()))?;
    let name = absolute
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    Ok(name.unwrap_or_else(|| "workspace".to_owned()))
}
