//! From text to tree.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;
pub const MAX_DEPTH: usize = 50;
/// Reads a rule.
pub fn parse(_text: &str) -> Result<crate::tree::Rule, crate::error::RuleError> {
    Err(crate::error::RuleError::new(
        crate::error::RuleProblem::Empty,
    ))
}
