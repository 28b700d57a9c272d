//! A row of an orders file on its way to its partition.
//!
//! Rows are split on disk before they are assembled into orders, so that an import of any size
//! needs the memory of one slice of a partition.
//! On disk a row is a mask of the fields that it has, then these fields, little-endian.

use regulars_core::{OrderStatus, Symbol, Timestamp};

/// One row, typed; texts are symbols of the import.
///
/// Amounts are minor units of the row's currency.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Row {
    /// The identity under which the row came.
    pub(crate) identity: u64,
    /// Key of the order; for a row without an order id, of its content.
    pub(crate) order_key: u64,
    /// What the source calls the order; empty when it does not.
    pub(crate) order_id: String,
    /// Key of the refund, of a row from a file of refunds; else 0.
    pub(crate) refund: u64,
    /// Position of the file in the import.
    pub(crate) file: u32,
    /// When the order was placed.
    pub(crate) occurred_at: Option<Timestamp>,
    /// When this version was made.
    pub(crate) updated_at: Option<Timestamp>,
    /// When the order was cancelled or refunded.
    pub(crate) ended_at: Option<Timestamp>,
    /// Where the order stands.
    pub(crate) status: Option<OrderStatus>,
    /// The source marks the row as a credit note.
    pub(crate) credit: bool,
    /// The row is an order of its own, not a line of one.
    pub(crate) whole_order: bool,
    /// Product, by the source's id of it.
    pub(crate) product: Symbol,
    /// Category of the product.
    pub(crate) category: Symbol,
    /// Brand of the product.
    pub(crate) brand: Symbol,
    /// Channel of the order.
    pub(crate) channel: Symbol,
    /// Country of the order.
    pub(crate) country: Symbol,
    /// Currency of the amounts; absent for the workspace's own.
    pub(crate) currency: Symbol,
    /// The row says so itself, or its file says it of all rows.
    pub(crate) currency_named: bool,
    /// Pieces; negative for what came back.
    pub(crate) quantity: Option<f64>,
    /// Amounts by [`Amount`].
    pub(crate) amounts: [Option<i64>; Amount::COUNT],
}

/// The amounts that a row may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    /// Price of one piece.
    UnitPrice,
    /// Of the line, after its own discount.
    LineTotal,
    /// Off the line.
    LineDiscount,
    /// Cost of one piece.
    UnitCost,
    /// Of the line, tax and shipping included.
    LineGross,
    /// Tax of the line.
    LineTax,
    /// Shipping of the line.
    LineShipping,
    /// Refunded of the line.
    LineRefunded,
    /// Of the order, tax and shipping included.
    OrderTotal,
    /// Of the order, without shipping.
    OrderSubtotal,
    /// Off the order.
    OrderDiscount,
    /// Shipping of the order.
    Shipping,
    /// Tax of the order.
    Tax,
    /// Refunded of the order.
    Refunded,
}

impl Amount {
    pub(crate) const COUNT: usize = 14;
}

impl Row {
    /// The amount, if the row has it.
    pub(crate) fn amount(&self, which: Amount) -> Option<i64> {
        self.amounts[which as usize]
    }

