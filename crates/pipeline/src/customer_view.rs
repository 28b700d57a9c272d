//! One customer as a whole: traits, orders, scores with intervals, segments with reasons.

mod orders;

use std::borrow::Cow;
use std::collections::BTreeMap;

use regulars_core::{Currency, CustomerId, OrderStatus, RecordKind, Trait, TraitKind};
use regulars_profile::{Account, Context, Customer, Profile};
use regulars_rules::{Availability, Explanation, Subject};
use regulars_stats::Parallelism;
use regulars_stats::purchase::OrdersInterval;
use regulars_stats::spend::SpendSummary;
use regulars_stats::value::{Buyer, RevenueOptions, forecast_revenue};
use regulars_store::Store;
use regulars_store::history::SymbolTable;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::{Base, declared_json, trait_json};
use crate::error::PipelineError;
use crate::live::retell;
use crate::live::told::{Tellings, Told, by_time};
use crate::live::whose::RowPlaces;
use crate::recorded::{LastChange, ids_of};

pub(crate) use orders::{Names, OrderList};

/// Share of the predictive distribution in a customer's intervals.
pub const INTERVAL_SHARE: f64 = 0.8;

/// Everything known of a customer. Money is in minor units of `currency`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CustomerView {
    /// What the source calls them.
    pub customer_id: String,
    /// The moment of all that follows.
    pub as_of: String,
    /// Currency of all amounts.
    pub currency: String,
    /// Digits after the point of that currency.
    pub currency_exponent: u32,
    /// Stage of life.
    pub lifecycle: String,
    /// Standard traits, in the order in which they are documented.
    pub traits: Vec<TraitView>,
    /// Declared traits by name.
    pub declared: BTreeMap<String, Value>,
    /// Traits of the account that they belong to, by name; its id is the trait `account`.
    pub account: BTreeMap<String, Value>,
    /// Scores; absent before a fit or without an order.
    pub scores: Option<ScoresView>,
    /// Orders, the latest first.
    pub orders: Vec<OrderView>,
    /// Money of credits and refunds that was taken off no order.
    pub unmatched_credit_minor: i64,
    /// Segments that they are in.
    pub segments: Vec<SegmentView>,
}

/// A standard trait.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TraitView {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Its value; null when not known.
    pub value: Value,
    /// Unit of the value.
    pub unit: Cow<'static, str>,
    /// What it means.
    pub meaning: String,
}

/// Scores with intervals.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScoresView {
    /// Name of the purchase model for expected orders.
    pub model: Cow<'static, str>,
    /// Name of the purchase model for churn risk.
    pub churn_model: Cow<'static, str>,
    /// Name of the purchase model for CLV.
    pub clv_model: Cow<'static, str>,
    /// `now` of the fit.
    pub fitted_as_of: Option<String>,
    /// Probability that the customer has not left for good.
    pub probability_alive: f64,
    /// Expected orders within `churn_horizon_days`.
    pub expected_orders: Option<f64>,
    /// Predictive interval of these orders.
    pub expected_orders_interval: Option<OrdersInterval>,
    /// Probability of no order within `churn_horizon_days`.
    pub churn_risk: Option<f64>,
    /// Churn risk in five levels.
    pub churn_level: Option<u8>,
    /// When the next level is reached if nothing happens.
    pub next_level_at: Option<String>,
    /// Horizon of churn risk and expected orders, in days.
    pub churn_horizon_days: u32,
    /// Expected net revenue of the next order.
    pub expected_order_value_minor: Option<i64>,
    /// Expected net revenue within `clv_horizon_days`.
    pub clv_minor: Option<i64>,
    /// Predictive interval of that revenue.
    pub clv_interval_minor: Option<(i64, i64)>,
    /// Horizon of CLV, in days.
    pub clv_horizon_days: u32,
    /// Probability that an interval is meant to hold.
    pub interval_share: f64,
}

/// An order, credit or refund as it stands in the history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OrderView {
    /// What the source calls it; empty when it does not.
    pub order_id: String,
    /// When it was placed.
    pub occurred_at: String,
    /// What it is.
    pub kind: RecordKind,
    /// Where it stands.
    pub status: OrderStatus,
    /// True when it counts at `as_of`.
    pub counts: bool,
    /// Net revenue after refunds; of a credit or refund, what went back.
    pub net_minor: i64,
    /// Refunded of it.
    pub refunded_minor: i64,
    /// Of a credit or refund, what was taken off no order.
    pub unapplied_minor: i64,
    /// Its lines.
    pub lines: Vec<LineView>,
}

