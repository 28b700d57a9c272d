//! What customers do in the shop while it is open: events as a tracking SDK sends them, without
//! end, from a seed. For load tests, so that an event costs little.
//!
//! Customers are drawn by Zipf's law: the first comes twice as often as the second. Most of what
//! they do is looking.

use std::fmt::Write as _;

use regulars_core::EventKind;

use crate::customer::CustomerNumber;
use crate::product::Product;

/// What an event's properties are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Page,
    List,
    Product,
    /// A product in a cart.
    Item,
    Checkout,
    Order,
    Message,
    Nothing,
}

/// Of a thousand events, how many are what.
const MIX: [(u32, EventKind, &str, Content); 15] = [
    (270, EventKind::Page, "Home", Content::Page),
    (150, EventKind::Track, "Product List Viewed", Content::List),
    (110, EventKind::Track, "Product Clicked", Content::Product),
    (40, EventKind::Track, "Promotion Viewed", Content::List),
    (255, EventKind::Track, "Product Viewed", Content::Product),
    (50, EventKind::Track, "Product Added", Content::Item),
    (8, EventKind::Track, "Product Removed", Content::Item),
    (12, EventKind::Track, "Cart Viewed", Content::Item),
    (20, EventKind::Track, "Checkout Started", Content::Checkout),
    (15, EventKind::Track, "Order Completed", Content::Order),
    (30, EventKind::Track, "Email Delivered", Content::Message),
    (12, EventKind::Track, "Email Opened", Content::Message),
    (4, EventKind::Track, "Email Link Clicked", Content::Message),
    (14, EventKind::Track, "Signed In", Content::Nothing),
    (10, EventKind::Track, "Coupon Entered", Content::Nothing),
];

/// One event of the traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrafficEvent {
    /// Who.
    pub customer: CustomerNumber,
    /// The tracking call.
    pub kind: EventKind,
    /// What was tracked, or the page.
    pub name: &'static str,
}

/// A stream of events.
#[derive(Debug, Clone)]
pub struct Traffic<'s> {
    products: &'s [Product],
    customers: u32,
    /// What ids of orders begin with: each stream has its own.
    stream: u64,
    orders: u64,
    random: u64,
    /// [`MIX`] with a place for each of a thousand events.
    drawn: Vec<u8>,
}

impl<'s> Traffic<'s> {
    /// A stream of events of the first `customers` customers; different streams have different
    /// events and orders.
    pub fn new(products: &'s [Product], customers: u32, stream: u64) -> Self {
        let of = |(what, &(share, ..)): (u8, &(u32, _, _, _))| (0..share).map(move |_| what);
        Self {
            products,
            customers: customers.max(1),
            stream,
            orders: 0,
            // Any number but 0 begins the sequence.
            random: stream.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            drawn: (0..).zip(&MIX).flat_map(of).collect(),
        }
    }

    /// The next event; its properties, a JSON object, are appended to `properties`.
    pub fn next_into(&mut self, properties: &mut String) -> TrafficEvent {
        // By inversion of the continuous law.
        let share = (self.draw() >> 11) as f64 / (1_u64 << 53) as f64;
        let rank = libm::pow(f64::from(self.customers), share) as u32;
        let customer = CustomerNumber(rank.clamp(1, self.customers) - 1);
        let place = self.below(self.drawn.len());
        let (_, kind, name, content) = MIX[usize::from(self.drawn[place])];
        self.write(content, customer, properties);
        TrafficEvent {
            customer,
            kind,
            name,
        }
    }

    fn write(&mut self, content: Content, customer: CustomerNumber, out: &mut String) {
        let written = match content {
            Content::Nothing => out.write_str("{}"),
            Content::Page => {
                out.write_str(r#"{"path":"/","title":"Home","url":"https://shop.example/"}"#)
            }
            Content::List => {
                let product = self.product();
                write!(
                    out,
                    r#"{{"list_id":"category","category":"{}"}}"#,
                    product.category
                )
            }
            Content::Message => write!(
                out,
                r#"{{"email_id":"m-{}","subject_line":"New this week"}}"#,
                self.below(50)
            ),
            Content::Product => {
                out.push('{');
                self.write_product(out);
                out.write_str("}")
            }
            Content::Item => {
                let _ = write!(out, r#"{{"cart_id":"k-{customer}","#);
                self.write_product(out);
                out.write_str("}")
            }
            Content::Checkout => {
                let value = self.below(200);
                write!(
                    out,
                    r#"{{"checkout_id":"h-{customer}","value":{value},"currency":"EUR"}}"#
                )
            }
            Content::Order => {
                self.orders += 1;
                let _ = write!(
                    out,
                    r#"{{"order_id":"live-{}-{}","cart_id":"k-{customer}","currency":"EUR","products":[{{"#,
                    self.stream, self.orders
                );
                self.write_product(out);
                out.write_str("}]}")
            }
        };
        written.expect("a text takes in all that is written to it");
    }

    fn write_product(&mut self, out: &mut String) {
        let quantity = 1 + self.below(2);
        let product = self.product();
        let price = product.price_minor;
        write!(
            out,
            r#""product_id":"{}","name":"{}","category":"{}","brand":"{}","price":{}.{:02},"quantity":{quantity},"currency":"EUR""#,
            product.number,
            product.name,
            product.category,
            product.brand,
            price / 100,
            price % 100,
        )
        .expect("a text takes in all that is written to it");
    }

    fn product(&mut self) -> &'s Product {
        &self.products[self.below(self.products.len())]
    }

    /// Uniform in `0..n`, nearly.
    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.draw()) * n as u128) >> 64) as usize
    }

    /// The next number of the sequence (xorshift64*).
    fn draw(&mut self) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Shop, ShopOptions};

    #[test]
    fn the_mix_adds_up_and_customers_follow_the_law() {
        assert_eq!(MIX.iter().map(|(share, ..)| share).sum::<u32>(), 1000);
        let shop = Shop::new(ShopOptions::default()).unwrap();
        let mut traffic = Traffic::new(shop.products(), 1000, 0);
        let (mut names, mut customers) = (BTreeMap::new(), BTreeMap::new());
        let mut properties = String::new();
        for _ in 0..100_000 {
            properties.clear();
            let event = traffic.next_into(&mut properties);
            assert!(properties.starts_with('{') && properties.ends_with('}'));
            *names.entry(event.name).or_insert(0) += 1;
            *customers.entry(event.customer).or_insert(0) += 1;
        }
        assert!((24_000..27_000).contains(&names["Product Viewed"]));
        // ln 2 / ln 1000 and ln 1.5 / ln 1000 of all.
        assert!((9_500..10_600).contains(&customers[&CustomerNumber(0)]));
        assert!((5_500..6_300).contains(&customers[&CustomerNumber(1)]));
        assert!(customers.keys().all(|customer| customer.0 < 1000));
    }

    #[test]
    fn streams_have_events_and_orders_of_their_own() {
        let shop = Shop::new(ShopOptions::default()).unwrap();
        let orders = |stream| {
            let mut traffic = Traffic::new(shop.products(), 50, stream);
            let mut orders = Vec::new();
            for _ in 0..2_000 {
                let mut properties = String::new();
                if traffic.next_into(&mut properties).name == "Order Completed" {
                    orders.push(properties);
                }
            }
            orders
        };
        let (one, other) = (orders(1), orders(2));
        assert_eq!(one, orders(1));
        assert!(one.len() > 10 && one.iter().all(|order| !other.contains(order)));
    }
}
