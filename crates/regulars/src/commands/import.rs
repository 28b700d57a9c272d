//! `init` and `import`.

use std::fmt::Write;

use regulars_core::Currency;
use regulars_ingest::{Recognition, Role};
use regulars_pipeline::{
    Config, ImportOptions, ImportReport, RejectPolicy, RepeatPolicy, Workspace, expand, import,
    recognise_all,
};

use crate::cli::{Cli, ImportArgs, InitArgs};
use crate::commands::files::read_options;
use crate::failure::{Done, Usage};
use crate::output::Output;
use crate::session::{Session, name_of, wall_clock};
use crate::text::{Align, count, faint, heading, table, warning};

/// Makes a workspace.
pub(crate) fn init(cli: &Cli, args: &InitArgs) -> anyhow::Result<Done> {
    let currency = Currency::new(&args.currency).map_err(|error| Usage(error.to_string()))?;
    let config = Config::new(&name_of(&args.directory)?, currency, &args.time_zone);
    let config = Config::parse(&config.to_documented_toml()).map_err(Usage)?;
    let workspace = Workspace::init(&args.directory, config)?;
    let session = Session::of(cli, workspace);
    let root = session.workspace.root().display();
    session.tell(&format!(
        "made a workspace in `{root}`: amounts in {currency}, days in {}\nnext: cd {root} && regulars import ORDERS.csv --dry-run",
        args.time_zone
    ));
    Ok(Done::Whole)
}

/// Imports files, or shows how they would be read.
pub(crate) fn run(cli: &Cli, args: &ImportArgs) -> anyhow::Result<Done> {
    let session = Session::open(cli)?;
    let read = read_options(session.workspace.config(), &args.read)?;
    let files = expand(&args.files)?;
    if args.dry_run {
        let recognitions = recognise_all(&files, &read)?;
        let document = serde_json::json!({ "files": recognitions });
        Output::of(&document, "/files", || dry_run_text(&recognitions)).print(cli.format)?;
        return Ok(Done::Whole);
    }
    let mut store = session.workspace.open()?;
    let options = ImportOptions {
        read,
        source: args.source.clone(),
        rejects: if args.allow_rejects {
            RejectPolicy::Allow
        } else {
            RejectPolicy::Limit
        },
        repeats: if args.again {
            RepeatPolicy::ReadAgain
        } else {
            RepeatPolicy::Skip
        },
        recorded_at: wall_clock(),
        threads: session.threads,
    };
    let report = import(
        &session.workspace,
        &mut store,
        &files,
        &options,
        &*session.progress,
    )?;
    Output::of(&report, "/files", || import_text(&report)).print(cli.format)?;
    if !cli.quiet {
        session.tell("next: regulars score");
    }
    Ok(if report.rejected() > 0 {
        Done::InPart
    } else {
        Done::Whole
    })
}

/// What an import did, for people.
pub(crate) fn import_text(report: &ImportReport) -> String {
    let header = [
        ("file", Align::Left),
        ("rows of", Align::Left),
        ("rows", Align::Right),
        ("rejected", Align::Right),
    ];
    let rows: Vec<Vec<String>> = report
        .files
        .iter()
        .map(|file| {
            let rows = if file.skipped {
                "imported before".to_owned()
            } else {
                count(file.rows)
            };
            let name = file.file.display().to_string();
            vec![
                name,
                file.entity.plural().to_owned(),
                rows,
                count(file.rejected),
            ]
        })
        .collect();
    let mut text = table(&header, &rows);
    let mut say = |number: u64, what: &str| {
        if number > 0 {
            let _ = writeln!(text, "{} {what}", count(number));
        }
    };
    say(report.orders.orders, "orders");
    say(report.orders.credits, "credit notes");
    say(report.customers, "customers with details");
    let mut warn = |number: u64, what: &str| {
        if number > 0 {
            text.push_str(&warning(&format!("{} {what}", count(number))));
        }
    };
    warn(
        report.intake.rows_without_customer,
        "rows have neither a customer nor an e-mail and were left out",
    );
    warn(
        report.orders.orders_without_date,
        "orders have no date and were left out",
    );
    warn(
        report.orders.conflicting_versions,
        "orders stand differently in several files: the newest state was taken",
    );
    warn(
        report.nameless_rows,
        "rows name no customer, product or day and were left out",
    );
    if let Some(path) = &report.rejects {
        warn(
            report.rejected(),
            &format!("rows could not be read: see {}", path.display()),
        );
    }
    text
}

/// How files would be read, for people.
fn dry_run_text(recognitions: &[Recognition]) -> String {
    let mut text = String::new();
    for file in recognitions {
        text.push_str(&heading(&file.file.display().to_string()));
        let _ = writeln!(text, "  {}, recognised as {}", form(file), source(file));
        let header = [
            ("column", Align::Left),
            ("read as", Align::Left),
            ("because", Align::Left),
        ];
        let rows: Vec<Vec<String>> = file
            .columns
            .iter()
            .map(|column| {
                let role = match &column.role {
                    Role::Field(field) => field.name().to_owned(),
                    Role::Declared(name, kind) => {
                        format!("trait {name} ({})", word(&serde_json::json!(kind)))
                    }
                    Role::Personal(name) => format!("{name}, sealed"),
                    Role::Unmapped => faint("left out"),
                };
                let reason = column
                    .reason
                    .map_or(String::new(), |reason| word(&serde_json::json!(reason)));
                vec![column.name.clone(), role, reason]
            })
            .collect();
        text.push_str(&table(&header, &rows));
        let _ = writeln!(text, "\n  first rows, as they will be read:");
        for sample in file.samples.iter().take(10) {
            let cells: Vec<String> = sample
                .typed
                .iter()
                .map(|(field, value)| format!("{field}={value}"))
                .collect();
            let line = match &sample.rejected {
                Some(reason) => format!("rejected: {reason}"),
                None => cells.join("  "),
            };
            let _ = writeln!(text, "  {:>6}  {line}", sample.line);
        }
        for note in &file.notes {
            text.push_str(&warning(note));
        }
        for question in &file.questions {
            text.push_str(&warning(&question.to_string()));
        }
    }
    text
}

fn form(file: &Recognition) -> String {
    let form = serde_json::json!(file.format);
    let detail = |key: &str| form.get(key).map(word);
    let mut words = vec![detail("form").unwrap_or_default()];
    words.extend(detail("encoding"));
    words.extend(detail("delimiter").map(|delimiter| format!("`{delimiter}`")));
    words.join(", ")
}

fn source(file: &Recognition) -> String {
    format!(
        "{} ({}), one row per {}",
        file.entity.plural(),
        word(&serde_json::json!(file.source)),
        word(&serde_json::json!(file.level))
    )
}

/// A JSON text as words.
fn word(value: &serde_json::Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), |text| text.replace('_', " "))
}
