//! Learners as they are listed: with where each stands in ACE360 and in OneFile, in the environments that the settings name.

use uuid::Uuid;

use super::records::page;
use super::{After, RecordPage, Store, StoreResult, Time};

/// A line of the learners' list.
#[derive(Clone, Debug)]
pub struct LearnerLine {
    /// PICSWeb's id.
    pub learner_id: String,
    /// Of the record's last write.
    pub updated_at: Time,
    /// As the ACE360 tab says it.
    pub state: String,
    /// As the OneFile tab says it.
    pub onefile: String,
    /// Status.
    pub status_id: Option<i32>,
    /// Its words.
    pub status_text: Option<String>,
}

/// Which learners.
#[derive(Clone, Copy, Debug, Default)]
pub struct LearnerFilter<'a> {
    /// In these states of the ACE360 tab; none: in any.
    pub ace360: &'a [String],
    /// In this state of the OneFile tab.
    pub onefile: &'a [String],
    /// Whose record was written after this.
    pub updated_after: Option<Time>,
}

impl Store {
    /// A page of learners.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_learners(
        &self,
        provider: Uuid,
        filter: LearnerFilter<'_>,
        after: After<'_>,
        size: i64,
    ) -> StoreResult<RecordPage<LearnerLine>> {
        let rows = sqlx::query_as!(
            LearnerLine,
            r#"select * from (
                   select r.record_id as "learner_id!", r.updated_at as "updated_at!",
                          case when l.state is not null then l.state
                               when i.state = 'sending' then 'uploading'
                               when i.state in ('unknown', 'rejected') then i.state
                               else 'notUploaded' end as "state!",
                          case when o.state = 'gone' then 'gone' when e.state is not null then e.state
                               when o.state is not null then 'enrolled' else 'notEnrolled' end as "onefile!",
                          l.status_id, l.status_text
                   from records r
                   left join ace360_links l on l.provider_id = r.provider_id and l.learner_id = r.record_id
                        and l.environment = (select ace360_environment($1))
                   left join lateral (
                       select state from intents where l.learner_id is null and provider_id = r.provider_id and upstream = 'ace360'
                       and environment = (select ace360_environment($1)) and subject_kind = 'learner' and subject_id = r.record_id and step = 'apprentice'
                       order by created_at desc, id desc limit 1
                   ) i on true
                   left join onefile_links o on o.provider_id = r.provider_id and o.kind = 'learner' and o.local_id = r.record_id
                        and o.environment = (select onefile_environment($1))
                   left join onefile_enrolments e on e.provider_id = r.provider_id and e.learner_id = r.record_id
                        and e.environment = (select onefile_environment($1))
                   where r.provider_id = $1 and r.kind = 'learner' and ($2::text is null or r.record_id > $2)
                   and ($3::timestamptz is null or r.updated_at > $3)
               ) as line
               where ($4::text[] = '{}' or "state!" = any($4)) and ($6::text[] = '{}' or "onefile!" = any($6))
               order by "learner_id!" limit $5"#,
            provider,
            after,
            filter.updated_after,
            filter.ace360,
            size + 1,
            filter.onefile,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(page(rows, size))
    }

    /// How many learners those are.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_learners(&self, provider: Uuid, filter: LearnerFilter<'_>) -> StoreResult<i64> {
        Ok(sqlx::query_scalar!(
            r#"select count(*) as "count!" from (
                   select case when l.state is not null then l.state
                               when i.state = 'sending' then 'uploading'
                               when i.state in ('unknown', 'rejected') then i.state
                               else 'notUploaded' end as state,
                          case when o.state = 'gone' then 'gone' when e.state is not null then e.state
                               when o.state is not null then 'enrolled' else 'notEnrolled' end as onefile
                   from records r
                   left join ace360_links l on l.provider_id = r.provider_id and l.learner_id = r.record_id
                        and l.environment = (select ace360_environment($1))
                   left join lateral (
                       select state from intents where l.learner_id is null and provider_id = r.provider_id and upstream = 'ace360'
                       and environment = (select ace360_environment($1)) and subject_kind = 'learner' and subject_id = r.record_id
                       and step = 'apprentice' order by created_at desc, id desc limit 1
                   ) i on true
                   left join onefile_links o on o.provider_id = r.provider_id and o.kind = 'learner' and o.local_id = r.record_id
                        and o.environment = (select onefile_environment($1))
                   left join onefile_enrolments e on e.provider_id = r.provider_id and e.learner_id = r.record_id
                        and e.environment = (select onefile_environment($1))
                   where r.provider_id = $1 and r.kind = 'learner' and ($2::timestamptz is null or r.updated_at > $2)
               ) as line
               where ($3::text[] = '{}' or state = any($3)) and ($4::text[] = '{}' or onefile = any($4))"#,
            provider,
            filter.updated_after,
            filter.ace360,
            filter.onefile,
        )
        .fetch_one(&self.pool)
        .await?)
    }
}
