//! Whom and what a learner needs: assessors, the placement, the classroom.

use serde_json::{Map, Value, json};

use super::create::Creation;
use super::{Saga, Stop, ours};
use crate::domain::{Email, LinkMethod, Officer, Postcode, StepState, Telephone};
use crate::onefile::client::{ASSESSOR_ROLES, id_out};
use crate::onefile::enrol::people::name_of;
use crate::onefile::enrol::report::{ClassroomState, PlannedOfficer, PlannedState};
use crate::onefile::making::{Find, LinkTo, Made, Making, Person};
use crate::onefile::wire::day_out;
use crate::seal::hex;
use crate::store::{CLASSROOM, Linking, NewOneFileLink, OneFileLinked, RecordKind, StoreError};

/// An assessor's role; the other one is the trainee's.
const ASSESSOR: i32 = 5;

impl Saga<'_> {
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

    pub(super) fn assessor(&self, id: &str, officer: &Officer) -> Making {
        let centre = &self.new.centre_id;
        let mis = officer.ident.as_deref().map(str::trim).filter(|ident| !ident.is_empty()).unwrap_or(id);
        let (first, last) = names(officer);
        let mut body = Map::new();
        body.insert("OrganisationID".to_owned(), id_out(centre));
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
                email: officer.email.as_ref().map(|own| Email::as_str(own).to_owned()),
                first_name: first.clone(),
                last_name: last.clone(),
            }),
            link: Some(LinkTo {
                kind: RecordKind::Officer.as_str().to_owned(),
                local_id: id.to_owned(),
                centre_id: centre.clone(),
                name: name_of(officer),
            }),
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
                let mis =
                    own.ident.as_deref().map(str::trim).filter(|ident| !ident.is_empty()).unwrap_or(&id);
                let mut body = Map::new();
                body.insert("OrganisationID".to_owned(), id_out(&centre));
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

    pub(super) async fn classroom(&mut self) -> Result<Option<String>, Stop> {
        let Some(planned) = self.plan.preview.classroom.clone() else { return Ok(None) };
        let (Some(name), ClassroomState::Create) = (planned.name, planned.state) else {
            return Ok(planned.remote_id);
        };
        let centre = self.new.centre_id.clone();
        let today = self.onefile.store.now().await.map_err(StoreError::from)?;
        let body =
            json!({"OrganisationID": id_out(&centre), "Name": name, "StartOn": day_out(today.date_naive())});
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
                self.reject(step, ours("alreadyLinked", &text)).await
            }
        }
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
