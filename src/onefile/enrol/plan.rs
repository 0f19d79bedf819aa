//! What an enrolment would send, and all that is in its way. Pure: what is known comes in.

use std::collections::BTreeMap;

use super::Wanted;
use super::fields;
use super::ground::Ground;
use super::people::{self, Standing, name_of};
use super::report::{
    CentreChoice, ClassroomState, EnrolmentMissing, EnrolmentPreview, EnrolmentWarning, PlannedAim,
    PlannedClassroom, PlannedOfficer, PlannedOrganisation, PlannedQualification, PlannedReview, PlannedState,
};
use crate::domain::{
    Learner, LearnerStatus, Officer, OfficerId, Organisation, OrganisationId, Qualification, QualificationId,
    VqReference,
};
use crate::onefile::codes::Code;
use crate::onefile::coverage::AimMatch;
use crate::onefile::find::same_text;
use crate::onefile::takeover::reviews_to_push;
use crate::store::OneFileStandard;

/// An enrolment, planned.
pub struct Plan {
    /// As it is shown.
    pub preview: EnrolmentPreview,
    /// The learner as it was planned for.
    pub(super) learner: Learner,
    pub(super) main_officer: Option<String>,
    /// Officers beside the main one: of which qualification (OneFile's standard), or of none.
    pub(super) assigned: Vec<(String, Option<String>)>,
    pub(super) officers: BTreeMap<String, Officer>,
    pub(super) organisation: Option<Organisation>,
    pub(super) visit_type: crate::domain::VisitType,
}

struct Draft<'a> {
    ground: &'a Ground,
    wanted: &'a Wanted,
    missing: Vec<EnrolmentMissing>,
    warnings: Vec<EnrolmentWarning>,
}

impl Draft<'_> {
    fn missing(&mut self, field: &str, pointer: impl Into<String>, message: impl Into<String>) {
        self.missing.push(EnrolmentMissing {
            field: field.to_owned(),
            pointer: pointer.into(),
            message: message.into(),
        });
    }

    fn warn(&mut self, field: &str, message: impl Into<String>) {
        self.warnings.push(EnrolmentWarning { field: field.to_owned(), message: message.into() });
    }
}

/// Plans an enrolment.
pub(super) fn plan(ground: &Ground, wanted: &Wanted) -> Plan {
    let mut draft = Draft { ground, wanted, missing: Vec::new(), warnings: Vec::new() };
    let learner = &ground.learner;
    if learner.status != Some(LearnerStatus::Live) {
        draft.missing(
            "Status",
            "/status",
            "Only live learners are enrolled: make the learner live in PICSWeb.",
        );
    }
    if learner.email.is_none() {
        draft.missing(
            "Email",
            "/email",
            "OneFile demands an e-mail address: enter it in PICSWeb, Learner > Email.",
        );
    }
    let centre = ground.centre(wanted);
    if centre.is_none() {
        draft.centre();
    }
    let own = fields::of(&wanted.learner, learner);
    for name in ["ULN", "DOB"] {
        if !own.iter().any(|field| field.name == name) {
            draft.warn(
                name,
                "Not sent, since it is blank in PICSWeb: a learner who is in OneFile already is found by it.",
            );
        }
    }
    let qualifications = draft.qualifications(centre.as_deref());
    let reviews = draft.reviews();
    let (officers, assigned) = draft.officers(centre.as_deref(), &qualifications, &reviews);
    let organisation = draft.organisation(centre.as_deref());
    let classroom = centre.as_deref().and_then(|centre| draft.classroom(centre));
    let main_officer = learner.main_officer_id.as_ref().map(|id| id.as_str().to_owned());
    Plan {
        main_officer,
        assigned,
        officers: ground.officers.clone(),
        organisation: organisation
            .as_ref()
            .and_then(|own| ground.organisations.get(&own.organisation_id))
            .cloned(),
        visit_type: ground.choices.visit_type,
        learner: learner.clone(),
        preview: EnrolmentPreview {
            ready: false,
            not_ready: Vec::new(),
            centre_id: centre,
            centres: ground
                .centres
                .iter()
                .map(|(id, name)| CentreChoice { id: id.clone(), name: name.clone() })
                .collect(),
            fields: own,
            missing: draft.missing,
            warnings: draft.warnings,
            officers,
            organisation,
            classroom,
            qualifications,
            reviews,
            possible_duplicates: Vec::new(),
        },
    }
}

