//! Writes a made-up shop as files that can be imported: orders, customers, products, ad spend.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use regulars_core::{OrderStatus, Timestamp, format_minor};
use regulars_shop::{AdSpend, Buyer, Customers, OrderLines, Product, Shop, SpendGrain};
use regulars_store::export::{Column, ColumnKind, TableWriter, Values};

use crate::error::PipelineError;
use crate::in_turn::in_turn;
use crate::progress::{Progress, Unit};

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

/// A file that rows of columns are written to, in either form.
enum Table {
    Parquet(Box<TableWriter>),
    Csv {
        path: PathBuf,
        out: BufWriter<File>,
        columns: Vec<Column>,
        rows: u64,
    },
}

impl Table {
    fn create(path: &Path, form: FileForm, columns: &[Column]) -> Result<Self, PipelineError> {
        match form {
            FileForm::Parquet => Ok(Self::Parquet(Box::new(TableWriter::create(path, columns)?))),
            FileForm::Csv => {
                let failed = |source| PipelineError::Write {
                    path: path.to_owned(),
                    source,
                };
                let mut out =
                    BufWriter::with_capacity(1 << 20, File::create(path).map_err(failed)?);
                let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
                writeln!(out, "{}", names.join(",")).map_err(failed)?;
                Ok(Self::Csv {
                    path: path.to_owned(),
                    out,
                    columns: columns.to_vec(),
                    rows: 0,
                })
            }
        }
    }

    fn write(&mut self, values: &[Values<'_>], length: usize) -> Result<(), PipelineError> {
        match self {
            Self::Parquet(writer) => Ok(writer.write(values)?),
            Self::Csv {
                path,
                out,
                columns,
                rows,
            } => {
                let mut line = String::new();
                for row in 0..length {
                    line.clear();
                    for (position, (column, values)) in columns.iter().zip(values).enumerate() {
                        if position > 0 {
                            line.push(',');
                        }
                        csv_cell(&mut line, column.kind, values, row);
                    }
                    line.push('\n');
                    out.write_all(line.as_bytes())
                        .map_err(|source| PipelineError::Write {
                            path: path.clone(),
                            source,
                        })?;
                }
                *rows += length as u64;
                Ok(())
            }
        }
    }

    fn finish(self) -> Result<u64, PipelineError> {
        match self {
            Self::Parquet(writer) => Ok(writer.finish()?),
            Self::Csv {
                path,
                mut out,
                rows,
                ..
            } => {
                out.flush()
                    .map_err(|source| PipelineError::Write { path, source })?;
                Ok(rows)
            }
        }
    }
}

/// Appends a cell; texts of the made-up shop need no quotes.
fn csv_cell(line: &mut String, kind: ColumnKind, values: &Values<'_>, row: usize) {
    let integer = |line: &mut String, value: i64| match kind {
        ColumnKind::Money { exponent } => line.push_str(&format_minor(value, exponent)),
        _ => write!(line, "{value}").expect("writing to a string succeeds"),
    };
    let show = |line: &mut String, value: &dyn std::fmt::Display| {
        write!(line, "{value}").expect("writing to a string succeeds");
    };
    match values {
        Values::Texts(texts) => line.push_str(texts[row].unwrap_or_default()),
        Values::Coded { codes, texts } => {
            line.push_str(texts.get(codes[row] as usize).copied().unwrap_or_default());
        }
        Values::Integers(numbers) => integer(line, numbers[row]),
        Values::MaybeIntegers(numbers) => {
            if let Some(number) = numbers[row] {
                integer(line, number);
            }
        }
        Values::Numbers(numbers) => show(line, &numbers[row]),
        Values::MaybeNumbers(numbers) => {
            if let Some(number) = numbers[row] {
                show(line, &number);
            }
        }
        Values::Flags(flags) => line.push_str(match flags[row] {
            Some(true) => "true",
            Some(false) => "false",
            None => "",
        }),
        Values::Instants(instants) => show(line, &instants[row]),
        Values::MaybeInstants(instants) => {
            if let Some(at) = instants[row] {
                show(line, &at);
            }
        }
    }
}

fn column(name: &str, kind: ColumnKind) -> Column {
    Column {
        name: name.to_owned(),
        kind,
    }
}

fn money(shop: &Shop) -> ColumnKind {
    ColumnKind::Money {
        exponent: shop.options().currency.exponent(),
    }
}

fn order_columns(shop: &Shop) -> Vec<Column> {
    vec![
        column("order_id", ColumnKind::Text),
        column("customer_id", ColumnKind::Text),
        column("email", ColumnKind::Text),
        column("ordered_at", ColumnKind::Instant),
        column("updated_at", ColumnKind::Instant),
        column("status", ColumnKind::Text),
        column("cancelled_at", ColumnKind::Instant),
        column("product_id", ColumnKind::Text),
        column("quantity", ColumnKind::Integer),
        column("unit_price", money(shop)),
        column("line_discount", money(shop)),
        column("refunded", money(shop)),
        column("channel", ColumnKind::Text),
        column("country", ColumnKind::Text),
        column("coupon", ColumnKind::Text),
    ]
}

/// Text of a status in the files.
fn status_text(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Unpaid => "pending",
        OrderStatus::Placed => "paid",
        OrderStatus::Refunded => "refunded",
        OrderStatus::Cancelled => "cancelled",
    }
}

