//! From checked rules to a program: leaves found equal, references ordered, code laid out.

use std::collections::BTreeMap;

use regulars_core::{SegmentName, Symbols, Trait};

use super::evaluate::REMEMBERED;
use super::event::EventProgram;
use super::filter::FilterProgram;
use super::index::Index;
use super::truths::Part;
use super::{
    CompileError, Faults, Keep, Leaf, LeafSource, MAX_REFERENCES, MeasureProgram, NamedRule, Op,
    Program, Scope, Segment,
};
use crate::check::{EventSpec, LeafSpec, MeasureSpec, Node, Source, Vocabulary};
use crate::error::nearest;

pub(super) fn compile(
    rules: &[NamedRule],
    vocabulary: &Vocabulary,
    symbols: &Symbols,
    keep: Keep,
) -> Result<Program, CompileError> {
    let mut numbers = BTreeMap::new();
    for (number, named) in (0_u32..).zip(rules) {
        if numbers.insert(named.name.clone(), number).is_some() {
            return Err(CompileError::Duplicate(named.name.clone()));
        }
    }
    let references = references(rules, &numbers)?;
    let order = in_order_of_reference(rules, &references)?;
    refuse_long_chains(rules, &references, &order)?;
    let mut compiler = Compiler {
        numbers,
        symbols,
        keep,
        leaves: Vec::new(),
        measures: Vec::new(),
        events: Vec::new(),
    };
    let mut segments: Vec<Segment> = rules.iter().map(|named| compiler.segment(named)).collect();
    for &number in &order {
        let mut scope = scope_of(number, &segments, &references[number as usize], &order);
        scope.code = linked(&scope.segments, &segments);
        segments[number as usize].scope = scope;
    }
    share_memory(&mut compiler.leaves);
    let mut windows = 0;
    for value in &mut compiler.events {
        value.first_window = windows;
        windows += value.window_count();
    }
    let everything = Scope {
        code: linked(&order, &segments),
        segments: order,
        leaves: (0..compiler.leaves.len() as u32).collect(),
    };
    Ok(Program {
        index: Index::new(&compiler.leaves, &compiler.events),
        parts: parts_of(&compiler.leaves),
        segments,
        everything,
        leaves: compiler.leaves,
        measures: compiler.measures,
        events: compiler.events,
        zone: vocabulary.zone.clone(),
        faults: Faults::default(),
    })
}

/// Which segments each one refers to, by number.
fn references(
    rules: &[NamedRule],
    numbers: &BTreeMap<SegmentName, u32>,
) -> Result<Vec<Vec<u32>>, CompileError> {
    let number_of = |segment: &NamedRule, name: SegmentName| {
        numbers
            .get(&name)
            .copied()
            .ok_or_else(|| CompileError::UnknownSegment {
                segment: segment.name.clone(),
                nearest: nearest(name.as_str(), numbers.keys().map(SegmentName::as_str))
                    .and_then(|near| SegmentName::new(near).ok()),
                name,
            })
    };
    let of = |segment: &NamedRule| {
        segment
            .rule
            .reads()
            .segments
            .into_iter()
            .map(|name| number_of(segment, name))
            .collect()
    };
    rules.iter().map(of).collect()
}

/// Segment numbers such that each comes after those that it refers to; otherwise as given.
fn in_order_of_reference(
    rules: &[NamedRule],
    references: &[Vec<u32>],
) -> Result<Vec<u32>, CompileError> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; rules.len()];
    let mut order = Vec::with_capacity(rules.len());
    for root in 0..rules.len() as u32 {
        if marks[root as usize] != Mark::New {
            continue;
        }
        // Depth first with an own stack: a chain of references may be as long as there are
        // segments. Each entry is a segment and how many of its references are done.
        let mut path = vec![(root, 0)];
        marks[root as usize] = Mark::Open;
        while let Some((segment, done)) = path.last_mut() {
            let segment = *segment;
            let Some(&next) = references[segment as usize].get(*done) else {
                marks[segment as usize] = Mark::Done;
                order.push(segment);
                path.pop();
                continue;
            };
            *done += 1;
            match marks[next as usize] {
                Mark::Done => {}
                Mark::New => {
                    marks[next as usize] = Mark::Open;
                    path.push((next, 0));
                }
                Mark::Open => {
                    let circle = path.iter().skip_while(|&&(segment, _)| segment != next);
                    let name = |&(segment, _): &(u32, usize)| rules[segment as usize].name.clone();
                    return Err(CompileError::Cycle {
                        path: circle.map(name).collect(),
                    });
                }
            }
        }
    }
    Ok(order)
}

