//! `score` and `models`.

mod holdout;

use std::fmt::Write;

use regulars_core::{Grain, TimeUnit, Zone};
use regulars_pipeline::{
    Choice, FittedModels, PipelineError, PurchaseFitted, ScoreOptions, Tried, Use, score as fit,
};
use regulars_stats::optimise::Convergence;
use regulars_stats::{Estimate, Fitted};
use serde_json::{Map, Value, json};

pub(crate) use holdout::{figure_name, lost_values};

use crate::cli::{Cli, PeriodArg, ScoreArgs};
use crate::failure::Done;
use crate::output::Output;
use crate::session::{Session, wall_clock};
use crate::text::{Align, count, counted, heading, instant, number, pairs, table, warning};

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
    let fitted = FittedModels::latest(&store)?.ok_or(PipelineError::NoFit)?;
    print(cli, &fitted, &session.workspace.config().zone())?;
    Ok(Done::Whole)
}

fn print(cli: &Cli, fitted: &FittedModels, zone: &Zone) -> anyhow::Result<()> {
    Output::of(&document(fitted), "/models", || models_text(fitted, zone))
        .with_columns(COLUMNS)
        .print(cli.format)
}

/// The columns of a CSV that every model has; its parameters follow.
const COLUMNS: [&str; 9] = [
    "model",
    "name",
    "in_use_for",
    "customers",
    "log_likelihood",
    "aic",
    "convergence_status",
    "convergence_parameter",
    "iterations",
];

/// Probability that the intervals of parameters are meant to hold.
const INTERVAL_SHARE: f64 = 0.9;

