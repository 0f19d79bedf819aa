//! What an exchange creates for a learner, once ever: the result of an earlier exchange or enrolment is taken as it is.

use std::sync::Arc;

use crate::domain::{IntentState, SubjectKind, Upstream};
use crate::onefile::OneFileError;
use crate::onefile::create::create_steps::{CreateCall, CreatedKind};
use crate::onefile::create::creation::{Before, OneFileCreation, SearchStop};
use crate::onefile::sync::context::{ExchangeContext, Trouble};
use crate::store::IntentKey;
use crate::upstream::creation::Created;
use crate::upstream::failure::{Failure, FailureKind};

/// What a creation for a learner came to.
pub(crate) enum Came {
    /// OneFile has it under this id.
    There {
        id: String,
        /// Whether it was created just now.
        fresh: bool,
    },
    /// Its outcome is not known yet.
    Open,
    Refused(Failure),
}

impl ExchangeContext {
    /// Creates something of a learner's, if no earlier intent of this step did.
    pub(crate) async fn create(
        &self,
        learner: &str,
        step: String,
        call: CreateCall,
    ) -> Result<Came, Trouble> {
        let key = IntentKey {
            provider: self.provider,
            upstream: Upstream::OneFile,
            environment: self.environment.as_str().to_owned(),
            subject_kind: SubjectKind::Learner,
            subject_id: learner.to_owned(),
            step,
        };
        if let Some(latest) = self.onefile.store.latest_intent(&key).await? {
            match (latest.state, latest.remote_id) {
                (IntentState::Done, Some(id)) => {
                    return Ok(Came::There { id: id.to_string(), fresh: false });
                }
                (IntentState::Sending | IntentState::Unknown, _) => return Ok(Came::Open),
                (IntentState::Done | IntentState::Rejected | IntentState::NotSent, _) => {}
            }
        }
        let before = match call.made {
            CreatedKind::Aim => Before::Search { allow_duplicate: false },
            // A review belongs to a visit that was created a moment ago, and a visit has no look-up.
            CreatedKind::User
            | CreatedKind::Placement
            | CreatedKind::Classroom
            | CreatedKind::Visit
            | CreatedKind::Review => Before::Nothing,
        };
        let creation = Arc::new(OneFileCreation {
            onefile: self.onefile.clone(),
            client: self.client.clone(),
            key,
            call,
            before,
            done_before: None,
            run_id: self.run.map(|(run, _)| run),
            by: self.by.clone(),
        });
        let created = match self.onefile.creations.create(&creation).await {
            Ok(created) => created,
            Err(OneFileError::Store(error)) => return Err(error.into()),
            // The search failed.
            Err(OneFileError::Upstream(failure)) => Created::Rejected(failure),
            Err(error @ (OneFileError::Disabled | OneFileError::NotConfigured(_))) => {
                Created::NotSent(Failure::new(FailureKind::Failed, None, error.to_string()))
            }
        };
        match created {
            Created::Done(id) => Ok(Came::There { id: id.to_string(), fresh: true }),
            Created::Elsewhere(Some(id)) | Created::Stopped(SearchStop::There(id)) => {
                Ok(Came::There { id: id.to_string(), fresh: false })
            }
            Created::Rejected(failure) if failure.kind.is_general() => Err(Trouble::General(failure)),
            Created::Rejected(failure) => Ok(Came::Refused(failure)),
            Created::NotSent(failure) => Err(Trouble::General(failure)),
            Created::Unknown(_)
            | Created::InFlight
            | Created::Elsewhere(None)
            | Created::Stopped(SearchStop::Alike(_)) => Ok(Came::Open),
            Created::AlreadyLinked | Created::NoRecord => {
                let gone = Failure::new(FailureKind::Missing, None, "PICSWeb's learner is gone");
                Ok(Came::Refused(gone))
            }
        }
    }
}
