//! A rule in words.
/// A rule as an English sentence.
pub fn describe(rule: &crate::tree::Rule) -> String {
    rule.to_string()
}
