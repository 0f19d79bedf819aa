//! Erases a learner: the record and all data about it. The id stays in the audit log, which says
//! that it was erased.

use uuid::Uuid;

use super::{By, Expected, RecordKind, Removed, Store, StoreResult, Tx};

impl Store {
    /// Erases a learner in the expected version. A learner whose upload or enrolment has no known
    /// outcome is kept.
    pub async fn erase_learner(
        &self,
        provider: Uuid,
        learner: &str,
        expected: &Expected,
        by: &By,
    ) -> StoreResult<Removed> {
        let mut tx = self.begin().await?;
        if !self.lock_record(&mut tx, provider, "learner", learner).await? {
            return Ok(Removed::Missing);
        }
        if !self.is_as_expected(&mut tx, provider, RecordKind::Learner, learner, expected).await? {
            return Ok(Removed::Unexpected);
        }
        if self.has_open_intent(&mut tx, provider, "learner", learner).await? {
            return Ok(Removed::InFlight);
        }
        self.remove_ace360_links_of(&mut tx, provider, learner).await?;
        self.remove_onefile_links_of(&mut tx, provider, RecordKind::Learner, learner).await?;
        self.forget_answers(&mut tx, provider, learner).await?;
        self.remove_from_runs(&mut tx, provider, learner).await?;
        sqlx::query!(
            "delete from intents where provider_id = $1 and subject_kind = 'learner' and subject_id = $2",
            provider,
            learner
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!(
            "delete from changes where provider_id = $1 and subject_kind = 'learner' and subject_id = $2",
            provider,
            learner
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!(
            "delete from records where provider_id = $1 and kind = 'learner' and record_id = $2",
            provider,
            learner
        )
        .execute(&mut *tx)
        .await?;
        self.audit(&mut tx, provider, by, "learner.erase", "learner", learner).await?;
        tx.commit().await?;
        Ok(Removed::Done)
    }

    async fn remove_ace360_links_of(&self, tx: &mut Tx, provider: Uuid, learner: &str) -> StoreResult<()> {
        sqlx::query!(
            "delete from ace360_links where provider_id = $1 and learner_id = $2",
            provider,
            learner
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "delete from ace360_history where provider_id = $1 and learner_id = $2",
            provider,
            learner
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Deletes a learner's data from the provider's runs. An active run may hold the id in its
    /// cursor and in memory; it deletes these when it ends.
    async fn remove_from_runs(&self, tx: &mut Tx, provider: Uuid, learner: &str) -> StoreResult<()> {
        sqlx::query!(
            "delete from run_learners where provider_id = $1 and learner_id = $2",
            provider,
            learner
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            r#"delete from run_records using runs
               where runs.id = run_records.run_id and runs.provider_id = $1 and subject_kind = 'learner' and subject_id = $2"#,
            provider,
            learner
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Deletes the data of learners that were erased during a run, when the run ends.
    pub(super) async fn forget_erased(&self, tx: &mut Tx, provider: Uuid, run: Uuid) -> StoreResult<()> {
        // Ids are ordered by time, so `id > $2` selects the audit lines since the run was created.
        sqlx::query!(
            r#"with erased as materialized (
                   select distinct subject_id as id from audit a
                   where provider_id = $1 and id > $2 and action = 'learner.erase' and subject_id is not null
                   and not exists (select from records r where r.provider_id = $1 and r.kind = 'learner' and r.record_id = a.subject_id)
               ), asked as (
                   delete from run_learners where run_id = $2 and learner_id in (select id from erased)
               )
               delete from run_records where run_id = $2 and subject_kind = 'learner' and subject_id in (select id from erased)"#,
            provider,
            run
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
