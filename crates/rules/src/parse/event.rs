//! Conditions on events, pages, screens and carts.

use super::Parser;
use super::lexer::{Sign, TokenKind};
use crate::error::RuleError;
use crate::tree::{
    Carts, EventAggregate, EventCall, EventMeasure, EventTime, Events, Operand, Sequence, Then,
    WhichOrder,
};

/// Words that may stand after `events` or the like without a name.
const FOLLOWERS: [&str; 14] = [
    "where", "in", "today", "this", "then", "within", "before", "after", "on", "between", "is",
    "not", "and", "or",
];

impl Parser<'_> {
    /// The call of that name, when such a word stands `ahead` of the next.
    pub(super) fn call_at(
        &self,
        ahead: usize,
        name: fn(EventCall) -> &'static str,
    ) -> Option<EventCall> {
        let mut calls = EventCall::ALL.into_iter();
        calls.find(|&call| self.is_at(ahead, name(call)))
    }

    /// Names and filter, after the word `events` or the like.
    fn events(&mut self, call: EventCall) -> Result<Events, RuleError> {
        Ok(Events {
            call,
            names: self.event_names(call)?,
            filter: self.optional_filter()?,
        })
    }

    /// None, one, or several in parentheses.
    fn event_names(&mut self, call: EventCall) -> Result<Vec<String>, RuleError> {
        if matches!(self.peek(), TokenKind::Text(_)) {
            return Ok(vec![self.event_name()?]);
        }
        if !self.eat_sign(Sign::Open) {
            return match self.peek() {
                TokenKind::Word(word)
                    if !FOLLOWERS.contains(&word.to_ascii_lowercase().as_str()) =>
                {
                    let error = self.unexpected("a name in quotes or a comparison");
                    let call = call.plural();
                    Err(error.hint(format!("names stand in quotes: `{call} '{word}'`")))
                }
                _ => Ok(Vec::new()),
            };
        }
        let mut names = vec![self.event_name()?];
        while self.eat_sign(Sign::Comma) {
            names.push(self.event_name()?);
        }
        self.expect_sign(Sign::Close, "`,` or `)`")?;
        Ok(names)
    }

    fn event_name(&mut self) -> Result<String, RuleError> {
        match self.peek() {
            TokenKind::Text(name) if !name.is_empty() => {
                let name = name.clone();
                self.position += 1;
                Ok(name)
            }
            _ => Err(self.unexpected("a name in quotes such as 'Product Viewed'")),
        }
    }

    /// `'Product Viewed' where … in last 7 days`, after `events`.
    pub(super) fn event_aggregate(
        &mut self,
        measure: EventMeasure,
        call: EventCall,
    ) -> Result<Operand, RuleError> {
        let of = self.events(call)?;
        let period = self.optional_period()?;
        if self.is("where") {
            let error = self.unexpected("a comparison such as `>= 1`");
            let call = call.plural();
            return Err(error.hint(format!(
                "`where` stands before the period: `{call} … where … in last 7 days >= 1`"
            )));
        }
        if self.is("within") || self.is("before") || self.is("after") {
            let error = self.unexpected("a period or a comparison such as `>= 1`");
            return Err(error.hint(format!(
                "a count has a period, `in last 7 days`; a time is that of the first or last: `last {} …`",
                call.singular()
            )));
        }
        if self.is("then") {
            let error = self.unexpected("a period or a comparison such as `>= 1`");
            let call = call.singular();
            return Err(error.hint(format!("a sequence is of one {call}: `{call} '…' then …`")));
        }
        Ok(Operand::Events(Box::new(EventAggregate {
            measure,
            of,
            period,
        })))
    }

    /// `value of events …`, after `sum of`, or `product_id of events …`, after `distinct`.
    pub(super) fn aggregate_of_property(
        &mut self,
        measure: fn(crate::tree::PropertyPath) -> EventMeasure,
    ) -> Result<Operand, RuleError> {
        let path = self.property_path()?;
        self.expect("of")?;
        let Some(call) = self.call_at(0, EventCall::plural) else {
            return Err(self.unexpected("`events`, `pages` or `screens`"));
        };
        self.position += 1;
        self.event_aggregate(measure(path), call)
    }

    /// `'Signed In' where …`, after `last event`.
    pub(super) fn event_time(
        &mut self,
        which: WhichOrder,
        call: EventCall,
    ) -> Result<Operand, RuleError> {
        let of = self.events(call)?;
        if self.is("in") {
            return Err(self.period_of_time());
        }
        Ok(Operand::EventTime(Box::new(EventTime { which, of })))
    }

    /// `'A' then not event 'B' within 2 hours`, after `event`.
    pub(super) fn sequence(&mut self, call: EventCall) -> Result<Operand, RuleError> {
        let first = self.events(call)?;
        if !self.eat("then") {
            let error = self.unexpected("`then`");
            return Err(error.hint(format!(
                "to ask whether it ever happened write `{} … >= 1`, and when, `last {} …`",
                call.plural(),
                call.singular()
            )));
        }
        let not = self.eat("not");
        let Some(call) = self.call_at(0, EventCall::singular) else {
            let error = self.unexpected("`event`, `page`, `screen` or `not` and one of these");
            return Err(match self.peek() {
                TokenKind::Text(name) => error.hint(format!("write `then event '{name}'`")),
                TokenKind::Word(word) if word.eq_ignore_ascii_case("no") => {
                    error.hint("write `then not event`")
                }
                _ => error,
            });
        };
        self.position += 1;
        let events = self.events(call)?;
        let then = if not {
            Then::NotEvent(events)
        } else {
            Then::Event(events)
        };
        let within = if self.eat("within") {
            Some(self.length()?)
        } else if not {
            None
        } else {
            let error = self.unexpected("`within` and a length of time such as `2 hours`");
            return Err(error);
        };
        Ok(Operand::Sequence(Box::new(Sequence {
            first,
            then,
            within,
            period: self.optional_period()?,
        })))
    }

    /// `where value >= 100 and idle for 2 hours`, after `carts`.
    pub(super) fn carts(&mut self) -> Result<Operand, RuleError> {
        let filter = self.optional_filter()?;
        if self.is_period() {
            let error = self.unexpected("a comparison such as `>= 1`");
            return Err(error.hint(
                "open carts are those of now; ask for their last change: `carts where changed within 7 days >= 1`",
            ));
        }
        Ok(Operand::Carts(Carts { filter }))
    }
}
