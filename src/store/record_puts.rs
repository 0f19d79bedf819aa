//! Writes records: one in the expected version, or many at once.

use sqlx::PgExecutor;
use uuid::Uuid;

use super::{
    By, Expected, NewRecord, RecordKind, SealedRecords, Store, StoreError, StoreResult, Version, new_id,
};

impl Store {
    /// Writes one full record with its audit line, and returns its version, which counts from 1.
    /// `None`: the stored version is not the expected one, and nothing was written.
    pub async fn put_record(
        &self,
        provider: Uuid,
        kind: RecordKind,
        record: &NewRecord,
        expected: &Expected,
        by: &By,
    ) -> StoreResult<Option<Version>> {
        match expected {
            Expected::Whatever => self.upsert_record(&self.pool, provider, kind, record, true, by).await,
            Expected::Nothing => self.upsert_record(&self.pool, provider, kind, record, false, by).await,
            Expected::There | Expected::OneOf(_) => {
                // Two writers with the same expected version lock the row in turn, and the second
                // one finds another version.
                let mut tx = self.begin().await?;
                let as_expected = self.lock_record(&mut tx, provider, kind.as_str(), &record.id).await?
                    && self.is_as_expected(&mut tx, provider, kind, &record.id, expected).await?;
                if !as_expected {
                    return Ok(None);
                }
                let put = self.upsert_record(&mut *tx, provider, kind, record, true, by).await?;
                tx.commit().await?;
                Ok(put)
            }
        }
    }

    /// Writes one record, new or existing (if `may_replace`), with one statement and so one round
    /// trip.
    async fn upsert_record(
        &self,
        place: impl PgExecutor<'_>,
        provider: Uuid,
        kind: RecordKind,
        record: &NewRecord,
        may_replace: bool,
        by: &By,
    ) -> StoreResult<Option<Version>> {
        let sealed = self.seal_record(provider, kind, &record.id, &record.json)?;
        let row = sqlx::query!(
            r#"with moment as materialized (
                   select app_now() as now
               ), put as (
                   insert into records as old (provider_id, kind, record_id, sealed, uln_index, person_index, refers_to, created_at, updated_at)
                   select $1::uuid, $2::text, $3::text, $4::bytea, $5::bytea, $6::bytea, $7::text, now, now from moment
                   on conflict (provider_id, kind, record_id) do update
                   set sealed = excluded.sealed, uln_index = excluded.uln_index, person_index = excluded.person_index,
                       refers_to = excluded.refers_to, version = old.version + 1, updated_at = excluded.updated_at
                   where $8
                   returning created_at, version, updated_at
               ), line as (
                   insert into audit (id, provider_id, at, actor, action, subject_kind, subject_id, request_id, address)
                   select $9::uuid, $1, updated_at, $10, 'record.put', $2, $3, $11, $12 from put
               )
               select created_at, version from put"#,
            provider,
            kind.as_str(),
            record.id,
            sealed,
            record.uln_index,
            record.person_index,
            record.refers_to,
            may_replace,
            new_id(),
            by.actor,
            by.request_id,
            by.address,
        )
        .fetch_optional(place)
        .await?;
        Ok(row.map(|row| Version::of(row.created_at, row.version)))
    }

    /// Writes all records or none, with one audit line.
    pub async fn put_records(
        &self,
        provider: Uuid,
        kind: RecordKind,
        records: &SealedRecords,
        by: &By,
    ) -> StoreResult<()> {
        // `on conflict` searches each record before it writes, which takes a quarter longer. In
        // most imports either all records are new or most exist, and the first record shows which.
        let all_new = match records.ids.first() {
            Some(first) => !self.is_there(provider, kind, first).await?,
            None => return Ok(()),
        };
        if all_new {
            match self.insert_records(provider, kind, records, by).await {
                Err(StoreError::Sql(sqlx::Error::Database(error))) if error.is_unique_violation() => {}
                done => return done,
            }
        }
        self.upsert_records(provider, kind, records, by).await
    }
}

/// Defines a function that writes many records with one statement, which ends with `$conflict`.
macro_rules! put_records {
    ($name:ident, $conflict:literal) => {
        impl Store {
            async fn $name(
                &self,
                provider: Uuid,
                kind: RecordKind,
                records: &SealedRecords,
                by: &By,
            ) -> StoreResult<()> {
                sqlx::query!(
                    r#"with line as (
                           insert into audit (id, provider_id, at, actor, action, subject_kind, subject_ids, request_id, address)
                           values ($8, $1, app_now(), $9, 'record.import', $2, $3, $10, $11) returning at
                       )
                       insert into records as old (provider_id, kind, record_id, sealed, uln_index, person_index, refers_to, created_at, updated_at)
                       select $1, $2, id, sealed, uln, person, reference, at, at
                       from line, unnest($3::text[], $4::bytea[], $5::bytea[], $6::bytea[], $7::text[])
                            as new (id, sealed, uln, person, reference) "#
                    + $conflict,
                    provider,
                    kind.as_str(),
                    &records.ids,
                    &records.sealed,
                    &records.ulns as &[Option<Vec<u8>>],
                    &records.people as &[Option<Vec<u8>>],
                    &records.references as &[Option<String>],
                    new_id(),
                    by.actor,
                    by.request_id,
                    by.address,
                )
                .execute(&self.pool)
                .await?;
                Ok(())
            }
        }
    };
}

put_records!(insert_records, "");
put_records!(
    upsert_records,
    r#"on conflict (provider_id, kind, record_id) do update
       set sealed = excluded.sealed, uln_index = excluded.uln_index, person_index = excluded.person_index,
           refers_to = excluded.refers_to, version = old.version + 1, updated_at = excluded.updated_at"#
);
