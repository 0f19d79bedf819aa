//! A proxy in front of PostgreSQL that counts round trips. Each round trip ends with the server's
//! message `ReadyForQuery`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// The type byte of `ReadyForQuery`.
const READY_FOR_QUERY: u8 = b'Z';

pub struct DatabaseProxy {
    url: Url,
    trips: Arc<AtomicU64>,
}

impl DatabaseProxy {
    /// Listens on a loopback port, and forwards connections to this database.
    pub async fn start(database_url: &str) -> Self {
        let mut url = Url::parse(database_url).unwrap();
        let target = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(address.port())).unwrap();
        let trips = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&trips);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&target).await.unwrap();
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(forward(from_client, to_server, None));
                tokio::spawn(forward(from_server, to_client, Some(Arc::clone(&counter))));
            }
        });
        Self { url, trips }
    }

    pub fn url(&self) -> String {
        self.url.to_string()
    }

    pub fn trips(&self) -> u64 {
        self.trips.load(Ordering::Relaxed)
    }
}

/// Copies bytes until either side closes, and counts `ReadyForQuery` messages. Each message of the
/// server starts with a type byte and a length of four bytes, which includes the length itself.
async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, trips: Option<Arc<AtomicU64>>) {
    let mut buffer = vec![0; 64 * 1024];
    let mut header = Vec::with_capacity(5);
    let mut body_left = 0;
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if let Some(trips) = &trips {
            for byte in &buffer[..count] {
                if body_left > 0 {
                    body_left -= 1;
                    continue;
                }
                header.push(*byte);
                if let [kind, a, b, c, d] = header[..] {
                    body_left = u32::from_be_bytes([a, b, c, d]) - 4;
                    trips.fetch_add(u64::from(kind == READY_FOR_QUERY), Ordering::Relaxed);
                    header.clear();
                }
            }
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
