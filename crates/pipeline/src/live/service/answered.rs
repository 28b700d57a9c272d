//! When events were answered, for how long it takes until what they cause is on disk.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Instant;

use regulars_core::{Cause, Transition};

use crate::times::Times;

/// Frames that are remembered, at most.
const MOST: usize = 10_000;

/// The latest frames with events: where in the log, and when each was on disk.
#[derive(Debug, Default)]
pub(super) struct Answered(VecDeque<(Range<u64>, Instant)>);

impl Answered {
    /// A frame is on disk.
    pub(super) fn note(&mut self, frame: Range<u64>, at: Instant) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((frame, at));
    }

    /// Counts how long it took until transitions were on disk that events caused; all of them are
    /// by now that events before `folded_to` cause.
    pub(super) fn count(
        &mut self,
        (found, folded_to): (&[Transition], u64),
        now: Instant,
        delays: &Times,
    ) {
        for transition in found {
            let Cause::Event { offset, .. } = transition.cause else {
                continue;
            };
            let place = self.0.partition_point(|(frame, _)| frame.end <= offset);
            let frame = self
                .0
                .get(place)
                .filter(|(frame, _)| frame.contains(&offset));
            if let Some((_, at)) = frame {
                delays.add(now.duration_since(*at));
            }
        }
        let done = self.0.partition_point(|(frame, _)| frame.end <= folded_to);
        self.0.drain(..done);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use regulars_core::{CustomerId, Direction, SegmentName, Timestamp, TransitionId};

    use super::*;

    #[test]
    fn a_transition_counts_from_the_frame_of_the_event_that_caused_it() {
        let caused_by = |cause| Transition {
            id: TransitionId(1),
            customer: CustomerId(1),
            segment: SegmentName::new("a").unwrap(),
            version: 1,
            sequence: 1,
            direction: Direction::Entered,
            occurred_at: Timestamp(1),
            recorded_at: Timestamp(1),
            cause,
        };
        let event = |offset| Cause::Event {
            offset,
            name: String::new(),
        };
        let begun = Instant::now();
        let ms = |ms| begun + Duration::from_millis(ms);
        let (mut answered, delays) = (Answered::default(), Times::default());
        answered.note(5..10, ms(0));
        answered.note(10..20, ms(100));
        let causes = [
            event(4),
            event(9),
            event(10),
            event(19),
            event(20),
            Cause::Time,
        ];
        let found = causes.map(caused_by);
        answered.count((&found[..], 10), ms(104), &delays);
        // 104 ms, twice 4 ms; of the others nothing is known.
        let within = |delays: &Times, bound| {
            let mut counts = delays.within_ms();
            counts.find(|(ms, _)| *ms == bound).map(|(_, count)| count)
        };
        assert_eq!(within(&delays, 5), Some(2));
        assert_eq!(within(&delays, 250), Some(3));
        // Of the first frame everything is on disk.
        answered.count((&found[1..3], 20), ms(200), &delays);
        assert_eq!(within(&delays, 10_000), Some(4));
        assert!(answered.0.is_empty());
    }
}
