//! What is left of each product in each order, so that a credit finds its order in logarithmic
//! time, however many orders there are.

use std::ops::Range;

use regulars_core::{OrderKey, Symbol, Timestamp};

use super::{Entry, LineState, Standing};

/// Pieces below this are none: quantities are floats, and tenths do not add up exactly.
pub(super) const NO_PIECES: f64 = 1e-9;

/// What one order has left of one product.
#[derive(Debug)]
pub(super) struct Lot {
    product: Symbol,
    pub(super) entry: usize,
    /// Its lines, as positions in [`Shelf::lines`]; those that are used up leave at the front.
    lines: Range<usize>,
    pub(super) pieces: f64,
    pub(super) minor: i64,
    /// Found only by credits that name the order.
    by_name: bool,
}

/// All lots of a customer, by product and then by time.
#[derive(Debug)]
pub(super) struct Shelf {
    pub(super) lots: Vec<Lot>,
    /// Positions of order lines, lot by lot.
    lines: Vec<usize>,
    /// The lot of each order line.
    lot_of_line: Vec<usize>,
    by_key: Vec<(OrderKey, usize)>,
    pieces: Maxima<f64>,
    minor: Maxima<i64>,
}

impl Shelf {
    /// Lots of `entries`, which are sorted by time.
    pub(super) fn of(entries: &[Entry], lines: &[LineState]) -> Self {
        let mut by_lot: Vec<(Symbol, usize, usize)> = Vec::with_capacity(lines.len());
        for (index, entry) in entries.iter().enumerate() {
            let of_entry = entry.lines.clone();
            by_lot.extend(of_entry.map(|line| (lines[line].line.product, index, line)));
        }
        by_lot.sort_unstable();
        let mut lots: Vec<Lot> = Vec::new();
        let mut lot_of_line = vec![0; lines.len()];
        for (position, &(product, entry, line)) in by_lot.iter().enumerate() {
            if lots
                .last()
                .is_none_or(|lot| (lot.product, lot.entry) != (product, entry))
            {
                lots.push(Lot {
                    product,
                    entry,
                    lines: position..position,
                    pieces: 0.0,
                    minor: 0,
                    by_name: entries[entry].standing == Standing::Unpaid,
                });
            }
            lot_of_line[line] = lots.len() - 1;
            let lot = lots.last_mut().expect("one was just put there");
            lot.lines.end = position + 1;
            lot.pieces += lines[line].left;
            lot.minor = lot.minor.saturating_add(lines[line].minor_left());
        }
        let mut by_key: Vec<_> = entries.iter().map(|e| e.order.key).zip(0..).collect();
        by_key.sort_unstable();
        let shown = |lot: &Lot| !lot.by_name;
        let pieces = lots.iter().map(|l| if shown(l) { l.pieces } else { 0.0 });
        let minor = lots.iter().map(|l| if shown(l) { l.minor } else { 0 });
        Self {
            pieces: Maxima::of(pieces.collect()),
            minor: Maxima::of(minor.collect()),
            lots,
            lines: by_lot.into_iter().map(|(_, _, line)| line).collect(),
            lot_of_line,
            by_key,
        }
    }

    /// The order of that key.
    pub(super) fn order(&self, key: OrderKey) -> Option<usize> {
        let found = self.by_key.binary_search_by_key(&key, |&(key, _)| key).ok();
        found.map(|position| self.by_key[position].1)
    }

    /// What an order has of a product.
    pub(super) fn lot(&self, product: Symbol, entry: usize) -> Option<usize> {
        let key = |lot: &Lot| (lot.product, lot.entry);
        self.lots.binary_search_by_key(&(product, entry), key).ok()
    }

    /// The latest lot of `product` up to `at` that has that many pieces; of a `claim` without
    /// pieces, that much money.
    pub(super) fn latest(
        &self,
        entries: &[Entry],
        product: Symbol,
        at: Timestamp,
        claim: Claim,
    ) -> Option<usize> {
        let from = self.lots.partition_point(|lot| lot.product < product);
        let to = self.lots.partition_point(|lot| {
            lot.product < product
                || (lot.product == product && entries[lot.entry].order.occurred_at <= at)
        });
        if claim.pieces > 0.0 {
            let enough = claim.pieces - NO_PIECES;
            self.pieces.last_at_least(from..to, enough)
        } else {
            self.minor.last_at_least(from..to, claim.minor)
        }
    }

