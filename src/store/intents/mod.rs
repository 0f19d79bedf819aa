//! Intents: one row for each creation in an upstream. The row is written before the call, and the
//! call's outcome settles it. Guards are in the `where` clauses, because two processes may race for
//! any of these statements.

mod transitions;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::transitions::{SettleOutcome, UndoneState};
use super::clock::interval;
use super::records::page;
use super::{After, By, RecordPage, Store, StoreResult, Time, Tx, new_id};
use crate::domain::{IntentState, SubjectKind, Upstream};

/// The key of a creation. At most one intent of a key is open at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntentKey {
    pub provider: Uuid,
    pub upstream: Upstream,
    /// The upstream's environment, such as `live` or `sandbox`.
    pub environment: String,
    pub subject_kind: SubjectKind,
    /// The record's id here. For a classroom: the blind index of its name.
    pub subject_id: String,
    /// The creation for the subject, such as `apprentice` or `aim:1034`.
    pub step: String,
}

/// A creation that is about to be sent.
#[derive(Clone, Debug)]
pub struct NewIntent {
    pub key: IntentKey,
    /// The content to send. It is sealed.
    pub payload: Vec<u8>,
    /// Upstream ids of similar records that existed before, so that none of them counts as the new
    /// one.
    pub candidates: Vec<i64>,
    /// The latest intent of this key that was done when the caller searched the upstream. One that
    /// was done later may have created what the search could not see yet.
    pub seen: Option<Uuid>,
    /// The link that the subject must not have yet.
    pub unlinked: Option<Unlinked>,
    /// The run that requests it.
    pub run_id: Option<Uuid>,
}

/// A link that a subject must not have when its creation begins.
#[derive(Clone, Debug)]
pub enum Unlinked {
    Ace360,
    /// A learner has one user in all centres. Other subjects have one record in each centre.
    OneFile {
        centre_id: String,
    },
}

#[derive(Clone, Debug)]
pub struct IntentRow {
    pub id: Uuid,
    pub provider_id: Uuid,
    pub upstream: Upstream,
    pub environment: String,
    pub subject_kind: SubjectKind,
    pub subject_id: String,
    pub step: String,
    pub state: IntentState,
    /// Changes with each holder. Only the holder may send or settle.
    pub lease_token: Uuid,
    /// When the fence was last passed. `None`: nothing can have reached the upstream.
    pub sent_at: Option<Time>,
    /// The latest end of the last call.
    pub deadline_at: Option<Time>,
    pub sends: i32,
    pub candidates: Vec<i64>,
    /// Complete searches after the deadline that did not find the record.
    pub absent_looks: i32,
    /// The time of the next reconciliation. `None` in state `unknown`: a person decides.
    pub next_look_at: Option<Time>,
    /// The id of the record in the upstream.
    pub remote_id: Option<i64>,
    /// The HTTP status of a refusal.
    pub upstream_status: Option<i32>,
    pub created_at: Time,
    pub settled_at: Option<Time>,
    pub run_id: Option<Uuid>,
    sealed_payload: Vec<u8>,
    sealed_problem: Option<Vec<u8>>,
}

impl IntentRow {
    /// Whether the outcome is not known yet.
    pub fn is_open(&self) -> bool {
        match self.state {
            IntentState::Sending | IntentState::Unknown => true,
            IntentState::Done | IntentState::Rejected | IntentState::NotSent => false,
        }
    }
}

/// Why a creation did not happen, or may not have happened.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct IntentProblem {
    /// A stable code for programs.
    pub code: String,
    /// A text for people, which may contain the upstream's words.
    pub message: String,
    /// The upstream's HTTP status.
    pub status: Option<u16>,
    /// The upstream's field names, each with its error.
    #[serde(default)]
    pub field_errors: Vec<(String, String)>,
    #[serde(default)]
    pub upstream_message: Option<String>,
}

