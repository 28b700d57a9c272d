//! The standard traits of a customer: names, kinds, units and what data they need.
//!
//! One table: the rule language, the explanations, the exports and the documentation read it.

mod meaning;

use serde::{Deserialize, Serialize};

use crate::{List, Timestamp, Window};

/// Data that a workspace may or may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataNeed {
    /// At least one order.
    Orders,
    /// Discounts on orders.
    Discounts,
    /// Costs of goods.
    Costs,
    /// Categories of products.
    Categories,
    /// Brands of products.
    Brands,
    /// A channel on orders or customers.
    Channels,
    /// A country on orders or customers.
    Countries,
    /// Products on lines of orders.
    Products,
    /// Somebody's consent to marketing, or refusal of it.
    Consent,
    /// A declared trait that a rule names.
    DeclaredTraits,
    /// At least one customer who belongs to an account.
    Accounts,
    /// A trait of accounts that a rule names.
    AccountTraits,
    /// At least two years between the first order and `now`.
    TwoYears,
    /// At least one event: something that a customer did on a site or in an app.
    Events,
    /// A fitted purchase model (`regulars score`).
    PurchaseFit,
    /// A fitted purchase model that is used for expected orders: no naive forecast was better.
    OrdersFit,
    /// A fitted purchase model that is used for churn risk: no naive forecast was better.
    ChurnFit,
    /// Fitted purchase and spend models that are used for CLV: no naive forecast was better.
    ValueFit,
}

impl DataNeed {
    /// What is missing, for a person, and what to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Orders => "no orders yet: import an order export",
            Self::Discounts => "no discounts in the data: import orders with a discount column",
            Self::Costs => "no costs in the data: import products with a cost column",
            Self::Categories => "no categories in the data: import products with a category column",
            Self::Brands => "no brands in the data: import products with a brand column",
            Self::Channels => "no channels in the data: import orders or customers with a channel",
            Self::Countries => {
                "no countries in the data: import orders or customers with a country"
            }
            Self::Products => "no products in the data: import orders with a product column",
            Self::Consent => "no consent in the data: import customers with a consent column",
            Self::DeclaredTraits => {
                "nobody has a declared trait of that name: import customers with such a column"
            }
            Self::Accounts => {
                "nobody belongs to an account: send `group` calls to the tracking API"
            }
            Self::AccountTraits => {
                "no account has a trait of that name: send it with `group` to the tracking API"
            }
            Self::TwoYears => "less than two years of orders: import older orders",
            Self::Events => "no events yet: send them to the tracking API",
            Self::PurchaseFit => "no fitted purchase model: run `regulars score`",
            Self::OrdersFit => "no model in use for expected orders: run `regulars score`",
            Self::ChurnFit => "no model in use for churn risk: run `regulars score`",
            Self::ValueFit => "no models in use for CLV: run `regulars score`",
        }
    }
}

/// Kind and unit of a trait's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraitKind {
    /// A whole number.
    Count,
    /// A real number, with its unit.
    Number(&'static str),
    /// An amount in the workspace's currency; literals in rules are major units.
    Money,
    /// A share or probability from 0 to 1.
    Share,
    /// Whole 24-hour days, rounded down.
    Days,
    /// A text.
    Text,
    /// One of a fixed set of texts.
    Choice(&'static [&'static str]),
    /// An instant.
    Instant,
    /// True or false.
    Flag,
}

/// Value of a trait at some `now`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TraitValue<'a> {
    /// Not known of this customer.
    Missing,
    /// Of [`TraitKind::Count`] and [`TraitKind::Days`].
    Integer(i64),
    /// Of [`TraitKind::Number`] and [`TraitKind::Share`].
    Number(f64),
    /// Of [`TraitKind::Money`], minor units of the workspace's currency.
    Money(i64),
    /// Of [`TraitKind::Text`] and [`TraitKind::Choice`].
    Text(&'a str),
    /// Of [`TraitKind::Instant`].
    Instant(Timestamp),
    /// Of [`TraitKind::Flag`].
    Flag(bool),
    /// Of no standard trait; of declared ones and of properties of events.
    List(List<'a>),
}

/// How a trait's value moves while nothing happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// It stays.
    Still,
    /// It is the number of whole 24-hour days since this instant.
    DaysSince(Timestamp),
    /// It may jump at certain instants; the customer knows the next one.
    Steps,
    /// It never falls while nothing happens; crossing times are found by search.
    Rises,
    /// It never rises while nothing happens; crossing times are found by search.
    Falls,
    /// As [`Motion::Rises`], at the starts of calendar days only.
    RisesDaily,
    /// As [`Motion::Falls`], at the starts of calendar days only.
    FallsDaily,
}

