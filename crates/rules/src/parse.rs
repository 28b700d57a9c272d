//! From text to tree.
//!
//! Keywords and names of traits may be in either case; `--` and `#` begin a comment that ends with
//! the line. `and` binds more closely than `or`, `not` more closely than both.
//!
//! ```text
//! rule       = any
//! any        = all { "or" all }
//! all        = negated { "and" negated }
//! negated    = "not" negated | primary
//! primary    = "(" any ")" | "everyone" | "in" "segment" NAME | condition
//! condition  = operand [ test ]                       no test: the operand is a flag and is true
//!
//! operand    = TRAIT
//!            | "traits" "." ( NAME | TEXT )           a declared trait
//!            | "account" "." ( NAME | TEXT )          a trait of the customer's account
//!            | measure [ "where" filter ] [ period ]  `orders`, `revenue` or `items` with neither is the trait
//!            | ( "first" | "last" ) "order" [ "where" filter ]
//!            | [ "sum" "of" PATH "of" | "distinct" PATH "of" ] some [ "where" filter ] [ period ]
//!            | ( "first" | "last" ) one [ "where" filter ]
//!            | one [ "where" filter ] "then" [ "not" ] one [ "where" filter ]
//!              [ "within" length ] [ period ]          a condition of its own, without a test;
//!                                                      only `not` can do without `within`
//!            | "carts" [ "where" filter ]
//! some       = ( "events" | "pages" | "screens" ) [ names ]
//! one        = ( "event" | "page" | "screen" ) [ names ]
//! names      = TEXT | "(" TEXT { "," TEXT } ")"
//! measure    = "orders" | "revenue" | "items" | "distinct" ( "products" | "categories" | "brands" )
//! period     = [ "in" ] current | "in" [ "the" ] last
//! current    = "today" | "this" ( "week" | "month" | "quarter" | "year" )
//! last       = "last" ( length | COUNT "calendar" ( "days" | "weeks" | "months" | "quarters" | "years" ) )
//! length     = COUNT ( "seconds" | "minutes" | "hours" | "days" | "weeks" )   all of these singular too
//!
//! test       = ( "=" | "!=" | "<>" | "<" | "<=" | ">" | ">=" ) literal
//!            | "between" literal "and" literal
//!            | [ "not" ] "in" "(" literal { "," literal } ")"
//!            | "contains" literal | "starts" "with" literal
//!            | "is" [ "not" ] "set"
//!            | "before" ( length "ago" | DATE ) | "after" DATE | "on" DATE
//!            | "within" ( [ [ "the" ] "last" ] length | [ "the" ] last ) | [ "within" ] current
//! literal    = NUMBER | NUMBER "%" | TEXT | DATE | "true" | "false"
//!
//! filter     = "(" any-of-properties ")"              `and`, `or`, `not`, parentheses as above
//!            | property-test { "and" property-test }
//! property-test = PROPERTY [ test ]                   of orders and carts: names that are known
//!            | PATH [ test ]                          of events
//!            | "idle" "for" length                    of carts: `changed before … ago`
//! PATH       = ( NAME | TEXT ) { "." ( NAME | TEXT ) }
//!
//! NUMBER     = [ "-" ] digits [ "." digits ]          COUNT = a NUMBER that is whole and positive
//! DATE       = YYYY-MM-DD
//! TEXT       = '…' or "…", the quote itself doubled
//! ```
//!
//! Without parentheses a filter is a chain of `and` only. There it cannot be confused with the rule
//! around it: an aggregate is not complete before its test, so an `and` before the test goes on
//! with the filter and an `and` after it with the rule. `discounted` in such a chain is a flag;
//! what follows it belongs to the aggregate, except `= true`, `= false` and `is [not] set`. A
//! property of an event may be anything: a comparison after it belongs to it.
//!
//! What always holds: every error has the place and what was expected there; no text, however long
//! or deeply nested, exhausts the stack.

mod condition;
mod event;
mod filter;
mod lexer;
mod time;

use regulars_core::SegmentName;

use crate::error::{RuleError, RuleProblem};
use crate::tree::{Decimal, Rule, SegmentRef, Span};

use lexer::{Sign, Token, TokenKind};

/// The longest text of a rule.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// The most levels of `and`, `or` and `not` below each other.
pub const MAX_DEPTH: usize = 50;

/// The most parentheses and `not`s within each other: enough to print any tree of [`MAX_DEPTH`].
const MAX_NESTING: usize = 3 * MAX_DEPTH;