impl IntentProblem {
    /// A problem that this service detected.
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

#[derive(Clone, Debug)]
pub enum Opened {
    /// The caller holds its lease.
    Ours(Box<IntentRow>),
    /// Another intent of the same key is open, or was done after the caller searched.
    InFlight,
    AlreadyLinked,
    /// The subject's record is no longer stored.
    NoRecord,
}

/// Reads full intents with the given rest of a query, so that the list of columns exists once.
macro_rules! intents {
    ($rest:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            IntentRow,
            r#"select id, provider_id, upstream as "upstream: Upstream", environment, subject_kind as "subject_kind: SubjectKind",
                      subject_id, step, state as "state: IntentState", lease_token, sent_at, deadline_at, sends, candidates,
                      absent_looks, next_look_at, remote_id, upstream_status, created_at, settled_at, run_id, sealed_payload,
                      sealed_problem
               from intents "# + $rest,
            $($argument),+
        )
    };
}
pub(super) use intents;

impl Store {
    /// Writes an intent and leases it to the caller, who then fences and sends it. If the process
    /// stops before that, the tick finds the expired lease.
    pub async fn open_intent(&self, new: &NewIntent, lease: Duration, by: &By) -> StoreResult<Opened> {
        let (id, key) = (new_id(), &new.key);
        let sealed = self.vault.sealer.seal(&payload_row(id), &new.payload)?;
        let mut tx = self.begin().await?;
        // Linking, erasing and sending lock the record's row in turn. A classroom has no row.
        let kind = key.subject_kind.as_str();
        if key.subject_kind != SubjectKind::Classroom
            && !self.lock_record(&mut tx, key.provider, kind, &key.subject_id).await?
        {
            return Ok(Opened::NoRecord);
        }
        let lease_token = Uuid::new_v4();
        let opened_at = sqlx::query_scalar!(
            r#"with moment as materialized (select app_now() as now), opened as (
                   insert into intents (id, provider_id, upstream, environment, subject_kind, subject_id, step, state, lease_token,
                                        lease_until, sends, sealed_payload, candidates, run_id, requested_by, created_at)
                   select $1, $2, $3, $4, $5, $6, $7, 'sending', $8, now + $9::interval, 0, $10, $11, $12, $13, now
                   from moment
                   on conflict (provider_id, upstream, subject_kind, subject_id, step) where state in ('sending', 'unknown') do nothing
                   returning created_at
               )
               insert into audit (id, provider_id, at, actor, action, subject_kind, subject_id, request_id, address)
               select $14, $2, created_at, $13, 'intent.open', $5, $6, $15, $16 from opened
               returning at"#,
            id,
            key.provider,
            key.upstream.as_str(),
            key.environment,
            kind,
            key.subject_id,
            key.step,
            lease_token,
            interval(lease),
            sealed,
            &new.candidates,
            new.run_id,
            by.actor,
            new_id(),
            by.request_id,
            by.address,
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(created_at) = opened_at else { return Ok(Opened::InFlight) };
        if let Some(why_not) = made_meanwhile(&mut tx, id, new).await? {
            return Ok(why_not);
        }
        tx.commit().await?;
        Ok(Opened::Ours(Box::new(IntentRow {
            id,
            provider_id: key.provider,
            upstream: key.upstream,
            environment: key.environment.clone(),
            subject_kind: key.subject_kind,
            subject_id: key.subject_id.clone(),
            step: key.step.clone(),
            state: IntentState::Sending,
            lease_token,
            sent_at: None,
            deadline_at: None,
            sends: 0,
            candidates: new.candidates.clone(),
            absent_looks: 0,
            next_look_at: None,
            remote_id: None,
            upstream_status: None,
            created_at,
            settled_at: None,
            run_id: new.run_id,
            sealed_payload: sealed,
            sealed_problem: None,
        })))
    }

