//! What `regulars.toml` must satisfy beyond its types: each refusal names the key, its value and what
//! was expected.

use regulars_core::Zone;
use regulars_rules::{Decimal, Length};

use super::Config;

/// The longest length of time in days.
const MOST_DAYS: u32 = 36_500;

/// Refuses values that make no sense, alone or together.
pub(super) fn values(config: &Config) -> Result<(), String> {
    Zone::named(&config.workspace.time_zone).map_err(|error| error.to_string())?;
    share(
        "import.max_rejected_share",
        config.import.max_rejected_share,
    )?;
    lifecycle(config)?;
    churn_and_value(config)?;
    price_and_season(config)?;
    carts_and_trial(config)?;
    sessions(config)?;
    identity(config)?;
    let holdout = config.models.holdout_share;
    expect(
        "models.holdout_share",
        holdout,
        holdout > 0.0 && holdout < 1.0,
        "a share above 0 and under 1",
    )?;
    serve(config)?;
    let delivery = config.delivery.outbox().check();
    delivery.map_err(|error| format!("`delivery`: {error}"))?;
    rates(config)
}

fn serve(config: &Config) -> Result<(), String> {
    let serve = &config.serve;
    at_least_one("serve.waiting_megabytes", serve.waiting_megabytes)?;
    expect(
        "serve.waiting_megabytes",
        serve.waiting_megabytes,
        serve.waiting_megabytes <= 1 << 20,
        "at most 1048576",
    )?;
    expect(
        "serve.connections",
        serve.connections,
        serve.connections >= 16,
        "16 or more",
    )?;
    at_least_one("serve.idle_seconds", serve.idle_seconds)?;
    at_least_one("serve.body_seconds", serve.body_seconds)
}

fn lifecycle(config: &Config) -> Result<(), String> {
    let of = &config.lifecycle;
    days("lifecycle.dormant_days", of.dormant_days)?;
    days("lifecycle.reactivated_gap_days", of.reactivated_gap_days)?;
    days("lifecycle.new_days", of.new_days)?;
    at_least_one("lifecycle.at_risk_orders", of.at_risk_orders)?;
    expect(
        "lifecycle.at_risk_churn_level",
        of.at_risk_churn_level,
        (1..=5).contains(&of.at_risk_churn_level),
        "a churn level from 1 to 5",
    )?;
    let quantile = of.usual_range_quantile;
    expect(
        "lifecycle.usual_range_quantile",
        quantile,
        quantile > 0.0 && quantile < 1.0,
        "a share above 0 and under 1",
    )?;
    let potential = of.potential_loyalist_orders;
    expect(
        "lifecycle.potential_loyalist_orders",
        potential,
        potential >= 2,
        "2 or more: with one order a customer is new",
    )?;
    expect(
        "lifecycle.loyal_orders",
        of.loyal_orders,
        of.loyal_orders > potential,
        &format!("more than `lifecycle.potential_loyalist_orders`, which is {potential}"),
    )
}

fn churn_and_value(config: &Config) -> Result<(), String> {
    days("churn.horizon_days", config.churn.horizon_days)?;
    let levels = config.churn.levels;
    let ascending = levels.windows(2).all(|pair| pair[0] < pair[1]);
    let between = levels.iter().all(|&level| level > 0.0 && level < 1.0);
    if !ascending || !between {
        return Err(format!(
            "`churn.levels` is {levels:?}: it must be four ascending risks above 0 and under 1"
        ));
    }
    let clv = &config.clv;
    days("clv.horizon_days", clv.horizon_days)?;
    expect(
        "clv.discount_rate",
        clv.discount_rate,
        clv.discount_rate >= 0.0 && clv.discount_rate.is_finite(),
        "a yearly rate of 0 or more",
    )?;
    expect(
        "clv.margin",
        clv.margin,
        clv.margin > 0.0 && clv.margin <= 1.0,
        "a share above 0, up to 1",
    )?;
    let value = &config.value;
    days("value.window_days", value.window_days)?;
    for (key, share) in [
        ("value.high_share", value.high_share),
        ("value.medium_share", value.medium_share),
    ] {
        expect(
            key,
            share,
            share > 0.0 && share < 1.0,
            "a share above 0 and under 1",
        )?;
    }
    // As in the count of customers, in millionths: 0.7 and 0.3 are no more than everyone.
    let both = value.high_share + value.medium_share;
    expect(
        "value.medium_share",
        value.medium_share,
        (both * 1e6).round() <= 1e6,
        &format!(
            "at most 1 less `value.high_share`, which is {}",
            value.high_share
        ),
    )
}

