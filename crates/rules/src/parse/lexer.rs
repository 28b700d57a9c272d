//! The words, numbers, texts, days and signs of a rule, with their places.

use std::fmt;
use std::str::FromStr;

use regulars_core::CivilDate;

use crate::error::{RuleError, RuleProblem};
use crate::tree::{CompareOp, Decimal, DecimalError, Span};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind<'a>,
    pub(super) span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind<'a> {
    Word(&'a str),
    Number(Decimal),
    Percent(Decimal),
    Date(CivilDate),
    Text(String),
    Op(CompareOp),
    Sign(Sign),
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Open,
    Close,
    Comma,
    Dot,
}

impl fmt::Display for TokenKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "`{word}`"),
            Self::Number(number) => write!(f, "the number `{number}`"),
            Self::Percent(number) => write!(f, "the share `{number}%`"),
            Self::Date(date) => write!(f, "the day `{date}`"),
            Self::Text(text) => write!(f, "the text '{text}'"),
            Self::Op(op) => write!(f, "`{}`", op.symbol()),
            Self::Sign(Sign::Open) => f.write_str("`(`"),
            Self::Sign(Sign::Close) => f.write_str("`)`"),
            Self::Sign(Sign::Comma) => f.write_str("`,`"),
            Self::Sign(Sign::Dot) => f.write_str("`.`"),
            Self::End => f.write_str("end of the rule"),
        }
    }
}

/// All tokens of a text; the last is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, RuleError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blanks_and_comments();
        let start = lexer.at;
        let kind = lexer.token()?;
        let is_end = kind == TokenKind::End;
        tokens.push(Token {
            kind,
            span: Span::new(start, lexer.at),
        });
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_blanks_and_comments(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with("--") && !trimmed.starts_with('#') {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    fn token(&mut self) -> Result<TokenKind<'a>, RuleError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(TokenKind::End);
        };
        let after_minus = rest.strip_prefix('-').unwrap_or(rest);
        match first {
            'a'..='z' | 'A'..='Z' | '_' => {
                let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
                Ok(TokenKind::Word(
                    self.take(rest.find(|c| !is_part(c)).unwrap_or(rest.len())),
                ))
            }
            '0'..='9' | '-' if after_minus.starts_with(|c: char| c.is_ascii_digit()) => {
                self.number_or_date()
            }
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number_or_date(),
            '\'' | '"' => self.quoted(first),
            _ => self.sign(),
        }
    }

    /// Moves on by `length` bytes and gives them.
    fn take(&mut self, length: usize) -> &'a str {
        let taken = &self.rest()[..length];
        self.at += length;
        taken
    }

    fn number_or_date(&mut self) -> Result<TokenKind<'a>, RuleError> {
        let start = self.at;
        if let Some(date) = self.date()? {
            return Ok(date);
        }
        let rest = self.rest();
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let minus = usize::from(rest.starts_with('-'));
        let length = rest[minus..]
            .find(|c| !is_number(c))
            .unwrap_or(rest.len() - minus)
            + minus;
        let written = self.take(length);
        let glued = self
            .rest()
            .chars()
            .next()
            .is_some_and(|c| c.is_alphanumeric() || c == '_');
        if glued {
            let length = self.rest().find(|c: char| !c.is_alphanumeric() && c != '_');
            self.take(length.unwrap_or(self.rest().len()));
            let what = format!("`{}` is no number", &self.text[start..self.at]);
            let error = self.malformed(start, what);
            return Err(error.hint("texts stand in quotes, units after a space"));
        }
        let number = Decimal::from_str(written).map_err(|error| {
            let malformed = self.malformed(start, format!("`{written}` is no number: {error}"));
            match error {
                DecimalError::NotANumber => {
                    malformed.hint("write it with a point and without separators: `1234.50`")
                }
                DecimalError::TooLong => malformed,
            }
        })?;
        if self.rest().starts_with('%') {
            self.at += 1;
            return Ok(TokenKind::Percent(number));
        }
        Ok(TokenKind::Number(number))
    }

    /// A day, when four digits and a minus stand here.
    fn date(&mut self) -> Result<Option<TokenKind<'a>>, RuleError> {
        let (start, rest) = (self.at, self.rest());
        let bytes = rest.as_bytes();
        let is_date = bytes.len() > 5
            && bytes[..4].iter().all(u8::is_ascii_digit)
            && bytes[4] == b'-'
            && bytes[5].is_ascii_digit();
        if !is_date {
            return Ok(None);
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == ':';
        let written = self.take(rest.find(|c| !is_part(c)).unwrap_or(rest.len()));
        match CivilDate::parse(written) {
            Some(date) => Ok(Some(TokenKind::Date(date))),
            None => {
                let error = self.malformed(start, format!("`{written}` is no day"));
                Err(error.expecting("a day such as `2026-01-31`"))
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<TokenKind<'a>, RuleError> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(length) = self.rest().find(quote) else {
                self.at = start + 1;
                let error = self.malformed(start, "the text is not closed".to_owned());
                return Err(error.expecting(format!("`{quote}` at its end")));
            };
            text.push_str(self.take(length));
            self.at += 1;
            if !self.rest().starts_with(quote) {
                return Ok(TokenKind::Text(text));
            }
            text.push(quote);
            self.at += 1;
        }
    }

    fn sign(&mut self) -> Result<TokenKind<'a>, RuleError> {
        const SIGNS: [(&str, TokenKind<'static>); 12] = [
            ("<=", TokenKind::Op(CompareOp::AtMost)),
            (">=", TokenKind::Op(CompareOp::AtLeast)),
            ("!=", TokenKind::Op(CompareOp::NotEqual)),
            ("<>", TokenKind::Op(CompareOp::NotEqual)),
            ("==", TokenKind::Op(CompareOp::Equal)),
            ("=", TokenKind::Op(CompareOp::Equal)),
            ("<", TokenKind::Op(CompareOp::Less)),
            (">", TokenKind::Op(CompareOp::Greater)),
            ("(", TokenKind::Sign(Sign::Open)),
            (")", TokenKind::Sign(Sign::Close)),
            (",", TokenKind::Sign(Sign::Comma)),
            (".", TokenKind::Sign(Sign::Dot)),
        ];
        let rest = self.rest();
        for (written, kind) in SIGNS {
            if rest.starts_with(written) {
                self.at += written.len();
                return Ok(kind);
            }
        }
        let (start, first) = (self.at, rest.chars().next().unwrap_or(' '));
        self.at += first.len_utf8();
        let error = self.malformed(start, format!("`{first}` means nothing here"));
        Err(match first {
            '‘' | '’' | '“' | '”' | '`' => {
                error.hint("texts stand in straight quotes: 'abc'")
            }
            '€' | '$' | '£' | '¥' => error.hint("amounts stand without the currency: `99.90`"),
            '{' | '}' => error.hint("settings in braces are for ready-made segments only"),
            '&' | '|' | '!' => error.hint("write `and`, `or`, `not`, `!=`"),
            _ => error,
        })
    }

    fn malformed(&self, start: usize, what: String) -> RuleError {
        RuleError::new(RuleProblem::Malformed { what }).at(Span::new(start, self.at))
    }
}
