//! Rows of the small tables as columns, and back.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Date32Array, Int64Array, PrimitiveArray, RecordBatch, StringArray,
};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use regulars_core::CivilDate;

use super::{AdSpendRow, ProductRow, TableRow};

impl TableRow for ProductRow {
    const FORMAT: &'static str = "products";

    fn schema() -> Schema {
        Schema::new(vec![
            Field::new("product_id", DataType::Utf8, false),
            Field::new("name", DataType::Utf8, true),
            Field::new("category", DataType::Utf8, true),
            Field::new("brand", DataType::Utf8, true),
            Field::new("cost_minor", DataType::Int64, true),
            Field::new("price_minor", DataType::Int64, true),
        ])
    }

    fn to_batch(rows: &[Self], schema: SchemaRef) -> Result<RecordBatch, ArrowError> {
        let texts = |get: fn(&Self) -> Option<&str>| -> ArrayRef {
            Arc::new(rows.iter().map(get).collect::<StringArray>())
        };
        let numbers = |get: fn(&Self) -> Option<i64>| -> ArrayRef {
            Arc::new(rows.iter().map(get).collect::<Int64Array>())
        };
        let columns = vec![
            texts(|row| Some(&row.product)),
            texts(|row| row.name.as_deref()),
            texts(|row| row.category.as_deref()),
            texts(|row| row.brand.as_deref()),
            numbers(|row| row.cost_minor),
            numbers(|row| row.price_minor),
        ];
        RecordBatch::try_new(schema, columns)
    }

    fn from_batch(batch: &RecordBatch, into: &mut Vec<Self>) -> Result<(), ArrowError> {
        let products: &StringArray = column(batch, "product_id")?;
        let names: &StringArray = column(batch, "name")?;
        let categories: &StringArray = column(batch, "category")?;
        let brands: &StringArray = column(batch, "brand")?;
        let costs: &Int64Array = column(batch, "cost_minor")?;
        let prices: &Int64Array = column(batch, "price_minor")?;
        into.extend((0..batch.num_rows()).map(|row| Self {
            product: products.value(row).to_owned(),
            name: text(names, row),
            category: text(categories, row),
            brand: text(brands, row),
            cost_minor: number(costs, row),
            price_minor: number(prices, row),
        }));
        Ok(())
    }
}

impl TableRow for AdSpendRow {
    const FORMAT: &'static str = "ad-spend";

    fn schema() -> Schema {
        Schema::new(vec![
            Field::new("date", DataType::Date32, false),
            Field::new("channel", DataType::Utf8, false),
            Field::new("campaign", DataType::Utf8, true),
            Field::new("spend_minor", DataType::Int64, false),
            Field::new("impressions", DataType::Int64, true),
            Field::new("clicks", DataType::Int64, true),
        ])
    }

    fn to_batch(rows: &[Self], schema: SchemaRef) -> Result<RecordBatch, ArrowError> {
        let texts = |get: fn(&Self) -> Option<&str>| -> ArrayRef {
            Arc::new(rows.iter().map(get).collect::<StringArray>())
        };
        let numbers = |get: fn(&Self) -> Option<i64>| -> ArrayRef {
            Arc::new(rows.iter().map(get).collect::<Int64Array>())
        };
        let columns = vec![
            Arc::new(Date32Array::from_iter_values(
                rows.iter().map(|row| row.date.0),
            )),
            texts(|row| Some(&row.channel)),
            texts(|row| row.campaign.as_deref()),
            numbers(|row| Some(row.spend_minor)),
            numbers(|row| row.impressions),
            numbers(|row| row.clicks),
        ];
        RecordBatch::try_new(schema, columns)
    }

    fn from_batch(batch: &RecordBatch, into: &mut Vec<Self>) -> Result<(), ArrowError> {
        let dates: &Date32Array = column(batch, "date")?;
        let channels: &StringArray = column(batch, "channel")?;
        let campaigns: &StringArray = column(batch, "campaign")?;
        let spend: &Int64Array = column(batch, "spend_minor")?;
        let impressions: &Int64Array = column(batch, "impressions")?;
        let clicks: &Int64Array = column(batch, "clicks")?;
        into.extend((0..batch.num_rows()).map(|row| Self {
            date: CivilDate(dates.value(row)),
            channel: channels.value(row).to_owned(),
            campaign: text(campaigns, row),
            spend_minor: spend.value(row),
            impressions: number(impressions, row),
            clicks: number(clicks, row),
        }));
        Ok(())
    }
}

/// A column of one of Arrow's types.
pub(crate) fn column<'b, A: Array + 'static>(
    batch: &'b RecordBatch,
    name: &str,
) -> Result<&'b A, ArrowError> {
    batch
        .column_by_name(name)
        .and_then(|column| column.as_any().downcast_ref())
        .ok_or_else(|| ArrowError::SchemaError(format!("column `{name}` is not as expected")))
}

fn text(column: &StringArray, row: usize) -> Option<String> {
    column.is_valid(row).then(|| column.value(row).to_owned())
}

fn number<T: ArrowPrimitiveType>(column: &PrimitiveArray<T>, row: usize) -> Option<T::Native> {
    column.is_valid(row).then(|| column.value(row))
}
