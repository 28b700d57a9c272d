use proptest::prelude::*;
use regulars_core::{Cause, CustomerId, Direction, SegmentName, TransitionId};

use super::*;
use crate::outcome::{AttemptError, Fault, Unsendable};

mod properties;

/// Half of every delay.
const HALF: f64 = 0.5;
const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;

fn destination(name: &str) -> DestinationId {
    name.parse().unwrap()
}

fn transition(number: u128, customer: u64, recorded_at: i64) -> Arc<Transition> {
    Arc::new(Transition {
        id: TransitionId(number),
        customer: CustomerId(customer),
        segment: SegmentName::new("loyal").unwrap(),
        version: 1,
        sequence: number as u64,
        direction: Direction::Entered,
        occurred_at: Timestamp(recorded_at),
        recorded_at: Timestamp(recorded_at),
        cause: Cause::Time,
    })
}

fn outbox(destinations: &[&str]) -> Outbox {
    let mut outbox = Outbox::new(OutboxSettings::default()).unwrap();
    for name in destinations {
        outbox.enable(&destination(name));
    }
    outbox
}

fn enqueue(outbox: &mut Outbox, to: &str, number: u128, customer: u64) -> DeliveryId {
    match outbox.enqueue(&destination(to), &transition(number, customer, 0)) {
        Enqueued::New(id) => id,
        other => panic!("{other:?}"),
    }
}

fn due(outbox: &mut Outbox, now: i64) -> Vec<Attempt> {
    outbox.next_due(Timestamp(now)).attempts
}

fn numbers(attempts: &[Attempt]) -> Vec<u128> {
    let ids = attempts.iter().map(|attempt| attempt.transition.id.0);
    ids.collect()
}

const TAKEN: Outcome = Outcome::Delivered { status: 204 };
const DOWN: Outcome = Outcome::Unreachable {
    error: Fault::ConnectionRefused,
};

fn refused(status: u16, retry_after_ms: Option<i64>) -> Outcome {
    Outcome::Refused {
        status,
        retry_after_ms,
    }
}

#[test]
fn a_transition_goes_to_a_destination_once() {
    let mut outbox = outbox(&["crm"]);
    let id = enqueue(&mut outbox, "crm", 1, 1);
    let again = |outbox: &mut Outbox| outbox.enqueue(&destination("crm"), &transition(1, 1, 0));
    assert_eq!(again(&mut outbox), Enqueued::Known(id.clone()));
    let attempts = due(&mut outbox, 0);
    assert_eq!(numbers(&attempts), [1]);
    assert_eq!(again(&mut outbox), Enqueued::Known(id.clone()));
    let marks = outbox.completed(&attempts[0], TAKEN, Timestamp(40), HALF);
    let expected = Mark::Delivered {
        delivery: id.clone(),
        at: Timestamp(40),
        attempts: 1,
        took_ms: 40,
        status: 204,
    };
    assert_eq!(marks, [expected]);
    assert_eq!(again(&mut outbox), Enqueued::Known(id.clone()));
    assert_eq!(due(&mut outbox, HOUR), []);
    assert_eq!(outbox.next_wake(Timestamp(HOUR)), None);
    // An attempt ends once.
    assert_eq!(
        outbox.completed(&attempts[0], DOWN, Timestamp(50), HALF),
        []
    );
    assert_eq!(outbox.get(&id).unwrap().status, Status::Delivered);
    let nowhere = outbox.enqueue(&destination("other"), &transition(1, 1, 0));
    assert_eq!(nowhere, Enqueued::UnknownDestination);
}

