//! Everything that an enrolment is planned from: the learner, the officers and organisations that
//! it names, the links, and the last read of OneFile's directory. A part of the directory that was
//! never read is read now.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{DirectoryKind, Learner, Officer, OneFileEnvironment, Organisation, VqReference};
use crate::onefile::catalogue::codes::Code;
use crate::onefile::create::wanted::Wanted;
use crate::onefile::{OneFile, OneFileError};
use crate::store::{
    DirectoryEntry, DirectoryFilter, OneFileChoices, OneFileLink, OneFileSettings, OneFileStandard,
    Portfolio, RecordKind, StandardFilter, StoreResult,
};

/// The most entries of one part of a directory. No centre has more.
const MOST: i64 = 100_000;

/// What an enrolment is planned from.
pub(crate) struct EnrolmentContext {
    pub(crate) learner: Learner,
    pub(crate) choices: OneFileChoices,
    /// The customer's centres: id and name.
    pub(crate) centres: Vec<(String, Option<String>)>,
    /// Whom the learner names, as far as we have them.
    pub(crate) officers: BTreeMap<String, Officer>,
    pub(crate) organisations: BTreeMap<String, Organisation>,
    /// The links of the kind, of everybody: what is another's is not free.
    pub(crate) officer_links: Vec<OneFileLink>,
    pub(crate) organisation_links: Vec<OneFileLink>,
    pub(crate) user: Option<OneFileLink>,
    pub(crate) assessors: Vec<DirectoryEntry>,
    pub(crate) placements: Vec<DirectoryEntry>,
    pub(crate) classrooms: Vec<DirectoryEntry>,
    /// OneFile's standards with a code of the learner's; none: the catalogue was never read.
    pub(crate) standards: Option<Vec<OneFileStandard>>,
    /// What is known of the learner there.
    pub(crate) portfolio: Portfolio,
}

impl EnrolmentContext {
    /// The centre to enrol in, if it is chosen, or is the only one.
    pub(crate) fn centre(&self, wanted: &Wanted) -> Option<String> {
        let there = |id: &String| self.centres.iter().any(|(own, _)| own == id);
        if let Some(user) = &self.user {
            return Some(user.centre_id.clone());
        }
        match (&wanted.centre_id, self.centres.as_slice()) {
            (Some(chosen), _) => Some(chosen.clone()).filter(there),
            (None, [(only, _)]) => Some(only.clone()),
            (None, _) => None,
        }
    }
}

impl OneFile {
    /// Reads what an enrolment is planned from; `None`: no such learner.
    pub(crate) async fn enrolment_ground(
        &self,
        wanted: &Wanted,
        settings: &OneFileSettings,
    ) -> Result<Option<EnrolmentContext>, OneFileError> {
        let (provider, environment) = (wanted.provider, settings.choices.environment);
        let id = wanted.learner.as_str();
        let learner = self.store.record::<Learner>(provider, RecordKind::Learner, id).await?;
        let Some(learner) = learner.map(|row| row.record) else { return Ok(None) };
        for part in [
            DirectoryKind::Centre,
            DirectoryKind::Classroom,
            DirectoryKind::Assessor,
            DirectoryKind::Placement,
        ] {
            self.directory_part(provider, part, false).await?;
        }
        let entries = async |kind| {
            let filter = DirectoryFilter { kind, centre_id: None, archived: None };
            self.store.onefile_entries(provider, environment, filter, None, MOST).await
        };
        let centres = entries(DirectoryKind::Centre).await?;
        let mut officers = BTreeMap::new();
        for id in named_officers(&learner) {
            if let Some(row) = self.store.record::<Officer>(provider, RecordKind::Officer, &id).await? {
                officers.insert(id, row.record);
            }
        }
        let mut organisations = BTreeMap::new();
        for id in named_organisations(&learner) {
            let row = self.store.record::<Organisation>(provider, RecordKind::Organisation, &id).await?;
            if let Some(row) = row {
                organisations.insert(id, row.record);
            }
        }
        Ok(Some(EnrolmentContext {
            centres: centres.into_iter().map(|entry| (entry.remote_id, entry.labels.name)).collect(),
            officer_links: self.store.onefile_links_of(provider, environment, RecordKind::Officer).await?,
            organisation_links: self
                .store
                .onefile_links_of(provider, environment, RecordKind::Organisation)
                .await?,
            user: self.store.onefile_link_of(provider, environment, RecordKind::Learner, id).await?,
            assessors: entries(DirectoryKind::Assessor).await?,
            placements: entries(DirectoryKind::Placement).await?,
            classrooms: entries(DirectoryKind::Classroom).await?,
            standards: self.standards_of(wanted.provider, environment, &learner).await?,
            portfolio: self.store.portfolio(provider, environment, id).await?.portfolio,
            choices: settings.choices.clone(),
            officers,
            organisations,
            learner,
        }))
    }

    async fn standards_of(
        &self,
        provider: uuid::Uuid,
        environment: OneFileEnvironment,
        learner: &Learner,
    ) -> StoreResult<Option<Vec<OneFileStandard>>> {
        if self.store.onefile_standards_refreshed(provider, environment).await?.is_none() {
            return Ok(None);
        }
        let references = learner.qualifications.iter().filter_map(|own| own.vq_reference.as_ref());
        let keys: BTreeSet<String> =
            references.filter_map(|own| Code::parse(VqReference::as_str(own))).map(|code| code.key).collect();
        let mut found = Vec::new();
        for key in keys {
            let filter = StandardFilter { code_key: Some(&key), ..StandardFilter::default() };
            found.extend(self.store.onefile_standards(provider, environment, filter, MOST).await?.items);
        }
        Ok(Some(found))
    }
}

fn named_officers(learner: &Learner) -> BTreeSet<String> {
    let named = learner
        .main_officer_id
        .iter()
        .chain(learner.officers.iter().filter_map(|own| own.officer_id.as_ref()))
        .chain(learner.qualifications.iter().filter_map(|own| own.assessor_id.as_ref()))
        .chain(learner.reviews.iter().filter_map(|own| own.officer_id.as_ref()));
    named.map(|id| id.as_str().to_owned()).collect()
}

fn named_organisations(learner: &Learner) -> BTreeSet<String> {
    let placements = learner.placements.iter().filter_map(|own| own.organisation_id.as_ref());
    placements.chain(learner.employer_id.as_ref()).map(|id| id.as_str().to_owned()).collect()
}
