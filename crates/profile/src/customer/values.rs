//! The value of each standard trait, and how it moves while nothing happens.

use regulars_core::{Cart, DAY_MS, DataNeed, Motion, Symbol, Timestamp, Trait, TraitValue};
use regulars_rules::Subject;

use super::Customer;
use crate::accounts::{Account, Figures};
use crate::profile::Shares;
use crate::{lifecycle, rhythm};

/// Milliseconds of a minute.
const MINUTE_MS: f64 = 60_000.0;

impl<'a> Customer<'a> {
    fn declared_named(&self, name: &str) -> TraitValue<'a> {
        let symbols = &self.context.symbols;
        symbols
            .find(name)
            .and_then(|name| self.profile.declared(name))
            .map_or(TraitValue::Missing, |declared| {
                declared.value(|s| symbols.text(s))
            })
    }

    fn account_named(&self, name: &str) -> TraitValue<'a> {
        let symbols = &self.context.symbols;
        let account = self.context.accounts.get(self.profile.account);
        account
            .zip(symbols.find(name))
            .and_then(|(account, name)| account.get(name))
            .map_or(TraitValue::Missing, |value| {
                value.value(|s| symbols.text(s))
            })
    }

    fn text(&self, symbol: Symbol) -> TraitValue<'a> {
        or_missing(symbol.known(), |symbol| {
            TraitValue::Text(self.context.symbols.text(symbol))
        })
    }

    /// True when enough is known of discounts to speak of a share: of `price.min_orders` orders,
    /// or of all.
    fn knows_discounts(&self) -> bool {
        let known = self.profile.discounts.known_orders as usize;
        let enough = self.context.settings.price.min_orders as usize;
        known > 0 && (known >= enough || known == self.profile.orders.len())
    }

    fn top(&self, shares: &Shares) -> Option<(&'a str, f64)> {
        let symbols = &self.context.symbols;
        let (symbol, net_minor) = shares.top(|s| symbols.text(s))?;
        let all: i128 = shares.iter().map(|(_, net)| i128::from(net.max(0))).sum();
        Some((
            symbols.text(symbol),
            if all > 0 {
                net_minor as f64 / all as f64
            } else {
                0.0
            },
        ))
    }

    /// Traits that are the same whatever `now` is.
    fn fact(&self, which: Trait) -> TraitValue<'a> {
        let profile = self.profile;
        let ordered = !profile.orders.is_empty();
        let has = |need| self.context.population.has(need);
        let days = |ms: i64| TraitValue::Number(ms as f64 / DAY_MS as f64);
        let discounts = &profile.discounts;
        match which {
            Trait::Orders => TraitValue::Integer(profile.orders.len() as i64),
            Trait::Items => TraitValue::Number(profile.quantity),
            Trait::Revenue => TraitValue::Money(profile.revenue_minor),
            Trait::Refunds => TraitValue::Money(profile.refunds_minor),
            Trait::Margin => or_missing(
                profile
                    .cost_minor
                    .filter(|_| ordered && has(DataNeed::Costs)),
                |cost| TraitValue::Money(profile.revenue_minor - cost),
            ),
            Trait::AverageOrderValue => {
                or_missing(self.average_order_value_minor(), TraitValue::Money)
            }
            Trait::FirstOrder => or_missing(profile.first_order_at(), TraitValue::Instant),
            Trait::LastOrder => or_missing(profile.last_order_at(), TraitValue::Instant),
            Trait::PurchaseInterval => {
                let gaps = profile.orders.len().saturating_sub(1) as i64;
                let span = profile.last_order_at().zip(profile.first_order_at());
                let mean = span
                    .filter(|_| gaps > 0)
                    .map(|(last, first)| (last.0 - first.0) / gaps);
                or_missing(mean, days)
            }
            Trait::GapBeforeLastOrder => or_missing(profile.last_gap_ms(), days),
            Trait::DiscountShare => or_missing(self.knows_discounts().then_some(()), |()| {
                let share =
                    f64::from(discounts.discounted_orders) / f64::from(discounts.known_orders);
                TraitValue::Number(share)
            }),
            Trait::DiscountDepth => {
                let list = discounts.net_minor + discounts.discount_minor;
                or_missing((self.knows_discounts() && list > 0).then_some(()), |()| {
                    TraitValue::Number(discounts.discount_minor as f64 / list as f64)
                })
            }
            Trait::TopCategory
            | Trait::TopCategoryShare
            | Trait::Categories
            | Trait::TopBrand
            | Trait::TopBrandShare
            | Trait::Brands => self.taste(which),
            Trait::FirstChannel => self.text(self.first_channel()),
            Trait::Country => self.text(self.country()),
            Trait::Consent => match self.declared_named("consent") {
                TraitValue::Flag(consent) => TraitValue::Flag(consent),
                _ => TraitValue::Missing,
            },
            Trait::Account
            | Trait::AccountCustomers
            | Trait::AccountOrders
            | Trait::AccountRevenue
            | Trait::AccountLastOrder
            | Trait::AccountLastActivity => self.of_account(which),
            Trait::RecencyScore => score(self.rfm().map(|rfm| rfm.recency)),
            Trait::FrequencyScore => score(self.rfm().map(|rfm| rfm.frequency)),
            Trait::MonetaryScore => score(self.rfm().map(|rfm| rfm.monetary)),
            Trait::RfmCell => or_missing(self.rfm(), |rfm| TraitValue::Text(rfm.cell())),
            Trait::RfmGroup => or_missing(self.rfm(), |rfm| TraitValue::Text(rfm.group())),
            Trait::AboveMedianOrderValue => {
                let median = self.context.population.median_order_value_minor;
                or_missing(
                    self.average_order_value_minor().zip(median),
                    |(own, median)| TraitValue::Flag(own >= median),
                )
            }
            _ => self.visited(which),
        }
    }

    /// Traits of visits.
    fn visited(&self, which: Trait) -> TraitValue<'a> {
        let Some(visits) = &self.profile.visits else {
            let has_events = self.context.population.has(DataNeed::Events);
            return match which {
                Trait::Sessions if has_events => TraitValue::Integer(0),
                _ => TraitValue::Missing,
            };
        };
        let sessions = visits.sessions();
        let (count, last) = (sessions.count(), sessions.last());
        let minutes = |ms: f64| TraitValue::Number(ms / MINUTE_MS);
        let technology = visits.technology();
        match which {
            Trait::Sessions => TraitValue::Integer(count as i64),
            Trait::FirstSession => or_missing(sessions.first_start(), TraitValue::Instant),
            Trait::LastSession => or_missing(last, |last| TraitValue::Instant(last.start)),
            Trait::LastSessionMinutes => {
                or_missing(last, |last| minutes((last.end.0 - last.start.0) as f64))
            }
            Trait::LastSessionEvents => {
                or_missing(last, |last| TraitValue::Integer(last.events.into()))
            }
            Trait::AverageSessionMinutes => minutes(sessions.total_ms() as f64 / count as f64),
            Trait::BounceShare => TraitValue::Number(sessions.bounces() as f64 / count as f64),
            Trait::FirstSource => self.text(visits.first_arrival().source),
            Trait::FirstMedium => self.text(visits.first_arrival().medium),
            Trait::FirstCampaign => self.text(visits.first_arrival().campaign),
            Trait::FirstReferrer => self.text(visits.first_arrival().referrer),
            Trait::FirstLandingPage => self.text(visits.first_arrival().page),
            Trait::LastSource => self.text(visits.last_arrival().source),
            Trait::LastMedium => self.text(visits.last_arrival().medium),
            Trait::LastCampaign => self.text(visits.last_arrival().campaign),
            Trait::LastReferrer => self.text(visits.last_arrival().referrer),
            Trait::Device => self.text(technology.device),
            Trait::OperatingSystem => self.text(technology.os),
            Trait::Browser => self.text(technology.browser),
            Trait::AppVersion => self.text(technology.app_version),
            Trait::Locale => self.text(visits.place().locale),
            Trait::VisitCountry => self.text(visits.place().country),
            Trait::TimeZone => self.text(visits.place().time_zone),
            _ => TraitValue::Missing,
        }
    }

    /// Standard traits of the account, which are the same for all its customers.
    fn of_account(&self, which: Trait) -> TraitValue<'a> {
        let Some(figures) = self.account_figures() else {
            return TraitValue::Missing;
        };
        let count = |count: u64| TraitValue::Integer(i64::try_from(count).unwrap_or(i64::MAX));
        match which {
            Trait::AccountCustomers => count(figures.customers),
            Trait::AccountOrders => count(figures.orders),
            Trait::AccountRevenue => TraitValue::Money(figures.revenue_minor()),
            Trait::AccountLastOrder => or_missing(figures.last_order_at(), TraitValue::Instant),
            Trait::AccountLastActivity => or_missing(figures.active_at(), TraitValue::Instant),
            _ => self.text(self.profile.account),
        }
    }

    /// What all customers of the account come to.
    pub(crate) fn account_figures(&self) -> Option<&'a Figures> {
        let account = self.context.accounts.get(self.profile.account);
        account.map(Account::figures)
    }

    fn last_visited_at(&self) -> Option<Timestamp> {
        let last = self.profile.visits.as_ref()?.sessions().last()?;
        Some(last.end)
    }

    /// Traits of categories and brands.
    fn taste(&self, which: Trait) -> TraitValue<'a> {
        let profile = self.profile;
        let has = |need| self.context.population.has(need);
        let top = |need, shares| has(need).then(|| self.top(shares)).flatten();
        match which {
            Trait::TopCategory => or_missing(
                top(DataNeed::Categories, &profile.categories),
                |(name, _)| TraitValue::Text(name),
            ),
            Trait::TopCategoryShare => or_missing(
                top(DataNeed::Categories, &profile.categories),
                |(_, share)| TraitValue::Number(share),
            ),
            Trait::TopBrand => or_missing(top(DataNeed::Brands, &profile.brands), |(name, _)| {
                TraitValue::Text(name)
            }),
            Trait::TopBrandShare => {
                or_missing(top(DataNeed::Brands, &profile.brands), |(_, share)| {
                    TraitValue::Number(share)
                })
            }
            Trait::Categories => or_missing(has(DataNeed::Categories).then_some(()), |()| {
                TraitValue::Integer(profile.categories.len() as i64)
            }),
            Trait::Brands => or_missing(has(DataNeed::Brands).then_some(()), |()| {
                TraitValue::Integer(profile.brands.len() as i64)
            }),
            _ => TraitValue::Missing,
        }
    }

    /// Traits that move with `now`; `None` for the others.
    fn moving(&self, which: Trait, now: Timestamp) -> Option<TraitValue<'a>> {
        let whole_days = |since: Option<Timestamp>| {
            or_missing(since, |since| {
                TraitValue::Integer(now.whole_days_since(since))
            })
        };
        let money = |minor: f64| TraitValue::Money(minor.round_ties_even() as i64);
        let scores = || self.scores(now);
        Some(match which {
            Trait::DaysSinceFirstOrder => whole_days(self.profile.first_order_at()),
            Trait::DaysSinceLastOrder => whole_days(self.profile.last_order_at()),
            Trait::DaysSinceLastSession => whole_days(self.last_visited_at()),
            Trait::UsualRange => or_missing(self.usual_range_days(now), TraitValue::Number),
            Trait::BeyondUsualRange => or_missing(self.beyond_usual_range_at(now), |at| {
                TraitValue::Flag(now >= at)
            }),
            Trait::OrdersLast30Days | Trait::OrdersLast90Days | Trait::OrdersLast365Days => {
                let start = which.window()?.start(now, &self.context.zone);
                TraitValue::Integer(self.profile.orders_within(start, now).len() as i64)
            }
            Trait::RevenueLast30Days => TraitValue::Money(self.revenue_within_minor(30, now)),
            Trait::RevenueLast90Days => TraitValue::Money(self.revenue_within_minor(90, now)),
            Trait::RevenueLast365Days => TraitValue::Money(self.revenue_within_minor(365, now)),
            Trait::SeasonShare => or_missing(rhythm::season_share(self, now), TraitValue::Number),
            Trait::Seasonal => or_missing(rhythm::is_seasonal(self, now), TraitValue::Flag),
            Trait::YearRound => or_missing(rhythm::is_year_round(self, now), TraitValue::Flag),
            Trait::AccountActiveCustomers => or_missing(self.account_figures(), |figures| {
                let customers = figures.active_customers(now);
                TraitValue::Integer(i64::try_from(customers).unwrap_or(i64::MAX))
            }),
            Trait::ValueTier => or_missing(self.value_tier(now), TraitValue::Text),
            Trait::ProbabilityAlive => or_missing(self.probability_alive(now), TraitValue::Number),
            Trait::ExpectedOrders => or_missing(self.expected_orders(now), TraitValue::Number),
            Trait::ChurnRisk => or_missing(self.churn_risk(now), TraitValue::Number),
            Trait::ChurnLevel => score(self.churn_level(now)),
            Trait::ExpectedOrderValue => {
                or_missing(scores().and_then(|s| s.expected_order_value_minor), money)
            }
            Trait::Clv => or_missing(scores().and_then(|s| s.clv_minor), money),
            Trait::Lifecycle => TraitValue::Text(lifecycle::stage(self, now)),
            _ => return None,
        })
    }

    /// Value of a standard trait at `now`, living as long as the base that it is of.
    pub fn value_in(&self, which: Trait, now: Timestamp) -> TraitValue<'a> {
        self.moving(which, now).unwrap_or_else(|| self.fact(which))
    }
}