#[test]
fn the_next_of_a_customer_waits_for_the_one_before() {
    let mut outbox = outbox(&["crm"]);
    for (number, customer) in [(1, 1), (2, 1), (3, 2)] {
        enqueue(&mut outbox, "crm", number, customer);
    }
    let attempts = due(&mut outbox, 0);
    assert_eq!(numbers(&attempts), [1, 3]);
    let marks = outbox.completed(&attempts[0], refused(500, None), Timestamp(0), HALF);
    assert!(matches!(
        marks[..],
        [Mark::Failed {
            due_at: Timestamp(2_500),
            attempts: 1,
            ..
        }]
    ));
    assert_eq!(outbox.next_wake(Timestamp(0)), Some(Timestamp(2_500)));
    assert_eq!(due(&mut outbox, 2_499), []);
    let attempts = due(&mut outbox, 2_500);
    assert_eq!(numbers(&attempts), [1]);
    assert_eq!(attempts[0].number, 2);
    outbox.completed(&attempts[0], TAKEN, Timestamp(2_600), HALF);
    assert_eq!(numbers(&due(&mut outbox, 2_600)), [2]);
}

#[test]
fn after_the_last_attempt_a_delivery_is_dead_and_the_next_goes() {
    let mut outbox = outbox(&["crm"]);
    let id = enqueue(&mut outbox, "crm", 1, 1);
    enqueue(&mut outbox, "crm", 2, 1);
    let mut now = Timestamp(0);
    for number in 1..=10 {
        let attempts = outbox.next_due(now).attempts;
        assert_eq!((numbers(&attempts), attempts[0].number), (vec![1], number));
        outbox.completed(&attempts[0], refused(404, None), now, HALF);
        now = outbox.next_wake(now).unwrap().max(now);
    }
    let dead = outbox.get(&id).unwrap();
    assert_eq!((dead.status, dead.attempts), (Status::Dead, 10));
    assert_eq!(dead.last_error, Some(AttemptError::Refused { status: 404 }));
    assert_eq!(numbers(&outbox.next_due(now).attempts), [2]);
}

#[test]
fn what_is_too_old_expires_and_is_not_sent() {
    let mut outbox = outbox(&["crm", "off"]);
    outbox.disable(&destination("off"));
    for to in ["crm", "off"] {
        enqueue(&mut outbox, to, 1, 1);
    }
    let end = 72 * HOUR;
    assert_eq!(outbox.next_wake(Timestamp(0)), Some(Timestamp(0)));
    let found = outbox.next_due(Timestamp(end));
    assert_eq!(found.attempts, []);
    assert_eq!(found.marks.len(), 2);
    let expired = |delivery: &Delivery| delivery.status == Status::Expired;
    assert!(outbox.deliveries_from(0).all(expired));
    assert_eq!(outbox.next_wake(Timestamp(end)), None);
    // What is replayed is as if it were new.
    let id = outbox.deliveries_from(0).next().unwrap().id.clone();
    outbox.replay(&id, Timestamp(end)).unwrap();
    assert_eq!(numbers(&due(&mut outbox, end)), [1]);
}

#[test]
fn what_happened_long_before_a_start_found_it_expires() {
    let mut outbox = outbox(&["crm"]);
    let found = |number, occurred_at, cause| {
        let found = transition(number, number as u64, 100 * HOUR);
        Arc::new(Transition {
            occurred_at: Timestamp(occurred_at),
            cause,
            ..(*found).clone()
        })
    };
    for transition in [
        found(1, HOUR, Cause::CatchUp),
        found(2, 60 * HOUR, Cause::CatchUp),
        // An event that was told late is news.
        found(3, HOUR, Cause::Merge),
    ] {
        outbox.enqueue(&destination("crm"), &transition);
    }
    assert_eq!(numbers(&due(&mut outbox, 100 * HOUR)), [2, 3]);
    let first = outbox.deliveries_from(0).next().unwrap();
    assert_eq!(first.status, Status::Expired);
}

#[test]
fn an_attempt_that_would_come_too_late_is_not_waited_for() {
    let mut outbox = outbox(&["crm"]);
    let id = enqueue(&mut outbox, "crm", 1, 1);
    let now = 72 * HOUR - SECOND;
    let attempt = due(&mut outbox, now).remove(0);
    // On its way it does not expire, however long that takes.
    assert_eq!(outbox.next_due(Timestamp(73 * HOUR)).marks, []);
    let marks = outbox.completed(
        &attempt,
        refused(500, Some(5 * SECOND)),
        Timestamp(now),
        HALF,
    );
    assert!(matches!(marks[..], [Mark::Expired { attempts: 1, .. }]));
    assert_eq!(outbox.get(&id).unwrap().status, Status::Expired);
}

