//! Which column is which field, and what the rows are.
//!
//! What is given comes first, then what was given before, then the names that a known source has, then known names, then
//! what the cells look like. The first kind of rows whose needs are met is what the file holds.

mod missing;
mod names;
mod order_id;
mod people;
mod trait_name;

use std::collections::{HashMap, HashSet};

use super::said::Said;
use super::source::{own_names, positions, source};
use super::survey::Survey;
use crate::field::{field_table, normalised, split_minor_units};
use crate::personal::looks_personal;
use crate::reader::{RETURNS, is_of_sales, text_of};
use crate::recognition::{CellType, Form};
use crate::rows::Rows;
use crate::{
    AmountUnit, ColumnInfo, DeclaredKind, Entity, Field, Format, IngestError, Input, MapReason,
    Role, Source,
};

use missing::Missing;
use names::Names;
use people::{SpeaksOf, products_or_customers};
use trait_name::snake_case;

/// What the columns are.
#[derive(Debug, Clone)]
pub(super) struct Mapped {
    pub(super) entity: Entity,
    pub(super) source: Source,
    /// By position; `None` for a column that no field is read from.
    fields: Vec<Option<Found>>,
    /// Columns that are said to be traits, and their names.
    traits: HashMap<usize, String>,
}

/// A field that was found for a column.
#[derive(Debug, Clone, Copy)]
struct Found {
    field: Field,
    reason: MapReason,
    unit: AmountUnit,
}

impl Mapped {
    pub(super) fn has(&self, field: Field) -> bool {
        self.fields
            .iter()
            .flatten()
            .any(|found| found.field == field)
    }

    fn set(&mut self, position: usize, field: Field, reason: MapReason, unit: AmountUnit) {
        self.fields[position] = Some(Found {
            field,
            reason,
            unit,
        });
    }
}

/// Maps the columns; gives also the pairs of `--map` whose columns the file does not have.
pub(super) fn map(
    input: &Input,
    form: &Form,
    survey: &Survey,
    sample: &Rows,
    said: &Said,
) -> Result<(Mapped, Vec<String>), IngestError> {
    let names = Names::of(form);
    let (given, unused) = given(&names, said)?;
    let first_row: Vec<String> = match sample.len() {
        0 => Vec::new(),
        _ => (0..form.names.len())
            .map(|column| text_of(sample.column(column), 0))
            .collect(),
    };
    let mapping = Mapping {
        form,
        names: &names,
        survey,
        said,
        source: source(form, &first_row),
        given,
        traits: traits(&names, said),
    };
    if matches!(form.format, Format::TrackingCalls { .. }) {
        let mut mapped = mapping.entity(Entity::Events);
        mapped.set(0, Field::Call, MapReason::Content, AmountUnit::Major);
        return Ok((mapped, unused));
    }
    let mut candidates = mapping.candidates()?;
    // Rows that name what happened are nothing else, but orders of events (tickets) are orders.
    let events = candidates
        .iter()
        .position(|&entity| entity == Entity::Events);
    if let Some(position) = events.filter(|_| candidates.len() > 1) {
        candidates.remove(position);
        let mapped = mapping.entity(Entity::Events);
        let is_ordered = mapping.entity(Entity::Orders).has(Field::OrderId);
        if !is_ordered && missing::missing(&mapped, &[], form, (sample, said)).is_empty() {
            return Ok((mapped, unused));
        }
    }
    let candidates_are_open = said.now.entity.is_none();
    let may_be_customers = candidates_are_open && candidates.contains(&Entity::Customers);
    let mut attempts = Vec::new();
    for entity in candidates {
        let mut mapped = mapping.entity(entity);
        let is_refunds = entity == Entity::Refunds && candidates_are_open;
        if is_refunds
            && !missing::speaks_of_refunds(&mapped, &mapping.entity(Entity::Orders), sample)
        {
            continue;
        }
        let missing = missing::missing(&mapped, &attempts, form, (sample, said));
        if missing.is_empty() && entity == Entity::Products && may_be_customers {
            let customers = mapping.entity(Entity::Customers);
            match products_or_customers(&mapped, &customers, form, survey) {
                SpeaksOf::Products => {}
                SpeaksOf::Customers => continue,
                SpeaksOf::Either => return Err(missing::either(input, form)),
            }
        }
        if missing.is_empty() {
            if entity == Entity::Orders {
                mapping.take_bare_id(&mut mapped, sample);
            }
            return Ok((mapped, unused));
        }
        attempts.push((mapped, missing));
        if is_refunds {
            break;
        }
    }
    Err(nothing_fits(input, form, said, attempts, &unused))
}

