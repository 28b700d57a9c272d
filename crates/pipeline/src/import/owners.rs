//! Whose an order is, when its versions name several customers.
//!
//! An order has one owner: the customer that its newest version names. Its versions under other
//! customers count for nothing and are taken out, as if the newer state had been imported alone.
//!
//! ```text
//! (order, customer) of this import ─┐ split by order, on disk
//! (order, customer) of the history ─┴─► orders with several customers (mostly none)
//!        their versions ─► the newest ─► what loses, in this import and in the history
//! ```
//!
//! Refunds from files of refunds, and credits without the lines of the order that they name, claim
//! nothing: they lie with the owner of their order, whoever that is ([`Followed`]).
//!
//! Customers of the history are those that identities stand for *after* this import.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use foldhash::fast::FixedState;
use regulars_core::{CustomerId, OrderKey, OrderStatus, Partition, RefundKey, Timestamp};
use regulars_store::history::{Family, VersionRow};
use regulars_store::spill::{Spill, Spilled};
use regulars_store::vault::{IdentityId, Vault};
use regulars_store::{Reassigned, Superseded, Transaction};

use crate::error::PipelineError;

const SPILL_BUDGET_BYTES: usize = 4 << 20;
const CLAIM_BYTES: usize = 16;
/// Claims that are gathered before they are noted.
pub(crate) const CLAIMS_AT_ONCE: usize = 8 << 10;

/// An order under a customer.
pub(crate) type Claim = (OrderKey, CustomerId);

/// A set of claims.
pub(crate) type Claims = HashSet<Claim, FixedState>;

/// Gathers the claims of an import, from several threads.
#[derive(Debug)]
pub(crate) struct ClaimBook(Mutex<Spill>);

impl ClaimBook {
    pub(crate) fn new(transaction: &Transaction<'_>) -> Result<Self, PipelineError> {
        let spill = transaction.spill(SPILL_BUDGET_BYTES)?;
        Ok(Self(Mutex::new(spill)))
    }

    /// Notes orders and the identities under which they came, in any order and any number of
    /// times.
    pub(crate) fn note(&self, claims: &[(OrderKey, IdentityId)]) -> Result<(), PipelineError> {
        let mut by_order = vec![Vec::new(); Partition::COUNT];
        for (order, identity) in claims {
            let bytes = &mut by_order[page_of(*order).index()];
            bytes.extend_from_slice(&order.0.to_le_bytes());
            bytes.extend_from_slice(&identity.0.to_le_bytes());
        }
        let mut spill = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (page, bytes) in Partition::all().zip(by_order) {
            spill.append(page, &bytes)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<Spilled, PipelineError> {
        let spill = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(spill.finish()?)
    }
}

/// Orders are split evenly: their keys are hashes.
pub(crate) fn page_of(order: OrderKey) -> Partition {
    Partition((order.0 >> 58) as u16)
}

/// What [`ClaimBook::note`] wrote.
fn noted(bytes: &[u8]) -> impl Iterator<Item = (OrderKey, IdentityId)> {
    let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("a word has 8 bytes"));
    let claims = bytes.chunks_exact(CLAIM_BYTES);
    claims.map(move |claim| (OrderKey(word(&claim[..8])), IdentityId(word(&claim[8..]))))
}

/// Claims with the identities under which they came.
type Named = (Claim, IdentityId);

fn claims_of(
    spilled: &Spilled,
    page: Partition,
    vault: &Vault,
) -> Result<Vec<Named>, PipelineError> {
    let bytes = spilled.read(page)?;
    let claim = |(order, identity)| ((order, vault.resolve(identity)), identity);
    let mut claims: Vec<Named> = noted(&bytes).map(claim).collect();
    claims.sort_unstable();
    claims.dedup();
    Ok(claims)
}

/// Orders that several customers claim.
#[derive(Debug, Default)]
pub(crate) struct Contested {
    orders: HashSet<OrderKey, FixedState>,
    /// Partitions of the claimants in this import.
    pub(crate) partitions: BTreeSet<Partition>,
}

/// Where a claim comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum From {
    Import,
    History,
}

/// Orders that files of refunds or credits without their lines name.
pub(crate) type Refunded = HashSet<OrderKey, FixedState>;

