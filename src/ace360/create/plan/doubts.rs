//! What speaks against an upload without making it impossible. Pure.

use chrono::{NaiveDate, TimeDelta};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{DoubtCode, Learner, LearnerStatus, RecordCode, Upstream};

/// A programme that starts later than this is a doubt: ACE360 would bill it now.
const AHEAD: TimeDelta = TimeDelta::days(30);

/// A doubt about a creation. It is refused unless `overrule` names the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Doubt {
    #[schema(value_type = DoubtCode)]
    pub code: DoubtCode,
    /// What speaks against it, and what to do.
    #[schema(example = "The programme ended on 2026-09-30.")]
    pub message: String,
    /// The records that the learner may be.
    pub candidates: Vec<DoubtCandidate>,
}

/// A record that a learner may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DoubtCandidate {
    #[schema(value_type = Upstream)]
    pub upstream: Upstream,
    /// The upstream's id of the record.
    #[schema(example = "248")]
    pub remote_id: String,
    /// The learner here that has the record. Null if none has.
    pub local_id: Option<String>,
    /// Why it may be the same.
    #[schema(example = "the same ULN, name and birth date")]
    pub reason: String,
}

/// A record in ACE360 that may be this learner's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PossibleDuplicate {
    /// ACE360's id of the record.
    pub record_id: i64,
    /// ACE360's id of its standard.
    pub standard_id: Option<i64>,
    /// Its status in ACE360's words.
    pub status_text: Option<String>,
    /// Whether it is in ACE360's archive.
    pub archived: bool,
    /// The learner here that has the record; null: none has.
    #[schema(example = json!(null))]
    pub linked_to: Option<String>,
    /// Why it may be the same.
    #[schema(example = "the same ULN, name and birth date")]
    pub reason: String,
    /// The same, without whose it is.
    #[serde(skip)]
    pub likeness: &'static str,
}

/// The doubts that the record itself gives. `today` is London's date.
pub fn doubts(learner: &Learner, today: NaiveDate) -> Vec<Doubt> {
    let programme = learner.programme.as_ref();
    let ended = programme.and_then(|programme| programme.actual_end_date).filter(|end| *end < today);
    let leaver = match (learner.status, ended) {
        (Some(LearnerStatus::Dormant), _) => Some("The learner is dormant in PICSWeb.".to_owned()),
        (_, Some(end)) => Some(format!("The programme ended on {end}.")),
        _ => None,
    };
    let start = programme.and_then(|programme| programme.start_date).filter(|start| *start > today + AHEAD);
    let later = start.map(|start| format!("The programme starts on {start}, in more than 30 days."));
    [(DoubtCode::Leaver, leaver), (DoubtCode::StartsLater, later)]
        .into_iter()
        .filter_map(|(code, message)| Some(Doubt { code, message: message?, candidates: Vec::new() }))
        .collect()
}

impl Doubt {
    /// ACE360 probably has these records of the learner.
    pub fn likely_duplicate(message: String, records: &[&PossibleDuplicate]) -> Self {
        let candidates = records.iter().map(|record| DoubtCandidate {
            upstream: Upstream::Ace360,
            remote_id: record.record_id.to_string(),
            local_id: record.linked_to.clone(),
            reason: record.likeness.to_owned(),
        });
        Self { code: DoubtCode::LikelyDuplicate, message, candidates: candidates.collect() }
    }

    /// What a run says of a learner that was not uploaded for it.
    pub fn record_code(&self) -> RecordCode {
        match self.code {
            DoubtCode::LikelyDuplicate => RecordCode::LikelyDuplicate,
            DoubtCode::Leaver => RecordCode::Leaver,
            DoubtCode::StartsLater => RecordCode::StartsLater,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::parse::parse_value;

    #[test]
    fn leavers_and_late_starters_are_doubts() {
        let today: NaiveDate = "2026-12-01".parse().unwrap();
        for (status, start, end, codes) in [
            ("live", "2025-09-01", json!(null), vec![]),
            ("live", "2025-09-01", json!("2026-12-01"), vec![]),
            ("live", "2025-09-01", json!("2026-10-17"), vec![DoubtCode::Leaver]),
            ("dormant", "2025-09-01", json!(null), vec![DoubtCode::Leaver]),
            ("live", "2026-12-31", json!(null), vec![]),
            ("live", "2027-01-10", json!(null), vec![DoubtCode::StartsLater]),
            ("dormant", "2027-01-10", json!(null), vec![DoubtCode::Leaver, DoubtCode::StartsLater]),
        ] {
            let learner = json!({"firstName": "Esme", "lastName": "Marlpit", "status": status,
                "programme": {"startDate": start, "actualEndDate": end}});
            let learner: Learner = parse_value(&learner, today).unwrap();
            let found: Vec<_> = doubts(&learner, today).into_iter().map(|doubt| doubt.code).collect();
            assert_eq!(found, codes, "{status} {start} {end}");
        }
    }
}
