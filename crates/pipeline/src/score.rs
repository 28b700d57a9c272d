//! Fitting: models on everything up to `now`, judged on a later period that they never saw.
//!
//! ```text
//!  first order        selection origin        origin               now
//!      ├── fit ──────────────┼── choose by MAE ──┤
//!      ├── fit ───────────────────────────────────┼── report ────────┤
//!      ├── fit ─────────────────────────────────────────────────────┤  in use
//! ```
//!
//! What is reported was never used to choose. Each period is folded at its own origin, so that
//! nothing that became known later (a refund, a cancellation) leaks into it.

use regulars_core::{DAY_MS, Grain, PurchaseModelChoice, Timestamp, Zone};
use regulars_profile::{PurchaseHistory, Uses};
use regulars_stats::purchase::{
    GroupedSummaries, PurchaseKind, PurchaseModel, PurchaseSummary, fit_purchase_or_nbd,
};
use regulars_stats::spend::{GammaGamma, GroupedSpend, SpendSummary};
use regulars_stats::validate::{
    CalibrationBin, Candidate, Comparison, Deciding, Role, Scale, calibration, compare, order_rate,
    recency, spend_rate,
};
use regulars_stats::{Convergence, FitOptions, Parallelism};
use regulars_store::Store;
use regulars_store::log::{LogRecord, ModelsFitted};

use crate::base::{Base, FoldOptions, Scoring};
use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::error::PipelineError;
use crate::fitted::{Choice, FittedModels, Holdout, Judged, PurchaseFitted, SpendFitted};
use crate::progress::{Progress, Unit};

/// How to fit.
#[derive(Debug, Clone, Copy)]
pub struct ScoreOptions {
    /// The moment.
    pub now: Timestamp,
    /// Where the holdout begins; by default `models.holdout_share` of the span before `now`.
    pub holdout_from: Option<Timestamp>,
    /// When the fit happens, for the log.
    pub recorded_at: Timestamp,
    /// Threads to use; never affects the result.
    pub threads: usize,
}

/// Shorter periods say nothing about a model.
const LEAST_PERIOD_DAYS: i64 = 14;

/// Fits, chooses, judges, and writes the result to the log; returns everyone, scored.
///
/// # Errors
/// When there is nothing to fit on, or the store cannot be read or written.
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
        .ok_or(PipelineError::NoOrders)?;
    let origins = Origins::of(first, config, options);
    let at_origin = origins.report.map(fold).transpose()?;
    let at_selection = origins.selection.map(fold).transpose()?;
    progress.begin("fitting", 3, Unit::Steps);
    let fitter = Fitter {
        config,
        threads: options.threads,
    };

    let earlier = at_selection.as_ref().zip(at_origin.as_ref());
    let earlier = earlier
        .map(|(known, later)| fitter.period(known, later))
        .transpose()?;
    progress.advance(1);
    let report = at_origin
        .as_ref()
        .map(|known| fitter.period(known, &base))
        .transpose()?;
    progress.advance(2);
    let now = fitter.fit(&Seen::of(&base, config))?;
    progress.advance(3);

    let (chosen, choice) = fitter.choose(&now, earlier.as_ref())?;
    let holdout = report
        .map(|period| period.judge(chosen, config))
        .transpose()?;
    let fitted = fitter.conclude(options.now, now, (chosen, choice), holdout);
    store.record(LogRecord::ModelsFitted(ModelsFitted {
        as_of: options.now,
        recorded_at: options.recorded_at,
        body: serde_json::to_value(&fitted).expect("a fit is plain data"),
    }))?;
    base.score_with(fitted, options.threads);
    Ok(base)
}

/// Where the periods begin.
struct Origins {
    report: Option<Timestamp>,
    selection: Option<Timestamp>,
}

impl Origins {
    fn of(first: Timestamp, config: &Config, options: ScoreOptions) -> Self {
        let span = options.now.0 - first.0;
        let share = config.settings().models.holdout_share;
        let zone = config.zone();
        // Origins are ends of days, as an `--as-of` of a bare date is.
        let end_of_day = |at: Timestamp| zone.end_of(zone.date_of(at));
        let by_share = || end_of_day(Timestamp(options.now.0 - (span as f64 * share) as i64));
        let long_enough =
            |from: Timestamp, to: Timestamp| to.0 - from.0 >= LEAST_PERIOD_DAYS * DAY_MS;
        let report = options.holdout_from.unwrap_or_else(by_share);
        let report =
            (long_enough(first, report) && long_enough(report, options.now)).then_some(report);
        let selection = report.and_then(|report| {
            let length = (options.now.0 - report.0).min((report.0 - first.0) / 2);
            let origin = end_of_day(report.plus_ms(-length));
            (long_enough(first, origin) && long_enough(origin, report)).then_some(origin)
        });
        Self { report, selection }
    }
}

