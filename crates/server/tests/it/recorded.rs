//! What was recorded of memberships, in memory and in files, before and after moves and restarts.

use serde_json::{Value, json};

use crate::shop::{MINUTE, Served, Shop};

const HOUR: i64 = 60 * MINUTE;

fn shop() -> Shop {
    let shop = Shop::new();
    let rule = "[[segment]]\nname = \"searching\"\n\
                rule = \"events 'Products Searched' in last 1 hours >= 1\"\n";
    std::fs::write(shop.workspace.segments_dir().join("searching.toml"), rule).unwrap();
    shop
}

async fn get(served: &Served, path: &str) -> Value {
    let (status, answer) = served.ask("GET", path, None).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

/// All of a list, a page of two at a time.
async fn paged(served: &Served, path: &str, list: &str) -> Vec<Value> {
    let (mut all, mut before) = (Vec::new(), String::new());
    loop {
        let page = get(served, &format!("{path}limit=2{before}")).await;
        let items = page[list].as_array().unwrap();
        assert!(items.len() <= 2, "{page}");
        all.extend(items.iter().cloned());
        match page["next"].as_str() {
            Some(next) => before = format!("&before={next}"),
            None => return all,
        }
    }
}

/// Every third hour, from the second on, somebody searches, and an hour later they do no more.
async fn hours(shop: &Shop, served: &Served, hours: std::ops::Range<i64>) {
    for hour in hours {
        let at = (3 * hour + 2) * HOUR + 5;
        shop.at(at);
        served
            .send(shop.search(&format!("c-{}", hour % 2), at))
            .await;
        shop.at(at + HOUR + 1);
        let path = "/api/v1/transitions?segment=searching&limit=1";
        let gone = |list: &Value| list["transitions"][0]["direction"] == "exited";
        served.until(path, gone).await;
    }
}

async fn check(served: &Served, hours: i64) {
    let all = paged(
        served,
        "/api/v1/transitions?segment=searching&",
        "transitions",
    )
    .await;
    assert_eq!(all.len() as i64, 2 * hours);
    let whole = get(served, "/api/v1/transitions?segment=searching&limit=10000").await;
    assert_eq!(whole["transitions"], json!(all));
    let path = "/api/v1/customers/c-1/memberships?segment=searching&";
    let stays = paged(served, path, "memberships").await;
    assert_eq!(stays.len() as i64, hours / 2);
    for (number, stay) in stays.iter().enumerate() {
        let of_customer = |of: &&Value| of["customer_id"] == "c-1";
        let moves: Vec<&Value> = all.iter().filter(of_customer).collect();
        let (left, entered) = (moves[2 * number], moves[2 * number + 1]);
        let expected = json!({
            "customer_id": "c-1",
            "segment": "searching",
            "entered_at": entered["occurred_at"],
            "left_at": left["occurred_at"],
            "entered": part(entered),
            "left": part(left),
        });
        assert_eq!(*stay, expected);
    }
    let path = "/api/v1/segments/searching/history?by=hour&since=2026-11-25T15:00:00Z";
    let history = get(served, path).await;
    let moved = history["intervals"].as_array().unwrap().iter();
    let moved = moved.filter(|of| of["entered"] != 0 || of["left"] != 0);
    let moved: Vec<(&Value, &Value, &Value, &Value)> = moved
        .map(|of| (&of["start"], &of["entered"], &of["left"], &of["members"]))
        .collect();
    assert_eq!(moved.len() as i64, 2 * hours, "{history:#}");
    let (one, none) = (&json!(1), &json!(0));
    assert_eq!(moved[0], (&json!("2026-11-25T16:00:00Z"), one, none, one));
    assert_eq!(moved[1], (&json!("2026-11-25T17:00:00Z"), none, one, none));
}

fn part(transition: &Value) -> Value {
    let names = ["id", "version", "sequence", "recorded_at", "cause"];
    names
        .iter()
        .map(|&name| (name.to_owned(), transition[name].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_was_recorded_is_there_whatever_is_in_memory() {
    let shop = shop();
    let served = shop.serve().await;
    hours(&shop, &served, 0..6).await;
    check(&served, 6).await;
    // A stop moves the log to files.
    served.stop().await;
    let served = shop.serve().await;
    check(&served, 6).await;
    hours(&shop, &served, 6..10).await;
    check(&served, 10).await;
    let (status, answer) = served
        .ask("GET", "/api/v1/segments/none/history", None)
        .await;
    assert_eq!((status, &answer["code"]), (404, &json!("not_found")));
    for query in [
        "by=week",
        "since=now",
        "by=hour&since=2020-01-01T00:00:00Z",
        "since=2030-01-01T00:00:00Z",
    ] {
        let path = format!("/api/v1/segments/searching/history?{query}");
        let (status, answer) = served.ask("GET", &path, None).await;
        assert_eq!(status, 400, "{query}: {answer}");
    }
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_in_a_segment_before_anything_was_recorded_has_no_beginning() {
    let shop = shop();
    std::fs::remove_file(shop.workspace.segments_dir().join("searching.toml")).unwrap();
    let served = shop.serve().await;
    served.send(shop.search("c-1", 0)).await;
    let view = get(&served, "/api/v1/customers/c-1").await;
    let stays = get(&served, "/api/v1/customers/c-1/memberships").await;
    let inside = view["segments"].as_array().unwrap();
    let mut from_view: Vec<(&Value, &Value)> = inside
        .iter()
        .map(|of| (&of["segment"], &of["since"]))
        .collect();
    let stays = stays["memberships"].as_array().unwrap();
    let mut from_stays: Vec<(&Value, &Value)> = stays
        .iter()
        .map(|of| (&of["segment"], &of["entered_at"]))
        .collect();
    from_view.sort_by_key(|(segment, _)| segment.as_str());
    from_stays.sort_by_key(|(segment, _)| segment.as_str());
    assert!(!from_view.is_empty());
    assert_eq!(from_view, from_stays);
    served.stop().await;
}
