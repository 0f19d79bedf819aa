//! Where the learner is placed, and the organisation that OneFile needs for it.

use super::draft::{Draft, NO_CENTRE};
use crate::domain::{Learner, OrganisationId};
use crate::onefile::create::find::same_text;
use crate::onefile::create::people;
use crate::onefile::create::people::Standing;
use crate::onefile::create::report::{PlannedOrganisation, PlannedState};

/// Where the learner is placed: the latest placement of type P, else the latest of any type.
pub(crate) fn placement_of(learner: &Learner) -> Option<OrganisationId> {
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
    /// The latest placement of type P, else the latest of any type, else the employer (assumed: OneFile demands one).
    pub(super) fn organisation(&mut self, centre: Option<&str>) -> Option<PlannedOrganisation> {
        let learner = &self.context.learner;
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
        let own = self.context.organisations.get(id.as_str());
        let standing = match (own, centre) {
            (None, _) => Standing::of(
                PlannedState::Blocked,
                "PICSWeb has not sent this organisation: PUT /organisations/{id}.",
            ),
            (Some(_), None) => Standing::of(PlannedState::Create, NO_CENTRE),
            (Some(_), Some(centre)) => {
                people::organisations(self.context, centre, self.wanted.allow_duplicate)
                    .remove(id.as_str())?
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
}