/// The error of a file that is of no kind; the attempt that found most is what was meant.
fn nothing_fits(
    input: &Input,
    form: &Form,
    said: &Said,
    attempts: Vec<(Mapped, Vec<Missing>)>,
    unused: &[String],
) -> IngestError {
    let count = |mapped: &Mapped| mapped.fields.iter().flatten().count();
    let best = attempts
        .into_iter()
        .rev()
        .max_by_key(|(mapped, _)| count(mapped));
    match best {
        Some((mapped, missing)) => {
            let entity = said.now.entity.or(Some(mapped.entity));
            missing::unmapped(input, form, &mapped, &missing, (entity, unused))
        }
        None => IngestError::Mapping {
            message: "nothing can be mapped".to_owned(),
        },
    }
}

/// A pair of a field and a column that was said.
#[derive(Debug, Clone, Copy)]
struct Pair {
    field: Field,
    position: usize,
    reason: MapReason,
}

/// The columns that `--map` names now, then those that it named before and that are still free.
fn given(names: &Names<'_>, said: &Said) -> Result<(Vec<Pair>, Vec<String>), IngestError> {
    let (mut given, mut unused): (Vec<Pair>, _) = (Vec::new(), Vec::new());
    for (field, name) in &said.now.map {
        let Some(position) = names.position_of(name) else {
            unused.push(format!("{field}={name}"));
            continue;
        };
        if let Some(other) = given.iter().find(|pair| pair.position == position) {
            let other = other.field;
            let message =
                format!("`--map {field}={name}`: the column is mapped to `{other}` already");
            return Err(IngestError::Mapping { message });
        }
        if given.iter().any(|pair| pair.field == *field) {
            let message = format!("`--map {field}={name}`: `{field}` is mapped already");
            return Err(IngestError::Mapping { message });
        }
        given.push(Pair {
            field: *field,
            position,
            reason: MapReason::Given,
        });
    }
    for (name, column) in &said.now.traits {
        if names.position_of(column).is_none() {
            unused.push(format!("trait:{name}={column}"));
        }
    }
    let before = [
        (&said.before.map, MapReason::Remembered),
        (&said.now.settings.map, MapReason::Settings),
    ];
    for (pairs, reason) in before {
        for &(field, ref name) in pairs {
            let Some(position) = names.position_of(name) else {
                continue;
            };
            let taken = |pair: &Pair| pair.position == position || pair.field == field;
            if !given.iter().any(taken) {
                given.push(Pair {
                    field,
                    position,
                    reason,
                });
            }
        }
    }
    Ok((given, unused))
}

/// The columns that are said to be traits, by position.
fn traits(names: &Names<'_>, said: &Said) -> HashMap<usize, String> {
    let position =
        |(name, column): &(String, String)| Some((names.position_of(column)?, snake_case(name)));
    said.now.traits.iter().filter_map(position).collect()
}

struct Mapping<'m> {
    form: &'m Form,
    names: &'m Names<'m>,
    survey: &'m Survey,
    said: &'m Said,
    source: Source,
    given: Vec<Pair>,
    /// Columns that are said to be traits.
    traits: HashMap<usize, String>,
}

