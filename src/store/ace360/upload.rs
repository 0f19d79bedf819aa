//! The input of an upload, read in one statement, and the transaction that settles it.

use uuid::Uuid;

use crate::domain::change_ace360::UploadedData;
use crate::domain::{
    Ace360LinkState, Change, IntentState, Learner, LearnerId, Officer, OfficerId, Organisation,
    OrganisationId, Subject, UploadMethod,
};
use crate::store::ace360::settings::SettingsRow;
use crate::store::{
    Ace360Settings, IntentRow, LinkRow, MirrorRow, Reading, RecordKind, SettleOutcome, Store, StoreResult,
    Time,
};

/// The records that an upload is made from, and what prevents it.
#[derive(Clone, Debug)]
pub struct UploadContext {
    pub learner: Learner,
    /// The organisation that the learner's `employerId` names, if it is stored.
    pub employer: Option<(OrganisationId, Organisation)>,
    /// Whether `employerId` names an organisation that is not stored.
    pub employer_missing: bool,
    /// The employer's Main Contact, if that officer is stored.
    pub contact: Option<(OfficerId, Officer)>,
    /// The ACE360 record that the learner is linked to.
    pub record_id: Option<i64>,
    /// Whether an upload has no known outcome yet.
    pub in_flight: bool,
    /// The latest upload that was done.
    pub done_before: Option<Uuid>,
    pub settings: Ace360Settings,
    /// When it was read.
    pub now: Time,
}

