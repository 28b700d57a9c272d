//! Which token opens what: every operation of the description, asked with each.

use regulars_core::Timestamp;
use regulars_store::access::{Access, Role};
use serde_json::{Value, json};

use crate::shop::Shop;

/// What an analyst may do beyond reading.
const FOR_ANALYSTS: [&str; 2] = ["defineSegment", "removeSegment"];

/// What only an admin may do; everything else under `/api/v1` is open to whoever may read.
const FOR_ADMINS: [&str; 13] = [
    "addDestination",
    "customerIdentity",
    "enableDestination",
    "listKeys",
    "listTokens",
    "makeKey",
    "makeToken",
    "removeDestination",
    "replayDelivery",
    "revokeKey",
    "revokeToken",
    "rotateSecret",
    "unmergeCustomer",
];

/// Open to everybody, with a write key, or to commands beside the server alone.
const WITHOUT_ROLE: [&str; 7] = [
    "browserSettings",
    "description",
    "health",
    "lendWorkspace",
    "metrics",
    "page",
    "track",
];

/// One that nobody was given, and one of each role.
fn secrets(shop: &Shop) -> Vec<(String, String)> {
    let mut access = Access::load(&shop.workspace.data_dir()).unwrap();
    let mut secrets = vec![(String::new(), "rat_0".to_owned())];
    for role in [
        Role::Write,
        Role::WriteClient,
        Role::ReadOnly,
        Role::Analyst,
        Role::Admin,
        Role::Erase,
    ] {
        let made = access.grant(role, "", Timestamp(1)).unwrap();
        secrets.push((role.name().to_owned(), made.secret));
    }
    secrets
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_asks_for_the_right_role() {
    let shop = Shop::new();
    let secrets = secrets(&shop);
    let served = shop.serve().await;
    let (_, document) = served.ask("GET", "/api/v1/openapi.json", None).await;
    let mut for_admins = Vec::new();
    let mut for_analysts = Vec::new();
    let mut without_role = Vec::new();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, operations)| {
        let operations = operations.as_object().unwrap().iter();
        operations.map(move |(method, operation)| (path, method, operation))
    });
    for (path, method, operation) in operations {
        let id = operation["operationId"].as_str().unwrap();
        let allowed: Vec<&str> = operation["x-roles"]
            .as_array()
            .unwrap()
            .iter()
            .map(|role| role.as_str().unwrap())
            .collect();
        match allowed.as_slice() {
            [] => without_role.push(id),
            ["admin"] => for_admins.push(id),
            ["analyst", "admin"] => for_analysts.push(id),
            others => assert_eq!(others, ["read_only", "analyst", "admin"], "{id}"),
        }
        if allowed.is_empty() {
            continue;
        }
        let path = ["customer", "segment", "id"]
            .iter()
            .fold(path.clone(), |path, part| {
                path.replace(&format!("{{{part}}}"), "none")
            });
        for (role, secret) in &secrets {
            let method = method.to_uppercase();
            let body = json!({});
            let (status, answer) = served.ask_as(secret, &method, &path, Some(&body)).await;
            let expected = match role.as_str() {
                "" | "write" | "write_client" => Some((401, json!("unknown_token"))),
                role if !allowed.contains(&role) => Some((403, json!("not_allowed"))),
                _ => None,
            };
            let refused = matches!(status, 401 | 403).then(|| (status, answer["code"].clone()));
            assert_eq!(refused, expected, "{id} with `{role}`: {answer}");
        }
    }
    for_admins.sort_unstable();
    for_analysts.sort_unstable();
    without_role.sort_unstable();
    assert_eq!(for_admins, FOR_ADMINS);
    assert_eq!(for_analysts, FOR_ANALYSTS);
    assert_eq!(without_role, WITHOUT_ROLE);
    // No token that somebody made has the data lent.
    for (role, secret) in &secrets {
        let (status, answer) = served
            .ask_as(secret, "POST", "/api/v1/workspace/lend", None)
            .await;
        assert!(matches!(status, 401 | 403), "`{role}`: {answer}");
    }
    // Tokens send no events, whatever their role.
    for (role, secret) in secrets
        .iter()
        .filter(|(role, _)| !role.starts_with("write"))
    {
        let event = json!({"type": "track", "event": "E", "userId": "c-1", "writeKey": secret});
        let (status, answer) = served
            .ask_as(secret, "POST", "/v1/track", Some(&event))
            .await;
        assert_eq!(
            (status, &answer["code"]),
            (401, &json!("unknown_key")),
            "`{role}`"
        );
    }
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_grants_or_takes_back_holds_within_a_second() {
    let shop = Shop::new();
    let served = shop.serve().await;
    let data = shop.workspace.data_dir();
    let mut beside = Access::load(&data).unwrap();
    let token = beside.grant(Role::ReadOnly, "", Timestamp(1)).unwrap();
    let asks = async |wanted: u16| {
        let until = async {
            while served
                .ask_as(&token.secret, "GET", "/api/v1/segments", None)
                .await
                .0
                != wanted
            {
                tokio::task::yield_now().await;
            }
        };
        let within = std::time::Duration::from_secs(1);
        let done = tokio::time::timeout(within, until).await;
        done.unwrap_or_else(|_| panic!("not {wanted} within a second"));
    };
    asks(200).await;
    // What is made here keeps what was made there.
    let (status, made) = served.ask("POST", "/api/v1/keys", Some(&json!({}))).await;
    assert_eq!(status, 201, "{made}");
    asks(200).await;
    beside.reload().unwrap();
    assert!(beside.revoke(&token.grant.id).unwrap());
    asks(401).await;
    // A file that cannot be read changes nothing.
    let file = data.join("access.json");
    let text = std::fs::read(&file).unwrap();
    std::fs::write(&file, "{").unwrap();
    let (status, refused) = served.ask("POST", "/api/v1/keys", Some(&json!({}))).await;
    assert_eq!((status, &refused["code"]), (500, &json!("failed")));
    std::fs::write(&file, text).unwrap();
    let (status, listed) = served.ask("GET", "/api/v1/keys", None).await;
    assert_eq!(status, 200);
    let ids: Vec<&Value> = listed["grants"].as_array().unwrap().iter().collect();
    assert_eq!(ids.len(), 2, "{listed}");
    served.stop().await;
}
