//! What ACE360 last said of linked records.

use uuid::Uuid;

use crate::domain::change_ace360::RecordGoneData;
use crate::domain::{Ace360LinkState, Change, Subject};
use crate::store::ace360::links::problem_row;
use crate::store::{After, IntentProblem, LinkRow, Store, StoreResult, Tx};

/// What is known of a linked record after a reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkStatus {
    /// The single record said it, not the list.
    pub read_singly: bool,
    pub status_id: Option<i32>,
    pub status_text: Option<String>,
    pub archived_at: Option<String>,
    pub archival_status: Option<String>,
    pub provisional_grade: Option<String>,
    pub overall_grade: Option<String>,
    pub grade_date: Option<String>,
    pub certificate_claimed_at: Option<String>,
}

/// A learner whose single record is to be read.
#[derive(Clone, Debug)]
pub struct SingleRow {
    pub learner_id: String,
    pub record_id: i64,
    /// The run's list showed it, and it was counted then.
    pub seen: bool,
}

impl Store {
    /// The links to these records, locked until the transaction ends.
    pub async fn lock_ace360_links(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        environment: &str,
        record_ids: &[i64],
    ) -> StoreResult<Vec<LinkRow>> {
        Ok(sqlx::query_as!(
            LinkRow,
            r#"select learner_id, environment, record_id, state as "state: Ace360LinkState", method, status_id, status_text, status_read_at, archived_at, archival_status,
                      provisional_grade, overall_grade, grade_date, certificate_claimed_at, uploaded_at, problem_code, sealed_problem, seen_by
               from ace360_links where provider_id = $1 and environment = $2 and record_id = any($3) order by record_id for update"#,
            provider,
            environment,
            record_ids
        )
        .fetch_all(&mut **tx)
        .await?)
    }

