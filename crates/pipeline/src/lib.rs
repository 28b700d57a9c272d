//! The flows, written top to bottom.
//!
//! ```text
//! import    files ─► history
//! base      history ─► everyone at one moment: profiles, population, segments, scores
//! score     base ─► fitted, chosen and judged models ─► the log
//! report    base ─► the whole picture
//! live      events ─► the log, everyone kept up to date, transitions
//! deliver   transitions ─► what is to be sent where, and what became of it ─► the log
//! customer_view, account_view, members, kpi      what the commands show of a base
//! recorded  transitions ─► who was where from when to when
//! ```
//!
//! Nothing here prints or knows a terminal; nothing here is random or asks for the time.

mod workspace;

mod import;

mod account_view;
mod base;
mod catalogue;
mod last_day;
mod population;

mod fitted;
mod score;
mod steps;

mod customer_view;
mod identity;
mod kinds;
mod kpi;
mod members;
mod recorded;
mod report;

mod generate;

pub mod deliver;
pub mod live;

mod config;
mod error;
mod in_turn;
mod progress;
mod times;

pub use account_view::{AccountFigures, AccountView, account, accounts, customers_of_account};
pub use base::{
    AsOfReason, Base, Customers, FoldOptions, Folded, Membership, Scoring, as_of, trait_json,
};
pub use catalogue::{
    Catalogue, LIFECYCLE, MAX_CHANNELS, Origin, Segment, SegmentDraft, SegmentEdit,
};
pub use config::{
    Config, DeliveryConfig, IdentityConfig, ImportConfig, Rate, ServeConfig, WorkspaceConfig,
};
pub use customer_view::{
    CustomerView, ExplainedView, INTERVAL_SHARE, LineView, OrderView, ScoresView, SegmentView,
    TraitView, explain, find, unit_name, view,
};
pub use error::PipelineError;
pub use fitted::{
    Choice, Chosen, FittedModels, Holdout, Judged, PurchaseFitted, SpendFitted, Tried, Use,
};
pub use generate::{FileForm, files_of, generate};
pub use identity::{
    IdentityEvent, IdentityRecords, IdentityView, NameView, UnmergedView, WantedRecords,
    customer_named, identity_records, identity_view, unmerge,
};
pub use import::{
    DryFile, DryRun, EventCounts, FileReport, ImportOptions, ImportReport, IntakeCounts,
    OrderCounts, RefundCounts, RejectPolicy, RejectTally, RepeatPolicy, StoredRows, currency_of,
    dry_run, expand, import,
};
pub use kpi::{AllKpis, Kpis, OneSegment, SegmentKpis, kpis, kpis_of};
pub use members::{MEMBER_TRAITS, by_external_id, column_name, columns_of, row, write_parquet};
pub use progress::{Progress, Silent, Unit};
pub use recorded::{
    Interval, LastChange, MembershipHistory, Move, SegmentHistory, Span, SpanError, Stay,
    TransitionView, ids_of,
};
pub use report::{DormancyAdvice, Flow, LostFigure, ModelsLine, Moves, Quality, Report, report};
pub use score::{ScoreOptions, no_orders_then, score};
pub use times::Times;
pub use workspace::{CONFIG_FILE, Workspace};
