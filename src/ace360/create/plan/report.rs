//! What the preview and a refused upload show: fields with their sources, what is missing and where to
//! fix it, warnings, standards to choose from.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::doubts::{Doubt, PossibleDuplicate};
use crate::ace360::client::wire::CreateApprentice;
use crate::ace360::client::wire::Standard;
use crate::domain::{Fault, RecordCode, RecordRef, counted, redacted};

/// What came of building an upload.
#[derive(Debug, Clone, PartialEq)]
pub struct Upload {
    /// Whether the learner may go to ACE360 at all, and why not.
    pub eligibility: Result<(), Ineligible>,
    /// What would be sent, in the order of PICSWeb's preview.
    pub fields: Vec<PreviewField>,
    /// All that must be fixed before it can be sent.
    pub missing: Vec<Missing>,
    /// What should be looked at; it does not stop the upload.
    pub warnings: Vec<Warning>,
    /// The standards that fit the learner's LARS code and start date.
    pub candidate_standards: Vec<CandidateStandard>,
    /// What to send: there if and only if the learner is eligible and nothing is missing.
    pub payload: Option<CreateApprentice>,
}

impl Upload {
    /// Whether it can be sent.
    pub fn ready(&self) -> bool {
        self.payload.is_some()
    }

    /// Every missing field as a fault of the record that lacks it, with where in PICSWeb to fix it.
    pub fn faults(&self) -> Vec<Fault> {
        let fault = |missing: &Missing| {
            Fault::at(missing.pointer.clone(), "missing", format!("{}: {}", missing.field, missing.message))
                .of(missing.record.clone())
        };
        self.missing.iter().map(fault).collect()
    }

    /// How many fields are missing, in words.
    pub fn missing_in_words(&self) -> String {
        counted(self.missing.len(), "field is missing", "fields are missing")
    }

    fn not_ready(&self) -> Vec<NotReady> {
        let mut reasons = Vec::new();
        if let Err(reason) = &self.eligibility {
            reasons.push(NotReady { code: RecordCode::NotEligible, message: reason.message.clone() });
        }
        if !self.missing.is_empty() {
            let message = format!("{}: see `missing`.", self.missing_in_words());
            reasons.push(NotReady { code: RecordCode::FieldsMissing, message });
        }
        reasons
    }

    /// The preview as the API answers it.
    ///
    /// `refusal`: why an upload would be refused although the records are good.
    pub fn into_preview(
        self,
        possible_duplicates: Vec<PossibleDuplicate>,
        refusal: Option<NotReady>,
        doubts: Vec<Doubt>,
    ) -> Preview {
        let refusal_code = refusal.as_ref().map(|refusal| refusal.code);
        let doubted = doubts
            .iter()
            .map(|doubt| NotReady { code: doubt.record_code(), message: doubt.message.clone() })
            .filter(|not_ready| Some(not_ready.code) != refusal_code);
        let not_ready: Vec<_> = self.not_ready().into_iter().chain(refusal).chain(doubted).collect();
        Preview {
            ready: not_ready.is_empty(),
            not_ready,
            eligible: self.eligibility.is_ok(),
            ineligible_reason: self.eligibility.err().map(|reason| reason.message),
            fields: self.fields,
            missing: self.missing,
            warnings: self.warnings,
            candidate_standards: self.candidate_standards,
            possible_duplicates,
            doubts,
        }
    }
}

