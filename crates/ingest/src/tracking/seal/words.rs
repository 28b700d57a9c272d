//! Which keys are called like something personal: the vocabulary of files
//! ([`crate::personal`]), and what depends on where a key stands.

use super::ContactKind;
use crate::field::normalised;
use crate::personal::is_personal;
use crate::tracking::json::{Raw, unescaped};

/// Where a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tracking) enum Scope {
    /// Anywhere else.
    Plain,
    /// In what is said of a person.
    Person,
    /// At the top of what is said of an account, whose name is no person's.
    Account,
    /// In a ticket, a review, a survey or a chat.
    Written,
    /// At the top of the context.
    Context,
    /// At the top of the context of `group`, whose traits are a person's.
    ContextOfGroup,
    /// In the device of the context.
    Device,
    /// In an address.
    Address,
    /// Below a key that is called like something personal.
    Personal,
}

/// What a key says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Personal,
    Plain,
}

/// Of a person: personal beyond the vocabulary.
const OF_PERSON: &[&str] = &[
    "name",
    "id",
    "description",
    "website",
    "nom",
    "naam",
    "nombre",
];
/// Of something else these are no person's, unless an e-mail or the like stands beside them.
const NAMES: &[&str] = &["name", "nom", "naam", "nombre"];
/// What a person wrote.
const WRITTEN: &[&str] = &[
    "body",
    "text",
    "message",
    "content",
    "title",
    "subject",
    "description",
    "review",
    "feedback",
    "reply",
];
/// Answers of people: personal when long.
const ANSWERS: &[&str] = &["answer", "response", "reply"];
/// Characters up to which an answer is one of several, not a text.
const LONGEST_CHOICE: usize = 80;
/// Members of an object that are looked at for what it is about.
const MOST_MEMBERS: usize = 200;
/// Ids of people, which belong to the vault.
const IDS: &[&str] = &["userid", "anonymousid", "previousid", "customerid"];
/// Of a device: what tells it from all others.
const OF_DEVICE: &[&str] = &["id", "token", "name"];
/// Of an address: what many share.
const GEOGRAPHY: &[&str] = &[
    "city",
    "country",
    "countrycode",
    "state",
    "statecode",
    "region",
    "province",
    "provincecode",
    "county",
    "district",
    "continent",
    "timezone",
    "type",
    "kind",
];
/// Objects that are people.
const PEOPLE: &[&str] = &[
    "traits",
    "user",
    "users",
    "customer",
    "customers",
    "person",
    "people",
    "contact",
    "contacts",
    "profile",
    "recipient",
    "recipients",
    "buyer",
    "sender",
    "author",
    "reviewer",
    "billing",
    "shipping",
    "invitee",
];
/// Parts of keys whose objects are addresses.
const ADDRESSES: &[&str] = &["address", "adresse", "anschrift", "dirección"];
/// Objects that hold a company.
const COMPANIES: &[&str] = &[
    "company",
    "companies",
    "account",
    "organization",
    "organisation",
];
/// In a query string also these are personal.
const PARAMETERS: &[&str] = &["name", "token", "user"];

/// Calls `then` with the key in lower case, without punctuation.
fn with_word<R>(key: &str, then: impl FnOnce(&str) -> R) -> R {
    if key
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    {
        return then(key);
    }
    let mut buffer = [0_u8; 64];
    if key.len() > buffer.len() || key.bytes().any(|byte| !byte.is_ascii() || byte == b'\\') {
        return then(&normalised(&unescaped(key)));
    }
    let mut length = 0;
    for byte in key.bytes().filter(u8::is_ascii_alphanumeric) {
        buffer[length] = byte.to_ascii_lowercase();
        length += 1;
    }
    then(std::str::from_utf8(&buffer[..length]).unwrap_or_default())
}

/// Of a scalar called `key` in `object` (the text from the object's beginning on).
pub(super) fn of_scalar(scope: Scope, key: &str, object: &str, value: Raw<'_>) -> Word {
    let personal = with_word(key, |word| match scope {
        Scope::Personal => true,
        Scope::Address => !GEOGRAPHY.contains(&word),
        Scope::Person => OF_PERSON.contains(&word) || plain(word, object, value),
        Scope::Account => !NAMES.contains(&word) && plain(word, object, value),
        Scope::Written => WRITTEN.contains(&word) || plain(word, object, value),
        Scope::Device => OF_DEVICE.contains(&word) || plain(word, object, value),
        Scope::Context | Scope::ContextOfGroup => word != "useragent" && plain(word, object, value),
        Scope::Plain => plain(word, object, value),
    });
    if personal {
        Word::Personal
    } else {
        Word::Plain
    }
}

