//! What an enrolment would send, and all that is in its way. Pure: what is known comes in.

mod classroom;
mod draft;
mod officers;
mod placement;
mod qualifications;

use std::collections::BTreeMap;

use serde_json::json;

use self::draft::Draft;
pub(crate) use self::placement::placement_of;
use super::report::{CentreChoice, EnrolmentField, EnrolmentPreview, PlannedReview};
use crate::domain::{Learner, LearnerId, LearnerStatus, Officer, Organisation};
use crate::onefile::create::context::EnrolmentContext;
use crate::onefile::create::reviews::reviews_to_push;
use crate::onefile::create::wanted::Wanted;
use crate::onefile::fields::{self, Creation};

pub struct Plan {
    /// As it is shown.
    pub preview: EnrolmentPreview,
    /// The learner as it was planned for.
    pub(crate) learner: Learner,
    pub(crate) main_officer: Option<String>,
    /// Officers beside the main one: of which qualification (OneFile's standard), or of none.
    pub(crate) assigned: Vec<(String, Option<String>)>,
    pub(crate) officers: BTreeMap<String, Officer>,
    pub(crate) organisation: Option<Organisation>,
    pub(crate) visit_type: crate::domain::VisitType,
}

pub(crate) fn plan(context: &EnrolmentContext, wanted: &Wanted) -> Plan {
    let mut draft = Draft { context, wanted, missing: Vec::new(), warnings: Vec::new() };
    let learner = &context.learner;
    if learner.status != Some(LearnerStatus::Live) {
        draft.missing(
            "Status",
            "/status",
            "Only live learners are enrolled: make the learner live in PICSWeb.",
        );
    }
    let own = draft.fields(&wanted.learner, learner);
    let centre = context.centre(wanted);
    if centre.is_none() {
        draft.centre();
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
        officers: context.officers.clone(),
        organisation: organisation
            .as_ref()
            .and_then(|own| context.organisations.get(&own.organisation_id))
            .cloned(),
        visit_type: context.choices.visit_type,
        learner: learner.clone(),
        preview: EnrolmentPreview {
            ready: false,
            not_ready: Vec::new(),
            centre_id: centre,
            centres: context
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

impl Draft<'_> {
    /// What is sent of the learner. The ids of people and places are added when they are known.
    fn fields(&mut self, id: &LearnerId, learner: &Learner) -> Vec<EnrolmentField> {
        let mut sent = Vec::new();
        let field = |name, value, source: &str| EnrolmentField { name, value, source: source.to_owned() };
        for row in fields::LEARNER {
            let (name, source) = (row.field.there, row.source);
            match ((row.ours)(learner), row.creation) {
                (_, Creation::Never) | (None, Creation::IfKnown) => {}
                (Some(value), _) => sent.push(field(name, row.field.property(&value).1, source)),
                (None, Creation::Expected) => self.warn(
                    name,
                    "Not sent, since it is blank in PICSWeb: a learner who is in OneFile already is found by it.",
                ),
                (None, Creation::Required) => {
                    let message = format!("OneFile requires it: enter it in PICSWeb, {source}.");
                    self.missing(name, format!("/{}", row.field.here), message);
                }
            }
        }
        sent.push(field("MISID", json!(id.as_str()), "Learner Ident"));
        sent.push(field("Role", json!(1), "1: a learner"));
        sent
    }

    fn centre(&mut self) {
        let list = self.context.centres.iter();
        let list = list.map(|(id, name)| format!("{id} ({})", name.as_deref().unwrap_or("no name")));
        let list = list.collect::<Vec<_>>().join(", ");
        let message = match (&self.wanted.centre_id, self.context.centres.is_empty()) {
            (_, true) => "OneFile has no centre for this customer token.".to_owned(),
            (Some(_), _) => format!("There is no such centre in OneFile. There are: {list}."),
            (None, _) => {
                format!("OneFile has several centres: say in which one (`centreId`). There are: {list}.")
            }
        };
        self.missing("OrganisationID", "/centreId", message);
    }

    fn reviews(&mut self) -> Vec<PlannedReview> {
        if !self.context.choices.upload_reviews {
            return Vec::new();
        }
        let (planned, notes) = reviews_to_push(&self.context.learner, &self.context.portfolio.reviews);
        for note in notes {
            self.warn("reviews", note);
        }
        planned
    }
}
