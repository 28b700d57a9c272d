//! Order batches become rows: customers are resolved, texts interned, orders keyed.

use std::collections::{HashMap, HashSet};

use regulars_core::{OrderKey, Partition, Symbol, Symbols, Timestamp};
use regulars_ingest::{Amounts, DictColumn, Instants, OrderBatch, RowLevel, TextColumn};
use regulars_store::spill::Spill;
use regulars_store::vault::{IdentityId, IdentityKind, Trust, Vault};
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use super::frame;
use super::owners::page_of;
use super::rates::Rates;
use super::row::{Amount, Row};
use crate::error::PipelineError;

/// What the intake met that a report names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct IntakeCounts {
    /// Rows that became part of an order.
    pub rows: u64,
    /// Rows without a customer id and without an e-mail, of orders that have neither.
    pub rows_without_customer: u64,
    /// Customer ids and e-mails that identify nobody (`0`, `guest`, …), taken as absent.
    pub blocked_identities: u64,
    /// Rows without a customer id that fell back to the e-mail.
    pub guest_rows: u64,
    /// Rows without an order id: orders of their own, which no later import can replace.
    pub rows_without_order_id: u64,
}

/// Names of products, by product.
pub(crate) type ProductNames = HashMap<Symbol, Symbol>;

/// Takes order batches in.
#[derive(Debug)]
pub(crate) struct Intake<'a> {
    pub(crate) vault: &'a mut Vault,
    pub(crate) symbols: &'a mut Symbols,
    pub(crate) rates: &'a mut Rates,
    /// Names what an order id belongs to: two shops may number their orders alike.
    pub(crate) source: &'a str,
    pub(crate) counts: IntakeCounts,
    /// Names of products that order lines tell.
    pub(crate) product_names: ProductNames,
    /// Rows that name their order and not its customer, as Shopify's exports have them; on disk
    /// by order, since there may be many.
    pending: Spill,
    /// Their orders.
    waiting: HashSet<u64>,
    /// The last order whose customer was known: such rows mostly follow it.
    last_known: Option<(u64, IdentityId)>,
}

impl<'a> Intake<'a> {
    pub(crate) fn new(
        vault: &'a mut Vault,
        symbols: &'a mut Symbols,
        rates: &'a mut Rates,
        source: &'a str,
        pending: Spill,
    ) -> Self {
        Self {
            vault,
            symbols,
            rates,
            source,
            counts: IntakeCounts::default(),
            product_names: HashMap::new(),
            pending,
            waiting: HashSet::new(),
            last_known: None,
        }
    }

    /// Gives each row of the batch whose customer is known to `each`.
    pub(crate) fn take(
        &mut self,
        batch: &OrderBatch,
        file: u32,
        each: &mut dyn FnMut(&Row) -> Result<(), PipelineError>,
    ) -> Result<(), PipelineError> {
        let columns = Columns::of(batch, self.symbols, self.rates)?;
        self.note_product_names(batch, &columns);
        let mut row = Row {
            file,
            ..Row::default()
        };
        let mut bytes = Vec::new();
        for index in 0..batch.line.len() {
            columns.fill(&mut row, batch, index);
            let customer = text_at(batch.customer_id.as_ref(), index);
            let email = text_at(batch.email.as_ref(), index);
            let order_id = text_at(batch.order_id.as_ref(), index);
            row.order_id.clear();
            row.order_id.push_str(cut(order_id));
            let identity = self.identify(customer, email)?;
            match (identity, order_id) {
                (Some(identity), "") => {
                    let who = if customer.is_empty() { email } else { customer };
                    row.identity = identity.0;
                    row.order_key = self.key_of_content(who, &row);
                    self.counts.rows_without_order_id += 1;
                }
                (Some(identity), id) => {
                    row.identity = identity.0;
                    row.order_key = self.key_of_order(id);
                    self.last_known = Some((row.order_key, identity));
                }
                (None, "") => {
                    self.counts.rows_without_customer += 1;
                    continue;
                }
                (None, id) => {
                    row.order_key = self.key_of_order(id);
                    match self.last_known {
                        Some((key, identity)) if key == row.order_key => row.identity = identity.0,
                        _ => {
                            frame::write(&row, &mut bytes);
                            self.pending
                                .append(page_of(OrderKey(row.order_key)), &bytes)?;
                            self.waiting.insert(row.order_key);
                            continue;
                        }
                    }
                }
            }
            self.counts.rows += 1;
            each(&row)?;
        }
        Ok(())
    }

