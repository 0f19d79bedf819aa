//! Checks all tests: no personal value is ever logged, counted, in an error's body, or in clear in
//! the database. The tests' people are those of `people.rs`. A test fails if it finds one of them
//! where it must not be.

use std::io::{self, Read as _, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, Once, PoisonError};
use std::time::Duration;

use regex::bytes::Regex;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tracing::Level;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

use super::postgres::{Database, RUNTIME};

/// Values that only `people.rs` makes. PostgreSQL reads the pattern as Rust does.
const PERSONAL: &str = r"Penhallow|Okonedo|Tregarth|Vanstone|Quillfeather|Ashgrove|Marlpit|Fenwright|Drummore|AB[0-9]{6}C|[.][0-9]+@example[.]com|Sample Street|01632 96[0-9]{4}|07700 9000";

static PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new(PERSONAL).unwrap());
/// Lines of the log that contain a personal value.
static LEAKED: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// Everything that was logged since the listening began.
static HEARD: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static LISTENING: AtomicBool = AtomicBool::new(false);

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(found) = found(bytes) {
            LEAKED.lock().unwrap_or_else(PoisonError::into_inner).push(found);
        }
        if LISTENING.load(Ordering::Relaxed) {
            HEARD.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

/// Begins to read the log, once in a process.
pub fn watch() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        // All of it only for listeners, because it is slow.
        let wanted = dynamic_filter_fn(|event, _| {
            let most = if LISTENING.load(Ordering::Relaxed) { Level::DEBUG } else { Level::INFO };
            *event.level() <= most
        });
        tracing_subscriber::registry()
            .with(fmt::layer().with_ansi(false).with_writer(Log).with_filter(wanted))
            .init();
    });
}

/// Keeps everything that any test of this binary logs from now on.
pub fn listen() {
    watch();
    LISTENING.store(true, Ordering::Relaxed);
    tracing::callsite::rebuild_interest_cache();
}

/// What was logged since [`listen`].
pub fn heard() -> String {
    String::from_utf8_lossy(&HEARD.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

/// A personal value with its surroundings.
fn found(bytes: &[u8]) -> Option<String> {
    let found = PATTERN.find(bytes)?;
    let around = found.start().saturating_sub(300)..bytes.len().min(found.end() + 100);
    Some(String::from_utf8_lossy(bytes.get(around).unwrap_or_default()).into_owned())
}

/// Checks that an error contains no personal values, except the upstream's own words for those who
/// may read them.
#[track_caller]
pub fn check_error(at: &str, body: &Value) {
    let mut body = body.clone();
    if let Some(problem) = body.as_object_mut() {
        problem.remove("upstream");
    }
    let leaked = found(body.to_string().as_bytes());
    assert!(leaked.is_none(), "{at} answers an error with a person's value: {}", leaked.unwrap_or_default());
}

/// Checks a test's log, metrics and database at its end.
pub fn check(database: &Database, address: Option<SocketAddr>) {
    let mut leaked = std::mem::take(&mut *LEAKED.lock().unwrap_or_else(PoisonError::into_inner));
    leaked.extend(address.and_then(metrics).and_then(|text| found(&text)));
    let options = database.options();
    let rows = std::thread::spawn(move || {
        RUNTIME.block_on(async move {
            // A test may have deleted its database.
            let Ok(mut sql) = PgConnection::connect_with(&options).await else { return Vec::new() };
            let tables: Vec<String> =
                sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public'")
                    .fetch_all(&mut sql)
                    .await
                    .unwrap();
            if tables.is_empty() {
                return Vec::new();
            }
            let each =
                tables.iter().map(|table| format!("select '{table} ' || t::text as line from {table} t"));
            // Not in the statement's own text, which may be logged.
            let all = format!(
                "select line from ({}) as dump where line ~ $1 limit 3",
                each.collect::<Vec<_>>().join(" union all ")
            );
            sqlx::query_scalar::<_, String>(AssertSqlSafe(all))
                .bind(PERSONAL)
                .fetch_all(&mut sql)
                .await
                .unwrap()
        })
    });
    leaked.extend(rows.join().expect("the rows can be searched"));
    assert!(leaked.is_empty(), "a person's values are where nobody's may be: {leaked:#?}");
}

/// The text of `/metrics`. `None`: the service has ended.
fn metrics(address: SocketAddr) -> Option<Vec<u8>> {
    let mut line = TcpStream::connect_timeout(&address, Duration::from_secs(2)).ok()?;
    line.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    line.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").ok()?;
    let mut text = Vec::new();
    line.read_to_end(&mut text).ok()?;
    Some(text)
}
