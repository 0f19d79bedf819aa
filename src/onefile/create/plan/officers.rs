//! The officers whom an enrolment needs as assessors.

use std::collections::BTreeMap;

use super::draft::{Draft, NO_CENTRE};
use crate::domain::OfficerId;
use crate::onefile::create::find::same_text;
use crate::onefile::create::people;
use crate::onefile::create::people::{Standing, name_of};
use crate::onefile::create::report::{PlannedOfficer, PlannedQualification, PlannedReview, PlannedState};

const MAIN: &str = "main officer";
const NOT_SENT: &str = "PICSWeb has not sent this officer: PUT /officers/{id}.";

impl Draft<'_> {
    /// Whom the learner needs: the main officer, assessors of qualifications that go up, the additional roles, holders of reviews.
    pub(super) fn officers(
        &mut self,
        centre: Option<&str>,
        qualifications: &[PlannedQualification],
        reviews: &[PlannedReview],
    ) -> (Vec<PlannedOfficer>, Vec<(String, Option<String>)>) {
        let learner = &self.context.learner;
        let mut roles: Vec<(String, Vec<String>)> = Vec::new();
        let mut assigned: Vec<(String, Option<String>)> = Vec::new();
        let mut need = |id: &str, role: String| match roles.iter_mut().find(|(own, _)| own == id) {
            Some((_, all)) => all.push(role),
            None => roles.push((id.to_owned(), vec![role])),
        };
        let main = learner.main_officer_id.as_ref().map(OfficerId::as_str);
        if let Some(id) = main {
            need(id, MAIN.to_owned());
        }
        for (own, planned) in learner.qualifications.iter().zip(qualifications) {
            let Some(assessor) = own.assessor_id.as_ref().map(OfficerId::as_str) else { continue };
            if let Some(standard) = &planned.standard_id {
                let what = planned.vq_reference.as_deref().unwrap_or("a qualification");
                need(assessor, format!("assessor of {what}"));
                if Some(assessor) != main {
                    assigned.push((assessor.to_owned(), Some(standard.clone())));
                }
            }
        }
        let wanted_roles = &self.context.choices.additional_assessors;
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
            centre.map(|centre| people::officers(self.context, centre, self.wanted.allow_duplicate));
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
        let known = self.context.officers.contains_key(id);
        let standing = match standings.filter(|_| known) {
            None if known => Standing::of(PlannedState::Create, NO_CENTRE),
            None => Standing::of(PlannedState::Blocked, NOT_SENT),
            Some(all) => {
                all.get(id).cloned().unwrap_or_else(|| Standing::of(PlannedState::Blocked, NOT_SENT))
            }
        };
        // Somebody who only holds a review can be done without: the main officer holds it then.
        let only_reviews = roles.iter().all(|role| role.starts_with("review "));
        if matches!(standing.state, PlannedState::Ambiguous | PlannedState::Blocked) {
            let message = &standing.message;
            if only_reviews {
                let words = format!("Officer {id}: {message} The main officer holds the review in OneFile.");
                self.warn("AssessorID", words);
            } else {
                let is_main = roles.iter().any(|role| role == MAIN);
                let pointer = if is_main { "/mainOfficerId" } else { "/officers" };
                self.missing(&format!("assessor {id}"), pointer, message.clone());
            }
        }
        PlannedOfficer {
            name: self.context.officers.get(id).map(name_of).unwrap_or_default(),
            officer_id: id.to_owned(),
            roles,
            state: standing.state,
            remote_id: standing.remote_id,
            candidates: standing.candidates,
            message: standing.message,
        }
    }
}
