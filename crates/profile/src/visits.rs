//! What a customer's visits come to: sessions, where they came from, what they are made with.
//!
//! ```text
//! event of a visit ─┬─ happened: a session begins, grows, or joins the next one
//!                   └─ says:     latest device and place, first and last campaign
//! ```
//!
//! A session is a run of events with less than a set silence between one and the next.
//! Which event is first or last is decided by time, then by offset in the log, so that the order in
//! which events come makes no difference. The latest sessions are kept one by one, and an event that
//! comes late is put in its place among them; those before are kept as sums only. Whoever folds an
//! event that would change those folds all of them again, by time, or has all of them at hand
//! ([`Visits::happened_among`]).

mod all_sessions;

use regulars_core::{Symbol, Timestamp};

pub use all_sessions::AllSessions;

/// Sessions that are kept one by one.
const KEPT: usize = 2;

/// What an event of a visit says; what it does not say is [`Symbol::NONE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VisitEvent {
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Its offset in the log: decides between events of the same time.
    pub offset: u64,
    /// What it was done with.
    pub technology: Technology,
    /// Where it was done.
    pub place: Place,
    /// What led there.
    pub arrival: Arrival,
}

/// Device and programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Technology {
    /// Kind of device.
    pub device: Symbol,
    /// Operating system.
    pub os: Symbol,
    /// Browser.
    pub browser: Symbol,
    /// Version of the app.
    pub app_version: Symbol,
}

/// Language, country and time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Language and region: `de-DE`.
    pub locale: Symbol,
    /// Country.
    pub country: Symbol,
    /// Time zone: `Europe/Berlin`.
    pub time_zone: Symbol,
}

/// Campaign, site and page that a visit began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arrival {
    /// Source of the campaign.
    pub source: Symbol,
    /// Medium of the campaign.
    pub medium: Symbol,
    /// Name of the campaign.
    pub campaign: Symbol,
    /// Host that led there.
    pub referrer: Symbol,
    /// Path of the page.
    pub page: Symbol,
}

impl Arrival {
    /// True when a campaign or another site led there.
    fn is_led(&self) -> bool {
        let led = [self.source, self.medium, self.campaign, self.referrer];
        led.iter().any(|&symbol| symbol != Symbol::NONE)
    }
}

/// A part of what an event said, with when and where it said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Said<T> {
    at: (Timestamp, u64),
    what: T,
}

/// The visits of one customer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Visits {
    sessions: Sessions,
    technology: Option<Said<Technology>>,
    place: Option<Said<Place>>,
    first_arrival: Option<Said<Arrival>>,
    last_arrival: Option<Said<Arrival>>,
}

impl Visits {
    /// Takes in that an event of a visit happened; false, and nothing is taken in, when it changes
    /// sessions that are no longer kept one by one. `silence_ms` ends a session.
    #[must_use]
    pub fn happened(&mut self, at: Timestamp, silence_ms: i64) -> bool {
        self.sessions.take(at, silence_ms)
    }

    /// As [`Self::happened`], however late it comes: `all` are the sessions so far, each of them.
    pub fn happened_among(&mut self, all: &mut AllSessions, at: Timestamp, silence_ms: i64) {
        all.put(at, silence_ms);
        self.sessions = all.summed();
    }

    /// Takes in what an event says.
    pub fn says(&mut self, event: &VisitEvent) {
        let at = (event.occurred_at, event.offset);
        if event.technology != Technology::default() {
            keep_last(&mut self.technology, at, event.technology);
        }
        if event.place != Place::default() {
            keep_last(&mut self.place, at, event.place);
        }
        let arrival = event.arrival;
        if arrival.is_led() {
            keep_last(&mut self.last_arrival, at, arrival);
        }
        let is_first = self.first_arrival.is_none_or(|known| at < known.at);
        if is_first && arrival != Arrival::default() {
            self.first_arrival = Some(Said { at, what: arrival });
        }
    }

    /// True when an event would be the first that says what led to the customer.
    pub fn would_begin(&self, occurred_at: Timestamp, offset: u64) -> bool {
        let at = (occurred_at, offset);
        self.first_arrival.is_none_or(|known| at < known.at)
    }

    /// True when no earlier event can say anything of what is latest.
    pub fn knows_the_latest(&self) -> bool {
        self.technology.is_some() && self.place.is_some() && self.last_arrival.is_some()
    }

