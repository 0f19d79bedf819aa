//! Whom and what a learner needs: assessors, the placement, the classroom.

use serde_json::json;

use super::{EnrolmentSteps, Stop};
use crate::domain::{LinkMethod, StepState, SubjectKind};
use crate::onefile::client::id_out;
use crate::onefile::client::wire::day_out;
use crate::onefile::create::create_steps::{CreateCall, CreatedKind, Find};
use crate::onefile::create::creation::Before;
use crate::onefile::create::payloads;
use crate::onefile::create::report::{ClassroomState, PlannedOfficer, PlannedState};
use crate::onefile::create::steps::step::CreateStep;
use crate::seal::hex;
use crate::store::{IntentProblem, Linking, NewOneFileLink, OneFileLinked, RecordKind, StoreError};

impl EnrolmentSteps<'_> {
    /// The officer's assessor; `None`: the officer can be done without.
    pub(super) async fn officer(&mut self, planned: &PlannedOfficer) -> Result<Option<String>, Stop> {
        let id = &planned.officer_id;
        let step = format!("assessor:{id}");
        match planned.state {
            PlannedState::Linked => self.linked(&step, planned.remote_id.clone()).await,
            PlannedState::Matched => {
                let remote = planned.remote_id.clone().unwrap_or_default();
                self.link(&step, RecordKind::Officer, id, &remote, &planned.name).await.map(Some)
            }
            PlannedState::Create => {
                let Some(officer) = self.plan.officers.get(id).cloned() else { return Ok(None) };
                let centre = self.new.centre_id.clone();
                let call = payloads::assessor(id, &officer, &centre);
                let creation = CreateStep {
                    name: step,
                    subject: SubjectKind::Officer,
                    subject_id: id.clone(),
                    intent: format!("assessor@{centre}"),
                    call,
                    before: Before::Search { allow_duplicate: self.new.order.allow_duplicate },
                };
                self.create(creation).await.map(Some)
            }
            // Only holders of reviews come so far like this.
            PlannedState::Ambiguous | PlannedState::Blocked => Ok(None),
        }
    }

    pub(super) async fn placement(&mut self) -> Result<Option<String>, Stop> {
        let Some(planned) = self.plan.preview.organisation.clone() else { return Ok(None) };
        let (id, centre) = (planned.organisation_id.clone(), self.new.centre_id.clone());
        let step = format!("placement:{id}");
        match planned.state {
            PlannedState::Linked => self.linked(&step, planned.remote_id).await,
            PlannedState::Matched => {
                let remote = planned.remote_id.unwrap_or_default();
                self.link(&step, RecordKind::Organisation, &id, &remote, &planned.name).await.map(Some)
            }
            PlannedState::Create => {
                let Some(own) = self.plan.organisation.clone() else { return Ok(None) };
                let call = payloads::placement(&id, &own, &centre);
                let creation = CreateStep {
                    name: step,
                    subject: SubjectKind::Organisation,
                    subject_id: id,
                    intent: format!("placement@{centre}"),
                    call,
                    before: Before::Search { allow_duplicate: self.new.order.allow_duplicate },
                };
                self.create(creation).await.map(Some)
            }
            PlannedState::Ambiguous | PlannedState::Blocked => Ok(None),
        }
    }

    pub(super) async fn classroom(&mut self) -> Result<Option<String>, Stop> {
        let Some(planned) = self.plan.preview.classroom.clone() else { return Ok(None) };
        let (Some(name), ClassroomState::Create) = (planned.name, planned.state) else {
            return Ok(planned.remote_id);
        };
        let centre = self.new.centre_id.clone();
        let today = self.onefile.store.now().await.map_err(StoreError::from)?;
        let body =
            json!({"OrganisationID": id_out(&centre), "Name": name, "StartOn": day_out(today.date_naive())});
        let call = CreateCall {
            made: CreatedKind::Classroom,
            path: "Classroom".to_owned(),
            body: Some(body),
            find: Find::Classroom { centre_id: centre.clone(), name: name.clone() },
            link: None,
        };
        let creation = CreateStep {
            name: "classroom".to_owned(),
            subject: SubjectKind::Classroom,
            // A Main Tag may say anything: in clear it stands in sealed rows only.
            subject_id: hex(&self.onefile.store.name_index(self.new.provider, &name)),
            intent: format!("classroom@{centre}"),
            call,
            before: Before::Search { allow_duplicate: false },
        };
        self.create(creation).await.map(Some)
    }

    /// It is linked: a step that was to make it, and whose answer was lost, is done.
    pub(super) async fn linked(
        &mut self,
        step: &str,
        remote: Option<String>,
    ) -> Result<Option<String>, Stop> {
        if self.steps.iter().any(|own| own.name == step && own.state != StepState::Done) {
            self.note(step, StepState::Done, remote.clone(), None).await?;
        }
        Ok(remote)
    }

    /// Links with what is there.
    pub(super) async fn link(
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
                self.reject(step, IntentProblem::ours("alreadyLinked", text)).await
            }
        }
    }
}
