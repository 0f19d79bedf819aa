//! Intents: one row for each creation that is to happen upstream, written before the call and settled by its
//! outcome. Guards stand in the `where` clauses, and row counts are looked at: two processes may race for any of these.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::clock::interval;
use super::records::page;
use super::{After, By, RecordPage, Store, StoreResult, Time, Tx, new_id};

/// A creation to make.
#[derive(Clone, Debug)]
pub struct NewIntent {
    /// Whose.
    pub provider: Uuid,
    /// `ace360` or `onefile`.
    pub upstream: &'static str,
    /// Of the upstream.
    pub environment: String,
    /// `learner` and so on.
    pub subject_kind: &'static str,
    /// Whose.
    pub subject_id: String,
    /// Which of the subject's creations.
    pub step: Cow<'static, str>,
    /// What is sent.
    pub payload: Vec<u8>,
    /// Records of the same person that are there before.
    pub candidates: Vec<i64>,
    /// The run that wants it.
    pub run_id: Option<Uuid>,
}

/// An intent as it stands.
#[derive(Clone, Debug)]
pub struct IntentRow {
    /// Ours.
    pub id: Uuid,
    /// Whose.
    pub provider_id: Uuid,
    /// `ace360` or `onefile`.
    pub upstream: String,
    /// Of the upstream.
    pub environment: String,
    /// `learner` and so on.
    pub subject_kind: String,
    /// Whose.
    pub subject_id: String,
    /// Which of the subject's creations.
    pub step: String,
    /// `sending`, `unknown`, `done`, `rejected`, `notSent`.
    pub state: String,
    /// Who holds it.
    pub lease_token: Uuid,
    /// When it was taken for sending last: it was sent then, or soon after, or never.
    pub sent_at: Option<Time>,
    /// When that call was over at the latest.
    pub deadline_at: Option<Time>,
    /// How often it was sent.
    pub sends: i32,
    /// Records that were there before.
    pub candidates: Vec<i64>,
    /// Complete looks that did not find it.
    pub absent_looks: i32,
    /// When it is looked for next; none: a person decides.
    pub next_look_at: Option<Time>,
    /// What it became.
    pub remote_id: Option<i64>,
    /// The upstream's status.
    pub upstream_status: Option<i32>,
    /// When it was made.
    pub created_at: Time,
    /// When it was settled.
    pub settled_at: Option<Time>,
    /// The run that wanted it.
    pub run_id: Option<Uuid>,
    sealed_payload: Vec<u8>,
    sealed_problem: Option<Vec<u8>>,
}

impl IntentRow {
    /// One that was just written down.
    pub(super) fn opened(
        id: Uuid,
        lease_token: Uuid,
        new: &NewIntent,
        sealed_payload: Vec<u8>,
        at: Time,
        lease: Duration,
    ) -> Self {
        Self {
            id,
            provider_id: new.provider,
            upstream: new.upstream.to_owned(),
            environment: new.environment.clone(),
            subject_kind: new.subject_kind.to_owned(),
            subject_id: new.subject_id.clone(),
            step: new.step.to_string(),
            state: "sending".to_owned(),
            lease_token,
            sent_at: Some(at),
            deadline_at: Some(at + lease),
            sends: 1,
            candidates: new.candidates.clone(),
            absent_looks: 0,
            next_look_at: None,
            remote_id: None,
            upstream_status: None,
            created_at: at,
            settled_at: None,
            run_id: new.run_id,
            sealed_payload,
            sealed_problem: None,
        }
    }

    /// Whether its outcome is not known yet.
    pub fn is_open(&self) -> bool {
        matches!(self.state.as_str(), "sending" | "unknown")
    }
}

/// Why a creation did not happen, or may not have.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct IntentProblem {
    /// Stable.
    pub code: String,
    /// For people; may hold the upstream's words.
    pub message: String,
    /// The upstream's HTTP status.
    pub status: Option<u16>,
    /// The upstream's faults, by its own field names.
    #[serde(default)]
    pub field_errors: Vec<(String, String)>,
    /// The upstream's own words, where it had any.
    #[serde(default)]
    pub upstream_message: Option<String>,
}

impl IntentProblem {
    /// One that we see, and not the upstream.
    pub fn ours(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            status: None,
            field_errors: Vec::new(),
            upstream_message: None,
        }
    }
}

/// What came of opening an intent.
#[derive(Clone, Debug)]
pub enum Opened {
    /// It is ours; its lease runs.
    Ours(Box<IntentRow>),
    /// Another one for the same subject and step is open, or was done since the caller looked.
    InFlight,
    /// The subject is linked already.
    AlreadyLinked,
    /// There is no such record here (any more).
    NoRecord,
}

