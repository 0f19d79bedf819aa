//! What the preview of an enrolment shows, and a refused one: fields with their sources, whom and what the learner needs in
//! OneFile and where it stands there, what is missing and where to fix it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{Fault, RecordCode, RecordKind, RecordRef, counted, redacted};
use crate::onefile::catalogue::codes::AimMatch;

/// What an enrolment would send, and what is in its way.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "ready": false, "notReady": [{"code": "fieldsMissing", "message": "1 thing is missing: see `missing`."}], "centreId": "1001",
    "centres": [{"id": "1001", "name": "Copperfold (sample)"}],
    "fields": [{"name": "FirstName", "value": "Lucy", "source": "Learner > First Name"}],
    "missing": [{"field": "Email", "pointer": "/email", "message": "OneFile requires it: enter it in PICSWeb, Learner > Email."}],
    "warnings": [], "officers": [{"officerId": "O-17", "name": "Sam Okoro", "roles": ["main officer"], "state": "linked", "remoteId": "117",
        "candidates": [], "message": "Linked with assessor 117."}],
    "organisation": {"organisationId": "ACME", "name": "Acme Motors Ltd", "source": "Learner > Placements", "state": "create", "remoteId": null,
        "candidates": [], "message": "It is not in OneFile: it is made."},
    "classroom": {"name": "Vehicle 2026", "remoteId": "301", "state": "found", "source": "Learner > Main Tag"},
    "qualifications": [{"qualificationId": "Q-31", "vqReference": "196AS", "title": "Bus and coach engineering technician", "state": "there",
        "standardId": "901", "learningAimId": null, "matches": [], "message": "It would be assigned to the learner."}],
    "reviews": [], "possibleDuplicates": []
}))]
pub struct EnrolmentPreview {
    /// Whether an enrolment would be sent.
    pub ready: bool,
    /// Why it would be refused, every reason; empty when `ready`.
    pub not_ready: Vec<EnrolmentRefusal>,
    /// The centre in which the learner would be enrolled; null: it has to be chosen (`?centreId=`).
    #[schema(example = "1001")]
    pub centre_id: Option<String>,
    /// The centres that there are.
    pub centres: Vec<CentreChoice>,
    /// What would be sent of the learner, field by field, by OneFile's names.
    pub fields: Vec<EnrolmentField>,
    /// All that must be fixed or chosen first.
    pub missing: Vec<EnrolmentMissing>,
    /// What should be looked at; it stops nothing.
    pub warnings: Vec<EnrolmentWarning>,
    /// The officers whom the learner needs as assessors.
    pub officers: Vec<PlannedOfficer>,
    /// The organisation whom the learner needs as placement.
    pub organisation: Option<PlannedOrganisation>,
    /// The classroom that the learner would join.
    pub classroom: Option<PlannedClassroom>,
    /// The qualifications of the delivery plan.
    pub qualifications: Vec<PlannedQualification>,
    /// The reviews that would go up.
    pub reviews: Vec<PlannedReview>,
    /// Users of OneFile's who may be this learner already.
    pub possible_duplicates: Vec<PossibleUser>,
}

/// Why an enrolment would be refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EnrolmentRefusal {
    /// As the enrolment's own error would say it.
    #[schema(value_type = RecordCode)]
    pub code: RecordCode,
    /// What to know and to do.
    #[schema(example = "2 things are missing: see `missing`.")]
    pub message: String,
}

/// A centre to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CentreChoice {
    /// OneFile's id of the centre.
    #[schema(example = "1001")]
    pub id: String,
    /// The centre's name in OneFile.
    #[schema(example = "Copperfold (sample)")]
    pub name: Option<String>,
}

/// A field that would be sent.
#[derive(Clone, PartialEq, Serialize, ToSchema)]
pub struct EnrolmentField {
    /// The field's name in OneFile.
    #[schema(value_type = String, example = "FirstName")]
    pub name: &'static str,
    /// The value that would be sent.
    pub value: serde_json::Value,
    /// Where in PICSWeb it comes from.
    #[schema(example = "Learner > First Name")]
    pub source: String,
}

