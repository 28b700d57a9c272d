//! Which column is which field, and what the rows are.
//!
//! What is given comes first, then the names that a known source has, then known names, then
//! what the cells look like. The first kind of rows whose needs are met is what the file holds.

mod missing;
mod personal;

use super::source::{own_names, positions, source};
use super::survey::Survey;
use crate::field::{FieldKind, field_table, nearest, normalised, split_minor_units};
use crate::reader::text_of;
use crate::recognition::{CellType, Form};
use crate::rows::Rows;
use crate::{
    AmountUnit, ColumnInfo, DeclaredKind, Entity, Field, IngestError, Input, MapReason,
    ReadOptions, Role, Source,
};

pub(crate) use personal::looks_personal;

/// What the columns are.
#[derive(Debug, Clone)]
pub(super) struct Mapped {
    pub(super) entity: Entity,
    pub(super) source: Source,
    /// By position; `None` for a column that no field is read from.
    fields: Vec<Option<Found>>,
}

/// A field that was found for a column.
#[derive(Debug, Clone, Copy)]
struct Found {
    field: Field,
    reason: MapReason,
    unit: AmountUnit,
}

impl Mapped {
    fn has(&self, field: Field) -> bool {
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

/// Maps the columns.
pub(super) fn map(
    input: &Input,
    form: &Form,
    survey: &Survey,
    sample: &Rows,
    options: &ReadOptions,
) -> Result<Mapped, IngestError> {
    let given = given(form, options)?;
    let first_row: Vec<String> = match sample.len() {
        0 => Vec::new(),
        _ => (0..form.names.len())
            .map(|column| text_of(sample.column(column), 0))
            .collect(),
    };
    let mapping = Mapping {
        form,
        survey,
        options,
        source: source(form, &first_row),
        given,
    };
    let candidates = mapping.candidates()?;
    let mut attempts = Vec::new();
    for entity in candidates {
        let mapped = mapping.entity(entity);
        let missing = missing::missing(&mapped, &attempts, form, sample);
        if missing.is_empty() {
            return Ok(mapped);
        }
        attempts.push((mapped, missing));
    }
    // The attempt that found most is what was meant.
    let count = |mapped: &Mapped| mapped.fields.iter().flatten().count();
    let best = attempts
        .into_iter()
        .rev()
        .max_by_key(|(mapped, _)| count(mapped));
    Err(match best {
        Some((mapped, missing)) => missing::unmapped(input, form, &mapped, &missing, options),
        None => IngestError::Mapping {
            message: "nothing can be mapped".to_owned(),
        },
    })
}

/// The columns that `--map` names.
fn given(form: &Form, options: &ReadOptions) -> Result<Vec<(Field, usize)>, IngestError> {
    let mut given: Vec<(Field, usize)> = Vec::new();
    for (field, name) in &options.map {
        let position = position_of(form, name).ok_or_else(|| {
            let names = form.names.iter().map(String::as_str);
            let nearest = nearest(name, names).unwrap_or_default();
            let message = format!(
                "`--map {field}={name}`: there is no column `{name}`: did you mean `{nearest}`?"
            );
            IngestError::Mapping { message }
        })?;
        if let Some((other, _)) = given.iter().find(|&&(_, taken)| taken == position) {
            let message =
                format!("`--map {field}={name}`: the column is mapped to `{other}` already");
            return Err(IngestError::Mapping { message });
        }
        if given.iter().any(|(other, _)| other == field) {
            let message = format!("`--map {field}={name}`: `{field}` is mapped already");
            return Err(IngestError::Mapping { message });
        }
        given.push((*field, position));
    }
    Ok(given)
}

/// A column by its header, by its header without case and punctuation, or as `column_3` or `3`.
fn position_of(form: &Form, name: &str) -> Option<usize> {
    let by = |same: &dyn Fn(&String) -> bool| form.names.iter().position(same);
    let wanted = normalised(name);
    by(&|header| header == name)
        .or_else(|| by(&|header| !wanted.is_empty() && normalised(header) == wanted))
        .or_else(|| {
            let number: usize = name.strip_prefix("column_").unwrap_or(name).parse().ok()?;
            number
                .checked_sub(1)
                .filter(|&position| position < form.names.len())
        })
}

struct Mapping<'m> {
    form: &'m Form,
    survey: &'m Survey,
    options: &'m ReadOptions,
    source: Source,
    given: Vec<(Field, usize)>,
}

impl Mapping<'_> {
    /// The kinds of rows that have all the fields that are given.
    fn candidates(&self) -> Result<Vec<Entity>, IngestError> {
        let holds = |entity: Entity, field: Field| field.within(entity).is_some();
        if let Some(entity) = self.options.entity {
            return match self.given.iter().find(|&&(field, _)| !holds(entity, field)) {
                None => Ok(vec![entity]),
                Some((field, _)) => Err(IngestError::Mapping {
                    message: format!("`{field}` is no field of {}", entity.plural()),
                }),
            };
        }
        let all = |entity: &Entity| self.given.iter().all(|&(field, _)| holds(*entity, field));
        let candidates: Vec<Entity> = Entity::ALL.into_iter().filter(all).collect();
        if candidates.is_empty() {
            let fields: Vec<_> = self
                .given
                .iter()
                .map(|(field, _)| format!("`{field}`"))
                .collect();
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
        };
        for &(field, position) in &self.given {
            let field = field.within(entity).unwrap_or(field);
            let unit = self.unit(position);
            mapped.set(position, field, MapReason::Given, unit);
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
        self.by_content(&mut mapped);
        mapped
    }

    /// Whether a field is open and a column may be read as it.
    fn is_free(&self, mapped: &Mapped, field: Field, position: usize) -> bool {
        mapped.fields[position].is_none()
            && !mapped.has(field)
            && !self.is_left_out(position)
            && self.form.types[position] != CellType::Other
    }

    fn is_left_out(&self, position: usize) -> bool {
        let columns = self.options.columns.as_deref().unwrap_or_default();
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
        let matches = |header: &str| {
            let header = normalised(header);
            let stem = split_minor_units(&header).filter(|_| field.kind() == FieldKind::Amount);
            header == name || stem == Some(name)
        };
        let position = (0..self.form.names.len()).find(|&position| {
            self.is_free(mapped, field, position) && matches(&self.form.names[position])
        });
        if let Some(position) = position {
            let reason = match self.options.columns {
                Some(_) => MapReason::Given,
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
        let date = if orders {
            Field::OccurredAt
        } else {
            Field::Date
        };
        if orders || mapped.entity == Entity::AdSpend {
            self.look_for(mapped, date, |survey, at| survey.of(at).looks_like_dates());
        }
        let amounts = [
            Field::OrderTotal,
            Field::OrderSubtotal,
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
        let mut alike = (0..self.form.names.len()).filter(|&position| {
            self.is_free(mapped, field, position) && looks(self.survey, position)
        });
        if let (Some(position), None) = (alike.next(), alike.next()) {
            mapped.set(position, field, MapReason::Content, AmountUnit::Major);
        }
    }
}

/// The columns with their roles; conventions are decided later.
pub(super) fn column_infos(
    form: &Form,
    mapped: &Mapped,
    survey: &Survey,
    options: &ReadOptions,
) -> Vec<ColumnInfo> {
    let mut names = Vec::new();
    let columns = form.names.iter().enumerate().map(|(position, name)| {
        let found = mapped.fields[position];
        let columns = options.columns.as_deref().unwrap_or_default();
        let left_out = columns.get(position).is_some_and(Option::is_none);
        let role = match found {
            Some(found) => Role::Field(found.field),
            None if mapped.entity != Entity::Customers || left_out => Role::Unmapped,
            None => customer_role(form, survey, position, &mut names),
        };
        ColumnInfo {
            name: name.clone(),
            position,
            role,
            reason: found.map(|found| found.reason),
            date_order: None,
            decimal: None,
            unit: found.map_or(AmountUnit::Major, |found| found.unit),
        }
    });
    columns.collect()
}

/// What another column of a file of customers is: a declared trait, or personal.
fn customer_role(form: &Form, survey: &Survey, position: usize, taken: &mut Vec<String>) -> Role {
    let header = &form.names[position];
    let unnamed = *header == format!("column_{}", position + 1);
    if unnamed || form.types[position] == CellType::Other {
        return Role::Unmapped;
    }
    let base = personal::snake_case(header);
    let is_taken = |name: &String, taken: &Vec<String>| {
        taken.contains(name) || Field::ALL.iter().any(|field| field.name() == name)
    };
    let (mut name, mut copy) = (base.clone(), 1);
    while is_taken(&name, taken) {
        copy += 1;
        name = format!("{base}_{copy}");
    }
    taken.push(name.clone());
    if looks_personal(header) || survey.of(position).looks_like_emails() {
        Role::Personal(name)
    } else {
        Role::Declared(name, DeclaredKind::Text)
    }
}