impl Store {
    /// Writes an intent down. From here on its creation counts as sent: whoever has it sends it within the lease, or settles
    /// that it was not; if the process is gone instead, the tick finds the lease run out, and it is looked for.
    ///
    /// # Errors
    /// The database's.
    pub async fn open_intent(&self, new: &NewIntent, lease: Duration, by: &By) -> StoreResult<Opened> {
        let (id, lease_token) = (new_id(), Uuid::new_v4());
        let sealed = self.vault.sealer.seal(&payload_row(id), &new.payload)?;
        let mut connection = self.warm().await?;
        let row = sqlx::query!(
            r#"select came as "came!", at from intent_open($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"#,
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
            new_id(),
            by.actor,
            by.request_id,
            by.address,
        )
        .fetch_one(&mut *connection)
        .await?;
        connection.keep();
        Ok(match (row.came.as_str(), row.at) {
            ("ours", Some(at)) => {
                Opened::Ours(Box::new(IntentRow::opened(id, lease_token, new, sealed, at, lease)))
            }
            ("linked", _) => Opened::AlreadyLinked,
            ("noRecord", _) => Opened::NoRecord,
            _ => Opened::InFlight,
        })
    }

    /// The records that were there before an intent of ours is sent.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_candidates(&self, id: Uuid, candidates: &[i64]) -> StoreResult<()> {
        sqlx::query!(
            "update intents set candidates = $2 where id = $1 and state = 'sending'",
            id,
            candidates
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Whoever sent an intent marks it as refused (`rejected`) or never sent (`notSent`), with the reason. `false`: it stalled
    /// for longer than its lease, and somebody else has the intent, who may be sending it again: what came of this send
    /// settles nothing any more.
    ///
    /// # Errors
    /// The database's.
    pub async fn settle_undone(
        &self,
        intent: &IntentRow,
        state: UndoneState,
        problem: &IntentProblem,
    ) -> StoreResult<bool> {
        let sealed = self.seal_json(&problem_row(intent.id), problem)?;
        let settled = sqlx::query!(
            r#"update intents set state = $3, sealed_problem = $4, upstream_status = $5, settled_at = app_now(), next_look_at = null
               where id = $1 and lease_token = $2 and state = 'sending'"#,
            intent.id,
            intent.lease_token,
            state.as_str(),
            sealed,
            problem.status.map(i32::from),
        )
        .execute(&self.pool)
        .await?;
        Ok(settled.rows_affected() == 1)
    }

    /// A person marks an intent as not done. `false`: it is settled, or is being sent once more.
    ///
    /// # Errors
    /// The database's.
    pub async fn settle_not_done(&self, id: Uuid, problem: &IntentProblem) -> StoreResult<bool> {
        let sealed = self.seal_json(&problem_row(id), problem)?;
        let settled = sqlx::query!(
            r#"update intents set state = 'notSent', sealed_problem = $2, settled_at = app_now(), next_look_at = null
               where id = $1 and state = 'unknown'"#,
            id,
            sealed
        )
        .execute(&self.pool)
        .await?;
        Ok(settled.rows_affected() == 1)
    }

    /// Whoever sent an intent marks that the answer was lost; it is looked for after `look_in`. Nothing is marked where
    /// somebody else has it.
    ///
    /// # Errors
    /// The database's.
    pub async fn settle_unknown(
        &self,
        intent: &IntentRow,
        problem: &IntentProblem,
        look_in: Duration,
    ) -> StoreResult<()> {
        let sealed = self.seal_json(&problem_row(intent.id), problem)?;
        let mut tx = self.begin().await?;
        let marked = sqlx::query!(
            r#"update intents set state = 'unknown', sealed_problem = $3, upstream_status = $4, next_look_at = app_now() + $5,
                      deadline_at = least(deadline_at, app_now() + $5)
               where id = $1 and lease_token = $2 and state = 'sending'"#,
            intent.id,
            intent.lease_token,
            sealed,
            problem.status.map(i32::from),
            interval(look_in)
        )
        .execute(&mut *tx)
        .await?;
        if marked.rows_affected() == 1 {
            self.queue_look(&mut tx, intent.id, look_in).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Takes an intent that somebody must look at: one whose lease ran out, or one whose answer was lost and whose next
    /// look is due. `None`: nothing to do (now).
    ///
    /// # Errors
    /// The database's.
    pub async fn take_intent_to_look(&self, id: Uuid, lease: Duration) -> StoreResult<Option<IntentRow>> {
        let mut tx = self.begin().await?;
        sqlx::query!(
            r#"update intents set state = 'unknown', next_look_at = app_now(), lease_token = $2
               where id = $1 and state = 'sending' and lease_until < app_now()"#,
            id,
            Uuid::new_v4(),
        )
        .execute(&mut *tx)
        .await?;
        // The look itself is leased by moving the next one: a second job finds nothing due.
        let taken = sqlx::query_scalar!(
            r#"update intents set next_look_at = app_now() + $2
               where id = $1 and state = 'unknown' and next_look_at <= app_now() and deadline_at < app_now() returning id"#,
            id,
            interval(lease)
        )
        .fetch_optional(&mut *tx)
        .await?;
        let intent = match taken {
            Some(id) => intent(&mut tx, id).await?,
            None => None,
        };
        tx.commit().await?;
        Ok(intent)
    }

    /// A complete look did not find the record. The second one, at least `absence` after the call's deadline, makes it
    /// surely absent: then it may be sent once more (`true`), and whoever does is given `lease` for it before somebody
    /// else looks. After a second send a person decides.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_absent(&self, id: Uuid, absence: Duration, lease: Duration) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let row = sqlx::query!(
            r#"with look as (
                   select id, absent_looks > 0 and deadline_at + $2 <= app_now() as sure from intents
                   where id = $1 and state = 'unknown' for update
               )
               update intents i set absent_looks = i.absent_looks + 1, first_absent_at = coalesce(i.first_absent_at, app_now()),
                      next_look_at = case when not look.sure then greatest(i.deadline_at + $2, app_now() + interval '1 second')
                                          when i.sends < 2 then app_now() + $3 end
               from look where i.id = look.id
               returning look.sure as "sure!", i.next_look_at, coalesce(extract(epoch from i.next_look_at - app_now()), 0)::float8 as "wait!""#,
            id,
            interval(absence),
            interval(lease)
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(false) };
        if row.next_look_at.is_some() {
            self.queue_look(&mut tx, id, Duration::from_secs_f64(row.wait.clamp(0.0, 86_400.0))).await?;
        }
        tx.commit().await?;
        Ok(row.sure && row.next_look_at.is_some())
    }

