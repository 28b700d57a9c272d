//! What a rule means, written down as plainly as possible.
//!
//! Reads the tree and the plain customer only, looks at every order each time, keeps nothing, and
//! shares no code with the compiled evaluation.

mod event;

use std::collections::{BTreeMap, BTreeSet};

use regulars_core::{CalendarUnit, CivilDate, SegmentName, Timestamp, TraitKind, Zone};
use regulars_rules::{
    CompareOp, Decimal, Filter, Length, Literal, LiteralValue, Measure, Operand, Period, Property,
    Rule, Test, Unit, WhichOrder,
};

use crate::history::{Customer, RawLine, RawOrder, RawValue, sum_of};

/// The workspace in which a rule is read.
#[derive(Debug, Clone)]
pub struct World {
    /// Zone of days.
    pub zone: Zone,
    /// Minor units of one major unit.
    pub minor_per_major: i64,
    /// All segments.
    pub segments: BTreeMap<SegmentName, Rule>,
}

/// Orders up to `now` only: what comes later has not happened.
pub fn holds(rule: &Rule, customer: &Customer, world: &World, now: Timestamp) -> bool {
    match rule {
        Rule::Everyone => true,
        Rule::And(rules) => rules.iter().all(|rule| holds(rule, customer, world, now)),
        Rule::Or(rules) => rules.iter().any(|rule| holds(rule, customer, world, now)),
        Rule::Not(rule) => !holds(rule, customer, world, now),
        Rule::InSegment(segment) => holds(&world.segments[&segment.name], customer, world, now),
        Rule::Condition(condition) => {
            let value = value_of(&condition.operand, customer, world, now);
            passes(&value, &condition.test, world, now)
        }
    }
}

fn value_of(operand: &Operand, customer: &Customer, world: &World, now: Timestamp) -> RawValue {
    match operand {
        Operand::Declared(name) => customer
            .declared
            .get(name)
            .cloned()
            .unwrap_or(RawValue::Missing),
        Operand::Account(name) => customer
            .account
            .get(name)
            .cloned()
            .unwrap_or(RawValue::Missing),
        Operand::Aggregate(of) => measure(
            of.measure,
            of.filter.as_ref(),
            of.period,
            customer,
            world,
            now,
        ),
        Operand::OrderTime(of) => {
            let mut times: Vec<Timestamp> = customer
                .orders
                .iter()
                .filter(|order| order.at <= now && order_passes(order, Some(&of.filter), world))
                .map(|order| order.at)
                .collect();
            times.sort();
            let time = match of.which {
                WhichOrder::First => times.first(),
                WhichOrder::Last => times.last(),
            };
            time.map_or(RawValue::Missing, |&at| RawValue::Instant(at))
        }
        Operand::Events(of) => event::measure(of, customer, world, now),
        Operand::EventTime(of) => event::time(of, customer, world, now),
        Operand::Sequence(of) => RawValue::Flag(event::is_completed(of, customer, world, now)),
        Operand::Carts(of) => event::carts(of, customer, world, now),
        Operand::Trait(which) => {
            let days = [("30", 30), ("90", 90), ("365", 365)]
                .into_iter()
                .find(|(name, _)| which.def().name.ends_with(&format!("_last_{name}_days")));
            let Some((_, days)) = days else {
                let course = customer.traits.get(which);
                return course.map_or(RawValue::Missing, |course| course.at(now));
            };
            let period = Period::Last(Length {
                count: days,
                unit: Unit::Days,
            });
            let of = match which.def().kind {
                TraitKind::Money => Measure::Revenue,
                _ => Measure::Orders,
            };
            measure(of, None, Some(period), customer, world, now)
        }
    }
}

fn measure(
    of: Measure,
    filter: Option<&Filter>,
    period: Option<Period>,
    customer: &Customer,
    world: &World,
    now: Timestamp,
) -> RawValue {
    let orders: Vec<&RawOrder> = customer
        .orders
        .iter()
        .filter(|order| order.at <= now)
        .filter(|order| period.is_none_or(|period| is_within(order.at, period, world, now)))
        .filter(|order| order_passes(order, filter, world))
        .collect();
    let of_lines = filter.is_some_and(is_about_lines);
    let lines_of = |order: &RawOrder| -> Vec<RawLine> {
        let takes_part = |line: &&RawLine| {
            !of_lines || filter.is_none_or(|f| filter_holds(f, order, Some(line), world))
        };
        order.lines.iter().filter(takes_part).cloned().collect()
    };
    let lines: Vec<RawLine> = orders.iter().flat_map(|order| lines_of(order)).collect();
    let revenue_of = |order: &RawOrder| sum_of(lines_of(order).iter().map(|line| line.net_minor));
    let different = |text: fn(&RawLine) -> &str| {
        let texts: BTreeSet<&str> = lines
            .iter()
            .map(text)
            .filter(|text| !text.is_empty())
            .collect();
        RawValue::Integer(texts.len() as i64)
    };
    match of {
        Measure::Orders => RawValue::Integer(orders.len() as i64),
        Measure::Revenue => RawValue::Money(sum_of(orders.iter().map(|order| revenue_of(order)))),
        Measure::Items => RawValue::Number(lines.iter().map(|line| line.quantity).sum()),
        Measure::DistinctProducts => different(|line| &line.product),
        Measure::DistinctCategories => different(|line| &line.category),
        Measure::DistinctBrands => different(|line| &line.brand),
    }
}

