//! Rows that could be products and could be customers: both have ids and names. Names of products
//! are stored in clear, those of persons are sealed, so that where nothing tells, it is asked.

use super::{Found, Mapped};
use crate::field::{field_table, normalised};
use crate::personal::looks_personal;
use crate::recognise::survey::Survey;
use crate::recognition::Form;
use crate::{Entity, Field};

/// What rows speak of that have what products need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SpeaksOf {
    Products,
    Customers,
    /// It may be either, and must be said.
    Either,
}

/// Headers under which both products and persons have their names.
const NAMES_OF_EITHER: [&str; 3] = ["name", "nom", "nombre"];

/// Judges the rows by what their columns are as those of `products` and as those of `customers`.
pub(super) fn products_or_customers(
    products: &Mapped,
    customers: &Mapped,
    form: &Form,
    survey: &Survey,
) -> SpeaksOf {
    let has = |mapped: &Mapped, fields: &[Field]| fields.iter().any(|&field| mapped.has(field));
    let header_in = |mapped: &Mapped, field: Field| {
        let holds = |found: &Option<Found>| found.is_some_and(|found| found.field == field);
        let position = mapped.fields.iter().position(holds)?;
        Some(normalised(&form.names[position]))
    };
    let header_of = |field: Field| header_in(products, field);
    let is_not_bare = |header: String| header != "id";
    let persons = [
        Field::Email,
        Field::FirstName,
        Field::LastName,
        Field::Phone,
        Field::Street,
        Field::Birthday,
    ];
    let is_addresses = |position: usize| survey.of(position).looks_like_emails();
    let of_persons = has(customers, &persons)
        || header_in(customers, Field::CustomerId).is_some_and(is_not_bare)
        || (0..form.names.len()).any(is_addresses);
    let sold = has(products, &[Field::UnitPrice, Field::UnitCost])
        || header_of(Field::ProductId).is_some_and(is_not_bare);
    match (of_persons, sold) {
        (true, true) => return SpeaksOf::Either,
        (true, false) => return SpeaksOf::Customers,
        (false, true) => return SpeaksOf::Products,
        (false, false) => {}
    }
    let places = [
        Field::City,
        Field::Region,
        Field::Zip,
        Field::Country,
        Field::Gender,
        Field::Consent,
    ];
    let known: Vec<String> = field_table(Entity::Products)
        .iter()
        .flat_map(|names| names.headers)
        .map(|header| normalised(header))
        .collect();
    let personal = |name: &String| looks_personal(name) && !known.contains(&normalised(name));
    let hints_at_persons = has(customers, &places) || form.names.iter().any(personal);
    // A `type` may be one of customers.
    let hints_at_products = has(products, &[Field::Brand])
        || header_of(Field::Category).is_some_and(|header| header != "type");
    let either_name = header_of(Field::ProductName)
        .is_some_and(|header| NAMES_OF_EITHER.contains(&header.as_str()));
    match (hints_at_persons, hints_at_products) {
        (true, false) => SpeaksOf::Customers,
        (false, true) => SpeaksOf::Products,
        (true, true) | (false, false) if either_name => SpeaksOf::Either,
        (true, true) | (false, false) => SpeaksOf::Products,
    }
}
