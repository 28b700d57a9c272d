use std::fs::File;

use arrow::array::{
    Array, BooleanArray, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMillisecondArray,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use regulars_core::Timestamp;
use regulars_store::export::{Column, ColumnKind, TableWriter, Values};

fn columns() -> Vec<Column> {
    let column = |name: &str, kind| Column {
        name: name.to_owned(),
        kind,
    };
    vec![
        column("name", ColumnKind::Text),
        column("product", ColumnKind::Text),
        column("orders", ColumnKind::Integer),
        column("share", ColumnKind::Number),
        column("loyal", ColumnKind::Flag),
        column("last_order", ColumnKind::Instant),
        column("revenue", ColumnKind::Money { exponent: 2 }),
    ]
}

fn array<'b, A: Array + 'static>(batch: &'b RecordBatch, name: &str) -> &'b A {
    batch
        .column_by_name(name)
        .unwrap()
        .as_any()
        .downcast_ref()
        .unwrap()
}

#[test]
fn an_exported_table_can_be_read_by_others() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("customers.parquet");
    let mut table = TableWriter::create(&path, &columns()).unwrap();
    let chunks: [(&[u32], &[&str]); 2] =
        [(&[1, 0, 9], &["shoe", "hat"]), (&[0, 0, 1], &["x", "y"])];
    for (codes, texts) in chunks {
        table
            .write(&[
                Values::Texts(&[Some("anna"), None, Some("")]),
                Values::Coded { codes, texts },
                Values::Integers(&[1, 2, 3]),
                Values::MaybeNumbers(&[Some(0.5), None, Some(f64::MIN_POSITIVE)]),
                Values::Flags(&[Some(true), Some(false), None]),
                Values::Instants(&[Timestamp(0), Timestamp(1), Timestamp(2)]),
                Values::MaybeIntegers(&[Some(1999), None, Some(-1)]),
            ])
            .unwrap();
    }
    assert!(!path.exists(), "not there before it is whole");
    assert_eq!(table.finish().unwrap(), 6);
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
    let batches: Vec<_> = reader.build().unwrap().collect::<Result<_, _>>().unwrap();
    let [batch] = batches.as_slice() else {
        panic!("one small batch")
    };
    let texts: Vec<_> = array::<StringArray>(batch, "product").iter().collect();
    let due = [
        Some("hat"),
        Some("shoe"),
        None,
        Some("x"),
        Some("x"),
        Some("y"),
    ];
    assert_eq!(texts, due);
    assert_eq!(
        array::<Int64Array>(batch, "orders").values(),
        &[1, 2, 3, 1, 2, 3]
    );
    assert_eq!(
        array::<Float64Array>(batch, "share").value(2),
        f64::MIN_POSITIVE
    );
    assert!(array::<BooleanArray>(batch, "loyal").is_null(2));
    assert_eq!(
        array::<TimestampMillisecondArray>(batch, "last_order").timezone(),
        Some("UTC")
    );
    assert_eq!(
        array::<Decimal128Array>(batch, "revenue").value_as_string(0),
        "19.99"
    );
    assert_eq!(array::<StringArray>(batch, "name").value(2), "");
}

#[test]
fn values_that_do_not_fit_are_refused_and_nothing_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("customers.parquet");
    let mut table = TableWriter::create(&path, &columns()[..2]).unwrap();
    let message = table
        .write(&[Values::Integers(&[1])])
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("`name`") && message.contains("another kind"),
        "{message}"
    );
    let message = table
        .write(&[Values::Texts(&[None])])
        .unwrap_err()
        .to_string();
    assert!(message.contains("`product`"), "{message}");
    let uneven = [Values::Texts(&[None]), Values::Texts(&[])];
    let message = table.write(&uneven).unwrap_err().to_string();
    assert!(message.contains("number of values"), "{message}");
    drop(table);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
