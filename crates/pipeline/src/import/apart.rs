//! Credits that name an order without its lines: they wait until it is known whose the order is.
//!
//! Like refunds of files of refunds they claim nothing: the lines of the order decide who owns it,
//! and its credits lie with the owner. One whose order is not known lies with the customer that it
//! names.

use std::sync::{Mutex, PoisonError};

use regulars_core::Partition;
use regulars_store::Transaction;
use regulars_store::history::{OrderRow, decode_rows, encode_row};
use regulars_store::spill::{Spill, Spilled};
use regulars_store::vault::IdentityId;

use super::assemble::Assembled;
use super::owners::{Followed, Refunded, Settled, page_of};
use crate::error::PipelineError;

const SPILL_BUDGET_BYTES: usize = 32 << 20;

/// Gathers the credits of an import, from several threads.
#[derive(Debug)]
pub(crate) struct Apart(Mutex<(Spill, Refunded)>);

impl Apart {
    pub(crate) fn new(transaction: &Transaction<'_>) -> Result<Self, PipelineError> {
        let spill = transaction.spill(SPILL_BUDGET_BYTES)?;
        Ok(Self(Mutex::new((spill, Refunded::default()))))
    }

    /// Keeps a credit until owners are settled.
    pub(crate) fn keep(&self, line: &Assembled) -> Result<(), PipelineError> {
        let mut bytes = Vec::with_capacity(160);
        let identity = IdentityId(line.identity);
        encode_row(&line.record, &line.order_id, identity, &mut bytes);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.0.append(page_of(line.record.order), &bytes)?;
        kept.1.insert(line.record.order);
        Ok(())
    }

    /// The credits by order, and the orders that they name.
    pub(crate) fn finish(self) -> Result<(Credits, Refunded), PipelineError> {
        let kept = self.0.into_inner();
        let (spill, orders) = kept.unwrap_or_else(PoisonError::into_inner);
        Ok((Credits(spill.finish()?), orders))
    }
}

/// Credits by the order that they name, on disk.
#[derive(Debug)]
pub(crate) struct Credits(Spilled);

impl Credits {
    /// Those of a page of orders, each with the owner of its order.
    pub(crate) fn with_owners(
        &self,
        page: Partition,
        (followed, settled): (&Followed, &Settled),
    ) -> Result<Vec<OrderRow>, PipelineError> {
        let mut rows = Vec::new();
        decode_rows(&self.0.read(page)?, |mut record, order_id, identity| {
            let owner = followed.owner(record.order, settled);
            let (customer, identity) = owner.unwrap_or((record.customer, identity));
            record.customer = customer;
            rows.push(OrderRow {
                record,
                order_id: order_id.to_owned(),
                identity,
            });
        })?;
        Ok(rows)
    }
}
