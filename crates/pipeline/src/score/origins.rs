//! Where the periods begin on which models are chosen and judged.

use regulars_core::{CivilDate, Timestamp, Zone};

use crate::error::PipelineError;

/// Shorter periods say nothing about a model.
const LEAST_PERIOD_DAYS: i32 = 14;

/// Origins are ends of days, as an `--as-of` of a bare date is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Origins {
    /// Of the period that is reported; `None` with too short a history.
    pub(super) report: Option<Timestamp>,
    /// Of the earlier one on which models are chosen.
    pub(super) selection: Option<Timestamp>,
}

impl Origins {
    /// With `holdout_from`, or so that `share` of the time from `first` order to `now` is held out.
    ///
    /// # Errors
    /// When `holdout_from` leaves too little on one of its sides.
    pub(super) fn of(
        (first, now): (Timestamp, Timestamp),
        holdout_from: Option<Timestamp>,
        share: f64,
        zone: &Zone,
    ) -> Result<Self, PipelineError> {
        let (first, today) = (zone.date_of(first).0, zone.date_of(now).0);
        let (earliest, latest) = (first + LEAST_PERIOD_DAYS, today - LEAST_PERIOD_DAYS);
        let report = match holdout_from {
            None => today - (f64::from(today - first) * share).round() as i32,
            Some(given) => {
                let given = zone.date_of(given);
                if !(earliest..=latest).contains(&given.0) {
                    return Err(out_of_range(given, earliest, latest));
                }
                given.0
            }
        };
        let report = (earliest..=latest).contains(&report).then_some(report);
        let selection = report.and_then(|report| {
            let length = (today - report).min((report - first) / 2);
            let origin = report - length;
            (origin >= earliest && length >= LEAST_PERIOD_DAYS).then_some(origin)
        });
        let end = |date: i32| zone.end_of(CivilDate(date));
        Ok(Self {
            report: report.map(end),
            selection: selection.map(end),
        })
    }
}

fn out_of_range(given: CivilDate, earliest: i32, latest: i32) -> PipelineError {
    let valid = if earliest <= latest {
        format!(
            "use a day from {} to {}, which leaves {LEAST_PERIOD_DAYS} days on both sides",
            CivilDate(earliest),
            CivilDate(latest)
        )
    } else {
        format!(
            "there are not {} days from the first order to now, {LEAST_PERIOD_DAYS} on both sides",
            2 * LEAST_PERIOD_DAYS
        )
    };
    PipelineError::HoldoutOutOfRange {
        given: given.to_string(),
        valid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> Zone {
        Zone::named("Europe/Berlin").unwrap()
    }

    fn at(text: &str) -> Timestamp {
        zone().parse_instant(text).unwrap()
    }

    fn origins(now: &str, holdout_from: Option<&str>) -> Result<Origins, PipelineError> {
        let span = (at("2025-01-01T09:00:00Z"), at(now));
        Origins::of(span, holdout_from.map(at), 0.25, &zone())
    }

    #[test]
    fn a_quarter_is_held_out_and_chosen_on_the_quarter_before() {
        let found = origins("2025-12-31", None).unwrap();
        assert_eq!(found.report, Some(at("2025-10-01")));
        assert_eq!(found.selection, Some(at("2025-07-02")));
    }

    #[test]
    fn a_short_history_has_no_period() {
        let found = origins("2025-01-27", None).unwrap();
        assert_eq!((found.report, found.selection), (None, None));
        let found = origins("2025-03-01", None).unwrap();
        assert_eq!(found.report, Some(at("2025-02-14")));
        assert_eq!(found.selection, Some(at("2025-01-30")));
    }

    #[test]
    fn a_day_that_was_asked_for_is_its_end_and_must_leave_enough() {
        let found = origins("2025-12-31", Some("2025-11-30T04:00:00Z")).unwrap();
        assert_eq!(found.report, Some(at("2025-11-30")));
        for out in ["2024-12-31", "2025-01-14", "2025-12-18", "2026-03-01"] {
            let error = origins("2025-12-31", Some(out)).unwrap_err().to_string();
            assert!(error.contains("from 2025-01-15 to 2025-12-17"), "{error}");
        }
        let error = origins("2025-01-20", Some("2025-01-10")).unwrap_err();
        assert!(error.to_string().contains("not 28 days"), "{error}");
    }
}
