//! The qualifications of the delivery plan: which of OneFile's standards each would be assigned.

use super::draft::Draft;
use crate::domain::{Qualification, QualificationId, VqReference};
use crate::onefile::catalogue::codes::AimMatch;
use crate::onefile::catalogue::codes::Code;
use crate::onefile::create::find::same_text;
use crate::onefile::create::report::{PlannedAim, PlannedQualification};
use crate::store::OneFileStandard;

impl Draft<'_> {
    /// Of each qualification where it stands; those that OneFile does not have are left out, as PICSWeb does.
    pub(super) fn qualifications(&mut self, centre: Option<&str>) -> Vec<PlannedQualification> {
        let qualifications = &self.context.learner.qualifications;
        if self.context.standards.is_none() && !qualifications.is_empty() {
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
        let all = self.context.standards.iter().flatten();
        let all: Vec<&OneFileStandard> = all.filter(|row| row.code_key == key && !row.archived).collect();
        planned.matches = all.iter().map(|row| matched(row)).collect();
        let Some(centre) = centre else {
            "Which it is shows when the centre is chosen.".clone_into(&mut planned.message);
            return planned;
        };
        let pathways = &self.wanted.pathways;
        let chosen = pathways.iter().find(|(own, _)| same_text(Some(own), &reference));
        let chosen = chosen.map(|(_, standard)| standard.as_str());
        let (state, standard, message) = choose(&reference, &all, centre, chosen);
        if state == PlannedAim::ChoosePathway {
            self.missing("pathways", format!("/pathways/{}", escaped(&reference)), message.clone());
        }
        planned.state = state;
        planned.standard_id = standard.map(|row| row.standard_id.clone());
        planned.message = message;
        planned
    }
}

/// Which of the standards with the code is assigned, or why none is. `chosen`: the one that the caller wants.
fn choose<'a>(
    reference: &str,
    all: &[&'a OneFileStandard],
    centre: &str,
    chosen: Option<&str>,
) -> (PlannedAim, Option<&'a OneFileStandard>, String) {
    let here: Vec<_> = all.iter().copied().filter(|row| row.centre_id == centre).collect();
    let ids = |rows: &[&OneFileStandard], id: fn(&OneFileStandard) -> &str| {
        rows.iter().map(|row| id(row)).collect::<Vec<_>>().join(", ")
    };
    match (here.as_slice(), chosen) {
        ([], _) if all.is_empty() => {
            let message = format!("OneFile has no learning aim [{reference}]: it is left out.");
            (PlannedAim::Missing, None, message)
        }
        ([], _) => {
            let centres = ids(all, |row| &row.centre_id);
            let message = format!("Only another centre has [{reference}] ({centres}): it is left out.");
            (PlannedAim::OtherCentre, None, message)
        }
        (rows, Some(chosen)) => {
            if let Some(row) = rows.iter().find(|row| row.standard_id == chosen) {
                let message = "The chosen pathway would be assigned to the learner.".to_owned();
                (PlannedAim::There, Some(*row), message)
            } else {
                let message = format!(
                    "OneFile's standard {chosen} is none with the code [{reference}] in this centre: choose one of `matches`."
                );
                (PlannedAim::ChoosePathway, None, message)
            }
        }
        ([only], None) => (PlannedAim::There, Some(*only), "It would be assigned to the learner.".to_owned()),
        (several, None) => {
            let ids = ids(several, |row| &row.standard_id);
            let message =
                format!("OneFile has several pathways for [{reference}]: choose one (`pathways`: {ids}).");
            (PlannedAim::ChoosePathway, None, message)
        }
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
