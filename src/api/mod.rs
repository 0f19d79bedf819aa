//! The HTTP API. This file is the only routing table; one file a resource. Handlers are short: extract, call one
//! function, answer a type. Rules are elsewhere.

pub mod ace360;
pub mod address;
pub mod audit;
pub mod bulk;
pub mod changes;
pub mod document;
pub mod etag;
mod examples;
pub mod extract;
#[cfg(test)]
mod field_map;
mod follow;
mod headers;
pub mod health;
pub mod idempotency;
pub mod import;
pub mod intents;
pub mod learners;
pub mod limits;
pub mod officers;
pub mod onefile;
pub mod organisations;
pub mod params;
pub mod problem;
pub mod problems;
pub mod records;
pub mod refusals;
pub mod request;
pub mod run_records;
pub mod runs;
pub mod tokens;
pub mod upstreams;
pub mod webhook_deliveries;
mod webhook_document;
pub mod webhooks;

use metrics_exporter_prometheus::PrometheusHandle;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::ace360::Ace360;
use crate::auth::Auth;
use crate::config::Network;
use crate::onefile::OneFile;
use crate::store::Store;
use crate::webhooks::Webhooks;

use self::document::Routes;

/// What handlers work with; each worker has its own, with a pool of its own.
#[derive(Clone, Debug)]
pub struct State {
    /// Where state is kept.
    pub store: Store,
    /// Tokens.
    pub auth: Auth,
    /// ACE360.
    pub ace360: Ace360,
    /// OneFile.
    pub onefile: OneFile,
    /// How many requests a token may make.
    pub limits: limits::Limits,
    /// What was refused, for the audit.
    pub refusals: refusals::Refusals,
    /// The proxies whose word on where a request comes from is taken.
    pub proxies: std::sync::Arc<[Network]>,
    /// The address that others reach the service at, without a trailing slash.
    pub public_url: String,
    /// The paths that there are, for 405.
    pub routes: std::sync::Arc<Routes>,
    /// What `/metrics` shows.
    pub metrics: PrometheusHandle,
    /// Work that must outlive its request.
    pub background: Background,
}

/// Work that must outlive its request: a client that goes away, or a worker that stops, must not take a half-sent
/// upload with it. It runs on the main runtime, with that runtime's pool and HTTP client, or near its request; a stop waits for it.
#[derive(Clone, Debug)]
pub struct Background {
    /// Of the main runtime.
    pub runtime: tokio::runtime::Handle,
    /// What a stop waits for.
    pub tasks: tokio_util::task::TaskTracker,
    /// What the workers wait for before they stop.
    pub near: tokio_util::task::TaskTracker,
    /// The service stops.
    pub stopping: tokio_util::sync::CancellationToken,
    /// ACE360 over the main runtime's pool and client.
    pub ace360: Ace360,
    /// OneFile over them.
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

    /// The same with ACE360, on the worker's own thread: a person who waits is served without two changes of the thread, and not
    /// after the slices of runs. `here`: the worker's. While the service stops it is the main runtime's, since workers do not wait.
    pub fn spawn_near<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        here: &Ace360,
        work: impl FnOnce(Ace360) -> F,
    ) -> tokio::task::JoinHandle<T> {
        // In this order: a stop that begins in between finds the token, and waits.
        let token = self.near.token();
        if self.stopping.is_cancelled() {
            return self.spawn(work(self.ace360.clone()));
        }
        let work = work(here.clone());
        tokio::task::spawn_local(async move {
            let _token = token;
            work.await
        })
    }
}

/// The routing table. Only `.service()`: what `.route()` adds is served but not documented.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(learners::put)
        .service(learners::get)
        .service(learners::delete)
        .service(learners::list)
        .service(learners::bring)
        .service(officers::put)
        .service(officers::get)
        .service(officers::delete)
        .service(officers::list)
        .service(officers::bring)
        .service(organisations::put)
        .service(organisations::get)
        .service(organisations::delete)
        .service(organisations::list)
        .service(organisations::bring)
        .service(ace360::summary::get)
        .service(ace360::settings::get)
        .service(ace360::settings::put)
        .service(ace360::settings::test)
        .service(ace360::catalogue::standards)
        .service(ace360::catalogue::refresh)
        .service(ace360::catalogue::sectors)
        .service(ace360::learner::read)
        .service(ace360::learner::preview)
        .service(ace360::learner::upload)
        .service(ace360::learner::sync)
        .service(ace360::learner::history)
        .service(ace360::link::put)
        .service(ace360::link::delete)
        .service(ace360::catalogue::sync_all)
        .service(ace360::bulk::upload)
        .service(ace360::bulk::match_records)
        .service(onefile::summary::get)
        .service(onefile::settings::get)
        .service(onefile::settings::put)
        .service(onefile::connection::test)
        .service(onefile::directory::centres)
        .service(onefile::directory::classrooms)
        .service(onefile::directory::assessors)
        .service(onefile::directory::placements)
        .service(onefile::links::list)
        .service(onefile::links::create)
        .service(onefile::link_proposals::candidates)
        .service(onefile::link_proposals::suggest)
        .service(onefile::link_import::bring)
        .service(onefile::links::get)
        .service(onefile::links::delete)
        .service(onefile::qualifications::refresh)
        .service(onefile::qualifications::list)
        .service(onefile::learner::read)
        .service(onefile::learner::preview)
        .service(onefile::learner::enrol)
        .service(onefile::bulk::enrol)
        .service(onefile::exchange::sync)
        .service(onefile::exchange::sync_all)
        .service(onefile::learner_link::put)
        .service(onefile::learner_link::delete)
        .service(onefile::readiness::coverage)
        .service(onefile::readiness::get)
        .service(onefile::readiness::enable)
        .service(onefile::migration::get)
        .service(runs::list)
        .service(runs::get)
        .service(run_records::list)
        .service(runs::cancel)
        .service(runs::retry)
        .service(runs::events)
        .service(intents::list)
        .service(intents::resolve)
        .service(changes::list)
        .service(webhooks::create)
        .service(webhooks::list)
        .service(webhooks::get)
        .service(webhooks::put)
        .service(webhooks::delete)
        .service(webhooks::rotate)
        .service(webhook_deliveries::test)
        .service(webhook_deliveries::list)
        .service(webhook_deliveries::resend)
        .service(tokens::create)
        .service(tokens::list)
        .service(tokens::revoke)
        .service(tokens::jwks)
        .service(audit::list)
        .service(problems::get)
        .service(health::live)
        .service(health::ready)
        .service(health::metrics)
        .service(document::get);
}
