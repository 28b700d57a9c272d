//! Measures how fast a file is read into typed columns: `read_speed FILE [CURRENCY]`.
//!
//! With `--generate ROWS FILE` it writes a CSV of order lines of eleven columns instead, and
//! its Parquet twin beside it.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, TimestampMillisecondArray};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use regulars_core::{Currency, Timestamp, Zone};
use regulars_ingest::{ReadOptions, open, recognise};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["--generate", rows, file] => generate(rows.parse()?, Path::new(file)),
        [file] => measure(Path::new(file), "EUR"),
        [file, currency] => measure(Path::new(file), currency),
        _ => Err("use: read_speed FILE [CURRENCY] | --generate ROWS FILE".into()),
    }
}

fn measure(file: &Path, currency: &str) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout();
    let options = ReadOptions::new(Currency::new(currency)?, Zone::named("Europe/Berlin")?);
    let start = Instant::now();
    let recognition = recognise(file, &options)?;
    let recognised = start.elapsed();
    for column in &recognition.columns {
        writeln!(
            out,
            "{:20} {:?} {:?}",
            column.name, column.role, column.reason
        )?;
    }
    let start = Instant::now();
    let mut reader = open(file, &recognition, &options)?;
    while reader.next_batch()?.is_some() {}
    let seconds = start.elapsed().as_secs_f64();
    let (tally, bytes) = (reader.tally(), reader.progress().bytes_total as f64);
    writeln!(
        out,
        "recognised in {:.3} s; {} rows ({} rejected), {:.1} MB in {seconds:.3} s: {:.1} MB/s, {:.2} million rows/s",
        recognised.as_secs_f64(),
        tally.rows,
        tally.rejected,
        bytes / 1e6,
        bytes / 1e6 / seconds,
        tally.rows as f64 / 1e6 / seconds,
    )?;
    Ok(())
}

/// Rows that depend on nothing but their number.
fn generate(rows: u64, file: &Path) -> Result<(), Box<dyn Error>> {
    const CATEGORIES: [&str; 6] = ["Shoes", "Shirts", "Trousers", "Hats", "Bags", "Jackets"];
    const CHANNELS: [&str; 4] = ["organic", "search", "newsletter", "social"];
    const COUNTRIES: [&str; 5] = ["DE", "FR", "NL", "AT", "ES"];
    let mut csv = BufWriter::new(File::create(file)?);
    writeln!(
        csv,
        "order_id,customer_id,order_date,product_id,product_name,category,quantity,unit_price,line_discount,channel,country"
    )?;
    let (mut parquet, mut at) = (None, 0);
    while at < rows {
        let block: Vec<u64> = (at..rows.min(at + 100_000)).collect();
        at += block.len() as u64;
        let mixed = |row: u64| row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let pick = |row: u64, of: &[&'static str]| of[(mixed(row) % of.len() as u64) as usize];
        let order = |row: u64| row / 3;
        let ms = |row: u64| 1_600_000_000_000 + order(row) as i64 * 4_321;
        let product = |row: u64| mixed(row) % 2_000;
        let price = |row: u64| (499 + product(row) * 7) as f64 / 100.0;
        let discount = |row: u64| if row.is_multiple_of(5) { 1.25 } else { 0.0 };
        let customer = |row: u64| format!("C{:07}", mixed(order(row)) % 1_000_000);
        for &row in &block {
            let date = Timestamp(ms(row)).to_string();
            writeln!(
                csv,
                "O{:08},{},{} {},P{:05},Article number {},{},{},{:.2},{:.2},{},{}",
                order(row),
                customer(row),
                &date[..10],
                &date[11..19],
                product(row),
                product(row),
                pick(product(row), &CATEGORIES),
                1 + row % 3,
                price(row),
                discount(row),
                pick(order(row), &CHANNELS),
                pick(order(row) / 7, &COUNTRIES),
            )?;
        }
        let text = |of: &dyn Fn(u64) -> String| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(
                block.iter().map(|&row| of(row)),
            ))
        };
        let float = |of: &dyn Fn(u64) -> f64| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(
                block.iter().map(|&row| of(row)),
            ))
        };
        let dates = TimestampMillisecondArray::from_iter_values(block.iter().map(|&r| ms(r)));
        let quantities = Int64Array::from_iter_values(block.iter().map(|&r| 1 + r as i64 % 3));
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("order_id", text(&|row| format!("O{:08}", order(row)))),
            ("customer_id", text(&customer)),
            ("order_date", Arc::new(dates.with_timezone("UTC"))),
            ("product_id", text(&|row| format!("P{:05}", product(row)))),
            (
                "product_name",
                text(&|row| format!("Article number {}", product(row))),
            ),
            (
                "category",
                text(&|row| pick(product(row), &CATEGORIES).to_owned()),
            ),
            ("quantity", Arc::new(quantities)),
            ("unit_price", float(&price)),
            ("line_discount", float(&discount)),
            (
                "channel",
                text(&|row| pick(order(row), &CHANNELS).to_owned()),
            ),
            (
                "country",
                text(&|row| pick(order(row) / 7, &COUNTRIES).to_owned()),
            ),
        ];
        let batch = RecordBatch::try_from_iter(columns)?;
        if parquet.is_none() {
            let properties = WriterProperties::builder()
                .set_compression(Compression::SNAPPY)
                .build();
            let twin = File::create(file.with_extension("parquet"))?;
            parquet = Some(ArrowWriter::try_new(
                twin,
                batch.schema(),
                Some(properties),
            )?);
        }
        if let Some(writer) = &mut parquet {
            writer.write(&batch)?;
        }
    }
    csv.flush()?;
    if let Some(writer) = parquet {
        writer.close()?;
    }
    Ok(())
}
