//! What a run waits for before it can begin or end.

use uuid::Uuid;

use super::{RunRow, Store, StoreResult, Time};

#[derive(Clone, Debug, Default)]
pub struct Awaited {
    /// The run of its kind that must end first.
    pub behind: Option<Uuid>,
    /// When the last of its creations with a lost response is reconciled.
    pub looks_until: Option<Time>,
}

impl Store {
    /// What an active run waits for.
    pub async fn awaited(&self, run: &RunRow) -> StoreResult<Awaited> {
        let row = sqlx::query!(
            r#"select (select id from runs where provider_id = $2 and upstream = $3 and kind = $4 and id <> $1 and not validate_only and not $6
                              and $5 = 'queued' and (state in ('running', 'waiting') or state = 'queued' and id < $1)
                       order by state = 'queued', id limit 1) as behind,
                      (select max(next_look_at) from intents where provider_id = $2 and run_id = $1 and state = 'unknown' and $5 = 'waiting') as looks_until"#,
            run.id,
            run.provider_id,
            run.kind.upstream().as_str(),
            run.kind.as_str(),
            run.state.as_str(),
            run.validate_only,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Awaited { behind: row.behind, looks_until: row.looks_until })
    }
}
