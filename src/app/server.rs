//! The HTTP server.

use ipnet::IpNet;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::dev::Server;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App as ActixApp, HttpServer, web};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;
use utoipa_actix_web::AppExt as _;
use utoipa_swagger_ui::{Config as SwaggerConfig, SwaggerUi};

use super::database::pool_options;
use super::document::document;
use super::error::StartError;
use super::parts::Parts;
use crate::api::limits::Limits;
use crate::api::paths::Routes;
use crate::api::{self, Background, State, idempotency, request};
use crate::http::Http;
use crate::telemetry;
use crate::upstream::call::Caller;

/// Connections in the pool of one API worker. Each of its requests holds one, briefly.
const WORKER_POOL: u32 = 8;
/// Client connections per API worker. Further clients wait until one closes, so that open ones are
/// served.
const CONNECTIONS: usize = 4096;

impl Parts {
    /// Serves the API on a bound listener with `workers` threads, each with its own pool.
    pub fn serve(&self, listener: TcpListener, workers: usize) -> Result<Server, StartError> {
        let address = listener.local_addr()?;
        let public_url = self.config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        let routes = Arc::new(Routes::of(&document()));
        let background = Background {
            runtime: tokio::runtime::Handle::current(),
            tasks: self.tasks.clone(),
            ace360: self.ace360.clone(),
            onefile: self.onefile.clone(),
            webhooks: self.webhooks.clone(),
        };
        let metrics = telemetry::metrics().map_err(StartError::Metrics)?;
        tokio::spawn(keep_metrics_small(metrics.clone(), self.stopping.clone()));
        let parts = self.clone();
        let limits = Limits::new(self.config.requests_per_minute);
        let proxies: Arc<[IpNet]> = self.config.trusted_proxies.clone().into();
        let http = Http::new(self.config.timings.call)?;
        let server = HttpServer::new(move || {
            let store = parts
                .store
                .over(pool_options(&parts.config, WORKER_POOL).connect_lazy_with(parts.connect.clone()));
            // If a new client cannot be created, the first one is shared.
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
                .openapi(api::document::base())
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
        // Slow senders: the headers must arrive within this time.
        .client_request_timeout(Duration::from_secs(10))
        .listen(listener)?
        .run();
        Ok(server)
    }
}

/// CORS: origins that the operator named can call the API. Browsers hide the responses from all
/// other origins.
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
        // A call from another origin is answered without the CORS headers, so its browser hides the
        // response. Programs send no origin.
        .block_on_origin_mismatch(false)
        .max_age(3600);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// Each request adds its duration to the metrics until someone reads `/metrics`. Without this task
/// they would pile up if nobody does.
async fn keep_metrics_small(metrics: PrometheusHandle, stopping: CancellationToken) {
    let mut ticks = tokio::time::interval(Duration::from_secs(5));
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            _ = ticks.tick() => metrics.run_upkeep(),
        }
    }
}
