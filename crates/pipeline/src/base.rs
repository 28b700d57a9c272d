//! The customer base at one moment: everyone folded, with what they are seen against.
//!
//! ```text
//! history ──fold (ledger, profile), partition by partition──► customers, states of conditions
//!         customers ─► population (cut points, medians, which data there is)
//!         records ───► fitted models ─► scores of everyone
//! ```
//!
//! Conditions on texts of orders are compiled when all texts are known, which is after the fold. Those
//! that compare whole texts (`category = 'Shoes'`) come to the same before; if a segment asks for parts
//! of texts (`category contains 'shoe'`), the history is folded once more for the states.

mod ahead;
mod contested;
mod customers;
mod declared;
mod fold;
mod making;
mod missing;

use regulars_core::{CustomerId, Timestamp, TraitValue};
use regulars_profile::{Context, Customer, Models, Oddities, Products, Profile, Scores, score_all};
use regulars_rules::{Keep, LeafStates, Memberships, Program};
use regulars_stats::Parallelism;
use regulars_store::Store;
use serde::Serialize;
use serde_json::Value;

use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::error::PipelineError;
use crate::fitted::FittedModels;
use crate::last_day::last_day;
use crate::live::contested::Contested;
use crate::live::orders::Orders;
pub(crate) use fold::{FoldedEvents, Noted, Noting};

pub use customers::Customers;
pub(crate) use declared::Declaring;
pub(crate) use making::load_products;

/// One customer of the base.
#[derive(Debug, Clone)]
pub struct Folded {
    /// The facts.
    pub profile: Profile,
    /// Scores at the base's `now`: apart, for most looks at everyone have none.
    scores: Option<Box<Scores>>,
    /// What events tell, of those of whom they tell anything.
    told: Option<Box<FoldedEvents>>,
}

impl Folded {
    /// One of whom nothing but the facts is known.
    pub(crate) fn new(profile: Profile) -> Self {
        Self {
            profile,
            scores: None,
            told: None,
        }
    }

    /// Scores at the base's `now`.
    pub fn scores(&self) -> Option<&Scores> {
        self.scores.as_deref()
    }
}

/// Whole numbers below it are exact as floats.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Everyone at one moment.
#[derive(Debug)]
pub struct Base {
    /// The moment.
    pub now: Timestamp,
    /// Everyone, by canonical id: an order that means nothing to a user.
    pub customers: Customers,
    /// What they are seen against.
    pub context: Context,
    /// The products table.
    pub products: Products,
    /// The segments, with one for each channel.
    pub catalogue: Catalogue,
    /// The segments, compiled; numbered as in the catalogue.
    pub program: Program,
    /// What conditions on orders know, one for each customer; empty when no segment has any.
    states: Vec<LeafStates>,
    no_states: LeafStates,
    /// The fit behind the models, once there is one.
    pub fitted: Option<FittedModels>,
    /// What was odd in the records.
    pub oddities: Oddities,
    /// Records after `now`, which were not looked at.
    pub later_records: u64,
    /// Orders of events whose amounts are missing because their currency has no rate, or is none.
    pub orders_without_rate: u64,
    /// What was noted on the way.
    noted: Noted,
    /// What orders of events are made with; knows those that several customers claim.
    orders: Orders,
}

/// Whether a customer is in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// In it.
    In,
    /// Not in it.
    Out,
}

/// What a base is folded with.
#[derive(Debug, Clone, Copy)]
pub struct FoldOptions {
    /// The moment.
    pub now: Timestamp,
    /// The earliest moment at which anybody is looked at: orders that have left a window by then are
    /// not remembered.
    pub looked_at_from: Timestamp,
    /// Threads to use; never affects the result.
    pub threads: usize,
    /// Whether scores are computed.
    pub scoring: Scoring,
    /// How much of the orders conditions keep.
    pub keep: Keep,
}

impl FoldOptions {
    /// For a look at everyone: scored with the fit that was in use then.
    pub fn at(now: Timestamp, threads: usize) -> Self {
        Self {
            now,
            looked_at_from: now,
            threads,
            scoring: Scoring::FitThen,
            keep: Keep::Needed,
        }
    }
}

/// Whether scores are computed for everyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scoring {
    /// With the fit that was in use at that moment, if there was one.
    FitThen,
    /// With the latest fit, whenever it was made.
    LatestFit,
    /// Not: the fold is the ground for a new fit.
    None,
}

/// What fills the time between the last order and the end of its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AsOfReason {
    /// It was asked for.
    Given,
    /// It is the end of the last day in the data.
    LastDay,
    /// It is the end of the last day in the data that was not in the future when it was imported.
    LastPastDay,
    /// It is the end of the day of the last import: nothing in the data tells a day.
    LastImport,
    /// It is the arrival of the latest event.
    LatestEvent,
}

/// The `now` of a batch command: what was asked for, else the arrival of the latest event, else
/// the end of the last day in the data that is not later than the day of the last import.
///
/// # Errors
/// When there is no data.
pub fn as_of(
    store: &Store,
    config: &Config,
    given: Option<Timestamp>,
) -> Result<(Timestamp, AsOfReason), PipelineError> {
    if let Some(given) = given {
        return Ok((given, AsOfReason::Given));
    }
    let latest_event = store.latest_arrival()?;
    let Some((end, reason)) = last_day(store, &config.zone())? else {
        let latest = latest_event.ok_or(PipelineError::NoOrders)?;
        return Ok((latest, AsOfReason::LatestEvent));
    };
    match latest_event {
        Some(latest) if latest > end => Ok((latest, AsOfReason::LatestEvent)),
        Some(_) | None => Ok((end, reason)),
    }
}