    /// No look can tell what became of it: a person does. `false`: it is settled.
    ///
    /// # Errors
    /// The database's.
    pub async fn leave_to_person(&self, id: Uuid, problem: &IntentProblem) -> StoreResult<bool> {
        let sealed = self.seal_json(&problem_row(id), problem)?;
        let left = sqlx::query!(
            "update intents set next_look_at = null, sealed_problem = $2 where id = $1 and state = 'unknown'",
            id,
            sealed
        )
        .execute(&self.pool)
        .await?;
        Ok(left.rows_affected() == 1)
    }

    /// The look could not be completed (the upstream is down, say): try again later.
    ///
    /// # Errors
    /// The database's.
    pub async fn look_again(&self, id: Uuid, wait: Duration) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        sqlx::query!(
            "update intents set next_look_at = app_now() + $2 where id = $1 and state = 'unknown'",
            id,
            interval(wait)
        )
        .execute(&mut *tx)
        .await?;
        self.queue_look(&mut tx, id, wait).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Takes a surely absent intent for sending once more.
    ///
    /// # Errors
    /// The database's.
    pub async fn reopen_intent(&self, id: Uuid, lease: Duration) -> StoreResult<Option<IntentRow>> {
        let mut tx = self.begin().await?;
        let taken = sqlx::query_scalar!(
            r#"update intents set state = 'sending', lease_token = $2, lease_until = app_now() + $3, sent_at = app_now(),
                      deadline_at = app_now() + $3, sends = sends + 1, absent_looks = 0, first_absent_at = null, next_look_at = null
               where id = $1 and state = 'unknown' and sends < 2 and absent_looks > 1 returning id"#,
            id,
            Uuid::new_v4(),
            interval(lease)
        )
        .fetch_optional(&mut *tx)
        .await?;
        let intent = match taken {
            Some(id) => {
                self.queue_look(&mut tx, id, lease + Duration::from_secs(1)).await?;
                intent(&mut tx, id).await?
            }
            None => None,
        };
        tx.commit().await?;
        Ok(intent)
    }

    /// Queues a look for each intent that is overdue; for the tick.
    ///
    /// # Errors
    /// The database's.
    pub async fn overdue_intents(&self) -> StoreResult<Vec<Uuid>> {
        Ok(sqlx::query_scalar!(
            r#"select id from intents where state = 'sending' and lease_until < app_now()
               union all
               select id from intents where state = 'unknown' and next_look_at <= app_now()
               limit 1000"#
        )
        .fetch_all(&self.pool)
        .await?
        .into_iter()
        .flatten()
        .collect())
    }

