//! A customer who moves, against memberships computed anew at every instant.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::subsequence;
use regulars_core::{CivilDate, CustomerId, DAY_MS, Direction, Settings, Timestamp, Trait, Zone};
use regulars_profile::{Customer as Subject, Flip, Member, Profile, World as Seen};
use regulars_rules::{Change, Keep, Program};
use regulars_testkit::generate;
use regulars_testkit::history::Customer;
use regulars_testkit::naive::Shop;
use regulars_testkit::text::state_as_text;

use crate::flips::{RULES, checked, truth};
use crate::traits::instants;
use crate::world::{World, profile};

/// What came of a customer's orders, told in time; `ticks` are moments at which somebody looks.
fn flips_of(
    of: &Customer,
    world: &World,
    program: &Program,
    ticks: &BTreeSet<Timestamp>,
    until: Timestamp,
) -> (Vec<Flip>, Member) {
    let seen = Seen {
        program,
        context: &world.context,
    };
    let mut symbols = world.context.symbols.clone();
    let nothing_yet = Customer {
        orders: Vec::new(),
        ..of.clone()
    };
    let facts: Profile = profile(&nothing_yet, CustomerId(1), &mut symbols);
    let mut member = Member::new(facts, program.new_states(), program);
    let mut scratch = program.new_scratch();
    let mut flips = Vec::new();
    let mut each = |flip| flips.push(flip);
    let start = Timestamp(-4_000_000_000_000);
    // No rule asks for an account.
    let account = program.account_truths(&Subject::new(&member.profile, &world.context), start);
    member.changed(seen, &account, (start, start), &mut scratch, &mut each);
    let mut last = start;
    for order in of.orders.iter().filter(|order| order.at <= until) {
        let at = order.at;
        for &tick in ticks.range(last..at) {
            member.advance(seen, tick, &mut scratch, &mut each);
        }
        member.advance(seen, at, &mut scratch, &mut each);
        order.with_order(&mut symbols, |order| {
            member.profile.fold(order);
            program.fold(&mut member.states, order);
        });
        let changes = (&[Change::Order][..], &account);
        member.happened(seen, changes, (at, at), &mut scratch, &mut each);
        last = at;
    }
    member.advance(seen, until, &mut scratch, &mut each);
    (flips, member)
}

/// Moments at which something may change, from before the first order on.
fn moments(shop: &Shop, of: &Customer) -> Vec<Timestamp> {
    let mut moments = instants(shop, of, None);
    for order in &of.orders {
        let after = [0, 30, 60, 90, 365].map(|days| order.at.plus_ms(days * DAY_MS));
        moments.extend(
            after
                .iter()
                .flat_map(|at| [at.plus_ms(-1), *at, at.plus_ms(1)]),
        );
        let day = shop.zone.date_of(order.at).0;
        moments.extend((0..8).map(|days| shop.zone.start_of(CivilDate(day + days))));
    }
    moments.sort_unstable();
    moments.dedup();
    moments
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn transitions_are_exact_whenever_somebody_looks(
        shop in generate::shop(),
        texts in subsequence(RULES.to_vec(), 6),
        pick in any::<usize>(),
    ) {
        let world = World::of(&shop);
        let (vocabulary, rules) = checked(&texts, &shop);
        let program =
            Program::compile(&rules, &vocabulary, &world.context.symbols, Keep::Needed).unwrap();
        let of = &shop.everyone[pick % shop.everyone.len()];
        let until = shop.compared_at.plus_ms(800 * DAY_MS);
        let moments = moments(&shop, of);
        let ticks: BTreeSet<Timestamp> = moments.iter().copied().collect();
        let (flips, member) = flips_of(of, &world, &program, &BTreeSet::new(), until);
        let (looked_often, _) = flips_of(of, &world, &program, &ticks, until);
        prop_assert_eq!(&flips, &looked_often, "a look changes nothing\n{}", state_as_text(of));
        for (segment, text) in texts.iter().enumerate() {
            let rule = rules[segment].rule.rule();
            let traits: Vec<Trait> = rules[segment].rule.reads().traits.into_iter().collect();
            let own: Vec<&Flip> = flips.iter().filter(|flip| flip.segment == segment).collect();
            prop_assert!(own.is_sorted_by_key(|flip| (flip.occurred_at, flip.sequence)));
            for (flip, n) in own.iter().zip(1..) {
                prop_assert_eq!(flip.sequence, n);
                let entered = flip.direction == Direction::Entered;
                prop_assert_eq!(entered, n % 2 == 1, "they alternate");
            }
            prop_assert_eq!(member.sequence(segment), own.len() as u64);
            prop_assert_eq!(member.segments().contains(segment), own.len() % 2 == 1);
            for &at in moments.iter().filter(|&&at| at <= until) {
                let before = own.iter().filter(|flip| flip.occurred_at <= at).count();
                let expected = truth(rule, &traits, &of.up_to(at), &shop, at);
                let told = format!("{text} at {at}\n{own:?}\n{}", state_as_text(of));
                prop_assert_eq!(before % 2 == 1, expected, "{}", told);
            }
        }
    }
}

#[test]
fn who_leaves_all_segments_wakes_for_nothing_and_goes_on_counting_when_they_are_there_again() {
    let shop = Shop {
        zone: Zone::utc(),
        minor_per_major: 100.0,
        settings: Settings::default(),
        everyone: Vec::new(),
        compared_at: Timestamp(0),
        models: None,
    };
    let world = World::of(&shop);
    let (vocabulary, rules) = checked(&["orders < 3", "orders >= 1"], &shop);
    let program =
        Program::compile(&rules, &vocabulary, &world.context.symbols, Keep::Needed).unwrap();
    let seen = Seen {
        program: &program,
        context: &world.context,
    };
    let mut member = Member::new(Profile::new(CustomerId(1)), program.new_states(), &program);
    let (mut scratch, mut flips) = (program.new_scratch(), Vec::new());
    let mut each = |flip: Flip| flips.push((flip.sequence, flip.direction, flip.occurred_at.0));
    let account =
        program.account_truths(&Subject::new(&member.profile, seen.context), Timestamp(5));
    let at = |at: i64| (Timestamp(at), Timestamp(at));
    member.changed(seen, &account, at(5), &mut scratch, &mut each);
    // What is told late counts no earlier than what was told before.
    member.leave_all((Timestamp(1), Timestamp(7)), &mut each);
    assert!(member.segments().is_empty());
    assert_eq!((member.wake_at(), member.seen_to()), (None, Timestamp(7)));
    member.leave_all(at(8), &mut each);
    member.changed(seen, &account, at(9), &mut scratch, &mut each);
    let (inside, outside) = (Direction::Entered, Direction::Exited);
    assert_eq!(flips, [(1, inside, 5), (2, outside, 5), (3, inside, 9)]);
}