impl Base {
    /// The orders that several customers claim.
    pub(crate) fn take_contested(&mut self) -> Contested {
        std::mem::take(&mut self.orders.contested)
    }

    /// What orders of events are made with.
    pub(crate) fn orders(&self) -> &Orders {
        &self.orders
    }

    /// What was noted besides what customers fold to.
    pub(crate) fn take_noted(&mut self) -> Noted {
        std::mem::take(&mut self.noted)
    }

    /// Everyone with what conditions remember of them and what events tell, to be moved elsewhere.
    pub(crate) fn take_everyone(
        &mut self,
    ) -> impl Iterator<Item = (Profile, LeafStates, Option<Box<FoldedEvents>>)> + use<> {
        let customers = std::mem::take(&mut self.customers);
        let mut states = std::mem::take(&mut self.states).into_iter();
        let empty = self.no_states.clone();
        customers.into_everyone().map(move |folded| {
            let states = states.next().unwrap_or_else(|| empty.clone());
            (folded.profile, states, folded.told)
        })
    }

    /// How many orders that count were placed before an instant.
    pub(crate) fn orders_before(&self, at: Timestamp) -> u64 {
        let before = |folded: &Folded| {
            let orders = &folded.profile.orders;
            orders.partition_point(|order| order.occurred_at < at) as u64
        };
        self.customers.iter().map(before).sum()
    }

    /// Takes models into use and scores everyone with them.
    pub fn score_with(&mut self, fitted: FittedModels, threads: usize) {
        self.context.models = fitted.models();
        self.context.population.data.extend(fitted.gives());
        self.fitted = Some(fitted);
        let profiles: Vec<&Profile> = self.customers.iter().map(|c| &c.profile).collect();
        let threads = Parallelism::threads(threads);
        let scores = score_all(&profiles, &self.context, self.now, threads);
        for (folded, scores) in self.customers.iter_mut().zip(scores) {
            folded.scores = scores.map(Box::new);
        }
    }

    /// A customer in the base's context.
    pub fn customer<'a>(&'a self, folded: &'a Folded) -> Customer<'a> {
        Customer {
            profile: &folded.profile,
            context: &self.context,
            scored: folded.scores().map(|scores| (self.now, scores)),
            carts: folded.told.as_ref().map_or(&[], |told| told.carts.open()),
            purchases: None,
        }
    }

    /// Position of the customer of that id.
    pub fn position(&self, customer: CustomerId) -> Option<usize> {
        self.customers.position(customer)
    }

    /// Evaluates every segment for everyone on `threads` threads: each thread folds its customers
    /// into one `start()`; the results come in the order of customers.
    pub fn evaluate<T: Send>(
        &self,
        threads: usize,
        start: impl Fn() -> T + Sync,
        each: impl Fn(&mut T, usize, &Folded, &Memberships) + Sync,
    ) -> Vec<T> {
        self.customers.in_runs(threads, |first, customers| {
            let mut sum = start();
            let mut scratch = self.program.new_scratch();
            let mut members = self.program.no_memberships();
            for (index, folded) in (first..).zip(customers) {
                let customer = self.customer(folded);
                let states = self.states(index);
                let program = &self.program;
                program.evaluate(states, &customer, self.now, &mut scratch, &mut members);
                each(&mut sum, index, folded, &members);
            }
            sum
        })
    }

    /// As [`Self::evaluate`], of one segment alone.
    pub fn evaluate_one<T: Send>(
        &self,
        segment: usize,
        threads: usize,
        start: impl Fn() -> T + Sync,
        each: impl Fn(&mut T, usize, &Folded, Membership) + Sync,
    ) -> Vec<T> {
        self.customers.in_runs(threads, |first, customers| {
            let mut sum = start();
            let mut scratch = self.program.new_scratch();
            for (index, folded) in (first..).zip(customers) {
                let customer = self.customer(folded);
                let states = self.states(index);
                let program = &self.program;
                let inside =
                    program.evaluate_one(segment, states, &customer, self.now, &mut scratch);
                let membership = if inside {
                    Membership::In
                } else {
                    Membership::Out
                };
                each(&mut sum, index, folded, membership);
            }
            sum
        })
    }

    /// Positions of the members of a segment, in no order that means anything.
    pub fn members(&self, segment: usize, threads: usize) -> Vec<usize> {
        self.evaluate_one(
            segment,
            threads,
            Vec::new,
            |members, index, _, membership| {
                if membership == Membership::In {
                    members.push(index);
                }
            },
        )
        .concat()
    }

    /// What conditions on orders know of the customer at that position.
    pub fn states(&self, index: usize) -> &LeafStates {
        self.states.get(index).unwrap_or(&self.no_states)
    }

    /// The fitted models in use.
    pub fn models(&self) -> Option<&Models> {
        self.context.models.as_ref()
    }
}

/// A declared value as JSON: as [`trait_json`], whole numbers without a point.
pub(crate) fn declared_json(value: TraitValue<'_>) -> Value {
    match value {
        TraitValue::Number(number) if number.fract() == 0.0 && number.abs() < EXACT => {
            (number as i64).into()
        }
        value => trait_json(value),
    }
}

/// A trait value as JSON: money as minor units, instants as RFC 3339.
pub fn trait_json(value: TraitValue<'_>) -> Value {
    match value {
        TraitValue::Missing => Value::Null,
        TraitValue::Integer(number) | TraitValue::Money(number) => number.into(),
        TraitValue::Number(number) => number.into(),
        TraitValue::Text(text) => text.into(),
        TraitValue::Instant(at) => at.to_string().into(),
        TraitValue::Flag(flag) => flag.into(),
        TraitValue::List(list) => list.elements().collect(),
    }
}
