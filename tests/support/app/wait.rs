//! Waiting for what happens in the background.

use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take before a test gives up. Long, since a busy machine is no fault: only what hangs meets it.
pub const PATIENCE: Duration = Duration::from_mins(3);
const POLL: Duration = Duration::from_millis(25);

/// Reads until what it reads is as wanted, and gives it.
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

/// Looks until there is something to see, and gives it.
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
