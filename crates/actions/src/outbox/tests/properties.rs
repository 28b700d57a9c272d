//! What holds whatever happens: random traffic, answers, times, replays and restarts.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

const DESTINATIONS: [&str; 3] = ["a", "b", "dead"];

/// A step of a random life.
#[derive(Debug, Clone)]
enum Step {
    /// A transition of one of a few customers, for all destinations.
    Happens { customer: u64 },
    /// Time goes by; what is due is taken.
    Passes { ms: i64 },
    /// The attempt with this index among those being made ends so.
    Ends {
        index: usize,
        answer: Answer,
        random: f64,
    },
    /// The dead or expired delivery with this index is sent again.
    Replayed { index: usize },
    /// The process is killed and started again from the log.
    Restarts,
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    Taken,
    Error,
    TooMany,
    Down,
    Gone,
    Unsendable,
}

fn outcome(answer: Answer) -> Outcome {
    match answer {
        Answer::Taken => TAKEN,
        Answer::Error => refused(500, None),
        Answer::TooMany => refused(429, Some(2 * SECOND)),
        Answer::Down => DOWN,
        Answer::Gone => Outcome::Gone,
        Answer::Unsendable => Outcome::Unsendable {
            why: Unsendable::TooLarge,
        },
    }
}

fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![
        6 => Just(Answer::Taken),
        3 => Just(Answer::Error),
        2 => Just(Answer::TooMany),
        2 => Just(Answer::Down),
        1 => Just(Answer::Gone),
        1 => Just(Answer::Unsendable),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..4_u64).prop_map(|customer| Step::Happens { customer }),
        6 => (0..40_000_i64).prop_map(|ms| Step::Passes { ms }),
        1 => (0..40 * HOUR).prop_map(|ms| Step::Passes { ms }),
        12 => (0..100_usize, answers(), 0.0..1.0_f64)
            .prop_map(|(index, answer, random)| Step::Ends { index, answer, random }),
        1 => (0..100_usize).prop_map(|index| Step::Replayed { index }),
        1 => Just(Step::Restarts),
    ];
    prop::collection::vec(step, 0..150)
}

fn settings() -> OutboxSettings {
    let mut settings = OutboxSettings {
        concurrency: 2,
        pending_at_most: 12,
        ..OutboxSettings::default()
    };
    settings.schedule.delays_seconds = vec![0, 5, 60, 3_600];
    settings
}

fn fresh() -> Outbox {
    let mut outbox = Outbox::new(settings()).unwrap();
    for name in DESTINATIONS {
        outbox.enable(&destination(name));
    }
    outbox
}

/// What the log keeps.
#[derive(Debug, Clone)]
enum Entry {
    Enqueued(DestinationId, Arc<Transition>),
    Marked(Mark),
}

/// An outbox with its log and everything that was ever sent.
struct World {
    outbox: Outbox,
    log: Vec<Entry>,
    now: Timestamp,
    in_flight: Vec<Attempt>,
    happened: u128,
    /// Deliveries that were replayed: they may go out of order.
    replayed: BTreeSet<DeliveryId>,
}

impl World {
    fn new() -> Self {
        Self {
            outbox: fresh(),
            log: Vec::new(),
            now: Timestamp(0),
            in_flight: Vec::new(),
            happened: 0,
            replayed: BTreeSet::new(),
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Happens { customer } => self.happen(customer),
            Step::Passes { ms } => {
                self.now = self.now.plus_ms(ms);
                self.send();
            }
            Step::Ends {
                index,
                answer,
                random,
            } => self.end(index, outcome(answer), random),
            Step::Replayed { index } => self.replay(index),
            Step::Restarts => {
                self.outbox = self.read_again();
                self.in_flight.clear();
            }
        }
    }

    fn happen(&mut self, customer: u64) {
        let moved = transition(self.happened, customer, self.now.0);
        self.happened += 1;
        for name in DESTINATIONS {
            let to = destination(name);
            // Twice, as when the log is read again.
            let first = self.outbox.enqueue(&to, &moved);
            assert!(matches!(first, Enqueued::New(_)));
            assert!(matches!(
                self.outbox.enqueue(&to, &moved),
                Enqueued::Known(_)
            ));
            self.log.push(Entry::Enqueued(to, Arc::clone(&moved)));
        }
        self.send();
    }

