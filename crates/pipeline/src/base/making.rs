//! How a base is made: facts first, then what they are seen against, then states of conditions.

use std::collections::{BTreeMap, HashSet};

use foldhash::fast::FixedState;
use regulars_core::{DataNeed, OrderKey, Symbol, Symbols, Timestamp};
use regulars_profile::{Accounts, Context, Customer, Ledger, Population, Product, Products, Share};
use regulars_rules::{LeafStates, Program};
use regulars_store::Store;
use regulars_store::history::SymbolTable;

use super::ahead::{self, Ahead};
use super::fold::{FoldedEvents, Known, Noting, Part, Scratch, Source};
use super::{Base, Customers, FoldOptions, Folded, Scoring, contested};
use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::error::PipelineError;
use crate::fitted::FittedModels;
use crate::live::contested::Claim;
use crate::live::orders::{Claims, Orders};
use crate::live::told::Tellings;
use crate::live::{retell, visits};
use crate::population::{self, Limits};
use crate::progress::Progress;
use crate::steps::Steps;

impl Base {
    /// Folds the whole history at `options.now`.
    ///
    /// # Errors
    /// When a file of the store cannot be read, or a segment does not make sense.
    pub fn fold(
        store: &Store,
        config: &Config,
        catalogue: &Catalogue,
        options: FoldOptions,
        progress: &dyn Progress,
    ) -> Result<Self, PipelineError> {
        let tellings = Tellings::arrived_by(store, options.now, options.threads)?;
        let by = (&config.settings(), &config.zone());
        let limits = Limits::in_force(store, u64::MAX, by, options.now)?;
        let told = (&tellings, limits, Noting::Claims);
        Self::fold_told(store, config, catalogue, options, told, progress)
    }

    /// Folds the whole history, and what the log tells beside it; everyone is seen against the limits
    /// in force or, where there are none, those of `options.now`.
    pub(crate) fn fold_told(
        store: &Store,
        config: &Config,
        catalogue: &Catalogue,
        options: FoldOptions,
        (tellings, limits, noting): (&Tellings, Option<Limits>, Noting),
        progress: &dyn Progress,
    ) -> Result<Self, PipelineError> {
        let mut steps = Steps::begin();
        let mut symbols = Symbols::default();
        let products = load_products(store, &mut symbols)?;
        let orders = Orders::new(config, Claims::default(), &mut symbols);
        let has_events = !tellings.is_empty();
        let ahead = Ahead::compile(catalogue, &mut symbols, has_events, options)?;
        let vault = has_events.then(|| store.vault()).transpose()?;
        let table = SymbolTable::new(symbols);
        let history = store.history();
        let unsettled = Source {
            history: &history,
            products: &products,
            table: &table,
            now: options.now,
            threads: options.threads,
            progress,
            tellings,
            orders: &orders,
            vault,
        };
        steps.done("products and identities are loaded");
        let (parts, orders) = settled_facts(&unsettled, noting, ahead.as_ref(), &mut steps)?;
        let source = Source {
            orders: &orders,
            ..unsettled
        };
        let Part {
            folded,
            states,
            oddities,
            later_records,
            orders_without_rate,
            mut noted,
            names_products,
        } = put_together(parts);
        let customers = Customers::new(folded);
        let mut context = context(&customers, (&products, &table), config, limits, options);
        if has_events {
            context.population.data.insert(DataNeed::Events);
        }
        let said = std::mem::take(&mut noted.accounts);
        context.accounts = accounts(said, &customers, &context.symbols);
        if names_products {
            context.population.data.insert(DataNeed::Products);
        }
        let of_channels = channels(&customers, &context, options.threads);
        let catalogue = catalogue.clone().with_channels(&of_channels)?;
        let program = catalogue.compile(&context.symbols, options.keep)?;
        steps.done("what everyone is seen against is known");
        let states = match (options.scoring, &ahead) {
            (Scoring::None, _) => Vec::new(),
            (_, Some(ahead)) if ahead.is_as(&program) => states,
            _ => {
                drop(states);
                remembered(&source, &program, options.looked_at_from)?
            }
        };
        steps.done("conditions are folded");
        let mut base = Self {
            now: options.now,
            customers,
            context,
            products,
            catalogue,
            no_states: program.new_states(),
            program,
            states,
            fitted: None,
            oddities,
            later_records,
            orders_without_rate,
            noted,
            orders,
        };
        if let Some(fitted) = fit_for(store, options)? {
            base.score_with(fitted, options.threads);
            steps.done("everyone is scored");
        }
        Ok(base)
    }
}

