//! Writes a made-up shop as files that can be imported: orders, customers, products, ad spend.

mod contents;
mod table;

use std::fs;
use std::ops::Range;
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

/// Writes the shop into `directory`; returns the files and the number of order lines.
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
    let file = |name: &str| directory.join(format!("{name}.{}", form.extension()));
    let customers = shop.options().customers;
    progress.begin("generating", u64::from(customers), Unit::Customers);
    let mut files = Vec::new();
    let lines = if customers <= CUSTOMERS_PER_FILE {
        let path = file("orders");
        let mut table = Table::create(&path, form, &order_columns(shop))?;
        let rows = shop.order_lines_by_time();
        write_orders(&mut table, shop, &rows)?;
        files.push(path);
        table.finish()?
    } else {
        let parts: Vec<(PathBuf, Range<u32>)> = (0..customers.div_ceil(CUSTOMERS_PER_FILE))
            .map(|part| {
                let from = part * CUSTOMERS_PER_FILE;
                let to = (from + CUSTOMERS_PER_FILE).min(customers);
                (file(&format!("orders-{part:03}")), from..to)
            })
            .collect();
        files.extend(parts.iter().map(|(path, _)| path.clone()));
        write_parts(shop, &parts, form, threads, progress)?
    };
    for (name, columns) in [
        ("customers", customer_columns()),
        ("products", product_columns(shop)),
        ("ad_spend", spend_columns(shop)),
    ] {
        let path = file(name);
        let mut table = Table::create(&path, form, &columns)?;
        match name {
            "customers" => {
                let mut rows = Customers::default();
                for range in shop.chunks(CHUNK) {
                    shop.fill_customers(range, &mut rows);
                    write_customers(&mut table, &rows)?;
                }
            }
            "products" => write_products(&mut table, shop.products())?,
            _ => write_spend(&mut table, &shop.ad_spend(SpendGrain::Week))?,
        }
        table.finish()?;
        files.push(path);
    }
    Ok((files, lines))
}

/// Writes several files of orders, each on one thread.
fn write_parts(
    shop: &Shop,
    parts: &[(PathBuf, Range<u32>)],
    form: FileForm,
    threads: usize,
    progress: &dyn Progress,
) -> Result<u64, PipelineError> {
    let done = AtomicUsize::new(0);
    let write = |(path, range): &(PathBuf, Range<u32>)| -> Result<u64, PipelineError> {
        let mut table = Table::create(path, form, &order_columns(shop))?;
        let mut rows = OrderLines::default();
        for from in range.clone().step_by(CHUNK as usize) {
            let chunk = from..(from + CHUNK).min(range.end);
            let customers = chunk.len();
            shop.fill_order_lines(chunk, &mut rows);
            write_orders(&mut table, shop, &rows)?;
            let before = done.fetch_add(customers, Ordering::Relaxed);
            progress.advance((before + customers) as u64);
        }
        table.finish()
    };
    let written = in_turn(
        parts.len(),
        threads,
        || (),
        |(), index| write(&parts[index]),
    )?;
    Ok(written.into_iter().sum())
}
