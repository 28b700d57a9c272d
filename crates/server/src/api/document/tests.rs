use std::path::Path;

use super::*;

#[test]
fn the_committed_description_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let made = format!("{:#}\n", openapi());
    if std::env::var_os("REGULARS_WRITE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(
        committed == made,
        "docs/openapi.json is not what the server says: \
         REGULARS_WRITE_DOCS=1 cargo test -p regulars-server writes it"
    );
}

#[test]
fn every_reference_leads_somewhere_and_every_name_is_used_once() {
    let document = openapi();
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    let mut ids: Vec<&str> = OPERATIONS.iter().map(|operation| operation.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), OPERATIONS.len());
    for operation in &OPERATIONS {
        for part in operation.path.split('{').skip(1) {
            let name = part.split('}').next().unwrap();
            assert!(IN_PATHS.iter().any(|known| known.name == name), "{name}");
        }
    }
}
