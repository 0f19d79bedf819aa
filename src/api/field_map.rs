//! The guide's table of every field of a record, in PICSWeb, here, in ACE360 and in OneFile: made from the mappings, by changing one
//! field after the other and looking at what would be sent then. `openapi/fields.md` keeps it; this test says when it is behind.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::ace360::standards::Sector;
use crate::ace360::upload::tests::standard;
use crate::ace360::upload::{UploadInput, build};
use crate::domain::parse::parse_value;
use crate::domain::{Check, Learner, LearnerId, Officer, OfficerId, Organisation, OrganisationId};
use crate::onefile::field_map as onefile;

const KEPT: &str = include_str!("../../openapi/fields.md");

/// A field: its pointer, its place in PICSWeb, two values, and what it is for where it is not copied: in ACE360, in OneFile
/// (after `||`: daily).
type Row = (&'static str, &'static str, Value, Value, &'static str, &'static str);

fn learner_rows() -> Vec<Row> {
    vec![
        ("/firstName", "Learner > First Name", json!("Lucy"), json!("Maya"), "", ""),
        ("/lastName", "Learner > Surname", json!("Example"), json!("Sample"), "", ""),
        ("/dateOfBirth", "Learner > DOB", json!("2006-02-03"), json!("2006-02-04"), "", ""),
        ("/sex", "Learner > Sex", json!("F"), json!("M"), "", ""),
        ("/ethnicity", "Learner > Ethnicity", json!(31), json!(41), "", ""),
        ("/disability", "Learner > Disability", json!(1), json!(2), "", ""),
        ("/nationalInsuranceNumber", "Learner > NiNo", json!("AB123456C"), json!("AB123456D"), "", ""),
        ("/uln", "Learner > ULN", json!("1000102504"), json!("1000104507"), "", ""),
        ("/email", "Learner > Email", json!("lucy@example.com"), json!("maya@example.com"), "", ""),
        ("/telephone", "Learner > Telephone", json!("01632 960001"), json!("01632 960002"), "", ""),
        (
            "/mobile",
            "Learner > Mobile Number",
            json!("07700 900001"),
            json!("07700 900002"),
            "instead of a blank telephone",
            "",
        ),
        ("/address/line1", "Learner > Address 1", json!("1 High Street"), json!("2 High Street"), "", ""),
        ("/address/line2", "Learner > Address 2", json!("Cowley"), json!("Iffley"), "", ""),
        ("/address/line3", "Learner > Address 3", json!("Oxford"), json!("Leeds"), "", ""),
        ("/address/line4", "Learner > Address 4", json!("Oxfordshire"), json!("Yorkshire"), "", ""),
        ("/address/postcode", "Learner > Postcode", json!("OX1 1AA"), json!("OX1 1AB"), "", ""),
        (
            "/status",
            "Learner > System Status",
            json!("live"),
            json!("dormant"),
            "",
            "only live learners are enrolled and exchanged",
        ),
        (
            "/programme/type",
            "ILR Summary > Programme Type",
            json!(25),
            json!(24),
            "25 only goes to ACE360",
            "",
        ),
        (
            "/programme/standardCode",
            "ILR Summary > Standard Code (LARS)",
            json!(54),
            json!(55),
            "finds candidate standards",
            "",
        ),
        (
            "/programme/startDate",
            "Programme > Start Date",
            json!("2025-09-01"),
            json!("2025-09-02"),
            "",
            "exchanged from then on",
        ),
        (
            "/programme/plannedEndDate",
            "Programme > Planned End Date",
            json!("2027-08-31"),
            json!("2027-08-30"),
            "",
            "",
        ),
        (
            "/programme/actualEndDate",
            "Programme > Actual End Date",
            json!("2026-06-20"),
            json!("2026-06-21"),
            "",
            "exchanged until a month after it",
        ),
        (
            "/programme/fundingOrganisation",
            "Learner > Funding Organisation",
            json!("SFZZ"),
            json!("OTHER"),
            "",
            "",
        ),
        ("/programme/additionalNeeds", "Learner > Additional Needs", json!(true), json!(false), "", ""),
        ("/ace360/standardId", "ILR Summary > ACE360 Standard", json!(204), json!(205), "", ""),
        (
            "/employerId",
            "Learner > Employer",
            json!("E-1"),
            json!("E-2"),
            "whose fields are sent, see Organisations",
            "the placement, where there is none",
        ),
        (
            "/mainOfficerId",
            "Learner > Main Officer",
            json!("O-1"),
            json!("O-2"),
            "",
            "`User.DefaultAssessorID` ||the same: pushed, if `pushChanges`",
        ),
        (
            "/mainTag",
            "Learner > Main Tag",
            json!("Cohort 1"),
            json!("Cohort 2"),
            "",
            "`User.ClassroomID`, if `classroomFromMainTag`",
        ),
        (
            "/officers/0/role",
            "Learner > Officers > Role",
            json!("Internal Verifier"),
            json!("Mentor"),
            "",
            "those of `additionalAssessors` are assigned",
        ),
        (
            "/officers/0/officerId",
            "Learner > Officers > Officer",
            json!("O-3"),
            json!("O-4"),
            "",
            "`User/{id}/Assign`, Level 1",
        ),
        (
            "/placements/0/organisationId",
            "Learner > Placements > Organisation",
            json!("E-3"),
            json!("E-4"),
            "",
            "`User.PlacementID` ||the same: pushed, if `pushChanges`",
        ),
        (
            "/placements/0/type",
            "Learner > Placements > Type",
            json!("P"),
            json!("W"),
            "",
            "the latest of type P, else the latest",
        ),
        (
            "/placements/0/startDate",
            "Learner > Placements > Start Date",
            json!("2025-09-01"),
            json!("2025-09-02"),
            "",
            "the latest of type P, else the latest",
        ),
        (
            "/placements/0/endDate",
            "Learner > Placements > End Date",
            json!("2026-09-01"),
            json!("2026-09-02"),
            "",
            "",
        ),
        (
            "/qualifications/0/qualificationId",
            "Delivery Plan > Qualification",
            json!("Q-1"),
            json!("Q-2"),
            "",
            "",
        ),
        ("/qualifications/0/title", "Delivery Plan > Title", json!("Level 2"), json!("Level 3"), "", ""),
        (
            "/qualifications/0/vqReference",
            "Delivery Plan > VQ Reference",
            json!("196AS"),
            json!("196OP"),
            "",
            "finds the standard by the code in square brackets",
        ),
        (
            "/qualifications/0/assessorId",
            "Delivery Plan > Assessor",
            json!("O-5"),
            json!("O-6"),
            "",
            "`User/{id}/Assign`, Level 3",
        ),
        (
            "/qualifications/0/startDate",
            "Delivery Plan > Start Date",
            json!("2025-09-01"),
            json!("2025-09-02"),
            "",
            "",
        ),
        (
            "/qualifications/0/plannedEndDate",
            "Delivery Plan > Planned End Date",
            json!("2027-08-31"),
            json!("2027-08-30"),
            "",
            "",
        ),
        (
            "/qualifications/0/registrationNumber",
            "Delivery Plan > Registration Number",
            json!("REG-1"),
            json!("REG-2"),
            "",
            "",
        ),
        (
            "/qualifications/0/registrationDate",
            "Delivery Plan > Registration Date",
            json!("2025-10-01"),
            json!("2025-10-02"),
            "",
            "",
        ),
        (
            "/qualifications/0/certificateAppliedForDate",
            "Delivery Plan > Certificate Applied For",
            json!("2026-05-01"),
            json!("2026-05-02"),
            "",
            "",
        ),
        (
            "/qualifications/0/certificateReceivedDate",
            "Delivery Plan > Certificate Received",
            json!("2026-06-01"),
            json!("2026-06-02"),
            "",
            "",
        ),
        ("/qualifications/0/totalElements", "Delivery Plan > Total Elements", json!(12), json!(13), "", ""),
        ("/qualifications/0/elementsDone", "Delivery Plan > Elements Done", json!(3), json!(4), "", ""),
        ("/reviews/0/reviewId", "Reviews > Review", json!("R-1"), json!("R-2"), "", ""),
        (
            "/reviews/0/oneFileId",
            "Reviews > OneFile System ID",
            json!(null),
            json!("700"),
            "",
            "says which review of OneFile's it is",
        ),
        ("/reviews/0/type", "Reviews > Type", json!("Normal"), json!("Exit"), "", "only Normal ones go up"),
        (
            "/reviews/0/scheduledDate",
            "Reviews > Scheduled Date",
            json!("2026-12-01"),
            json!("2026-12-02"),
            "",
            "",
        ),
        ("/reviews/0/startTime", "Reviews > Start Time", json!("10:00"), json!("11:00"), "", ""),
        ("/reviews/0/officerId", "Reviews > Officer", json!("7"), json!("8"), "", ""),
        (
            "/reviews/0/attendance",
            "Reviews > Attended",
            json!(null),
            json!("attended"),
            "",
            "only blank ones go up",
        ),
        (
            "/reviews/0/actualDate",
            "Reviews > Actual Date",
            json!(null),
            json!("2026-06-01"),
            "",
            "only blank ones go up",
        ),
    ]
}

