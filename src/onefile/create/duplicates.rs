//! Finds out whether OneFile has the learner already. It searches by MIS value, e-mail address and
//! name in all centres. The users it finds are read singly, because a search's rows have no ULN and
//! no birth date.

use uuid::Uuid;

use super::report::PossibleUser;
use crate::domain::{Email, Learner, LearnerId, Uln};
use crate::onefile::client::wire::User;
use crate::onefile::client::{Client, Search};
use crate::onefile::create::context::EnrolmentContext;
use crate::onefile::create::find::same_text;
use crate::onefile::links::LEARNER_ROLE;
use crate::onefile::{OneFile, OneFileError};
use crate::store::RecordKind;
use crate::upstream::failure::FailureKind;

/// The most users that are read singly, likeliest first. A more common name proves nothing.
const READ: usize = 10;

impl OneFile {
    /// Users who may be this learner, the likely ones first.
    pub(crate) async fn possible_users(
        &self,
        client: &Client,
        provider: Uuid,
        id: &LearnerId,
        context: &EnrolmentContext,
    ) -> Result<Vec<PossibleUser>, OneFileError> {
        let learner = &context.learner;
        let mut searches = vec![Search::people(LEARNER_ROLE).with("MISID", id.as_str())];
        if let Some(email) = &learner.email {
            searches.push(Search::people(LEARNER_ROLE).with("Email", Email::as_str(email)));
        }
        // Each name is searched on its own: after a marriage the first name, birth date and ULN are
        // still the same.
        let (first, last) = (learner.first_name.trim(), learner.last_name.trim());
        searches.push(Search::people(LEARNER_ROLE).with("FirstName", first).with("LastName", last));
        searches.push(Search::people(LEARNER_ROLE).with("LastName", last));
        searches.push(Search::people(LEARNER_ROLE).with("FirstName", first));
        let mut rows: Vec<User> = Vec::new();
        for search in &searches {
            for row in client.search_whole::<User>(search).await??.rows {
                if !rows.iter().any(|known| known.id == row.id) {
                    rows.push(row);
                }
            }
        }
        let mut found = Vec::new();
        for row in rows.into_iter().take(READ) {
            let user = match client.user(&row.id).await? {
                Ok(user) => user,
                Err(failure) if failure.kind == FailureKind::Missing => continue,
                Err(failure) => return Err(failure.into()),
            };
            if user.role.is_some_and(|role| role != i64::from(LEARNER_ROLE)) {
                continue;
            }
            let Some((likely, reason)) = likeness(id, learner, &user) else { continue };
            let environment = context.choices.environment;
            let link =
                self.store.onefile_link_to(provider, environment, RecordKind::Learner, &user.id).await?;
            found.push(PossibleUser {
                centre_id: user.centre_id.clone(),
                name: user.name(),
                archived: user.archived.unwrap_or(false),
                linked_to: link.map(|link| link.local_id),
                same_mis_value: same_text(user.mis_id.as_deref(), id.as_str()),
                user_id: user.id,
                likely,
                reason: reason.to_owned(),
            });
        }
        found.sort_by_key(|user| (!user.same_mis_value, !user.likely));
        Ok(found)
    }
}

/// Whether a user is probably the learner, and why. `None`: nothing suggests it.
fn likeness(id: &LearnerId, learner: &Learner, user: &User) -> Option<(bool, &'static str)> {
    let uln = learner.uln.as_ref().filter(|uln| !uln.is_placeholder()).map(Uln::as_str);
    let numbers = uln.zip(user.uln.as_deref().filter(|number| *number != Uln::PLACEHOLDER));
    let births = learner.date_of_birth.zip(user.date_of_birth);
    let named = same_text(user.first_name.as_deref(), &learner.first_name)
        && same_text(user.last_name.as_deref(), &learner.last_name);
    let email =
        learner.email.as_ref().is_some_and(|own| same_text(user.email.as_deref(), Email::as_str(own)));
    if numbers.is_some_and(|(ours, theirs)| ours == theirs) {
        return Some((true, "same ULN"));
    }
    if same_text(user.mis_id.as_deref(), id.as_str()) {
        return Some((true, "its MIS value is the learner's Ident"));
    }
    // Different ULNs or birth dates mean two people, even if all else is equal. They may share an
    // e-mail address.
    let other = numbers.is_some() || births.is_some_and(|(ours, theirs)| ours != theirs);
    match (email, named, births.is_some_and(|(ours, theirs)| ours == theirs)) {
        (true, _, _) => Some((!other, "same e-mail address")),
        (false, true, true) => Some((!other, "same name and birth date")),
        (false, true, false) => Some((false, "same name")),
        (false, false, _) => None,
    }
}
