//! Deliveries: what each webhook is sent, and the result. One worker at a time holds a webhook by a
//! claim that expires. The claim fences its writes.

use std::time::Duration;

use secrecy::SecretString;
use uuid::Uuid;

use super::changes::SealedChange;
use super::clock::interval;
use super::lease::{Lease, leased};
use super::webhooks::{KeptSecret, Target, secrets_row, target_row};
use super::{Store, StoreResult, Time};
use crate::domain::change_service::WebhookDisabledData;
use crate::domain::{Change, ChangeEntry, ChangeType, DeliveryState, Subject, SubjectKind, TestEntry};

/// The address of a webhook, and the secrets that sign its messages.
pub struct Receiver {
    pub url: String,
    /// The current secret comes first.
    pub secrets: Vec<SecretString>,
    pub now: Time,
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Receiver {…}")
    }
}

/// What a delivery sends.
#[derive(Clone, Debug)]
pub enum WebhookMessage {
    Change(ChangeEntry),
    /// A test, which is not in the feed.
    Test(TestEntry),
}

impl WebhookMessage {
    /// The id of the delivery, which receivers see as `webhook-id`.
    pub fn id(&self) -> Uuid {
        match self {
            Self::Change(change) => change.id,
            Self::Test(test) => test.id,
        }
    }
}

/// A delivery to be tried now.
#[derive(Debug)]
pub struct DueDelivery {
    pub webhook: Uuid,
    pub claim: Uuid,
    pub provider: Uuid,
    pub receiver: Receiver,
    pub message: WebhookMessage,
    pub attempts: i32,
    pub first_attempt_at: Option<Time>,
    /// The webhook's first failure since its last success.
    pub failing_since: Option<Time>,
    /// The webhook's consecutive calls without a response.
    pub unanswered: i32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    pub state: DeliveryState,
    /// When the attempt ended.
    pub at: Time,
    /// The receiver's HTTP status.
    pub status: Option<u16>,
    pub error: Option<String>,
    /// The time of the next attempt.
    pub due_at: Option<Time>,
    /// The webhook's consecutive calls without a response.
    pub unanswered: i32,
    /// The webhook gets no calls until then.
    pub rests_until: Option<Time>,
    /// Why the webhook is switched off.
    pub disable: Option<String>,
}

impl Store {
    /// Claims up to `most` webhooks with a due delivery.
    pub async fn claim_webhooks(&self, most: i64, term: Duration) -> StoreResult<Vec<(Uuid, Uuid)>> {
        let lease = Lease::of(term);
        let ids = leased!(query_scalar:
            "update webhooks set " + take("claim" = "$1", "claimed_until" + "$2") + r#", served_at = app_now()
               where id in (
                   select w.id from webhooks w
                   where w.enabled and (w.rests_until is null or w.rests_until <= app_now())
                     and "# + free("w.claimed_until") + r#"
                     and exists (select from webhook_deliveries d where d.webhook_id = w.id and d.state = 'pending' and d.due_at <= app_now())
                   order by w.served_at nulls first limit $3 for update of w skip locked
               )
               returning id"#;
            lease.token,
            lease.term,
            most,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(|id| (id, lease.token)).collect())
    }

    /// The first due delivery in the order of the feed. Extends the claim on the webhook. `None`:
    /// nothing is due, or the webhook is switched off, resting, or claimed by another worker.
    pub async fn next_delivery(
        &self,
        webhook: Uuid,
        claim: Uuid,
        term: Duration,
    ) -> StoreResult<Option<DueDelivery>> {
        let row = leased!(query:
            "with held as (
                   update webhooks set " + renew("claimed_until" + "$3") + "
                   where id = $1 and " + ours("claim" = "$2") + r#" and enabled and (rests_until is null or rests_until <= app_now())
                   returning id, provider_id, sealed_target, sealed_secrets, failing_since, unanswered
               )
               select h.provider_id, h.sealed_target, h.sealed_secrets, h.failing_since, h.unanswered, app_now() as "now!",
                      d.id, d.attempts, d.first_attempt_at, d.created_at,
                      c.type as "kind?: ChangeType", c.subject_kind as "subject_kind?: SubjectKind", c.subject_id as "subject_id?",
                      c.at as "at?", c.sealed_data as "sealed_data?"
               from held h
               join lateral (
                   select * from webhook_deliveries d
                   where d.webhook_id = h.id and d.state = 'pending' and d.due_at <= app_now()
                   order by d.position, d.id limit 1
               ) d on true
               left join changes c on c.id = d.change_id"#;
            webhook,
            claim,
            interval(term),
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let message = match (row.kind, row.subject_kind, row.subject_id, row.at, row.sealed_data) {
            (Some(kind), Some(subject_kind), Some(subject_id), Some(at), Some(sealed)) => {
                let change = SealedChange { id: row.id, kind, subject_kind, subject_id, at, sealed };
                WebhookMessage::Change(self.unseal_change(change)?)
            }
            _ => WebhookMessage::Test(TestEntry::new(row.id, webhook, row.created_at)),
        };
        Ok(Some(DueDelivery {
            webhook,
            claim,
            provider: row.provider_id,
            receiver: self.receiver(webhook, &row.sealed_target, &row.sealed_secrets, row.now)?,
            message,
            attempts: row.attempts,
            first_attempt_at: row.first_attempt_at,
            failing_since: row.failing_since,
            unanswered: row.unanswered,
        }))
    }

