//! The input of matching: records without a learner, and learners without a record.

use uuid::Uuid;

use crate::store::{After, Store, StoreResult, Tx};

/// How a record was found for a learner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchKind {
    Uln,
    /// By name and birth date.
    Person,
}

/// A record that may belong to a learner.
#[derive(Clone, Debug)]
pub struct MatchedRecord {
    pub record_id: i64,
    pub kind: MatchKind,
    /// The id of the record's standard in ACE360.
    pub standard_id: Option<i64>,
    /// Whether both sides have a ULN and the ULNs differ.
    pub uln_differs: bool,
    /// The number of unlinked learners with the same ULN. For a match by name and birth date: with
    /// the same ULN, or with the same name and birth date.
    pub rivals: i64,
}

/// A learner without a record, and the records that may belong to it.
#[derive(Clone, Debug)]
pub struct MatchCandidate {
    pub learner_id: String,
    pub records: Vec<MatchedRecord>,
}

impl Store {
    /// Unlinked records whose ULN was never read, newest first.
    pub async fn unread_records(
        &self,
        provider: Uuid,
        environment: &str,
        size: i64,
    ) -> StoreResult<Vec<i64>> {
        Ok(sqlx::query_scalar!(
            r#"select record_id from ace360_mirror m
               where provider_id = $1 and environment = $2 and uln_read_at is null
               and not exists (select from ace360_links l where l.provider_id = m.provider_id and l.environment = m.environment and l.record_id = m.record_id)
               order by record_id desc limit $3"#,
            provider,
            environment,
            size
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// Stores the blind index of a record's ULN. A ULN never changes in ACE360, so it is read once.
    pub async fn note_record_read(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        environment: &str,
        record: i64,
        uln_index: Option<&[u8]>,
    ) -> StoreResult<()> {
        sqlx::query!(
            "update ace360_mirror set uln_index = $4, uln_read_at = app_now() where provider_id = $1 and environment = $2 and record_id = $3",
            provider,
            environment,
            record,
            uln_index
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Learners without a record that match an unlinked record by ULN, or by name and birth date.
    pub async fn match_candidates(
        &self,
        provider: Uuid,
        environment: &str,
        after: After<'_>,
        size: i64,
    ) -> StoreResult<Vec<MatchCandidate>> {
        let rows = sqlx::query!(
            r#"with free_learner as (
                   select record_id as learner_id, uln_index, person_index from records r
                   where provider_id = $1 and kind = 'learner'
                   and not exists (select from ace360_links l where l.provider_id = $1 and l.environment = $2 and l.learner_id = r.record_id)
               ), free_record as (
                   select record_id, uln_index, person_index, standard_id from ace360_mirror m
                   where provider_id = $1 and environment = $2
                   and not exists (select from ace360_links l where l.provider_id = $1 and l.environment = $2 and l.record_id = m.record_id)
               ), found as (
                   select l.learner_id, m.record_id, true as by_uln, m.standard_id, false as uln_differs
                   from free_learner l join free_record m on m.uln_index = l.uln_index
                   union all
                   select l.learner_id, m.record_id, false, m.standard_id, l.uln_index is not null and m.uln_index is not null
                   from free_learner l join free_record m on m.person_index = l.person_index and m.uln_index is distinct from l.uln_index
               ), page as (
                   select distinct learner_id from found where $3::text is null or learner_id > $3 order by learner_id limit $4
               )
               select f.learner_id as "learner_id!", f.record_id as "record_id!", f.by_uln as "by_uln!", f.standard_id, f.uln_differs as "uln_differs!",
                      (select count(*) from free_learner l join free_record m
                       on m.uln_index = l.uln_index or not f.by_uln and m.person_index = l.person_index where m.record_id = f.record_id) as "rivals!"
               from found f join page using (learner_id) order by f.learner_id, f.record_id"#,
            provider,
            environment,
            after,
            size
        )
        .fetch_all(&self.pool)
        .await?;
        let mut candidates: Vec<MatchCandidate> = Vec::new();
        for row in rows {
            let record = MatchedRecord {
                record_id: row.record_id,
                kind: if row.by_uln { MatchKind::Uln } else { MatchKind::Person },
                standard_id: row.standard_id,
                uln_differs: row.uln_differs,
                rivals: row.rivals,
            };
            match candidates.last_mut() {
                Some(last) if last.learner_id == row.learner_id => last.records.push(record),
                _ => candidates.push(MatchCandidate { learner_id: row.learner_id, records: vec![record] }),
            }
        }
        Ok(candidates)
    }
}
