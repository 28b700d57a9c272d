//! Conventions of the columns: order of day and month, decimal separator, types of traits.
//!
//! A column decides for itself where values of it can be read in one way only and all of them
//! say the same; if they do not, that is a question, never a vote. Where it has no such value,
//! what was said of such files before decides, or the other columns of the file; else nothing
//! does, and that is a question as well.

use super::mapping::Mapped;
use super::said::Said;
use super::survey::{Evidence, Seen, Survey, Watch};
use crate::field::FieldKind;
use crate::recognition::{CellType, Form};
use crate::{
    ColumnInfo, DateOrder, Decided, DecidedBy, DecimalMark, DeclaredKind, Example, Format,
    Question, Role, Source,
};

/// The columns with their conventions, and what is open.
pub(super) struct Conventions {
    pub(super) columns: Vec<ColumnInfo>,
    /// Columns that more rows could decide, and what to look for in them.
    pub(super) open: Vec<(usize, Watch)>,
    pub(super) questions: Vec<Question>,
}

/// What a column is read as, as far as conventions go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    Date,
    Amount,
    Number,
    Declared,
    Other,
}

fn reads(column: &ColumnInfo) -> Reads {
    match &column.role {
        Role::Field(field) => match field.kind() {
            FieldKind::Instant => Reads::Date,
            FieldKind::Amount => Reads::Amount,
            FieldKind::Number => Reads::Number,
            FieldKind::Id
            | FieldKind::Email
            | FieldKind::Text
            | FieldKind::Personal
            | FieldKind::Currency
            | FieldKind::Status
            | FieldKind::Flag => Reads::Other,
        },
        Role::Declared(..) => Reads::Declared,
        Role::Personal(_) | Role::Unmapped => Reads::Other,
    }
}

/// Decides what the survey can decide; `by` says how much of the file it has seen.
pub(super) fn decide(
    columns: Vec<ColumnInfo>,
    mapped: &Mapped,
    survey: &Survey,
    form: &Form,
    said: &Said,
    by: DecidedBy,
) -> Conventions {
    let mut conventions = Conventions {
        columns,
        open: Vec::new(),
        questions: Vec::new(),
    };
    let deciding = Deciding {
        mapped,
        survey,
        form,
        said,
        by,
    };
    deciding.dates(&mut conventions);
    deciding.numbers(&mut conventions);
    deciding.declared(&mut conventions);
    conventions
}

impl Conventions {
    /// What the sample had decided already was decided by the sample.
    pub(super) fn credit(&mut self, sample: &Self) {
        for (column, before) in self.columns.iter_mut().zip(&sample.columns) {
            credit(&mut column.date_order, before.date_order);
            credit(&mut column.decimal, before.decimal);
        }
    }
}

fn credit<T: PartialEq + Copy>(decided: &mut Option<Decided<T>>, before: Option<Decided<T>>) {
    if let (Some(decided), Some(before)) = (decided, before)
        && decided.value == before.value
    {
        *decided = before;
    }
}

fn decided<T>(value: T, by: DecidedBy) -> Option<Decided<T>> {
    Some(Decided {
        value,
        by,
        line: None,
    })
}

struct Deciding<'d> {
    mapped: &'d Mapped,
    survey: &'d Survey,
    form: &'d Form,
    said: &'d Said,
    by: DecidedBy,
}

