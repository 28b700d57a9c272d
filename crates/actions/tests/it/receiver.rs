//! A receiver that answers each connection as it was told, and keeps what it was sent.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What a receiver does with a request, once it has read it.
#[derive(Debug, Clone)]
pub(crate) enum Manner {
    /// Writes this and closes the connection.
    Answers(String),
    /// Writes this and waits for another request.
    AnswersAndStays(String),
    /// Says nothing.
    Hangs,
    /// Closes without reading.
    Resets,
    /// Writes this once, and then this again and again, with a pause between.
    GoesOn {
        head: String,
        again: Vec<u8>,
        pause_ms: u64,
    },
}

/// An answer with a status, more headers, and no body.
pub(crate) fn status(status: &str, headers: &str) -> Manner {
    Manner::Answers(format!(
        "HTTP/1.1 {status}\r\ncontent-length: 0\r\n{headers}\r\n"
    ))
}

/// A request as it arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    connections: Arc<Mutex<usize>>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    /// Listens; the first connection meets the first manner and so on, the last stays.
    pub(crate) async fn start(manners: Vec<Manner>) -> Self {
        Self::listen(manners, None).await
    }

    pub(crate) async fn start_tls(manners: Vec<Manner>, acceptor: TlsAcceptor) -> Self {
        Self::listen(manners, Some(acceptor)).await
    }

    async fn listen(manners: Vec<Manner>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            received: Arc::default(),
        };
        let (connections, received) = (receiver.connections.clone(), receiver.received.clone());
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                let count = {
                    let mut connections = connections.lock().unwrap();
                    *connections += 1;
                    *connections
                };
                let manner = manners[(count - 1).min(manners.len() - 1)].clone();
                let (received, tls) = (received.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => behave(stream, manner, &received).await,
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => behave(stream, manner, &received).await,
                            Err(_) => Ok(()),
                        },
                    }
                });
            }
        });
        receiver
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook?token=1", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

async fn behave<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    manner: Manner,
    received: &Mutex<Vec<Received>>,
) -> std::io::Result<()> {
    if matches!(manner, Manner::Resets) {
        return Ok(());
    }
    loop {
        let Some(request) = read_request(&mut stream).await? else {
            return Ok(());
        };
        received.lock().unwrap().push(request);
        match &manner {
            Manner::Answers(answer) => {
                stream.write_all(answer.as_bytes()).await?;
                return stream.shutdown().await;
            }
            Manner::AnswersAndStays(answer) => stream.write_all(answer.as_bytes()).await?,
            Manner::Hangs => std::future::pending().await,
            Manner::Resets => return Ok(()),
            Manner::GoesOn {
                head,
                again,
                pause_ms,
            } => {
                stream.write_all(head.as_bytes()).await?;
                loop {
                    stream.write_all(again).await?;
                    stream.flush().await?;
                    tokio::time::sleep(std::time::Duration::from_millis(*pause_ms)).await;
                }
            }
        }
    }
}

async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) -> std::io::Result<Option<Received>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let (head, lines) = head.split_once("\r\n").unwrap();
    let pairs = lines
        .split("\r\n")
        .map(|line| line.split_once(": ").unwrap());
    let headers: HashMap<_, _> = pairs
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers["content-length"].parse().unwrap();
    let mut body = bytes[end + 4..].to_vec();
    while body.len() < length {
        stream.read_buf(&mut body).await?;
    }
    let head = head.to_owned();
    Ok(Some(Received {
        head,
        headers,
        body,
    }))
}
