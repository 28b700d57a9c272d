//! Reference == compiled evaluation, at any `now`; and flips are where the reference changes.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use regulars_core::{Currency, Event, SegmentName, Symbols, Timestamp, Zone};
use regulars_rules::{
    AccountTruths, Change, Keep, LeafStates, Memberships, Mutation, NamedRule, Program, Rule,
    Scratch, Truths, Vocabulary, check,
};
use regulars_testkit::generate;
use regulars_testkit::history::Customer;
use regulars_testkit::reference::{self, World};
use regulars_testkit::text::state_as_text;

/// Random rules, a customer, and which of the interesting instants are looked at.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    rules: Vec<(SegmentName, Rule)>,
    customer: Customer,
    picks: Vec<Index>,
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    (
        generate::rules(),
        generate::customer(),
        vec(any::<Index>(), 40),
    )
        .prop_map(|(rules, customer, picks)| Case {
            rules,
            customer,
            picks,
        })
}

/// A case made ready: the compiled program beside the world of the reference.
struct Trial<'a> {
    case: &'a Case,
    world: World,
    program: Program,
    symbols: Symbols,
    /// Instants near which something may change, each with its neighbours, ascending.
    instants: Vec<Timestamp>,
}

impl<'a> Trial<'a> {
    fn new(case: &'a Case, keep: Keep, mutation: Option<Mutation>) -> Self {
        let zone = Zone::named(generate::ZONE).unwrap();
        let vocabulary = Vocabulary {
            currency: Currency::new("EUR").unwrap(),
            zone: zone.clone(),
            segments: case.rules.iter().map(|(name, _)| name.clone()).collect(),
            standard_event: |_| None,
            order_event: None,
        };
        let named = |(name, rule): &(SegmentName, Rule)| NamedRule {
            name: name.clone(),
            rule: check(rule, &vocabulary).unwrap_or_else(|error| panic!("{rule}: {error}")),
        };
        let rules: Vec<NamedRule> = case.rules.iter().map(named).collect();
        let mut symbols = Symbols::default();
        for order in &case.customer.orders {
            order.with_order(&mut symbols, |_| ());
        }
        let mut program = Program::compile(&rules, &vocabulary, &symbols, keep).unwrap();
        if let Some(mutation) = mutation {
            program = program.with_mutation(mutation);
        }
        let edges = reference::edges(&case.customer, &zone, &generate::LENGTHS_MS);
        let near = |edge: Timestamp| [edge.plus_ms(-1), edge, edge.plus_ms(1)];
        let mut instants: Vec<Timestamp> = edges.into_iter().flat_map(near).collect();
        instants.extend((0..40).map(|day| Timestamp((20_525 + day) * regulars_core::DAY_MS)));
        instants.sort();
        instants.dedup();
        let segments: BTreeMap<SegmentName, Rule> = case.rules.iter().cloned().collect();
        let world = World {
            zone,
            minor_per_major: 100,
            segments,
        };
        Self {
            case,
            world,
            program,
            symbols,
            instants,
        }
    }

    fn reference(&self, segment: usize, known: &Customer, now: Timestamp) -> bool {
        reference::holds(&self.case.rules[segment].1, known, &self.world, now)
    }

