//! Real processes of the service with a test's database and sandbox, which a test may kill, and a
//! client that tolerates missing processes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::support::TestApp;
use crate::support::app::{MASTER_KEY, PATIENCE};

/// Short times, so that lost work is found within seconds. All tests with processes use them.
pub const TIMINGS: &str =
    "call=1s,lease=2s,slice=1s,job=3s,rescue=4s,tick=500ms,retry=200ms,absence=3s,shutdown=1s";
static LOGS: AtomicU32 = AtomicU32::new(0);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Serves the API and works jobs.
    Whole,
    Api,
    Worker,
}

/// What the processes share.
#[derive(Clone, Debug)]
pub struct Place {
    pub database_url: String,
    pub sandbox_url: String,
    pub timings: String,
    pub master_key: String,
}

impl Place {
    pub fn of(app: &TestApp) -> Self {
        Self {
            database_url: app.database_url(),
            sandbox_url: app.sandbox_url(),
            timings: TIMINGS.to_owned(),
            master_key: MASTER_KEY.to_owned(),
        }
    }
}

/// One process of the service. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// The address of its API.
    pub url: Option<String>,
    log: PathBuf,
}

impl Process {
    /// Starts a process, and waits until it is ready.
    pub async fn start(place: &Place, role: Role) -> Self {
        let log = std::env::temp_dir().join(format!(
            "picsbridge-process-{}-{}.log",
            std::process::id(),
            LOGS.fetch_add(1, Ordering::Relaxed)
        ));
        let arguments = match role {
            Role::Whole => ["serve", "--no-migrate"].as_slice(),
            Role::Api => &["serve", "--no-migrate", "--no-worker"],
            Role::Worker => &["worker"],
        };
        let mut child = program(place, arguments)
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some(url) = line.trim().strip_prefix("API ") {
                    return Some(Some(url.trim().to_owned()));
                }
                if line.contains("works jobs") {
                    return Some(None);
                }
            }
            None
        };
        let Some(url) = tokio::time::timeout(PATIENCE, ready).await.expect("the process is ready in time")
        else {
            panic!("the process ended: {}", std::fs::read_to_string(&log).unwrap_or_default());
        };
        // It writes a few more lines, and must not find the pipe closed.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, url, log }
    }

    /// Sends SIGKILL. The process has ended when this returns.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Sends a signal, such as `STOP` or `CONT`.
    pub async fn signal(&self, name: &str) {
        let pid = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().await.unwrap();
        assert!(sent.success(), "kill -s {name} {pid}");
    }

    pub fn url(&self) -> &str {
        self.url.as_deref().expect("it answers the API")
    }

    /// The last lines of its log.
    pub fn last_words(&self, lines: usize) -> String {
        last_lines(&self.log, lines)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            #[allow(clippy::print_stderr, reason = "what a failed test's process had to say")]
            {
                eprintln!("--- {} ---\n{}", self.log.display(), self.last_words(40));
            }
        }
        let _ = std::fs::remove_file(&self.log);
    }
}

fn program(place: &Place, arguments: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_picsbridge"));
    program
        .args(arguments)
        // Without the settings of the person who runs the tests.
        .env_clear()
        .env("DATABASE_URL", &place.database_url)
        .env("PICSBRIDGE_MASTER_KEY", &place.master_key)
        .env("PICSBRIDGE_SANDBOX_URL", &place.sandbox_url)
        .env("PICSBRIDGE_LISTEN", "127.0.0.1:0")
        .env("PICSBRIDGE_TIMINGS", &place.timings)
        .env("PICSBRIDGE_ACE360_CALLS_PER_MINUTE", "60000")
        .env("PICSBRIDGE_ONEFILE_CALLS_PER_MINUTE", "60000")
        .env("PICSBRIDGE_REQUESTS_PER_MINUTE", "off")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    program
}

/// Runs a command to its end, and returns its output.
pub async fn command(place: &Place, arguments: &[&str]) -> String {
    let ended = tokio::time::timeout(PATIENCE, program(place, arguments).output());
    let output = ended.await.expect("the command ends in time").unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn last_lines(path: &Path, count: usize) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(count)..];
    // Each kind of error once, however long ago.
    let errors: BTreeSet<&str> =
        lines.iter().filter_map(|line| line.find("ERROR").map(|at| &line[at..])).collect();
    errors.into_iter().chain(last.iter().copied()).collect::<Vec<_>>().join("\n")
}

/// A response, or that there was none.
#[derive(Clone, Debug)]
pub struct Reply {
    /// `None`: the process was dead, or died.
    pub status: Option<u16>,
    pub body: Value,
}

impl Reply {
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// Calls processes that may be dead.
#[derive(Clone, Debug)]
pub struct Caller {
    http: reqwest::Client,
    token: String,
}

impl Caller {
    pub fn of(app: &TestApp) -> Self {
        Self::with_token(app.token())
    }

    pub fn with_token(token: &str) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .retry(reqwest::retry::never())
            .timeout(PATIENCE)
            .build()
            .unwrap();
        Self { http, token: token.to_owned() }
    }

    pub async fn call(&self, method: Method, url: String, body: Option<&Value>) -> Reply {
        let mut request = self.http.request(method, url).bearer_auth(&self.token).header("prefer", "wait=4");
        if let Some(body) = body {
            request = request.json(body);
        }
        Self::send(request).await
    }

    pub async fn post_keyed(&self, url: String, key: &str, body: &Value) -> Reply {
        let request = self.http.post(url).bearer_auth(&self.token).header("idempotency-key", key);
        Self::send(request.json(body)).await
    }

    async fn send(request: reqwest::RequestBuilder) -> Reply {
        let gone = Reply { status: None, body: Value::Null };
        let Ok(response) = request.send().await else { return gone };
        let status = response.status().as_u16();
        match response.text().await {
            Ok(text) => Reply { status: Some(status), body: serde_json::from_str(&text).unwrap_or_default() },
            Err(_) => gone,
        }
    }

    pub async fn post(&self, url: String, body: &Value) -> Reply {
        self.call(Method::POST, url, (!body.is_null()).then_some(body)).await
    }

    pub async fn upload(&self, base: &str, learner: &str) -> Reply {
        self.post(format!("{base}/learners/{learner}/ace360"), &Value::Null).await
    }
}
