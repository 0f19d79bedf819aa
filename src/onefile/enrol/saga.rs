//! The steps of an enrolment, one after the other, each settled before the next: whom the learner needs, the classroom, the user, its
//! learning aims, further assessors, reviews. Each creation is an intent of its own; what was made is linked at once. A step that
//! OneFile refuses stops it there; one whose answer was lost is looked for, and then it goes on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Plan;
use super::makings::{self, number};
use super::report::{ClassroomState, PlannedAim, PlannedOfficer, PlannedState};
use crate::domain::{
    Email, EnrolmentState, LinkMethod, Officer, Postcode, Qualification, StepState, Telephone, VqReference,
};
use crate::onefile::OneFile;
use crate::onefile::client::{ASSESSOR_ROLES, Client};
use crate::onefile::links::LEARNER_ROLE;
use crate::onefile::lost::Settled;
use crate::onefile::making::{Find, LinkTo, Made, Making, Person};
use crate::onefile::wire::day_out;
use crate::seal::hex;
use crate::store::{
    By, CLASSROOM, Enrolment, EnrolmentStep, IntentProblem, Linking, NewEnrolment, NewIntent, NewOneFileLink,
    OneFileLinked, Opened, PortfolioAim, RecordKind, StoreError,
};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::intent::Lease;

/// An assessor's role; the other one is the trainee's.
const ASSESSOR: i32 = 5;
/// How long a step waits for its permit before the enrolment is put off.
const PATIENCE: Duration = Duration::from_secs(40);
/// How often somebody else's creation of the same thing is looked at.
const LOOK: Duration = Duration::from_millis(200);
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
    /// Our database's.
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// An enrolment that we work at.
pub(super) struct Saga<'a> {
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

/// A creation, and whose it is.
struct Creation {
    step: String,
    kind: &'static str,
    id: String,
    intent: String,
    making: Making,
    /// It may be made though something there looks like it.
    allow: bool,
    /// OneFile is searched for it first.
    look: bool,
}

