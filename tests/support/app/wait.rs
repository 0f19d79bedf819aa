//! Waiting for what happens in the background.

use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(25);

pub async fn until<F: Future<Output = Value>>(
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
