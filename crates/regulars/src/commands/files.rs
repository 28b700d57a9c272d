//! Options of reading files, from the command line and the workspace.

use regulars_core::OrderStatus;
use regulars_ingest::{
    DateOrder, DecimalMark, Encoding, Entity, Field, ReadOptions, RowLevel, SerialDates,
};
use regulars_pipeline::Config;

use crate::cli::{DateOrderArg, DecimalArg, EncodingArg, LevelArg, ReadArgs};
use crate::failure::Usage;

/// How files are read: options, and what the workspace's settings say where nothing else does.
pub(crate) fn read_options(config: &Config, args: &ReadArgs) -> anyhow::Result<ReadOptions> {
    let mut options = ReadOptions::new(config.workspace.currency, config.zone());
    options.entity = match args.entity.as_deref() {
        None => None,
        Some(name) => Some(Entity::named(name).ok_or_else(|| {
            let kinds = Entity::ALL.map(Entity::name).join("`, `");
            Usage(format!("`--entity {name}`: use one of `{kinds}`"))
        })?),
    };
    options.event = args.event.clone();
    if args.event.is_some() && options.entity.is_none() {
        options.entity = Some(Entity::Events);
    }
    if !args.columns.is_empty() {
        let name = |name: &String| (name != "-").then(|| name.clone());
        options.columns = Some(args.columns.iter().map(name).collect());
    }
    let given = args.map.iter().map(|pair| {
        pair.split_once('=')
            .map(|(field, column)| (field.to_owned(), column.to_owned()))
            .ok_or_else(|| Usage(format!("`--map {pair}`: use FIELD=COLUMN")))
    });
    for (field, column) in given.collect::<Result<Vec<_>, _>>()? {
        match field.strip_prefix("trait:") {
            Some(name) => options.traits.push((name.to_owned(), column)),
            None => options.map.push((field_of(&field)?, column)),
        }
    }
    for (field, column) in &config.import.map {
        let pair = (field_of(field)?, column.clone());
        options.settings.map.push(pair);
    }
    options.settings.date_order = match config.import.date_order.as_deref() {
        Some("dmy") => Some(DateOrder::Dmy),
        Some("mdy") => Some(DateOrder::Mdy),
        _ => None,
    };
    options.date_order = args.date_order.map(|order| match order {
        DateOrderArg::Dmy => DateOrder::Dmy,
        DateOrderArg::Mdy => DateOrder::Mdy,
    });
    options.decimal = args.decimal.map(|decimal| match decimal {
        DecimalArg::Point => DecimalMark::Point,
        DecimalArg::Comma => DecimalMark::Comma,
    });
    options.level = args.level.map(|level| match level {
        LevelArg::Order => RowLevel::Order,
        LevelArg::Line => RowLevel::Line,
    });
    options.encoding = args.encoding.map(|encoding| match encoding {
        EncodingArg::Utf8 => Encoding::Utf8,
        EncodingArg::Utf16Le => Encoding::Utf16Le,
        EncodingArg::Utf16Be => Encoding::Utf16Be,
        EncodingArg::Windows1252 => Encoding::Windows1252,
    });
    if args.excel_dates {
        options.serial_dates = Some(SerialDates::Excel);
    }
    for pair in &args.status {
        let parsed = pair.split_once('=').and_then(|(word, status)| {
            let status = match status {
                "placed" => OrderStatus::Placed,
                "unpaid" => OrderStatus::Unpaid,
                "refunded" => OrderStatus::Refunded,
                "cancelled" => OrderStatus::Cancelled,
                _ => return None,
            };
            Some((word.to_owned(), status))
        });
        options.statuses.push(parsed.ok_or_else(|| {
            Usage(format!(
                "`--status {pair}`: use WORD=STATUS with one of `placed`, `unpaid`, `refunded`, `cancelled`"
            ))
        })?);
    }
    Ok(options)
}

fn field_of(name: &str) -> Result<Field, Usage> {
    Field::named(name).map_err(|error| Usage(error.to_string()))
}