/// What is known of accounts: what was said of each, within bounds, and what the customers come to.
fn accounts(said: Accounts, customers: &Customers, symbols: &Symbols) -> Accounts {
    let mut accounts = said;
    accounts.keep_all_within_bounds(symbols);
    let shares = customers.iter().filter_map(|of| Share::of(&of.profile));
    accounts.count_anew(shares);
    accounts
}

/// All partitions as one whose customers are those of each.
fn put_together(parts: Vec<Part<Folded>>) -> Part<Vec<Folded>> {
    let mut all = Part::default();
    let claims = parts.iter().map(|part| part.noted.claims.len());
    all.noted.claims.reserve(claims.sum());
    for part in parts {
        all.folded.push(part.folded);
        all.states.extend(part.states);
        all.oddities.add(part.oddities);
        all.later_records += part.later_records;
        all.orders_without_rate += part.orders_without_rate;
        all.names_products |= part.names_products;
        all.noted.claims.extend(part.noted.claims);
        all.noted.visitors.extend(part.noted.visitors);
        all.noted.nobodies.extend(part.noted.nobodies);
        all.noted.returned.extend(part.noted.returned);
        all.noted.accounts.take(part.noted.accounts);
    }
    all
}

/// The products table by symbol.
pub(crate) fn load_products(
    store: &Store,
    symbols: &mut Symbols,
) -> Result<Products, PipelineError> {
    let mut products = Products::default();
    for row in store.products()? {
        let mut intern = |text: Option<String>| text.map(|text| symbols.intern(&text));
        let known = Product {
            category: intern(row.category),
            brand: intern(row.brand),
            unit_cost_minor: row.cost_minor,
        };
        products.insert(symbols.intern(&row.product), known);
    }
    Ok(products)
}

/// What customers are seen against, before there are models.
fn context(
    customers: &Customers,
    (products, table): (&Products, &SymbolTable),
    config: &Config,
    limits: Option<Limits>,
    options: FoldOptions,
) -> Context {
    let mut context = Context {
        zone: config.zone(),
        currency: config.workspace.currency,
        settings: config.settings(),
        symbols: table.snapshot(),
        population: Population::default(),
        accounts: Accounts::default(),
        models: None,
    };
    let FoldOptions { now, threads, .. } = options;
    let at = (now, threads);
    context.population = population::of(customers, products, &context, limits, at);
    context
}

/// What conditions remember of everyone who is looked at from `from` on; empty when none remembers
/// anything.
fn remembered(
    source: &Source<'_>,
    program: &Program,
    from: Timestamp,
) -> Result<Vec<LeafStates>, PipelineError> {
    if !ahead::remembers(program, !source.tellings.is_empty()) {
        return Ok(Vec::new());
    }
    let starts = program.window_starts(from);
    let fold = |_: &mut Scratch<'_>, ledger: &Ledger, known: &Known<'_>| {
        Ok(ahead::states_of(program, &starts, ledger, known))
    };
    let parts = source.fold("folding conditions", Noting::Nothing, &fold)?;
    Ok(parts.into_iter().flat_map(|part| part.folded).collect())
}

/// How many customers first came by each channel.
fn channels<'c>(
    customers: &Customers,
    context: &'c Context,
    threads: usize,
) -> BTreeMap<&'c str, u64> {
    let parts = customers.in_runs(threads, |_, run| {
        let mut customers_of: BTreeMap<Symbol, u64> = BTreeMap::new();
        for folded in run {
            let channel = Customer::new(&folded.profile, context).first_channel();
            if channel != Symbol::NONE {
                *customers_of.entry(channel).or_default() += 1;
            }
        }
        customers_of
    });
    let mut customers_of: BTreeMap<Symbol, u64> = BTreeMap::new();
    for (channel, n) in parts.into_iter().flatten() {
        *customers_of.entry(channel).or_default() += n;
    }
    let named = customers_of.into_iter();
    named
        .map(|(channel, n)| (context.symbols.text(channel), n))
        .collect()
}

