//! Amounts of other currencies, in the workspace's own.

use std::collections::{BTreeMap, HashMap};

use regulars_core::{CivilDate, Currency, Symbol, Symbols, Timestamp, Zone, divide_half_even};

use super::assemble::Assembled;
use super::row::Row;
use crate::config::{Config, Rate};
use crate::error::PipelineError;

/// Exchange rates into the workspace's currency, by day.
#[derive(Debug, Clone)]
pub(crate) struct Rates {
    own: Currency,
    zone: Zone,
    /// Ascending days, rate in billionths.
    table: BTreeMap<Currency, Vec<(CivilDate, i64)>>,
    /// The currencies that rows name, by their symbol.
    by_symbol: HashMap<Symbol, Currency>,
}

impl Rates {
    pub(crate) fn new(config: &Config) -> Self {
        let days = |rates: &Vec<Rate>| {
            let mut days: Vec<(CivilDate, i64)> = rates
                .iter()
                .filter_map(|r| r.from_date().zip(r.billionths()))
                .collect();
            days.sort_unstable();
            days
        };
        Self {
            own: config.workspace.currency,
            zone: config.zone(),
            table: config
                .rates
                .iter()
                .map(|(currency, rates)| (*currency, days(rates)))
                .collect(),
            by_symbol: HashMap::new(),
        }
    }

    /// The workspace's time zone, in which rates begin.
    pub(crate) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The symbol that a row of `currency` carries: none for the workspace's own.
    ///
    /// # Errors
    /// When there is no rate for that currency at all.
    pub(crate) fn admit(
        &mut self,
        currency: Currency,
        symbols: &mut Symbols,
    ) -> Result<Symbol, PipelineError> {
        if currency == self.own {
            return Ok(Symbol::NONE);
        }
        if !self.table.contains_key(&currency) {
            return Err(PipelineError::NoRate {
                currency,
                own: self.own,
            });
        }
        let symbol = symbols.intern(currency.code());
        self.by_symbol.insert(symbol, currency);
        Ok(symbol)
    }

    /// True when rows of other currencies have been admitted.
    pub(crate) fn in_use(&self) -> bool {
        !self.by_symbol.is_empty()
    }

    /// Rows that name no currency take that of the rows of their order that do (of several, the
    /// first by its code); their amounts were read with the decimals of the currency that they stand in.
    pub(crate) fn share_currency(&self, rows: &mut [Row], symbols: &Symbols) {
        let named = rows.iter().filter(|row| row.currency_named);
        let Some(shared) = named
            .map(|row| row.currency)
            .min_by_key(|&currency| symbols.text(currency))
        else {
            return;
        };
        let exponent = |currency| {
            self.by_symbol
                .get(&currency)
                .unwrap_or(&self.own)
                .exponent()
        };
        let power = |exponent: u32| 10_i128.pow(exponent);
        for row in rows.iter_mut().filter(|row| !row.currency_named) {
            let (read, meant) = (power(exponent(row.currency)), power(exponent(shared)));
            for minor in row.amounts.iter_mut().flatten() {
                *minor = divide_half_even(i128::from(*minor) * meant, read);
            }
            row.currency = shared;
        }
    }

    /// Converts the amounts of lines at the rate of the order's day, each rounded half to even.
    ///
    /// # Errors
    /// When the first rate of the currency begins later.
    pub(crate) fn convert(
        &self,
        lines: &mut [Assembled],
        currency: Symbol,
        placed_at: Timestamp,
    ) -> Result<(), PipelineError> {
        let Some(&currency) = self.by_symbol.get(&currency) else {
            return Ok(());
        };
        let date = self.zone.date_of(placed_at);
        for Assembled { record, .. } in lines {
            let optional = [
                &mut record.beside_minor,
                &mut record.discount_minor,
                &mut record.cost_minor,
            ];
            let amounts = [&mut record.net_minor, &mut record.refunded_minor];
            for minor in amounts.into_iter().chain(optional.into_iter().flatten()) {
                *minor = self.convert_minor(*minor, currency, date)?;
            }
        }
        Ok(())
    }

