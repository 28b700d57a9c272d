//! What is kept of customers who fell silent.

use regulars_core::HOUR_MS;

use crate::events::{customer, event, noon, number, program, text};

/// One condition for each way in which events are kept.
const RULES: [(&str, &str); 8] = [
    ("counts", "events 'X' in last 3 days >= 2"),
    ("counts_longer", "events 'X' in last 9 days >= 4"),
    ("sums", "sum of price of events 'X' in last 2 days > 10"),
    (
        "kinds",
        "distinct product_id of events 'X' in last 3 days >= 2",
    ),
    ("calendar", "events 'X' in last 2 calendar days >= 1"),
    ("pairs", "event 'X' then event 'Y' within 2 hours"),
    ("ever", "events 'X' >= 3"),
    ("waits", "event 'X' then not event 'Y' within 2 hours"),
];

#[test]
fn events_that_left_every_window_are_not_kept_of_those_who_fell_silent() {
    let program = program(&RULES);
    let hours = [0, 1, 2, 30, 31, 60];
    let events = hours.iter().flat_map(|&hour| {
        let properties = [
            ("price", number(7.0)),
            ("product_id", text(&format!("p{hour}"))),
        ];
        let x = event("X", hour * HOUR_MS, &properties);
        let y = event("Y", hour * HOUR_MS + HOUR_MS, &[]);
        [x, y]
    });
    let customer = customer(events.collect(), Vec::new());
    let mut kept = Vec::new();
    // While they are active, days after, and when every window has passed them.
    for days in [3, 5, 8, 40] {
        let now = noon().plus_ms(days * 24 * HOUR_MS);
        let starts = program.window_starts(now);
        let (mut all, mut needed) = (program.new_states(), program.new_states());
        for event in &customer.events {
            event.with_event(|event| {
                program.fold_event(&mut all, event);
                program.fold_event_since(&mut needed, event, &starts);
            });
        }
        let (mut scratch, mut other) = (program.new_scratch(), program.new_scratch());
        let (mut of_all, mut of_needed) = (program.no_memberships(), program.no_memberships());
        program.evaluate(&all, &customer, now, &mut scratch, &mut of_all);
        program.evaluate(&needed, &customer, now, &mut other, &mut of_needed);
        assert_eq!(of_all, of_needed, "after {days} days");
        assert_eq!(
            program.next_flip_of_any(&all, &customer, now, &mut scratch),
            program.next_flip_of_any(&needed, &customer, now, &mut other),
            "after {days} days"
        );
        kept.push((all.entries(), needed.entries()));
    }
    let (all, _) = kept[0];
    assert!(kept.iter().all(|&(kept, _)| kept == all), "{kept:?}");
    let needed: Vec<usize> = kept.iter().map(|&(_, needed)| needed).collect();
    assert!(
        needed.is_sorted_by(|before, after| before > after),
        "{kept:?}"
    );
    // The count of all time, the wait, the latest pair and the beginning that a later one may have.
    assert_eq!(needed[3], 4, "{kept:?}");
}