    /// Keys of the orders whose rows still wait for a customer.
    pub(crate) fn waiting_for(&mut self) -> HashSet<u64> {
        std::mem::take(&mut self.waiting)
    }

    /// Looks for customers of waiting rows in a batch of the same file, read again.
    pub(crate) fn find_customers(
        &mut self,
        batch: &OrderBatch,
        waiting: &HashSet<u64>,
        found: &mut HashMap<u64, u64>,
    ) -> Result<(), PipelineError> {
        for index in 0..batch.line.len() {
            let order_id = text_at(batch.order_id.as_ref(), index);
            if order_id.is_empty() || !waiting.contains(&self.key_of_order(order_id)) {
                continue;
            }
            let customer = text_at(batch.customer_id.as_ref(), index);
            let email = text_at(batch.email.as_ref(), index);
            if let Some(identity) = self.identify(customer, email)? {
                found.insert(self.key_of_order(order_id), identity.0);
            }
        }
        Ok(())
    }

    /// Ends a file: waiting rows whose customer was found go to `each`, the others are counted.
    /// Gives the counts and the names of products.
    pub(crate) fn end_file(
        mut self,
        found: &HashMap<u64, u64>,
        each: &mut dyn FnMut(&Row) -> Result<(), PipelineError>,
    ) -> Result<(IntakeCounts, ProductNames), PipelineError> {
        let pending = self.pending.finish()?;
        for page in Partition::all() {
            for mut row in frame::each(&pending.read(page)?).map(|framed| framed.row()) {
                if let Some(&identity) = found.get(&row.order_key) {
                    row.identity = identity;
                    self.counts.rows += 1;
                    each(&row)?;
                } else {
                    self.counts.rows_without_customer += 1;
                }
            }
        }
        Ok((self.counts, self.product_names))
    }

    /// The identity of a row: the customer id, else the e-mail; both together are a link.
    fn identify(
        &mut self,
        customer: &str,
        email: &str,
    ) -> Result<Option<IdentityId>, PipelineError> {
        let mut usable = |text: &str| {
            let blocked = !text.is_empty() && self.vault.is_blocked(text);
            self.counts.blocked_identities += u64::from(blocked);
            !text.is_empty() && !blocked
        };
        let (has_customer, has_email) = (usable(customer), usable(email));
        if !has_customer {
            if !has_email {
                return Ok(None);
            }
            self.counts.guest_rows += 1;
            return Ok(Some(self.vault.lookup_or_mint(IdentityKind::Email, email)?));
        }
        let identity = self.vault.customer_id(customer)?;
        if has_email {
            let email = self.vault.lookup_or_mint(IdentityKind::Email, email)?;
            self.vault.link(email, identity, Trust::Server);
        }
        Ok(Some(identity))
    }

    fn key_of_order(&self, order_id: &str) -> u64 {
        key_of_order(self.source, order_id)
    }

