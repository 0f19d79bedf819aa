//! All SQL: one file for each table, or for a group of tables that change together. Every function
//! takes the provider, so that another provider's data is invisible. Records are sealed when
//! written and unsealed when read.

mod ace360;
mod audit;
mod changes;
mod clock;
mod columns;
mod erasure;
mod expected;
mod idempotency;
mod intents;
mod jobs;
mod learner_lines;
mod lease;
mod migrate;
mod onefile;
mod open;
mod pace;
mod processes;
mod providers;
mod record_puts;
mod records;
mod retention;
mod rotation;
mod run_learners;
mod run_records;
mod run_slices;
mod run_waits;
mod runs;
mod schedules;
mod secrets;
mod tokens;
mod webhook_deliveries;
mod webhook_lines;
mod webhooks;

use std::sync::Arc;

use sqlx::PgPool;
use sqlx::types::chrono::{DateTime, Utc};
use uuid::Uuid;

pub use self::audit::{AuditFilter, AuditRow, RefusedCall};
pub use self::changes::ChangeRow;
pub use self::expected::{Expected, Removed, Version};
pub use self::idempotency::{KeptAnswer, KeyState, Keyed};
pub use self::intents::{
    IntentKey, IntentProblem, IntentRow, NewIntent, Opened, SettleOutcome, UndoneState, Unlinked,
};
pub use self::jobs::{ReconcileJob, SliceJob};
pub use self::learner_lines::{LearnerFilter, LearnerLine};
pub use self::migrate::{is_migrated, migrate};
pub use self::pace::{Account, Granted, PaceAsk};
pub use self::processes::ProcessRow;
pub use self::providers::Provider;
pub use self::records::{
    NewRecord, RecordKind, RecordPage, SealedRecord, SealedRecords, StoredRecord, to_json,
};
pub use self::retention::Swept;
pub use self::run_learners::RunLearner;
pub use self::run_records::{OutcomeKind, RecordOutcome, Told};
pub use self::run_slices::{Claim, Progress, SliceEnd};
pub use self::run_waits::Awaited;
pub use self::runs::{NewRun, RunFilter, RunRow};
pub use self::schedules::DailySetting;
pub use self::secrets::SigningKey;
pub use self::tokens::{Pulse, TokenRow};
pub use self::webhook_deliveries::{DueDelivery, Receiver, Settlement, WebhookMessage};
pub use self::webhook_lines::{DeliveryLine, Resent};
pub use self::webhooks::{MOST_WEBHOOKS, WebhookChoices, WebhookRow};
use crate::domain::folding::name_key;
use crate::seal::{BlindIndex, SealError, Sealer};
pub use crate::store::ace360::history::{Counts, HistoryRow};
pub use crate::store::ace360::links::{LinkRow, Linked, TabRow};
pub use crate::store::ace360::matching::{MatchCandidate, MatchKind, MatchedRecord};
pub use crate::store::ace360::mirror::{MirrorRow, Mirrored, PersonIndex, Twin, TwinMatch};
pub use crate::store::ace360::reading::{Detail, Reading};
pub use crate::store::ace360::settings::{Ace360Settings, NewAce360Settings, StandardRow};
pub use crate::store::ace360::status::{LinkStatus, SingleRow};
pub use crate::store::ace360::upload::UploadContext;
pub use crate::store::onefile::directory::{DirectoryEntry, DirectoryFilter, DirectoryLabels, Refreshed};
pub use crate::store::onefile::enabling::Forced;
pub use crate::store::onefile::enrolments::{
    BegunEnrolment, Enrolment, EnrolmentOrder, EnrolmentStep, NewEnrolment, WaitingEnrolment,
};
pub use crate::store::onefile::exchange::{Exchanged, Keeping, LearnerThere};
pub use crate::store::onefile::exchange_queue::{Decided, Turn, Undecided};
pub use crate::store::onefile::learners::LinkedLearner;
pub use crate::store::onefile::linking::{Linking, NewOneFileLink, OneFileLinked};
pub use crate::store::onefile::links::{LinkFilter, OneFileLink};
pub use crate::store::onefile::parties::{DueParties, Party};
pub use crate::store::onefile::portfolios::{
    Portfolio, PortfolioAim, PortfolioReview, PortfolioRow, PortfolioUser,
};
pub use crate::store::onefile::sessions::{OneFileSession, SessionState};
pub use crate::store::onefile::settings::{OneFileChoices, OneFileSettings};
pub use crate::store::onefile::standards::{OneFileStandard, StandardFilter, StandardRead};

