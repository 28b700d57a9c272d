//! Every model, fitted to one view of the customers.

use regulars_stats::purchase::{
    GroupedSummaries, PurchaseKind, SummaryCounts, fit_purchase_or_nbd,
};
use regulars_stats::spend::{GammaGamma, GroupedSpend};
use regulars_stats::{FitOptions, Parallelism, StatsError};

use super::seen::Seen;
use crate::fitted::{PurchaseFitted, SpendFitted};

/// Fits of every model that could be fitted.
pub(super) struct Fits {
    pub(super) counts: SummaryCounts,
    pub(super) purchase: Vec<PurchaseFitted>,
    pub(super) spend: Option<SpendFitted>,
    /// Why others could not be, for a person.
    pub(super) problems: Vec<String>,
}

impl Fits {
    /// Fits purchase models of the given kinds, and the spend model.
    ///
    /// A shop may be too young for any of it, which is no failure: what is missing is told.
    pub(super) fn of(seen: &Seen, kinds: &[PurchaseKind], threads: Parallelism) -> Self {
        let options = FitOptions {
            parallelism: threads,
            ..FitOptions::default()
        };
        let mut fits = Self {
            counts: SummaryCounts::default(),
            purchase: Vec::new(),
            spend: None,
            problems: Vec::new(),
        };
        match GroupedSummaries::new(&seen.histories()) {
            Ok(grouped) => {
                fits.counts = *grouped.counts();
                fits.fit_purchase(&grouped, kinds, &options);
            }
            Err(error) => fits.problem(&error),
        }
        // Without repeat orders there is nothing to learn about spend; a warning says so.
        if let Ok(groups) = GroupedSpend::new(&seen.spends()) {
            match GammaGamma::fit(&groups, &options) {
                Ok(fit) => {
                    fits.spend = Some(SpendFitted {
                        fit,
                        counts: *groups.counts(),
                    });
                }
                Err(error) => fits.problem(&error),
            }
        }
        fits
    }

    fn fit_purchase(
        &mut self,
        grouped: &GroupedSummaries,
        kinds: &[PurchaseKind],
        options: &FitOptions,
    ) {
        for &kind in kinds {
            match fit_purchase_or_nbd(kind, grouped, options) {
                Ok(found) => self.purchase.push(PurchaseFitted {
                    kind,
                    fit: found.fitted,
                    replaced: found.replaced,
                }),
                Err(error) => self.problem(&error),
            }
        }
    }

    /// Notes a problem once, however many models have it.
    fn problem(&mut self, error: &StatsError) {
        let text = error.to_string();
        if !self.problems.contains(&text) {
            self.problems.push(text);
        }
    }

    pub(super) fn kinds(&self) -> Vec<PurchaseKind> {
        self.purchase.iter().map(|fitted| fitted.kind).collect()
    }
}