fn officer_rows() -> Vec<Row> {
    vec![
        ("/firstName", "Officer > First Name", json!("Sam"), json!("Pat"), "", ""),
        ("/lastName", "Officer > Surname", json!("Okoro"), json!("Jones"), "", ""),
        ("/email", "Officer > Email", json!("sam@example.com"), json!("pat@example.com"), "", ""),
        ("/jobTitle", "Officer > Job Title", json!("Manager"), json!("Trainer"), "", ""),
        ("/telephone", "Officer > Telephone", json!("01632 960001"), json!("01632 960002"), "", ""),
        ("/ident", "Officer > Ident", json!("SOK"), json!("PJO"), "", ""),
    ]
}

fn organisation_rows() -> Vec<Row> {
    vec![
        ("/name", "Organisation > Name", json!("Acme Motors Ltd"), json!("Marlpit Farms"), "", ""),
        ("/ern", "Organisation > ERN", json!("100000001"), json!("100000002"), "", ""),
        ("/sem", "Organisation > SEM", json!(true), json!(false), "where the count is blank", ""),
        ("/employeeCount", "Organisation > Employee Count", json!(42), json!(142), "", ""),
        (
            "/mainContactId",
            "Organisation > Main Contact",
            json!("O-1"),
            json!("O-2"),
            "whose fields are sent, see Officers",
            "",
        ),
        ("/address/line1", "Organisation > Address 1", json!("2 Low Road"), json!("3 Low Road"), "", ""),
        ("/address/line2", "Organisation > Address 2", json!("Hunslet"), json!("Headingley"), "", ""),
        ("/address/line3", "Organisation > Address 3", json!("Leeds"), json!("York"), "", ""),
        ("/address/line4", "Organisation > Address 4", json!("Yorkshire"), json!("Kent"), "", ""),
        ("/address/postcode", "Organisation > Postcode", json!("LS1 1AA"), json!("LS1 1AB"), "", ""),
        ("/telephone", "Organisation > Telephone", json!("01632 960003"), json!("01632 960004"), "", ""),
        ("/email", "Organisation > Email", json!("office@example.com"), json!("desk@example.com"), "", ""),
        ("/ident", "Organisation > Ident", json!("ACME"), json!("MARL"), "", ""),
        (
            "/provisions/0/type",
            "Organisation > Provisions > Type",
            json!("ACE360 Employer Sector"),
            json!("Other"),
            "",
            "",
        ),
        ("/provisions/0/code", "Organisation > Provisions > Code", json!("1"), json!("2"), "", ""),
        (
            "/provisions/0/description",
            "Organisation > Provisions > Description",
            json!(null),
            json!("Retail"),
            "where the code names none",
            "",
        ),
    ]
}

