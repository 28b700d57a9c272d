//! Why a customer is in a segment or not: each condition with its truth, the customer's value, the
//! threshold and when it next changes. Pure data, for terminal, API and console.

use regulars_core::{Timestamp, TraitKind, TraitValue, Window, Zone};
use serde::{Serialize, Serializer};

use crate::check::{
    EventValue, InstantTest, LeafSpec, MILLIONTHS, MeasureKind, Node, OrderedTest, Source,
    TextTest, ValueTest,
};
use crate::program::{
    ExplainedEvent, LatestEvents, Leaf, LeafSource, LeafStates, Memberships, Program, Scratch,
    Search, WindowStarts,
};
use crate::subject::Subject;
use crate::tree::Measure;

/// Why a customer is in a segment or not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Name of the segment.
    pub segment: String,
    /// Its rule as canonical text.
    pub rule: String,
    /// Whether the customer is in it.
    pub holds: bool,
    /// When that next changes if nothing happens.
    #[serde(serialize_with = "instant_text")]
    pub next_change_at: Option<Timestamp>,
    /// The rule with the truth of its parts.
    pub because: Part,
}

/// A part of a rule, with its truth.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Part {
    /// Holds of every customer.
    Everyone,
    /// Holds when all parts do.
    And {
        /// Whether it does.
        holds: bool,
        /// The parts, as in the rule.
        parts: Vec<Part>,
    },
    /// Holds when any part does.
    Or {
        /// Whether it does.
        holds: bool,
        /// The parts, as in the rule.
        parts: Vec<Part>,
    },
    /// Holds when the part does not.
    Not {
        /// Whether it does.
        holds: bool,
        /// The part.
        part: Box<Part>,
    },
    /// Membership of another segment.
    Segment {
        /// Its name.
        segment: String,
        /// Whether the customer is in it.
        holds: bool,
        /// Why, where the segment is named for the first time; `None` where it is named again.
        explanation: Option<Box<Explanation>>,
    },
    /// A condition.
    Condition {
        /// Canonical text.
        text: String,
        /// Whether it holds.
        holds: bool,
        /// The customer's value.
        value: ExplainedValue,
        /// What it is compared with: one value, or the two of `between`, or the list of `in`. Of
        /// `within 30 days` and the like the instant that decides at `now`. The value of a
        /// sequence of events is the instant at which it is, or will be, complete.
        threshold: Vec<ExplainedValue>,
        /// When its truth next changes if nothing happens.
        #[serde(serialize_with = "instant_text")]
        next_change_at: Option<Timestamp>,
        /// Of a condition on events the latest event that it looks at, inside its window or before:
        /// what changed it last, unless time did. `None` without one.
        latest_event: Option<ExplainedEvent>,
    },
}

/// A value with its type: `{"money_minor": 12050}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExplainedValue {
    /// Not known of this customer.
    Missing,
    /// A whole number.
    Integer(i64),
    /// This many or more: no more was kept. Compile with [`Keep::Values`] for exact numbers.
    ///
    /// [`Keep::Values`]: crate::Keep::Values
    AtLeast(i64),
    /// A real number.
    Number(f64),
    /// A share from 0 to 1.
    Share(f64),
    /// Minor units of the workspace's currency.
    MoneyMinor(i64),
    /// Whole days.
    Days(i64),
    /// A text.
    Text(String),
    /// An instant, as RFC 3339 in UTC.
    Instant(#[serde(serialize_with = "timestamp_text")] Timestamp),
    /// True or false.
    Flag(bool),
    /// Texts.
    List(Vec<String>),
}

fn timestamp_text<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(at)
}

fn instant_text<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => to.collect_str(at),
        None => to.serialize_none(),
    }
}

impl Part {
    /// Whether the part holds.
    pub fn holds(&self) -> bool {
        match self {
            Self::Everyone => true,
            Self::And { holds, .. }
            | Self::Or { holds, .. }
            | Self::Not { holds, .. }
            | Self::Segment { holds, .. }
            | Self::Condition { holds, .. } => *holds,
        }
    }
}

impl Program {
    /// Explains one segment for one customer at `now`, without naming events.
    pub fn explain<S: Subject>(
        &self,
        segment: usize,
        states: &LeafStates,
        subject: &S,
        now: Timestamp,
    ) -> Explanation {
        let none = LatestEvents::default();
        self.explain_with(segment, states, (subject, &none), now)
    }

