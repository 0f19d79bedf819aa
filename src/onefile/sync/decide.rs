//! Which learners a run exchanges, why, in which turn, and at how many calls; the others have nothing changed on either side. Pure.

use chrono::{DateTime, TimeDelta, Utc};

use super::compare::{Whose, compare};
use super::read::is_due;
use crate::domain::{Learner, LearnerId, LinkState, RecordCode};
use crate::onefile::sync::context::{Depth, ExchangeContext, Want};
use crate::onefile::sync::diff::is_synchronised;
use crate::onefile::sync::push::{lacking, owes};
use crate::store::{Decided, Turn, Undecided};

/// Whom a person has asked for, named.
pub(crate) const ASKED: &str = "asked";
const ARCHIVED: &str = "archived";
const UNSEEN: &str = "unseen";
const BACK: &str = "back";
const FIRST: &str = "first";
const SWEEP: &str = "sweep";
const AGAIN: &str = "again";
const CHANGED: &str = "changed";
const REVIEWS: &str = "reviews";
const LOCAL: &str = "local";
const ADDED: &str = "added";

/// Calls that a learner's own learning aims and reviews take where nothing of them is known yet.
const AIMS: usize = 3;
const FIRST_REVIEWS: usize = 4;

/// What is decided of a learner.
pub(crate) enum Decision {
    /// Nothing changed on either side.
    Quiet,
    /// It is left alone; why.
    Skip(RecordCode, &'static str),
    Do(Decided),
}

/// What decides, beside the learner.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    /// Learners were named: all of them are read whole.
    pub(crate) named: bool,
    /// All are read whole.
    pub(crate) full: bool,
    /// There was nothing to look from, so that what changed was not looked for: all are read whole.
    pub(crate) unsearched: bool,
    /// Who was read whole before this is due again.
    pub(crate) swept_before: DateTime<Utc>,
}

pub(crate) fn decide(context: &ExchangeContext, own: &Undecided<Learner>, rules: Rules) -> Decision {
    let there = &own.learner;
    if there.enrolling {
        return Decision::Skip(RecordCode::InFlight, "An enrolment of the learner is under way.");
    }
    if !is_synchronised(&there.record, context.today) {
        return Decision::Skip(
            RecordCode::NotEligible,
            "Only live learners who are in learning, or ended within the last month, are exchanged.",
        );
    }
    let choose = |reason, turn, calls: usize| {
        // Whose exchange failed the last time comes after all others, so that it delays nobody.
        let turn = if there.kept.problem.is_some() && !rules.named { 9 } else { turn };
        let calls = i32::try_from(calls).unwrap_or(i32::MAX);
        Decision::Do(Decided { learner_id: there.learner_id.clone(), reason, turn, calls })
    };
    let whole = whole_calls(context, own);
    if rules.named {
        return choose(ASKED, 0, whole + usize::from(!context.needs_user()));
    }
    match (own.seen, own.archived, there.state) {
        (true, true, LinkState::Archived) => {
            return Decision::Skip(
                RecordCode::UpstreamArchived,
                "The user is in OneFile's archive: bring it back there, or remove the link.",
            );
        }
        (true, true, _) => return choose(ARCHIVED, 0, 0),
        (false, _, LinkState::Gone) => {
            return Decision::Skip(
                RecordCode::UpstreamMissing,
                "OneFile has this user no more: remove the link, and link the learner to the user that it has now.",
            );
        }
        (false, ..) => return choose(UNSEEN, 1, whole + 1),
        (true, false, LinkState::Archived | LinkState::Gone) => return choose(BACK, 1, whole),
        (true, false, LinkState::Linked) => {}
    }
    let kept = &there.kept;
    let changed = own.changed || !own.aims.is_empty();
    if kept.exchanged_at.is_none() || rules.unsearched {
        return choose(FIRST, 2, whole);
    }
    if rules.full || kept.swept_at.is_none_or(|at| at < rules.swept_before) {
        return choose(SWEEP, if changed { 1 } else { 3 }, whole);
    }
    // Before what OneFile has changed: whether the learning aim is there already is seen when all of them are read.
    if is_added(context, own) {
        return choose(ADDED, 1, whole + 3);
    }
    if changed {
        return choose(CHANGED, 1, changed_calls(context, own));
    }
    if kept.problem.is_some() {
        return choose(AGAIN, 9, whole);
    }
    let due = kept.portfolio.reviews.iter().filter(|review| is_due(review, context.now)).count();
    if due > 0 && context.choices.download_reviews {
        return choose(REVIEWS, 2, due);
    }
    local(context, own).map_or(Decision::Quiet, |(reason, calls)| choose(reason, 1, calls))
}

