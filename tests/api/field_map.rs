//! `openapi/fields.md`, the guide's table of every field of a record: in PICSWeb, here, in ACE360 and in OneFile. It is
//! made from the rows of `ace360/fields` and `onefile/fields`; what no row can say stands here as a note.
//!
//! To update it: `PICSBRIDGE_WRITE_FIELDS=1 cargo test --test api field_map`, then `cargo run --
//! openapi > openapi/picsbridge.json`, and commit both.

use std::fmt::Write as _;

use picsbridge::ace360::fields::{FIELDS, Read};
use picsbridge::onefile::fields::{
    self as onefile, Creation, LEARNER, OFFICER, ORGANISATION, QUALIFICATION, REVIEW, Rule,
};
use serde_json::Value;

const COMMITTED: &str = include_str!("../../openapi/fields.md");
const DOCUMENT: &str = include_str!("../../openapi/picsbridge.json");

/// One field for each line: its pointer, its place in PICSWeb, and notes for ACE360, for a creation
/// in OneFile, and for the daily exchange.
const LEARNERS: &str = "
/firstName | Learner > First Name
/lastName | Learner > Surname
/dateOfBirth | Learner > DOB
/sex | Learner > Sex
/ethnicity | Learner > Ethnicity
/disability | Learner > Disability
/nationalInsuranceNumber | Learner > NiNo
/uln | Learner > ULN
/email | Learner > Email
/telephone | Learner > Telephone
/mobile | Learner > Mobile Number | instead of a blank telephone
/address/line1 | Learner > Address 1
/address/line2 | Learner > Address 2
/address/line3 | Learner > Address 3
/address/line4 | Learner > Address 4
/address/postcode | Learner > Postcode
/status | Learner > System Status |  | only live learners are enrolled and exchanged
/programme/type | ILR Summary > Programme Type | 25 only goes to ACE360
/programme/standardCode | ILR Summary > Standard Code (LARS) | is compared with `standardId`; finds candidate standards
/programme/startDate | Programme > Start Date |  | exchanged from then on
/programme/plannedEndDate | Programme > Planned End Date
/programme/actualEndDate | Programme > Actual End Date |  | exchanged until a month after it
/programme/fundingOrganisation | Learner > Funding Organisation
/programme/additionalNeeds | Learner > Additional Needs
/ace360/standardId | ILR Summary > ACE360 Standard
/employerId | Learner > Employer | whose fields are sent, see Organisations | the placement, where there is none
/mainOfficerId | Learner > Main Officer |  | `User.DefaultAssessorID` | the same: pushed, if `pushChanges`
/mainTag | Learner > Main Tag |  | `User.ClassroomID`, if `classroomFromMainTag`
/officers/0/role | Learner > Officers > Role |  | those of `additionalAssessors` are assigned
/officers/0/officerId | Learner > Officers > Officer |  | `User/{id}/Assign`, Level 1
/placements/0/organisationId | Learner > Placements > Organisation |  | `User.PlacementID` | the same: pushed, if `pushChanges`
/placements/0/type | Learner > Placements > Type |  | the latest of type P, else the latest
/placements/0/startDate | Learner > Placements > Start Date |  | the latest of type P, else the latest
/placements/0/endDate | Learner > Placements > End Date
/qualifications/0/qualificationId | Delivery Plan > Qualification
/qualifications/0/title | Delivery Plan > Title
/qualifications/0/vqReference | Delivery Plan > VQ Reference |  | finds the standard by the code in square brackets
/qualifications/0/assessorId | Delivery Plan > Assessor |  | `User/{id}/Assign`, Level 3
/qualifications/0/startDate | Delivery Plan > Start Date
/qualifications/0/plannedEndDate | Delivery Plan > Planned End Date
/qualifications/0/registrationNumber | Delivery Plan > Registration Number
/qualifications/0/registrationDate | Delivery Plan > Registration Date
/qualifications/0/certificateAppliedForDate | Delivery Plan > Certificate Applied For
/qualifications/0/certificateReceivedDate | Delivery Plan > Certificate Received
/qualifications/0/totalElements | Delivery Plan > Total Elements |  |  | 100 where OneFile counts none
/qualifications/0/elementsDone | Delivery Plan > Elements Done |  |  | `LearningAim.Progress` where OneFile counts none
/reviews/0/reviewId | Reviews > Review
/reviews/0/oneFileId | Reviews > OneFile System ID |  | says which review of OneFile's it is
/reviews/0/type | Reviews > Type |  | only Normal ones go up
/reviews/0/scheduledDate | Reviews > Scheduled Date |  | `Review.ScheduledFor`, `Visit.DateFrom`, `Visit.DateTo`
/reviews/0/startTime | Reviews > Start Time |  | `Review.ScheduledFor`, `Visit.DateFrom`, `Visit.DateTo`
/reviews/0/officerId | Reviews > Officer |  | `Review.AssessorID`, `Visit.AssessorID`
/reviews/0/attendance | Reviews > Attended |  | only blank ones go up
/reviews/0/actualDate | Reviews > Actual Date |  | only blank ones go up
";

