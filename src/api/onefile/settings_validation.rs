//! The faults of OneFile settings by themselves. What depends on the rest of the set-up is `onefile::enabling`.

use std::collections::HashSet;

use super::remote_id::RemoteId;
use super::settings_request::SettingsRequest;
use crate::domain::fault::join;
use crate::domain::{Check, Fault};
use chrono::{NaiveDate, NaiveTime};

const LONGEST_TOKEN: usize = 4096;
const LONGEST_ROLE: usize = 100;
const MOST_CENTRES: usize = 1000;

/// A time of day; `None`: it is none.
pub fn time_of(text: &str) -> Option<NaiveTime> {
    (text.len() == 5).then(|| NaiveTime::parse_from_str(text, "%H:%M").ok()).flatten()
}

impl Check for SettingsRequest {
    fn check(&self, _: NaiveDate) -> Vec<Fault> {
        faults(self)
    }
}

fn faults(request: &SettingsRequest) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(token) = &request.customer_token {
        if token.trim().is_empty() {
            let message = "Send the customer token, or leave it out to keep the present one.";
            faults.push(Fault::at("/customerToken", "blank", message));
        } else if token.len() > LONGEST_TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = "Send the customer token as OneFile Support wrote it: at most 4096 printable characters without spaces.";
            faults.push(Fault::at("/customerToken", "invalidToken", message));
        }
    }
    if let Some(roles) = &request.additional_assessors {
        let mut seen = HashSet::new();
        for (index, role) in roles.iter().enumerate() {
            let at = format!("/additionalAssessors/{index}");
            let role = role.trim();
            if role.is_empty() || role.chars().count() > LONGEST_ROLE || role.chars().any(char::is_control) {
                let message = format!(
                    "Send a role of 1 to {LONGEST_ROLE} characters, as it stands in learners' `officers[].role`."
                );
                faults.push(Fault::at(at, "invalidValue", message));
            } else if !seen.insert(role.to_lowercase()) {
                faults.push(Fault::at(at, "duplicate", "This role stands in the list already: take it out."));
            }
        }
    }
    if let Some(id) = &request.default_classroom_id {
        faults.extend(id.fault("/defaultClassroomId".to_owned()));
    }
    if let Some(classrooms) = &request.default_classrooms {
        if classrooms.len() > MOST_CENTRES {
            let message = format!("Send at most {MOST_CENTRES} centres.");
            faults.push(Fault::at("/defaultClassrooms", "tooMany", message));
        }
        for (centre, classroom) in classrooms.iter().take(MOST_CENTRES) {
            let at = join("/defaultClassrooms", centre);
            let centre = RemoteId(centre.clone());
            faults.extend(centre.fault(at.clone()).or_else(|| classroom.fault(at)));
        }
    }
    if request.daily_sync.as_ref().is_some_and(|daily| time_of(&daily.at).is_none()) {
        faults.push(Fault::at("/dailySync/at", "invalidTime", "Send a time of the day such as 05:00."));
    }
    if request.full_sweep_days.is_some_and(|days| !(1..=31).contains(&days)) {
        faults.push(Fault::at("/fullSweepDays", "outOfRange", "Send a whole number from 1 to 31."));
    }
    faults
}