fn price_and_season(config: &Config) -> Result<(), String> {
    let price = &config.price;
    at_least_one("price.min_orders", price.min_orders)?;
    share("price.price_sensitive_share", price.price_sensitive_share)?;
    share("price.budget_share", price.budget_share)?;
    share("price.full_price_share", price.full_price_share)?;
    expect(
        "price.full_price_share",
        price.full_price_share,
        price.full_price_share < price.price_sensitive_share,
        &format!(
            "less than `price.price_sensitive_share`, which is {}",
            price.price_sensitive_share
        ),
    )?;
    let season = &config.season;
    expect(
        "season.min_orders",
        season.min_orders,
        season.min_orders >= 2,
        "2 or more: one order is no rhythm",
    )?;
    expect(
        "season.seasonal_share",
        season.seasonal_share,
        season.seasonal_share > 0.0 && season.seasonal_share <= 1.0,
        "a share above 0, up to 1",
    )?;
    expect(
        "season.year_round_quarters",
        season.year_round_quarters,
        (1..=4).contains(&season.year_round_quarters),
        "a number of quarters from 1 to 4",
    )
}

fn sessions(config: &Config) -> Result<(), String> {
    let silence_minutes = config.sessions.silence_minutes;
    expect(
        "sessions.silence_minutes",
        silence_minutes,
        (1..=1_440).contains(&silence_minutes),
        "a number of minutes from 1 to 1440",
    )
}

fn identity(config: &Config) -> Result<(), String> {
    let identity = &config.identity;
    let empty = identity.blocked.iter().find(|text| text.trim().is_empty());
    expect(
        "identity.blocked",
        format!("{:?}", identity.blocked),
        empty.is_none(),
        "a list of texts of which none is empty",
    )?;
    at_least_one(
        "identity.customer_ids_per_customer",
        identity.customer_ids_per_customer,
    )?;
    at_least_one("identity.emails_per_customer", identity.emails_per_customer)?;
    at_least_one(
        "identity.anonymous_ids_per_customer",
        identity.anonymous_ids_per_customer,
    )
}

fn carts_and_trial(config: &Config) -> Result<(), String> {
    let carts = &config.carts;
    expect(
        "carts.open_days",
        carts.open_days,
        (1..=Length::MAX_DAYS).contains(&carts.open_days),
        "a number of days from 1 to 36500",
    )?;
    let abandoned: Option<Length> = carts.abandoned_after.parse().ok();
    expect(
        "carts.abandoned_after",
        format!("\"{}\"", carts.abandoned_after),
        abandoned.is_some_and(|length| length.ms() < carts.open_ms()),
        &format!(
            "a length of time such as \"2 hours\", less than `carts.open_days`, which is {}",
            carts.open_days
        ),
    )?;
    let currency = config.workspace.currency;
    let value: Option<Decimal> = carts.high_value.to_string().parse().ok();
    let minor = value.and_then(|value| value.scaled(currency.exponent()));
    expect(
        "carts.high_value",
        carts.high_value,
        minor.is_some_and(|minor| minor >= 0),
        &format!("an amount of {currency}, 0 or more"),
    )?;
    let trial = &config.trial;
    at_least_one("trial.ending_days", trial.ending_days)?;
    expect(
        "trial.days",
        trial.days,
        (trial.ending_days + 1..=Length::MAX_DAYS).contains(&trial.days),
        &format!(
            "more than `trial.ending_days`, which is {}, up to 36500",
            trial.ending_days
        ),
    )
}

