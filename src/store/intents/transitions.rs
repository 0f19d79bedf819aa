//! The state transitions of an intent. Only its holder changes it while the lease runs; the `where`
//! clauses enforce that.

use std::time::Duration;

use uuid::Uuid;

use super::{IntentProblem, IntentRow, intents, problem_row};
use crate::domain::{IntentState, SubjectKind, Upstream};
use crate::store::clock::interval;
use crate::store::lease::leased;
use crate::store::{By, Store, StoreResult, Tx};

/// After a second lost response a person decides.
const MOST_SENDS: i32 = 2;

#[derive(Clone, Debug)]
pub enum SettleOutcome<T> {
    Done(T),
    /// Another process settled the intent, or holds it now.
    Elsewhere,
    /// The record or the subject is linked elsewhere. The intent is unchanged.
    Taken,
}

/// How an intent ends without a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndoneState {
    Rejected,
    NotSent,
}

impl UndoneState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => IntentState::Rejected.as_str(),
            Self::NotSent => IntentState::NotSent.as_str(),
        }
    }
}

impl Store {
    /// Passes the fence: from now on the intent counts as sent, once more if `counts` is set.
    /// `false`: another process has its lease, or the lease ends before a call of this length
    /// would. Then nothing may be sent.
    pub async fn fence_intent(&self, intent: &IntentRow, call: Duration, counts: bool) -> StoreResult<bool> {
        let fenced = leased!(query:
            "update intents set sent_at = app_now(), deadline_at = app_now() + $3, sends = sends + $4
             where id = $1 and state = 'sending' and " + outlives("lease_token" = "$2", "lease_until" > "$3");
            intent.id,
            intent.lease_token,
            interval(call),
            i32::from(counts),
        )
        .execute(&self.pool)
        .await?;
        Ok(fenced.rows_affected() == 1)
    }

    /// Marks the intent as done in the transaction that links its record. `false`: another process
    /// settled or holds it.
    pub(in crate::store) async fn settle_done(
        &self,
        tx: &mut Tx,
        intent: &IntentRow,
        remote_id: i64,
    ) -> StoreResult<bool> {
        let settled = sqlx::query!(
            r#"update intents set state = 'done', remote_id = $3, settled_at = app_now(), next_look_at = null
               where id = $1 and (state = 'unknown' or state = 'sending' and lease_token = $2)"#,
            intent.id,
            intent.lease_token,
            remote_id,
        )
        .execute(&mut **tx)
        .await?;
        Ok(settled.rows_affected() == 1)
    }

    /// The sender marks an intent as refused or never sent, with the reason. `false`: it stalled
    /// for longer than its lease. Another process has the intent now and may be sending it, so this
    /// outcome settles nothing.
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

    /// The sender marks that the response was lost. The intent is reconciled after `wait`, because
    /// the request may still be on its way.
    pub async fn settle_unknown(
        &self,
        intent: &IntentRow,
        problem: &IntentProblem,
        wait: Duration,
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
            interval(wait)
        )
        .execute(&mut *tx)
        .await?;
        if marked.rows_affected() == 1 {
            self.queue_look(&mut tx, intent.id, wait).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// A person marks an intent as not done. `false`: it is settled, or is being sent again.
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

    /// Claims an intent that is due for reconciliation: its lease expired, or its response was lost
    /// and the wait is over. The next look is moved by `lease`, so that a second job finds nothing
    /// due.
    pub async fn take_overdue_intent(&self, id: Uuid, lease: Duration) -> StoreResult<Option<IntentRow>> {
        let mut tx = self.begin().await?;
        // The token is new, so a sender that lost its lease can settle nothing.
        sqlx::query!(
            r#"update intents set state = 'unknown', next_look_at = app_now(), lease_token = $2
               where id = $1 and state = 'sending' and lease_until < app_now()"#,
            id,
            Uuid::new_v4(),
        )
        .execute(&mut *tx)
        .await?;
        let taken = sqlx::query!(
            r#"update intents set next_look_at = app_now() + $2
               where id = $1 and state = 'unknown' and next_look_at <= app_now()
                     and (deadline_at is null or deadline_at < app_now())"#,
            id,
            interval(lease)
        )
        .execute(&mut *tx)
        .await?;
        let intent = match taken.rows_affected() {
            1 => intents!("where id = $1", id).fetch_optional(&mut *tx).await?,
            _ => None,
        };
        tx.commit().await?;
        Ok(intent)
    }

    /// Records that a complete search did not find the record. `true`: it is certainly absent, and
    /// the caller may send it again within `lease`. This takes two searches, the second at least
    /// `absence` after the call's deadline. One search is enough if nothing was sent. Otherwise the
    /// next search is due at that time, or, after the second send, a person decides.
    pub async fn note_absent(&self, id: Uuid, absence: Duration, lease: Duration) -> StoreResult<bool> {
        let mut tx = self.begin().await?;
        let row = sqlx::query!(
            r#"with look as (
                   select id, sent_at is null or absent_looks > 0 and deadline_at + $2 <= app_now() as sure from intents
                   where id = $1 and state = 'unknown' for update
               )
               update intents i set absent_looks = i.absent_looks + 1,
                      next_look_at = case when not look.sure then greatest(i.deadline_at + $2, app_now() + interval '1 second')
                                          when i.sends < $4 then app_now() + $3 end
               from look where i.id = look.id
               returning look.sure as "sure!", i.next_look_at, coalesce(extract(epoch from i.next_look_at - app_now()), 0)::float8 as "wait!""#,
            id,
            interval(absence),
            interval(lease),
            MOST_SENDS,
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

    /// The outcome cannot be found automatically, so a person decides. `false`: the intent is
    /// settled.
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

    /// The search was incomplete, for example because the upstream is down. It is repeated after
    /// `wait`.
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

    /// Leases a certainly absent intent to the caller, who sends it again.
    pub async fn reopen_intent(&self, id: Uuid, lease: Duration) -> StoreResult<Option<IntentRow>> {
        let mut tx = self.begin().await?;
        let taken = sqlx::query!(
            r#"update intents set state = 'sending', lease_token = $2, lease_until = app_now() + $3, absent_looks = 0,
                      next_look_at = null
               where id = $1 and state = 'unknown' and sends < $4 and (absent_looks > 1 or sent_at is null)"#,
            id,
            Uuid::new_v4(),
            interval(lease),
            MOST_SENDS,
        )
        .execute(&mut *tx)
        .await?;
        if taken.rows_affected() == 0 {
            return Ok(None);
        }
        self.queue_look(&mut tx, id, lease + Duration::from_secs(1)).await?;
        let intent = intents!("where id = $1", id).fetch_optional(&mut *tx).await?;
        tx.commit().await?;
        Ok(intent)
    }

    /// Writes an audit line about who settled an intent by hand.
    pub async fn note_resolved(&self, intent: &IntentRow, by: &By) -> StoreResult<()> {
        let mut tx = self.begin().await?;
        let kind = intent.subject_kind.as_str();
        self.audit(&mut tx, intent.provider_id, by, "intent.resolve", kind, &intent.subject_id).await?;
        tx.commit().await?;
        Ok(())
    }
}
