//! All that the suggestions are made of.

use std::borrow::Cow;

use chrono::NaiveDate;

use super::report::LinkKind;
use crate::domain::{Email, Learner, LearnerId, Officer, OfficerId, Organisation, OrganisationId, Uln};

/// A record of ours.
#[derive(Clone)]
pub struct Local<'a> {
    pub id: &'a str,
    pub ident: Option<&'a str>,
    /// OneFile's id that PICSWeb holds: Other System ID, Additional ID or OneFile ID.
    pub held_id: Option<&'a str>,
    pub name: Cow<'a, str>,
    pub email: Option<&'a str>,
    pub uln: Option<&'a str>,
    /// A learner's birth date.
    pub born: Option<NaiveDate>,
}

impl<'a> Local<'a> {
    /// An officer, with the Other System ID that PICSWeb holds.
    pub fn officer(id: &'a OfficerId, officer: &'a Officer, held_id: Option<&'a str>) -> Self {
        Self {
            id: id.as_str(),
            ident: officer.ident.as_deref(),
            held_id,
            name: whole_name(officer.first_name.as_deref(), &officer.last_name),
            email: officer.email.as_ref().map(Email::as_str),
            uln: None,
            born: None,
        }
    }

    /// An organisation, with the Additional ID that PICSWeb holds.
    pub fn organisation(
        id: &'a OrganisationId,
        organisation: &'a Organisation,
        held_id: Option<&'a str>,
    ) -> Self {
        Self {
            id: id.as_str(),
            ident: organisation.ident.as_deref(),
            held_id,
            name: Cow::Borrowed(&organisation.name),
            email: organisation.email.as_ref().map(Email::as_str),
            uln: None,
            born: None,
        }
    }

    /// A learner, with the OneFile ID that PICSWeb holds.
    pub fn learner(id: &'a LearnerId, learner: &'a Learner, held_id: Option<&'a str>) -> Self {
        Self {
            id: id.as_str(),
            ident: None,
            held_id,
            name: whole_name(Some(&learner.first_name), &learner.last_name),
            email: learner.email.as_ref().map(Email::as_str),
            uln: learner.uln.as_ref().map(Uln::as_str),
            born: learner.date_of_birth,
        }
    }
}

/// A record of OneFile's.
#[derive(Clone)]
pub struct Remote<'a> {
    pub id: &'a str,
    pub centre_id: &'a str,
    /// The whole name; a placement may have none.
    pub name: Cow<'a, str>,
    pub mis_id: Option<&'a str>,
    pub email: Option<&'a str>,
    pub uln: Option<&'a str>,
    /// A learner's birth date, London's.
    pub born: Option<NaiveDate>,
    /// Whether it is archived (a placement: not active).
    pub archived: bool,
}

/// A link that there is.
#[derive(Debug, Clone, Copy)]
pub struct Existing<'a> {
    pub local_id: &'a str,
    pub centre_id: &'a str,
    pub remote_id: &'a str,
}

/// All that the suggestions are made of; all of one kind.
#[derive(Clone, Copy)]
pub struct SuggestInput<'a> {
    /// What is linked with what.
    pub kind: LinkKind,
    pub locals: &'a [Local<'a>],
    /// OneFile's, archived ones included. One that stands there twice counts once.
    pub remotes: &'a [Remote<'a>],
    /// The links of this kind.
    pub linked: &'a [Existing<'a>],
    /// Whether the customer has several centres, also when only one of them is asked for.
    pub several_centres: bool,
}

/// The whole name of a person.
pub fn whole_name<'a>(first: Option<&str>, last: &'a str) -> Cow<'a, str> {
    match first.map(str::trim).filter(|first| !first.is_empty()) {
        Some(first) => Cow::Owned(format!("{first} {}", last.trim())),
        None => Cow::Borrowed(last),
    }
}

/// A ULN that stands for a number.
pub(super) fn uln(number: Option<&str>) -> Option<&str> {
    number.map(str::trim).filter(|number| !number.is_empty() && *number != Uln::PLACEHOLDER)
}

/// Whether both have a ULN, or a birth date, and not the same: two people then, whatever their names.
pub(super) fn contradicts(local: &Local<'_>, remote: &Remote<'_>) -> bool {
    let born = local.born.zip(remote.born).is_some_and(|(ours, theirs)| ours != theirs);
    let number = uln(local.uln).zip(uln(remote.uln)).is_some_and(|(ours, theirs)| ours != theirs);
    born || number
}
