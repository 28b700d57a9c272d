//! Filters of aggregates: what stands after `where`.

use super::condition::Alone;
use super::lexer::{Sign, TokenKind};
use super::{Parser, single_or};
use crate::error::RuleError;
use crate::tree::{Filter, FilterCondition, Property, Test};

impl Parser<'_> {
    /// Either everything in parentheses, or a chain of `and`.
    pub(super) fn filter(&mut self) -> Result<Filter, RuleError> {
        if self.eat_sign(Sign::Open) {
            let filter = self.nested(Self::any_of_filter)?;
            self.expect_sign(Sign::Close, "`)`")?;
            if self.is("and") || self.is("or") {
                let error = self.unexpected("a period or a comparison");
                return Err(error.hint("put the whole filter in parentheses: `where (… and …)`"));
            }
            return Ok(filter);
        }
        let mut filters = vec![self.chained_property()?];
        while self.eat("and") {
            filters.push(self.chained_property()?);
        }
        if self.is("or") {
            let error = self.unexpected("`and`, a period or a comparison");
            return Err(error.hint("with `or` the filter needs parentheses: `where (… or …)`"));
        }
        Ok(single_or(filters, Filter::And))
    }

    fn chained_property(&mut self) -> Result<Filter, RuleError> {
        if self.is("not") || matches!(self.peek(), TokenKind::Sign(Sign::Open)) {
            let error = self.unexpected("a property such as `category`");
            return Err(error.hint("put the whole filter in parentheses: `where (not …)`"));
        }
        self.property()
    }

    fn any_of_filter(&mut self) -> Result<Filter, RuleError> {
        let mut filters = vec![self.all_of_filter()?];
        while self.eat("or") {
            filters.push(self.all_of_filter()?);
        }
        Ok(single_or(filters, Filter::Or))
    }

    fn all_of_filter(&mut self) -> Result<Filter, RuleError> {
        let mut filters = vec![self.negated_filter()?];
        while self.eat("and") {
            filters.push(self.negated_filter()?);
        }
        Ok(single_or(filters, Filter::And))
    }

    fn negated_filter(&mut self) -> Result<Filter, RuleError> {
        if self.eat("not") {
            return self.nested(|parser| Ok(Filter::Not(Box::new(parser.negated_filter()?))));
        }
        if self.eat_sign(Sign::Open) {
            let filter = self.nested(Self::any_of_filter)?;
            self.expect_sign(Sign::Close, "`)`")?;
            return Ok(filter);
        }
        self.property()
    }

    fn property(&mut self) -> Result<Filter, RuleError> {
        let span = self.span();
        let expected = "a property such as `category`, `brand` or `channel`";
        let TokenKind::Word(word) = *self.peek() else {
            return Err(self.unexpected(expected));
        };
        let name = word.to_ascii_lowercase();
        let Some(property) = Property::ALL.into_iter().find(|known| known.name() == name) else {
            let known = Property::ALL.map(Property::name);
            return Err(RuleError::unknown("property", word, known)
                .at(span)
                .expecting(format!("one of `{}`", known.join("`, `"))));
        };
        self.position += 1;
        // A flag alone may be followed by the test of the aggregate: `discounted >= 2`.
        let test = if property == Property::Discounted && !self.is_flag_comparison() {
            if self.eat("is") {
                self.is_set()?
            } else {
                Test::Holds
            }
        } else {
            self.test(Alone::Refused("a comparison such as `= 'abc'` or `>= 3`"))?
        };
        Ok(Filter::Property(FilterCondition {
            property,
            test,
            span: span.to(self.last_span()),
        }))
    }
}
