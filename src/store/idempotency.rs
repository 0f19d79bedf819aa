//! Stored responses, which are returned again for the same idempotency key.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::lease::{Lease, leased};
use super::{Store, StoreResult, Tx, new_id};
use crate::seal::hex;

/// An idempotency key with its request.
#[derive(Clone, Debug)]
pub struct Keyed {
    pub provider: Uuid,
    pub token: Uuid,
    /// The SHA-256 of the key.
    pub key_hash: Vec<u8>,
    /// The SHA-256 of the request.
    pub request_hash: Vec<u8>,
    /// The learner whose erasure deletes the response. `*`: the response may contain any learner's
    /// data.
    pub about: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAnswer {
    pub status: u16,
    /// The headers that belong to the response.
    pub headers: Vec<(String, String)>,
    /// The body, which is JSON and therefore text.
    pub body: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// The caller does the work. What it creates gets this id.
    Ours {
        /// The token that settles the claim.
        claim: Uuid,
        /// The id for the created resource.
        derived_id: Uuid,
    },
    /// The request was done: its response.
    Done(KeptAnswer),
    /// The request was done, and its response contained a secret.
    Secret,
    /// Another request works on it.
    InFlight,
    /// The key was used with another request.
    OtherRequest,
}

impl Store {
    /// Claims a key for `term`, or returns its state. A key that is older than a day counts as new.
    pub async fn claim_key(&self, keyed: &Keyed, term: Duration) -> StoreResult<KeyState> {
        let lease = Lease::of(term);
        let ours = leased!(query_scalar:
            r#"insert into idempotency_keys as old (provider_id, token_id, key_hash, request_hash, derived_id, claim, claimed_until, about, created_at)
               values ($1, $2, $3, $4, $5, $6, app_now() + $7::interval, $8, app_now())
               on conflict (provider_id, token_id, key_hash) do update
               set claim = excluded.claim, claimed_until = excluded.claimed_until,
                   request_hash = excluded.request_hash, about = excluded.about, status = null, sealed_answer = null,
                   derived_id = case when old.created_at < app_now() - interval '1 day' then excluded.derived_id else old.derived_id end,
                   created_at = case when old.created_at < app_now() - interval '1 day' then excluded.created_at else old.created_at end
               where old.created_at < app_now() - interval '1 day'
                  or old.status is null and old.request_hash = excluded.request_hash and "# + free("old.claimed_until") + "
               returning derived_id";
            keyed.provider,
            keyed.token,
            keyed.key_hash,
            keyed.request_hash,
            new_id(),
            lease.token,
            lease.term,
            keyed.about,
        )
        .fetch_optional(&self.pool)
        .await?;
        if let Some(derived_id) = ours {
            return Ok(KeyState::Ours { claim: lease.token, derived_id });
        }
        let row = sqlx::query!(
            r#"select request_hash, status, sealed_answer from idempotency_keys where provider_id = $1 and token_id = $2 and key_hash = $3"#,
            keyed.provider,
            keyed.token,
            keyed.key_hash,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(match row {
            Some(row) if row.request_hash != keyed.request_hash => KeyState::OtherRequest,
            Some(row) => match (row.status, row.sealed_answer) {
                (Some(_), Some(sealed)) => KeyState::Done(self.unseal_json(&answer_row(keyed), &sealed)?),
                (Some(_), None) => KeyState::Secret,
                (None, _) => KeyState::InFlight,
            },
            // The key was released a moment ago.
            None => KeyState::InFlight,
        })
    }

    /// Stores a response. `None`: it contained a secret.
    pub async fn keep_answer(
        &self,
        keyed: &Keyed,
        claim: Uuid,
        status: u16,
        answer: Option<&KeptAnswer>,
    ) -> StoreResult<()> {
        let sealed = answer.map(|answer| self.seal_json(&answer_row(keyed), answer)).transpose()?;
        leased!(query:
            "update idempotency_keys set status = $5, sealed_answer = $6, " + release("claim", "claimed_until") + "
             where provider_id = $1 and token_id = $2 and key_hash = $3 and " + ours("claim" = "$4");
            keyed.provider,
            keyed.token,
            keyed.key_hash,
            claim,
            i32::from(status),
            sealed,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Releases a claim: nothing was done, or nobody waits for the response any more.
    pub async fn release_key(&self, claim: Uuid) -> StoreResult<()> {
        leased!(query:
            "update idempotency_keys set " + release("claim", "claimed_until") + " where status is null and " + ours("claim" = "$1");
            claim
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Forgets a key whose call was refused.
    pub async fn forget_key(&self, claim: Uuid) -> StoreResult<()> {
        leased!(query:
            "delete from idempotency_keys where status is null and " + ours("claim" = "$1");
            claim
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Forgets answers that may tell of a learner.
    pub(super) async fn forget_answers(&self, tx: &mut Tx, provider: Uuid, learner: &str) -> StoreResult<()> {
        sqlx::query!(
            "delete from idempotency_keys where provider_id = $1 and about in ($2, '*') and claim is null",
            provider,
            learner
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

fn answer_row(keyed: &Keyed) -> String {
    format!("idempotency_keys/{}/{}/{}", keyed.provider, keyed.token, hex(&keyed.key_hash))
}