/// Long chains are refused, so that explanations, which follow them, stay readable and safe.
fn refuse_long_chains(
    rules: &[NamedRule],
    references: &[Vec<u32>],
    order: &[u32],
) -> Result<(), CompileError> {
    let mut lengths = vec![1; rules.len()];
    for &segment in order {
        let longest = references[segment as usize]
            .iter()
            .map(|&to| lengths[to as usize])
            .max();
        let length = 1 + longest.unwrap_or(0);
        if length > MAX_REFERENCES {
            return Err(CompileError::TooDeep(rules[segment as usize].name.clone()));
        }
        lengths[segment as usize] = length;
    }
    Ok(())
}

/// Gives a place to each trait that several leaves ask for, as long as there are places.
fn share_memory(leaves: &mut [Leaf]) {
    let mut counts: BTreeMap<Trait, usize> = BTreeMap::new();
    for leaf in leaves.iter() {
        if let LeafSource::Trait(which) = leaf.source {
            *counts.entry(which).or_default() += 1;
        }
    }
    let shared = counts
        .into_iter()
        .filter(|&(_, leaves)| leaves > 1)
        .map(|(which, _)| which);
    let places: BTreeMap<Trait, u8> = shared.zip(0..REMEMBERED as u8).collect();
    for leaf in leaves {
        if let LeafSource::Trait(which) = leaf.source {
            leaf.memory = places.get(&which).copied();
        }
    }
}

/// Numbers of the leaves of each part, ascending.
fn parts_of(leaves: &[Leaf]) -> [Vec<u32>; Part::COUNT] {
    let mut parts: [Vec<u32>; Part::COUNT] = Default::default();
    for (number, leaf) in (0_u32..).zip(leaves) {
        parts[leaf.part() as usize].push(number);
    }
    parts
}

/// The programs of several segments as one: jumps are moved, each result is kept.
fn linked(order: &[u32], segments: &[Segment]) -> Vec<Op> {
    let mut all = Vec::new();
    for &number in order {
        let start = all.len() as u32;
        all.extend(segments[number as usize].code.iter().map(|op| match *op {
            Op::JumpIfFalse(target) => Op::JumpIfFalse(start + target),
            Op::JumpIfTrue(target) => Op::JumpIfTrue(start + target),
            other => other,
        }));
        all.push(Op::Member(number));
    }
    all
}

/// What decides about a segment; the scopes of those it refers to are known.
fn scope_of(number: u32, segments: &[Segment], references: &[u32], order: &[u32]) -> Scope {
    let mut members = vec![false; segments.len()];
    members[number as usize] = true;
    let mut leaves = segments[number as usize].conditions.clone();
    for &reference in references {
        let scope = &segments[reference as usize].scope;
        leaves.extend(&scope.leaves);
        for &segment in &scope.segments {
            members[segment as usize] = true;
        }
    }
    leaves.sort_unstable();
    leaves.dedup();
    let segments = order
        .iter()
        .copied()
        .filter(|&segment| members[segment as usize])
        .collect();
    Scope {
        segments,
        leaves,
        code: Vec::new(),
    }
}

struct Compiler<'a> {
    numbers: BTreeMap<SegmentName, u32>,
    symbols: &'a Symbols,
    keep: Keep,
    leaves: Vec<Leaf>,
    measures: Vec<MeasureProgram>,
    events: Vec<EventProgram>,
}