fn is_within(at: Timestamp, period: Period, world: &World, now: Timestamp) -> bool {
    let (then, today) = (world.zone.date_of(at), world.zone.date_of(now));
    // How many units lie between the two days; 0 within the same unit.
    let months = |date: CivilDate| date.ymd().0 * 12 + date.ymd().1 as i32 - 1;
    let units_ago = |unit: CalendarUnit| match unit {
        CalendarUnit::Days => today.0 - then.0,
        // 4 January 1970 was a Sunday, so weeks of Monday to Sunday end on days 3, 10, 17, …
        CalendarUnit::Weeks => (today.0 - 4).div_euclid(7) - (then.0 - 4).div_euclid(7),
        CalendarUnit::Months => months(today) - months(then),
        CalendarUnit::Quarters => months(today) / 3 - months(then) / 3,
        CalendarUnit::Years => today.ymd().0 - then.ymd().0,
    };
    let inside = match period {
        Period::Last(length) => now.0 - milliseconds(length) < at.0,
        Period::LastCalendar(length) => units_ago(length.unit) < length.count as i32,
    };
    inside && at <= now
}

fn milliseconds(length: Length) -> i64 {
    let of_one = match length.unit {
        Unit::Seconds => 1_000,
        Unit::Minutes => 60_000,
        Unit::Hours => 3_600_000,
        Unit::Days => 86_400_000,
        Unit::Weeks => 604_800_000,
    };
    i64::from(length.count) * of_one
}

fn order_passes(order: &RawOrder, filter: Option<&Filter>, world: &World) -> bool {
    match filter {
        None => true,
        Some(filter) if is_about_lines(filter) => order
            .lines
            .iter()
            .any(|line| filter_holds(filter, order, Some(line), world)),
        Some(filter) => filter_holds(filter, order, None, world),
    }
}

fn is_about_lines(filter: &Filter) -> bool {
    match filter {
        Filter::And(filters) | Filter::Or(filters) => filters.iter().any(is_about_lines),
        Filter::Not(filter) => is_about_lines(filter),
        Filter::Property(condition) => matches!(
            condition.property,
            Property::Product | Property::Category | Property::Brand | Property::Quantity
        ),
    }
}

fn filter_holds(filter: &Filter, order: &RawOrder, line: Option<&RawLine>, world: &World) -> bool {
    match filter {
        Filter::And(filters) => filters.iter().all(|f| filter_holds(f, order, line, world)),
        Filter::Or(filters) => filters.iter().any(|f| filter_holds(f, order, line, world)),
        Filter::Not(filter) => !filter_holds(filter, order, line, world),
        Filter::Property(condition) => {
            let text = |text: &str| match text {
                "" => RawValue::Missing,
                text => RawValue::Text(text.to_owned()),
            };
            let of_line = |value: fn(&RawLine) -> &str| {
                line.map_or(RawValue::Missing, |line| text(value(line)))
            };
            let value = match condition.property {
                Property::Product => of_line(|line| &line.product),
                Property::Category => of_line(|line| &line.category),
                Property::Brand => of_line(|line| &line.brand),
                Property::Quantity => {
                    line.map_or(RawValue::Missing, |line| RawValue::Number(line.quantity))
                }
                Property::Channel => text(&order.channel),
                Property::Country => text(&order.country),
                Property::Value => RawValue::Money(order.net_minor()),
                Property::Discount => order
                    .discount_minor
                    .map_or(RawValue::Missing, RawValue::Money),
                Property::Discounted => order
                    .discount_minor
                    .map_or(RawValue::Missing, |minor| RawValue::Flag(minor > 0)),
            };
            passes(&value, &condition.test, world, Timestamp::MIN)
        }
    }
}

