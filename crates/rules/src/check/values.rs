//! Tests and literals, typed by the kind of what they are compared with.

use regulars_core::{CivilDate, Timestamp, TraitKind};

use super::Vocabulary;
use super::typed::{InstantTest, MILLIONTH_DIGITS, OrderedTest, TextTest, ValueTest, lower_case};
use crate::error::{RuleError, RuleProblem, nearest};
use crate::print::{print_literal, print_test};
use crate::tree::{CompareOp, Decimal, Literal, LiteralValue, Span, Test};

/// Kind of the value that is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Count,
    Days,
    Number,
    Money,
    Share,
    /// Pieces and sums over events, in millionths.
    Millionths,
    Text,
    Choice(&'static [&'static str]),
    Instant,
    Flag,
    /// Whatever the literal is.
    Declared,
    /// A number, a text or a flag, whatever the literal is: a property of an event.
    Property,
}

impl From<TraitKind> for Kind {
    fn from(kind: TraitKind) -> Self {
        match kind {
            TraitKind::Count => Self::Count,
            TraitKind::Number(_) => Self::Number,
            TraitKind::Money => Self::Money,
            TraitKind::Share => Self::Share,
            TraitKind::Days => Self::Days,
            TraitKind::Text => Self::Text,
            TraitKind::Choice(choices) => Self::Choice(choices),
            TraitKind::Instant => Self::Instant,
            TraitKind::Flag => Self::Flag,
        }
    }
}

impl Kind {
    fn describe(self) -> &'static str {
        match self {
            Self::Count => "a whole number",
            Self::Days => "a whole number of days",
            Self::Number | Self::Millionths => "a number",
            Self::Money => "an amount of money",
            Self::Share => "a share",
            Self::Text | Self::Choice(_) => "a text",
            Self::Instant => "a time",
            Self::Flag => "true or false",
            Self::Declared => "a declared trait",
            Self::Property => "a property of an event",
        }
    }
}

/// What is tested: its text, its kind, its place and the workspace it is in.
pub(super) struct Target<'a> {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) span: Span,
    pub(super) vocabulary: &'a Vocabulary,
}

