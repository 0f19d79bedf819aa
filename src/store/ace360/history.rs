//! Every status that was seen of a learner's record, and how many learners stand where.

use uuid::Uuid;

use crate::store::{LinkRow, LinkStatus, Store, StoreResult, Time, Tx};

/// One line of the history.
#[derive(Clone, Debug)]
pub struct HistoryRow {
    /// When it was seen first.
    pub read_at: Time,
    pub status_id: Option<i32>,
    pub status_text: Option<String>,
}

/// How many learners stand where.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Status id, its words, learners.
    pub by_status: Vec<(Option<i32>, Option<String>, i64)>,
    pub learners: i64,
    pub linked: i64,
    /// Whose record is gone.
    pub gone: i64,
    /// Whose record could not be read.
    pub troubled: i64,
    /// Whose upload's answer was lost.
    pub unknown: i64,
    /// Whose upload was refused.
    pub rejected: i64,
}

impl Store {
    /// Adds a status to the history.
    pub async fn add_ace360_history(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        link: &LinkRow,
        now: &LinkStatus,
    ) -> StoreResult<()> {
        sqlx::query!(
            r#"insert into ace360_history (provider_id, learner_id, record_id, read_at, status_id, status_text) values ($1, $2, $3, app_now(), $4, $5)"#,
            provider,
            link.learner_id,
            link.record_id,
            now.status_id,
            now.status_text
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Every status that was seen of a learner's records, oldest first.
    pub async fn ace360_history(&self, provider: Uuid, learner: &str) -> StoreResult<Vec<HistoryRow>> {
        Ok(sqlx::query_as!(
            HistoryRow,
            r#"select read_at, status_id, status_text from ace360_history where provider_id = $1 and learner_id = $2 order by read_at"#,
            provider,
            learner
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// How many learners stand where: linked by status, and what needs attention.
    pub async fn ace360_counts(&self, provider: Uuid, environment: &str) -> StoreResult<Counts> {
        let by_status = sqlx::query!(
            r#"select status_id, max(status_text) as status_text, count(*) as "count!" from ace360_links
               where provider_id = $1 and environment = $2 and state = 'uploaded' group by status_id order by status_id"#,
            provider,
            environment
        )
        .fetch_all(&self.pool)
        .await?;
        let rest = sqlx::query!(
            r#"select (select count(*) from records where provider_id = $1 and kind = 'learner') as "learners!",
                      (select count(*) from ace360_links where provider_id = $1 and environment = $2) as "linked!",
                      (select count(*) from ace360_links where provider_id = $1 and environment = $2 and state = 'gone') as "gone!",
                      (select count(*) from ace360_links where provider_id = $1 and environment = $2 and problem_code is not null) as "troubled!",
                      (select count(*) from intents where provider_id = $1 and upstream = 'ace360' and state = 'unknown') as "unknown!",
                      (select count(*) from (select distinct on (subject_id) state, subject_id from intents
                        where provider_id = $1 and upstream = 'ace360' and subject_kind = 'learner' order by subject_id, created_at desc, id desc) last
                        where state = 'rejected') as "rejected!""#,
            provider,
            environment
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Counts {
            by_status: by_status.into_iter().map(|row| (row.status_id, row.status_text, row.count)).collect(),
            learners: rest.learners,
            linked: rest.linked,
            gone: rest.gone,
            troubled: rest.troubled,
            unknown: rest.unknown,
            rejected: rest.rejected,
        })
    }
}
