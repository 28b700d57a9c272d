//! `report`: the whole picture.

use std::collections::BTreeSet;
use std::fmt::Write;

use regulars_core::Zone;
use regulars_pipeline::{Kpis, ModelsLine, Report, SegmentKpis, Use, no_orders_then, report};
use regulars_rules::Availability;

use crate::cli::{Cli, LookArgs};
use crate::commands::models::{figure_name, lost_values};
use crate::failure::Done;
use crate::output::Output;
use crate::session::{Session, last_day};
use crate::text::{
    Align, Amounts, agreeing, count, counted, days, faint, heading, moment, number, pairs, percent,
    table, unknown, warning,
};

pub(crate) fn run(cli: &Cli, args: &LookArgs) -> anyhow::Result<Done> {
    let session = Session::open(cli)?;
    let look = session.look(args)?;
    let config = session.workspace.config();
    if let Some(error) = no_orders_then(&look.store, config, look.base.now) {
        if look.base.customers.is_empty() {
            return Err(error.into());
        }
        session.tell(&warning(&error.to_string()));
    }
    let made = report(
        &look.store,
        config,
        &look.base,
        look.reason,
        session.threads,
        &*session.progress,
    )?;
    let zone = config.zone();
    Output::of(&made, "/segments", || {
        report_text(&made, &zone, Rejects::Kept)
    })
    .print(cli.format)?;
    Ok(Done::Whole)
}

/// Whether the rows that could not be read can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejects {
    /// They are in the workspace's `rejects/`.
    Kept,
    /// They went with the workspace, which was for a look only.
    Gone,
}

/// The report for people.
pub(crate) fn report_text(report: &Report, zone: &Zone, rejects: Rejects) -> String {
    let amounts = amounts_of(report);
    let mut text = String::new();
    text.push_str(&heading(&format!(
        "{} · as of {}",
        report.workspace,
        moment(&report.as_of, zone)
    )));
    if let Some(what) = last_day(report.as_of_reason) {
        let _ = writeln!(
            text,
            "{}",
            faint(&format!("the end of {what}; --as-of changes it"))
        );
    }
    text.push_str(&overview(report, amounts));
    text.push_str(&heading("Who they are"));
    text.push_str(&segments_table(&family(report, &["lifecycle"]), amounts));
    text.push_str(&legend(report));
    text.push_str(&heading("What they are worth"));
    text.push_str(&segments_table(
        &family(report, &["value", "price", "rhythm", "channel", "own"]),
        amounts,
    ));
    let tiers = &report.value_tiers;
    let _ = writeln!(
        text,
        "{}",
        faint(&format!(
            "value tiers, by net revenue of the last {} days where there is any: high is the top {:.0} %, medium the next {:.0} %",
            tiers.window_days,
            tiers.high_share * 100.0,
            tiers.medium_share * 100.0
        ))
    );
    let what_to_do = "what each segment means and what to do about it: regulars segments show NAME";
    let _ = writeln!(text, "{}", faint(what_to_do));
    text.push_str(&live(report, amounts));
    text.push_str(&heading(
        "RFM groups (5 is best; equal values get equal scores)",
    ));
    text.push_str(&segments_table(&family(report, &["rfm"]), amounts));
    text.push_str(&churn(report, amounts));
    text.push_str(&moves(report, zone));
    text.push_str(&quality(report, amounts, rejects));
    text
}

/// Segments of carts, visits, e-mails and trials: those that are known, and how many are not.
fn live(report: &Report, amounts: Amounts) -> String {
    let all = family(report, &["live"]);
    let (known, unknown): (Vec<_>, Vec<_>) = all.into_iter().partition(|of| of.kpis.is_some());
    let mut text = heading("What they are doing");
    text.push_str(&segments_table(&known, amounts));
    if !unknown.is_empty() {
        let more = agreeing(unknown.len() as u64, "more segment{|s} {is|are} unknown");
        let hints: Vec<&str> = hints(unknown.into_iter()).into_iter().collect();
        let note = format!(
            "{more}: {} (`regulars segments` lists them)",
            hints.join("; ")
        );
        let _ = writeln!(text, "{}", faint(&note));
    }
    text
}

