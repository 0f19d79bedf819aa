//! Reads a learner's data in OneFile to the wanted depth, on top of the stored portfolio. A list
//! may omit a row, so a missing record is requested singly before it counts as deleted.

use chrono::TimeDelta;

use crate::domain::{Learner, LinkState};
use crate::onefile::client::wire::Review;
use crate::onefile::links::LEARNER_ROLE;
use crate::onefile::sync::context::{Depth, ExchangeContext, Trouble, Want};
use crate::onefile::sync::convert;
use crate::store::{LearnerThere, Portfolio, PortfolioReview, Time};
use crate::upstream::failure::{Failure, FailureKind};

const STRANGER: &str = "OneFile shows neither the user nor its centre: the customer token is probably another customer's. No learner was marked as gone";
/// So long after its day a review that was not held is looked at every night; later only by sweeps.
const WAITS_FOR: TimeDelta = TimeDelta::days(14);
/// For this long before its day, too.
const COMES_SOON: TimeDelta = TimeDelta::days(1);
/// A review may be held this long before its planned day.
const HELD_EARLY: TimeDelta = TimeDelta::days(62);

pub(crate) struct Reading {
    /// What OneFile has now.
    pub(crate) portfolio: Portfolio,
    /// How the user is.
    pub(crate) state: LinkState,
    /// All learning aims are known: one that is not there is none.
    pub(crate) all_aims: bool,
    /// What could not be read.
    pub(crate) failed: Vec<(String, Failure)>,
    pub(crate) notes: Vec<String>,
}

/// Whether a review that was not held may have been since.
pub(crate) fn is_due(own: &PortfolioReview, now: Time) -> bool {
    let waits = |at: Time| at <= now + COMES_SOON && at >= now - WAITS_FOR;
    !own.gone && own.started_on.is_none() && own.scheduled_for.is_some_and(waits)
}

/// Stops only for an error of the connection as a whole.
fn single<T>(answered: Result<T, Failure>) -> Result<Result<T, Failure>, Trouble> {
    match answered {
        Err(failure) if failure.kind.is_general() => Err(Trouble::General(failure)),
        answered => Ok(answered),
    }
}

impl ExchangeContext {
    pub(crate) async fn read(&self, there: &LearnerThere<Learner>, want: &Want) -> Result<Reading, Trouble> {
        let mut reading = Reading {
            portfolio: there.kept.portfolio.clone(),
            state: there.state,
            all_aims: false,
            failed: Vec::new(),
            notes: Vec::new(),
        };
        self.read_user(there, want, &mut reading).await?;
        if reading.state == LinkState::Linked {
            self.read_aims(there, want, &mut reading).await?;
            if self.choices.download_reviews {
                self.read_reviews(there, want, &mut reading).await?;
            }
        }
        Ok(reading)
    }

    async fn read_user(
        &self,
        there: &LearnerThere<Learner>,
        want: &Want,
        reading: &mut Reading,
    ) -> Result<(), Trouble> {
        if let Some(archived) = want.seen {
            reading.state = if archived { LinkState::Archived } else { LinkState::Linked };
        }
        let wanted = want.seen.is_none() && want.depth == Depth::Whole
            || self.needs_user() && matches!(want.depth, Depth::Whole | Depth::Named);
        if !wanted || want.seen == Some(true) {
            return Ok(());
        }
        match single(self.client.user(&there.user_id).await?)? {
            Ok(user) if user.role.is_some_and(|role| role != i64::from(LEARNER_ROLE)) => {
                reading.state = LinkState::Gone;
            }
            Ok(user) => {
                let archived = user.archived.unwrap_or(want.seen == Some(true));
                reading.state = if archived { LinkState::Archived } else { LinkState::Linked };
                reading.portfolio.user = Some((&user).into());
            }
            Err(failure) if failure.kind == FailureKind::Missing => {
                if there.state != LinkState::Gone {
                    self.has_centre(&there.centre_id).await?;
                }
                reading.state = LinkState::Gone;
            }
            Err(failure) => reading.failed.push((format!("User {}", there.user_id), failure)),
        }
        Ok(())
    }

