use proptest::prelude::*;

use super::*;

const DMY: Option<DateOrder> = Some(DateOrder::Dmy);
const MDY: Option<DateOrder> = Some(DateOrder::Mdy);

fn read(cell: &str, order: Option<DateOrder>) -> Result<String, RejectReason> {
    let berlin = Zone::named("Europe/Berlin").unwrap();
    let mut reader = DateReader::new(order, SerialDates::Refuse, &berlin);
    reader
        .read(cell)
        .map(|value| value.map_or_else(String::new, |at| at.to_string()))
}

#[test]
fn dates_are_read_in_all_usual_forms() {
    let may_first = "2024-04-30T22:00:00Z";
    let cases = [
        ("2024-05-01", None, may_first),
        ("20240501", None, may_first),
        ("2024/05/01", None, may_first),
        ("2024.05.01", None, may_first),
        ("2024/5/1", None, may_first),
        ("01/05/2024", DMY, may_first),
        ("05/01/2024", MDY, may_first),
        ("1.5.2024", DMY, may_first),
        ("01.05.2024", None, may_first),
        ("1. 5. 2024", None, may_first),
        ("01-05-2024", DMY, may_first),
        ("01/05/24", DMY, may_first),
        ("1 May 2024", None, may_first),
        ("1st May 2024", None, may_first),
        ("May 1, 2024", None, may_first),
        ("01-May-24", None, may_first),
        ("2024-May-01", None, may_first),
        ("1. Mai 2024", None, may_first),
        ("1 mei 2024", None, may_first),
        ("Wed, 1 May 2024", None, may_first),
        ("31/12/69", DMY, "1969-12-30T23:00:00Z"),
        ("31/12/68", DMY, "2068-12-30T23:00:00Z"),
        ("1 janv. 2024", None, "2023-12-31T23:00:00Z"),
        ("1955-07-01", None, "1955-06-30T23:00:00Z"),
        ("0000-00-00 00:00:00", None, ""),
        ("00/00/0000", None, ""),
    ];
    for (cell, order, expected) in cases {
        assert_eq!(read(cell, order).as_deref(), Ok(expected), "{cell}");
    }
}

#[test]
fn times_are_read_with_and_without_their_offset() {
    let cases = [
        ("2024-05-01 10:11:12", "2024-05-01T08:11:12Z"),
        ("2024-05-01T10:11:12", "2024-05-01T08:11:12Z"),
        ("2024-05-01 10:11", "2024-05-01T08:11:00Z"),
        ("2024-05-01T10:11:12.5Z", "2024-05-01T10:11:12.500Z"),
        (
            "2024-05-01T10:11:12.123456+02:00",
            "2024-05-01T08:11:12.123Z",
        ),
        ("2024-05-01 10:11:12 +0200", "2024-05-01T08:11:12Z"),
        ("2024-05-01 10:11:12 UTC", "2024-05-01T10:11:12Z"),
        ("2024-05-01 10:11:12-05", "2024-05-01T15:11:12Z"),
        (
            "2024-05-01T10:11:12+02:00[Europe/Berlin]",
            "2024-05-01T08:11:12Z",
        ),
        (
            "Wed May 01 2024 10:11:12 GMT+0200 (CEST)",
            "2024-05-01T08:11:12Z",
        ),
        ("Wed, 01 May 2024 10:11:12 GMT", "2024-05-01T10:11:12Z"),
        ("May 1, 2024 3:04 PM", "2024-05-01T13:04:00Z"),
        ("May 1, 2024, 3:04:05 pm", "2024-05-01T13:04:05Z"),
        ("1.5.2024 15:04 Uhr", "2024-05-01T13:04:00Z"),
        ("2024-05-01 12:00 AM", "2024-04-30T22:00:00Z"),
        ("2024-05-01 12:30 p.m.", "2024-05-01T10:30:00Z"),
        ("2024-05-01 24:00", "2024-05-01T22:00:00Z"),
        ("20240501101112", "2024-05-01T08:11:12Z"),
        ("1714558272", "2024-05-01T10:11:12Z"),
        ("1714558272.25", "2024-05-01T10:11:12.250Z"),
        ("1714558272123", "2024-05-01T10:11:12.123Z"),
        ("1714558272123456", "2024-05-01T10:11:12.123Z"),
    ];
    for (cell, expected) in cases {
        assert_eq!(read(cell, None).as_deref(), Ok(expected), "{cell}");
    }
    // Skipped and repeated hours of the workspace's zone.
    assert_eq!(
        read("2024-03-31 02:30", None).as_deref(),
        Ok("2024-03-31T01:30:00Z")
    );
    assert_eq!(
        read("2024-10-27 02:30", None).as_deref(),
        Ok("2024-10-27T00:30:00Z")
    );
    // UCI Online Retail.
    assert_eq!(
        read("12/1/2010 8:26", MDY).as_deref(),
        Ok("2010-12-01T07:26:00Z")
    );
}

