//! Learners with a user in OneFile.

use uuid::Uuid;

use crate::domain::{LinkState, OneFileEnvironment};
use crate::store::records::page;
use crate::store::{After, RecordPage, Store, StoreResult};

/// A linked learner, which has one user in all centres.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedLearner {
    pub learner_id: String,
    pub centre_id: String,
    pub user_id: String,
    /// The state of the user at the last read.
    pub state: LinkState,
}

impl Store {
    /// A page of linked learners, in ascending order of PICSWeb's ids.
    pub async fn linked_learners(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        after: After<'_>,
        size: i64,
    ) -> StoreResult<RecordPage<LinkedLearner>> {
        let rows = sqlx::query!(
            r#"select local_id, centre_id, remote_id, state from onefile_links
               where provider_id = $1 and environment = $2 and kind = 'learner' and ($3::text is null or local_id > $3)
               order by local_id limit $4"#,
            provider,
            environment.as_str(),
            after,
            size + 1
        )
        .fetch_all(&self.pool)
        .await?;
        let items = rows.into_iter().map(|row| LinkedLearner {
            learner_id: row.local_id,
            centre_id: row.centre_id,
            user_id: row.remote_id,
            // The table allows no other words than these.
            state: LinkState::parse(&row.state).unwrap_or(LinkState::Gone),
        });
        Ok(page(items.collect(), size))
    }

    pub async fn count_linked_learners(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
    ) -> StoreResult<i64> {
        Ok(sqlx::query_scalar!(
            r#"select count(*) as "count!" from onefile_links where provider_id = $1 and environment = $2 and kind = 'learner'"#,
            provider,
            environment.as_str()
        )
        .fetch_one(&self.pool)
        .await?)
    }
}
