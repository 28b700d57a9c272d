//! Models fitted at an origin beside naive baselines, judged by what happened after it.

use regulars_core::{TimeUnit, Timestamp};
use regulars_stats::Parallelism;
use regulars_stats::purchase::{
    Forecast, PurchaseKind, PurchaseModel, PurchaseSummary, map_histories,
};
use regulars_stats::validate::{
    Candidate, Role, Scale, calibration, compare, order_rate, recency, repeat_spend_rate,
};

use super::fit::Fits;
use super::seen::{After, Seen, SeenRow};
use crate::base::Base;
use crate::error::PipelineError;
use crate::fitted::{Chosen, Holdout, Judged, PurchaseFitted, Use};

/// Models fitted at an origin, with what happened after it.
pub(super) struct Period {
    pub(super) fits: Fits,
    /// The last moment that the models saw.
    pub(super) origin: Timestamp,
    /// Where the period after it ends.
    pub(super) end: Timestamp,
    seen: Seen,
    histories: Vec<PurchaseSummary>,
    unit: TimeUnit,
    days: i32,
    churn_days: i32,
}

impl Period {
    /// Fits at `known.now` for what happened until `later.now`; why not, in words, when one of the
    /// kinds that are in use now could not be fitted then.
    pub(super) fn new(
        known: &Base,
        later: &Base,
        kinds: &[PurchaseKind],
        threads: Parallelism,
    ) -> Result<Self, String> {
        let context = &known.context;
        let days = context.date_of(later.now).0 - context.date_of(known.now).0;
        let churn_days = days.min(context.settings.churn.horizon_days as i32);
        let after = After {
            later,
            days,
            churn_days,
        };
        let seen = Seen::of(known, Some(after), threads);
        let fits = Fits::of(&seen, kinds, threads);
        if fits.purchase.is_empty() || fits.kinds() != kinds {
            return Err(format!(
                "as of {} there is too little to fit on ({})",
                context.date_of(known.now),
                fits.problems.join("; ")
            ));
        }
        Ok(Self {
            histories: seen.histories(),
            unit: context.settings.models.unit,
            origin: known.now,
            end: later.now,
            seen,
            fits,
            days,
            churn_days,
        })
    }

    fn units(&self, days: i32) -> f64 {
        f64::from(days) / self.unit.days()
    }

    fn forecasts(&self, model: &PurchaseModel, what: Forecast, threads: Parallelism) -> Vec<f64> {
        map_histories(
            &self.histories,
            threads,
            |history| what.if_alive(&model.future(history.x, history.t)),
            |if_alive, history| model.probability_alive(history) * if_alive,
        )
    }

    /// What a purchase model predicts for a use; nothing for value without a spend model.
    fn predicted(&self, model: &PurchaseModel, of: Use, threads: Parallelism) -> Vec<f64> {
        let horizon = self.units(self.days);
        match of {
            Use::Orders => self.forecasts(model, Forecast::Orders { horizon }, threads),
            Use::Churn => {
                let horizon = self.units(self.churn_days);
                self.forecasts(model, Forecast::AnyOrder { horizon }, threads)
            }
            Use::Value => {
                let mut predicted = self.forecasts(model, Forecast::Orders { horizon }, threads);
                for (predicted, row) in predicted.iter_mut().zip(&self.seen.rows) {
                    *predicted *= self.order_value(row);
                }
                predicted
            }
        }
    }

    fn order_value(&self, row: &SeenRow) -> f64 {
        let mean = row.mean_spend.filter(|mean| *mean > 0.0);
        let x = if mean.is_some() { row.history.x } else { 0 };
        let spend = self.fits.spend.as_ref();
        spend
            .and_then(|spend| spend.fit.model.expected_spend(x, mean.unwrap_or(0.0)))
            .unwrap_or(0.0)
    }

    /// Every fitted model as a candidate for a use; none for value without a spend model.
    pub(super) fn models(&self, of: Use, threads: Parallelism) -> Vec<Candidate> {
        if of == Use::Value && self.fits.spend.is_none() {
            return Vec::new();
        }
        let candidate = |fitted: &PurchaseFitted| Candidate {
            name: candidate_name(fitted, of),
            role: Role::Model,
            scale: match of {
                Use::Orders | Use::Value => Scale::Quantity,
                Use::Churn => Scale::Probability,
            },
            predicted: self.predicted(&fitted.fit.model, of, threads),
        };
        self.fits.purchase.iter().map(candidate).collect()
    }