/// Something that is missing, or has to be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EnrolmentMissing {
    /// OneFile's name of the field, or what is needed.
    #[schema(example = "Email")]
    pub field: String,
    /// Where it is fixed: in the learner, or, from `/centreId` and `/pathways` on, in the request.
    #[schema(example = "/email")]
    pub pointer: String,
    /// What is missing, and where to enter it.
    pub message: String,
}

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EnrolmentWarning {
    /// What it is about.
    #[schema(example = "ULN")]
    pub field: String,
    /// What would happen, and how to change it.
    pub message: String,
}

/// Where a person or an organisation stands in OneFile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlannedState {
    /// It is linked, and OneFile has it.
    Linked,
    /// Found by its MIS value: it would be linked.
    Matched,
    /// Not there: it would be made.
    Create,
    /// OneFile has something that is probably it: link it, or say that it is another.
    Ambiguous,
    /// It cannot be used: the message says why.
    Blocked,
}

/// An officer whom the learner needs as assessor.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedOfficer {
    /// PICSWeb's id of the officer.
    #[schema(example = "O-17")]
    pub officer_id: String,
    /// The officer's name in PICSWeb.
    #[schema(example = "Sam Okoro")]
    pub name: String,
    /// What for: main officer, assessor of a qualification, an additional role, holder of a review.
    pub roles: Vec<String>,
    /// Whether OneFile has the officer.
    pub state: PlannedState,
    /// OneFile's id, where it is there.
    #[schema(example = "117")]
    pub remote_id: Option<String>,
    /// OneFile's ids of who may be it.
    pub candidates: Vec<String>,
    /// What would be done, or what to do.
    pub message: String,
}

/// The organisation whom the learner needs as placement.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedOrganisation {
    /// PICSWeb's id of the organisation.
    #[schema(example = "ACME")]
    pub organisation_id: String,
    /// The organisation's name in PICSWeb.
    #[schema(example = "Acme Motors Ltd")]
    pub name: String,
    /// Where in PICSWeb it comes from.
    #[schema(example = "Learner > Placements (the latest of type P)")]
    pub source: String,
    /// Whether OneFile has the organisation.
    pub state: PlannedState,
    /// OneFile's id, where it is there.
    #[schema(example = "501")]
    pub remote_id: Option<String>,
    /// OneFile's ids of what may be it.
    pub candidates: Vec<String>,
    /// What would be done, or what to do.
    pub message: String,
}

/// Where a classroom stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ClassroomState {
    /// OneFile has the classroom.
    Found,
    /// It would be made.
    Create,
}

/// The classroom that the learner would join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedClassroom {
    /// The classroom's name in OneFile.
    #[schema(example = "Vehicle 2026")]
    pub name: Option<String>,
    /// OneFile's id, where it is there.
    #[schema(example = "301")]
    pub remote_id: Option<String>,
    /// Whether OneFile has the classroom.
    pub state: ClassroomState,
    /// Where it comes from.
    #[schema(example = "Learner > Main Tag")]
    pub source: String,
}

/// Where a qualification stands in OneFile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlannedAim {
    /// The centre has it: it would be assigned.
    There,
    /// The learner has it already.
    Assigned,
    /// The centre has several pathways: one has to be chosen.
    ChoosePathway,
    /// Only another centre has it: it is left out.
    OtherCentre,
    /// OneFile does not have it, or the qualification has no VQ reference: it is left out.
    Missing,
}

/// A qualification of the delivery plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedQualification {
    /// PICSWeb's id of the qualification.
    #[schema(example = "Q-31")]
    pub qualification_id: Option<String>,
    /// The qualification's VQ reference in PICSWeb.
    #[schema(example = "196AS")]
    pub vq_reference: Option<String>,
    /// Its title in PICSWeb.
    pub title: Option<String>,
    /// What the enrolment would do with it.
    pub state: PlannedAim,
    /// OneFile's standard that would be assigned, or was.
    #[schema(example = "901")]
    pub standard_id: Option<String>,
    /// OneFile's learning aim, once it is assigned.
    #[schema(example = "50112")]
    pub learning_aim_id: Option<String>,
    /// The standards with this code, to choose from.
    pub matches: Vec<AimMatch>,
    /// What would be done, or what to do.
    pub message: String,
}

/// A review that would go up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedReview {
    /// PICSWeb's id of the review.
    #[schema(example = "R-501")]
    pub review_id: String,
    /// From when, UTC; to an hour later.
    #[schema(example = "2026-12-01T10:00:00.000Z")]
    pub from: String,
    /// The officer who holds it; null: the main officer.
    #[schema(example = "O-17")]
    pub officer_id: Option<String>,
}

