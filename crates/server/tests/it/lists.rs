//! Lists of customers: members of a segment, and searches, page by page.

use serde_json::{Value, json};

use crate::shop::{Served, Shop};

fn shop() -> Shop {
    let shop = Shop::new();
    let rule = "[[segment]]\nname = \"searchers\"\nrule = \"events 'Products Searched' >= 1\"\n";
    std::fs::write(shop.workspace.segments_dir().join("searchers.toml"), rule).unwrap();
    shop
}

/// The names of a list, a few at a time.
async fn names(served: &Served, path: &str) -> Vec<String> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let (status, page) = served
            .ask("GET", &format!("{path}limit=3{after}"), None)
            .await;
        assert_eq!(status, 200, "{path}: {page}");
        let items = page["customers"].as_array().unwrap();
        assert!(items.len() <= 3, "{page}");
        let name = |of: &Value| {
            of.as_str()
                .or_else(|| of["customer_id"].as_str())
                .map(str::to_owned)
        };
        all.extend(items.iter().map(|of| name(of).unwrap()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return all,
        }
    }
}

/// A guest, whom nothing but an e-mail names.
fn guest(email: &str) -> Value {
    json!({
        "type": "identify",
        "anonymousId": "device-1",
        "messageId": format!("identify {email}"),
        "traits": {"email": email, "plan": "pro"},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn members_and_searches_come_sorted_page_by_page() {
    let shop = shop();
    let served = shop.serve().await;
    // In no order.
    for number in [7, 3, 11, 2, 5] {
        served.send(shop.search(&format!("c-{number}"), 0)).await;
    }
    served.send(guest("eva@example.com")).await;
    let searchers = ["c-11", "c-2", "c-3", "c-5", "c-7"];
    let members = "/api/v1/segments/searchers/members?";
    assert_eq!(names(&served, members).await, searchers);
    // Who comes later is there as well.
    served.send(shop.search("c-20", 0)).await;
    assert_eq!(names(&served, members).await.len(), 6);
    let found: [(&str, &[&str]); 9] = [
        (
            "",
            &[
                "c-11",
                "c-2",
                "c-20",
                "c-3",
                "c-5",
                "c-7",
                "eva@example.com",
            ],
        ),
        ("q=c-2&", &["c-2", "c-20"]),
        ("q=%20c-2%20&", &["c-2", "c-20"]),
        ("segment=searchers&q=d&", &[]),
        (
            "where=events%20'Products%20Searched'%20%3C%201&",
            &["eva@example.com"],
        ),
        ("segment=searchers&where=orders%20%3D%200&q=c-1&", &["c-11"]),
        ("q=EVA@example.com&", &["eva@example.com"]),
        ("q=eva@&", &[]),
        ("q=EVA@example.com&segment=searchers&", &[]),
    ];
    for (query, expected) in found {
        let path = format!("/api/v1/customers?{query}");
        assert_eq!(names(&served, &path).await, expected, "{query}");
    }
    let (_, page) = served.ask("GET", "/api/v1/customers?q=c-11", None).await;
    let segments = page["customers"][0]["segments"].to_string();
    assert!(segments.contains("searchers"), "{page}");
    let wrong = [
        ("/api/v1/customers?segment=none", 404, "not_found"),
        ("/api/v1/customers?where=orderz", 400, "bad_rule"),
        ("/api/v1/customers?after=c-1", 400, "bad_cursor"),
        ("/api/v1/customers?name=eva", 400, "bad_query"),
        (
            "/api/v1/segments/searchers/members?after=x",
            400,
            "bad_cursor",
        ),
    ];
    for (path, status, code) in wrong {
        let (found, answer) = served.ask("GET", path, None).await;
        assert_eq!((found, &answer["code"]), (status, &json!(code)), "{path}");
    }
    served.stop().await;
    // The names of a vault that was read again.
    let served = shop.serve().await;
    assert_eq!(names(&served, members).await.len(), 6);
    served.stop().await;
}
