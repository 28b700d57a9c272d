//! The cells of some rows of a text file: one buffer of valid text, and where each cell lies.

use std::fmt;

/// Cells of rows of equal width.
#[derive(Default)]
pub(crate) struct Cells {
    text: String,
    /// Row by row: start and end of each cell in `text`.
    bounds: Vec<(u32, u32)>,
    lines: Vec<u64>,
    width: usize,
}

impl Cells {
    /// Takes cells whose bounds lie on the characters of `text`.
    pub(super) fn new(
        text: String,
        bounds: Vec<(u32, u32)>,
        lines: Vec<u64>,
        width: usize,
    ) -> Self {
        debug_assert_eq!(bounds.len(), lines.len() * width);
        Self {
            text,
            bounds,
            lines,
            width,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(crate) fn lines(&self) -> &[u64] {
        &self.lines
    }

    pub(crate) fn column(&self, position: usize) -> CellColumn<'_> {
        CellColumn {
            cells: self,
            position,
        }
    }
}

impl fmt::Debug for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cells({} rows of {})", self.lines.len(), self.width)
    }
}

/// One column of [`Cells`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct CellColumn<'a> {
    cells: &'a Cells,
    position: usize,
}

impl<'a> CellColumn<'a> {
    pub(crate) fn len(self) -> usize {
        self.cells.len()
    }

    /// The cell without the space around it.
    pub(crate) fn get(self, row: usize) -> &'a str {
        let (start, end) = self.cells.bounds[row * self.cells.width + self.position];
        let cell = &self.cells.text[start as usize..end as usize];
        trimmed(cell)
    }
}

/// A text without the space around it.
pub(crate) fn trimmed(text: &str) -> &str {
    // Most texts have nothing to trim: one look at both ends says so.
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(b'!'..=b'~'), Some(b'!'..=b'~')) | (None, _) => text,
        _ => text.trim(),
    }
}
