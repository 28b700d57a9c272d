//! From split rows to a batch: each field from its column, then the rejected rows taken out.

mod bounds;
mod events;
mod orders;
mod refunds;
mod sales;
mod uci;

use std::sync::Arc;

use regulars_core::{Currency, OrderStatus, Zone};

use super::cell::is_rounded_id;
use super::column::{
    Cleaning, Contradiction, Currencies, Rejections, amounts, currencies, dictionary, emails,
    flags, instants, numbers, retain, statuses, texts,
};
use crate::batch::{Amounts, Instants};
use crate::field::FieldKind;
use crate::rows::{RowBatch, Rows};
use crate::value::StatusOf;
use crate::{
    AdSpendBatch, Batch, ColumnInfo, CustomerBatch, DeclaredColumn, DeclaredKind, DeclaredValues,
    DictColumn, Entity, Field, ProductBatch, ReadOptions, Recognition, Reject, RejectReason, Role,
    RowLevel, SerialDates, Source, TextColumn,
};
pub(crate) use sales::{RETURNS, is_of_sales};

/// Makes batches of one file.
#[derive(Debug)]
pub(crate) struct Builder {
    plan: Arc<Plan>,
    /// Order id and currency of the last row, for exports that name the currency of an order
    /// on its first row only.
    carried: (String, Option<Currency>),
}

/// How the columns of the file are read.
#[derive(Debug)]
struct Plan {
    columns: Vec<ColumnInfo>,
    entity: Entity,
    source: Source,
    level: RowLevel,
    currency: Currency,
    zone: Zone,
    serial: SerialDates,
    statuses: Vec<(String, OrderStatus)>,
    /// What happened, where no column says it.
    event: Option<String>,
}

impl Builder {
    pub(crate) fn new(recognition: &Recognition, options: &ReadOptions) -> Self {
        let plan = Plan {
            columns: recognition.columns.clone(),
            entity: recognition.entity,
            source: recognition.source,
            level: recognition.level,
            currency: recognition.currency,
            zone: options.zone.clone(),
            serial: recognition.serial_dates,
            statuses: recognition.statuses.clone(),
            event: options.event.clone(),
        };
        Self {
            plan: Arc::new(plan),
            carried: (String::new(), None),
        }
    }

    /// The rows as a batch, and the first of them that contradicts what was decided about its
    /// column.
    pub(crate) fn build(&mut self, batch: RowBatch) -> (Batch, Option<Contradiction>) {
        let plan = Arc::clone(&self.plan);
        let lines = batch.rows.lines();
        let rejections = Rejections::new(&lines, batch.rejected);
        let mut work = Work {
            plan: &plan,
            rows: &batch.rows,
            rejections,
        };
        match plan.entity {
            Entity::Refunds => {
                let built = refunds::build(&mut work, &lines);
                let (batch, contradiction) = finished(built, work);
                (Batch::Refunds(batch), contradiction)
            }
            Entity::Orders => {
                let built = orders::build(&mut work, &lines, &mut self.carried);
                let (batch, contradiction) = finished(built, work);
                (Batch::Orders(batch), contradiction)
            }
            Entity::Customers => {
                let built = work.customers(&lines);
                let (batch, contradiction) = finished(built, work);
                (Batch::Customers(batch), contradiction)
            }
            Entity::Products => {
                let built = work.products(&lines);
                let (batch, contradiction) = finished(built, work);
                (Batch::Products(batch), contradiction)
            }
            Entity::AdSpend => {
                let built = work.ad_spend(&lines);
                let (batch, contradiction) = finished(built, work);
                (Batch::AdSpend(batch), contradiction)
            }
            Entity::Events => {
                let built = events::build(&mut work, &lines);
                let (batch, contradiction) = finished(built, work);
                (Batch::Events(batch), contradiction)
            }
        }
    }
}

/// A batch from which rows can be taken out.
trait Retain {
    fn set_rejected(&mut self, rejected: Vec<Reject>);
    fn retain(&mut self, keep: &[bool]);
}

fn finished<B: Retain>(mut batch: B, work: Work<'_>) -> (B, Option<Contradiction>) {
    let (rejected, keep, contradiction) = work.rejections.finish();
    if let Some(keep) = keep {
        batch.retain(&keep);
    }
    batch.set_rejected(rejected);
    (batch, contradiction)
}

/// The rows of one batch while their fields are read.
struct Work<'w> {
    plan: &'w Plan,
    rows: &'w Rows,
    rejections: Rejections<'w>,
}

