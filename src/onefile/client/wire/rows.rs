//! OneFile's records. The rows of a search have fewer properties than a single record, so
//! everything except the id may be missing.

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::redacted;

/// The customer that the token belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Customer {
    pub id: String,
    pub name: Option<String>,
}

/// A centre, which OneFile's API calls an organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Centre {
    pub id: String,
    pub name: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Classroom {
    pub id: String,
    pub name: Option<String>,
    pub mis_id: Option<String>,
    /// The classroom's centre, if OneFile says it.
    pub centre_id: Option<String>,
    /// Whether it is archived, if OneFile says it.
    pub archived: Option<bool>,
}

/// A user: an assessor, a learner, or another role.
#[derive(Clone, Default, PartialEq)]
pub struct User {
    pub id: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub mis_id: Option<String>,
    /// 1 learner, 4 trainee assessor, 5 assessor, 10 internal verifier, 40 employer, 45 observer.
    pub role: Option<i64>,
    /// The user's centre, if OneFile says it.
    pub centre_id: Option<String>,
    /// Whether it is archived, if OneFile says it.
    pub archived: Option<bool>,
    /// The name for the login.
    pub username: Option<String>,
    pub email: Option<String>,
    pub date_of_birth: Option<NaiveDate>,
    pub uln: Option<String>,
    pub national_insurance_number: Option<String>,
    /// An ILR code for the ethnicity.
    pub ethnicity: Option<String>,
    pub sex: Option<String>,
    /// One text; newlines or commas separate its lines.
    pub home_address: Option<String>,
    pub telephone: Option<String>,
    pub mobile: Option<String>,
    pub default_assessor_id: Option<String>,
    pub placement_id: Option<String>,
    pub classroom_id: Option<String>,
    pub started: Option<NaiveDate>,
    pub planned_end: Option<NaiveDate>,
    pub progress: Option<f64>,
    pub last_modified: Option<DateTime<Utc>>,
}

/// A placement, that is, an employer.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Placement {
    pub id: String,
    pub name: Option<String>,
    pub mis_id: Option<String>,
    /// The placement's centre, if OneFile says it.
    pub centre_id: Option<String>,
    /// Whether it is in use, if OneFile says it.
    pub active: Option<bool>,
    /// One text; newlines or commas separate its lines.
    pub address: Option<String>,
    pub email: Option<String>,
    pub telephone: Option<String>,
}

/// A standard or qualification, from which learning aims are made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standard {
    pub id: String,
    /// The title. Its last square brackets may contain the code.
    pub title: Option<String>,
    /// The code, if a property carries it (assumed).
    pub ndaq_code: Option<String>,
    /// The standard's centre, if OneFile says it.
    pub centre_id: Option<String>,
    /// Whether it is archived, if OneFile says it.
    pub archived: Option<bool>,
}

redacted!(User Placement);

/// The property that holds the id of a record's centre.
const CENTRE: &str = "OrganisationID";

impl User {
    /// First and last name.
    pub fn name(&self) -> Option<String> {
        let parts: Vec<_> =
            [&self.first_name, &self.last_name].into_iter().flatten().map(String::as_str).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}

/// How each property of a record is read.
macro_rules! rows {
    ($($name:ident { $($field:ident: $read:ident $property:expr,)* })*) => {$(
        impl $crate::onefile::client::wire::Row for $name {
            fn read(id: String, fields: &mut $crate::onefile::client::wire::Reader<'_>) -> Self {
                Self { id, $($field: fields.$read($property),)* }
            }

            fn id(&self) -> &str {
                &self.id
            }
        }
    )*};
}
pub(super) use rows;

rows! {
    Customer { name: text "Name", }
    Centre { name: text "Name", }
    Classroom { name: text "Name", mis_id: text "MISID", centre_id: id CENTRE, archived: boolean "Archive", }
    User {
        first_name: text "FirstName", last_name: text "LastName", mis_id: text "MISID", role: integer "Role",
        centre_id: id CENTRE, archived: boolean "Archived", username: text "Username", email: text "Email",
        date_of_birth: day "DOB", uln: text "ULN", national_insurance_number: text "NINO", ethnicity: text "L12",
        sex: text "L13", home_address: text "HomeAddress", telephone: text "Telephone", mobile: text "MobileNumber",
        default_assessor_id: id "DefaultAssessorID", placement_id: id "PlacementID", classroom_id: id "ClassroomID", started: day "StartOn",
        planned_end: day "PlannedEndDate", progress: number "Progress", last_modified: instant "LastModified",
    }
    Placement {
        name: text "Name", mis_id: text "MISID", centre_id: id CENTRE, active: boolean "Active", email: text "Email",
        address: text "Address", telephone: text "Telephone",
    }
    Standard {
        title: text "Title", ndaq_code: text "NDAQCode", centre_id: id CENTRE, archived: boolean "Archived",
    }
}
