//! Issued tokens. The tokens themselves are not stored.

use uuid::Uuid;

use super::{After, By, RecordPage, Store, StoreResult, Time, new_id, records::page};

#[derive(Clone, Debug)]
pub struct TokenRow {
    pub id: Uuid,
    /// The token that issued it.
    pub parent_id: Option<Uuid>,
    pub name: String,
    pub scopes: Vec<String>,
    pub created_at: Time,
    pub expires_at: Time,
    /// The last use, accurate to within seconds.
    pub last_used_at: Option<Time>,
}

/// What every process reads once a second.
#[derive(Clone, Debug)]
pub struct Pulse {
    /// Revoked tokens that have not expired yet.
    pub revoked: Vec<Uuid>,
    /// How far the shared clock is ahead, in milliseconds.
    pub ahead_ms: i64,
}

impl Store {
    /// Stores the row of a token that is about to be signed.
    pub async fn keep_token(&self, provider: Uuid, token: &TokenRow, by: &By) -> StoreResult<()> {
        sqlx::query!(
            r#"with kept as (
                   insert into tokens (id, provider_id, name, scopes, created_at, expires_at, parent_id) values ($1, $2, $3, $4, $5, $6, $12)
               )
               insert into audit (id, provider_id, at, actor, action, subject_kind, subject_id, request_id, address)
               values ($7, $2, app_now(), $8, 'token.create', 'token', $9, $10, $11)"#,
            token.id,
            provider,
            token.name,
            &token.scopes,
            token.created_at,
            token.expires_at,
            new_id(),
            by.actor,
            token.id.to_string(),
            by.request_id,
            by.address,
            token.parent_id,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The provider's tokens that are neither revoked nor expired, in the order of creation.
    pub async fn list_tokens(
        &self,
        provider: Uuid,
        after: After<'_>,
        size: i64,
    ) -> StoreResult<RecordPage<TokenRow>> {
        let after = after.and_then(|id| Uuid::parse_str(id).ok());
        let items = sqlx::query_as!(
            TokenRow,
            r#"select id, parent_id, name, scopes, created_at, expires_at, last_used_at from tokens
               where provider_id = $1 and revoked_at is null and expires_at > app_now() and ($2::uuid is null or id > $2)
               order by id limit $3"#,
            provider,
            after,
            size + 1
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(page(items, size))
    }

    /// Revokes a token with all that it issued, and answers their ids; none when the provider has no such token that is
    /// still good.
    pub async fn revoke_token(&self, provider: Uuid, id: Uuid, by: &By) -> StoreResult<Vec<Uuid>> {
        Ok(sqlx::query_scalar!(
            r#"with recursive family as (
                   select id from tokens where provider_id = $1 and id = $2 and revoked_at is null
                   union
                   select child.id from tokens child join family on child.parent_id = family.id
               ), revoked as (
                   update tokens set revoked_at = app_now()
                   where id in (select id from family) and revoked_at is null returning id
               ), told as (
                   insert into audit (id, provider_id, at, actor, action, subject_kind, subject_id, request_id, address)
                   select $3, $1, app_now(), $4, 'token.revoke', 'token', id::text, $5, $6 from revoked where id = $2
               )
               select id from revoked"#,
            provider,
            id,
            new_id(),
            by.actor,
            by.request_id,
            by.address,
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// The revoked tokens and the offset of the shared clock. Also stores which tokens were used
    /// since the last call.
    pub async fn pulse(&self, used: &[Uuid]) -> StoreResult<Pulse> {
        if !used.is_empty() {
            sqlx::query!("update tokens set last_used_at = app_now() where id = any($1)", used)
                .execute(&self.pool)
                .await?;
        }
        let row = sqlx::query!(
            r#"select coalesce((select array_agg(id) from tokens where revoked_at is not null and expires_at > app_now()), '{}') as "revoked!",
                      (select (extract(epoch from ahead) * 1000)::bigint from clock) as "ahead_ms!""#
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Pulse { revoked: row.revoked, ahead_ms: row.ahead_ms })
    }
}

impl Store {
    /// The provider that owns the token. `None`: it was not issued here.
    pub async fn token_owner(&self, id: Uuid) -> StoreResult<Option<super::Provider>> {
        Ok(sqlx::query_as!(
            super::Provider,
            "select p.id, p.name from tokens t join providers p on p.id = t.provider_id where t.id = $1",
            id
        )
        .fetch_optional(&self.pool)
        .await?)
    }
}
