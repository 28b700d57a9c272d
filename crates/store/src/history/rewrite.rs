//! Rewrites runs: merges them, and moves rows to another customer.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

use regulars_core::{CustomerId, OrderKey, Partition, RefundKey};

use super::orders::row_order;
use super::{
    CustomerRow, EventRow, Family, OrderRow, RunMerge, SymbolTable, WholeEventReader, decode_rows,
    encode_row, event_order,
};
use crate::StoreError;
use crate::spill::Spill;
use crate::store::{Reassigned, Superseded, Transaction};
use crate::vault::{IdentityId, Move, Vault};

const SPILL_BUDGET_BYTES: usize = 64 << 20;

/// Merges the runs of every partition and family that has more than `runs` of them.
pub(crate) fn merge_runs(
    transaction: &mut Transaction<'_>,
    runs: usize,
) -> Result<usize, StoreError> {
    let mut merged = 0;
    let history = transaction.history();
    for partition in Partition::all() {
        for family in Family::ALL {
            if history.runs(family, partition).count() <= runs {
                continue;
            }
            match family {
                Family::Orders => {
                    rewrite_orders(transaction, partition, &SymbolTable::default(), |_| {
                        Ok(Fate::Stays)
                    })?;
                }
                Family::Customers => {
                    rewrite_customers(transaction, partition, |_| Fate::Stays)?;
                }
                Family::Events => continue,
            }
            merged += 1;
        }
    }
    for merge in RunMerge::plan(&history, runs, transaction.offset()) {
        let done = merge.write()?;
        transaction.add_run(done.run);
        transaction.drop_runs(done.dropped.into_iter());
        merged += 1;
    }
    Ok(merged)
}

/// Moves the rows of some identities, and of all that stand for them, to other customers, and takes out
/// versions of orders that do not count any more; refunds and credits of documents of their own follow
/// their order.
///
/// Rows that leave a partition wait in a spill until every partition that they leave is rewritten;
/// each partition then gets the rows that come to it as one more run.
pub(crate) fn apply_moves(
    transaction: &mut Transaction<'_>,
    moves: &[Move],
    superseded: &[Superseded],
    reassigned: &[Reassigned],
) -> Result<(), StoreError> {
    if moves.is_empty() && superseded.is_empty() && reassigned.is_empty() {
        return Ok(());
    }
    let gone: HashSet<(OrderKey, IdentityId), foldhash::fast::FixedState> = superseded
        .iter()
        .map(|version| (version.order, version.identity))
        .collect();
    let owners: HashMap<OrderKey, &Reassigned, foldhash::fast::FixedState> = reassigned
        .iter()
        .map(|refunds| (refunds.order, refunds))
        .collect();
    let into = with_all_below(transaction.vault_ref()?, moves);
    let left: BTreeSet<Partition> = moves.iter().map(|found| found.from.partition()).collect();
    let emptied = superseded.iter().map(|version| version.partition);
    let followed = reassigned.iter().map(|refunds| refunds.partition);
    let rewritten: BTreeSet<Partition> = left
        .iter()
        .copied()
        .chain(emptied)
        .chain(followed)
        .collect();
    let symbols = SymbolTable::default();
    let mut spill = transaction.spill(SPILL_BUDGET_BYTES)?;
    let mut arriving: BTreeMap<Partition, Vec<CustomerRow>> = BTreeMap::new();
    for &partition in &rewritten {
        rewrite_orders(transaction, partition, &symbols, |row| {
            let follows = row.record.refund != RefundKey::NONE || row.record.is_apart();
            let owner = owners.get(&row.record.order).filter(|_| follows);
            if let Some(owner) = owner {
                row.identity = owner.identity;
            }
            let moved = match owner {
                Some(owner) => Some(owner.customer).filter(|&new| new != row.record.customer),
                None => moved(&into, row.identity, row.record.customer),
            };
            if !follows && gone.contains(&(row.record.order, row.identity)) {
                return Ok(Fate::Leaves);
            }
            let Some(customer) = moved else {
                return Ok(Fate::Stays);
            };
            row.record.customer = customer;
            spill_row(&mut spill, row)?;
            Ok(Fate::Leaves)
        })?;
        if !left.contains(&partition) {
            continue;
        }
        rewrite_customers(transaction, partition, |row| {
            let Some(customer) = moved(&into, row.identity, row.customer) else {
                return Fate::Stays;
            };
            row.customer = customer;
            arriving
                .entry(customer.partition())
                .or_default()
                .push(row.clone());
            Fate::Leaves
        })?;
    }
    let spilled = spill.finish()?;
    for partition in Partition::all() {
        let bytes = spilled.read(partition)?;
        add_orders(transaction, partition, &symbols, &bytes)?;
    }
    for (partition, rows) in arriving {
        add_customers(transaction, partition, rows)?;
    }
    move_events(transaction, &left)
}

