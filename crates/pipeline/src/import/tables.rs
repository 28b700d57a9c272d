//! Products and ad spend: small tables that an import adds to and that are kept whole.

use std::collections::{BTreeMap, HashMap};

use regulars_core::{CivilDate, Currency, Symbol, Symbols, Zone};
use regulars_ingest::{AdSpendBatch, DictColumn, ProductBatch};
use regulars_store::tables::{AdSpendRow, ProductRow};

use super::rates::Rates;
use crate::error::PipelineError;

/// Amounts without a day take the newest rate.
const UNDATED: CivilDate = CivilDate(i32::MAX);

/// Products by id, with what this import says of them.
#[derive(Debug, Default)]
pub(crate) struct ProductTable {
    new: BTreeMap<String, ProductRow>,
}

impl ProductTable {
    /// Takes a batch in; of two rows of one product in an import the greater value of each
    /// column counts, so that the order of rows does not.
    pub(crate) fn take(
        &mut self,
        batch: &ProductBatch,
        rates: &Rates,
    ) -> Result<u64, PipelineError> {
        let mut nameless = 0;
        for index in 0..batch.line.len() {
            let product = batch.product_id.get(index);
            if product.is_empty() {
                nameless += 1;
                continue;
            }
            let currency = currency_at(batch.currency.as_ref(), index, batch.file_currency);
            let money = |column: &Option<regulars_ingest::Amounts>| {
                let minor = column.as_ref().and_then(|column| column[index]);
                minor
                    .map(|minor| rates.convert_minor(minor, currency, UNDATED))
                    .transpose()
            };
            let dict = |column: &Option<DictColumn>| {
                column
                    .as_ref()
                    .and_then(|c| c.get(index))
                    .map(str::to_owned)
            };
            let name = batch.product_name.as_ref().map(|c| c.get(index).to_owned());
            let row = ProductRow {
                product: product.to_owned(),
                name: name.filter(|name| !name.is_empty()),
                category: dict(&batch.category),
                brand: dict(&batch.brand),
                cost_minor: money(&batch.unit_cost)?,
                price_minor: money(&batch.unit_price)?,
            };
            match self.new.get_mut(product) {
                None => {
                    self.new.insert(product.to_owned(), row);
                }
                Some(known) => {
                    known.name = known.name.take().max(row.name);
                    known.category = known.category.take().max(row.category);
                    known.brand = known.brand.take().max(row.brand);
                    known.cost_minor = known.cost_minor.max(row.cost_minor);
                    known.price_minor = known.price_minor.max(row.price_minor);
                }
            }
        }
        Ok(nameless)
    }

    /// Adds names that order lines tell, for products that have none.
    pub(crate) fn take_names(&mut self, names: &HashMap<Symbol, Symbol>, symbols: &Symbols) {
        for (product, name) in names {
            let product = symbols.text(*product);
            let row = self
                .new
                .entry(product.to_owned())
                .or_insert_with(|| ProductRow {
                    product: product.to_owned(),
                    name: None,
                    category: None,
                    brand: None,
                    cost_minor: None,
                    price_minor: None,
                });
            row.name
                .get_or_insert_with(|| symbols.text(*name).to_owned());
        }
    }

    /// What was stored with what is new: a new value replaces, an absent one keeps the old.
    /// `None` when nothing is new.
    pub(crate) fn merge(self, stored: Vec<ProductRow>) -> Option<Vec<ProductRow>> {
        let mut all: BTreeMap<String, ProductRow> = stored
            .into_iter()
            .map(|row| (row.product.clone(), row))
            .collect();
        let mut changed = false;
        for (product, row) in self.new {
            let old = all.get(&product).cloned();
            let merged = match old.clone() {
                None => row,
                Some(old) => ProductRow {
                    product: row.product,
                    name: row.name.or(old.name),
                    category: row.category.or(old.category),
                    brand: row.brand.or(old.brand),
                    cost_minor: row.cost_minor.or(old.cost_minor),
                    price_minor: row.price_minor.or(old.price_minor),
                },
            };
            changed |= old.as_ref() != Some(&merged);
            all.insert(product, merged);
        }
        changed.then(|| all.into_values().collect())
    }
}

type SpendKey = (CivilDate, String, Option<String>);

/// Ad spend by day, channel and campaign.
#[derive(Debug, Default)]
pub(crate) struct AdSpendTable {
    /// By file, so that rows of one file add up and files replace each other.
    files: BTreeMap<u32, BTreeMap<SpendKey, AdSpendRow>>,
}

impl AdSpendTable {
    /// Takes a batch in; returns the number of rows without a day.
    pub(crate) fn take(
        &mut self,
        batch: &AdSpendBatch,
        file: u32,
        rates: &Rates,
        zone: &Zone,
    ) -> Result<u64, PipelineError> {
        let mut dateless = 0;
        for index in 0..batch.line.len() {
            let Some(at) = batch.date[index] else {
                dateless += 1;
                continue;
            };
            let date = zone.date_of(at);
            let currency = currency_at(batch.currency.as_ref(), index, batch.file_currency);
            let dict = |column: &Option<DictColumn>| {
                column
                    .as_ref()
                    .and_then(|c| c.get(index))
                    .map(str::to_owned)
            };
            let count = |column: &Option<Vec<Option<f64>>>| {
                column
                    .as_ref()
                    .and_then(|c| c[index])
                    .map(|number| number.round() as i64)
            };
            let row = AdSpendRow {
                date,
                channel: dict(&batch.channel).unwrap_or_default(),
                campaign: dict(&batch.campaign),
                spend_minor: rates.convert_minor(
                    batch.spend[index].unwrap_or(0),
                    currency,
                    date,
                )?,
                impressions: count(&batch.impressions),
                clicks: count(&batch.clicks),
            };
            let key = (date, row.channel.clone(), row.campaign.clone());
            let of_file = self.files.entry(file).or_default();
            match of_file.get_mut(&key) {
                None => {
                    of_file.insert(key, row);
                }
                Some(known) => {
                    known.spend_minor += row.spend_minor;
                    known.impressions = add(known.impressions, row.impressions);
                    known.clicks = add(known.clicks, row.clicks);
                }
            }
        }
        Ok(dateless)
    }

    /// What was stored with what is new: a new row replaces the stored one of the same day,
    /// channel and campaign; of two files of one import the greater spend counts. `None` when
    /// nothing is new.
    pub(crate) fn merge(self, stored: Vec<AdSpendRow>) -> Option<Vec<AdSpendRow>> {
        let mut new: BTreeMap<SpendKey, AdSpendRow> = BTreeMap::new();
        for (key, row) in self.files.into_values().flatten() {
            let greater = new
                .get(&key)
                .is_none_or(|known| known.spend_minor < row.spend_minor);
            if greater {
                new.insert(key, row);
            }
        }
        let key = |row: &AdSpendRow| (row.date, row.channel.clone(), row.campaign.clone());
        let mut all: BTreeMap<SpendKey, AdSpendRow> =
            stored.into_iter().map(|row| (key(&row), row)).collect();
        let mut changed = false;
        for (key, row) in new {
            changed |= all.insert(key, row.clone()).as_ref() != Some(&row);
        }
        changed.then(|| all.into_values().collect())
    }
}

fn add(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (known, None) | (None, known) => known,
    }
}

fn currency_at(column: Option<&DictColumn>, index: usize, default: Currency) -> Currency {
    column
        .and_then(|c| c.get(index))
        .and_then(|code| Currency::new(code).ok())
        .unwrap_or(default)
}
