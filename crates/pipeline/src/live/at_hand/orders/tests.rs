//! Orders told in whatever order come to what they do by time, and no more is done than is new.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use regulars_core::{Currency, CustomerId, EventKind, SegmentName, Symbols};
use regulars_profile::{Ledger, Products, Profile};
use regulars_rules::{Keep, Program};
use regulars_store::log::StoredEvent;
use regulars_store::vault::IdentityId;

use super::*;
use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::live::orders::Claims;

const MINUTE_MS: i64 = 60_000;
const CUSTOMER: CustomerId = CustomerId(1);
/// After all that happens.
const NOW: Timestamp = Timestamp(1_000 * MINUTE_MS);
const RULES: [&str; 4] = [
    "revenue in last 90 minutes > 5",
    "distinct products in last 30 minutes >= 2",
    "orders where value > 9 in last 50 minutes >= 2",
    "items >= 40",
];

/// An event, so many minutes after the beginning.
fn told(offset: u64, minute: i64, name: &str, properties: &str) -> Told {
    let at = Timestamp(minute * MINUTE_MS);
    let event = StoredEvent {
        kind: EventKind::Track,
        anonymous: false,
        identity: IdentityId(1),
        customer: CUSTOMER,
        occurred_at: at,
        received_at: at,
        message: u128::from(offset) + 1,
        name: name.into(),
        properties: properties.into(),
        context: "{}".into(),
        sealed: Box::default(),
    };
    Told::new(offset, event)
}

fn of_order(offset: u64, minute: i64, name: &str, order: u64) -> Told {
    let price = offset % 9 + 1;
    let properties = format!(
        r#"{{"order_id":"{order}","products":[{{"product_id":"p","price":{price},"quantity":2}}]}}"#
    );
    told(offset, minute, name, &properties)
}

/// What orders are made, resolved and folded with.
struct World {
    orders: Orders,
    table: SymbolTable,
    program: Program,
    products: Products,
    ledger: Ledger,
}

impl World {
    fn new() -> Self {
        let config = Config::new("shop", Currency::new("EUR").unwrap(), "UTC");
        let mut catalogue = Catalogue::load(&config, None).unwrap();
        for (rule, n) in RULES.into_iter().zip(0..) {
            let name = SegmentName::new(&format!("rule_{n}")).unwrap();
            let rule = catalogue.rule(rule).unwrap();
            catalogue = catalogue.with_rule(&name, rule);
        }
        let symbols = Symbols::default();
        Self {
            orders: Orders::new(&config, Claims::default(), &mut Symbols::default()),
            table: SymbolTable::default(),
            program: catalogue.compile(&symbols, Keep::Needed).unwrap(),
            products: Products::default(),
            ledger: Ledger::default(),
        }
    }

    fn member(&self) -> Member {
        let states = self.program.new_states();
        Member::new(Profile::new(CUSTOMER), states, &self.program)
    }

    /// Takes in an event; gives how many are told again for it.
    fn tell(&self, at_hand: &mut OrdersAtHand, told: &Told) -> usize {
        let order = orders::of(told, self.orders.currency()).unwrap();
        at_hand.tell(&order, told);
        let changed = at_hand.changed.iter();
        changed
            .map(|(key, back)| at_hand.of[key].to_tell(back).len())
            .sum()
    }

    /// Folds what changed; gives how many orders were resolved.
    fn fold(&mut self, at_hand: &mut OrdersAtHand, folded: &mut (Member, Vec<Place>)) -> usize {
        let mut resolving = Resolving {
            ledger: &mut self.ledger,
            products: &self.products,
            program: &self.program,
            names_products: &mut false,
            now: NOW,
        };
        let (member, latest) = folded;
        let made_with = (&self.orders, &self.table);
        at_hand
            .fold((member, latest), made_with, &mut resolving)
            .unwrap()
    }

