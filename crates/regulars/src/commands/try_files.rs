//! `try`: files looked at without a workspace.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use regulars_core::Currency;
use regulars_pipeline::{
    Config, ImportOptions, PipelineError, RejectPolicy, RepeatPolicy, ScoreOptions, Silent,
    Workspace, as_of, currency_of, dry_run, expand, import, report, score,
};
use regulars_store::Store;

use crate::cli::{Cli, TryArgs};
use crate::commands::doubts;
use crate::commands::files::read_options;
use crate::commands::import::rejects_text;
use crate::commands::report::{Rejects, report_text};
use crate::failure::{Done, Usage};
use crate::output::Output;
use crate::session::{Session, wall_clock};
use crate::text::{counted, warning};

pub(crate) fn run(cli: &Cli, args: &TryArgs) -> anyhow::Result<Done> {
    let files = expand(&args.files)?;
    let directory = tempfile::tempdir()?;
    let name = args.files[0]
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_else(|| "files".to_owned());
    let config = |currency| {
        let config = Config::new(&name, currency, &args.time_zone);
        Config::parse(&config.to_documented_toml()).map_err(Usage)
    };
    let euro = Currency::new("EUR").expect("the euro is a currency");
    let given = args.currency.as_deref().map(Currency::listed).transpose();
    let named = match given.map_err(|error| Usage(error.to_string()))? {
        None => currency_of(&files, &read_options(&config(euro)?, &args.read)?)?,
        given => given,
    };
    let config = config(named.unwrap_or(euro))?;
    let workspace = Workspace::init(&directory.path().join("try"), config)?;
    let session = Session::of(cli, workspace);
    let done = look(cli, args, &session, &files)?;
    if named.is_none() {
        session.tell(
            "no file names a currency: amounts are taken as EUR; --currency CODE says another",
        );
    }
    session.tell(
        "this was a look: nothing was kept; next: regulars init SHOP && cd SHOP && regulars import FILES",
    );
    Ok(done)
}

fn look(
    cli: &Cli,
    args: &TryArgs,
    session: &Session,
    files: &[impl AsRef<Path>],
) -> anyhow::Result<Done> {
    let files: Vec<_> = files.iter().map(|file| file.as_ref().to_owned()).collect();
    let config = session.workspace.config();
    let mut store = session.workspace.open()?;
    let options = ImportOptions {
        read: read_options(config, &args.read)?,
        source: "shop".to_owned(),
        rejects: if args.allow_rejects {
            RejectPolicy::Allow
        } else {
            RejectPolicy::Limit
        },
        repeats: RepeatPolicy::Skip,
        recorded_at: wall_clock(),
        threads: session.threads,
        commits: Arc::default(),
    };
    let imported = import(
        &session.workspace,
        &mut store,
        &files,
        &options,
        &*session.progress,
    );
    let imported = match imported {
        Ok(imported) => imported,
        Err(error) => return Err(explained(error, session, &store, &files, &options)?.into()),
    };
    let given = args
        .as_of
        .as_of
        .as_deref()
        .map(|text| session.instant("--as-of", text))
        .transpose()?;
    let (now, reason) = as_of(&store, config, given).map_err(in_files)?;
    let catalogue = session.catalogue()?;
    let options = ScoreOptions {
        now,
        holdout_from: None,
        recorded_at: wall_clock(),
        threads: session.threads,
    };
    let base = score(&mut store, config, &catalogue, options, &*session.progress);
    let base = base.map_err(in_files)?;
    let made = report(
        &store,
        config,
        &base,
        reason,
        session.threads,
        &*session.progress,
    )?;
    let zone = config.zone();
    Output::of(&made, "/segments", || {
        report_text(&made, &zone, Rejects::Gone)
    })
    .print(cli.format)?;
    for doubt in doubts::of_import(&imported) {
        session.tell(warning(&doubt).trim_end());
    }
    if imported.rejected() > 0 {
        session.tell(&warning(&format!(
            "{} could not be read; import into a workspace to see which and why",
            counted(imported.rejected(), "row")
        )));
        return Ok(Done::InPart);
    }
    Ok(Done::Whole)
}

/// The error of a look at files, of which there is no later import.
fn in_files(error: PipelineError) -> PipelineError {
    match error {
        PipelineError::NoOrders => PipelineError::NoOrdersInFiles,
        other => other,
    }
}

/// The error of an import as what it is in a look, which keeps no rows and has no settings. Why
/// rows are rejected is told here.
fn explained(
    error: PipelineError,
    session: &Session,
    store: &Store,
    files: &[PathBuf],
    options: &ImportOptions,
) -> anyhow::Result<PipelineError> {
    Ok(match error {
        PipelineError::TooManyRejects {
            file,
            rejected,
            rows,
            percent,
            rejects: _,
        } => {
            let dry = dry_run(&session.workspace, store, files, options, &Silent)?;
            for file in &dry.files {
                session.tell(rejects_text(file).trim_end());
            }
            PipelineError::TooManyRejects {
                file,
                rejected,
                rows,
                percent,
                rejects: None,
            }
        }
        PipelineError::NoRate { currency, own } => PipelineError::Currency(format!(
            "amounts in {currency} and in {own}, and a look has no exchange rates: make a workspace with `regulars init SHOP --currency {own}`, and put rates of {currency} into its regulars.toml"
        )),
        other => other,
    })
}
