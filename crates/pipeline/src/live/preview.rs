//! How many customers a rule would have, before it is a segment.
//!
//! Everyone is looked at in steps, so that events are not kept waiting.

use regulars_core::{CustomerId, SegmentName, Timestamp};
use regulars_profile::Ledger;
use regulars_rules::{Keep, Program, Subject as _};

use super::at_hand::Resolving;
use super::engine::Engine;
use super::person::Folding;
use crate::error::PipelineError;
use crate::kinds::{KindsSeen, kind_seen};

/// Customers that are looked at in one step.
const STEP: usize = 500;
/// The rule among the segments.
const NAME: &str = "the_rule_that_is_previewed";

/// A rule that is tried.
#[derive(Debug)]
pub(super) struct Trial {
    program: Program,
    number: usize,
    now: Timestamp,
    /// The rule as canonical text.
    rule: String,
    /// The rule as a sentence.
    in_words: String,
}

/// A rule that is being tried on everyone.
#[derive(Debug)]
pub struct Preview {
    trial: Trial,
    people: Vec<CustomerId>,
    looked_at: usize,
    /// Customers who would be in, of those looked at.
    pub customers: usize,
    /// What declared traits are for them that the rule reads.
    kinds: Vec<KindsSeen>,
}

impl Preview {
    /// The rule as canonical text.
    pub fn rule(&self) -> &str {
        &self.trial.rule
    }

    /// The rule as a sentence.
    pub fn in_words(&self) -> &str {
        &self.trial.in_words
    }

    /// Customers altogether.
    pub fn everyone(&self) -> usize {
        self.people.len()
    }

    /// A sentence on each declared trait that the rule compares with a value of another kind than
    /// customers who were looked at have.
    pub fn hints(&self) -> Vec<String> {
        self.kinds.iter().filter_map(KindsSeen::said).collect()
    }

    /// True when everyone was looked at.
    pub fn is_done(&self) -> bool {
        self.looked_at == self.people.len()
    }
}

impl Engine {
    /// Begins to try a rule at `at` or, if that is later, at the time of the latest record.
    ///
    /// # Errors
    /// When the rule does not make sense; the message shows the place.
    pub fn preview(&self, rule: &str, at: Timestamp) -> Result<Preview, PipelineError> {
        let rule_read = self.catalogue.rule(rule)?.reads().declared_as.into_iter();
        Ok(Preview {
            trial: self.trial(rule, at)?,
            kinds: rule_read
                .map(|(name, with)| KindsSeen::of(name, with))
                .collect(),
            people: self.everyone().into_iter().collect(),
            looked_at: 0,
            customers: 0,
        })
    }

    pub(super) fn trial(&self, rule: &str, at: Timestamp) -> Result<Trial, PipelineError> {
        let rule = self.catalogue.rule(rule)?;
        let name = SegmentName::new(NAME).expect("it is a name of a segment");
        let catalogue = self.catalogue.clone().with_rule(&name, rule);
        let symbols = self.table.snapshot();
        let program = catalogue.compile(&symbols, Keep::Needed)?;
        let number = program.segment_index(&name).expect("it was added");
        let segment = catalogue.get(NAME)?;
        Ok(Trial {
            number,
            program,
            now: self.now.max(at),
            rule: segment.rule_text(),
            in_words: segment.in_words(),
        })
    }

    /// Looks at the next customers.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn preview_some(&self, preview: &mut Preview) -> Result<(), PipelineError> {
        let to = (preview.looked_at + STEP).min(preview.people.len());
        let people = &preview.people[preview.looked_at..to];
        let inside = self.try_on(&preview.trial, people, &mut preview.kinds)?;
        preview.customers += inside.into_iter().filter(|&inside| inside).count();
        preview.looked_at = to;
        Ok(())
    }

    /// Says of each of these whether a rule would have them, and notes in `kinds` what declared
    /// traits are for them; somebody may have become another since they were listed.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub(super) fn try_on(
        &self,
        trial: &Trial,
        customers: &[CustomerId],
        kinds: &mut [KindsSeen],
    ) -> Result<Vec<bool>, PipelineError> {
        let program = &trial.program;
        let mut scratch = program.new_scratch();
        let mut orders = self.orders.knowing_none();
        let mut ledger = Ledger::default();
        let now = trial.now.max(self.now);
        let mut tried = Vec::with_capacity(customers.len());
        for customer in customers {
            let Some(person) = self.people.get(customer) else {
                tried.push(false);
                continue;
            };
            let mut person = person.not_folded(program);
            person.refold(&mut Folding {
                history: &self.history,
                whose: self.whose(),
                table: &self.table,
                orders: &mut orders,
                resolving: Resolving {
                    ledger: &mut ledger,
                    products: &self.products,
                    program,
                    names_products: &mut false,
                    now,
                },
                changes: &mut Vec::new(),
                refolds: &mut 0,
                keeps_past: false,
            })?;
            let subject = person.subject(&self.context);
            for seen in &mut *kinds {
                if let Some(kind) = kind_seen(subject.declared(seen.name())) {
                    seen.see(kind);
                }
            }
            let states = &person.member.states;
            tried.push(program.evaluate_one(trial.number, states, &subject, now, &mut scratch));
        }
        Ok(tried)
    }
}
