//! A dry run says what the import would say, and changes nothing.

use regulars_pipeline::RejectTally;

use crate::scratch::Scratch;

const HEADER: &str = "order_id,customer_id,email,date,total\n";

#[test]
fn rejects_are_found_to_the_end_of_the_file_and_counted_by_reason() {
    let scratch = Scratch::new();
    let good = (0..300).map(|n| format!("{n},ann,,2026-01-05,10.00\n"));
    let bad = (300..309).map(|n| format!("{n},ann,,2026-01-05,ten\n"));
    let others = [
        "400,ann,,nonsense,10.00\n",
        // No customer anywhere, and one that a later row of the order names.
        "401,,,2026-01-05,10.00\n",
        "402,,,2026-01-05,10.00\n",
        "402,bob,,2026-01-05,10.00\n",
        "402,,,2026-01-05,10.00\n",
        "403,ann,,2062-01-06,10.00\n",
    ];
    let rows: String = good.chain(bad).chain(others.map(str::to_owned)).collect();
    let file = scratch.file("orders.csv", &format!("{HEADER}{rows}"));
    let dry = scratch.dry_run(std::slice::from_ref(&file)).unwrap();
    let found = &dry.files[0];
    assert_eq!((found.rows, found.rejected), (315, 10));
    assert_eq!(
        found.rejects[0],
        RejectTally {
            column: "total".to_owned(),
            reason: "not a number".to_owned(),
            rows: 9,
            lines: vec![302, 303, 304, 305, 306],
        }
    );
    assert_eq!(found.rejects[1].column, "date");
    assert_eq!(found.rows_without_customer, 1);
    assert_eq!((found.future_rows, found.first_future_line), (1, Some(316)));
    assert_eq!((dry.stops(), dry.rejected()), (None, 10));
    assert_eq!(found.recognition.samples.len(), 10);
    assert!(!scratch.workspace.rejects_dir().exists());
    // The import says the same.
    let report = scratch.import(std::slice::from_ref(&file));
    assert_eq!(report.rejected(), 10);
    assert_eq!(report.intake.rows_without_customer, 1);
    assert_eq!(report.files[0].first_future_line, Some(316));
    assert!(scratch.dry_run(&[file]).unwrap().files[0].skipped);
}

#[test]
fn what_would_stop_the_import_is_said() {
    let scratch = Scratch::new();
    let many = format!("{HEADER}1,ann,,2026-01-05,ten\n2,ann,,2026-01-05,1.00\n");
    let unclear = format!("{HEADER}1,ann,,01/02/2026,1.00\n");
    let currency = "order_id,customer_id,date,currency,total\n1,ann,2026-01-05,JPY,10\n";
    let far = (0..6_000).map(|n| format!("{n},ann,,{:02}/01/2026,1.00\n", n % 28 + 1));
    let far: String = far
        .chain(["7000,ann,,01/31/2026,1.00\n".to_owned()])
        .collect();
    for (text, expected) in [
        (many, "1 of 2 rows of `"),
        (unclear, "--date-order dmy"),
        (currency.to_owned(), "amounts in JPY"),
        (format!("{HEADER}{far}"), "line 6002"),
    ] {
        let file = scratch.file("orders.csv", &text);
        let dry = scratch.dry_run(std::slice::from_ref(&file)).unwrap();
        let stops = dry.stops().unwrap_or_default();
        assert!(stops.contains(expected), "{stops}");
        assert!(scratch.try_import(&[file]).is_err());
    }
}