    /// Takes up to what `claim` says off the lines of a lot, from its first line on; returns
    /// what was taken.
    pub(super) fn take(&mut self, lot: usize, claim: Claim, lines: &mut [LineState]) -> Claim {
        let mut rest = claim;
        let of_lot = &mut self.lots[lot].lines;
        while let Some(first) = of_lot.clone().next()
            && lines[self.lines[first]].is_used_up()
        {
            of_lot.start += 1;
        }
        for position in of_lot.clone() {
            if rest.pieces <= 0.0 && rest.minor <= 0 {
                break;
            }
            let line = &mut lines[self.lines[position]];
            let pieces = rest.pieces.min(line.left).max(0.0);
            line.left -= pieces;
            if line.left < NO_PIECES {
                line.left = 0.0;
            }
            rest.pieces -= pieces;
            let minor = rest.minor.clamp(0, line.minor_left());
            line.line.net_minor -= minor;
            rest.minor -= minor;
        }
        let taken = Claim {
            pieces: claim.pieces - rest.pieces,
            minor: claim.minor - rest.minor,
        };
        self.note(lot, taken);
        taken
    }

    /// Takes money off one line of an order; returns what was taken.
    pub(super) fn take_money(&mut self, line: usize, minor: i64, lines: &mut [LineState]) -> i64 {
        let taken = minor.clamp(0, lines[line].minor_left());
        lines[line].line.net_minor -= taken;
        let claim = Claim {
            pieces: 0.0,
            minor: taken,
        };
        self.note(self.lot_of_line[line], claim);
        taken
    }

    fn note(&mut self, lot: usize, taken: Claim) {
        let changed = &mut self.lots[lot];
        changed.pieces -= taken.pieces;
        changed.minor -= taken.minor;
        if !changed.by_name {
            self.pieces.set(lot, changed.pieces);
            self.minor.set(lot, changed.minor);
        }
    }
}

/// What a credit or refund wants back, or got.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    /// Pieces; 0 when it names money only.
    pub(super) pieces: f64,
    /// Money in minor units.
    pub(super) minor: i64,
}

/// A row of values that is asked for the last one of at least some size: a tree of maxima.
#[derive(Debug)]
struct Maxima<T> {
    /// The root is node 1, the children of node `n` are `2n` and `2n + 1`; leaves come last.
    nodes: Vec<T>,
    leaves: usize,
}

impl<T: Copy + PartialOrd + Default> Maxima<T> {
    fn of(values: Vec<T>) -> Self {
        let leaves = values.len().next_power_of_two();
        let mut nodes = vec![T::default(); 2 * leaves];
        nodes[leaves..leaves + values.len()].copy_from_slice(&values);
        let mut tree = Self { nodes, leaves };
        for node in (1..leaves).rev() {
            tree.nodes[node] = tree.largest_below(node);
        }
        tree
    }

    fn largest_below(&self, node: usize) -> T {
        let (left, right) = (self.nodes[2 * node], self.nodes[2 * node + 1]);
        if left > right { left } else { right }
    }

    fn set(&mut self, position: usize, value: T) {
        let mut node = self.leaves + position;
        self.nodes[node] = value;
        while node > 1 {
            node /= 2;
            self.nodes[node] = self.largest_below(node);
        }
    }

    /// The last position of `range` whose value is at least `least`.
    fn last_at_least(&self, range: Range<usize>, least: T) -> Option<usize> {
        self.search(1, 0..self.leaves, &range, least)
    }

    fn search(
        &self,
        node: usize,
        below: Range<usize>,
        range: &Range<usize>,
        least: T,
    ) -> Option<usize> {
        let apart = below.end <= range.start || range.end <= below.start;
        if apart || self.nodes[node] < least {
            return None;
        }
        if node >= self.leaves {
            return Some(below.start);
        }
        let middle = usize::midpoint(below.start, below.end);
        self.search(2 * node + 1, middle..below.end, range, least)
            .or_else(|| self.search(2 * node, below.start..middle, range, least))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_last_that_is_large_enough_is_found(
            values in proptest::collection::vec(0_i64..9, 0..20),
            changes in proptest::collection::vec((0_usize..20, 0_i64..9), 0..8),
            (from, to, least) in (0_usize..20, 0_usize..20, 0_i64..10),
        ) {
            let mut tree = Maxima::of(values.clone());
            let mut values = values;
            for (position, value) in changes {
                if position < values.len() {
                    tree.set(position, value);
                    values[position] = value;
                }
            }
            let to = to.min(values.len());
            let expected = (from..to).rev().find(|&i| values[i] >= least);
            prop_assert_eq!(tree.last_at_least(from..to.max(from), least), expected);
        }
    }
}