const OFFICERS: &str = "
/firstName | Officer > First Name
/lastName | Officer > Surname
/email | Officer > Email
/jobTitle | Officer > Job Title
/telephone | Officer > Telephone
/ident | Officer > Ident
";

const ORGANISATIONS: &str = "
/name | Organisation > Name
/ern | Organisation > ERN
/sem | Organisation > SEM | where the count is blank
/employeeCount | Organisation > Employee Count
/mainContactId | Organisation > Main Contact | whose fields are sent, see Officers
/address/line1 | Organisation > Address 1
/address/line2 | Organisation > Address 2
/address/line3 | Organisation > Address 3
/address/line4 | Organisation > Address 4
/address/postcode | Organisation > Postcode
/telephone | Organisation > Telephone
/email | Organisation > Email
/ident | Organisation > Ident
/provisions/0/type | Organisation > Provisions > Type
/provisions/0/code | Organisation > Provisions > Code
/provisions/0/description | Organisation > Provisions > Description | where the code names none
";

/// A field in an upstream's table: its pointer, its name there, its use when OneFile's record is
/// created, and its daily use.
struct There {
    pointer: String,
    name: String,
    created: bool,
    daily: &'static str,
}

/// A kind of record with its rows and the upstreams' tables.
struct Table {
    schema: &'static str,
    title: &'static str,
    rows: Vec<[&'static str; 5]>,
    ace360: Vec<(&'static str, &'static str)>,
    onefile: Vec<There>,
}

fn tables() -> [Table; 3] {
    let learner = [
        of_table("", "User", LEARNER),
        of_table("/qualifications/0", "LearningAim", QUALIFICATION),
        of_table("/reviews/0", "Review", REVIEW),
    ];
    [
        Table {
            schema: "Learner",
            title: "Learners",
            rows: rows(LEARNERS),
            ace360: ace360(|read| matches!(read, Read::Learner(_))),
            onefile: learner.into_iter().flatten().collect(),
        },
        Table {
            schema: "Officer",
            title: "Officers: the employer's main contact to ACE360, an assessor to OneFile",
            rows: rows(OFFICERS),
            ace360: ace360(|read| matches!(read, Read::Contact(_))),
            onefile: of_table("", "User", OFFICER),
        },
        Table {
            schema: "Organisation",
            title: "Organisations: the employer to ACE360, a placement to OneFile",
            rows: rows(ORGANISATIONS),
            ace360: ace360(|read| matches!(read, Read::Employer(_))),
            onefile: of_table("", "Placement", ORGANISATION),
        },
    ]
}

fn rows(text: &'static str) -> Vec<[&'static str; 5]> {
    let row = |line: &'static str| {
        let mut parts = line.split(" | ");
        [(); 5].map(|()| parts.next().unwrap_or_default())
    };
    text.lines().skip(1).map(row).collect()
}

/// The pointers of the fields that come from one kind of record, each with ACE360's key.
fn ace360(is_of: fn(Read) -> bool) -> Vec<(&'static str, &'static str)> {
    let fields = FIELDS.iter().filter(|field| is_of(field.read));
    fields.flat_map(|field| field.from.iter().map(|pointer| (*pointer, field.name))).collect()
}