/// What the models see of everyone at one moment, sorted by content so that the order of
/// customers changes no sum.
struct Seen {
    rows: Vec<SeenRow>,
}

/// One customer as the models see them.
#[derive(Debug, Clone, Copy)]
struct SeenRow {
    history: PurchaseSummary,
    /// Mean of the repeat purchases, in major units.
    mean_spend: Option<f64>,
    /// Net revenue so far, in major units.
    past_spend: f64,
    /// Grains with an order in the later period.
    later_orders: u32,
    /// True when there was an order within the churn horizon.
    ordered_in_horizon: bool,
    /// Net revenue of the later period, in major units.
    later_spend: f64,
}

impl Seen {
    fn of(known: &Base, config: &Config) -> Self {
        Self::with_later(known, None, config)
    }

    /// Everyone who had ordered by `known.now`, with what they did until `later.now`.
    fn with_later(known: &Base, later: Option<&Base>, config: &Config) -> Self {
        let settings = config.settings();
        let grains = (settings.models.unit, settings.models.grain);
        let context = &known.context;
        let today = context.date_of(known.now);
        let major = config.workspace.currency.minor_per_major() as f64;
        let horizon = known
            .now
            .plus_ms(i64::from(settings.churn.horizon_days) * DAY_MS);
        let mut rows = Vec::new();
        for folded in &known.customers {
            let profile = &folded.profile;
            let Some(history) = PurchaseHistory::of(&profile.orders, &context.zone, grains, today)
            else {
                continue;
            };
            let after = later.and_then(|later| {
                let index = later.position(profile.customer)?;
                Some((later.now, &later.customers[index]))
            });
            let orders = after.map_or(&[][..], |(end, folded)| {
                folded.profile.orders_within(known.now, end)
            });
            let first = profile.first_order_at().unwrap_or(known.now);
            rows.push(SeenRow {
                history: history.summary(),
                mean_spend: history.mean_spend_minor().map(|mean| mean / major),
                past_spend: profile.revenue_minor as f64 / major,
                later_orders: grains_of(
                    orders.iter().map(|order| order.occurred_at),
                    first,
                    &context.zone,
                    settings.models.grain,
                ),
                ordered_in_horizon: orders.iter().any(|order| order.occurred_at <= horizon),
                later_spend: orders.iter().map(|order| order.net_minor).sum::<i64>() as f64 / major,
            });
        }
        rows.sort_by(|a, b| {
            let key = |row: &SeenRow| (row.history.x, row.later_orders, row.ordered_in_horizon);
            key(a)
                .cmp(&key(b))
                .then_with(|| a.history.t.total_cmp(&b.history.t))
                .then_with(|| a.history.t_x.total_cmp(&b.history.t_x))
                .then_with(|| a.past_spend.total_cmp(&b.past_spend))
                .then_with(|| a.later_spend.total_cmp(&b.later_spend))
                .then_with(|| {
                    a.mean_spend
                        .unwrap_or(-1.0)
                        .total_cmp(&b.mean_spend.unwrap_or(-1.0))
                })
        });
        Self { rows }
    }

    fn histories(&self) -> Vec<PurchaseSummary> {
        self.rows.iter().map(|row| row.history).collect()
    }

    fn spends(&self) -> Vec<SpendSummary> {
        let spend = |row: &SeenRow| SpendSummary {
            x: row.history.x,
            mean: row.mean_spend.unwrap_or(0.0),
        };
        self.rows.iter().map(spend).collect()
    }
}

/// Number of different grains of the given orders, counted from the customer's first order.
fn grains_of(
    orders: impl Iterator<Item = Timestamp>,
    first: Timestamp,
    zone: &Zone,
    grain: Grain,
) -> u32 {
    let days = match grain {
        Grain::Day => 1,
        Grain::Week => 7,
    };
    let first = zone.date_of(first).0;
    let (mut count, mut last) = (0, None);
    for at in orders {
        let this = (zone.date_of(at).0 - first).div_euclid(days);
        count += u32::from(last != Some(this));
        last = Some(this);
    }
    count
}