/// Finds the orders that several customers claim, within the import or together with the history,
/// and who claims those of which something was refunded: the orders of `refunded`, and those of
/// the import that have stored refunds or credits.
pub(crate) fn contested(
    book: ClaimBook,
    refunded: Refunded,
    transaction: &Transaction<'_>,
) -> Result<(Contested, Followed), PipelineError> {
    let vault = transaction.vault_ref()?;
    let new = book.finish()?;
    let mut followed = Followed {
        orders: refunded,
        ..Followed::default()
    };
    let stored = stored_claims(&new, &mut followed, transaction)?;
    let mut contested = Contested::default();
    for page in Partition::all() {
        let mut claims: Vec<(Claim, From)> = Vec::new();
        for (spilled, from) in [(&new, From::Import), (&stored, From::History)] {
            for (claim, identity) in claims_of(spilled, page, vault)? {
                followed.see(claim, identity);
                claims.push((claim, from));
            }
        }
        claims.sort_unstable();
        contested.add(&claims, &followed.orders);
    }
    Ok((contested, followed))
}

/// Whom refunds follow.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    /// Orders of which something was refunded.
    orders: Refunded,
    /// Stored refunds and credits: their order, and the customer and the partition with whom they lie.
    stored: Vec<(OrderKey, CustomerId, Partition)>,
    /// Who claims the orders.
    claims: HashMap<OrderKey, Vec<(CustomerId, IdentityId)>, FixedState>,
}

impl Followed {
    fn see(&mut self, (order, customer): Claim, identity: IdentityId) {
        if self.orders.contains(&order) {
            let claims = self.claims.entry(order).or_default();
            claims.push((customer, identity));
        }
    }

    /// The owner of an order and an identity that stands for them; `None` for an order that is
    /// not known. A customer id stands for its customer for good, so it goes before an address.
    pub(crate) fn owner(
        &self,
        order: OrderKey,
        settled: &Settled,
    ) -> Option<(CustomerId, IdentityId)> {
        let claims = self.claims.get(&order)?;
        let decided = settled.owners.get(&order).copied();
        // Not contested: all claims are of one customer.
        let owner = decided.or_else(|| claims.first().map(|(customer, _)| *customer))?;
        let of_owner = claims.iter().filter(|(customer, _)| *customer == owner);
        of_owner
            .copied()
            .min_by_key(|(customer, identity)| (identity.0 != customer.0, identity.0))
    }

    /// Stored refunds and credits that lie elsewhere than with the owner of their order.
    pub(crate) fn astray(&self, settled: &Settled) -> Vec<Reassigned> {
        let follow = |&(order, lies_with, partition): &(OrderKey, CustomerId, Partition)| {
            let (customer, identity) = self.owner(order, settled)?;
            (customer != lies_with).then_some(Reassigned {
                order,
                customer,
                identity,
                partition,
            })
        };
        self.stored.iter().filter_map(follow).collect()
    }
}

/// The claims of the history on orders that may be in the import as well; its refunds of such
/// orders are noted in `followed`.
fn stored_claims(
    new: &Spilled,
    followed: &mut Followed,
    transaction: &Transaction<'_>,
) -> Result<Spilled, PipelineError> {
    let history = transaction.history();
    let vault = transaction.vault_ref()?;
    let book = ClaimBook::new(transaction)?;
    let claimed: u64 = Partition::all().map(|page| new.bytes(page)).sum();
    let refunded = followed.orders.len() * CLAIM_BYTES;
    let nothing_asked = claimed == 0 && refunded == 0;
    if nothing_asked || history.summary(Family::Orders).rows == 0 {
        return book.finish();
    }
    let mut filter = Filter::for_bytes(claimed + refunded as u64);
    followed
        .orders
        .iter()
        .for_each(|&order| filter.insert(order));
    for page in Partition::all() {
        for (order, _) in noted(&new.read(page)?) {
            filter.insert(order);
        }
    }
    let mut claims = Vec::new();
    for partition in Partition::all() {
        let mut reader = history.versions(partition)?;
        while let Some(rows) = reader.next_customer()? {
            for row in rows.iter().filter(|row| filter.may_contain(row.order)) {
                if row.refund == RefundKey::NONE && !row.is_apart {
                    claims.push((row.order, row.identity));
                } else {
                    let lies_with = vault.resolve(row.identity);
                    followed.stored.push((row.order, lies_with, partition));
                }
            }
            if claims.len() >= CLAIMS_AT_ONCE {
                book.note(&claims)?;
                claims.clear();
            }
        }
    }
    book.note(&claims)?;
    followed.stored.sort_unstable();
    followed.stored.dedup();
    let orders = followed.stored.iter().map(|&(order, ..)| order);
    followed.orders.extend(orders);
    book.finish()
}

