//! Currencies beside amounts and in columns of their own.

use regulars_core::Currency;

/// A currency as it is written beside an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CurrencySign {
    /// It means one currency.
    One(Currency),
    /// It means one of several; the first is the most common.
    Several(&'static [&'static str]),
}

const DOLLARS: &[&str] = &[
    "USD", "CAD", "AUD", "NZD", "HKD", "SGD", "TWD", "MXN", "ARS", "CLP", "COP", "BBD", "BMD",
    "BSD", "BZD", "FJD", "GYD", "JMD", "KYD", "LRD", "NAD", "SBD", "SRD", "TTD", "UYU", "XCD",
];
const CROWNS: &[&str] = &["SEK", "NOK", "DKK", "ISK"];
const YEN: &[&str] = &["JPY", "CNY"];

/// Signs and names, in lower case.
const SIGNS: &[(&str, &str)] = &[
    ("€", "EUR"),
    ("euro", "EUR"),
    ("euros", "EUR"),
    ("£", "GBP"),
    ("us$", "USD"),
    ("$us", "USD"),
    ("ca$", "CAD"),
    ("c$", "CAD"),
    ("can$", "CAD"),
    ("a$", "AUD"),
    ("au$", "AUD"),
    ("nz$", "NZD"),
    ("hk$", "HKD"),
    ("s$", "SGD"),
    ("nt$", "TWD"),
    ("mx$", "MXN"),
    ("r$", "BRL"),
    ("₹", "INR"),
    ("rs", "INR"),
    ("rs.", "INR"),
    ("₽", "RUB"),
    ("₺", "TRY"),
    ("₩", "KRW"),
    ("₪", "ILS"),
    ("₫", "VND"),
    ("₴", "UAH"),
    ("฿", "THB"),
    ("zł", "PLN"),
    ("kč", "CZK"),
    ("ft", "HUF"),
    ("lei", "RON"),
    ("лв", "BGN"),
    ("fr.", "CHF"),
    ("sfr.", "CHF"),
];

/// The codes of ISO 4217 that are in use.
const ISO: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL \
    BSD BTN BWP BYN BZD CAD CDF CHF CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR \
    FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES \
    KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR \
    MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR \
    SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH \
    UGX USD UYI UYU UYW UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG HRK ZWL SLL";

/// True for a code that is in use, in capitals.
fn is_iso(code: &str) -> bool {
    code.len() == 3 && ISO.split(' ').any(|known| known == code)
}

impl CurrencySign {
    /// Any of the crowns of the north.
    pub(crate) const CROWNS: Self = Self::Several(CROWNS);

    /// The currency of a sign, a code or a name.
    pub(crate) fn of(text: &str) -> Option<Self> {
        match text {
            "$" => return Some(Self::Several(DOLLARS)),
            "¥" | "￥" => return Some(Self::Several(YEN)),
            _ => {}
        }
        let lower = text.to_lowercase();
        if matches!(lower.as_str(), "kr" | "kr.") {
            return Some(Self::CROWNS);
        }
        if let Some(&(_, code)) = SIGNS.iter().find(|(sign, _)| *sign == lower) {
            return Currency::new(code).ok().map(Self::One);
        }
        let code = lower.to_uppercase();
        if is_iso(&code) {
            Currency::new(&code).ok().map(Self::One)
        } else {
            None
        }
    }

    /// What the sign means where `expected` is the currency; `None` when it means just that.
    pub(crate) fn unless(self, expected: Currency) -> Option<Currency> {
        let meant = self.meant(expected);
        (meant != expected).then_some(meant)
    }

    /// What the sign means in a workspace of `default`.
    pub(crate) fn meant(self, default: Currency) -> Currency {
        match self {
            Self::One(currency) => currency,
            Self::Several(codes) if codes.contains(&default.code()) => default,
            Self::Several(codes) => Currency::new(codes[0]).unwrap_or(default),
        }
    }
}

/// The currency that a cell of a currency column names.
pub(crate) fn currency_code(cell: &str, default: Currency) -> Option<Currency> {
    CurrencySign::of(cell).map(|sign| sign.meant(default))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_that_several_currencies_share_take_the_default() {
        let currency = |code| Currency::new(code).unwrap();
        assert_eq!(currency_code("$", currency("CAD")), Some(currency("CAD")));
        assert_eq!(currency_code("$", currency("EUR")), Some(currency("USD")));
        assert_eq!(currency_code("kr", currency("DKK")), Some(currency("DKK")));
        assert_eq!(currency_code("eur", currency("USD")), Some(currency("EUR")));
        assert_eq!(currency_code("Zł", currency("USD")), Some(currency("PLN")));
        assert_eq!(currency_code("abc", currency("USD")), None);
    }
}
