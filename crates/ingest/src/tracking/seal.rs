//! Personal data taken out of what is kept in clear, before anything is written.
//!
//! ```text
//! each member ─words─► called like something personal?       out
//!             ─look──► has an e-mail address in it?          out, or only the address
//! what was taken out ─echo─► stands somewhere else as well?  out there, too
//! ```
//!
//! What is taken out is returned with the path where it stood. Yes, no and null stay wherever
//! they stand: they say nothing of who someone is.

mod echo;
mod look;
mod words;

use std::borrow::Cow;

use memchr::memmem;
use regulars_core::EventKind;

use super::json::{Cursor, Raw, quoted, unescaped};
use super::rewrite::{Container, Judge, Scalar, Step, TooDeep, dotted, rewrite};

pub(super) use echo::Needles;
pub(super) use look::without_addresses;
use words::{Scope, Word};

/// JSON written into a string within JSON within a string: how far it is followed.
const MOST_STRINGS: usize = 3;
/// What stands for personal data within a longer text.
const REMOVED: &str = "[removed]";

/// A personal value and where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Personal<'b> {
    /// The path from the event on: `traits.email`, `context.ip`, `properties.products.0.note`.
    pub path: String,
    /// The text, or the number as it was written.
    pub value: Cow<'b, str>,
}

impl Personal<'_> {
    /// The same, which borrows nothing.
    pub fn into_owned(self) -> Personal<'static> {
        Personal {
            path: self.path,
            value: Cow::Owned(self.value.into_owned()),
        }
    }
}

/// What kind of address a person can be reached at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContactKind {
    /// E-mail.
    Email,
    /// Telephone.
    Phone,
}

/// Where an address was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContactSource {
    /// In traits of the person.
    Traits,
    /// In properties: it may be someone else's.
    Properties,
}

/// An address by which a person may be recognised: a candidate for identity resolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// What kind of address.
    pub kind: ContactKind,
    /// Where it was said; of several places the first.
    pub source: ContactSource,
    /// E-mail trimmed and in lower case; of a number the digits, with a leading `+` if it had one.
    pub value: String,
    /// What a flag beside it (`email_verified`, `phoneVerified`) says of it.
    pub verified: Option<bool>,
}

/// An id of another system (`context.externalIds`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalId<'b> {
    /// What kind of id: `idfa`, `ga_client_id`, …
    pub kind: Cow<'b, str>,
    /// The id.
    pub id: Cow<'b, str>,
}

/// Takes personal data out of the parts of one event.
#[derive(Debug)]
pub(super) struct Sealer<'b> {
    /// What was taken out, in the order in which it stood.
    pub(super) personal: Vec<Personal<'b>>,
    pub(super) contacts: Vec<Contact>,
    most_depth: usize,
    /// Whether texts are what a person wrote: tickets, reviews, surveys, chats.
    written: bool,
    /// Ids of the event that can be told from any word.
    ids: Vec<String>,
}

impl<'b> Sealer<'b> {
    pub(super) fn new(most_depth: usize, written: bool) -> Self {
        Self {
            personal: Vec::new(),
            contacts: Vec::new(),
            most_depth,
            written,
            ids: Vec::new(),
        }
    }

