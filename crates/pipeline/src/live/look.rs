//! One customer of the live path as a whole, and what happened to them.

use std::collections::BTreeMap;

use regulars_core::{Currency, CustomerId, LineRecord, Timestamp, Trait};
use regulars_rules::Subject;
use serde::Serialize;
use serde_json::Value;

use super::engine::Engine;
use super::person::Person;
use crate::base::{declared_json, trait_json};
use crate::customer_view::{
    Names, OrderList, OrderView, SegmentView, TraitView, of_account, unit_name,
};
use crate::error::PipelineError;

/// What is known of a customer. Money is in minor units of `currency`.
#[derive(Debug, Clone, Serialize)]
pub struct LiveCustomer {
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
    /// Orders, the latest first.
    pub orders: Vec<OrderView>,
    /// Segments that they are in.
    pub segments: Vec<SegmentView>,
}

/// Where something stands in a timeline: things are sorted by time, then by this number.
pub type Place = (Timestamp, u64);

/// Something that happened to a customer, without personal data.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Happening {
    /// A tracking call.
    Event {
        /// The call.
        kind: &'static str,
        /// What was tracked, or the page or screen; of `group` the account.
        name: String,
        /// When it happened.
        occurred_at: String,
        /// When it arrived.
        received_at: String,
        /// Properties, or traits of the person or account.
        properties: Value,
    },
    /// An order, credit or refund of an imported file; those told by events are events.
    Order {
        /// The order.
        #[serde(flatten)]
        order: OrderView,
    },
}

impl Engine {
    /// Everything about a customer at `at` or, if that is later, at the time of the latest record;
    /// `None` for nobody.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn customer(
        &self,
        customer: CustomerId,
        at: Timestamp,
    ) -> Result<Option<LiveCustomer>, PipelineError> {
        let now = self.now.max(at);
        let Some(person) = self.somebody(customer) else {
            return Ok(None);
        };
        let symbols = &self.context.symbols;
        let subject = person.subject(&self.context);
        let profile = &person.member.profile;
        let declared = profile.all_declared().map(|(name, value)| {
            let value = declared_json(value.value(|s| symbols.text(s)));
            (symbols.text(name).to_owned(), value)
        });
        let traits = Trait::all().iter().map(|def| TraitView {
            name: def.name.into(),
            value: trait_json(subject.value(def.id, now)),
            unit: unit_name(def.kind).into(),
            meaning: def.id.meaning(&self.context.settings).into_owned(),
        });
        Ok(Some(LiveCustomer {
            as_of: now.to_string(),
            currency: self.context.currency.code().to_owned(),
            currency_exponent: self.context.currency.exponent(),
            lifecycle: subject.lifecycle(now).to_string(),
            traits: traits.collect(),
            declared: declared.collect(),
            account: of_account(profile, &self.context),
            orders: self
                .orders_of(person, now)?
                .into_iter()
                .map(|(_, o)| o)
                .collect(),
            segments: self.segments_with_reasons(person, now),
        }))
    }

    /// What happened to a customer, the latest first, at most `most` things and only those before
    /// a place; `None` for nobody. Each with its place.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn timeline(
        &self,
        customer: CustomerId,
        before: Option<Place>,
        most: usize,
    ) -> Result<Option<Vec<(Place, Happening)>>, PipelineError> {
        let Some(person) = self.somebody(customer) else {
            return Ok(None);
        };
        let moved = person.moved(&self.history, self.whose())?;
        let all = moved.and(&person.told);
        let events = all.iter().map(|told| {
            let event = &told.event;
            let happening = Happening::Event {
                kind: event.kind.name(),
                name: event.name.to_string(),
                occurred_at: event.occurred_at.to_string(),
                received_at: event.received_at.to_string(),
                properties: serde_json::from_str(&event.properties).unwrap_or_default(),
            };
            ((event.occurred_at, told.offset), happening)
        });
        let mut timeline: Vec<(Place, Happening)> = events.collect();
        let told: std::collections::HashSet<u64> = all.iter().map(|told| told.offset).collect();
        for (head, order) in self.orders_of(person, self.now)? {
            if !told.contains(&head.import) {
                let place = (head.occurred_at, head.order.0);
                timeline.push((place, Happening::Order { order }));
            }
        }
        timeline.retain(|(place, _)| before.is_none_or(|before| *place < before));
        timeline.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
        timeline.truncate(most);
        Ok(Some(timeline))
    }

    /// The currency of all amounts.
    pub fn currency(&self) -> Currency {
        self.context.currency
    }

    /// Number of members of a segment.
    ///
    /// # Errors
    /// When there is no segment of that name.
    pub fn size(&self, segment: &str) -> Result<usize, PipelineError> {
        self.catalogue.get(segment)?;
        let number = self.number(segment);
        let inside = |person: &&Person| {
            number.is_some_and(|number| person.member.segments().contains(number))
        };
        let people = self.people.values().map(Box::as_ref);
        Ok(people.filter(inside).count())
    }

    fn segments_with_reasons(&self, person: &Person, now: Timestamp) -> Vec<SegmentView> {
        let subject = person.subject(&self.context);
        let states = &person.member.states;
        let mut scratch = self.program.new_scratch();
        let mut view = |number: usize| {
            let segment = &self.catalogue.segments()[number];
            let program = &self.program;
            let leaves_at = program.next_flip(number, states, &subject, now, &mut scratch);
            SegmentView {
                segment: segment.name.to_string(),
                title: segment.title.clone(),
                because: segment.in_words(),
                leaves_at: leaves_at.map(|at| at.to_string()),
            }
        };
        let segments = person.member.segments().iter();
        segments.map(&mut view).collect()
    }

    /// Orders, credits and refunds, the latest first, newest versions only; each with its first
    /// record.
    fn orders_of(
        &self,
        person: &Person,
        now: Timestamp,
    ) -> Result<Vec<(LineRecord, OrderView)>, PipelineError> {
        let mut list = OrderList::default();
        let whose = self.whose();
        list.add_rows(person.order_rows(&self.history, &self.table, whose)?);
        let moved = person.moved(&self.history, whose)?;
        let all = moved.and(&person.told);
        let customer = person.member.profile.customer;
        list.add_told(customer, &all, &self.orders, &self.table)?;
        // Names of products are not kept in memory.
        let products = BTreeMap::new();
        let listed = self.table.with(|symbols| {
            let names = Names {
                products: &products,
                symbols,
            };
            list.at(now, &self.products, names)
        });
        Ok(listed.orders)
    }
}
