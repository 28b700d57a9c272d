//! Customers files: declared traits, with personal data sealed before anything is kept.

use std::collections::BTreeMap;

use regulars_core::{Partition, Timestamp};
use regulars_ingest::{CustomerBatch, DeclaredValues};
use regulars_store::Transaction;
use regulars_store::history::CustomerRow;
use regulars_store::vault::{IdentityId, IdentityKind, Trust, Vault};
use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::xxh3_64;

use crate::error::PipelineError;

/// A row of a customers file, on its way to its partition.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    identity: IdentityId,
    occurred_at: Timestamp,
    traits: String,
    /// Hash of the personal fields: sealed bytes are random.
    personal: u64,
    sealed: Option<Vec<u8>>,
}

impl Person {
    /// What the row says.
    fn said(&self) -> (IdentityId, Timestamp, &str, u64) {
        let Self {
            identity,
            occurred_at,
            ref traits,
            personal,
            ..
        } = *self;
        (identity, occurred_at, traits, personal)
    }
}

/// Name of the declared trait that says since when a customer is known.
pub(crate) const CREATED_AT: &str = "created_at";

/// Takes a batch in; returns the number of rows that name nobody.
pub(crate) fn take(
    vault: &mut Vault,
    batch: &CustomerBatch,
    people: &mut Vec<Person>,
) -> Result<u64, PipelineError> {
    let mut nameless = 0;
    for index in 0..batch.line.len() {
        let text = |column: Option<&regulars_ingest::TextColumn>| {
            let text = column.map_or("", |column| column.get(index));
            if vault.is_blocked(text) {
                String::new()
            } else {
                text.to_owned()
            }
        };
        let (customer, email) = (text(batch.customer_id.as_ref()), text(batch.email.as_ref()));
        let email_identity = match email.as_str() {
            "" => None,
            email => Some(vault.lookup_or_mint(IdentityKind::Email, email)?),
        };
        let identity = match (customer.as_str(), email_identity) {
            ("", None) => {
                nameless += 1;
                continue;
            }
            ("", Some(email)) => email,
            (customer, email) => {
                let customer = vault.customer_id(customer)?;
                if let Some(email) = email {
                    vault.link(email, customer, Trust::Server);
                }
                customer
            }
        };
        let mut created_at = None;
        let mut traits = Map::new();
        for column in &batch.declared {
            let value = declared_value(&column.values, index);
            if let (CREATED_AT, DeclaredValues::Date(dates)) =
                (column.name.as_str(), &column.values)
            {
                created_at = dates[index];
            }
            if let Some(value) = value {
                traits.insert(column.name.clone(), value);
            }
        }
        let personal = personal(batch, index, &email);
        let hash = personal
            .as_ref()
            .map_or(0, |fields| xxh3_64(fields.as_bytes()));
        let sealed = personal
            .map(|personal| vault.seal(identity, personal.as_bytes()))
            .transpose()?;
        people.push(Person {
            identity,
            occurred_at: created_at.unwrap_or(Timestamp(0)),
            traits: Value::Object(traits).to_string(),
            personal: hash,
            sealed,
        });
    }
    Ok(nameless)
}

/// A declared value in the JSON of the history; an instant is `{"at": milliseconds}`.
fn declared_value(values: &DeclaredValues, index: usize) -> Option<Value> {
    match values {
        DeclaredValues::Flag(flags) => flags[index].map(Value::Bool),
        DeclaredValues::Number(numbers) => numbers[index].map(|number| json!(number)),
        DeclaredValues::Date(dates) => dates[index].map(|at| json!({ "at": at.0 })),
        DeclaredValues::Text(texts) => texts.get(index).map(|text| json!(text)),
    }
}

/// The personal fields of a row as JSON; `None` when it has none.
fn personal(batch: &CustomerBatch, index: usize, email: &str) -> Option<String> {
    let mut fields: BTreeMap<&str, &str> = batch
        .personal
        .iter()
        .map(|(name, column)| (name.as_str(), column.get(index)))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    if !email.is_empty() {
        fields.insert("email", email);
    }
    (!fields.is_empty()).then(|| json!(fields).to_string())
}

/// Sorts people into their partitions and writes a run for each; returns the number of rows.
pub(crate) fn write(
    transaction: &mut Transaction<'_>,
    mut people: Vec<Person>,
    import: u64,
) -> Result<u64, PipelineError> {
    // What a row says decides between equals, never where it stands.
    people.sort_by(|a, b| a.said().cmp(&b.said()));
    people.dedup_by(|a, b| a.said() == b.said());
    let mut rows: Vec<CustomerRow> = people
        .into_iter()
        .map(|person| {
            Ok(CustomerRow {
                customer: transaction.vault_ref()?.resolve(person.identity),
                identity: person.identity,
                occurred_at: person.occurred_at,
                import,
                traits: person.traits,
                sealed: person.sealed,
            })
        })
        .collect::<Result<_, PipelineError>>()?;
    rows.sort_by_key(|row| {
        (
            row.customer.partition(),
            row.customer,
            row.occurred_at,
            row.import,
            row.identity,
        )
    });
    let partition_of = |row: &CustomerRow| row.customer.partition();
    for rows in rows.chunk_by(|a, b| partition_of(a) == partition_of(b)) {
        let partition: Partition = partition_of(&rows[0]);
        let mut run = transaction.customer_run(partition)?;
        for row in rows {
            run.push(row)?;
        }
        let run = run.finish()?;
        transaction.add_run(run);
    }
    Ok(rows.len() as u64)
}