/// Where the learner is placed: the latest placement of type P, else the latest of any type.
pub(in crate::onefile) fn placement_of(learner: &Learner) -> Option<OrganisationId> {
    latest(learner, Some("P")).or_else(|| latest(learner, None))
}

/// The latest placement of a type, or of any.
fn latest(learner: &Learner, kind: Option<&str>) -> Option<OrganisationId> {
    let fits = learner.placements.iter().filter(|own| {
        own.organisation_id.is_some() && kind.is_none_or(|kind| same_text(own.kind.as_deref(), kind))
    });
    fits.max_by_key(|own| own.start_date).and_then(|own| own.organisation_id.clone())
}

impl Draft<'_> {
    fn centre(&mut self) {
        let list = self.ground.centres.iter();
        let list = list.map(|(id, name)| format!("{id} ({})", name.as_deref().unwrap_or("no name")));
        let list = list.collect::<Vec<_>>().join(", ");
        let message = match (&self.wanted.centre_id, self.ground.centres.is_empty()) {
            (_, true) => "OneFile has no centre for this customer token.".to_owned(),
            (Some(_), _) => format!("There is no such centre in OneFile. There are: {list}."),
            (None, _) => {
                format!("OneFile has several centres: say in which one (`centreId`). There are: {list}.")
            }
        };
        self.missing("OrganisationID", "/centreId", message);
    }

    /// Of each qualification where it stands; those that OneFile does not have are left out, as PICSWeb does.
    fn qualifications(&mut self, centre: Option<&str>) -> Vec<PlannedQualification> {
        let qualifications = &self.ground.learner.qualifications;
        if self.ground.standards.is_none() && !qualifications.is_empty() {
            let message = "OneFile's learning aims were never read: refresh them (POST /onefile/qualifications:refresh).";
            self.missing("StandardID", "/qualifications", message);
        }
        let mut planned: Vec<PlannedQualification> = Vec::with_capacity(qualifications.len());
        for own in qualifications {
            let mut next = self.qualification(own, centre);
            // However it is spelt: two learning aims of one standard would be one too many.
            let again = next.standard_id.is_some()
                && planned.iter().any(|before| before.standard_id == next.standard_id);
            if again {
                let reference = next.vq_reference.clone().unwrap_or_default();
                next.state = PlannedAim::Missing;
                next.standard_id = None;
                next.message = format!(
                    "The delivery plan has [{reference}] before: the first is assigned, this one is left out."
                );
                self.warn("StandardID", next.message.clone());
            }
            planned.push(next);
        }
        for reference in self.wanted.pathways.keys() {
            let known = planned
                .iter()
                .any(|own| own.vq_reference.as_deref().is_some_and(|own| same_text(Some(own), reference)));
            if !known {
                let message =
                    format!("The delivery plan has no qualification with the VQ reference {reference}.");
                self.missing("pathways", format!("/pathways/{}", escaped(reference)), message);
            }
        }
        planned
    }

    fn qualification(&mut self, own: &Qualification, centre: Option<&str>) -> PlannedQualification {
        let mut planned = PlannedQualification {
            qualification_id: own.qualification_id.as_ref().map(|id| QualificationId::as_str(id).to_owned()),
            vq_reference: own.vq_reference.as_ref().map(|own| VqReference::as_str(own).to_owned()),
            title: own.title.clone(),
            state: PlannedAim::Missing,
            standard_id: None,
            learning_aim_id: None,
            matches: Vec::new(),
            message: String::new(),
        };
        let Some(reference) = planned.vq_reference.clone() else {
            "It has no VQ reference, by which OneFile's learning aim is found: it is left out."
                .clone_into(&mut planned.message);
            return planned;
        };
        let key = Code::parse(&reference).map(|code| code.key);
        let all = self.ground.standards.iter().flatten();
        let all: Vec<&OneFileStandard> = all.filter(|row| row.code_key == key && !row.archived).collect();
        planned.matches = all.iter().map(|row| matched(row)).collect();
        let Some(centre) = centre else {
            "Which it is shows when the centre is chosen.".clone_into(&mut planned.message);
            return planned;
        };
        let here: Vec<&OneFileStandard> = all.iter().copied().filter(|row| row.centre_id == centre).collect();
        let pathways = &self.wanted.pathways;
        let chosen = pathways.iter().find(|(own, _)| same_text(Some(own), &reference)).map(|(_, id)| id);
        let (state, standard, message) = match (here.as_slice(), chosen) {
            ([], _) if all.is_empty() => (
                PlannedAim::Missing,
                None,
                format!("OneFile has no learning aim [{reference}]: it is left out."),
            ),
            ([], _) => (
                PlannedAim::OtherCentre,
                None,
                format!(
                    "Only another centre has [{reference}] ({}): it is left out.",
                    all.iter().map(|row| row.centre_id.as_str()).collect::<Vec<_>>().join(", ")
                ),
            ),
            (rows, Some(chosen)) => {
                if let Some(row) = rows.iter().find(|row| row.standard_id == *chosen) {
                    (
                        PlannedAim::There,
                        Some(*row),
                        "The chosen pathway would be assigned to the learner.".to_owned(),
                    )
                } else {
                    let message = format!(
                        "OneFile's standard {chosen} is none with the code [{reference}] in this centre: choose one of `matches`."
                    );
                    self.missing("pathways", format!("/pathways/{}", escaped(&reference)), message.clone());
                    (PlannedAim::ChoosePathway, None, message)
                }
            }
            ([only], None) => {
                (PlannedAim::There, Some(*only), "It would be assigned to the learner.".to_owned())
            }
            (several, None) => {
                let ids = several.iter().map(|row| row.standard_id.as_str()).collect::<Vec<_>>().join(", ");
                let message = format!(
                    "OneFile has several pathways for [{reference}]: choose one (`pathways`: {ids})."
                );
                self.missing("pathways", format!("/pathways/{}", escaped(&reference)), message.clone());
                (PlannedAim::ChoosePathway, None, message)
            }
        };
        planned.state = state;
        planned.standard_id = standard.map(|row| row.standard_id.clone());
        planned.message = message;
        planned
    }

    fn reviews(&mut self) -> Vec<PlannedReview> {
        if !self.ground.choices.upload_reviews {
            return Vec::new();
        }
        let (planned, notes) = reviews_to_push(&self.ground.learner, &self.ground.portfolio.reviews);
        for note in notes {
            self.warn("reviews", note);
        }
        planned
    }

    /// Whom the learner needs: the main officer, assessors of qualifications that go up, the additional roles, holders of reviews.
    fn officers(
        &mut self,
        centre: Option<&str>,
        qualifications: &[PlannedQualification],
        reviews: &[PlannedReview],
    ) -> (Vec<PlannedOfficer>, Vec<(String, Option<String>)>) {
        let learner = &self.ground.learner;
        let mut roles: Vec<(String, Vec<String>)> = Vec::new();
        let mut assigned: Vec<(String, Option<String>)> = Vec::new();
        let mut need = |id: &str, role: String| match roles.iter_mut().find(|(own, _)| own == id) {
            Some((_, all)) => all.push(role),
            None => roles.push((id.to_owned(), vec![role])),
        };
        let main = learner.main_officer_id.as_ref().map(OfficerId::as_str);
        if let Some(id) = main {
            need(id, "main officer".to_owned());
        }
        for (own, planned) in learner.qualifications.iter().zip(qualifications) {
            let Some(assessor) = own.assessor_id.as_ref().map(OfficerId::as_str) else { continue };
            if let Some(standard) = &planned.standard_id {
                need(
                    assessor,
                    format!("assessor of {}", planned.vq_reference.as_deref().unwrap_or("a qualification")),
                );
                if Some(assessor) != main {
                    assigned.push((assessor.to_owned(), Some(standard.clone())));
                }
            }
        }
        let wanted_roles = &self.ground.choices.additional_assessors;
        for own in &learner.officers {
            let (Some(role), Some(id)) =
                (own.role.as_deref(), own.officer_id.as_ref().map(OfficerId::as_str))
            else {
                continue;
            };
            if wanted_roles.iter().any(|wanted| same_text(Some(role), wanted)) {
                need(id, role.trim().to_owned());
                if Some(id) != main {
                    assigned.push((id.to_owned(), None));
                }
            }
        }
        for review in reviews {
            if let Some(id) = &review.officer_id {
                need(id, format!("review {}", review.review_id));
            }
        }
        assigned.sort();
        assigned.dedup();
        if main.is_none() {
            let message = "OneFile demands an assessor: enter the learner's Main Officer in PICSWeb.";
            self.missing("DefaultAssessorID", "/mainOfficerId", message);
        }
        let standings =
            centre.map(|centre| people::officers(self.ground, centre, self.wanted.allow_duplicate));
        let planned =
            roles.into_iter().map(|(id, roles)| self.officer(&id, roles, standings.as_ref())).collect();
        (planned, assigned)
    }

    fn officer(
        &mut self,
        id: &str,
        roles: Vec<String>,
        standings: Option<&BTreeMap<String, Standing>>,
    ) -> PlannedOfficer {
        let unknown = || Standing {
            state: PlannedState::Blocked,
            remote_id: None,
            candidates: Vec::new(),
            message: "PICSWeb has not sent this officer: PUT /officers/{id}.".to_owned(),
        };
        let standing = match (self.ground.officers.contains_key(id), standings) {
            (false, _) => unknown(),
            (true, None) => Standing {
                message: "Where it stands shows when the centre is chosen.".to_owned(),
                state: PlannedState::Create,
                ..unknown()
            },
            (true, Some(all)) => all.get(id).cloned().unwrap_or_else(unknown),
        };
        // Somebody who only holds a review can be done without: the main officer holds it then.
        let only_reviews = roles.iter().all(|role| role.starts_with("review "));
        if matches!(standing.state, PlannedState::Ambiguous | PlannedState::Blocked) {
            if only_reviews {
                self.warn(
                    "AssessorID",
                    format!(
                        "Officer {id}: {} The main officer holds the review in OneFile.",
                        standing.message
                    ),
                );
            } else {
                let pointer = if roles.iter().any(|role| role == "main officer") {
                    "/mainOfficerId"
                } else {
                    "/officers"
                };
                self.missing(&format!("assessor {id}"), pointer, standing.message.clone());
            }
        }
        PlannedOfficer {
            name: self.ground.officers.get(id).map(name_of).unwrap_or_default(),
            officer_id: id.to_owned(),
            roles,
            state: standing.state,
            remote_id: standing.remote_id,
            candidates: standing.candidates,
            message: standing.message,
        }
    }

    /// The latest placement of type P, else the latest of any type, else the employer (assumed: OneFile demands one).
    fn organisation(&mut self, centre: Option<&str>) -> Option<PlannedOrganisation> {
        let learner = &self.ground.learner;
        let (id, source) = if let Some(id) = latest(learner, Some("P")) {
            (id, "Learner > Placements (the latest of type P)")
        } else if let Some(id) = latest(learner, None) {
            (id, "Learner > Placements (the latest)")
        } else if let Some(id) = learner.employer_id.clone() {
            self.warn("PlacementID", "The learner has no placement: the employer is taken.");
            (id, "Learner > Employer")
        } else {
            let message = "OneFile demands a placement: enter one in PICSWeb, Learner > Placements.";
            self.missing("PlacementID", "/placements", message);
            return None;
        };
        let own = self.ground.organisations.get(id.as_str());
        let standing = match (own, centre) {
            (None, _) => Standing {
                state: PlannedState::Blocked,
                remote_id: None,
                candidates: Vec::new(),
                message: "PICSWeb has not sent this organisation: PUT /organisations/{id}.".to_owned(),
            },
            (Some(_), None) => Standing {
                state: PlannedState::Create,
                remote_id: None,
                candidates: Vec::new(),
                message: "Where it stands shows when the centre is chosen.".to_owned(),
            },
            (Some(_), Some(centre)) => {
                people::organisations(self.ground, centre, self.wanted.allow_duplicate).remove(id.as_str())?
            }
        };
        if matches!(standing.state, PlannedState::Ambiguous | PlannedState::Blocked) {
            self.missing(&format!("placement {}", id.as_str()), "/placements", standing.message.clone());
        }
        Some(PlannedOrganisation {
            organisation_id: id.as_str().to_owned(),
            name: own.map(|own| own.name.trim().to_owned()).unwrap_or_default(),
            source: source.to_owned(),
            state: standing.state,
            remote_id: standing.remote_id,
            candidates: standing.candidates,
            message: standing.message,
        })
    }

    fn classroom(&mut self, centre: &str) -> Option<PlannedClassroom> {
        let choices = &self.ground.choices;
        let rooms =
            || self.ground.classrooms.iter().filter(|room| room.centre_id == centre && !room.archived);
        let tag = self.ground.learner.main_tag.as_deref().map(str::trim).filter(|tag| !tag.is_empty());
        if choices.classroom_from_main_tag {
            let named = tag.and_then(|tag| rooms().find(|room| same_text(room.labels.name.as_deref(), tag)));
            if let Some(room) = named {
                return Some(PlannedClassroom {
                    name: room.labels.name.clone(),
                    remote_id: Some(room.remote_id.clone()),
                    state: ClassroomState::Found,
                    source: "Learner > Main Tag".to_owned(),
                });
            }
            match tag {
                Some(tag) if choices.create_missing_classrooms => {
                    return Some(PlannedClassroom {
                        name: Some(tag.to_owned()),
                        remote_id: None,
                        state: ClassroomState::Create,
                        source: "Learner > Main Tag".to_owned(),
                    });
                }
                Some(tag) => self.warn(
                    "ClassroomID",
                    format!("OneFile's centre has no classroom of the Main Tag's name ({tag}): the default is taken."),
                ),
                None => self.warn("ClassroomID", "The learner has no Main Tag: the default classroom is taken."),
            }
        }
        let only = self.ground.centres.len() == 1;
        let default = choices.default_classrooms.get(centre);
        let default = default.or_else(|| choices.default_classroom_id.as_ref().filter(|_| only));
        let Some(default) = default else {
            let message = format!(
                "OneFile demands a classroom: choose a default for centre {centre} (PUT /onefile/settings with `defaultClassrooms`)."
            );
            self.missing("ClassroomID", "/mainTag", message);
            return None;
        };
        let Some(room) = rooms().find(|room| room.remote_id == *default) else {
            let message = format!(
                "The default classroom {default} is not in OneFile's centre {centre}, or is archived: choose another (PUT /onefile/settings)."
            );
            self.missing("ClassroomID", "/mainTag", message);
            return None;
        };
        Some(PlannedClassroom {
            name: room.labels.name.clone(),
            remote_id: Some(room.remote_id.clone()),
            state: ClassroomState::Found,
            source: "Settings > default classroom".to_owned(),
        })
    }
}

fn matched(row: &OneFileStandard) -> AimMatch {
    AimMatch {
        centre_id: row.centre_id.clone(),
        standard_id: row.standard_id.clone(),
        title: row.title.clone(),
        code: row.code.clone().unwrap_or_default(),
        archived: row.archived,
    }
}

/// For a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
