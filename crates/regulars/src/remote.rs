//! Asks the server that uses the workspace: HTTP/1.1 over loopback, one request a connection.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::serving::Serving;

/// How long the server may take to take a connection.
const CONNECT: Duration = Duration::from_secs(2);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RemoteError {
    /// Nobody is there, or somebody else: the file is left over from a server that was killed.
    #[error("nobody answers at {0}")]
    Gone(std::net::SocketAddr),
    /// It said no, and why.
    #[error("{message}")]
    Refused {
        /// Of HTTP.
        status: u16,
        /// What is wrong and what to do.
        message: String,
    },
    /// It did not finish its answer.
    #[error("the server at {address} broke off: {detail}: try again")]
    Broken {
        /// Where it is.
        address: std::net::SocketAddr,
        /// What went wrong.
        detail: String,
    },
}

/// The server that uses the workspace.
#[derive(Debug)]
pub(crate) struct Remote {
    pub(crate) serving: Serving,
}

impl Remote {
    /// `GET` of a path.
    pub(crate) fn get(&self, path: &str) -> Result<Value, RemoteError> {
        self.ask("GET", path, None)
    }

    /// A request; `Null` for an answer without a body.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, RemoteError> {
        let mut stream = self.send(method, path, body)?;
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        read.map_err(|error| self.broken(error.to_string()))?;
        self.understood(&answer)
    }

    /// Has the data of the workspace for itself, as long as what is returned lives.
    pub(crate) fn borrow(&self) -> Result<Loan, RemoteError> {
        let mut stream = self.send("POST", "/api/v1/workspace/lend", None)?;
        let mut answer = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let read = stream.read(&mut piece);
            let length = read.map_err(|error| self.broken(error.to_string()))?;
            answer.extend_from_slice(&piece[..length]);
            if answer.starts_with(b"HTTP/1.1 200 ") && is_lent(&answer) {
                return Ok(Loan { _held: stream });
            }
            if length == 0 {
                self.understood(&answer)?;
                return Err(self.broken("it lends nothing".to_owned()));
            }
        }
    }

    fn broken(&self, detail: String) -> RemoteError {
        let address = self.serving.address;
        RemoteError::Broken { address, detail }
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<TcpStream, RemoteError> {
        let address = self.serving.address;
        let stream = TcpStream::connect_timeout(&address, CONNECT);
        let mut stream = stream.map_err(|_| RemoteError::Gone(address))?;
        let token = &self.serving.token;
        let body = body.map(Value::to_string).unwrap_or_default();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}"
        );
        let sent = stream.write_all(request.as_bytes());
        sent.map_err(|error| self.broken(error.to_string()))?;
        Ok(stream)
    }

    /// What a whole answer says.
    fn understood(&self, answer: &[u8]) -> Result<Value, RemoteError> {
        let broken = |detail: String| self.broken(detail);
        let (status, body) = parts(answer).ok_or_else(|| broken("no HTTP".to_owned()))?;
        // Another server took the port.
        if status == 401 {
            return Err(RemoteError::Gone(self.serving.address));
        }
        let value: Value = match body {
            [] => Value::Null,
            body => serde_json::from_slice(body).map_err(|error| broken(error.to_string()))?,
        };
        if (200..300).contains(&status) {
            return Ok(value);
        }
        let message = value["message"].as_str().unwrap_or("it gave no reason");
        Err(RemoteError::Refused {
            status,
            message: message.to_owned(),
        })
    }
}

/// The data of the workspace, lent by its server until this goes.
#[derive(Debug)]
pub(crate) struct Loan {
    _held: TcpStream,
}

/// True when the body of an answer, which comes in pieces with their lengths, says so.
fn is_lent(answer: &[u8]) -> bool {
    let lent = b"lent\n";
    answer.windows(lent.len()).any(|part| part == lent)
}

/// Status and body of an answer that came whole.
fn parts(answer: &[u8]) -> Option<(u16, &[u8])> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let body = &answer[end + 4..];
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    for line in lines {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") && value.trim().parse() != Ok(body.len()) {
            return None;
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return None;
        }
    }
    Some((status, body))
}

/// A text as a part of a path or query.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            byte => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_when_it_is_whole() {
        let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(parts(whole), Some((200, &b"{}"[..])));
        assert_eq!(parts(&whole[..whole.len() - 1]), None);
        assert_eq!(
            parts(b"HTTP/1.1 204 No Content\r\n\r\n"),
            Some((204, &b""[..]))
        );
        assert_eq!(parts(b"SSH-2.0-OpenSSH_9.2"), None);
        assert_eq!(encoded("a/b?ä@x"), "a%2Fb%3F%C3%A4%40x");
    }
}
