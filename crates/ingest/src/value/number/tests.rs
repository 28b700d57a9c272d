use proptest::prelude::*;
use regulars_core::format_minor;

use super::*;

const POINT: Option<DecimalMark> = Some(DecimalMark::Point);
const COMMA: Option<DecimalMark> = Some(DecimalMark::Comma);

fn eur() -> Currency {
    Currency::new("EUR").unwrap()
}

fn cents(cell: &str, mark: Option<DecimalMark>) -> Result<i64, RejectReason> {
    minor_units(cell, mark, 2, eur())
}

#[test]
fn amounts_are_read_in_the_ways_that_people_write_them() {
    let cases = [
        ("1234.56", POINT, 123_456),
        ("1,234.56", POINT, 123_456),
        ("1.234,56", COMMA, 123_456),
        ("1 234,56", COMMA, 123_456),
        ("1\u{a0}234,56", COMMA, 123_456),
        ("1\u{202f}234\u{202f}567,5", COMMA, 123_456_750),
        ("1'234.56", POINT, 123_456),
        ("12,34,567.00", POINT, 123_456_700),
        ("€ 12.50", POINT, 1250),
        ("12,50 €", COMMA, 1250),
        ("EUR 12.50", POINT, 1250),
        ("12.50EUR", POINT, 1250),
        ("€12.50 EUR", POINT, 1250),
        ("-€12.50", POINT, -1250),
        ("€-12.50", POINT, -1250),
        ("(12.50)", POINT, -1250),
        ("(€12.50)", POINT, -1250),
        ("12.50-", POINT, -1250),
        ("\u{2212}12.50", POINT, -1250),
        ("+12.50", POINT, 1250),
        (".5", POINT, 50),
        ("12.", POINT, 1200),
        ("1.005", POINT, 100),
        ("1.5E3", POINT, 150_000),
        ("1e-05", POINT, 0),
        ("2.5e-1", POINT, 25),
        ("1 234", None, 123_400),
        ("12", None, 1200),
        ("-0", None, 0),
        ("1.234", POINT, 123),
        ("1.234", COMMA, 123_400),
        ("1234567890123456", None, 123_456_789_012_345_600),
        // A dash after the separator stands for no cents, and is no minus.
        ("19,-", COMMA, 1900),
        ("19.-", POINT, 1900),
        ("12,\u{2013}", COMMA, 1200),
        ("12,\u{2014} €", COMMA, 1200),
        ("1.250,-- EUR", COMMA, 125_000),
        ("-19,-", COMMA, -1900),
        ("(19.-)", POINT, -1900),
        ("12-", None, -1200),
    ];
    for (cell, mark, minor) in cases {
        assert_eq!(cents(cell, mark), Ok(minor), "{cell} {mark:?}");
    }
}

#[test]
fn whole_francs_and_crowns_have_their_own_ways_to_say_so() {
    let read = |cell: &str, code: &str| {
        let currency = Currency::new(code).unwrap();
        minor_units(cell, POINT, 2, currency)
    };
    assert_eq!(read("CHF 19.-", "CHF"), Ok(1900));
    assert_eq!(read("Fr. 12.-", "CHF"), Ok(1200));
    assert_eq!(read("Fr.1'250.\u{2013}", "CHF"), Ok(125_000));
    assert_eq!(read("20:-", "SEK"), Ok(2000));
    assert_eq!(read("-20:-", "SEK"), Ok(-2000));
    assert_eq!(read("1 250:- SEK", "SEK"), Ok(125_000));
    assert!(matches!(
        read("20:-", "EUR"),
        Err(RejectReason::OtherCurrency { .. })
    ));
    assert_eq!(number_hint("19,-"), NumberHint::Only(DecimalMark::Comma));
    assert_eq!(number_hint("20:-"), NumberHint::Plain);
    for cell in ["19,-5", "19:--", "19,- apples", "20:"] {
        assert_eq!(number_hint(cell), NumberHint::None, "{cell}");
    }
}

