//! Which ACE360 record is a learner's, what ACE360 last said of it, and every status that was seen.

use uuid::Uuid;

use crate::domain::change_ace360::{
    ArchivedData, Archiving, CertificateClaimedData, GradeChangedData, Grades, RecordGoneData,
    StatusChangedData,
};
use crate::domain::change_service::LinkData;
use crate::domain::{Ace360Status, Change, IntentState, LinkMethod, Subject};
use crate::store::{After, By, IntentProblem, RecordKind, Store, StoreResult, Time, Tx};

/// What ACE360 says of one record, from its list or from the single record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// ACE360's id.
    pub record_id: i64,
    /// `None`: ACE360 did not say.
    pub status_id: Option<i32>,
    pub status_text: Option<String>,
    /// As ACE360 wrote it; the outer `None`: it did not say.
    pub archived_at: Option<Option<String>>,
    /// As ACE360 wrote it.
    pub certificate_claimed_at: Option<Option<String>>,
    /// What only the single record carries.
    pub detail: Option<Detail>,
}

/// What only the single record carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Why it is archived.
    pub archival_status: Option<String>,
    /// Before the assessment is settled.
    pub provisional_grade: Option<String>,
    pub overall_grade: Option<String>,
    /// When it was given.
    pub grade_date: Option<String>,
}

impl Reading {
    /// The status that ACE360 said.
    pub(crate) fn status(&self) -> Ace360Status {
        Ace360Status { id: self.status_id, text: self.status_text.clone() }
    }
}

#[derive(Clone, Debug)]
pub struct LinkRow {
    pub learner_id: String,
    /// Of ACE360.
    pub environment: String,
    /// ACE360's id.
    pub record_id: i64,
    /// `uploaded` or `gone`.
    pub state: String,
    /// `upload`, `manual`, `matched`, `reconciled`.
    pub method: String,
    pub status_id: Option<i32>,
    pub status_text: Option<String>,
    /// When the status was read last.
    pub status_read_at: Option<Time>,
    /// As ACE360 wrote it.
    pub archived_at: Option<String>,
    pub archival_status: Option<String>,
    pub provisional_grade: Option<String>,
    pub overall_grade: Option<String>,
    /// As ACE360 wrote it.
    pub grade_date: Option<String>,
    /// As ACE360 wrote it.
    pub certificate_claimed_at: Option<String>,
    /// When it was uploaded, or linked.
    pub uploaded_at: Time,
    pub problem_code: Option<String>,
    pub(crate) sealed_problem: Option<Vec<u8>>,
    /// The run over all records that came to it last.
    pub(crate) seen_by: Option<Uuid>,
}

/// What a learner's tab is made of.
#[derive(Clone, Debug)]
pub enum TabRow<T> {
    /// It has a link.
    Linked(Box<LinkRow>),
    /// It has none: the record, and the state and id of its latest upload.
    Unlinked {
        record: Box<T>,
        /// State of the latest intent.
        intent: Option<(Uuid, IntentState)>,
    },
}

/// What came of linking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linked {
    /// It is linked now.
    Done,
    /// It was linked to this very record already.
    Same,
    /// The learner has another record.
    LearnerTaken,
    /// The record is another learner's.
    RecordTaken,
    /// An upload's outcome is open.
    InFlight,
    /// There is no such learner.
    NoRecord,
}

/// One line of the history.
#[derive(Clone, Debug)]
pub struct HistoryRow {
    /// When it was seen first.
    pub read_at: Time,
    pub status_id: Option<i32>,
    pub status_text: Option<String>,
}

