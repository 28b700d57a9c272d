//! What conditions on events and carts mean, one by one: on histories small enough to check by hand.

use regulars_core::{Cart, DataNeed, EventKind, HOUR_MS, Symbols, Timestamp, Trait};
use regulars_rules::{
    Availability, Change, Keep, LatestEvents, LeafStates, Present, Program, check, describe, parse,
};
use regulars_testkit::history::{Course, Customer, RawEvent, RawValue};

use crate::language::{day, named, vocabulary};

const MINUTE: i64 = HOUR_MS / 60;
const DAY: i64 = 24 * HOUR_MS;

/// Noon of 10 March 2026, from which times are counted.
pub(crate) fn noon() -> Timestamp {
    day("2026-03-10").plus_ms(12 * HOUR_MS)
}

pub(crate) fn event(name: &str, after_ms: i64, properties: &[(&str, RawValue)]) -> RawEvent {
    let at = noon().plus_ms(after_ms);
    let properties = properties.iter().cloned();
    RawEvent {
        kind: EventKind::Track,
        name: name.to_owned(),
        at,
        received_at: at,
        properties: properties
            .map(|(path, value)| (path.to_owned(), value))
            .collect(),
    }
}

pub(crate) fn number(value: f64) -> RawValue {
    RawValue::Number(value)
}

pub(crate) fn text(value: &str) -> RawValue {
    RawValue::Text(value.to_owned())
}

pub(crate) fn customer(events: Vec<RawEvent>, carts: Vec<Cart>) -> Customer {
    Customer {
        events,
        carts,
        ..Customer::default()
    }
}

pub(crate) fn program(rules: &[(&str, &str)]) -> Program {
    let named = named(rules).unwrap_or_else(|error| panic!("{rules:?}: {error}"));
    Program::compile(&named, &vocabulary(&[]), &Symbols::default(), Keep::Needed).unwrap()
}

fn folded(program: &Program, events: &[RawEvent]) -> LeafStates {
    let mut states = program.new_states();
    for event in events {
        event.with_event(|event| program.fold_event(&mut states, event));
    }
    states
}

/// Whether the rule holds of the customer so long after noon, and when that next changes.
fn at(rule: &str, customer: &Customer, after_ms: i64) -> (bool, Option<i64>) {
    let program = program(&[("it", rule)]);
    let states = folded(&program, &customer.events);
    let (now, mut scratch) = (noon().plus_ms(after_ms), program.new_scratch());
    let holds = program.evaluate_one(0, &states, customer, now, &mut scratch);
    let flip = program.next_flip(0, &states, customer, now, &mut scratch);
    (holds, flip.map(|flip| flip.0 - noon().0))
}

#[track_caller]
fn assert_holds(rule: &str, customer: &Customer, after_ms: i64) {
    assert!(at(rule, customer, after_ms).0, "{rule}");
}

#[track_caller]
fn assert_fails(rule: &str, customer: &Customer, after_ms: i64) {
    assert!(!at(rule, customer, after_ms).0, "{rule}");
}

#[test]
fn windows_over_the_same_events_share_what_is_kept_and_answer_as_if_alone() {
    let mut rules = Vec::new();
    for days in [1, 3, 7] {
        for value in [
            format!(
                "events 'Product Viewed' in last {days} days >= {}",
                2 + days
            ),
            format!(
                "sum of price of events 'Product Viewed' in last {days} days > {}",
                20 * days
            ),
            format!("distinct product_id of events 'Product Viewed' in last {days} days >= {days}"),
        ] {
            rules.push((format!("s{}", rules.len()), value));
        }
    }
    let rules: Vec<(&str, &str)> = rules.iter().map(|(n, r)| (&**n, &**r)).collect();
    let program = program(&rules);
    assert_eq!(program.event_value_count(), 3);
    let viewed = |n: i64| {
        let price = ("price", number(7.5 * (n % 5) as f64));
        let product = ("product_id", text(&format!("p{}", n % 4)));
        // Late ones among them.
        event(
            "Product Viewed",
            (n * 37 % 11) * 9 * HOUR_MS,
            &[price, product],
        )
    };
    let customer = customer((0..22).map(viewed).collect(), vec![]);
    let states = folded(&program, &customer.events);
    let mut scratch = program.new_scratch();
    for hours in (90..290).step_by(3) {
        for (number, (_, rule)) in rules.iter().enumerate() {
            let now = noon().plus_ms(hours * HOUR_MS);
            let holds = program.evaluate_one(number, &states, &customer, now, &mut scratch);
            let flip = program.next_flip(number, &states, &customer, now, &mut scratch);
            let flip = flip.map(|flip| flip.0 - noon().0);
            assert_eq!(
                (holds, flip),
                at(rule, &customer, hours * HOUR_MS),
                "{rule}"
            );
        }
    }
}