    /// Takes these ids out of texts as well, where they can be told from any word.
    pub(super) fn look_for_ids(&mut self, ids: [&Option<Cow<'_, str>>; 3]) {
        let ids = ids.into_iter().flatten().filter(|id| echo::is_telling(id));
        self.ids = ids.map(|id| id.clone().into_owned()).collect();
    }

    /// Whether what is said to be the id of an account belongs to a person, by itself or by what
    /// was taken out of the event. A word may be: it is the account's here.
    pub(super) fn is_personal_id(&self, id: &str) -> bool {
        let digits = |text: &str| {
            text.chars()
                .filter(char::is_ascii_digit)
                .collect::<String>()
        };
        let is_number = |contact: &Contact| {
            contact.kind == ContactKind::Phone && digits(&contact.value) == digits(id)
        };
        let ids: Vec<&str> = self.ids.iter().map(String::as_str).collect();
        look::holds_address(id)
            || look::is_telephone_number(id)
            || (look::is_written_as_number(id) && self.contacts.iter().any(is_number))
            || Needles::new(&self.personal).are_in_id(id)
            || echo::masked(id, &ids, true).is_some()
    }

    /// Traits, properties, context and integrations of an event, without personal data.
    pub(super) fn parts(
        &mut self,
        kind: EventKind,
        [traits, properties, context]: [&'b str; 3],
        integrations: Cow<'b, str>,
    ) -> Result<[Cow<'b, str>; 4], TooDeep> {
        let of_account = kind == EventKind::Group;
        let [of_traits, of_context] = if of_account {
            [Scope::Account, Scope::ContextOfGroup]
        } else {
            [Scope::Person, Scope::Context]
        };
        let of_properties = if self.written {
            Scope::Written
        } else {
            Scope::Plain
        };
        let parts = [
            self.part("traits", traits, of_traits)?,
            self.part("properties", properties, of_properties)?,
            self.part("context", context, of_context)?,
            self.integrations(integrations)?,
        ];
        if !of_account {
            self.find_contacts("traits.", Raw(traits), ContactSource::Traits);
        } else if let Some(traits) = Raw(context).get("traits") {
            // The account's are in `traits`.
            self.find_contacts("context.traits.", traits, ContactSource::Traits);
        }
        self.find_contacts("properties.", Raw(properties), ContactSource::Properties);
        Ok(parts)
    }

    fn integrations(&mut self, json: Cow<'b, str>) -> Result<Cow<'b, str>, TooDeep> {
        match json {
            Cow::Borrowed(json) => self.part("integrations", json, Scope::Plain),
            Cow::Owned(json) => {
                let mut sealer = Sealer::new(self.most_depth, false);
                let rest = sealer.part("integrations", &json, Scope::Plain)?;
                let rest = rest.into_owned();
                for personal in sealer.personal {
                    self.personal.push(personal.into_owned());
                }
                Ok(Cow::Owned(rest))
            }
        }
    }

    fn part(
        &mut self,
        root: &'static str,
        json: &'b str,
        scope: Scope,
    ) -> Result<Cow<'b, str>, TooDeep> {
        let mut sealing = Sealing {
            personal: &mut self.personal,
            ids: &self.ids,
            root,
            strings: 0,
            most_depth: self.most_depth,
        };
        rewrite(json, scope, &mut sealing, self.most_depth)
    }

    /// Keeps the e-mail and the number that were taken out at the top of traits or properties.
    fn find_contacts(&mut self, above: &str, object: Raw<'_>, source: ContactSource) {
        let before = self.contacts.len();
        for personal in &self.personal {
            let key = personal.path.strip_prefix(above);
            let Some(kind) = key.and_then(words::contact) else {
                continue;
            };
            let Some(value) = contact(kind, &personal.value) else {
                continue;
            };
            let known = |contact: &Contact| contact.kind == kind && contact.value == value;
            if !self.contacts.iter().any(known) {
                self.contacts.push(Contact {
                    kind,
                    source,
                    value,
                    verified: None,
                });
            }
        }
        if self.contacts.len() == before {
            return;
        }
        for (key, value) in object.members() {
            let Some((kind, flag)) = words::verified_flag(&key, value) else {
                continue;
            };
            let of_kind = self.contacts[before..].iter_mut();
            for contact in of_kind.filter(|contact| contact.kind == kind) {
                contact.verified = Some(flag);
            }
        }
    }
}

/// An address as it is compared; `None` for what is none.
fn contact(kind: ContactKind, text: &str) -> Option<String> {
    match kind {
        ContactKind::Email => {
            let text = text.trim().to_lowercase();
            look::is_address(&text).then_some(text)
        }
        ContactKind::Phone => {
            let text = text.trim();
            let plus = if text.starts_with('+') { "+" } else { "" };
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let number = (5..=20).contains(&digits.len());
            number.then(|| format!("{plus}{digits}"))
        }
    }
}

struct Sealing<'a, 'p> {
    personal: &'a mut Vec<Personal<'p>>,
    ids: &'a [String],
    root: &'static str,
    /// JSON texts in strings around this one.
    strings: usize,
    most_depth: usize,
}

impl<'p> Sealing<'_, 'p> {
    fn seal(&mut self, path: &[Step<'_>], value: Cow<'p, str>) {
        let path = dotted(self.root, path);
        self.personal.push(Personal { path, value });
    }

    /// A member whose key is an address goes with all that it holds.
    fn seal_member<'t: 'p>(&mut self, path: &[Step<'t>], key: &'t str, value: Raw<'t>) {
        let above = &path[..path.len().saturating_sub(1)];
        let path = format!("{}.?", dotted(self.root, above));
        self.personal.push(Personal {
            path: path.clone(),
            value: unescaped(key),
        });
        let value = value.text().unwrap_or(Cow::Borrowed(value.0));
        self.personal.push(Personal { path, value });
    }

    /// A text that is not called like something personal.
    fn text<'t: 'p>(&mut self, path: &[Step<'t>], inner: &'t str) -> Scalar {
        if !look::may_hold_personal(inner) {
            return self.without_ids(inner);
        }
        let text = unescaped(inner);
        if look::is_address(text.trim()) {
            self.seal(path, text);
            return Scalar::Cut;
        }
        if let Some(json) = self.json_within(path, &text) {
            return json;
        }
        let mut found = Vec::new();
        let Some(rest) = look::without_personal(&text, &mut found) else {
            return self.without_ids(&text);
        };
        for value in found {
            self.seal(path, Cow::Owned(value));
        }
        let rest = self.masked(&rest).unwrap_or(rest);
        Scalar::Put(quoted(&rest))
    }

    /// A text without the ids of the event.
    fn without_ids(&self, text: &str) -> Scalar {
        match self.masked(text) {
            Some(rest) if rest == REMOVED => Scalar::Cut,
            Some(rest) => Scalar::Put(quoted(&rest)),
            None => Scalar::Keep,
        }
    }

    fn masked(&self, text: &str) -> Option<String> {
        let mut ids = self.ids.iter().filter(|id| id.len() <= text.len());
        ids.clone().next()?;
        let found = ids.any(|id| memmem::find(text.as_bytes(), id.as_bytes()).is_some());
        let ids: Vec<&str> = if found {
            self.ids.iter().map(String::as_str).collect()
        } else {
            return None;
        };
        echo::masked(text, &ids, false)
    }

    /// A text that is JSON itself.
    fn json_within(&mut self, path: &[Step<'_>], text: &str) -> Option<Scalar> {
        if self.strings >= MOST_STRINGS || !text.trim_start().starts_with(['{', '[']) {
            return None;
        }
        serde_json::from_str::<&serde_json::value::RawValue>(text).ok()?;
        let mut personal = Vec::new();
        let mut inner = Sealing {
            personal: &mut personal,
            ids: self.ids,
            root: "",
            strings: self.strings + 1,
            most_depth: self.most_depth,
        };
        let rest = rewrite(text, Scope::Plain, &mut inner, self.most_depth);
        let above = dotted(self.root, path);
        for found in &personal {
            self.personal.push(Personal {
                path: format!("{above}.{}", found.path),
                value: Cow::Owned(found.value.clone().into_owned()),
            });
        }
        Some(match rest {
            Ok(Cow::Borrowed(_)) => Scalar::Keep,
            Ok(Cow::Owned(rest)) => Scalar::Put(quoted(&rest)),
            // So deep a text is nobody's data.
            Err(TooDeep) => Scalar::Cut,
        })
    }
}

impl<'t: 'p, 'p> Judge<'t> for Sealing<'_, 'p> {
    type Scope = Scope;

    fn scalar(
        &mut self,
        scope: Scope,
        path: &[Step<'t>],
        object: &'t str,
        value: Raw<'t>,
    ) -> Scalar {
        if let Some(&Step::Key(key)) = path.last()
            && look::is_address_key(key)
        {
            self.seal_member(path, key, value);
            return Scalar::Cut;
        }
        if value.is_flag() || value.is_null() {
            return Scalar::Keep;
        }
        let word = match path.last() {
            Some(Step::Key(key)) => words::of_scalar(scope, key, object, value),
            // Elements of a list are called as the list.
            Some(Step::Index(_)) | None => words::of_element(scope),
        };
        match (word, value.0.strip_prefix('"')) {
            (Word::Personal, _) => {
                if let Some(text) = value.text_or_number().filter(|text| !text.is_empty()) {
                    self.seal(path, text);
                }
                Scalar::Cut
            }
            (Word::Plain, Some(inner)) => self.text(path, inner.strip_suffix('"').unwrap_or(inner)),
            (Word::Plain, None) => Scalar::Keep,
        }
    }

    fn container(&mut self, scope: Scope, path: &[Step<'t>], value: &'t str) -> Container<Scope> {
        match path.last() {
            Some(&Step::Key(key)) if look::is_address_key(key) => {
                self.seal_member(path, key, Cursor::new(value).value());
                Container::Cut
            }
            // What the event takes apart itself goes without being sealed.
            Some(Step::Key(key)) => {
                words::of_container(scope, key).map_or(Container::Cut, Container::Into)
            }
            Some(Step::Index(_)) | None => Container::Into(scope),
        }
    }
}

#[cfg(test)]
mod tests;
