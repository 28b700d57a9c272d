//! The user's page lists every field and every header that is known.

use regulars_core::CivilDate;
use regulars_ingest::{DateOrder, DecimalMark, Entity, Field, field_table};

use crate::reading::{input, options, read_with};

const PAGE: &str = include_str!("../../../../docs/import.md");
const BEGIN: &str = "`the_page_lists_every_field` -->\n";
const END: &str = "<!-- end of fields -->";

fn table(entity: Entity) -> String {
    let rows = field_table(entity).iter().map(|names| {
        let headers: Vec<String> = names.headers.iter().map(|h| format!("`{h}`")).collect();
        format!(
            "| `{}` | {} | {} |\n",
            names.field,
            names.field.doc(entity),
            headers.join(" ")
        )
    });
    let rows: String = rows.collect();
    format!(
        "### Fields of {}\n\n| field | what it is | headers that are known |\n|---|---|---|\n{rows}",
        entity.plural()
    )
}

#[test]
fn a_field_means_what_it_means_in_files_of_its_kind() {
    let doc = |entity| Field::OccurredAt.doc(entity);
    assert_eq!(doc(Entity::Orders), "When the order was placed");
    assert_eq!(doc(Entity::Refunds), "When the money went back");
    assert_eq!(doc(Entity::Events), "When it happened");
}

#[test]
fn the_page_lists_every_field() {
    let expected: String = Entity::ALL
        .into_iter()
        .map(|e| format!("\n{}", table(e)))
        .collect();
    let begin = PAGE.find(BEGIN).unwrap() + BEGIN.len();
    let end = PAGE.find(END).unwrap();
    let written = &PAGE[begin..end];
    assert!(
        written.trim() == expected.trim(),
        "write this into docs/import.md:\n{expected}"
    );
}

/// The examples in backticks of the first line that begins with `Read are` or ends in `are read…`.
fn examples(line_with: &str) -> Vec<&'static str> {
    let line = PAGE.lines().find(|line| line.contains(line_with)).unwrap();
    line.split('`').skip(1).step_by(2).collect()
}

fn orders(date: &str, total: &str) -> String {
    format!("order_id;customer_id;date;total\n1;ann;{date};{total}\n")
}

#[test]
fn dates_that_the_page_names_are_read() {
    let examples = examples("Read are `2026-01-31`");
    let days: Vec<&str> = examples
        .iter()
        .copied()
        .filter(|e| e.contains("26"))
        .collect();
    let clocks: Vec<&str> = examples
        .iter()
        .copied()
        .filter(|e| e.contains(':'))
        .collect();
    assert!(days.len() >= 7 && clocks.len() >= 3, "{examples:?}");
    for day in days {
        for clock in clocks.iter().filter(|clock| !clock.starts_with('+')) {
            let mut said = options();
            let month_first = day.starts_with("1/31");
            said.date_order = Some(if month_first {
                DateOrder::Mdy
            } else {
                DateOrder::Dmy
            });
            let date = match day {
                "20260131" => day.to_owned(),
                day => format!("{day} {clock}"),
            };
            let read = read_with(&input("orders.csv", orders(&date, "1.00")), &said).unwrap();
            assert_eq!(read.rejected(), [], "{date}");
            let at = read.orders(|batch, row| batch.occurred_at[row])[0].unwrap();
            let expected = CivilDate::new(2026, 1, 31).unwrap();
            assert_eq!(said.zone.date_of(at), expected, "{date}");
        }
    }
}

#[test]
fn amounts_that_the_page_names_are_read() {
    for amount in examples("are read; amounts go from digits")
        .into_iter()
        .take(9)
    {
        let mut said = options();
        let comma = amount.ends_with(",56");
        said.decimal = Some(if comma {
            DecimalMark::Comma
        } else {
            DecimalMark::Point
        });
        let currency = regulars_core::Currency::new("USD").unwrap();
        said.default_currency = currency;
        let read = read_with(&input("orders.csv", orders("2026-01-31", amount)), &said).unwrap();
        let minor = read.orders(|batch, row| batch.order_total.as_ref().unwrap()[row]);
        let expected = match amount {
            "1.5e3" => 150_000,
            _ if amount.contains("12.50") && amount.contains(['-', '(']) => -1_250,
            _ if amount.contains("12.50") => 1_250,
            _ => 123_456,
        };
        assert_eq!(minor, [Some(expected)], "{amount}: {:?}", read.rejected());
    }
}