impl Mapping<'_> {
    /// The kinds of rows that have all the fields that are given.
    fn candidates(&self) -> Result<Vec<Entity>, IngestError> {
        let holds = |entity: Entity, field: Field| field.within(entity).is_some();
        let said_now = |pair: &&Pair| pair.reason == MapReason::Given;
        let fields: Vec<Field> = self
            .given
            .iter()
            .filter(said_now)
            .map(|p| p.field)
            .collect();
        if let Some(entity) = self.said.now.entity {
            return match fields.iter().find(|&&field| !holds(entity, field)) {
                None => Ok(vec![entity]),
                Some(field) => Err(IngestError::Mapping {
                    message: format!("`{field}` is no field of {}", entity.plural()),
                }),
            };
        }
        let all = |entity: &Entity| fields.iter().all(|&field| holds(*entity, field));
        let candidates: Vec<Entity> = Entity::ALL.into_iter().filter(all).collect();
        if candidates.is_empty() {
            let fields: Vec<_> = fields.iter().map(|field| format!("`{field}`")).collect();
            let message = format!("no kind of file has all of {}", fields.join(", "));
            return Err(IngestError::Mapping { message });
        }
        Ok(candidates)
    }

    fn entity(&self, entity: Entity) -> Mapped {
        let fields = vec![None; self.form.names.len()];
        let mut mapped = Mapped {
            entity,
            source: self.source,
            fields,
            traits: self.traits.clone(),
        };
        for &Pair {
            field,
            position,
            reason,
        } in &self.given
        {
            // What was said before of other kinds of files is nothing to this one.
            if let Some(field) = field.within(entity)
                && !mapped.has(field)
            {
                mapped.set(position, field, reason, self.unit(position));
            }
        }
        for (field, position) in positions(self.source, self.form.names.len()) {
            if entity == Entity::Orders && self.is_free(&mapped, field, position) {
                mapped.set(position, field, MapReason::Position, AmountUnit::Major);
            }
        }
        for &(field, name) in own_names(self.source, entity) {
            self.by_name(&mut mapped, field, name);
        }
        for names in field_table(entity) {
            for header in names.headers {
                self.by_name(&mut mapped, names.field, &normalised(header));
            }
        }
        if entity == Entity::Orders && self.form.names.iter().any(|name| is_of_sales(name)) {
            for header in RETURNS {
                self.by_name(&mut mapped, Field::Refunded, header);
            }
        }
        self.by_content(&mut mapped);
        mapped
    }

    /// Whether a field is open and a column may be read as it.
    fn is_free(&self, mapped: &Mapped, field: Field, position: usize) -> bool {
        mapped.fields[position].is_none()
            && !mapped.has(field)
            && !self.is_left_out(position)
            && !self.traits.contains_key(&position)
            && self.form.types[position] != CellType::Other
    }

    fn is_left_out(&self, position: usize) -> bool {
        let columns = self.said.now.columns.as_deref().unwrap_or_default();
        columns.get(position).is_some_and(Option::is_none)
    }

    fn unit(&self, position: usize) -> AmountUnit {
        match split_minor_units(&normalised(&self.form.names[position])) {
            Some(_) => AmountUnit::Minor,
            None => AmountUnit::Major,
        }
    }

    fn by_name(&self, mapped: &mut Mapped, field: Field, name: &str) {
        if mapped.has(field) {
            return;
        }
        let known_as = self.names.known_as(name, field);
        let position = known_as
            .into_iter()
            .find(|&position| self.is_free(mapped, field, position));
        if let Some(position) = position {
            let reason = match self.said.now.columns {
                Some(_) => self.said.columns_by,
                None => MapReason::Name,
            };
            mapped.set(position, field, reason, self.unit(position));
        }
    }

    /// Fills what is needed and has no known name from what the cells look like, where just
    /// one column looks like it.
    fn by_content(&self, mapped: &mut Mapped) {
        let orders = mapped.entity == Entity::Orders;
        if matches!(mapped.entity, Entity::Orders | Entity::Customers) {
            self.look_for(mapped, Field::Email, |survey, at| {
                survey.of(at).looks_like_emails()
            });
            self.look_for(mapped, Field::Country, |survey, at| {
                survey.of(at).looks_like_countries() && survey.of(at).flags == 0
            });
        }
        let date = match mapped.entity {
            Entity::Orders | Entity::Refunds | Entity::Events => Some(Field::OccurredAt),
            Entity::AdSpend => Some(Field::Date),
            Entity::Products | Entity::Customers => None,
        };
        if let Some(date) = date {
            self.look_for(mapped, date, |survey, at| survey.of(at).looks_like_dates());
        }
        let amounts = [
            Field::OrderTotal,
            Field::OrderSubtotal,
            Field::OrderList,
            Field::LineTotal,
            Field::UnitPrice,
        ];
        if orders && !amounts.iter().any(|&field| mapped.has(field)) {
            self.look_for(mapped, Field::OrderTotal, |survey, at| {
                survey.of(at).looks_like_amounts()
            });
        }
    }

    fn look_for(&self, mapped: &mut Mapped, field: Field, looks: fn(&Survey, usize) -> bool) {
        let is_amount = field == Field::OrderTotal;
        let mut alike = (0..self.form.names.len()).filter(|&position| {
            self.is_free(mapped, field, position)
                && looks(self.survey, position)
                && !(is_amount && names_sum_of_customer(&self.form.names[position]))
        });
        if let (Some(position), None) = (alike.next(), alike.next()) {
            mapped.set(position, field, MapReason::Content, AmountUnit::Major);
        }
    }
}