    /// The latest intent for a subject's step.
    ///
    /// # Errors
    /// The database's.
    pub async fn latest_intent(
        &self,
        provider: Uuid,
        upstream: &str,
        kind: &str,
        id: &str,
        step: &str,
    ) -> StoreResult<Option<IntentRow>> {
        Ok(sqlx::query_as!(
            IntentRow,
            r#"select id, provider_id, upstream, environment, subject_kind, subject_id, step, state, lease_token, sent_at, deadline_at, sends,
                      candidates, absent_looks, next_look_at, remote_id, upstream_status, created_at, settled_at, run_id, sealed_payload, sealed_problem
               from intents where provider_id = $1 and upstream = $2 and subject_kind = $3 and subject_id = $4 and step = $5
               order by created_at desc, id desc limit 1"#,
            provider,
            upstream,
            kind,
            id,
            step
        )
        .fetch_optional(&self.pool)
        .await?)
    }

    /// The provider's intents in a state, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_intents(
        &self,
        provider: Uuid,
        state: Option<&str>,
        learner: Option<&str>,
        after: After<'_>,
        size: i64,
    ) -> StoreResult<RecordPage<IntentRow>> {
        let after = after.and_then(|id| Uuid::parse_str(id).ok());
        let rows = sqlx::query_as!(
            IntentRow,
            r#"select id, provider_id, upstream, environment, subject_kind, subject_id, step, state, lease_token, sent_at, deadline_at, sends,
                      candidates, absent_looks, next_look_at, remote_id, upstream_status, created_at, settled_at, run_id, sealed_payload, sealed_problem
               from intents where provider_id = $1 and ($2::text is null or state = $2) and ($3::uuid is null or id > $3)
                     and ($5::text is null or subject_kind = 'learner' and subject_id = $5)
               order by id limit $4"#,
            provider,
            state,
            after,
            size + 1,
            learner
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(page(rows, size))
    }

    /// An intent of the provider's.
    ///
    /// # Errors
    /// The database's.
    pub async fn intent(&self, provider: Uuid, id: Uuid) -> StoreResult<Option<IntentRow>> {
        let mut tx = self.begin().await?;
        Ok(intent(&mut tx, id).await?.filter(|intent| intent.provider_id == provider))
    }

    /// Writes down who settled an intent by hand.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_resolved(&self, provider: Uuid, intent: &IntentRow, by: &By) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        self.audit(&mut tx, provider, by, "intent.resolve", &intent.subject_kind, &intent.subject_id).await?;
        tx.commit().await?;
        Ok(())
    }

    /// What the intent sends.
    ///
    /// # Errors
    /// It cannot be unsealed.
    pub fn intent_payload(&self, intent: &IntentRow) -> StoreResult<Vec<u8>> {
        Ok(self.vault.sealer.unseal(&payload_row(intent.id), &intent.sealed_payload)?)
    }

    /// Why it did not happen, or may not have.
    ///
    /// # Errors
    /// It cannot be unsealed.
    pub fn intent_problem(&self, intent: &IntentRow) -> StoreResult<Option<IntentProblem>> {
        intent
            .sealed_problem
            .as_deref()
            .map(|sealed| self.unseal_json(&problem_row(intent.id), sealed))
            .transpose()
    }

    /// Locks a record's row for this transaction; `false`: there is none.
    pub(super) async fn lock_record(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        kind: &str,
        id: &str,
    ) -> StoreResult<bool> {
        let row = sqlx::query_scalar!(
            r#"select 1 as "one!" from records where provider_id = $1 and kind = $2 and record_id = $3 for update"#,
            provider,
            kind,
            id
        )
        .fetch_optional(&mut **tx)
        .await?;
        Ok(row.is_some())
    }

    /// Whether a subject has an intent whose outcome is open.
    pub(super) async fn has_open_intent(
        &self,
        tx: &mut Tx,
        provider: Uuid,
        kind: &str,
        id: &str,
    ) -> StoreResult<bool> {
        Ok(sqlx::query_scalar!(
            r#"select exists (select from intents where provider_id = $1 and subject_kind = $2 and subject_id = $3
                              and state in ('sending', 'unknown')) as "open!""#,
            provider,
            kind,
            id
        )
        .fetch_one(&mut **tx)
        .await?)
    }
}

/// How an intent ends without a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndoneState {
    /// The upstream refused it.
    Rejected,
    /// Nothing reached the upstream.
    NotSent,
}

impl UndoneState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::NotSent => "notSent",
        }
    }
}

async fn intent(tx: &mut Tx, id: Uuid) -> StoreResult<Option<IntentRow>> {
    Ok(sqlx::query_as!(
        IntentRow,
        r#"select id, provider_id, upstream, environment, subject_kind, subject_id, step, state, lease_token, sent_at, deadline_at, sends,
                  candidates, absent_looks, next_look_at, remote_id, upstream_status, created_at, settled_at, run_id, sealed_payload, sealed_problem
           from intents where id = $1"#,
        id
    )
    .fetch_optional(&mut **tx)
    .await?)
}

pub(super) fn payload_row(id: Uuid) -> String {
    format!("intents/{id}/payload")
}

fn problem_row(id: Uuid) -> String {
    format!("intents/{id}/problem")
}
