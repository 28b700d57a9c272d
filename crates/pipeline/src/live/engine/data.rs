//! Data that the workspace has from some event on: conditions that ask for it say nothing before.

use regulars_core::{Cause, CustomerId, DataNeed};

use super::Engine;
use crate::population::{OF_CUSTOMERS, shows};

impl Engine {
    /// Notes what these customers show that the workspace has since they were folded. Says whether
    /// a condition asks for any of it: [`Engine::look_at_new_data`] is due then.
    pub(super) fn note_data(&mut self, customers: impl IntoIterator<Item = CustomerId>) -> bool {
        let known = &self.context.population.data;
        let missing = OF_CUSTOMERS
            .into_iter()
            .filter(|need| !known.contains(need));
        let mut missing: Vec<DataNeed> = missing.collect();
        let mut new = Vec::new();
        if self.names_products && !known.contains(&DataNeed::Products) {
            new.push(DataNeed::Products);
        }
        if !missing.is_empty() {
            let asks_of_consent = missing.contains(&DataNeed::Consent);
            let consent = asks_of_consent.then(|| self.context.symbols.find("consent"));
            for customer in customers {
                let Some(person) = self.people.get(&customer) else {
                    continue;
                };
                let profile = &person.member.profile;
                missing.retain(|&need| {
                    let shown = shows(need, profile, &self.context, consent.flatten());
                    if shown {
                        new.push(need);
                    }
                    !shown
                });
            }
        }
        if new.is_empty() {
            return false;
        }
        let asks = |number| {
            let needs = self.program.rule(number).reads().needs;
            new.iter().any(|need| needs.contains(need))
        };
        let is_asked_for = (0..self.program.segment_count()).any(asks);
        if is_asked_for {
            self.find_all_due();
        }
        self.context.population.data.extend(&new);
        is_asked_for
    }

    /// Begins to look at everyone, since the workspace has data that it had not.
    pub(super) fn look_at_new_data(&mut self) {
        self.look_anew(Cause::Definition, |_| ());
    }
}
