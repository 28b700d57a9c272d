use regulars_core::CivilDate;
use regulars_store::tables::{AdSpendRow, ProductRow};

use crate::sample::{create, open, record};

fn product(number: usize) -> ProductRow {
    ProductRow {
        product: format!("P{number:03}"),
        name: number
            .is_multiple_of(2)
            .then(|| format!("Product {number}")),
        category: Some("Shoes".to_owned()),
        brand: None,
        cost_minor: number.is_multiple_of(3).then_some(number as i64),
        price_minor: Some(999),
    }
}

#[test]
fn tables_are_replaced_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let mut store = create(&path);
    assert!(store.products().unwrap().is_empty() && store.ad_spend().unwrap().is_empty());
    let spend: Vec<_> = (0..20)
        .map(|day| AdSpendRow {
            date: CivilDate(day),
            channel: "search".to_owned(),
            campaign: (day % 2 == 0).then(|| "spring".to_owned()),
            spend_minor: i64::from(day) * 100,
            impressions: None,
            clicks: Some(i64::from(day)),
        })
        .collect();
    let mut transaction = store.begin().unwrap();
    transaction
        .save_products((0..50).rev().map(product).collect())
        .unwrap();
    transaction.save_ad_spend(spend.clone()).unwrap();
    transaction.commit(record(0)).unwrap();
    assert_eq!(
        store.products().unwrap(),
        (0..50).map(product).collect::<Vec<_>>(),
        "sorted"
    );
    let mut transaction = store.begin().unwrap();
    transaction
        .save_products((7..9).map(product).collect())
        .unwrap();
    assert_eq!(transaction.products().unwrap().len(), 50);
    transaction.commit(record(0)).unwrap();
    drop(store);
    let store = open(&path);
    assert_eq!(store.products().unwrap(), [product(7), product(8)]);
    assert_eq!(store.ad_spend().unwrap(), spend);
    assert_eq!(std::fs::read_dir(path.join("tables")).unwrap().count(), 2);
}
