//! What a trait means under the settings of a workspace.

use std::borrow::Cow;

use super::Trait;
use crate::Settings;

impl Trait {
    /// What it means, for a person, with the values of `settings`.
    pub fn meaning(self, settings: &Settings) -> Cow<'static, str> {
        let Settings {
            lifecycle,
            churn,
            clv,
            value,
            season,
            sessions,
            ..
        } = settings;
        let known = format!(
            "known with {}, the first two years ago",
            counted(season.min_orders, "order")
        );
        Cow::Owned(match self {
            Self::UsualRange => format!(
                "Own usual range: {} of this customer's gaps should be shorter. From the fitted purchase model; before a fit, of the gaps of all customers.",
                percent(lifecycle.usual_range_quantile)
            ),
            Self::Seasonal => format!(
                "{} or more of the orders in the same three neighbouring months of the year, in two or more years; {known}.",
                percent(season.seasonal_share)
            ),
            Self::YearRound => format!(
                "Orders in at least {} of the four quarters of each of two years; {known}.",
                season.year_round_quarters
            ),
            Self::ValueTier => format!(
                "By net revenue of {} over those with more than 0: top {} high, next {} medium, rest low; ties go up.",
                counted(value.window_days, "day"),
                percent(value.high_share),
                percent(value.medium_share)
            ),
            Self::ExpectedOrders => format!(
                "Expected orders within {}.",
                counted(churn.horizon_days, "day")
            ),
            Self::ChurnRisk => format!(
                "Probability of no order at all within {}.",
                counted(churn.horizon_days, "day")
            ),
            Self::ChurnLevel => {
                let [low, medium, high, critical] = churn.levels.map(percent);
                format!(
                    "Churn risk in five levels: 1 very low, 2 low from {low}, 3 medium from {medium}, 4 high from {high}, 5 critical from {critical}."
                )
            }
            Self::Clv => {
                let margin = match clv.margin {
                    1.0 => String::new(),
                    share => format!(", of it a margin of {}", percent(share)),
                };
                let discount = match clv.discount_rate {
                    0.0 => String::new(),
                    rate => format!(", discounted by {} a year", percent(rate)),
                };
                format!(
                    "Expected net revenue of the next {}{margin}{discount}.",
                    counted(clv.horizon_days, "day")
                )
            }
            Self::Sessions => format!(
                "Sessions: runs of pages, screens and other events of visits with less than {} between one and the next.",
                counted(sessions.silence_minutes, "minute")
            ),
            _ => return Cow::Borrowed(self.def().doc),
        })
    }
}

fn counted(number: u32, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {one}{plural}")
}

/// A share in per cent, with what decimals it has, at most four: `12.5 %`.
fn percent(share: f64) -> String {
    let rounded = format!("{:.4}", share * 100.0);
    format!("{} %", rounded.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meanings_follow_the_settings() {
        let mut settings = Settings::default();
        let risk = |settings: &Settings| Trait::ChurnRisk.meaning(settings).into_owned();
        assert_eq!(
            risk(&settings),
            "Probability of no order at all within 90 days."
        );
        settings.churn.horizon_days = 30;
        settings.churn.levels[0] = 0.125;
        settings.clv.horizon_days = 730;
        settings.clv.discount_rate = 0.1;
        assert_eq!(
            risk(&settings),
            "Probability of no order at all within 30 days."
        );
        let level = Trait::ChurnLevel.meaning(&settings);
        assert!(level.contains("2 low from 12.5 %"), "{level}");
        assert_eq!(
            Trait::Clv.meaning(&settings),
            "Expected net revenue of the next 730 days, discounted by 10 % a year."
        );
        assert_eq!(Trait::Orders.meaning(&settings), Trait::Orders.def().doc);
    }

    #[test]
    fn no_meaning_has_a_setting_written_into_it() {
        for def in Trait::all().iter().filter(|def| def.id.window().is_none()) {
            let figures = ["90 days", "365 days", "%"];
            assert!(
                !figures.iter().any(|figure| def.doc.contains(figure)),
                "{}",
                def.name
            );
        }
    }
}