/// What the columns of the tables of segments are.
fn legend(report: &Report) -> String {
    let horizon = days(report.churn_horizon_days);
    let lines = [
        "share: of customers; revenue: share of net revenue; AOV: average order value; repeat: share of \
         buyers with two orders or more"
            .to_owned(),
        format!(
            "means of their customers: exp. orders within {horizon}; CLV, net revenue to expect \
             within {}; churn, probability of no order within {horizon}",
            days(report.clv_horizon_days)
        ),
    ];
    let lines = lines.iter().map(|line| faint(line) + "\n");
    lines.collect()
}

fn amounts_of(report: &Report) -> Amounts {
    Amounts(
        regulars_core::Currency::new(&report.currency)
            .expect("the report names the workspace's currency"),
    )
}

fn overview(report: &Report, amounts: Amounts) -> String {
    let all = &report.kpis.everyone;
    let mut lines = vec![
        (
            "customers",
            format!(
                "{}, of whom {} ordered",
                count(all.customers),
                agreeing(report.buyers, "{has|have}")
            ),
        ),
        ("orders", count(all.orders)),
        (
            "net revenue",
            format!("{} {}", amounts.whole(all.revenue_minor), report.currency),
        ),
        (
            "average order value",
            format!(
                "{} {}",
                amounts.bare(all.average_order_value_minor),
                report.currency
            ),
        ),
        ("repeat rate", percent(all.repeat_rate)),
    ];
    if let Some((first, last)) = &report.orders_span {
        lines.push(("first and last order", format!("{first} to {last}")));
    }
    if let Some(margin) = all.margin_minor {
        lines.push((
            "margin",
            format!("{} {}", amounts.whole(margin), report.currency),
        ));
    }
    if all.expected_orders.is_some() {
        let expected = number(all.expected_orders, 2);
        lines.push((
            "expected orders per buyer",
            format!("{expected} within {}", days(report.churn_horizon_days)),
        ));
    }
    let clv = all.clv_total_minor.map(|total| amounts.whole(total));
    if let Some(clv) = clv {
        lines.push((
            "CLV of all",
            format!(
                "{clv} {} within {}",
                report.currency,
                days(report.clv_horizon_days)
            ),
        ));
    }
    let shares: Vec<String> = report
        .concentration
        .iter()
        .map(|top| format!("top {} %: {}", top.top_percent, percent(top.share)))
        .collect();
    if report.concentration.iter().any(|top| top.share.is_some()) {
        lines.push(("share of revenue", shares.join("   ")));
    }
    pairs(&lines)
}

fn family<'r>(report: &'r Report, families: &[&str]) -> Vec<&'r SegmentKpis> {
    let segments = report.kpis.segments.iter();
    segments
        .filter(|segment| families.contains(&segment.family.as_str()))
        .collect()
}

/// Segments with their figures, for people.
pub(crate) fn segments_table(segments: &[&SegmentKpis], amounts: Amounts) -> String {
    let code = amounts.0.code();
    let header = [
        ("segment", Align::Left),
        ("customers", Align::Right),
        ("share", Align::Right),
        ("revenue", Align::Right),
        (&format!("AOV {code}"), Align::Right),
        ("repeat", Align::Right),
        ("exp. orders", Align::Right),
        (&format!("CLV {code}"), Align::Right),
        ("churn", Align::Right),
    ];
    let rows: Vec<Vec<String>> = segments
        .iter()
        .map(|segment| match (&segment.kpis, &segment.availability) {
            (Some(kpis), Availability::Partial { .. }) => {
                row(&format!("{} *", segment.segment), kpis, amounts)
            }
            (Some(kpis), _) => row(&segment.segment, kpis, amounts),
            (None, _) => {
                let mut row = vec![segment.segment.clone(), "unknown".to_owned()];
                row.resize(header.len(), String::new());
                row
            }
        })
        .collect();
    if rows.is_empty() {
        return "  none\n".to_owned();
    }
    let mut text = table(&header, &rows);
    let is_partial = |of: &SegmentKpis| matches!(of.availability, Availability::Partial { .. });
    for hint in hints(segments.iter().copied().filter(|of| is_partial(of))) {
        let note = format!("* may change once there is more data: {hint}");
        let _ = writeln!(text, "{}", faint(&note));
    }
    for hint in hints(segments.iter().copied().filter(|of| of.kpis.is_none())) {
        let _ = writeln!(text, "{}", faint(&format!("unknown: {hint}")));
    }
    text
}