impl<'w> Work<'w> {
    fn info(&self, field: Field) -> Option<&'w ColumnInfo> {
        self.plan
            .columns
            .iter()
            .find(|column| column.field() == Some(field))
    }

    /// Ids; those that a spreadsheet rounded stand for nothing any more and reject their row.
    fn texts(&mut self, field: Field) -> Option<TextColumn> {
        let info = self.info(field)?;
        let ids = texts(self.rows.column(info.position), cleaning(field));
        if field.kind() == FieldKind::Id {
            for (row, id) in ids.iter().enumerate() {
                if is_rounded_id(id) {
                    self.rejections.add(row, info, id, RejectReason::RoundedId);
                }
            }
        }
        Some(ids)
    }

    fn emails(&self, field: Field) -> Option<TextColumn> {
        let info = self.info(field)?;
        Some(emails(self.rows.column(info.position)))
    }

    fn dictionary(&self, field: Field) -> Option<DictColumn> {
        let info = self.info(field)?;
        Some(dictionary(self.rows.column(info.position), cleaning(field)))
    }

    fn instants(&mut self, field: Field) -> Option<Instants> {
        let info = self.info(field)?;
        Some(self.instants_of(info))
    }

    fn instants_of(&mut self, info: &ColumnInfo) -> Instants {
        let column = self.rows.column(info.position);
        instants(
            column,
            info,
            self.plan.serial,
            &self.plan.zone,
            &mut self.rejections,
        )
    }

    fn currencies(&mut self) -> Currencies {
        let file = self.plan.currency;
        let Some(info) = self.info(Field::Currency) else {
            return Currencies::all(file);
        };
        currencies(
            self.rows.column(info.position),
            info,
            file,
            &mut self.rejections,
        )
    }

    fn amounts(&mut self, field: Field, currencies: &Currencies) -> Option<Amounts> {
        let info = self.info(field)?;
        let column = self.rows.column(info.position);
        let values = amounts(column, info, currencies, &mut self.rejections);
        bounds::bound_amounts(&values, column, info, &mut self.rejections);
        Some(values)
    }

    fn numbers(&mut self, field: Field) -> Option<Vec<Option<f64>>> {
        let info = self.info(field)?;
        Some(numbers(
            self.rows.column(info.position),
            info,
            &mut self.rejections,
        ))
    }

    fn statuses(&mut self, meaning: StatusOf) -> Option<Vec<Option<OrderStatus>>> {
        let info = self.info(Field::Status)?;
        let column = self.rows.column(info.position);
        Some(statuses(
            column,
            info,
            (meaning, &self.plan.statuses),
            &mut self.rejections,
        ))
    }

    /// The currency column, when the file has one.
    fn currency_column(&self, currencies: &Currencies) -> Option<DictColumn> {
        self.info(Field::Currency).map(|_| currencies.column())
    }

    fn customers(&mut self, lines: &[u64]) -> CustomerBatch {
        let (mut personal, mut declared) = (Vec::new(), Vec::new());
        for info in &self.plan.columns {
            let column = self.rows.column(info.position);
            match &info.role {
                Role::Field(Field::CustomerId | Field::Email) | Role::Unmapped => {}
                Role::Field(field) => match field.kind() {
                    FieldKind::Personal => {
                        personal.push((field.name().to_owned(), texts(column, Cleaning::Id)));
                    }
                    kind => {
                        let values = self.declared(info, declared_kind(kind));
                        declared.push(DeclaredColumn {
                            name: field.name().to_owned(),
                            values,
                        });
                    }
                },
                Role::Personal(name) => {
                    personal.push((name.clone(), texts(column, Cleaning::Id)));
                }
                Role::Declared(name, kind) => {
                    let values = self.declared(info, *kind);
                    declared.push(DeclaredColumn {
                        name: name.clone(),
                        values,
                    });
                }
            }
        }
        CustomerBatch {
            line: lines.to_vec(),
            customer_id: self.texts(Field::CustomerId),
            email: self.emails(Field::Email),
            personal,
            declared,
            rejected: Vec::new(),
        }
    }

    fn declared(&mut self, info: &ColumnInfo, kind: DeclaredKind) -> DeclaredValues {
        let column = self.rows.column(info.position);
        match kind {
            DeclaredKind::Flag => DeclaredValues::Flag(flags(column, info, &mut self.rejections)),
            DeclaredKind::Number => {
                DeclaredValues::Number(numbers(column, info, &mut self.rejections))
            }
            DeclaredKind::Date => DeclaredValues::Date(self.instants_of(info)),
            DeclaredKind::Text => DeclaredValues::Text(dictionary(column, Cleaning::Text)),
        }
    }

    fn products(&mut self, lines: &[u64]) -> ProductBatch {
        let currencies = self.currencies();
        let empty = || texts(crate::rows::Column::Absent(lines.len()), Cleaning::Id);
        ProductBatch {
            file_currency: self.plan.currency,
            line: lines.to_vec(),
            product_id: self.texts(Field::ProductId).unwrap_or_else(empty),
            product_name: self.texts(Field::ProductName),
            category: self.dictionary(Field::Category),
            brand: self.dictionary(Field::Brand),
            unit_cost: self.amounts(Field::UnitCost, &currencies),
            unit_price: self.amounts(Field::UnitPrice, &currencies),
            currency: self.currency_column(&currencies),
            rejected: Vec::new(),
        }
    }

    fn ad_spend(&mut self, lines: &[u64]) -> AdSpendBatch {
        let currencies = self.currencies();
        AdSpendBatch {
            file_currency: self.plan.currency,
            line: lines.to_vec(),
            date: self
                .instants(Field::Date)
                .unwrap_or_else(|| vec![None; lines.len()]),
            channel: self.dictionary(Field::Channel),
            campaign: self.dictionary(Field::Campaign),
            spend: self
                .amounts(Field::Spend, &currencies)
                .unwrap_or_else(|| vec![None; lines.len()]),
            clicks: self.numbers(Field::Clicks),
            impressions: self.numbers(Field::Impressions),
            currency: self.currency_column(&currencies),
            rejected: Vec::new(),
        }
    }
}

