//! Names, contact, birth date and codes of the learner, by the mode. Which fields PICSWeb keeps the same is not public:
//! assumed are those of the enrolment that `GET /User/{id}` shows. The ULN is pushed and never pulled.

use super::report::{ChangedRecord, LearnerTakeover, Side};
use super::{DemographicsMode, Of, Pair, filled};
use crate::domain::{Address, Email, Learner, NiNumber, Postcode, Sex, SyncRule, Telephone, Uln};
use crate::store::PortfolioUser;

/// How two values are compared: what does not matter falls off.
type Essence = fn(&str) -> String;

pub fn compare(pair: &Pair<'_>, mode: DemographicsMode, draft: &mut LearnerTakeover) {
    let side = match mode {
        DemographicsMode::Ignored => return,
        DemographicsMode::Pushed => Side::OneFile,
        DemographicsMode::Pulled => Side::PicsWeb,
    };
    for (field, essence, here, there) in fields(pair.learner, pair.user) {
        let same = here.as_deref().map(essence) == there.as_deref().map(essence);
        if same || (field == "uln" && mode == DemographicsMode::Pulled) {
            continue;
        }
        let of = Of {
            record: ChangedRecord::Learner,
            id: Some(pair.id.as_str()),
            field,
            place: 0,
            remote: Some(pair.user_id),
        };
        match side {
            Side::OneFile => draft.change(of, side, there, here, SyncRule::DetailsPushed),
            Side::PicsWeb => draft.change(of, side, here, there, SyncRule::DetailsPulled),
        }
    }
}

fn fields(
    ours: &Learner,
    theirs: &PortfolioUser,
) -> [(&'static str, Essence, Option<String>, Option<String>); 11] {
    let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string());
    let text = |value: &Option<String>| filled(value.as_deref());
    let phone = |value: &Option<Telephone>| filled(value.as_ref().map(Telephone::as_str));
    let number = ours.uln.as_ref().filter(|uln| !uln.is_placeholder()).map(Uln::as_str);
    let sex = ours.sex.map(|sex| match sex {
        Sex::F => "F".to_owned(),
        Sex::M => "M".to_owned(),
    });
    let email = ours.email.as_ref().map(Email::as_str);
    let insurance = ours.national_insurance_number.as_ref().map(NiNumber::as_str);
    [
        ("firstName", spaced as Essence, filled(Some(&ours.first_name)), text(&theirs.first_name)),
        ("lastName", spaced, filled(Some(&ours.last_name)), text(&theirs.last_name)),
        ("email", no_case, filled(email), text(&theirs.email)),
        ("telephone", digits, phone(&ours.telephone), text(&theirs.telephone)),
        ("mobile", digits, phone(&ours.mobile), text(&theirs.mobile)),
        ("dateOfBirth", spaced, day(ours.date_of_birth), day(theirs.date_of_birth)),
        ("uln", no_case, filled(number), text(&theirs.uln)),
        ("nationalInsuranceNumber", no_case, filled(insurance), text(&theirs.national_insurance_number)),
        ("ethnicity", no_case, ours.ethnicity.map(|code| code.get().to_string()), text(&theirs.ethnicity)),
        ("sex", no_case, sex, text(&theirs.sex)),
        ("address", lines, address(ours.address.as_ref()), text(&theirs.home_address)),
    ]
}

/// As it would be sent: a line each, the postcode last.
fn address(address: Option<&Address>) -> Option<String> {
    let address = address?;
    let postcode = address.postcode.as_ref().map(Postcode::as_str);
    filled(Some(&address.lines().chain(postcode).collect::<Vec<_>>().join("\n")))
}

fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn no_case(text: &str) -> String {
    text.chars().filter(|sign| !sign.is_whitespace()).flat_map(char::to_lowercase).collect()
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).flat_map(char::to_lowercase).collect()
}

/// Some addresses have lines, some commas.
fn lines(text: &str) -> String {
    let parts = text.split(['\n', '\r', ',']).map(spaced).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n").to_lowercase()
}