#[test]
fn events_are_counted_in_windows_and_leave_them_to_the_millisecond() {
    let viewed = |after| event("Product Viewed", after, &[]);
    let customer = customer(vec![viewed(0), viewed(HOUR_MS), viewed(HOUR_MS)], vec![]);
    let rule = "events 'Product Viewed' in last 7 days >= 3";
    assert_eq!(at(rule, &customer, HOUR_MS), (true, Some(7 * DAY)));
    assert_eq!(at(rule, &customer, 7 * DAY - 1), (true, Some(7 * DAY)));
    assert_eq!(at(rule, &customer, 7 * DAY), (false, None));
    assert_holds(
        "events ('Product Clicked', 'Product Viewed') = 3",
        &customer,
        HOUR_MS,
    );
    assert_holds("events today >= 3", &customer, HOUR_MS);
    assert_fails("events today >= 3", &customer, 12 * HOUR_MS);
    assert_fails("events 'product viewed' >= 1", &customer, HOUR_MS);
    assert_fails("pages >= 1", &customer, HOUR_MS);
}

#[test]
fn standard_events_go_by_any_of_their_names() {
    let added = customer(vec![event("Product Added", 0, &[])], vec![]);
    for rule in [
        "events 'to_cart' = 1",
        "events ('to_cart', 'Product Added') = 1",
        "last event 'to_cart' is set",
        "event 'to_cart' then not event 'to_cart' within 1 hour",
    ] {
        assert_holds(rule, &added, HOUR_MS);
        assert_eq!(parse(rule).unwrap().to_string(), rule);
    }
    let page = RawEvent {
        kind: EventKind::Page,
        ..event("to_cart", 0, &[])
    };
    assert_holds("pages 'to_cart' = 1", &customer(vec![page], vec![]), 0);
}

#[test]
fn seconds_are_the_shortest_unit() {
    let rule = "event 'Added' then not event 'Ordered' within 2 seconds";
    let added = customer(vec![event("Added", 0, &[])], vec![]);
    assert_eq!(at(rule, &added, 0), (false, Some(2_000)));
    assert_eq!(at(rule, &added, 2_000), (true, None));
    let one = "last event 'Added' within 1 second";
    assert_eq!(at(one, &added, 0), (true, Some(1_000)));
    assert!(describe(&parse(one).unwrap()).contains("second"));
}

#[test]
fn pages_and_screens_are_activity_with_names_of_their_own() {
    let of_kind = |kind, name: &str| RawEvent {
        kind,
        ..event(name, 0, &[])
    };
    let events = vec![
        of_kind(EventKind::Page, "Pricing"),
        of_kind(EventKind::Screen, "Home"),
        of_kind(EventKind::Identify, ""),
        of_kind(EventKind::Track, "Signed In"),
    ];
    let customer = customer(events, vec![]);
    assert_holds("pages 'Pricing' = 1 and screens 'Home' = 1", &customer, 0);
    assert_holds("pages = 1 and screens = 1 and events = 3", &customer, 0);
    assert_fails("events 'Pricing' >= 1", &customer, 0);
    assert_holds("last page 'Pricing' within 1 hour", &customer, 0);
    assert_holds("first screen is set", &customer, 0);
}

