//! Files that cannot be imported say what they are and what to do.

use crate::scratch::Scratch;

#[test]
fn each_wrong_file_has_a_clear_message() {
    let scratch = Scratch::new();
    let empty = scratch.file("empty.csv", "");
    let header = scratch.file("header.csv", "order_id,customer_id,date,total\n");
    let prose = scratch.file("prose.csv", "it was,a dark\nand stormy,night\n");
    let picture = scratch.file("picture.csv", "\u{89}PNG\r\n\u{1a}\n");
    let directory = scratch.path().join("directory");
    std::fs::create_dir(&directory).unwrap();
    let missing = scratch.path().join("missing.csv");
    for (path, expected) in [
        (empty, "is empty"),
        (header, "no rows"),
        (prose, "cannot be read as"),
        (picture, "picture.csv"),
        (directory, "is a directory"),
        (missing, "missing.csv"),
    ] {
        let error = scratch
            .try_import(std::slice::from_ref(&path))
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{}: {error}", path.display());
    }
}

#[test]
fn no_personal_data_is_readable_on_disk() {
    let scratch = Scratch::new();
    let customers = "customer_id,email,first_name,last_name,phone,street,country\nc-1,ann.teller@example.com,Annabel,Tellermann,+999 123456,Quarry Lane 9,DE\n";
    let orders = "order_id,customer_id,email,date,total\n1,c-1,ann.teller@example.com,2026-01-05,10.00\n2,,guest.person@example.org,2026-01-06,11.00\n";
    scratch.import(&[
        scratch.file("customers.csv", customers),
        scratch.file("orders.csv", orders),
    ]);
    let needles = [
        "ann.teller",
        "guest.person",
        "Annabel",
        "Tellermann",
        "123456",
        "Quarry",
    ];
    let mut files = vec![scratch.workspace.root().join("data")];
    let mut seen = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(
                std::fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        seen += 1;
        let bytes = std::fs::read(&path).unwrap();
        for needle in needles {
            let found = bytes
                .windows(needle.len())
                .any(|window| window == needle.as_bytes());
            assert!(!found, "`{needle}` is readable in {}", path.display());
        }
    }
    assert!(seen > 5);
}
