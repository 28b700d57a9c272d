//! Values folded from orders: what each keeps, what it is worth at `now`, when it next changes.
//!
//! Every value is an exact integer (a count, minor units, millionths of pieces) or an instant.
//! What one order adds ends at 64 bits, as amounts of orders do; sums of orders are exact, whatever
//! comes in and leaves, and only what is read from them ends at 64 bits.
//! Inside a window a state keeps (time, value) pairs; what left the window before the latest order
//! is dropped when that order is folded, which is safe because no evaluation is earlier.

use std::collections::VecDeque;

use regulars_core::{Order, OrderLine, Symbol, Timestamp, TraitValue, Window, Zone};

use super::event::{EventSlot, EventSlots};
use super::filter::FilterProgram;
use super::slots::{Amounts, Slots};
use super::{Faults, Keep, mutated};
use crate::check::ValueTest;
use crate::check::{MILLIONTHS, MeasureKind, MeasureSpec};
use crate::tree::{Measure, WhichOrder};

/// A measure as it is folded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MeasureProgram {
    pub(crate) spec: MeasureSpec,
    pub(crate) filter: Option<FilterProgram>,
    /// Counts beyond this make no difference to any test; the k latest are kept.
    pub(crate) cap: usize,
}

/// What is kept of one customer's orders and events.
///
/// Made by `Program::new_states`; only for the program that made it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LeafStates {
    orders: Slots<Slot>,
    pub(super) events: EventSlots,
}

#[derive(Debug, Clone, PartialEq)]
enum Slot {
    /// A count or sum over all time.
    Ever(Box<i128>),
    /// Times of the latest orders that count, ascending.
    Times(VecDeque<Timestamp>),
    /// Amounts within a window, of the orders that count.
    Amounts(Box<Amounts>),
    /// Each symbol with its latest time, ascending in time.
    Distinct(VecDeque<(Timestamp, Symbol)>),
    /// Symbols of all time, sorted.
    DistinctEver(Vec<Symbol>),
    /// Time of the first or last order that counts.
    OrderTime(Timestamp),
}

impl Slot {
    /// How many times, amounts or symbols are kept.
    fn entries(&self) -> usize {
        match self {
            Self::Ever(_) | Self::OrderTime(_) => 1,
            Self::Times(times) => times.len(),
            Self::Amounts(amounts) => amounts.len(),
            Self::Distinct(entries) => entries.len(),
            Self::DistinctEver(symbols) => symbols.len(),
        }
    }
}

impl LeafStates {
    /// How many times, amounts and values are kept: what a customer costs.
    pub fn entries(&self) -> usize {
        let orders: usize = self.orders.iter().map(Slot::entries).sum();
        let events: usize = self.events.iter().map(EventSlot::entries).sum();
        orders + events
    }

    /// What is kept of orders alone: for [`Self::set_orders`].
    pub fn of_orders(&self) -> Self {
        Self {
            orders: self.orders.clone(),
            events: EventSlots::default(),
        }
    }

    /// Keeps of orders what `from` keeps; what is kept of events stays.
    pub fn set_orders(&mut self, from: &Self) {
        self.orders.clone_from(&from.orders);
    }

    pub(super) fn clear(&mut self) {
        self.orders.clear();
        self.events.clear();
    }

    pub(super) fn clear_orders(&mut self) {
        self.orders.clear();
    }

    /// `starts` gives for each measure the last instant that no later evaluation looks at.
    pub(super) fn fold(
        &mut self,
        measures: &[MeasureProgram],
        order: &Order<'_>,
        starts: Option<&[Timestamp]>,
        zone: &Zone,
        faults: Faults,
    ) {
        for (number, measure) in (0..).zip(measures) {
            if starts.is_none_or(|starts| order.occurred_at > starts[number as usize]) {
                measure.fold(&mut self.orders, number, order, zone, faults);
            }
        }
    }
}

impl MeasureProgram {
    pub(crate) fn new(spec: MeasureSpec, filter: Option<FilterProgram>) -> Self {
        Self {
            spec,
            filter,
            cap: 0,
        }
    }

    /// Makes room for a test: afterwards the kept part tells whether it passes.
    pub(crate) fn serve(&mut self, test: &ValueTest, keep: Keep) {
        self.cap = self.cap.max(cap_for(test, keep));
    }

