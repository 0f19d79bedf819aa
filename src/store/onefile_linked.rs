//! Which records of ours are linked with OneFile's: all that the set-up's checklist needs of the links.

use uuid::Uuid;

use super::{Store, StoreResult};
use crate::domain::OneFileEnvironment;

impl Store {
    /// PICSWeb's ids of the records of a kind (`officer`, `organisation`, `learner`) that have a link in this state (`linked`,
    /// `gone`) in at least one centre.
    ///
    /// # Errors
    /// The database's.
    pub async fn onefile_linked(
        &self,
        provider: Uuid,
        environment: OneFileEnvironment,
        kind: &str,
        state: &str,
    ) -> StoreResult<Vec<String>> {
        Ok(sqlx::query_scalar!(
            r#"select distinct local_id from onefile_links
               where provider_id = $1 and environment = $2 and kind = $3 and state = $4 order by local_id"#,
            provider,
            environment.as_str(),
            kind,
            state
        )
        .fetch_all(&self.pool)
        .await?)
    }
}
