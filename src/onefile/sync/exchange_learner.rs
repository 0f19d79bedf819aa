//! The exchange of one learner: read, compare, send up, and keep what came down, with what the feed and the run say of it, in one
//! transaction.

use uuid::Uuid;

use super::apply::{Applied, apply};
use super::compare::{Todo, Whose, claim, compare};
use super::read::Reading;
use crate::domain::change_onefile::{OneFileArchivedData, OneFileUserData};
use crate::domain::{Change, Learner, LearnerId, LinkState, RecordCode, Subject};
use crate::onefile::sync::context::{Depth, ExchangeContext, Trouble, Want};
use crate::onefile::sync::diff::is_synchronised;
use crate::onefile::sync::outcome;
use crate::onefile::sync::outcome::Told;
use crate::onefile::sync::push::lacking;
use crate::onefile::sync::{convert, review_events};
use crate::store::{
    Exchanged, IntentProblem, Keeping, LearnerThere, OutcomeKind, Progress, RecordKind, RecordOutcome,
    StoreError, Told as Words,
};

/// How often the comparison is repeated when somebody writes the record meanwhile.
const TRIES: u32 = 5;

impl ExchangeContext {
    /// Exchanges a learner whom `worker` holds; answers the outcome. `None`: the learner is erased or unlinked, or somebody else has it.
    pub(crate) async fn exchange(
        &self,
        there: LearnerThere<Learner>,
        worker: Uuid,
        want: &Want,
    ) -> Result<Option<RecordOutcome>, Trouble> {
        let Ok(id) = LearnerId::parse(&there.learner_id) else { return Ok(None) };
        if let Some(outcome) = self.left_alone(&there) {
            return self.told_only(&there.learner_id, outcome).await.map(Some);
        }
        let mut reading = self.read(&there, want).await?;
        let whose = Whose { id: &id, centre_id: &there.centre_id, user_id: &there.user_id };
        let first = there.kept.exchanged_at.is_none();
        if first && !there.enrolled && reading.all_aims {
            reading.portfolio.left_out =
                lacking(&there.record, &reading.portfolio).into_iter().map(|(key, _)| key).collect();
        }
        let mut told = Told {
            missed: want.unsaid
                && !first
                && review_events::is_other(&there.kept.portfolio, &reading.portfolio),
            ..Told::default()
        };
        if reading.state == LinkState::Linked {
            let todo = self.looked_at_again(whose, &there, want, &mut reading).await?;
            self.send(whose, &there.record, &todo, &mut reading, &mut told).await?;
        }
        self.keep(whose, &there, worker, want, reading, told).await
    }

    /// Whom the exchange does not touch.
    fn left_alone(&self, there: &LearnerThere<Learner>) -> Option<RecordOutcome> {
        let skipped = |code, words: &str| {
            let outcome = RecordOutcome::learner(&there.learner_id, OutcomeKind::Skipped, code);
            Some(outcome.told(Words::words(words)))
        };
        if there.enrolling {
            return skipped(RecordCode::InFlight, "An enrolment of the learner is under way.");
        }
        if !is_synchronised(&there.record, self.today) {
            return skipped(
                RecordCode::NotEligible,
                "Only live learners who are in learning, or ended within the last month, are exchanged.",
            );
        }
        None
    }

    /// What is to be done. What would go up into a learning aim that was not read just now is compared with the aim as it is.
    async fn looked_at_again(
        &self,
        whose: Whose<'_>,
        there: &LearnerThere<Learner>,
        want: &Want,
        reading: &mut Reading,
    ) -> Result<Todo, Trouble> {
        let todo = compare(whose, &there.record, &reading.portfolio, self.rules);
        let unread: Vec<String> = match want.depth {
            Depth::Whole => Vec::new(),
            Depth::Named | Depth::Reviews | Depth::Kept => {
                todo.aims.keys().filter(|id| !want.aims.contains(*id)).cloned().collect()
            }
        };
        for id in &unread {
            self.read_aim(there, id, reading).await?;
        }
        Ok(if unread.is_empty() {
            todo
        } else {
            compare(whose, &there.record, &reading.portfolio, self.rules)
        })
    }