/// Why the store could not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A database error. Its text may quote values, so only its code and the constraint are shown.
    #[error("{}", unquoted(.0))]
    Sql(#[from] sqlx::Error),
    /// A value could not be sealed or unsealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A sealed document has a format that this version does not write.
    #[error("a stored document cannot be read")]
    Document(#[from] serde_json::Error),
    /// A row holds a state or kind that this version does not know.
    #[error("a stored row holds the unknown word `{0}`")]
    UnknownWord(String),
    #[error("the job could not be queued: {0}")]
    Job(#[from] riverqueue::Error),
    /// Another version created the database, and no migration leads from its schema to ours.
    #[error("another version of picsbridge made the database")]
    OtherSchema,
    #[error("the database could not be migrated: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

/// A database error without the values that a database quotes in its messages.
fn unquoted(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => format!(
            "database error {} (constraint {})",
            error.code().unwrap_or_default(),
            error.constraint().unwrap_or("none")
        ),
        other => other.to_string(),
    }
}

pub type StoreResult<T> = Result<T, StoreError>;

/// The database, with the keys that seal and find its records. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pool: PgPool,
    vault: Arc<Vault>,
}

struct Vault {
    sealer: Sealer,
    index: BlindIndex,
    jobs: riverqueue::Client,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

/// A transaction of the store. Functions that belong together share it.
pub type Tx = sqlx::Transaction<'static, sqlx::Postgres>;

impl Store {
    /// The same store over another pool: each API worker has its own, which costs less than sharing one.
    #[must_use]
    pub fn over(&self, pool: PgPool) -> Self {
        Self { pool, vault: Arc::clone(&self.vault) }
    }

    /// The pool, for the job engine and for health checks.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Closes the connections. Those in use close when they are returned.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub async fn begin(&self) -> StoreResult<Tx> {
        Ok(self.pool.begin().await?)
    }

    fn seal_json<T: serde::Serialize + ?Sized>(&self, row: &str, value: &T) -> StoreResult<Vec<u8>> {
        Ok(self.vault.sealer.seal(row, &serde_json::to_vec(value)?)?)
    }

    fn unseal_json<T: serde::de::DeserializeOwned>(&self, row: &str, sealed: &[u8]) -> StoreResult<T> {
        Ok(serde_json::from_slice(&self.vault.sealer.unseal(row, sealed)?)?)
    }

    /// The blind index of a ULN.
    pub fn uln_index(&self, provider: Uuid, uln: &str) -> Vec<u8> {
        self.vault.index.of("uln", &[provider.as_bytes(), uln.as_bytes()])
    }

    /// The blind index of a person: first name, last name, birth date. Names count as [`name_key`] folds them.
    pub fn person_index(
        &self,
        provider: Uuid,
        first_name: &str,
        last_name: &str,
        birth: chrono::NaiveDate,
    ) -> Vec<u8> {
        self.vault.index.of(
            "person",
            &[
                provider.as_bytes(),
                name_key(first_name).as_bytes(),
                name_key(last_name).as_bytes(),
                birth.to_string().as_bytes(),
            ],
        )
    }

    /// The blind index of a birth date.
    pub fn birth_index(&self, provider: Uuid, birth: chrono::NaiveDate) -> Vec<u8> {
        self.vault.index.of("birth", &[provider.as_bytes(), birth.to_string().as_bytes()])
    }

    /// The blind index of a name that stands for itself: of a classroom, say. Case and spacing do not count.
    pub fn name_index(&self, provider: Uuid, name: &str) -> Vec<u8> {
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        self.vault.index.of("name", &[provider.as_bytes(), name.as_bytes()])
    }

    /// Authenticates where a list goes on: `list` says whose list it is, and with which filters.
    pub fn page_tag(&self, list: &str, last_id: &str) -> Vec<u8> {
        self.vault.index.of("page", &[list.as_bytes(), last_id.as_bytes()])
    }

    /// The pace row's key of an upstream account.
    pub fn account_key(&self, upstream: &str, base_url: &str, token: &str) -> Vec<u8> {
        self.vault.index.of("account", &[upstream.as_bytes(), base_url.as_bytes(), token.as_bytes()])
    }
}

/// Reads a state or kind from a row.
fn known_word<T>(parse: impl Fn(&str) -> Option<T>, text: &str) -> StoreResult<T> {
    parse(text).ok_or_else(|| StoreError::UnknownWord(text.to_owned()))
}

/// A new id. Ids are ordered by creation time.
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// The last id of the previous page of a list.
pub type After<'a> = Option<&'a str>;

/// The actor of a change, for the audit log.
#[derive(Clone, Debug)]
pub struct By {
    /// One of `token:<jti>`, `user:<sub>`, `run:<id>` or `cli`.
    pub actor: String,
    /// The id of the HTTP request.
    pub request_id: Option<String>,
    /// The caller's address, if it is known.
    pub address: Option<String>,
}

impl By {
    /// An actor without a request.
    pub fn itself(actor: impl Into<String>) -> Self {
        Self { actor: actor.into(), request_id: None, address: None }
    }
}

/// A time from the database.
pub type Time = DateTime<Utc>;
