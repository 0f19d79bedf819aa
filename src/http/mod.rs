//! The only user of reqwest. Every outgoing call uses this module, with time-outs, a limit on the
//! size of the response, no redirects, no proxy from the environment, and a span without personal
//! data. This file calls upstreams, whose addresses the operator sets; `http/guarded.rs` calls
//! addresses that strangers chose.

pub mod address;
pub mod guarded;

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use secrecy::{ExposeSecret as _, SecretString};
use tracing::debug;

/// The largest response that is read. A page of 100 full records has about 300 kB.
const ANSWER_CAP: usize = 8 * 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    /// The full address with the query.
    pub url: String,
    /// A name for spans and metrics, such as `getApprentice`. It is never the address, which may
    /// contain ids.
    pub operation: &'static str,
    /// Header names and secret values.
    pub headers: Vec<(&'static str, SecretString)>,
    pub body: Option<Vec<u8>>,
}

/// A response, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: Option<String>,
    /// As it was sent: seconds or a date.
    pub retry_after: Option<String>,
    /// At most 8 MiB.
    pub body: Vec<u8>,
}

/// The JSON of an answer, which may begin with a byte order mark.
pub fn json<T: serde::de::DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body)).ok()
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Nothing of the request reached the other side.
    #[error("no connection: {0}")]
    NotSent(&'static str),
    /// The request, or a part of it, may have arrived. The response did not.
    #[error("no answer: {0}")]
    Lost(&'static str),
    /// The response is too large. The request did arrive.
    #[error("the answer is too large")]
    TooLarge,
}

/// The client. A process creates it once and clones it.
#[derive(Clone, Debug)]
pub struct Http {
    client: reqwest::Client,
    timeout: Duration,
}

impl Http {
    /// `timeout` limits each full call, including connecting and reading. Fails if the TLS library
    /// cannot start.
    pub fn new(timeout: Duration) -> Result<Self, reqwest::Error> {
        #[allow(clippy::disallowed_methods, reason = "this module builds the clients")]
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("picsbridge/", env!("CARGO_PKG_VERSION")))
            // Longer than the gap between two slices, and shorter than most servers keep an idle
            // connection.
            .pool_idle_timeout(Duration::from_secs(20))
            // outcome.rs decides about retries, because it knows what may be sent twice.
            .retry(reqwest::retry::never())
            .build()?;
        Ok(Self { client, timeout })
    }

    /// The limit of one full call.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Makes the call and reads the full response. Fails if there is no response, or if it is too
    /// large.
    pub async fn send(&self, request: Request) -> Result<Answer, SendError> {
        let operation = request.operation;
        let started = Instant::now();
        let result = self.exchange(request).await;
        let duration_ms = started.elapsed().as_millis();
        match &result {
            Ok(answer) => debug!(operation, status = answer.status, duration_ms, "upstream answered"),
            Err(error) => debug!(operation, %error, duration_ms, "upstream gave no answer"),
        }
        result
    }

    async fn exchange(&self, request: Request) -> Result<Answer, SendError> {
        let mut builder = match request.method {
            Method::Get => self.client.get(&request.url),
            Method::Post => self.client.post(&request.url),
        };
        builder = builder.header("accept", "application/json");
        for (name, value) in &request.headers {
            builder = builder.header(*name, value.expose_secret());
        }
        if let Some(body) = request.body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body);
        }
        #[allow(clippy::disallowed_methods, reason = "this module sends")]
        let mut response = builder.send().await.map_err(|error| classify(&error))?;
        let status = response.status().as_u16();
        let content_type = text(response.headers(), &CONTENT_TYPE);
        let retry_after = text(response.headers(), &RETRY_AFTER);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))? {
            if body.len() + chunk.len() > ANSWER_CAP {
                return Err(SendError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, content_type, retry_after, body })
    }
}

/// The time that a `Retry-After` asks for: seconds, or an HTTP date. `None`: it is unreadable.
pub fn wait_of(retry_after: &str, now: DateTime<Utc>) -> Option<Duration> {
    let text = retry_after.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    Some((date.to_utc() - now).to_std().unwrap_or(Duration::ZERO))
}

fn text(headers: &HeaderMap, name: &reqwest::header::HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// reqwest's error texts may contain the address, so only the kind of the error is kept.
fn classify(error: &reqwest::Error) -> SendError {
    if error.is_connect() {
        SendError::NotSent(if error.is_timeout() {
            "connecting timed out"
        } else {
            "the connection was refused"
        })
    } else if error.is_builder() {
        SendError::NotSent("the request could not be built")
    } else {
        lost(error)
    }
}

fn lost(error: &reqwest::Error) -> SendError {
    SendError::Lost(if error.is_timeout() { "timed out" } else { "the connection broke" })
}