impl Store {
    /// What a learner's ACE360 tab shows; `None`: no such learner. The sealed record comes along only when there is no
    /// link, since only then it is needed.
    pub async fn ace360_tab<T: serde::de::DeserializeOwned>(
        &self,
        provider: Uuid,
        learner: &str,
    ) -> StoreResult<Option<TabRow<T>>> {
        let row = sqlx::query!(
            r#"select case when l.learner_id is null then r.sealed end as sealed,
                      l.learner_id as "learner_id?", l.environment as "environment?", l.record_id as "record_id?", l.state as "state?",
                      l.method as "method?", l.status_id, l.status_text, l.status_read_at, l.archived_at, l.archival_status,
                      l.provisional_grade, l.overall_grade, l.grade_date, l.certificate_claimed_at, l.uploaded_at as "uploaded_at?",
                      l.problem_code, l.sealed_problem, i.id as "intent_id?", i.state as "intent_state?: IntentState"
               from records r
               left join ace360_links l on l.provider_id = r.provider_id and l.learner_id = r.record_id
                    and l.environment = coalesce((select environment from ace360_settings where provider_id = $1), 'live')
               left join lateral (
                   select id, state from intents where l.learner_id is null and provider_id = r.provider_id and upstream = 'ace360'
                   and environment = coalesce((select environment from ace360_settings where provider_id = $1), 'live') and subject_kind = 'learner' and subject_id = r.record_id and step = 'apprentice'
                   order by created_at desc, id desc limit 1
               ) i on true
               where r.provider_id = $1 and r.kind = 'learner' and r.record_id = $2"#,
            provider,
            learner
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        if let (
            Some(learner_id),
            Some(environment),
            Some(record_id),
            Some(state),
            Some(method),
            Some(uploaded_at),
        ) = (row.learner_id, row.environment, row.record_id, row.state, row.method, row.uploaded_at)
        {
            return Ok(Some(TabRow::Linked(Box::new(LinkRow {
                learner_id,
                environment,
                record_id,
                state,
                method,
                status_id: row.status_id,
                status_text: row.status_text,
                status_read_at: row.status_read_at,
                archived_at: row.archived_at,
                archival_status: row.archival_status,
                provisional_grade: row.provisional_grade,
                overall_grade: row.overall_grade,
                grade_date: row.grade_date,
                certificate_claimed_at: row.certificate_claimed_at,
                uploaded_at,
                problem_code: row.problem_code,
                sealed_problem: row.sealed_problem,
                seen_by: None,
            }))));
        }
        let record =
            self.unseal_record(provider, RecordKind::Learner, learner, &row.sealed.unwrap_or_default())?;
        Ok(Some(TabRow::Unlinked { record: Box::new(record), intent: row.intent_id.zip(row.intent_state) }))
    }

    /// Why the last upload or sync of a link failed, in the upstream's words.
    pub fn link_problem(&self, provider: Uuid, link: &LinkRow) -> StoreResult<Option<IntentProblem>> {
        link.sealed_problem
            .as_deref()
            .map(|sealed| self.unseal_json(&problem_row(provider, &link.learner_id), sealed))
            .transpose()
    }

    pub async fn ace360_link(&self, provider: Uuid, learner: &str) -> StoreResult<Option<LinkRow>> {
        Ok(sqlx::query_as!(
            LinkRow,
            r#"select learner_id, environment, record_id, state, method, status_id, status_text, status_read_at, archived_at, archival_status,
                      provisional_grade, overall_grade, grade_date, certificate_claimed_at, uploaded_at, problem_code, sealed_problem, seen_by
               from ace360_links where provider_id = $1 and learner_id = $2 and environment = coalesce((select environment from ace360_settings where provider_id = $1), 'live')"#,
            provider,
            learner
        )
        .fetch_optional(&self.pool)
        .await?)
    }

    /// The record that a learner is linked to, as the transaction sees it.
    async fn linked_record(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        learner: &str,
        environment: &str,
    ) -> StoreResult<Option<i64>> {
        Ok(sqlx::query_scalar!(
            "select record_id from ace360_links where provider_id = $1 and learner_id = $2 and environment = $3",
            provider,
            learner,
            environment
        )
        .fetch_optional(&mut **tx)
        .await?)
    }

    /// Links a learner to a record that exists, by hand or by matching.
    pub async fn link_ace360(
        &self,
        provider: Uuid,
        learner: &str,
        environment: &str,
        method: LinkMethod,
        reading: &Reading,
        by: &By,
    ) -> StoreResult<Linked> {
        let mut tx = self.begin().await?;
        if !self.lock_record(&mut tx, provider, "learner", learner).await? {
            return Ok(Linked::NoRecord);
        }
        if self.has_open_intent(&mut tx, provider, "learner", learner).await? {
            return Ok(Linked::InFlight);
        }
        if let Some(record) = self.linked_record(&mut tx, provider, learner, environment).await? {
            return Ok(if record == reading.record_id { Linked::Same } else { Linked::LearnerTaken });
        }
        if self
            .insert_link(&mut tx, provider, learner, environment, method.as_str(), reading)
            .await?
            .is_none()
        {
            return Ok(Linked::RecordTaken);
        }
        let data = LinkData {
            status: Some(reading.status()),
            method: Some(method),
            ..LinkData::ace360(reading.record_id)
        };
        self.log_change(&mut tx, provider, Subject::learner(learner), Change::LinkCreated(data)).await?;
        self.audit(&mut tx, provider, by, "ace360.link", "learner", learner).await?;
        tx.commit().await?;
        Ok(Linked::Done)
    }

    /// Unlinks; nothing happens in ACE360. `None`: there is no such learner, `Some(false)`: it had no link.
    pub async fn unlink_ace360(&self, provider: Uuid, learner: &str, by: &By) -> StoreResult<Option<bool>> {
        let mut tx = self.begin().await?;
        if !self.lock_record(&mut tx, provider, "learner", learner).await? {
            return Ok(None);
        }
        let gone = sqlx::query_scalar!(
            r#"delete from ace360_links where provider_id = $1 and learner_id = $2
               and environment = coalesce((select environment from ace360_settings where provider_id = $1), 'live')
               returning record_id"#,
            provider,
            learner
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(record_id) = gone else { return Ok(Some(false)) };
        let data = LinkData::ace360(record_id);
        self.log_change(&mut tx, provider, Subject::learner(learner), Change::LinkRemoved(data)).await?;
        self.audit(&mut tx, provider, by, "ace360.unlink", "learner", learner).await?;
        tx.commit().await?;
        Ok(Some(true))
    }

    /// Links a learner to a record, and begins the history of its status. None: the learner or the record is linked already.
    pub(crate) async fn insert_link(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        learner: &str,
        environment: &str,
        method: &str,
        reading: &Reading,
    ) -> StoreResult<Option<Time>> {
        let detail = reading.detail.clone().unwrap_or_default();
        Ok(sqlx::query_scalar!(
            r#"with moment as materialized (select app_now() as now), made as (
                   insert into ace360_links (provider_id, learner_id, environment, record_id, state, method, status_id, status_text, status_read_at,
                                             archived_at, archival_status, provisional_grade, overall_grade, grade_date, certificate_claimed_at,
                                             detail_read_at, detail_wanted, uploaded_at)
                   select $1, $2, $3, $4, 'uploaded', $5, $6, $7, case when $6::int is not null or $7::text is not null then now end,
                          $8, $9, $10, $11, $12, $13, case when $14 then now end, not $14, now
                   from moment
                   on conflict do nothing
                   returning *
               ), begun as (
                   insert into ace360_history (provider_id, learner_id, record_id, read_at, status_id, status_text)
                   select provider_id, learner_id, record_id, status_read_at, status_id, status_text from made where status_read_at is not null
               )
               select uploaded_at from made"#,
            provider,
            learner,
            environment,
            reading.record_id,
            method,
            reading.status_id,
            reading.status_text,
            reading.archived_at.clone().flatten(),
            detail.archival_status,
            detail.provisional_grade,
            detail.overall_grade,
            detail.grade_date,
            reading.certificate_claimed_at.clone().flatten(),
            reading.detail.is_some(),
        )
        .fetch_optional(&mut **tx)
        .await?)
    }

    /// Applies what ACE360 says of linked records: links, history and changes, in the caller's transaction. Answers the
    /// learners that had something changed; of the others only the time of reading moves.
    pub async fn apply_readings(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        environment: &str,
        readings: &[Reading],
        run: Option<Uuid>,
    ) -> StoreResult<Applied> {
        let ids: Vec<i64> = readings.iter().map(|reading| reading.record_id).collect();
        let links = sqlx::query_as!(
            LinkRow,
            r#"select learner_id, environment, record_id, state, method, status_id, status_text, status_read_at, archived_at, archival_status,
                      provisional_grade, overall_grade, grade_date, certificate_claimed_at, uploaded_at, problem_code, sealed_problem, seen_by
               from ace360_links where provider_id = $1 and environment = $2 and record_id = any($3) order by record_id for update"#,
            provider,
            environment,
            &ids
        )
        .fetch_all(&mut **tx)
        .await?;
        let mut applied = Applied::default();
        let mut same = Vec::new();
        for link in links {
            // Of a record that stands on a page twice the last reading counts.
            let Some(reading) = readings.iter().rev().find(|reading| reading.record_id == link.record_id)
            else {
                continue;
            };
            let counted = run.is_some() && link.seen_by == run;
            let changes = differences(&link, reading);
            if changes.is_empty()
                && link.state == "uploaded"
                && link.problem_code.is_none()
                && reading.detail.is_none()
            {
                same.push(link.record_id);
                // A record that moved to a later page while the run read is counted once.
                if !counted {
                    applied.unchanged.push(link.learner_id);
                }
                continue;
            }
            self.update_link(tx, provider, &link, reading, run, !changes.is_empty()).await?;
            let quiet = changes.is_empty();
            let changes = changes.into_iter().map(|change| (Subject::learner(&link.learner_id), change));
            self.log_changes(tx, provider, &changes.collect::<Vec<_>>()).await?;
            match (quiet, counted) {
                (true, true) => {}
                (true, false) => applied.unchanged.push(link.learner_id),
                (false, true) => applied.changed_again.push(link.learner_id),
                (false, false) => applied.changed.push(link.learner_id),
            }
        }
        // One statement for the many that did not change.
        sqlx::query!(
            r#"update ace360_links set status_read_at = (select app_now()), seen_by = coalesce($4, seen_by)
               where provider_id = $1 and environment = $2 and record_id = any($3)"#,
            provider,
            environment,
            &same,
            run
        )
        .execute(&mut **tx)
        .await?;
        Ok(applied)
    }

    async fn update_link(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        link: &LinkRow,
        reading: &Reading,
        run: Option<Uuid>,
        changed: bool,
    ) -> StoreResult<()> {
        let now = merged(link, reading);
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
            reading.detail.is_some(),
            changed,
            run,
            link.environment
        )
        .execute(&mut **tx)
        .await?;
        if now.status_id != link.status_id || (now.status_id.is_none() && now.status_text != link.status_text)
        {
            add_history(
                tx,
                provider,
                &link.learner_id,
                link.record_id,
                now.status_id,
                now.status_text.as_deref(),
            )
            .await?;
        }
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
               returning old.state as was, new.record_id"#,
            provider,
            learner,
            run,
            environment
        )
        .fetch_optional(&mut **tx)
        .await?;
        let Some(row) = gone else { return Ok(false) };
        if row.was == "gone" {
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

/// What applying readings came to, as learner ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Something was other than before.
    pub changed: Vec<String>,
    pub unchanged: Vec<String>,
    /// Something was other than before, and the run had come to it already.
    pub changed_again: Vec<String>,
}

/// A learner whose single record is to be read.
#[derive(Clone, Debug)]
pub struct SingleRow {
    pub learner_id: String,
    /// ACE360's id.
    pub record_id: i64,
    /// The run's list showed it, and it was counted then.
    pub seen: bool,
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

struct Merged {
    status_id: Option<i32>,
    status_text: Option<String>,
    archived_at: Option<String>,
    archival_status: Option<String>,
    provisional_grade: Option<String>,
    overall_grade: Option<String>,
    grade_date: Option<String>,
    certificate_claimed_at: Option<String>,
}

/// What is known after a reading: what it did not say stays as it was.
fn merged(link: &LinkRow, reading: &Reading) -> Merged {
    let said = reading.status_id.is_some() || reading.status_text.is_some();
    let detail = reading.detail.as_ref();
    let pick = |new: fn(&Detail) -> &Option<String>, old: &Option<String>| {
        detail.map_or_else(|| old.clone(), |d| new(d).clone())
    };
    Merged {
        status_id: if said { reading.status_id } else { link.status_id },
        status_text: if said { reading.status_text.clone() } else { link.status_text.clone() },
        archived_at: reading.archived_at.clone().unwrap_or_else(|| link.archived_at.clone()),
        archival_status: pick(|d| &d.archival_status, &link.archival_status),
        provisional_grade: pick(|d| &d.provisional_grade, &link.provisional_grade),
        overall_grade: pick(|d| &d.overall_grade, &link.overall_grade),
        grade_date: pick(|d| &d.grade_date, &link.grade_date),
        certificate_claimed_at: reading
            .certificate_claimed_at
            .clone()
            .unwrap_or_else(|| link.certificate_claimed_at.clone()),
    }
}

/// The changes that a reading makes.
fn differences(link: &LinkRow, reading: &Reading) -> Vec<Change> {
    let (record_id, now) = (link.record_id, merged(link, reading));
    let mut changes = Vec::new();
    if link.state == "gone" {
        changes.push(Change::Returned(RecordGoneData { record_id }));
    }
    if now.status_id != link.status_id || (now.status_id.is_none() && now.status_text != link.status_text) {
        let before = Ace360Status { id: link.status_id, text: link.status_text.clone() };
        let after = Ace360Status { id: now.status_id, text: now.status_text };
        changes.push(Change::StatusChanged(StatusChangedData { record_id, before, after }));
    }
    let before = Grades {
        provisional_grade: link.provisional_grade.clone(),
        overall_grade: link.overall_grade.clone(),
        grade_date: link.grade_date.clone(),
    };
    let after = Grades {
        provisional_grade: now.provisional_grade,
        overall_grade: now.overall_grade,
        grade_date: now.grade_date,
    };
    if after != before {
        changes.push(Change::GradeChanged(GradeChangedData { record_id, before, after }));
    }
    let before =
        Archiving { archived_at: link.archived_at.clone(), archival_status: link.archival_status.clone() };
    let after = Archiving { archived_at: now.archived_at, archival_status: now.archival_status };
    if after != before {
        changes.push(Change::Archived(ArchivedData { record_id, before, after }));
    }
    let (before, after) = (link.certificate_claimed_at.clone(), now.certificate_claimed_at);
    if after != before {
        changes.push(Change::CertificateClaimed(CertificateClaimedData { record_id, before, after }));
    }
    changes
}

async fn add_history(
    tx: &mut Tx,
    provider: Uuid,
    learner: &str,
    record: i64,
    status: Option<i32>,
    words: Option<&str>,
) -> StoreResult<()> {
    sqlx::query!(
        r#"insert into ace360_history (provider_id, learner_id, record_id, read_at, status_id, status_text) values ($1, $2, $3, app_now(), $4, $5)"#,
        provider,
        learner,
        record,
        status,
        words
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn problem_row(provider: Uuid, learner: &str) -> String {
    format!("ace360_links/{provider}/{learner}/problem")
}