#[test]
fn properties_are_compared_by_their_type() {
    let properties = [
        ("category", text("Running Shoes")),
        ("price", number(49.9)),
        ("size", text("42")),
        ("gift", RawValue::Flag(true)),
        ("note", text("")),
        ("address.zip code", text("10115")),
    ];
    let customer = customer(vec![event("Added", 0, &properties)], vec![]);
    for holding in [
        "category = 'Running Shoes'",
        "category contains 'shoe' and price between 40 and 50",
        "category starts with 'run'",
        "category in ('Running Shoes', 'Hats')",
        "price > 49.8 and price <= 49.9",
        "size = '42'",
        "(gift)",
        "gift = true",
        "(not gift = false)",
        "address.'zip code' = '10115'",
        "'address.zip code' is set",
        "note is not set",
        "size = 42",
        "size between 41.5 and 42",
        "size in (41, 42)",
        "(not category > 1)",
    ] {
        assert_holds(&format!("events 'Added' where {holding} = 1"), &customer, 0);
    }
    for failing in [
        "size != 42",
        "category != 41",
        "price = '49.9'",
        "price not in ('a', 'b')",
        "colour != 'red'",
        "(colour)",
        "note is set",
        "Category is set",
        "price contains '49'",
    ] {
        assert_fails(
            &format!("events 'Added' where {failing} >= 1"),
            &customer,
            0,
        );
    }
    assert_holds("last event 'Added' where gift within 1 hour", &customer, 0);
}

#[test]
fn sums_are_exact_and_take_numbers_only() {
    let added = |after, value| event("Added", after, &[("value", value)]);
    let events = vec![
        added(0, number(0.1)),
        added(1, number(0.2)),
        added(2, text("1000")),
        added(DAY, number(5.0)),
    ];
    let customer = customer(events, vec![]);
    assert_holds("sum of value of events 'Added' = 5.3", &customer, DAY);
    let rule = "sum of value of events 'Added' in last 2 days > 5";
    assert_eq!(at(rule, &customer, DAY), (true, Some(2 * DAY + 1)));
    assert_fails(rule, &customer, 2 * DAY + 1);
    assert_holds("sum of other of events 'Added' = 0", &customer, DAY);
}

#[test]
fn different_values_are_counted_once_and_by_their_latest_event() {
    let viewed = |after, product| event("Viewed", after, &[("product_id", product)]);
    let events = vec![
        viewed(0, text("a")),
        viewed(1, text("7")),
        viewed(2, number(7.0)),
        viewed(HOUR_MS, text("a")),
        viewed(HOUR_MS, text("")),
    ];
    let customer = customer(events, vec![]);
    assert_holds(
        "distinct product_id of events 'Viewed' = 2",
        &customer,
        HOUR_MS,
    );
    let rule = "distinct product_id of events in last 1 day >= 2";
    assert_eq!(at(rule, &customer, HOUR_MS), (true, Some(DAY + 2)));
    let rule = "distinct product_id of events in last 1 day >= 1";
    assert_eq!(at(rule, &customer, HOUR_MS), (true, Some(DAY + HOUR_MS)));
}

