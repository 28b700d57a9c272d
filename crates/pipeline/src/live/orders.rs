//! Orders told by events: the same records that an import makes of a file.
//!
//! | event | what it is |
//! |---|---|
//! | `Order Completed` | a version of the order |
//! | `Order Updated` | a newer version; one without products and amounts says nothing new |
//! | `Order Cancelled` | the version before, cancelled from then on |
//! | `Order Refunded` | without products and total the whole order, refunded from then on; else a refund of these products, or of that money |
//!
//! A version is newer when it happened later, whenever it was told. What has no content follows its
//! order, whoever tells it ([`super::contested`]).

mod settling;
mod sold;

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use foldhash::fast::FixedState;
use regulars_core::{
    Currency, CustomerId, LineRecord, OrderKey, OrderStatus, RecordKind, RefundKey, Symbol,
    Symbols, Timestamp, Zone,
};
use regulars_ingest::tracking::vocabulary::{Item, OrderFacts, StandardEvent, items, order_facts};
use regulars_store::history::SymbolTable;

use super::contested::Contested;
use super::told::Told;
use crate::config::Config;
use crate::error::PipelineError;
use crate::import::assemble::{Frame, OrderCounts, assemble};
use crate::import::intake::key_of_order;
use crate::import::rates::Rates;
use crate::import::row::{Amount, Row};
use sold::Sold;

/// Who first told of each order, by its key.
pub(crate) type Claims = HashMap<u64, CustomerId, FixedState>;

/// What orders of events belong to: the source that files come from when none is named.
const SOURCE: &str = "shop";
/// Lines of refunds are numbered from here on: they do not meet other lines of their order.
const FIRST_REFUND_LINE: u32 = LineRecord::FIRST_LINE_APART + (1 << 30);

/// Makes records of orders told by events, and knows which orders there are.
#[derive(Debug)]
pub(crate) struct Orders {
    currency: Currency,
    rates: Rates,
    claims: Claims,
    pub(crate) contested: Contested,
    cart_open_ms: i64,
    session_silence_ms: i64,
}

/// What an event tells of an order.
#[derive(Debug)]
pub(crate) struct OrderTold<'e> {
    what: StandardEvent,
    order_id: String,
    facts: OrderFacts<'e>,
    items: Vec<Item<'e>>,
}

/// What an event says of its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// What was bought or what it cost.
    Content,
    /// What goes back.
    GoesBack,
    /// What became of it, as a whole.
    Nothing,
}

/// True for the events that tell of an order.
pub(crate) fn is_of_orders(what: StandardEvent) -> bool {
    matches!(
        what,
        StandardEvent::OrderCompleted
            | StandardEvent::OrderUpdated
            | StandardEvent::OrderCancelled
            | StandardEvent::OrderRefunded
    )
}

/// What an event tells of an order; `None` when it is none of those that do.
pub(crate) fn of(told: &Told, currency: Currency) -> Option<OrderTold<'_>> {
    let what = told.what.filter(|&what| is_of_orders(what))?;
    let facts = order_facts(&told.event.properties, currency);
    let order_id = match &facts.order_id {
        Some(id) => id.trim().to_owned(),
        // An order without an id is its own, by the message that told it.
        None => format!("message {:032x}", told.event.message),
    };
    Some(OrderTold {
        what,
        order_id,
        items: items(&told.event.properties, currency),
        facts,
    })
}

/// The key of the order that an event tells of, if it does.
pub(crate) fn key_of(told: &Told, orders: &Orders) -> Option<u64> {
    Some(of(told, orders.currency)?.key())
}

/// When something went back last, by these records of one customer; `None` when nothing did.
pub(crate) fn returned_at(records: &[LineRecord]) -> Option<Timestamp> {
    let returns = records
        .iter()
        .filter(|record| record.kind != RecordKind::Sale);
    returns.map(|record| record.occurred_at).max()
}

