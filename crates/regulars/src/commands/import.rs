//! `init` and `import`.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use regulars_core::Currency;
use regulars_ingest::{ColumnInfo, Entity, Recognition, Role};
use regulars_pipeline::{
    Config, DryFile, DryRun, ImportOptions, ImportReport, RefundCounts, RejectPolicy, RepeatPolicy,
    Workspace, dry_run, expand, import,
};
use regulars_store::vault::Blocked;

use crate::cli::{Cli, ImportArgs, InitArgs};
use crate::commands::doubts;
use crate::commands::files::read_options;
use crate::failure::{Done, Usage};
use crate::interrupt;
use crate::output::Output;
use crate::session::{Session, name_of, wall_clock};
use crate::text::{Align, agreeing, count, faint, heading, percent, plain, table, warning};

/// Makes a workspace.
pub(crate) fn init(cli: &Cli, args: &InitArgs) -> anyhow::Result<Done> {
    let currency = Currency::listed(&args.currency).map_err(|error| Usage(error.to_string()))?;
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
        commits: Arc::default(),
    };
    if args.dry_run {
        return look(cli, &session, &files, &options);
    }
    let mut store = session.workspace.open()?;
    interrupt::watch(&options.commits);
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

/// Shows what an import would do, and ends as it would.
fn look(
    cli: &Cli,
    session: &Session,
    files: &[PathBuf],
    options: &ImportOptions,
) -> anyhow::Result<Done> {
    let store = session.workspace.open_read()?;
    let dry = dry_run(
        &session.workspace,
        &store,
        files,
        options,
        &*session.progress,
    )?;
    let blocked = session.workspace.config().identity.blocked();
    Output::of(&dry, "/files", || dry_run_text(&dry, &blocked)).print(cli.format)?;
    Ok(match (dry.stops(), dry.rejected()) {
        (Some(why), _) => {
            session.warn(&warning(&format!("the import would stop: {why}")));
            Done::Refused
        }
        (None, 0) => Done::Whole,
        (None, _) => Done::InPart,
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
    what_is_new(report, &mut text);
    let mut warn = |number: u64, what: &str| {
        if number > 0 {
            text.push_str(&warning(&agreeing(number, what)));
        }
    };
    warn(
        report.intake.rows_without_customer,
        "row{|s} {has|have} neither a customer nor an e-mail and {was|were} left out",
    );
    warn(
        report.events.nameless,
        "event{|s} {names|name} nobody and {was|were} left out",
    );
    warn(
        report.orders.orders_without_date,
        "order{|s} {has|have} no date and {was|were} left out",
    );
    warn(
        report.orders.orders_without_amount,
        "order{|s} {has|have} no amount, or a line without one: it counts as 0",
    );
    warn(
        report.orders.conflicting_versions,
        "order{|s} {stands|stand} differently in several rows: the state that was changed last counts, or else the one further on its way",
    );
    refund_warnings(&report.refunds, &mut warn);
    warn(
        report.nameless_rows,
        "row{|s} {names|name} no customer, product or day and {was|were} left out",
    );
    for file in &report.files {
        warn(file.future_rows, &future(file.first_future_line));
    }
    for doubt in doubts::of_import(report) {
        text.push_str(&warning(&doubt));
    }
    if let Some(path) = report.rejects.as_ref().filter(|_| report.rejected() > 0) {
        let rejected = agreeing(report.rejected(), "row{|s}");
        let path = path.display();
        text.push_str(&warning(&format!(
            "{rejected} could not be read: see {path}"
        )));
    }
    text
}

/// What there is that was not there before.
fn what_is_new(report: &ImportReport, text: &mut String) {
    let mut say = |number: u64, what: &str| {
        if number > 0 {
            let _ = writeln!(text, "{}", agreeing(number, what));
        }
    };
    say(report.orders.orders, "order{|s}");
    say(
        report.orders.unchanged_orders,
        "of them unchanged, not stored again",
    );
    say(report.orders.credits, "credit note{|s}");
    say(report.refunds.refunds, "refund{|s}");
    say(
        report.refunds.refunds_not_made,
        "refund{|s} that failed, {was|were} cancelled or {is|are} pending: nothing goes back",
    );
    say(report.customers, "customer{|s} with details");
    say(report.events.events, "event{|s}");
    say(
        report.events.repeated,
        "event{|s} that {was|were} there already",
    );
}

fn refund_warnings(refunds: &RefundCounts, warn: &mut dyn FnMut(u64, &str)) {
    warn(
        refunds.rows_without_order,
        "row{|s} of refunds {names|name} no order and {was|were} left out",
    );
    warn(
        refunds.incomplete_refunds,
        "refund{|s} {has|have} no date or no amount and {was|were} left out",
    );
    warn(
        refunds.conflicting_versions,
        "refund{|s} {stands|stand} differently in several rows: the newest state was taken",
    );
    warn(
        refunds.waiting_refunds,
        "refund{|s} {names|name} an order that is not there: {it counts|they count} from the import that brings it",
    );
}

fn future(first_line: Option<u64>) -> String {
    let line = first_line.unwrap_or_default();
    format!(
        "row{{|s}} {{is|are}} dated later than today (first in line {line}): {{it does|they do}} not move `now`"
    )
}

/// How files would be read, for people.
fn dry_run_text(dry: &DryRun, blocked: &Blocked) -> String {
    let mut text = String::new();
    for file in &dry.files {
        let recognition = &file.recognition;
        text.push_str(&heading(&recognition.file.display().to_string()));
        let (form, source) = (form(recognition), source(recognition));
        let _ = writeln!(text, "  {form}, recognised as {source}");
        text.push_str(&columns_table(recognition));
        let _ = writeln!(text, "\n  first rows, as they will be read:");
        for sample in recognition.samples.iter().take(10) {
            let cells: Vec<String> = sample
                .typed
                .iter()
                .map(|(field, value)| {
                    let nobody = *field == "customer_id" && blocked.contains(value);
                    let nobody = if nobody { " (nobody)" } else { "" };
                    format!("{field}={value}{nobody}")
                })
                .collect();
            let line = match &sample.rejected {
                Some(reason) => format!("rejected: {reason}"),
                None => cells.join("  "),
            };
            let _ = writeln!(text, "  {:>6}  {}", sample.line, plain(&line));
        }
        text.push_str(&outcome(file, dry.max_rejected_share));
    }
    text
}

fn columns_table(file: &Recognition) -> String {
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
            vec![column.name.clone(), role, because(column)]
        })
        .collect();
    table(&header, &rows)
}