    /// The key of an order without an id: of what the row says, without what a later export of
    /// the same order may say differently. Equal rows of one file are told
    /// apart later, equal rows of two files are one order.
    fn key_of_content(&self, who: &str, row: &Row) -> u64 {
        let mut bytes = Vec::with_capacity(128);
        for text in [self.source, who, self.symbols.text(row.product)] {
            bytes.extend_from_slice(text.as_bytes());
            bytes.push(0);
        }
        let at = row.occurred_at.unwrap_or(Timestamp::MIN);
        bytes.extend_from_slice(&at.0.to_le_bytes());
        bytes.extend_from_slice(&row.quantity.unwrap_or(0.0).to_le_bytes());
        for (position, amount) in row.amounts.into_iter().enumerate() {
            if CHANGES_LATER
                .iter()
                .any(|&which| which as usize == position)
            {
                continue;
            }
            bytes.extend_from_slice(&amount.unwrap_or(i64::MIN).to_le_bytes());
        }
        xxh3_64(&bytes)
    }

    /// Remembers product names; of several for one product the first by its text.
    fn note_product_names(&mut self, batch: &OrderBatch, columns: &Columns<'_>) {
        let Some(names) = &batch.product_name else {
            return;
        };
        let name_symbols: Vec<Symbol> = names
            .texts
            .iter()
            .map(|text| self.symbols.intern(text))
            .collect();
        let mut seen = HashSet::new();
        for index in 0..batch.line.len() {
            let product = columns
                .product
                .as_ref()
                .map_or(Symbol::NONE, |c| c.at(index));
            let name = name_symbols[names.keys[index] as usize];
            if product == Symbol::NONE || name == Symbol::NONE || !seen.insert((product, name)) {
                continue;
            }
            let symbols = &*self.symbols;
            let known = self.product_names.entry(product).or_insert(name);
            if symbols.text(name) < symbols.text(*known) {
                *known = name;
            }
        }
    }
}

/// Amounts that are known or corrected after an order was placed.
const CHANGES_LATER: [Amount; 6] = [
    Amount::Refunded,
    Amount::LineRefunded,
    Amount::Tax,
    Amount::LineTax,
    Amount::Shipping,
    Amount::LineShipping,
];

/// The key of an order by its id in a source.
pub(crate) fn key_of_order(source: &str, order_id: &str) -> u64 {
    let mut bytes = Vec::with_capacity(source.len() + order_id.len() + 1);
    bytes.extend_from_slice(source.as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(order_id.as_bytes());
    xxh3_64(&bytes)
}

/// Order ids longer than this are cut: a row stores their length in 16 bits.
const MAX_ORDER_ID_BYTES: usize = 4_096;

pub(crate) fn cut(order_id: &str) -> &str {
    let mut end = order_id.len().min(MAX_ORDER_ID_BYTES);
    while !order_id.is_char_boundary(end) {
        end -= 1;
    }
    &order_id[..end]
}

fn text_at(column: Option<&TextColumn>, index: usize) -> &str {
    column.map_or("", |column| column.get(index))
}

/// A dictionary column with the symbols of the import.
struct SymbolColumn<'b> {
    keys: &'b [u32],
    symbols: Vec<Symbol>,
}

impl<'b> SymbolColumn<'b> {
    fn of(column: &'b DictColumn, symbols: &mut Symbols) -> Self {
        let symbols = column
            .texts
            .iter()
            .map(|text| symbols.intern(text))
            .collect();
        Self {
            keys: &column.keys,
            symbols,
        }
    }

    fn at(&self, index: usize) -> Symbol {
        self.symbols[self.keys[index] as usize]
    }
}

/// The columns of a batch, ready to be read row by row.
struct Columns<'b> {
    product: Option<SymbolColumn<'b>>,
    category: Option<SymbolColumn<'b>>,
    brand: Option<SymbolColumn<'b>>,
    channel: Option<SymbolColumn<'b>>,
    country: Option<SymbolColumn<'b>>,
    currency: Option<SymbolColumn<'b>>,
    /// By key of `currency`: whether the row names one.
    names_currency: Vec<bool>,
    file_currency: Symbol,
    amounts: [Option<&'b Amounts>; Amount::COUNT],
    whole_order: bool,
}

