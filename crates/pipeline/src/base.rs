//! The customer base at one moment: everyone folded, with what they are seen against.
//!
//! ```text
//! history ──fold (ledger, profile), partition by partition──► customers
//!         customers ─► population (cut points, medians, which data there is)
//!         log ───────► fitted models ─► scores of everyone
//! history ──fold once more, only if a segment looks at orders in windows──► states of conditions
//! ```
//!
//! Conditions on texts of orders (`category contains 'shoe'`) are compiled when all texts are
//! known, which is after the first fold.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use regulars_core::{
    CustomerId, DataNeed, LineRecord, Partition, Symbol, Symbols, Timestamp, TraitValue,
};
use regulars_profile::{
    Context, Customer, Declared, Ledger, Models, Oddities, Population, Product, Products, Profile,
    Scores, score_all,
};
use regulars_rules::{Availability, Keep, LeafStates, Memberships, Program};
use regulars_stats::Parallelism;
use regulars_store::Store;
use regulars_store::history::{CustomerRow, History, SymbolTable};
use serde::Serialize;
use serde_json::Value;

use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::error::PipelineError;
use crate::fitted::{FittedModels, missing_because};
use crate::population;
use crate::progress::{Progress, Unit};

/// One customer of the base.
#[derive(Debug, Clone)]
pub struct Folded {
    /// The facts.
    pub profile: Profile,
    /// Scores at the base's `now`.
    pub scores: Option<Scores>,
}

/// Everyone at one moment.
#[derive(Debug)]
pub struct Base {
    /// The moment.
    pub now: Timestamp,
    /// Everyone, by canonical id: an order that means nothing to a user.
    pub customers: Vec<Folded>,
    /// What they are seen against.
    pub context: Context,
    /// The products table.
    pub products: Products,
    /// The segments, with one for each channel.
    pub catalogue: Catalogue,
    /// The segments, compiled; numbered as in the catalogue.
    pub program: Program,
    /// What conditions on orders know, one for each customer; empty when no segment has any.
    states: Vec<LeafStates>,
    no_states: LeafStates,
    /// The fit behind the models, once there is one.
    pub fitted: Option<FittedModels>,
    /// What was odd in the records.
    pub oddities: Oddities,
    /// Records after `now`, which were not looked at.
    pub later_records: u64,
}

/// What a base is folded with.
#[derive(Debug, Clone, Copy)]
pub struct FoldOptions {
    /// The moment.
    pub now: Timestamp,
    /// Threads to use; never affects the result.
    pub threads: usize,
    /// Whether scores are computed.
    pub scoring: Scoring,
    /// How much of the orders conditions keep.
    pub keep: Keep,
}

impl FoldOptions {
    /// For a look at everyone: scored with the fit that was in use then.
    pub fn at(now: Timestamp, threads: usize) -> Self {
        Self {
            now,
            threads,
            scoring: Scoring::FitThen,
            keep: Keep::Needed,
        }
    }
}

/// Whether scores are computed for everyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scoring {
    /// With the fit that was in use at that moment, if there was one.
    FitThen,
    /// With the latest fit, whenever it was made.
    LatestFit,
    /// Not: the fold is the ground for a new fit.
    None,
}

/// What fills the time between the last order and the end of its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AsOfReason {
    /// It was asked for.
    Given,
    /// It is the end of the last day in the data.
    LastDay,
}