/// What segments miss, each thing once.
fn hints<'s>(segments: impl Iterator<Item = &'s SegmentKpis>) -> BTreeSet<&'s str> {
    let hints = segments.flat_map(|segment| &segment.hints);
    hints.map(String::as_str).collect()
}

fn row(name: &str, kpis: &Kpis, amounts: Amounts) -> Vec<String> {
    vec![
        name.to_owned(),
        count(kpis.customers),
        percent(Some(kpis.customer_share)),
        percent(kpis.revenue_share),
        amounts.bare(kpis.average_order_value_minor),
        percent(kpis.repeat_rate),
        number(kpis.expected_orders, 2),
        amounts.bare(kpis.clv_minor),
        percent(kpis.churn_risk),
    ]
}

fn churn(report: &Report, amounts: Amounts) -> String {
    let mut text = heading(&format!(
        "Who is leaving (churn: probability of no order within {})",
        days(report.churn_horizon_days)
    ));
    match &report.churn_levels {
        None => text.push_str(&segments_table(&family(report, &["churn"]), amounts)),
        Some(_) => {
            text.push_str(&segments_table(&family(report, &["churn"]), amounts));
            let [two, three, four, five] = report.churn_level_thresholds.map(|t| percent(Some(t)));
            let line = format!(
                "churn levels: 1 very low; 2 low from {two}; 3 medium from {three}; 4 high from {four}; 5 critical from {five}"
            );
            let _ = writeln!(text, "{}", faint(&line));
        }
    }
    if let Some(models) = &report.models {
        text.push_str(&models_text(models));
    }
    if let Some(advice) = &report.dormancy_advice {
        text.push_str(&warning(&format!(
            "{} of the gaps between orders are longer than the {} days after which a customer is \
             called dormant: many of them come back; consider `lifecycle.dormant_days = {}`",
            percent(Some(advice.share_of_gaps_beyond)),
            advice.dormant_days,
            advice.proposed_days
        )));
    }
    text
}

/// The models in use, what a baseline did better, and what a reader must know.
fn models_text(models: &ModelsLine) -> String {
    let mut text = String::new();
    let day = &models.fitted_as_of[..10];
    let name = |of: Use, name: &Option<String>| match name {
        None => "none".to_owned(),
        Some(name) if of.of(models.uses) => name.clone(),
        Some(name) => format!("none ({name} is not good enough)"),
    };
    let bias = models
        .holdout_bias
        .map_or_else(unknown, |bias| format!("{:+.1} %", bias * 100.0));
    let mut lines = vec![format!(
        "models fitted as of {day}: orders by {}, churn by {}, CLV by {}",
        name(Use::Orders, &models.orders),
        name(Use::Churn, &models.churn),
        name(
            Use::Value,
            &models
                .value
                .as_ref()
                .map(|name| format!("{name} with Gamma-Gamma"))
        )
    )];
    if models.holdout_bias.is_some() || models.holdout_auc.is_some() {
        lines.push(format!(
            "on held-out data: predicted orders {bias} against what came, AUC of churn {} (1 is perfect, 0.5 is a coin)",
            number(models.holdout_auc, 3)
        ));
    }
    for line in lines {
        let _ = writeln!(text, "{}", faint(&line));
    }
    for of in Use::ALL {
        let lost: Vec<String> = models
            .lost
            .iter()
            .filter(|figure| figure.of == of)
            .map(|figure| {
                let lost = &figure.lost;
                let [baseline, model] = lost_values(lost);
                let figure = figure_name(&lost.figure);
                format!("{figure} ({}: {baseline} against {model})", lost.baseline)
            })
            .collect();
        if !lost.is_empty() {
            let line = format!(
                "a naive baseline is better for {} in {}",
                of.name(),
                lost.join(", ")
            );
            let _ = writeln!(text, "{}", faint(&line));
        }
    }
    for warn in &models.warnings {
        text.push_str(&warning(warn));
    }
    text
}

