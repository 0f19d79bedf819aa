//! A webhook receiver as a third party would write it: it accepts only signed messages. Also the
//! common start of webhook tests.

use std::sync::{Arc, Mutex};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use picsbridge::domain::{Change, ChangeType, Subject};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::app::{PATIENCE, Tenant};
use crate::support::postgres::RUNTIME;
use crate::support::{TestApp, on_runtime};

/// A message that arrived.
#[derive(Clone, Debug)]
pub struct Message {
    pub id: String,
    pub timestamp: i64,
    pub signatures: Vec<String>,
    pub head: String,
    pub bytes: Vec<u8>,
    pub body: Value,
}

impl Message {
    /// The number of its signatures that this secret made.
    pub fn signed_by(&self, secret: &Value) -> usize {
        let key = secret.as_str().unwrap().strip_prefix("whsec_").expect("a secret");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(key).unwrap());
        let signed = [format!("{}.{}.", self.id, self.timestamp).as_bytes(), &self.bytes].concat();
        let made = format!("v1,{}", STANDARD.encode(hmac::sign(&key, &signed)));
        self.signatures.iter().filter(|own| **own == made).count()
    }

    pub fn subject(&self) -> &str {
        self.body["data"]["subject"]["id"].as_str().unwrap()
    }
}

/// What the receiver does with a message.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    With(u16, &'static str, String),
    /// It does not answer until the other side gives up.
    Silence,
}

type Manners = Arc<Mutex<Arc<dyn Fn(&Message) -> Reply + Send + Sync>>>;

/// Listens on its own port on this machine.
pub struct Receiver {
    pub url: String,
    manners: Manners,
    got: watch::Receiver<Vec<Message>>,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    pub async fn start() -> Self {
        let manners: Manners = Arc::new(Mutex::new(Arc::new(|_| Reply::Status(200))));
        let (sender, got) = watch::channel(Vec::new());
        let own = Arc::clone(&manners);
        let listener = on_runtime(TcpListener::bind("127.0.0.1:0")).await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let task = RUNTIME.spawn(async move {
            let sender = Arc::new(sender);
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&own), Arc::clone(&sender)));
            }
        });
        Self { url, manners, got, task }
    }

    /// Sets the receiver's answer from now on.
    pub fn answers(&self, manners: impl Fn(&Message) -> Reply + Send + Sync + 'static) {
        *self.manners.lock().unwrap() = Arc::new(manners);
    }

    pub fn got(&self) -> Vec<Message> {
        self.got.borrow().clone()
    }

    pub fn subjects(&self) -> Vec<String> {
        self.got().iter().map(|message| message.subject().to_owned()).collect()
    }

    /// Waits until this number of messages has arrived.
    pub async fn wait(&self, count: usize) {
        let mut got = self.got.clone();
        let enough = got.wait_for(|got| got.len() >= count);
        tokio::time::timeout(PATIENCE, enough).await.expect("they arrive").unwrap();
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, manners: Manners, got: Arc<watch::Sender<Vec<Message>>>) {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes.drain(..end + 4).collect()).unwrap();
            let length: usize = header(&head, "content-length").parse().unwrap();
            break (head, length);
        }
    };
    while bytes.len() < length {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let message = Message {
        id: header(&head, "webhook-id"),
        timestamp: header(&head, "webhook-timestamp").parse().unwrap(),
        signatures: header(&head, "webhook-signature").split(' ').map(str::to_owned).collect(),
        body: serde_json::from_slice(&bytes).unwrap(),
        head,
        bytes,
    };
    let manners = Arc::clone(&manners.lock().unwrap());
    let reply = manners(&message);
    got.send_modify(|got| got.push(message));
    let (status, header) = match reply {
        Reply::Status(status) => (status, String::new()),
        Reply::With(status, name, value) => (status, format!("{name}: {value}\r\n")),
        Reply::Silence => {
            let mut rest = [0; 1];
            let _ = stream.read(&mut rest).await;
            return;
        }
    };
    let answer =
        format!("HTTP/1.1 {status} Said\r\n{header}content-length: 2\r\nconnection: close\r\n\r\nok");
    let _ = stream.write_all(answer.as_bytes()).await;
}

fn header(head: &str, name: &str) -> String {
    let line = head.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}:")));
    line.unwrap_or_else(|| panic!("no {name} in {head}")).split_once(':').unwrap().1.trim().to_owned()
}

/// An app whose webhooks may go to this machine. The test calls the deliveries.
pub async fn app() -> TestApp {
    app_with("").await
}

/// The same app with these timings.
pub async fn app_with(timings: &str) -> TestApp {
    let builder = TestApp::builder().timings(timings);
    builder.setting(|raw| raw.webhook_allow_private = Some("yes".to_owned())).start().await
}

/// A webhook to a receiver, with its secret. `more` overrides the rest of the body.
pub async fn webhook(app: &TestApp, receiver: &Receiver, more: Value) -> Value {
    let mut body = json!({"url": receiver.url});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.post("/webhooks", &body).await.expect(201)
}

pub fn path(webhook: &Value) -> String {
    format!("/webhooks/{}", webhook["id"].as_str().unwrap())
}

/// Adds a change for a learner.
pub async fn change(app: &TestApp, type_: &'static str, learner: &str) {
    change_of(app, &app.tenant, type_, learner).await;
}

pub async fn change_of(app: &TestApp, tenant: &Tenant, type_: &'static str, learner: &str) {
    let (store, provider, subject) = (app.parts.store.clone(), tenant.provider.id, Subject::learner(learner));
    let change = Change::example(ChangeType::parse(type_).expect("a type that there is"));
    on_runtime(async move {
        let mut tx = store.begin().await.unwrap();
        store.log_change(&mut tx, provider, subject, change).await.unwrap();
        tx.commit().await.unwrap();
    })
    .await;
}

/// Moves the clock, and delivers what is due.
pub async fn later(app: &TestApp, by: TimeDelta) {
    app.clock_advance(by).await;
    app.deliver().await;
}

/// A webhook's deliveries, newest first.
pub async fn deliveries(app: &TestApp, webhook: &Value) -> Vec<Value> {
    let list = app.get(&format!("{}/deliveries", path(webhook))).await.expect(200);
    list["items"].as_array().unwrap().clone()
}
