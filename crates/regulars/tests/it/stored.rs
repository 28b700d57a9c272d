//! Events of a workspace, wherever they lie: in the log, or in the history since they were moved.

use std::collections::BTreeMap;

use regulars_core::Partition;
use regulars_store::log::Logged;
use regulars_store::{Store, StoreOptions};

use crate::shop::Shop;

/// How often each event is there, by its message.
pub(crate) fn events(shop: &Shop) -> BTreeMap<u128, u64> {
    let data = shop.root().join("data");
    let store = Store::open_read(&data, &StoreOptions::default()).unwrap();
    let mut events = BTreeMap::new();
    for entry in store.logged(0) {
        if let Logged::Event(event) = entry.unwrap().1 {
            *events.entry(event.message).or_default() += 1;
        }
    }
    for partition in Partition::all() {
        let mut moved = store.history().events(partition).unwrap();
        while let Some(rows) = moved.next_customer().unwrap() {
            for row in rows {
                *events.entry(row.event.message).or_default() += 1;
            }
        }
    }
    events
}

/// Number of what is there more than once.
pub(crate) fn doubles<K>(counted: &BTreeMap<K, u64>) -> usize {
    counted.values().filter(|times| **times > 1).count()
}
