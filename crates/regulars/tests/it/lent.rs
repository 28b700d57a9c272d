//! What a server does when others need its data: files, models, past moments, other segments.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::served::search;
use crate::server::Server;
use crate::shop::{FILES, Shop};

/// Members of a segment, through the server.
fn members(server: &Server, segment: &str) -> Vec<Value> {
    let members = server.get(&format!("/api/v1/segments/{segment}/members?limit=1000"));
    members["customers"].as_array().unwrap().clone()
}

#[test]
fn files_are_imported_and_models_fitted_while_events_come_in() {
    let shop = Shop::empty("EUR");
    shop.own_segment("searchers", "events 'Products Searched' >= 2");
    for file in FILES {
        shop.copy(&format!("shop/{file}"));
    }
    let server = Server::start(&shop);
    let done = AtomicBool::new(false);
    let sent = std::thread::scope(|scope| {
        let (server, done) = (&server, &done);
        let sender = scope.spawn(move || {
            let mut sent = 0;
            while !done.load(Ordering::Relaxed) {
                // Each is answered with 200: none is lost.
                server.track(&json!([search(&format!("live-{sent}"), 1)]));
                server.track(&json!([search(&format!("live-{sent}"), 2)]));
                sent += 1;
            }
            sent
        });
        let imported = shop.run(&[&["import"], &FILES[..]].concat());
        let said = String::from_utf8_lossy(&imported.stderr);
        assert_eq!(imported.status.code(), Some(5), "{said}");
        assert!(said.contains("lends the workspace"), "{said}");
        shop.good(&["score", "--quiet"]);
        done.store(true, Ordering::Relaxed);
        sender.join().unwrap()
    });
    assert!(sent > 0);
    assert_eq!(members(&server, "searchers").len(), sent);
    // The models are there for the live path too.
    let models = shop.json(&["models"]);
    assert!(models.to_string().contains("converged"), "{models:#}");
    let moved = server.get("/api/v1/transitions?limit=1000");
    let causes: Vec<&Value> = moved["transitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| &of["cause"]["type"])
        .collect();
    assert!(causes.contains(&&json!("import")), "{causes:?}");
    let live = shop.json(&["segments"]);
    server.stop();
    // A look without a server agrees.
    let at_rest = shop.json(&["segments"]);
    let sizes = |list: &Value| -> Vec<(String, Value)> {
        let segments = list["segments"].as_array().unwrap().iter();
        let size = |of: &Value| of.get("customers").or(of["kpis"].get("customers")).cloned();
        segments
            .filter_map(|of| Some((of["segment"].to_string(), size(of)?)))
            .collect()
    };
    let (live, at_rest) = (sizes(&live), sizes(&at_rest));
    for (segment, size) in &at_rest {
        let same = live.iter().find(|(name, _)| name == segment);
        assert_eq!(same.map(|(_, size)| size), Some(size), "{segment}");
    }
    assert!(at_rest.len() > 10);
}

#[test]
fn segments_are_made_changed_and_removed_while_events_come_in() {
    let shop = Shop::empty("EUR");
    let server = Server::start(&shop);
    server.track(&json!([
        search("c-1", 1),
        search("c-1", 2),
        search("c-2", 1)
    ]));
    let define =
        |rule: &str| shop.run(&["segments", "set", "searchers", rule, "--title", "Searchers"]);
    assert!(define("events 'Products Searched' >= 1").status.success());
    assert_eq!(members(&server, "searchers"), ["c-1", "c-2"]);
    assert!(define("events 'Products Searched' >= 2").status.success());
    assert_eq!(members(&server, "searchers"), ["c-1"]);
    shop.good(&[
        "segments",
        "set",
        "not_searchers",
        "not in segment searchers",
    ]);
    assert_eq!(members(&server, "not_searchers"), ["c-2"]);
    // A change of what it refers to is a change of its own definition.
    assert!(define("events 'Products Searched' >= 3").status.success());
    assert_eq!(members(&server, "not_searchers"), ["c-1", "c-2"]);
    let moved =
        server.get("/api/v1/transitions?segment=not_searchers&limit=1")["transitions"][0].clone();
    assert_eq!(
        (&moved["version"], &moved["cause"]["type"]),
        (&json!(2), &json!("definition"))
    );
    assert!(define("events 'Products Searched' >= 2").status.success());
    // What makes no sense changes nothing.
    let refused = [
        (
            &["segments", "set", "searchers", "orderz > 1"][..],
            "orderz",
        ),
        (
            &["segments", "set", "searchers", "in segment not_searchers"],
            "circle",
        ),
        (
            &["segments", "set", "Not A Name", "orders = 1"],
            "Not A Name",
        ),
        (&["segments", "remove", "searchers"], "searchers"),
        (&["segments", "remove", "loyal"], "ready-made"),
        (&["segments", "remove", "nobody"], "nobody"),
    ];
    for (arguments, words) in refused {
        let output = shop.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    assert_eq!(members(&server, "searchers"), ["c-1"]);
    shop.good(&["segments", "remove", "not_searchers"]);
    shop.good(&["segments", "remove", "searchers"]);
    let gone = server.ask("GET", "/api/v1/segments/searchers", &server.token, "");
    assert_eq!(gone.status, 404);
    // Made again, it is another version, whose transitions are others.
    assert!(define("events 'Products Searched' >= 1").status.success());
    assert_eq!(members(&server, "searchers"), ["c-1", "c-2"]);
    let moved = server.get("/api/v1/transitions?segment=searchers&limit=100");
    let moved = moved["transitions"].as_array().unwrap();
    let mut ids: Vec<String> = moved.iter().map(|of| of["id"].to_string()).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "{moved:#?}");
    let causes = moved.iter().map(|of| &of["cause"]["type"]);
    assert!(
        causes.into_iter().all(|cause| cause == "definition"),
        "{moved:#?}"
    );
    server.stop();
}

#[test]
fn segments_of_a_workspace_without_a_server_change_in_their_files() {
    let shop = Shop::tiny();
    shop.good(&["segments", "set", "searchers", "orders = 0"]);
    assert!(shop.root().join("segments/searchers.toml").exists());
    shop.good(&["segments", "remove", "searchers"]);
    shop.good(&["segments", "set", "loyal", "orders >= 1"]);
    assert_eq!(
        shop.json(&["segments", "show", "loyal"])["rule"],
        "orders >= 1"
    );
    shop.good(&["segments", "remove", "loyal"]);
    assert_ne!(
        shop.json(&["segments", "show", "loyal"])["rule"],
        "orders >= 1"
    );
}

/// Asks for the data; what came up to the first line of the body.
fn lend(server: &Server, token: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let request = format!(
        "POST /api/v1/workspace/lend HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: 0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 1024];
    while !answer.ends_with(b"}") && !answer.windows(5).any(|part| part == b"lent\n") {
        let length = stream.read(&mut piece).unwrap();
        assert!(length > 0);
        answer.extend_from_slice(&piece[..length]);
    }
    (stream, String::from_utf8(answer).unwrap())
}

#[test]
fn the_data_comes_back_whatever_becomes_of_the_borrower() {
    let shop = Shop::empty("EUR");
    let server = Server::start(&shop);
    server.track(&json!([search("c-1", 1)]));
    let (_, refused) = lend(&server, &server.token);
    assert!(
        refused.contains("403") && refused.contains("not_local"),
        "{refused}"
    );
    let serving = std::fs::read(shop.root().join("data/serving.json")).unwrap();
    let serving: Value = serde_json::from_slice(&serving).unwrap();
    let (held, lent) = lend(&server, serving["token"].as_str().unwrap());
    assert!(lent.starts_with("HTTP/1.1 200"), "{lent}");
    // Nobody uses the data at this moment, and still there is a server.
    let second = shop.run(&["serve", "--listen", "127.0.0.1:0"]);
    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("another process is using"), "{said}");
    drop(held);
    server.track(&json!([search("c-2", 1)]));
    assert_eq!(server.get("/api/v1/segments/prospect")["everyone"], 2);
    // Settings that cannot be read are no reason to go: nothing is lent.
    let file = shop.root().join("regulars.toml");
    let settings = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{settings}\n[nonsense]\n")).unwrap();
    let (_, refused) = lend(&server, serving["token"].as_str().unwrap());
    assert!(
        refused.contains("409") && refused.contains("nonsense"),
        "{refused}"
    );
    std::fs::write(&file, settings).unwrap();
    server.track(&json!([search("c-3", 1)]));
    assert_eq!(server.get("/api/v1/segments/prospect")["everyone"], 3);
    server.stop();
}
