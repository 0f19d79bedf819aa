//! The lines of the checklist, one function each.

use super::input::{Desktop, Linking, ReadinessInput, Token};
use super::report::{Check, CheckId, Fix, Named, Verdict};
use crate::domain::counted;
use crate::onefile::setup::coverage::CoverageState;

/// Records that are named.
const NAMED: usize = 20;

const SETTINGS: Fix = Fix { method: "PUT", path: "/onefile/settings" };
const TEST: Fix = Fix { method: "POST", path: "/onefile/connection:test" };
const SUGGEST: Fix = Fix { method: "POST", path: "/onefile/links:suggest" };
const LINKS: Fix = Fix { method: "GET", path: "/onefile/links" };
const OFFICER: Fix = Fix { method: "PUT", path: "/officers/{id}" };
const ASSESSORS: Fix = Fix { method: "GET", path: "/onefile/assessors" };
const PLACEMENTS: Fix = Fix { method: "GET", path: "/onefile/placements" };
const REFRESH: Fix = Fix { method: "POST", path: "/onefile/qualifications:refresh" };
const COVERAGE: Fix = Fix { method: "GET", path: "/onefile/qualifications/coverage" };

pub fn all(input: &ReadinessInput<'_>) -> Vec<Check> {
    vec![
        token(input.token),
        desktop(input.desktop),
        linked(CheckId::OfficersLinked, &input.officers, ["officer", "officers"], ASSESSORS),
        linked(
            CheckId::OrganisationsLinked,
            &input.organisations,
            ["organisation", "organisations"],
            PLACEMENTS,
        ),
        mis_values(input),
        emails(input),
        qualifications(input),
        classrooms(input),
    ]
}

/// A line that nobody is behind.
fn plain(id: CheckId, verdict: Verdict, message: impl Into<String>, fix: Option<Fix>) -> Check {
    Check { id, verdict, count: 0, examples: Vec::new(), message: message.into(), fix }
}

fn ok(id: CheckId, message: impl Into<String>) -> Check {
    plain(id, Verdict::Ok, message, None)
}

fn with<'a>(
    id: CheckId,
    verdict: Verdict,
    records: impl ExactSizeIterator<Item = &'a Named>,
    message: String,
    fix: Fix,
) -> Check {
    let count = records.len();
    Check { id, verdict, count, examples: records.take(NAMED).cloned().collect(), message, fix: Some(fix) }
}

fn token(token: Token<'_>) -> Check {
    let id = CheckId::TokenTested;
    let blocked = |message: String, fix| plain(id, Verdict::Blocked, message, Some(fix));
    match token {
        Token::Missing => blocked(
            "There is no customer token: a Centre Manager asks OneFile Support for it by a ticket; then enter it with its \
             environment."
                .to_owned(),
            SETTINGS,
        ),
        Token::NotTested => blocked("The customer token was not tested yet: test the connection.".to_owned(), TEST),
        Token::Failed(why) => blocked(
            format!("The last connection test failed: {}. Correct token and environment, and test again.", why.trim_end_matches('.')),
            TEST,
        ),
        Token::Tested(detail) => ok(id, format!("OneFile takes the customer token ({detail}).")),
    }
}

fn desktop(desktop: Desktop) -> Check {
    let id = CheckId::DesktopIntegrationOff;
    let blocked = |message| plain(id, Verdict::Blocked, message, Some(SETTINGS));
    match desktop {
        Desktop::NotSaid => {
            blocked("Say whether PICS Desktop's own OneFile integration was used (`desktopIntegration`).")
        }
        Desktop::Active => blocked(
            "PICS Desktop's OneFile integration is on: both would write. Switch it off in PICS (Configuring PICS for Use \
             with OneFile), then say so (`desktopIntegration: off`).",
        ),
        Desktop::Off => plain(
            id,
            Verdict::Ok,
            "PICS Desktop's OneFile integration is off. See what the first synchronisation would overwrite before it does.",
            Some(Fix { method: "GET", path: "/onefile/migration" }),
        ),
        Desktop::Never => ok(id, "PICS Desktop's OneFile integration was never used."),
    }
}

fn linked(id: CheckId, linking: &Linking<'_>, [one, many]: [&str; 2], read: Fix) -> Check {
    if linking.in_use == 0 {
        return ok(id, format!("No {many} are in use."));
    }
    if !linking.looked_up {
        let message =
            format!("OneFile's side was not read yet, so that nobody knows which {many} it has: read it.");
        return plain(id, Verdict::Blocked, message, Some(read));
    }
    let gone = linking.gone;
    if !gone.is_empty() {
        let what = counted(gone.len(), one, many);
        let message = format!(
            "{what} in use had a link to what was archived or deleted in OneFile since: take it out of the archive there, or \
             link another."
        );
        return with(id, Verdict::Blocked, gone.iter(), message, LINKS);
    }
    let chosen = |likely| -> Vec<&Named> {
        linking.unlinked.iter().filter(|it| it.likely_there == likely).map(|it| &it.record).collect()
    };
    let (likely, new) = (chosen(true), chosen(false));
    if !likely.is_empty() {
        let what = counted(
            likely.len(),
            &format!(
                "{one} in use is not linked and is probably in OneFile already: link it, or an enrolment makes it"
            ),
            &format!(
                "{many} in use are not linked and are probably in OneFile already: link them, or enrolments make them"
            ),
        );
        return with(id, Verdict::Blocked, likely.into_iter(), format!("{what} a second time."), SUGGEST);
    }
    if !new.is_empty() {
        let what = counted(
            new.len(),
            &format!(
                "{one} in use is not linked; nothing in OneFile fits, and the first enrolment creates it."
            ),
            &format!(
                "{many} in use are not linked; nothing in OneFile fits, and the first enrolments create them."
            ),
        );
        return with(id, Verdict::Attention, new.into_iter(), what, SUGGEST);
    }
    ok(id, format!("All {many} in use are linked ({}).", linking.in_use))
}