#[test]
fn what_is_no_date_is_refused_with_its_reason() {
    use RejectReason::{BareNumber, NoSuchDay, NotADate, OtherDateOrder, UndecidedDateOrder};
    let cases = [
        ("2024-02-30", None, NoSuchDay),
        ("2023-02-29", None, NoSuchDay),
        ("2024-13-01", None, NoSuchDay),
        ("0000-01-01", None, NoSuchDay),
        ("2024-05-01 25:00", None, NoSuchDay),
        ("2024-05-01 13:00 PM", None, NotADate),
        ("01/02/2024", None, UndecidedDateOrder),
        (
            "05/31/2024",
            DMY,
            OtherDateOrder {
                expected: "day/month/year",
            },
        ),
        (
            "31/05/2024",
            MDY,
            OtherDateOrder {
                expected: "month/day/year",
            },
        ),
        ("32/05/2024", DMY, NoSuchDay),
        ("45292", None, BareNumber),
        ("123", None, BareNumber),
        ("yesterday", None, NotADate),
        ("2024-05", None, NotADate),
        ("2024-05-01 10:11 EST", None, NotADate),
        ("2024-05-01x", None, NotADate),
    ];
    for (cell, order, reason) in cases {
        assert_eq!(read(cell, order), Err(reason), "{cell}");
    }
}

#[test]
fn day_numbers_of_spreadsheets_are_read_when_told() {
    let utc = Zone::utc();
    let mut reader = DateReader::new(None, SerialDates::Excel, &utc);
    let mut read = |cell: &str| reader.read(cell).unwrap().unwrap().to_string();
    assert_eq!(read("25569"), "1970-01-01T00:00:00Z");
    assert_eq!(read("45413.4244444444"), "2024-05-01T10:11:12Z");
}

#[test]
fn values_say_what_they_can_about_day_and_month() {
    use DateHint::{Either, None as Nothing, Only, Silent};
    let cases = [
        ("2024-05-01", Silent),
        ("1 May 2024", Silent),
        ("05/05/2024", Silent),
        ("20240501", Silent),
        ("31/01/2024", Only(DateOrder::Dmy)),
        ("1/31/2024 8:26", Only(DateOrder::Mdy)),
        ("01/02/2024", Either { dots: Dots::No }),
        ("01.02.2024", Either { dots: Dots::Yes }),
        ("31/31/2024", Nothing),
        ("12345", Nothing),
        ("12.50", Nothing),
        ("hello", Nothing),
    ];
    for (cell, hint) in cases {
        assert_eq!(date_hint(cell), hint, "{cell}");
    }
}

proptest! {
    #[test]
    fn instants_agree_with_an_independent_reader(ms in -2_000_000_000_000_i64..4_000_000_000_000) {
        let at = jiff::Timestamp::from_millisecond(ms).unwrap();
        prop_assert_eq!(read(&at.to_string(), None), Ok(Timestamp(ms).to_string()));
        let zoned = at.to_zoned_datetime(jiff::tz::TimeZone::get("America/New_York").unwrap());
        let shopify = zoned.strftime("%Y-%m-%d %H:%M:%S %z").to_string();
        let whole = Timestamp(ms.div_euclid(1000) * 1000).to_string();
        prop_assert_eq!(read(&shopify, None), Ok(whole));
    }

    #[test]
    fn no_text_panics(cell in "\\PC{0,24}") {
        let _ = (date_hint(&cell), read(&cell, DMY));
    }

    #[test]
    fn nothing_like_a_date_panics(cell in "[0-9./: TZamp+,-]{0,24}") {
        let _ = (date_hint(&cell), read(&cell, MDY));
    }
}
