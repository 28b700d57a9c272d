//! Fitting: models on everything up to `now`, judged on a later period that they never saw.
//!
//! ```text
//!  first order        selection origin        origin               now
//!      ├── fit ──────────────┼── choose ─────────┤
//!      ├── fit ───────────────────────────────────┼── report ────────┤
//!      ├── fit ─────────────────────────────────────────────────────┤  in use
//! ```
//!
//! Each use (orders, churn, value) has its own deciding figure, and with it its own choice. What is
//! reported was never used to choose. Each period is folded at its own origin, so that nothing that
//! became known later (a refund, a cancellation) leaks into it.
//!
//! A shop may be too young for a period, or for any fit: it is told so, and has all the rest.

mod origins;
mod seen;

mod fit;

mod choose;
mod judge;

mod warnings;

use regulars_core::Timestamp;
use regulars_profile::Uses;
use regulars_stats::Parallelism;
use regulars_store::Store;
use regulars_store::log::{LogRecord, ModelsFitted};
use regulars_store::manifest::Family;

use crate::base::{Base, FoldOptions, Scoring};
use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::error::PipelineError;
use crate::fitted::{FittedModels, Holdout, Judged};
use crate::progress::{Progress, Unit};
use fit::Fits;
use judge::Period;
use origins::Origins;
use seen::Seen;

/// How to fit.
#[derive(Debug, Clone, Copy)]
pub struct ScoreOptions {
    /// The moment.
    pub now: Timestamp,
    /// Where the holdout begins (the end of that day); by default `models.holdout_share` of the
    /// span before `now`.
    pub holdout_from: Option<Timestamp>,
    /// When the fit happens, for the log.
    pub recorded_at: Timestamp,
    /// Threads to use; never affects the result.
    pub threads: usize,
}

/// Fits, chooses, judges, and writes the result to the log; returns everyone, scored.
///
/// # Errors
/// When there are no orders, `holdout_from` leaves too little on one of its sides, or the store
/// cannot be read or written.
pub fn score(
    store: &mut Store,
    config: &Config,
    catalogue: &Catalogue,
    options: ScoreOptions,
    progress: &dyn Progress,
) -> Result<Base, PipelineError> {
    let fold = |now| {
        let fold = FoldOptions {
            scoring: Scoring::None,
            ..FoldOptions::at(now, options.threads)
        };
        Base::fold(store, config, catalogue, fold, progress)
    };
    let mut base = fold(options.now)?;
    let first = base
        .context
        .population
        .first_order_at
        .ok_or_else(|| no_orders(store, config, &base))?;
    let models = config.settings().models;
    let origins = Origins::of(
        (first, options.now),
        options.holdout_from,
        models.holdout_share,
        &config.zone(),
    )?;
    let at_origin = origins.report.map(fold).transpose()?;
    let at_selection = origins.selection.map(fold).transpose()?;

    progress.begin("fitting", 3, Unit::Steps);
    let threads = Parallelism::threads(options.threads);
    let seen = Seen::of(&base, None, threads);
    let now = Fits::of(&seen, &choose::kinds(models.purchase), threads);
    progress.advance(1);
    let period = |known: Option<&Base>, later: Option<&Base>| {
        let fitted = !now.purchase.is_empty();
        let (known, later) = known.zip(later).filter(|_| fitted)?;
        Some(Period::new(known, later, &now.kinds(), threads))
    };
    // An earlier period that cannot be fitted is as good as none.
    let earlier = period(at_selection.as_ref(), at_origin.as_ref()).and_then(Result::ok);
    progress.advance(2);
    let (report, problem) = match period(at_origin.as_ref(), Some(&base)) {
        Some(Ok(report)) => (Some(report), None),
        Some(Err(problem)) => (None, Some(problem)),
        None => (None, None),
    };
    progress.advance(3);

    let (chosen, choice) = choose::choose(models.purchase, &now, earlier.as_ref(), threads)?;
    let holdout = report
        .as_ref()
        .zip(chosen)
        .map(|(report, chosen)| report.judge(chosen, threads))
        .transpose()?;
    let mut fitted = FittedModels {
        as_of: options.now,
        unit: models.unit,
        grain: models.grain,
        histories: now.counts,
        purchase: now.purchase,
        chosen,
        choice,
        spend: now.spend,
        uses: uses(holdout.as_ref()),
        holdout,
        warnings: now.problems,
    };
    let more = warnings::of(&fitted, problem.as_deref());
    fitted.warnings.extend(more);
    store.record(LogRecord::ModelsFitted(ModelsFitted {
        as_of: options.now,
        recorded_at: options.recorded_at,
        body: serde_json::to_value(&fitted).expect("a fit is plain data"),
    }))?;
    base.score_with(fitted, options.threads);
    Ok(base)
}

/// Why there are no orders that count.
fn no_orders(store: &Store, config: &Config, base: &Base) -> PipelineError {
    let then = no_orders_then(store, config, base.now);
    then.unwrap_or(match base.oddities.orders_not_counted {
        0 => PipelineError::NoOrders,
        orders => PipelineError::NoOrderCounts { orders },
    })
}

/// The error that all orders of files are later than `now`, if they are.
pub fn no_orders_then(store: &Store, config: &Config, now: Timestamp) -> Option<PipelineError> {
    let (first, _) = store.history().summary(Family::Orders).span?;
    (first > now).then(|| PipelineError::NoOrdersThen {
        as_of: now,
        first: config.zone().date_of(first),
    })
}

/// A use falls out only by losing its own deciding figure; what could not be judged stays.
fn uses(holdout: Option<&Holdout>) -> Uses {
    let wins = |judged: Option<&Judged>| judged.is_none_or(|judged| !judged.is_lost());
    Uses {
        orders: wins(holdout.map(|holdout| &holdout.orders)),
        churn: wins(holdout.map(|holdout| &holdout.churn)),
        value: wins(holdout.and_then(|holdout| holdout.value.as_ref())),
    }
}