/// Why a column is read as it is, with its conventions.
fn because(column: &ColumnInfo) -> String {
    let reason = column.reason.map(|reason| word(&serde_json::json!(reason)));
    let mut words: Vec<String> = reason.into_iter().collect();
    let mut convention = |what: String, by: String, line: Option<u64>| {
        let line = line.map_or(String::new(), |line| format!(", line {line}"));
        words.push(format!("{what} ({by}{line})"));
    };
    if let Some(order) = column.date_order {
        let what = word(&serde_json::json!(order.value));
        convention(what, word(&serde_json::json!(order.by)), order.line);
    }
    if let Some(mark) = column.decimal {
        let what = format!("decimal {}", word(&serde_json::json!(mark.value)));
        convention(what, word(&serde_json::json!(mark.by)), mark.line);
    }
    words.join("; ")
}

/// What the import would do with a file, for people.
fn outcome(file: &DryFile, limit: f64) -> String {
    let mut text = String::new();
    if file.skipped {
        let _ = writeln!(
            text,
            "\n  imported before in the same way: it would be skipped"
        );
    } else if file.rows > 0 {
        let share = file.rejected as f64 / file.rows as f64;
        let _ = writeln!(
            text,
            "\n  {}, {} rejected ({}; the limit is {})",
            agreeing(file.rows, "row{|s}"),
            count(file.rejected),
            percent(Some(share)),
            percent(Some(limit))
        );
    }
    text.push_str(&rejects_text(file));
    let mut warn = |number: u64, what: &str| {
        if number > 0 {
            text.push_str(&warning(&agreeing(number, what)));
        }
    };
    warn(
        file.rows_without_customer,
        "row{|s} {has|have} neither a customer nor an e-mail and would be left out",
    );
    warn(
        file.rows_without_order,
        "row{|s} of refunds {names|name} no order and would be left out",
    );
    warn(file.future_rows, &future(file.first_future_line));
    let questions = file.recognition.questions.iter().map(ToString::to_string);
    let notes = file.recognition.notes.iter().cloned();
    let doubts = doubts::of_dry_run(file).into_iter();
    for note in doubts.chain(notes).chain(questions) {
        text.push_str(&warning(&note));
    }
    text
}

/// Why rows of a file cannot be read, for people.
pub(super) fn rejects_text(file: &DryFile) -> String {
    let mut text = String::new();
    for tally in &file.rejects {
        let lines: Vec<String> = tally.lines.iter().map(u64::to_string).collect();
        let more = if tally.rows > tally.lines.len() as u64 {
            ", …"
        } else {
            ""
        };
        let column = match tally.column.as_str() {
            "" => String::new(),
            column => format!("`{column}`: "),
        };
        let _ = writeln!(
            text,
            "  {:>6}  {}{} (line {}{more})",
            count(tally.rows),
            plain(&column),
            plain(&tally.reason),
            lines.join(", ")
        );
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
    let what = file.entity.plural();
    let source = word(&serde_json::json!(file.source));
    if file.entity != Entity::Orders {
        return format!("{what} ({source})");
    }
    let level = word(&serde_json::json!(file.level));
    format!("{what} ({source}), one row per {level}")
}

/// A JSON text as words.
fn word(value: &serde_json::Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), |text| text.replace('_', " "))
}
