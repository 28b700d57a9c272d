//! Order lines as folds need them.

use regulars_core::{
    CustomerId, LineRecord, OrderKey, OrderStatus, RecordKind, RefundKey, Timestamp,
};

use super::column::{Column, Numbers, Texts, Words};
use crate::StoreError;
use crate::history::file::RunInput;
use crate::history::merge::{Others, Rows};
use crate::history::orders::{kind_of, row_order, schema, status_of};
use crate::history::values::Unusable;
use crate::history::{SymbolTable, VersionsFrom};
use crate::manifest::Family;

/// Rows read at a time: few enough to stay in the processor's second cache.
const BATCH_ROWS: usize = 2 << 10;

/// Calls `$each` with every column of a scan.
macro_rules! each_column {
    ($scan:expr, |$column:ident| $each:expr) => {{
        let LineColumns {
            customers, occurred_at, orders, imports, lines, refund_keys, kinds, statuses,
            updated_at, ended_at, products, categories, brands, channels, countries, quantities,
            net, refunded, beside, discounts, costs,
        } = $scan;
        each_column!(@ $column, $each, customers occurred_at orders imports lines refund_keys
            kinds statuses updated_at ended_at products categories brands channels countries
            quantities net refunded beside discounts costs);
    }};
    (@ $column:ident, $each:expr, $($name:ident)*) => {
        $({ let $column = $name; $each; })*
    };
}

/// A run of order lines, a batch at a time.
#[derive(Debug)]
pub(in crate::history) struct LineScan<'s> {
    columns: LineColumns<'s>,
    /// Whether an order may have a version that is not in the run.
    has_versions_elsewhere: bool,
}

#[derive(Debug)]
struct LineColumns<'s> {
    customers: Column<Numbers<u64>>,
    occurred_at: Column<Numbers<i64>>,
    orders: Column<Numbers<u64>>,
    imports: Column<Numbers<u64>>,
    lines: Column<Numbers<u32>>,
    refund_keys: Column<Numbers<u64>>,
    kinds: Column<Words<RecordKind>>,
    statuses: Column<Words<OrderStatus>>,
    updated_at: Column<Numbers<Option<i64>>>,
    ended_at: Column<Numbers<Option<i64>>>,
    products: Column<Texts<'s>>,
    categories: Column<Texts<'s>>,
    brands: Column<Texts<'s>>,
    channels: Column<Texts<'s>>,
    countries: Column<Texts<'s>>,
    quantities: Column<Numbers<f64>>,
    net: Column<Numbers<i64>>,
    refunded: Column<Numbers<i64>>,
    beside: Column<Numbers<Option<i64>>>,
    discounts: Column<Numbers<Option<i64>>>,
    costs: Column<Numbers<Option<i64>>>,
}

impl<'s> LineScan<'s> {
    pub(in crate::history) fn new(
        symbols: &'s SymbolTable,
        others: Others,
        versions: VersionsFrom,
    ) -> Self {
        let text = |name| Texts::column(name, symbols);
        Self {
            columns: LineColumns {
                customers: Numbers::column("customer_id"),
                occurred_at: Numbers::column("occurred_at"),
                orders: Numbers::column("order_key"),
                imports: Numbers::column("import_offset"),
                lines: Numbers::column("line"),
                refund_keys: Numbers::column("refund_key"),
                kinds: Words::column("kind", kind_of),
                statuses: Words::column("status", status_of),
                updated_at: Numbers::column("updated_at"),
                ended_at: Numbers::column("ended_at"),
                products: text("product_id"),
                categories: text("category"),
                brands: text("brand"),
                channels: text("channel"),
                countries: text("country"),
                quantities: Numbers::column("quantity"),
                net: Numbers::column("net_minor"),
                refunded: Numbers::column("refunded_minor"),
                beside: Numbers::column("beside_minor"),
                discounts: Numbers::column("discount_minor"),
                costs: Numbers::column("cost_minor"),
            },
            has_versions_elsewhere: others == Others::Some
                || versions == VersionsFrom::FilesAndEvents,
        }
    }

    /// True when somebody asks when the version was made that a row is of: to tell which version of
    /// an order is the newest, or from when on an order that ended does not count.
    fn asks_when_made(&self, input: &RunInput) -> bool {
        let has_one_import = input.constants().contains_key("import_offset");
        self.has_versions_elsewhere || !has_one_import || !input.tells_ends()
    }
}

impl Rows for LineScan<'_> {
    type Row = LineRecord;
    /// Rows that are left.
    type Group = usize;
    const FAMILY: Family = Family::Orders;

    fn schema() -> arrow::datatypes::SchemaRef {
        schema()
    }

    fn open_group(&mut self, input: &RunInput, index: usize) -> Result<usize, StoreError> {
        let chunks = input.chunks(index);
        let unasked = if self.asks_when_made(input) {
            ""
        } else {
            self.columns.updated_at.leave_out();
            self.columns.updated_at.name()
        };
        let mut started = Ok(());
        each_column!(
            &mut self.columns,
            |column| if column.name() != unasked && started.is_ok() {
                started = column.start(&chunks);
            }
        );
        started.map_err(|detail| StoreError::damaged(input.path(), detail))?;
        Ok(chunks.rows())
    }

    fn next_rows(
        &mut self,
        left: &mut usize,
        input: &RunInput,
        rows: &mut Vec<LineRecord>,
    ) -> Result<bool, StoreError> {
        rows.clear();
        let count = BATCH_ROWS.min(*left);
        *left -= count;
        self.columns
            .read(count)
            .map_err(|detail| StoreError::damaged(input.path(), detail))?;
        self.columns.put_together(count, rows);
        Ok(count > 0)
    }

    #[inline]
    fn customer(row: &LineRecord) -> CustomerId {
        row.customer
    }

    fn sort(rows: &mut [LineRecord]) {
        rows.sort_by_key(row_order);
    }
}

impl LineColumns<'_> {
    fn read(&mut self, count: usize) -> Result<(), Unusable> {
        each_column!(self, |column| column.read(count)?);
        Ok(())
    }

    /// The rows whose values were read.
    fn put_together(&self, count: usize, rows: &mut Vec<LineRecord>) {
        // Slices of one length, which is checked here and not for each row.
        macro_rules! slices {
            ($($name:ident)*) => { $(let $name = &self.$name.values[..count];)* };
        }
        slices!(customers occurred_at orders imports lines refund_keys kinds statuses updated_at
            ended_at products categories brands channels countries quantities net refunded beside
            discounts costs);
        rows.extend((0..count).map(|row| LineRecord {
            customer: CustomerId(customers[row]),
            order: OrderKey(orders[row]),
            import: imports[row],
            updated_at: updated_at[row].map(Timestamp),
            occurred_at: Timestamp(occurred_at[row]),
            ended_at: ended_at[row].map(Timestamp),
            kind: kinds[row],
            status: statuses[row],
            line: lines[row],
            refund: RefundKey(refund_keys[row]),
            product: products[row],
            category: categories[row],
            brand: brands[row],
            channel: channels[row],
            country: countries[row],
            quantity: quantities[row],
            net_minor: net[row],
            beside_minor: beside[row],
            discount_minor: discounts[row],
            cost_minor: costs[row],
            refunded_minor: refunded[row],
        }));
    }
}
