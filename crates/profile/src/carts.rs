//! Carts of one customer: what was put aside and not ordered yet.
//!
//! A cart is open from its first item until it is ordered, until it is empty, or until so long
//! after its last change. An order with the id of a cart orders that one and whatever is in no cart with an
//! id; an order that names no cart orders all. The clock of a cart is its own last change: what else
//! the customer does leaves it alone.
//!
//! What somebody can keep open has bounds, since a client may send what it likes:
//! [`Carts::MOST_CARTS`], each of [`Carts::MOST_PRODUCTS`].

use std::collections::BTreeMap;

use regulars_core::{Cart, Symbol, Timestamp};

/// Pieces below this are none: quantities are floats.
const NO_PIECES: f64 = 1e-9;

/// Some pieces of a product in a cart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CartItem {
    /// The product.
    pub product: Symbol,
    /// Pieces.
    pub quantity: f64,
    /// Price of one piece, in minor units of the workspace's currency; `None` when unknown.
    pub unit_minor: Option<i64>,
}

/// What happens to a cart.
#[derive(Debug, Clone, PartialEq)]
pub enum CartChange {
    /// Items are put in.
    Add(Vec<CartItem>),
    /// Items are taken out.
    Remove(Vec<CartItem>),
    /// This is what is in it.
    Content(Vec<CartItem>),
    /// It was ordered.
    Ordered,
}

/// The carts of a customer, as far as they may be open.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Carts {
    contents: Vec<Content>,
    /// The same, one by one, as conditions see them.
    open: Vec<Cart>,
    changed_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq)]
struct Content {
    /// The shop's id of it; of carts without ids there is one.
    id: Option<Box<str>>,
    changed_at: Timestamp,
    items: Vec<CartItem>,
}

impl Carts {
    /// Carts that are open at once; one more takes the place of the one that is unchanged for
    /// longest.
    pub const MOST_CARTS: usize = 100;
    /// Different products in a cart; one more is not put in. Pieces of those in it still change.
    pub const MOST_PRODUCTS: usize = 1_000;

    /// Those of a customer whose last order was of every cart.
    pub fn after_order(at: Timestamp) -> Self {
        Self {
            changed_at: Some(at),
            ..Self::default()
        }
    }

    /// The carts, the oldest first.
    pub fn open(&self) -> &[Cart] {
        &self.open
    }

