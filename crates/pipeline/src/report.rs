//! The whole picture: who the customers are, what they are worth, who is leaving.

use regulars_core::{DAY_MS, Timestamp, ValueSettings};
use regulars_profile::Uses;
use regulars_rules::Keep;
use regulars_stats::rfm::{Concentration, concentration, gini, quantile};
use regulars_stats::validate::Lost;
use regulars_store::Store;
use regulars_store::log::{LogRecord, LogRecordKind};
use serde::Serialize;

use crate::base::{AsOfReason, Base, FoldOptions, Scoring};
use crate::catalogue::{Catalogue, LIFECYCLE};
use crate::config::Config;
use crate::error::PipelineError;
use crate::fitted::Use;
use crate::kpi::{AllKpis, kpis};
use crate::population::gaps_ms;
use crate::progress::Progress;

/// Everything that `regulars report` shows. Money is in minor units of `currency`.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Name of the workspace.
    pub workspace: String,
    /// Currency of all amounts.
    pub currency: String,
    /// Digits after the point of that currency.
    pub currency_exponent: u32,
    /// The moment that "now" means.
    pub as_of: String,
    /// Why it is that moment.
    pub as_of_reason: AsOfReason,
    /// Days of the first and the last order.
    pub orders_span: Option<(String, String)>,
    /// Customers with at least one order.
    pub buyers: u64,
    /// Figures of everyone and of each segment.
    #[serde(flatten)]
    pub kpis: AllKpis,
    /// Share of net revenue of the top customers.
    pub concentration: Vec<Concentration>,
    /// Gini coefficient of net revenue over customers with orders.
    pub revenue_gini: Option<f64>,
    /// Customers by churn level 1 to 5; absent before a fit.
    pub churn_levels: Option<[u64; 5]>,
    /// Risk from which on the level is 2, 3, 4 and 5.
    pub churn_level_thresholds: [f64; 4],
    /// Days within which churn risk and expected orders look ahead.
    pub churn_horizon_days: u32,
    /// Days within which CLV looks ahead.
    pub clv_horizon_days: u32,
    /// What the value tiers are.
    pub value_tiers: ValueSettings,
    /// Who moved between stages of life.
    pub moves: Moves,
    /// Set when the dormancy threshold does not suit the shop.
    pub dormancy_advice: Option<DormancyAdvice>,
    /// Rejected and suspicious data.
    pub quality: Quality,
    /// The fit in use, in short; absent before a fit.
    pub models: Option<ModelsLine>,
}

/// Customers by their stage then and now. Both moments are seen with the fit and the thresholds
/// of today.
#[derive(Debug, Clone, Serialize)]
pub struct Moves {
    /// The earlier moment.
    pub since: String,
    /// Days between.
    pub days: u32,
    /// From a stage to another, with the number of customers; the most first. `absent` is not a
    /// customer yet.
    pub flows: Vec<Flow>,
}

/// Customers who moved from one stage to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flow {
    /// Stage then.
    pub from: String,
    /// Stage now.
    pub to: String,
    /// How many.
    pub customers: u64,
}

/// What to do about a dormancy threshold that many customers exceed and come back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DormancyAdvice {
    /// The threshold in days.
    pub dormant_days: u32,
    /// Share of the gaps between orders that exceed it.
    pub share_of_gaps_beyond: f64,
    /// A threshold that a quarter of the gaps exceeds.
    pub proposed_days: u32,
}

/// Rejected and suspicious data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Quality {
    /// Imports so far.
    pub imports: u64,
    /// Rows read in them.
    pub rows: u64,
    /// Rows that could not be read.
    pub rejected_rows: u64,
    /// Rows of orders without a customer id or an e-mail.
    pub rows_without_customer: u64,
    /// Orders without a date.
    pub orders_without_date: u64,
    /// Orders of which the whole or a line has no amount, which counts as 0.
    pub orders_without_amount: u64,
    /// Rows of refunds without an order, and refunds without a date or an amount.
    pub refunds_left_out: u64,
    /// Orders that two files of one import told differently.
    pub conflicting_versions: u64,
    /// Orders that versions of them gave to different customers, in all imports; one of them has
    /// each.
    pub reassigned_orders: u64,
    /// Cancelled, unpaid and fully refunded orders.
    pub orders_not_counted: u64,
    /// Credits and refunds that no order has that much left for.
    pub unmatched_credits: u64,
    /// Money of credits and refunds that was taken off no order.
    pub unmatched_credit_minor: i64,
    /// Refunds whose order is not in the data.
    pub refunds_without_order: u64,
    /// Records later than `as_of`, not looked at.
    pub later_records: u64,
    /// Orders of events in a currency without a rate, or in none: kept without amounts.
    pub orders_without_rate: u64,
    /// Orders that count and are dated before 1990: most likely mistyped.
    pub orders_before_1990: u64,
}

