//! What a request says beside the transition: who moved, and why. Asked for many at a time, so
//! that those who own the answers are disturbed once.

use std::sync::Arc;

use regulars_core::{CustomerId, Transition, TransitionId};
use regulars_store::Store;
use regulars_store::vault::IdentityId;

use crate::live::Live;

/// What is told of a transition. Not shown by `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// What the source calls the customer.
    pub customer_id: Option<String>,
    /// What a device calls them, where nothing else does.
    pub anonymous_id: Option<String>,
    /// Why they moved, in words.
    pub why: String,
}

impl std::fmt::Debug for Told {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Told(…)")
    }
}

/// Asks who moved and why; `None` when the live path has stopped. Waits for the answers.
pub fn tell(live: &Live, transitions: Vec<Arc<Transition>>) -> Option<Vec<(TransitionId, Told)>> {
    let customers: Vec<CustomerId> = transitions.iter().map(|moved| moved.customer).collect();
    let asked = customers.clone();
    let told = live.with_store(move |store| names(store, &customers))?;
    live.ask_of(asked, move |engine| {
        let pairs = transitions.iter().zip(told);
        let told = pairs.map(|(transition, mut told)| {
            told.why = engine.why(transition);
            (transition.id, told)
        });
        told.collect()
    })
}

/// What customers are called, one for each; nothing of those whom the vault does not know.
pub fn names(store: &Store, customers: &[CustomerId]) -> Vec<Told> {
    let Ok(vault) = store.vault() else {
        return vec![Told::default(); customers.len()];
    };
    let told = |&customer: &CustomerId| {
        let name = vault.external_id(customer).map(str::to_owned);
        let anonymous = vault.is_anonymous(IdentityId(customer.0));
        let (customer_id, anonymous_id) = if anonymous {
            (None, name)
        } else {
            (name, None)
        };
        Told {
            customer_id,
            anonymous_id,
            why: String::new(),
        }
    };
    customers.iter().map(told).collect()
}
