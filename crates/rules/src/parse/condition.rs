//! Conditions: operands, periods, tests and literals.

use regulars_core::{Trait, TraitKind};

use super::Parser;
use super::lexer::{Sign, TokenKind};
use crate::error::{RuleError, nearest};
use crate::tree::{
    Aggregate, CompareOp, Condition, EventCall, EventMeasure, Literal, LiteralValue, Measure,
    Operand, OrderTime, Test, WhichOrder,
};

/// What may stand alone, without a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alone {
    /// A flag: alone it means that it is true.
    Allowed,
    /// A value: it must be tested, for example so.
    Refused(&'static str),
}

const NUMBER_TEST: &str = "a comparison such as `>= 3`";
const TEXT_TEST: &str = "a comparison such as `= 'abc'` or `in ('a', 'b')`";
const TIME_TEST: &str = "a test of a time such as `within 30 days` or `before 2026-01-31`";

impl Parser<'_> {
    pub(super) fn condition(&mut self) -> Result<Condition, RuleError> {
        let start = self.span();
        let operand = self.operand()?;
        let alone = match &operand {
            Operand::Declared(_) | Operand::Account(_) => Alone::Allowed,
            Operand::Trait(which) => match which.def().kind {
                TraitKind::Flag => Alone::Allowed,
                TraitKind::Text | TraitKind::Choice(_) => Alone::Refused(TEXT_TEST),
                TraitKind::Instant => Alone::Refused(TIME_TEST),
                TraitKind::Count
                | TraitKind::Number(_)
                | TraitKind::Money
                | TraitKind::Share
                | TraitKind::Days => Alone::Refused(NUMBER_TEST),
            },
            Operand::Aggregate(_) | Operand::Events(_) | Operand::Carts(_) => {
                Alone::Refused(NUMBER_TEST)
            }
            Operand::OrderTime(_) | Operand::EventTime(_) => Alone::Refused(TIME_TEST),
            Operand::Sequence(_) => Alone::Allowed,
        };
        let test = match operand {
            Operand::Sequence(_) => Test::Holds,
            _ => self
                .test(alone)
                .map_err(|error| self.with_hint_on_filter(error, &operand))?,
        };
        Ok(Condition {
            operand,
            test,
            span: start.to(self.last_span()),
        })
    }

    /// A hint for those who take the last comparison of a filter for that of the count.
    fn with_hint_on_filter(&self, error: RuleError, operand: &Operand) -> RuleError {
        let is_filtered = match operand {
            Operand::Events(aggregate) => {
                aggregate.of.filter.is_some() && aggregate.period.is_none()
            }
            Operand::Carts(carts) => carts.filter.is_some(),
            _ => false,
        };
        if !is_filtered || self.peek() != &TokenKind::End {
            return error;
        }
        error.hint("what stands after `where` belongs to the filter: the count has a comparison of its own, `where … >= 1`")
    }

    fn operand(&mut self) -> Result<Operand, RuleError> {
        let span = self.span();
        let TokenKind::Word(word) = *self.peek() else {
            return Err(self.unexpected("a condition such as `orders >= 3`"));
        };
        self.position += 1;
        let name = word.to_ascii_lowercase();
        match name.as_str() {
            "traits" if self.eat_sign(Sign::Dot) => Ok(Operand::Declared(
                self.name("the name of a column of the customers file")?,
            )),
            "account" if self.eat_sign(Sign::Dot) => Ok(Operand::Account(
                self.name("the name of a trait that `group` gives an account")?,
            )),
            "distinct" if self.is_at(1, "of") || self.peek_at(1) == &TokenKind::Sign(Sign::Dot) => {
                self.aggregate_of_property(EventMeasure::Distinct)
            }
            "distinct" => {
                let measure = self.distinct_measure()?;
                self.aggregate(measure)
            }
            "sum" => {
                self.expect("of")?;
                self.aggregate_of_property(EventMeasure::Sum)
            }
            "first" | "last" if self.is("order") => {
                self.position += 1;
                self.order_time(which_of(&name))
            }
            "first" | "last" if self.call_at(0, EventCall::singular).is_some() => {
                let call = self.call_at(0, EventCall::singular);
                self.position += 1;
                self.event_time(which_of(&name), call.unwrap_or(EventCall::Event))
            }
            "first" | "last" => {
                let error = self.unexpected("`order`, `event`, `page` or `screen`");
                Err(match self.call_at(0, EventCall::plural) {
                    Some(call) => error.hint(format!("did you mean `{name} {}`?", call.singular())),
                    None => error,
                })
            }
            "events" => self.event_aggregate(EventMeasure::Count, EventCall::Event),
            "pages" => self.event_aggregate(EventMeasure::Count, EventCall::Page),
            "screens" => self.event_aggregate(EventMeasure::Count, EventCall::Screen),
            "event" => self.sequence(EventCall::Event),
            "page" => self.sequence(EventCall::Page),
            "screen" => self.sequence(EventCall::Screen),
            "carts" => self.carts(),
            "orders" => self.aggregate(Measure::Orders),
            "revenue" => self.aggregate(Measure::Revenue),
            "items" => self.aggregate(Measure::Items),
            _ => {
                let Some(which) = Trait::named(&name) else {
                    return Err(unknown_operand(word).at(span));
                };
                let is_time_test = which.def().kind == TraitKind::Instant && self.is_current();
                if self.is("where") || (self.is_period() && !is_time_test) {
                    let error = self.unexpected("a comparison");
                    return Err(error.hint(
                        "only `orders`, `revenue`, `items`, `distinct …` and counts of events have a filter and a period",
                    ));
                }
                Ok(Operand::Trait(which))
            }
        }
    }

    /// A name, in quotes where it is no word.
    fn name(&mut self, expected: &str) -> Result<String, RuleError> {
        let name = match self.peek() {
            TokenKind::Word(word) => (*word).to_owned(),
            TokenKind::Text(text) if !text.is_empty() => text.clone(),
            _ => return Err(self.unexpected(expected)),
        };
        self.position += 1;
        Ok(name)
    }

    fn distinct_measure(&mut self) -> Result<Measure, RuleError> {
        for (word, measure) in [
            ("products", Measure::DistinctProducts),
            ("categories", Measure::DistinctCategories),
            ("brands", Measure::DistinctBrands),
        ] {
            if self.eat(word) {
                return Ok(measure);
            }
        }
        let error = self.unexpected("`products`, `categories` or `brands`");
        Err(error.hint("of events write `distinct product_id of events 'Product Viewed'`"))
    }

    fn aggregate(&mut self, measure: Measure) -> Result<Operand, RuleError> {
        let filter = self.optional_filter()?;
        let period = self.optional_period()?;
        if self.is("where") {
            let error = self.unexpected("a comparison such as `>= 1`");
            return Err(self.with_hint_on_rest(error));
        }
        Ok(match (measure, &filter, period) {
            (Measure::Orders, None, None) => Operand::Trait(Trait::Orders),
            (Measure::Revenue, None, None) => Operand::Trait(Trait::Revenue),
            (Measure::Items, None, None) => Operand::Trait(Trait::Items),
            _ => Operand::Aggregate(Aggregate {
                measure,
                filter,
                period,
            }),
        })
    }

    fn order_time(&mut self, which: WhichOrder) -> Result<Operand, RuleError> {
        let operand = match (self.optional_filter()?, which) {
            (Some(filter), which) => Operand::OrderTime(OrderTime { which, filter }),
            (None, WhichOrder::First) => Operand::Trait(Trait::FirstOrder),
            (None, WhichOrder::Last) => Operand::Trait(Trait::LastOrder),
        };
        if self.is("in") {
            return Err(self.period_of_time());
        }
        Ok(operand)
    }

    pub(super) fn test(&mut self, alone: Alone) -> Result<Test, RuleError> {
        if let TokenKind::Op(op) = *self.peek() {
            self.position += 1;
            return Ok(Test::Compare {
                op,
                value: self.literal()?,
            });
        }
        if self.eat("between") {
            let low = self.literal()?;
            self.expect("and")?;
            return Ok(Test::Between {
                low,
                high: self.literal()?,
            });
        }
        if self.is("in") && !self.is_period() {
            self.position += 1;
            return Ok(Test::In(self.list()?));
        }
        if self.is("not") && self.is_at(1, "in") && !self.is_at(2, "segment") {
            self.position += 2;
            return Ok(Test::NotIn(self.list()?));
        }
        if self.eat("contains") {
            return Ok(Test::Contains(self.literal()?));
        }
        if self.eat("starts") {
            self.expect("with")?;
            return Ok(Test::StartsWith(self.literal()?));
        }
        if self.eat("is") {
            return self.is_set();
        }
        if let Some(test) = self.time_test()? {
            return Ok(test);
        }
        match alone {
            Alone::Allowed if self.may_end_condition() => Ok(Test::Holds),
            Alone::Allowed => Err(self.no_test("a comparison, `and`, `or` or the end of the rule")),
            Alone::Refused(expected) => Err(self.no_test(expected)),
        }
    }

    /// True before what can follow a complete condition.
    fn may_end_condition(&self) -> bool {
        matches!(self.peek(), TokenKind::End | TokenKind::Sign(Sign::Close))
            || self.is("and")
            || self.is("or")
    }

    fn no_test(&self, expected: &str) -> RuleError {
        let error = self.unexpected(expected);
        let word = match self.peek() {
            TokenKind::Word(word) => word.to_ascii_lowercase(),
            _ => return error,
        };
        const TESTS: [&str; 12] = [
            "between", "contains", "starts", "before", "after", "within", "today", "this", "where",
            "on", "in", "is",
        ];
        match word.as_str() {
            "not" => error.hint("negate the whole condition: `not (country contains 'x')`"),
            "like" | "ilike" => error.hint("use `contains 'x'` or `starts with 'x'`"),
            "since" => error.hint("use `within 30 days` or `after 2026-01-31`"),
            other => match nearest(other, TESTS) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error,
            },
        }
    }

    pub(super) fn is_set(&mut self) -> Result<Test, RuleError> {
        let test = if self.eat("not") {
            Test::IsNotSet
        } else {
            Test::IsSet
        };
        if self.eat("set") {
            return Ok(test);
        }
        let error = self.unexpected("`set` or `not set`");
        Err(if self.is("null") {
            error.hint("write `is set` or `is not set`")
        } else {
            error
        })
    }

    fn list(&mut self) -> Result<Vec<Literal>, RuleError> {
        if let TokenKind::Number(number) = self.peek() {
            let error = self.unexpected("`(` and a list of values");
            return Err(error.hint(format!("a period is written `in last {number} …`")));
        }
        self.expect_sign(Sign::Open, "`(` and a list of values")?;
        let mut values = vec![self.literal()?];
        while self.eat_sign(Sign::Comma) {
            values.push(self.literal()?);
        }
        if !self.eat_sign(Sign::Close) {
            return Err(self.unexpected("`,` or `)`"));
        }
        Ok(values)
    }

    fn literal(&mut self) -> Result<Literal, RuleError> {
        let span = self.span();
        let value = match self.peek() {
            TokenKind::Number(number) => LiteralValue::Number(*number),
            TokenKind::Percent(number) => LiteralValue::Percent(*number),
            TokenKind::Text(text) => LiteralValue::Text(text.clone()),
            TokenKind::Date(date) => LiteralValue::Date(*date),
            TokenKind::Word(word) if word.eq_ignore_ascii_case("true") => LiteralValue::Flag(true),
            TokenKind::Word(word) if word.eq_ignore_ascii_case("false") => {
                LiteralValue::Flag(false)
            }
            TokenKind::Word(word) if !is_joint(word) => {
                let error = self.unexpected("a value");
                return Err(error.hint(format!("texts stand in quotes: '{word}'")));
            }
            TokenKind::Word(_) | TokenKind::Op(_) | TokenKind::Sign(_) | TokenKind::End => {
                return Err(self.unexpected("a value such as `3`, `99.90`, `60%` or `'abc'`"));
            }
        };
        self.position += 1;
        Ok(Literal { value, span })
    }

    /// True when `=` or `!=` with `true` or `false` stands here.
    pub(super) fn is_flag_comparison(&self) -> bool {
        matches!(
            self.peek(),
            TokenKind::Op(CompareOp::Equal | CompareOp::NotEqual)
        ) && (self.is_at(1, "true") || self.is_at(1, "false"))
    }
}

pub(super) fn is_joint(word: &str) -> bool {
    ["and", "or", "not"]
        .iter()
        .any(|joint| word.eq_ignore_ascii_case(joint))
}

fn which_of(name: &str) -> WhichOrder {
    match name {
        "first" => WhichOrder::First,
        _ => WhichOrder::Last,
    }
}

fn unknown_operand(word: &str) -> RuleError {
    let others = [
        "traits", "distinct", "everyone", "not", "in", "events", "event", "pages", "page",
        "screens", "screen", "sum", "carts",
    ];
    let names = Trait::all().iter().map(|def| def.name).chain(others);
    let error = RuleError::unknown("trait", word, names);
    match error.hint {
        Some(_) => error,
        None => error.hint(format!("columns of the customers file are `traits.{word}`")),
    }
}