    /// Folds an order; one that adds nothing makes no slot.
    fn fold(
        &self,
        slots: &mut Slots<Slot>,
        number: u32,
        order: &Order<'_>,
        zone: &Zone,
        faults: Faults,
    ) {
        let at = order.occurred_at;
        let ever = self.spec.window == Window::Ever;
        match self.spec.kind {
            MeasureKind::OrderTime(which) => {
                if self.passes(order, zone, faults)
                    && let Slot::OrderTime(time) = slots.get_or(number, || Slot::OrderTime(at))
                {
                    *time = match which {
                        WhichOrder::First => at.min(*time),
                        WhichOrder::Last => at.max(*time),
                    };
                }
            }
            MeasureKind::Aggregate(Measure::Orders) if !ever => {
                if self.passes(order, zone, faults) {
                    self.fold_count(slots, number, at, zone, faults);
                }
            }
            MeasureKind::Aggregate(Measure::Orders | Measure::Revenue | Measure::Items) => {
                let amount = self.amount(order, zone, faults);
                if amount != 0 {
                    self.fold_amount(slots, number, (at, amount), zone, faults);
                }
            }
            MeasureKind::Aggregate(
                Measure::DistinctProducts | Measure::DistinctCategories | Measure::DistinctBrands,
            ) => self.for_each_symbol(order, zone, faults, |symbol| {
                self.fold_symbol(slots, number, (at, symbol), zone, faults);
            }),
        }
    }

    fn fold_count(
        &self,
        slots: &mut Slots<Slot>,
        number: u32,
        at: Timestamp,
        zone: &Zone,
        faults: Faults,
    ) {
        let Slot::Times(times) = slots.get_or(number, || Slot::Times(VecDeque::new())) else {
            return;
        };
        insert(times, at, at, |&time| time);
        let one_less = usize::from(mutated!(faults, KeepsOneLess));
        while times.len() > self.cap.saturating_sub(one_less) {
            times.pop_front();
        }
        self.forget(times, at, zone, |&time| time);
    }

    fn fold_amount(
        &self,
        slots: &mut Slots<Slot>,
        number: u32,
        (at, amount): (Timestamp, i64),
        zone: &Zone,
        faults: Faults,
    ) {
        let empty = || match self.spec.window {
            Window::Ever => Slot::Ever(Box::default()),
            Window::Rolling { .. } | Window::Calendar { .. } => {
                Slot::Amounts(Box::new(Amounts::new(1)))
            }
        };
        match slots.get_or(number, empty) {
            Slot::Ever(value) => **value += i128::from(amount),
            Slot::Amounts(amounts) => {
                amounts.add(at, amount);
                if !mutated!(faults, SumIgnoresExits) {
                    let start = self.spec.window.start(at, zone);
                    amounts.forget(|_| start);
                }
            }
            _ => {}
        }
    }

    fn fold_symbol(
        &self,
        slots: &mut Slots<Slot>,
        number: u32,
        (at, symbol): (Timestamp, Symbol),
        zone: &Zone,
        faults: Faults,
    ) {
        let empty = || match self.spec.window {
            Window::Ever => Slot::DistinctEver(Vec::new()),
            Window::Rolling { .. } | Window::Calendar { .. } => Slot::Distinct(VecDeque::new()),
        };
        match slots.get_or(number, empty) {
            Slot::Distinct(entries) => {
                let known = entries.iter().position(|&(_, known)| known == symbol);
                if let Some(position) = known
                    && !mutated!(faults, DistinctCountsRepeats)
                {
                    if entries[position].0 >= at {
                        return;
                    }
                    entries.remove(position);
                }
                insert(entries, at, (at, symbol), |&(time, _)| time);
                while entries.len() > self.cap {
                    entries.pop_front();
                }
                self.forget(entries, at, zone, |&(time, _)| time);
            }
            Slot::DistinctEver(symbols) => {
                let place = match symbols.binary_search(&symbol) {
                    Ok(_) if !mutated!(faults, DistinctCountsRepeats) => return,
                    Ok(place) | Err(place) => place,
                };
                if symbols.len() < self.cap {
                    symbols.insert(place, symbol);
                }
            }
            _ => {}
        }
    }

    /// Drops from the front what has left the window at `at`.
    fn forget<T>(
        &self,
        entries: &mut VecDeque<T>,
        at: Timestamp,
        zone: &Zone,
        time: impl Fn(&T) -> Timestamp,
    ) {
        let start = self.spec.window.start(at, zone);
        while entries.pop_front_if(|entry| time(entry) <= start).is_some() {}
    }

