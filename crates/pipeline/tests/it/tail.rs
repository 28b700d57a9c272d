//! A start after a kill, with records in the log that nothing was found of yet.

use regulars_core::Timestamp;
use regulars_pipeline::Silent;
use regulars_pipeline::live::{Engine, StartOptions};
use regulars_store::Frame;
use serde_json::{Value, json};

use crate::equivalence::{
    HOUR, RULES, START, absolute, append, check_transitions, of_batch, of_live, start,
};
use crate::pieces::{copy, logged};
use crate::scratch::Scratch;

const LATER: i64 = START + 5 * HOUR;
const CUSTOMERS: usize = 8;
/// Of whom something goes back after the kill, by a file; of the second something did before.
const RETURNS: &str = "refund_id,order_id,customer_id,date,amount\n\
                       r-0,o-0,c-0,2026-12-24,3.00\nr-1,o-1,c-1,2026-11-21,4.00\n";

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    std::fs::write(scratch.workspace.segments_dir().join("own.toml"), RULES).unwrap();
    let mut orders = "order_id,customer_id,date,total\n".to_owned();
    for n in 0..CUSTOMERS {
        orders.push_str(&format!("o-{n},c-{n},2026-11-20,2{n}.00\n"));
    }
    let orders = scratch.file("orders.csv", &orders);
    let refunds = scratch.file("refunds.csv", RETURNS);
    scratch.import(&[orders, refunds]);
    scratch
}

/// Calls of every customer: what they look at, what they put into their cart and order.
fn calls(at: i64) -> Vec<Value> {
    let of = |customer: usize, (n, name): (i64, &str)| {
        json!({
            "type": "track", "userId": format!("c-{customer}"), "event": name,
            "messageId": format!("{name} {customer} {at}"),
            "timestamp": Timestamp(at + n).to_string(),
            "properties": {
                "order_id": format!("o-{customer}-{at}"), "cart_id": "k", "total": 30,
                "product_id": "p", "price": 30, "category": "Coats",
            },
        })
    };
    let names = ["Product Viewed", "Product Added", "Order Completed"];
    let all = (0..CUSTOMERS).flat_map(|who| (0..).zip(names).map(move |what| (who, what)));
    all.map(|(customer, what)| of(customer, what)).collect()
}

/// The workspace before some events, and the same with those in its log, of which nothing was found.
fn killed(scratch: &Scratch) -> Scratch {
    let live = start(scratch, START, u64::MAX);
    append(&live, &calls(START), START);
    let stopped = live.stop().unwrap().unwrap();
    let from = stopped.store.next_offset();
    drop(stopped);
    let killed = copy(scratch);
    let live = start(scratch, LATER, u64::MAX);
    for hour in 1..4 {
        let at = START + hour * HOUR;
        append(&live, &calls(at), at);
    }
    live.stop().unwrap();
    let mut frame = Frame::default();
    let (events, _) = logged(scratch, from);
    events.iter().for_each(|event| frame.event(event));
    killed.workspace.open().unwrap().append(&frame).unwrap();
    killed
}

#[test]
fn orders_of_the_tail_are_put_in_their_places() {
    let scratch = scratch();
    let killed = killed(&scratch);
    let batch = of_batch(&killed, LATER);
    let mut store = killed.workspace.open().unwrap();
    let options = StartOptions {
        now: Timestamp(LATER),
        threads: 1,
    };
    let engine = Engine::start(&killed.workspace, &mut store, options, &Silent).unwrap();
    // What goes back of the first customer later may be of any of their orders.
    assert_eq!(engine.refolds(), 1);
    drop((engine, store));
    let live = start(&killed, LATER, u64::MAX);
    let told = of_live(&live);
    assert_eq!(absolute(&told), absolute(&batch));
    live.stop().unwrap();
    check_transitions(&killed, &told, "after the kill");
}
