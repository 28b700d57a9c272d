//! How often customers order and whether they still do: buy-till-you-die models.
//!
//! A customer is seen as (x, `t_x`, T): x repeat orders (distinct periods less one), the last of them
//! `t_x` after the first order, observed until T after it, in one unit of time that the caller
//! chooses. Common assumptions:
//!
//! 1. While alive, a customer orders at random at a rate λ of their own (Poisson).
//! 2. λ varies between customers as Gamma(r, rate α).
//! 3. How customers leave, unseen, is what tells the models apart: [`BgNbd`] may drop out after each
//!    repeat order, [`MbgNbd`] also after the first order, [`ParetoNbd`] at any moment, [`Nbd`]
//!    never.
//!
//! [`PurchaseSummary`] → [`GroupedSummaries`] → [`fit_purchase`] → [`PurchaseModel`] →
//! [`score_orders`].
//!
//! Every model predicts through the same two pieces: P(alive) given the history, and the
//! [`Future`] of a customer who is alive at T. Churn risk is the probability of no order in a
//! horizon, never 1 − P(alive).

mod summary;

mod model;

mod bg_nbd;
mod mbg_nbd;
mod nbd;
mod pareto_nbd;

mod fit;
mod forecast;
mod future;
mod geometric;
mod lomax;
mod score;
mod tables;
mod uncertainty;

pub use bg_nbd::BgNbd;
pub use fit::{PurchaseFit, fit_purchase, fit_purchase_or_nbd};
pub use forecast::{Forecast, OrdersInterval, usual_gap_quantile};
pub use future::Future;
pub use mbg_nbd::MbgNbd;
pub use model::{PurchaseKind, PurchaseModel};
pub use nbd::Nbd;
pub use pareto_nbd::ParetoNbd;
pub use score::{OrderScore, ScoreOptions, map_histories, score_orders};
pub use summary::{Checked, Group, GroupedSummaries, PurchaseSummary, SummaryCounts, SummaryFault};
pub use uncertainty::{
    SlopeTable, Slopes, probability_interval, relative_variance, total_interval,
};