fn of_table<Ours, Theirs>(
    place: &str,
    noun: &str,
    table: &'static [onefile::Row<Ours, Theirs>],
) -> Vec<There> {
    let there = |row: &onefile::Row<Ours, Theirs>| There {
        pointer: format!("{place}/{}", row.field.here),
        name: format!("`{noun}.{}`", row.field.there),
        created: row.creation != Creation::Never,
        daily: match row.exchange.as_ref().map(|exchange| exchange.rule) {
            None => "",
            Some(Rule::ByMode) => "pushed or pulled, if so set",
            Some(Rule::PushedByMode) => "pushed, if so set",
            Some(Rule::FillsBlanks) => "fills a blank side; both filled: OneFile's comes down",
            Some(Rule::Pulled(_)) => "comes down",
        },
    };
    table.iter().map(there).collect()
}

impl There {
    /// Whether it is this field, or an object that contains it.
    fn is(&self, pointer: &str) -> bool {
        pointer.strip_prefix(&self.pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// The names and the note, if there are any.
fn cell(names: impl IntoIterator<Item = String>, note: &str) -> String {
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    let parts = [names.as_str(), note].into_iter().filter(|own| !own.is_empty());
    parts.map(|own| format!(" {own}")).collect::<Vec<_>>().join(";")
}

fn written(table: &Table) -> String {
    let mut text = format!(
        "**{}**\n\n| PICSWeb | Here | To ACE360 | To OneFile, when it is made | OneFile, daily |\n|---|---|---|---|---|\n",
        table.title
    );
    for [pointer, place, to_ace360, created, daily] in &table.rows {
        let here = pointer.trim_start_matches('/').replace("/0/", "[].").replace('/', ".");
        let ace360 = table.ace360.iter().filter(|(own, _)| own == pointer);
        let there = || table.onefile.iter().filter(|own| own.is(pointer));
        let exchanged = there().filter(|own| !own.daily.is_empty());
        writeln!(
            text,
            "| {place} | `{here}` |{} |{} |{} |",
            cell(ace360.map(|(_, name)| format!("`{name}`")), to_ace360),
            cell(there().filter(|own| own.created).map(|own| own.name.clone()), created),
            cell(exchanged.map(|own| format!("{}: {}", own.name, own.daily)), daily),
        )
        .unwrap();
    }
    text
}

#[test]
fn the_table_of_fields_is_what_the_upstreams_tables_say() {
    let written = tables().iter().map(written).collect::<Vec<_>>().join("\n");
    if std::env::var_os("PICSBRIDGE_WRITE_FIELDS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/fields.md"), &written).unwrap();
        return;
    }
    assert!(
        COMMITTED == written,
        "openapi/fields.md is behind: the head of tests/api/field_map.rs says how to write it"
    );
}

/// The pointers of all values in a schema of the document, with `0` for each entry of a list.
fn leaves(document: &Value, schema: &Value, at: &str, found: &mut Vec<String>) {
    let named = schema["$ref"].as_str().and_then(|name| document.pointer(name.trim_start_matches('#')));
    if let Some(named) = named {
        leaves(document, named, at, found);
    } else if let Some(all) = schema["oneOf"].as_array() {
        let some = all.iter().find(|own| own["type"] != "null").unwrap();
        leaves(document, some, at, found);
    } else if let Some(properties) = schema["properties"].as_object() {
        for (name, property) in properties {
            leaves(document, property, &format!("{at}/{name}"), found);
        }
    } else if schema["items"].is_object() {
        leaves(document, &schema["items"], &format!("{at}/0"), found);
    } else {
        found.push(at.to_owned());
    }
}

#[test]
fn every_field_of_a_record_and_of_an_upstreams_table_has_its_row() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    for table in tables() {
        let has = |is: &dyn Fn(&str) -> bool| table.rows.iter().any(|row| is(row[0]));
        let mut fields = Vec::new();
        leaves(&document, &document["components"]["schemas"][table.schema], "", &mut fields);
        fields.retain(|field| !has(&|pointer| pointer == field));
        assert!(fields.is_empty(), "{} has fields that have no row in this file: {fields:?}", table.schema);
        for (pointer, name) in &table.ace360 {
            assert!(has(&|own| own == *pointer), "ACE360's {name} comes from {pointer}, which has no row");
        }
        for there in &table.onefile {
            assert!(
                has(&|own| there.is(own)),
                "OneFile's {} comes from {}, which has no row",
                there.name,
                there.pointer
            );
        }
    }
}
