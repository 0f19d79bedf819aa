//! The parts of a process.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::database::{connect, explained, migrate_with};
use super::error::StartError;
use crate::ace360::Ace360;
use crate::api::refusals::Refusals;
use crate::auth::{Auth, Issuer};
use crate::clock::Clock;
use crate::config::Config;
use crate::http::Http;
use crate::http::guarded::Guarded;
use crate::onefile::OneFile;
use crate::runs::Runs;
use crate::seal::Sealer;
use crate::store::{self, Store};
use crate::upstream::call::Caller;
use crate::webhooks::Webhooks;

/// Requests with an unknown key wait for the trusted issuer's JWK set, but no longer than this.
const ISSUER_CALL: Duration = Duration::from_secs(5);

/// The parts, connected to a migrated database.
#[derive(Clone, Debug)]
pub struct Parts {
    pub config: Arc<Config>,
    /// The store on the main pool.
    pub store: Store,
    pub auth: Auth,
    /// ACE360 on the main pool.
    pub ace360: Ace360,
    /// OneFile on the main pool.
    pub onefile: OneFile,
    pub runs: Runs,
    pub webhooks: Webhooks,
    pub(super) refusals: Refusals,
    pub(super) stopping: CancellationToken,
    pub(super) tasks: TaskTracker,
    pub(super) connect: PgConnectOptions,
}

impl Parts {
    pub async fn build(
        config: Config,
        connect_to: PgConnectOptions,
        sealer: Sealer,
        migrate: bool,
    ) -> Result<Self, StartError> {
        let pool = connect(&connect_to, &config).await?;
        if migrate {
            migrate_with(&config, &pool).await?;
        } else if !store::is_migrated(&pool).await.map_err(|error| explained(error, &config, &pool))? {
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
            connect: connect_to,
        })
    }

    /// Writes the refusals that were only counted so far to the audit.
    pub async fn flush_refusals(&self) {
        self.refusals.flush(&self.store, true).await;
    }
}