/// What is known of a trait before any customer is seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TraitDef {
    /// The trait.
    pub id: Trait,
    /// Its name in rules, exports and JSON.
    pub name: &'static str,
    /// Kind and unit of its value.
    pub kind: TraitKind,
    /// Data without which nobody has it.
    pub needs: &'static [DataNeed],
    /// What it means, for a person, whatever the settings; [`Trait::meaning`] puts their values in.
    pub doc: &'static str,
}

/// Names of the lifecycle stages, in the order of precedence.
pub(crate) const STAGES: &[&str] = &[
    "prospect",
    "dormant",
    "at_risk",
    "reactivated",
    "new",
    "potential_loyalist",
    "loyal",
];

/// Kinds of devices.
pub const DEVICES: &[&str] = &["mobile", "tablet", "desktop", "tv", "console", "bot"];

const TIERS: &[&str] = &["high", "medium", "low"];
const RFM_GROUPS: &[&str] = &[
    "champions",
    "loyal_customers",
    "potential_loyalists",
    "new_customers",
    "promising",
    "need_attention",
    "about_to_sleep",
    "at_risk_customers",
    "cannot_lose_them",
    "hibernating",
    "lost",
];

macro_rules! trait_table {
    ($($id:ident $name:literal $kind:expr, [$($need:ident),*], $doc:literal;)*) => {
        /// A standard trait of a customer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Trait {
            $(#[doc = $doc] $id,)*
        }

        /// All standard traits, in the order in which they are shown.
        const TABLE: &[TraitDef] = &[
            $(TraitDef {
                id: Trait::$id,
                name: $name,
                kind: $kind,
                needs: &[$(DataNeed::$need),*],
                doc: $doc,
            },)*
        ];
    };
}

