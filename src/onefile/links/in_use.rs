//! Which officers and organisations are in use: learners name them, so that an enrolment would need them in OneFile.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::domain::Learner;
use crate::onefile::OneFile;
use crate::store::{RecordKind, StoreResult};

/// Records unsealed at a time.
pub(super) const PAGE: i64 = 500;

/// PICSWeb's ids of those in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InUse {
    /// Main officers, officers with a role, assessors of qualifications, holders of reviews.
    pub officers: BTreeSet<String>,
    /// Employers and placements.
    pub organisations: BTreeSet<String>,
}

impl InUse {
    /// Adds what a learner names.
    pub fn add(&mut self, learner: &Learner) {
        let officers = learner
            .main_officer_id
            .iter()
            .chain(learner.officers.iter().filter_map(|own| own.officer_id.as_ref()))
            .chain(learner.qualifications.iter().filter_map(|own| own.assessor_id.as_ref()))
            .chain(learner.reviews.iter().filter_map(|own| own.officer_id.as_ref()));
        self.officers.extend(officers.map(|id| id.as_str().to_owned()));
        let placements = learner.placements.iter().filter_map(|own| own.organisation_id.as_ref());
        let organisations = learner.employer_id.iter().chain(placements);
        self.organisations.extend(organisations.map(|id| id.as_str().to_owned()));
    }
}

impl OneFile {
    /// Whom the provider's learners name.
    ///
    /// # Errors
    /// The database's.
    pub async fn in_use(&self, provider: Uuid) -> StoreResult<InUse> {
        let mut found = InUse::default();
        let mut after: Option<String> = None;
        loop {
            let page = self
                .store
                .list_records::<Learner>(provider, RecordKind::Learner, after.as_deref(), PAGE)
                .await?;
            for own in &page.items {
                found.add(&own.record);
            }
            after = page.items.into_iter().next_back().map(|own| own.id);
            if !page.more {
                return Ok(found);
            }
        }
    }
}
