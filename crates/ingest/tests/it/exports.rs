//! Samples of known exports: which column is read as what, and the first row.

use regulars_ingest::{Input, recognise};

use crate::reading::options;

#[test]
fn known_exports_are_recognised() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut text = String::new();
    for name in [
        "cdnow.txt",
        "uci_online_retail.csv",
        "shopify_orders.csv",
        "woocommerce_orders.csv",
        "woocommerce_flat.csv",
        "german_orders.csv",
        "orders.ndjson",
        "customers.csv",
        "products.csv",
        "ad_spend.csv",
    ] {
        let found = recognise(Input::Path(directory.join(name)), &options()).unwrap();
        text += &format!("{name}: {} ({:?})\n", found.entity.plural(), found.source);
        for (field, column) in found.mapping() {
            text += &format!("  {field} = {column}\n");
        }
        for (what, value) in &found.samples[0].typed {
            text += &format!("    {what}: {value}\n");
        }
        for question in &found.questions {
            text += &format!("  ? {question}\n");
        }
        assert!(found.unused_map.is_empty());
    }
    insta::assert_snapshot!(text);
}
