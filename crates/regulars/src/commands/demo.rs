//! `demo` and `generate`: the made-up shop.

use std::sync::Arc;

use regulars_pipeline::{
    CONFIG_FILE, Config, FileForm, ImportOptions, RejectPolicy, RepeatPolicy, ScoreOptions,
    Workspace, as_of, files_of, generate as write_files, import, report, score,
};
use regulars_shop::{Dirt, Shop, ShopOptions};
use serde_json::json;

use crate::cli::{Cli, DemoArgs, FilesAs, GenerateArgs, ReadArgs};
use crate::commands::files::read_options;
use crate::commands::report::{Rejects, report_text};
use crate::failure::{Done, Usage};
use crate::output::Output;
use crate::progress::progress;
use crate::session::{Session, threads, wall_clock};
use crate::text::{counted, heading};

pub(crate) fn run(cli: &Cli, args: &DemoArgs) -> anyhow::Result<Done> {
    let shop = Shop::new(ShopOptions {
        seed: args.seed,
        customers: args.customers,
        ..ShopOptions::default()
    })
    .map_err(|error| Usage(error.to_string()))?;
    let options = shop.options();
    let config = Config::new("made-up shop", options.currency, options.zone.name());
    let config = Config::parse(&config.to_documented_toml()).map_err(Usage)?;
    if args.dir.join(CONFIG_FILE).exists() {
        let message = format!(
            "`{}` is a workspace already: look at it with `regulars -C {0} report`, or make another with `--dir`",
            args.dir.display()
        );
        return Err(Usage(message).into());
    }
    let session = Session::of(cli, Workspace::init(&args.dir, config)?);
    let config = session.workspace.config();
    let files_dir = args.dir.join("files");
    let (files, _) = write_files(
        &shop,
        &files_dir,
        FileForm::Csv,
        session.threads,
        &*session.progress,
    )?;
    let mut store = session.workspace.open()?;
    let options = ImportOptions {
        read: read_options(config, &ReadArgs::nothing())?,
        source: "shop".to_owned(),
        rejects: RejectPolicy::Limit,
        repeats: RepeatPolicy::Skip,
        recorded_at: wall_clock(),
        threads: session.threads,
        commits: Arc::default(),
    };
    import(
        &session.workspace,
        &mut store,
        &files,
        &options,
        &*session.progress,
    )?;
    let (now, reason) = as_of(&store, config, None)?;
    let options = ScoreOptions {
        now,
        holdout_from: None,
        recorded_at: wall_clock(),
        threads: session.threads,
    };
    let base = score(
        &mut store,
        config,
        &session.catalogue()?,
        options,
        &*session.progress,
    )?;
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
        report_text(&made, &zone, Rejects::Kept)
    })
    .print(cli.format)?;
    let dir = args.dir.display();
    session.tell(&format!(
        "{}  cd {dir}\n  regulars segments show at_risk\n  regulars customers show 00012\n  regulars explain 00012 loyal\n  regulars segments preview \"orders >= 3 and churn_level >= 4\"\n  regulars models\nThe shop's files are in {dir}/files; its thresholds in {dir}/regulars.toml.",
        heading("Try next")
    ));
    Ok(Done::Whole)
}

pub(crate) fn generate(cli: &Cli, args: &GenerateArgs) -> anyhow::Result<Done> {
    let shop = Shop::new(ShopOptions {
        seed: args.seed,
        customers: args.customers,
        order_lines: args.order_lines,
        dirt: if args.dirty { Dirt::Some } else { Dirt::None },
        ..ShopOptions::default()
    })
    .map_err(|error| Usage(error.to_string()))?;
    let form = match args.files {
        FilesAs::Parquet => FileForm::Parquet,
        FilesAs::Csv => FileForm::Csv,
    };
    let mut there = files_of(&shop, &args.output, form).into_iter();
    if !args.overwrite
        && let Some(file) = there.find(|file| file.exists())
    {
        let message = format!(
            "`{}` is there already: choose another directory with `-o`, or replace it with `--overwrite`",
            file.display()
        );
        return Err(Usage(message).into());
    }
    let progress = progress(cli.quiet);
    let (files, lines) = write_files(&shop, &args.output, form, threads(cli), &*progress)?;
    drop(progress);
    let document = json!({
        "customers": args.customers,
        "order_lines": lines,
        "files": files.iter().map(|file| json!({ "file": file })).collect::<Vec<_>>(),
    });
    Output::of(&document, "/files", || {
        format!(
            "{} of {} in {} in {}\n",
            counted(lines, "order line"),
            counted(u64::from(args.customers), "customer"),
            counted(files.len() as u64, "file"),
            args.output.display()
        )
    })
    .print(cli.format)?;
    Ok(Done::Whole)
}
