//! Learners, officers, organisations and their parts, and the rules that they must meet.
//!
//! This module is pure: no I/O, no clock (callers pass the date as `today`), no imports from other
//! modules. `store/` stores records. `ace360/` and `onefile/` map them to the upstreams' formats.
//!
//! `parse::parse` is the entry point. Values with rules are newtypes that cannot hold a bad value.
//! `Debug` of a personal type shows only the type's name, so that no log line can contain the
//! value.

/// Implements `Debug` so that it shows only the type's name: the fields are personal.
macro_rules! redacted {
    ($($name:ident)+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), " {…}"))
            }
        }
    )+};
}
pub(crate) use redacted;

mod change;
pub mod change_ace360;
mod change_entry;
mod change_examples;
pub mod change_onefile;
pub mod change_service;
mod check;
mod codes;
mod contact;
pub mod fault;
pub mod folding;
mod ids;
mod newtype;
mod ni_number;
pub mod parse;
mod postcode;
mod reader;
mod record;
mod record_ref;
mod rule;
pub mod serde_fields;
mod shape;
mod subject;
pub mod time;
mod uln;
mod value_rules;
mod with_id;
mod words;

mod address;
mod learner;
mod officer;
mod organisation;
mod placement;
mod programme;
mod qualification;
mod review;

#[cfg(test)]
mod schema_tests;

pub use address::Address;
pub use change::Change;
pub use change_ace360::Ace360Status;
pub use change_entry::{ChangeEntry, TestData, TestEntry};
pub use change_onefile::SyncRule;
pub use check::Check;
pub use codes::{
    Attendance, Disability, Ern, Ethnicity, LearnerStatus, OneFileId, Sex, StandardCode, VqReference,
};
pub use contact::{Email, Telephone};
pub use fault::{Fault, Faults};
pub use ids::{Ace360StandardId, LearnerId, OfficerId, OrganisationId, QualificationId, ReviewId};
pub use learner::{Ace360Choice, Learner};
pub use ni_number::NiNumber;
pub use officer::Officer;
pub use organisation::{Organisation, Provision};
pub use placement::{LearnerOfficer, Placement};
pub use postcode::Postcode;
pub use programme::Programme;
pub use qualification::Qualification;
pub use record::{Item, LearnerRecord, OfficerRecord, OrganisationRecord};
pub use record_ref::{RecordKind, RecordRef};
pub use review::Review;
pub use rule::Broken;
pub use subject::Subject;
pub use time::StartTime;
pub use uln::Uln;
pub use words::{
    Ace360LinkState, ChangeType, DeliveryState, DemographicsMode, DesktopIntegration, DirectoryKind,
    DoubtCode, EnrolmentState, IntentState, LinkMethod, LinkState, OneFileEnvironment, OneFileState,
    RecordCode, RunKind, RunState, RunTrigger, Settlement, StepState, SubjectKind, TabState, UploadMethod,
    Upstream, VisitType, counted,
};

redacted!(Learner Officer Organisation Address Uln NiNumber Postcode Email Telephone);
