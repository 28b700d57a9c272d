//! Customers as rows: members of a segment, and everyone for export.

use regulars_core::{Trait, TraitKind, TraitValue};
use regulars_rules::Subject;
use regulars_store::Store;
use regulars_store::export::{Column, ColumnKind, TableWriter, Values};
use serde_json::{Map, Value};

use crate::base::{Base, trait_json};
use crate::error::PipelineError;
use std::path::Path;

/// Traits that a list of members shows.
pub const MEMBER_TRAITS: [Trait; 9] = [
    Trait::Lifecycle,
    Trait::Orders,
    Trait::Revenue,
    Trait::AverageOrderValue,
    Trait::FirstOrder,
    Trait::LastOrder,
    Trait::ChurnRisk,
    Trait::ChurnLevel,
    Trait::Clv,
];

/// Positions with the customers' own ids, sorted by id.
///
/// # Errors
/// When the vault cannot be read.
pub fn by_external_id(
    store: &Store,
    base: &Base,
    positions: Vec<usize>,
) -> Result<Vec<(String, usize)>, PipelineError> {
    let vault = store.vault()?;
    let mut named: Vec<(String, usize)> = positions
        .into_iter()
        .map(|index| {
            let id = vault.external_id(base.customers[index].profile.customer);
            (id.unwrap_or_default().to_owned(), index)
        })
        .collect();
    named.sort();
    Ok(named)
}

/// A customer as a JSON object: `customer_id` and the given traits.
pub fn row(base: &Base, id: &str, index: usize, traits: &[Trait]) -> Map<String, Value> {
    let customer = base.customer(&base.customers[index]);
    let mut row = Map::new();
    row.insert("customer_id".to_owned(), id.into());
    for &which in traits {
        row.insert(
            column_name(which),
            trait_json(customer.value(which, base.now)),
        );
    }
    row
}

/// Names of the columns of rows with these traits.
pub fn columns_of(traits: &[Trait]) -> Vec<String> {
    let traits = traits.iter().map(|&which| column_name(which));
    std::iter::once("customer_id".to_owned())
        .chain(traits)
        .collect()
}

/// Name of a trait's column: money says that it is in minor units.
pub fn column_name(which: Trait) -> String {
    let def = which.def();
    match def.kind {
        TraitKind::Money => format!("{}_minor", def.name),
        _ => def.name.to_owned(),
    }
}

/// Writes customers with the given traits to a Parquet file; money is decimal.
///
/// # Errors
/// When the file cannot be written.
pub fn write_parquet(
    base: &Base,
    named: &[(String, usize)],
    traits: &[Trait],
    path: &Path,
) -> Result<u64, PipelineError> {
    const CHUNK: usize = 16_384;
    let mut columns = vec![Column {
        name: "customer_id".to_owned(),
        kind: ColumnKind::Text,
    }];
    columns.extend(traits.iter().map(|which| Column {
        name: which.def().name.to_owned(),
        kind: column_kind(base, which.def().kind),
    }));
    let mut writer = TableWriter::create(path, &columns)?;
    for rows in named.chunks(CHUNK) {
        let ids: Vec<Option<&str>> = rows.iter().map(|(id, _)| Some(id.as_str())).collect();
        let cells: Vec<Cells<'_>> = traits
            .iter()
            .map(|&which| Cells::of(base, rows, which))
            .collect();
        let mut values = vec![Values::Texts(&ids)];
        values.extend(cells.iter().map(Cells::values));
        writer.write(&values)?;
    }
    Ok(writer.finish()?)
}

fn column_kind(base: &Base, kind: TraitKind) -> ColumnKind {
    match kind {
        TraitKind::Count | TraitKind::Days => ColumnKind::Integer,
        TraitKind::Number(_) | TraitKind::Share => ColumnKind::Number,
        TraitKind::Money => ColumnKind::Money {
            exponent: base.context.currency.exponent(),
        },
        TraitKind::Text | TraitKind::Choice(_) => ColumnKind::Text,
        TraitKind::Instant => ColumnKind::Instant,
        TraitKind::Flag => ColumnKind::Flag,
    }
}

/// Values of one trait for a chunk of customers.
enum Cells<'a> {
    Texts(Vec<Option<&'a str>>),
    Integers(Vec<Option<i64>>),
    Numbers(Vec<Option<f64>>),
    Flags(Vec<Option<bool>>),
    Instants(Vec<Option<regulars_core::Timestamp>>),
}

impl<'a> Cells<'a> {
    fn of(base: &'a Base, rows: &[(String, usize)], which: Trait) -> Self {
        let value = |(_, index): &(String, usize)| {
            base.customer(&base.customers[*index])
                .value_in(which, base.now)
        };
        let values = rows.iter().map(value);
        match which.def().kind {
            TraitKind::Count | TraitKind::Days | TraitKind::Money => Self::Integers(
                values
                    .map(|value| match value {
                        TraitValue::Integer(n) | TraitValue::Money(n) => Some(n),
                        _ => None,
                    })
                    .collect(),
            ),
            TraitKind::Number(_) | TraitKind::Share => Self::Numbers(
                values
                    .map(|value| match value {
                        TraitValue::Number(n) => Some(n),
                        _ => None,
                    })
                    .collect(),
            ),
            TraitKind::Text | TraitKind::Choice(_) => Self::Texts(
                values
                    .map(|value| match value {
                        TraitValue::Text(text) => Some(text),
                        _ => None,
                    })
                    .collect(),
            ),
            TraitKind::Instant => Self::Instants(
                values
                    .map(|value| match value {
                        TraitValue::Instant(at) => Some(at),
                        _ => None,
                    })
                    .collect(),
            ),
            TraitKind::Flag => Self::Flags(
                values
                    .map(|value| match value {
                        TraitValue::Flag(flag) => Some(flag),
                        _ => None,
                    })
                    .collect(),
            ),
        }
    }

    fn values(&self) -> Values<'_> {
        match self {
            Self::Texts(texts) => Values::Texts(texts),
            Self::Integers(numbers) => Values::MaybeIntegers(numbers),
            Self::Numbers(numbers) => Values::MaybeNumbers(numbers),
            Self::Flags(flags) => Values::Flags(flags),
            Self::Instants(instants) => Values::MaybeInstants(instants),
        }
    }
}
