//! The only place where the parts are put together: the binary and every test come here.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App as ActixApp, HttpServer, web};
use metrics_exporter_prometheus::PrometheusHandle;
use riverqueue::RunHandle;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgPool};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};
use utoipa_actix_web::AppExt as _;
use utoipa_swagger_ui::{Config as SwaggerConfig, SwaggerUi};
use uuid::Uuid;

use crate::ace360::Ace360;
use crate::api::document;
use crate::api::limits::Limits;
use crate::api::paths::Routes;
use crate::api::refusals::Refusals;
use crate::api::{self, Background, State, idempotency, request};
use crate::auth::{Auth, Issuer};
use crate::clock::Clock;
use crate::config::{Config, Network};
use crate::http::Http;
use crate::http::guarded::Guarded;
use crate::onefile::OneFile;
use crate::runs::Runs;
use crate::seal::Sealer;
use crate::store::{self, Store, StoreError};
use crate::telemetry;
use crate::upstream::call::Caller;
use crate::webhooks::Webhooks;

/// Connections of one API worker: its requests hold one each, and briefly.
const WORKER_POOL: u32 = 8;
/// Connections for what must go on however busy the others are: without the revocations every request is refused.
const VITAL_POOL: u32 = 1;
const ACQUIRE: Duration = Duration::from_secs(5);
/// Connections of one API worker; more wait at the door, so that those within are served.
const CONNECTIONS: usize = 4096;
/// How often a process says that it lives, and with which keys.
const BEAT: Duration = Duration::from_secs(30);
/// Requests with a key that is new wait for the trusted issuer's set, and no longer than this.
const ISSUER_CALL: Duration = Duration::from_secs(5);
/// Busy connections are used more often than this.
const QUIET: Duration = Duration::from_secs(1);

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be reached.
    #[error(
        "the database cannot be reached ({0}): check DATABASE_URL, and that PostgreSQL 15 or later runs there"
    )]
    Database(sqlx::Error),
    /// It lacks migrations of this version.
    #[error("the database is not at this version: run `picsbridge migrate` first")]
    NotMigrated,
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address is taken, say.
    #[error(
        "{setting} {address} cannot be listened on ({why}): stop what uses it, or choose another address by {setting} or {flag}"
    )]
    Listen {
        /// Which setting.
        setting: &'static str,
        /// The flag of that name.
        flag: &'static str,
        /// Which address.
        address: SocketAddr,
        /// Why.
        why: std::io::Error,
    },
    /// The TLS library could not start.
    #[error("the HTTP client could not be made: {0}")]
    Http(#[from] reqwest::Error),
    /// River could not start.
    #[error("the job engine could not start: {0}")]
    Jobs(#[from] riverqueue::Error),
    /// Something of the operating system's.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The metrics could not be set up.
    #[error("the metrics could not be set up: {0}")]
    Metrics(String),
}

/// The parts, over a migrated database.
#[derive(Clone, Debug)]
pub struct Parts {
    /// As checked.
    pub config: Arc<Config>,
    /// Over the main pool.
    pub store: Store,
    /// Tokens.
    pub auth: Auth,
    /// ACE360, over the main pool.
    pub ace360: Ace360,
    /// OneFile, over the main pool.
    pub onefile: OneFile,
    /// The run engine.
    pub runs: Runs,
    /// What delivers changes to webhooks.
    pub webhooks: Webhooks,
    refusals: Refusals,
    stopping: CancellationToken,
    tasks: TaskTracker,
    /// What runs on the API's workers and must come to its end.
    near: TaskTracker,
    connect: PgConnectOptions,
}

/// Opens a pool of at most `size` connections.
///
/// # Errors
/// The database cannot be reached.
pub async fn connect(options: &PgConnectOptions, size: u32) -> Result<PgPool, StartError> {
    pool_options(size).connect_with(options.clone()).await.map_err(StartError::Database)
}

fn pool_options(size: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(ACQUIRE)
        // The look costs a round trip a request; a connection that died is found out by its use.
        .test_before_acquire(false)
        // But one that has been quiet for a while may have died with a server that was restarted: it is asked first.
        .before_acquire(|connection, meta| {
            Box::pin(async move { Ok(meta.idle_for < QUIET || connection.ping().await.is_ok()) })
        })
        .idle_timeout(Duration::from_mins(5))
}

impl Parts {
    /// Puts the parts together.
    ///
    /// # Errors
    /// The database, its migrations, its keys.
    pub async fn build(
        config: Config,
        connect_to: PgConnectOptions,
        sealer: Sealer,
        migrate: bool,
    ) -> Result<Self, StartError> {
        let pool = connect(&connect_to, config.job_connections).await?;
        if migrate {
            store::migrate(&pool).await?;
        } else if !store::is_migrated(&pool).await? {
            return Err(StartError::NotMigrated);
        }
        let store = Store::open(pool, sealer).await?;
        let clock = Clock::default();
        let issuer = match &config.trusted {
            Some(rules) => {
                let http = Http::new(config.timings.call.min(ISSUER_CALL))?;
                Some(Issuer::new(rules.clone(), http, clock.clone()))
            }
            None => None,
        };
        let auth = Auth::open(&store, clock, issuer).await?;
        let caller = Caller::new(Http::new(config.timings.call)?, store.clone());
        let onefile =
            OneFile::new(store.clone(), caller.clone(), config.upstreams.clone(), config.timings.clone());
        let ace360 = Ace360::new(store.clone(), caller, config.upstreams.clone(), config.timings.clone());
        let stopping = CancellationToken::new();
        let runs = Runs::new(
            store.clone(),
            ace360.clone(),
            onefile.clone(),
            config.timings.clone(),
            config.retention,
            stopping.clone(),
        );
        let guarded = Guarded::new(config.timings.call, config.webhook_allow_private)?;
        let webhooks = Webhooks::new(store.clone(), guarded, &config.timings, stopping.clone());
        Ok(Self {
            config: Arc::new(config),
            store,
            auth,
            ace360,
            onefile,
            runs,
            webhooks,
            refusals: Refusals::default(),
            stopping,
            tasks: TaskTracker::new(),
            near: TaskTracker::new(),
            connect: connect_to,
        })
    }

    /// Serves the API on a bound listener, with `workers` threads, each with a pool of its own.
    ///
    /// # Errors
    /// The listener cannot be used.
    pub fn serve(&self, listener: TcpListener, workers: usize) -> Result<Server, StartError> {
        let address = listener.local_addr()?;
        let public_url = self.config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        let routes = Arc::new(Routes::of(&document()));
        let background = Background {
            runtime: tokio::runtime::Handle::current(),
            tasks: self.tasks.clone(),
            near: self.near.clone(),
            stopping: self.stopping.clone(),
            ace360: self.ace360.clone(),
            onefile: self.onefile.clone(),
            webhooks: self.webhooks.clone(),
        };
        let metrics = telemetry::metrics().map_err(StartError::Metrics)?;
        tokio::spawn(keep_metrics_small(metrics.clone(), self.stopping.clone()));
        let parts = self.clone();
        let limits = Limits::new(self.config.requests_per_minute);
        let proxies: Arc<[Network]> = self.config.trusted_proxies.clone().into();
        let http = Http::new(self.config.timings.call)?;
        let server = HttpServer::new(move || {
            let store = parts.store.over(pool_options(WORKER_POOL).connect_lazy_with(parts.connect.clone()));
            // A client that cannot be made anew (it could a moment ago) is shared instead.
            let http = Http::new(parts.config.timings.call).unwrap_or_else(|_| http.clone());
            let caller = Caller::new(http, store.clone());
            let state = State {
                ace360: parts.ace360.over(store.clone(), caller.clone()),
                onefile: parts.onefile.over(store.clone(), caller),
                store,
                auth: parts.auth.clone(),
                limits: limits.clone(),
                refusals: parts.refusals.clone(),
                proxies: Arc::clone(&proxies),
                public_url: public_url.clone(),
                routes: Arc::clone(&routes),
                metrics: metrics.clone(),
                background: background.clone(),
            };
            let cors = cross_origin(&parts.config.cors_origins);
            let (app, _) = ActixApp::new()
                .into_utoipa_app()
                .openapi(document::base())
                .app_data(web::Data::new(state))
                .configure(api::routes)
                .split_for_parts();
            app.service(web::redirect("/docs", "/docs/"))
                .service(
                    SwaggerUi::new("/docs/{_:.*}").config(
                        SwaggerConfig::from("/openapi.json")
                            .persist_authorization(true)
                            .try_it_out_enabled(true)
                            .display_request_duration(true),
                    ),
                )
                .default_service(web::to(request::nowhere))
                .wrap(from_fn(idempotency::around))
                .wrap(Compress::default())
                .wrap(from_fn(request::around))
                .wrap(cors)
        })
        .workers(workers)
        .max_connections(CONNECTIONS)
        .disable_signals()
        .shutdown_timeout(self.config.timings.shutdown.as_secs().max(1))
        // Slow senders: the headers must be here within this.
        .client_request_timeout(Duration::from_secs(10))
        .listen(listener)?
        .run();
        Ok(server)
    }

    /// Writes what was refused and only counted so far into the audit.
    pub async fn flush_refusals(&self) {
        self.refusals.flush(&self.store, true).await;
    }

    /// Begins what every process does in the background: reading revocations, if `work`, working jobs and delivering to
    /// webhooks, and saying that it lives.
    ///
    /// # Errors
    /// The job engine's.
    pub fn start_background(&self, work: bool) -> Result<Running, StartError> {
        let vital = self.store.over(pool_options(VITAL_POOL).connect_lazy_with(self.connect.clone()));
        let pulse =
            tokio::spawn(self.auth.clone().keep_reading(vital.clone(), self.config.timings.revocations));
        let rereading = tokio::spawn(self.auth.clone().keep_rereading());
        let (jobs, tick) = if work {
            // A stop waits for what is being sent.
            self.tasks.spawn(self.webhooks.clone().keep_delivering());
            (Some(self.runs.start()?), Some(tokio::spawn(self.runs.clone().keep_ticking())))
        } else {
            (None, None)
        };
        let process = store::new_id();
        let beat = tokio::spawn(keep_beating(vital, self.refusals.clone(), process, work));
        Ok(Running { parts: self.clone(), process, beat, pulse, rereading, jobs, tick })
    }
}

/// What runs in the background of a process.
#[derive(Debug)]
pub struct Running {
    parts: Parts,
    process: Uuid,
    beat: JoinHandle<()>,
    pulse: JoinHandle<()>,
    rereading: JoinHandle<()>,
    jobs: Option<RunHandle>,
    tick: Option<JoinHandle<()>>,
}

impl Running {
    /// Stops: slices end at their next step, uploads under way come to their end, all within the shutdown time; what still
    /// runs then is left to its lease. The API's workers go when nothing is being sent on them.
    pub async fn stop(self, server: Option<ServerHandle>) {
        self.parts.stopping.cancel();
        let (near, limit) = (self.parts.near.clone(), self.parts.config.timings.shutdown);
        near.close();
        let serving = async {
            if let Some(server) = server {
                let _ = tokio::time::timeout(limit, near.wait()).await;
                server.stop(true).await;
            }
        };
        // It holds all parts, several times over: more than belongs on a stack.
        tokio::join!(serving, Box::pin(self.end()));
    }

    async fn end(mut self) {
        let limit = self.parts.config.timings.shutdown;
        self.parts.tasks.close();
        let jobs = async {
            if let Some(jobs) = &mut self.jobs
                && let Err(error) = jobs.stop().await
            {
                error!(%error, "the job engine did not stop cleanly");
            }
        };
        let ended = tokio::time::timeout(limit, async { tokio::join!(jobs, self.parts.tasks.wait()) }).await;
        if ended.is_err() {
            warn!("some work did not end in time; it is taken up again after its lease");
        }
        self.pulse.abort();
        self.rereading.abort();
        self.beat.abort();
        let _ = tokio::time::timeout(Duration::from_secs(1), self.parts.flush_refusals()).await;
        let goodbye = self.parts.store.leave(self.process);
        // A row that stays is taken for a dead process's after minutes.
        let _ = tokio::time::timeout(Duration::from_secs(1), goodbye).await;
        if let Some(tick) = &self.tick {
            tick.abort();
        }
        // Pools say goodbye to the server; one that hangs must not hold us up.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.parts.store.close()).await;
        info!("stopped");
    }
}

/// What scripts on other origins may do: those that the operator named call as everybody does; others are not answered in a way
/// that their browser lets them read.
fn cross_origin(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "PUT", "POST", "DELETE"])
        .allowed_headers([
            "authorization",
            "content-type",
            "idempotency-key",
            "if-match",
            "if-none-match",
            "prefer",
            "x-request-id",
        ])
        .expose_headers([
            "etag",
            "idempotent-replayed",
            "location",
            "ratelimit",
            "ratelimit-policy",
            "retry-after",
            "x-request-id",
        ])
        // A wrong origin's call is answered without the headers, and its browser keeps the answer to itself; programs have no origin.
        .block_on_origin_mismatch(false)
        .max_age(3600);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// Says now and then that this process lives.
async fn keep_beating(store: Store, refusals: Refusals, process: Uuid, works: bool) {
    let mut beats = tokio::time::interval(BEAT);
    beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        if let Err(error) = store.beat(process, works).await {
            warn!(%error, "this process could not say that it lives; it tries again");
        }
        refusals.flush(&store, false).await;
    }
}

/// Each request leaves its time behind, for the next reader of `/metrics`: without this they would pile up where nobody reads.
async fn keep_metrics_small(metrics: PrometheusHandle, stopping: CancellationToken) {
    let mut ticks = tokio::time::interval(Duration::from_secs(5));
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            _ = ticks.tick() => metrics.run_upkeep(),
        }
    }
}

/// The API's document, collected from the routing table.
pub fn document() -> utoipa::openapi::OpenApi {
    let (_, mut api) =
        ActixApp::new().into_utoipa_app().openapi(document::base()).configure(api::routes).split_for_parts();
    document::finish(&mut api);
    api
}
