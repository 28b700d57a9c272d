//! Bugs that can be seeded into leaf code, to prove that the equivalence test would catch them.

use regulars_core::{Timestamp, TraitValue};

use crate::check::{InstantTest, OrderedTest, TextTest, ValueTest};
use crate::tree::CompareOp;

/// One bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// A rolling window holds an event one millisecond too long.
    WindowEdge,
    /// `count >= k` keeps only `k − 1` timestamps.
    KeepsOneLess,
    /// A rolling sum never forgets what left the window.
    SumIgnoresExits,
    /// Calendar windows use days of UTC instead of the workspace's zone.
    CalendarInUtc,
    /// A distinct count counts every line.
    DistinctCountsRepeats,
    /// A missing property is different from everything.
    MissingDiffers,
    /// `before 60 days ago` becomes true one millisecond late.
    BeforeAgoLate,
    /// The conditions of a filter may be met by different lines.
    FilterAcrossLines,
    /// A count passes over events that come late.
    LateEventsDropped,
    /// A count takes events of the same time for one.
    EventTiesMerged,
    /// A distinct count keeps the time of a value's first event instead of the latest.
    DistinctKeepsFirst,
    /// A text that is a number is not compared with numbers.
    NumbersInTextsDiffer,
    /// A list contains whatever one of its elements contains.
    ListsContainParts,
    /// An event at the very time of the first follows it.
    SequenceAtOnce,
    /// An event at the very end of the time allowed is too late.
    SequenceDeadline,
    /// The wait for an event that does not come begins with the first start and not the latest.
    FirstStartCounts,
    /// The conditions of a filter may be met by different carts.
    FilterAcrossCarts,
    /// Carts stay open for ever.
    CartsNeverExpire,
    /// What happens touches one condition less than it does.
    TouchesOneLess,
    /// After something happened, the next look is when it was due before.
    ChangesWakeNobody,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::WindowEdge,
        Self::KeepsOneLess,
        Self::SumIgnoresExits,
        Self::CalendarInUtc,
        Self::DistinctCountsRepeats,
        Self::MissingDiffers,
        Self::BeforeAgoLate,
        Self::FilterAcrossLines,
        Self::LateEventsDropped,
        Self::EventTiesMerged,
        Self::DistinctKeepsFirst,
        Self::NumbersInTextsDiffer,
        Self::ListsContainParts,
        Self::SequenceAtOnce,
        Self::SequenceDeadline,
        Self::FirstStartCounts,
        Self::FilterAcrossCarts,
        Self::CartsNeverExpire,
        Self::TouchesOneLess,
        Self::ChangesWakeNobody,
    ];
}

impl Mutation {
    /// The wrong truth of a condition on a value, where this bug has one.
    pub(crate) fn truth(
        self,
        test: &ValueTest,
        value: TraitValue<'_>,
        now: Timestamp,
    ) -> Option<bool> {
        match (self, test, value) {
            (Self::MissingDiffers, test, TraitValue::Missing) if is_negative(test) => Some(true),
            (
                Self::BeforeAgoLate,
                ValueTest::Instant(InstantTest::BeforeAgo { ms }),
                TraitValue::Instant(at),
            ) => Some(at < now.plus_ms(-ms)),
            (Self::ListsContainParts, ValueTest::Text(test), TraitValue::List(list)) => {
                Some(list.elements().any(|element| test.holds(element)))
            }
            _ => None,
        }
    }
}

fn is_negative(test: &ValueTest) -> bool {
    match test {
        ValueTest::Integer(
            OrderedTest::Compare(CompareOp::NotEqual, _) | OrderedTest::NotIn(_),
        )
        | ValueTest::Number(OrderedTest::Compare(CompareOp::NotEqual, _) | OrderedTest::NotIn(_))
        | ValueTest::Text(TextTest::NotIn(_)) => true,
        ValueTest::IsSet
        | ValueTest::IsNotSet
        | ValueTest::Flag(_)
        | ValueTest::Integer(_)
        | ValueTest::Number(_)
        | ValueTest::Text(_)
        | ValueTest::Instant(_) => false,
    }
}
