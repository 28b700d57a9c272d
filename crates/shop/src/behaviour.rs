//! What each hidden type of customer does: one row of numbers for each.
//!
//! `docs/made-up-shop.md` tells the same in words; a test holds the two together by checking the
//! property that defines each type on its rows.

use crate::CustomerType;
use crate::calendar::Season;

/// When customers of a type come, and when they go for good.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stay {
    /// First order within the first `arrival_share` of the data (in season time, most of them
    /// early where `early` is above 1); leaves after a time with this mean.
    From {
        arrival_share: f64,
        early: f64,
        mean_days: f64,
    },
    /// First order within the last so many days.
    Lately { days: f64 },
    /// Leaves so many days before the end of the data, after so many days.
    Left {
        silent_days: [f64; 2],
        stayed_days: [f64; 2],
    },
    /// Leaves early, is silent for 75 to 300 days, and is back within the last so many days.
    Back { within_days: f64 },
    /// Never orders.
    Never,
}

/// What a type of customer does.
#[derive(Debug)]
pub(crate) struct Behaviour {
    /// Share of all customers.
    pub(crate) share: f64,
    pub(crate) stay: Stay,
    pub(crate) season: Season,
    /// Orders a year on average, while the customer stays, after the first.
    pub(crate) orders_a_year: f64,
    /// Shape of the gamma distribution of that rate over customers of the type.
    pub(crate) rate_shape: f64,
    /// Shape of the gamma distribution of the gaps: 1 is a Poisson process.
    pub(crate) gap_shape: f64,
    /// Probability of one more line, after each line of an order.
    pub(crate) another_line: f64,
    /// Most pieces of a line; 1 is the most frequent where it is below 5.
    pub(crate) pieces: u32,
    /// Mean probability that an order is discounted, and how alike customers are in it.
    pub(crate) discounted: f64,
    pub(crate) discounted_weight: f64,
    /// Probability that a line is chosen among the latest products.
    pub(crate) wants_latest: f64,
    /// Probability that another product gives way to one of the favourite brand.
    pub(crate) wants_brand: f64,
    /// By what the rates of return of the categories are multiplied.
    pub(crate) returns: f64,
    /// Share that orders as guests.
    pub(crate) guests: f64,
    /// Weights of categories, in the order of [`crate::product::CATEGORIES`].
    pub(crate) categories: [f64; 12],
    /// Weights of cheap, middling and dear products.
    pub(crate) price_bands: [f64; 3],
    /// Weights of first channels, in the order of [`crate::Channel::ALL`].
    pub(crate) first_channels: [f64; 8],
    /// Weights of the channels of later orders.
    pub(crate) later_channels: [f64; 8],
    /// Weights of devices, in the order of [`crate::Device::ALL`].
    pub(crate) devices: [f64; 4],
}

/// Most lines of an order.
pub(crate) const MAX_LINES: u32 = 12;

impl Behaviour {
    /// Mean number of lines of an order: a geometric distribution, cut at [`MAX_LINES`].
    pub(crate) fn mean_lines(&self) -> f64 {
        let mut chance = 1.0;
        let mut sum = 0.0;
        for _ in 0..MAX_LINES {
            sum += chance;
            chance *= self.another_line;
        }
        sum
    }
}

//                          dre  top  jea  kni  out  sho  bag  bas  pho  aud  com  wea
const FASHION: [f64; 12] = [2.0, 2.4, 1.6, 1.4, 1.0, 1.8, 1.0, 0.8, 0.0, 0.1, 0.0, 0.1];
const ELECTRONICS: [f64; 12] = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.2, 1.6, 1.0, 1.2];
const PRESENTS: [f64; 12] = [0.3, 0.5, 0.1, 1.6, 0.4, 0.3, 1.8, 0.3, 0.3, 1.8, 0.1, 1.2];
const BASICS: [f64; 12] = [0.1, 0.8, 0.2, 0.2, 0.0, 0.2, 0.0, 6.0, 0.0, 0.1, 0.0, 0.0];
const MIXED: [f64; 12] = [1.0, 1.4, 1.0, 0.9, 0.6, 1.2, 0.7, 1.0, 0.2, 0.8, 0.1, 0.5];

//                                  org  sea  soc  dis  aff  ema  ref  dir
const FOUND: [f64; 8] = [2.8, 1.6, 1.4, 0.3, 0.5, 0.2, 1.4, 1.2];
const ADVERTISED: [f64; 8] = [1.4, 2.6, 2.2, 1.0, 0.9, 0.3, 0.3, 0.5];
const BY_PRICE: [f64; 8] = [0.9, 1.6, 2.0, 0.7, 3.4, 0.4, 0.2, 0.3];
const RETURNS_LOYAL: [f64; 8] = [1.5, 0.7, 0.5, 0.1, 0.2, 3.0, 0.2, 3.8];
const RETURNS_MIXED: [f64; 8] = [2.2, 1.8, 1.2, 0.4, 0.6, 2.0, 0.3, 1.5];
const RETURNS_BY_PRICE: [f64; 8] = [1.0, 1.2, 1.5, 0.5, 2.8, 2.5, 0.1, 0.4];

