//! What an exchange sends for a learner: details, blank fields of learning aims, the main officer
//! and the placement, added qualifications, and reviews. Each result goes into the stored
//! portfolio.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::compare::{Todo, Whose};
use super::creation::Came;
use super::read::Reading;
use crate::domain::{Learner, LinkState, OfficerId, Qualification, VqReference};
use crate::onefile::catalogue::codes::Code;
use crate::onefile::client::id_out;
use crate::onefile::create::payloads;
use crate::onefile::create::plan::placement_of;
use crate::onefile::sync::context::{ExchangeContext, Trouble};
use crate::onefile::sync::convert;
use crate::onefile::sync::diff::FieldChange;
use crate::onefile::sync::outcome::Told;
use crate::store::{Portfolio, PortfolioAim, PortfolioReview, StandardFilter};
use crate::upstream::failure::Failure;

/// The most standards with one code in one centre. More than one is already ambiguous.
const FEW: i64 = 50;

impl ExchangeContext {
    /// Sends what goes up.
    pub(crate) async fn send(
        &self,
        whose: Whose<'_>,
        learner: &Learner,
        todo: &Todo,
        reading: &mut Reading,
        told: &mut Told,
    ) -> Result<(), Trouble> {
        if reading.state != LinkState::Linked {
            return Ok(());
        }
        self.send_user(whose, learner, todo, reading, told).await?;
        for (aim, changes) in &todo.aims {
            self.send_aim(whose, aim, changes, reading, told).await?;
        }
        // An earlier exchange may have created a learning aim and stopped before it sent the
        // details.
        let owed = owed(learner, &reading.portfolio);
        reading.portfolio.owed = owed.iter().map(|(key, ..)| key.clone()).collect();
        for (key, own, aim) in owed {
            if let Some(aim) = aim {
                told.values_up += self.send_details(whose, &key, own, &aim, reading).await?;
            }
        }
        if reading.all_aims {
            self.assign(whose, learner, reading, told).await?;
        }
        for review in &todo.reviews {
            self.send_review(whose, learner, review, reading, told).await?;
        }
        Ok(())
    }

    async fn send_user(
        &self,
        whose: Whose<'_>,
        learner: &Learner,
        todo: &Todo,
        reading: &mut Reading,
        told: &mut Told,
    ) -> Result<(), Trouble> {
        let mut body: Map<String, Value> = todo.user.iter().map(property).collect();
        let values = body.len();
        let (officer, placement) = self.other_people(whose, learner, &reading.portfolio);
        body.extend(officer.as_ref().map(|id| ("DefaultAssessorID".to_owned(), id_out(id))));
        body.extend(placement.as_ref().map(|id| ("PlacementID".to_owned(), id_out(id))));
        if body.is_empty() {
            return Ok(());
        }
        let path = format!("User/{}", whose.user_id);
        match self.client.change("updateUser", path, &Value::Object(body)).await? {
            Ok(()) => {
                told.values_up += values + usize::from(officer.is_some()) + usize::from(placement.is_some());
                let Some(user) = &mut reading.portfolio.user else { return Ok(()) };
                user.fields.extend(todo.user.iter().map(value));
                user.default_assessor_id = officer.or_else(|| user.default_assessor_id.take());
                user.placement_id = placement.or_else(|| user.placement_id.take());
                Ok(())
            }
            Err(failure) => refused(reading, &format!("User {}", whose.user_id), failure),
        }
    }

    /// The assessor and the placement that OneFile should have, where it has another: those that the learner's main officer and
    /// placement are linked to in the centre.
    pub(crate) fn other_people(
        &self,
        whose: Whose<'_>,
        learner: &Learner,
        portfolio: &Portfolio,
    ) -> (Option<String>, Option<String>) {
        let Some(user) = portfolio.user.as_ref().filter(|_| self.choices.push_changes) else {
            return (None, None);
        };
        let centre = whose.centre_id.to_owned();
        let officer = learner.main_officer_id.as_ref().map(|id| OfficerId::as_str(id).to_owned());
        let officer = officer.and_then(|id| self.officers.get(&(id, centre.clone())));
        let placement = placement_of(learner).map(|id| id.as_str().to_owned());
        let placement = placement.and_then(|id| self.organisations.get(&(id, centre)));
        (
            officer.filter(|id| user.default_assessor_id.as_ref() != Some(*id)).cloned(),
            placement.filter(|id| user.placement_id.as_ref() != Some(*id)).cloned(),
        )
    }