/// The `now` of a batch command: what was asked for, else the end of the last day with an order.
///
/// # Errors
/// When there are no orders.
pub fn as_of(
    store: &Store,
    config: &Config,
    given: Option<Timestamp>,
) -> Result<(Timestamp, AsOfReason), PipelineError> {
    if let Some(given) = given {
        return Ok((given, AsOfReason::Given));
    }
    let summary = store
        .history()
        .summary(regulars_store::manifest::Family::Orders);
    let (_, last) = summary.span.ok_or(PipelineError::NoOrders)?;
    let zone = config.zone();
    Ok((zone.end_of(zone.date_of(last)), AsOfReason::LastDay))
}

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
        let mut symbols = Symbols::default();
        let products = load_products(store, &mut symbols)?;
        let table = SymbolTable::new(symbols);
        let history = store.history();
        let source = Source {
            history: &history,
            products: &products,
            table: &table,
            options,
            progress,
        };
        let mut customers = Vec::new();
        let mut oddities = Oddities::default();
        let mut later_records = 0;
        for part in source.fold("folding", &profiles)? {
            customers.extend(part.folded);
            oddities.add(part.oddities);
            later_records += part.later_records;
        }
        let mut context = Context {
            zone: config.zone(),
            currency: config.workspace.currency,
            settings: config.settings(),
            symbols: table.snapshot(),
            population: Population::default(),
            models: None,
        };
        context.population = population::of(&customers, &products, &context, options.now);
        let catalogue = catalogue
            .clone()
            .with_channels(&channels(&customers, &context.symbols))?;
        let program = catalogue.compile(&context.symbols, options.keep)?;
        let mut states = Vec::new();
        if program.measure_count() > 0 {
            let fold = |ledger: &Ledger, _: CustomerId, _: &[CustomerRow], _: &SymbolTable| {
                let mut states = program.new_states();
                for order in ledger.orders() {
                    program.fold(&mut states, &order);
                }
                states
            };
            for part in source.fold("folding conditions", &fold)? {
                states.extend(part.folded);
            }
        }
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
        };
        let fitted = match options.scoring {
            Scoring::FitThen => FittedModels::in_use_at(store, options.now)?,
            Scoring::LatestFit => FittedModels::latest(store)?,
            Scoring::None => None,
        };
        if let Some(fitted) = fitted {
            base.score_with(fitted, options.threads);
        }
        Ok(base)
    }

    /// Takes models into use and scores everyone with them.
    pub fn score_with(&mut self, fitted: FittedModels, threads: usize) {
        self.context.models = fitted.models();
        self.context.population.data.extend(fitted.gives());
        self.fitted = Some(fitted);
        let profiles: Vec<&Profile> = self.customers.iter().map(|c| &c.profile).collect();
        let threads = Parallelism::threads(threads);
        let scores = score_all(&profiles, &self.context, self.now, threads);
        for (folded, scores) in self.customers.iter_mut().zip(scores) {
            folded.scores = scores;
        }
    }

    /// Why such data is missing, for a person, and what to do about it.
    pub fn missing_because(&self, need: DataNeed) -> &'static str {
        missing_because(need, self.fitted.as_ref())
    }

    /// A customer in the base's context.
    pub fn customer<'a>(&'a self, folded: &'a Folded) -> Customer<'a> {
        Customer {
            profile: &folded.profile,
            context: &self.context,
            scored: folded.scores.map(|scores| (self.now, scores)),
        }
    }

    /// Position of the customer of that id.
    pub fn position(&self, customer: CustomerId) -> Option<usize> {
        self.customers
            .binary_search_by_key(&customer, |folded| folded.profile.customer)
            .ok()
    }

    /// Whether the size of each segment can be known from the data that is there.
    pub fn availability(&self) -> Vec<Availability> {
        self.program
            .availability(&|need| self.context.population.has(need))
    }

    /// Evaluates every segment for everyone on `threads` threads: each thread folds its customers
    /// into one `start()`; the results come in the order of customers.
    pub fn evaluate<T: Send>(
        &self,
        threads: usize,
        start: impl Fn() -> T + Sync,
        each: impl Fn(&mut T, usize, &Folded, &Memberships) + Sync,
    ) -> Vec<T> {
        let chunk = self.customers.len().div_ceil(threads.max(1)).max(1);
        let run = |part: usize, customers: &[Folded]| {
            let mut sum = start();
            let mut scratch = self.program.new_scratch();
            let mut members = self.program.no_memberships();
            for (offset, folded) in customers.iter().enumerate() {
                let index = part * chunk + offset;
                let customer = self.customer(folded);
                self.program.evaluate(
                    self.states(index),
                    &customer,
                    self.now,
                    &mut scratch,
                    &mut members,
                );
                each(&mut sum, index, folded, &members);
            }
            sum
        };
        std::thread::scope(|scope| {
            let run = &run;
            let threads: Vec<_> = self
                .customers
                .chunks(chunk)
                .enumerate()
                .map(|(part, customers)| scope.spawn(move || run(part, customers)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("an evaluation does not panic"))
                .collect()
        })
    }

    /// Positions of the members of a segment, in no order that means anything.
    pub fn members(&self, segment: usize, threads: usize) -> Vec<usize> {
        self.evaluate(threads, Vec::new, |members, index, _, memberships| {
            if memberships.contains(segment) {
                members.push(index);
            }
        })
        .concat()
    }

    /// What conditions on orders know of the customer at that position.
    pub fn states(&self, index: usize) -> &LeafStates {
        self.states.get(index).unwrap_or(&self.no_states)
    }

    /// The fitted models in use.
    pub fn models(&self) -> Option<&Models> {
        self.context.models.as_ref()
    }
}

