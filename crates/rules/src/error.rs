//! What is wrong with a rule, where, and what would be right.
//!
//! One type for parsing and checking: both point at a place in the text. A tree that came as JSON
//! has no places; print it, parse the text and check that to get them.

mod nearest;

use std::fmt;

use crate::parse::{MAX_DEPTH, MAX_TEXT_BYTES};
use crate::tree::Span;

pub use nearest::nearest;

/// A rule that cannot be used: the problem, its place, and a way out.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleError {
    /// What is wrong.
    pub problem: RuleProblem,
    /// Where in the text; empty at 0 when the rule had no text.
    pub span: Span,
    /// What would have been right here.
    pub expected: Option<Box<str>>,
    /// What the author may have meant, or how to say it.
    pub hint: Option<Box<str>>,
}

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleProblem {
    /// Shorten the rule.
    #[error("the rule is {bytes} bytes long; the most is {MAX_TEXT_BYTES}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Nest less deeply.
    #[error("the rule is nested too deeply; the most is {MAX_DEPTH} levels")]
    TooDeep,
    /// Write something.
    #[error("the rule is empty")]
    Empty,
    /// Correct the spelling of a number, text, day or sign.
    #[error("{what}")]
    Malformed {
        /// What cannot be read.
        what: String,
    },
    /// Write what is expected here.
    #[error("unexpected {found}")]
    Unexpected {
        /// What stands here.
        found: String,
    },
    /// Correct the name.
    #[error("unknown {what} `{name}`")]
    UnknownName {
        /// A trait, a property, a segment, a setting.
        what: &'static str,
        /// The name as written.
        name: String,
    },
    /// Use a value of the right kind.
    #[error("`{operand}` is {kind} and cannot be compared with {found}")]
    WrongKind {
        /// What is compared.
        operand: String,
        /// The kind of its value.
        kind: &'static str,
        /// The kind of the literal.
        found: String,
    },
    /// Use a test that such values have.
    #[error("`{operand}` is {kind}: `{test}` does not apply")]
    WrongTest {
        /// What is tested.
        operand: String,
        /// The kind of its value.
        kind: &'static str,
        /// The test as written.
        test: String,
    },
    /// Use one of the values that the trait can have.
    #[error("`{operand}` is never `{value}`")]
    UnknownChoice {
        /// The trait.
        operand: String,
        /// The value as written.
        value: String,
    },
    /// Use a number within range.
    #[error("`{number}` {why}")]
    NumberRange {
        /// As written.
        number: String,
        /// What is wrong with it.
        why: String,
    },
    /// Swap the ends.
    #[error("nothing is between `{low}` and `{high}`: the first is greater")]
    EmptyRange {
        /// The lower end as written.
        low: String,
        /// The upper end as written.
        high: String,
    },
    /// Use a length from one second to 36,500 days.
    #[error("a length of time is from 1 second to 36500 days")]
    LengthRange,
    /// Correct the JSON.
    #[error("not a rule in JSON: {detail}")]
    Json {
        /// What is wrong.
        detail: String,
    },
}

impl RuleError {
    pub(crate) fn new(problem: RuleProblem) -> Self {
        Self {
            problem,
            span: Span::default(),
            expected: None,
            hint: None,
        }
    }

    pub(crate) fn at(mut self, span: Span) -> Self {
        self.span = span;
        self
    }

    pub(crate) fn expecting(mut self, expected: impl Into<Box<str>>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<Box<str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn has_hint(&self) -> bool {
        self.hint.is_some()
    }

    /// An unknown name, with the nearest of the known ones as hint.
    pub(crate) fn unknown<'a>(
        what: &'static str,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let error = Self::new(RuleProblem::UnknownName {
            what,
            name: name.to_owned(),
        });
        match nearest(name, known) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error,
        }
    }

    /// What is wrong with the line of `text` that it is about and a caret under the place.
    ///
    /// Plain text, several lines, without a final line break. `text` is the text that was parsed.
    pub fn render(&self, text: &str) -> String {
        let mut out = self.to_string();
        let (start, end) = (
            self.span.start.min(text.len()),
            self.span.end.min(text.len()),
        );
        if text.is_char_boundary(start) && text.is_char_boundary(end) && !text.is_empty() {
            let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
            let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
            let number = text[..start].matches('\n').count() + 1;
            let (before, under, after) =
                excerpt(text, line_start, start, end.min(line_end), line_end);
            let margin = " ".repeat(number.to_string().len());
            let indent = " ".repeat(before.chars().count());
            let carets = "^".repeat(under.chars().count().max(1));
            out.push_str(&format!(
                "\n{margin} |\n{number} | {before}{under}{after}\n{margin} | {indent}{carets}"
            ));
        }
        if let Some(hint) = &self.hint {
            out.push_str(&format!("\nhint: {hint}"));
        }
        out
    }
}

/// The line in three parts, shortened far from the place, with tabs as single spaces so that the
/// caret stands under it.
fn excerpt(
    text: &str,
    line_start: usize,
    start: usize,
    end: usize,
    line_end: usize,
) -> (String, String, String) {
    const KEPT: usize = 60;
    let plain = |part: &str| part.replace(|c: char| c.is_control(), " ");
    let before: Vec<char> = plain(&text[line_start..start]).chars().collect();
    let under: Vec<char> = plain(&text[start..end.max(start)]).chars().collect();
    let after: Vec<char> = plain(&text[end.max(start)..line_end.max(end)])
        .chars()
        .collect();
    let first = before.len().saturating_sub(KEPT);
    let before_text = if first > 0 { "…" } else { "" }.to_owned();
    let tail = |part: &[char]| {
        let dots = if part.len() > KEPT { "…" } else { "" };
        part.iter().take(KEPT).collect::<String>() + dots
    };
    (
        before_text + &before[first..].iter().collect::<String>(),
        tail(&under),
        tail(&after),
    )
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.problem)?;
        match &self.expected {
            Some(expected) => write!(f, ": expected {expected}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for RuleError {}