/// Of an element of a list that stands in this scope.
pub(super) fn of_element(scope: Scope) -> Word {
    match scope {
        Scope::Address | Scope::Personal => Word::Personal,
        Scope::Plain
        | Scope::Person
        | Scope::Account
        | Scope::Written
        | Scope::Context
        | Scope::ContextOfGroup
        | Scope::Device => Word::Plain,
    }
}

fn plain(word: &str, object: &str, value: Raw<'_>) -> bool {
    if NAMES.contains(&word) {
        return tells_a_person(object);
    }
    if ANSWERS.contains(&word) {
        return value.0.len() > LONGEST_CHOICE + 2;
    }
    word != "company" && (IDS.contains(&word) || is_personal(word))
}

/// Whether a key of the object is that of an e-mail, a number or a part of a name.
fn tells_a_person(object: &str) -> bool {
    let members = Raw(object).members().take(MOST_MEMBERS);
    let members = members.filter(|(key, _)| may_tell_a_person(key));
    members.map(|(key, _)| key).any(|key| {
        contact(&key).is_some()
            || with_word(&key, |word| {
                matches!(word, "firstname" | "lastname" | "surname" | "mail")
            })
    })
}

/// Whether a key begins as the words of [`tells_a_person`] do.
fn may_tell_a_person(key: &str) -> bool {
    match key.as_bytes() {
        [first, second, ..] if first.is_ascii_alphabetic() && second.is_ascii_alphabetic() => {
            let beginning = [first, second].map(u8::to_ascii_lowercase);
            [b"em", b"ph", b"mo", b"te", b"fi", b"la", b"su", b"ma"].contains(&&beginning)
        }
        // Punctuation may stand before or between.
        _ => true,
    }
}

/// The scope within an object or list called `key`; `None` for what the event takes apart itself.
pub(super) fn of_container(scope: Scope, key: &str) -> Option<Scope> {
    let of_context = matches!(scope, Scope::Context | Scope::ContextOfGroup);
    if of_context {
        match &*unescaped(key) {
            "traits" if scope == Scope::Context => return None,
            "externalIds" | "externalId" => return None,
            _ => {}
        }
    }
    with_word(key, |word| {
        Some(match word {
            "device" if of_context => Scope::Device,
            "useragentdata" if of_context => Scope::Plain,
            _ if matches!(scope, Scope::Personal | Scope::Address) => scope,
            _ if PEOPLE.contains(&word) => Scope::Person,
            _ if COMPANIES.contains(&word) => Scope::Plain,
            _ if NAMES.contains(&word) && scope != Scope::Person => Scope::Plain,
            _ if is_personal(word) => match word {
                _ if word.contains("email") || word.contains("ipaddress") => Scope::Personal,
                _ if ADDRESSES.iter().any(|part| word.contains(part)) => Scope::Address,
                _ => Scope::Personal,
            },
            "products" | "items" => Scope::Plain,
            _ if scope == Scope::Written => Scope::Written,
            _ if scope == Scope::Device => Scope::Device,
            _ => Scope::Plain,
        })
    })
}

/// Whether a parameter of a query string is called like something personal.
pub(super) fn is_parameter(key: &str) -> bool {
    with_word(key, |word| {
        PARAMETERS.contains(&word) || IDS.contains(&word) || is_personal(word)
    })
}

/// What kind of address stands under this key.
pub(super) fn contact(key: &str) -> Option<ContactKind> {
    with_word(key, |word| match word {
        "email" | "emailaddress" => Some(ContactKind::Email),
        "phone" | "phonenumber" | "mobile" | "mobilephone" | "telephone" => {
            Some(ContactKind::Phone)
        }
        _ => None,
    })
}

/// Of which address this flag says whether it is verified, and what it says.
pub(super) fn verified_flag(key: &str, value: Raw<'_>) -> Option<(ContactKind, bool)> {
    if !value.is_flag() {
        return None;
    }
    let kind = with_word(key, |word| match word {
        "emailverified" | "isemailverified" | "verifiedemail" => Some(ContactKind::Email),
        "phoneverified" | "isphoneverified" | "verifiedphone" => Some(ContactKind::Phone),
        _ => None,
    })?;
    Some((kind, value.0 == "true"))
}
