//! Headers that speak of persons, and headers as names of traits.

use crate::field::normalised;

/// Parts of headers (without case and punctuation) that speak of a person.
const PARTS: &[&str] = &[
    "email",
    "phone",
    "telefon",
    "teléfono",
    "téléphone",
    "telefoon",
    "mobile",
    "handy",
    "firstname",
    "lastname",
    "fullname",
    "surname",
    "familyname",
    "givenname",
    "middlename",
    "vorname",
    "nachname",
    "prénom",
    "apellido",
    "achternaam",
    "voornaam",
    "address",
    "adresse",
    "anschrift",
    "dirección",
    "street",
    "straße",
    "strasse",
    "zipcode",
    "postcode",
    "postal",
    "postleitzahl",
    "ipaddress",
    "useragent",
    "passport",
    "socialsecurity",
    "iban",
    "latitude",
    "longitude",
    "username",
    "contactname",
    "birthname",
    "noteattributes",
    "comment",
    "kommentar",
    "commentaire",
    "comentario",
    "bemerkung",
    "anmerkung",
    "opmerking",
    "remark",
    "ansprechpartner",
    "contactperson",
    "kontaktperson",
    "freitext",
    "freetext",
];

/// Whole headers that do.
const WHOLE: &[&str] = &[
    "name",
    "billingname",
    "shippingname",
    "customername",
    "customer",
    "recipient",
    "company",
    "mail",
    "zip",
    "plz",
    "tel",
    "fax",
    "ip",
    "note",
    "notes",
    "nom",
    "naam",
    "nombre",
    "ssn",
    "billingzip",
    "shippingzip",
    "browserip",
    "lat",
    "lng",
    "lon",
    "nickname",
    "contact",
    "kontakt",
    "interlocuteur",
    "contacto",
];

/// Whether a header speaks of something personal.
pub(crate) fn looks_personal(header: &str) -> bool {
    let header = normalised(header);
    if [
        "emailconsent",
        "emailmarketing",
        "emailoptin",
        "emailsubscribed",
        "emaildomain",
    ]
    .iter()
    .any(|part| header.contains(part))
    {
        return false;
    }
    WHOLE.contains(&header.as_str()) || PARTS.iter().any(|part| header.contains(part))
}

/// A header as the name of a trait: `Loyalty Points` and `loyaltyPoints` are `loyalty_points`.
pub(super) fn snake_case(header: &str) -> String {
    let mut name = String::new();
    let mut before: Option<char> = None;
    for c in header.chars() {
        if !c.is_alphanumeric() {
            before = None;
            continue;
        }
        let new_word = match before {
            None => true,
            Some(before) => c.is_uppercase() && before.is_lowercase(),
        };
        if new_word && !name.is_empty() {
            name.push('_');
        }
        name.extend(c.to_lowercase());
        before = Some(c);
    }
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert_str(0, "trait_");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_headers_are_told() {
        for header in [
            "Billing Name",
            "Shipping Phone",
            "E-Mail 2",
            "Customer IP Address",
            "PLZ",
            "Remarks",
            "Ansprechpartner",
            "Contact",
        ] {
            assert!(looks_personal(header), "{header}");
        }
        for header in [
            "Product Name",
            "Accepts Email Marketing",
            "Loyalty Points",
            "City",
        ] {
            assert!(!looks_personal(header), "{header}");
        }
    }

    #[test]
    fn headers_become_names_of_traits() {
        assert_eq!(snake_case("Loyalty Points"), "loyalty_points");
        assert_eq!(snake_case("loyaltyPoints (2)"), "loyalty_points_2");
        assert_eq!(snake_case("VIP?"), "vip");
        assert_eq!(snake_case("2024 spend"), "trait_2024_spend");
    }
}
