//! Which identity stands for which: a forest whose roots are the customers.
//!
//! An identity stands for at most one other. One that was parted stands for itself for ever, so that
//! what was undone is not done again by the next event that says the same.

use std::collections::HashMap;

use super::{IdentityId, IdentityKind};

type Table<T> = HashMap<IdentityId, T, foldhash::fast::FixedState>;

/// No identity: the vault never makes it.
pub(super) const NONE: IdentityId = IdentityId(0);

/// What an identity stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// For another.
    With(IdentityId),
    /// For itself, whatever comes.
    Apart,
}

/// How many names of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NameCounts {
    /// Ids of customers.
    pub customer_ids: u32,
    /// E-mail addresses.
    pub emails: u32,
    /// Anonymous ids.
    pub anonymous_ids: u32,
}

impl NameCounts {
    /// One name.
    pub(super) fn one(kind: Option<IdentityKind>) -> Self {
        let mut counts = Self::default();
        match kind {
            Some(IdentityKind::CustomerId) => counts.customer_ids = 1,
            Some(IdentityKind::Email) => counts.emails = 1,
            Some(IdentityKind::Anonymous) => counts.anonymous_ids = 1,
            None => {}
        }
        counts
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            customer_ids: self.customer_ids + other.customer_ids,
            emails: self.emails + other.emails,
            anonymous_ids: self.anonymous_ids + other.anonymous_ids,
        }
    }

    fn without(self, other: Self) -> Self {
        Self {
            customer_ids: self.customer_ids - other.customer_ids,
            emails: self.emails - other.emails,
            anonymous_ids: self.anonymous_ids - other.anonymous_ids,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Link {
    /// The identity itself for one that was parted.
    with: IdentityId,
    /// The next of those that stand for the same one.
    next: IdentityId,
}

/// What stands for an identity.
#[derive(Debug, Clone, Copy)]
struct Below {
    first: IdentityId,
    /// Names in all, on whatever way.
    names: NameCounts,
}

/// All links.
#[derive(Debug, Default)]
pub(super) struct Links {
    of: Table<Link>,
    below: Table<Below>,
}

impl Links {
    pub(super) fn get(&self, identity: IdentityId) -> Option<Seen> {
        let link = self.of.get(&identity)?;
        Some(if link.with == identity {
            Seen::Apart
        } else {
            Seen::With(link.with)
        })
    }

    /// The identities that one stands for, the nearest first.
    pub(super) fn above(&self, identity: IdentityId) -> impl Iterator<Item = IdentityId> {
        let next = |&identity: &IdentityId| match self.get(identity) {
            Some(Seen::With(next)) => Some(next),
            Some(Seen::Apart) | None => None,
        };
        std::iter::successors(Some(identity), next).skip(1)
    }

    /// The one that an identity stands for in the end.
    pub(super) fn root(&self, identity: IdentityId) -> IdentityId {
        self.above(identity).last().unwrap_or(identity)
    }

    /// An identity and all that stand for it.
    pub(super) fn along(&self, identity: IdentityId) -> Vec<IdentityId> {
        let mut found = vec![identity];
        let mut looked = 0;
        while let Some(&identity) = found.get(looked) {
            looked += 1;
            let mut next = self.below.get(&identity).map_or(NONE, |below| below.first);
            while next != NONE {
                found.push(next);
                next = self.of[&next].next;
            }
        }
        found
    }

    /// Names that stand for an identity.
    pub(super) fn names_below(&self, identity: IdentityId) -> NameCounts {
        let below = self.below.get(&identity);
        below.map_or_else(NameCounts::default, |below| below.names)
    }

    /// Lets `identity`, which has no link and the name `own`, stand for another, which does not
    /// stand for it.
    pub(super) fn join(&mut self, identity: IdentityId, own: NameCounts, with: IdentityId) {
        let names = own.and(self.names_below(identity));
        let nothing = Below {
            first: NONE,
            names: NameCounts::default(),
        };
        let next = self.below.get(&with).map_or(NONE, |below| below.first);
        self.of.insert(identity, Link { with, next });
        self.below.entry(with).or_insert(nothing).first = identity;
        let above: Vec<IdentityId> = self.above(identity).collect();
        for identity in above {
            let below = self.below.entry(identity).or_insert(nothing);
            below.names = below.names.and(names);
        }
    }

    /// Lets `identity`, which has the name `own`, stand for itself for ever.
    pub(super) fn part(&mut self, identity: IdentityId, own: NameCounts) {
        let names = own.and(self.names_below(identity));
        let above: Vec<IdentityId> = self.above(identity).collect();
        for above in &above {
            if let Some(below) = self.below.get_mut(above) {
                below.names = below.names.without(names);
            }
        }
        let apart = Link {
            with: identity,
            next: NONE,
        };
        let before = self.of.insert(identity, apart);
        let (Some(before), Some(&with)) = (before, above.first()) else {
            return;
        };
        let Some(below) = self.below.get_mut(&with) else {
            return;
        };
        if below.first == identity {
            below.first = before.next;
        } else {
            let mut at = below.first;
            while let Some(link) = self.of.get_mut(&at) {
                if link.next == identity {
                    link.next = before.next;
                    break;
                }
                at = link.next;
            }
        }
        if self.below[&with].first == NONE {
            self.below.remove(&with);
        }
    }

    /// Every link, in no order that means anything.
    pub(super) fn iter(&self) -> impl Iterator<Item = (IdentityId, Seen)> {
        self.of.iter().map(|(&identity, link)| {
            let seen = if link.with == identity {
                Seen::Apart
            } else {
                Seen::With(link.with)
            };
            (identity, seen)
        })
    }

    pub(super) fn len(&self) -> usize {
        self.of.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u64) -> IdentityId {
        IdentityId(n)
    }

    #[test]
    fn what_stands_for_what_is_found_in_both_directions() {
        let email = NameCounts::one(Some(IdentityKind::Email));
        let device = NameCounts::one(Some(IdentityKind::Anonymous));
        let mut links = Links::default();
        links.join(id(3), device, id(2));
        links.join(id(2), email, id(1));
        links.join(id(4), device, id(2));
        links.join(id(5), email, id(1));
        links.join(id(6), device, id(5));
        assert_eq!(links.root(id(3)), id(1));
        assert_eq!(links.above(id(3)).collect::<Vec<_>>(), [id(2), id(1)]);
        let mut along = links.along(id(1));
        along.sort_unstable();
        assert_eq!(along, [1, 2, 3, 4, 5, 6].map(id));
        let counts = links.names_below(id(1));
        assert_eq!((counts.emails, counts.anonymous_ids), (2, 3));
        links.part(id(2), email);
        assert_eq!(links.root(id(3)), id(2));
        assert_eq!(links.get(id(2)), Some(Seen::Apart));
        let counts = links.names_below(id(1));
        assert_eq!((counts.emails, counts.anonymous_ids), (1, 1));
        links.part(id(3), device);
        let mut along = links.along(id(2));
        along.sort_unstable();
        assert_eq!(along, [2, 4].map(id));
        assert_eq!(links.along(id(1)).len(), 3);
        links.part(id(6), device);
        links.part(id(5), email);
        assert_eq!(links.along(id(1)), [id(1)]);
        assert_eq!(links.names_below(id(1)), NameCounts::default());
    }
}