    /// Explains one segment for one customer at `now`, of whose events these are the latest.
    pub fn explain_with<S: Subject>(
        &self,
        segment: usize,
        states: &LeafStates,
        (subject, latest): (&S, &LatestEvents),
        now: Timestamp,
    ) -> Explanation {
        let mut scratch = self.new_scratch();
        let mut members = self.no_memberships();
        self.evaluate(states, subject, now, &mut scratch, &mut members);
        let explained = self.no_memberships();
        let mut explainer = Explainer {
            program: self,
            states,
            subject,
            latest,
            now,
            scratch,
            members,
            starts: self.window_starts(now),
            explained,
        };
        explainer.explain(segment)
    }
}

struct Explainer<'a, S> {
    program: &'a Program,
    states: &'a LeafStates,
    subject: &'a S,
    latest: &'a LatestEvents,
    now: Timestamp,
    scratch: Scratch,
    members: Memberships,
    starts: WindowStarts,
    /// Segments that have been explained: each is explained once, however often it is named.
    explained: Memberships,
}

impl<S: Subject> Explainer<'_, S> {
    fn explain(&mut self, segment: usize) -> Explanation {
        let program = self.program;
        self.explained.insert(segment);
        let next_change_at = program.next_flip(
            segment,
            self.states,
            self.subject,
            self.now,
            &mut self.scratch,
        );
        let mut conditions = program.conditions(segment).iter().copied();
        let because = self.part(program.rule(segment).node(), &mut conditions);
        Explanation {
            segment: program.segment_name(segment).to_string(),
            rule: program.rule(segment).rule().to_string(),
            holds: self.members.contains(segment),
            next_change_at,
            because,
        }
    }

    /// `conditions` gives the leaves of the conditions in the order of the text.
    fn part(&mut self, node: &Node, conditions: &mut impl Iterator<Item = u32>) -> Part {
        match node {
            Node::Everyone => Part::Everyone,
            Node::And(nodes) => {
                let parts: Vec<_> = nodes
                    .iter()
                    .map(|node| self.part(node, conditions))
                    .collect();
                Part::And {
                    holds: parts.iter().all(Part::holds),
                    parts,
                }
            }
            Node::Or(nodes) => {
                let parts: Vec<_> = nodes
                    .iter()
                    .map(|node| self.part(node, conditions))
                    .collect();
                Part::Or {
                    holds: parts.iter().any(Part::holds),
                    parts,
                }
            }
            Node::Not(node) => {
                let part = Box::new(self.part(node, conditions));
                Part::Not {
                    holds: !part.holds(),
                    part,
                }
            }
            Node::InSegment(name) => {
                let segment = self.program.segment_index(name);
                let segment = segment.expect("references were resolved when compiling");
                let is_new = !self.explained.contains(segment);
                let explanation = is_new.then(|| Box::new(self.explain(segment)));
                let holds = self.members.contains(segment);
                Part::Segment {
                    segment: name.to_string(),
                    holds,
                    explanation,
                }
            }
            Node::Leaf(spec) => {
                let leaf = conditions
                    .next()
                    .expect("a leaf was compiled for each condition");
                self.condition(spec, self.program.leaf(leaf))
            }
        }
    }

    fn condition(&self, spec: &LeafSpec, leaf: &Leaf) -> Part {
        let (program, now) = (self.program, self.now);
        let value = leaf.value(program, self.states, self.subject, now, &self.starts);
        let latest_event = match &leaf.source {
            LeafSource::Events { value, .. } => self.latest.of(*value).cloned(),
            LeafSource::Measure(_)
            | LeafSource::Trait(_)
            | LeafSource::Declared(_)
            | LeafSource::Account(_)
            | LeafSource::Carts(_) => None,
        };
        let is_at_cap = match &leaf.source {
            LeafSource::Measure(measure) => program.measure(*measure).is_at_cap(value),
            LeafSource::Events { value: number, .. } => {
                program.event_value(*number).is_at_cap(value)
            }
            LeafSource::Trait(_)
            | LeafSource::Declared(_)
            | LeafSource::Account(_)
            | LeafSource::Carts(_) => false,
        };
        let unit = Unit::of(spec);
        let value = match unit.value(value) {
            ExplainedValue::Integer(count) if is_at_cap => ExplainedValue::AtLeast(count),
            value => value,
        };
        Part::Condition {
            text: spec.text.clone(),
            holds: leaf.truth(program, self.states, self.subject, now, &self.starts),
            value,
            threshold: threshold(&spec.test, unit, now, program.zone()),
            next_change_at: leaf.next_flip(
                program,
                self.states,
                self.subject,
                now,
                Search::exact(program.horizon(now)),
            ),
            latest_event,
        }
    }
}