    fn send(&mut self) {
        let unfinished_before: Vec<Delivery> = self.outbox.deliveries_from(0).cloned().collect();
        let due = self.outbox.next_due(self.now);
        let expired: BTreeSet<_> = due
            .marks
            .iter()
            .map(|mark| match mark {
                Mark::Expired { delivery, .. }
                | Mark::Dead {
                    delivery,
                    error: AttemptError::Crowded,
                    ..
                } => delivery.clone(),
                other => panic!("{other:?}"),
            })
            .collect();
        for attempt in &due.attempts {
            let own = unfinished_before
                .iter()
                .find(|d| d.id == attempt.delivery)
                .unwrap();
            assert_eq!(
                own.status,
                Status::Pending,
                "nothing is sent twice at a time or after a mark"
            );
            assert!(own.due_at <= self.now, "nothing is sent before its time");
            let before_it = unfinished_before.iter().filter(|other| {
                other.customer() == own.customer()
                    && other.id.destination == own.id.destination
                    && other.position < own.position
                    && !other.status.is_finished()
                    && !expired.contains(&other.id)
                    && !self.replayed.contains(&other.id)
            });
            assert_eq!(before_it.count(), 0, "order is kept for each customer");
        }
        self.log.extend(due.marks.into_iter().map(Entry::Marked));
        self.in_flight.extend(due.attempts);
        let mut lines = BTreeSet::new();
        for attempt in &self.in_flight {
            let line = (&attempt.delivery.destination, attempt.transition.customer);
            assert!(lines.insert(line), "one at a time for each customer");
        }
        for (_, lane) in self.outbox.lanes(self.now) {
            assert!(lane.in_flight <= settings().concurrency);
        }
        let wake = self.outbox.next_wake(self.now);
        assert!(wake.is_none_or(|at| at > self.now), "what is due was taken");
    }

    fn end(&mut self, index: usize, outcome: Outcome, random: f64) {
        if self.in_flight.is_empty() {
            return;
        }
        let attempt = self.in_flight.swap_remove(index % self.in_flight.len());
        let is_dead = attempt.delivery.destination == destination("dead");
        let outcome = if is_dead { DOWN } else { outcome };
        let marks = self.outbox.completed(&attempt, outcome, self.now, random);
        assert!(!marks.is_empty());
        self.log.extend(marks.into_iter().map(Entry::Marked));
        let again = self.outbox.completed(&attempt, TAKEN, self.now, random);
        assert_eq!(again, [], "an attempt ends once");
        self.send();
    }

    fn replay(&mut self, index: usize) {
        let failed = self.outbox.deliveries_from(0);
        let failed = failed.filter(|d| matches!(d.status, Status::Dead | Status::Expired));
        let failed: Vec<_> = failed.map(|d| d.id.clone()).collect();
        if let Some(id) = failed.get(index % failed.len().max(1)) {
            let mark = self.outbox.replay(id, self.now).unwrap();
            self.replayed.insert(id.clone());
            self.log.push(Entry::Marked(mark));
        }
    }

    fn read_again(&self) -> Outbox {
        let mut outbox = fresh();
        for entry in &self.log {
            match entry {
                Entry::Enqueued(to, moved) => {
                    assert!(matches!(outbox.enqueue(to, moved), Enqueued::New(_)));
                }
                Entry::Marked(mark) => outbox.apply(mark),
            }
        }
        outbox
    }

    /// Every receiver is back and takes everything, until nothing waits.
    fn settle(&mut self) {
        for name in DESTINATIONS {
            let mark = self.outbox.resume(&destination(name), self.now).unwrap();
            self.log.push(Entry::Marked(mark));
        }
        self.send();
        for _ in 0..100_000 {
            while let Some(attempt) = self.in_flight.pop() {
                let marks = self.outbox.completed(&attempt, TAKEN, self.now, HALF);
                self.log.extend(marks.into_iter().map(Entry::Marked));
            }
            match self.outbox.next_wake(self.now) {
                Some(at) => self.now = self.now.max(at),
                None => return,
            }
            self.send();
        }
        panic!("it never comes to rest");
    }
}

