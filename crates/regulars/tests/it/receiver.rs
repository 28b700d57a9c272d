//! A receiver of webhooks that takes everything and counts it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Listens until the test ends.
pub(crate) struct Receiver {
    pub(crate) url: String,
    received: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let received: Arc<Mutex<BTreeMap<String, u64>>> = Arc::default();
        let counted = Arc::clone(&received);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let counted = Arc::clone(&counted);
                // A sender that is killed breaks off; it counts when its request came whole.
                std::thread::spawn(move || take(stream?, &counted));
            }
        });
        Self { url, received }
    }

    /// How often each `webhook-id` came.
    pub(crate) fn received(&self) -> BTreeMap<String, u64> {
        self.received.lock().unwrap().clone()
    }
}

/// Answers requests one after the other.
fn take(stream: TcpStream, counted: &Mutex<BTreeMap<String, u64>>) -> std::io::Result<()> {
    let mut answers = stream.try_clone()?;
    let mut lines = BufReader::new(stream);
    loop {
        let (mut id, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 {
                return Ok(());
            }
            match line.trim_end().split_once(": ") {
                None if line == "\r\n" => break,
                Some((name, value)) if name.eq_ignore_ascii_case("webhook-id") => {
                    id = value.to_owned();
                }
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse().unwrap();
                }
                _ => {}
            }
        }
        let mut body = vec![0; length];
        lines.read_exact(&mut body)?;
        *counted.lock().unwrap().entry(id).or_default() += 1;
        answers.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
    }
}
