//! Rules with placeholders: `{lifecycle.dormant_days}` stands for a setting.
//!
//! Ready-made segments are templates; values are put in before parsing, so that the rule that a
//! user sees, edits and is explained has the numbers that decide.

use crate::error::{RuleError, RuleProblem};
use crate::parse::parse;
use crate::tree::{Rule, Span};

/// A template that gives no rule, with the text that the error is about.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct TemplateError {
    /// The template, or the text with the values put in when that cannot be parsed.
    pub text: String,
    /// What is wrong with it.
    pub error: Box<RuleError>,
}

impl TemplateError {
    /// The error with the line that it is about and a caret under the place.
    pub fn render(&self) -> String {
        self.error.render(&self.text)
    }
}

/// Puts the value of each `{name}` into `text`. Quoted texts and comments are left alone.
///
/// # Errors
/// When `lookup` does not know a name, or a brace is not closed.
pub fn expand_template(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, RuleError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let kept = match first {
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |at| at + 2),
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '{' => 0,
            _ => first.len_utf8(),
        };
        if kept > 0 {
            out.push_str(&rest[..kept]);
            rest = &rest[kept..];
            continue;
        }
        let start = text.len() - rest.len();
        let Some(close) = rest.find('}') else {
            let problem = RuleProblem::Malformed {
                what: "the brace is not closed".to_owned(),
            };
            return Err(RuleError::new(problem)
                .at(Span::new(start, start + 1))
                .expecting("`}`"));
        };
        let name = rest[1..close].trim();
        let Some(value) = lookup(name) else {
            let problem = RuleProblem::UnknownName {
                what: "setting",
                name: name.to_owned(),
            };
            return Err(RuleError::new(problem).at(Span::new(start, start + close + 1)));
        };
        out.push_str(&value);
        rest = &rest[close + 1..];
    }
    Ok(out)
}

/// Puts values into a template and parses what comes out.
///
/// # Errors
/// Those of [`expand_template`] and [`parse`], each with the text that it points into.
pub fn parse_template(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Rule, TemplateError> {
    let about = |text: &str, error| TemplateError {
        text: text.to_owned(),
        error: Box::new(error),
    };
    let expanded = expand_template(text, lookup).map_err(|error| about(text, error))?;
    parse(&expanded).map_err(|error| about(&expanded, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        (name == "lifecycle.dormant_days").then(|| "60".to_owned())
    }

    #[test]
    fn values_are_put_in_and_texts_are_left_alone() {
        let text = "days_since_last_order >= {lifecycle.dormant_days} -- {x}\nor country = '{y}'";
        assert_eq!(
            expand_template(text, &lookup).unwrap(),
            "days_since_last_order >= 60 -- {x}\nor country = '{y}'"
        );
    }

    #[test]
    fn an_unknown_setting_is_named_and_shown() {
        let error = parse_template("orders >= {loyal.orders}", &lookup).unwrap_err();
        assert_eq!(
            error.render(),
            "unknown setting `loyal.orders`\n  |\n1 | orders >= {loyal.orders}\n  |           ^^^^^^^^^^^^^^"
        );
        assert!(parse_template("orders >= {oops", &lookup).is_err());
    }
}
