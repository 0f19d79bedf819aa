//! Officers and organisations whose details have to be compared with OneFile's.

use serde_json::Value;
use uuid::Uuid;

use crate::domain::{Change, LinkState, OneFileEnvironment, Subject};
use crate::store::{RecordKind, Store, StoreResult, Time, Tx};

/// A linked officer or organisation with its record.
#[derive(Clone)]
pub struct Party {
    pub link_id: Uuid,
    pub kind: RecordKind,
    pub local_id: String,
    pub remote_id: String,
    pub record: Value,
    pub version: i64,
}

#[derive(Clone, Copy, Debug)]
pub struct DueParties {
    /// Only records after this link.
    pub after: Option<Uuid>,
    /// Records whose last comparison is older than this are due again.
    pub before: Time,
    pub size: i64,
}

impl Store {
    /// The records that are due: never compared, compared too long ago, or changed here since.
    pub async fn due_parties(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        kind: RecordKind,
        due: DueParties,
    ) -> StoreResult<Vec<Party>> {
        let rows = sqlx::query!(
            r#"select l.id, l.local_id, l.remote_id, r.sealed, r.version from onefile_links l
               join records r on r.provider_id = l.provider_id and r.kind = l.kind and r.record_id = l.local_id
               where l.provider_id = $1 and l.environment = $2 and l.kind = $3 and l.state = 'linked' and ($4::uuid is null or l.id > $4)
                 and (l.exchanged_at is null or l.exchanged_at < $5 or r.updated_at > l.exchanged_at)
               order by l.id limit $6"#,
            provider,
            environment.as_str(),
            kind.as_str(),
            due.after,
            due.before,
            due.size,
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(Party {
                    record: self.unseal_record(provider, kind, &row.local_id, &row.sealed)?,
                    link_id: row.id,
                    kind,
                    local_id: row.local_id,
                    remote_id: row.remote_id,
                    version: row.version,
                })
            })
            .collect()
    }

    /// Stores the result of a comparison. `false`: the record changed in the meantime, and nothing
    /// was stored.
    pub async fn keep_party(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        party: &Party,
        state: LinkState,
        record: Option<&Value>,
        changes: &[(Subject, Change)],
    ) -> StoreResult<bool> {
        let version = sqlx::query_scalar!(
            "select version from records where provider_id = $1 and kind = $2 and record_id = $3 for update",
            provider,
            party.kind.as_str(),
            party.local_id,
        )
        .fetch_optional(&mut **tx)
        .await?;
        if version != Some(party.version) {
            return Ok(false);
        }
        if let Some(record) = record {
            let json = serde_json::to_vec(record)?;
            let sealed = self.seal_record(provider, party.kind, &party.local_id, &json)?;
            sqlx::query!(
                r#"update records set sealed = $4, version = version + 1, updated_at = app_now()
                   where provider_id = $1 and kind = $2 and record_id = $3"#,
                provider,
                party.kind.as_str(),
                party.local_id,
                sealed,
            )
            .execute(&mut **tx)
            .await?;
        }
        sqlx::query!(
            "update onefile_links set exchanged_at = app_now(), state = $2 where id = $1",
            party.link_id,
            state.as_str(),
        )
        .execute(&mut **tx)
        .await?;
        self.log_changes(tx, provider, changes).await?;
        Ok(true)
    }
}
