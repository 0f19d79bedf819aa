//! The exchange of learners with OneFile: of one now, of all every day. What is read there is compared with the record by the
//! rules of `diff`, the same that say beforehand what it would do; what differs goes up or comes down, and nothing else is written.

use uuid::Uuid;

use crate::domain::{Learner, LearnerId};
use crate::onefile::sync::context::{ExchangeContext, Trouble, Want};
use crate::onefile::{OneFile, OneFileError};
use crate::store::{By, OutcomeKind, RecordOutcome};
use crate::upstream::pace::Class;

#[derive(Debug)]
pub enum SyncedOne {
    /// The exchange ran as far as possible.
    Came(Box<RecordOutcome>),
    /// There is no such learner, or it is not linked.
    NotLinked,
    /// Another process exchanges or enrols the learner now.
    InFlight,
}

impl OneFile {
    /// Exchanges one learner now. It may create records in OneFile, so it must not be cancelled:
    /// callers spawn it. Returns an upstream error only if it concerns the connection as a whole.
    pub async fn exchange_now(
        &self,
        provider: Uuid,
        learner: &LearnerId,
        by: By,
    ) -> Result<SyncedOne, OneFileError> {
        let (client, settings) = self.client(provider, Class::Interactive).await?;
        let context = ExchangeContext::of(self, client, &settings, provider, None, by.clone()).await?;
        let environment = settings.choices.environment;
        let link = self
            .store
            .onefile_link_of(provider, environment, crate::store::RecordKind::Learner, learner.as_str())
            .await?;
        if link.is_none() {
            return Ok(SyncedOne::NotLinked);
        }
        let worker = Uuid::new_v4();
        let lease = self.timings.job * 2;
        let id = learner.as_str();
        let held = self.store.hold_learner::<Learner>(provider, environment, id, worker, lease).await?;
        let Some(there) = held else { return Ok(SyncedOne::InFlight) };
        let came = match self.store.audit_call(provider, &by, "onefile.sync", "learner", id).await {
            Ok(()) => context.exchange(there, worker, &Want::whole()).await,
            Err(error) => Err(Trouble::Store(error)),
        };
        self.store.release_learner(provider, environment, id, worker).await?;
        self.note_connection(provider, crate::onefile::sync::context::failure_of(&came)).await?;
        match came {
            Ok(Some(outcome)) if outcome.code == crate::domain::RecordCode::InFlight => {
                Ok(SyncedOne::InFlight)
            }
            Ok(Some(outcome)) => Ok(SyncedOne::Came(Box::new(outcome))),
            Ok(None) => Ok(SyncedOne::NotLinked),
            Err(Trouble::General(failure)) => Err(failure.into()),
            Err(Trouble::Store(error)) => Err(error.into()),
            Err(Trouble::Replaced) => Ok(SyncedOne::InFlight),
        }
    }
}

impl SyncedOne {
    /// The outcome, if it is a failure.
    pub fn failed(&self) -> Option<&RecordOutcome> {
        match self {
            Self::Came(outcome) if outcome.outcome == OutcomeKind::Failed => Some(outcome),
            Self::Came(_) | Self::NotLinked | Self::InFlight => None,
        }
    }
}