    /// When any of them last changed.
    pub fn changed_at(&self) -> Option<Timestamp> {
        self.changed_at
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Different products in all of them, each counted in each cart.
    pub fn products(&self) -> usize {
        self.contents
            .iter()
            .map(|content| content.items.len())
            .sum()
    }

    /// Takes in the next change by time; a cart is open for `open_ms` after its last change.
    pub fn change(&mut self, id: Option<&str>, at: Timestamp, change: &CartChange, open_ms: i64) {
        self.changed_at = self.changed_at.max(Some(at));
        self.keep(|content| at < content.changed_at.plus_ms(open_ms));
        let when = (at, open_ms);
        match change {
            CartChange::Add(items) => self.edit(id, when, |content| content.add_all(items, 1.0)),
            CartChange::Remove(items) => {
                self.edit(id, when, |content| content.add_all(items, -1.0));
            }
            CartChange::Content(items) => self.edit(id, when, |content| {
                let before = std::mem::take(&mut content.items);
                content.add_all(items, 1.0);
                let differs = !is_same(&content.items, &before);
                if !differs {
                    content.items = before;
                }
                differs
            }),
            // It ends what an order that names `id`, or no cart, is of.
            CartChange::Ordered => self.keep(|content| {
                id.is_some() && content.id.is_some() && content.id.as_deref() != id
            }),
        }
    }

    /// Ends all carts but those of which `is_kept` is true.
    fn keep(&mut self, is_kept: impl Fn(&Content) -> bool) {
        let mut kept = self.contents.iter().map(&is_kept);
        self.open.retain(|_| kept.next() == Some(true));
        self.contents.retain(is_kept);
    }

    /// Changes the content of one cart by `edit`, which says whether it is another after it.
    fn edit(
        &mut self,
        id: Option<&str>,
        (at, open_ms): (Timestamp, i64),
        edit: impl FnOnce(&mut Content) -> bool,
    ) {
        let found = self
            .contents
            .iter()
            .position(|known| known.id.as_deref() == id);
        let Some(position) = found else {
            let mut content = Content {
                id: id.map(Box::from),
                changed_at: at,
                items: Vec::new(),
            };
            edit(&mut content);
            if !content.items.is_empty() {
                self.make_room();
                self.open.push(content.seen(open_ms));
                self.contents.push(content);
            }
            return;
        };
        let content = &mut self.contents[position];
        // To look at a cart is not to change it.
        if edit(content) {
            content.changed_at = at;
            self.open[position] = content.seen(open_ms);
        }
        if content.items.is_empty() {
            self.remove(position);
        }
    }

    /// Ends the cart that is unchanged for longest, of these the first, when there are as many as
    /// there may be.
    fn make_room(&mut self) {
        if self.contents.len() < Self::MOST_CARTS {
            return;
        }
        let by_change = self.contents.iter().enumerate();
        if let Some((oldest, _)) = by_change.min_by_key(|(_, content)| content.changed_at) {
            self.remove(oldest);
        }
    }

    fn remove(&mut self, position: usize) {
        self.contents.remove(position);
        self.open.remove(position);
    }
}

impl Content {
    /// Puts items in or takes them out; says whether the content is another after it.
    fn add_all(&mut self, items: &[CartItem], sign: f64) -> bool {
        // One item, as most often, tells of itself; several may make up for each other.
        if let [item] = items {
            let products = self.items.iter();
            let place = products
                .clone()
                .position(|known| known.product == item.product);
            let count = products.len();
            let differs = self.add(item, sign, (place, count)).1;
            self.take_out_empty();
            return differs;
        }
        let before = self.items.clone();
        // Where each product is: a search for each of many would look at all of them each time.
        let places = self.items.iter().zip(0..);
        let mut places: BTreeMap<Symbol, usize> =
            places.map(|(item, place)| (item.product, place)).collect();
        for item in items {
            let place = places.get(&item.product).copied();
            match self.add(item, sign, (place, places.len())).0 {
                Some(place) => places.insert(item.product, place),
                None => places.remove(&item.product),
            };
        }
        self.take_out_empty();
        !is_same(&self.items, &before)
    }

    /// Puts an item in or takes it out, of a product that is at a place among so many; gives where it
    /// is after it, if anywhere, and whether the content is another. What has no pieces left stays
    /// where it is, and is to be taken out.
    fn add(
        &mut self,
        item: &CartItem,
        sign: f64,
        (place, products): (Option<usize>, usize),
    ) -> (Option<usize>, bool) {
        let Some(place) = place else {
            let is_put_in =
                sign > 0.0 && item.quantity > NO_PIECES && products < Carts::MOST_PRODUCTS;
            if is_put_in {
                self.items.push(*item);
            }
            return (is_put_in.then(|| self.items.len() - 1), is_put_in);
        };
        let known = &mut self.items[place];
        let before = *known;
        known.quantity += sign * item.quantity;
        known.unit_minor = item.unit_minor.or(before.unit_minor);
        let is_in = known.quantity >= NO_PIECES;
        (is_in.then_some(place), !is_in || *known != before)
    }

    fn take_out_empty(&mut self) {
        self.items.retain(|item| item.quantity >= NO_PIECES);
    }

    fn seen(&self, open_ms: i64) -> Cart {
        let value = |item: &CartItem| {
            let unit_minor = item.unit_minor? as f64;
            Some((unit_minor * item.quantity).round_ties_even() as i64)
        };
        let mut values = self.items.iter().map(value);
        let value_minor = values.try_fold(0_i64, |sum, value| Some(sum.saturating_add(value?)));
        Cart {
            changed_at: self.changed_at,
            open_until: self.changed_at.plus_ms(open_ms),
            value_minor,
            items: self.items.iter().map(|item| item.quantity).sum(),
        }
    }
}

/// True when two contents have the same pieces of the same products at the same prices, each of which
/// is in them once: in which order somebody lists them says nothing.
fn is_same(one: &[CartItem], other: &[CartItem]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let by_product = |items: &[CartItem]| {
        let mut items = items.to_vec();
        items.sort_unstable_by_key(|item| item.product);
        items
    };
    one == other || by_product(one) == by_product(other)
}

#[cfg(test)]
mod tests {
    use regulars_core::DAY_MS;