#[test]
fn a_receiver_with_too_much_to_do_is_left_alone() {
    for (outcome, until) in [
        (refused(429, Some(60 * SECOND)), 60 * SECOND),
        (refused(503, Some(60 * SECOND)), 60 * SECOND),
        (refused(429, Some(i64::MAX)), HOUR),
        (refused(502, None), 10 * SECOND),
        (refused(504, None), 10 * SECOND),
        (refused(429, None), 10 * SECOND),
    ] {
        let mut outbox = outbox(&["crm"]);
        enqueue(&mut outbox, "crm", 1, 1);
        let attempt = due(&mut outbox, 0).remove(0);
        enqueue(&mut outbox, "crm", 2, 2);
        outbox.completed(&attempt, outcome, Timestamp(0), 0.0);
        assert_eq!(due(&mut outbox, until - 1), [], "{outcome:?}");
        assert_eq!(outbox.next_wake(Timestamp(0)), Some(Timestamp(until)));
        let mut all = numbers(&due(&mut outbox, until));
        all.sort_unstable();
        assert_eq!(all, [1, 2], "{outcome:?}");
    }
}

#[test]
fn retry_after_of_another_failure_holds_that_delivery_only() {
    let mut outbox = outbox(&["crm"]);
    enqueue(&mut outbox, "crm", 1, 1);
    let attempt = due(&mut outbox, 0).remove(0);
    outbox.completed(&attempt, refused(500, Some(60 * SECOND)), Timestamp(0), 0.0);
    enqueue(&mut outbox, "crm", 2, 2);
    assert_eq!(numbers(&due(&mut outbox, 0)), [2]);
    assert_eq!(due(&mut outbox, 60 * SECOND - 1), []);
    assert_eq!(numbers(&due(&mut outbox, 60 * SECOND)), [1]);
}

#[test]
fn gone_disables_the_destination_until_somebody_enables_it() {
    let mut outbox = outbox(&["crm"]);
    let id = enqueue(&mut outbox, "crm", 1, 1);
    enqueue(&mut outbox, "crm", 2, 1);
    let attempt = due(&mut outbox, 0).remove(0);
    let marks = outbox.completed(&attempt, Outcome::Gone, Timestamp(0), HALF);
    assert!(matches!(
        marks[..],
        [Mark::Dead { .. }, Mark::Disabled { .. }]
    ));
    assert_eq!(due(&mut outbox, HOUR), []);
    assert_eq!(
        outbox.next_wake(Timestamp(HOUR)),
        Some(Timestamp(72 * HOUR))
    );
    let mark = outbox.resume(&destination("crm"), Timestamp(HOUR));
    assert!(matches!(mark, Some(Mark::Enabled { .. })));
    assert_eq!(outbox.resume(&destination("other"), Timestamp(HOUR)), None);
    outbox.replay(&id, Timestamp(HOUR)).unwrap();
    assert_eq!(numbers(&due(&mut outbox, HOUR)), [1]);
}

#[test]
fn what_cannot_be_sent_is_dead_at_once_and_says_nothing_of_the_receiver() {
    let mut outbox = outbox(&["crm"]);
    for number in 0..20 {
        enqueue(&mut outbox, "crm", number, number as u64);
    }
    let why = Unsendable::NobodyKnown;
    for _ in 0..20 {
        let attempt = due(&mut outbox, 0).remove(0);
        let marks = outbox.completed(&attempt, Outcome::Unsendable { why }, Timestamp(0), HALF);
        assert!(matches!(marks[..], [Mark::Dead { attempts: 1, .. }]));
        // Give back what was taken beside it.
        outbox = restored(&outbox);
    }
    let (_, lane) = outbox.lanes(Timestamp(0)).next().unwrap();
    assert_eq!((lane.circuit, lane.pending), (CircuitState::Closed, 0));
}

