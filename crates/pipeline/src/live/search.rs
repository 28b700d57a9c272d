//! Customers that are searched for.

use regulars_core::{CustomerId, Timestamp};
use serde::Serialize;

use super::engine::Engine;
use super::preview::Trial;
use crate::error::PipelineError;

/// Which customers are searched for.
#[derive(Debug)]
pub struct Search {
    segment: Option<String>,
    trial: Option<Trial>,
    now: Timestamp,
}

/// A customer in a list.
#[derive(Debug, Clone, Serialize)]
pub struct Listed {
    /// Stage of life.
    lifecycle: String,
    /// Names of the segments that they are in.
    segments: Vec<String>,
}

impl Engine {
    /// Begins a search for customers of a segment whom a rule would have, at `at` or, if that is
    /// later, at the time of the latest record.
    ///
    /// # Errors
    /// When there is no such segment, or the rule does not make sense.
    pub fn search(
        &self,
        segment: Option<&str>,
        rule: Option<&str>,
        at: Timestamp,
    ) -> Result<Search, PipelineError> {
        if let Some(segment) = segment {
            self.catalogue.get(segment)?;
        }
        Ok(Search {
            segment: segment.map(str::to_owned),
            trial: rule.map(|rule| self.trial(rule, at)).transpose()?,
            now: at,
        })
    }

    /// Says of each of these what a list says of them, if they are searched for.
    ///
    /// # Errors
    /// When the segment is gone, or the history cannot be read.
    pub fn found_by(
        &self,
        search: &Search,
        customers: &[CustomerId],
    ) -> Result<Vec<Option<Listed>>, PipelineError> {
        let mut wanted: Vec<bool> = match &search.segment {
            Some(segment) => {
                let inside = self.inside(segment, customers)?.into_iter();
                inside.map(|inside| inside.is_some()).collect()
            }
            None => vec![true; customers.len()],
        };
        if let Some(trial) = &search.trial {
            let chosen = customers.iter().zip(&wanted);
            let chosen: Vec<CustomerId> = chosen
                .filter_map(|(&customer, &wanted)| wanted.then_some(customer))
                .collect();
            let mut tried = self.try_on(trial, &chosen, &mut [])?.into_iter();
            for wanted in wanted.iter_mut().filter(|wanted| **wanted) {
                *wanted = tried.next().unwrap_or(false);
            }
        }
        let now = self.now.max(search.now);
        let listed = customers.iter().zip(wanted);
        let listed =
            listed.map(|(&customer, wanted)| wanted.then(|| self.listed(customer, now)).flatten());
        Ok(listed.collect())
    }

    fn listed(&self, customer: CustomerId, now: Timestamp) -> Option<Listed> {
        let person = self
            .people
            .get(&customer)
            .filter(|person| person.is_customer())?;
        let segments = person.member.segments().iter();
        Some(Listed {
            lifecycle: person.subject(&self.context).lifecycle(now).to_string(),
            segments: segments
                .map(|segment| self.program.segment_name(segment).to_string())
                .collect(),
        })
    }
}
