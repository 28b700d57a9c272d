//! What is not called, whatever its name says.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use regulars_actions::{
    Barrier, Client, ClientSettings, Fault, Outcome, Ports, Resolve, Resolved, Target,
};

use crate::client::{loopback_settings, message};
use crate::receiver::{Receiver, status};

/// Answers each question with the next list of addresses; the last stays.
#[derive(Debug)]
struct Names {
    answers: Vec<Vec<SocketAddr>>,
    asked: AtomicUsize,
}

impl Names {
    fn new(answers: Vec<Vec<SocketAddr>>) -> Arc<Self> {
        let asked = AtomicUsize::new(0);
        Arc::new(Self { answers, asked })
    }
}

impl Resolve for Names {
    fn resolve(&self, _: &str, _: u16) -> Resolved {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answers.get(number).or(self.answers.last()).cloned();
        Box::pin(async move { answer.ok_or(io::Error::other("no such host")) })
    }
}

async fn send(settings: &ClientSettings, names: &Arc<Names>, url: &str) -> Outcome {
    let resolver = Arc::clone(names) as Arc<dyn Resolve>;
    let client = Client::with_resolver(settings, b"", resolver).unwrap();
    client
        .send(&url.parse::<Target>().unwrap(), &message())
        .await
}

fn http_only() -> ClientSettings {
    let mut settings = loopback_settings(20_000);
    settings.guard.allow_private_targets.clear();
    settings
}

const PRIVATE: Outcome = Outcome::Blocked {
    why: Barrier::PrivateAddress,
};

#[tokio::test]
async fn a_name_of_a_private_address_is_not_called() {
    let receiver = Receiver::start(vec![status("200 OK", "")]).await;
    let port = receiver.address.port();
    let public: SocketAddr = "1.1.1.1:80".parse().unwrap();
    let url = format!("http://receiver.test:{port}/");
    for addresses in [
        vec![receiver.address],
        // One of several is enough: it might be the one that answers.
        vec![public, receiver.address],
        vec![format!("[::ffff:127.0.0.1]:{port}").parse().unwrap()],
        vec![format!("[64:ff9b::7f00:1]:{port}").parse().unwrap()],
    ] {
        let names = Names::new(vec![addresses]);
        assert_eq!(send(&http_only(), &names, &url).await, PRIVATE);
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn an_address_written_as_such_is_not_asked_for_and_not_called() {
    let receiver = Receiver::start(vec![status("200 OK", "")]).await;
    let port = receiver.address.port();
    let names = Names::new(vec![vec![receiver.address]]);
    for host in [
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "0.0.0.0",
    ] {
        let url = format!("http://{host}:{port}/");
        assert_eq!(send(&http_only(), &names, &url).await, PRIVATE, "{host}");
    }
    assert_eq!(names.asked.load(Ordering::SeqCst), 0);
    // Other ways of writing it are names, and what they resolve to is checked.
    for host in [
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "localhost",
        "127.0.0.1.",
    ] {
        let url = format!("http://{host}:{port}/");
        assert_eq!(send(&http_only(), &names, &url).await, PRIVATE, "{host}");
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn the_system_resolver_is_guarded_too() {
    let receiver = Receiver::start(vec![status("200 OK", "")]).await;
    let client = Client::new(&http_only(), b"").unwrap();
    let url = format!("http://localhost:{}/", receiver.address.port());
    let found = client.send(&url.parse().unwrap(), &message()).await;
    assert_eq!(found, PRIVATE);
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn a_name_is_resolved_once_for_a_connection() {
    let receiver = Receiver::start(vec![status("200 OK", "")]).await;
    let elsewhere: SocketAddr = "10.0.0.1:80".parse().unwrap();
    // A name server that changes its mind after the check.
    let names = Names::new(vec![vec![receiver.address], vec![elsewhere]]);
    let url = format!("http://receiver.test:{}/", receiver.address.port());
    let settings = loopback_settings(20_000);
    assert_eq!(
        send(&settings, &names, &url).await,
        Outcome::Delivered { status: 200 }
    );
    assert_eq!(names.asked.load(Ordering::SeqCst), 1);
    let host = receiver.received()[0].headers["host"].clone();
    assert_eq!(host, format!("receiver.test:{}", receiver.address.port()));
    assert_eq!(send(&settings, &names, &url).await, PRIVATE);
}

#[tokio::test]
async fn of_several_addresses_the_first_that_answers_is_taken() {
    let receiver = Receiver::start(vec![status("200 OK", "")]).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = nobody.local_addr().unwrap();
    drop(nobody);
    let names = Names::new(vec![vec![silent, receiver.address]]);
    let found = send(&loopback_settings(20_000), &names, "http://receiver.test/").await;
    assert_eq!(found, Outcome::Delivered { status: 200 });
}

#[tokio::test]
async fn a_name_without_addresses_is_unknown() {
    for names in [Names::new(vec![]), Names::new(vec![vec![]])] {
        let found = send(&http_only(), &names, "http://receiver.test/").await;
        assert_eq!(
            found,
            Outcome::Unreachable {
                error: Fault::UnknownHost
            }
        );
    }
}

#[tokio::test]
async fn http_and_other_ports_need_leave() {
    let names = Names::new(vec![]);
    let mut settings = ClientSettings::default();
    let blocked = |why| Outcome::Blocked { why };
    let found = send(&settings, &names, "http://receiver.test/").await;
    assert_eq!(found, blocked(Barrier::NotHttps));
    settings.guard.ports = Ports::Only(vec![443]);
    let found = send(&settings, &names, "https://receiver.test:22/").await;
    assert_eq!(found, blocked(Barrier::Port));
    assert_eq!(names.asked.load(Ordering::SeqCst), 0);
}
