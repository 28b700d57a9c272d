//! The least of HTTP that a load needs: one request after the other over one connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// One connection.
pub(crate) struct Client {
    answers: BufReader<TcpStream>,
    stream: TcpStream,
    /// What every request begins with after its first line.
    head: String,
    request: Vec<u8>,
}

impl Client {
    /// Connects; `access` is the header with a write key or a token.
    pub(crate) fn connect(address: &str, access: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            answers: BufReader::new(stream.try_clone()?),
            stream,
            head: format!("Host: {address}\r\n{access}\r\n"),
            request: Vec::new(),
        })
    }

    /// Sends a body; gives the status of the answer.
    pub(crate) fn post(&mut self, path: &str, body: &str) -> io::Result<u16> {
        self.request.clear();
        write!(
            self.request,
            "POST {path} HTTP/1.1\r\n{}Content-Length: {}\r\n\r\n{body}",
            self.head,
            body.len()
        )?;
        self.stream.write_all(&self.request)?;
        Ok(self.answer()?.0)
    }

    /// Asks; gives the status and the body of the answer.
    pub(crate) fn get(&mut self, path: &str) -> io::Result<(u16, String)> {
        self.request.clear();
        write!(self.request, "GET {path} HTTP/1.1\r\n{}\r\n", self.head)?;
        self.stream.write_all(&self.request)?;
        self.answer()
    }

    fn answer(&mut self) -> io::Result<(u16, String)> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or_else(|| io::Error::other(format!("no HTTP: {line:?}")))?;
        let mut length = 0;
        loop {
            line.clear();
            self.answers.read_line(&mut line)?;
            let Some((name, value)) = line.trim().split_once(':') else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        self.answers.read_exact(&mut body)?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}
