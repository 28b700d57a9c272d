//! Personal data that no header announces is sealed, and nothing of it is kept with rejects.

use regulars_ingest::{Batch, Role};

use crate::reading::{input, options, read, read_with};

const CUSTOMERS: &str = "customer_id,Tier,Betreuung,Rückruf,Hinweise intern\n\
    1,gold,Ann Teller,+49 30 1234567,calls back in May\n\
    2,gold,Bob van Dyk,030/7654321,\n\
    3,basic,Cyd Carlisle,,likes blue shoes\n";

#[test]
fn columns_that_look_personal_are_sealed_unless_said_otherwise() {
    let sealed = read("customers.csv", CUSTOMERS).unwrap();
    let Batch::Customers(batch) = &sealed.batches[0] else {
        panic!("not customers");
    };
    let personal: Vec<_> = batch
        .personal
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(personal, ["betreuung", "rückruf", "hinweise_intern"]);
    assert_eq!(batch.declared.len(), 1);
    assert!(
        sealed.recognition.notes[0].contains("--map 'trait:betreuung=Betreuung'"),
        "{:?}",
        sealed.recognition.notes
    );
    let mut said = options();
    said.traits = vec![("advisor".to_owned(), "Betreuung".to_owned())];
    let opened = read_with(&input("customers.csv", CUSTOMERS), &said).unwrap();
    let role = &opened.recognition.columns[2].role;
    assert!(
        matches!(role, Role::Declared(name, _) if name == "advisor"),
        "{role:?}"
    );
}

#[test]
fn rejects_show_no_text_that_stands_in_a_wrong_column() {
    let shifted = "order_id,customer_id,date,status,total\n\
        1,c1,2026-01-05,paid,10.00\n\
        2,c2,Ann Teller,2026-01-05,paid\n\
        3,c3,2026-01-05,Ann Teller,10.00\n\
        4,c4,2026-02-30,paid,10.00\n\
        5,c5,2026-01-05,teleported,10.00\n\
        6,c6,2026-01-05,teleported,10.00\n\
        7,c7,2026-01-05,teleported,10.00\n";
    let rejected = read("orders.csv", shifted).unwrap().rejected();
    let values: Vec<_> = rejected
        .iter()
        .map(|reject| reject.value.as_str())
        .collect();
    assert_eq!(
        values,
        [
            "***",
            "***",
            "2026-02-30",
            "teleported",
            "teleported",
            "teleported"
        ]
    );
}
