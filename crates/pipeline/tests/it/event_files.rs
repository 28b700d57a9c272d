//! Events from files: the same as if they had come live.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use regulars_core::Timestamp;
use regulars_ingest::Entity;
use regulars_pipeline::live::Live;
use regulars_pipeline::{EventCounts, ImportOptions, PipelineError, RejectPolicy};
use serde_json::{Value, json};

use crate::equivalence::{HOUR, RULES, START, append, event, of_batch, start};
use crate::scratch::Scratch;

/// Segments by what customers are called outside.
type Named = BTreeMap<String, Vec<String>>;

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    std::fs::write(scratch.workspace.segments_dir().join("own.toml"), RULES).unwrap();
    scratch
}

/// Memberships at `now`, from what lies on disk.
fn named(scratch: &Scratch, now: i64) -> Named {
    let memberships = of_batch(scratch, now);
    let store = scratch.workspace.open_read().unwrap();
    let vault = store.vault().unwrap();
    let name = |customer| vault.external_id(customer).unwrap().to_owned();
    memberships
        .into_iter()
        .map(|(customer, segments)| (name(customer), segments))
        .collect()
}

/// Events with when they arrived, an hour after one another.
fn arrivals(seed: u64) -> Vec<(i64, Value)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let at = |n: usize| START + n as i64 * HOUR;
    (0..40)
        .map(|n| (at(n), event(&mut rng, n, at(n))))
        .collect()
}

fn archive(arrivals: &[(i64, Value)]) -> String {
    let line = |(arrived, event): &(i64, Value)| {
        let mut event = event.clone();
        event["receivedAt"] = Timestamp(*arrived).to_string().into();
        // What the client said and when: corrected already.
        event["originalTimestamp"] = "2020-01-01T00:00:00Z".into();
        event["sentAt"] = "2020-01-01T00:00:09Z".into();
        format!("{event}\n")
    };
    arrivals.iter().map(line).collect()
}

#[test]
fn an_archive_comes_to_the_same_as_its_events_live() {
    for seed in 0..4 {
        let arrivals = arrivals(seed);
        // A day on which nothing ran, so that no limits of that day are recorded.
        let now = START + 60 * HOUR;
        let live = scratch();
        for (arrived, event) in &arrivals {
            let running: Live = start(&live, *arrived, 7);
            append(&running, std::slice::from_ref(event), *arrived);
            running.stop().unwrap();
        }
        let imported = scratch();
        let whole = imported.file("events.ndjson", &archive(&arrivals));
        let report = imported.import(&[whole]);
        assert_eq!(report.files[0].entity, Entity::Events);
        assert_eq!(report.files[0].rows, 40);
        assert_eq!(named(&imported, now), named(&live, now), "seed {seed}");
        // In pieces, with what both have.
        let pieces = scratch();
        pieces.import(&[pieces.file("early.ndjson", &archive(&arrivals[..25]))]);
        let report = pieces.import(&[pieces.file("late.ndjson", &archive(&arrivals[15..]))]);
        let counts = report.events;
        assert_eq!((counts.events, counts.repeated), (15, 10), "seed {seed}");
        assert_eq!(named(&pieces, now), named(&live, now), "seed {seed}");
        // A server takes up what was imported while it was not running.
        let running = start(&imported, now, 10);
        running.stop().unwrap();
        assert_eq!(named(&imported, now), named(&live, now), "seed {seed}");
    }
}

#[test]
fn a_table_of_events_is_the_calls_that_it_stands_for() {
    let table = "event,user_id,anonymous_id,timestamp,message_id,price,category,email_address\n\
                 Product Viewed,c-1,,2026-11-25T10:00:00Z,m-1,12.5,Coats,\n\
                 Product Viewed,c-1,,2026-11-25T11:00:00Z,m-2,20,Hats,\n\
                 Product Viewed,,d-9,2026-11-25T11:30:00Z,m-3,99,Hats,\n\
                 Product Viewed,,,2026-11-25T11:30:00Z,m-4,15,Hats,ann@example.com\n";
    let scratch = scratch();
    let file = scratch.file("views.csv", table);
    let report = scratch.import(std::slice::from_ref(&file));
    assert_eq!(report.files[0].entity, Entity::Events);
    assert_eq!(report.events.events, 4);
    let now = START + 24 * HOUR;
    let at = |text: &str| scratch.now(Some(text)).0;
    let seen = named(&scratch, at("2026-11-25T12:00:00Z"));
    assert!(seen["c-1"].contains(&"viewers".to_owned()), "{seen:#?}");
    assert!(!seen["ann@example.com"].contains(&"viewers".to_owned()));
    assert_eq!(seen.len(), 2, "a visitor is no customer: {seen:#?}");
    assert!(!named(&scratch, now)["c-1"].contains(&"viewers".to_owned()));
    // The same file again adds nothing.
    assert!(scratch.import(&[file]).files[0].skipped);
}

