//! OneFile's sessions, one for each account, shared by all processes: one of them opens it, the others wait.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::seal::hex;
use crate::store::clock::interval;
use crate::store::{Store, StoreResult};

/// A session serves for 24 hours; it is renewed an hour before its end.
const LIFE: Duration = Duration::from_hours(24);
const RENEWED_AFTER: Duration = Duration::from_hours(23);
/// One that nobody has asked for this long belongs to a token that is gone.
const FORGOTTEN: Duration = Duration::from_hours(72);

/// A session of an account.
#[derive(Clone, Debug)]
pub struct OneFileSession {
    /// Counts the account's sessions.
    pub version: i64,
    pub token: SecretString,
}

/// What somebody who needs a session finds.
#[derive(Clone, Debug)]
pub enum SessionState {
    Ready(OneFileSession),
    /// It is ours to open, by this claim.
    Ours(Uuid),
    /// Somebody else is opening it.
    Awaited,
}

impl Store {
    /// The account's session, or the right to open it for as long as `lease`. A session of version `refused` does not serve: OneFile
    /// has said so.
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
            // An old one serves while another process renews it.
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

    /// Keeps the session that the claim was for; `None`: the claim has run out, and another process has opened its own.
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

    /// Gives a claim back: no session came of it.
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
