//! What a customer paid for an order, so that money that went back with tax and shipping in it
//! takes their part of the net revenue off.

use regulars_core::LineRecord;

/// What was paid for an order and what of it went back, tax and shipping included.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Paid {
    net_minor: i64,
    beside_minor: i64,
    /// What went back so far.
    back_minor: i64,
}

impl Paid {
    /// Adds a line sold.
    pub(super) fn add(&mut self, line: &LineRecord) {
        self.net_minor = self.net_minor.saturating_add(line.net_minor);
        let beside_minor = line.beside_minor.unwrap_or(0).max(0);
        self.beside_minor = self.beside_minor.saturating_add(beside_minor);
    }

    /// The net revenue in `minor` that go back with tax and shipping in them. The parts of several
    /// refunds add up to what one refund of them all comes to, whatever was rounded; what goes
    /// beyond the amount paid counts in full.
    pub(super) fn net_of(&mut self, minor: i64) -> i64 {
        let before = self.net_up_to(self.back_minor);
        self.back_minor = self.back_minor.saturating_add(minor);
        self.net_up_to(self.back_minor).saturating_sub(before)
    }

    fn net_up_to(&self, back_minor: i64) -> i64 {
        let paid_minor = self.net_minor.saturating_add(self.beside_minor);
        if self.beside_minor == 0 || self.net_minor <= 0 || back_minor <= 0 {
            return back_minor;
        }
        if back_minor >= paid_minor {
            return self.net_minor.saturating_add(back_minor - paid_minor);
        }
        let (part, whole) = (i128::from(back_minor), i128::from(paid_minor));
        let twice = 2 * part * i128::from(self.net_minor) + whole;
        // At most the net revenue, which has 64 bits.
        i64::try_from(twice.div_euclid(2 * whole)).unwrap_or(self.net_minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid() -> Paid {
        Paid {
            net_minor: 10_000,
            beside_minor: 1_900,
            back_minor: 0,
        }
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        assert_eq!(paid().net_of(11_900), 10_000);
        assert_eq!(paid().net_of(5_950), 5_000);
        let mut thirds = paid();
        let parts = [3_967, 3_967, 3_966].map(|minor| thirds.net_of(minor));
        assert_eq!(parts.iter().sum::<i64>(), 10_000);
        assert_eq!(thirds.net_of(7), 7);
        assert_eq!(Paid::default().net_of(7), 7);
    }
}
