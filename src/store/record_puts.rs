//! Writing one record: whatever is there, only where there is none, or only over what the writer has seen.

use uuid::Uuid;

use super::{By, Expected, NewRecord, RecordKind, Store, StoreResult, Version, new_id};

impl Store {
    /// Writes one record whole, and its line of the audit; answers its version, whose count is 1 when it is new. `None`: what is there is
    /// not what was expected, and nothing was written.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_record(
        &self,
        provider: Uuid,
        kind: RecordKind,
        record: &NewRecord,
        expected: &Expected,
        by: &By,
    ) -> StoreResult<Option<Version>> {
        let sealed = self.seal_record(provider, kind, &record.id, &record.json)?;
        match expected {
            Expected::Whatever => self.put_whatever(provider, kind, record, &sealed, by).await.map(Some),
            Expected::Nothing => self.put_new(provider, kind, record, &sealed, by).await,
            Expected::There | Expected::OneOf(_) => {
                self.put_over(provider, kind, record, &sealed, expected, by).await
            }
        }
    }

    async fn put_whatever(
        &self,
        provider: Uuid,
        kind: RecordKind,
        record: &NewRecord,
        sealed: &[u8],
        by: &By,
    ) -> StoreResult<Version> {
        // One statement, and so one round trip: the audit's line is in the same transaction all the same.
        let row = sqlx::query!(
            r#"with moment as materialized (
                   select app_now() as now
               ), put as (
                   insert into records (provider_id, kind, record_id, sealed, uln_index, person_index, refers_to, created_at, updated_at)
                   select $1::uuid, $2::text, $3::text, $4::bytea, $5::bytea, $6::bytea, $10, now, now from moment
                   on conflict (provider_id, kind, record_id) do update
                   set sealed = excluded.sealed, uln_index = excluded.uln_index, person_index = excluded.person_index,
                       refers_to = excluded.refers_to, version = records.version + 1, updated_at = excluded.updated_at
                   returning created_at, version
               ), told as (
                   insert into audit (id, provider_id, at, actor, action, subject_kind, subject_id, request_id, address)
                   select $7::uuid, $1, now, $8, 'record.put', $2, $3, $9, $11 from moment
               )
               select created_at, version from put"#,
            provider,
            kind.as_str(),
            record.id,
            sealed,
            record.uln_index,
            record.person_index,
            new_id(),
            by.actor,
            by.request_id,
            record.refers_to,
            by.address,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Version::of(row.created_at, row.version))
    }

    /// Only where there is none.
    async fn put_new(
        &self,
        provider: Uuid,
        kind: RecordKind,
        record: &NewRecord,
        sealed: &[u8],
        by: &By,
    ) -> StoreResult<Option<Version>> {
        let row = sqlx::query!(
            r#"with moment as materialized (
                   select app_now() as now
               ), put as (
                   insert into records (provider_id, kind, record_id, sealed, uln_index, person_index, refers_to, created_at, updated_at)
                   select $1::uuid, $2::text, $3::text, $4::bytea, $5::bytea, $6::bytea, $10, now, now from moment
                   on conflict (provider_id, kind, record_id) do nothing
                   returning created_at, version
               ), told as (
                   insert into audit (id, provider_id, at, actor, action, subject_kind, subject_id, request_id, address)
                   select $7::uuid, $1, created_at, $8, 'record.put', $2, $3, $9, $11 from put
               )
               select created_at, version from put"#,
            provider,
            kind.as_str(),
            record.id,
            sealed,
            record.uln_index,
            record.person_index,
            new_id(),
            by.actor,
            by.request_id,
            record.refers_to,
            by.address,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| Version::of(row.created_at, row.version)))
    }

    /// Only over what was expected. Of two writers who expect the same, the second waits for the first, then finds another version.
    async fn put_over(
        &self,
        provider: Uuid,
        kind: RecordKind,
        record: &NewRecord,
        sealed: &[u8],
        expected: &Expected,
        by: &By,
    ) -> StoreResult<Option<Version>> {
        let (born, counts) = expected.listed().unzip();
        let row = sqlx::query!(
            r#"with put as (
                   update records set sealed = $4, uln_index = $5, person_index = $6, refers_to = $10, version = version + 1,
                          updated_at = app_now()
                   where provider_id = $1 and kind = $2 and record_id = $3
                   and ($12::timestamptz[] is null
                        or exists (select from unnest($12, $13::bigint[]) as own (born, count) where born = created_at and count = version))
                   returning created_at, version, updated_at
               ), told as (
                   insert into audit (id, provider_id, at, actor, action, subject_kind, subject_id, request_id, address)
                   select $7::uuid, $1, updated_at, $8, 'record.put', $2, $3, $9, $11 from put
               )
               select created_at, version from put"#,
            provider,
            kind.as_str(),
            record.id,
            sealed,
            record.uln_index,
            record.person_index,
            new_id(),
            by.actor,
            by.request_id,
            record.refers_to,
            by.address,
            born.as_deref(),
            counts.as_deref(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| Version::of(row.created_at, row.version)))
    }
}
