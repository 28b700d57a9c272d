//! A receiver of webhooks that answers as it was told, and hands on what it was sent.

use std::collections::HashMap;
use std::time::Duration;

use regulars_actions::signature::{Headers, Secret, VerifyError, verify};
use regulars_core::Timestamp;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// In place of a status: no answer.
pub(crate) const HANGS: u16 = 0;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn verify(&self, secret: &Secret, now: Timestamp) -> Result<(), VerifyError> {
        let headers = Headers {
            id: self.id(),
            timestamp: &self.headers["webhook-timestamp"],
            signature: &self.headers["webhook-signature"],
        };
        verify(secret, headers, &self.body, now)
    }
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    requests: UnboundedReceiver<Received>,
}

impl Receiver {
    /// Listens; each request is answered with the next status, the last one stays.
    pub(crate) async fn start(answers: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (tell, requests) = unbounded_channel();
        let answers = answers.to_vec();
        tokio::spawn(async move {
            for n in 0.. {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                let status = answers[n.min(answers.len() - 1)];
                tokio::spawn(take(stream, status, tell.clone()));
            }
        });
        Self { url, requests }
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Received {
        let next = tokio::time::timeout(Duration::from_secs(30), self.requests.recv());
        next.await.expect("a request comes in time").unwrap()
    }

    /// What came and was not looked at.
    pub(crate) fn rest(&mut self) -> usize {
        std::iter::from_fn(|| self.requests.try_recv().ok()).count()
    }
}

async fn take(mut stream: TcpStream, status: u16, tell: UnboundedSender<Received>) {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let pairs = head
        .split("\r\n")
        .skip(1)
        .filter_map(|line| line.split_once(": "));
    let headers: HashMap<_, _> = pairs
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers["content-length"].parse().unwrap();
    let mut body = bytes[end + 4..].to_vec();
    while body.len() < length {
        stream.read_buf(&mut body).await.unwrap();
    }
    let _ = tell.send(Received { headers, body });
    if status == HANGS {
        std::future::pending::<()>().await;
    }
    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let _ = stream.write_all(answer.as_bytes()).await;
}
