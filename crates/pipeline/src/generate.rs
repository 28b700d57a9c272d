//! Writes a made-up shop as files that can be imported: orders, customers, products, ad spend.

mod contents;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use regulars_shop::{Customers, OrderLines, Shop, SpendGrain};

use crate::error::PipelineError;
use crate::in_turn::in_turn;
use crate::progress::{Progress, Unit};
use contents::{
    customer_columns, order_columns, product_columns, spend_columns, write_customers, write_orders,
    write_products, write_spend,
};
use table::Table;

/// Form of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileForm {
    /// Apache Parquet.
    Parquet,
    /// CSV.
    Csv,
}

impl FileForm {
    fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
        }
    }
}

/// Customers whose rows are made at a time.
const CHUNK: u32 = 5_000;
/// Customers of one orders file; a shop of at most so many has one, sorted by time.
const CUSTOMERS_PER_FILE: u32 = 125_000;

/// The files of the shop in `directory`, orders first.
pub fn files_of(shop: &Shop, directory: &Path, form: FileForm) -> Vec<PathBuf> {
    let file = |name: &str| directory.join(format!("{name}.{}", form.extension()));
    let customers = shop.options().customers;
    let mut files = match customers.div_ceil(CUSTOMERS_PER_FILE) {
        0 | 1 => vec![file("orders")],
        parts => (0..parts)
            .map(|part| file(&format!("orders-{part:03}")))
            .collect(),
    };
    files.extend(["customers", "products", "ad_spend"].map(file));
    files
}

/// Writes the shop into `directory`; returns the files and the number of order lines. Files of the
/// same name are overwritten.
///
/// # Errors
/// When a file cannot be written.
pub fn generate(
    shop: &Shop,
    directory: &Path,
    form: FileForm,
    threads: usize,
    progress: &dyn Progress,
) -> Result<(Vec<PathBuf>, u64), PipelineError> {
    fs::create_dir_all(directory).map_err(|source| PipelineError::Write {
        path: directory.to_owned(),
        source,
    })?;
    let customers = shop.options().customers;
    progress.begin("generating", u64::from(customers), Unit::Customers);
    let files = files_of(shop, directory, form);
    let (orders, tables) = files.split_at(files.len() - 3);
    let lines = match orders {
        [path] => {
            let mut table = Table::create(path, form, &order_columns(shop))?;
            let rows = shop.order_lines_by_time();
            write_orders(&mut table, shop, &rows)?;
            table.finish()?
        }
        parts => write_parts(shop, parts, form, threads, progress)?,
    };
    let [people, products, ad_spend] = tables else {
        unreachable!("three files follow the orders")
    };
    let mut table = Table::create(people, form, &customer_columns())?;
    let mut rows = Customers::default();
    for range in shop.chunks(CHUNK) {
        shop.fill_customers(range, &mut rows);
        write_customers(&mut table, &rows)?;
    }
    table.finish()?;
    let mut table = Table::create(products, form, &product_columns(shop))?;
    write_products(&mut table, shop.products())?;
    table.finish()?;
    let mut table = Table::create(ad_spend, form, &spend_columns(shop))?;
    write_spend(&mut table, &shop.ad_spend(SpendGrain::Week))?;
    table.finish()?;
    Ok((files, lines))
}

/// Writes several files of orders, each on one thread.
fn write_parts(
    shop: &Shop,
    parts: &[PathBuf],
    form: FileForm,
    threads: usize,
    progress: &dyn Progress,
) -> Result<u64, PipelineError> {
    let done = AtomicUsize::new(0);
    let write = |part: usize| -> Result<u64, PipelineError> {
        let mut table = Table::create(&parts[part], form, &order_columns(shop))?;
        let mut rows = OrderLines::default();
        let first = part as u32 * CUSTOMERS_PER_FILE;
        let end = (first + CUSTOMERS_PER_FILE).min(shop.options().customers);
        for from in (first..end).step_by(CHUNK as usize) {
            let chunk = from..(from + CHUNK).min(end);
            let customers = chunk.len();
            shop.fill_order_lines(chunk, &mut rows);
            write_orders(&mut table, shop, &rows)?;
            let before = done.fetch_add(customers, Ordering::Relaxed);
            progress.advance((before + customers) as u64);
        }
        table.finish()
    };
    let written = in_turn(parts.len(), threads, || (), |(), part| write(part))?;
    Ok(written.into_iter().sum())
}