/// All deliveries, as they are when nothing is in flight.
fn at_rest(outbox: &Outbox) -> Vec<Delivery> {
    let deliveries = outbox.deliveries_from(0).cloned();
    let rested = deliveries.map(|mut delivery| {
        if delivery.status == Status::InFlight {
            delivery.status = Status::Pending;
        }
        delivery
    });
    rested.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn order_is_kept_and_nothing_is_lost_or_sent_after_a_mark(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
        }
        world.settle();
        let count = world.outbox.deliveries_from(0).count();
        prop_assert_eq!(count as u128, world.happened * DESTINATIONS.len() as u128);
        let finished = |delivery: &Delivery| delivery.status.is_finished();
        prop_assert!(world.outbox.deliveries_from(0).all(finished));
        for (_, lane) in world.outbox.lanes(world.now) {
            prop_assert_eq!((lane.pending, lane.in_flight), (0, 0));
        }
    }

    #[test]
    fn the_log_gives_the_outbox_again(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
        }
        prop_assert_eq!(at_rest(&world.read_again()), at_rest(&world.outbox));
        // A checkpoint of the deliveries, as JSON, gives it as well.
        let mut from_checkpoint = fresh();
        for delivery in world.outbox.deliveries_from(0) {
            let kept = serde_json::to_string(delivery).unwrap();
            from_checkpoint.restore(serde_json::from_str(&kept).unwrap());
        }
        prop_assert_eq!(at_rest(&from_checkpoint), at_rest(&world.outbox));
        let mut other = World::new();
        (other.outbox, other.now) = (from_checkpoint, world.now);
        other.settle();
        prop_assert!(other.outbox.deliveries_from(0).all(|delivery| delivery.status.is_finished()));
        // Deliveries first and then all marks, as a checkpoint may keep them, comes to the same.
        world.log.sort_by_key(|entry| !matches!(entry, Entry::Enqueued(..)));
        let restored = world.read_again();
        prop_assert_eq!(at_rest(&restored), at_rest(&world.outbox));
        // And so does all that it does from then on.
        world.outbox = restored;
        world.in_flight.clear();
        world.settle();
        prop_assert_eq!(at_rest(&world.read_again()), at_rest(&world.outbox));
    }

    /// With a destination that is dead, hangs or refuses, the others get theirs at the same times
    /// as without it.
    #[test]
    fn a_dead_destination_delays_no_other(
        arrivals in prop::collection::vec((0..3_000_i64, 0..5_u64), 1..60),
        way in 0..3_u8,
    ) {
        let times = |destinations: &[&str]| {
            let mut outbox = Outbox::new(settings()).unwrap();
            for name in destinations {
                outbox.enable(&destination(name));
            }
            let mut times = BTreeMap::new();
            let mut now = Timestamp(0);
            for (number, &(ms, customer)) in arrivals.iter().enumerate() {
                now = now.plus_ms(ms);
                for name in destinations {
                    outbox.enqueue(&destination(name), &transition(number as u128, customer, now.0));
                }
                let mut attempts = outbox.next_due(now).attempts;
                while let Some(attempt) = attempts.pop() {
                    let is_dead = attempt.delivery.destination == destination("dead");
                    let outcome = match (is_dead, way) {
                        (false, _) => TAKEN,
                        (true, 0) => continue,
                        (true, 1) => DOWN,
                        (true, _) => refused(429, None),
                    };
                    if !is_dead {
                        times.insert(attempt.delivery.clone(), now);
                    }
                    outbox.completed(&attempt, outcome, now, HALF);
                    attempts.extend(outbox.next_due(now).attempts);
                }
            }
            times
        };
        let alone = times(&["a", "b"]);
        prop_assert_eq!(alone.len(), 2 * arrivals.len());
        prop_assert_eq!(times(&["a", "b", "dead"]), alone);
    }
}
