//! Webhooks: the addresses that a provider's changes are sent to. Addresses and secrets are sealed.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{After, By, RecordPage, Store, StoreResult, Time, Tx, records::page};

pub const MOST_WEBHOOKS: i64 = 20;
/// How long an old secret stays valid beside the new one.
const OLD_SECRET: chrono::TimeDelta = chrono::TimeDelta::hours(24);
/// The most old secrets that are kept at once.
const MOST_OLD: usize = 4;

/// The settings of a webhook.
#[derive(Clone, Debug)]
pub struct WebhookChoices {
    /// The address that messages are sent to.
    pub url: String,
    pub description: Option<String>,
    /// The types of changes to send. Empty: all.
    pub types: Vec<String>,
    pub enabled: bool,
}

#[derive(Clone, Debug)]
pub struct WebhookRow {
    pub id: Uuid,
    pub choices: WebhookChoices,
    /// Why the service switched it off.
    pub disabled_reason: Option<String>,
    pub disabled_at: Option<Time>,
    /// The first failure since the last success.
    pub failing_since: Option<Time>,
    /// Until when old secrets are valid. `None`: there are none.
    pub old_secrets_until: Option<Time>,
    pub created_at: Time,
    /// The last change by a user.
    pub updated_at: Time,
}

/// The sealed parts of the address.
#[derive(Deserialize, Serialize)]
pub(super) struct Target {
    pub(super) url: String,
    pub(super) description: Option<String>,
}

/// A secret and the end of its validity. The current secret has no end.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct KeptSecret {
    pub(super) secret: String,
    pub(super) until: Option<Time>,
}

struct Row {
    id: Uuid,
    sealed_target: Vec<u8>,
    sealed_secrets: Vec<u8>,
    types: Vec<String>,
    enabled: bool,
    disabled_reason: Option<String>,
    disabled_at: Option<Time>,
    failing_since: Option<Time>,
    created_at: Time,
    updated_at: Time,
    now: Time,
}

