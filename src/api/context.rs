//! The state that handlers use.

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

/// The state that handlers use. Each worker has its own, with its own connection pool.
#[derive(Clone, Debug)]
pub struct State {
    pub store: Store,
    pub auth: Auth,
    pub ace360: Ace360,
    pub onefile: OneFile,
    /// The request limit of each token.
    pub limits: Limits,
    /// Counts refused calls for the audit.
    pub refusals: Refusals,
    /// The proxies whose forwarding headers are trusted.
    pub proxies: Arc<[IpNet]>,
    /// The public address of the service, without a trailing slash.
    pub public_url: String,
    /// The paths of the API, for 405 responses.
    pub routes: Arc<Routes>,
    pub metrics: PrometheusHandle,
    /// Work that must outlive its request.
    pub background: Background,
}

/// Work that must outlive its request. A client that disconnects, or a worker that stops, must not
/// abort a half-sent upload. The work runs on the main runtime, with that runtime's pool and HTTP
/// client, and a shutdown waits for it.
#[derive(Clone, Debug)]
pub struct Background {
    pub runtime: tokio::runtime::Handle,
    /// The tasks that a shutdown waits for.
    pub tasks: TaskTracker,
    /// ACE360 on the main runtime's pool and client.
    pub ace360: Ace360,
    pub onefile: OneFile,
    pub webhooks: Webhooks,
}

impl Background {
    /// Starts work that must complete.
    pub fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.tasks.spawn_on(work, &self.runtime)
    }
}