//                                des  mob  tab  app
const MOSTLY_MOBILE: [f64; 4] = [2.0, 5.0, 0.6, 2.4];
const MOSTLY_DESKTOP: [f64; 4] = [6.0, 2.4, 1.2, 0.4];
const MOSTLY_APP: [f64; 4] = [1.2, 3.0, 0.4, 5.4];

const USUAL: Behaviour = Behaviour {
    share: 0.0,
    stay: Stay::Never,
    season: Season::Steady,
    orders_a_year: 0.0,
    rate_shape: 2.5,
    gap_shape: 1.0,
    another_line: 0.6,
    pieces: 2,
    discounted: 0.3,
    discounted_weight: 6.0,
    wants_latest: 0.1,
    wants_brand: 0.15,
    returns: 1.0,
    guests: 0.0,
    categories: MIXED,
    price_bands: [3.0, 4.0, 1.0],
    first_channels: FOUND,
    later_channels: RETURNS_MIXED,
    devices: MOSTLY_MOBILE,
};

const FASHION_REGULAR: Behaviour = Behaviour {
    share: 0.12,
    stay: Stay::From {
        arrival_share: 0.8,
        early: 1.3,
        mean_days: 2_800.0,
    },
    season: Season::Collections,
    orders_a_year: 7.5,
    discounted: 0.22,
    wants_brand: 0.35,
    returns: 1.2,
    categories: FASHION,
    later_channels: RETURNS_LOYAL,
    devices: MOSTLY_APP,
    ..USUAL
};

const GIFT_BUYER: Behaviour = Behaviour {
    share: 0.09,
    stay: Stay::From {
        arrival_share: 0.9,
        early: 2.0,
        mean_days: 8_000.0,
    },
    season: Season::Presents,
    orders_a_year: 2.4,
    rate_shape: 4.0,
    returns: 0.6,
    guests: 0.05,
    categories: PRESENTS,
    price_bands: [2.0, 5.0, 2.0],
    first_channels: ADVERTISED,
    devices: MOSTLY_DESKTOP,
    ..USUAL
};

const BARGAIN_HUNTER: Behaviour = Behaviour {
    share: 0.11,
    stay: Stay::From {
        arrival_share: 0.95,
        early: 1.1,
        mean_days: 1_700.0,
    },
    season: Season::Sales,
    orders_a_year: 4.5,
    rate_shape: 2.0,
    another_line: 0.5,
    discounted: 0.86,
    discounted_weight: 16.0,
    wants_latest: 0.0,
    wants_brand: 0.0,
    price_bands: [9.0, 1.0, 0.0],
    first_channels: BY_PRICE,
    later_channels: RETURNS_BY_PRICE,
    ..USUAL
};

const FULL_PRICE_ENTHUSIAST: Behaviour = Behaviour {
    share: 0.07,
    stay: Stay::From {
        arrival_share: 0.85,
        early: 1.2,
        mean_days: 2_800.0,
    },
    season: Season::Launches,
    orders_a_year: 6.0,
    discounted: 0.015,
    discounted_weight: 60.0,
    wants_latest: 0.6,
    wants_brand: 0.25,
    categories: [1.0, 1.0, 0.7, 0.7, 1.0, 1.6, 1.6, 0.1, 0.5, 1.0, 0.2, 1.0],
    price_bands: [0.5, 3.0, 6.0],
    later_channels: RETURNS_LOYAL,
    devices: MOSTLY_APP,
    ..USUAL
};

const ELECTRONICS_ONE_OFF: Behaviour = Behaviour {
    share: 0.13,
    stay: Stay::From {
        arrival_share: 1.0,
        early: 1.0,
        mean_days: 300.0,
    },
    season: Season::Launches,
    orders_a_year: 0.12,
    rate_shape: 1.0,
    another_line: 0.25,
    pieces: 1,
    discounted: 0.2,
    returns: 0.9,
    guests: 0.12,
    categories: ELECTRONICS,
    first_channels: ADVERTISED,
    devices: MOSTLY_DESKTOP,
    ..USUAL
};

const OCCASIONAL: Behaviour = Behaviour {
    share: 0.11,
    stay: Stay::From {
        arrival_share: 1.0,
        early: 1.0,
        mean_days: 900.0,
    },
    orders_a_year: 1.5,
    rate_shape: 1.2,
    guests: 0.06,
    first_channels: ADVERTISED,
    ..USUAL
};