/// The fit as a document: each model with its parameters under their papers' names.
fn document(fitted: &FittedModels) -> Value {
    let mut models: Vec<Value> = fitted
        .purchase
        .iter()
        .map(|purchase| {
            let mut model = model_json(&purchase.fit);
            model["model"] = json!(purchase.fit.model.kind());
            model["name"] = json!(purchase.fit.model.kind().name());
            model["in_use_for"] = json!(in_use_for(fitted, purchase));
            model["in_place_of"] = Value::Null;
            model["replaced"] = Value::Null;
            if let Some(replaced) = &purchase.replaced {
                model["in_place_of"] = json!(purchase.kind);
                model["replaced"] = model_json(replaced);
            }
            model
        })
        .collect();
    if let Some(spend) = &fitted.spend {
        let mut model = model_json(&spend.fit);
        model["model"] = json!("gamma_gamma");
        model["name"] = json!("Gamma-Gamma");
        model["in_use_for"] = json!(spend_in_use_for(fitted));
        model["correlation_of_orders_and_value"] = json!(spend.counts.correlation);
        models.push(model);
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
    let chosen = |of: Use| fitted.chosen_for(of).map(|chosen| chosen.fit.model.kind());
    json!({
        "as_of": fitted.as_of.to_string(),
        "unit": fitted.unit,
        "grain": fitted.grain,
        "histories": fitted.histories,
        "chosen": {
            "orders": chosen(Use::Orders),
            "churn": chosen(Use::Churn),
            "value": chosen(Use::Value),
        },
        "choice": choice_json(&fitted.choice),
        "uses": fitted.uses,
        "models": models,
        "holdout": holdout,
        "warnings": fitted.warnings,
    })
}

/// What every fitted model has.
fn model_json<M>(fit: &Fitted<M>) -> Value {
    let each = |of: &dyn Fn(&Estimate) -> Value| -> Map<String, Value> {
        let estimates = fit.estimates.iter();
        estimates.map(|e| (e.parameter.clone(), of(e))).collect()
    };
    let interval = |e: &Estimate| {
        let ends = e.interval(INTERVAL_SHARE);
        json!(ends.map(|(low, high)| json!({ "low": low, "high": high })))
    };
    json!({
        "parameters": each(&|e| json!(e.value)),
        "standard_errors": each(&|e| json!(e.standard_error)),
        "intervals": each(&interval),
        "log_likelihood": fit.log_likelihood,
        "aic": fit.aic,
        "customers": fit.customers,
        "convergence": convergence_json(&fit.convergence),
        "iterations": fit.iterations,
    })
}

/// How a search ended, always in the same form.
fn convergence_json(convergence: &Convergence) -> Value {
    let (status, parameter) = match convergence {
        Convergence::Converged => ("converged", None),
        Convergence::Boundary { parameter } => ("boundary", Some(parameter)),
        Convergence::NotConverged => ("not_converged", None),
    };
    json!({ "status": status, "parameter": parameter })
}

/// The uses for which a purchase model is chosen and good enough.
fn in_use_for(fitted: &FittedModels, purchase: &PurchaseFitted) -> Vec<Use> {
    let chosen = |of: &Use| fitted.chosen.is_some_and(|c| c.of(*of) == purchase.kind);
    let good = |of: &Use| of.of(fitted.uses) && (*of != Use::Value || fitted.spend.is_some());
    let mut uses = Use::ALL.to_vec();
    uses.retain(|of| chosen(of) && good(of));
    uses
}

fn spend_in_use_for(fitted: &FittedModels) -> Vec<Use> {
    let used = fitted.uses.value && fitted.chosen.is_some();
    used.then_some(Use::Value).into_iter().collect()
}

fn choice_json(choice: &Choice) -> Value {
    match choice {
        Choice::EarlierHoldout {
            origin,
            end,
            orders,
            churn,
            value,
        } => {
            let tried = |tried: &[Tried], figure: &str| -> Vec<Value> {
                let one = |t: &Tried| json!({ "model": t.kind, "name": t.model, figure: t.figure });
                tried.iter().map(one).collect()
            };
            json!({
                "by": "earlier_holdout",
                "origin": origin.to_string(),
                "end": end.to_string(),
                "orders": tried(orders, "mae"),
                "churn": tried(churn, "log_loss"),
                "value": tried(value, "rmse"),
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
        "  {}, {} with repeat orders; time in {unit}",
        counted(fitted.histories.customers, "customer"),
        count(fitted.histories.repeaters)
    );
    let mut rows = Vec::new();
    for purchase in &fitted.purchase {
        let name = purchase.name();
        rows.push(model_row(
            &name,
            &in_use_for(fitted, purchase),
            &purchase.fit,
        ));
        if let Some(replaced) = &purchase.replaced {
            rows.push(model_row(purchase.kind.name(), &[], replaced));
        }
    }
    if let Some(spend) = &fitted.spend {
        rows.push(model_row(
            "Gamma-Gamma",
            &spend_in_use_for(fitted),
            &spend.fit,
        ));
    }
    if rows.is_empty() {
        text.push_str("  no model could be fitted\n");
    } else {
        text.push_str(&fitted_table(&rows));
    }
    text.push_str(&choice_text(fitted, zone));
    if let Some(holdout) = &fitted.holdout {
        text.push_str(&holdout::holdout_text(holdout, zone));
    }
    for warn in &fitted.warnings {
        text.push_str(&warning(warn));
    }
    text
}

fn fitted_table(rows: &[Vec<String>]) -> String {
    table(
        &[
            ("model", Align::Left),
            ("in use for", Align::Left),
            ("parameters ± standard errors (90 % intervals)", Align::Left),
            ("log-likelihood", Align::Right),
            ("AIC", Align::Right),
        ],
        rows,
    )
}

fn model_row<M>(name: &str, uses: &[Use], fit: &Fitted<M>) -> Vec<String> {
    let estimate = |e: &Estimate| {
        let ends = e.interval(INTERVAL_SHARE);
        let ends = ends.map(|(low, high)| format!(" ({low:.4} to {high:.4})"));
        let error = e.standard_error.map(|error| format!(" ± {error:.4}"));
        let [error, ends] = [error, ends].map(Option::unwrap_or_default);
        format!("{} {:.4}{error}{ends}", e.parameter, e.value)
    };
    let uses: Vec<&str> = uses.iter().map(|of| of.name()).collect();
    let parameters: Vec<String> = fit.estimates.iter().map(estimate).collect();
    vec![
        name.to_owned(),
        uses.join(", "),
        parameters.join("   "),
        format!("{:.2}", fit.log_likelihood),
        format!("{:.1}", fit.aic),
    ]
}

/// Which model was chosen for which use, and why.
fn choice_text(fitted: &FittedModels, zone: &Zone) -> String {
    let name = |of: Use| {
        let chosen = fitted.chosen_for(of);
        chosen.map_or_else(|| "none".to_owned(), PurchaseFitted::name)
    };
    let why = |of: Use| match &fitted.choice {
        Choice::Settings => "the settings name it".to_owned(),
        Choice::ShortHistory => "there is no earlier period to compare models on".to_owned(),
        Choice::EarlierHoldout {
            origin,
            end,
            orders,
            churn,
            value,
        } => {
            let tried = match of {
                Use::Orders => orders,
                Use::Churn => churn,
                Use::Value => value,
            };
            if tried.is_empty() {
                return "as for orders: there was no spend model to compare with".to_owned();
            }
            let figures: Vec<String> = tried
                .iter()
                .map(|tried| format!("{} {}", tried.model, number(tried.figure, 4)))
                .collect();
            format!(
                "least {} from {} to {}: {}",
                of.figure(),
                instant(*origin, zone),
                instant(*end, zone),
                figures.join(", ")
            )
        }
    };
    let line = |of: Use| match fitted.chosen {
        None => "none: no purchase model could be fitted".to_owned(),
        Some(_) => format!("{}, because {}", name(of), why(of)),
    };
    pairs(&[
        ("chosen for orders", line(Use::Orders)),
        ("chosen for churn", line(Use::Churn)),
        ("chosen for value", line(Use::Value)),
    ])
}
