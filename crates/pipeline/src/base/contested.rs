//! Orders that events give to other customers than files or other events do, found and settled for
//! a fold of everyone.

use std::collections::HashSet;

use foldhash::fast::FixedState;
use regulars_core::{CustomerId, OrderKey, Partition};
use regulars_store::vault::{IdentityId, Vault};

use super::fold::{Noting, Source};
use crate::error::PipelineError;
use crate::in_turn::in_turn;
use crate::live::contested::{Claim, Contested};
use crate::live::told::Told;
use crate::live::whose::RowPlaces;

/// What is to be known of contested orders, given the claims that a fold noted.
///
/// # Errors
/// When the history cannot be read.
pub(super) fn contested(
    source: &Source<'_>,
    noting: Noting,
    claims: &[Claim],
) -> Result<Contested, PipelineError> {
    let mut contested = Contested::default();
    let Some(vault) = source.vault.filter(|_| !claims.is_empty()) else {
        return Ok(contested);
    };
    let of_files = match noting {
        // They are among the claims.
        Noting::ForLive => Vec::new(),
        Noting::Nothing | Noting::Claims => claims_of_files(source, vault, claims)?,
    };
    let all = claims.iter().chain(&of_files).copied();
    for (order, claimants) in Contested::among(all) {
        let (mut records, mut told) = (Vec::new(), Vec::new());
        for &claimant in &claimants {
            let of = source.tellings.of(claimant);
            let own = RowPlaces::own(claimant, false);
            let places = of.map_or(own, |of| of.places(claimant));
            let owner = |identity, under| source.tellings.owner(identity, under);
            let rows = places.orders(source.history, source.table, &owner)?;
            records.extend(rows.into_iter().map(|row| row.record));
            let rows = places.events(source.history, &owner)?.into_iter();
            let arrived = rows.filter(|row| row.event.received_at <= source.tellings.until);
            told.extend(arrived.map(Told::from));
            told.extend(of.into_iter().flat_map(|of| of.told.iter().cloned()));
        }
        let canonical = |customer| source.tellings.canonical(customer);
        let said = source.orders.said_of(order, records, told);
        let is_known = |customer: CustomerId| !vault.is_anonymous(IdentityId(customer.0));
        let who = (canonical, is_known);
        let settled = source
            .orders
            .settled(order, claimants, &said, who, source.table)?;
        contested.settle(order, settled, said);
    }
    Ok(contested)
}

/// Under whom the history has the orders that events tell of.
fn claims_of_files(
    source: &Source<'_>,
    vault: &Vault,
    claims: &[Claim],
) -> Result<Vec<Claim>, PipelineError> {
    let told: HashSet<OrderKey, FixedState> = claims.iter().map(|(order, _)| *order).collect();
    let of_partition = |(): &mut (), index: usize| {
        let mut found = Vec::new();
        let mut reader = source.history.versions(Partition(index as u16))?;
        while let Some(rows) = reader.next_customer()? {
            let told = rows.iter().filter(|row| told.contains(&row.order));
            found.extend(told.map(|row| (row.order, source.tellings.resolve(vault, row.identity))));
        }
        Ok(found)
    };
    let found = in_turn(Partition::COUNT, source.threads, || (), of_partition)?;
    Ok(found.concat())
}
