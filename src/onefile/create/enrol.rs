//! Enrolling a learner in OneFile: what it needs is looked up, the pure rules of `plan` say what would be sent and what is in
//! its way, and `steps/` creates each part once.

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::domain::{EnrolmentState, LearnerId};
use crate::onefile::client::Client;
use crate::onefile::create::plan::Plan;
use crate::onefile::create::report::EnrolmentPreview;
use crate::onefile::create::steps::EnrolmentSteps;
use crate::onefile::create::wanted::Wanted;
use crate::onefile::{OneFile, OneFileError};
use crate::store::{
    BegunEnrolment, By, EnrolmentOrder, NewEnrolment, OneFileSettings, RecordKind, WaitingEnrolment,
};
use crate::upstream::pace::Class;

/// What came of an enrolment.
#[derive(Debug)]
pub enum Enrolled {
    /// The steps ran as far as possible: the state of the enrolment.
    Came(EnrolmentState),
    /// The enrolment would succeed. Nothing was sent, because only a check was requested.
    Would,
    NoLearner,
    /// The learner has this user, and its enrolment is complete.
    Already(String),
    /// Another process works on it, or its outcome is unknown.
    InFlight,
    /// Something is missing, or OneFile probably has the learner.
    NotReady(Box<EnrolmentPreview>),
}

impl OneFile {
    /// What an enrolment would send, and what prevents it. Creates nothing. `None`: there is no
    /// such learner.
    pub async fn preview_enrolment(&self, wanted: &Wanted) -> Result<Option<EnrolmentPreview>, OneFileError> {
        if !self.store.is_there(wanted.provider, RecordKind::Learner, wanted.learner.as_str()).await? {
            return Ok(None);
        }
        let settings = self.store.onefile_settings(wanted.provider).await?;
        let client = self.client_of(&settings, Class::Interactive)?;
        let Some(mut plan) = self.plan(wanted, &settings, &client, true).await? else { return Ok(None) };
        if !settings.choices.enabled {
            plan.preview.switched_off();
        }
        let (environment, id) = (settings.choices.environment, wanted.learner.as_str());
        let before = self.store.enrolment(wanted.provider, environment, id).await?;
        let whole = before.is_none_or(|own| own.state == EnrolmentState::Enrolled);
        if let Some(user) = self.user_of(wanted.provider, environment, id).await?.filter(|_| whole) {
            plan.preview.there_already(&user);
        }
        Ok(Some(plan.preview))
    }

    /// Enrols a learner, or continues an enrolment that stopped. `opened` is cancelled once the
    /// enrolment is written. From then on the call must not be cancelled, so callers spawn it.
    pub async fn enrol(&self, wanted: &Wanted, opened: &CancellationToken) -> Result<Enrolled, OneFileError> {
        // Check first that the learner belongs to this provider. Otherwise even "the integration is
        // off" would reveal something.
        let id = wanted.learner.as_str();
        if !self.store.is_there(wanted.provider, RecordKind::Learner, id).await? {
            return Ok(Enrolled::NoLearner);
        }
        let (client, settings) = match &wanted.run {
            Some((_, client)) => (client.clone(), self.store.onefile_settings(wanted.provider).await?),
            None => self.client(wanted.provider, Class::Interactive).await?,
        };
        let environment = settings.choices.environment;
        let before = self.store.enrolment(wanted.provider, environment, wanted.learner.as_str()).await?;
        if before.as_ref().is_some_and(|own| own.at_work || own.state == EnrolmentState::Unknown) {
            return Ok(Enrolled::InFlight);
        }
        let user = self.user_of(wanted.provider, environment, wanted.learner.as_str()).await?;
        let whole = before.as_ref().is_none_or(|own| own.state == EnrolmentState::Enrolled);
        if let Some(user) = user.as_ref().filter(|_| whole) {
            return Ok(Enrolled::Already(user.clone()));
        }
        let Some(plan) = self.plan(wanted, &settings, &client, user.is_none()).await? else {
            return Ok(Enrolled::NoLearner);
        };
        let Some(centre_id) = plan.preview.centre_id.clone().filter(|_| plan.preview.ready) else {
            return Ok(Enrolled::NotReady(Box::new(plan.preview)));
        };
        if wanted.validate_only {
            return Ok(Enrolled::Would);
        }
        let new = NewEnrolment {
            provider: wanted.provider,
            environment,
            learner: wanted.learner.as_str().to_owned(),
            centre_id,
            order: EnrolmentOrder {
                pathways: wanted.pathways.clone(),
                allow_duplicate: wanted.allow_duplicate,
            },
            run_id: wanted.run.as_ref().map(|(run, _)| *run),
        };
        match self.store.begin_enrolment(&new, self.timings.job, &wanted.by).await? {
            BegunEnrolment::Ours(worker) => {
                opened.cancel();
                let steps = EnrolmentSteps::new(self, client, new, worker, wanted.by.clone(), plan, before);
                Ok(steps.run().await?.map_or(Enrolled::InFlight, Enrolled::Came))
            }
            BegunEnrolment::InFlight => Ok(Enrolled::InFlight),
            BegunEnrolment::NoRecord => Ok(Enrolled::NoLearner),
        }
    }