impl Contested {
    pub(crate) fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    pub(crate) fn contains(&self, order: OrderKey) -> bool {
        self.orders.contains(&order)
    }

    /// Notes the orders of the import, and those of `refunded`, with several customers; `claims`
    /// are sorted.
    fn add(&mut self, claims: &[(Claim, From)], refunded: &Refunded) {
        for same in claims.chunk_by(|a, b| a.0.0 == b.0.0) {
            let (order, customer) = same[0].0;
            let one_owner = same.iter().all(|((_, other), _)| *other == customer);
            let imported = same.iter().filter(|(_, from)| *from == From::Import);
            let concerned = imported.clone().next().is_some() || refunded.contains(&order);
            if one_owner || !concerned {
                continue;
            }
            self.orders.insert(order);
            self.partitions
                .extend(imported.map(|((_, customer), _)| customer.partition()));
        }
    }
}

/// Which orders may be among those of the import: 8 to 16 bits for each.
struct Filter {
    bits: Vec<u64>,
}

impl Filter {
    fn for_bytes(claims: u64) -> Self {
        let orders = (claims / CLAIM_BYTES as u64).max(64) as usize;
        Self {
            bits: vec![0; (orders * 8).next_power_of_two() / 64],
        }
    }

    fn place(&self, order: OrderKey) -> (usize, u64) {
        let bit = order.0 as usize & (self.bits.len() * 64 - 1);
        (bit / 64, 1 << (bit % 64))
    }

    fn insert(&mut self, order: OrderKey) {
        let (word, bit) = self.place(order);
        self.bits[word] |= bit;
    }

    fn may_contain(&self, order: OrderKey) -> bool {
        let (word, bit) = self.place(order);
        self.bits[word] & bit != 0
    }
}

/// A version of a contested order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claimant {
    pub(crate) order: OrderKey,
    pub(crate) customer: CustomerId,
    pub(crate) import: u64,
    pub(crate) updated_at: Option<Timestamp>,
    pub(crate) status: OrderStatus,
}

/// What becomes of contested orders.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// Versions of this import that do not count.
    pub(crate) new: Claims,
    /// Versions of the history that do not count any more.
    pub(crate) stored: Vec<Superseded>,
    /// Whose each contested order is.
    pub(crate) owners: HashMap<OrderKey, CustomerId, FixedState>,
}

/// Decides whose each contested order is; `new` are the versions of this import.
pub(crate) fn settle(
    contested: &Contested,
    new: Vec<Claimant>,
    transaction: &Transaction<'_>,
) -> Result<Settled, PipelineError> {
    let vault = transaction.vault_ref()?;
    let stored = stored_claimants(contested, transaction)?;
    let mut by_order: HashMap<OrderKey, Vec<Claimant>, FixedState> = HashMap::default();
    for claimant in new
        .iter()
        .chain(stored.iter().map(|(claimant, ..)| claimant))
    {
        by_order.entry(claimant.order).or_default().push(*claimant);
    }
    let name = |customer: CustomerId| vault.external_id(customer).unwrap_or_default();
    let owner_of: HashMap<OrderKey, CustomerId, FixedState> = by_order
        .iter()
        .map(|(&order, claimants)| (order, newest(claimants, &name).customer))
        .collect();
    let loses = |claimant: &Claimant| owner_of.get(&claimant.order) != Some(&claimant.customer);
    let new = new.iter().filter(|claimant| loses(claimant));
    let stored = stored.iter().filter(|(claimant, ..)| loses(claimant));
    Ok(Settled {
        new: new.map(|lost| (lost.order, lost.customer)).collect(),
        stored: stored
            .map(|&(lost, identity, partition)| Superseded {
                order: lost.order,
                identity,
                partition,
            })
            .collect(),
        owners: owner_of.clone(),
    })
}

/// How many more pairs of an order and a customer than orders there are.
pub(super) fn more_than_orders(claimants: &[Claimant]) -> u64 {
    let pairs = claimants.iter().map(|c| (c.order, c.customer));
    let pairs: BTreeSet<_> = pairs.collect();
    let orders: BTreeSet<_> = pairs.iter().map(|(order, _)| order).collect();
    (pairs.len() - orders.len()) as u64
}

