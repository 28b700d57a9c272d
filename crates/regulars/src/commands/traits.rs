//! `traits`: every trait that rules can use.

use regulars_core::{Settings, Trait, TraitKind};
use regulars_pipeline::{PipelineError, unit_name};
use serde_json::{Value, json};

use crate::cli::Cli;
use crate::failure::Done;
use crate::output::Output;
use crate::session::Session;
use crate::text::{Align, faint, table};

pub(crate) fn run(cli: &Cli) -> anyhow::Result<Done> {
    let settings = settings(cli)?;
    let traits: Vec<Value> = Trait::all()
        .iter()
        .map(|def| {
            let choices: &[&str] = match def.kind {
                TraitKind::Choice(choices) => choices,
                _ => &[],
            };
            json!({
                "name": def.name,
                "unit": unit_name(def.kind),
                "choices": choices,
                "needs": def.needs,
                "meaning": def.id.meaning(&settings),
            })
        })
        .collect();
    let document = json!({ "traits": traits });
    Output::of(&document, "/traits", || {
        let rows: Vec<Vec<String>> = Trait::all()
            .iter()
            .map(|def| {
                vec![
                    def.name.to_owned(),
                    unit_name(def.kind).to_owned(),
                    faint(&def.id.meaning(&settings)),
                ]
            })
            .collect();
        let mut text = table(
            &[
                ("trait", Align::Left),
                ("unit", Align::Left),
                ("meaning", Align::Left),
            ],
            &rows,
        );
        let money =
            "minor units are those of JSON and CSV; rules take major ones: `revenue > 99.90`";
        text.push_str(&faint(money));
        text.push('\n');
        text
    })
    .print(cli.format)?;
    Ok(Done::Whole)
}

/// Those of the workspace; outside of one, the defaults.
fn settings(cli: &Cli) -> anyhow::Result<Settings> {
    match Session::open(cli) {
        Ok(session) => Ok(session.workspace.config().settings()),
        Err(error) => match error.downcast_ref() {
            Some(PipelineError::NoWorkspace { .. }) if cli.workspace.is_none() => {
                Ok(Settings::default())
            }
            _ => Err(error),
        },
    }
}