    /// The first difference between the reference and the compiled evaluation, in words.
    fn difference(mut self) -> Option<String> {
        let picks = &self.case.picks;
        let mut nows: Vec<Timestamp> = picks
            .iter()
            .map(|pick| self.instants[pick.index(self.instants.len())])
            .collect();
        nows.sort();
        let mut states = self.program.new_states();
        let (mut scratch, mut members) =
            (self.program.new_scratch(), self.program.no_memberships());
        let (mut folded, mut received) = (0, 0);
        let mut kept = Kept::new(&self.program);
        for (position, now) in nows.into_iter().enumerate() {
            if let Some(what) = kept.let_time_pass(&self.program, &states, now) {
                return Some(self.report(0, now, &what));
            }
            while let Some(order) = self
                .case
                .customer
                .orders
                .get(folded)
                .filter(|order| order.at <= now)
            {
                let program = &self.program;
                order.with_order(&mut self.symbols, |order| program.fold(&mut states, order));
                kept.changes.push(Change::Order);
                folded += 1;
            }
            let known = self.case.customer.up_to(now);
            for event in &known.events[received..] {
                let (program, changes) = (&self.program, &mut kept.changes);
                let fold = |event: &Event<'_>| {
                    program.fold_event_with(&mut states, event, |change| changes.push(change));
                };
                event.with_event(fold);
            }
            if let Some(what) = kept.look(&self.program, &states, &known, now) {
                return Some(self.report(0, now, &what));
            }
            received = known.events.len();
            self.program
                .evaluate(&states, &known, now, &mut scratch, &mut members);
            for segment in 0..self.case.rules.len() {
                let (wanted, got) = (
                    self.reference(segment, &known, now),
                    members.contains(segment),
                );
                if wanted != got {
                    return Some(self.report(segment, now, &format!("{got} instead of {wanted}")));
                }
            }
            if position % 5 == 0 {
                if let Some(what) = self.other_ways_to_fold(&states, &known, now, &members) {
                    return Some(self.report(0, now, what));
                }
                let flip = |segment| {
                    let scratch = &mut self.program.new_scratch();
                    self.program
                        .next_flip(segment, &states, &known, now, scratch)
                };
                let flips: Vec<_> = (0..self.case.rules.len()).map(flip).collect();
                for (segment, &flip) in flips.iter().enumerate() {
                    if let Some(what) = self.wrong_flip(segment, &known, now, flip) {
                        return Some(self.report(segment, now, &what));
                    }
                }
                let any = self
                    .program
                    .next_flip_of_any(&states, &known, now, &mut scratch);
                if any != flips.iter().copied().flatten().min() {
                    return Some(self.report(0, now, &format!("{any:?} is not the first flip")));
                }
            }
        }
        None
    }

    /// A state folded from the same orders and events in another way says the same; from events in
    /// the order of time backwards it is the same.
    fn other_ways_to_fold(
        &mut self,
        states: &LeafStates,
        known: &Customer,
        now: Timestamp,
        members: &Memberships,
    ) -> Option<&'static str> {
        let (program, symbols) = (&self.program, &mut self.symbols);
        let starts = program.window_starts(now);
        let (mut late, mut backwards) = (program.new_states(), program.new_states());
        for order in &known.orders {
            order.with_order(symbols, |order| {
                program.fold_since(&mut late, order, &starts);
                program.fold(&mut backwards, order);
            });
        }
        let mut events: Vec<_> = known.events.iter().collect();
        events.sort_by_key(|event| std::cmp::Reverse(event.at));
        for event in events {
            event.with_event(|event| {
                program.fold_event_since(&mut late, event, &starts);
                program.fold_event(&mut backwards, event);
            });
        }
        if backwards != *states {
            return Some("the order of events makes a difference");
        }
        let (mut scratch, mut again) = (program.new_scratch(), program.no_memberships());
        program.evaluate(&late, known, now, &mut scratch, &mut again);
        if again != *members {
            return Some("`fold_since` differs from `fold`");
        }
        let mut flip = |states| program.next_flip_of_any(states, known, now, &mut scratch);
        (flip(&late) != flip(states)).then_some("flips after `fold_since` differ")
    }

    /// Nothing changes before the flip, and the truth differs at it.
    fn wrong_flip(
        &self,
        segment: usize,
        known: &Customer,
        now: Timestamp,
        flip: Option<Timestamp>,
    ) -> Option<String> {
        let truth = self.reference(segment, known, now);
        if let Some(flip) = flip {
            if flip <= now {
                return Some(format!("flip at {flip} is not after now"));
            }
            let (before, at) = (flip.plus_ms(-1), flip);
            if self.reference(segment, known, before) != truth {
                return Some(format!("changed before the flip at {flip}"));
            }
            if self.reference(segment, known, at) == truth {
                return Some(format!("no change at the flip at {flip}"));
            }
        }
        let until = flip.unwrap_or(Timestamp::MAX);
        let between = self
            .instants
            .iter()
            .filter(|&&at| at > now && at < until)
            .step_by(7);
        let changed = between
            .copied()
            .find(|&at| self.reference(segment, known, at) != truth);
        changed.map(|at| format!("changed at {at}, and the flip is said to be at {flip:?}"))
    }

    fn report(&self, segment: usize, now: Timestamp, what: &str) -> String {
        let rules: String = self
            .case
            .rules
            .iter()
            .map(|(name, rule)| format!("{name}: {rule}\n"))
            .collect();
        let (name, state) = (
            &self.case.rules[segment].0,
            state_as_text(&self.case.customer),
        );
        format!("{name} at {now}: {what}\n\n{rules}\n{state}")
    }
}

/// What is kept of a customer from look to look: only what something touches is looked at.
struct Kept {
    truths: Truths,
    /// Of the customer's account; unknown before the first look.
    account: Option<AccountTruths>,
    changes: Vec<Change>,
    known: Customer,
    scratch: Scratch,
}

impl Kept {
    fn new(program: &Program) -> Self {
        Self {
            truths: Truths::unknown(),
            account: None,
            changes: Vec::new(),
            known: Customer::default(),
            scratch: program.new_scratch(),
        }
    }

