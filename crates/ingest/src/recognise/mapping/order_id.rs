//! A bare `id` in a file of orders.

use std::collections::HashMap;

use super::{Found, Mapped, Mapping};
use crate::reader::text_of;
use crate::rows::Rows;
use crate::{AmountUnit, Field, MapReason};

impl Mapping<'_> {
    /// Takes a bare `id` as that of the order, where rows that share one share their customer
    /// and their date too, as the lines and versions of an order do. Ids of customers come again
    /// on other days.
    pub(super) fn take_bare_id(&self, mapped: &mut Mapped, sample: &Rows) {
        let of = |field: Field| {
            let holds = |found: &Option<Found>| found.is_some_and(|found| found.field == field);
            mapped.fields.iter().position(holds)
        };
        let who = of(Field::CustomerId).or_else(|| of(Field::Email));
        let (Some(who), Some(when)) = (who, of(Field::OccurredAt)) else {
            return;
        };
        let known_as = self.names.known_as("id", Field::OrderId);
        let mut free = known_as
            .into_iter()
            .filter(|&position| self.is_free(mapped, Field::OrderId, position));
        let Some(position) = free.next() else {
            return;
        };
        let mut orders: HashMap<String, (String, String)> = HashMap::new();
        let is_of_orders = (0..sample.len()).all(|row| {
            let text = |column: usize| text_of(sample.column(column), row);
            let (id, told) = (text(position), (text(who), text(when)));
            !id.is_empty() && *orders.entry(id).or_insert_with(|| told.clone()) == told
        });
        if is_of_orders {
            mapped.set(
                position,
                Field::OrderId,
                MapReason::Content,
                AmountUnit::Major,
            );
        }
    }
}
