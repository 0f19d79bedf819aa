//! Which ACE360 record is a learner's.

use uuid::Uuid;

use crate::domain::change_service::LinkData;
use crate::domain::{Ace360LinkState, Change, IntentState, LinkMethod, Subject};
use crate::store::{By, IntentProblem, Reading, RecordKind, Store, StoreResult, Time, Tx};

#[derive(Clone, Debug)]
pub struct LinkRow {
    pub learner_id: String,
    pub environment: String,
    pub record_id: i64,
    pub state: Ace360LinkState,
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
                      l.learner_id as "learner_id?", l.environment as "environment?", l.record_id as "record_id?", l.state as "state?: Ace360LinkState",
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
            r#"select learner_id, environment, record_id, state as "state: Ace360LinkState", method, status_id, status_text, status_read_at, archived_at, archival_status,
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
}

pub(crate) fn problem_row(provider: Uuid, learner: &str) -> String {
    format!("ace360_links/{provider}/{learner}/problem")
}
