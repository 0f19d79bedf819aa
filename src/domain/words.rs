//! Words that stand in rows and in answers, each list in one place: what kinds of runs there are, what can change, what
//! came of a record. Programs go by them, so that none is ever renamed.

use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

macro_rules! words {
    ($(#[doc = $doc:literal] $name:ident { $($variant:ident $text:literal $about:literal,)* })*) => {$(
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $(#[doc = $about] #[serde(rename = $text)] $variant,)* }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As it stands in rows and answers.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $text,)* } }

            pub const fn about(self) -> &'static str { match self { $(Self::$variant => $about,)* } }

            /// As they stand there.
            pub const WORDS: &[&'static str] = &[$($text,)*];

            pub fn parse(text: &str) -> Option<Self> { Self::ALL.iter().copied().find(|own| own.as_str() == text) }
        }

        // By hand: utoipa's derive does not read a `rename` that a macro puts in.
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some(concat!($doc, "\n", $("\n- `", $text, "`: ", $about),*).trim_start()))
                    .enum_values(Some([$($text,)*]))
                    .into()
            }
        }

        impl ToSchema for $name {}
    )*};
}

words! {
    /// A system that this service works with.
    Upstream {
        Ace360 "ace360" "ACE360, the end-point-assessment platform.",
        OneFile "onefile" "OneFile, the e-portfolio.",
    }
    /// What a run does.
    RunKind {
        StandardsRefresh "ace360.standardsRefresh" "Reads ACE360's catalogue of standards.",
        StatusSync "ace360.statusSync" "Reads the statuses of all uploaded learners.",
        Match "ace360.match" "Finds the ACE360 records of learners that have none here.",
        Upload "ace360.upload" "Uploads learners to ACE360.",
        Enrol "onefile.enrol" "Enrols learners in OneFile.",
        QualificationsRefresh "onefile.qualificationsRefresh" "Reads OneFile's learning aims.",
        Exchange "onefile.exchange" "Exchanges linked learners with OneFile.",
    }
    /// What kind of change it is.
    ChangeType {
        Uploaded "ace360.uploaded" "ACE360 has made the learner's record.",
        StatusChanged "ace360.statusChanged" "The record's status is another.",
        GradeChanged "ace360.gradeChanged" "A grade was given or changed.",
        Archived "ace360.archived" "The record went into ACE360's archive, or came out of it.",
        CertificateClaimed "ace360.certificateClaimed" "The certificate was claimed.",
        Gone "ace360.gone" "The record is no longer in ACE360.",
        Returned "ace360.returned" "The record, which was gone, is in ACE360 again.",
        Enrolled "onefile.enrolled" "The learner is enrolled in OneFile, with every step.",
        ProgressChanged "onefile.progressChanged" "OneFile has new element counts for a qualification.",
        RegistrationChanged "onefile.registrationChanged" "A registration number or date came down from OneFile.",
        CertificateChanged "onefile.certificateChanged" "The day on which a certificate was applied for, or came, came down from OneFile.",
        DetailsChanged "onefile.detailsChanged" "Details of a learner, officer or organisation came down from OneFile.",
        UserArchived "onefile.archived" "The learner's user went into OneFile's archive, or came out of it.",
        UserGone "onefile.gone" "OneFile has the learner's user no more: it was deleted, or merged into another.",
        UserReturned "onefile.returned" "OneFile has the learner's user, which was gone, again.",
        ReviewChanged "onefile.reviewChanged" "A review was exchanged with OneFile: it got its OneFile System ID, came down, was attended, or is gone.",
        LinkCreated "link.created" "A learner, officer or organisation was linked to a record: by hand, by matching, by an import of links, or, in OneFile, since it was made for it.",
        LinkRemoved "link.removed" "A learner, officer or organisation was unlinked from its record.",
        RunFinished "run.finished" "A run has ended.",
        WebhookDisabled "webhook.disabled" "A webhook was switched off: its receiver refused or failed everything for a day, or answered 410.",
    }
    /// What a change, an intent, a delivery or a run's record is about.
    SubjectKind {
        Learner "learner" "A learner.",
        Officer "officer" "An officer.",
        Organisation "organisation" "An organisation.",
        Standard "standard" "An apprenticeship standard, or a Standard of OneFile's, which a run read.",
        Classroom "classroom" "A classroom of OneFile's, which an enrolment needed.",
        Run "run" "A run.",
        Webhook "webhook" "A webhook.",
    }
    /// Where a delivery to a webhook stands.
    DeliveryState {
        Pending "pending" "It is to be sent, or sent again.",
        Delivered "delivered" "The receiver took it: it answered 2xx.",
        Failed "failed" "It was given up, after a day of attempts or at a 410; a test is tried once.",
    }
    /// What came of a record in a run.
    RecordCode {
        Uploaded "uploaded" "ACE360 made its record.",
        WouldUpload "wouldUpload" "Nothing is in the way of its upload; nothing was sent (`validateOnly`).",
        Enrolled "enrolled" "OneFile has it, with every step.",
        WouldEnrol "wouldEnrol" "Nothing is in the way of its enrolment; nothing was sent (`validateOnly`).",
        AlreadyEnrolled "alreadyEnrolled" "It has its user in OneFile already.",
        Linked "linked" "It was linked to its record.",
        WouldLink "wouldLink" "It would be linked to this record (`validateOnly`).",
        Changed "changed" "What is kept of it changed.",
        Added "added" "It was not there when the upstream was read last.",
        Removed "removed" "The upstream no longer has it.",
        AlreadyUploaded "alreadyUploaded" "It has its record already.",
        IntegrationDisabled "integrationDisabled" "The integration is switched off, so that nothing would be sent.",
        NotEligible "notEligible" "It may not go to ACE360, or is not exchanged with OneFile: not live, or not in learning.",
        NotFound "notFound" "There is no such record here.",
        FieldsMissing "fieldsMissing" "What an upload needs is missing; `errors` names each.",
        LikelyDuplicate "likelyDuplicate" "ACE360 probably has it already (`recordIds`).",
        Leaver "leaver" "The learner is dormant, or the programme has ended: nothing was sent.",
        StartsLater "startsLater" "The programme starts in more than 30 days: nothing was sent.",
        Ambiguous "ambiguous" "Several records may be its own, or none surely is (`recordIds`).",
        AlreadyLinked "alreadyLinked" "The record is another learner's.",
        InFlight "inFlight" "The outcome of an upload is open.",
        UnknownOutcome "unknownOutcome" "It was sent, and nobody can tell what became of it: a person decides.",
        SettledByHand "settledByHand" "A person found that the upstream does not have it.",
        NotUploaded "notUploaded" "It has no record in ACE360.",
        NotEnrolled "notEnrolled" "It is not linked to a user in OneFile.",
        UpstreamArchived "upstreamArchived" "Its record upstream is in the archive: it is left alone.",
        Unreadable "unreadable" "What the upstream sent of it cannot be read.",
        UpstreamRejected "upstreamRejected" "The upstream refused it; `errors` holds its reasons.",
        UpstreamMissing "upstreamMissing" "The upstream has no such record.",
        UpstreamFailed "upstreamFailed" "The upstream gave no usable answer.",
        UpstreamUnauthorised "upstreamUnauthorised" "The upstream does not accept the token.",
        UpstreamForbidden "upstreamForbidden" "The upstream does not allow it.",
        UpstreamLimited "upstreamLimited" "The upstream takes no more calls for now.",
        UpstreamUnavailable "upstreamUnavailable" "The upstream cannot be reached.",
        Internal "internal" "Something unexpected happened here, and it was not sent.",
        Other "other" "The message says what.",
    }
}

