//! Rows in a spill: each behind its length and its identity, so that rows can be sorted and moved
//! without being read.

use super::row::Row;

const HEAD_BYTES: usize = 12;

/// Replaces `out` by the framed row.
pub(crate) fn write(row: &Row, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&row.identity.to_le_bytes());
    row.encode(out);
    let length = u32::try_from(out.len()).expect("order ids are cut, everything else is fixed");
    out[..4].copy_from_slice(&length.to_le_bytes());
}

/// A row that lies in spilled bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Framed<'b> {
    /// The identity under which the row came.
    pub(crate) identity: u64,
    /// The row with its frame, as it was written.
    pub(crate) bytes: &'b [u8],
}

impl Framed<'_> {
    /// Reads the row.
    pub(crate) fn row(&self) -> Row {
        Row::decode(&mut &self.bytes[HEAD_BYTES..])
    }
}

/// The rows of spilled bytes, in the order of writing.
pub(crate) fn each(mut bytes: &[u8]) -> impl Iterator<Item = Framed<'_>> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk()?;
        let (identity, _) = rest.split_first_chunk()?;
        let identity = u64::from_le_bytes(*identity);
        let (row, rest) = bytes.split_at(u32::from_le_bytes(*length) as usize);
        bytes = rest;
        Some(Framed {
            identity,
            bytes: row,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_in_order() {
        let mut spilled = Vec::new();
        let mut framed = Vec::new();
        let rows =
            [(7, "#1"), (u64::MAX, ""), (0, "a longer id")].map(|(identity, order_id)| Row {
                identity,
                order_id: order_id.to_owned(),
                ..Row::default()
            });
        for row in &rows {
            write(row, &mut framed);
            spilled.extend_from_slice(&framed);
        }
        let back: Vec<Row> = each(&spilled).map(|framed| framed.row()).collect();
        assert_eq!(back, rows);
        assert_eq!(each(&spilled).last().map(|framed| framed.identity), Some(0));
        let copied: Vec<u8> = each(&spilled).flat_map(|f| f.bytes.to_vec()).collect();
        assert_eq!(copied, spilled);
    }
}
