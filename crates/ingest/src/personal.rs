//! Words that speak of persons: one vocabulary for the headers of files and the keys of events.

use std::collections::HashSet;
use std::sync::LazyLock;

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
    "displayname",
    "avatar",
    "idfa",
    "idfv",
    "advertisingid",
    "devicetoken",
    "pushtoken",
    "registrationtoken",
    "password",
    "creditcard",
    "cardnumber",
    "reviewbody",
    "reviewtext",
    "messagebody",
    "messagetext",
    "ticketbody",
    "ticketsubject",
    "ticketdescription",
    "answertext",
    "feedbacktext",
    "verbatim",
    "giftmessage",
];

/// Parts of headers that speak of a message or of consent, not of whose address it is.
const NOT_PERSONAL: &[&str] = &[
    "emailconsent",
    "emailmarketing",
    "emailoptin",
    "emailsubscribed",
    "emaildomain",
    "emailid",
    "emailsubject",
    "emailcampaign",
    "emailtemplate",
    "emailtype",
    "emailstatus",
    "emailverified",
    "emailssent",
    "emailsopened",
    "emailsclicked",
    "phoneverified",
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
    is_personal(&normalised(header))
}

/// Whether a word without case, spaces and punctuation speaks of something personal.
pub(crate) fn is_personal(word: &str) -> bool {
    let found = WORDS.whole.contains(word)
        || (WORDS.may_have_part(word) && PARTS.iter().any(|part| word.contains(part)));
    found && !NOT_PERSONAL.iter().any(|part| word.contains(part))
}

/// Bytes of a part that the table of beginnings knows.
const BEGINNING: usize = 4;

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut beginnings = vec![0_u64; 1 << 10];
    for part in PARTS {
        if let Some(hash) = part.as_bytes().first_chunk().map(hash) {
            beginnings[hash / 64] |= 1 << (hash % 64);
        }
    }
    Words {
        whole: WHOLE.iter().copied().collect(),
        beginnings,
    }
});

/// The vocabulary, so that most words are known not to be in it at a glance.
struct Words {
    whole: HashSet<&'static str, foldhash::fast::FixedState>,
    /// A bit for each hash of the beginning of a part.
    beginnings: Vec<u64>,
}

impl Words {
    fn may_have_part(&self, word: &str) -> bool {
        word.as_bytes().windows(BEGINNING).any(|window| {
            let hash = window.first_chunk().map_or(0, hash);
            self.beginnings[hash / 64] & (1 << (hash % 64)) != 0
        })
    }
}

/// A number below 2^16.
fn hash(beginning: &[u8; BEGINNING]) -> usize {
    (u32::from_le_bytes(*beginning).wrapping_mul(0x9E37_79B1) >> 16) as usize
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
            "email_id",
            "Email Subject",
        ] {
            assert!(!looks_personal(header), "{header}");
        }
    }

    #[test]
    fn every_word_of_the_vocabulary_is_found() {
        for word in PARTS {
            assert!(word.len() >= BEGINNING, "{word}");
            assert!(is_personal(word), "{word}");
            assert!(is_personal(&format!("x{word}2")), "{word}");
        }
        for word in WHOLE {
            assert!(is_personal(word), "{word}");
            assert_eq!(&normalised(word), word);
        }
    }
}