impl OrderTold<'_> {
    pub(crate) fn key(&self) -> u64 {
        key_of_order(SOURCE, &self.order_id)
    }

    /// What the shop calls it; empty when the event does not say.
    pub(crate) fn id(&self) -> &str {
        self.facts.order_id.as_deref().unwrap_or_default().trim()
    }

    /// True for an order that was placed, with what was bought or what it cost.
    pub(super) fn is_placed(&self) -> bool {
        self.what == StandardEvent::OrderCompleted && self.has_content()
    }

    /// True for an order that was placed or changed, whether or not its amounts can be read.
    fn says_what_was_bought(&self) -> bool {
        let what = self.what;
        matches!(
            what,
            StandardEvent::OrderCompleted | StandardEvent::OrderUpdated
        )
    }

    /// True when it says what was bought or what it cost.
    fn has_content(&self) -> bool {
        let facts = &self.facts;
        let amounts = [facts.total_minor, facts.revenue_minor, facts.subtotal_minor];
        !self.items.is_empty() || amounts.iter().any(Option::is_some)
    }

    pub(super) fn says(&self) -> Says {
        match (self.has_content(), self.what) {
            (true, StandardEvent::OrderRefunded) => Says::GoesBack,
            (true, _) => Says::Content,
            (false, _) => Says::Nothing,
        }
    }
}

impl Orders {
    /// For a workspace whose orders have these `claims`.
    pub(crate) fn new(config: &Config, claims: Claims, symbols: &mut Symbols) -> Self {
        let mut rates = Rates::new(config);
        for &currency in config.rates.keys() {
            // Each has rates: that is where it comes from.
            let _ = rates.admit(currency, symbols);
        }
        Self {
            currency: config.workspace.currency,
            rates,
            claims,
            contested: Contested::default(),
            cart_open_ms: config.settings().carts.open_ms(),
            session_silence_ms: config.settings().sessions.silence_ms(),
        }
    }

    /// The workspace's time zone.
    pub(crate) fn zone(&self) -> &Zone {
        self.rates.zone()
    }

    /// How long after its last change a cart is open, in milliseconds.
    pub(super) fn cart_open_ms(&self) -> i64 {
        self.cart_open_ms
    }

    /// The silence that ends a session, in milliseconds.
    pub(crate) fn session_silence_ms(&self) -> i64 {
        self.session_silence_ms
    }

    /// Currency of all amounts.
    pub(crate) fn currency(&self) -> Currency {
        self.currency
    }

    /// An amount in the workspace's currency, at the rate of a moment; `None` without a rate.
    pub(super) fn convert(&self, minor: i64, from: Currency, at: Timestamp) -> Option<i64> {
        self.rates.convert_at(minor, from, at).ok()
    }

    /// Notes an order that a customer tells of; false when it was known before.
    pub(super) fn is_new(&mut self, key: u64, customer: CustomerId) -> bool {
        match self.claims.entry(key) {
            Entry::Occupied(_) => false,
            Entry::Vacant(vacant) => {
                vacant.insert(customer);
                true
            }
        }
    }

    /// Who first told of an order.
    pub(super) fn first_claim(&self, order: OrderKey) -> Option<CustomerId> {
        self.claims.get(&order.0).copied()
    }

    /// The records of a version of an order that is placed at `placed_at`.
    ///
    /// # Errors
    /// When the first rate of its currency begins after that day.
    pub(super) fn assemble(
        &self,
        order: &OrderTold<'_>,
        told: &Told,
        placed_at: Timestamp,
        table: &SymbolTable,
    ) -> Result<Vec<LineRecord>, PipelineError> {
        let head = self.head(order, told, placed_at, table);
        let currency = order.facts.currency.unwrap_or(self.currency);
        let has_rate = self.convert(0, currency, placed_at).is_some();
        let symbol = |text| symbol_of(text, table);
        let mut rows: Vec<Row> = Vec::with_capacity(order.items.len().max(1));
        for item in &order.items {
            let mut row = Row {
                product: symbol(item.key().or(item.name.as_deref())),
                category: symbol(item.category.as_deref()),
                brand: symbol(item.brand.as_deref()),
                quantity: Some(item.quantity.unwrap_or(1.0)),
                ..head.clone()
            };
            row.amounts[Amount::UnitPrice as usize] = item.price_minor.filter(|_| has_rate);
            rows.push(row);
        }
        if rows.is_empty() {
            rows.push(head);
        }
        let assembled = table.with(|symbols| {
            let frame = Frame {
                customer: told.event.customer,
                import: told.offset,
                symbols,
                rates: &self.rates,
            };
            assemble(frame, &mut rows, &mut OrderCounts::default())
        })?;
        Ok(assembled.into_iter().map(|line| line.record).collect())
    }

