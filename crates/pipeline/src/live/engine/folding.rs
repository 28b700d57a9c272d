//! Work on one customer with all that a fold needs.

use std::sync::Arc;

use regulars_core::{CustomerId, Symbol, Symbols};
use regulars_rules::Keep;

use super::Engine;
use crate::error::PipelineError;
use crate::live::accounts::share_of;
use crate::live::at_hand::Resolving;
use crate::live::person::{Folding, Person, Whose};

impl Engine {
    /// Lets `change` work on a customer with all that a fold needs.
    pub(in crate::live) fn with<T>(
        &mut self,
        customer: CustomerId,
        change: impl FnOnce(&mut Person, &mut Folding<'_>) -> Result<T, PipelineError>,
    ) -> Result<T, PipelineError> {
        let person = self.people.entry(customer).or_insert_with(|| {
            let mut person = Box::new(Person::new(customer, &self.program));
            person.has_moved = self.visitors.remove(&customer);
            person.looks_seen = self.looks.begun();
            person.recall(self.gone.remove(&customer));
            person
        });
        let mut folding = Folding {
            history: &self.history,
            whose: Whose {
                redirects: &self.redirects,
                parted: &self.parted,
            },
            table: &self.table,
            orders: &mut self.orders,
            resolving: Resolving {
                ledger: &mut self.ledger,
                products: &self.products,
                program: &self.program,
                names_products: &mut self.names_products,
                now: self.now,
            },
            changes: &mut self.changes,
            refolds: &mut self.refolds,
            keeps_past: true,
        };
        let (before, share) = (person.member.profile.account, share_of(person));
        let changed = change(person, &mut folding);
        let (account, share_now) = (person.member.profile.account, share_of(person));
        let noted = person
            .at_hand
            .as_mut()
            .and_then(|past| past.entries_to_note());
        let gone = noted.map(|entries| self.in_hands.note(customer, entries));
        for gone in gone.into_iter().flatten() {
            if let Some(person) = self.people.get_mut(&gone) {
                person.put_past_away(self.orders.cart_open_ms());
            }
        }
        if account != before {
            self.accounts.go(customer, before, account);
            // Whoever joins is looked at with all that is true of the account by then.
            if let Some(person) = self.people.get_mut(&customer) {
                person.turns_seen = self.accounts.turns_made();
            }
        }
        self.count_share(share, share_now);
        changed
    }

    /// Texts that are new to the program may be ones that a condition asks for.
    ///
    /// Whoever brought such a text is folded again: the program that they were folded with did not
    /// know it. Nobody else has it. Says whether they were folded again.
    pub(super) fn recompile_for_new_texts(
        &mut self,
        customer: CustomerId,
    ) -> Result<bool, PipelineError> {
        let known = self.context.symbols.len();
        if self.table.with(Symbols::len) == known {
            return Ok(false);
        }
        let Self { table, context, .. } = self;
        table.with(|symbols| context.symbols.catch_up(symbols));
        let symbols = &self.context.symbols;
        let mut new = (known..symbols.len()).map(|symbol| symbols.text(Symbol(symbol as u32)));
        if !new.any(|text| self.program.asks_for_text(text)) {
            return Ok(false);
        }
        let symbols = &self.context.symbols;
        self.program = Arc::new(self.catalogue.compile(symbols, Keep::Needed)?);
        self.scratch = self.program.new_scratch();
        self.with(customer, |person, folding| person.refold(folding))?;
        Ok(true)
    }
}
