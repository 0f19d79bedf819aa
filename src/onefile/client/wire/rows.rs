//! OneFile's records. A search's rows carry fewer properties than a single record: any but the id may be missing.

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::redacted;

/// The customer: who the token belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Customer {
    pub id: String,
    pub name: Option<String>,
}

/// A centre, which the API calls organisation.
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
    /// Its centre, where that is said.
    pub centre_id: Option<String>,
    /// In the archive, where that is said.
    pub archived: Option<bool>,
}

/// A user: an assessor, a learner, and others.
#[derive(Clone, Default, PartialEq)]
pub struct User {
    pub id: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub mis_id: Option<String>,
    /// 1 learner, 4 trainee assessor, 5 assessor, 10 internal verifier, 40 employer, 45 observer.
    pub role: Option<i64>,
    /// Its centre, where that is said.
    pub centre_id: Option<String>,
    /// In the archive, where that is said.
    pub archived: Option<bool>,
    /// Name to log in with.
    pub username: Option<String>,
    pub email: Option<String>,
    pub date_of_birth: Option<NaiveDate>,
    pub uln: Option<String>,
    /// A learner's National Insurance number.
    pub national_insurance_number: Option<String>,
    /// A learner's ethnicity: an ILR code.
    pub ethnicity: Option<String>,
    pub sex: Option<String>,
    /// One text, its lines parted by newlines or commas.
    pub home_address: Option<String>,
    pub telephone: Option<String>,
    pub mobile: Option<String>,
    /// A learner's default assessor.
    pub default_assessor_id: Option<String>,
    pub placement_id: Option<String>,
    pub classroom_id: Option<String>,
    pub started: Option<NaiveDate>,
    /// A learner's planned end.
    pub planned_end: Option<NaiveDate>,
    pub progress: Option<f64>,
    /// When it was changed last.
    pub last_modified: Option<DateTime<Utc>>,
}

/// A placement: an employer.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Placement {
    pub id: String,
    pub name: Option<String>,
    pub mis_id: Option<String>,
    /// Its centre, where that is said.
    pub centre_id: Option<String>,
    /// In use, where that is said.
    pub active: Option<bool>,
    /// One text, its lines parted by newlines or commas.
    pub address: Option<String>,
    pub email: Option<String>,
    pub telephone: Option<String>,
}

/// A standard or qualification, of which a learning aim is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standard {
    pub id: String,
    /// Title; the code may stand in its last square brackets.
    pub title: Option<String>,
    /// The code, where a property carries it (assumed).
    pub ndaq_code: Option<String>,
    /// Its centre, where that is said.
    pub centre_id: Option<String>,
    /// In the archive, where that is said.
    pub archived: Option<bool>,
}

redacted!(User Placement);

/// The property that says whose centre a record is.
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
