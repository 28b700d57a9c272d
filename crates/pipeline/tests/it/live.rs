//! The live path, with a clock that the test moves: what is told, what comes of it, and that both
//! survive the end of the process.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use regulars_core::{Cause, Direction, Timestamp, Transition};
use regulars_ingest::tracking::{Endpoint, Limits, read};
use regulars_pipeline::Silent;
use regulars_pipeline::live::{
    Appended, Engine, Live, LiveOptions, NotTaken, Sender, StartOptions,
};
use serde_json::{Value, json};

use crate::equivalence;
use crate::scratch::Scratch;

/// 2026-11-25 14:03:00 UTC.
pub(crate) const START: i64 = 1_795_615_380_000;
pub(crate) const MINUTE: i64 = 60_000;

/// A live path at work.
pub(crate) struct Running {
    live: Option<Live>,
    clock: Arc<AtomicI64>,
    told: Receiver<Transition>,
    seen: Mutex<Vec<Transition>>,
}

impl Running {
    pub(crate) fn start(scratch: &Scratch, clock: &Arc<AtomicI64>) -> Self {
        Self::start_with(scratch, clock, 1_000_000)
    }

    /// One that takes no more when more than `unmoved` records are not moved.
    fn start_with(scratch: &Scratch, clock: &Arc<AtomicI64>, unmoved: u64) -> Self {
        let mut store = scratch.workspace.open().unwrap();
        let options = StartOptions {
            now: Timestamp(clock.load(Ordering::Relaxed)),
            threads: scratch.threads,
        };
        let engine = Engine::start(&scratch.workspace, &mut store, options, &Silent).unwrap();
        let (tell, told) = channel();
        let time = Arc::clone(clock);
        let options = LiveOptions {
            clock: Arc::new(move || Timestamp(time.load(Ordering::Relaxed))),
            queue: 16,
            behind: 10_000,
            unmoved,
            threads: scratch.threads,
            move_after: 1_000,
            on_transitions: Box::new(move |transitions| {
                for transition in transitions {
                    let _ = tell.send(transition.transition.clone());
                }
            }),
        };
        Self {
            live: Some(Live::start(scratch.workspace.clone(), store, engine, options).unwrap()),
            clock: Arc::clone(clock),
            told,
            seen: Mutex::default(),
        }
    }

    fn live(&self) -> &Live {
        self.live.as_ref().unwrap()
    }

    /// Moves the clock to so many milliseconds after the start.
    pub(crate) fn at(&self, after_ms: i64) -> &Self {
        self.clock.store(START + after_ms, Ordering::Relaxed);
        self
    }

    /// Waits until limits are computed that are later than so many milliseconds after the start.
    pub(crate) fn wait_for_limits(&self, after_ms: i64) -> &Self {
        let begun = Instant::now();
        let due_at = || self.live().ask(|engine| engine.limits_due_at()).unwrap();
        while due_at().0 <= START + after_ms {
            assert!(begun.elapsed() < Duration::from_secs(20), "no new limits");
            std::thread::park_timeout(Duration::from_millis(5));
        }
        self
    }

    fn append(&self, batch: Value) -> Result<Appended, NotTaken> {
        self.append_as(&Sender::SHOP, batch)
    }

    fn append_as(&self, sender: &Sender, batch: Value) -> Result<Appended, NotTaken> {
        let body = json!({ "batch": batch }).to_string();
        let now = self.live().now();
        let received = read(Endpoint::Batch, body.as_bytes(), now, &Limits::default()).unwrap();
        let events = received.events.into_iter().map(|event| event.into_owned());
        let (answer, answered) = channel();
        let answer = Box::new(move |appended| answer.send(appended).unwrap());
        self.live()
            .append(events.collect(), sender.clone(), now, answer);
        answered.recv_timeout(Duration::from_secs(20)).unwrap()
    }

    /// Lends the data to nobody in particular, and takes it back.
    pub(crate) fn lend(&self) {
        self.live().lend(|| ()).unwrap().unwrap();
    }

    /// Sends events of `c-17`; each must be new.
    pub(crate) fn send(&self, events: &[Value]) {
        let appended = self.append(Value::from(events.to_vec())).unwrap();
        assert_eq!(appended.stored, events.len(), "{appended:?}");
    }

    /// Sends events with a key; each must be new.
    pub(crate) fn send_as(&self, sender: &Sender, events: &[Value]) {
        let appended = self.append_as(sender, Value::from(events.to_vec()));
        assert_eq!(appended.unwrap().stored, events.len());
    }

