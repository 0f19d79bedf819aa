//! The steps of an enrolment, one after the other, each settled before the next: whom the learner needs, the classroom, the user, its
//! learning aims, further assessors, reviews. Each creation is an intent of its own; what was made is linked at once. A step that
//! OneFile refuses stops it there; one whose answer was lost is looked for, and then it goes on.

mod learner_steps;
mod prerequisites;
mod step;

use std::collections::BTreeMap;
use std::time::Duration;

use uuid::Uuid;

use super::report::{ClassroomState, PlannedAim, PlannedState};
use crate::domain::{EnrolmentState, StepState};
use crate::onefile::OneFile;
use crate::onefile::client::Client;
use crate::onefile::create::payloads::assignment;
use crate::onefile::create::plan::Plan;
use crate::store::{By, Enrolment, EnrolmentStep, IntentProblem, NewEnrolment, StoreError};

/// An enrolment that OneFile has not answered for this long has failed.
const LONGEST: chrono::TimeDelta = chrono::TimeDelta::hours(24);

/// Why the steps go no further for now.
enum Stop {
    /// OneFile refused the step, or it cannot be taken.
    Rejected,
    /// The step's outcome is not known.
    Unknown,
    /// OneFile takes no calls now.
    Later(Duration),
    /// Somebody else goes on with it.
    Taken,
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// An enrolment that we work at.
pub(crate) struct EnrolmentSteps<'a> {
    onefile: &'a OneFile,
    client: Client,
    new: NewEnrolment,
    worker: Uuid,
    by: By,
    plan: Plan,
    steps: Vec<EnrolmentStep>,
    started_at: Option<crate::store::Time>,
    /// The learner's user was made by these steps, just now: it has nothing yet.
    fresh: bool,
}

impl<'a> EnrolmentSteps<'a> {
    pub(crate) fn new(
        onefile: &'a OneFile,
        client: Client,
        new: NewEnrolment,
        worker: Uuid,
        by: By,
        plan: Plan,
        before: Option<Enrolment>,
    ) -> Self {
        let started_at = before.as_ref().map(|own| own.started_at);
        let steps = before.map(|own| own.steps).unwrap_or_default();
        Self { onefile, client, new, worker, by, plan, steps, started_at, fresh: false }
    }

    /// Takes the steps as far as they go; answers where the enrolment stands then. `None`: somebody else goes on with it.
    pub(crate) async fn run(mut self) -> Result<Option<EnrolmentState>, StoreError> {
        let came = self.all().await;
        let has_user = self.done("user").is_some();
        let waits = |state| if has_user { EnrolmentState::Incomplete } else { state };
        let (state, resume) = match came {
            Ok(()) => {
                let whole = self.steps.iter().all(|step| step.state == StepState::Done);
                (if whole { EnrolmentState::Enrolled } else { EnrolmentState::Incomplete }, None)
            }
            Err(Stop::Rejected) => (waits(EnrolmentState::Rejected), None),
            Err(Stop::Unknown) => (waits(EnrolmentState::Unknown), None),
            Err(Stop::Later(wait)) => {
                let now = self.onefile.store.now().await?;
                let over = self.started_at.is_some_and(|started| now - started > LONGEST);
                if over {
                    (waits(EnrolmentState::Rejected), None)
                } else {
                    (EnrolmentState::Enrolling, Some(wait))
                }
            }
            Err(Stop::Taken) => return Ok(None),
            Err(Stop::Store(error)) => return Err(error),
        };
        let store = &self.onefile.store;
        let left = store.leave_enrolment(&self.new, self.worker, state, &self.steps, resume).await?;
        Ok(left.then_some(state))
    }