    /// To another customer's token everybody is missing, and their centre is not among the customer's: then no learner is marked as gone. Where
    /// OneFile does not say which centres there are, it cannot be told.
    async fn has_centre(&self, centre_id: &str) -> Result<(), Trouble> {
        let centres = match self.client.customer().await? {
            Ok(customer) => self.client.centres(&customer.id).await?,
            Err(failure) => Err(failure),
        };
        match centres {
            Ok(found) => {
                let others = !found.rows.is_empty() && found.unreadable == 0;
                if others && !found.rows.iter().any(|centre| centre.id == centre_id) {
                    return Err(Trouble::General(Failure::new(FailureKind::Forbidden, None, STRANGER)));
                }
                Ok(())
            }
            Err(failure) => match failure.kind {
                FailureKind::Unauthorised | FailureKind::Limited | FailureKind::Unreachable => {
                    Err(Trouble::General(failure))
                }
                _ => Ok(()),
            },
        }
    }

    async fn read_aims(
        &self,
        there: &LearnerThere<Learner>,
        want: &Want,
        reading: &mut Reading,
    ) -> Result<(), Trouble> {
        match (want.depth, want.aims.is_empty()) {
            (Depth::Whole, _) | (Depth::Named, true) => self.read_all_aims(there, reading).await,
            (Depth::Named, false) => {
                for id in &want.aims {
                    self.read_aim(there, id, reading).await?;
                }
                Ok(())
            }
            (Depth::Reviews | Depth::Kept, _) => Ok(()),
        }
    }

    async fn read_all_aims(
        &self,
        there: &LearnerThere<Learner>,
        reading: &mut Reading,
    ) -> Result<(), Trouble> {
        let found = match single(self.client.aims_of(&there.user_id).await?)? {
            Ok(found) => found,
            Err(failure) => {
                reading.failed.push(("Learning aims".to_owned(), failure));
                return Ok(());
            }
        };
        reading.all_aims = found.unreadable == 0;
        if !reading.all_aims {
            reading.notes.push("OneFile's list of learning aims has rows that cannot be read.".to_owned());
        }
        let mut seen = Vec::new();
        for aim in found.read {
            seen.push(aim.id.clone());
            let code = self.code(&there.centre_id, aim.standard_id.as_deref());
            convert::put_aim(&mut reading.portfolio, aim, code);
        }
        for (row, failure) in found.failed {
            seen.push(row.id.clone());
            let code = self.code(&there.centre_id, row.standard_id.as_deref());
            let own = convert::aim_entry(&mut reading.portfolio, &row.id);
            own.read = false;
            own.vq_reference = code.or_else(|| own.vq_reference.take());
            reading.failed.push((format!("Learning aim {}", row.id), failure));
        }
        let missing: Vec<_> = reading
            .portfolio
            .aims
            .iter()
            .filter(|own| !own.gone && !seen.contains(&own.learning_aim_id))
            .map(|own| own.learning_aim_id.clone())
            .collect();
        for id in missing {
            self.read_aim(there, &id, reading).await?;
        }
        Ok(())
    }

    /// Reads one learning aim; one that is not there, or another learner's, is gone.
    pub(crate) async fn read_aim(
        &self,
        there: &LearnerThere<Learner>,
        id: &str,
        reading: &mut Reading,
    ) -> Result<(), Trouble> {
        match single(self.client.learning_aim(id).await?)? {
            Ok(aim) if aim.user_id.as_deref().is_none_or(|own| own == there.user_id) => {
                let code = self.code(&there.centre_id, aim.standard_id.as_deref());
                convert::put_aim(&mut reading.portfolio, aim, code);
            }
            Ok(_) => gone_aim(&mut reading.portfolio, id),
            Err(failure) if failure.kind == FailureKind::Missing => gone_aim(&mut reading.portfolio, id),
            Err(failure) => {
                convert::aim_entry(&mut reading.portfolio, id).read = false;
                reading.failed.push((format!("Learning aim {id}"), failure));
            }
        }
        Ok(())
    }