/// Fits of every model to one view of the customers.
struct Fits {
    grouped: GroupedSummaries,
    purchase: Vec<PurchaseFitted>,
    spend: Option<SpendFitted>,
}

impl Fits {
    fn of_kind(&self, kind: PurchaseKind) -> Option<&PurchaseFitted> {
        self.purchase.iter().find(|fitted| fitted.kind == kind)
    }
}

struct Fitter<'a> {
    config: &'a Config,
    threads: usize,
}

impl Fitter<'_> {
    fn kinds(&self) -> Vec<PurchaseKind> {
        match self.config.settings().models.purchase {
            PurchaseModelChoice::Auto => PurchaseKind::WITH_DROPOUT.to_vec(),
            PurchaseModelChoice::BgNbd => vec![PurchaseKind::BgNbd],
            PurchaseModelChoice::MbgNbd => vec![PurchaseKind::MbgNbd],
            PurchaseModelChoice::ParetoNbd => vec![PurchaseKind::ParetoNbd],
        }
    }

    fn fit(&self, seen: &Seen) -> Result<Fits, PipelineError> {
        let options = FitOptions {
            parallelism: Parallelism::threads(self.threads),
            ..FitOptions::default()
        };
        let grouped = GroupedSummaries::new(&seen.histories())?;
        let mut purchase = Vec::new();
        for kind in self.kinds() {
            let fit = fit_purchase_or_nbd(kind, &grouped, &options)?;
            purchase.push(PurchaseFitted {
                kind,
                replaced_by_nbd: fit.replaced.is_some(),
                fit: fit.fitted,
            });
        }
        let spend = match GroupedSpend::new(&seen.spends()) {
            Ok(groups) => Some(SpendFitted {
                fit: GammaGamma::fit(&groups, &options)?,
                counts: *groups.counts(),
            }),
            // Without repeat orders there is nothing to learn about spend; the report says so.
            Err(_) => None,
        };
        Ok(Fits {
            grouped,
            purchase,
            spend,
        })
    }

    fn period(&self, known: &Base, later: &Base) -> Result<Period, PipelineError> {
        let seen = Seen::with_later(known, Some(later), self.config);
        let fits = self.fit(&seen)?;
        Ok(Period {
            seen,
            fits,
            origin: known.now,
            end: later.now,
        })
    }

    fn choose(
        &self,
        now: &Fits,
        earlier: Option<&Period>,
    ) -> Result<(PurchaseKind, Choice), PipelineError> {
        if self.config.settings().models.purchase != PurchaseModelChoice::Auto {
            return Ok((self.kinds()[0], Choice::Settings));
        }
        let usable = |kind: PurchaseKind| {
            now.of_kind(kind)
                .is_some_and(|f| f.fit.convergence != Convergence::NotConverged)
        };
        let Some(period) = earlier else {
            let kinds = self.kinds();
            let first = kinds
                .iter()
                .copied()
                .find(|&kind| usable(kind))
                .unwrap_or(kinds[0]);
            return Ok((first, Choice::ShortHistory));
        };
        let errors = period.mean_absolute_errors(self.config)?;
        let best = errors
            .iter()
            .filter(|(kind, _)| usable(*kind))
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map_or(PurchaseKind::BgNbd, |(kind, _)| *kind);
        let choice = Choice::EarlierHoldout {
            origin: period.origin,
            end: period.end,
            mean_absolute_error: errors,
        };
        Ok((best, choice))
    }

    fn conclude(
        &self,
        now: Timestamp,
        fits: Fits,
        (chosen, choice): (PurchaseKind, Choice),
        holdout: Option<Holdout>,
    ) -> FittedModels {
        let wins = |judged: &Judged| !judged.is_lost();
        let uses = Uses {
            orders: holdout.as_ref().is_none_or(|h| wins(&h.orders)),
            churn: holdout.as_ref().is_none_or(|h| wins(&h.churn)),
            value: holdout
                .as_ref()
                .is_none_or(|h| h.value.as_ref().is_none_or(wins)),
        };
        let settings = self.config.settings();
        let mut fitted = FittedModels {
            as_of: now,
            unit: settings.models.unit,
            grain: settings.models.grain,
            histories: *fits.grouped.counts(),
            purchase: fits.purchase,
            chosen,
            choice,
            spend: fits.spend,
            holdout,
            uses,
            warnings: Vec::new(),
        };
        fitted.warnings = warnings(&fitted);
        fitted
    }
}

