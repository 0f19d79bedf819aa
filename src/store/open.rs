//! Opens the store.

use std::sync::Arc;

use sqlx::PgPool;

use super::secrets::installation_secret;
use super::{Store, StoreResult, Vault};
use crate::seal::{BlindIndex, Sealer};

impl Store {
    /// Opens the store over a migrated database; makes the installation's own secrets on first use.
    ///
    /// # Errors
    /// The database's; a master key that does not open what is there.
    pub async fn open(pool: PgPool, sealer: Sealer) -> StoreResult<Self> {
        let index_key = installation_secret(&pool, &sealer, "blind index").await?;
        let jobs = riverqueue::Client::builder(pool.clone()).build()?;
        let vault = Vault { sealer, index: BlindIndex::new(&index_key), jobs };
        Ok(Self { pool, vault: Arc::new(vault) })
    }
}