/// A line of an order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LineView {
    /// Product, by the source's id of it.
    pub product_id: String,
    /// Its name, if known.
    pub name: Option<String>,
    /// Pieces.
    pub quantity: f64,
    /// Net revenue before refunds.
    pub net_minor: i64,
}

/// A segment that the customer is in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SegmentView {
    /// Its name in rules and commands.
    pub segment: String,
    /// Its name for a person.
    pub title: String,
    /// The rule as a sentence.
    pub because: String,
    /// When they leave if nothing happens.
    pub leaves_at: Option<String>,
}

/// Looks a customer up by customer id or e-mail.
///
/// # Errors
/// When there is none.
pub fn find(store: &Store, base: &Base, name: &str) -> Result<usize, PipelineError> {
    let not_found = |hint: &str| PipelineError::NotFound {
        what: "customer",
        name: name.to_owned(),
        hint: hint.to_owned(),
    };
    let customer = store.vault()?.find(name).ok_or_else(|| {
        not_found(": use the customer id of your files, or the e-mail of a guest")
    })?;
    if let Some(position) = base.position(customer) {
        return Ok(position);
    }
    let table = SymbolTable::new(base.context.symbols.clone());
    let history = store.history();
    let orders = history.timeline(customer, &table)?.into_iter();
    let declared = history.declared(customer)?.into_iter();
    let mut known_at = orders
        .map(|row| row.record.occurred_at)
        .chain(declared.map(|row| row.occurred_at));
    Err(if known_at.any(|at| at > base.now) {
        not_found(&format!(" at {}: first known later", base.now))
    } else {
        not_found(
            ": the id is known, but no order and no detail is theirs: what named them belongs to another customer now",
        )
    })
}

/// Everything about the customer at a position of the base.
///
/// # Errors
/// When the store cannot be read.
pub fn view(store: &Store, base: &Base, index: usize) -> Result<CustomerView, PipelineError> {
    let folded = &base.customers[index];
    let customer = base.customer(folded);
    let id = folded.profile.customer;
    let (orders, unmatched_credit_minor) = orders(store, base, id)?;
    let symbols = &base.context.symbols;
    let declared = folded.profile.all_declared().map(|(name, value)| {
        (
            symbols.text(name).to_owned(),
            declared_json(value.value(|s| symbols.text(s))),
        )
    });
    Ok(CustomerView {
        customer_id: store
            .vault()?
            .external_id(id)
            .unwrap_or_default()
            .to_owned(),
        as_of: base.now.to_string(),
        currency: base.context.currency.code().to_owned(),
        currency_exponent: base.context.currency.exponent(),
        lifecycle: customer.lifecycle(base.now).to_string(),
        traits: Trait::all()
            .iter()
            .map(|def| TraitView {
                name: def.name.into(),
                value: trait_json(customer.value(def.id, base.now)),
                unit: unit_name(def.kind).into(),
                meaning: def.id.meaning(&base.context.settings).into_owned(),
            })
            .collect(),
        declared: declared.collect(),
        account: of_account(&folded.profile, &base.context),
        scores: scores(base, &customer)?,
        orders,
        unmatched_credit_minor,
        segments: segments(base, index),
    })
}

/// Traits of the account of a customer, by name.
pub(crate) fn of_account(profile: &Profile, context: &Context) -> BTreeMap<String, Value> {
    let account = context.accounts.get(profile.account);
    account.map_or_else(BTreeMap::new, |account| traits_of(account, context))
}

/// Traits of an account, by name.
pub(crate) fn traits_of(account: &Account, context: &Context) -> BTreeMap<String, Value> {
    let symbols = &context.symbols;
    let traits = account.all().map(|(name, value)| {
        let value = declared_json(value.value(|symbol| symbols.text(symbol)));
        (symbols.text(name).to_owned(), value)
    });
    traits.collect()
}

