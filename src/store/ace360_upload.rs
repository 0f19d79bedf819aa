//! What an upload is made of, read at once, and what settles it. A person waits for both.

use serde::de::DeserializeOwned;
use sqlx::types::Json;
use uuid::Uuid;

use super::ace360_settings::SettingsRow;
use super::clock::interval;
use super::{
    Ace360Settings, Granted, IntentRow, LinkRow, MirrorRow, PaceAsk, Reading, RecordKind, Store, StoreResult,
    Twin, new_id,
};
use crate::domain::change_ace360::UploadedData;
use crate::domain::{
    Change, Learner, LearnerId, Officer, OfficerId, Organisation, OrganisationId, UploadMethod,
};

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
    /// Records of the same person in the mirror of the settings' environment.
    pub twins: Vec<Twin>,
    /// The permits that were asked for along with it, unless something is in the upload's way.
    pub granted: Option<Granted>,
}

impl Store {
    /// Reads what an upload of this learner is made of and who has the same name or ULN, and takes permits for its calls, in one
    /// trip; `None`: there is no such learner.
    ///
    /// # Errors
    /// The database's; a record that cannot be unsealed.
    pub async fn upload_ground(
        &self,
        provider: Uuid,
        learner_id: &LearnerId,
        ask: Option<&PaceAsk>,
    ) -> StoreResult<Option<UploadGround>> {
        let mut connection = self.warm().await?;
        let row = sqlx::query!(
            r#"select sealed, linked, in_flight, employer_id, employer, contact_id, contact, enabled, environment, sealed_token, daily_enabled,
                      daily_at, standards_refreshed_at, mirror_refreshed_at, last_synced_at, connection, connection_at, version,
                      twins as "twins: Json<Vec<Twin>>", granted, first_wait, step, lead
               from ace360_upload_ground($1, $2, $3, $4, $5, $6, $7, $8)"#,
            provider,
            learner_id.as_str(),
            ask.map(|ask| ask.account.key.as_slice()),
            ask.map(|ask| ask.account.upstream),
            ask.map(|ask| i32::try_from(ask.account.per_minute).unwrap_or(i32::MAX)),
            ask.map(|ask| ask.burst),
            ask.map(|ask| ask.wanted),
            ask.map(|ask| interval(ask.horizon)),
        )
        .fetch_one(&mut *connection)
        .await?;
        connection.keep();
        let Some(sealed) = row.sealed else { return Ok(None) };
        let granted = match (row.granted, row.first_wait, row.step, row.lead) {
            (Some(count), Some(first_wait), Some(step), Some(lead)) => {
                Some(Granted::of(count, &first_wait, &step, &lead))
            }
            _ => None,
        };
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
            self.unseal_record(provider, RecordKind::Learner, learner_id.as_str(), &sealed)?;
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
            record_id: row.linked,
            in_flight: row.in_flight.unwrap_or(false),
            settings: self.ace360_settings_of(provider, settings)?,
            twins: row.twins.map(|twins| twins.0).unwrap_or_default(),
            granted,
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
        method: UploadMethod,
        reading: &Reading,
        mirror: Option<&MirrorRow>,
    ) -> StoreResult<Option<(LinkRow, bool)>> {
        let data = UploadedData { record_id: reading.record_id, status: reading.status(), method };
        let (change, method) = (new_id(), method.as_str());
        let sealed = self.seal_change(change, &Change::Uploaded(data))?;
        let detail = reading.detail.clone().unwrap_or_default();
        let archived_at = reading.archived_at.clone().flatten();
        let certificate_claimed_at = reading.certificate_claimed_at.clone().flatten();
        let mut connection = self.warm().await?;
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
        .fetch_one(&mut *connection)
        .await?;
        connection.keep();
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