impl Deciding<'_> {
    fn is_text(&self, column: &ColumnInfo) -> bool {
        self.form.types[column.position] == CellType::Text
    }

    fn dates(&self, conventions: &mut Conventions) {
        let of = |column: &ColumnInfo| reads(column) == Reads::Date && self.is_text(column);
        let pooled = agreed(
            conventions
                .columns
                .iter()
                .filter(|column| of(column))
                .map(|column| self.survey.of(column.position).dates.order()),
        );
        for column in conventions.columns.iter_mut().filter(|column| of(column)) {
            let seen = &self.survey.of(column.position).dates;
            column.date_order = match (self.said.now.date_order, seen.order()) {
                (Some(given), _) => decided(given, DecidedBy::Given),
                (None, Evidence::One(order, line)) => self.seen(order, line),
                (None, Evidence::Mixed) => {
                    conventions.questions.push(Question::MixedDateOrder {
                        column: column.name.clone(),
                        day_first: example(&seen.day_first),
                        month_first: example(&seen.month_first),
                    });
                    continue;
                }
                (None, Evidence::None) => match self.said.date_order_before() {
                    Some(before) => Some(before),
                    None if seen.either_with_dots > 0 && seen.either == 0 => {
                        decided(DateOrder::Dmy, DecidedBy::Dots)
                    }
                    None => pooled.and_then(|order| decided(order, DecidedBy::OtherColumns)),
                },
            };
            if column.date_order.is_some() || seen.either == 0 {
                continue;
            }
            conventions.open.push((column.position, Watch::Dates));
            // The data sets of the UCI repository are written so; the whole of one shows it.
            if self.mapped.source == Source::UciOnlineRetail && self.by == DecidedBy::WholeColumn {
                column.date_order = decided(DateOrder::Mdy, DecidedBy::Source);
                continue;
            }
            conventions.questions.push(Question::DateOrder {
                column: column.name.clone(),
                example: seen.example.clone().unwrap_or_default(),
            });
        }
    }

    /// What a value on that line shows.
    fn seen<T>(&self, value: T, line: u64) -> Option<Decided<T>> {
        Some(Decided {
            value,
            by: self.by,
            line: Some(line),
        })
    }

    fn numbers(&self, conventions: &mut Conventions) {
        let of = |column: &ColumnInfo| {
            matches!(reads(column), Reads::Amount | Reads::Number) && self.is_text(column)
        };
        let pooled = self.pooled_mark(&conventions.columns);
        for column in conventions.columns.iter_mut().filter(|column| of(column)) {
            let seen = &self.survey.of(column.position).numbers;
            if self.said.now.decimal.is_none() && seen.mark() == Evidence::Mixed {
                conventions.questions.push(Question::MixedDecimal {
                    column: column.name.clone(),
                    point: example(&seen.point),
                    comma: example(&seen.comma),
                });
                continue;
            }
            column.decimal = self.mark(seen.mark(), pooled);
            if column.decimal.is_some() {
                continue;
            }
            // Whole amounts so far: cents may come later, quantities rarely have any.
            if seen.either > 0 || reads(column) == Reads::Amount {
                conventions.open.push((column.position, Watch::Numbers));
            }
            if seen.either > 0 {
                conventions.questions.push(Question::Decimal {
                    column: column.name.clone(),
                    example: seen.example.clone().unwrap_or_default(),
                });
            }
        }
    }

    fn mark(
        &self,
        own: Evidence<DecimalMark>,
        pooled: Option<DecimalMark>,
    ) -> Option<Decided<DecimalMark>> {
        match (self.said.now.decimal, own) {
            (Some(given), _) => return decided(given, DecidedBy::Given),
            (None, Evidence::One(mark, line)) => return self.seen(mark, line),
            (None, Evidence::None | Evidence::Mixed) => {}
        }
        match (self.said.decimal_before(), pooled) {
            (Some(before), _) => Some(before),
            (None, Some(mark)) => decided(mark, DecidedBy::OtherColumns),
            (None, None) if matches!(self.form.format, Format::Ndjson { .. }) => {
                decided(DecimalMark::Point, DecidedBy::Format)
            }
            (None, None) => None,
        }
    }

    /// The mark that the columns of numbers agree on.
    fn pooled_mark(&self, columns: &[ColumnInfo]) -> Option<DecimalMark> {
        let numbers = columns.iter().filter(|column| {
            matches!(reads(column), Reads::Amount | Reads::Number) && self.is_text(column)
        });
        agreed(numbers.map(|column| self.survey.of(column.position).numbers.mark()))
    }

    fn declared(&self, conventions: &mut Conventions) {
        let pooled_mark = self.pooled_mark(&conventions.columns);
        let dates = conventions
            .columns
            .iter()
            .filter_map(|column| column.date_order);
        let pooled_order = agreed(dates.map(|decided| Evidence::One(decided.value, 0)));
        for column in &mut conventions.columns {
            let Role::Declared(name, kind) = &mut column.role else {
                continue;
            };
            *kind = match self.form.types[column.position] {
                CellType::Number => DeclaredKind::Number,
                CellType::Flag => DeclaredKind::Flag,
                CellType::Date => DeclaredKind::Date,
                CellType::Other => DeclaredKind::Text,
                CellType::Text => {
                    conventions.open.push((column.position, Watch::Everything));
                    let seen = self.survey.of(column.position);
                    let order = self.order_of_trait(seen, pooled_order);
                    let mark = self.mark(seen.numbers.mark(), pooled_mark);
                    if mark.is_none() && seen.is_of_either_mark() {
                        conventions.questions.push(Question::Decimal {
                            column: column.name.clone(),
                            example: seen.numbers.example.clone().unwrap_or_default(),
                        });
                    }
                    let kind = declared_kind(
                        seen,
                        order.map(|decided| decided.value),
                        mark.map(|decided| decided.value),
                    );
                    let personal = match kind {
                        DeclaredKind::Text => seen.looks_personal(),
                        DeclaredKind::Number => seen.looks_like_phones(),
                        DeclaredKind::Flag | DeclaredKind::Date => false,
                    };
                    if personal && column.reason.is_none() {
                        column.role = Role::Personal(name.clone());
                        continue;
                    }
                    if kind == DeclaredKind::Date {
                        column.date_order = order;
                    }
                    if kind == DeclaredKind::Number {
                        column.decimal = mark;
                    }
                    kind
                }
            };
        }
    }

    fn order_of_trait(&self, seen: &Seen, pooled: Option<DateOrder>) -> Option<Decided<DateOrder>> {
        let given = self.said.now.date_order;
        given
            .and_then(|order| decided(order, DecidedBy::Given))
            .or_else(|| {
                let (order, line) = seen.dates.order().one()?;
                self.seen(order, line)
            })
            .or_else(|| self.said.date_order_before())
            .or_else(|| decided(pooled?, DecidedBy::OtherColumns))
    }
}