impl Store {
    /// Reads the input of this learner's upload. `None`: there is no such learner.
    pub async fn upload_context(
        &self,
        provider: Uuid,
        learner_id: &LearnerId,
        step: &str,
    ) -> StoreResult<Option<UploadContext>> {
        let row = sqlx::query!(
            r#"select r.sealed, app_now() as "now!", link.record_id as "linked?", intent.id as "intent_id?", intent.state as "intent_state?: IntentState",
                      exists (select from intents i where i.provider_id = r.provider_id and i.upstream = 'ace360'
                              and i.subject_kind = 'learner' and i.subject_id = r.record_id and i.step = $3
                              and i.state in ('sending', 'unknown')) as "in_flight!",
                      employer.record_id as "employer_id?", employer.sealed as "employer?",
                      contact.record_id as "contact_id?", contact.sealed as "contact?",
                      s.enabled as "enabled?", s.environment as "environment?", s.sealed_token, s.daily_enabled as "daily_enabled?",
                      s.daily_at as "daily_at?", s.standards_refreshed_at, s.mirror_refreshed_at, s.last_synced_at, s.connection,
                      s.connection_at, s.version as "version?"
               from records r
               left join ace360_settings s on s.provider_id = r.provider_id
               left join ace360_links link on link.provider_id = r.provider_id and link.learner_id = r.record_id
                    and link.environment = coalesce(s.environment, 'live')
               left join lateral (
                   select id, state from intents i
                   where i.provider_id = r.provider_id and i.upstream = 'ace360' and i.subject_kind = 'learner'
                         and i.subject_id = r.record_id and i.step = $3 and i.environment = coalesce(s.environment, 'live')
                   order by created_at desc, id desc limit 1
               ) intent on true
               left join records employer on employer.provider_id = r.provider_id and employer.kind = 'organisation'
                    and employer.record_id = r.refers_to
               left join records contact on contact.provider_id = r.provider_id and contact.kind = 'officer'
                    and contact.record_id = employer.refers_to
               where r.provider_id = $1 and r.kind = 'learner' and r.record_id = $2"#,
            provider,
            learner_id.as_str(),
            step,
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let settings = match (row.enabled, row.environment, row.daily_enabled, row.daily_at, row.version) {
            (Some(enabled), Some(environment), Some(daily_enabled), Some(daily_at), Some(version)) => {
                Some(SettingsRow {
                    enabled,
                    environment,
                    sealed_token: row.sealed_token,
                    daily_enabled,
                    daily_at,
                    standards_refreshed_at: row.standards_refreshed_at,
                    mirror_refreshed_at: row.mirror_refreshed_at,
                    last_synced_at: row.last_synced_at,
                    connection: row.connection,
                    connection_at: row.connection_at,
                    version,
                })
            }
            _ => None,
        };
        let learner: Learner =
            self.unseal_record(provider, RecordKind::Learner, learner_id.as_str(), &row.sealed)?;
        let employer = match (learner.employer_id.clone(), row.employer_id, row.employer) {
            (Some(id), Some(found), Some(sealed)) if found == id.as_str() => {
                Some((id, self.unseal_record(provider, RecordKind::Organisation, &found, &sealed)?))
            }
            _ => None,
        };
        let wanted =
            employer.as_ref().and_then(|(_, employer): &(_, Organisation)| employer.main_contact_id.clone());
        let contact = match (wanted, row.contact_id, row.contact) {
            (Some(id), Some(found), Some(sealed)) if found == id.as_str() => {
                Some((id, self.unseal_record(provider, RecordKind::Officer, &found, &sealed)?))
            }
            _ => None,
        };
        Ok(Some(UploadContext {
            employer_missing: learner.employer_id.is_some() && employer.is_none(),
            learner,
            employer,
            contact,
            record_id: row.linked,
            in_flight: row.in_flight,
            done_before: row.intent_id.filter(|_| row.intent_state == Some(IntentState::Done)),
            settings: self.ace360_settings_of(provider, settings)?,
            now: row.now,
        }))
    }

    /// Settles an upload in one transaction: the intent is done, the learner is linked, the feed
    /// has the change, and the mirror has the record, so that the next search finds it.
    pub async fn settle_uploaded(
        &self,
        intent: &IntentRow,
        method: UploadMethod,
        reading: &Reading,
        mirror: &MirrorRow,
    ) -> StoreResult<SettleOutcome<LinkRow>> {
        let (provider, learner) = (intent.provider_id, intent.subject_id.as_str());
        let mut tx = self.begin().await?;
        if !self.settle_done(&mut tx, intent, reading.record_id).await? {
            return Ok(SettleOutcome::Elsewhere);
        }
        let linked_at = self
            .insert_link(&mut tx, provider, learner, &intent.environment, method.as_str(), reading)
            .await?;
        let Some(linked_at) = linked_at else { return Ok(SettleOutcome::Taken) };
        let data = UploadedData { record_id: reading.record_id, status: reading.status(), method };
        self.log_change(&mut tx, provider, Subject::learner(learner), Change::Uploaded(data)).await?;
        self.mirror(&mut tx, provider, &intent.environment, std::slice::from_ref(mirror), None).await?;
        tx.commit().await?;
        Ok(SettleOutcome::Done(new_link(intent, method, reading, linked_at)))
    }
}

fn new_link(intent: &IntentRow, method: UploadMethod, reading: &Reading, linked_at: Time) -> LinkRow {
    let detail = reading.detail.clone().unwrap_or_default();
    let status_was_read = reading.status_id.is_some() || reading.status_text.is_some();
    LinkRow {
        learner_id: intent.subject_id.clone(),
        environment: intent.environment.clone(),
        record_id: reading.record_id,
        state: Ace360LinkState::Uploaded,
        method: method.as_str().to_owned(),
        status_id: reading.status_id,
        status_text: reading.status_text.clone(),
        status_read_at: status_was_read.then_some(linked_at),
        archived_at: reading.archived_at.clone().flatten(),
        archival_status: detail.archival_status,
        provisional_grade: detail.provisional_grade,
        overall_grade: detail.overall_grade,
        grade_date: detail.grade_date,
        certificate_claimed_at: reading.certificate_claimed_at.clone().flatten(),
        uploaded_at: linked_at,
        problem_code: None,
        sealed_problem: None,
        seen_by: None,
    }
}
