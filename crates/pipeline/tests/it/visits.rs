//! What visits come to, told by tracking calls: the same whatever comes late.

use std::collections::BTreeMap;

use regulars_core::{Timestamp, Trait, TraitValue};
use regulars_pipeline::live::Live;
use regulars_pipeline::{Base, FoldOptions, Silent, TraitView, view};
use serde_json::{Value, json};

use crate::equivalence::{HOUR, START, append, start};
use crate::scratch::Scratch;

const MINUTE: i64 = HOUR / 60;
const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
const DESK: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0";

/// Three visits: a campaign on a telephone, a search at a desk, and one page; then an e-mail that is
/// no visit.
fn calls() -> Vec<Value> {
    let page = |minute: i64, agent: &str, page: Value, campaign: Value| {
        json!({
            "type": "page", "userId": "c-1", "messageId": format!("m-{minute}"),
            "timestamp": Timestamp(START + minute * MINUTE).to_string(),
            "context": {
                "userAgent": agent, "locale": "de_DE", "timezone": "Europe/Berlin",
                "location": {"country": "at"},
                "page": page, "campaign": campaign,
            },
        })
    };
    let track = |minute: i64, name: &str| {
        json!({
            "type": "track", "userId": "c-1", "event": name, "messageId": format!("m-{minute}"),
            "timestamp": Timestamp(START + minute * MINUTE).to_string(),
        })
    };
    let ads = json!({"source": "ads", "medium": "cpc", "name": "autumn"});
    let search = json!({
        "path": "/coats", "url": "https://shop.example/coats",
        "referrer": "https://www.search.example/?q=coat",
    });
    vec![
        page(0, PHONE, json!({"path": "/sale"}), ads),
        // Each is less than half an hour after the one before it, and only together one visit.
        page(20, PHONE, json!({"path": "/hats"}), json!({})),
        page(40, PHONE, json!({"path": "/shoes"}), json!({})),
        page(120, DESK, search, json!({})),
        track(130, "Product Viewed"),
        // Half an hour later to the millisecond.
        track(160, "Product Added"),
        track(600, "Email Opened"),
    ]
}

/// In which the calls are told: by time, the latest first, and neither.
const ORDERS: [[usize; 7]; 3] = [
    [0, 1, 2, 3, 4, 5, 6],
    [6, 5, 4, 3, 2, 1, 0],
    [5, 0, 2, 6, 3, 1, 4],
];

#[test]
fn visits_are_told_apart_by_silence_whatever_comes_late() {
    let now = START + 24 * HOUR;
    for order in ORDERS {
        let scratch = Scratch::new();
        let calls = calls();
        let live = start(&scratch, now, 3);
        for &call in &order {
            append(&live, &calls[call..=call], now);
            live.move_now().unwrap();
        }
        live.stop().unwrap();
        let base = scratch.fold_at(Timestamp(now));
        let customer = base.customer(&base.customers[0]);
        let at = |minute: i64| TraitValue::Instant(Timestamp(START + minute * MINUTE));
        let (text, count) = (TraitValue::Text, TraitValue::Integer);
        for (which, wanted) in [
            (Trait::Sessions, count(3)),
            (Trait::FirstSession, at(0)),
            (Trait::LastSession, at(160)),
            (Trait::LastSessionEvents, count(1)),
            (Trait::LastSessionMinutes, TraitValue::Number(0.0)),
            (Trait::AverageSessionMinutes, TraitValue::Number(50.0 / 3.0)),
            (Trait::BounceShare, TraitValue::Number(1.0 / 3.0)),
            (Trait::DaysSinceLastSession, count(0)),
            (Trait::FirstSource, text("ads")),
            (Trait::FirstMedium, text("cpc")),
            (Trait::FirstCampaign, text("autumn")),
            (Trait::FirstReferrer, TraitValue::Missing),
            (Trait::FirstLandingPage, text("/sale")),
            (Trait::LastSource, TraitValue::Missing),
            (Trait::LastReferrer, text("search.example")),
            (Trait::Device, text("desktop")),
            (Trait::OperatingSystem, text("Windows")),
            (Trait::Browser, text("Edge")),
            (Trait::Locale, text("de-DE")),
            (Trait::VisitCountry, text("AT")),
            (Trait::TimeZone, text("Europe/Berlin")),
        ] {
            let value = customer.value_in(which, base.now);
            assert_eq!(value, wanted, "{}: {order:?}", which.def().name);
        }
    }
}

fn named(traits: impl IntoIterator<Item = TraitView>) -> BTreeMap<String, Value> {
    traits
        .into_iter()
        .map(|of| (of.name.to_string(), of.value))
        .collect()
}

/// Every trait of the only customer, live.
fn of_live(live: &Live, now: i64) -> BTreeMap<String, Value> {
    let customer = live.ask(move |engine| {
        let everyone = engine.customer_ids();
        engine
            .customer(everyone[0], Timestamp(now))
            .unwrap()
            .unwrap()
    });
    named(customer.unwrap().traits)
}

/// The same, as everything on disk is folded from the beginning.
fn of_batch(scratch: &Scratch, live: &Live, now: i64) -> BTreeMap<String, Value> {
    let folded = live.read_beside(|store| {
        let options = FoldOptions::at(Timestamp(now), 1);
        let config = scratch.workspace.config();
        let base = Base::fold(store, config, &scratch.catalogue(), options, &Silent)?;
        view(store, &base, 0)
    });
    named(folded.unwrap().unwrap().traits)
}

#[test]
fn live_values_of_visits_are_those_of_all_events_whatever_comes_late() {
    let now = START + 24 * HOUR;
    for order in ORDERS {
        for move_after in [1, u64::MAX] {
            let scratch = Scratch::new();
            let calls = calls();
            let live = start(&scratch, now, move_after);
            for (told, &call) in order.iter().enumerate() {
                append(&live, &calls[call..=call], now);
                if told % 3 == 2 {
                    live.move_now().unwrap();
                }
                let values = of_live(&live, now);
                let report = format!("{:?}, {move_after} moved at a time", &order[..=told]);
                assert_eq!(values, of_batch(&scratch, &live, now), "{report}");
                let sessions = values["sessions"].as_u64();
                assert!(sessions <= Some(told as u64 + 1), "{report}: {sessions:?}");
            }
            live.stop().unwrap();
        }
    }
}