/// Unit of a kind of value, in JSON and tables.
pub fn unit_name(kind: TraitKind) -> &'static str {
    match kind {
        TraitKind::Count => "count",
        TraitKind::Number(unit) => unit,
        TraitKind::Money => "minor units",
        TraitKind::Share => "share",
        TraitKind::Days => "days",
        TraitKind::Text | TraitKind::Choice(_) => "text",
        TraitKind::Instant => "instant",
        TraitKind::Flag => "flag",
    }
}

/// Why a customer is in a segment or not.
#[derive(Debug, Clone, Serialize)]
pub struct ExplainedView {
    /// What the source calls them.
    pub customer_id: Option<String>,
    /// The moment of all that follows.
    pub as_of: String,
    /// `now` of the fit behind the scores.
    pub fitted_as_of: Option<String>,
    /// Currency of all amounts.
    pub currency: Currency,
    /// Whether the data that is there answers it.
    pub availability: Availability,
    /// What is missing for that, for a person.
    pub hints: Vec<String>,
    /// What last made them enter or leave it; null when nothing was recorded.
    pub last_change: Option<LastChange>,
    /// Each condition with its value, and when it changes next.
    pub explanation: Explanation,
}

/// Why the customer at a position is in a segment or not, and when that changes.
///
/// # Errors
/// When there is no segment of that name, or the vault cannot be read.
pub fn explain(
    store: &Store,
    base: &Base,
    index: usize,
    segment: &str,
) -> Result<ExplainedView, PipelineError> {
    base.catalogue.get(segment)?;
    let number = segment_number(base, segment);
    let folded = &base.customers[index];
    let customer = base.customer(folded);
    let tellings = Tellings::arrived_by(store, base.now, 1)?;
    let told = told_of(store, base, folded.profile.customer, &tellings)?;
    let by_time = by_time(told.iter());
    let latest = retell::latest_events(&by_time, &base.program);
    let (program, states) = (&base.program, base.states(index));
    let mut explanation = program.explain(number, states, &customer, base.now);
    program.name_events(number, &mut explanation, &latest);
    let availability = base.availability().swap_remove(number);
    let customer_id = store.vault()?.external_id(folded.profile.customer);
    let ids = ids_of(store, folded.profile.customer)?;
    let name = base.program.segment_name(number);
    let who = (folded.profile.customer, &ids);
    let last_change = LastChange::read(store, who, name, base.now)?;
    Ok(ExplainedView {
        customer_id: customer_id.map(str::to_owned),
        as_of: base.now.to_string(),
        fitted_as_of: base.fitted.as_ref().map(|fitted| fitted.as_of.to_string()),
        currency: base.context.currency,
        hints: base.hints(number, &availability),
        availability,
        last_change,
        explanation,
    })
}

fn segment_number(base: &Base, segment: &str) -> usize {
    let segments = base.catalogue.segments();
    segments
        .iter()
        .position(|known| known.name.as_str() == segment)
        .expect("the caller has looked the segment up")
}

fn scores(base: &Base, customer: &Customer<'_>) -> Result<Option<ScoresView>, PipelineError> {
    let (Some(models), Some(scores)) = (base.models(), customer.scores(base.now)) else {
        return Ok(None);
    };
    let Some(history) = customer.history(models, base.now) else {
        return Ok(None);
    };
    let settings = &base.context.settings;
    let units = |days: u32| f64::from(days) / models.unit.days();
    let minor_per_major = base.context.currency.minor_per_major() as f64;
    let minor = |value: f64| value.round_ties_even() as i64;
    let forecast = match &models.spend {
        Some(spend) if models.uses.value => {
            let mean = history.mean_spend_minor().unwrap_or(0.0) / minor_per_major;
            let buyer = Buyer {
                history: history.summary(),
                spend: SpendSummary { x: history.x, mean },
            };
            let options = RevenueOptions {
                horizon: units(settings.clv.horizon_days),
                discount_rate: models.discount_rate(settings.clv.discount_rate),
                margin: settings.clv.margin,
                share: INTERVAL_SHARE,
                parallelism: Parallelism::ONE,
            };
            forecast_revenue(&models.value, spend, &[buyer], &options)?
                .into_iter()
                .next()
        }
        _ => None,
    };
    let next_level = scores
        .churn_level
        .filter(|&level| level < 5)
        .and_then(|level| customer.churn_level_reached_at(u32::from(level) + 1, base.now));
    let horizon = units(settings.churn.horizon_days);
    let interval = || {
        models
            .orders
            .orders_interval(history.summary(), horizon, INTERVAL_SHARE)
    };
    Ok(Some(ScoresView {
        model: models.orders.kind().name().into(),
        churn_model: models.churn.kind().name().into(),
        clv_model: models.value.kind().name().into(),
        fitted_as_of: base.fitted.as_ref().map(|fitted| fitted.as_of.to_string()),
        probability_alive: scores.probability_alive,
        expected_orders: scores.expected_orders,
        expected_orders_interval: scores.expected_orders.map(|_| interval()),
        churn_risk: scores.churn_risk,
        churn_level: scores.churn_level,
        next_level_at: next_level.map(|at| at.to_string()),
        churn_horizon_days: settings.churn.horizon_days,
        expected_order_value_minor: scores.expected_order_value_minor.map(minor),
        clv_minor: scores.clv_minor.map(minor),
        clv_interval_minor: forecast.map(|f| {
            (
                minor(f.low * minor_per_major),
                minor(f.high * minor_per_major),
            )
        }),
        clv_horizon_days: settings.clv.horizon_days,
        interval_share: INTERVAL_SHARE,
    }))
}