    /// What all rows of an order have in common. Amounts in a currency without a rate on the day
    /// of the order are missing.
    fn head(
        &self,
        order: &OrderTold<'_>,
        told: &Told,
        placed_at: Timestamp,
        table: &SymbolTable,
    ) -> Row {
        let facts = &order.facts;
        let symbol = |text| symbol_of(text, table);
        let currency = facts.currency.unwrap_or(self.currency);
        let is_own = currency == self.currency;
        let mut row = Row {
            identity: told.event.identity.0,
            order_key: order.key(),
            order_id: order.order_id.clone(),
            occurred_at: Some(placed_at),
            updated_at: Some(told.event.occurred_at),
            status: Some(OrderStatus::Placed),
            currency: if is_own || self.convert(0, currency, placed_at).is_none() {
                Symbol::NONE
            } else {
                table.intern(currency.code())
            },
            currency_named: true,
            channel: symbol(facts.channel.as_deref()),
            country: symbol(facts.country.as_deref()),
            ..Row::default()
        };
        if self.convert(0, currency, placed_at).is_some() {
            let amounts = [
                (Amount::OrderTotal, facts.total_minor),
                (
                    Amount::OrderSubtotal,
                    facts.revenue_minor.or(facts.subtotal_minor),
                ),
                (Amount::Shipping, facts.shipping_minor),
                (Amount::Tax, facts.tax_minor),
                (Amount::OrderDiscount, facts.discount_minor),
            ];
            for (which, minor) in amounts {
                row.amounts[which as usize] = minor;
            }
            // What the order says of its revenue needs no deduction.
            if facts.revenue_minor.or(facts.subtotal_minor).is_some() {
                row.amounts[Amount::OrderTotal as usize] = None;
            }
        }
        row
    }

    /// The same rates, knowing of no order but those that several customers claim.
    pub(super) fn knowing_none(&self) -> Self {
        self.with_contested(self.contested.to_apply())
    }

    /// The same rates, knowing of no order but `contested` ones.
    pub(crate) fn with_contested(&self, contested: Contested) -> Self {
        Self {
            currency: self.currency,
            rates: self.rates.clone(),
            claims: Claims::default(),
            contested,
            cart_open_ms: self.cart_open_ms,
            session_silence_ms: self.session_silence_ms,
        }
    }

    /// True when the amounts of an order placed then can be had in the workspace's currency.
    fn has_rate(&self, order: &OrderTold<'_>, placed_at: Timestamp) -> bool {
        let currency = order.facts.currency;
        currency.is_some_and(|currency| self.convert(0, currency, placed_at).is_some())
    }

    /// Adds the records of every order told to those of a customer's history; of orders that
    /// others claim as well there is what belongs to the customer. Gives the number of
    /// orders told whose amounts are missing because their currency has no rate, or is none.
    ///
    /// # Errors
    /// When the first rate of a currency begins after the day of its order.
    pub(crate) fn add_told(
        &self,
        customer: CustomerId,
        all: &[&Told],
        records: &mut Vec<LineRecord>,
        table: &SymbolTable,
    ) -> Result<u64, PipelineError> {
        let without_rate = self.add_all(all, records, table)?;
        if !self.contested.is_empty() {
            self.contested.apply(customer, records);
        }
        Ok(without_rate)
    }