impl<'a> Saga<'a> {
    pub(super) fn new(
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
    pub(super) async fn run(mut self) -> Result<Option<EnrolmentState>, StoreError> {
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
            let problem = ours(
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

    /// The officer's assessor; `None`: the officer can be done without.
    async fn officer(&mut self, planned: &PlannedOfficer) -> Result<Option<String>, Stop> {
        let id = &planned.officer_id;
        let step = format!("assessor:{id}");
        match planned.state {
            PlannedState::Linked => Ok(planned.remote_id.clone()),
            PlannedState::Matched => {
                let remote = planned.remote_id.clone().unwrap_or_default();
                self.link(&step, RecordKind::Officer, id, &remote, &planned.name).await.map(Some)
            }
            PlannedState::Create => {
                let Some(officer) = self.plan.officers.get(id).cloned() else { return Ok(None) };
                let (making, centre) = (self.assessor(id, &officer), self.new.centre_id.clone());
                let creation = Creation {
                    step,
                    kind: "officer",
                    id: id.clone(),
                    intent: format!("assessor@{centre}"),
                    making,
                    allow: self.new.order.allow_duplicate,
                    look: true,
                };
                self.create(creation).await.map(Some)
            }
            // Only holders of reviews come so far like this.
            PlannedState::Ambiguous | PlannedState::Blocked => Ok(None),
        }
    }

    fn assessor(&self, id: &str, officer: &Officer) -> Making {
        let centre = &self.new.centre_id;
        let mis = officer.ident.as_deref().map(str::trim).filter(|ident| !ident.is_empty()).unwrap_or(id);
        let (first, last) = names(officer);
        let mut body = Map::new();
        body.insert("OrganisationID".to_owned(), number(centre));
        body.insert("Role".to_owned(), json!(ASSESSOR));
        body.insert("FirstName".to_owned(), json!(first));
        body.insert("LastName".to_owned(), json!(last));
        body.insert("MISID".to_owned(), json!(mis));
        let email = officer.email.as_ref().map(Email::as_str);
        body.extend(email.map(|email| ("Email".to_owned(), json!(email))));
        let phone = officer.telephone.as_ref().map(Telephone::as_str);
        body.extend(phone.map(|phone| ("Telephone".to_owned(), json!(phone))));
        Making {
            made: Made::User,
            path: "User".to_owned(),
            body: Some(Value::Object(body)),
            find: Find::Person(Person {
                centre_id: centre.clone(),
                roles: ASSESSOR_ROLES.to_vec(),
                mis_id: Some(mis.to_owned()),
                email: None,
                first_name: first.clone(),
                last_name: last.clone(),
            }),
            link: Some(LinkTo {
                kind: RecordKind::Officer.as_str().to_owned(),
                local_id: id.to_owned(),
                centre_id: centre.clone(),
                name: super::people::name_of(officer),
            }),
        }
    }

    async fn placement(&mut self) -> Result<Option<String>, Stop> {
        let Some(planned) = self.plan.preview.organisation.clone() else { return Ok(None) };
        let (id, centre) = (planned.organisation_id.clone(), self.new.centre_id.clone());
        let step = format!("placement:{id}");
        match planned.state {
            PlannedState::Linked => Ok(planned.remote_id),
            PlannedState::Matched => {
                let remote = planned.remote_id.unwrap_or_default();
                self.link(&step, RecordKind::Organisation, &id, &remote, &planned.name).await.map(Some)
            }
            PlannedState::Create => {
                let Some(own) = self.plan.organisation.clone() else { return Ok(None) };
                let mis =
                    own.ident.as_deref().map(str::trim).filter(|ident| !ident.is_empty()).unwrap_or(&id);
                let mut body = Map::new();
                body.insert("OrganisationID".to_owned(), number(&centre));
                body.insert("Name".to_owned(), json!(planned.name));
                body.insert("MISID".to_owned(), json!(mis));
                body.insert("Active".to_owned(), json!(true));
                let address = own.address.as_ref().map(|address| {
                    let postcode = address.postcode.as_ref().map(Postcode::as_str);
                    address.lines().chain(postcode).collect::<Vec<_>>().join("\n")
                });
                body.extend(
                    address.filter(|text| !text.is_empty()).map(|text| ("Address".to_owned(), json!(text))),
                );
                let phone = own.telephone.as_ref().map(Telephone::as_str);
                body.extend(phone.map(|phone| ("Telephone".to_owned(), json!(phone))));
                let making = Making {
                    made: Made::Placement,
                    path: "Placement".to_owned(),
                    body: Some(Value::Object(body)),
                    find: Find::Placement {
                        centre_id: centre.clone(),
                        name: planned.name.clone(),
                        mis_id: Some(mis.to_owned()),
                    },
                    link: Some(LinkTo {
                        kind: RecordKind::Organisation.as_str().to_owned(),
                        local_id: id.clone(),
                        centre_id: centre.clone(),
                        name: planned.name,
                    }),
                };
                let allow = self.new.order.allow_duplicate;
                let intent = format!("placement@{centre}");
                let creation = Creation { step, kind: "organisation", id, intent, making, allow, look: true };
                self.create(creation).await.map(Some)
            }
            PlannedState::Ambiguous | PlannedState::Blocked => Ok(None),
        }
    }

    async fn classroom(&mut self) -> Result<Option<String>, Stop> {
        let Some(planned) = self.plan.preview.classroom.clone() else { return Ok(None) };
        let (Some(name), ClassroomState::Create) = (planned.name, planned.state) else {
            return Ok(planned.remote_id);
        };
        let centre = self.new.centre_id.clone();
        let today = self.onefile.store.now().await.map_err(StoreError::from)?;
        let body =
            json!({"OrganisationID": number(&centre), "Name": name, "StartOn": day_out(today.date_naive())});
        let making = Making {
            made: Made::Classroom,
            path: "Classroom".to_owned(),
            body: Some(body),
            find: Find::Classroom { centre_id: centre.clone(), name: name.clone() },
            link: None,
        };
        let creation = Creation {
            step: "classroom".to_owned(),
            kind: CLASSROOM,
            // A Main Tag may say anything: in clear it stands in sealed rows only.
            id: hex(&self.onefile.store.name_index(self.new.provider, &name)),
            intent: format!("classroom@{centre}"),
            making,
            allow: false,
            look: true,
        };
        self.create(creation).await.map(Some)
    }

    async fn user(&mut self, main: &str, placement: &str, classroom: &str) -> Result<String, Stop> {
        let learner = self.new.learner.clone();
        let linked = self.onefile.store.onefile_link_of(
            self.new.provider,
            self.new.environment,
            RecordKind::Learner,
            &learner,
        );
        if let Some(link) = linked.await? {
            if self.done("user").is_none() {
                self.note("user", StepState::Done, Some(link.remote_id.clone()), None).await?;
            }
            return Ok(link.remote_id);
        }
        let mut body: Map<String, Value> = self
            .plan
            .preview
            .fields
            .iter()
            .map(|field| (field.name.to_owned(), field.value.clone()))
            .collect();
        let centre = self.new.centre_id.clone();
        body.insert("OrganisationID".to_owned(), number(&centre));
        body.insert("DefaultAssessorID".to_owned(), number(main));
        body.insert("PlacementID".to_owned(), number(placement));
        body.insert("ClassroomID".to_owned(), number(classroom));
        let (first, last) = (self.plan.learner.first_name.trim(), self.plan.learner.last_name.trim());
        let making = Making {
            made: Made::User,
            path: "User".to_owned(),
            body: Some(Value::Object(body)),
            find: Find::Person(Person {
                centre_id: centre.clone(),
                roles: vec![LEARNER_ROLE],
                mis_id: Some(learner.clone()),
                email: None,
                first_name: first.to_owned(),
                last_name: last.to_owned(),
            }),
            link: Some(LinkTo {
                kind: RecordKind::Learner.as_str().to_owned(),
                local_id: learner.clone(),
                centre_id: centre,
                name: format!("{first} {last}"),
            }),
        };
        let allow = self.new.order.allow_duplicate;
        let creation = Creation {
            step: "user".to_owned(),
            kind: "learner",
            id: learner,
            intent: "user".to_owned(),
            making,
            allow,
            look: true,
        };
        let user = self.create(creation).await?;
        self.fresh = true;
        Ok(user)
    }

    /// The learning aim of a qualification, and what is known of it.
    async fn aim(&mut self, user: &str, own: &Qualification, standard: &str) -> Result<(), Stop> {
        let reference = own.vq_reference.as_ref().map(VqReference::as_str).unwrap_or_default().to_owned();
        let making = makings::aim(standard, user);
        let creation = Creation {
            step: format!("aim:{reference}"),
            kind: "learner",
            id: self.new.learner.clone(),
            intent: format!("aim:{standard}"),
            making,
            allow: false,
            look: !self.fresh,
        };
        let aim = self.create(creation).await?;
        let kept = PortfolioAim {
            learning_aim_id: aim.clone(),
            standard_id: standard.to_owned(),
            vq_reference: Some(reference.clone()),
            ..PortfolioAim::default()
        };
        self.onefile.store.note_aim(self.new.provider, self.new.environment, &self.new.learner, kept).await?;
        let step = format!("aimDetails:{reference}");
        if self.steps.iter().any(|own| own.name == step && own.state == StepState::Done) {
            return Ok(());
        }
        let details = makings::details(user, &aim, own);
        if let Some(body) = details {
            self.change(&step, "updateLearningAim", format!("LearningAim/{aim}"), &body).await
        } else {
            self.note(&step, StepState::Done, None, None).await
        }
    }

    /// A further assessor. The same once more changes nothing (assumed), so that it is no intent.
    async fn assign(
        &mut self,
        user: &str,
        officer: &str,
        remote: &str,
        standard: Option<&str>,
    ) -> Result<(), Stop> {
        let step = assignment(officer, standard);
        if self.steps.iter().any(|own| own.name == step && own.state == StepState::Done) {
            return Ok(());
        }
        // Whose id goes into the path is assumed: see openapi/upstream/onefile-v2.1.yaml.
        let (path, learner) = crate::onefile::ASSIGN.read(remote, user);
        let body = match standard {
            Some(standard) => {
                json!({"LearnerID": number(learner), "Level": 3, "StandardID": number(standard)})
            }
            None => json!({"LearnerID": number(learner), "Level": 1}),
        };
        self.change(&step, "assignUser", format!("User/{path}/Assign"), &body).await
    }

    async fn reviews(
        &mut self,
        user: &str,
        main: &str,
        officers: &BTreeMap<String, String>,
    ) -> Result<(), Stop> {
        for review in self.plan.preview.reviews.clone() {
            let holder =
                review.officer_id.as_ref().and_then(|id| officers.get(id)).map_or(main, String::as_str);
            let came = self.review(user, holder, &review.review_id, &review.from).await;
            match came {
                // One review whose visit nobody can find keeps the others from nothing.
                Ok(()) | Err(Stop::Unknown) => {}
                Err(stop) => return Err(stop),
            }
        }
        Ok(())
    }

    async fn review(&mut self, user: &str, holder: &str, id: &str, from: &str) -> Result<(), Stop> {
        let making = makings::visit(user, &self.new.centre_id, Some(holder), from, self.plan.visit_type);
        let learner = self.new.learner.clone();
        let visit = self
            .create(Creation {
                step: format!("visit:{id}"),
                kind: "learner",
                id: learner.clone(),
                intent: format!("visit:{id}"),
                making,
                allow: false,
                look: false,
            })
            .await?;
        let making = makings::review(user, Some(holder), from, &visit);
        let remote = self
            .create(Creation {
                step: format!("review:{id}"),
                kind: "learner",
                id: learner.clone(),
                intent: format!("review:{id}"),
                making,
                allow: false,
                look: false,
            })
            .await?;
        self.onefile
            .store
            .note_review(self.new.provider, self.new.environment, &learner, id, &remote)
            .await?;
        Ok(())
    }

    /// Links with what is there.
    async fn link(
        &mut self,
        step: &str,
        kind: RecordKind,
        local: &str,
        remote: &str,
        name: &str,
    ) -> Result<String, Stop> {
        let how = Linking {
            provider: self.new.provider,
            environment: self.new.environment,
            method: LinkMethod::Matched,
            keep: true,
            by: &self.by,
        };
        let link = NewOneFileLink {
            kind,
            local_id: local.to_owned(),
            centre_id: self.new.centre_id.clone(),
            remote_id: remote.to_owned(),
            remote_name: Some(name.to_owned()),
            archived: false,
        };
        let came = self.onefile.store.link_onefile(how, std::slice::from_ref(&link)).await?;
        match came.into_iter().next() {
            Some(OneFileLinked::Made(_) | OneFileLinked::Same(_)) => {
                self.note(step, StepState::Done, Some(remote.to_owned()), None).await?;
                Ok(remote.to_owned())
            }
            // Somebody linked it meanwhile.
            Some(OneFileLinked::LocalTaken(other)) => {
                self.note(step, StepState::Done, Some(other.clone()), None).await?;
                Ok(other)
            }
            _ => {
                let text =
                    format!("OneFile's record {remote} was linked to another meanwhile: see the preview.");
                self.reject(step, ours("alreadyLinked", &text)).await
            }
        }
    }

    /// A change of what is there.
    async fn change(
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
    async fn after(&mut self, step: &str, failure: Failure, patience_ends: Instant) -> Result<(), Stop> {
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
    async fn create(&mut self, creation: Creation) -> Result<String, Stop> {
        if let Some(id) = self.done(&creation.step) {
            return Ok(id);
        }
        if let Some(id) = self.earlier(&creation).await? {
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
            match store.open_onefile_intent(&intent, linked_in, lease.lasts(), &self.by).await? {
                Opened::Ours(intent) => {
                    let sent =
                        self.onefile.send_intent(&self.client, &intent, &creation.making, lease, &self.by);
                    match sent.await? {
                        Settled::Done(id) => return self.made(&creation.step, id).await,
                        Settled::Rejected(failure) => {
                            return self.reject(&creation.step, failure.problem()).await;
                        }
                        Settled::NotSent(failure) => {
                            self.after(&creation.step, failure, patience_ends).await?
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
                    return self.reject(&creation.step, ours("notFound", &text)).await;
                }
            }
        }
    }

    async fn made(&mut self, step: &str, id: i64) -> Result<String, Stop> {
        self.note(step, StepState::Done, Some(id.to_string()), None).await?;
        Ok(id.to_string())
    }

    /// What an earlier try of this enrolment came to, whose answer was lost, or whose process died.
    async fn earlier(&mut self, creation: &Creation) -> Result<Option<i64>, Stop> {
        let store = &self.onefile.store;
        let latest = store
            .latest_intent(self.new.provider, "onefile", creation.kind, &creation.id, &creation.intent)
            .await?;
        let Some(intent) = latest.filter(|own| own.environment == self.new.environment.as_str()) else {
            return Ok(None);
        };
        // What was made before this enrolment began may be gone since.
        let ours = self.started_at.is_some_and(|started| intent.created_at >= started);
        match intent.state.as_str() {
            "done" if ours && creation.making.link.is_none() => Ok(intent.remote_id),
            "unknown" => {
                let problem = store.intent_problem(&intent)?;
                self.note(&creation.step, StepState::Unknown, None, problem).await?;
                Err(Stop::Unknown)
            }
            _ => Ok(None),
        }
    }

    /// Somebody else makes the same just now: its outcome is waited for. `None`: nothing came of it.
    async fn other(&mut self, creation: &Creation) -> Result<Option<i64>, Stop> {
        let patience_ends = Instant::now() + self.onefile.timings.lease + Duration::from_secs(1);
        loop {
            let store = &self.onefile.store;
            let latest = store
                .latest_intent(self.new.provider, "onefile", creation.kind, &creation.id, &creation.intent)
                .await?;
            let Some(intent) = latest else { return Ok(None) };
            match intent.state.as_str() {
                "done" => return Ok(intent.remote_id),
                "sending" if Instant::now() < patience_ends => tokio::time::sleep(LOOK).await,
                "sending" | "unknown" => {
                    let problem = store.intent_problem(&intent)?;
                    self.note(&creation.step, StepState::Unknown, None, problem).await?;
                    return Err(Stop::Unknown);
                }
                _ => return Ok(None),
            }
        }
    }

    /// Looks whether OneFile has it already: its id when an id says so, else the ids of what only looks like it.
    async fn there(&mut self, creation: &Creation) -> Result<Result<i64, Vec<i64>>, Stop> {
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
            _ if all.is_empty() || creation.allow => Ok(Err(all)),
            _ => {
                let ids = all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let text = format!(
                    "OneFile probably has it already ({ids}): link it (POST /onefile/links, or PUT /learners/{{id}}/onefile/link), or enrol with `allowDuplicate: true`."
                );
                self.reject(&creation.step, ours("likelyDuplicate", &text)).await
            }
        }
    }
}

fn assignment(officer: &str, standard: Option<&str>) -> String {
    match standard {
        Some(standard) => format!("assign:{officer}:{standard}"),
        None => format!("assign:{officer}"),
    }
}

/// OneFile demands both names; an officer may have a surname only.
fn names(officer: &Officer) -> (String, String) {
    let last = officer.last_name.trim().to_owned();
    match officer.first_name.as_deref().map(str::trim).filter(|first| !first.is_empty()) {
        Some(first) => (first.to_owned(), last),
        None => match last.split_once(' ') {
            Some((first, rest)) => (first.to_owned(), rest.trim().to_owned()),
            None => (last.clone(), last),
        },
    }
}

fn ours(code: &str, message: &str) -> IntentProblem {
    IntentProblem {
        code: code.to_owned(),
        message: message.to_owned(),
        status: None,
        field_errors: Vec::new(),
        upstream_message: None,
    }
}