#[test]
fn rows_of_a_survey_are_events_by_the_name_that_is_given() {
    let survey = "customer_id,submitted_at,score,comment\n\
                  c-1,2026-11-20,3,too slow\nc-2,2026-11-21,10,\n";
    let scratch = Scratch::new();
    let file = scratch.file("nps.csv", survey);
    let options = ImportOptions {
        read: regulars_ingest::ReadOptions {
            entity: Some(Entity::Events),
            event: Some("NPS Answered".to_owned()),
            ..scratch.read_options()
        },
        ..scratch.options()
    };
    scratch.import_with(&[file], &options).unwrap();
    let rule = "events 'NPS Answered' where score <= 6 >= 1";
    let base = scratch.fold(Some("2026-11-22"));
    let size = |base: &regulars_pipeline::Base, segment: &str| {
        let names = base.evaluate(1, Vec::new, |all: &mut Vec<String>, _, _, members| {
            let names = members.iter().map(|n| base.program.segment_name(n));
            all.extend(names.map(ToString::to_string));
        });
        names
            .iter()
            .flatten()
            .filter(|name| *name == segment)
            .count()
    };
    std::fs::write(
        scratch.workspace.segments_dir().join("own.toml"),
        format!("[[segment]]\nname = \"unhappy\"\nrule = \"{rule}\"\n"),
    )
    .unwrap();
    assert_eq!(size(&base, "unhappy"), 0, "the segment is not there yet");
    assert_eq!(size(&scratch.fold(Some("2026-11-22")), "unhappy"), 1);
    let logged: String = scratch
        .workspace
        .open_read()
        .unwrap()
        .logged(0)
        .map(|entry| format!("{:?}", entry.unwrap()))
        .collect();
    assert!(!logged.contains("too slow"), "a comment is personal");
}

#[test]
fn too_many_bad_calls_stop_an_import_and_leave_nothing() {
    let good = |n: usize| {
        json!({"type": "track", "event": "Product Viewed", "userId": format!("c-{n}"),
               "messageId": format!("m-{n}"), "timestamp": "2026-11-20T10:00:00Z"})
    };
    let mut lines: Vec<String> = (0..30).map(|n| good(n).to_string()).collect();
    for _ in 0..6 {
        lines.push(r#"{"type":"track","userId":"anna","timestamp":"2026-11-20"}"#.to_owned());
    }
    let scratch = Scratch::new();
    let file = scratch.file("events.ndjson", &lines.join("\n"));
    let files = [file];
    let error = scratch.try_import(&files).unwrap_err();
    let PipelineError::TooManyRejects {
        rejected, rejects, ..
    } = &error
    else {
        panic!("{error}")
    };
    assert_eq!(*rejected, 6);
    let kept = std::fs::read_to_string(rejects.as_ref().unwrap()).unwrap();
    assert!(kept.contains("`event`") && !kept.contains("anna"), "{kept}");
    let dry = scratch.dry_run(&files).unwrap();
    assert_eq!((dry.files[0].rows, dry.files[0].rejected), (36, 6));
    assert!(dry.stops().is_some());
    let options = ImportOptions {
        rejects: RejectPolicy::Allow,
        ..scratch.options()
    };
    let report = scratch.import_with(&files, &options).unwrap();
    let expected = EventCounts {
        events: 30,
        ..EventCounts::default()
    };
    assert_eq!(report.events, expected, "nothing was there before");
    assert!(report.rejects.is_some());
}
