//! Words with a meaning: nothing, yes and no, and where an order stands.

use regulars_core::OrderStatus;

use super::CurrencySign;
use super::month::{is_weekday, month};
use crate::field::normalised;

/// True for what stands for nothing in a column of numbers or dates.
pub(crate) fn is_missing(cell: &str) -> bool {
    matches!(
        cell,
        "" | "-" | "--" | "\u{2013}" | "\u{2014}" | "NA" | "na" | "N/A" | "n/a" | "#N/A" | "?"
    ) || is_missing_text(cell)
}

/// True for what stands for nothing in a column of texts (where `NA` may be Namibia).
pub(crate) fn is_missing_text(cell: &str) -> bool {
    matches!(
        cell,
        "" | "null"
            | "NULL"
            | "Null"
            | "(null)"
            | "\\N"
            | "NaN"
            | "nan"
            | "NaT"
            | "None"
            | "none"
            | "nil"
            | "undefined"
    )
}

/// Yes or no.
pub(crate) fn flag(cell: &str) -> Option<bool> {
    match normalised(cell).as_str() {
        "true" | "yes" | "y" | "t" | "1" | "on" | "ja" | "j" | "oui" | "o" | "si" | "sí" | "s"
        | "wahr" | "vrai" | "verdadero" | "waar" | "subscribed" | "optin" | "granted" => Some(true),
        "false" | "no" | "n" | "f" | "0" | "off" | "nein" | "non" | "nee" | "falsch" | "faux"
        | "falso" | "onwaar" | "unsubscribed" | "notsubscribed" | "optout" | "denied" => {
            Some(false)
        }
        _ => None,
    }
}

/// Words for where an order stands, without case, spaces and punctuation.
const STATUSES: &[(OrderStatus, &[&str])] = &[
    (
        OrderStatus::Placed,
        &[
            "paid",
            "partiallypaid",
            "authorized",
            "authorised",
            "partiallyrefunded",
            "complete",
            "completed",
            "processing",
            "onhold",
            "shipped",
            "delivered",
            "fulfilled",
            "partiallyfulfilled",
            "unfulfilled",
            "sent",
            "closed",
            "approved",
            "success",
            "successful",
            "succeeded",
            "settled",
            "confirmed",
            "placed",
            "open",
            "invoiced",
            "dispatched",
            "intransit",
            "readyforpickup",
            "active",
            "captured",
            "bezahlt",
            "teilweisebezahlt",
            "abgeschlossen",
            "versendet",
            "versandt",
            "inbearbeitung",
            "geliefert",
            "bestätigt",
            "fertiggestellt",
            "payé",
            "payée",
            "terminé",
            "terminée",
            "expédié",
            "expédiée",
            "livré",
            "livrée",
            "encours",
            "validé",
            "validée",
            "pagado",
            "completado",
            "enviado",
            "entregado",
            "procesando",
            "enespera",
            "betaald",
            "voltooid",
            "afgerond",
            "verzonden",
            "geleverd",
            "inbehandeling",
            "verwerken",
        ],
    ),
    (
        OrderStatus::Unpaid,
        &[
            "pending",
            "pendingpayment",
            "unpaid",
            "checkoutdraft",
            "draft",
            "awaitingpayment",
            "waiting",
            "expired",
            "new",
            "created",
            "unbezahlt",
            "offen",
            "ausstehend",
            "zahlungausstehend",
            "wartend",
            "entwurf",
            "enattente",
            "enattentedepaiement",
            "attentepaiement",
            "impayé",
            "impayée",
            "pendiente",
            "pendientedepago",
            "borrador",
            "openstaand",
            "inafwachting",
            "wachtopbetaling",
            "concept",
        ],
    ),
    (
        OrderStatus::Refunded,
        &[
            "refunded",
            "fullyrefunded",
            "returned",
            "chargeback",
            "chargedback",
            "erstattet",
            "rückerstattet",
            "zurückgesendet",
            "retourniert",
            "remboursé",
            "remboursée",
            "reembolsado",
            "devuelto",
            "terugbetaald",
            "geretourneerd",
        ],
    ),
    (
        OrderStatus::Cancelled,
        &[
            "cancelled",
            "canceled",
            "cancel",
            "void",
            "voided",
            "failed",
            "declined",
            "rejected",
            "denied",
            "trash",
            "deleted",
            "aborted",
            "unavailable",
            "storniert",
            "abgebrochen",
            "fehlgeschlagen",
            "abgelehnt",
            "annulé",
            "annulée",
            "échoué",
            "échouée",
            "cancelado",
            "fallido",
            "rechazado",
            "geannuleerd",
            "mislukt",
        ],
    ),
];