    /// Intents whose lease has expired, or that are due for reconciliation. For the tick.
    pub async fn overdue_intents(&self) -> StoreResult<Vec<Uuid>> {
        Ok(sqlx::query_scalar!(
            r#"select id as "id!" from intents where state = 'sending' and lease_until < app_now()
               union all
               select id from intents where state = 'unknown' and next_look_at <= app_now()
               limit 1000"#
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// The latest intent of a creation, in its environment only.
    pub async fn latest_intent(&self, key: &IntentKey) -> StoreResult<Option<IntentRow>> {
        let (upstream, kind) = (key.upstream.as_str(), key.subject_kind.as_str());
        let latest = intents!(
            "where provider_id = $1 and upstream = $2 and subject_kind = $3 and subject_id = $4 and step = $5 and environment = $6
             order by created_at desc, id desc limit 1",
            key.provider,
            upstream,
            kind,
            key.subject_id,
            key.step,
            key.environment,
        );
        Ok(latest.fetch_optional(&self.pool).await?)
    }

    /// The open intent of a creation in any environment, because it blocks all of them.
    pub async fn open_intent_of(&self, key: &IntentKey) -> StoreResult<Option<IntentRow>> {
        let (upstream, kind) = (key.upstream.as_str(), key.subject_kind.as_str());
        let open = intents!(
            "where provider_id = $1 and upstream = $2 and subject_kind = $3 and subject_id = $4 and step = $5
                   and state in ('sending', 'unknown')",
            key.provider,
            upstream,
            kind,
            key.subject_id,
            key.step,
        );
        Ok(open.fetch_optional(&self.pool).await?)
    }

    /// The provider's intents in a state, oldest first.
    pub async fn list_intents(
        &self,
        provider: Uuid,
        state: Option<IntentState>,
        learner: Option<&str>,
        after: After<'_>,
        size: i64,
    ) -> StoreResult<RecordPage<IntentRow>> {
        let after = after.and_then(|id| Uuid::parse_str(id).ok());
        let rows = intents!(
            "where provider_id = $1 and ($2::text is null or state = $2) and ($3::uuid is null or id > $3)
                   and ($5::text is null or subject_kind = 'learner' and subject_id = $5)
             order by id limit $4",
            provider,
            state.map(IntentState::as_str),
            after,
            size + 1,
            learner,
        );
        Ok(page(rows.fetch_all(&self.pool).await?, size))
    }

    pub async fn intent(&self, provider: Uuid, id: Uuid) -> StoreResult<Option<IntentRow>> {
        let found = intents!("where provider_id = $1 and id = $2", provider, id);
        Ok(found.fetch_optional(&self.pool).await?)
    }

    /// The JSON that the intent sends.
    pub fn intent_payload(&self, intent: &IntentRow) -> StoreResult<Vec<u8>> {
        Ok(self.vault.sealer.unseal(&payload_row(intent.id), &intent.sealed_payload)?)
    }

    /// Why the creation did not happen, or may not have happened.
    pub fn intent_problem(&self, intent: &IntentRow) -> StoreResult<Option<IntentProblem>> {
        let sealed = intent.sealed_problem.as_deref();
        sealed.map(|sealed| self.unseal_json(&problem_row(intent.id), sealed)).transpose()
    }

    /// Locks a record's row for this transaction. `false`: there is no such record.
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

/// Why an intent must not be sent: its subject was linked, or the same record was created, while
/// the caller searched. This is a separate statement after the insert, which waits for another
/// process that settles the same creation.
async fn made_meanwhile(tx: &mut Tx, id: Uuid, new: &NewIntent) -> StoreResult<Option<Opened>> {
    let key = &new.key;
    let centre = match &new.unlinked {
        Some(Unlinked::OneFile { centre_id }) => Some(centre_id.as_str()),
        Some(Unlinked::Ace360) | None => None,
    };
    let found = sqlx::query!(
        r#"select $8 and exists (select from ace360_links where provider_id = $2 and learner_id = $6 and environment = $4)
                  or $9::text is not null and exists (
                      select from onefile_links where provider_id = $2 and environment = $4 and kind = $5 and local_id = $6
                      and (centre_id = $9 or kind = 'learner')
                  ) as "linked!",
                  (select case when state = 'done' and remote_id is not null then id end from intents
                   where provider_id = $2 and upstream = $3 and environment = $4 and subject_kind = $5 and subject_id = $6
                         and step = $7 and id <> $1
                   order by created_at desc, id desc limit 1) as made"#,
        id,
        key.provider,
        key.upstream.as_str(),
        key.environment,
        key.subject_kind.as_str(),
        key.subject_id,
        key.step,
        matches!(new.unlinked, Some(Unlinked::Ace360)),
        centre,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(if found.linked {
        Some(Opened::AlreadyLinked)
    } else if found.made.is_some() && found.made != new.seen {
        Some(Opened::InFlight)
    } else {
        None
    })
}

fn payload_row(id: Uuid) -> String {
    format!("intents/{id}/payload")
}

fn problem_row(id: Uuid) -> String {
    format!("intents/{id}/problem")
}
