//! Whether two programs make the same of orders and events, so that states of one serve the other.
//!
//! Texts in filters are sets of symbols. So orders may be folded by a program that was compiled
//! before their texts were known, when the one that is compiled afterwards has the same sets.

use super::{Program, filter};

impl Program {
    /// True when both make the same states of the same orders and events.
    pub fn folds_alike(&self, other: &Self) -> bool {
        self.measures == other.measures && self.events == other.events && self.zone == other.zone
    }

    /// The texts that conditions on orders compare with, each at least once; `None` when one asks
    /// for a part of a text: which texts have it is known when all texts are.
    pub fn texts_compared(&self) -> Option<Vec<&str>> {
        let mut texts = Vec::new();
        let filters = self
            .measures
            .iter()
            .filter_map(|it| it.spec.filter.as_ref());
        for node in filters {
            if !filter::texts_compared(node, &mut texts) {
                return None;
            }
        }
        Some(texts)
    }
}
