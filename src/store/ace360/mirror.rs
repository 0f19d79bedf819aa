//! The mirror of ACE360's list of apprentices, which finds duplicates without reading the full
//! list.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::{IntentRow, Store, StoreResult, Time, Tx};

/// A record as ACE360's list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorRow {
    pub record_id: i64,
    /// The blind index of name and birth date, if the list had both.
    pub person_index: Option<Vec<u8>>,
    /// Blind index of the birth date.
    pub birth_index: Option<Vec<u8>>,
    /// ACE360's id of the standard.
    pub standard_id: Option<i64>,
    pub status_id: Option<i32>,
    pub status_text: Option<String>,
    pub archived: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Mirrored {
    /// The number of records that were new to the mirror.
    pub fresh: i64,
    /// The number of records in the mirror. `None` in a run.
    pub size: Option<i64>,
}

/// The blind indexes that find a person's records.
#[derive(Clone, Debug, Default)]
pub struct PersonIndex {
    /// The blind index of first name, last name and birth date.
    pub name: Option<Vec<u8>>,
    pub uln: Option<Vec<u8>>,
    pub birth: Option<Vec<u8>>,
    /// Records with the same birth date count when they have this standard, or none; none here: all do.
    pub standard: Option<i64>,
}

/// Why a record may be a learner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TwinMatch {
    /// Name and birth date.
    Person,
    /// The ULN, though another name or birth date.
    Uln,
    /// Birth date and standard alone.
    Birth,
}

/// A record that may belong to a learner.
#[derive(Clone, Debug)]
pub struct Twin {
    pub record_id: i64,
    /// The id of the standard in ACE360.
    pub standard_id: Option<i64>,
    pub status_text: Option<String>,
    pub archived: bool,
    /// The learner that it is linked to here.
    pub linked_to: Option<String>,
    pub found_by: TwinMatch,
}

impl TwinMatch {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "person" => Some(Self::Person),
            "uln" => Some(Self::Uln),
            "birth" => Some(Self::Birth),
            _ => None,
        }
    }
}