    /// Appends the row to `out`.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let mask_at = out.len();
        out.extend_from_slice(&[0; 4]);
        let mut mask = 0_u32;
        let mut bit = 0_u32;
        let mut put = |out: &mut Vec<u8>, bytes: Option<&[u8]>| {
            if let Some(bytes) = bytes {
                mask |= 1 << bit;
                out.extend_from_slice(bytes);
            }
            bit += 1;
        };
        let refund = (self.refund != 0).then(|| self.refund.to_le_bytes());
        put(out, refund.as_ref().map(|bytes| &bytes[..]));
        out.extend_from_slice(&self.identity.to_le_bytes());
        out.extend_from_slice(&self.order_key.to_le_bytes());
        out.extend_from_slice(&self.file.to_le_bytes());
        for at in [self.occurred_at, self.updated_at, self.ended_at] {
            put(
                out,
                at.map(|at| at.0.to_le_bytes()).as_ref().map(|b| &b[..]),
            );
        }
        put(
            out,
            self.status
                .map(|status| [status_code(status)])
                .as_ref()
                .map(|b| &b[..]),
        );
        put(out, self.credit.then_some(&[][..]));
        put(out, self.whole_order.then_some(&[][..]));
        put(out, self.currency_named.then_some(&[][..]));
        let symbols = [
            self.product,
            self.category,
            self.brand,
            self.channel,
            self.country,
            self.currency,
        ];
        for symbol in symbols {
            put(
                out,
                symbol
                    .known()
                    .map(|s| s.0.to_le_bytes())
                    .as_ref()
                    .map(|b| &b[..]),
            );
        }
        put(
            out,
            self.quantity.map(f64::to_le_bytes).as_ref().map(|b| &b[..]),
        );
        for amount in self.amounts {
            put(out, amount.map(i64::to_le_bytes).as_ref().map(|b| &b[..]));
        }
        let order_id = (!self.order_id.is_empty()).then(|| {
            let length = u16::try_from(self.order_id.len()).expect("order ids are cut to 64 KB");
            [&length.to_le_bytes()[..], self.order_id.as_bytes()].concat()
        });
        put(out, order_id.as_deref());
        out[mask_at..mask_at + 4].copy_from_slice(&mask.to_le_bytes());
    }

    /// Takes the next row off `bytes`, which [`Self::encode`] wrote.
    pub(crate) fn decode(bytes: &mut &[u8]) -> Self {
        let mask = u32::from_le_bytes(take(bytes));
        let mut bit = 0;
        let mut has = || {
            bit += 1;
            mask & (1 << (bit - 1)) != 0
        };
        let refund = if has() { take_u64(bytes) } else { 0 };
        let (identity, order_key) = (take_u64(bytes), take_u64(bytes));
        let file = u32::from_le_bytes(take(bytes));
        let mut row = Self {
            identity,
            order_key,
            refund,
            file,
            ..Self::default()
        };
        for at in [&mut row.occurred_at, &mut row.updated_at, &mut row.ended_at] {
            *at = has().then(|| Timestamp(take_u64(bytes) as i64));
        }
        row.status = has().then(|| status_of(take::<1>(bytes)[0]));
        row.credit = has();
        row.whole_order = has();
        row.currency_named = has();
        for symbol in [
            &mut row.product,
            &mut row.category,
            &mut row.brand,
            &mut row.channel,
            &mut row.country,
            &mut row.currency,
        ] {
            if has() {
                *symbol = Symbol(u32::from_le_bytes(take(bytes)));
            }
        }
        row.quantity = has().then(|| f64::from_bits(take_u64(bytes)));
        for amount in &mut row.amounts {
            *amount = has().then(|| take_u64(bytes) as i64);
        }
        if has() {
            let length = usize::from(u16::from_le_bytes(take(bytes)));
            let (text, rest) = bytes.split_at(length);
            row.order_id = String::from_utf8(text.to_vec()).expect("order ids are written as text");
            *bytes = rest;
        }
        row
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let (head, rest) = bytes.split_at(N);
    *bytes = rest;
    head.try_into().expect("split at its length")
}

fn take_u64(bytes: &mut &[u8]) -> u64 {
    u64::from_le_bytes(take(bytes))
}

fn status_code(status: OrderStatus) -> u8 {
    match status {
        OrderStatus::Placed => 0,
        OrderStatus::Unpaid => 1,
        OrderStatus::Refunded => 2,
        OrderStatus::Cancelled => 3,
    }
}

fn status_of(code: u8) -> OrderStatus {
    match code {
        0 => OrderStatus::Placed,
        1 => OrderStatus::Unpaid,
        2 => OrderStatus::Refunded,
        _ => OrderStatus::Cancelled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_read_back_as_they_were_written() {
        let mut amounts = [None; Amount::COUNT];
        amounts[Amount::Tax as usize] = Some(-19);
        let full = Row {
            identity: u64::MAX,
            order_key: 7,
            order_id: "#1001 ü".to_owned(),
            refund: 11,
            file: 3,
            occurred_at: Some(Timestamp(-1)),
            updated_at: None,
            ended_at: Some(Timestamp(5)),
            status: Some(OrderStatus::Refunded),
            credit: true,
            whole_order: false,
            product: Symbol(9),
            currency: Symbol(2),
            currency_named: true,
            quantity: Some(-1.5),
            amounts,
            ..Row::default()
        };
        let mut bytes = Vec::new();
        full.encode(&mut bytes);
        Row::default().encode(&mut bytes);
        let mut rest = bytes.as_slice();
        assert_eq!(Row::decode(&mut rest), full);
        assert_eq!(Row::decode(&mut rest), Row::default());
        assert!(rest.is_empty());
    }
}