/// The outbox of a new process.
fn restored(outbox: &Outbox) -> Outbox {
    let mut fresh = self::outbox(&["crm"]);
    for delivery in outbox.deliveries_from(0) {
        fresh.enqueue(&delivery.id.destination, &delivery.transition);
        if delivery.status == Status::Dead {
            fresh.apply(&Mark::Dead {
                delivery: delivery.id.clone(),
                at: delivery.changed_at.unwrap(),
                attempts: delivery.attempts,
                took_ms: None,
                error: delivery.last_error.unwrap(),
            });
        }
    }
    fresh
}

#[test]
fn only_what_failed_is_replayed_and_before_what_waits() {
    let mut outbox = outbox(&["crm"]);
    let first = enqueue(&mut outbox, "crm", 1, 1);
    let attempt = due(&mut outbox, 0).remove(0);
    let unfinished = Err(ReplayError::Unfinished(first.clone()));
    assert_eq!(outbox.replay(&first, Timestamp(0)), unfinished);
    let why = Unsendable::TooLarge;
    outbox.completed(&attempt, Outcome::Unsendable { why }, Timestamp(0), HALF);
    enqueue(&mut outbox, "crm", 2, 1);
    enqueue(&mut outbox, "crm", 3, 1);
    // The second is on its way: the first goes next, then the third.
    let second = due(&mut outbox, 0).remove(0);
    outbox.replay(&first, Timestamp(5)).unwrap();
    assert_eq!(due(&mut outbox, 5), []);
    outbox.completed(&second, TAKEN, Timestamp(6), HALF);
    let again = due(&mut outbox, 6).remove(0);
    assert_eq!((again.transition.id.0, again.number), (1, 1));
    outbox.completed(&again, TAKEN, Timestamp(7), HALF);
    assert_eq!(numbers(&due(&mut outbox, 7)), [3]);
    let delivered = Err(ReplayError::Delivered(first.clone()));
    assert_eq!(outbox.replay(&first, Timestamp(8)), delivered);
    outbox.remove(&destination("crm"));
    assert_eq!(
        outbox.replay(&first, Timestamp(8)),
        Err(ReplayError::Unknown(first))
    );
}

#[test]
fn a_dead_receiver_is_asked_now_and_then_and_not_by_everyone() {
    let mut outbox = outbox(&["crm"]);
    for number in 0..100 {
        enqueue(&mut outbox, "crm", number, number as u64);
    }
    let attempts = due(&mut outbox, 0);
    assert_eq!(attempts.len(), 8);
    for attempt in &attempts {
        outbox.completed(attempt, DOWN, Timestamp(0), HALF);
    }
    let (_, lane) = outbox.lanes(Timestamp(0)).next().unwrap();
    assert_eq!(
        (lane.circuit, lane.pending, lane.in_flight),
        (CircuitState::Open, 100, 0)
    );
    assert_eq!(lane.held_until, Some(Timestamp(10 * SECOND)));
    assert_eq!(due(&mut outbox, 10 * SECOND - 1), []);
    // Each time another one asks: none that fails by itself can keep the others waiting.
    let mut asked = Vec::new();
    let mut now = 10 * SECOND;
    for _ in 0..5 {
        let probes = due(&mut outbox, now);
        assert_eq!(probes.len(), 1);
        asked.extend(numbers(&probes));
        outbox.completed(&probes[0], DOWN, Timestamp(now), 1.0);
        now = outbox.next_wake(Timestamp(now)).unwrap().0;
    }
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(asked.len(), 5);
    let probe = due(&mut outbox, now).remove(0);
    outbox.completed(&probe, TAKEN, Timestamp(now), HALF);
    assert_eq!(due(&mut outbox, now).len(), 8);
}

#[test]
fn finished_deliveries_are_forgotten_in_time() {
    let mut outbox = outbox(&["crm"]);
    for number in 0..3 {
        enqueue(&mut outbox, "crm", number, number as u64);
    }
    let attempts = due(&mut outbox, 0);
    outbox.completed(&attempts[0], TAKEN, Timestamp(0), HALF);
    let why = Unsendable::TooLarge;
    outbox.completed(
        &attempts[1],
        Outcome::Unsendable { why },
        Timestamp(0),
        HALF,
    );
    let day = 24 * HOUR;
    assert_eq!(outbox.forget(Timestamp(day)), 0);
    assert_eq!(outbox.forget(Timestamp(day + 1)), 1);
    assert_eq!(outbox.forget(Timestamp(30 * day + 1)), 1);
    let left: Vec<_> = outbox.deliveries_from(0).map(|d| d.status).collect();
    assert_eq!(left, [Status::InFlight]);
}

