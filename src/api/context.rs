//! What handlers work with.

use std::sync::Arc;

use ipnet::IpNet;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::task::TaskTracker;

use super::limits::Limits;
use super::paths::Routes;
use super::refusals::Refusals;
use crate::ace360::Ace360;
use crate::auth::Auth;
use crate::onefile::OneFile;
use crate::store::Store;
use crate::webhooks::Webhooks;

/// What handlers work with; each worker has its own, with a pool of its own.
#[derive(Clone, Debug)]
pub struct State {
    /// Where state is kept.
    pub store: Store,
    pub auth: Auth,
    pub ace360: Ace360,
    pub onefile: OneFile,
    /// How many requests a token may make.
    pub limits: Limits,
    /// What was refused, for the audit.
    pub refusals: Refusals,
    /// The proxies whose word on where a request comes from is taken.
    pub proxies: Arc<[IpNet]>,
    /// The address that others reach the service at, without a trailing slash.
    pub public_url: String,
    /// The paths that there are, for 405.
    pub routes: Arc<Routes>,
    pub metrics: PrometheusHandle,
    /// Work that must outlive its request.
    pub background: Background,
}

/// Work that must outlive its request: a client that goes away, or a worker that stops, must not take a half-sent
/// upload with it. It runs on the main runtime, with that runtime's pool and HTTP client; a stop waits for it.
#[derive(Clone, Debug)]
pub struct Background {
    /// Of the main runtime.
    pub runtime: tokio::runtime::Handle,
    /// What a stop waits for.
    pub tasks: TaskTracker,
    /// ACE360 over the main runtime's pool and client.
    pub ace360: Ace360,
    pub onefile: OneFile,
    /// What sends to webhooks.
    pub webhooks: Webhooks,
}

impl Background {
    /// Begins work that must come to its end.
    pub fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.tasks.spawn_on(work, &self.runtime)
    }
}
