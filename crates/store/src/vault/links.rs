//! Which identity stands for which: a forest whose roots are the customers.
//!
//! An identity stands for at most one other. One that was parted stands for itself for ever, so that
//! what was undone is not done again by the next event that says the same. Each link knows where its way
//! ends, so that nobody walks it for an event, however many customers turned out to be another; who moves
//! is told where it ends now. Each link is somebody's word:
//! what only a client said is counted apart, so that it keeps nothing from servers.

use std::collections::HashMap;

use super::{IdentityId, IdentityKind, Trust};

type Table<T> = HashMap<IdentityId, T, foldhash::fast::FixedState>;

/// No identity: the vault never makes it.
pub(super) const NONE: IdentityId = IdentityId(0);

/// What an identity stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// For another, by the word of somebody.
    With(IdentityId, Trust),
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
    const NONE: Self = Self {
        customer_ids: 0,
        emails: 0,
        anonymous_ids: 0,
    };

    /// One name.
    pub(super) fn one(kind: Option<IdentityKind>) -> Self {
        let mut counts = Self::default();
        match kind {
            Some(IdentityKind::CustomerId) => counts.customer_ids = 1,
            Some(IdentityKind::Email) => counts.emails = 1,
            Some(IdentityKind::Anonymous) => counts.anonymous_ids = 1,
            // Who was called so is counted, when they are known.
            Some(IdentityKind::Previous) | None => {}
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

    /// Those of these that are not among the others.
    #[must_use]
    pub(super) fn without(self, other: Self) -> Self {
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
    /// Where the way from here ends: the customer.
    root: IdentityId,
    trust: Trust,
}

impl Link {
    fn seen(self, identity: IdentityId) -> Seen {
        if self.with == identity {
            Seen::Apart
        } else {
            Seen::With(self.with, self.trust)
        }
    }
}

/// What stands for an identity.
#[derive(Debug, Clone, Copy)]
struct Below {
    first: IdentityId,
    /// Names in all, on whatever way.
    names: NameCounts,
    /// Those of them that stand for the next by the word of a client alone.
    claimed: NameCounts,
}

impl Below {
    const NOTHING: Self = Self {
        first: NONE,
        names: NameCounts::NONE,
        claimed: NameCounts::NONE,
    };
}

/// All links.
#[derive(Debug, Default)]
pub(super) struct Links {
    of: Table<Link>,
    below: Table<Below>,
    /// How many links were looked at.
    #[cfg(test)]
    looked_at: std::sync::atomic::AtomicU64,
}

impl Links {
    pub(super) fn get(&self, identity: IdentityId) -> Option<Seen> {
        Some(self.link(identity)?.seen(identity))
    }

    fn link(&self, identity: IdentityId) -> Option<&Link> {
        #[cfg(test)]
        self.looked_at
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.of.get(&identity)
    }

    /// The identities that one stands for, the nearest first.
    pub(super) fn above(&self, identity: IdentityId) -> impl Iterator<Item = IdentityId> {
        let next = |&identity: &IdentityId| match self.get(identity) {
            Some(Seen::With(next, _)) => Some(next),
            Some(Seen::Apart) | None => None,
        };
        std::iter::successors(Some(identity), next).skip(1)
    }

    /// The one that an identity stands for in the end.
    pub(super) fn root(&self, identity: IdentityId) -> IdentityId {
        self.link(identity).map_or(identity, |link| link.root)
    }

    /// Tells an identity and all that stand for it where their way ends.
    fn lead(&mut self, identity: IdentityId, root: IdentityId) {
        for below in self.along(identity) {
            if let Some(link) = self.of.get_mut(&below) {
                link.root = root;
            }
        }
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
        self.below(identity).names
    }

    /// Those of them that stand for the next by the word of a client alone.
    pub(super) fn claimed_below(&self, identity: IdentityId) -> NameCounts {
        self.below(identity).claimed
    }

    fn below(&self, identity: IdentityId) -> Below {
        let below = self.below.get(&identity);
        below.copied().unwrap_or(Below::NOTHING)
    }

    /// Lets `identity`, which stands for none and has the name `own`, stand for another, which does not
    /// stand for it.
    pub(super) fn join(
        &mut self,
        identity: IdentityId,
        own: NameCounts,
        with: IdentityId,
        trust: Trust,
    ) {
        let moved = self.below(identity);
        let next = self.below(with).first;
        let root = self.root(with);
        let link = Link {
            with,
            next,
            root,
            trust,
        };
        self.of.insert(identity, link);
        self.lead(identity, root);
        let of_with = self.below.entry(with).or_insert(Below::NOTHING);
        of_with.first = identity;
        let above: Vec<IdentityId> = self.above(identity).collect();
        for identity in above {
            let below = self.below.entry(identity).or_insert(Below::NOTHING);
            below.names = below.names.and(moved.names).and(own);
            below.claimed = below.claimed.and(moved.claimed);
            if trust == Trust::Client {
                below.claimed = below.claimed.and(own);
            }
        }
    }

    /// A server says what so far only a client said: that `identity`, which has the name `own`, stands
    /// for whom it stands for. Gives whom, if it was so.
    pub(super) fn confirm(&mut self, identity: IdentityId, own: NameCounts) -> Option<IdentityId> {
        let Some(Seen::With(with, Trust::Client)) = self.get(identity) else {
            return None;
        };
        self.of.get_mut(&identity)?.trust = Trust::Server;
        let above: Vec<IdentityId> = self.above(identity).collect();
        for identity in above {
            if let Some(below) = self.below.get_mut(&identity) {
                below.claimed = below.claimed.without(own);
            }
        }
        Some(with)
    }

    /// Lets `identity`, which has the name `own`, stand for itself for ever.
    pub(super) fn part(&mut self, identity: IdentityId, own: NameCounts) {
        self.leave(identity, own);
        let apart = Link {
            with: identity,
            next: NONE,
            root: identity,
            trust: Trust::Server,
        };
        self.of.insert(identity, apart);
    }

    /// Lets `identity`, which has the name `own`, stand for none, so that it may stand for another.
    pub(super) fn leave(&mut self, identity: IdentityId, own: NameCounts) {
        let moved = self.below(identity);
        let above: Vec<IdentityId> = self.above(identity).collect();
        let Some(left) = self.of.remove(&identity) else {
            return;
        };
        self.lead(identity, identity);
        for above in &above {
            if let Some(below) = self.below.get_mut(above) {
                below.names = below.names.without(moved.names).without(own);
                below.claimed = below.claimed.without(moved.claimed);
                if left.trust == Trust::Client {
                    below.claimed = below.claimed.without(own);
                }
            }
        }
        let Some(&with) = above.first() else {
            return;
        };
        let first = self.below(with).first;
        if first == identity {
            if left.next == NONE {
                self.below.remove(&with);
            } else if let Some(below) = self.below.get_mut(&with) {
                below.first = left.next;
            }
            return;
        }
        let mut at = first;
        while let Some(link) = self.of.get_mut(&at) {
            if link.next == identity {
                link.next = left.next;
                break;
            }
            at = link.next;
        }
    }

    /// Every link, in no order that means anything.
    pub(super) fn iter(&self) -> impl Iterator<Item = (IdentityId, Seen)> {
        let links = self.of.iter();
        links.map(|(&identity, link)| (identity, link.seen(identity)))
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
        let said = Trust::Server;
        links.join(id(3), device, id(2), said);
        links.join(id(2), email, id(1), said);
        links.join(id(4), device, id(2), said);
        links.join(id(5), email, id(1), said);
        links.join(id(6), device, id(5), said);
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

    #[test]
    fn what_clients_say_is_counted_apart_until_a_server_says_it() {
        let email = NameCounts::one(Some(IdentityKind::Email));
        let device = NameCounts::one(Some(IdentityKind::Anonymous));
        let mut links = Links::default();
        links.join(id(3), device, id(2), Trust::Client);
        links.join(id(2), email, id(1), Trust::Client);
        links.join(id(4), device, id(1), Trust::Server);
        let counts = |links: &Links| {
            let (all, claimed) = (links.names_below(id(1)), links.claimed_below(id(1)));
            let two = |counts: NameCounts| (counts.emails, counts.anonymous_ids);
            (two(all), two(claimed))
        };
        assert_eq!(counts(&links), ((1, 2), (1, 1)));
        assert_eq!(links.confirm(id(2), email), Some(id(1)));
        assert_eq!(links.confirm(id(2), email), None);
        assert_eq!(counts(&links), ((1, 2), (0, 1)));
        links.leave(id(2), email);
        assert_eq!(counts(&links), ((0, 1), (0, 0)));
        assert_eq!(links.get(id(2)), None);
        links.join(id(2), email, id(5), Trust::Server);
        assert_eq!(links.root(id(3)), id(5));
        let claimed = links.claimed_below(id(5));
        assert_eq!((claimed.emails, claimed.anonymous_ids), (0, 1));
    }

    #[test]
    fn whom_somebody_stands_for_takes_one_look_however_many_turned_out_to_be_another() {
        const MANY: u64 = 1_000;
        let name = NameCounts::one(Some(IdentityKind::CustomerId));
        let looks = |links: &Links, ask: &dyn Fn(u64)| {
            let looked_at = || links.looked_at.load(std::sync::atomic::Ordering::Relaxed);
            let before = looked_at();
            (1..=MANY).for_each(ask);
            looked_at() - before
        };
        // Each turns out to be the next, from the first one on or from the last one.
        for from_the_first in [true, false] {
            let mut links = Links::default();
            for n in 1..MANY {
                let n = if from_the_first { n } else { MANY - n };
                links.join(id(n), name, id(n + 1), Trust::Server);
            }
            let ask = |n| assert_eq!(links.root(id(n)), id(MANY));
            assert_eq!(looks(&links, &ask), MANY);
            links.part(id(500), name);
            let ask = |n| assert_eq!(links.root(id(n)), id(if n <= 500 { 500 } else { MANY }));
            assert_eq!(looks(&links, &ask), MANY);
            assert_eq!(links.names_below(id(MANY)).customer_ids, 499);
        }
    }
}