/// A record of the first values, the one at `other` of the second.
fn record(rows: &[Row], other: Option<&str>) -> Value {
    let mut record = json!({});
    for (pointer, _, first, second, ..) in rows {
        let mut at = &mut record;
        for part in pointer.split('/').skip(1) {
            // A list has one entry.
            let list = part == "0";
            if at.is_null() {
                *at = if list { json!([{}]) } else { json!({}) };
            }
            at = if list { &mut at[0] } else { &mut at[part] };
        }
        *at = if other == Some(*pointer) { second.clone() } else { first.clone() };
    }
    record
}

fn of<T: Check>(value: Value) -> T {
    let shown = value.to_string();
    parse_value(&value, NaiveDate::from_ymd_opt(2026, 7, 1).unwrap())
        .unwrap_or_else(|faults| panic!("{faults:?}: {shown}"))
}

/// What would be sent to ACE360.
fn ace360(learner: Value, employer: Value, contact: Value) -> BTreeMap<String, Value> {
    let (learner, employer, contact): (Learner, Organisation, Officer) =
        (of(learner), of(employer), of(contact));
    let standards = [standard(204), standard(205)];
    let sectors = [Sector { id: 1, name: "Engineering".into() }, Sector { id: 2, name: "Retail".into() }];
    let upload = build(&UploadInput {
        learner_id: &LearnerId::parse("L-1").unwrap(),
        learner: &learner,
        employer: Some((&OrganisationId::parse("E-1").unwrap(), &employer)),
        employer_missing: false,
        contact: Some((&OfficerId::parse("O-1").unwrap(), &contact)),
        standards: &standards,
        sectors: &sectors,
    });
    upload.fields.into_iter().map(|field| (field.name.to_owned(), field.value)).collect()
}

