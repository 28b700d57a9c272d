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
}

impl Mutation {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::WindowEdge,
        Self::KeepsOneLess,
        Self::SumIgnoresExits,
        Self::CalendarInUtc,
        Self::DistinctCountsRepeats,
        Self::MissingDiffers,
        Self::BeforeAgoLate,
        Self::FilterAcrossLines,
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
