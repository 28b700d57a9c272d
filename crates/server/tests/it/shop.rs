//! A workspace with one live segment, served at a time of the test's choice.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use regulars_actions::signature::Secret;
use regulars_core::{Currency, Timestamp};
use regulars_pipeline::deliver::{self, Deliveries, NewDestination};
use regulars_pipeline::live::{Engine, Live, LiveOptions, StartOptions};
use regulars_pipeline::{Config, Silent, Workspace};
use regulars_server::{Delivery, Server, ServerOptions, TransitionLog, bind, serve};
use regulars_store::Store;
use regulars_store::access::{Access, Role};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// 2026-11-25 14:03:00 UTC.
pub(crate) const START: i64 = 1_795_615_380_000;
pub(crate) const MINUTE: i64 = 60_000;
/// Transitions that are at hand: few, so that the others are read from files.
const IN_MEMORY: usize = 3;

pub(crate) struct Shop {
    _directory: tempfile::TempDir,
    pub(crate) workspace: Workspace,
    start: i64,
    clock: Arc<AtomicI64>,
    write_key: String,
    token: String,
}

pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Arc<Server>>,
    pub(crate) write_key: String,
    token: String,
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self::at_time(START)
    }

    /// One whose clock begins at `start`, in milliseconds since 1970.
    pub(crate) fn at_time(start: i64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = Config::new("shop", Currency::new("EUR").unwrap(), "UTC");
        let workspace = Workspace::init(&directory.path().join("shop"), config).unwrap();
        let workspace = workspace.with_config(calling_loopback(workspace.config()));
        let rule = "[[segment]]\nname = \"left_carts\"\n\
                    rule = \"carts where value >= 100 and idle for 2 hours >= 1\"\n";
        std::fs::write(workspace.segments_dir().join("live.toml"), rule).unwrap();
        let mut access = Access::load(&workspace.data_dir()).unwrap();
        let write_key = access.grant(Role::Write, "", Timestamp(start)).unwrap();
        let token = access.grant(Role::Admin, "", Timestamp(start)).unwrap();
        Self {
            _directory: directory,
            workspace,
            start,
            clock: Arc::new(AtomicI64::new(start)),
            write_key: write_key.secret,
            token: token.secret,
        }
    }

    /// Moves the clock to so many milliseconds after the start.
    pub(crate) fn at(&self, after_ms: i64) {
        self.clock.store(self.start + after_ms, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.clock.load(Ordering::Relaxed))
    }

    /// Adds a destination while nothing serves.
    pub(crate) fn add(&self, url: &str) -> (String, Secret) {
        let wanted = json!({"url": url, "segments": ["left_carts"], "allow_http": true});
        let wanted: NewDestination = serde_json::from_value(wanted).unwrap();
        let offset = self.workspace.open_read().unwrap().next_offset();
        let guard = &self.workspace.config().delivery.guard;
        let data = self.workspace.data_dir();
        let (known, secret) = deliver::add(&data, guard, wanted, offset, self.now()).unwrap();
        (known.destination.id.to_string(), secret)
    }

    fn open(&self) -> Store {
        // The thread of a live path that was dropped ends a little later.
        for _ in 0..2_000 {
            match self.workspace.open() {
                Ok(store) => return store,
                Err(_) => std::thread::park_timeout(Duration::from_millis(10)),
            }
        }
        panic!("the data stays in use");
    }

    /// The live path with deliveries that nobody sends yet.
    pub(crate) fn live(&self) -> (Live, Arc<Delivery>, Arc<TransitionLog>) {
        let mut store = self.open();
        let options = StartOptions {
            now: self.now(),
            threads: 2,
        };
        let mut engine = Engine::start(&self.workspace, &mut store, options, &Silent).unwrap();
        let config = &self.workspace.config().delivery;
        let deliveries = Deliveries::start(&store, "shop", config, self.now()).unwrap();
        let delivery = Delivery::new(deliveries, store.dir(), &config.client()).unwrap();
        let delivery = Arc::new(delivery);
        let sizes = engine.recorded_sizes();
        let log = TransitionLog::new(IN_MEMORY, engine.take_recorded(), sizes);
        let log = Arc::new(log);
        let (clock, told) = (Arc::clone(&self.clock), Arc::clone(&delivery));
        let noted = Arc::clone(&log);
        let options = LiveOptions {
            clock: Arc::new(move || Timestamp(clock.load(Ordering::Relaxed))),
            queue: 16,
            behind: 10_000,
            unmoved: 1_000_000,
            threads: 2,
            move_after: 1_000,
            on_transitions: Box::new(move |transitions| {
                noted.add(transitions);
                told.add(transitions);
            }),
        };
        (
            Live::start(self.workspace.clone(), store, engine, options).unwrap(),
            delivery,
            log,
        )
    }

    pub(crate) async fn serve(&self) -> Served {
        self.serve_with(ServerOptions::default()).await
    }

    /// A server with options of the test's own.
    pub(crate) async fn serve_with(&self, options: ServerOptions) -> Served {
        let (live, delivery, log) = self.live();
        let access = Access::load(&self.workspace.data_dir()).unwrap();
        let server = Server::new(live, access, log, options).with_delivery(delivery);
        let running = serve(server, bind("127.0.0.1:0".parse().unwrap()).unwrap()).unwrap();
        let address = running.address();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let until = async {
                let _ = stopped.await;
            };
            running.until(until).await
        });
        Served {
            address,
            stop,
            task,
            write_key: self.write_key.clone(),
            token: self.token.clone(),
        }
    }

    pub(crate) fn cart(&self) -> Value {
        self.event(
            "Product Added",
            0,
            &json!({"cart_id": "k-1", "product_id": "coat", "price": 140, "quantity": 1}),
        )
    }

    pub(crate) fn order(&self, after_ms: i64) -> Value {
        let products = json!([{"product_id": "coat", "price": 140, "quantity": 1}]);
        let properties =
            json!({"order_id": "o-1", "cart_id": "k-1", "total": 140, "products": products});
        self.event("Order Completed", after_ms, &properties)
    }

    /// A customer searches, so many milliseconds after the start.
    pub(crate) fn search(&self, customer: &str, after_ms: i64) -> Value {
        let mut event = self.event("Products Searched", after_ms, &json!({"query": "coat"}));
        event["userId"] = customer.into();
        event["messageId"] = format!("{customer} {after_ms}").into();
        event
    }

    fn event(&self, name: &str, after_ms: i64, properties: &Value) -> Value {
        json!({
            "type": "track",
            "userId": "c-17",
            "messageId": format!("{name} {after_ms}"),
            "event": name,
            "timestamp": Timestamp(self.start + after_ms).to_string(),
            "properties": properties,
        })
    }
}