impl Subject for Customer<'_> {
    fn value(&self, which: Trait, now: Timestamp) -> TraitValue<'_> {
        self.value_in(which, now)
    }

    fn declared(&self, name: &str) -> TraitValue<'_> {
        self.declared_named(name)
    }

    fn account(&self, name: &str) -> TraitValue<'_> {
        self.account_named(name)
    }

    fn carts(&self) -> &[Cart] {
        self.carts
    }

    fn motion(&self, which: Trait) -> Motion {
        let since = |at: Option<Timestamp>| at.map_or(Motion::Still, Motion::DaysSince);
        match which {
            Trait::DaysSinceFirstOrder => since(self.profile.first_order_at()),
            Trait::DaysSinceLastOrder => since(self.profile.last_order_at()),
            Trait::DaysSinceLastSession => since(self.last_visited_at()),
            Trait::OrdersLast30Days
            | Trait::OrdersLast90Days
            | Trait::OrdersLast365Days
            | Trait::RevenueLast30Days
            | Trait::RevenueLast90Days
            | Trait::RevenueLast365Days
            | Trait::AccountActiveCustomers
            | Trait::ValueTier
            | Trait::BeyondUsualRange
            | Trait::SeasonShare
            | Trait::Seasonal
            | Trait::YearRound
            | Trait::Lifecycle => Motion::Steps,
            // Ages are differences of calendar days, so these move at midnight.
            Trait::ChurnRisk | Trait::ChurnLevel => Motion::RisesDaily,
            Trait::ProbabilityAlive | Trait::ExpectedOrders | Trait::Clv => Motion::FallsDaily,
            _ => Motion::Still,
        }
    }

    fn next_step_after(&self, which: Trait, now: Timestamp) -> Option<Timestamp> {
        crate::steps::next_after(self, which, now)
    }
}

fn score<'a>(score: Option<u8>) -> TraitValue<'a> {
    or_missing(score, |score| TraitValue::Integer(i64::from(score)))
}

fn or_missing<'a, T>(value: Option<T>, known: impl FnOnce(T) -> TraitValue<'a>) -> TraitValue<'a> {
    value.map_or(TraitValue::Missing, known)
}
