//! What events say of carts.
//!
//! Changes come nearly in order: two requests that overtake each other are milliseconds apart. So
//! the latest changes are kept aside, and one that comes late is put in its place among them
//! ([`LatestChanges`]). Of somebody whose past is at hand all of them are kept ([`AllChanges`]).

use regulars_core::{Currency, HOUR_MS, Symbol, Timestamp};
use regulars_ingest::tracking::vocabulary::{Item, StandardEvent, cart_facts, cart_id};
use regulars_profile::{CartChange, CartItem, Carts};
use regulars_store::history::SymbolTable;

use super::orders::Orders;
use super::told::Told;

/// Changes that are kept aside, at least, when so many came within [`KEPT_MS`].
const KEPT: usize = 256;

/// Changes that are older than this when the next one comes are not kept aside.
const KEPT_MS: i64 = 2 * HOUR_MS;

/// A list shorter than this grows by one.
const FEW: usize = 4;

/// Changes of a block, at most, unless the carts before it have more products.
const BLOCK: usize = 256;

/// A change of carts that an event tells.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    at: Timestamp,
    offset: u64,
    cart: Option<Box<str>>,
    what: CartChange,
}

impl Change {
    /// An order of the history, which was of every cart.
    pub(super) fn ordered(at: Timestamp) -> Self {
        Self {
            at,
            offset: 0,
            cart: None,
            what: CartChange::Ordered,
        }
    }

    /// By what changes are sorted.
    fn key(&self) -> (Timestamp, u64) {
        (self.at, self.offset)
    }

    /// How much it takes: itself, and each item.
    fn entries(&self) -> usize {
        let items = match &self.what {
            CartChange::Add(items) | CartChange::Remove(items) | CartChange::Content(items) => {
                items.len()
            }
            CartChange::Ordered => 0,
        };
        1 + items
    }

    /// Brings `carts` up to date, each of which is open for `open_ms` after its last change.
    pub(super) fn apply(&self, carts: &mut Carts, open_ms: i64) {
        carts.change(self.cart.as_deref(), self.at, &self.what, open_ms);
    }
}

/// The latest changes, and the carts before them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct LatestChanges {
    before: Carts,
    /// By time, then offset.
    changes: Vec<Change>,
}

impl LatestChanges {
    /// Nothing is known of how these carts came to be.
    pub(super) fn unknown(carts: &Carts) -> Self {
        Self {
            before: carts.clone(),
            changes: Vec::new(),
        }
    }

    /// Takes in a change, in its place by time, and brings `carts` up to date; false when it
    /// happened before what is kept.
    pub(super) fn take(&mut self, change: Change, carts: &mut Carts, open_ms: i64) -> bool {
        let place = self
            .changes
            .partition_point(|known| known.key() < change.key());
        if place == 0 && self.before.changed_at() > Some(change.at) {
            return false;
        }
        if self.changes.len() < FEW {
            // Most customers have a few: exactly as much memory as they take.
            self.changes.reserve_exact(1);
        }
        if place == self.changes.len() {
            change.apply(carts, open_ms);
            self.changes.push(change);
        } else {
            self.changes.insert(place, change);
            carts.clone_from(&self.before);
            for change in &self.changes {
                change.apply(carts, open_ms);
            }
        }
        let latest = self.changes.last().map_or(Timestamp::MIN, |last| last.at);
        let is_old = |change: &Change| change.at < latest.plus_ms(-KEPT_MS);
        let settled = if self.changes.len() >= 2 * KEPT {
            KEPT
        } else {
            self.changes
                .iter()
                .take_while(|change| is_old(change))
                .count()
        };
        self.settle(settled, open_ms);
        true
    }

    /// Keeps the first `count` aside no more.
    fn settle(&mut self, count: usize, open_ms: i64) {
        for change in self.changes.drain(..count) {
            change.apply(&mut self.before, open_ms);
        }
    }
}

