//! The limits that depend on everyone, as they are computed at a moment and kept in the log: for the
//! day, until files are imported or the settings say that they are computed otherwise.

use regulars_core::{Settings, Timestamp, Zone};
use regulars_profile::{Context, Population, Profile, RfmCutpoints, TierCutpoints};
use regulars_stats::rfm::{Better, Cutpoints, median_of};
use regulars_store::Store;
use regulars_store::log::{CutpointsSet, LogRecord, LogRecordKind};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::PipelineError;

use super::{Values, in_shares, tiers, usual_gap_days};

/// What is computed over everyone at one moment, but for which data there is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Limits {
    /// The moment.
    pub(crate) as_of: Timestamp,
    /// The settings that they were computed by, as JSON.
    settings: serde_json::Value,
    first_order_at: Option<Timestamp>,
    usual_gap_days: Option<f64>,
    rfm: Option<RfmCutpoints>,
    tiers: Option<TierCutpoints>,
    median_order_value_minor: Option<i64>,
}

impl Limits {
    /// Computes those of customers at `now` on `threads` threads; who has no order does not count.
    pub(crate) fn of(
        profiles: &[&Profile],
        context: &Context,
        now: Timestamp,
        threads: usize,
    ) -> Self {
        let parts = in_shares(profiles, threads, |share| Values::of(share, context, now));
        let values = Values::together(parts);
        let settings = &context.settings;
        let mut limits = Self {
            as_of: now,
            settings: settings_of(settings, &context.zone),
            first_order_at: values.first_order_at,
            usual_gap_days: None,
            rfm: None,
            tiers: None,
            median_order_value_minor: None,
        };
        if values.first_order_at.is_none() {
            return limits;
        }
        let cutpoints = |values: Vec<i64>| Cutpoints::of(values, Better::Larger);
        limits.usual_gap_days = usual_gap_days(profiles, &values.gaps, context, threads);
        std::thread::scope(|scope| {
            let recency = scope.spawn(|| cutpoints(values.last_days));
            let frequency = scope.spawn(|| cutpoints(values.orders));
            let monetary = scope.spawn(|| cutpoints(values.revenues));
            limits.tiers = tiers(values.window_revenues, settings);
            // A half between two amounts is rounded up: at or above the median means above a half.
            limits.median_order_value_minor =
                median_of(values.order_values).map(|median| median.ceil() as i64);
            let sorted = "sorting numbers does not panic";
            limits.rfm = Some(RfmCutpoints {
                recency: recency.join().expect(sorted),
                frequency: frequency.join().expect(sorted),
                monetary: monetary.join().expect(sorted),
            });
        });
        limits
    }

    /// Those of the log that hold at `now`: of records before an offset those that were computed
    /// last, but not after `now`, unless a day ended since, or files were imported, or the settings
    /// or the time zone are others.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) fn in_force(
        store: &Store,
        before: u64,
        (settings, zone): (&Settings, &Zone),
        now: Timestamp,
    ) -> Result<Option<Self>, PipelineError> {
        if store.latest(LogRecordKind::CutpointsSet)?.is_none() {
            return Ok(None);
        }
        let mut found: Option<CutpointsSet> = None;
        store.each_record(|offset, record| match record {
            LogRecord::ImportAdded(_) => found = None,
            LogRecord::CutpointsSet(set)
                if offset < before
                    && set.as_of <= now
                    && found.as_ref().is_none_or(|found| found.as_of <= set.as_of) =>
            {
                found = Some(set);
            }
            _ => {}
        })?;
        let found = found.filter(|set| zone.date_of(set.as_of) == zone.date_of(now));
        let limits = found.as_ref().and_then(Self::of_record);
        Ok(limits.filter(|limits| limits.are_by(settings, zone)))
    }

    /// As a record holds them; `None` when another version wrote it.
    pub(crate) fn of_record(set: &CutpointsSet) -> Option<Self> {
        serde_json::from_value(set.body.clone()).ok()
    }

    /// To be recorded.
    pub(crate) fn into_record(self, recorded_at: Timestamp) -> LogRecord {
        LogRecord::CutpointsSet(CutpointsSet {
            as_of: self.as_of,
            recorded_at,
            body: serde_json::to_value(self).expect("limits are numbers under text keys"),
        })
    }

    /// Those that everyone is seen against.
    pub(crate) fn of_context(context: &Context, as_of: Timestamp) -> Self {
        let population = &context.population;
        Self {
            as_of,
            settings: settings_of(&context.settings, &context.zone),
            first_order_at: population.first_order_at,
            usual_gap_days: population.usual_gap_days,
            rfm: population.rfm.clone(),
            tiers: population.tiers,
            median_order_value_minor: population.median_order_value_minor,
        }
    }

    /// Whether these settings and this time zone would compute them from the same values alike.
    pub(crate) fn are_by(&self, settings: &Settings, zone: &Zone) -> bool {
        self.settings == settings_of(settings, zone)
    }

    /// Everyone is seen against these from now on.
    pub(crate) fn put_into(self, population: &mut Population) {
        population.limits_as_of = Some(self.as_of);
        population.usual_gap_days = self.usual_gap_days;
        population.rfm = self.rfm;
        population.tiers = self.tiers;
        population.median_order_value_minor = self.median_order_value_minor;
        population.span(self.first_order_at, self.as_of);
    }
}

/// What decides how limits are computed.
fn settings_of(settings: &Settings, zone: &Zone) -> serde_json::Value {
    json!({
        "time_zone": zone.name(),
        "usual_range_quantile": settings.lifecycle.usual_range_quantile,
        "value": settings.value,
    })
}
