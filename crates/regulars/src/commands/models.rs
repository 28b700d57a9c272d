//! `score` and `models`.

use std::fmt::Write;

use regulars_core::{Grain, TimeUnit, Zone};
use regulars_pipeline::{
    Choice, FittedModels, Holdout, Judged, PipelineError, ScoreOptions, score as fit,
};
use regulars_stats::validate::{CalibrationBin, Role};
use serde_json::{Map, Value, json};

use crate::cli::{Cli, PeriodArg, ScoreArgs};
use crate::failure::Done;
use crate::output::Output;
use crate::session::{Session, wall_clock};
use crate::text::{Align, count, faint, heading, instant, number, pairs, percent, table, warning};

pub(crate) fn score(cli: &Cli, args: &ScoreArgs) -> anyhow::Result<Done> {
    let session = Session::open(cli)?;
    let config = session.workspace.config();
    let mut settings = config.settings();
    if let Some(unit) = args.unit {
        settings.models.unit = match unit {
            PeriodArg::Day => TimeUnit::Day,
            PeriodArg::Week => TimeUnit::Week,
        };
    }
    if let Some(grain) = args.grain {
        settings.models.grain = match grain {
            PeriodArg::Day => Grain::Day,
            PeriodArg::Week => Grain::Week,
        };
    }
    let config = config.clone().with_settings(settings);
    let mut store = session.workspace.open()?;
    let (now, _) = session.now(&store, &args.as_of)?;
    let holdout_from = args
        .holdout_from
        .as_deref()
        .map(|text| session.instant("--holdout-from", text))
        .transpose()?;
    let options = ScoreOptions {
        now,
        holdout_from,
        recorded_at: wall_clock(),
        threads: session.threads,
    };
    let base = fit(
        &mut store,
        &config,
        &session.catalogue()?,
        options,
        &*session.progress,
    )?;
    let fitted = base
        .fitted
        .as_ref()
        .expect("a base that was scored has its fit");
    print(cli, fitted, &config.zone())?;
    session.tell("next: regulars report");
    Ok(Done::Whole)
}

pub(crate) fn show(cli: &Cli) -> anyhow::Result<Done> {
    let session = Session::open(cli)?;
    let store = session.workspace.open_read()?;
    let fitted = FittedModels::latest(&store)?.ok_or_else(|| PipelineError::NotFound {
        what: "fit",
        name: "models".to_owned(),
        hint: ": run `regulars score` first".to_owned(),
    })?;
    print(cli, &fitted, &session.workspace.config().zone())?;
    Ok(Done::Whole)
}

fn print(cli: &Cli, fitted: &FittedModels, zone: &Zone) -> anyhow::Result<()> {
    Output::of(&document(fitted), "/models", || models_text(fitted, zone)).print(cli.format)
}

