//! How often one customer entered or left each segment.

/// Transitions so far by segment; those without any are left out.
///
/// A million customers have it: each entry takes eight bytes, the number of the segment above the
/// 48 bits of its count, ascending.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sequences(Vec<u64>);

const COUNT_BITS: u32 = 48;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

impl Sequences {
    /// Transitions of a segment.
    pub(crate) fn of(&self, segment: usize) -> u64 {
        let found = self.position(segment).ok();
        found.map_or(0, |at| self.0[at] & COUNT_MASK)
    }

    /// Number and transitions of each segment that has had any.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u16, u64)> + '_ {
        let of_entry = |&entry: &u64| (segment_of(entry) as u16, entry & COUNT_MASK);
        self.0.iter().map(of_entry)
    }

    /// Counts a transition of a segment; gives its number.
    pub(crate) fn count_one(&mut self, segment: usize) -> u64 {
        let sequence = self.of(segment) + 1;
        self.set(segment, sequence);
        sequence
    }

    /// Sets the number of transitions of a segment.
    pub(crate) fn set(&mut self, segment: usize, sequence: u64) {
        let entry = (segment as u64) << COUNT_BITS | sequence & COUNT_MASK;
        match self.position(segment) {
            Ok(at) => self.0[at] = entry,
            Err(at) => {
                // Exactly as much as there is.
                self.0.reserve_exact(1);
                self.0.insert(at, entry);
            }
        }
    }

    fn position(&self, segment: usize) -> Result<usize, usize> {
        self.0
            .binary_search_by_key(&(segment as u64), |&entry| segment_of(entry))
    }
}

fn segment_of(entry: u64) -> u64 {
    entry >> COUNT_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_kept_by_segment_in_any_order_of_coming() {
        let mut sequences = Sequences::default();
        let counted = [9, 2, 65_535, 2].map(|segment| sequences.count_one(segment));
        assert_eq!(counted, [1, 1, 1, 2]);
        sequences.set(0, COUNT_MASK);
        assert_eq!(
            sequences.iter().collect::<Vec<_>>(),
            [(0, COUNT_MASK), (2, 2), (9, 1), (65_535, 1)]
        );
        assert_eq!((sequences.of(9), sequences.of(3)), (1, 0));
    }
}