/// A user of OneFile's who may be this learner already.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PossibleUser {
    /// OneFile's id of the user.
    #[schema(example = "20011")]
    pub user_id: String,
    /// Its centre, where that is said.
    #[schema(example = "1001")]
    pub centre_id: Option<String>,
    /// The user's name in OneFile.
    pub name: Option<String>,
    /// Whether the user is archived.
    pub archived: bool,
    /// The learner whose user it is here.
    #[schema(example = "L-1002")]
    pub linked_to: Option<String>,
    /// Whether it is probably this learner: then an enrolment is refused.
    pub likely: bool,
    /// Whether its MIS value says so: then it is refused whatever is allowed, since two users must not share one.
    pub same_mis_value: bool,
    /// What speaks for it.
    #[schema(example = "same ULN")]
    pub reason: String,
}

redacted!(EnrolmentField PlannedOfficer PlannedOrganisation PossibleUser);

impl EnrolmentPreview {
    /// Everything missing as faults, of this learner or of the request.
    pub fn faults(&self, learner: &str) -> Vec<Fault> {
        let learner = RecordRef { kind: RecordKind::Learner, id: learner.to_owned() };
        let fault = |missing: &EnrolmentMissing| {
            let words = format!("{}: {}", missing.field, missing.message);
            let fault = Fault::at(missing.pointer.clone(), "missing", words);
            let is_asked = ["/centreId", "/pathways"].iter().any(|own| missing.pointer.starts_with(own));
            if is_asked { fault } else { fault.of(learner.clone()) }
        };
        self.missing.iter().map(fault).collect()
    }

    /// How much is missing, in words.
    pub fn missing_in_words(&self) -> String {
        counted(self.missing.len(), "thing is missing", "things are missing")
    }

    /// Users who probably are the learner.
    pub fn likely(&self) -> Vec<&PossibleUser> {
        self.possible_duplicates.iter().filter(|user| user.likely).collect()
    }

    /// Says whether it is ready, when all else is filled in.
    pub(crate) fn judge(&mut self, allow_duplicate: bool) {
        self.not_ready.clear();
        if !self.missing.is_empty() {
            let message = format!("{}: see `missing`.", self.missing_in_words());
            self.not_ready.push(EnrolmentRefusal { code: RecordCode::FieldsMissing, message });
        }
        let surely = self.possible_duplicates.iter().any(|user| user.same_mis_value);
        if (surely || !allow_duplicate)
            && let Some(message) = self.advice()
        {
            self.not_ready.push(EnrolmentRefusal { code: RecordCode::LikelyDuplicate, message });
        }
        self.ready = self.not_ready.is_empty();
    }

    /// Says that the learner has its user.
    pub(crate) fn there_already(&mut self, user: &str) {
        self.ready = false;
        let message = format!("The learner has OneFile user {user}.");
        self.not_ready.push(EnrolmentRefusal { code: RecordCode::AlreadyEnrolled, message });
    }

    /// Says that nothing would be sent at all.
    pub(crate) fn switched_off(&mut self) {
        self.ready = false;
        self.not_ready.push(EnrolmentRefusal {
            code: RecordCode::IntegrationDisabled,
            message: "The OneFile integration is switched off: POST /onefile:enable.".to_owned(),
        });
    }

    /// What to do about users who probably are the learner.
    pub fn advice(&self) -> Option<String> {
        let likely = self.likely();
        let first = likely.first()?;
        let ids = likely.iter().map(|user| user.user_id.as_str()).collect::<Vec<_>>().join(", ");
        let advice = match &first.linked_to {
            Some(other) => format!("it is linked to learner {other} here: correct the learner who is wrong"),
            None if first.same_mis_value => format!(
                "link it (PUT /learners/{{id}}/onefile/link with `userId` {}); if it is somebody else, correct its MIS value in OneFile",
                first.user_id
            ),
            None => format!(
                "link it (PUT /learners/{{id}}/onefile/link with `userId` {}), or repeat with `allowDuplicate: true` if it is somebody else",
                first.user_id
            ),
        };
        let who = counted(likely.len(), "a user who probably is", "users who probably are");
        let who = who.trim_start_matches("1 ");
        Some(format!("OneFile has {who} this learner ({ids}; {}): {advice}.", first.reason))
    }
}