impl Compiler<'_> {
    fn segment(&mut self, named: &NamedRule) -> Segment {
        let (mut code, mut conditions) = (Vec::new(), Vec::new());
        self.emit(named.rule.node(), &mut code, &mut conditions);
        Segment {
            name: named.name.clone(),
            rule: named.rule.clone(),
            code,
            conditions,
            scope: Scope::default(),
        }
    }

    fn emit(&mut self, node: &Node, code: &mut Vec<Op>, conditions: &mut Vec<u32>) {
        match node {
            Node::Everyone => code.push(Op::Constant(true)),
            Node::InSegment(name) => {
                let number = self.numbers.get(name).copied();
                code.push(Op::Segment(
                    number.expect("references were resolved before"),
                ));
            }
            Node::Not(inside) => {
                self.emit(inside, code, conditions);
                code.push(Op::Not);
            }
            Node::And(nodes) => self.emit_chain(nodes, Op::JumpIfFalse, code, conditions),
            Node::Or(nodes) => self.emit_chain(nodes, Op::JumpIfTrue, code, conditions),
            Node::Leaf(spec) => {
                let leaf = self.leaf(spec);
                conditions.push(leaf);
                code.push(Op::Leaf(leaf));
            }
        }
    }

    /// The parts one after the other, with a jump to the end as soon as one decides.
    fn emit_chain(
        &mut self,
        nodes: &[Node],
        jump: fn(u32) -> Op,
        code: &mut Vec<Op>,
        conditions: &mut Vec<u32>,
    ) {
        let mut jumps = Vec::new();
        for (position, node) in nodes.iter().enumerate() {
            if position > 0 {
                jumps.push(code.len());
                code.push(jump(0));
            }
            self.emit(node, code, conditions);
        }
        let end = code.len() as u32;
        for at in jumps {
            code[at] = jump(end);
        }
    }

    /// The number of the leaf that asks this; a new one when none does yet.
    fn leaf(&mut self, spec: &LeafSpec) -> u32 {
        let source = match &spec.source {
            Source::Trait(which) => LeafSource::Trait(*which),
            Source::Declared(name) => LeafSource::Declared(name.clone()),
            Source::Account(name) => LeafSource::Account(name.clone()),
            Source::Measure(measure) => LeafSource::Measure(self.measure(measure, spec)),
            Source::Events(value) => self.event_value(value, spec),
            Source::Carts(filter) => LeafSource::Carts(filter.clone()),
        };
        let leaf = Leaf {
            source,
            test: spec.test.clone(),
            memory: None,
        };
        position_or_push(&mut self.leaves, |known| *known == leaf, || leaf.clone())
    }

    /// The number of the measure; tests of the same measure share its state.
    fn measure(&mut self, spec: &MeasureSpec, leaf: &LeafSpec) -> u32 {
        let symbols = self.symbols;
        let number = position_or_push(
            &mut self.measures,
            |known| known.spec == *spec,
            || {
                let filter = spec
                    .filter
                    .as_ref()
                    .map(|node| FilterProgram::new(node, symbols));
                MeasureProgram::new(spec.clone(), filter)
            },
        );
        self.measures[number as usize].serve(&leaf.test, self.keep);
        number
    }

    /// The value of events, likewise; different windows of the same events share it too.
    fn event_value(&mut self, spec: &EventSpec, leaf: &LeafSpec) -> LeafSource {
        let mut known = (0_u32..).zip(&mut self.events);
        let known = known.find_map(|(value, known)| Some((value, known.place_of(spec)?)));
        let (value, window) = known.unwrap_or_else(|| {
            self.events.push(EventProgram::new(spec.clone()));
            (self.events.len() as u32 - 1, 0)
        });
        self.events[value as usize].serve(&leaf.test, self.keep);
        LeafSource::Events { value, window }
    }
}

fn position_or_push<T>(
    all: &mut Vec<T>,
    is_it: impl Fn(&T) -> bool,
    new: impl FnOnce() -> T,
) -> u32 {
    let position = all.iter().position(is_it).unwrap_or_else(|| {
        all.push(new());
        all.len() - 1
    });
    u32::try_from(position).expect("fewer than 2^32 conditions")
}