/// Whether a header speaks of what a customer spent or has in all, which is no order's amount.
fn names_sum_of_customer(header: &str) -> bool {
    let header = normalised(header);
    let words = [
        "spent", "spend", "lifetime", "balance", "average", "credit", "points", "ltv", "clv", "aov",
    ];
    words.iter().any(|word| header.contains(word))
}

/// The columns with their roles; conventions are decided later.
pub(super) fn column_infos(
    form: &Form,
    mapped: &Mapped,
    survey: &Survey,
    said: &Said,
) -> Vec<ColumnInfo> {
    let mut names: HashSet<String> = mapped.traits.values().cloned().collect();
    let columns = form.names.iter().enumerate().map(|(position, name)| {
        let found = mapped.fields[position];
        let columns = said.now.columns.as_deref().unwrap_or_default();
        let left_out = columns.get(position).is_some_and(Option::is_none);
        let opened = mapped.traits.get(&position).filter(|_| found.is_none());
        let role = match (found, opened) {
            (Some(found), _) => Role::Field(found.field),
            (None, Some(name)) if mapped.entity == Entity::Customers => {
                Role::Declared(name.clone(), DeclaredKind::Text)
            }
            (None, _) if mapped.entity == Entity::Events && !left_out => {
                property(form, survey, position)
            }
            (None, _) if mapped.entity != Entity::Customers || left_out => Role::Unmapped,
            (None, _) => customer_role(form, survey, position, &mut names),
        };
        ColumnInfo {
            name: name.clone(),
            position,
            role,
            reason: found
                .map(|found| found.reason)
                .or(opened.map(|_| MapReason::Given)),
            date_order: None,
            decimal: None,
            unit: found.map_or(AmountUnit::Major, |found| found.unit),
        }
    });
    columns.collect()
}

/// What another column of a file of events is: a property under its own name.
fn property(form: &Form, survey: &Survey, position: usize) -> Role {
    let header = &form.names[position];
    if form.types[position] == CellType::Other {
        return Role::Unmapped;
    }
    if looks_personal(header) || survey.of(position).looks_like_emails() {
        Role::Personal(header.clone())
    } else {
        Role::Declared(header.clone(), DeclaredKind::Text)
    }
}

/// What another column of a file of customers is: a declared trait, or personal.
fn customer_role(
    form: &Form,
    survey: &Survey,
    position: usize,
    taken: &mut HashSet<String>,
) -> Role {
    let header = &form.names[position];
    let unnamed = *header == format!("column_{}", position + 1);
    if unnamed || form.types[position] == CellType::Other {
        return Role::Unmapped;
    }
    let base = snake_case(header);
    let is_taken = |name: &String, taken: &HashSet<String>| {
        taken.contains(name) || Field::ALL.iter().any(|field| field.name() == name)
    };
    let (mut name, mut copy) = (base.clone(), 1);
    while is_taken(&name, taken) {
        copy += 1;
        name = format!("{base}_{copy}");
    }
    taken.insert(name.clone());
    if looks_personal(header) || survey.of(position).looks_like_emails() {
        Role::Personal(name)
    } else {
        Role::Declared(name, DeclaredKind::Text)
    }
}