    async fn read_reviews(
        &self,
        there: &LearnerThere<Learner>,
        want: &Want,
        reading: &mut Reading,
    ) -> Result<(), Trouble> {
        if want.depth == Depth::Kept {
            return Ok(());
        }
        if want.depth == Depth::Reviews {
            let due: Vec<_> =
                reading.portfolio.reviews.iter().filter(|own| is_due(own, self.now)).cloned().collect();
            for own in due {
                self.read_review(there, &own.one_file_id, reading).await?;
            }
            return Ok(());
        }
        let found = match single(self.client.review_rows_of(&there.user_id).await?)? {
            Ok(found) => found,
            Err(failure) => {
                reading.failed.push(("Reviews".to_owned(), failure));
                return Ok(());
            }
        };
        if found.unreadable > 0 {
            reading.notes.push("OneFile's list of reviews has rows that cannot be read.".to_owned());
        }
        let mut seen = Vec::with_capacity(found.rows.len());
        for row in found.rows {
            seen.push(row.id.clone());
            let known = reading.portfolio.reviews.iter().find(|own| own.one_file_id == row.id && !own.gone);
            if self.row_says_all(known, &row) {
                convert::put_review(&mut reading.portfolio, &row);
            } else {
                self.read_review(there, &row.id, reading).await?;
            }
        }
        let missing: Vec<_> = reading
            .portfolio
            .reviews
            .iter()
            .filter(|own| !own.gone && !seen.contains(&own.one_file_id))
            .map(|own| own.one_file_id.clone())
            .collect();
        for id in missing {
            self.read_review(there, &id, reading).await?;
        }
        Ok(())
    }

    /// Whether a row has all that the single record would have: the review is known to be held, or
    /// the row says so, or its day is still to come.
    fn row_says_all(&self, known: Option<&PortfolioReview>, row: &Review) -> bool {
        if row.started.is_some() {
            return true;
        }
        let Some(known) = known else { return false };
        let same = row.scheduled.is_none() || row.scheduled == known.scheduled_for;
        // A request for one learner also finds reviews that were held early. For all learners that
        // takes too many calls.
        let soon = if self.run.is_none() { HELD_EARLY } else { COMES_SOON };
        let far = known.scheduled_for.is_some_and(|at| at > self.now + soon);
        same && (known.started_on.is_some() || far)
    }

    async fn read_review(
        &self,
        there: &LearnerThere<Learner>,
        id: &str,
        reading: &mut Reading,
    ) -> Result<(), Trouble> {
        match single(self.client.review(id).await?)? {
            Ok(review) if review.learner_id.as_deref().is_none_or(|own| own == there.user_id) => {
                convert::put_review(&mut reading.portfolio, &review);
            }
            Ok(_) => gone_review(&mut reading.portfolio, id),
            Err(failure) if failure.kind == FailureKind::Missing => {
                gone_review(&mut reading.portfolio, id);
            }
            Err(failure) => reading.failed.push((format!("Review {id}"), failure)),
        }
        Ok(())
    }
}

fn gone_aim(portfolio: &mut Portfolio, id: &str) {
    if let Some(own) = portfolio.aims.iter_mut().find(|own| own.learning_aim_id == id) {
        own.gone = true;
    }
}

/// Marks a known review as deleted. Of an unknown one nothing is stored.
fn gone_review(portfolio: &mut Portfolio, id: &str) {
    if let Some(own) = portfolio.reviews.iter_mut().find(|own| own.one_file_id == id) {
        own.gone = true;
    }
}
