//! The words that every crate shares: ids, time, money, orders, events, carts, traits, settings.
//!
//! Nothing here reads a file, a clock or the network.
//! A type lives here when three crates use it; otherwise it lives where it is used.

mod cart;
mod event;
mod id;
mod list;
mod money;
mod order;
mod settings;
mod time;
mod trait_def;
mod window;

pub use cart::Cart;
pub use event::{
    Cause, Direction, Event, EventKind, Properties, PropertyValue, Transition, TransitionId,
    TransitionIdError,
};
pub use id::{
    CustomerId, OrderKey, Partition, RefundKey, SegmentName, SegmentNameError, Symbol, Symbols,
};
pub use list::List;
pub use money::{
    AmountError, Currency, CurrencyError, Money, divide_half_even, format_minor, parse_minor,
};
pub use order::{LineRecord, Order, OrderLine, OrderStatus, RecordKind};
pub use settings::{
    CartSettings, ChurnSettings, ClvSettings, Grain, LifecycleSettings, ModelSettings,
    PriceSettings, PurchaseModelChoice, SeasonSettings, SessionSettings, Settings, TimeUnit,
    TrialSettings, ValueSettings,
};
pub use time::{CivilDate, DAY_MS, HOUR_MS, Timestamp, Zone, ZoneError};
pub use trait_def::{DEVICES, DataNeed, Motion, Trait, TraitDef, TraitKind, TraitValue};
pub use window::{CalendarUnit, Window};
