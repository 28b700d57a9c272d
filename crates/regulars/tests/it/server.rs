//! A server of the binary on a free port of loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use crate::shop::Shop;

/// A server at work; killed when it goes.
pub(crate) struct Server {
    child: Child,
    /// Reads what it says later, so that it never waits for us.
    said: Option<JoinHandle<String>>,
    /// Host and port.
    pub(crate) address: String,
    /// Shown at the first start.
    pub(crate) key: String,
    /// Shown at the first start.
    pub(crate) token: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Server {
    /// Starts one and waits until it listens.
    pub(crate) fn start(shop: &Shop) -> Self {
        Self::spawn(shop.command(&["serve", "--listen", "127.0.0.1:0"]))
    }

    /// Starts one with further options.
    pub(crate) fn start_with(shop: &Shop, options: &[&str]) -> Self {
        let serve = ["serve", "--listen", "127.0.0.1:0"];
        Self::spawn(shop.command(&[&serve, options].concat()))
    }

    /// Starts one by a shell that does something before, such as setting a limit.
    #[cfg(unix)]
    pub(crate) fn start_in(shop: &Shop, before: &str) -> Self {
        let like = shop.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &format!("{before} exec \"$0\" \"$@\"")])
            .arg(like.get_program())
            .args(like.get_args())
            .current_dir(like.get_current_dir().unwrap());
        for (name, value) in like.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        Self::spawn(shell)
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let (mut address, mut key, mut token) = (String::new(), String::new(), String::new());
        let mut said = String::new();
        while address.is_empty() {
            let from = said.len();
            assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "it ended: {said}");
            let line = said[from..].trim();
            let after = |what: &str| line.strip_prefix(what).map(|rest| rest.trim().to_owned());
            // As a line of its own, or within JSON.
            let listening = line.split_once("listening on http://");
            address = listening.map_or("", |(_, rest)| rest).replace("\"}", "");
            key = after("write key").unwrap_or(key);
            token = after("API token").unwrap_or(token);
        }
        let read_rest = move || {
            // One that is killed may leave half a character.
            let mut rest = Vec::new();
            let _ = stderr.read_to_end(&mut rest);
            said + &String::from_utf8_lossy(&rest)
        };
        Self {
            child,
            said: Some(std::thread::spawn(read_rest)),
            address,
            key,
            token,
        }
    }

    /// A request with a bearer token.
    pub(crate) fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> Answer {
        let kind = format!("Authorization: Bearer {token}\r\nContent-Type: application/json");
        self.send(method, path, &kind, body)
    }

    /// The JSON at a path, by the token of the first start.
    pub(crate) fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, &self.token, "");
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// A request with further lines of its head.
    pub(crate) fn send(&self, method: &str, path: &str, lines: &str, body: &str) -> Answer {
        let answer = self.try_send(method, path, lines, body);
        answer.unwrap_or_else(|| panic!("{method} {path}: no answer"))
    }

    /// The same; `None` when the server ends before it answers.
    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        lines: &str,
        body: &str,
    ) -> Option<Answer> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .ok()?;
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Content-Length: {length}\r\n{lines}\r\n\r\n",
            self.address
        );
        stream.write_all(head.as_bytes()).ok()?;
        // It may answer before it has read all that is too much.
        let _ = stream.write_all(body.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some(Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_lowercase(),
            body: body.to_owned(),
        })
    }

    /// Sends tracking calls as one batch.
    pub(crate) fn track(&self, batch: &Value) {
        let body = serde_json::json!({ "batch": batch, "writeKey": self.key }).to_string();
        let answer = self.send("POST", "/v1/batch", "Content-Type: text/plain", &body);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json(), serde_json::json!({ "success": true }));
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(self) {
        self.stop_and_read();
    }

    /// The same; gives everything that it said.
    pub(crate) fn stop_and_read(mut self) -> String {
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(told.success());
        let status = self.child.wait().unwrap();
        let said = self.said.take().unwrap().join().unwrap();
        assert!(status.success(), "{status}: {said}");
        said
    }

    /// Waits until it has ended by itself; gives how, and what it said.
    pub(crate) fn wait(mut self) -> (std::process::ExitStatus, String) {
        let status = self.child.wait().unwrap();
        (status, self.said.take().unwrap().join().unwrap())
    }

    /// Ends it without asking.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