impl Store {
    /// Creates a webhook with this id, or returns the existing one. `None`: the provider has too
    /// many.
    pub async fn create_webhook(
        &self,
        provider: Uuid,
        id: Uuid,
        choices: &WebhookChoices,
        secret: &SecretString,
        by: &By,
    ) -> StoreResult<Option<(WebhookRow, SecretString)>> {
        let secrets = [KeptSecret { secret: secret.expose_secret().to_owned(), until: None }];
        let (sealed_target, sealed_secrets) =
            (self.seal_target(id, choices)?, self.seal_json(&secrets_row(id), &secrets)?);
        let mut tx = self.begin().await?;
        // Concurrent creations wait for each other, so that the count is correct.
        sqlx::query!("select id from providers where id = $1 for no key update", provider)
            .fetch_one(&mut *tx)
            .await?;
        let others = sqlx::query_scalar!(
            r#"select count(*) as "count!" from webhooks where provider_id = $1 and id <> $2"#,
            provider,
            id
        )
        .fetch_one(&mut *tx)
        .await?;
        if others >= MOST_WEBHOOKS {
            return Ok(None);
        }
        let made = sqlx::query!(
            r#"insert into webhooks (id, provider_id, sealed_target, sealed_secrets, types, enabled, created_at, updated_at)
               values ($1, $2, $3, $4, $5, $6, app_now(), app_now()) on conflict (id) do nothing"#,
            id,
            provider,
            sealed_target,
            sealed_secrets,
            &choices.types,
            choices.enabled,
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        if made > 0 {
            self.audit(&mut tx, provider, by, "webhook.create", "webhook", &id.to_string()).await?;
        }
        let row = self.sealed_webhook(&mut tx, provider, id).await?;
        tx.commit().await?;
        let Some(row) = row else { return Ok(None) };
        let secrets: Vec<KeptSecret> = self.unseal_json(&secrets_row(id), &row.sealed_secrets)?;
        let present = secrets.into_iter().next().map(|kept| SecretString::from(kept.secret));
        Ok(Some((self.open_webhook(row)?, present.unwrap_or_else(|| secret.clone()))))
    }

    /// Replaces the settings of a webhook. Switching it on resets its health. `None`: there is no
    /// such webhook.
    pub async fn put_webhook(
        &self,
        provider: Uuid,
        id: Uuid,
        choices: &WebhookChoices,
        by: &By,
    ) -> StoreResult<Option<WebhookRow>> {
        let sealed_target = self.seal_target(id, choices)?;
        let mut tx = self.begin().await?;
        let changed = sqlx::query!(
            r#"update webhooks set sealed_target = $3, types = $4, enabled = $5, updated_at = app_now(),
                      disabled_reason = case when $5 then null else disabled_reason end,
                      disabled_at = case when $5 then null else disabled_at end,
                      failing_since = null, unanswered = 0, rests_until = null
               where provider_id = $1 and id = $2"#,
            provider,
            id,
            sealed_target,
            &choices.types,
            choices.enabled,
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        if changed == 0 {
            return Ok(None);
        }
        self.audit(&mut tx, provider, by, "webhook.change", "webhook", &id.to_string()).await?;
        let row = self.sealed_webhook(&mut tx, provider, id).await?;
        tx.commit().await?;
        row.map(|row| self.open_webhook(row)).transpose()
    }

    /// Deletes a webhook with its deliveries. `false`: there is no such webhook.
    pub async fn delete_webhook(&self, provider: Uuid, id: Uuid, by: &By) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let gone = sqlx::query!("delete from webhooks where provider_id = $1 and id = $2", provider, id)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        if gone == 0 {
            return Ok(false);
        }
        self.audit(&mut tx, provider, by, "webhook.delete", "webhook", &id.to_string()).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Gives a webhook a new secret. The previous one stays valid for a day. `None`: there is no
    /// such webhook.
    pub async fn rotate_webhook_secret(
        &self,
        provider: Uuid,
        id: Uuid,
        secret: &SecretString,
        by: &By,
    ) -> StoreResult<Option<WebhookRow>> {
        let mut tx = self.begin().await?;
        let held = sqlx::query!(
            r#"select sealed_secrets, app_now() as "now!" from webhooks where provider_id = $1 and id = $2 for no key update"#,
            provider,
            id
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(held) = held else { return Ok(None) };
        let old: Vec<KeptSecret> = self.unseal_json(&secrets_row(id), &held.sealed_secrets)?;
        let old = old
            .into_iter()
            .map(|kept| KeptSecret { until: kept.until.or(Some(held.now + OLD_SECRET)), ..kept })
            .filter(|kept| kept.until.is_some_and(|until| until > held.now))
            .take(MOST_OLD);
        let present = KeptSecret { secret: secret.expose_secret().to_owned(), until: None };
        let secrets: Vec<_> = std::iter::once(present).chain(old).collect();
        sqlx::query!(
            "update webhooks set sealed_secrets = $2, updated_at = app_now() where id = $1",
            id,
            self.seal_json(&secrets_row(id), &secrets)?
        )
        .execute(&mut *tx)
        .await?;
        self.audit(&mut tx, provider, by, "webhook.rotateSecret", "webhook", &id.to_string()).await?;
        let row = self.sealed_webhook(&mut tx, provider, id).await?;
        tx.commit().await?;
        row.map(|row| self.open_webhook(row)).transpose()
    }

    pub async fn webhook(&self, provider: Uuid, id: Uuid) -> StoreResult<Option<WebhookRow>> {
        let mut tx = self.begin().await?;
        let row = self.sealed_webhook(&mut tx, provider, id).await?;
        row.map(|row| self.open_webhook(row)).transpose()
    }

    /// The provider's webhooks, in the order of creation.
    pub async fn list_webhooks(
        &self,
        provider: Uuid,
        after: After<'_>,
        size: i64,
    ) -> StoreResult<RecordPage<WebhookRow>> {
        let after = after.and_then(|id| Uuid::parse_str(id).ok());
        let rows = sqlx::query_as!(
            Row,
            r#"select id, sealed_target, sealed_secrets, types, enabled, disabled_reason, disabled_at, failing_since,
                      created_at, updated_at, app_now() as "now!"
               from webhooks where provider_id = $1 and ($2::uuid is null or id > $2) order by id limit $3"#,
            provider,
            after,
            size + 1
        )
        .fetch_all(&self.pool)
        .await?;
        let rows = rows.into_iter().map(|row| self.open_webhook(row)).collect::<StoreResult<_>>()?;
        Ok(page(rows, size))
    }

    async fn sealed_webhook(&self, tx: &mut Tx, provider: Uuid, id: Uuid) -> StoreResult<Option<Row>> {
        Ok(sqlx::query_as!(
            Row,
            r#"select id, sealed_target, sealed_secrets, types, enabled, disabled_reason, disabled_at, failing_since,
                      created_at, updated_at, app_now() as "now!"
               from webhooks where provider_id = $1 and id = $2"#,
            provider,
            id
        )
        .fetch_optional(&mut **tx)
        .await?)
    }

    fn seal_target(&self, id: Uuid, choices: &WebhookChoices) -> StoreResult<Vec<u8>> {
        let target = Target { url: choices.url.clone(), description: choices.description.clone() };
        self.seal_json(&target_row(id), &target)
    }

    fn open_webhook(&self, row: Row) -> StoreResult<WebhookRow> {
        let target: Target = self.unseal_json(&target_row(row.id), &row.sealed_target)?;
        let secrets: Vec<KeptSecret> = self.unseal_json(&secrets_row(row.id), &row.sealed_secrets)?;
        let old = secrets.into_iter().filter_map(|kept| kept.until).max();
        Ok(WebhookRow {
            id: row.id,
            choices: WebhookChoices {
                url: target.url,
                description: target.description,
                types: row.types,
                enabled: row.enabled,
            },
            disabled_reason: row.disabled_reason,
            disabled_at: row.disabled_at,
            failing_since: row.failing_since,
            old_secrets_until: old.filter(|until| *until > row.now),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

pub(super) fn target_row(id: Uuid) -> String {
    format!("webhooks/{id}/target")
}

pub(super) fn secrets_row(id: Uuid) -> String {
    format!("webhooks/{id}/secrets")
}
