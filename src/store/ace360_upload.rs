//! What an upload is made of, read at once, and what settles it. A person waits for both.

use serde::de::DeserializeOwned;
use serde_json::json;
use uuid::Uuid;

use super::ace360_links::status_json;
use super::ace360_settings::SettingsRow;
use super::changes::change_row;
use super::{Ace360Settings, IntentRow, LinkRow, MirrorRow, Reading, RecordKind, Store, StoreResult, new_id};
use crate::domain::{Learner, LearnerId, Officer, OfficerId, Organisation, OrganisationId};

/// The records that an upload is made of, and what is in its way already.
#[derive(Clone, Debug)]
pub struct UploadGround {
    /// The learner.
    pub learner: Learner,
    /// The organisation that the learner's `employerId` names, if we have it.
    pub employer: Option<(OrganisationId, Organisation)>,
    /// Whether `employerId` names one that we do not have.
    pub employer_missing: bool,
    /// The officer that is the employer's Main Contact, if we have it.
    pub contact: Option<(OfficerId, Officer)>,
    /// The record that the learner is linked to.
    pub record_id: Option<i64>,
    /// Whether an upload's outcome is open.
    pub in_flight: bool,
    /// The provider's settings.
    pub settings: Ace360Settings,
}

impl Store {
    /// Reads what an upload of this learner is made of, in one trip; `None`: there is no such learner.
    ///
    /// # Errors
    /// The database's; a record that cannot be unsealed.
    pub async fn upload_ground(
        &self,
        provider: Uuid,
        learner_id: &LearnerId,
    ) -> StoreResult<Option<UploadGround>> {
        let row = sqlx::query!(
            r#"select r.sealed, l.record_id as "record_id?", exists (
                   select from intents where provider_id = $1 and upstream = 'ace360' and subject_kind = 'learner' and subject_id = $2
                   and state in ('sending', 'unknown')
               ) as "in_flight!",
               e.record_id as "employer_id?", e.sealed as "employer?", c.record_id as "contact_id?", c.sealed as "contact?",
               s.enabled as "enabled?", s.environment as "environment?", s.sealed_token, s.daily_enabled as "daily_enabled?",
               s.daily_at as "daily_at?", s.standards_refreshed_at, s.mirror_refreshed_at, s.last_synced_at, s.connection, s.connection_at,
               s.version as "version?"
               from records r
               left join ace360_settings s on s.provider_id = r.provider_id
               left join ace360_links l on l.provider_id = r.provider_id and l.learner_id = r.record_id
                    and l.environment = coalesce(s.environment, 'live')
               left join records e on e.provider_id = r.provider_id and e.kind = 'organisation' and e.record_id = r.refers_to
               left join records c on c.provider_id = r.provider_id and c.kind = 'officer' and c.record_id = e.refers_to
               where r.provider_id = $1 and r.kind = 'learner' and r.record_id = $2"#,
            provider,
            learner_id.as_str()
        )
        .fetch_optional(self.pool())
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
        let (employer, employer_missing) = match learner.employer_id.clone() {
            None => (None, false),
            Some(id) => {
                let beside = row.employer_id.zip(row.employer);
                let employer = self.referred(provider, RecordKind::Organisation, id.as_str(), beside).await?;
                let missing = employer.is_none();
                (employer.map(|employer: Organisation| (id, employer)), missing)
            }
        };
        let contact = match employer.as_ref().and_then(|(_, employer)| employer.main_contact_id.clone()) {
            None => None,
            Some(id) => {
                let beside = row.contact_id.zip(row.contact);
                let contact = self.referred(provider, RecordKind::Officer, id.as_str(), beside).await?;
                contact.map(|contact: Officer| (id, contact))
            }
        };
        Ok(Some(UploadGround {
            learner,
            employer,
            employer_missing,
            contact,
            record_id: row.record_id,
            in_flight: row.in_flight,
            settings: self.ace360_settings_of(provider, settings)?,
        }))
    }

    /// A record that another one names: it was read beside that one, unless that one was kept before references were.
    async fn referred<T: DeserializeOwned>(
        &self,
        provider: Uuid,
        kind: RecordKind,
        id: &str,
        beside: Option<(String, Vec<u8>)>,
    ) -> StoreResult<Option<T>> {
        match beside {
            Some((beside, sealed)) if beside == id => {
                self.unseal_record(provider, kind, id, &sealed).map(Some)
            }
            _ => Ok(self.record(provider, kind, id).await?.map(|stored| stored.record)),
        }
    }

    /// Settles an upload: the intent is done, the learner linked, the change told, the mirror knows the record, if it does not yet
    /// (the answer's second part); all or nothing. `None`: it was settled already, or the record is another learner's.
    ///
    /// # Errors
    /// The database's.
    pub async fn settle_uploaded(
        &self,
        intent: &IntentRow,
        method: &str,
        reading: &Reading,
        mirror: Option<&MirrorRow>,
    ) -> StoreResult<Option<(LinkRow, bool)>> {
        let data = json!({"recordId": reading.record_id, "status": status_json(reading.status_id, reading.status_text.as_deref()), "method": method});
        let change = new_id();
        let sealed = self.seal_json(&change_row(change), &data)?;
        let detail = reading.detail.clone().unwrap_or_default();
        let archived_at = reading.archived_at.clone().flatten();
        let certificate_claimed_at = reading.certificate_claimed_at.clone().flatten();
        let settled = sqlx::query!(
            r#"select at, fresh as "fresh!" from ace360_settle_uploaded($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                                                               $18, $19, $20, $21)"#,
            intent.provider_id,
            intent.subject_id,
            intent.environment,
            intent.id,
            method,
            reading.record_id,
            reading.status_id,
            reading.status_text,
            archived_at,
            detail.archival_status,
            detail.provisional_grade,
            detail.overall_grade,
            detail.grade_date,
            certificate_claimed_at,
            reading.detail.is_some(),
            change,
            sealed,
            mirror.is_some(),
            mirror.and_then(|row| row.person_index.as_deref()),
            mirror.and_then(|row| row.standard_id),
            mirror.is_some_and(|row| row.archived),
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(settled.at.map(|at| {
            (
                LinkRow {
                    learner_id: intent.subject_id.clone(),
                    environment: intent.environment.clone(),
                    record_id: reading.record_id,
                    state: "uploaded".to_owned(),
                    method: method.to_owned(),
                    status_id: reading.status_id,
                    status_text: reading.status_text.clone(),
                    status_read_at: (reading.status_id.is_some() || reading.status_text.is_some())
                        .then_some(at),
                    archived_at,
                    archival_status: detail.archival_status,
                    provisional_grade: detail.provisional_grade,
                    overall_grade: detail.overall_grade,
                    grade_date: detail.grade_date,
                    certificate_claimed_at,
                    uploaded_at: at,
                    problem_code: None,
                    sealed_problem: None,
                    seen_by: None,
                },
                settled.fresh,
            )
        }))
    }
}
