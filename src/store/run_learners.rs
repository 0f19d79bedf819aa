//! The requested learners of a run, in the order of processing. They are rows and not parameters,
//! so that erasing a learner can delete them.

use uuid::Uuid;

use super::{NewRun, Store, StoreResult, Tx};

/// A requested learner of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLearner {
    /// The position in the request, from 0. Erased learners leave gaps.
    pub place: i32,
    pub learner_id: String,
}

impl Store {
    /// Stores the requested learners of a new run.
    pub(super) async fn add_run_learners(&self, tx: &mut Tx, run: Uuid, new: &NewRun) -> StoreResult<()> {
        let Some(learners) = &new.learners else { return Ok(()) };
        sqlx::query!(
            r#"insert into run_learners (run_id, place, provider_id, learner_id)
               select $1, place - 1, $2, id from unnest($3::text[]) with ordinality as asked (id, place)"#,
            run,
            new.provider,
            learners,
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// At most `size` requested learners, starting at this position.
    pub async fn run_learners(&self, run: Uuid, from: i32, size: i64) -> StoreResult<Vec<RunLearner>> {
        Ok(sqlx::query_as!(
            RunLearner,
            "select place, learner_id from run_learners where run_id = $1 and place >= $2 order by place limit $3",
            run,
            from,
            size,
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// Counts the learners that were erased before their turn as failed. No run record names them.
    ///
    /// The run has otherwise ended. `least`: a learner that was erased after its turn is counted
    /// already.
    pub(super) async fn count_erased(&self, tx: &mut Tx, run: Uuid, fence: Uuid) -> StoreResult<()> {
        sqlx::query!(
            r#"update runs set failed = failed + erased.many, done = done + erased.many, total = done + erased.many
               from (select least(r.learners - r.done,
                                  r.learners - (select count(*) from run_learners where run_id = r.id))::int as many
                     from runs r where r.id = $1) as erased
               where id = $1 and fence = $2 and erased.many > 0"#,
            run,
            fence,
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