/// The names whose values differ.
fn differing(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) -> Vec<String> {
    let names = before.keys().chain(after.keys()).collect::<std::collections::BTreeSet<_>>();
    names.into_iter().filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

/// A table, of one kind of record.
fn table(
    title: &str,
    rows: &[Row],
    ace360: impl Fn(Value) -> BTreeMap<String, Value>,
    onefile: impl Fn(Value) -> BTreeMap<String, Value>,
    daily: &BTreeMap<String, String>,
) -> String {
    let mut text = format!(
        "**{title}**\n\n| PICSWeb | Here | To ACE360 | To OneFile, when it is made | OneFile, daily |\n|---|---|---|---|---|\n"
    );
    let whole = record(rows, None);
    let (to_ace360, to_onefile) = (ace360(whole.clone()), onefile(whole));
    for (pointer, place, .., for_ace360, for_onefile) in rows {
        let (for_onefile, for_daily) = for_onefile.split_once(" ||").unwrap_or((*for_onefile, ""));
        let changed = record(rows, Some(pointer));
        let names = |names: Vec<String>, note: &str| {
            let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            [names.as_str(), note].into_iter().filter(|own| !own.is_empty()).collect::<Vec<_>>().join("; ")
        };
        // What only decides which one is sent changes all of it, or nothing.
        let narrow = |found: Vec<String>| if found.len() > 3 { Vec::new() } else { found };
        let there = narrow(differing(&to_ace360, &ace360(changed.clone())));
        let made = if for_onefile.starts_with("only") {
            Vec::new()
        } else {
            narrow(differing(&to_onefile, &onefile(changed)))
        };
        let every_day = daily.get(*pointer).or_else(|| daily.get(pointer.rsplit_once('/').unwrap().0));
        let here = pointer.trim_start_matches('/').replace("/0/", "[].").replace('/', ".");
        writeln!(
            text,
            "| {place} | `{here}` | {} | {} | {} |",
            names(there, for_ace360),
            names(made, for_onefile),
            every_day.map_or(for_daily.to_owned(), |told| {
                told.split_once(": ").map_or(told.clone(), |(name, what)| format!("`{name}`: {what}"))
            }),
        )
        .unwrap();
    }
    text.replace("|  |", "| |").replace("|  |", "| |")
}

fn made() -> String {
    let (learners, officers, organisations) = (learner_rows(), officer_rows(), organisation_rows());
    let (contact, employer) = (record(&officers, None), record(&organisations, None));
    let learner = record(&learners, None);
    let mut known = learner.clone();
    known["reviews"][0]["oneFileId"] = json!("700");
    [
        table(
            "Learners",
            &learners,
            |own| ace360(own, employer.clone(), contact.clone()),
            |own| onefile::enrolment(&of(own)),
            &onefile::daily(&of(known)),
        ),
        table(
            "Officers: the employer's main contact to ACE360, an assessor to OneFile",
            &officers,
            |own| ace360(learner.clone(), employer.clone(), own),
            |own| onefile::officer(&of(own)),
            &onefile::daily_of_officer(),
        ),
        table(
            "Organisations: the employer to ACE360, a placement to OneFile",
            &organisations,
            |own| ace360(learner.clone(), own, contact.clone()),
            |own| onefile::organisation(&of(own)),
            &onefile::daily_of_organisation(),
        ),
    ]
    .join("\n")
}

/// Every field of the records' types has its row.
#[test]
fn no_field_of_a_record_lacks_its_row() {
    fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(own) => {
                own.iter().for_each(|(name, value)| leaves(value, &format!("{at}/{name}"), found));
            }
            Value::Array(own) => own.iter().for_each(|value| leaves(value, &format!("{at}/0"), found)),
            _ => found.push(at.to_owned()),
        }
    }
    let whole = |rows: &[Row]| record(rows, None);
    let (learners, officers, organisations) = (learner_rows(), officer_rows(), organisation_rows());
    let typed = [
        serde_json::to_value(of::<Learner>(whole(&learners))).unwrap(),
        serde_json::to_value(of::<Officer>(whole(&officers))).unwrap(),
        serde_json::to_value(of::<Organisation>(whole(&organisations))).unwrap(),
    ];
    for (typed, rows) in typed.iter().zip([learners, officers, organisations]) {
        let mut found = Vec::new();
        leaves(typed, "", &mut found);
        let lacking: Vec<_> = found.iter().filter(|at| !rows.iter().any(|row| row.0 == **at)).collect();
        assert!(lacking.is_empty(), "these have no row in this file: {lacking:?}");
    }
}

#[test]
fn the_table_of_fields_is_what_the_mappings_do() {
    let made = made();
    if std::env::var_os("PICSBRIDGE_WRITE_FIELDS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/fields.md"), &made).unwrap();
        return;
    }
    assert!(
        KEPT == made,
        "openapi/fields.md is behind: PICSBRIDGE_WRITE_FIELDS=1 cargo test --lib field_map, then commit it"
    );
}