/// The products table by symbol.
fn load_products(store: &Store, symbols: &mut Symbols) -> Result<Products, PipelineError> {
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

/// The channels by which customers first came.
fn channels(customers: &[Folded], symbols: &Symbols) -> BTreeSet<String> {
    let channels: BTreeSet<Symbol> = customers
        .iter()
        .filter_map(|folded| folded.profile.first_channel.known())
        .collect();
    channels
        .into_iter()
        .map(|channel| symbols.text(channel).to_owned())
        .collect()
}

/// The facts of one customer: what is folded first.
fn profiles(
    ledger: &Ledger,
    customer: CustomerId,
    rows: &[CustomerRow],
    table: &SymbolTable,
) -> Folded {
    let mut profile = Profile::new(customer);
    for order in ledger.orders() {
        profile.fold(&order);
    }
    profile.refunds_minor += ledger.refunded_elsewhere_minor();
    profile.orders.shrink_to_fit();
    declare(&mut profile, rows, table);
    Folded {
        profile,
        scores: None,
    }
}

/// Makes something of one customer: their resolved orders and what was declared of them.
type FoldCustomer<'f, T> =
    &'f (dyn Fn(&Ledger, CustomerId, &[CustomerRow], &SymbolTable) -> T + Sync);

/// What one partition folds to.
struct Part<T> {
    folded: Vec<T>,
    oddities: Oddities,
    later_records: u64,
}

/// The history and what it is folded with.
#[derive(Clone, Copy)]
struct Source<'a> {
    history: &'a History,
    products: &'a Products,
    table: &'a SymbolTable,
    options: FoldOptions,
    progress: &'a dyn Progress,
}