fn write_orders(table: &mut Table, shop: &Shop, rows: &OrderLines) -> Result<(), PipelineError> {
    let count = rows.len();
    let order_ids: Vec<String> = rows.order.iter().map(ToString::to_string).collect();
    let buyers: Vec<(Option<String>, Option<String>)> = rows
        .buyer
        .iter()
        .map(|buyer| match buyer {
            Buyer::Account(customer) => (Some(customer.to_string()), None),
            Buyer::Guest(customer) => (None, Some(shop.email(*customer))),
            Buyer::Unknown => (None, None),
        })
        .collect();
    let products: Vec<String> = shop
        .products()
        .iter()
        .map(|p| p.number.to_string())
        .collect();
    let product_texts: Vec<&str> = products.iter().map(String::as_str).collect();
    let codes: Vec<u32> = rows.product.iter().map(|product| product.0).collect();
    let texts = |of: &dyn Fn(usize) -> Option<&'static str>| -> Vec<Option<&'static str>> {
        (0..count).map(of).collect()
    };
    let refunded = refunds_by_order(rows);
    // Of an order that was refunded in part, nothing has ended.
    let ended: Vec<Option<Timestamp>> = (0..count)
        .map(|row| match rows.status[row] {
            OrderStatus::Placed | OrderStatus::Unpaid => None,
            OrderStatus::Cancelled => rows.cancelled_at[row],
            OrderStatus::Refunded => rows.refunded_at[row],
        })
        .collect();
    let quantities: Vec<i64> = rows
        .quantity
        .iter()
        .map(|&pieces| i64::from(pieces))
        .collect();
    table.write(
        &[
            Values::Texts(
                &order_ids
                    .iter()
                    .map(|id| Some(id.as_str()))
                    .collect::<Vec<_>>(),
            ),
            Values::Texts(
                &buyers
                    .iter()
                    .map(|(id, _)| id.as_deref())
                    .collect::<Vec<_>>(),
            ),
            Values::Texts(
                &buyers
                    .iter()
                    .map(|(_, email)| email.as_deref())
                    .collect::<Vec<_>>(),
            ),
            Values::Instants(&rows.ordered_at),
            Values::Instants(&rows.updated_at),
            Values::Texts(&texts(&|row| Some(status_text(rows.status[row])))),
            Values::MaybeInstants(&ended),
            Values::Coded {
                codes: &codes,
                texts: &product_texts,
            },
            Values::Integers(&quantities),
            Values::Integers(&rows.unit_price_minor),
            Values::Integers(&rows.discount_minor),
            Values::MaybeIntegers(&refunded),
            Values::Texts(&texts(&|row| Some(rows.channel[row].name()))),
            Values::Texts(&texts(&|row| Some(rows.country[row].name()))),
            Values::Texts(&texts(&|row| rows.coupon[row].map(|coupon| coupon.name()))),
        ],
        count,
    )
}

/// What was refunded of an order, on its first line, as shops' exports have it.
fn refunds_by_order(rows: &OrderLines) -> Vec<Option<i64>> {
    let mut refunded = vec![None; rows.len()];
    let mut first = 0;
    for row in 0..rows.len() {
        if rows.order[row] != rows.order[first] {
            first = row;
        }
        if rows.refunded_minor[row] != 0 {
            *refunded[first].get_or_insert(0) += rows.refunded_minor[row];
        }
    }
    refunded
}

fn customer_columns() -> Vec<Column> {
    let mut columns: Vec<Column> = [
        "customer_id",
        "email",
        "first_name",
        "last_name",
        "phone",
        "street",
        "city",
        "region",
        "country",
        "zip",
        "gender",
        "birthday",
        "channel",
    ]
    .into_iter()
    .map(|name| column(name, ColumnKind::Text))
    .collect();
    columns.push(column("consent", ColumnKind::Flag));
    columns.push(column("created_at", ColumnKind::Instant));
    columns
}

