//! `export customers`.

use regulars_core::Trait;
use regulars_pipeline::{by_external_id, columns_of, row, write_parquet};
use serde_json::{Value, json};

use crate::cli::{Cli, ExportArgs, ExportWhat, Format};
use crate::failure::{Done, Usage};
use crate::output::{Output, Target};
use crate::session::Session;
use crate::text::counted;

pub(crate) fn run(cli: &Cli, args: &ExportArgs) -> anyhow::Result<Done> {
    let ExportWhat::Customers = args.what;
    let target = Target::of(args.output.as_deref(), cli.format)?;
    if let Target::Stdout(Format::Table) | Target::Text(_, Format::Table) = target {
        return Err(Usage(
            "say where to or in which form: `-o customers.parquet`, or `--format csv|json|jsonl`"
                .to_owned(),
        )
        .into());
    }
    let session = Session::open(cli)?;
    let look = session.look(&args.look)?;
    let everyone = (0..look.base.customers.len()).collect();
    let named = by_external_id(&look.store, &look.base, everyone)?;
    let traits: Vec<Trait> = Trait::all().iter().map(|def| def.id).collect();
    let output = || {
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
        Output::of(&document, "/customers", String::new).with_columns(columns_of(&traits))
    };
    match target {
        Target::Stdout(format) => output().print(format)?,
        Target::Text(path, format) => output().print_to(path, format)?,
        Target::Parquet(path) => {
            let rows = write_parquet(&look.base, &named, &traits, path)?;
            let written = counted(rows, "customer");
            session.tell(&format!("{written} in `{}`", path.display()));
        }
    }
    Ok(Done::Whole)
}