    /// The same of orders of which nobody else tells.
    ///
    /// # Errors
    /// When the first rate of a currency begins after the day of its order.
    pub(super) fn add_all(
        &self,
        all: &[&Told],
        records: &mut Vec<LineRecord>,
        table: &SymbolTable,
    ) -> Result<u64, PipelineError> {
        let currency = self.currency;
        let mut without_rate: BTreeSet<OrderKey> = BTreeSet::new();
        let mut told: Vec<(&Told, OrderTold<'_>)> = all
            .iter()
            .filter_map(|&told| Some((told, of(told, currency)?)))
            .collect();
        told.sort_by_key(|(told, _)| (told.event.occurred_at, told.offset));
        let mut sold = Sold::new(told.iter().map(|(_, order)| order.key()), records);
        for (told, order) in told {
            let key = OrderKey(order.key());
            let before = sold.newest(key, records);
            let placed_at = before
                .first()
                .map_or(told.event.occurred_at, |line| line.occurred_at);
            if order.says_what_was_bought() && !self.has_rate(&order, placed_at) {
                without_rate.insert(key);
            }
            let content = if order.says() == Says::Content {
                self.assemble(&order, told, placed_at, table)?
            } else {
                before.clone()
            };
            let at = told.event.occurred_at;
            let version = |status: OrderStatus, ended_at: Option<Timestamp>| {
                content.iter().map(move |line| LineRecord {
                    import: told.offset,
                    updated_at: Some(at),
                    status,
                    ended_at,
                    ..*line
                })
            };
            match order.what {
                StandardEvent::OrderCancelled => {
                    records.extend(version(OrderStatus::Cancelled, Some(at)));
                }
                StandardEvent::OrderRefunded if order.says() == Says::GoesBack => {
                    records.extend(refund(&order, told, &before, table));
                }
                StandardEvent::OrderRefunded => {
                    records.extend(version(OrderStatus::Refunded, Some(at)));
                }
                _ => records.extend(version(OrderStatus::Placed, None)),
            }
        }
        Ok(without_rate.len() as u64)
    }
}

/// A text of an event; none is [`Symbol::NONE`].
fn symbol_of(text: Option<&str>, table: &SymbolTable) -> Symbol {
    text.map_or(Symbol::NONE, |text| table.intern(text.trim()))
}

/// Puts records into the order in which they are folded.
pub(crate) fn sort(records: &mut [LineRecord]) {
    records.sort_by_key(|r| (r.occurred_at, r.order, r.import, r.line));
}

/// What goes back of an order; products without a price at what they cost.
fn refund(
    order: &OrderTold<'_>,
    told: &Told,
    before: &[LineRecord],
    table: &SymbolTable,
) -> Vec<LineRecord> {
    let at = told.event.occurred_at;
    let blank = LineRecord {
        kind: RecordKind::Refund,
        line: FIRST_REFUND_LINE,
        refund: RefundKey((told.event.message as u64).max(1)),
        ..LineRecord::new(told.event.customer, OrderKey(order.key()), told.offset, at)
    };
    let facts = &order.facts;
    let told_minor = facts.total_minor.or(facts.revenue_minor);
    if order.items.is_empty() {
        return vec![LineRecord {
            net_minor: told_minor.unwrap_or(0).saturating_abs(),
            ..blank
        }];
    }
    let lines = order
        .items
        .iter()
        .zip(FIRST_REFUND_LINE..)
        .map(|(item, line)| {
            let product = item.key().or(item.name.as_deref());
            let product = symbol_of(product, table);
            let quantity = item.quantity.unwrap_or(1.0).abs();
            let bought = before.iter().find(|line| line.product == product);
            let unit_minor = match bought {
                Some(bought) if bought.quantity > 0.0 => bought.net_minor as f64 / bought.quantity,
                Some(_) | None => item.price_minor.unwrap_or(0) as f64,
            };
            LineRecord {
                line,
                product,
                quantity,
                net_minor: (unit_minor * quantity).round_ties_even() as i64,
                // The price of goods has no shipping in it.
                beside_minor: Some(0),
                ..blank
            }
        });
    lines.collect()
}
