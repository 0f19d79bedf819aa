//! Taking a step: making something, once, or changing what is there.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Saga, Stop};
use crate::domain::StepState;
use crate::onefile::lost::Settled;
use crate::onefile::making::Making;
use crate::store::{IntentProblem, IntentRow, NewIntent, Opened, RecordKind, StoreError};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::intent::Lease;

/// How long a step waits for its permit before the enrolment is put off.
const PATIENCE: Duration = Duration::from_secs(40);
/// How often somebody else's creation of the same thing is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// A creation, and whose it is.
pub(super) struct Creation {
    pub(super) step: String,
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) intent: String,
    pub(super) making: Making,
    /// It may be made though something there looks like it.
    pub(super) allow: bool,
    /// OneFile is searched for it first.
    pub(super) look: bool,
}

impl Saga<'_> {
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

    /// Makes something, once; answers its id.
    pub(super) async fn create(&mut self, creation: Creation) -> Result<String, Stop> {
        if let Some(id) = self.done(&creation.step) {
            return Ok(id);
        }
        let latest = self.latest(&creation).await?;
        let seen = latest.as_ref().filter(|own| own.state == "done").map(|own| own.id);
        if let Some(id) = self.earlier(&creation, latest).await? {
            return self.made(&creation.step, id).await;
        }
        let mut candidates = Vec::new();
        if creation.look {
            match self.there(&creation).await? {
                Ok(id) => return self.made(&creation.step, id).await,
                Err(others) => candidates = others,
            }
        }
        let patience_ends = Instant::now() + PATIENCE;
        loop {
            // The permit before the intent: its lease must not run out in the queue.
            if let Err(failure) = self.client.ready().await? {
                self.after(&creation.step, failure, patience_ends).await?;
                continue;
            }
            let intent = NewIntent {
                provider: self.new.provider,
                upstream: "onefile",
                environment: self.new.environment.as_str().to_owned(),
                subject_kind: creation.kind,
                subject_id: creation.id.clone(),
                step: creation.intent.clone().into(),
                payload: serde_json::to_vec(&creation.making).map_err(StoreError::from)?,
                candidates: candidates.clone(),
                run_id: self.new.run_id,
            };
            let linked_in = creation.making.link.as_ref().map(|link| link.centre_id.as_str());
            let lease = Lease::begin(self.onefile.timings.lease);
            let store = &self.onefile.store;
            match store.open_onefile_intent(&intent, linked_in, seen, lease.lasts(), &self.by).await? {
                Opened::Ours(intent) => {
                    let sent =
                        self.onefile.send_intent(&self.client, &intent, &creation.making, lease, &self.by);
                    match sent.await? {
                        Settled::Done(id) => return self.made(&creation.step, id).await,
                        Settled::Rejected(failure) => {
                            return self.reject(&creation.step, failure.problem()).await;
                        }
                        Settled::NotSent(failure) => {
                            self.after(&creation.step, failure, patience_ends).await?;
                        }
                        Settled::Unknown(failure) => {
                            let problem = Some(failure.problem());
                            self.note(&creation.step, StepState::Unknown, None, problem).await?;
                            return Err(Stop::Unknown);
                        }
                    }
                }
                Opened::InFlight => {
                    if let Some(id) = self.other(&creation).await? {
                        return self.made(&creation.step, id).await;
                    }
                }
                Opened::AlreadyLinked => {
                    let link = creation.making.link.as_ref();
                    let kind = [RecordKind::Learner, RecordKind::Officer, RecordKind::Organisation]
                        .into_iter()
                        .find(|kind| link.is_some_and(|link| link.kind == kind.as_str()));
                    let Some(kind) = kind else { return Err(Stop::Taken) };
                    let links = store.onefile_links_of(self.new.provider, self.new.environment, kind).await?;
                    let own = links.into_iter().find(|own| {
                        own.local_id == creation.id
                            && (kind == RecordKind::Learner || own.centre_id == self.new.centre_id)
                    });
                    if let Some(own) = own {
                        self.note(&creation.step, StepState::Done, Some(own.remote_id.clone()), None).await?;
                        return Ok(own.remote_id);
                    }
                }
                Opened::NoRecord => {
                    let text = format!("PICSWeb's {} {} is gone.", creation.kind, creation.id);
                    return self.reject(&creation.step, IntentProblem::ours("notFound", text)).await;
                }
            }
        }
    }

    pub(super) async fn made(&mut self, step: &str, id: i64) -> Result<String, Stop> {
        self.note(step, StepState::Done, Some(id.to_string()), None).await?;
        Ok(id.to_string())
    }

    /// The latest intent of the same here.
    async fn latest(&self, creation: &Creation) -> Result<Option<IntentRow>, StoreError> {
        let latest = self.latest_anywhere(creation).await?;
        Ok(latest.filter(|own| own.environment == self.new.environment.as_str()))
    }

    /// The latest intent of the same in any environment: an open one bars all of them.
    async fn latest_anywhere(&self, creation: &Creation) -> Result<Option<IntentRow>, StoreError> {
        let store = &self.onefile.store;
        store.latest_intent(self.new.provider, "onefile", creation.kind, &creation.id, &creation.intent).await
    }

    /// What an earlier try of this enrolment came to, whose answer was lost, or whose process died.
    async fn earlier(&mut self, creation: &Creation, latest: Option<IntentRow>) -> Result<Option<i64>, Stop> {
        let Some(intent) = latest else { return Ok(None) };
        // What was made before this enrolment began may be gone since.
        let ours = self.started_at.is_some_and(|started| intent.created_at >= started);
        match intent.state.as_str() {
            "done" if ours && creation.making.link.is_none() => Ok(intent.remote_id),
            "unknown" => {
                let problem = self.onefile.store.intent_problem(&intent)?;
                self.note(&creation.step, StepState::Unknown, None, problem).await?;
                Err(Stop::Unknown)
            }
            _ => Ok(None),
        }
    }

    /// Somebody else makes the same just now: its outcome is waited for. `None`: nothing came of it.
    pub(super) async fn other(&mut self, creation: &Creation) -> Result<Option<i64>, Stop> {
        let patience_ends = Instant::now() + self.onefile.timings.lease + Duration::from_secs(1);
        loop {
            let Some(intent) = self.latest_anywhere(creation).await? else { return Ok(None) };
            match intent.state.as_str() {
                "done" if intent.environment == self.new.environment.as_str() => return Ok(intent.remote_id),
                "sending" if Instant::now() < patience_ends => tokio::time::sleep(LOOK).await,
                "sending" | "unknown" => {
                    let problem = self.onefile.store.intent_problem(&intent)?;
                    self.note(&creation.step, StepState::Unknown, None, problem).await?;
                    return Err(Stop::Unknown);
                }
                _ => return Ok(None),
            }
        }
    }

    /// Whether another enrolment makes the same just now, or has made and linked it.
    async fn is_made_elsewhere(&self, creation: &Creation) -> Result<bool, StoreError> {
        let store = &self.onefile.store;
        let (provider, environment) = (self.new.provider, self.new.environment);
        if self.latest(creation).await?.is_some_and(|own| own.is_open()) {
            return Ok(true);
        }
        let kind = if creation.kind == "officer" { RecordKind::Officer } else { RecordKind::Organisation };
        let links = store.onefile_links_of(provider, environment, kind).await?;
        Ok(links.iter().any(|own| own.local_id == creation.id && own.centre_id == self.new.centre_id))
    }

    /// Looks whether OneFile has it already: its id when an id says so, else the ids of what only looks like it.
    pub(super) async fn there(&mut self, creation: &Creation) -> Result<Result<i64, Vec<i64>>, Stop> {
        let patience_ends = Instant::now() + PATIENCE;
        let hits = loop {
            match self.client.find(&creation.making.find).await? {
                Ok(hits) => break hits,
                Err(failure) => self.after(&creation.step, failure, patience_ends).await?,
            }
        };
        let all: Vec<i64> = hits.iter().map(|hit| hit.id).collect();
        let same: Vec<_> = hits.iter().filter(|hit| hit.same).collect();
        // A user, whom OneFile has already, is not taken for the learner by these steps: a person links it.
        let is_learner = creation.step == "user";
        match same.as_slice() {
            [one] if !one.archived && !is_learner => {
                let Some(link) = creation.making.link.clone() else { return Ok(Ok(one.id)) };
                let kind =
                    if creation.kind == "officer" { RecordKind::Officer } else { RecordKind::Organisation };
                let remote = one.id.to_string();
                self.link(&creation.step, kind, &creation.id, &remote, &link.name).await?;
                Ok(Ok(one.id))
            }
            // That the MIS value is the same, nobody may allow: OneFile, too, would have two of one.
            _ if all.is_empty() || (creation.allow && same.is_empty()) => Ok(Err(all)),
            // Somebody else made it between the two searches: opening the intent tells.
            _ if !is_learner && self.is_made_elsewhere(creation).await? => Ok(Err(all)),
            _ => {
                let ids = all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let text = format!(
                    "OneFile probably has it already ({ids}): link it (POST /onefile/links, or PUT /learners/{{id}}/onefile/link), or enrol with `allowDuplicate: true`."
                );
                self.reject(&creation.step, IntentProblem::ours("likelyDuplicate", text)).await
            }
        }
    }
}