    /// Keeps it, compared once more with the record as it is then.
    async fn keep(
        &self,
        whose: Whose<'_>,
        there: &LearnerThere<Learner>,
        worker: Uuid,
        want: &Want,
        mut reading: Reading,
        mut told: Told,
    ) -> Result<Option<RecordOutcome>, Trouble> {
        let before = &there.kept.portfolio;
        let (mut learner, mut version) = (there.record.clone(), there.version);
        let gone_news = state_news(there, reading.state);
        for _ in 0..TRIES {
            claim(&learner, &mut reading.portfolio);
            let (applied, notes) = if reading.state == LinkState::Linked {
                let todo = compare(whose, &learner, &reading.portfolio, self.rules);
                let applied = apply(&learner, &todo.here, before, self.today, told.missed);
                (applied, todo.notes)
            } else {
                (Applied::nothing(), Vec::new())
            };
            for (aim, qualification) in &applied.counted {
                convert::aim_entry(&mut reading.portfolio, aim).counted_for = Some(qualification.clone());
            }
            let mut notes: Vec<String> = notes
                .into_iter()
                .chain(reading.notes.iter().cloned())
                .chain(applied.notes.iter().cloned())
                .collect();
            notes.sort();
            notes.dedup();
            told.new_notes = notes.iter().filter(|note| !before.notes.contains(note)).cloned().collect();
            reading.portfolio.notes = notes;
            let reviews = review_events::of_reviews(before, &reading.portfolio);
            told.reviews_down = reviews.len();
            told.values_down = applied.values;
            let changes: Vec<(Subject, Change)> = applied
                .events
                .into_iter()
                .chain(reviews)
                .chain(gone_news.clone())
                .map(|change| (Subject::learner(&there.learner_id), change))
                .collect();
            let problem = outcome::problem(&reading.failed, &told).or_else(|| gone_problem(reading.state));
            let outcome = outcome_of(there, &reading, problem.as_ref(), &told);
            let json =
                applied.learner.as_ref().map(serde_json::to_vec).transpose().map_err(StoreError::from)?;
            let kept = Exchanged {
                provider: self.provider,
                environment: self.environment,
                learner: &there.learner_id,
                worker,
                version,
                record: json.as_deref().zip(applied.learner.as_ref()).map(|(json, new)| {
                    let index = new.date_of_birth.map(|birth| {
                        self.onefile.store.person_index(self.provider, &new.first_name, &new.last_name, birth)
                    });
                    (json, index)
                }),
                portfolio: &reading.portfolio,
                swept: want.depth == Depth::Whole && reading.failed.is_empty(),
                problem: problem.as_ref().map(|(_, problem)| problem),
                changes: &changes,
                state: reading.state,
            };
            let store = &self.onefile.store;
            let mut tx = store.begin().await?;
            match store.keep_exchange(&mut tx, &kept).await? {
                Keeping::Kept => {
                    self.tell(&mut tx, &outcome).await?;
                    tx.commit().await?;
                    return Ok(Some(outcome));
                }
                Keeping::Lost => return Ok(None),
                Keeping::Outdated => drop(tx),
            }
            let now = store.record::<Learner>(self.provider, RecordKind::Learner, &there.learner_id).await?;
            let Some(now) = now else { return Ok(None) };
            (learner, version) = (now.record, now.version.count);
        }
        Ok(None)
    }

    /// Tells an outcome of which nothing is to be kept.
    async fn told_only(&self, learner: &str, outcome: RecordOutcome) -> Result<RecordOutcome, Trouble> {
        if self.run.is_some() {
            let store = &self.onefile.store;
            let mut tx = store.begin().await?;
            self.tell(&mut tx, &outcome).await?;
            tx.commit().await?;
            tracing::debug!(learner, "a learner was left alone");
        }
        Ok(outcome)
    }

    /// Tells the run, and takes the learner out of its work.
    async fn tell(&self, tx: &mut crate::store::Tx, outcome: &RecordOutcome) -> Result<(), Trouble> {
        let Some((run, fence)) = self.run else { return Ok(()) };
        let store = &self.onefile.store;
        store.drop_work(tx, run, std::slice::from_ref(&outcome.id)).await?;
        let progress = Progress { outcomes: vec![outcome.clone()], ..Progress::default() };
        if store.add_progress(tx, run, fence, &progress).await? { Ok(()) } else { Err(Trouble::Replaced) }
    }
}

fn outcome_of(
    there: &LearnerThere<Learner>,
    reading: &Reading,
    problem: Option<&(RecordCode, IntentProblem)>,
    told: &Told,
) -> RecordOutcome {
    if reading.state == LinkState::Archived {
        let outcome =
            RecordOutcome::learner(&there.learner_id, OutcomeKind::Skipped, RecordCode::UpstreamArchived);
        return outcome.told(Words::words(
            "The user is in OneFile's archive: bring it back there, or remove the link.",
        ));
    }
    outcome::outcome(&there.learner_id, &reading.failed, problem, told)
}

/// The change in the feed for a user who went into the archive, came out of it, or is gone.
fn state_news(there: &LearnerThere<Learner>, now: LinkState) -> Option<Change> {
    let (user_id, centre_id) = (there.user_id.clone(), there.centre_id.clone());
    let archived = match (there.state, now) {
        (LinkState::Linked | LinkState::Archived, LinkState::Gone) => {
            return Some(Change::UserGone(OneFileUserData { user_id: Some(user_id), centre_id }));
        }
        (LinkState::Gone, LinkState::Linked) => {
            return Some(Change::UserReturned(OneFileUserData { user_id: Some(user_id), centre_id }));
        }
        (LinkState::Linked | LinkState::Gone, LinkState::Archived) => true,
        (LinkState::Archived, LinkState::Linked) => false,
        (LinkState::Linked, LinkState::Linked)
        | (LinkState::Archived, LinkState::Archived)
        | (LinkState::Gone, LinkState::Gone) => return None,
    };
    Some(Change::UserArchived(OneFileArchivedData { user_id, centre_id, archived }))
}

fn gone_problem(state: LinkState) -> Option<(RecordCode, IntentProblem)> {
    (state == LinkState::Gone).then(|| {
        let message = "OneFile has this user no more: it was deleted, or merged into another. Remove the link, and link the learner to the user that it has now.";
        (RecordCode::UpstreamMissing, IntentProblem::ours("upstreamMissing", message))
    })
}