#[test]
fn of_many_delivered_the_latest_are_remembered() {
    let mut settings = OutboxSettings::default();
    settings.retention.delivered_at_most = 2;
    let mut outbox = Outbox::new(settings).unwrap();
    outbox.enable(&destination("crm"));
    for number in 0..5 {
        enqueue(&mut outbox, "crm", number, number as u64);
    }
    for (ms, attempt) in due(&mut outbox, 0).iter().enumerate() {
        outbox.completed(attempt, TAKEN, Timestamp(ms as i64), HALF);
    }
    assert_eq!(outbox.forget(Timestamp(5)), 3);
    let left: Vec<_> = outbox.deliveries_from(0).map(|d| d.position).collect();
    assert_eq!(left, [3, 4]);
}

#[test]
fn very_much_that_is_too_old_expires_in_steps() {
    let mut outbox = outbox(&["crm", "off"]);
    outbox.disable(&destination("off"));
    for number in 0..2_500 {
        enqueue(&mut outbox, "off", number, 1);
    }
    let fresh = transition(9_999, 1, 72 * HOUR);
    outbox.enqueue(&destination("crm"), &fresh);
    let now = Timestamp(72 * HOUR);
    let mut steps = Vec::new();
    while outbox.next_wake(now).is_some_and(|at| at <= now) {
        let due = outbox.next_due(now);
        steps.push((due.marks.len(), due.attempts.len()));
    }
    assert_eq!(steps, [(1_000, 1), (1_000, 0), (500, 0)]);
}

#[test]
fn of_too_many_the_oldest_are_given_up_and_can_be_replayed() {
    let settings = OutboxSettings {
        pending_at_most: 2,
        ..OutboxSettings::default()
    };
    let mut outbox = Outbox::new(settings).unwrap();
    outbox.disable(&destination("crm"));
    let first = enqueue(&mut outbox, "crm", 0, 1);
    for number in 1..5 {
        enqueue(&mut outbox, "crm", number, 1);
    }
    assert_eq!(outbox.next_wake(Timestamp(7)), Some(Timestamp(7)));
    assert_eq!(outbox.next_due(Timestamp(7)).marks.len(), 3);
    assert_eq!(outbox.next_wake(Timestamp(7)), Some(Timestamp(72 * HOUR)));
    let statuses: Vec<_> = outbox.deliveries_from(0).map(|d| d.status).collect();
    let (dead, pending) = (Status::Dead, Status::Pending);
    assert_eq!(statuses, [dead, dead, dead, pending, pending]);
    let error = outbox.get(&first).unwrap().last_error;
    assert_eq!(error, Some(AttemptError::Crowded));
    outbox.enable(&destination("crm"));
    assert_eq!(numbers(&due(&mut outbox, 7)), [3]);
    outbox.replay(&first, Timestamp(7)).unwrap();
}

#[test]
fn settings_under_which_nothing_is_sent_are_refused() {
    let of = |change: fn(&mut OutboxSettings)| {
        let mut settings = OutboxSettings::default();
        change(&mut settings);
        Outbox::new(settings).unwrap_err().to_string()
    };
    assert_eq!(of(|s| s.concurrency = 0), "`concurrency` is at least 1");
    assert_eq!(
        of(|s| s.circuit.probes = 0),
        "`circuit.probes` is at least 1"
    );
    let found = of(|s| s.schedule.delays_seconds.clear());
    assert!(
        found.starts_with("`schedule`: `delays_seconds` needs between"),
        "{found}"
    );
    let written = "concurrency = 2\n[schedule]\nexpires_after_seconds = 60\n";
    let settings: OutboxSettings = toml::from_str(written).unwrap();
    assert_eq!(settings.schedule.expires_after_seconds, 60);
    assert_eq!(settings.schedule.delays_seconds.len(), 10);
}
