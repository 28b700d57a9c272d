//! The made-up shop from outside: that it is the same every time, that its rows hold together,
//! that the hidden types do what is said of them, and that every segment has somebody in it.

mod integrity;
mod naive;
mod same_every_time;
mod segments;
mod size;
mod types;

use std::sync::OnceLock;

use regulars_shop::{Shop, ShopOptions};

/// The shop of the demo.
fn demo() -> &'static Shop {
    static DEMO: OnceLock<Shop> = OnceLock::new();
    DEMO.get_or_init(|| Shop::new(ShopOptions::default()).expect("the default shop can be made"))
}

/// A larger one, for shares that chance should not move.
fn town() -> &'static Shop {
    static TOWN: OnceLock<Shop> = OnceLock::new();
    TOWN.get_or_init(|| {
        Shop::new(ShopOptions {
            customers: 6_000,
            seed: 11,
            ..ShopOptions::default()
        })
        .expect("a shop of 6,000 can be made")
    })
}
