//! OneFile's sessions, one for each account. All processes share them: one opens a session while
//! the others wait.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::seal::hex;
use crate::store::clock::interval;
use crate::store::{Store, StoreResult};

/// A session is valid for 24 hours. It is renewed an hour before its end.
const LIFE: Duration = Duration::from_hours(24);
const RENEWED_AFTER: Duration = Duration::from_hours(23);
/// A session that was not used for this long belongs to a deleted token.
const FORGOTTEN: Duration = Duration::from_hours(72);

/// A session of an account.
#[derive(Clone, Debug)]
pub struct OneFileSession {
    /// Counts the account's sessions.
    pub version: i64,
    pub token: SecretString,
}

#[derive(Clone, Debug)]
pub enum SessionState {
    Ready(OneFileSession),
    /// The caller has to open it, with this claim.
    Ours(Uuid),
    /// Another process is opening it.
    Awaited,
}

impl Store {
    /// The account's session, or the right to open it within `lease`. The session of version
    /// `refused` is invalid, because OneFile has rejected it.
    pub async fn onefile_session(
        &self,
        account: &[u8],
        refused: Option<i64>,
        lease: Duration,
    ) -> StoreResult<SessionState> {
        let row = sqlx::query!(
            r#"select sealed, version, coalesce(claimed_until > app_now(), false) as "claimed!",
                      opened_at + $2::interval > app_now() as lives, opened_at + $3::interval > app_now() as fresh
               from onefile_sessions where account = $1"#,
            account,
            interval(LIFE),
            interval(RENEWED_AFTER),
        )
        .fetch_optional(&self.pool)
        .await?;
        if let Some(row) = &row
            && let Some(sealed) = &row.sealed
            && Some(row.version) != refused
            // The old session is used while another process renews it.
            && (row.fresh == Some(true) || (row.claimed && row.lives == Some(true)))
        {
            let bytes = self.vault.sealer.unseal(&session_row(account), sealed)?;
            let token = SecretString::from(String::from_utf8_lossy(&bytes).into_owned());
            return Ok(SessionState::Ready(OneFileSession { version: row.version, token }));
        }
        let claim = crate::store::new_id();
        // Whoever was quicker has moved the claim or the version: then this changes nothing, and the caller looks again.
        let ours = sqlx::query!(
            r#"with forgotten as (delete from onefile_sessions where touched_at < app_now() - $5::interval and account <> $1)
               insert into onefile_sessions as old (account, claim, claimed_until, touched_at) values ($1, $2, app_now() + $3::interval, app_now())
               on conflict (account) do update
               set claim = excluded.claim, claimed_until = excluded.claimed_until, touched_at = excluded.touched_at
               where coalesce(old.claimed_until <= app_now(), true) and old.version = $4"#,
            account,
            claim,
            interval(lease),
            row.map_or(0, |row| row.version),
            interval(FORGOTTEN),
        )
        .execute(&self.pool)
        .await?
        .rows_affected();
        Ok(if ours == 1 { SessionState::Ours(claim) } else { SessionState::Awaited })
    }

    /// Stores the session of a claim. `None`: the claim has expired, and another process has opened
    /// its own session.
    pub async fn keep_onefile_session(
        &self,
        account: &[u8],
        claim: Uuid,
        token: &SecretString,
    ) -> StoreResult<Option<i64>> {
        let sealed = self.vault.sealer.seal(&session_row(account), token.expose_secret().as_bytes())?;
        Ok(sqlx::query_scalar!(
            r#"update onefile_sessions
               set sealed = $3, opened_at = app_now(), version = version + 1, claim = null, claimed_until = null, touched_at = app_now()
               where account = $1 and claim = $2 returning version"#,
            account,
            claim,
            sealed,
        )
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Releases a claim without a session.
    pub async fn release_onefile_session(&self, account: &[u8], claim: Uuid) -> StoreResult<()> {
        sqlx::query!(
            "update onefile_sessions set claim = null, claimed_until = null where account = $1 and claim = $2",
            account,
            claim
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

fn session_row(account: &[u8]) -> String {
    format!("onefile_sessions/{}", hex(account))
}