    fn passes(&self, order: &Order<'_>, zone: &Zone, faults: Faults) -> bool {
        self.filter
            .as_ref()
            .is_none_or(|filter| filter.passes(order, zone, faults))
    }

    /// What the order adds to a count or sum.
    fn amount(&self, order: &Order<'_>, zone: &Zone, faults: Faults) -> i64 {
        let MeasureKind::Aggregate(measure) = self.spec.kind else {
            return 0;
        };
        let of_line = |line: &OrderLine| match measure {
            Measure::Revenue => line.net_minor,
            _ => micro_pieces(line.quantity),
        };
        match (&self.filter, measure) {
            (_, Measure::Orders) => i64::from(self.passes(order, zone, faults)),
            (Some(filter), _) if filter.is_of_lines => {
                let lines = order.lines.iter();
                clamped(
                    lines
                        .filter(|l| filter.passes_line(order, l, zone, faults))
                        .map(|line| i128::from(of_line(line)))
                        .sum(),
                )
            }
            _ if !self.passes(order, zone, faults) => 0,
            (_, Measure::Revenue) => order.net_minor,
            (_, _) => micro_pieces(order.quantity),
        }
    }

    /// Calls `each` with the symbols of the lines that take part, unknown ones left out.
    fn for_each_symbol(
        &self,
        order: &Order<'_>,
        zone: &Zone,
        faults: Faults,
        mut each: impl FnMut(Symbol),
    ) {
        for line in order.lines {
            let takes_part = self
                .filter
                .as_ref()
                .is_none_or(|filter| filter.passes_line(order, line, zone, faults));
            let symbol = match self.spec.kind {
                MeasureKind::Aggregate(Measure::DistinctCategories) => line.category,
                MeasureKind::Aggregate(Measure::DistinctBrands) => line.brand,
                _ => line.product,
            };
            if takes_part && let Some(symbol) = symbol.known() {
                each(symbol);
            }
        }
    }

    /// This measure's value over what is later than `start`: a number, or for the time of an order
    /// an instant or missing.
    pub(crate) fn value(
        &self,
        states: &LeafStates,
        measure: u32,
        start: Timestamp,
        faults: Faults,
    ) -> TraitValue<'static> {
        let count = |entries: usize| TraitValue::Integer(entries as i64);
        let Some(slot) = states.orders.get(measure) else {
            return match self.spec.kind {
                MeasureKind::OrderTime(_) => TraitValue::Missing,
                MeasureKind::Aggregate(_) => count(0),
            };
        };
        match slot {
            Slot::Ever(value) => TraitValue::Integer(clamped(**value)),
            Slot::OrderTime(at) => TraitValue::Instant(*at),
            Slot::DistinctEver(symbols) => count(symbols.len()),
            Slot::Times(times) => count(later_than(start, times, |&time| time)),
            Slot::Distinct(entries) => count(later_than(start, entries, |&(time, _)| time)),
            Slot::Amounts(amounts) if mutated!(faults, SumIgnoresExits) => {
                TraitValue::Integer(clamped(amounts.inside(0).0))
            }
            Slot::Amounts(amounts) => TraitValue::Integer(clamped(amounts.since(0, start))),
        }
    }

    /// True when the value may be greater than what is kept shows.
    pub(crate) fn is_at_cap(&self, value: TraitValue<'_>) -> bool {
        let is_capped = match self.spec.kind {
            MeasureKind::Aggregate(Measure::Orders) => self.spec.window != Window::Ever,
            MeasureKind::Aggregate(
                Measure::DistinctProducts | Measure::DistinctCategories | Measure::DistinctBrands,
            ) => true,
            MeasureKind::Aggregate(Measure::Revenue | Measure::Items)
            | MeasureKind::OrderTime(_) => false,
        };
        matches!(value, TraitValue::Integer(count) if is_capped && count >= 0 && count as usize >= self.cap)
    }

    /// The last instant before the window that ends at `now`.
    pub(crate) fn start(&self, now: Timestamp, zone: &Zone, faults: Faults) -> Timestamp {
        let start = self.spec.window.start(now, zone);
        if mutated!(faults, WindowEdge) {
            start.plus_ms(-1)
        } else {
            start
        }
    }

    /// The first instant after `now` at which the truth of `test` changes if nothing happens.
    pub(crate) fn next_flip(
        &self,
        states: &LeafStates,
        measure: u32,
        test: &ValueTest,
        now: Timestamp,
        zone: &Zone,
        most: usize,
    ) -> Option<Timestamp> {
        let window = self.spec.window;
        match states.orders.get(measure)? {
            Slot::Ever(_) | Slot::DistinctEver(_) => None,
            Slot::OrderTime(at) => match test {
                ValueTest::Instant(test) => test.next_flip(*at, now, zone),
                _ => None,
            },
            Slot::Times(times) => {
                let entries = times.iter().map(|&time| (time, 1));
                flip_of(window, entries, test, (now, most), zone)
            }
            Slot::Distinct(entries) => {
                let entries = entries.iter().map(|&(time, _)| (time, 1));
                flip_of(window, entries, test, (now, most), zone)
            }
            Slot::Amounts(amounts) => {
                flip_of_sum(window, amounts.inside(0), test, (now, most), zone)
            }
        }
    }
}

