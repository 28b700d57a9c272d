//! A customer as rules, explanations and exports see them: a profile in its context.
//!
//! Every standard trait is computed here and nowhere else.

mod values;

use regulars_core::{Cart, Symbol, Timestamp, Window, divide_half_even};

use crate::context::{Context, Models, days_to_ms};
use crate::lifecycle;
use crate::profile::{Declared, Profile, PurchaseHistory, Purchases};
use crate::rfm::RfmScores;
use crate::scores::Scores;

/// A profile in its context.
#[derive(Debug, Clone, Copy)]
pub struct Customer<'a> {
    /// The facts.
    pub profile: &'a Profile,
    /// What they are seen against.
    pub context: &'a Context,
    /// Scores that were computed for this instant, so that asking again is cheap.
    pub scored: Option<(Timestamp, &'a Scores)>,
    /// Open carts.
    pub carts: &'a [Cart],
    /// The orders as purchases, where they are kept up to date.
    pub purchases: Option<&'a Purchases>,
}

impl<'a> Customer<'a> {
    /// A customer whose scores are computed when they are asked for.
    pub fn new(profile: &'a Profile, context: &'a Context) -> Self {
        Self {
            profile,
            context,
            scored: None,
            carts: &[],
            purchases: None,
        }
    }

    /// The scores at `now`; `None` before a fit or without an order.
    pub fn scores(&self, now: Timestamp) -> Option<Scores> {
        match self.scored {
            Some((at, scores)) if at == now => Some(*scores),
            _ => Scores::of(self, now),
        }
    }

    /// What the models see of this customer at `now`.
    pub fn history(&self, models: &Models, now: Timestamp) -> Option<PurchaseHistory> {
        let today = self.context.date_of(now);
        if let Some(purchases) = self.purchases.filter(|known| known.are_all_by(now)) {
            return Some(purchases.seen_on(today, models.unit));
        }
        let orders = self.profile.orders_within(Timestamp::MIN, now);
        PurchaseHistory::of(
            orders,
            &self.context.zone,
            (models.unit, models.grain),
            today,
        )
    }

    /// Mean net revenue of an order in minor units, rounded half to even.
    pub fn average_order_value_minor(&self) -> Option<i64> {
        let orders = self.profile.orders.len() as i64;
        (orders > 0).then(|| divide_half_even(self.profile.revenue_minor.into(), orders.into()))
    }

    /// Days within which nine in ten of this customer's gaps should lie; `None` without an order.
    pub fn usual_range_days(&self, now: Timestamp) -> Option<f64> {
        let last = self.profile.last_order_at()?;
        let Some(models) = &self.context.models else {
            return self.context.population.usual_gap_days;
        };
        // The range is that of the moment of the last order: silence does not move it.
        match self.scored {
            Some((at, scores)) if at >= last => Some(scores.usual_range_days),
            _ => {
                let quantile = self.context.settings.lifecycle.usual_range_quantile;
                let history = self.history(models, last.min(now))?;
                Some(models.usual_range_days(history, quantile))
            }
        }
    }

    /// The instant from which on the silence is longer than the own usual range.
    pub fn beyond_usual_range_at(&self, now: Timestamp) -> Option<Timestamp> {
        let last = self.profile.last_order_at()?;
        Some(last.plus_ms(days_to_ms(self.usual_range_days(now)?)))
    }

    /// Channel of the first order that has one, else the declared one; [`Symbol::NONE`] when
    /// neither is known.
    pub fn first_channel(&self) -> Symbol {
        match self.profile.first_channel {
            Symbol::NONE => self.declared_text("channel"),
            channel => channel,
        }
    }

    /// The declared country, else that of the last order that has one; [`Symbol::NONE`] when
    /// neither is known.
    pub fn country(&self) -> Symbol {
        match self.declared_text("country") {
            Symbol::NONE => self.profile.last_country,
            country => country,
        }
    }

    /// A declared trait that is a text; [`Symbol::NONE`] for any other.
    fn declared_text(&self, name: &str) -> Symbol {
        let name = self.context.symbols.find(name);
        match name.and_then(|name| self.profile.declared(name)) {
            Some(Declared::Text(text)) => text,
            Some(
                Declared::Number(_) | Declared::Flag(_) | Declared::Instant(_) | Declared::List(_),
            )
            | None => Symbol::NONE,
        }
    }

    /// Net revenue of the last `days` times 24 hours, in minor units.
    pub fn revenue_within_minor(&self, days: u32, now: Timestamp) -> i64 {
        let start = Window::rolling_days(days).start(now, &self.context.zone);
        self.profile
            .orders_within(start, now)
            .iter()
            .map(|order| order.net_minor)
            .fold(0, i64::saturating_add)
    }

    /// The three RFM scores; `None` without an order or before cut points.
    pub fn rfm(&self) -> Option<RfmScores> {
        let cutpoints = self.context.population.rfm.as_ref()?;
        let last = self.context.date_of(self.profile.last_order_at()?);
        Some(RfmScores {
            recency: cutpoints.recency.score(i64::from(last.0)),
            frequency: cutpoints.frequency.score(self.profile.orders.len() as i64),
            monetary: cutpoints.monetary.score(self.profile.revenue_minor),
        })
    }

    /// The stage of life at `now`, by the name of its segment.
    pub fn lifecycle(&self, now: Timestamp) -> &'static str {
        lifecycle::stage(self, now)
    }

    /// Name of the value tier; `None` without net revenue in the window.
    pub fn value_tier(&self, now: Timestamp) -> Option<&'static str> {
        let tiers = self.context.population.tiers?;
        match self.revenue_within_minor(self.context.settings.value.window_days, now) {
            ..=0 => None,
            revenue if revenue >= tiers.high_minor => Some("high"),
            revenue if revenue >= tiers.medium_minor => Some("medium"),
            _ => Some("low"),
        }
    }
}