/// Reads a rule.
///
/// # Errors
/// At the first place at which the text is no rule.
pub fn parse(text: &str) -> Result<Rule, RuleError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(RuleError::new(RuleProblem::TooLong { bytes: text.len() }));
    }
    let mut parser = Parser {
        tokens: lexer::tokens(text)?,
        position: 0,
        nesting: 0,
    };
    if parser.peek() == &TokenKind::End {
        let error = RuleError::new(RuleProblem::Empty);
        return Err(error.hint("`everyone` is the rule that all customers meet"));
    }
    let rule = parser.any()?;
    if parser.peek() != &TokenKind::End {
        let error = parser.unexpected("`and`, `or` or the end of the rule");
        return Err(parser.with_hint_on_rest(error));
    }
    rule.validate()
        .map_err(|error| error.at(Span::new(0, text.len().min(1))))?;
    Ok(rule)
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    position: usize,
    nesting: usize,
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Result<Rule, RuleError> {
        let first = self.all()?;
        let mut rules = vec![first];
        while self.eat("or") {
            rules.push(self.all()?);
        }
        Ok(single_or(rules, Rule::Or))
    }

    fn all(&mut self) -> Result<Rule, RuleError> {
        let first = self.negated()?;
        let mut rules = vec![first];
        while self.eat("and") {
            rules.push(self.negated()?);
        }
        Ok(single_or(rules, Rule::And))
    }

    fn negated(&mut self) -> Result<Rule, RuleError> {
        if !self.eat("not") {
            return self.primary();
        }
        self.nested(|parser| Ok(Rule::Not(Box::new(parser.negated()?))))
    }

    fn primary(&mut self) -> Result<Rule, RuleError> {
        if self.eat_sign(Sign::Open) {
            let rule = self.nested(Self::any)?;
            self.expect_sign(Sign::Close, "`)`")?;
            return Ok(rule);
        }
        if self.eat("everyone") {
            return Ok(Rule::Everyone);
        }
        if self.eat("in") {
            self.expect("segment")?;
            return Ok(Rule::InSegment(self.segment_name()?));
        }
        Ok(Rule::Condition(self.condition()?))
    }

    fn segment_name(&mut self) -> Result<SegmentRef, RuleError> {
        let span = self.span();
        let name = match self.peek() {
            TokenKind::Word(word) => (*word).to_owned(),
            TokenKind::Text(text) => text.clone(),
            _ => return Err(self.unexpected("the name of a segment")),
        };
        let name = SegmentName::new(&name).map_err(|error| {
            let problem = RuleProblem::Malformed {
                what: error.to_string(),
            };
            RuleError::new(problem).at(span)
        })?;
        self.position += 1;
        Ok(SegmentRef { name, span })
    }

    /// Runs `inside` one level deeper, so that no text can exhaust the stack.
    fn nested<T>(
        &mut self,
        inside: impl FnOnce(&mut Self) -> Result<T, RuleError>,
    ) -> Result<T, RuleError> {
        if self.nesting == MAX_NESTING {
            return Err(RuleError::new(RuleProblem::TooDeep).at(self.span()));
        }
        self.nesting += 1;
        let result = inside(self);
        self.nesting -= 1;
        result
    }

    fn peek(&self) -> &TokenKind<'a> {
        self.peek_at(0)
    }

    /// The token `ahead` of the next; the end is repeated for ever.
    fn peek_at(&self, ahead: usize) -> &TokenKind<'a> {
        &self.tokens[(self.position + ahead).min(self.tokens.len() - 1)].kind
    }

    fn span(&self) -> Span {
        self.tokens[self.position.min(self.tokens.len() - 1)].span
    }

    /// Span of the token before the next.
    fn last_span(&self) -> Span {
        self.tokens[self.position.saturating_sub(1).min(self.tokens.len() - 1)].span
    }

    fn is_at(&self, ahead: usize, keyword: &str) -> bool {
        matches!(self.peek_at(ahead), TokenKind::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn is(&self, keyword: &str) -> bool {
        self.is_at(0, keyword)
    }

    fn eat(&mut self, keyword: &str) -> bool {
        let is = self.is(keyword);
        self.position += usize::from(is);
        is
    }

    fn expect(&mut self, keyword: &str) -> Result<(), RuleError> {
        if self.eat(keyword) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{keyword}`")))
        }
    }

    fn eat_sign(&mut self, sign: Sign) -> bool {
        let is = matches!(self.peek(), TokenKind::Sign(found) if *found == sign);
        self.position += usize::from(is);
        is
    }

    fn expect_sign(&mut self, sign: Sign, expected: &str) -> Result<(), RuleError> {
        if self.eat_sign(sign) {
            return Ok(());
        }
        let error = self.unexpected(expected);
        Err(self.with_hint_on_rest(error))
    }

    fn number(&mut self, expected: &str) -> Result<Decimal, RuleError> {
        let TokenKind::Number(number) = *self.peek() else {
            return Err(self.unexpected(expected));
        };
        self.position += 1;
        Ok(number)
    }

    /// The error that the next token is not what was expected.
    fn unexpected(&self, expected: &str) -> RuleError {
        let problem = RuleProblem::Unexpected {
            found: self.peek().to_string(),
        };
        RuleError::new(problem).at(self.span()).expecting(expected)
    }

    /// A hint for what people write after a complete condition.
    fn with_hint_on_rest(&self, error: RuleError) -> RuleError {
        match self.peek() {
            TokenKind::Word(word) if word.eq_ignore_ascii_case("where") => error
                .hint("`where` stands before the period: `orders where … in last 90 days >= 1`"),
            TokenKind::Sign(Sign::Close) => error.hint("there is no `(` for this `)`"),
            TokenKind::Sign(Sign::Comma) => {
                error.hint("numbers have no separators between thousands: `1000`, not `1,000`")
            }
            _ => error,
        }
    }
}

/// One rule as it is, several in a list.
fn single_or<T>(mut rules: Vec<T>, list: fn(Vec<T>) -> T) -> T {
    if rules.len() == 1
        && let Some(rule) = rules.pop()
    {
        return rule;
    }
    list(rules)
}
