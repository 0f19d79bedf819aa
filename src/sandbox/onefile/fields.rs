//! The fields of each kind: name, type, and where they are shown and accepted. The names are
//! OneFile's.

use super::kind::Kind;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Whole,
    Number,
    Text,
    Flag,
    Time,
    /// The end of a time span in a search.
    Until,
    /// Any value, stored unchanged.
    Any,
}

/// A field of a record's body or of a search's body.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub shape: Shape,
    /// Which responses contain it.
    pub shown: Shown,
    /// Whether a creation or an update may contain it.
    pub taken: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// In a search's rows and in the single record.
    Row,
    /// In the single record only.
    Detail,
    Never,
}

use Shape::{Any, Flag, Number, Text, Time, Until, Whole};

const fn row(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, shown: Shown::Row, taken: true }
}

const fn detail(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, shown: Shown::Detail, taken: true }
}

/// Accepted, but in no response.
const fn silent(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, shown: Shown::Never, taken: true }
}

/// OneFile's own field: in responses, but not accepted.
const fn own(field: Field) -> Field {
    Field { taken: false, ..field }
}

const ORGANISATION: &[Field] = &[
    own(row("Name", Text)),
    own(row("KeychainCreationForNewUserActive", Flag)),
    own(row("KeychainEmailSuppression", Flag)),
];

const USER: &[Field] = &[
    row("FirstName", Text),
    row("LastName", Text),
    row("MISID", Text),
    detail("OrganisationID", Whole),
    detail("Role", Whole),
    detail("Username", Text),
    detail("Email", Text),
    detail("DOB", Time),
    detail("ULN", Text),
    detail("NINO", Text),
    detail("L12", Text),
    detail("L13", Text),
    detail("HomeAddress", Text),
    detail("Telephone", Text),
    detail("MobileNumber", Text),
    detail("DefaultAssessorID", Whole),
    detail("DefaultEmployerID", Whole),
    detail("PlacementID", Whole),
    detail("ClassroomID", Whole),
    detail("LearnerStatusID", Whole),
    detail("EpisodeName", Text),
    detail("StartOn", Time),
    detail("PlannedEndDate", Time),
    own(detail("Progress", Number)),
    own(detail("LastModified", Time)),
    own(row("Archived", Flag)),
    silent("CreatedOn", Time),
    silent("CompanyName", Text),
    silent("Website", Text),
    silent("WorkAddress", Text),
    silent("ProviderID", Whole),
    silent("CentreRegister", Time),
    silent("L14", Text),
    silent("L15", Text),
    silent("L16", Text),
    silent("PrimaryLLDDCode", Text),
    silent("SecondaryLLDDCodes", Any),
    silent("SupportFunding", Flag),
];

const PLACEMENT: &[Field] = &[
    row("Name", Text),
    row("MISID", Text),
    detail("OrganisationID", Whole),
    detail("Address", Text),
    detail("Active", Flag),
    detail("Contact", Text),
    detail("Email", Text),
    detail("Fax", Text),
    detail("Telephone", Text),
    detail("Web", Text),
];

const CLASSROOM: &[Field] = &[
    row("Name", Text),
    row("MISID", Text),
    detail("OrganisationID", Whole),
    detail("StartOn", Time),
    detail("Archive", Flag),
    detail("CompletionMessage", Text),
    detail("SendCompletionMessage", Flag),
    detail("IVFinalSignOff", Flag),
];

const STANDARD: &[Field] = &[
    own(row("Title", Text)),
    own(row("NDAQCode", Text)),
    own(detail("OrganisationID", Whole)),
    own(row("Archived", Flag)),
];

const UNIT: &[Field] = &[
    own(row("Title", Text)),
    own(row("NDAQCode", Text)),
    own(row("Display", Text)),
    own(detail("StandardID", Whole)),
];

const FRAMEWORK_TEMPLATE: &[Field] =
    &[own(row("Title", Text)), own(row("OrganisationID", Whole)), own(silent("StandardIDs", Any))];