    /// Looks at what is due up to `now`, and that nothing else was.
    fn let_time_pass(
        &mut self,
        program: &Program,
        states: &LeafStates,
        now: Timestamp,
    ) -> Option<String> {
        loop {
            let of_account = self.account.as_ref().and_then(AccountTruths::next_look);
            let next = self.truths.next_look().into_iter().chain(of_account).min();
            let Some(at) = next.filter(|&at| at <= now) else {
                break;
            };
            program.look_at_due(&mut self.truths, states, &self.known, at);
            if of_account == Some(at) {
                self.look_at_account(program, at);
            }
            let of_account = self.account.as_ref().and_then(AccountTruths::next_look);
            if of_account.is_some_and(|next| next <= at) {
                return Some(format!(
                    "after a look at an account at {at} the next is not later"
                ));
            }
            if self.truths.next_look().is_some_and(|next| next <= at) {
                return Some(format!("after a look at {at} the next is not later"));
            }
        }
        let all = self.truths.is_known();
        all.then(|| self.difference(program, states, now))
            .flatten()
            .map(|what| format!("time went by: {what}"))
    }

    /// Looks at what the changes touch, and that nothing else is another.
    fn look(
        &mut self,
        program: &Program,
        states: &LeafStates,
        known: &Customer,
        now: Timestamp,
    ) -> Option<String> {
        if self.known.carts != known.carts {
            self.changes.push(Change::Carts);
        }
        self.known = known.clone();
        self.look_at_account(program, now);
        if let Some(account) = self.account.as_ref().filter(|_| !self.truths.is_known()) {
            program.look(&mut self.truths, account, states, known, now);
        }
        let changes = std::mem::take(&mut self.changes);
        for &change in &changes {
            program.look_at_change(change, &mut self.truths, states, known, now);
        }
        self.difference(program, states, now)
            .map(|what| format!("{changes:?}: {what}"))
    }

    /// Asks what is true of the account and takes it over.
    fn look_at_account(&mut self, program: &Program, now: Timestamp) {
        let account = program.account_truths(&self.known, now);
        if self.truths.is_known() {
            program.look_at_account(&mut self.truths, &account);
        }
        self.account = Some(account);
    }

    /// What differs from a look at everything.
    fn difference(
        &mut self,
        program: &Program,
        states: &LeafStates,
        now: Timestamp,
    ) -> Option<String> {
        let (mut scratch, mut all) = (program.new_scratch(), program.no_memberships());
        program.evaluate(states, &self.known, now, &mut scratch, &mut all);
        let kept = program.members(&self.truths, &mut self.scratch);
        let differing: Vec<usize> = kept.differing(&all).collect();
        (!differing.is_empty()).then(|| format!("{differing:?} are kept otherwise"))
    }
}

/// The first difference between the reference and the program of a case, in words.
pub(crate) fn difference(case: &Case, keep: Keep, mutation: Option<Mutation>) -> Option<String> {
    Trial::new(case, keep, mutation).difference()
}

/// Cases with amounts at the ends of 64 bits, and rules about their sums.
fn extreme_case() -> impl Strategy<Value = Case> {
    let rules = [
        "revenue where quantity >= 0 > 0",
        "revenue where category = 'Shoes' < 0",
        "revenue in last 2 days > 92233720368547758",
        "revenue in last 3 days < 0",
        "revenue where brand = 'X' in last 3 days >= 92233720368547758",
        "revenue where value > 0 in last 2 calendar days <= 0.5",
        "revenue where category = 'Shoes' in last 7 days = 0",
    ];
    let rules = rules.map(|text| regulars_rules::parse(text).unwrap_or_else(|e| panic!("{e:?}")));
    let named = (0..).zip(rules).map(|(number, rule)| {
        let name = SegmentName::new(&format!("sum_{number}")).unwrap();
        (name, rule)
    });
    let rules: Vec<(SegmentName, Rule)> = named.collect();
    let amounts = select(vec![i64::MIN, -1, 0, 1, i64::MAX, i64::MAX - 1]);
    (
        generate::customer(),
        vec(amounts, 12),
        vec(any::<Index>(), 40),
    )
        .prop_map(move |(mut customer, amounts, picks)| {
            let lines = customer
                .orders
                .iter_mut()
                .flat_map(|order| &mut order.lines);
            for (line, amount) in lines.zip(amounts.iter().cycle()) {
                line.net_minor = *amount;
            }
            Case {
                rules: rules.clone(),
                customer,
                picks,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn compiled_evaluation_is_the_reference(case in case()) {
        if let Some(difference) = difference(&case, Keep::Needed, None) {
            prop_assert!(false, "{difference}");
        }
    }

    #[test]
    fn sums_at_the_ends_of_64_bits_are_those_of_the_reference(case in extreme_case()) {
        if let Some(difference) = difference(&case, Keep::Needed, None) {
            prop_assert!(false, "{difference}");
        }
    }

    #[test]
    fn keeping_values_changes_no_truth(case in case()) {
        if let Some(difference) = difference(&case, Keep::Values, None) {
            prop_assert!(false, "{difference}");
        }
    }
}
