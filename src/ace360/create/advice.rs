//! What to do about records in ACE360 that an upload would probably double, in words.

use super::duplicates::Duplicates;
use crate::ace360::create::plan::{Doubt, PossibleDuplicate};

impl Duplicates {
    fn likely_ones(&self) -> Vec<&PossibleDuplicate> {
        self.possible.iter().filter(|possible| self.likely.contains(&possible.record_id)).collect()
    }

    /// The doubt that the likely records are.
    pub fn doubt(&self, learner_id: &str) -> Doubt {
        Doubt::likely_duplicate(self.advice(learner_id), &self.likely_ones())
    }

    /// For who uploads this learner: names the learners that have the records.
    pub fn advice(&self, learner_id: &str) -> String {
        let likely = self.likely_ones();
        let found: Vec<_> = likely
            .iter()
            .map(|possible| format!("Record {} has {}", possible.record_id, possible.reason))
            .collect();
        let free: Vec<_> = likely.iter().filter(|possible| possible.linked_to.is_none()).collect();
        let holders: Vec<_> = likely.iter().filter_map(|possible| possible.linked_to.as_deref()).collect();
        let mut todo = Vec::new();
        match free.as_slice() {
            [] => {}
            [one] => todo.push(format!(
                "link it (PUT /learners/{learner_id}/ace360/link with recordId {})",
                one.record_id
            )),
            _ => todo.push(format!("link one of them (PUT /learners/{learner_id}/ace360/link)")),
        }
        if let Some(holder) = holders.first() {
            todo.push(format!(
                "compare learner {learner_id} with learner {}, and correct the one that is wrong (if the record is {learner_id}'s, first DELETE /learners/{holder}/ace360/link)",
                holders.join(" and ")
            ));
        }
        format!(
            "{}. Nothing was sent: {}; or, if they are two people or two programmes, upload with `allowDuplicate: true`, which costs another credit.",
            found.join("; "),
            todo.join("; or ")
        )
    }

    /// For a run's records, which may outlive another learner: its id is not named.
    pub fn lasting_advice(&self) -> String {
        let likely = self.likely_ones();
        let found: Vec<_> = likely
            .iter()
            .map(|possible| {
                let linked = if possible.linked_to.is_some() { " and is another learner's here" } else { "" };
                format!("Record {} has {}{linked}", possible.record_id, possible.likeness)
            })
            .collect();
        let todo = if likely.iter().all(|possible| possible.linked_to.is_some()) {
            "the learner's preview says whose it is: correct the one that is wrong"
        } else {
            "link it, if it is the learner's"
        };
        format!(
            "{}. Nothing was sent: {todo}; or, if they are two people or two programmes, upload with `allowDuplicate: true`, which costs another credit.",
            found.join("; ")
        )
    }
}