/// The fit as a document: each model with its parameters under their papers' names.
fn document(fitted: &FittedModels) -> Value {
    let parameters =
        |estimates: &[regulars_stats::Estimate]| -> (Map<String, Value>, Map<String, Value>) {
            let values = estimates
                .iter()
                .map(|e| (e.parameter.clone(), json!(e.value)))
                .collect();
            let errors = estimates
                .iter()
                .map(|e| (e.parameter.clone(), json!(e.standard_error)))
                .collect();
            (values, errors)
        };
    let mut models: Vec<Value> = fitted
        .purchase
        .iter()
        .map(|purchase| {
            let (values, errors) = parameters(&purchase.fit.estimates);
            json!({
                "model": purchase.kind,
                "name": purchase.kind.name(),
                "in_use": purchase.kind == fitted.chosen,
                "replaced_by_nbd": purchase.replaced_by_nbd,
                "parameters": values,
                "standard_errors": errors,
                "log_likelihood": purchase.fit.log_likelihood,
                "aic": purchase.fit.aic,
                "customers": purchase.fit.customers,
                "convergence": purchase.fit.convergence,
                "iterations": purchase.fit.iterations,
            })
        })
        .collect();
    if let Some(spend) = &fitted.spend {
        let (values, errors) = parameters(&spend.fit.estimates);
        models.push(json!({
            "model": "gamma_gamma",
            "name": "Gamma-Gamma",
            "in_use": fitted.uses.value,
            "replaced_by_nbd": false,
            "parameters": values,
            "standard_errors": errors,
            "log_likelihood": spend.fit.log_likelihood,
            "aic": spend.fit.aic,
            "customers": spend.fit.customers,
            "convergence": spend.fit.convergence,
            "iterations": spend.fit.iterations,
            "correlation_of_orders_and_value": spend.counts.correlation,
        }));
    }
    let holdout = fitted.holdout.as_ref().map(|holdout| {
        json!({
            "origin": holdout.origin.to_string(),
            "end": holdout.end.to_string(),
            "days": holdout.days,
            "customers": holdout.customers,
            "orders": holdout.orders,
            "churn": holdout.churn,
            "churn_days": holdout.churn_days,
            "value": holdout.value,
            "orders_calibration": holdout.orders_calibration,
            "churn_calibration": holdout.churn_calibration,
        })
    });
    json!({
        "as_of": fitted.as_of.to_string(),
        "unit": fitted.unit,
        "grain": fitted.grain,
        "histories": fitted.histories,
        "chosen": fitted.chosen,
        "choice": choice_json(&fitted.choice),
        "uses": fitted.uses,
        "models": models,
        "holdout": holdout,
        "warnings": fitted.warnings,
    })
}

fn choice_json(choice: &Choice) -> Value {
    match choice {
        Choice::EarlierHoldout {
            origin,
            end,
            mean_absolute_error,
        } => {
            let errors: Vec<Value> = mean_absolute_error
                .iter()
                .map(|(kind, error)| json!({ "model": kind, "mean_absolute_error": error }))
                .collect();
            json!({
                "by": "earlier_holdout",
                "origin": origin.to_string(),
                "end": end.to_string(),
                "models": errors,
            })
        }
        Choice::Settings | Choice::ShortHistory => json!(choice),
    }
}

fn models_text(fitted: &FittedModels, zone: &Zone) -> String {
    let mut text = heading(&format!(
        "Models · fitted as of {}",
        instant(fitted.as_of, zone)
    ));
    let unit = match fitted.unit {
        TimeUnit::Day => "days",
        TimeUnit::Week => "weeks",
    };
    let _ = writeln!(
        text,
        "  {} customers, {} with repeat orders; time in {unit}",
        count(fitted.histories.customers),
        count(fitted.histories.repeaters)
    );
    let estimate = |e: &regulars_stats::Estimate| {
        let error = e
            .standard_error
            .map_or(String::new(), |error| format!(" ± {error:.4}"));
        format!("{} {:.4}{error}", e.parameter, e.value)
    };
    let mut rows = Vec::new();
    for purchase in &fitted.purchase {
        let used = if purchase.kind == fitted.chosen {
            "in use"
        } else {
            ""
        };
        let parameters: Vec<String> = purchase.fit.estimates.iter().map(estimate).collect();
        rows.push(vec![
            purchase.kind.name().to_owned(),
            used.to_owned(),
            parameters.join("   "),
            format!("{:.2}", purchase.fit.log_likelihood),
            format!("{:.1}", purchase.fit.aic),
        ]);
    }
    if let Some(spend) = &fitted.spend {
        let used = if fitted.uses.value { "in use" } else { "" };
        let parameters: Vec<String> = spend.fit.estimates.iter().map(estimate).collect();
        rows.push(vec![
            "Gamma-Gamma".to_owned(),
            used.to_owned(),
            parameters.join("   "),
            format!("{:.2}", spend.fit.log_likelihood),
            format!("{:.1}", spend.fit.aic),
        ]);
    }
    text.push_str(&table(
        &[
            ("model", Align::Left),
            ("", Align::Left),
            ("parameters ± standard error", Align::Left),
            ("log-likelihood", Align::Right),
            ("AIC", Align::Right),
        ],
        &rows,
    ));
    text.push_str(&choice_text(fitted, zone));
    if let Some(holdout) = &fitted.holdout {
        text.push_str(&holdout_text(holdout, zone));
    }
    for warn in &fitted.warnings {
        text.push_str(&warning(warn));
    }
    text
}