/// Puts the events of some partitions under the customers that their identities stand for now.
///
/// Unlike a row of a file, an event may have come under an identity that stands for another one
/// which moves: each is looked up.
fn move_events(
    transaction: &mut Transaction<'_>,
    partitions: &BTreeSet<Partition>,
) -> Result<(), StoreError> {
    let history = transaction.history();
    let mut arriving: BTreeMap<Partition, Vec<EventRow>> = BTreeMap::new();
    for &partition in partitions {
        let files: Vec<PathBuf> = history.paths(Family::Events, partition);
        if files.is_empty() {
            continue;
        }
        let mut reader = WholeEventReader::open(files.iter().map(PathBuf::as_path))?;
        let mut writer = transaction.event_run(partition)?;
        let vault = transaction.vault_ref()?;
        while let Some(rows) = reader.next_customer()? {
            for row in rows {
                let customer = vault.resolve(row.event.identity);
                if customer == row.event.customer {
                    writer.push(row)?;
                    continue;
                }
                let mut row = row.clone();
                row.event.customer = customer;
                arriving.entry(customer.partition()).or_default().push(row);
            }
        }
        transaction.add_run(writer.finish()?);
        let replaced = history.runs(Family::Events, partition);
        transaction.drop_runs(replaced.map(|run| run.file.clone()));
    }
    for (partition, mut rows) in arriving {
        rows.sort_unstable_by_key(event_order);
        let mut writer = transaction.event_run(partition)?;
        rows.iter().try_for_each(|row| writer.push(row))?;
        transaction.add_run(writer.finish()?);
    }
    Ok(())
}

/// Whose rows move where: those of the identities, and of all that stand for them.
fn with_all_below(
    vault: &Vault,
    moves: &[Move],
) -> HashMap<IdentityId, CustomerId, foldhash::fast::FixedState> {
    let along = |found: &Move| {
        let into = found.into;
        let ids = vault.ids_of(CustomerId(found.identity.0)).into_iter();
        ids.map(move |id| (IdentityId(id.0), into))
    };
    moves.iter().flat_map(along).collect()
}

fn moved(
    into: &HashMap<IdentityId, CustomerId, foldhash::fast::FixedState>,
    identity: IdentityId,
    customer: CustomerId,
) -> Option<CustomerId> {
    into.get(&identity).copied().filter(|&new| new != customer)
}

fn spill_row(spill: &mut Spill, row: &OrderRow) -> Result<(), StoreError> {
    let mut bytes = Vec::with_capacity(160);
    encode_row(&row.record, &row.order_id, row.identity, &mut bytes);
    spill.append(row.record.customer.partition(), &bytes)
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    Leaves,
}

/// Writes a partition's order lines as one run, without the rows that leave.
fn rewrite_orders(
    transaction: &mut Transaction<'_>,
    partition: Partition,
    symbols: &SymbolTable,
    mut decide: impl FnMut(&mut OrderRow) -> Result<Fate, StoreError>,
) -> Result<(), StoreError> {
    let history = transaction.history();
    if history.runs(Family::Orders, partition).next().is_none() {
        return Ok(());
    }
    let mut reader = history.orders(partition, symbols)?;
    let mut writer = transaction.order_run(partition)?;
    let mut staying = Vec::new();
    while let Some(rows) = reader.next_customer()? {
        staying.clear();
        for row in rows {
            let mut row = row.clone();
            if decide(&mut row)? == Fate::Stays {
                staying.push(row);
            }
        }
        symbols.with(|symbols| writer.write(symbols, &staying))?;
    }
    let run = symbols.with(|symbols| writer.finish(symbols))?;
    transaction.add_run(run);
    transaction.drop_runs(
        history
            .runs(Family::Orders, partition)
            .map(|run| run.file.clone()),
    );
    Ok(())
}

/// Writes what was declared about a partition's customers as one run, without the rows that leave.
fn rewrite_customers(
    transaction: &mut Transaction<'_>,
    partition: Partition,
    mut decide: impl FnMut(&mut CustomerRow) -> Fate,
) -> Result<(), StoreError> {
    let history = transaction.history();
    if history.runs(Family::Customers, partition).next().is_none() {
        return Ok(());
    }
    let mut reader = history.customers(partition)?;
    let mut writer = transaction.customer_run(partition)?;
    while let Some(rows) = reader.next_customer()? {
        for row in rows {
            let mut row = row.clone();
            if decide(&mut row) == Fate::Stays {
                writer.push(&row)?;
            }
        }
    }
    transaction.add_run(writer.finish()?);
    transaction.drop_runs(
        history
            .runs(Family::Customers, partition)
            .map(|run| run.file.clone()),
    );
    Ok(())
}

/// Adds a run of rows that [`encode_row`] wrote.
fn add_orders(
    transaction: &mut Transaction<'_>,
    partition: Partition,
    symbols: &SymbolTable,
    bytes: &[u8],
) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    decode_rows(bytes, |record, order_id, identity| {
        rows.push(OrderRow {
            record,
            order_id: order_id.to_owned(),
            identity,
        });
    })?;
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_by_key(|row| (row.record.customer, row_order(&row.record)));
    let mut writer = transaction.order_run(partition)?;
    let run = symbols.with(|symbols| {
        writer.write(symbols, &rows)?;
        writer.finish(symbols)
    })?;
    transaction.add_run(run);
    Ok(())
}

fn add_customers(
    transaction: &mut Transaction<'_>,
    partition: Partition,
    mut rows: Vec<CustomerRow>,
) -> Result<(), StoreError> {
    rows.sort_by_key(|row| (row.customer, row.occurred_at, row.import, row.identity));
    let mut writer = transaction.customer_run(partition)?;
    rows.iter().try_for_each(|row| writer.push(row))?;
    transaction.add_run(writer.finish()?);
    Ok(())
}