#[test]
fn what_is_not_done_in_time_begins_at_the_end_of_the_time() {
    const RULE: &str = "event 'Product Added' then not event 'Order Completed' within 2 hours";
    let (added, ordered) = (
        |after| event("Product Added", after, &[]),
        |after| event("Order Completed", after, &[]),
    );
    let two = 2 * HOUR_MS;
    let left = customer(vec![added(0)], vec![]);
    assert_eq!(at(RULE, &left, 0), (false, Some(two)));
    assert_eq!(at(RULE, &left, two - 1), (false, Some(two)));
    assert_eq!(at(RULE, &left, two), (true, None));
    assert_eq!(at(RULE, &left, 900 * DAY), (true, None));

    let bought = customer(vec![added(0), ordered(HOUR_MS)], vec![]);
    assert_eq!(at(RULE, &bought, two), (false, None));
    let bought_at_the_end = customer(vec![added(0), ordered(two)], vec![]);
    assert_eq!(at(RULE, &bought_at_the_end, two), (false, None));
    let bought_later = customer(vec![added(0), ordered(5 * HOUR_MS)], vec![]);
    assert_fails(RULE, &bought_later, 6 * HOUR_MS);
    let bought_before = customer(vec![ordered(-1), added(0)], vec![]);
    assert_holds(RULE, &bought_before, two);
    let at_once = customer(vec![ordered(0), added(0)], vec![]);
    assert_holds(RULE, &at_once, two);

    let again = customer(vec![added(0), added(HOUR_MS)], vec![]);
    assert_eq!(at(RULE, &again, two), (false, Some(3 * HOUR_MS)));
    let late = customer(vec![added(HOUR_MS), added(0)], vec![]);
    assert_eq!(at(RULE, &late, two), (false, Some(3 * HOUR_MS)));

    let in_a_day = format!("{RULE} in last 1 day");
    assert_eq!(at(&in_a_day, &left, HOUR_MS), (false, Some(two)));
    assert_eq!(at(&in_a_day, &left, two), (true, Some(two + DAY)));
    assert_eq!(at(&in_a_day, &left, two + DAY), (false, None));
    let since = "event 'Product Added' then not event 'Order Completed'";
    assert_eq!(at(since, &left, 0), (true, None));
    assert_eq!(at(since, &again, HOUR_MS), (true, None));
    assert_fails(since, &bought, HOUR_MS);
    let since_today = format!("{since} in last 1 day");
    assert_eq!(at(&since_today, &left, 0), (true, Some(DAY)));
    let silent = "event 'Product Added' then not event within 30 minutes";
    assert_holds(silent, &left, 30 * MINUTE);
    assert_fails(silent, &again, 61 * MINUTE);
}

#[test]
fn one_follows_another_when_it_is_later_and_soon_enough() {
    const RULE: &str = "event 'A' then event 'B' within 2 hours";
    let (a, b) = (
        |after| event("A", after, &[]),
        |after| event("B", after, &[]),
    );
    let two = 2 * HOUR_MS;
    let of = |events: Vec<RawEvent>| customer(events, vec![]);
    assert_holds(RULE, &of(vec![a(0), b(1)]), two);
    assert_holds(RULE, &of(vec![a(0), b(two)]), two);
    assert_fails(RULE, &of(vec![a(0), b(two + 1)]), 2 * two);
    assert_fails(RULE, &of(vec![a(0), b(0)]), two);
    assert_fails(RULE, &of(vec![b(0), a(1)]), two);
    // The pair is completed by what comes late: either of them.
    assert_holds(RULE, &of(vec![b(1), a(0)]), two);
    assert_holds(RULE, &of(vec![a(DAY), b(1), a(0), b(2 * DAY)]), 3 * DAY);
    // A pair that is known already does not hide a later one.
    let in_a_day = format!("{RULE} in last 1 day");
    let late = of(vec![a(0), b(1), b(5 * HOUR_MS), a(4 * HOUR_MS)]);
    assert_eq!(
        at(&in_a_day, &late, 6 * HOUR_MS),
        (true, Some(5 * HOUR_MS + DAY))
    );
    let again = "event 'A' then event 'A' within 2 hours";
    assert_holds(again, &of(vec![a(0), a(HOUR_MS)]), two);
    assert_fails(again, &of(vec![a(0), a(0), a(3 * HOUR_MS)]), 2 * two);
}

#[test]
fn an_order_that_no_event_told_ends_the_wait_for_one() {
    let ordered = |after: i64| {
        let at = RawValue::Instant(noon().plus_ms(after));
        Customer {
            traits: [(Trait::LastOrder, Course::Still(at))].into(),
            ..customer(vec![event("Product Added", 0, &[])], vec![])
        }
    };
    let rule = "event 'Product Added' then not event 'Order Completed' within 2 hours";
    let two = 2 * HOUR_MS;
    assert_eq!(at(rule, &ordered(MINUTE), MINUTE), (false, None));
    assert_eq!(at(rule, &ordered(3 * HOUR_MS), 3 * HOUR_MS), (false, None));
    // Before it, or at the same time, is not after it.
    assert_eq!(at(rule, &ordered(0), MINUTE), (false, Some(two)));
    assert_holds(rule, &ordered(-MINUTE), two);
    // An event with properties is asked for, or another one: orders say nothing of these.
    for other in [
        "event 'Product Added' then not event 'Order Completed' where total > 1 within 2 hours",
        "event 'Product Added' then not event 'Paid' within 2 hours",
    ] {
        assert_holds(other, &ordered(MINUTE), two);
    }
}

