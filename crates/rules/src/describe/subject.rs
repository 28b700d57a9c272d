//! How a standard trait is spoken of.

use regulars_core::Trait;

/// A flag as what the customer does, and as what they do not do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flag {
    pub(super) yes: &'static str,
    pub(super) no: &'static str,
}

pub(super) fn flag_of(which: Trait) -> Option<Flag> {
    let (yes, no) = match which {
        Trait::Consent => ("agreed to marketing", "did not agree to marketing"),
        Trait::AboveMedianOrderValue => (
            "with an average order value at or above the median",
            "with an average order value below the median",
        ),
        Trait::BeyondUsualRange => (
            "silent for longer than usual for them",
            "not silent for longer than usual for them",
        ),
        Trait::Seasonal => (
            "ordering mostly in one season of the year",
            "not ordering mostly in one season of the year",
        ),
        Trait::YearRound => ("ordering all year round", "not ordering all year round"),
        _ => return None,
    };
    Some(Flag { yes, no })
}

/// The trait as the subject of a sentence.
pub(super) fn subject_of(which: Trait) -> String {
    match which {
        Trait::Refunds => "the refunded money".to_owned(),
        Trait::PurchaseInterval => "the mean time between orders".to_owned(),
        Trait::GapBeforeLastOrder => "the gap before the last order".to_owned(),
        Trait::Categories => "the number of categories bought from".to_owned(),
        Trait::Brands => "the number of brands bought".to_owned(),
        Trait::ProbabilityAlive => "the probability of not having left for good".to_owned(),
        Trait::ExpectedOrders => "the number of expected orders".to_owned(),
        Trait::RfmCell => "the RFM cell".to_owned(),
        Trait::RfmGroup => "the RFM group".to_owned(),
        Trait::RecencyScore | Trait::FrequencyScore | Trait::MonetaryScore => {
            format!("the RFM {}", super::spaced(which.def().name))
        }
        Trait::Sessions => "the number of sessions".to_owned(),
        Trait::LastSessionMinutes => "the length of the last session in minutes".to_owned(),
        Trait::LastSessionEvents => "the number of events of the last session".to_owned(),
        Trait::AverageSessionMinutes => "the mean length of a session in minutes".to_owned(),
        Trait::BounceShare => "the share of sessions with one event only".to_owned(),
        Trait::Clv => "the CLV".to_owned(),
        Trait::AccountCustomers => "the number of customers of the account".to_owned(),
        Trait::AccountOrders => "the number of orders of the account".to_owned(),
        Trait::AccountRevenue => "the revenue of the account".to_owned(),
        Trait::AccountLastOrder => "the last order of the account".to_owned(),
        Trait::AccountLastActivity => "the last activity of the account".to_owned(),
        Trait::AccountActiveCustomers => "the number of active customers of the account".to_owned(),
        _ => format!("the {}", super::spaced(which.def().name)),
    }
}