/// The fit that everyone is scored with.
fn fit_for(store: &Store, options: FoldOptions) -> Result<Option<FittedModels>, PipelineError> {
    match options.scoring {
        Scoring::FitThen => FittedModels::in_use_at(store, options.now),
        Scoring::LatestFit => FittedModels::latest(store),
        Scoring::None => Ok(None),
    }
}

/// The claims of orders that several customers may claim.
///
/// In files an order is one customer's, unless identities of theirs were parted since: otherwise an
/// event tells of it, and those are few.
fn contestable(parts: &[Part<Folded>], noting: Noting, tellings: &Tellings) -> Vec<Claim> {
    let claims = parts.iter().flat_map(|part| &part.noted.claims).copied();
    if noting != Noting::ForLive || !tellings.parted.is_empty() {
        return claims.collect();
    }
    let told = parts.iter().flat_map(|part| &part.noted.told).copied();
    let told: HashSet<OrderKey, FixedState> = told.collect();
    claims.filter(|(order, _)| told.contains(order)).collect()
}

/// The facts of everyone, and the orders that several customers claim: with those, facts are folded
/// again.
fn settled_facts(
    unsettled: &Source<'_>,
    noting: Noting,
    ahead: Option<&Ahead>,
    steps: &mut Steps,
) -> Result<(Vec<Part<Folded>>, Orders), PipelineError> {
    let parts = facts(unsettled, noting, ahead)?;
    steps.done("facts are folded");
    let claims = contestable(&parts, noting, unsettled.tellings);
    let contested = contested::contested(unsettled, noting, &claims)?;
    let orders = unsettled.orders.with_contested(contested);
    steps.done("orders of several customers are settled");
    if orders.contested.is_empty() {
        return Ok((parts, orders));
    }
    let source = Source {
        orders: &orders,
        ..*unsettled
    };
    drop(parts);
    let parts = facts(&source, noting, ahead)?;
    steps.done("facts are folded again");
    Ok((parts, orders))
}

/// The facts of everyone, and what conditions that could be compiled `ahead` remember of them.
fn facts(
    source: &Source<'_>,
    noting: Noting,
    ahead: Option<&Ahead>,
) -> Result<Vec<Part<Folded>>, PipelineError> {
    let of_one = |scratch: &mut Scratch<'_>, ledger: &Ledger, known: &Known<'_>| {
        let states = ahead.map(|ahead| ahead.states(ledger, known));
        scratch.states.extend(states);
        profiles(scratch, ledger, known, (source.orders, source.table))
    };
    source.fold("folding", noting, &of_one)
}

/// The facts of one customer.
fn profiles(
    scratch: &mut Scratch<'_>,
    ledger: &Ledger,
    known: &Known<'_>,
    (orders, table): (&Orders, &SymbolTable),
) -> Result<Folded, serde_json::Error> {
    let Scratch {
        profile,
        places,
        declaring,
        ..
    } = scratch;
    places.leave(profile);
    profile.reset(known.customer);
    for order in ledger.orders() {
        profile.fold_with(places, &order);
    }
    profile.refunds_minor += ledger.refunded_elsewhere_minor();
    declaring.declare(profile, known.rows)?;
    let identified_at = retell::declare(profile, known.told, table, orders.zone());
    visits::take_all(profile, known.told, table, orders.session_silence_ms());
    let grouped_at = retell::join(profile, known.told, table);
    // A copy has the memory that it needs and no more.
    let mut folded = Folded::new(profile.clone());
    let received = known.told.iter().map(|told| told.event.received_at);
    if let Some(received_at) = received.max() {
        folded.told = Some(Box::new(FoldedEvents {
            carts: retell::carts_of(known.told, known.records, orders, table),
            identified_at,
            grouped_at,
            received_at,
            has_moved: known.has_moved,
        }));
    }
    Ok(folded)
}
