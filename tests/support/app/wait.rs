//! Waiting for background work.

use std::time::{Duration, Instant};

use serde_json::Value;

/// The longest wait before a test fails. It is long, because a busy machine is no error.
pub const PATIENCE: Duration = Duration::from_mins(3);
const POLL: Duration = Duration::from_millis(25);

pub async fn until_read<F: Future<Output = Value>>(
    what: &str,
    read: impl Fn() -> F,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    let begun = Instant::now();
    loop {
        let body = read().await;
        if wanted(&body) {
            return body;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} is still not as wanted: {body:#}");
        tokio::time::sleep(POLL).await;
    }
}

/// Checks until there is a value, and returns it.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: still not after {PATIENCE:?}");
        tokio::time::sleep(POLL).await;
    }
}
