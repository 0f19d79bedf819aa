//! The installation's own secrets: the key of the blind indexes, and the keys that sign tokens.
//! They are sealed.

use sqlx::PgPool;

use super::{Store, StoreResult};
use crate::seal::{self, Sealer};

#[derive(Clone, Debug)]
pub struct SigningKey {
    /// The key id in the header of each token.
    pub kid: String,
    /// The Ed25519 public key, 32 bytes.
    pub public: Vec<u8>,
    pub private: Vec<u8>,
}

/// Reads the 32-byte secret of this name. Creates it if it does not exist.
pub(super) async fn installation_secret(pool: &PgPool, sealer: &Sealer, name: &str) -> StoreResult<Vec<u8>> {
    let row = format!("secrets/{name}");
    let fresh = sealer.seal(&row, &seal::random::<32>()?)?;
    sqlx::query!(
        "insert into secrets (name, sealed) values ($1, $2) on conflict (name) do nothing",
        name,
        fresh
    )
    .execute(pool)
    .await?;
    let sealed =
        sqlx::query_scalar!("select sealed from secrets where name = $1", name).fetch_one(pool).await?;
    Ok(sealer.unseal(&row, &sealed)?)
}

impl Store {
    /// The signing keys in use, oldest first. Fails if the master key does not open them.
    pub async fn signing_keys(&self) -> StoreResult<Vec<SigningKey>> {
        let rows =
            sqlx::query!("select kid, public_key, sealed_private from signing_keys order by created_at, kid")
                .fetch_all(&self.pool)
                .await?;
        rows.into_iter()
            .map(|row| {
                let private = self.vault.sealer.unseal(&key_row(&row.kid), &row.sealed_private)?;
                Ok(SigningKey { kid: row.kid, public: row.public_key, private })
            })
            .collect()
    }

    /// Stores a signing key if there is none. If several processes start together, one of them
    /// wins.
    pub async fn keep_first_signing_key(&self, key: &SigningKey) -> StoreResult<()> {
        let sealed = self.vault.sealer.seal(&key_row(&key.kid), &key.private)?;
        let mut tx = self.begin().await?;
        sqlx::query!("lock table signing_keys in share row exclusive mode").execute(&mut *tx).await?;
        sqlx::query!(
            r#"insert into signing_keys (kid, public_key, sealed_private)
               select $1, $2, $3 where not exists (select from signing_keys)"#,
            key.kid,
            key.public,
            sealed
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }
}

fn key_row(kid: &str) -> String {
    format!("signing_keys/{kid}")
}
