//! Rows as bytes, for [`crate::spill`]: a form for one process, not a stored format.

use std::path::Path;

use regulars_core::{CustomerId, LineRecord, OrderKey, RefundKey, Symbol, Timestamp};

use super::columns::{KINDS, STATUSES, kind_code, status_code};
use crate::StoreError;
use crate::vault::IdentityId;

const HAS_UPDATED: u8 = 1 << 4;
const HAS_ENDED: u8 = 1 << 5;
const HAS_DISCOUNT: u8 = 1 << 6;
const HAS_COST: u8 = 1 << 7;

/// Appends a row to `into`; symbols are those of this process.
///
/// An order id longer than 65,535 bytes is cut at a character.
pub fn encode_row(record: &LineRecord, order_id: &str, identity: IdentityId, into: &mut Vec<u8>) {
    let (kind, status) = (kind_code(record.kind), status_code(record.status));
    let optional = [
        (record.updated_at.map(|at| at.0), HAS_UPDATED),
        (record.ended_at.map(|at| at.0), HAS_ENDED),
        (record.discount_minor, HAS_DISCOUNT),
        (record.cost_minor, HAS_COST),
    ];
    let present = optional.iter().filter(|(value, _)| value.is_some());
    let flags: u8 = present.map(|(_, flag)| flag).sum();
    into.push(kind | status << 2 | flags);
    into.extend_from_slice(&record.customer.0.to_le_bytes());
    into.extend_from_slice(&identity.0.to_le_bytes());
    into.extend_from_slice(&record.order.0.to_le_bytes());
    into.extend_from_slice(&record.import.to_le_bytes());
    into.extend_from_slice(&record.occurred_at.0.to_le_bytes());
    into.extend_from_slice(&record.quantity.to_le_bytes());
    into.extend_from_slice(&record.net_minor.to_le_bytes());
    into.extend_from_slice(&record.refunded_minor.to_le_bytes());
    into.extend_from_slice(&record.line.to_le_bytes());
    into.extend_from_slice(&record.refund.0.to_le_bytes());
    // Absent is the one amount that no shop has.
    let beside_minor = record.beside_minor.unwrap_or(i64::MIN);
    into.extend_from_slice(&beside_minor.to_le_bytes());
    let symbols = [
        record.product,
        record.category,
        record.brand,
        record.channel,
        record.country,
    ];
    for symbol in symbols {
        into.extend_from_slice(&symbol.0.to_le_bytes());
    }
    for (value, _) in optional {
        into.extend(value.into_iter().flat_map(i64::to_le_bytes));
    }
    let order_id = &order_id[..order_id.floor_char_boundary(usize::from(u16::MAX))];
    into.extend_from_slice(&(order_id.len() as u16).to_le_bytes());
    into.extend_from_slice(order_id.as_bytes());
}

/// Gives back the rows that [`encode_row`] wrote, in order.
///
/// # Errors
/// When the bytes are not rows.
pub fn decode_rows(
    bytes: &[u8],
    mut each: impl FnMut(LineRecord, &str, IdentityId),
) -> Result<(), StoreError> {
    let mut rest = Rest(bytes);
    while !rest.0.is_empty() {
        let (record, order_id, identity) = decode_row(&mut rest)
            .ok_or_else(|| StoreError::damaged(Path::new("tmp"), "spilled rows are cut short"))?;
        each(record, order_id, identity);
    }
    Ok(())
}

fn decode_row<'a>(rest: &mut Rest<'a>) -> Option<(LineRecord, &'a str, IdentityId)> {
    let [flags] = rest.take()?;
    let customer = CustomerId(rest.u64()?);
    let identity = IdentityId(rest.u64()?);
    let mut record = LineRecord {
        customer,
        order: OrderKey(rest.u64()?),
        import: rest.u64()?,
        updated_at: None,
        occurred_at: Timestamp(rest.i64()?),
        ended_at: None,
        kind: *KINDS.get(usize::from(flags & 3))?,
        status: STATUSES[usize::from(flags >> 2 & 3)],
        quantity: f64::from_le_bytes(rest.take()?),
        net_minor: rest.i64()?,
        refunded_minor: rest.i64()?,
        line: rest.u32()?,
        refund: RefundKey(rest.u64()?),
        beside_minor: Some(rest.i64()?).filter(|&minor| minor != i64::MIN),
        product: Symbol(rest.u32()?),
        category: Symbol(rest.u32()?),
        brand: Symbol(rest.u32()?),
        channel: Symbol(rest.u32()?),
        country: Symbol(rest.u32()?),
        discount_minor: None,
        cost_minor: None,
    };
    if flags & HAS_UPDATED != 0 {
        record.updated_at = Some(Timestamp(rest.i64()?));
    }
    if flags & HAS_ENDED != 0 {
        record.ended_at = Some(Timestamp(rest.i64()?));
    }
    if flags & HAS_DISCOUNT != 0 {
        record.discount_minor = Some(rest.i64()?);
    }
    if flags & HAS_COST != 0 {
        record.cost_minor = Some(rest.i64()?);
    }
    let length = usize::from(u16::from_le_bytes(rest.take()?));
    let (order_id, after) = rest.0.split_at_checked(length)?;
    rest.0 = after;
    Some((record, std::str::from_utf8(order_id).ok()?, identity))
}

struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }
}
