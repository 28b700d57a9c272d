//! What a reader of a fit must know, in words.

use regulars_stats::purchase::PurchaseModel;
use regulars_stats::{Convergence, Fitted};

use crate::fitted::{FittedModels, Holdout, SpendFitted, Use};

pub(super) fn of(fitted: &FittedModels, holdout_problem: Option<&str>) -> Vec<String> {
    let mut warnings = Vec::new();
    for purchase in &fitted.purchase {
        let name = purchase.kind.name();
        match &purchase.replaced {
            Some(replaced) => warnings.push(format!(
                "{name}: {}; NBD without dropout is used in its place",
                ended(replaced)
                    .unwrap_or_else(|| "no dropout can be told apart from none".to_owned())
            )),
            None => warnings.extend(ended(&purchase.fit).map(|how| format!("{name}: {how}"))),
        }
    }
    if fitted.chosen.is_some() {
        match &fitted.spend {
            None => warnings.push(
                "no customer has repeat orders with a value above 0: there is no spend model and no CLV"
                    .to_owned(),
            ),
            Some(spend) => spend_warnings(spend, &mut warnings),
        }
        match (&fitted.holdout, holdout_problem) {
            (Some(holdout), _) => holdout_warnings(fitted, holdout, &mut warnings),
            (None, Some(problem)) => warnings.push(format!(
                "{problem}: the models are not validated, the forecasts may be far off"
            )),
            (None, None) => warnings.push(
                "the history is too short to hold a part of it out: the models are not validated"
                    .to_owned(),
            ),
        }
    }
    warnings
}

/// How a search ended that did not converge.
fn ended(fit: &Fitted<PurchaseModel>) -> Option<String> {
    match &fit.convergence {
        Convergence::Converged => None,
        Convergence::Boundary { parameter } => Some(format!(
            "`{parameter}` ran to its boundary, where the data no longer tell it apart from its limit"
        )),
        Convergence::NotConverged => Some(format!(
            "the search for the maximum had not converged after {} steps",
            fit.iterations
        )),
    }
}

fn spend_warnings(spend: &SpendFitted, warnings: &mut Vec<String>) {
    match &spend.fit.convergence {
        Convergence::Converged => {}
        Convergence::Boundary { parameter } => {
            warnings.push(format!("Gamma-Gamma: `{parameter}` ran to its boundary"));
        }
        Convergence::NotConverged => {
            warnings.push("Gamma-Gamma: the search for the maximum had not converged".to_owned());
        }
    }
    if spend.counts.not_positive > 0 {
        warnings.push(match spend.counts.not_positive {
            1 => {
                "1 customer with repeat orders worth 0 or less is not in the spend model".to_owned()
            }
            many => format!(
                "{many} customers with repeat orders worth 0 or less are not in the spend model"
            ),
        });
    }
    if let Some(r) = spend.counts.correlation.filter(|r| r.abs() > 0.3) {
        warnings.push(format!(
            "orders and order value correlate ({r:.2}): the spend model assumes that they do not"
        ));
    }
    if spend.fit.model.q <= 1.0 {
        warnings.push(
            "the spend model has an infinite mean (q ≤ 1): customers without repeat orders have \
             no CLV"
                .to_owned(),
        );
    }
}

fn holdout_warnings(fitted: &FittedModels, holdout: &Holdout, warnings: &mut Vec<String>) {
    if holdout.value.is_none() && fitted.spend.is_some() {
        warnings.push(
            "there was no spend model when the holdout began: CLV is not validated".to_owned(),
        );
    }
    for of in Use::ALL {
        if !of.of(fitted.uses) {
            warnings.push(format!(
                "a naive baseline was better at {} over the {} days held out (by {}): the model \
                 is not used for it",
                of.name(),
                holdout.days,
                of.figure()
            ));
        }
    }
}