impl<'b> Columns<'b> {
    fn of(
        batch: &'b OrderBatch,
        symbols: &mut Symbols,
        rates: &mut Rates,
    ) -> Result<Self, PipelineError> {
        let mut column =
            |c: &'b Option<DictColumn>| c.as_ref().map(|c| SymbolColumn::of(c, symbols));
        // What a product is called stands for it where it has no id.
        let product = column(&batch.product_id).or_else(|| column(&batch.product_name));
        let category = column(&batch.category);
        let brand = column(&batch.brand);
        let channel = column(&batch.channel);
        let country = column(&batch.country);
        let file_currency = rates.admit(batch.file_currency, symbols)?;
        let currency = match &batch.currency {
            None => None,
            Some(codes) => {
                let admit = |code: &String| match regulars_core::Currency::new(code) {
                    Ok(currency) => rates.admit(currency, symbols),
                    Err(_) => Ok(file_currency),
                };
                let symbols = codes.texts.iter().map(admit).collect::<Result<_, _>>()?;
                Some(SymbolColumn {
                    keys: &codes.keys,
                    symbols,
                })
            }
        };
        let names_currency = batch.currency.iter().flat_map(|codes| &codes.texts);
        let names_currency = names_currency
            .map(|code| regulars_core::Currency::new(code).is_ok())
            .collect();
        let mut amounts = [None; Amount::COUNT];
        for (which, column) in [
            (Amount::UnitPrice, &batch.unit_price),
            (Amount::LineTotal, &batch.line_total),
            (Amount::LineDiscount, &batch.line_discount),
            (Amount::UnitCost, &batch.unit_cost),
            (Amount::LineGross, &batch.line_gross),
            (Amount::LineTax, &batch.line_tax),
            (Amount::LineShipping, &batch.line_shipping),
            (Amount::LineRefunded, &batch.line_refunded),
            (Amount::OrderTotal, &batch.order_total),
            (Amount::OrderSubtotal, &batch.order_subtotal),
            (Amount::OrderDiscount, &batch.order_discount),
            (Amount::Shipping, &batch.shipping),
            (Amount::Tax, &batch.tax),
            (Amount::Refunded, &batch.refunded),
        ] {
            amounts[which as usize] = column.as_ref();
        }
        let whole_order = batch.level == RowLevel::Order;
        Ok(Self {
            product,
            category,
            brand,
            channel,
            country,
            currency,
            names_currency,
            file_currency,
            amounts,
            whole_order,
        })
    }

    fn fill(&self, row: &mut Row, batch: &OrderBatch, index: usize) {
        let symbol =
            |c: &Option<SymbolColumn<'_>>| c.as_ref().map_or(Symbol::NONE, |c| c.at(index));
        let instant = |c: &Option<Instants>| c.as_ref().and_then(|c| c[index]);
        row.occurred_at = batch.occurred_at[index];
        row.updated_at = instant(&batch.updated_at);
        row.ended_at = instant(&batch.ended_at);
        row.status = batch.status.as_ref().and_then(|status| status[index]);
        row.credit = batch.credit[index];
        row.whole_order = self.whole_order;
        row.product = symbol(&self.product);
        row.category = symbol(&self.category);
        row.brand = symbol(&self.brand);
        row.channel = symbol(&self.channel);
        row.country = symbol(&self.country);
        row.currency = self
            .currency
            .as_ref()
            .map_or(self.file_currency, |c| c.at(index));
        let named = |c: &SymbolColumn<'_>| self.names_currency[c.keys[index] as usize];
        let carried = batch
            .currency_carried
            .get(index)
            .is_some_and(|&carried| carried);
        row.currency_named = !carried && self.currency.as_ref().is_none_or(named);
        row.quantity = batch.quantity.as_ref().and_then(|quantity| quantity[index]);
        for (amount, column) in row.amounts.iter_mut().zip(self.amounts) {
            *amount = column.and_then(|column| column[index]);
        }
    }
}