fn rates(config: &Config) -> Result<(), String> {
    for (currency, rates) in &config.rates {
        for rate in rates {
            if rate.from_date().is_none() {
                return Err(format!(
                    "`rates.{currency}`: `{}` is not a day such as 2026-01-31",
                    rate.from
                ));
            }
            if rate.billionths().is_none() {
                return Err(format!(
                    "`rates.{currency}`: `{}` is not a positive rate",
                    rate.rate
                ));
            }
        }
    }
    Ok(())
}

fn share(key: &str, value: f64) -> Result<(), String> {
    expect(
        key,
        value,
        (0.0..=1.0).contains(&value),
        "a share from 0 to 1",
    )
}

/// As the lengths of time in rules.
fn days(key: &str, value: u32) -> Result<(), String> {
    expect(
        key,
        value,
        (1..=MOST_DAYS).contains(&value),
        &format!("from 1 to {MOST_DAYS} days"),
    )
}

fn at_least_one(key: &str, value: u32) -> Result<(), String> {
    expect(key, value, value >= 1, "1 or more")
}

fn expect(
    key: &str,
    value: impl std::fmt::Display,
    holds: bool,
    expected: &str,
) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(format!("`{key}` is {value}: it must be {expected}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(lines: &str) -> String {
        let text = format!("[workspace]\nname='s'\ncurrency='EUR'\ntime_zone='UTC'\n{lines}");
        Config::parse(&text).unwrap_err()
    }

    /// Settings, the key that is refused, and its value.
    const NONSENSE: [[&str; 3]; 34] = [
        [
            "[lifecycle]\nloyal_orders=3\npotential_loyalist_orders=5",
            "lifecycle.loyal_orders",
            "3",
        ],
        ["[lifecycle]\nloyal_orders=2", "lifecycle.loyal_orders", "2"],
        [
            "[lifecycle]\npotential_loyalist_orders=1",
            "lifecycle.potential_loyalist_orders",
            "1",
        ],
        [
            "[lifecycle]\nat_risk_churn_level=9",
            "lifecycle.at_risk_churn_level",
            "9",
        ],
        [
            "[lifecycle]\nat_risk_churn_level=0",
            "lifecycle.at_risk_churn_level",
            "0",
        ],
        [
            "[lifecycle]\nusual_range_quantile=0.0",
            "lifecycle.usual_range_quantile",
            "0",
        ],
        [
            "[lifecycle]\nusual_range_quantile=1.0",
            "lifecycle.usual_range_quantile",
            "1",
        ],
        ["[lifecycle]\ndormant_days=0", "lifecycle.dormant_days", "0"],
        ["[churn]\nlevels=[0.5,0.4,0.8,0.9]", "churn.levels", "0.4"],
        ["[churn]\nlevels=[0.0,0.4,0.8,0.9]", "churn.levels", "0.0"],
        ["[churn]\nlevels=[0.1,0.4,0.8,nan]", "churn.levels", "NaN"],
        ["[churn]\nhorizon_days=0", "churn.horizon_days", "0"],
        ["[clv]\nmargin=0.0", "clv.margin", "0"],
        ["[clv]\ndiscount_rate=inf", "clv.discount_rate", "inf"],
        ["[value]\nhigh_share=1.5", "value.high_share", "1.5"],
        [
            "[value]\nhigh_share=0.6\nmedium_share=0.5",
            "value.medium_share",
            "0.5",
        ],
        ["[price]\nmin_orders=0", "price.min_orders", "0"],
        [
            "[price]\nfull_price_share=0.7",
            "price.full_price_share",
            "0.7",
        ],
        [
            "[season]\nyear_round_quarters=5",
            "season.year_round_quarters",
            "5",
        ],
        ["[season]\nmin_orders=1", "season.min_orders", "1"],
        ["[carts]\nopen_days=0", "carts.open_days", "0"],
        [
            "[carts]\nabandoned_after='2 fortnights'",
            "carts.abandoned_after",
            "2 fortnights",
        ],
        [
            "[carts]\nopen_days=1\nabandoned_after='1 day'",
            "carts.abandoned_after",
            "1 day",
        ],
        ["[carts]\nhigh_value=nan", "carts.high_value", "NaN"],
        ["[carts]\nhigh_value=9.999", "carts.high_value", "9.999"],
        ["[trial]\nending_days=0", "trial.ending_days", "0"],
        [
            "[sessions]\nsilence_minutes=0",
            "sessions.silence_minutes",
            "0",
        ],
        [
            "[sessions]\nsilence_minutes=1441",
            "sessions.silence_minutes",
            "1441",
        ],
        ["[trial]\ndays=3", "trial.days", "3"],
        ["[identity]\nblocked=[\" \"]", "identity.blocked", "[\" \"]"],
        [
            "[identity]\nemails_per_customer=0",
            "identity.emails_per_customer",
            "0",
        ],
        ["[models]\nholdout_share=1.0", "models.holdout_share", "1"],
        ["[serve]\nbody_seconds=0", "serve.body_seconds", "0"],
        ["[serve]\nconnections=3", "serve.connections", "3"],
    ];

    #[test]
    fn values_that_make_no_sense_are_refused_with_key_value_and_expectation() {
        for [lines, key, value] in NONSENSE {
            let message = refusal(lines);
            let named = format!("`{key}` is ");
            assert!(message.starts_with(&named), "{lines}: {message}");
            assert!(
                message.contains(value) && message.contains(": it must be "),
                "{message}"
            );
        }
        assert!(refusal("[rates]\nUSD=[{from='x',rate='1'}]").contains("rates.USD"));
    }

    #[test]
    fn values_of_another_kind_are_refused_in_words() {
        for (lines, message) in [
            (
                "[lifecycle]\ndormant_days='x'",
                "`lifecycle.dormant_days` is \"x\": it must be a whole number, 0 or more",
            ),
            (
                "[lifecycle]\ndormant_days=-3",
                "`lifecycle.dormant_days` is -3: it must be a whole number, 0 or more",
            ),
            (
                "[lifecycle]\ndormant_days=99999999999",
                "`lifecycle.dormant_days` is 99999999999: it must be a smaller number",
            ),
            (
                "[value]\nwindow_days=36501",
                "`value.window_days` is 36501: it must be from 1 to 36500 days",
            ),
            (
                "[clv]\nmargin='half'",
                "`clv.margin` is \"half\": it must be a number",
            ),
            (
                "[churn]\nlevels=['a']",
                "`churn.levels` is \"a\": it must be a number",
            ),
            (
                "[churn]\nlevels=0.5",
                "`churn.levels` is 0.5: it must be a list in `[` and `]`",
            ),
            (
                "[import]\ndate_order=1",
                "`import.date_order` is 1: it must be a text in quotes",
            ),
        ] {
            assert_eq!(refusal(lines), message);
        }
    }

    #[test]
    fn shares_that_are_everyone_together_are_allowed() {
        let text = "[workspace]\nname='s'\ncurrency='EUR'\ntime_zone='UTC'\n\
            [value]\nhigh_share=0.7\nmedium_share=0.3\n[import]\ndate_order='dmy'\n[import.map]\ntotal='x'";
        assert!(Config::parse(text).is_ok(), "{:?}", Config::parse(text));
    }

    #[test]
    fn unknown_keys_are_refused_with_the_nearest_name() {
        assert_eq!(
            refusal("[lifecycle]\ndormant_day=3"),
            "`lifecycle.dormant_day` is no setting: did you mean `lifecycle.dormant_days`?"
        );
        assert_eq!(
            refusal("[lifecicle]\ndormant_days=3"),
            "`lifecicle` is no setting: did you mean `lifecycle`?"
        );
        assert!(refusal("[clv]\nzzzzzz=3").contains("`discount_rate`"));
    }
}
