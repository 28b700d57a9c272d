//! Files of refunds are told from files of orders.

use regulars_ingest::{Batch, Entity, Field, RefundBatch};

use crate::reading::{Read, input, options, read, read_with, refused};

fn entity(text: &str) -> Entity {
    read("file.csv", text).unwrap().recognition.entity
}

fn refunds<T>(read: &Read, each: impl Fn(&RefundBatch, usize) -> T) -> Vec<T> {
    let mut all = Vec::new();
    for batch in &read.batches {
        let Batch::Refunds(batch) = batch else {
            panic!("not a file of refunds");
        };
        all.extend((0..batch.line.len()).map(|row| each(batch, row)));
    }
    all
}

#[test]
fn refunds_are_known_by_their_headers() {
    for text in [
        "refund_id,order_id,customer_id,date,amount,product_id,quantity,reason\nr1,1,ann,2026-02-01,4.00,p1,1,late\n",
        "refund_id,order_id,date,amount\nr1,1,2026-02-01,4.00\n",
        "order_id,refunded_at,refund_amount\n1,2026-02-01,4.00\n",
        "Order ID,Order Date,Refund Date,Refund Amount\n1,2026-01-01,2026-02-01,4.00\n",
        // Shopify calls its orders by name.
        "Name,Refund: ID,Refund: Created At,Refund: Amount,Refund: Currency\n#1001,77,2026-02-01 10:00:00 +0100,4.00,EUR\n",
        "Erstattungsnummer;Bestellnummer;Erstattungsdatum;Erstattungsbetrag\n7;1;01.02.2026;4,00\n",
        "Numéro d'avoir;Numéro de commande;Date de remboursement;Montant remboursé\n7;1;31/01/2026;4,00\n",
        "Número de reembolso;Número de pedido;Fecha de reembolso;Importe reembolsado\n7;1;31/01/2026;4,00\n",
        "Retournummer;Bestelnummer;Terugbetaald op;Terugbetaald bedrag\n7;1;31-01-2026;4,00\n",
    ] {
        let read = read("file.csv", text).unwrap();
        assert_eq!(read.recognition.entity, Entity::Refunds, "{text}");
        let told = refunds(&read, |batch, row| {
            let at = batch.occurred_at[row].is_some();
            let order = !batch.order_id.get(row).is_empty();
            (
                at,
                order,
                batch.refunded.as_ref().and_then(|amounts| amounts[row]),
            )
        });
        assert_eq!(told, [(true, true, Some(400))], "{text}");
    }
    assert_eq!(
        entity(
            "{\"refund_id\": \"r1\", \"order_id\": 1, \"created_at\": \"2026-02-01\", \"amount\": 4}\n"
        ),
        Entity::Refunds
    );
}

#[test]
fn orders_that_speak_of_refunds_stay_orders() {
    for text in [
        "order_id,customer_id,date,total,refund_amount\n1,ann,2026-02-01,4.00,1.00\n",
        "order_id,customer_id,date,total,refunded_at,refund_amount\n1,ann,2026-02-01,4.00,,\n",
        "order_id,customer_id,date,unit_price,quantity,refunded\n1,ann,2026-02-01,4.00,1,\n",
        "order_id,customer_id,date,total,refund_id\n1,ann,2026-02-01,4.00,\n2,ann,2026-02-02,4.00,r1\n",
    ] {
        assert_eq!(entity(text), Entity::Orders, "{text}");
    }
}

#[test]
fn what_refunds_lack_is_named() {
    let no_order = refused(
        "refunds.csv",
        "refund_id,customer_id,date,amount\nr1,ann,2026-02-01,4.00\n",
    );
    assert!(no_order.contains("order_id"), "{no_order}");
    let no_amount = refused("refunds.csv", "refund_id,order_id,date\nr1,1,2026-02-01\n");
    assert!(no_amount.contains("no amount (`refunded`"), "{no_amount}");
}

#[test]
fn a_file_can_be_said_to_hold_refunds() {
    let file = input("file.csv", "order,when,amount\n1,2026-02-01,4.00\n");
    let mut said = options();
    said.entity = Some(Entity::Refunds);
    said.map = vec![(Field::OrderId, "order".to_owned())];
    let read = read_with(&file, &said).unwrap();
    assert_eq!(
        refunds(&read, |batch, row| batch.order_id.get(row).to_owned()),
        ["1"]
    );
    let mut mapped = options();
    mapped.map = vec![(Field::RefundId, "order".to_owned())];
    assert!(read_with(&file, &mapped).is_err());
}

#[test]
fn amounts_that_differ_within_a_refund_are_those_of_its_lines() {
    let header = "refund_id,order_id,date,product_id,quantity,amount,tax\n";
    let lines = "r1,1,2026-02-01,p1,1,11.90,1.90\nr1,1,2026-02-01,p2,1,5.95,0.95\n";
    let read_lines = read("file.csv", format!("{header}{lines}")).unwrap();
    let of_lines = refunds(&read_lines, |batch, row| {
        let at = |amounts: &Option<Vec<Option<i64>>>| amounts.as_ref().and_then(|a| a[row]);
        (
            at(&batch.refunded),
            at(&batch.line_refunded),
            at(&batch.line_tax),
        )
    });
    assert_eq!(
        of_lines,
        [(None, Some(1_190), Some(190)), (None, Some(595), Some(95))]
    );
    let whole = "r1,1,2026-02-01,p1,1,17.85,2.85\nr1,1,2026-02-01,p2,1,17.85,2.85\n";
    let read_whole = read("file.csv", format!("{header}{whole}")).unwrap();
    let of_whole = refunds(&read_whole, |batch, row| {
        batch.refunded.as_ref().and_then(|amounts| amounts[row])
    });
    assert_eq!(of_whole, [Some(1_785), Some(1_785)]);
}