words! {
    /// Where a run stands.
    RunState {
        Queued "queued" "It has not begun.",
        Running "running" "It is being worked.",
        Waiting "waiting" "Its upstream does not let it go on now; it goes on by itself.",
        Succeeded "succeeded" "It ended, and no record failed.",
        Partial "partial" "It ended; some records failed, or all.",
        Failed "failed" "It could not go on.",
        Cancelled "cancelled" "Somebody stopped it.",
    }
    /// What set a run off.
    RunTrigger {
        Manual "manual" "Somebody asked for it.",
        Schedule "schedule" "Its time had come.",
        Retry "retry" "Somebody asked for the failed records of another run again.",
    }
    /// Where an intent stands.
    IntentState {
        Sending "sending" "It is being sent.",
        Unknown "unknown" "It was sent, and the answer was lost: it is looked for, or a person decides.",
        Done "done" "The upstream has it.",
        Rejected "rejected" "The upstream refused it.",
        NotSent "notSent" "The upstream does not have it: nothing of it arrived, or a person found so (`problemCode` is `settledByHand`).",
    }
    /// How an intent was settled.
    Settlement {
        Done "done" "The upstream has it: `remoteId` says as what.",
        NotDone "notDone" "The upstream does not have it: it may be sent again.",
    }
    /// How an upload to ACE360 came to be done.
    UploadMethod {
        Upload "upload" "ACE360 answered the upload.",
        Reconciled "reconciled" "The answer was lost, and the record was found.",
        Manual "manual" "The answer was lost, and a person named the record.",
    }
    /// Where a learner stands in ACE360.
    TabState {
        NotUploaded "notUploaded" "Nothing was sent, or nothing of it arrived.",
        Uploading "uploading" "It is being sent.",
        Unknown "unknown" "It was sent and the answer was lost; it is looked for.",
        Rejected "rejected" "ACE360 refused it; it may be fixed and uploaded again.",
        Uploaded "uploaded" "ACE360 has the record.",
        Gone "gone" "The record is no longer in ACE360; its last status is kept.",
    }
    /// Where a learner's link to an ACE360 record stands.
    Ace360LinkState {
        Uploaded "uploaded" "ACE360 has the record.",
        Gone "gone" "The record is no longer in ACE360.",
    }
    /// What speaks against a creation without making it impossible.
    DoubtCode {
        LikelyDuplicate "likelyDuplicate" "The upstream probably has the learner already.",
        Leaver "leaver" "The learner is dormant, or the programme has ended.",
        StartsLater "startsLater" "The programme starts in more than 30 days.",
    }
    /// Where a learner stands in OneFile.
    OneFileState {
        NotEnrolled "notEnrolled" "Nothing was sent, and no user is linked.",
        Enrolling "enrolling" "The enrolment is under way.",
        Incomplete "incomplete" "OneFile has the learner; a step was refused, or its outcome is not known. The same call goes on.",
        Unknown "unknown" "The answer to a step was lost; it is looked for, and then the enrolment goes on.",
        Rejected "rejected" "OneFile refused a step, and does not have the learner.",
        Enrolled "enrolled" "OneFile has the learner, whole.",
        Gone "gone" "The user is no longer in OneFile.",
    }
    /// The OneFile environment that calls go to.
    OneFileEnvironment {
        Live "live" "The real one.",
        Practice "practice" "OneFile's own for trying things, with customer tokens of its own.",
        Beta "beta" "OneFile's next version, with customer tokens of its own.",
        Sandbox "sandbox" "The simulator that comes with this service; its customer token is `sandbox`.",
    }
    /// Which way the details of people or organisations go, every day.
    DemographicsMode {
        Ignored "ignored" "Neither way: PICSWeb and OneFile keep their own.",
        Pushed "pushed" "PICSWeb's replace OneFile's.",
        Pulled "pulled" "OneFile's replace PICSWeb's.",
    }
    /// The kind of visit that an uploaded review becomes.
    VisitType {
        NotSpecified "notSpecified" "Not specified.",
        RemoteSession "remoteSession" "A remote session.",
        FaceToFace "faceToFace" "Face to face.",
    }
    /// Whether PICS Desktop's own OneFile integration works on the same data.
    DesktopIntegration {
        Never "never" "It was never used.",
        Active "active" "It is on: this integration cannot be switched on beside it.",
        Off "off" "It was used, and is switched off.",
    }
    /// How OneFile's record of a link was, when it was read last.
    LinkState {
        Linked "linked" "It is there.",
        Archived "archived" "It is in OneFile's archive, or a placement that is not active.",
        Gone "gone" "OneFile has it no more: it was deleted, merged into another, or has another role.",
    }
    /// How a link with a record of OneFile's came to be.
    LinkMethod {
        Manual "manual" "By hand.",
        Imported "imported" "By an import of links.",
        Created "created" "OneFile's record was made for ours.",
        Matched "matched" "By its MIS value, at an enrolment.",
    }
    /// Where a learner's enrolment in OneFile stands.
    EnrolmentState {
        Enrolling "enrolling" "It is under way.",
        Incomplete "incomplete" "OneFile has the learner; a later step was refused, or its outcome is not known. The same call goes on.",
        Unknown "unknown" "The answer to a step was lost; it is looked for, and then the enrolment goes on.",
        Rejected "rejected" "OneFile refused a step, and does not have the learner. Fix it, and call again.",
        Enrolled "enrolled" "Every step is done.",
    }
    /// Where a step of an enrolment stands.
    StepState {
        Pending "pending" "Not yet taken.",
        Done "done" "Done.",
        Rejected "rejected" "OneFile refused it.",
        Unknown "unknown" "It was sent, and the answer was lost.",
    }
    /// What of OneFile's can be looked up.
    DirectoryKind {
        Centre "centre" "A centre, which OneFile's API calls organisation.",
        Classroom "classroom" "A classroom.",
        Assessor "assessor" "An assessor or a trainee assessor.",
        Placement "placement" "A placement: an employer, PICSWeb's organisation.",
    }
}

impl RunKind {
    /// The upstream that a run of this kind works with.
    pub const fn upstream(self) -> Upstream {
        match self {
            Self::StandardsRefresh | Self::StatusSync | Self::Match | Self::Upload => Upstream::Ace360,
            Self::Enrol | Self::QualificationsRefresh | Self::Exchange => Upstream::OneFile,
        }
    }
}

impl RunState {
    /// Whether nothing more happens to a run in this state.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::Running | Self::Waiting => false,
            Self::Succeeded | Self::Partial | Self::Failed | Self::Cancelled => true,
        }
    }
}

/// Counts something in words: `1 field is`, `3 fields are`.
pub fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