impl Target<'_> {
    pub(super) fn typed(&self, test: &Test) -> Result<ValueTest, RuleError> {
        match test {
            Test::IsSet => Ok(ValueTest::IsSet),
            Test::IsNotSet => Ok(ValueTest::IsNotSet),
            Test::Holds => match self.kind {
                Kind::Flag | Kind::Declared | Kind::Property => Ok(ValueTest::Flag(true)),
                _ => Err(self.wrong_test(test)),
            },
            Test::Compare { op, value } => self.compare(test, *op, value),
            Test::Between { low, high } => self.between(test, low, high),
            Test::In(values) => self.list(test, values, ListTest::In, TextTest::In),
            Test::NotIn(values) => self.list(test, values, ListTest::NotIn, TextTest::NotIn),
            Test::Contains(text) => Ok(ValueTest::Text(TextTest::Contains(
                self.part_of_text(test, text)?,
            ))),
            Test::StartsWith(text) => Ok(ValueTest::Text(TextTest::StartsWith(
                self.part_of_text(test, text)?,
            ))),
            Test::BeforeAgo(length) => {
                self.instant(test, InstantTest::BeforeAgo { ms: length.ms() })
            }
            Test::Within(period) => self.instant(test, InstantTest::Within(period.window())),
            Test::Before(day) => self.instant(test, self.range(None, Some(day.date))),
            Test::After(day) => self.instant(test, self.range(Some(after(day.date)), None)),
            Test::On(day) => self.instant(test, self.range(Some(day.date), Some(after(day.date)))),
        }
    }

    /// The kind that a literal is read as: the target's, or for a declared trait or a property of
    /// an event its own.
    fn kind_for(&self, literal: &Literal) -> Kind {
        match (self.kind, &literal.value) {
            (Kind::Declared | Kind::Property, LiteralValue::Number(_)) => Kind::Number,
            (Kind::Declared | Kind::Property, LiteralValue::Percent(_)) => Kind::Share,
            (Kind::Declared | Kind::Property, LiteralValue::Text(_)) => Kind::Text,
            (Kind::Declared | Kind::Property, LiteralValue::Flag(_)) => Kind::Flag,
            (Kind::Declared, LiteralValue::Date(_)) => Kind::Instant,
            (kind, _) => kind,
        }
    }

    fn compare(&self, test: &Test, op: CompareOp, value: &Literal) -> Result<ValueTest, RuleError> {
        let kind = self.kind_for(value);
        match (kind, op) {
            (Kind::Flag, CompareOp::Equal | CompareOp::NotEqual) => {
                let flag = self.flag(value)?;
                Ok(ValueTest::Flag(flag == (op == CompareOp::Equal)))
            }
            (Kind::Text | Kind::Choice(_), CompareOp::Equal) => {
                Ok(ValueTest::Text(TextTest::In(vec![self.text(kind, value)?])))
            }
            (Kind::Text | Kind::Choice(_), CompareOp::NotEqual) => {
                Ok(ValueTest::Text(TextTest::NotIn(vec![
                    self.text(kind, value)?,
                ])))
            }
            (Kind::Flag | Kind::Text | Kind::Choice(_) | Kind::Instant, _) => {
                Err(self.wrong_test(test))
            }
            (Kind::Number | Kind::Share, _) => Ok(ValueTest::Number(OrderedTest::Compare(
                op,
                self.real(kind, value)?,
            ))),
            (
                Kind::Count
                | Kind::Days
                | Kind::Money
                | Kind::Millionths
                | Kind::Declared
                | Kind::Property,
                _,
            ) => Ok(ValueTest::Integer(OrderedTest::Compare(
                op,
                self.integer(kind, value)?,
            ))),
        }
    }

    fn between(&self, test: &Test, low: &Literal, high: &Literal) -> Result<ValueTest, RuleError> {
        let empty = || {
            let (low_text, high_text) = (print_literal(low), print_literal(high));
            let problem = RuleProblem::EmptyRange {
                low: low_text,
                high: high_text,
            };
            RuleError::new(problem).at(low.span.to(high.span))
        };
        let kind = self.kind_for(low);
        match kind {
            Kind::Flag | Kind::Text | Kind::Choice(_) => Err(self.wrong_test(test)),
            Kind::Instant => {
                let (first, last) = (self.day(low)?, self.day(high)?);
                if first > last {
                    return Err(empty());
                }
                self.instant(test, self.range(Some(first), Some(after(last))))
            }
            Kind::Number | Kind::Share => {
                let (low, high) = (self.real(kind, low)?, self.real(kind, high)?);
                if low > high {
                    return Err(empty());
                }
                Ok(ValueTest::Number(OrderedTest::Between(low, high)))
            }
            Kind::Count
            | Kind::Days
            | Kind::Money
            | Kind::Millionths
            | Kind::Declared
            | Kind::Property => {
                let (low, high) = (self.integer(kind, low)?, self.integer(kind, high)?);
                if low > high {
                    return Err(empty());
                }
                Ok(ValueTest::Integer(OrderedTest::Between(low, high)))
            }
        }
    }

    fn list(
        &self,
        test: &Test,
        values: &[Literal],
        ordered: ListTest,
        texts: fn(Vec<String>) -> TextTest,
    ) -> Result<ValueTest, RuleError> {
        let kind = values
            .first()
            .map_or(self.kind, |first| self.kind_for(first));
        match kind {
            Kind::Flag | Kind::Instant => Err(self.wrong_test(test)),
            Kind::Text | Kind::Choice(_) => {
                let values = values.iter().map(|value| self.text(kind, value));
                Ok(ValueTest::Text(texts(values.collect::<Result<_, _>>()?)))
            }
            Kind::Number | Kind::Share => {
                let values = values.iter().map(|value| self.real(kind, value));
                Ok(ValueTest::Number(
                    ordered.of(values.collect::<Result<_, _>>()?),
                ))
            }
            Kind::Count
            | Kind::Days
            | Kind::Money
            | Kind::Millionths
            | Kind::Declared
            | Kind::Property => {
                let values = values.iter().map(|value| self.integer(kind, value));
                Ok(ValueTest::Integer(
                    ordered.of(values.collect::<Result<_, _>>()?),
                ))
            }
        }
    }

    fn instant(&self, test: &Test, instant: InstantTest) -> Result<ValueTest, RuleError> {
        match self.kind {
            Kind::Instant | Kind::Declared => Ok(ValueTest::Instant(instant)),
            _ => Err(self.wrong_test(test)),
        }
    }

    /// From the start of the first day up to the start of the second.
    fn range(&self, from: Option<CivilDate>, until: Option<CivilDate>) -> InstantTest {
        let start = |day| self.vocabulary.zone.start_of(day);
        InstantTest::Range {
            from: from.map_or(Timestamp::MIN, start),
            until: until.map_or(Timestamp::MAX, start),
        }
    }

    fn integer(&self, kind: Kind, literal: &Literal) -> Result<i64, RuleError> {
        let LiteralValue::Number(number) = literal.value else {
            return Err(self.wrong_kind(literal));
        };
        let currency = self.vocabulary.currency;
        let (digits, why) = match kind {
            Kind::Money => (
                currency.exponent(),
                format!(
                    "has more than {} digits after the point ({currency})",
                    currency.exponent()
                ),
            ),
            Kind::Millionths => (
                MILLIONTH_DIGITS,
                "has more than 6 digits after the point".to_owned(),
            ),
            _ => (
                0,
                format!("is not whole: `{}` is {}", self.name, kind.describe()),
            ),
        };
        number
            .scaled(digits)
            .ok_or_else(|| out_of_range(literal, number, digits, why))
    }

    fn real(&self, kind: Kind, literal: &Literal) -> Result<f64, RuleError> {
        let value = match (literal.value.clone(), kind) {
            (LiteralValue::Number(number), _) => number.to_f64(),
            (LiteralValue::Percent(number), Kind::Share) => number.percent_to_f64(),
            _ => return Err(self.wrong_kind(literal)),
        };
        // A declared share may be on any scale; a standard one is from 0 to 1.
        if self.kind == Kind::Share && !(0.0..=1.0).contains(&value) {
            let problem = RuleProblem::NumberRange {
                number: print_literal(literal),
                why: "is no share: shares are from 0 to 1, or from 0% to 100%".to_owned(),
            };
            let error = RuleError::new(problem).at(literal.span);
            return Err(match literal.value {
                LiteralValue::Number(number) if (2.0..=100.0).contains(&value) => {
                    error.hint(format!("did you mean `{number}%`?"))
                }
                _ => error,
            });
        }
        Ok(value)
    }

    fn text(&self, kind: Kind, literal: &Literal) -> Result<String, RuleError> {
        let LiteralValue::Text(text) = &literal.value else {
            return Err(self.wrong_kind(literal));
        };
        if let Kind::Choice(choices) = kind
            && !choices.contains(&text.as_str())
        {
            let problem = RuleProblem::UnknownChoice {
                operand: self.name.clone(),
                value: text.clone(),
            };
            let error = RuleError::new(problem)
                .at(literal.span)
                .expecting(format!("one of '{}'", choices.join("', '")));
            return Err(match nearest(text, choices.iter().copied()) {
                Some(near) => error.hint(format!("did you mean '{near}'?")),
                None => error,
            });
        }
        Ok(text.clone())
    }

    fn part_of_text(&self, test: &Test, literal: &Literal) -> Result<String, RuleError> {
        match self.kind {
            Kind::Text | Kind::Choice(_) | Kind::Declared | Kind::Property => {
                match &literal.value {
                    LiteralValue::Text(text) => Ok(lower_case(text)),
                    _ => Err(self.wrong_kind(literal)),
                }
            }
            _ => Err(self.wrong_test(test)),
        }
    }

    fn flag(&self, literal: &Literal) -> Result<bool, RuleError> {
        match literal.value {
            LiteralValue::Flag(flag) => Ok(flag),
            _ => Err(self.wrong_kind(literal)),
        }
    }

    fn day(&self, literal: &Literal) -> Result<CivilDate, RuleError> {
        match literal.value {
            LiteralValue::Date(date) => Ok(date),
            _ => Err(self.wrong_kind(literal)),
        }
    }

    fn wrong_kind(&self, literal: &Literal) -> RuleError {
        let found = match literal.value {
            LiteralValue::Number(_) => "the number",
            LiteralValue::Percent(_) => "the share",
            LiteralValue::Text(_) => "the text",
            LiteralValue::Flag(_) => "the flag",
            LiteralValue::Date(_) => "the day",
        };
        let problem = RuleProblem::WrongKind {
            operand: self.name.clone(),
            kind: self.kind.describe(),
            found: format!("{found} {}", print_literal(literal)),
        };
        let example = match self.kind {
            Kind::Count | Kind::Days | Kind::Millionths | Kind::Number => "a number such as `3`",
            Kind::Money => "an amount in major units such as `99.90`",
            Kind::Share => "a share such as `0.6` or `60%`",
            Kind::Text | Kind::Choice(_) => "a text in quotes such as `'abc'`",
            Kind::Instant => "a day such as `2026-01-31`",
            Kind::Flag => "`true` or `false`",
            Kind::Declared => "a value of the same kind as the first",
            Kind::Property => "a number, a text in quotes, `true` or `false`",
        };
        RuleError::new(problem).at(literal.span).expecting(example)
    }

    fn wrong_test(&self, test: &Test) -> RuleError {
        let problem = RuleProblem::WrongTest {
            operand: self.name.clone(),
            kind: self.kind.describe(),
            test: print_test(test),
        };
        let hint = match self.kind {
            Kind::Text | Kind::Choice(_) => {
                "texts have `=`, `!=`, `in (…)`, `not in (…)`, `contains`, `starts with`, `is set`"
            }
            Kind::Instant => {
                "times have `before`, `after`, `on`, `between`, `within`, `is set`: \
                 `before 60 days ago`, `within 30 days`, `after 2026-01-31`"
            }
            Kind::Flag => "write it alone, with `not`, or with `= true` or `= false`",
            Kind::Count
            | Kind::Days
            | Kind::Number
            | Kind::Money
            | Kind::Share
            | Kind::Millionths => {
                "numbers have `=`, `!=`, `<`, `<=`, `>`, `>=`, `between`, `in (…)`"
            }
            Kind::Property => {
                "properties are numbers, texts and flags: they have comparisons, `in (…)`, \
                 `contains`, `starts with`, `is set`"
            }
            Kind::Declared => "days have `before`, `after`, `on`, `between`; texts `=`, `in (…)`",
        };
        RuleError::new(problem).at(self.span).hint(hint)
    }
}

/// `in` or `not in`, over numbers of either type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListTest {
    In,
    NotIn,
}

impl ListTest {
    fn of<T>(self, values: Vec<T>) -> OrderedTest<T> {
        match self {
            Self::In => OrderedTest::In(values),
            Self::NotIn => OrderedTest::NotIn(values),
        }
    }
}

fn after(day: CivilDate) -> CivilDate {
    CivilDate(day.0 + 1)
}

fn out_of_range(literal: &Literal, number: Decimal, digits: u32, why: String) -> RuleError {
    // A number that is too large has no digits too many: it fails at any scale.
    let why = if number.scaled(18).is_none() && number.scaled(0).is_some() && digits > 0 {
        "is too large".to_owned()
    } else {
        why
    };
    RuleError::new(RuleProblem::NumberRange {
        number: number.to_string(),
        why,
    })
    .at(literal.span)
}