/// What a reader of the fit must know.
fn warnings(fitted: &FittedModels) -> Vec<String> {
    let mut warnings = Vec::new();
    for purchase in &fitted.purchase {
        let name = purchase.kind.name();
        if purchase.replaced_by_nbd {
            warnings.push(format!(
                "{name} found no dropout to tell apart from none (a parameter ran to its \
                 boundary): NBD without dropout is used in its place"
            ));
        }
        match &purchase.fit.convergence {
            Convergence::Converged => {}
            other => warnings.push(format!("{name}: the search ended with {other:?}")),
        }
    }
    match &fitted.spend {
        None => warnings.push(
            "no customer has repeat orders with a value above 0: there is no spend model and no CLV"
                .to_owned(),
        ),
        Some(spend) => {
            if spend.counts.not_positive > 0 {
                warnings.push(format!(
                    "{} customers with repeat orders worth 0 or less are not in the spend model",
                    spend.counts.not_positive
                ));
            }
            if let Some(r) = spend.counts.correlation.filter(|r| r.abs() > 0.3) {
                warnings.push(format!(
                    "orders and order value correlate ({r:.2}): the spend model assumes that they do not"
                ));
            }
            if spend.fit.model.q <= 1.0 {
                warnings.push(
                    "the spend model has an infinite mean (q ≤ 1): customers without repeat \
                     orders have no CLV"
                        .to_owned(),
                );
            }
        }
    }
    match &fitted.holdout {
        None => warnings.push(
            "the history is too short to hold a part of it out: the models are not validated"
                .to_owned(),
        ),
        Some(holdout) => {
            for (what, used) in [
                ("orders", fitted.uses.orders),
                ("churn", fitted.uses.churn),
                ("value", fitted.uses.value),
            ] {
                if !used {
                    warnings.push(format!(
                        "a naive baseline was better at {what} over the {:.0} days held out: the \
                         model is not used for it",
                        holdout.days
                    ));
                }
            }
        }
    }
    warnings
}

/// Models fitted at an origin, with what happened after it.
struct Period {
    seen: Seen,
    fits: Fits,
    origin: Timestamp,
    end: Timestamp,
}

impl Period {
    fn days(&self) -> f64 {
        (self.end.0 - self.origin.0) as f64 / DAY_MS as f64
    }

    fn expected_orders(&self, model: &PurchaseModel, horizon: f64) -> Vec<f64> {
        self.seen
            .rows
            .iter()
            .map(|row| model.expected_orders(row.history, horizon))
            .collect()
    }

    fn actual_orders(&self) -> Vec<f64> {
        self.seen
            .rows
            .iter()
            .map(|row| f64::from(row.later_orders))
            .collect()
    }

    fn mean_absolute_errors(
        &self,
        config: &Config,
    ) -> Result<Vec<(PurchaseKind, f64)>, PipelineError> {
        let orders = self.orders_comparison(config)?;
        let error = |fitted: &PurchaseFitted| {
            let row = orders
                .rows
                .iter()
                .find(|row| row.name == fitted.kind.name())?;
            Some((fitted.kind, row.metrics.mae?))
        };
        Ok(self.fits.purchase.iter().filter_map(error).collect())
    }

    fn orders_comparison(&self, config: &Config) -> Result<Comparison, PipelineError> {
        let horizon = self.days() / config.settings().models.unit.days();
        let histories = self.seen.histories();
        let mut candidates: Vec<Candidate> = self
            .fits
            .purchase
            .iter()
            .map(|fitted| Candidate {
                name: fitted.kind.name().to_owned(),
                role: Role::Model,
                scale: Scale::Quantity,
                predicted: self.expected_orders(&fitted.fit.model, horizon),
            })
            .collect();
        candidates.push(baseline(
            "rate x time",
            Scale::Quantity,
            order_rate(&histories, horizon),
        ));
        candidates.push(baseline("recency", Scale::RankOnly, recency(&histories)));
        Ok(compare(
            Deciding::Orders,
            &candidates,
            &self.actual_orders(),
        )?)
    }

