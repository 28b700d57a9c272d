//! `traits`: every trait that rules can use.

use regulars_core::{Trait, TraitKind};
use regulars_pipeline::unit_name;
use serde_json::{Value, json};

use crate::cli::Cli;
use crate::failure::Done;
use crate::output::Output;
use crate::text::{Align, faint, table};

pub(crate) fn run(cli: &Cli) -> anyhow::Result<Done> {
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
                "meaning": def.doc,
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
                    faint(def.doc),
                ]
            })
            .collect();
        table(
            &[
                ("trait", Align::Left),
                ("unit", Align::Left),
                ("meaning", Align::Left),
            ],
            &rows,
        )
    })
    .print(cli.format)?;
    Ok(Done::Whole)
}