    /// Takes in what others say of what is latest.
    pub fn take_latest(&mut self, others: &Self) {
        if let Some(said) = others.technology {
            keep_last(&mut self.technology, said.at, said.what);
        }
        if let Some(said) = others.place {
            keep_last(&mut self.place, said.at, said.what);
        }
        if let Some(said) = others.last_arrival {
            keep_last(&mut self.last_arrival, said.at, said.what);
        }
    }

    /// The sessions.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Of the latest event that says anything of it.
    pub fn technology(&self) -> Technology {
        self.technology
            .map_or_else(Default::default, |said| said.what)
    }

    /// Of the latest event that says anything of it.
    pub fn place(&self) -> Place {
        self.place.map_or_else(Default::default, |said| said.what)
    }

    /// Of the earliest event that says anything of it.
    pub fn first_arrival(&self) -> Arrival {
        let said = self.first_arrival;
        said.map_or_else(Default::default, |said| said.what)
    }

    /// Of the latest event that a campaign or another site led to.
    pub fn last_arrival(&self) -> Arrival {
        let said = self.last_arrival;
        said.map_or_else(Default::default, |said| said.what)
    }
}

fn keep_last<T>(known: &mut Option<Said<T>>, at: (Timestamp, u64), what: T) {
    if known.as_ref().is_none_or(|known| known.at < at) {
        *known = Some(Said { at, what });
    }
}

/// Events with little silence between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Its first event.
    pub start: Timestamp,
    /// Its last event.
    pub end: Timestamp,
    /// Its events.
    pub events: u32,
}

impl Session {
    /// True when it had one event only.
    fn is_bounce(&self) -> bool {
        self.events == 1
    }

    /// From its first to its last event, in milliseconds.
    fn ms(&self) -> i64 {
        self.end.0 - self.start.0
    }
}

/// True when so much silence lies between two events that they are of two sessions.
fn is_silent(from: Timestamp, to: Timestamp, silence_ms: i64) -> bool {
    to.0.saturating_sub(from.0) >= silence_ms
}

/// Sessions that are kept as sums.
#[derive(Debug, Clone, Copy)]
struct Settled {
    first_start: Timestamp,
    last_end: Timestamp,
    sessions: u32,
    bounces: u32,
    ms: i64,
}

/// The sessions of one customer.
#[derive(Debug, Clone, Default)]
pub struct Sessions {
    settled: Option<Settled>,
    /// The latest, by time.
    latest: Vec<Session>,
}

impl Sessions {
    /// Puts an event in its place among the latest.
    fn put(&mut self, at: Timestamp, silence_ms: i64) {
        let silent = |from: Timestamp, to: Timestamp| is_silent(from, to, silence_ms);
        let place = self.latest.partition_point(|known| silent(known.end, at));
        let joins = |known: &&mut Session| !silent(at, known.start);
        let Some(session) = self.latest.get_mut(place).filter(joins) else {
            let session = Session {
                start: at,
                end: at,
                events: 1,
            };
            self.latest.insert(place, session);
            return;
        };
        session.start = session.start.min(at);
        session.end = session.end.max(at);
        session.events = session.events.saturating_add(1);
        let grown = *session;
        // It may reach to the next one now.
        if let Some(&next) = self.latest.get(place + 1)
            && !silent(grown.end, next.start)
        {
            self.latest[place] = Session {
                start: grown.start,
                end: next.end,
                events: grown.events.saturating_add(next.events),
            };
            self.latest.remove(place + 1);
        }
    }

    fn take(&mut self, at: Timestamp, silence_ms: i64) -> bool {
        let reaches = |sums: Settled| !is_silent(sums.last_end, at, silence_ms);
        if self.settled.is_some_and(reaches) {
            return false;
        }
        self.put(at, silence_ms);
        if self.latest.len() > KEPT {
            let oldest = self.latest.remove(0);
            self.settle(oldest);
        }
        true
    }

    fn settle(&mut self, session: Session) {
        let sums = self.settled.get_or_insert(Settled {
            first_start: session.start,
            last_end: session.end,
            sessions: 0,
            bounces: 0,
            ms: 0,
        });
        sums.last_end = session.end;
        sums.sessions += 1;
        sums.bounces += u32::from(session.is_bounce());
        sums.ms = sums.ms.saturating_add(session.ms());
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        let settled = self.settled.map_or(0, |sums| sums.sessions);
        u64::from(settled) + self.latest.len() as u64
    }

    /// How many had one event only.
    pub fn bounces(&self) -> u64 {
        let latest = self.latest.iter().filter(|known| known.is_bounce());
        u64::from(self.settled.map_or(0, |sums| sums.bounces)) + latest.count() as u64
    }