trait_table! {
    Orders "orders" TraitKind::Count, [],
        "Orders that count: not cancelled, not refunded in full.";
    Items "items" TraitKind::Number("pieces"), [],
        "Pieces in these orders.";
    Revenue "revenue" TraitKind::Money, [],
        "Net revenue: after discounts, without tax and shipping, less refunds.";
    Refunds "refunds" TraitKind::Money, [],
        "Refunded money, of orders refunded in full too.";
    Margin "margin" TraitKind::Money, [Costs],
        "Net revenue less the cost of the goods; known when all costs are.";
    AverageOrderValue "average_order_value" TraitKind::Money, [],
        "Net revenue per order, rounded half to even.";
    FirstOrder "first_order" TraitKind::Instant, [],
        "Time of the first order.";
    LastOrder "last_order" TraitKind::Instant, [],
        "Time of the last order.";
    DaysSinceFirstOrder "days_since_first_order" TraitKind::Days, [],
        "Whole days since the first order.";
    DaysSinceLastOrder "days_since_last_order" TraitKind::Days, [],
        "Whole days since the last order: recency.";
    PurchaseInterval "purchase_interval" TraitKind::Number("days"), [],
        "Mean days between orders; known from the second order on.";
    GapBeforeLastOrder "gap_before_last_order" TraitKind::Number("days"), [],
        "Days between the last order and the one before it.";
    UsualRange "usual_range" TraitKind::Number("days"), [Orders],
        "Own usual range: most gaps of this customer should be shorter. From the fitted purchase model; before a fit, of the gaps of all customers.";
    BeyondUsualRange "beyond_usual_range" TraitKind::Flag, [Orders],
        "Silent for longer than the own usual range.";
    OrdersLast30Days "orders_last_30_days" TraitKind::Count, [],
        "Orders of the last 30 days.";
    OrdersLast90Days "orders_last_90_days" TraitKind::Count, [],
        "Orders of the last 90 days.";
    OrdersLast365Days "orders_last_365_days" TraitKind::Count, [],
        "Orders of the last 365 days.";
    RevenueLast30Days "revenue_last_30_days" TraitKind::Money, [],
        "Net revenue of the orders of the last 30 days.";
    RevenueLast90Days "revenue_last_90_days" TraitKind::Money, [],
        "Net revenue of the orders of the last 90 days.";
    RevenueLast365Days "revenue_last_365_days" TraitKind::Money, [],
        "Net revenue of the orders of the last 365 days.";
    DiscountShare "discount_share" TraitKind::Share, [Discounts],
        "Share of the orders that had a discount; known when that is known of two orders, or of all.";
    DiscountDepth "discount_depth" TraitKind::Share, [Discounts],
        "Discounts as a share of what the orders would have cost without them.";
    TopCategory "top_category" TraitKind::Text, [Categories],
        "Category with the most net revenue; between equals the first by name.";
    TopCategoryShare "top_category_share" TraitKind::Share, [Categories],
        "Share of net revenue that is in the top category.";
    Categories "categories" TraitKind::Count, [Categories],
        "Number of categories bought from.";
    TopBrand "top_brand" TraitKind::Text, [Brands],
        "Brand with the most net revenue; between equals the first by name.";
    TopBrandShare "top_brand_share" TraitKind::Share, [Brands],
        "Share of net revenue that is of the top brand.";
    Brands "brands" TraitKind::Count, [Brands],
        "Number of brands bought.";
    FirstChannel "first_channel" TraitKind::Text, [Channels],
        "Channel of the first order that has one, else the declared channel.";
    Country "country" TraitKind::Text, [Countries],
        "Declared country, else that of the last order that has one.";
    Consent "consent" TraitKind::Flag, [Consent],
        "Declared consent to marketing.";
    Account "account" TraitKind::Text, [Accounts],
        "Id of the account that the customer belongs to: that of the latest `group` call.";
    AccountCustomers "account_customers" TraitKind::Count, [Accounts],
        "Customers of the account; visitors whom nobody knows are none.";
    AccountOrders "account_orders" TraitKind::Count, [Accounts],
        "Orders that count of all customers of the account.";
    AccountRevenue "account_revenue" TraitKind::Money, [Accounts],
        "Net revenue of all customers of the account.";
    AccountLastOrder "account_last_order" TraitKind::Instant, [Accounts],
        "Time of the last order of any customer of the account.";
    AccountLastActivity "account_last_activity" TraitKind::Instant, [Accounts],
        "Time of the last event of a visit, or order, of any customer of the account.";
    AccountActiveCustomers "account_active_customers" TraitKind::Count, [Accounts],
        "Customers of the account with a visit or an order in the last 30 days.";
    SeasonShare "season_share" TraitKind::Share, [TwoYears],
        "Largest share of the orders that lies in the same three neighbouring months of the year.";
    Seasonal "seasonal" TraitKind::Flag, [TwoYears],
        "Most orders in the same three neighbouring months of the year, in two or more years.";
    YearRound "year_round" TraitKind::Flag, [TwoYears],
        "Orders in most quarters of each of two years.";
    RecencyScore "recency_score" TraitKind::Count, [Orders],
        "RFM recency, 1 to 5, 5 is best (most recent).";
    FrequencyScore "frequency_score" TraitKind::Count, [Orders],
        "RFM frequency, 1 to 5, 5 is best (most orders).";
    MonetaryScore "monetary_score" TraitKind::Count, [Orders],
        "RFM monetary, 1 to 5, 5 is best (most net revenue).";
    RfmCell "rfm_cell" TraitKind::Text, [Orders],
        "The three RFM scores in a row, such as 543.";
    RfmGroup "rfm_group" TraitKind::Choice(RFM_GROUPS), [Orders],
        "Named RFM group of the cell.";
    ValueTier "value_tier" TraitKind::Choice(TIERS), [Orders],
        "By recent net revenue over those with more than 0: high, medium or low; ties go up.";
    AboveMedianOrderValue "above_median_order_value" TraitKind::Flag, [Orders],
        "Average order value at or above the median of all customers with orders.";
    ProbabilityAlive "probability_alive" TraitKind::Share, [PurchaseFit],
        "Probability that the customer has not left for good, by the purchase model.";
    ExpectedOrders "expected_orders" TraitKind::Number("orders"), [OrdersFit],
        "Expected orders within the churn horizon.";
    ChurnRisk "churn_risk" TraitKind::Share, [ChurnFit],
        "Probability of no order at all within the churn horizon.";
    ChurnLevel "churn_level" TraitKind::Count, [ChurnFit],
        "Churn risk in five levels: 1 very low to 5 critical.";
    ExpectedOrderValue "expected_order_value" TraitKind::Money, [ValueFit],
        "Expected net revenue of the customer's next order, by the spend model.";
    Clv "clv" TraitKind::Money, [ValueFit],
        "Customer lifetime value: expected net revenue within its horizon.";
    Lifecycle "lifecycle" TraitKind::Choice(STAGES), [],
        "Stage of life: the first that matches of prospect, dormant, at risk, reactivated, new, potential loyalist, loyal.";
    Sessions "sessions" TraitKind::Count, [Events],
        "Sessions: runs of pages, screens and other events of visits with little silence between them.";
    FirstSession "first_session" TraitKind::Instant, [Events],
        "When the first session began.";
    LastSession "last_session" TraitKind::Instant, [Events],
        "When the last session began.";
    DaysSinceLastSession "days_since_last_session" TraitKind::Days, [Events],
        "Whole days since the last event of the last session.";
    LastSessionMinutes "last_session_minutes" TraitKind::Number("minutes"), [Events],
        "Minutes from the first to the last event of the last session.";
    LastSessionEvents "last_session_events" TraitKind::Count, [Events],
        "Events of the last session.";
    AverageSessionMinutes "average_session_minutes" TraitKind::Number("minutes"), [Events],
        "Mean minutes from the first to the last event of a session.";
    BounceShare "bounce_share" TraitKind::Share, [Events],
        "Share of the sessions that had one event only.";
    FirstSource "first_source" TraitKind::Text, [Events],
        "Source of the campaign of the first visit that says how it began.";
    FirstMedium "first_medium" TraitKind::Text, [Events],
        "Medium of that campaign.";
    FirstCampaign "first_campaign" TraitKind::Text, [Events],
        "Name of that campaign.";
    FirstReferrer "first_referrer" TraitKind::Text, [Events],
        "Host of the site that led to that visit.";
    FirstLandingPage "first_landing_page" TraitKind::Text, [Events],
        "Path of the page on which that visit began.";
    LastSource "last_source" TraitKind::Text, [Events],
        "Source of the campaign of the latest event to which a campaign or another site led.";
    LastMedium "last_medium" TraitKind::Text, [Events],
        "Medium of that latest campaign.";
    LastCampaign "last_campaign" TraitKind::Text, [Events],
        "Name of that latest campaign.";
    LastReferrer "last_referrer" TraitKind::Text, [Events],
        "Host of the site that led to that latest event.";
    Device "device" TraitKind::Choice(DEVICES), [Events],
        "Kind of device of the latest event that says what it was done with.";
    OperatingSystem "operating_system" TraitKind::Text, [Events],
        "Operating system of that event.";
    Browser "browser" TraitKind::Text, [Events],
        "Browser of that event.";
    AppVersion "app_version" TraitKind::Text, [Events],
        "Version of the app of that event.";
    Locale "locale" TraitKind::Text, [Events],
        "Language and region, of the latest event that tells where it was done.";
    VisitCountry "visit_country" TraitKind::Text, [Events],
        "Country of that event.";
    TimeZone "time_zone" TraitKind::Text, [Events],
        "Time zone of that event.";
}