    /// The same from the beginning, of what files say and what was told.
    fn folded(&mut self, files: &[LineRecord], all: &[Told]) -> (Member, Vec<Place>) {
        let (mut records, mut member) = (files.to_vec(), self.member());
        let all: Vec<&Told> = all.iter().collect();
        self.orders
            .add_told(CUSTOMER, &all, &mut records, &self.table)
            .unwrap();
        orders::sort(&mut records);
        let mut latest = Vec::new();
        let mut resolving = Resolving {
            ledger: &mut self.ledger,
            products: &self.products,
            program: &self.program,
            names_products: &mut false,
            now: NOW,
        };
        resolving.fold_all(&mut member, &mut latest, &records);
        (member, latest)
    }
}

type Place = (Timestamp, OrderKey);

#[test]
fn of_many_versions_of_an_order_one_is_told_and_one_is_kept() {
    let mut world = World::new();
    let (mut at_hand, mut folded) = (OrdersAtHand::default(), (world.member(), Vec::new()));
    for n in 0..200 {
        let again = world.tell(&mut at_hand, &of_order(n, 1 + n as i64, "Order Updated", 7));
        assert!(again <= 2, "in order, {again}");
        assert_eq!(
            world.fold(&mut at_hand, &mut folded),
            2,
            "it, and what is from it on"
        );
        assert_eq!(at_hand.of[&at_hand_key(7)].entries(), 1);
        let revenue_minor = 200 * (n as i64 % 9 + 1);
        assert_eq!(folded.0.profile.revenue_minor, revenue_minor);
    }
    for n in 200..398 {
        let told = of_order(n, n as i64 - 198, "Order Updated", 7);
        assert_eq!(world.tell(&mut at_hand, &told), 0, "late");
    }
}

fn at_hand_key(order: u64) -> OrderKey {
    let told = of_order(0, 0, "Order Updated", order);
    let currency = Currency::new("EUR").unwrap();
    OrderKey(orders::of(&told, currency).unwrap().key())
}

#[test]
fn late_ends_and_refunds_of_an_order_have_no_more_told_again_than_is_another_for_them() {
    let mut world = World::new();
    let (mut at_hand, mut folded) = (OrdersAtHand::default(), (world.member(), Vec::new()));
    world.tell(&mut at_hand, &of_order(0, 1, "Order Completed", 7));
    world.tell(&mut at_hand, &of_order(1, 900, "Order Updated", 7));
    world.fold(&mut at_hand, &mut folded);
    let whole = r#"{"order_id":"7"}"#;
    for n in 2..300_u64 {
        // From the latest to the earliest.
        let minute = 700 - n as i64;
        let (told, most) = match n % 3 {
            0 => (told(n, minute, "Order Cancelled", whole), 0),
            1 => (told(n, minute, "Order Refunded", whole), 0),
            // What goes back, the content before it, and the version that counts.
            _ => (of_order(n, minute, "Order Refunded", 7), 3),
        };
        let again = world.tell(&mut at_hand, &told);
        assert!(again <= most, "{again} of {n}");
        world.fold(&mut at_hand, &mut folded);
    }
    // A content in between is that of what went back between it and the next.
    let back = at_hand.of[&at_hand_key(7)]
        .refunds
        .range((Timestamp(450 * MINUTE_MS), 0)..)
        .count();
    let again = world.tell(&mut at_hand, &of_order(400, 450, "Order Updated", 7));
    assert_eq!(again, back + 3);
}

