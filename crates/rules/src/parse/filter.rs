//! Filters: what stands after `where`.

use super::condition::Alone;
use super::lexer::{Sign, TokenKind};
use super::{Parser, single_or};
use crate::error::RuleError;
use crate::tree::{CartProperty, Filter, FilterCondition, Property, PropertyPath, Test};

/// What a filter asks questions about.
pub(super) trait Filtered: Sized {
    /// A property, for messages.
    const EXAMPLE: &'static str;

    /// A property and its test.
    fn condition(parser: &mut Parser<'_>) -> Result<(Self, Test), RuleError>;
}

impl Parser<'_> {
    pub(super) fn optional_filter<P: Filtered>(&mut self) -> Result<Option<Filter<P>>, RuleError> {
        if self.eat("where") {
            self.filter().map(Some)
        } else {
            Ok(None)
        }
    }

    /// Either everything in parentheses, or a chain of `and`.
    fn filter<P: Filtered>(&mut self) -> Result<Filter<P>, RuleError> {
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

    fn chained_property<P: Filtered>(&mut self) -> Result<Filter<P>, RuleError> {
        if self.is("not") || matches!(self.peek(), TokenKind::Sign(Sign::Open)) {
            let error = self.unexpected(&format!("a property such as {}", P::EXAMPLE));
            return Err(error.hint("put the whole filter in parentheses: `where (not …)`"));
        }
        self.property()
    }

    fn any_of_filter<P: Filtered>(&mut self) -> Result<Filter<P>, RuleError> {
        let mut filters = vec![self.all_of_filter()?];
        while self.eat("or") {
            filters.push(self.all_of_filter()?);
        }
        Ok(single_or(filters, Filter::Or))
    }

    fn all_of_filter<P: Filtered>(&mut self) -> Result<Filter<P>, RuleError> {
        let mut filters = vec![self.negated_filter()?];
        while self.eat("and") {
            filters.push(self.negated_filter()?);
        }
        Ok(single_or(filters, Filter::And))
    }

    fn negated_filter<P: Filtered>(&mut self) -> Result<Filter<P>, RuleError> {
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

    fn property<P: Filtered>(&mut self) -> Result<Filter<P>, RuleError> {
        let span = self.span();
        let (property, test) = P::condition(self)?;
        Ok(Filter::Property(FilterCondition {
            property,
            test,
            span: span.to(self.last_span()),
        }))
    }

    /// The word that stands here as one of the properties of that name; `also` may be meant too.
    fn named_property<P: Copy>(
        &mut self,
        all: &[P],
        name: fn(P) -> &'static str,
        also: Option<&'static str>,
        expected: &str,
    ) -> Result<P, RuleError> {
        let span = self.span();
        let TokenKind::Word(word) = *self.peek() else {
            return Err(self.unexpected(expected));
        };
        let lower = word.to_ascii_lowercase();
        let Some(&property) = all.iter().find(|&&known| name(known) == lower) else {
            let known = all.iter().map(|&known| name(known)).chain(also);
            let known: Vec<&str> = known.collect();
            let list = known.join("`, `");
            return Err(RuleError::unknown("property", word, known)
                .at(span)
                .expecting(format!("one of `{list}`")));
        };
        self.position += 1;
        Ok(property)
    }

    /// A property of an event: words or quoted texts with dots between.
    pub(super) fn property_path(&mut self) -> Result<PropertyPath, RuleError> {
        let mut path = String::new();
        loop {
            match self.peek() {
                TokenKind::Word(word) if path.is_empty() && super::condition::is_joint(word) => {
                    return Err(self.no_property_path());
                }
                TokenKind::Word(word) => path.push_str(word),
                TokenKind::Text(text) if !text.is_empty() => path.push_str(text),
                _ => return Err(self.no_property_path()),
            }
            self.position += 1;
            if !self.eat_sign(Sign::Dot) {
                return Ok(PropertyPath(path));
            }
            path.push('.');
        }
    }

    fn no_property_path(&self) -> RuleError {
        self.unexpected(&format!("a property such as {}", PropertyPath::EXAMPLE))
    }

    /// True before the test of a property of an event: such properties are no times, so what
    /// stands before a test of a time is a flag.
    fn is_property_test(&self) -> bool {
        matches!(self.peek(), TokenKind::Op(_))
            || (self.is("in") && !self.is_period())
            || (self.is("not") && self.is_at(1, "in"))
            || ["between", "contains", "starts", "is"]
                .iter()
                .any(|word| self.is(word))
    }
}

const NEEDS_TEST: Alone = Alone::Refused("a comparison such as `= 'abc'` or `>= 3`");

impl Filtered for Property {
    const EXAMPLE: &'static str = "`category`";

    fn condition(parser: &mut Parser<'_>) -> Result<(Self, Test), RuleError> {
        let expected = "a property such as `category`, `brand` or `channel`";
        let property = parser.named_property(&Self::ALL, Self::name, None, expected)?;
        // A flag alone may be followed by the test of the aggregate: `discounted >= 2`.
        let test = if property == Self::Discounted && !parser.is_flag_comparison() {
            if parser.eat("is") {
                parser.is_set()?
            } else {
                Test::Holds
            }
        } else {
            parser.test(NEEDS_TEST)?
        };
        Ok((property, test))
    }
}

impl Filtered for PropertyPath {
    const EXAMPLE: &'static str = "`product_id` or `address.'zip code'`";

    fn condition(parser: &mut Parser<'_>) -> Result<(Self, Test), RuleError> {
        let path = parser.property_path()?;
        let test = if parser.is_property_test() {
            parser.test(NEEDS_TEST)?
        } else {
            Test::Holds
        };
        Ok((path, test))
    }
}

impl Filtered for CartProperty {
    const EXAMPLE: &'static str = "`value`";

    fn condition(parser: &mut Parser<'_>) -> Result<(Self, Test), RuleError> {
        if parser.eat("idle") {
            parser.expect("for")?;
            return Ok((Self::Changed, Test::BeforeAgo(parser.length()?)));
        }
        let expected = "`value`, `items`, `idle for 2 hours` or `changed`";
        let property = parser.named_property(&Self::ALL, Self::name, Some("idle"), expected)?;
        let test = match property {
            Self::Value | Self::Items => NEEDS_TEST,
            Self::Changed => Alone::Refused("a test of a time such as `within 30 minutes`"),
        };
        Ok((property, parser.test(test)?))
    }
}
