//! Lists deliveries, and requests them again.

use uuid::Uuid;

use super::{After, RecordPage, Store, StoreResult, Time, records::page};
use crate::domain::SubjectKind;

#[derive(Clone, Debug)]
pub struct DeliveryLine {
    pub id: Uuid,
    pub type_: String,
    /// The kind of record that changed.
    pub subject_kind: SubjectKind,
    pub subject_id: String,
    pub state: String,
    /// Attempts since the delivery was created or requested again.
    pub attempts: i32,
    /// The receiver's last HTTP status.
    pub last_status: Option<i32>,
    pub last_attempt_at: Option<Time>,
    /// The time of the next attempt. `None`: never, or when the webhook is switched on.
    pub next_attempt_at: Option<Time>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    pub created_at: Time,
}

#[derive(Clone, Debug)]
pub enum Resent {
    /// There is no such delivery or no such webhook.
    Missing,
    Disabled,
    Due(Box<DeliveryLine>),
}

impl Store {
    /// A webhook's deliveries, newest first. `None`: there is no such webhook.
    pub async fn list_deliveries(
        &self,
        provider: Uuid,
        webhook: Uuid,
        states: &[String],
        after: After<'_>,
        size: i64,
    ) -> StoreResult<Option<RecordPage<DeliveryLine>>> {
        let there = sqlx::query_scalar!(
            r#"select exists (select from webhooks where provider_id = $1 and id = $2) as "there!""#,
            provider,
            webhook
        )
        .fetch_one(&self.pool)
        .await?;
        if !there {
            return Ok(None);
        }
        let after = after.and_then(|id| Uuid::parse_str(id).ok());
        let lines = sqlx::query_as!(
            DeliveryLine,
            r#"select d.id, coalesce(c.type, 'webhook.test') as "type_!", coalesce(c.subject_kind, 'webhook') as "subject_kind!: SubjectKind",
                      coalesce(c.subject_id, w.id::text) as "subject_id!", d.state, d.attempts, d.last_status, d.last_attempt_at,
                      case when w.enabled and d.state = 'pending' then greatest(d.due_at, w.rests_until) end as next_attempt_at,
                      d.error, d.created_at
               from webhooks w join webhook_deliveries d on d.webhook_id = w.id left join changes c on c.id = d.change_id
               where w.provider_id = $1 and w.id = $2 and ($3::text[] = '{}' or d.state = any($3)) and ($4::uuid is null or d.id < $4)
               order by d.id desc limit $5"#,
            provider,
            webhook,
            states,
            after,
            size + 1
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(Some(page(lines, size)))
    }

    pub async fn delivery(
        &self,
        provider: Uuid,
        webhook: Uuid,
        id: Uuid,
    ) -> StoreResult<Option<DeliveryLine>> {
        Ok(sqlx::query_as!(
            DeliveryLine,
            r#"select d.id, coalesce(c.type, 'webhook.test') as "type_!", coalesce(c.subject_kind, 'webhook') as "subject_kind!: SubjectKind",
                      coalesce(c.subject_id, w.id::text) as "subject_id!", d.state, d.attempts, d.last_status, d.last_attempt_at,
                      case when w.enabled and d.state = 'pending' then greatest(d.due_at, w.rests_until) end as next_attempt_at,
                      d.error, d.created_at
               from webhooks w join webhook_deliveries d on d.webhook_id = w.id left join changes c on c.id = d.change_id
               where w.provider_id = $1 and w.id = $2 and d.id = $3"#,
            provider,
            webhook,
            id
        )
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Makes a delivery due again, with a new day of attempts.
    pub async fn resend_delivery(&self, provider: Uuid, webhook: Uuid, id: Uuid) -> StoreResult<Resent> {
        let due = sqlx::query_scalar!(
            r#"update webhook_deliveries d set state = 'pending', attempts = 0, first_attempt_at = null, due_at = app_now(), error = null
               from webhooks w where w.id = d.webhook_id and w.provider_id = $1 and w.enabled and d.webhook_id = $2 and d.id = $3
               returning d.id"#,
            provider,
            webhook,
            id
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(match (due, self.delivery(provider, webhook, id).await?) {
            (_, None) => Resent::Missing,
            (None, Some(_)) => Resent::Disabled,
            (Some(_), Some(line)) => Resent::Due(Box::new(line)),
        })
    }
}