const LEARNING_AIM: &[Field] = &[
    row("UserID", Whole),
    own(row("StandardID", Whole)),
    row("Status", Whole),
    own(detail("Progress", Number)),
    own(detail("TotalElements", Whole)),
    own(detail("ElementsDone", Whole)),
    detail("StartDate", Time),
    detail("PlannedEnd", Time),
    detail("RegistrationNumber", Text),
    detail("RegistrationDate", Time),
    detail("CertificateAppliedDate", Time),
    detail("CertificateReceivedDate", Time),
    detail("AchievedDate", Time),
];

const UNIT_SUMMARY: &[Field] = &[
    own(row("UserID", Whole)),
    own(row("UnitID", Text)),
    own(row("StandardID", Whole)),
    own(row("Progress", Number)),
];

const VISIT: &[Field] = &[
    silent("LearnerID", Whole),
    silent("OrganisationID", Whole),
    silent("AssessorID", Whole),
    silent("DateFrom", Time),
    silent("DateTo", Time),
    silent("VisitTypeID", Whole),
    silent("SMSReminder", Flag),
];

const REVIEW: &[Field] = &[
    row("ScheduledFor", Time),
    detail("LearnerID", Whole),
    detail("AssessorID", Whole),
    own(detail("EmployerID", Whole)),
    own(detail("CreatedOn", Time)),
    own(detail("StartedOn", Time)),
    own(detail("AssessorSignedOn", Time)),
    own(detail("LearnerSignedOn", Time)),
    own(detail("EmployerSignedOn", Time)),
    detail("VisitID", Whole),
    own(detail("Progress", Number)),
    silent("Status", Whole),
];

/// The body of `User/{id}/Assign`, which makes an assignment.
const ASSIGNMENT: &[Field] = &[
    silent("LearnerID", Whole),
    silent("Level", Whole),
    silent("UnitID", Text),
    silent("StandardID", Whole),
];

pub fn of(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::Organisation => ORGANISATION,
        Kind::User => USER,
        Kind::Placement => PLACEMENT,
        Kind::Classroom => CLASSROOM,
        Kind::Standard => STANDARD,
        Kind::Unit => UNIT,
        Kind::FrameworkTemplate => FRAMEWORK_TEMPLATE,
        Kind::LearningAim => LEARNING_AIM,
        Kind::UnitSummary => UNIT_SUMMARY,
        Kind::Visit => VISIT,
        Kind::Review => REVIEW,
        Kind::Assignment => ASSIGNMENT,
    }
}

/// The filters of a search. The place where such a field is shown has no meaning.
pub fn filters(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::Organisation => const { &[row("CustomerID", Whole)] },
        Kind::User => {
            const {
                &[
                    row("OrganisationID", Whole),
                    row("Role", Whole),
                    row("FirstName", Text),
                    row("LastName", Text),
                    row("Email", Text),
                    row("MISID", Text),
                    row("PlacementID", Whole),
                    row("LastModified", Time),
                ]
            }
        }
        Kind::Placement | Kind::Classroom => {
            const { &[row("OrganisationID", Whole), row("Name", Text), row("MISID", Text)] }
        }
        Kind::Standard | Kind::FrameworkTemplate => {
            const { &[row("OrganisationID", Whole), row("Title", Text)] }
        }
        Kind::Unit => const { &[row("OrganisationID", Whole), row("StandardID", Whole), row("Title", Text)] },
        Kind::LearningAim => {
            const {
                &[
                    row("UserID", Whole),
                    row("OrganisationID", Whole),
                    row("LearningAimCompletionStatus", Whole),
                    row("DateFrom", Time),
                    row("DateTo", Until),
                ]
            }
        }
        Kind::UnitSummary => const { &[row("UserID", Whole)] },
        Kind::Review => {
            const {
                &[
                    row("OrganisationID", Whole),
                    row("LearnerID", Whole),
                    row("Status", Whole),
                    row("DateFrom", Time),
                    row("DateTo", Until),
                ]
            }
        }
        Kind::Visit | Kind::Assignment => &[],
    }
}