/// How a number of a condition is to be read.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Plain,
    Money,
    Share,
    Days,
    Millionths,
}

impl Unit {
    fn of(spec: &LeafSpec) -> Self {
        match &spec.source {
            Source::Measure(measure) if measure.kind == MeasureKind::Aggregate(Measure::Items) => {
                return Self::Millionths;
            }
            Source::Events(events) if matches!(events.value, EventValue::Sum(..)) => {
                return Self::Millionths;
            }
            Source::Measure(_)
            | Source::Events(_)
            | Source::Carts(_)
            | Source::Trait(_)
            | Source::Declared(_)
            | Source::Account(_) => {}
        }
        match spec.kind {
            Some(TraitKind::Money) => Self::Money,
            Some(TraitKind::Share) => Self::Share,
            Some(TraitKind::Days) => Self::Days,
            Some(
                TraitKind::Count
                | TraitKind::Number(_)
                | TraitKind::Text
                | TraitKind::Choice(_)
                | TraitKind::Instant
                | TraitKind::Flag,
            )
            | None => Self::Plain,
        }
    }

    fn integer(self, value: i64) -> ExplainedValue {
        match self {
            Self::Plain | Self::Share => ExplainedValue::Integer(value),
            Self::Money => ExplainedValue::MoneyMinor(value),
            Self::Days => ExplainedValue::Days(value),
            Self::Millionths => ExplainedValue::Number(value as f64 / MILLIONTHS),
        }
    }

    fn number(self, value: f64) -> ExplainedValue {
        match self {
            Self::Share => ExplainedValue::Share(value),
            Self::Plain | Self::Money | Self::Days | Self::Millionths => {
                ExplainedValue::Number(value)
            }
        }
    }

    fn value(self, value: TraitValue<'_>) -> ExplainedValue {
        match value {
            TraitValue::Missing => ExplainedValue::Missing,
            TraitValue::Integer(value) => self.integer(value),
            TraitValue::Number(value) => self.number(value),
            TraitValue::Money(minor) => ExplainedValue::MoneyMinor(minor),
            TraitValue::Text(text) => ExplainedValue::Text(text.to_owned()),
            TraitValue::Instant(at) => ExplainedValue::Instant(at),
            TraitValue::Flag(flag) => ExplainedValue::Flag(flag),
            TraitValue::List(list) => {
                ExplainedValue::List(list.elements().map(str::to_owned).collect())
            }
        }
    }
}

fn threshold(test: &ValueTest, unit: Unit, now: Timestamp, zone: &Zone) -> Vec<ExplainedValue> {
    let instant = ExplainedValue::Instant;
    match test {
        ValueTest::IsSet | ValueTest::IsNotSet => Vec::new(),
        ValueTest::Flag(flag) => vec![ExplainedValue::Flag(*flag)],
        ValueTest::Integer(test) => values(test, |value| unit.integer(value)),
        ValueTest::Number(test) => values(test, |value| unit.number(value)),
        ValueTest::Text(TextTest::In(texts) | TextTest::NotIn(texts)) => {
            texts.iter().cloned().map(ExplainedValue::Text).collect()
        }
        ValueTest::Text(TextTest::Contains(text) | TextTest::StartsWith(text)) => {
            vec![ExplainedValue::Text(text.clone())]
        }
        ValueTest::Instant(InstantTest::BeforeAgo { ms }) => vec![instant(now.plus_ms(-ms))],
        ValueTest::Instant(InstantTest::Within(Window::Ever)) => Vec::new(),
        ValueTest::Instant(InstantTest::Within(window)) => vec![instant(window.start(now, zone))],
        ValueTest::Instant(InstantTest::Range { from, until }) => {
            let ends = [*from, *until].into_iter();
            ends.filter(|&end| end > Timestamp::MIN && end < Timestamp::MAX)
                .map(instant)
                .collect()
        }
    }
}

fn values<T: PartialOrd + Copy>(
    test: &OrderedTest<T>,
    explained: impl Fn(T) -> ExplainedValue,
) -> Vec<ExplainedValue> {
    test.bounds()
        .iter()
        .map(|&value| explained(value))
        .collect()
}
