//! The hidden life of a customer: drawn first, told to nobody, behind every row.

use regulars_core::{DAY_MS, Timestamp};

use crate::behaviour::{Behaviour, Stay};
use crate::calendar::{Calendar, Season, SeasonTime};
use crate::random::{Dice, Stream};
use crate::{Channel, Country, CustomerNumber, CustomerType, Device};

/// A span of season time during which a customer orders; the first order is at its start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) from: f64,
    pub(crate) to: f64,
}

/// How a customer signs orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    /// With an account, made at that time.
    Since(Timestamp),
    /// By e-mail address only.
    Guest,
}

/// What a customer is like.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) customer: CustomerNumber,
    pub(crate) customer_type: CustomerType,
    pub(crate) account: Account,
    /// When the customer orders; none for those who never do, two for those who came back.
    pub(crate) spans: [Option<Span>; 2],
    /// Orders per unit of season time, before the shop's common rate.
    pub(crate) rate: f64,
    pub(crate) first_channel: Channel,
    pub(crate) country: Country,
    pub(crate) device: Device,
    /// Probability that an order is discounted, outside of sales.
    pub(crate) discounted: f64,
    /// Position in [`crate::product::CATEGORIES`].
    pub(crate) favourite_category: usize,
    /// From 0 to 1: which brand of a category is the favourite one.
    pub(crate) favourite_brand: f64,
}

/// Weights of countries, in the order of [`Country::ALL`].
const COUNTRIES: [f64; 8] = [52.0, 9.0, 7.0, 9.0, 8.0, 4.0, 4.0, 7.0];

impl Life {
    pub(crate) fn behaviour(&self) -> &'static Behaviour {
        self.customer_type.behaviour()
    }

    /// Draws the life of a customer.
    pub(crate) fn draw(
        seed: u64,
        customer: CustomerNumber,
        calendar: &Calendar,
        seasons: &[SeasonTime],
    ) -> Self {
        let mut dice = Dice::new(seed, Stream::Life, u64::from(customer.0));
        let customer_type = draw_type(&mut dice);
        let behaviour = customer_type.behaviour();
        let season = &seasons[behaviour.season as usize];
        let spans = draw_spans(behaviour.stay, &mut dice, season, calendar.n_days() as f64);
        let rate = behaviour.orders_a_year / 365.0 * dice.gamma(behaviour.rate_shape);
        let account = if dice.chance(behaviour.guests) {
            Account::Guest
        } else {
            Account::Since(draw_registration(&mut dice, spans[0], season, calendar))
        };
        Self {
            customer,
            customer_type,
            account,
            spans,
            rate,
            first_channel: Channel::ALL[dice.pick(&behaviour.first_channels)],
            country: Country::ALL[dice.pick(&COUNTRIES)],
            device: Device::ALL[dice.pick(&behaviour.devices)],
            discounted: dice.beta(behaviour.discounted, behaviour.discounted_weight),
            favourite_category: dice.pick(&behaviour.categories),
            favourite_brand: dice.share(),
        }
    }
}

fn draw_type(dice: &mut Dice) -> CustomerType {
    let mut left = dice.share();
    for &customer_type in CustomerType::ALL {
        left -= customer_type.behaviour().share;
        if left < 0.0 {
            return customer_type;
        }
    }
    CustomerType::Prospect
}

/// Every limit in days is cut to a part of the data, so that data of a week work too.
fn draw_spans(stay: Stay, dice: &mut Dice, season: &SeasonTime, n_days: f64) -> [Option<Span>; 2] {
    let span = |from: f64, to: f64| {
        Some(Span {
            from,
            to: to.max(from),
        })
    };
    match stay {
        Stay::From {
            arrival_share,
            early,
            mean_days,
        } => {
            let from = season.end() * arrival_share * libm::pow(dice.share(), early);
            let day = season.moment(from).day as f64;
            // Divided by a gamma of shape 2, which doubles the mean: the times with the shop of
            // the Pareto/NBD model, short for most and long for some.
            let stays = 0.5 * mean_days * dice.exponential() / dice.gamma(2.0);
            [span(from, season.at_day(day + 1.0 + stays)), None]
        }
        Stay::Lately { days } => {
            let since = n_days - days.min(n_days);
            [
                span(season.at_day(dice.between(since, n_days)), season.end()),
                None,
            ]
        }
        Stay::Left {
            silent_days,
            stayed_days,
        } => {
            let to = n_days
                - dice.between(
                    silent_days[0].min(n_days * 0.4),
                    silent_days[1].min(n_days * 0.7),
                );
            let from = to - dice.between(stayed_days[0].min(to * 0.4), stayed_days[1].min(to));
            [span(season.at_day(from), season.at_day(to)), None]
        }
        Stay::Back { within_days } => {
            let back = n_days - dice.between(0.05, 1.0) * within_days.min(n_days * 0.2);
            let left = back - dice.between(75.0, 300.0).min(n_days * 0.4);
            let from = dice.between(0.0, left * 0.6);
            let end = season.end();
            [
                span(season.at_day(from), season.at_day(left)),
                span(season.at_day(back), end),
            ]
        }
        Stay::Never => [None, None],
    }
}

/// Most accounts are made with the first order, some days or weeks before.
fn draw_registration(
    dice: &mut Dice,
    first: Option<Span>,
    season: &SeasonTime,
    calendar: &Calendar,
) -> Timestamp {
    let Some(first) = first else {
        let time = dice.share() * season.end();
        return calendar.instant(season.moment(time));
    };
    let first_order = calendar.instant(season.moment(first.from));
    let minutes_before = i64::from(1 + dice.below(20));
    let days_before = if dice.chance(0.2) {
        i64::from(1 + dice.below(45))
    } else {
        0
    };
    first_order.plus_ms(-minutes_before * 60_000 - days_before * DAY_MS)
}

/// The time of all seasons, each at the position of its number.
pub(crate) fn season_times(calendar: &Calendar) -> Vec<SeasonTime> {
    Season::ALL
        .iter()
        .map(|&season| SeasonTime::new(season, calendar))
        .collect()
}
