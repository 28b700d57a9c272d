//! Ten thousand connections that say nothing, and as many that say half of something, harm nobody.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::server::Server;
use crate::shop::Shop;

const CONNECTIONS: usize = 10_000;
/// Files that the test itself has open, about.
const OTHERS: usize = 200;

/// How many connections this process may have, up to as many as are wanted.
#[cfg(unix)]
fn allowed() -> usize {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = (CONNECTIONS + OTHERS) as u64;
    limit.current = Some(limit.maximum.map_or(wanted, |most| most.min(wanted)));
    setrlimit(Resource::Nofile, limit).unwrap();
    usize::try_from(limit.current.unwrap()).unwrap() - OTHERS
}

#[cfg(not(unix))]
fn allowed() -> usize {
    1_000
}

fn search(number: u64) -> serde_json::Value {
    json!([{
        "type": "track",
        "userId": "c-1",
        "messageId": format!("m-{number}"),
        "event": "Products Searched",
    }])
}

#[test]
fn idle_connections_harm_nobody() {
    let allowed = allowed();
    if allowed < CONNECTIONS {
        eprintln!("only {allowed} of {CONNECTIONS} connections: the limit of open files is low");
    }
    let shop = Shop::empty("EUR");
    let server = Server::start(&shop);
    server.track(&search(0));
    let mut idle = Vec::with_capacity(allowed);
    for number in 0..allowed {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        if number % 2 == 1 {
            stream
                .write_all(b"POST /v1/batch HTTP/1.1\r\nContent-Le")
                .unwrap();
        }
        idle.push(stream);
    }
    let mut slowest = Duration::ZERO;
    for number in 1..=200 {
        let begun = Instant::now();
        server.track(&search(number));
        slowest = slowest.max(begun.elapsed());
    }
    // On an idle machine it is some milliseconds.
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    let metrics = server.ask("GET", "/metrics", "", "").body;
    let open = metrics
        .lines()
        .find_map(|line| line.strip_prefix("regulars_connections "));
    let open: usize = open.unwrap().parse().unwrap();
    assert!(
        open > allowed,
        "{open} connections with {allowed} idle ones"
    );
    assert!(metrics.contains("regulars_connections_refused_total 0\n"));
    let begun = Instant::now();
    server.stop();
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "they hold up no stop"
    );
    drop(idle);
}