    async fn send_aim(
        &self,
        whose: Whose<'_>,
        aim: &str,
        changes: &[FieldChange],
        reading: &mut Reading,
        told: &mut Told,
    ) -> Result<(), Trouble> {
        let mut body = Map::new();
        body.insert("ID".to_owned(), id_out(aim));
        body.insert("UserID".to_owned(), id_out(whose.user_id));
        body.extend(changes.iter().map(property));
        match self
            .client
            .change("updateLearningAim", format!("LearningAim/{aim}"), &Value::Object(body))
            .await?
        {
            Ok(()) => {
                told.values_up += changes.len();
                let own = convert::aim_entry(&mut reading.portfolio, aim);
                own.fields.extend(changes.iter().map(value));
                Ok(())
            }
            Err(failure) => refused(reading, &format!("Learning aim {aim}"), failure),
        }
    }

    /// Assigns qualifications that have no learning aim in OneFile, once, if their code belongs to
    /// exactly one standard in the learner's centre. For a learner that was linked by hand,
    /// qualifications that were missing at that time stay out.
    async fn assign(
        &self,
        whose: Whose<'_>,
        learner: &Learner,
        reading: &mut Reading,
        told: &mut Told,
    ) -> Result<(), Trouble> {
        for (key, own) in lacking(learner, &reading.portfolio) {
            if reading.portfolio.left_out.contains(&key) {
                continue;
            }
            let filter = StandardFilter {
                centre_id: Some(whose.centre_id),
                code_key: Some(&key),
                ..StandardFilter::default()
            };
            let found =
                self.onefile.store.onefile_standards(self.provider, self.environment, filter, FEW).await?;
            let mut standards = found.items.into_iter().filter(|row| !row.archived);
            let Some(standard) = standards.next() else { continue };
            if standards.next().is_some() {
                reading.notes.push(format!(
                    "OneFile has several pathways for [{key}]: the qualification is assigned when one is chosen at an enrolment, or in OneFile."
                ));
                continue;
            }
            self.assign_one(whose, (&key, own), &standard.standard_id, reading, told).await?;
        }
        Ok(())
    }

    async fn assign_one(
        &self,
        whose: Whose<'_>,
        (key, own): (&str, &Qualification),
        standard: &str,
        reading: &mut Reading,
        told: &mut Told,
    ) -> Result<(), Trouble> {
        let (provider, environment, store) = (self.provider, self.environment, &self.onefile.store);
        let reference = own.vq_reference.as_ref().map(VqReference::as_str).unwrap_or_default();
        // Record this before the creation. The process may stop at any moment, and the learning aim
        // alone does not show that its details are missing.
        store.owe_details(provider, environment, whose.id.as_str(), key).await?;
        reading.portfolio.owed.retain(|known| known != key);
        reading.portfolio.owed.push(key.to_owned());
        let call = payloads::aim(standard, whose.user_id);
        let aim = match self.create(whose.id.as_str(), format!("aim:{standard}"), call).await? {
            Came::There { id: aim, .. }
                if reading.portfolio.aims.iter().any(|it| it.learning_aim_id == aim && it.gone) =>
            {
                // It was created before and deleted in OneFile. Report that, and do not create it
                // again.
                reading.portfolio.owed.retain(|known| known != key);
                return Ok(());
            }
            Came::There { id: aim, fresh } => {
                told.assigned += usize::from(fresh);
                aim
            }
            Came::Open => {
                told.open.push(format!("the learning aim of {reference}"));
                return Ok(());
            }
            Came::Refused(failure) => {
                reading.portfolio.owed.retain(|known| known != key);
                return refused(reading, &format!("Learning aim of {reference}"), failure);
            }
        };
        let entry = PortfolioAim {
            learning_aim_id: aim.clone(),
            standard_id: standard.to_owned(),
            vq_reference: Some(reference.to_owned()),
            ..PortfolioAim::default()
        };
        store.note_aim(provider, environment, whose.id.as_str(), entry.clone()).await?;
        reading.portfolio.aims.retain(|it| it.learning_aim_id != aim);
        reading.portfolio.aims.push(entry);
        self.send_details(whose, key, own, &aim, reading).await?;
        Ok(())
    }

    /// Sends the details of a qualification whose learning aim was assigned here, as far as OneFile
    /// lacks them. Returns the number of values sent.
    async fn send_details(
        &self,
        whose: Whose<'_>,
        key: &str,
        own: &Qualification,
        aim: &str,
        reading: &mut Reading,
    ) -> Result<usize, Trouble> {
        let there = reading.portfolio.aims.iter().find(|it| it.learning_aim_id == aim);
        let Some(body) = payloads::details_beside(whose.user_id, aim, own, there) else {
            reading.portfolio.owed.retain(|known| known != key);
            return Ok(0);
        };
        // Do not count the two ids.
        let values = body.as_object().map_or(0, |fields| fields.len().saturating_sub(2));
        match self.client.change("updateLearningAim", format!("LearningAim/{aim}"), &body).await? {
            Ok(()) => {
                reading.portfolio.owed.retain(|known| known != key);
                Ok(values)
            }
            Err(failure) => refused(reading, &format!("Learning aim {aim}"), failure).map(|()| 0),
        }
    }

