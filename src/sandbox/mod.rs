//! Stateful simulators of the upstreams, for the first days without tokens, for training, and for
//! tests.
//!
//! They enforce the rules that the real systems are known or assumed to have
//! (`openapi/upstream/*.yaml`), count paid calls, accept the same duplicates as the real systems,
//! and fail on demand. They share no code with the clients that they test, because a mistake in
//! shared code would stay invisible.

mod ace360;
mod connection;
#[expect(unused_qualifications, reason = "utoipa names the types of queries once more, in full")]
mod control;
mod counts;
mod draw;
mod faults;
mod journal;
mod limit;
mod names;
mod now;
mod onefile;
mod options;
mod origin;
mod titles;
mod uln;
mod world;

use std::io;
use std::net::SocketAddr;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use tokio::task::JoinHandle;
use utoipa_actix_web::AppExt;
use utoipa_swagger_ui::SwaggerUi;

pub use limit::LimitWindow;
pub use options::SandboxOptions;
use world::Shared;

/// A running sandbox. Dropping it stops it without waiting.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    shared: web::Data<Shared>,
    handle: ServerHandle,
    server: Option<JoinHandle<io::Result<()>>>,
}

impl Sandbox {
    /// Starts a sandbox. When this returns, it is bound and serving.
    pub async fn start(options: SandboxOptions) -> io::Result<Self> {
        let listen = options.listen;
        // Reading a long journal takes seconds, so it must not block this thread.
        let shared =
            tokio::task::spawn_blocking(|| Shared::open(options)).await.map_err(io::Error::other)??;
        let shared = web::Data::new(shared);
        let data = shared.clone();
        let server = HttpServer::new(move || {
            let (app, document) = App::new()
                .into_utoipa_app()
                .openapi(control::document())
                .app_data(data.clone())
                .configure(control::routes)
                .split_for_parts();
            app.service(ace360::routes::routes())
                .configure(onefile::routes::routes)
                .service(SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", document))
                .wrap(from_fn(connection::cut_when_closed))
        })
        .workers(2)
        .disable_signals()
        .on_connect(connection::remember)
        .bind(listen)?;
        let address = server.addrs().first().copied().unwrap_or(listen);
        let server = server.run();
        let handle = server.handle();
        Ok(Self { address, shared, handle, server: Some(tokio::spawn(server)) })
    }

    /// `http://address:port` without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops the sandbox at once, with all running calls. The journal's folder is free when this
    /// returns.
    pub async fn stop(mut self) {
        // This does not wait for the workers: an open connection is served for a moment longer.
        self.handle.stop(false).await;
        if let Some(server) = self.server.take()
            && let Err(error) = server.await
        {
            tracing::error!(%error, "the sandbox's server ended badly");
        }
        self.shared.close();
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The call sends the command; the future only waits for it.
        drop(self.handle.stop(false));
    }
}
