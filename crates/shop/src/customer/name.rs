//! Names that nobody has: a usual given name, and a family name put together from two invented
//! parts. With the e-mail addresses, telephone numbers and streets that go with them.

use crate::random::Dice;
use crate::{CustomerNumber, Gender};

#[rustfmt::skip]
const FEMALE: &[&str] = &[
    "Ada", "Bente", "Carla", "Dörte", "Elif", "Fenja", "Greta", "Hanna", "Ida", "Jule", "Klara",
    "Lotte", "Mira", "Nele", "Olga", "Pia", "Romy", "Selma", "Tilda", "Ute", "Vera", "Wiebke",
    "Yara", "Zoë", "Amélie", "Chloé", "Inés", "Fleur", "Maud", "Nora",
];
#[rustfmt::skip]
const MALE: &[&str] = &[
    "Anton", "Bruno", "Cem", "David", "Emil", "Falk", "Georg", "Henri", "Ivo", "Jörn", "Karl",
    "Linus", "Matti", "Nils", "Oskar", "Paul", "Quirin", "Ruben", "Sönke", "Tom", "Udo", "Viktor",
    "Willem", "Yunus", "Zeno", "André", "Iñigo", "Luc", "Owen", "Rhys",
];
#[rustfmt::skip]
const NEUTRAL: &[&str] = &[
    "Alex", "Charlie", "Eike", "Finn", "Kim", "Luca", "Maxi", "Noa", "Robin", "Sascha", "Toni",
    "Ulli",
];
#[rustfmt::skip]
const FAMILY_STARTS: &[&str] = &[
    "Amber", "Bramble", "Copper", "Dapple", "Ember", "Fickle", "Glimmer", "Hazel", "Inkle",
    "Juniper", "Kettle", "Larch", "Marble", "Nettle", "Otter", "Pebble", "Quill", "Ruffle",
    "Saffron", "Tumble", "Umber", "Velvet", "Whistle", "Zephyr", "Bröddel", "Müssel",
];
#[rustfmt::skip]
const FAMILY_ENDS: &[&str] = &[
    "acre", "beck", "crumb", "dale", "feather", "gable", "hook", "jig", "knot", "lantern", "moth",
    "nook", "owl", "pocket", "quay", "ripple", "spoon", "thimble", "vane", "wick",
];
#[rustfmt::skip]
const STREET_STARTS: &[&str] = &[
    "Paper Boat", "Two Teapots", "Lost Mitten", "Blue Herring", "Seven Owls", "Humming Kettle",
    "Tin Whistle", "Sleepy Badger", "Upside Down", "Marmalade", "Third Moon", "Wooden Cloud",
];
const STREET_ENDS: &[&str] = &["Lane", "Row", "Walk", "Steps", "Yard", "Rise"];
/// Domains that are reserved for examples (RFC 2606).
const DOMAINS: &[&str] = &["example.com", "example.org", "example.net"];

/// Given name, family name and e-mail address.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) first: &'static str,
    pub(super) last: String,
    pub(super) email: String,
}

pub(super) fn draw_name(customer: CustomerNumber, gender: Gender, dice: &mut Dice) -> Name {
    let first = *dice.one_of(match gender {
        Gender::Female => FEMALE,
        Gender::Male => MALE,
        Gender::Diverse => NEUTRAL,
    });
    let last = format!("{}{}", dice.one_of(FAMILY_STARTS), dice.one_of(FAMILY_ENDS));
    let domain = dice.one_of(DOMAINS);
    let email = format!("{}.{}.{customer}@{domain}", plain(first), plain(&last));
    Name { first, last, email }
}

/// Lower-case ASCII.
fn plain(name: &str) -> String {
    let letter = |letter: char| match letter {
        'ä' => 'a',
        'é' | 'ë' => 'e',
        'ñ' => 'n',
        'ö' => 'o',
        'ü' => 'u',
        other => other.to_ascii_lowercase(),
    };
    name.chars().map(letter).collect()
}

/// No country has the code 999. One number for each person.
pub(super) fn phone(customer: CustomerNumber) -> String {
    format!("+999 {:010}", customer.0)
}

pub(super) fn draw_street(dice: &mut Dice) -> String {
    let number = 1 + dice.below(120);
    format!(
        "{} {} {number}",
        dice.one_of(STREET_STARTS),
        dice.one_of(STREET_ENDS)
    )
}
