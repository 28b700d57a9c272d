//! How identities come to stand for others, and stop.

use regulars_core::CustomerId;

use super::links::Seen;
use super::{IdentityId, IdentityKind, Vault};
use crate::StoreError;

/// Whose word it is that two names are one person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trust {
    /// That of a page or an app, which anybody can send: it merges no two customers who are known, and
    /// gives way to a server's.
    Client,
    /// That of a server of the shop, or of its files.
    Server,
}

/// What became of two names that were seen together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Linked {
    /// They stood for one customer before.
    Known,
    /// They stand for one customer from now on.
    Joined {
        /// The customer that is no more.
        from: CustomerId,
        /// The customer that took over.
        into: CustomerId,
    },
    /// An e-mail that stood for another customer leaves them.
    Parted(Parted),
    /// The first belongs to another customer, and the first link counts.
    OfAnother,
    /// The first stands for itself, whatever comes.
    Apart,
}

/// An identity that leaves a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parted {
    /// Itself and all that stand for it: they go along.
    pub along: Vec<IdentityId>,
    /// What it stood for, the nearest first: rows of theirs may lie there.
    pub through: Vec<IdentityId>,
    /// What it stands for from then on, by the word of a server against that of a client; `None` for
    /// itself.
    pub into: Option<IdentityId>,
}

/// An identity, what it stands for (itself: for ever), and by whose word.
pub(super) type NewLink = (IdentityId, IdentityId, Trust);

impl Vault {
    /// Notes that an identity was seen together with another that it may stand for: an e-mail with a
    /// customer id; any order, any number of times.
    ///
    /// An e-mail that was seen with a second customer stands for itself from then on. Of another
    /// identity than an e-mail the first link counts: a device that somebody else signs in on later
    /// does not take the first one's past along. A link that would go in a circle says nothing.
    ///
    /// For whom an e-mail or a previous id stands by the word of a client alone is as if nobody had said it
    /// once a server says for whom it does.
    pub fn link(&mut self, identity: IdentityId, with: IdentityId, trust: Trust) -> Linked {
        if self.links.root(identity) == self.links.root(with) {
            if trust == Trust::Server && identity != with {
                self.confirm(identity);
            }
            return Linked::Known;
        }
        match self.links.get(identity) {
            Some(Seen::Apart) => Linked::Apart,
            Some(Seen::With(..)) if self.gives_way(identity, trust) => {
                let parted = Parted {
                    into: Some(with),
                    ..self.leaving(identity)
                };
                let own = self.own_name(identity);
                self.links.leave(identity, own);
                self.links.join(identity, own, with, trust);
                self.new_links.push((identity, with, trust));
                self.note_parted(&parted);
                Linked::Parted(parted)
            }
            Some(Seen::With(..))
                if trust == Trust::Client
                    || self.kind_of(identity) != Some(IdentityKind::Email) =>
            {
                Linked::OfAnother
            }
            Some(Seen::With(..)) => {
                self.new_links.push((identity, with, trust));
                Linked::Parted(self.stand_apart(identity))
            }
            None => {
                let (from, into) = (CustomerId(identity.0), self.resolve(with));
                self.before.entry(identity).or_insert(from);
                self.links
                    .join(identity, self.own_name(identity), with, trust);
                self.new_links.push((identity, with, trust));
                Linked::Joined { from, into }
            }
        }
    }

    /// Whether an identity stands for another by the word of a client alone, which gives way to this.
    pub fn gives_way(&self, identity: IdentityId, trust: Trust) -> bool {
        let is_claimed = matches!(self.links.get(identity), Some(Seen::With(_, Trust::Client)));
        let gives_way = match self.kind_of(identity) {
            Some(IdentityKind::Email | IdentityKind::Previous) => true,
            Some(IdentityKind::CustomerId | IdentityKind::Anonymous) | None => false,
        };
        is_claimed && trust == Trust::Server && gives_way
    }

    /// Whom `alias` called so before, if it spoke of them, and whose word that is.
    pub fn called_before(&self, text: &str) -> Option<(IdentityId, Trust)> {
        let previous = self.lookup(IdentityKind::Previous, text)?;
        match self.links.get(previous)? {
            Seen::With(_, trust) => Some((previous, trust)),
            Seen::Apart => None,
        }
    }

    /// Whom a name is of: a previous id says no more than for whom it stands.
    pub fn said_of(&self, identity: IdentityId) -> IdentityId {
        let is_previous = self.kind_of(identity) == Some(IdentityKind::Previous);
        let stands_for = self.stands_for(identity).filter(|_| is_previous);
        stands_for.unwrap_or(identity)
    }

    /// Which of two is to stand for which when `alias` called an identity so before: a customer is never
    /// hidden behind the id of a device.
    pub fn by_alias(&self, identity: IdentityId, previous: IdentityId) -> (IdentityId, IdentityId) {
        let customer = self.links.root(previous);
        if self.is_anonymous(customer) && !self.is_anonymous(identity) {
            (customer, identity)
        } else {
            (identity, previous)
        }
    }

    /// The identity of a customer id that a file has, made if it is new: it stands for whom `alias` said,
    /// as if it had been known when `alias` said it.
    ///
    /// # Errors
    /// As [`Vault::lookup_or_mint`].
    pub fn customer_id(&mut self, value: &str) -> Result<IdentityId, StoreError> {
        let known = self.len();
        let identity = self.lookup_or_mint(IdentityKind::CustomerId, value)?;
        if self.len() > known
            && let Some((previous, trust)) = self.called_before(value)
        {
            let (one, other) = self.by_alias(identity, previous);
            if trust == Trust::Server || self.is_anonymous(one) {
                self.link(one, other, trust);
            }
        }
        Ok(identity)
    }

    fn confirm(&mut self, identity: IdentityId) {
        let own = self.own_name(identity);
        if let Some(with) = self.links.confirm(identity, own) {
            self.new_links.push((identity, with, Trust::Server));
        }
    }

    /// Lets an identity stand for itself for ever, with all that stand for it; `None` for one that
    /// stands for no other.
    pub fn part(&mut self, identity: IdentityId) -> Option<Parted> {
        let Some(Seen::With(..)) = self.links.get(identity) else {
            return None;
        };
        self.new_links.push((identity, identity, Trust::Server));
        Some(self.stand_apart(identity))
    }

    fn stand_apart(&mut self, identity: IdentityId) -> Parted {
        let parted = self.leaving(identity);
        self.links.part(identity, self.own_name(identity));
        self.note_parted(&parted);
        parted
    }

    /// What goes along with an identity that leaves whom it stands for, and through whom.
    fn leaving(&mut self, identity: IdentityId) -> Parted {
        let before = self.resolve(identity);
        self.before.entry(identity).or_insert(before);
        // Nothing lies under what `alias` called somebody before.
        let is_named = |&id: &IdentityId| self.kind_of(id) != Some(IdentityKind::Previous);
        let along = self.links.along(identity).into_iter();
        Parted {
            along: along.filter(|id| *id == identity || is_named(id)).collect(),
            through: self.links.above(identity).filter(is_named).collect(),
            into: None,
        }
    }

    /// Of one that stood for nobody when the transaction began nothing lies anywhere else.
    fn note_parted(&mut self, parted: &Parted) {
        let identity = parted.along[0];
        if self.before[&identity] != CustomerId(identity.0) {
            self.parted.push(parted.clone());
        }
    }

    /// Identities that left somebody for whom they stood when the transaction began, in order.
    pub fn parted(&self) -> &[Parted] {
        &self.parted
    }
}
