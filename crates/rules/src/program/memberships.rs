//! Sets of segments.

/// A set of segments of a program, by their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Memberships {
    bits: Vec<u64>,
}

impl Memberships {
    /// The empty set, for a program of so many segments.
    pub(super) fn none_of(segments: usize) -> Self {
        Self {
            bits: vec![0; segments.div_ceil(64)],
        }
    }

    /// True when `segment` is in the set.
    pub fn contains(&self, segment: usize) -> bool {
        self.bits[segment / 64] >> (segment % 64) & 1 == 1
    }

    /// Numbers of the segments in the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        ones(self.bits.iter().copied())
    }

    /// Numbers of the segments that are in one of the two sets only, ascending.
    pub fn differing<'s>(&'s self, other: &'s Self) -> impl Iterator<Item = usize> + 's {
        let pairs = self.bits.iter().zip(&other.bits);
        ones(pairs.map(|(one, other)| one ^ other))
    }

    /// Number of segments in the set.
    pub fn len(&self) -> usize {
        self.bits
            .iter()
            .map(|bits| bits.count_ones() as usize)
            .sum()
    }

    /// True when no segment is in the set.
    pub fn is_empty(&self) -> bool {
        self.bits.iter().all(|&bits| bits == 0)
    }

    /// Puts `segment` into the set or takes it out.
    pub fn set(&mut self, segment: usize, inside: bool) {
        let bit = 1 << (segment % 64);
        if inside {
            self.bits[segment / 64] |= bit;
        } else {
            self.bits[segment / 64] &= !bit;
        }
    }

    /// Makes it the same set as `other`, keeping its memory.
    pub fn copy_from(&mut self, other: &Self) {
        self.bits.clone_from(&other.bits);
    }

    pub(super) fn clear(&mut self) {
        self.bits.fill(0);
    }

    pub(crate) fn insert(&mut self, segment: usize) {
        self.bits[segment / 64] |= 1 << (segment % 64);
    }
}

/// Places of the bits that are set, ascending.
fn ones(words: impl Iterator<Item = u64>) -> impl Iterator<Item = usize> {
    words.enumerate().flat_map(|(word, bits)| {
        let rest = |bits: &u64| Some(bits & (bits - 1)).filter(|&rest| rest != 0);
        std::iter::successors(Some(bits).filter(|&bits| bits != 0), rest)
            .map(move |bits| word * 64 + bits.trailing_zeros() as usize)
    })
}
