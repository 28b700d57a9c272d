//! Carts of one customer: what was put aside and not ordered yet.
//!
//! A cart is open from its first item until it is ordered, until it is empty, or until so long
//! after its last change. An order with the id of a cart orders that one and whatever is in no cart with an
//! id; an order that names no cart orders all. The clock of a cart is its own last change: what else
//! the customer does leaves it alone.

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
    /// The same, as conditions see them.
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

    /// Takes in the next change by time; a cart is open for `open_ms` after its last change.
    pub fn change(&mut self, id: Option<&str>, at: Timestamp, change: &CartChange, open_ms: i64) {
        self.changed_at = self.changed_at.max(Some(at));
        self.contents
            .retain(|content| at < content.changed_at.plus_ms(open_ms));
        match change {
            CartChange::Add(items) => self.edit(id, at, |content| content.add_all(items, 1.0)),
            CartChange::Remove(items) => self.edit(id, at, |content| content.add_all(items, -1.0)),
            CartChange::Content(items) => self.edit(id, at, |content| {
                let before = std::mem::take(&mut content.items);
                content.add_all(items, 1.0);
                content.items != before
            }),
            CartChange::Ordered => self.order(id),
        }
        self.open.clear();
        self.open
            .extend(self.contents.iter().map(|content| content.seen(open_ms)));
    }

    /// Ends what an order that names `id`, or no cart, is of.
    fn order(&mut self, id: Option<&str>) {
        self.contents
            .retain(|content| id.is_some() && content.id.is_some() && content.id.as_deref() != id);
    }

    /// Changes the content of one cart by `edit`, which says whether it is another after it.
    fn edit(&mut self, id: Option<&str>, at: Timestamp, edit: impl FnOnce(&mut Content) -> bool) {
        let found = self
            .contents
            .iter()
            .position(|known| known.id.as_deref() == id);
        let position = found.unwrap_or_else(|| {
            self.contents.push(Content {
                id: id.map(Box::from),
                changed_at: at,
                items: Vec::new(),
            });
            self.contents.len() - 1
        });
        let content = &mut self.contents[position];
        // To look at a cart is not to change it.
        if edit(content) {
            content.changed_at = at;
        }
        if content.items.is_empty() {
            self.contents.remove(position);
        }
    }
}

impl Content {
    /// Puts items in or takes them out; says whether the content is another after it.
    fn add_all(&mut self, items: &[CartItem], sign: f64) -> bool {
        // One item, as most often, tells of itself; several may make up for each other.
        if let [item] = items {
            return self.add(item, sign);
        }
        let before = self.items.clone();
        for item in items {
            self.add(item, sign);
        }
        self.items != before
    }

    /// Puts an item in or takes it out; says whether the content is another after it.
    fn add(&mut self, item: &CartItem, sign: f64) -> bool {
        let known = self
            .items
            .iter()
            .position(|known| known.product == item.product);
        match known {
            Some(at) => {
                let before = self.items[at];
                self.items[at].quantity += sign * item.quantity;
                self.items[at].unit_minor = item.unit_minor.or(before.unit_minor);
                let differs = self.items[at] != before;
                if self.items[at].quantity < NO_PIECES {
                    self.items.remove(at);
                    return true;
                }
                differs
            }
            None if sign > 0.0 && item.quantity > NO_PIECES => {
                self.items.push(*item);
                true
            }
            None => false,
        }
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
}
