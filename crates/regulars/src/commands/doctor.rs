//! `doctor`: is all of the data there, can all of it be read, and what is to be done where not?

use regulars_pipeline::PipelineError;
use regulars_store::StoreOptions;
use regulars_store::inspect::{Finding, Inspection, Severity, inspect};
use serde_json::{Value, json};

use crate::cli::Cli;
use crate::disk_space::{Space, space};
use crate::failure::Done;
use crate::output::Output;
use crate::remote::{Remote, RemoteError};
use crate::serving::Serving;
use crate::session::Session;
use crate::text::{agreeing, count, counted, faint, heading, pairs, warning};

/// With less than this free, it is time to do something.
const FREE_BYTES: u64 = 1 << 30;

pub(crate) fn run(cli: &Cli) -> anyhow::Result<Done> {
    let session = Session::open(cli)?;
    let data = session.workspace.data_dir();
    let mut found = inspect(&data, &StoreOptions::default()).map_err(PipelineError::from)?;
    let server = look_at_server(&data, &mut found);
    if let Err(error) = session.catalogue() {
        let advice = "mend the rule: until then no command that needs segments works, and no \
                      server starts";
        found.add(
            Severity::Warning,
            "segments",
            None,
            error.to_string(),
            advice,
        );
    }
    let space = space(&data);
    if let Some(space) = space.filter(|space| space.free_bytes < FREE_BYTES) {
        let detail = format!("only {} are free on its disk", size(space.free_bytes));
        let advice = "free some: when nothing is left, events are refused and the server ends";
        found.add(Severity::Warning, "disk_space", None, detail, advice);
    }
    found
        .findings
        .sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let document = json!({
        "data": data.display().to_string(),
        "in_use": found.in_use,
        "server": server,
        "damaged": found.is_damaged(),
        "log": {
            "segments": found.segments,
            "first_offset": found.first_offset,
            "next_offset": found.next_offset,
        },
        "files": found.files,
        "rows": found.rows,
        "identities": found.identities,
        "bytes": found.bytes,
        "disk": {
            "free_bytes": space.map(|space| space.free_bytes),
            "total_bytes": space.map(|space| space.total_bytes),
        },
        "findings": found.findings,
    });
    let text = || text(&document, &found, space);
    Output::of(&document, "/findings", text).print(cli.format)?;
    Ok(if found.is_damaged() {
        Done::Refused
    } else {
        Done::Whole
    })
}

/// The address of the server that `serving.json` names, if it is there.
fn look_at_server(data: &std::path::Path, found: &mut Inspection) -> Value {
    let file = Some("serving.json");
    let Some(serving) = Serving::read(data) else {
        if found.in_use {
            let advice =
                "nothing, unless it should have ended: then look for a process of Regulars";
            let detail = "another process writes here, and it is no server that can be asked";
            found.add(Severity::Note, "in_use", None, detail, advice);
        }
        return Value::Null;
    };
    let address = serving.address.to_string();
    match (Remote { serving }).get("/health") {
        Ok(_) => return address.into(),
        Err(RemoteError::Refused { message, .. }) => {
            let detail = format!("the server at {address} takes no events: {message}");
            let advice = "see its messages; a start after it has ended finishes what it began";
            found.add(Severity::Warning, "server_refuses", file, detail, advice);
            return address.into();
        }
        Err(RemoteError::Gone(_) | RemoteError::Broken { .. }) if found.in_use => {
            let detail = format!("a server should listen at {address} and does not answer");
            let advice = "it is starting or stopping; if it stays so, see its messages";
            found.add(Severity::Warning, "server_silent", file, detail, advice);
        }
        Err(RemoteError::Gone(_) | RemoteError::Broken { .. }) => {
            let detail = format!("left over from a server at {address} that was killed");
            let advice = "nothing: the next start replaces it";
            found.add(Severity::Note, "left_over", file, detail, advice);
        }
    }
    Value::Null
}

fn text(document: &Value, found: &Inspection, space: Option<Space>) -> String {
    let used_by = match document["server"].as_str() {
        Some(address) => format!("the server at http://{address}"),
        None if found.in_use => "another process".to_owned(),
        None => "nobody".to_owned(),
    };
    let records = found.next_offset - found.first_offset;
    let identities = found.identities.map_or_else(|| "–".to_owned(), count);
    let free = space.map_or_else(
        || "–".to_owned(),
        |space| format!("{} of {}", size(space.free_bytes), size(space.total_bytes)),
    );
    let log = format!(
        "{} in {}",
        counted(records, "record"),
        counted(found.segments, "segment")
    );
    let history = format!(
        "{} in {}",
        counted(found.rows, "row"),
        counted(found.files, "file")
    );
    let mut text = pairs(&[
        (
            "data",
            document["data"].as_str().unwrap_or_default().to_owned(),
        ),
        ("used by", used_by),
        ("log", log),
        ("history, tables, vault", history),
        ("identities", identities),
        ("size", size(found.bytes)),
        ("free on its disk", free),
    ]);
    for finding in &found.findings {
        text.push('\n');
        text.push_str(&told(finding));
    }
    let damaged = found.findings.iter();
    let damaged = damaged.filter(|finding| finding.severity == Severity::Damage);
    text.push('\n');
    text.push_str(&match damaged.count() as u64 {
        0 => "Everything can be read.\n".to_owned(),
        n => {
            agreeing(
                n,
                "thing{|s} {is|are} damaged: docs/operations.md says what can be done.",
            ) + "\n"
        }
    });
    text
}

fn told(finding: &Finding) -> String {
    let file = finding.file.as_deref().unwrap_or("the workspace");
    let line = format!("{file}: {}", finding.detail);
    let line = match finding.severity {
        Severity::Damage => heading(&format!("damaged: {line}")),
        Severity::Warning => warning(&line).trim_end().to_owned(),
        Severity::Note => line,
    };
    format!("{line}\n  {}\n", faint(&finding.advice))
}

/// `12.3 MB`, of 1,000 each.
fn size(bytes: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    for (unit, of) in units {
        if bytes >= of {
            return format!("{:.1} {unit}", bytes as f64 / of as f64);
        }
    }
    format!("{bytes} bytes")
}
