//! One table of texts for readers on several threads.

use std::sync::{Mutex, MutexGuard, PoisonError};

use regulars_core::{Symbol, Symbols};

/// Interned texts that several threads add to.
///
/// The index of a text depends on which thread came first: compare texts, never indices. Readers
/// take the lock once for each dictionary of a file, not for each row.
#[derive(Debug, Default)]
pub struct SymbolTable {
    symbols: Mutex<Symbols>,
}

impl SymbolTable {
    /// A table that starts with `symbols`.
    pub fn new(symbols: Symbols) -> Self {
        Self {
            symbols: Mutex::new(symbols),
        }
    }

    /// The texts, when all threads are done.
    pub fn into_symbols(self) -> Symbols {
        self.symbols
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of the table as it is now (texts are shared, not copied).
    pub fn snapshot(&self) -> Symbols {
        self.lock().clone()
    }

    /// The symbol of `text`.
    pub fn intern(&self, text: &str) -> Symbol {
        self.lock().intern(text)
    }

    /// Replaces `into` by the symbols of `texts`, taking the lock once.
    pub fn intern_all<'t>(&self, texts: impl Iterator<Item = &'t str>, into: &mut Vec<Symbol>) {
        into.clear();
        self.append_all(texts, into);
    }

    /// Appends the symbols of `texts` to `into`, taking the lock once.
    pub fn append_all<'t>(&self, texts: impl Iterator<Item = &'t str>, into: &mut Vec<Symbol>) {
        let mut symbols = self.lock();
        into.extend(texts.map(|text| symbols.intern(text)));
    }

    /// Lets `read` look at the texts; other threads wait meanwhile.
    pub fn with<R>(&self, read: impl FnOnce(&Symbols) -> R) -> R {
        read(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Symbols> {
        // A panic while interning leaves at worst a text without an index: still consistent.
        self.symbols.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
