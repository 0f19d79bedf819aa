//! Which VQ references of the learners' delivery plans OneFile has once, several times or not at
//! all, and which of the four aims of each apprenticeship standard. Pure: the catalogue and the
//! plans are passed in.

mod catalogue;
mod messages;
mod report;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Learner, LearnerId, Programme, VqReference};
use crate::onefile::catalogue::codes::{Code, StandardAim};
pub use catalogue::CatalogueRow;
use catalogue::{Catalogue, Found};
pub use report::{
    AimCoverage, Choose, Coverage, CoverageCounts, CoverageItem, CoverageState, LearnersMet, StandardAims,
    StandardCoverage,
};

/// The most learners that are named.
const NAMED: usize = 20;

/// What the learners use. Learners are added one by one, so that they are never all in memory.
#[derive(Default)]
pub struct Uses {
    /// By key: how often each spelling is used, and the learners who use it.
    references: BTreeMap<String, (BTreeMap<String, usize>, BTreeSet<String>)>,
    standards: BTreeMap<u32, BTreeSet<String>>,
    without_reference: BTreeSet<String>,
}

impl Uses {
    /// Adds a learner's delivery plan.
    pub fn add(&mut self, id: &str, learner: &Learner) {
        for qualification in &learner.qualifications {
            let text = qualification.vq_reference.as_ref().map(VqReference::as_str);
            let Some(code) = text.and_then(Code::parse) else {
                self.without_reference.insert(id.to_owned());
                continue;
            };
            if let Some((lars_code, _)) = code.of_aim() {
                self.standards.entry(lars_code).or_default().insert(id.to_owned());
            }
            let (spellings, learners) = self.references.entry(code.key).or_default();
            *spellings.entry(text.unwrap_or_default().to_owned()).or_default() += 1;
            learners.insert(id.to_owned());
        }
        let programme = learner.programme.as_ref();
        let apprentice = programme.filter(|it| it.kind == Some(Programme::APPRENTICESHIP_STANDARD));
        if let Some(standard) = apprentice.and_then(|programme| programme.standard_code) {
            self.standards.entry(standard.get()).or_default().insert(id.to_owned());
        }
    }

    /// Compares the added plans with the catalogue.
    pub fn compare(&self, rows: &[CatalogueRow<'_>]) -> Coverage {
        let catalogue = Catalogue::new(rows);
        let mut items: Vec<CoverageItem> = self
            .references
            .iter()
            .map(|(key, (spellings, learners))| item(&catalogue, key, spellings, learners))
            .collect();
        items.sort_by_key(|item| item.state);
        let count = |state| items.iter().filter(|item| item.state == state).count();
        Coverage {
            counts: CoverageCounts {
                matched: count(CoverageState::Matched),
                ambiguous: count(CoverageState::Ambiguous),
                missing: count(CoverageState::Missing),
            },
            standards: self
                .standards
                .iter()
                .map(|(lars_code, learners)| standard(&catalogue, self, *lars_code, learners))
                .collect(),
            without_reference: met(self.without_reference.iter().map(String::as_str)),
            items,
        }
    }

    fn learners_of(&self, key: &str) -> Option<&BTreeSet<String>> {
        self.references.get(key).map(|(_, learners)| learners)
    }
}

/// Compares the delivery plans of these learners with the catalogue.
pub fn coverage<'a>(
    learners: impl IntoIterator<Item = (&'a LearnerId, &'a Learner)>,
    rows: &[CatalogueRow<'_>],
) -> Coverage {
    let mut uses = Uses::default();
    for (id, learner) in learners {
        uses.add(id.as_str(), learner);
    }
    uses.compare(rows)
}

fn item(
    catalogue: &Catalogue<'_>,
    key: &str,
    spellings: &BTreeMap<String, usize>,
    learners: &BTreeSet<String>,
) -> CoverageItem {
    let none = Found::default();
    let found = catalogue.by_key.get(key).unwrap_or(&none);
    let most = spellings.iter().max_by_key(|(text, times)| (**times, std::cmp::Reverse(text.as_str())));
    let shown = most.map_or(key, |(text, _)| text.as_str()).to_owned();
    let code = Code { shown: shown.clone(), key: key.to_owned() };
    let similar = if found.live.is_empty() { catalogue.similar(&code) } else { Vec::new() };
    let (state, choose) = (found.state(), found.choose());
    CoverageItem {
        message: messages::item(&shown, found, &choose, &similar),
        vq_reference: shown,
        spellings: spellings.keys().cloned().collect(),
        state,
        learners: met(learners.iter().map(String::as_str)),
        matches: found.matches(),
        choose,
        similar,
        standard: code.of_aim().map(|(lars_code, _)| aims(catalogue, lars_code)),
    }
}

fn aims(catalogue: &Catalogue<'_>, lars_code: u32) -> StandardAims {
    let there = |aim: &StandardAim| catalogue.state(&aim.code(lars_code)) != CoverageState::Missing;
    let (present, absent) = StandardAim::ALL.into_iter().partition(there);
    StandardAims { lars_code, present, absent }
}

fn standard(
    catalogue: &Catalogue<'_>,
    used: &Uses,
    lars_code: u32,
    learners: &BTreeSet<String>,
) -> StandardCoverage {
    let aims = StandardAim::ALL.map(|aim| {
        let code = aim.code(lars_code);
        let having = used.learners_of(&code);
        let learners = learners.iter().map(String::as_str);
        let lacking = learners.filter(|id| having.is_none_or(|having| !having.contains(*id)));
        AimCoverage { aim, state: catalogue.state(&code), not_in_plan: met(lacking), code }
    });
    StandardCoverage {
        lars_code,
        learners: met(learners.iter().map(String::as_str)),
        message: messages::standard(&aims),
        aims: aims.into(),
    }
}

/// The ids must be in ascending order.
fn met<'a>(ids: impl Iterator<Item = &'a str>) -> LearnersMet {
    let mut met = LearnersMet::default();
    for id in ids {
        met.count += 1;
        if met.ids.len() < NAMED {
            met.ids.push(id.to_owned());
        }
    }
    met
}
