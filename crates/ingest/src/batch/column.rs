//! Columns of texts. Their `Debug` shows sizes, never contents: they may be personal.

use std::fmt;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use regulars_core::Timestamp;

/// Texts of one column, one after the other in one buffer; empty means missing.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct TextColumn {
    texts: String,
    /// End of each text in `texts`; it begins where the one before ends.
    ends: Vec<usize>,
}

impl TextColumn {
    pub(crate) fn with_capacity(rows: usize, bytes: usize) -> Self {
        Self {
            texts: String::with_capacity(bytes),
            ends: Vec::with_capacity(rows),
        }
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.texts.push_str(text);
        self.ends.push(self.texts.len());
    }

    /// Ends the text that was written to [`Self::buffer`].
    pub(crate) fn finish_text(&mut self) {
        self.ends.push(self.texts.len());
    }

    /// Where the next text is written; [`Self::finish_text`] ends it.
    pub(crate) fn buffer(&mut self) -> &mut String {
        &mut self.texts
    }

    /// Text of row `row`; empty when missing.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn get(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.texts[start..self.ends[row]]
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All texts, in order of rows.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|row| self.get(row))
    }

    pub(crate) fn retain(&mut self, keep: &[bool]) {
        let mut kept = Self::with_capacity(self.len(), self.texts.len());
        for (text, _) in self.iter().zip(keep).filter(|&(_, &keep)| keep) {
            kept.push(text);
        }
        *self = kept;
    }
}

impl fmt::Debug for TextColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "TextColumn({} rows, {} bytes)",
            self.ends.len(),
            self.texts.len()
        )
    }
}

/// Texts that repeat: an index for each row into the distinct texts of this batch.
#[derive(Clone, PartialEq, Eq)]
pub struct DictColumn {
    /// One for each row; 0 means missing.
    pub keys: Vec<u32>,
    /// Distinct texts, in order of first appearance; the first is empty.
    pub texts: Vec<String>,
}

impl DictColumn {
    /// Text of row `row`; `None` when missing.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn get(&self, row: usize) -> Option<&str> {
        match self.keys[row] {
            0 => None,
            key => Some(&self.texts[key as usize]),
        }
    }
}

impl fmt::Debug for DictColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "DictColumn({} rows, {} texts)",
            self.keys.len(),
            self.texts.len() - 1
        )
    }
}

/// Makes a [`DictColumn`]: open addressing over the distinct texts, nothing allocated for a
/// text that was seen before.
pub(crate) struct DictBuilder {
    column: DictColumn,
    /// Key of the text in each slot, 0 for a free one; the length is a power of two.
    slots: Vec<u32>,
    hasher: FixedState,
}

impl DictBuilder {
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self {
            column: DictColumn {
                keys: Vec::with_capacity(rows),
                texts: vec![String::new()],
            },
            slots: vec![0; 64],
            hasher: FixedState::with_seed(0),
        }
    }

    /// Adds a row; gives its key.
    pub(crate) fn push(&mut self, text: &str) -> u32 {
        // Neighbouring rows often agree.
        let last = self.column.keys.last().copied().unwrap_or(0);
        let same = self.column.texts[last as usize] == text;
        let key = if same { last } else { self.key_of(text) };
        self.column.keys.push(key);
        key
    }

    /// Adds a row of a text that was added before.
    pub(crate) fn push_key(&mut self, key: u32) {
        self.column.keys.push(key);
    }

    fn key_of(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let slot = self.slot_of(text);
        if self.slots[slot] != 0 {
            return self.slots[slot];
        }
        let key = self.column.texts.len() as u32;
        self.column.texts.push(text.to_owned());
        self.slots[slot] = key;
        if self.column.texts.len() * 2 > self.slots.len() {
            self.grow();
        }
        key
    }

    /// The slot that holds `text`, or the free one where it belongs.
    fn slot_of(&self, text: &str) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = self.hasher.hash_one(text) as usize & mask;
        loop {
            match self.slots[slot] {
                0 => return slot,
                key if self.column.texts[key as usize] == text => return slot,
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    fn grow(&mut self) {
        self.slots = vec![0; self.slots.len() * 4];
        for key in 1..self.column.texts.len() {
            let slot = self.slot_of(&self.column.texts[key]);
            self.slots[slot] = key as u32;
        }
    }

    pub(crate) fn finish(self) -> DictColumn {
        self.column
    }
}

/// A declared trait: something that the shop says of its customers.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredColumn {
    /// Field name of a standard one (`country`, `consent`), else the header in `snake_case`.
    pub name: String,
    /// One value for each row.
    pub values: DeclaredValues,
}

/// Values of a declared trait, typed by the content of the whole column.
#[derive(Debug, Clone, PartialEq)]
pub enum DeclaredValues {
    /// Yes or no.
    Flag(Vec<Option<bool>>),
    /// A number.
    Number(Vec<Option<f64>>),
    /// A day or an instant.
    Date(Vec<Option<Timestamp>>),
    /// Anything else.
    Text(DictColumn),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dictionaries_give_back_their_texts() {
        let mut builder = DictBuilder::with_capacity(0);
        let text_of = |row: usize| format!("t{}", row % 777);
        for row in 0..5_000 {
            let text = if row % 10 == 0 {
                String::new()
            } else {
                text_of(row)
            };
            builder.push(&text);
        }
        let column = builder.finish();
        for row in 0..5_000 {
            let expected = (row % 10 != 0).then(|| text_of(row));
            assert_eq!(column.get(row), expected.as_deref(), "{row}");
        }
        assert!(column.texts.len() <= 778);
    }

    #[test]
    fn contents_are_never_in_debug_output() {
        let mut texts = TextColumn::default();
        texts.push("ann@example.com");
        texts.push("");
        let mut dict = DictBuilder::with_capacity(1);
        dict.push("Ann");
        assert_eq!(format!("{texts:?}"), "TextColumn(2 rows, 15 bytes)");
        assert_eq!(
            format!("{:?}", dict.finish()),
            "DictColumn(1 rows, 1 texts)"
        );
    }
}
