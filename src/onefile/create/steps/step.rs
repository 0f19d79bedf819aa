//! Taking a step: creating something once, or changing what is there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{EnrolmentSteps, Stop};
use crate::domain::{IntentState, StepState, SubjectKind, Upstream};
use crate::onefile::OneFileError;
use crate::onefile::create::create_steps::CreateCall;
use crate::onefile::create::creation::{Before, OneFileCreation, SearchStop};
use crate::store::{IntentKey, IntentProblem, IntentRow, RecordKind};
use crate::upstream::creation::Created;
use crate::upstream::failure::{Failure, FailureKind};

/// How long a step waits for its permit before the enrolment is put off.
const PATIENCE: Duration = Duration::from_secs(40);
/// The pause between two looks at somebody else's creation of the same thing.
const LOOK: Duration = Duration::from_millis(200);

/// A step that creates something.
pub(super) struct CreateStep {
    /// The name of the step in the enrolment.
    pub(super) name: String,
    pub(super) subject: SubjectKind,
    pub(super) subject_id: String,
    /// The step of the intent, which other enrolments share.
    pub(super) intent: String,
    pub(super) call: CreateCall,
    pub(super) before: Before,
}

impl EnrolmentSteps<'_> {
    /// A change of what is there.
    pub(super) async fn change(
        &mut self,
        step: &str,
        operation: &'static str,
        path: String,
        body: &Value,
    ) -> Result<(), Stop> {
        let patience_ends = Instant::now() + PATIENCE;
        loop {
            match self.client.change(operation, path.clone(), body).await? {
                Ok(()) => return self.note(step, StepState::Done, None, None).await,
                Err(failure) => self.after(step, failure, patience_ends).await?,
            }
        }
    }

    /// What a failure means for a step in which nothing can have been made: it is tried again, put off, or over.
    pub(super) async fn after(
        &mut self,
        step: &str,
        failure: Failure,
        patience_ends: Instant,
    ) -> Result<(), Stop> {
        let wait = failure.wait.unwrap_or(self.onefile.timings.retry);
        match failure.kind {
            FailureKind::Limited if Instant::now() + wait < patience_ends => {
                self.note(step, StepState::Pending, None, None).await?;
                tokio::time::sleep(wait).await;
                Ok(())
            }
            FailureKind::Limited | FailureKind::Unreachable | FailureKind::Failed => {
                self.note(step, StepState::Pending, None, Some(failure.problem())).await?;
                Err(Stop::Later(wait))
            }
            FailureKind::Unauthorised
            | FailureKind::Forbidden
            | FailureKind::Missing
            | FailureKind::Refused => self.reject(step, failure.problem()).await,
        }
    }

    /// Creates something once; answers its id.
    pub(super) async fn create(&mut self, step: CreateStep) -> Result<String, Stop> {
        if let Some(id) = self.done(&step.name) {
            return Ok(id);
        }
        let key = IntentKey {
            provider: self.new.provider,
            upstream: Upstream::OneFile,
            environment: self.new.environment.as_str().to_owned(),
            subject_kind: step.subject,
            subject_id: step.subject_id.clone(),
            step: step.intent.clone(),
        };
        let store = self.onefile.store.clone();
        let patience_ends = Instant::now() + PATIENCE;
        loop {
            let latest = store.latest_intent(&key).await?;
            let done_before = latest.as_ref().filter(|own| own.state == IntentState::Done).map(|own| own.id);
            if let Some(id) = self.earlier(&step, latest).await? {
                return self.made(&step.name, id).await;
            }
            let creation = Arc::new(OneFileCreation {
                onefile: self.onefile.clone(),
                client: self.client.clone(),
                key: key.clone(),
                call: step.call.clone(),
                before: step.before,
                done_before,
                run_id: self.new.run_id,
                by: self.by.clone(),
            });
            let created = match self.onefile.creations.create(&creation).await {
                Ok(created) => created,
                Err(OneFileError::Store(error)) => return Err(error.into()),
                Err(OneFileError::Upstream(failure)) => Created::NotSent(failure),
                Err(error @ (OneFileError::Disabled | OneFileError::NotConfigured(_))) => {
                    let problem = IntentProblem::ours("integrationDisabled", error.to_string());
                    return self.reject(&step.name, problem).await;
                }
            };
            match created {
                Created::Done(id) | Created::Elsewhere(Some(id)) => return self.made(&step.name, id).await,
                Created::Stopped(SearchStop::There(id)) => return self.take(&step, id).await,
                Created::Stopped(SearchStop::Alike(ids)) => {
                    let ids = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                    let text = format!(
                        "OneFile probably has it already ({ids}): link it (POST /onefile/links, or PUT /learners/{{id}}/onefile/link), or enrol with `allowDuplicate: true`."
                    );
                    return self.reject(&step.name, IntentProblem::ours("likelyDuplicate", text)).await;
                }
                Created::Rejected(failure) => return self.reject(&step.name, failure.problem()).await,
                Created::NotSent(failure) => self.after(&step.name, failure, patience_ends).await?,
                Created::Unknown(failure) => {
                    self.note(&step.name, StepState::Unknown, None, Some(failure.problem())).await?;
                    return Err(Stop::Unknown);
                }
                Created::InFlight | Created::Elsewhere(None) => {
                    if let Some(id) = self.wait_for_other(&step, &key).await? {
                        return self.made(&step.name, id).await;
                    }
                }
                Created::AlreadyLinked => {
                    if let Some(id) = self.linked_meanwhile(&step).await? {
                        return self.linked_id(&step.name, id).await;
                    }
                }
                Created::NoRecord => {
                    let text = format!("PICSWeb's {} {} is gone.", step.subject.as_str(), step.subject_id);
                    return self.reject(&step.name, IntentProblem::ours("notFound", text)).await;
                }
            }
        }
    }

    /// OneFile has the record already: it is linked with its subject, if it is to be linked at all.
    async fn take(&mut self, step: &CreateStep, id: i64) -> Result<String, Stop> {
        match (step.call.link.clone(), step.subject.record()) {
            (Some(link), Some(kind)) => {
                self.link(&step.name, kind, &step.subject_id, &id.to_string(), &link.name).await
            }
            _ => self.made(&step.name, id).await,
        }
    }

    /// The OneFile id that the subject was linked with since the plan was made.
    async fn linked_meanwhile(&self, step: &CreateStep) -> Result<Option<String>, Stop> {
        let Some(kind) = step.subject.record() else { return Err(Stop::Taken) };
        let links =
            self.onefile.store.onefile_links_of(self.new.provider, self.new.environment, kind).await?;
        let own = links.into_iter().find(|own| {
            own.local_id == step.subject_id
                && (kind == RecordKind::Learner || own.centre_id == self.new.centre_id)
        });
        Ok(own.map(|own| own.remote_id))
    }

    async fn linked_id(&mut self, step: &str, id: String) -> Result<String, Stop> {
        self.note(step, StepState::Done, Some(id.clone()), None).await?;
        Ok(id)
    }

    pub(super) async fn made(&mut self, step: &str, id: i64) -> Result<String, Stop> {
        self.note(step, StepState::Done, Some(id.to_string()), None).await?;
        Ok(id.to_string())
    }

    /// What an earlier try of this enrolment came to.
    async fn earlier(&mut self, step: &CreateStep, latest: Option<IntentRow>) -> Result<Option<i64>, Stop> {
        let Some(intent) = latest else { return Ok(None) };
        // What was created before this enrolment began may be gone since.
        let ours = self.started_at.is_some_and(|started| intent.created_at >= started);
        match intent.state {
            IntentState::Done if ours && step.call.link.is_none() => Ok(intent.remote_id),
            IntentState::Unknown => {
                let problem = self.onefile.store.intent_problem(&intent)?;
                self.note(&step.name, StepState::Unknown, None, problem).await?;
                Err(Stop::Unknown)
            }
            IntentState::Done | IntentState::Sending | IntentState::Rejected | IntentState::NotSent => {
                Ok(None)
            }
        }
    }

    /// Somebody else creates the same just now: waits for the outcome. None: nothing came of it.
    async fn wait_for_other(&mut self, step: &CreateStep, key: &IntentKey) -> Result<Option<i64>, Stop> {
        let store = self.onefile.store.clone();
        let patience_ends = Instant::now() + self.onefile.timings.lease + Duration::from_secs(1);
        while let Some(open) = store.open_intent_of(key).await? {
            if open.state == IntentState::Unknown || Instant::now() >= patience_ends {
                let problem = store.intent_problem(&open)?;
                self.note(&step.name, StepState::Unknown, None, problem).await?;
                return Err(Stop::Unknown);
            }
            tokio::time::sleep(LOOK).await;
        }
        let latest = store.latest_intent(key).await?;
        Ok(latest.filter(|own| own.state == IntentState::Done).and_then(|own| own.remote_id))
    }
}
