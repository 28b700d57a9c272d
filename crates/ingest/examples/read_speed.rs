//! Measures how fast a file is read into typed columns: `read_speed FILE [CURRENCY]`.
//! `regulars generate` writes files of any size.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use regulars_core::{Currency, Zone};
use regulars_ingest::{ReadOptions, open, recognise};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [file] => measure(Path::new(file), "EUR"),
        [file, currency] => measure(Path::new(file), currency),
        _ => Err("use: read_speed FILE [CURRENCY]".into()),
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