/// Words that say of a refund that it has not happened (yet), and of an order something else or
/// nothing.
const REFUND_STATUSES: &[(OrderStatus, &[&str])] = &[
    (
        OrderStatus::Unpaid,
        &[
            "processing",
            "inprogress",
            "onhold",
            "open",
            "active",
            "authorized",
            "authorised",
            "requested",
            "submitted",
            "initiated",
            "scheduled",
            "queued",
            "requiresaction",
            "inbearbeitung",
            "beantragt",
            "encours",
            "enespera",
            "procesando",
            "inbehandeling",
            "verwerken",
        ],
    ),
    (
        OrderStatus::Cancelled,
        &["failure", "error", "reversed", "refused", "fehler"],
    ),
];

/// Reads a word of a status column; words that the user gave a meaning come first.
pub(crate) type StatusOf = fn(&str, &[(String, OrderStatus)]) -> Option<OrderStatus>;

/// Where a refund with this status stands: unpaid when it is pending, cancelled when it failed.
pub(crate) fn refund_status(cell: &str, given: &[(String, OrderStatus)]) -> Option<OrderStatus> {
    let word = normalised(cell);
    let own = REFUND_STATUSES
        .iter()
        .find(|(_, words)| words.contains(&word.as_str()));
    given_status(&word, given)
        .or(own.map(|&(status, _)| status))
        .or_else(|| status(cell, given))
}

fn given_status(word: &str, given: &[(String, OrderStatus)]) -> Option<OrderStatus> {
    let found = given.iter().find(|(given, _)| normalised(given) == word);
    found.map(|&(_, status)| status)
}

/// Where an order with this status stands; `given` comes before the built-in words.
pub(crate) fn status(cell: &str, given: &[(String, OrderStatus)]) -> Option<OrderStatus> {
    let word = normalised(cell);
    if let Some(status) = given_status(&word, given) {
        return Some(status);
    }
    // WooCommerce stores its statuses as `wc-completed`.
    let bare = word.strip_prefix("wc").unwrap_or(&word);
    STATUSES
        .iter()
        .find(|(_, words)| words.contains(&word.as_str()) || words.contains(&bare))
        .map(|&(status, _)| status)
}

/// True for a word that dates, numbers, statuses and flags are written with: it says nothing of a
/// person.
pub(crate) fn is_known_word(word: &str) -> bool {
    let lower = word.to_lowercase();
    let of_dates = month(&lower).is_some()
        || is_weekday(&lower)
        || matches!(
            lower.as_str(),
            "t" | "z" | "am" | "pm" | "utc" | "gmt" | "st" | "nd" | "rd" | "th" | "e"
        );
    of_dates
        || is_missing(word)
        || flag(word).is_some()
        || status(word, &[]).is_some()
        || matches!(lower.as_str(), "partially" | "payment" | "order")
        || CurrencySign::of(word).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_of_the_shops_are_known() {
        let of = |word| status(word, &[]);
        for word in [
            "paid",
            "partially_refunded",
            "partially_paid",
            "authorized",
            "Completed",
            "wc-processing",
            "On hold",
            "in Bearbeitung",
        ] {
            assert_eq!(of(word), Some(OrderStatus::Placed), "{word}");
        }
        for word in ["pending", "Pending payment", "checkout-draft", "expired"] {
            assert_eq!(of(word), Some(OrderStatus::Unpaid), "{word}");
        }
        assert_eq!(of("Refunded"), Some(OrderStatus::Refunded));
        for word in ["voided", "Cancelled", "Canceled", "Failed", "storniert"] {
            assert_eq!(of(word), Some(OrderStatus::Cancelled), "{word}");
        }
        assert_eq!(of("teleported"), None);
        for word in ["Pending", "processing", "requires_action"] {
            let found = refund_status(word, &[]);
            assert_eq!(found, Some(OrderStatus::Unpaid), "{word}");
        }
        for word in ["failed", "Failure", "canceled", "Reversed"] {
            let found = refund_status(word, &[]);
            assert_eq!(found, Some(OrderStatus::Cancelled), "{word}");
        }
        assert_eq!(refund_status("succeeded", &[]), Some(OrderStatus::Placed));
        assert_eq!(refund_status("Refunded", &[]), Some(OrderStatus::Refunded));
        let given = [("Open".to_owned(), OrderStatus::Placed)];
        assert_eq!(refund_status("open", &given), Some(OrderStatus::Placed));
        let given = [("Teleported".to_owned(), OrderStatus::Placed)];
        assert_eq!(status("teleported", &given), Some(OrderStatus::Placed));
    }

    #[test]
    fn each_status_word_is_written_as_it_is_compared() {
        for (_, words) in STATUSES {
            for word in *words {
                assert_eq!(&normalised(word), word);
            }
        }
    }
}