    /// Notes that these records were read and say what they said before.
    pub async fn note_links_read(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        environment: &str,
        record_ids: &[i64],
        run: Option<Uuid>,
    ) -> StoreResult<()> {
        sqlx::query!(
            r#"update ace360_links set status_read_at = (select app_now()), seen_by = coalesce($4, seen_by)
               where provider_id = $1 and environment = $2 and record_id = any($3)"#,
            provider,
            environment,
            record_ids,
            run
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Writes what is known of a record now. `wanted`: the single record must be read too, if this was not it.
    pub async fn write_link_status(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        link: &LinkRow,
        now: &LinkStatus,
        wanted: bool,
        run: Option<Uuid>,
    ) -> StoreResult<()> {
        sqlx::query!(
            r#"update ace360_links set state = 'uploaded', status_id = $3, status_text = $4, status_read_at = app_now(), archived_at = $5,
                      archival_status = $6, provisional_grade = $7, overall_grade = $8, grade_date = $9, certificate_claimed_at = $10,
                      detail_read_at = case when $11 then app_now() else detail_read_at end,
                      detail_wanted = not $11 and (detail_wanted or $12), seen_by = coalesce($13, seen_by),
                      problem_code = null, sealed_problem = null
               where provider_id = $1 and learner_id = $2 and environment = $14"#,
            provider,
            link.learner_id,
            now.status_id,
            now.status_text,
            now.archived_at,
            now.archival_status,
            now.provisional_grade,
            now.overall_grade,
            now.grade_date,
            now.certificate_claimed_at,
            now.read_singly,
            wanted,
            run,
            link.environment
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// ACE360 says that the record is not there: the link keeps its last status and is `gone`. `true`: it was not before.
    pub async fn mark_gone(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        environment: &str,
        learner: &str,
        run: Option<Uuid>,
    ) -> StoreResult<bool> {
        let gone = sqlx::query!(
            r#"update ace360_links as new set state = 'gone', seen_by = coalesce($3, new.seen_by), detail_wanted = false
               from ace360_links old
               where old.provider_id = new.provider_id and old.learner_id = new.learner_id and old.environment = new.environment
               and new.provider_id = $1 and new.learner_id = $2 and new.environment = $4
               returning old.state as "was: Ace360LinkState", new.record_id"#,
            provider,
            learner,
            run,
            environment
        )
        .fetch_optional(&mut **tx)
        .await?;
        let Some(row) = gone else { return Ok(false) };
        if row.was == Ace360LinkState::Gone {
            return Ok(false);
        }
        let data = RecordGoneData { record_id: row.record_id };
        self.log_change(tx, provider, Subject::learner(learner), Change::Gone(data)).await?;
        Ok(true)
    }

    /// Notes why a learner's record could not be read; its last status stays.
    pub async fn note_link_problem(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        environment: &str,
        learner: &str,
        run: Option<Uuid>,
        problem: &IntentProblem,
    ) -> StoreResult<()> {
        let sealed = self.seal_json(&problem_row(provider, learner), problem)?;
        sqlx::query!(
            r#"update ace360_links set problem_code = $3, sealed_problem = $4, seen_by = coalesce($5, seen_by)
               where provider_id = $1 and learner_id = $2 and environment = $6"#,
            provider,
            learner,
            problem.code,
            sealed,
            run,
            environment
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// How many linked learners a run over all of them has to account for. One that is gone is not asked for again; the
    /// list brings it back if it returns.
    pub async fn count_links(&self, provider: Uuid, environment: &str) -> StoreResult<i32> {
        let count = sqlx::query_scalar!(
            r#"select count(*) as "count!" from ace360_links where provider_id = $1 and environment = $2 and state = 'uploaded'"#,
            provider,
            environment
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    /// The learners whose single record a run must read: those that its list did not show, those that changed, and those
    /// from Approved for EPA on, until settled, that were not read singly for seven days. Each with its record and
    /// whether this run has counted it already.
    pub async fn links_to_read_singly(
        &self,
        provider: Uuid,
        environment: &str,
        run: Uuid,
        after: After<'_>,
        size: i64,
    ) -> StoreResult<Vec<SingleRow>> {
        Ok(sqlx::query_as!(
            SingleRow,
            r#"select learner_id, record_id, seen_by is not distinct from $3 as "seen!" from ace360_links
               where provider_id = $1 and environment = $2 and state = 'uploaded' and ($4::text is null or learner_id > $4)
               and (seen_by is distinct from $3
                    or detail_wanted
                    or (status_id between 5 and 10 and archived_at is null
                        and not (status_id = 10 and overall_grade is not null)
                        and not (status_id = 9 and overall_grade is not null and certificate_claimed_at is not null)
                        and (detail_read_at is null or detail_read_at < (select app_now()) - interval '7 days')))
               order by learner_id limit $5"#,
            provider,
            environment,
            run,
            after,
            size
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// The links of these learners, as [`Store::links_to_read_singly`] tells them: none of them counted yet.
    pub async fn links_of(
        &self,
        provider: Uuid,
        environment: &str,
        learners: &[String],
    ) -> StoreResult<Vec<SingleRow>> {
        Ok(sqlx::query_as!(
            SingleRow,
            r#"select learner_id, record_id, false as "seen!" from ace360_links
               where provider_id = $1 and environment = $2 and learner_id = any($3) order by learner_id"#,
            provider,
            environment,
            learners
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// Whether a run's list showed none of the linked records, and they are more than could be gone by chance.
    pub async fn nobody_was_listed(&self, provider: Uuid, environment: &str, run: Uuid) -> StoreResult<bool> {
        Ok(sqlx::query_scalar!(
            r#"select count(*) >= 5 and coalesce(not bool_or(seen_by = $3), true) as "nobody!" from ace360_links
               where provider_id = $1 and environment = $2 and state = 'uploaded'"#,
            provider,
            environment,
            run
        )
        .fetch_one(&self.pool)
        .await?)
    }

    /// How many of those there are.
    pub async fn count_links_to_read_singly(
        &self,
        provider: Uuid,
        environment: &str,
        run: Uuid,
    ) -> StoreResult<i32> {
        // Counted by the same rule as the page: a run has few of them.
        let rows = self.links_to_read_singly(provider, environment, run, None, i64::from(i32::MAX)).await?;
        Ok(i32::try_from(rows.len()).unwrap_or(i32::MAX))
    }

    /// Ends a status run.
    pub async fn note_ace360_synced(&self, tx: &mut Tx, provider: Uuid) -> StoreResult<()> {
        sqlx::query!(
            "update ace360_settings set last_synced_at = app_now() where provider_id = $1",
            provider
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