    /// Continues a waiting enrolment, unless another process does. After an error the enrolment
    /// waits again.
    pub async fn resume_enrolment(&self, waiting: &WaitingEnrolment) -> Result<(), OneFileError> {
        let (provider, learner) = (waiting.provider_id, &waiting.learner_id);
        let Ok(id) = LearnerId::parse(learner) else { return Ok(()) };
        let Some(own) = self.store.enrolment(provider, waiting.environment, learner).await? else {
            return Ok(());
        };
        let Some(worker) = self.store.take_enrolment(waiting, self.timings.job).await? else { return Ok(()) };
        let new = NewEnrolment {
            provider,
            environment: waiting.environment,
            learner: learner.clone(),
            centre_id: own.centre_id.clone(),
            order: own.order.clone(),
            run_id: own.run_id,
        };
        let wanted = Wanted {
            provider,
            learner: id,
            centre_id: Some(own.centre_id.clone()),
            pathways: own.order.pathways.clone(),
            allow_duplicate: own.order.allow_duplicate,
            validate_only: false,
            run: None,
            by: By::itself(own.requested_by.clone()),
        };
        // The settings may have changed, but the enrolment continues in its environment.
        let mut settings = self.store.onefile_settings(provider).await?;
        settings.choices.environment = waiting.environment;
        let client = self.client_of(&settings, Class::Bulk)?;
        let planned = self.plan(&wanted, &settings, &client, false).await;
        let plan = match planned {
            Ok(Some(plan)) => plan,
            Ok(None) => return Ok(()),
            Err(error) => {
                let state = EnrolmentState::Enrolling;
                let again = Some(self.timings.retry);
                self.store.leave_enrolment(&new, worker, state, &own.steps, again).await?;
                return Err(error);
            }
        };
        let by = wanted.by.clone();
        EnrolmentSteps::new(self, client, new, worker, by, plan, Some(own)).run().await?;
        Ok(())
    }

    /// The learner's user in OneFile.
    async fn user_of(
        &self,
        provider: Uuid,
        environment: crate::domain::OneFileEnvironment,
        learner: &str,
    ) -> Result<Option<String>, OneFileError> {
        let link = self.store.onefile_link_of(provider, environment, RecordKind::Learner, learner).await?;
        Ok(link.map(|link| link.remote_id))
    }

    /// Reads what the enrolment needs, and plans it. `search`: also ask OneFile whether it has the
    /// learner already.
    async fn plan(
        &self,
        wanted: &Wanted,
        settings: &OneFileSettings,
        client: &Client,
        search: bool,
    ) -> Result<Option<Plan>, OneFileError> {
        let Some(context) = self.enrolment_ground(wanted, settings).await? else { return Ok(None) };
        let mut plan = crate::onefile::create::plan::plan(&context, wanted);
        // Of a learner who has a user there is nobody to look for.
        if search && context.user.is_none() {
            plan.preview.possible_duplicates =
                self.possible_users(client, wanted.provider, &wanted.learner, &context).await?;
        }
        plan.preview.judge(wanted.allow_duplicate);
        Ok(Some(plan))
    }
}