impl Trait {
    /// All standard traits, in the order in which they are shown.
    pub fn all() -> &'static [TraitDef] {
        TABLE
    }

    /// Name, kind, needs and meaning.
    pub fn def(self) -> &'static TraitDef {
        &TABLE[self as usize]
    }

    /// The trait of that name.
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|def| def.name == name).map(|def| def.id)
    }

    /// True when a declared trait may stand in for it.
    pub fn may_be_declared(self) -> bool {
        matches!(self, Self::FirstChannel | Self::Country | Self::Consent)
    }

    /// True when it is the same for every customer of an account.
    pub fn is_of_account(self) -> bool {
        matches!(
            self,
            Self::Account
                | Self::AccountCustomers
                | Self::AccountOrders
                | Self::AccountRevenue
                | Self::AccountLastOrder
                | Self::AccountLastActivity
                | Self::AccountActiveCustomers
        )
    }

    /// True when it comes of events of visits, and of nothing else.
    pub fn is_of_visits(self) -> bool {
        // They stand together in the table.
        (Self::Sessions..=Self::TimeZone).contains(&self)
    }

    /// What a windowed trait counts: `Some` for those that are shorthand for an aggregate over
    /// the orders of a rolling window.
    pub fn window(self) -> Option<Window> {
        match self {
            Self::OrdersLast30Days | Self::RevenueLast30Days => Some(Window::rolling_days(30)),
            Self::OrdersLast90Days | Self::RevenueLast90Days => Some(Window::rolling_days(90)),
            Self::OrdersLast365Days | Self::RevenueLast365Days => Some(Window::rolling_days(365)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum_and_names_are_unique() {
        for (position, def) in Trait::all().iter().enumerate() {
            assert_eq!(def.id as usize, position, "{}", def.name);
            assert_eq!(Trait::named(def.name), Some(def.id));
        }
    }
}
