//! The audit log. Lines are only added and read. The database allows only retention to delete them.

use uuid::Uuid;

use super::records::page;
use super::{After, By, RecordPage, Store, StoreResult, Time, Tx, new_id};

/// The most subjects that one line shows. An import has up to 10,000.
const SUBJECTS_TOLD: i32 = 100;

#[derive(Clone, Debug)]
pub struct AuditRow {
    /// Ids are in the order of writing.
    pub id: Uuid,
    pub at: Time,
    pub actor: String,
    pub action: String,
    /// The problem code of a refused call. `None`: the call was done.
    pub refused: Option<String>,
    /// The number of calls that the line stands for.
    pub calls: i32,
    pub subject_kind: Option<String>,
    pub subject_id: Option<String>,
    /// The ids of several subjects: the first of them.
    pub subject_ids: Option<Vec<String>>,
    pub subjects: Option<i32>,
    /// The id of the HTTP request.
    pub request_id: Option<String>,
    pub address: Option<String>,
    /// The reason that the caller gave.
    pub reason: Option<String>,
    /// The person that the caller named.
    pub person: Option<String>,
}

/// The filters of a list of lines. Without a filter: all lines.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditFilter<'a> {
    pub action: Option<&'a str>,
    pub actor: Option<&'a str>,
    /// The kind and id of the subject.
    pub subject: Option<(&'a str, &'a str)>,
    pub after: Option<Time>,
    pub before: Option<Time>,
}

#[derive(Clone, Debug)]
pub struct RefusedCall {
    pub action: String,
    /// The problem code. `several`: the calls had different codes.
    pub code: String,
    /// The kind and id of the subject.
    pub subject: Option<(String, String)>,
    pub calls: u32,
}

impl Store {
    /// Writes an audit line in the transaction of the change.
    pub(super) async fn audit(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        by: &By,
        action: &str,
        kind: &str,
        id: &str,
    ) -> StoreResult<()> {
        sqlx::query!(
            r#"insert into audit (id, provider_id, at, actor, action, subject_kind, subject_id, request_id, address)
               values ($1, $2, app_now(), $3, $4, $5, $6, $7, $8)"#,
            new_id(),
            provider,
            by.actor,
            action,
            kind,
            id,
            by.request_id,
            by.address
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Writes an audit line for a call without a transaction here.
    pub async fn audit_call(
        &self,
        provider: Uuid,
        by: &By,
        action: &str,
        kind: &str,
        id: &str,
    ) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        self.audit(&mut tx, provider, by, action, kind, id).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Writes an audit line for a refused call.
    pub async fn audit_refused(&self, provider: Uuid, call: &RefusedCall, by: &By) -> StoreResult<()> {
        let (kind, id) = call.subject.as_ref().map(|(kind, id)| (kind.as_str(), id.as_str())).unzip();
        sqlx::query!(
            r#"insert into audit (id, provider_id, at, actor, action, refused, calls, subject_kind, subject_id, request_id, address)
               values ($1, $2, app_now(), $3, $4, $5, $6, $7, $8, $9, $10)"#,
            new_id(),
            provider,
            by.actor,
            call.action,
            call.code,
            i32::try_from(call.calls).unwrap_or(i32::MAX),
            kind,
            id,
            by.request_id,
            by.address
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// A page of the provider's audit log, newest first.
    pub async fn list_audit(
        &self,
        provider: Uuid,
        filter: AuditFilter<'_>,
        after: After<'_>,
        size: i64,
    ) -> StoreResult<RecordPage<AuditRow>> {
        let from = after.and_then(|id| Uuid::parse_str(id).ok());
        let (kind, id) = filter.subject.unzip();
        let items = sqlx::query_as!(
            AuditRow,
            r#"select id, at, actor, action, refused, calls, subject_kind, subject_id, subject_ids[1:$9] as subject_ids,
                      cardinality(subject_ids) as subjects, request_id, address, reason, person
               from audit
               where provider_id = $1 and ($2::uuid is null or id < $2)
               and ($3::text is null or action = $3) and ($4::text is null or actor = $4)
               and ($6::text is null or subject_kind = $5 and (subject_id = $6 or subject_ids is not null and subject_ids @> array[$6]))
               and ($7::timestamptz is null or at > $7) and ($8::timestamptz is null or at < $8)
               order by id desc limit $10"#,
            provider,
            from,
            filter.action,
            filter.actor,
            kind,
            id,
            filter.after,
            filter.before,
            SUBJECTS_TOLD,
            size + 1
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(page(items, size))
    }
}