/// How it is exchanged.
pub(crate) fn want(turn: &Turn) -> Want {
    let named = turn.changed || !turn.aims.is_empty();
    let seen = turn.seen.then_some(turn.archived);
    let (depth, unsaid) = match turn.reason.as_str() {
        SWEEP => (Depth::Whole, !named),
        CHANGED | ADDED => (Depth::Named, false),
        REVIEWS => (Depth::Reviews, false),
        LOCAL | ARCHIVED => (Depth::Kept, false),
        _ => (Depth::Whole, false),
    };
    let aims = if turn.reason == ADDED { Vec::new() } else { turn.aims.clone() };
    Want { depth, aims, seen, unsaid }
}

fn whole_calls(context: &ExchangeContext, own: &Undecided<Learner>) -> usize {
    let kept = &own.learner.kept.portfolio;
    let known = kept.aims.iter().filter(|aim| !aim.gone).count();
    let codes = own.learner.record.qualifications.iter().filter(|it| it.vq_reference.is_some()).count();
    let aims = if known > 0 {
        known
    } else if codes > 0 {
        codes
    } else {
        AIMS
    };
    usize::from(context.needs_user()) + 1 + aims + review_calls(context, own)
}

fn review_calls(context: &ExchangeContext, own: &Undecided<Learner>) -> usize {
    if !context.choices.download_reviews {
        return 0;
    }
    let there = &own.learner.kept;
    if there.exchanged_at.is_none() {
        return 1 + FIRST_REVIEWS;
    }
    let open = |at: Option<DateTime<Utc>>| at.is_none_or(|at| at <= context.now + TimeDelta::days(1));
    let reviews = there.portfolio.reviews.iter();
    1 + reviews.filter(|own| !own.gone && own.started_on.is_none() && open(own.scheduled_for)).count()
}

fn changed_calls(context: &ExchangeContext, own: &Undecided<Learner>) -> usize {
    if own.aims.is_empty() {
        return whole_calls(context, own);
    }
    usize::from(context.needs_user()) + own.aims.len() + review_calls(context, own)
}

/// Whether the learner has a qualification that OneFile lacks and that would be assigned.
fn is_added(context: &ExchangeContext, own: &Undecided<Learner>) -> bool {
    let (there, kept) = (&own.learner, &own.learner.kept.portfolio);
    let is_new = |key: &String| !kept.left_out.contains(key) && context.has_standard(&there.centre_id, key);
    lacking(&there.record, kept).iter().any(|(key, _)| is_new(key))
}

/// Why a learner with nothing new in OneFile is exchanged anyway, and at how many calls; `None`: it is not.
fn local(context: &ExchangeContext, own: &Undecided<Learner>) -> Option<(&'static str, usize)> {
    let there = &own.learner;
    let (id, kept) = (LearnerId::parse(&there.learner_id).ok()?, &there.kept.portfolio);
    let whose = Whose { id: &id, centre_id: &there.centre_id, user_id: &there.user_id };
    let todo = compare(whose, &there.record, kept, context.rules);
    let (officer, placement) = context.other_people(whose, &there.record, kept);
    let user = usize::from(!todo.user.is_empty() || officer.is_some() || placement.is_some());
    let calls = user + todo.aims.len() * 2 + todo.reviews.len() * 2 + owes(&there.record, kept);
    let said = todo.notes.iter().all(|note| kept.notes.contains(note));
    (calls > 0 || !todo.is_nothing() || !said).then_some((LOCAL, calls))
}
