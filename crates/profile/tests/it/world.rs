//! A plain shop as the profile crate takes it.

use regulars_core::{Currency, CustomerId, Symbols, Timestamp};
use regulars_profile::{
    Accounts, Context, Declared, Models, Population, Profile, RfmCutpoints, Share, TierCutpoints,
    Uses,
};
use regulars_stats::rfm::{Better, Cutpoints};
use regulars_testkit::history::{Customer, RawValue};
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
            .map(|(customer, id)| profile(customer, CustomerId(id), &mut symbols))
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
    customer
        .events
        .iter()
        .for_each(|event| profile.see(event.at));
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
