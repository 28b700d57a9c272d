//! Small random shops: what is computed over everyone, and the lifecycle, are what they are by
//! definition.

use proptest::prelude::*;
use regulars_core::{
    Currency, CustomerId, DAY_MS, DataNeed, Symbols, Timestamp, Trait, TraitValue,
};
use regulars_profile::{Accounts, Declared, Models, Uses};
use regulars_rules::{Keep, Program};
use regulars_testkit::generate;
use regulars_testkit::history::{self, RawValue};
use regulars_testkit::naive::{self, Shop};
use regulars_testkit::text::state_as_text;

use super::*;
use crate::base::Folded;
use crate::catalogue::{Catalogue, LIFECYCLE};
use crate::config::Config;

/// Everyone of a plain shop, folded, with what they are seen against.
fn folded(shop: &Shop) -> (Customers, Context) {
    let mut symbols = Symbols::default();
    let customers = shop
        .everyone
        .iter()
        .zip(1..)
        .map(|(customer, id)| Folded::new(profile(customer, CustomerId(id), &mut symbols)))
        .collect();
    let customers = Customers::new(vec![customers]);
    let models = shop.models.as_ref().map(|models| Models {
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
    });
    let mut context = Context {
        zone: shop.zone.clone(),
        currency: Currency::new("EUR").unwrap(),
        settings: shop.settings.clone(),
        symbols,
        accounts: Accounts::default(),
        population: Population::default(),
        models,
    };
    context.population = of(
        &customers,
        &Products::default(),
        &context,
        None,
        (shop.compared_at, 2),
    );
    let data = &mut context.population.data;
    if let Some(models) = &context.models {
        data.insert(DataNeed::PurchaseFit);
        data.extend([DataNeed::OrdersFit, DataNeed::ChurnFit]);
        data.extend(models.spend.map(|_| DataNeed::ValueFit));
    }
    (customers, context)
}

fn profile(customer: &history::Customer, id: CustomerId, symbols: &mut Symbols) -> Profile {
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

/// The ready-made segments with the settings of the shop, which must be allowed ones.
fn program(shop: &Shop, context: &Context) -> (Catalogue, Program) {
    let config = Config::new("shop", context.currency, context.zone.name());
    let text = toml::to_string(&config.with_settings(shop.settings.clone())).unwrap();
    let config = Config::parse(&text).unwrap();
    let catalogue = Catalogue::load(&config, None).unwrap();
    let program = catalogue.compile(&context.symbols, Keep::Needed).unwrap();
    (catalogue, program)
}

fn is_same(value: TraitValue<'_>, wanted: &RawValue) -> bool {
    match (value, wanted) {
        (TraitValue::Missing, RawValue::Missing) => true,
        (TraitValue::Integer(a), RawValue::Integer(b)) => a == *b,
        (TraitValue::Number(a), RawValue::Number(b)) => (a - b).abs() <= 1e-7 * a.abs().max(1.0),
        (TraitValue::Text(a), RawValue::Text(b)) => a == b,
        (TraitValue::Flag(a), RawValue::Flag(b)) => a == *b,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn everyone_is_compared_with_everyone(shop in generate::shop()) {
        let (customers, context) = folded(&shop);
        let mut data = naive::data(&shop);
        // Told by the log, not by the population.
        data.remove(&DataNeed::Events);
        prop_assert_eq!(&context.population.data, &data);
        for (raw, folded) in shop.everyone.iter().zip(customers.iter()) {
            let customer = Customer::new(&folded.profile, &context);
            for which in [
                Trait::RecencyScore,
                Trait::FrequencyScore,
                Trait::MonetaryScore,
                Trait::RfmGroup,
                Trait::ValueTier,
                Trait::AboveMedianOrderValue,
                Trait::UsualRange,
            ] {
                let got = customer.value_in(which, shop.compared_at);
                let wanted = naive::value(which, raw, &shop, shop.compared_at);
                prop_assert!(
                    is_same(got, &wanted),
                    "{}: {got:?} instead of {wanted:?}\n{}",
                    which.def().name,
                    state_as_text(raw)
                );
            }
        }
    }

    #[test]
    fn everyone_is_in_the_segment_of_their_stage_and_in_no_other(shop in generate::shop()) {
        let (customers, context) = folded(&shop);
        let (catalogue, program) = program(&shop, &context);
        let (mut scratch, mut members) = (program.new_scratch(), program.no_memberships());
        let states = program.new_states();
        for (raw, folded) in shop.everyone.iter().zip(customers.iter()) {
            let customer = Customer::new(&folded.profile, &context);
            for days in [0, 1, 29, 30, 31, 60, 90, 365] {
                let now: Timestamp = shop.compared_at.plus_ms(days * DAY_MS);
                program.evaluate(&states, &customer, now, &mut scratch, &mut members);
                let within: Vec<&str> = members
                    .iter()
                    .map(|segment| catalogue.segments()[segment].name.as_str())
                    .filter(|name| LIFECYCLE.contains(name))
                    .collect();
                prop_assert_eq!(
                    within,
                    vec![naive::stage(raw, &shop, now)],
                    "at {}\n{}",
                    now,
                    state_as_text(raw)
                );
                prop_assert_eq!(customer.lifecycle(now), naive::stage(raw, &shop, now));
            }
        }
    }
}
