//! What is said of a file: now, and before of files like it.

use crate::recognition::Form;
use crate::{
    DateOrder, Decided, DecidedBy, DecimalMark, LevelReason, MapReason, ReadOptions, Remembered,
    RowLevel,
};

/// What is said of one file.
#[derive(Debug)]
pub(super) struct Said {
    /// What is said now, with what only fills gaps (kind of rows, names of columns, words of
    /// statuses) taken from before.
    pub(super) now: ReadOptions,
    /// What was said before; empty where nothing was.
    pub(super) before: Remembered,
    /// Who named the columns of a file without a header.
    pub(super) columns_by: MapReason,
}

impl Said {
    pub(super) fn of(form: &Form, options: &ReadOptions) -> Self {
        let before = options.remembered.get(&form.signature);
        let before = before.cloned().unwrap_or_default();
        let mut now = options.clone();
        let columns_by = match now.columns {
            Some(_) => MapReason::Given,
            None => MapReason::Remembered,
        };
        now.columns = now.columns.or_else(|| before.columns.clone());
        now.entity = now.entity.or(before.entity);
        now.serial_dates = now.serial_dates.or(before.serial_dates);
        now.statuses.extend(before.statuses.iter().cloned());
        for (name, column) in &before.traits {
            if !now.traits.iter().any(|(_, given)| given == column) {
                now.traits.push((name.clone(), column.clone()));
            }
        }
        Self {
            now,
            before,
            columns_by,
        }
    }

    /// The order of day and month that was said before, for columns that do not tell.
    pub(super) fn date_order_before(&self) -> Option<Decided<DateOrder>> {
        before(self.before.date_order, self.now.settings.date_order)
    }

    /// The decimal separator that was said before, for columns that do not tell.
    pub(super) fn decimal_before(&self) -> Option<Decided<DecimalMark>> {
        before(self.before.decimal, self.now.settings.decimal)
    }

    pub(super) fn level(&self) -> Option<(RowLevel, LevelReason)> {
        let given = self.now.level.map(|level| (level, LevelReason::Given));
        let before = self.before.level;
        given.or(before.map(|level| (level, LevelReason::Remembered)))
    }
}

fn before<T>(remembered: Option<T>, settings: Option<T>) -> Option<Decided<T>> {
    let decided = |by| {
        move |value| Decided {
            value,
            by,
            line: None,
        }
    };
    let remembered = remembered.map(decided(DecidedBy::Remembered));
    remembered.or(settings.map(decided(DecidedBy::Settings)))
}
