//! Where customers live: real cities and regions, with postcodes that none of them has.

use crate::Country;
use crate::random::Dice;

/// A city with its region and how often it is drawn.
#[derive(Debug)]
pub(super) struct City {
    pub(super) name: &'static str,
    pub(super) region: &'static str,
    weight: f64,
}

const fn city(name: &'static str, region: &'static str, weight: f64) -> City {
    City {
        name,
        region,
        weight,
    }
}

const DE: &[City] = &[
    city("Berlin", "Berlin", 18.0),
    city("Hamburg", "Hamburg", 9.0),
    city("München", "Bayern", 8.0),
    city("Köln", "Nordrhein-Westfalen", 6.0),
    city("Frankfurt am Main", "Hessen", 5.0),
    city("Stuttgart", "Baden-Württemberg", 4.0),
    city("Leipzig", "Sachsen", 4.0),
    city("Bremen", "Bremen", 3.0),
    city("Freiburg", "Baden-Württemberg", 1.5),
    city("Husum", "Schleswig-Holstein", 0.7),
    city("Görlitz", "Sachsen", 0.7),
    city("Kempten", "Bayern", 0.8),
];
const AT: &[City] = &[
    city("Wien", "Wien", 5.0),
    city("Graz", "Steiermark", 2.0),
    city("Innsbruck", "Tirol", 1.0),
];
const CH: &[City] = &[
    city("Zürich", "Zürich", 3.0),
    city("Bern", "Bern", 1.5),
    city("Genève", "Genève", 1.2),
];
const NL: &[City] = &[
    city("Amsterdam", "Noord-Holland", 3.0),
    city("Utrecht", "Utrecht", 1.5),
    city("Groningen", "Groningen", 1.0),
];
const FR: &[City] = &[
    city("Paris", "Île-de-France", 5.0),
    city("Lyon", "Auvergne-Rhône-Alpes", 2.0),
    city("Nantes", "Pays de la Loire", 1.0),
];
const BE: &[City] = &[
    city("Bruxelles", "Bruxelles", 2.0),
    city("Gent", "Vlaanderen", 1.0),
];
const ES: &[City] = &[
    city("Madrid", "Madrid", 3.0),
    city("Barcelona", "Catalunya", 2.5),
    city("Sevilla", "Andalucía", 1.0),
];
const GB: &[City] = &[
    city("London", "England", 5.0),
    city("Glasgow", "Scotland", 1.2),
    city("Cardiff", "Wales", 0.8),
];

pub(super) fn draw_city(country: Country, dice: &mut Dice) -> &'static City {
    let cities = match country {
        Country::De => DE,
        Country::At => AT,
        Country::Ch => CH,
        Country::Nl => NL,
        Country::Fr => FR,
        Country::Be => BE,
        Country::Es => ES,
        Country::Gb => GB,
    };
    let weights: Vec<f64> = cities.iter().map(|city| city.weight).collect();
    &cities[dice.pick(&weights)]
}

/// A postcode in the form of the country, where none are given out: German and French ones begin
/// at 01, Spanish ones at 01, those of the other four on the continent at 1000, and no British
/// area is called ZZ.
pub(super) fn draw_zip(country: Country, dice: &mut Dice) -> String {
    let digits = dice.below(1000);
    match country {
        Country::De | Country::Fr | Country::Es => format!("00{digits:03}"),
        Country::At | Country::Ch | Country::Be => format!("0{digits:03}"),
        Country::Nl => format!("0{digits:03} XX"),
        Country::Gb => format!("ZZ{} {}ZZ", 1 + digits % 99, digits % 10),
    }
}
