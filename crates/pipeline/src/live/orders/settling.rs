//! Whose an order is that several customers claim, and what it comes to.

use regulars_core::{CustomerId, LineRecord, OrderKey, RecordKind};
use regulars_store::history::SymbolTable;

use super::{Orders, key_of};
use crate::error::PipelineError;
use crate::live::contested::{Said, Settled};
use crate::live::told::Told;

impl Orders {
    /// Of what some claimants say, what is of one order.
    pub(crate) fn said_of(
        &self,
        order: OrderKey,
        mut of_files: Vec<LineRecord>,
        mut told: Vec<Told>,
    ) -> Said {
        of_files.retain(|record| record.order == order);
        told.retain(|told| key_of(told, self) == Some(order.0));
        let mut said = Said { of_files, told };
        said.sort();
        said
    }

    /// What an order comes to that `claimants` claim, given what is said of it that is not known
    /// of it yet; `canonical` tells who somebody is now, `is_known` who is more than a visitor.
    ///
    /// # Errors
    /// When the first rate of its currency begins after its day.
    pub(crate) fn settled(
        &self,
        order: OrderKey,
        claimants: Vec<CustomerId>,
        new: &Said,
        (canonical, is_known): (
            impl Fn(CustomerId) -> CustomerId,
            impl Fn(CustomerId) -> bool,
        ),
        table: &SymbolTable,
    ) -> Result<Settled, PipelineError> {
        let known = self.contested.known(order);
        let follows = |said: &Said| {
            let latest = said.told.last().map(Told::said_at);
            let mut told = new.told.iter();
            new.of_files.is_empty() && told.all(|told| Some(told.said_at()) > latest)
        };
        let (mut records, told): (Vec<LineRecord>, Vec<&Told>) = match known {
            // What follows all that is known is told with it.
            Some((settled, said)) if follows(said) => {
                (settled.records.clone(), new.told.iter().collect())
            }
            Some((_, said)) => {
                let mut of_files = [&*said.of_files, &*new.of_files].concat();
                Said::sort_records(&mut of_files);
                (of_files, said.told.iter().chain(&new.told).collect())
            }
            None => (new.of_files.clone(), new.told.iter().collect()),
        };
        self.add_all(&told, &mut records, table)?;
        let sales = records
            .iter()
            .filter(|line| line.kind == RecordKind::Sale)
            .map(|line| (line, canonical(line.customer)));
        let newest =
            sales.max_by_key(|(line, who)| (is_known(*who), line.updated_at, line.import, *who));
        let owner = newest.map_or(claimants[0], |(_, who)| who);
        Ok(Settled {
            claimants,
            owner,
            records,
        })
    }
}
