//! Limits that depend on everyone, on the live path: computed once a day.
//!
//! ```text
//! midnight ─► limits of everyone (folder) ─► a record of the log (writer) ─► everyone is looked at
//! ```
//!
//! From their record on everyone is seen against them, here and by whoever folds the history on the
//! same day; a start sees everyone as before. Where a day ended since, files were imported or the
//! settings are others, a start computes them anew.

use regulars_core::{Cause, Timestamp};
use regulars_profile::{Context, Profile};
use regulars_store::log::{CutpointsSet, LogRecord};

use super::engine::Engine;
use crate::population::Limits;

impl Engine {
    /// When limits are to be computed next: at the end of the day of the last ones, or at once.
    pub fn limits_due_at(&self) -> Timestamp {
        let zone = &self.context.zone;
        let in_force = self.context.population.limits_as_of;
        let last = in_force.max(self.limits_computed);
        last.map_or(Timestamp::MIN, |last| {
            zone.end_of(zone.date_of(last)).plus_ms(1)
        })
    }

    /// The limits as of now, to be recorded, once those in force are of an earlier day and nothing
    /// is due that came before; until then, and again until the next day, `None`.
    pub fn due_limits(&mut self) -> Option<LogRecord> {
        if self.now < self.limits_due_at() || self.is_behind() || self.is_sweeping() {
            return None;
        }
        let people = self.people.values();
        let customers = people.filter(|person| person.is_customer());
        let profiles: Vec<&Profile> = customers.map(|person| &person.member.profile).collect();
        let limits = Limits::of(&profiles, &self.context, self.now, self.threads);
        self.limits_computed = Some(self.now);
        Some(limits.into_record(self.now))
    }

    /// True while limits are due, or on their way into the log.
    pub(in crate::live) fn awaits_limits(&self) -> bool {
        let in_force = self.context.population.limits_as_of;
        self.now >= self.limits_due_at() || self.limits_computed > in_force
    }

    /// Takes limits that the log has into force, and begins to look at everyone if they are others.
    pub(super) fn take_limits(&mut self, set: &CutpointsSet) {
        let Some(limits) = Limits::of_record(set) else {
            return;
        };
        let Context {
            settings,
            zone,
            population: before,
            ..
        } = &mut self.context;
        if !limits.are_by(settings, zone) || Some(limits.as_of) < before.limits_as_of {
            return;
        }
        before.limits_as_of = Some(limits.as_of);
        let mut population = before.clone();
        limits.put_into(&mut population);
        self.now = self.now.max(set.recorded_at);
        if population != self.context.population {
            self.look_anew(Cause::Models, |engine| {
                engine.context.population = population;
            });
        }
    }
}