fn calling_loopback(config: &Config) -> Config {
    let mut config = config.clone();
    let loopback = vec!["127.0.0.0/8".parse().unwrap()];
    config.delivery.guard.allow_private_targets = loopback;
    config
}

impl Served {
    /// Sends an event, which must be taken.
    pub(crate) async fn send(&self, event: Value) {
        let body = json!({"writeKey": self.write_key, "batch": [event]});
        let (status, answer) = self.ask("POST", "/v1/batch", Some(&body)).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// Asks the API as admin.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.ask_as(&self.token, method, path, body).await
    }

    pub(crate) async fn ask_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let (status, body) = self.text_as(token, method, path, body).await;
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    /// What `/metrics` says.
    pub(crate) async fn metrics(&self) -> String {
        self.text_as(&self.token, "GET", "/metrics", None).await.1
    }

    async fn text_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, String) {
        let body = body.map(Value::to_string).unwrap_or_default();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer {token}\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    /// What a path tells, once it is as wanted.
    pub(crate) async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let found = async {
            loop {
                let (status, answer) = self.ask("GET", path, None).await;
                assert_eq!(status, 200, "{answer}");
                if wanted(&answer) {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let found = tokio::time::timeout(Duration::from_secs(30), found);
        found
            .await
            .unwrap_or_else(|_| panic!("{path} never is as wanted"))
    }

    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        let server = self.task.await.unwrap();
        tokio::task::spawn_blocking(move || server.stop().unwrap())
            .await
            .unwrap();
    }
}