/// Whether a column becomes a dictionary.
pub(super) fn repeats(column: &ColumnInfo, entity: Entity) -> bool {
    match &column.role {
        Role::Field(field) => match field.kind() {
            FieldKind::Text => *field != Field::ProductName || entity == Entity::Orders,
            FieldKind::Currency | FieldKind::Status => true,
            FieldKind::Id => {
                *field == Field::ProductId && matches!(entity, Entity::Orders | Entity::Refunds)
            }
            FieldKind::Email
            | FieldKind::Personal
            | FieldKind::Instant
            | FieldKind::Amount
            | FieldKind::Number
            | FieldKind::Flag => false,
        },
        Role::Declared(_, kind) => *kind == DeclaredKind::Text,
        Role::Personal(_) | Role::Unmapped => false,
    }
}

fn cleaning(field: Field) -> Cleaning {
    match field.kind() {
        FieldKind::Id | FieldKind::Personal => Cleaning::Id,
        FieldKind::Email
        | FieldKind::Text
        | FieldKind::Instant
        | FieldKind::Amount
        | FieldKind::Number
        | FieldKind::Currency
        | FieldKind::Status
        | FieldKind::Flag => Cleaning::Text,
    }
}

/// Type of a standard declared trait.
fn declared_kind(kind: FieldKind) -> DeclaredKind {
    match kind {
        FieldKind::Instant => DeclaredKind::Date,
        FieldKind::Amount | FieldKind::Number => DeclaredKind::Number,
        FieldKind::Flag => DeclaredKind::Flag,
        FieldKind::Id
        | FieldKind::Email
        | FieldKind::Text
        | FieldKind::Personal
        | FieldKind::Currency
        | FieldKind::Status => DeclaredKind::Text,
    }
}

fn retain_all<T: Copy>(columns: Vec<&mut Option<Vec<T>>>, keep: &[bool]) {
    for values in columns.into_iter().flatten() {
        retain(values, keep);
    }
}

fn retain_dictionaries(columns: Vec<&mut Option<DictColumn>>, keep: &[bool]) {
    for column in columns.into_iter().flatten() {
        retain(&mut column.keys, keep);
    }
}

impl Retain for CustomerBatch {
    fn set_rejected(&mut self, rejected: Vec<Reject>) {
        self.rejected = rejected;
    }

    fn retain(&mut self, keep: &[bool]) {
        retain(&mut self.line, keep);
        let texts = [&mut self.customer_id, &mut self.email]
            .into_iter()
            .flatten();
        let personal = self.personal.iter_mut().map(|(_, column)| column);
        texts.chain(personal).for_each(|column| column.retain(keep));
        for column in &mut self.declared {
            match &mut column.values {
                DeclaredValues::Flag(values) => retain(values, keep),
                DeclaredValues::Number(values) => retain(values, keep),
                DeclaredValues::Date(values) => retain(values, keep),
                DeclaredValues::Text(column) => retain(&mut column.keys, keep),
            }
        }
    }
}

impl Retain for ProductBatch {
    fn set_rejected(&mut self, rejected: Vec<Reject>) {
        self.rejected = rejected;
    }

    fn retain(&mut self, keep: &[bool]) {
        retain(&mut self.line, keep);
        self.product_id.retain(keep);
        self.product_name
            .iter_mut()
            .for_each(|column| column.retain(keep));
        retain_dictionaries(
            vec![&mut self.category, &mut self.brand, &mut self.currency],
            keep,
        );
        retain_all(vec![&mut self.unit_cost, &mut self.unit_price], keep);
    }
}

impl Retain for AdSpendBatch {
    fn set_rejected(&mut self, rejected: Vec<Reject>) {
        self.rejected = rejected;
    }

    fn retain(&mut self, keep: &[bool]) {
        retain(&mut self.line, keep);
        retain(&mut self.date, keep);
        retain(&mut self.spend, keep);
        retain_dictionaries(
            vec![&mut self.channel, &mut self.campaign, &mut self.currency],
            keep,
        );
        retain_all(vec![&mut self.clicks, &mut self.impressions], keep);
    }
}
