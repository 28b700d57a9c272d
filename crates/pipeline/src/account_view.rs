//! Accounts as a whole: what was said of each, what its customers come to, who they are.

use std::collections::BTreeMap;

use regulars_core::{Symbol, Timestamp};
use regulars_profile::{Account, Context};
use regulars_store::Store;
use serde::Serialize;
use serde_json::Value;

use crate::base::Base;
use crate::customer_view::traits_of;
use crate::error::PipelineError;
use crate::members::by_external_id;

/// What the customers of an account come to. Money is in minor units.
#[derive(Debug, Clone, Serialize)]
pub struct AccountFigures {
    /// Its id.
    pub account: String,
    /// Customers; visitors whom nobody knows are none.
    pub customers: u64,
    /// Customers with an event or an order in the last 30 days.
    pub active_customers: u64,
    /// Orders that count of all customers.
    pub orders: u64,
    /// Net revenue of all customers.
    pub revenue_minor: i64,
    /// Time of the last order.
    pub last_order_at: Option<String>,
    /// Time of the last event or order.
    pub last_activity_at: Option<String>,
}

/// An account as a whole.
#[derive(Debug, Clone, Serialize)]
pub struct AccountView {
    /// The moment of all that follows.
    pub as_of: String,
    /// Currency of all amounts.
    pub currency: String,
    /// Digits after the point of that currency.
    pub currency_exponent: u32,
    /// What its customers come to.
    #[serde(flatten)]
    pub figures: AccountFigures,
    /// What `group` calls say of it.
    pub traits: BTreeMap<String, Value>,
}

impl AccountFigures {
    pub(crate) fn of(name: &str, account: &Account, now: Timestamp) -> Self {
        let figures = account.figures();
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
        Self {
            account: name.to_owned(),
            customers: figures.customers,
            active_customers: figures.active_customers(now),
            orders: figures.orders,
            revenue_minor: figures.revenue_minor(),
            last_order_at: text(figures.last_order_at()),
            last_activity_at: text(figures.active_at()),
        }
    }
}

impl AccountView {
    pub(crate) fn of(name: &str, account: &Account, context: &Context, now: Timestamp) -> Self {
        Self {
            as_of: now.to_string(),
            currency: context.currency.code().to_owned(),
            currency_exponent: context.currency.exponent(),
            figures: AccountFigures::of(name, account, now),
            traits: traits_of(account, context),
        }
    }
}

/// Every account that a `group` call named, by id.
pub fn accounts(base: &Base) -> Vec<AccountFigures> {
    let (known, symbols) = (&base.context.accounts, &base.context.symbols);
    let named = known.ids().map(|id| (symbols.text(id), id));
    let mut named: Vec<(&str, Symbol)> = named.collect();
    named.sort_unstable();
    let figures = named.into_iter().filter_map(|(name, id)| {
        let account = known.get(id)?;
        Some(AccountFigures::of(name, account, base.now))
    });
    figures.collect()
}

/// An account.
///
/// # Errors
/// When no `group` call named it.
pub fn account(base: &Base, name: &str) -> Result<AccountView, PipelineError> {
    let (_, account) = find(base, name)?;
    Ok(AccountView::of(name, account, &base.context, base.now))
}

/// Ids of the customers of an account, sorted.
///
/// # Errors
/// When no `group` call named it, or the vault cannot be read.
pub fn customers_of_account(
    store: &Store,
    base: &Base,
    name: &str,
) -> Result<Vec<String>, PipelineError> {
    let (id, _) = find(base, name)?;
    let everyone = base.customers.iter().enumerate();
    let inside = everyone.filter(|(_, folded)| folded.profile.account == id);
    let positions = inside.map(|(position, _)| position).collect();
    let named = by_external_id(store, base, positions)?;
    Ok(named.into_iter().map(|(id, _)| id).collect())
}

fn find<'b>(base: &'b Base, name: &str) -> Result<(Symbol, &'b Account), PipelineError> {
    let id = base.context.symbols.find(name);
    let known = id.and_then(|id| Some((id, base.context.accounts.get(id)?)));
    known.ok_or_else(|| PipelineError::NotFound {
        what: "account",
        name: name.to_owned(),
        hint: ": use the `groupId` of a `group` call".to_owned(),
    })
}