const NEW_ARRIVAL: Behaviour = Behaviour {
    share: 0.07,
    stay: Stay::Lately { days: 85.0 },
    orders_a_year: 8.5,
    rate_shape: 1.5,
    first_channels: [1.6, 1.8, 3.0, 0.6, 0.8, 0.3, 0.8, 0.6],
    ..USUAL
};

const SLIPPING_REGULAR: Behaviour = Behaviour {
    share: 0.04,
    stay: Stay::Left {
        silent_days: [24.0, 46.0],
        stayed_days: [240.0, 480.0],
    },
    orders_a_year: 30.0,
    rate_shape: 8.0,
    gap_shape: 2.0,
    another_line: 0.5,
    price_bands: [4.0, 4.0, 0.5],
    later_channels: RETURNS_LOYAL,
    devices: MOSTLY_APP,
    ..USUAL
};

const LAPSED_REGULAR: Behaviour = Behaviour {
    share: 0.07,
    stay: Stay::Left {
        silent_days: [120.0, 700.0],
        stayed_days: [200.0, 600.0],
    },
    season: Season::Collections,
    orders_a_year: 9.0,
    rate_shape: 3.0,
    categories: FASHION,
    later_channels: RETURNS_LOYAL,
    ..USUAL
};

const REACTIVATED: Behaviour = Behaviour {
    share: 0.05,
    stay: Stay::Back { within_days: 45.0 },
    season: Season::Collections,
    orders_a_year: 8.0,
    rate_shape: 3.0,
    later_channels: RETURNS_MIXED,
    ..USUAL
};

const BASICS_SUBSCRIBER: Behaviour = Behaviour {
    share: 0.06,
    stay: Stay::From {
        arrival_share: 0.3,
        early: 1.2,
        mean_days: 6_000.0,
    },
    orders_a_year: 10.5,
    rate_shape: 14.0,
    gap_shape: 9.0,
    pieces: 3,
    discounted: 0.07,
    discounted_weight: 20.0,
    wants_latest: 0.0,
    wants_brand: 0.4,
    returns: 0.4,
    categories: BASICS,
    first_channels: [2.2, 1.2, 1.0, 0.2, 0.3, 1.6, 1.2, 1.0],
    later_channels: [0.4, 0.2, 0.1, 0.0, 0.0, 5.6, 0.1, 3.6],
    ..USUAL
};

const BULK_BUYER: Behaviour = Behaviour {
    share: 0.02,
    stay: Stay::From {
        arrival_share: 0.7,
        early: 1.2,
        mean_days: 3_000.0,
    },
    season: Season::Office,
    orders_a_year: 10.0,
    rate_shape: 4.0,
    gap_shape: 2.0,
    another_line: 0.72,
    pieces: 24,
    discounted: 0.15,
    wants_latest: 0.0,
    wants_brand: 0.3,
    returns: 0.3,
    categories: [0.0, 2.0, 0.2, 0.3, 0.6, 0.4, 0.4, 4.0, 0.5, 0.8, 0.6, 0.2],
    first_channels: [3.0, 2.4, 0.1, 0.1, 0.1, 0.6, 1.0, 1.4],
    later_channels: [0.8, 0.6, 0.0, 0.0, 0.0, 3.0, 0.2, 5.0],
    devices: [9.4, 0.4, 0.2, 0.0],
    ..USUAL
};

const PROSPECT: Behaviour = Behaviour {
    share: 0.06,
    first_channels: [1.2, 1.0, 2.6, 1.0, 0.8, 1.4, 0.8, 0.6],
    ..USUAL
};

impl CustomerType {
    /// What customers of this type do.
    pub(crate) fn behaviour(self) -> &'static Behaviour {
        match self {
            Self::FashionRegular => &FASHION_REGULAR,
            Self::GiftBuyer => &GIFT_BUYER,
            Self::BargainHunter => &BARGAIN_HUNTER,
            Self::FullPriceEnthusiast => &FULL_PRICE_ENTHUSIAST,
            Self::ElectronicsOneOff => &ELECTRONICS_ONE_OFF,
            Self::Occasional => &OCCASIONAL,
            Self::NewArrival => &NEW_ARRIVAL,
            Self::SlippingRegular => &SLIPPING_REGULAR,
            Self::LapsedRegular => &LAPSED_REGULAR,
            Self::Reactivated => &REACTIVATED,
            Self::BasicsSubscriber => &BASICS_SUBSCRIBER,
            Self::BulkBuyer => &BULK_BUYER,
            Self::Prospect => &PROSPECT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_share_all_customers() {
        let sum: f64 = CustomerType::ALL
            .iter()
            .map(|kind| kind.behaviour().share)
            .sum();
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    }
}