#[test]
fn what_is_no_amount_is_refused_with_its_reason() {
    use RejectReason::{NotANumber, OtherSeparator, TooLarge, UndecidedSeparator};
    let usd = Currency::new("USD").unwrap();
    let cases = [
        ("12,5", POINT, OtherSeparator { expected: "point" }),
        ("1.234.567", POINT, OtherSeparator { expected: "point" }),
        ("12.50", COMMA, OtherSeparator { expected: "comma" }),
        ("12.50", None, UndecidedSeparator),
        ("abc", POINT, NotANumber),
        ("12.50 %", POINT, NotANumber),
        ("12 apples", POINT, NotANumber),
        ("2024-01-05", POINT, NotANumber),
        ("1-2", POINT, NotANumber),
        ("(12.50", POINT, NotANumber),
        ("12:30", POINT, NotANumber),
        ("99999999999999999999", POINT, TooLarge),
        (
            "$12.50",
            POINT,
            RejectReason::OtherCurrency {
                found: usd,
                expected: eur(),
            },
        ),
    ];
    for (cell, mark, reason) in cases {
        assert_eq!(cents(cell, mark), Err(reason), "{cell}");
    }
}

#[test]
fn values_say_what_they_can_about_separators() {
    use NumberHint::{Either, None as Nothing, Only, Plain};
    let cases = [
        ("12", Plain),
        ("1 234", Plain),
        ("12.5", Only(DecimalMark::Point)),
        ("1,234.5", Only(DecimalMark::Point)),
        ("1,234,567", Only(DecimalMark::Point)),
        ("0.125", Only(DecimalMark::Point)),
        ("1234.567", Only(DecimalMark::Point)),
        ("12,50 €", Only(DecimalMark::Comma)),
        ("1.234,5", Only(DecimalMark::Comma)),
        ("1,234", Either),
        ("1.234", Either),
        ("1.2.3", Nothing),
        ("x", Nothing),
        ("", Nothing),
    ];
    for (cell, hint) in cases {
        assert_eq!(number_hint(cell), hint, "{cell}");
    }
}

#[test]
fn floats_become_the_amounts_that_they_stand_for() {
    let cases = [
        (29.33, 2933),
        (1.005, 100),
        (1.015, 102),
        (0.1 + 0.2, 30),
        (-0.125, -12),
    ];
    for (value, minor) in cases {
        assert_eq!(float_to_minor(value, 2), Ok(minor), "{value}");
    }
    assert_eq!(small_float_to_minor(29.33, 2), Ok(2933));
    assert_eq!(
        float_to_minor(f64::INFINITY, 2),
        Err(RejectReason::TooLarge)
    );
    assert_eq!(float_to_minor(1e17, 2), Err(RejectReason::TooLarge));
}

proptest! {
    #[test]
    fn written_amounts_are_read_exactly(minor in -10_i64.pow(14)..10_i64.pow(14), exponent in 0_u32..4) {
        let plain = format_minor(minor, exponent);
        prop_assert_eq!(minor_units(&plain, POINT, exponent, eur()), Ok(minor));
        let german = plain.replace('.', ",");
        prop_assert_eq!(minor_units(&german, COMMA, exponent, eur()), Ok(minor));
        prop_assert_eq!(minor_units(&format!("{plain} EUR"), POINT, exponent, eur()), Ok(minor));
    }

    #[test]
    fn the_common_case_agrees_with_the_general_one(cell in "-?[0-9]{1,12}(\\.[0-9]{0,4})?") {
        let expected = regulars_core::parse_minor(&cell, 2);
        prop_assert_eq!(minor_units(&cell, POINT, 2, eur()).ok(), expected.ok());
    }

    #[test]
    fn floats_of_cents_come_back(minor in -10_i64.pow(12)..10_i64.pow(12)) {
        prop_assert_eq!(float_to_minor(minor as f64 / 100.0, 2), Ok(minor));
    }

    #[test]
    fn no_text_panics(cell in "\\PC{0,20}") {
        let _ = (number_hint(&cell), currency_beside(&cell), number(&cell, POINT), cents(&cell, COMMA));
    }
}
