//! Creations in OneFile: their intents are opened and settled here, since what is made is linked to a record of ours, or to
//! nothing; and a classroom is no record of ours at all.

use std::time::Duration;

use uuid::Uuid;

use super::clock::interval;
use super::intents::payload_row;
use super::{
    By, IntentRow, Linking, NewIntent, NewOneFileLink, OneFileLinked, Opened, Store, StoreResult, new_id,
};
use crate::domain::{LinkMethod, OneFileEnvironment};

/// The subject of an intent that makes a classroom; its id is the classroom's name.
pub const CLASSROOM: &str = "classroom";

/// What came of settling a creation.
#[derive(Clone, PartialEq, Eq)]
pub enum SettledInOneFile {
    /// It is done, and linked where it is to be.
    Done,
    /// It was settled by somebody else.
    Settled,
    /// What OneFile answered is linked to another record here, or the record to another of OneFile's: it is not done.
    Taken,
}

impl Store {
    /// Writes an intent for OneFile down, as [`Store::open_intent`] does for ACE360. `linked_in`: the centre in which the subject
    /// must have no link yet. `seen`: the done intent of the same that was known before OneFile was searched; one that was done since
    /// counts as in flight, for that search may have been too early to find what it made.
    ///
    /// # Errors
    /// The database's.
    pub async fn open_onefile_intent(
        &self,
        new: &NewIntent,
        linked_in: Option<&str>,
        seen: Option<Uuid>,
        lease: Duration,
        by: &By,
    ) -> StoreResult<Opened> {
        let (id, lease_token) = (new_id(), Uuid::new_v4());
        let sealed = self.vault.sealer.seal(&payload_row(id), &new.payload)?;
        let mut tx = self.begin().await?;
        let is_record = new.subject_kind != CLASSROOM;
        if is_record && !self.lock_record(&mut tx, new.provider, new.subject_kind, &new.subject_id).await? {
            return Ok(Opened::NoRecord);
        }
        if let Some(centre) = linked_in {
            // A learner has one user in all centres.
            let linked = sqlx::query_scalar!(
                r#"select exists (select from onefile_links where provider_id = $1 and environment = $2 and kind = $3 and local_id = $4
                                  and (centre_id = $5 or kind = 'learner')) as "linked!""#,
                new.provider,
                new.environment,
                new.subject_kind,
                new.subject_id,
                centre,
            )
            .fetch_one(&mut *tx)
            .await?;
            if linked {
                return Ok(Opened::AlreadyLinked);
            }
        }
        let at = sqlx::query_scalar!(
            r#"insert into intents (id, provider_id, upstream, environment, subject_kind, subject_id, step, state, lease_token, lease_until,
                                    sent_at, deadline_at, sends, sealed_payload, candidates, run_id, requested_by, created_at)
               select $1, $2, $3, $4, $5, $6, $7, 'sending', $8, now + $9::interval, now, now + $9::interval, 1, $10, $11, $12, $13, now
               from (select app_now() as now) as moment
               on conflict (provider_id, upstream, subject_kind, subject_id, step) where state in ('sending', 'unknown') do nothing
               returning created_at"#,
            id,
            new.provider,
            new.upstream,
            new.environment,
            new.subject_kind,
            new.subject_id,
            new.step.as_ref(),
            lease_token,
            interval(lease),
            sealed,
            &new.candidates,
            new.run_id,
            by.actor,
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(at) = at else { return Ok(Opened::InFlight) };
        // After the insert, which waits for whoever is settling another one.
        let latest = sqlx::query!(
            r#"select id, state = 'done' and remote_id is not null as "made!" from intents
               where provider_id = $1 and upstream = $2 and subject_kind = $3 and subject_id = $4 and step = $5 and environment = $6 and id <> $7
               order by created_at desc, id desc limit 1"#,
            new.provider,
            new.upstream,
            new.subject_kind,
            new.subject_id,
            new.step.as_ref(),
            new.environment,
            id,
        )
        .fetch_optional(&mut *tx)
        .await?;
        if latest.is_some_and(|other| other.made && Some(other.id) != seen) {
            return Ok(Opened::InFlight);
        }
        self.audit(&mut tx, new.provider, by, "intent.open", new.subject_kind, &new.subject_id).await?;
        tx.commit().await?;
        Ok(Opened::Ours(Box::new(IntentRow::opened(id, lease_token, new, sealed, at, lease))))
    }

    /// Settles a creation: the intent is done, and its subject linked with what was made, both or neither.
    ///
    /// # Errors
    /// The database's.
    pub async fn settle_onefile(
        &self,
        intent: &IntentRow,
        remote_id: i64,
        link: Option<&NewOneFileLink>,
        by: &By,
    ) -> StoreResult<SettledInOneFile> {
        let mut tx = self.begin().await?;
        // In the order in which others lock: all links, the record, the intent.
        if link.is_some() {
            Self::lock_links(&mut tx, intent.provider_id).await?;
        }
        if intent.subject_kind != CLASSROOM {
            self.lock_record(&mut tx, intent.provider_id, &intent.subject_kind, &intent.subject_id).await?;
        }
        let settled = sqlx::query!(
            r#"update intents set state = 'done', remote_id = $3, settled_at = app_now(), next_look_at = null
               where id = $1 and (state = 'unknown' or state = 'sending' and lease_token = $2)"#,
            intent.id,
            intent.lease_token,
            remote_id,
        )
        .execute(&mut *tx)
        .await?;
        if settled.rows_affected() == 0 {
            return Ok(SettledInOneFile::Settled);
        }
        if let (Some(link), Some(environment)) = (link, OneFileEnvironment::parse(&intent.environment)) {
            let how = Linking {
                provider: intent.provider_id,
                environment,
                method: LinkMethod::Created,
                keep: true,
                by,
            };
            let linked = self.link_onefile_in(&mut tx, how, std::slice::from_ref(link)).await?;
            if !matches!(linked.as_slice(), [OneFileLinked::Made(_) | OneFileLinked::Same(_)]) {
                return Ok(SettledInOneFile::Taken);
            }
        }
        tx.commit().await?;
        Ok(SettledInOneFile::Done)
    }
}
