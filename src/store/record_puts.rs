//! Writing records: one of them, over what the writer expects to be there, or many at once.

use uuid::Uuid;

use super::{
    By, Expected, NewRecord, RecordKind, SealedRecords, Store, StoreError, StoreResult, Version, new_id,
};

impl Store {
    /// Writes one record in full, and its row of the audit. The answer is its version, which counts from 1. `None`: what is
    /// there is not what was expected, and nothing was written.
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
        let may_be_new = matches!(expected, Expected::Whatever | Expected::Nothing);
        let (born, counts) = expected.listed().unzip();
        // One statement, and so one round trip. Two writers who expect the same version take turns at the row's lock, and the
        // second one finds another version. `present` takes the lock when the record must exist: a record that is deleted
        // meanwhile is not created again.
        let row = sqlx::query!(
            r#"with moment as materialized (
                   select app_now() as now
               ), present as materialized (
                   select from records where provider_id = $1 and kind = $2 and record_id = $3 for update
               ), put as (
                   insert into records as old (provider_id, kind, record_id, sealed, uln_index, person_index, refers_to, created_at, updated_at)
                   select $1::uuid, $2::text, $3::text, $4::bytea, $5::bytea, $6::bytea, $7::text, now, now
                   from moment where $8 or exists (select from present)
                   on conflict (provider_id, kind, record_id) do update
                   set sealed = excluded.sealed, uln_index = excluded.uln_index, person_index = excluded.person_index,
                       refers_to = excluded.refers_to, version = old.version + 1, updated_at = excluded.updated_at
                   where $9::timestamptz[] is null
                      or exists (select from unnest($9, $10::bigint[]) as expected (born, count)
                                 where born = old.created_at and count = old.version)
                   returning created_at, version, updated_at
               ), line as (
                   insert into audit (id, provider_id, at, actor, action, subject_kind, subject_id, request_id, address)
                   select $11::uuid, $1, updated_at, $12, 'record.put', $2, $3, $13, $14 from put
               )
               select created_at, version from put"#,
            provider,
            kind.as_str(),
            record.id,
            sealed,
            record.uln_index,
            record.person_index,
            record.refers_to,
            may_be_new,
            born.as_deref(),
            counts.as_deref(),
            new_id(),
            by.actor,
            by.request_id,
            by.address,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| Version::of(row.created_at, row.version)))
    }

    /// Writes many records, all or none of them, and one row of the audit.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_records(
        &self,
        provider: Uuid,
        kind: RecordKind,
        records: &SealedRecords,
        by: &By,
    ) -> StoreResult<()> {
        // `on conflict` looks for each record before it writes it, and takes a quarter longer. In most imports either all records
        // are new or most are not, and the first one tells which.
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

/// A function of the store that writes many records with one statement, which ends with `$conflict`.
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
