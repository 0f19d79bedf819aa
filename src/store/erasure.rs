//! What runs remember of learners that are erased: their ids stand in what a run was asked, in its cursor, and in the records
//! that it tells. They go with the learner; from a run that is under way, which holds them in memory too, when it ends.

use uuid::Uuid;

use super::{Store, StoreResult, Tx, new_id};

impl Store {
    /// Takes a learner's id out of the provider's runs. What is no id takes its place, another for each learner: a run that is
    /// under way counts places, and when it comes to this one it finds no learner.
    pub(super) async fn forget_in_runs(&self, tx: &mut Tx, provider: Uuid, learner: &str) -> StoreResult<()> {
        // Ids hold letters, digits, `.`, `_` and `-`: of these only the dot means something in a pattern. A key is no id.
        let pattern = format!(r#""{}"(?!\s*:)"#, learner.replace('.', r"\."));
        sqlx::query!(
            r#"update runs set params = regexp_replace(params::text, $2, $3, 'g')::jsonb
               where provider_id = $1 and params::text ~ $2"#,
            provider,
            pattern,
            format!(r#""-{}""#, new_id())
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Takes out of a run that has ended what it holds of learners that were erased while it was under way.
    pub(super) async fn forget_erased(&self, tx: &mut Tx, provider: Uuid, run: Uuid) -> StoreResult<()> {
        // Ids of ours are ordered by time: the audit since the run was made.
        let erased = sqlx::query_scalar!(
            r#"select distinct subject_id as "id!" from audit a
               where provider_id = $1 and id > $2 and action = 'learner.erase' and subject_id is not null
               and not exists (select from records r where r.provider_id = $1 and r.kind = 'learner' and r.record_id = a.subject_id)"#,
            provider,
            run
        )
        .fetch_all(&mut **tx)
        .await?;
        if erased.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "delete from run_records where run_id = $1 and subject_kind = 'learner' and subject_id = any($2)",
            run,
            &erased
        )
        .execute(&mut **tx)
        .await?;
        for learner in &erased {
            self.forget_in_runs(tx, provider, learner).await?;
        }
        Ok(())
    }
}
