//! Sending what an intent wants, once. The order is the whole of it: the permit is there, the intent is written and
//! leased, the row is fenced, and only then the socket is touched; what comes back settles the row or leaves it
//! unknown. The upstreams' own modules say what is sent, and read what an accepted creation answers.

use super::call::{Caller, Meter};
use super::outcome::Outcome;
use super::pace::Account;
use crate::http::Request;
use crate::store::{IntentRow, Store, StoreError};

/// What came of a send.
#[derive(Debug)]
pub enum Attempt {
    /// The lease was lost before the socket: somebody else has the intent. Nothing was sent.
    NotOurs,
    /// It was sent, or could not be; this came of it.
    Outcome(Outcome),
}

/// Sends. The caller has the permit and the intent's lease.
///
/// # Errors
/// The database's. After the fence that leaves the intent `sending` with a `sent_at`: whoever finds its lease expired
/// takes it for unknown, and looks.
pub async fn send(
    caller: &Caller,
    store: &Store,
    account: &Account,
    meter: &Meter,
    intent: &IntentRow,
    request: Request,
) -> Result<Attempt, StoreError> {
    if !store.fence_intent(intent.id, intent.lease_token, caller.timeout()).await? {
        return Ok(Attempt::NotOurs);
    }
    Ok(Attempt::Outcome(caller.call_with_permit(account, meter, request).await?))
}
