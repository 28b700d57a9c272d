//! Ids: each its own type, so that one cannot be passed for another.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Canonical id of a customer: random, never derived from personal data.
///
/// Nothing that a user sees depends on its value or its order; it is unique
/// because the vault, which hands it out, checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CustomerId(pub u64);

impl CustomerId {
    /// Nobody: with whom refunds lie whose order is not known yet. No customer.
    pub const NOBODY: Self = Self(0);

    /// The partition that holds this customer's history.
    pub fn partition(self) -> Partition {
        // Canonical ids are random: their top bits are as good as a hash.
        Partition((self.0 >> (64 - Partition::BITS)) as u16)
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// One of the [`Partition::COUNT`] parts that customers are divided into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Partition(pub u16);

impl Partition {
    const BITS: u32 = 6;
    /// Fixed for ever: it is part of the layout of the history.
    pub const COUNT: usize = 1 << Self::BITS;

    /// All partitions, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT as u16).map(Self)
    }

    /// Position in an array of [`Partition::COUNT`] elements.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Identity of an order: a 64-bit hash of its source and the source's own order id.
///
/// The unit of repetition: two records with the same key are versions of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrderKey(pub u64);

/// Identity of a refund within its order: a 64-bit hash of the source's own refund id, or of what
/// the refund says where it has none.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct RefundKey(pub u64);

impl RefundKey {
    /// Of rows that are no refund from a file of refunds.
    pub const NONE: Self = Self(0);
}

/// A text that repeats (a product, a category, a channel), as an index into [`Symbols`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Symbol(pub u32);

impl Symbol {
    /// The absent text.
    pub const NONE: Self = Self(0);

    /// `None` for the absent text.
    pub fn known(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }
}

/// Interned texts. Index 0 is the absent text.
///
/// The index of a text depends on the order of interning: compare texts, never indices,
/// where an order can be seen by a user.
#[derive(Debug, Clone)]
pub struct Symbols {
    texts: Vec<Arc<str>>,
    indices: HashMap<Arc<str>, u32, foldhash::quality::RandomState>,
}

impl Default for Symbols {
    fn default() -> Self {
        Self {
            texts: vec![Arc::from("")],
            indices: HashMap::default(),
        }
    }
}

impl Symbols {
    /// The symbol of `text`; the empty text is [`Symbol::NONE`].
    pub fn intern(&mut self, text: &str) -> Symbol {
        if text.is_empty() {
            return Symbol::NONE;
        }
        if let Some(&index) = self.indices.get(text) {
            return Symbol(index);
        }
        let index = u32::try_from(self.texts.len()).expect("fewer than 2^32 distinct texts");
        let text: Arc<str> = Arc::from(text);
        self.texts.push(Arc::clone(&text));
        self.indices.insert(text, index);
        Symbol(index)
    }

    /// The symbol of `text`, if it has been interned.
    pub fn find(&self, text: &str) -> Option<Symbol> {
        if text.is_empty() {
            return Some(Symbol::NONE);
        }
        self.indices.get(text).copied().map(Symbol)
    }

    /// The text of `symbol`: empty for [`Symbol::NONE`].
    pub fn text(&self, symbol: Symbol) -> &str {
        &self.texts[symbol.0 as usize]
    }

    /// Takes over the texts that `other`, which began as a copy of this one, has had since: they
    /// keep their indices.
    pub fn catch_up(&mut self, other: &Self) {
        for (index, text) in other.texts.iter().enumerate().skip(self.texts.len()) {
            self.texts.push(Arc::clone(text));
            self.indices.insert(Arc::clone(text), index as u32);
        }
    }

    /// Number of texts, the absent one included.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// True when only the absent text is held.
    pub fn is_empty(&self) -> bool {
        self.texts.len() == 1
    }
}

/// Name of a segment: lower-case letters, digits and `_`, not starting with a digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SegmentName(Arc<str>);

/// A text that cannot name a segment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot name a segment: use lower-case letters, digits and `_`, starting with a letter"
)]
pub struct SegmentNameError(pub String);

impl SegmentName {
    /// Checks and takes a name.
    ///
    /// # Errors
    /// When `name` is empty, longer than 64 bytes or has any other character.
    pub fn new(name: &str) -> Result<Self, SegmentNameError> {
        let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase());
        let all_well = name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if starts_well && all_well && name.len() <= 64 {
            Ok(Self(Arc::from(name)))
        } else {
            Err(SegmentNameError(name.to_owned()))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SegmentName {
    type Error = SegmentNameError;

    fn try_from(name: String) -> Result<Self, SegmentNameError> {
        Self::new(&name)
    }
}

impl From<SegmentName> for String {
    fn from(name: SegmentName) -> Self {
        name.0.to_string()
    }
}
