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
            r#"select learner_id as "learner_id!", updated_at as "updated_at!", ace360 as "state!", onefile as "onefile!", status_id, status_text
               from learner_lines($1, $2, $3)
               where ($4::text[] = '{}' or ace360 = any($4)) and ($6::text[] = '{}' or onefile = any($6))
               order by learner_id limit $5"#,
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
            r#"select count(*) as "count!" from learner_lines($1, null, $2)
               where ($3::text[] = '{}' or ace360 = any($3)) and ($4::text[] = '{}' or onefile = any($4))"#,
            provider,
            filter.updated_after,
            filter.ace360,
            filter.onefile,
        )
        .fetch_one(&self.pool)
        .await?)
    }
}
