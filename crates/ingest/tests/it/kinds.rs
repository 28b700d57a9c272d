//! Customers are told from products: names of persons are sealed, those of products are not.

use regulars_ingest::{Batch, Entity, Field, Remembered, Role};

use crate::reading::{input, options, read, read_with, refused};

/// Rows below a header, each cell by what its column is called.
fn file(header: &str) -> String {
    let cell = |row: usize, name: &str| match name.to_lowercase().as_str() {
        "email" | "contact" | "login" => format!("p{row}@example.com"),
        "phone" => format!("+49 30 123456{row}"),
        "created" | "created_at" => format!("2026-01-0{row}"),
        "price" | "balance" => format!("{row}.50"),
        other => format!("{other} {row}"),
    };
    let row = |row: usize| {
        let cells: Vec<String> = header.split(',').map(|name| cell(row, name)).collect();
        format!("{}\n", cells.join(","))
    };
    format!("{header}\n{}{}{}", row(1), row(2), row(3))
}

#[test]
fn rows_that_speak_of_persons_are_customers() {
    for header in [
        "id,email,name",
        "id,name,email,phone,country",
        "ID,Name,Email,Type,Created",
        "id,email,name,description,created,currency,delinquent,balance",
        "id,title,first name,email",
        "id,name,phone",
        "id,nom,prénom",
        "id,name,country",
        "id,customer_id,name",
        // Addresses tell it whatever their column is called.
        "id,name,login",
    ] {
        let read = read("file.csv", file(header)).unwrap();
        assert_eq!(read.recognition.entity, Entity::Customers, "{header}");
        let Batch::Customers(batch) = &read.batches[0] else {
            panic!("not customers");
        };
        let sealed: Vec<&str> = batch
            .personal
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let named = read.recognition.columns.iter().any(|column| {
            let is_name = [Field::Name, Field::FirstName, Field::LastName];
            column.field().is_some_and(|field| is_name.contains(&field))
        });
        assert!(named && !sealed.is_empty(), "{header}: {sealed:?}");
    }
}

#[test]
fn products_stay_products() {
    for header in [
        "sku,name,category,price",
        "id,title,description,mobile_link,price",
        "id,name,category",
        "id,title,description",
        "Handle,Title,Vendor,Type,Variant SKU,Variant Price",
        "product_id,name",
        "id,name,brand",
    ] {
        let read = read("file.csv", file(header)).unwrap();
        assert_eq!(read.recognition.entity, Entity::Products, "{header}");
    }
}

#[test]
fn what_may_be_either_is_asked_for() {
    for header in [
        "id,name",
        "id,name,type",
        "id,name,category,country",
        "id,customer_id,name,price",
        "sku,name,price,email",
    ] {
        let message = refused("file.csv", file(header));
        assert!(
            message.contains("may hold products or customers"),
            "{header}: {message}"
        );
        assert!(message.contains("--entity customers"), "{message}");
        for entity in [Entity::Customers, Entity::Products] {
            let mut said = options();
            said.entity = Some(entity);
            if entity == Entity::Customers && header.starts_with("sku") {
                continue;
            }
            let read = read_with(&input("file.csv", file(header)), &said).unwrap();
            assert_eq!(read.recognition.entity, entity);
            // What was said of one such file counts for the next.
            let mut later = options();
            let before = Remembered {
                entity: Some(entity),
                ..Remembered::default()
            };
            later.remembered.insert(read.recognition.signature, before);
            let again = read_with(&input("file.csv", file(header)), &later).unwrap();
            assert_eq!(again.recognition.entity, entity);
        }
    }
    // A column that only one kind has says it as well.
    let mut said = options();
    said.map = vec![(Field::ProductId, "id".to_owned())];
    let read = read_with(&input("file.csv", file("id,name")), &said).unwrap();
    assert_eq!(read.recognition.entity, Entity::Products);
}

#[test]
fn what_a_customer_spent_in_all_is_no_order() {
    for sum in [
        "total_spent",
        "Lifetime Value",
        "Account Balance",
        "Total Spend",
    ] {
        let text = format!(
            "id,email,name,created,{sum}\n1,a@x.de,Ann,2026-01-05,10.50\n2,b@x.de,Bob,2026-01-06,20.00\n"
        );
        let read = read("customers.csv", text).unwrap();
        assert_eq!(read.recognition.entity, Entity::Customers, "{sum}");
    }
}

#[test]
fn a_trait_with_thousands_is_a_number_or_a_question() {
    let header = "customer_id,email,Loyalty Points\n";
    let rows = "1,a@x.de,50\n2,b@x.de,\"1,200\"\n3,c@x.de,300\n";
    let message = refused("customers.csv", format!("{header}{rows}"));
    assert!(message.contains("`Loyalty Points`"), "{message}");
    assert!(message.contains("`1,200`"), "{message}");
    let mut said = options();
    said.decimal = Some(regulars_ingest::DecimalMark::Point);
    let answered = read_with(&input("customers.csv", format!("{header}{rows}")), &said).unwrap();
    // One that can be read in one way only decides for the column.
    let shown = read(
        "customers.csv",
        format!("{header}{rows}4,d@x.de,\"1,234,567\"\n"),
    )
    .unwrap();
    for read in [answered, shown] {
        let Batch::Customers(batch) = &read.batches[0] else {
            panic!("not customers");
        };
        let regulars_ingest::DeclaredValues::Number(points) = &batch.declared[0].values else {
            panic!("not numbers: {:?}", read.recognition.columns[2].role);
        };
        assert_eq!(points[..3], [Some(50.0), Some(1_200.0), Some(300.0)]);
    }
    // Texts beside them make it a text, and nothing to ask for.
    let mixed = format!("{header}{rows}4,d@x.de,none yet\n");
    let read = read("customers.csv", mixed).unwrap();
    let role = &read.recognition.columns[2].role;
    assert!(matches!(role, Role::Declared(..)), "{role:?}");
}