/// The fit in use, in short.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelsLine {
    /// Name of the purchase model of each use; absent when none could be fitted.
    pub orders: Option<String>,
    /// For churn risk.
    pub churn: Option<String>,
    /// For CLV; absent without a spend model.
    pub value: Option<String>,
    /// For which uses the models are good enough; for the others there are no scores.
    pub uses: Uses,
    /// `now` of the fit.
    pub fitted_as_of: String,
    /// Expected over actual orders of the holdout, less 1.
    pub holdout_bias: Option<f64>,
    /// Ranking of "orders at all" on the holdout.
    pub holdout_auc: Option<f64>,
    /// Figures in which a naive baseline was better on the holdout than the model in use.
    pub lost: Vec<LostFigure>,
    /// Things that a reader must know.
    pub warnings: Vec<String>,
}

/// A figure in which a naive baseline was better than the model in use.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LostFigure {
    /// What the model is for.
    #[serde(rename = "use")]
    pub of: Use,
    /// The figure, the baseline, both values, and whether it decides.
    #[serde(flatten)]
    pub lost: Lost,
}

/// Days over which moves between stages are shown.
const MOVES_DAYS: u32 = 30;

/// Makes the report of a base.
///
/// # Errors
/// When the store cannot be read.
pub fn report(
    store: &Store,
    config: &Config,
    base: &Base,
    as_of_reason: AsOfReason,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Report, PipelineError> {
    let profiles = || base.customers.iter().map(|folded| &folded.profile);
    let revenues: Vec<i64> = profiles()
        .filter(|p| !p.orders.is_empty())
        .map(|p| p.revenue_minor)
        .collect();
    let date = |at: Timestamp| base.context.date_of(at).to_string();
    let first = profiles()
        .filter_map(regulars_profile::Profile::first_order_at)
        .min();
    let last = profiles()
        .filter_map(regulars_profile::Profile::last_order_at)
        .max();
    let currency = base.context.currency;
    let settings = &base.context.settings;
    Ok(Report {
        workspace: config.workspace.name.clone(),
        currency: currency.code().to_owned(),
        currency_exponent: currency.exponent(),
        as_of: base.now.to_string(),
        as_of_reason,
        orders_span: first
            .zip(last)
            .map(|(first, last)| (date(first), date(last))),
        buyers: revenues.len() as u64,
        kpis: kpis(base, threads),
        concentration: concentration(&revenues, &[1, 5, 10, 20]),
        revenue_gini: gini(&revenues),
        churn_levels: churn_levels(base),
        churn_level_thresholds: settings.churn.levels,
        churn_horizon_days: settings.churn.horizon_days,
        clv_horizon_days: settings.clv.horizon_days,
        value_tiers: settings.value.clone(),
        moves: moves(store, config, base, threads, progress)?,
        dormancy_advice: dormancy_advice(base),
        quality: quality(store, base)?,
        models: models_line(base),
    })
}

fn churn_levels(base: &Base) -> Option<[u64; 5]> {
    let mut levels = [0; 5];
    for level in base
        .customers
        .iter()
        .filter_map(|folded| folded.scores()?.churn_level)
    {
        levels[usize::from(level) - 1] += 1;
    }
    levels.iter().any(|&n| n > 0).then_some(levels)
}

fn moves(
    store: &Store,
    config: &Config,
    base: &Base,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Moves, PipelineError> {
    let since = base.now.plus_ms(-i64::from(MOVES_DAYS) * DAY_MS);
    let catalogue = Catalogue::load(config, None)?;
    let options = FoldOptions {
        now: since,
        looked_at_from: since,
        threads,
        scoring: Scoring::None,
        keep: Keep::Needed,
    };
    let mut then = Base::fold(store, config, &catalogue, options, progress)?;
    if let Some(fitted) = &base.fitted {
        then.score_with(fitted.clone(), threads);
    }
    let stage = |base: &Base, index: usize| {
        let folded = &base.customers[index];
        let stage = base.customer(folded).lifecycle(base.now);
        LIFECYCLE
            .iter()
            .position(|&name| name == stage)
            .map_or(0, |at| at + 1)
    };
    let mut counts = [[0_u64; 8]; 8];
    for (index, folded) in base.customers.iter().enumerate() {
        let from = then
            .position(folded.profile.customer)
            .map_or(0, |index| stage(&then, index));
        counts[from][stage(base, index)] += 1;
    }
    let name = |index: usize| match index {
        0 => "absent".to_owned(),
        _ => LIFECYCLE[index - 1].to_owned(),
    };
    let mut flows: Vec<Flow> = (0..8)
        .flat_map(|from| (0..8).map(move |to| (from, to)))
        .filter(|&(from, to)| from != to && counts[from][to] > 0)
        .map(|(from, to)| Flow {
            from: name(from),
            to: name(to),
            customers: counts[from][to],
        })
        .collect();
    flows.sort_by_key(|flow| std::cmp::Reverse(flow.customers));
    Ok(Moves {
        since: since.to_string(),
        days: MOVES_DAYS,
        flows,
    })
}

/// A shop in which more than a quarter of the gaps exceed the dormancy threshold calls many
/// customers dormant who come back.
fn dormancy_advice(base: &Base) -> Option<DormancyAdvice> {
    let gaps = gaps_ms(
        base.customers.iter().map(|folded| &folded.profile),
        &base.context,
    );
    let dormant_days = base.context.settings.lifecycle.dormant_days;
    let threshold = i64::from(dormant_days) * DAY_MS;
    let beyond = gaps.iter().filter(|&&gap| gap > threshold).count();
    let share = beyond as f64 / gaps.len().max(1) as f64;
    if share <= 0.25 {
        return None;
    }
    let proposed = quantile(&gaps, 3, 4)?;
    Some(DormancyAdvice {
        dormant_days,
        share_of_gaps_beyond: share,
        proposed_days: (proposed + DAY_MS - 1).div_euclid(DAY_MS) as u32,
    })
}

/// Sums what the imports met.
/// Nobody sold over the network before.
const YEAR_1990: Timestamp = Timestamp(631_152_000_000);

fn quality(store: &Store, base: &Base) -> Result<Quality, PipelineError> {
    let oddities = base.oddities;
    let mut quality = Quality {
        orders_not_counted: oddities.orders_not_counted,
        unmatched_credits: oddities.unmatched_credits,
        unmatched_credit_minor: oddities.unmatched_credit_minor,
        refunds_without_order: oddities.refunds_without_order,
        later_records: base.later_records,
        orders_without_rate: base.orders_without_rate,
        orders_before_1990: base.orders_before(YEAR_1990),
        ..Quality::default()
    };
    for (_, record) in store.records_of(LogRecordKind::ImportAdded)? {
        let LogRecord::ImportAdded(import) = record else {
            continue;
        };
        let count = |path: &str| {
            import
                .notes
                .pointer(path)
                .and_then(serde_json::Value::as_u64)
                .unwrap_or(0)
        };
        quality.imports += 1;
        quality.rows += import
            .files
            .iter()
            .map(|file| file.rows + file.rejected)
            .sum::<u64>();
        quality.rejected_rows += import.files.iter().map(|file| file.rejected).sum::<u64>();
        quality.rows_without_customer += count("/intake/rows_without_customer");
        quality.orders_without_date += count("/orders/orders_without_date");
        quality.orders_without_amount += count("/orders/orders_without_amount");
        quality.refunds_left_out +=
            count("/refunds/rows_without_order") + count("/refunds/incomplete_refunds");
        quality.conflicting_versions += count("/orders/conflicting_versions");
        quality.reassigned_orders += count("/orders/reassigned_orders");
    }
    Ok(quality)
}

fn models_line(base: &Base) -> Option<ModelsLine> {
    let fitted = base.fitted.as_ref()?;
    let holdout = fitted.holdout.as_ref();
    let row = |of: Use| Some(holdout?.of(of)?.row()?.metrics);
    let name = |of: Use| Some(fitted.chosen_for(of)?.name());
    let lost = |of: Use| {
        let judged = holdout.and_then(|holdout| holdout.of(of));
        let lost = judged.into_iter().flat_map(|judged| &judged.lost);
        lost.map(move |lost| LostFigure {
            of,
            lost: lost.clone(),
        })
    };
    Some(ModelsLine {
        orders: name(Use::Orders),
        churn: name(Use::Churn),
        value: name(Use::Value).filter(|_| fitted.spend.is_some()),
        uses: fitted.uses,
        fitted_as_of: fitted.as_of.to_string(),
        holdout_bias: row(Use::Orders).and_then(|metrics| metrics.bias),
        holdout_auc: row(Use::Churn).and_then(|metrics| metrics.auc),
        lost: Use::ALL.into_iter().flat_map(lost).collect(),
        warnings: fitted.warnings.clone(),
    })
}
