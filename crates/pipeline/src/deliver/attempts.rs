//! The attempts of one delivery, one by one, from the marks that the log keeps.

use regulars_actions::{AttemptError, DeliveryId, Mark};
use regulars_store::Store;
use serde::Serialize;

use super::{Deliveries, no_delivery};
use crate::error::PipelineError;

/// What came of an attempt, or what else became of the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptResult {
    /// The receiver took it.
    Delivered,
    /// It failed; another follows.
    Failed,
    /// Given up.
    Dead,
    /// Became too old.
    Expired,
    /// Somebody asked for it again.
    Replayed,
}

/// An attempt that ended, or what else became of the delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptView {
    /// What came of it.
    pub result: AttemptResult,
    /// Which attempt since the last replay, from 1; `null` when nothing was tried.
    pub number: Option<u32>,
    /// When it began; `null` when nothing was tried.
    pub started_at: Option<String>,
    /// When it ended, or when the delivery was given up, expired or was replayed.
    pub ended_at: String,
    /// Milliseconds that it took.
    pub took_ms: Option<i64>,
    /// What the receiver answered when it took it.
    pub answered: Option<u16>,
    /// What went wrong, for programs.
    pub error: Option<AttemptError>,
    /// The same in words.
    pub error_text: Option<String>,
    /// When it is tried again.
    pub next_at: Option<String>,
}

/// The attempts of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptsView {
    /// Names the delivery.
    pub id: String,
    /// The earliest first, those before a replay too.
    pub attempts: Vec<AttemptView>,
}

impl AttemptView {
    fn of(mark: &Mark, delivery: &DeliveryId) -> Option<Self> {
        use AttemptResult::{Dead, Delivered, Expired, Failed, Replayed};
        let tried = |attempts: &u32, took_ms: &i64| Some((*attempts, *took_ms));
        let (mut answered, mut next_at) = (None, None);
        let (of, result, at, tried, error) = match mark {
            Mark::Delivered {
                delivery,
                at,
                attempts,
                took_ms,
                status,
            } => {
                answered = Some(*status);
                (delivery, Delivered, at, tried(attempts, took_ms), None)
            }
            Mark::Failed {
                delivery,
                at,
                attempts,
                took_ms,
                error,
                due_at,
            } => {
                next_at = Some(due_at.to_string());
                (delivery, Failed, at, tried(attempts, took_ms), Some(*error))
            }
            Mark::Dead {
                delivery,
                at,
                attempts,
                took_ms,
                error,
            } => {
                let tried = took_ms.and_then(|took_ms| tried(attempts, &took_ms));
                (delivery, Dead, at, tried, Some(*error))
            }
            Mark::Expired {
                delivery,
                at,
                attempts,
                took_ms,
                error,
            } => {
                let tried = took_ms.and_then(|took_ms| tried(attempts, &took_ms));
                (delivery, Expired, at, tried, *error)
            }
            Mark::Replayed { delivery, at } => (delivery, Replayed, at, None, None),
            Mark::Disabled { .. } | Mark::Enabled { .. } => return None,
        };
        (of == delivery).then(|| Self {
            result,
            number: tried.map(|(number, _)| number),
            started_at: tried.map(|(_, took_ms)| at.plus_ms(-took_ms).to_string()),
            ended_at: at.to_string(),
            took_ms: tried.map(|(_, took_ms)| took_ms),
            answered,
            error,
            error_text: error.map(|error| error.to_string()),
            next_at,
        })
    }
}

impl Deliveries {
    /// The attempts of a delivery that ended, and what else became of it: all that the log ever
    /// kept, and what it is still to keep.
    ///
    /// # Errors
    /// When there is no such delivery, or the log cannot be read.
    pub fn attempts(&self, store: &Store, id: &str) -> Result<AttemptsView, PipelineError> {
        let delivery: DeliveryId = id.parse().map_err(|_| no_delivery(id))?;
        // Before the log is read: what is noted meanwhile is in one of them at least.
        let (is_known, unwritten) = {
            let state = self.state();
            (state.outbox.get(&delivery).is_some(), state.marks.clone())
        };
        let mut marks: Vec<Mark> = Vec::new();
        let mut unreadable = None;
        let name = delivery.to_string();
        store.each_marks(|offset, json| {
            // Most have nothing to do with it.
            let mut places = json.windows(name.len());
            if !places.any(|place| place == name.as_bytes()) {
                return;
            }
            match serde_json::from_slice::<Vec<Mark>>(json) {
                Ok(read) => marks.extend(read),
                Err(error) => unreadable = Some(super::unreadable_marks(offset, &error)),
            }
        })?;
        if let Some(error) = unreadable {
            return Err(error);
        }
        for mark in unwritten {
            if !marks.contains(&mark) {
                marks.push(mark);
            }
        }
        let views = marks.iter();
        let views = views.filter_map(|mark| AttemptView::of(mark, &delivery));
        let attempts: Vec<AttemptView> = views.collect();
        if attempts.is_empty() && !is_known {
            return Err(no_delivery(id));
        }
        Ok(AttemptsView { id: name, attempts })
    }
}