/// Every change of somebody's carts.
///
/// They lie in blocks, each with the carts before it. One that comes late is put in its place, and
/// the blocks after it are brought up to date as far as it makes a difference: an order ends what
/// was before it. The larger the carts the longer the blocks, so that those carts do not take more
/// than the changes.
#[derive(Debug, Clone, Default)]
pub(super) struct AllChanges {
    blocks: Vec<Block>,
    entries: usize,
}

#[derive(Debug, Clone, Default)]
struct Block {
    before: Carts,
    /// By time, then offset; not empty.
    changes: Vec<Change>,
}

impl Block {
    /// Changes that it has, at most.
    fn most(&self) -> usize {
        BLOCK.max(self.before.products())
    }
}

impl AllChanges {
    /// How much they take: each change and each of its items, and each product of the carts that lie
    /// between them.
    pub(super) fn entries(&self) -> usize {
        self.entries
    }

    /// Takes in a change, however late, and brings `carts` up to date; says whether it was late.
    pub(super) fn take(&mut self, change: Change, carts: &mut Carts, open_ms: i64) -> bool {
        self.entries += change.entries();
        let key = change.key();
        let last = self.blocks.last().and_then(|block| block.changes.last());
        if last.is_none_or(|last| last.key() < key) {
            self.push(change, carts, open_ms);
            return false;
        }
        let block = self
            .blocks
            .partition_point(|block| block.changes[0].key() <= key)
            .saturating_sub(1);
        let changes = &mut self.blocks[block].changes;
        changes.insert(changes.partition_point(|known| known.key() < key), change);
        self.bring_up_to_date(block, carts, open_ms);
        self.split(block, open_ms);
        true
    }

    fn push(&mut self, change: Change, carts: &mut Carts, open_ms: i64) {
        let before = &*carts;
        let has_room = |block: &&mut Block| block.changes.len() < block.most();
        match self.blocks.last_mut().filter(has_room) {
            Some(block) => block.changes.push(change.clone()),
            None => {
                self.entries += before.products();
                self.blocks.push(Block {
                    before: before.clone(),
                    changes: vec![change.clone()],
                });
            }
        }
        change.apply(carts, open_ms);
    }

    fn bring_up_to_date(&mut self, from: usize, carts: &mut Carts, open_ms: i64) {
        let mut now = self.blocks[from].before.clone();
        for block in from..self.blocks.len() {
            for change in &self.blocks[block].changes {
                change.apply(&mut now, open_ms);
            }
            if let Some(next) = self.blocks.get_mut(block + 1) {
                if next.before == now {
                    return;
                }
                self.entries += now.products();
                self.entries -= next.before.products();
                next.before = now.clone();
            }
        }
        *carts = now;
    }

    /// Makes two blocks of a large one.
    fn split(&mut self, block: usize, open_ms: i64) {
        let first = &mut self.blocks[block];
        if first.changes.len() <= first.most() {
            return;
        }
        let changes = first.changes.split_off(first.changes.len() / 2);
        let mut before = first.before.clone();
        for change in &first.changes {
            change.apply(&mut before, open_ms);
        }
        self.entries += before.products();
        self.blocks.insert(block + 1, Block { before, changes });
    }

    /// The latest of them.
    pub(super) fn into_latest(mut self, open_ms: i64) -> LatestChanges {
        let Block { before, changes } = self.blocks.pop().unwrap_or_default();
        let mut latest = LatestChanges { before, changes };
        latest.settle(latest.changes.len().saturating_sub(2 * KEPT), open_ms);
        latest.changes.shrink_to_fit();
        latest
    }
}

/// What an event says of carts.
pub(super) fn of(told: &Told, orders: &Orders, table: &SymbolTable) -> Option<Change> {
    let properties = &*told.event.properties;
    let at = told.event.occurred_at;
    let what = match told.what? {
        StandardEvent::ProductAdded | StandardEvent::WishlistProductAddedToCart => CartChange::Add,
        StandardEvent::ProductRemoved => CartChange::Remove,
        StandardEvent::CartViewed => CartChange::Content,
        StandardEvent::OrderCompleted => {
            return Some(Change {
                at,
                offset: told.offset,
                cart: cart_id(properties).as_deref().map(Box::from),
                what: CartChange::Ordered,
            });
        }
        _ => return None,
    };
    let facts = cart_facts(properties, orders.currency());
    let items = facts.items.iter();
    let items: Vec<CartItem> = items
        .map(|item| content(item, facts.currency, at, orders, table))
        .collect();
    if items.is_empty() && told.what == Some(StandardEvent::CartViewed) {
        return None;
    }
    Some(Change {
        at,
        offset: told.offset,
        cart: facts.cart_id.as_deref().map(Box::from),
        what: what(items),
    })
}

