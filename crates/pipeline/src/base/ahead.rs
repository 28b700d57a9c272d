//! Conditions on orders and events, folded in one go with the facts.
//!
//! Which symbols a condition on texts of orders looks for is known when all texts are, after the
//! facts are folded. Those that it compares with are looked for before; when it comes to the same
//! afterwards, the orders need not be gone through again.

use regulars_core::Symbols;
use regulars_profile::Ledger;
use regulars_rules::{LeafStates, Program, WindowStarts};

use super::fold::Known;
use super::{FoldOptions, Scoring};
use crate::catalogue::Catalogue;
use crate::error::PipelineError;
use crate::live::retell;

/// The segments as they can be compiled before anything is folded: without those of channels, which
/// follow from the facts and remember nothing.
pub(super) struct Ahead {
    program: Program,
    starts: WindowStarts,
}

impl Ahead {
    /// `None` when conditions remember nothing of anybody, or all texts are to be known before;
    /// `has_events` says whether any event is told. Interns the texts that conditions compare with.
    ///
    /// # Errors
    /// When a segment does not make sense.
    pub(super) fn compile(
        catalogue: &Catalogue,
        symbols: &mut Symbols,
        has_events: bool,
        options: FoldOptions,
    ) -> Result<Option<Self>, PipelineError> {
        if options.scoring == Scoring::None {
            return Ok(None);
        }
        let program = catalogue.compile(symbols, options.keep)?;
        if !remembers(&program, has_events) {
            return Ok(None);
        }
        let Some(texts) = program.texts_compared() else {
            return Ok(None);
        };
        for text in texts {
            symbols.intern(text);
        }
        let program = catalogue.compile(symbols, options.keep)?;
        Ok(Some(Self {
            starts: program.window_starts(options.looked_at_from),
            program,
        }))
    }

    /// What conditions remember of a customer.
    pub(super) fn states(&self, ledger: &Ledger, known: &Known<'_>) -> LeafStates {
        states_of(&self.program, &self.starts, ledger, known)
    }

    /// True when the segments, compiled afterwards, remember the same.
    pub(super) fn is_as(&self, program: &Program) -> bool {
        self.program.folds_alike(program)
    }
}

/// True when conditions remember anything of anybody.
pub(super) fn remembers(program: &Program, has_events: bool) -> bool {
    program.measure_count() > 0 || has_events && program.event_value_count() > 0
}

/// What conditions remember of a customer who is looked at from `starts` on.
pub(super) fn states_of(
    program: &Program,
    starts: &WindowStarts,
    ledger: &Ledger,
    known: &Known<'_>,
) -> LeafStates {
    let mut states = program.new_states();
    for order in ledger.orders() {
        program.fold_since(&mut states, &order, starts);
    }
    retell::fold_events_since(&mut states, known.told, program, starts);
    states
}