    async fn send_review(
        &self,
        whose: Whose<'_>,
        learner: &Learner,
        review: &crate::onefile::create::report::PlannedReview,
        reading: &mut Reading,
        told: &mut Told,
    ) -> Result<(), Trouble> {
        let centre = whose.centre_id.to_owned();
        let assessor =
            |id: Option<&str>| id.and_then(|id| self.officers.get(&(id.to_owned(), centre.clone()))).cloned();
        let holder = assessor(review.officer_id.as_deref())
            .or_else(|| assessor(learner.main_officer_id.as_ref().map(OfficerId::as_str)))
            .or_else(|| reading.portfolio.user.as_ref().and_then(|user| user.default_assessor_id.clone()));
        let (id, holder) = (&review.review_id, holder.as_deref());
        let visit =
            payloads::visit(whose.user_id, whose.centre_id, holder, &review.from, self.choices.visit_type);
        let visit = match self.create(whose.id.as_str(), format!("visit:{id}"), visit).await? {
            Came::There { id: visit, .. } => visit,
            Came::Open => {
                told.open.push(format!("the visit of review {id}"));
                return Ok(());
            }
            Came::Refused(failure) => return refused(reading, &format!("Visit of review {id}"), failure),
        };
        let call = payloads::review(whose.user_id, holder, &review.from, &visit);
        let remote = match self.create(whose.id.as_str(), format!("review:{id}"), call).await? {
            Came::There { id: remote, fresh } => {
                told.reviews_up += usize::from(fresh);
                remote
            }
            Came::Open => {
                told.open.push(format!("review {id}"));
                return Ok(());
            }
            Came::Refused(failure) => return refused(reading, &format!("Review {id}"), failure),
        };
        let (provider, environment) = (self.provider, self.environment);
        self.onefile.store.note_review(provider, environment, whose.id.as_str(), id, &remote).await?;
        reading.portfolio.reviews.retain(|own| own.one_file_id != remote);
        reading.portfolio.reviews.push(PortfolioReview {
            one_file_id: remote,
            review_id: Some(id.clone()),
            scheduled_for: crate::domain::time::instant(&review.from),
            ..PortfolioReview::default()
        });
        Ok(())
    }
}

/// Qualifications whose details are still to be sent, each with its code and its learning aim, if
/// that is known. Qualifications without details to send are left out.
fn owed<'a>(learner: &'a Learner, portfolio: &Portfolio) -> Vec<(String, &'a Qualification, Option<String>)> {
    let is = |key: &String, text: Option<&str>| key_of(text).as_ref() == Some(key);
    let found = portfolio.owed.iter().filter_map(|key| {
        let mut own = learner.qualifications.iter();
        let own = own.find(|own| is(key, own.vq_reference.as_ref().map(VqReference::as_str)))?;
        match portfolio.aims.iter().find(|aim| is(key, aim.vq_reference.as_deref())) {
            Some(aim) if aim.gone => None,
            aim => Some((key.clone(), own, aim.map(|aim| aim.learning_aim_id.clone()))),
        }
    });
    found.collect()
}

/// How many learning aims there are whose details are owed.
pub(crate) fn owes(learner: &Learner, portfolio: &Portfolio) -> usize {
    owed(learner, portfolio).into_iter().filter(|(_, _, aim)| aim.is_some()).count()
}

/// The key of a code.
fn key_of(text: Option<&str>) -> Option<String> {
    text.and_then(Code::parse).map(|code| code.key)
}

/// Codes of qualifications that OneFile has no learning aim of.
pub(crate) fn lacking<'a>(learner: &'a Learner, portfolio: &Portfolio) -> Vec<(String, &'a Qualification)> {
    // One that is gone was taken away in OneFile: it counts as there, so that it is not made again.
    let there: BTreeSet<String> =
        portfolio.aims.iter().filter_map(|own| key_of(own.vq_reference.as_deref())).collect();
    let mut found: Vec<(String, &Qualification)> = Vec::new();
    for own in &learner.qualifications {
        let Some(key) = key_of(own.vq_reference.as_ref().map(VqReference::as_str)) else { continue };
        if !there.contains(&key) && !found.iter().any(|(other, _)| *other == key) {
            found.push((key, own));
        }
    }
    found
}

/// Notes what OneFile refused and continues, unless the error concerns the connection as a whole.
fn refused(reading: &mut Reading, what: &str, failure: Failure) -> Result<(), Trouble> {
    if failure.kind.is_general() {
        return Err(Trouble::General(failure));
    }
    reading.failed.push((what.to_owned(), failure));
    Ok(())
}

fn property(change: &FieldChange) -> (String, Value) {
    change.field.property(&change.after)
}

/// The value that OneFile has after the change.
fn value(change: &FieldChange) -> (String, String) {
    (change.field.there.to_owned(), change.after.clone())
}