fn passes(value: &RawValue, test: &Test, world: &World, now: Timestamp) -> bool {
    if matches!(value, RawValue::Missing) || *value == RawValue::List(String::new()) {
        return *test == Test::IsNotSet;
    }
    let is = |op, literal: &Literal| compare(value, op, literal, world);
    let at = match value {
        RawValue::Instant(at) => Some(*at),
        _ => None,
    };
    let date = at.map(|at| world.zone.date_of(at));
    let text = match value {
        RawValue::Text(text) => small(text),
        _ => String::new(),
    };
    let part = |literal: &Literal| match &literal.value {
        LiteralValue::Text(part) => small(part),
        _ => String::new(),
    };
    match test {
        Test::IsSet => true,
        Test::IsNotSet => false,
        Test::Holds => *value == RawValue::Flag(true),
        Test::Compare { op, value } => is(*op, value),
        Test::Between { low, high } => match (&low.value, &high.value) {
            (LiteralValue::Date(low), LiteralValue::Date(high)) => {
                date.is_some_and(|date| *low <= date && date <= *high)
            }
            _ => is(CompareOp::AtLeast, low) && is(CompareOp::AtMost, high),
        },
        Test::In(literals) => literals.iter().any(|literal| is(CompareOp::Equal, literal)),
        Test::NotIn(literals) => literals
            .iter()
            .all(|literal| is(CompareOp::NotEqual, literal)),
        Test::Contains(literal) => match value {
            RawValue::Text(_) => text.contains(&part(literal)),
            RawValue::List(joined) => joined
                .split('\u{1f}')
                .any(|element| small(element) == part(literal)),
            _ => false,
        },
        Test::StartsWith(literal) => {
            matches!(value, RawValue::Text(_)) && text.starts_with(&part(literal))
        }
        Test::BeforeAgo(length) => at.is_some_and(|at| at.0 + milliseconds(*length) <= now.0),
        Test::Within(period) => at.is_some_and(|at| is_within(at, *period, world, now)),
        Test::Before(day) => date.is_some_and(|date| date < day.date),
        Test::After(day) => date.is_some_and(|date| date > day.date),
        Test::On(day) => date == Some(day.date),
    }
}

fn small(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Values of different kinds compare as false, whatever the operator.
fn compare(value: &RawValue, op: CompareOp, literal: &Literal, world: &World) -> bool {
    use std::cmp::Ordering;
    let number = |of: Decimal, power: u32| {
        let (digits, scale) = of.parts();
        digits as f64 / 10_f64.powi((scale + power) as i32)
    };
    let ordering = match (value, &literal.value) {
        (RawValue::Text(text), LiteralValue::Text(other)) => Some(text.cmp(other)),
        (RawValue::Flag(flag), LiteralValue::Flag(other)) => Some(flag.cmp(other)),
        (RawValue::Integer(value), LiteralValue::Number(other)) => {
            (*value as f64).partial_cmp(&number(*other, 0))
        }
        (RawValue::Number(value), LiteralValue::Number(other)) => {
            value.partial_cmp(&number(*other, 0))
        }
        (RawValue::Number(value), LiteralValue::Percent(other)) => {
            value.partial_cmp(&number(*other, 2))
        }
        (RawValue::Money(minor), LiteralValue::Number(other)) => {
            let (digits, scale) = other.parts();
            let minor = i128::from(*minor) * 10_i128.pow(scale);
            minor.partial_cmp(&(i128::from(digits) * i128::from(world.minor_per_major)))
        }
        _ => None,
    };
    ordering.is_some_and(|ordering| match op {
        CompareOp::Equal => ordering == Ordering::Equal,
        CompareOp::NotEqual => ordering != Ordering::Equal,
        CompareOp::Less => ordering == Ordering::Less,
        CompareOp::AtMost => ordering != Ordering::Greater,
        CompareOp::Greater => ordering == Ordering::Greater,
        CompareOp::AtLeast => ordering != Ordering::Less,
    })
}

/// Instants near which a rule may change its truth for a customer: the interesting moments of the
/// customer, shifted by every length that rules of this kit use.
pub fn edges(customer: &Customer, zone: &Zone, lengths_ms: &[i64]) -> Vec<Timestamp> {
    let mut starts: Vec<Timestamp> = customer.orders.iter().map(|order| order.at).collect();
    starts.extend(customer.events.iter().map(|event| event.at));
    starts.extend(
        customer
            .carts
            .iter()
            .flat_map(|cart| [cart.changed_at, cart.open_until]),
    );
    starts.extend(customer.traits.values().flat_map(|course| course.edges()));
    let stated = customer.declared.values().chain(customer.account.values());
    starts.extend(stated.filter_map(|value| match value {
        RawValue::Instant(at) => Some(*at),
        _ => None,
    }));
    let mut edges = Vec::new();
    for start in starts {
        edges.push(start);
        edges.extend(lengths_ms.iter().map(|&ms| start.plus_ms(ms)));
        let day = zone.date_of(start).0;
        edges.extend((0..9).map(|n| zone.start_of(CivilDate(day + n))));
        edges.extend((1..9).map(|n| start.plus_ms(n * 86_400_000)));
        edges.extend(calendar_edges(zone.date_of(start)).map(|date| zone.start_of(date)));
    }
    edges.sort();
    edges.dedup();
    edges
}

/// First days of weeks, months, quarters and years to come: of as many as windows of this kit reach
/// back.
fn calendar_edges(date: CivilDate) -> impl Iterator<Item = CivilDate> {
    let (year, month, _) = date.ymd();
    let weeks = (1..29)
        .map(move |n| CivilDate(date.0 + n))
        .filter(|day| (day.0 + 3) % 7 == 0);
    let months = (0..10).filter_map(move |n| {
        let months = year * 12 + month as i32 + n;
        CivilDate::new(months / 12, (months % 12) as u32 + 1, 1)
    });
    let years = (1..4).filter_map(move |n| CivilDate::new(year + n, 1, 1));
    weeks.chain(months).chain(years)
}