fn holdout_text(holdout: &Holdout, zone: &Zone) -> String {
    let mut text = String::new();
    text.push_str(&heading(&format!(
        "Held out: {} to {} ({:.0} days), {} customers",
        instant(holdout.origin, zone),
        instant(holdout.end, zone),
        holdout.days,
        count(holdout.customers)
    )));
    text.push_str(&judged_text(
        "Orders (decided by mean absolute error)",
        &holdout.orders,
    ));
    let churn = format!(
        "Any order within {:.0} days (decided by log-loss)",
        holdout.churn_days
    );
    text.push_str(&judged_text(&churn, &holdout.churn));
    if let Some(value) = &holdout.value {
        text.push_str(&judged_text(
            "Net revenue (decided by root mean squared error)",
            value,
        ));
    }
    text.push_str(&calibration_text(
        "Orders, by tenth of the expectation",
        &holdout.orders_calibration,
    ));
    text.push_str(&calibration_text(
        "Chance of an order, by tenth",
        &holdout.churn_calibration,
    ));
    text
}

fn choice_text(fitted: &FittedModels, zone: &Zone) -> String {
    let why = match &fitted.choice {
        Choice::Settings => "the settings name it".to_owned(),
        Choice::ShortHistory => {
            "the history is too short to compare models on an earlier period".to_owned()
        }
        Choice::EarlierHoldout {
            origin,
            end,
            mean_absolute_error,
        } => {
            let errors: Vec<String> = mean_absolute_error
                .iter()
                .map(|(kind, error)| format!("{} {error:.4}", kind.name()))
                .collect();
            format!(
                "lowest mean absolute error from {} to {}: {}",
                instant(*origin, zone),
                instant(*end, zone),
                errors.join(", ")
            )
        }
    };
    pairs(&[("chosen", format!("{}, because {why}", fitted.chosen.name()))])
}

fn judged_text(title: &str, judged: &Judged) -> String {
    let mut text = format!("\n  {title}\n");
    let rows: Vec<Vec<String>> = judged
        .comparison
        .rows
        .iter()
        .map(|row| {
            let m = &row.metrics;
            let name = match row.role {
                Role::Model => row.name.clone(),
                Role::Baseline => format!("{} (baseline)", row.name),
            };
            vec![
                name,
                number(m.mae, 4),
                number(m.rmse, 3),
                m.predicted_total
                    .map_or_else(crate::text::unknown, |total| format!("{total:.0}")),
                format!("{:.0}", m.actual_total),
                percent(m.bias),
                number(m.pearson, 3),
                number(m.spearman, 3),
                number(m.gini, 3),
                percent(m.top_decile_capture),
                number(m.auc, 3),
                number(m.log_loss, 4),
            ]
        })
        .collect();
    let right = |name| (name, Align::Right);
    text.push_str(&table(
        &[
            ("", Align::Left),
            right("MAE"),
            right("RMSE"),
            right("predicted"),
            right("actual"),
            right("bias"),
            right("corr."),
            right("rank corr."),
            right("Gini"),
            right("top tenth"),
            right("AUC"),
            right("log-loss"),
        ],
        &rows,
    ));
    for lost in &judged.lost {
        let line = format!(
            "{} is better in {}: {:.4} against {:.4}",
            lost.baseline, lost.figure, lost.baseline_value, lost.model_value
        );
        text.push_str(&if lost.deciding {
            warning(&line)
        } else {
            format!("  {}\n", faint(&line))
        });
    }
    text
}

fn calibration_text(title: &str, bins: &[CalibrationBin]) -> String {
    let mut text = format!("\n  {title}\n");
    let rows: Vec<Vec<String>> = bins
        .iter()
        .map(|bin| {
            vec![
                count(bin.customers),
                number(Some(bin.predicted), 3),
                number(Some(bin.actual), 3),
            ]
        })
        .collect();
    let header = [
        ("customers", Align::Right),
        ("predicted", Align::Right),
        ("actual", Align::Right),
    ];
    text.push_str(&table(&header, &rows));
    text
}
