//! `export customers`.

use regulars_core::Trait;
use regulars_pipeline::{by_external_id, row, write_parquet};
use serde_json::{Value, json};

use crate::cli::{Cli, ExportArgs, ExportWhat};
use crate::failure::{Done, Usage};
use crate::output::Output;
use crate::session::Session;
use crate::text::counted;

pub(crate) fn run(cli: &Cli, args: &ExportArgs) -> anyhow::Result<Done> {
    let ExportWhat::Customers = args.what;
    let session = Session::open(cli)?;
    let look = session.look(&args.look)?;
    let everyone = (0..look.base.customers.len()).collect();
    let named = by_external_id(&look.store, &look.base, everyone)?;
    let parquet = args
        .output
        .as_ref()
        .filter(|path| path.extension().is_some_and(|e| e == "parquet"));
    if let Some(path) = parquet {
        let rows = write_parquet(&look.base, &named, path)?;
        session.tell(&format!(
            "{} in `{}`",
            counted(rows, "customer"),
            path.display()
        ));
        return Ok(Done::Whole);
    }
    if cli.format == crate::cli::Format::Table {
        return Err(Usage(
            "say where to or in which form: `-o customers.parquet`, or `--format csv|json|jsonl`"
                .to_owned(),
        )
        .into());
    }
    let traits: Vec<Trait> = Trait::all().iter().map(|def| def.id).collect();
    let rows: Vec<Value> = named
        .iter()
        .map(|(id, index)| Value::Object(row(&look.base, id, *index, &traits)))
        .collect();
    let document = json!({
        "as_of": look.base.now.to_string(),
        "fitted_as_of": look.base.fitted.as_ref().map(|fitted| fitted.as_of.to_string()),
        "currency": look.base.context.currency,
        "customers": rows,
    });
    Output::of(&document, "/customers", String::new)
        .print_to(args.output.as_deref(), cli.format)?;
    Ok(Done::Whole)
}