    /// The next transition of a segment.
    pub(crate) fn next_of(&self, segment: &str) -> Transition {
        loop {
            let transition = self.told.recv_timeout(Duration::from_secs(20));
            let transition = transition.unwrap_or_else(|_| panic!("nobody moved in {segment}"));
            self.seen.lock().unwrap().push(transition.clone());
            if transition.segment.as_str() == segment {
                return transition;
            }
        }
    }

    pub(crate) fn is_in(&self, customer: &str, segment: &str) -> bool {
        let name = customer.to_owned();
        let found = self
            .live()
            .with_store(move |store| store.vault().unwrap().find(&name))
            .flatten();
        let Some(customer) = found else { return false };
        let segments = self.live().ask(move |engine| engine.segments_of(customer));
        let segments = segments.flatten().unwrap_or_default();
        segments.iter().any(|name| name.as_str() == segment)
    }

    pub(crate) fn stop(mut self) -> Vec<Transition> {
        self.live.take().unwrap().stop().unwrap();
        let mut seen = self.seen.into_inner().unwrap();
        seen.extend(self.told.try_iter());
        seen
    }
}

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    let rules = r#"
[[segment]]
name = "left_carts"
rule = "carts where value >= 100 and idle for 2 hours >= 1"

[[segment]]
name = "browsers"
rule = "events 'Product Viewed' in last 1 hours >= 2 and orders = 0"
"#;
    std::fs::write(scratch.workspace.segments_dir().join("live.toml"), rules).unwrap();
    scratch
}

pub(crate) fn track(event: &str, after_ms: i64, properties: &Value) -> Value {
    json!({
        "type": "track",
        "userId": "c-17",
        "messageId": format!("{event} {after_ms}"),
        "event": event,
        "timestamp": Timestamp(START + after_ms).to_string(),
        "properties": properties,
    })
}

fn cart() -> Value {
    track(
        "Product Added",
        0,
        &json!({"cart_id": "k-1", "product_id": "coat", "price": 140, "quantity": 1}),
    )
}

fn order(after_ms: i64) -> Value {
    let products = json!([{"product_id": "coat", "price": 140, "quantity": 1}]);
    let properties =
        json!({"order_id": "o-1", "cart_id": "k-1", "total": 140, "products": products});
    track("Order Completed", after_ms, &properties)
}

#[test]
fn a_left_cart_is_noticed_to_the_millisecond_and_an_order_ends_it() {
    let scratch = scratch();
    let clock = Arc::new(AtomicI64::new(START));
    let running = Running::start(&scratch, &clock);
    running.send(&[cart()]);
    assert!(!running.is_in("c-17", "left_carts"));
    running.at(120 * MINUTE - 1);
    assert!(!running.is_in("c-17", "left_carts"));
    // No event triggers it: time does.
    running.at(120 * MINUTE + 700);
    let entered = running.next_of("left_carts");
    assert_eq!(entered.direction, Direction::Entered);
    assert_eq!(entered.occurred_at, Timestamp(START + 120 * MINUTE));
    assert_eq!((entered.sequence, &entered.cause), (1, &Cause::Time));
    running.at(122 * MINUTE + 300).send(&[order(122 * MINUTE)]);
    let left = running.next_of("left_carts");
    assert_eq!(left.direction, Direction::Exited);
    assert_eq!(left.occurred_at, Timestamp(START + 122 * MINUTE));
    assert!(matches!(&left.cause, Cause::Event { name, .. } if name == "Order Completed"));
    assert_eq!(left.sequence, 2);
    assert!(running.is_in("c-17", "new"), "one order");
    running.stop();
}

/// An event of an order by a customer.
fn of_order(customer: &str, event: &str, order: &str, after_ms: i64, total: Option<f64>) -> Value {
    let mut told = track(event, after_ms, &json!({"order_id": order}));
    if let Some(total) = total {
        told["properties"]["total"] = total.into();
    }
    told["userId"] = customer.into();
    told["messageId"] = format!("{customer} {event} {after_ms}").into();
    told
}