/// How many of what is counted must be kept to tell whether a test passes.
pub(super) fn cap_for(test: &ValueTest, keep: Keep) -> usize {
    match (keep, test) {
        (Keep::Values, _) => usize::MAX,
        (Keep::Needed, ValueTest::Integer(test)) => {
            let greatest = test.bounds().iter().copied().max().unwrap_or(0);
            // One more than the greatest bound tells `= k` from `> k`.
            let needed = usize::try_from(greatest.saturating_add(1)).unwrap_or(0);
            needed.saturating_sub(usize::from(test.is_threshold()))
        }
        (Keep::Needed, _) => 1,
    }
}

/// Lets the entries leave the window one instant after the other until the truth changes; after
/// `most` of them without a change, gives the instant of the last: it is time to look again.
pub(super) fn flip_of(
    window: Window,
    entries: impl Iterator<Item = (Timestamp, i64)> + Clone,
    test: &ValueTest,
    (now, most): (Timestamp, usize),
    zone: &Zone,
) -> Option<Timestamp> {
    let sum = entries.clone().map(|(_, amount)| i128::from(amount)).sum();
    flip_of_sum(window, (sum, entries), test, (now, most), zone)
}

/// As [`flip_of`], of entries whose sum is known.
pub(super) fn flip_of_sum(
    window: Window,
    (sum, entries): (i128, impl Iterator<Item = (Timestamp, i64)> + Clone),
    test: &ValueTest,
    (now, most): (Timestamp, usize),
    zone: &Zone,
) -> Option<Timestamp> {
    let start = window.start(now, zone);
    let mut value = sum;
    let mut inside = entries.peekable();
    while let Some((_, amount)) = inside.next_if(|&(time, _)| time <= start) {
        value -= i128::from(amount);
    }
    let holds = |value: i128| {
        let value = value.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        test.holds(TraitValue::Integer(value), now, zone)
    };
    let truth = holds(value);
    let mut looked_at = 0;
    while let Some((time, amount)) = inside.next() {
        value -= i128::from(amount);
        looked_at += 1;
        if holds(value) == truth && looked_at < most {
            continue;
        }
        let leaves_at = window.leaves_at(time, zone)?;
        // Those that leave at the same instant leave together.
        if let Some(&(next, _)) = inside.peek()
            && window.leaves_at(next, zone) == Some(leaves_at)
        {
            continue;
        }
        return Some(leaves_at);
    }
    None
}

/// Inserts into a list that ascends in time, after those of the same time.
fn insert<T>(entries: &mut VecDeque<T>, at: Timestamp, entry: T, time: impl Fn(&T) -> Timestamp) {
    if entries.back().is_none_or(|last| time(last) <= at) {
        entries.push_back(entry);
        return;
    }
    let place = entries.partition_point(|known| time(known) <= at);
    entries.insert(place, entry);
}

/// How many entries of an ascending list are later than `start`. Most often all are: what left was
/// dropped before.
fn later_than<T>(start: Timestamp, entries: &VecDeque<T>, time: impl Fn(&T) -> Timestamp) -> usize {
    let gone = entries.iter().take_while(|entry| time(entry) <= start);
    entries.len() - gone.count()
}

fn micro_pieces(quantity: f64) -> i64 {
    (quantity * MILLIONTHS).round() as i64
}

fn clamped(sum: i128) -> i64 {
    sum.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}
