//! What models predicted of the holdout beside what came, as text.

use std::fmt::Write;

use regulars_core::Zone;
use regulars_pipeline::{Holdout, Judged};
use regulars_stats::validate::{CalibrationBin, Lost, Role};

use crate::text::{
    Align, count, counted, faint, heading, instant, number, percent, table, unknown, warning,
};

pub(super) fn holdout_text(holdout: &Holdout, zone: &Zone) -> String {
    let mut text = String::new();
    text.push_str(&heading(&format!(
        "Held out: {} to {} ({}), {}",
        instant(holdout.origin, zone),
        instant(holdout.end, zone),
        counted(holdout.days.unsigned_abs(), "day"),
        counted(holdout.customers, "customer")
    )));
    for line in FIGURES {
        let _ = writeln!(text, "  {}", faint(line));
    }
    text.push_str(&judged_text(
        "Orders (decided by mean absolute error)",
        &holdout.orders,
    ));
    let churn = format!(
        "Any order within {} (decided by log-loss)",
        counted(holdout.churn_days.unsigned_abs(), "day")
    );
    text.push_str(&judged_text(&churn, &holdout.churn));
    if let Some(value) = &holdout.value {
        text.push_str(&judged_text(
            "Net revenue (decided by root mean squared error)",
            value,
        ));
    }
    text.push_str(&calibration_text(
        "Orders for a customer, by tenth of customers from the fewest expected to the most",
        &holdout.orders_calibration,
    ));
    text.push_str(&calibration_text(
        "Chance of an order, by tenth of customers from the least likely to the most",
        &holdout.churn_calibration,
    ));
    text
}

/// A figure as the head of its column.
pub(crate) fn figure_name(figure: &str) -> &str {
    match figure {
        "mae" => "MAE",
        "rmse" => "RMSE",
        "pearson" => "corr.",
        "spearman" => "rank corr.",
        "gini" => "Gini",
        "top_decile_capture" => "top tenth",
        "auc" => "AUC",
        "log_loss" => "log-loss",
        other => other,
    }
}

/// A value of a figure, as its column shows it.
fn figure_value(figure: &str, value: f64) -> String {
    match figure {
        "bias" => format!("{:+.1} %", value * 100.0),
        "top_decile_capture" => percent(Some(value)),
        _ => number(Some(value), 4),
    }
}

/// The value of the baseline and that of the model, with as many digits as tell them apart.
pub(crate) fn lost_values(lost: &Lost) -> [String; 2] {
    let values = [lost.baseline_value, lost.model_value];
    let rounded = values.map(|value| figure_value(&lost.figure, value));
    let longer = (6..=15).map(|decimals| values.map(|value| number(Some(value), decimals)));
    let mut told = std::iter::once(rounded.clone()).chain(longer);
    told.find(|[baseline, model]| baseline != model)
        .unwrap_or(rounded)
}

/// What the columns of the holdout are.
const FIGURES: [&str; 3] = [
    "MAE, RMSE: mean absolute and root mean squared error for a customer; bias: predicted over actual total, less 1",
    "corr., rank corr., Gini, AUC: how well customers are told apart, 1 is perfect; AUC of a coin is 0.5, the others' 0",
    "top tenth: share of the actual total that the predicted best tenth holds; log-loss: error of probabilities, less is better",
];

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
                    .map_or_else(unknown, |total| format!("{total:.0}")),
                format!("{:.0}", m.actual_total),
                m.bias
                    .map_or_else(unknown, |bias| figure_value("bias", bias)),
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
        let [baseline, model] = lost_values(lost);
        let figure = figure_name(&lost.figure);
        let line = format!(
            "{} is better in {figure}: {baseline} against {model}",
            lost.baseline
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