/// What an upload would send, and what is in its way.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "ready": false, "notReady": [{"code": "fieldsMissing", "message": "1 field is missing: see `missing`."}], "eligible": true, "ineligibleReason": null,
    "fields": [{"name": "firstName", "value": "Lucy", "source": "Learner > First Name"}],
    "missing": [{"field": "ulnNumber", "record": {"kind": "learner", "id": "L-1001"}, "pointer": "/uln",
        "message": "Enter it in PICSWeb: Learner > ULN. It cannot be added in ACE360 afterwards."}],
    "warnings": [{"field": "email", "message": "Not sent, since it is blank in PICSWeb: Learner > Email."}],
    "candidateStandards": [{"standardId": 170, "stCode": "ST0033/02", "larsCode": 1029, "version": "1.1", "option": null, "name": "Bus and coach engineering technician",
        "validFrom": "2023-01-01", "validTo": null}],
    "possibleDuplicates": [], "doubts": []
}))]
pub struct Preview {
    /// Whether an upload would be sent.
    pub ready: bool,
    /// Why an upload would be refused, every reason; empty when `ready`.
    pub not_ready: Vec<NotReady>,
    /// Whether the learner may go to ACE360 at all.
    pub eligible: bool,
    /// Why the learner is not eligible. Null for a learner who is.
    pub ineligible_reason: Option<String>,
    /// What would be sent, field by field.
    pub fields: Vec<PreviewField>,
    /// All that must be fixed first.
    pub missing: Vec<Missing>,
    /// What should be looked at.
    pub warnings: Vec<Warning>,
    /// The standards that fit the learner's LARS code and start date.
    pub candidate_standards: Vec<CandidateStandard>,
    /// Records in ACE360 that may be this learner's already.
    pub possible_duplicates: Vec<PossibleDuplicate>,
    /// What speaks against the upload. Repeat it with the codes in `overrule` if it is right all the same.
    pub doubts: Vec<Doubt>,
}

/// Why an upload would be refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NotReady {
    /// As the upload's own error would say it.
    #[schema(value_type = RecordCode)]
    pub code: RecordCode,
    /// What to know and to do.
    #[schema(example = "2 fields are missing: see `missing`.")]
    pub message: String,
}

/// Why a learner does not go to ACE360.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ineligible {
    /// A stable name of the reason.
    pub code: &'static str,
    /// The reason in words.
    pub message: String,
}

/// A field that would be sent.
#[derive(Clone, PartialEq, Serialize, ToSchema)]
pub struct PreviewField {
    /// The field's name in ACE360.
    #[schema(value_type = String, example = "firstName")]
    pub name: &'static str,
    /// The value that would be sent.
    pub value: serde_json::Value,
    /// Where in PICSWeb it comes from.
    #[schema(example = "Learner > First Name")]
    pub source: String,
}

redacted!(PreviewField);

/// Something that must be fixed before the upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Missing {
    /// The field's name in ACE360.
    #[schema(value_type = String, example = "postcode")]
    pub field: &'static str,
    /// The record in which to fix it.
    pub record: RecordRef,
    /// Where in that record, as an RFC 6901 pointer.
    #[schema(example = "/address/postcode")]
    pub pointer: String,
    /// What to do, and where in PICSWeb.
    pub message: String,
}

/// Something that should be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Warning {
    /// The field's name in ACE360.
    #[schema(value_type = String, example = "employerCompanySize")]
    pub field: &'static str,
    /// What is odd, and what will happen.
    pub message: String,
}

/// A standard to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CandidateStandard {
    /// ACE360's id: what `ace360.standardId` takes.
    pub standard_id: i64,
    /// Reference such as `ST0353/02`.
    pub st_code: Option<String>,
    /// The standard's LARS code.
    pub lars_code: Option<u32>,
    /// The standard's version, such as `1.2`.
    pub version: Option<String>,
    /// The option or pathway within the standard.
    pub option: Option<String>,
    /// The standard's name in ACE360.
    pub name: Option<String>,
    /// The first start date that ACE360 accepts.
    pub valid_from: Option<NaiveDate>,
    /// The last start date that ACE360 accepts.
    pub valid_to: Option<NaiveDate>,
}

impl From<&Standard> for CandidateStandard {
    fn from(standard: &Standard) -> Self {
        Self {
            standard_id: standard.standard_id,
            st_code: standard.st_code.clone(),
            lars_code: standard.lars_code,
            version: standard.version.clone(),
            option: standard.option.clone(),
            name: standard.name.clone(),
            valid_from: standard.valid_from,
            valid_to: standard.valid_to,
        }
    }
}
