//! Reasons, cautions and what to do, in words. Names stand beside them, never in them.

use super::input::{Local, Remote, contradicts, uln};
use super::normal::{Name, plain};
use super::report::{AmbiguousBecause, LinkKind, Reason, ReasonCode};
use super::similar::similarity;

/// All that speaks for a pair, the strongest first.
pub fn reasons(kind: LinkKind, local: &Local<'_>, remote: &Remote<'_>, names: (&Name, &Name)) -> Vec<Reason> {
    let (ours, theirs) = (kind.local_word(), kind.remote_word());
    let mis = plain(remote.mis_id);
    let likeness = similarity(names.0, names.1);
    let same_name = !names.0.key.is_empty() && names.0.key == names.1.key;
    let found = [
        (
            local.held_id.is_some_and(|id| id.trim() == remote.id.trim()),
            ReasonCode::HeldId,
            format!("PICSWeb holds this {theirs}'s id as the {ours}'s {}.", kind.held_in()),
        ),
        (
            mis.is_some() && mis == plain(local.ident),
            ReasonCode::MisValueIsIdent,
            format!("The {theirs}'s MIS value is the {ours}'s Ident."),
        ),
        (
            mis.is_some() && mis == plain(Some(local.id)),
            ReasonCode::MisValueIsId,
            format!("The {theirs}'s MIS value is the {ours}'s id in PICSWeb."),
        ),
        (
            uln(local.uln).is_some() && uln(local.uln) == uln(remote.uln),
            ReasonCode::Uln,
            "The ULN is the same.".to_owned(),
        ),
        (
            plain(local.email).is_some() && plain(local.email) == plain(remote.email),
            ReasonCode::Email,
            "The e-mail address is the same.".to_owned(),
        ),
        (same_name, ReasonCode::Name, "The name is the same, but perhaps for how it is written.".to_owned()),
        (
            !same_name && likeness >= super::similar::NEAR,
            ReasonCode::NearName,
            format!("The name is nearly the same ({:.0} of 100).", likeness * 100.0),
        ),
        (
            local.born.is_some() && local.born == remote.born,
            ReasonCode::BirthDate,
            "The birth date is the same.".to_owned(),
        ),
    ];
    found
        .into_iter()
        .filter(|(holds, ..)| *holds)
        .map(|(_, code, message)| Reason { code, message })
        .collect()
}

/// What should be looked at before the pair is accepted.
///
/// `elsewhere`: other records that have the same id or MIS value; `dangling`: the held id is none that can be linked.
pub fn caution(
    kind: LinkKind,
    local: &Local<'_>,
    remote: &Remote<'_>,
    reasons: &[Reason],
    elsewhere: &[&str],
    dangling: bool,
) -> Option<String> {
    let theirs = kind.remote_word();
    let mut said = Vec::new();
    if remote.archived {
        said.push(format!(
            "This {theirs} is archived in OneFile: take it out of the archive before it is linked."
        ));
    }
    if contradicts(local, remote) {
        said.push("The ULN or the birth date differs: correct the one that is wrong.".to_owned());
    }
    let named = |reason: &Reason| matches!(reason.code, ReasonCode::Name | ReasonCode::NearName);
    if !reasons.iter().any(named) {
        said.push("The names differ: make sure that both are the same.".to_owned());
    }
    if !elsewhere.is_empty() {
        said.push(format!(
            "Archived in OneFile, {theirs} {} has the id or MIS value as well: correct that MIS value, since OneFile \
             refuses enrolments where two share one.",
            elsewhere.join(" and ")
        ));
    }
    if dangling {
        said.push(dangling_id(kind));
    }
    (!said.is_empty()).then(|| said.join(" "))
}

fn dangling_id(kind: LinkKind) -> String {
    format!(
        "The {} that PICSWeb holds ({}) is no {} that can be linked: it is not there, or is linked already.",
        "id",
        kind.held_in(),
        kind.remote_word()
    )
}

/// What to do where nothing is proposed.
pub fn undecided(kind: LinkKind, why: AmbiguousBecause, fitting: usize) -> String {
    let theirs = kind.remote_word();
    match why {
        AmbiguousBecause::SeveralRemotes => format!(
            "{fitting} {theirs}s fit equally well: choose one (POST /onefile/links), or give the right one its MIS value in \
             OneFile."
        ),
        AmbiguousBecause::SeveralLocals => format!(
            "The {theirs} fits other {}s here as well: say whose it is (POST /onefile/links), or put right the Ident or the \
             MIS value.",
            kind.local_word()
        ),
        AmbiguousBecause::MisValueNeeded => format!(
            "With several centres only the MIS value says whose a record is: set the {theirs}'s MIS value in OneFile to the \
             {}'s Ident, or link it by hand (POST /onefile/links).",
            kind.local_word()
        ),
    }
}

/// What happens with what has no partner.
pub fn unmatched(kind: LinkKind, dangling: bool) -> String {
    let nothing = match kind {
        LinkKind::Learner => "No user in OneFile fits: an enrolment creates one.".to_owned(),
        _ => format!(
            "No {theirs} in OneFile fits: the first enrolment that needs it creates one. If there is one under another \
             name, link it first (POST /onefile/links).",
            theirs = kind.remote_word()
        ),
    };
    if dangling { format!("{} {nothing}", dangling_id(kind)) } else { nothing }
}
