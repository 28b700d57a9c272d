//! From events to webhooks: they arrive, signed, once, in order, whatever happens between.

use std::sync::mpsc::channel;
use std::time::Duration;

use regulars_actions::signature::Secret;
use regulars_ingest::tracking::{Endpoint, Limits, read};
use regulars_pipeline::live::Sender;
use regulars_store::access::{Access, Role};
use serde_json::{Value, json};

use crate::receiver::{HANGS, Receiver};
use crate::shop::{MINUTE, Shop};

const DELIVERIES: &str = "/api/v1/deliveries";
const DESTINATIONS: &str = "/api/v1/destinations";

fn status(deliveries: &Value, index: usize) -> &Value {
    &deliveries["deliveries"][index]["status"]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_left_cart_and_its_order_arrive_as_signed_webhooks() {
    let shop = Shop::new();
    let mut receiver = Receiver::start(&[200]).await;
    let served = shop.serve().await;
    let wanted = json!({"url": receiver.url, "segments": ["left_carts"], "allow_http": true});
    let (made, added) = served.ask("POST", DESTINATIONS, Some(&wanted)).await;
    assert_eq!(made, 201, "{added}");
    let secret = Secret::parse(added["secret"].as_str().unwrap()).unwrap();

    served.send(shop.cart()).await;
    shop.at(120 * MINUTE + 700);
    let entered = receiver.next().await;
    assert_eq!(entered.verify(&secret, shop.now()), Ok(()));
    let body = entered.json();
    assert_eq!(body["type"], "segment.entered");
    assert_eq!(body["timestamp"], "2026-11-25T16:03:00Z");
    let data = &body["data"];
    assert_eq!(data["transition_id"], entered.id());
    assert_eq!(data["customer_id"], "c-17");
    assert_eq!(data["segment"], "left_carts");
    assert_eq!(data["cause"], json!({"type": "time"}));
    let why = data["why"].as_str().unwrap();
    assert!(why.starts_with("time went by: carts where"), "{why}");

    shop.at(122 * MINUTE + 300);
    served.send(shop.order(122 * MINUTE)).await;
    let left = receiver.next().await;
    assert_eq!(left.verify(&secret, shop.now()), Ok(()));
    let body = left.json();
    assert_eq!(body["type"], "segment.exited");
    assert_eq!(body["data"]["sequence"], 2);
    let why = body["data"]["why"].as_str().unwrap();
    assert!(why.starts_with("after Order Completed"), "{why}");

    let both = |list: &Value| status(list, 0) == "delivered" && status(list, 1) == "delivered";
    let listed = served.until(DELIVERIES, both).await;
    assert_eq!(listed["deliveries"][0]["transition_id"], entered.id());
    assert_eq!(listed["deliveries"][1]["customer_id"], "c-17");
    let (_, listed) = served.ask("GET", DESTINATIONS, None).await;
    assert!(!listed.to_string().contains("whsec_"), "{listed}");
    let (_, failed) = served
        .ask("GET", "/api/v1/deliveries?failed=true", None)
        .await;
    assert_eq!(failed["deliveries"], json!([]));
    assert_eq!(receiver.rest(), 0);
    metrics_tell(&served.metrics().await, added["id"].as_str().unwrap());
    served.stop().await;
}

/// After two events and two deliveries to `destination`.
fn metrics_tell(metrics: &str, destination: &str) {
    let of = format!("{{destination=\"{destination}\"}}");
    for line in [
        "regulars_events_stored_total 2",
        "regulars_tracking_seconds_count 2",
        "regulars_deliveries_delivered_total 2",
        "regulars_deliveries_failed_total 0",
        "regulars_delivery_seconds_bucket{le=\"+Inf\"} 2",
        &format!("regulars_deliveries_pending{of} 0"),
        &format!("regulars_destination_held{of} 0"),
        &format!("regulars_destination_disabled{of} 0"),
    ] {
        assert!(metrics.lines().any(|it| it == line), "{line} in {metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_before_a_kill_is_delivered_once_after_it() {
    let shop = Shop::new();
    let mut receiver = Receiver::start(&[200]).await;
    // The first start of a workspace finds nobody.
    shop.serve().await.stop().await;
    let (_, secret) = shop.add(&receiver.url);

    // Found and on disk, and nobody sends it.
    let (live, delivery, _) = shop.live();
    let body = json!({"batch": [shop.cart()]}).to_string();
    let events = read(
        Endpoint::Batch,
        body.as_bytes(),
        shop.now(),
        &Limits::default(),
    );
    let events = events
        .unwrap()
        .events
        .into_iter()
        .map(|event| event.into_owned());
    let (tell, told) = channel();
    live.append(
        events.collect(),
        Sender::SHOP,
        shop.now(),
        Box::new(move |answer| tell.send(answer).unwrap()),
    );
    told.recv_timeout(Duration::from_secs(20)).unwrap().unwrap();
    shop.at(121 * MINUTE);
    let found = || {
        let (tell, told) = channel();
        live.with_store(move |store| {
            let mut found = store.logged(0).map(|entry| entry.unwrap().1);
            let any = found.any(|record| {
                matches!(record, regulars_store::log::Logged::Found(found) if !found.transitions.is_empty())
            });
            tell.send(any).unwrap();
        });
        told.recv().unwrap()
    };
    while !found() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(live);
    drop(delivery);
    assert_eq!(receiver.rest(), 0);

    let served = shop.serve().await;
    let entered = receiver.next().await;
    assert_eq!(entered.verify(&secret, shop.now()), Ok(()));
    assert_eq!(entered.json()["type"], "segment.entered");
    served
        .until(DELIVERIES, |list| status(list, 0) == "delivered")
        .await;
    served.stop().await;

    // What is marked as delivered is not sent again: the next to come is the next move.
    let served = shop.serve().await;
    let (_, list) = served.ask("GET", DELIVERIES, None).await;
    assert_eq!(status(&list, 0), "delivered");
    assert_eq!(list["deliveries"][0]["transition_id"], entered.id());
    shop.at(122 * MINUTE);
    served.send(shop.order(122 * MINUTE)).await;
    assert_eq!(receiver.next().await.json()["type"], "segment.exited");
    assert_eq!(receiver.rest(), 0);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_comes_again_with_the_same_id() {
    let shop = Shop::new();
    let mut receiver = Receiver::start(&[500, 200]).await;
    let (_, secret) = shop.add(&receiver.url);
    let served = shop.serve().await;
    served.send(shop.cart()).await;
    shop.at(121 * MINUTE);
    let first = receiver.next().await;
    let failed = "/api/v1/deliveries?failed=true";
    let waits = |list: &Value| list["deliveries"][0]["attempts"] == 1;
    let list = served.until(failed, waits).await;
    assert_eq!(
        list["deliveries"][0]["last_error"],
        json!({"type": "refused", "status": 500})
    );
    shop.at(121 * MINUTE + 5_000);
    let second = receiver.next().await;
    assert_eq!((first.id(), &first.body), (second.id(), &second.body));
    assert_eq!(second.verify(&secret, shop.now()), Ok(()));
    let list = served
        .until(DELIVERIES, |list| status(list, 0) == "delivered")
        .await;
    assert_eq!(list["deliveries"][0]["attempts"], 2);
    let id = list["deliveries"][0]["id"].as_str().unwrap();
    let path = format!("{DELIVERIES}/{id}/attempts");
    let (_, answer) = served.ask("GET", &path, None).await;
    let told = |of: &Value| {
        ["number", "result", "answered", "error", "next_at"].map(|key| of[key].clone())
    };
    let attempts = answer["attempts"].as_array().unwrap();
    let again = attempts[0]["next_at"].clone();
    // Without the `Z`, texts are in the order of their times.
    let instant = |of: &Value| {
        of.as_str()
            .map(|text| text.trim_end_matches('Z').to_owned())
    };
    assert!(
        instant(&again) > instant(&attempts[0]["ended_at"]),
        "{answer}"
    );
    let refused = json!({"type": "refused", "status": 500});
    let expected = [
        [json!(1), json!("failed"), Value::Null, refused, again],
        [
            json!(2),
            json!("delivered"),
            json!(200),
            Value::Null,
            Value::Null,
        ],
    ];
    assert_eq!(attempts.iter().map(told).collect::<Vec<_>>(), expected);
    assert!(attempts[1]["took_ms"].as_i64().unwrap() >= 0, "{answer}");
    let (status, _) = served
        .ask("GET", &format!("{DELIVERIES}/none/attempts"), None)
        .await;
    assert_eq!(status, 404);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_gets_nothing_until_somebody_enables_it() {
    let shop = Shop::new();
    let mut receiver = Receiver::start(&[410, 200]).await;
    let (id, _) = shop.add(&receiver.url);
    let served = shop.serve().await;
    served.send(shop.cart()).await;
    shop.at(121 * MINUTE);
    let first = receiver.next().await;
    served
        .until(DELIVERIES, |list| status(list, 0) == "dead")
        .await;
    shop.at(122 * MINUTE);
    served.send(shop.order(122 * MINUTE)).await;
    served
        .until(DELIVERIES, |list| status(list, 1) == "pending")
        .await;
    served.stop().await;

    let served = shop.serve().await;
    let (_, list) = served.ask("GET", DESTINATIONS, None).await;
    assert_eq!(list["destinations"][0]["enabled"], false);
    assert_eq!(receiver.rest(), 0);
    let (done, _) = served
        .ask("POST", &format!("{DESTINATIONS}/{id}/enable"), None)
        .await;
    assert_eq!(done, 204);
    assert_eq!(receiver.next().await.json()["type"], "segment.exited");
    let replay = format!("{DELIVERIES}/{id}.{}/replay", first.id());
    let (done, answer) = served.ask("POST", &replay, None).await;
    assert_eq!(done, 200, "{answer}");
    assert_eq!(receiver.next().await.id(), first.id());
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_hangs_delays_no_other() {
    let shop = Shop::new();
    let mut hangs = Receiver::start(&[HANGS]).await;
    let mut answers = Receiver::start(&[200]).await;
    shop.add(&hangs.url);
    shop.add(&answers.url);
    let served = shop.serve().await;
    served.send(shop.cart()).await;
    shop.at(121 * MINUTE);
    hangs.next().await;
    assert_eq!(answers.next().await.json()["type"], "segment.entered");
    shop.at(122 * MINUTE);
    served.send(shop.order(122 * MINUTE)).await;
    assert_eq!(answers.next().await.json()["type"], "segment.exited");
    assert_eq!(hangs.rest(), 0, "one at a time for each customer");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn destinations_are_for_admins_and_what_changes_in_the_file_is_taken_up() {
    let shop = Shop::new();
    let mut access = Access::load(&shop.workspace.data_dir()).unwrap();
    let analyst = access.grant(Role::Analyst, "", shop.now()).unwrap().secret;
    let served = shop.serve().await;
    let wanted = json!({"url": "https://example.com/hook?token=quiet"});
    let (refused, _) = served
        .ask_as(&analyst, "POST", DESTINATIONS, Some(&wanted))
        .await;
    assert_eq!(refused, 403);
    let (refused, _) = served.ask_as("rat_0", "GET", DESTINATIONS, None).await;
    assert_eq!(refused, 401);
    let (made, added) = served.ask("POST", DESTINATIONS, Some(&wanted)).await;
    assert_eq!(made, 201);
    let (_, list) = served.ask_as(&analyst, "GET", DESTINATIONS, None).await;
    assert!(!list.to_string().contains("quiet"), "{list}");
    let private = json!({"url": "https://10.0.0.1/"});
    let (refused, problem) = served.ask("POST", DESTINATIONS, Some(&private)).await;
    assert_eq!(refused, 400, "{problem}");

    let id = added["id"].as_str().unwrap();
    let (done, rotated) = served
        .ask("POST", &format!("{DESTINATIONS}/{id}/rotate"), None)
        .await;
    assert_eq!(done, 200, "{rotated}");
    assert_ne!(rotated["secret"], added["secret"]);

    regulars_pipeline::deliver::remove(&shop.workspace.data_dir(), id).unwrap();
    let none = |list: &Value| list["destinations"] == json!([]);
    served.until(DESTINATIONS, none).await;
    let (gone, _) = served
        .ask("DELETE", &format!("{DESTINATIONS}/{id}"), None)
        .await;
    assert_eq!(gone, 404);

    served.stop().await;
}
