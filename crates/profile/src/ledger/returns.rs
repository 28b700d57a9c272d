//! What came back: credits and refunds are taken off the orders that they reduce.
//!
//! By time, so that what is known later does not change what was matched earlier:
//!
//! 1. One that names an order (by its key, in whatever file or import it came) takes from that
//!    order first: a refund, or a credit that names no product, money off any of its lines; a
//!    credit pieces and money of its product. A refund that names a product takes pieces and
//!    money off that first, and nothing off any other order.
//! 2. What a credit still wants comes off the latest earlier order that has that many pieces of
//!    its product, or without a quantity that much money.
//! 3. Money that could not be taken off anything is reported.
//!
//! What an order tells as refunded and what files of refunds say of it is the same money: these
//! take off what goes beyond it. A refund that does not tell tax and shipping apart holds them in
//! the proportion of its order.
//!
//! Orders that were cancelled or refunded are candidates like any other: what goes back for them
//! must not be taken off another order. It changes nothing there. Orders that were never paid
//! give back only what names them.

use std::ops::Range;

use regulars_core::{LineRecord, RecordKind, RefundKey, Symbol};

use super::shelf::{Claim, NO_PIECES, Shelf};
use super::{Ledger, Unapplied};

impl Ledger {
    /// Takes every credit and refund off its order.
    pub(super) fn take_back(&mut self, records: &[LineRecord], chosen: &[Range<usize>]) {
        let came_back = |run: &&Range<usize>| records[run.start].kind != RecordKind::Sale;
        if !chosen.iter().any(|run| came_back(&run)) {
            return;
        }
        self.entries
            .sort_by_key(|entry| (entry.order.occurred_at, entry.order.key));
        let mut shelf = Shelf::of(&self.entries, &self.lines);
        let mut returns: Vec<(&LineRecord, Option<usize>)> = chosen
            .iter()
            .filter(came_back)
            .flat_map(|run| &records[run.clone()])
            .map(|record| (record, shelf.order(record.order)))
            .collect();
        returns.sort_by_key(|(r, own)| {
            let which = (r.order, r.kind, r.refund, r.line);
            (r.occurred_at, own.is_none(), which)
        });
        for (record, own) in returns {
            let known_minor = self.oddities.unmatched_credit_minor;
            let names_goods = record.kind == RecordKind::Credit && record.product != Symbol::NONE;
            match own {
                Some(own) if record.kind == RecordKind::Refund => {
                    self.take_refund(&mut shelf, own, record);
                }
                Some(own) if !names_goods => self.take_money(&mut shelf, own, record.net_minor),
                // A refund that was not made waits for no order.
                None if record.kind == RecordKind::Refund && record.net_minor == 0 => {}
                None if record.kind == RecordKind::Refund => {
                    self.oddities.refunds_without_order += 1;
                    self.oddities.add_unmatched_minor(record.net_minor);
                }
                own => self.take_goods(&mut shelf, own, record),
            }
            let unmatched_minor = self.oddities.unmatched_credit_minor;
            let minor = unmatched_minor.saturating_sub(known_minor);
            if minor > 0 {
                self.unapplied.push(Unapplied {
                    kind: record.kind,
                    order: record.order,
                    refund: record.refund,
                    minor,
                });
            }
        }
    }

    /// Takes a refund off its order, goods that it names first.
    fn take_refund(&mut self, shelf: &mut Shelf, own: usize, refund: &LineRecord) {
        let entry = &mut self.entries[own];
        let mut minor = refund.net_minor;
        if refund.refund != RefundKey::NONE {
            if refund.beside_minor.is_none() {
                minor = entry.paid.net_of(minor);
            }
            let told_minor = minor.clamp(0, entry.told_minor.max(0));
            entry.told_minor -= told_minor;
            minor -= told_minor;
        }
        if refund.product != Symbol::NONE {
            let mut pieces = refund.quantity.max(0.0);
            let lots = [refund.product, Symbol::NONE].map(|product| shelf.lot(product, own));
            for lot in lots.into_iter().flatten() {
                let taken = self.take_off(shelf, lot, Claim { pieces, minor });
                pieces -= taken.pieces;
                minor -= taken.minor;
            }
        }
        self.take_money(shelf, own, minor);
    }

    /// Takes money off an order's lines, from its first line on, never below zero.
    fn take_money(&mut self, shelf: &mut Shelf, own: usize, minor: i64) {
        let mut rest = minor;
        for line in self.entries[own].unspent.clone() {
            if rest <= 0 {
                break;
            }
            rest -= shelf.take_money(line, rest, &mut self.lines);
            if self.lines[line].minor_left() == 0 && line == self.entries[own].unspent.start {
                self.entries[own].unspent.start += 1;
            }
        }
        let order = &mut self.entries[own].order;
        order.net_minor -= minor - rest;
        order.refunded_minor += minor - rest;
        if rest > 0 {
            self.oddities.add_unmatched(rest);
        }
    }

    /// Takes goods, or money for them, off the order that the credit names and then off the
    /// latest earlier one that has that much.
    fn take_goods(&mut self, shelf: &mut Shelf, own: Option<usize>, credit: &LineRecord) {
        let mut rest = Claim {
            pieces: credit.quantity.max(0.0),
            minor: credit.net_minor,
        };
        let of_pieces = rest.pieces > 0.0;
        let mut untaken_minor = 0;
        // A line that names no product may be any.
        let own_lots = [credit.product, Symbol::NONE].map(|p| shelf.lot(p, own?));
        for lot in own_lots.into_iter().flatten() {
            let part = if of_pieces {
                part_of(rest, shelf.lots[lot].pieces)
            } else {
                rest
            };
            let taken = self.take_off(shelf, lot, part);
            rest.pieces -= part.pieces;
            // Money of goods that did come back is not looked for elsewhere.
            let settled = if of_pieces { part.minor } else { taken.minor };
            rest.minor -= settled;
            untaken_minor += settled - taken.minor;
        }
        let wanted = if of_pieces {
            rest.pieces >= NO_PIECES
        } else {
            rest.minor > 0
        };
        let found = match wanted {
            true => shelf.latest(&self.entries, credit.product, credit.occurred_at, rest),
            false => None,
        };
        let missing = wanted && found.is_none();
        if let Some(lot) = found {
            rest.minor -= self.take_off(shelf, lot, rest).minor;
        }
        let unmatched_minor = untaken_minor + rest.minor;
        if missing || unmatched_minor > 0 {
            self.oddities.add_unmatched(unmatched_minor);
        }
    }

    fn take_off(&mut self, shelf: &mut Shelf, lot: usize, claim: Claim) -> Claim {
        let taken = shelf.take(lot, claim, &mut self.lines);
        let entry = &mut self.entries[shelf.lots[lot].entry];
        entry.order.net_minor -= taken.minor;
        entry.order.refunded_minor += taken.minor;
        entry.has_returns |= taken.pieces > 0.0;
        taken
    }
}

/// The part of a claim on pieces that `pieces` of them make, with its money in proportion.
fn part_of(claim: Claim, pieces: f64) -> Claim {
    if pieces + NO_PIECES >= claim.pieces {
        return claim;
    }
    let pieces = pieces.max(0.0);
    let share = claim.minor as f64 * pieces / claim.pieces;
    Claim {
        pieces,
        minor: share.round_ties_even() as i64,
    }
}