    async fn all(&mut self) -> Result<(), Stop> {
        self.announce();
        let mut officers = BTreeMap::new();
        for officer in self.plan.preview.officers.clone() {
            if let Some(remote) = self.officer(&officer).await? {
                officers.insert(officer.officer_id, remote);
            }
        }
        let placement = self.placement().await?;
        let classroom = self.classroom().await?;
        let main = self.plan.main_officer.as_ref().and_then(|id| officers.get(id)).cloned();
        let (Some(main), Some(placement), Some(classroom)) = (main, placement, classroom) else {
            let problem = IntentProblem::ours(
                "fieldsMissing",
                "The learner has lost its main officer, placement or classroom since: see the preview.",
            );
            return self.reject("user", problem).await;
        };
        let user = self.user(&main, &placement, &classroom).await?;
        let aims: Vec<_> = self
            .plan
            .learner
            .qualifications
            .clone()
            .into_iter()
            .zip(self.plan.preview.qualifications.clone())
            .filter_map(|(own, planned)| match planned.state {
                PlannedAim::There | PlannedAim::Assigned => Some((own, planned.standard_id?)),
                PlannedAim::ChoosePathway | PlannedAim::OtherCentre | PlannedAim::Missing => None,
            })
            .collect();
        for (own, standard) in aims {
            self.aim(&user, &own, &standard).await?;
        }
        for (officer, standard) in self.plan.assigned.clone() {
            if let Some(remote) = officers.get(&officer).cloned() {
                self.assign(&user, &officer, &remote, standard.as_deref()).await?;
            }
        }
        self.reviews(&user, &main, &officers).await
    }

    /// The steps that are to come, so that the tab shows them.
    fn announce(&mut self) {
        let preview = &self.plan.preview;
        let mut names = Vec::new();
        for officer in &preview.officers {
            if matches!(officer.state, PlannedState::Matched | PlannedState::Create) {
                names.push(format!("assessor:{}", officer.officer_id));
            }
        }
        if let Some(own) = &preview.organisation
            && matches!(own.state, PlannedState::Matched | PlannedState::Create)
        {
            names.push(format!("placement:{}", own.organisation_id));
        }
        if preview.classroom.as_ref().is_some_and(|own| own.state == ClassroomState::Create) {
            names.push("classroom".to_owned());
        }
        names.push("user".to_owned());
        for own in preview.qualifications.iter().filter(|own| own.standard_id.is_some()) {
            let reference = own.vq_reference.as_deref().unwrap_or_default();
            names.push(format!("aim:{reference}"));
            names.push(format!("aimDetails:{reference}"));
        }
        names.extend(
            self.plan.assigned.iter().map(|(officer, standard)| assignment(officer, standard.as_deref())),
        );
        for review in &preview.reviews {
            names.push(format!("visit:{}", review.review_id));
            names.push(format!("review:{}", review.review_id));
        }
        // What was not begun and is not wanted any more falls away; what was begun stays.
        self.steps.retain(|step| step.state != StepState::Pending || names.contains(&step.name));
        for name in names {
            if !self.steps.iter().any(|step| step.name == name) {
                self.steps.push(EnrolmentStep {
                    name,
                    state: StepState::Pending,
                    remote_id: None,
                    problem: None,
                });
            }
        }
    }

    fn done(&self, step: &str) -> Option<String> {
        let own = self.steps.iter().find(|own| own.name == step && own.state == StepState::Done)?;
        own.remote_id.clone()
    }

    async fn note(
        &mut self,
        step: &str,
        state: StepState,
        remote_id: Option<String>,
        problem: Option<IntentProblem>,
    ) -> Result<(), Stop> {
        let noted = EnrolmentStep { name: step.to_owned(), state, remote_id, problem };
        match self.steps.iter_mut().find(|own| own.name == step) {
            Some(own) => *own = noted,
            None => self.steps.push(noted),
        }
        let lease = self.onefile.timings.job;
        if self.onefile.store.save_enrolment(&self.new, self.worker, &self.steps, lease).await? {
            Ok(())
        } else {
            Err(Stop::Taken)
        }
    }

    async fn reject<T>(&mut self, step: &str, problem: IntentProblem) -> Result<T, Stop> {
        self.note(step, StepState::Rejected, None, Some(problem)).await?;
        Err(Stop::Rejected)
    }
}