    /// Judges the chosen model beside the others and the baselines.
    fn judge(&self, chosen: PurchaseKind, config: &Config) -> Result<Holdout, PipelineError> {
        let settings = config.settings();
        let unit_days = settings.models.unit.days();
        let model_name = chosen.name();
        let judged = |comparison: Comparison, name: &str| {
            let row = comparison.rows.iter().find(|row| row.name == name);
            let lost = row.map(|row| comparison.lost_by(row)).unwrap_or_default();
            Judged { comparison, lost }
        };
        let fitted = self
            .fits
            .of_kind(chosen)
            .expect("every kind is fitted in every period");
        let model = &fitted.fit.model;
        let orders = self.orders_comparison(config)?;
        let expected = self.expected_orders(model, self.days() / unit_days);
        let churn_days = self.days().min(f64::from(settings.churn.horizon_days));
        let (churn, churn_calibration) = self.judge_churn(chosen, churn_days / unit_days)?;
        let value = self.judge_value(&expected, unit_days, model_name)?;
        Ok(Holdout {
            origin: self.origin,
            end: self.end,
            days: self.days(),
            customers: self.seen.rows.len() as u64,
            orders: judged(orders, model_name),
            churn: judged(churn, model_name),
            churn_days,
            value: value.map(|value| judged(value, &spend_name(model_name))),
            orders_calibration: calibration(&expected, &self.actual_orders(), 10)?,
            churn_calibration,
        })
    }

    fn judge_churn(
        &self,
        chosen: PurchaseKind,
        horizon: f64,
    ) -> Result<(Comparison, Vec<CalibrationBin>), PipelineError> {
        let rows = &self.seen.rows;
        let actual: Vec<f64> = rows
            .iter()
            .map(|row| f64::from(u8::from(row.ordered_in_horizon)))
            .collect();
        let probabilities = |model: &PurchaseModel| -> Vec<f64> {
            rows.iter()
                .map(|row| 1.0 - model.probability_of_no_order(row.history, horizon))
                .collect()
        };
        let mut candidates = Vec::new();
        let mut calibrated = Vec::new();
        for fitted in &self.fits.purchase {
            let predicted = probabilities(&fitted.fit.model);
            if fitted.kind == chosen {
                calibrated = calibration(&predicted, &actual, 10)?;
            }
            candidates.push(Candidate {
                name: fitted.kind.name().to_owned(),
                role: Role::Model,
                scale: Scale::Probability,
                predicted,
            });
        }
        // The naive guess: as many as in the period of the same length before the origin.
        let old = rows.iter().filter(|row| row.history.t >= horizon);
        let (mut known, mut active) = (0_u64, 0_u64);
        for row in old {
            known += 1;
            active += u64::from(row.history.x > 0 && row.history.t - row.history.t_x < horizon);
        }
        let rate = if known > 0 {
            active as f64 / known as f64
        } else {
            0.5
        };
        candidates.push(baseline(
            "last period's rate",
            Scale::Probability,
            vec![rate; rows.len()],
        ));
        candidates.push(baseline(
            "recency",
            Scale::RankOnly,
            recency(&self.seen.histories()),
        ));
        Ok((compare(Deciding::Churn, &candidates, &actual)?, calibrated))
    }

    fn judge_value(
        &self,
        expected: &[f64],
        unit_days: f64,
        model_name: &str,
    ) -> Result<Option<Comparison>, PipelineError> {
        let Some(spend) = &self.fits.spend else {
            return Ok(None);
        };
        let rows = &self.seen.rows;
        let value_of = |row: &SeenRow| {
            let mean = row.mean_spend.filter(|mean| *mean > 0.0);
            let x = if mean.is_some() { row.history.x } else { 0 };
            spend
                .fit
                .model
                .expected_spend(x, mean.unwrap_or(0.0))
                .unwrap_or(0.0)
        };
        let predicted = rows
            .iter()
            .zip(expected)
            .map(|(row, n)| n * value_of(row))
            .collect();
        let past: Vec<f64> = rows.iter().map(|row| row.past_spend).collect();
        let horizon = self.days() / unit_days;
        // The first order is part of the past spend: a day is added to every age.
        let rate = spend_rate(&self.seen.histories(), &past, 1.0 / unit_days, horizon);
        let candidates = [
            Candidate {
                name: spend_name(model_name),
                role: Role::Model,
                scale: Scale::Quantity,
                predicted,
            },
            baseline("past spend x time", Scale::Quantity, rate),
            baseline("past spend", Scale::RankOnly, past),
        ];
        let actual: Vec<f64> = rows.iter().map(|row| row.later_spend).collect();
        Ok(Some(compare(Deciding::Value, &candidates, &actual)?))
    }
}

fn spend_name(purchase: &str) -> String {
    format!("{purchase} with Gamma-Gamma")
}

fn baseline(name: &str, scale: Scale, predicted: Vec<f64>) -> Candidate {
    Candidate {
        name: name.to_owned(),
        role: Role::Baseline,
        scale,
        predicted,
    }
}
