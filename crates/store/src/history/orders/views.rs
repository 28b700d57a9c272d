//! Columns into rows: for a fold, and with everything that was stored.

use arrow::datatypes::SchemaRef;
use regulars_core::{
    CustomerId, LineRecord, OrderKey, OrderStatus, RecordKind, RefundKey, Symbol, Timestamp,
};

use super::columns::{kind_of, schema, status_of};
use super::{OrderRow, VersionRow, row_order};
use crate::history::SymbolTable;
use crate::history::merge::View;
use crate::history::values::{Columns, Meanings, Unusable, intern, vocabulary};
use crate::manifest::Family;
use crate::vault::IdentityId;

const ALL_COLUMNS: [&str; 23] = [
    "customer_id",
    "occurred_at",
    "order_key",
    "import_offset",
    "line",
    "refund_key",
    "kind",
    "status",
    "updated_at",
    "ended_at",
    "product_id",
    "category",
    "brand",
    "channel",
    "country",
    "quantity",
    "net_minor",
    "refunded_minor",
    "beside_minor",
    "discount_minor",
    "cost_minor",
    "order_id",
    "identity_id",
];

/// Rows as a fold needs them.
#[derive(Debug)]
pub(in crate::history) struct FoldView<'s> {
    symbols: &'s SymbolTable,
    kinds: Meanings<RecordKind>,
    statuses: Meanings<OrderStatus>,
    products: Meanings<Symbol>,
    categories: Meanings<Symbol>,
    brands: Meanings<Symbol>,
    channels: Meanings<Symbol>,
    countries: Meanings<Symbol>,
}

impl<'s> FoldView<'s> {
    pub(in crate::history) fn new(symbols: &'s SymbolTable) -> Self {
        Self {
            symbols,
            kinds: Meanings::default(),
            statuses: Meanings::default(),
            products: Meanings::default(),
            categories: Meanings::default(),
            brands: Meanings::default(),
            channels: Meanings::default(),
            countries: Meanings::default(),
        }
    }
}

impl FoldView<'_> {
    /// Appends the rows of a batch.
    fn decode(&mut self, columns: Columns<'_>, rows: &mut Vec<LineRecord>) -> Result<(), Unusable> {
        let table = self.symbols;
        let customers = columns.u64s("customer_id")?;
        let occurred_at = columns.instants("occurred_at")?;
        let orders = columns.u64s("order_key")?;
        let imports = columns.u64s("import_offset")?;
        let lines = columns.u32s("line")?;
        let refund_keys = columns.u64s("refund_key")?;
        let kinds = columns.coded(
            "kind",
            &mut self.kinds,
            RecordKind::Sale,
            vocabulary(kind_of),
        )?;
        let placed = OrderStatus::Placed;
        let statuses =
            columns.coded("status", &mut self.statuses, placed, vocabulary(status_of))?;
        let updated_at = columns.maybe_instants("updated_at")?;
        let ended_at = columns.maybe_instants("ended_at")?;
        let none = Symbol::NONE;
        let products = columns.coded("product_id", &mut self.products, none, intern(table))?;
        let categories = columns.coded("category", &mut self.categories, none, intern(table))?;
        let brands = columns.coded("brand", &mut self.brands, none, intern(table))?;
        let channels = columns.coded("channel", &mut self.channels, none, intern(table))?;
        let countries = columns.coded("country", &mut self.countries, none, intern(table))?;
        let quantities = columns.f64s("quantity")?;
        let net = columns.i64s("net_minor")?;
        let refunded = columns.i64s("refunded_minor")?;
        let beside = columns.maybe_i64s("beside_minor")?;
        let discounts = columns.maybe_i64s("discount_minor")?;
        let costs = columns.maybe_i64s("cost_minor")?;
        rows.extend((0..columns.batch.num_rows()).map(|row| LineRecord {
            customer: CustomerId(customers.get(row)),
            order: OrderKey(orders.get(row)),
            import: imports.get(row),
            updated_at: updated_at.get(row).map(Timestamp),
            occurred_at: Timestamp(occurred_at.get(row)),
            ended_at: ended_at.get(row).map(Timestamp),
            kind: kinds.get(row),
            status: statuses.get(row),
            line: lines.get(row),
            refund: RefundKey(refund_keys.get(row)),
            product: products.get(row),
            category: categories.get(row),
            brand: brands.get(row),
            channel: channels.get(row),
            country: countries.get(row),
            quantity: quantities.get(row),
            net_minor: net.get(row),
            beside_minor: beside.get(row),
            discount_minor: discounts.get(row),
            cost_minor: costs.get(row),
            refunded_minor: refunded.get(row),
        }));
        Ok(())
    }
}

