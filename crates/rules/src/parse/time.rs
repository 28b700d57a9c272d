//! Periods, lengths of time and tests of times.

use regulars_core::CalendarUnit;

use super::Parser;
use super::lexer::TokenKind;
use crate::error::{RuleError, RuleProblem};
use crate::tree::{CalendarLength, Day, Length, Period, Test, Unit};

impl Parser<'_> {
    /// The error that a time has no period.
    pub(super) fn period_of_time(&self) -> RuleError {
        let error = self.unexpected("a test of a time such as `within 30 days`");
        error.hint(
            "of a time write `within last 30 days` instead of `in last`, and `this month` without `in`",
        )
    }

    /// True when `today`, `this …`, `in this …`, `in last` or `in the last` stands here.
    pub(super) fn is_period(&self) -> bool {
        let after_in = 1 + usize::from(self.is_at(1, "the"));
        self.is_current()
            || (self.is("in") && (self.is_at(1, "this") || self.is_at(after_in, "last")))
    }

    /// True when `today` or `this …` stands here.
    pub(super) fn is_current(&self) -> bool {
        self.is("today") || self.is("this")
    }

    pub(super) fn optional_period(&mut self) -> Result<Option<Period>, RuleError> {
        if !self.is_period() {
            return Ok(None);
        }
        if !self.is_current() {
            self.expect("in")?;
        }
        if let Some(period) = self.current()? {
            return Ok(Some(period));
        }
        self.eat("the");
        self.expect("last")?;
        self.period().map(Some)
    }

    /// `today`, `this week`, `this month`, `this quarter` or `this year`, if one of them stands here.
    fn current(&mut self) -> Result<Option<Period>, RuleError> {
        if self.eat("today") {
            return Ok(Some(Period::current(CalendarUnit::Days)));
        }
        if !self.eat("this") {
            return Ok(None);
        }
        let unit = CalendarUnit::ALL
            .into_iter()
            .find(|unit| self.is(unit.singular()));
        match unit {
            Some(CalendarUnit::Days) => {
                let error = self.unexpected("`week`, `month`, `quarter` or `year`");
                Err(error.hint("write `today`"))
            }
            Some(unit) => {
                self.position += 1;
                Ok(Some(Period::current(unit)))
            }
            None => Err(self.unexpected("`week`, `month`, `quarter` or `year`")),
        }
    }

    /// What stands after `last`.
    fn period(&mut self) -> Result<Period, RuleError> {
        let start = self.span();
        let calendar = self.is_at(1, "calendar");
        if !calendar {
            return self.length().map(Period::Last);
        }
        let count = self.count()?;
        self.expect("calendar")?;
        let unit = CalendarUnit::ALL
            .into_iter()
            .find(|unit| self.is(unit.name()) || self.is(unit.singular()));
        let Some(unit) = unit else {
            return Err(self.unexpected("`days`, `weeks`, `months`, `quarters` or `years`"));
        };
        self.position += 1;
        let period = Period::LastCalendar(CalendarLength { count, unit });
        if period.is_in_range() {
            return Ok(period);
        }
        Err(RuleError::new(RuleProblem::LengthRange).at(start.to(self.last_span())))
    }

    pub(super) fn length(&mut self) -> Result<Length, RuleError> {
        let start = self.span();
        let count = self.count()?;
        let unit = Unit::ALL
            .into_iter()
            .find(|unit| self.is(unit.name()) || self.is(unit.name().trim_end_matches('s')));
        let Some(unit) = unit else {
            let error = self.unexpected("`seconds`, `minutes`, `hours`, `days` or `weeks`");
            return Err(match self.peek() {
                TokenKind::Word(word) if is_calendar_unit(word) => error.hint(
                    "months and years differ in length: write days, as in `30 days` or `365 days`, \
                     or those of the calendar, as in `this month` or `last 3 calendar months`",
                ),
                _ => error,
            });
        };
        self.position += 1;
        let length = Length { count, unit };
        if length.is_in_range() {
            return Ok(length);
        }
        Err(RuleError::new(RuleProblem::LengthRange).at(start.to(self.last_span())))
    }

    fn count(&mut self) -> Result<u32, RuleError> {
        let span = self.span();
        let number = self.number("a whole number such as `30`")?;
        let whole = number.scaled(0).and_then(|value| u32::try_from(value).ok());
        whole.filter(|&count| count > 0).ok_or_else(|| {
            let problem = RuleProblem::NumberRange {
                number: number.to_string(),
                why: "is no number of whole units, 1 or more".to_owned(),
            };
            RuleError::new(problem).at(span)
        })
    }

    /// A test of an instant, if one begins here.
    pub(super) fn time_test(&mut self) -> Result<Option<Test>, RuleError> {
        if let Some(period) = self.current()? {
            return Ok(Some(Test::Within(period)));
        }
        if self.eat("on") {
            return self.day().map(|day| Some(Test::On(day)));
        }
        if self.eat("after") {
            return self.day().map(|day| Some(Test::After(day)));
        }
        if self.eat("before") {
            if !matches!(self.peek(), TokenKind::Number(_)) {
                return self.day().map(|day| Some(Test::Before(day)));
            }
            let length = self.length()?;
            self.expect("ago")?;
            return Ok(Some(Test::BeforeAgo(length)));
        }
        if self.eat("within") {
            if let Some(period) = self.current()? {
                return Ok(Some(Test::Within(period)));
            }
            self.eat("the");
            let period = if self.eat("last") {
                self.period()?
            } else {
                Period::Last(self.length()?)
            };
            return Ok(Some(Test::Within(period)));
        }
        Ok(None)
    }

    fn day(&mut self) -> Result<Day, RuleError> {
        let span = self.span();
        match *self.peek() {
            TokenKind::Date(date) => {
                self.position += 1;
                Ok(Day { date, span })
            }
            TokenKind::Number(_) => {
                let error = self.unexpected("a day such as `2026-01-31`");
                Err(error.hint("of the last days write `within 30 days` or `before 30 days ago`"))
            }
            TokenKind::Text(_) => {
                let error = self.unexpected("a day such as `2026-01-31`");
                Err(error.hint("days stand without quotes"))
            }
            _ => Err(self.unexpected("a day such as `2026-01-31`")),
        }
    }
}

fn is_calendar_unit(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    matches!(
        word.as_str(),
        "month" | "months" | "quarter" | "quarters" | "year" | "years"
    )
}
