//! How requests end, whatever the receiver does.

use std::time::{Duration, Instant};

use regulars_actions::signature::{Headers, Secret, SignedMessage, verify};
use regulars_actions::{Client, ClientSettings, Fault, Outcome, Target};
use regulars_core::{Timestamp, TransitionId};

use crate::receiver::{Manner, Receiver, status};

/// Longer than any test waits for a receiver that answers.
const PATIENT_MS: u64 = 20_000;
const SHORT_MS: u64 = 300;
/// 2023-11-14T22:13:20Z.
pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000);

pub(crate) fn loopback_settings(total_timeout_ms: u64) -> ClientSettings {
    let mut settings = ClientSettings {
        total_timeout_ms,
        ..ClientSettings::default()
    };
    settings.guard.allow_http = true;
    settings.guard.allow_private_targets = vec!["127.0.0.0/8".parse().unwrap()];
    settings
}

pub(crate) fn secret() -> Secret {
    Secret::new([7; 32])
}

pub(crate) fn message() -> SignedMessage {
    let body = br#"{"type":"segment.entered"}"#.to_vec();
    SignedMessage::new(TransitionId(0xab), NOW, body, &[secret()]).unwrap()
}

async fn send(client: &Client, receiver: &Receiver) -> Outcome {
    let target: Target = receiver.url().parse().unwrap();
    client.send(&target, &message()).await
}

/// How one request to such a receiver ends within `total_timeout_ms`.
async fn outcome(manner: Manner, total_timeout_ms: u64) -> Outcome {
    let receiver = Receiver::start(vec![manner]).await;
    let client = Client::new(&loopback_settings(total_timeout_ms), b"").unwrap();
    send(&client, &receiver).await
}

fn unreachable(error: Fault) -> Outcome {
    Outcome::Unreachable { error }
}

#[tokio::test]
async fn a_request_is_a_signed_post() {
    let receiver = Receiver::start(vec![status("204 No Content", "")]).await;
    let client = Client::new(&loopback_settings(PATIENT_MS), b"").unwrap();
    assert_eq!(
        send(&client, &receiver).await,
        Outcome::Delivered { status: 204 }
    );
    let request = receiver.received().remove(0);
    assert_eq!(request.head, "POST /hook?token=1 HTTP/1.1");
    assert_eq!(request.headers["host"], receiver.address.to_string());
    assert_eq!(request.headers["content-type"], "application/json");
    assert!(request.headers["user-agent"].starts_with("Regulars/"));
    let headers = Headers {
        id: &request.headers["webhook-id"],
        timestamp: &request.headers["webhook-timestamp"],
        signature: &request.headers["webhook-signature"],
    };
    assert_eq!(headers.id, "000000000000000000000000000000ab");
    assert_eq!(headers.timestamp, "1700000000");
    assert_eq!(verify(&secret(), headers, &request.body, NOW), Ok(()));
}

#[tokio::test]
async fn the_status_decides() {
    let refused = |status, retry_after_ms| Outcome::Refused {
        status,
        retry_after_ms,
    };
    let date = "retry-after: Tue, 14 Nov 2023 22:14:20 GMT\r\n";
    let cases = [
        (status("200 OK", ""), Outcome::Delivered { status: 200 }),
        (status("299 Fine", ""), Outcome::Delivered { status: 299 }),
        (status("410 Gone", ""), Outcome::Gone),
        (
            status("429 Too Many Requests", "retry-after: 7\r\n"),
            refused(429, Some(7_000)),
        ),
        (
            status("503 Service Unavailable", date),
            refused(503, Some(60_000)),
        ),
        (
            status("500 Internal Server Error", "retry-after: soon\r\n"),
            refused(500, None),
        ),
        (status("404 Not Found", ""), refused(404, None)),
    ];
    for (manner, expected) in cases {
        assert_eq!(
            outcome(manner.clone(), PATIENT_MS).await,
            expected,
            "{manner:?}"
        );
    }
}