fn cart(changed_ms: i64, value_minor: i64) -> Cart {
    Cart {
        changed_at: noon().plus_ms(changed_ms),
        open_until: noon().plus_ms(changed_ms + 30 * DAY),
        value_minor: Some(value_minor),
        items: 1.0,
    }
}

#[test]
fn a_cart_is_abandoned_on_its_own_clock_and_ends() {
    let rule = "carts where value >= 100 and idle for 2 hours >= 1";
    let one = customer(vec![], vec![cart(0, 14_000)]);
    assert_eq!(at(rule, &one, 0), (false, Some(2 * HOUR_MS)));
    assert_eq!(at(rule, &one, 2 * HOUR_MS), (true, Some(30 * DAY)));
    assert_eq!(at(rule, &one, 30 * DAY), (false, None));
    // One cart is worth enough, the other one is idle.
    let two = customer(vec![], vec![cart(HOUR_MS, 10_000), cart(0, 9_999)]);
    assert_eq!(at(rule, &two, 2 * HOUR_MS), (false, Some(3 * HOUR_MS)));
    assert_holds(
        "carts = 2 and carts where idle for 2 hours = 1",
        &two,
        2 * HOUR_MS,
    );
    assert_holds("carts where (not idle for 2 hours) = 1", &two, 2 * HOUR_MS);
    assert_eq!(
        at("carts >= 1", &two, HOUR_MS),
        (true, Some(30 * DAY + HOUR_MS))
    );
    let unknown = Cart {
        value_minor: None,
        ..cart(0, 0)
    };
    let unknown = customer(vec![], vec![unknown]);
    assert_fails("carts where value < 100 >= 1", &unknown, 0);
    assert_holds(
        "carts where value is not set and items >= 1 >= 1",
        &unknown,
        0,
    );
    assert_holds(
        "carts where changed within 30 minutes >= 1",
        &unknown,
        29 * MINUTE,
    );
}

#[test]
fn an_event_changes_only_what_takes_it_in() {
    let program = program(&[
        ("viewers", "events 'Viewed' where price > 5 >= 3"),
        ("active", "events in last 7 days >= 1"),
        ("spenders", "sum of price of events 'Viewed' > 10"),
        ("pricing", "pages 'Pricing' >= 1"),
    ]);
    let changes = |of: &RawEvent| {
        let (mut states, mut changes) = (program.new_states(), Vec::new());
        of.with_event(|event| {
            program.fold_event_with(&mut states, event, |change| changes.push(change));
        });
        changes
    };
    let viewed = |price| event("Viewed", 0, &[("price", price)]);
    let [viewers, active, spenders, pricing] = [0, 1, 2, 3].map(Change::Events);
    assert_eq!(changes(&viewed(number(6.0))), [viewers, active, spenders]);
    assert_eq!(changes(&viewed(number(5.0))), [active, spenders]);
    assert_eq!(changes(&viewed(text("6"))), [viewers, active]);
    assert_eq!(changes(&viewed(text("six"))), [active]);
    let page = RawEvent {
        kind: EventKind::Page,
        ..event("Pricing", 0, &[])
    };
    assert_eq!(changes(&page), [active, pricing]);
    let reads = |kind, name| program.reads(kind, name).map(<[Box<str>]>::len);
    assert_eq!(reads(EventKind::Track, "Viewed"), Some(1));
    assert_eq!(reads(EventKind::Page, "Pricing"), Some(0));
    assert_eq!(reads(EventKind::Identify, ""), None);
}

#[test]
fn an_event_that_no_condition_reads_leaves_no_trace() {
    let program = program(&[("it", "events 'Viewed' >= 3 and pages 'Pricing' >= 1")]);
    let of_kind = |kind, name: &str| RawEvent {
        kind,
        ..event(name, 0, &[])
    };
    let reads = |of: &RawEvent| program.reads(of.kind, &of.name).is_some();
    assert!(reads(&of_kind(EventKind::Track, "Viewed")));
    assert!(reads(&of_kind(EventKind::Page, "Pricing")));
    for other in [
        of_kind(EventKind::Track, "Pricing"),
        of_kind(EventKind::Page, "Viewed"),
        of_kind(EventKind::Identify, ""),
    ] {
        assert!(!reads(&other));
        assert_eq!(folded(&program, &[other]), program.new_states());
    }
}