/// Rows of the table of those who moved.
const MOVES_SHOWN: usize = 12;

fn moves(report: &Report, zone: &Zone) -> String {
    let moves = &report.moves;
    let mut text = heading(&format!(
        "Who moved since {} ({} days)",
        moment(&moves.since, zone),
        moves.days
    ));
    let header = [
        ("from", Align::Left),
        ("to", Align::Left),
        ("customers", Align::Right),
    ];
    let rows: Vec<Vec<String>> = moves
        .flows
        .iter()
        .take(MOVES_SHOWN)
        .map(|flow| vec![flow.from.clone(), flow.to.clone(), count(flow.customers)])
        .collect();
    if rows.is_empty() {
        let _ = writeln!(text, "  nobody");
    } else {
        text.push_str(&table(&header, &rows));
        let more = moves.flows.len().saturating_sub(MOVES_SHOWN);
        if more > 0 {
            let customers = moves
                .flows
                .iter()
                .skip(MOVES_SHOWN)
                .map(|flow| flow.customers);
            let note = format!(
                "and {more} more, of {}: `--format json` has them all",
                counted(customers.sum(), "customer")
            );
            let _ = writeln!(text, "{}", faint(&note));
        }
        let note =
            "both moments seen with today's fit and thresholds; `absent` was no customer yet";
        let _ = writeln!(text, "{}", faint(note));
    }
    text
}

fn quality(report: &Report, amounts: Amounts, rejects: Rejects) -> String {
    let quality = &report.quality;
    let mut text = heading("The data");
    let _ = writeln!(
        text,
        "  {} in {}",
        counted(quality.rows, "row"),
        counted(quality.imports, "import")
    );
    let mut note = |number: u64, what: &str| {
        if number > 0 {
            text.push_str(&warning(&format!("{what}: {}", count(number))));
        }
    };
    note(
        quality.rejected_rows,
        match rejects {
            Rejects::Kept => "rows that could not be read (see rejects/)",
            Rejects::Gone => "rows that could not be read",
        },
    );
    note(
        quality.rows_without_customer,
        "rows with neither a customer nor an e-mail",
    );
    note(quality.orders_without_date, "orders without a date");
    note(
        quality.orders_without_amount,
        "orders without an amount, or with a line without one: it counts as 0",
    );
    note(
        quality.refunds_left_out,
        "refunds have no order, no date or no amount",
    );
    note(
        quality.conflicting_versions,
        "orders that stood differently in files of one import",
    );
    note(
        quality.reassigned_orders,
        "orders that were given to different customers: one of them has each",
    );
    note(
        quality.orders_not_counted,
        "orders that do not count (cancelled, unpaid or refunded in full)",
    );
    note(
        quality.unmatched_credits,
        &format!(
            "credits and refunds that find no order with that much left to give back ({} in all)",
            amounts.full(quality.unmatched_credit_minor)
        ),
    );
    note(
        quality.refunds_without_order,
        "refunds of an order that is not there",
    );
    note(
        quality.later_records,
        "records later than this moment, not looked at",
    );
    note(
        quality.orders_without_rate,
        "orders of events without amounts: their currency has no rate in regulars.toml",
    );
    note(
        quality.orders_before_1990,
        "orders dated before 1990, most likely mistyped: models take them for what they say",
    );
    text
}