impl Store {
    /// Writes a page of ACE360's list into the mirror. A run over the full list marks each record
    /// with its id. Without a run, unchanged records that were written within the last minute are
    /// skipped.
    pub async fn mirror(
        &self,
        connection: &mut PgConnection,
        provider: Uuid,
        environment: &str,
        rows: &[MirrorRow],
        run: Option<Uuid>,
    ) -> StoreResult<Mirrored> {
        let ids: Vec<i64> = rows.iter().map(|row| row.record_id).collect();
        let people: Vec<Option<Vec<u8>>> = rows.iter().map(|row| row.person_index.clone()).collect();
        let births: Vec<Option<Vec<u8>>> = rows.iter().map(|row| row.birth_index.clone()).collect();
        let standards: Vec<Option<i64>> = rows.iter().map(|row| row.standard_id).collect();
        let statuses: Vec<Option<i32>> = rows.iter().map(|row| row.status_id).collect();
        let texts: Vec<Option<String>> = rows.iter().map(|row| row.status_text.clone()).collect();
        let archived: Vec<bool> = rows.iter().map(|row| row.archived).collect();
        // A record that is on a page twice counts once. The count does not see rows that the same
        // statement inserts.
        let mirrored = sqlx::query!(
            r#"with written as (
                   insert into ace360_mirror as old (provider_id, environment, record_id, person_index, birth_index, standard_id,
                                                     status_id, status_text, archived, seen_by, refreshed_at, first_seen_at)
                   select distinct on (id) $1::uuid, $2, id, person, birth, standard, status, words, archived, $9::uuid,
                          (select app_now()), (select app_now())
                   from unnest($3::bigint[], $4::bytea[], $10::bytea[], $5::bigint[], $6::int[], $7::text[], $8::bool[])
                       as page (id, person, birth, standard, status, words, archived)
                   on conflict (provider_id, environment, record_id) do update
                   set person_index = coalesce(excluded.person_index, old.person_index),
                       birth_index = coalesce(excluded.birth_index, old.birth_index), standard_id = excluded.standard_id,
                       status_id = excluded.status_id, status_text = excluded.status_text, archived = excluded.archived,
                       seen_by = coalesce(excluded.seen_by, old.seen_by), refreshed_at = excluded.refreshed_at
                   where $9::uuid is not null or old.refreshed_at < excluded.refreshed_at - interval '1 minute'
                         or (old.person_index, old.birth_index, old.standard_id, old.status_id, old.status_text, old.archived) is distinct from
                            (coalesce(excluded.person_index, old.person_index), coalesce(excluded.birth_index, old.birth_index), excluded.standard_id, excluded.status_id,
                             excluded.status_text, excluded.archived)
                   returning (xmax = 0) as fresh
               )
               select (select count(*) from written where fresh) as "fresh!",
                      case when $9::uuid is null then (
                          select count(*) from ace360_mirror where provider_id = $1 and environment = $2
                      ) end as size"#,
            provider,
            environment,
            &ids,
            &people as &[Option<Vec<u8>>],
            &standards as &[Option<i64>],
            &statuses as &[Option<i32>],
            &texts as &[Option<String>],
            &archived,
            run,
            &births as &[Option<Vec<u8>>],
        )
        .fetch_one(connection)
        .await?;
        Ok(Mirrored { fresh: mirrored.fresh, size: mirrored.size.map(|before| before + mirrored.fresh) })
    }

    /// Writes a page into the mirror, and finds a person's records in it. For the search before a
    /// creation.
    pub async fn mirror_and_find(
        &self,
        provider: Uuid,
        environment: &str,
        rows: &[MirrorRow],
        person: &PersonIndex,
    ) -> StoreResult<(Mirrored, Vec<Twin>)> {
        let mut connection = self.pool.acquire().await?;
        let mirrored = self.mirror(&mut connection, provider, environment, rows, None).await?;
        Ok((mirrored, twins(&mut connection, provider, environment, person).await?))
    }

    /// The records of a person in the mirror, newest first.
    pub async fn twins(
        &self,
        provider: Uuid,
        environment: &str,
        person: &PersonIndex,
    ) -> StoreResult<Vec<Twin>> {
        twins(&mut *self.pool.acquire().await?, provider, environment, person).await
    }

    /// Which of these records an intent may have created: those that were first seen after it was written, were not created by
    /// another upload, and whose ULN is not known to be another.
    pub async fn records_since(
        &self,
        intent: &IntentRow,
        records: &[i64],
        uln_index: Option<&[u8]>,
    ) -> StoreResult<Vec<i64>> {
        Ok(sqlx::query_scalar!(
            r#"select record_id from ace360_mirror m
               where provider_id = $1 and environment = $2 and record_id = any($3) and first_seen_at >= $4
               and ($5::bytea is null or coalesce(uln_index, $5) = $5) and not (record_id = any($6))
               and not exists (
                   select from ace360_links l where l.provider_id = m.provider_id and l.environment = m.environment
                   and l.record_id = m.record_id and l.learner_id <> $7 and l.method in ('upload', 'reconciled')
               )
               order by record_id desc"#,
            intent.provider_id,
            intent.environment,
            records,
            intent.created_at,
            uln_index,
            &intent.candidates,
            intent.subject_id,
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// Ends a run over the whole list: records that it did not see are gone from ACE360.
    pub async fn end_mirror_refresh(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        environment: &str,
        run: Uuid,
        began: Time,
    ) -> StoreResult<()> {
        sqlx::query!(
            r#"delete from ace360_mirror where provider_id = $1 and environment = $2 and seen_by is distinct from $3 and refreshed_at < $4"#,
            provider,
            environment,
            run,
            began
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "update ace360_settings set mirror_refreshed_at = app_now() where provider_id = $1",
            provider
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// Records with the same name and birth date, with a ULN that is known to be the same (ACE360's own where it was read, or that
/// of a learner here who is linked to the record), or with the same birth date and standard and a ULN that is not known. The
/// provider is part of each blind index.
async fn twins(
    connection: &mut PgConnection,
    provider: Uuid,
    environment: &str,
    person: &PersonIndex,
) -> StoreResult<Vec<Twin>> {
    Ok(sqlx::query_as!(
        Twin,
        r#"with found as materialized (
               select record_id from ace360_mirror where person_index = $3 and environment = $2
               union
               select record_id from ace360_mirror where uln_index = $4 and environment = $2
               union
               select l.record_id from records r
               join ace360_links l on l.provider_id = r.provider_id and l.learner_id = r.record_id and l.environment = $2
               where r.uln_index = $4 and r.kind = 'learner'
               union
               -- Whose ULN is known to be another is another person's.
               select record_id from ace360_mirror b
               where birth_index = $5 and environment = $2 and ($6::bigint is null or coalesce(standard_id, $6) = $6)
               and ($4::bytea is null or coalesce(uln_index, $4) = $4)
               and not exists (
                   select from ace360_links l join records r
                   on r.provider_id = l.provider_id and r.kind = 'learner' and r.record_id = l.learner_id
                   where l.provider_id = b.provider_id and l.environment = b.environment and l.record_id = b.record_id
                   and r.uln_index <> $4
               )
           )
           select m.record_id, m.standard_id, m.status_text, m.archived, l.learner_id as "linked_to?",
                  case when m.person_index = $3 then 'person'
                       when m.uln_index = $4 or exists (
                           select from records r where r.provider_id = $1 and r.kind = 'learner' and r.record_id = l.learner_id and r.uln_index = $4
                       ) then 'uln'
                       else 'birth' end as "found_by!: TwinMatch"
           from found
           join ace360_mirror m on m.provider_id = $1 and m.environment = $2 and m.record_id = found.record_id
           left join ace360_links l on l.provider_id = $1 and l.environment = $2 and l.record_id = found.record_id
           order by m.record_id desc"#,
        provider,
        environment,
        person.name,
        person.uln,
        person.birth,
        person.standard,
    )
    .fetch_all(connection)
    .await?)
}