fn mis_values(input: &ReadinessInput<'_>) -> Check {
    let id = CheckId::MisValuesUnique;
    if !input.officers.looked_up {
        let message = "OneFile's assessors were not read yet, so that nobody knows whether two share a MIS value: read them.";
        return plain(id, Verdict::Attention, message, Some(ASSESSORS));
    }
    if input.shared_mis_values.is_empty() {
        return ok(id, "No two assessors of a centre have the same MIS value.");
    }
    let named: Vec<Named> = input
        .shared_mis_values
        .iter()
        .map(|shared| Named {
            id: shared.mis_value.clone(),
            name: Some(format!("Centre {}: assessors {}", shared.centre_id, shared.assessors.join(", "))),
        })
        .collect();
    let what = counted(named.len(), "MIS value is", "MIS values are");
    let message = format!(
        "{what} shared by assessors of one centre, archived ones included: OneFile refuses enrolments then. Correct it in \
         OneFile (Account > User Information > MIS Value; list assessors with the archived ones), then read them again with \
         refresh=true."
    );
    with(id, Verdict::Blocked, named.iter(), message, ASSESSORS)
}

fn emails(input: &ReadinessInput<'_>) -> Check {
    let id = CheckId::OfficersHaveEmail;
    let chosen = |linked| -> Vec<&Named> {
        input.without_email.iter().filter(|it| it.linked == linked).map(|it| &it.record).collect()
    };
    let (to_create, linked) = (chosen(false), chosen(true));
    if !to_create.is_empty() {
        let what = counted(to_create.len(), "officer in use has", "officers in use have");
        let message = format!(
            "{what} no e-mail address and no link: OneFile creates no assessor without one. Enter it (Officer > Email), or link."
        );
        return with(id, Verdict::Blocked, to_create.into_iter(), message, OFFICER);
    }
    if !linked.is_empty() {
        let what = counted(linked.len(), "linked officer has", "linked officers have");
        let message =
            format!("{what} no e-mail address: nothing has to be created, but none is pushed either.");
        return with(id, Verdict::Attention, linked.into_iter(), message, OFFICER);
    }
    ok(id, "All officers in use have an e-mail address.")
}

fn qualifications(input: &ReadinessInput<'_>) -> Check {
    let id = CheckId::QualificationsCovered;
    let Some(coverage) = input.coverage else {
        let message = "OneFile's learning aims were not read yet: refresh the qualification links.";
        return plain(id, Verdict::Blocked, message, Some(REFRESH));
    };
    let named = |state| -> Vec<Named> {
        let found = coverage.items.iter().filter(|item| item.state == state);
        found.map(|item| Named { id: item.vq_reference.clone(), name: None }).collect()
    };
    let (missing, ambiguous) = (named(CoverageState::Missing), named(CoverageState::Ambiguous));
    if !missing.is_empty() && missing.len() == coverage.items.len() {
        let message =
            "OneFile has none of the VQ references in the delivery plans: enrolments would go without a \
                       qualification. Compare them with the codes in square brackets in OneFile."
                .to_owned();
        return with(id, Verdict::Blocked, missing.iter(), message, COVERAGE);
    }
    if !missing.is_empty() {
        let what = counted(missing.len(), "VQ reference is", "VQ references are");
        let message = format!(
            "{what} not in OneFile, and left out at enrolments: the coverage says what to do about each."
        );
        return with(id, Verdict::Attention, missing.iter(), message, COVERAGE);
    }
    if !ambiguous.is_empty() {
        let what = counted(ambiguous.len(), "VQ reference is", "VQ references are");
        let message = format!("{what} in several centres or pathways: one is chosen at each enrolment.");
        return with(id, Verdict::Attention, ambiguous.iter(), message, COVERAGE);
    }
    if coverage.without_reference.count > 0 {
        let ids = &coverage.without_reference.ids;
        let named: Vec<Named> = ids.iter().map(|id| Named { id: id.clone(), name: None }).collect();
        let what = counted(coverage.without_reference.count, "learner has", "learners have");
        let message = format!("{what} a qualification without a VQ reference, which does not go to OneFile.");
        let check = with(id, Verdict::Attention, named.iter(), message, COVERAGE);
        return Check { count: coverage.without_reference.count, ..check };
    }
    ok(id, format!("OneFile has all VQ references of the delivery plans ({}).", coverage.items.len()))
}

fn classrooms(input: &ReadinessInput<'_>) -> Check {
    let id = CheckId::DefaultClassroom;
    let lacking = input.classrooms.without_default;
    if lacking.is_empty() {
        return ok(id, "Each centre in use has a default classroom.");
    }
    let what = counted(lacking.len(), "centre has", "centres have");
    let (verdict, message) = if input.classrooms.from_main_tag {
        let left = "a learner without a Main Tag, or with one that no classroom is called, cannot be enrolled there.";
        (
            Verdict::Attention,
            format!("{what} no default classroom that is there (`defaultClassrooms`): {left}"),
        )
    } else {
        let needed = "OneFile takes no learner without a classroom. Choose one";
        (
            Verdict::Blocked,
            format!("{what} no default classroom that is there: {needed} (`defaultClassrooms`)."),
        )
    };
    with(id, verdict, lacking.iter(), message, SETTINGS)
}
