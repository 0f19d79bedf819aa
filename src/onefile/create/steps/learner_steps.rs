//! The learner's own records: the user, its learning aims, further assessors and reviews.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{EnrolmentSteps, Stop};
use crate::domain::{Qualification, StepState, SubjectKind, VqReference};
use crate::onefile::ASSIGN;
use crate::onefile::client::id_out;
use crate::onefile::create::create_steps::{CreateCall, CreatedKind, Find, LinkTo, Person};
use crate::onefile::create::creation::Before;
use crate::onefile::create::payloads;
use crate::onefile::create::steps::step::CreateStep;
use crate::onefile::links::LEARNER_ROLE;
use crate::store::{PortfolioAim, RecordKind};

impl EnrolmentSteps<'_> {
    pub(super) async fn user(
        &mut self,
        main: &str,
        placement: &str,
        classroom: &str,
    ) -> Result<String, Stop> {
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
        body.insert("OrganisationID".to_owned(), id_out(&centre));
        body.insert("DefaultAssessorID".to_owned(), id_out(main));
        body.insert("PlacementID".to_owned(), id_out(placement));
        body.insert("ClassroomID".to_owned(), id_out(classroom));
        let (first, last) = (self.plan.learner.first_name.trim(), self.plan.learner.last_name.trim());
        let call = CreateCall {
            made: CreatedKind::User,
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
        let allow_duplicate = self.new.order.allow_duplicate;
        let creation = CreateStep {
            name: "user".to_owned(),
            subject: SubjectKind::Learner,
            subject_id: learner,
            intent: "user".to_owned(),
            call,
            before: Before::Search { allow_duplicate },
        };
        let user = self.create(creation).await?;
        self.fresh = true;
        Ok(user)
    }

    /// Creates the learning aim of a qualification, and sends its details.
    pub(super) async fn aim(&mut self, user: &str, own: &Qualification, standard: &str) -> Result<(), Stop> {
        let reference = own.vq_reference.as_ref().map(VqReference::as_str).unwrap_or_default().to_owned();
        let call = payloads::aim(standard, user);
        let creation = CreateStep {
            name: format!("aim:{reference}"),
            subject: SubjectKind::Learner,
            subject_id: self.new.learner.clone(),
            intent: format!("aim:{standard}"),
            call,
            // A user that was created a moment ago has no learning aim.
            before: if self.fresh { Before::Nothing } else { Before::Search { allow_duplicate: false } },
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
        let details = payloads::details(user, &aim, own);
        if let Some(body) = details {
            self.change(&step, "updateLearningAim", format!("LearningAim/{aim}"), &body).await
        } else {
            self.note(&step, StepState::Done, None, None).await
        }
    }

    /// Assigns a further assessor. A second identical call changes nothing (assumed), so no intent
    /// is needed.
    pub(super) async fn assign(
        &mut self,
        user: &str,
        officer: &str,
        remote: &str,
        standard: Option<&str>,
    ) -> Result<(), Stop> {
        let step = payloads::assignment(officer, standard);
        if self.steps.iter().any(|own| own.name == step && own.state == StepState::Done) {
            return Ok(());
        }
        // Which id goes into the path is assumed: see openapi/upstream/onefile-v2.1.yaml.
        let (path, learner) = ASSIGN.read(remote, user);
        let body = match standard {
            Some(standard) => {
                json!({"LearnerID": id_out(learner), "Level": 3, "StandardID": id_out(standard)})
            }
            None => json!({"LearnerID": id_out(learner), "Level": 1}),
        };
        self.change(&step, "assignUser", format!("User/{path}/Assign"), &body).await
    }

    pub(super) async fn reviews(
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
                // If the visit of one review cannot be found, the other reviews continue.
                Ok(()) | Err(Stop::Unknown) => {}
                Err(stop) => return Err(stop),
            }
        }
        Ok(())
    }

    pub(super) async fn review(
        &mut self,
        user: &str,
        holder: &str,
        id: &str,
        from: &str,
    ) -> Result<(), Stop> {
        let call = payloads::visit(user, &self.new.centre_id, Some(holder), from, self.plan.visit_type);
        let learner = self.new.learner.clone();
        let visit = self
            .create(CreateStep {
                name: format!("visit:{id}"),
                subject: SubjectKind::Learner,
                subject_id: learner.clone(),
                intent: format!("visit:{id}"),
                call,
                before: Before::Nothing,
            })
            .await?;
        let call = payloads::review(user, Some(holder), from, &visit);
        let remote = self
            .create(CreateStep {
                name: format!("review:{id}"),
                subject: SubjectKind::Learner,
                subject_id: learner.clone(),
                intent: format!("review:{id}"),
                call,
                before: Before::Nothing,
            })
            .await?;
        self.onefile
            .store
            .note_review(self.new.provider, self.new.environment, &learner, id, &remote)
            .await?;
        Ok(())
    }
}