    use super::*;

    const OPEN_MS: i64 = 30 * DAY_MS;

    fn item(product: u32, quantity: f64, unit_minor: i64) -> CartItem {
        CartItem {
            product: Symbol(product),
            quantity,
            unit_minor: Some(unit_minor),
        }
    }

    /// Value, pieces and last change of each open cart.
    fn seen(carts: &Carts) -> Vec<(Option<i64>, f64, i64)> {
        let cart = |cart: &Cart| (cart.value_minor, cart.items, cart.changed_at.0);
        carts.open().iter().map(cart).collect()
    }

    #[test]
    fn a_cart_is_open_until_it_is_ordered_or_empty() {
        let mut carts = Carts::default();
        let add = |items: &[CartItem]| CartChange::Add(items.to_vec());
        carts.change(Some("a"), Timestamp(1), &add(&[item(1, 2.0, 500)]), OPEN_MS);
        carts.change(Some("b"), Timestamp(2), &add(&[item(1, 1.0, 500)]), OPEN_MS);
        carts.change(None, Timestamp(3), &add(&[item(7, 1.0, 90)]), OPEN_MS);
        let three = [
            (Some(1000), 2.0, 1),
            (Some(500), 1.0, 2),
            (Some(90), 1.0, 3),
        ];
        assert_eq!(seen(&carts), three);
        // To look at a cart changes nothing, to take something out does.
        let looked = CartChange::Content(vec![item(1, 2.0, 500)]);
        carts.change(Some("a"), Timestamp(4), &looked, OPEN_MS);
        assert_eq!(seen(&carts), three);
        carts.change(
            Some("a"),
            Timestamp(5),
            &CartChange::Remove(vec![item(1, 1.0, 500)]),
            OPEN_MS,
        );
        assert_eq!(seen(&carts)[0], (Some(500), 1.0, 5));
        // An order of a cart is of what is in no cart with an id as well.
        carts.change(Some("b"), Timestamp(6), &CartChange::Ordered, OPEN_MS);
        assert_eq!(seen(&carts), [(Some(500), 1.0, 5)]);
        carts.change(None, Timestamp(6), &add(&[item(7, 1.0, 90)]), OPEN_MS);
        carts.change(Some("z"), Timestamp(6), &CartChange::Ordered, OPEN_MS);
        assert_eq!(seen(&carts), [(Some(500), 1.0, 5)]);
        carts.change(
            Some("a"),
            Timestamp(7),
            &CartChange::Remove(vec![item(1, 9.0, 500)]),
            OPEN_MS,
        );
        assert_eq!(seen(&carts), []);
        carts.change(Some("c"), Timestamp(8), &add(&[item(2, 1.0, 10)]), OPEN_MS);
        carts.change(None, Timestamp(8), &add(&[item(3, 1.0, 10)]), OPEN_MS);
        carts.change(None, Timestamp(9), &CartChange::Ordered, OPEN_MS);
        assert_eq!(seen(&carts), []);
        assert_eq!(carts.changed_at(), Some(Timestamp(9)));
    }

    #[test]
    fn a_cart_that_is_listed_in_another_order_is_unchanged() {
        let mut carts = Carts::default();
        let (one, two) = (item(1, 2.0, 500), item(2, 1.0, 70));
        let mut change =
            |at: i64, change: CartChange| carts.change(Some("a"), Timestamp(at), &change, OPEN_MS);
        change(1, CartChange::Content(vec![one, two]));
        change(2, CartChange::Content(vec![two, one]));
        // Nor does it matter how often a product is listed, or that it was taken out and put in again.
        let half = item(1, 1.0, 500);
        change(3, CartChange::Content(vec![half, two, half]));
        change(4, CartChange::Add(vec![item(1, -2.0, 500), one]));
        let unchanged = carts.clone();
        assert_eq!(seen(&carts), [(Some(1_070), 3.0, 1)]);
        // Other pieces, another price and another product are another content.
        for content in [
            vec![two, item(1, 3.0, 500)],
            vec![two, item(1, 2.0, 499)],
            vec![two, item(3, 2.0, 500)],
        ] {
            let mut carts = unchanged.clone();
            let change = CartChange::Content(content);
            carts.change(Some("a"), Timestamp(5), &change, OPEN_MS);
            assert_eq!(seen(&carts)[0].2, 5, "{change:?}");
        }
    }

