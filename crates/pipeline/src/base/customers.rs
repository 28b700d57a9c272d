//! Everyone of a base, as the fold left them: one list for each partition.

use std::ops::{Index, Range};

use regulars_core::CustomerId;
use regulars_stats::Parallelism;
use regulars_stats::parallel::map_chunks;

use super::Folded;

/// Everyone, by canonical id: an order that means nothing to a user. Each has a position from 0
/// on.
#[derive(Debug, Clone, Default)]
pub struct Customers {
    /// By partition; each sorted by canonical id.
    parts: Vec<Vec<Folded>>,
    /// Position of each part's first customer.
    firsts: Vec<usize>,
    len: usize,
}

impl Customers {
    /// From one list for each partition.
    pub(crate) fn new(parts: Vec<Vec<Folded>>) -> Self {
        let mut len = 0;
        let firsts = parts.iter().map(|part| {
            len += part.len();
            len - part.len()
        });
        Self {
            firsts: firsts.collect(),
            len,
            parts,
        }
    }

    /// Number of customers.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Everyone, by position.
    pub fn iter(&self) -> impl Iterator<Item = &Folded> {
        self.parts.iter().flatten()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Folded> {
        self.parts.iter_mut().flatten()
    }

    /// Everyone, by position.
    pub(super) fn into_everyone(self) -> impl Iterator<Item = Folded> {
        self.parts.into_iter().flatten()
    }

    /// Those at a range of positions.
    pub fn range(&self, positions: Range<usize>) -> impl Iterator<Item = &Folded> {
        let firsts = self.firsts.iter().zip(&self.parts);
        firsts.flat_map(move |(&first, part)| {
            let within = |position: usize| position.saturating_sub(first).min(part.len());
            &part[within(positions.start)..within(positions.end)]
        })
    }

    /// Position of the customer of that id.
    pub fn position(&self, customer: CustomerId) -> Option<usize> {
        let partition = customer.partition().index();
        let part = self.parts.get(partition)?;
        let within = part
            .binary_search_by_key(&customer, |folded| folded.profile.customer)
            .ok()?;
        Some(self.firsts[partition] + within)
    }

    /// Gives runs of neighbouring customers, with the position of the first, to `run` on several
    /// threads; the results come in the order of customers.
    pub(crate) fn in_runs<T: Send>(
        &self,
        threads: usize,
        run: impl Fn(usize, &[Folded]) -> T + Sync,
    ) -> Vec<T> {
        let threads = Parallelism::threads(threads);
        map_chunks(self.parts.len(), 1, threads, |parts| {
            run(self.firsts[parts.start], &self.parts[parts.start])
        })
    }
}

impl Index<usize> for Customers {
    type Output = Folded;

    fn index(&self, position: usize) -> &Folded {
        let part = self.firsts.partition_point(|&first| first <= position) - 1;
        &self.parts[part][position - self.firsts[part]]
    }
}

#[cfg(test)]
mod tests {
    use regulars_core::Partition;
    use regulars_profile::Profile;

    use super::*;

    #[test]
    fn positions_run_through_the_parts() {
        let mut parts = vec![Vec::new(); Partition::COUNT];
        let mut ids: Vec<CustomerId> = (1..200_u64)
            .map(|n| CustomerId(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
            .filter(|id| id.partition().index() % 3 != 1)
            .collect();
        ids.sort_unstable_by_key(|id| (id.partition(), *id));
        for &id in &ids {
            parts[id.partition().index()].push(Folded::new(Profile::new(id)));
        }
        let customers = Customers::new(parts);
        assert_eq!(customers.len(), ids.len());
        let of = |folded: &Folded| folded.profile.customer;
        assert!(customers.iter().map(of).eq(ids.iter().copied()));
        for (position, id) in ids.iter().enumerate() {
            assert_eq!(customers.position(*id), Some(position));
            assert_eq!(of(&customers[position]), *id);
        }
        let some: Vec<CustomerId> = customers.range(5..60).map(of).collect();
        assert_eq!(some, ids[5..60]);
        let runs = customers.in_runs(3, |first, run| (first, run.len()));
        let mut expected = 0;
        for (first, len) in runs {
            assert_eq!(first, expected);
            expected += len;
        }
        assert_eq!(customers.position(CustomerId(0)), None);
    }
}