#[test]
fn of_very_many_orders_those_are_resolved_that_come_after_what_is_another() {
    let mut world = World::new();
    let (mut at_hand, mut folded) = (OrdersAtHand::default(), (world.member(), Vec::new()));
    let mut all: Vec<Told> = (0..900)
        .map(|n| of_order(n, n as i64, "Order Completed", n))
        .collect();
    for told in &all {
        world.tell(&mut at_hand, told);
    }
    assert_eq!(world.fold(&mut at_hand, &mut folded), 2 * 900);
    let entries = at_hand.entries();
    for (n, order) in (900..).zip([899, 898, 890, 850, 899, 600, 899, 20, 899]) {
        let cancelled = format!(r#"{{"order_id":"{order}"}}"#);
        let told = told(n, 910, "Order Cancelled", &cancelled);
        world.tell(&mut at_hand, &told);
        all.push(told);
        let resolved = world.fold(&mut at_hand, &mut folded) as u64;
        // Itself, what comes after it, and from the checkpoint before it on: these lie so far apart as
        // they take entries.
        assert!(
            resolved <= 1 + (900 - order) + 128,
            "{resolved} for {order}"
        );
    }
    assert_eq!(folded.0.profile, world.folded(&[], &all).0.profile);
    assert!(entries < 4 * 900, "{entries}");
}

/// One of several orders told of in one of all ways.
fn any(rng: &mut ChaCha8Rng, offset: u64) -> Told {
    let products = format!(
        r#""products":[{{"product_id":"{}","price":{},"quantity":{}}}]"#,
        ["p", "q"][rng.random_range(0..2)],
        rng.random_range(1..9),
        ["2", "1.25"][rng.random_range(0..2)],
    );
    let content = [&products, r#""total":7"#, r#""note":1"#][rng.random_range(0..3)];
    let names = [
        "Order Completed",
        "Order Updated",
        "Order Updated",
        "Order Cancelled",
        "Order Refunded",
    ];
    let orders = [3, 150][usize::from(offset.is_multiple_of(2))];
    let properties = format!(
        r#"{{"order_id":"{}",{content}}}"#,
        rng.random_range(0..orders)
    );
    let minute = rng.random_range(0..200);
    told(offset, minute, names[rng.random_range(0..5)], &properties)
}

/// What files say of some of the orders.
fn of_files(rng: &mut ChaCha8Rng, world: &World, with_credits: bool) -> Vec<LineRecord> {
    let some: Vec<Told> = (1_000..1_020).map(|offset| any(rng, offset)).collect();
    let mut records = Vec::new();
    let by_time: Vec<&Told> = some.iter().collect();
    let made = world
        .orders
        .add_told(CUSTOMER, &by_time, &mut records, &world.table);
    made.unwrap();
    if with_credits {
        let sold = records.iter().filter(|line| line.kind == RecordKind::Sale);
        let credits: Vec<LineRecord> = sold
            .take(5)
            .map(|line| LineRecord {
                kind: RecordKind::Credit,
                order: OrderKey(line.order.0 ^ 1),
                occurred_at: line.occurred_at.plus_ms(MINUTE_MS),
                ..*line
            })
            .collect();
        records.extend(credits);
    }
    records
}

#[test]
fn orders_told_in_whatever_order_come_to_what_they_do_by_time() {
    let mut world = World::new();
    for seed in 0..15 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let files = match seed % 3 {
            0 => Vec::new(),
            with_credits => of_files(&mut rng, &world, with_credits == 2),
        };
        let (mut at_hand, mut all) = (OrdersAtHand::default(), Vec::new());
        at_hand.put_all(files.clone());
        let mut folded = (world.member(), Vec::new());
        for offset in 0..200 {
            let told = any(&mut rng, offset);
            world.tell(&mut at_hand, &told);
            all.push(told);
            if rng.random_bool(0.7) {
                continue;
            }
            world.fold(&mut at_hand, &mut folded);
            let expected = world.folded(&files, &all);
            let report = format!("seed {seed}, {offset}");
            assert_eq!(folded.0.profile, expected.0.profile, "{report}");
            assert_eq!(folded.0.states, expected.0.states, "{report}");
            assert_eq!(folded.1, expected.1, "{report}");
        }
        let counted: usize = at_hand.of.values().map(OfOrder::entries).sum();
        let told: usize = all
            .iter()
            .map(|told| 1 + told.event.properties.len() / BYTES_OF_ENTRY)
            .sum();
        assert_eq!(at_hand.entries, counted + told);
    }
}
