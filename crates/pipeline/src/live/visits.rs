//! What events say of visits, from properties in standard names to the facts of a profile.

use regulars_core::{DEVICES, EventKind, Symbol};
use regulars_ingest::tracking::surroundings_of;
use regulars_ingest::tracking::vocabulary::StandardEvent;
use regulars_profile::{AllSessions, Arrival, Place, Profile, Technology, VisitEvent, Visits};
use regulars_store::history::SymbolTable;

use super::told::Told;

/// True for what somebody does on a site or in an app; not for what is done to them or happens by
/// itself.
pub(super) fn is_of_visit(told: &Told) -> bool {
    match told.event.kind {
        EventKind::Page | EventKind::Screen => true,
        EventKind::Track => told.what.is_none_or(StandardEvent::is_of_visit),
        EventKind::Identify | EventKind::Group | EventKind::Alias => false,
    }
}

/// Takes in an event of a visit; false when that changes the past. With `all` sessions at hand it
/// never does.
pub(super) fn take(
    profile: &mut Profile,
    told: &Told,
    table: &SymbolTable,
    (all, silence_ms): (Option<&mut AllSessions>, i64),
) -> bool {
    let visits = profile.visits.get_or_insert_default();
    let at = told.event.occurred_at;
    match all {
        Some(all) => visits.happened_among(all, at, silence_ms),
        None if !visits.happened(at, silence_ms) => return false,
        None => {}
    }
    let is_first = visits.would_begin(at, told.offset);
    visits.says(&said(told, table, is_first));
    true
}

/// Every session of somebody, one by one.
pub(super) fn sessions_of(by_time: &[&Told], silence_ms: i64) -> AllSessions {
    let mut all = AllSessions::default();
    for told in by_time.iter().filter(|told| is_of_visit(told)) {
        all.put(told.event.occurred_at, silence_ms);
    }
    all
}

/// Takes in all events of somebody of whose visits nothing is known, by time.
pub(crate) fn take_all(
    profile: &mut Profile,
    by_time: &[&Told],
    table: &SymbolTable,
    silence_ms: i64,
) {
    let of_visits = || by_time.iter().filter(|told| is_of_visit(told));
    for told in of_visits() {
        let visits = profile.visits.get_or_insert_default();
        // By time nothing comes late.
        let _ = visits.happened(told.event.occurred_at, silence_ms);
    }
    let Some(visits) = &mut profile.visits else {
        return;
    };
    // Texts are looked up for what counts only: of the first that says what led there, and of the
    // latest.
    for told in of_visits() {
        let said = said(told, table, true);
        visits.says(&said);
        if said.arrival != Arrival::default() {
            break;
        }
    }
    let mut latest = Visits::default();
    for told in of_visits().rev() {
        if latest.knows_the_latest() {
            break;
        }
        latest.says(&said(told, table, false));
    }
    visits.take_latest(&latest);
}

/// What an event says; its page only when it is to be the first, since texts that are looked up
/// stay in memory and pages are many.
fn said(told: &Told, table: &SymbolTable, is_first: bool) -> VisitEvent {
    let mut said = VisitEvent {
        occurred_at: told.event.occurred_at,
        offset: told.offset,
        technology: Technology::default(),
        place: Place::default(),
        arrival: Arrival::default(),
    };
    for (name, text) in surroundings_of(&told.event.properties) {
        let symbol = match &*name {
            "device" if !DEVICES.contains(&&*text) => continue,
            "device" => &mut said.technology.device,
            "os" => &mut said.technology.os,
            "browser" => &mut said.technology.browser,
            "app_version" => &mut said.technology.app_version,
            "locale" => &mut said.place.locale,
            "country" => &mut said.place.country,
            "timezone" => &mut said.place.time_zone,
            "source" => &mut said.arrival.source,
            "medium" => &mut said.arrival.medium,
            "campaign" => &mut said.arrival.campaign,
            "referrer" => &mut said.arrival.referrer,
            "page" if is_first => &mut said.arrival.page,
            _ => continue,
        };
        *symbol = match &*text {
            "" => Symbol::NONE,
            text => table.intern(text),
        };
    }
    said
}
