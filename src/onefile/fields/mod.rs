//! OneFile's copy of the records here: one row for each field. The enrolment preview, creations,
//! the comparison (migration report and daily exchange), and `openapi/fields.md` use these rows. To
//! add a field, add a row and read it in `wire`.
//!
//! It is not public which fields PICSWeb compares. Assumed: those of the enrolment that `GET
//! /User/{id}` shows, and for officers and organisations name, contact and address.

mod address;
mod alike;
mod row;

#[cfg(test)]
mod tests;

use chrono::NaiveDate;

use crate::domain::{Attendance, Learner, Officer, Organisation, Qualification, Review, Sex, SyncRule, Uln};
use crate::onefile::client::wire::{LearningAim, Placement, User};
use crate::store::PortfolioReview;
use address::address_text;
use alike::{digits, exact, letters, lines, no_case, spaced};
pub use row::{Creation, Difference, Field, Group, Kind, Row, Rule, Side, created, differences, values};

use Creation::{Expected, IfKnown, Required};
use Rule::{ByMode, FillsBlanks, Pulled, PushedByMode};

type OfLearner = Row<Learner, User>;
type OfQualification = Row<Qualification, LearningAim>;
type OfReview = Row<Review, PortfolioReview>;
type OfOfficer = Row<Officer, User>;
type OfOrganisation = Row<Organisation, Placement>;

/// A learner, which is a user in OneFile. An enrolment adds the ids of people and places, which are
/// not listed here.
#[rustfmt::skip]
pub static LEARNER: &[OfLearner] = &[
    OfLearner::new("firstName", "FirstName", "Learner > First Name", |own| text(Some(&own.first_name)))
        .created(Required).exchanged(ByMode, spaced, |user| text(user.first_name.as_ref())),
    OfLearner::new("lastName", "LastName", "Learner > Surname", |own| text(Some(&own.last_name)))
        .created(Required).exchanged(ByMode, spaced, |user| text(user.last_name.as_ref())),
    OfLearner::new("email", "Email", "Learner > Email", |own| text(own.email.as_ref()))
        .created(Required).exchanged(ByMode, no_case, |user| text(user.email.as_ref())),
    OfLearner::new("telephone", "Telephone", "Learner > Telephone", |own| text(own.telephone.as_ref()))
        .created(IfKnown).exchanged(ByMode, digits, |user| text(user.telephone.as_ref())),
    OfLearner::new("mobile", "MobileNumber", "Learner > Mobile Number", |own| text(own.mobile.as_ref()))
        .created(IfKnown).exchanged(ByMode, digits, |user| text(user.mobile.as_ref())),
    OfLearner::new("dateOfBirth", "DOB", "Learner > DOB", |own| day(own.date_of_birth)).kind(Kind::Day)
        .created(Expected).exchanged(ByMode, exact, |user| day(user.date_of_birth)),
    // PICSWeb never takes over OneFile's ULN.
    OfLearner::new("uln", "ULN", "Learner > ULN", uln)
        .created(Expected).exchanged(PushedByMode, no_case, |user| text(user.uln.as_ref())),
    OfLearner::new("nationalInsuranceNumber", "NINO", "Learner > NiNo", |own| text(own.national_insurance_number.as_ref()))
        .created(IfKnown).exchanged(ByMode, no_case, |user| text(user.national_insurance_number.as_ref())),
    OfLearner::new("programme/startDate", "StartOn", "Programme > Start Date", |own| day(own.programme.as_ref()?.start_date))
        .kind(Kind::Day).created(IfKnown),
    OfLearner::new("programme/plannedEndDate", "PlannedEndDate", "Programme > Planned End Date",
            |own| day(own.programme.as_ref()?.planned_end_date))
        .kind(Kind::Day).created(IfKnown),
    OfLearner::new("ethnicity", "L12", "Learner > Ethnicity", |own| number(own.ethnicity)).kind(Kind::Number)
        .created(IfKnown).exchanged(ByMode, no_case, |user| text(user.ethnicity.as_ref())),
    OfLearner::new("sex", "L13", "Learner > Sex", sex)
        .created(IfKnown).exchanged(ByMode, no_case, |user| text(user.sex.as_ref())),
    // It is not public which of L14, L15 and L16 holds it. Assumed: the one that asks for the same
    // code.
    OfLearner::new("disability", "L14", "Learner > Disability", |own| number(own.disability))
        .kind(Kind::Number).created(IfKnown),
    OfLearner::new("address", "HomeAddress", "Learner > Address",
            |own| address_text(own.address.as_ref()))
        .kind(Kind::Address).exchanged(ByMode, lines, |user| text(user.home_address.as_ref())),
];