#[test]
fn without_events_the_size_is_unknown() {
    let program = program(&[
        ("viewers", "events 'Viewed' = 0"),
        ("open", "not carts >= 1"),
        ("either", "consent or in segment viewers"),
    ]);
    let missing = || [DataNeed::Events].into();
    let present = |has| Present {
        has,
        declares: &|_| true,
        of_accounts: &|_| true,
    };
    assert_eq!(
        program.availability(present(&|need| need != DataNeed::Events)),
        [
            Availability::Unknown { missing: missing() },
            Availability::Unknown { missing: missing() },
            Availability::Partial { missing: missing() },
        ]
    );
    assert_eq!(
        program.availability(present(&|_| true)),
        vec![Availability::Known; 3]
    );
}

#[test]
fn conditions_on_events_in_words() {
    let rules = [
        "events 'Product Viewed' where category = 'Shoes' in last 7 days >= 3",
        "events ('Cart Viewed', 'Checkout Started') this month = 0",
        "events in last 30 days >= 1 and pages 'Pricing' between 2 and 3",
        "sum of value of events 'Product Added' in last 30 days > 100",
        "distinct product_id of events 'Product Viewed' in last 7 days >= 3",
        "last event 'Signed In' before 30 days ago or first screen is not set",
        "event 'Product Added' then not event 'Order Completed' within 2 hours",
        "event 'A' then not event 'B' in last 7 days",
        "event 'A' where (gift) then event ('B', 'C') within 1 day in last 30 days",
        "carts where value >= 100 and idle for 2 hours >= 1 and not carts where items > 5 >= 2",
    ];
    let words: Vec<String> = rules
        .iter()
        .map(|text| {
            let rule = parse(text).unwrap_or_else(|error| panic!("{}", error.render(text)));
            check(&rule, &vocabulary(&[])).unwrap();
            assert_eq!(parse(&rule.to_string()).unwrap(), rule, "{text}");
            format!("{rule}\n  {}", describe(&rule))
        })
        .collect();
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(words.join("\n")) });
}

#[test]
fn what_a_rule_reads_of_events_is_named() {
    let rule = parse(
        "events 'A' >= 1 and carts where value > 5 >= 1 and event 'A' then page within 1 day",
    )
    .unwrap();
    let reads = check(&rule, &vocabulary(&[])).unwrap().reads();
    let events: Vec<&str> = reads.events.iter().map(String::as_str).collect();
    assert_eq!(events, ["event 'A' then page within 1 day", "events 'A'"]);
    assert_eq!(
        reads.carts.first().map(String::as_str),
        Some("carts where value > 5")
    );
    assert_eq!(reads.needs, [DataNeed::Events].into());
}

#[test]
fn an_explanation_shows_counts_sums_and_when_a_sequence_is_complete() {
    let rules = named(&[(
        "it",
        "events 'A' in last 7 days >= 1 and sum of value of events 'A' > 0.1 \
         and event 'A' then not event 'B' within 2 hours and carts >= 1",
    )])
    .unwrap();
    let vocabulary = vocabulary(&[]);
    let symbols = Symbols::default();
    let program = Program::compile(&rules, &vocabulary, &symbols, Keep::Values).unwrap();
    let a = |after| event("A", after, &[("value", number(0.1))]);
    let customer = customer(vec![a(0), a(HOUR_MS)], vec![cart(0, 500)]);
    let states = folded(&program, &customer.events);
    let mut latest = LatestEvents::default();
    let other = event("C", 2 * HOUR_MS, &[]);
    // In whatever order, and of those that a condition takes in only.
    for event in customer.events.iter().rev().chain([&other]) {
        event.with_event(|event| program.note_event(&mut latest, event));
    }
    let now = noon().plus_ms(2 * HOUR_MS);
    let explanation = program.explain_with(0, &states, (&customer, &latest), now);
    let json = serde_json::to_string_pretty(&explanation).unwrap();
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(json) });
}
