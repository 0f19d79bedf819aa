//! What became of a creation whose answer was lost: OneFile is searched for it. Found, it is settled and linked; surely absent, by
//! two complete looks, it is sent once more; what nothing finds (a visit) is left to a person.

use uuid::Uuid;

use super::client::Client;
use super::making::{Find, Made, Making, Sent};
use super::{OneFile, OneFileError};
use crate::domain::OneFileEnvironment;
use crate::store::{By, IntentRow, SettledInOneFile, StoreError, UndoneState};
use crate::upstream::failure::{Failure, FailureKind};
use crate::upstream::intent::{Lease, Looked};
use crate::upstream::pace::Class;

/// What came of sending an intent.
#[derive(Debug)]
pub enum Settled {
    /// It is done: OneFile's id.
    Done(i64),
    /// OneFile refused it.
    Rejected(Failure),
    /// Nothing was sent.
    NotSent(Failure),
    /// Nobody can tell yet.
    Unknown(Failure),
}

impl OneFile {
    /// Sends an intent that is ours, and settles it.
    ///
    /// # Errors
    /// The database's: then the intent's lease runs out and it is looked for.
    pub(super) async fn send_intent(
        &self,
        client: &Client,
        intent: &IntentRow,
        making: &Making,
        lease: Lease,
        by: &By,
    ) -> Result<Settled, StoreError> {
        match client.make(making, lease).await? {
            Sent::Made(id) => {
                if intent.candidates.contains(&id) {
                    let seen = "OneFile answered with a record that was there before";
                    return self.unknown(intent, Failure::new(FailureKind::Failed, Some(200), seen)).await;
                }
                let link = making.link.as_ref().and_then(|link| link.with(id));
                match self.store.settle_onefile(intent, id, link.as_ref(), by).await? {
                    SettledInOneFile::Done | SettledInOneFile::Settled => Ok(Settled::Done(id)),
                    SettledInOneFile::Taken => {
                        let seen = format!(
                            "OneFile answered with record {id}, which cannot be linked: it, or ours, is linked to another"
                        );
                        self.unknown(intent, Failure::new(FailureKind::Failed, Some(200), seen)).await
                    }
                }
            }
            Sent::No(failure) => {
                self.store.settle_undone(intent, UndoneState::Rejected, &failure.problem()).await?;
                self.note_connection(intent.provider_id, Some(&failure)).await?;
                Ok(Settled::Rejected(failure))
            }
            Sent::NotSent(failure) => {
                self.store.settle_undone(intent, UndoneState::NotSent, &failure.problem()).await?;
                Ok(Settled::NotSent(failure))
            }
            Sent::Unknown(failure) => self.unknown(intent, failure).await,
        }
    }

    async fn unknown(&self, intent: &IntentRow, failure: Failure) -> Result<Settled, StoreError> {
        // The call is over, but its request may still be on the way: the look waits until its deadline.
        self.store.settle_unknown(intent, &failure.problem(), self.caller.timeout()).await?;
        Ok(Settled::Unknown(failure))
    }

    /// Whether OneFile has what a person says that it has; of a visit or a classroom that is believed.
    ///
    /// # Errors
    /// No token; OneFile's, that it has no such record among them; the database's.
    pub async fn is_there(
        &self,
        provider: Uuid,
        environment: &str,
        making: &Making,
        id: &str,
    ) -> Result<(), OneFileError> {
        let client = self.client_there(provider, environment, Class::Interactive).await?;
        match making.made {
            Made::User => drop(client.user(id).await??),
            Made::Placement => drop(client.placement(id).await??),
            Made::Aim => drop(client.learning_aim(id).await??),
            Made::Review => drop(client.review(id).await??),
            Made::Classroom | Made::Visit => {}
        }
        Ok(())
    }

    /// A connection to where something was sent: the settings may have moved on.
    async fn client_there(
        &self,
        provider: Uuid,
        environment: &str,
        class: Class,
    ) -> Result<Client, OneFileError> {
        let mut settings = self.store.onefile_settings(provider).await?;
        if let Some(environment) = OneFileEnvironment::parse(environment) {
            settings.choices.environment = environment;
        }
        self.client_of(&settings, class)
    }

    /// A look at an intent whose answer was lost; those who wait for it go on afterwards.
    ///
    /// # Errors
    /// OneFile's, which say that the look could not be completed; the database's.
    pub async fn look_for(&self, intent: &IntentRow) -> Result<Looked, OneFileError> {
        let looked = self.look(intent).await?;
        if matches!(looked, Looked::Found | Looked::SentAgain | Looked::ForAPerson) {
            let learner = (intent.subject_kind == "learner").then_some(intent.subject_id.as_str());
            self.store.wake_enrolments(intent.provider_id, &intent.environment, learner).await?;
        }
        Ok(looked)
    }

    async fn look(&self, intent: &IntentRow) -> Result<Looked, OneFileError> {
        let making: Making =
            serde_json::from_slice(&self.store.intent_payload(intent)?).map_err(StoreError::from)?;
        if matches!(making.find, Find::Nothing) {
            let seen = format!(
                "the answer was lost, and OneFile has no look-up for it: look there, and settle it by hand (POST /intents/{}:resolve)",
                intent.id
            );
            return self.leave(intent, seen).await;
        }
        let client = self.client_there(intent.provider_id, &intent.environment, Class::Bulk).await?;
        let by = By::itself("look");
        let found = client.find(&making.find).await??;
        let mine = found.iter().find(|hit| hit.same && !intent.candidates.contains(&hit.id));
        if let Some(hit) = mine {
            let link = making.link.as_ref().and_then(|link| link.with(hit.id));
            return match self.store.settle_onefile(intent, hit.id, link.as_ref(), &by).await? {
                SettledInOneFile::Done => Ok(Looked::Found),
                SettledInOneFile::Settled => Ok(Looked::NotDue),
                SettledInOneFile::Taken => {
                    let seen = format!("OneFile's record {} fits, but is linked to another here", hit.id);
                    self.leave(intent, seen).await
                }
            };
        }
        if !self.store.note_absent(intent.id, self.timings.absence, self.timings.job).await? {
            return Ok(if intent.absent_looks == 0 { Looked::Absent } else { Looked::ForAPerson });
        }
        // For what only looks like it a creation is refused too: a person decides.
        let alike = found.iter().map(|hit| hit.id).filter(|id| !intent.candidates.contains(id));
        let alike = alike.map(|id| id.to_string()).collect::<Vec<_>>().join(", ");
        if !alike.is_empty() {
            let seen =
                format!("it is not there, and not sent once more: OneFile probably has it already ({alike})");
            return self.leave(intent, seen).await;
        }
        client.ready().await??;
        let lease = Lease::begin(self.timings.lease);
        let Some(intent) = self.store.reopen_intent(intent.id, lease.lasts()).await? else {
            return Ok(Looked::NotDue);
        };
        self.send_intent(&client, &intent, &making, lease, &by).await?;
        Ok(Looked::SentAgain)
    }
    /// A person settles it.
    async fn leave(&self, intent: &IntentRow, seen: String) -> Result<Looked, OneFileError> {
        let problem = Failure::new(FailureKind::Failed, None, seen).problem();
        let left = self.store.leave_to_person(intent.id, &problem).await?;
        Ok(if left { Looked::ForAPerson } else { Looked::NotDue })
    }
}
