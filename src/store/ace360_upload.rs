//! What an upload is made of, read at once, and what settles it. A person waits for both.

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::ace360_links::status_json;
use super::changes::change_row;
use super::{Ace360Settings, LinkRow, Reading, RecordKind, Store, StoreResult, new_id};
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
    /// Reads what an upload of this learner is made of, on one connection; `None`: there is no such learner.
    ///
    /// # Errors
    /// The database's; a record that cannot be unsealed.
    pub async fn upload_ground(
        &self,
        provider: Uuid,
        learner_id: &LearnerId,
    ) -> StoreResult<Option<UploadGround>> {
        let mut connection = self.pool().acquire().await?;
        let settings = self.ace360_settings_on(&mut connection, provider).await?;
        let row = sqlx::query!(
            r#"select r.sealed, l.record_id as "record_id?", exists (
                   select from intents where provider_id = $1 and upstream = 'ace360' and subject_kind = 'learner' and subject_id = $2
                   and state in ('sending', 'unknown')
               ) as "in_flight!"
               from records r
               left join ace360_links l on l.provider_id = r.provider_id and l.learner_id = r.record_id and l.environment = $3
               where r.provider_id = $1 and r.kind = 'learner' and r.record_id = $2"#,
            provider,
            learner_id.as_str(),
            settings.environment
        )
        .fetch_optional(&mut *connection)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let learner: Learner =
            self.unseal_record(provider, RecordKind::Learner, learner_id.as_str(), &row.sealed)?;
        let mut ground = UploadGround {
            learner,
            employer: None,
            employer_missing: false,
            contact: None,
            record_id: row.record_id,
            in_flight: row.in_flight,
            settings,
        };
        self.read_employer(&mut connection, provider, &mut ground).await?;
        Ok(Some(ground))
    }

    /// The records that the learner's names.
    async fn read_employer(
        &self,
        connection: &mut PgConnection,
        provider: Uuid,
        ground: &mut UploadGround,
    ) -> StoreResult<()> {
        let Some(employer_id) = ground.learner.employer_id.clone() else { return Ok(()) };
        let employer: Option<Organisation> =
            self.record_on(connection, provider, RecordKind::Organisation, employer_id.as_str()).await?;
        let Some(employer) = employer else {
            ground.employer_missing = true;
            return Ok(());
        };
        if let Some(contact_id) = employer.main_contact_id.clone() {
            let contact: Option<Officer> =
                self.record_on(connection, provider, RecordKind::Officer, contact_id.as_str()).await?;
            ground.contact = contact.map(|contact| (contact_id, contact));
        }
        ground.employer = Some((employer_id, employer));
        Ok(())
    }

    /// Settles an upload: the intent is done, the learner linked, the change told; all or nothing. `None`: it was settled
    /// already, or the record is another learner's.
    ///
    /// # Errors
    /// The database's.
    pub async fn settle_uploaded(
        &self,
        provider: Uuid,
        learner: &str,
        environment: &str,
        intent: Uuid,
        method: &str,
        reading: &Reading,
    ) -> StoreResult<Option<LinkRow>> {
        let data = json!({"recordId": reading.record_id, "status": status_json(reading.status_id, reading.status_text.as_deref()), "method": method});
        let change = new_id();
        let sealed = self.seal_json(&change_row(change), &data)?;
        let detail = reading.detail.clone().unwrap_or_default();
        let archived_at = reading.archived_at.clone().flatten();
        let certificate_claimed_at = reading.certificate_claimed_at.clone().flatten();
        let settled = sqlx::query_scalar!(
            "select ace360_settle_uploaded($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
            provider,
            learner,
            environment,
            intent,
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
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(settled.map(|at| LinkRow {
            learner_id: learner.to_owned(),
            environment: environment.to_owned(),
            record_id: reading.record_id,
            state: "uploaded".to_owned(),
            method: method.to_owned(),
            status_id: reading.status_id,
            status_text: reading.status_text.clone(),
            status_read_at: (reading.status_id.is_some() || reading.status_text.is_some()).then_some(at),
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
        }))
    }
}