    /// What happened, for a use.
    pub(super) fn actual(&self, of: Use) -> Vec<f64> {
        let actual = |row: &SeenRow| match of {
            Use::Orders => f64::from(row.later.purchases),
            Use::Churn => f64::from(u8::from(row.ordered_in_horizon)),
            Use::Value => row.later.spend,
        };
        self.seen.rows.iter().map(actual).collect()
    }

    /// What one would predict without a model.
    fn baselines(&self, of: Use) -> Vec<Candidate> {
        let rows = &self.seen.rows;
        let each = |of: fn(&SeenRow) -> f64| rows.iter().map(of).collect::<Vec<f64>>();
        let horizon = self.units(self.days);
        let ranks = || baseline("recency", Scale::RankOnly, recency(&self.histories));
        match of {
            Use::Orders => vec![
                baseline(
                    "rate x time",
                    Scale::Quantity,
                    order_rate(&self.histories, horizon),
                ),
                baseline(
                    "orders of the period before",
                    Scale::Quantity,
                    each(|row| f64::from(row.earlier.purchases)),
                ),
                ranks(),
            ],
            Use::Churn => vec![
                baseline(
                    "last period's rate",
                    Scale::Probability,
                    vec![self.last_rate(); rows.len()],
                ),
                ranks(),
            ],
            Use::Value => {
                let repeat = each(|row| row.mean_spend.unwrap_or(0.0) * f64::from(row.history.x));
                vec![
                    baseline(
                        "repeat spend x time",
                        Scale::Quantity,
                        repeat_spend_rate(&self.histories, &repeat, horizon),
                    ),
                    baseline(
                        "revenue of the period before",
                        Scale::Quantity,
                        each(|row| row.earlier.spend),
                    ),
                    baseline("past spend", Scale::RankOnly, each(|row| row.past_spend)),
                ]
            }
        }
    }

    /// Share that ordered in the period of the churn horizon's length before the origin, of those
    /// who were customers when it began; a half when nobody was.
    fn last_rate(&self) -> f64 {
        let horizon = self.units(self.churn_days);
        let (mut known, mut active) = (0_u64, 0_u64);
        for history in self.histories.iter().filter(|h| h.t >= horizon) {
            known += 1;
            active += u64::from(history.x > 0 && history.t - history.t_x < horizon);
        }
        if known > 0 {
            active as f64 / known as f64
        } else {
            0.5
        }
    }

    fn judge_use(
        &self,
        chosen: Chosen,
        of: Use,
        threads: Parallelism,
    ) -> Result<Judged, PipelineError> {
        let mut candidates = self.models(of, threads);
        candidates.extend(self.baselines(of));
        let comparison = compare(of.deciding(), &candidates, &self.actual(of), threads)?;
        let fitted = self.chosen(chosen, of);
        let model = candidate_name(fitted, of);
        let row = comparison.rows.iter().find(|row| row.name == model);
        Ok(Judged {
            lost: row.map(|row| comparison.lost_by(row)).unwrap_or_default(),
            model,
            comparison,
        })
    }

    fn chosen(&self, chosen: Chosen, of: Use) -> &PurchaseFitted {
        let mut fits = self.fits.purchase.iter();
        fits.find(|fitted| fitted.kind == chosen.of(of))
            .expect("a period has a fit of every kind that can be chosen")
    }

    /// Judges the chosen models beside the others and the baselines.
    pub(super) fn judge(
        &self,
        chosen: Chosen,
        threads: Parallelism,
    ) -> Result<Holdout, PipelineError> {
        let calibrated = |of: Use| {
            let model = &self.chosen(chosen, of).fit.model;
            calibration(&self.predicted(model, of, threads), &self.actual(of), 10)
        };
        let value = self.fits.spend.is_some();
        let value = value.then(|| self.judge_use(chosen, Use::Value, threads));
        Ok(Holdout {
            origin: self.origin,
            end: self.end,
            days: i64::from(self.days),
            customers: self.seen.rows.len() as u64,
            orders: self.judge_use(chosen, Use::Orders, threads)?,
            churn: self.judge_use(chosen, Use::Churn, threads)?,
            churn_days: i64::from(self.churn_days),
            value: value.transpose()?,
            orders_calibration: calibrated(Use::Orders)?,
            churn_calibration: calibrated(Use::Churn)?,
        })
    }
}

fn candidate_name(fitted: &PurchaseFitted, of: Use) -> String {
    match of {
        Use::Orders | Use::Churn => fitted.name(),
        Use::Value => format!("{} with Gamma-Gamma", fitted.name()),
    }
}

fn baseline(name: &str, scale: Scale, predicted: Vec<f64>) -> Candidate {
    Candidate {
        name: name.to_owned(),
        role: Role::Baseline,
        scale,
        predicted,
    }
}
