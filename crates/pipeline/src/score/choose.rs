//! Which purchase model serves which use.

use regulars_core::PurchaseModelChoice;
use regulars_stats::purchase::PurchaseKind;
use regulars_stats::validate::deciding_figures;
use regulars_stats::{Convergence, Parallelism};

use super::fit::Fits;
use super::judge::Period;
use crate::error::PipelineError;
use crate::fitted::{Choice, Chosen, Tried, Use};

/// The kinds of purchase model that the settings ask for.
pub(super) fn kinds(choice: PurchaseModelChoice) -> Vec<PurchaseKind> {
    match choice {
        PurchaseModelChoice::Auto => PurchaseKind::WITH_DROPOUT.to_vec(),
        PurchaseModelChoice::BgNbd => vec![PurchaseKind::BgNbd],
        PurchaseModelChoice::MbgNbd => vec![PurchaseKind::MbgNbd],
        PurchaseModelChoice::ParetoNbd => vec![PurchaseKind::ParetoNbd],
    }
}

/// Chooses for each use by its deciding figure on the earlier period; `None` without any fit.
pub(super) fn choose(
    asked: PurchaseModelChoice,
    now: &Fits,
    earlier: Option<&Period>,
    threads: Parallelism,
) -> Result<(Option<Chosen>, Choice), PipelineError> {
    // Of fits that ended properly, if there are any; the others are told of by a warning.
    let converged = now
        .purchase
        .iter()
        .filter(|fitted| fitted.fit.convergence != Convergence::NotConverged);
    let mut usable: Vec<PurchaseKind> = converged.map(|fitted| fitted.kind).collect();
    if usable.is_empty() {
        usable = now.kinds();
    }
    let same = usable.first().map(|&kind| Chosen {
        orders: kind,
        churn: kind,
        value: kind,
    });
    let choice = if asked == PurchaseModelChoice::Auto {
        Choice::ShortHistory
    } else {
        Choice::Settings
    };
    let (Some(mut chosen), Some(period), Choice::ShortHistory) = (same, earlier, &choice) else {
        return Ok((same, choice));
    };
    let orders = tried(period, Use::Orders, threads)?;
    let churn = tried(period, Use::Churn, threads)?;
    let value = tried(period, Use::Value, threads)?;
    chosen.orders = best(&orders, &usable).unwrap_or(chosen.orders);
    // What the earlier period cannot tell apart is left to the model for orders.
    chosen.churn = best(&churn, &usable).unwrap_or(chosen.orders);
    chosen.value = best(&value, &usable).unwrap_or(chosen.orders);
    let choice = Choice::EarlierHoldout {
        origin: period.origin,
        end: period.end,
        orders,
        churn,
        value,
    };
    Ok((Some(chosen), choice))
}

fn tried(period: &Period, of: Use, threads: Parallelism) -> Result<Vec<Tried>, PipelineError> {
    let candidates = period.models(of, threads);
    let figures = deciding_figures(of.deciding(), &candidates, &period.actual(of), threads)?;
    let fits = period.fits.purchase.iter();
    Ok(fits
        .zip(figures)
        .map(|(fitted, figure)| Tried {
            kind: fitted.kind,
            model: fitted.name(),
            figure,
        })
        .collect())
}

/// The first of the best.
fn best(tried: &[Tried], usable: &[PurchaseKind]) -> Option<PurchaseKind> {
    tried
        .iter()
        .filter(|tried| usable.contains(&tried.kind))
        .filter_map(|tried| Some((tried.kind, tried.figure?)))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(kind, _)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_best_usable_models_is_chosen() {
        let tried = [
            (PurchaseKind::BgNbd, Some(0.7)),
            (PurchaseKind::MbgNbd, Some(0.5)),
            (PurchaseKind::ParetoNbd, Some(0.5)),
        ]
        .map(|(kind, figure)| Tried {
            kind,
            model: kind.name().to_owned(),
            figure,
        });
        let all = PurchaseKind::WITH_DROPOUT;
        assert_eq!(best(&tried, &all), Some(PurchaseKind::MbgNbd));
        assert_eq!(best(&tried, &all[..1]), Some(PurchaseKind::BgNbd));
        assert_eq!(best(&[], &all), None);
    }
}