/// The versions of contested orders in the history, with the identity under which they came and the
/// partition that they lie in.
fn stored_claimants(
    contested: &Contested,
    transaction: &Transaction<'_>,
) -> Result<Vec<(Claimant, IdentityId, Partition)>, PipelineError> {
    let (history, vault) = (transaction.history(), transaction.vault_ref()?);
    let is_contested = |row: &&VersionRow| {
        row.refund == RefundKey::NONE && !row.is_apart && contested.contains(row.order)
    };
    let mut claimants = Vec::new();
    for partition in Partition::all() {
        let mut reader = history.versions(partition)?;
        while let Some(rows) = reader.next_customer()? {
            for row in rows.iter().filter(is_contested) {
                let claimant = Claimant {
                    order: row.order,
                    customer: vault.resolve(row.identity),
                    import: row.import,
                    updated_at: row.updated_at,
                    status: row.status,
                };
                claimants.push((claimant, row.identity, partition));
            }
        }
    }
    Ok(claimants)
}

/// The newest version: of those that say when they were made the last made, then whichever of it
/// and the others was imported last; within one import the one further on its way, then the
/// customer whose name comes first.
fn newest<'t>(claimants: &[Claimant], name: &dyn Fn(CustomerId) -> &'t str) -> Claimant {
    let last = |a: &&Claimant, b: &&Claimant| {
        let key = |claimant: &Claimant| (claimant.import, claimant.updated_at, claimant.status);
        key(a)
            .cmp(&key(b))
            .then_with(|| name(b.customer).cmp(name(a.customer)))
    };
    let told = claimants.iter().filter(|c| c.updated_at.is_some());
    let last_made = told.max_by(|a, b| a.updated_at.cmp(&b.updated_at).then_with(|| last(a, b)));
    let untold = claimants.iter().filter(|c| c.updated_at.is_none());
    *untold
        .chain(last_made)
        .max_by(last)
        .expect("a contested order has versions")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimant(customer: u64, import: u64, updated_at: Option<i64>) -> Claimant {
        Claimant {
            order: OrderKey(1),
            customer: CustomerId(customer),
            import,
            updated_at: updated_at.map(Timestamp),
            status: OrderStatus::Placed,
        }
    }

    fn owner(claimants: &[Claimant]) -> u64 {
        let name = |customer: CustomerId| if customer.0 == 1 { "ann" } else { "bob" };
        let newest = newest(claimants, &name);
        let reversed: Vec<Claimant> = claimants.iter().rev().copied().collect();
        assert_eq!(super::newest(&reversed, &name), newest);
        newest.customer.0
    }

    #[test]
    fn the_newest_version_decides_whose_an_order_is() {
        assert_eq!(owner(&[claimant(1, 5, None), claimant(2, 6, None)]), 2);
        assert_eq!(
            owner(&[claimant(1, 5, Some(9)), claimant(2, 6, Some(8))]),
            1
        );
        assert_eq!(owner(&[claimant(1, 5, Some(9)), claimant(2, 6, None)]), 2);
        assert_eq!(owner(&[claimant(1, 6, Some(9)), claimant(2, 5, None)]), 1);
        // Nothing tells them apart: the name does, whatever the order.
        assert_eq!(owner(&[claimant(2, 5, None), claimant(1, 5, None)]), 1);
    }

    #[test]
    fn only_orders_with_several_customers_are_contested() {
        let mut contested = Contested::default();
        let at = |order, customer| (OrderKey(order), CustomerId(customer));
        let claims = [
            (at(1, 1), From::Import),
            (at(1, 1), From::History),
            (at(2, 1), From::Import),
            (at(2, 2), From::History),
            (at(3, 1), From::Import),
            (at(3, 2), From::Import),
            (at(4, 1), From::History),
            (at(4, 2), From::History),
            (at(5, 1), From::History),
            (at(5, 2), From::History),
        ];
        contested.add(&claims, &Refunded::from_iter([OrderKey(5)]));
        let mut orders: Vec<u64> = contested.orders.iter().map(|order| order.0).collect();
        orders.sort_unstable();
        assert_eq!(orders, [2, 3, 5]);
    }

    #[test]
    fn a_filter_never_forgets() {
        let mut filter = Filter::for_bytes(100 * CLAIM_BYTES as u64);
        let keys = (0..100_u64).map(|n| OrderKey(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        keys.clone().for_each(|key| filter.insert(key));
        assert!(keys.into_iter().all(|key| filter.may_contain(key)));
        let others = (1000..2000_u64).map(|n| OrderKey(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        assert!(others.filter(|&key| filter.may_contain(key)).count() < 200);
    }
}