/// Rows with everything that was stored.
#[derive(Debug)]
pub(in crate::history) struct FullView<'s> {
    fold: FoldView<'s>,
    records: Vec<LineRecord>,
}

impl<'s> FullView<'s> {
    pub(in crate::history) fn new(symbols: &'s SymbolTable) -> Self {
        Self {
            fold: FoldView::new(symbols),
            records: Vec::new(),
        }
    }
}

impl View for FullView<'_> {
    type Row = OrderRow;
    const FAMILY: Family = Family::Orders;
    const COLUMNS: &'static [&'static str] = &ALL_COLUMNS;

    fn schema() -> SchemaRef {
        schema()
    }

    fn decode(&mut self, columns: Columns<'_>, rows: &mut Vec<OrderRow>) -> Result<(), Unusable> {
        self.records.clear();
        self.fold.decode(columns, &mut self.records)?;
        let order_ids = columns.texts("order_id")?;
        let identities = columns.u64s("identity_id")?;
        rows.extend(
            self.records
                .iter()
                .enumerate()
                .map(|(row, record)| OrderRow {
                    record: *record,
                    order_id: order_ids.value(row).to_owned(),
                    identity: IdentityId(identities.get(row)),
                }),
        );
        Ok(())
    }

    fn customer(row: &OrderRow) -> CustomerId {
        row.record.customer
    }

    fn sort(rows: &mut [OrderRow]) {
        rows.sort_by_key(|row| row_order(&row.record));
    }
}

/// Rows as versions of orders: whose they are and how new.
#[derive(Debug, Default)]
pub(in crate::history) struct VersionView {
    statuses: Meanings<OrderStatus>,
}

impl View for VersionView {
    type Row = VersionRow;
    const FAMILY: Family = Family::Orders;
    const COLUMNS: &'static [&'static str] = &[
        "customer_id",
        "order_key",
        "import_offset",
        "refund_key",
        "line",
        "status",
        "updated_at",
        "identity_id",
    ];

    fn schema() -> SchemaRef {
        schema()
    }

    fn decode(&mut self, columns: Columns<'_>, rows: &mut Vec<VersionRow>) -> Result<(), Unusable> {
        let customers = columns.u64s("customer_id")?;
        let orders = columns.u64s("order_key")?;
        let imports = columns.u64s("import_offset")?;
        let refund_keys = columns.u64s("refund_key")?;
        let lines = columns.u32s("line")?;
        let placed = OrderStatus::Placed;
        let statuses =
            columns.coded("status", &mut self.statuses, placed, vocabulary(status_of))?;
        let updated_at = columns.maybe_instants("updated_at")?;
        let identities = columns.u64s("identity_id")?;
        rows.extend((0..columns.batch.num_rows()).map(|row| VersionRow {
            customer: CustomerId(customers.get(row)),
            order: OrderKey(orders.get(row)),
            import: imports.get(row),
            refund: RefundKey(refund_keys.get(row)),
            is_apart: lines.get(row) >= LineRecord::FIRST_LINE_APART,
            status: statuses.get(row),
            updated_at: updated_at.get(row).map(Timestamp),
            identity: IdentityId(identities.get(row)),
        }));
        Ok(())
    }

    fn customer(row: &VersionRow) -> CustomerId {
        row.customer
    }

    fn sort(rows: &mut [VersionRow]) {
        rows.sort_by_key(|row| (row.order, row.import, row.refund, row.is_apart));
    }
}
