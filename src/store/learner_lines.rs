//! The list of learners, with their state in ACE360 and in OneFile, in the environments that the
//! settings name.

use uuid::Uuid;

use super::records::page;
use super::{After, RecordPage, Store, StoreResult, Time, known_word};
use crate::domain::{OneFileState, TabState};

#[derive(Clone, Debug)]
pub struct LearnerLine {
    pub learner_id: String,
    pub updated_at: Time,
    /// The state that the ACE360 tab shows.
    pub ace360: TabState,
    /// The state that the OneFile tab shows.
    pub onefile: OneFileState,
    /// ACE360's status at the last read.
    pub status_id: Option<i32>,
    /// ACE360's text of that status.
    pub status_text: Option<String>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct LearnerFilter<'a> {
    /// Only these states in ACE360. Empty: all.
    pub ace360: &'a [TabState],
    /// Only these states in OneFile. Empty: all.
    pub onefile: &'a [OneFileState],
    /// Only learners whose record was written after this time.
    pub updated_after: Option<Time>,
}

/// A query over `lines`: the learners of provider $1 that the filter accepts ($2: `updated_after`,
/// $3 and $4: the states).
///
/// `limit 1` makes PostgreSQL look up each learner's rows by their full key. Before the tables have
/// statistics, a plain join would scan all rows of the provider for each learner.
macro_rules! over_lines {
    ($query:ident, $head:literal, $tail:literal, $provider:expr, $filter:expr $(, $more:expr)*) => {
        sqlx::$query!(
            $head
            + r#" from (
                select r.record_id as learner_id, r.updated_at, l.status_id, l.status_text,
                       case when l.state is not null then l.state
                            when i.state = 'sending' then 'uploading'
                            when i.state in ('unknown', 'rejected') then i.state
                            else 'notUploaded' end as ace360,
                       case when o.state = 'gone' then 'gone'
                            when e.state is not null then e.state
                            when o.state is not null then 'enrolled'
                            else 'notEnrolled' end as onefile
                from records r
                left join lateral (
                    select state, status_id, status_text from ace360_links
                    where provider_id = $1 and learner_id = r.record_id
                    and environment = coalesce((select environment from ace360_settings where provider_id = $1), 'live')
                    limit 1
                ) l on true
                -- The latest upload, of a learner that has no link.
                left join lateral (
                    select state from intents
                    where l.state is null and provider_id = $1 and upstream = 'ace360'
                    and environment = coalesce((select environment from ace360_settings where provider_id = $1), 'live')
                    and subject_kind = 'learner' and subject_id = r.record_id and step = 'apprentice'
                    order by created_at desc, id desc limit 1
                ) i on true
                left join lateral (
                    select state from onefile_links
                    where provider_id = $1 and kind = 'learner' and local_id = r.record_id
                    and environment = coalesce((select environment from onefile_settings where provider_id = $1), 'live')
                    limit 1
                ) o on true
                left join lateral (
                    select state from onefile_enrolments
                    where provider_id = $1 and learner_id = r.record_id
                    and environment = coalesce((select environment from onefile_settings where provider_id = $1), 'live')
                    limit 1
                ) e on true
                where r.provider_id = $1 and r.kind = 'learner' and ($2::timestamptz is null or r.updated_at > $2)
            ) lines
            where ($3::text[] = '{}' or ace360 = any($3)) and ($4::text[] = '{}' or onefile = any($4)) "#
            + $tail,
            $provider,
            $filter.updated_after,
            &$filter.ace360.iter().map(|state| state.as_str().to_owned()).collect::<Vec<_>>(),
            &$filter.onefile.iter().map(|state| state.as_str().to_owned()).collect::<Vec<_>>()
            $(, $more)*
        )
    };
}

impl Store {
    /// A page of the list, in ascending order of the learners' ids.
    pub async fn list_learners(
        &self,
        provider: Uuid,
        filter: LearnerFilter<'_>,
        after: After<'_>,
        size: i64,
    ) -> StoreResult<RecordPage<LearnerLine>> {
        let rows = over_lines!(
            query,
            r#"select learner_id, updated_at, ace360 as "ace360!", onefile as "onefile!", status_id as "status_id?",
                      status_text as "status_text?""#,
            "and ($5::text is null or learner_id > $5) order by learner_id limit $6",
            provider,
            filter,
            after,
            size + 1
        )
        .fetch_all(&self.pool)
        .await?;
        let lines = rows
            .into_iter()
            .map(|row| {
                Ok(LearnerLine {
                    learner_id: row.learner_id,
                    updated_at: row.updated_at,
                    ace360: known_word(TabState::parse, &row.ace360)?,
                    onefile: known_word(OneFileState::parse, &row.onefile)?,
                    status_id: row.status_id,
                    status_text: row.status_text,
                })
            })
            .collect::<StoreResult<_>>()?;
        Ok(page(lines, size))
    }

    /// The number of learners that the filter accepts.
    pub async fn count_learners(&self, provider: Uuid, filter: LearnerFilter<'_>) -> StoreResult<i64> {
        Ok(over_lines!(query_scalar, r#"select count(*) as "count!""#, "", provider, filter)
            .fetch_one(&self.pool)
            .await?)
    }
}
