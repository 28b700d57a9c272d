//! Net revenue by category or brand.

use regulars_core::Symbol;

use super::Profile;

/// Net revenue by category or brand, in minor units.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shares(Vec<Share>);

/// One entry: its amount in two halves, so that it takes twelve bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Share {
    of: Symbol,
    net_minor: [u32; 2],
}

impl Share {
    fn new(of: Symbol, net_minor: i64) -> Self {
        let net_minor = [net_minor as u32, (net_minor >> 32) as u32];
        Self { of, net_minor }
    }

    fn net_minor(self) -> i64 {
        let [low, high] = self.net_minor;
        i64::from(low) | i64::from(high) << 32
    }

    fn add(&mut self, net_minor: i64) {
        *self = Self::new(self.of, self.net_minor().saturating_add(net_minor));
    }
}

impl Shares {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn add(&mut self, of: Symbol, net_minor: i64) {
        if of == Symbol::NONE {
            return;
        }
        match self.0.iter_mut().find(|share| share.of == of) {
            Some(share) => share.add(net_minor),
            None => self.0.push(Share::new(of, net_minor)),
        }
    }

    /// Every entry, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = (Symbol, i64)> {
        self.0.iter().map(|share| (share.of, share.net_minor()))
    }

    /// Number of different entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entry with the most; between equals the first by `text`.
    pub fn top<'t>(&self, text: impl Fn(Symbol) -> &'t str) -> Option<(Symbol, i64)> {
        self.iter()
            .max_by(|a, b| a.1.cmp(&b.1).then_with(|| text(b.0).cmp(text(a.0))))
    }
}

/// Where the entries of a profile's shares are, to be used again from customer to customer.
#[derive(Debug, Default)]
pub struct Places {
    pub(super) categories: PlacesOf,
    pub(super) brands: PlacesOf,
}

impl Places {
    /// Makes them those of a profile without orders, after `profile`.
    pub fn leave(&mut self, profile: &Profile) {
        self.categories.leave(&profile.categories);
        self.brands.leave(&profile.brands);
    }
}

/// Position of the entry of each symbol, plus one; 0 for none.
#[derive(Debug, Default)]
pub(super) struct PlacesOf(Vec<u32>);

impl PlacesOf {
    pub(super) fn add(&mut self, shares: &mut Shares, of: Symbol, net_minor: i64) {
        if of == Symbol::NONE {
            return;
        }
        let index = of.0 as usize;
        if self.0.len() <= index {
            self.0.resize(index + 1, 0);
        }
        let place = &mut self.0[index];
        if *place == 0 {
            shares.0.push(Share::new(of, net_minor));
            *place = shares.0.len() as u32;
        } else {
            shares.0[*place as usize - 1].add(net_minor);
        }
    }

    fn leave(&mut self, shares: &Shares) {
        for share in &shares.0 {
            self.0[share.of.0 as usize] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regulars_core::{CustomerId, Order, OrderKey, OrderLine, Timestamp};

    use super::*;

    fn line(category: u32, brand: u32, net_minor: i64) -> OrderLine {
        OrderLine {
            product: Symbol::NONE,
            category: Symbol(category),
            brand: Symbol(brand),
            quantity: 1.0,
            net_minor,
        }
    }

    proptest! {
        #[test]
        fn a_fold_with_places_is_a_fold(
            customers in proptest::collection::vec(
                proptest::collection::vec((0_u32..5, 0_u32..40, any::<i64>()), 0..30),
                1..5,
            ),
        ) {
            let mut profile = Profile::new(CustomerId(0));
            let mut places = Places::default();
            for (id, lines) in (1..).zip(customers) {
                let lines: Vec<_> = lines.iter().map(|&(c, b, net)| line(c, b, net)).collect();
                places.leave(&profile);
                profile.reset(CustomerId(id));
                let mut plain = Profile::new(CustomerId(id));
                for (at, lines) in (0..).zip(lines.chunks(4)) {
                    let order = Order {
                        key: OrderKey(1),
                        occurred_at: Timestamp(at),
                        net_minor: 1,
                        refunded_minor: 0,
                        discount_minor: None,
                        cost_minor: None,
                        quantity: 1.0,
                        channel: Symbol::NONE,
                        country: Symbol::NONE,
                        lines,
                    };
                    plain.fold(&order);
                    profile.fold_with(&mut places, &order);
                }
                prop_assert_eq!(&profile, &plain);
            }
        }
    }

    #[test]
    fn amounts_are_kept_whole() {
        for net_minor in [0, 1, -1, 1 << 40, -(1 << 40), i64::MAX, i64::MIN] {
            assert_eq!(Share::new(Symbol(3), net_minor).net_minor(), net_minor);
        }
    }
}
