//! A plain shop as the profile crate takes it.

use regulars_core::{Currency, CustomerId, EventKind, Settings, Symbol, Symbols, Timestamp};
use regulars_profile::{
    Accounts, Arrival, Context, Declared, Models, Place, Population, Profile, RfmCutpoints, Share,
    Technology, TierCutpoints, Uses, VisitEvent, Visits,
};
use regulars_stats::rfm::{Better, Cutpoints};
use regulars_testkit::history::{Customer, RawEvent, RawValue};
use regulars_testkit::naive::{self, Shop};

/// Folded profiles, in the order of the shop's customers, and what they are seen against.
pub(crate) struct World {
    pub(crate) context: Context,
    pub(crate) profiles: Vec<Profile>,
}

impl World {
    pub(crate) fn of(shop: &Shop) -> Self {
        let mut symbols = Symbols::default();
        let profiles: Vec<Profile> = shop
            .everyone
            .iter()
            .zip(1..)
            .map(|(customer, id)| {
                let mut profile = profile(customer, CustomerId(id), &mut symbols);
                visit(&mut profile, customer, &shop.settings, &mut symbols);
                profile
            })
            .collect();
        let mut accounts = Accounts::default();
        accounts.count_anew(profiles.iter().filter_map(Share::of));
        let models = shop.models.as_ref().map(in_use);
        let mut context = Context {
            zone: shop.zone.clone(),
            currency: Currency::new("EUR").unwrap(),
            settings: shop.settings.clone(),
            symbols,
            accounts,
            population: Population::default(),
            models,
        };
        context.population = population(shop, &profiles, &context);
        Self { context, profiles }
    }
}

/// The models, in use for everything.
pub(crate) fn in_use(models: &naive::Models) -> Models {
    Models {
        orders: models.purchase,
        churn: models.purchase,
        value: models.purchase,
        spend: models.spend,
        unit: models.unit,
        grain: models.grain,
        uses: Uses {
            orders: true,
            churn: true,
            value: true,
        },
    }
}

/// Takes in the visits as they arrive, and all of them by time when one comes too late.
fn visit(profile: &mut Profile, of: &Customer, settings: &Settings, symbols: &mut Symbols) {
    let silence_ms = settings.sessions.silence_ms();
    let made = of.events.iter().zip(0..);
    let made = made.filter(|(event, _)| event.kind != EventKind::Identify);
    let mut events: Vec<VisitEvent> = made
        .map(|(event, offset)| visit_event(event, offset, symbols))
        .collect();
    let mut visits = Visits::default();
    let take = |visits: &mut Visits, event: &VisitEvent| {
        visits.says(event);
        visits.happened(event.occurred_at, silence_ms)
    };
    if !events.iter().all(|event| take(&mut visits, event)) {
        events.sort_by_key(|event| (event.occurred_at, event.offset));
        visits = Visits::default();
        assert!(events.iter().all(|event| take(&mut visits, event)));
    }
    profile.visits = (!events.is_empty()).then(|| Box::new(visits));
}

fn visit_event(event: &RawEvent, offset: u64, symbols: &mut Symbols) -> VisitEvent {
    let mut said = |name: &str| match event.properties.get(&format!("context.{name}")) {
        Some(RawValue::Text(text)) => symbols.intern(text),
        _ => Symbol::NONE,
    };
    VisitEvent {
        occurred_at: event.at,
        offset,
        technology: Technology {
            device: said("device"),
            os: said("os"),
            browser: said("browser"),
            app_version: said("app_version"),
        },
        place: Place {
            locale: said("locale"),
            country: said("country"),
            time_zone: said("timezone"),
        },
        arrival: Arrival {
            source: said("source"),
            medium: said("medium"),
            campaign: said("campaign"),
            referrer: said("referrer"),
            page: said("page"),
        },
    }
}

pub(crate) fn profile(customer: &Customer, id: CustomerId, symbols: &mut Symbols) -> Profile {
    let mut profile = Profile::new(id);
    for order in &customer.orders {
        order.with_order(symbols, |order| profile.fold(order));
    }
    for (name, value) in &customer.declared {
        let value = match value {
            RawValue::Text(text) => Declared::Text(symbols.intern(text)),
            RawValue::Number(number) => Declared::Number(*number),
            RawValue::Flag(flag) => Declared::Flag(*flag),
            other => panic!("no declared value: {other:?}"),
        };
        profile.declare(symbols.intern(name), value);
    }
    profile.account = symbols.intern(&customer.belongs_to);
    profile
}

fn population(shop: &Shop, profiles: &[Profile], context: &Context) -> Population {
    let buyers = || profiles.iter().filter(|profile| !profile.orders.is_empty());
    let cutpoints = |value: &dyn Fn(&Profile) -> i64| {
        let values: Vec<i64> = buyers().map(value).collect();
        Cutpoints::new(&values, Better::Larger)
    };
    let last_day = |profile: &Profile| {
        let last: Timestamp = profile.last_order_at().unwrap();
        i64::from(context.date_of(last).0)
    };
    Population {
        limits_as_of: None,
        first_order_at: buyers().filter_map(Profile::first_order_at).min(),
        usual_gap_days: naive::usual_gap_days(shop),
        rfm: buyers().next().map(|_| RfmCutpoints {
            recency: cutpoints(&last_day),
            frequency: cutpoints(&|profile| profile.orders.len() as i64),
            monetary: cutpoints(&|profile| profile.revenue_minor),
        }),
        tiers: naive::last_of_tiers(shop).map(|(high_minor, medium_minor)| TierCutpoints {
            high_minor,
            medium_minor,
        }),
        median_order_value_minor: naive::median_order_value(shop).map(|half| half.ceil() as i64),
        data: naive::data(shop),
    }
}