#[test]
fn an_order_that_several_customers_tell_of_is_one() {
    let scratch = scratch();
    let orders = "order_id,customer_id,date,total\no-1,c-1,2026-11-20,20.00\n";
    scratch.import(&[scratch.file("orders.csv", orders)]);
    let clock = Arc::new(AtomicI64::new(START));
    let running = Running::start(&scratch, &clock);
    let has = |customer: &str, segment: &str| running.is_in(customer, segment);
    assert!(has("c-1", "new"));
    // A newer version names somebody else: the order moves, and nothing else is known of whose it was.
    running.send(&[of_order("c-2", "Order Completed", "o-1", 0, Some(25.0))]);
    assert!(!has("c-1", "new") && !has("c-1", "prospect") && has("c-2", "new"));
    let left = running.next_of("new");
    assert!(matches!(&left.cause, Cause::Event { name, .. } if name == "Order Completed"));
    // An older version that is told late changes nothing of whose it is.
    running.send(&[of_order(
        "c-3",
        "Order Completed",
        "o-1",
        -5 * MINUTE,
        Some(9.0),
    )]);
    assert!(has("c-3", "prospect") && has("c-2", "new"));
    // Nor does a visitor whom nobody knows take it away.
    let mut of_visitor = of_order("", "Order Completed", "o-1", 0, Some(26.0));
    of_visitor.as_object_mut().unwrap().remove("userId");
    of_visitor["anonymousId"] = "device-7".into();
    running.send(&[of_visitor]);
    assert!(has("c-2", "new"));
    // What has no content follows the order.
    running.send(&[of_order("c-9", "Order Cancelled", "o-1", 1, None)]);
    assert!(has("c-2", "prospect") && has("c-9", "prospect"));
    running.send(&[of_order("c-1", "Order Updated", "o-1", 2, Some(30.0))]);
    assert!(has("c-1", "new") && has("c-2", "prospect"));
    // Customers that turn out to be one contest nothing.
    let mut alias = json!({"type": "alias", "userId": "c-1", "messageId": "alias"});
    alias["previousId"] = "c-2".into();
    running.send(&[alias]);
    assert!(has("c-1", "new"));
    running.stop();
    // A start and a batch command say the same.
    let running = Running::start(&scratch, &clock);
    assert!(running.is_in("c-1", "new") && running.is_in("c-9", "prospect"));
    let seen = running.stop();
    assert!(seen.is_empty(), "{seen:#?}");
}

#[test]
fn visitors_who_claim_an_order_do_not_have_each_other_folded_again() {
    const VISITORS: u64 = 40;
    let scratch = scratch();
    let orders = "order_id,customer_id,date,total\no-1,c-1,2026-11-20,20.00\n";
    scratch.import(&[scratch.file("orders.csv", orders)]);
    let clock = Arc::new(AtomicI64::new(START));
    let running = Running::start(&scratch, &clock);
    let refolds = |running: &Running| running.live().ask(|engine| engine.refolds()).unwrap();
    running.send(&[of_order("c-1", "Product Viewed", "", 0, None)]);
    let before = refolds(&running);
    for n in 0..VISITORS {
        // Every fourth comes late.
        let after_ms = n as i64 - i64::from(n % 4 == 0) * MINUTE;
        let mut claim = of_order("", "Order Completed", "o-1", after_ms, Some(26.0));
        claim.as_object_mut().unwrap().remove("userId");
        claim["anonymousId"] = format!("device-{n}").into();
        claim["messageId"] = format!("claim {n}").into();
        running.send(&[claim]);
    }
    assert!(running.is_in("c-1", "new"));
    let claimed = refolds(&running);
    assert!(claimed - before <= 4 * VISITORS, "{claimed}, {before}");
    // Each of them who turns out to be somebody takes the order if theirs is the newest version.
    for n in 0..VISITORS {
        let mut identify = json!({"type": "identify", "userId": format!("c-{}", n + 100)});
        identify["anonymousId"] = format!("device-{n}").into();
        identify["messageId"] = format!("identify {n}").into();
        running.send(&[identify]);
    }
    let owner = format!("c-{}", VISITORS + 99);
    assert!(running.is_in(&owner, "new") && running.is_in("c-1", "prospect"));
    let known = refolds(&running);
    assert!(known - claimed <= 8 * VISITORS, "{known}, {claimed}");
    running.stop();
    let running = Running::start(&scratch, &clock);
    assert!(running.is_in(&owner, "new") && running.is_in("c-1", "prospect"));
    let seen = running.stop();
    assert!(seen.is_empty(), "{seen:#?}");
}