/// Orders, credits and refunds of the customer, of files and of events, the latest first, newest
/// versions only; and the money of credits and refunds that was taken off none.
fn orders(
    store: &Store,
    base: &Base,
    id: CustomerId,
) -> Result<(Vec<OrderView>, i64), PipelineError> {
    let table = SymbolTable::new(base.context.symbols.clone());
    let history = store.history();
    // What the log tells is in the profiles, but not kept beside them.
    let tellings = Tellings::arrived_by(store, base.now, 1)?;
    let of = tellings.of(id);
    let mut list = OrderList::default();
    let own = RowPlaces::own(id, false);
    let owner = |identity, under| tellings.owner(identity, under);
    let places = of.map_or(own, |of| of.places(id));
    list.add_rows(places.orders(&history, &table, &owner)?);
    let told = told_of(store, base, id, &tellings)?;
    let told: Vec<&Told> = by_time(told.iter());
    list.add_told(id, &told, base.orders(), &table)?;
    let products: BTreeMap<String, Option<String>> = store
        .products()?
        .into_iter()
        .map(|row| (row.product, row.name))
        .collect();
    let listed = table.with(|symbols| {
        let names = Names {
            products: &products,
            symbols,
        };
        list.at(base.now, &base.products, names)
    });
    let views = listed.orders.into_iter().map(|(_, view)| view).collect();
    Ok((views, listed.unmatched_credit_minor))
}

/// What events tell of a customer, of the history and of the log.
fn told_of(
    store: &Store,
    base: &Base,
    id: CustomerId,
    tellings: &Tellings,
) -> Result<Vec<Told>, PipelineError> {
    let mut all: Vec<Told> = Vec::new();
    if !tellings.is_empty() {
        let is_parted = tellings.of(id).is_some_and(|of| of.is_parted);
        let owner = |identity, under| tellings.owner(identity, under);
        let rows = RowPlaces::own(id, is_parted).events(&store.history(), &owner)?;
        let rows = rows.into_iter();
        let arrived = rows.filter(|row| row.event.received_at <= base.now);
        all.extend(arrived.map(Told::from));
    }
    let of = tellings.of(id).into_iter();
    let told = of.flat_map(|of| of.moved.iter().chain(&of.told));
    all.extend(told.cloned());
    Ok(all)
}

fn segments(base: &Base, index: usize) -> Vec<SegmentView> {
    let customer = base.customer(&base.customers[index]);
    let mut scratch = base.program.new_scratch();
    let mut members = base.program.no_memberships();
    let states = base.states(index);
    base.program
        .evaluate(states, &customer, base.now, &mut scratch, &mut members);
    let availability = base.availability();
    members
        .iter()
        .filter(|&segment| !matches!(availability[segment], Availability::Unknown { .. }))
        .map(|number| {
            let segment = &base.catalogue.segments()[number];
            let leaves_at =
                base.program
                    .next_flip(number, states, &customer, base.now, &mut scratch);
            SegmentView {
                segment: segment.name.to_string(),
                title: segment.title.clone(),
                because: segment.in_words(),
                leaves_at: leaves_at.map(|at| at.to_string()),
            }
        })
        .collect()
}
