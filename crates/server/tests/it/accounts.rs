//! Accounts over the API: lists in pages, one as a whole, who belongs to it.

use serde_json::{Value, json};

use crate::shop::Shop;

fn group(user: &str, account: &str, traits: &Value) -> Value {
    json!({
        "type": "group", "userId": user, "groupId": account, "traits": traits,
        "messageId": format!("{user} {account}"),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_listed_and_shown_with_what_their_customers_come_to() {
    let shop = Shop::new();
    let served = shop.serve().await;
    for (user, account, traits) in [
        (
            "u-1",
            "a/1",
            json!({"plan": "pro", "renewed": "2026-01-05"}),
        ),
        ("u-2", "a/1", json!({"seats": 3})),
        ("u-3", "b", json!({})),
    ] {
        served.send(group(user, account, &traits)).await;
    }
    let order = json!({
        "type": "track", "userId": "u-2", "event": "Order Completed", "messageId": "o",
        "properties": {"order_id": "o-1", "total": 12.5},
    });
    served.send(order).await;
    let (status, account) = served.ask("GET", "/api/v1/accounts/a%2F1", None).await;
    assert_eq!(status, 200, "{account}");
    assert_eq!(account["account"], "a/1");
    let figures = ["customers", "active_customers", "orders", "revenue_minor"];
    assert_eq!(
        figures.map(|name| account[name].as_i64()),
        [2, 1, 1, 1250].map(Some)
    );
    assert_eq!(account["last_order_at"], account["last_activity_at"]);
    assert_eq!(
        (&account["traits"]["plan"], &account["traits"]["seats"]),
        (&json!("pro"), &json!(3))
    );
    assert_eq!(account["traits"]["renewed"], "2026-01-05T00:00:00Z");
    // Pages follow each other.
    let (_, first) = served.ask("GET", "/api/v1/accounts?limit=1", None).await;
    assert_eq!(
        (&first["accounts"][0]["account"], &first["next"]),
        (&json!("a/1"), &json!("a/1"))
    );
    let (_, second) = served
        .ask("GET", "/api/v1/accounts?limit=1&after=a%2F1", None)
        .await;
    assert_eq!(
        (&second["accounts"][0]["account"], &second["next"]),
        (&json!("b"), &Value::Null)
    );
    assert_eq!(second["accounts"][0]["last_activity_at"], Value::Null);
    let path = "/api/v1/accounts/a%2F1/customers";
    let (_, customers) = served.ask("GET", path, None).await;
    assert_eq!(
        customers,
        json!({"customers": ["u-1", "u-2"], "next": null})
    );
    let first = format!("{path}?limit=1");
    let (_, first) = served.ask("GET", &first, None).await;
    assert_eq!(first, json!({"customers": ["u-1"], "next": "c:u-1"}));
    let second = format!("{path}?limit=1&after=c:u-1");
    let (_, second) = served.ask("GET", &second, None).await;
    assert_eq!(second, json!({"customers": ["u-2"], "next": null}));
    let wrong = format!("{path}?after=u-1");
    let (status, problem) = served.ask("GET", &wrong, None).await;
    assert_eq!((status, &problem["code"]), (400, &json!("bad_cursor")));
    let (status, _) = served
        .ask("GET", "/api/v1/accounts/c/customers", None)
        .await;
    assert_eq!(status, 404);
    let (status, problem) = served.ask("GET", "/api/v1/accounts/c", None).await;
    assert_eq!((status, &problem["code"]), (404, &json!("not_found")));
    served.stop().await;
}