#[test]
fn a_stop_loses_and_doubles_nothing() {
    let scratch = scratch();
    let clock = Arc::new(AtomicI64::new(START));
    let running = Running::start(&scratch, &clock);
    running.send(&[cart()]);
    let before = running.stop();
    // Time goes by while nothing runs.
    clock.store(START + 180 * MINUTE, Ordering::Relaxed);
    let running = Running::start(&scratch, &clock);
    let entered = running.next_of("left_carts");
    assert_eq!(entered.occurred_at, Timestamp(START + 120 * MINUTE));
    assert_eq!(entered.cause, Cause::CatchUp);
    // A repeat is told as one, also after a start.
    let again = running.append(json!([cart()])).unwrap();
    assert_eq!((again.stored, again.repeated), (0, 1));
    let between = running.stop();
    let running = Running::start(&scratch, &clock);
    assert!(running.is_in("c-17", "left_carts"));
    running.at(200 * MINUTE).send(&[order(200 * MINUTE)]);
    assert_eq!(running.next_of("left_carts").sequence, 2);
    let after = running.stop();
    let all: Vec<Transition> = [before, between, after].concat();
    let mut ids: Vec<_> = all.iter().map(|transition| transition.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all.len(), "{all:#?}");
}

#[test]
fn a_visitor_becomes_a_customer_with_all_that_was_seen_of_them() {
    let scratch = scratch();
    let clock = Arc::new(AtomicI64::new(START));
    let running = Running::start(&scratch, &clock);
    let view = |n: i64| {
        json!({
            "type": "track", "anonymousId": "device-1", "event": "Product Viewed",
            "messageId": format!("view {n}"), "properties": {"product_id": "coat"},
        })
    };
    running.send(&[view(1), view(2)]);
    assert!(
        !running.is_in("device-1", "browsers"),
        "nobody's name is known"
    );
    running.at(MINUTE).send(&[json!({
        "type": "identify", "anonymousId": "device-1", "userId": "c-18", "messageId": "who",
        "traits": {"email": "jane@example.org", "address": {"country": "DE"}},
    })]);
    assert!(running.is_in("c-18", "browsers"));
    assert!(
        running.is_in("device-1", "browsers"),
        "both names are hers now"
    );
    let entered = running.next_of("browsers");
    running.at(60 * MINUTE);
    let left = running.next_of("browsers");
    assert_eq!(
        (entered.customer, left.direction),
        (left.customer, Direction::Exited)
    );
    assert_eq!(left.occurred_at, Timestamp(START + 60 * MINUTE));
    running.stop();
}

#[test]
fn an_event_that_names_nobody_is_told_apart() {
    let scratch = scratch();
    let clock = Arc::new(AtomicI64::new(START));
    let running = Running::start(&scratch, &clock);
    let nobody = json!({"type": "track", "event": "X", "userId": "null", "messageId": "m"});
    let appended = running.append(json!([nobody, cart()])).unwrap();
    assert_eq!((appended.stored, appended.nobody), (1, vec![0]));
    running.stop();
}

/// What is in the log is in memory too: no more is taken than may wait to be moved, and what was
/// taken is there.
#[test]
fn no_more_is_taken_than_may_wait_to_be_moved() {
    let scratch = scratch();
    let clock = Arc::new(AtomicI64::new(START));
    let running = Running::start_with(&scratch, &clock, 4);
    let views: Vec<Value> = (0..5)
        .map(|n| track("Product Viewed", n, &json!({})))
        .collect();
    running.send(&views);
    let later = Value::from(vec![track("Product Viewed", 9, &json!({}))]);
    assert!(running.live().unmoved() > 4);
    assert_eq!(running.append(later.clone()), Err(NotTaken::Busy));
    running.stop();

    let running = Running::start(&scratch, &clock);
    assert!(running.is_in("c-17", "browsers"));
    assert_eq!(running.append(later).unwrap().stored, 1);
    running.stop();
}

/// Whatever is moved makes room.
#[test]
fn what_is_moved_waits_no_more() {
    let scratch = scratch();
    let live = equivalence::start(&scratch, START, 5);
    let (answer, answered) = channel();
    let views: Vec<Value> = (0..20)
        .map(|n| track("Product Viewed", n, &json!({})))
        .collect();
    let body = json!({ "batch": views }).to_string();
    let received = read(
        Endpoint::Batch,
        body.as_bytes(),
        live.now(),
        &Limits::default(),
    )
    .unwrap();
    let events = received.events.into_iter().map(|event| event.into_owned());
    let tell = Box::new(move |appended| answer.send(appended).unwrap());
    live.append(events.collect(), Sender::SHOP, live.now(), tell);
    answered.recv().unwrap().unwrap();
    live.move_now().unwrap();
    // Moves are records as well.
    assert!(live.unmoved() <= 10, "{}", live.unmoved());
    live.stop().unwrap();
}
