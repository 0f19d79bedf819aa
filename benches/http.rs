//! A very light HTTP client, so that its own cost does not hide what it measures. It keeps one
//! connection open, sends prepared bytes, and reads responses by their content-length.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Returns the bytes of a request.
pub fn request(method: &str, path: &str, token: Option<&str>, kind: &str, body: &[u8]) -> Vec<u8> {
    let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let mut bytes = format!(
        "{method} {path} HTTP/1.1\r\nhost: bench\r\n{authorization}content-type: {kind}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// An open connection to a server.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::with_capacity(16 * 1024) }
    }

    /// Sends a request and reads the status and the body of the response.
    pub async fn exchange(&mut self, request: &[u8]) -> (u16, &[u8]) {
        self.stream.write_all(request).await.unwrap();
        self.buffer.clear();
        let (status, begin, length) = loop {
            self.more().await;
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break (status(&self.buffer), end + 4, content_length(&self.buffer[..end]));
            }
        };
        while self.buffer.len() < begin + length {
            self.more().await;
        }
        (status, &self.buffer[begin..])
    }

    async fn more(&mut self) {
        let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
        assert!(read > 0, "the server closed the connection");
    }
}

fn status(head: &[u8]) -> u16 {
    std::str::from_utf8(&head[9..12]).unwrap().parse().unwrap()
}

fn content_length(head: &[u8]) -> usize {
    let text = std::str::from_utf8(head).unwrap();
    let line = text
        .lines()
        .find(|line| line.get(..15).is_some_and(|name| name.eq_ignore_ascii_case("content-length:")));
    // A 204 has no content-length.
    line.map_or(0, |line| line[15..].trim().parse().unwrap())
}

/// A JSON client for calls that need no exact timing.
#[derive(Debug)]
pub struct Api {
    address: SocketAddr,
    connection: Connection,
    used: Instant,
    token: Option<String>,
}

impl Api {
    pub async fn open(address: SocketAddr, token: Option<&str>) -> Self {
        Self {
            address,
            connection: Connection::open(address).await,
            used: Instant::now(),
            token: token.map(str::to_owned),
        }
    }

    pub async fn call(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
        let answer = self.bytes(method, path, "application/json", &body).await;
        serde_json::from_slice(answer).unwrap_or_default()
    }

    pub async fn bytes(&mut self, method: &str, path: &str, kind: &str, body: &[u8]) -> &[u8] {
        let request = request(method, path, self.token.as_deref(), kind, body);
        // A server closes a connection after five idle seconds.
        if self.used.elapsed() > Duration::from_secs(2) {
            self.connection = Connection::open(self.address).await;
        }
        let (status, answer) = self.connection.exchange(&request).await;
        self.used = Instant::now();
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {}",
            String::from_utf8_lossy(answer)
        );
        answer
    }

    /// Returns the total time of upstream calls in seconds, and their number, from `/metrics`.
    pub async fn upstream_seconds(&mut self) -> (f64, f64) {
        let text = self.bytes("GET", "/metrics", "text/plain", b"").await.to_vec();
        let text = String::from_utf8(text).unwrap();
        let sum = |prefix: &str| -> f64 {
            text.lines()
                .filter(|line| line.starts_with(prefix))
                .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
                .sum()
        };
        (sum("picsbridge_upstream_seconds_sum"), sum("picsbridge_upstream_seconds_count"))
    }
}
