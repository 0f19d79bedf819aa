//! The feed of all changes. Rows do not commit in the order of their ids, so committed rows get
//! their position later, under a lock. Readers use positions and miss none.

use uuid::Uuid;

use super::{Store, StoreResult, Time, Tx, new_id};
use crate::domain::{Change, ChangeEntry, ChangeType, Subject, SubjectKind};

#[derive(Clone, Debug)]
pub struct ChangeRow {
    pub position: i64,
    pub entry: ChangeEntry,
}

/// A change in its sealed form.
pub(super) struct SealedChange {
    pub(super) id: Uuid,
    pub(super) kind: ChangeType,
    pub(super) subject_kind: SubjectKind,
    pub(super) subject_id: String,
    pub(super) at: Time,
    pub(super) sealed: Vec<u8>,
}

/// "picsbridge feed" as a number, to avoid a collision with other locks.
const LOCK: i64 = 0x7069_6373_6665_6564;

impl Store {
    /// Writes a change in the transaction that makes it.
    pub async fn log_change(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        subject: Subject,
        change: Change,
    ) -> StoreResult<()> {
        self.log_changes(tx, provider, &[(subject, change)]).await
    }

    /// Writes changes in the transaction that makes them. The feed keeps this order.
    pub async fn log_changes(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        changes: &[(Subject, Change)],
    ) -> StoreResult<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = changes.iter().map(|_| new_id()).collect();
        let sealed = ids
            .iter()
            .zip(changes)
            .map(|(id, (_, change))| self.seal_change(*id, change))
            .collect::<StoreResult<Vec<_>>>()?;
        let texts = |of: fn(&(Subject, Change)) -> &str| -> Vec<String> {
            changes.iter().map(|change| of(change).to_owned()).collect()
        };
        sqlx::query!(
            r#"insert into changes (id, provider_id, type, subject_kind, subject_id, at, sealed_data)
               select new.id, $1, new.type, new.subject_kind, new.subject_id, app_now(), new.sealed
               from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[])
                    as new (id, type, subject_kind, subject_id, sealed)"#,
            provider,
            &ids,
            &texts(|(_, change)| change.kind().as_str()),
            &texts(|(subject, _)| subject.kind.as_str()),
            &texts(|(subject, _)| &subject.id),
            &sealed,
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Seals the data of the change with this id.
    pub(super) fn seal_change(&self, id: Uuid, change: &Change) -> StoreResult<Vec<u8>> {
        self.seal_json(&change_row(id), change)
    }

    pub(super) fn unseal_change(&self, row: SealedChange) -> StoreResult<ChangeEntry> {
        let data = self.vault.sealer.unseal(&change_row(row.id), &row.sealed)?;
        let subject = Subject { kind: row.subject_kind, id: row.subject_id };
        Ok(ChangeEntry::new(row.id, subject, row.at, Change::read(row.kind, &data)?))
    }

    /// Gives committed changes their positions, and creates a delivery for each webhook that wants
    /// them. Any process may call it. It holds the lock until the positions are committed, so that
    /// a reader never sees a later position before an earlier one.
    pub async fn place_changes(&self) -> StoreResult<u64> {
        let unplaced =
            sqlx::query_scalar!(r#"select exists (select from changes where position is null) as "any!""#)
                .fetch_one(&self.pool)
                .await?;
        if !unplaced {
            return Ok(0);
        }
        let mut tx = self.begin().await?;
        sqlx::query!("select pg_advisory_xact_lock($1) as locked", LOCK).fetch_one(&mut *tx).await?;
        // A new statement has a new snapshot, which includes commits that happened while it waited
        // for the lock. The statement waits for a webhook that is being deleted, and leaves it out.
        let placed = sqlx::query_scalar!(
            r#"with placed as (
                   update changes set position = numbered.position
                   from (select id, nextval('changes_position') as position
                         from (select id from changes where position is null order by id) as unplaced) as numbered
                   where changes.id = numbered.id
                   returning changes.id, changes.provider_id, changes.type, changes.position
               ), queued as (
                   insert into webhook_deliveries (webhook_id, id, change_id, position, state, due_at, created_at)
                   select w.id, p.id, p.id, p.position, 'pending', app_now(), app_now()
                   from placed p join webhooks w on w.provider_id = p.provider_id and w.enabled and (w.types = '{}' or p.type = any(w.types))
                   for key share of w
               )
               select count(*) as "count!" from placed"#
        )
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(u64::try_from(placed).unwrap_or(0))
    }

    /// The changes after a position. `None`: retention has deleted up to the position, or the
    /// position never existed (the database was restored).
    pub async fn changes_after(
        &self,
        provider: Uuid,
        after: i64,
        size: i64,
    ) -> StoreResult<Option<Vec<ChangeRow>>> {
        let swept = sqlx::query_scalar!("select changes_swept_to from providers where id = $1", provider)
            .fetch_one(&self.pool)
            .await?;
        // Position 0 is the start: everything that still exists.
        if after != 0 && after < swept {
            return Ok(None);
        }
        let given =
            sqlx::query_scalar!("select last_value from changes_position").fetch_one(&self.pool).await?;
        if after > given {
            return Ok(None);
        }
        let rows = sqlx::query!(
            r#"select id, position as "position!", type as "kind: ChangeType", subject_kind as "subject_kind: SubjectKind", subject_id, at,
                      sealed_data
               from changes where provider_id = $1 and position > $2 order by position limit $3"#,
            provider,
            after,
            size
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                let entry = self.unseal_change(SealedChange {
                    id: row.id,
                    kind: row.kind,
                    subject_kind: row.subject_kind,
                    subject_id: row.subject_id,
                    at: row.at,
                    sealed: row.sealed_data,
                })?;
                Ok(ChangeRow { position: row.position, entry })
            })
            .collect::<StoreResult<Vec<_>>>()
            .map(Some)
    }
}

fn change_row(id: Uuid) -> String {
    format!("changes/{id}")
}
