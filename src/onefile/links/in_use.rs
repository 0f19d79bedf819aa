//! The officers and organisations in use, that is, those that an enrolment would need in OneFile.
//! The link candidates and the set-up checklist share this definition.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::domain::{Learner, LearnerStatus};
use crate::onefile::OneFile;
use crate::store::{OneFileChoices, RecordKind, StoreResult};

/// Records unsealed at a time.
pub(crate) const PAGE: i64 = 500;

/// PICSWeb's ids of the records in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InUse {
    /// Main officers, assessors of qualifications, and officers in the roles that the settings
    /// name.
    pub officers: BTreeSet<String>,
    pub organisations: BTreeSet<String>,
}

impl InUse {
    /// Adds the records that a learner names, if the learner is live. Other learners are never
    /// enrolled.
    pub fn add(&mut self, learner: &Learner, choices: &OneFileChoices) {
        if learner.status != Some(LearnerStatus::Live) {
            return;
        }
        let roles = &choices.additional_assessors;
        let additional = learner.officers.iter().filter(|officer| {
            let role = officer.role.as_deref().unwrap_or_default().trim().to_lowercase();
            roles.iter().any(|wanted| wanted.to_lowercase() == role)
        });
        let officers = additional
            .filter_map(|officer| officer.officer_id.as_ref())
            .chain(learner.main_officer_id.as_ref())
            .chain(learner.qualifications.iter().filter_map(|own| own.assessor_id.as_ref()));
        self.officers.extend(officers.map(|id| id.as_str().to_owned()));
        let placements = learner.placements.iter().filter_map(|own| own.organisation_id.as_ref());
        let organisations = placements.chain(learner.employer_id.as_ref());
        self.organisations.extend(organisations.map(|id| id.as_str().to_owned()));
    }
}

impl OneFile {
    /// The records that the provider's learners name.
    pub async fn in_use(&self, provider: Uuid, choices: &OneFileChoices) -> StoreResult<InUse> {
        let mut found = InUse::default();
        self.each_learner(provider, |_, learner| found.add(learner, choices)).await?;
        Ok(found)
    }

    /// Shows every learner, unsealed page by page.
    pub(crate) async fn each_learner(
        &self,
        provider: Uuid,
        mut see: impl FnMut(&str, &Learner),
    ) -> StoreResult<()> {
        let mut after: Option<String> = None;
        loop {
            let page = self
                .store
                .list_records::<Learner>(provider, RecordKind::Learner, after.as_deref(), PAGE)
                .await?;
            for own in &page.items {
                see(&own.id, &own.record);
            }
            after = page.items.into_iter().next_back().map(|own| own.id);
            if !page.more {
                return Ok(());
            }
        }
    }
}
