//! Valid records. All persons are invented, and the same number always gives the same person.

use serde_json::{Value, json};

/// The organisation that [`learner`]s work for.
pub const ORGANISATION: &str = "ORG7";
pub const OFFICER: &str = "OFF12";
/// The id of a standard in the sandbox's ACE360: LARS 105, one version, without options or an end.
pub const STANDARD: i64 = 800;
pub const LARS_CODE: i64 = 105;

const FIRST: [&str; 12] = [
    "Amara", "Bertil", "Cerys", "Dilwyn", "Esme", "Farid", "Gwenda", "Hollis", "Iola", "Jorun", "Kester",
    "Lowri",
];
const LAST: [&str; 11] = [
    "Penhallow",
    "Okonedo",
    "Lowmoor",
    "Tregarth",
    "Vanstone",
    "Quillfeather",
    "Ashgrove",
    "Marlpit",
    "Fenwright",
    "Copperfold",
    "Drummore",
];

/// A learner that can be uploaded once [`officer`] and [`organisation`] exist.
pub fn learner(n: u64) -> Value {
    let (first, last) = (pick(&FIRST, n), pick(&LAST, n));
    json!({
        "firstName": first, "lastName": last,
        "dateOfBirth": format!("2004-{:02}-{:02}", n % 12 + 1, n % 28 + 1),
        "sex": if n.is_multiple_of(2) { "F" } else { "M" }, "ethnicity": 31, "disability": 2,
        "nationalInsuranceNumber": format!("AB{:06}C", n % 1_000_000), "uln": uln(n),
        "email": format!("{}.{}.{n}@example.com", first.to_lowercase(), last.to_lowercase()),
        "telephone": format!("01632 96{:04}", n % 10_000), "mobile": "07700 900001",
        "address": {"line1": format!("{} Sample Street", n % 200 + 1), "line2": "Cowley", "line3": "Sampleton",
            "line4": "Sampleshire", "postcode": "OX4 1AA"},
        "status": "live",
        "programme": {"type": 25, "standardCode": LARS_CODE, "startDate": "2025-09-01",
            "plannedEndDate": "2027-08-31", "actualEndDate": null, "fundingOrganisation": "SFZZ",
            "additionalNeeds": false},
        "ace360": {"standardId": STANDARD}, "employerId": ORGANISATION, "mainOfficerId": OFFICER, "mainTag": "Sample 2025",
        "officers": [{"role": "Internal Verifier", "officerId": OFFICER}],
        "placements": [{"organisationId": ORGANISATION, "type": "P", "startDate": "2025-09-01", "endDate": null}],
        "qualifications": [{"qualificationId": format!("Q{n}"), "title": "Level 3 Sample", "vqReference": "105AS",
            "assessorId": OFFICER, "startDate": "2025-09-01", "plannedEndDate": "2027-08-31",
            "registrationNumber": null, "registrationDate": null, "certificateAppliedForDate": null,
            "certificateReceivedDate": null, "totalElements": 12, "elementsDone": 3}],
        "reviews": [{"reviewId": format!("R{n}"), "oneFileId": null, "type": "Normal", "scheduledDate": "2026-08-01",
            "startTime": "09:30", "officerId": OFFICER, "attendance": null, "actualDate": null}]
    })
}

pub fn officer() -> Value {
    json!({
        "firstName": "Sam", "lastName": "Okoro", "email": "sam.okoro@example.com", "jobTitle": "Training Manager",
        "telephone": "01632 960200", "ident": "SOK"
    })
}

pub fn organisation() -> Value {
    json!({
        "name": "Copperfold Motors Ltd (sample)", "ern": "100000001", "sem": false, "employeeCount": 120,
        "mainContactId": OFFICER,
        "address": {"line1": "2 Low Road", "line2": null, "line3": "Sampleton", "line4": "Sampleshire", "postcode": "LS1 1AA"},
        "telephone": "01632 960300", "email": "office@example.com", "ident": "COPPER",
        "provisions": [{"type": "ACE360 Employer Sector", "code": "4", "description": "Business and Administration"}]
    })
}

/// Replaces these fields; null removes a field.
pub fn but(mut record: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    let fields = record.as_object_mut().unwrap();
    for (field, value) in changes {
        if value.is_null() {
            fields.shift_remove(&field);
        } else {
            fields.insert(field, value);
        }
    }
    record
}

/// The record with its id, as an import contains it.
pub fn with_id(field: &str, id: &str, record: &Value) -> Value {
    let mut whole = record.clone();
    whole[field] = json!(id);
    whole
}

/// A Unique Learner Number with the right check digit, different for each `n` below 300 million.
pub fn uln(n: u64) -> String {
    // Some numbers have no check digit, but never two in a row.
    let nine = 200_000_000 + n * 2;
    [nine, nine + 1]
        .into_iter()
        .find_map(|nine| {
            let sum: u64 =
                nine.to_string().bytes().zip((2..=10).rev()).map(|(b, w)| u64::from(b - b'0') * w).sum();
            (!sum.is_multiple_of(11)).then(|| format!("{nine}{}", 10 - sum % 11))
        })
        .unwrap()
}

fn pick<'a>(list: &[&'a str], n: u64) -> &'a str {
    list[usize::try_from(n).unwrap() % list.len()]
}

/// The three kinds: collection, name of the id field, a valid record.
pub fn kinds() -> [(&'static str, &'static str, Value); 3] {
    [
        ("learners", "learnerId", learner(1)),
        ("officers", "officerId", officer()),
        ("organisations", "organisationId", organisation()),
    ]
}
