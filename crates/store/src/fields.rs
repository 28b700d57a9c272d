//! Reads the fields of a binary record one after the other.

/// What is left to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'b>(pub(crate) &'b [u8]);

impl<'b> Fields<'b> {
    /// The next `N` bytes; `None` when there are fewer.
    pub(crate) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    /// The next bytes, as many as asked for.
    pub(crate) fn slice(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// Bytes behind their length as u32.
    pub(crate) fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = u32::from_le_bytes(self.take()?);
        self.slice(length as usize)
    }

    /// A text behind its length as u32.
    pub(crate) fn str(&mut self) -> Option<&'b str> {
        std::str::from_utf8(self.bytes()?).ok()
    }
}