fn example(seen: &Option<Example>) -> Example {
    seen.clone()
        .expect("evidence is mixed when both have been seen")
}

/// What those that have an opinion agree on.
fn agreed<T: PartialEq>(opinions: impl Iterator<Item = Evidence<T>>) -> Option<T> {
    let mut opinions = opinions.filter_map(|opinion| Some(opinion.one()?.0));
    let first = opinions.next()?;
    opinions.all(|other| other == first).then_some(first)
}

/// The type that all values of a declared trait have.
fn declared_kind(seen: &Seen, order: Option<DateOrder>, mark: Option<DecimalMark>) -> DeclaredKind {
    let (dates, numbers) = (&seen.dates, &seen.numbers);
    if seen.filled == 0 {
        return DeclaredKind::Text;
    }
    // 0 and 1 are numbers: they count as well as they say yes or no.
    if seen.flags == seen.filled && numbers.all < seen.filled {
        return DeclaredKind::Flag;
    }
    let one_mark = match mark {
        Some(DecimalMark::Point) => numbers.comma.is_none(),
        Some(DecimalMark::Comma) => numbers.point.is_none(),
        None => numbers.mark() == Evidence::None && numbers.either == 0,
    };
    let plain_dates = dates.all == seen.filled && dates.digits == 0;
    if numbers.all == seen.filled && seen.digit_texts == 0 && one_mark && !plain_dates {
        return DeclaredKind::Number;
    }
    let one_order = match order {
        Some(DateOrder::Dmy) => dates.month_first.is_none(),
        Some(DateOrder::Mdy) => dates.day_first.is_none(),
        None => dates.order() == Evidence::None && dates.either == 0,
    };
    if plain_dates && one_order {
        DeclaredKind::Date
    } else {
        DeclaredKind::Text
    }
}