impl Source<'_> {
    /// Folds every partition, in order, on several threads.
    fn fold<T: Send>(
        &self,
        phase: &str,
        fold: FoldCustomer<'_, T>,
    ) -> Result<Vec<Part<T>>, PipelineError> {
        self.progress
            .begin(phase, Partition::COUNT as u64, Unit::Partitions);
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let parts = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..self.options.threads.max(1) {
                scope.spawn(|| {
                    let mut ledger = Ledger::default();
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        if index >= Partition::COUNT {
                            return;
                        }
                        let partition = Partition(index as u16);
                        let part = self.fold_partition(partition, &mut ledger, fold);
                        if part.is_err() {
                            next.store(Partition::COUNT, Ordering::Relaxed);
                        }
                        parts
                            .lock()
                            .expect("no thread panics while it holds it")
                            .push((index, part));
                        self.progress
                            .advance(done.fetch_add(1, Ordering::Relaxed) as u64 + 1);
                    }
                });
            }
        });
        let mut parts = parts.into_inner().expect("all threads have ended");
        parts.sort_by_key(|(index, _)| *index);
        parts.into_iter().map(|(_, part)| part).collect()
    }

    /// Folds a partition: a merge of its orders and what was declared of its customers.
    fn fold_partition<T>(
        &self,
        partition: Partition,
        ledger: &mut Ledger,
        fold: FoldCustomer<'_, T>,
    ) -> Result<Part<T>, PipelineError> {
        let mut part = Part {
            folded: Vec::new(),
            oddities: Oddities::default(),
            later_records: 0,
        };
        let mut declared = self.history.customers(partition)?;
        let mut waiting = declared.next_customer()?.map(<[CustomerRow]>::to_vec);
        let mut orders = self.history.partition(partition, self.table)?;
        while let Some(records) = orders.next_customer()? {
            let customer = records[0].customer;
            while let Some(rows) = waiting.take_if(|rows| rows[0].customer < customer) {
                self.fold_customer(&mut part, ledger, fold, (&[], &rows));
                waiting = declared.next_customer()?.map(<[CustomerRow]>::to_vec);
            }
            let own = waiting.take_if(|rows| rows[0].customer == customer);
            self.fold_customer(
                &mut part,
                ledger,
                fold,
                (records, own.as_deref().unwrap_or_default()),
            );
            if own.is_some() {
                waiting = declared.next_customer()?.map(<[CustomerRow]>::to_vec);
            }
        }
        while let Some(rows) = waiting {
            self.fold_customer(&mut part, ledger, fold, (&[], &rows));
            waiting = declared.next_customer()?.map(<[CustomerRow]>::to_vec);
        }
        Ok(part)
    }

    /// Folds one customer; one of whom nothing is known yet at `now` is none.
    fn fold_customer<T>(
        &self,
        part: &mut Part<T>,
        ledger: &mut Ledger,
        fold: FoldCustomer<'_, T>,
        (records, rows): (&[LineRecord], &[CustomerRow]),
    ) {
        let now = self.options.now;
        let seen = records.partition_point(|record| record.occurred_at <= now);
        part.later_records += (records.len() - seen) as u64;
        // Rows are sorted by time, so those known at `now` come first.
        let known = &rows[..rows.partition_point(|row| row.occurred_at <= now)];
        let customer = match (records.first(), known.first()) {
            (Some(record), _) if seen > 0 => record.customer,
            (_, Some(row)) => row.customer,
            _ => return,
        };
        ledger.resolve(records, self.products, now);
        part.oddities.add(ledger.oddities());
        part.folded.push(fold(ledger, customer, known, self.table));
    }
}

/// Sets declared traits: of two values the one imported later counts, then the later one.
fn declare(profile: &mut Profile, rows: &[CustomerRow], table: &SymbolTable) {
    let mut rows: Vec<&CustomerRow> = rows.iter().collect();
    rows.sort_by(|a, b| {
        (a.import, a.occurred_at, &a.traits).cmp(&(b.import, b.occurred_at, &b.traits))
    });
    for row in rows {
        let Ok(Value::Object(traits)) = serde_json::from_str::<Value>(&row.traits) else {
            continue;
        };
        for (name, value) in traits {
            let value = match &value {
                Value::Bool(flag) => Some(Declared::Flag(*flag)),
                Value::Number(number) => number.as_f64().map(Declared::Number),
                Value::String(text) => Some(Declared::Text(table.intern(text))),
                Value::Object(instant) => instant
                    .get("at")
                    .and_then(Value::as_i64)
                    .map(|ms| Declared::Instant(Timestamp(ms))),
                Value::Null | Value::Array(_) => None,
            };
            if let Some(value) = value {
                profile.declare(table.intern(&name), value);
            }
        }
    }
}

/// A trait value as JSON: money as minor units, instants as RFC 3339.
pub fn trait_json(value: TraitValue<'_>) -> Value {
    match value {
        TraitValue::Missing => Value::Null,
        TraitValue::Integer(number) | TraitValue::Money(number) => number.into(),
        TraitValue::Number(number) => number.into(),
        TraitValue::Text(text) => text.into(),
        TraitValue::Instant(at) => at.to_string().into(),
        TraitValue::Flag(flag) => flag.into(),
    }
}
