//! The names of the columns of a file, ready to be looked up.

use std::collections::HashMap;

use crate::Field;
use crate::field::{FieldKind, normalised, split_minor_units};
use crate::recognition::Form;

/// Positions of the columns by what they are called.
pub(super) struct Names<'f> {
    form: &'f Form,
    /// Positions by the name without case and punctuation.
    by_name: HashMap<String, Vec<usize>>,
    /// Positions by the name without its unit, of columns of minor units.
    by_stem: HashMap<String, Vec<usize>>,
}

impl<'f> Names<'f> {
    pub(super) fn of(form: &'f Form) -> Self {
        let mut names = Self {
            form,
            by_name: HashMap::new(),
            by_stem: HashMap::new(),
        };
        for (position, header) in form.names.iter().enumerate() {
            let name = normalised(header);
            if let Some(stem) = split_minor_units(&name) {
                let same = names.by_stem.entry(stem.to_owned()).or_default();
                same.push(position);
            }
            names.by_name.entry(name).or_default().push(position);
        }
        names
    }

    /// The columns that a known name may stand for, in the order of the file.
    pub(super) fn known_as(&self, name: &str, field: Field) -> Vec<usize> {
        let mut positions = self.by_name.get(name).cloned().unwrap_or_default();
        if field.kind() == FieldKind::Amount {
            positions.extend(self.by_stem.get(name).into_iter().flatten());
            positions.sort_unstable();
        }
        positions
    }

    /// A column by its header, by its header without case and punctuation, or as `column_3` or
    /// `3`.
    pub(super) fn position_of(&self, name: &str) -> Option<usize> {
        let wanted = normalised(name);
        let exact = self.form.names.iter().position(|header| header == name);
        exact
            .or_else(|| {
                let same = self.by_name.get(&wanted).filter(|_| !wanted.is_empty());
                same.and_then(|positions| positions.first().copied())
            })
            .or_else(|| {
                let number: usize = name.strip_prefix("column_").unwrap_or(name).parse().ok()?;
                number
                    .checked_sub(1)
                    .filter(|&position| position < self.form.names.len())
            })
    }
}