    /// Converts every amount of a row at the rate of the order's day, each rounded half to even.
    ///
    /// # Errors
    /// When the first rate of the currency begins later.
    pub(crate) fn convert_row(
        &self,
        row: &mut Row,
        placed_at: Timestamp,
    ) -> Result<(), PipelineError> {
        if let Some(&currency) = self.by_symbol.get(&row.currency) {
            let date = self.zone.date_of(placed_at);
            for minor in row.amounts.iter_mut().flatten() {
                *minor = self.convert_minor(*minor, currency, date)?;
            }
        }
        row.currency = Symbol::NONE;
        Ok(())
    }

    /// Converts an amount at the rate of the day of a moment, rounded half to even.
    ///
    /// # Errors
    /// When the first rate of the currency begins later.
    pub(crate) fn convert_at(
        &self,
        minor: i64,
        currency: Currency,
        at: Timestamp,
    ) -> Result<i64, PipelineError> {
        self.convert_minor(minor, currency, self.zone.date_of(at))
    }

    /// Converts an amount at the rate of a day, rounded half to even.
    ///
    /// # Errors
    /// When the first rate of the currency begins later.
    pub(crate) fn convert_minor(
        &self,
        minor: i64,
        currency: Currency,
        date: CivilDate,
    ) -> Result<i64, PipelineError> {
        if currency == self.own {
            return Ok(minor);
        }
        let days = self.table.get(&currency).map_or(&[][..], Vec::as_slice);
        let since = days.partition_point(|&(from, _)| from <= date);
        let Some(&(_, billionths)) = since.checked_sub(1).and_then(|index| days.get(index)) else {
            return Err(PipelineError::Currency(format!(
                "no rate for {currency} on {date}: add one that begins on that day or before to \
                 `rates.{currency}` in regulars.toml"
            )));
        };
        let scale = |exponent: u32| 10_i128.pow(exponent);
        let numerator = i128::from(minor) * i128::from(billionths) * scale(self.own.exponent());
        Ok(divide_half_even(
            numerator,
            scale(9) * scale(currency.exponent()),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates() -> Rates {
        let mut config = Config::new("shop", Currency::new("EUR").unwrap(), "UTC");
        let rate = |from: &str, rate: &str| Rate {
            from: from.to_owned(),
            rate: rate.to_owned(),
        };
        config.rates.insert(
            Currency::new("USD").unwrap(),
            vec![rate("2025-06-01", "0.9"), rate("2025-01-01", "0.5")],
        );
        config.rates.insert(
            Currency::new("JPY").unwrap(),
            vec![rate("2025-01-01", "0.006125")],
        );
        Rates::new(&config)
    }

    #[test]
    fn amounts_take_the_rate_of_their_day_and_round_half_to_even() {
        let rates = rates();
        let convert = |minor, code, day| {
            let date = CivilDate::parse(day).unwrap();
            rates
                .convert_minor(minor, Currency::new(code).unwrap(), date)
                .unwrap()
        };
        assert_eq!(convert(1_001, "USD", "2025-05-31"), 500);
        assert_eq!(convert(1_003, "USD", "2025-05-31"), 502);
        assert_eq!(convert(1_000, "USD", "2025-06-01"), 900);
        assert_eq!(convert(1_000, "JPY", "2025-06-01"), 612);
        assert_eq!(convert(7, "EUR", "1990-01-01"), 7);
    }

    #[test]
    fn a_missing_rate_is_named() {
        let date = CivilDate::parse("2024-12-31").unwrap();
        let dollar = Currency::new("USD").unwrap();
        let error = rates()
            .convert_minor(1, dollar, date)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("USD") && error.contains("2024-12-31"),
            "{error}"
        );
        let franc = Currency::new("CHF").unwrap();
        let error = rates()
            .admit(franc, &mut Symbols::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("CHF"), "{error}");
    }
}