fn content(
    item: &Item<'_>,
    currency: Option<Currency>,
    at: Timestamp,
    orders: &Orders,
    table: &SymbolTable,
) -> CartItem {
    let product = item.key().or(item.name.as_deref());
    let unit_minor = item.price_minor.zip(currency);
    CartItem {
        product: product.map_or(Symbol::NONE, |text| table.intern(text.trim())),
        quantity: item.quantity.unwrap_or(1.0),
        unit_minor: unit_minor.and_then(|(minor, from)| orders.convert(minor, from, at)),
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    const OPEN_MS: i64 = 900;

    fn change(rng: &mut ChaCha8Rng, offset: u64) -> Change {
        let item = CartItem {
            product: Symbol(rng.random_range(1..4)),
            quantity: 1.0,
            unit_minor: Some(100),
        };
        let what = match rng.random_range(0..8) {
            0 => CartChange::Ordered,
            1 => CartChange::Remove(vec![item]),
            2 => CartChange::Content(vec![item]),
            _ => CartChange::Add(vec![item]),
        };
        Change {
            at: Timestamp(rng.random_range(0..40) * 100),
            offset,
            cart: ["a", "b"]
                .get(rng.random_range(0..3))
                .copied()
                .map(Box::from),
            what,
        }
    }

    /// The same as they are counted one by one.
    fn entries(all: &AllChanges) -> usize {
        let of_block = |block: &Block| {
            let changes = block.changes.iter().map(Change::entries);
            block.before.products() + changes.sum::<usize>()
        };
        all.blocks.iter().map(of_block).sum()
    }

    #[test]
    fn carts_between_changes_take_no_more_than_the_changes() {
        let (mut all, mut carts) = (AllChanges::default(), Carts::default());
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mut items = 0;
        for offset in 0..2_500 {
            let item = CartItem {
                product: Symbol(rng.random_range(0..5_000)),
                quantity: 1.0,
                unit_minor: None,
            };
            let change = Change {
                at: Timestamp(offset as i64 - 50 * i64::from(rng.random_bool(0.005))),
                offset,
                cart: Some(format!("{}", offset % 7).into()),
                what: CartChange::Add(vec![item; 2]),
            };
            items += change.entries();
            all.take(change, &mut carts, 1_000_000);
        }
        assert!(carts.products() > 1_500);
        assert_eq!(all.entries(), entries(&all));
        assert!(all.entries() <= 2 * items, "{} of {items}", all.entries());
        assert!(all.into_latest(1_000_000).changes.len() <= 2 * KEPT);
    }

    #[test]
    fn changes_in_whatever_order_come_to_the_same_carts() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (mut all, mut carts, mut came) = (AllChanges::default(), Carts::default(), Vec::new());
        for offset in 0..1_500 {
            let change = change(&mut rng, offset);
            came.push(change.clone());
            all.take(change, &mut carts, OPEN_MS);
            assert_eq!(all.entries(), entries(&all));
            if offset % 50 > 0 {
                continue;
            }
            came.sort_by_key(Change::key);
            let mut by_time = Carts::default();
            came.iter()
                .for_each(|change| change.apply(&mut by_time, OPEN_MS));
            assert_eq!(carts, by_time, "after {offset}");
        }
        assert!(all.blocks.len() > 4, "several blocks");
        let mut latest = all.into_latest(OPEN_MS);
        let next = Change::ordered(Timestamp(5_000));
        assert!(latest.take(next, &mut carts, OPEN_MS));
        assert_eq!(carts.open(), []);
    }
}
