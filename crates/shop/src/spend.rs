//! What finding customers cost: the ad spend file.

use regulars_core::{CivilDate, Currency};

use crate::Channel;
use crate::calendar::{Calendar, weekday};
use crate::product::minor_of_cents;
use crate::random::{Dice, Stream};

/// What one row of the ad spend file covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpendGrain {
    /// A day.
    Day,
    /// A week from Monday on; the first and the last may be cut by the ends of the data.
    Week,
}

/// A row of the ad spend file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdSpend {
    /// The day, or the first day of the week.
    pub date: CivilDate,
    /// Channel.
    pub channel: Channel,
    /// Campaign.
    pub campaign: &'static str,
    /// How often its advertisements were shown.
    pub impressions: u64,
    /// How often they were clicked.
    pub clicks: u64,
    /// What it cost, minor units.
    pub cost_minor: i64,
}

struct Campaign {
    channel: Channel,
    name: &'static str,
    /// Share of the channel's spend.
    share: f64,
    /// What a click costs, hundredths of a euro.
    click_cents: f64,
    /// Clicks per impression.
    click_rate: f64,
}

const fn campaign(
    channel: Channel,
    name: &'static str,
    share: f64,
    click_cents: f64,
    click_rate: f64,
) -> Campaign {
    Campaign {
        channel,
        name,
        share,
        click_cents,
        click_rate,
    }
}

/// In the order of channel and name.
const CAMPAIGNS: [Campaign; 8] = [
    campaign(Channel::PaidSearch, "brand", 0.2, 28.0, 0.11),
    campaign(Channel::PaidSearch, "generic", 0.35, 85.0, 0.035),
    campaign(Channel::PaidSearch, "shopping", 0.45, 52.0, 0.016),
    campaign(Channel::PaidSocial, "prospecting", 0.7, 64.0, 0.009),
    campaign(Channel::PaidSocial, "retargeting", 0.3, 71.0, 0.014),
    campaign(Channel::Display, "awareness", 1.0, 38.0, 0.002),
    campaign(Channel::Affiliate, "cashback", 0.4, 31.0, 0.03),
    campaign(Channel::Affiliate, "partners", 0.6, 44.0, 0.022),
];

/// What a new customer costs on average, hundredths of a euro; the other channels are free.
fn acquisition_cents(channel: Channel) -> f64 {
    match channel {
        Channel::PaidSearch => 2_300.0,
        Channel::PaidSocial => 3_400.0,
        Channel::Display => 5_600.0,
        Channel::Affiliate => 1_500.0,
        Channel::OrganicSearch | Channel::Email | Channel::Referral | Channel::Direct => 0.0,
    }
}

/// New customers of each day and channel, in the order of days and of [`Channel::ALL`].
#[derive(Debug)]
pub(crate) struct Arrivals(Vec<[u32; 8]>);

impl Arrivals {
    pub(crate) fn none(calendar: &Calendar) -> Self {
        Self(vec![[0; 8]; calendar.n_days()])
    }

    pub(crate) fn add(&mut self, day: usize, channel: Channel) {
        self.0[day][channel as usize] += 1;
    }

    /// New customers a day: half the mean of all days, half that of the four weeks around.
    fn smoothed(&self, day: usize, channel: Channel) -> f64 {
        let mean = |days: &[[u32; 8]]| {
            let sum: u64 = days
                .iter()
                .map(|counts| u64::from(counts[channel as usize]))
                .sum();
            sum as f64 / days.len() as f64
        };
        let around = &self.0[day.saturating_sub(14)..(day + 14).min(self.0.len())];
        (mean(&self.0) + mean(around)) / 2.0
    }
}

/// Spend follows the customers that it brings, with a delay that nobody sees: smoothed, and with
/// noise of its own.
pub(crate) fn ad_spend(
    seed: u64,
    currency: Currency,
    calendar: &Calendar,
    arrivals: &Arrivals,
    grain: SpendGrain,
) -> Vec<AdSpend> {
    let mut rows: Vec<AdSpend> = Vec::new();
    let mut period = 0;
    for day in 0..calendar.n_days() {
        let date = calendar.date(day as i32);
        let begins = match grain {
            SpendGrain::Day => true,
            SpendGrain::Week => day == 0 || weekday(date) == 0,
        };
        if begins {
            period = rows.len();
        }
        let mut dice = Dice::new(seed, Stream::Spend, day as u64);
        for (position, campaign) in CAMPAIGNS.iter().enumerate() {
            let budget = arrivals.smoothed(day, campaign.channel)
                * acquisition_cents(campaign.channel)
                * campaign.share;
            let cents = budget * libm::exp(0.25 * dice.normal() - 0.03);
            let clicks = libm::round(cents / campaign.click_cents * dice.between(0.9, 1.1));
            let impressions = libm::round(clicks / campaign.click_rate * dice.between(0.85, 1.15));
            let row = AdSpend {
                date,
                channel: campaign.channel,
                campaign: campaign.name,
                impressions: impressions as u64,
                clicks: clicks as u64,
                cost_minor: minor_of_cents(libm::round(cents) as i64, currency),
            };
            match rows.get_mut(period + position) {
                None => rows.push(row),
                Some(sum) => {
                    sum.impressions += row.impressions;
                    sum.clicks += row.clicks;
                    sum.cost_minor += row.cost_minor;
                }
            }
        }
    }
    rows
}