fn write_customers(table: &mut Table, rows: &Customers) -> Result<(), PipelineError> {
    let owned = |of: &dyn Fn(usize) -> Option<String>| -> Vec<Option<String>> {
        (0..rows.len()).map(of).collect()
    };
    let ids = owned(&|row| Some(rows.customer[row].to_string()));
    let birthdays = owned(&|row| rows.birthday[row].map(|day| day.to_string()));
    let columns: [Vec<Option<&str>>; 13] = [
        ids.iter().map(Option::as_deref).collect(),
        rows.email.iter().map(|text| Some(text.as_str())).collect(),
        rows.first_name
            .iter()
            .map(|text| Some(text.as_str()))
            .collect(),
        rows.last_name
            .iter()
            .map(|text| Some(text.as_str()))
            .collect(),
        rows.phone.iter().map(Option::as_deref).collect(),
        rows.street.iter().map(|text| Some(text.as_str())).collect(),
        rows.city.iter().map(|text| Some(*text)).collect(),
        rows.region.iter().map(|text| Some(*text)).collect(),
        rows.country
            .iter()
            .map(|country| Some(country.name()))
            .collect(),
        rows.zip.iter().map(|text| Some(text.as_str())).collect(),
        rows.gender
            .iter()
            .map(|gender| gender.map(|gender| gender.name()))
            .collect(),
        birthdays.iter().map(Option::as_deref).collect(),
        rows.channel
            .iter()
            .map(|channel| Some(channel.name()))
            .collect(),
    ];
    let consents: Vec<Option<bool>> = rows.consent.iter().map(|&consent| Some(consent)).collect();
    let mut values: Vec<Values<'_>> = columns.iter().map(|texts| Values::Texts(texts)).collect();
    values.push(Values::Flags(&consents));
    values.push(Values::Instants(&rows.created_at));
    table.write(&values, rows.len())
}

fn product_columns(shop: &Shop) -> Vec<Column> {
    vec![
        column("product_id", ColumnKind::Text),
        column("product_name", ColumnKind::Text),
        column("category", ColumnKind::Text),
        column("brand", ColumnKind::Text),
        column("price", money(shop)),
        column("cost", money(shop)),
    ]
}

fn write_products(table: &mut Table, products: &[Product]) -> Result<(), PipelineError> {
    let ids: Vec<String> = products.iter().map(|p| p.number.to_string()).collect();
    table.write(
        &[
            Values::Texts(&ids.iter().map(|id| Some(id.as_str())).collect::<Vec<_>>()),
            Values::Texts(
                &products
                    .iter()
                    .map(|p| Some(p.name.as_str()))
                    .collect::<Vec<_>>(),
            ),
            Values::Texts(
                &products
                    .iter()
                    .map(|p| Some(p.category))
                    .collect::<Vec<_>>(),
            ),
            Values::Texts(&products.iter().map(|p| Some(p.brand)).collect::<Vec<_>>()),
            Values::Integers(&products.iter().map(|p| p.price_minor).collect::<Vec<_>>()),
            Values::Integers(&products.iter().map(|p| p.cost_minor).collect::<Vec<_>>()),
        ],
        products.len(),
    )
}

fn spend_columns(shop: &Shop) -> Vec<Column> {
    vec![
        column("date", ColumnKind::Text),
        column("channel", ColumnKind::Text),
        column("campaign", ColumnKind::Text),
        column("spend", money(shop)),
        column("impressions", ColumnKind::Integer),
        column("clicks", ColumnKind::Integer),
    ]
}

fn write_spend(table: &mut Table, rows: &[AdSpend]) -> Result<(), PipelineError> {
    let dates: Vec<String> = rows.iter().map(|row| row.date.to_string()).collect();
    let count = |of: fn(&AdSpend) -> u64| rows.iter().map(|row| of(row) as i64).collect::<Vec<_>>();
    table.write(
        &[
            Values::Texts(
                &dates
                    .iter()
                    .map(|date| Some(date.as_str()))
                    .collect::<Vec<_>>(),
            ),
            Values::Texts(
                &rows
                    .iter()
                    .map(|r| Some(r.channel.name()))
                    .collect::<Vec<_>>(),
            ),
            Values::Texts(&rows.iter().map(|r| Some(r.campaign)).collect::<Vec<_>>()),
            Values::Integers(&rows.iter().map(|r| r.cost_minor).collect::<Vec<_>>()),
            Values::Integers(&count(|row| row.impressions)),
            Values::Integers(&count(|row| row.clicks)),
        ],
        rows.len(),
    )
}
