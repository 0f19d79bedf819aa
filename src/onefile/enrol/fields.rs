//! The learner's own fields of an enrolment, each with its place in PICSWeb (Pellcomp's table of what the upload sends).

use serde_json::{Value, json};

use super::report::EnrolmentField;
use crate::domain::{Email, Learner, LearnerId, NiNumber, Sex, Telephone, Uln};
use crate::onefile::wire::day_out;

/// What is sent of the learner's own: what is blank is left out. The people and places are added as ids when they are known.
pub(in crate::onefile) fn of(id: &LearnerId, learner: &Learner) -> Vec<EnrolmentField> {
    let programme = learner.programme.as_ref();
    let phone = |number: &Option<Telephone>| number.as_ref().map(|own| json!(own.as_str()));
    let day = |day: Option<chrono::NaiveDate>| day.map(|day| json!(day_out(day)));
    let uln = learner.uln.as_ref().filter(|uln| !uln.is_placeholder());
    let sex = learner.sex.map(|sex| match sex {
        Sex::F => "F",
        Sex::M => "M",
    });
    let rows: [(&'static str, &'static str, Option<Value>); 15] = [
        ("FirstName", "Learner > First Name", Some(json!(learner.first_name.trim()))),
        ("LastName", "Learner > Surname", Some(json!(learner.last_name.trim()))),
        ("Email", "Learner > Email", learner.email.as_ref().map(|own| json!(Email::as_str(own)))),
        ("Telephone", "Learner > Telephone", phone(&learner.telephone)),
        ("MobileNumber", "Learner > Mobile Number", phone(&learner.mobile)),
        ("DOB", "Learner > DOB", day(learner.date_of_birth)),
        ("ULN", "Learner > ULN", uln.map(|own| json!(Uln::as_str(own)))),
        (
            "NINO",
            "Learner > NiNo",
            learner.national_insurance_number.as_ref().map(|own| json!(NiNumber::as_str(own))),
        ),
        ("StartOn", "Programme > Start Date", day(programme.and_then(|own| own.start_date))),
        (
            "PlannedEndDate",
            "Programme > Planned End Date",
            day(programme.and_then(|own| own.planned_end_date)),
        ),
        ("L12", "Learner > Ethnicity", learner.ethnicity.map(|code| json!(code.get().to_string()))),
        ("L13", "Learner > Sex", sex.map(|sex| json!(sex))),
        // Which of L14, L15 and L16 takes it is not public: assumed is the one that asks for the same code.
        ("L14", "Learner > Disability", learner.disability.map(|code| json!(code.get().to_string()))),
        ("MISID", "Learner Ident", Some(json!(id.as_str()))),
        ("Role", "1: a learner", Some(json!(1))),
    ];
    rows.into_iter()
        .filter_map(|(name, source, value)| {
            Some(EnrolmentField { name, value: value?, source: source.to_owned() })
        })
        .collect()
}