    #[test]
    fn a_cart_without_a_price_has_no_value() {
        let mut carts = Carts::default();
        let unknown = CartItem {
            unit_minor: None,
            ..item(2, 1.0, 0)
        };
        carts.change(
            None,
            Timestamp(1),
            &CartChange::Add(vec![item(1, 1.0, 5), unknown]),
            OPEN_MS,
        );
        assert_eq!(seen(&carts), [(None, 2.0, 1)]);
    }

    #[test]
    fn a_cart_that_nobody_touches_is_open_for_thirty_days() {
        let mut carts = Carts::default();
        carts.change(
            Some("a"),
            Timestamp(0),
            &CartChange::Add(vec![item(1, 1.0, 5)]),
            OPEN_MS,
        );
        assert_eq!(carts.open()[0].open_until, Timestamp(OPEN_MS));
        carts.change(
            Some("b"),
            Timestamp(OPEN_MS),
            &CartChange::Add(vec![item(1, 1.0, 5)]),
            OPEN_MS,
        );
        assert_eq!(seen(&carts), [(Some(5), 1.0, OPEN_MS)]);
    }

    #[test]
    fn a_cart_has_so_many_products() {
        let mut carts = Carts::default();
        let most = Carts::MOST_PRODUCTS as u32;
        let many: Vec<CartItem> = (0..most + 500).map(|n| item(n, 1.0, 2)).collect();
        let full = (Some(2 * i64::from(most)), f64::from(most), 1);
        carts.change(None, Timestamp(1), &CartChange::Add(many.clone()), OPEN_MS);
        assert_eq!(seen(&carts), [full]);
        // Another product is not put in, alone or with others, and leaves the clock alone.
        for items in [&many[most as usize..], &many[most as usize..][..1]] {
            carts.change(
                None,
                Timestamp(2),
                &CartChange::Add(items.to_vec()),
                OPEN_MS,
            );
            assert_eq!(seen(&carts), [full]);
        }
        let one = item(3, 1.0, 2);
        carts.change(None, Timestamp(3), &CartChange::Add(vec![one]), OPEN_MS);
        assert_eq!(
            seen(&carts),
            [(Some(2 * i64::from(most) + 2), full.1 + 1.0, 3)]
        );
        // Where one is taken out there is room for another, also within one change.
        let swap = vec![item(3, -2.0, 2), item(most + 7, 1.0, 5)];
        carts.change(None, Timestamp(4), &CartChange::Add(swap), OPEN_MS);
        assert_eq!(seen(&carts), [(Some(2 * i64::from(most) + 3), full.1, 4)]);
        assert_eq!(carts.products(), Carts::MOST_PRODUCTS);
    }

    #[test]
    fn so_many_carts_are_open() {
        let mut carts = Carts::default();
        let add = CartChange::Add(vec![item(1, 1.0, 5)]);
        let most = Carts::MOST_CARTS as i64;
        for n in 0..most {
            carts.change(Some(&n.to_string()), Timestamp(n), &add, OPEN_MS);
        }
        carts.change(Some("0"), Timestamp(most), &add, OPEN_MS);
        // What opens no cart ends none.
        let remove = CartChange::Remove(vec![item(1, 1.0, 5)]);
        carts.change(Some("none"), Timestamp(most), &remove, OPEN_MS);
        assert_eq!(carts.open().len(), Carts::MOST_CARTS);
        carts.change(Some("new"), Timestamp(most + 1), &add, OPEN_MS);
        let changed: Vec<i64> = seen(&carts).iter().map(|cart| cart.2).collect();
        let expected: Vec<i64> = [most]
            .into_iter()
            .chain(2..most)
            .chain([most + 1])
            .collect();
        assert_eq!(changed, expected);
    }
}
