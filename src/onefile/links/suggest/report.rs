//! What the suggestions show: a proposal with its score and reasons, what cannot be distinguished, what nothing fits.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::redacted;

/// What is linked with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum LinkKind {
    /// An officer of PICSWeb's with an assessor of OneFile's.
    Officer,
    /// An organisation with a placement.
    Organisation,
    /// A learner with a user.
    Learner,
}

impl LinkKind {
    /// What OneFile calls it.
    pub const fn remote_word(self) -> &'static str {
        match self {
            Self::Officer => "assessor",
            Self::Organisation => "placement",
            Self::Learner => "user",
        }
    }

    /// The role that OneFile's user must have.
    pub const fn role_word(self) -> &'static str {
        match self {
            Self::Officer => "assessor or trainee assessor",
            Self::Organisation => "employer",
            Self::Learner => "learner",
        }
    }

    /// What PICSWeb calls it.
    pub const fn local_word(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::Organisation => "organisation",
            Self::Learner => "learner",
        }
    }

    /// The field in which PICSWeb holds OneFile's id.
    pub const fn held_in(self) -> &'static str {
        match self {
            Self::Officer => "Other System ID",
            Self::Organisation => "Additional ID",
            Self::Learner => "OneFile ID",
        }
    }
}

/// Which links should be made, which cannot be distinguished, and who has no partner in OneFile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Suggestions {
    /// How many there are of each.
    pub counts: SuggestionCounts,
    /// One partner each. Only those that are `certain` may be linked without a person's word.
    pub suggestions: Vec<Suggestion>,
    /// Nothing is proposed here: a person has to say which it is.
    pub ambiguous: Vec<Ambiguous>,
    /// Nothing in OneFile fits these.
    pub unmatched: Vec<Unmatched>,
}

/// How many there are of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"certain": 1, "toConfirm": 0, "ambiguous": 1, "unmatched": 1}))]
pub struct SuggestionCounts {
    /// Proposals that are certain.
    pub certain: usize,
    /// Proposals that a person must confirm.
    pub to_confirm: usize,
    /// Nothing proposed, since several fit.
    pub ambiguous: usize,
    /// Number of records without a match.
    pub unmatched: usize,
}

/// A link that should be made.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "kind": "officer", "localId": "O-17", "localName": "Sam Okoro", "centreId": "3", "remoteId": "117", "remoteName": "Sam Okoro",
    "archived": false, "score": 99, "certain": true,
    "reasons": [{"code": "misValueIsIdent", "message": "The assessor's MIS value is the officer's Ident."}], "caution": null
}))]
pub struct Suggestion {
    /// What is linked with what.
    pub kind: LinkKind,
    /// PICSWeb's id of the record.
    #[schema(example = "O-17")]
    pub local_id: String,
    /// The record's name in PICSWeb.
    #[schema(example = "Sam Okoro")]
    pub local_name: String,
    /// OneFile's id of the centre.
    #[schema(example = "3")]
    pub centre_id: String,
    /// OneFile's id of the record.
    #[schema(example = "117")]
    pub remote_id: String,
    /// The record's name in OneFile.
    #[schema(example = "Sam Okoro")]
    pub remote_name: String,
    /// Whether it is archived in OneFile: then nothing live fits.
    pub archived: bool,
    /// 0 to 100: 98 and above come of an id, all below of a guess.
    #[schema(minimum = 0, maximum = 100, example = 99)]
    pub score: u8,
    /// Whether an id says so: the one that PICSWeb holds, or the MIS value. All else a person must confirm.
    pub certain: bool,
    /// What says so, the strongest first.
    pub reasons: Vec<Reason>,
    /// What should be looked at before it is accepted.
    pub caution: Option<String>,
}

/// What speaks for a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// A stable code for programs.
    pub code: ReasonCode,
    /// The reason in a sentence.
    #[schema(example = "The assessor's MIS value is the officer's Ident.")]
    pub message: String,
}

/// What speaks for a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ReasonCode {
    /// PICSWeb holds this id of OneFile's.
    HeldId,
    /// The MIS value is PICSWeb's Ident.
    MisValueIsIdent,
    /// The MIS value is PICSWeb's id.
    MisValueIsId,
    /// The Unique Learner Number is the same.
    Uln,
    /// The e-mail address is the same.
    Email,
    /// The name is the same but for case, spaces, diacritics, punctuation and the like of Ltd.
    Name,
    /// The name is nearly the same.
    NearName,
    /// The birth date is the same.
    BirthDate,
}

/// A record of ours for which nothing is proposed, since it cannot be told which one it is.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ambiguous {
    /// What is linked with what.
    pub kind: LinkKind,
    /// PICSWeb's id of the record.
    #[schema(example = "O-17")]
    pub local_id: String,
    /// The record's name in PICSWeb.
    #[schema(example = "Sam Okoro")]
    pub local_name: String,
    /// Why nothing is proposed.
    pub why: AmbiguousBecause,
    /// What a person has to decide.
    #[schema(example = "Several of OneFile's look alike: link the right one (POST /onefile/links).")]
    pub message: String,
    /// What fits, the best first; the first 10.
    pub candidates: Vec<Suggestion>,
    /// Number of records that match.
    pub candidate_count: usize,
    /// Ids of our other records that one of the candidates fits as well; the first 10.
    #[schema(example = json!(["O-18"]))]
    pub rivals: Vec<String>,
}

/// Why nothing is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum AmbiguousBecause {
    /// Several of OneFile's records fit equally well.
    SeveralRemotes,
    /// One of OneFile's records fits several of ours.
    SeveralLocals,
    /// There are several centres: OneFile's record has no MIS value that says whose it is, only a likeness.
    MisValueNeeded,
}

/// A record of ours that nothing in OneFile fits.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Unmatched {
    /// What is linked with what.
    pub kind: LinkKind,
    /// PICSWeb's id of the record.
    #[schema(example = "O-17")]
    pub local_id: String,
    /// The record's name in PICSWeb.
    #[schema(example = "Sam Okoro")]
    pub local_name: String,
    /// What happens, and what to look at.
    #[schema(
        example = "Nobody in OneFile looks like this one: it is made there with the first enrolment that needs it."
    )]
    pub message: String,
}

redacted!(Suggestion Ambiguous Unmatched);