/// A qualification of a learner, which is a learning aim in OneFile.
#[rustfmt::skip]
pub static QUALIFICATION: &[OfQualification] = &[
    OfQualification::new("startDate", "StartDate", "Delivery Plan > Start Date", |own| day(own.start_date))
        .kind(Kind::Day).created(IfKnown),
    OfQualification::new("plannedEndDate", "PlannedEnd", "Delivery Plan > Planned End Date", |own| day(own.planned_end_date))
        .kind(Kind::Day).created(IfKnown),
    OfQualification::new("registrationNumber", "RegistrationNumber", "Delivery Plan > Registration Number",
            |own| text(own.registration_number.as_ref()))
        .group(Group::Registration).created(IfKnown).exchanged(FillsBlanks, exact, |aim| text(aim.registration_number.as_ref())),
    OfQualification::new("registrationDate", "RegistrationDate", "Delivery Plan > Registration Date",
            |own| day(own.registration_date))
        .kind(Kind::Day)
        .group(Group::Registration).created(IfKnown).exchanged(FillsBlanks, exact, |aim| day(aim.registered)),
    OfQualification::new("certificateAppliedForDate", "CertificateAppliedDate", "Delivery Plan > Certificate Applied For",
            |own| day(own.certificate_applied_for_date))
        .kind(Kind::Day)
        .group(Group::Certificate).created(IfKnown).exchanged(FillsBlanks, exact, |aim| day(aim.certificate_applied)),
    OfQualification::new("certificateReceivedDate", "CertificateReceivedDate", "Delivery Plan > Certificate Received",
            |own| day(own.certificate_received_date))
        .kind(Kind::Day)
        .group(Group::Certificate).created(IfKnown).exchanged(FillsBlanks, exact, |aim| day(aim.certificate_received)),
    OfQualification::new("totalElements", "TotalElements", "Delivery Plan > Total Elements",
            |own| number(own.total_elements))
        .kind(Kind::Number)
        .group(Group::Counts).exchanged(Pulled(SyncRule::OneFileCounts), exact, |aim| number(total(aim))),
    OfQualification::new("elementsDone", "ElementsDone", "Delivery Plan > Elements Done",
            |own| number(own.elements_done))
        .kind(Kind::Number)
        .group(Group::Counts).exchanged(Pulled(SyncRule::OneFileCounts), exact, |aim| number(done(aim))),
];

/// A review of a learner. What a new one is made of is not here: OneFile takes a visit and a review, `create/payloads.rs`.
#[rustfmt::skip]
pub static REVIEW: &[OfReview] = &[
    OfReview::new("attendance", "StartedOn", "Reviews > Attended",
            |own| own.attendance.map(attendance)).group(Group::Attendance)
        .exchanged(Pulled(SyncRule::ReviewStarted), exact,
            |review| review.started_on.map(|_| attendance(Attendance::Attended))),
];

/// An officer, who is an assessor's user in OneFile. A created one always gets both names and an
/// MIS value.
#[rustfmt::skip]
pub static OFFICER: &[OfOfficer] = &[
    OfOfficer::new("firstName", "FirstName", "Officer > First Name", |own| text(own.first_name.as_ref()))
        .created(Required).exchanged(ByMode, letters, |user| text(user.first_name.as_ref())),
    OfOfficer::new("lastName", "LastName", "Officer > Surname", |own| text(Some(&own.last_name)))
        .created(Required).exchanged(ByMode, letters, |user| text(user.last_name.as_ref())),
    OfOfficer::new("email", "Email", "Officer > Email", |own| text(own.email.as_ref()))
        .created(Required).exchanged(ByMode, letters, |user| text(user.email.as_ref())),
    OfOfficer::new("telephone", "Telephone", "Officer > Telephone", |own| text(own.telephone.as_ref()))
        .created(IfKnown).exchanged(ByMode, letters, |user| text(user.telephone.as_ref())),
    OfOfficer::new("ident", "MISID", "Officer > Ident", |own| text(own.ident.as_ref())).created(Required),
];

/// An organisation, which is a placement in OneFile. A created one always gets an MIS value.
#[rustfmt::skip]
pub static ORGANISATION: &[OfOrganisation] = &[
    OfOrganisation::new("name", "Name", "Organisation > Name", |own| text(Some(&own.name)))
        .created(Required).exchanged(ByMode, letters, |there| text(there.name.as_ref())),
    OfOrganisation::new("address", "Address", "Organisation > Address",
            |own| address_text(own.address.as_ref()))
        .kind(Kind::Address).created(IfKnown).exchanged(ByMode, letters, |there| text(there.address.as_ref())),
    OfOrganisation::new("email", "Email", "Organisation > Email", |own| text(own.email.as_ref()))
        .exchanged(ByMode, letters, |there| text(there.email.as_ref())),
    OfOrganisation::new("telephone", "Telephone", "Organisation > Telephone", |own| text(own.telephone.as_ref()))
        .created(IfKnown).exchanged(ByMode, letters, |there| text(there.telephone.as_ref())),
    OfOrganisation::new("ident", "MISID", "Organisation > Ident", |own| text(own.ident.as_ref())).created(Required),
];

/// The trimmed text, or `None` if nothing is left.
fn text<T: Clone + Into<String>>(value: Option<&T>) -> Option<String> {
    let text: String = value?.clone().into();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn day(day: Option<NaiveDate>) -> Option<String> {
    day.map(|day| day.to_string())
}

fn number(value: Option<impl Into<i64>>) -> Option<String> {
    value.map(|number| number.into().to_string())
}

fn uln(learner: &Learner) -> Option<String> {
    text(learner.uln.as_ref().filter(|uln| !Uln::is_placeholder(uln)))
}

fn sex(learner: &Learner) -> Option<String> {
    let letter = learner.sex.map(|sex| match sex {
        Sex::F => "F",
        Sex::M => "M",
    });
    letter.map(str::to_owned)
}

fn attendance(own: Attendance) -> String {
    match own {
        Attendance::Attended => "attended".to_owned(),
        Attendance::NotAttended => "notAttended".to_owned(),
    }
}

/// Some OneFile customers do not count elements (assumed). Then the progress in percent is used as
/// elements done out of 100.
fn percent(aim: &LearningAim) -> Option<i64> {
    aim.percent().filter(|_| aim.total_elements.is_none() && aim.elements_done.is_none())
}

/// Limited to what a record here can hold.
fn total(aim: &LearningAim) -> Option<i64> {
    percent(aim).map(|_| 100).or_else(|| Some(aim.total_elements?.clamp(0, 100_000)))
}

/// Never more than the total, because a record here cannot hold that.
fn done(aim: &LearningAim) -> Option<i64> {
    percent(aim).or_else(|| Some(aim.elements_done?.clamp(0, total(aim).unwrap_or(100_000))))
}