    /// From the first to the last event of each, together, in milliseconds.
    pub fn total_ms(&self) -> i64 {
        let latest = self.latest.iter().map(Session::ms);
        let settled = self.settled.map_or(0, |sums| sums.ms);
        latest.fold(settled, i64::saturating_add)
    }

    /// When the first one began.
    pub fn first_start(&self) -> Option<Timestamp> {
        let settled = self.settled.map(|sums| sums.first_start);
        settled.or_else(|| self.latest.first().map(|known| known.start))
    }

    /// The last one.
    pub fn last(&self) -> Option<Session> {
        self.latest.last().copied()
    }
}

/// How many are kept one by one depends on the order in which events came, and says nothing.
impl PartialEq for Sessions {
    fn eq(&self, other: &Self) -> bool {
        let all = |of: &Self| {
            (
                of.count(),
                of.bounces(),
                of.total_ms(),
                of.first_start(),
                of.last(),
            )
        };
        all(self) == all(other)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Milliseconds of silence that end a session.
    const SILENCE: i64 = 30;

    fn by_time(times: &[i64]) -> Sessions {
        let mut times = times.to_vec();
        times.sort_unstable();
        let mut sessions = Sessions::default();
        for at in times {
            assert!(sessions.take(Timestamp(at), SILENCE), "in order");
        }
        sessions
    }

    #[test]
    fn silence_ends_a_session_at_the_very_millisecond() {
        let sessions = by_time(&[0, 29, 58, 88, 200]);
        assert_eq!((sessions.count(), sessions.bounces()), (3, 2));
        assert_eq!(sessions.total_ms(), 58);
        assert_eq!(sessions.first_start(), Some(Timestamp(0)));
        let last = sessions.last().unwrap();
        assert_eq!((last.start, last.events), (Timestamp(200), 1));
        assert_eq!(Sessions::default().first_start(), None);
    }

    proptest! {
        #[test]
        fn what_comes_late_finds_its_place_or_is_refused(
            times in proptest::collection::vec(prop_oneof![0_i64..400, (0_i64..14).prop_map(|n| n * 30)], 0..24),
        ) {
            let mut sessions = Sessions::default();
            for (count, &at) in times.iter().enumerate() {
                if !sessions.take(Timestamp(at), SILENCE) {
                    let behind = by_time(&times[..count]).count() >= KEPT as u64;
                    prop_assert!(behind, "{at} was refused in {:?}", &times[..count]);
                    sessions = by_time(&times[..=count]);
                }
                prop_assert_eq!(&sessions, &by_time(&times[..=count]));
            }
        }

        #[test]
        fn where_each_session_is_kept_nothing_is_too_late(
            times in proptest::collection::vec(prop_oneof![0_i64..400, (0_i64..14).prop_map(|n| n * 30)], 0..24),
        ) {
            let (mut visits, mut all) = (Visits::default(), AllSessions::default());
            for (count, &at) in times.iter().enumerate() {
                visits.happened_among(&mut all, Timestamp(at), SILENCE);
                prop_assert_eq!(visits.sessions(), &by_time(&times[..=count]));
                prop_assert!(visits.sessions().latest.len() <= KEPT);
                prop_assert_eq!(all.end(), visits.sessions().last().map(|last| last.end));
                prop_assert_eq!(all.len() as u64, visits.sessions().count());
            }
        }

        #[test]
        fn what_is_said_is_the_same_in_whatever_order(
            said in proptest::collection::vec((0_i64..4, 0_u32..2, 0_u32..2, 0_u32..2), 0..8),
            turn in any::<prop::sample::Index>(),
        ) {
            let event = |(offset, &(at, device, source, page)): (usize, &(i64, u32, u32, u32))| VisitEvent {
                occurred_at: Timestamp(at),
                offset: offset as u64,
                technology: Technology { device: Symbol(device * (1 + offset as u32)), ..Technology::default() },
                place: Place { locale: Symbol(source * (1 + offset as u32)), ..Place::default() },
                arrival: Arrival { source: Symbol(source), page: Symbol(page), ..Arrival::default() },
            };
            let mut events: Vec<VisitEvent> = said.iter().enumerate().map(event).collect();
            let fold = |events: &[VisitEvent]| {
                let mut visits = Visits::default();
                events.iter().for_each(|event| visits.says(event));
                visits
            };
            let first = fold(&events);
            if !events.is_empty() {
                let middle = turn.index(events.len());
                events.rotate_left(middle);
            }
            prop_assert_eq!(&fold(&events), &first);
            events.reverse();
            prop_assert_eq!(&fold(&events), &first);
        }
    }
}