#[tokio::test]
async fn redirects_are_refusals() {
    let elsewhere = Receiver::start(vec![status("200 OK", "")]).await;
    for code in [
        "301 Moved",
        "302 Found",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let location = format!("location: {}\r\n", elsewhere.url());
        let found = outcome(status(code, &location), PATIENT_MS).await;
        assert!(
            matches!(
                found,
                Outcome::Refused {
                    status: 301..=308,
                    ..
                }
            ),
            "{found:?}"
        );
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_owned();
    let receiver = Receiver::start(vec![Manner::AnswersAndStays(answer)]).await;
    let client = Client::new(&loopback_settings(PATIENT_MS), b"").unwrap();
    for _ in 0..5 {
        assert_eq!(
            send(&client, &receiver).await,
            Outcome::Delivered { status: 200 }
        );
    }
    assert_eq!((receiver.connections(), receiver.received().len()), (1, 5));
}

#[tokio::test]
async fn a_receiver_that_says_nothing_is_left() {
    let started = Instant::now();
    assert_eq!(
        outcome(Manner::Hangs, SHORT_MS).await,
        unreachable(Fault::TimedOut)
    );
    let head = Manner::GoesOn {
        head: "HTTP/1.1 200 OK\r\n".to_owned(),
        again: b"x-more: 1\r\n".to_vec(),
        pause_ms: 50,
    };
    assert_eq!(outcome(head, SHORT_MS).await, unreachable(Fault::TimedOut));
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let of_length = |length: u64| format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    let gigabyte = Manner::GoesOn {
        head: of_length(1 << 30),
        again: vec![b'x'; 1 << 16],
        pause_ms: 0,
    };
    let started = Instant::now();
    // By its size, long before the time is up.
    assert_eq!(
        outcome(gigabyte, PATIENT_MS).await,
        Outcome::Delivered { status: 200 }
    );
    // By its time.
    let drip = Manner::GoesOn {
        head: of_length(1_000),
        again: b"x".to_vec(),
        pause_ms: 20,
    };
    assert_eq!(
        outcome(drip, SHORT_MS).await,
        Outcome::Delivered { status: 200 }
    );
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_head_without_end_is_no_answer() {
    let head = Manner::GoesOn {
        head: "HTTP/1.1 200 OK\r\nx-long: ".to_owned(),
        again: vec![b'x'; 1 << 16],
        pause_ms: 0,
    };
    assert_eq!(
        outcome(head, PATIENT_MS).await,
        unreachable(Fault::InvalidAnswer)
    );
}

#[tokio::test]
async fn half_an_answer_counts_by_whether_it_has_a_status() {
    let half_head = Manner::Answers("HTTP/1.1 200 OK\r\ncontent-le".to_owned());
    assert_eq!(
        outcome(half_head, PATIENT_MS).await,
        unreachable(Fault::Closed)
    );
    let half_body = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_owned();
    let found = outcome(Manner::Answers(half_body), PATIENT_MS).await;
    assert_eq!(found, Outcome::Delivered { status: 200 });
}

#[tokio::test]
async fn what_is_no_answer_says_what_it_is() {
    assert_eq!(
        outcome(Manner::Resets, PATIENT_MS).await,
        unreachable(Fault::Closed)
    );
    assert_eq!(
        outcome(Manner::Answers(String::new()), PATIENT_MS).await,
        unreachable(Fault::Closed)
    );
    let ssh = Manner::Answers("SSH-2.0-OpenSSH_9.6\r\n".to_owned());
    assert_eq!(
        outcome(ssh, PATIENT_MS).await,
        unreachable(Fault::InvalidAnswer)
    );

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let client = Client::new(&loopback_settings(PATIENT_MS), b"").unwrap();
    let target: Target = format!("http://{address}/").parse().unwrap();
    let found = client.send(&target, &message()).await;
    assert_eq!(found, unreachable(Fault::ConnectionRefused));
}