    /// Stores the result of an attempt. `false`: another worker has the webhook and repeats the
    /// attempt.
    pub async fn settle_delivery(&self, due: &DueDelivery, came: &Settlement) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        // A call that deletes the webhook also locks it first.
        let enabled = leased!(query_scalar:
            "select enabled from webhooks where id = $1 and " + ours("claim" = "$2") + " for no key update";
            due.webhook,
            due.claim
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(enabled) = enabled else { return Ok(false) };
        let delivered = came.state == DeliveryState::Delivered;
        let disable = came.disable.as_deref().filter(|_| enabled);
        sqlx::query!(
            r#"update webhooks set unanswered = $2, rests_until = $3,
                      failing_since = case when $4 then null else coalesce(failing_since, $5) end,
                      enabled = enabled and $6::text is null, disabled_reason = coalesce($6, disabled_reason),
                      disabled_at = case when $6::text is null then disabled_at else $5 end
               where id = $1"#,
            due.webhook,
            came.unanswered,
            came.rests_until,
            delivered,
            came.at,
            disable,
        )
        .execute(&mut *tx)
        .await?;
        // Skip a delivery that was requested again in the meantime, or whose change was deleted.
        sqlx::query!(
            r#"update webhook_deliveries set state = $4, attempts = attempts + 1, first_attempt_at = coalesce(first_attempt_at, $5),
                      last_attempt_at = $5, due_at = $6, last_status = $7, error = $8
               where webhook_id = $1 and id = $2 and state = 'pending' and attempts = $3"#,
            due.webhook,
            due.message.id(),
            due.attempts,
            came.state.as_str(),
            came.at,
            came.due_at,
            came.status.map(i32::from),
            came.error,
        )
        .execute(&mut *tx)
        .await?;
        if let Some(reason) = disable {
            let failing_since = due.failing_since.unwrap_or(came.at);
            let data = WebhookDisabledData { reason: reason.to_owned(), failing_since };
            let subject = Subject::webhook(due.webhook);
            self.log_change(&mut tx, due.provider, subject, Change::WebhookDisabled(data)).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    pub async fn release_webhook(&self, webhook: Uuid, claim: Uuid) -> StoreResult<()> {
        leased!(query:
            "update webhooks set " + release("claim", "claimed_until") + " where id = $1 and " + ours("claim" = "$2");
            webhook,
            claim
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The address and secrets of a webhook, switched on or not. `None`: there is no such webhook.
    pub async fn webhook_receiver(&self, provider: Uuid, webhook: Uuid) -> StoreResult<Option<Receiver>> {
        let row = sqlx::query!(
            r#"select sealed_target, sealed_secrets, app_now() as "now!" from webhooks where provider_id = $1 and id = $2"#,
            provider,
            webhook
        )
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| self.receiver(webhook, &row.sealed_target, &row.sealed_secrets, row.now)).transpose()
    }

    /// Stores a test. It does not affect the webhook's health.
    pub async fn keep_webhook_test(
        &self,
        webhook: Uuid,
        test: &TestEntry,
        came: &Settlement,
    ) -> StoreResult<()> {
        // The webhook may be deleted by now.
        sqlx::query!(
            r#"insert into webhook_deliveries (webhook_id, id, position, state, attempts, first_attempt_at, last_attempt_at, last_status, error, created_at)
               select id, $2, 0, $3, 1, $4, $4, $5, $6, $7 from webhooks where id = $1 for key share
               on conflict do nothing"#,
            webhook,
            test.id,
            came.state.as_str(),
            came.at,
            came.status.map(i32::from),
            came.error,
            test.at,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    fn receiver(&self, id: Uuid, target: &[u8], secrets: &[u8], now: Time) -> StoreResult<Receiver> {
        let target: Target = self.unseal_json(&target_row(id), target)?;
        let secrets: Vec<KeptSecret> = self.unseal_json(&secrets_row(id), secrets)?;
        let good = secrets.into_iter().filter(|kept| kept.until.is_none_or(|until| until > now));
        Ok(Receiver {
            url: target.url,
            secrets: good.map(|kept| SecretString::from(kept.secret)).collect(),
            now,
        })
    }
}
