//! Names of months and weekdays: English, German, French, Spanish and Dutch, long and short.

/// The number (1–12) of a month's name in lower case.
pub(super) fn month(name: &str) -> Option<u32> {
    Some(match name {
        "jan" | "january" | "januar" | "jänner" | "janvier" | "janv" | "enero" | "ene"
        | "januari" => 1,
        "feb" | "february" | "februar" | "février" | "fevrier" | "févr" | "fév" | "febrero"
        | "februari" => 2,
        "mar" | "march" | "märz" | "maerz" | "mär" | "mrz" | "mars" | "marzo" | "maart" | "mrt" => {
            3
        }
        "apr" | "april" | "avril" | "avr" | "abril" | "abr" => 4,
        "may" | "mai" | "mayo" | "mei" => 5,
        "jun" | "june" | "juni" | "juin" | "junio" => 6,
        "jul" | "july" | "juli" | "juillet" | "juil" | "julio" => 7,
        "aug" | "august" | "août" | "aout" | "agosto" | "ago" | "augustus" => 8,
        "sep" | "sept" | "september" | "septembre" | "septiembre" => 9,
        "oct" | "october" | "oktober" | "okt" | "octobre" | "octubre" => 10,
        "nov" | "november" | "novembre" | "noviembre" => 11,
        "dec" | "december" | "dezember" | "dez" | "décembre" | "decembre" | "déc" | "diciembre"
        | "dic" => 12,
        _ => return None,
    })
}

/// True for a weekday's name in lower case.
pub(super) fn is_weekday(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "mon",
        "monday",
        "tue",
        "tues",
        "tuesday",
        "wed",
        "wednesday",
        "thu",
        "thur",
        "thurs",
        "thursday",
        "fri",
        "friday",
        "sat",
        "saturday",
        "sun",
        "sunday",
        "mo",
        "montag",
        "di",
        "dienstag",
        "mi",
        "mittwoch",
        "do",
        "donnerstag",
        "fr",
        "freitag",
        "sa",
        "samstag",
        "sonnabend",
        "so",
        "sonntag",
        "lundi",
        "lun",
        "mardi",
        "mercredi",
        "mer",
        "jeudi",
        "jeu",
        "vendredi",
        "ven",
        "samedi",
        "sam",
        "dimanche",
        "dim",
        "lunes",
        "martes",
        "miércoles",
        "jueves",
        "viernes",
        "sábado",
        "domingo",
        "maandag",
        "dinsdag",
        "woensdag",
        "donderdag",
        "vrijdag",
        "zaterdag",
        "zondag",
    ];
    NAMES.contains(&name)
}
