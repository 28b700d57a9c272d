//! One customer as a pure state machine.
//!
//! ```text
//! records ──Ledger──► orders that count ──Profile::fold──► facts
//!                                                            │ + Context (settings, everyone else, models)
//!                                                            ▼
//!                                            Customer: traits, scores, lifecycle, at any `now`
//!                                                            │ + rules::Program
//!                                                            ▼
//!                                            Member: memberships, transitions, the next wake-up
//! ```
//!
//! Nothing here does I/O or knows a clock; the same records give the same state, whatever their
//! order of arrival.

mod ledger;

mod profile;

mod accounts;
mod carts;
mod context;
mod customer;
mod member;
mod visits;

mod lifecycle;
mod rfm;
mod rhythm;
mod scores;
mod sequences;
mod steps;

pub use accounts::{Account, Accounts, Figures, SaidAt, Share};
pub use carts::{CartChange, CartItem, Carts};
pub use context::{Context, Models, Population, RfmCutpoints, TierCutpoints, Uses};
pub use customer::Customer;
pub use ledger::{Ledger, Oddities, Product, Products};
pub use member::{Flip, Member, World};
pub use profile::{
    Declared, Discounts, OrderFact, Places, Profile, PurchaseHistory, Purchases, Shares,
};
pub use rfm::RfmScores;
pub use scores::{Scores, churn_level, score_all};
pub use visits::{AllSessions, Arrival, Place, Session, Sessions, Technology, VisitEvent, Visits};
