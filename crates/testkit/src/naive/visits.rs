//! Traits of visits: every event is looked at each time.

use regulars_core::{EventKind, Timestamp, Trait};

use super::{DAY, Shop};
use crate::history::{Customer, RawEvent, RawValue};

/// The value of a trait of visits; events of one time are by their place in the list.
pub(super) fn value(which: Trait, of: &Customer, shop: &Shop, now: Timestamp) -> Option<RawValue> {
    let is_of_visit = |event: &&RawEvent| {
        matches!(
            event.kind,
            EventKind::Track | EventKind::Page | EventKind::Screen
        )
    };
    let mut events: Vec<&RawEvent> = of.events.iter().filter(is_of_visit).collect();
    events.sort_by_key(|event| event.at);
    let sessions = sessions(&events, shop);
    let length = |session: &[&RawEvent]| session[session.len() - 1].at.0 - session[0].at.0;
    let minutes = |ms: f64| RawValue::Number(ms / 60_000.0);
    let count = sessions.len() as f64;
    let last = sessions.last();
    match which {
        Trait::Sessions => {
            let has_events = shop.everyone.iter().any(|of| !of.events.is_empty());
            has_events.then_some(RawValue::Integer(sessions.len() as i64))
        }
        Trait::FirstSession => events.first().map(|event| RawValue::Instant(event.at)),
        Trait::LastSession => last.map(|session| RawValue::Instant(session[0].at)),
        Trait::DaysSinceLastSession => events
            .last()
            .map(|event| RawValue::Integer((now.0 - event.at.0) / DAY)),
        Trait::LastSessionMinutes => last.map(|session| minutes(length(session) as f64)),
        Trait::LastSessionEvents => last.map(|session| RawValue::Integer(session.len() as i64)),
        Trait::AverageSessionMinutes => last.map(|_| {
            let all: i64 = sessions.iter().map(|session| length(session)).sum();
            minutes(all as f64 / count)
        }),
        Trait::BounceShare => last.map(|_| {
            let bounces = sessions.iter().filter(|session| session.len() == 1).count();
            RawValue::Number(bounces as f64 / count)
        }),
        Trait::FirstSource => first(&events, "source"),
        Trait::FirstMedium => first(&events, "medium"),
        Trait::FirstCampaign => first(&events, "campaign"),
        Trait::FirstReferrer => first(&events, "referrer"),
        Trait::FirstLandingPage => first(&events, "page"),
        Trait::LastSource => last_of(&events, &LED, "source"),
        Trait::LastMedium => last_of(&events, &LED, "medium"),
        Trait::LastCampaign => last_of(&events, &LED, "campaign"),
        Trait::LastReferrer => last_of(&events, &LED, "referrer"),
        Trait::Device => last_of(&events, &TECHNOLOGY, "device"),
        Trait::OperatingSystem => last_of(&events, &TECHNOLOGY, "os"),
        Trait::Browser => last_of(&events, &TECHNOLOGY, "browser"),
        Trait::AppVersion => last_of(&events, &TECHNOLOGY, "app_version"),
        Trait::Locale => last_of(&events, &PLACE, "locale"),
        Trait::VisitCountry => last_of(&events, &PLACE, "country"),
        _ => last_of(&events, &PLACE, "timezone"),
    }
}

const LED: [&str; 4] = ["source", "medium", "campaign", "referrer"];
const ARRIVAL: [&str; 5] = ["source", "medium", "campaign", "referrer", "page"];
const TECHNOLOGY: [&str; 4] = ["device", "os", "browser", "app_version"];
const PLACE: [&str; 3] = ["locale", "country", "timezone"];

fn sessions<'e>(events: &[&'e RawEvent], shop: &Shop) -> Vec<Vec<&'e RawEvent>> {
    let silence = i64::from(shop.settings.sessions.silence_minutes) * 60_000;
    let mut sessions: Vec<Vec<&RawEvent>> = Vec::new();
    for &event in events {
        match sessions.last_mut() {
            Some(session) if event.at.0 - session[session.len() - 1].at.0 < silence => {
                session.push(event);
            }
            _ => sessions.push(vec![event]),
        }
    }
    sessions
}

fn said(event: &RawEvent, name: &str) -> Option<RawValue> {
    event.properties.get(&format!("context.{name}")).cloned()
}

fn says_any(event: &RawEvent, names: &[&str]) -> bool {
    names.iter().any(|name| said(event, name).is_some())
}

fn first(events: &[&RawEvent], name: &str) -> Option<RawValue> {
    let event = events.iter().find(|event| says_any(event, &ARRIVAL))?;
    said(event, name)
}

fn last_of(events: &[&RawEvent], names: &[&str], name: &str) -> Option<RawValue> {
    let event = events.iter().rev().find(|event| says_any(event, names))?;
    said(event, name)
}
